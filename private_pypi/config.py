"""The stack's config, read and checked as a whole before anything is registered: the one reader of `pulumi.Config`."""

import dataclasses
import difflib
import json
import re
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from typing import TypeVar, cast

import pulumi
from pulumi.runtime.config import CONFIG, is_config_secret

from private_pypi.component import PrivatePypiArgs, look_up_region, refuse
from private_pypi.errors import InvalidValueError, describe
from private_pypi.names import (
    parse_description,
    parse_domain_name,
    parse_package,
    parse_repository_name,
    partition_of,
)
from private_pypi.principals import Principal, Publisher

T = TypeVar("T")

# By config key, which is a field's name in camel case.
_DEFAULTS = {
    re.sub("_(.)", lambda match: match[1].upper(), field.name): field.default
    for field in dataclasses.fields(PrivatePypiArgs)
}


def load_args() -> PrivatePypiArgs:
    """The component's args from the stack's config, namespace `private-pypi`.

    Raises:
        pulumi.RunError: the config has mistakes. Its text lists all of them, each with its key, and nothing has
            been registered.
    """
    partition = partition_of(pulumi.Config("aws").get("region") or look_up_region())

    def principal(value: object) -> Principal:
        return Principal.parse(value, partition=partition)

    config = _Config("private-pypi")
    args = PrivatePypiArgs(
        domain=config.text("domain", parse_domain_name),
        repository=config.text("repository", parse_repository_name),
        description=config.text("description", parse_description),
        readers=config.items("readers", principal),
        publishers=config.publishers("publishers", principal),
        closed_publishing=config.boolean("closedPublishing"),
        protect=config.boolean("protect"),
        attach_identity_policies=config.boolean("attachIdentityPolicies"),
    )
    config.finish()
    return args


class _Config:
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
        return self._parse_each(self._read_items(key), parse)

    def publishers(self, key: str, parse_principal: Callable[[object], Principal]) -> tuple[Publisher, ...]:
        publishers: list[Publisher] = []
        for path, value in self._read_items(key):
            where, principal, packages = path, value, None
            if isinstance(value, dict):
                fields = cast("dict[str, object]", value)
                where, principal = f"{path}.principal", fields.get("principal")
                packages = self._packages(f"{path}.packages", fields.get("packages"))
                self._refuse_others(fields, ["principal", "packages"], f"{path}.")
            with self._noting(where):
                publishers.append(Publisher(principal=parse_principal(principal), packages=packages))
        return tuple(publishers)

    def finish(self) -> None:
        """Refuse keys that nothing has read and a misspelled namespace, and raise for every mistake so far."""
        own: list[str] = []
        for namespace, _, key in sorted(full_key.partition(":") for full_key in CONFIG.get()):
            if namespace == self._config.name:
                own.append(key)
            elif namespace.replace("_", "-").lower() == self._config.name and key in self._keys:
                with self._noting(key, shown=True):
                    takes, fix = f"the namespace {self._config.name}", f"write it as {self._config.full_key(key)}"
                    raise InvalidValueError(got=f"it as {namespace}:{key}", takes=takes, fix=fix)
        self._refuse_others(own, self._keys)
        refuse(self._mistakes)

    def _read(self, key: str) -> str | None:
        self._keys.append(key)
        return self._config.get(key)

    def _read_items(self, key: str) -> list[tuple[str, object]]:
        text = self._read(key)
        if not text:  # nothing after the key arrives as an empty string
            return []
        try:
            return self._items(key, json.loads(text))
        except (ValueError, RecursionError):
            return self._items(key, text)

    def _items(self, path: str, value: object) -> list[tuple[str, object]]:
        """The items of a list, each with its path."""
        with self._noting(path):
            if not isinstance(value, list):
                fix = "write each item on its own line, after a hyphen"
                raise InvalidValueError(got=describe(value), takes="a list", fix=fix)
            return [(f"{path}[{index}]", item) for index, item in enumerate(cast("list[object]", value))]
        return []

    def _packages(self, path: str, value: object) -> tuple[str, ...]:
        with self._noting(path):
            if not value:
                fix = "name the packages, or write the principal alone to let it publish everything"
                raise InvalidValueError(got="no packages", takes="a list of names", fix=fix)
            return self._parse_each(self._items(path, value), parse_package)
        return ()

    def _parse_each(self, items: Iterable[tuple[str, object]], parse: Callable[[object], T]) -> tuple[T, ...]:
        parsed: list[T] = []
        for path, item in items:
            with self._noting(path):
                parsed.append(parse(item))
        return tuple(parsed)

    def _refuse_others(self, keys: Iterable[str], known: list[str], prefix: str = "") -> None:
        for key in keys:
            if key not in known:
                path = f"{prefix}{key}" if key.isprintable() else f"{prefix}{key!r}"
                near = difflib.get_close_matches(key, known, n=1)
                fix = f"did you mean `{near[0]}`?" if near else "take it out"
                with self._noting(path, shown=not prefix):
                    raise InvalidValueError(got="a key that does not exist", takes=", ".join(known), fix=fix)

    @contextmanager
    def _noting(self, path: str, *, shown: bool = False) -> Generator[None]:
        """Note a mistake at `path`, a key with its index if any. An encrypted value is `shown` in no message."""
        full_path = self._config.full_key(path)
        try:
            yield
        except InvalidValueError as mistake:
            if not shown and is_config_secret(full_path.partition("[")[0]):
                mistake = InvalidValueError(got="[secret]", takes=mistake.takes, fix="pulumi config --show-secrets")
            self._mistakes.append(f"{full_path}: {mistake}")
