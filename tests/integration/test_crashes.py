"""A part of what `make crash` runs (`crash_sweep.py`), and the page for whoever it happens to."""

import re

import pytest
from crashes import DISTURBANCES, EDITS, MENDS, TIDYING, Sweep, section

from private_pypi.keys import KEYS


@pytest.mark.parametrize("sweep", ["the first up"], indirect=True)
def test_an_up_that_was_killed_after_a_call_is_ended_by_what_the_page_says(
    sweep: Sweep, subtests: pytest.Subtests
) -> None:
    """One call of each kind; `make crash` has them all."""
    calls = {call.partition(" ")[0]: (call, number) for call, number in reversed(sweep.calls)}
    for kind, (call, number) in calls.items():
        with subtests.test(kind):
            sweep.disturb(call, number, DISTURBANCES["killed after"])


@pytest.mark.parametrize("disturbance", DISTURBANCES)
@pytest.mark.parametrize("sweep", ["readers changed"], indirect=True)
def test_a_change_of_a_policy_is_ended_whatever_happens_to_it(sweep: Sweep, disturbance: str) -> None:
    (call,) = [call for call in sweep.calls if "PutRepositoryPermissionsPolicy" in call[0]]
    sweep.disturb(*call, DISTURBANCES[disturbance])


@pytest.mark.parametrize(("heading", "printed"), (MENDS | TIDYING).items(), ids=[*MENDS, *TIDYING])
def test_the_page_shows_what_is_printed(heading: str, printed: str) -> None:
    assert re.search(printed, section(heading))


def test_every_key_that_can_change_is_changed_in_the_sweep() -> None:
    assert KEYS.keys() - EDITS.keys() == {"domainOwner", "encryptionKey", "existingDomain"}
