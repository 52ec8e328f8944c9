"""What was measured, as a table and as JSON."""

import dataclasses
import os
import platform
from collections.abc import Iterable
from importlib.metadata import version
from typing import Any, Literal

from bench.measure import Usage

BUSY = 0.75
"""The load for each CPU from which on what else runs shows in what is measured."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One thing against another."""

    what: str
    value: float
    against: float
    unit: Literal["s", "MB", "calls", "characters", "principals"]
    wanted: float | None = None
    """The most that the ratio may be; `None` where nothing is wanted of it."""

    @property
    def ratio(self) -> float:
        """How many times the other it is; two of nothing are the same."""
        return 1 if self.value == self.against else self.value / self.against if self.against else float("inf")


def usage_rows(what: str, value: Usage, against: Usage, wanted: tuple[float, float, float]) -> list[Row]:
    """Wall time, CPU time and memory of one against another; `wanted` is of each."""
    wall, cpu, memory = wanted
    return [
        Row(what=f"{what}: wall time", value=value.wall_seconds, against=against.wall_seconds, unit="s", wanted=wall),
        Row(what=f"{what}: CPU time", value=value.cpu_seconds, against=against.cpu_seconds, unit="s", wanted=cpu),
        Row(
            what=f"{what}: peak memory",
            value=value.memory_bytes / 1e6,
            against=against.memory_bytes / 1e6,
            unit="MB",
            wanted=memory,
        ),
    ]


def table(rows: Iterable[Row]) -> str:
    """Rows as a table in Markdown."""
    lines = [
        (row.what, "" if row.wanted is None else f"up to {row.wanted:g}", f"{row.ratio:.2f}", _numbers(row))
        for row in rows
    ]
    cells = [("", "wanted", "measured", "medians"), *lines]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    title, *body = ["| " + " | ".join(map(str.ljust, line, widths)) + " |" for line in cells]
    return "\n".join([title, "|" + "|".join("-" * (width + 2) for width in widths) + "|", *body])


def _numbers(row: Row) -> str:
    places = {"s": ".2f", "MB": ".0f"}.get(row.unit, ",.0f")
    return f"{row.value:{places}} {row.unit} against {row.against:{places}}"


def content(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Rows as JSON holds them."""
    return [dataclasses.asdict(row) | {"ratio": row.ratio} for row in rows]


def machine() -> dict[str, str]:
    """Where it was measured."""
    return {
        "system": f"{platform.system()} {platform.release()}, {platform.machine()}, {os.cpu_count()} CPUs",
        "python": platform.python_version(),
        "pulumi": version("pulumi"),
        "pulumi-aws": version("pulumi-aws"),
        "load": f"{os.getloadavg()[0]:.1f}",
    }


def is_busy() -> bool:
    """Whether the machine does something else, too."""
    return os.getloadavg()[0] > BUSY * (os.cpu_count() or 1)
