"""A Pulumi program run on Pulumi's mocks, and what it registers: what `pulumi up` would make of a new stack.

It knows of the program only what the engine would be told. It imports nothing of the project, so that it can be run by
itself, for the program of another revision with the modules of that revision.
"""

import asyncio
import contextlib
import functools
import gc
import hashlib
import hmac
import json
import logging
import os
import re
import runpy
import sys
import traceback
from collections.abc import Callable, Generator, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast, get_args, get_origin
from unittest.mock import patch

import pulumi
import pulumi.runtime
import pulumi.runtime.settings
from google.protobuf.json_format import MessageToDict
from google.protobuf.struct_pb2 import Struct
from pulumi import _types  # pyright: ignore[reportPrivateUsage]  what generated code is made of
from pulumi.runtime import mocks, rpc, set_all_config, set_mocks
from pulumi.runtime.invoke import InvokeResult
from pulumi.runtime.proto.resource_pb2 import (
    RegisterResourceOutputsRequest,
    RegisterResourceRequest,
    RegisterResourceResponse,
    ResourceInvokeRequest,
    ResourceInvokeResponse,
)
from pulumi.runtime.rpc import UNKNOWN
from pulumi.runtime.stack import run_in_stack

STACK = "pulumi:pulumi:Stack"

# By these the engine knows what is secret.
# https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/properties.go
_SIGNATURE, _SECRET = "4dabf18193072939515e22adb298388d", "1b47061264138c4ac30d75fd1eb44270"


class ProgramError(Exception):
    """The program refuses its config, or fails. Its text is for the user as it is."""


def record(program: Mapping[str, Any]) -> dict[str, Any]:
    """Run a program, and say what it registers; both are described in `program.py`, and here are what JSON holds.

    Raises:
        ProgramError: the program refuses its config, or fails.
    """
    gc.freeze()  # what is imported stays to the end: to look through it for garbage would take a fifth of the time
    path = Path(program["path"])
    if not path.is_file():
        raise ProgramError(f"there is no program at {path.name}")
    with one_thread() as thread, _surroundings(path):
        try:
            return asyncio.run(_record(program, thread))
        except pulumi.RunError as refused:
            raise ProgramError(str(refused)) from None
        except (Exception, SystemExit, asyncio.CancelledError) as error:
            raise ProgramError(_describe(error, path.parent)) from error
        finally:  # what a run leaves that failed would be waited for in the next one
            cast("Any", pulumi.runtime.settings).SETTINGS.outputs.clear()


@contextlib.contextmanager
def one_thread() -> Generator[ThreadPoolExecutor]:
    """One thread to call Pulumi's mocks in, with an event loop that is closed afterwards.

    They make a loop in each thread that they are called in, and leave it open: then Python complains of it, now and
    again, at its end.
    """
    with contextlib.closing(asyncio.new_event_loop()) as loop:
        yield ThreadPoolExecutor(max_workers=1, initializer=asyncio.set_event_loop, initargs=(loop,))


@contextlib.contextmanager
def _surroundings(path: Path) -> Generator[None]:
    """What Pulumi runs a program in: its own folder, with the modules there, and calls of functions answered."""
    answer = _answering(cast("Any", pulumi.runtime).invoke)
    with (
        _prints_to_people(),
        contextlib.chdir(path.parent),
        patch.object(sys, "path", [str(path.parent), *sys.path]),
        patch.object(sys, "argv", [str(path)]),
        patch.object(pulumi.runtime, "invoke", answer),
        patch.object(os, "_exit", functools.partial(_exit, os._exit, os.getpid())),
    ):
        yield


def _exit(leave: Callable[[int], None], recorder: int, status: int) -> None:
    """`os._exit`, which would end the recorder without an answer; processes that the program forks may leave by it."""
    (sys.exit if os.getpid() == recorder else leave)(status)


@contextlib.contextmanager
def _prints_to_people() -> Generator[None]:
    """What a program prints, by itself or by what it runs, goes to standard error: the answer is the recorder's."""
    sys.stdout.flush()
    out = os.dup(1)
    os.dup2(2, 1)
    try:
        with contextlib.redirect_stdout(sys.stderr):
            yield
    finally:
        os.dup2(out, 1)
        os.close(out)


