"""What `tests/unit/test_every_caller.py` proves of each feature alone, of all pairs, and of all features together."""

from collections.abc import Callable
from typing import Any

import pytest
from proof.matrix import ALONE, PAIRS, TOGETHER, in_china
from proof.mutations import MISTAKES, mutants
from proof.request import Place
from proof.theorems import prove


@pytest.mark.parametrize("config", [*PAIRS.values(), *TOGETHER.values()], ids=[*PAIRS, *TOGETHER])
def test_the_policies_allow_and_deny_what_the_config_says_and_nothing_else(
    config: dict[str, Any], record_property: Callable[[str, object], None]
) -> None:
    prove(config)
    record_property("proved", config)


@pytest.mark.parametrize("config", [ALONE["workload, branch"], *TOGETHER.values()])
def test_so_it_is_in_another_partition(config: dict[str, Any], record_property: Callable[[str, object], None]) -> None:
    there = in_china(config)
    prove(there, Place(partition="aws-cn", region="cn-north-1"))
    record_property("proved", there)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_in_a_policy_has_a_counterexample_wherever_it_is_made(
    mistake: str, record_property: Callable[[str, object], None]
) -> None:
    examples: list[object] = []
    for config, statement, example in mutants(mistake):
        assert example, (config, statement)
        examples.append(example)

    assert examples
    record_property("found", (mistake, len(examples), str(examples[0])))
