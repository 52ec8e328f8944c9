"""A private PyPI on AWS CodeArtifact, as a Pulumi component."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from private_pypi.args import PrivatePypiArgs
    from private_pypi.component import PrivatePypi
    from private_pypi.config import load_args
    from private_pypi.errors import InvalidValueError
    from private_pypi.names import parse_package
    from private_pypi.principals import Principal, Publisher
    from private_pypi.statements import DomainStatement
    from private_pypi.workloads import Workload

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

_MODULES = {
    "DomainStatement": "statements",
    "InvalidValueError": "errors",
    "Principal": "principals",
    "PrivatePypi": "component",
    "PrivatePypiArgs": "args",
    "Publisher": "principals",
    "Workload": "workloads",
    "load_args": "config",
    "parse_package": "names",
}


def __getattr__(name: str) -> Any:
    """What is asked for, imported then: with the Pulumi SDK a command would take twice as long to start."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)
