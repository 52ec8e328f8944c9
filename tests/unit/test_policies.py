import dataclasses
import json
from collections.abc import Callable
from functools import partial
from typing import Any
from unittest import mock

import pytest
from evaluator import Caller, allows
from hypothesis import given, reject
from hypothesis import strategies as st

from private_pypi import PrivatePypiArgs, iam
from private_pypi.arns import Arns
from private_pypi.errors import InvalidValueError
from private_pypi.policies import (
    Documents,
    domain_policy,
    domain_policy_statements,
    make_documents,
    publisher_policy,
    reader_policy,
    repository_policy,
)
from private_pypi.principals import Principal, Publisher
from private_pypi.workloads import Workload, make_roles

OWNER = "111122223333"
ARNS = Arns(partition="aws", region="us-west-2", owner=OWNER, domain_name="acme", repository_name="internal")
DOMAIN = "arn:aws:codeartifact:us-west-2:111122223333:domain/acme"
REPOSITORY = "arn:aws:codeartifact:us-west-2:111122223333:repository/acme/internal"
PACKAGES = "arn:aws:codeartifact:us-west-2:111122223333:package/acme/internal/*"
CORE = "arn:aws:codeartifact:us-west-2:111122223333:package/acme/internal/pypi//acme-core"
TOOLS = "arn:aws:codeartifact:us-west-2:111122223333:package/acme/internal/pypi//acme-tools-*"

ADA = Principal("arn:aws:iam::111122223333:user/ada")
CI = Principal("arn:aws:iam::111122223333:role/ci")
OTHER = Principal("arn:aws:iam::444455556666:root")
ROLES = "arn:aws:iam::111122223333:role"
SSO = Principal("arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_Developers_*")
ORGANIZATION = Principal("o-a1b2c3d4e5")

TOKEN = ["codeartifact:GetAuthorizationToken"]
READ = ["codeartifact:ReadFromRepository"]
DOWNLOAD = ["codeartifact:GetPackageVersionAsset", "codeartifact:GetPackageVersionReadme"]
PUBLISH = ["codeartifact:PublishPackageVersion"]


def everything(*principals: Principal) -> list[Publisher]:
    return [Publisher(principal=principal) for principal in principals]


def only(principal: Principal, *packages: str) -> Publisher:
    return Publisher(principal=principal, packages=packages)


def parsed(document: str | None) -> Any:
    return json.loads(document or '{"Statement": []}')


def domain(readers: list[Principal], publishers: list[Publisher]) -> Any:
    return parsed(domain_policy(ARNS, readers=readers, publishers=publishers))


def repository(
    readers: list[Principal],
    publishers: list[Publisher],
    *,
    closed: bool = False,
    protect: bool = False,
    merged: bool = False,
) -> Any:
    """The repository permissions policy; `merged` is as it is when it would be too long otherwise."""
    policy = partial(
        repository_policy, ARNS, readers=readers, publishers=publishers, closed_publishing=closed, protect=protect
    )
    document = policy()
    if merged:
        with mock.patch.object(iam, "MAX_DOCUMENT_CHARACTERS", len(document or "") - 1):
            try:
                document = policy()
            except InvalidValueError:
                reject()  # there is nothing to merge
    return parsed(document)


def of_sid(document: Any, sid: str) -> Any:
    (statement,) = [statement for statement in document["Statement"] if statement["Sid"] == sid]
    return statement


def test_readers_and_publishers_get_tokens() -> None:
    assert domain([OTHER, ADA], everything(CI)) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "GetAuthorizationToken",
                "Effect": "Allow",
                "Principal": {
                    "AWS": [
                        "arn:aws:iam::111122223333:role/ci",
                        "arn:aws:iam::111122223333:user/ada",
                        "arn:aws:iam::444455556666:root",
                    ]
                },
                "Action": TOKEN,
                "Resource": DOMAIN,
            }
        ],
    }


def test_readers_and_publishers_install_and_publishers_publish() -> None:
    installing = {"AWS": ["arn:aws:iam::111122223333:role/ci", "arn:aws:iam::111122223333:user/ada"]}

    assert repository([ADA], everything(CI)) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "ReadRepository",
                "Effect": "Allow",
                "Principal": installing,
                "Action": READ,
                "Resource": REPOSITORY,
            },
            {
                "Sid": "DownloadPackages",
                "Effect": "Allow",
                "Principal": installing,
                "Action": DOWNLOAD,
                "Resource": PACKAGES,
            },
            {
                "Sid": "PublishPackages",
                "Effect": "Allow",
                "Principal": {"AWS": ["arn:aws:iam::111122223333:role/ci"]},
                "Action": PUBLISH,
                "Resource": PACKAGES,
            },
        ],
    }


