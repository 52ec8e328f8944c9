"""The workflow that reviews access: its steps run as they are in a new repository, with a `gh` that keeps its calls."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from mocks import ROOT

WORKFLOW = yaml.safe_load((ROOT / "examples/own-repository/.github/workflows/access.yml").read_text())
JOBS: dict[str, dict[str, Any]] = WORKFLOW["jobs"]
API = "arn:aws:iam::111122223333:role/service/api"
CONFIG = """\
config:
  aws:region: us-west-2
  aws:allowedAccountIds: ["111122223333"]
  private-pypi:domain: acme
"""


def evaluated(text: str, context: Mapping[str, str]) -> str:
    """What GitHub makes of the expressions in a value: the first operand of each that is not empty."""

    def value(expression: re.Match[str]) -> str:
        operands = expression[1].split(" || ")
        values = [each[1:-1] if each.startswith("'") else context.get(each, "") for each in operands]
        return next(filter(None, values), "")

    return re.sub(r"\$\{\{ (.*?) \}\}", value, text)


def run_step(
    job: str, name: str, folder: Path, context: Mapping[str, str], path: str = os.environ["PATH"]
) -> subprocess.CompletedProcess[str]:
    """Run a step as GitHub does. The files for outputs and summary, and the temporary one, are in `folder`.temp."""
    (found,) = [each for each in JOBS[job]["steps"] if each.get("name") == name]
    assert found["shell"] == "python"
    temporary = folder.with_suffix(".temp")
    temporary.mkdir(exist_ok=True)
    (temporary / "step.py").write_text(found["run"])
    environment = {
        "GITHUB_OUTPUT": str(temporary / "output"),
        "GITHUB_REPOSITORY": "acme/pypi",
        "GITHUB_STEP_SUMMARY": str(temporary / "summary"),
        "PATH": path,
        "RUNNER_TEMP": str(temporary),
    }
    context = {"github.repository": "acme/pypi", **context}
    named = {key: evaluated(value, context) for key, value in (WORKFLOW["env"] | found.get("env", {})).items()}
    return subprocess.run(
        [sys.executable, temporary / "step.py"],
        cwd=folder,
        env=os.environ | environment | named,
        capture_output=True,
        text=True,
        check=False,
    )


def written(folder: Path, name: str) -> str:
    return (folder.with_suffix(".temp") / name).read_text()


def comments(folder: Path) -> dict[str, str]:
    return {each.name: each.read_text() for each in (folder.with_suffix(".temp") / "comments").iterdir()}


# -- The repository --------------------------------------------------------------------------------------------------


def git(folder: Path, *arguments: str) -> str:
    who = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com", "-c", "commit.gpgsign=false"]
    command = ["git", *who, *arguments]
    return subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True).stdout.strip()


def commit(folder: Path) -> str:
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "--message", "A change")
    return git(folder, "rev-parse", "HEAD")


def pull_request(folder: Path) -> dict[str, str]:
    """The context of a pull request from what is checked out."""
    head = git(folder, "rev-parse", "HEAD")
    return {
        "github.event.pull_request.head.sha": head,
        "github.event.pull_request.number": "7",
        "github.sha": "the commit that would merge it",
    }


def queued(folder: Path, base: str) -> dict[str, str]:
    """The context of pull request 7 in a merge queue, behind `base`."""
    return {
        "github.event.merge_group.base_sha": base,
        "github.event.merge_group.head_ref": f"refs/heads/gh-readonly-queue/main/pr-7-{base}",
        "github.sha": git(folder, "rev-parse", "HEAD"),
    }


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A clone with one stack and a program, on a branch that has nothing yet."""
    folder = tmp_path / "repository"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch", "main")
    for name in ("Pulumi.yaml", "__main__.py"):
        shutil.copy(ROOT / name, folder)
    (folder / ".gitignore").write_text(".venv\n")
    (folder / "Pulumi.dev.yaml").write_text(CONFIG)
    git(folder, "update-ref", "refs/remotes/origin/main", commit(folder))
    git(folder, "switch", "--quiet", "--create", "pull")
    return folder


# -- Compare ---------------------------------------------------------------------------------------------------------


