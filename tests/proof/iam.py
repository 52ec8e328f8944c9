"""IAM policy documents as formulas, by the rules of the IAM user guide. What is not known here is an error.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import z3

from proof.request import ANYTHING, Request, Token

Statement = Mapping[str, Any]
Statements = Sequence[Statement]

_ANY_CHARACTER = z3.AllChar(z3.ReSort(z3.StringSort()))
_NEVER = z3.BoolVal(False)
_ALWAYS = z3.BoolVal(True)


@dataclass(frozen=True, kw_only=True)
class Policies:
    """All policies of a private PyPI in a domain of the account `owner`."""

    place: str
    """What the ARNs of the domain, and of all that is in it, begin with."""
    owner: str
    domain_name: str
    domain: Statements
    repositories: Mapping[str, Statements]
    """By the name of the repository."""
    identity: Mapping[str, Statements]
    """The documents ready to attach, `reader_policy` and `publisher_policy`."""


def allows(policies: Policies, request: Request) -> z3.BoolRef:
    """Whether the request succeeds.

    In the account of the resource a policy on one side is enough, from another account it takes both. A resource policy
    that names an account leaves it to the identity policies of that account.
    """
    named = _resource_side(policies, request, "Allow", _names)
    delegated = _resource_side(policies, request, "Allow", _names_account)
    asked = z3.Or(request.own, _identity_side(policies, request, "Allow"))
    in_domain = z3.And(request.owner == policies.place, request.path[1] == policies.domain_name)
    at_home = z3.Or(z3.Not(in_domain), request.account == policies.owner)
    return z3.And(
        z3.Not(denies(policies, request)),
        z3.If(at_home, z3.Or(named, asked), z3.And(z3.Or(named, delegated), asked)),
    )


def denies(policies: Policies, request: Request) -> z3.BoolRef:
    """Whether a policy refuses the request, whatever allows it."""
    return z3.Or(
        _resource_side(policies, request, "Deny", _names),
        _resource_side(policies, request, "Deny", _names_account),
        _identity_side(policies, request, "Deny"),
    )


def trusts(trust_policy: Statements, token: Token) -> z3.BoolRef:
    """Whether whoever has the token may assume a role with the trust policy."""
    allowed, denied = (
        z3.Or(
            [
                z3.And(_is_from(statement, token), z3.Or([token.action == each for each in _several(statement["Action"])]), _conditions_hold(statement, token))
                for statement in trust_policy
                if statement["Effect"] == effect
            ]
        )
        for effect in ("Allow", "Deny")
    )
    return z3.And(allowed, z3.Not(denied))


def _resource_side(
    policies: Policies, request: Request, effect: str, names: Callable[[Statement, Request], z3.BoolRef]
) -> z3.BoolRef:
    """Whether the domain's policy says it, which covers what is in the domain too, or that of the repository."""
    _, domain, repository, _ = request.path
    in_domain = z3.And(request.owner == policies.place, domain == policies.domain_name)
    scopes = [(in_domain, policies.domain)]
    scopes += [(z3.And(in_domain, repository == name), own) for name, own in policies.repositories.items()]
    return z3.Or(
        [
            z3.And(scope, names(statement, request), _is_about(statement, request))
            for scope, statements in scopes
            for statement in statements
            if statement["Effect"] == effect
        ]
    )


def _identity_side(policies: Policies, request: Request, effect: str) -> z3.BoolRef:
    return z3.Or(
        [
            z3.And(request.has[name], _is_about(statement, request))
            for name, statements in policies.identity.items()
            for statement in statements
            if statement["Effect"] == effect
        ]
    )


def _is_about(statement: Statement, request: Request) -> z3.BoolRef:
    if unknown := statement.keys() - {"Sid", "Effect", "Principal", "Action", "Resource", "Condition"}:
        raise NotImplementedError(unknown)
    return z3.And(
        z3.Or([_is_action(each, request) for each in _several(statement["Action"])]),
        z3.Or([_is_resource(each, request) for each in _several(statement["Resource"])]),
        _conditions_hold(statement, request),
    )


def _is_action(pattern: str, request: Request) -> z3.BoolRef:
    """An action, or all of a service. Other patterns are not known here."""
    service, _, operation = pattern.partition(":")
    if operation == "*":
        return request.service == service
    if re.search(r"[*?]", pattern):
        raise NotImplementedError(pattern)
    return request.is_action(pattern)


