"""The policies, whole: principals and ARNs in, documents out.

Plain functions and not `aws.iam.get_policy_document`, whose result is unknown at preview: here a reviewer sees who
gets what before anything exists. Which resource an action takes is in the service authorization reference:
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscodeartifact.html
"""

import hashlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from private_pypi import iam
from private_pypi.args import PrivatePypiArgs
from private_pypi.arns import Arns
from private_pypi.errors import InvalidValueError
from private_pypi.iam import COPY, CREATE, DOWNLOAD, LOSE, PUBLISH, READ, TOKEN, Statement
from private_pypi.principals import Principal, Publisher
from private_pypi.workloads import GithubRole


@dataclass(frozen=True, kw_only=True, slots=True)
class Documents:
    """All policy documents of a private PyPI, minified."""

    domain: str | None
    """The domain's permissions policy; `None` when nobody is let in, and for an existing domain."""
    domain_statement: str | None
    """What the owner of an existing domain adds to its permissions policy; `None` when there is nothing to add."""
    repository: str | None
    """The repository's permissions policy; `None` when there is no rule."""
    store: str | None
    """That of the store of public packages; `None` when there is no rule, and without a store."""
    reader: str
    """The identity policy that readers need, and publishers of the domain's account."""
    publisher: str
    """The identity policy that publishers of other accounts need."""


def make_documents(args: PrivatePypiArgs, arns: Arns, account: str, roles: Iterable[GithubRole]) -> Documents:
    """The documents of a private PyPI in `account`, 12 digits, whose GitHub publishers have `roles`.

    Raises:
        ExceptionGroup: of an `InvalidValueError` for each permissions policy that is longer than CodeArtifact takes.
    """
    readers, publishers = args.readers, [*args.publishers, *(each for role in roles for each in role.publishers)]
    repository_arns = [arns.repository, *([arns.store.repository] if args.public_upstream else [])]
    of_domain = partial(domain_policy, arns, readers=readers, publishers=publishers)
    if args.existing_domain:
        of_domain = partial(
            domain_policy_statement,
            arns,
            readers=readers,
            publishers=publishers,
            account=account,
            repository_arns=repository_arns,
        )
    of_repository = partial(
        repository_policy,
        arns,
        readers=readers,
        publishers=publishers,
        closed_publishing=args.closed_publishing,
        protect=args.protect,
    )
    documents: list[str | None] = []
    mistakes: list[InvalidValueError] = []
    for decide in (of_domain, of_repository):
        try:
            documents.append(decide())
        except InvalidValueError as mistake:
            mistakes.append(mistake)
    if mistakes:
        raise ExceptionGroup("policies are too long", mistakes)
    domain, repository = documents
    store = None
    if args.public_upstream:  # what is published to the store is installed like what is published here
        closed = args.closed_publishing
        store = repository_policy(arns.store, readers=(), publishers=(), closed_publishing=closed, protect=False)
    return Documents(
        domain=None if args.existing_domain else domain,
        domain_statement=domain if args.existing_domain else None,
        repository=repository,
        store=store,
        reader=reader_policy(arns, readers=readers, publishers=publishers),
        publisher=publisher_policy(arns, readers=readers, publishers=publishers),
    )


def domain_policy(arns: Arns, *, readers: Iterable[Principal], publishers: Iterable[Publisher]) -> str | None:
    """The domain permissions policy, minified: who gets authorization tokens. `None` when nobody does.

    `sts:GetServiceBearerToken`, which a token needs too, is not in it: a resource policy cannot grant that.

    Raises:
        InvalidValueError: it is longer than CodeArtifact takes.
    """
    return iam.fitting("domain", _allow_tokens(arns, readers, publishers))


def domain_policy_statement(
    arns: Arns,
    *,
    readers: Iterable[Principal],
    publishers: Iterable[Publisher],
    account: str,
    repository_arns: Sequence[str],
) -> str | None:
    """What the owner of a domain adds to its permissions policy, minified: a statement, or a list of statements.

    Who gets authorization tokens; and, in the domain of another account than `account`, that this may make the
    repositories, with tags or without. `None` when there is nothing to add. Without Sids, which are to be unique in a
    policy: other stacks may have a repository in the domain too.

    Raises:
        InvalidValueError: it is longer by itself than CodeArtifact takes.
    """
    statements = [*_allow_tokens(arns, readers, publishers)]
    if account != arns.owner:
        principal = {"AWS": [f"arn:{arns.partition}:iam::{account}:root"]}
        statements.append(iam.statement("CreateRepository", CREATE, repository_arns, principal=principal))
    for statement in statements:
        del statement["Sid"]
    if not iam.fitting("domain", statements):
        return None
    return json.dumps(statements[0] if len(statements) == 1 else statements, separators=(",", ":"))


