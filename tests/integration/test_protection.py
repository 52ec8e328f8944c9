"""What protects published packages, on the real engine: nobody loses them by an edit, a command or a call."""

from typing import Any

import pytest
from engine import Emulator, Project, error_code, packages, publish

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
    # What else is changed in the same edit waits for the mistake to be mended.
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
    """A program without outputs does not look into the state; the engine does."""
    program = project.folder / "__main__.py"
    program.write_text(program.read_text().replace("pulumi.export(name, value)", "pass"))
    project.up("dev")
    project.configure("dev", **(published | {"repository": "renamed"}))

    assert "it is currently marked for protection" in project.refused("up", "--yes", "--stack", "dev")
    assert packages(emulator) == ["acme-core"]


@pytest.mark.parametrize("unprotect", [False, True], ids=["protected", "unprotected in Pulumi alone"])
def test_forcing_pulumi_to_destroy_changes_nothing_in_aws(
    project: Project, emulator: Emulator, published: dict[str, object], unprotect: bool
) -> None:
    """Neither its own protection nor, where that is forced, the Deny goes before the packages."""
    keys = emulator.assume_role("deployer", {"Effect": "Allow", "Action": "*", "Resource": "*"})
    project.environment |= {
        "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
        "AWS_SESSION_TOKEN": keys["SessionToken"],
    }
    if unprotect:
        project.pulumi("state", "unprotect", "--all", "--yes", "--stack", "dev")
    before = [policy(emulator, kind) for kind in ("domain", "repository")]

    refused = project.pulumi("destroy", "--yes", "--skip-preview", "--stack", "dev", check=False)
    assert refused.returncode != 0
    assert ("AccessDeniedException" if unprotect else "it is protected") in refused.stdout + refused.stderr
    assert [policy(emulator, kind) for kind in ("domain", "repository")] == before
    assert packages(emulator) == ["acme-core"]

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
