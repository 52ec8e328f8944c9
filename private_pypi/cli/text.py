"""A preview as text for people: complete when plain, with headings emphasized where that shows."""

import json
import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import cast

from private_pypi.cli.components import Component, Denial
from private_pypi.cli.preview import Preview
from private_pypi.cli.program import Resource
from private_pypi.cli.words import Style, plain
from private_pypi.iam import EVERYTHING, MAX_DOCUMENT_CHARACTERS, MAX_IDENTITY_DOCUMENT_CHARACTERS, Access
from private_pypi.workloads import MAX_TRUST_POLICY_CHARACTERS

KNOWN_AFTER_UP = "known after pulumi up"

_NEARLY_FULL = 0.9


def render(preview: Preview, style: Style) -> str:
    """For each private PyPI who gets in; then the resources as a tree, the outputs, and the policy documents."""
    sections: list[tuple[str, str, list[str]]] = []
    for component in preview.components:
        prefix = f"{plain(component.name)}: " if len(preview.components) > 1 else ""
        sections += [(kind, f"{prefix}{title}", lines) for kind, title, lines in _component(component) if lines]
    sections += [
        *(("risk", "Warning", [*map(plain, warning.splitlines())]) for warning in preview.warnings),
        ("heading", "Resources", _columns([*_tree(preview.resources)])),
        *([("heading", "Outputs", _columns(outputs(preview)))] if preview.outputs else []),
        *([("heading", "Tags", _columns(tags))] if (tags := _tags(preview)) else []),
        *(("heading", plain(title), _pretty(document)) for title, document in permissions_policies(preview)),
        *(("heading", plain(title), _pretty(document)) for title, document in identity_policies(preview)),
    ]
    return "\n\n".join(
        "\n".join(
            [style("heading", title), *(style(kind, f"  {line}") if kind == "risk" else f"  {line}" for line in lines)]
        )
        for kind, title, lines in sections
    )


def _component(component: Component) -> Iterator[tuple[str, str, list[str]]]:
    yield "heading", "Who gets in", [*(_columns(access(component)) if component.access else []), *remarks(component)]
    yield "heading", "Never from public PyPI", [*component.safeguards.internal_packages]
    yield "heading", "What else is denied", [*denials(component, plain)]
    yield "risk", "What is not understood", [*not_understood(component, plain)]


def access(component: Component) -> list[tuple[str, ...]]:
    """Who gets in, as the rows of a table under its titles; columns that nobody has anything in are left out."""
    titles = ("principal", "install", "list", "publish", "also", "role of")
    lists = any(each.list_packages for each in component.access)
    rows = [
        (
            each.principal,
            _words(each.install),
            _words(each.list_packages) if lists else "",
            _packages(each.publish),
            _also(each, component),
            each.workload or "",
        )
        for each in component.access
    ]
    filled = [index for index, _ in enumerate(titles) if any(row[index] for row in rows)]
    return [tuple(row[index] for index in filled) for row in (titles, *rows)]


def _also(access: Access, component: Component) -> str:
    """What else somebody may do, by what it is on, with our own resources in words."""
    arns = component.arns
    known = {
        arns.domain: "the domain",
        arns.repository: "the repository",
        arns.store.repository: "its store",
        arns.packages: "its packages",
    }
    by_resource: defaultdict[str, list[str]] = defaultdict(list)
    for each in access.other:
        action, _, resource = each.partition(" on ")
        by_resource[resource].append(action.removeprefix("codeartifact:"))
    return "; ".join(
        f"{', '.join(actions)} on {known.get(resource, resource)}" for resource, actions in by_resource.items()
    )


def remarks(component: Component) -> list[str]:
    """What else there is to say of who gets in."""
    lines = [] if component.access else ["nobody: there are no readers and no publishers"]
    if component.safeguards.closed_publishing:
        lines.append("Publishing is closed: nobody else may, whatever their own IAM policies say.")
        if any(each.publish and EVERYTHING not in each.publish for each in component.access):
            lines.append("Who is limited to some packages may publish others by IAM policies of their own.")
    if component.safeguards.protect:
        lines.append("Packages are protected: nobody may delete them, whatever their own IAM policies say.")
    if component.outputs.get("domain_policy_statements", "[]") != "[]":
        lines.append("Nobody gets in before the domain's owner adds domain_policy_statements to the domain's policy.")
    return lines


def denials(component: Component, quote: Callable[[str], str]) -> Iterator[str]:
    """What the policies deny beyond the safeguards, in a line each."""
    for each in component.denials:
        actions, resources = ", ".join(map(quote, each.actions)), ", ".join(map(quote, each.resources))
        yield f"the policy of the {quote(each.where)} denies {actions} on {resources} to {denied(each, quote)}"


def denied(denial: Denial, quote: Callable[[str], str]) -> str:
    """Whom a Deny is about."""
    who = ", ".join(map(quote, denial.principals))
    if denial.exempts:
        return f"everybody but {who}" if who else "everybody"
    return who


