"""What the stack's own state has of a private PyPI: what there is to lose, without asking AWS.

Pulumi's own protection does not need it. But that refuses late, when other changes of the same edit are made already,
names no key, and lets a resource be replaced in the very run that takes its protection away.
"""

import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import Any

import pulumi

from private_pypi.args import PrivatePypiArgs
from private_pypi.arns import Arns
from private_pypi.errors import InvalidValueError, describe
from private_pypi.iam import is_protected, read_policy
from private_pypi.statements import unsaid
from private_pypi.upstreams import downstream_repositories

COMPONENT_TYPE = "private-pypi:index:PrivatePypi"
PROTECT_OUTPUT = "protect"
"""An output that a component registers for its next run, beside those for users: whether packages are protected."""
DOMAIN_POLICY_OUTPUT = "domain_policy"
"""Another one: the domain's permissions policy, as the component has written it."""

_DOMAIN = "aws:codeartifact/domain:Domain"
_DOMAIN_POLICY = "aws:codeartifact/domainPermissions:DomainPermissions"
_OIDC_PROVIDER = "aws:iam/openIdConnectProvider:OpenIdConnectProvider"
_POLICY = "aws:codeartifact/repositoryPermissionsPolicy:RepositoryPermissionsPolicy"
_REPOSITORY = "aws:codeartifact/repository:Repository"

_Resources = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Deployed:
    """What the state has of one component: the outputs of its resources, empty for what does not exist."""

    domain: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Those of the domain that it made."""
    domain_policy: str | None = None
    """The permissions policy of the domain that it made, if it has one: as AWS had it at the last refresh, if there was
    one since the last `pulumi up`."""
    written_domain_policy: str | None = None
    """The same as the component has written it, if that is known."""
    repository: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Those of the repository."""
    store: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Those of the store."""
    policy: str | None = None
    """The repository's permissions policy, if it has one."""
    oidc_providers: tuple[str, ...] = ()
    """The account's OpenID Connect providers that it made, as the config names them."""
    is_unprotected: bool = False
    """Whether the state says that the last `pulumi up` left this repository without protection. Where it says nothing,
    as of one that was imported or whose first `pulumi up` did not end, this is false."""
    aliased: tuple[str, ...] = ()
    """The names of protected repositories any of which may be the one that an alias of the component stands for."""
    store_users: tuple[str, ...] = ()
    """The names of other repositories that have the store upstream, if that would be deleted."""
    store_users_unknown: str = ""
    """Why that cannot be told, if it cannot."""
    unreadable: str = ""
    """Why the state cannot be read; then the rest says nothing."""


def read_deployed(name: str, args: PrivatePypiArgs, arns: Arns, opts: pulumi.ResourceOptions) -> Deployed:
    """What the state of the stack has of the component `name`, which is about to be made with `opts`."""
    deployed = _read_deployed(name, arns, opts)
    store = deployed.store.get("arn")
    if not store or (args.public_upstream and store == arns.store.repository):
        return deployed
    try:
        users = downstream_repositories(Arns.of_repository(store))
    except RuntimeError as error:
        return replace(deployed, store_users_unknown=str(error))
    return replace(deployed, store_users=tuple(each for each in users if each != deployed.repository.get("repository")))


def _read_deployed(name: str, arns: Arns, opts: pulumi.ResourceOptions) -> Deployed:
    stack = f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
    resources, unreadable = _read_resources(pulumi.runtime.get_root_resource(), stack)
    if unreadable:
        return Deployed(unreadable=unreadable)
    urn = _component_urn(name, opts.parent)
    if _child(urn, _REPOSITORY, "repository") in resources:
        return _deployed(urn, resources)
    # It has another URN now, by an alias for example, or none yet.
    elsewhere = [_deployed(other, resources) for other in _components(resources)]
    for deployed in elsewhere:
        if deployed.repository.get("arn") == arns.repository:
            return deployed
    aliased = [each.repository["repository"] for each in elsewhere if opts.aliases and not each.is_unprotected]
    return replace(_deployed(urn, resources), aliased=tuple(sorted(aliased)))


@lru_cache(maxsize=1)
def _read_resources(_program: pulumi.Resource | None, stack: str) -> tuple[_Resources, str]:
    """The outputs of all resources of the state by URN, and why it cannot be read if it cannot; once a program."""
    problem = ""
    # Where the state is a file, the engine may be writing it.
    for wait_seconds in (0, 0.1, 0.3, 1):
        time.sleep(wait_seconds)
        try:
            # What stack references read, but at once: an output would come when resources are registered already.
            answer = pulumi.runtime.invoke("pulumi:pulumi:readStackResourceOutputs", {"stackName": stack}).value
            if not answer:  # no engine's answer, but that of mocks which know of no state
                return {}, ""
            return {urn: resource["outputs"] for urn, resource in answer["outputs"].items()}, ""
        except Exception as error:  # noqa: BLE001  what the SDK raises has no type of its own
            problem = str(error)
    return {}, problem


