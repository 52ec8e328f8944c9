"""What is deployed, as a stack: its config, what Pulumi imports, and what is not as the config says. Pure.

Whatever a policy says is compared with what the config would have written, so that nothing is lost or gained unsaid.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from private_pypi.args import PrivatePypiArgs
from private_pypi.arns import Arns, store_description
from private_pypi.errors import InvalidValueError
from private_pypi.iam import (
    EVERYTHING,
    READ,
    Policy,
    is_closed,
    is_protected,
    read_access,
    read_policy,
    statements_of,
)
from private_pypi.keys import KEYS, NAMESPACE
from private_pypi.names import parse_key_arn, parse_package
from private_pypi.policies import Documents, make_documents, policy_of_nothing
from private_pypi.principals import Principal
from private_pypi.statements import OWN_SIDS, Claim, DomainStatement, claims_of, is_covered

_COMPONENT, _NAME = "private-pypi:index:PrivatePypi", "private-pypi"
_TYPES = {
    "domain": "aws:codeartifact/domain:Domain",
    "domain-permissions": "aws:codeartifact/domainPermissions:DomainPermissions",
    "repository": "aws:codeartifact/repository:Repository",
    "repository-permissions": "aws:codeartifact/repositoryPermissionsPolicy:RepositoryPermissionsPolicy",
    "store": "aws:codeartifact/repository:Repository",
    "store-permissions": "aws:codeartifact/repositoryPermissionsPolicy:RepositoryPermissionsPolicy",
}
PUBLIC_PYPI = "public:pypi"


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundRepository:
    """A repository, as AWS has it."""

    description: str = ""
    administrator: str = ""
    """The account that made it, 12 digits."""
    upstreams: tuple[str, ...] = ()
    """The names of its upstream repositories."""
    connections: tuple[str, ...] = ()
    """Its external connections."""
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    policy: str | None = None
    """Its permissions policy, if it has one."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FoundDomain:
    """A domain, as AWS has it."""

    encryption_key: str = ""
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    policy: str | None = None
    """Its permissions policy, if it has one."""
    repositories: tuple[str, ...] = ()
    """The names of all repositories in it."""
    groups: tuple[str, ...] = ()
    """The patterns of its package groups, without the root group's."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Found:
    """All that is deployed of what a stack would have."""

    account: str
    """The account of the caller, 12 digits, from which the stack will be deployed."""
    arns: Arns
    repository: FoundRepository
    store: FoundRepository | None = None
    """The repository with the name of the store, if there is one."""
    domain: FoundDomain | None = None
    """The domain; `None` if it cannot be read whole."""
    unreadable: str = ""
    """Why that cannot be."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Adoption:
    """A stack for what is deployed."""

    config: Mapping[str, Any]
    """The values of the stack file, by full key."""
    imports: Mapping[str, Any]
    """What `pulumi import --file` reads."""
    remarks: Sequence[tuple[str, Sequence[str]]]
    """What there is to say, each under its title."""


