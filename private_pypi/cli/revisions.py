"""The project as it was in a git revision, and what a program registers in a process of its own."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from private_pypi.cli.errors import MistakesError, StackFileError
from private_pypi.cli.program import Program, Recording

RECORDER = Path(__file__).with_name("recorder.py")


def find_base(folder: Path) -> str:
    """The commit that a branch began at: its merge base with `origin/HEAD`, or `HEAD` where there is none.

    Raises:
        StackFileError: `folder` is in no git repository, or there is no git.
    """
    try:
        return _git(folder, "merge-base", "HEAD", "origin/HEAD")
    except StackFileError:
        return find_commit(folder, "HEAD")


def find_commit(folder: Path, revision: str) -> str:
    """The commit that a revision names.

    Raises:
        StackFileError: git knows no such revision.
    """
    return _git(folder, "rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}")


def copy_out(folder: Path, commit: str, into: Path) -> None:
    """Copy `folder` as it was in a commit to a folder `into` that does not exist; in the repository nothing changes.

    Where the commit has no such folder, the copy is empty.

    Raises:
        StackFileError: git cannot.
    """
    into.mkdir()
    top, prefix = Path(_git(folder, "rev-parse", "--show-toplevel")), _git(folder, "rev-parse", "--show-prefix")
    if not prefix or _git(top, "ls-tree", commit, prefix.removesuffix("/")):
        environment = os.environ | {"GIT_INDEX_FILE": f"{into}.index"}
        _git(top, "read-tree", f"{commit}:{prefix}", environment=environment)
        _git(top, "checkout-index", "--all", f"--prefix={into}/", environment=environment)


def record_apart(program: Program) -> Recording:
    """Run a program, with the modules beside it, in a process of its own.

    Raises:
        MistakesError: the program refuses its config, or fails.
    """
    finished = subprocess.run(
        [sys.executable, "-P", str(RECORDER)],
        cwd=Path(program.path).parent,
        input=json.dumps(asdict(program)),
        capture_output=True,
        text=True,
        check=False,
    )
    if finished.returncode:
        *_, last = ["", *finished.stderr.splitlines()]
        raise MistakesError(f"the program fails: {last}")
    recorded: Any = json.loads(finished.stdout)
    if isinstance(recorded, str):
        raise MistakesError(recorded)
    return Recording.of(recorded)


def _git(folder: Path, *arguments: str, environment: Mapping[str, str] | None = None) -> str:
    command = ["git", *arguments]
    try:
        finished = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        raise StackFileError("there is no git, which knows what the stack was") from None
    if finished.returncode:
        raise StackFileError(f"{' '.join(command)}: {finished.stderr.strip()}")
    return finished.stdout.removesuffix("\n")
