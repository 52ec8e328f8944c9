"""Cloud Control as the local AWS endpoint has it: the calls by which the AWS provider makes package groups."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from botocore.exceptions import ClientError
from engine import HERE, Emulator, error_code

TYPE = "AWS::CodeArtifact::PackageGroup"
SCHEMA: dict[str, Any] = json.loads((HERE / "aws-emulator/reference/package-group.json").read_text())["schema"]
OWNER, OTHER = "111122223333", "444455556666"
ARN = f"arn:aws:codeartifact:us-west-2:{OWNER}:package-group/acme/pypi//acme~"
MODES = {"Publish": "ALLOW", "ExternalUpstream": "BLOCK", "InternalUpstream": "ALLOW"}
GROUP: dict[str, Any] = {
    "DomainName": "acme",
    "Pattern": "/pypi//acme~",
    "OriginConfiguration": {"Restrictions": {origin: {"RestrictionMode": mode} for origin, mode in MODES.items()}},
    "Tags": [{"Key": "stage", "Value": "dev"}, {"Key": "team", "Value": "platform"}],
}
MADE = GROUP | {"Arn": ARN, "DomainOwner": OWNER}


class Caller:
    """Somebody who makes groups as the AWS provider does: asks for something, then asks how it went."""

    def __init__(self, emulator: Emulator, keys: dict[str, str] | None = None, account: str = OWNER) -> None:
        self.client = emulator.client("cloudcontrol", keys, account=account)
        self.codeartifact = emulator.client("codeartifact", keys, account=account)

    def create(self, **properties: object) -> dict[str, str]:
        return self._result("CREATE", self.client.create_resource, DesiredState=json.dumps(GROUP | properties))

    def update(self, *patch: Mapping[str, object], arn: str = ARN) -> dict[str, str]:
        return self._result("UPDATE", self.client.update_resource, Identifier=arn, PatchDocument=json.dumps(patch))

    def delete(self, arn: str = ARN) -> dict[str, str]:
        return self._result("DELETE", self.client.delete_resource, Identifier=arn)

    def read(self, arn: str = ARN) -> dict[str, Any]:
        found = self.client.get_resource(TypeName=TYPE, Identifier=arn)["ResourceDescription"]
        assert found["Identifier"] == arn
        return json.loads(found["Properties"])

    def _result(self, operation: str, call: Any, **arguments: object) -> dict[str, str]:
        begun = call(TypeName=TYPE, **arguments)["ProgressEvent"]
        assert (begun["Operation"], begun["OperationStatus"]) == (operation, "IN_PROGRESS")
        event = self.client.get_resource_request_status(RequestToken=begun["RequestToken"])["ProgressEvent"]
        names = ("OperationStatus", "Identifier", "ErrorCode", "StatusMessage")
        return {name: event[name] for name in names if name in event}


DONE = {"OperationStatus": "SUCCESS", "Identifier": ARN}


def failed(code: str, message: str, **more: str) -> dict[str, str]:
    return {"OperationStatus": "FAILED", "ErrorCode": code, "StatusMessage": message} | more


def absent(what: str) -> str:
    return f"Resource of type '{TYPE}' with identifier '{what}' was not found."


@pytest.fixture
def root(emulator: Emulator) -> Caller:
    """The root of the account that has the domain."""
    root = Caller(emulator)
    root.codeartifact.create_domain(domain="acme")
    return root


def test_the_type_has_the_schema_that_aws_publishes(emulator: Emulator) -> None:
    cloudformation = emulator.client("cloudformation")
    found = cloudformation.describe_type(Type="RESOURCE", TypeName=TYPE)

    assert json.loads(found["Schema"]) == SCHEMA
    assert (found["TypeName"], found["ProvisioningType"]) == (TYPE, "FULLY_MUTABLE")
    assert (
        error_code(cloudformation.describe_type, Type="RESOURCE", TypeName="AWS::Made::Up") == "TypeNotFoundException"
    )


def test_a_group_is_made_changed_and_deleted(root: Caller) -> None:
    assert root.create() == DONE
    assert root.read() == MADE
    described = root.codeartifact.describe_package_group(domain="acme", packageGroup="/pypi//acme~")["packageGroup"]
    assert described["arn"] == ARN
    modes = {origin: rule["mode"] for origin, rule in described["originConfiguration"]["restrictions"].items()}
    assert modes == {"PUBLISH": "ALLOW", "EXTERNAL_UPSTREAM": "BLOCK", "INTERNAL_UPSTREAM": "ALLOW"}

    # The provider compares two desired states, and names what differs in a list by its index.
    patch = (
        {"op": "add", "path": "/Description", "value": "Ours alone"},
        {"op": "replace", "path": "/OriginConfiguration/Restrictions/Publish/RestrictionMode", "value": "BLOCK"},
        {"op": "replace", "path": "/Tags/0/Value", "value": "prod"},
        {"op": "remove", "path": "/Tags/1"},
    )
    assert root.update(*patch) == DONE
    restrictions = GROUP["OriginConfiguration"]["Restrictions"] | {"Publish": {"RestrictionMode": "BLOCK"}}
    assert root.read() == MADE | {
        "Description": "Ours alone",
        "OriginConfiguration": {"Restrictions": restrictions},
        "Tags": [{"Key": "stage", "Value": "prod"}],
    }
    assert root.codeartifact.list_tags_for_resource(resourceArn=ARN)["tags"] == [{"key": "stage", "value": "prod"}]

    assert root.delete() == DONE
    assert error_code(root.read) == "ResourceNotFoundException"
    assert root.codeartifact.list_package_groups(domain="acme")["packageGroups"] == []


def test_a_group_of_named_repositories_keeps_their_names(root: Caller) -> None:
    restriction = {"RestrictionMode": "ALLOW_SPECIFIC_REPOSITORIES", "Repositories": ["internal", "web"]}
    root.create(OriginConfiguration={"Restrictions": {"Publish": restriction}})

    inherited = {origin: {"RestrictionMode": "INHERIT"} for origin in ("ExternalUpstream", "InternalUpstream")}
    assert root.read()["OriginConfiguration"] == {"Restrictions": inherited | {"Publish": restriction}}
    root.update({"op": "remove", "path": "/OriginConfiguration/Restrictions/Publish/Repositories/0"})
    restrictions = root.read()["OriginConfiguration"]["Restrictions"]
    assert restrictions["Publish"]["Repositories"] == ["web"]


@pytest.mark.parametrize(
    ("pattern", "encoded"),
    [("/pypi//billing$", "/pypi//billing%24"), ("/pypi/*", "/pypi/%2a"), ("/pypi//a~", "/pypi//a~")],
)
def test_the_arn_of_a_group_has_its_pattern_encoded(root: Caller, pattern: str, encoded: str) -> None:
    """As AWS's own handlers for the type have it in their tests, `AbstractPackageGroupArnTest`."""
    arn = ARN.replace("/pypi//acme~", encoded)

    assert root.create(Pattern=pattern) == DONE | {"Identifier": arn}
    assert root.read(arn) == MADE | {"Arn": arn, "Pattern": pattern}
    assert root.delete(arn) == DONE | {"Identifier": arn}


