"""Mistakes that one could make in a policy. Each is a change of a statement, made wherever there is such a statement.

Not among them are changes that change nothing for anybody: another account, or none, in the `aws:PrincipalAccount` that
stands beside a pattern, which has its account in it; `StringLike` for `StringEquals` where there is no `*`; and a wider
resource in a repository's policy, which is about that repository alone.
"""

import copy
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

Statement = Mapping[str, Any]
Change = Callable[[Statement], Iterable[Statement | None]]
"""What could stand for a statement; `None` is nothing."""


@dataclass(frozen=True, kw_only=True)
class Mutation:
    """A change of the statements of one effect, in the policies of one kind."""

    kind: Literal["permissions", "identity", "trust"]
    effect: Literal["Allow", "Deny"] = "Allow"
    change: Change


_Path = Sequence[str]
_ACTION, _RESOURCE, _PRINCIPAL, _PROVIDER = ["Action"], ["Resource"], ["Principal", "AWS"], ["Principal", "Federated"]
_LIKE, _ACCOUNT, _ORGANIZATION, _SERVICE = (
    ["Condition", operator, key]
    for operator, key in (
        ("ArnLike", "aws:PrincipalArn"),
        ("StringEquals", "aws:PrincipalAccount"),
        ("StringEquals", "aws:PrincipalOrgID"),
        ("StringEquals", "sts:AWSServiceName"),
    )
)
_NOT_LIKE, _NOT_ACCOUNT, _NOT_ORGANIZATION = (
    ["Condition", operator, key]
    for operator, key in (
        ("ArnNotLike", "aws:PrincipalArn"),
        ("StringNotEquals", "aws:PrincipalAccount"),
        ("StringNotEquals", "aws:PrincipalOrgID"),
    )
)
_AUDIENCE, _SUBJECT, _SUBJECTS = (
    ["Condition", operator, f"token.actions.githubusercontent.com:{claim}"]
    for operator, claim in (("StringEquals", "aud"), ("StringEquals", "sub"), ("StringLike", "sub"))
)

_STRANGER = "arn:aws:iam::777788889999:role/stranger"
_PUT_POLICY = "codeartifact:PutRepositoryPermissionsPolicy"


def _values(statement: Statement, path: _Path) -> list[str]:
    """The texts at a path; none where there is no such path."""
    found: Any = statement
    for key in path:
        found = found.get(key, []) if isinstance(found, dict) else []
    return [found] if isinstance(found, str) else found


def _put(statement: Statement, path: _Path, *values: str) -> Statement | None:
    """The statement with other texts at a path. Without any, a condition goes; anything else takes the statement along."""
    changed: Any = copy.deepcopy(dict(statement))
    *before, last = path
    holder = changed
    for key in before:
        holder = holder.setdefault(key, {})
    holder[last] = [*values]
    if not values:
        if path[0] != "Condition":
            return None
        del holder[last]
    return changed


def _each(path: _Path, change: Callable[[str], str | None]) -> Change:
    """Each text at the path, by itself, becomes another or goes."""

    def changes(statement: Statement) -> Iterator[Statement | None]:
        values = _values(statement, path)
        for index, value in enumerate(values):
            changed = change(value)
            if changed != value:
                yield _put(statement, path, *values[:index], *filter(None, [changed]), *values[index + 1 :])

    return changes


def _less(path: _Path) -> Change:
    return _each(path, lambda _: None)


def _more(path: _Path, *texts: str) -> Change:
    return lambda statement: [_put(statement, path, *values, *texts) for values in [_values(statement, path)] if values]


def _other(path: _Path, *texts: str) -> Change:
    return lambda statement: [_put(statement, path, *texts) for values in [_values(statement, path)] if values]


def _moved(path: _Path, operator: str, change: Callable[[str], str] = str) -> Change:
    """The condition with another operator."""

    def changes(statement: Statement) -> Iterator[Statement | None]:
        if values := _values(statement, path):
            without = _put(statement, path)
            assert without
            yield _put(without, ["Condition", operator, path[2]], *map(change, values))

    return changes


def _set(key: str, value: Any, *, where: Callable[[Statement], bool] = lambda _: True) -> Change:
    return lambda statement: [{**statement, key: value}] if where(statement) else []


def _sub(pattern: str, replacement: str) -> Callable[[str], str]:
    return lambda text: re.sub(pattern, replacement, text)


def _no_condition(statement: Statement) -> list[Statement]:
    return [{key: value for key, value in statement.items() if key != "Condition"}] if "Condition" in statement else []


