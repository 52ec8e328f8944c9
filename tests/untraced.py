"""What coverage does not trace: until Python 3.14 it makes all code run at half its speed, that of Pulumi too.

It counts calls and returns. So tracing ends as many calls deep as it begins again, or it takes one frame for another.
"""

import contextlib
import sys
import threading
from collections.abc import Generator
from typing import Any

Traces = tuple[Any, Any]
NOTHING: Traces = (None, None)


@contextlib.contextmanager
def untraced() -> Generator[Traces]:
    """For what is run to compare something with it, and is itself tested elsewhere."""
    traces = current_traces()
    trace(NOTHING)
    try:
        yield traces
    finally:
        trace(traces)


@contextlib.contextmanager
def traced(traces: Traces) -> Generator[None]:
    """In the midst of what is not: as it was traced before."""
    trace(traces)
    try:
        yield
    finally:
        trace(NOTHING)


def current_traces() -> Traces:
    return sys.gettrace(), threading.gettrace()


def trace(traces: Traces) -> None:
    here, threads = traces
    sys.settrace(here)
    threading.settrace(threads)
