"""`private-pypi adopt` on the real engine: what is deployed becomes a stack, and nobody loses anything."""

import json
from typing import Any

import pytest
from engine import ACCOUNT, Emulator, Project, document, error_code, publish

READER, CI, NPM = (f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in ("team/reader", "ci", "npm"))
ARN = f"arn:aws:codeartifact:us-west-2:{ACCOUNT}"
THEIRS = {
    "Effect": "Allow",
    "Principal": {"AWS": [NPM]},
    "Action": ["codeartifact:GetAuthorizationToken"],
    "Resource": f"{ARN}:domain/acme",
}
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
        "encryptionKey": f"arn:aws:kms:us-west-2:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    },
    "unprotected, with statements of others": {"readers": [READER], "protect": False, "domainStatements": [THEIRS]},
}


def adopt(project: Project, stack: str, repository: str = "acme/private-pypi") -> str:
    """Adopt a repository as a person does; what the command says."""
    said = project.follow(f".venv/bin/private-pypi adopt {repository} --stack {stack}")
    project.pulumi("stack", "init", stack)
    project.pulumi("import", "--file", "adopt.json", "--generate-code=false", "--yes", "--stack", stack)
    return said


@pytest.mark.parametrize("config", CONFIGS.values(), ids=CONFIGS)
def test_what_a_stack_has_deployed_is_adopted_and_nothing_changes(project: Project, config: dict[str, Any]) -> None:
    project.configure("dev", domain="acme", **config)
    project.up("dev")

    assert "`pulumi up` changes nothing." in adopt(project, "again")
    assert project.changes("again") == {}
    project.up("again")
    assert project.changes("again") == {}
    assert project.changes("dev") == {}


def test_the_people_of_a_domain_with_others_in_it_keep_what_they_have(project: Project, emulator: Emulator) -> None:
    codeartifact = emulator.client("codeartifact")
    codeartifact.create_domain(domain="acme")
    for name in ("npm", "tools"):
        codeartifact.create_repository(domain="acme", repository=name)
    tokens = THEIRS | {"Principal": {"AWS": [NPM, READER, CI]}}
    codeartifact.put_domain_permissions_policy(domain="acme", policyDocument=document(tokens))
    reading = THEIRS | {"Action": ["codeartifact:ReadFromRepository", "codeartifact:ListPackages"], "Resource": "*"}
    for name, who in (("npm", [NPM]), ("tools", [READER, CI])):
        statement = reading | {"Principal": {"AWS": who}}
        publishing = statement | {"Action": "codeartifact:PublishPackageVersion", "Principal": {"AWS": who[-1]}}
        codeartifact.put_repository_permissions_policy(
            domain="acme", repository=name, policyDocument=document(statement, publishing)
        )
    bearer = {"Effect": "Allow", "Action": "sts:GetServiceBearerToken", "Resource": "*"}
    roles = {
        name: emulator.client("codeartifact", emulator.assume_role(name, bearer))
        for name in ("npm", "team/reader", "ci")
    }

    def rights(package: str) -> dict[str, list[bool]]:
        return {
            name: [
                not error_code(client.get_authorization_token, domain="acme"),
                not error_code(client.list_packages, domain="acme", repository="npm"),
                not error_code(client.list_packages, domain="acme", repository="tools"),
                not error_code(publish, codeartifact=client, package=package, repository="tools"),
            ]
            for name, client in roles.items()
        }

    before = rights("one")
    assert before == {
        "npm": [True, True, False, False],
        "team/reader": [True, False, True, False],
        "ci": [True, False, True, True],
    }
    said = adopt(project, "prod", "acme/tools")
    assert "The domain also has npm, whose people get their tokens by its policy." in said
    assert f"{READER} may no longer: ListPackages on repository/acme/tools" in said
    assert project.changes("prod") == {"private-pypi-repository-permissions": "update"}
    project.up("prod")

    after = rights("two")
    assert after == {
        "npm": [True, True, False, False],
        "team/reader": [True, False, False, False],  # no list of packages, as the command has said
        "ci": [True, False, False, True],
    }
    assert json.loads(codeartifact.get_domain_permissions_policy(domain="acme")["policy"]["document"]) == json.loads(
        document(tokens)
    )
