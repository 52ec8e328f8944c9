"""What a component registers in a form that is not one of ours: it is shown, and needs approval where it is new."""

import json
from dataclasses import replace
from typing import Any

import pytest
from mocks import ROOT

from private_pypi.cli.compare import Difference, Side, compare
from private_pypi.cli.components import (
    ATTACHMENT,
    DOMAIN,
    DOMAIN_PERMISSIONS,
    IDENTITY_POLICY,
    OIDC_PROVIDER,
    PACKAGE_GROUP,
    REPOSITORY,
    REPOSITORY_PERMISSIONS,
    ROLE,
    ROLE_POLICY,
    Component,
)
from private_pypi.cli.errors import MistakesError
from private_pypi.cli.markdown import render_difference_markdown, render_markdown
from private_pypi.cli.preview import Preview, as_json, program_of, read_preview
from private_pypi.cli.program import Recording, Resource, record
from private_pypi.cli.stack_files import Stack
from private_pypi.cli.text import render
from private_pypi.cli.words import uncoloured
from private_pypi.iam import DESCRIBE, LIST, LOSE
from private_pypi.workloads import Workload

ACCOUNT = "111122223333"
ROLE_ARN = f"arn:aws:iam::{ACCOUNT}:role/ci"
PACKAGES = f"arn:aws:codeartifact:us-west-2:{ACCOUNT}:package/acme/private-pypi/*"
REPOSITORY_ARN = f"arn:aws:codeartifact:us-west-2:{ACCOUNT}:repository/acme/private-pypi"
COMPONENT = "private-pypi:index:PrivatePypi"
URN = "urn:pulumi:dev::project::"


def resource(type_: str, name: str, parent: str = "pypi", /, **inputs: Any) -> Resource:
    return Resource(
        urn=f"{URN}{COMPONENT}${type_}::{name}" if parent else f"{URN}{type_}::{name}",
        type=type_,
        name=name,
        parent=f"{URN}{COMPONENT}::{parent}" if parent else None,
        inputs=inputs,
        protect=type_ in {DOMAIN, REPOSITORY},
        account=ACCOUNT,
    )


def component(name: str = "pypi", arn: Any = REPOSITORY_ARN) -> Resource:
    return Resource(
        urn=f"{URN}{COMPONENT}::{name}",
        type=COMPONENT,
        name=name,
        parent=None,
        inputs={},
        outputs={"repository_arn": arn},
        custom=False,
        protect=False,
        account=ACCOUNT,
    )


BASE = [
    component(),
    resource(DOMAIN, "domain", domain="acme"),
    resource(REPOSITORY, "repository", domain="acme", repository="private-pypi"),
]


def preview(*more: Resource, secrets: dict[str, str] | None = None) -> Preview:
    exports = dict.fromkeys(secrets or {}, "[secret]")
    recording = Recording(resources=(*BASE, *more), exports=exports, secret_exports=secrets or {}, warnings=())
    return read_preview(recording)


def only(read: Preview) -> Component:
    (found,) = read.components
    return found


def differ(base: Preview, head: Preview) -> Difference:
    return compare(Side(preview=base, project="p"), Side(preview=head, project="p"), stack="dev")


def policy(**statement: Any) -> str:
    whole = {"Effect": "Allow", "Principal": {"AWS": [ROLE_ARN]}, "Action": "codeartifact:*", "Resource": "*"}
    return json.dumps({"Statement": [{key: value for key, value in (whole | statement).items() if value is not None}]})


def permissions(document: Any, repository: str = "private-pypi") -> Resource:
    return resource(REPOSITORY_PERMISSIONS, f"{repository}-permissions", repository=repository, policyDocument=document)


SUB, AUD = "token.actions.githubusercontent.com:sub", "token.actions.githubusercontent.com:aud"
FEDERATED = f"arn:aws:iam::{ACCOUNT}:oidc-provider/token.actions.githubusercontent.com"
TRUSTED = json.loads(Workload(github="acme/tools", branch="main").trust_policy("aws", ACCOUNT))
TRUST = TRUSTED["Statement"][0]


