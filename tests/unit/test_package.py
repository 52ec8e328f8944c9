"""What the package gives to whoever imports it, and when."""

import subprocess
import sys

import pytest

import private_pypi


def test_everything_it_names_is_there() -> None:
    assert {name for name in private_pypi.__all__ if getattr(private_pypi, name).__name__ != name} == set()


def test_it_has_nothing_else() -> None:
    with pytest.raises(AttributeError, match=r"^module 'private_pypi' has no attribute 'anything'$"):
        _ = private_pypi.anything  # pyright: ignore[reportAttributeAccessIssue]


def test_a_command_starts_without_the_pulumi_sdk() -> None:
    """Which takes half of the time that a command takes."""
    program = "import sys, private_pypi.cli.main; sys.exit(bool({'pulumi', 'pulumi_aws', 'botocore'} & {*sys.modules}))"

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