LIST = ["codeartifact:ListPackages", "codeartifact:DescribeRepository"]
DESCRIBE = [
    "codeartifact:DescribePackage",
    "codeartifact:DescribePackageVersion",
    "codeartifact:ListPackageVersions",
    "codeartifact:ListPackageVersionAssets",
    "codeartifact:ListPackageVersionDependencies",
]


def test_whoever_installs_may_list_packages_too_where_that_is_given() -> None:
    policy = partial(repository_policy, ARNS, readers=[ADA], publishers=[only(CI, "acme-core")], closed_publishing=True)
    without, given = (parsed(policy(protect=True, list_packages=listing)) for listing in (False, True))

    for sid, actions in (("ReadRepository", LIST), ("DownloadPackages", DESCRIBE)):
        of_sid(without, sid)["Action"] += actions
    assert given == without


@pytest.mark.parametrize("visitor", [OTHER, ORGANIZATION])
def test_identity_policies_have_the_other_accounts_half_of_listing(visitor: Principal) -> None:
    who: dict[str, Any] = {"readers": [ADA, visitor], "publishers": everything(CI), "list_packages": True}
    listing = INSTALLING | {"Action": [*INSTALL, *LIST, *DESCRIBE]}

    assert parsed(reader_policy(ARNS, **who))["Statement"] == [BEARER_TOKEN, ENDPOINT, listing]
    assert parsed(publisher_policy(ARNS, ["acme-core"], **who))["Statement"][:3] == [BEARER_TOKEN, ENDPOINT, listing]


def test_the_reader_policy_lists_in_an_account_that_the_permissions_policies_leave_it_to() -> None:
    delegated = {"Effect": "Allow", "Action": [GET_ENDPOINT, *INSTALL, *LIST, *DESCRIBE], "Resource": ALL_KINDS}
    policy = reader_policy(ARNS, readers=[Principal(OWNER)], publishers=[], list_packages=True)

    assert parsed(policy)["Statement"] == [BEARER_TOKEN, delegated]


def test_listing_is_in_every_document_of_the_args_or_in_none() -> None:
    roles = make_roles([Workload(github="acme/tools")], ARNS, OWNER, prefix="p")
    visitor = "arn:aws:iam::444455556666:role/ci"
    for listing in (False, True):
        args = PrivatePypiArgs(
            domain="acme",
            readers=[Workload(github="acme/tools"), OTHER],
            publishers=[visitor],
            list_packages=listing,
        )
        documents = make_documents(args, ARNS, OWNER, roles)
        of_roles, of_publishers = documents.roles.values(), documents.publishers.values()
        for document in (
            documents.repository,
            documents.reader,
            *(each.document for each in (*of_roles, *of_publishers)),
        ):
            assert all((action in str(document)) == listing for action in (*LIST, *DESCRIBE))


def test_a_workload_in_both_lists_is_a_publisher_whatever_its_entries_say() -> None:
    tag = Workload(github="acme/tools", tag="v*")
    core, tools = (dataclasses.replace(tag, packages=(name,)) for name in ("acme-core", "acme-tools"))
    roles = make_roles([tag, core, tools], ARNS, OWNER, prefix="p")
    args = PrivatePypiArgs(domain="acme", readers=[tag], publishers=[core, tools])
    (arn,) = {role.arn for role in roles}

    (access,) = iam.read_access(
        iam.read_policy(make_documents(args, ARNS, OWNER, roles).domain, ARNS),
        iam.read_policy(make_documents(args, ARNS, OWNER, roles).repository, ARNS),
        ARNS,
    )
    assert access == iam.Access(principal=arn, install=True, publish=("acme-core", "acme-tools"))


def test_patterns_and_organizations_get_statements_with_conditions() -> None:
    by_pattern = {
        "ArnLike": {
            "aws:PrincipalArn": [
                "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_Developers_*",
                "arn:aws:iam::444455556666:role/ci-*",
            ]
        },
        "StringEquals": {"aws:PrincipalAccount": ["111122223333", "444455556666"]},
    }
    by_organization = {"StringEquals": {"aws:PrincipalOrgID": ["o-a1b2c3d4e5", "o-zzzzzzzzzz"]}}
    readers = [
        ORGANIZATION,
        Principal("o-zzzzzzzzzz"),
        SSO,
        Principal("arn:aws:iam::444455556666:role/ci-*"),
    ]

    assert domain(readers, []) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "GetAuthorizationTokenByPattern",
                "Effect": "Allow",
                "Principal": "*",
                "Action": TOKEN,
                "Resource": DOMAIN,
                "Condition": by_pattern,
            },
            {
                "Sid": "GetAuthorizationTokenByOrganization",
                "Effect": "Allow",
                "Principal": "*",
                "Action": TOKEN,
                "Resource": DOMAIN,
                "Condition": by_organization,
            },
        ],
    }
    allow = {"Effect": "Allow", "Principal": "*"}
    assert repository(readers, []) == {
        "Version": "2012-10-17",
        "Statement": [
            allow | {"Sid": sid, "Action": action, "Resource": resource, "Condition": condition}
            for sid, action, resource, condition in (
                ("ReadRepositoryByPattern", READ, REPOSITORY, by_pattern),
                ("ReadRepositoryByOrganization", READ, REPOSITORY, by_organization),
                ("DownloadPackagesByPattern", DOWNLOAD, PACKAGES, by_pattern),
                ("DownloadPackagesByOrganization", DOWNLOAD, PACKAGES, by_organization),
            )
        ],
    }


