"""Set up .venv with what lock files pin, and with the project itself: `python3 tools/install.py LOCK...`.

The Makefile's targets begin with it. It needs nothing but Python, is quick where there is nothing to do, and never
leaves less than there was: what is installed already stays until pip has downloaded everything.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path

# The linter takes it that no older Python runs this.
if sys.version_info < (3, 11):  # noqa: UP036
    sys.exit("Python 3.11 or newer is needed; name one: make PYTHON=python3.11")

ROOT = Path(__file__).resolve().parents[1]
VENV = ROOT / ".venv"
OLD = ROOT / ".venv.old"
BUSY = ROOT / ".venv.lock"
PROJECT = "pyproject.toml"

INSTALLED = VENV / "installed.json"
"""What .venv was made from. Missing where an installation was broken off."""

# The base installation's, where it runs in a virtual environment: .venv's own moves away with it.
PYTHON = str(getattr(sys, "_base_executable", sys.executable))

PIP_INSTALL = (
    *("-m", "pip", "--disable-pip-version-check", "--no-input", "--quiet"),
    # Neither PIP_ variables nor the user's pip.conf are read: their index may be a private one, which has not got the
    # pins. The machine's pip.conf is, and the file that PIP_CONFIG_FILE names.
    "--isolated",
    "install",
    "--no-compile",  # what is imported is compiled then, and most never is
    # Settings of a pip.conf that would install elsewhere, or build what there is a wheel of.
    *("--no-user", "--target=", "--no-binary=:none:"),
)

NETWORK = ("cert", "client-cert", "default-timeout", "proxy", "retries", "timeout")
"""The options that say how to reach an index and not which: their PIP_ variables count."""

FAILED = """\
.venv could not be set up; what was installed before is still there. pip asked PyPI, or the index that this machine's \
pip.conf names. If yours is named elsewhere, put it into a file: PIP_CONFIG_FILE=FILE make install"""


def main(locks: list[str]) -> None:
    """Install what is missing, and make .venv anew where it is another Python's or holds what is no longer pinned."""
    wanted = {
        "python": f"{os.path.realpath(PYTHON)} {sys.implementation.cache_tag}",
        "folder": str(ROOT),
        **{name: hashlib.sha256((ROOT / name).read_bytes()).hexdigest() for name in (*locks, PROJECT)},
    }
    with _alone():
        _keep_the_finished()
        installed = _read_installed()
        if wanted.items() <= installed.items():
            return
        try:
            outdated = any(installed.get(name, value) != value for name, value in wanted.items() if name != PROJECT)
            if outdated or not installed:
                _begin_anew()
                installed = {}
            missing = [lock for lock in locks if lock not in installed]
            _install(missing, project=installed.get(PROJECT) != wanted[PROJECT])
            INSTALLED.write_text(json.dumps(installed | wanted, indent=2))
        finally:
            _keep_the_finished()


@contextlib.contextmanager
def _alone() -> Generator[None]:
    """Wait until no other run of this script is at work in the folder."""
    with BUSY.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            print("Waiting for another command that sets up .venv.", flush=True)
            fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _read_installed() -> dict[str, str]:
    try:
        return json.loads(INSTALLED.read_text())
    except FileNotFoundError:
        return {}


def _begin_anew() -> None:
    print("Setting up .venv: half a minute or so, this once.", flush=True)
    if os.path.lexists(VENV):
        VENV.rename(OLD)
    if subprocess.run([PYTHON, "-m", "venv", VENV], check=False).returncode:
        sys.exit(f"{PYTHON} could not make a virtual environment.")


def _keep_the_finished() -> None:
    """Of the old .venv and the new one: the new one if it is complete, else the old one."""
    if os.path.lexists(OLD):
        if INSTALLED.exists():
            _remove(OLD)
        else:
            _remove(VENV)
            OLD.rename(VENV)


def _remove(folder: Path) -> None:
    if folder.is_symlink():
        folder.unlink()
    elif folder.exists():
        shutil.rmtree(folder)


def _install(locks: list[str], *, project: bool) -> None:
    """Add to .venv what the locks pin. Until pip installs the first of it, nothing has changed."""
    before = _distributions()
    installed = INSTALLED.read_text() if INSTALLED.exists() else None
    INSTALLED.unlink(missing_ok=True)
    try:
        if locks:
            print(f"Installing what is pinned in {', '.join(locks)}.", flush=True)
            _pip("--require-hashes", *(f"--requirement={lock}" for lock in locks))
        if project:
            _pip("--no-deps", "--no-build-isolation", "--editable", ".")
    finally:
        if installed and _distributions() == before:
            INSTALLED.write_text(installed)


def _distributions() -> set[Path]:
    return {*VENV.glob("lib/*/site-packages/*.dist-info")}


def _pip(*arguments: str) -> None:
    variables = {option: os.environ.get(f"PIP_{option.replace('-', '_').upper()}") for option in NETWORK}
    network = [f"--{option}={value}" for option, value in variables.items() if value]
    command = [VENV / "bin/python", "-I", *PIP_INSTALL, *network, *arguments]
    if subprocess.run(command, cwd=ROOT, check=False).returncode:
        sys.exit(FAILED)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except KeyboardInterrupt:
        sys.exit(130)
