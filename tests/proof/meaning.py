"""What a config gives and what it forbids, as formulas: read it beside "What policies are made" in docs/access.md.

It begins with what a person writes, and shares nothing with the program that makes the policies.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any

import z3
from packaging.utils import canonicalize_name
from proof.request import ANYTHING, BEARER_TOKEN, Formula, Place, Request, Token

TOKEN = ["codeartifact:GetAuthorizationToken"]
READ = ["codeartifact:ReadFromRepository"]
DOWNLOAD = ["codeartifact:GetPackageVersionAsset", "codeartifact:GetPackageVersionReadme"]
PUBLISH = ["codeartifact:PublishPackageVersion"]
COPY = ["codeartifact:CopyPackageVersions"]
LOSE = [
    "codeartifact:DeleteRepository",
    "codeartifact:DeletePackage",
    "codeartifact:DeletePackageVersions",
    "codeartifact:DisposePackageVersions",
]
CREATE = ["codeartifact:CreateRepository"]
TAG = ["codeartifact:TagResource"]
ENDPOINT = "codeartifact:GetRepositoryEndpoint"


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of "What policies are made". An Allow is for who is in it; a Deny is for everybody else."""

    action: list[str]
    resource: list[str]
    who: list[str]
    opened_by: Formula = False
    """Whether the caller has an identity policy of the program's that allows it, where being listed is not enough."""


@dataclass(frozen=True, kw_only=True)
class IdentityPolicy:
    """What an identity policy is for. Each lets its holder install too."""

    who: list[str]
    publish: list[str]
    """The packages, as they stand in ARNs after the repository."""


