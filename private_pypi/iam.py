"""Statements of IAM policies, written and read back: the one module that knows their form. Pure.

Reading fails closed. A statement that says something in a way not known here (a condition beside a known one,
`NotAction`, a principal `*` without a condition) is `Unclear`, and whoever reads a policy has to handle that: it never
counts as nobody. The grammar is IAM's:
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_grammar.html
"""

import json
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self, cast

from private_pypi.arns import Arns
from private_pypi.errors import InvalidValueError, printable

MAX_DOCUMENT_CHARACTERS = 7168
"""The longest permissions policy that CodeArtifact takes (API reference, PutRepositoryPermissionsPolicy)."""

MAX_IDENTITY_DOCUMENT_CHARACTERS = 6144
"""The longest managed policy that IAM takes (IAM user guide, IAM and AWS STS quotas)."""

# Policies are written from these lists and read back by them, so that the two cannot fall out of step.
TOKEN = ["codeartifact:GetAuthorizationToken"]
READ = ["codeartifact:ReadFromRepository"]
DOWNLOAD = ["codeartifact:GetPackageVersionAsset", "codeartifact:GetPackageVersionReadme"]
LIST = ["codeartifact:ListPackages", "codeartifact:DescribeRepository"]
DESCRIBE = [
    "codeartifact:DescribePackage",
    "codeartifact:DescribePackageVersion",
    "codeartifact:ListPackageVersions",
    "codeartifact:ListPackageVersionAssets",
    "codeartifact:ListPackageVersionDependencies",
]
PUBLISH = ["codeartifact:PublishPackageVersion"]
COPY = ["codeartifact:CopyPackageVersions"]
LOSE = [
    "codeartifact:DeleteRepository",
    "codeartifact:DeletePackage",
    "codeartifact:DeletePackageVersions",
    "codeartifact:DisposePackageVersions",
]
CREATE = ["codeartifact:CreateRepository"]
TAG = ["codeartifact:TagResource"]

EVERYTHING = "*"
"""Among packages: all of them, now and later."""

Statement = dict[str, Any]


def grant(actions: Sequence[str], resources: Sequence[str], condition: Mapping[str, object] | None = None) -> Statement:
    """A statement of an identity policy."""
    return {
        "Effect": "Allow",
        "Action": actions[0] if len(actions) == 1 else [*actions],
        "Resource": resources[0] if len(resources) == 1 else [*resources],
        **({"Condition": condition} if condition else {}),
    }


def statement(
    sid: str,
    actions: Sequence[str],
    resources: Sequence[str],
    *,
    principal: object,
    condition: Mapping[str, object] | None = None,
) -> Statement:
    """A statement of a resource policy."""
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": principal,
        "Action": [*actions],
        "Resource": resources[0] if len(resources) == 1 else [*resources],
        **({"Condition": condition} if condition else {}),
    }


def document(statements: Iterable[Statement]) -> str:
    """A policy document, minified."""
    return json.dumps({"Version": "2012-10-17", "Statement": [*statements]}, separators=(",", ":"))


def fitting(kind: str, *forms: Iterable[Statement]) -> str | None:
    """The first form of a permissions policy that CodeArtifact takes; `None` for one without statements.

    Raises:
        InvalidValueError: even the last form is too long.
    """
    text = ""
    for form in forms:
        statements = [*form]
        if not statements:
            return None
        text = document(statements)
        if len(text) <= MAX_DOCUMENT_CHARACTERS:
            return text
    raise InvalidValueError(
        got=f"a {kind} permissions policy of {len(text):,} characters",
        expected=f"up to {MAX_DOCUMENT_CHARACTERS:,} characters",
        fix="name an account, a pattern or an organization instead of many roles, or prefix-* instead of many packages",
    )


def identity_document(statements: Iterable[Statement]) -> str:
    """An identity policy, minified.

    Raises:
        InvalidValueError: it is longer than a managed policy may be.
    """
    text = document(statements)
    if len(text) > MAX_IDENTITY_DOCUMENT_CHARACTERS:
        raise InvalidValueError(
            got=f"an identity policy of {len(text):,} characters",
            expected=f"up to {MAX_IDENTITY_DOCUMENT_CHARACTERS:,} characters",
            fix="name prefix-* instead of many packages",
        )
    return text


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """A statement that is understood."""

    effect: Literal["Allow", "Deny"]
    principals: frozenset[str]
    """Whom it is about: ARNs of roles and users, such ARNs with `*`, `:root` ARNs of accounts, IDs of organizations."""
    exempts: bool
    """Whether it is about everybody but `principals`. Only a Deny is."""
    actions: tuple[str, ...]
    """Actions, which may have `*` and `?`."""
    resources: tuple[str, ...]
    """ARNs, which may have `*` and `?`."""

    def is_about(self, action: str, arn: str) -> bool:
        """Whether it is about an action on a resource, or on all that a pattern of resources covers."""
        return any(matches(each.lower(), action.lower()) for each in self.actions) and any(
            matches(each, arn) for each in self.resources
        )


