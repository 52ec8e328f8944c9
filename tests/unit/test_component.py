import dataclasses
import json
from collections.abc import Callable
from typing import Any

import pulumi
import pulumi_aws as aws
import pytest
from mocks import (
    COMPONENT,
    DOMAIN,
    DOMAIN_PERMISSIONS,
    ENDPOINT,
    OIDC_PROVIDER,
    OTHER_PROVIDER,
    PACKAGE_GROUP,
    POLICY,
    POLICY_ATTACHMENT,
    PROVIDER,
    REPOSITORY,
    REPOSITORY_PERMISSIONS,
    ROLE,
    ROLE_POLICY,
    Called,
    Run,
    run,
)
from pulumi.runtime.rpc import UNKNOWN

from private_pypi import Principal, PrivatePypi, PrivatePypiArgs, Publisher
from private_pypi.arns import Arns
from private_pypi.errors import InvalidValueError
from private_pypi.package_groups import desired_state
from private_pypi.policies import (
    domain_policy,
    domain_policy_statements,
    publisher_policy,
    reader_policy,
    repository_policy,
)
from private_pypi.workloads import Workload, make_roles

ADA = Principal("arn:aws:iam::111122223333:user/ada")
CI = Principal("arn:aws:iam::111122223333:role/ci")
READERS = [ADA]
PUBLISHERS = [Publisher(principal=CI)]
ARGS = PrivatePypiArgs(domain="acme", repository="internal", description="Ours", readers=READERS, publishers=PUBLISHERS)
ARNS = Arns(partition="aws", region="us-west-2", owner="111122223333", domain_name="acme", repository_name="internal")

both_times = pytest.mark.parametrize(
    "preview",
    [pytest.param(False, id="up"), pytest.param(True, id="preview", marks=pytest.mark.untraced)],  # the same lines
)


def pypi(args: PrivatePypiArgs = ARGS, opts: pulumi.ResourceOptions | None = None) -> Callable[[], None]:
    return lambda: PrivatePypi("pypi", args, opts) and None


@both_times
def test_it_makes_a_domain_a_repository_and_their_policies(preview: bool) -> None:
    assert {name: each.type for name, each in run(pypi(), preview=preview).resources.items()} == {
        "pypi": COMPONENT,
        "pypi-domain": DOMAIN,
        "pypi-domain-permissions": DOMAIN_PERMISSIONS,
        "pypi-repository": REPOSITORY,
        "pypi-repository-permissions": REPOSITORY_PERMISSIONS,
    }


@both_times
def test_the_component_is_the_parent_of_all_it_makes(preview: bool) -> None:
    resources = run(pypi(), preview=preview).resources

    assert resources.pop("pypi").parent == "private-pypi-test"
    assert {each.parent for each in resources.values()} == {"pypi"}


def test_the_resources_get_the_names_and_the_description() -> None:
    made = run(pypi())

    assert made.of_type(DOMAIN).inputs == {"domain": "acme"}
    assert made.of_type(REPOSITORY).inputs == {"domain": "acme", "repository": "internal", "description": "Ours"}
    assert made.of_type(DOMAIN_PERMISSIONS).inputs.keys() == {"domain", "policyDocument"}
    assert made.of_type(DOMAIN_PERMISSIONS).inputs["domain"] == "acme"
    permissions = dict(made.of_type(REPOSITORY_PERMISSIONS).inputs)
    del permissions["policyDocument"]
    assert permissions == {"domain": "acme", "repository": "internal"}


@both_times
@pytest.mark.parametrize("closed", [False, True], ids=["open", "closed"])
@pytest.mark.parametrize("protect", [False, True], ids=["unprotected", "protected"])
def test_the_documents_are_complete_even_when_nothing_exists_yet(preview: bool, closed: bool, protect: bool) -> None:
    made = run(pypi(dataclasses.replace(ARGS, closed_publishing=closed, protect=protect)), preview=preview)

    assert made.of_type(DOMAIN_PERMISSIONS).inputs["policyDocument"] == domain_policy(
        ARNS, readers=READERS, publishers=PUBLISHERS
    )
    assert made.of_type(REPOSITORY_PERMISSIONS).inputs["policyDocument"] == repository_policy(
        ARNS, readers=READERS, publishers=PUBLISHERS, closed_publishing=closed, protect=protect
    )


def test_the_arns_are_of_the_providers_partition_and_region() -> None:
    made = run(pypi(PrivatePypiArgs(domain="acme", readers=["111122223333"])), region="cn-north-1", partition="aws-cn")
    (statement,) = json.loads(made.of_type(DOMAIN_PERMISSIONS).inputs["policyDocument"])["Statement"]

    assert statement["Resource"] == "arn:aws-cn:codeartifact:cn-north-1:111122223333:domain/acme"


def test_each_resource_waits_for_what_it_belongs_to() -> None:
    made = run(pypi())

    assert made.of_type(REPOSITORY).depends_on == {"pypi-domain"}
    assert made.of_type(DOMAIN_PERMISSIONS).depends_on == {"pypi-domain"}
    assert "pypi-repository" in made.of_type(REPOSITORY_PERMISSIONS).depends_on


