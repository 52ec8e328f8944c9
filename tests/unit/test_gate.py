"""`diff --exit-code` is a gate: what decides who gets in, where that is or what is protected does not pass unseen."""

from typing import Any

from hypothesis import HealthCheck, given, settings
from proof.gate import pairs, status_and_reasons


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(projects=pairs())
def test_what_decides_does_not_pass(projects: tuple[dict[str, Any], dict[str, Any]]) -> None:
    """`make proof` tries more of them."""
    status, reasons = status_and_reasons(*projects)

    assert status in {1, 2} or not reasons
