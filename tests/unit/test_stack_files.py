import json
from pathlib import Path

import pytest
from mocks import run

from private_pypi import load_args
from private_pypi.cli.stack_files import Stack, StackFileError, read_stack

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
        stand_ins={},
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


def test_an_encrypted_value_gets_a_stand_in_of_its_kind(folder: Path) -> None:
    stack = read(
        folder,
        """\
config:
  aws:region: cn-north-1
  domain: {secure: a}
  readers: ["111122223333", {secure: c}, {a: b}]
""",
    )

    assert stack.config["private-pypi:domain"] == "encrypted-ca978112"
    assert json.loads(stack.config["private-pypi:readers"]) == [
        "111122223333",
        "arn:aws-cn:iam::000000000000:role/encrypted-2e7d2c03",
        {"a": "b"},
    ]
    assert stack.stand_ins == {
        "encrypted-ca978112": "private-pypi:domain",
        "arn:aws-cn:iam::000000000000:role/encrypted-2e7d2c03": "private-pypi:readers[1]",
    }


def test_a_stand_in_is_the_same_until_the_value_is_encrypted_anew(folder: Path) -> None:
    before = read(folder, "config: {readers: [{secure: a}]}").stand_ins

    assert (
        read(folder, "config: {domain: acme, readers: [o-a1b2c3d4e5, {secure: a}]}").stand_ins.keys() == before.keys()
    )
    assert read(folder, "config: {readers: [{secure: b}]}").stand_ins.keys() != before.keys()


def test_an_encrypted_part_of_a_publisher_gets_a_stand_in_too(folder: Path) -> None:
    stack = read(folder, "config: {publishers: [{principal: {secure: a}, packages: [beta, {secure: b}]}]}")

    assert json.loads(stack.config["private-pypi:publishers"]) == [
        {"principal": "arn:aws:iam::000000000000:role/encrypted-ca978112", "packages": ["beta", "encrypted-3e23e816"]}
    ]
    assert [*stack.stand_ins.values()] == [
        "private-pypi:publishers[0].principal",
        "private-pypi:publishers[0].packages[1]",
    ]


ENCRYPTED = """\
config:
  aws:region: cn-north-1
  domain: acme
  existingDomain: true
  domainOwner: {secure: a}
  internalPackages: [{secure: b}]
  tags: {publishers: {secure: c}}
  publishers: [{principal: arn:aws-cn:iam::111122223333:role/ci, packages: {secure: d}}]
"""


def test_every_encrypted_value_gets_a_stand_in_that_the_program_takes(folder: Path) -> None:
    stack = read(folder, ENCRYPTED)

    assert stack.config["private-pypi:domainOwner"] == "999556493499"
    assert stack.config["private-pypi:internalPackages"] == '["encrypted-3e23e816"]'
    assert stack.config["private-pypi:tags"] == '{"publishers": "encrypted-2e7d2c03"}'
    assert '"packages": ["encrypted-18ac3e73"]' in stack.config["private-pypi:publishers"]
    assert stack.stand_ins == {
        "999556493499": "private-pypi:domainOwner",
        "encrypted-3e23e816": "private-pypi:internalPackages[0]",
        "encrypted-2e7d2c03": "private-pypi:tags.publishers",
        "encrypted-18ac3e73": "private-pypi:publishers[0].packages",
    }
    run(lambda: load_args() and None, stack.config)


@pytest.mark.parametrize("key", ["internalPackages", "tags", "publishers"])
def test_what_is_encrypted_whole_gets_a_stand_in_that_the_program_takes(folder: Path, key: str) -> None:
    stack = read(folder, f"config: {{aws:region: eu-west-1, domain: acme, {key}: {{secure: a}}}}")

    (stand_in,) = stack.stand_ins
    assert stand_in in stack.config[f"private-pypi:{key}"]
    run(lambda: load_args() and None, stack.config)


def test_an_encrypted_list_gets_a_list_as_its_stand_in(folder: Path) -> None:
    stack = read(folder, "config: {readers: {secure: a}}")

    assert json.loads(stack.config["private-pypi:readers"]) == ["arn:aws:iam::000000000000:role/encrypted-ca978112"]


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


def test_an_encrypted_boolean_is_not_guessed(folder: Path) -> None:
    assert error_of(folder, "config: {protect: {secure: a}}") == (
        "Pulumi.test.yaml: private-pypi:protect is encrypted. Set it in plain: the preview needs its value"
    )


def test_an_encrypted_key_is_not_guessed(folder: Path) -> None:
    assert error_of(folder, "config: {encryptionKey: {secure: a}}") == (
        "Pulumi.test.yaml: private-pypi:encryptionKey is encrypted. Set it in plain: the ARN of a key is no secret"
    )


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