async def _record(program: Mapping[str, Any], thread: ThreadPoolExecutor) -> dict[str, Any]:
    asyncio.get_running_loop().set_default_executor(thread)
    # What fails is raised. Of all that waits for it and is never looked at, asyncio would print a traceback.
    asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
    recorder = _PreviewRecorder(program)
    set_all_config(dict(program["config"]), list(program["secret_keys"]))
    log = _Log()
    settings = cast("Any", pulumi.runtime.settings)
    set_mocks(recorder.mocks, program["project"], program["stack"], preview=True, monitor=recorder, logger=log.logger)
    settings.SETTINGS.callbacks = NoHooks()
    settings.set_root_resource(None)  # the mocks' own has its outputs registered already
    await run_in_stack(lambda: _run(program["path"]))
    if log.errors:
        raise pulumi.RunError(log.errors[0])

    seal = functools.partial(_sealed, key=bytes.fromhex(program["salt"]))
    resources = [_resource(urn, request, recorder, seal) for urn, request in recorder.registered.items()]
    exports, secret_exports = _plain(recorder.stack_outputs, seal)
    return {
        # By name, since what depends on nothing is registered first; a component's comes before those of its children.
        "resources": sorted(resources, key=lambda resource: (resource["name"], resource["urn"])),
        "exports": exports,
        "secret_exports": secret_exports,
        "warnings": log.warnings,
    }


def _run(path: str) -> None:
    runpy.run_path(path, run_name="__main__")


def _resource(
    urn: str, request: RegisterResourceRequest, recorder: "_PreviewRecorder", seal: Callable[[object], str]
) -> dict[str, Any]:
    inputs, secrets = _plain(_with_secrets(request.object, request.additionalSecretOutputs), seal)
    outputs, _ = _plain(recorder.outputs.get(urn, Struct()), seal)
    return {
        "urn": urn,
        "type": request.type,
        "name": request.name,
        "parent": None if request.parent.split("::")[2] == STACK else request.parent,
        "inputs": inputs,
        "outputs": outputs,
        "custom": request.custom or request.remote,
        "protect": request.protect,
        "account": recorder.place_of(request.provider)["account"],
        "secrets": secrets,
        "sources": {
            name: sorted(sources.urns) for name, sources in request.propertyDependencies.items() if sources.urns
        },
    }


def _with_secrets(properties: Struct, names: Iterable[str]) -> Struct:
    """Properties, those with the `names` as secrets, in the form of the engine."""
    marked = Struct()
    marked.CopyFrom(properties)
    for name in {*names} & {*properties.fields}:
        secret = marked.fields[name].struct_value.fields
        secret[_SIGNATURE].string_value = _SECRET
        secret["value"].CopyFrom(properties.fields[name])
    return marked


def _plain(properties: Struct, seal: Callable[[object], str]) -> tuple[dict[str, Any], dict[str, str]]:
    """Properties as JSON, `None` for what is unknown and `[secret]` for what is secret; and the secrets, sealed."""
    plain: dict[str, Any] = {}
    sealed: dict[str, str] = {}
    for name, value in sorted(MessageToDict(properties).items()):
        secrets: list[object] = []
        plain[name] = _reveal(value, secrets)
        if secrets:
            sealed[name] = seal(secrets)
    return plain, sealed


def _reveal(value: Any, secrets: list[object]) -> Any:  # noqa: PLR0911  one for each kind of value
    """A value as JSON. The signatures of what is none in itself, in maps, are those of the engine.

    https://github.com/pulumi/pulumi/blob/master/sdk/go/common/resource/properties.go
    """
    match value:
        case str():
            return None if UNKNOWN in value else value
        case float() if value.is_integer():  # a protobuf has no other numbers
            return int(value)
        case list():
            return [_reveal(each, secrets) for each in cast("list[Any]", value)]
        case {"4dabf18193072939515e22adb298388d": "1b47061264138c4ac30d75fd1eb44270", **fields}:  # _SECRET
            secrets.append(fields.get("value"))
            return "[secret]"
        case {"4dabf18193072939515e22adb298388d": _, **fields}:
            return fields.get("urn") or _reveal(fields, secrets)  # a resource, or a file
        case dict():
            items = cast("dict[str, Any]", value).items()
            plain = {key: _reveal(each, secrets) for key, each in items}
            # An exported resource is a map of all that it has.
            return plain.get("urn") if "@isPulumiResource" in plain else plain
        case _:
            return value


