"""Stack files as the Pulumi CLI reads them and as they are read here: the same, or refused here."""

import json
from types import SimpleNamespace
from typing import cast

import pytest
from engine import Emulator, Project

from private_pypi.cli.errors import StackFileError
from private_pypi.cli.stack_files import read_stack


@pytest.fixture
def emulator() -> Emulator:
    """None: the config of a stack is read without AWS."""
    return cast("Emulator", SimpleNamespace(endpoint="http://127.0.0.1:9"))


READ = {
    "a key of the project": "config: {domain: acme}",
    "a key with its namespace": "config: {private-pypi:domain: acme}",
    "a key with config": "config: {aws:config:region: us-west-2, private-pypi:config:domain: acme}",
    "numbers": "config: {a: 0o17, b: 012, c: 1_000, d: -0, e: 1.0, f: 0x10, g: 0b11, h: 1e3, i: .5, j: 089}",
    "words": "config: {a: yes, b: 'true', c: TRUE, d: ~, e: off, f: '', g: null}",
    "a list": "config: {a: [a, 1, true, null, 1.5]}",
    "a map": "config: {a: {yes: b, '1': c, d: [e]}}",
    "a merge": "shared: &shared {domain: acme}\nconfig: {<<: *shared, repository: tools}",
    "a merge over a merge": "a: &a {domain: a}\nb: &b {domain: b, repository: b}\nconfig: {<<: [*a, *b]}",
    "a merge at the top": "shared: &shared {config: {domain: acme}}\n<<: *shared",
    "a byte order mark": "\ufeffconfig: {domain: acme}",
    "another case": "Config: {domain: acme}",
    "nothing": "",
}


@pytest.mark.parametrize("text", READ.values(), ids=READ)
def test_what_is_read_is_what_the_cli_reads(project: Project, text: str) -> None:
    (project.folder / "Pulumi.yaml").write_text("name: private-pypi\nruntime: python\n")
    project.pulumi("stack", "init", "test")
    (project.folder / "Pulumi.test.yaml").write_text(text)

    values = json.loads(project.pulumi("config", "--json", "--stack", "test").stdout)
    ours = {key: _parsed(value) for key, value in read_stack(project.folder, "test").config.items()}
    assert ours == {key: _parsed(each["value"]) for key, each in values.items()}


def _parsed(text: str) -> object:
    """A list or a map as what it holds, however it is written."""
    return json.loads(text) if text[:1] in {"[", "{"} else text


REFUSED = {
    "a key twice": ("config: {private-pypi:config:domain: a, domain: b}", "stands twice, in two spellings"),
    "a merge in quotes": ('"<<": {environment: [prod]}', "the key << in quotes merges too"),
    "a date": ("config: {a: 2001-01-01}", "the date 2001-01-01"),
    "two keys that are one to Python": ("config: {a: {true: b, 1: c}}", "the key true: write it in quotes"),
    "a tag": ("config: {a: ! 012}", "the tag !"),
}


@pytest.mark.parametrize(("text", "error"), REFUSED.values(), ids=REFUSED)
def test_what_the_cli_reads_in_a_way_of_its_own_is_refused(project: Project, text: str, error: str) -> None:
    project.pulumi("stack", "init", "test")
    (project.folder / "Pulumi.test.yaml").write_text(text)

    read = project.pulumi("config", "--stack", "test", check=False)
    assert read.returncode == 0 or "environments" in read.stderr
    with pytest.raises(StackFileError, match=error.replace("(", r"\(")):
        read_stack(project.folder, "test")


@pytest.mark.parametrize("key", ["a:b:c", "a:b:config:c"])
def test_what_is_no_key_to_the_cli_is_none_here(project: Project, key: str) -> None:
    project.pulumi("stack", "init", "test")
    (project.folder / "Pulumi.test.yaml").write_text(f"config: {{? {key} : x}}")

    assert "as a configuration key" in project.pulumi("config", "--stack", "test", check=False).stderr
    with pytest.raises(StackFileError, match="is no key"):
        read_stack(project.folder, "test")


def test_the_cli_takes_another_project_file_before_ours_and_its_stack_file_with_it(project: Project) -> None:
    project.configure("dev", domain="acme")
    project.pulumi("config", "get", "private-pypi:domain", "--stack", "dev")
    (project.folder / "Pulumi.json").write_text('{"name": "private-pypi", "runtime": "python"}')
    (project.folder / "Pulumi.dev.json").write_text('{"config": {"domain": "other"}}')

    assert project.pulumi("config", "get", "private-pypi:domain", "--stack", "dev").stdout == "other\n"
    with pytest.raises(StackFileError, match=r"^Pulumi\.json: "):
        read_stack(project.folder, "dev")


@pytest.mark.parametrize("field", ["stackConfigDir: stacks", "config: ./stacks/", "config: /stacks"])
def test_the_folder_of_the_stack_files_is_the_clis(project: Project, field: str) -> None:
    project.pulumi("stack", "init", "dev")
    (project.folder / "Pulumi.yaml").write_text(f"name: private-pypi\nruntime: python\n{field}\n")
    (project.folder / "stacks").mkdir()
    (project.folder / "stacks/Pulumi.dev.yaml").write_text("config: {domain: acme}")

    assert project.pulumi("config", "get", "domain", "--stack", "dev").stdout == "acme\n"
    assert read_stack(project.folder, "dev").config["private-pypi:domain"] == "acme"