def test_a_publisher_of_some_packages_publishes_just_these() -> None:
    document = repository(
        [], [only(CI, "acme-core"), only(CI, "acme-tools-*"), only(ADA, "acme-core"), only(SSO, "acme-core")]
    )

    assert document["Statement"][4:] == [
        {
            "Sid": "PublishPackages0ca56c94",
            "Effect": "Allow",
            "Principal": {"AWS": ["arn:aws:iam::111122223333:user/ada"]},
            "Action": PUBLISH,
            "Resource": CORE,
        },
        {
            "Sid": "PublishPackages0ca56c94ByPattern",
            "Effect": "Allow",
            "Principal": "*",
            "Action": PUBLISH,
            "Resource": CORE,
            "Condition": {
                "ArnLike": {
                    "aws:PrincipalArn": [
                        "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_Developers_*"
                    ]
                },
                "StringEquals": {"aws:PrincipalAccount": ["111122223333"]},
            },
        },
        {
            "Sid": "PublishPackages57766ceb",
            "Effect": "Allow",
            "Principal": {"AWS": ["arn:aws:iam::111122223333:role/ci"]},
            "Action": PUBLISH,
            "Resource": [CORE, TOOLS],
        },
    ]


def test_a_publisher_of_everything_needs_no_statement_about_some() -> None:
    assert repository([], [*everything(CI), only(CI, "acme-core")]) == repository([], everything(CI))


def test_closed_publishing_denies_it_to_who_is_no_publisher() -> None:
    publishers = [*everything(CI, SSO, OTHER, ORGANIZATION), only(ADA, "acme-core")]

    assert of_sid(repository([], publishers, closed=True), "ClosePublishing") == {
        "Sid": "ClosePublishing",
        "Effect": "Deny",
        "Principal": "*",
        "Action": ["codeartifact:PublishPackageVersion", "codeartifact:CopyPackageVersions"],
        "Resource": [PACKAGES, REPOSITORY],
        "Condition": {
            "ArnNotLike": {
                "aws:PrincipalArn": [
                    "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_Developers_*",
                    "arn:aws:iam::111122223333:role/ci",
                    "arn:aws:iam::111122223333:user/ada",
                ]
            },
            "StringNotEquals": {"aws:PrincipalAccount": ["444455556666"], "aws:PrincipalOrgID": ["o-a1b2c3d4e5"]},
        },
    }


def test_closed_publishing_without_publishers_denies_it_to_everybody() -> None:
    assert repository([], [], closed=True) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "ClosePublishing",
                "Effect": "Deny",
                "Principal": "*",
                "Action": ["codeartifact:PublishPackageVersion", "codeartifact:CopyPackageVersions"],
                "Resource": [PACKAGES, REPOSITORY],
            }
        ],
    }


def test_protection_denies_everybody_to_lose_packages_and_nobody_to_take_it_off() -> None:
    assert repository([], [], protect=True) == {
        "Version": "2012-10-17",
        "Statement": [
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
            }
        ],
    }


def test_the_owner_of_an_existing_domain_adds_who_gets_tokens() -> None:
    statements = domain_policy_statements(ARNS, readers=[ADA], publishers=everything(CI), account=OWNER)

    assert statements == (
        '[{"Effect":"Allow",'
        '"Principal":{"AWS":["arn:aws:iam::111122223333:role/ci","arn:aws:iam::111122223333:user/ada"]},'
        '"Action":["codeartifact:GetAuthorizationToken"],'
        '"Resource":"arn:aws:codeartifact:us-west-2:111122223333:domain/acme"}]'
    )


@pytest.mark.parametrize("tagged", [[], [DOMAIN, REPOSITORY]])
def test_the_owner_of_another_accounts_domain_also_lets_repositories_be_made(tagged: list[str]) -> None:
    statements = domain_policy_statements(
        ARNS, readers=[CI], publishers=everything(ORGANIZATION), account="444455556666", tagged=tagged
    )

    # Without Sids: another stack's statements may stand beside them, and no Sid stands twice in a policy.
    tokens = domain([CI], everything(ORGANIZATION))["Statement"]
    deployer = {"Effect": "Allow", "Principal": {"AWS": ["arn:aws:iam::444455556666:root"]}}
    assert json.loads(statements) == [
        *({key: value for key, value in statement.items() if key != "Sid"} for statement in tokens),
        deployer | {"Action": ["codeartifact:CreateRepository"], "Resource": "*"},
        *([deployer | {"Action": ["codeartifact:TagResource"], "Resource": tagged}] if tagged else []),
    ]


