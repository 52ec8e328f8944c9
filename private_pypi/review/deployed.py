"""What is deployed, next to what the config says: two policies compared by meaning. Pure."""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from private_pypi.access import Statement, several
from private_pypi.review.meant import Meant

Rule = tuple[str, str, str]
"""Whom a statement is about, what it allows them and on what; a Deny says so before whom it is about."""

_DELETED = re.compile("A(RO|ID)A[A-Za-z0-9]{12,}")
"""The id that AWS writes where a policy named a role or a user that was deleted since."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Deployed:
    """The permissions policies that are deployed; `None` for one that the caller may not read."""

    domain: Sequence[Statement] | None
    repository: Sequence[Statement] | None


def lacking(meant: Sequence[Statement], deployed: Sequence[Statement]) -> set[Rule]:
    """What a policy does not say that it is meant to say."""
    return _rules(meant) - _rules(deployed)


def compare(meant: Meant, deployed: Deployed, *, existing_domain: bool, has_secrets: bool) -> Iterator[str]:
    """Lines that say how what is deployed differs from the config; of an existing domain what it lacks alone."""
    if has_secrets:
        yield "not compared, for some of the config is encrypted"
        return
    for name, said, there in (
        ("domain", meant.domain, deployed.domain),
        ("repository", meant.repository, deployed.repository),
    ):
        if there is None:
            yield f"the {name}'s policy is not for you to read"
            continue
        lacks = lacking(said, there)
        besides = set[Rule]() if name == "domain" and existing_domain else lacking(there, said)
        yield f"the {name}'s policy is {'not ' if lacks or besides else ''}as the config says"
        yield from _grouped("lacks", lacks)
        yield from _grouped("also has", besides)


def _grouped(title: str, rules: Iterable[Rule]) -> Iterator[str]:
    """The rules by whom they are about."""
    by_who: dict[str, set[str]] = {}
    for who, action, resource in rules:
        _, _, package = resource.partition("/pypi//")
        by_who.setdefault(who, set()).add(f"{action.rpartition(':')[2]} {package}".rstrip())
    for who, actions in sorted(by_who.items()):
        deleted = " (a role or user that was deleted)" if _DELETED.fullmatch(who) else ""
        yield f"  {title}  {who}{deleted}: {', '.join(sorted(actions))}"


def _rules(statements: Iterable[Statement]) -> set[Rule]:
    """What statements say, however they are put together."""
    return {
        (who if statement["Effect"] == "Allow" else f"a Deny for {who}", action, resource)
        for statement in statements
        for who in _whom(statement)
        for action in _parts(statement, "Action")
        for resource in _parts(statement, "Resource")
    }


def _whom(statement: Statement) -> list[str]:
    """The principals, or the patterns and organizations of a condition; with any other condition, that too."""
    condition: Mapping[str, Any] = statement.get("Condition", {})
    names = ["everybody" if name == "*" else name for name in _parts(statement, "Principal")]
    match condition:
        case {"ArnLike": {"aws:PrincipalArn": arns}, "StringEquals": {"aws:PrincipalAccount": accounts}} if (
            names == ["everybody"] and len(condition) == 2  # noqa: PLR2004  these two
        ):
            return [arn for arn in several(arns) if arn.split(":")[4] in several(accounts)]
        case {"StringEquals": {"aws:PrincipalOrgID": organizations}} if names == ["everybody"] and len(condition) == 1:
            return several(organizations)
        case _:
            return [f"{name} if {json.dumps(condition, sort_keys=True)}" if condition else name for name in names]


def _parts(statement: Statement, key: str) -> list[str]:
    """The values of an element of a statement, or what its opposite leaves."""
    if key not in statement:
        return [f"all but {', '.join(_values(statement[f'Not{key}']))}"]
    return _values(statement[key])


def _values(element: Any) -> list[str]:
    """The values themselves: principals stand in a map of their kinds."""
    kinds = cast("dict[str, Any]", element).values() if isinstance(element, dict) else [element]
    return [value for kind in kinds for value in several(kind)]