class Meaning:
    """What a config means for a request; `roles` are those made for `githubPublishers`, by workflow."""

    def __init__(self, config: Mapping[str, Any], place: Place, roles: Mapping[str, str], request: Request) -> None:
        self.config, self.place, self.roles, self.request = config, place, roles, request
        self.owner = config.get("domainOwner", place.account)
        self.domain = config["domain"]
        self.repository = f"{self.domain}/{config.get('repository', 'private-pypi')}"
        self.store = [f"{self.repository}-store"] if config.get("publicUpstream") else []
        self.repositories = [f"repository/{name}" for name in (self.repository, *self.store)]
        self.made = [*self.repositories, *(f"package/{name}/*" for name in (self.repository, *self.store))]
        publishers = [_publisher(entry) for entry in config.get("publishers", [])]
        publishers += [(roles[_workflow(each)], _packages(each)) for each in config.get("githubPublishers", [])]
        self.publishers = [(self._arn(who), names) for who, names in publishers]
        self.installers = [*map(self._arn, config.get("readers", [])), *(who for who, _ in self.publishers)]

    @cached_property
    def identity_policies(self) -> Mapping[str, IdentityPolicy]:
        """The identity policies that the program makes, by what they are called."""
        policies = {"reader_policy": IdentityPolicy(who=self.installers, publish=[])}
        for who, _ in self.publishers:
            if _account_of(who) != self.owner:
                policies[f"publisher_policies[{who}]"] = self._policy_of(who)
        attached = [*self.roles.values()]
        if self.config.get("attachIdentityPolicies"):
            role = f"arn:{self.place.partition}:iam::{self.place.account}:role/"
            attached += [who for who in self.installers if who.startswith(role) and "*" not in who]
        return policies | {f"the policy of {who.rpartition('/')[2]}": self._policy_of(who) for who in attached}

    def _policy_of(self, who: str) -> IdentityPolicy:
        """That of a principal: for its own entries and those of patterns that match it.

        In the domain owner's account nobody who is listed needs a right to publish on their side.
        """
        publish = [name for listed, names in self.publishers if _covers(listed, who) for name in names]
        return IdentityPolicy(who=[who], publish=[] if _account_of(who) == self.owner else publish)

    def _arn(self, who: str) -> str:
        return f"arn:{self.place.partition}:iam::{who}:root" if who.isdigit() else who

    @cached_property
    def is_as_attached(self) -> Formula:
        """Whether each identity policy is with whom it is for, where it is enough by itself.

        That is in the account that made the repository in another account's domain. There a copy that somebody attached
        by hand, and keeps when they are taken off the list, still allows what it says. Everywhere else nobody may do
        more for having one, whoever it is for.
        """
        if self.owner == self.place.account:
            return True
        belongs = [
            z3.Implies(self.request.has[name], self.is_any_of(policy.who))
            for name, policy in self.identity_policies.items()
        ]
        return z3.Implies(self.is_administrators, z3.And(belongs))

    def allows(self) -> list[Row]:
        repository, packages = f"repository/{self.repository}", f"package/{self.repository}/*"
        has = self.request.has
        to_install = z3.Or(*has.values())
        to_publish = z3.Or(
            [
                z3.And(has[name], z3.Or([self.is_on(f"package/{self.repository}/{each}") for each in policy.publish]))
                for name, policy in self.identity_policies.items()
            ]
        )
        rows = [
            Row(action=TOKEN, resource=[f"domain/{self.domain}"], who=self.installers, opened_by=to_install),
            Row(action=READ, resource=[repository], who=self.installers, opened_by=to_install),
            Row(action=DOWNLOAD, resource=[packages], who=self.installers, opened_by=to_install),
        ]
        rows += [
            Row(
                action=PUBLISH,
                resource=[f"package/{self.repository}/{name}" for name in names],
                who=[who],
                opened_by=z3.And(to_publish, z3.Not(self.is_at_home)),
            )
            for who, names in self.publishers
        ]
        if self.owner != self.place.account:  # the owner of the domain lets the repositories be made in it
            domain, who = f"domain/{self.domain}", [self._arn(self.place.account)]
            rows.append(Row(action=CREATE, resource=[domain], who=who))
            if self.config.get("tags"):
                rows.append(Row(action=TAG, resource=[domain, *self.repositories], who=who))
        # Whom others let in from another account may have our identity policies too. These are that account's half of
        # it where somebody of another account is listed, or the domain's own.
        reach = any(_account_of(who) != self.owner or _is_account(who) for who in self.installers)
        opened = z3.Or([z3.And(self.is_about(row), row.opened_by) for row in rows if reach])
        return [*rows, *self._statements("Allow", opened)]

    def denies(self) -> list[Row]:
        rows: list[Row] = []
        ours = [f"repository/{self.repository}", f"package/{self.repository}/*"]
        if self.config.get("protect", True):
            rows.append(Row(action=LOSE, resource=ours, who=[]))
        if self.config.get("closedPublishing"):
            rows.append(Row(action=[*PUBLISH, *COPY], resource=ours, who=[who for who, _ in self.publishers]))
            # What is published to the store is installed like what is published here.
            for store in self.store:
                there = [f"repository/{store}", f"package/{store}/*"]
                rows.append(Row(action=[*PUBLISH, *COPY], resource=there, who=[]))
        return [*rows, *self._statements("Deny", opened_by=False)]

    def _statements(self, effect: str, opened_by: Formula) -> list[Row]:
        """What others need in the domain, for all that is in it: `*` is all of that."""
        prefix = f"arn:{self.place.partition}:codeartifact:{self.place.region}:{self.owner}:"
        rows: list[Row] = []
        for each in self.config.get("domainStatements", []):
            keys = {key: names for operator in each.get("Condition", {}).values() for key, names in operator.items()}
            who = keys.get("aws:PrincipalArn") or keys.get("aws:PrincipalOrgID") or each["Principal"]["AWS"]
            resources = [each["Resource"]] if isinstance(each["Resource"], str) else each["Resource"]
            everything = [f"{kind}/{self.domain}/*" for kind in ("package", "repository")] + [f"domain/{self.domain}"]
            on = [part for name in resources for part in (everything if name == "*" else [name.removeprefix(prefix)])]
            if each["Effect"] == effect:
                rows.append(Row(action=each["Action"], resource=on, who=who, opened_by=opened_by))
        return rows

    @cached_property
    def gives(self) -> Formula:
        """Whether the request succeeds."""
        request = self.request
        is_in_domain = z3.And(self.is_on("*"), request.path[1] == self.domain)
        has_policy = z3.Or(*request.has.values())
        is_administered = z3.And(self.is_administrators, z3.Or([self.is_on(each) for each in self.made]))
        given = [
            # Outside of the domain, in the account that it is of, and for repositories in the account that made them,
            # IAM policies of one's own are enough.
            z3.And(request.own, z3.Or(self.is_at_home, z3.Not(is_in_domain), is_administered)),
            # What no permissions policy can grant, and what `aws codeartifact login` asks.
            z3.And(has_policy, request.is_action(BEARER_TOKEN), request.for_service == "codeartifact.amazonaws.com"),
            z3.And(
                has_policy,
                z3.Or(self.is_at_home, self.is_administrators),
                request.is_action(ENDPOINT),
                self.is_on(f"repository/{self.repository}"),
            ),
        ]
        for row in self.allows():
            # Who is listed in person gets in, from another account if that account lets them too. An account that is
            # listed says itself who in it does.
            is_listed = z3.Or([self.is_caller(who) for who in row.who if not _is_account(who)])
            is_of_account = z3.Or([self.is_caller(who) for who in row.who if _is_account(who)])
            is_let = z3.Or(request.own, row.opened_by)
            gets_in = z3.Or(z3.And(is_listed, z3.Or(self.is_at_home, is_let)), z3.And(is_of_account, is_let))
            given.append(z3.And(self.is_about(row), gets_in))
        return z3.And(z3.Or(given), z3.Not(self.forbids))

    @cached_property
    def forbids(self) -> Formula:
        """Whether the request fails, whatever IAM policies allow it."""
        return z3.Or([z3.And(self.is_about(row), z3.Not(self.is_any_of(row.who))) for row in self.denies()])

    def trusts(self, token: Token) -> Mapping[str, Formula]:
        """Whether the token is for the role of a workflow: for each role the one subject that its repository sends."""
        provider = "oidc-provider/token.actions.githubusercontent.com"
        is_for_us = z3.And(
            token.provider == f"arn:{self.place.partition}:iam::{self.place.account}:{provider}",
            token.action == "sts:AssumeRoleWithWebIdentity",
            token.audience == "sts.amazonaws.com",
        )
        return {
            self.roles[_workflow(entry)]: z3.And(is_for_us, _is_text(token.subject, _subject(entry)))
            for entry in self.config.get("githubPublishers", [])
        }

    @cached_property
    def is_at_home(self) -> Formula:
        return self.request.account == self.owner

    @cached_property
    def is_administrators(self) -> Formula:
        """Whether the caller is of the account that makes the repositories."""
        return self.request.account == self.place.account

    def is_home_in(self, who: list[str]) -> bool:
        """Whether the domain's account itself is listed."""
        return any(_is_account(each) and _account_of(each) == self.owner for each in who)

    def is_about(self, row: Row) -> Formula:
        does = [self.request.is_action(action) for action in row.action]
        return z3.And(z3.Or(does), z3.Or([self.is_on(resource) for resource in row.resource]))

    def is_on(self, resource: str) -> Formula:
        """Whether it is about a resource of the domain's account. A `*` by itself is all that is below."""
        *parts, last = resource.split("/", maxsplit=3)
        texts = parts if last == "*" else [*parts, last, "", "", ""]
        place = f"arn:{self.place.partition}:codeartifact:{self.place.region}:{self.owner}"
        return z3.And(self.request.owner == place, *map(_is_text, self.request.path, texts))

    def is_any_of(self, who: list[str]) -> Formula:
        return z3.Or([self.is_caller(each) for each in who])

    def is_caller(self, who: str) -> Formula:
        """Whether the caller is a principal, or one of many, as a person writes it."""
        if who.startswith("o-"):
            return self.request.organization == who
        if _is_account(who):
            return self.request.account == _account_of(who)
        name = who.split(":", maxsplit=5)[-1]
        return z3.And(self.request.account == _account_of(who), _is_text(self.request.name, name))


