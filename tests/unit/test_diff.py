"""`private-pypi diff`, from two revisions to what it prints."""

import json
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from mocks import ROOT
from pages import blocks

from private_pypi.cli import diff
from private_pypi.cli.main import main
from private_pypi.cli.program import Program, Recording, record

API = "arn:aws:iam::111122223333:role/service/api"
CONFIG = """\
config:
  aws:region: us-west-2
  aws:allowedAccountIds: ["111122223333"]
  private-pypi:domain: acme
"""


def git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], check=True, capture_output=True, text=True).stdout.strip()


def commit() -> str:
    """Commit all there is; the answer is how a report names the commit."""
    git("add", "--all")
    git("commit", "--quiet", "--message", "A change")
    return git("rev-parse", "HEAD")[:12]


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in a git repository, with nothing committed."""
    for name in [each for each in os.environ if each.startswith("GIT_")]:
        monkeypatch.delenv(name)
    for name, value in (("AUTHOR", "Ada"), ("COMMITTER", "Ada")):
        monkeypatch.setenv(f"GIT_{name}_NAME", value)
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "ada@example.com")
    for name in ("GLOBAL", "SYSTEM"):
        monkeypatch.setenv(f"GIT_CONFIG_{name}", os.devnull)
    for name in ("__main__.py", "Pulumi.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    git("init", "--quiet", "--initial-branch", "main")
    return tmp_path


LOCK = threading.Lock()


@pytest.fixture(autouse=True)
def _in_process(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the programs here: what a process of its own is for, some tests show."""

    def recorded(program: Program) -> Recording:
        with LOCK:
            return record(program)

    if "apart" not in request.keywords:
        monkeypatch.setattr(diff, "record_apart", recorded)


apart = pytest.mark.apart


def configure(folder: Path, text: str = "", stack: str = "dev") -> None:
    (folder / f"Pulumi.{stack}.yaml").write_text(CONFIG + text)


