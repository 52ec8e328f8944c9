"""A part of what `make crash` runs (`crash_sweep.py`): of each kind of call one, disturbed at the worst moment."""

import pytest
from crashes import DISTURBANCES, Sweep


@pytest.mark.parametrize("sweep", ["the first up"], indirect=True)
def test_an_engine_that_was_killed_after_a_call(
    sweep: Sweep, subtests: pytest.Subtests
) -> None:
    first = {call.partition(" ")[0]: (call, number) for call, number in reversed(sweep.calls)}
    for call, number in first.values():
        with subtests.test(call):
            sweep.disturb(call, number, DISTURBANCES["killed after"])


@pytest.mark.parametrize("disturbance", DISTURBANCES)
@pytest.mark.parametrize("sweep", ["readers added"], indirect=True)
def test_disturbances(sweep: Sweep, disturbance: str) -> None:
    sweep.disturb(*sweep.calls[0], DISTURBANCES[disturbance])
