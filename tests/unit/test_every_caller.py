"""Proved for every caller, action and resource: what the policies allow is what the config gives.

Here it is proved of each feature of the config alone, and a mistake of each kind is found. `make proof` proves it of
pairs of features too, and makes every mistake wherever it can be made.
"""

import json
from collections.abc import Callable
from typing import Any

import pytest
from proof import theorems
from proof.iam import Policies, allows, trusts
from proof.matrix import ALONE, FEATURES, THERE
from proof.mutations import mutants
from proof.request import Request, Token
from proof.theorems import UndecidedError, case_of, prove, solve

from private_pypi.keys import KEYS

# What is run here, other tests run too; to trace the solver would take as long as all of them.
pytestmark = pytest.mark.untraced


@pytest.mark.parametrize("config", (ALONE | THERE).values(), ids=ALONE | THERE)
def test_the_policies_allow_and_deny_what_the_config_says_and_nothing_else(
    config: dict[str, Any], record_property: Callable[[str, object], None]
) -> None:
    prove(config)
    record_property("proved", config)


def test_every_key_that_has_a_say_in_access_is_a_feature() -> None:
    features = {key for feature in FEATURES.values() for key in feature}

    assert KEYS.keys() - features == {"description", "domain", "encryptionKey"}


def test_the_short_form_of_a_policy_is_among_them() -> None:
    """It is for policies that are too long otherwise, and names its principals once."""
    config = ALONE["a policy that is too long"]
    policy = json.dumps(case_of(config).made.policies.repositories["private-pypi"])

    assert {policy.count(reader) for reader in config["readers"]} == {1}


@pytest.mark.parametrize(
    "mistake",
    [
        "an action more",
        "a principal more",
        "everybody, without the condition",
        "a wider pattern",
        "all packages for some",
        "no Deny",
        "denied to publishers too",
        "every resource to attach",
        "nobody trusted",
    ],
)
def test_a_mistake_in_a_policy_has_a_counterexample(mistake: str) -> None:
    _, _, example = next(mutants(mistake))

    assert example


def test_what_the_solver_cannot_decide_is_not_proved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(theorems, "MAX_STEPS", 1)
    with pytest.raises(UndecidedError):
        prove(ALONE["reader, role"])


STATEMENT = {
    "Effect": "Allow",
    "Principal": {"AWS": ["arn:aws:iam::111122223333:role/ci"]},
    "Action": "codeartifact:ReadFromRepository",
    "Resource": "arn:aws:codeartifact:us-west-2:111122223333:repository/acme/private-pypi",
}


def policies(statement: dict[str, Any]) -> Policies:
    return Policies(
        place="arn:aws:codeartifact:us-west-2:111122223333",
        owner="111122223333",
        administrator="111122223333",
        domain_name="acme",
        domain=[statement],
        repositories={},
        identity={},
    )


@pytest.mark.parametrize(
    "unknown",
    [
        {"Effect": "allow"},
        {"NotAction": "codeartifact:*"},
        {"NotPrincipal": "*"},
        {"NotResource": "*"},
        {"Action": "codeartifact:Read*"},
        {"Principal": {"Service": "codeartifact.amazonaws.com"}},
        {"Principal": {"AWS": "arn:aws:iam::111122223333:role/*"}},
        {"Principal": {"AWS": "arn:aws-cn:iam::111122223333:role/ci"}},
        {"Principal": {"AWS": "arn:aws:sts::111122223333:assumed-role/ci/session"}},
        {"Principal": {"AWS": "AROAEXAMPLE"}},
        {"Resource": "arn:aws:codeartifact:*:111122223333:repository/acme/private-pypi"},
        {"Resource": "arn:aws:codeartifact:us-west-2:111122223333:repository/*/private-pypi"},
        {"Resource": "arn:aws:codeartifact:us-west-2:111122223333:repository/acme/private-*"},
        {"Resource": "arn:aws:codeartifact:us-west-2:111122223333:repository/acme/${aws:username}"},
        {"Resource": "arn:aws:codeartifact:us-west-2:111122223333:package/acme/private-pypi/pypi//${aws:username}-*"},
        {"Condition": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/${aws:username}-*"}}},
        {"Condition": {"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}},
        {"Condition": {"ForAnyValue:StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}},
        {"Condition": {"StringEquals": {"aws:PrincipalOrgID": "${aws:PrincipalTag/organization}"}}},
        {"Condition": {"StringLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/*"}}},
        {"Condition": {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}},
    ],
)
def test_nothing_is_proved_of_a_policy_that_is_not_understood(unknown: dict[str, Any]) -> None:
    request = Request("aws")

    assert solve(request, allows(policies(STATEMENT), request))
    with pytest.raises(NotImplementedError):
        allows(policies(STATEMENT | unknown), request)


@pytest.mark.parametrize("principal", ["*", {"AWS": "111122223333"}, {"Federated": "x", "AWS": "111122223333"}])
def test_nothing_is_proved_of_a_role_that_others_than_workflows_get(principal: object) -> None:
    statement = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRoleWithWebIdentity"}
    with pytest.raises(NotImplementedError):
        trusts([statement], Token())
