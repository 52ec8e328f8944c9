"""The workflow of docs/pull-requests.md: its steps run as they are printed there, with a `gh` that keeps its calls."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from mocks import ROOT
from pages import workflows

(WORKFLOW,) = (yaml.safe_load(each) for each in workflows("pull-requests.md"))
API = "arn:aws:iam::111122223333:role/service/api"
CONFIG = """\
config:
  aws:region: us-west-2
  aws:allowedAccountIds: ["111122223333"]
  private-pypi:domain: acme
"""
GH = f"""\
#!{sys.executable}
import json, os, pathlib, sys
log = pathlib.Path(os.environ["GH_LOG"])
*_, path = [each for each in sys.argv if each.startswith("repos/")]
body = pathlib.Path("body.md").read_text() if "--method" in sys.argv else None
log.write_text(json.dumps([*json.loads(log.read_text()), [*sys.argv[1:], body]]))
print(json.dumps(json.loads(os.environ["GH_ANSWERS"]).get(path.rpartition("/")[2], [[]])))
"""


def step(job: str, name: str) -> dict[str, Any]:
    (found,) = [each for each in WORKFLOW["jobs"][job]["steps"] if each.get("name") == name]
    return found


def run_step(job: str, name: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a step as GitHub does, with its file for outputs and summary."""
    found = step(job, name)
    script = folder / "step"
    script.write_text(found["run"])
    command = [sys.executable, script] if found.get("shell") == "python" else ["bash", "-e", script]
    return subprocess.run(
        command, cwd=folder, env=os.environ | environment, capture_output=True, text=True, check=False
    )


