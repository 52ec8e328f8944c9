"""What a stack would be, without the Pulumi CLI and without AWS: the program itself, run on Pulumi's mocks.

It knows of the program only what the program registers, so it shows what `pulumi up` would make and nothing else.
"""

import asyncio
import contextlib
import dataclasses
import functools
import json
import logging
import runpy
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

import pulumi
import pulumi.runtime.settings
import pulumi.runtime.stack
from google.protobuf.json_format import MessageToDict
from pulumi.runtime import get_root_resource, mocks, set_all_config, set_mocks
from pulumi.runtime.proto.resource_pb2 import RegisterResourceRequest, RegisterResourceResponse
from pulumi.runtime.rpc import UNKNOWN

from private_pypi.access import Access, Statement, is_closed, is_protected, read_access, read_statements
from private_pypi.github import trusted_workflow
from private_pypi.names import Arns, partition_of
from private_pypi.package_groups import TYPE_NAME, reserved
from private_pypi.review.stacks import Stack


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Resource:
    """A resource as the program registered it."""

    type: str
    name: str
    parent: str | None
    """The parent's name; the component's is `None`, for above it there is only the stack."""
    inputs: Mapping[str, Any]
    protect: bool


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


def preview(program: Path, stack: Stack, *, account: str, region: str) -> Preview:
    """Run `program`, a Pulumi program's `__main__.py`, with the config of `stack` in an account and a region.

    Raises:
        pulumi.RunError: the program refuses its config.
    """
    # Pulumi's mocks make an event loop in each thread that they are called in, and leave it open: then Python complains
    # of it, now and again, at its end. Here there is one thread, with a loop that is closed.
    with contextlib.closing(asyncio.new_event_loop()) as loop:
        thread = ThreadPoolExecutor(max_workers=1, initializer=asyncio.set_event_loop, initargs=(loop,))
        return asyncio.run(_preview(program, stack, account, region, thread))


async def _preview(program: Path, stack: Stack, account: str, region: str, thread: ThreadPoolExecutor) -> Preview:
    def run() -> None:
        runpy.run_path(str(program), run_name="__main__")

    asyncio.get_running_loop().set_default_executor(thread)
    monitor = _Recorder(_Provider(account, region))
    set_all_config(dict(stack.config))
    warnings = _Warnings()
    set_mocks(monitor.mocks, stack.project, stack.name, preview=True, monitor=monitor, logger=warnings.logger)
    cast("Any", pulumi.runtime.settings.SETTINGS).callbacks = _Hooks()
    await pulumi.runtime.stack.run_pulumi_func(run)

    # By name, since what depends on nothing is registered first; a component's name comes before those of its children.
    resources = sorted(monitor.registered, key=lambda resource: resource.name)
    exports = cast("pulumi.runtime.stack.Stack", get_root_resource()).outputs
    outputs = {name: await pulumi.Output.from_input(value).future() for name, value in exports.items()}

    if "repository_arn" not in outputs:
        raise pulumi.RunError("the program exports no repository_arn: export the outputs of PrivatePypi")
    arns = Arns.of_repository(str(outputs["repository_arn"]))
    domain, repository = policies(resources, outputs, arns)
    workflows = {
        f"arn:{arns.partition}:iam::{account}:role/{each.inputs['name']}": trusted_workflow(trust_policy)
        for each in resources
        if (trust_policy := each.inputs.get("assumeRolePolicy"))
    }
    # An encrypted role also shows by its name alone. The longer come first, lest a part of one be replaced.
    names = {stand_in.rpartition("/")[2] for stand_in in stack.stand_ins}
    hide = functools.partial(_hide, stand_ins=sorted(stack.stand_ins | names, key=len, reverse=True))
    return Preview(
        resources=tuple(Resource(**hide(dataclasses.asdict(each))) for each in resources),
        outputs=hide(outputs),
        access=tuple(
            Access(**hide(dataclasses.asdict(each) | {"workflow": workflows.get(each.principal)}))
            for each in read_access(domain, repository, arns)
        ),
        publishing_is_closed=is_closed(repository, arns),
        deletion_is_denied=is_protected(repository, arns),
        internal_packages=tuple(hide(list(_internal_packages(resources)))),
        warnings=tuple(hide(warnings.messages)),
    )


