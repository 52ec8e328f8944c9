"""Who asks, and what the config says of them."""

from typing import Any

import pytest
from contexts import ACCOUNT, OTHER, ROLES, meant, session, situation

from private_pypi.cli.context import Caller, describe_caller
from private_pypi.cli.deployed import Expected

USER = f"arn:aws:iam::{ACCOUNT}:user/team/ada"
SSO = f"{ROLES}/aws-reserved/sso.amazonaws.com/*/AWSReservedSSO_Developers_*"


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
    ("principal", "arn", "by_name", "by_path"),
    [
        (f"{ROLES}/reader", session(), True, True),
        (f"{ROLES}/team/reader", session(), True, False),
        (f"{ROLES}/re*", session(), True, True),
        (f"{ROLES}/team/re*", session(), True, False),
        (f"{ROLES}/other", session(), False, False),
        (f"{ROLES}/reader", session(account=OTHER), False, False),
        (SSO, session("AWSReservedSSO_Developers_1"), True, False),
        (SSO, session("AWSReservedSSO_Guests_1"), False, False),
        (f"arn:aws:iam::{ACCOUNT}:root", session(), True, True),
        (f"arn:aws:iam::{ACCOUNT}:root", session(account=OTHER), False, False),
        ("o-a1b2c3d4e5", session(), True, True),
        ("[secret]", session(), False, False),
        (USER, USER, True, True),
        (f"arn:aws:iam::{ACCOUNT}:user/ada", USER, True, False),
        (f"{ROLES}/ada", USER, False, False),
        (USER, session("ada"), False, False),
    ],
)
def test_a_principal_names_a_caller(principal: str, arn: str, by_name: bool, by_path: bool) -> None:
    caller = Caller.of(arn)

    assert caller.is_named_by(principal, path_counts=False) == by_name
    assert caller.is_named_by(principal, path_counts=True) == by_path


@pytest.mark.parametrize(
    ("said", "arn", "more", "expected"),
    [
        (meant([f"{ROLES}/reader"]), session(), {}, [f"{ROLES}/reader may install"]),
        (
            meant([ACCOUNT], [(f"{ROLES}/reader", "acme-*")]),
            session(),
            {},
            [
                f"{ROLES}/reader may install and publish acme-*",
                f"arn:aws:iam::{ACCOUNT}:root may install",
            ],
        ),
        (
            meant([], ["o-a1b2c3d4e5"]),
            session(),
            {},
            [
                "o-a1b2c3d4e5 may install and publish everything",
                f"  if account {ACCOUNT} is in that organization, which is not known here",
            ],
        ),
        (meant(), session(), {}, [f"no entry is about role reader of account {ACCOUNT}"]),
        (
            meant([ACCOUNT]),
            session(),
            {"has_region": False},
            [
                f"arn:aws:iam::{ACCOUNT}:root may install",
                "aws:region is not in it: us-west-2 is the environment's",
            ],
        ),
        (
            meant(),
            session(),
            {"has_secrets": True},
            ["what is encrypted in it is not known here", f"no entry is about role reader of account {ACCOUNT}"],
        ),
        (
            meant([OTHER]),
            session(account=OTHER),
            {},
            [
                f"arn:aws:iam::{OTHER}:root may install",
                f"the domain is of account {ACCOUNT} and you are of {OTHER}: both have to let you in",
                f"Pulumi deploys the stack from account {ACCOUNT} (aws:allowedAccountIds), not from yours",
            ],
        ),
        (
            meant([ACCOUNT], owner=OTHER),
            session(),
            {},
            [
                f"arn:aws:iam::{ACCOUNT}:root may install",
                f"the domain is of account {OTHER} and you are of {ACCOUNT}: both have to let you in",
            ],
        ),
        (
            meant([ACCOUNT]),
            session(),
            {"profile": "deploy", "profile_account": OTHER},
            [
                f"arn:aws:iam::{ACCOUNT}:root may install",
                (
                    f"aws:profile deploy is of account {OTHER}; "
                    "Pulumi takes it, and this takes the credentials of the environment"
                ),
            ],
        ),
        (
            meant([ACCOUNT], owner=OTHER),
            session(),
            {"account": OTHER, "account_source": "aws:profile", "profile": "deploy", "profile_account": OTHER},
            [
                f"arn:aws:iam::{ACCOUNT}:root may install",
                f"the domain is of account {OTHER} and you are of {ACCOUNT}: both have to let you in",
                f"Pulumi deploys the stack from account {OTHER} (aws:profile), not from yours",
            ],
        ),
        (
            meant([ACCOUNT]),
            session(),
            {"account_source": ""},
            [
                f"arn:aws:iam::{ACCOUNT}:root may install",
                f"no account is in it: yours, {ACCOUNT}, is taken for the stack's",
            ],
        ),
        (
            meant([ACCOUNT]),
            session(),
            {"profile": "deploy"},
            [
                f"arn:aws:iam::{ACCOUNT}:root may install",
                (
                    "aws:profile deploy is not to be had here; "
                    "Pulumi takes it, and this takes the credentials of the environment"
                ),
            ],
        ),
        (
            meant([ACCOUNT]),
            session(),
            {"profile": "deploy", "profile_account": ACCOUNT},
            [f"arn:aws:iam::{ACCOUNT}:root may install"],
        ),
    ],
)
def test_a_caller_is_told_what_the_config_says_of_them(
    said: Expected, arn: str, more: dict[str, Any], expected: list[str]
) -> None:
    assert [*describe_caller(situation(said, arn, **more), passed=False)] == expected


def test_whoever_gets_in_and_is_not_listed_is_told_so() -> None:
    assert [*describe_caller(situation(meant()), passed=True)] == [
        f"no entry is about role reader of account {ACCOUNT}: you get in by rights of your own"
    ]
