"""Who may do what, read from plain statements: those that `policies` writes, and others that mean less."""

import json
from typing import Any

import pytest

from private_pypi.access import Access, is_closed, is_protected, read_access, read_statements
from private_pypi.names import Arns

ARNS = Arns(partition="aws", region="us-west-2", owner="111122223333", domain_name="acme", repository_name="tools")
ARN = "arn:aws:codeartifact:us-west-2:111122223333"
DOMAIN = f"{ARN}:domain/acme"
REPOSITORY = f"{ARN}:repository/acme/tools"
PACKAGES = f"{ARN}:package/acme/tools/*"
STORE = [f"{ARN}:package/acme/tools-store/*", f"{ARN}:repository/acme/tools-store"]
CI = "arn:aws:iam::111122223333:role/ci"
SSO = "arn:aws:iam::111122223333:role/sso/*"

Statement = dict[str, Any]


def allow(action: str | list[str], resource: str | list[str], **more: object) -> Statement:
    return {"Effect": "Allow", "Principal": {"AWS": [CI]}, "Action": action, "Resource": resource} | more


TOKEN = allow("codeartifact:GetAuthorizationToken", DOMAIN)
READ = allow("codeartifact:ReadFromRepository", REPOSITORY)
DOWNLOAD = allow(["codeartifact:GetPackageVersionAsset", "codeartifact:GetPackageVersionReadme"], PACKAGES)
PUBLISH = allow("codeartifact:PublishPackageVersion", PACKAGES)


def access(*repository: Statement, domain: Statement | None = None) -> list[Access]:
    return read_access([domain] if domain else [], repository, ARNS)


def test_who_gets_a_token_reads_and_downloads_installs() -> None:
    assert access(READ, DOWNLOAD, domain=TOKEN) == [Access(principal=CI, install=True, publish=False)]


@pytest.mark.parametrize(
    ("domain", "repository"),
    [
        (None, [READ, DOWNLOAD]),
        (TOKEN, [DOWNLOAD]),
        (TOKEN, [READ]),
        (TOKEN | {"Resource": f"{DOMAIN}-2"}, [READ, DOWNLOAD]),
        (TOKEN, [READ | {"Resource": PACKAGES}, DOWNLOAD]),
        (TOKEN, [READ, DOWNLOAD | {"Resource": REPOSITORY}]),
        (TOKEN, [READ, DOWNLOAD | {"Action": "codeartifact:GetPackageVersionAsset"}]),
        (TOKEN, [READ, DOWNLOAD | {"Resource": f"{ARN}:package/acme/tools/pypi//acme-core"}]),
    ],
)
def test_who_lacks_a_part_does_not_install(domain: Statement | None, repository: list[Statement]) -> None:
    assert access(*repository, domain=domain) == [Access(principal=CI, install=False, publish=False)]


def test_one_statement_may_be_about_several_resources() -> None:
    actions = [*DOWNLOAD["Action"], READ["Action"], PUBLISH["Action"]]
    merged = allow(actions, [REPOSITORY, PACKAGES])
    everything = allow("codeartifact:*", "*")

    assert access(merged, domain=TOKEN) == [Access(principal=CI, install=True, publish=True)]
    assert access(everything, domain=everything) == [Access(principal=CI, install=True, publish=True)]


@pytest.mark.parametrize(
    ("resources", "publish"),
    [
        (PACKAGES, True),
        ("*", True),
        ([f"{ARN}:package/acme/tools/pypi//beta", f"{ARN}:package/acme/tools/pypi//acme-*"], ["acme-*", "beta"]),
        ([f"{ARN}:package/acme/tools/pypi//beta", PACKAGES], True),
    ],
)
def test_publishing_is_of_everything_or_of_packages(resources: str | list[str], publish: object) -> None:
    assert access(PUBLISH | {"Resource": resources}) == [Access(principal=CI, install=False, publish=publish)]  # pyright: ignore[reportArgumentType]


@pytest.mark.parametrize("resource", [REPOSITORY, DOMAIN, *STORE, f"{ARN}:package/acme-2/tools/*"])
def test_publishing_elsewhere_is_none(resource: str) -> None:
    assert access(PUBLISH | {"Resource": resource}) == []


