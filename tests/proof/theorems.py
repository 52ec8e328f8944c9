"""What is proved of a config: its policies allow and deny exactly what it means, to every caller that there can be.

Examples that the solver gives are put to the evaluator in `tests/` too, which knows nothing of formulas.
"""

from collections.abc import Mapping
from typing import Any

import evaluator
import z3

from proof import iam
from proof.iam import Policies
from proof.made import make
from proof.matrix import Config
from proof.meaning import Meaning
from proof.request import LIKE_IN_LIFE, Example, Place, Request, Token

# How long the solver tries, in steps and not in seconds: no answer depends on how busy the machine is.
MAX_STEPS = 100_000_000

_Values = Mapping[z3.ExprRef, z3.ExprRef]


class UndecidedError(Exception):
    """The solver gave up: nothing is proved."""


class Case:
    """A config, what it means, and what the program makes of it."""

    def __init__(self, config: Config, place: Place) -> None:
        self.made = make(config, place)
        self.request = Request(place.partition)
        self.meaning = Meaning(config, place, self.made.roles, self.request)

    def difference(self, policies: Policies) -> Example | None:
        """A request that succeeds and is not given by the config, or the other way round. `None` proves there is none."""
        return find(self.request, iam.allows(policies, self.request) != self.meaning.gives)


def prove(config: Config, place: Place = Place()) -> None:
    case = Case(config, place)
    made, meaning, request = case.made, case.meaning, case.request

    assert case.difference(made.policies) is None
    assert find(request, iam.denies(made.policies, request) != meaning.forbids) is None
    for promise in meaning.promises():
        example = solve(request, promise)
        assert example, promise
        assert succeeds(made.policies, request.example(example))
    for threat in meaning.threats():
        example = solve(request, z3.And(threat, request.own))
        assert example, threat
        assert not succeeds(made.policies, request.example(example))

    token = Token()
    trusted = meaning.trusted(token)
    assert made.trust_policies.keys() == trusted.keys()
    for role, is_workflow in trusted.items():
        assert find(token, iam.trusts(made.trust_policies[role], token) != is_workflow) is None
        assert solve(token, is_workflow)

    assert made.attached == {role: [made.policies.identity[name]] for role, name in meaning.attached().items()}


def find(about: Request | Token, condition: z3.BoolRef) -> Any:
    """An example for which the condition holds, made as like to life as can be; `None` proves that there is none."""
    values = solve(about, condition)
    if values is None:
        return None
    condition = z3.And(about.is_possible, condition)
    for variable in about.variables:
        others = map(z3.StringVal, LIKE_IN_LIFE[str(variable)]) if z3.is_string(variable) else [z3.BoolVal(False)]
        changes = [{**values, variable: other} for other in others]
        values = next((each for each in changes if _holds(condition, each)), values)
    return about.example(values)


def solve(about: Request | Token, condition: z3.BoolRef) -> _Values | None:
    """Values of the variables for which the condition holds; `None` proves that there are none."""
    solver = z3.Solver()
    solver.set("rlimit", MAX_STEPS)
    solver.add(about.is_possible, condition)
    answer = solver.check()
    if answer == z3.unknown:
        raise UndecidedError(solver.reason_unknown())
    if answer == z3.unsat:
        return None
    return {each: solver.model().eval(each, model_completion=True) for each in about.variables}


def _holds(condition: z3.BoolRef, values: _Values) -> bool:
    return z3.is_true(z3.simplify(z3.substitute(condition, *values.items())))


def succeeds(policies: Policies, example: Example) -> bool:
    """What the evaluator says."""
    _, _, path = example.resource.partition(f"{policies.place}:")
    _, domain, repository = [*path.split("/"), "", ""][:3]
    inside = domain == policies.domain_name
    permissions = [*policies.domain, *policies.repositories.get(repository, [])] if inside else []
    own = {"Effect": "Allow", "Action": example.action, "Resource": example.resource}
    caller = evaluator.Caller(
        arn=example.caller,
        identity_policies=(
            {"Statement": [own] if example.own else []},
            *({"Statement": policies.identity[name]} for name in example.has),
        ),
        organization=example.organization,
        token_for=example.token_for,
    )
    owner = policies.owner if inside else caller.account
    return evaluator.allows(
        caller, example.action, example.resource, permissions_policy={"Statement": permissions}, owner=owner
    )
