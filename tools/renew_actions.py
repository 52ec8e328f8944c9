"""Pin the newest release of each action that files use: `renew_actions.py FILE...`, with the GitHub CLI.

Dependabot does so in .github/workflows, and reads neither pages nor the workflows of a new repository.
"""

import re
import subprocess
import sys
from functools import cache
from pathlib import Path

USE = re.compile(r"(?<=uses: )(?P<repository>[\w-]+/[\w.-]+)(?P<path>[\w./-]*)@[0-9a-f]{40} # v[\d.]+")


def renew(page: str) -> str:
    """The page with the newest pins."""

    def pinned(use: re.Match[str]) -> str:
        commit, tag = _newest(use["repository"])
        return f"{use['repository']}{use['path']}@{commit} # {tag}"

    return USE.sub(pinned, page)


@cache
def _newest(repository: str) -> tuple[str, str]:
    tag = _ask(f"repos/{repository}/releases/latest", ".tag_name")
    return _ask(f"repos/{repository}/commits/tags/{tag}", ".sha"), tag


def _ask(path: str, field: str) -> str:
    asked = subprocess.run(["gh", "api", path, "--jq", field], check=True, stdout=subprocess.PIPE, text=True)
    return asked.stdout.strip()


if __name__ == "__main__":
    for page in map(Path, sys.argv[1:]):
        page.write_text(renew(page.read_text()))
