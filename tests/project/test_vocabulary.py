"""The words of the project: those that its pages, messages and code once had for a thing that has one name now."""

import re
import subprocess

from pages import ROOT

# What each has become: safeguard, covers, covered by, except for, fix, expected, "cannot be read", "not available".
OLD = re.compile(
    r"\b(doors?|taken[ _]in[ _]by|takes_in|but[ _]for|mend(s|ed|ing)?|has_secrets|stand_ins|not to be had|"
    r"not for you to read)\b",
    re.IGNORECASE,
)
NOT_PROSE = re.compile(r"(requirements.*\.txt|\.svg|LICENSE|/reference/.*\.json|test_vocabulary\.py)$")


def tracked() -> list[str]:
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [name for name in files.stdout.split("\0") if name and not NOT_PROSE.search(name)]


def test_a_thing_has_one_name() -> None:
    found = [
        f"{name}:{number}: {match[0]}"
        for name in tracked()
        for number, line in enumerate((ROOT / name).read_text(errors="replace").splitlines(), start=1)
        if (match := OLD.search(line))
    ]

    assert found == []
