"""A private PyPI on AWS CodeArtifact, as a Pulumi component."""

from private_pypi.args import PrivatePypiArgs
from private_pypi.component import PrivatePypi
from private_pypi.config import load_args
from private_pypi.errors import InvalidValueError
from private_pypi.names import parse_package
from private_pypi.principals import Principal, Publisher
from private_pypi.workloads import GithubPublisher

__all__ = [
    "GithubPublisher",
    "InvalidValueError",
    "Principal",
    "PrivatePypi",
    "PrivatePypiArgs",
    "Publisher",
    "load_args",
    "parse_package",
]