@pytest.mark.parametrize("protect", [True, False])
def test_protect_is_for_what_holds_packages(protect: bool) -> None:
    made = run(pypi(PrivatePypiArgs(domain="acme", readers=[ADA], protect=protect)))

    assert {each.name for each in made.resources.values() if each.protect} == (
        {"pypi-domain", "pypi-repository", "pypi-repository-permissions"} if protect else set()
    )


def test_without_principals_there_is_no_policy_but_what_protects_packages() -> None:
    protected = run(pypi(PrivatePypiArgs(domain="acme")))
    unprotected = run(pypi(PrivatePypiArgs(domain="acme", protect=False)))

    assert unprotected.resources.keys() == {"pypi", "pypi-domain", "pypi-repository"}
    assert protected.resources.keys() == {*unprotected.resources, "pypi-repository-permissions"}
    assert protected.of_type(REPOSITORY_PERMISSIONS).inputs["policyDocument"] == repository_policy(
        dataclasses.replace(ARNS, repository_name="private-pypi"),
        readers=[],
        publishers=[],
        closed_publishing=False,
        protect=True,
    )


OUTPUTS = {
    "private_pypi_endpoint_url": ENDPOINT,
    "index_url": f"{ENDPOINT}simple/",
    "publish_url": ENDPOINT,
    "domain_name": "acme",
    "domain_owner": "111122223333",
    "domain_arn": "arn:aws:codeartifact:us-west-2:111122223333:domain/acme",
    "repository_name": "internal",
    "repository_arn": "arn:aws:codeartifact:us-west-2:111122223333:repository/acme/internal",
    "reader_policy": reader_policy(ARNS, readers=READERS, publishers=PUBLISHERS),
}


def test_the_outputs_are_registered() -> None:
    """And, for the component's next run, whether it is protected, and the domain's policy."""
    policy = {"domain_policy": domain_policy(ARNS, readers=READERS, publishers=PUBLISHERS)}
    assert run(pypi()).component_outputs == OUTPUTS | policy | {"protect": True}
    unprotected = run(pypi(dataclasses.replace(ARGS, protect=False)))
    assert unprotected.component_outputs == OUTPUTS | policy | {"protect": False}
    empty = run(pypi(PrivatePypiArgs(domain="acme", protect=False)))
    assert empty.component_outputs["protect"] is False


def test_at_preview_only_the_endpoint_and_its_urls_are_unknown() -> None:
    unknown = dict.fromkeys(
        ("private_pypi_endpoint_url", "index_url", "publish_url", "protect", "domain_policy"), UNKNOWN
    )

    assert run(pypi(), preview=True).component_outputs == OUTPUTS | unknown


@pytest.mark.untraced
@both_times
@pytest.mark.parametrize(
    ("output", "named"),
    [
        ("domain_name", {"pypi-domain"}),
        ("domain_owner", {"pypi-domain"}),
        ("domain_arn", {"pypi-domain"}),
        ("repository_name", {"pypi-repository"}),
        ("repository_arn", {"pypi-repository"}),
        ("reader_policy", {"pypi-repository"}),
    ],
)
def test_what_uses_an_output_waits_for_what_it_names(preview: bool, output: str, named: set[str]) -> None:
    def program() -> None:
        aws.codeartifact.Repository("mine", domain=getattr(PrivatePypi("pypi", ARGS), output), repository="mine")

    mine = run(program, preview=preview).resources["mine"]
    assert mine.depends_on == named
    assert mine.inputs["domain"] == OUTPUTS[output]


@both_times
def test_what_uses_the_roles_of_workflows_waits_for_them(preview: bool) -> None:
    def program() -> None:
        arn = PrivatePypi("pypi", FROM_CI).outputs["role_arns"]["github acme/tools tag v*"]
        aws.codeartifact.Repository("mine", domain="acme", repository="mine", description=arn)

    mine = run(program, preview=preview).resources["mine"]
    assert mine.depends_on == {
        "pypi-github-acme/tools",
        "pypi-github-acme/tools:tag:v*",
        "pypi-gitlab-acme/core:branch:main",
    }
    assert mine.inputs["description"] == TOOLS_ROLE.arn


@both_times
def test_in_an_existing_domain_the_names_of_the_domain_wait_for_nothing(preview: bool) -> None:
    def program() -> None:
        aws.codeartifact.Repository("mine", domain=PrivatePypi("pypi", EXISTING).domain_name, repository="mine")

    assert run(program, preview=preview).resources["mine"].depends_on == set()


def test_the_endpoint_is_asked_of_codeartifact() -> None:
    (call,) = [call for call in run(pypi()).calls if "Endpoint" in call.token]

    assert call.arguments == {"domain": "acme", "repository": "internal", "format": "pypi"}


def of_aws(call: Called) -> bool:
    return call.token.startswith("aws:")