def repository_policy(
    arns: Arns,
    *,
    readers: Iterable[Principal],
    publishers: Iterable[Publisher],
    closed_publishing: bool,
    protect: bool,
) -> str | None:
    """The repository permissions policy, minified: who installs, who publishes what and what nobody may do.

    `None` when there is no rule.

    When it is too long otherwise, statements for the same principals are merged and what is denied is written shorter.

    Raises:
        InvalidValueError: it is longer than CodeArtifact takes even so.
    """
    publishers = set(publishers)
    installing = everyone(readers, publishers)
    statements = [
        *_allow(arns, "ReadRepository", installing, READ, [arns.repository]),
        *_allow(arns, "DownloadPackages", installing, DOWNLOAD, [arns.packages]),
        *_allow_publishing(arns, publishers),
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


def reader_policy(arns: Arns, *, readers: Iterable[Principal], publishers: Iterable[Publisher]) -> str:
    """The identity policy that readers need, and publishers of the domain's account too, minified.

    It carries what no permissions policy can, and the other half of what they grant to another account. In the
    domain's account it grants nothing that they do not: there an identity policy alone is enough.
    """
    return iam.document(_reading(arns, everyone(readers, publishers)))


def publisher_policy(arns: Arns, *, readers: Iterable[Principal], publishers: Iterable[Publisher]) -> str:
    """The identity policy that publishers of other accounts need, minified: `reader_policy`, and publishing.

    Publishing is granted to other accounts alone. In the domain's account it would be a right by itself, and the
    packages that a publisher is limited to would be no limit.
    """
    publishers = set(publishers)
    statements = [*_reading(arns, everyone(readers, publishers))]
    visitors = {publisher for publisher in publishers if publisher.principal.account != arns.owner}
    if resources := {resource for publisher in visitors for resource in _publishable(arns, publisher)}:
        needed = [arns.packages] if arns.packages in resources else sorted(resources)
        statements.append(iam.grant(PUBLISH, needed, _in_other_accounts(arns)))
    return iam.document(statements)


def everyone(readers: Iterable[Principal], publishers: Iterable[Publisher]) -> set[Principal]:
    """Who may install: readers and publishers."""
    return {*readers, *(publisher.principal for publisher in publishers)}


def _allow_tokens(arns: Arns, readers: Iterable[Principal], publishers: Iterable[Publisher]) -> Iterator[Statement]:
    return _allow(arns, "GetAuthorizationToken", everyone(readers, publishers), TOKEN, [arns.domain])


def _allow(
    arns: Arns, sid: str, principals: set[Principal], actions: list[str], resources: Sequence[str]
) -> Iterator[Statement]:
    """One statement for what `Principal` takes, one for patterns and one for organizations, as far as there are any."""
    patterns = {principal for principal in principals if principal.is_pattern}
    organizations = {principal for principal in principals if principal.is_organization}
    if exact := principals - patterns - organizations:
        yield iam.statement(sid, actions, resources, principal={"AWS": _names(exact, arns)})
    if patterns:
        condition = {
            "ArnLike": {"aws:PrincipalArn": _names(patterns, arns)},
            "StringEquals": {"aws:PrincipalAccount": _accounts(patterns)},
        }
        yield iam.statement(f"{sid}ByPattern", actions, resources, principal="*", condition=condition)
    if organizations:
        condition = {"StringEquals": {"aws:PrincipalOrgID": _names(organizations, arns)}}
        yield iam.statement(f"{sid}ByOrganization", actions, resources, principal="*", condition=condition)


def _allow_publishing(arns: Arns, publishers: Iterable[Publisher]) -> Iterator[Statement]:
    """For everything, and for each set of single packages, who may publish it."""
    resources: defaultdict[Principal, set[str]] = defaultdict(set)
    for publisher in publishers:
        resources[publisher.principal].update(_publishable(arns, publisher))
    limited: defaultdict[tuple[str, ...], set[Principal]] = defaultdict(set)
    for principal, own in resources.items():
        limited[tuple(sorted(own))].add(principal)
    unlimited = {principal for own in list(limited) if arns.packages in own for principal in limited.pop(own)}

    yield from _allow(arns, "PublishPackages", unlimited, PUBLISH, [arns.packages])
    for own, principals in sorted(limited.items()):
        # A name of its own for each set of packages: a number would change with the others.
        digest = hashlib.sha256("\n".join(own).encode()).hexdigest()[:8]
        yield from _allow(arns, f"PublishPackages{digest}", principals, PUBLISH, own)


def _deny_publishing(arns: Arns, publishers: Iterable[Publisher]) -> Statement:
    """A Deny of publishing and copying for whoever is none of the publishers; all of its conditions hold for them."""
    principals = everyone([], publishers)
    accounts = {principal for principal in principals if principal.is_account}
    organizations = {principal for principal in principals if principal.is_organization}
    conditions = [
        ("ArnNotLike", "aws:PrincipalArn", _names(principals - accounts - organizations, arns)),
        ("StringNotEquals", "aws:PrincipalAccount", _accounts(accounts)),
        ("StringNotEquals", "aws:PrincipalOrgID", _names(organizations, arns)),
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


def _reading(arns: Arns, principals: set[Principal]) -> Iterator[Statement]:
    """What an identity policy needs for installing, in few lines: `pulumi up` prints them all.

    Actions stand together, because an action on the wrong kind of resource has no effect.
    """
    bearer_token = {"StringEquals": {"sts:AWSServiceName": "codeartifact.amazonaws.com"}}
    yield iam.grant(["sts:GetServiceBearerToken"], ["*"], bearer_token)
    endpoint, installing = ["codeartifact:GetRepositoryEndpoint"], [*TOKEN, *READ, *DOWNLOAD]
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


def _names(principals: Iterable[Principal], arns: Arns) -> list[str]:
    """As they stand in a policy; sorted, so that the order in the config never changes a document."""
    return sorted({principal.in_partition(arns.partition).name for principal in principals})


def _accounts(principals: Iterable[Principal]) -> list[str]:
    return sorted({principal.account for principal in principals if principal.account})


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
