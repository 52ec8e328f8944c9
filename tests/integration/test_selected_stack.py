"""The stack that the CLI takes where none is named is the one that `private-pypi` takes."""

import subprocess
from pathlib import Path

import pytest
from engine import BIN, ENVIRONMENT, ROOT


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A project with two stacks, in a backend of its own and a home of its own."""
    project = tmp_path / "project"
    for name in ("project", "state", "home"):
        (tmp_path / name).mkdir()
    for name in ("__main__.py", "Pulumi.yaml"):
        (project / name).write_text((ROOT / name).read_text())
    for name in ("dev", "prod"):
        (project / f"Pulumi.{name}.yaml").write_text("config: {private-pypi:domain: acme}")
    return project


def run(folder: Path, *command: str, **environment: str) -> str:
    own = {"PULUMI_BACKEND_URL": f"file://{folder.parent}/state", "PULUMI_HOME": str(folder.parent / "home")}
    # The name that a shell has for a folder is in PWD.
    environment = ENVIRONMENT | own | {"PWD": str(folder)} | environment
    return subprocess.run(command, cwd=folder, env=environment, check=True, capture_output=True, text=True).stdout


def both(folder: Path, **environment: str) -> tuple[str, str]:
    """What the CLI takes, and what `private-pypi` takes."""
    shown = run(folder, str(BIN / "private-pypi"), "preview", **environment)
    return run(folder, "pulumi", "stack", "--show-name", **environment).strip(), shown.split()[1]


def test_the_selected_stack_is_the_same(folder: Path) -> None:
    for name in ("dev", "prod"):
        run(folder, "pulumi", "stack", "init", name)
    for name in ("dev", "prod"):
        run(folder, "pulumi", "stack", "select", name)
        assert both(folder) == (name, name)
    assert both(folder, PULUMI_STACK="dev") == ("dev", "dev")

    link = folder.parent / "link"
    link.symlink_to(folder)
    run(link, "pulumi", "stack", "select", "dev")
    assert both(link) == ("dev", "dev")
    assert both(folder) == ("prod", "prod")
