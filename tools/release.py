"""The steps of .github/workflows/release.yml that are more than a command.

`release.py prepare URL TAG` has the metadata name the repository that it is built in, before the build.
`release.py inspect TAG` checks what was built in dist/, and prints the changelog's part for the release.
"""

import re
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

ROOT = Path(__file__).parents[1]
URLS = """
[project.urls]
Changelog = "{url}/blob/{tag}/CHANGELOG.md"
Documentation = "{url}/tree/{tag}/docs"
Issues = "{url}/issues"
Repository = "{url}"
"""

# Whatever else is beside the modules is there by mistake.
DATA = [
    "private_pypi/py.typed",
    *(
        f"private_pypi/cli/own_repository/{name}"
        for name in (
            *(".github/dependabot.yml", ".github/workflows/access.yml", ".github/workflows/check.yml"),
            *(".github/workflows/deploy.yml", ".gitattributes", ".gitignore", "Pulumi.dev.yaml", "Pulumi.yaml"),
            *("README.md", "requirements.txt"),
        )
    ),
]


def prepare(root: Path, url: str, tag: str) -> None:
    """Add the repository's addresses to pyproject.toml, and make the README's links absolute: PyPI shows it alone."""
    pyproject, readme = root / "pyproject.toml", root / "README.md"
    pyproject.write_text(pyproject.read_text() + URLS.format(url=url, tag=tag))
    readme.write_text(re.sub(r"\]\((?!https?:|#)", f"]({url}/blob/{tag}/", readme.read_text()))


def wheel_contents(root: Path, version: str) -> set[str]:
    """The names of the files that the wheel is to have."""
    metadata = f"pulumi_private_pypi-{version}.dist-info"
    return {
        *_package(root),
        *(f"{metadata}/{name}" for name in ("METADATA", "RECORD", "WHEEL", "entry_points.txt", "licenses/LICENSE")),
    }


def sdist_contents(root: Path, version: str) -> set[str]:
    """The names of the files that the sdist is to have: what the wheel is built from."""
    names = {*_package(root), "LICENSE", "PKG-INFO", "README.md", "pyproject.toml"}
    return {f"pulumi_private_pypi-{version}/{name}" for name in names}


def _package(root: Path) -> set[str]:
    return {*DATA, *(str(path.relative_to(root)) for path in (root / "private_pypi").rglob("*.py"))}


def mistakes(root: Path, tag: str) -> list[str]:
    """What is wrong with dist/ for a release of this tag."""
    version: str = tomllib.loads((root / "pyproject.toml").read_text())["project"]["version"]
    wheel = root / f"dist/pulumi_private_pypi-{version}-py3-none-any.whl"
    sdist = root / f"dist/pulumi_private_pypi-{version}.tar.gz"
    if tag != f"v{version}":
        return [f"the tag is {tag}, and the version in pyproject.toml {version}"]
    if not notes(root, version):
        return [f"CHANGELOG.md has nothing under a heading '## {version}'"]
    if {wheel, sdist} != {*(root / "dist").glob("[!.]*")}:
        return [f"dist/ has to hold {wheel.name} and {sdist.name}, and nothing else"]
    with zipfile.ZipFile(wheel) as archive:
        in_wheel = {*archive.namelist()}
    with tarfile.open(sdist) as archive:
        in_sdist = {member.name for member in archive if member.isfile()}
    return [
        f"{file.name} {verb} {name}"
        for file, found, expected in (
            (wheel, in_wheel, wheel_contents(root, version)),
            (sdist, in_sdist, sdist_contents(root, version)),
        )
        for verb, names in (("lacks", expected - found), ("should not have", found - expected))
        for name in sorted(names)
    ]


def notes(root: Path, version: str) -> str:
    """The changelog's part for a version without its heading, or nothing where there is no such heading."""
    changelog = (root / "CHANGELOG.md").read_text()
    part = re.search(rf"^## {re.escape(version)}\n(.*?)(?=^## |\Z)", changelog, re.DOTALL | re.MULTILINE)
    return part[1].strip() if part else ""


def main(command: str, *arguments: str) -> None:
    """Run one of the two commands."""
    if command == "prepare":
        prepare(ROOT, *arguments)
        return
    (tag,) = arguments
    if found := mistakes(ROOT, tag):
        sys.exit("\n".join(found))
    print(notes(ROOT, tag.removeprefix("v")))


if __name__ == "__main__":
    main(*sys.argv[1:])