def _component_urn(name: str, parent: pulumi.Resource | None) -> str:
    types = COMPONENT_TYPE
    if parent and parent is not pulumi.runtime.get_root_resource():
        # The URN of a resource is an output. This returns it at once.
        call = pulumi.runtime.invoke("pulumi:pulumi:getResource", {"urn": parent.urn})
        types = f"{call.value['urn'].split('::', maxsplit=3)[2]}${types}"
    return f"urn:pulumi:{pulumi.get_stack()}::{pulumi.get_project()}::{types}::{name}"


def _child(component: str, type_token: str, suffix: str) -> str:
    """The URN of a component's child."""
    *start, types, name = component.split("::", maxsplit=3)
    return "::".join([*start, f"{types}${type_token}", f"{name}-{suffix}"])


def _components(resources: _Resources) -> Iterator[str]:
    """The URNs of the components that have a repository."""
    for urn in resources:
        *start, types, name = urn.split("::", maxsplit=3)
        parents, _, own = types.rpartition("$")
        if own == _REPOSITORY and parents.split("$")[-1] == COMPONENT_TYPE and name.endswith("-repository"):
            yield "::".join([*start, parents, name.removesuffix("-repository")])


def _deployed(component: str, resources: _Resources) -> Deployed:
    """What the state has of the component with this URN."""
    policy = resources.get(_child(component, _POLICY, "repository-permissions"))
    domain_policy = resources.get(_child(component, _DOMAIN_POLICY, "domain-permissions"))
    repository = resources.get(_child(component, _REPOSITORY, "repository"), {})
    registered = resources.get(component, {})
    return Deployed(
        domain=resources.get(_child(component, _DOMAIN, "domain"), {}),
        domain_policy=domain_policy["policyDocument"] if domain_policy else None,
        written_domain_policy=registered.get(DOMAIN_POLICY_OUTPUT),
        repository=repository,
        store=resources.get(_child(component, _REPOSITORY, "store"), {}),
        policy=policy["policyDocument"] if policy else None,
        oidc_providers=tuple(_oidc_providers(component, resources)),
        # By the repository's ARN it is known that this is the one that was unprotected, and not one imported since.
        is_unprotected=(
            registered.get(PROTECT_OUTPUT) is False
            and registered.get("repository_arn") == repository.get("arn")
            and not (policy and _denies_losing(policy["policyDocument"], Arns.of_repository(repository["arn"])))
        ),
    )


def _oidc_providers(component: str, resources: _Resources) -> Iterator[str]:
    """The OpenID Connect providers of a component; those of GitLabs by their addresses, which their names end in."""
    hosts = {str(outputs.get("url")).removeprefix("https://") for outputs in resources.values()}
    for provider in sorted({"github", *hosts}):
        if _child(component, _OIDC_PROVIDER, provider) in resources:
            yield provider


def _denies_losing(document: str | None, arns: Arns) -> bool:
    """Whether a permissions policy of the repository protects what is in it."""
    return is_protected(read_policy(document, arns), arns)


