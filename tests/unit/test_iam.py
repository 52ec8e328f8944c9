"""Statements read back: those that `policies` writes, and others, which are never taken for less than they may be."""

import json
from typing import Any

import pytest

from private_pypi.arns import Arns
from private_pypi.iam import (
    DESCRIBE,
    LIST,
    Access,
    Policy,
    Rule,
    is_closed,
    is_protected,
    matches,
    other_denials,
    read_access,
    read_policy,
)

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


def policy(*statements: object) -> Policy:
    return read_policy(json.dumps(statements), ARNS)


def access(*repository: Statement, domain: Statement | None = None) -> list[Access]:
    return read_access(policy(domain) if domain else Policy(), policy(*repository), ARNS)


def test_who_gets_a_token_reads_and_downloads_installs() -> None:
    assert access(READ, DOWNLOAD, domain=TOKEN) == [Access(principal=CI, install=True)]


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
        (None, [READ, DOWNLOAD, TOKEN]),  # no repository's policy is evaluated for a token
        (TOKEN, [READ, DOWNLOAD | {"Resource": f"{ARN}:package/acme/tools/pypi//acme-core"}]),
    ],
)
def test_who_lacks_a_part_does_not_install_and_the_rest_is_named(
    domain: Statement | None, repository: list[Statement]
) -> None:
    (one,) = access(*repository, domain=domain)

    assert (one.principal, one.install, one.publish) == (CI, False, ())
    assert len(one.other) >= 1


def test_one_statement_may_be_about_several_resources() -> None:
    actions = [*DOWNLOAD["Action"], READ["Action"], PUBLISH["Action"]]
    merged = allow(actions, [REPOSITORY, PACKAGES])
    everything = allow("codeartifact:*", "*")

    assert access(merged, domain=TOKEN) == [Access(principal=CI, install=True, publish=("*",))]
    assert access(everything, domain=everything) == [
        Access(principal=CI, install=True, list_packages=True, publish=("*",), other=("codeartifact:* on *",))
    ]


def test_whoever_may_do_all_of_it_may_list_packages() -> None:
    listing = [allow(LIST, REPOSITORY), allow(DESCRIBE, PACKAGES)]

    assert access(READ, DOWNLOAD, *listing, domain=TOKEN) == [Access(principal=CI, install=True, list_packages=True)]
    assert access(*listing) == [Access(principal=CI, install=False, list_packages=True)]
    assert access(READ, DOWNLOAD, listing[0], domain=TOKEN) == [
        Access(
            principal=CI,
            install=True,
            other=(f"codeartifact:DescribeRepository on {REPOSITORY}", f"codeartifact:ListPackages on {REPOSITORY}"),
        )
    ]


def test_actions_are_compared_as_iam_does_in_any_case() -> None:
    lower = [each | {"Action": [action.lower() for action in actions_of(each)]} for each in (READ, DOWNLOAD, PUBLISH)]

    (one,) = access(*lower, domain=TOKEN)

    assert (one.install, one.publish) == (True, ("*",))


def actions_of(statement: Statement) -> list[str]:
    action = statement["Action"]
    return action if isinstance(action, list) else [action]


@pytest.mark.parametrize(
    ("action", "resource"),
    [
        ("codeartifact:DeletePackageVersions", PACKAGES),
        ("codeartifact:PutRepositoryPermissionsPolicy", REPOSITORY),
        ("codeartifact:Publish*", f"{ARN}:package/acme/tools/pypi//acme-core"),
        ("codeartifact:PublishPackageVersion", f"{ARN}:package/acme/tools/generic/*"),
        ("codeartifact:PublishPackageVersion", f"{ARN}:package/acme/tools/pypi//acme?core"),
    ],
)
def test_whatever_else_is_allowed_is_named(action: str, resource: str) -> None:
    (one,) = access(allow(action, resource))

    assert f"{action} on {resource}" in one.other


@pytest.mark.parametrize(
    ("resources", "publish"),
    [
        (PACKAGES, ("*",)),
        ([f"{ARN}:package/acme/tools/pypi//beta", f"{ARN}:package/acme/tools/pypi//acme-*"], ("acme-*", "beta")),
        ([f"{ARN}:package/acme/tools/pypi//beta", PACKAGES], ("*",)),
    ],
)
def test_publishing_is_of_everything_or_of_packages(resources: str | list[str], publish: tuple[str, ...]) -> None:
    assert access(PUBLISH | {"Resource": resources}) == [Access(principal=CI, install=False, publish=publish)]


@pytest.mark.parametrize("resource", [REPOSITORY, DOMAIN])
def test_publishing_is_nothing_on_what_is_no_package(resource: str) -> None:
    assert access(PUBLISH | {"Resource": resource}) == []


