"""What a stack would be, without the Pulumi CLI and without AWS: what its program registers, read for people."""

import dataclasses
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from private_pypi.arns import partition_of
from private_pypi.cli.components import Component, read_components
from private_pypi.cli.program import Program, Recording, Resource, record
from private_pypi.cli.stack_files import Stack

PLACEHOLDER_ACCOUNT = "000000000000"
PLACEHOLDER_REGION = "us-east-1"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Preview:
    """What `pulumi up` would make of a stack that does not exist yet."""

    components: tuple[Component, ...]
    """Every private PyPI in the program."""
    resources: tuple[Resource, ...]
    """All that the program registers."""
    outputs: Mapping[str, Any]
    """Those of the stack, by name; `None` for what is known only after `pulumi up`, `[secret]` for what is secret."""
    secret_outputs: Mapping[str, str]
    """Of those that have a secret in them, what is equal where the secrets are."""
    warnings: tuple[str, ...]
    """What the program warns of."""


def preview(folder: Path, stack: Stack) -> Preview:
    """Run the program of the project in `folder` with the config of `stack`.

    Raises:
        MistakesError: the program refuses its config, or fails, or is none of a private PyPI.
    """
    return read_preview(record(program_of(folder, stack)))


def program_of(folder: Path, stack: Stack) -> Program:
    """The program of the project in `folder`, where the config of `stack` places it."""
    region = stack.region or PLACEHOLDER_REGION
    main = folder / stack.main
    return Program(
        path=str(main / "__main__.py" if main.is_dir() else main),
        project=stack.project,
        stack=stack.name,
        config=stack.config,
        secret_keys=stack.secret_keys,
        account=stack.account or PLACEHOLDER_ACCOUNT,
        region=region,
        partition=partition_of(region),
    )


def read_preview(recording: Recording) -> Preview:
    """What a program registers, read.

    Raises:
        MistakesError: there is no private PyPI in it.
    """
    return Preview(
        components=tuple(read_components(recording.resources)),
        resources=recording.resources,
        outputs=recording.exports,
        secret_outputs=recording.secret_exports,
        warnings=recording.warnings,
    )


def as_json(preview: Preview) -> dict[str, Any]:
    """A preview as what JSON holds. Its keys are public: docs/reference.md describes them."""
    return {
        "components": [_component(each) for each in preview.components],
        "resources": [
            {
                "urn": each.urn,
                "type": each.type,
                "name": each.name,
                "parent": each.parent,
                "inputs": each.inputs,
                "protect": each.protect,
            }
            for each in preview.resources
        ],
        "outputs": preview.outputs,
        "warnings": [*preview.warnings],
    }


def _component(component: Component) -> dict[str, Any]:
    return {
        "name": component.name,
        "urn": component.urn,
        "account": component.account,
        "domain_arn": component.arns.domain,
        "repository_arn": component.arns.repository,
        "access": [_access(dataclasses.asdict(each)) for each in component.access],
        "safeguards": dataclasses.asdict(component.safeguards),
        "denials": [dataclasses.asdict(each) for each in component.denials],
        "not_understood": [
            {"where": each.where, "why": each.why, "text": each.text} for each in component.not_understood
        ],
        "outputs": component.outputs,
    }


def _access(access: dict[str, Any]) -> dict[str, Any]:
    """A row of the table."""
    return {
        "principal": access["principal"],
        "install": access["install"],
        "list": access["list_packages"],
        "publish": access["publish"],
        "also": access["other"],
        "workload": access["workload"],
    }
