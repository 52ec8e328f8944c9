"""The local AWS endpoint itself: what the other tests take for granted of AWS."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
from engine import Emulator, document, error_code

DOMAIN_ARN = "arn:aws:codeartifact:us-west-2:111122223333:domain/acme"
BEARER_TOKEN = {"Effect": "Allow", "Action": "sts:GetServiceBearerToken", "Resource": "*"}
ROLE = "arn:aws:iam::111122223333:role/path/someone"


@pytest.fixture
def root(emulator: Emulator) -> Iterator[Any]:
    """CodeArtifact as the account's root, with a domain."""
    codeartifact = emulator.client("codeartifact")
    codeartifact.create_domain(domain="acme")
    codeartifact.create_repository(domain="acme", repository="internal")
    return codeartifact


def statement(principal: object, **more: object) -> dict[str, object]:
    return {"Effect": "Allow", "Principal": principal, "Action": "codeartifact:*", "Resource": "*"} | more


@pytest.mark.parametrize(
    ("statements", "error"),
    [
        ([], "AccessDeniedException"),
        ([statement({"AWS": ROLE})], ""),
        ([statement({"AWS": "111122223333"})], "AccessDeniedException"),
        ([statement({"AWS": "arn:aws:iam::111122223333:role/someone"})], "AccessDeniedException"),
        ([statement({"AWS": ROLE}), statement("*", Effect="Deny")], "AccessDeniedException"),
        ([statement("*", Condition={"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/path/*"}})], ""),
        (
            [statement("*", Condition={"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/x*"}})],
            "AccessDeniedException",
        ),
        ([statement("*", Condition={"StringEquals": {"aws:PrincipalAccount": "111122223333"}})], ""),
    ],
    ids=["none", "role", "account", "path left out", "deny", "pattern", "other pattern", "condition"],
)
def test_a_domain_policy_decides_who_gets_a_token(
    emulator: Emulator, root: Any, statements: list[object], error: str
) -> None:
    if statements:
        root.put_domain_permissions_policy(domain="acme", policyDocument=document(*statements))
    someone = emulator.client("codeartifact", emulator.assume_role("path/someone", BEARER_TOKEN))

    assert error_code(someone.get_authorization_token, domain="acme") == error


def test_an_account_in_a_policy_leaves_it_to_the_accounts_identity_policies(emulator: Emulator, root: Any) -> None:
    root.put_domain_permissions_policy(domain="acme", policyDocument=document(statement({"AWS": "111122223333"})))
    allowed = {"Effect": "Allow", "Action": "codeartifact:*", "Resource": "*"}
    administrator = emulator.client("codeartifact", emulator.assume_role("admin", allowed, BEARER_TOKEN))

    assert error_code(administrator.get_authorization_token, domain="acme") == ""


@pytest.mark.parametrize(
    ("service", "error"), [("codeartifact.amazonaws.com", ""), ("other.amazonaws.com", "AccessDeniedException")]
)
def test_a_bearer_token_is_for_a_service(emulator: Emulator, root: Any, service: str, error: str) -> None:
    root.put_domain_permissions_policy(domain="acme", policyDocument=document(statement({"AWS": ROLE})))
    bearer_token = BEARER_TOKEN | {"Condition": {"StringEquals": {"sts:AWSServiceName": service}}}
    someone = emulator.client("codeartifact", emulator.assume_role("path/someone", bearer_token))

    assert error_code(someone.get_authorization_token, domain="acme") == error


@pytest.mark.parametrize(
    ("identity", "principal", "error"),
    [
        (statement(None), "arn:aws:iam::444455556666:root", ""),
        (BEARER_TOKEN, "arn:aws:iam::444455556666:root", "AccessDeniedException"),
        (statement(None), "arn:aws:iam::777788889999:root", "AccessDeniedException"),
    ],
    ids=["both sides", "not its own account", "not the domain's account"],
)
def test_another_account_needs_the_consent_of_both(
    emulator: Emulator, root: Any, identity: dict[str, object], principal: str, error: str
) -> None:
    root.put_domain_permissions_policy(domain="acme", policyDocument=document(statement({"AWS": principal})))
    allowed = {key: value for key, value in identity.items() if key != "Principal"}
    keys = emulator.assume_role("visitor", allowed, BEARER_TOKEN, account="444455556666")
    visitor = emulator.client("codeartifact", keys)

    assert error_code(visitor.get_authorization_token, domain="acme", domainOwner="111122223333") == error


def test_a_policy_that_is_too_long_is_refused(root: Any) -> None:
    longest = document(statement({"AWS": ROLE}, Sid="x" * (7168 - len(document(statement({"AWS": ROLE}, Sid=""))))))
    assert len(longest) == 7168

    assert error_code(root.put_domain_permissions_policy, domain="acme", policyDocument=longest) == ""
    too_long = longest.replace("xx", "xxx", 1)
    assert (
        error_code(root.put_domain_permissions_policy, domain="acme", policyDocument=too_long) == "ValidationException"
    )


@pytest.mark.parametrize("kind", ["domain", "repository"])
def test_a_policy_that_somebody_changed_meanwhile_is_not_replaced(root: Any, kind: str) -> None:
    put = getattr(root, f"put_{kind}_permissions_policy")
    where = {"domain": "acme"} | ({"repository": "internal"} if kind == "repository" else {})
    policy = document(statement({"AWS": ROLE}))
    first = put(**where, policyDocument=policy)["policy"]["revision"]
    second = put(**where, policyDocument=policy, policyRevision=first)["policy"]["revision"]

    assert error_code(put, **where, policyDocument=policy, policyRevision=first) == "ConflictException"
    assert error_code(put, **where, policyDocument=policy, policyRevision=second) == ""


def test_a_domain_with_a_repository_is_not_deleted(root: Any) -> None:
    assert error_code(root.delete_domain, domain="acme") == "ConflictException"
    root.delete_repository(domain="acme", repository="internal")
    assert error_code(root.delete_domain, domain="acme") == ""


@pytest.mark.parametrize(("credentials", "status"), [("", 401), ("Basic YXdzOndyb25n", 404)], ids=["none", "wrong"])
def test_the_index_answers_like_codeartifact_to_who_has_no_token(
    emulator: Emulator, credentials: str, status: int
) -> None:
    request = Request(f"{emulator.endpoint}/pypi/internal/simple/acme/", headers={"Authorization": credentials})

    with pytest.raises(HTTPError) as error:
        urlopen(request)
    assert error.value.code == status


@pytest.mark.usefixtures("root")
def test_each_call_is_in_the_log(emulator: Emulator) -> None:
    assert emulator.calls() == ["codeartifact POST /v1/domain", "codeartifact POST /v1/repository"]


def test_a_call_that_is_held_is_answered_the_second_time(tmp_path: Path) -> None:
    emulator = Emulator(tmp_path, hold="GET /v1/domain")
    try:
        with pytest.raises(TimeoutError):
            urlopen(f"{emulator.endpoint}/v1/domain", timeout=0.5)
        with pytest.raises(HTTPError):
            urlopen(f"{emulator.endpoint}/v1/domain", timeout=60)
    finally:
        emulator.stop()
