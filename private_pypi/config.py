"""The stack's config, read and checked as a whole before anything is registered: the one reader of `pulumi.Config`."""

import contextlib
import dataclasses
import difflib
import json
import re
from collections.abc import Callable, Generator, Iterable
from functools import partial
from typing import Any, TypeVar, cast

import pulumi
from pulumi.runtime.config import CONFIG, is_config_secret

from private_pypi.component import PrivatePypiArgs, look_up_region, refuse
from private_pypi.errors import InvalidValueError, describe
from private_pypi.names import (
    MAX_TAGS,
    parse_account,
    parse_description,
    parse_domain_name,
    parse_key_arn,
    parse_package,
    parse_repository_name,
    parse_tag_key,
    parse_tag_value,
    partition_of,
    store_name,
)
from private_pypi.principals import Principal, Publisher
from private_pypi.recorded import read_recorded, refused_changes

T = TypeVar("T")

# By config key, which is a field's name in camel case; in the order in which messages name keys.
_DEFAULTS: dict[str, Any] = {
    re.sub("_(.)", lambda match: match[1].upper(), field.name): field.default
    for field in dataclasses.fields(PrivatePypiArgs)
}


def load_args() -> PrivatePypiArgs:
    """The component's args from the stack's config, namespace `private-pypi`.

    Raises:
        pulumi.RunError: the config has mistakes, or would lose what is protected. Its text lists all of them, each
            with its key, and nothing has been registered.
    """
    region = pulumi.Config("aws").get("region") or look_up_region()
    partition = partition_of(region)
    config = _Config("private-pypi")
    existing_domain = config.boolean("existingDomain")
    public_upstream = config.boolean("publicUpstream")

    def repository(text: str) -> str:
        name = parse_repository_name(text)
        if public_upstream:
            parse_repository_name(store_name(name))
        return name

    def domain_owner(text: str) -> str:
        if not existing_domain:
            takes, fix = "the owner of an existing domain", "take it out, or set private-pypi:existingDomain to true"
            raise InvalidValueError(got=f"{text!r} for a new domain", takes=takes, fix=fix)
        return parse_account(text)

    def encryption_key(text: str) -> str:
        if existing_domain:
            takes, fix = "the key of a new domain", "take it out: an existing domain keeps the key it was made with"
            raise InvalidValueError(got=f"{text!r} for an existing domain", takes=takes, fix=fix)
        return parse_key_arn(text, partition=partition, region=region)

    def principal(value: object) -> Principal:
        return Principal.parse(value, partition=partition)

    args = PrivatePypiArgs(
        domain=config.text("domain", parse_domain_name),
        repository=config.text("repository", repository),
        description=config.text("description", parse_description),
        readers=config.items("readers", principal),
        publishers=config.publishers("publishers", principal),
        closed_publishing=config.boolean("closedPublishing"),
        protect=config.boolean("protect"),
        existing_domain=existing_domain,
        domain_owner=config.optional("domainOwner", domain_owner),
        encryption_key=config.optional("encryptionKey", encryption_key),
        public_upstream=public_upstream,
        internal_packages=config.items("internalPackages", parse_package),
        attach_identity_policies=config.boolean("attachIdentityPolicies"),
        tags=config.tags("tags"),
    )
    for key, mistake in refused_changes(args, read_recorded()):
        config.note(key, mistake)
    config.finish()
    return args


