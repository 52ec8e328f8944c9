"""The config of a stack from `Pulumi.yaml` and `Pulumi.STACK.yaml`, as the Pulumi CLI gives it to the program.

Separate from `config`, which reads what the CLI has given: this stands in for the CLI where there is none.
The files are described at https://www.pulumi.com/docs/iac/concepts/projects/project-file/#config-options
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard, cast

import yaml
from yaml.constructor import ConstructorError

from private_pypi.cli.errors import StackFileError
from private_pypi.keys import KEYS, NAMESPACE, Key


@dataclass(frozen=True, kw_only=True, slots=True)
class Stack:
    """A stack as its files describe it."""

    name: str
    project: str
    config: Mapping[str, str]
    """By full key; lists and maps as JSON. This is the form in which the CLI gives config to a program."""
    secret_keys: tuple[str, ...]
    """The keys of which the value, or a part of it, is encrypted."""
    main: str
    """The program, or its folder, from the project's folder on."""
    has_environments: bool
    """Whether Pulumi ESC environments, which nothing reads here, add to the config."""

    @property
    def region(self) -> str | None:
        """The region of the AWS provider, if the config names it in plain."""
        region = self.config.get("aws:region")
        return None if "aws:region" in self.secret_keys else region

    @property
    def account(self) -> str | None:
        """The first of the accounts that the AWS provider may work in, if the config names one."""
        match = re.search(r"(?<![\w:])[0-9]{12}(?!\w)", self.config.get("aws:allowedAccountIds", ""))
        return match and match[0]


def has_stack(folder: Path, name: str) -> bool:
    """Whether there is a stack `name`, with or without its organization and project, in `folder`.

    Raises:
        StackFileError: the project file cannot be read.
    """
    return (folder / "Pulumi.yaml").exists() and _stack_file(folder, _read_map(folder / "Pulumi.yaml"), name).exists()


def _stack_file(folder: Path, project: Mapping[str, Any], name: str) -> Path:
    return folder / str(project.get("stackConfigDir") or "") / f"Pulumi.{name.rpartition('/')[2]}.yaml"


def read_stack(folder: Path, name: str) -> Stack:
    """Read the stack `name`, with or without its organization and project, of the project in `folder`.

    Raises:
        StackFileError: there is no such project or stack, or the CLI would not take its config either.
    """
    name = name.rpartition("/")[2]
    project = _read_map(folder / "Pulumi.yaml")
    if "name" not in project:
        raise StackFileError("Pulumi.yaml: the project has no name")
    path = _stack_file(folder, project, name)
    if not path.exists():
        stacks = sorted(each.name.split(".", 1)[1].removesuffix(".yaml") for each in path.parent.glob("Pulumi.*.yaml"))
        raise StackFileError(f"there is no {path.name}; the stacks here are: {', '.join(stacks) or 'none'}")
    stack = _read_map(path)

    declared = _full_keys(project, project["name"], "Pulumi.yaml")
    defaults = {key: value for key, each in declared.items() if (value := _default(each)) is not None}
    values = defaults | _full_keys(stack, project["name"], path.name)
    own = {f"{NAMESPACE}:{name}": key for name, key in KEYS.items()}
    try:
        for key in sorted(own.keys() & values.keys()):
            _check_type(name, key, own[key], values[key])
        plain = {key: _plain(value) for key, value in values.items()}
        config = {key: _text(value) for key, value in plain.items()}
    except (RecursionError, TypeError, ValueError) as error:  # no JSON: a list in itself, bytes, thousands of digits
        raise StackFileError(f"{path.name}: {error}") from None
    return Stack(
        name=name,
        project=project["name"],
        config=config,
        secret_keys=tuple(key for key, value in values.items() if plain[key] != value),
        main=str(project.get("main") or "."),
        has_environments="environment" in stack,
    )