def compare(folder: Path, context: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    shutil.rmtree(folder.with_suffix(".temp"), ignore_errors=True)
    return run_step("compare", "Compare every stack", folder, context)


def test_every_stack_of_both_sides_is_compared(repository: Path) -> None:
    (repository / ".venv").symlink_to(ROOT / ".venv")
    (repository / "Pulumi.test.yaml").write_text(CONFIG)
    git(repository, "update-ref", "refs/remotes/origin/main", commit(repository))
    (repository / "Pulumi.test.yaml").unlink()
    (repository / "Pulumi.dev.yaml").write_text(f"{CONFIG}  private-pypi:readers: [{API}]\n")
    (repository / "Pulumi.--help.yaml").write_text(f"{CONFIG}  private-pypi:readers: [arn]\n")
    commit(repository)
    finished = compare(repository, pull_request(repository))

    assert finished.returncode == 1, finished.stderr
    assert written(repository, "output") == "needs_approval=true\n"
    made = comments(repository)
    assert made.keys() == {"--help.md", "dev.md", "test.md"}
    assert "private-pypi:readers[0]: got 'arn'" in made["--help.md"]
    assert f"### Who gains\n\n- `{API}`\n  - install\n" in made["dev.md"]
    assert "## `test`: what changes\n" in made["test.md"]
    assert written(repository, "summary") == "".join(made[each] for each in sorted(made))


def test_what_is_harmless_alone_is_compared_behind_what_is_ahead_in_the_queue(repository: Path) -> None:
    """The one takes a pattern away, the other lists a role that it covers: together that role gains."""
    (repository / ".venv").symlink_to(ROOT / ".venv")
    stack = repository / "Pulumi.dev.yaml"
    every_ci, one_ci = "arn:aws:iam::111122223333:role/ci-*", "arn:aws:iam::111122223333:role/ci-old"

    def readers(*principals: str) -> str:
        stack.write_text(f"{CONFIG}  private-pypi:readers: {json.dumps([API, *principals])}\n")
        return commit(repository)

    main = readers(every_ci)
    git(repository, "update-ref", "refs/remotes/origin/main", main)
    first = readers()
    assert compare(repository, pull_request(repository)).returncode == 0
    assert written(repository, "output") == "needs_approval=false\n"
    git(repository, "switch", "--quiet", "--detach", main)
    readers(every_ci, one_ci)
    assert compare(repository, pull_request(repository)).returncode == 0
    assert written(repository, "output") == "needs_approval=false\n"

    git(repository, "switch", "--quiet", "--detach", first)
    readers(one_ci)
    assert compare(repository, queued(repository, base=first)).returncode == 0
    assert written(repository, "output") == "needs_approval=true\n"
    assert f"### Who gains\n\n- `{one_ci}`\n" in comments(repository)["dev.md"]


@pytest.fixture
def command(repository: Path) -> Path:
    """A repository with a command that ends with the status in the stack's name, or by a signal; others pass."""
    file = repository / ".venv/bin/private-pypi"
    file.parent.mkdir(parents=True)
    file.write_text(f"""\
#!{sys.executable}
import os, sys
*options, stack = sys.argv[1:]
print(*options, stack)
print("::set-output name=needs_approval::false\\n##[set-output name=needs_approval]false", file=sys.stderr, flush=True)
status = int(stack.removeprefix("exit-")) if stack.startswith("exit-") else 0
sys.exit(status) if status < 128 else os.kill(os.getpid(), status - 128)
""")
    file.chmod(0o755)
    return repository


@pytest.mark.parametrize(
    ("stacks", "needs_approval", "passes"),
    [
        (["dev"], "false", True),
        (["dev", "prod"], "false", True),
        (["dev", "exit-2"], "true", True),
        (["exit-1", "zone"], "true", False),
        (["exit-3", "zone"], "true", False),
        (["exit-139", "zone"], "true", False),
        (["exit-2", "exit-137", "zone"], "true", False),
        ([], "true", False),
    ],
)
def test_only_status_0_of_every_stack_needs_no_approval(
    command: Path, stacks: list[str], needs_approval: str, *, passes: bool
) -> None:
    (command / "Pulumi.dev.yaml").unlink()
    git(command, "update-ref", "refs/remotes/origin/main", commit(command))
    for each in stacks:
        (command / f"Pulumi.{each}.yaml").touch()
    commit(command)
    finished = compare(command, pull_request(command))

    assert finished.returncode == (0 if passes else 1), finished.stderr
    assert written(command, "output") == f"needs_approval={needs_approval}\n"
    assert comments(command).keys() == {f"{each}.md" for each in stacks}


def test_what_the_command_says_is_no_command_to_the_runner(command: Path) -> None:
    commit(command)
    first, stop, *said, _, resume = compare(command, pull_request(command)).stdout.splitlines()

    assert first == "Stack dev: status 0"
    token = re.fullmatch("::stop-commands::([0-9a-f]{64})", stop)
    assert token
    assert said == ["::set-output name=needs_approval::false", "##[set-output name=needs_approval]false"]
    assert resume == f"::{token[1]}::"


ODD_NAMES = (
    "Pulumi.a b.yaml",
    "Pulumi.$(touch odd).yaml",
    "Pulumi.line\nPulumi.other.yaml",
    "Pulumi.other.yaml\n",
    "\nPulumi.other.yaml",
    "Pulumi.d\u00e9v.yaml",
    os.fsdecode(b"Pulumi.\xff.yaml"),
    "Pulumi.'\".yaml",
    "Pulumi.other.yaml.orig",
    "pulumi.other.yaml",
)


def test_only_names_that_a_stack_can_have_are_compared(command: Path) -> None:
    for each in (*ODD_NAMES, "Pulumi.eu-west_1.prod.yaml", "Pulumi.-h.yaml", "Pulumi....yaml"):
        (command / each).touch()
    commit(command)
    base = git(command, "rev-parse", "refs/remotes/origin/main")

    assert compare(command, pull_request(command)).returncode == 0
    assert comments(command) == {
        f"{stack}.md": f"diff --base {base} --markdown --exit-code -- {stack}\n"
        for stack in ("-h", "..", "dev", "eu-west_1.prod")
    }
    assert not (command / "odd").exists()


# -- Comment ---------------------------------------------------------------------------------------------------------

GH = f"""\
#!{sys.executable}
import json, os, pathlib, sys
log = pathlib.Path(__file__).with_name("log")
*_, path = [each for each in sys.argv if each.startswith("repos/")]
body = pathlib.Path("body.md").read_text() if "--method" in sys.argv else None
log.write_text(json.dumps([*json.loads(log.read_text()), [*sys.argv[1:], body]]))
answers = json.loads(pathlib.Path(__file__).with_name("answers").read_text())
path = path.removeprefix("repos/acme/pypi/")
sys.exit("gh: Not Found (HTTP 404)") if body is None and path not in answers else print(json.dumps(answers.get(path)))
"""


@pytest.fixture
def gh(tmp_path: Path) -> Callable[[Mapping[str, object]], str]:
    """Makes a `gh` that has pages of answers, by path. Where it is found first is what this returns."""

    def made(answers: Mapping[str, object]) -> str:
        folder = tmp_path / "bin"
        folder.mkdir(exist_ok=True)
        (folder / "gh").write_text(GH)
        (folder / "gh").chmod(0o755)
        (folder / "log").write_text("[]")
        (folder / "answers").write_text(json.dumps(answers))
        return f"{folder}{os.pathsep}{os.environ['PATH']}"

    return made


def test_a_stack_has_one_comment_which_is_updated(tmp_path: Path, gh: Callable[[Mapping[str, object]], str]) -> None:
    def comment(number: int, login: str | None, body: str) -> dict[str, object]:
        return {"id": number, "user": login and {"login": login}, "body": body}

    somebody = comment(1, "mallory", "<!-- private-pypi dev -->\nforged")
    nobody = comment(2, None, "<!-- private-pypi dev -->\nof an account that was deleted")
    other = comment(3, "github-actions[bot]", "<!-- private-pypi dev2 -->\nother")
    ours = comment(4, "github-actions[bot]", "<!-- private-pypi dev -->\nbefore")
    folder = tmp_path / "workspace"
    (folder / "comments").mkdir(parents=True)
    for name, text in (("dev", "now\n\nNothing changes.\n"), ("prod", "changes\n"), ("test", "\nNothing changes.\n")):
        (folder / f"comments/{name}.md").write_text(text)
    finished = run_step(
        "comment",
        "Post one comment for each stack, or update it",
        folder,
        {"github.event.pull_request.number": "7", "github.event.pull_request.head.sha": "4f1c2ab"},
        gh({"issues/7/comments": [[somebody, nobody, other], [ours]]}),
    )

    assert finished.returncode == 0, finished.stderr
    listed, *posted = json.loads((tmp_path / "bin/log").read_text())
    assert listed == ["api", "--paginate", "--slurp", "repos/acme/pypi/issues/7/comments", None]
    said = "What the program says of itself in 4f1c2ab:\n\n"
    assert [(*call[1:4], call[-1]) for call in posted] == [
        (
            "--method",
            "PATCH",
            "repos/acme/pypi/issues/comments/4",
            f"<!-- private-pypi dev -->\n{said}now\n\nNothing changes.\n",
        ),
        ("--method", "POST", "repos/acme/pypi/issues/7/comments", f"<!-- private-pypi prod -->\n{said}changes\n"),
    ]
    assert all(call[4:-1] == ["--field", "body=@body.md"] for call in posted)


# -- Two approvals ---------------------------------------------------------------------------------------------------

HARMLESS = "The comparison asks for no second approval, and nothing but stack files changes.\n"
Approve = Callable[..., subprocess.CompletedProcess[str]]


def missing(approvals: int) -> str:
    return (
        f"This change needs two approvals of its last commit, and has {approvals}.\n"
        "Those of people with write access count. After the second one, run this job again.\n"
    )


@pytest.fixture
def approve(gh: Callable[[Mapping[str, object]], str]) -> Approve:
    """Runs the job's step; without `answers` nobody has approved."""

    def run(
        folder: Path,
        context: Mapping[str, str],
        needs_approval: str = "false",
        answers: Mapping[str, object] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        return run_step(
            "approve",
            "Ask for a second approval where access is given",
            folder,
            {"needs.compare.outputs.needs_approval": needs_approval, **context},
            gh({"pulls/7/reviews": [[]]} if answers is None else answers),
        )

    return run


def edit(folder: Path, name: str = "Pulumi.dev.yaml") -> None:
    path = folder / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(f"{path.read_text() if path.exists() else ''}# edited\n")


def many(folder: Path) -> None:
    """More files than GitHub lists of a pull request, which are 3,000."""
    for number in range(3001):
        (folder / f"Pulumi.stack{number}.yaml").touch()


def many_and_the_program(folder: Path) -> None:
    many(folder)
    edit(folder, "zone.py")


def move(name: str, to: str) -> Callable[[Path], object]:
    return lambda folder: (folder / name).rename(folder / to)


def link(folder: Path) -> None:
    (folder / "Pulumi.prod.yaml").symlink_to("Pulumi.dev.yaml")


def submodule(folder: Path) -> None:
    git(folder, "init", "--quiet", "Pulumi.prod.yaml")
    commit(folder / "Pulumi.prod.yaml")


@pytest.mark.parametrize(
    "change",
    [
        edit,
        lambda folder: edit(folder, "Pulumi.eu-west.prod.yaml"),
        lambda folder: (folder / "Pulumi.dev.yaml").unlink(),
        move("Pulumi.dev.yaml", "Pulumi.test.yaml"),
        many,
    ],
)
def test_a_change_of_stack_files_is_taken_at_its_word(
    repository: Path, approve: Approve, change: Callable[[Path], object]
) -> None:
    change(repository)
    commit(repository)
    finished = approve(repository, pull_request(repository))

    assert (finished.returncode, finished.stdout, finished.stderr) == (0, HARMLESS, "")


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: edit(folder, "Pulumi.yaml"),
        lambda folder: edit(folder, "private_pypi/policies.py"),
        lambda folder: edit(folder, "evil/Pulumi.dev.yaml"),
        lambda folder: (folder / "__main__.py").unlink(),
        move("__main__.py", "Pulumi.prod.yaml"),
        lambda folder: (folder / "Pulumi.dev.yaml").chmod(0o755),
        link,
        submodule,
        many_and_the_program,
        Path.is_dir,  # which changes nothing
        *(lambda folder, name=name: edit(folder, name) for name in ODD_NAMES),
    ],
)
def test_any_other_change_needs_two_approvals(
    repository: Path, approve: Approve, change: Callable[[Path], object]
) -> None:
    change(repository)
    commit(repository)
    finished = approve(repository, pull_request(repository))

    assert (finished.returncode, finished.stdout, finished.stderr) == (1, missing(0), "")