class _Config:
    """Typed reads of one namespace. A read that meets a mistake notes it and goes on; `finish` raises for them all."""

    def __init__(self, namespace: str) -> None:
        self._config = pulumi.Config(namespace)
        self._mistakes: list[tuple[str, str]] = []

    def text(self, key: str, parse: Callable[[str], str]) -> str:
        with self._noting(key):
            text = self._config.get(key)
            if not text and _DEFAULTS[key] is dataclasses.MISSING:
                command = f"pulumi config set {self._config.full_key(key)} NAME"
                raise InvalidValueError(got="nothing", takes=f"the name of the {key}", fix=command)
            return parse(str(_DEFAULTS[key]) if text is None else text)
        return ""

    def optional(self, key: str, parse: Callable[[str], str]) -> str | None:
        with self._noting(key):
            text = self._config.get(key)
            return parse(text) if text else None
        return None

    def boolean(self, key: str) -> bool:
        with self._noting(key):
            text = self._config.get(key)
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
                self._refuse_others(fields, ["principal", "packages"], path)
            with self._noting(where):
                publishers.append(Publisher(principal=parse_principal(principal), packages=packages))
        return tuple(publishers)

    def tags(self, key: str) -> dict[str, str]:
        tags: dict[str, str] = {}
        with self._noting(key):
            value = self._read_json(key)
            if value is not None and not isinstance(value, dict):
                fix = "write each tag on its own line: the key, a colon and the value"
                raise InvalidValueError(got=describe(value), takes="a map of strings", fix=fix)
            items = cast("dict[str, object]", value or {}).items()
            if len(items) > MAX_TAGS:
                raise InvalidValueError(got=f"{len(items)} tags", takes=f"up to {MAX_TAGS}", fix="take some out")
            for tag_key, tag_value in items:
                with self._noting(_join(key, tag_key)):
                    tags[parse_tag_key(tag_key)] = parse_tag_value(tag_value)
        return tags

    def note(self, key: str, mistake: InvalidValueError) -> None:
        """Note a mistake in a key, unless its value was no value to begin with."""
        if key not in (mistaken for mistaken, _ in self._mistakes):
            with self._noting(key):
                raise mistake

    def finish(self) -> None:
        """Refuse keys that do not exist and a misspelled namespace, and raise for every mistake so far."""
        own: list[str] = []
        known = [*_DEFAULTS]
        for namespace, _, key in sorted(full_key.partition(":") for full_key in CONFIG.get()):
            if namespace == self._config.name:
                own.append(key)
            elif namespace.replace("_", "-").lower() == self._config.name and key in _DEFAULTS:
                with self._noting(key, shown=True):
                    takes, fix = f"the namespace {self._config.name}", f"write it as {self._config.full_key(key)}"
                    raise InvalidValueError(got=f"it as {namespace}:{key}", takes=takes, fix=fix)
        self._refuse_others(own, known)
        self._mistakes.sort(key=lambda mistake: known.index(mistake[0]) if mistake[0] in known else len(known))
        refuse([text for _, text in self._mistakes])

    def _read_json(self, key: str) -> object:
        """The value of a key that holds a list or a map; `None` for nothing after the key, which arrives as no text."""
        text = self._config.get(key) or "null"
        try:
            return json.loads(text)
        except (ValueError, RecursionError):
            return text

    def _read_items(self, key: str) -> list[tuple[str, object]]:
        value = self._read_json(key)
        return [] if value is None else self._items(key, value)

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
            everything = "leave packages out to let the publisher publish everything"
            return self._parse_each(self._items(path, value), partial(parse_package, instead_of_all=everything))
        return ()

    def _parse_each(self, items: Iterable[tuple[str, object]], parse: Callable[[object], T]) -> tuple[T, ...]:
        parsed: list[T] = []
        for path, item in items:
            with self._noting(path):
                parsed.append(parse(item))
        return tuple(parsed)

    def _refuse_others(self, keys: Iterable[str], known: list[str], parent: str = "") -> None:
        for key in keys:
            if key not in known:
                near = difflib.get_close_matches(key, known, n=1)
                fix = f"did you mean `{near[0]}`?" if near else "take it out"
                with self._noting(_join(parent, key), shown=not parent):
                    raise InvalidValueError(got="a key that does not exist", takes=", ".join(known), fix=fix)

    @contextlib.contextmanager
    def _noting(self, path: str, *, shown: bool = False) -> Generator[None]:
        """Note a mistake at `path`, a key with what leads on from it. An encrypted value is `shown` in no message."""
        key = path if shown else re.split(r"[.\[]", path, maxsplit=1)[0]
        try:
            yield
        except InvalidValueError as mistake:
            if not shown and is_config_secret(self._config.full_key(key)):
                mistake = InvalidValueError(got="[secret]", takes=mistake.takes, fix="pulumi config --show-secrets")
            self._mistakes.append((key, f"{self._config.full_key(path)}: {mistake}"))


def _join(parent: str, key: str) -> str:
    """The path of a key in a map; nothing in it moves the cursor of whoever reads it."""
    name = key if key.isprintable() else repr(key)
    return f"{parent}.{name}" if parent else name
