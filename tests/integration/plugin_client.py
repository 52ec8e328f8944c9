"""The engine's side of the provider protocol: it asks a plugin as the Pulumi engine does, one resource at a time."""

import importlib.metadata
import json
import os
import subprocess
from collections.abc import Mapping
from concurrent import futures
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import grpc
from engine import ENVIRONMENT, HERE, PLUGIN, REGION
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import engine_pb2_grpc, provider_pb2, provider_pb2_grpc

STAND_IN = HERE / "aws_plugin/pulumi-resource-aws"


def plugin() -> Path:
    """The plugin that `pulumi` starts in the other tests."""
    if PLUGIN != "real":
        return STAND_IN
    version = importlib.metadata.version("pulumi-aws")
    return Path(ENVIRONMENT["PULUMI_HOME"], f"plugins/resource-aws-v{version}/pulumi-resource-aws")


@dataclass(kw_only=True, slots=True)
class Resource:
    """A resource as the engine knows it."""

    urn: str
    inputs: dict[str, Any]
    id: str
    state: dict[str, Any]


class Log(engine_pb2_grpc.EngineServicer):
    """What the engine offers to plugins, as far as they need it: it takes what they log."""

    def Log(self, request: Any, context: grpc.ServicerContext) -> empty_pb2.Empty:  # noqa: ARG002
        return empty_pb2.Empty()


class PluginProcess:
    """A plugin that runs, configured for a region."""

    def __init__(self, program: Path, environment: Mapping[str, str], **settings: object) -> None:
        self._engine = grpc.server(futures.ThreadPoolExecutor(max_workers=4))
        engine_pb2_grpc.add_EngineServicer_to_server(Log(), self._engine)
        address = f"127.0.0.1:{self._engine.add_insecure_port('127.0.0.1:0')}"
        self._engine.start()
        self._process = subprocess.Popen([program, address], env={**environment}, stdout=subprocess.PIPE, text=True)
        try:
            assert self._process.stdout
            port = self._process.stdout.readline().strip()
            self._channel = grpc.insecure_channel(f"127.0.0.1:{port}")
            self.stub = provider_pb2_grpc.ResourceProviderStub(self._channel)
            self.configure({"region": REGION} | settings)
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()
        self._engine.stop(None)

    def configure(self, settings: dict[str, object]) -> None:
        """Configure it."""
        texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in settings.items()}
        urn = "urn:pulumi:dev::test::pulumi:providers:aws::default"
        checked = self.stub.CheckConfig(provider_pb2.CheckRequest(urn=urn, news=struct(texts)))
        variables = {f"aws:config:{name}": text for name, text in texts.items()}
        self.stub.Configure(provider_pb2.ConfigureRequest(variables=variables, args=checked.inputs))

    def invoke(self, token: str, **arguments: object) -> dict[str, Any]:
        """What a function answers."""
        answer = self.stub.Invoke(provider_pb2.InvokeRequest(tok=token, args=struct(arguments)))
        return properties(getattr(answer, "return"))

    def check(self, urn: str, inputs: Mapping[str, object], olds: Mapping[str, object] | None = None) -> dict[str, Any]:
        """The inputs of a resource, completed."""
        request = provider_pb2.CheckRequest(
            urn=urn, news=struct(inputs), olds=struct(olds or {}), randomSeed=os.urandom(32)
        )
        answer = self.stub.Check(request)
        assert not answer.failures, answer.failures
        return properties(answer.inputs)

    def preview(self, token: str, **inputs: object) -> dict[str, Any]:
        """What a resource is going to be."""
        urn = urn_of(token)
        checked = self.check(urn, inputs)
        answer = self.stub.Create(provider_pb2.CreateRequest(urn=urn, properties=struct(checked), preview=True))
        return properties(answer.properties)

    def create(self, token: str, **inputs: object) -> Resource:
        """Make a resource."""
        urn = urn_of(token)
        checked = self.check(urn, inputs)
        answer = self.stub.Create(provider_pb2.CreateRequest(urn=urn, properties=struct(checked)))
        return Resource(urn=urn, inputs=checked, id=answer.id, state=properties(answer.properties))

    def read(self, resource: Resource) -> bool:
        """Read it as a refresh does; whether it exists."""
        answer = self.stub.Read(
            provider_pb2.ReadRequest(
                urn=resource.urn, id=resource.id, properties=struct(resource.state), inputs=struct(resource.inputs)
            )
        )
        resource.state, resource.inputs = properties(answer.properties), properties(answer.inputs)
        return bool(answer.id)

    def diff(self, resource: Resource, **inputs: object) -> Any:
        """What other inputs would change."""
        checked = self.check(resource.urn, changed(resource, inputs), resource.inputs)
        return self.stub.Diff(
            provider_pb2.DiffRequest(
                urn=resource.urn,
                id=resource.id,
                olds=struct(resource.state),
                news=struct(checked),
                old_inputs=struct(resource.inputs),
            )
        )

    def update(self, resource: Resource, **inputs: object) -> None:
        """Give it other inputs; those that are `None` are taken out."""
        checked = self.check(resource.urn, changed(resource, inputs), resource.inputs)
        answer = self.stub.Update(
            provider_pb2.UpdateRequest(
                urn=resource.urn,
                id=resource.id,
                olds=struct(resource.state),
                news=struct(checked),
                old_inputs=struct(resource.inputs),
            )
        )
        resource.inputs, resource.state = checked, properties(answer.properties)

    def delete(self, resource: Resource) -> None:
        """Delete it."""
        self.stub.Delete(
            provider_pb2.DeleteRequest(
                urn=resource.urn, id=resource.id, properties=struct(resource.state), old_inputs=struct(resource.inputs)
            )
        )


def urn_of(token: str) -> str:
    """The URN of a resource of a type."""
    return f"urn:pulumi:dev::test::{token}::it"


def changed(resource: Resource, inputs: Mapping[str, object]) -> dict[str, object]:
    """The inputs of a resource with others, and without what Pulumi has added by itself; `None` takes one out."""
    added = {*resource.inputs.get("__defaults", []), "__defaults"}
    given = {name: value for name, value in resource.inputs.items() if name not in added} | {**inputs}
    return {name: value for name, value in given.items() if value is not None}


def struct(values: Mapping[str, object]) -> struct_pb2.Struct:
    """Properties as they go."""
    return json_format.ParseDict({**values}, struct_pb2.Struct())


def properties(values: struct_pb2.Struct) -> dict[str, Any]:
    """Properties as they come."""
    return json_format.MessageToDict(values)