@pytest.mark.parametrize("needs_approval", ["", "true", "False"])
def test_only_an_explicit_false_needs_no_approval(repository: Path, approve: Approve, needs_approval: str) -> None:
    edit(repository)
    commit(repository)
    finished = approve(repository, pull_request(repository), needs_approval)

    assert (finished.returncode, finished.stdout, finished.stderr) == (1, missing(0), "")


def test_what_main_has_got_since_is_no_change_of_the_branch(repository: Path, approve: Approve) -> None:
    edit(repository)
    head = commit(repository)
    git(repository, "switch", "--quiet", "main")
    edit(repository, "program.py")
    git(repository, "update-ref", "refs/remotes/origin/main", commit(repository))
    git(repository, "switch", "--quiet", "--detach", head)

    assert approve(repository, pull_request(repository)).returncode == 0


def test_a_branch_is_compared_with_main_whatever_base_it_has(repository: Path, approve: Approve) -> None:
    edit(repository, "program.py")
    git(repository, "update-ref", "refs/remotes/origin/other", commit(repository))
    edit(repository)
    commit(repository)

    assert approve(repository, pull_request(repository) | {"github.base_ref": "other"}).stdout == missing(0)


@pytest.mark.parametrize("ref", ["refs/tags/origin/main", "refs/heads/origin/main", "refs/tags/HEAD"])
def test_no_other_ref_is_taken_for_main(repository: Path, approve: Approve, ref: str) -> None:
    edit(repository, "program.py")
    git(repository, "update-ref", ref, commit(repository))
    edit(repository)
    commit(repository)

    assert approve(repository, pull_request(repository)).stdout == missing(0)


