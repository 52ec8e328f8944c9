"""Policy documents read back into who may do what: for the preview, for the recorded state, for comparisons.

It reads what `policies` writes, by the same lists of actions. What is said in another way counts for nothing: an Allow
or a Deny with a condition that is not known here.
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from private_pypi.names import Arns
from private_pypi.policies import COPY, DOWNLOAD, LOSE, PUBLISH, READ, TOKEN

Statement = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class Access:
    """What the permissions policies let a principal do."""

    principal: str
    """The ARN of a role or user, or one with `*`; the `:root` ARN of an account; the ID of an organization."""
    install: bool
    publish: bool | list[str]
    """`True` is everything; else the packages, as names and `prefix-*`."""
    workflow: str | None = None
    """The GitHub workflow that has the role, with the ids that it is known by: `acme@123/tools@456 tag v*`."""


def read_statements(document: str | None) -> list[Statement]:
    """The statements of a policy document; of a statement or a list of them too, and none of no document."""
    content: Any = json.loads(document or "[]")
    if "Statement" in content:
        content = content["Statement"]
    return cast("list[Statement]", content if isinstance(content, list) else [content])


def read_access(domain: Iterable[Statement], repository: Iterable[Statement], arns: Arns) -> list[Access]:
    """Who may do what by the statements of a domain's and a repository's permissions policies, by principal."""
    needed = {
        (action, arn)
        for actions, arn in ((TOKEN, arns.domain), (READ, arns.repository), (DOWNLOAD, arns.packages))
        for action in actions
    }
    granted: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    publishable: defaultdict[str, set[str]] = defaultdict(set)
    for statement in (*domain, *repository):
        if statement["Effect"] == "Allow":
            for principal in _principals(statement):
                granted[principal] |= {each for each in needed if _is_about(statement, *each)}
                publishable[principal] |= {*_publishable(statement, arns)}
    return [
        Access(
            principal=principal,
            install=granted[principal] == needed,
            publish="*" in packages or sorted(packages) if packages else False,
        )
        for principal, packages in sorted(publishable.items())
        if packages or granted[principal]
    ]


def is_closed(repository: Sequence[Statement], arns: Arns) -> bool:
    """Whether a repository's policy keeps everybody from publishing and copying but those whom it lets publish."""
    publishers = {access.principal for access in read_access([], repository, arns) if access.publish}
    return _are_denied(repository, [*PUBLISH, *COPY], arns, exempt=publishers)


def is_protected(repository: Sequence[Statement], arns: Arns) -> bool:
    """Whether a repository's policy keeps everybody from deleting it and what is in it."""
    return _are_denied(repository, LOSE, arns, exempt=set())


def matches(pattern: str, text: str) -> bool:
    """Whether a pattern matches a text, and all that the text matches where that is a pattern too."""
    if "*" not in pattern:
        return pattern == text  # most are none, and where all are compared with all there are many
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), text) is not None


def _are_denied(statements: Iterable[Statement], actions: Sequence[str], arns: Arns, exempt: set[str]) -> bool:
    """Whether everybody, but `exempt` at the most, is denied the actions on the repository and its packages."""
    denying = [
        statement
        for statement in statements
        if statement["Effect"] == "Deny"
        and statement["Principal"] == "*"
        and _exempted(statement.get("Condition", {}), arns) <= exempt
    ]
    return all(
        any(_is_about(statement, action, arn) for statement in denying)
        for action in actions
        for arn in (arns.packages, arns.repository)
    )


def _is_about(statement: Statement, action: str, arn: str) -> bool:
    return any(matches(each, action) for each in several(statement["Action"])) and any(
        matches(each, arn) for each in several(statement["Resource"])
    )


def _principals(statement: Statement) -> Iterable[str]:
    """Whom an Allow is for: its principals, or the patterns or organizations of its condition."""
    match statement:
        case {"Principal": {"AWS": principals}} if "Condition" not in statement:
            return several(principals)
        case {"Principal": "*", "Condition": {"ArnLike": {"aws:PrincipalArn": patterns}}}:
            return several(patterns)
        case {"Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": organizations}}}:
            return several(organizations)
        case _:
            return []


def _exempted(condition: Mapping[str, Any], arns: Arns) -> set[str]:
    """Whom the condition of a Deny leaves out, as principals are named; of a condition that is not known here, `?`."""
    exempted: set[str] = set()
    for operator, keys in condition.items():
        for key, values in keys.items():
            match operator, key:
                case ("ArnNotLike", "aws:PrincipalArn") | ("StringNotEquals", "aws:PrincipalOrgID"):
                    exempted.update(several(values))
                case ("StringNotEquals", "aws:PrincipalAccount"):
                    exempted.update(f"arn:{arns.partition}:iam::{account}:root" for account in several(values))
                case _:
                    exempted.add("?")
    return exempted


def _publishable(statement: Statement, arns: Arns) -> Iterator[str]:
    """The packages that a statement is about, by name or `prefix-*`, if it is about publishing; `*` is all of them."""
    if any(matches(each, action) for each in several(statement["Action"]) for action in PUBLISH):
        for resource in several(statement["Resource"]):
            if matches(resource, arns.packages):
                yield "*"
            elif resource.startswith(arns.package("")):
                yield resource.removeprefix(arns.package(""))


def several(values: str | list[str]) -> list[str]:
    """The values of an element of a statement, which stands without a list where there is one."""
    return [values] if isinstance(values, str) else values