@both_times
def test_the_provider_is_asked_for_nothing_but_the_place_and_the_endpoint(preview: bool) -> None:
    calls = [call.token.rpartition(":")[2] for call in run(pypi(), preview=preview).calls if of_aws(call)]

    place = ["getCallerIdentity", "getRegion"]
    assert sorted(calls) == (place if preview else [*place, "getRepositoryEndpoint"])


def with_provider(options: Callable[[aws.Provider], pulumi.ResourceOptions]) -> Run:
    def program() -> None:
        pypi(opts=options(aws.Provider("explicit", region="eu-west-1")))()

    return run(program)


class OtherProvider(pulumi.ProviderResource):
    def __init__(self) -> None:
        super().__init__("other", "other")


def below(opts: pulumi.ResourceOptions) -> pulumi.ResourceOptions:
    """Options for a component below a parent that has `opts`."""
    return pulumi.ResourceOptions(parent=PrivatePypi("parent", PrivatePypiArgs(domain="parent"), opts))


@both_times
def test_that_the_provider_cannot_answer_is_an_error_and_nothing_is_registered(preview: bool) -> None:
    record = Run()

    with pytest.raises(pulumi.RunError) as error:
        run(pypi(), preview=preview, failure="no valid credentials", record=record)
    assert str(error.value) == (
        "invoke of aws:index/getCallerIdentity:getCallerIdentity failed: no valid credentials (credentials)"
    )
    assert record.resources == {}


@pytest.mark.untraced
@pytest.mark.parametrize(
    "options",
    [
        lambda provider: pulumi.ResourceOptions(provider=provider),
        lambda provider: pulumi.ResourceOptions(providers=[provider]),
        lambda provider: pulumi.ResourceOptions(providers=[OtherProvider(), provider]),
        lambda provider: pulumi.ResourceOptions(providers={"other": OtherProvider(), "aws": provider}),
        lambda provider: pulumi.ResourceOptions(providers={"aws": provider}),
        lambda provider: below(pulumi.ResourceOptions(provider=provider)),
    ],
    ids=["provider", "list", "longer list", "longer map", "map", "parent"],
)
def test_everything_goes_through_an_explicit_provider(
    options: Callable[[aws.Provider], pulumi.ResourceOptions],
) -> None:
    made = with_provider(options)

    resources = [each for each in made.resources.values() if each.type not in {PROVIDER, OTHER_PROVIDER, COMPONENT}]
    assert {each.provider for each in resources} == {"explicit"}
    called = {call.token.rpartition(":")[2] for call in made.calls if of_aws(call)}
    assert called == {"getCallerIdentity", "getRegion", "getRepositoryEndpoint"}
    assert {call.provider for call in made.calls if of_aws(call)} == {"explicit"}


def test_without_an_explicit_provider_the_default_one_is_used() -> None:
    assert {call.provider for call in run(pypi()).calls} == {""}


def test_no_option_of_the_component_is_handed_down_to_its_children() -> None:
    """Children inherit what Pulumi lets them inherit; aliases of the component would be wrong for them."""
    aliased = run(pypi(opts=pulumi.ResourceOptions(aliases=[pulumi.Alias(name="old")])))

    assert aliased.resources == run(pypi()).resources


def test_calls_are_recorded_whole() -> None:
    """The tests above would pass on an empty record."""
    assert Called(token="aws:index/getRegion:getRegion", arguments={}, provider="") in run(pypi()).calls


API = Principal("arn:aws:iam::111122223333:role/service:eu/api")
OPS = Principal("arn:aws:iam::111122223333:role/ops")
ATTACHING = PrivatePypiArgs(
    domain="acme",
    readers=[API, API],
    publishers=[Publisher(principal=CI), Publisher(principal=API, packages=("acme-core",))],
    attach_identity_policies=True,
)
ATTACHED = {
    "pypi-reader-policy": POLICY,
    "pypi-reader-policy-api": POLICY_ATTACHMENT,
    "pypi-reader-policy-ci": POLICY_ATTACHMENT,
}


def test_a_role_that_is_listed_with_two_paths_gets_the_policy_once() -> None:
    """One of them AWS refuses, and says so; the engine would refuse two attachments of one name before."""
    readers = [API, Principal("arn:aws:iam::111122223333:role/api")]
    made = run(pypi(dataclasses.replace(ATTACHING, readers=readers, publishers=[])))

    assert made.of_type(POLICY_ATTACHMENT).inputs["role"] == "api"


@both_times
def test_the_listed_roles_get_the_reader_policy(preview: bool) -> None:
    made = run(pypi(ATTACHING), preview=preview)

    assert {name: each.type for name, each in made.resources.items() if "iam" in each.type} == ATTACHED
    assert {made.resources[name].parent for name in ATTACHED} == {"pypi"}
    assert made.of_type(POLICY).inputs == {"policy": made.component_outputs["reader_policy"]}
    policy_arn = UNKNOWN if preview else "arn-of-pypi-reader-policy"
    assert made.resources["pypi-reader-policy-api"].inputs == {"role": "api", "policyArn": policy_arn}
    assert made.resources["pypi-reader-policy-ci"].inputs == {"role": "ci", "policyArn": policy_arn}
    assert made.warnings == []


