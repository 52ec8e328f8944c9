"""The example of docs/access.md, as a user would copy it: its documents and its tables."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from evaluator import Caller, allows
from mocks import DOMAIN_PERMISSIONS, REPOSITORY_PERMISSIONS, ROOT, Run, main_program, run
from pages import blocks, table

from private_pypi.cli.main import main
from private_pypi.cli.stack_files import read_stack

ARN = "arn:aws:codeartifact:us-west-2:111122223333"
DOMAIN = f"{ARN}:domain/acme"
REPOSITORY = f"{ARN}:repository/acme/private-pypi"
PACKAGES = f"{ARN}:package/acme/private-pypi/*"
SSO = "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/*AWSReservedSSO_Developers_*"
GITHUB = "arn:aws:iam::111122223333:role/github-actions/publish-packages"
RELEASE = "arn:aws:iam::777788889999:role/data/release"
NAMED = [GITHUB, "arn:aws:iam::111122223333:role/service/api", "arn:aws:iam::444455556666:root", RELEASE]
BY_PATTERN = {
    "ArnLike": {"aws:PrincipalArn": [SSO]},
    "StringEquals": {"aws:PrincipalAccount": ["111122223333"]},
}
BY_ORGANIZATION = {"StringEquals": {"aws:PrincipalOrgID": ["o-a1b2c3d4e5"]}}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose stack `test` has the config of the page, and a domain, region and account."""
    (example,) = blocks("access.md", "yaml")
    stack = yaml.safe_load(example)
    stack["config"] |= {
        "private-pypi:domain": "acme",
        "aws:region": "us-west-2",
        "aws:allowedAccountIds": ["111122223333"],
    }
    (tmp_path / "Pulumi.test.yaml").write_text(yaml.safe_dump(stack))
    for name in ("__main__.py", "Pulumi.yaml"):
        (tmp_path / name).write_text((ROOT / name).read_text())
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def made(project: Path) -> Run:
    return run(main_program, read_stack(project, "test").config)


def allow(sid: str, principals: list[str], actions: list[str], resource: object) -> dict[str, object]:
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"AWS": principals},
        "Action": actions,
        "Resource": resource,
    }


def for_every_kind(sid: str, actions: list[str], resource: str) -> list[dict[str, Any]]:
    """What readers and publishers of the example are allowed."""
    exact = allow(sid, NAMED, actions, resource)
    anyone = exact | {"Principal": "*"}
    return [
        exact,
        anyone | {"Sid": f"{sid}ByPattern", "Condition": BY_PATTERN},
        anyone | {"Sid": f"{sid}ByOrganization", "Condition": BY_ORGANIZATION},
    ]


def test_every_kind_of_principal_gets_tokens(made: Run) -> None:
    assert json.loads(made.of_type(DOMAIN_PERMISSIONS).inputs["policyDocument"]) == {
        "Version": "2012-10-17",
        "Statement": for_every_kind("GetAuthorizationToken", ["codeartifact:GetAuthorizationToken"], DOMAIN),
    }


def test_every_kind_of_principal_installs_and_the_publishers_alone_publish(made: Run) -> None:
    publish = ["codeartifact:PublishPackageVersion"]
    data = [f"{ARN}:package/acme/private-pypi/pypi//{name}" for name in ("acme-data", "acme-data-*")]

    assert json.loads(made.of_type(REPOSITORY_PERMISSIONS).inputs["policyDocument"]) == {
        "Version": "2012-10-17",
        "Statement": [
            *for_every_kind("ReadRepository", ["codeartifact:ReadFromRepository"], REPOSITORY),
            *for_every_kind(
                "DownloadPackages",
                ["codeartifact:GetPackageVersionAsset", "codeartifact:GetPackageVersionReadme"],
                PACKAGES,
            ),
            allow("PublishPackages", [GITHUB], publish, PACKAGES),
            allow("PublishPackages2c7d222a", [RELEASE], publish, data),
            {
                "Sid": "ClosePublishing",
                "Effect": "Deny",
                "Principal": "*",
                "Action": ["codeartifact:PublishPackageVersion", "codeartifact:CopyPackageVersions"],
                "Resource": [PACKAGES, REPOSITORY],
                "Condition": {"ArnNotLike": {"aws:PrincipalArn": [GITHUB, RELEASE]}},
            },
            {
                "Sid": "ProtectPackages",
                "Effect": "Deny",
                "Principal": "*",
                "Action": [
                    "codeartifact:DeleteRepository",
                    "codeartifact:DeletePackage",
                    "codeartifact:DeletePackageVersions",
                    "codeartifact:DisposePackageVersions",
                ],
                "Resource": [PACKAGES, REPOSITORY],
            },
        ],
    }


@pytest.mark.parametrize(
    ("role", "may"),
    [
        ("aws-reserved/sso.amazonaws.com/AWSReservedSSO_Developers_0123456789abcdef", True),
        ("aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Developers_0123456789abcdef", True),
        ("aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Operators_0123456789abcdef", False),
        ("team/AWSReservedSSO_Developers_0123456789abcdef", False),
    ],
)
def test_people_of_a_permission_set_get_in_wherever_identity_center_is(made: Run, role: str, may: bool) -> None:
    caller = Caller(arn=f"arn:aws:iam::111122223333:role/{role}")
    policy = json.loads(made.of_type(REPOSITORY_PERMISSIONS).inputs["policyDocument"])

    read = allows(
        caller,
        "codeartifact:ReadFromRepository",
        REPOSITORY,
        permissions_policy=policy,
        owner="111122223333",
    )
    assert read == may


@pytest.mark.usefixtures("project")
def test_the_table_is_what_the_preview_shows(capsys: pytest.CaptureFixture[str]) -> None:
    main(["preview", "test"])
    shown = capsys.readouterr().out.partition("\nWho gets in\n")[2].partition("  Publishing is closed")[0]

    assert [tuple(re.split(" {2,}", line.strip())) for line in shown.splitlines()[1:]] == table(
        "access.md", "An example"
    )


def row(statement: dict[str, Any], place: str = "") -> tuple[str, str, str]:
    """What the page says of a statement, whatever the kind of its principals and whichever its packages."""
    sid = re.sub("[0-9a-f]{8}$", " and a digest", re.sub("By(Pattern|Organization)$", "", statement["Sid"]))
    actions = ", ".join(action.removeprefix("codeartifact:") for action in statement["Action"])
    arns = statement["Resource"] if isinstance(statement["Resource"], list) else [statement["Resource"]]
    kinds = {
        DOMAIN: "the domain",
        REPOSITORY: "the repository",
        f"{REPOSITORY}-store": "the store",
        **dict.fromkeys((PACKAGES, f"{ARN}:package/acme/private-pypi-store/*"), "its packages"),
    }
    resources = {kinds.get(arn, "the packages named") for arn in arns}
    return sid + place, "Deny: " * (statement["Effect"] == "Deny") + actions, ", ".join(sorted(resources, reverse=True))


def test_the_page_has_every_statement_with_its_actions_and_its_resource(project: Path) -> None:
    config = {**read_stack(project, "test").config, "private-pypi:publicUpstream": "true"}
    made = run(main_program, config).resources
    rows = [
        row(statement, place)
        for kind, place in (("domain", ""), ("repository", ""), ("store", ", of the store"))
        for statement in json.loads(made[f"private-pypi-{kind}-permissions"].inputs["policyDocument"])["Statement"]
    ]

    assert [*dict.fromkeys(rows)] == [shown[:3] for shown in table("access.md", "What policies are made")]
