"""A repository of one's own, as the pages have it: from the wheel to the end of its stack, with nothing of this one."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from engine import ACCOUNT, ENVIRONMENT, ROOT, Emulator, Project, error_code, publish
from locks import RUN, entries
from pages import README, blocks, commands

API = f"arn:aws:iam::{ACCOUNT}:role/service/api"
COMMAND = ".venv/bin/private-pypi"

# The commands of the README, before the new folder and in it.
BEFORE, IN_IT = (part.splitlines() for part in "\n".join(commands(README, "Deploy")).split("\ncd pypi\n"))


def run(folder: Path, *command: str) -> str:
    # Where pip keeps what it has downloaded.
    environment = ENVIRONMENT | {"HOME": os.environ["HOME"], "PIP_NO_COMPILE": "1"}
    result = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"
    return result.stdout


def build(folder: Path, version: str) -> Path:
    """The wheel of a version, built as `make dist` does: from the sdist."""
    source = folder / f"source-{version}"
    source.mkdir()
    for name in ("LICENSE", "README.md"):
        shutil.copy(ROOT / name, source)
    shutil.copytree(ROOT / "private_pypi", source / "private_pypi", ignore=shutil.ignore_patterns("__pycache__"))
    project = (ROOT / "pyproject.toml").read_text()
    (source / "pyproject.toml").write_text(re.sub("(?m)^version = .*", f'version = "{version}"', project))
    run(source, "uv", "build", "--quiet", "--no-build-isolation", "--python", sys.executable)
    (wheel,) = (source / "dist").glob("*.whl")
    return wheel


def install(folder: Path) -> None:
    """What `pulumi install` does with the real language host."""
    if not (folder / ".venv").exists():
        run(folder, sys.executable, "-m", "venv", ".venv")
    run(folder, ".venv/bin/pip", "install", "--requirement", "requirements.txt")


def git(folder: Path, *arguments: str) -> None:
    run(folder, "git", "-c", "user.name=Ada", "-c", "user.email=ada@example.com", *arguments)


def names(emulator: Emulator) -> list[str]:
    codeartifact = emulator.client("codeartifact")
    domains = [each["name"] for each in codeartifact.list_domains()["domains"]]
    return domains + [each["name"] for each in codeartifact.list_repositories()["repositories"]]


@pytest.fixture
def folder(tmp_path: Path, project: Project, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What `private-pypi new` has written, with what it needs installed in its `.venv`."""
    pins = tmp_path / "pins.txt"
    pins.write_text("".join(f"{pin}\n" for pin, _ in entries(RUN)))
    monkeypatch.setitem(ENVIRONMENT, "PIP_CONSTRAINT", str(pins))
    wheel = build(tmp_path, "1.0")
    for command in BEFORE:
        run(tmp_path, *shlex.split(command.replace("git+URL@TAG", str(wheel))))
    project.folder = tmp_path / "pypi"
    install(project.folder)
    return project.folder


