"""A stack in the working tree against the same stack in a git revision."""

import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from private_pypi.cli.compare import Difference, Side, compare
from private_pypi.cli.preview import program_of, read_preview
from private_pypi.cli.revisions import copy_out, find_base, find_commit, record_apart
from private_pypi.cli.stack_files import StackFileError, has_stack, read_stack


class MistakesError(Exception):
    """The config of one side or both has mistakes. Its text is for the user as it is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """A difference, and what it is between."""

    base: str
    """The commit."""
    difference: Difference
    stand_ins: frozenset[str]
    """What stands for encrypted values in the difference."""


def diff(folder: Path, stack: str, revision: str | None) -> Comparison:
    """Compare a stack of the project in `folder` with a revision; `None` is where the branch began.

    Each side is the revision's own program with its own config.

    Raises:
        MistakesError: a side cannot be previewed.
        StackFileError: git does not know the revision, or neither side has the stack.
    """
    commit = find_commit(folder, revision) if revision else find_base(folder)
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor() as threads:
        before = Path(name).resolve() / "base"
        copy_out(folder, commit, before)
        if not has_stack(before, stack):
            read_stack(folder, stack)  # neither has it, unless this has
        running = {
            f"in {commit[:12]}": threads.submit(_side, before, stack),
            "in the working tree": threads.submit(_side, folder, stack),
        }
        mistakes: list[str] = []
        sides: list[Side | None] = []
        for title, side in running.items():
            try:
                sides.append(side.result())
            except StackFileError as error:
                mistakes.append(f"error: {title}: {error}")
    if mistakes:
        raise MistakesError("\n".join(mistakes))
    base, head = sides
    stand_ins = frozenset(each for side in sides if side for each in side.stand_ins)
    return Comparison(base=commit, difference=compare(base, head, stack=stack), stand_ins=stand_ins)


def _side(folder: Path, name: str) -> Side | None:
    if not has_stack(folder, name):
        return None
    stack = read_stack(folder, name)
    program = program_of(folder, stack)
    preview = read_preview(record_apart(program), program.account)
    return Side(preview=preview, account=program.account, stand_ins=stack.stand_ins)
