"""A life of the dev stack on the real engine, next to the flat program's: time and calls to AWS of each step.

It needs what the integration tests need, and runs as they do: against a local AWS endpoint.
"""

import contextlib
import shutil
import tempfile
from collections import defaultdict
from pathlib import Path

from bench.measure import ROOT, Command, Usage, usage
from bench.report import Row, wall_row
from bench.stacks import FLAT, dev, readers

ROUNDS = 15
WANTED = 1.05
STEPS = {
    "preview": ["preview"],
    "first up": ["up", "--yes", "--skip-preview"],
    "up with no change": ["up", "--yes", "--skip-preview"],
    "up with one reader more": ["up", "--yes", "--skip-preview"],
    "destroy": ["destroy", "--yes", "--skip-preview"],
}


def why_left_out() -> str | None:
    """What is missing, if anything."""
    if not shutil.which("pulumi"):
        return "there is no Pulumi CLI: https://www.pulumi.com/docs/iac/download-install/"
    if not shutil.which("cargo"):
        return "there is no Rust to build the AWS endpoint with: https://rustup.rs"
    return None


def measure(rounds: int) -> list[Row]:
    """Times and calls of each step against the flat program's."""
    # Late, because it loads much, and a process begins with the peak memory of the one that starts it.
    from tests.integration.engine import Emulator, Project  # noqa: PLC0415

    build = ["cargo", "build", "--quiet", "--release"]
    usage(Command(arguments=build, folder=ROOT / "tests/integration/aws-emulator"))
    config = {key.removeprefix("private-pypi:"): value for key, value in dev().items() if key.startswith("private-")}
    more = config | {"readers": [*config["readers"], *readers(1)]}
    used: defaultdict[tuple[str, str], list[Usage]] = defaultdict(list)
    calls: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    changes: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        projects: dict[str, Project] = {}
        for program in ("ours", "flat"):
            folder = Path(name) / program
            folder.mkdir()
            emulator = Emulator(folder)
            stack.callback(emulator.stop)
            projects[program] = Project(folder, emulator)
        shutil.copy(FLAT, projects["flat"].folder)

        for number in range(rounds + 1):  # the first warms up
            for step, arguments in STEPS.items():
                for program in [*projects][:: 1 if number % 2 else -1]:
                    project = projects[program]
                    project.configure("dev", **(more if step == "up with one reader more" else config))
                    calls_before, changes_before = len(project.emulator.calls()), len(project.emulator.changes())
                    command = ["pulumi", *arguments, "--stack", "dev", "--non-interactive"]
                    one = usage(Command(arguments=command, folder=project.folder, environment=project.environment))
                    if number:
                        used[step, program].append(one)
                        calls[step, program].append(len(project.emulator.calls()) - calls_before)
                        changes[step, program].append(len(project.emulator.changes()) - changes_before)

    rows: list[Row] = []
    for step in STEPS:
        ours, flat = (step, "ours"), (step, "flat")
        rows += [
            wall_row(step, used[ours], used[flat], wanted=WANTED),
            Row(what=f"{step}: calls to AWS", values=calls[ours], against=calls[flat], unit="calls"),
            Row(
                what=f"{step}: calls that change something",
                values=changes[ours],
                against=changes[flat],
                unit="calls",
                wanted=1,
            ),
        ]
    return rows
