"""A process that runs a program: how it ends, and what is said of it. The recorder in it is tested elsewhere."""

import json

import pytest

from private_pypi.cli import process
from private_pypi.cli.errors import CommandError, MistakesError
from private_pypi.cli.process import recorder_process
from private_pypi.cli.program import Program, Recording

PROGRAM = Program(
    path="__main__.py",
    project="project",
    stack="dev",
    config={},
    account="111122223333",
    region="us-west-2",
    partition="aws",
)
NOTHING = {"resources": [], "exports": {}, "secret_exports": {}, "warnings": []}


def run(monkeypatch: pytest.MonkeyPatch, recorder: str) -> Recording:
    """Run a program in a process with some other recorder."""
    monkeypatch.setattr(process, "_RECORDER", f"import os, signal, sys, time\n{recorder}")
    with recorder_process() as record:
        return record(PROGRAM)


def test_the_answer_is_what_is_recorded(monkeypatch: pytest.MonkeyPatch) -> None:
    answer = f"assert sys.stdin.read()\nprint('{json.dumps(NOTHING)}')"

    assert run(monkeypatch, answer) == Recording(resources=(), exports={}, warnings=())


def test_a_text_is_why_there_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MistakesError, match=r"\Ano PrivatePypi\Z"):
        run(monkeypatch, "print('\"no PrivatePypi\"')")


@pytest.mark.parametrize("printed", ["", "print('hello')"])
def test_without_an_answer_nothing_is_known(monkeypatch: pytest.MonkeyPatch, printed: str) -> None:
    with pytest.raises(MistakesError, match=r"\Athe program ends, or prints, so that nothing is known of what it "):
        run(monkeypatch, printed)


def test_a_program_that_ends_its_process_fails_with_the_last_that_it_said(monkeypatch: pytest.MonkeyPatch) -> None:
    ending = "print('Trouble.', 'Out of luck.', sep='\\n', file=sys.stderr, flush=True)\nos._exit(9)"

    with pytest.raises(MistakesError, match=r"\Athe program fails: Out of luck\.\Z"):
        run(monkeypatch, ending)


def test_a_program_that_dies_is_no_mistake_of_a_config(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(CommandError, match=r"\Athe program was ended by a signal: Segmentation fault\Z"):
        run(monkeypatch, "os.kill(os.getpid(), signal.SIGSEGV)")


def test_a_program_that_hangs_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "MAX_PROGRAM_SECONDS", 0.1)

    with pytest.raises(CommandError, match=r"\Athe program was stopped after 0\.1 seconds\Z"):
        run(monkeypatch, "time.sleep(60)")
