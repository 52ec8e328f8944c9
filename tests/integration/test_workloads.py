"""CI workloads: which job is given a role, and what the role may do."""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from engine import ACCOUNT, Emulator, Project, document, error_code, github_token, gitlab_token, packages, publish

IDS = {"ownerId": "123", "repositoryId": "456"}
TOOLS = {"github": "acme/tools", "tag": "v*", "workflow": "publish.yml", "packages": ["acme-tools"], **IDS}
CORE = {"github": "acme/core", "environment": "pypi"}
DATA = {"gitlab": "acme/data/tools", "branch": "main"}
TESTS = {"github": "acme/tools", **IDS}
CHECKS = {"gitlab": "acme/data/tools"}
OURS = {"gitlab": "acme/tools", "branch": "prüfung/*", "host": "gitlab.example.com"}
READERS, PUBLISHERS = [TESTS, CHECKS, OURS], [TOOLS, CORE, DATA]

OF_TOOLS, OF_CORE, OF_DATA = (
    "github acme/tools publish.yml tag v*",
    "github acme/core environment pypi",
    "gitlab acme/data/tools branch main",
)
OF_TESTS, OF_CHECKS, OF_OURS = (
    "github acme/tools",
    "gitlab acme/data/tools",
    "gitlab.example.com acme/tools branch prüfung/*",
)


def tools_token(subject: str = "repo:acme@123/tools@456:ref:refs/tags/v1.0", **claims: object) -> str:
    """The token of a run of acme/tools, for the tag v1.0 by the file publish.yml unless something else is said."""
    usual = {
        "repository_id": "456",
        "job_workflow_ref": "acme/tools/.github/workflows/publish.yml@refs/tags/v1.0",
    }
    return github_token(subject, **usual | claims)


BY_NAME = "repo:acme/tools:ref:refs/tags/v1.0"
TOKEN_OF = {
    OF_TOOLS: tools_token(),
    OF_CORE: github_token("repo:acme/core:environment:pypi", repository_id="7"),
    OF_DATA: gitlab_token("project_path:acme/data/tools:ref_type:branch:ref:main"),
    OF_TESTS: tools_token("repo:acme@123/tools@456:pull_request"),
    OF_CHECKS: gitlab_token("project_path:acme/data/tools:ref_type:branch:ref:feature"),
    OF_OURS: gitlab_token("project_path:acme/tools:ref_type:branch:ref:prüfung/1", "gitlab.example.com"),
}


@pytest.fixture
def deployed(project: Project) -> Project:
    """A stack that lets jobs of both install and publish, in an account that had no providers."""
    configure(project, READERS, PUBLISHERS)
    project.up("dev")
    return project


def configure(project: Project, readers: list[Any], publishers: list[Any], **config: object) -> None:
    providers = {"makeOidcProviders": ["github", "gitlab.com", "gitlab.example.com"]}
    project.configure("dev", domain="acme", readers=readers, publishers=publishers, **providers | config)


def assume(project: Project, workload: str, token: str) -> dict[str, str]:
    return project.emulator.assume_role_with_token(project.outputs("dev")["role_arns"][workload], token)


def codeartifact(project: Project, workload: str) -> Any:
    return project.emulator.client("codeartifact", assume(project, workload, TOKEN_OF[workload]))


def test_a_job_does_what_it_may_with_nothing_but_its_role(deployed: Project) -> None:
    tools, core, data, *readers = [codeartifact(deployed, workload) for workload in TOKEN_OF]

    publish(tools, "acme-tools")
    publish(core, "acme-core")
    publish(data, "acme-data")
    with pytest.raises(ClientError, match="AccessDenied"):
        publish(tools, "acme-core")
    for reader in readers:
        with pytest.raises(ClientError, match="AccessDenied"):
            publish(reader, "acme-tools")
    assert sorted(packages(deployed.emulator)) == ["acme-core", "acme-data", "acme-tools"]
    for job in (tools, core, data, *readers):
        assert job.get_authorization_token(domain="acme")["authorizationToken"]
        assert job.get_repository_endpoint(domain="acme", repository="private-pypi", format="pypi")