def test_without_being_asked_to_nothing_is_attached() -> None:
    made = run(pypi(dataclasses.replace(ATTACHING, attach_identity_policies=False)))

    assert not made.resources.keys() & ATTACHED.keys()


def test_what_gets_no_identity_policy_is_warned_of() -> None:
    left_out = [
        "111122223333",
        "arn:aws:iam::111122223333:role/ci-*",
        "arn:aws:iam::111122223333:user/ada",
        "arn:aws:iam::444455556666:role/ci",
        "o-a1b2c3d4e5",
    ]
    readers = [Principal(text) for text in left_out]
    made = run(pypi(PrivatePypiArgs(domain="acme", readers=readers, attach_identity_policies=True)))

    assert not made.resources.keys() & ATTACHED.keys()
    (warning,) = made.warnings
    assert warning == (
        "attachIdentityPolicies attaches only to roles of account 111122223333 that are listed by name. It attaches "
        "nothing to what is listed below. Attach the output reader_policy there yourself, or to publishers of other "
        "accounts than the domain's what publisher_policies has for them. Where the domain's account itself is a "
        "publisher, also give its people a right to publish.\n"
        "arn:aws:iam::111122223333:role/ci-*\n"
        "arn:aws:iam::111122223333:root\n"
        "arn:aws:iam::111122223333:user/ada\n"
        "arn:aws:iam::444455556666:role/ci\n"
        "o-a1b2c3d4e5"
    )


SSO = "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Ops_0123456789abcdef"
LINKED = "arn:aws:iam::111122223333:role/aws-service-role/glue.amazonaws.com/AWSServiceRoleForGlue"


@pytest.mark.parametrize("reserved", [SSO, SSO.replace("eu-west-1/", ""), LINKED])
def test_a_role_that_aws_alone_may_modify_is_warned_of_with_the_way_to_reach_its_people(reserved: str) -> None:
    listed = [Principal(reserved), Principal("arn:aws:iam::111122223333:role/ci")]
    made = run(pypi(PrivatePypiArgs(domain="acme", readers=listed, attach_identity_policies=True)))

    assert made.of_type(POLICY_ATTACHMENT).inputs["role"] == "ci"
    (warning,) = made.warnings
    assert warning.endswith(
        " AWS alone may modify roles under aws-reserved/ and aws-service-role/: for people who sign in with IAM "
        f"Identity Center, put it into their permission set.\n{reserved}"
    )


@both_times
def test_in_another_accounts_domain_there_are_no_internal_packages(preview: bool) -> None:
    """The delete handler names no domain owner: it would take a group of the same name in the deploying account."""
    record = Run()
    with pytest.raises(pulumi.RunError) as error:
        run(pypi(dataclasses.replace(VISITING, internal_packages=["acme-*", "beta"])), preview=preview, record=record)

    assert record.resources == {}
    assert str(error.value) == (
        "1 error in the arguments; nothing was changed.\n"
        "internal_packages: got acme-*, beta in the domain of account 444455556666\n"
        "  expected: none but in a domain of the account you deploy in, 111122223333: there AWS would look for a "
        "group that is to be deleted\n"
        "  fix:      take them out, and have the domain's owner make the package groups"
    )
    own = run(pypi(dataclasses.replace(VISITING, internal_packages=["beta"], domain_owner="111122223333")))
    assert "pypi-internal-beta" in own.resources


@both_times
def test_a_policy_that_is_too_long_is_an_error_and_nothing_is_registered(preview: bool) -> None:
    record = Run()
    readers = [Principal(f"arn:aws:iam::111122223333:role/{number:029}") for number in range(200)]
    rest = (
        "\n"
        "  expected: up to 7,168 characters\n"
        "  fix:      name an account, a pattern or an organization instead of many roles, or prefix-* "
        "instead of many packages"
    )

    with pytest.raises(pulumi.RunError) as error:
        run(pypi(PrivatePypiArgs(domain="acme", readers=readers)), preview=preview, record=record)
    assert str(error.value) == (
        "2 errors in the arguments; nothing was changed.\n"
        "readers and publishers: "
        f"got a domain permissions policy of 12,826 characters{rest}\n"
        "readers and publishers: "
        f"got a repository permissions policy of 13,225 characters{rest}"
    )
    assert record.resources == {}


STORED = dataclasses.replace(ARGS, public_upstream=True, internal_packages=["acme-*", "acme-core", "beta"])


@both_times
def test_public_pypi_is_upstream_by_way_of_a_store(preview: bool) -> None:
    made = run(pypi(STORED), preview=preview).resources
    # By their outputs, so that each waits for what it is in or below.
    domain, store = (UNKNOWN, UNKNOWN) if preview else ("acme", "internal-store")

    assert made["pypi-store"].type == made["pypi-repository"].type == REPOSITORY
    assert made["pypi-store"].inputs == {
        "domain": domain,
        "repository": "internal-store",
        "description": "Packages of public PyPI for internal",
        "externalConnections": {"externalConnectionName": "public:pypi"},
    }
    assert made["pypi-repository"].inputs == {
        "domain": domain,
        "repository": "internal",
        "description": "Ours",
        "upstreams": [{"repositoryName": store}],
    }
    assert made["pypi-repository"].depends_on >= {"pypi-store", "pypi-domain"}