def not_understood(component: Component, quote: Callable[[str], str]) -> Iterator[str]:
    """What is not understood, each in a line, with what it says."""
    for each in component.not_understood:
        yield f"{quote(each.where)}, because {quote(each.why)}: {quote(each.text)}"


def outputs(preview: Preview) -> list[tuple[str, str]]:
    """The outputs that are no documents, by name; a map's name stands once for each of its items."""
    documents = [
        value for component in preview.components for name, value in component.outputs.items() if _is_policy(name)
    ]
    return [
        (name, text)
        for name, value in preview.outputs.items()
        if not (value and value in documents)
        for text in _texts(value)
    ]


def _documents(component: Component) -> Iterator[tuple[str, str]]:
    """The documents among a component's outputs, by name, and by principal where there are several."""
    for name, value in component.outputs.items():
        if _is_policy(name) and value:
            if isinstance(value, dict):
                for who, text in cast("dict[str, str]", value).items():
                    yield f"{name} {who}", text
            else:
                yield name, value if isinstance(value, str) else json.dumps(value)


def _is_policy(output: str) -> bool:
    """Whether an output is a policy document, several by principal, or statements for one."""
    return "_policy" in output or output.endswith("_policies")


def permissions_policies(preview: Preview) -> list[tuple[str, str]]:
    """The permissions policies and the trust policies that are made, each with its title, which has its size."""
    return [
        *(
            (f"Policy {each.name}: {_size(document, MAX_DOCUMENT_CHARACTERS)}", document)
            for each in preview.resources
            if isinstance(document := each.inputs.get("policyDocument"), str)
        ),
        *(
            (f"Trust policy {each.name}: {_size(document, MAX_TRUST_POLICY_CHARACTERS)}", document)
            for each in preview.resources
            if isinstance(document := each.inputs.get("assumeRolePolicy"), str)
        ),
    ]


def identity_policies(preview: Preview) -> list[tuple[str, str]]:
    """The documents for others to attach or to add, each with its title."""
    titled: list[tuple[str, str]] = []
    for component in preview.components:
        prefix = f"{component.name} " if len(preview.components) > 1 else ""
        for name, document in _documents(component):
            title = f"Identity policy {prefix}{name}: {_size(document, MAX_IDENTITY_DOCUMENT_CHARACTERS)}"
            if name == "domain_policy_statements":
                title = f"For the domain's owner to add: {prefix}{name}"
            titled.append((title, document))
    return titled


def _tags(preview: Preview) -> list[tuple[str, str]]:
    every: list[object] = [each.inputs.get("tags") for each in preview.resources]
    tags = [cast("dict[str, object]", each) for each in every if isinstance(each, dict)]
    return sorted({(key, str(value)) for each in tags for key, value in each.items()})


def _tree(resources: Sequence[Resource], parent: str | None = None, indent: str = "") -> Iterator[tuple[str, ...]]:
    """The rows of the resources below `parent`, a URN: type, name and protection."""
    children = [resource for resource in resources if resource.parent == parent]
    for child in children:
        branch, below = ("└─ ", "   ") if child is children[-1] else ("├─ ", "│  ")
        if parent is None:
            branch = below = ""
        # As the Pulumi CLI shortens types: aws:codeartifact/domain:Domain is aws:codeartifact:Domain.
        type_ = re.sub("/[^:]+", "", child.type)
        yield f"{indent}{branch}{type_}", child.name, "protected" if child.protect else ""
        yield from _tree(resources, child.urn, indent + below)


def _texts(output: object) -> list[str]:
    """What an output shows: a line, or one for each item of a map."""
    match output:
        case None:
            return [KNOWN_AFTER_UP]
        case dict():
            items = cast("dict[str, object]", output).items()
            return [f"{key}: {text}" for key, value in items for text in _texts(value)]
        case str():
            return [output]
        case _:
            return [json.dumps(output)]


def _pretty(document: str) -> list[str]:
    return [*map(plain, pretty(document).splitlines())]


def pretty(document: str) -> str:
    """A document, indented; what is no JSON as it is."""
    try:
        return json.dumps(json.loads(document), indent=2)
    except (ValueError, RecursionError):
        return document


def _size(document: str, max_characters: int) -> str:
    size = f"{len(document):,} of {max_characters:,} characters"
    if len(document) > _NEARLY_FULL * max_characters:
        return f"{size}, over 90 %: name a pattern instead of many roles, or prefix-* instead of many packages"
    return size


def _words(may: bool) -> str:  # noqa: FBT001  a table's cell
    return "yes" if may else "no"


def _packages(packages: Sequence[str]) -> str:
    return _words(bool(packages)) if EVERYTHING in packages or not packages else ", ".join(packages)


def _columns(rows: Iterable[tuple[str, ...]]) -> list[str]:
    cells = [[plain(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in cells]
