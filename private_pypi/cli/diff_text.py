"""A difference in words, for text and for Markdown alike; and as text."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

from private_pypi.cli.compare import (
    AccessChange,
    AlsoAllowed,
    ComponentDifference,
    Difference,
    Edit,
    Effect,
    Relisting,
    Safeguard,
    Uncompared,
    What,
    covers,
)
from private_pypi.cli.unseen import describe as describe_unseen
from private_pypi.cli.words import Style, plain, several
from private_pypi.iam import EVERYTHING
from private_pypi.principals import Principal

Quote = Callable[[str], str]
"""How text that comes from a config is set off from words of our own."""

Kind = Literal["gain", "loss", "risk", "heading"]


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """A line, and what is said under it."""

    text: str
    details: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True, slots=True)
class Section:
    """A part of a report."""

    title: str
    items: tuple[Item, ...]
    kind: Kind = "heading"
    """What a terminal shows it as."""


def render_difference(difference: Difference, style: Style) -> str:
    """What changes, as text."""
    sections = [
        "\n".join([style("heading", each.title), *(style(each.kind, line) for line in _lines(each.items))])
        for each in describe(difference, plain)
    ]
    return "\n\n".join(sections) or "Nothing changes."


def _lines(items: Iterable[Item]) -> Iterator[str]:
    for item in items:
        yield f"  {item.text}"
        yield from (f"    {detail}" for detail in item.details)


def summarize(difference: Difference) -> str:
    """How many gains, losses and risks there are, and how much could not be compared."""
    counts = [
        several(difference.gains, "gain"),
        several(difference.losses, "loss", "losses"),
        several(difference.risks, "risk"),
        *([f"{difference.not_compared} not compared"] if difference.not_compared else []),
    ]
    return ", ".join(counts)


def describe(difference: Difference, quote: Quote) -> list[Section]:
    """The sections of a report. Of no difference there are none."""
    sections: list[Section] = []
    if difference.is_new and not difference.unseen.base_mistakes:
        made = "This stack is new. `pulumi up` makes all that is below."
        sections.append(Section(title="A new stack", items=(Item(text=made),), kind="risk"))
    sections += _sections({"What can be lost": ("risk", [_effect(each, quote) for each in difference.effects])})
    for component in difference.components:
        prefix = f"{quote(component.name)}: " if len(difference.components) > 1 else ""
        sections += _component(component, prefix, quote, is_new_stack=difference.is_new)
    for title, lines in describe_unseen(difference.unseen, quote):
        items = tuple(Item(text=text, details=details) for text, details in lines)
        sections.append(Section(title=title, items=items, kind="risk"))
    sections += _sections(
        {
            "What else changes in the program": ("heading", [*_edits(difference.edits, quote)]),
            "What could not be compared in the program": (
                "risk",
                [_uncompared(each, quote) for each in difference.uncompared],
            ),
            "New warnings": ("heading", [Item(text=quote(each)) for each in difference.warnings]),
        }
    )
    return sections


def _component(difference: ComponentDifference, prefix: str, quote: Quote, *, is_new_stack: bool) -> list[Section]:
    risks = [each for each in difference.effects if each.kind == "risk"]
    losses = [each for each in difference.effects if each.kind == "loss"]
    gains = [*_access(difference.gains, "already allowed", "do not allow this yet", quote)]
    lost = [*_access(difference.losses, "still allowed", "still allow this", quote)]
    lost += [_effect(each, quote) for each in losses]
    if difference.is_new:
        gains = gains or [Item(text="Nobody: there are no readers and no publishers.")]
    elif difference.gains or difference.losses or difference.relisted:
        gains, lost = gains or [Item(text="Nobody gains.")], lost or [Item(text="Nobody loses.")]
    off = [_safeguard(each, quote) for each in difference.safeguards if not each.is_on]
    on = [_safeguard(each, quote) for each in difference.safeguards if each.is_on]
    new = [Item(text="This private PyPI is new in the stack.")] if difference.is_new and not is_new_stack else []
    edits = [*_edits(difference.edits, quote)]
    if difference.is_new:  # all is made
        edits = [Item(text=detail) for each in edits for detail in each.details]
    gone = [Item(text="This private PyPI is gone from the program. `pulumi up` deletes what the stack has of it.")]
    return _sections(
        {
            f"{prefix}New": ("risk", new),
            f"{prefix}Gone": ("risk", gone if difference.is_gone else []),
            f"{prefix}What can be lost or misused": ("risk", [_effect(each, quote) for each in risks]),
            f"{prefix}Who gains": ("gain", gains),
            f"{prefix}Who loses": ("loss", lost),
            f"{prefix}Who is listed in another way": ("heading", [*_relistings(difference.relisted, quote)]),
            f"{prefix}Safeguards switched off": ("risk", off),
            f"{prefix}Safeguards switched on": ("heading", on),
            f"{prefix}What could not be compared": (
                "risk",
                [_uncompared(each, quote) for each in difference.uncompared],
            ),
            f"{prefix}What {'is made' if difference.is_new else 'else changes'}": ("heading", edits),
        }
    )


def _sections(sections: dict[str, tuple[Kind, list[Item]]]) -> list[Section]:
    return [Section(title=title, items=tuple(items), kind=kind) for title, (kind, items) in sections.items() if items]


def people(principal: str, quote: Quote) -> str:
    """Whom a principal stands for."""
    who = Principal.as_written(principal)
    if who.is_organization:
        return f"whoever is in the organization {quote(principal)}"
    if who.is_account:
        return f"the account {quote(str(who.account))}"
    if who.is_pattern:
        kind = "user" if ":user/" in principal else "role"
        beginning, _, rest = principal.partition("*")
        return f"every {kind} like {quote(principal)}" if rest else f"every {kind} that begins with {quote(beginning)}"
    return quote(principal)


def _access(changes: Iterable[AccessChange], others: str, copies: str, quote: Quote) -> Iterator[Item]:
    """The changes by principal; `others` says how the rest has the right, and `copies` what copies of a policy do."""
    by_principal: defaultdict[tuple[str, str | None], list[AccessChange]] = defaultdict(list)
    for change in changes:
        by_principal[change.principal, change.workload].append(change)
    for (principal, workload), rights in by_principal.items():
        who = people(principal, quote)
        if workload:
            who = f"{who}, the role of {quote(workload)}"
        if Principal.as_written(principal).is_account:
            who = f"{who}, whose own IAM policies decide who in it"
        details = [line for change in rights for line in _right(change, others, quote)]
        details += [
            f"copies of {output} that were attached by hand {copies}: replace them"
            for output in dict.fromkeys(change.copies for change in rights)
            if output
        ]
        yield Item(text=who, details=tuple(details))


def _right(change: AccessChange, others: str, quote: Quote) -> Iterator[str]:
    also = ", ".join(_also_allowed(each, change, quote) for each in change.also_allowed)
    suffix = f" ({others}: {also})" if also else ""
    match change.right:
        case "install":
            yield f"install{suffix}"
        case "list":
            yield f"list and describe packages{suffix}"
        case "publish":
            yield f"publish {_packages(change.scope, quote)}{suffix}"
        case "own_policies":
            yield "publish whatever their own IAM policies allow: closedPublishing stops no publisher"
        case "identity_policy":
            yield "the identity policy that is attached, and with it tokens"
        case "assume_role":
            yield f"the role itself, for {_list(change.scope, quote)}"
        case _:
            yield from (quote(each) for each in change.scope)


def _also_allowed(also: AlsoAllowed, change: AccessChange, quote: Quote) -> str:
    if not also.scope or also.scope == change.scope:
        return people(also.principal, quote)
    packages = _packages(also.scope, quote)
    if covers(also.principal, change.principal):
        return packages
    return f"{people(also.principal, quote)} for {packages}"


def _packages(packages: tuple[str, ...], quote: Quote) -> str:
    return "everything" if EVERYTHING in packages else _list(packages, quote)


def _relistings(relistings: Iterable[Relisting], quote: Quote) -> Iterator[Item]:
    """Those for the same reason together."""
    by_reason: defaultdict[str, list[str]] = defaultdict(list)
    for each in relistings:
        by = " and ".join(people(other, quote) for other in each.covered_by)
        reason = f"no longer listed; they lose nothing, because {by} has the same rights:"
        if each.is_listed:
            reason = f"now listed; they gain nothing, because {by} already had the same rights:"
        by_reason[reason].append(people(each.principal, quote))
    return (Item(text=reason, details=tuple(principals)) for reason, principals in by_reason.items())


_SAFEGUARDS = {
    ("closedPublishing", False): "Publishing is not closed: whoever's own IAM policies let them publish may.",
    ("closedPublishing", True): "Publishing is closed: only publishers may, whatever other people's IAM policies say.",
    ("protect", False): "Packages are not protected: whoever's own IAM policies let them delete packages may.",
    ("protect", True): "Packages are protected: nobody may delete them, whatever their own IAM policies say.",
    ("internalPackages", False): "Public PyPI may supply these packages: {}",
    ("internalPackages", True): "Public PyPI never supplies these packages: {}",
}


def _safeguard(safeguard: Safeguard, quote: Quote) -> Item:
    return Item(text=_SAFEGUARDS[safeguard.key, safeguard.is_on].format(_list(safeguard.packages, quote)))


_EFFECTS: dict[What, str] = {
    "repository_deleted": "The repository {0} would be deleted, with every package in it.",
    "repository_replaced": (
        "The repository {0} would be deleted, with every package in it. In its place comes {1}, empty."
    ),
    "domain_deleted": "The domain {0} would be deleted, with every repository in it.",
    "domain_replaced": (
        "The domain {0} would be deleted, with every repository in it, and made again with the key {1}."
    ),
    "store_deleted": (
        "The store {0} would be deleted: nothing new comes from public PyPI, nor to other repositories that have it "
        "upstream. What was installed from there stays."
    ),
    "public_upstream_added": "What the repository lacks comes from public PyPI.",
    "oidc_provider_deleted": (
        "The account's OpenID Connect provider {0} would be deleted: no role of the account that trusts it could be "
        "assumed any more."
    ),
    "oidc_provider_made": (
        "The account gets the OpenID Connect provider {0}: from then on every role of the account that trusts it can "
        "be assumed, not only those made here."
    ),
    "role_changed": "The role {0} gets other {rest}: what IAM policies elsewhere say of it can change.",
    "denial_added": "The policy of the {0} denies {1} on {2} to {3}.",
    "denial_removed": "The policy of the {0} no longer denies {1} on {2} to {3}.",
    "account_changed": (
        "The account changes from {0} to {1}. The repository {2} stays where it is, with its packages and with whoever "
        "gets in; the stack no longer reaches it."
    ),
    "project_changed": (
        "The project was called {0} and is called {1}: for Pulumi this is a new stack. What the old one deployed "
        "stays, with whoever gets in: {rest}"
    ),
    "stack_removed": (
        "The stack {0} has no stack file any more. What it deployed stays until `pulumi destroy`, and whoever gets in "
        "there: {rest}"
    ),
}
_NAMED = {"project_changed": 2}
"""Of how many values the sentence above names each by itself, where it is not one."""


def _effect(effect: Effect, quote: Quote) -> Item:
    values = [quote(each) for each in effect.values]
    rest = " and ".join(values[_NAMED.get(effect.what, 1) :])
    details = ("`pulumi up` refuses this.",) if effect.is_refused else ()
    return Item(text=_EFFECTS[effect.what].format(*values, rest=rest), details=details)


def _uncompared(uncompared: Uncompared, quote: Quote) -> Item:
    text = f"{uncompared.change}: {quote(uncompared.where)}, because {quote(uncompared.why)}"
    return Item(text=text, details=(quote(uncompared.text),))


def _edits(edits: Iterable[Edit], quote: Quote) -> Iterator[Item]:
    for what, title in (
        ("made", "made"),
        ("deleted", "deleted"),
        ("changed", "changed"),
        ("output", "outputs changed"),
    ):
        if found := [each for each in edits if each.what == what]:
            yield Item(text=f"{title}:", details=tuple(_edit(each, quote) for each in found))


def _edit(edit: Edit, quote: Quote) -> str:
    if edit.properties:
        return f"{quote(edit.name)}: {_list(edit.properties, quote)}"
    return quote(edit.name)


def _list(values: Iterable[str], quote: Quote) -> str:
    return ", ".join(map(quote, values))
