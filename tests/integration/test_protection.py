"""What protects published packages, on the real engine: nobody loses them by an edit, a command or a call."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from engine import ACCOUNT, REGION, Emulator, Project, deployer, document, error_code, packages, publish

ADMINISTRATOR = {"Effect": "Allow", "Action": "codeartifact:*", "Resource": "*"}
READERS = ["arn:aws:iam::111122223333:role/reader"]
KEY = "arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
REPOSITORY = {"domain": "acme", "repository": "private-pypi"}
PACKAGE = REPOSITORY | {"format": "pypi", "package": "acme-core"}


@pytest.fixture
def published(project: Project, emulator: Emulator) -> dict[str, object]:
    """The config of a protected stack with a package."""
    config: dict[str, object] = {"domain": "acme", "readers": READERS, "encryptionKey": KEY}
    project.configure("dev", **config)
    project.up("dev")
    publish(emulator.client("codeartifact"), "acme-core")
    return config


def policy(emulator: Emulator, kind: str) -> str:
    """The permissions policy of the domain or of the repository, as AWS has it."""
    get = getattr(emulator.client("codeartifact"), f"get_{kind}_permissions_policy")
    where = {"domain": "acme"} if kind == "domain" else REPOSITORY
    return get(**where)["policy"]["document"]


def losses(codeartifact: Any) -> dict[str, str]:
    """What comes of each call that would lose packages, the smallest loss first."""
    versions = {"versions": ["1.0"]}
    return {
        "dispose": error_code(codeartifact.dispose_package_versions, **PACKAGE, **versions),
        "delete version": error_code(codeartifact.delete_package_versions, **PACKAGE, **versions),
        "delete package": error_code(codeartifact.delete_package, **PACKAGE),
        "delete repository": error_code(codeartifact.delete_repository, **REPOSITORY),
    }


COMPONENT_URN = "urn:pulumi:dev::private-pypi::private-pypi:index:PrivatePypi::private-pypi"
UP = ("up", "--yes", "--skip-preview", "--stack", "dev")


def blind(project: Project) -> None:
    """Let the program's look-ups in the state fail, as with a backend that does not answer."""
    program = project.folder / "__main__.py"
    program.write_text(
        "import pulumi\n"
        "invoke = pulumi.runtime.invoke\n"
        "def without_state(token, *arguments, **options):\n"
        "    if token == 'pulumi:pulumi:readStackResourceOutputs':\n"
        "        raise RuntimeError('no backend')\n"
        "    return invoke(token, *arguments, **options)\n"
        "pulumi.runtime.invoke = without_state\n" + program.read_text()
    )


def take_the_deny_out(project: Project) -> None:
    statement = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "codeartifact:*", "Resource": "*"}
    codeartifact = project.emulator.client("codeartifact")
    codeartifact.put_repository_permissions_policy(**REPOSITORY, policyDocument=document(statement))


def take_the_policy_away(project: Project) -> None:
    project.emulator.client("codeartifact").delete_repository_permissions_policy(**REPOSITORY)


def make_the_state_unreadable(project: Project) -> None:
    blind(project)


def export_nothing(project: Project) -> None:
    program = project.folder / "__main__.py"
    program.write_text(program.read_text().replace("pulumi.export(name, value)", "pass"))
    project.up("dev")


def use_another_program(project: Project) -> None:
    """In which the component is below another one, with an alias for what it was."""
    (project.folder / "__main__.py").write_text(
        "import pulumi\n"
        "from private_pypi import PrivatePypi, load_args\n"
        "class Platform(pulumi.ComponentResource):\n"
        "    def __init__(self):\n"
        "        super().__init__('example:index:Platform', 'platform')\n"
        "        alias = pulumi.Alias(parent=pulumi.ROOT_STACK_RESOURCE)\n"
        "        PrivatePypi('private-pypi', load_args(), pulumi.ResourceOptions(parent=self, aliases=[alias]))\n"
        "Platform()\n"
    )