def role(name: str = "role", **statement: Any) -> Resource:
    return resource(ROLE, name, name=name, assumeRolePolicy=json.dumps(TRUSTED | {"Statement": [TRUST | statement]}))


GRANT = {"Effect": "Allow", "Action": ["codeartifact:ReadFromRepository"], "Resource": REPOSITORY_ARN}
VISITOR = {"StringNotEquals": {"aws:PrincipalAccount": ACCOUNT}}


def identity(**statement: Any) -> Resource:
    return resource(ROLE_POLICY, "role-policy", role="role", policy=json.dumps({"Statement": [GRANT | statement]}))


def group(**more: Any) -> Resource:
    state = {
        "Pattern": "/pypi//acme~",
        "OriginConfiguration": {"Restrictions": {"ExternalUpstream": {"RestrictionMode": "BLOCK"}}},
    }
    return resource(
        PACKAGE_GROUP, "group", typeName="AWS::CodeArtifact::PackageGroup", desiredState=json.dumps(state | more)
    )


UNDERSTOOD = [
    pytest.param(permissions(policy()), id="statement"),
    pytest.param(resource(DOMAIN_PERMISSIONS, "d", domain="acme", policyDocument=policy()), id="domain's statement"),
    pytest.param(role(), id="trust policy"),
    pytest.param(identity(), id="grant"),
    pytest.param(
        identity(Action=["codeartifact:PublishPackageVersion"], Resource=PACKAGES, Condition=VISITOR), id="visitor"
    ),
    pytest.param(identity(Action=[*LIST, *DESCRIBE], Resource=[REPOSITORY_ARN, PACKAGES]), id="listing"),
    pytest.param(
        identity(
            Action="sts:GetServiceBearerToken",
            Resource="*",
            Condition={"StringEquals": {"sts:AWSServiceName": "codeartifact.amazonaws.com"}},
        ),
        id="bearer token",
    ),
    pytest.param(
        replace(
            resource(ATTACHMENT, "a", role="ci", policyArn=None),
            sources={"policyArn": [f"{URN}{COMPONENT}$aws:iam/policy:Policy::policy"]},
        ),
        id="attachment",
    ),
    pytest.param(resource(OIDC_PROVIDER, "o", url="https://example.com", clientIdLists=["x"]), id="provider"),
    pytest.param(group(), id="group"),
    pytest.param(
        resource(
            REPOSITORY,
            "store",
            repository="private-pypi-store",
            externalConnections={"externalConnectionName": "public:pypi"},
        ),
        id="store",
    ),
]


@pytest.mark.parametrize("understood", UNDERSTOOD)
def test_what_is_ours_is_understood(understood: Resource) -> None:
    assert only(preview(understood)).not_understood == ()
    assert differ(preview(), preview(understood)).not_compared == 0


@pytest.mark.parametrize("parent", ["", "pypi"])
def test_a_second_policy_may_be_the_one_that_holds(parent: str) -> None:
    """AWS keeps the one that is written last: what the first one says is no safeguard."""
    everything = [PACKAGES, REPOSITORY_ARN]
    protecting = permissions(policy(Effect="Deny", Principal="*", Action=[*LOSE], Resource=everything))
    second = resource(
        REPOSITORY_PERMISSIONS, "mine", parent, domain="acme", repository="private-pypi", policyDocument=policy()
    )
    one, both = only(preview(protecting)), only(preview(protecting, second))

    assert one.safeguards.protect
    assert not both.safeguards.protect
    assert {"mine"} <= {each.where for each in both.not_understood}
    assert {each.why for each in both.not_understood} == {
        "there is another policy of the same domain or repository, and AWS keeps the one that is written last"
    }


