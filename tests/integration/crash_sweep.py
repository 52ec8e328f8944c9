"""Every call that changes something, in every transition, disturbed in every way: what `make crash` runs."""

from collections.abc import Callable

import pytest
from crashes import DISTURBANCES, TRANSITIONS, Sweep


@pytest.mark.parametrize("disturbance", DISTURBANCES)
@pytest.mark.parametrize("sweep", TRANSITIONS, indirect=True)
def test_it_ends_as_if_nothing_had_happened(
    sweep: Sweep, disturbance: str, subtests: pytest.Subtests, record_property: Callable[[str, object], None]
) -> None:
    for call, number in sweep.calls:
        ending = "not"
        with subtests.test(f"{call} {number}"):
            ending = sweep.disturb(call, number, DISTURBANCES[disturbance])
        record_property("ended", (ending, disturbance))