@dataclass(frozen=True, kw_only=True, slots=True)
class Unclear:
    """A statement that is not understood. It may let anybody do anything, or deny it."""

    statement: str
    """The statement as JSON, minified, with its keys in order; a document that is no policy as it is."""
    why: str
    """What about it is not understood: `it has NotAction`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Policy:
    """A policy document, read."""

    rules: tuple[Rule, ...] = ()
    unclear: tuple[Unclear, ...] = ()

    def __add__(self, other: Self) -> Self:
        """Both in one."""
        return type(self)(rules=self.rules + other.rules, unclear=self.unclear + other.unclear)


@dataclass(frozen=True, kw_only=True, slots=True)
class Access:
    """What the permissions policies let a principal do. What they deny is not taken off."""

    principal: str
    """The ARN of a role or user, or one with `*`; the `:root` ARN of an account; the ID of an organization."""
    install: bool
    list_packages: bool = False
    """Whether it may list and describe packages by API."""
    publish: tuple[str, ...] = ()
    """Packages, as names and `prefix-*`; `EVERYTHING` alone is all of them."""
    other: tuple[str, ...] = ()
    """What else it may do, each as `ACTION on RESOURCE`; a part of what installing or listing takes among it."""
    workload: str | None = None
    """The CI workload that has the role: `github acme/tools tag v*`."""


def read_policy(text: str | None, arns: Arns) -> Policy:
    """Read a policy document, or a statement or a list of them without one; `None` is no policy.

    `arns` says in which partition the bare number of an account is.
    """
    if text is None:
        return Policy()
    try:
        statements = statements_of(text)
    except (json.JSONDecodeError, RecursionError):
        return Policy(unclear=(Unclear(statement=text, why="it is no JSON"),))
    except ValueError as error:
        return Policy(unclear=(Unclear(statement=text, why=str(error)),))
    rules: list[Rule] = []
    unclear: list[Unclear] = []
    for each in statements:
        try:
            rules.append(_read(each, arns.partition))
        except _UnclearError as error:
            said = json.dumps(each, sort_keys=True, separators=(",", ":"))
            unclear.append(Unclear(statement=said, why=str(error)))
    return Policy(rules=tuple(rules), unclear=tuple(unclear))


def statements_of(text: str) -> list[Any]:
    """The statements of a document, of a list of them, or of one alone.

    Raises:
        RecursionError, ValueError: the text is no JSON, or says something twice, or what no document says.
    """
    content: Any = json.loads(text, object_pairs_hook=_read_map)
    if isinstance(content, dict) and "Statement" in content:
        document = cast("dict[str, Any]", content)
        if unknown := sorted(document.keys() - {"Id", "Statement", "Version"}):
            raise ValueError(f"it has {printable(unknown[0])}")
        content = document["Statement"]
    return cast("list[Any]", content if isinstance(content, list) else [content])


def _read_map(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    content = dict(pairs)
    if len(content) < len(pairs):  # whoever reads it next may take the other one
        raise ValueError("it has a key twice")
    return content


def read_access(domain: Policy, repository: Policy, arns: Arns) -> list[Access]:
    """Who may do what by the permissions policies of a domain and of a repository in it, by principal.

    Only the rules count: what is unclear, and what a Deny takes off, is the caller's to show.
    """
    granted: defaultdict[str, set[tuple[str, str]]] = defaultdict(set)
    packages: defaultdict[str, set[str]] = defaultdict(set)
    other: defaultdict[str, set[str]] = defaultdict(set)
    token = {(action, arns.domain) for action in TOKEN}
    reading, listing = (
        {(action, arn) for actions, arn in parts for action in actions}
        for parts in (
            ((READ, arns.repository), (DOWNLOAD, arns.packages)),
            ((LIST, arns.repository), (DESCRIBE, arns.packages)),
        )
    )
    # No repository's policy is evaluated for a token.
    for policy, needed in ((domain, token | reading | listing), (repository, reading | listing)):
        for rule in policy.rules:
            if rule.effect == "Allow":
                for principal in rule.principals:
                    granted[principal] |= {each for each in needed if rule.is_about(*each)}
                    packages[principal] |= {*_publishable(rule, arns)}
                    other[principal] |= {*_others(rule, arns)}
    for principal, own in granted.items():
        for whole in (token | reading, listing):
            if not whole <= own:
                other[principal] |= {f"{action} on {arn}" for action, arn in own & whole}
    return [
        Access(
            principal=principal,
            install=token | reading <= granted[principal],
            list_packages=listing <= granted[principal],
            publish=(EVERYTHING,) if EVERYTHING in packages[principal] else tuple(sorted(packages[principal])),
            other=tuple(sorted(other[principal])),
        )
        for principal in sorted(granted)
        if granted[principal] or packages[principal] or other[principal]
    ]


def is_closed(repository: Policy, arns: Arns) -> bool:
    """Whether a repository's policy keeps everybody from publishing and copying but those whom it lets publish."""
    return _are_denied(repository, [*PUBLISH, *COPY], arns, exempt=_publishers(repository, arns))


