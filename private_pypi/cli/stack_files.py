"""The config of a stack from `Pulumi.yaml` and `Pulumi.STACK.yaml`, as the Pulumi CLI gives it to the program.

Separate from `config`, which reads what the CLI has given: this stands in for the CLI where there is none.
The files are described at https://www.pulumi.com/docs/iac/concepts/projects/project-file/#config-options
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeGuard, cast

import yaml
from yaml.constructor import ConstructorError

from private_pypi.arns import partition_of
from private_pypi.keys import KEYS, NAMESPACE, Key


class StackFileError(Exception):
    """A project or stack file that is missing or cannot be read. Its text is for the user as it is."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Stack:
    """A stack as its files describe it."""

    name: str
    project: str
    config: Mapping[str, str]
    """By full key; lists and maps as JSON. This is the form in which the CLI gives config to a program."""
    stand_ins: Mapping[str, str]
    """The parts of `config` that stand for encrypted values, which are never decrypted, each with its path:
    `private-pypi:readers[0]`. Of what is encrypted anew the stand-in is another."""
    has_environments: bool
    """Whether Pulumi ESC environments, which nothing reads here, add to the config."""

    @property
    def region(self) -> str | None:
        """The region of the AWS provider, if the config names it in plain."""
        region = self.config.get("aws:region")
        return None if region in self.stand_ins else region

    @property
    def account(self) -> str | None:
        """The first of the accounts that the AWS provider may work in, if the config names one."""
        match = re.search(r"(?<![\w:])[0-9]{12}(?!\w)", self.config.get("aws:allowedAccountIds", ""))
        return match and match[0]


def has_stack(folder: Path, name: str) -> bool:
    """Whether there is a stack `name`, with or without its organization and project, in `folder`."""
    return (folder / "Pulumi.yaml").exists() and (folder / f"Pulumi.{name.rpartition('/')[2]}.yaml").exists()


def read_stack(folder: Path, name: str) -> Stack:
    """Read the stack `name`, with or without its organization and project, of the project in `folder`.

    Raises:
        StackFileError: there is no such project or stack, or the CLI would not take its config either.
    """
    name = name.rpartition("/")[2]
    project = _read_map(folder / "Pulumi.yaml")
    if "name" not in project:
        raise StackFileError("Pulumi.yaml: the project has no name")
    path = folder / f"Pulumi.{name}.yaml"
    if not path.exists():
        stacks = sorted(each.name.split(".", 1)[1].removesuffix(".yaml") for each in folder.glob("Pulumi.*.yaml"))
        raise StackFileError(f"there is no {path.name}; the stacks here are: {', '.join(stacks) or 'none'}")
    stack = _read_map(path)

    declared = _full_keys(project, project["name"], "Pulumi.yaml")
    defaults = {key: value for key, each in declared.items() if (value := _default(each)) is not None}
    values = defaults | _full_keys(stack, project["name"], path.name)
    own = {f"{NAMESPACE}:{name}": key for name, key in KEYS.items()}
    encrypted = _Encrypted(partition_of(str(values.get("aws:region"))))
    try:
        for key in sorted(own.keys() & values.keys()):
            _check_type(path.name, name, key, own[key], values[key])
        plain = {
            key: encrypted.replace(value, own[key].kind if key in own else None, path=key)
            for key, value in values.items()
        }
        config = {key: _text(value) for key, value in plain.items()}
    except (RecursionError, TypeError, ValueError) as error:  # no JSON: a list in itself, bytes, thousands of digits
        raise StackFileError(f"{path.name}: {error}") from None
    return Stack(
        name=name,
        project=project["name"],
        config=config,
        stand_ins=encrypted.stand_ins,
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


def _check_type(file_name: str, stack: str, full_key: str, key: Key, value: Any) -> None:
    """Refuse, in the CLI's words, what it refuses before it runs the program: a value of another type than declared."""
    if key.kind == "boolean" and _is_encrypted(value):
        why = "the preview needs its value"
        raise StackFileError(f"{file_name}: {full_key} is encrypted. Set it in plain: {why}")
    is_of_type = {
        "boolean": _text(value) in {"true", "false"},
        "string": not isinstance(value, list) and (not _is_map(value) or _is_encrypted(value)),
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


# What is in a value, by its kind: in each item of a list, and in the fields of a map.
_ITEMS = {"names": "name", "principals": "principal", "publishers": "publisher", "workflows": "workflow"}
_FIELDS = {
    "publisher": {"packages": "names", "principal": "principal"},
    "workflow": {"ownerId": "account", "packages": "names", "repository": "repository", "repositoryId": "account"},
}


class _Encrypted:
    """Puts a valid value in the place of each encrypted one, so that the program runs without the secret."""

    def __init__(self, partition: str) -> None:
        self._partition = partition
        self.stand_ins: dict[str, str] = {}

    def replace(self, value: Any, kind: str | None, *, path: str) -> Any:
        """`value` with nothing encrypted in it; what is all encrypted becomes one of its kind."""
        if _is_encrypted(value):
            return self._stand_in(kind, hashlib.sha256(value["secure"].encode()).hexdigest(), path)
        if isinstance(value, list):
            items = enumerate(cast("list[Any]", value))
            return [self.replace(item, _ITEMS.get(str(kind)), path=f"{path}[{index}]") for index, item in items]
        if _is_map(value):
            kinds = _FIELDS.get(str(kind), {})
            return {key: self.replace(item, kinds.get(key), path=f"{path}.{key}") for key, item in value.items()}
        return value

    def _stand_in(self, kind: str | None, digest: str, path: str) -> object:
        if kind in _ITEMS:
            return [self._stand_in(_ITEMS[kind], digest, path)]
        if kind == "workflow":
            return {
                "repository": self._stand_in("repository", digest, path),
                "tag": self._stand_in("text", digest, path),
            }
        name = f"encrypted-{digest[:8]}"
        if kind == "account":
            name = f"99{int(digest, 16) % 10**10:010}"
        elif kind in {"principal", "publisher"}:
            name = f"arn:{self._partition}:iam::000000000000:role/{name}"
        elif kind == "repository":
            name = f"hidden/{name}"
        self.stand_ins[name] = path
        return {name: ""} if kind == "map" else name