@both_times
def test_nobody_is_let_into_the_store(preview: bool) -> None:
    made = run(pypi(STORED), preview=preview)

    assert made.of_type(REPOSITORY_PERMISSIONS).name == "pypi-repository-permissions"
    assert "internal-store" not in str(made.of_type(REPOSITORY_PERMISSIONS).inputs)
    assert "internal-store" not in str(made.component_outputs)


def test_closed_publishing_is_closed_to_everybody_in_the_store() -> None:
    made = run(pypi(dataclasses.replace(STORED, closed_publishing=True))).resources

    assert made["pypi-store-permissions"].inputs == {
        "domain": "acme",
        "repository": "internal-store",
        "policyDocument": repository_policy(
            dataclasses.replace(ARNS, repository_name="internal-store"),
            readers=[],
            publishers=[],
            closed_publishing=True,
            protect=False,
        ),
    }


@both_times
def test_the_store_is_closed_before_it_is_upstream(preview: bool) -> None:
    closed = dataclasses.replace(STORED, closed_publishing=True)
    made = run(pypi(closed), preview=preview).resources

    assert "pypi-store-permissions" in made["pypi-repository"].depends_on


def test_the_store_is_not_protected() -> None:
    assert not run(pypi(STORED)).resources["pypi-store"].protect


@both_times
def test_each_internal_name_has_a_package_group_before_public_pypi_is_let_in(preview: bool) -> None:
    made = run(pypi(STORED), preview=preview).resources

    groups = {name: each.inputs for name, each in made.items() if each.type == PACKAGE_GROUP}
    assert groups == {
        f"pypi-internal-{name}": {
            "typeName": "AWS::CodeArtifact::PackageGroup",
            "desiredState": desired_state(name, domain_name="acme", domain_owner=None, tags={}),
        }
        for name in ("acme-*", "beta")
    }
    assert all(made[name].depends_on == {"pypi-domain"} for name in groups)
    assert made["pypi-store"].depends_on >= groups.keys()
    assert made["pypi-repository"].depends_on >= groups.keys()


def test_public_pypi_without_internal_packages_is_warned_of() -> None:
    alone = dataclasses.replace(STORED, internal_packages=())

    assert run(pypi(STORED)).warnings == []
    assert run(pypi(dataclasses.replace(alone, public_upstream=False))).warnings == []
    assert run(pypi(alone)).warnings == [
        (
            "publicUpstream is on and internalPackages is empty: name your packages there, or anyone can publish "
            "them on public PyPI first, and theirs are installed."
        )
    ]


def test_without_public_pypi_a_hook_removes_what_upstream_there_was(monkeypatch: pytest.MonkeyPatch) -> None:
    hooked: list[Arns] = []
    monkeypatch.setattr("private_pypi.component.upstream_remover", lambda arns: hooked.append(arns) or print)

    assert run(pypi()).of_type(REPOSITORY).hooks == (f"remove-upstreams {ARNS.repository}",)
    assert run(pypi(STORED)).resources["pypi-repository"].hooks == ()
    assert hooked == [ARNS]


def test_what_is_protected_keeps_its_policy_to_the_end() -> None:
    """The policies go with what they are about, and not before it; and that goes before the next one comes."""
    protected = run(pypi()).resources
    unprotected = run(pypi(dataclasses.replace(ARGS, protect=False))).resources
    guest = run(pypi(EXISTING)).resources

    assert guest["pypi-repository"].protect
    assert guest["pypi-repository-permissions"].deleted_with == "pypi-repository"
    assert protected["pypi-domain-permissions"].deleted_with == "pypi-domain"
    assert protected["pypi-repository-permissions"].deleted_with == "pypi-repository"
    assert {each.deleted_with for each in unprotected.values()} == {""}
    for name in ("pypi-domain", "pypi-repository"):
        assert protected[name].delete_before_replace
        assert unprotected[name].delete_before_replace


def test_the_package_groups_of_another_domain_are_other_groups() -> None:
    made = run(pypi(STORED)).resources

    assert made["pypi-internal-beta"].replacement_trigger == ARNS.domain


def test_the_package_groups_go_with_their_domain() -> None:
    group = run(pypi(STORED)).resources["pypi-internal-beta"]
    guest = run(pypi(dataclasses.replace(STORED, existing_domain=True))).resources["pypi-internal-beta"]

    assert group.replace_with == ("pypi-domain",)
    assert guest.replace_with == ()
    assert group.delete_before_replace
    assert guest.delete_before_replace


EXISTING = dataclasses.replace(ARGS, existing_domain=True)
VISITING = dataclasses.replace(EXISTING, domain_owner="444455556666")
THEIR_ARNS = dataclasses.replace(ARNS, owner="444455556666")