def _is_account(who: str) -> bool:
    return who.endswith(":root")


def _account_of(who: str) -> str | None:
    """The account of a principal; an organization has many."""
    return None if who.startswith("o-") else who.split(":", maxsplit=5)[4]


def _covers(listed: str, who: str) -> bool:
    """Whether it is the same principal, or a pattern that matches it."""
    return listed == who or ("*" in listed and fnmatchcase(who, listed.replace("[", "[[]")))


def _is_text(variable: z3.SeqRef, text: str) -> Formula:
    """Whether it is the text, in which a `*` is any text."""
    first, *others = text.split("*")
    if not others:
        return variable == text
    return z3.InRe(variable, z3.Concat(z3.Re(first), *(part for each in others for part in (ANYTHING, z3.Re(each)))))


def _publisher(entry: Any) -> tuple[str, list[str]]:
    return (entry, ["*"]) if isinstance(entry, str) else (entry["principal"], _packages(entry))


def _packages(entry: Mapping[str, Any]) -> list[str]:
    """The names, with the format and the namespace, which Python's packages have none of."""
    return [f"pypi//{canonicalize_name(name)}" for name in entry["packages"]] if "packages" in entry else ["*"]


def _workflow(entry: Mapping[str, Any]) -> str:
    (kind,) = entry.keys() & {"branch", "tag", "environment"}
    return f"{entry['repository']} {kind} {entry[kind]}"


def _subject(entry: Mapping[str, Any]) -> str:
    owner, name = entry["repository"].split("/")
    if "ownerId" in entry:
        owner, name = f"{owner}@{entry['ownerId']}", f"{name}@{entry['repositoryId']}"
    where = {"branch": "ref:refs/heads/", "tag": "ref:refs/tags/", "environment": "environment:"}
    (what,) = [f"{prefix}{entry[kind]}" for kind, prefix in where.items() if kind in entry]
    return f"repo:{owner}/{name}:{what}"