def adopt(found: Found) -> Adoption:
    """The stack that has what is found, as far as a config can say it.

    Raises:
        InvalidArgsError: what the config would have to be is too long for a policy.
    """
    why = _why_existing(found)
    given = _args(found, existing_domain=bool(why))
    args = PrivatePypiArgs(**given).at(found.arns.region, found.account)
    documents = make_documents(args, found.arns, found.account, [])
    domain = found.domain if not args.existing_domain else None
    store = found.store if args.public_upstream else None
    imported = (
        ("domain", found.arns.domain, domain),
        ("domain-permissions", found.arns.domain, domain and domain.policy),
        ("repository", found.arns.repository, found.repository),
        ("repository-permissions", found.arns.repository, found.repository.policy),
        ("store", found.arns.store.repository, store),
        ("store-permissions", found.arns.store.repository, store and store.policy and documents.store),
    )
    remarks = {
        "Why existingDomain": why,
        "What `pulumi up` takes away": [*_lost(args, documents, found)],
        "What `pulumi up` adds": [*_added(args, documents, found)],
        "What else `pulumi up` changes": [*_changed(args, documents, found)],
        "What stays as it is, outside of the stack": [*_left(args, documents, found)],
        "What the domain's owner adds to its policy": [*_for_owner(documents, found)],
    }
    return Adoption(
        config={
            "aws:region": found.arns.region,
            "aws:allowedAccountIds": [found.account],
            **{f"{NAMESPACE}:{key}": given[each.field] for key, each in KEYS.items() if each.field in given},
        },
        imports={
            "resources": [
                {"type": _COMPONENT, "name": _NAME, "component": True},
                *(
                    {"type": _TYPES[kind], "name": f"{_NAME}-{kind}", "parent": _NAME, "id": arn}
                    for kind, arn, there in imported
                    if there
                ),
            ]
        },
        remarks=[(title, lines) for title, lines in remarks.items() if lines],
    )


def _why_existing(found: Found) -> list[str]:
    """Why the domain stays with whoever has it now; nothing if the stack takes it."""
    owner, administrator = found.arns.owner, found.repository.administrator
    if owner != found.account or (administrator and administrator != owner):
        return [f"The domain is of account {owner}, and the repository of account {administrator or found.account}."]
    if found.domain is None:
        return [f"The domain cannot be read whole, so it cannot be told who needs it: {found.unreadable}"]
    ours = {found.arns.repository_name, *([found.arns.store.repository_name] if _has_store(found) else [])}
    if others := sorted({*found.domain.repositories} - ours):
        return [
            f"The domain also has {', '.join(others)}, whose people get their tokens by its policy.",
            "A stack that makes a domain writes all of its policy, so this one leaves the domain to whoever has it.",
            "To have it, take existingDomain out, put the domain and its policy into adopt.json, and domainStatements:",
            json.dumps([each.content for each in _domain_statements(found)], separators=(",", ":")),
        ]
    return []


def _has_store(found: Found) -> bool:
    """Whether public PyPI comes by way of the store, as `publicUpstream` has it."""
    return (
        found.store is not None
        and found.repository.upstreams == (found.arns.store.repository_name,)
        and (found.store.connections, found.store.upstreams) == ((PUBLIC_PYPI,), ())
    )


def _args(found: Found, *, existing_domain: bool) -> dict[str, Any]:
    """The arguments that say what is found, by field, as a config has them; those that are the default are left out."""
    arns, repository = found.arns, found.repository
    policy = read_policy(repository.policy, arns)
    readers, publishers = _listed(policy, arns)
    domain = found.domain if not existing_domain else None
    foreign = existing_domain and (arns.owner != found.account or repository.administrator not in {"", arns.owner})
    statements = [each.content for each in _domain_statements(found)] if domain else []
    key = domain.encryption_key if domain and _is_key(domain.encryption_key, arns) else ""
    every: dict[str, tuple[Any, Any]] = {
        "domain": (arns.domain_name, None),
        "repository": (arns.repository_name, "private-pypi"),
        "description": (repository.description, "Private PyPI repository"),
        "readers": (readers, []),
        "publishers": (publishers, []),
        "list_packages": (_lists_packages(policy, arns), False),
        "closed_publishing": (_closes(found, policy), False),
        "protect": (is_protected(policy, arns), True),
        "existing_domain": (existing_domain, False),
        "domain_owner": (arns.owner if foreign else None, None),
        "domain_statements": (statements, []),
        "encryption_key": (key or None, None),
        "public_upstream": (_has_store(found), False),
        "tags": (_tags(found, domain), {}),
    }
    return {name: value for name, (value, default) in every.items() if value != default}


