"""The stacks that are measured, and the two programs that make them: this one, and a flat one of the same resources.

It imports nothing of the project, so that what is measured is started from a small process.
"""

import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from bench.measure import ROOT, Command

ACCOUNT = "111122223333"
FLAT = ROOT / "bench/flat/__main__.py"


def dev() -> dict[str, Any]:
    """The config of `Pulumi.dev.yaml`, by full key."""
    return yaml.safe_load((ROOT / "Pulumi.dev.yaml").read_text())["config"]


def readers(count: int) -> list[str]:
    """Roles that install."""
    return [f"arn:aws:iam::{ACCOUNT}:role/service/reader-{number:03}" for number in range(count)]


def preview(stack: str, folder: Path = ROOT) -> Command:
    """The offline preview of a stack of the project in `folder`."""
    command = [str(Path(sys.executable).with_name("private-pypi")), "preview", "--json", stack]
    return Command(arguments=command, folder=folder)


def flat(config: Mapping[str, Any]) -> Command:
    """The flat program with a config, under the mocks that the preview runs this one under."""
    program: dict[str, Any] = {
        "path": str(FLAT),
        "project": "private-pypi",
        "stack": "dev",
        "config": {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()},
        "account": ACCOUNT,
        "region": config["aws:region"],
        "partition": "aws",
        "secret_keys": [],
        "salt": "",
    }
    # As a module, because of a script Python would keep nothing compiled.
    command = [sys.executable, "-c", "from recorder import main; main()"]
    return Command(arguments=command, folder=ROOT / "private_pypi/cli", stdin=json.dumps(program))


def write_project(folder: Path, stacks: Mapping[str, Mapping[str, Any]]) -> None:
    """A copy of the project in `folder` with stacks of its own, by name."""
    for name in ("__main__.py", "Pulumi.yaml"):
        (folder / name).write_text((ROOT / name).read_text())
    for name, config in stacks.items():
        (folder / f"Pulumi.{name}.yaml").write_text(json.dumps({"config": config}))  # JSON is YAML
