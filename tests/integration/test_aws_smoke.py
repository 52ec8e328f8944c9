"""tests/aws/smoke.py, which asks an AWS account what no test can settle: against the endpoint it is known to work."""

import os
import subprocess
import sys

from engine import ACCOUNT, ENVIRONMENT, ROOT, Emulator

KEYS = {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}


def smoke(emulator: Emulator, typed: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, ROOT / "tests/aws/smoke.py"],
        env=ENVIRONMENT | KEYS | {"AWS_ENDPOINT_URL": emulator.endpoint, "HOME": os.environ["HOME"]} | environment,
        input=typed,
        capture_output=True,
        text=True,
        check=False,
    )


def test_it_settles_every_question_and_leaves_nothing_behind(emulator: Emulator) -> None:
    iam = emulator.client("iam")
    before = [each["RoleName"] for each in iam.list_roles()["Roles"]]
    run = smoke(emulator, f"{ACCOUNT}\n")

    assert run.returncode == 0, run.stdout + run.stderr
    rows = [line.strip("| ").split(" | ") for line in run.stdout.splitlines() if line.startswith("| ")][1:]
    assert len(rows) > 20
    assert [row for row in rows if "**NO**" in row] == []
    assert {row[0].partition(":")[0] for row in rows if "not available" in row} == {
        "validate-policy",
        "check-no-new-access",
        "check-no-public-access",
    }
    assert emulator.client("codeartifact").list_domains()["domains"] == []
    assert [each["RoleName"] for each in iam.list_roles()["Roles"]] == before


def test_it_makes_nothing_unless_it_is_told_to_and_never_in_ci(emulator: Emulator) -> None:
    for typed, environment, reason in (
        ("", {}, "Nothing was made."),
        ("yes\n", {}, "Nothing was made."),
        (f"{ACCOUNT}\n", {"CI": "true"}, "This is for a person with an account, not for CI"),
    ):
        run = smoke(emulator, typed, **environment)
        assert run.returncode == 1
        assert reason in run.stderr
    assert emulator.changes() == []
