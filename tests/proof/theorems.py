"""What is proved of a config: its policies allow and deny exactly what it means, to every caller there can be."""

import z3

from proof import iam
from proof.made import Made, make
from proof.matrix import Config
from proof.meaning import Meaning
from proof.request import Example, Place, Request, Token

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
    """A request for which the condition holds, pleasant to read if there is such a one."""
    model = find(request.is_possible(), condition)
    if model:
        model = find(request.is_possible(), request.is_readable(), condition) or model
    return request.read(model) if model else None
