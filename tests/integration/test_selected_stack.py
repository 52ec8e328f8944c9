"""The stack that the CLI takes where none is named is the one that `private-pypi` and `make` take."""

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


def shown(folder: Path, *arguments: str, **environment: str) -> set[str]:
    """The stacks that `private-pypi preview` and `make preview` show, with arguments for the second one."""
    make = ["make", "--file", str(ROOT / "Makefile"), f"BIN={BIN}", "--old-file", "install", "preview", *arguments]
    commands = [make] if arguments else [make, [str(BIN / "private-pypi"), "preview"]]
    return {run(folder, *command, **environment).split()[1] for command in commands}


def taken(folder: Path, **environment: str) -> str:
    """The stack that the CLI takes."""
    return run(folder, "pulumi", "stack", "--show-name", **environment).strip()


def test_the_selected_stack_is_the_same(folder: Path) -> None:
    for name in ("dev", "prod"):
        run(folder, "pulumi", "stack", "init", name)
    for name in ("dev", "prod"):
        run(folder, "pulumi", "stack", "select", name)
        assert taken(folder) == name
        assert shown(folder) == {name}
    assert taken(folder, PULUMI_STACK="dev") == "dev"
    assert shown(folder, PULUMI_STACK="dev") == {"dev"}
    assert shown(folder, "STACK=dev") == {"dev"}

    link = folder.parent / "link"
    link.symlink_to(folder)
    run(link, "pulumi", "stack", "select", "dev")
    assert taken(link) == "dev"
    assert shown(link) == {"dev"}
    assert taken(folder) == "prod"
    assert shown(folder) == {"prod"}
