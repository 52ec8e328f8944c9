"""What was measured, as a table and as JSON."""

import dataclasses
import os
import platform
import shutil
import statistics
from collections.abc import Iterable, Sequence
from importlib.metadata import version
from typing import Any, Literal

from bench.measure import Command, Usage, output

BUSY = 0.75
"""The load for each CPU from which on what else runs shows in what is measured."""


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Row:
    """One thing against another."""

    what: str
    values: Sequence[float]
    """In each round, or once where no round differs from another."""
    against: Sequence[float]
    """The other's, in the same rounds."""
    unit: Literal["s", "MB", "calls", "characters", "principals"]
    wanted: float | None = None
    """The most that the ratio may be; `None` where nothing is wanted of it."""

    @property
    def ratio(self) -> float | None:
        """How many times the other it is, by their medians; `None` against nothing."""
        return _ratio(statistics.median(self.values), statistics.median(self.against))

    @property
    def middle(self) -> tuple[float, float] | None:
        """Between which ratios half of the rounds are; `None` where they do not differ."""
        ratios = [ratio for pair in zip(self.values, self.against, strict=True) if (ratio := _ratio(*pair)) is not None]
        if len({*ratios}) < 2:  # noqa: PLR2004  it takes two to differ
            return None
        low, _, high = statistics.quantiles(ratios, n=4, method="inclusive")
        return low, high


def _ratio(value: float, against: float) -> float | None:
    if value == against:  # two of nothing are the same
        return 1
    return value / against if against else None


def usage_rows(
    what: str, values: Sequence[Usage], against: Sequence[Usage], wanted: tuple[float, float, float]
) -> list[Row]:
    """Wall time, CPU time and memory of one against another; `wanted` is of each."""
    wall, cpu, memory = wanted
    return [
        wall_row(what, values, against, wanted=wall),
        Row(
            what=f"{what}: CPU time",
            values=[each.cpu_seconds for each in values],
            against=[each.cpu_seconds for each in against],
            unit="s",
            wanted=cpu,
        ),
        Row(
            what=f"{what}: peak memory",
            values=[each.memory_bytes / 1e6 for each in values],
            against=[each.memory_bytes / 1e6 for each in against],
            unit="MB",
            wanted=memory,
        ),
    ]


def wall_row(what: str, values: Sequence[Usage], against: Sequence[Usage], wanted: float | None) -> Row:
    """Wall time of one against another."""
    return Row(
        what=f"{what}: wall time",
        values=[each.wall_seconds for each in values],
        against=[each.wall_seconds for each in against],
        unit="s",
        wanted=wanted,
    )


def table(rows: Iterable[Row]) -> str:
    """Rows as a table in Markdown."""
    lines = [
        (row.what, "" if row.wanted is None else f"up to {row.wanted:g}", _measured(row), _numbers(row)) for row in rows
    ]
    cells = [("", "wanted", "measured", "medians"), *lines]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    title, *body = ["| " + " | ".join(map(str.ljust, line, widths)) + " |" for line in cells]
    return "\n".join([title, "|" + "|".join("-" * (width + 2) for width in widths) + "|", *body])


def _measured(row: Row) -> str:
    ratio = "-" if row.ratio is None else f"{row.ratio:.2f}"
    return ratio if row.middle is None else f"{ratio} ({row.middle[0]:.2f} to {row.middle[1]:.2f})"


def _numbers(row: Row) -> str:
    places = {"s": ".2f", "MB": ".0f"}.get(row.unit, ",.0f")
    value, against = statistics.median(row.values), statistics.median(row.against)
    return f"{value:{places}} {row.unit} against {against:{places}}"


def content(rows: Iterable[Row]) -> list[dict[str, Any]]:
    """Rows as JSON holds them."""
    return [dataclasses.asdict(row) | {"ratio": row.ratio} for row in rows]


def machine() -> dict[str, str]:
    """Where it was measured."""
    return {
        "system": f"{platform.system()} {platform.release()}, {platform.machine()}, {os.cpu_count()} CPUs",
        "Python": platform.python_version(),
        "pulumi": version("pulumi"),
        "pulumi-aws": version("pulumi-aws"),
        "Pulumi CLI": output(Command(arguments=["pulumi", "version"])).strip() if shutil.which("pulumi") else "none",
        "AWS plugin": "the one of the CLI" if os.environ.get("PLUGIN") == "real" else "the stand-in of the tests",
        "load": f"{os.getloadavg()[0]:.1f}",
    }


def is_busy() -> bool:
    """Whether the machine does something else, too."""
    return os.getloadavg()[0] > BUSY * (os.cpu_count() or 1)
