"""Which stack is taken where none is named. The integration tests ask the CLI."""

import hashlib
from pathlib import Path

import pytest

from private_pypi.cli.workspace import selected_stack


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.yaml").write_text("name: private-pypi")
    return tmp_path


@pytest.fixture
def home(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the CLI keeps which stack is selected."""
    home = tmp_path_factory.mktemp("home")
    (home / "workspaces").mkdir()
    monkeypatch.setenv("PULUMI_HOME", str(home))
    for name in ("PULUMI_BACKEND_URL", "PULUMI_STACK", "PWD"):
        monkeypatch.delenv(name, raising=False)
    return home


def select(home: Path, folder: Path, text: str) -> None:
    digest = hashlib.sha1(f"{folder}/Pulumi.yaml".encode()).hexdigest()  # noqa: S324  as the CLI names the file
    (home / f"workspaces/private-pypi-{digest}-workspace.json").write_text(text)


def test_the_stack_is_the_selected_one(folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert selected_stack(folder) == "dev"
    select(home, folder, '{"stack": "acme/private-pypi/prod"}')
    assert selected_stack(folder) == "acme/private-pypi/prod"
    monkeypatch.setenv("PULUMI_STACK", "staging")
    assert selected_stack(folder) == "staging"


def test_of_several_backends_it_is_the_stack_of_the_one_that_is_logged_in_to(
    folder: Path, home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    select(home, folder, '{"stacks": {"file://~": "organization/private-pypi/prod"}}')
    assert selected_stack(folder) == "organization/private-pypi/prod"

    select(home, folder, '{"stacks": {"file://~": "prod", "https://api.pulumi.com": "staging"}}')
    assert selected_stack(folder) == "dev"
    (home / "credentials.json").write_text('{"current": "https://api.pulumi.com"}')
    assert selected_stack(folder) == "staging"
    monkeypatch.setenv("PULUMI_BACKEND_URL", "file://~")
    assert selected_stack(folder) == "prod"


@pytest.mark.parametrize("text", ["", "{}", '{"stack": null}', "[]"])
def test_without_a_selected_stack_it_is_dev(folder: Path, home: Path, text: str) -> None:
    select(home, folder, text)

    assert selected_stack(folder) == "dev"


def test_a_folder_has_the_name_that_the_shell_gives_it(
    folder: Path, home: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = tmp_path_factory.mktemp("links") / "link"
    link.symlink_to(folder)
    select(home, link, '{"stack": "prod"}')
    monkeypatch.setenv("PWD", str(link))
    assert selected_stack(folder) == "prod"
    monkeypatch.setenv("PWD", str(home))  # another folder: a process of its own moved here
    assert selected_stack(folder) == "dev"


def test_outside_a_project_it_is_dev(tmp_path: Path, home: Path) -> None:
    assert home
    assert selected_stack(tmp_path) == "dev"
