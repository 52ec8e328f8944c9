"""The plugin of the AWS provider: the calls it makes, and what it takes for a change.

`make integration PLUGIN=real` holds the real one to the same.
"""

import json
from collections.abc import Callable, Iterator
from typing import Any

import grpc
import pytest
from aws_plugin import cloudcontrol, documents, iam
from aws_plugin.calls import FUNCTIONS, RESOURCES, START, WITH_AN_INLINE_POLICY
from aws_plugin.functions import FUNCTIONS as KNOWN_FUNCTIONS
from aws_plugin.resources import RESOURCES as KNOWN_RESOURCES
from botocore.exceptions import ClientError
from engine import ACCOUNT, ENVIRONMENT, HERE, Emulator, document
from plugin_client import STAND_IN, PluginProcess, Resource, plugin, properties, struct, urn_of
from pulumi.runtime.proto import provider_pb2, status_pb2

DOMAIN = "aws:codeartifact/domain:Domain"
DOMAIN_PERMISSIONS = "aws:codeartifact/domainPermissions:DomainPermissions"
REPOSITORY = "aws:codeartifact/repository:Repository"
REPOSITORY_PERMISSIONS = "aws:codeartifact/repositoryPermissionsPolicy:RepositoryPermissionsPolicy"
CLOUD_CONTROL = "aws:cloudcontrol/resource:Resource"
PROVIDER = "aws:iam/openIdConnectProvider:OpenIdConnectProvider"
POLICY = "aws:iam/policy:Policy"
ROLE = "aws:iam/role:Role"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"
ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"

