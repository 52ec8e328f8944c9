"""The pictures in the pages show what the commands print now."""

import pytest
from pictures import PICTURES, draw, outputs, words

OUTPUTS = {name: (command, output) for name, command, output in outputs()}


@pytest.mark.parametrize("name", OUTPUTS)
def test_a_picture_shows_what_the_command_prints(name: str) -> None:
    """If this fails, run `make pictures`."""
    assert words((PICTURES / f"{name}.svg").read_text()) == words(draw(*OUTPUTS[name]))


def test_there_are_no_other_pictures_and_none_asks_another_server() -> None:
    assert {each.stem for each in PICTURES.iterdir()} == OUTPUTS.keys()
    assert not any("url(http" in each.read_text() or "@import" in each.read_text() for each in PICTURES.iterdir())