NOT_UNDERSTOOD = [
    pytest.param(permissions(policy(Principal="*")), "it is for everybody, without a condition", id="everybody"),
    pytest.param(permissions(policy(NotAction="x", Action=None)), "it has NotAction", id="NotAction"),
    pytest.param(permissions(policy(NotPrincipal="*")), "it has NotPrincipal", id="NotPrincipal"),
    pytest.param(
        permissions(policy(Condition={"Bool": {"aws:SecureTransport": "true"}})),
        "it has a condition beside its principals",
        id="condition",
    ),
    pytest.param(
        permissions(policy(Principal="*", Condition={"StringLike": {"aws:PrincipalOrgID": "o-*"}})),
        "its condition is not one of those known here",
        id="operator",
    ),
    pytest.param(
        permissions(policy(Principal={"AWS": "AROAEXAMPLEEXAMPLE123"})),
        "it names a principal in a form that is not known here",
        id="deleted role",
    ),
    pytest.param(permissions("[secret]"), "it is no JSON", id="secret policy"),
    pytest.param(permissions(None), "it is known only after `pulumi up`", id="unknown policy"),
    pytest.param(permissions(policy(), "private-pypi-store"), "it lets somebody into another repository", id="store"),
    pytest.param(
        resource(DOMAIN_PERMISSIONS, "d", policyDocument=policy(Principal="*")),
        "it is for everybody, without a condition",
        id="domain",
    ),
    pytest.param(role(Principal={"AWS": "*"}), "it trusts others than one CI workload", id="trust everybody"),
    pytest.param(
        role(Principal={"Federated": FEDERATED, "AWS": "*"}), "it trusts others than one CI workload", id="trust more"
    ),
    pytest.param(
        replace(resource(DOMAIN, "d", domain="acme", tags="[secret]"), secrets={"tags": "1234"}),
        "its input tags is secret",
        id="secret input",
    ),
    pytest.param(role(Principal={"Federated": "x"}), "it trusts others than one CI workload", id="trust another"),
    pytest.param(
        role(Principal={"Federated": TRUST["Principal"]["Federated"].replace(ACCOUNT, "444455556666")}),
        "it trusts others than one CI workload",
        id="trust the provider of another account",
    ),
    pytest.param(role(Condition={}), "it trusts others than one CI workload", id="trust without a condition"),
    pytest.param(
        role(Condition={"StringNotEquals": TRUST["Condition"]["StringEquals"]}),
        "it trusts others than one CI workload",
        id="trust by another operator",
    ),
    pytest.param(
        resource(ROLE, "role", name="role", assumeRolePolicy=None),
        "it trusts others than one CI workload",
        id="unknown trust",
    ),
    pytest.param(
        resource(ROLE, "role", assumeRolePolicy=json.dumps(TRUSTED | {"Statement": [TRUST, TRUST]})),
        "it trusts others than one CI workload",
        id="two trusted",
    ),
    *(
        pytest.param(identity(**statement), "it grants more than reading, or publishing from another account", id=name)
        for name, statement in {
            "admin": {"Action": "*", "Resource": "*"},
            "publish at home": {"Action": ["codeartifact:PublishPackageVersion"]},
            "elsewhere": {"Resource": "*"},
            "other condition": {"Condition": {"StringNotEquals": {"aws:PrincipalAccount": "444455556666"}}},
            "bearer without condition": {"Action": "sts:GetServiceBearerToken", "Resource": "*"},
            "NotResource": {"NotResource": "x"},
            "visitor elsewhere": {"Resource": "*", "Condition": VISITOR},
        }.items()
    ),
    pytest.param(
        resource(IDENTITY_POLICY, "p", policy=None), "it is no identity policy that is known now", id="unknown grants"
    ),
    pytest.param(
        resource(ATTACHMENT, "a", role="ci", policyArn=None),
        "it attaches a policy that is not made here",
        id="attachment of what is looked up",
    ),
    pytest.param(
        resource(ATTACHMENT, "a", role="ci", policyArn="arn:aws:iam::aws:policy/AdministratorAccess"),
        "it attaches a policy that is not made here",
        id="attachment",
    ),
    pytest.param(group(Pattern=1), "it is no package group that keeps a name from public PyPI", id="group"),
    pytest.param(
        resource(PACKAGE_GROUP, "g", typeName="AWS::S3::Bucket", desiredState=None),
        "it is no package group that keeps a name from public PyPI",
        id="another type",
    ),
    pytest.param(
        resource(REPOSITORY, "r", repository="r", upstreams=[{"repositoryName": "theirs"}]),
        "packages come from repositories that are not made here",
        id="upstream",
    ),
    pytest.param(
        resource(REPOSITORY, "r", repository="r", externalConnections={"externalConnectionName": "public:npmjs"}),
        "packages come from elsewhere than public PyPI",
        id="connection",
    ),
    pytest.param(resource(REPOSITORY, "r", repository="r", other=1), "it has the input other", id="input"),
    pytest.param(
        resource("aws:s3/bucket:Bucket", "b", bucket="b"), "it is of the type aws:s3/bucket:Bucket", id="type"
    ),
]


