"""A preview as text for people: complete when plain, with headings emphasized where that shows."""

import json
import re
from collections.abc import Callable, Iterator, Sequence

from private_pypi.policies import MAX_DOCUMENT_CHARACTERS
from private_pypi.preview import Preview, Resource

KNOWN_AFTER_UP = "known after pulumi up"


def render(preview: Preview, heading: Callable[[str], str] = str) -> str:
    """The resources as a tree, the policy documents, the outputs and who gets in; `heading` styles the titles."""
    sections = [("Resources", _columns(list(_tree(preview.resources))))]
    for resource in preview.resources:
        if document := resource.inputs.get("policyDocument"):
            size = f"{len(document):,} of {MAX_DOCUMENT_CHARACTERS:,} characters"
            pretty = json.dumps(json.loads(document), indent=2)
            sections.append((f"Policy {resource.name}: {size}", pretty.splitlines()))
    sections += [
        ("Outputs", _columns([(name, value or KNOWN_AFTER_UP) for name, value in preview.outputs.items()])),
        ("Who gets in", _access(preview)),
    ]
    return "\n\n".join("\n".join([heading(title), *(f"  {line}" for line in lines)]) for title, lines in sections)


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


def _access(preview: Preview) -> list[str]:
    if not preview.access:
        return ["nobody: there are no readers and no publishers"]
    rows = [(each.principal, _yes_or_no(each.install), _yes_or_no(each.publish)) for each in preview.access]
    return _columns([("principal", "install", "publish"), *rows])


def _yes_or_no(may: bool) -> str:  # noqa: FBT001
    return "yes" if may else "no"


def _columns(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return ["  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