@pytest.mark.parametrize("resource", [*STORE, f"{ARN}:package/acme-2/tools/*"])
def test_publishing_elsewhere_is_something_else(resource: str) -> None:
    assert access(PUBLISH | {"Resource": resource}) == [
        Access(principal=CI, install=False, other=(f"codeartifact:PublishPackageVersion on {resource}",))
    ]


PATTERN = {
    "Principal": "*",
    "Condition": {
        "ArnLike": {"aws:PrincipalArn": [SSO]},
        "StringEquals": {"aws:PrincipalAccount": ["111122223333"]},
    },
}
ORGANIZATION = {"Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}}


@pytest.mark.parametrize(
    ("who", "principal"),
    [
        ({"Principal": {"AWS": "arn:aws:iam::444455556666:root"}}, "arn:aws:iam::444455556666:root"),
        ({"Principal": {"AWS": "444455556666"}}, "arn:aws:iam::444455556666:root"),
        (PATTERN, SSO),
        (PATTERN | {"Principal": {"AWS": "*"}}, SSO),
        (ORGANIZATION, "o-a1b2c3d4e5"),
    ],
)
def test_every_kind_of_principal_is_named(who: Statement, principal: str) -> None:
    assert access(PUBLISH | who) == [Access(principal=principal, install=False, publish=("*",))]


def test_a_pattern_of_an_account_that_the_condition_leaves_out_is_nobody() -> None:
    accounts = {"StringEquals": {"aws:PrincipalAccount": ["444455556666"]}}
    condition = PATTERN["Condition"] | accounts

    assert access(PUBLISH | PATTERN | {"Condition": condition}) == []


IP = {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"Principal": "*"}, "it is for everybody, without a condition"),
        ({"Principal": {"AWS": "*"}}, "it is for everybody, without a condition"),
        ({"Principal": {"AWS": [CI, "*"]}}, "it has * within a principal"),
        ({"Principal": {"AWS": SSO}}, "it has * within a principal"),
        ({"Principal": {"Service": "codebuild.amazonaws.com"}}, "its Principal is not of the kind AWS"),
        ({"Principal": {"AWS": CI, "Federated": "x"}}, "its Principal is not of the kind AWS"),
        ({"Principal": CI}, "its Principal is not understood"),
        ({"Principal": None}, "it has no Principal"),
        ({"Principal": {"AWS": []}}, "its AWS is no text or list of texts"),
        ({"NotPrincipal": {"AWS": CI}}, "it has NotPrincipal"),
        ({"NotAction": "sts:*"}, "it has NotAction"),
        ({"NotResource": DOMAIN}, "it has NotResource"),
        ({"effect": "Deny"}, "it has effect"),
        ({"Effect": "allow"}, "its Effect is neither Allow nor Deny"),
        ({"Action": None}, "it has no Action"),
        ({"Action": [1]}, "its Action is no text or list of texts"),
        ({"Resource": "arn:aws:codeartifact:::package/${aws:username}"}, "its Resource has a variable"),
        ({"Condition": IP}, "it has a condition beside its principals"),
        ({"Condition": {}}, "it has a condition beside its principals"),
        ({"Principal": "*", "Condition": IP}, "its condition is not one of those known here"),
        (PATTERN | {"Condition": PATTERN["Condition"] | IP}, "its condition is not one of those known here"),
        (ORGANIZATION | {"Condition": ORGANIZATION["Condition"] | IP}, "its condition is not one of those known here"),
        (
            {"Principal": "*", "Condition": {"StringLike": {"aws:PrincipalOrgID": "o-*"}}},
            "its condition is not one of those known here",
        ),
        (
            {"Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1", "aws:SourceVpc": "v"}}},
            "its condition is not one of those known here",
        ),
        (
            {"Principal": "*", "Condition": {"ArnLike": {"aws:PrincipalArn": SSO}}},
            "its condition is not one of those known here",
        ),
        (
            PATTERN | {"Condition": PATTERN["Condition"] | {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/x"}}},
            "its condition has a pattern without an account",
        ),
        (
            PATTERN | {"Condition": PATTERN["Condition"] | {"ArnLike": {"aws:PrincipalArn": f"{CI}?"}}},
            "its condition has a variable or a ?",
        ),
        ({"Effect": "Deny", "Principal": "*", "Condition": IP}, "its condition has IpAddress aws:SourceIp"),
        ({"Effect": "Deny", "Principal": "*", "Condition": "x"}, "its condition is not one of those known here"),
        (
            {"Effect": ["Allow"]},
            "its Effect is neither Allow nor Deny",
        ),
        (
            {"Effect": "Deny", "Principal": "*", "Condition": {"Null": True}},
            "its condition is not one of those known here",
        ),
        (
            {"Effect": "Deny", "Principal": "*", "Condition": {"ArnNotLike": {"aws:PrincipalArn": [CI]}} | IP},
            "its condition has IpAddress aws:SourceIp",
        ),
    ],
)
def test_what_is_not_understood_is_a_value_of_its_own_and_never_nobody(change: Statement, why: str) -> None:
    statement = PUBLISH | change

    read = policy(READ, statement)

    assert len(read.rules) == 1
    assert [(json.loads(each.statement), each.why) for each in read.unclear] == [(statement, why)]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("no JSON", "it is no JSON"),
        ("[" * 100_000, "it is no JSON"),
        ("7", "it is no statement"),
        ('{"Statement": [{"Principal": "*"}], "Statement": []}', "it has a key twice"),
        ('{"Statement": [{"Action": "codeartifact:*", "Action": "codeartifact:List*"}]}', "it has a key twice"),
        ('{"Statement": [], "statement": [{"Principal": "*"}]}', "it has statement"),
    ],
)
def test_a_document_that_is_none_is_not_understood(text: str, why: str) -> None:
    (unclear,) = read_policy(text, ARNS).unclear

    assert (unclear.statement, unclear.why) == (text, why)