def deploy_another_program(project: Project) -> None:
    use_another_program(project)
    project.up("dev")


def import_it(project: Project) -> None:
    """Nothing says whether what was imported was protected."""
    resources: list[dict[str, object]] = [
        {"type": COMPONENT_URN.split("::")[2], "name": "private-pypi", "component": True},
        *(
            {
                "type": f"aws:codeartifact/{kind}:{kind.title()}",
                "name": f"private-pypi-{kind}",
                "id": f"arn:aws:codeartifact:{REGION}:{ACCOUNT}:{kind}/{name}",
                "parent": "private-pypi",
            }
            for kind, name in (("domain", "acme"), ("repository", "acme/private-pypi"))
        ),
    ]
    take_the_policy_away(project)
    (project.folder / "import.json").write_text(json.dumps({"resources": resources}))
    project.pulumi("stack", "rm", "--force", "--yes", "--preserve-config", "--stack", "dev")
    project.pulumi("stack", "init", "dev")
    options = ("--generate-code=false", "--protect=false", "--yes", "--skip-preview", "--stack", "dev")
    project.pulumi("import", "--file", "import.json", *options)


@pytest.mark.parametrize(
    "tamper",
    [
        take_the_deny_out,
        take_the_policy_away,
        make_the_state_unreadable,
        export_nothing,
        use_another_program,
        deploy_another_program,
        import_it,
    ],
)
def test_what_the_state_does_not_say_to_be_unprotected_is_not_lost(
    project: Project, emulator: Emulator, published: dict[str, object], tamper: Callable[[Project], None]
) -> None:
    """What is refused stores what it refreshed, and is refused again."""
    tamper(project)
    project.configure("dev", **(published | {"repository": "renamed", "protect": False}))

    for command in ((*UP, "--refresh"), (*UP, "--refresh"), UP):
        printed = project.refused(*command)
        assert "1 error in the config; nothing was changed." in printed
        assert packages(emulator) == ["acme-core"]


@pytest.mark.parametrize("option", ["--continue-on-error", f"--target={COMPONENT_URN}", ""])
def test_a_run_that_did_not_get_to_the_policy_ended_no_protection(
    project: Project, emulator: Emulator, published: dict[str, object], option: str
) -> None:
    project.configure("dev", **published, protect=False)
    administrator, project.environment = (
        project.environment,
        project.environment | deployer(emulator, "codeartifact:PutRepositoryPermissionsPolicy"),
    )
    ended = project.pulumi(*UP, *filter(None, [option]), check=False).returncode == 0
    assert ended == option.startswith("--target")
    project.environment = administrator
    take_the_policy_away(project)

    project.configure("dev", **(published | {"repository": "renamed", "protect": False}))
    for command in ((*UP, "--refresh"), UP):
        assert "private-pypi:repository: got 'renamed'" in project.refused(*command)


@pytest.mark.parametrize("tamper", [take_the_deny_out, take_the_policy_away])
def test_a_refresh_that_runs_the_program_ends_no_protection(
    project: Project, emulator: Emulator, published: dict[str, object], tamper: Callable[[Project], None]
) -> None:
    tamper(project)
    project.configure("dev", **published, protect=False)
    project.pulumi("refresh", "--run-program", "--yes", "--skip-preview", "--stack", "dev")

    project.configure("dev", **(published | {"repository": "renamed", "protect": False}))
    assert "private-pypi:repository: got 'renamed'" in project.refused(*UP)
    assert packages(emulator) == ["acme-core"]


