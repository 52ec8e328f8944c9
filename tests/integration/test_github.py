"""Workflows that publish: who is given the role, and what it may do."""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from engine import Emulator, Project, error_code, github_token, packages, publish

TOOLS = {"repository": "acme/tools", "tag": "v*", "packages": ["acme-tools"], "ownerId": "123", "repositoryId": "456"}
CORE = {"repository": "acme/core", "environment": "pypi"}
TOOLS_WORKFLOW, CORE_WORKFLOW = "acme/tools tag v*", "acme/core environment pypi"
TOOLS_SUBJECT, CORE_SUBJECT = "repo:acme@123/tools@456:ref:refs/tags/v1.0", "repo:acme/core:environment:pypi"


@pytest.fixture
def deployed(project: Project) -> Project:
    """A stack that lets two workflows publish, in an account that had no provider."""
    configure(project, TOOLS, CORE)
    project.up("dev")
    return project


def configure(project: Project, *publishers: object, **config: object) -> None:
    project.configure(
        "dev", domain="acme", githubPublishers=list(publishers), **{"makeGithubOidcProvider": True} | config
    )


def assume(project: Project, workflow: str, token: str) -> dict[str, str]:
    arn = project.outputs("dev")["github_role_arns"][workflow]
    return project.emulator.assume_role_from_github(arn, token)


def codeartifact(project: Project, workflow: str, subject: str) -> Any:
    return project.emulator.client("codeartifact", assume(project, workflow, github_token(subject)))


def test_a_workflow_publishes_what_it_may_with_nothing_but_its_role(deployed: Project) -> None:
    tools = codeartifact(deployed, TOOLS_WORKFLOW, TOOLS_SUBJECT)
    core = codeartifact(deployed, CORE_WORKFLOW, CORE_SUBJECT)

    publish(tools, "acme-tools")
    publish(core, "acme-core")
    with pytest.raises(ClientError, match="AccessDenied"):
        publish(tools, "acme-core")
    assert sorted(packages(deployed.emulator)) == ["acme-core", "acme-tools"]
    for workflow in (tools, core):
        assert workflow.get_authorization_token(domain="acme")["authorizationToken"]
        assert workflow.get_repository_endpoint(domain="acme", repository="private-pypi", format="pypi")


@pytest.mark.parametrize(
    ("workflow", "token"),
    [
        (TOOLS_WORKFLOW, github_token(TOOLS_SUBJECT.replace("acme@123", "other@123"))),
        (TOOLS_WORKFLOW, github_token(TOOLS_SUBJECT.replace("@123", "@124"))),
        (TOOLS_WORKFLOW, github_token(TOOLS_SUBJECT.replace("@456", "@457"))),
        (TOOLS_WORKFLOW, github_token("repo:acme/tools:ref:refs/tags/v1.0")),
        (TOOLS_WORKFLOW, github_token(TOOLS_SUBJECT.replace("acme", "Acme"))),
        (TOOLS_WORKFLOW, github_token(TOOLS_SUBJECT.replace("tags", "heads"))),
        (TOOLS_WORKFLOW, github_token(TOOLS_SUBJECT.replace("v1.0", "1.0"))),
        (TOOLS_WORKFLOW, github_token("repo:acme@123/tools@456:pull_request")),
        (CORE_WORKFLOW, github_token("repo:acme@123/core@457:environment:pypi")),
        (CORE_WORKFLOW, github_token(f"{CORE_SUBJECT}-2")),
        (CORE_WORKFLOW, github_token("repo:acme/core:ref:refs/heads/pypi")),
        (CORE_WORKFLOW, github_token(CORE_SUBJECT, aud="https://github.com/acme")),
        (CORE_WORKFLOW, github_token(TOOLS_SUBJECT)),
    ],
)
def test_no_near_miss_is_given_the_role(deployed: Project, workflow: str, token: str) -> None:
    with pytest.raises(ClientError, match=r"Not authorized to perform|Incorrect token audience"):
        assume(deployed, workflow, token)


def test_another_entry_comes_and_goes_and_the_role_stays(deployed: Project) -> None:
    before = deployed.outputs("dev")["github_role_arns"]
    configure(deployed, {"repository": "acme/app", "branch": "main"}, CORE, TOOLS)
    assert deployed.changes("dev") == {
        "private-pypi-github-acme/app:branch:main": "create",
        "private-pypi-github-acme/app:branch:main-policy": "create",
        "private-pypi-domain-permissions": "update",
        "private-pypi-repository-permissions": "update",
    }
    deployed.up("dev")
    assert deployed.outputs("dev")["github_role_arns"].items() >= before.items()

    configure(deployed, CORE)
    deployed.up("dev")
    assert [*deployed.outputs("dev")["github_role_arns"]] == [CORE_WORKFLOW]
    tools = before[TOOLS_WORKFLOW].rpartition("/")[2]
    assert error_code(deployed.emulator.client("iam").get_role, RoleName=tools) == "NoSuchEntity"
    assert codeartifact(deployed, CORE_WORKFLOW, CORE_SUBJECT).get_authorization_token(domain="acme")


def test_the_arns_are_known_at_the_first_preview(project: Project, emulator: Emulator) -> None:
    configure(project, TOOLS)
    shown = project.pulumi("preview", "--stack", "dev").stdout
    project.up("dev")

    (arn,) = project.outputs("dev")["github_role_arns"].values()
    assert arn in shown
    assert emulator.client("iam").get_role(RoleName=arn.rpartition("/")[2])["Role"]["Arn"] == arn


def test_the_provider_is_not_deleted_while_it_is_protected(deployed: Project) -> None:
    configure(deployed, CORE, makeGithubOidcProvider=False)

    assert "private-pypi:makeGithubOidcProvider: got false\n" in deployed.refused("up", "--yes", "--stack", "dev")
    assert deployed.emulator.client("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"]


def test_all_of_it_goes_with_the_stack(deployed: Project) -> None:
    configure(deployed, TOOLS, CORE, protect=False)
    deployed.up("dev")
    deployed.pulumi("destroy", "--yes", "--skip-preview", "--stack", "dev")

    iam = deployed.emulator.client("iam")
    assert [each["Arn"] for each in iam.list_roles()["Roles"] if "github" in each["AssumeRolePolicyDocument"]] == []
    assert iam.list_open_id_connect_providers()["OpenIDConnectProviderList"] == []
