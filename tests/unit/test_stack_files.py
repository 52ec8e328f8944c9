import json
from pathlib import Path

import pytest

from private_pypi.cli.errors import StackFileError
from private_pypi.cli.stack_files import Stack, has_stack, read_stack

PROJECT = """\
name: private-pypi
config:
  repository: {type: string, default: private-pypi, description: The repository}
  readers: {value: [], description: The readers}
  protect: {type: boolean, default: true, description: The protection}
  domain: {type: string, default: "", description: Required}
  aws:region: {value: eu-west-1}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "Pulumi.yaml").write_text(PROJECT)
    return tmp_path


def read(folder: Path, text: str) -> Stack:
    (folder / "Pulumi.test.yaml").write_text(text)
    return read_stack(folder, "test")


def error_of(folder: Path, text: str) -> str:
    with pytest.raises(StackFileError) as error:
        read(folder, text)
    return str(error.value)


def test_the_stacks_config_overrides_the_projects(folder: Path) -> None:
    stack = read(folder, "config: {private-pypi:repository: tools, aws:region: us-west-2, private-pypi:domain: acme}")

    assert stack == Stack(
        name="test",
        project="private-pypi",
        config={
            "private-pypi:repository": "tools",
            "private-pypi:readers": "[]",
            "private-pypi:protect": "true",
            "private-pypi:domain": "acme",
            "aws:region": "us-west-2",
        },
        secret_keys=(),
        main=".",
        has_environments=False,
    )


def test_a_project_may_give_a_value_without_a_declaration(folder: Path) -> None:
    (folder / "Pulumi.yaml").write_text("name: private-pypi\nconfig: {domain: acme}")

    assert read(folder, "").config == {"private-pypi:domain": "acme"}


def test_a_key_without_a_namespace_is_the_projects(folder: Path) -> None:
    assert read(folder, "config: {domain: acme}").config["private-pypi:domain"] == "acme"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("acme", "acme"),
        ('"012345678901"', "012345678901"),
        ("012345678901", "12345678901"),
        ("012345670123", "1402433619"),
        ("111122223333", "111122223333"),
        ("0x10", "16"),
        ("0b11", "3"),
        ("1_000", "1000"),
        ("1e3", "1000"),
        ("1.5", "1.5"),
        ("no", "no"),
        ("True", "true"),
        ("~", ""),
        ("", ""),
        ("2001-01-01", "2001-01-01"),
        ("[a, 012345678901, no, true, ~]", '["a", 12345678901, "no", true, null]'),
        ("{a: 1}", '{"a": 1}'),
    ],
)
def test_values_are_read_as_the_cli_reads_them(folder: Path, value: str, text: str) -> None:
    assert read(folder, f"config:\n  untyped: {value}\n").config["private-pypi:untyped"] == text


@pytest.mark.parametrize("text", ["", "config:", "secretsprovider: awskms://alias/key"])
def test_a_stack_without_config_has_that_of_the_project(folder: Path, text: str) -> None:
    assert read(folder, text).config == {
        "private-pypi:repository": "private-pypi",
        "private-pypi:readers": "[]",
        "private-pypi:protect": "true",
        "private-pypi:domain": "",
        "aws:region": "eu-west-1",
    }


@pytest.mark.parametrize(
    ("accounts", "account"),
    [
        ('["111122223333"]', "111122223333"),
        ('["111122223333", "444455556666"]', "111122223333"),
        ("[111122223333]", "111122223333"),
        ("[]", None),
        ("[{secure: x}]", None),
    ],
)
def test_the_account_is_the_first_that_is_allowed(folder: Path, accounts: str, account: str | None) -> None:
    assert read(folder, f"config: {{aws:allowedAccountIds: {accounts}}}").account == account


def test_without_allowed_accounts_there_is_no_account(folder: Path) -> None:
    assert read(folder, "").account is None


def test_the_region_is_the_providers(folder: Path) -> None:
    assert read(folder, "").region == "eu-west-1"


def test_what_is_encrypted_is_secret_and_never_decrypted(folder: Path) -> None:
    stack = read(
        folder,
        """\
config:
  domain: {secure: a}
  other:token: {secure: b}
  other:settings: {user: ada, password: {secure: c}, hosts: [{secure: d}, e]}
  other:plain: "[secret]"
