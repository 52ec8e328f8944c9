"""What changes from a revision to the working tree and no preview shows, so that it is not passed over in silence.

A preview is what a program registers with a config. It does not show where Pulumi deploys it and as whom, what Pulumi
ESC environments add to the config, nor what else the program may do: what another program says of itself is no proof.
"""

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Literal, NamedTuple

from private_pypi.cli.stack_files import Stack, is_stack_file
from private_pypi.errors import printable

MAX_LISTED = 20
"""Of changed files, how many are listed by name."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Setting:
    """A change of something that a stack file says beside our own config."""

    name: str
    """A field of the file, or the full key of other config; printable."""
    change: Literal["added", "removed", "changed", "kept"]
    """`kept` is of environments beside a config that changes."""
    needs_approval: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class FileChange:
    """A file of the project that another program may be made of."""

    path: str
    """From the project's folder on, with slashes; printable."""
    change: Literal["added", "removed", "changed", "ignored", "unknown"]
    """`ignored` is one that git ignores, and that Python would import. `unknown` is one whose content is elsewhere: a
    submodule, a link that leads out of the folder."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Unseen:
    """All that changes beside two previews."""

    base_mistakes: str | None = None
    """Why there is no preview of the base."""
    settings: tuple[Setting, ...] = ()
    files: tuple[FileChange, ...] = ()
    elsewhere: int = 0
    """How many files of the repository change outside of the project's folder."""

    @property
    def count(self) -> int:
        """How much of it can change who gets in, where that is, or what is protected."""
        settings = sum(each.needs_approval for each in self.settings)
        return settings + bool(self.base_mistakes) + bool(self.files)

    @property
    def needs_approval(self) -> bool:
        """Whether there is any of that."""
        return self.count > 0


class File(NamedTuple):
    """What is at a path, in a revision or in the working tree."""

    kind: Literal["file", "link", "other"]
    """`other` is a submodule, a repository in the repository, or no file at all."""
    content: str
    """The object's name in git, of a link its target."""


# What decides how often a call to AWS is repeated, and nothing else.
_HARMLESS = {"aws:maxRetries", "aws:retryMode", "aws:tokenBucketRateLimiterCapacity"}

_WHY = {
    "environment": "Pulumi ESC environments may set every key of the config. What they set is not compared",
    "secretsprovider": "it decides who can read the stack's secrets",
    "encryptedkey": "the stack's secrets are encrypted with it",
    "encryptionsalt": "the stack's secrets are encrypted with it",
}


def changed_settings(base: Stack | None, head: Stack | None) -> tuple[Setting, ...]:
    """What else the stack file says that changes; where there is no stack it says nothing."""
    before: Mapping[str, Any] = base.settings if base else {}
    after: Mapping[str, Any] = head.settings if head else {}
    return tuple(_changed_settings(before, after, is_config_changed=_config(base) != _config(head))) if head else ()


def _config(stack: Stack | None) -> Mapping[str, str]:
    return stack.config if stack else {}


def _changed_settings(
    before: Mapping[str, Any], after: Mapping[str, Any], *, is_config_changed: bool
) -> Iterator[Setting]:
    for name in sorted({*before, *after}):
        setting = functools.partial(Setting, name=printable(name), needs_approval=name not in _HARMLESS)
        if name not in before:
            yield setting(change="added")
        elif name not in after:
            yield setting(change="removed")
        elif not _are_equal(before[name], after[name]):
            yield setting(change="changed")
        elif name == "environment" and is_config_changed:  # what the file no longer sets, an environment may
            yield setting(change="kept")


def _are_equal(one: object, other: object) -> bool:
    """Whether two values are equal, and of one type: to Python `1` is `True`."""
    return repr(one) == repr(other)


def changed_files(
    base: Mapping[str, File], head: Mapping[str, File], *, ignored: Iterable[str], folder: str
) -> tuple[FileChange, ...]:
    """What may make another program of the project; all by path, and `folder` is that of the stack files.

    All files count but stack files, which are compared each for its own stack, and pages of Markdown.
    """
    found = [FileChange(path=printable(path), change="ignored") for path in ignored]
    return (*_changed_files(base, head, folder), *found)