@pytest.mark.usefixtures("published")
def test_no_command_takes_the_deny_away(project: Project, emulator: Emulator) -> None:
    before = policy(emulator, "repository")
    urns = {each["urn"].rpartition("::")[2]: each["urn"] for each in project.checkpoint("dev")["resources"]}
    urn = urns["private-pypi-repository-permissions"]

    for command in (
        ("destroy", "--exclude-protected"),
        ("destroy", "--target", urn),
        ("up", "--replace", urn),
    ):
        project.pulumi(*command, "--yes", "--skip-preview", "--stack", "dev", check=False)
        assert policy(emulator, "repository") == before, command
    project.up("dev")
    assert project.changes("dev") == {}

    # Except for who insists.
    project.pulumi("destroy", "--target", urn, "--ignore-protect", "--yes", "--skip-preview", "--stack", "dev")
    error = error_code(emulator.client("codeartifact").get_repository_permissions_policy, **REPOSITORY)
    assert error == "ResourceNotFoundException"


def test_what_nobody_may_use_is_taken_away_like_anything_else(project: Project, emulator: Emulator) -> None:
    """Pulumi deletes no policy in the run that ends its protection, so one stays that gives nobody anything."""
    project.configure("dev", domain="acme")
    project.up("dev")

    project.configure("dev", domain="acme", protect=False)
    assert project.changes("dev") == {"private-pypi-repository-permissions": "update"}
    project.up("dev")
    assert project.changes("dev") == {}
    visitor = emulator.client("codeartifact", emulator.assume_role("visitor"))
    assert error_code(visitor.describe_repository, **REPOSITORY) == "AccessDeniedException"
    project.pulumi("destroy", "--yes", "--stack", "dev")
    assert emulator.client("codeartifact").list_domains()["domains"] == []


def test_a_new_stack_without_protection_is_made_and_its_first_run_is_repeated(
    project: Project, emulator: Emulator
) -> None:
    project.configure("dev", domain="acme", readers=READERS, protect=False)
    administrator, project.environment = (
        project.environment,
        project.environment | deployer(emulator, "codeartifact:PutRepositoryPermissionsPolicy"),
    )
    assert project.pulumi(*UP, check=False).returncode != 0

    project.environment = administrator
    project.up("dev")
    assert project.changes("dev") == {}


def test_what_an_alias_may_stand_for_is_not_renamed(project: Project, published: dict[str, object]) -> None:
    use_another_program(project)
    project.configure("dev", **(published | {"repository": "renamed", "protect": False}))

    printed = project.refused(*UP)
    assert "expected: 'private-pypi', because an alias of the component may stand for it" in printed


def test_the_engine_too_refuses_to_replace_what_a_protected_policy_belongs_to(
    project: Project, emulator: Emulator, published: dict[str, object]
) -> None:
    """By what its state says of the policy, so that it needs nobody else's look at that state."""
    program = project.folder / "__main__.py"
    program.write_text(
        "import private_pypi.component\nprivate_pypi.component.refused_changes = lambda *_: []\n" + program.read_text()
    )
    project.configure("dev", **(published | {"repository": "renamed", "protect": False}))

    assert "as it is currently marked for protection" in project.refused(*UP)
    assert packages(emulator) == ["acme-core"]


def test_another_key_makes_the_domain_and_what_is_in_it_anew(
    project: Project, emulator: Emulator, published: dict[str, object]
) -> None:
    """With the package groups, which AWS deletes with their domain: else internal names would come from public PyPI."""
    config = published | {"protect": False, "publicUpstream": True, "internalPackages": ["acme-*"]}
    project.configure("dev", **config)
    project.up("dev")

    project.configure("dev", **(config | {"encryptionKey": KEY.replace("1234abcd", "00000000")}))
    project.up("dev")
    assert project.changes("dev") == {}
    groups = emulator.client("codeartifact").list_package_groups(domain="acme")["packageGroups"]
    assert [each["pattern"] for each in groups if each["pattern"] != "/*"] == ["/pypi//acme~"]


