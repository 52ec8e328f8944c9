"""The program of another revision, run by itself: what it is asked and what it answers."""

import dataclasses
import io
import json
import runpy
import sys
from pathlib import Path

import pytest
from mocks import ROOT

from private_pypi.cli import program as runner
from private_pypi.cli.program import Program

PROGRAM = Program(
    path=str(ROOT / "__main__.py"),
    project="private-pypi",
    stack="dev",
    config={"private-pypi:domain": "acme", "private-pypi:readers": '["o-a1b2c3d4e5"]'},
    account="111122223333",
    region="us-west-2",
    partition="aws",
)


def answer(program: Program, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> object:
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(dataclasses.asdict(program))))
    monkeypatch.setattr(sys, "path", [*sys.path])
    runpy.run_path(runner.__file__, run_name="__main__")
    return json.loads(capsys.readouterr().out)


def test_the_answer_is_what_the_program_registers(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = json.loads(json.dumps(dataclasses.asdict(runner.record(PROGRAM))))

    assert answer(PROGRAM, monkeypatch, capsys) == expected
    assert [each["name"] for each in expected["resources"]][:2] == ["private-pypi", "private-pypi-domain"]


def test_of_a_refused_config_the_answer_is_the_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = dataclasses.replace(PROGRAM, config={})

    assert str(answer(refused, monkeypatch, capsys)).startswith("1 error in the config; nothing was changed.\n")


def test_modules_beside_the_program_are_its_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "beside_the_program.py").write_text("NAME = 'of the program'\n")
    text = "import pulumi\nfrom beside_the_program import NAME\npulumi.export('name', NAME)\nprint('hello')\n"
    (tmp_path / "__main__.py").write_text(text)

    answered = answer(dataclasses.replace(PROGRAM, path=str(tmp_path / "__main__.py")), monkeypatch, capsys)
    assert answered == {"resources": [], "outputs": {"name": "of the program"}, "warnings": []}