def test_without_principals_the_owner_of_an_existing_domain_adds_nothing() -> None:
    assert domain_policy_statements(ARNS, readers=[], publishers=[], account=OWNER) == "[]"


def test_roles_that_are_made_here_are_named_by_a_condition() -> None:
    """IAM may not know a role yet that it has just made, and CodeArtifact refuses a principal that does not exist."""
    condition = {
        "ArnLike": {"aws:PrincipalArn": [CI.name]},
        "StringEquals": {"aws:PrincipalAccount": ["111122223333"]},
    }
    documents = [
        parsed(domain_policy(ARNS, readers=[ADA], publishers=everything(CI), made={CI})),
        parsed(
            repository_policy(
                ARNS, readers=[ADA], publishers=everything(CI), closed_publishing=False, protect=False, made={CI}
            )
        ),
    ]

    statements = {each["Sid"]: each for document in documents for each in document["Statement"]}
    assert {sid: (each["Principal"], each.get("Condition")) for sid, each in statements.items()} == {
        "GetAuthorizationToken": ({"AWS": [ADA.name]}, None),
        "GetAuthorizationTokenByPattern": ("*", condition),
        "ReadRepository": ({"AWS": [ADA.name]}, None),
        "ReadRepositoryByPattern": ("*", condition),
        "DownloadPackages": ({"AWS": [ADA.name]}, None),
        "DownloadPackagesByPattern": ("*", condition),
        "PublishPackagesByPattern": ("*", condition),
    }


BEARER_TOKEN = {
    "Effect": "Allow",
    "Action": "sts:GetServiceBearerToken",
    "Resource": "*",
    "Condition": {"StringEquals": {"sts:AWSServiceName": "codeartifact.amazonaws.com"}},
}
GET_ENDPOINT = "codeartifact:GetRepositoryEndpoint"
ENDPOINT = {"Effect": "Allow", "Action": GET_ENDPOINT, "Resource": REPOSITORY}
INSTALL = [*TOKEN, *READ, *DOWNLOAD]
ALL_KINDS = [DOMAIN, REPOSITORY, PACKAGES]
IN_OTHER_ACCOUNTS = {"Condition": {"StringNotEquals": {"aws:PrincipalAccount": OWNER}}}
INSTALLING = {"Effect": "Allow", "Action": INSTALL, "Resource": ALL_KINDS} | IN_OTHER_ACCOUNTS


def test_the_reader_policy_is_what_no_permissions_policy_can_grant() -> None:
    assert parsed(reader_policy(ARNS, readers=[ADA, SSO], publishers=everything(CI))) == {
        "Version": "2012-10-17",
        "Statement": [BEARER_TOKEN, ENDPOINT],
    }


@pytest.mark.parametrize("visitor", [OTHER, ORGANIZATION, Principal("arn:aws:iam::444455556666:role/ci-*")])
def test_the_reader_policy_is_another_accounts_half_where_another_account_is_let_in(visitor: Principal) -> None:
    expected = {"Version": "2012-10-17", "Statement": [BEARER_TOKEN, ENDPOINT, INSTALLING]}

    assert parsed(reader_policy(ARNS, readers=[ADA, visitor], publishers=everything(CI))) == expected
    assert parsed(reader_policy(ARNS, readers=[ADA], publishers=everything(visitor))) == expected


def test_the_reader_policy_reads_in_an_account_that_the_permissions_policies_leave_it_to() -> None:
    delegated = {"Effect": "Allow", "Action": [GET_ENDPOINT, *INSTALL], "Resource": ALL_KINDS}
    expected = {"Version": "2012-10-17", "Statement": [BEARER_TOKEN, delegated]}

    assert parsed(reader_policy(ARNS, readers=[], publishers=everything(Principal(OWNER)))) == expected
    assert parsed(reader_policy(ARNS, readers=[OTHER, Principal(OWNER)], publishers=[])) == expected


@pytest.mark.parametrize(
    ("packages", "resource"),
    [
        (["*"], PACKAGES),
        (["*", "acme-core"], PACKAGES),
        (["acme-core"], CORE),
        (["acme-tools-*", "acme-core"], [CORE, TOOLS]),
    ],
)
def test_the_publisher_policy_adds_publishing_some_packages_for_other_accounts(
    packages: list[str], resource: object
) -> None:
    publishing = {"Effect": "Allow", "Action": "codeartifact:PublishPackageVersion", "Resource": resource}

    assert parsed(publisher_policy(ARNS, packages, readers=[OTHER], publishers=[])) == {
        "Version": "2012-10-17",
        "Statement": [BEARER_TOKEN, ENDPOINT, INSTALLING, publishing | IN_OTHER_ACCOUNTS],
    }


