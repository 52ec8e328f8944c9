"""The role of docs/deployer-policy.json: it deploys and destroys everything, and may do no more than that takes."""

import json
import re
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import Any

import pytest
from engine import ACCOUNT, ROOT, Emulator, Project, document, error_code

POLICY: dict[str, Any] = json.loads((ROOT / "docs/deployer-policy.json").read_text())


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


# Without it a store is deleted all the same, and a warning says that nobody knows who uses it.
NOT_NEEDED = "codeartifact:ListRepositoriesInDomain"

RIGHTS = sorted({action for each in POLICY["Statement"] for action in listed(each["Action"])} - {NOT_NEEDED})

API, CI = f"arn:aws:iam::{ACCOUNT}:role/service/api", f"arn:aws:iam::{ACCOUNT}:role/ci"
JOBS = {"github": "acme/tools", "tag": "v*"}
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/boundary"
EVERYTHING: dict[str, Any] = {
    "domain": "example",
    "readers": [API],
    "publishers": [CI, JOBS],
    "listPackages": True,
    "closedPublishing": True,
    "publicUpstream": True,
    "internalPackages": ["acme-*"],
    "attachIdentityPolicies": True,
    "makeOidcProviders": ["github", "gitlab.com"],
    "tags": {"team": "platform", "cost": "12"},
}
EDITED = EVERYTHING | {
    "description": "Ours",
    "readers": [API, ACCOUNT],
    "publishers": [
        CI,
        {"principal": "777788889999", "packages": ["acme-core"]},
        JOBS | {"ownerId": "1", "repositoryId": "2"},
    ],
    "permissionsBoundary": BOUNDARY,
    "internalPackages": ["acme-*", "beta"],
    "tags": {"team": "data"},
}
LESS = {"domain": "example", "protect": False, "description": "Ours", "tags": {"owner": "platform"}}


@pytest.fixture
def deploying(project: Project, emulator: Emulator) -> Callable[..., None]:
    """Have the project deployed by a role that has the statements it is given."""

    def deploy_with(*statements: dict[str, Any]) -> None:
        for name in ("service/api", "ci"):
            emulator.assume_role(name)
        everything = document({"Effect": "Allow", "Action": "*", "Resource": "*"})
        emulator.client("iam").create_policy(PolicyName="boundary", PolicyDocument=everything)
        keys = emulator.assume_role("deployer", *statements)
        project.environment |= {name: keys[key] for key, name in KEYS.items()}

    return deploy_with


@pytest.fixture
def deployer(project: Project, deploying: Callable[..., None]) -> Project:
    """The project, deployed by a role that has the policy."""
    deploying(*POLICY["Statement"])
    return project


def deploy_and_destroy(project: Project) -> None:
    unbounded = {key: value for key, value in EDITED.items() if key != "permissionsBoundary"}
    for config in (EVERYTHING, EDITED, unbounded | {"protect": False}, LESS):
        project.configure("dev", **config)
        project.up("dev")
        project.pulumi("up", "--refresh", "--yes", "--skip-preview", "--stack", "dev")
    project.pulumi("destroy", "--yes", "--stack", "dev")


def test_the_policy_is_enough_for_everything_and_no_more_than_that(deployer: Project, emulator: Emulator) -> None:
    deploy_and_destroy(deployer)
    asked = set(emulator.actions())

    assert emulator.client("codeartifact").list_domains()["domains"] == []
    granted = {action for statement in POLICY["Statement"] for action in listed(statement["Action"])}
    assert granted == {action for action, _ in asked}
    for statement in POLICY["Statement"]:
        actions, resources = listed(statement["Action"]), listed(statement["Resource"])
        used = [{each for each in resources if fnmatchcase(arn, each)} for action, arn in asked if action in actions]
        assert set.union(*used) == set(resources), statement["Sid"]


@pytest.mark.parametrize("without", RIGHTS[::7])
def test_without_one_of_its_rights_it_is_not_enough(deployer: Project, emulator: Emulator, without: str) -> None:
    """A part of them, for the sake of time; the test above has them all."""
    deny = {"Effect": "Deny", "Action": without, "Resource": "*"}
    emulator.client("iam").put_role_policy(RoleName="deployer", PolicyName="deny", PolicyDocument=document(deny))

    with pytest.raises(AssertionError, match="AccessDenied"):
        deploy_and_destroy(deployer)


def test_without_the_right_to_look_nobody_knows_who_uses_the_store(deployer: Project, emulator: Emulator) -> None:
    deny = {"Effect": "Deny", "Action": NOT_NEEDED, "Resource": "*"}
    emulator.client("iam").put_role_policy(RoleName="deployer", PolicyName="deny", PolicyDocument=document(deny))
    deployer.configure("dev", **EVERYTHING)
    deployer.up("dev")
    deployer.configure("dev", **{key: value for key, value in EVERYTHING.items() if key != "publicUpstream"})

    said = deployer.pulumi("preview", "--stack", "dev")
    warning = "It cannot be told whether other repositories have it upstream: An error occurred (AccessDenied"
    assert warning in said.stdout


def test_without_tags_it_takes_no_right_to_tag(project: Project, deploying: Callable[..., None]) -> None:
    """As the table in docs/environments.md has it."""
    tagging = re.compile("[a-z]+:(Tag|Untag)")
    statements = [
        each
        if each["Sid"] == "PackageGroupTags"
        else each | {"Action": [action for action in listed(each["Action"]) if not tagging.match(action)]}
        for each in POLICY["Statement"]
    ]
    assert statements != POLICY["Statement"]
    deploying(*statements)

    untagged = {key: value for key, value in EVERYTHING.items() if key != "tags"}
    for config in (untagged, untagged | {"protect": False}):
        project.configure("dev", **config)
        project.up("dev")
    project.pulumi("destroy", "--yes", "--stack", "dev")


def test_it_gives_and_takes_nothing_of_others(deployer: Project, emulator: Emulator) -> None:
    iam = emulator.client("iam", {key: deployer.environment[name] for key, name in KEYS.items()})
    nothing = document({"Effect": "Deny", "Action": "*", "Resource": "*"})
    other = emulator.client("iam").create_policy(PolicyName="other", PolicyDocument=nothing)["Policy"]["Arn"]

    for call, arguments in (
        (iam.attach_role_policy, {"RoleName": "ci", "PolicyArn": other}),
        (iam.delete_role, {"RoleName": "ci"}),
        (iam.put_role_policy, {"RoleName": "ci", "PolicyName": "x", "PolicyDocument": nothing}),
        (iam.delete_policy, {"PolicyArn": other}),
    ):
        assert error_code(call, **arguments) == "AccessDeniedException"


KEYS = {
    "AccessKeyId": "AWS_ACCESS_KEY_ID",
    "SecretAccessKey": "AWS_SECRET_ACCESS_KEY",
    "SessionToken": "AWS_SESSION_TOKEN",
}
