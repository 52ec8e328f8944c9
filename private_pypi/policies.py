"""The policies, whole: principals and ARNs in, documents out.

Plain functions and not `aws.iam.get_policy_document`, whose result is unknown at preview: here a reviewer sees who
gets what before anything exists. Which resource an action takes is in the service authorization reference:
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscodeartifact.html
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypedDict, TypeVar

from private_pypi import iam
from private_pypi.args import PrivatePypiArgs
from private_pypi.arns import Arns
from private_pypi.errors import Mistakes
from private_pypi.iam import (
    COPY,
    CREATE,
    DESCRIBE,
    DOWNLOAD,
    EVERYTHING,
    LIST,
    LOSE,
    PUBLISH,
    READ,
    TAG,
    TOKEN,
    Statement,
)
from private_pypi.principals import Principal, Publisher
from private_pypi.statements import DomainStatement
from private_pypi.workloads import Role, Workload

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class IdentityPolicy:
    """What a principal needs on its own side."""

    document: str
    packages: tuple[str, ...] = ()
    """What it lets be published: names and `prefix-*`, sorted; `EVERYTHING` alone is all. Without, it is a reader's."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Documents:
    """All policy documents of a private PyPI, minified."""

    domain: str | None
    """The domain's permissions policy; `None` when nobody is let in, and for an existing domain."""
    domain_statements: str | None
    """What the owner of an existing domain adds to its permissions policy, a list; `None` for a new domain."""
    repository: str | None
    """The repository's permissions policy; `None` when there is no rule."""
    store: str | None
    """That of the store of public packages; `None` when there is no rule, and without a store."""
    reader: str
    """The identity policy that readers need, and publishers of the domain's account."""
    publishers: Mapping[str, IdentityPolicy]
    """The identity policies that publishers of other accounts need, by principal."""
    roles: Mapping[str, IdentityPolicy]
    """The identity policies of the roles of the deploying account that are listed by name or made here, by ARN."""


def make_documents(args: PrivatePypiArgs, arns: Arns, account: str, roles: Sequence[Role]) -> Documents:
    """The documents of a private PyPI that is deployed by `account`, 12 digits, and whose workloads have `roles`.

    Raises:
        InvalidArgsError: policies are longer than AWS takes; one mistake for each kind.
    """
    made = {role.workload.name: Principal(role.arn) for role in roles}
    readers = [made[each.name] if isinstance(each, Workload) else each for each in args.readers]
    publishers = [
        Publisher(made[each.name], each.packages) if isinstance(each, Workload) else each for each in args.publishers
    ]
    who: _Who = {"readers": readers, "publishers": publishers, "made": {*made.values()}}
    closed, listing, mistakes = args.closed_publishing, args.list_packages, Mistakes()

    def decided(decide: Callable[[], T], otherwise: T) -> T:
        return mistakes.read("", None, lambda _: decide(), otherwise)

    domain = statements = store = None
    if args.existing_domain:
        repositories = [arns.repository, *([arns.store.repository] if args.public_upstream else [])]
        tagged = [arns.domain, *repositories] if args.tags else []
        statements = decided(lambda: domain_policy_statements(arns, **who, account=account, tagged=tagged), None)
    else:
        domain = decided(lambda: domain_policy(arns, **who, statements=args.domain_statements), None)
    repository = decided(
        lambda: repository_policy(arns, **who, closed_publishing=closed, protect=args.protect, list_packages=listing),
        None,
    )
    if args.public_upstream:  # what is published to the store is installed like what is published here
        store = repository_policy(arns.store, readers=(), publishers=(), closed_publishing=closed, protect=False)
    elsewhere = {each.principal for each in publishers if each.principal.account != arns.owner}
    named = {each for each in everyone(readers, publishers) if each.role_name and each.account == account}
    documents = Documents(
        domain=domain,
        domain_statements=statements,
        repository=repository,
        store=store,
        reader=reader_policy(arns, readers=readers, publishers=publishers, list_packages=listing),
        publishers=decided(lambda: _identity_policies(arns, elsewhere, readers, publishers, list_packages=listing), {}),
        roles=decided(lambda: _identity_policies(arns, named, readers, publishers, list_packages=listing), {}),
    )
    mistakes.finish()
    return documents