def test_an_identity_policy_that_is_too_long_is_an_error() -> None:
    packages = [f"{'p' * 100}-{number}" for number in range(40)]

    with pytest.raises(InvalidValueError) as error:
        publisher_policy(ARNS, packages, readers=[], publishers=[])
    assert str(error.value) == (
        "got an identity policy of 7,597 characters\n"
        "  expected: up to 6,144 characters\n"
        "  fix:      name prefix-* instead of many packages"
    )


def made(args: PrivatePypiArgs, *, owner: str = "444455556666") -> Documents:
    """What is made in the domain of an owner, deployed by `OWNER`."""
    arns = dataclasses.replace(ARNS, owner=owner)
    return make_documents(args.at("us-west-2"), arns, OWNER, [])


def test_each_publisher_of_another_account_gets_an_identity_policy_no_wider_than_its_entry() -> None:
    """In the account that made a repository an identity policy alone is enough."""
    args = PrivatePypiArgs(
        domain="acme",
        existing_domain=True,
        domain_owner="444455556666",
        publishers=[
            Publisher(CI, ["acme-a"]),
            Publisher(CI, ["acme-c"]),
            Publisher(SSO, ["acme-b"]),
            "777788889999",
            Publisher("444455556666", ["acme-a"]),
        ],
    )

    assert {name: policy.packages for name, policy in made(args).publishers.items()} == {
        "arn:aws:iam::777788889999:root": ("*",),
        CI.name: ("acme-a", "acme-c"),
        SSO.name: ("acme-b",),
    }
    for policy in made(args).publishers.values():
        (publishing,) = [each for each in parsed(policy.document)["Statement"] if each["Action"] == PUBLISH[0]]
        resources = publishing["Resource"] if isinstance(publishing["Resource"], list) else [publishing["Resource"]]
        assert {each.rpartition("/")[2] for each in resources} == {*policy.packages}


@pytest.mark.parametrize(
    ("readers", "publishers", "packages"),
    [
        ([CI.name], [], ()),
        ([CI.name], ["arn:aws:iam::111122223333:role/*"], ("*",)),
        (
            [CI.name],
            [Publisher("arn:aws:iam::111122223333:role/*", ["acme-*"]), Publisher(CI, ["beta"])],
            ("acme-*", "beta"),
        ),
        ([CI.name], ["arn:aws:iam::111122223333:role/team/*"], ()),
        ([CI.name], ["111122223333"], ()),
        ([CI.name], ["o-a1b2c3d4e5"], ()),
    ],
)
def test_a_role_gets_what_the_entries_that_cover_it_say(
    readers: list[str], publishers: list[Any], packages: object
) -> None:
    """Not what its account is given, which leaves that to other policies, nor an organization that it may not be in."""
    args = PrivatePypiArgs(
        domain="acme", existing_domain=True, domain_owner="444455556666", readers=readers, publishers=publishers
    )

    assert made(args).roles[CI.name].packages == packages
    assert {role: policy.packages for role, policy in made(args, owner=OWNER).roles.items()} == {CI.name: ()}


def test_without_publishers_there_is_no_publish_statement() -> None:
    assert [each["Sid"] for each in repository([ADA], [])["Statement"]] == ["ReadRepository", "DownloadPackages"]


def test_without_principals_there_is_no_policy() -> None:
    assert domain_policy(ARNS, readers=[], publishers=[]) is None
    assert repository_policy(ARNS, readers=[], publishers=[], closed_publishing=False, protect=False) is None


def test_documents_are_minified() -> None:
    assert domain_policy(ARNS, readers=[], publishers=everything(CI)) == (
        '{"Version":"2012-10-17","Statement":[{"Sid":"GetAuthorizationToken","Effect":"Allow",'
        '"Principal":{"AWS":["arn:aws:iam::111122223333:role/ci"]},'
        '"Action":["codeartifact:GetAuthorizationToken"],'
        '"Resource":"arn:aws:codeartifact:us-west-2:111122223333:domain/acme"}]}'
    )


def roles(count: int, characters: int = 60) -> list[Principal]:
    prefix = "arn:aws:iam::111122223333:role/"
    return [Principal(f"{prefix}{number:0{characters - len(prefix)}}") for number in range(count)]


def test_at_least_ninety_readers_and_five_publishers_fit() -> None:
    readers, publishers = roles(90), everything(*roles(95)[90:])
    assert {len(role.name) for role in readers} == {60}

    for document in (
        domain_policy(ARNS, readers=readers, publishers=publishers),
        repository_policy(ARNS, readers=readers, publishers=publishers, closed_publishing=False, protect=True),
    ):
        assert len(document or "") <= 7168