@both_times
def test_in_an_existing_domain_only_the_repository_is_made(preview: bool) -> None:
    made = run(pypi(EXISTING), preview=preview)

    assert {name: each.type for name, each in made.resources.items()} == {
        "pypi": COMPONENT,
        "pypi-repository": REPOSITORY,
        "pypi-repository-permissions": REPOSITORY_PERMISSIONS,
    }
    assert made.of_type(REPOSITORY).inputs == {"domain": "acme", "repository": "internal", "description": "Ours"}
    names = ("private_pypi_endpoint_url", "index_url", "publish_url", "protect")
    unknown = dict.fromkeys(names, UNKNOWN) if preview else {"protect": True}
    statements = domain_policy_statements(ARNS, readers=READERS, publishers=PUBLISHERS, account="111122223333")
    assert made.component_outputs == OUTPUTS | unknown | {"domain_policy_statements": statements}


def test_without_principals_the_domains_owner_has_nothing_to_add() -> None:
    made = run(pypi(PrivatePypiArgs(domain="acme", existing_domain=True)))

    assert made.component_outputs["domain_policy_statements"] == "[]"


@both_times
def test_in_another_accounts_domain_every_call_and_arn_carries_the_owner(preview: bool) -> None:
    stored = dataclasses.replace(VISITING, public_upstream=True, closed_publishing=True)
    made = run(pypi(stored), preview=preview)

    for name, each in made.resources.items():
        if each.type in {REPOSITORY, REPOSITORY_PERMISSIONS}:
            assert each.inputs["domainOwner"] == "444455556666", name
    if not preview:
        (call,) = [call for call in made.calls if "Endpoint" in call.token]
        assert call.arguments["domainOwner"] == "444455556666"
    assert made.resources["pypi-repository-permissions"].inputs["policyDocument"] == repository_policy(
        THEIR_ARNS, readers=READERS, publishers=PUBLISHERS, closed_publishing=True, protect=True
    )
    assert made.component_outputs["domain_policy_statements"] == domain_policy_statements(
        THEIR_ARNS, readers=READERS, publishers=PUBLISHERS, account="111122223333"
    )
    outputs = {name: made.component_outputs[name] for name in ("domain_owner", "domain_arn", "repository_arn")}
    assert outputs == {
        "domain_owner": "444455556666",
        "domain_arn": "arn:aws:codeartifact:us-west-2:444455556666:domain/acme",
        "repository_arn": "arn:aws:codeartifact:us-west-2:444455556666:repository/acme/internal",
    }


@pytest.mark.parametrize("store", [True, False])
def test_the_domains_owner_lets_be_tagged_what_has_tags(store: bool) -> None:
    tagging = dataclasses.replace(VISITING, tags={"team": "platform"}, public_upstream=store)
    repositories = [THEIR_ARNS.repository, *([THEIR_ARNS.store.repository] if store else [])]

    assert run(pypi(tagging)).component_outputs["domain_policy_statements"] == domain_policy_statements(
        THEIR_ARNS,
        readers=READERS,
        publishers=PUBLISHERS,
        account="111122223333",
        tagged=[THEIR_ARNS.domain, *repositories],
    )


def test_the_identity_policies_are_for_those_who_are_listed() -> None:
    visitor = Publisher(principal=Principal("777788889999"), packages=("acme-core",))
    made = run(pypi(dataclasses.replace(ARGS, publishers=[*PUBLISHERS, visitor])))

    publishers = [*PUBLISHERS, visitor]
    assert made.component_outputs["reader_policy"] == reader_policy(ARNS, readers=READERS, publishers=publishers)
    assert made.component_outputs["publisher_policies"] == {
        "arn:aws:iam::777788889999:root": publisher_policy(ARNS, ["acme-core"], readers=READERS, publishers=publishers)
    }


def test_in_an_existing_domain_of_this_account_publishers_need_no_more_than_readers() -> None:
    made = run(pypi(dataclasses.replace(ATTACHING, existing_domain=True)))

    assert {name: each.type for name, each in made.resources.items() if "iam" in each.type} == ATTACHED


def test_in_another_accounts_domain_publishers_of_this_account_need_its_half_of_publishing() -> None:
    made = run(
        pypi(dataclasses.replace(ATTACHING, existing_domain=True, domain_owner="444455556666", readers=[OPS, API]))
    )

    attached = {
        each.inputs["role"]: each.inputs["policyArn"]
        for each in made.resources.values()
        if each.type == POLICY_ATTACHMENT
    }
    (limited,) = {arn for arn in attached.values() if arn.startswith("arn-of-pypi-publisher-policy-")}
    assert attached == {"api": limited, "ci": "arn-of-pypi-publisher-policy", "ops": "arn-of-pypi-reader-policy"}
    documents = made.component_outputs["publisher_policies"]
    assert made.resources[limited.removeprefix("arn-of-")].inputs == {"policy": documents[API.name]}
    assert made.resources["pypi-publisher-policy"].inputs == {"policy": documents[CI.name]}
    assert made.resources["pypi-reader-policy"].inputs == {"policy": made.component_outputs["reader_policy"]}
    assert made.warnings == []