@pytest.mark.parametrize(
    ("properties", "violation"),
    [
        ({"Tags": [{"Key": "team", "Value": ""}]}, "#/Tags/0/Value: expected minLength: 1, actual: 0"),
        ({"Tags": [{"Key": "team"}]}, "#/Tags/0: required key [Value] not found"),
        ({"Tags": {"team": "platform"}}, "#/Tags: expected type: JSONArray, found: JSONObject"),
        ({"Tags": [{"Key": str(n), "Value": "x"} for n in range(201)]}, "expected maximum item count: 200, found: 201"),
        ({"Owner": OWNER}, "#: extraneous key [Owner] is not permitted"),
        ({"Arn": ARN}, "#: read-only key [Arn] is not permitted"),
        ({"Pattern": 1}, "#/Pattern: expected type: String, found: Integer"),
        ({"Pattern": "x" * 521}, "#/Pattern: expected maxLength: 520, actual: 521"),
        ({"Description": "two\nlines"}, r"#/Description: string [two"),
        (
            {"DomainName": "Acme"},
            r"#/DomainName: string [Acme] does not match pattern ^([a-z][a-z0-9\-]{0,48}[a-z0-9])$",
        ),
        ({"DomainOwner": "1"}, "#/DomainOwner: expected minLength: 12, actual: 1"),
        ({"OriginConfiguration": {}}, "#/OriginConfiguration: required key [Restrictions] not found"),
        (
            {"OriginConfiguration": {"Restrictions": {"Publish": {"RestrictionMode": "DENY"}}}},
            "#/OriginConfiguration/Restrictions/Publish/RestrictionMode: DENY is not a valid enum value",
        ),
    ],
    ids=lambda value: "" if isinstance(value, dict) else value.partition(":")[0],
)
def test_what_the_schema_does_not_allow_is_refused(root: Caller, properties: dict[str, object], violation: str) -> None:
    with pytest.raises(ClientError) as error:
        root.create(**properties)
    assert error.value.response["Error"]["Code"] == "ValidationException"
    assert error.value.response["Error"]["Message"].startswith("Model validation failed (#")
    assert violation in error.value.response["Error"]["Message"]
    assert root.codeartifact.list_package_groups(domain="acme")["packageGroups"] == []


