import json
import os
from pathlib import Path

import pytest

from private_pypi.cli.errors import StackFileError
from private_pypi.cli.stack_files import Stack, has_stack, is_stack_file, read_stack

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
        file="Pulumi.test.yaml",
        settings={"aws:region": "us-west-2"},
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
        ('"2001-01-01"', "2001-01-01"),
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
    with pytest.raises(StackFileError, match=r"^there is no stacks/Pulumi\.test\.yaml; the stacks here are: dev$"):
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


@pytest.mark.parametrize("other", ["private-pypi:domain", "private-pypi:config:domain"])
def test_a_key_that_stands_in_two_spellings_is_an_error(folder: Path, other: str) -> None:
    """The CLI takes one of the two by chance."""
    assert error_of(folder, f"config: {{domain: a, {other}: b}}") == (
        "Pulumi.test.yaml: the key private-pypi:domain stands twice, in two spellings"
    )


def test_a_key_may_have_config_after_its_namespace(folder: Path) -> None:
    """As it had in old stack files. The CLI takes it for the key without."""
    stack = read(folder, "config: {aws:config:region: cn-north-1, private-pypi:config:domain: acme}")

    assert stack.region == "cn-north-1"
    assert stack.config["private-pypi:domain"] == "acme"
    (folder / "Pulumi.yaml").write_text("name: private-pypi\nconfig: {aws:config:region: {value: eu-west-1}}")
    assert read(folder, "").region == "eu-west-1"


@pytest.mark.parametrize("key", ["a:b:c", "a:b:config:c", "a:config:b:c"])
def test_what_the_cli_takes_for_no_key_is_an_error(folder: Path, key: str) -> None:
    assert error_of(folder, f"config: {{? {key} : x}}") == (
        f"Pulumi.test.yaml: {key} is no key: write it as NAMESPACE:KEY"
    )


@pytest.mark.parametrize("key", ["1", "true", "1.5", "~", "2001-01-01"])
@pytest.mark.parametrize("file", ["{}: x", "config: {{? {} : x}}", "config: {{a: {{? {} : x}}}}"])
def test_a_key_that_is_no_text_is_an_error(folder: Path, file: str, key: str) -> None:
    """To Python `1` and `true` are one key."""
    error = f"Pulumi.test.yaml: the key {key}: write it in quotes\n"
    assert error_of(folder, file.format(key)).startswith(error)


@pytest.mark.parametrize(
    ("config", "key", "type_"),
    [
        ("protect: maybe", "protect", "boolean"),
        ("protect: [true]", "protect", "boolean"),
        ("domain: [a]", "domain", "string"),
        ("repository: {a: b}", "repository", "string"),
    ],
)
def test_a_value_of_another_type_than_declared_is_refused_in_the_words_of_the_cli(
    folder: Path, config: str, key: str, type_: str
) -> None:
    message = f"validating stack config: Stack 'test' with configuration key '{key}' must be of type '{type_}'"

    assert error_of(folder, f"config: {{{config}}}") == message


def test_where_no_type_is_declared_the_program_says_what_it_takes(folder: Path) -> None:
    (folder / "Pulumi.yaml").write_text("name: private-pypi\nconfig: {protect: true}")

    assert read(folder, "config: {protect: maybe, domain: [a]}").config == {
        "private-pypi:protect": "maybe",
        "private-pypi:domain": '["a"]',
    }


@pytest.mark.parametrize("value", ["&a [*a]", "!!binary aGk=", f"0x{'f' * 5000}"])
def test_what_no_json_holds_is_an_error(folder: Path, value: str) -> None:
    assert error_of(folder, f"config: {{readers: [{value}]}}").startswith("Pulumi.test.yaml: ")


def test_an_encrypted_region_is_no_region(folder: Path) -> None:
    assert read(folder, "config: {aws:region: {secure: a}}").region is None


def test_a_project_without_a_name_is_an_error(folder: Path) -> None:
    (folder / "Pulumi.yaml").write_text("runtime: python")

    assert error_of(folder, "") == "Pulumi.yaml: the project has no name"


@pytest.mark.parametrize("field", ["main", "stackConfigDir", "config"])
def test_what_no_file_can_be_called_is_no_path(folder: Path, field: str) -> None:
    (folder / "Pulumi.yaml").write_text(f'name: a\nruntime: python\n{field}: "a\\0b"\n')

    assert error_of(folder, "") == f"Pulumi.yaml: {field} is no path"


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


@pytest.mark.parametrize("text", ["text", "[]"])
def test_what_is_no_map_is_an_error(folder: Path, text: str) -> None:
    assert error_of(folder, text) == "Pulumi.test.yaml: write the file as a map of keys to values"


@pytest.mark.parametrize("config", ["[a]", "text", "false"])
def test_a_config_that_is_no_map_is_an_error(folder: Path, config: str) -> None:
    assert error_of(folder, f"config: {config}") == ("Pulumi.test.yaml: write its `config` as a map of keys to values")


