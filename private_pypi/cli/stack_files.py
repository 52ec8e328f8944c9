"""The config of a stack from `Pulumi.yaml` and `Pulumi.STACK.yaml`, as the Pulumi CLI gives it to the program.

Separate from `config`, which reads what the CLI has given: this stands in for the CLI where there is none.
The files are described at https://www.pulumi.com/docs/iac/concepts/projects/project-file/#config-options
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Any, cast

from private_pypi.cli.errors import StackFileError
from private_pypi.cli.yaml_files import has, is_map, names, read_map
from private_pypi.errors import printable
from private_pypi.keys import KEYS, NAMESPACE

_PROJECT = "Pulumi.yaml"
SECRET = "[secret]"  # noqa: S105  it stands for what is encrypted, which is never decrypted here


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
    file: str = ""
    """The stack file, as a path from the project's folder on."""
    settings: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What else the files say: the stack file's other fields by name, and other namespaces' config by full key."""

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
    return _has_project(folder) and has(folder, _stack_file(_read_project(folder), name))


def read_stack(folder: Path, name: str) -> Stack:
    """Read the stack `name`, with or without its organization and project, of the project in `folder`.

    Raises:
        StackFileError: there is no such project or stack, or the CLI would not take its config either, or not this.
    """
    project = _read_project(folder)
    name = name.rpartition("/")[2]
    file = _stack_file(project, name)
    path = folder / file
    beside = names(path.parent)
    if not has(folder, file):
        stacks = [each.removeprefix("Pulumi.").removesuffix(".yaml") for each in beside if is_stack_file(each)]
        raise StackFileError(f"there is no {file}; the stacks here are: {', '.join(stacks) or 'none'}")
    spellings = {f"pulumi.{name}.{ending}".casefold() for ending in ("yaml", "yml", "json")}
    if others := [each for each in beside if each.casefold() in spellings and each != path.name]:
        why = f"it depends on the machine whether Pulumi reads this or {' or '.join(others)}"
        raise StackFileError(f"{file}: {why}. Leave one of them")
    stack = read_map(folder, file)

    declared = _full_keys(project, project["name"], _PROJECT)
    defaults = {key: value for key, each in declared.items() if (value := _default(each)) is not None}
    values = defaults | _full_keys(stack, project["name"], file)
    own = {f"{NAMESPACE}:{name}" for name in KEYS}
    try:
        for key in sorted(own & declared.keys() & values.keys()):
            _check_type(name, key, declared[key], values[key])
        plain = {key: _plain(value) for key, value in values.items()}
        config = {key: _text(value) for key, value in plain.items()}
    except (RecursionError, TypeError, ValueError) as error:  # no JSON: a list in itself, bytes, thousands of digits
        raise StackFileError(f"{file}: {error}") from None
    return Stack(
        name=name,
        project=project["name"],
        config=config,
        secret_keys=tuple(key for key, value in values.items() if plain[key] != value),
        main=str(project.get("main") or "."),
        has_environments="environment" in stack,
        file=file,
        settings={field: value for field, value in stack.items() if field != "config"}
        | {key: value for key, value in values.items() if not key.startswith(f"{NAMESPACE}:")},
    )


def is_stack_file(name: str) -> bool:
    """Whether a file has the name of a stack file, by what the CLI takes for the name of a stack."""
    return re.fullmatch(r"Pulumi\.[A-Za-z0-9_.-]{1,100}\.yaml", name) is not None


def _has_project(folder: Path) -> bool:
    """Whether there is a project file, be it one that is not read here."""
    return any(name.casefold() in {"pulumi.json", "pulumi.yaml", "pulumi.yml"} for name in names(folder))


def _read_project(folder: Path) -> dict[str, Any]:
    """The project file. Pulumi looks for Pulumi.json first, then Pulumi.yaml and Pulumi.yml."""
    for name in names(folder):
        is_first = name.casefold() == "pulumi.json"
        if is_first or (name.casefold() in {"pulumi.yaml", "pulumi.yml"} and _PROJECT not in names(folder)):
            raise StackFileError(f"{name}: Pulumi reads this as the project file. Name it {_PROJECT}")
    project = read_map(folder, _PROJECT)
    if not isinstance(project.get("name"), str):
        raise StackFileError(f"{_PROJECT}: the project has no name")
    for path in ("main", "stackConfigDir", "config"):
        if "\0" in str(project.get(path)):
            raise StackFileError(f"{_PROJECT}: {path} is no path")
    return project


def _stack_file(project: Mapping[str, Any], name: str) -> str:
    """The path of a stack file from the project's folder on.

    Raises:
        StackFileError: it is outside of that folder.
    """
    folder = project.get("stackConfigDir")
    if isinstance(project.get("config"), str):  # what this was called once
        folder = project["config"]
    path = PurePosixPath(str(folder or "").replace("\\", "/").lstrip("/"))
    if ".." in path.parts:
        raise StackFileError(f"{_PROJECT}: the stack files are outside of the project's folder, in {folder}")
    return str(path / f"Pulumi.{name.rpartition('/')[2]}.yaml")


def _full_keys(file: dict[str, Any], namespace: str, file_name: str) -> dict[str, Any]:
    """The config of a file by full key: `repository` is `private-pypi:repository`, `aws:config:region` `aws:region`.

    https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/config/key.go
    """
    config: Any = file.get("config")
    if config is None or (file_name == _PROJECT and isinstance(config, str)):
        return {}
    if not is_map(config):
        raise StackFileError(f"{file_name}: write its `config` as a map of keys to values")
    full_keys: dict[str, Any] = {}
    for key, value in config.items():
        match key.split(":"):
            case [name]:
                full_key = f"{namespace}:{name}"
            case [key_namespace, name] | [key_namespace, "config", name]:
                full_key = f"{key_namespace}:{name}"
            case _:
                raise StackFileError(f"{file_name}: {printable(key)} is no key: write it as NAMESPACE:KEY")
        if full_key in full_keys:
            raise StackFileError(f"{file_name}: the key {printable(full_key)} stands twice, in two spellings")
        full_keys[full_key] = value
    return full_keys


def _default(declared: Any) -> Any:
    """What the project file gives a key: the value itself, or the one in its declaration."""
    return declared.get("value", declared.get("default")) if is_map(declared) else declared


def _check_type(stack: str, full_key: str, declared: Any, value: Any) -> None:
    """Refuse, in the CLI's words, what it refuses before it runs the program: a value of another type than declared."""
    kind = str(declared.get("type")) if is_map(declared) else ""
    if _is_encrypted(value):
        return  # the program refuses what is encrypted, with the reason
    is_of_type = {
        "boolean": _text(value) in {"true", "false"},
        "string": not isinstance(value, list) and not is_map(value),
    }
    if not is_of_type.get(kind, True):
        found = f"Stack '{stack}' with configuration key '{full_key.partition(':')[2]}' must be of type '{kind}'"
        raise StackFileError(f"validating stack config: {found}")


def _text(value: object) -> str:
    match value:
        case None:
            return ""
        case bool() | list() | dict():
            return json.dumps(value)
        case _:
            return str(value)


def _is_encrypted(value: Any) -> bool:
    return is_map(value) and value.keys() == {"secure"} and isinstance(value["secure"], str)


def _plain(value: Any) -> Any:
    """`value` with `[secret]` for each part that is encrypted: nothing is decrypted here."""
    if _is_encrypted(value):
        return SECRET
    if isinstance(value, list):
        return [_plain(item) for item in cast("list[Any]", value)]
    return {key: _plain(item) for key, item in value.items()} if is_map(value) else value
