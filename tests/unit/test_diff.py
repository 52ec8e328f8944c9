"""`private-pypi diff`, from two revisions to what it prints."""

import io
import json
import os
import shutil
import subprocess
import sys
import threading
from contextlib import nullcontext
from dataclasses import asdict
from pathlib import Path

import pytest
from mocks import ROOT
from pages import blocks
from untraced import untraced

from private_pypi.cli.errors import CommandError, MistakesError
from private_pypi.cli.main import main
from private_pypi.cli.process import recorder_process
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


def push() -> str:
    """Commit all there is, to the main branch of the remote repository too."""
    name = commit()
    git("update-ref", "refs/remotes/origin/main", "HEAD")
    return name


RECORDED: dict[object, Recording | MistakesError] = {}
LOCK = threading.Lock()


@pytest.fixture(autouse=True)
def _(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run programs here: what a process of its own is for, some tests show. What is the same is run once."""

    def run(program: Program) -> Recording:
        if "apart" in request.keywords:
            with recorder_process() as record_apart:
                return record_apart(program)
        return record(program)

    def recorded(program: Program) -> Recording:
        here = Path(program.path).parent
        modules = {str(each.relative_to(here)): each.read_text() for each in here.rglob("*.py") if each.is_file()}
        key = json.dumps([asdict(program) | {"path": ""}, sorted(modules.items())])
        with LOCK, untraced():  # a process runs one program at a time
            if key not in RECORDED:
                try:
                    RECORDED[key] = run(program)
                except MistakesError as mistakes:
                    RECORDED[key] = mistakes
        found = RECORDED[key]
        if isinstance(found, MistakesError):
            raise found
        return found

    monkeypatch.setattr("private_pypi.cli.process.recorder_process", lambda: nullcontext(recorded))
    monkeypatch.setattr("secrets.token_hex", lambda: "00")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in a git repository, with nothing committed."""
    for name in [each for each in os.environ if each.startswith("GIT_")]:
        monkeypatch.delenv(name)
    for name, value in (("AUTHOR", "Ada"), ("COMMITTER", "Ada")):
        monkeypatch.setenv(f"GIT_{name}_NAME", value)
        monkeypatch.setenv(f"GIT_{name}_EMAIL", "ada@example.com")
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git/ours").write_text("[gc]\n\tauto = 0\n[maintenance]\n\tauto = false\n[init]\n\ttemplateDir =\n")
    for name, value in {"GLOBAL": tmp_path / ".git/ours", "SYSTEM": os.devnull}.items():
        monkeypatch.setenv(f"GIT_CONFIG_{name}", str(value))
    for name in ("__main__.py", "Pulumi.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    monkeypatch.chdir(tmp_path)
    git("init", "--quiet", "--initial-branch", "main")
    remote = tmp_path / ".git/refs/remotes/origin"
    remote.mkdir(parents=True)
    (remote / "HEAD").write_text("ref: refs/remotes/origin/main\n")
    return tmp_path


apart = pytest.mark.apart


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
    base = push()
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
        "gains": [
            {"principal": API, "workload": None, "right": "install", "scope": [], "also_allowed": [], "copies": None}
        ],
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
        "unseen": {"base_mistakes": None, "settings": [], "files": [], "elsewhere": 0},
    }
    assert main(["diff", "organization/private-pypi/dev", "--base", "HEAD", "--exit-code"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith("Stack dev, compared with ")
    assert printed.endswith("\n\nNothing changes.\n")


def test_a_stack_may_be_new_or_gone(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    configure(folder)
    push()
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


EXPORT = """\
pulumi.export("token", pulumi.Output.secret("{}"))
"""


def test_an_exported_secret_that_changes_is_said_to_and_not_shown(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    configure(folder)
    program = folder / "__main__.py"
    text = program.read_text()
    program.write_text(text + EXPORT.format("hunter2"))
    push()
    assert main(["diff", "--exit-code"]) == 0
    assert capsys.readouterr().out.endswith("\n\nNothing changes.\n")

    program.write_text(text + EXPORT.format("hunter3"))
    for form in ([], ["--markdown"], ["--json"]):
        assert main(["diff", "--exit-code", *form]) == 2
        printed = capsys.readouterr().out
        assert "[secret]" in printed
        assert "token" in printed
        assert "hunter" not in printed


def test_what_changes_is_coloured_on_a_terminal(
    capsys: pytest.CaptureFixture[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(folder, f"  private-pypi:publishers: [{API}]\n")
    push()
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
    """And in a process of its own, where what it prints is not taken for its answer."""
    with (folder / "__main__.py").open("a") as program:
        program.write("\nprint('hello')\n")
    shutil.copytree(ROOT / "private_pypi", folder / "private_pypi", ignore=shutil.ignore_patterns("__pycache__"))
    names, *renamed = (folder / each for each in ("private_pypi/arns.py", "private_pypi/keys.py", "Pulumi.yaml"))
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
    assert capsys.readouterr().out.partition("\n\n")[2] == (
        "What can be lost or misused\n"
        "  The store private-pypi-public would be deleted: nothing new comes from public PyPI, nor to other "
        "repositories that have it upstream. What was installed from there stays.\n"
        "\n"
        "What could not be compared\n"
        "  gone: private-pypi-repository, because packages come from repositories that are not made here\n"
        '    [{"repositoryName": "private-pypi-public"}]\n'
        "\n"
        "What else changes\n  changed:\n    private-pypi-repository: upstreams\n    private-pypi-store: repository\n"
        "\n"
        "What else changes in the repository\n"
        "  the program changes: 3 files\n"
        "    Pulumi.yaml\n"
        "    private_pypi/arns.py\n"
        "    private_pypi/keys.py\n"
    )


def test_a_program_that_fails_is_named_with_its_error(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    configure(folder)
    push()
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
    assert "$ private-pypi diff\n" + capsys.readouterr().out.replace(base, "4f1c2ab90d3e") == command


def test_nothing_of_the_repository_changes(folder: Path) -> None:
    configure(folder)
    push()
    configure(folder, f"  private-pypi:readers: [{API}]\n")
    git("add", "Pulumi.dev.yaml")
    before = git("status", "--porcelain"), git("diff", "--cached"), git("worktree", "list"), git("stash", "list")

    assert main(["diff"]) == 0
    after = git("status", "--porcelain"), git("diff", "--cached"), git("worktree", "list"), git("stash", "list")
    assert after == before


SETTINGS = "What else changes in the stack file"
FILES = "What else changes in the repository"


def section(text: str, title: str) -> list[str]:
    """The lines of a section of what is printed."""
    (found,) = [each.splitlines() for each in text.split("\n\n") if each.startswith(f"{title}\n")]
    return [line.removeprefix("  ") for line in found[1:]]


@pytest.mark.parametrize(
    ("text", "change"),
    [
        ("environment: [prod]\n", "environment is added"),
        ("secretsprovider: awskms://alias/key\n", "secretsprovider is added"),
        ("new-field: {}\n", "new-field is added"),
        ("  acme:any: {secure: AAA}\n", "acme:any is added"),
    ],
)
def test_what_else_a_stack_file_says_asks_for_approval(
    capsys: pytest.CaptureFixture[str], folder: Path, text: str, change: str
) -> None:
    configure(folder)
    push()
    configure(folder, text)

    assert main(["diff", "--exit-code"]) == 2
    (line,) = section(capsys.readouterr().out, SETTINGS)
    assert line.startswith(f"{change}: ")


def test_every_form_says_what_else_a_stack_file_says(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    configure(folder)
    push()
    configure(folder, "  aws:profile: admin\n")

    assert main(["diff", "--exit-code"]) == 2
    (line,) = section(capsys.readouterr().out, SETTINGS)
    assert line.startswith("aws:profile is added: ")
    assert main(["diff", "--exit-code", "--markdown"]) == 2
    printed = capsys.readouterr().out
    assert f"\n### {SETTINGS}\n\n- `aws:profile` is added: " in printed
    assert "Nothing changes." not in printed
    assert main(["diff", "--exit-code", "--json"]) == 2
    printed = json.loads(capsys.readouterr().out)
    assert printed["needs_approval"]
    assert [each["name"] for each in printed["unseen"]["settings"]] == ["aws:profile"]


def test_a_second_account_asks_for_approval(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    configure(folder)
    push()
    (folder / "Pulumi.dev.yaml").write_text(CONFIG.replace('"]', '", "444455556666"]'))

    assert main(["diff", "--exit-code"]) == 2
    assert section(capsys.readouterr().out, SETTINGS)[0].startswith("aws:allowedAccountIds changes: ")


def test_another_program_asks_for_approval_whatever_it_registers(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    configure(folder)
    (folder / "old.py").touch()
    (folder / "README.md").touch()
    push()
    (folder / "old.py").unlink()
    (folder / "README.md").write_text("a page")
    (folder / "new é.py").touch()
    (folder / "requirements.txt").touch()
    with (folder / "__main__.py").open("a") as program:
        program.write("# the same\n")
    configure(folder, stack="prod")

    assert main(["diff", "--exit-code"]) == 2
    changes = ["the program changes: 4 files", "  __main__.py", "  new é.py (new)", "  old.py (gone)"]
    assert section(capsys.readouterr().out, FILES) == [*changes, "  requirements.txt (new)"]


def test_a_file_is_what_its_bytes_are_whatever_git_makes_of_it(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    (folder / ".gitattributes").write_text(
        "*.py text eol=crlf ident export-ignore\n*.yaml working-tree-encoding=UTF-16\n"
    )
    configure(folder)
    git("-c", "core.attributesFile=/dev/null", "hash-object", "-w", "--no-filters", "Pulumi.dev.yaml")
    program = folder / "__main__.py"
    program.write_bytes(b"# $Id$\n" + program.read_bytes())
    for path in folder.iterdir():
        if path.is_file():
            name = git("hash-object", "-w", "--no-filters", path.name)
            git("update-index", "--add", "--cacheinfo", f"100644,{name},{path.name}")
    git("commit", "--quiet", "--message", "A change")
    git("update-ref", "refs/remotes/origin/HEAD", "HEAD")

    assert main(["diff", "--exit-code"]) == 0
    assert capsys.readouterr().out.endswith("\n\nNothing changes.\n")
    program.write_bytes(program.read_bytes().replace(b"\n", b"\r\n"))
    assert main(["diff", "--exit-code"]) == 2
    assert section(capsys.readouterr().out, FILES) == ["the program changes: 1 file", "  __main__.py"]


def test_a_stack_file_that_is_a_link_is_refused_on_both_sides(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    """Else the base is compared with the working tree, and a stranger comes in by two changes of stack files alone."""
    configure(folder, stack="shared")
    (folder / "Pulumi.dev.yaml").symlink_to(folder / "Pulumi.shared.yaml")
    base = push()
    error = "Pulumi.dev.yaml: Pulumi.dev.yaml is a link. Put the file itself there"

    assert main(["diff", "--exit-code"]) == 1
    assert capsys.readouterr().err == f"error: in {base}: {error}\nerror: in the working tree: {error}\n"
    (folder / "Pulumi.dev.yaml").unlink()
    configure(folder, f"  private-pypi:readers: [{API}]\n")
    assert main(["diff", "--exit-code"]) == 2
    printed = capsys.readouterr().out
    assert section(printed, "The base has mistakes")[1] == f"  {error}"
    assert section(printed, "Who gains") == [API, "  install"]
    assert "Pulumi.dev.yaml" in section(printed, FILES)[1]


def test_links_are_followed_in_the_base_only_where_they_stay_in_it(
    capsys: pytest.CaptureFixture[str], folder: Path
) -> None:
    configure(folder)
    (folder / "main").mkdir()
    (folder / "__main__.py").rename(folder / "main/program.py")
    (folder / "__main__.py").symlink_to("main/program.py")
    push()
    assert main(["diff", "--exit-code"]) == 0

    (folder / "out.py").symlink_to(folder / "main/program.py")
    push()
    assert main(["diff", "--exit-code"]) == 2
    text = "submodules, and links that may lead out of the project's folder, are not compared: 1 file"
    assert capsys.readouterr().out.endswith(f"\n\n{FILES}\n  {text}\n    out.py\n")


def test_a_repository_in_the_repository_is_not_compared(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    configure(folder)
    (folder / "sub").mkdir()
    git("-C", "sub", "init", "--quiet")
    git("-C", "sub", "commit", "--quiet", "--allow-empty", "--message", "A change")
    git("-c", "advice.addEmbeddedRepo=false", "add", "sub")
    push()

    assert main(["diff", "--exit-code"]) == 2
    assert section(capsys.readouterr().out, FILES)[1:] == ["  sub"]


def test_ignored_modules_are_named(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / ".gitignore").write_text("*.cache\nlocal.py\nbuild/\nvenv/\n.venv/\n__pycache__/\ndata/\nnot-a-name.py\n")
    configure(folder)
    (folder / "in-it").mkdir()
    (folder / "in-it/kept").touch()
    push()
    for name in (
        "a.cache",
        ".venv/a.py",
        "__pycache__/a.pyc",
        "data/a.txt",
        "venv/pyvenv.cfg",
        "venv/a.py",
        "not-a-name.py",
    ):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    assert main(["diff", "--exit-code"]) == 0

    for name in ("build/a/b.py", "local.py", "in-it/local.py"):
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).touch()
    capsys.readouterr()
    assert main(["diff", "--exit-code"]) == 2
    assert section(capsys.readouterr().out, FILES) == [
        "the program may import what git ignores: 3 files",
        "  build/",
        "  in-it/local.py",
        "  local.py",
    ]


def test_what_changes_beside_the_project_is_counted(
    capsys: pytest.CaptureFixture[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inner = folder / "a/b"
    inner.mkdir(parents=True)
    for name in ("__main__.py", "Pulumi.yaml"):
        (folder / name).rename(inner / name)
    configure(inner)
    (folder / "beside").touch()
    push()
    (folder / "beside").write_text("changed")
    monkeypatch.chdir(inner)

    assert main(["diff", "--exit-code"]) == 0
    printed = capsys.readouterr().out
    assert section(printed, FILES) == ["outside of the project's folder, where nothing is compared: 1 file"]


def test_a_folder_that_was_a_link_is_an_error(
    capsys: pytest.CaptureFixture[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (folder / "inner").symlink_to("/elsewhere")
    base = push()
    (folder / "inner").unlink()
    (folder / "inner").mkdir()
    configure(folder / "inner")
    monkeypatch.chdir(folder / "inner")

    assert main(["diff"]) == 1
    assert capsys.readouterr().err == f"error: in {base} inner is no folder, or one that a link leads to\n"


@pytest.mark.parametrize("mistake", ["", "  private-pypi:\u6771\u4eac: 1\n"], ids=["a file", "a mistake"])
def test_a_comment_is_in_utf_8_whatever_the_code_page(
    folder: Path, monkeypatch: pytest.MonkeyPatch, mistake: str
) -> None:
    configure(folder)
    push()
    (folder / "Pulumi.dev.yaml").write_text(CONFIG + mistake, encoding="utf-8")
    (folder / "\u6771\u4eac.py").touch()
    shown = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(shown, encoding="cp1252"))

    assert main(["diff", "--markdown"]) == (1 if mistake else 0)
    assert "\u6771\u4eac" in shown.getvalue().decode()


def test_where_nobody_may_make_a_link_that_is_said(
    capsys: pytest.CaptureFixture[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on Windows."""

    def refuse(*_: object) -> None:
        raise OSError("a privilege is missing")

    configure(folder)
    (folder / "link").symlink_to("Pulumi.yaml")
    push()
    monkeypatch.setattr(Path, "symlink_to", refuse)

    assert main(["diff"]) == 1
    assert capsys.readouterr().err == "error: link was a link, and none can be made here: a privilege is missing\n"


def test_a_path_out_of_the_copy_is_an_error(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    configure(folder)
    push()
    blob = git("rev-parse", "HEAD:Pulumi.yaml")
    tree = subprocess.run(
        ["git", "mktree"], input=f"100644 blob {blob}\t..\n", check=True, capture_output=True, text=True
    ).stdout.strip()
    evil = git("commit-tree", tree, "-m", "evil")

    assert main(["diff", "--base", evil]) == 1
    assert capsys.readouterr().err == f"error: in {evil[:12]} there is a file with the path '..'\n"


def test_a_program_that_does_not_come_to_an_end_is_no_comparison(
    capsys: pytest.CaptureFixture[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither in the working tree nor in the base, whose mistakes alone do not stop it."""
    program = folder / "__main__.py"
    text = program.read_text()

    def record_or_die(program: Program) -> Recording:
        if Path(program.path).read_text() != text:
            raise CommandError("the program was stopped")
        return record(program)

    configure(folder)
    push()
    monkeypatch.setattr("private_pypi.cli.process.recorder_process", lambda: nullcontext(record_or_die))
    program.write_text("")
    assert main(["diff", "--exit-code"]) == 1
    assert capsys.readouterr().err == "error: the program was stopped\n"
    push()
    program.write_text(text)
    assert main(["diff", "--exit-code"]) == 1
    assert capsys.readouterr().err == "error: the program was stopped\n"


def test_without_a_base_it_stops(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    assert main(["diff", "--exit-code"]) == 1
    assert capsys.readouterr().err.startswith("error: git rev-parse --verify --end-of-options HEAD^{commit}: fatal: ")
    configure(folder)
    commit()

    assert main(["diff", "--exit-code"]) == 1
    beginning = "error: where the branch began cannot be told without origin/HEAD: "
    fix = "name what to compare with: `--base REVISION`\n"
    assert capsys.readouterr().err == f"{beginning}{fix}"
    shallow = folder.parent / "shallow"
    commit_all = git("commit-tree", "HEAD^{tree}", "-p", "HEAD", "-m", "later")
    git("update-ref", "HEAD", commit_all)
    git("clone", "--quiet", "--depth", "1", f"file://{folder}", str(shallow))
    git("-C", str(shallow), "remote", "set-head", "origin", "--delete")
    os.chdir(shallow)
    assert main(["diff", "--exit-code"]) == 1
    assert capsys.readouterr().err == (f"{beginning}this clone is shallow: `git fetch --unshallow`. Or {fix}")


def test_a_mistake_of_the_base_can_be_mended(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    configure(folder, "  private-pypi:readers: ['`arn`']\n")
    push()
    configure(folder, f"  private-pypi:readers: [{API}]\n")

    assert main(["diff", "--exit-code"]) == 2
    printed = capsys.readouterr().out
    assert section(printed, "The base has mistakes")[2].startswith("  private-pypi:readers[0]: got '`arn`'")
    assert section(printed, "Who gains") == [API, "  install"]
    assert main(["diff", "--exit-code", "--markdown"]) == 2
    assert "\n  - ``private-pypi:readers[0]: got '`arn`'``\n" in capsys.readouterr().out
    (folder / "Pulumi.dev.yaml").unlink()
    assert main(["diff", "--exit-code"]) == 2
    printed = capsys.readouterr().out
    assert section(printed, "The base has mistakes")
    assert section(printed, "What can be lost")[0].startswith("The stack dev has no stack file any more.")


def test_names_are_read_byte_for_byte(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    configure(folder)
    push()
    for name in (b"Pulumi.\xff.yaml", b"Pulumi.a\nb.yaml", b'"q".py'):
        (folder / os.fsdecode(name)).touch()

    assert main(["diff", "--exit-code"]) == 2
    assert section(capsys.readouterr().out, FILES)[1:] == [
        '  "q".py (new)',
        "  'Pulumi.a\\nb.yaml' (new)",
        "  'Pulumi.\\udcff.yaml' (new)",
    ]


def test_a_file_that_git_lost_is_an_error(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    configure(folder)
    push()
    name = git("rev-parse", "HEAD:Pulumi.dev.yaml")
    (folder / ".git/objects" / name[:2] / name[2:]).unlink()

    assert main(["diff"]) == 1
    assert capsys.readouterr().err == f"error: git has no file {name}: missing\n"
