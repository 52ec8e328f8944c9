"""What is deployed, next to what the config says: two policies compared by meaning."""

import dataclasses
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from private_pypi.arns import Arns, partition_of
from private_pypi.cli.components import ATTACHMENT, NotUnderstood
from private_pypi.cli.preview import program_of, read_preview
from private_pypi.cli.process import Record
from private_pypi.cli.stack_files import Stack
from private_pypi.iam import Access, Policy, Rule

Claim = tuple[str, str, str]
"""Whom a rule is about, what it allows them and on what; a Deny says so before whom it is about."""

_DELETED = re.compile("A(RO|ID)A[A-Za-z0-9]{12,}")
"""The id that AWS writes where a policy named a role or a user that was deleted since."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Expected:
    """What the config of a stack says of a private PyPI."""

    name: str
    """The component's name."""
    arns: Arns
    access: Sequence[Access]
    domain: Policy
    """The domain's permissions policy; of an existing domain what its owner adds."""
    repository: Policy
    """The repository's permissions policy."""
    existing_domain: bool
    attaches_identity_policies: bool
    public_upstream: bool = False
    """Whether what the repository lacks comes from public PyPI."""
    internal_packages: Sequence[str] = ()
    """Names and `prefix-*` that never come from there."""
    not_understood: Sequence[NotUnderstood] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Deployed:
    """The permissions policies that are deployed; `None` for one that the caller may not read."""

    domain: Policy | None
    repository: Policy | None


def read_expected(folder: Path, stack: Stack, record: Record, *, account: str, region: str) -> list[Expected]:
    """What the config of `stack`, of the project in `folder`, says of an account and a region: by private PyPI.

    Raises:
        MistakesError: the program refuses its config, or fails, or is none of a private PyPI.
    """
    there = {"account": account, "region": region, "partition": partition_of(region)}
    program = dataclasses.replace(program_of(folder, stack), **there)
    return [
        Expected(
            name=each.name,
            arns=each.arns,
            access=each.access,
            domain=each.domain,
            repository=each.repository,
            existing_domain=each.existing_domain,
            attaches_identity_policies=bool(each.of_type(ATTACHMENT)),
            public_upstream=bool(each.stores),
            internal_packages=each.safeguards.internal_packages,
            not_understood=each.not_understood,
        )
        for each in read_preview(record(program)).components
    ]


def is_lacking(expected: Policy, deployed: Policy) -> bool:
    """Whether a policy does not say all that it is expected to say, as far as both are understood."""
    return bool([*_differences("lacks", expected, deployed)])


def compare(expected: Expected, deployed: Deployed) -> Iterator[str]:
    """Lines that say how what is deployed differs from the config; of an existing domain what it lacks alone."""
    for name, said, there in (
        ("domain", expected.domain, deployed.domain),
        ("repository", expected.repository, deployed.repository),
    ):
        if there is None:
            yield f"you may not read the {name}'s policy"
            continue
        lines = [*_differences("lacks", said, there)]
        if not (name == "domain" and expected.existing_domain):
            lines += _differences("also has", there, said)
        yield f"the {name}'s policy is {'not ' if lines else ''}as the config says"
        yield from lines


def _differences(title: str, one: Policy, other: Policy) -> Iterator[str]:
    """What one policy says that another does not: first what is understood, by whom it is about."""
    by_who: dict[str, set[str]] = {}
    for who, action, resource in _claims(one) - _claims(other):
        _, _, package = resource.partition("/pypi//")
        by_who.setdefault(who, set()).add(f"{action.rpartition(':')[2]} {package}".rstrip())
    for who, actions in sorted(by_who.items()):
        deleted = " (a role or user that was deleted)" if _DELETED.fullmatch(who) else ""
        yield f"  {title}  {who}{deleted}: {', '.join(sorted(actions))}"
    for each in one.unclear:
        if each not in other.unclear:
            yield f"  {title}  a statement that is not understood ({each.why}): {each.statement}"


def _claims(policy: Policy) -> set[Claim]:
    """What a policy says, however its statements are put together."""
    return {
        (who if rule.effect == "Allow" else f"a Deny for {who}", action, resource)
        for rule in policy.rules
        for who in _whom(rule)
        for action in rule.actions
        for resource in rule.resources
    }


def _whom(rule: Rule) -> Iterable[str]:
    if not rule.exempts:
        return rule.principals
    return [f"everybody but {', '.join(sorted(rule.principals))}" if rule.principals else "everybody"]
