"""The project as it was in a git revision.

Git is asked for names and for bytes alone. What it does to files on their way to a working tree (line endings, filters,
attributes of a pull request's own) is not done here.
"""

import hashlib
import os
import stat
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import IO

from private_pypi.cli.errors import StackFileError
from private_pypi.cli.unseen import File, is_elsewhere

# Paths are no patterns, and a commit is what it was when its name was made.
_ENVIRONMENT = {"GIT_LITERAL_PATHSPECS": "1", "GIT_NO_REPLACE_OBJECTS": "1", "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}


def find_base(folder: Path) -> str:
    """The commit that a branch began at: its merge base with `origin/HEAD`.

    Raises:
        StackFileError: `folder` is in no git repository, there is no such commit, or git is not installed.
    """
    find_commit(folder, "HEAD")
    try:
        return _git(folder, "merge-base", "HEAD", "origin/HEAD")
    except StackFileError:
        fix = "name what to compare with: `--base REVISION`"
        if _git(folder, "rev-parse", "--is-shallow-repository") == "true":
            fix = f"this clone is shallow: `git fetch --unshallow`. Or {fix}"
        raise StackFileError(f"where the branch began cannot be told without origin/HEAD: {fix}") from None


def find_commit(folder: Path, revision: str) -> str:
    """The commit that a revision names.

    Raises:
        StackFileError: git knows no such revision.
    """
    return _git(folder, "rev-parse", "--verify", "--end-of-options", f"{revision}^{{commit}}")


def committed_files(folder: Path, commit: str) -> dict[str, File]:
    """The files of `folder` in a commit, by their paths from there on.

    Raises:
        StackFileError: git cannot tell, or the folder was a link.
    """
    prefix = PurePosixPath(_git(folder, "rev-parse", "--show-prefix"))
    for way in (*reversed(prefix.parents), prefix)[1:]:
        found = _lines(folder, "ls-tree", "-z", "--full-tree", commit, "--", str(way))
        if not found:
            return {}
        if found[0].split()[1] != "tree":
            raise StackFileError(f"in {commit[:12]} {way} is no folder, or one that a link leads to")
    entries = list[tuple[str, str, str]]()
    for line in _lines(folder, "ls-tree", "-r", "-z", "--full-tree", f"{commit}:{prefix if prefix.name else ''}"):
        description, _, path = line.partition("\t")
        mode, _, name = description.split()
        if {"", ".", "..", ".git"} & {part.lower() for part in path.split("/")}:
            raise StackFileError(f"in {commit[:12]} there is a file with the path {path!r}")
        entries.append((path, mode, name))
    links = [name for _, mode, name in entries if mode == "120000"]
    targets = {name: os.fsdecode(data) for name, data in _blobs(folder, links)}
    return {
        path: File("link", targets[name]) if mode == "120000" else File("file" if mode[:3] == "100" else "other", name)
        for path, mode, name in entries
    }


def copy_out(folder: Path, files: Mapping[str, File], into: Path) -> None:
    """Copy what was committed in `folder` to a folder `into` that does not exist; in the repository nothing changes.

    Of what `is_elsewhere` a folder is empty and a link leads to itself.

    Raises:
        StackFileError: git cannot, or there is a link and the machine lets nobody make one, as Windows does.
    """
    into.mkdir()
    paths: dict[str, list[Path]] = {}
    for path, file in files.items():
        target = into / path
        target.parent.mkdir(parents=True, exist_ok=True)
        match file.kind:
            case "file":
                paths.setdefault(file.content, []).append(target)
            case "link":
                try:
                    target.symlink_to(target.name if is_elsewhere(path, file) else file.content)
                except OSError as error:
                    raise StackFileError(f"{path} was a link, and none can be made here: {error}") from None
            case _:
                target.mkdir()
    for name, data in _blobs(folder, paths):
        for target in paths[name]:
            target.write_bytes(data)


def working_files(folder: Path, base: Mapping[str, File]) -> dict[str, File]:
    """The files of `folder` in the working tree that git does not ignore, by their paths from there on.

    A file's content is named as in `base`.

    Raises:
        StackFileError: git cannot tell.
    """
    new_hash = hashlib.sha256 if any(len(each.content) == 64 for each in base.values()) else hashlib.sha1  # noqa: PLR2004
    files: dict[str, File] = {}
    for path in _lines(folder, "ls-files", "-z", "--cached", "--others", "--exclude-standard"):
        at = folder / path
        try:
            mode = at.lstat().st_mode
            if stat.S_ISLNK(mode):
                files[path] = File("link", os.readlink(at))  # noqa: PTH115  as it is, with a ./ before it
            elif stat.S_ISREG(mode):
                data = at.read_bytes()
                files[path] = File("file", new_hash(b"blob %d\0%b" % (len(data), data)).hexdigest())
            else:
                files[path] = File("other", "")
        except (FileNotFoundError, NotADirectoryError):
            continue  # deleted, and not from the index
    return files


def ignored_modules(folder: Path) -> Iterator[str]:
    """What git ignores in `folder` and Python would import from there: modules, and folders with modules in them.

    Files and folders that no `import` can name, and virtual environments, are none of these.
    """
    for path in _lines(folder, "ls-files", "-z", "--others", "--ignored", "--exclude-standard", "--directory"):
        name = PurePosixPath(path)
        if (
            name.name.partition(".")[0].isidentifier()
            and name.name != "__pycache__"
            and any(map(_is_module, _files_at(folder / path)))
        ):
            yield path


def _files_at(path: Path) -> Iterator[str]:
    """The names of the files in a folder that is no virtual environment, and below; or the name of the file itself."""
    if not path.is_dir():
        yield path.name
    elif not (path / "pyvenv.cfg").exists():
        for _, _, names in os.walk(path):
            yield from names


def _is_module(name: str) -> bool:
    return Path(name).suffix in {".py", ".pyc", ".pyd", ".so"}


def count_elsewhere(folder: Path, commit: str) -> int:
    """How many files of the repository differ from a commit outside of `folder`.

    Raises:
        StackFileError: git cannot tell.
    """
    prefix = _git(folder, "rev-parse", "--show-prefix")
    if not prefix:
        return 0
    changed = _lines(folder, "diff", "-z", "--name-only", "--no-relative", "--no-renames", "--no-ext-diff", commit)
    return sum(not path.startswith(prefix) for path in changed)


def _blobs(folder: Path, names: Iterable[str]) -> Iterator[tuple[str, bytes]]:
    """Objects by their names, each with its bytes."""
    with tempfile.TemporaryFile() as wanted, tempfile.TemporaryFile() as found:
        wanted.write("".join(f"{name}\n" for name in names).encode())
        wanted.seek(0)
        _git(folder, "cat-file", "--batch", stdin=wanted, stdout=found)
        found.seek(0)
        while header := found.readline():
            name, kind, *size = header.decode().split()
            if kind != "blob":
                raise StackFileError(f"git has no file {name}: {kind}")
            yield name, found.read(int(size[0]))
            found.seek(1, os.SEEK_CUR)


def _lines(folder: Path, *arguments: str) -> list[str]:
    """What a git command prints, by the zeros at the ends of its lines."""
    return _git(folder, *arguments).split("\0")[:-1]


def _git(
    folder: Path,
    *arguments: str,
    stdin: int | IO[bytes] = subprocess.DEVNULL,
    stdout: int | IO[bytes] = subprocess.PIPE,
) -> str:
    command, environment = ["git", *arguments], os.environ | _ENVIRONMENT
    try:
        finished = subprocess.run(
            command, cwd=folder, env=environment, stdin=stdin, stdout=stdout, stderr=subprocess.PIPE, check=False
        )
    except FileNotFoundError:
        raise StackFileError("git is not installed") from None
    if finished.returncode:
        raise StackFileError(f"{' '.join(command)}: {os.fsdecode(finished.stderr).strip()}")
    return os.fsdecode(finished.stdout or b"").removesuffix("\n")