# The one written in C where there is one: it is a command's time that is saved.
_SafeLoader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _Loader(_SafeLoader):
    """Reads YAML as the CLI does: `no` is text, digits after a zero are a number, and no key stands twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        first: dict[str, yaml.Node] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise ConstructorError(None, None, "a key is one word", key.start_mark)
            if first.setdefault(key.value, key) is not key:
                raise ConstructorError(None, None, f"the key {key.value} stands twice", key.start_mark)
        return super().construct_mapping(node, deep)

    def construct_number(self, node: yaml.ScalarNode) -> float:
        text = node.value.replace("_", "")
        if re.fullmatch("[-+]?0[0-7]+", text):
            return int(text, 8)
        if re.fullmatch("[-+]?[0-9]+", text):
            return int(text)
        if re.match("[-+]?0[xXoObB]", text):
            return int(text, 0)
        number = float(text)
        return int(number) if number.is_integer() else number


# The scalars of go-yaml, with which the CLI reads: YAML 1.2 (https://yaml.org/spec/1.2.2/#103-core-schema) and some of
# YAML 1.1, which is PyYAML's own.
_Loader.yaml_implicit_resolvers = {
    None: [
        ("tag:yaml.org,2002:merge", re.compile(r"<<\Z")),
        ("tag:yaml.org,2002:null", re.compile(r"(~|null|Null|NULL|)\Z")),
        ("tag:yaml.org,2002:bool", re.compile(r"(true|True|TRUE|false|False|FALSE)\Z")),
        ("!number", re.compile(r"[-+]?(0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+)\Z")),
        ("!number", re.compile(r"[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")),
    ]
}
_Loader.add_constructor("!number", _Loader.construct_number)


def _read_map(path: Path) -> dict[str, Any]:
    try:
        with path.open(encoding="utf-8") as stream:
            content = yaml.load(stream, _Loader) or dict[str, Any]()  # noqa: S506  a safe one
    except FileNotFoundError:
        raise StackFileError(f"there is no {path.name} in {path.parent}: run this in the project's folder") from None
    except (OSError, RecursionError, ValueError, yaml.YAMLError) as error:
        raise StackFileError(f"{path.name}: {error}") from None
    if not _is_map(content) or not _is_map(content.get("config") or {}):
        raise StackFileError(f"{path.name}: write the file and its `config` as maps of keys to values")
    return content


def _full_keys(file: dict[str, Any], namespace: str, file_name: str) -> dict[str, Any]:
    """The config of a file by full key; `repository` is `private-pypi:repository`, and may not stand beside it."""
    config: dict[Any, Any] = file.get("config") or {}
    full_keys: dict[str, Any] = {}
    for key, value in config.items():
        full_key = key if ":" in str(key) else f"{namespace}:{key}"
        if full_key in full_keys:
            raise StackFileError(f"{file_name}: the key {full_key} stands twice, with and without its namespace")
        full_keys[full_key] = value
    return full_keys


def _default(declared: Any) -> Any:
    """What the project file gives a key: the value itself, or the one in its declaration."""
    return declared.get("value", declared.get("default")) if _is_map(declared) else declared


def _check_type(stack: str, full_key: str, key: Key, value: Any) -> None:
    """Refuse, in the CLI's words, what it refuses before it runs the program: a value of another type than declared."""
    if _is_encrypted(value):
        return  # the program refuses it, with the reason
    is_of_type = {
        "boolean": _text(value) in {"true", "false"},
        "string": not isinstance(value, list) and not _is_map(value),
    }
    if key.type and not is_of_type[key.type]:
        found = f"Stack '{stack}' with configuration key '{full_key.partition(':')[2]}' must be of type '{key.type}'"
        raise StackFileError(f"validating stack config: {found}")


def _is_map(value: Any) -> TypeGuard[dict[str, Any]]:
    return isinstance(value, dict)


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool() | list() | dict():
            return json.dumps(value)
        case _:
            return str(value)


def _is_encrypted(value: Any) -> bool:
    return _is_map(value) and value.keys() == {"secure"} and isinstance(value["secure"], str)


def _plain(value: Any) -> Any:
    """`value` with `[secret]` for each part that is encrypted: nothing is decrypted here."""
    if _is_encrypted(value):
        return "[secret]"
    if isinstance(value, list):
        return [_plain(item) for item in cast("list[Any]", value)]
    return {key: _plain(item) for key, item in value.items()} if _is_map(value) else value
