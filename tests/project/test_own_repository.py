"""What `private-pypi new` writes: `examples/own-repository/` is the whole of it."""

import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import example
import pytest
import yaml
from locks import ROOT

from private_pypi.cli.main import main

BIN = Path(sys.executable).parent


def files(folder: Path) -> dict[str, bytes]:
    found = [path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts]
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in found}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    example.write(tmp_path)
    return tmp_path


def commit(folder: Path) -> None:
    git = ["git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false"]
    for arguments in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "One"]):
        subprocess.run([*git, *arguments], cwd=folder, check=True)


def test_the_example_is_what_is_written(folder: Path) -> None:
    assert files(ROOT / "examples/own-repository") == files(folder)


def test_the_program_is_that_of_the_project() -> None:
    own, ours = ROOT / "examples/own-repository", ROOT
    assert (own / "__main__.py").read_text() == (ours / "__main__.py").read_text()
    project, whole = (yaml.safe_load((each / "Pulumi.yaml").read_text()) for each in (own, ours))
    assert project == {key: value for key, value in whole.items() if key != "config"}


def test_the_workflow_checks_the_stack_files(folder: Path) -> None:
    workflow = yaml.safe_load((folder / ".github/workflows/check.yml").read_text())
    (step,) = [each for each in workflow["jobs"]["test"]["steps"] if each.get("name", "").startswith("Check the stack")]
    tool, name, *arguments = step["run"].removeprefix("pipx run ").replace("==", " ").split()
    assert (tool, name) == ("check-jsonschema", version("check-jsonschema"))

    def check() -> int:
        command = f"{BIN}/{tool} {' '.join(arguments)}"
        return subprocess.run(["bash", "-c", command], cwd=folder, capture_output=True, check=False).returncode

    assert check() == 0
    (folder / "Pulumi.prod.yaml").write_text("config:\n  private-pypi:domain: Acme\n")
    assert check() == 1


def test_editors_find_the_schema(folder: Path) -> None:
    for stack, schema in (
        (folder / "Pulumi.dev.yaml", folder / "pulumi-stack.schema.json"),
        (ROOT / "Pulumi.dev.yaml", ROOT / "schema/pulumi-stack.schema.json"),
    ):
        first, _, _ = stack.read_text().partition("\n")
        assert stack.parent / first.removeprefix("# yaml-language-server: $schema=") == schema
    assert schema.read_text() == (folder / "pulumi-stack.schema.json").read_text()


def test_the_stack_is_previewed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(folder)

    assert main(["preview", "dev"]) == 0


def unittests(folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-m", "unittest"], cwd=folder, capture_output=True, text=True, check=False)


STACK = """\
config:
  aws:region: us-west-2
  private-pypi:domain: example
"""


@pytest.mark.parametrize(
    ("stack", "failing"),
    [
        ("", []),
        ("  private-pypi:protect: false\n", ["test_packages_are_protected"]),
        ("  private-pypi:publishers: [arn:aws:iam::111122223333:user/ada]\n", ["test_only_roles_publish"]),
        ('  private-pypi:publishers: ["111122223333"]\n', ["test_only_roles_publish"]),
    ],
)
def test_its_unit_test_holds_and_finds_mistakes(folder: Path, stack: str, failing: list[str]) -> None:
    (folder / "Pulumi.prod.eu.yaml").write_text(STACK + stack)
    finished = unittests(folder)

    assert [line.split()[1] for line in finished.stderr.splitlines() if line.startswith("FAIL: ")] == failing
    assert (finished.returncode == 0) == (failing == [])
    assert "Ran 3 tests" in finished.stderr


ANOTHER_POLICY = """\
import json
import pulumi
import pulumi_aws as aws
from private_pypi import PrivatePypi, load_args
pypi = PrivatePypi("private-pypi", load_args())
statement = {"Effect": "Allow", "Principal": "*", "Action": "codeartifact:*", "Resource": "*"}
document, opts = json.dumps({"Statement": [statement]}), pulumi.ResourceOptions(parent=pypi)
aws.codeartifact.DomainPermissions("more", domain="example", policy_document=document, opts=opts)
"""


def test_its_unit_test_finds_what_is_not_understood(folder: Path) -> None:
    (folder / "__main__.py").write_text(ANOTHER_POLICY)

    assert "FAIL: test_all_of_the_policies_is_understood" in unittests(folder).stderr


def test_in_a_clone_of_this_one_nobodys_repository_is_said_to_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whoever edits the example there is in another account than the example's, where nothing of theirs is."""
    for name in ("__main__.py", "Pulumi.yaml", "Pulumi.dev.yaml"):
        (tmp_path / name).write_text((ROOT / name).read_text())
    commit(tmp_path)
    stack = tmp_path / "Pulumi.dev.yaml"
    stack.write_text(stack.read_text().replace("111122223333", "444455556666").replace(": example", ": acme"))
    monkeypatch.chdir(tmp_path)

    assert main(["diff", "--base", "HEAD"]) == 0
    printed = capsys.readouterr().out
    (risk,) = printed.partition("What can be lost or misused\n")[2].partition("\n\n")[0].splitlines()
    stays = "repository/example/private-pypi stays where it is, with its packages and with whoever gets in"
    assert "The account changes from 111122223333 to 444455556666." in risk
    assert stays in risk
    assert "delete" not in printed


def test_a_checkout_on_windows_is_as_it_was_committed(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Git for Windows writes other ends of lines, if nothing says otherwise."""
    commit(folder)
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", "--config", "core.autocrlf=true", folder, clone], check=True)
    monkeypatch.chdir(clone)

    assert main(["diff", "--exit-code"]) == 0
    assert capsys.readouterr().out.endswith("\n\nNothing changes.\n")
