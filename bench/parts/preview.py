"""The offline preview of the dev stack, next to the imports it needs and to the flat program under the same mocks."""

import sys

from bench.measure import Command, in_turn
from bench.report import Row, usage_rows
from bench.stacks import dev, flat, preview

ROUNDS = 20


def why_left_out() -> str | None:
    """Nothing is needed."""
    return None


def measure(rounds: int) -> list[Row]:
    """Time and memory against each."""
    used = in_turn(
        {
            "preview": preview("dev"),
            "imports": Command(arguments=[sys.executable, "-c", "import pulumi, pulumi_aws.codeartifact"]),
            "flat": flat(dev()),
        },
        rounds,
    )
    return [
        *usage_rows("preview against the imports", used["preview"], used["imports"], wanted=(1.15, 1.15, 1.15)),
        *usage_rows("preview against the flat program", used["preview"], used["flat"], wanted=(1.1, 1.1, 1.1)),
    ]
