"""A repository in a domain that somebody else made, on the real engine."""

import json
from typing import Any

import pytest
from engine import ACCOUNT, Emulator, Project, document, error_code, publish

OTHER_ACCOUNT = "444455556666"
READER = f"arn:aws:iam::{ACCOUNT}:role/reader"
PUBLISHER = f"arn:aws:iam::{ACCOUNT}:role/publisher"
CONFIG: dict[str, object] = {
    "domain": "acme",
    "existingDomain": True,
    "readers": [READER],
    "publishers": [PUBLISHER],
    "attachIdentityPolicies": True,
}
THEIRS = {"Sid": "Theirs", "Effect": "Allow", "Principal": {"AWS": READER}, "Action": "codeartifact:ListDomains"}


@pytest.mark.parametrize("owner", [ACCOUNT, OTHER_ACCOUNT], ids=["own account", "another account"])
def test_the_owner_of_the_domain_keeps_its_policy_and_says_who_gets_tokens(
    project: Project, emulator: Emulator, owner: str
) -> None:
    config = CONFIG if owner == ACCOUNT else CONFIG | {"domainOwner": owner}
    domain = emulator.client("codeartifact", account=owner)
    domain.create_domain(domain="acme")
    theirs = document(THEIRS | {"Resource": "*"})
    domain.put_domain_permissions_policy(domain="acme", policyDocument=theirs)
    sessions = {role: emulator.assume_role(role) for role in ("reader", "publisher", "stranger")}
    where = {"domain": "acme", "domainOwner": owner}

    def tokens() -> dict[str, str]:
        return {
            role: error_code(emulator.client("codeartifact", keys).get_authorization_token, **where)
            for role, keys in sessions.items()
        }

    def policy() -> Any:
        return json.loads(domain.get_domain_permissions_policy(domain="acme")["policy"]["document"])

    project.configure("dev", **config)
    previewed = project.preview("dev")["steps"]
    assert {step["newState"]["type"] for step in previewed if "codeartifact" in step["newState"]["type"]} == {
        "aws:codeartifact/repository:Repository",
        "aws:codeartifact/repositoryPermissionsPolicy:RepositoryPermissionsPolicy",
    }
    before = len(emulator.changes())
    project.up("dev")
    assert [change for change in emulator.changes()[before:] if ":domain/" in change] == []
    assert policy() == json.loads(theirs)
    assert set(tokens().values()) == {"AccessDeniedException"}
    outputs = project.outputs("dev")
    assert outputs["repository_arn"] == f"arn:aws:codeartifact:us-west-2:{owner}:repository/acme/private-pypi"
    assert (
        domain.describe_repository(**where, repository="private-pypi")["repository"]["arn"]
        == (outputs["repository_arn"])
    )

    statements = [THEIRS | {"Resource": "*"}, *json.loads(outputs["domain_policy_statements"])]
    domain.put_domain_permissions_policy(domain="acme", policyDocument=document(*statements))
    assert tokens() == {"reader": "", "publisher": "", "stranger": "AccessDeniedException"}
    publishing = {
        role: error_code(publish, codeartifact=emulator.client("codeartifact", keys), package=role, owner=owner)
        for role, keys in sessions.items()
    }
    assert publishing == {
        "reader": "AccessDeniedException",
        "publisher": "",
        "stranger": "AccessDeniedException",
    }
    assert project.changes("dev") == {}

    project.configure("dev", **config, protect=False)
    project.up("dev")
    project.pulumi("destroy", "--yes", "--stack", "dev")
    assert [each["name"] for each in domain.list_domains()["domains"]] == ["acme"]
    assert domain.list_repositories_in_domain(domain="acme")["repositories"] == []
    assert policy()["Statement"] == statements


@pytest.mark.parametrize("protect", [True, False])
def test_a_domain_stays_with_the_stack_that_made_it(project: Project, protect: bool) -> None:
    project.configure("dev", domain="acme", readers=[READER], protect=protect)
    project.up("dev")
    project.configure("dev", domain="acme", protect=protect, existingDomain=True)

    printed = project.refused("up", "--yes", "--skip-preview", "--stack", "dev")
    assert "private-pypi:existingDomain: got true" in printed


def test_a_domain_that_exists_stays_somebody_elses(project: Project, emulator: Emulator) -> None:
    emulator.client("codeartifact", account=OTHER_ACCOUNT).create_domain(domain="acme")
    project.configure("dev", **CONFIG, domainOwner=OTHER_ACCOUNT)
    for role in ("reader", "publisher"):
        emulator.assume_role(role)
    project.up("dev")
    project.configure("dev", domain="acme", readers=[READER])

    printed = project.refused("up", "--yes", "--skip-preview", "--stack", "dev")
    assert "private-pypi:existingDomain: got false" in printed
    assert emulator.client("codeartifact").list_domains()["domains"] == []