CODEARTIFACT = f"arn:aws:codeartifact:us-west-2:{ACCOUNT}"
ROOT = f"arn:aws:iam::{ACCOUNT}:root"
KEY = f"arn:aws:kms:us-west-2:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
READ, WRITE = (
    document({"Effect": "Allow", "Action": f"codeartifact:{action}", "Resource": "*"})
    for action in ("ReadFromRepository", "PublishPackageVersion")
)
ACCOUNT_READS, ACCOUNT_WRITES = (
    document({"Effect": "Allow", "Principal": {"AWS": ROOT}, "Action": action, "Resource": "*"})
    for action in ("codeartifact:ReadFromRepository", "codeartifact:PublishPackageVersion")
)
TRUST, OTHER_TRUST = (
    document({"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "sts:AssumeRole"})
    for account in (ACCOUNT, "444455556666")
)
BOUNDARY = f"arn:aws:iam::{ACCOUNT}:policy/known"
STATUS = "cloudformation:GetResourceRequestStatus"
TAG = "codeartifact:TagResource"
TAKE_AS_UPSTREAM = "codeartifact:AssociateWithDownstreamRepository"
CREATE = {"codeartifact:CreateDomain", "codeartifact:CreateRepository"}
SCHEMA = json.dumps(json.loads((HERE / "aws-emulator/reference/package-group.json").read_text())["schema"])
TAGS, OTHER_TAGS = {"team": "platform", "cost": "12"}, {"team": "data"}


def group(pattern: str = "/pypi//acme~", **tags: str) -> str:
    """The desired state of a package group."""
    listed = [{"Key": key, "Value": value} for key, value in tags.items()]
    return json.dumps({"DomainName": "known", "Pattern": pattern} | ({"Tags": listed} if listed else {}))


GROUP = {"typeName": "AWS::CodeArtifact::PackageGroup", "desiredState": group(cost="12", team="platform")}


@pytest.fixture
def aws(emulator: Emulator) -> Emulator:
    """An account with one of each."""
    codeartifact, client = emulator.client("codeartifact"), emulator.client("iam")
    codeartifact.create_domain(domain="known")
    codeartifact.create_repository(domain="known", repository="known")
    client.create_role(RoleName="known", AssumeRolePolicyDocument=TRUST)
    client.create_policy(PolicyName="known", PolicyDocument=READ)
    return emulator


@pytest.fixture
def start(aws: Emulator) -> Iterator[Callable[..., PluginProcess]]:
    """Starts plugins as a role that may do everything, so that the endpoint's log names what it is asked for."""
    processes: list[PluginProcess] = []
    keys = aws.assume_role("deployer", EVERYTHING)

    def start(program: Any = None, **settings: object) -> PluginProcess:
        environment = ENVIRONMENT | {
            "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
            "AWS_ENDPOINT_URL": aws.endpoint,
            "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
            "AWS_SESSION_TOKEN": keys["SessionToken"],
        }
        processes.append(PluginProcess(program or plugin(), environment, **settings))
        return processes[-1]

    yield start
    for process in processes:
        process.stop()


@pytest.fixture
def provider(start: Callable[..., PluginProcess]) -> PluginProcess:
    """The plugin that the other tests use."""
    return start()


@pytest.fixture
def stand_in(start: Callable[..., PluginProcess]) -> PluginProcess:
    """The stand-in, whichever the other tests use."""
    return start(STAND_IN)


def asked(aws: Emulator, known: int) -> list[str]:
    """What was asked for since then.

    Asking again for a status counts once. What Cloud Control asks for in its turn is not the provider's doing, nor are
    the rights that AWS asks for beside a call: to tag what is created with tags, and to take an upstream.
    """
    actions = [action for action, _ in aws.actions()[known:]]
    if any(each.startswith("cloudformation:") for each in actions):
        actions = [each for each in actions if each.startswith("cloudformation:")]
    return [
        each
        for each, before in zip(actions, ["", *actions], strict=False)
        if not (each == before == STATUS or (each == TAG and before in CREATE) or each == TAKE_AS_UPSTREAM)
    ]


# Each life goes through the situations of its type, in an order in which they can follow each other.
LIVES: dict[str, list[tuple[str, dict[str, Any]]]] = {
    DOMAIN: [
        ("create", {"domain": "acme", "tags": TAGS}),
        ("read", {}),
        ("update tags", {"tags": OTHER_TAGS}),
        ("delete", {}),
    ],
    DOMAIN_PERMISSIONS: [
        ("create", {"domain": "known", "policyDocument": ACCOUNT_READS}),
        ("read", {}),
        ("update policyDocument", {"policyDocument": ACCOUNT_WRITES}),
        ("delete", {}),
    ],
    REPOSITORY: [
        ("create", {"domain": "known", "repository": "first", "tags": TAGS}),
        ("read", {}),
        ("update description", {"description": "Ours"}),
        ("update tags", {"tags": OTHER_TAGS}),
        ("update upstreams", {"upstreams": [{"repositoryName": "known"}]}),
        ("update upstreams to none", {"upstreams": None}),
        ("delete", {}),
        (
            "create with externalConnections",
            {
                "domain": "known",
                "repository": "second",
                "externalConnections": {"externalConnectionName": "public:pypi"},
            },
        ),
        ("update externalConnections to none", {"externalConnections": None}),
        ("update externalConnections", {"externalConnections": {"externalConnectionName": "public:pypi"}}),
    ],
    REPOSITORY_PERMISSIONS: [
        ("create", {"domain": "known", "repository": "known", "policyDocument": ACCOUNT_READS}),
        ("read", {}),
        ("update policyDocument", {"policyDocument": ACCOUNT_WRITES}),
        ("delete", {}),
    ],
    CLOUD_CONTROL: [
        ("preview", GROUP),
        ("preview with schema", GROUP | {"schema": SCHEMA}),
        ("create", GROUP),
        ("read", {}),
        ("update desiredState", {"desiredState": group(team="data")}),
        ("update schema", {"schema": SCHEMA}),
        ("delete", {}),
    ],
    PROVIDER: [
        ("create", {"url": "https://gitlab.com", "clientIdLists": ["https://gitlab.com"], "tags": TAGS}),
        ("read", {}),
        ("update clientIdLists", {"clientIdLists": ["sts.amazonaws.com"]}),
        ("update thumbprintLists", {"thumbprintLists": ["a" * 40]}),
        ("update tags", {"tags": OTHER_TAGS}),
        ("delete", {}),
    ],
    POLICY: [
        ("create", {"name": "first", "policy": READ, "tags": TAGS}),
        ("read", {}),
        ("update tags", {"tags": OTHER_TAGS}),
        ("delete", {}),
        ("create", {"name": "second", "policy": READ}),
        ("update policy", {"policy": WRITE}),
        ("delete with two versions", {}),
        ("create", {"name": "third", "policy": READ}),
        *[("update policy", {"policy": policy}) for policy in (WRITE, READ, WRITE, READ)],
        ("update policy of five versions", {"policy": WRITE}),
    ],
    ROLE: [
        ("create", {"name": "acme", "assumeRolePolicy": TRUST, "tags": TAGS}),
        ("read", {}),
        ("update assumeRolePolicy", {"assumeRolePolicy": OTHER_TRUST}),
        ("update description", {"description": "Ours"}),
        ("update maxSessionDuration", {"maxSessionDuration": 7200}),
        ("update permissionsBoundary", {"permissionsBoundary": BOUNDARY}),
        ("update permissionsBoundary to none", {"permissionsBoundary": None}),
        ("update tags", {"tags": OTHER_TAGS}),
        ("delete", {}),
    ],
    ROLE_POLICY: [
        ("create", {"name": "access", "role": "known", "policy": READ}),
        ("read", {}),
        ("update policy", {"policy": WRITE}),
        ("delete", {}),
    ],
    ATTACHMENT: [
        ("create", {"role": "known", "policyArn": BOUNDARY}),
        ("read", {}),
        ("delete", {}),
    ],
}


def live(process: PluginProcess, resource: Resource | None, token: str, situation: str, **inputs: Any) -> Any:
    """Do what a situation is about, and return the resource that is there then."""
    match situation.partition(" ")[0], resource:
        case "preview", _:
            process.preview(token, **inputs)
        case "create", _:
            return process.create(token, **inputs)
        case "read", Resource():
            assert process.read(resource)
        case "update", Resource():
            process.update(resource, **inputs)
        case "delete", Resource():
            process.delete(resource)
        case _:
            raise AssertionError(situation)
    return resource


@pytest.mark.parametrize("token", LIVES)
def test_it_makes_the_calls_of_the_real_provider(aws: Emulator, provider: PluginProcess, token: str) -> None:
    resource: Resource | None = None
    found: dict[str, list[str]] = {}
    for situation, inputs in LIVES[token]:
        known = len(aws.actions())
        resource = live(provider, resource, token, situation, **inputs)
        assert (situation, asked(aws, known)) == (situation, RESOURCES[token][situation])
        found[situation] = asked(aws, known)
    assert found.keys() == RESOURCES[token].keys()


def test_the_policies_of_a_role_are_read_each_by_itself(aws: Emulator, provider: PluginProcess) -> None:
    role = provider.create(ROLE, name="acme", assumeRolePolicy=TRUST)
    aws.client("iam").put_role_policy(RoleName="acme", PolicyName="access", PolicyDocument=READ)

    known = len(aws.actions())
    assert provider.read(role)
    assert asked(aws, known) == WITH_AN_INLINE_POLICY


def test_every_type_and_function_is_in_the_table() -> None:
    assert LIVES.keys() == RESOURCES.keys() == KNOWN_RESOURCES.keys()
    assert ARGUMENTS.keys() == FUNCTIONS.keys() == KNOWN_FUNCTIONS.keys()


def test_it_starts_with_one_call(aws: Emulator, start: Callable[..., PluginProcess]) -> None:
    before = len(aws.calls())
    start()
    assert [call.partition(" ")[0] for call in aws.calls()[before:]] == [each.partition(":")[0] for each in START]


ARGUMENTS: dict[str, dict[str, str]] = {
    "aws:codeartifact/getRepositoryEndpoint:getRepositoryEndpoint": {
        "domain": "known",
        "repository": "known",
        "format": "pypi",
    },
    "aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider": {"url": "https://gitlab.com"},
    "aws:iam/getRole:getRole": {"name": "known"},
    "aws:index/getCallerIdentity:getCallerIdentity": {},
    "aws:index/getPartition:getPartition": {},
    "aws:index/getRegion:getRegion": {},
}
"""What each function is asked."""


@pytest.mark.parametrize("token", ARGUMENTS)
def test_a_function_makes_the_calls_of_the_real_provider(aws: Emulator, provider: PluginProcess, token: str) -> None:
    aws.client("iam").create_open_id_connect_provider(Url="https://gitlab.com", ClientIDList=["https://gitlab.com"])
    known, before = len(aws.actions()), len(aws.calls())

    provider.invoke(token, **ARGUMENTS[token])
    # Nobody needs a right to ask who they are, so there is no line of it among the actions.
    assert asked(aws, known) == [each for each in FUNCTIONS[token] if each != "sts:GetCallerIdentity"]
    assert len(aws.calls()[before:]) == len(FUNCTIONS[token])


CHANGES: list[tuple[str, dict[str, Any], dict[str, Any], list[str], list[str]]] = [
    (DOMAIN, {"domain": "acme", "encryptionKey": KEY}, {"encryptionKey": None}, [], []),
    (DOMAIN, {"domain": "acme"}, {"encryptionKey": KEY}, ["encryptionKey"], ["encryptionKey"]),
    (DOMAIN, {"domain": "acme"}, {"domain": "renamed"}, ["domain"], ["domain"]),
    (DOMAIN, {"domain": "acme", "tags": TAGS}, {"tags": None}, ["tags"], []),
    (REPOSITORY, {"domain": "known", "repository": "acme"}, {"repository": "renamed"}, ["repository"], ["repository"]),
    (REPOSITORY, {"domain": "known", "repository": "acme"}, {"description": "Ours"}, ["description"], []),
    (REPOSITORY, {"domain": "known", "repository": "acme"}, {"domainOwner": ACCOUNT}, [], []),
    (
        DOMAIN_PERMISSIONS,
        {"domain": "known", "policyDocument": ACCOUNT_READS},
        {"policyDocument": json.dumps(json.loads(ACCOUNT_READS.replace(ROOT, ACCOUNT)), indent=1)},
        [],
        [],
    ),
    (CLOUD_CONTROL, GROUP, {}, [], []),
    (CLOUD_CONTROL, GROUP, {"desiredState": group(team="data")}, ["desiredState"], []),
    (CLOUD_CONTROL, GROUP, {"desiredState": group("/pypi//beta$")}, ["desiredState"], ["desiredState"]),
    (PROVIDER, {"url": "https://gitlab.com", "clientIdLists": ["a", "b"]}, {"url": "gitlab.com"}, [], []),
    (PROVIDER, {"url": "https://gitlab.com", "clientIdLists": ["a", "b"]}, {"clientIdLists": ["b", "a"]}, [], []),
    (
        PROVIDER,
        {"url": "https://gitlab.com", "clientIdLists": ["a"]},
        {"url": "https://gitlab.org", "clientIdLists": ["b"], "tags": TAGS},
        ["clientIdLists", "tags", "url"],
        ["url"],
    ),
    (ROLE, {"name": "acme", "assumeRolePolicy": TRUST}, {"path": "/team/"}, ["path"], ["path"]),
    (ROLE, {"name": "acme", "assumeRolePolicy": TRUST}, {"maxSessionDuration": 3600}, [], []),
    (ATTACHMENT, {"role": "known", "policyArn": BOUNDARY}, {"role": "other"}, ["role"], ["role"]),
]


@pytest.mark.parametrize(("token", "before", "after", "changed", "replaces"), CHANGES)
def test_what_a_change_takes(
    provider: PluginProcess,
    token: str,
    before: dict[str, Any],
    after: dict[str, Any],
    changed: list[str],
    replaces: list[str],
) -> None:
    resource = provider.create(token, **before)
    for _ in range(2):  # as it is known from its making, and as it is known from a refresh
        diff = provider.diff(resource, **after)
        assert (names(diff.diffs), names(diff.replaces)) == (changed, replaces)
        assert provider.read(resource)


def names(paths: Any) -> list[str]:
    """The inputs that a difference is about."""
    return sorted({path.partition(".")[0].partition("[")[0] for path in paths})


@pytest.mark.parametrize(
    ("token", "before", "after", "first"),
    [
        (DOMAIN, {"domain": "acme"}, {"encryptionKey": KEY}, False),
        (ROLE, {"name": "acme", "assumeRolePolicy": TRUST}, {"path": "/team/"}, True),
        (ROLE, {"name": "acme", "assumeRolePolicy": TRUST}, {"name": "other"}, False),
        (ROLE, {"assumeRolePolicy": TRUST}, {"path": "/team/"}, False),
        (ATTACHMENT, {"role": "known", "policyArn": BOUNDARY}, {"role": "other"}, True),
    ],
)
def test_what_keeps_its_name_is_deleted_before_it_is_replaced(
    provider: PluginProcess, token: str, before: dict[str, Any], after: dict[str, Any], first: bool
) -> None:
    diff = provider.diff(provider.create(token, **before), **after)
    assert (bool(diff.replaces), diff.deleteBeforeReplace) == (True, first)


def test_another_region_replaces_everything(provider: PluginProcess) -> None:
    settings = [{"region": region} for region in ("us-west-2", "eu-central-1")]
    old, new = (provider.stub.CheckConfig(provider_pb2.CheckRequest(news=struct(each))).inputs for each in settings)
    diff = provider.stub.DiffConfig(provider_pb2.DiffRequest(olds=old, news=new, old_inputs=old))
    assert [*diff.replaces] == ["region"]


def test_what_somebody_changed_by_hand_is_a_change_after_a_refresh(aws: Emulator, provider: PluginProcess) -> None:
    domain = provider.create(DOMAIN, domain="acme")
    tags = [{"key": "made", "value": "by hand"}]
    aws.client("codeartifact").tag_resource(resourceArn=domain.id, tags=tags)

    assert names(provider.diff(domain).diffs) == []
    assert provider.read(domain)
    assert names(provider.diff(domain).diffs) == ["tags"]


def test_a_policy_that_somebody_changed_meanwhile_is_not_overwritten(aws: Emulator, provider: PluginProcess) -> None:
    policy = provider.create(DOMAIN_PERMISSIONS, domain="known", policyDocument=ACCOUNT_READS)
    codeartifact = aws.client("codeartifact")
    codeartifact.put_domain_permissions_policy(domain="known", policyDocument=ACCOUNT_WRITES)

    with pytest.raises(grpc.RpcError, match="ConflictException"):
        provider.update(policy, policyDocument=READ)
    found = codeartifact.get_domain_permissions_policy(domain="known")["policy"]["document"]
    assert json.loads(found) == json.loads(ACCOUNT_WRITES)


def test_the_removal_of_the_last_upstream_is_not_sent(aws: Emulator, provider: PluginProcess) -> None:
    upstreams = [{"repositoryName": "known"}]
    repository = provider.create(REPOSITORY, domain="known", repository="acme", upstreams=upstreams)
    provider.update(repository, upstreams=None)

    described = aws.client("codeartifact").describe_repository(domain="known", repository="acme")["repository"]
    assert described["upstreams"] == upstreams


def test_a_package_group_is_checked_by_its_schema_at_preview(provider: PluginProcess) -> None:
    with pytest.raises(grpc.RpcError, match=r"validating desired_state against CloudFormation Resource Schema"):
        provider.preview(CLOUD_CONTROL, **(GROUP | {"desiredState": group(team="")}))


def test_what_somebody_changed_of_a_package_group_is_no_change(aws: Emulator, provider: PluginProcess) -> None:
    made = provider.create(CLOUD_CONTROL, **GROUP)
    assert made.id == f"{CODEARTIFACT}:package-group/known/pypi//acme~"
    aws.client("codeartifact").update_package_group_origin_configuration(
        domain="known", packageGroup="/pypi//acme~", restrictions={"EXTERNAL_UPSTREAM": "ALLOW"}
    )

    assert provider.read(made)
    assert "ALLOW" in made.state["properties"]
    assert names(provider.diff(made).diffs) == []


def test_the_tags_of_a_package_group_are_those_it_is_given(aws: Emulator, provider: PluginProcess) -> None:
    made = provider.create(CLOUD_CONTROL, **GROUP)
    for wanted in ({"team": "data"}, {"a": "1", "team": "data", "z": "2"}, {"z": "1", "a": "2"}, {}):
        provider.update(made, desiredState=group(**wanted))
        found = aws.client("codeartifact").list_tags_for_resource(resourceArn=made.id)["tags"]
        assert {each["key"]: each["value"] for each in found} == wanted


def test_a_package_group_that_is_gone_is_deleted(aws: Emulator, provider: PluginProcess) -> None:
    made = provider.create(CLOUD_CONTROL, **GROUP)
    aws.client("codeartifact").delete_package_group(domain="known", packageGroup="/pypi//acme~")
    provider.delete(made)


def test_a_package_group_cannot_be_imported(provider: PluginProcess) -> None:
    made = provider.create(CLOUD_CONTROL, **GROUP)
    with pytest.raises(grpc.RpcError, match="import"):
        provider.stub.Read(provider_pb2.ReadRequest(urn=made.urn, id=made.id))


def test_a_repository_that_was_made_by_half_is_kept(aws: Emulator, provider: PluginProcess) -> None:
    """Otherwise it would be made once more, and be refused because it exists."""
    refused = {"Effect": "Deny", "Action": "codeartifact:AssociateExternalConnection", "Resource": "*"}
    aws.client("iam").put_role_policy(RoleName="deployer", PolicyName="refused", PolicyDocument=document(refused))
    with pytest.raises(grpc.RpcError, match="AssociateExternalConnection") as raised:
        provider.create(
            REPOSITORY,
            domain="known",
            repository="acme",
            externalConnections={"externalConnectionName": "public:pypi"},
        )
    assert kept(raised.value).id == f"{CODEARTIFACT}:repository/known/acme"


def test_a_change_that_fails_is_known_as_made(aws: Emulator, provider: PluginProcess) -> None:
    """So it is not made again until a refresh: the provider's way, which docs/recovery.md has to know."""
    repository = provider.create(REPOSITORY, domain="known", repository="acme")
    aws.client("codeartifact").delete_repository(domain="known", repository="acme")
    with pytest.raises(grpc.RpcError, match="ResourceNotFoundException") as raised:
        provider.update(repository, description="Ours")
    assert kept(raised.value).properties["description"] == "Ours"


def kept(error: Any) -> Any:
    """What the engine is told to keep of a resource that was made, or changed, by half."""
    (details,) = [value for name, value in error.trailing_metadata() if name == "grpc-status-details-bin"]
    failed = provider_pb2.ErrorResourceInitFailed()
    assert status_pb2.Status.FromString(details).details[0].Unpack(failed)
    return failed


@pytest.mark.parametrize("token", [ROLE, POLICY])
def test_an_import_knows_the_document(provider: PluginProcess, token: str) -> None:
    rid = "known" if token == ROLE else BOUNDARY
    read = provider.stub.Read(provider_pb2.ReadRequest(urn=urn_of(token), id=rid))
    found = properties(read.inputs)
    assert json.loads(found["assumeRolePolicy" if token == ROLE else "policy"]) == json.loads(
        TRUST if token == ROLE else READ
    )


def test_what_the_stand_in_does_not_know_it_refuses(
    start: Callable[..., PluginProcess], stand_in: PluginProcess
) -> None:
    with pytest.raises(grpc.RpcError, match="has no resource type aws:s3/bucket:Bucket"):
        stand_in.create("aws:s3/bucket:Bucket")
    with pytest.raises(grpc.RpcError, match=r"has no inputs \['region'\] of CodeArtifact Domain"):
        stand_in.create(DOMAIN, domain="acme", region="eu-central-1")
    with pytest.raises(grpc.RpcError, match="has no function aws:index/getRegions:getRegions"):
        stand_in.invoke("aws:index/getRegions:getRegions")
    with pytest.raises(grpc.RpcError, match=r"has no settings \['profile'\]"):
        start(STAND_IN, profile="other")
    with pytest.raises(grpc.RpcError, match="AWS account ID not allowed: 111122223333"):
        start(STAND_IN, allowedAccountIds=["444455556666"])


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"A": 1}, {"A": 1}, []),
        ({"A": 1}, {"A": {"B": 2}, "C": 3}, [("replace", "/A", {"B": 2}), ("add", "/C", 3)]),
        ({"A": {"B": 1, "C": 2}}, {"A": {"B": 3}}, [("replace", "/A/B", 3), ("remove", "/A/C", None)]),
        ({"Tags": ["a", "b"]}, {"Tags": ["c", "b"]}, [("replace", "/Tags/0", "c")]),
        ({"Tags": ["a", "b"]}, {"Tags": ["b", "a"]}, [("replace", "/Tags/0", "b"), ("replace", "/Tags/1", "a")]),
        ({"Tags": ["a", "b", "c"]}, {"Tags": ["b"]}, [("remove", "/Tags/2", None), ("remove", "/Tags/0", None)]),
        ({"Tags": ["b"]}, {"Tags": ["a", "b", "c"]}, [("add", "/Tags/0", "a"), ("add", "/Tags/2", "c")]),
        ({"Tags": ["a", "a"]}, {"Tags": ["a"]}, [("remove", "/Tags/1", None)]),
        ({}, {"Tags": ["a"]}, [("add", "/Tags", ["a"])]),
    ],
)
def test_a_patch_names_what_is_in_lists_by_its_index(
    old: object, new: object, expected: list[tuple[str, str, object]]
) -> None:
    found = cloudcontrol.patch(json.dumps(old), json.dumps(new))
    assert [(each["op"], each["path"], each.get("value")) for each in found] == expected


