"""Cloud Control: any type of CloudFormation by its schema; here, package groups."""

import json
import re
import time
import uuid
from collections.abc import Iterator
from typing import Any, ClassVar, cast

from botocore.exceptions import ClientError
from jsonschema import Draft7Validator

from .aws import Aws, MissingError, is_missing
from .resource import UNKNOWN, Input, Properties, Resource


class CloudControl(Resource):
    """A resource of Cloud Control. Its id is what its schema calls the primary identifier.

    Only what the program wanted and what it wants are compared. What somebody else has changed is not put back.
    """

    title = "Cloud Control API Resource"
    inputs: ClassVar = {
        "desiredState": Input(),
        "schema": Input(computed=True),
        "typeName": Input(replaces=True),
    }
    outputs = ("properties",)
    can_be_imported = False

    def plan(self, aws: Aws, state: Properties, news: Properties) -> Properties:
        """With the schema, and the desired state valid by it."""
        schema = news.get("schema") or state.get("schema")
        if not schema:
            described = aws.client("cloudformation").describe_type(Type="RESOURCE", TypeName=news["typeName"])
            schema = described["Schema"]
        if news["desiredState"] != UNKNOWN:
            validate(json.loads(news["desiredState"]), json.loads(schema))
        return {**news, "schema": schema}

    def changes(self, state: Properties, news: Properties) -> tuple[set[str], set[str]]:
        """Of the desired state a change takes a new resource where it is to what can only be set at creation."""
        changed, replaces = super().changes(state, news)
        if "desiredState" in changed and news["desiredState"] != UNKNOWN:
            fixed = json.loads(news["schema"]).get("createOnlyProperties", [])
            paths = {f"/properties{each['path']}" for each in patch(state["desiredState"], news["desiredState"])}
            if any(path == each or path.startswith(f"{each}/") for path in paths for each in fixed):
                replaces |= {"desiredState"}
        return changed, replaces

    def create(self, aws: Aws, news: Properties) -> str:
        started = aws.client("cloudcontrol").create_resource(
            TypeName=news["typeName"], DesiredState=news["desiredState"], ClientToken=str(uuid.uuid4())
        )
        return _done(aws, started)["Identifier"]

    def read(self, aws: Aws, rid: str, known: Properties) -> Properties:
        try:
            found = aws.client("cloudcontrol").get_resource(TypeName=known["typeName"], Identifier=rid)
        except ClientError as error:
            if not is_missing(error) and "not found" not in str(error):
                raise
            raise MissingError from None
        kept = {name: known[name] for name in self.inputs if name in known}
        return kept | {"properties": found["ResourceDescription"]["Properties"]}

    def update(self, aws: Aws, rid: str, state: Properties, news: Properties, changed: set[str]) -> None:
        if "desiredState" in changed:
            started = aws.client("cloudcontrol").update_resource(
                TypeName=news["typeName"],
                Identifier=rid,
                PatchDocument=json.dumps(patch(state["desiredState"], news["desiredState"])),
                ClientToken=str(uuid.uuid4()),
            )
            _done(aws, started)

    def delete(self, aws: Aws, rid: str, state: Properties) -> None:
        started = aws.client("cloudcontrol").delete_resource(
            TypeName=state["typeName"], Identifier=rid, ClientToken=str(uuid.uuid4())
        )
        try:
            _done(aws, started)
        except RequestFailedError as error:
            if error.code != "NotFound":
                raise


class RequestFailedError(ValueError):
    """A request that Cloud Control has taken, and that has failed."""

    def __init__(self, event: dict[str, Any]) -> None:
        self.code = event.get("ErrorCode", "")
        super().__init__(
            f"unexpected state '{event['OperationStatus']}', wanted target 'SUCCESS'. "
            f"last error: {self.code}: {event.get('StatusMessage', '')}"
        )


def _done(aws: Aws, started: dict[str, Any]) -> dict[str, Any]:
    """Wait until a request is done, and return what became of it."""
    delay = 0.1  # seconds; it grows up to 10, as the provider's does
    while True:
        token = started["ProgressEvent"]["RequestToken"]
        event = aws.client("cloudcontrol").get_resource_request_status(RequestToken=token)["ProgressEvent"]
        if event["OperationStatus"] == "SUCCESS":
            return event
        if event["OperationStatus"] not in {"IN_PROGRESS", "PENDING"}:
            raise RequestFailedError(event)
        time.sleep(delay)
        delay = min(2 * delay, 10)


def validate(state: Any, schema: dict[str, Any]) -> None:
    """Refuse a desired state that its schema does not take.

    Raises:
        ValueError: with each place in it, and what is wrong there.
    """
    errors = Draft7Validator(_without_foreign_patterns(schema)).iter_errors(state)  # pyright: ignore[reportUnknownMemberType]
    if wrong := sorted(f"{'.'.join(map(str, each.absolute_path)) or '(root)'}: {each.message}" for each in errors):
        raise ValueError(f"validating desired_state against CloudFormation Resource Schema: {'; '.join(wrong)}")


def _without_foreign_patterns(schema: object) -> Any:
    """A schema without the regular expressions that only other languages than this one take."""
    if isinstance(schema, dict):
        items = cast("dict[str, object]", schema).items()
        return {key: _without_foreign_patterns(value) for key, value in items if key != "pattern" or _compiles(value)}
    return [_without_foreign_patterns(each) for each in schema] if isinstance(schema, list) else schema  # pyright: ignore[reportUnknownVariableType]


def _compiles(pattern: object) -> bool:
    try:
        re.compile(str(pattern))
    except re.error:
        return False
    return True


def patch(old: str, new: str) -> list[dict[str, Any]]:
    """The JSON Patch from one desired state to another, as the provider's library makes it.

    Lists of the same length are compared by index. In others what is only in the old one is removed by its index there,
    from the end, and then what is only in the new one is added at its index there.
    """
    return [*_compare("", json.loads(old), json.loads(new))]


def _compare(path: str, old: Any, new: Any) -> Iterator[dict[str, Any]]:
    if isinstance(old, dict) and isinstance(new, dict):
        yield from _compare_objects(path, cast("dict[str, Any]", old), cast("dict[str, Any]", new))
    elif isinstance(old, list) and isinstance(new, list):
        yield from _compare_lists(path, cast("list[Any]", old), cast("list[Any]", new))
    elif old != new:
        yield {"op": "replace", "path": path, "value": new}


def _compare_objects(path: str, old: dict[str, Any], new: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for key, value in new.items():
        if key in old:
            yield from _compare(f"{path}/{key}", old[key], value)
        else:
            yield {"op": "add", "path": f"{path}/{key}", "value": value}
    for key in old.keys() - new.keys():
        yield {"op": "remove", "path": f"{path}/{key}"}


def _compare_lists(path: str, old: list[Any], new: list[Any]) -> Iterator[dict[str, Any]]:
    if len(old) == len(new):
        for index, (before, after) in enumerate(zip(old, new, strict=True)):
            yield from _compare(f"{path}/{index}", before, after)
        return
    for index in reversed(_only_in(old, new)):
        yield {"op": "remove", "path": f"{path}/{index}"}
    for index in _only_in(new, old):
        yield {"op": "add", "path": f"{path}/{index}", "value": new[index]}


def _only_in(one: list[Any], other: list[Any]) -> list[int]:
    """The indexes in a list of what another one does not have, or not so often."""
    left, found = list(other), list[int]()
    for index, each in enumerate(one):
        if each in left:
            left.remove(each)
        else:
            found.append(index)
    return found