def test_whoever_sends_the_subject_by_name_gets_the_role_by_the_repositorys_id(deployed: Project) -> None:
    """Nobody has to know which of the two forms it is."""
    for workload in (OF_TOOLS, OF_TESTS):
        assert assume(deployed, workload, tools_token(BY_NAME))
        with pytest.raises(ClientError, match="Not authorized to perform"):
            assume(deployed, workload, tools_token(BY_NAME, repository_id="457"))


NEAR_MISSES = [
    *(
        (workload, token)
        for workload in (OF_TOOLS, OF_TESTS)
        for token in (
            tools_token("repo:other@123/tools@456:ref:refs/tags/v1.0"),
            tools_token("repo:acme@124/tools@456:ref:refs/tags/v1.0"),
            tools_token("repo:acme@123/tools@457:ref:refs/tags/v1.0", repository_id="457"),
            tools_token(repository_id="457"),
            tools_token(repository_id=None),
            tools_token("repo:Acme@123/tools@456:ref:refs/tags/v1.0"),
            tools_token("repo:acme/tools2:ref:refs/tags/v1.0"),
            tools_token(aud="https://github.com/acme"),
        )
    ),
    (OF_TOOLS, tools_token("repo:acme@123/tools@456:ref:refs/heads/v1.0")),
    (OF_TOOLS, tools_token("repo:acme@123/tools@456:ref:refs/tags/1.0")),
    (OF_TOOLS, tools_token("repo:acme@123/tools@456:pull_request")),
    (OF_TOOLS, tools_token(job_workflow_ref="acme/tools/.github/workflows/test.yml@refs/tags/v1.0")),
    (OF_TOOLS, tools_token(job_workflow_ref="acme/other/.github/workflows/publish.yml@refs/tags/v1.0")),
    (OF_TOOLS, tools_token(job_workflow_ref=None)),
    (OF_CORE, github_token("repo:acme@123/core@457:environment:pypi")),
    (OF_CORE, github_token("repo:acme/core:environment:pypi-2")),
    (OF_CORE, github_token("repo:acme/core:ref:refs/heads/pypi")),
    (OF_CORE, TOKEN_OF[OF_TOOLS]),
    (OF_CORE, TOKEN_OF[OF_DATA]),
    *(
        (workload, token)
        for workload in (OF_DATA, OF_CHECKS)
        for token in (
            gitlab_token("project_path:acme/data/tools2:ref_type:branch:ref:main"),
            gitlab_token("project_path:acme/data:ref_type:branch:ref:main"),
            gitlab_token("project_path:acme/data/tools/x:ref_type:branch:ref:main"),
            gitlab_token("project_path:Acme/data/tools:ref_type:branch:ref:main"),
            gitlab_token("project_path:acme/data/tools:ref_type:branch:ref:main", "gitlab.example.com"),
            gitlab_token("project_path:acme/data/tools:ref_type:branch:ref:main", aud="sts.amazonaws.com"),
        )
    ),
    (OF_DATA, gitlab_token("project_path:acme/data/tools:ref_type:tag:ref:main")),
    (OF_DATA, TOKEN_OF[OF_CHECKS]),
    (OF_OURS, gitlab_token("project_path:acme/tools:ref_type:branch:ref:prüfung/1")),
    (OF_OURS, gitlab_token("project_path:acme/tools:ref_type:branch:ref:pruefung/1", "gitlab.example.com")),
    (OF_OURS, gitlab_token("project_path:acme/tools:ref_type:branch:ref:prüfung/1", "gitlab.example.org")),
]


def test_no_near_miss_is_given_the_role(deployed: Project, subtests: pytest.Subtests) -> None:
    refusals = "Not authorized to perform|Incorrect token audience|No OpenIDConnect provider found"
    for number, (workload, token) in enumerate(NEAR_MISSES):
        with subtests.test(f"{number}: {workload}"), pytest.raises(ClientError, match=refusals):
            assume(deployed, workload, token)


