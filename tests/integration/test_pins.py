from locks import DEV, INTEGRATION, RUN, missing


def test_what_is_pinned_brings_all_that_it_asks_for() -> None:
    assert [*missing(RUN, DEV, INTEGRATION)] == []
