"""What `make bench` compares with is the same, and its numbers are put together rightly. No test is about time."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from bench.measure import Command, in_turn, most, output, usage
from bench.report import Row, content, table
from bench.stacks import dev, flat, preview, readers, write_project

SLOW = Row(
    what="preview against the imports",
    values=[1.25, 1, 1.2, 4, 1.15],
    against=[1, 1, 1, 2, 1],
    unit="s",
    wanted=1.15,
)
SAME = Row(what="calls that change something", values=[0, 0], against=[0, 0], unit="calls", wanted=1)
NEW = Row(what="calls to another service", values=[1, 1], against=[0, 0], unit="calls")
MORE = Row(what="readers that fit", values=[1234], against=[617], unit="principals")


def described(command: Command) -> dict[str, Any]:
    return json.loads(output(command))


def told(resource: dict[str, Any]) -> list[object]:
    """What the engine is told of a resource, except for where it is among others."""
    return [resource[name] for name in ("type", "name", "inputs", "protect")]


def test_the_flat_program_makes_the_same(tmp_path: Path) -> None:
    config = dev() | {"private-pypi:readers": readers(3), "private-pypi:internalPackages": ["acme-api", "acme-core"]}
    write_project(tmp_path, {"test": config})
    ours, flatly = described(preview("test", tmp_path)), described(flat(config))

    component, *resources = ours["resources"]
    assert component["type"] == "private-pypi:index:PrivatePypi"
    assert len(resources) == 6
    assert [told(each) for each in flatly["resources"]] == [told(each) for each in resources]
    assert flatly["exports"] == {name: value for name, value in ours["outputs"].items() if name != "reader_policy"}


def test_the_memory_of_a_command_is_that_of_all_its_processes() -> None:
    hold = "import time; held = bytearray(100_000_000); time.sleep(0.5)"
    two = f"import subprocess, sys; child = subprocess.Popen([sys.executable, '-c', {hold!r}]); {hold}; child.wait()"

    together = 200_000_000 if Path("/proc").exists() else 100_000_000
    assert usage(Command(arguments=[sys.executable, "-c", two])).memory_bytes > together


def test_a_command_that_fails_is_shown_with_what_it_printed() -> None:
    failing = Command(arguments=[sys.executable, "-c", "import sys; sys.exit('no room')"])

    for run in (output, usage):
        with pytest.raises(RuntimeError, match="no room"):
            run(failing)


def test_commands_are_run_in_turn_and_every_other_round_backwards(tmp_path: Path) -> None:
    log = tmp_path / "log"
    commands = {
        name: Command(arguments=[sys.executable, "-c", f"open({str(log)!r}, 'a').write({name!r})"]) for name in "ab"
    }

    used = in_turn(commands, rounds=2)
    assert {name: len(rounds) for name, rounds in used.items()} == {"a": 2, "b": 2}
    assert log.read_text() == "ba" + "ab" + "ba"


@pytest.mark.parametrize("limit", [2, 3, 4, 5, 63, 64, 65, 100])
def test_the_most_that_fits_is_found(limit: int) -> None:
    assert most(lambda count: count <= limit, at_least=2) == limit


def test_the_table_is_markdown_with_what_is_wanted_and_what_was_measured() -> None:
    assert table([SLOW, SAME, NEW, MORE]) == (
        "|                             | wanted     | measured            | medians                      |\n"
        "|-----------------------------|------------|---------------------|------------------------------|\n"
        "| preview against the imports | up to 1.15 | 1.20 (1.15 to 1.25) | 1.20 s against 1.00          |\n"
        "| calls that change something | up to 1    | 1.00                | 0 calls against 0            |\n"
        "| calls to another service    |            | -                   | 1 calls against 0            |\n"
        "| readers that fit            |            | 2.00                | 1,234 principals against 617 |"
    )


def test_programs_get_each_round_and_the_ratio_too() -> None:
    assert json.loads(json.dumps(content([SAME, NEW]), allow_nan=False)) == [
        {
            "what": "calls that change something",
            "values": [0, 0],
            "against": [0, 0],
            "unit": "calls",
            "wanted": 1,
            "ratio": 1,
        },
        {
            "what": "calls to another service",
            "values": [1, 1],
            "against": [0, 0],
            "unit": "calls",
            "wanted": None,
            "ratio": None,
        },
    ]