def test_a_store_that_others_use_is_not_deleted_while_packages_are_protected(
    project: Project, emulator: Emulator
) -> None:
    config: dict[str, object] = {"domain": "acme", "readers": READERS}
    project.configure("dev", **config, publicUpstream=True)
    project.up("dev")
    codeartifact = emulator.client("codeartifact")
    upstreams = [{"repositoryName": "private-pypi-store"}]
    codeartifact.create_repository(domain="acme", repository="npm", upstreams=upstreams)

    project.configure("dev", **config)
    printed = project.refused(*UP)
    assert "expected: true while other repositories take packages from its store: npm" in printed

    project.configure("dev", **config, publicUpstream=True, protect=False)
    project.up("dev")
    project.configure("dev", **config, protect=False)
    printed = project.pulumi("preview", "--stack", "dev").stdout
    assert "Pulumi will delete private-pypi-store, from which other repositories take packages: npm" in printed
    project.up("dev")
    assert "private-pypi-store" not in project.recorded("dev") | {
        each["name"] for each in codeartifact.list_repositories_in_domain(domain="acme")["repositories"]
    }


def test_what_uses_an_output_is_made_after_what_it_names(project: Project) -> None:
    program = project.folder / "__main__.py"
    program.write_text(
        "import pulumi\n"
        "import pulumi_aws as aws\n"
        "from private_pypi import PrivatePypi, load_args\n"
        "pypi = PrivatePypi('private-pypi', load_args())\n"
        "aws.codeartifact.Repository('mine', domain=pypi.domain_name, repository='mine')\n"
    )
    project.configure("dev", domain="acme", readers=READERS)

    (step,) = [each for each in project.preview("dev")["steps"] if each["urn"].endswith("::mine")]
    assert step["newState"]["inputs"]["domain"] == "acme"
    project.up("dev")
    assert project.changes("dev") == {}


def test_an_administrator_loses_nothing_until_protection_is_taken_off(
    project: Project, emulator: Emulator, published: dict[str, object]
) -> None:
    administrator = emulator.client("codeartifact", emulator.assume_role("admin", ADMINISTRATOR))

    assert losses(administrator) == dict.fromkeys(
        ("dispose", "delete version", "delete package", "delete repository"), "AccessDeniedException"
    )
    assert packages(emulator) == ["acme-core"]

    project.configure("dev", **published, protect=False)
    project.up("dev")
    assert losses(administrator) == dict.fromkeys(
        ("dispose", "delete version", "delete package", "delete repository"), ""
    )


def test_destroy_is_refused_until_protection_is_taken_off(
    project: Project, emulator: Emulator, published: dict[str, object]
) -> None:
    printed = project.refused("destroy", "--yes", "--stack", "dev")
    assert "remove the `protect` flag from the resource in your Pulumi program and run `pulumi up`" in printed
    assert packages(emulator) == ["acme-core"]

    project.configure("dev", **published, protect=False)
    project.up("dev")
    project.pulumi("destroy", "--yes", "--stack", "dev")
    assert emulator.client("codeartifact").list_domains()["domains"] == []


@pytest.mark.parametrize(
    ("key", "value", "kept"),
    [
        ("domain", "renamed", "acme"),
        ("repository", "renamed", "private-pypi"),
        ("encryptionKey", KEY.replace("1234abcd", "00000000"), KEY),
    ],
)
def test_what_would_be_replaced_is_refused_with_what_it_would_cost(
    project: Project, emulator: Emulator, published: dict[str, object], key: str, value: str, kept: str
) -> None:
    # What else is changed in the same edit waits until the mistake is corrected.
    project.configure("dev", **(published | {key: value, "readers": []}))

    message = (
        f"private-pypi:{key}: got '{value}'",
        f"expected: '{kept}', because it is protected: a change would delete what is there, with every package in it",
        "fix:      undo the change; to give the packages up, set private-pypi:protect to false, run `pulumi up`, and",
    )
    for command in (["preview"], ["up", "--yes", "--skip-preview"]):
        printed = project.refused(*command, "--stack", "dev")
        assert [line for line in message if line not in printed] == []
    assert packages(emulator) == ["acme-core"]