def domain_policy(
    arns: Arns,
    *,
    readers: Iterable[Principal],
    publishers: Iterable[Publisher],
    made: Collection[Principal] = (),
    statements: Iterable[DomainStatement] = (),
) -> str | None:
    """The domain permissions policy, minified: who gets authorization tokens, and the `statements` of others.

    `None` when nobody gets a token and there are no statements.

    `sts:GetServiceBearerToken`, which a token needs too, is not in it: a resource policy cannot grant that.

    Those of them that are `made` here are named by a condition. IAM may not know a role yet that it has just made, and
    then a policy that names it as a principal is refused.

    Raises:
        InvalidValueError: it is longer than CodeArtifact takes.
    """
    others = [each.content for each in sorted({*statements}, key=lambda each: each.text)]
    return iam.fitting("domain", [*_allow_tokens(arns, readers, publishers, made), *others])


def domain_policy_statements(  # noqa: PLR0913  who, and what for
    arns: Arns,
    *,
    readers: Iterable[Principal],
    publishers: Iterable[Publisher],
    made: Collection[Principal] = (),
    account: str,
    tagged: Sequence[str] = (),
) -> str:
    """What the owner of a domain adds to its permissions policy, minified: a list of statements, perhaps an empty one.

    Who gets authorization tokens; and, in the domain of another account than `account`, that this may make
    repositories, which names no resource, and tag what is `tagged`. Without Sids, which are to be unique in a policy:
    other stacks may have a repository in the domain too.

    Raises:
        InvalidValueError: they are longer by themselves than CodeArtifact takes.
    """
    statements = [*_allow_tokens(arns, readers, publishers, made)]
    if account != arns.owner:
        principal = {"AWS": [f"arn:{arns.partition}:iam::{account}:root"]}
        statements.append(iam.statement("CreateRepository", CREATE, ["*"], principal=principal))
        if tagged:
            statements.append(iam.statement("TagResource", TAG, tagged, principal=principal))
    for statement in statements:
        del statement["Sid"]
    iam.fitting("domain", statements)
    return json.dumps(statements, separators=(",", ":"))


def repository_policy(  # noqa: PLR0913  who, and which safeguards
    arns: Arns,
    *,
    readers: Iterable[Principal],
    publishers: Iterable[Publisher],
    closed_publishing: bool,
    protect: bool,
    list_packages: bool = False,
    made: Collection[Principal] = (),
) -> str | None:
    """The repository permissions policy, minified: who installs, who publishes what and what nobody may do.

    `None` when there is no rule. With `list_packages` whoever installs may list and describe packages too.

    When it is too long otherwise, statements for the same principals are merged and what is denied is written shorter.

    Raises:
        InvalidValueError: it is longer than CodeArtifact takes even so.
    """
    publishers = set(publishers)
    installing = _named(everyone(readers, publishers), made, arns)
    statements = [
        *_allow("ReadRepository", installing, [*READ, *(LIST if list_packages else [])], [arns.repository]),
        *_allow("DownloadPackages", installing, [*DOWNLOAD, *(DESCRIBE if list_packages else [])], [arns.packages]),
        *_allow_publishing(arns, publishers, made),
    ]
    denying = [
        *([_deny_publishing(arns, publishers)] if closed_publishing else []),
        *([_deny_losing(arns)] if protect else []),
    ]
    # In a repository's policy `*` is the repository and its packages, in fewer characters.
    shorter = [*_merged(statements, arns), *(statement | {"Resource": "*"} for statement in denying)]
    return iam.fitting("repository", [*statements, *denying], shorter)


def policy_of_nothing(arns: Arns, account: str) -> str:
    """A repository permissions policy that gives nobody anything, minified, for where there has to be one.

    It leaves it to the identity policies of `account`, which made the repository, whether they let somebody describe
    it: that is so without it.
    """
    principal = {"AWS": [f"arn:{arns.partition}:iam::{account}:root"]}
    describe = ["codeartifact:DescribeRepository"]
    return iam.document([iam.statement("DescribeRepository", describe, [arns.repository], principal=principal)])


def reader_policy(
    arns: Arns, *, readers: Iterable[Principal], publishers: Iterable[Publisher], list_packages: bool = False
) -> str:
    """The identity policy that readers need, and publishers of the domain's account too, minified.

    It carries what no permissions policy can, and the other half of what they grant to another account. In the
    domain's account it grants nothing that they do not: there an identity policy alone is enough.
    """
    return iam.document(_reading(arns, everyone(readers, publishers), list_packages=list_packages))