@pytest.mark.parametrize("missing", ["DomainName", "Pattern"])
def test_what_the_schema_requires_is_required(root: Caller, missing: str) -> None:
    state = json.dumps({name: value for name, value in GROUP.items() if name != missing})

    with pytest.raises(ClientError, match=rf"Model validation failed \(#: required key \[{missing}\] not found\)"):
        root.client.create_resource(TypeName=TYPE, DesiredState=state)


@pytest.mark.parametrize(
    ("patch", "code"),
    [
        ({"op": "replace", "path": "/Pattern", "value": "/pypi//other~"}, "NotUpdatableException"),
        ({"op": "replace", "path": "/DomainName", "value": "other"}, "NotUpdatableException"),
        ({"op": "remove", "path": "/Arn"}, "NotUpdatableException"),
        ({"op": "remove", "path": "/Tags/2"}, "InvalidRequestException"),
        ({"op": "add", "path": "/Tags/-", "value": {"Key": "x", "Value": ""}}, "ValidationException"),
    ],
)
def test_what_a_patch_may_not_do_is_refused(root: Caller, patch: dict[str, object], code: str) -> None:
    root.create()

    assert root.update() == DONE
    with pytest.raises(ClientError) as error:
        root.update(patch)
    assert error.value.response["Error"]["Code"] == code
    assert root.read() == MADE


def test_a_failure_is_told_when_it_is_asked_for(root: Caller) -> None:
    there = f"Resource of type '{TYPE}' with identifier '/pypi//acme~' already exists."
    root.create()

    assert root.create() == failed("AlreadyExists", there)
    assert root.create(DomainName="other") == failed("NotFound", absent("/pypi//acme~"))
    root.delete()
    assert root.delete() == failed("NotFound", absent("/pypi//acme~"), Identifier=ARN)
    # What takes the properties of the group as they are is refused at once.
    assert error_code(root.update) == "ResourceNotFoundException"


@pytest.mark.parametrize("identifier", ["acme|/pypi//acme~", "arn:aws:codeartifact:us-west-2:111122223333:domain/acme"])
def test_a_group_is_known_by_its_arn_alone(root: Caller, identifier: str) -> None:
    for call in (root.read, root.update, root.delete):
        assert error_code(call, arn=identifier) == "ValidationException"


def test_a_request_that_is_sent_again_is_the_same_request(root: Caller) -> None:
    """As an SDK sends it when the connection breaks before there is an answer."""
    call = {"TypeName": TYPE, "DesiredState": json.dumps(GROUP), "ClientToken": "token"}
    first, second = (root.client.create_resource(**call)["ProgressEvent"] for _ in range(2))

    assert first == second
    status = root.client.get_resource_request_status(RequestToken=first["RequestToken"])["ProgressEvent"]
    assert status["OperationStatus"] == "SUCCESS"
    call["DesiredState"] = json.dumps(GROUP | {"Pattern": "/pypi//other~"})
    assert error_code(root.client.create_resource, **call) == "ClientTokenConflictException"


def test_a_type_or_a_request_that_is_unknown_is_refused(root: Caller) -> None:
    state = json.dumps(GROUP)

    assert (
        error_code(root.client.create_resource, TypeName="AWS::Made::Up", DesiredState=state) == "TypeNotFoundException"
    )
    assert error_code(root.client.create_resource, TypeName=TYPE, DesiredState="{") == "InvalidRequestException"
    status = root.client.get_resource_request_status
    assert error_code(status, RequestToken="unknown") == "RequestTokenNotFoundException"


@pytest.fixture
def visitor(emulator: Emulator, root: Caller) -> Caller:
    """The root of another account, with a domain of the same name."""
    assert root.create() == DONE
    visitor = Caller(emulator, account=OTHER)
    visitor.codeartifact.create_domain(domain="acme")
    return visitor


def test_in_another_accounts_domain_a_group_is_made_and_read(visitor: Caller) -> None:
    arn = ARN.replace("acme~", "other~")

    assert visitor.create(DomainOwner=OWNER, Pattern="/pypi//other~") == DONE | {"Identifier": arn}
    assert visitor.read(arn) == MADE | {"Arn": arn, "Pattern": "/pypi//other~"}
    assert visitor.update({"op": "add", "path": "/Description", "value": "x"}, arn=arn)["OperationStatus"] == "SUCCESS"
    assert visitor.read(arn)["Description"] == "x"


