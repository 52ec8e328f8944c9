"""`diff --exit-code` is a gate: what decides who gets in, where that is or what is protected does not pass unseen."""

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from proof.gate import PARTS, pairs, status_and_reasons


@pytest.mark.parametrize("changed", PARTS)
def test_what_decides_does_not_pass(changed: str) -> None:
    """`make proof` tries more of them."""

    @settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(data=st.data())
    def check(data: st.DataObject) -> None:
        projects: tuple[dict[str, Any], dict[str, Any]] = data.draw(pairs(changed))
        status, reasons = status_and_reasons(*projects)
        assert status in {1, 2} or not reasons

    check()


@pytest.mark.parametrize(("kind", "name"), [("other", "aws:maxRetries"), ("files", "README.md")])
def test_what_decides_nothing_passes(kind: str, name: str) -> None:
    base = {each: dict[str, Any]() for each in PARTS}

    assert status_and_reasons(base, base | {kind: {name: "1"}}) == (0, [])