def test_the_working_tree_is_compared_with_the_last_commit(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    configure(folder)
    base = commit()
    configure(folder, f"  private-pypi:readers: [{API}]\n")

    assert main(["diff"]) == 0
    assert (
        capsys.readouterr().out
        == f"""\
Stack dev, compared with {base}: 1 gain, 0 losses, 0 risks. Nothing was asked of AWS.

Who gains
  {API}
    install

Who loses
  Nobody loses.

What else changes
  made:
    private-pypi-domain-permissions
  changed:
    private-pypi-repository-permissions: policyDocument
"""
    )


def test_a_branch_is_compared_with_where_it_left_the_main_branch(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    configure(folder, f"  private-pypi:readers: [{API}]\n")
    base = commit()
    git("update-ref", "refs/remotes/origin/main", "HEAD")
    git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
    configure(folder)
    commit()

    assert main(["diff", "--exit-code"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith(f"Stack dev, compared with {base}: 0 gains, 1 loss, 0 risks. ")
    assert f"Who loses\n  {API}\n    install\n" in printed


def test_the_exit_status_asks_for_approval_where_it_is_wanted(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    configure(folder)
    base = commit()
    configure(folder, f"  private-pypi:readers: [{API}]\n")
    commit()

    assert main(["diff", "--base", base, "--exit-code", "--json"]) == 2
    printed = json.loads(capsys.readouterr().out)
    (component,) = printed.pop("components")
    assert component.pop("edits")
    assert component == {
        "name": "private-pypi",
        "is_new": False,
        "is_gone": False,
        "gains": [{"principal": API, "workload": None, "right": "install", "scope": [], "also_allowed": []}],
        "losses": [],
        "relisted": [],
        "safeguards": [],
        "effects": [],
        "uncompared": [],
    }
    assert printed == {
        "stack": "dev",
        "base": git("rev-parse", base),
        "needs_approval": True,
        "counts": {"gains": 1, "losses": 0, "risks": 0, "not_compared": 0},
        "is_new": False,
        "is_gone": False,
        "effects": [],
        "edits": [],
        "uncompared": [],
        "warnings": [],
    }
    assert main(["diff", "--exit-code"]) == 0
    assert capsys.readouterr().out.endswith("\n\nNothing changes.\n")


def test_a_stack_may_be_new_or_gone(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    configure(folder)
    commit()
    configure(folder, f"  private-pypi:readers: [{API}]\n", stack="prod")
    (folder / "Pulumi.dev.yaml").unlink()

    assert main(["diff", "prod"]) == 0
    assert f"\n\nWho gains\n  {API}\n    install\n" in capsys.readouterr().out
    assert main(["diff"]) == 0
    assert "What can be lost\n  The stack dev has no stack file any more. " in capsys.readouterr().out


def test_a_project_may_be_new_in_a_folder_of_a_repository(
    capsys: pytest.CaptureFixture[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = folder / "infrastructure/pypi"
    inner.mkdir(parents=True)
    commit()
    for name in ("__main__.py", "Pulumi.yaml"):
        (folder / name).rename(inner / name)
    configure(inner, f"  private-pypi:readers: [{API}]\n")
    monkeypatch.chdir(inner)

    assert main(["diff"]) == 0
    assert f"\n\nWho gains\n  {API}\n    install\n" in capsys.readouterr().out
    commit()
    assert main(["diff"]) == 0
    assert capsys.readouterr().out.endswith("\n\nNothing changes.\n")


def test_mistakes_of_both_sides_are_shown(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    configure(folder, "  private-pypi:readers: [arn]\n")
    base = commit()
    configure(folder, "  private-pypi:protect: perhaps\n")

    assert main(["diff", "--exit-code", "--markdown"]) == 1
    printed = capsys.readouterr()
    assert printed.out == f"```text\n{printed.err}```\n"
    before, _, after = printed.err.partition("error: in the working tree: ")
    assert before.startswith(f"error: in {base}: ")
    assert "private-pypi:readers[0]: got 'arn'" in before
    assert (
        after.rstrip()
        == "validating stack config: Stack 'dev' with configuration key 'protect' must be of type 'boolean'"
    )


EXPORT = """\
pulumi.export("token", pulumi.Output.secret("{}"))
"""


@pytest.mark.parametrize("form", ["", "--markdown", "--json"])
def test_an_exported_secret_that_changes_is_said_to_and_not_shown(
    capsys: pytest.CaptureFixture[str], folder: Path, form: str
) -> None:
    configure(folder)
    program = folder / "__main__.py"
    text = program.read_text()
    program.write_text(text + EXPORT.format("hunter2"))
    commit()
    assert main(["diff", "--exit-code"]) == 0
    assert capsys.readouterr().out.endswith("\n\nNothing changes.\n")

    program.write_text(text + EXPORT.format("hunter3"))
    assert main(["diff", "--exit-code", *([form] if form else [])]) == 2
    printed = capsys.readouterr().out
    assert "[secret]" in printed
    assert "token" in printed
    assert "hunter" not in printed


def test_what_changes_is_coloured_on_a_terminal(
    capsys: pytest.CaptureFixture[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(folder, f"  private-pypi:publishers: [{API}]\n")
    commit()
    configure(folder, f"  private-pypi:readers: [{API}, {API}-2]\n  private-pypi:protect: false\n")
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    main(["diff"])
    printed = capsys.readouterr().out

    assert f"\x1b[1mWho gains\x1b[0m\n\x1b[32m  {API}-2\x1b[0m\n\x1b[32m    install\x1b[0m\n" in printed
    assert f"\x1b[1mWho loses\x1b[0m\n\x1b[31m  {API}\x1b[0m\n" in printed
    assert "\x1b[1mSafeguards switched off\x1b[0m\n\x1b[33m  Packages are not protected: " in printed
    assert "Stack dev, compared with " in printed.partition("\x1b")[0]


@apart
def test_each_side_is_its_own_program_with_its_own_keys(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    shutil.copytree(ROOT / "private_pypi", folder / "private_pypi", ignore=shutil.ignore_patterns("__pycache__"))
    names, *renamed = (
        folder / each
        for each in ("private_pypi/arns.py", "private_pypi/config.py", "private_pypi/keys.py", "Pulumi.yaml")
    )
    before = {path: path.read_text() for path in (names, *renamed)}
    for path in renamed:
        path.write_text(before[path].replace("internalPackages", "ownPackages"))
    names.write_text(before[names].replace("-store", "-public"))
    configure(folder, "  private-pypi:publicUpstream: true\n  private-pypi:ownPackages: [acme-*]\n")
    commit()
    for path, text in before.items():
        path.write_text(text)
    configure(folder, "  private-pypi:publicUpstream: true\n  private-pypi:internalPackages: [acme-*]\n")

    assert main(["diff"]) == 0
    assert capsys.readouterr().out.partition("\n\n")[2] == (
        "Who loses\n"
        "  The store private-pypi-public would be deleted: nothing new comes from public PyPI. "
        "What was installed from there stays.\n"
        "\n"
        "What could not be compared\n"
        "  gone: private-pypi-repository, because packages come from repositories that are not made here\n"
        '    [{"repositoryName": "private-pypi-public"}]\n'
        "\n"
        "What else changes\n  changed:\n    private-pypi-repository: upstreams\n    private-pypi-store: repository\n"
    )


@apart
def test_what_the_program_prints_is_not_taken_for_its_answer(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    configure(folder)
    program = folder / "__main__.py"
    program.write_text(program.read_text() + "\nprint('hello')\n")
    commit()

    assert main(["diff"]) == 0
    assert capsys.readouterr().out.endswith("\n\nNothing changes.\n")


@apart
def test_a_program_that_fails_is_named_with_its_error(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    configure(folder)
    commit()
    (folder / "__main__.py").write_text("import nothing_of_that_name\n")

    assert main(["diff"]) == 1
    error = "__main__.py:1: ModuleNotFoundError: No module named 'nothing_of_that_name'"
    assert capsys.readouterr().err == f"error: in the working tree: {error}\n"
    (folder / "__main__.py").write_text("import pulumi\n")
    assert main(["diff"]) == 1
    error = (
        "the program has no PrivatePypi, a component of the type private-pypi:index:PrivatePypi: there is none to show"
    )
    assert capsys.readouterr().err == f"error: in the working tree: {error}\n"


@apart
def test_a_process_that_dies_is_an_error(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    configure(folder)
    commit()
    (folder / "__main__.py").write_text(
        "import os, sys\nprint('Out of luck.', file=sys.stderr, flush=True)\nos._exit(9)\n"
    )

    assert main(["diff", "--exit-code"]) == 1
    assert capsys.readouterr().err == "error: in the working tree: the program fails: Out of luck.\n"


def test_a_revision_that_git_does_not_know_is_an_error(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    configure(folder)
    commit()

    assert main(["diff", "--base", "nowhere"]) == 1
    assert capsys.readouterr().err.startswith(
        "error: git rev-parse --verify --end-of-options nowhere^{commit}: fatal: "
    )
    assert main(["diff", "prod"]) == 1
    assert capsys.readouterr().err == "error: there is no Pulumi.prod.yaml; the stacks here are: dev\n"


def test_without_git_it_says_so(
    capsys: pytest.CaptureFixture[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(folder)
    monkeypatch.setenv("PATH", str(folder))

    assert main(["diff"]) == 1
    assert capsys.readouterr().err == "error: there is no git, which knows what the stack was\n"


def test_the_example_of_the_page(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    configure(folder, "  private-pypi:readers: [arn:aws:iam::111122223333:role/ci-a]\n")
    base = commit()
    configure(folder, "  private-pypi:readers: [arn:aws:iam::111122223333:role/ci-*]\n")
    command, *_ = blocks("pull-requests.md", "console")

    assert main(["diff"]) == 0
    assert "$ make diff\n" + capsys.readouterr().out.replace(base, "4f1c2ab90d3e") == command


def test_nothing_of_the_repository_changes(folder: Path) -> None:
    configure(folder)
    commit()
    configure(folder, f"  private-pypi:readers: [{API}]\n")
    git("add", "Pulumi.dev.yaml")
    before = git("status", "--porcelain"), git("diff", "--cached"), git("worktree", "list"), git("stash", "list")

    assert main(["diff"]) == 0
    after = git("status", "--porcelain"), git("diff", "--cached"), git("worktree", "list"), git("stash", "list")
    assert after == before