def is_protected(repository: Policy, arns: Arns) -> bool:
    """Whether a repository's policy keeps everybody from deleting it and what is in it."""
    return _are_denied(repository, LOSE, arns, exempt=frozenset())


def other_denials(domain: Policy, repository: Policy, arns: Arns) -> list[Rule]:
    """The rules that deny something, except for those that `is_closed` and `is_protected` speak of."""
    said = {(frozenset([*PUBLISH, *COPY]), _publishers(repository, arns)), (frozenset(LOSE), frozenset[str]())}
    return [
        rule
        for policy in (domain, repository)
        for rule in policy.rules
        if rule.effect == "Deny"
        and not (
            policy is repository
            and rule.exempts
            and (frozenset(rule.actions), rule.principals) in said
            and all(rule.is_about(rule.actions[0], arn) for arn in (arns.packages, arns.repository))
        )
    ]


def matches(pattern: str, text: str) -> bool:
    """Whether a pattern with `*` and `?` matches a text, and all that the text matches where that is a pattern too."""
    if "*" not in pattern and "?" not in pattern:
        return pattern == text  # most are none, and where all are compared with all there are many
    first, *rest = (".".join(map(re.escape, part.split("?"))) for part in pattern.split("*"))
    # Each part is taken where it is found first, for good: otherwise many `*` take longer than anybody waits.
    middle = "".join(f"(?>.*?{part})" for part in rest[:-1])
    last = f".*{rest[-1]}" if rest else ""
    return re.fullmatch(first + middle + last, text, re.DOTALL) is not None


def _publishers(repository: Policy, arns: Arns) -> frozenset[str]:
    return frozenset(each.principal for each in read_access(Policy(), repository, arns) if each.publish)


def _are_denied(policy: Policy, actions: Sequence[str], arns: Arns, exempt: frozenset[str]) -> bool:
    """Whether everybody, but `exempt` at the most, is denied the actions on the repository and its packages."""
    denying = [rule for rule in policy.rules if rule.effect == "Deny" and rule.exempts and rule.principals <= exempt]
    return all(
        any(rule.is_about(action, arn) for rule in denying)
        for action in actions
        for arn in (arns.packages, arns.repository)
    )


def _publishable(rule: Rule, arns: Arns) -> Iterator[str]:
    """The packages that a rule is about, if it is about publishing."""
    if any(matches(each.lower(), PUBLISH[0].lower()) for each in rule.actions):
        for resource in rule.resources:
            if matches(resource, arns.packages):
                yield EVERYTHING
            elif _is_package(resource, arns):
                yield resource.removeprefix(arns.package(""))


def _is_package(resource: str, arns: Arns) -> bool:
    """Whether a resource is one package, or a `prefix-*`, as these are written here."""
    return re.fullmatch(r"[a-z0-9-]+\*?", resource.removeprefix(arns.package(""))) is not None


# The resources that the known actions take, with which an action is said to be installing, listing or publishing. On a
# resource of another kind it has no effect:
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscodeartifact.html
_KINDS = {
    **dict.fromkeys(TOKEN, "domain"),
    **dict.fromkeys([*READ, *LIST], "repository"),
    **dict.fromkeys([*DOWNLOAD, *DESCRIBE, *PUBLISH], "package"),
}


def _others(rule: Rule, arns: Arns) -> Iterator[str]:
    """What a rule is about besides installing, listing and publishing, each as `ACTION on RESOURCE`."""
    natural = {"domain": arns.domain, "repository": arns.repository, "package": arns.packages}
    for action in rule.actions:
        kind = _KINDS.get(action)
        for resource in rule.resources:
            is_said = kind is not None and (
                resource == natural[kind]
                or (action in PUBLISH and _is_package(resource, arns))
                or resource in {arn for other, arn in natural.items() if other != kind}
            )
            if not is_said:
                yield f"{action} on {resource}"


class _UnclearError(Exception):
    """Why a statement is not understood."""


_ELEMENTS = {"Sid", "Effect", "Principal", "Action", "Resource", "Condition"}


