"""A program in a process of its own, where what it prints, breaks and imports is its own too."""

import contextlib
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Generator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from private_pypi.cli.errors import CommandError, MistakesError
from private_pypi.cli.program import Program, Recording

MAX_PROGRAM_SECONDS = 300
"""How long a program may run. It takes about a second."""

Record = Callable[[Program], Recording]
"""Runs a program, with the modules beside it.

Raises:
    MistakesError: the program refuses its config, or fails.
    CommandError: it does not come to an end.
"""

# By its path and not by its name, which the program's own revision of this package may have; and as a module, of which
# Python keeps what it compiles.
_RECORDER = f"""\
from importlib.util import module_from_spec, spec_from_file_location
spec = spec_from_file_location("_recorder", {str(Path(__file__).with_name("recorder.py"))!r})
recorder = module_from_spec(spec)
spec.loader.exec_module(recorder)
recorder.main()
"""


@contextlib.contextmanager
def recorder_process() -> Generator[Record]:
    """A process that runs one program. It imports the SDK at once, while the program is still being looked for."""
    with subprocess.Popen(
        [sys.executable, "-P", "-c", _RECORDER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",  # what the program itself prints may be in any other
    ) as process:
        try:
            yield lambda program: _record(process, program)
        finally:
            process.kill()  # it may have got no program, or one that does not end


def _record(process: subprocess.Popen[str], program: Program) -> Recording:
    try:
        printed, complained = process.communicate(json.dumps(asdict(program)), timeout=MAX_PROGRAM_SECONDS)
    except subprocess.TimeoutExpired:
        raise CommandError(f"the program was stopped after {MAX_PROGRAM_SECONDS} seconds") from None
    if process.returncode < 0:
        raise CommandError(f"the program was ended by a signal: {signal.strsignal(-process.returncode)}")
    if process.returncode:
        *_, last = ["", *complained.splitlines()]
        raise MistakesError(f"the program fails: {last}")
    try:
        recorded: Any = json.loads(printed)
    except ValueError:
        raise MistakesError("the program ends, or prints, so that nothing is known of what it registers") from None
    if isinstance(recorded, str):
        raise MistakesError(recorded)
    return Recording.of(recorded)