def git(folder: Path, *arguments: str) -> None:
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *who, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def merge(tmp_path: Path) -> Path:
    """What GitHub checks out for a pull request that lets a reader in on dev, and adds prod with a mistake."""
    for name in ("__main__.py", "Pulumi.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    (tmp_path / ".venv").symlink_to(ROOT / ".venv")
    (tmp_path / ".gitignore").write_text(".venv\noutput\nstep\nsummary\n")
    for name in ("dev", "test"):
        (tmp_path / f"Pulumi.{name}.yaml").write_text(CONFIG)
    git(tmp_path, "init", "--quiet", "--initial-branch", "main")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message", "The main branch")
    git(tmp_path, "switch", "--quiet", "--create", "pull")
    (tmp_path / "Pulumi.dev.yaml").write_text(f"{CONFIG}  private-pypi:readers: [{API}]\n")
    (tmp_path / "Pulumi.prod.yaml").write_text(f"{CONFIG}  private-pypi:readers: [arn]\n")
    git(tmp_path, "add", "--all")
    git(tmp_path, "commit", "--quiet", "--message", "A pull request")
    git(tmp_path, "switch", "--quiet", "--detach", "main")
    git(tmp_path, "merge", "--quiet", "--no-ff", "--no-edit", "pull")
    return tmp_path


def test_every_stack_of_both_sides_is_compared(merge: Path) -> None:
    files = {"GITHUB_OUTPUT": str(merge / "output"), "GITHUB_STEP_SUMMARY": str(merge / "summary")}
    finished = run_step("compare", "Compare every stack", merge, **files)

    assert finished.returncode == 0, finished.stderr
    assert (merge / "output").read_text() == "needs_approval=true\nmistakes=true\n"
    comments = {each.name: each.read_text() for each in sorted((merge / "comments").iterdir())}
    assert comments.keys() == {"dev.md", "prod.md", "test.md"}
    assert f"### Who gains\n\n- `{API}`\n  - install\n" in comments["dev.md"]
    assert "private-pypi:readers[0]: got 'arn'" in comments["prod.md"]
    assert comments["test.md"].endswith("\nNothing changes.\n")
    assert (merge / "summary").read_text() == "".join(comments.values())


def gh(folder: Path, **answers: object) -> Mapping[str, str]:
    """The environment of a step that finds a `gh` with these answers, by the last part of the path."""
    command = folder / "bin/gh"
    command.parent.mkdir()
    command.write_text(GH)
    command.chmod(0o755)
    (folder / "log").write_text("[]")
    path = f"{command.parent}{os.pathsep}{os.environ['PATH']}"
    return {"PATH": path, "GH_LOG": str(folder / "log"), "GH_ANSWERS": json.dumps(answers)}


def called(folder: Path) -> list[list[str]]:
    return json.loads((folder / "log").read_text())


def test_a_stack_has_one_comment_which_is_updated(tmp_path: Path) -> None:
    def comment(number: int, login: str, body: str) -> dict[str, object]:
        return {"id": number, "user": {"login": login}, "body": body}

    somebody = comment(1, "mallory", "<!-- private-pypi dev -->\nforged")
    other = comment(2, "github-actions[bot]", "<!-- private-pypi dev2 -->\nother")
    ours = comment(3, "github-actions[bot]", "<!-- private-pypi dev -->\nbefore")
    (tmp_path / "comments").mkdir()
    for name, text in (("dev", "now\n\nNothing changes.\n"), ("prod", "changes\n"), ("test", "\nNothing changes.\n")):
        (tmp_path / f"comments/{name}.md").write_text(text)
    environment = gh(tmp_path, comments=[[somebody, other], [ours]])
    finished = run_step(
        "comment",
        "Post one comment for each stack, or update it",
        tmp_path,
        COMMENTS="repos/acme/pypi/issues",
        NUMBER="7",
        **environment,
    )

    assert finished.returncode == 0, finished.stderr
    listed, *written = called(tmp_path)
    assert listed == ["api", "--paginate", "--slurp", "repos/acme/pypi/issues/7/comments", None]
    assert [(*call[1:4], call[-1]) for call in written] == [
        (
            "--method",
            "PATCH",
            "repos/acme/pypi/issues/comments/3",
            "<!-- private-pypi dev -->\nnow\n\nNothing changes.\n",
        ),
        ("--method", "POST", "repos/acme/pypi/issues/7/comments", "<!-- private-pypi prod -->\nchanges\n"),
    ]
    assert all(call[4:-1] == ["--field", "body=@body.md"] for call in written)


def review(login: str, state: str = "APPROVED", commit: str = "head", association: str = "MEMBER") -> dict[str, object]:
    return {"user": {"login": login}, "state": state, "commit_id": commit, "author_association": association}


ADA, BOB = review("ada"), review("bob")


@pytest.mark.parametrize(
    ("needs_approval", "files", "reviews", "approvals"),
    [
        ("", ["Pulumi.dev.yaml"], [], None),
        ("", ["Pulumi.dev.yaml", "Pulumi.eu-west.prod.yaml"], [], None),
        ("", ["Pulumi.yaml"], [ADA], 1),
        ("", ["private_pypi/policies.py"], [], 0),
        ("", ["evil/Pulumi.dev.yaml"], [], 0),
        ("true", ["Pulumi.dev.yaml"], [ADA], 1),
        ("true", ["Pulumi.dev.yaml"], [ADA, BOB], 2),
        ("true", ["Pulumi.dev.yaml"], [ADA, ADA], 1),
        ("true", ["Pulumi.dev.yaml"], [ADA, BOB, review("bob", "COMMENTED")], 2),
        ("true", ["Pulumi.dev.yaml"], [ADA, BOB, review("bob", "CHANGES_REQUESTED")], 1),
        ("true", ["Pulumi.dev.yaml"], [ADA, BOB, review("bob", "DISMISSED")], 1),
        ("true", ["Pulumi.dev.yaml"], [ADA, review("bob", commit="before")], 1),
        ("true", ["Pulumi.dev.yaml"], [ADA, review("mallory", association="CONTRIBUTOR")], 1),
    ],
)
def test_where_access_is_given_two_people_approve(
    tmp_path: Path, needs_approval: str, files: list[str], reviews: list[object], approvals: int | None
) -> None:
    environment = gh(tmp_path, files=[[{"filename": each}] for each in files], reviews=[[], reviews])
    finished = run_step(
        "approve",
        "Ask for a second approval where access is given",
        tmp_path,
        PULL_REQUEST="repos/acme/pypi/pulls/7",
        HEAD="head",
        NEEDS_APPROVAL=needs_approval,
        **environment,
    )

    said = "Nobody gains access, nothing opens and nothing can be lost.\n"
    if approvals is not None:
        said = (
            f"This change needs two approvals of its last commit, and has {approvals}.\n"
            "After the second one, run this job again.\n"
        )
    assert (finished.stdout, finished.stderr) == (said, "")
    assert finished.returncode == (0 if approvals in {None, 2} else 1)


def test_a_token_that_writes_never_meets_what_the_pull_request_has_in_it() -> None:
    permissions = {name: job["permissions"] for name, job in WORKFLOW["jobs"].items()}

    assert WORKFLOW["permissions"] == {}
    assert permissions == {
        "compare": {"contents": "read"},
        "comment": {"pull-requests": "write"},
        "approve": {"pull-requests": "read"},
    }
    for name in ("comment", "approve"):
        assert not any("checkout" in each.get("uses", "") for each in WORKFLOW["jobs"][name]["steps"])