def test_a_branch_that_has_no_commit_of_main_fails(repository: Path, approve: Approve) -> None:
    git(repository, "switch", "--quiet", "--orphan", "unrelated")
    edit(repository)
    commit(repository)
    finished = approve(repository, pull_request(repository))

    assert (finished.returncode, finished.stdout) == (1, "")


@pytest.mark.parametrize(("name", "status"), [("pypi/Pulumi.dev.yaml", 0), ("pypi/x.py", 1), ("Pulumi.dev.yaml", 1)])
def test_the_project_may_be_in_a_folder(
    command: Path, approve: Approve, monkeypatch: pytest.MonkeyPatch, name: str, status: int
) -> None:
    """With the two changes that the page asks for: the first job works there, the last one takes stack files there."""
    project = command / "pypi"
    project.mkdir()
    for each in (".venv", "Pulumi.yaml", "__main__.py", "Pulumi.dev.yaml"):
        (command / each).rename(project / each)
    git(command, "update-ref", "refs/remotes/origin/main", commit(command))
    edit(command, name)
    commit(command)
    *_, last = JOBS["approve"]["steps"]
    monkeypatch.setitem(last, "run", last["run"].replace("\\tPulumi", "\\tpypi/Pulumi"))

    assert compare(project, pull_request(command)).returncode == 0
    assert comments(project).keys() == {"dev.md"}
    assert approve(command, pull_request(command)).returncode == status