def _listed(policy: Policy, arns: Arns) -> tuple[list[str], list[Any]]:
    """Readers and publishers, as a config has them: whom the repository's policy lets read, and publish."""
    publishing: dict[str, Any] = {}
    for each in read_access(Policy(), policy, arns):
        packages = [name for name in each.publish if name == EVERYTHING or _is_package(name)]
        if packages and _is_principal(each.principal, arns.partition):
            name = _written(each.principal)
            publishing[each.principal] = (
                name if EVERYTHING in packages else {"principal": name, "packages": sorted(packages)}
            )
    readers = sorted(
        _written(who) for who in _reading(policy, arns) - publishing.keys() if _is_principal(who, arns.partition)
    )
    return readers, [publishing[who] for who in sorted(publishing)]


def _lists_packages(policy: Policy, arns: Arns) -> bool:
    """Whether the repository's policy lets all whom it lets read list packages, too."""
    reading = _reading(policy, arns)
    access = [each for each in read_access(Policy(), policy, arns) if each.principal in reading]
    return bool(access) and all(each.list_packages for each in access)


def _reading(policy: Policy, arns: Arns) -> set[str]:
    """Whom the repository's policy lets read."""
    allowing = [rule for rule in policy.rules if rule.effect == "Allow" and not rule.exempts]
    return {who for rule in allowing if rule.is_about(READ[0], arns.repository) for who in rule.principals}


def _written(principal: str) -> str:
    """A principal as a person writes it: an account by its number."""
    who = Principal.as_written(principal)
    return str(who.account) if who.is_account else principal


def _is_principal(name: str, partition: str) -> bool:
    try:
        Principal.parse(name, partition=partition)
    except InvalidValueError:
        return False
    return True


def _is_package(name: str) -> bool:
    try:
        return parse_package(name) == name
    except InvalidValueError:
        return False


def _is_key(arn: str, arns: Arns) -> bool:
    try:
        parse_key_arn(arn, partition=arns.partition, region=arns.region)
    except InvalidValueError:
        return False
    return True


def _closes(found: Found, policy: Policy) -> bool:
    """Whether publishing is closed, to the store too."""
    if not is_closed(policy, found.arns):
        return False
    if not _has_store(found) or found.store is None:
        return True
    store = found.arns.store
    return is_closed(read_policy(found.store.policy, store), store)


def _tags(found: Found, domain: FoundDomain | None) -> dict[str, str]:
    """The tags that all resources have; `aws:` ones are AWS's own."""
    every = [found.repository.tags, *([domain.tags] if domain else [])]
    if _has_store(found) and found.store:
        every.append(found.store.tags)
    return {
        key: value
        for key, value in sorted(every[0].items())
        if not key.startswith("aws:") and all(tags.get(key) == value for tags in every)
    }


def _domain_statements(found: Found) -> list[DomainStatement]:
    """What others have in the domain's policy, as far as a config can say it."""
    if found.domain is None or found.domain.policy is None:
        return []
    own = _own_tokens(found)
    statements: list[DomainStatement] = []
    sids = {*OWN_SIDS}
    for each in statements_of(found.domain.policy):
        for statement in _expressible(_without_ours(each, own, found.arns), found.arns):
            has_own_sid = statement.sid is None or statement.sid not in sids
            statements.append(statement if has_own_sid else DomainStatement(statement.meaning))
            sids |= {statement.sid} - {None}
    return statements


def _expressible(statement: Any, arns: Arns) -> Iterator[DomainStatement]:
    """A statement, or what of it a config can say: those of its actions that it can, on those of its resources."""
    if (whole := _parsed(statement, arns)) is not None:
        yield whole
    elif isinstance(statement, dict):
        content = {key: value for key, value in cast("dict[str, Any]", statement).items() if key != "Sid"}
        by_resources: dict[tuple[Any, ...], list[Any]] = {}
        for action in _listed_in(content.get("Action")):
            taken = tuple(
                resource
                for resource in _listed_in(content.get("Resource"))
                if _parsed(content | {"Action": action, "Resource": resource}, arns)
            )
            by_resources.setdefault(taken, []).append(action)
        for resources, actions in by_resources.items():
            if resources:
                yield DomainStatement(content | {"Action": actions, "Resource": [*resources]})


