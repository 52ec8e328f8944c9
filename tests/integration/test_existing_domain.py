"""A repository in a domain that somebody else made, on the real engine."""

import json
from typing import Any

import pytest
from engine import ACCOUNT, Emulator, Project, changing, document, error_code

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
    calls = len(emulator.calls())
    project.up("dev")
    assert [call for call in changing(emulator.calls()[calls:]) if "/v1/domain" in call] == []
    assert policy() == json.loads(theirs)
    assert set(tokens().values()) == {"AccessDeniedException"}
    outputs = project.outputs("dev")
    assert outputs["repository_arn"] == f"arn:aws:codeartifact:us-west-2:{owner}:repository/acme/private-pypi"
    assert (
        domain.describe_repository(**where, repository="private-pypi")["repository"]["arn"]
        == (outputs["repository_arn"])
    )

    added = json.loads(outputs["domain_policy_statement"])
    statements = [THEIRS | {"Resource": "*"}, *(added if isinstance(added, list) else [added])]
    domain.put_domain_permissions_policy(domain="acme", policyDocument=document(*statements))
    assert tokens() == {"reader": "", "publisher": "", "stranger": "AccessDeniedException"}
    publishing = {
        role: error_code(
            emulator.client("codeartifact", keys).publish_package_version,
            **where,
            repository="private-pypi",
            format="pypi",
            package=role,
            packageVersion="1.0",
            assetName="asset",
            assetContent=b"",
            assetSHA256="e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        )
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
    assert [each["Sid"] for each in policy()["Statement"]] == [each["Sid"] for each in statements]


def test_a_domain_that_is_let_go_of_is_not_lost(project: Project, emulator: Emulator) -> None:
    """To call a stack's own domain an existing one is to delete it; it is protected, and then not empty."""
    own = {"domain": "acme", "readers": [READER]}
    for protect in (True, False):
        project.configure("dev", **own, protect=protect)
        project.up("dev")
        project.configure("dev", **own, protect=protect, existingDomain=True)
        refused = project.pulumi("up", "--yes", "--stack", "dev", check=False)
        assert refused.returncode != 0
        assert [each["name"] for each in emulator.client("codeartifact").list_repositories()["repositories"]] == [
            "private-pypi"
        ]