def publisher_policy(
    arns: Arns,
    packages: Collection[str],
    *,
    readers: Iterable[Principal],
    publishers: Iterable[Publisher],
    list_packages: bool = False,
) -> str:
    """The identity policy that a publisher of `packages` needs, minified: `reader_policy`, and publishing them.

    Publishing is granted to other accounts than the domain's alone. In that one, and in the one that made the
    repository, an identity policy alone is enough: so it is no wider than what one publisher is listed for.

    Raises:
        InvalidValueError: it is longer than IAM takes.
    """
    resources = [arns.packages] if EVERYTHING in packages else sorted(arns.package(name) for name in packages)
    publishing = iam.grant(PUBLISH, resources, _in_other_accounts(arns))
    reading = _reading(arns, everyone(readers, publishers), list_packages=list_packages)
    return iam.identity_document([*reading, publishing])


def _identity_policies(
    arns: Arns,
    principals: Iterable[Principal],
    readers: Iterable[Principal],
    publishers: Collection[Publisher],
    *,
    list_packages: bool,
) -> dict[str, IdentityPolicy]:
    """The identity policy of each principal: for the packages of its own entries and of the patterns that it matches.

    Not for those of an account that it is in, which leaves that to other identity policies, nor of an organization:
    who is in it is not known here.
    """
    policies: dict[str, IdentityPolicy] = {}
    for principal in sorted(principals, key=lambda principal: principal.name):
        packages = {
            package
            for each in publishers
            if each.principal == principal
            or (each.principal.is_pattern and iam.matches(each.principal.name, principal.name))
            for package in (each.packages or [EVERYTHING])
        }
        if packages and principal.account != arns.owner:
            own = (EVERYTHING,) if EVERYTHING in packages else tuple(sorted(packages))
            document = publisher_policy(arns, own, readers=readers, publishers=publishers, list_packages=list_packages)
            policies[principal.name] = IdentityPolicy(document=document, packages=own)
        else:
            document = reader_policy(arns, readers=readers, publishers=publishers, list_packages=list_packages)
            policies[principal.name] = IdentityPolicy(document=document)
    return policies


def everyone(readers: Iterable[Principal], publishers: Iterable[Publisher]) -> set[Principal]:
    """Who may install: readers and publishers."""
    return {*readers, *(publisher.principal for publisher in publishers)}


class _Who(TypedDict):
    readers: Iterable[Principal]
    publishers: Collection[Publisher]
    made: Collection[Principal]


@dataclass(frozen=True, kw_only=True, slots=True)
class _Names:
    """Principals as statements name them. Each list is sorted, so that the order in the config changes no document."""

    exact: list[str]
    """What `Principal` takes."""
    matched: list[str]
    """Patterns, and roles that are made here."""
    accounts: list[str]
    """The accounts of those, 12 digits."""
    organizations: list[str]


def _named(principals: Iterable[Principal], made: Collection[Principal], arns: Arns) -> _Names:
    principals = {each.in_partition(arns.partition) for each in principals}
    organizations = {each for each in principals if each.is_organization}
    matched = {each for each in principals if each.is_pattern or each in made}
    return _Names(
        exact=sorted(each.name for each in principals - organizations - matched),
        matched=sorted(each.name for each in matched),
        accounts=sorted({str(each.account) for each in matched}),
        organizations=sorted(each.name for each in organizations),
    )


def _allow(sid: str, names: _Names, actions: list[str], resources: Sequence[str]) -> Iterator[Statement]:
    """A statement for each way in which principals are named, as far as there are any."""
    if names.exact:
        yield iam.statement(sid, actions, resources, principal={"AWS": names.exact})
    if names.matched:
        condition = {
            "ArnLike": {"aws:PrincipalArn": names.matched},
            "StringEquals": {"aws:PrincipalAccount": names.accounts},
        }
        yield iam.statement(f"{sid}ByPattern", actions, resources, principal="*", condition=condition)
    if names.organizations:
        condition = {"StringEquals": {"aws:PrincipalOrgID": names.organizations}}
        yield iam.statement(f"{sid}ByOrganization", actions, resources, principal="*", condition=condition)


def _allow_tokens(
    arns: Arns, readers: Iterable[Principal], publishers: Iterable[Publisher], made: Collection[Principal]
) -> Iterator[Statement]:
    return _allow("GetAuthorizationToken", _named(everyone(readers, publishers), made, arns), TOKEN, [arns.domain])


