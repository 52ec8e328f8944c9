import pytest
from locks import BENCH, DEV, INTEGRATION, ROOT, RUN, entries, missing

LOCKS = pytest.mark.parametrize("lock", [RUN, DEV, INTEGRATION, BENCH])


@LOCKS
def test_everything_is_pinned_to_one_version_and_its_files(lock: str) -> None:
    assert entries(lock)
    for pin, hashes in entries(lock):
        assert [each.operator for each in pin.specifier] == ["=="], pin
        assert "*" not in str(pin.specifier), pin
        assert hashes, pin


@LOCKS
def test_a_lock_names_no_place_to_download_from(lock: str) -> None:
    text = (ROOT / lock).read_text()

    assert "://" not in text
    assert "file:" not in text
    assert "\n-" not in text


def test_what_stands_in_two_locks_is_the_same() -> None:
    versions: dict[tuple[str, str], set[str]] = {}
    for lock in (RUN, DEV, INTEGRATION, BENCH):
        for pin, _ in entries(lock):
            versions.setdefault((pin.name, str(pin.marker)), set()).add(str(pin.specifier))

    assert {name: each for name, each in versions.items() if len(each) > 1} == {}


def test_what_is_pinned_brings_all_that_it_asks_for() -> None:
    """Extras too: pip in hash mode refuses a pin without them once there is a newer version.

    The third lock is not installed here: `test_pins.py` of the integration tests is the same for it. The fourth is for
    the benchmark alone, and for who asks for it.
    """
    assert [*missing(RUN, DEV)] == []