def test_what_else_the_files_say_is_kept(folder: Path) -> None:
    stack = read(
        folder,
        """\
secretsprovider: awskms://alias/key
environment: [prod]
unheard-of: {a: 1}
config: {aws:profile: admin, aws:secretKey: {secure: x}, domain: acme}
""",
    )

    assert stack.settings == {
        "secretsprovider": "awskms://alias/key",
        "environment": ["prod"],
        "unheard-of": {"a": 1},
        "aws:region": "eu-west-1",
        "aws:profile": "admin",
        "aws:secretKey": {"secure": "x"},
    }


@pytest.mark.parametrize("project", ["stackConfigDir: stacks/here", "config: ./stacks/here/", "config: /stacks/here"])
def test_stack_files_may_be_in_a_folder_of_their_own(folder: Path, project: str) -> None:
    (folder / "Pulumi.yaml").write_text(f"name: private-pypi\n{project}\n")
    assert not has_stack(folder, "test")
    (folder / "stacks/here").mkdir(parents=True)
    assert not has_stack(folder, "test")
    (folder / "stacks/here/Pulumi.test.yaml").write_text("config: {domain: acme}")
    (folder / "Pulumi.test.yaml").write_text("config: {domain: other}")

    stack = read_stack(folder, "test")
    assert (stack.file, stack.config) == ("stacks/here/Pulumi.test.yaml", {"private-pypi:domain": "acme"})
    assert has_stack(folder, "acme/private-pypi/test")


def test_stack_files_outside_of_the_project_are_not_read(folder: Path) -> None:
    (folder / "Pulumi.yaml").write_text("name: private-pypi\nstackConfigDir: stacks/../../elsewhere\n")

    error = "Pulumi.yaml: the stack files are outside of the project's folder, in stacks/../../elsewhere"
    assert error_of(folder, "") == error
    with pytest.raises(StackFileError):
        has_stack(folder, "test")


@pytest.mark.parametrize("other", ["Pulumi.test.yml", "Pulumi.test.json", "Pulumi.TEST.yaml", "pulumi.Test.YAML"])
def test_another_spelling_of_the_stack_file_is_an_error(folder: Path, other: str) -> None:
    (folder / other).touch()

    assert error_of(folder, "") == (
        f"Pulumi.test.yaml: it depends on the machine whether Pulumi reads this or {other}. Leave one of them"
    )


@pytest.mark.parametrize("other", ["Pulumi.json", "pulumi.JSON"])
def test_a_project_file_that_pulumi_takes_before_ours_is_an_error(folder: Path, other: str) -> None:
    (folder / other).touch()

    assert error_of(folder, "") == f"{other}: Pulumi reads this as the project file. Name it Pulumi.yaml"


def test_a_project_file_of_another_name_is_an_error(folder: Path) -> None:
    (folder / "Pulumi.yml").write_text(PROJECT)
    read(folder, "")  # beside Pulumi.yaml nothing reads it

    (folder / "Pulumi.yaml").unlink()
    error = "Pulumi.yml: Pulumi reads this as the project file. Name it Pulumi.yaml"
    assert error_of(folder, "") == error
    with pytest.raises(StackFileError):
        has_stack(folder, "test")


@pytest.mark.parametrize("name", ["Pulumi.yaml", "Pulumi.test.yaml"])
@pytest.mark.parametrize("target", ["same folder", "/elsewhere", "nothing"])
def test_a_link_is_no_file(folder: Path, tmp_path_factory: pytest.TempPathFactory, name: str, target: str) -> None:
    (folder / "Pulumi.test.yaml").write_text("")
    content = (folder / name).read_text()
    (folder / name).unlink()
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "file"
    for path in (folder / "same folder", elsewhere):
        path.write_text(content)
    (folder / name).symlink_to(elsewhere if target == "/elsewhere" else target)

    assert has_stack(folder, "test") if name != "Pulumi.yaml" else True
    with pytest.raises(StackFileError) as error:
        read_stack(folder, "test")
    assert str(error.value) == f"{name}: {name} is a link. Put the file itself there"


def test_a_folder_on_the_way_to_a_stack_file_is_no_link(folder: Path) -> None:
    (folder / "Pulumi.yaml").write_text("name: private-pypi\nstackConfigDir: stacks\n")
    (folder / "elsewhere").mkdir()
    (folder / "elsewhere/Pulumi.test.yaml").touch()
    (folder / "stacks").symlink_to("elsewhere")

    with pytest.raises(StackFileError) as error:
        read_stack(folder, "test")
    assert str(error.value) == "stacks/Pulumi.test.yaml: stacks is a link. Put the file itself there"


def test_a_folder_or_a_pipe_is_no_stack_file(folder: Path) -> None:
    os.mkfifo(folder / "Pulumi.pipe.yaml")
    (folder / "Pulumi.test.yaml").mkdir()

    for name in ("test", "pipe"):
        with pytest.raises(StackFileError) as error:
            read_stack(folder, name)
        file = f"Pulumi.{name}.yaml"
        assert str(error.value) == f"{file}: {file} is neither a file nor a folder of one. Put the file itself there"


