"""IAM policy documents as formulas, by the rules of the user guides. What is not known here is an error.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html
https://docs.aws.amazon.com/codeartifact/latest/ug/repo-policies.html
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import z3
from proof.request import ANYTHING, WITHOUT_RESOURCE, Formula, Request, Token

Statement = Mapping[str, Any]
Statements = Sequence[Statement]

_ANY_CHARACTER = z3.AllChar(z3.ReSort(z3.StringSort()))


@dataclass(frozen=True, kw_only=True)
class Policies:
    """All policies of a private PyPI in a domain of the account `owner`, made by the account `administrator`."""

    place: str
    """What the ARNs of the domain, and of all that is in it, begin with."""
    owner: str
    administrator: str
    domain_name: str
    domain: Statements
    repositories: Mapping[str, Statements]
    """By the name of the repository: of each that is made, with no statements if it has no policy."""
    identity: Mapping[str, Statements]
    """The identity policies that are made, by what they are called: those ready to attach, and those of roles."""


def allows(policies: Policies, request: Request) -> Formula:
    """Whether the request succeeds.

    In the domain owner's account a policy on one side is enough. In the account that made a repository an identity
    policy is enough for it and for its packages, though not for the domain. From all others, and by a resource policy
    from that account, it takes both. A resource policy that names an account leaves it to the identity policies of that
    account.
    """
    named = _resource_side(policies, request, "Allow", _names)
    delegated = _resource_side(policies, request, "Allow", _names_account)
    asked = z3.Or(request.own, _identity_side(policies, request, "Allow"))
    kind, domain, repository, _ = request.path
    in_domain = z3.And(request.owner == policies.place, domain == policies.domain_name)
    at_home = z3.Or(z3.Not(in_domain), request.account == policies.owner)
    is_administered = z3.And(
        z3.Or(kind == "repository", kind == "package"), z3.Or([repository == name for name in policies.repositories])
    )
    needs_no_other = z3.And(is_administered, request.account == policies.administrator)
    let_in = z3.Or(named, delegated, needs_no_other)
    return z3.And(z3.Not(denies(policies, request)), z3.If(at_home, z3.Or(named, asked), z3.And(let_in, asked)))


def denies(policies: Policies, request: Request) -> Formula:
    """Whether a policy refuses the request, whatever allows it."""
    return z3.Or(
        _resource_side(policies, request, "Deny", _names),
        _resource_side(policies, request, "Deny", _names_account),
        _identity_side(policies, request, "Deny"),
    )


def trusts(trust_policy: Statements, token: Token) -> Formula:
    """Whether whoever has the token may assume a role with the trust policy."""

    def is_about(statement: Statement) -> Formula:
        is_action = z3.Or([token.action == each for each in _several(statement["Action"])])
        return z3.And(_is_from(statement, token), is_action, _conditions_hold(statement, token))

    return z3.And(_say("Allow", trust_policy, is_about), z3.Not(_say("Deny", trust_policy, is_about)))


def _resource_side(
    policies: Policies, request: Request, effect: str, names: Callable[[Statement, Request], Formula]
) -> Formula:
    """Whether the domain's policy says it, which covers what is in the domain too, or that of the repository.

    Neither has a say in who replaces it.
    """

    def is_about(statement: Statement) -> Formula:
        return z3.And(names(statement, request), _is_about(statement, request))

    def unless(action: str, is_said: Formula) -> Formula:
        return z3.And(z3.Not(request.is_action(action)), is_said)

    _, domain, repository, _ = request.path
    is_said = [unless("codeartifact:PutDomainPermissionsPolicy", _say(effect, policies.domain, is_about))]
    for name, statements in policies.repositories.items():
        by_repository = z3.And(repository == name, _say(effect, statements, is_about))
        is_said.append(unless("codeartifact:PutRepositoryPermissionsPolicy", by_repository))
    return z3.And(request.owner == policies.place, domain == policies.domain_name, z3.Or(is_said))


def _identity_side(policies: Policies, request: Request, effect: str) -> Formula:
    return z3.Or(
        [
            z3.And(request.has[name], _say(effect, statements, lambda statement: _is_about(statement, request)))
            for name, statements in policies.identity.items()
        ]
    )


def _say(effect: str, statements: Statements, is_about: Callable[[Statement], Formula]) -> Formula:
    """Whether one of the statements has the effect on what they are asked about."""
    for statement in statements:
        unknown = statement.keys() - {"Sid", "Effect", "Principal", "Action", "Resource", "Condition"}
        if unknown or statement["Effect"] not in {"Allow", "Deny"}:
            raise NotImplementedError(statement)
    return z3.Or([is_about(statement) for statement in statements if statement["Effect"] == effect])


def _is_about(statement: Statement, request: Request) -> Formula:
    actions, resources = _several(statement["Action"]), _several(statement["Resource"])
    return z3.And(
        z3.Or([_is_action(each, request, names_resource="*" not in resources) for each in actions]),
        z3.Or([_is_resource(each, request) for each in resources]),
        _conditions_hold(statement, request),
    )


def _is_action(pattern: str, request: Request, *, names_resource: bool) -> Formula:
    """An action, or all of a service; not one without a type of resource, where a statement `names_resource`.

    Other patterns are not known here.
    """
    service, _, operation = pattern.partition(":")
    without_resource = WITHOUT_RESOURCE if names_resource else []
    if operation == "*":
        return z3.And(request.service == service, *(z3.Not(request.is_action(each)) for each in without_resource))
    if _is_pattern(pattern):
        raise NotImplementedError(pattern)
    return request.is_action(pattern) if pattern not in without_resource else False


def _is_resource(pattern: str, request: Request) -> Formula:
    """A `*` is any text, slashes too. It is known here for all that is below, and in the names of packages."""
    if pattern == "*":
        return True
    *place, path = pattern.split(":", maxsplit=5)
    *parts, last = path.split("/", maxsplit=3)
    if (
        len(place) != 5
        or _is_pattern("".join([*place, *parts]))
        or (_is_pattern(last) and last != "*" and len(parts) != 3)
    ):
        raise NotImplementedError(pattern)
    texts = parts if last == "*" else [*parts, last, "", "", ""]
    return z3.And(request.owner == ":".join(place), *map(_is_like, request.path, texts))


def _names(statement: Statement, request: Request) -> Formula:
    """Whether the statement names the caller."""
    return z3.Or([_is_caller(each, request) for each in _principals(statement)])


def _names_account(statement: Statement, request: Request) -> Formula:
    """Whether the statement names the caller's account."""
    return z3.Or([_is_in_account(each, request) for each in _principals(statement)])


