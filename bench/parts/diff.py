"""A comparison of the dev stack with its last commit, next to the offline preview of it."""

import subprocess
import sys
import tempfile
from pathlib import Path

from bench.measure import Command, in_turn
from bench.report import Row, usage_rows
from bench.stacks import ACCOUNT, dev, preview, readers, write_project

ROUNDS = 20
_GIT = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false"]


def why_left_out() -> str | None:
    """Nothing is needed."""
    return None


def measure(rounds: int) -> list[Row]:
    """Time and memory against the preview. A comparison is two of them, at once."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        config = {**dev(), "aws:allowedAccountIds": [ACCOUNT]}
        write_project(folder, {"dev": config})
        for arguments in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "The base"]):
            subprocess.run([*_GIT, *arguments], cwd=folder, check=True)
        write_project(
            folder, {"dev": {**config, "private-pypi:readers": [*config["private-pypi:readers"], *readers(1)]}}
        )
        command = [str(Path(sys.executable).with_name("private-pypi")), "diff", "--json", "--base", "HEAD", "dev"]
        used = in_turn({"diff": Command(arguments=command, folder=folder), "preview": preview("dev", folder)}, rounds)
    return usage_rows("diff against the preview", used["diff"], used["preview"], wanted=(1.5, 2.5, 2.5))