KEY = "arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"


@both_times
def test_a_domain_may_have_a_key_of_its_own(preview: bool) -> None:
    made = run(pypi(dataclasses.replace(ARGS, encryption_key=KEY)), preview=preview)

    assert made.of_type(DOMAIN).inputs == {"domain": "acme", "encryptionKey": KEY}


@pytest.mark.parametrize(
    ("ignored", "value", "kind"),
    [
        ({"domain_owner": "444455556666"}, "444455556666", "a new"),
        ({"existing_domain": True, "encryption_key": KEY}, KEY, "an existing"),
    ],
)
def test_args_that_would_be_ignored_are_refused(ignored: dict[str, Any], value: str, kind: str) -> None:
    with pytest.raises(InvalidValueError, match=f"^[a-z_]+: got '{value}' for {kind} domain\n"):
        PrivatePypiArgs(domain="acme", **ignored)


def test_the_tags_are_on_all_that_takes_tags() -> None:
    tags = {"team": "platform", "cost center": "12"}
    made = run(pypi(dataclasses.replace(STORED, closed_publishing=True, attach_identity_policies=True, tags=tags)))

    assert {name for name, each in made.resources.items() if each.inputs.get("tags") == tags} == {
        "pypi-domain",
        "pypi-store",
        "pypi-repository",
        "pypi-reader-policy",
    }
    for name in ("acme-*", "beta"):
        state = desired_state(name, domain_name="acme", domain_owner=None, tags=tags)
        assert made.resources[f"pypi-internal-{name}"].inputs["desiredState"] == state


@both_times
def test_everything_that_is_made_goes_through_an_explicit_provider(preview: bool) -> None:
    args = dataclasses.replace(
        STORED,
        closed_publishing=True,
        attach_identity_policies=True,
        publishers=[*ARGS.publishers, TOOLS],
        make_oidc_providers=["github"],
    )

    def program() -> None:
        pypi(args, pulumi.ResourceOptions(provider=aws.Provider("explicit", region="eu-west-1")))()

    resources = run(program, preview=preview).resources.values()
    made = {each.name: each.provider for each in resources if each.type not in {PROVIDER, COMPONENT}}
    assert len(made) == 13
    assert {*made.values()} == {"explicit"}


TOOLS = Workload(github="acme/tools", tag="v*", packages=("acme-tools",))
CORE = Workload(gitlab="acme/core", branch="main")
TESTS = Workload(github="acme/tools")
FROM_CI = dataclasses.replace(ARGS, readers=[*ARGS.readers, TESTS, CORE], publishers=[*ARGS.publishers, TOOLS, CORE])
(TESTS_ROLE, TOOLS_ROLE, CORE_ROLE) = make_roles([CORE, TOOLS, TESTS], ARNS, "111122223333", prefix="pypi-test")
MADE = {Principal(each.arn) for each in (CORE_ROLE, TOOLS_ROLE, TESTS_ROLE)}
ALL_READERS = [*READERS, Principal(TESTS_ROLE.arn)]
ALL_PUBLISHERS = [*PUBLISHERS, Publisher(CORE_ROLE.arn), Publisher(TOOLS_ROLE.arn, ["acme-tools"])]


@both_times
def test_each_workload_has_a_role_that_trusts_it_and_may_log_in(preview: bool) -> None:
    made = run(pypi(FROM_CI), preview=preview)

    names = {
        "pypi-github-acme/tools": TESTS_ROLE,
        "pypi-github-acme/tools:tag:v*": TOOLS_ROLE,
        "pypi-gitlab-acme/core:branch:main": CORE_ROLE,
    }
    assert {name: each.inputs for name, each in made.resources.items() if each.type == ROLE} == {
        name: {"name": role.name, "assumeRolePolicy": role.trust_policy} for name, role in names.items()
    }
    reader = made.component_outputs["reader_policy"]
    unknown = UNKNOWN if preview else None
    assert {name: each.inputs for name, each in made.resources.items() if each.type == ROLE_POLICY} == {
        f"{name}-policy": {"name": "private-pypi", "role": unknown or role.name, "policy": reader}
        for name, role in names.items()
    }


@both_times
def test_a_permissions_boundary_is_that_of_every_role(preview: bool) -> None:
    boundary = "arn:aws:iam::111122223333:policy/boundary"
    made = run(pypi(dataclasses.replace(FROM_CI, permissions_boundary=boundary)), preview=preview).resources.values()

    assert [each.inputs["permissionsBoundary"] for each in made if each.type == ROLE] == [boundary] * 3