def _listed_in(element: Any) -> list[Any]:
    return cast("list[Any]", element) if isinstance(element, list) else [element]


def _own_tokens(found: Found) -> set[Claim]:
    """What the program itself writes into the domain's policy for whom the repository's policy lets in."""
    readers, publishers = _listed(read_policy(found.repository.policy, found.arns), found.arns)
    args = PrivatePypiArgs(domain=found.arns.domain_name, readers=readers, publishers=publishers)
    args = args.at(found.arns.region, found.account)
    document = make_documents(args, found.arns, found.arns.owner, []).domain
    return claims_of(read_policy(document, found.arns), found.arns, of_domain=True)


def _without_ours(statement: Any, own: Collection[Claim], arns: Arns) -> Any:
    """A statement without principals for whom the program says all of it, and without those that were deleted.

    `None` if nobody is left.
    """
    policy = read_policy(json.dumps(statement), arns)
    if policy.unclear or any(rule.exempts for rule in policy.rules):
        return statement
    left = {str(who) for _, who, _, _ in claims_of(policy, arns, of_domain=True) - {*own}}
    if statement["Principal"] != "*" and statement["Principal"]["AWS"] not in ("*", ["*"]):
        left = {who for who in left if _is_principal(who, arns.partition)}
        statement = statement | {"Principal": {"AWS": sorted(left)}}
    return statement if left else None


def _parsed(statement: Any, arns: Arns) -> DomainStatement | None:
    where = {"domain": arns.domain_name, "partition": arns.partition, "region": arns.region, "owner": arns.owner}
    try:
        return DomainStatement.parse(statement, **where)
    except InvalidValueError:
        return None


def _policies(
    args: PrivatePypiArgs, documents: Documents, found: Found
) -> Iterator[tuple[str, str | None, str | None]]:
    """The policies that the stack writes: what each is called, the one that is deployed, and the stack's."""
    if found.domain and not args.existing_domain:
        yield "domain", found.domain.policy, documents.domain
    # Of what may have been protected Pulumi deletes no policy, so it writes one that gives nobody anything.
    nothing = policy_of_nothing(found.arns, found.account)
    yield "repository", found.repository.policy, documents.repository or nothing
    if args.public_upstream and found.store and documents.store:
        yield "store", found.store.policy, documents.store


def _place(kind: str, arns: Arns) -> Arns:
    return arns.store if kind == "store" else arns


def _lost(args: PrivatePypiArgs, documents: Documents, found: Found) -> Iterator[str]:
    """What the deployed policies say and the stack's do not, by statement."""
    stated = [each.meaning for each in args.domain_statements]
    for kind, deployed, document in _policies(args, documents, found):
        arns, of_domain = _place(kind, found.arns), kind == "domain"
        kept = claims_of(read_policy(document, arns), arns, of_domain=of_domain)
        for statement in statements_of(deployed) if deployed else []:
            policy = read_policy(json.dumps(statement), arns)
            lost = {each for each in claims_of(policy, arns, of_domain=of_domain) if not is_covered(each, kept)}
            taken = _parsed(statement, arns) if of_domain else None
            if lost or (policy.unclear and not (taken and taken.meaning in stated)):
                yield f"of the {kind}'s policy: {json.dumps(statement, separators=(',', ':'))}"
                yield from (f"  {line}" for line in _said(lost, "no longer"))
                yield from (f"  what it lets people do or denies them, because {each.why}" for each in policy.unclear)


