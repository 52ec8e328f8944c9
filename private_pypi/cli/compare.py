"""What one preview means for people who know another: who gains, who loses, and what could be lost.

By meaning and not by text. What a policy says is already read into principals (`access`); here it is asked who of
them takes in whom, so that a role that gives way to a pattern which takes it in loses nothing.
"""

import functools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, Self

from private_pypi.arns import Arns
from private_pypi.cli.preview import Preview
from private_pypi.cli.program import Resource
from private_pypi.cli.unseen import Unseen
from private_pypi.iam import Access, matches
from private_pypi.principals import Principal

DOMAIN = "aws:codeartifact/domain:Domain"
_ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
_PROVIDER = "aws:iam/openIdConnectProvider:OpenIdConnectProvider"


@dataclass(frozen=True, kw_only=True, slots=True)
class Side:
    """A stack as a revision describes it."""

    preview: Preview
    account: str
    """The account of the deployment, 12 digits."""
    stand_ins: Mapping[str, str]
    """What stands for encrypted values in the preview, each with its path in the config."""

    @property
    def arns(self) -> Arns:
        """The ARNs of the domain and the repository."""
        return Arns.of_repository(self.preview.outputs["repository_arn"])


@dataclass(frozen=True, kw_only=True, slots=True)
class Holder:
    """Who has a right, or a part of it, on the other side too."""

    principal: str
    packages: tuple[str, ...] | None
    """Of publishing what they may publish there; `*` is everything."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AccessChange:
    """A right that principals have on one side and not on the other."""

    principal: str
    """As in `Access`: an ARN, one with `*`, the `:root` ARN of an account, the ID of an organization."""
    workflow: str | None
    """The GitHub workflow that has the role."""
    packages: tuple[str, ...] | None
    """What is published: names, `prefix-*`, or `*` for everything; `None` is installing."""
    but_for: tuple[Holder, ...]
    """Whoever is one of these, too, has the right on both sides, as far as it reaches."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Relisting:
    """A principal that is listed on one side alone, and that neither gains nor loses by it."""

    principal: str
    is_listed: bool
    """Whether it is listed now; else it was."""
    taken_in_by: tuple[str, ...]
    """Principals that take it in and have all of its rights."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Door:
    """What changes for all at once."""

    key: str
    """The config key."""
    opens: bool
    values: tuple[str, ...] = ()
    """Packages, roles or workflows that it is about."""


Stake = Literal["repository", "domain", "key", "provider", "stack"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Risk:
    """What would be deleted, or left behind, with all that is in it."""

    what: Stake
    before: str
    """Its ARN; of a stack its name, of an encryption key the domain's ARN."""
    after: str | None
    """What comes in its place."""
    is_refused: bool
    """Whether `pulumi up` refuses it, because packages are protected on one side at least."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Edit:
    """Another change of a resource or an output."""

    name: str
    what: Literal["made", "deleted", "changed", "output"]
    properties: tuple[str, ...] = ()
    """Of a resource that changes, the inputs that do."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """All that changes from one preview to another."""

    is_new: bool = False
    """Whether there was no such stack."""
    gains: tuple[AccessChange, ...] = ()
    losses: tuple[AccessChange, ...] = ()
    relisted: tuple[Relisting, ...] = ()
    doors: tuple[Door, ...] = ()
    risks: tuple[Risk, ...] = ()
    edits: tuple[Edit, ...] = ()
    encrypted: tuple[str, ...] = ()
    """The paths of encrypted values that changed."""
    warnings: tuple[str, ...] = ()
    """What the program warns of now and did not before."""
    unseen: Unseen = field(default_factory=Unseen)
    """What changes beside the previews."""

    @property
    def needs_approval(self) -> bool:
        """Whether somebody gains access, a door opens, something can be lost, or what changes is not understood."""
        return bool(self.gains or self.risks or any(door.opens for door in self.doors)) or self.unseen.needs_approval


def compare(base: Side | None, head: Side | None, *, stack: str) -> Difference:
    """What changes for a stack from `base` to `head`; `None` is no such stack."""
    if head is None:
        risks = [Risk(what="stack", before=stack, after=None, is_refused=False)] if base else []
        return Difference(risks=tuple(risks))
    before, after = _Listed.on(base), _Listed.on(head)
    return Difference(
        is_new=base is None,
        gains=tuple(_rights_of_one_side(after, before)),
        losses=tuple(_rights_of_one_side(before, after)),
        relisted=(*_relisted(before, after, is_listed=False), *_relisted(after, before, is_listed=True)),
        doors=tuple(_doors(base.preview if base else None, head.preview)),
        risks=tuple(_risks(base, head)) if base else (),
        edits=tuple(_edits(base.preview, head.preview)) if base else (),
        encrypted=tuple(_encrypted(base, head)) if base else (),
        warnings=tuple(each for each in head.preview.warnings if not base or each not in base.preview.warnings),
    )


@functools.cache  # all are compared with all, several times
def takes_in(one: str, other: str) -> bool:
    """Whether everybody who is `other` is `one` too, as far as their names tell.

    An account takes in its roles and users. Whose organization an account is in no name tells.
    """
    if one == other:
        return True
    this, that = Principal(name=one), Principal(name=other)
    if this.is_organization or that.is_organization or that.is_account:
        return False
    if this.is_account:
        return this.account == that.account
    return matches(one, other)


def overlap(one: str, other: str) -> bool:
    """Whether somebody can be both."""
    if takes_in(one, other) or takes_in(other, one):
        return True
    this, that = Principal(name=one), Principal(name=other)
    if this.is_organization or that.is_organization:
        return this.is_organization != that.is_organization  # an account is in one organization at most
    if not (this.is_pattern and that.is_pattern):
        return False
    # The `*` of each takes in all that is in the middle of the other: beginnings and ends decide.
    (start, *_, end), (other_start, *_, other_end) = one.split("*"), other.split("*")
    return (start.startswith(other_start) or other_start.startswith(start)) and (
        end.endswith(other_end) or other_end.endswith(end)
    )


def _not_in(names: Iterable[str], others: Iterable[str]) -> tuple[str, ...]:
    """Those of `names` that none of `others` is or takes in."""
    return tuple(name for name in names if not any(matches(other, name) for other in others))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Listed:
    """Who is listed on a side."""

    access: Sequence[Access] = ()
    owners_root: str = ""
    """The domain's own account, as a principal."""

    @classmethod
    def on(cls, side: Side | None) -> Self:
        if side is None:
            return cls()
        owners_root = f"arn:{side.arns.partition}:iam::{side.arns.owner}:root"
        return cls(access=side.preview.access, owners_root=owners_root)

    def covering(self, principal: str) -> list[Access]:
        """Whose rights all that are `principal` have.

        Of another account both sides have to agree, whether it is listed or one of its roles. In the domain's own
        account a role that is listed needs nothing else; the account leaves it to the role's own IAM policies.
        """
        return [
            each
            for each in self.access
            if each.principal == principal
            or (each.principal != self.owners_root and takes_in(each.principal, principal))
        ]


