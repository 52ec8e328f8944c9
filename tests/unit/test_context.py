"""Who asks, and what the config says of them."""

from dataclasses import replace
from typing import Any

import pytest
from contexts import ACCOUNT, ARNS, OTHER, ROLES, expecting, session, situation

from private_pypi.cli.components import NotUnderstood
from private_pypi.cli.context import Caller, describe_caller
from private_pypi.cli.deployed import Expected
from private_pypi.iam import Access, Policy, Rule

USER = f"arn:aws:iam::{ACCOUNT}:user/team/ada"
IDENTITY_CENTER, DEVELOPERS = "aws-reserved/sso.amazonaws.com", "AWSReservedSSO_Developers_0123456789abcdef"


@pytest.mark.parametrize(
    ("arn", "role_arn", "principal", "has_path", "name"),
    [
        (session(), None, f"{ROLES}/reader", False, "role reader"),
        (session(), f"{ROLES}/a/b/reader", f"{ROLES}/a/b/reader", True, "role reader"),
        (USER, None, USER, True, "user ada"),
        (f"arn:aws:iam::{ACCOUNT}:root", None, f"arn:aws:iam::{ACCOUNT}:root", True, "the root user"),
        (
            f"arn:aws-us-gov:sts::{ACCOUNT}:assumed-role/reader/x",
            None,
            f"arn:aws-us-gov:iam::{ACCOUNT}:role/reader",
            False,
            "role reader",
        ),
    ],
)
def test_a_caller_is_known_by_what_sts_answers(
    arn: str, role_arn: str | None, principal: str, has_path: bool, name: str
) -> None:
    caller = Caller.of(arn, role_arn)

    assert (caller.principal, caller.has_path, caller.name, caller.account) == (principal, has_path, name, ACCOUNT)


@pytest.mark.parametrize(
    ("principal", "arn", "role_arn", "covers"),
    [
        (f"{ROLES}/reader", session(), None, None),
        (f"{ROLES}/reader", session(), f"{ROLES}/reader", True),
        (f"{ROLES}/reader", session(), f"{ROLES}/team/reader", False),
        (f"{ROLES}/team/reader", session(), None, None),
        (f"{ROLES}/*", session(), None, True),
        (f"{ROLES}/*reader", session(), None, True),
        (f"{ROLES}/*/reader", session(), None, None),
        (f"{ROLES}/re*", session(), None, None),
        (f"{ROLES}/ci-*", session("y"), None, None),
        (f"{ROLES}/ci-*", session("y"), f"{ROLES}/ci-x/y", True),
        (f"{ROLES}/ci-*", session("y"), f"{ROLES}/y", False),
        (f"{ROLES}/*-x", session("y"), None, False),
        (f"{ROLES}/other", session(), None, False),
        (f"{ROLES}/reader", session(account=OTHER), None, False),
        (f"{ROLES}/{IDENTITY_CENTER}/*AWSReservedSSO_Developers_*", session(DEVELOPERS), None, True),
        (f"{ROLES}/{IDENTITY_CENTER}/*", session(DEVELOPERS), None, True),
        (f"{ROLES}/{IDENTITY_CENTER}/*/AWSReservedSSO_Developers_*", session(DEVELOPERS), None, None),
        (f"{ROLES}/{IDENTITY_CENTER}/AWSReservedSSO_Developers_*", session(DEVELOPERS), None, None),
        (f"{ROLES}/{IDENTITY_CENTER}/eu-west-1/{DEVELOPERS}", session(DEVELOPERS), None, None),
        (f"{ROLES}/{IDENTITY_CENTER}/*AWSReservedSSO_Admins_*", session(DEVELOPERS), None, False),
        (f"{ROLES}/{DEVELOPERS}", session(DEVELOPERS), None, False),
        (f"arn:aws:iam::{ACCOUNT}:root", session(), None, True),
        (f"arn:aws:iam::{ACCOUNT}:root", session(account=OTHER), None, False),
        ("o-a1b2c3d4e5", session(), None, True),
        (USER, USER, None, True),
        (f"arn:aws:iam::{ACCOUNT}:user/ada", USER, None, False),
        (f"{ROLES}/ada", USER, None, False),
        (USER, session("ada"), None, False),
    ],
)
def test_a_principal_covers_a_caller(principal: str, arn: str, role_arn: str | None, covers: bool | None) -> None:
    """By the name of a role alone, without its path, it often cannot be told."""
    assert Caller.of(arn, role_arn).is_covered_by(principal) is covers