def refused_changes(args: PrivatePypiArgs, arns: Arns, deployed: Deployed) -> Iterator[tuple[str, InvalidValueError]]:
    """The mistakes of args that do not fit what is deployed, each with what it is in, as the user wrote that."""
    if deployed.unreadable:
        if not args.protect:
            yield (
                args.name_of("protect"),
                InvalidValueError(
                    got="false",
                    expected="true while the stack's state cannot be read, because it says whether packages are "
                    f"protected: {deployed.unreadable}",
                    fix="see that `pulumi stack export` succeeds, and run this again",
                ),
            )
        return
    if deployed.repository and args.existing_domain == bool(deployed.domain):
        expected, fix = (
            "true, because this stack did not make the domain",
            "undo the change, or import the domain first",
        )
        if deployed.domain:
            expected = "false, because this stack made the domain"
            fix = "undo the change: Pulumi would delete the domain, and AWS keeps one that has a repository"
        mistake = InvalidValueError(got=describe(args.existing_domain), expected=expected, fix=fix)
        yield args.name_of("existing_domain"), mistake
    if deployed.store_users and not args.public_upstream and _is_protected(args, deployed):
        expected = f"true while other repositories take packages from its store: {', '.join(deployed.store_users)}"
        fix = f"take {deployed.store['repository']} out of their upstreams first"
        yield args.name_of("public_upstream"), InvalidValueError(got="false", expected=expected, fix=fix)
    if deployed.aliased and not args.protect:
        names = " or ".join(map(repr, deployed.aliased))
        expected = f"{names}, because an alias of the component may stand for it, and it is protected"
        fix = f"undo the change of the name, or set {args.says('protect', value=True)}, until the alias is deployed"
        yield args.name_of("repository"), InvalidValueError(got=repr(args.repository), expected=expected, fix=fix)
    if _is_protected(args, deployed):
        for where, value, was in _replacements(args, arns, deployed):
            cost = "delete what is there, with every package in it"
            yield where, _loss(args, describe(value), describe(was), cost, "the packages", deployed)
        for provider in sorted({*deployed.oidc_providers} - {*args.make_oidc_providers}):
            cost = "delete the account's provider, by which jobs assume roles in all of the account"
            mistake = _loss(args, f"a list without {provider}", f"{provider} in it", cost, "it", deployed)
            yield args.name_of("make_oidc_providers"), mistake


def warnings(args: PrivatePypiArgs, arns: Arns, deployed: Deployed, domain_policy: str | None) -> Iterator[str]:
    """What is not checked, and what is lost that nothing protects.

    That is what args cost of a repository that is not protected, and what others have put into the domain's policy, of
    which the component is about to write `domain_policy`.
    """
    if deployed.unreadable:
        yield (
            f"The stack's state cannot be read ({deployed.unreadable}). So it is not checked whether a change of a "
            "name, the owner, the key or the region would delete packages. Pulumi refuses that itself, but perhaps "
            "after other changes of the same edit."
        )
        return
    if others := unsaid(deployed.domain_policy, [deployed.written_domain_policy, domain_policy], arns):
        yield (
            f"The policy of the domain {args.domain} has statements that are not from here. `pulumi up` takes them "
            f"away. To keep them, add them to {args.name_of('domain_statements')}:\n" + "\n".join(others)
        )
    store, users, unknown = deployed.store.get("repository"), deployed.store_users, deployed.store_users_unknown
    if unknown:
        yield f"Pulumi will delete {store}. It cannot be told whether other repositories have it upstream: {unknown}"
    if users:
        yield f"Pulumi will delete {store}, from which other repositories take packages: {', '.join(users)}"
    if not _is_protected(args, deployed):
        for where, value, was in _replacements(args, arns, deployed):
            cost = "Pulumi will delete what is there, with every package in it, and make another, which is empty"
            yield f"{where} was {describe(was)} and is {describe(value)}: {cost}"


def _is_protected(args: PrivatePypiArgs, deployed: Deployed) -> bool:
    """Without a repository there is no package to protect."""
    return args.protect or (bool(deployed.repository) and not deployed.is_unprotected)


def _replacements(args: PrivatePypiArgs, arns: Arns, deployed: Deployed) -> Iterator[tuple[str, object, object]]:
    """What replaces what is deployed by its change, each with its value and the deployed one."""
    domain, repository = deployed.domain, deployed.repository
    # Without an owner in the args it is the caller, who is also the one who made the repository. What is taken out of
    # the config stays: the provider knows that the domain has it.
    for where, value, was in (
        (args.name_of("domain"), args.domain, repository.get("domain")),
        (args.name_of("repository"), args.repository, repository.get("repository")),
        (
            args.name_of("domain_owner"),
            args.domain_owner or repository.get("administratorAccount"),
            repository.get("domainOwner"),
        ),
        (args.name_of("encryption_key"), args.encryption_key, domain.get("encryptionKey")),
        ("aws:region", arns.region, Arns.of_repository(repository["arn"]).region if repository else None),
    ):
        if None not in (value, was) and value != was:
            yield where, value, was or None  # a domain may have no key but AWS's own


def _loss(  # noqa: PLR0913, PLR0917  the parts of a message
    args: PrivatePypiArgs, got: str, was: str, cost: str, what: str, deployed: Deployed
) -> InvalidValueError:
    off = args.says("protect", value=False)
    fix = f"undo the change; to give {what} up, set {off}, run `pulumi up`, and then change it"
    if deployed.is_unprotected:
        fix = f"undo the change; to give {what} up, set {off} until the change is deployed"
    expected = f"{was}, because it is protected: a change would {cost}"
    return InvalidValueError(got=got, expected=expected, fix=fix)
