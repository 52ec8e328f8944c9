"""What every printed form needs: text from outside made harmless, and the colours of a terminal."""

import re
from collections.abc import Callable

Style = Callable[[str, str], str]
"""How a line of a kind (`heading`, `gain`, `loss`, `risk`) looks."""

# Green for what comes in, red for what goes and yellow for what to look at twice, as plans and diffs have them.
_CODES = {"heading": "1", "gain": "32", "loss": "31", "risk": "33"}

_COLOURS = re.compile(r"(\x1b\[(?:0|1|3[123])m)")


def coloured(kind: str, text: str) -> str:
    """A line on a terminal."""
    return f"\x1b[{_CODES[kind]}m{text}\x1b[0m"


def uncoloured(kind: str, text: str) -> str:  # noqa: ARG001  the other style needs the kind
    """A line where there are no colours."""
    return text


def plain(text: str) -> str:
    """Text from outside on one line, with an escape for what a terminal would not show as it is."""
    return "".join(each if each.isprintable() else _escaped(each) for each in text)


def harmless(text: str) -> str:
    r"""Lines without what moves a cursor, except for our own colours, and without what a job log takes for a command.

    GitHub's and Azure's runners take a line that begins with `::`, and `##[` and `##vso[` anywhere:
    https://github.com/actions/runner/blob/main/src/Runner.Common/ActionCommand.cs. In JSON `\u0023` is still `#`.
    """
    parts = _COLOURS.split(text)
    text = "".join(
        part
        if _COLOURS.fullmatch(part)
        else "".join(each if each.isprintable() or each == "\n" else _escaped(each) for each in part)
        for part in parts
    )
    text = re.sub(r"#(?=#(vso)?\[)", r"\\u0023", text)
    return re.sub(r"^(\s*):(?=:)", r"\1\\u003a", text, flags=re.MULTILINE)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode() if ord(character) > 0xFF else f"\\x{ord(character):02x}"  # noqa: PLR2004


def several(count: int, one: str, many: str | None = None) -> str:
    """A number of things: `1 gain`, `2 losses`."""
    return f"{count} {one if count == 1 else many or f'{one}s'}"