@pytest.mark.parametrize("key", ['"<<"', "'<<'"])
@pytest.mark.parametrize(
    "file", ["{}: {{config: {{a: b}}}}", "config: {{{}: {{a: b}}}}", "config: {{a: {{{}: {{a: b}}}}}}"]
)
def test_a_merge_in_quotes_is_an_error(folder: Path, file: str, key: str) -> None:
    """Read as text by the CLI, written anew without the quotes, and merged when it reads that."""
    error = "Pulumi.test.yaml: the key << in quotes merges too: write it without\n"
    assert error_of(folder, file.format(key)).startswith(error)


@pytest.mark.parametrize("value", ["!!str 012", "! 012", "!!int '7'", "!own [a]", "!!map {a: b}"])
def test_a_tag_is_an_error(folder: Path, value: str) -> None:
    assert error_of(folder, f"config: {{a: {value}}}").startswith("Pulumi.test.yaml: the tag ")


@pytest.mark.parametrize("value", ["2001-01-01", "2001-1-1", "2001-12-14t21:59:43.10-05:00", "2001-12-14 21:59:43"])
def test_a_date_without_quotes_is_an_error(folder: Path, value: str) -> None:
    """The CLI makes another text of it: `2001-01-01 00:00:00 +0000 UTC`."""
    error = f"Pulumi.test.yaml: the date {value}: write it in quotes\n"
    assert error_of(folder, f"config:\n  a: {value}\n").startswith(error)


def test_a_byte_order_mark_is_no_text(folder: Path) -> None:
    assert read(folder, "\ufeffconfig: {domain: acme}").config["private-pypi:domain"] == "acme"


@pytest.mark.untraced
@pytest.mark.parametrize(
    "text",
    [
        f"unread: {'[' * 30_000}{']' * 30_000}",
        f"unread: {'{a: ' * 60}{'}' * 60}",
        f"config: {{a: {'- ' * 30_000}}}".replace("{a: ", "\n  a:\n  ").rstrip("}"),
        f"a: &a {'[' * 30}{']' * 30}\nb: {'[' * 30}*a{']' * 30}",
        f"a: [{'a,' * 60_000}]",
        "a: &a [x, x]\nb0: &b0 [*a]\n"
        + "".join(f"b{i + 1}: &b{i + 1} [{', '.join([f'*b{i}'] * 9)}]\n" for i in range(9)),
    ],
    ids=["lists", "maps", "hyphens", "an alias", "many", "a bomb"],
)
def test_a_file_of_more_than_anybody_writes_is_an_error(folder: Path, text: str) -> None:
    """Where it is read with the parser written in C, without limits, the process dies of it."""
    assert error_of(folder, text).startswith(
        "Pulumi.test.yaml: more than 50,000 values, or than 50 lists and maps in each other\n"
    )


def test_as_much_as_the_limits_allow_is_read(folder: Path) -> None:
    assert read(folder, f"a: &a {'[' * 20}x{']' * 20}\nb: {'[' * 20}*a{']' * 20}\nc: {{d: [{'*a, ' * 1000}]}}").settings


def test_a_file_of_more_bytes_than_anybody_writes_is_an_error(folder: Path) -> None:
    read(folder, "#" * 500_000)

    assert error_of(folder, "#" * 500_001) == "Pulumi.test.yaml: the file has more than 500,000 bytes"


@pytest.mark.parametrize("text", ["a: &a [*a]", "a: *b", "a: *b\nb: &b x"])
def test_an_alias_of_nothing_before_it_is_an_error(folder: Path, text: str) -> None:
    assert " of nothing before it\n" in error_of(folder, text)


@pytest.mark.parametrize("name", ["Pulumi.dev.yaml", "Pulumi.a_b.c-9.yaml", f"Pulumi.{'a' * 100}.yaml"])
def test_stack_files_are_known_by_their_names(name: str) -> None:
    assert is_stack_file(name)


@pytest.mark.parametrize(
    "name", ["Pulumi.yaml", "Pulumi..yaml", "Pulumi.dev.yml", "pulumi.dev.yaml", "Pulumi.dev.yaml\n", "Pulumi.a b.yaml"]
)
def test_other_files_are_no_stack_files(name: str) -> None:
    assert not is_stack_file(name)


@pytest.mark.parametrize(
    "key", ['"a:b:c\\n::error::"', '"x\\nerror": 1\n  "x\\nerror"', '"private-pypi:x\\ny": 1\n  "x\\ny"']
)
def test_a_key_forges_no_line(folder: Path, key: str) -> None:
    (folder / "Pulumi.dev.yaml").write_text(f"config:\n  {key}: 1\n")

    with pytest.raises(StackFileError) as error:
        read_stack(folder, "dev")
    first, *more = str(error.value).splitlines()
    assert "\\n" in first
    assert not [line for line in more if not line.startswith("  in ")]