def _rights_of_one_side(here: _Listed, there: _Listed) -> Iterator[AccessChange]:
    """What principals have here and not there.

    Somebody has a right here alone if, and only if, one of these takes them in and none of its `but_for` does.
    """
    for each in here.access:
        related = [other for other in there.access if overlap(other.principal, each.principal)]
        covering = there.covering(each.principal)
        if each.install and not any(other.install for other in covering):
            holders = [Holder(principal=other.principal, packages=None) for other in related if other.install]
            yield _change(each, None, holders)
        covered = [package for other in covering for package in other.publish]
        if packages := _not_in(each.publish, covered):
            holders = [
                Holder(principal=other.principal, packages=other.publish)
                for other in related
                if any(matches(one, two) or matches(two, one) for one in packages for two in other.publish)
            ]
            yield _change(each, packages, holders)


def _change(access: Access, packages: tuple[str, ...] | None, but_for: Iterable[Holder]) -> AccessChange:
    return AccessChange(principal=access.principal, workflow=access.workflow, packages=packages, but_for=tuple(but_for))


def _relisted(here: _Listed, there: _Listed, *, is_listed: bool) -> Iterator[Relisting]:
    """Those who are listed here and not there, where they have the same by another."""
    named = {each.principal for each in there.access}
    changed = {each.principal for each in _rights_of_one_side(here, there)}
    for each in here.access:
        covering = tuple(other.principal for other in there.covering(each.principal))
        if covering and each.principal not in named | changed:
            yield Relisting(principal=each.principal, is_listed=is_listed, taken_in_by=covering)


