"""What all resource types have in common: which changes the provider sees, and what a change takes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from .aws import Aws

Properties = Mapping[str, Any]

UNKNOWN = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"
"""How the protocol writes a value that is not known yet."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Input:
    """One input of a resource type."""

    replaces: bool = False
    """Whether a change of it takes a new resource."""
    computed: bool = False
    """Whether it stays what it is when it is not given."""
    default: object = None
    """What it is when it is not given."""
    meaning: Callable[[Any], object] = lambda value: value
    """What is equal for two values that mean the same."""
    given: Callable[[Any], object] = lambda value: value
    """The part of what AWS answers that is given."""


class Resource:
    """A resource type: the calls with which one of it is made, read, changed and deleted."""

    title: ClassVar[str]
    """What the provider's messages call it."""
    inputs: ClassVar[Mapping[str, Input]]
    outputs: ClassVar[tuple[str, ...]] = ()
    """What is not known before it exists, beside the inputs that are computed."""
    is_named: ClassVar[bool] = False
    """Whether Pulumi gives it a name when the program does not."""
    is_deleted_first: ClassVar[bool] = False
    """Whether its replacement always waits until it is deleted."""
    can_be_imported: ClassVar[bool] = True
    is_global: ClassVar[bool] = False
    """Whether it is of no region."""

    def located(self, aws: Aws, properties: Properties) -> Properties:
        """Its properties with its region, if it has one."""
        return properties if self.is_global else {**properties, "region": aws.region}

    def plan(self, aws: Aws, state: Properties, news: Properties) -> Properties:
        """The inputs as the provider completes and checks them, at preview too.

        Raises:
            ValueError: the provider refuses them.
        """
        return news

    def changes(self, state: Properties, news: Properties) -> tuple[set[str], set[str]]:
        """The inputs that differ from what the state has, and those among them that take a new resource."""
        changed: set[str] = set()
        for name, each in self.inputs.items():
            old, new = state.get(name) or each.default, news.get(name) or each.default
            if not new and (each.computed or not old):
                continue
            if not old or not new or new == UNKNOWN or each.meaning(old) != each.meaning(new):
                changed.add(name)
        return changed, {name for name in changed if self.inputs[name].replaces}

    def create(self, aws: Aws, news: Properties) -> str:
        """Make it, and return its id."""
        raise NotImplementedError

    def complete(self, aws: Aws, rid: str, news: Properties) -> None:
        """Do what is left once it exists. Pulumi knows of it even where that fails."""

    def read(self, aws: Aws, rid: str, known: Properties) -> Properties:
        """Its properties; `known` is what the state or the program says of them, and empty for an import.

        Raises:
            MissingError: it does not exist.
        """
        raise NotImplementedError

    def update(self, aws: Aws, rid: str, state: Properties, news: Properties, changed: set[str]) -> None:
        """Change what is changed."""
        raise NotImplementedError

    def delete(self, aws: Aws, rid: str, state: Properties) -> None:
        """Delete it."""
        raise NotImplementedError


def tag_changes(state: Properties, news: Properties) -> tuple[list[str], dict[str, str]]:
    """The keys of the tags to take away, and the tags to set: those that are new or have another value."""
    old, new = state.get("tags") or {}, news.get("tags") or {}
    return sorted(old.keys() - new.keys()), {key: value for key, value in new.items() if old.get(key) != value}
