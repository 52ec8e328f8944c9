"""Project and stack files as the Pulumi CLI reads them: YAML as go-yaml understands it, within limits.

What could be read in two ways is refused, so that nothing is reviewed which Pulumi does not see.
"""

import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, TypeGuard, cast

import yaml
from yaml.constructor import ConstructorError

from private_pypi.cli.errors import StackFileError
from private_pypi.errors import printable

MAX_BYTES = 500_000
"""Of a file. The policies, which have to hold what it lists, end at some thousand characters."""

MAX_LEVELS = 50
"""Of lists and maps in each other, aliases included. At some thousand the parser that is written in C overflows."""

MAX_NODES = 50_000
"""Of a file, with each alias counted as all that it stands for: nine lists of nine aliases each make a billion."""

_MERGE = "tag:yaml.org,2002:merge"


def read_map(folder: Path, name: str) -> dict[str, Any]:
    """Read the file at `name`, a path from `folder` on with slashes, which has to be a map.

    Raises:
        StackFileError: it is missing, no plain file, or nothing that is read here as Pulumi reads it.
    """
    _refuse_links(folder, PurePosixPath(name))
    try:
        with (folder / name).open("rb") as stream:
            data = stream.read(MAX_BYTES + 1)
        if len(data) > MAX_BYTES:
            raise StackFileError(f"{name}: the file has more than {MAX_BYTES:,} bytes")
        text = data.decode("utf-8-sig")
        _limit(text)
        content: Any = yaml.load(text, _Loader)  # noqa: S506  a safe one
    except (OSError, ValueError, yaml.YAMLError) as error:
        raise StackFileError(f"{name}: {error}") from None
    if content is None:
        return {}
    if not is_map(content):
        raise StackFileError(f"{name}: write the file as a map of keys to values")
    return content


def has(folder: Path, name: str) -> bool:
    """Whether there is anything at `name`, a path from `folder` on with slashes; a link to nothing is something."""
    return _mode(folder / name) != 0


def names(folder: Path) -> list[str]:
    """The names in a folder, sorted; of one that does not exist, or is none, there are none."""
    try:
        return sorted(os.listdir(folder))  # noqa: PTH208  names alone
    except (FileNotFoundError, NotADirectoryError):
        return []


def is_map(value: Any) -> TypeGuard[dict[str, Any]]:
    """Whether a value that was read is a map."""
    return isinstance(value, dict)


def _refuse_links(folder: Path, name: PurePosixPath) -> None:
    """Refuse what is not there as itself: in a copy of another revision a link would lead to the working tree."""
    path = folder
    for part in name.parts:
        path /= part
        mode = _mode(path)
        if not mode:
            raise StackFileError(f"there is no {name} in {folder}: run this in the project's folder")
        is_expected = stat.S_ISREG(mode) if path == folder / name else stat.S_ISDIR(mode)
        if not is_expected:
            what = "a link" if stat.S_ISLNK(mode) else "neither a file nor a folder of one"
            raise StackFileError(f"{name}: {path.relative_to(folder)} is {what}. Put the file itself there")


def _mode(path: Path) -> int:
    """The mode of what has this name in this case, on every file system; 0 where there is nothing."""
    return path.lstat().st_mode if path.name in names(path.parent) else 0


# Those that are written in C, where there are any: it is a command's time that is saved.
_SafeLoader: type[yaml.SafeLoader] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(kw_only=True, slots=True)
class _Collection:
    """A list or a map that has begun, with what is in it so far; or a value without any."""

    anchor: str | None
    nodes: int = 1
    levels: int = 1


def _limit(text: str) -> None:
    """Refuse a file by its events, which come one at a time, before anything is composed of them."""
    begun, anchored = [_Collection(anchor=None)], dict[str, _Collection]()
    events: Iterator[Any] = cast("Any", yaml).parse(text, _SafeLoader)
    for event in events:
        if isinstance(event, yaml.CollectionStartEvent):
            _refuse_tag(event)
            begun.append(_Collection(anchor=event.anchor))
        elif isinstance(event, (yaml.CollectionEndEvent, yaml.ScalarEvent, yaml.AliasEvent)):
            ended = begun.pop() if isinstance(event, yaml.CollectionEndEvent) else _leaf(event, anchored)
            if ended.anchor:
                anchored[ended.anchor] = ended
            begun[-1].nodes += ended.nodes
            begun[-1].levels = max(begun[-1].levels, 1 + ended.levels)
        if begun[-1].nodes > MAX_NODES or len(begun) + begun[-1].levels > MAX_LEVELS:
            what = f"more than {MAX_NODES:,} values, or than {MAX_LEVELS} lists and maps in each other"
            raise ConstructorError(None, None, what, event.start_mark)


def _leaf(event: Any, anchored: Mapping[str, _Collection]) -> _Collection:
    if isinstance(event, yaml.ScalarEvent):
        _refuse_tag(event)
        return _Collection(anchor=event.anchor, levels=0)
    if event.anchor not in anchored:
        raise ConstructorError(None, None, f"the alias {event.anchor} of nothing before it", event.start_mark)
    return anchored[event.anchor]


def _refuse_tag(event: Any) -> None:
    """Refuse `!!float 0o7` and `! 012`: what these are, no two readers of YAML agree on."""
    if event.tag is not None:
        raise ConstructorError(None, None, f"the tag {event.tag}: write the value without it", event.start_mark)


class _Loader(_SafeLoader):
    """Reads YAML as the CLI does: `no` is text, digits after a zero are a number, and no key stands twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        first: dict[str, yaml.Node] = {}
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise ConstructorError(None, None, "a key is one word", key.start_mark)
            if first.setdefault(key.value, key) is not key:
                raise ConstructorError(None, None, f"the key {printable(key.value)} stands twice", key.start_mark)
            if key.tag not in {_MERGE, "tag:yaml.org,2002:str"}:  # to Python `1` and `true` are one key
                raise ConstructorError(
                    None, None, f"the key {printable(key.value)}: write it in quotes", key.start_mark
                )
            if key.value == "<<" and key.tag != _MERGE:  # when Pulumi writes it anew it is one
                raise ConstructorError(None, None, "the key << in quotes merges too: write it without", key.start_mark)
        return super().construct_mapping(node, deep)

    def construct_date(self, node: yaml.ScalarNode) -> str:
        raise ConstructorError(None, None, f"the date {node.value}: write it in quotes", node.start_mark)

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
        (_MERGE, re.compile(r"<<\Z")),
        ("tag:yaml.org,2002:null", re.compile(r"(~|null|Null|NULL|)\Z")),
        ("tag:yaml.org,2002:bool", re.compile(r"(true|True|TRUE|false|False|FALSE)\Z")),
        ("!number", re.compile(r"[-+]?(0[xX][0-9a-fA-F_]+|0[oO][0-7_]+|0[bB][01_]+)\Z")),
        ("!number", re.compile(r"[-+]?(\.[0-9]+|[0-9][0-9_]*(\.[0-9]*)?)([eE][-+]?[0-9]+)?\Z")),
        ("!date", re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}([Tt ].*)?\Z")),
    ]
}
_Loader.add_constructor("!date", _Loader.construct_date)
_Loader.add_constructor("!number", _Loader.construct_number)