def _sealed(value: object, key: bytes) -> str:
    """What is equal for equal secrets of two runs with one key, and tells nothing of them."""
    return hmac.new(key, json.dumps(value, sort_keys=True).encode(), hashlib.sha256).hexdigest()


def _describe(error: BaseException, folder: Path) -> str:
    """An error on one line, with the place in the program that it comes from."""
    text = "; ".join(filter(None, (" ".join(line.split()) for line in str(error).splitlines())))
    kind = type(error)
    if isinstance(error, SystemExit):
        text = f"the program ends itself with {error.code!r}"
    elif not kind.__module__.startswith("private_pypi"):  # its messages say what was wrong, and of which kind
        text = f"{kind.__name__}: {text}" if text else kind.__name__
    places = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError):
        text = f"SyntaxError: {error.msg}"
        places.append((error.filename or "", error.lineno))
    for file, line in reversed(places):
        path = Path(file)
        if path.is_relative_to(folder) and not {"site-packages", "private_pypi"} & {*path.relative_to(folder).parts}:
            return f"{path.relative_to(folder)}:{line}: {text}"
    return text


def _answering(invoke: Callable[..., InvokeResult]) -> Callable[..., InvokeResult]:
    """`pulumi.runtime.invoke`, which a program calls for a plain answer: one that is unknown has unknowns in it."""

    def answer(tok: str, props: Any, opts: Any = None, typ: Any = None, package_ref: Any = None) -> InvokeResult:
        result = invoke(tok, props, opts, typ, package_ref)
        if result.is_known:
            return result
        if typ is None:
            return InvokeResult(_Unknowns())
        kinds = {name: cast("Any", _types).unwrap_optional_type(kind) for name, kind in _output_types(typ).items()}
        values = {name: value for name, kind in kinds.items() if (value := _unknown(kind)) is not None}
        return InvokeResult(cast("Any", rpc).translate_output_properties(values, str, typ))

    return answer


def _output_types(typ: type) -> Mapping[str, Any]:
    return cast("Any", _types).output_type_types(typ)


def _unknown(kind: Any) -> object:
    """What is unknown, in the form of a text or of a list of texts; other types have none."""
    if kind is str:
        return UNKNOWN
    return [UNKNOWN] if get_origin(kind) is not None and get_args(kind) == (str,) else None


class _Unknowns(dict[str, Any]):
    """An answer of which nothing is known."""

    def get(self, key: str, default: Any = None) -> Any:  # noqa: ARG002  whatever is asked for
        return UNKNOWN

    def __missing__(self, key: str) -> str:
        return UNKNOWN


def _answers(*, account: str, partition: str, region: str) -> dict[str, dict[str, Any]]:
    return {
        "aws:index/getCallerIdentity:getCallerIdentity": {
            "accountId": account,
            "arn": f"arn:{partition}:iam::{account}:root",
        },
        # Ours asks for no partition; others do, and that of an earlier revision.
        "aws:index/getPartition:getPartition": {"partition": partition},
        "aws:index/getRegion:getRegion": {"region": region},
        "pulumi:pulumi:readStackOutputs": {"outputs": {}},
        "pulumi:pulumi:readStackResourceOutputs": {"outputs": {}},
    }