def test_principals_are_sorted_and_stand_once() -> None:
    several = {"Principal": {"AWS": [f"{CI}2", CI]}}

    assert [each.principal for each in access(PUBLISH | several, READ, READ | several)] == [CI, f"{CI}2"]


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
    assert is_closed(policy(*statements), ARNS) is closed


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
            PATTERN,
        ),
    ],
)
def test_publishing_is_closed_around_every_kind_of_publisher(condition: Statement, principal: Statement) -> None:
    closing = CLOSING | {"Condition": condition}

    assert is_closed(policy(closing, PUBLISH | principal), ARNS)
    assert not is_closed(policy(closing, PUBLISH), ARNS)


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
    assert is_protected(policy(PUBLISH, statement), ARNS) is protected


READ_RULE = Rule(
    effect="Allow",
    principals=frozenset({CI}),
    exempts=False,
    actions=("codeartifact:ReadFromRepository",),
    resources=(REPOSITORY,),
)


def test_statements_are_read_from_a_document_a_list_and_one_alone() -> None:
    for content in ({"Version": "2012-10-17", "Statement": [READ]}, {"Statement": READ}, [READ], READ):
        assert read_policy(json.dumps(content), ARNS) == Policy(rules=(READ_RULE,))
    assert read_policy(None, ARNS) == Policy()


@pytest.mark.parametrize(
    ("statements", "others"),
    [
        ([CLOSING, PROTECTING], 0),
        ([CLOSING | {"Resource": "*"}, PROTECTING | {"Resource": "*"}], 0),
        ([CLOSING | {"Condition": {"ArnNotLike": {"aws:PrincipalArn": [CI]}}}, PUBLISH], 0),
        ([CLOSING, PUBLISH], 1),  # it denies a publisher
        ([PROTECTING | {"Condition": {"ArnNotLike": {"aws:PrincipalArn": [CI]}}}], 1),
        ([PROTECTING | {"Principal": {"AWS": CI}}], 1),
        ([PROTECTING | {"Resource": PACKAGES}], 1),
        ([READ | {"Effect": "Deny"}], 1),
        ([READ], 0),
    ],
)
def test_a_denial_beside_the_two_safeguards_is_told_apart(statements: list[Statement], others: int) -> None:
    assert len(other_denials(Policy(), policy(*statements), ARNS)) == others
    assert len(other_denials(policy(READ | {"Effect": "Deny"}), policy(*statements), ARNS)) == others + 1


@pytest.mark.parametrize(
    ("pattern", "text", "does"),
    [
        ("abc", "abc", True),
        ("abc", "abcd", False),
        ("a?c", "abc", True),
        ("a?c", "ac", False),
        ("a*c", "ac", True),
        ("a*c", "abbc", True),
        ("a*c", "abcd", False),
        ("a*b*c", "aXbYbZc", True),
        ("a*b*b", "ab", False),
        ("a*bb", "abb", True),
        ("*a?c*", "xxabcxx", True),
        ("a.c", "abc", False),
        ("a*", "a\nb", True),
        ("role/*", "role/*/x", True),
        ("role/*/x", "role/*", False),
    ],
)
def test_a_pattern_matches_as_iam_matches(pattern: str, text: str, does: bool) -> None:
    assert matches(pattern, text) is does


def test_a_pattern_of_many_parts_takes_no_longer_than_its_text_is_long() -> None:
    """Tried with backtracking, this takes longer than a run of all tests."""
    assert not matches("role/" + "*a" * 200 + "*b", "role/" + "a" * 500)