@pytest.mark.parametrize(
    ("who", "principal"),
    [
        ({"Principal": {"AWS": "arn:aws:iam::444455556666:root"}}, "arn:aws:iam::444455556666:root"),
        ({"Principal": "*", "Condition": {"ArnLike": {"aws:PrincipalArn": [SSO]}}}, SSO),
        ({"Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}}, "o-a1b2c3d4e5"),
    ],
)
def test_every_kind_of_principal_is_named(who: Statement, principal: str) -> None:
    assert access(PUBLISH | who) == [Access(principal=principal, install=False, publish=True)]


@pytest.mark.parametrize(
    "who",
    [
        {"Principal": "*"},
        {"Principal": "*", "Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}},
        {"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}},
        {"Effect": "Deny"},
    ],
)
def test_what_is_granted_to_nobody_in_particular_is_no_access(who: Statement) -> None:
    assert access(PUBLISH | who) == []


def test_principals_are_sorted_and_stand_once() -> None:
    several = {"Principal": {"AWS": [SSO, CI]}}

    assert [each.principal for each in access(PUBLISH | several, READ, READ | several)] == [CI, SSO]


CLOSING = {
    "Effect": "Deny",
    "Principal": "*",
    "Action": ["codeartifact:PublishPackageVersion", "codeartifact:CopyPackageVersions"],
    "Resource": [PACKAGES, REPOSITORY],
}


@pytest.mark.parametrize(
    ("statements", "closed"),
    [
        ([CLOSING], True),
        ([CLOSING | {"Resource": "*"}], True),
        ([CLOSING | {"Action": action} for action in CLOSING["Action"]], True),
        ([CLOSING | {"Condition": {"ArnNotLike": {"aws:PrincipalArn": [CI]}}}, PUBLISH], True),
        ([CLOSING | {"Condition": {"ArnNotLike": {"aws:PrincipalArn": [CI]}}}], False),
        ([CLOSING | {"Condition": {"ArnNotLike": {"aws:PrincipalArn": [CI, SSO]}}}, PUBLISH], False),
        ([CLOSING | {"Condition": {"StringNotEquals": {"aws:PrincipalAccount": ["111122223333"]}}}, PUBLISH], False),
        ([CLOSING | {"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}}], False),
        ([CLOSING | {"Resource": STORE}], False),
        ([CLOSING | {"Resource": PACKAGES}], False),
        ([CLOSING | {"Action": "codeartifact:PublishPackageVersion"}], False),
        ([CLOSING | {"Principal": {"AWS": CI}}], False),
        ([CLOSING | {"Effect": "Allow"}], False),
        ([], False),
    ],
)
def test_publishing_is_closed_when_all_but_the_publishers_are_denied_it(
    statements: list[Statement], closed: bool
) -> None:
    assert is_closed(statements, ARNS) is closed


@pytest.mark.parametrize(
    ("condition", "principal"),
    [
        (
            {"StringNotEquals": {"aws:PrincipalAccount": ["444455556666"]}},
            {"Principal": {"AWS": ["arn:aws:iam::444455556666:root"]}},
        ),
        (
            {"StringNotEquals": {"aws:PrincipalOrgID": ["o-a1b2c3d4e5"]}},
            {"Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": ["o-a1b2c3d4e5"]}}},
        ),
        (
            {"ArnNotLike": {"aws:PrincipalArn": [SSO]}},
            {"Principal": "*", "Condition": {"ArnLike": {"aws:PrincipalArn": [SSO]}}},
        ),
    ],
)
def test_publishing_is_closed_around_every_kind_of_publisher(condition: Statement, principal: Statement) -> None:
    closing = CLOSING | {"Condition": condition}

    assert is_closed([closing, PUBLISH | principal], ARNS)
    assert not is_closed([closing, PUBLISH], ARNS)


PROTECTING = CLOSING | {
    "Action": [
        "codeartifact:DeleteRepository",
        "codeartifact:DeletePackage",
        "codeartifact:DeletePackageVersions",
        "codeartifact:DisposePackageVersions",
    ]
}


@pytest.mark.parametrize(
    ("statement", "protected"),
    [
        (PROTECTING, True),
        (PROTECTING | {"Resource": "*"}, True),
        (PROTECTING | {"Resource": STORE}, False),
        (PROTECTING | {"Action": PROTECTING["Action"][1:]}, False),
        (PROTECTING | {"Condition": {"ArnNotLike": {"aws:PrincipalArn": [CI]}}}, False),
        (PROTECTING | {"Principal": {"AWS": CI}}, False),
    ],
)
def test_packages_are_protected_when_everybody_is_denied_to_lose_them(statement: Statement, protected: bool) -> None:
    assert is_protected([PUBLISH, statement], ARNS) is protected


def test_statements_are_read_from_a_document_a_list_and_one_alone() -> None:
    assert read_statements(json.dumps({"Version": "2012-10-17", "Statement": [READ]})) == [READ]
    assert read_statements(json.dumps([READ, TOKEN])) == [READ, TOKEN]
    assert read_statements(json.dumps(READ)) == [READ]
    assert read_statements(None) == []
