"""A preview as a comment on a pull request, in the Markdown that GitHub renders.

Whatever comes from a config stands in code: there it makes no line, no link and mentions nobody.
"""

import html
import json
import re
from collections.abc import Iterable, Sequence

from private_pypi.cli.compare import Difference
from private_pypi.cli.diff_text import describe
from private_pypi.cli.preview import Preview
from private_pypi.cli.text import access, identity_policies, outputs, permissions_policies, remarks

MAX_CHARACTERS = 65_000
"""GitHub takes comments of 65,536: this leaves room for a line of whoever posts it."""


def render_markdown(preview: Preview, notes: Sequence[str]) -> str:
    """Who gets in, the picture, the outputs, and the policies folded away, below `notes`.

    It is never longer than a comment may be: the policies are left out first, then the picture and the outputs, then
    rows of the table. It says so.
    """
    rows = access(preview)
    warnings = [fenced(f"Warning: {warning}", "text") for warning in preview.warnings]
    head = ["## Who gets in", fenced("\n".join(notes), "text"), *warnings]
    said = [f"{remark[0].upper()}{remark[1:]}" for remark in remarks(preview)]
    if preview.internal_packages:
        said.append(f"Never from public PyPI: {', '.join(map(code, preview.internal_packages))}")
    picture = ["### What is made", fenced(_picture(preview), "mermaid")]
    listed = ["### Outputs", table([("output", "value"), *outputs(preview)])]
    documents = [_folded(*each) for each in (*permissions_policies(preview), *identity_policies(preview))]

    whole = table(rows) if preview.access else ""
    for body in (
        [*head, whole, *said, *picture, *listed, *documents],
        [*head, whole, *said, *picture, *listed, "The policies are left out: with them the comment is too long."],
        [*head, whole, *said, "All else is left out: with it the comment is too long."],
    ):
        text = _joined(body)
        if len(text) <= MAX_CHARACTERS:
            return text
    left_out = "Rows are left out, and all else: the comment is too long. See them with `private-pypi preview`."
    room = MAX_CHARACTERS - len(_joined([left_out, left_out]))
    return _joined([left_out, table(rows)[:room].rpartition("\n")[0]])


def render_difference_markdown(difference: Difference, stack: str, notes: Sequence[str]) -> str:
    """What changes for a stack, below `notes`; never longer than a comment may be, and it says so."""
    lines = [f"## {code(stack)}: what changes", "", fenced("\n".join(notes), "text")]
    for title, items in describe(difference, code):
        lines += ["", f"### {title}", ""]
        for item in items:
            lines += [f"- {item.text}", *(f"  - {detail}" for detail in item.details)]
    if difference == Difference():
        lines += ["", "Nothing changes."]
    text = "\n".join(lines)
    if len(text) <= MAX_CHARACTERS:
        return text
    left_out = "Lines are left out: the comment is too long. See them with `private-pypi diff`."
    whole_lines, _, _ = text[: MAX_CHARACTERS - len(left_out) - 2].rpartition("\n")
    return f"{whole_lines}\n\n{left_out}"


def code(text: str) -> str:
    """Text from outside as a code span: on one line, and without an end before its own."""
    line = " ".join(text.split()) or " "
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
    summary = f"<summary><code>{html.escape(title)}</code></summary>"
    return f"<details>{summary}\n\n{fenced(json.dumps(json.loads(document), indent=2), 'json')}\n\n</details>"


def _picture(preview: Preview) -> str:
    """The resources, each below its parent."""
    numbers = {each.name: number for number, each in enumerate(preview.resources)}
    lines = ["flowchart LR"]
    for each in preview.resources:
        type_ = each.type.rpartition(":")[2]
        lines.append(f'    r{numbers[each.name]}["{_label(type_)}<br>{_label(each.name)}"]')
        if each.parent in numbers:
            lines.append(f"    r{numbers[each.parent]} --> r{numbers[each.name]}")
    return "\n".join(lines)


def _label(text: str) -> str:
    """Text from outside in a picture: what is no letter, digit or hyphen becomes a character code of Mermaid's."""
    return re.sub("[^A-Za-z0-9-]", lambda match: f"#{ord(match[0])};", text)


def _joined(parts: Iterable[str]) -> str:
    return "\n\n".join(part for part in parts if part)