def test_whoever_may_list_packages_sees_whether_a_version_is_there(deployed: Project) -> None:
    publish(codeartifact(deployed, OF_CORE), "acme-core")
    asked = {"domain": "acme", "repository": "private-pypi", "format": "pypi", "package": "acme-core"}
    assert error_code(codeartifact(deployed, OF_TESTS).list_package_versions, **asked) == "AccessDeniedException"
    configure(deployed, READERS, PUBLISHERS, listPackages=True)
    deployed.up("dev")

    for workload in (OF_TESTS, OF_TOOLS):
        job = codeartifact(deployed, workload)
        assert [each["version"] for each in job.list_package_versions(**asked)["versions"]] == ["1.0"]
        assert job.list_packages(domain="acme", repository="private-pypi")["packages"]
        assert job.describe_repository(domain="acme", repository="private-pypi")["repository"]


def test_a_boundary_without_bearer_tokens_stops_every_install(deployed: Project) -> None:
    """As docs/ci.md says of what it has to allow."""
    iam = deployed.emulator.client("iam")
    for name, actions in (("narrow", ["codeartifact:*"]), ("right", ["codeartifact:*", "sts:GetServiceBearerToken"])):
        policy = document({"Effect": "Allow", "Action": actions, "Resource": "*"})
        iam.create_policy(PolicyName=name, PolicyDocument=policy)
        configure(deployed, READERS, PUBLISHERS, permissionsBoundary=f"arn:aws:iam::{ACCOUNT}:policy/{name}")
        deployed.up("dev")
        job = codeartifact(deployed, OF_TESTS)
        if name == "narrow":
            assert error_code(job.get_authorization_token, domain="acme") == "AccessDeniedException"
        else:
            assert job.get_authorization_token(domain="acme")["authorizationToken"]


def test_another_entry_comes_and_goes_and_the_role_stays(deployed: Project) -> None:
    before = deployed.outputs("dev")["role_arns"]
    configure(deployed, [*READERS, {"github": "acme/app"}], PUBLISHERS[::-1])
    assert deployed.changes("dev") == {
        "private-pypi-github-acme/app": "create",
        "private-pypi-github-acme/app-policy": "create",
        "private-pypi-domain-permissions": "update",
        "private-pypi-repository-permissions": "update",
    }
    deployed.up("dev")
    assert deployed.outputs("dev")["role_arns"].items() >= before.items()

    configure(deployed, [], [CORE])
    deployed.up("dev")
    assert [*deployed.outputs("dev")["role_arns"]] == [OF_CORE]
    tools = before[OF_TOOLS].rpartition("/")[2]
    assert error_code(deployed.emulator.client("iam").get_role, RoleName=tools) == "NoSuchEntity"
    assert codeartifact(deployed, OF_CORE).get_authorization_token(domain="acme")


def test_the_arns_are_known_at_the_first_preview(project: Project, emulator: Emulator) -> None:
    configure(project, [], [TOOLS])
    shown = project.pulumi("preview", "--stack", "dev").stdout
    project.up("dev")

    (arn,) = project.outputs("dev")["role_arns"].values()
    assert arn in shown
    assert emulator.client("iam").get_role(RoleName=arn.rpartition("/")[2])["Role"]["Arn"] == arn


def test_a_provider_is_not_deleted_while_it_is_protected(deployed: Project) -> None:
    configure(deployed, READERS, PUBLISHERS, makeOidcProviders=["github", "gitlab.example.com"])

    refused = deployed.refused("up", "--yes", "--stack", "dev")
    assert "private-pypi:makeOidcProviders: got a list without gitlab.com\n" in refused
    assert len(deployed.emulator.client("iam").list_open_id_connect_providers()["OpenIDConnectProviderList"]) == 3


def test_all_of_it_goes_with_the_stack(deployed: Project) -> None:
    configure(deployed, READERS, PUBLISHERS, protect=False)
    deployed.up("dev")
    deployed.pulumi("destroy", "--yes", "--skip-preview", "--stack", "dev")

    iam = deployed.emulator.client("iam")
    assert [each["Arn"] for each in iam.list_roles()["Roles"] if "git" in each["AssumeRolePolicyDocument"]] == []
    assert iam.list_open_id_connect_providers()["OpenIDConnectProviderList"] == []
