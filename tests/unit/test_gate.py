"""`diff --exit-code` is a gate: what decides who gets in, where that is or what is protected does not pass unseen."""

from typing import Any

import pytest
from proof.gate import PARTS, hold, status_and_reasons


@pytest.mark.untraced
@pytest.mark.parametrize("changed", PARTS)
def test_what_decides_does_not_pass(changed: str) -> None:
    """`make proof` tries more of them."""
    hold(changed, max_examples=5)


@pytest.mark.parametrize(("kind", "name"), [("other", "aws:maxRetries"), ("files", "README.md")])
def test_what_decides_nothing_passes(kind: str, name: str) -> None:
    base = {each: dict[str, Any]() for each in PARTS}

    assert status_and_reasons(base, base | {kind: {name: "1"}}) == (0, [])