""",
    )

    assert stack.secret_keys == ("private-pypi:domain", "other:token", "other:settings")
    assert stack.config["private-pypi:domain"] == stack.config["other:token"] == "[secret]"
    assert json.loads(stack.config["other:settings"]) == {
        "user": "ada",
        "password": "[secret]",
        "hosts": ["[secret]", "e"],
    }


def test_the_type_of_what_is_encrypted_is_not_checked(folder: Path) -> None:
    """The program refuses it, with the reason."""
    assert read(folder, "config: {protect: {secure: a}}").secret_keys == ("private-pypi:protect",)


def test_the_project_says_where_the_program_and_the_stack_files_are(folder: Path) -> None:
    (folder / "Pulumi.yaml").write_text("name: private-pypi\nmain: src\nstackConfigDir: stacks\n")
    (folder / "stacks").mkdir()
    (folder / "stacks/Pulumi.dev.yaml").write_text("config: {domain: acme}")

    assert read_stack(folder, "dev").main == "src"
    assert read_stack(folder, "dev").config == {"private-pypi:domain": "acme"}
    assert has_stack(folder, "dev")
    assert not has_stack(folder, "test")
    with pytest.raises(StackFileError, match=r"^there is no Pulumi\.test\.yaml; the stacks here are: dev$"):
        read_stack(folder, "test")


def test_a_stack_that_does_not_exist_is_answered_with_those_that_do(folder: Path) -> None:
    for name in ("prod", "dev"):
        (folder / f"Pulumi.{name}.yaml").touch()

    with pytest.raises(StackFileError) as error:
        read_stack(folder, "test")
    assert str(error.value) == "there is no Pulumi.test.yaml; the stacks here are: dev, prod"


def test_a_project_without_stacks_says_so(folder: Path) -> None:
    with pytest.raises(StackFileError) as error:
        read_stack(folder, "test")
    assert str(error.value) == "there is no Pulumi.test.yaml; the stacks here are: none"


def test_outside_a_project_the_error_says_where_to_go(tmp_path: Path) -> None:
    with pytest.raises(StackFileError) as error:
        read_stack(tmp_path, "test")
    assert str(error.value) == f"there is no Pulumi.yaml in {tmp_path}: run this in the project's folder"


def test_a_key_that_stands_twice_is_an_error(folder: Path) -> None:
    assert error_of(folder, "config:\n  domain: a\n  domain: b\n").startswith(
        "Pulumi.test.yaml: the key domain stands twice\n"
    )


def test_a_key_that_stands_with_and_without_its_namespace_is_an_error(folder: Path) -> None:
    """The CLI takes one of the two by chance."""
    assert error_of(folder, "config: {domain: a, private-pypi:domain: b}") == (
        "Pulumi.test.yaml: the key private-pypi:domain stands twice, with and without its namespace"
    )


@pytest.mark.parametrize(
    ("config", "key", "type_"),
    [
        ("protect: maybe", "protect", "boolean"),
        ("protect: [true]", "protect", "boolean"),
        ("domain: [a]", "domain", "string"),
        ("repository: {a: b}", "repository", "string"),
    ],
)
def test_a_value_of_another_type_is_refused_in_the_words_of_the_cli(
    folder: Path, config: str, key: str, type_: str
) -> None:
    message = f"validating stack config: Stack 'test' with configuration key '{key}' must be of type '{type_}'"

    assert error_of(folder, f"config: {{{config}}}") == message


@pytest.mark.parametrize("value", ["&a [*a]", "!!binary aGk=", f"0x{'f' * 5000}"])
def test_what_no_json_holds_is_an_error(folder: Path, value: str) -> None:
    assert error_of(folder, f"config: {{readers: [{value}]}}").startswith("Pulumi.test.yaml: ")


def test_an_encrypted_region_is_no_region(folder: Path) -> None:
    assert read(folder, "config: {aws:region: {secure: a}}").region is None


def test_a_project_without_a_name_is_an_error(folder: Path) -> None:
    (folder / "Pulumi.yaml").write_text("runtime: python")

    assert error_of(folder, "") == "Pulumi.yaml: the project has no name"


def test_environments_are_noticed(folder: Path) -> None:
    assert read(folder, "environment: [prod]").has_environments


def test_a_stack_may_be_named_with_its_organization_and_project(folder: Path) -> None:
    (folder / "Pulumi.test.yaml").touch()

    assert read_stack(folder, "acme/private-pypi/test").name == "test"


def test_yaml_may_merge_maps(folder: Path) -> None:
    merged = read(folder, "shared: &shared {domain: acme}\nconfig: {<<: *shared}")

    assert merged.config["private-pypi:domain"] == "acme"


@pytest.mark.parametrize("content", [b"\xff", b"config: {domain: " + b"[" * 2000, b"? [a]\n: b"])
def test_a_file_that_cannot_be_read_is_an_error(folder: Path, content: bytes) -> None:
    (folder / "Pulumi.test.yaml").write_bytes(content)

    with pytest.raises(StackFileError, match=r"^Pulumi\.test\.yaml: "):
        read_stack(folder, "test")


def test_what_is_no_yaml_is_an_error(folder: Path) -> None:
    assert error_of(folder, "config: [").startswith("Pulumi.test.yaml: while parsing")


@pytest.mark.parametrize("text", ["text", "config: [a]"])
def test_what_is_no_map_is_an_error(folder: Path, text: str) -> None:
    assert error_of(folder, text) == "Pulumi.test.yaml: write the file and its `config` as maps of keys to values"
