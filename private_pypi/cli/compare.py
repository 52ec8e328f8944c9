"""What one preview means for people who know another: who gains, who loses, and what can be lost.

It compares effective access, not text: replacing a role by a pattern that covers it is no loss. What it cannot compare
is a value of its own, `Uncompared`, which asks for approval.
"""

import functools
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal, Self

from private_pypi.cli.components import (
    ATTACHMENT,
    DOMAIN,
    OIDC_PROVIDER,
    ROLE,
    Component,
    Denial,
    NotUnderstood,
)
from private_pypi.cli.preview import Preview
from private_pypi.cli.program import Resource
from private_pypi.cli.unseen import Unseen
from private_pypi.iam import EVERYTHING, Access, Policy, matches, read_access
from private_pypi.principals import Principal
from private_pypi.workloads import Workload, trusted_workload


@dataclass(frozen=True, kw_only=True, slots=True)
class Side:
    """A stack as a revision describes it."""

    preview: Preview
    project: str
    """The project's name, which is a part of which stack it is."""


Right = Literal["install", "list", "publish", "own_policies", "identity_policy", "assume_role", "other"]


@dataclass(frozen=True, kw_only=True, slots=True)
class AlsoAllowed:
    """Who has a right, or a part of it, in the other revision too."""

    principal: str
    scope: tuple[str, ...]
    """Of publishing what they may publish there."""


@dataclass(frozen=True, kw_only=True, slots=True)
class AccessChange:
    """A right that principals have in one revision and not in the other."""

    principal: str
    """As in `Access`: an ARN, one with `*`, the `:root` ARN of an account, the ID of an organization."""
    workload: str | None
    """The CI workload that has the role."""
    right: Right
    """To install, to list and describe packages, or to publish; to publish whatever their own IAM policies allow,
    though publishing is closed; to have the identity policy, and with it tokens; to assume the role; or to do something
    else."""
    scope: tuple[str, ...] = ()
    """What is published: names, `prefix-*`, or `*` for everything; the CI workload that assumes the role; what else."""
    also_allowed: tuple[AlsoAllowed, ...] = ()
    """Whoever is one of these, too, has the right in both revisions, as far as it reaches."""
    copies: Literal["reader_policy", "publisher_policies"] | None = None
    """The output of which copies that were attached by hand still allow what is lost, or do not allow yet what is
    gained; `None` where there are none or they do not matter."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Relisting:
    """A principal that is listed in one revision alone, and that neither gains nor loses by it."""

    principal: str
    is_listed: bool
    """Whether it is listed in the head; else in the base."""
    covered_by: tuple[str, ...]
    """Principals that cover it and have all of its rights."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Safeguard:
    """A safeguard that is switched; of a new component, what it has."""

    key: Literal["protect", "closedPublishing", "internalPackages"]
    """The config key."""
    is_on: bool
    """Whether it is switched on, or off."""
    packages: tuple[str, ...] = ()
    """Of `internalPackages`, those that it is about."""


