from collections.abc import Iterator
from typing import Any

import pytest


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Of how many configs it was proved, and of each mistake how often it was found, with the first counterexample."""
    reports = [each for each in terminalreporter.getreports("passed") if each.when == "call"]

    def recorded(name: str) -> Iterator[Any]:
        return (value for report in reports for key, value in report.user_properties if key == name)

    if proved := len([*recorded("proved")]):
        terminalreporter.section(f"proved of {proved} configs, for every caller, action and resource")
    if found := [*recorded("found")]:
        terminalreporter.section(f"found {len(found)} mistakes in policies, in all places where they can be made")
        for mistake, places, example in found:
            terminalreporter.line(f"{places:>4}  {mistake}\n      {example}")
