"""What `private-pypi new` writes, and from where it says that it was installed."""

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from private_pypi.cli import new as module
from private_pypi.cli.errors import CommandError
from private_pypi.cli.main import main
from private_pypi.cli.new import Requirement, new, read_requirement, requirement_of

OPTIONS = ["--domain", "acme", "--account", "111122223333", "--region", "us-west-2"]
COMMIT = "4f1c2ab90d3e5b6a7c8d9e0f1a2b3c4d5e6f7a8b"
DIGEST = hashlib.sha256(b"content").hexdigest()
WHEEL = "https://example.com/pulumi_private_pypi-1.0-py3-none-any.whl"
NO_HASH = "did not note the hash of the file. Install it with pip, and run this again."
FIX = "Install pulumi-private-pypi from a git URL, a wheel or an index, and run this again."


@pytest.fixture(autouse=True)
def _installed_from_an_index(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "read_requirement", lambda: Requirement(line="pulumi-private-pypi==1.0"))


@pytest.fixture
def wheel(tmp_path: Path) -> Path:
    path = tmp_path / "my wheels/pulumi_private_pypi-1.0-py3-none-any.whl"
    path.parent.mkdir()
    path.write_bytes(b"content")
    return path


def git(url: str) -> dict[str, Any]:
    return {"url": url, "vcs_info": {"vcs": "git", "commit_id": COMMIT, "requested_revision": "main"}}


def test_the_values_stand_where_they_belong(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    options = ["--domain", "acme", "--account", "111122223333", "--region", "cn-north-1"]

    assert main(["new", str(tmp_path / "pypi/packages"), *options]) == 0
    printed = capsys.readouterr().out
    folder = tmp_path / "pypi/packages"
    assert (folder / "requirements.txt").read_text() == "pulumi-private-pypi==1.0\n"
    stack = (folder / "Pulumi.dev.yaml").read_text()
    assert "aws:region: cn-north-1\n" in stack
    assert '    - "111122223333"\n' in stack
    assert "private-pypi:domain: acme\n" in stack
    assert "arn:aws-cn:iam::111122223333:role/" in stack
    deploy = (folder / ".github/workflows/deploy.yml").read_text()
    assert "role-to-assume: arn:aws-cn:iam::111122223333:role/deploy-private-pypi\n" in deploy
    assert "${{ vars.PULUMI_BACKEND_URL }}" in deploy
    written = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    listed = {line.strip() for line in printed.splitlines() if line.startswith("  ")}
    assert written == listed


def test_no_value_is_left_open(tmp_path: Path) -> None:
    main(["new", str(tmp_path), *OPTIONS])
    open_ones = [
        path for path in tmp_path.rglob("*") if path.is_file() and b"${" in path.read_bytes().replace(b"${{", b"")
    ]

    assert open_ones == []


def test_nothing_is_written_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "README.md").write_text("mine")
    (tmp_path / ".gitignore").symlink_to(tmp_path / "nowhere")

    assert main(["new", str(tmp_path), *OPTIONS]) == 1
    error = f"error: {tmp_path} has files of these names, and nothing was written: .gitignore, README.md\n"
    assert capsys.readouterr().err == error
    assert {path.name for path in tmp_path.iterdir()} == {"README.md", ".gitignore"}
    assert (tmp_path / "README.md").read_text() == "mine"


def test_other_files_stay(tmp_path: Path) -> None:
    (tmp_path / "LICENSE").write_text("mine")

    assert main(["new", str(tmp_path), *OPTIONS]) == 0
    assert (tmp_path / "LICENSE").read_text() == "mine"


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").touch()

    assert main(["new", str(tmp_path / "file/pypi"), *OPTIONS]) == 1
    assert capsys.readouterr().err.startswith("error: ")


