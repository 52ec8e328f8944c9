"""A run of a program on Pulumi's mocks, recorded."""

import asyncio
import logging
import runpy
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pulumi
from google.protobuf.json_format import MessageToDict
from pulumi.runtime import get_root_resource, set_all_config, set_mocks
from pulumi.runtime.mocks import MockCallArgs, MockResourceArgs, Mocks
from pulumi.runtime.rpc import UNKNOWN
from pulumi.runtime.stack import run_pulumi_func
from untraced import traced, untraced

from private_pypi import PrivatePypiArgs, load_args
from private_pypi.cli.recorder import NoHooks, Recorder, one_thread

ROOT = Path(__file__).parents[1]

COMPONENT = "private-pypi:index:PrivatePypi"
DOMAIN = "aws:codeartifact/domain:Domain"
DOMAIN_PERMISSIONS = "aws:codeartifact/domainPermissions:DomainPermissions"
POLICY = "aws:iam/policy:Policy"
POLICY_ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
OIDC_PROVIDER = "aws:iam/openIdConnectProvider:OpenIdConnectProvider"
OTHER_PROVIDER = "pulumi:providers:other"
PACKAGE_GROUP = "aws:cloudcontrol/resource:Resource"
PROVIDER = "pulumi:providers:aws"
REPOSITORY = "aws:codeartifact/repository:Repository"
REPOSITORY_PERMISSIONS = "aws:codeartifact/repositoryPermissionsPolicy:RepositoryPermissionsPolicy"
ROLE = "aws:iam/role:Role"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
PARENT = "example:index:Parent"
TYPES = {
    COMPONENT,
    DOMAIN,
    DOMAIN_PERMISSIONS,
    OIDC_PROVIDER,
    OTHER_PROVIDER,
    PACKAGE_GROUP,
    PARENT,
    POLICY,
    POLICY_ATTACHMENT,
    PROVIDER,
    REPOSITORY,
    REPOSITORY_PERMISSIONS,
    ROLE,
    ROLE_POLICY,
}

ENDPOINT = "https://example-111122223333.d.codeartifact.us-west-2.amazonaws.com/pypi/private-pypi/"

# The outputs of the resources of the stack as the last `pulumi up` left them, by URN.
STATE: dict[str, dict[str, Any]] = {}


@dataclass(frozen=True, kw_only=True)
class Registered:
    """A resource as the engine is told of it."""

    type: str
    name: str
    parent: str
    inputs: Mapping[str, Any]
    protect: bool
    provider: str
    depends_on: frozenset[str]
    hooks: tuple[str, ...]
    """Those for before an update."""
    deleted_with: str
    delete_before_replace: bool
    replacement_trigger: str
    replace_with: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Called:
    """A provider function as it is called."""

    token: str
    arguments: Mapping[str, Any]
    provider: str


@dataclass(kw_only=True)
class Run:
    """All that one run of a program told the engine."""

    resources: dict[str, Registered] = field(default_factory=dict[str, Registered])
    calls: list[Called] = field(default_factory=list[Called])
    component_outputs: Mapping[str, Any] = field(default_factory=dict[str, Any])
    exports: dict[str, Any] = field(default_factory=dict[str, Any])
    warnings: list[str] = field(default_factory=list[str])

    def of_type(self, token: str) -> Registered:
        """The one resource of a type."""
        (resource,) = [each for each in self.resources.values() if each.type == token]
        return resource


