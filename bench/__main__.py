"""Measure, and print the tables: `python -m bench [PART ...] [--rounds NUMBER]`."""

import argparse
import json
from typing import Any

from bench.measure import ROOT
from bench.parts import cdk, check, diff, engine, growth, preview
from bench.report import content, is_busy, machine, table

PARTS = {"preview": preview, "diff": diff, "check": check, "cdk": cdk, "engine": engine, "growth": growth}
RESULTS = ROOT / ".venv/bench.json"


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"what to measure: {', '.join(PARTS)} (default: all)")
    parser.add_argument("--rounds", type=int, help="how often (default: each part's own)")
    options = parser.parse_args()
    if unknown := {*options.parts} - PARTS.keys():
        parser.error(f"there is no part {', '.join(sorted(unknown))}; the parts are {', '.join(PARTS)}")

    where = machine()
    print(", ".join(f"{name} {value}" for name, value in where.items()))
    if is_busy():
        print("The machine is busy: measure again when it is not.")
    parts: dict[str, Any] = {}
    for name in options.parts or PARTS:
        part = PARTS[name]
        if why := part.why_left_out():
            print(f"\n{name}: left out, because {why}", flush=True)
            continue
        rounds = options.rounds or part.ROUNDS
        print(f"\n{name}, medians of {rounds} rounds:\n", flush=True)
        rows = part.measure(rounds)
        print(table(rows), flush=True)
        parts[name] = {"rounds": rounds, "rows": content(rows)}
    RESULTS.write_text(json.dumps({"machine": where, "parts": parts}, indent=2))
    print(f"\nAll numbers are in {RESULTS.relative_to(ROOT)}")


main()