def _pattern_of_any_account(statement: Statement) -> Iterator[Statement | None]:
    for changed in _each(_LIKE, _sub("::[0-9]{12}:", "::*:"))(statement):
        assert changed
        yield _put(changed, _ACCOUNT)


def _nothing(_: Statement) -> list[None]:
    return [None]


def _is_named(statement: Statement) -> bool:
    return statement["Principal"] != "*"


_ROLE = r"(?<=:)(role|user)/.*"
_SOME_PACKAGES = r"pypi//.*"

MUTATIONS = {
    # Who is let in, to do what, on what.
    "an action more": Mutation(kind="permissions", change=_more(_ACTION, _PUT_POLICY)),
    "every action": Mutation(kind="permissions", change=_other(_ACTION, "codeartifact:*")),
    "an action less": Mutation(kind="permissions", change=_less(_ACTION)),
    "a principal more": Mutation(kind="permissions", change=_more(_PRINCIPAL, _STRANGER)),
    "a principal less": Mutation(kind="permissions", change=_less(_PRINCIPAL)),
    "an account for its role": Mutation(kind="permissions", change=_each(_PRINCIPAL, _sub(_ROLE, "root"))),
    "another path": Mutation(kind="permissions", change=_each(_PRINCIPAL, _sub("role/", "role/path/"))),
    "another account": Mutation(kind="permissions", change=_each(_PRINCIPAL, _sub("[0-9]{12}", "777788889999"))),
    "everybody": Mutation(kind="permissions", change=_set("Principal", "*", where=_is_named)),
    "no condition": Mutation(kind="permissions", change=_no_condition),
    "no pattern": Mutation(kind="permissions", change=_other(_LIKE)),
    "a wider pattern": Mutation(kind="permissions", change=_each(_LIKE, _sub(_ROLE, "*"))),
    "a narrower pattern": Mutation(kind="permissions", change=_each(_LIKE, _sub("$", "x"))),
    "a pattern of another account": Mutation(kind="permissions", change=_each(_LIKE, _sub("[0-9]{12}", "777788889999"))),
    "a pattern of any account": Mutation(kind="permissions", change=_pattern_of_any_account),
    "another account beside a pattern": Mutation(kind="permissions", change=_other(_ACCOUNT, "777788889999")),
    "an organization more": Mutation(kind="permissions", change=_more(_ORGANIZATION, "o-9999999999")),
    "another organization": Mutation(kind="permissions", change=_other(_ORGANIZATION, "o-9999999999")),
    "any organization": Mutation(kind="permissions", change=_moved(_ORGANIZATION, "StringLike", lambda _: "o-*")),
    "every organization but it": Mutation(kind="permissions", change=_moved(_ORGANIZATION, "StringNotEquals")),
    "all packages for some": Mutation(kind="permissions", change=_each(_RESOURCE, _sub(_SOME_PACKAGES, "*"))),
    "a name that begins so for a name": Mutation(kind="permissions", change=_each(_RESOURCE, _sub(r"(pypi//.*?)-?\*?$", r"\1*"))),
    "packages of one format": Mutation(kind="permissions", change=_each(_RESOURCE, _sub(r"(package/.*)(?<!-)\*$", r"\1pypi/*"))),
    "another repository": Mutation(kind="permissions", change=_each(_RESOURCE, _sub("(?<=/)private-pypi", "other"))),
    "the repository for its packages": Mutation(kind="permissions", change=_each(_RESOURCE, _sub(r"package/(.*)/\*$", r"repository/\1"))),
    "packages for the repository": Mutation(kind="permissions", change=_each(_RESOURCE, _sub("repository/(.*)", r"package/\1/*"))),
    "a resource less": Mutation(kind="permissions", change=_less(_RESOURCE)),
    "a Deny for an Allow": Mutation(kind="permissions", change=_set("Effect", "Deny")),
    "no Allow": Mutation(kind="permissions", change=_nothing),
    # What is denied, to whom.
    "an action denied more": Mutation(kind="permissions", effect="Deny", change=_more(_ACTION, "codeartifact:DeleteRepositoryPermissionsPolicy")),
    "an action denied less": Mutation(kind="permissions", effect="Deny", change=_less(_ACTION)),
    "every action denied": Mutation(kind="permissions", effect="Deny", change=_other(_ACTION, "codeartifact:*")),
    "a resource denied less": Mutation(kind="permissions", effect="Deny", change=_less(_RESOURCE)),
    "packages of one format denied": Mutation(kind="permissions", effect="Deny", change=_each(_RESOURCE, _sub(r"(package/.*)\*$", r"\1pypi/*"))),
    "denied in another repository": Mutation(kind="permissions", effect="Deny", change=_each(_RESOURCE, _sub("(?<=/)private-pypi", "other"))),
    "denied to one": Mutation(kind="permissions", effect="Deny", change=_set("Principal", {"AWS": [_STRANGER]})),
    "denied to all but one": Mutation(kind="permissions", effect="Deny", change=lambda statement: [_put(statement, _NOT_LIKE, *_values(statement, _NOT_LIKE), "arn:aws:iam::111122223333:role/admin")]),
    "denied to publishers": Mutation(kind="permissions", effect="Deny", change=_no_condition),
    "denied to a publisher": Mutation(kind="permissions", effect="Deny", change=_less(_NOT_LIKE)),
    "denied to the account of a publisher": Mutation(kind="permissions", effect="Deny", change=_less(_NOT_ACCOUNT)),
    "denied to the organization of a publisher": Mutation(kind="permissions", effect="Deny", change=_less(_NOT_ORGANIZATION)),
    "denied to publishers alone": Mutation(kind="permissions", effect="Deny", change=_moved(_NOT_LIKE, "ArnLike")),
    "denied to the account of publishers alone": Mutation(kind="permissions", effect="Deny", change=_moved(_NOT_ACCOUNT, "StringEquals")),
    "an Allow for a Deny": Mutation(kind="permissions", effect="Deny", change=_set("Effect", "Allow")),
    "no Deny": Mutation(kind="permissions", effect="Deny", change=_nothing),
    # What is ready to attach.
    "at home too": Mutation(kind="identity", change=lambda s: [_put(s, _NOT_ACCOUNT)] if _values(s, _NOT_ACCOUNT) else []),
    "but in another account": Mutation(kind="identity", change=_other(_NOT_ACCOUNT, "777788889999")),
    "at home alone": Mutation(kind="identity", change=_moved(_NOT_ACCOUNT, "StringEquals")),
    "tokens of any service": Mutation(kind="identity", change=_moved(_SERVICE, "StringLike", lambda _: "*.amazonaws.com")),
    "tokens of another service": Mutation(kind="identity", change=_other(_SERVICE, "codecommit.amazonaws.com")),
    "an action less to attach": Mutation(kind="identity", change=_less(_ACTION)),
    "every action to attach": Mutation(kind="identity", change=_each(_ACTION, _sub(":.*", ":*"))),
    "every resource": Mutation(kind="identity", change=_each(_RESOURCE, _sub("arn:.*", "*"))),
    "a statement less to attach": Mutation(kind="identity", change=_nothing),
    "a Deny to attach": Mutation(kind="identity", change=_set("Effect", "Deny")),
    # Whom the role of a workflow trusts.
    "another account's provider": Mutation(kind="trust", change=_each(_PROVIDER, _sub("[0-9]{12}", "777788889999"))),
    "another provider too": Mutation(kind="trust", change=_more(_PROVIDER, "arn:aws:iam::111122223333:oidc-provider/gitlab.com")),
    "every way to a role": Mutation(kind="trust", change=_more(_ACTION, "sts:AssumeRole")),
    "an audience more": Mutation(kind="trust", change=_more(_AUDIENCE, "https://github.com/acme")),
    "any audience": Mutation(kind="trust", change=_less(_AUDIENCE)),
    "any workflow": Mutation(kind="trust", change=lambda s: [*_less(_SUBJECT)(s), *_less(_SUBJECTS)(s)]),
    "any repository of the owner": Mutation(kind="trust", change=_moved(_SUBJECT, "StringLike", _sub("/.*", "/*"))),
    "an owner that begins so": Mutation(kind="trust", change=_each(_SUBJECTS, _sub("/", "*/"))),
    "any id": Mutation(kind="trust", change=_moved(_SUBJECT, "StringLike", _sub("@[0-9]+", "@*"))),
    "both forms of the subject": Mutation(kind="trust", change=lambda s: [_put(s, _SUBJECT, *_values(s, _SUBJECT), *map(_sub("@[0-9]+", ""), _values(s, _SUBJECT)))] if any("@" in each for each in _values(s, _SUBJECT)) else []),
    "whatever begins like it": Mutation(kind="trust", change=_moved(_SUBJECT, "StringLike", _sub("$", "*"))),
    "a branch for a tag": Mutation(kind="trust", change=_each(_SUBJECTS, _sub("tags", "heads"))),
    "a star that is a letter": Mutation(kind="trust", change=_moved(_SUBJECTS, "StringEquals")),
    "nobody trusted": Mutation(kind="trust", change=_nothing),
}
