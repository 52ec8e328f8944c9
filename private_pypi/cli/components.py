"""A private PyPI as its component registers it, read for people: who gets in, what is safe, what is not understood.

It reads what is registered and never the config, and it fails closed: what it does not know how to read is a value of
its own, `NotUnderstood`, which is shown and asks for approval where it is new.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast

from private_pypi.arns import Arns
from private_pypi.cli.errors import MistakesError
from private_pypi.cli.program import Resource
from private_pypi.iam import (
    DESCRIBE,
    DOWNLOAD,
    LIST,
    PUBLISH,
    READ,
    TOKEN,
    Access,
    Policy,
    Rule,
    Unclear,
    is_closed,
    is_protected,
    other_denials,
    read_access,
    read_policy,
)
from private_pypi.package_groups import TYPE_NAME, reserved
from private_pypi.workloads import trusted_workload

COMPONENT = "private-pypi:index:PrivatePypi"
ATTACHMENT = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
DOMAIN = "aws:codeartifact/domain:Domain"
DOMAIN_PERMISSIONS = "aws:codeartifact/domainPermissions:DomainPermissions"
IDENTITY_POLICY = "aws:iam/policy:Policy"
OIDC_PROVIDER = "aws:iam/openIdConnectProvider:OpenIdConnectProvider"
PACKAGE_GROUP = "aws:cloudcontrol/resource:Resource"
REPOSITORY = "aws:codeartifact/repository:Repository"
REPOSITORY_PERMISSIONS = "aws:codeartifact/repositoryPermissionsPolicy:RepositoryPermissionsPolicy"
ROLE = "aws:iam/role:Role"
ROLE_POLICY = "aws:iam/rolePolicy:RolePolicy"

_PRINCIPAL = re.compile(r"arn:[^:]+:iam::[0-9]{12}:(root|(role|user)/.+)|o-[a-z0-9]+")
_PLACED = {"domain", "domainOwner", "repository"}
_UNDERSTOOD: Mapping[str, set[str]] = {
    ATTACHMENT: {"role", "policyArn"},
    DOMAIN: {"domain", "encryptionKey", "tags"},
    DOMAIN_PERMISSIONS: {"domain", "domainOwner", "policyDocument"},
    IDENTITY_POLICY: {"name", "policy", "tags"},
    OIDC_PROVIDER: {"clientIdLists", "tags", "url"},
    PACKAGE_GROUP: {"desiredState", "typeName"},
    REPOSITORY: {*_PLACED, "description", "externalConnections", "tags", "upstreams"},
    REPOSITORY_PERMISSIONS: {*_PLACED, "policyDocument"},
    ROLE: {"assumeRolePolicy", "name", "permissionsBoundary", "tags"},
    ROLE_POLICY: {"name", "policy", "role"},
}
"""What a component makes, and the inputs of it that mean something here."""


@dataclass(frozen=True, kw_only=True, slots=True)
class NotUnderstood:
    """A part of a component that can decide who gets in, in a form that is not known here."""

    where: str
    """The resource or the output that it is in."""
    why: str
    """What about it is not understood: `it has NotAction`."""
    text: str
    """What it says: JSON where it is any, and `null` where it is known only after `pulumi up`."""
    secret: str = ""
    """Of what is secret, what is equal where the secrets are."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Denial:
    """What a permissions policy denies beyond the safeguards."""

    where: str
    """The resource that the policy is of."""
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    principals: tuple[str, ...]
    """Whom it denies them; of one that exempts, whom it does not."""
    exempts: bool
    """Whether it is about everybody but `principals`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Safeguards:
    """What protects a repository, as the config names it."""

    protect: bool
    """Nobody may delete the repository or what is in it, whatever their own IAM policies say, nor may Pulumi."""
    closed_publishing: bool
    """Nobody but the publishers may publish, whatever their own IAM policies say."""
    internal_packages: tuple[str, ...]
    """Names and `prefix-*` that never come from public PyPI."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Component:
    """A private PyPI, as it registers itself."""

    urn: str
    name: str
    account: str
    """The account that it is deployed in, 12 digits."""
    arns: Arns
    access: tuple[Access, ...]
    safeguards: Safeguards
    denials: tuple[Denial, ...]
    not_understood: tuple[NotUnderstood, ...]
    outputs: Mapping[str, Any]
    """By name; `None` for what is known only after `pulumi up`."""
    resources: tuple[Resource, ...]
    """What is below it."""
    domain: Policy
    """The domain's permissions policy; of an existing domain what its owner adds."""
    repository: Policy
    """The repository's permissions policy."""

    @property
    def existing_domain(self) -> bool:
        """Whether the domain exists already, and is not made here."""
        return not self.of_type(DOMAIN)

    def of_type(self, type_: str) -> list[Resource]:
        """What there is of a type."""
        return [each for each in self.resources if each.type == type_]

    @property
    def stores(self) -> list[str]:
        """The repositories that are connected to public PyPI."""
        return [
            str(each.inputs.get("repository"))
            for each in self.of_type(REPOSITORY)
            if each.inputs.get("externalConnections")
        ]