What = Literal[
    "repository_deleted",
    "repository_replaced",
    "domain_deleted",
    "domain_replaced",
    "store_deleted",
    "public_upstream_added",
    "oidc_provider_deleted",
    "oidc_provider_made",
    "role_changed",
    "denial_added",
    "denial_removed",
    "account_changed",
    "project_changed",
    "stack_removed",
]
_LOSSES: set[What] = {"denial_added"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Effect:
    """What happens to others than those who are listed, or to what is deployed."""

    what: What
    values: tuple[str, ...] = ()
    """What it is about, in the order in which `diff_text` names it: mostly what was before, and what comes after."""
    is_refused: bool = False
    """Whether `pulumi up` refuses it, because packages are protected in one revision at least."""

    @property
    def kind(self) -> Literal["loss", "risk"]:
        """Whether it only takes away, or can do harm."""
        return "loss" if self.what in _LOSSES else "risk"


@dataclass(frozen=True, kw_only=True, slots=True)
class Edit:
    """Another change of a resource or an output."""

    name: str
    what: Literal["made", "deleted", "changed", "output"]
    properties: tuple[str, ...] = ()
    """Of a resource that changes, the inputs that do."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Uncompared:
    """What is in one revision alone and is not understood. It may let anybody do anything, or deny it."""

    change: Literal["new", "gone"]
    where: str
    why: str
    text: str


@dataclass(frozen=True, kw_only=True, slots=True)
class ComponentDifference:
    """All that changes of one private PyPI."""

    name: str
    is_new: bool = False
    is_gone: bool = False
    gains: tuple[AccessChange, ...] = ()
    losses: tuple[AccessChange, ...] = ()
    relisted: tuple[Relisting, ...] = ()
    safeguards: tuple[Safeguard, ...] = ()
    effects: tuple[Effect, ...] = ()
    edits: tuple[Edit, ...] = ()
    uncompared: tuple[Uncompared, ...] = ()

    @property
    def risks(self) -> int:
        """How many risks there are: safeguards that are off, and what else can do harm."""
        return sum(not each.is_on for each in self.safeguards) + sum(each.kind == "risk" for each in self.effects)


@dataclass(frozen=True, kw_only=True, slots=True)
class Difference:
    """All that changes from one preview to another."""

    is_new: bool = False
    """Whether the base has no such stack."""
    is_gone: bool = False
    """Whether the head has no such stack."""
    components: tuple[ComponentDifference, ...] = ()
    """Every private PyPI of either revision."""
    effects: tuple[Effect, ...] = ()
    edits: tuple[Edit, ...] = ()
    """Of outputs of the stack that are no component's."""
    uncompared: tuple[Uncompared, ...] = ()
    """What else the program has, where it changes."""
    warnings: tuple[str, ...] = ()
    """What the program warns of in the head alone."""
    unseen: Unseen = field(default_factory=Unseen)
    """What changes beside the previews."""

    @property
    def gains(self) -> int:
        """How many principals gain how many rights."""
        return sum(len(each.gains) for each in self.components)

    @property
    def losses(self) -> int:
        """How many principals lose how many rights, and what else is lost."""
        effects = [*self.effects, *(effect for each in self.components for effect in each.effects)]
        return sum(len(each.losses) for each in self.components) + sum(each.kind == "loss" for each in effects)

    @property
    def risks(self) -> int:
        """How many risks there are."""
        return sum(each.risks for each in self.components) + sum(each.kind == "risk" for each in self.effects)

    @property
    def not_compared(self) -> int:
        """How many things could not be compared."""
        return len(self.uncompared) + self.unseen.count + sum(len(each.uncompared) for each in self.components)

    @property
    def needs_approval(self) -> bool:
        """Whether something is new or gone, somebody gains, there is a risk, or something could not be compared."""
        return bool(
            self.gains
            or self.risks
            or self.not_compared
            or any(each.is_new or each.is_gone for each in (self, *self.components))
        )

    @property
    def is_empty(self) -> bool:
        """Whether everything was compared and nothing changes."""
        return replace(self, components=()) == Difference() and all(
            each == ComponentDifference(name=each.name) for each in self.components
        )


def as_json(difference: Difference) -> dict[str, Any]:
    """A difference as what JSON holds. Its keys are public: docs/reference.md describes them."""
    content = asdict(difference)
    for whole, one in zip(content["components"], difference.components, strict=True):
        whole["effects"] = [_effect_as_json(each) for each in one.effects]
    counts = {name: getattr(difference, name) for name in ("gains", "losses", "risks", "not_compared")}
    effects = [_effect_as_json(each) for each in difference.effects]
    return {"needs_approval": difference.needs_approval, "counts": counts} | content | {"effects": effects}


def _effect_as_json(effect: Effect) -> dict[str, Any]:
    return {"kind": effect.kind} | asdict(effect)


def compare(base: Side | None, head: Side | None, *, stack: str) -> Difference:
    """What changes for a stack from `base` to `head`; `None` is no such stack."""
    if head is None:
        if base is None:
            return Difference()
        left = [each.arns.repository for each in base.preview.components]
        return Difference(is_gone=True, effects=(Effect(what="stack_removed", values=(stack, *left)),))
    before, after = _by_place(base), _by_place(head)
    effects: list[Effect] = []
    if base and base.project != head.project:
        left = [each.arns.repository for each in base.preview.components]
        effects.append(Effect(what="project_changed", values=(base.project, head.project, *left)))
    warned = base.preview.warnings if base else ()
    return Difference(
        is_new=base is None,
        components=tuple(
            _compare_components(before.get(place), after.get(place)) for place in sorted({*before, *after})
        ),
        effects=tuple(effects),
        edits=tuple(_output_edits(base.preview, head.preview)) if base else (),
        uncompared=tuple(_others(base.preview if base else None, head.preview)),
        warnings=tuple(each for each in head.preview.warnings if each not in warned),
    )


def _by_place(side: Side | None) -> dict[str, Component]:
    return {_place(each.urn): each for each in side.preview.components} if side else {}


def _place(urn: str) -> str:
    """A resource's types and name, which its URN has besides stack and project."""
    return urn.split("::", maxsplit=2)[2]


@functools.cache  # all are compared with all, several times
def covers(one: str, other: str) -> bool:
    """Whether everybody who is `other` is `one` too, as far as their names tell.

    An account covers its roles and users. Whose organization an account is in no name tells.
    """
    if one == other:
        return True
    this, that = Principal.as_written(one), Principal.as_written(other)
    if this.is_organization or that.is_organization or that.is_account:
        return False
    if this.is_account:
        return this.account == that.account
    return matches(one, other)


def overlap(one: str, other: str) -> bool:
    """Whether somebody can be both."""
    if covers(one, other) or covers(other, one):
        return True
    this, that = Principal.as_written(one), Principal.as_written(other)
    if this.is_organization or that.is_organization:
        return this.is_organization != that.is_organization  # an account is in one organization at most
    if not (this.is_pattern and that.is_pattern):
        return False
    # The `*` of each covers all that is in the middle of the other: beginnings and ends decide.
    (start, *_, end), (other_start, *_, other_end) = one.split("*"), other.split("*")
    return (start.startswith(other_start) or other_start.startswith(start)) and (
        end.endswith(other_end) or other_end.endswith(end)
    )


def _not_in(names: Iterable[str], others: Iterable[str]) -> tuple[str, ...]:
    """Those of `names` that none of `others` is or covers."""
    return tuple(name for name in names if not any(matches(other, name) for other in others))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Listed:
    """Who is listed in a revision."""

    access: Sequence[Access] = ()
    kept: Sequence[Access] = ()
    """The same without publishing that closed publishing denies, as it does to whom the domain's policy alone lets."""
    owner: str = ""
    """The domain's own account, 12 digits."""
    owners_root: str = ""
    """The same as a principal."""
    account: str = ""
    """The account that made the repository."""
    administrators_root: str = ""
    """The same as a principal."""
    exempt: Sequence[Access] | None = None
    """Whom closed publishing exempts; `None` where it is not closed."""
    attached: frozenset[str] = frozenset()
    """The roles that an identity policy is attached to."""

    @classmethod
    def of(cls, component: Component | None) -> Self:
        if component is None:
            return cls()
        arns = component.arns
        # Of publishers, the repository's policy exempts its own.
        publishers = [each for each in read_access(Policy(), component.repository, arns) if each.publish]
        exempt = publishers if component.safeguards.closed_publishing else None
        return cls(
            access=component.access,
            kept=[
                each
                if exempt is None or any(covers(other.principal, each.principal) for other in exempt)
                else replace(each, publish=())
                for each in component.access
            ],
            owner=arns.owner,
            owners_root=f"arn:{arns.partition}:iam::{arns.owner}:root",
            account=component.account,
            administrators_root=f"arn:{arns.partition}:iam::{component.account}:root",
            exempt=exempt,
            attached=frozenset(_attached(component)),
        )

    def covering(self, principal: str) -> list[Access]:
        """Whose rights all that are `principal` have.

        Of another account both sides have to agree, whether it is listed or one of its roles. In the domain's own
        account a role that is listed needs nothing else, and perhaps not in the one that made the repository; where the
        account is listed, it is left to the role's own IAM policies.
        """
        left_to_itself = {self.owners_root, self.administrators_root}
        return [
            each
            for each in self.kept
            if each.principal == principal
            or (each.principal not in left_to_itself and covers(each.principal, principal))
        ]

    def is_let_by_identity_alone(self, change: AccessChange) -> bool:
        """Whether an identity policy that is made for somebody allows a right by itself.

        It does in the account that made a repository of another account's domain, and for installing in the domain's
        own, if that is listed as a whole: then it is left to identity policies.
        """
        account = Principal.as_written(change.principal).account  # an organization may have any
        if self.account != self.owner and account in {self.account, None}:
            return True
        is_left = any(each.principal == self.owners_root for each in self.access)
        return is_left and change.right != "publish" and account in {self.owner, None}

    def needs_identity(self, change: AccessChange) -> bool:
        """Whether somebody needs an identity policy for a right."""
        principal = Principal.as_written(change.principal)
        return principal.account != self.owner or (principal.is_account and change.right != "publish")


def _attached(component: Component) -> Iterator[str]:
    """The principals that are roles to which an identity policy is attached."""
    listed = {Principal.as_written(each.principal).role_name: each.principal for each in component.access}
    for each in component.of_type(ATTACHMENT):
        role = str(each.inputs.get("role"))
        yield listed.get(role, f"arn:{component.arns.partition}:iam::{component.account}:role/{role}")


def _compare_components(base: Component | None, head: Component | None) -> ComponentDifference:
    before, after = _Listed.of(base), _Listed.of(head)
    trusted_before, trusted = _trusted(base), _trusted(head)
    uncompared = [*_uncompared(base.not_understood if base else (), head.not_understood if head else ())]
    gains = [_with_copies(each, before, matters=after.needs_identity(each)) for each in _rights_of_one(after, before)]
    losses = [
        _with_copies(each, before, matters=before.is_let_by_identity_alone(each))
        for each in _rights_of_one(before, after)
    ]
    for arn in sorted(trusted.keys() & trusted_before.keys()):
        (one, document), (other, other_document) = trusted_before[arn], trusted[arn]
        if one and other and one != other:
            gains.append(_trust(arn, other))
            losses.append(_trust(arn, one))
        elif document != other_document:
            why = "its trust policy changes"
            uncompared.append(Uncompared(change="new", where=arn, why=why, text=json.dumps(other_document)))
    name = next(each.name for each in (head, base) if each)
    return ComponentDifference(
        name=name,
        is_new=base is None,
        is_gone=head is None,
        gains=tuple(gains),
        losses=tuple(losses),
        relisted=(*_relisted(before, after, is_listed=False), *_relisted(after, before, is_listed=True)),
        safeguards=tuple(_safeguards(base, head)) if head else (),
        effects=tuple(_effects(base, head)),
        edits=tuple(_edits(base, head)),
        uncompared=tuple(uncompared),
    )


def _rights_of_one(here: _Listed, there: _Listed) -> Iterator[AccessChange]:
    """What principals have here and not there.

    Somebody has a right here alone if, and only if, one of these covers them and none of its `also_allowed` does.
    """
    for each in here.access:
        related = [other for other in there.kept if overlap(other.principal, each.principal)]
        covering = there.covering(each.principal)
        if each.install and not any(other.install for other in covering):
            also = [AlsoAllowed(principal=other.principal, scope=()) for other in related if other.install]
            yield _change(each, "install", also_allowed=also)
        if each.list_packages and not any(other.list_packages for other in covering):
            also = [AlsoAllowed(principal=other.principal, scope=()) for other in related if other.list_packages]
            yield _change(each, "list", also_allowed=also)
        covered = [package for other in covering for package in other.publish]
        if packages := _not_in(each.publish, covered):
            also = [
                AlsoAllowed(principal=other.principal, scope=other.publish)
                for other in related
                if any(matches(one, two) or matches(two, one) for one in packages for two in other.publish)
            ]
            yield _change(each, "publish", packages, also)
        if here.exempt is not None and there.exempt is not None and _may_publish_by_own_policies(each, here):
            also = [other.principal for other in there.exempt]
            if not any(covers(other, each.principal) for other in also):
                yield _change(each, "own_policies")
        had = {what for other in covering for what in other.other}
        if more := tuple(what for what in each.other if what not in had):
            yield _change(each, "other", more)
    for principal in sorted(here.attached - there.attached):
        yield AccessChange(principal=principal, workload=None, right="identity_policy")


def _with_copies(change: AccessChange, base: _Listed, *, matters: bool) -> AccessChange:
    """A change with the identity policy that somebody may have a copy of, if that `matters` for it."""
    had = next((each for each in base.access if each.principal == change.principal), None)
    is_made_here = change.workload is not None or change.principal in base.attached
    if not (matters and had) or is_made_here or change.right not in {"install", "list", "publish"}:
        return change
    is_elsewhere = Principal.as_written(change.principal).account != base.owner
    return replace(change, copies="publisher_policies" if had.publish and is_elsewhere else "reader_policy")


def _may_publish_by_own_policies(access: Access, listed: _Listed) -> bool:
    """Whether closed publishing leaves it to somebody's own IAM policies to publish more than what is listed."""
    account = Principal.as_written(access.principal).account  # none of an organization, which may have any
    is_limited = bool(access.publish) and EVERYTHING not in access.publish
    return is_limited and account in {None, listed.owner, listed.account}


def _change(
    access: Access, right: Right, scope: tuple[str, ...] = (), also_allowed: Iterable[AlsoAllowed] = ()
) -> AccessChange:
    return AccessChange(
        principal=access.principal,
        workload=access.workload,
        right=right,
        scope=scope,
        also_allowed=tuple(also_allowed),
    )


def _trust(role: str, workload: Workload) -> AccessChange:
    return AccessChange(principal=role, workload=None, right="assume_role", scope=(workload.full_name,))


def _relisted(here: _Listed, there: _Listed, *, is_listed: bool) -> Iterator[Relisting]:
    """Those who are listed here and not there, where they have the same by another."""
    named = {each.principal for each in there.access}
    changed = {each.principal for each in _rights_of_one(here, there)}
    for each in here.access:
        covering = tuple(other.principal for other in there.covering(each.principal))
        if covering and each.principal not in named | changed:
            yield Relisting(principal=each.principal, is_listed=is_listed, covered_by=covering)


def _trusted(component: Component | None) -> dict[str, tuple[Workload | None, Any]]:
    """The CI workloads, and the trust policies, by the roles that they have."""
    if component is None:
        return {}
    partition, account = component.arns.partition, component.account
    return {
        f"arn:{partition}:iam::{account}:role/{each.inputs.get('name')}": (
            trusted_workload(text, partition, account),
            _parsed(text),
        )
        for each in component.of_type(ROLE)
        for text in (each.inputs.get("assumeRolePolicy"),)
    }


def _safeguards(base: Component | None, head: Component) -> Iterator[Safeguard]:
    """What is switched; of a new component, what it has."""
    now, before = head.safeguards, base.safeguards if base else None
    if before is None or before.protect != now.protect:
        yield Safeguard(key="protect", is_on=now.protect)
    if before.closed_publishing != now.closed_publishing if before else now.closed_publishing:
        yield Safeguard(key="closedPublishing", is_on=now.closed_publishing)
    internal = before.internal_packages if before else ()
    for is_on, packages in (
        (False, _not_in(internal, now.internal_packages)),
        (True, _not_in(now.internal_packages, internal)),
    ):
        if packages:
            yield Safeguard(key="internalPackages", is_on=is_on, packages=packages)


def _effects(base: Component | None, head: Component | None) -> Iterator[Effect]:
    """What happens to others, and to what is deployed."""
    is_refused = any(each.safeguards.protect for each in (base, head) if each)
    if base and (head is None or base.account == head.account):
        yield from _deletions(base, head, is_refused=is_refused)
    elif base and head:
        yield Effect(
            what="account_changed", values=(base.account, head.account, base.arns.repository), is_refused=is_refused
        )
    stores, new_stores = (set(each.stores) if each else set[str]() for each in (base, head))
    if stores - new_stores:
        yield Effect(what="store_deleted", values=tuple(sorted(stores - new_stores)))
    if new_stores and not stores:
        yield Effect(what="public_upstream_added")
    urls, new_urls = _providers(base), _providers(head)
    for url in sorted(urls - new_urls):
        yield Effect(what="oidc_provider_deleted", values=(url,), is_refused=is_refused)
    for url in sorted(new_urls - urls):
        yield Effect(what="oidc_provider_made", values=(url,))
    roles, new_roles = (
        {_place(each.urn): each for each in side.of_type(ROLE)} if side else {} for side in (base, head)
    )
    for place in sorted(roles.keys() & new_roles.keys()):
        if changed := [
            name
            for name in ("permissionsBoundary", "tags")
            if roles[place].inputs.get(name) != new_roles[place].inputs.get(name)
        ]:
            yield Effect(what="role_changed", values=(str(new_roles[place].inputs.get("name")), *changed))
    denials, new_denials = (each.denials if each else () for each in (base, head))
    yield from (Effect(what="denial_removed", values=_said(each)) for each in denials if each not in new_denials)
    yield from (Effect(what="denial_added", values=_said(each)) for each in new_denials if each not in denials)


def _said(denial: Denial) -> tuple[str, ...]:
    """What `diff_text` names of a Deny: where it is, what it denies, on what, and whom."""
    who = ", ".join(denial.principals)
    if denial.exempts:
        who = f"everybody but {who}" if who else "everybody"
    return denial.where, ", ".join(denial.actions), ", ".join(denial.resources), who


def _deletions(base: Component, head: Component | None, *, is_refused: bool) -> Iterator[Effect]:
    before, after = base.arns, head.arns if head else None
    if after is None:
        yield Effect(what="repository_deleted", values=(before.repository,), is_refused=is_refused)
    elif before.repository != after.repository:
        values = before.repository, after.repository
        yield Effect(what="repository_replaced", values=values, is_refused=is_refused)
    if domain := _domain(base):
        new = _domain(head)
        key = new.get("encryptionKey") if new else None  # a domain keeps the key that is taken out of the config
        if new is None:
            yield Effect(what="domain_deleted", values=(before.domain,), is_refused=True)
        elif key and after and before.domain == after.domain and key != domain.get("encryptionKey"):
            yield Effect(what="domain_replaced", values=(before.domain, str(key)), is_refused=is_refused)


def _domain(component: Component | None) -> Mapping[str, Any] | None:
    return next((each.inputs for each in component.of_type(DOMAIN)), None) if component else None


def _providers(component: Component | None) -> set[str]:
    """The addresses of the identity providers that are made."""
    return {str(each.inputs.get("url")) for each in component.of_type(OIDC_PROVIDER)} if component else set()


def _uncompared(base: Sequence[NotUnderstood], head: Sequence[NotUnderstood]) -> Iterator[Uncompared]:
    """What is not understood and in one revision alone, or known in neither."""
    sides: list[tuple[Literal["new", "gone"], Sequence[NotUnderstood], Sequence[NotUnderstood]]]
    sides = [("gone", base, head), ("new", head, base)]
    for change, here, there in sides:
        for each in here:
            if each not in there or (change == "new" and each.text == "null"):
                yield Uncompared(change=change, where=each.where, why=each.why, text=each.text)


def _others(base: Preview | None, head: Preview) -> Iterator[Uncompared]:
    """What else the programs have, where it changes: resources of no private PyPI, and secrets."""
    before, after = (
        [
            NotUnderstood(
                where=each.name,
                why=f"it is of the type {each.type}, in no PrivatePypi",
                text=json.dumps(dict(each.inputs) | ({"protect": True} if each.protect else {})),
                secret=" ".join([_place(each.urn), *each.secrets.values()]),
            )
            for each in _outside(preview)
        ]
        + [
            NotUnderstood(where=name, why="it is an output that is secret", text="[secret]", secret=secret)
            for name, secret in preview.secret_outputs.items()
        ]
        if preview
        else []
        for preview in (base, head)
    )
    yield from _uncompared(before, after)


def _outside(preview: Preview) -> Iterator[Resource]:
    """What a provider makes that belongs to no private PyPI."""
    inside = {each.urn for component in preview.components for each in component.resources}
    return (each for each in preview.resources if each.custom and each.urn not in inside)


def _edits(base: Component | None, head: Component | None) -> Iterator[Edit]:
    """What else changes of resources and outputs."""
    before, after = (
        {_place(each.urn): each for each in side.resources} if side else dict[str, Resource]() for side in (base, head)
    )
    for place in sorted(before.keys() | after.keys(), key=lambda place: (place.rpartition("::")[2], place)):
        one, other = before.get(place), after.get(place)
        if one is None or other is None:
            name = place.rpartition("::")[2]
            yield Edit(name=name, what="made" if one is None else "deleted")
            continue
        keys = sorted({*one.inputs, *other.inputs})
        changed = tuple(key for key in keys if _read(one, key) != _read(other, key))
        if one.protect != other.protect:
            changed = (*changed, "protect")
        if changed:
            yield Edit(name=one.name, what="changed", properties=changed)
    if base and head:
        for name in sorted({*base.outputs, *head.outputs}):
            if _parsed(base.outputs.get(name)) != _parsed(head.outputs.get(name)):
                yield Edit(name=name, what="output")


def _output_edits(base: Preview, head: Preview) -> Iterator[Edit]:
    """What changes of outputs that hand on no output of a component."""
    handed_on = [[value for each in side.components for value in each.outputs.values()] for side in (base, head)]
    for name in sorted({*base.outputs, *head.outputs}):
        values = [side.outputs.get(name) for side in (base, head)]
        if values[0] != values[1] and not all(
            value is None or value in ours for value, ours in zip(values, handed_on, strict=True)
        ):
            yield Edit(name=name, what="output")


def _read(resource: Resource, key: str) -> tuple[object, str | None]:
    return _parsed(resource.inputs.get(key)), resource.secrets.get(key)


def _parsed(value: object) -> object:
    """A value; of a document what it holds."""
    return json.loads(value) if isinstance(value, str) and value.startswith("{") and _is_json(value) else value


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except (ValueError, RecursionError):
        return False
    return True
