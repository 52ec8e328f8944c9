"""A private PyPI on AWS CodeArtifact, as a Pulumi component."""

from typing import TYPE_CHECKING, Any

from private_pypi.args import PrivatePypiArgs
from private_pypi.errors import InvalidValueError
from private_pypi.names import parse_package
from private_pypi.principals import Principal, Publisher
from private_pypi.statements import DomainStatement
from private_pypi.workloads import Workload

if TYPE_CHECKING:
    from private_pypi.component import PrivatePypi
    from private_pypi.config import load_args

__all__ = [
    "DomainStatement",
    "InvalidValueError",
    "Principal",
    "PrivatePypi",
    "PrivatePypiArgs",
    "Publisher",
    "Workload",
    "load_args",
    "parse_package",
]


def __getattr__(name: str) -> Any:
    """What needs the Pulumi SDK, imported when it is asked for: most commands start in half the time without it."""
    match name:
        case "PrivatePypi":
            from private_pypi.component import PrivatePypi  # noqa: PLC0415

            return PrivatePypi
        case "load_args":
            from private_pypi.config import load_args  # noqa: PLC0415

            return load_args
        case _:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
