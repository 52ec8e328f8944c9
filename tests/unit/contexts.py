"""Who asks, what the config says of them and what is deployed, for the tests of the check."""

import dataclasses
from typing import Any

from private_pypi.arns import Arns
from private_pypi.cli.context import Caller, Situation
from private_pypi.cli.deployed import Deployed, Expected
from private_pypi.iam import read_access, read_policy
from private_pypi.policies import domain_policy, repository_policy
from private_pypi.principals import Principal, Publisher

ACCOUNT, OTHER = "111122223333", "444455556666"
ROLES = f"arn:aws:iam::{ACCOUNT}:role"
UNREADABLE = Deployed(domain=None, repository=None)


ARNS = Arns(partition="aws", region="us-west-2", owner=ACCOUNT, domain_name="acme", repository_name="private-pypi")


def documents(arns: Arns = ARNS, *, closed: bool = False, **who: Any) -> tuple[str | None, str | None]:
    """The permissions policies of a domain and a repository for `readers` and `publishers`."""
    who = {"readers": [], "publishers": []} | who
    return domain_policy(arns, **who), repository_policy(arns, **who, closed_publishing=closed, protect=True)


def expecting(
    readers: list[str] | None = None,
    publishers: list[str | tuple[str, str]] | None = None,
    *,
    owner: str = ACCOUNT,
    closed: bool = False,
    **more: Any,
) -> Expected:
    """What a config says that names readers and publishers, some of these with the one package that they publish."""
    arns = dataclasses.replace(ARNS, owner=owner)
    who: dict[str, Any] = {
        "readers": [Principal(each) for each in readers or []],
        "publishers": [
            Publisher(principal=Principal(each))
            if isinstance(each, str)
            else Publisher(principal=Principal(each[0]), packages=(each[1],))
            for each in publishers or []
        ],
    }
    domain, repository = (read_policy(text, arns) for text in documents(arns, closed=closed, **who))
    read: dict[str, Any] = {
        "name": "private-pypi",
        "arns": arns,
        "access": read_access(domain, repository, arns),
        "domain": domain,
        "repository": repository,
        "existing_domain": False,
        "attaches_identity_policies": False,
    }
    return Expected(**read | more)


def session(role: str = "reader", account: str = ACCOUNT) -> str:
    """What AWS calls a session of a role."""
    return f"arn:aws:sts::{account}:assumed-role/{role}/session"


def situation(said: Expected, arn: str = session(), *, path: str | None = None, **more: Any) -> Situation:
    """A caller and a config; `path` is that of the caller's role, if it is known."""
    role_arn = None
    if path is not None:
        _, role, _ = arn.split("/")
        role_arn = f"arn:aws:iam::{arn.split(':')[4]}:role/{path}{role}"
    known: dict[str, Any] = {
        "stack": "dev",
        "account": ACCOUNT,
        "account_source": "aws:allowedAccountIds",
        "profile": None,
        "caller": Caller.of(arn, role_arn),
        "expected": said,
        "has_region": True,
    }
    ours = {
        name: more.pop(name)
        for name in (
            *("attaches_identity_policies", "existing_domain", "internal_packages", "not_understood"),
            "public_upstream",
        )
        if name in more
    }
    known["expected"] = dataclasses.replace(said, **ours)
    return Situation(**known | more)