def read_components(resources: Sequence[Resource]) -> list[Component]:
    """Every private PyPI of a program, by what it registers.

    Raises:
        MistakesError: there is none, or one registers no repository.
    """
    by_urn = {each.urn: each for each in resources}
    below: dict[str, list[Resource]] = {each.urn: [] for each in resources if each.type == COMPONENT}
    if not below:
        raise MistakesError(
            f"the program has no PrivatePypi, a component of the type {COMPONENT}: there is none to show"
        )
    for each in resources:
        parent = each.parent
        while parent in by_urn and parent not in below:
            parent = by_urn[parent].parent
        if parent in below:
            below[parent].append(each)
    inside = {each.urn for children in below.values() for each in children}
    outside = [each for each in resources if each.urn not in inside]
    return [_read_component(by_urn[urn], children, outside) for urn, children in below.items()]


def _read_component(component: Resource, children: list[Resource], outside: list[Resource]) -> Component:
    outputs = component.outputs
    try:
        arns = Arns.of_repository(outputs["repository_arn"])
    except (AttributeError, KeyError, ValueError):
        raise MistakesError(f"{component.name} registers no output repository_arn that is a repository's") from None
    account = next((each.account for each in children if each.type == REPOSITORY), component.account)
    domain, repository, stores = _policies(children, outputs, arns)
    workloads = {
        f"arn:{arns.partition}:iam::{account}:role/{each.inputs.get('name')}": workload.name
        for each in children
        if each.type == ROLE
        and (workload := trusted_workload(each.inputs.get("assumeRolePolicy"), arns.partition, account))
    }
    rivals = [*_rivals(children, [each for each in outside if each.account == account], arns)]
    is_known = not any(each.type == REPOSITORY_PERMISSIONS for each in rivals)
    closed = is_known and is_closed(repository, arns) and all(is_closed(policy, place) for place, policy in stores)
    denials = [
        *_denials("domain", other_denials(domain, Policy(), arns)),
        *_denials("repository", other_denials(Policy(), repository, arns)),
        *(
            each
            for place, policy in stores
            for each in _denials(place.repository_name, other_denials(Policy(), policy, place))
        ),
    ]
    return Component(
        urn=component.urn,
        name=component.name,
        account=account,
        arns=arns,
        access=tuple(
            replace(each, workload=workloads.get(each.principal))
            for each in read_access(domain, repository, arns)
            if _PRINCIPAL.fullmatch(each.principal)
        ),
        safeguards=Safeguards(
            protect=is_known
            and is_protected(repository, arns)
            and all(each.protect for each in children if _holds_packages(each, arns)),
            closed_publishing=closed,
            internal_packages=tuple(_internal_packages(children)),
        ),
        denials=tuple(denials),
        not_understood=(
            *_not_understood(children, outputs, arns),
            *(
                NotUnderstood(where=each.name, why=_RIVAL, text=_json(each.inputs.get("policyDocument")))
                for each in rivals
            ),
        ),
        outputs=outputs,
        resources=tuple(children),
        domain=domain,
        repository=repository,
    )


def _holds_packages(resource: Resource, arns: Arns) -> bool:
    """Whether a resource is the domain, or the repository that is published to."""
    is_repository = resource.type == REPOSITORY and resource.inputs.get("repository") == arns.repository_name
    return is_repository or resource.type == DOMAIN


def _policies(
    children: Iterable[Resource], outputs: Mapping[str, Any], arns: Arns
) -> tuple[Policy, Policy, list[tuple[Arns, Policy]]]:
    """The domain's permissions policy, that of the repository, and those of other repositories."""
    # Of an existing domain the owner writes the policy; here it is as if that were done.
    domain, repository = Policy(), Policy()
    for text in _statements_for_owner(outputs):
        domain += read_policy(text, arns)
    stores: list[tuple[Arns, Policy]] = []
    for each in children:
        if each.type == REPOSITORY and each.inputs.get("repository") != arns.repository_name:
            place = replace(arns, repository_name=str(each.inputs.get("repository")))
            policies = [
                _read(other, arns)
                for other in children
                if other.type == REPOSITORY_PERMISSIONS and other.inputs.get("repository") == place.repository_name
            ]
            stores.append((place, sum(policies, Policy())))
        elif each.type == DOMAIN_PERMISSIONS:
            domain += _read(each, arns)
        elif each.type == REPOSITORY_PERMISSIONS and each.inputs.get("repository") == arns.repository_name:
            repository += _read(each, arns)
    return domain, repository, stores


