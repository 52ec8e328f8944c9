"""The pictures of docs/pictures/, made from what the commands print. `make pictures` makes them anew."""

import html
import io
import os
import pty
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from pages import blocks
from rich.console import Console
from rich.markdown import Markdown
from rich.text import Text

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs/pictures"
COLUMNS = 110
LINES = 34

STACK = """\
config:
  aws:region: us-west-2
  aws:allowedAccountIds: ["111122223333"]
  private-pypi:domain: acme
  private-pypi:internalPackages: [acme-*]
  private-pypi:publicUpstream: true
"""
BEFORE = """\
  private-pypi:readers:
    - arn:aws:iam::111122223333:role/ci-a
    - arn:aws:iam::111122223333:role/ci-b
    - arn:aws:iam::111122223333:role/service/api
  private-pypi:publishers: [arn:aws:iam::111122223333:role/release]
"""
AFTER = """\
  private-pypi:readers:
    - arn:aws:iam::111122223333:role/ci-*
    - o-a1b2c3d4e5
  private-pypi:publishers:
    - principal: arn:aws:iam::111122223333:role/release
      packages: [acme-*]
  private-pypi:closedPublishing: true
"""

# Rich's own, without its fonts, which come from another server.
_FORMAT = """\
<svg class="rich-terminal" viewBox="0 0 {width} {height}" xmlns="http://www.w3.org/2000/svg">
<style>.{unique_id}-matrix {{ font-family: monospace; font-size: {char_height}px; line-height: {line_height}px; }}
{styles}</style>
<defs><clipPath id="{unique_id}-clip-terminal"><rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/>
</clipPath>{lines}</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">{matrix}</g>
</g>
</svg>
"""


def outputs() -> Iterator[tuple[str, str, Text | Markdown]]:
    """Each picture's name, the command that it shows and what that prints."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for each in ("__main__.py", "Pulumi.yaml"):
            shutil.copy(ROOT / each, folder)
        stack = folder / "Pulumi.dev.yaml"
        stack.write_text(STACK + BEFORE)
        git = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false"]
        remote = ["update-ref", "refs/remotes/origin/HEAD", "HEAD"]
        for arguments in (["init"], ["add", "--all"], ["commit", "--message", "Before"], remote):
            subprocess.run([*git, *arguments], cwd=folder, check=True, capture_output=True)
        stack.write_text(STACK + AFTER)
        for command in ("preview", "diff"):
            yield command, f"private-pypi {command}", _cut(Text.from_ansi(_printed(folder, command)))
        markdown = _printed(folder, "preview", "--markdown")
        yield "preview-markdown", "private-pypi preview --markdown", Markdown(markdown.partition("### What is made")[0])
    # The integration tests find that this is what is printed.
    _, _, check = blocks("check.md", "console")[0].partition("\n")
    yield "check", "private-pypi check", Text(check)


def _printed(folder: Path, *arguments: str) -> str:
    """What the command prints on a terminal."""
    command = [Path(sys.executable).with_name("private-pypi"), *arguments]
    ours, theirs = pty.openpty()
    with subprocess.Popen(command, cwd=folder, stdout=theirs, env={**os.environ, "TERM": "xterm"}):
        os.close(theirs)
        printed = b""
        while chunk := _read(ours):
            printed += chunk
    # A commit is another with each change of the program.
    return re.sub("compared with [0-9a-f]{12}", "compared with 4f1c2ab90d3e", printed.decode().replace("\r\n", "\n"))


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 65536)
    except OSError:  # that is how a terminal ends on Linux
        return b""


def _cut(text: Text) -> Text:
    lines = text.split("\n", allow_blank=True)
    return Text("\n").join([*lines[:LINES], Text("...")]) if len(lines) > LINES else text


def draw(command: str, output: Text | Markdown) -> str:
    """An SVG of a terminal."""
    console = Console(record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, color_system="truecolor")
    console.print(output)
    return console.export_svg(title=command, code_format=_FORMAT, unique_id="terminal")


def words(svg: str) -> list[str]:
    """The words that stand in a picture."""
    texts = re.findall("<text [^>]*>([^<]*)</text>", svg)
    return html.unescape(" ".join(texts)).split()


if __name__ == "__main__":
    PICTURES.mkdir(exist_ok=True)
    for name, command, output in outputs():
        (PICTURES / f"{name}.svg").write_text(draw(command, output))