def _allow_publishing(arns: Arns, publishers: Iterable[Publisher], made: Collection[Principal]) -> Iterator[Statement]:
    """For everything, and for each set of single packages, who may publish it."""
    resources: defaultdict[Principal, set[str]] = defaultdict(set)
    for publisher in publishers:
        resources[publisher.principal.in_partition(arns.partition)].update(_publishable(arns, publisher))
    limited: defaultdict[tuple[str, ...], set[Principal]] = defaultdict(set)
    for principal, own in resources.items():
        limited[tuple(sorted(own))].add(principal)
    unlimited = {principal for own in list(limited) if arns.packages in own for principal in limited.pop(own)}

    yield from _allow("PublishPackages", _named(unlimited, made, arns), PUBLISH, [arns.packages])
    for own, principals in sorted(limited.items()):
        # A name of its own for each set of packages: a number would change with the others.
        digest = hashlib.sha256("\n".join(own).encode()).hexdigest()[:8]
        yield from _allow(f"PublishPackages{digest}", _named(principals, made, arns), PUBLISH, own)


def _deny_publishing(arns: Arns, publishers: Iterable[Publisher]) -> Statement:
    """A Deny of publishing and copying for whoever is none of the publishers; all of its conditions hold for them."""
    accounts = {each.principal.account for each in publishers if each.principal.is_account}
    names = _named([each.principal for each in publishers if not each.principal.is_account], (), arns)
    conditions = [
        ("ArnNotLike", "aws:PrincipalArn", sorted([*names.exact, *names.matched])),
        ("StringNotEquals", "aws:PrincipalAccount", sorted(str(account) for account in accounts)),
        ("StringNotEquals", "aws:PrincipalOrgID", names.organizations),
    ]
    condition: defaultdict[str, dict[str, list[str]]] = defaultdict(dict)
    for operator, key, values in conditions:
        if values:
            condition[operator][key] = values
    resources = [arns.packages, arns.repository]
    statement = iam.statement("ClosePublishing", [*PUBLISH, *COPY], resources, principal="*", condition=condition)
    return statement | {"Effect": "Deny"}


def _deny_losing(arns: Arns) -> Statement:
    """A Deny, for everybody, of what loses packages. Deleting the policy itself is none of that: it comes first."""
    return iam.statement("ProtectPackages", LOSE, [arns.packages, arns.repository], principal="*") | {"Effect": "Deny"}


def _reading(arns: Arns, principals: set[Principal], *, list_packages: bool) -> Iterator[Statement]:
    """What an identity policy needs for installing, in few lines: `pulumi up` prints them all.

    Actions stand together, because an action on the wrong kind of resource has no effect.
    """
    bearer_token = {"StringEquals": {"sts:AWSServiceName": "codeartifact.amazonaws.com"}}
    yield iam.grant(["sts:GetServiceBearerToken"], ["*"], bearer_token)
    endpoint, installing = ["codeartifact:GetRepositoryEndpoint"], [*TOKEN, *READ, *DOWNLOAD]
    if list_packages:
        installing += [*LIST, *DESCRIBE]
    resources = [arns.domain, arns.repository, arns.packages]
    # A permissions policy that names the domain's own account leaves it to the identity policies of that account.
    if any(principal.is_account and principal.account == arns.owner for principal in principals):
        yield iam.grant([*endpoint, *installing], resources)
        return
    yield iam.grant(endpoint, [arns.repository])
    if any(principal.account != arns.owner for principal in principals):
        yield iam.grant(installing, resources, _in_other_accounts(arns))


def _in_other_accounts(arns: Arns) -> dict[str, object]:
    return {"StringNotEquals": {"aws:PrincipalAccount": arns.owner}}


def _publishable(arns: Arns, publisher: Publisher) -> list[str]:
    """The ARNs of what a publisher may publish."""
    return [arns.packages] if publisher.packages is None else [arns.package(name) for name in publisher.packages]


def _merged(statements: Iterable[Statement], arns: Arns) -> Iterator[Statement]:
    """Those for the same principals in one, which then name the principals once.

    That means the same, because an action on the wrong kind of resource has no effect. Statements on single packages
    stay apart: together with one on all packages they would grant all.
    """
    together: defaultdict[str, list[Statement]] = defaultdict(list)
    for statement in statements:
        whole = statement["Resource"] in (arns.repository, arns.packages)
        who = json.dumps([statement["Principal"], statement.get("Condition")])
        together[who if whole else json.dumps(statement)].append(statement)
    for group in together.values():
        if len(group) == 1:
            yield group[0]
        else:
            yield group[0] | {
                "Sid": "And".join(statement["Sid"] for statement in group),
                "Action": [action for statement in group for action in statement["Action"]],
                "Resource": [arns.repository, arns.packages],
            }