def _read(content: Any, partition: str) -> Rule:
    """Read one statement.

    Raises:
        _UnclearError: it is not understood.
    """
    if not isinstance(content, dict):
        raise _UnclearError("it is no statement")
    each = cast("dict[str, Any]", content)
    if unknown := sorted(each.keys() - _ELEMENTS):
        raise _UnclearError(f"it has {unknown[0]}")
    effect = each.get("Effect")
    if effect not in ("Allow", "Deny"):  # it may be of any type
        raise _UnclearError("its Effect is neither Allow nor Deny")
    principals, exempts = _principals(each.get("Principal"), each.get("Condition"), effect, partition)
    actions, resources = _several(each, "Action"), _several(each, "Resource")
    if any("${" in resource for resource in resources):
        raise _UnclearError("its Resource has a variable")
    return Rule(
        effect=effect,
        principals=frozenset(principals),
        exempts=exempts,
        actions=tuple(actions),
        resources=tuple(resources),
    )


def _principals(element: Any, condition: Any, effect: Any, partition: str) -> tuple[Iterable[str], bool]:
    """Whom a statement is about, and whether it is about everybody else."""
    if isinstance(element, dict):
        kinds = cast("dict[str, Any]", element)
        if kinds.keys() != {"AWS"}:
            raise _UnclearError("its Principal is not of the kind AWS")
        names = _several(kinds, "AWS")
        if names != ["*"]:
            if condition is not None:
                raise _UnclearError("it has a condition beside its principals")
            return [_principal(name, partition) for name in names], False
    elif element != "*":
        raise _UnclearError("it has no Principal" if element is None else "its Principal is not understood")
    return _exempted(condition, partition) if effect == "Deny" else (_conditional(condition), False)


def _principal(name: str, partition: str) -> str:
    if re.fullmatch("[0-9]{12}", name):
        return f"arn:{partition}:iam::{name}:root"
    if "*" in name:
        raise _UnclearError("it has * within a principal")
    return name


def _conditional(condition: Any) -> list[str]:
    """The patterns or organizations that a condition lets in."""
    match condition:
        case None:
            raise _UnclearError("it is for everybody, without a condition")
        case {"StringEquals": {"aws:PrincipalOrgID": _, **others}, **more} if not (others or more):
            return _values(condition["StringEquals"], "aws:PrincipalOrgID")
        case {
            "ArnLike": {"aws:PrincipalArn": _, **others},
            "StringEquals": {"aws:PrincipalAccount": _, **more_others},
            **more,
        } if not (others or more_others or more):
            accounts = _values(condition["StringEquals"], "aws:PrincipalAccount")
            arns = _values(condition["ArnLike"], "aws:PrincipalArn")
            if not all(_account(arn) for arn in arns):
                raise _UnclearError("its condition has a pattern without an account")
            return [arn for arn in arns if _account(arn) in accounts]
        case _:
            pass
    raise _UnclearError("its condition is not one of those known here")


def _account(arn: str) -> str | None:
    match = re.fullmatch("arn:[^:*?]+:iam::([0-9]{12}):.+", arn)
    return match and match[1]


# What exempts from a Deny, and what its values are called in principals.
_EXEMPTING = {
    ("ArnNotLike", "aws:PrincipalArn"): "{name}",
    ("StringNotEquals", "aws:PrincipalOrgID"): "{name}",
    ("StringNotEquals", "aws:PrincipalAccount"): "arn:{partition}:iam::{name}:root",
}


def _exempted(condition: Any, partition: str) -> tuple[list[str], bool]:
    """The principals that the condition of a Deny exempts."""
    if condition is None:
        return [], True
    if not _is_condition(condition):
        raise _UnclearError("its condition is not one of those known here")
    exempted: list[str] = []
    for operator, keys in condition.items():
        for key in keys:
            form = _EXEMPTING.get((operator, key))
            if not form:
                raise _UnclearError(f"its condition has {operator} {key}")
            exempted += [form.format(name=name, partition=partition) for name in _values(keys, key)]
    return exempted, True


def _is_condition(value: Any) -> bool:
    return isinstance(value, dict) and all(isinstance(keys, dict) for keys in cast("dict[str, Any]", value).values())


def _values(element: Any, key: str) -> list[str]:
    """The values of a condition's key."""
    values = _several(element, key)
    if any("?" in value or "$" in value for value in values):
        raise _UnclearError("its condition has a variable or a ?")
    return values


def _several(element: Mapping[str, Any], key: str) -> list[str]:
    """The values at a key, which stand without a list where there is one."""
    value = element.get(key)
    values = cast("list[Any]", value if isinstance(value, list) else [value])
    if not values or not all(isinstance(each, str) for each in values):
        raise _UnclearError(f"it has no {key}" if value is None else f"its {key} is no text or list of texts")
    return values