def review(login: str, state: str = "APPROVED", commit: str = "head", kind: str = "User") -> dict[str, object]:
    association = "COLLABORATOR"  # also of whoever may only read
    return {
        "user": {"login": login, "type": kind},
        "state": state,
        "commit_id": commit,
        "author_association": association,
    }


ADA, BOB = review("ada"), review("bob")
PERMISSIONS = {"ada": "admin", "bob": "write", "eve": "read", "mallory": "none", "helper[bot]": "write"}


@pytest.mark.parametrize(
    ("reviews", "approvals"),
    [
        ([], 0),
        ([ADA], 1),
        ([ADA, BOB], 2),
        ([ADA, ADA], 1),
        ([ADA, BOB, review("bob", "COMMENTED")], 2),
        ([ADA, BOB, review("bob", "CHANGES_REQUESTED")], 1),
        ([ADA, BOB, review("bob", "DISMISSED")], 1),
        ([ADA, review("bob", commit="before")], 1),
        ([ADA, review("bob", commit="before"), BOB], 2),
        ([ADA, review("eve")], 1),
        ([ADA, review("mallory")], 1),
        ([ADA, review("helper[bot]", kind="Bot")], 1),
        ([ADA, BOB | {"user": None}], 1),
    ],
)
@pytest.mark.parametrize("is_queued", [False, True])
def test_two_people_who_can_write_approve_the_commit_that_is_checked(
    repository: Path, approve: Approve, reviews: list[Any], approvals: int, *, is_queued: bool
) -> None:
    edit(repository)
    head = commit(repository)
    reviews = [each | {"commit_id": each["commit_id"].replace("head", head)} for each in reviews]
    answers: dict[str, object] = {
        f"collaborators/{login}/permission": [{"permission": permission, "role_name": "custom"}]
        for login, permission in PERMISSIONS.items()
    }
    answers["pulls/7/reviews"] = [[], reviews[:1], reviews[1:]]
    context = pull_request(repository)
    if is_queued:
        answers["pulls/7"] = [{"head": {"sha": head}}]
        git(repository, "commit", "--quiet", "--amend", "--message", "The branch, squashed by the queue")
        context = queued(repository, base=git(repository, "rev-parse", "main"))
    finished = approve(repository, context, "true", answers)

    assert (finished.stdout, finished.stderr) == (missing(approvals), "")
    assert finished.returncode == (0 if approvals == 2 else 1)


