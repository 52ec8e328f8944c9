"""The pages, read as GitHub reads them: what they print is checked and run as it is printed, and their links followed.

As a command it copies out what CI reads in docs/, each file whole, for `make lint`.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
README = "../README.md"

MARKDOWN = MarkdownIt("commonmark").enable("table")


@dataclass(frozen=True, kw_only=True, slots=True)
class Block:
    """A block of code."""

    heading: str
    """The heading that it stands under."""
    language: str
    text: str


def read_blocks(page: str) -> Iterator[Block]:
    """The blocks of code of a page, which is named from docs/, in order."""
    heading = ""
    for token, inline in _tokens(DOCS / page):
        if token.type == "heading_open":
            heading = _text(inline)
        elif token.type == "fence":
            yield Block(heading=heading, language=token.info, text=token.content)


def blocks(page: str, language: str, heading: str = "") -> list[str]:
    """Those in one language, and under one heading if it is given."""
    return [block.text for block in read_blocks(page) if block.language == language and heading in {"", block.heading}]


def workflows(page: str) -> list[str]:
    """Those that are workflows of GitHub Actions."""
    return [block for block in blocks(page, "yaml") if "\njobs:\n" in block]


def gitlab_files(page: str) -> list[str]:
    """Those that are a GitLab project's `.gitlab-ci.yml`."""
    return [block for block in blocks(page, "yaml") if "id_tokens:\n" in block]


def dependabot_files(page: str) -> list[str]:
    """Those that are a repository's `dependabot.yml`."""
    return [block for block in blocks(page, "yaml") if block.startswith("version: 2\n")]


def commands(page: str, heading: str = "") -> list[str]:
    """What is to be typed after the prompts of a page, in order, without comments."""
    lines = [line for block in blocks(page, "console", heading) for line in block.splitlines()]
    return [re.sub(r" +#.*", "", line.removeprefix("$ ")) for line in lines if line.startswith("$ ")]


def table(page: str, heading: str) -> list[tuple[str, ...]]:
    """The rows of the tables under a heading, without their titles, as text."""
    rows: list[list[str]] = []
    here = ""
    for token, inline in _tokens(DOCS / page):
        if token.type == "heading_open":
            here = _text(inline)
        elif here == heading and token.type == "tr_open":
            rows.append([])
        elif here == heading and token.type == "td_open":
            rows[-1].append(_text(inline))
    return [tuple(row) for row in rows if row]


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a page: another heading of the same text gets a number."""
    found: dict[str, int] = {}
    for token, inline in _tokens(page):
        if token.type == "heading_open":
            anchor = re.sub(r"[^\w\- ]", "", _text(inline).lower()).replace(" ", "-")
            found[anchor] = found.get(anchor, -1) + 1
    return {anchor + (f"-{number}" if number else "") for anchor, last in found.items() for number in range(last + 1)}


def broken_links(page: Path, root: Path) -> list[str]:
    """The links and pictures of a page that are not in its repository; what is elsewhere is not looked at."""
    links = [
        str(child.attrs["src" if child.type == "image" else "href"])
        for token, _ in _tokens(page)
        for child in token.children or []
        if child.type in {"image", "link_open"}
    ]
    return [link for link in links if not urlsplit(link).scheme and not _leads_somewhere(link, page, root)]


def _leads_somewhere(link: str, page: Path, root: Path) -> bool:
    path, _, anchor = unquote(link).partition("#")
    target = (page.parent / path).resolve() if path else page
    if not target.is_relative_to(root) or not target.exists():
        return False
    return not anchor or (target.suffix == ".md" and anchor in anchors(target))


def _tokens(page: Path) -> Iterator[tuple[Token, Token]]:
    """The tokens of a page, each with the one after it: of what is opened, that is the text."""
    tokens = MARKDOWN.parse(page.read_text())
    return zip(tokens, [*tokens[1:], Token("", "", 0)], strict=True)


def _text(inline: Token) -> str:
    """What a reader sees of a heading or a cell."""
    return "".join(child.content or " " * (child.type == "softbreak") for child in inline.children or [])


def main(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for page in DOCS.glob("*.md"):
        for found, ending in (
            (workflows, "yml"),
            (gitlab_files, "gitlab-ci.yaml"),  # not .yml, by which the Makefile knows workflows
            (dependabot_files, "dependabot.yaml"),
        ):
            for number, text in enumerate(found(page.name), start=1):
                (folder / f"{page.stem}-{number}.{ending}").write_text(text)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
