"""What `tests/unit/test_gate.py` tries of some pairs of projects, of many; and that both outcomes are among them."""

from typing import Any

from hypothesis import HealthCheck, find, given, settings
from proof.gate import pairs, status_and_reasons

MANY = settings(max_examples=1000, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@MANY
@given(projects=pairs())
def test_what_decides_does_not_pass(projects: tuple[dict[str, Any], dict[str, Any]]) -> None:
    status, reasons = status_and_reasons(*projects)

    assert status in {1, 2} or not reasons


def test_something_passes() -> None:
    """Another reader of those who are covered, a page, and how often AWS is asked are no reason to stop anybody."""
    base, head = find(
        pairs(), lambda projects: projects[0] != projects[1] and not any(status_and_reasons(*projects)), settings=MANY
    )

    assert base != head