class AWS(Mocks):
    """Answers like AWS in one place: with everything of a resource after `pulumi up`, with nothing at preview."""

    def __init__(self, *, preview: bool, region: str, partition: str, failure: str) -> None:
        self.preview = preview
        self.region = region
        self.partition = partition
        self.failure = failure
        self.answers: dict[str, dict[str, Any]] = {
            "aws:codeartifact/getRepositoryEndpoint:getRepositoryEndpoint": {"repositoryEndpoint": ENDPOINT},
            "aws:index/getCallerIdentity:getCallerIdentity": {
                "accountId": "111122223333",
                "arn": f"arn:{partition}:sts::111122223333:assumed-role/deployer/session",
            },
            "aws:index/getRegion:getRegion": {"region": region},
            "pulumi:pulumi:readStackResourceOutputs": {
                "outputs": {urn: {"type": "some", "outputs": outputs} for urn, outputs in STATE.items()}
            },
        }

    def call(self, args: MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        if self.failure:
            return {}, [("credentials", self.failure)]
        return self.answers[args.token], []

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        if self.preview and args.typ not in {PROVIDER, OTHER_PROVIDER}:
            return None, {}
        if args.typ in {REPOSITORY, REPOSITORY_PERMISSIONS}:
            owner, place = (
                args.inputs.get("domainOwner", "111122223333"),
                f"{self.partition}:codeartifact:{self.region}",
            )
            arn = f"arn:{place}:{owner}:repository/{args.inputs['domain']}/{args.inputs['repository']}"
            return f"{args.name}-id", args.inputs | {"arn": arn, "resourceArn": arn}
        return f"{args.name}-id", args.inputs | {"arn": f"arn-of-{args.name}"}


class Log(logging.Logger):
    """Keeps the warnings."""

    def __init__(self, record: Run) -> None:
        super().__init__("test", logging.WARNING)  # below that the SDK describes all that it does
        self.record = record

    def warning(self, msg: object, *_: object, **__: object) -> None:
        self.record.warnings.append(str(msg))


def _told(recorder: Recorder, record: Run) -> None:
    """Fill a run in with what the engine was told."""
    record.calls += [
        Called(token=each.tok, arguments=MessageToDict(each.args), provider=_provider_name(each))
        for each in recorder.invoked
    ]
    for request in recorder.registered.values():
        record.resources[request.name] = Registered(
            type=request.type,
            name=request.name,
            parent=_name(request.parent),
            inputs=MessageToDict(request.object),
            protect=request.protect,
            provider=_provider_name(request),
            depends_on=frozenset(_name(urn) for urn in request.dependencies),
            hooks=tuple(request.hooks.before_update),
            deleted_with=_name(request.deletedWith),
            delete_before_replace=request.deleteBeforeReplace,
            replacement_trigger=request.replacement_trigger.string_value,
            replace_with=tuple(_name(urn) for urn in request.replace_with),
        )
    for urn, outputs in recorder.outputs.items():
        if urn.split("::")[2].rpartition("$")[2] == COMPONENT:
            record.component_outputs = MessageToDict(outputs)


def _name(urn: str) -> str:
    return urn.rpartition("::")[2]


def _provider_name(request: Any) -> str:
    """The explicit provider of a request, which names it by URN and ID; empty for the default one."""
    return _name(request.provider.rpartition("::")[0])


def run(
    program: Callable[[], None],
    config: Mapping[str, str] | None = None,
    *,
    secrets: tuple[str, ...] = (),
    preview: bool = False,
    region: str = "us-west-2",
    partition: str = "aws",
    failure: str = "",
    record: Run | None = None,
) -> Run:
    """Run `program` as `pulumi up` would, or as the first `pulumi preview` would, in an event loop of its own.

    Give a `record` to look at after a run that raises, and a `failure` to have all provider functions fail with.
    """
    record = record or Run()
    recorder = Recorder(AWS(preview=preview, region=region, partition=partition, failure=failure))
    try:
        with one_thread() as thread, untraced() as traces:

            def run_traced() -> None:  # the program, and not all that the SDK does with it
                with traced(traces):
                    program()

            asyncio.run(_run(run_traced, config or {}, secrets, recorder, record, thread))
    finally:
        _told(recorder, record)
    assert {resource.type for resource in record.resources.values()} <= TYPES
    return record


async def _run(
    program: Callable[[], None],
    config: Mapping[str, str],
    secrets: tuple[str, ...],
    recorder: Recorder,
    record: Run,
    thread: ThreadPoolExecutor,
) -> None:
    asyncio.get_running_loop().set_default_executor(thread)
    set_all_config(dict(config), list(secrets))
    set_mocks(
        recorder.mocks,
        "private-pypi",
        "test",
        preview=cast("AWS", recorder.mocks).preview,
        logger=Log(record),
        monitor=recorder,
        organization="organization",
    )
    cast("Any", pulumi.runtime.settings).SETTINGS.callbacks = NoHooks()
    await run_pulumi_func(program)
    stack: Any = get_root_resource()
    for name, value in stack.outputs.items():
        output = pulumi.Output.from_input(value)
        record.exports[name] = await output.future() if await output.is_known() else UNKNOWN


def load(config: Mapping[str, str], *, secrets: tuple[str, ...] = ()) -> PrivatePypiArgs:
    """What a program reads of a config. It takes no engine."""
    set_all_config(dict(config), list(secrets))
    return load_args()


def main_program() -> None:
    """The project's program, run the way Pulumi runs it."""
    runpy.run_path(str(ROOT / "__main__.py"), run_name="__main__")