@pytest.mark.parametrize(("unusual", "why"), NOT_UNDERSTOOD)
def test_what_is_not_understood_is_said_and_needs_approval(unusual: Resource, why: str) -> None:
    read = preview(unusual)
    difference = differ(preview(), read)

    assert why in [each.why for each in only(read).not_understood]
    assert (difference.needs_approval, difference.not_compared > 0) == (True, True)
    for shown in (
        render(read, uncoloured),
        render_markdown(read, []),
        json.dumps(as_json(read)),
        render_difference_markdown(difference, "dev", []),
    ):
        assert why in shown.replace("``", "").replace("it is known only after `pulumi up`", why)
    assert differ(read, preview()).needs_approval, "it may have denied something"


def test_what_is_the_same_in_both_is_no_difference_unless_it_is_unknown() -> None:
    known, unknown = preview(permissions(policy(Principal="*"))), preview(permissions(None))

    assert differ(known, known).is_empty
    assert differ(unknown, unknown).needs_approval


def test_an_existing_domains_statements_are_read_whatever_they_are() -> None:
    arn = {"repository_arn": REPOSITORY_ARN}
    statement = json.loads(policy(Principal="*"))["Statement"][0]
    for outputs in (
        {"domain_policy_statements": json.dumps([statement])},
        {"domain_policy_statements": [json.dumps(statement)]},
        {"domain_policy_statements": [statement]},
    ):
        own = Resource(
            urn=f"{URN}{COMPONENT}::pypi",
            type=COMPONENT,
            name="pypi",
            parent=None,
            inputs={},
            outputs=arn | outputs,
            custom=False,
            protect=False,
            account=ACCOUNT,
        )
        read = read_preview(Recording(resources=(own,), exports={}, warnings=()))
        assert only(read).not_understood
        assert only(read).account == ACCOUNT
        assert "Nobody gets in before the domain's owner adds" in render(read, uncoloured)


def deny(actions: Any, resources: Any = "*", **more: Any) -> Resource:
    return permissions(policy(Effect="Deny", Principal="*", Action=actions, Resource=resources, **more))


def test_a_deny_beyond_the_safeguards_is_said_and_needs_approval_where_it_goes() -> None:
    read = preview(deny(["codeartifact:Describe*"]))
    gone, new = differ(read, preview()), differ(preview(), read)
    said = "policy of the repository denies codeartifact:Describe* on * to everybody"

    assert f"What else is denied\n  the {said}\n" in render(read, uncoloured)
    assert (gone.risks, gone.losses, gone.needs_approval) == (1, 0, True)
    assert (new.risks, new.losses, new.needs_approval) == (0, 1, False)
    (denial,) = only(read).denials
    assert as_json(read)["components"][0]["denials"] == [
        {
            "where": "repository",
            "actions": ("codeartifact:Describe*",),
            "resources": ("*",),
            "principals": (),
            "exempts": True,
        }
    ]
    assert denial.exempts


