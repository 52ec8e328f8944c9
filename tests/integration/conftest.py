from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from crashes import DISTURBANCES, ENDINGS, TRANSITIONS, Sweep
from engine import Emulator, Project


@pytest.fixture
def emulator(tmp_path: Path) -> Iterator[Emulator]:
    emulator = Emulator(tmp_path)
    yield emulator
    emulator.stop()


@pytest.fixture
def project(tmp_path: Path, emulator: Emulator) -> Project:
    return Project(tmp_path, emulator)


@pytest.fixture(scope="module")
def sweep(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sweep]:
    sweep = Sweep(tmp_path_factory.mktemp("sweep"), TRANSITIONS[request.param])
    yield sweep
    sweep.emulator.stop()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """How many points of a sweep there were, and how they ended."""
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    points = Counter(
        tuple(value)
        for report in reports
        if report.when == "call" and not isinstance(report, pytest.SubtestReport)
        for name, value in report.user_properties
        if name == "ended"
    )
    if not points:
        return
    terminalreporter.section(f"how {points.total()} runs that were disturbed ended")
    width = max(map(len, ENDINGS))
    terminalreporter.line("  ".join([" " * width, *DISTURBANCES]))
    for ending in (*ENDINGS, "not"):
        numbers = [f"{points[ending, disturbance]:>{len(disturbance)}}" for disturbance in DISTURBANCES]
        terminalreporter.line("  ".join([f"{ending:{width}}", *numbers]))
