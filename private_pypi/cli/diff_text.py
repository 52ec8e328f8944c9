"""A difference in words, for text and for Markdown alike; and as text."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from private_pypi.cli.compare import (
    AccessChange,
    Difference,
    Door,
    Edit,
    Holder,
    Relisting,
    Risk,
    takes_in,
)
from private_pypi.cli.unseen import describe as describe_unseen
from private_pypi.iam import EVERYTHING
from private_pypi.principals import Principal

Quote = Callable[[str], str]
"""How text that comes from a config is set off from words of our own."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Item:
    """A line, and what is said under it."""

    text: str
    details: tuple[str, ...] = ()


def render_difference(difference: Difference, heading: Callable[[str], str] = str) -> str:
    """What changes, as text; `heading` styles the titles."""
    sections = [
        "\n".join([heading(title), *(line for item in items for line in _lines(item))])
        for title, items in describe(difference, str)
    ]
    return "\n\n".join(sections) or "Nothing changes."


def _lines(item: Item) -> list[str]:
    return [f"  {item.text}", *(f"    {detail}" for detail in item.details)]


def describe(difference: Difference, quote: Quote) -> list[tuple[str, list[Item]]]:
    """The sections of a report, each a title with what is under it. Of no difference there are none."""
    sections = {
        "What can be lost": [_risk(each, quote) for each in difference.risks],
        "Who gains": [*_access(difference.gains, "already", quote)],
        "Who loses": [*_access(difference.losses, "still", quote)],
        "Who is listed in another way": [*_relistings(difference.relisted, quote)],
        "What opens": [_door(each, quote) for each in difference.doors if each.opens],
        "What closes": [_door(each, quote) for each in difference.doors if not each.opens],
        "What else changes": [*_others(difference, quote)],
        "New warnings": [Item(text=quote(each)) for each in difference.warnings],
    }
    if not difference.is_new and (difference.gains or difference.losses or difference.relisted):
        sections["Who gains"] = sections["Who gains"] or [Item(text="Nobody gains.")]
        sections["Who loses"] = sections["Who loses"] or [Item(text="Nobody loses.")]
    for title, lines in describe_unseen(difference.unseen, quote):
        sections[title] = [Item(text=text, details=details) for text, details in lines]
    return [(title, items) for title, items in sections.items() if items]


def people(principal: str, quote: Quote) -> str:
    """Whom a principal stands for."""
    who = Principal(name=principal)
    if who.is_organization:
        return f"whoever is in the organization {quote(principal)}"
    if who.is_account:
        return f"the account {quote(str(who.account))}"
    if who.is_pattern:
        kind = "user" if ":user/" in principal else "role"
        beginning, _, rest = principal.partition("*")
        return f"every {kind} like {quote(principal)}" if rest else f"every {kind} that begins with {quote(beginning)}"
    return quote(principal)


def _access(changes: Iterable[AccessChange], others: str, quote: Quote) -> Iterator[Item]:
    """The changes by principal; `others` says how the rest has the right."""
    by_principal: defaultdict[tuple[str, str | None], list[AccessChange]] = defaultdict(list)
    for change in changes:
        by_principal[change.principal, change.workflow].append(change)
    for (principal, workflow), rights in by_principal.items():
        who = people(principal, quote)
        if workflow:
            who = f"{who}, which the GitHub workflow {quote(workflow)} has"
        if Principal(name=principal).is_account:
            who = f"{who}, whose own IAM policies decide who in it"
        yield Item(text=who, details=tuple(_right(change, others, quote) for change in rights))


def _right(change: AccessChange, others: str, quote: Quote) -> str:
    right = "install" if change.packages is None else f"publish {_packages(change.packages, quote)}"
    holders = ", ".join(_holder(each, change, quote) for each in change.but_for)
    return f"{right} ({others}: {holders})" if holders else right


def _holder(holder: Holder, change: AccessChange, quote: Quote) -> str:
    if holder.packages in {None, change.packages}:
        return people(holder.principal, quote)
    packages = _packages(holder.packages or (), quote)
    if takes_in(holder.principal, change.principal):
        return packages
    return f"{people(holder.principal, quote)} for {packages}"


def _packages(packages: tuple[str, ...], quote: Quote) -> str:
    return "everything" if EVERYTHING in packages else _list(packages, quote)


def _relistings(relistings: Iterable[Relisting], quote: Quote) -> Iterator[Item]:
    """Those for the same reason together."""
    by_reason: defaultdict[str, list[str]] = defaultdict(list)
    for each in relistings:
        by = " and ".join(people(other, quote) for other in each.taken_in_by)
        reason = f"no longer listed; they lose nothing, because {by} has the same rights:"
        if each.is_listed:
            reason = f"listed now; they gain nothing, because {by} had the same rights before:"
        by_reason[reason].append(people(each.principal, quote))
    return (Item(text=reason, details=tuple(principals)) for reason, principals in by_reason.items())


_DOORS = {
    ("closedPublishing", True): "Publishing is no longer closed: whoever's own IAM policies let them publish may.",
    ("closedPublishing", False): "Publishing is closed: only publishers may, whatever other people's IAM policies say.",
    ("protect", True): "Packages are not protected: whoever's own IAM policies let them delete packages may.",
    ("protect", False): "Packages are protected: nobody may delete them, whatever their own IAM policies say.",
    ("publicUpstream", True): "What the repository lacks comes from public PyPI.",
    ("publicUpstream", False): "Nothing new comes from public PyPI. What was installed from there stays.",
    ("internalPackages", True): "Public PyPI may supply these packages: {}",
    ("internalPackages", False): "Public PyPI never supplies these packages: {}",
    ("attachIdentityPolicies", True): "These roles get the identity policy, and with it tokens: {}",
    ("attachIdentityPolicies", False): "These roles lose the identity policy, and without their own get no tokens: {}",
    ("githubPublishers", True): "A role trusts another workflow. Role, workflow before, workflow now: {}",
}


def _door(door: Door, quote: Quote) -> Item:
    return Item(text=_DOORS[door.key, door.opens].format(_list(door.values, quote)))


_RISKS = {
    "repository": "The repository {} would be deleted, with every package in it. In its place comes {}, empty.",
    "domain": "The domain {} would be deleted, with every repository in it.",
    "key": "The domain {} would be deleted, with every repository in it, and made again with the key {}.",
    "provider": "The account's provider {} would be deleted, by which workflows assume roles in all of the account.",
    "stack": "The stack {} has no config any more. What it deployed stays until `pulumi destroy`.",
}


def _risk(risk: Risk, quote: Quote) -> Item:
    text = _RISKS[risk.what].format(quote(risk.before), quote(risk.after or ""))
    return Item(text=text, details=("`pulumi up` refuses this.",) if risk.is_refused else ())


def _others(difference: Difference, quote: Quote) -> Iterator[Item]:
    for what, title in (
        ("made", "made"),
        ("deleted", "deleted"),
        ("changed", "changed"),
        ("output", "outputs changed"),
    ):
        if edits := [each for each in difference.edits if each.what == what]:
            yield Item(text=f"{title}:", details=tuple(_edit(each, quote) for each in edits))
    if difference.encrypted:
        yield Item(text=f"encrypted values that are new or changed: {_list(difference.encrypted, quote)}")


def _edit(edit: Edit, quote: Quote) -> str:
    if edit.properties:
        return f"{quote(edit.name)}: {_list(edit.properties, quote)}"
    return quote(edit.name)


def _list(values: Iterable[str], quote: Quote) -> str:
    return ", ".join(map(quote, values))