@pytest.mark.parametrize(
    ("principal", "condition", "who"),
    [
        ({"AWS": ROLE_ARN}, None, ROLE_ARN),
        ("*", {"ArnNotLike": {"aws:PrincipalArn": ROLE_ARN}}, f"everybody but {ROLE_ARN}"),
    ],
)
def test_whom_a_deny_is_about_is_said(principal: Any, condition: Any, who: str) -> None:
    document = policy(Effect="Deny", Principal=principal, Condition=condition)
    read = preview(permissions(document))

    assert f"denies codeartifact:* on * to {who}\n" in render(read, uncoloured)
    assert who in render_difference_markdown(differ(preview(), read), "dev", []).replace("`", "")


def test_protection_is_pulumis_too() -> None:
    denied = deny(LOSE, [PACKAGES, REPOSITORY_ARN])
    assert only(preview(denied)).safeguards.protect

    resources = [each for each in BASE if each.type != DOMAIN]
    unprotected = replace(BASE[1], protect=False)
    read = read_preview(Recording(resources=(*resources, unprotected, denied), exports={}, warnings=()))
    assert not only(read).safeguards.protect


def test_publishing_is_closed_where_it_is_to_the_store_too() -> None:
    actions = ["codeartifact:PublishPackageVersion", "codeartifact:CopyPackageVersions"]
    closing = policy(Effect="Deny", Principal="*", Action=actions, Resource="*")
    store = resource(REPOSITORY, "store", repository="private-pypi-store")

    assert not only(preview(permissions(closing), store)).safeguards.closed_publishing
    closed = preview(permissions(closing), store, permissions(closing, "private-pypi-store"))
    assert only(closed).safeguards.closed_publishing
    assert only(closed).denials == ()


def test_a_trust_policy_that_trusts_another_workload_is_a_gain_and_a_loss() -> None:
    other = Workload(gitlab="acme/tools", tag="v*").trust_policy("aws", ACCOUNT)
    (component,) = differ(
        preview(role()), preview(resource(ROLE, "role", name="role", assumeRolePolicy=other))
    ).components

    assert [(each.right, each.scope) for each in component.gains] == [("assume_role", ("gitlab acme/tools tag v*",))]
    assert [(each.right, each.scope) for each in component.losses] == [
        ("assume_role", ("github acme/tools branch main",))
    ]
    assert component.uncompared == ()


@pytest.mark.parametrize(
    "document", [None, "{", "[]", '{"Statement": {}}', json.dumps(TRUSTED | {"Statement": [TRUST, TRUST]})]
)
def test_a_trust_policy_that_is_not_understood_any_more_is_not_compared(document: str | None) -> None:
    changed = resource(ROLE, "role", name="role", assumeRolePolicy=document)

    for difference in (differ(preview(role()), preview(changed)), differ(preview(changed), preview(role()))):
        (component,) = difference.components
        assert (component.gains, component.losses) == ((), ())
        assert difference.not_compared == 2


def test_what_is_below_a_component_of_a_component_is_its_own_too() -> None:
    inner = resource("example:index:Part", "part")
    object.__setattr__(inner, "custom", False)
    below = resource("aws:s3/bucket:Bucket", "b")
    object.__setattr__(below, "parent", inner.urn)

    assert [each.where for each in only(preview(inner, below)).not_understood] == ["b"]


def test_what_is_in_no_private_pypi_is_not_compared_where_it_changes() -> None:
    one, other = (resource("aws:s3/bucket:Bucket", "b", "", bucket=name) for name in ("one", "other"))
    difference = differ(preview(one), preview(other))

    assert [(each.change, each.where) for each in difference.uncompared] == [("gone", "b"), ("new", "b")]
    assert difference.needs_approval
    assert differ(preview(one), preview(one)).is_empty