def test_a_document_that_is_too_long_names_each_list_of_principals_once() -> None:
    readers, publishers = roles(60), [*everything(*roles(3)), only(CI, "acme-core")]
    installing = {"AWS": sorted([*(role.name for role in readers), CI.name])}

    assert repository(readers, publishers) == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "ReadRepositoryAndDownloadPackages",
                "Effect": "Allow",
                "Principal": installing,
                "Action": [*READ, *DOWNLOAD],
                "Resource": [REPOSITORY, PACKAGES],
            },
            {
                "Sid": "PublishPackages",
                "Effect": "Allow",
                "Principal": {"AWS": [role.name for role in roles(3)]},
                "Action": PUBLISH,
                "Resource": PACKAGES,
            },
            {
                "Sid": "PublishPackages0ca56c94",
                "Effect": "Allow",
                "Principal": {"AWS": [CI.name]},
                "Action": PUBLISH,
                "Resource": CORE,
            },
        ],
    }


def test_merging_never_joins_some_packages_with_all() -> None:
    """The same principals install everything and publish some: one statement for both would let them publish all."""
    document = repository([], [only(role, "acme-core") for role in roles(50)])

    assert [each["Sid"] for each in document["Statement"]] == [
        "ReadRepositoryAndDownloadPackages",
        "PublishPackages0ca56c94",
    ]
    assert of_sid(document, "PublishPackages0ca56c94")["Resource"] == CORE


def test_merging_keeps_packages_apart_whose_statements_happen_to_have_one_name() -> None:
    """The name ends in a digest, which is the same for these two."""
    arns = dataclasses.replace(ARNS, repository_name="private-pypi")
    publishers = [only(CI, "acme-lib39115"), only(ADA, "acme-lib90041")]
    document = parsed(
        repository_policy(arns, readers=roles(80), publishers=publishers, closed_publishing=False, protect=False)
    )
    merged, *publishing = document["Statement"]

    assert merged["Sid"] == "ReadRepositoryAndDownloadPackages"
    assert [(each["Sid"], each["Principal"]["AWS"], each["Resource"]) for each in publishing] == [
        ("PublishPackages7bed8eb4", [CI.name], arns.package("acme-lib39115")),
        ("PublishPackages7bed8eb4", [ADA.name], arns.package("acme-lib90041")),
    ]


def test_merging_keeps_patterns_and_organizations_of_readers_and_publishers_apart() -> None:
    """They all have the principal `*`: only the condition says whom a statement is about."""
    readers = [*roles(70), Principal(f"{roles(1)[0].name}-*"), Principal("o-zzzzzzzzzz")]
    document = repository(readers, everything(SSO, ORGANIZATION))
    whom = {
        statement["Sid"]: next(iter(statement["Condition"].values()))
        for statement in document["Statement"]
        if statement["Principal"] == "*"
    }

    assert whom == {
        "ReadRepositoryByPatternAndDownloadPackagesByPattern": {
            "aws:PrincipalArn": [f"{roles(1)[0].name}-*", SSO.name],
        },
        "ReadRepositoryByOrganizationAndDownloadPackagesByOrganization": {
            "aws:PrincipalOrgID": ["o-a1b2c3d4e5", "o-zzzzzzzzzz"],
        },
        "PublishPackagesByPattern": {"aws:PrincipalArn": [SSO.name]},
        "PublishPackagesByOrganization": {"aws:PrincipalOrgID": ["o-a1b2c3d4e5"]},
    }


