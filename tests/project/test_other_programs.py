"""Programs that are not this one: the example, the one that the reference prints, and such as fail."""

import json
import os
import shutil
import subprocess
from contextlib import nullcontext
from pathlib import Path
from typing import Any, Self

import pytest
from mocks import ROOT
from pages import DOCS, blocks

from private_pypi.cli import diff
from private_pypi.cli.main import main
from private_pypi.cli.program import record

PROJECT = "name: other\nruntime: python\n"
CONFIG = 'config:\n  aws:region: us-west-2\n  aws:allowedAccountIds: ["111122223333"]\n'
REFERENCE = blocks("reference.md", "python")[0]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    # Nothing answers at this address: a check gets as far as asking who it is.
    for name in [each for each in os.environ if each.startswith(("AWS_", "GIT_"))]:
        monkeypatch.delenv(name)
    for name, value in {
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_ENDPOINT_URL": "http://127.0.0.1:1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        "PULUMI_STACK": "dev",
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("private_pypi.cli.process.recorder_process", lambda: nullcontext(record))
    monkeypatch.setattr(diff, "ThreadPoolExecutor", _InTurn)
    return tmp_path


class _InTurn:
    """Runs what it is given at once: two programs in one process would be in each other's way."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """There is nothing to wait for."""

    def submit(self, function: Any, *arguments: Any) -> Any:
        self.function, self.arguments = function, arguments
        return type("Done", (), {"result": lambda _, f=function, a=arguments: f(*a)})()


def commit(folder: Path) -> None:
    git = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false"]
    for arguments in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "One"]):
        subprocess.run([*git, *arguments], cwd=folder, check=True)


def write(folder: Path, program: str, project: str = PROJECT) -> None:
    (folder / "Pulumi.yaml").write_text(project)
    (folder / "Pulumi.dev.yaml").write_text(CONFIG)
    (folder / "__main__.py").write_text(program)


def test_the_example_has_a_section_for_each_repository(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shutil.copytree(ROOT / "examples/two-repositories", folder, dirs_exist_ok=True)
    commit(folder)

    assert main(["preview", "--json"]) == 0
    components = json.loads(capsys.readouterr().out)["components"]
    assert [(each["name"], each["account"], len(each["access"])) for each in components] == [
        ("nightly", "111122223333", 2),
        ("releases", "111122223333", 3),
    ]
    assert all(each["not_understood"] == [] for each in components)
    assert main(["diff", "--base", "HEAD", "--exit-code"]) == 0
    assert capsys.readouterr().out.endswith("\n\nNothing changes.\n")

    program = folder / "__main__.py"
    program.write_text(
        program.read_text().replace(
            "readers=[TEAM],\n                publishers", "readers=[TEAM, EVERYBODY],\n                publishers"
        )
    )
    assert main(["diff", "--base", "HEAD", "--exit-code"]) == 2
    assert (
        "nightly: Who gains\n  whoever is in the organization o-a1b2c3d4e5\n    install (already allowed: "
        in capsys.readouterr().out
    )


def test_what_the_reference_prints_is_previewed_compared_and_checked(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(folder, REFERENCE)
    commit(folder)

    assert main(["preview"]) == 0
    assert "\n  arn:aws:iam::111122223333:role/service/api  yes      no\n" in capsys.readouterr().out
    assert main(["diff", "--base", "HEAD", "--exit-code"]) == 0
    assert capsys.readouterr().out.endswith("\n\nNothing changes.\n")
    assert main(["check"]) == 1
    assert "\n  who you are  NO  EndpointConnectionError\n" in capsys.readouterr().out


def test_the_program_may_be_in_another_folder(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for main_, path in (("src", "src/__main__.py"), ("program/pypi.py", "program/pypi.py")):
        write(folder, "raise ValueError", f"{PROJECT}main: {main_}\n")
        (folder / path).parent.mkdir()
        (folder / path).write_text(REFERENCE)

        assert main(["preview"]) == 0
        assert "packages-repository" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("program", "error"),
    [
        ("raise ValueError('No.')", "__main__.py:1: ValueError: No."),
        (
            "from private_pypi import PrivatePypiArgs\n\nPrivatePypiArgs()",
            "__main__.py:3: TypeError: PrivatePypiArgs.__init__() missing 1 required keyword-only argument: 'domain'",
        ),
        (
            "",
            (
                "the program has no PrivatePypi, a component of the type private-pypi:index:PrivatePypi: "
                "there is none to show"
            ),
        ),
    ],
)
def test_what_fails_is_one_line_with_its_place(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, program: str, error: str
) -> None:
    write(folder, REFERENCE)
    commit(folder)
    write(folder, program)
    monkeypatch.setattr("private_pypi.cli.aws.Aws.call", lambda *_, **__: "arn:aws:iam::111122223333:user/ada")

    assert main(["preview"]) == 1
    assert capsys.readouterr().err == f"error: {error}\n"
    assert main(["diff", "--base", "HEAD", "--exit-code"]) == 1
    assert capsys.readouterr().err == f"error: in the working tree: {error}\n"
    assert main(["check"]) == 1
    assert capsys.readouterr().err == f"error: {error}\n"


def test_the_reference_names_every_key_of_the_json(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write(folder, REFERENCE)
    commit(folder)
    whole, component, difference, of_component = (
        {key.strip("`") for row in part.splitlines()[2:] for key in row.split("|")[1].strip().split(", ")}
        for part in (DOCS / "reference.md").read_text().partition("\n### JSON\n")[2].partition("\n## ")[0].split("\n\n")
        if part.startswith("|")
    )

    main(["preview", "--json"])
    printed = json.loads(capsys.readouterr().out)
    assert printed.keys() == whole
    assert printed["components"][0].keys() == component
    main(["diff", "--base", "HEAD", "--json"])
    printed = json.loads(capsys.readouterr().out)
    assert printed.keys() == difference
    assert printed["components"][0].keys() == of_component
