"""What a stack is meant to be, for `check`: the offline preview, in a process of its own, for it imports Pulumi."""

import dataclasses
import json
import subprocess
import sys
from collections.abc import Sequence
from contextlib import redirect_stdout
from pathlib import Path

from private_pypi.access import Access, Statement
from private_pypi.names import Arns
from private_pypi.review.stacks import Stack, StackFileError, read_stack


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
        StackFileError: the program refuses its config.
    """
    command = "from private_pypi.review.meant import print_meant; print_meant()"
    result = subprocess.run(  # noqa: S603  this Python, and names that were read before
        [sys.executable, "-c", command, stack.name, account, region],
        cwd=folder,
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    if result.returncode:
        raise StackFileError(result.stderr.strip())
    content = json.loads(result.stdout)
    return Meant(
        arns=Arns(**content["arns"]),
        access=[Access(**each) for each in content["access"]],
        domain=content["domain"],
        repository=content["repository"],
    )


def print_meant() -> None:
    """Print, as JSON, what `Meant` holds of the stack, the account and the region that the command names."""
    import pulumi  # noqa: PLC0415

    from private_pypi.review.preview import policies, preview  # noqa: PLC0415

    name, account, region = sys.argv[1:]
    folder = Path.cwd()
    try:
        with redirect_stdout(sys.stderr):  # what the program itself prints
            result = preview(folder / "__main__.py", read_stack(folder, name), account=account, region=region)
    except pulumi.RunError as error:
        sys.exit(str(error))
    arns = Arns.of_repository(result.outputs["repository_arn"])
    domain, repository = policies(result.resources, result.outputs, arns)
    access = [dataclasses.asdict(each) for each in result.access]
    meant = {"arns": dataclasses.asdict(arns), "access": access, "domain": domain, "repository": repository}
    sys.stdout.write(json.dumps(meant))
