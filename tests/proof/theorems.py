"""What is proved of a config: its policies allow and deny exactly what it means, to every caller that there can be.

Examples that the solver gives are put to the evaluator in `tests/` too, which knows nothing of formulas.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import evaluator
import z3
from proof import iam
from proof.iam import Policies, Statements
from proof.made import make
from proof.matrix import Config
from proof.meaning import Meaning
from proof.request import LIKE_IN_LIFE, Example, Formula, Place, Request, Token, TokenExample, name_of

# How long the solver tries, in steps and not in seconds: no answer depends on how busy the machine is.
MAX_STEPS = 100_000_000

_HERE = Place()
_Values = Mapping[z3.ExprRef, Any]


class UndecidedError(Exception):
    """The solver gave up: nothing is proved."""


class Case:
    """A config, what it means, and what the program makes of it."""

    def __init__(self, config: Config, place: Place = _HERE) -> None:
        self.made = make(config, place)
        self.request = Request(place.partition, self.made.policies.identity)
        self.meaning = Meaning(config, place, self.made.roles, self.request)
        assert self.made.policies.identity.keys() == self.meaning.identity_policies.keys()

    def difference(self, policies: Policies) -> Example | None:
        """A request that succeeds and is not given, or the other way round; `None` proves that there is none."""
        differs = iam.allows(policies, self.request) != self.meaning.gives
        return find(self.request, z3.And(self.meaning.is_as_attached, differs))


def case_of(config: Config, place: Place = _HERE) -> Case:
    """The case of a config, made once: a run of the program takes as long as a proof."""
    return _case_of(json.dumps(config), place)


@lru_cache(maxsize=128)
def _case_of(config: str, place: Place) -> Case:
    return Case(json.loads(config), place)


def prove(config: Config, place: Place = _HERE) -> None:
    """Raise an error if anything in the policies of a config is not as the config means it."""
    case = case_of(config, place)
    made, meaning, request = case.made, case.meaning, case.request

    assert case.difference(made.policies) is None
    assert find(request, iam.denies(made.policies, request) != meaning.forbids) is None
    for is_allowed, action_of_row in _in_single_actions(meaning):
        # It is said of somebody: for each row there is a caller whom it lets in, or shuts out.
        values = solve(request, action_of_row)
        assert values
        assert succeeds(made.policies, request.example(values)) is is_allowed
        assert succeeds(_without_denies(made.policies), request.example(values))

    token = Token(place.partition)
    trusted = meaning.trusts(token)
    assert made.trust_policies.keys() == trusted.keys()
    for role, is_of_workflow in trusted.items():
        assert find(token, iam.trusts(made.trust_policies[role], token) != is_of_workflow) is None
        assert is_trusted(made.trust_policies[role], find(token, is_of_workflow))

    assert made.has_domain_statements == config.get("existingDomain", False)


def _in_single_actions(meaning: Meaning) -> Iterator[tuple[bool, Formula]]:
    """Of each row each action: somebody who is in it does it, or somebody cannot whom IAM policies allow it.

    That is somebody of the domain's account. Where it is listed itself, a Deny is for nobody whom anything allows it.
    """
    for row in meaning.allows():
        for action in row.action if row.who else []:
            is_about = meaning.is_about(replace(row, action=[action]))
            yield True, z3.And(is_about, meaning.is_any_of(row.who), meaning.is_as_attached, meaning.gives)
    for row in meaning.denies():
        for action in row.action if not meaning.is_home_in(row.who) else []:
            is_about = meaning.is_about(replace(row, action=[action]))
            yield False, z3.And(is_about, meaning.is_at_home, meaning.request.own, meaning.forbids)


def _without_denies(policies: Policies) -> Policies:
    def allowing(statements: Statements) -> Statements:
        return [statement for statement in statements if statement["Effect"] == "Allow"]

    repositories = {name: allowing(statements) for name, statements in policies.repositories.items()}
    return replace(policies, domain=allowing(policies.domain), repositories=repositories)


def find(about: Request | Token, condition: Formula) -> Any:
    """An example for which the condition holds, made as like to life as can be; `None` proves that there is none."""
    values = solve(about, condition)
    if values is None:
        return None
    condition = z3.And(about.is_possible, condition)
    for variable in about.variables:
        others = [z3.StringVal(text) for text in LIKE_IN_LIFE.get(name_of(variable), [])] or [z3.BoolVal(False)]  # noqa: FBT003
        changes = [{**values, variable: other} for other in others]
        values = next((each for each in changes if _holds(condition, each)), values)
    return about.example(values)


def solve(about: Request | Token, condition: Formula) -> _Values | None:
    """Values of the variables for which the condition holds; `None` proves that there are none."""
    formula = z3.And(about.is_possible, condition)
    try:
        return _solve(about.variables, formula, z3.main_ctx())
    except UndecidedError:
        # How the solver goes about it depends on all that it was told before, except in a context of its own.
        return _solve(about.variables, formula, z3.Context())


def _solve(variables: Sequence[z3.ExprRef], formula: Formula, context: z3.Context) -> _Values | None:
    solver = z3.Solver(ctx=context)
    solver.set("rlimit", MAX_STEPS)
    solver.add(_moved(formula, context))
    answer = solver.check()
    if answer == z3.unknown:
        raise UndecidedError(solver.reason_unknown())
    if answer == z3.unsat:
        return None
    model = solver.model()
    values = {each: model.eval(_moved(each, context), model_completion=True) for each in variables}
    return {each: _moved(value, z3.main_ctx()) for each, value in values.items()}


def _moved(expression: z3.ExprRef, context: z3.Context) -> Any:
    return expression if expression.ctx == context else expression.translate(context)


def _holds(condition: Formula, values: _Values) -> bool:
    return z3.is_true(z3.simplify(z3.substitute(condition, *values.items())))


def succeeds(policies: Policies, example: Example) -> bool:
    """Whether the request succeeds by the evaluator."""
    _, _, path = example.resource.partition(f"{policies.place}:")
    _, domain, repository = [*path.split("/"), "", ""][:3]
    is_in_domain = domain == policies.domain_name
    own = {"Effect": "Allow", "Action": example.action, "Resource": "*"}
    caller = evaluator.Caller(
        arn=example.caller,
        identity_policies=(
            {"Statement": [own] if example.own else []},
            *({"Statement": policies.identity[name]} for name in example.has),
        ),
        organization=example.organization,
        for_service=example.for_service,
    )
    return evaluator.allows(
        caller,
        example.action,
        example.resource,
        permissions_policy=evaluator.evaluated(
            example.action,
            domain=policies.domain if is_in_domain else [],
            repository=policies.repositories.get(repository, []) if is_in_domain else [],
        ),
        owner=policies.owner if is_in_domain else caller.account,
        administrator=policies.administrator if repository in policies.repositories else None,
    )


def is_trusted(trust_policy: Statements, example: TokenExample) -> bool:
    """Whether whoever has the token may assume a role with the trust policy, by the evaluator."""
    claims = {
        "sub": example.subject,
        "aud": example.audience,
        "repository_id": example.repository_id,
        "job_workflow_ref": example.job_workflow_ref,
    }
    claims = {name: value for name, value in claims.items() if value}
    return evaluator.trusts({"Statement": trust_policy}, example.provider, claims, action=example.action)