@both_times
def test_whoever_installs_may_list_packages_where_the_config_says_so(preview: bool) -> None:
    made = run(pypi(dataclasses.replace(FROM_CI, list_packages=True)), preview=preview)

    assert made.of_type(REPOSITORY_PERMISSIONS).inputs["policyDocument"] == repository_policy(
        ARNS,
        readers=ALL_READERS,
        publishers=ALL_PUBLISHERS,
        closed_publishing=False,
        protect=True,
        list_packages=True,
        made=MADE,
    )
    assert made.component_outputs["reader_policy"] == reader_policy(
        ARNS, readers=ALL_READERS, publishers=ALL_PUBLISHERS, list_packages=True
    )


@both_times
def test_the_role_of_a_workload_is_a_reader_or_a_publisher_like_any_other(preview: bool) -> None:
    made = run(pypi(dataclasses.replace(FROM_CI, closed_publishing=True)), preview=preview)

    assert made.of_type(DOMAIN_PERMISSIONS).inputs["policyDocument"] == domain_policy(
        ARNS, readers=ALL_READERS, publishers=ALL_PUBLISHERS, made=MADE
    )
    assert made.of_type(REPOSITORY_PERMISSIONS).inputs["policyDocument"] == repository_policy(
        ARNS, readers=ALL_READERS, publishers=ALL_PUBLISHERS, closed_publishing=True, protect=True, made=MADE
    )


@both_times
def test_the_arns_of_the_roles_are_known_at_preview(preview: bool) -> None:
    assert run(pypi(FROM_CI), preview=preview).component_outputs["role_arns"] == {
        "github acme/tools": TESTS_ROLE.arn,
        "github acme/tools tag v*": TOOLS_ROLE.arn,
        "gitlab acme/core branch main": CORE_ROLE.arn,
    }


def test_in_another_accounts_domain_a_workload_gets_its_half_of_publishing() -> None:
    args = dataclasses.replace(FROM_CI, existing_domain=True, domain_owner="444455556666")
    made = run(pypi(args))

    names = ("github acme/tools", "github acme/tools tag v*", "gitlab acme/core branch main")
    tests, tools, core = (made.component_outputs["role_arns"][name] for name in names)
    inputs = [each.inputs for each in made.resources.values() if each.type == ROLE_POLICY]
    documents = made.component_outputs["publisher_policies"]
    assert {each["role"]: each["policy"] for each in inputs} == {
        tests.rpartition("/")[2]: made.component_outputs["reader_policy"],
        tools.rpartition("/")[2]: documents[tools],
        core.rpartition("/")[2]: documents[core],
    }
    assert "PublishPackageVersion" not in made.component_outputs["reader_policy"]
    for arn in (tools, core):
        assert "PublishPackageVersion" in documents[arn]
    for arn in (tests, tools, core):
        assert arn in made.component_outputs["domain_policy_statements"]


@pytest.mark.untraced
@both_times
@pytest.mark.parametrize("protect", [True, False])
def test_providers_are_made_when_asked_for(preview: bool, protect: bool) -> None:
    args = dataclasses.replace(FROM_CI, make_oidc_providers=["github", "gitlab.com"], protect=protect)
    made = run(pypi(args), preview=preview).resources

    assert {name: each.inputs for name, each in made.items() if each.type == OIDC_PROVIDER} == {
        "pypi-github": {
            "url": "https://token.actions.githubusercontent.com",
            "clientIdLists": ["sts.amazonaws.com"],
        },
        "pypi-gitlab.com": {"url": "https://gitlab.com", "clientIdLists": ["https://gitlab.com"]},
    }
    assert {each.protect for each in made.values() if each.type == OIDC_PROVIDER} == {protect}
    assert {name: each.depends_on for name, each in made.items() if each.type == ROLE} == {
        "pypi-github-acme/tools": {"pypi-github"},
        "pypi-github-acme/tools:tag:v*": {"pypi-github"},
        "pypi-gitlab-acme/core:branch:main": {"pypi-gitlab.com"},
    }
    assert OIDC_PROVIDER not in {each.type for each in run(pypi(FROM_CI)).resources.values()}


def test_attached_policies_are_not_for_the_roles_of_workloads() -> None:
    """They have theirs already."""
    made = run(pypi(dataclasses.replace(FROM_CI, readers=[TESTS], attach_identity_policies=True)))

    assert [each.inputs["role"] for each in made.resources.values() if each.type == POLICY_ATTACHMENT] == ["ci"]
    assert made.warnings == []


def test_tags_are_on_what_is_made_for_workloads() -> None:
    args = dataclasses.replace(FROM_CI, make_oidc_providers=["github"], tags={"team": "platform"})
    made = run(pypi(args)).resources.values()

    assert all(each.inputs["tags"] == {"team": "platform"} for each in made if each.type in {ROLE, OIDC_PROVIDER})


@pytest.mark.untraced
def test_that_the_roles_of_workloads_make_a_policy_too_long_is_said() -> None:
    many = [Workload(github=f"acme/tools-{number}", tag="v*") for number in range(200)]

    with pytest.raises(pulumi.RunError) as error:
        run(pypi(dataclasses.replace(ARGS, publishers=many)))
    assert str(error.value).startswith(
        "2 errors in the arguments; nothing was changed.\nreaders and publishers: got a domain permissions policy of "
    )
