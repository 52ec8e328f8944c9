"""A preview as text for people: complete when plain, with headings emphasized where that shows."""

import json
import re
from collections.abc import Callable, Iterator, Sequence
from typing import cast

from private_pypi.cli.preview import Preview
from private_pypi.cli.program import Resource
from private_pypi.iam import EVERYTHING, MAX_DOCUMENT_CHARACTERS, MAX_IDENTITY_DOCUMENT_CHARACTERS
from private_pypi.workloads import MAX_TRUST_POLICY_CHARACTERS

KNOWN_AFTER_UP = "known after pulumi up"

_NEARLY_FULL = 0.9


def render(preview: Preview, heading: Callable[[str], str] = str) -> str:
    """Who gets in, the resources as a tree, the outputs, and the policy documents; `heading` styles the titles."""
    sections = [
        ("Who gets in", [*(_columns(access(preview)) if preview.access else []), *remarks(preview)]),
        *([("Never from public PyPI", [*preview.internal_packages])] if preview.internal_packages else []),
        *(("Warning", warning.splitlines()) for warning in preview.warnings),
        ("Resources", _columns([*_tree(preview.resources)])),
        ("Outputs", _columns(outputs(preview))),
        *([("Tags", _columns(tags))] if (tags := _tags(preview)) else []),
        *((title, _pretty(document)) for title, document in permissions_policies(preview)),
        *((title, _pretty(document)) for title, document in identity_policies(preview)),
    ]
    return "\n\n".join("\n".join([heading(title), *(f"  {line}" for line in lines)]) for title, lines in sections)


def access(preview: Preview) -> list[tuple[str, ...]]:
    """Who gets in, as the rows of a table under its titles."""
    rows = [("principal", "install", "publish")]
    rows += [(each.principal, _words(each.install), _packages(each.publish)) for each in preview.access]
    if not any(each.workflow for each in preview.access):
        return [*rows]
    workflows = ["GitHub workflow", *(each.workflow or "" for each in preview.access)]
    return [(*row, workflow) for row, workflow in zip(rows, workflows, strict=True)]


def remarks(preview: Preview) -> list[str]:
    """What else there is to say of who gets in."""
    lines = [] if preview.access else ["nobody: there are no readers and no publishers"]
    if preview.publishing_is_closed:
        lines.append("Publishing is closed: nobody else may, whatever their own IAM policies say.")
        if any(each.publish and EVERYTHING not in each.publish for each in preview.access):
            lines.append("Who is limited to some packages may publish others by IAM policies of their own.")
    if preview.deletion_is_denied:
        lines.append("Packages are protected: nobody may delete them, whatever their own IAM policies say.")
    if "domain_policy_statement" in preview.outputs:
        lines.append("Nobody gets in before the domain's owner adds domain_policy_statement to the domain's policy.")
    return lines


def outputs(preview: Preview) -> list[tuple[str, str]]:
    """The outputs that are no documents, by name; a map's name stands once for each of its items."""
    return [
        (name, text)
        for name, value in preview.outputs.items()
        if not name.endswith(("_policy", "_statement"))
        for text in _texts(value)
    ]


def permissions_policies(preview: Preview) -> list[tuple[str, str]]:
    """The permissions policies and the trust policies that are made, each with its title, which has its size."""
    return [
        *(
            (f"Policy {each.name}: {_size(document, MAX_DOCUMENT_CHARACTERS)}", document)
            for each in preview.resources
            if (document := each.inputs.get("policyDocument"))
        ),
        *(
            (f"Trust policy {each.name}: {_size(document, MAX_TRUST_POLICY_CHARACTERS)}", document)
            for each in preview.resources
            if (document := each.inputs.get("assumeRolePolicy"))
        ),
    ]


def identity_policies(preview: Preview) -> list[tuple[str, str]]:
    """The documents for others to attach or to add, each with its title."""
    statement = preview.outputs.get("domain_policy_statement")
    return [
        *(
            (f"Identity policy {name}: {_size(document, MAX_IDENTITY_DOCUMENT_CHARACTERS)}", document)
            for name, document in preview.outputs.items()
            if name.endswith("_policy")
        ),
        *([("For the domain's owner to add: domain_policy_statement", statement)] if statement else []),
    ]


def _tags(preview: Preview) -> list[tuple[str, str]]:
    return sorted({tag for each in preview.resources for tag in each.inputs.get("tags", {}).items()})


def _tree(resources: Sequence[Resource], parent: str | None = None, indent: str = "") -> Iterator[tuple[str, ...]]:
    """The rows of the resources below `parent`: type, name and protection."""
    children = [resource for resource in resources if resource.parent == parent]
    for child in children:
        branch, below = ("└─ ", "   ") if child is children[-1] else ("├─ ", "│  ")
        if parent is None:
            branch = below = ""
        # As the Pulumi CLI shortens types: aws:codeartifact/domain:Domain is aws:codeartifact:Domain.
        type_ = re.sub("/[^:]+", "", child.type)
        yield f"{indent}{branch}{type_}", child.name, "protected" if child.protect else ""
        yield from _tree(resources, child.name, indent + below)


def _texts(output: object) -> list[str]:
    """What an output shows: a line, or one for each item of a map."""
    if isinstance(output, dict):
        return [f"{key}: {value}" for key, value in cast("dict[str, str]", output).items()]
    return [str(output or KNOWN_AFTER_UP)]


def _pretty(document: str) -> list[str]:
    return json.dumps(json.loads(document), indent=2).splitlines()


def _size(document: str, max_characters: int) -> str:
    size = f"{len(document):,} of {max_characters:,} characters"
    if len(document) > _NEARLY_FULL * max_characters:
        return f"{size}, over 90 %: name a pattern instead of many roles, or prefix-* instead of many packages"
    return size


def _words(may: bool) -> str:  # noqa: FBT001  a table's cell
    return "yes" if may else "no"


def _packages(packages: Sequence[str]) -> str:
    return _words(bool(packages)) if EVERYTHING in packages or not packages else ", ".join(packages)


def _columns(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
