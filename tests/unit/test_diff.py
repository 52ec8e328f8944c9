"""`private-pypi diff`, from two revisions to what it prints."""

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from mocks import ROOT
from pages import blocks

from private_pypi.cli.main import main

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


def push() -> str:
    """Commit all there is, to the main branch of the remote repository too."""
    commit()
    git("update-ref", "refs/remotes/origin/main", "HEAD")
    git("symbolic-ref", "refs/remotes/origin/HEAD", "refs/remotes/origin/main")
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


def configure(folder: Path, text: str = "", stack: str = "dev") -> None:
    (folder / f"Pulumi.{stack}.yaml").write_text(CONFIG + text)


def test_the_working_tree_is_compared_with_the_last_commit(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    configure(folder)
    base = push()
    configure(folder, f"  private-pypi:readers: [{API}]\n")

    assert main(["diff"]) == 0
    assert (
        capsys.readouterr().out
        == f"""\
Stack dev, compared with {base}. Nothing was asked of AWS.

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
    base = push()
    configure(folder)
    commit()

    assert main(["diff", "--exit-code"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith(f"Stack dev, compared with {base}. ")
    assert f"Who loses\n  {API}\n    install\n" in printed


def test_the_exit_status_asks_for_approval_where_it_is_wanted(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    configure(folder)
    base = commit()
    configure(folder, f"  private-pypi:readers: [{API}]\n")
    commit()

    assert main(["diff", "--base", base, "--exit-code", "--json"]) == 2
    printed = json.loads(capsys.readouterr().out)
    assert printed.pop("edits")
    assert printed == {
        "stack": "dev",
        "base": git("rev-parse", base),
        "needs_approval": True,
        "is_new": False,
        "gains": [{"principal": API, "workflow": None, "packages": None, "but_for": []}],
        "losses": [],
        "relisted": [],
        "doors": [],
        "risks": [],
        "encrypted": [],
        "warnings": [],
    }
    assert main(["diff", "--exit-code"]) == 0
    assert capsys.readouterr().out.endswith("\n\nNothing changes.\n")


def test_a_stack_may_be_new_or_gone(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    configure(folder)
    push()
    configure(folder, f"  private-pypi:readers: [{API}]\n", stack="prod")
    (folder / "Pulumi.dev.yaml").unlink()

    assert main(["diff", "prod"]) == 0
    assert f"\n\nWho gains\n  {API}\n    install\n" in capsys.readouterr().out
    assert main(["diff"]) == 0
    assert "What can be lost\n  The stack dev has no config any more. " in capsys.readouterr().out


def test_a_project_may_be_new_in_a_folder_of_a_repository(
    capsys: pytest.CaptureFixture[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = folder / "infrastructure/pypi"
    inner.mkdir(parents=True)
    push()
    for name in ("__main__.py", "Pulumi.yaml"):
        (folder / name).rename(inner / name)
    configure(inner, f"  private-pypi:readers: [{API}]\n")
    monkeypatch.chdir(inner)

    assert main(["diff"]) == 0
    assert f"\n\nWho gains\n  {API}\n    install\n" in capsys.readouterr().out
    push()
    assert main(["diff"]) == 0
    assert capsys.readouterr().out.endswith("\n\nNothing changes.\n")


def test_mistakes_of_both_sides_are_shown(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    configure(folder, "  private-pypi:readers: [arn]\n")
    base = push()
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


def test_an_encrypted_value_that_changes_is_said_to_and_not_shown(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    configure(folder, f"  private-pypi:readers: [{{secure: AAA}}, {API}]\n")
    push()
    configure(folder, f"  private-pypi:readers: [{API}, {{secure: AAA}}]\n")
    assert main(["diff"]) == 0
    assert capsys.readouterr().out.endswith("Encrypted values show as [secret].\n\nNothing changes.\n")

    configure(folder, f"  private-pypi:readers: [{API}, {{secure: BBB}}]\n")
    for form in ("", "--markdown", "--json"):
        assert main(["diff", *([form] if form else [])]) == 0
        printed = capsys.readouterr().out
        assert "[secret]" in printed
        assert "private-pypi:readers[1]" in printed
        assert "encrypted-" not in printed


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
    push()
    for path, text in before.items():
        path.write_text(text)
    configure(folder, "  private-pypi:publicUpstream: true\n  private-pypi:internalPackages: [acme-*]\n")

    assert main(["diff"]) == 0
    changed = (
        "What else changes\n  changed:\n    private-pypi-repository: upstreams\n    private-pypi-store: repository\n"
    )
    assert capsys.readouterr().out.partition("\n\n")[2] == changed


def test_what_the_program_prints_is_not_taken_for_its_answer(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    configure(folder)
    program = folder / "__main__.py"
    program.write_text(program.read_text() + "\nprint('hello')\n")
    push()

    assert main(["diff"]) == 0
    assert capsys.readouterr().out.endswith("\n\nNothing changes.\n")


def test_a_program_that_fails_is_named_with_its_error(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    configure(folder)
    push()
    (folder / "__main__.py").write_text("import nothing_of_that_name\n")

    assert main(["diff"]) == 1
    error = "the program fails: ModuleNotFoundError: No module named 'nothing_of_that_name'"
    assert capsys.readouterr().err == f"error: in the working tree: {error}\n"
    (folder / "__main__.py").write_text("import pulumi\n")
    assert main(["diff"]) == 1
    error = "the program exports no repository_arn: export the outputs of PrivatePypi"
    assert capsys.readouterr().err == f"error: in the working tree: {error}\n"


def test_a_revision_that_git_does_not_know_is_an_error(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    configure(folder)
    push()

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
    assert capsys.readouterr().err == "error: git is not installed\n"


def test_the_example_of_the_page(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    configure(folder, "  private-pypi:readers: [arn:aws:iam::111122223333:role/ci-a]\n")
    base = push()
    configure(folder, "  private-pypi:readers: [arn:aws:iam::111122223333:role/ci-*]\n")
    command, *_ = blocks("pull-requests.md", "console")

    assert main(["diff"]) == 0
    assert "$ make diff\n" + capsys.readouterr().out.replace(base, "4f1c2ab90d3e") == command


def test_nothing_of_the_repository_changes(folder: Path) -> None:
    configure(folder)
    push()
    configure(folder, f"  private-pypi:readers: [{API}]\n")
    git("add", "Pulumi.dev.yaml")
    before = git("status", "--porcelain"), git("diff", "--cached"), git("worktree", "list"), git("stash", "list")

    assert main(["diff"]) == 0
    after = git("status", "--porcelain"), git("diff", "--cached"), git("worktree", "list"), git("stash", "list")
    assert after == before
