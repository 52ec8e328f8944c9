"""A preview as a comment on a pull request, in the Markdown that GitHub renders.

Whatever comes from a config stands in code: there it makes no line, no link and mentions nobody.
"""

import html
import re
from collections.abc import Iterable, Iterator, Sequence

from private_pypi.cli.compare import Difference
from private_pypi.cli.components import Component
from private_pypi.cli.diff_text import describe
from private_pypi.cli.preview import Preview
from private_pypi.cli.text import (
    access,
    denials,
    identity_policies,
    not_understood,
    outputs,
    permissions_policies,
    pretty,
    remarks,
)
from private_pypi.cli.words import plain

MAX_CHARACTERS = 65_000
"""GitHub takes comments of 65,536: this leaves room for a line of whoever posts it."""


def render_markdown(preview: Preview, notes: Sequence[str]) -> str:
    """Who gets in, the picture, the outputs, and the policies folded away, below `notes`.

    It is never longer than a comment may be: the policies are left out first, then the picture and the outputs, then
    rows of the table. It says so.
    """
    warnings = [fenced(f"Warning: {warning}", "text") for warning in preview.warnings]
    several = len(preview.components) > 1
    said = [part for each in preview.components for part in _component(each, several=several)]
    head = [fenced("\n".join(notes), "text"), *warnings, *said]
    picture = ["### What is made", fenced(_picture(preview), "mermaid")]
    listed = ["### Outputs", table([("output", "value"), *outputs(preview)])] if preview.outputs else []
    documents = [_folded(*each) for each in (*permissions_policies(preview), *identity_policies(preview))]

    for body in (
        [*head, *picture, *listed, *documents],
        [*head, *picture, *listed, "The policies are left out: with them the comment is too long."],
        [*head, "All else is left out: with it the comment is too long."],
    ):
        text = _joined(body)
        if len(text) <= MAX_CHARACTERS:
            return text
    left_out = "Rows are left out, and all else: the comment is too long. See them with `private-pypi preview`."
    room = MAX_CHARACTERS - len(_joined([left_out, left_out]))
    return _joined([left_out, _joined(said)[:room].rpartition("\n")[0]])


def _component(component: Component, *, several: bool) -> Iterator[str]:
    """Who gets in, as a table, and what else there is to say of it."""
    yield f"## {code(component.name)}: who gets in" if several else "## Who gets in"
    if component.access:
        yield table(access(component))
    yield from (f"{remark[0].upper()}{remark[1:]}" for remark in remarks(component))
    if component.safeguards.internal_packages:
        yield f"Never from public PyPI: {', '.join(map(code, component.safeguards.internal_packages))}"
    for title, lines in (
        ("What else is denied", [*denials(component, code)]),
        ("What is not understood", [*not_understood(component, code)]),
    ):
        if lines:
            yield f"### {title}"
            yield "\n".join(f"- {line}" for line in lines)


def render_difference_markdown(difference: Difference, stack: str, notes: Sequence[str]) -> str:
    """What changes for a stack, below `notes`; never longer than a comment may be, and it says so."""
    lines = [f"## {code(stack)}: what changes", "", fenced("\n".join(notes), "text")]
    for section in describe(difference, code):
        lines += ["", f"### {section.title}", ""]
        for item in section.items:
            lines += [f"- {item.text}", *(f"  - {detail}" for detail in item.details)]
    if difference.is_empty:
        lines += ["", "Nothing changes."]
    text = "\n".join(lines)
    if len(text) <= MAX_CHARACTERS:
        return text
    left_out = "Lines are left out: the comment is too long. See them with `private-pypi diff`."
    whole_lines, _, _ = text[: MAX_CHARACTERS - len(left_out) - 2].rpartition("\n")
    return f"{whole_lines}\n\n{left_out}"


def code(text: str) -> str:
    """Text from outside as a code span: on one line, and without an end before its own."""
    line = plain(" ".join(text.split())) or " "
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", line)), default=0))
    space = " " if line.startswith("`") or line.endswith("`") else ""
    return f"{fence}{space}{line}{space}{fence}"


def fenced(text: str, language: str) -> str:
    """Text from outside as a block of code, which nothing in it ends."""
    fence = "`" * (1 + max((2, *(len(run) for run in re.findall("`+", text)))))
    return f"{fence}{language}\n{text}\n{fence}"


def table(rows: Sequence[tuple[str, ...]]) -> str:
    """A table of text from outside under titles of our own. A bar in a cell is escaped, in code too: GFM, tables."""
    titles, *body = rows
    lines = [_row(titles), _row(["---"] * len(titles))]
    return "\n".join(
        [*lines, *(_row([code(cell).replace("|", "\\|") if cell else "" for cell in row]) for row in body)]
    )


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _folded(title: str, document: str) -> str:
    summary = f"<summary><code>{html.escape(plain(title))}</code></summary>"
    return f"<details>{summary}\n\n{fenced(pretty(document), 'json')}\n\n</details>"


def _picture(preview: Preview) -> str:
    """The resources, each below its parent."""
    numbers = {each.urn: number for number, each in enumerate(preview.resources)}
    lines = ["flowchart LR"]
    for each in preview.resources:
        type_ = each.type.rpartition(":")[2]
        lines.append(f'    r{numbers[each.urn]}["{_label(type_)}<br>{_label(each.name)}"]')
        if each.parent in numbers:
            lines.append(f"    r{numbers[each.parent]} --> r{numbers[each.urn]}")
    return "\n".join(lines)


def _label(text: str) -> str:
    """Text from outside in a picture: what is no letter, digit or hyphen becomes a character code of Mermaid's."""
    return re.sub("[^A-Za-z0-9-]", lambda match: f"#{ord(match[0])};", text)


def _joined(parts: Iterable[str]) -> str:
    return "\n\n".join(part for part in parts if part)