def _added(args: PrivatePypiArgs, documents: Documents, found: Found) -> Iterator[str]:
    """What the stack's policies say and the deployed ones do not."""
    for kind, deployed, document in _policies(args, documents, found):
        arns, of_domain = _place(kind, found.arns), kind == "domain"
        there = claims_of(read_policy(deployed, arns), arns, of_domain=of_domain)
        new = claims_of(read_policy(document, arns), arns, of_domain=of_domain)
        if added := {each for each in new if not is_covered(each, there)}:
            yield f"to the {kind}'s policy:"
            yield from (f"  {line}" for line in _said(added, "now"))


def _said(claims: Iterable[Claim], when: str) -> Iterator[str]:
    """Claims in a line for each of whom they are about, and for each effect."""
    by_who: dict[tuple[str, str], set[str]] = {}
    for effect, who, action, arn in claims:
        name = who if isinstance(who, str) else _everybody_but(cast("frozenset[str]", who))
        verb = "may" if effect == "Allow" else "is denied"
        by_who.setdefault((name, verb), set()).add(f"{action.rpartition(':')[2]} on {arn.rpartition(':')[2]}")
    for (name, verb), actions in sorted(by_who.items()):
        yield f"{name} {verb} {when}: {', '.join(sorted(actions))}"


def _everybody_but(exempt: Collection[str]) -> str:
    return f"everybody but {', '.join(sorted(exempt))}" if exempt else "everybody"


def _changed(args: PrivatePypiArgs, documents: Documents, found: Found) -> Iterator[str]:
    """What else is not as the stack would have it."""
    repository, store = found.repository, found.store
    if repository.upstreams and not args.public_upstream:
        names = ", ".join(repository.upstreams)
        yield f"The repository loses its upstreams, and what comes from them: {names}"
    if repository.connections:
        names = ", ".join(repository.connections)
        yield (
            f"The repository loses its connection to {names}, and what comes from there. After that `pulumi up`, set "
            "publicUpstream for public PyPI: a repository cannot have both."
        )
    tagged = {
        **({} if args.existing_domain or not found.domain else {"domain": found.domain.tags}),
        "repository": repository.tags,
        **({"store": store.tags} if args.public_upstream and store else {}),
    }
    for kind, tags in tagged.items():
        lost = [key for key in sorted(tags) if not key.startswith("aws:") and key not in args.tags]
        if lost:
            yield f"The {kind} loses the tags that not all have: {', '.join(lost)}"
    if args.public_upstream and store and store.description != store_description(args.repository):
        yield "The store gets another description."
    for kind, deployed, document in _policies(args, documents, found):
        if deployed and document and _sorted(deployed) != _sorted(document):
            yield f"The {kind}'s policy is written in another form; what that changes for people is all said here."


def _sorted(document: str) -> list[str]:
    """The statements of a policy, in an order of their own."""
    return sorted(json.dumps(each, sort_keys=True) for each in statements_of(document))


def _left(args: PrivatePypiArgs, documents: Documents, found: Found) -> Iterator[str]:
    if found.domain and found.domain.groups:
        yield (
            f"Package groups, which Pulumi cannot import: {', '.join(found.domain.groups)}. To have their names in "
            "internalPackages, delete these groups first."
        )
    if found.store and not args.public_upstream:
        yield f"{found.arns.store.repository_name}, a repository that publicUpstream would make"
    if found.store and args.public_upstream and found.store.policy and not documents.store:
        yield f"The policy of the store: {found.store.policy}"


def _for_owner(documents: Documents, found: Found) -> Iterator[str]:
    """The statements that the owner of an existing domain has not in its policy yet."""
    deployed = found.domain.policy if found.domain else None
    there = claims_of(read_policy(deployed, found.arns), found.arns, of_domain=True)
    for each in statements_of(documents.domain_statements) if documents.domain_statements else []:
        wanted = claims_of(read_policy(json.dumps(each), found.arns), found.arns, of_domain=True)
        if not all(is_covered(claim, there) for claim in wanted):
            yield json.dumps(each, separators=(",", ":"))
