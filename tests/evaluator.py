"""A small evaluator of IAM policies, for asking who may do what.

The rules are those of the IAM user guide, and of CodeArtifact's on repository policies and domain policies together:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
https://docs.aws.amazon.com/codeartifact/latest/ug/repo-policies.html
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Document = Mapping[str, Any]

# Actions without a type of resource, which a statement has to name as `*`:
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscodeartifact.html
_WITHOUT_RESOURCE = {
    f"codeartifact:{operation}"
    for operation in ("CreateDomain", "CreatePackageGroup", "CreateRepository", "ListDomains", "ListRepositories")
}

# The claims that STS takes as condition keys, and those of GitHub's tokens in the partition `aws`:
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_iam-condition-keys.html
_GITHUB = "token.actions.githubusercontent.com"
_CLAIMS = ("amr", "aud", "sub")
_GITHUBS_CLAIMS = ("actor", "environment", "job_workflow_ref", "ref", "repository", "repository_id", "workflow")


@dataclass(frozen=True, kw_only=True)
class Caller:
    """A role or user that calls, with its identity policies."""

    arn: str
    identity_policies: tuple[Document, ...] = ()
    organization: str | None = None
    for_service: str | None = "codeartifact.amazonaws.com"
    """The service that it asks for a bearer token for, if it does."""

    @property
    def account(self) -> str:
        return self.arn.split(":")[4]


def allows(
    caller: Caller,
    action: str,
    resource: str,
    *,
    permissions_policy: Document | None,
    owner: str,
    administrator: str | None = None,
) -> bool:
    """Whether `caller` may do `action` on a resource, or makes something in it, by a permissions policy.

    The resource is in a domain of the account `owner`. The account `administrator` made the repository, if it is one or
    in one; that is `owner` unless it is given.
    """
    identity = [
        statement
        for policy in caller.identity_policies
        for statement in policy["Statement"]
        if _is_about(statement, caller, action, resource)
    ]
    granted = [
        statement
        for statement in (permissions_policy or {"Statement": []})["Statement"]
        if _names(statement, caller, owner) and _is_about(statement, caller, action, resource)
    ]
    if any(statement["Effect"] == "Deny" for statement in [*identity, *granted]):
        return False
    if caller.account == owner:
        return bool(identity or granted)
    kind = resource.split(":", maxsplit=5)[-1].partition("/")[0]
    if caller.account == administrator and kind in {"repository", "package"}:
        # Whether a permissions policy alone is enough there too is not documented. Here it is not.
        return bool(identity)
    return bool(identity and granted)


def evaluated(action: str, *, domain: Sequence[Document], repository: Sequence[Document]) -> Document:
    """Of the statements of a domain's and a repository's permissions policies, those that have a say in an action."""
    if action == "codeartifact:PutDomainPermissionsPolicy":
        domain = []
    if action == "codeartifact:PutRepositoryPermissionsPolicy":
        repository = []
    return {"Statement": [*domain, *repository]}


def trusts(
    trust_policy: Document,
    provider: str,
    claims: Mapping[str, str],
    *,
    action: str = "sts:AssumeRoleWithWebIdentity",
) -> bool:
    """Whether a role with a trust policy may be assumed with a token with these claims, by an account's provider."""
    partition, issuer = provider.split(":")[1], provider.partition(":oidc-provider/")[2]
    taken = [*_CLAIMS, *(_GITHUBS_CLAIMS if (partition, issuer) == ("aws", _GITHUB) else [])]
    context = {f"{issuer}:{name}": value for name, value in claims.items() if name in taken}
    about = [
        statement
        for statement in trust_policy["Statement"]
        if provider in _list(statement["Principal"]["Federated"])
        and action in _list(statement["Action"])
        and _conditions_hold(statement, context)
    ]
    return bool(about) and all(statement["Effect"] == "Allow" for statement in about)


def _names(statement: Document, caller: Caller, owner: str) -> bool:
    if statement["Principal"] == "*":
        return True
    principals = statement["Principal"]["AWS"]
    # An account leaves it to its identity policies. For its own resources these are enough by themselves.
    account = ":".join([*caller.arn.split(":")[:5], "root"])  # a path may have colons
    return caller.arn in principals or (account in principals and caller.account != owner)


def _is_about(statement: Document, caller: Caller, action: str, resource: str) -> bool:
    named = "*" if action in _WITHOUT_RESOURCE else resource
    return (
        any(_like(action, pattern) for pattern in _list(statement["Action"]))
        and any(_like(named, pattern) for pattern in _list(statement["Resource"]))
        and _conditions_hold(statement, _context(caller))
    )


def _conditions_hold(statement: Document, context: Mapping[str, str]) -> bool:
    return all(
        _holds(operator, context.get(key), _list(values))
        for operator, keys in statement.get("Condition", {}).items()
        for key, values in keys.items()
    )


def _context(caller: Caller) -> dict[str, str]:
    keys = {
        "aws:PrincipalArn": caller.arn,
        "aws:PrincipalAccount": caller.account,
        "aws:PrincipalOrgID": caller.organization,
        "sts:AWSServiceName": caller.for_service,
    }
    return {key: value for key, value in keys.items() if value}


def _holds(operator: str, value: str | None, expected: list[str]) -> bool:
    """A key that is missing equals nothing, so that only the negated operators hold for it."""
    match operator:
        case "StringEquals":
            return value in expected
        case "StringNotEquals":
            return value not in expected
        case "ArnLike" | "StringLike":
            return value is not None and any(_like(value, pattern) for pattern in expected)
        case "ArnNotLike":
            return value is None or not any(_like(value, pattern) for pattern in expected)
        case _:
            raise NotImplementedError(operator)


def _like(value: str, pattern: str) -> bool:
    return re.fullmatch(re.escape(pattern).replace(r"\*", ".*").replace(r"\?", "."), value) is not None


def _list(values: Any) -> list[str]:
    return [values] if isinstance(values, str) else values
