"""The one kind of mistake that the pure modules report, so that every message has the same three parts."""

from collections.abc import Sequence


class InvalidValueError(ValueError):
    """A value that AWS would not take.

    It does not name the config key: a pure function does not know where its argument came from.
    """

    def __init__(self, *, got: str, expected: str, fix: str) -> None:
        """Each part is a phrase without a full stop.

        After its key a message reads, aligned here and nowhere else:

        private-pypi:domainOwner: got '1111'
          expected: the 12 digits of an account, quoted
          fix:      an account has 12 digits, this has 4: unquoted it loses its leading zeros
        """
        super().__init__(f"got {got}\n  expected: {expected}\n  fix:      {fix}")
        self.expected = expected


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
