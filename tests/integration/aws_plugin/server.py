"""Pulumi's provider protocol: https://github.com/pulumi/pulumi/blob/master/proto/pulumi/provider.proto."""

import importlib.metadata
import json
import os
import secrets
import signal
from collections.abc import Mapping
from concurrent import futures
from typing import Any, NoReturn

import grpc
from botocore.exceptions import BotoCoreError, ClientError
from google.protobuf import empty_pb2, json_format, struct_pb2
from pulumi.runtime.proto import plugin_pb2, provider_pb2, provider_pb2_grpc, status_pb2

from .aws import Aws, MissingError, is_missing, message
from .functions import FUNCTIONS
from .resource import UNKNOWN, Properties, Resource
from .resources import RESOURCES

SETTINGS = {
    *("allowedAccountIds", "region", "version"),
    *("skipCredentialsValidation", "skipMetadataApiCheck", "skipRegionValidation"),  # never done here
}
"""What the provider can be configured with."""
GIVEN_BY_PULUMI = "__defaults"
"""The inputs that are Pulumi's own doing; the name is the protocol's."""


class Provider(provider_pb2_grpc.ResourceProviderServicer):
    """The provider, once it is configured."""

    aws: Aws

    def GetPluginInfo(self, request: Any, context: grpc.ServicerContext) -> plugin_pb2.PluginInfo:
        return plugin_pb2.PluginInfo(version=importlib.metadata.version("pulumi-aws"))

    def CheckConfig(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.CheckResponse:
        if unknown := read(request.news).keys() - SETTINGS:
            fail(context, f"the stand-in for the AWS provider has no settings {sorted(unknown)}")
        return provider_pb2.CheckResponse(inputs=request.news)

    def DiffConfig(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:
        """Another region replaces all that there is in the old one."""
        old, new = (read(each).get("region") for each in (request.olds, request.news))
        return differences({"region"} if old and new and old != new else set(), {"region"})

    def Configure(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.ConfigureResponse:
        settings = read(request.args)
        try:
            self.aws = Aws(settings.get("region") or os.environ["AWS_REGION"])
        except (BotoCoreError, ClientError, KeyError) as error:
            fail(context, f"unable to validate AWS credentials: {explain(error)}")
        allowed = settings.get("allowedAccountIds")
        allowed = json.loads(allowed) if isinstance(allowed, str) else allowed
        if allowed and self.aws.account not in allowed:
            fail(context, f"AWS account ID not allowed: {self.aws.account}")
        return provider_pb2.ConfigureResponse(supportsPreview=True)

    def Invoke(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.InvokeResponse:
        if request.tok not in FUNCTIONS:
            fail(context, f"the stand-in for the AWS provider has no function {request.tok}")
        try:
            found = FUNCTIONS[request.tok](self.aws, read(request.args))
        except (ClientError, ValueError) as error:
            fail(context, f"invocation of {request.tok} returned an error: {explain(error)}")
        return provider_pb2.InvokeResponse(**{"return": write(found)})  # pyright: ignore[reportArgumentType]

    def Check(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.CheckResponse:
        """Complete the inputs of a resource, with a name if it has none."""
        resource, olds, news = find(request.urn, context), read(request.olds), read(request.news)
        if unknown := {name for name in news if not name.startswith("__")} - resource.inputs.keys():
            fail(context, f"the stand-in for the AWS provider has no inputs {sorted(unknown)} of {resource.title}")
        given = {name: each.default for name, each in resource.inputs.items() if each.default is not None} | news
        if resource.is_named and not news.get("name"):
            made_up = f"{request.urn.split('::')[-1]}-{secrets.token_hex(4)[:7]}"
            given["name"] = olds.get("name", made_up) if "name" in olds.get(GIVEN_BY_PULUMI, ["name"]) else made_up
        given[GIVEN_BY_PULUMI] = sorted(given.keys() - news.keys() - {GIVEN_BY_PULUMI})
        return provider_pb2.CheckResponse(inputs=write(given))

    def Diff(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.DiffResponse:
        """Compare what the state has, not the inputs that were given last, with the inputs that are given now."""
        resource, state = find(request.urn, context), read(request.olds)
        news = self._plan(resource, state, read(request.news), context)
        changed, replaces = resource.changes(state, news)
        # A name that the program gives is taken until the old one is deleted.
        keeps_name = resource.is_named and "name" not in news[GIVEN_BY_PULUMI] and "name" not in replaces
        return differences(changed, replaces, deletes_first=resource.is_deleted_first or keeps_name)

    def Create(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.CreateResponse:
        resource = find(request.urn, context)
        news = self._plan(resource, {}, read(request.properties), context)
        if request.preview:
            return provider_pb2.CreateResponse(
                properties=write(resource.located(self.aws, planned(resource, {}, news)))
            )
        try:
            rid = resource.create(self.aws, news)
        except (ClientError, ValueError) as error:
            fail(context, f"creating {resource.title}: {explain(error)}")
        try:
            resource.complete(self.aws, rid, news)
            properties = resource.read(self.aws, rid, news)
        except (ClientError, MissingError) as error:
            fail_halfway(context, rid, news, f"creating {resource.title} ({rid}): {explain(error)}")
        return provider_pb2.CreateResponse(id=rid, properties=write(resource.located(self.aws, properties)))

    def Read(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.ReadResponse:
        """Read for a refresh, or for an import, of which nothing is known but the id."""
        resource, state, inputs = find(request.urn, context), read(request.properties), read(request.inputs)
        if not state and not resource.can_be_imported:
            fail(context, f"{resource.title} does not support import")
        try:
            properties = resource.read(self.aws, request.id, state)
        except MissingError:
            return provider_pb2.ReadResponse()
        except ClientError as error:
            fail(context, f"reading {resource.title} ({request.id}): {explain(error)}")
        found = {name: each.given(properties[name]) for name, each in resource.inputs.items() if properties.get(name)}
        if state:  # what the program does not give is none of its inputs
            inputs |= {name: found.get(name) for name in resource.inputs.keys() & inputs.keys()}
        else:
            inputs = {name: value for name, value in found.items() if value != resource.inputs[name].default}
        return provider_pb2.ReadResponse(
            id=request.id,
            properties=write(resource.located(self.aws, properties)),
            inputs=write({GIVEN_BY_PULUMI: []} | inputs),
        )

    def Update(self, request: Any, context: grpc.ServicerContext) -> provider_pb2.UpdateResponse:
        resource, state = find(request.urn, context), read(request.olds)
        news = self._plan(resource, state, read(request.news), context)
        plan = planned(resource, state, news)
        if request.preview:
            return provider_pb2.UpdateResponse(properties=write(plan))
        try:
            resource.update(self.aws, request.id, state, news, resource.changes(state, news)[0])
            properties = resource.read(self.aws, request.id, news)
        except (ClientError, MissingError, ValueError) as error:
            # The provider keeps what it was to do in the state even where it has failed.
            fail_halfway(context, request.id, plan, f"updating {resource.title} ({request.id}): {explain(error)}")
        return provider_pb2.UpdateResponse(properties=write(resource.located(self.aws, properties)))

    def Delete(self, request: Any, context: grpc.ServicerContext) -> empty_pb2.Empty:
        resource = find(request.urn, context)
        try:
            resource.delete(self.aws, request.id, read(request.properties))
        except (ClientError, ValueError) as error:
            if not isinstance(error, ClientError) or not is_missing(error):
                fail(context, f"deleting {resource.title} ({request.id}): {explain(error)}")
        return empty_pb2.Empty()

    def Cancel(self, request: Any, context: grpc.ServicerContext) -> empty_pb2.Empty:
        return empty_pb2.Empty()

    def _plan(
        self, resource: Resource, state: Properties, news: Properties, context: grpc.ServicerContext
    ) -> Properties:
        try:
            return resource.plan(self.aws, state, news)
        except (ClientError, ValueError) as error:
            fail(context, f"planning {resource.title}: {explain(error)}")


def find(urn: str, context: grpc.ServicerContext) -> Resource:
    """The type of a resource, by its URN."""
    token = urn.split("::")[2].rpartition("$")[2]
    if token not in RESOURCES:
        fail(context, f"the stand-in for the AWS provider has no resource type {token}")
    return RESOURCES[token]


def planned(resource: Resource, state: Properties, news: Properties) -> Properties:
    """What a resource is going to be, as far as it is known before it is made or changed."""
    if not state:
        computed = [name for name, each in resource.inputs.items() if each.computed]
        unknown = dict.fromkeys([*computed, *resource.outputs], UNKNOWN)
        return unknown | {name: value for name, value in news.items() if value}
    gone = {name for name, each in resource.inputs.items() if not each.computed}
    return {name: value for name, value in state.items() if name not in gone} | {**news}


def differences(changed: set[str], replaces: set[str], *, deletes_first: bool = False) -> provider_pb2.DiffResponse:
    """What the engine is told of changes."""
    return provider_pb2.DiffResponse(
        changes=provider_pb2.DiffResponse.DIFF_SOME if changed else provider_pb2.DiffResponse.DIFF_NONE,
        deleteBeforeReplace=bool(replaces) and deletes_first,
        diffs=sorted(changed),
        replaces=sorted(replaces & changed),
    )


def explain(error: Exception) -> str:
    """What is said of an error."""
    if isinstance(error, MissingError):
        return "couldn't find resource"
    return message(error) if isinstance(error, ClientError) else str(error)


def fail(context: grpc.ServicerContext, why: str) -> NoReturn:
    """End a call with an error."""
    context.abort(grpc.StatusCode.UNKNOWN, why)


def fail_halfway(context: grpc.ServicerContext, rid: str, properties: Properties, why: str) -> NoReturn:
    """End a call with an error, after which the engine keeps the resource with these properties."""
    status = status_pb2.Status(code=grpc.StatusCode.UNKNOWN.value[0], message=why)
    kept = provider_pb2.ErrorResourceInitFailed(id=rid, properties=write(properties), reasons=[why])
    status.details.add().Pack(kept)
    context.set_trailing_metadata((("grpc-status-details-bin", status.SerializeToString()),))
    fail(context, why)


def read(struct: struct_pb2.Struct) -> dict[str, Any]:
    """Properties as they come."""
    return json_format.MessageToDict(struct)


def write(properties: Mapping[str, Any]) -> struct_pb2.Struct:
    """Properties as they go; what is nothing is left out."""
    return json_format.ParseDict(
        {name: value for name, value in properties.items() if value is not None}, struct_pb2.Struct()
    )


def serve() -> None:
    """Serve one engine, until it interrupts the process."""
    signal.signal(signal.SIGINT, lambda *_: os._exit(0))
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=16))
    provider_pb2_grpc.add_ResourceProviderServicer_to_server(Provider(), server)
    print(server.add_insecure_port("127.0.0.1:0"), flush=True)  # noqa: T201
    server.start()
    server.wait_for_termination()
