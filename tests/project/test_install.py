"""tools/install.py, first with stand-ins for venv and pip, and at the end as `make` runs it, with the real ones."""

import fcntl
import importlib.util
import os
import shutil
import subprocess
import sys
import zipfile
from base64 import urlsafe_b64encode
from hashlib import sha256
from pathlib import Path
from types import ModuleType

import pytest
from locks import DEV, ROOT, RUN

PROJECT = "the project"


class Folder:
    """A clone of the project, in which venv and pip do no more than leave their marks."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.venv = path / ".venv"
        self.calls: list[str] = []
        self.network = True
        self.breaks_off = False

    def run(
        self, command: list[str | Path], *, check: bool, cwd: Path | None = None
    ) -> subprocess.CompletedProcess[str]:
        del check, cwd
        if "venv" in command:
            self.calls.append("venv")
            (self.venv / "bin").mkdir(parents=True)
            return subprocess.CompletedProcess(command, 0)
        locks = [str(each).removeprefix("--requirement=") for each in command if "--requirement=" in str(each)]
        self.calls.append("pip " + " ".join(locks or [PROJECT]))
        if locks and not self.network:
            return subprocess.CompletedProcess(command, 1)
        for lock in locks or [PROJECT]:
            (self.venv / f"lib/python3.11/site-packages/{Path(lock).stem}.dist-info").mkdir(parents=True, exist_ok=True)
            if self.breaks_off:
                raise KeyboardInterrupt
        return subprocess.CompletedProcess(command, 0)

    def install(self, *locks: str) -> list[str]:
        """Run the script as if in a process of its own, and return what it called."""
        self.calls.clear()
        load(self.path).main([*locks])
        return self.calls


def load(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location("install", path / "tools/install.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def clone(path: Path) -> Path:
    (path / "tools").mkdir(parents=True)
    shutil.copy(ROOT / "tools/install.py", path / "tools")
    for name in (RUN, DEV, "pyproject.toml"):
        (path / name).write_text(f"# {name}\n")
    return path


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Folder:
    folder = Folder(clone(tmp_path / "clone"))
    monkeypatch.setattr(subprocess, "run", folder.run)
    return folder


def change(path: Path) -> None:
    path.write_text(f"{path.read_text()}# changed\n")


def test_the_first_run_installs_everything_and_the_second_nothing(folder: Folder) -> None:
    assert folder.install(RUN, DEV) == ["venv", f"pip {RUN} {DEV}", f"pip {PROJECT}"]
    assert folder.install(RUN, DEV) == []
    assert folder.install(RUN) == []


def test_a_lock_is_added_to_what_is_there(folder: Folder) -> None:
    folder.install(RUN)

    assert folder.install(RUN, DEV) == [f"pip {DEV}"]
    assert folder.install(RUN) == []


def test_files_that_were_only_touched_have_not_changed(folder: Folder) -> None:
    folder.install(RUN)
    for name in (RUN, "pyproject.toml"):
        os.utime(folder.path / name, (2**32, 2**32))

    assert folder.install(RUN) == []


def test_a_changed_pyproject_installs_the_project_alone(folder: Folder) -> None:
    folder.install(RUN)
    change(folder.path / "pyproject.toml")

    assert folder.install(RUN) == [f"pip {PROJECT}"]
    assert folder.install(RUN) == []


def test_a_changed_lock_makes_the_environment_anew_for_those_who_ask_for_it(folder: Folder) -> None:
    folder.install(RUN, DEV)
    (folder.venv / "left over").touch()
    change(folder.path / DEV)

    assert folder.install(RUN) == []
    assert folder.install(RUN, DEV) == ["venv", f"pip {RUN} {DEV}", f"pip {PROJECT}"]
    assert not (folder.venv / "left over").exists()
    assert not (folder.path / ".venv.old").exists()


def test_another_python_makes_the_environment_anew(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.install(RUN)
    monkeypatch.setattr(sys, "_base_executable", "/usr/bin/python3.99")

    assert folder.install(RUN)[0] == "venv"


def test_so_does_another_folder(folder: Folder) -> None:
    folder.install(RUN)
    folder.path = folder.path.rename(folder.path.with_name("moved"))
    folder.venv = folder.path / ".venv"

    assert folder.install(RUN)[0] == "venv"


def test_without_network_what_is_installed_goes_on_working(folder: Folder) -> None:
    folder.install(RUN)
    folder.network = False

    with pytest.raises(SystemExit, match="what was installed before is still there"):
        folder.install(RUN, DEV)
    assert folder.install(RUN) == []


def test_without_network_an_environment_that_is_to_be_made_anew_is_kept(folder: Folder) -> None:
    folder.install(RUN)
    (folder.venv / "kept").touch()
    change(folder.path / RUN)
    folder.network = False

    with pytest.raises(SystemExit, match="what was installed before is still there"):
        folder.install(RUN)
    assert (folder.venv / "kept").exists()
    assert not (folder.path / ".venv.old").exists()


def test_an_environment_of_somebody_elses_is_replaced_only_by_a_complete_one(folder: Folder) -> None:
    folder.venv.mkdir()
    (folder.venv / "kept").touch()
    folder.network = False

    with pytest.raises(SystemExit):
        folder.install(RUN)
    assert (folder.venv / "kept").exists()
    folder.network = True
    assert folder.install(RUN)[0] == "venv"
    assert not (folder.venv / "kept").exists()


def test_what_was_broken_off_half_way_begins_anew(folder: Folder) -> None:
    folder.install(RUN)
    folder.breaks_off = True
    with pytest.raises(KeyboardInterrupt):
        folder.install(RUN, DEV)
    folder.breaks_off = False

    assert folder.install(RUN) == ["venv", f"pip {RUN}", f"pip {PROJECT}"]


@pytest.mark.parametrize("complete", [True, False])
def test_after_a_kill_the_complete_environment_is_kept(folder: Folder, complete: bool) -> None:
    """A process that is killed cleans nothing up: the old environment and the new one are both there."""
    folder.install(RUN)
    new = folder.path / ".venv.new"
    shutil.copytree(folder.venv, new)
    if not complete:
        (new / "installed.json").unlink()
    folder.venv.rename(folder.path / ".venv.old")
    new.rename(folder.venv)
    (folder.venv / "new").touch()

    assert folder.install(RUN) == []
    assert (folder.venv / "new").exists() is complete
    assert not (folder.path / ".venv.old").exists()


def test_of_two_at_once_one_waits(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    folder.install(RUN)
    monkeypatch.undo()
    command = [sys.executable, folder.path / "tools/install.py", RUN]
    with (folder.path / ".venv.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as waiting:
            assert waiting.stdout
            assert waiting.stdout.readline() == "Waiting for another command that sets up .venv.\n"
            assert waiting.poll() is None
            fcntl.flock(file, fcntl.LOCK_UN)
            assert waiting.wait(timeout=60) == 0


# A build backend of the project's own, so that nothing has to be downloaded for it.
BACKEND = """\
import shutil

