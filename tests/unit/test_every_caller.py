"""Proved for every caller, action and resource: what the policies allow is what the config gives.

Here are the features of the config alone, and each mistake once, in the first statement where it can be made. `make proof`
also has the features in pairs, and each mistake everywhere.
"""

from typing import Any

import pytest
import z3
from proof import theorems
from proof.iam import allows, trusts
from proof.matrix import ALONE
from proof.mutations import MISTAKES, mutants
from proof.request import Request, Token
from proof.theorems import Case, UndecidedError, prove


@pytest.mark.parametrize("config", ALONE.values(), ids=ALONE)
def test_policies_give_and_deny_what_the_config_says_and_nothing_else(config: dict[str, Any]) -> None:
    prove(config)


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_has_a_counterexample(mistake: str) -> None:
    _, _, example = next(mutants(mistake))

    assert example


def test_what_the_solver_cannot_decide_is_not_proved(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(theorems, "MAX_STEPS", 1)
    with pytest.raises(UndecidedError):
        prove(ALONE["publisher, pattern"])
