"""What is deployed, next to what the config says."""

import dataclasses
import json
from typing import Any

import pytest
from contexts import OTHER, ROLES, UNREADABLE, expecting

from private_pypi.cli.deployed import Deployed, compare
from private_pypi.iam import PUBLISH, Policy, read_policy
from private_pypi.policies import domain_policy
from private_pypi.principals import Principal

READER, PATTERN, ORGANIZATION = f"{ROLES}/reader", f"{ROLES}/sso/*", "o-a1b2c3d4e5"
SAID = expecting([READER, PATTERN, ORGANIZATION], [(f"{ROLES}/ci", "acme-core"), OTHER], closed=True)
AS_SAID = Deployed(domain=SAID.domain, repository=SAID.repository)
DOMAIN = "arn:aws:codeartifact:us-west-2:111122223333:domain/acme"
DELETED = "AROAEXAMPLEEXAMPLE123"


def compared(deployed: Deployed, *, existing_domain: bool = False) -> list[str]:
    return [*compare(dataclasses.replace(SAID, existing_domain=existing_domain), deployed)]


def edited(old: str, new: str) -> Deployed:
    """What is deployed, with another text in the domain's policy."""
    who = [Principal(each) for each in (READER, PATTERN, ORGANIZATION, f"{ROLES}/ci", OTHER)]
    text = domain_policy(SAID.arns, readers=who, publishers=[])
    assert text is not None
    assert old in text
    return Deployed(domain=read_policy(text.replace(old, new), SAID.arns), repository=SAID.repository)


def with_statement(policy: Policy, statement: dict[str, Any]) -> Policy:
    return policy + read_policy(json.dumps(statement), SAID.arns)


def test_what_is_deployed_as_the_config_says_is_said_to_be() -> None:
    assert compared(AS_SAID) == [
        "the domain's policy is as the config says",
        "the repository's policy is as the config says",
    ]


def test_statements_may_be_put_together_in_another_way() -> None:
    rule, *others = SAID.repository.rules
    one_each = [dataclasses.replace(rule, principals=frozenset({name})) for name in rule.principals]

    assert compared(Deployed(domain=SAID.domain, repository=Policy(rules=(*others, *one_each)))) == compared(AS_SAID)


def test_what_one_may_not_read_is_not_compared() -> None:
    assert compared(UNREADABLE) == [
        "you may not read the domain's policy",
        "you may not read the repository's policy",
    ]


def test_what_is_not_deployed_is_listed_by_whom_it_is_about() -> None:
    assert compared(Deployed(domain=Policy(), repository=Policy()))[:7] == [
        "the domain's policy is not as the config says",
        f"  lacks  {ROLES}/ci: GetAuthorizationToken",
        f"  lacks  {READER}: GetAuthorizationToken",
        f"  lacks  {PATTERN}: GetAuthorizationToken",
        f"  lacks  arn:aws:iam::{OTHER}:root: GetAuthorizationToken",
        f"  lacks  {ORGANIZATION}: GetAuthorizationToken",
        "the repository's policy is not as the config says",
    ]
    assert compared(Deployed(domain=SAID.domain, repository=Policy(rules=SAID.repository.rules[:-2])))[1:] == [
        "the repository's policy is not as the config says",
        "  lacks  a Deny for everybody: DeletePackage, DeletePackageVersions, DeleteRepository, DisposePackageVersions",
        (
            f"  lacks  a Deny for everybody but {ROLES}/ci, arn:aws:iam::{OTHER}:root: "
            "CopyPackageVersions, PublishPackageVersion"
        ),
    ]
    without_publishing = [
        each for each in SAID.repository.rules if each.effect == "Deny" or each.actions != tuple(PUBLISH)
    ]
    assert compared(Deployed(domain=SAID.domain, repository=Policy(rules=tuple(without_publishing))))[1:] == [
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
    ("edit", "lines"),
    [
        (
            (f'"{PATTERN}"', f'"{PATTERN}","arn:aws:iam::999988887777:role/*"'),  # the accounts leave it out
            [],
        ),
        (
            ('"aws:PrincipalAccount":["111122223333"]', '"aws:PrincipalAccount":["999988887777"]'),
            [f"  lacks  {PATTERN}: GetAuthorizationToken"],
        ),
        (
            ('"StringEquals":{"aws:PrincipalOrgID"', '"StringLike":{"aws:PrincipalOrgID"'),
            [
                f"  lacks  {ORGANIZATION}: GetAuthorizationToken",
                (
                    "  also has  a statement that is not understood (its condition is not one of those known here): "
                    '{"Action":["codeartifact:GetAuthorizationToken"],'
                    '"Condition":{"StringLike":{"aws:PrincipalOrgID":["o-a1b2c3d4e5"]}},"Effect":"Allow",'
                    f'"Principal":"*","Resource":"{DOMAIN}","Sid":"GetAuthorizationTokenByOrganization"}}'
                ),
            ],
        ),
    ],
    ids=["pattern of another account", "other accounts", "other operator"],
)
def test_a_condition_counts(edit: tuple[str, str], lines: list[str]) -> None:
    said = "not as the config says" if lines else "as the config says"

    assert compared(edited(*edit))[:-1] == [f"the domain's policy is {said}", *lines]


def test_what_else_is_in_the_policy_of_an_existing_domain_is_its_owners() -> None:
    theirs = {"Effect": "Allow", "Principal": "*", "Action": "codeartifact:*", "Resource": "*"}
    deployed = Deployed(domain=with_statement(SAID.domain, theirs), repository=with_statement(SAID.repository, theirs))

    assert compared(deployed, existing_domain=True) == [
        "the domain's policy is as the config says",
        "the repository's policy is not as the config says",
        (
            "  also has  a statement that is not understood (it is for everybody, without a condition): "
            '{"Action":"codeartifact:*","Effect":"Allow","Principal":"*","Resource":"*"}'
        ),
    ]


def test_a_statement_that_both_have_is_no_difference() -> None:
    theirs = {"Effect": "Allow", "Principal": "*", "Action": "codeartifact:*", "Resource": "*"}
    expected = dataclasses.replace(SAID, repository=with_statement(SAID.repository, theirs))

    assert [*compare(expected, Deployed(domain=SAID.domain, repository=expected.repository))] == compared(AS_SAID)
