"""The offline preview of stacks of more and more people and packages, and how much of them a policy takes."""

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bench.measure import Command, in_turn, most, output
from bench.report import Row, wall_row
from bench.stacks import dev, flat, preview, readers, write_project

ROUNDS = 10
WANTED = 1.2
MAX_DOCUMENT_CHARACTERS = 7168
"""The longest permissions policy that CodeArtifact takes."""

Config = Mapping[str, Any]


def why_left_out() -> str | None:
    """Nothing is needed."""
    return None


def measure(rounds: int) -> list[Row]:
    """Times of the larger against the smallest, sizes of documents against the plain form, and how many people fit."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        fit = most(lambda count: _fits(folder, _with_readers(count)), at_least=2)
        plainly_fit = most(lambda count: _size(flat(_with_readers(count))) <= MAX_DOCUMENT_CHARACTERS, at_least=2)
        kinds = {
            "readers": {count: _with_readers(count) for count in (1, 10, 50, fit)},
            "limited publishers": {count: _with_limited_publishers(count) for count in (1, 10, 100)},
            "internal packages": {count: _with_internal_packages(count) for count in (1, 100, 500)},
        }
        stacks = {f"{count} {kind}": config for kind, each in kinds.items() for count, config in each.items()}
        write_project(folder, stacks)
        commands = {stack: preview(stack, folder) for stack in stacks}
        flat_of_500 = flat(kinds["internal packages"][500])
        used = in_turn(commands | {"flat": flat_of_500}, rounds)
        sizes = {stack: _size(command) for stack, command in commands.items()}

    return [
        *(
            wall_row(
                f"{kind}, {count} against 1",
                used[f"{count} {kind}"],
                used[f"1 {kind}"],
                # Each internal package is a resource more.
                wanted=None if kind == "internal packages" else WANTED,
            )
            for kind, configs in kinds.items()
            for count in [*configs][1:]
        ),
        wall_row(
            "internal packages, 500 against the flat program's", used["500 internal packages"], used["flat"], WANTED
        ),
        *(
            Row(
                what=f"readers, {count}: repository policy against the plain form",
                values=[sizes[f"{count} readers"]],
                against=[_size(flat(config))],
                unit="characters",
            )
            for count, config in kinds["readers"].items()
        ),
        *(
            Row(
                what=f"limited publishers, {count}: repository policy against the limit",
                values=[sizes[f"{count} limited publishers"]],
                against=[MAX_DOCUMENT_CHARACTERS],
                unit="characters",
            )
            for count in kinds["limited publishers"]
        ),
        Row(what="readers that fit, against the plain form", values=[fit], against=[plainly_fit], unit="principals"),
    ]


def _with_readers(count: int) -> Config:
    return dev() | {"private-pypi:readers": readers(count)}


def _with_limited_publishers(count: int) -> Config:
    """Organizations, since a hundred ARNs do not fit, with one prefix, since each set of packages is a statement."""
    publishers = [{"principal": f"o-example{number:03}", "packages": ["team-*"]} for number in range(count)]
    return dev() | {"private-pypi:publishers": publishers}


def _with_internal_packages(count: int) -> Config:
    return dev() | {"private-pypi:internalPackages": [f"internal-{number:03}" for number in range(count)]}


def _fits(folder: Path, config: Config) -> bool:
    write_project(folder, {"fitting": config})
    try:
        output(preview("fitting", folder))
    except RuntimeError as refused:
        if "permissions policy of" not in str(refused):
            raise
        return False
    return True


def _size(command: Command) -> int:
    """The characters of the repository's permissions policy that a program makes."""
    resources = json.loads(output(command))["resources"]
    (document,) = [
        each["inputs"]["policyDocument"] for each in resources if each["name"] == "private-pypi-repository-permissions"
    ]
    return len(document)
