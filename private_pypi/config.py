"""The stack's config, read and checked as a whole before anything is registered: the one reader of `pulumi.Config`."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import TypeVar, cast

import pulumi
from pulumi.runtime.config import CONFIG, is_config_secret

from private_pypi.args import PrivatePypiArgs, refuse_ignored
from private_pypi.arns import partition_of, store_name
from private_pypi.errors import InvalidValueError, describe, refusal
from private_pypi.keys import KEYS, NAMESPACE
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
)
from private_pypi.principals import Principal, Publisher
from private_pypi.provider import look_up_region
from private_pypi.workloads import (
    REF_KINDS,
    GithubPublisher,
    RefKind,
    parse_id,
    parse_ref,
    parse_repository,
    refuse_one_id,
    refused_mixtures,
)

S = TypeVar("S")
T = TypeVar("T")


def load_args() -> PrivatePypiArgs:
    """The component's args from the stack's config, namespace `private-pypi`.

    Raises:
        pulumi.RunError: the config has mistakes. Its text lists all of them, each
            with its key, and nothing has been registered.
    """
    region = pulumi.Config("aws").get("region") or look_up_region()
    partition = partition_of(region)
    config = _Config(NAMESPACE)
    existing_domain = config.boolean("existingDomain")
    public_upstream = config.boolean("publicUpstream")

    def repository(text: str) -> str:
        name = parse_repository_name(text)
        if public_upstream:
            parse_repository_name(store_name(name))
        return name

    def domain_owner(text: str) -> str:
        refuse_ignored(existing_domain=existing_domain, domain_owner=text)
        return parse_account(text)

    def encryption_key(text: str) -> str:
        refuse_ignored(existing_domain=existing_domain, encryption_key=text)
        return parse_key_arn(text, partition=partition, region=region)

    def principal(value: object) -> Principal:
        return Principal.parse(value, partition=partition)

    args = PrivatePypiArgs(
        domain=config.required("domain", parse_domain_name),
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
        github_publishers=config.github_publishers("githubPublishers"),
        make_github_oidc_provider=config.boolean("makeGithubOidcProvider"),
        tags=config.tags("tags"),
    )
    config.finish()
    return args


_DEFAULTS = PrivatePypiArgs(domain="")


class _Config:
    """Typed reads of one namespace. A read that meets a mistake notes it and goes on; `finish` raises for them all."""

    def __init__(self, namespace: str) -> None:
        self._config = pulumi.Config(namespace)
        self._mistakes: list[tuple[str, str]] = []

    def required(self, key: str, parse: Callable[[str], str]) -> str:
        text = self._config.get(key)
        if text:
            return self._read(key, text, parse, "")
        command = f"pulumi config set {_full_key(key)} NAME"
        self._note(key, InvalidValueError(got="nothing", expected=f"the name of the {key}", fix=command))
        return ""

    def text(self, key: str, parse: Callable[[str], str]) -> str:
        text = self._config.get(key)
        return str(_default(key)) if text is None else self._read(key, text, parse, "")

    def optional(self, key: str, parse: Callable[[str], str]) -> str | None:
        text = self._config.get(key)
        return self._read(key, text, parse, None) if text else None

    def boolean(self, key: str) -> bool:
        text, default = self._config.get(key), bool(_default(key))
        return default if text is None else self._read(key, text, _parse_boolean, default)

    def items(self, key: str, parse: Callable[[object], T]) -> tuple[T, ...]:
        return self._parse_each(self._read_items(key), parse)

    def publishers(self, key: str, parse_principal: Callable[[object], Principal]) -> tuple[Publisher, ...]:
        publishers: list[Publisher] = []
        for path, value in self._read_items(key):
            where, who, packages = path, value, None
            if isinstance(value, dict):
                fields = cast("dict[str, object]", value)
                where, who = f"{path}.principal", fields.get("principal")
                alone = "write the principal alone to let it publish everything"
                packages = self._packages(f"{path}.packages", fields.get("packages"), alone)
                self._refuse_others(fields, ["principal", "packages"], path)
            if principal := self._read(where, who, parse_principal, None):
                publishers.append(Publisher(principal=principal, packages=packages))
        return tuple(publishers)

    def github_publishers(self, key: str) -> tuple[GithubPublisher, ...]:
        publishers: list[tuple[str, GithubPublisher]] = []
        for path, value in self._read_items(key):
            if publisher := self._github_publisher(path, self._read(path, value, _parse_workflow, None)):
                publishers.append((path, publisher))
        mixtures = dict(refused_mixtures([each for _, each in publishers]))
        for index, mistake in mixtures.items():
            self._note(publishers[index][0], mistake)
        return tuple(each for index, (_, each) in enumerate(publishers) if index not in mixtures)

    def _github_publisher(self, path: str, fields: dict[str, object] | None) -> GithubPublisher | None:
        """What the fields of an entry say, if there is no mistake in any of them."""
        if fields is None:
            return None
        before = len(self._mistakes)
        self._refuse_others(fields, ["repository", *REF_KINDS, "ownerId", "repositoryId", "packages"], path)
        repository = self._read(f"{path}.repository", fields.get("repository"), parse_repository, "")
        kind: RefKind | None = self._read(path, fields, _parse_kind, None)
        ref = self._read(f"{path}.{kind}", fields[kind], partial(parse_ref, kind=kind), "") if kind else ""
        ids = [
            self._read(f"{path}.{name}", fields[name], parse_id, "") if name in fields else None
            for name in ("ownerId", "repositoryId")
        ]
        packages: tuple[str, ...] | None = None
        if "packages" in fields:
            alone = "leave packages out to let the workflow publish everything"
            packages = self._packages(f"{path}.packages", fields["packages"], alone)
        self._read(path, ids, lambda ids: refuse_one_id(*ids), None)
        if kind is None or len(self._mistakes) > before:
            return None
        return GithubPublisher(
            repository=repository, kind=kind, ref=ref, owner_id=ids[0], repository_id=ids[1], packages=packages
        )

    def tags(self, key: str) -> dict[str, str]:
        tags: dict[str, str] = {}
        for tag_key, value in self._read(key, self._read_json(key), _parse_tags, {}).items():
            path = _join(key, tag_key)
            name = self._read(path, tag_key, parse_tag_key, None)
            text = None if name is None else self._read(path, value, parse_tag_value, None)
            if name is not None and text is not None:
                tags[name] = text
        return tags

    def finish(self) -> None:
        """Refuse keys that do not exist and a misspelled namespace, and raise for every mistake so far."""
        own: list[str] = []
        known = [*KEYS]
        for namespace, _, key in sorted(full_key.partition(":") for full_key in CONFIG.get()):
            if namespace == self._config.name:
                own.append(key)
            elif key in known and _nearest(namespace.lower(), [self._config.name], cutoff=0.9):
                expected, fix = f"the namespace {self._config.name}", f"write it as {_full_key(key)}"
                mistake = InvalidValueError(got=f"the key {namespace}:{key}", expected=expected, fix=fix)
                self._note(key, mistake, shown=True)
        self._refuse_others(own, known)
        self._mistakes.sort(key=lambda mistake: known.index(mistake[0]) if mistake[0] in known else len(known))
        if self._mistakes:
            raise pulumi.RunError(refusal([text for _, text in self._mistakes]))

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
        return [(f"{path}[{index}]", item) for index, item in enumerate(self._read(path, value, _parse_list, []))]

    def _packages(self, path: str, value: object, unlimited: str) -> tuple[str, ...]:
        """Names of packages; `unlimited` is the fix of who means all of them."""
        if not value:
            fix = f"name the packages, or {unlimited}"
            self._note(path, InvalidValueError(got="no packages", expected="a list of names", fix=fix))
            return ()
        return self._parse_each(self._items(path, value), partial(parse_package, instead_of_all=unlimited))

    def _parse_each(self, items: Iterable[tuple[str, object]], parse: Callable[[object], T]) -> tuple[T, ...]:
        parsed = [self._read(path, item, parse, None) for path, item in items]
        return tuple(value for value in parsed if value is not None)

    def _refuse_others(self, keys: Iterable[str], known: list[str], parent: str = "") -> None:
        for key in keys:
            if key not in known:
                near = _nearest(key, known)
                fix = f"did you mean `{near}`?" if near else "take it out"
                mistake = InvalidValueError(got="a key that does not exist", expected=", ".join(known), fix=fix)
                self._note(_join(parent, key), mistake, shown=not parent)

    def _read(self, path: str, value: S, parse: Callable[[S], T], otherwise: T) -> T:
        """What `parse` makes of the value at `path`; of one with a mistake, which is noted, `otherwise`."""
        try:
            return parse(value)
        except InvalidValueError as mistake:
            self._note(path, mistake)
            return otherwise

    def _note(self, path: str, mistake: InvalidValueError, *, shown: bool = False) -> None:
        """Note a mistake at `path`, a key with what leads on from it. An encrypted value is `shown` in no message."""
        key = path if shown else re.split(r"[.\[]", path, maxsplit=1)[0]
        full_key, full_path = _full_key(key), _full_key(path)
        if not shown and is_config_secret(full_key):
            where = full_path if path == key else f"--path '{full_path}'"
            fix = f"see it with `pulumi config get {full_key}`, mend it with `pulumi config set --secret {where} VALUE`"
            mistake = InvalidValueError(got="[secret]", expected=mistake.expected, fix=fix)
        self._mistakes.append((key, f"{full_path}: {mistake}"))


def _full_key(path: str) -> str:
    """A key, or what is below it, with its namespace."""
    return f"{NAMESPACE}:{path}"


def _nearest(word: str, words: list[str], *, cutoff: float = 0.6) -> str | None:
    """The one of `words` that `word` may be a misspelling of: it is alike by `cutoff`, of 1, or more."""
    import difflib  # noqa: PLC0415  only a mistake needs it

    return next(iter(difflib.get_close_matches(word, words, n=1, cutoff=cutoff)), None)


def _default(key: str) -> object:
    return getattr(_DEFAULTS, KEYS[key].field)


def _parse_boolean(text: str) -> bool:
    if text not in {"true", "false"}:
        raise InvalidValueError(got=repr(text), expected="true or false", fix="write one of these")
    return text == "true"


def _parse_list(value: object) -> list[object]:
    if not isinstance(value, list):
        fix = "write each item on its own line, after a hyphen"
        raise InvalidValueError(got=describe(value), expected="a list", fix=fix)
    return cast("list[object]", value)


def _parse_workflow(value: object) -> dict[str, object]:
    if not isinstance(value, dict):
        fix = "write repository: OWNER/NAME and, on a line of its own, tag: NAME, branch: NAME or environment: NAME"
        raise InvalidValueError(got=describe(value), expected="a map that names a workflow", fix=fix)
    return cast("dict[str, object]", value)


def _parse_kind(fields: Mapping[str, object]) -> RefKind:
    given: list[RefKind] = [kind for kind in REF_KINDS if fields.get(kind) is not None]
    if len(given) != 1:
        got, fix = "no branch, tag or environment", "add one: without it every workflow of the repository would publish"
        if given:
            got, fix = " and ".join(given), "write an entry for each"
        raise InvalidValueError(got=got, expected="one of branch, tag and environment", fix=fix)
    return given[0]


def _parse_tags(value: object) -> dict[str, object]:
    if value is not None and not isinstance(value, dict):
        fix = "write each tag on its own line: the key, a colon and the value"
        raise InvalidValueError(got=describe(value), expected="a map of strings", fix=fix)
    tags = cast("dict[str, object]", value or {})
    if len(tags) > MAX_TAGS:
        raise InvalidValueError(got=f"{len(tags)} tags", expected=f"up to {MAX_TAGS}", fix="take some out")
    return tags


def _join(parent: str, key: str) -> str:
    """The path of a key in a map; nothing in it moves the cursor of whoever reads it."""
    name = key if key.isprintable() else repr(key)
    return f"{parent}.{name}" if parent else name
