"""Mistakes: each with what was got, what was expected and the fix, and the path to it. All are reported at once."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar, cast

S = TypeVar("S")
T = TypeVar("T")

MAX_SHOWN_BITS = 100
"""Of a number that is repeated to whoever wrote it. Python refuses to write very long ones."""

MAX_DIFFERENCE = 2
"""By how many characters a misspelled word may be longer or shorter than the right one."""


class InvalidValueError(ValueError):
    """A value that AWS would not take.

    It does not say where the value is: a pure function does not know where its argument came from.
    """

    def __init__(self, *, got: str, expected: str, fix: str) -> None:
        """Each part is a phrase without a full stop.

        After its path a message reads, aligned here and nowhere else:

        private-pypi:domainOwner: got '1111'
          expected: the 12 digits of an account, quoted
          fix:      an account has 12 digits, this has 4: unquoted it loses its leading zeros
        """
        super().__init__(f"got {got}\n  expected: {expected}\n  fix:      {fix}")


Mistake = tuple[str, InvalidValueError]
"""What is wrong, after the path to it: `publishers[0].packages[1]`. The path of the whole is empty."""


class InvalidArgsError(InvalidValueError):
    """Arguments with mistakes."""

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        """The text has all of the mistakes, each after its path."""
        ValueError.__init__(self, "\n".join(message(*mistake) for mistake in mistakes))
        self.mistakes = tuple(mistakes)


class Mistakes:
    """Reads values, notes each mistake and goes on."""

    def __init__(self) -> None:
        """Begin without a mistake."""
        self.found: list[Mistake] = []

    def add(self, path: str, mistake: InvalidValueError) -> None:
        """Note a mistake."""
        self.found.append((path, mistake))

    def read(self, path: str, value: S, parse: Callable[[S], T], otherwise: T) -> T:
        """What `parse` makes of the value at `path`; of one with a mistake, which is noted, `otherwise`."""
        try:
            return parse(plain(value))
        except InvalidArgsError as error:
            for below, mistake in error.mistakes:
                self.add(join(path, below), mistake)
        except InvalidValueError as mistake:
            self.add(path, mistake)
        return otherwise

    def items(self, value: object, parse: Callable[[object], T]) -> list[T | None]:
        """What `parse` makes of each item of a list; `None` of one with a mistake, which is noted at its index.

        Raises:
            InvalidValueError: it is no list.
        """
        return [self.read(f"[{index}]", item, parse, None) for index, item in enumerate(_parse_list(value))]

    def refuse_unknown(self, keys: Iterable[object], known: Sequence[str], *, otherwise: str = "take it out") -> None:
        """Note each of `keys` that is not among the `known`; where it is near none of them, the fix is `otherwise`."""
        for key in keys:
            if key not in known:
                near = nearest(str(key), known)
                fix = f"did you mean `{near}`?" if near else otherwise
                self.add(
                    printable(str(key)),
                    InvalidValueError(got="a key that does not exist", expected=", ".join(known), fix=fix),
                )

    def finish(self) -> None:
        """Raise for what was noted.

        Raises:
            InvalidArgsError: there is a mistake.
        """
        if self.found:
            raise InvalidArgsError(self.found)


def parse_items(value: object, parse: Callable[[object], T]) -> tuple[T, ...]:
    """What `parse` makes of each item of a list.

    Raises:
        InvalidArgsError: there are mistakes in some; their paths are the indexes, `[1]`.
        InvalidValueError: it is no list.
    """
    mistakes = Mistakes()
    items = mistakes.items(value, parse)
    mistakes.finish()
    return tuple(cast("list[T]", items))


def join(path: str, below: str) -> str:
    """The path of what is at `below` in what is at `path`."""
    return f"{path}.{below}" if path and below and not below.startswith("[") else f"{path}{below}"


def message(path: str, mistake: InvalidValueError) -> str:
    """A mistake after its path."""
    return f"{path}: {mistake}" if path else str(mistake)


def refusal(mistakes: Sequence[str], *, of: str = "the config") -> str:
    """What a user is told who made `mistakes`, each of which begins with its path."""
    count = "1 error" if len(mistakes) == 1 else f"{len(mistakes)} errors"
    return "\n".join([f"{count} in {of}; nothing was changed.", *mistakes])


def nearest(word: str, words: Sequence[str], *, cutoff: float = 0.8) -> str | None:
    """The one of `words` that `word` may be a misspelling of: it is alike by `cutoff`, of 1, or more.

    It begins with the same letter and is about as long. Otherwise a word before or after the other may say the opposite
    of it, `noPublicUpstream` or `packagesNot`, and whoever follows would grant more than they meant.
    """
    import difflib  # noqa: PLC0415  only a mistake needs it

    alike = [each for each in words if word[:1].lower() == each[:1] and abs(len(word) - len(each)) <= MAX_DIFFERENCE]
    return next(iter(difflib.get_close_matches(word, alike, n=1, cutoff=cutoff)), None)


def plain(value: T) -> T:
    """A text as nothing but a text: one of an `enum.Enum` would be formatted as its name. All else as it is."""
    return cast("T", str.__str__(value)) if isinstance(value, str) else value


def printable(text: str) -> str:
    """Text from outside on one line, in which nothing moves the cursor of whoever reads it."""
    return text if text.isprintable() else ascii(text)


def describe(value: object) -> str:
    """What somebody wrote, in a few words."""
    match value:
        case str():
            said = repr(value)
        case bool():
            said = str(value).lower()
        case int() if value.bit_length() > MAX_SHOWN_BITS:
            said = "a long number"
        case int() | float():
            said = f"the number {value}"
        case list() | tuple() | set() | frozenset():
            said = "a list"
        case Mapping():
            said = "a map"
        case None:
            said = "nothing"
        case _:
            said = "a Pulumi Output" if is_output(value) else f"a value of type {type(value).__name__}"
    return said


def wrong_type(value: object, *, expected: str, fix: str) -> InvalidValueError:
    """The mistake of a value of another type than expected. Whoever passes an `Output` is told why that cannot be."""
    if is_output(value):
        fix = "pass a plain value: it decides names and how many resources there are, before anything is made"
    return InvalidValueError(got=describe(value), expected=expected, fix=fix)


def is_output(value: object) -> bool:
    """Whether a value is a `pulumi.Output`, without importing Pulumi."""
    return any((each.__module__, each.__name__) == ("pulumi.output", "Output") for each in type(value).__mro__)


def _parse_list(value: object) -> Iterable[object]:
    # A string has items too, each a letter.
    is_one = isinstance(value, str | bytes | bytearray | memoryview | Mapping) or is_output(value)
    if isinstance(value, Iterable) and not is_one:
        return cast("Iterable[object]", value)
    raise wrong_type(
        cast("object", value),
        expected="a list",
        fix="make it a list: in YAML each item on its own line, after a hyphen",
    )
