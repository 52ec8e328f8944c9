"""What a stack is meant to be, for `check`: who gets in by its offline preview, and by which statements."""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

from private_pypi.access import Access, Statement
from private_pypi.names import Arns, partition_of
from private_pypi.review.preview import hidden, policies, program_of, read_preview
from private_pypi.review.record import record
from private_pypi.review.stacks import Stack


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Meant:
    """What the config of a stack says."""

    arns: Arns
    access: Sequence[Access]
    domain: Sequence[Statement]
    """The statements of the domain's permissions policy; of an existing domain those that its owner adds."""
    repository: Sequence[Statement]
    """The statements of the repository's permissions policy."""


def read_meant(folder: Path, stack: Stack, *, account: str, region: str) -> Meant:
    """What the config of `stack`, of the project in `folder`, says of an account and a region.

    Raises:
        pulumi.RunError: the program refuses its config.
    """
    there = {"account": account, "region": region, "partition": partition_of(region)}
    program = dataclasses.replace(program_of(folder, stack), **there)
    result = hidden(read_preview(record(program), account), stack.stand_ins)
    arns = Arns.of_repository(result.outputs["repository_arn"])
    domain, repository = policies(result.resources, result.outputs, arns)
    return Meant(arns=arns, access=result.access, domain=domain, repository=repository)
