"""The one kind of mistake that the pure modules report, so that every message has the same three parts."""

from collections.abc import Sequence


class InvalidValueError(ValueError):
    """A value that AWS would not take.

    It does not name the config key: a pure function does not know where its argument came from.
    """

    def __init__(self, *, got: str, takes: str, fix: str) -> None:
        """Each part is a phrase without a full stop."""
        super().__init__(f"got {got}\n  takes: {takes}\n  fix:   {fix}")
        self.takes = takes


def refusal(mistakes: Sequence[str]) -> str:
    """What a user is told who made `mistakes`, each of which begins with the config key that it is in."""
    count = "a mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
    return "\n".join([f"{count} in the config; nothing was changed.", *mistakes])


def describe(value: object) -> str:
    """What a person wrote in YAML, in a few words."""
    match value:
        case str():
            return repr(value)
        case bool():
            return str(value).lower()
        case int() | float():
            return f"the number {value}"
        case list():
            return "a list"
        case dict():
            return "a map"
        case _:
            return "nothing"
