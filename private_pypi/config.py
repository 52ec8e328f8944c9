"""The stack's config, read as a whole before anything is registered: the one reader of `pulumi.Config`.

What a value may be is said by the types that it is for. Here it is only read, and mistakes get their keys.
"""

import json
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, cast

import pulumi
from pulumi.runtime.config import CONFIG, is_config_secret

from private_pypi.args import PrivatePypiArgs
from private_pypi.errors import InvalidValueError, Mistakes, message, nearest, refusal
from private_pypi.keys import KEYS, NAMESPACE, field_of, key_of
from private_pypi.provider import look_up_region

# Pulumi.yaml says "" where there is no default: without one the CLI refuses the config by itself, at the first key.
_ABSENT_IF_EMPTY = {"domain", "domainOwner", "encryptionKey", "permissionsBoundary"}


def load_args(namespace: str = NAMESPACE) -> PrivatePypiArgs:
    """The component's args from the stack's config; a second component in a program has a namespace of its own.

    Raises:
        pulumi.RunError: the config has mistakes. Its text lists all of them, each with its key, and nothing has been
            registered.
    """
    region = pulumi.Config("aws").get("region") or look_up_region()
    mistakes = Mistakes()
    values: dict[str, Any] = {}
    for name, key in KEYS.items():
        value = mistakes.read(key.field, (namespace, name), _read, None)
        if value is not None:
            values[key.field] = value
    if not values.get("domain"):
        values["domain"] = "none"  # to find the mistakes in the rest
        if "domain" not in dict(mistakes.found):
            fix = f"pulumi config set {namespace}:domain NAME"
            mistakes.add("domain", InvalidValueError(got="nothing", expected="the name of the domain", fix=fix))
    args = mistakes.read("", values, partial(_make, namespace=namespace, region=region), None)
    order = [key.field for key in KEYS.values()]
    mistakes.found.sort(key=lambda mistake: order.index(field_of(mistake[0])))
    lines = [message(f"{namespace}:{key_of(path)}", mistake) for path, mistake in mistakes.found]
    lines += [message(*mistake) for mistake in _unknown(namespace)]
    if args is None or lines:
        raise pulumi.RunError(refusal(lines))
    return args


def _make(values: dict[str, Any], *, namespace: str, region: str) -> PrivatePypiArgs:
    return PrivatePypiArgs(**values, namespace=namespace, region=region)


def _read(key: tuple[str, str]) -> object:
    """The value at a key of a namespace; `None` if there is none."""
    namespace, name = key
    if is_config_secret(f"{namespace}:{name}"):
        raise InvalidValueError(
            got="an encrypted value",
            expected="plain text: all of this stands in policies and outputs, which are not encrypted",
            fix="write the value in its place, as `pulumi config set --plaintext` does",
        )
    text = pulumi.Config(namespace).get(name)
    if text is None or (text == "" and name in _ABSENT_IF_EMPTY):
        return None
    return _READERS[KEYS[name].kind](text)


def _read_boolean(text: str) -> bool:
    if text not in {"true", "false"}:
        raise InvalidValueError(got=repr(text), expected="true or false", fix="write one of these")
    return text == "true"


def _read_json(text: str) -> object:
    """A list or a map; `None` for nothing after the key, which arrives as no text. What is no JSON stays text."""
    try:
        return json.loads(text or "null")
    except (ValueError, RecursionError):
        return text


_READERS: dict[str, Callable[[str], object]] = {
    "boolean": _read_boolean,
    "list": _read_json,
    "map": _read_json,
    "text": str,
}


def _unknown(namespace: str) -> Iterator[tuple[str, InvalidValueError]]:
    """The mistakes of keys that do not exist, and of a misspelled namespace, each with its full key."""
    own = Mistakes()
    for spelled, _, name in sorted(full_key.partition(":") for full_key in CONFIG.get()):
        if spelled == namespace and name in _GONE:
            yield f"{namespace}:{name}", _GONE[name](namespace)
        elif spelled == namespace:
            own.refuse_unknown([name], [*KEYS])
        elif name in KEYS and nearest(spelled.lower(), [namespace], cutoff=0.9):
            full_key = f"{namespace}:{name}"
            expected, fix = f"the namespace {namespace}", f"write it as {full_key}"
            yield full_key, InvalidValueError(got=f"the key {spelled}:{name}", expected=expected, fix=fix)
    for name, mistake in own.found:
        yield f"{namespace}:{name}", mistake


def _no_github_publishers(namespace: str) -> InvalidValueError:
    """What to write in the place of `githubPublishers`, whole."""
    fix = "take it out"
    if renamed := [*map(_renamed, _entries(namespace, "githubPublishers"))]:
        entries = [*_entries(namespace, "publishers"), *renamed]
        fix = f"take it out, and write\n{_yaml(f'{namespace}:publishers', entries)}"
    got = "a key that is gone: publishers has GitHub's workflows too"
    expected = "its entries in publishers, with github for repository; their roles stay the same"
    return InvalidValueError(got=got, expected=expected, fix=fix)


def _no_github_provider(namespace: str) -> InvalidValueError:
    """What to write in the place of `makeGithubOidcProvider`, whole."""
    fix = "take it out"
    if _text(namespace, "makeGithubOidcProvider") == "true":
        entries = dict.fromkeys(["github", *map(str, _entries(namespace, "makeOidcProviders"))])
        fix = f"take it out, and write\n{_yaml(f'{namespace}:makeOidcProviders', entries)}"
    expected = "github in makeOidcProviders, where it is true; the provider stays the same"
    return InvalidValueError(got="a key that is gone", expected=expected, fix=fix)


_GONE = {"githubPublishers": _no_github_publishers, "makeGithubOidcProvider": _no_github_provider}
"""Keys that there were, each with what says what to write."""


def _text(namespace: str, name: str) -> str:
    """The text at a key; none of what is encrypted."""
    return "" if is_config_secret(f"{namespace}:{name}") else pulumi.Config(namespace).get(name) or ""


def _entries(namespace: str, name: str) -> list[object]:
    """The items of the list at a key, if it is one."""
    entries = _read_json(_text(namespace, name))
    return cast("list[object]", entries) if isinstance(entries, list) else []


def _renamed(entry: object) -> object:
    if not isinstance(entry, dict):
        return entry
    fields = cast("dict[str, object]", entry)
    return {"github" if key == "repository" else key: value for key, value in fields.items()}


def _yaml(key: str, entries: Iterable[object]) -> str:
    """A key of the config and the items of its list as they stand in a stack file: strings as JSON has them."""
    lines = [f"{key}:"]
    for entry in entries:
        fields = cast("dict[str, object]", entry if isinstance(entry, dict) else {})
        texts = [f"{name}: {json.dumps(value)}" for name, value in fields.items()] or [json.dumps(entry)]
        lines += [f"{'  ' if number else '- '}{text}" for number, text in enumerate(texts)]
    return "\n".join(f"  {'  ' if number else ''}{line}" for number, line in enumerate(lines))