def _changed_files(base: Mapping[str, File], head: Mapping[str, File], folder: str) -> Iterator[FileChange]:
    for path in sorted({*base, *head}):
        before, after = base.get(path), head.get(path)
        if any(each and is_elsewhere(path, each) for each in (before, after)):
            yield FileChange(path=printable(path), change="unknown")
        elif before != after and not (_is_apart(path, folder) and _is_plain(before) and _is_plain(after)):
            change = "removed" if after is None else "added" if before is None else "changed"
            yield FileChange(path=printable(path), change=change)


def is_elsewhere(path: str, file: File) -> bool:
    """Whether the content of a file is not where it is: of a submodule, and of a link that may lead out of the folder.

    A link stays in it that only goes up first, no higher than the folder, and then down, as do the links on its way.
    """
    if file.kind != "link":
        return file.kind == "other"
    parts = PurePosixPath(file.content).parts
    up = next((index for index, part in enumerate(parts) if part != ".."), len(parts))
    return file.content.startswith("/") or up >= len(PurePosixPath(path).parts) or ".." in parts[up:]


def _is_plain(file: File | None) -> bool:
    return file is None or file.kind == "file"


def _is_apart(path: str, folder: str) -> bool:
    name = PurePosixPath(path)
    return name.suffix == ".md" or (str(name.parent) == folder and is_stack_file(name.name))


def describe(unseen: Unseen, quote: Callable[[str], str]) -> list[tuple[str, list[tuple[str, tuple[str, ...]]]]]:
    """The sections of a report: each a title, and lines with what is said under them."""
    sections = {
        "The base has mistakes": [*_mistakes(unseen, quote)],
        "What else changes in the stack file": [*_settings(unseen, quote)],
        "What else changes in the repository": [*_files(unseen, quote)],
    }
    return [(title, lines) for title, lines in sections.items() if lines]


def _mistakes(unseen: Unseen, quote: Callable[[str], str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    if unseen.base_mistakes:
        shown = "There is no preview of it to compare with. What the head is, is shown whole, as of a new stack."
        yield shown, tuple(quote(printable(line)) for line in unseen.base_mistakes.splitlines())


_SETTING_CHANGES = {
    "added": "{} is added",
    "removed": "{} is removed",
    "changed": "{} changes",
    "kept": "{} stays, and may set what this config sets no longer",
}


def _settings(unseen: Unseen, quote: Callable[[str], str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    for each in unseen.settings:
        text = _SETTING_CHANGES[each.change].format(quote(each.name))
        why = f": {_why(each.name)}." if each.needs_approval else ", and nobody's access."
        yield f"{text}{why}", ()


def _why(name: str) -> str:
    if name.startswith("aws:"):
        return "where the stack is deployed, by whom, and what its tags allow may depend on it"
    return _WHY.get(
        name, "the program may depend on it" if ":" in name else "what Pulumi does with it is not known here"
    )


_FILE_CHANGES = {
    "unknown": "submodules, and links that may lead out of the project's folder, are not compared",
    "ignored": "the program may import what git ignores",
}


def _files(unseen: Unseen, quote: Callable[[str], str]) -> Iterator[tuple[str, tuple[str, ...]]]:
    changed = [each for each in unseen.files if each.change not in _FILE_CHANGES]
    if changed:
        yield f"the program changes: {_count(len(changed))}", _listed(changed, quote)
    for change, text in _FILE_CHANGES.items():
        if files := [each for each in unseen.files if each.change == change]:
            yield f"{text}: {_count(len(files))}", _listed(files, quote)
    if unseen.elsewhere:
        yield f"outside of the project's folder, where nothing is compared: {_count(unseen.elsewhere)}", ()


def _count(files: int) -> str:
    return "1 file" if files == 1 else f"{files:,} files"


def _listed(files: Sequence[FileChange], quote: Callable[[str], str]) -> tuple[str, ...]:
    names = [f"{quote(each.path)}{_NOTES.get(each.change, '')}" for each in files[:MAX_LISTED]]
    more = len(files) - len(names)
    return (*names, f"and {more:,} more") if more else tuple(names)


_NOTES = {"added": " (new)", "removed": " (gone)"}