def test_pulumi_refuses_by_itself_what_the_program_does_not_know_of(
    project: Project, emulator: Emulator, published: dict[str, object]
) -> None:
    """A program that cannot read the state goes on, and says what it does not check."""
    blind(project)
    project.configure("dev", **(published | {"repository": "renamed"}))

    printed = project.refused("up", "--yes", "--stack", "dev")
    assert "it is currently marked for protection" in printed
    assert "The stack's state cannot be read (no backend). So it is not checked whether a change of a name" in printed
    assert packages(emulator) == ["acme-core"]


@pytest.mark.parametrize("force", ["no", "state unprotect", "--ignore-protect"])
def test_forcing_pulumi_to_destroy_changes_nothing_in_aws(
    project: Project, emulator: Emulator, published: dict[str, object], force: str
) -> None:
    """Neither its own protection nor, where that is forced, the Deny goes before the packages."""
    project.environment |= deployer(emulator)
    if force == "state unprotect":
        project.pulumi("state", "unprotect", "--all", "--yes", "--stack", "dev")
    before = [policy(emulator, kind) for kind in ("domain", "repository")]

    options = [force] if force.startswith("--") else []
    refused = project.pulumi("destroy", "--yes", "--skip-preview", "--stack", "dev", *options, check=False)
    assert refused.returncode != 0
    assert ("it is protected" if force == "no" else "AccessDeniedException") in refused.stdout + refused.stderr
    assert [policy(emulator, kind) for kind in ("domain", "repository")] == before
    assert packages(emulator) == ["acme-core"]
    if force == "no":
        policies = {name for name in project.recorded("dev") if name.endswith("-permissions")}
        assert policies == {"private-pypi-repository-permissions"}

    project.up("dev")
    assert project.changes("dev") == {}
    project.configure("dev", **published, protect=False)
    project.up("dev")
    project.pulumi("destroy", "--yes", "--stack", "dev")
    assert emulator.client("codeartifact").list_domains()["domains"] == []


def test_protection_is_not_taken_off_in_the_edit_that_needs_it_gone(
    project: Project, emulator: Emulator, published: dict[str, object]
) -> None:
    project.configure("dev", **(published | {"repository": "renamed", "protect": False}))
    assert "private-pypi:repository: got 'renamed'" in project.refused("up", "--yes", "--stack", "dev")
    assert packages(emulator) == ["acme-core"]

    project.configure("dev", **published, protect=False)
    project.up("dev")
    project.configure("dev", **(published | {"repository": "renamed", "protect": False}))
    project.up("dev")
    assert packages(emulator, "renamed") == []


@pytest.mark.usefixtures("published")
def test_the_deny_that_somebody_took_away_is_put_back(project: Project, emulator: Emulator) -> None:
    before = policy(emulator, "repository")
    emulator.client("codeartifact").delete_repository_permissions_policy(**REPOSITORY)

    project.pulumi("up", "--refresh", "--yes", "--skip-preview", "--stack", "dev")
    assert policy(emulator, "repository") == before


def test_a_name_that_was_taken_is_no_name_to_keep(project: Project, emulator: Emulator) -> None:
    """Nothing was made of the first config, so that nothing can be lost by another."""
    emulator.client("codeartifact").create_domain(domain="acme")
    project.configure("dev", domain="acme", readers=READERS)
    assert project.pulumi("up", "--yes", "--skip-preview", "--stack", "dev", check=False).returncode != 0

    project.configure("dev", domain="acme-two", readers=READERS)
    project.up("dev")


def test_giving_and_taking_access_needs_no_end_of_protection(
    project: Project, emulator: Emulator, published: dict[str, object]
) -> None:
    project.configure("dev", **(published | {"readers": []}))
    assert project.changes("dev") == {
        "private-pypi-domain-permissions": "delete",
        "private-pypi-repository-permissions": "update",
    }
    project.up("dev")
    assert packages(emulator) == ["acme-core"]
