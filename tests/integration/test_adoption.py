"""What exists becomes a stack, by the commands and files of docs/adopt.md, and nobody loses anything unsaid."""

import json
from typing import Any

import pytest
import yaml
from engine import ACCOUNT, Emulator, Project, document, error_code, packages, publish
from pages import blocks, commands

KEY = f"arn:aws:kms:us-west-2:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
READER, CI, NPM = (f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in ("team/reader", "ci", "npm"))
BEARER = {"Effect": "Allow", "Action": "sts:GetServiceBearerToken", "Resource": "*"}
WRITE, TAKE, IMPORT, OTHERS = (
    "Write the stack",
    "Take it from what has it now",
    "Import it",
    "A domain with others in it",
)
UP = ("up", "--yes", "--skip-preview", "--stack", "prod")


def statement(who: list[str], *actions: str, resource: str = "*") -> dict[str, Any]:
    named = [f"codeartifact:{action}" for action in actions]
    return {"Effect": "Allow", "Principal": {"AWS": who}, "Action": named, "Resource": resource}


THEIRS = statement([NPM], "GetAuthorizationToken", resource=f"arn:aws:codeartifact:us-west-2:{ACCOUNT}:domain/acme")
TOKENS = statement([NPM, READER, CI], "GetAuthorizationToken")


def write(project: Project, repository: str = "tools") -> str:
    """Write the stack; what the command says."""
    (command,) = blocks("adopt.md", "sh", WRITE)
    return project.follow(command.replace("acme/tools", f"acme/{repository}"))


def bring_in(project: Project) -> str:
    """Import it; what the preview shows."""
    start, take, look, _ = (command.removeprefix("pulumi ").split() for command in commands("adopt.md", IMPORT))
    project.pulumi(*start)
    project.pulumi(*take, "--yes")
    return project.pulumi(*look).stdout


def edit(project: Project, **changes: object) -> None:
    """Change keys of the stack file, as a person does; `None` takes one out."""
    path = project.folder / "Pulumi.prod.yaml"
    content = yaml.safe_load(path.read_text())
    for key, value in changes.items():
        content["config"].pop(f"private-pypi:{key}", None)
        if value is not None:
            content["config"][f"private-pypi:{key}"] = value
    path.write_text(yaml.safe_dump(content))


def test_what_was_made_by_hand_is_adopted_and_nothing_is_replaced(project: Project, emulator: Emulator) -> None:
    codeartifact = emulator.client("codeartifact")
    tags = [{"key": "made", "value": "by hand"}]
    codeartifact.create_domain(domain="acme", encryptionKey=KEY, tags=tags)
    codeartifact.create_repository(domain="acme", repository="tools", description="Tools", tags=tags)
    everybody = statement([ACCOUNT], "*")
    codeartifact.put_domain_permissions_policy(domain="acme", policyDocument=document(everybody))
    codeartifact.put_repository_permissions_policy(
        domain="acme", repository="tools", policyDocument=document(everybody)
    )
    publish(codeartifact, "acme-core", "tools")

    said = write(project)
    assert f"arn:aws:iam::{ACCOUNT}:root may no longer: AssociateExternalConnection on repository/acme/tools" in said
    assert "policyDocument" in bring_in(project)
    assert project.changes("prod") == {
        "private-pypi-domain-permissions": "update",
        "private-pypi-repository-permissions": "update",
    }
    project.up("prod")
    assert packages(emulator, "tools") == ["acme-core"]
    described = codeartifact.describe_repository(domain="acme", repository="tools")["repository"]
    assert described["description"] == "Tools"
    assert project.changes("prod") == {}

    # Until a `pulumi up` without protection has ended, it counts as protected.
    edit(project, protect=None)
    project.up("prod")
    assert "it is protected" in project.refused("destroy", "--yes", "--stack", "prod")
    # The key that the domain was made with may be named at any time, and no other.
    edit(project, encryptionKey=KEY.replace("1234abcd", "00000000"))
    assert "private-pypi:encryptionKey: got " in project.refused(*UP)