def test_documents_that_mean_the_same_are_no_change() -> None:
    one = {"Statement": [{"Action": ["a", "b"], "Principal": {"AWS": ROOT}}, {"Action": "c"}]}
    same = {"Statement": [{"Action": ["c"]}, {"Principal": {"AWS": [ACCOUNT]}, "Action": ["b", "a"]}]}
    other = {"Statement": [{"Action": ["a", "b"], "Principal": {"AWS": "444455556666"}}, {"Action": "c"}]}
    assert documents.meaning(json.dumps(one)) == documents.meaning(json.dumps(same))
    assert documents.meaning(json.dumps(one)) != documents.meaning(json.dumps(other))


def test_a_role_waits_until_iam_knows_whom_it_trusts(monkeypatch: pytest.MonkeyPatch) -> None:
    slept: list[float] = []
    monkeypatch.setattr(iam.time, "sleep", slept.append)
    unknown = ClientError(
        {"Error": {"Code": "MalformedPolicyDocument", "Message": 'Invalid principal in policy: "AWS":"..."'}},
        "CreateRole",
    )
    answers = iter([unknown, unknown, None])

    def create_role() -> None:
        if error := next(answers):
            raise error

    iam.retry(create_role, iam.is_invalid_principal)
    assert (slept, [*answers]) == ([0.5, 1.0], [])


def test_a_role_waits_for_nothing_else() -> None:
    refused = ClientError({"Error": {"Code": "AccessDenied", "Message": "no"}}, "CreateRole")

    def create_role() -> None:
        raise refused

    with pytest.raises(ClientError, match="AccessDenied"):
        iam.retry(create_role, iam.is_invalid_principal)
