"""What a config gives and what it forbids, as formulas: read it beside "What policies are made" in docs/access.md.

It begins with what a person writes, and shares nothing with the program that makes the policies.
"""

from collections.abc import Mapping
from dataclasses import dataclass
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
CREATE = ["codeartifact:CreateRepository", "codeartifact:TagResource"]
ENDPOINT = "codeartifact:GetRepositoryEndpoint"


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of "What policies are made". An Allow is for who is in it; a Deny is for everybody else."""

    action: list[str]
    resource: list[str]
    who: list[str]
    opened_by: Formula = False
    """Whether the caller has a document ready to attach that opens this door, where being listed is not enough."""


class Meaning:
    """What a config means for a request; `roles` are those made for `githubPublishers`, by workflow."""

    def __init__(self, config: Mapping[str, Any], place: Place, roles: Mapping[str, str], request: Request) -> None:
        self.config, self.place, self.roles, self.request = config, place, roles, request
        self.owner = config.get("domainOwner", place.account)
        self.domain = config["domain"]
        self.repository = f"{self.domain}/{config.get('repository', 'private-pypi')}"
        self.store = [f"{self.repository}-store"] if config.get("publicUpstream") else []
        self.publishers = [_publisher(entry) for entry in config.get("publishers", [])]
        self.publishers += [(roles[_workflow(each)], _packages(each)) for each in config.get("githubPublishers", [])]

    def allows(self) -> list[Row]:
        repository, packages = f"repository/{self.repository}", f"package/{self.repository}/*"
        installers = [*self.config.get("readers", []), *(who for who, _ in self.publishers)]
        to_install = z3.Or(*self.request.has.values())
        to_publish = z3.And(self.request.has["publisher_policy"], z3.Not(self.is_at_home))
        rows = [
            Row(action=TOKEN, resource=[f"domain/{self.domain}"], who=installers, opened_by=to_install),
            Row(action=READ, resource=[repository], who=installers, opened_by=to_install),
            Row(action=DOWNLOAD, resource=[packages], who=installers, opened_by=to_install),
        ]
        rows += [
            Row(
                action=PUBLISH,
                resource=[f"package/{self.repository}/{name}" for name in names],
                who=[who],
                opened_by=to_publish,
            )
            for who, names in self.publishers
        ]
        if self.owner != self.place.account:  # whose domain it is lets the repositories be made in it
            resources = [repository, *(f"repository/{store}" for store in self.store)]
            rows.append(Row(action=CREATE, resource=resources, who=[self.place.account]))
        return rows

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
        return rows

    @cached_property
    def gives(self) -> Formula:
        """Whether the request succeeds."""
        request = self.request
        is_in_domain = z3.And(self.is_on("*"), request.path[1] == self.domain)
        has_document = z3.Or(*request.has.values())
        given = [
            # Outside of the domain, and in the account that it is of, IAM policies of one's own are enough.
            z3.And(request.own, z3.Or(self.is_at_home, z3.Not(is_in_domain))),
            # What no permissions policy can grant, and what `aws codeartifact login` asks.
            z3.And(has_document, request.is_action(BEARER_TOKEN), request.for_service == "codeartifact.amazonaws.com"),
            z3.And(
                has_document, self.is_at_home, request.is_action(ENDPOINT), self.is_on(f"repository/{self.repository}")
            ),
        ]
        for row in self.allows():
            # Who is listed in person gets in, from another account with the leave of that account. An account that is
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

    def attaches(self) -> Mapping[str, str]:
        """Which document ready to attach the program attaches itself, by the name of the role."""
        for_publishers = "reader_policy" if self.owner == self.place.account else "publisher_policy"
        attached = dict.fromkeys(self.roles.values(), for_publishers)
        if self.config.get("attachIdentityPolicies"):
            listed = dict.fromkeys(self.config.get("readers", []), "reader_policy")
            listed |= dict.fromkeys([who for who, _ in self.publishers], for_publishers)
            role = f"arn:{self.place.partition}:iam::{self.place.account}:role/"
            attached |= {who: name for who, name in listed.items() if who.startswith(role) and "*" not in who}
        return {role.rpartition("/")[2]: name for role, name in attached.items()}

    @cached_property
    def is_at_home(self) -> Formula:
        return self.request.account == self.owner

    def is_home_in(self, who: list[str]) -> bool:
        """Whether the domain's account itself is listed."""
        return any(_is_account(each) and _account(each) == self.owner for each in who)

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
            return self.request.account == _account(who)
        *_, account, name = who.split(":", maxsplit=5)
        return z3.And(self.request.account == account, _is_text(self.request.name, name))


def _is_account(who: str) -> bool:
    return who.isdigit() or who.endswith(":root")


def _account(who: str) -> str:
    return who.removesuffix(":root")[-12:]


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
