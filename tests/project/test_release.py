"""What a release is made of: its files, its metadata, its notes, and the actions that pages and workflows pin."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from email import message_from_bytes
from email.message import Message
from pathlib import Path
from zipfile import ZipFile

import pytest
import release
import renew_actions
import yaml
from locks import ROOT

URL = "https://github.com/acme/pypi"
VERSION: str = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
WORKFLOW = yaml.safe_load((ROOT / ".github/workflows/release.yml").read_text())
STEPS = {step.get("name"): step for step in WORKFLOW["jobs"]["build"]["steps"]}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A clone in which the build's steps have run, all but `make` itself."""
    root = tmp_path_factory.mktemp("clone")
    for name in ("CHANGELOG.md", "LICENSE", "README.md", "pyproject.toml"):
        shutil.copy(ROOT / name, root)
    for name in ("private_pypi", "tools"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    changelog = root / "CHANGELOG.md"
    changelog.write_text(f"# Changelog\n\n## 9.0\n\nNew.\n\n## {VERSION}\n\n- This.\n\n## 0.0.1\n\nOld.\n")
    run(root, STEPS["Name this repository in the metadata"]["run"])
    for kind in ("sdist", "wheel"):
        code = f"import flit_core.buildapi as flit; flit.build_{kind}('dist')"
        (root / "dist").mkdir(exist_ok=True)
        subprocess.run([sys.executable, "-c", code], cwd=root, check=True, capture_output=True)
    return root


def run(root: Path, script: str, **environment: str) -> None:
    """Run a step of the workflow with this Python, for the tag of the version."""
    bin_folder = root / "bin"
    bin_folder.mkdir(exist_ok=True)
    if not (bin_folder / "python").exists():
        (bin_folder / "python").symlink_to(sys.executable)
    path = f"{bin_folder}{os.pathsep}{os.environ['PATH']}"
    github = {"GITHUB_SERVER_URL": "https://github.com", "GITHUB_REPOSITORY": "acme/pypi"}
    tag = {"GITHUB_REF_NAME": f"v{VERSION}"}
    subprocess.run(["bash", "-e", "-c", script], cwd=root, env={"PATH": path} | github | tag | environment, check=True)


def metadata(root: Path) -> Message:
    with ZipFile(next((root / "dist").glob("*.whl"))) as archive:
        (name,) = [each for each in archive.namelist() if each.endswith(".dist-info/METADATA")]
        return message_from_bytes(archive.read(name))


def test_the_distributions_hold_the_package_and_nothing_else(built: Path) -> None:
    assert release.mistakes(built, f"v{VERSION}") == []


def test_the_package_is_its_modules_a_mark_that_it_is_typed_and_what_a_new_repository_has(built: Path) -> None:
    files = {str(path.relative_to(built)) for path in (built / "private_pypi").rglob("*") if path.is_file()}

    assert {name for name in files if not name.endswith(".py")} == {
        "private_pypi/py.typed",
        "private_pypi/cli/own_repository/.github/dependabot.yml",
        "private_pypi/cli/own_repository/.github/workflows/access.yml",
        "private_pypi/cli/own_repository/.github/workflows/check.yml",
        "private_pypi/cli/own_repository/.github/workflows/deploy.yml",
        "private_pypi/cli/own_repository/.gitattributes",
        "private_pypi/cli/own_repository/.gitignore",
        "private_pypi/cli/own_repository/Pulumi.dev.yaml",
        "private_pypi/cli/own_repository/Pulumi.yaml",
        "private_pypi/cli/own_repository/README.md",
        "private_pypi/cli/own_repository/requirements.txt",
    }
    assert release.wheel_contents(built, "1") == {
        *files,
        "pulumi_private_pypi-1.dist-info/METADATA",
        "pulumi_private_pypi-1.dist-info/RECORD",
        "pulumi_private_pypi-1.dist-info/WHEEL",
        "pulumi_private_pypi-1.dist-info/entry_points.txt",
        "pulumi_private_pypi-1.dist-info/licenses/LICENSE",
    }
    assert release.sdist_contents(built, "1") == {
        f"pulumi_private_pypi-1/{name}" for name in (*files, "LICENSE", "PKG-INFO", "README.md", "pyproject.toml")
    }


def test_what_is_missing_or_too_much_stops_a_release(built: Path, tmp_path: Path) -> None:
    root = tmp_path / "clone"
    shutil.copytree(built, root, symlinks=True)
    with ZipFile(next((root / "dist").glob("*.whl")), "a") as archive:
        archive.writestr("private_pypi/notes.txt", "")
    (root / "private_pypi/added.py").touch()
    wheel, sdist = f"pulumi_private_pypi-{VERSION}-py3-none-any.whl", f"pulumi_private_pypi-{VERSION}.tar.gz"

    assert release.mistakes(root, f"v{VERSION}") == [
        f"{wheel} lacks private_pypi/added.py",
        f"{wheel} should not have private_pypi/notes.txt",
        f"{sdist} lacks pulumi_private_pypi-{VERSION}/private_pypi/added.py",
    ]
    (root / "dist/other.whl").touch()
    assert release.mistakes(root, f"v{VERSION}") == [f"dist/ has to hold {wheel} and {sdist}, and nothing else"]
    assert release.mistakes(root, "v99") == [f"the tag is v99, and the version in pyproject.toml {VERSION}"]
    (root / "CHANGELOG.md").write_text(f"## {VERSION} (unreleased)\n\n- This.\n")
    assert release.mistakes(root, f"v{VERSION}") == [f"CHANGELOG.md has nothing under a heading '## {VERSION}'"]


def test_a_release_has_the_changelogs_part(built: Path) -> None:
    run(built, STEPS["Inspect what was built"]["run"])

    assert (built / "notes.md").read_text() == "- This.\n"


def test_the_metadata_names_the_repository_of_the_release(built: Path) -> None:
    assert metadata(built)["Name"] == "pulumi-private-pypi"
    assert metadata(built).get_all("Project-URL") == [
        f"Changelog, {URL}/blob/v{VERSION}/CHANGELOG.md",
        f"Documentation, {URL}/tree/v{VERSION}/docs",
        f"Issues, {URL}/issues",
        f"Repository, {URL}",
    ]


def test_the_readme_on_pypi_leads_to_the_pages_of_the_release(built: Path) -> None:
    links = re.findall(r"\]\(([^)]*)\)", str(metadata(built).get_payload()))

    assert f"{URL}/blob/v{VERSION}/docs/access.md" in links
    assert [link for link in links if not link.startswith(("https://", "#"))] == []


def test_only_jobs_that_run_nothing_of_the_repository_may_sign_publish_or_write() -> None:
    permissions = {name: job["permissions"] for name, job in WORKFLOW["jobs"].items()}

    assert WORKFLOW["permissions"] == {}
    assert permissions == {
        "check": {"contents": "read"},
        "build": {"contents": "read"},
        "attest": {"attestations": "write", "id-token": "write"},
        "publish": {"id-token": "write"},
        "release": {"contents": "write"},
    }
    for name in ("attest", "publish", "release"):
        steps = WORKFLOW["jobs"][name]["steps"]
        assert not any("checkout" in step.get("uses", "") for step in steps)
        assert not any("tools/" in step.get("run", "") for step in steps)


def test_nothing_is_published_before_it_was_checked_and_somebody_approved() -> None:
    needs = {name: job.get("needs") for name, job in WORKFLOW["jobs"].items()}

    assert needs == {"check": None, "build": "check", "attest": "build", "publish": "attest", "release": "publish"}
    assert WORKFLOW["jobs"]["publish"]["environment"] == "pypi"


GH = """\
#!/bin/sh
case "$2" in
    repos/acme/build/releases/latest) echo v2.0.0 ;;
    repos/acme/build/commits/tags/v2.0.0) echo ffffffffffffffffffffffffffffffffffffffff ;;
    *) exit 1 ;;
esac
"""


def test_the_actions_of_a_page_are_renewed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "gh").write_text(GH)
    (tmp_path / "gh").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    page = "text\n  - uses: acme/build@{0}\n  - uses: acme/build/sub/action@{0}\n  - uses: ./acme/build@v1\n"

    assert renew_actions.renew(page.format(f"{'0' * 40} # v1.2")) == page.format(f"{'f' * 40} # v2.0.0")


PLACES = [
    *(ROOT / "docs").glob("*.md"),
    *(ROOT / ".github/workflows").glob("*.yml"),
    *(ROOT / "private_pypi/cli/own_repository/.github/workflows").glob("*.yml"),
]


@pytest.mark.parametrize("place", PLACES, ids=[path.name for path in PLACES])
def test_every_action_is_pinned_so_that_it_is_renewed(place: Path) -> None:
    text = place.read_text()
    uses = [each for each in re.findall(r"^ *-? *uses: *(.*)", text, re.MULTILINE) if not each.startswith("$/")]

    assert len(renew_actions.USE.findall(text)) == len(uses)