def test_a_document_of_just_the_limit_fits() -> None:
    longest = roles(95)
    missing = 7168 - len(domain_policy(ARNS, readers=longest, publishers=[]) or "")
    for index, more in enumerate((missing // 2, missing - missing // 2)):
        longest[index] = Principal(longest[index].name.replace("/", f"/{'x' * (more - 1)}/"))

    assert len(domain_policy(ARNS, readers=longest, publishers=[]) or "") == 7168
    longest[0] = Principal(longest[0].name.replace("x/", "xx/"))
    with pytest.raises(InvalidValueError):
        domain_policy(ARNS, readers=longest, publishers=[])


def test_merging_keeps_what_is_denied() -> None:
    document = repository(roles(60), everything(CI), closed=True, protect=True)

    assert [each["Sid"] for each in document["Statement"]] == [
        "ReadRepositoryAndDownloadPackages",
        "PublishPackages",
        "ClosePublishing",
        "ProtectPackages",
    ]
    assert [each["Resource"] for each in document["Statement"][2:]] == ["*", "*"]


@pytest.mark.parametrize(
    ("policy", "kind", "size"),
    [
        (domain_policy, "domain", "12,826"),
        (partial(domain_policy_statements, account=OWNER), "domain", "12,796"),
        (
            lambda arns, **who: repository_policy(arns, **who, closed_publishing=False, protect=False),
            "repository",
            "12,997",
        ),
    ],
)
def test_a_document_that_is_too_long_even_so_is_an_error(policy: Callable[..., str], kind: str, size: str) -> None:
    with pytest.raises(InvalidValueError) as error:
        policy(ARNS, readers=roles(200), publishers=[])
    assert str(error.value) == (
        f"got a {kind} permissions policy of {size} characters\n"
        "  expected: up to 7,168 characters\n"
        "  fix:      name an account, a pattern or an organization instead of many roles, or prefix-* "
        "instead of many packages"
    )


ORGANIZATIONS = {OWNER: "o-a1b2c3d4e5", "444455556666": "o-a1b2c3d4e5", "777788889999": None}

# Few names and accounts, so that who calls is often who is listed, or nearly.
accounts = st.sampled_from(sorted(ORGANIZATIONS))
role_names = st.sampled_from(["ci", "ci-a", "ci-b", "team/ci", "team/reader"])
role_arns = st.builds("arn:aws:iam::{}:role/{}".format, accounts, role_names)
patterns = st.builds("arn:aws:iam::{}:role/{}".format, accounts, st.sampled_from(["ci-*", "team/*", "*"]))
anyone = st.one_of(role_arns, patterns, accounts, st.just("o-a1b2c3d4e5")).map(Principal.parse)
package_lists = st.lists(st.sampled_from(["acme-core", "acme-*", "beta"]), min_size=1, max_size=2).map(tuple)
publishers_of_something = st.builds(Publisher, principal=anyone, packages=st.none() | package_lists)
reader_lists = st.lists(anyone, max_size=4)
publisher_lists = st.lists(publishers_of_something, max_size=4)


@given(data=st.data(), readers=reader_lists, publishers=publisher_lists, closed=st.booleans())
def test_order_and_repetition_never_change_a_document(
    data: st.DataObject, readers: list[Principal], publishers: list[Publisher], closed: bool
) -> None:
    def some(group: list[Any]) -> list[Any]:
        return data.draw(st.lists(st.sampled_from(group), max_size=3)) if group else []

    # A publisher that is listed as a reader too is repeated as well.
    more_readers = [*readers, *some(readers), *(publisher.principal for publisher in some(publishers))]
    shuffled = data.draw(st.permutations(more_readers)), data.draw(st.permutations([*publishers, *some(publishers)]))

    assert domain(*shuffled) == domain(readers, publishers)
    assert json.dumps(repository(*shuffled, closed=closed)) == json.dumps(
        repository(readers, publishers, closed=closed)
    )
    changed = PrivatePypiArgs(domain="acme", readers=shuffled[0], publishers=shuffled[1])
    assert made(changed) == made(PrivatePypiArgs(domain="acme", readers=readers, publishers=publishers))


@given(readers=reader_lists, publishers=publisher_lists, closed=st.booleans())
def test_a_reader_is_never_in_the_publish_statement(
    readers: list[Principal], publishers: list[Publisher], closed: bool
) -> None:
    publishing: set[str] = set()
    for statement in repository(readers, publishers, closed=closed)["Statement"]:
        if statement["Effect"] == "Allow" and PUBLISH[0] in statement["Action"]:
            principals, condition = statement["Principal"], statement.get("Condition")
            # A `*` never stands without a condition.
            assert (principals == "*") == bool(condition)
            if condition:
                principals = condition.get("ArnLike") or condition["StringEquals"]
            publishing.update(*principals.values())

    assert publishing == {publisher.principal.in_partition("aws").name for publisher in publishers}


def listed(principal: Principal, caller: Caller) -> bool:
    """Whether an entry of the config is about a caller: the meaning of the four kinds, in other words than policies."""
    if principal.is_organization:
        return caller.organization == principal.name
    if principal.is_account:
        return caller.account == principal.account
    prefix, star, suffix = principal.name.partition("*")
    return caller.arn.startswith(prefix) and caller.arn.endswith(suffix) if star else caller.arn == prefix


def covers(packages: tuple[str, ...] | None, package: str) -> bool:
    return packages is None or any(
        package.startswith(name[:-1]) if name.endswith("*") else package == name for name in packages
    )


@given(
    readers=reader_lists,
    publishers=publisher_lists,
    closed=st.booleans(),
    protect=st.booleans(),
    arn=role_arns,
    has_own=st.booleans(),
    merged=st.booleans(),
)
def test_nobody_can_do_what_the_config_does_not_give_them(
    readers: list[Principal],
    publishers: list[Publisher],
    closed: bool,
    protect: bool,
    arn: str,
    has_own: bool,
    merged: bool,
) -> None:
    """And who has the fitting identity policy can do all of what it gives, also where statements are merged."""
    account = arn.split(":")[4]
    somebody = Caller(arn=arn, organization=ORGANIZATIONS[account])
    own = [
        package
        for publisher in publishers
        if listed(publisher.principal, somebody)
        for package in publisher.packages or "*"
    ]
    identity = parsed(reader_policy(ARNS, readers=readers, publishers=publishers))
    if has_own and own:
        identity = parsed(publisher_policy(ARNS, own, readers=readers, publishers=publishers))
    caller = Caller(arn=arn, identity_policies=(identity,), organization=ORGANIZATIONS[account])

    def may(action: str, resource: str, policy: Any) -> bool:
        return allows(caller, f"codeartifact:{action}", resource, permissions_policy=policy, owner=OWNER)

    permissions = repository(readers, publishers, closed=closed, protect=protect, merged=merged)
    installs = any(listed(each, caller) for each in [*readers, *(publisher.principal for publisher in publishers)])
    assert may("GetAuthorizationToken", DOMAIN, domain(readers, publishers)) == installs
    assert may("ReadFromRepository", REPOSITORY, permissions) == installs
    for package in ("acme-core", "acme-extra", "beta", "gamma"):
        resource = PACKAGES.replace("*", f"pypi//{package}")
        assert may("GetPackageVersionAsset", resource, permissions) == installs
        assert may("GetPackageVersionReadme", resource, permissions) == installs

        given_to_publish = any(listed(each.principal, caller) and covers(each.packages, package) for each in publishers)
        assert may("PublishPackageVersion", resource, permissions) <= given_to_publish
        by_name = any(
            listed(each.principal, caller) and covers(each.packages, package)
            for each in publishers
            if account != OWNER or not each.principal.is_account
        )
        if account == OWNER or has_own:
            assert may("PublishPackageVersion", resource, permissions) == by_name
        for action in ("CopyPackageVersions", "DeletePackageVersions", "DisposePackageVersions"):
            assert not may(action, resource, permissions)


@pytest.mark.parametrize(
    ("package", "everything_", "limited"), [("pypi//acme-core", 1, 1), ("generic/acme/core", 1, 0)]
)
def test_only_a_publisher_of_everything_publishes_other_formats(package: str, everything_: int, limited: int) -> None:
    caller = Caller(arn=CI.name, identity_policies=())
    resource = PACKAGES.replace("*", package)

    for publishers, expected in ((everything(CI), everything_), ([only(CI, "acme-core")], limited)):
        policy = repository([], publishers)
        assert allows(caller, PUBLISH[0], resource, permissions_policy=policy, owner=OWNER) == bool(expected)


@given(
    readers=reader_lists,
    publishers=publisher_lists,
    arn=role_arns,
    action=st.sampled_from(["Publish", "Copy"]),
    merged=st.booleans(),
)
def test_closed_publishing_stops_administrators_who_are_no_publishers(
    readers: list[Principal], publishers: list[Publisher], arn: str, action: str, merged: bool
) -> None:
    account = arn.split(":")[4]
    administrator = {"Statement": [{"Effect": "Allow", "Action": "codeartifact:*", "Resource": "*"}]}
    caller = Caller(arn=arn, identity_policies=(administrator,), organization=ORGANIZATIONS[account])
    name = {"Publish": "codeartifact:PublishPackageVersion", "Copy": "codeartifact:CopyPackageVersions"}[action]
    policy = repository(readers, publishers, closed=True, merged=merged)

    if not any(listed(publisher.principal, caller) for publisher in publishers):
        assert not allows(caller, name, CORE, permissions_policy=policy, owner=OWNER)
    elif account == OWNER:
        assert allows(caller, name, CORE, permissions_policy=policy, owner=OWNER)


@given(
    readers=reader_lists,
    publishers=publisher_lists,
    arn=role_arns,
    protect=st.booleans(),
    merged=st.booleans(),
)
def test_protection_stops_administrators_from_losing_packages_and_from_nothing_else(
    readers: list[Principal], publishers: list[Publisher], arn: str, protect: bool, merged: bool
) -> None:
    account = arn.split(":")[4]
    administrator = {"Statement": [{"Effect": "Allow", "Action": "codeartifact:*", "Resource": "*"}]}
    caller = Caller(arn=arn, identity_policies=(administrator,), organization=ORGANIZATIONS[account])
    policy = repository(readers, publishers, protect=protect, merged=merged)

    def may(action: str, resource: str) -> bool:
        return allows(caller, f"codeartifact:{action}", resource, permissions_policy=policy, owner=OWNER)

    for action, resource in (
        ("DeleteRepository", REPOSITORY),
        ("DeletePackage", CORE),
        ("DeletePackageVersions", CORE),
        ("DisposePackageVersions", CORE),
    ):
        assert may(action, resource) == (account == OWNER and not protect)
    for action in ("DeleteRepositoryPermissionsPolicy", "PutRepositoryPermissionsPolicy", "UpdateRepository"):
        assert may(action, REPOSITORY) == (account == OWNER)
