"""A stack in the working tree against the same stack in a git revision."""

import secrets
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

from private_pypi.cli.compare import Difference, Side, compare
from private_pypi.cli.errors import CommandError, MistakesError
from private_pypi.cli.preview import program_of, read_preview
from private_pypi.cli.revisions import copy_out, find_base, find_commit, record_apart
from private_pypi.cli.stack_files import has_stack, read_stack


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """A difference, and what it is between."""

    base: str
    """The commit."""
    difference: Difference


def diff(folder: Path, stack: str, revision: str | None) -> Comparison:
    """Compare a stack of the project in `folder` with a revision; `None` is where the branch began.

    Each is previewed with its own program and its own config.

    Raises:
        MistakesError: one cannot be previewed.
        StackFileError: git does not know the revision, or neither has the stack.
    """
    salt = secrets.token_hex()
    commit = find_commit(folder, revision) if revision else find_base(folder)
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor() as threads:
        before = Path(name).resolve() / "base"
        copy_out(folder, commit, before)
        if not has_stack(before, stack):
            read_stack(folder, stack)  # neither has it, unless this has
        running = {
            f"in {commit[:12]}": threads.submit(_side, before, stack, salt),
            "in the working tree": threads.submit(_side, folder, stack, salt),
        }
        mistakes: list[str] = []
        sides: list[Side | None] = []
        for title, side in running.items():
            try:
                sides.append(side.result())
            except CommandError as error:
                mistakes.append(f"error: {title}: {error}")
    if mistakes:
        raise MistakesError("\n".join(mistakes))
    base, head = sides
    return Comparison(base=commit, difference=compare(base, head, stack=stack))


def _side(folder: Path, name: str, salt: str) -> Side | None:
    if not has_stack(folder, name):
        return None
    stack = read_stack(folder, name)
    program = replace(program_of(folder, stack), salt=salt)
    return Side(preview=read_preview(record_apart(program)), project=stack.project)
