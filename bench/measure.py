"""Commands run in turn, and what they take: so that whatever else the machine does is in all of them."""

import contextlib
import dataclasses
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Generator, Mapping, Sequence
from pathlib import Path

ROOT = Path(__file__).parents[1]

# Python keeps modules compiled, as it does for people, whatever the shell is set to.
_ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}

_MAXRSS_BYTES = 1 if sys.platform == "darwin" else 1024


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """What a command takes, with all that it starts and waits for."""

    wall_seconds: float
    cpu_seconds: float
    memory_bytes: int
    """The peak of all its processes together, or where there is no /proc that of the largest."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """A command as it is run."""

    arguments: Sequence[str]
    folder: Path = ROOT
    environment: Mapping[str, str] = dataclasses.field(default_factory=lambda: _ENVIRONMENT)
    stdin: str = ""


def usage(command: Command) -> Usage:
    """Run a command and say what it takes.

    Raises:
        RuntimeError: it fails.
    """
    with tempfile.TemporaryFile("w+") as stdin, tempfile.TemporaryFile("w+") as printed:
        stdin.write(command.stdin)
        stdin.seek(0)
        start = time.perf_counter()
        process = subprocess.Popen(
            command.arguments,
            cwd=command.folder,
            env=command.environment,
            stdin=stdin,
            stdout=printed,
            stderr=printed,
        )
        with _watched_memory(process.pid) as peaks:
            _, status, used = os.wait4(process.pid, 0)
            wall_seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            printed.seek(0)
            raise RuntimeError(f"{' '.join(command.arguments)}\n{printed.read()}")
    return Usage(
        wall_seconds=wall_seconds,
        cpu_seconds=used.ru_utime + used.ru_stime,
        memory_bytes=max(used.ru_maxrss * _MAXRSS_BYTES, *peaks),
    )


@contextlib.contextmanager
def _watched_memory(pid: int) -> Generator[list[int]]:
    """What a process and those below it have at a time, seen now and again."""
    seen, ended = [0], threading.Event()

    def watch() -> None:
        while not ended.wait(0.05):
            seen.append(_memory_bytes(pid))

    thread = threading.Thread(target=watch)
    thread.start()
    try:
        yield seen
    finally:
        ended.set()
        thread.join()


def _memory_bytes(pid: int | str) -> int:
    process = Path("/proc", str(pid))
    try:
        pages = int((process / "statm").read_text().split()[1])
        below = (process / "task" / str(pid) / "children").read_text().split()
    except OSError:  # it has ended, or there is no /proc
        return 0
    return pages * resource.getpagesize() + sum(map(_memory_bytes, below))


def output(command: Command) -> str:
    """What a command prints.

    Raises:
        RuntimeError: it fails.
    """
    finished = subprocess.run(
        command.arguments,
        cwd=command.folder,
        env=command.environment,
        input=command.stdin,
        capture_output=True,
        check=False,
        text=True,
    )
    if finished.returncode:
        raise RuntimeError(f"{' '.join(command.arguments)}\n{finished.stdout}{finished.stderr}")
    return finished.stdout


def in_turn(commands: Mapping[str, Command], rounds: int) -> dict[str, list[Usage]]:
    """What each command takes in each round. They are run in turn, every other round backwards.

    The round before them, which is not counted, warms up.
    """
    used: dict[str, list[Usage]] = {name: [] for name in commands}
    for number in range(rounds + 1):
        for name in [*commands][:: 1 if number % 2 else -1]:
            one = usage(commands[name])
            if number:
                used[name].append(one)
    return used


def most(fits: Callable[[int], bool], at_least: int) -> int:
    """The largest number that fits. `at_least` does, and nothing does that is larger than one that does not."""
    low, high = at_least, at_least * 2
    while fits(high):
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low