def _is_resource(pattern: str, request: Request) -> z3.BoolRef:
    """A `*` is any text, slashes too. Within a part of the path before its last it is not known here."""
    if pattern == "*":
        return _ALWAYS
    *place, rest = pattern.split(":", maxsplit=5)
    *parts, last = rest.split("/", maxsplit=3)
    if len(place) != 5 or re.search(r"[*?]", "".join([*place, *parts])):
        raise NotImplementedError(pattern)
    same = [request.owner == ":".join(place), *(one == other for one, other in zip(request.path, parts, strict=False))]
    here, *after = request.path[len(parts) :]
    if last == "*":
        return z3.And(same)
    if after and re.search(r"[*?]", last):
        raise NotImplementedError(pattern)
    return z3.And(*same, _is_like(here, last), *(part == "" for part in after))


def _names(statement: Statement, request: Request) -> z3.BoolRef:
    """Whether the statement names the caller."""
    return z3.Or([_ALWAYS if each == "*" else _is_caller(each, request) for each in _principals(statement)])


def _names_account(statement: Statement, request: Request) -> z3.BoolRef:
    """Whether the statement names the caller's account."""
    accounts = [_arn(each, request)[0] for each in _principals(statement) if each.endswith(":root")]
    return z3.Or([request.account == account for account in accounts])


def _is_caller(principal: str, request: Request) -> z3.BoolRef:
    account, name = _arn(principal, request)
    if re.search(r"[*?]", principal):
        raise NotImplementedError(principal)
    return _NEVER if name == "root" else z3.And(request.account == account, request.name == name)


def _principals(statement: Statement) -> list[str]:
    match statement["Principal"]:
        case "*":
            return ["*"]
        case {"AWS": principals, **others} if not others:
            return _several(principals)
        case other:
            raise NotImplementedError(other)


def _is_from(statement: Statement, token: Token) -> z3.BoolRef:
    match statement["Principal"]:
        case {"Federated": providers, **others} if not others:
            return z3.Or([token.provider == each for each in _several(providers)])
        case other:
            raise NotImplementedError(other)


def _conditions_hold(statement: Statement, request: Request | Token) -> z3.BoolRef:
    return z3.And(
        [
            _holds(operator, key, _several(values), request)
            for operator, keys in statement.get("Condition", {}).items()
            for key, values in keys.items()
        ]
    )


def _holds(operator: str, key: str, values: list[str], request: Request | Token) -> z3.BoolRef:
    """A key that is missing equals nothing, so that only the negated operators hold for it."""
    if any("${" in value for value in values):
        raise NotImplementedError(values)
    match operator, request:
        case "StringNotEquals", _:
            return z3.Not(_holds("StringEquals", key, values, request))
        case "ArnNotLike", _:
            return z3.Not(_holds("ArnLike", key, values, request))
        case "ArnLike", Request() if key == "aws:PrincipalArn":
            return z3.Or([_is_caller_like(each, request) for each in values])
        case "StringEquals", _:
            value = request.context[key]
            return z3.And(value != "", z3.Or([value == each for each in values]))
        case "StringLike", _:
            value = request.context[key]
            return z3.And(value != "", z3.Or([_is_like(value, each) for each in values]))
        case _:
            raise NotImplementedError(operator, key)


def _is_caller_like(pattern: str, request: Request) -> z3.BoolRef:
    """Each part of an ARN is matched by itself."""
    account, name = _arn(pattern, request)
    return z3.And(_is_like(request.account, account), _is_like(request.name, name))


def _arn(arn: str, request: Request) -> tuple[str, str]:
    """The account and the name of a principal."""
    if not arn.startswith(f"arn:{request.partition}:iam::") or arn.count(":") < 5:
        raise NotImplementedError(arn)
    *_, account, name = arn.split(":", maxsplit=5)
    return account, name


def _is_like(text: z3.SeqRef, pattern: str) -> z3.BoolRef:
    """`*` is any text and `?` any character."""
    if not re.search(r"[*?]", pattern):
        return text == pattern
    wildcards = {"*": ANYTHING, "?": _ANY_CHARACTER}
    first, *others = [wildcards[each] if each in wildcards else z3.Re(each) for each in re.split(r"([*?])", pattern) if each]
    return z3.InRe(text, z3.Concat(first, *others) if others else first)


def _several(values: str | list[str]) -> list[str]:
    return [values] if isinstance(values, str) else values