@pytest.mark.parametrize(
    ("said", "arn", "more", "expected"),
    [
        (expecting([f"{ROLES}/reader"]), session(), {"path": ""}, [f"{ROLES}/reader may install"]),
        (
            expecting([ACCOUNT], [(f"{ROLES}/reader", "acme-*")]),
            session(),
            {"path": ""},
            [
                f"{ROLES}/reader may install and publish acme-*",
                f"arn:aws:iam::{ACCOUNT}:root may install",
            ],
        ),
        (
            expecting([], ["o-a1b2c3d4e5"]),
            session(),
            {},
            [
                "o-a1b2c3d4e5 may install and publish everything",
                f"  if account {ACCOUNT} is in that organization, which is not known here",
            ],
        ),
        (expecting(), session(), {}, [f"no entry covers role reader of account {ACCOUNT}"]),
        (
            expecting([ACCOUNT]),
            session(),
            {"has_region": False},
            [
                f"arn:aws:iam::{ACCOUNT}:root may install",
                "aws:region is not in it: us-west-2 is the environment's",
            ],
        ),
        (
            expecting(),
            session(),
            {"not_understood": [NotUnderstood(where="policy", why="it has NotAction", text="{}")]},
            [
                "not all of its policies is understood here: `private-pypi preview` shows what is not",
                f"no entry covers role reader of account {ACCOUNT}",
            ],
        ),
        (
            expecting([OTHER]),
            session(account=OTHER),
            {},
            [
                f"arn:aws:iam::{OTHER}:root may install",
                f"the domain is of account {ACCOUNT} and you are of {OTHER}: both have to let you in",
                f"Pulumi deploys the stack from account {ACCOUNT} (aws:allowedAccountIds), not from yours",
            ],
        ),
        (
            expecting([ACCOUNT], owner=OTHER),
            session(),
            {},
            [
                f"arn:aws:iam::{ACCOUNT}:root may install",
                f"the domain is of account {OTHER} and you are of {ACCOUNT}: both have to let you in",
            ],
        ),
        (
            expecting([ACCOUNT]),
            session(),
            {"account_source": ""},
            [
                f"arn:aws:iam::{ACCOUNT}:root may install",
                f"no account is in it: yours, {ACCOUNT}, is taken for the stack's",
            ],
        ),
        (
            expecting([ACCOUNT]),
            session(),
            {"profile": "deploy"},
            [
                f"arn:aws:iam::{ACCOUNT}:root may install",
                "Pulumi uses aws:profile deploy; this uses the credentials of the environment",
            ],
        ),
        (
            expecting([f"{ROLES}/ci-*", f"{ROLES}/*"]),
            session("y"),
            {},
            [
                f"{ROLES}/* may install",
                f"{ROLES}/ci-* may install",
                "  if it covers the path of your role, which is not known here: its name alone does not tell",
            ],
        ),
    ],
)
def test_a_caller_is_told_what_the_config_says_of_them(
    said: Expected, arn: str, more: dict[str, Any], expected: list[str]
) -> None:
    assert [*describe_caller(situation(said, arn, **more), passed=False)] == expected


def test_who_may_only_make_the_repository_is_no_client() -> None:
    """As the deploying account is, by the policy of another account's domain."""
    maker = Access(
        principal=f"arn:aws:iam::{ACCOUNT}:root", install=False, other=("codeartifact:CreateRepository on x",)
    )
    publisher = Access(principal=f"{ROLES}/*", install=False, publish=("*",))
    at = situation(expecting([], access=[maker, publisher]))

    assert at.listed == [publisher]
    assert at.let_by("codeartifact:GetAuthorizationToken", "") is None
    assert at.let_by("codeartifact:PublishPackageVersion", "x") == f"{ROLES}/*"


def test_whoever_gets_in_and_is_not_listed_is_told_so() -> None:
    assert [*describe_caller(situation(expecting()), passed=True)] == [
        f"no entry covers role reader of account {ACCOUNT}: you get in by rights of your own"
    ]


@pytest.mark.parametrize(
    ("change", "denied"),
    [
        ({}, True),
        ({"effect": "Allow"}, False),
        ({"actions": ("codeartifact:GetAuthorizationToken",)}, False),
        ({"resources": (f"{ARNS.repository}-2",)}, False),
        ({"principals": frozenset([f"{ROLES}/reader"])}, True),
        ({"principals": frozenset([f"{ROLES}/ci", f"{ROLES}/re*"])}, True),
        ({"principals": frozenset([f"{ROLES}/ci"])}, False),
        ({"exempts": True, "principals": frozenset[str]()}, True),
        ({"exempts": True, "principals": frozenset([f"{ROLES}/ci"])}, True),
        ({"exempts": True, "principals": frozenset([f"{ROLES}/*"])}, False),
    ],
)
def test_whom_the_config_denies_something_in_the_domains_policy_is_told(change: dict[str, Any], denied: bool) -> None:
    rule = Rule(
        effect="Deny",
        principals=frozenset([f"arn:aws:iam::{ACCOUNT}:root"]),
        exempts=False,
        actions=("codeartifact:readfrom*",),
        resources=("*",),
    )
    at = situation(expecting([], domain=Policy(rules=(replace(rule, **change),))))

    assert at.is_denied_by_domain("codeartifact:ReadFromRepository") is denied
