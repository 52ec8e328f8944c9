"""What `tests/unit/test_gate.py` tries of some pairs of projects, of many."""

import pytest
from proof.gate import PARTS, hold


@pytest.mark.parametrize("changed", PARTS)
def test_what_decides_does_not_pass(changed: str) -> None:
    hold(changed, max_examples=500)
