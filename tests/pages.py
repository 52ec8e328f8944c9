"""The blocks of the pages in docs/, which are checked and run as they are printed.

As a command it copies the workflows out, each whole, for `make lint`.
"""

import re
import sys
from pathlib import Path

DOCS = Path(__file__).parents[1] / "docs"


def blocks(page: str, language: str) -> list[str]:
    """The blocks of a page in one language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", (DOCS / page).read_text(), re.MULTILINE | re.DOTALL)


def workflows(page: str) -> list[str]:
    """Those that are workflows of GitHub Actions."""
    return [block for block in blocks(page, "yaml") if "\njobs:\n" in block]


def main(folder: Path) -> None:
    folder.mkdir(exist_ok=True)
    for page in DOCS.glob("*.md"):
        for number, workflow in enumerate(workflows(page.name), start=1):
            (folder / f"{page.stem}-{number}.yml").write_text(workflow)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