def _doors(base: Preview | None, head: Preview) -> Iterator[Door]:
    """What opens or closes for all. A new stack is compared with one that is open to publishing alone."""
    yield from _switched("closedPublishing", not base or not base.publishing_is_closed, not head.publishing_is_closed)
    yield from _switched("protect", base is not None and not base.deletion_is_denied, not head.deletion_is_denied)
    yield from _switched("publicUpstream", base is not None and _has_upstream(base), _has_upstream(head))
    internal, reserved = base.internal_packages if base else (), head.internal_packages
    yield from _moved("internalPackages", _not_in(internal, reserved), _not_in(reserved, internal))
    attached, attaching = _attached(base), _attached(head)
    yield from _moved("attachIdentityPolicies", sorted(attaching - attached), sorted(attached - attaching))
    before, trusted = _trusted(base), _trusted(head)
    for arn in sorted(trusted.keys() & before.keys()):
        if trusted[arn] != before[arn]:
            yield Door(key="githubPublishers", opens=True, values=(arn, before[arn], trusted[arn]))


def _switched(key: str, was_open: bool, is_open: bool) -> Iterator[Door]:  # noqa: FBT001  a before and an after
    if was_open != is_open:
        yield Door(key=key, opens=is_open)


def _moved(key: str, opened: Iterable[str], closed: Iterable[str]) -> Iterator[Door]:
    """The values by which a door opens, and those by which it closes."""
    for opens, values in ((True, tuple(opened)), (False, tuple(closed))):
        if values:
            yield Door(key=key, opens=opens, values=values)


def _has_upstream(preview: Preview) -> bool:
    return any("externalConnections" in each.inputs for each in preview.resources)


def _attached(preview: Preview | None) -> set[str]:
    """The roles that an identity policy is attached to."""
    return {each.inputs["role"] for each in preview.resources if each.type == _ATTACHMENT} if preview else set()


def _trusted(preview: Preview | None) -> dict[str, str]:
    """The workflows by the roles that they have."""
    return {each.principal: each.workflow for each in preview.access if each.workflow} if preview else {}


def _risks(base: Side, head: Side) -> Iterator[Risk]:
    is_refused = base.preview.deletion_is_denied or head.preview.deletion_is_denied
    before, after = base.arns, head.arns
    if (before.repository, base.account) != (after.repository, head.account):
        yield Risk(what="repository", before=before.repository, after=after.repository, is_refused=is_refused)
    if domain := _domain(base.preview):
        new = _domain(head.preview)
        key = new.get("encryptionKey")  # a domain keeps the key that is taken out of the config
        if not new:
            yield Risk(what="domain", before=before.domain, after=None, is_refused=True)
        elif key and before.domain == after.domain and key != domain.get("encryptionKey"):
            yield Risk(what="key", before=before.domain, after=key, is_refused=is_refused)
    if _provider(base.preview) and not _provider(head.preview):
        yield Risk(what="provider", before=_provider(base.preview), after=None, is_refused=is_refused)


def _domain(preview: Preview) -> Mapping[str, Any]:
    return next((each.inputs for each in preview.resources if each.type == DOMAIN), dict[str, Any]())


def _provider(preview: Preview) -> str:
    return next((each.inputs["url"] for each in preview.resources if each.type == _PROVIDER), "")


def _edits(base: Preview, head: Preview) -> Iterator[Edit]:
    """What else changes of resources and outputs."""
    before, after = _by_name(base), _by_name(head)
    for name in sorted(before.keys() | after.keys()):
        if name not in before:
            yield Edit(name=name, what="made")
        elif name not in after:
            yield Edit(name=name, what="deleted")
        else:
            one, other = before[name].inputs, after[name].inputs
            changed = tuple(key for key in sorted({*one, *other}) if _meant(one.get(key)) != _meant(other.get(key)))
            if before[name].protect != after[name].protect:
                changed = (*changed, "protect")
            if changed:
                yield Edit(name=name, what="changed", properties=changed)
    for name in sorted({*base.outputs, *head.outputs}):
        if _meant(base.outputs.get(name)) != _meant(head.outputs.get(name)):
            yield Edit(name=name, what="output")


def _by_name(preview: Preview) -> dict[str, Resource]:
    return {each.name: each for each in preview.resources}


def _meant(value: object) -> object:
    """A value; of a document what it holds."""
    if isinstance(value, str) and value.startswith("{"):
        return json.loads(value)
    return value


def _encrypted(base: Side, head: Side) -> list[str]:
    return sorted({head.stand_ins[each] for each in head.stand_ins.keys() - base.stand_ins.keys()})