_RIVAL = "there is another policy of the same domain or repository, and AWS keeps the one that is written last"


def _rivals(children: Iterable[Resource], outside: Iterable[Resource], arns: Arns) -> Iterator[Resource]:
    """The policies of the domain, or of the repository, that are more than one: of this component, or of none."""
    names = {"domain": arns.domain_name, "repository": arns.repository_name}

    def is_of(resource: Resource, *keys: str) -> bool:  # perhaps: what is not known yet may be any
        return all(resource.inputs.get(key) in {names[key], None} for key in keys)

    for kind, keys in ((DOMAIN_PERMISSIONS, ["domain"]), (REPOSITORY_PERMISSIONS, ["domain", "repository"])):
        own, others = (
            [each for each in resources if each.type == kind and is_of(each, *keys)]
            for resources in (children, outside)
        )
        yield from others or (own if len(own) > 1 else [])


def _statements_for_owner(outputs: Mapping[str, Any]) -> Iterator[str]:
    for name, value in outputs.items():
        if name.startswith("domain_policy_statement"):  # of an earlier revision one without an s
            yield value if isinstance(value, str) else json.dumps(value)


def _read(resource: Resource, arns: Arns, name: str = "policyDocument") -> Policy:
    """A policy document among the inputs of a resource."""
    text = resource.inputs.get(name)
    if not isinstance(text, str):
        return Policy(unclear=(Unclear(statement=json.dumps(text), why="it is known only after `pulumi up`"),))
    return read_policy(text, arns)


def _denials(where: str, rules: Iterable[Rule]) -> Iterator[Denial]:
    for rule in rules:
        yield Denial(
            where=where,
            actions=rule.actions,
            resources=rule.resources,
            principals=tuple(sorted(rule.principals)),
            exempts=rule.exempts,
        )


def _not_understood(children: Iterable[Resource], outputs: Mapping[str, Any], arns: Arns) -> Iterator[NotUnderstood]:
    for text in _statements_for_owner(outputs):
        for each in read_policy(text, arns).unclear:
            yield NotUnderstood(where="domain_policy_statements", why=each.why, text=each.statement)
    for resource in children:
        for why, text in _unusual(resource, arns):
            secret = " ".join(resource.secrets.values())
            yield NotUnderstood(where=resource.name, why=why, text=text, secret=secret)


def _unusual(resource: Resource, arns: Arns) -> Iterator[tuple[str, str]]:
    """What is not understood of a resource, each with what it says."""
    if not resource.custom:
        return
    inputs = resource.inputs
    if resource.type not in _UNDERSTOOD:
        yield f"it is of the type {resource.type}", json.dumps(inputs)
        return
    for name in inputs.keys() - _UNDERSTOOD[resource.type]:
        yield f"it has the input {name}", json.dumps(inputs[name])
    for name in resource.secrets:
        yield f"its input {name} is secret", "[secret]"
    if read := _READERS.get(resource.type):
        yield from read(resource, arns)


def _unclear(policy: Policy) -> Iterator[tuple[str, str]]:
    """The statements that are not understood, and the principals, as which AWS writes the ID of a role that is gone."""
    yield from ((each.why, each.statement) for each in policy.unclear)
    for name in sorted({name for rule in policy.rules for name in rule.principals}):
        if not _PRINCIPAL.fullmatch(name):
            yield "it names a principal in a form that is not known here", json.dumps(name)


def _unusual_domain_policy(resource: Resource, arns: Arns) -> Iterator[tuple[str, str]]:
    yield from _unclear(_read(resource, arns))


def _unusual_repository_policy(resource: Resource, arns: Arns) -> Iterator[tuple[str, str]]:
    policy = _read(resource, arns)
    yield from _unclear(policy)
    is_another = resource.inputs.get("repository") != arns.repository_name
    if is_another and any(each.effect == "Allow" for each in policy.rules):
        yield "it lets somebody into another repository", str(resource.inputs["policyDocument"])


def _unusual_attachment(resource: Resource, _: Arns) -> Iterator[tuple[str, str]]:
    # Whose ARN is known only after `pulumi up` may be one that is looked up.
    arn, sources = resource.inputs.get("policyArn"), resource.sources.get("policyArn", [])
    is_made_here = [source.split("::")[2].endswith(f"{COMPONENT}${IDENTITY_POLICY}") for source in sources] == [True]
    if arn or not is_made_here:
        yield "it attaches a policy that is not made here", json.dumps(arn)