def _hide(data: Any, stand_ins: Iterable[str]) -> Any:
    """`data` with `None` for what is unknown and `[secret]` for each stand-in."""
    text = json.dumps(data).replace(f'"{UNKNOWN}"', "null")
    for stand_in in stand_ins:
        text = text.replace(stand_in, "[secret]")
    return json.loads(text)


class _Provider(mocks.Mocks):
    """Stands in for the AWS provider before there is anything: it knows where it is, and of a resource its inputs."""

    def __init__(self, account: str, region: str) -> None:
        self._answers: dict[str, dict[str, Any]] = {
            "aws:index/getCallerIdentity:getCallerIdentity": {"accountId": account},
            "aws:index/getPartition:getPartition": {"partition": partition_of(region)},
            "aws:index/getRegion:getRegion": {"region": region},
            "pulumi:pulumi:readStackOutputs": {"outputs": {}},
        }

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        return self._answers[args.token], []

    def new_resource(self, args: Any) -> tuple[None, dict[str, Any]]:
        return None, args.inputs


class _Recorder(mocks.MockMonitor):
    """A mock monitor that keeps what it is sent, with the parents and the protection that `Mocks` are not shown."""

    def __init__(self, provider: _Provider) -> None:
        super().__init__(provider)
        self.registered: list[Resource] = []

    def RegisterResource(self, request: RegisterResourceRequest) -> RegisterResourceResponse:
        if request.type != "pulumi:pulumi:Stack":
            *_, parent_type, parent_name = request.parent.split("::")
            self.registered.append(
                Resource(
                    type=request.type,
                    name=request.name,
                    parent=None if parent_type == "pulumi:pulumi:Stack" else parent_name,
                    inputs=dict(sorted(MessageToDict(request.object).items())),
                    protect=request.protect,
                )
            )
        return super().RegisterResource(request)  # pyright: ignore[reportUnknownMemberType]  untyped in the SDK


class _Hooks:
    """Takes hooks, which a preview never runs. In its place the SDK would start a server for the engine to call."""

    def register_resource_hook(self, hook: pulumi.ResourceHook) -> None:
        """Leave it at that."""


class _Warnings(logging.Handler):
    """Keeps what the program warns of."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.messages: list[str] = []
        self.logger = logging.Logger("private-pypi")  # noqa: LOG001  of this run alone
        self.logger.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.messages.append(record.getMessage())


def policies(
    resources: Iterable[Resource], outputs: Mapping[str, Any], arns: Arns
) -> tuple[list[Statement], list[Statement]]:
    """The statements of the domain's permissions policy, and of that of the repository, not of its store."""
    # Of an existing domain the owner writes the policy; here it is as if that were done.
    domain, repository = read_statements(outputs.get("domain_policy_statement")), list[Statement]()
    for each in resources:
        if each.type == "aws:codeartifact/domainPermissions:DomainPermissions":
            domain += read_statements(each.inputs["policyDocument"])
        elif each.inputs.get("repository") == arns.repository_name:
            repository += read_statements(each.inputs.get("policyDocument"))
    return domain, repository


def _internal_packages(resources: Iterable[Resource]) -> Iterable[str]:
    """The names that package groups keep public PyPI from supplying."""
    for resource in resources:
        if resource.inputs.get("typeName") == TYPE_NAME:
            group = json.loads(resource.inputs["desiredState"])
            if group["OriginConfiguration"]["Restrictions"]["ExternalUpstream"]["RestrictionMode"] == "BLOCK":
                yield from reserved(group["Pattern"])
