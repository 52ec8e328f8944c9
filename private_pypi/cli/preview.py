"""What a stack would be, without the Pulumi CLI and without AWS: what its program registers, read for people."""

import dataclasses
import functools
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from private_pypi.arns import Arns, partition_of
from private_pypi.cli.program import Program, Recording, Resource, record
from private_pypi.cli.stack_files import Stack, StackFileError
from private_pypi.iam import Access, Policy, is_closed, is_protected, read_access, read_policy
from private_pypi.package_groups import TYPE_NAME, reserved
from private_pypi.workloads import trusted_workflow

PLACEHOLDER_ACCOUNT = "000000000000"
PLACEHOLDER_REGION = "us-east-1"


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Preview:
    """What `pulumi up` would make of a stack that does not exist yet."""

    resources: tuple[Resource, ...]
    outputs: Mapping[str, Any]
    """By name; `None` for what is known only after `pulumi up`."""
    access: tuple[Access, ...]
    publishing_is_closed: bool
    """Whether nobody else may publish, whatever their own IAM policies say."""
    deletion_is_denied: bool
    """Whether nobody may delete the repository or what is in it, whatever their own IAM policies say."""
    internal_packages: tuple[str, ...]
    """Names and `prefix-*` that never come from public PyPI."""
    warnings: tuple[str, ...]
    """What the program warns of."""


def preview(folder: Path, stack: Stack) -> Preview:
    """Run the program in `folder` with the config of `stack`; what stands for encrypted values is `[secret]`.

    Raises:
        pulumi.RunError: the program refuses its config.
        StackFileError: the program is none of a private PyPI.
    """
    program = program_of(folder, stack)
    return hidden(read_preview(record(program), program.account), stack.stand_ins)


def program_of(folder: Path, stack: Stack) -> Program:
    """The program in `folder`, where the config of `stack` places it."""
    region = stack.region or PLACEHOLDER_REGION
    return Program(
        path=str(folder / "__main__.py"),
        project=stack.project,
        stack=stack.name,
        config=stack.config,
        account=stack.account or PLACEHOLDER_ACCOUNT,
        region=region,
        partition=partition_of(region),
    )


def read_preview(recording: Recording, account: str) -> Preview:
    """What a program registers in an account, 12 digits, read.

    Raises:
        StackFileError: it has no repository of ours.
    """
    resources, outputs = recording.resources, recording.outputs
    if not outputs.get("repository_arn"):
        raise StackFileError("the program exports no repository_arn: export the outputs of PrivatePypi")
    arns = Arns.of_repository(outputs["repository_arn"])
    domain, repository = policies(resources, outputs, arns)
    workflows = {
        f"arn:{arns.partition}:iam::{account}:role/{each.inputs['name']}": trusted_workflow(trust_policy)
        for each in resources
        if (trust_policy := each.inputs.get("assumeRolePolicy"))
    }
    return Preview(
        resources=resources,
        outputs=outputs,
        access=tuple(
            dataclasses.replace(each, workflow=workflows.get(each.principal))
            for each in read_access(domain, repository, arns)
        ),
        publishing_is_closed=is_closed(repository, arns),
        deletion_is_denied=is_protected(repository, arns),
        internal_packages=tuple(_internal_packages(resources)),
        warnings=recording.warnings,
    )


def hidden(preview: Preview, stand_ins: Iterable[str]) -> Preview:
    """A preview with `[secret]` for each stand-in."""
    hide = functools.partial(hide_stand_ins, stand_ins=stand_ins)
    data = hide(dataclasses.asdict(preview))
    return Preview(
        **data
        | {name: tuple(data[name]) for name in ("internal_packages", "warnings")}
        | {"resources": tuple(Resource(**each) for each in data["resources"])}
        | {"access": tuple(Access(**each) for each in data["access"])}
    )


def hide_stand_ins(data: Any, stand_ins: Iterable[str]) -> Any:
    """What JSON holds, with `[secret]` for each stand-in in it."""
    # An encrypted role also shows by its name alone. The longer come first, lest a part of one be replaced.
    names = {*stand_ins, *(stand_in.rpartition("/")[2] for stand_in in stand_ins)}
    text = json.dumps(data)
    for stand_in in sorted(names, key=len, reverse=True):
        text = text.replace(stand_in, "[secret]")
    return json.loads(text)


def policies(resources: Iterable[Resource], outputs: Mapping[str, Any], arns: Arns) -> tuple[Policy, Policy]:
    """The domain's permissions policy, and that of the repository, not of its store."""
    # Of an existing domain the owner writes the policy; here it is as if that were done.
    domain, repository = read_policy(outputs.get("domain_policy_statement"), arns), Policy()
    for each in resources:
        if each.type == "aws:codeartifact/domainPermissions:DomainPermissions":
            domain += read_policy(each.inputs["policyDocument"], arns)
        elif each.inputs.get("repository") == arns.repository_name:
            repository += read_policy(each.inputs.get("policyDocument"), arns)
    return domain, repository


def _internal_packages(resources: Iterable[Resource]) -> Iterable[str]:
    """The names that package groups keep public PyPI from supplying."""
    for resource in resources:
        if resource.inputs.get("typeName") == TYPE_NAME:
            group = json.loads(resource.inputs["desiredState"])
            if group["OriginConfiguration"]["Restrictions"]["ExternalUpstream"]["RestrictionMode"] == "BLOCK":
                yield from reserved(group["Pattern"])