def _unusual_trust(resource: Resource, arns: Arns) -> Iterator[tuple[str, str]]:
    trust_policy = resource.inputs.get("assumeRolePolicy")
    if not trusted_workload(trust_policy, arns.partition, resource.account):
        yield "it trusts others than one CI workload", _json(trust_policy)


def _unusual_group(resource: Resource, _: Arns) -> Iterator[tuple[str, str]]:
    if resource.inputs.get("typeName") != TYPE_NAME or _group(resource) is None:
        yield "it is no package group that keeps a name from public PyPI", _json(resource.inputs.get("desiredState"))


def _unusual_sources(resource: Resource, arns: Arns) -> Iterator[tuple[str, str]]:
    """Where packages come from, except for public PyPI by way of the store."""
    inputs = resource.inputs
    upstreams: object = inputs.get("upstreams") or []
    if upstreams not in ([], [{"repositoryName": arns.store.repository_name}]):
        yield "packages come from repositories that are not made here", json.dumps(upstreams)
    connections = inputs.get("externalConnections")
    if connections and connections != {"externalConnectionName": "public:pypi"}:
        yield "packages come from elsewhere than public PyPI", json.dumps(connections)


def _unusual_grants(resource: Resource, arns: Arns) -> Iterator[tuple[str, str]]:
    """The statements of an identity policy that grant more than the permissions policies grant to the same people."""
    text: Any = resource.inputs.get("policy")
    try:
        for each in cast("list[dict[str, Any]]", json.loads(text)["Statement"]):
            if not _is_usual_grant(each, arns):
                yield "it grants more than reading, or publishing from another account", json.dumps(each)
    except (AttributeError, KeyError, TypeError, ValueError):
        yield "it is no identity policy that is known now", _json(text)


_READERS: Mapping[str, Callable[[Resource, Arns], Iterator[tuple[str, str]]]] = {
    ATTACHMENT: _unusual_attachment,
    DOMAIN_PERMISSIONS: _unusual_domain_policy,
    IDENTITY_POLICY: _unusual_grants,
    PACKAGE_GROUP: _unusual_group,
    REPOSITORY: _unusual_sources,
    REPOSITORY_PERMISSIONS: _unusual_repository_policy,
    ROLE: _unusual_trust,
    ROLE_POLICY: _unusual_grants,
}
"""What says of a resource, by its type, what is not understood of its inputs."""


def _json(value: Any) -> str:
    """A document as it is, and another value as JSON."""
    return value if isinstance(value, str) else json.dumps(value)


_READING = {*TOKEN, *READ, *DOWNLOAD, *LIST, *DESCRIBE}


def _is_usual_grant(statement: Mapping[str, Any], arns: Arns) -> bool:
    if statement.keys() - {"Effect", "Action", "Resource", "Condition"} or statement.get("Effect") != "Allow":
        return False
    actions, resources = (
        {each} if isinstance(each, str) else {*cast("list[str]", each)}
        for each in (statement["Action"], statement["Resource"])
    )
    condition = statement.get("Condition")
    if actions == {"sts:GetServiceBearerToken"}:
        return condition == {"StringEquals": {"sts:AWSServiceName": "codeartifact.amazonaws.com"}}
    ours = {arns.domain, arns.repository, arns.packages}
    if condition is None:
        return resources <= ours and actions <= {"codeartifact:GetRepositoryEndpoint", *_READING}
    return (
        condition == {"StringNotEquals": {"aws:PrincipalAccount": arns.owner}}
        and all(each in ours or each.startswith(arns.package("")) for each in resources)
        and actions <= {*_READING, *PUBLISH}
    )


def _internal_packages(resources: Iterable[Resource]) -> Iterator[str]:
    """The names that package groups keep public PyPI from supplying."""
    for resource in resources:
        if resource.type == PACKAGE_GROUP and (group := _group(resource)):
            yield from reserved(group["Pattern"])


def _group(resource: Resource) -> Mapping[str, Any] | None:
    """The package group that a resource is, if it is one that keeps names from coming from public PyPI."""
    try:
        group = json.loads(resource.inputs["desiredState"])
        modes = group["OriginConfiguration"]["Restrictions"]
        blocks = modes["ExternalUpstream"]["RestrictionMode"] == "BLOCK"
        return group if blocks and isinstance(group["Pattern"], str) else None
    except (KeyError, TypeError, ValueError):
        return None