@pytest.mark.parametrize(
    ("options", "mistake"),
    [
        (["--domain", "Acme"], "argument --domain: got 'Acme', whose character 1 is 'A'"),
        (["--account", "1111"], "argument --account: got '1111'"),
        (["--region", "Oregon"], "argument --region: got 'Oregon'"),
    ],
)
def test_a_mistake_is_told_as_in_the_config(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: list[str], mistake: str
) -> None:
    with pytest.raises(SystemExit):
        main(["new", str(tmp_path), *OPTIONS, *options])
    error = capsys.readouterr().err
    assert mistake in error
    assert "  expected: " in error
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("direct_url", "line"),
    [
        (None, "pulumi-private-pypi==1.0"),
        (git("https://example.com/p.git"), f"pulumi-private-pypi @ git+https://example.com/p.git@{COMMIT}"),
        (git("ssh://git@example.com/p"), f"pulumi-private-pypi @ git+ssh://git@example.com/p@{COMMIT}"),
        (git("https://${TOKEN}@example.com/p"), f"pulumi-private-pypi @ git+https://${{TOKEN}}@example.com/p@{COMMIT}"),
        (
            git("https://example.com/p") | {"subdirectory": "pypi"},
            f"pulumi-private-pypi @ git+https://example.com/p@{COMMIT}#subdirectory=pypi",
        ),
        (
            {"url": WHEEL, "archive_info": {"hash": f"sha256={DIGEST}", "hashes": {"sha256": DIGEST}}},
            f"pulumi-private-pypi @ {WHEEL}#sha256={DIGEST}",
        ),
        (
            {"url": WHEEL, "archive_info": {"hash": f"sha256={DIGEST}"}},
            f"pulumi-private-pypi @ {WHEEL}#sha256={DIGEST}",
        ),
    ],
)
def test_it_is_installed_again_from_where_it_is_from(direct_url: Mapping[str, Any] | None, line: str) -> None:
    assert requirement_of("1.0", direct_url) == Requirement(line=line)


@pytest.mark.parametrize("archive", [{}, {"hashes": {"sha256": DIGEST}}], ids=["uv", "pip"])
def test_a_file_is_put_beside(tmp_path: Path, wheel: Path, archive: Mapping[str, Any]) -> None:
    requirement = requirement_of("1.0", {"url": wheel.as_uri(), "archive_info": archive})
    written = new(tmp_path / "new", domain="acme", account="1" * 12, region="us-west-2", requirement=requirement)

    assert requirement.line == f"./{wheel.name}"
    assert (tmp_path / "new" / wheel.name).read_bytes() == b"content"
    assert wheel.name in written


def remove(wheel: Path) -> None:
    wheel.unlink()


def change(wheel: Path) -> None:
    wheel.write_bytes(b"other content")


@pytest.mark.parametrize("after", [remove, change])
def test_a_file_that_is_no_longer_the_same_is_refused(wheel: Path, after: Callable[[Path], None]) -> None:
    after(wheel)
    with pytest.raises(CommandError) as refused:
        requirement_of("1.0", {"url": wheel.as_uri(), "archive_info": {"hashes": {"sha256": DIGEST}}})
    assert str(refused.value) == f"{wheel} is no longer what pulumi-private-pypi was installed from. {FIX}"


@pytest.mark.parametrize(
    ("direct_url", "error"),
    [
        (
            {"url": "file:///home/ada/p", "dir_info": {"editable": True}},
            f"pulumi-private-pypi was installed from file:///home/ada/p, from where nobody else can. {FIX}",
        ),
        (
            git("file:///home/ada/p"),
            f"pulumi-private-pypi was installed from file:///home/ada/p, from where nobody else can. {FIX}",
        ),
        (
            git("https://ghp_secret@example.com/p"),
            f"pulumi-private-pypi was installed from a URL with credentials, to be committed. {FIX}",
        ),
        (
            git("https://ada:secret@example.com/p"),
            f"pulumi-private-pypi was installed from a URL with credentials, to be committed. {FIX}",
        ),
        (
            {"url": WHEEL, "archive_info": {"hash": "md5=1234"}},
            f"what installed pulumi-private-pypi from {WHEEL} {NO_HASH}",
        ),
    ],
)
def test_what_nobody_else_would_get_is_refused(direct_url: Mapping[str, Any], error: str) -> None:
    with pytest.raises(CommandError) as refused:
        requirement_of("1.0", direct_url)
    assert str(refused.value) == error


class Installed:
    """A distribution with what pip notes of it."""

    version = "1.0"

    def __init__(self, direct_url: str | None) -> None:
        self.read_text = {"direct_url.json": direct_url}.get


@pytest.mark.parametrize(
    ("direct_url", "line"),
    [
        (None, "pulumi-private-pypi==1.0"),
        (
            f'{{"url": "https://example.com/p", "vcs_info": {{"vcs": "git", "commit_id": "{COMMIT}"}}}}',
            f"pulumi-private-pypi @ git+https://example.com/p@{COMMIT}",
        ),
    ],
)
def test_what_pip_noted_is_read(monkeypatch: pytest.MonkeyPatch, direct_url: str | None, line: str) -> None:
    names: list[str] = []

    def distribution(name: str) -> Installed:
        names.append(name)
        return Installed(direct_url)

    monkeypatch.setattr(module, "distribution", distribution)
    assert read_requirement().line == line
    assert names == ["pulumi-private-pypi"]