def _is_caller(principal: str, request: Request) -> Formula:
    if principal == "*":
        return True
    account, name = _parse(principal, request)
    return z3.And(name != "root", request.account == account, request.name == name)


def _is_in_account(principal: str, request: Request) -> Formula:
    if principal == "*":
        return False
    account, name = _parse(principal, request)
    return z3.And(name == "root", request.account == account)


def _principals(statement: Statement) -> list[str]:
    match statement["Principal"]:
        case "*":
            return ["*"]
        case {"AWS": principals, **others} if not others:
            return _several(principals)
        case other:
            raise NotImplementedError(other)


def _is_from(statement: Statement, token: Token) -> Formula:
    match statement["Principal"]:
        case {"Federated": providers, **others} if not others:
            return z3.Or([token.provider == each for each in _several(providers)])
        case other:
            raise NotImplementedError(other)


def _conditions_hold(statement: Statement, request: Request | Token) -> Formula:
    return z3.And(
        [
            _holds(operator, key, _several(values), request)
            for operator, keys in statement.get("Condition", {}).items()
            for key, values in keys.items()
        ]
    )


def _holds(operator: str, key: str, values: list[str], request: Request | Token) -> Formula:
    """A key that is missing equals nothing, so that only the negated operators hold for it."""
    match operator, key:
        case "StringNotEquals", _:
            return z3.Not(_holds("StringEquals", key, values, request))
        case "ArnNotLike", _:
            return z3.Not(_holds("ArnLike", key, values, request))
        case "ArnLike", "aws:PrincipalArn" if isinstance(request, Request):
            return z3.Or([_is_caller_like(each, request) for each in values])
        case "StringEquals" | "StringLike", _ if key in request.context:
            value, is_it = request.context[key], {"StringEquals": _is_equal, "StringLike": _is_like}[operator]
            return z3.And(value != "", z3.Or([is_it(value, each) for each in values]))
        case _:
            raise NotImplementedError(operator, key)


def _is_caller_like(pattern: str, request: Request) -> Formula:
    """Each part of an ARN is matched by itself."""
    account, name = _parse(pattern, request, is_pattern=True)
    return z3.And(_is_like(request.account, account), _is_like(request.name, name))


def _parse(arn: str, request: Request, *, is_pattern: bool = False) -> tuple[str, str]:
    """The account of a role, a user or an account, and its name in there, `root` for the account."""
    *place, account, name = [*arn.split(":", maxsplit=5), ""][:6]
    if place != ["arn", request.partition, "iam", ""] or not name or (_is_pattern(arn) and not is_pattern):
        raise NotImplementedError(arn)
    return account, name


def _is_equal(text: z3.SeqRef, value: str) -> Formula:
    """The very text. What stands for another one, as `${aws:username}` does, is not known here."""
    if "$" in value:
        raise NotImplementedError(value)
    return text == value


def _is_like(text: z3.SeqRef, pattern: str) -> Formula:
    """`*` is any text and `?` any character."""
    if "$" in pattern or not _is_pattern(pattern):
        return _is_equal(text, pattern)
    wildcards = {"*": ANYTHING, "?": _ANY_CHARACTER}
    parts = [wildcards[each] if each in wildcards else z3.Re(each) for each in re.split("([*?])", pattern) if each]
    return z3.InRe(text, z3.Concat(*parts) if len(parts) > 1 else parts[0])


def _is_pattern(text: str) -> bool:
    return re.search(r"[*?]", text) is not None


def _several(values: str | list[str]) -> list[str]:
    return [values] if isinstance(values, str) else values