def test_upstreams_that_no_config_can_say_are_named_and_go(project: Project, emulator: Emulator) -> None:
    codeartifact = emulator.client("codeartifact")
    codeartifact.create_domain(domain="acme")
    codeartifact.create_repository(domain="acme", repository="pypi-store")
    upstreams = [{"repositoryName": "pypi-store"}]
    codeartifact.create_repository(domain="acme", repository="tools", upstreams=upstreams)

    assert "The repository loses its upstreams, and what comes from them: pypi-store" in write(project)
    bring_in(project)
    project.up("prod")
    described = codeartifact.describe_repository(domain="acme", repository="tools")["repository"]
    assert described["upstreams"] == []
    found = codeartifact.list_repositories_in_domain(domain="acme")["repositories"]
    assert [each["name"] for each in found] == ["pypi-store", "tools"]


CONFIGS: dict[str, dict[str, Any]] = {
    "lists": {
        "readers": [READER, "444455556666", "o-a1b2c3d4e5", f"arn:aws:iam::{ACCOUNT}:role/sso/*"],
        "publishers": [{"principal": CI, "packages": ["acme-core", "acme-*"]}],
        "description": "",
    },
    "safeguards": {
        "publishers": [CI],
        "closedPublishing": True,
        "publicUpstream": True,
        "tags": {"team": "data", "empty": ""},
        "encryptionKey": KEY,
    },
    "unprotected, with statements of others": {"readers": [READER], "protect": False, "domainStatements": [THEIRS]},
}


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_what_another_stack_has_deployed_is_adopted_and_nothing_changes(
    project: Project, emulator: Emulator, config: dict[str, Any]
) -> None:
    project.configure("old", domain="acme", **config)
    project.up("old")
    publish(emulator.client("codeartifact"), "acme-core")

    assert "`pulumi up` changes nothing." in write(project, "private-pypi")
    (forget,) = blocks("adopt.md", "sh", TAKE)
    project.follow(forget)
    project.pulumi("stack", "rm", "--force", "--yes", "old")
    bring_in(project)
    assert project.changes("prod") == {}
    project.up("prod")
    assert project.changes("prod") == {}
    assert packages(emulator) == ["acme-core"]


def test_what_cloudformation_leaves_is_adopted_and_nothing_changes(project: Project, emulator: Emulator) -> None:
    (template,) = blocks("adopt.md", "yaml", TAKE)
    (resource,) = yaml.safe_load(template)["Resources"].values()
    assert (resource["Type"], resource["DeletionPolicy"]) == ("AWS::CodeArtifact::Repository", "Retain")
    where = {"domain": resource["Properties"]["DomainName"], "repository": resource["Properties"]["RepositoryName"]}
    codeartifact = emulator.client("codeartifact")
    codeartifact.create_domain(domain=where["domain"])
    tags = [{"key": "aws:cloudformation:stack-name", "value": "tools"}, {"key": "team", "value": "data"}]
    codeartifact.create_repository(**where, description="Tools", tags=tags)
    codeartifact.tag_resource(resourceArn=f"arn:aws:codeartifact:us-west-2:{ACCOUNT}:domain/acme", tags=tags)
    # In the form of the program, with its statements apart, and with Sids of its own.
    policy = [
        statement([READER], "ReadFromRepository"),
        statement([READER], "GetPackageVersionAsset", "GetPackageVersionReadme"),
    ]
    codeartifact.put_repository_permissions_policy(**where, policyDocument=document(*policy))
    codeartifact.put_domain_permissions_policy(
        domain="acme", policyDocument=document(statement([READER], "GetAuthorizationToken"))
    )

    said = write(project)
    assert "takes away" not in said
    assert "`pulumi up` adds" not in said
    bring_in(project)
    assert project.changes("prod") == {
        "private-pypi-domain-permissions": "update",  # in another form
        "private-pypi-repository-permissions": "update",
    }
    project.up("prod")
    assert project.changes("prod") == {}