class _Provider(mocks.Mocks):
    """Stands in for the AWS provider before there is anything: it knows where it is, and of a resource its inputs."""

    def __init__(self) -> None:
        self.answers: dict[str, dict[str, Any]] = {}

    def call(self, args: mocks.MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        return self.answers[args.token], []

    def new_resource(self, args: Any) -> tuple[None, dict[str, Any]]:
        return None, args.inputs


class Recorder(mocks.MockMonitor):
    """A mock monitor that keeps all that it is sent, and names resources as the engine does."""

    def __init__(self, provider: mocks.Mocks) -> None:
        """Answer as `provider` does."""
        super().__init__(provider)
        self.registered: dict[str, RegisterResourceRequest] = {}
        """What is registered, by URN."""
        self.outputs: dict[str, Struct] = {}
        """The outputs that components register, by URN."""
        self.stack_outputs = Struct()
        self.invoked: list[ResourceInvokeRequest] = []

    def make_urn(self, parent: str, type_: str, name: str) -> str:
        _, _, parent_type, *_ = [*parent.split("::"), "", "", ""]
        kind = type_ if parent_type in {"", STACK} else f"{parent_type}${type_}"
        return f"urn:pulumi:{pulumi.get_stack()}::{pulumi.get_project()}::{kind}::{name}"

    def Invoke(self, request: ResourceInvokeRequest) -> ResourceInvokeResponse:
        self.invoked.append(request)
        return super().Invoke(request)  # pyright: ignore[reportUnknownMemberType]  untyped in the SDK

    def RegisterResource(self, request: RegisterResourceRequest) -> RegisterResourceResponse:
        if request.type != STACK:
            urn = self.make_urn(request.parent, request.type, request.name)
            if urn in self.registered:
                raise pulumi.RunError(f"two resources have the URN {urn}: give one another name")
            self.registered[urn] = request
        response = super().RegisterResource(request)  # pyright: ignore[reportUnknownMemberType]
        response.object.CopyFrom(_with_secrets(response.object, request.additionalSecretOutputs))
        return response

    def RegisterResourceOutputs(self, request: RegisterResourceOutputsRequest) -> Any:
        if f"::{STACK}::" in request.urn:
            self.stack_outputs = request.outputs
        else:
            self.outputs[request.urn] = request.outputs
        return super().RegisterResourceOutputs(request)  # pyright: ignore[reportUnknownMemberType]


class _PreviewRecorder(Recorder):
    """Of what it is not the provider for, nothing is known."""

    def __init__(self, program: Mapping[str, Any]) -> None:
        self._place = {name: program[name] for name in ("account", "partition", "region")}
        self._provider = _Provider()
        super().__init__(self._provider)

    def Invoke(self, request: ResourceInvokeRequest) -> ResourceInvokeResponse:
        self._provider.answers = _answers(**self.place_of(request.provider))
        if request.tok not in {*self._provider.answers, "pulumi:pulumi:getResource"}:
            return ResourceInvokeResponse(unknown=True)
        return super().Invoke(request)

    def place_of(self, provider: str) -> dict[str, str]:
        """Where a provider is, by its reference, as far as the inputs of one that the program makes say it."""
        place = dict(self._place)
        if explicit := self.registered.get(provider.rpartition("::")[0]):
            inputs, _ = _plain(explicit.object, str)
            if region := inputs.get("region"):
                place["region"] = region
            if account := re.search(r"(?<!\d)\d{12}(?!\d)", str(inputs.get("allowedAccountIds"))):
                place["account"] = account[0]
        return place


class NoHooks:
    """Takes hooks, which no mocks run. In its place the SDK would start a server for the engine to call."""

    def register_resource_hook(self, hook: pulumi.ResourceHook) -> None:
        """Leave it at that."""

    def __getattr__(self, name: str) -> Any:
        """Refuse all else that the engine would call, which are transforms: what they change would not be shown."""
        raise pulumi.RunError(f"what the engine would call is not run here, and this program needs it ({name})")


class _Log(logging.Handler):
    """Keeps what the program warns of, and the errors by which it lets an update fail."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.warnings: list[str] = []
        self.errors: list[str] = []
        self.logger = logging.Logger("private-pypi", logging.WARNING)  # noqa: LOG001  of this run alone
        self.logger.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        (self.errors if record.levelno >= logging.ERROR else self.warnings).append(record.getMessage())


def main() -> None:
    """Record the program that standard input describes, with the modules beside it, and print what it registers.

    Both are JSON. Of a program that refuses its config, or fails, it is the message.
    """
    program = json.load(sys.stdin)
    try:
        recorded: object = record(program)
    except ProgramError as refused:
        recorded = str(refused)
    json.dump(recorded, sys.stdout)