def build_editable(folder, config_settings=None, metadata_directory=None):
    return shutil.copy("wheels/project-1-py3-none-any.whl", folder).rpartition("/")[2]
"""


def write_wheel(folder: Path, name: str) -> str:
    """A wheel with a module of its name; returns the line that pins it."""
    metadata = f"{name}-1.dist-info"
    files = {
        f"{name}.py": "",
        f"{metadata}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1\n",
        f"{metadata}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = [
        f"{path},sha256={urlsafe_b64encode(sha256(text.encode()).digest()).rstrip(b'=').decode()},{len(text)}\n"
        for path, text in files.items()
    ]
    wheel = folder / f"{name}-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for path, text in (files | {f"{metadata}/RECORD": f"{''.join(record)}{metadata}/RECORD,,\n"}).items():
            archive.writestr(path, text)
    return f"{name}==1 --hash=sha256:{sha256(wheel.read_bytes()).hexdigest()}\n"


def test_make_sets_up_twice_at_once_in_a_folder_with_a_space_whatever_pip_is_told(tmp_path: Path) -> None:
    folder = clone(tmp_path / "a clone")
    shutil.copy(ROOT / "Makefile", folder)
    (folder / "wheels").mkdir()
    write_wheel(folder / "wheels", "project")
    for lock, name in ((RUN, "run"), (DEV, "dev")):
        (folder / lock).write_text(write_wheel(folder / "wheels", name))
    (folder / "backend.py").write_text(BACKEND)
    (folder / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        '[project]\nname = "project"\nversion = "1"\n'
    )
    machine = tmp_path / "pip.conf"
    machine.write_text(
        f"[global]\nno-index = true\nfind-links = {(folder / 'wheels').as_uri()}\n"
        f"[install]\nuser = true\ntarget = {tmp_path / 'elsewhere'}\nno-binary = :all:\n"
    )
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PYTHON": sys.executable,
        "PIP_CONFIG_FILE": str(machine),
        "PIP_INDEX_URL": "https://aws:token@example.invalid/simple/",
        "PIP_NO_INDEX": "false",
        "PIP_FIND_LINKS": "https://example.invalid/",
        "PIP_REQUIRE_VIRTUALENV": "true",
        "PIP_USER": "true",
    }
    both = [
        subprocess.Popen(["make", target], cwd=folder, env=environment, stderr=subprocess.PIPE, text=True)
        for target in ("install", "install-dev")
    ]

    assert [(process.communicate()[1], process.returncode) for process in both] == [("", 0), ("", 0)]
    (packages,) = folder.glob(".venv/lib/*/site-packages")
    assert {"run.py", "dev.py", "project.py"} <= {path.name for path in packages.iterdir()}
    assert [*packages.glob("__pycache__/run.*")] == [], "compiled"


def test_make_help_changes_nothing_and_needs_no_python(tmp_path: Path) -> None:
    folder = clone(tmp_path / "clone")
    shutil.copy(ROOT / "Makefile", folder)
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    shown = subprocess.run(["make", "PYTHON=none"], cwd=folder, capture_output=True, text=True, check=True).stdout

    assert "make test " in shown
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before