def test_the_delete_handler_names_no_domain_owner(root: Caller, visitor: Caller) -> None:
    """So it looks for the group of another account's domain in the caller's own, and deletes the one that it finds."""
    own = ARN.replace(OWNER, OTHER)

    assert visitor.delete() == failed("NotFound", absent("/pypi//acme~"), Identifier=ARN)
    visitor.create()
    assert visitor.read(own)["DomainOwner"] == OTHER
    assert visitor.delete()["ErrorCode"] == "NotStabilized"
    assert error_code(visitor.read, arn=own) == "ResourceNotFoundException"
    assert root.read() == MADE


def test_groups_go_with_their_domain(root: Caller) -> None:
    root.create()
    root.codeartifact.delete_domain(domain="acme")
    assert error_code(root.read) == "ResourceNotFoundException"

    root.codeartifact.create_domain(domain="acme")
    assert root.codeartifact.list_package_groups(domain="acme")["packageGroups"] == []
    assert root.create(Tags=[]) == DONE
    assert "Tags" not in root.read()


HANDLERS: dict[str, list[str]] = {name: handler["permissions"] for name, handler in SCHEMA["handlers"].items()}
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def call(caller: Caller, handler: str) -> str:
    """The error code that a handler ends with, at once or later; empty when it does what it is for."""
    calls = {"create": caller.create, "read": caller.read, "update": caller.update, "delete": caller.delete}
    try:
        return calls[handler]().get("ErrorCode", "")
    except ClientError as error:
        return error.response["Error"]["Code"]


@pytest.mark.parametrize("handler", ["create", "read", "update", "delete"])
def test_a_handler_takes_each_right_that_its_schema_names(emulator: Emulator, root: Caller, handler: str) -> None:
    if handler != "create":
        root.create()
    for index, permission in enumerate(HANDLERS[handler]):
        deny = {"Effect": "Deny", "Action": permission, "Resource": "*"}
        caller = Caller(emulator, emulator.assume_role(f"role-{index}", EVERYTHING, deny))
        assert call(caller, handler).startswith("AccessDenied"), permission
    assert call(Caller(emulator, emulator.assume_role("someone", EVERYTHING)), handler) == ""


@pytest.mark.parametrize("handler", ["Create", "Get", "Update", "Delete"])
def test_cloud_control_takes_rights_of_its_own(emulator: Emulator, root: Caller, handler: str) -> None:
    if handler != "Create":
        root.create()
    deny = {"Effect": "Deny", "Action": f"cloudformation:{handler}Resource", "Resource": "*"}
    caller = Caller(emulator, emulator.assume_role("someone", EVERYTHING, deny))

    assert call(caller, {"Get": "read"}.get(handler, handler.lower())) == "AccessDeniedException"


def test_a_refusal_says_what_aws_says(emulator: Emulator, root: Caller) -> None:
    allowed = {"Effect": "Allow", "Action": "cloudformation:*", "Resource": "*"}
    caller = Caller(emulator, emulator.assume_role("someone", allowed))

    assert caller.create() == failed(
        "AccessDenied",
        "User: arn:aws:sts::111122223333:assumed-role/someone/session is not authorized to perform: "
        f"codeartifact:CreatePackageGroup on resource: {ARN} because no identity-based policy allows the "
        "codeartifact:CreatePackageGroup action",
    )
    assert error_code(root.read) == "ResourceNotFoundException"


@pytest.mark.usefixtures("root")
def test_rights_on_one_group_are_enough_but_to_make_it(emulator: Emulator) -> None:
    cloudformation = {"Effect": "Allow", "Action": "cloudformation:*", "Resource": "*"}
    of_the_group = {"Effect": "Allow", "Action": "codeartifact:*", "Resource": ARN}
    making = {"Effect": "Allow", "Action": "codeartifact:CreatePackageGroup", "Resource": "*"}
    without = Caller(emulator, emulator.assume_role("one", cloudformation, of_the_group))
    with_it = Caller(emulator, emulator.assume_role("two", cloudformation, of_the_group, making))

    assert without.create()["ErrorCode"] == "AccessDenied"
    assert with_it.create() == DONE
    assert with_it.update({"op": "remove", "path": "/Tags"}) == DONE
    assert with_it.delete() == DONE
    assert with_it.create(Pattern="/pypi//other~")["ErrorCode"] == "AccessDenied"