def test_a_secret_that_changes_is_not_compared_and_not_shown() -> None:
    one, same, other = (preview(secrets={"token": seal}) for seal in ("1234", "1234", "5678"))
    difference = differ(one, other)

    assert differ(one, same).is_empty
    assert difference.needs_approval
    assert [(each.where, each.text) for each in difference.uncompared] == [("token", "[secret]")] * 2
    secret = permissions("[secret]")
    object.__setattr__(secret, "secrets", {"policyDocument": "1234"})
    changed = permissions("[secret]")
    object.__setattr__(changed, "secrets", {"policyDocument": "5678"})
    assert differ(preview(secret), preview(secret)).is_empty
    assert differ(preview(secret), preview(changed)).needs_approval
    assert "5678" not in render_difference_markdown(differ(preview(secret), preview(changed)), "dev", [])


def test_a_second_private_pypi_is_new_and_gone() -> None:
    second = component("second", REPOSITORY_ARN.replace("private-pypi", "second"))
    new, gone = differ(preview(), preview(second)), differ(preview(second), preview())

    assert [(each.name, each.is_new) for each in new.components] == [("pypi", False), ("second", True)]
    assert [(each.name, each.is_gone) for each in gone.components] == [("pypi", False), ("second", True)]
    assert new.needs_approval
    assert gone.needs_approval
    assert "### `second`: New\n" in render_difference_markdown(new, "dev", [])
    assert "`second`: What can be lost or misused\n\n- The repository `" in render_difference_markdown(gone, "dev", [])


@pytest.mark.parametrize("arn", [None, 1, "x", "arn:aws:s3:::bucket"])
def test_a_component_that_registers_no_repository_is_an_error(arn: Any) -> None:
    with pytest.raises(MistakesError, match=r"^second registers no output repository_arn that is a repository's$"):
        preview(component("second", arn))


def test_more_that_somebody_may_do_is_a_gain() -> None:
    before = preview(permissions(policy(Action="codeartifact:DescribeRepository", Resource=REPOSITORY_ARN)))
    after = preview(
        permissions(policy(Action=["codeartifact:DescribeRepository", "codeartifact:Delete*"], Resource="*"))
    )
    (gain,) = [each for each in differ(before, after).components[0].gains if each.right == "other"]

    assert gain.scope == ("codeartifact:Delete* on *", "codeartifact:DescribeRepository on *")
    assert f"- `{ROLE_ARN}`\n  - `codeartifact:Delete* on *`\n" in (
        render_difference_markdown(differ(before, after), "dev", [])
    )


@pytest.mark.untraced
def test_our_own_component_is_understood_whole() -> None:
    """With everything that it can make."""
    config = {
        "aws:region": "us-west-2",
        "private-pypi:domain": "acme",
        "private-pypi:readers": json.dumps(
            [
                "444455556666",
                "arn:aws:iam::111122223333:role/a",
                "o-a1b2c3d4e5",
                {"github": "acme/tools", "ownerId": "1", "repositoryId": "2"},
                {"gitlab": "acme/tools", "host": "gitlab.example.com"},
            ]
        ),
        "private-pypi:publishers": json.dumps(
            [
                {"principal": "arn:aws:iam::444455556666:role/*", "packages": ["acme-*"]},
                {"github": "acme/data", "tag": "v*", "workflow": "publish.yml"},
                {"gitlab": "acme/tools", "branch": "main"},
            ]
        ),
        "private-pypi:listPackages": "true",
        "private-pypi:makeOidcProviders": '["github", "gitlab.com"]',
        "private-pypi:permissionsBoundary": "arn:aws:iam::111122223333:policy/boundary",
        "private-pypi:closedPublishing": "true",
        "private-pypi:publicUpstream": "true",
        "private-pypi:internalPackages": '["acme-*"]',
        "private-pypi:attachIdentityPolicies": "true",
        "private-pypi:tags": '{"team": "data"}',
        "aws:allowedAccountIds": "111122223333",
    }
    elsewhere = {"existingDomain": "true", "domainOwner": "444455556666", "internalPackages": "[]"}
    for more in ({}, {f"private-pypi:{key}": value for key, value in elsewhere.items()}):
        stack = Stack(
            name="dev",
            project="private-pypi",
            config=config | more,
            secret_keys=(),
            main=".",
            has_environments=False,
        )
        assert only(read_preview(record(program_of(ROOT, stack)))).not_understood == ()