def test_a_repository_in_another_accounts_domain_is_adopted(project: Project, emulator: Emulator) -> None:
    owner = "444455556666"
    emulator.client("codeartifact", account=owner).create_domain(domain="acme")
    config: dict[str, Any] = {"domain": "acme", "existingDomain": True, "domainOwner": owner, "readers": [READER]}
    project.configure("old", **config)
    project.up("old")

    (command,) = blocks("adopt.md", "sh", WRITE)
    said = project.follow(command.replace("acme/tools", f"acme/private-pypi --domain-owner {owner}"))
    assert f"The domain is of account {owner}, and the repository of account {ACCOUNT}." in said
    statements = json.loads(project.outputs("old")["domain_policy_statements"])
    lines = [json.loads(line) for line in map(str.strip, said.splitlines()) if line.startswith("{")]
    assert lines == statements
    bring_in(project)
    assert project.changes("prod") == {}


@pytest.fixture
def shared(emulator: Emulator) -> dict[str, Any]:
    """Clients of the people of a domain with three repositories, each with people of its own."""
    codeartifact = emulator.client("codeartifact")
    codeartifact.create_domain(domain="acme")
    codeartifact.put_domain_permissions_policy(domain="acme", policyDocument=document(TOKENS))
    for name, who in (("npm", [NPM]), ("web", [NPM]), ("tools", [READER, CI])):
        codeartifact.create_repository(domain="acme", repository=name)
        reading = statement(who, "ReadFromRepository", "ListPackages")
        policy = document(reading, statement(who[-1:], "PublishPackageVersion"))
        codeartifact.put_repository_permissions_policy(domain="acme", repository=name, policyDocument=policy)
    return {
        name: emulator.client("codeartifact", emulator.assume_role(name, BEARER))
        for name in ("npm", "team/reader", "ci")
    }


def rights(people: dict[str, Any], package: str) -> dict[str, list[bool]]:
    """Who gets a token, lists npm packages, lists packages of web, and publishes a package to tools."""
    return {
        name: [
            not error_code(client.get_authorization_token, domain="acme"),
            not error_code(client.list_packages, domain="acme", repository="npm"),
            not error_code(client.list_packages, domain="acme", repository="web"),
            not error_code(publish, codeartifact=client, package=package, repository="tools"),
        ]
        for name, client in people.items()
    }


EVERYBODYS = {
    "npm": [True, True, True, False],
    "team/reader": [True, False, False, False],
    "ci": [True, False, False, True],
}


def test_the_people_of_a_domain_with_others_in_it_keep_what_they_have(
    project: Project, emulator: Emulator, shared: dict[str, Any]
) -> None:
    assert rights(shared, "one") == EVERYBODYS

    said = write(project)
    assert "The domain also has npm, web, whose people get their tokens by its policy." in said
    assert f"{READER} may no longer: ListPackages on repository/acme/tools" in said
    bring_in(project)
    assert project.changes("prod") == {"private-pypi-repository-permissions": "update"}
    project.up("prod")

    assert rights(shared, "two") == EVERYBODYS
    policy = emulator.client("codeartifact").get_domain_permissions_policy(domain="acme")["policy"]["document"]
    assert json.loads(policy) == json.loads(document(TOKENS))


def test_so_they_do_where_the_stack_takes_the_domain(project: Project, shared: dict[str, Any]) -> None:
    said = write(project)
    (theirs,) = [line for line in map(str.strip, said.splitlines()) if line.startswith("[{")]
    edit(project, existingDomain=None, domainStatements=json.loads(theirs))
    (more,) = blocks("adopt.md", "json", OTHERS)
    path = project.folder / "adopt.json"
    imports = json.loads(path.read_text())
    imports["resources"] += json.loads(more)
    path.write_text(json.dumps(imports))

    bring_in(project)
    assert "not from here" not in project.pulumi("preview", "--stack", "prod").stdout
    project.up("prod")
    assert rights(shared, "two") == EVERYBODYS
    assert project.changes("prod") == {}
