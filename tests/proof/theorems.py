"""What is proved of a config: its policies allow and deny exactly what it means, to every caller there can be."""

import z3

from proof import iam
from proof.made import Made, make
from proof.matrix import Config
from proof.meaning import Meaning
from proof.request import LIKE_IN_LIFE, Example, Place, Request, Token

# How long the solver tries, in steps and not in seconds: no answer depends on how busy the machine is.
_STEPS = 100_000_000


class UndecidedError(Exception):
    """The solver gave up."""


def find(*conditions: z3.BoolRef) -> z3.ModelRef | None:
    """Values of the variables for which all conditions hold; `None` is a proof that there are none."""
    solver = z3.Solver()
    solver.set("rlimit", _STEPS)
    solver.add(*conditions)
    answer = solver.check()
    if answer == z3.unknown:
        raise UndecidedError(solver.reason_unknown())
    return solver.model() if answer == z3.sat else None


def find_request(request: Request, condition: z3.BoolRef) -> Example | None:
    """A request for which the condition holds; as like those in life as it can be."""
    condition = z3.And(request.is_possible(), condition)
    model = find(condition)
    if not model:
        return None
    values = {each: model.eval(each, model_completion=True) for each in [*request.flags, *request.texts]}
    for text in request.texts:
        for value in LIKE_IN_LIFE[str(text)]:
            others = values | {text: z3.StringVal(value)}
            if z3.is_true(z3.simplify(z3.substitute(condition, *others.items()))):
                values = others
                break
    return request.read(values)
