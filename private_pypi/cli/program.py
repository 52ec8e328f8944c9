"""A Pulumi program run on Pulumi's mocks, and what it registers: what `pulumi up` would make of a new stack.

It knows of the program only what the engine would be told. It imports nothing of the project, so that it can be run by
itself, for the program of another revision with the modules of that revision.
"""

import asyncio
import contextlib
import dataclasses
import gc
import json
import logging
import runpy
import sys
from collections.abc import Mapping
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


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Program:
    """A program and where it runs."""

    path: str
    """The program's `__main__.py`."""
    project: str
    stack: str
    config: Mapping[str, str]
    """By full key, as the Pulumi CLI gives it to the program."""
    account: str
    region: str
    partition: str


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Resource:
    """A resource as the program registered it."""

    type: str
    name: str
    parent: str | None
    """The parent's name; `None` for the component, above which there is only the stack."""
    inputs: Mapping[str, Any]
    protect: bool


@dataclasses.dataclass(frozen=True, kw_only=True, slots=True)
class Recording:
    """All that a program registered. What is known only after `pulumi up` is `None`."""

    resources: tuple[Resource, ...]
    outputs: Mapping[str, Any]
    warnings: tuple[str, ...]


def record(program: Program) -> Recording:
    """Run a program.

    Raises:
        pulumi.RunError: the program refuses its config.
    """
    gc.freeze()  # what is imported stays to the end: to look through it for garbage would take a fifth of the time
    # Pulumi's mocks make an event loop in each thread that they are called in, and leave it open: then Python complains
    # of it, now and again, at its end. Here there is one thread, with a loop that is closed.
    with contextlib.closing(asyncio.new_event_loop()) as loop:
        thread = ThreadPoolExecutor(max_workers=1, initializer=asyncio.set_event_loop, initargs=(loop,))
        return asyncio.run(_record(program, thread))


async def _record(program: Program, thread: ThreadPoolExecutor) -> Recording:
    def run() -> None:
        runpy.run_path(program.path, run_name="__main__")

    asyncio.get_running_loop().set_default_executor(thread)
    monitor = _Recorder(_Provider(program))
    set_all_config(dict(program.config))
    warnings = _Warnings()
    set_mocks(monitor.mocks, program.project, program.stack, preview=True, monitor=monitor, logger=warnings.logger)
    cast("Any", pulumi.runtime.settings.SETTINGS).callbacks = _Hooks()
    await pulumi.runtime.stack.run_pulumi_func(run)

    exports = cast("pulumi.runtime.stack.Stack", get_root_resource()).outputs
    outputs = {name: await pulumi.Output.from_input(value).future() for name, value in exports.items()}
    return Recording(
        # By name, since what depends on nothing is registered first; a component's comes before those of its children.
        resources=tuple(sorted(monitor.registered, key=lambda resource: resource.name)),
        outputs=_known(outputs),
        warnings=tuple(warnings.messages),
    )


def _known(data: Any) -> Any:
    """`data` with `None` for what is unknown."""
    return json.loads(json.dumps(data).replace(f'"{UNKNOWN}"', "null"))


class _Provider(mocks.Mocks):
    """Stands in for the AWS provider before there is anything: it knows where it is, and of a resource its inputs."""

    def __init__(self, program: Program) -> None:
        self._answers: dict[str, dict[str, Any]] = {
            "aws:index/getCallerIdentity:getCallerIdentity": {
                "accountId": program.account,
                "arn": f"arn:{program.partition}:iam::{program.account}:root",
            },
            # Ours asks for no partition; others do, and that of an earlier revision.
            "aws:index/getPartition:getPartition": {"partition": program.partition},
            "aws:index/getRegion:getRegion": {"region": program.region},
            "pulumi:pulumi:readStackOutputs": {"outputs": {}},  # an earlier revision asks for these
            "pulumi:pulumi:readStackResourceOutputs": {"outputs": {}},
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
                    inputs=_known(dict(sorted(MessageToDict(request.object).items()))),
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


def main() -> None:
    """Record the program that standard input describes, with the modules beside it, and print what it registers.

    Both are JSON. Of a program that refuses its config it is the message.
    """
    program = Program(**json.load(sys.stdin))
    sys.path.insert(0, str(Path(program.path).parent))
    printed, sys.stdout = sys.stdout, sys.stderr  # what the program itself prints is for people
    try:
        recorded: object = dataclasses.asdict(record(program))
    except pulumi.RunError as refused:
        recorded = str(refused)
    json.dump(recorded, printed)


if __name__ == "__main__":
    main()
