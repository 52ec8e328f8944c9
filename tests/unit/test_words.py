"""What is printed can neither move a cursor nor give a job's runner commands."""

import json
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from private_pypi.cli.words import coloured, harmless, plain, several, uncoloured

HOSTILE = st.text(st.sampled_from(":#[]\x1b\n\r\t \u2028\u202e\u200b\x07\x9bvso31m")) | st.text()


@given(HOSTILE)
def test_what_comes_from_outside_stays_on_its_line(text: str) -> None:
    assert plain(text).isprintable()
    assert plain(plain(text)) == plain(text)


@given(HOSTILE)
def test_no_line_is_a_command_for_a_runner_or_a_terminal(text: str) -> None:
    shown = harmless(text)

    assert not re.search(r"##(vso)?\[", shown)
    assert not any(line.lstrip().startswith("::") for line in re.split("[\n\x0b\x0c\r\x85\u2028\u2029]", shown))
    assert all(each.isprintable() or each == "\n" for each in re.sub(r"\x1b\[(0|1|3[123])m", "", shown))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x1b[2Jb\x07", "a\\x1b[2Jb\\x07"),
        ("\x1b[31mred\x1b[0m", "\x1b[31mred\x1b[0m"),
        ("one\n  ::notice::two\n:three::", "one\n  \\u003a:notice::two\n:three::"),
        ("##[group]x ##vso[y] ## Title", "\\u0023#[group]x \\u0023#vso[y] ## Title"),
        ("\u6771\u4eac\u202e", "\u6771\u4eac\\u202e"),
    ],
)
def test_what_is_shown_of_it(text: str, shown: str) -> None:
    assert harmless(text) == shown


@given(HOSTILE)
def test_in_json_it_means_the_same(text: str) -> None:
    assert json.loads(harmless(json.dumps({text: [text]}, indent=2))) == {text: [text]}


def test_colours_are_those_of_a_diff() -> None:
    kinds = ("heading", "gain", "loss", "risk")
    assert [coloured(kind, "x") for kind in kinds] == [f"\x1b[{code}mx\x1b[0m" for code in (1, 32, 31, 33)]
    assert uncoloured("gain", "x") == "x"


def test_numbers_are_said_in_words() -> None:
    assert [several(1, "loss", "losses"), several(2, "loss", "losses"), several(0, "gain")] == [
        *("1 loss", "2 losses", "0 gains")
    ]
