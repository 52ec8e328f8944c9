"""Commands run in turn, and what they take: so that whatever else the machine does is in all of them."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]

# Compiled modules are kept, as where people run it, whatever the shell is set to that starts this.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}

_MAXRSS_BYTES = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class Usage:
    """What a command takes, with all that it starts and waits for."""

    wall_seconds: float
    cpu_seconds: float
    memory_bytes: int
    """The peak of the largest process."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Command:
    """A command as it is run."""

    arguments: Sequence[str]
    folder: Path = ROOT
    environment: Mapping[str, str]
    stdin: str = ""


def python(*arguments: str, folder: Path = ROOT, stdin: str = "") -> Command:
    """A command of this Python."""
    return Command(arguments=[sys.executable, *arguments], folder=folder, environment=ENVIRONMENT, stdin=stdin)


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
        _, status, used = os.wait4(process.pid, 0)
        wall_seconds = time.perf_counter() - start
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            printed.seek(0)
            raise RuntimeError(f"{' '.join(command.arguments)}\n{printed.read()}")
    return Usage(
        wall_seconds=wall_seconds,
        cpu_seconds=used.ru_utime + used.ru_stime,
        memory_bytes=used.ru_maxrss * _MAXRSS_BYTES,
    )


def output(command: Command) -> str | None:
    """What a command prints; `None` of one that fails."""
    finished = subprocess.run(
        command.arguments,
        cwd=command.folder,
        env=command.environment,
        input=command.stdin,
        capture_output=True,
        check=False,
        text=True,
    )
    return None if finished.returncode else finished.stdout


def medians(commands: Mapping[str, Command], rounds: int) -> dict[str, Usage]:
    """What each command takes, run in turn for some rounds, every other one backwards. One round before them warms up."""
    used: dict[str, list[Usage]] = {name: [] for name in commands}
    for number in range(rounds + 1):
        for name in [*commands][:: 1 if number % 2 else -1]:
            one = usage(commands[name])
            if number:
                used[name].append(one)
    return {name: median(each) for name, each in used.items()}


def median(usages: Sequence[Usage]) -> Usage:
    """The median of each."""
    return Usage(
        wall_seconds=statistics.median(each.wall_seconds for each in usages),
        cpu_seconds=statistics.median(each.cpu_seconds for each in usages),
        memory_bytes=int(statistics.median(each.memory_bytes for each in usages)),
    )


def most(fits: Callable[[int], bool], at_least: int) -> int:
    """The largest number that fits, where `at_least` does and of two that do not the smaller is no better."""
    low, high = at_least, at_least * 2
    while fits(high):
        low, high = high, high * 2
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low
