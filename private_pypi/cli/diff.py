"""A stack in the working tree against the same stack in a git revision."""

import secrets
import tempfile
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath

from private_pypi.cli.compare import Difference, Effect, Side, compare
from private_pypi.cli.errors import MistakesError, StackFileError
from private_pypi.cli.preview import program_of, read_preview
from private_pypi.cli.process import Record
from private_pypi.cli.revisions import (
    committed_files,
    copy_out,
    count_elsewhere,
    find_base,
    find_commit,
    ignored_modules,
    working_files,
)
from private_pypi.cli.stack_files import Stack, has_stack, read_stack
from private_pypi.cli.unseen import Unseen, changed_files, changed_settings


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """A difference, and what it is between."""

    base: str
    """The commit."""
    difference: Difference


def diff(folder: Path, stack: str, revision: str | None, *, record_base: Record, record_head: Record) -> Comparison:
    """Compare a stack of the project in `folder` with a revision; `None` is where the branch began.

    Each side is the revision's own program with its own config.

    Raises:
        MistakesError: the working tree cannot be previewed.
        StackFileError: git does not know the revision, or neither side has the stack.
        CommandError: a program does not come to its end.
    """
    commit, salt = find_commit(folder, revision) if revision else find_base(folder), secrets.token_hex()
    with tempfile.TemporaryDirectory() as name, ThreadPoolExecutor() as threads:
        running_head = threads.submit(_read, folder, stack, salt, record_head)
        before, committed = Path(name).resolve() / "base", committed_files(folder, commit)
        copy_out(folder, committed, before)
        running_base = threads.submit(_read, before, stack, salt, record_base)
        working, ignored = working_files(folder, committed), [*ignored_modules(folder)]
        elsewhere = count_elsewhere(folder, commit)
        head, head_mistakes = _result(running_head)
        base, base_mistakes = _result(running_base)
    if head_mistakes:
        sides = {f"in {commit[:12]}": base_mistakes, "in the working tree": head_mistakes}
        raise MistakesError("\n".join(f"error: {side}: {text}" for side, text in sides.items() if text))
    if not (base or base_mistakes or head):
        read_stack(folder, stack)  # which says that there is none
    any_stack = head or base
    unseen = Unseen(
        base_mistakes=base_mistakes,
        settings=changed_settings(base and base.stack, head and head.stack),
        files=changed_files(
            committed,
            working,
            ignored=ignored,
            folder=str(PurePosixPath(any_stack.stack.file if any_stack else "").parent),
        ),
        elsewhere=elsewhere,
    )
    difference = compare(base and base.side, head and head.side, stack=stack)
    if base_mistakes and not head:
        gone = Effect(what="stack_removed", values=(stack, "not known here"))
        difference = replace(difference, is_gone=True, effects=(gone,))
    return Comparison(base=commit, difference=replace(difference, unseen=unseen))


@dataclass(frozen=True, kw_only=True, slots=True)
class _Read:
    """A stack of a revision, and its preview."""

    stack: Stack
    side: Side


def _result(running: Future[_Read | None]) -> tuple[_Read | None, str | None]:
    """What was read, or the mistakes in it."""
    try:
        return running.result(), None
    except (MistakesError, StackFileError) as mistakes:
        return None, str(mistakes)


def _read(folder: Path, name: str, salt: str, record: Record) -> _Read | None:
    if not has_stack(folder, name):
        return None
    stack = read_stack(folder, name)
    program = replace(program_of(folder, stack), salt=salt)
    return _Read(stack=stack, side=Side(preview=read_preview(record(program)), project=stack.project))