def test_an_approval_of_what_was_pushed_since_is_none_of_the_commit_that_is_checked(
    repository: Path, approve: Approve
) -> None:
    """A job that runs again still has the commit of its own run."""
    edit(repository, "program.py")
    commit(repository)
    answers = {"pulls/7": [{"head": {"sha": "head"}}], "pulls/7/reviews": [[ADA, BOB]]}

    assert approve(repository, pull_request(repository), "true", answers).stdout == missing(0)


@pytest.mark.parametrize("answers", [{}, {"pulls/7/reviews": [[ADA, BOB]]}])
def test_what_github_does_not_answer_fails(
    repository: Path, approve: Approve, answers: Mapping[str, list[list[dict[str, Any]]]]
) -> None:
    edit(repository)
    head = commit(repository)
    answers = {
        path: [[each | {"commit_id": head} for each in page] for page in pages] for path, pages in answers.items()
    }
    finished = approve(repository, pull_request(repository), "true", answers)

    assert (finished.returncode, finished.stdout) == (1, "")


# -- The workflow ----------------------------------------------------------------------------------------------------


def test_every_way_to_main_is_checked() -> None:
    assert WORKFLOW[True] == {  # `on`, which is a boolean of YAML 1.1
        "pull_request": {"branches": ["main"], "types": ["opened", "reopened", "synchronize", "edited"]},
        "merge_group": {"branches": ["main"]},
    }


def test_no_required_check_is_skipped() -> None:
    assert {name: job.get("if") for name, job in JOBS.items() if name != "comment"} == {
        "compare": None,
        "approve": "always()",
    }
    assert not any("if" in each for each in JOBS["approve"]["steps"])


def test_what_is_checked_out_is_the_commit_that_the_check_belongs_to() -> None:
    for job in ("compare", "approve"):
        checkout, *_ = JOBS[job]["steps"]
        assert checkout["uses"].startswith("actions/checkout@")
        assert checkout["with"] == {"ref": "${{ env.HEAD_COMMIT }}", "fetch-depth": 0, "persist-credentials": False}


def test_a_token_that_writes_never_meets_what_the_pull_request_has_in_it() -> None:
    assert WORKFLOW["permissions"] == {}
    assert {name: job["permissions"] for name, job in JOBS.items()} == {
        "compare": {"contents": "read"},
        "comment": {"pull-requests": "write"},
        "approve": {"contents": "read", "pull-requests": "read"},
    }
    assert not any("checkout" in each.get("uses", "") for each in JOBS["comment"]["steps"])
    tokens = {name for name, job in JOBS.items() for each in job["steps"] if "github.token" in str(each)}
    assert tokens == {"comment", "approve"}
    for job in ("comment", "approve"):  # each step is an action or Python of its own, beside what it reads
        steps = [each for each in JOBS[job]["steps"] if "run" in each]
        assert [each["shell"] for each in steps] == ["python"]
