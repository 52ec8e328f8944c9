"""The lock files, read with what is installed: pip in hash mode takes nothing that they do not pin."""

import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
RUN, DEV, INTEGRATION = "requirements.txt", "requirements-dev.txt", "tests/integration/requirements.txt"
BENCH = "bench/requirements.txt"


def entries(lock: str) -> list[tuple[Requirement, list[str]]]:
    """What a lock file pins, each with the hashes of its files."""
    lines = (ROOT / lock).read_text().replace("\\\n", " ").splitlines()
    return [
        (Requirement(line.partition(" --hash")[0]), re.findall(r" --hash=sha256:([0-9a-f]{64})(?= |$)", line))
        for line in lines
        if not line.startswith("#")
    ]


def missing(*locks: str) -> Iterator[str]:
    """What the pinned distributions ask for in their own metadata and is not pinned, or not with its extras.

    All that is pinned for this Python and platform has to be installed.
    """
    pins = {canonicalize_name(pin.name): pin for lock in locks for pin, _ in entries(lock)}
    for name, pin in pins.items():
        if pin.marker and not pin.marker.evaluate():
            continue
        try:
            needed = [Requirement(each) for each in requires(name) or []]
        except PackageNotFoundError:
            yield f"{pin} is not installed"
            continue
        for need in needed:
            contexts = [{"extra": extra} for extra in ("", *pin.extras)]
            if need.marker and not any(need.marker.evaluate(context) for context in contexts):
                continue
            pinned = pins.get(canonicalize_name(need.name))
            if pinned is None or not need.extras <= pinned.extras:
                yield f"{pin} needs {need}, and what is pinned is {pinned}"
