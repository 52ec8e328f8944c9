"""What `tests/unit/test_gate.py` tries of some pairs of projects, of many."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from proof.gate import PARTS, pairs, status_and_reasons


@pytest.mark.parametrize("changed", PARTS)
def test_what_decides_does_not_pass(changed: str) -> None:
    @settings(max_examples=500, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(data=st.data())
    def check(data: st.DataObject) -> None:
        projects: tuple[dict[str, Any], dict[str, Any]] = data.draw(pairs(changed))
        status, reasons = status_and_reasons(*projects)
        assert status in {1, 2} or not reasons

    check()
