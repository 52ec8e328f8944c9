"""What is deployed, next to what the config says."""

import json
from typing import Any

import pytest
from situations import OTHER, ROLES, UNREADABLE, meant

from private_pypi.review.deployed import Deployed, compare

READER, PATTERN, ORGANIZATION = f"{ROLES}/reader", f"{ROLES}/sso/*", "o-a1b2c3d4e5"
SAID = meant([READER, PATTERN, ORGANIZATION], [(f"{ROLES}/ci", "acme-core"), OTHER], closed=True)
AS_SAID = Deployed(domain=SAID.domain, repository=SAID.repository)
DOMAIN = "arn:aws:codeartifact:us-west-2:111122223333:domain/acme"
DELETED = "AROAEXAMPLEEXAMPLE123"


def compared(deployed: Deployed, *, existing_domain: bool = False, has_secrets: bool = False) -> list[str]:
    return [*compare(SAID, deployed, existing_domain=existing_domain, has_secrets=has_secrets)]


def edited(old: str, new: str) -> Deployed:
    """What is deployed, with another text in the domain's policy."""
    text = json.dumps(SAID.domain)
    assert old in text
    return Deployed(domain=json.loads(text.replace(old, new)), repository=SAID.repository)


def test_what_is_deployed_as_the_config_says_is_said_to_be() -> None:
    assert compared(AS_SAID) == [
        "the domain's policy is as the config says",
        "the repository's policy is as the config says",
    ]


def test_statements_may_be_put_together_in_another_way() -> None:
    statement, *others = SAID.repository
    one_each = [{**statement, "Principal": {"AWS": name}} for name in statement["Principal"]["AWS"]]

    assert compared(Deployed(domain=SAID.domain, repository=[*others, *one_each])) == compared(AS_SAID)


def test_what_one_may_not_read_is_not_compared() -> None:
    assert compared(UNREADABLE) == [
        "the domain's policy is not for you to read",
        "the repository's policy is not for you to read",
    ]
    assert compared(AS_SAID, has_secrets=True) == ["not compared, for some of the config is encrypted"]


def test_what_is_not_deployed_is_listed_by_whom_it_is_about() -> None:
    assert compared(Deployed(domain=[], repository=[]))[:7] == [
        "the domain's policy is not as the config says",
        f"  lacks  {ROLES}/ci: GetAuthorizationToken",
        f"  lacks  {READER}: GetAuthorizationToken",
        f"  lacks  {PATTERN}: GetAuthorizationToken",
        f"  lacks  arn:aws:iam::{OTHER}:root: GetAuthorizationToken",
        f"  lacks  {ORGANIZATION}: GetAuthorizationToken",
        "the repository's policy is not as the config says",
    ]
    assert compared(Deployed(domain=SAID.domain, repository=SAID.repository[:-2]))[1:] == [
        "the repository's policy is not as the config says",
        "  lacks  a Deny for everybody: DeletePackage, DeletePackageVersions, DeleteRepository, DisposePackageVersions",
        (
            "  lacks  a Deny for everybody if "
            '{"ArnNotLike": {"aws:PrincipalArn": ["arn:aws:iam::111122223333:role/ci"]}, '
            f'"StringNotEquals": {{"aws:PrincipalAccount": ["{OTHER}"]}}}}: CopyPackageVersions, PublishPackageVersion'
        ),
    ]
    without_publishing = [each for each in SAID.repository if not each["Sid"].startswith("Publish")]
    assert compared(Deployed(domain=SAID.domain, repository=without_publishing))[1:] == [
        "the repository's policy is not as the config says",
        f"  lacks  {ROLES}/ci: PublishPackageVersion acme-core",
        f"  lacks  arn:aws:iam::{OTHER}:root: PublishPackageVersion",
    ]


def test_a_role_that_was_deleted_is_said_to_be() -> None:
    assert compared(edited(READER, DELETED))[:3] == [
        "the domain's policy is not as the config says",
        f"  lacks  {READER}: GetAuthorizationToken",
        f"  also has  {DELETED} (a role or user that was deleted): GetAuthorizationToken",
    ]


@pytest.mark.parametrize(
    ("edit", "besides"),
    [
        (
            (f'"{PATTERN}"', f'"{PATTERN}", "arn:aws:iam::999988887777:role/*"'),  # the accounts leave it out
            [],
        ),
        (
            ('"aws:PrincipalAccount": ["111122223333"]', '"aws:PrincipalAccount": ["999988887777"]'),
            [f"  lacks  {PATTERN}: GetAuthorizationToken"],
        ),
        (
            ('"StringEquals": {"aws:PrincipalOrgID"', '"StringLike": {"aws:PrincipalOrgID"'),
            [
                f"  lacks  {ORGANIZATION}: GetAuthorizationToken",
                (
                    '  also has  everybody if {"StringLike": {"aws:PrincipalOrgID": ["o-a1b2c3d4e5"]}}: '
                    "GetAuthorizationToken"
                ),
            ],
        ),
        (
            ('"StringEquals": {"aws:PrincipalOrgID"', '"Bool": {"x": "y"}, "StringEquals": {"aws:PrincipalOrgID"'),
            [
                f"  lacks  {ORGANIZATION}: GetAuthorizationToken",
                (
                    '  also has  everybody if {"Bool": {"x": "y"}, "StringEquals": {"aws:PrincipalOrgID": '
                    '["o-a1b2c3d4e5"]}}: GetAuthorizationToken'
                ),
            ],
        ),
    ],
    ids=["pattern of another account", "other accounts", "other operator", "one condition more"],
)
def test_a_condition_counts(edit: tuple[str, str], besides: list[str]) -> None:
    said = "not as the config says" if besides else "as the config says"

    assert compared(edited(*edit))[:-1] == [f"the domain's policy is {said}", *besides]


def test_the_opposites_of_elements_are_read_too() -> None:
    statement: dict[str, Any] = {"Effect": "Allow", "NotPrincipal": {"AWS": READER}, "NotAction": "sts:*"}
    deployed = Deployed(domain=[*SAID.domain, statement | {"NotResource": [DOMAIN]}], repository=SAID.repository)

    assert compared(deployed)[:2] == [
        "the domain's policy is not as the config says",
        f"  also has  all but {READER}: *",
    ]


def test_what_else_is_in_the_policy_of_an_existing_domain_is_its_owners() -> None:
    theirs = {"Effect": "Allow", "Principal": "*", "Action": "codeartifact:*", "Resource": "*"}
    deployed = Deployed(domain=[*SAID.domain, theirs], repository=[*SAID.repository, theirs])

    assert compared(deployed, existing_domain=True) == [
        "the domain's policy is as the config says",
        "the repository's policy is not as the config says",
        "  also has  everybody: *",
    ]
