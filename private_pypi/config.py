"""The stack's config, read and checked as a whole before anything is registered: the one reader of `pulumi.Config`."""

import dataclasses
import difflib
import json
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import TypeVar, cast

import pulumi
from pulumi.runtime.config import CONFIG, is_config_secret

from private_pypi.component import PrivatePypiArgs, look_up_region
from private_pypi.errors import InvalidValueError
from private_pypi.names import parse_description, parse_domain_name, parse_repository_name, partition_of
from private_pypi.principals import Principal

T = TypeVar("T")

_DEFAULTS = {field.name: field.default for field in dataclasses.fields(PrivatePypiArgs)}


def load_args() -> PrivatePypiArgs:
    """The component's args from the stack's config, namespace `private-pypi`.

    Raises:
        pulumi.RunError: the config has mistakes. Its text lists all of them, each with its key, and nothing has
            been registered.
    """
    partition = partition_of(pulumi.Config("aws").get("region") or look_up_region())

    def principal(value: object) -> Principal:
        return Principal.parse(value, partition=partition)

    config = _Reader("private-pypi")
    args = PrivatePypiArgs(
        domain=config.text("domain", parse_domain_name),
        repository=config.text("repository", parse_repository_name),
        description=config.text("description", parse_description),
        readers=config.items("readers", principal),
        publishers=config.items("publishers", principal),
        protect=config.boolean("protect"),
    )
    config.finish()
    return args


class _Reader:
    """Typed reads of one namespace. A read that meets a mistake notes it and goes on; `finish` raises for them all."""

    def __init__(self, namespace: str) -> None:
        self._config = pulumi.Config(namespace)
        self._keys: list[str] = []
        self._mistakes: list[str] = []

    def text(self, key: str, parse: Callable[[str], str]) -> str:
        with self._noting(key):
            text = self._read(key)
            if not text and _DEFAULTS[key] is dataclasses.MISSING:
                command = f"pulumi config set {self._config.full_key(key)} NAME"
                raise InvalidValueError(got="nothing", takes=f"the name of the {key}", fix=command)
            if text is not None:
                return parse(text)
        return str(_DEFAULTS[key])

    def boolean(self, key: str) -> bool:
        with self._noting(key):
            text = self._read(key)
            if text in {"true", "false"}:
                return text == "true"
            if text is not None:
                raise InvalidValueError(got=repr(text), takes="true or false", fix="write one of these")
        return bool(_DEFAULTS[key])

    def items(self, key: str, parse: Callable[[object], T]) -> tuple[T, ...]:
        items: list[T] = []
        with self._noting(key):
            for index, item in enumerate(_parse_list(self._read(key))):
                with self._noting(f"{key}[{index}]"):
                    items.append(parse(item))
        return tuple(items)

    def finish(self) -> None:
        """Refuse the keys of the namespace that nothing has read, and raise for every mistake so far."""
        namespace = self._config.full_key("")
        for full_key in sorted(CONFIG.get()):
            key = full_key.removeprefix(namespace)
            if full_key.startswith(namespace) and key not in self._keys:
                near = difflib.get_close_matches(key, self._keys, n=1)
                fix = f"did you mean `{near[0]}`?" if near else f"pulumi config rm {full_key}"
                with self._noting(key):
                    raise InvalidValueError(got="a key that does not exist", takes=", ".join(self._keys), fix=fix)
        if self._mistakes:
            count = "a mistake" if len(self._mistakes) == 1 else f"{len(self._mistakes)} mistakes"
            raise pulumi.RunError("\n".join([f"{count} in the config; nothing was changed.", *self._mistakes]))

    def _read(self, key: str) -> str | None:
        self._keys.append(key)
        return self._config.get(key)

    @contextmanager
    def _noting(self, path: str) -> Generator[None]:
        """Note a mistake at `path`, a key with its index if any. An encrypted value is not repeated."""
        full_path = self._config.full_key(path)
        try:
            yield
        except InvalidValueError as mistake:
            if is_config_secret(full_path.partition("[")[0]):
                mistake = InvalidValueError(got="[secret]", takes=mistake.takes, fix="pulumi config --show-secrets")
            self._mistakes.append(f"{full_path}: {mistake}")


def _parse_list(text: str | None) -> list[object]:
    """The items of a list, which arrives as JSON. A key with nothing after it arrives as an empty string."""
    if not text:
        return []
    try:
        items = json.loads(text)
    except ValueError:
        items = None
    if not isinstance(items, list):
        raise InvalidValueError(got=repr(text), takes="a list", fix="write each item on its own line, after a hyphen")
    return cast("list[object]", items)