def test_it_is_previewed_compared_deployed_upgraded_and_destroyed(
    tmp_path: Path, folder: Path, project: Project, emulator: Emulator
) -> None:
    assert (folder / "requirements.txt").read_text() == "./pulumi_private_pypi-1.0-py3-none-any.whl\n"
    assert run(folder, COMMAND, "--version") == "private-pypi 1.0\n"
    git(folder, "init", "--quiet")
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "Begin")
    git(folder, "update-ref", "refs/remotes/origin/HEAD", "HEAD")

    assert "\n  nobody: there are no readers and no publishers\n" in run(folder, COMMAND, "preview")
    assert project.follow("\n".join(IN_IT)).endswith(f"{emulator.endpoint}/pypi/private-pypi/simple/\n")
    assert names(emulator) == ["example", "private-pypi"]
    assert project.changes("dev") == {}

    stack = folder / "Pulumi.dev.yaml"
    project.pulumi("config", "set", "private-pypi:protect", "false", "--stack", "dev")
    project.pulumi("config", "set", "--path", "private-pypi:tags.team", "platform", "--stack", "dev")
    assert stack.read_text().startswith("# yaml-language-server: $schema=pulumi-stack.schema.json\n")
    assert "  # Who may install, and who may install and publish." in stack.read_text()
    run(folder, "check-jsonschema", "--schemafile", "pulumi-stack.schema.json", "Pulumi.dev.yaml")
    project.pulumi("config", "rm", "private-pypi:tags", "--stack", "dev")
    stack.write_text(stack.read_text().replace("readers: []", f"readers: [{API}]"))
    (component,) = json.loads(run(folder, COMMAND, "diff", "--json"))["components"]
    assert {(each["principal"], each["right"]) for each in component["gains"]} == {(API, "install")}
    assert project.changes("dev") == dict.fromkeys(
        ("private-pypi-domain-permissions", "private-pypi-repository-permissions"), "create"
    )
    run(folder, ".venv/bin/python", "-m", "unittest")
    project.up("dev")

    project.follow(blocks("start.md", "sh", "Pin the rest")[0])
    assert "pulumi-private-pypi" not in (folder / "constraints.txt").read_text()
    install(folder)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "Pin the rest")
    upgrade, compare = blocks("upgrade.md", "sh")
    *commands_, installing = upgrade.replace("git+URL@TAG", str(build(tmp_path, "1.1"))).splitlines()
    assert installing == "pulumi install"
    for command in commands_:
        run(folder, *shlex.split(command))
    (folder / "pulumi_private_pypi-1.0-py3-none-any.whl").unlink()
    newer = shutil.copy(tmp_path / "new/pulumi_private_pypi-1.1-py3-none-any.whl", folder)
    install(folder)
    assert run(folder, COMMAND, "--version") == "private-pypi 1.1\n"
    files = {
        each["path"] for each in json.loads(run(folder, COMMAND, "diff", "--base", "HEAD", "--json"))["unseen"]["files"]
    }
    assert files == {"requirements.txt", "pulumi_private_pypi-1.0-py3-none-any.whl", Path(newer).name}
    assert project.follow(compare).endswith("\nResources:\n    6 unchanged\n\n")
    assert project.changes("dev") == {}
    project.up("dev")

    project.pulumi("destroy", "--yes", "--stack", "dev")
    assert names(emulator) == []


PROGRAM = f"""\
import json

import pulumi
import pulumi_aws as aws

from private_pypi import Principal, PrivatePypi, PrivatePypiArgs

trust = {{"Effect": "Allow", "Principal": {{"AWS": "{ACCOUNT}"}}, "Action": "sts:AssumeRole"}}
document = json.dumps({{"Version": "2012-10-17", "Statement": [trust]}})
role = aws.iam.Role("notebooks", name="notebooks", assume_role_policy=document)
pypi = PrivatePypi(
    "packages",
    PrivatePypiArgs(domain="example", readers=[Principal("arn:aws:iam::{ACCOUNT}:role/notebooks")], protect=False),
    opts=pulumi.ResourceOptions(depends_on=role),
)
aws.iam.RolePolicy("notebooks-pypi", role=role.name, policy=pypi.reader_policy)
pulumi.export("index_url", pypi.index_url)
"""


def test_the_component_is_used_beside_other_resources(folder: Path, project: Project, emulator: Emulator) -> None:
    (folder / "__main__.py").write_text(PROGRAM)
    emulator.set(principals_exist=True)
    project.pulumi("stack", "init", "dev")
    assert "\n  arn:aws:iam::111122223333:role/notebooks  yes      no\n" in run(folder, COMMAND, "preview")

    project.up("dev")
    assert project.changes("dev") == {}
    assert project.outputs("dev") == {"index_url": f"{emulator.endpoint}/pypi/private-pypi/simple/"}
    publish(emulator.client("codeartifact"), "acme-core", domain="example")
    notebooks = emulator.client("codeartifact", emulator.session("notebooks"))
    asset = {"domain": "example", "repository": "private-pypi", "format": "pypi", "package": "acme-core"}
    asset |= {"packageVersion": "1.0", "asset": "acme-core-1.0.tar.gz"}
    assert notebooks.get_package_version_asset(**asset)["asset"].read() == b"content"
    assert notebooks.get_authorization_token(domain="example")["authorizationToken"]
    assert error_code(notebooks.delete_package, **{key: asset[key] for key in [*asset][:4]}) == "AccessDeniedException"

    project.pulumi("destroy", "--yes", "--stack", "dev")
    assert names(emulator) == []
