"""What a config gives and what it forbids, as formulas: read it beside "What is made" and "Who gets in" in README.md.

It starts from what a person writes, and shares nothing with the program that makes the policies.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import z3
from packaging.utils import canonicalize_name

from proof.request import ANYTHING, BEARER_TOKEN, Place, Request, Token

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


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of "What is made": who may do it; in one of the Denies, everybody but who may."""

    who: list[str]
    does: list[str]
    on: list[str]
    opened_by: z3.BoolRef = z3.BoolVal(False)
    """Whether the caller has a document ready to attach that opens this door, where being listed is not enough."""


class Meaning:
    """What a config means for a request; `roles` has the ARN of the role that is made for each workflow."""

    def __init__(self, config: Mapping[str, Any], place: Place, roles: Mapping[str, str], request: Request) -> None:
        self.config, self.place, self.roles, self.request = config, place, roles, request
        self.owner = config.get("domainOwner", place.account)
        self.domain = config["domain"]
        self.repository = f"{self.domain}/{config.get('repository', 'private-pypi')}"
        self.readers: list[str] = config.get("readers", [])
        self.publishers = [_publisher(each) for each in config.get("publishers", [])]
        self.publishers += [(roles[_workflow(each)], _packages(each)) for each in config.get("githubPublishers", [])]

    def rights(self) -> list[Row]:
        request, repository = self.request, self.repository
        installers = [*self.readers, *(who for who, _ in self.publishers)]
        either = z3.Or([*request.has.values()])
        to_publish = z3.And(request.has["publisher_policy"], request.account != self.owner)
        rights = [
            Row(who=installers, does=TOKEN, on=[f"domain/{self.domain}"], opened_by=either),
            Row(who=installers, does=READ, on=[f"repository/{repository}"], opened_by=either),
            Row(who=installers, does=DOWNLOAD, on=[f"package/{repository}/*"], opened_by=either),
        ]
        for who, packages in self.publishers:
            on = [f"package/{repository}/{package}" for package in packages]
            rights.append(Row(who=[who], does=PUBLISH, on=on, opened_by=to_publish))
        if self.owner != self.place.account:
            stores = [f"repository/{repository}-store"] if self.config.get("publicUpstream") else []
            rights.append(Row(who=[self.place.account], does=CREATE, on=[f"repository/{repository}", *stores]))
        return rights

    def denials(self) -> list[Row]:
        ours = [f"repository/{self.repository}", f"package/{self.repository}/*"]
        store = [f"repository/{self.repository}-store", f"package/{self.repository}-store/*"]
        denials: list[Row] = []
        if self.config.get("protect", True):
            denials.append(Row(who=[], does=LOSE, on=ours))
        if self.config.get("closedPublishing"):
            denials.append(Row(who=[who for who, _ in self.publishers], does=[*PUBLISH, *COPY], on=ours))
            if self.config.get("publicUpstream"):
                denials.append(Row(who=[], does=[*PUBLISH, *COPY], on=store))
        return denials

    @cached_property
    def gives(self) -> z3.BoolRef:
        """Whether the request succeeds."""
        request, own = self.request, self.request.own
        at_home = request.account == self.owner
        in_domain = z3.And(self.is_on("*"), request.path[1] == self.domain)
        has_policy = z3.Or([*request.has.values()])
        given = [
            # An administrator of the domain's account may do whatever their own IAM policies say.
            z3.And(own, z3.Or(at_home, z3.Not(in_domain))),
            # What no permissions policy can grant, and what `aws codeartifact login` asks for.
            z3.And(has_policy, request.is_action(BEARER_TOKEN), request.token_for == "codeartifact.amazonaws.com"),
            z3.And(
                has_policy,
                at_home,
                request.is_action("codeartifact:GetRepositoryEndpoint"),
                self.is_on(f"repository/{self.repository}"),
            ),
        ]
        for right in self.rights():
            listed = z3.Or([self.is_caller(who) for who in right.who if not _is_account(who)])
            of_account = z3.Or([self.is_caller(who) for who in right.who if _is_account(who)])
            asked = z3.Or(own, right.opened_by)
            gets_in = z3.Or(z3.And(listed, z3.Or(at_home, asked)), z3.And(of_account, asked))
            given.append(z3.And(gets_in, self.is_about(right)))
        return z3.And(z3.Or(given), z3.Not(self.forbids))

    @cached_property
    def forbids(self) -> z3.BoolRef:
        """Whether the request fails, whatever else lets the caller do it."""
        return z3.Or(
            [
                z3.And(self.is_about(denial), z3.Not(z3.Or([self.is_caller(who) for who in denial.who])))
                for denial in self.denials()
            ]
        )

    def promises(self) -> list[z3.BoolRef]:
        """Each thing that is given to those who are listed: one can see it happen."""
        return [
            z3.And(self.gives, self.is_about(right), self.request.is_action(action), z3.Or([self.is_caller(who) for who in right.who]))
            for right in self.rights()
            if right.who
            for action in right.does
        ]

    def threats(self) -> list[z3.BoolRef]:
        """Each thing that is forbidden."""
        return [
            z3.And(self.forbids, self.is_about(denial), self.request.is_action(action), self.request.account == self.owner)
            for denial in self.denials()
            for action in denial.does
        ]

    def is_about(self, row: Row) -> z3.BoolRef:
        return z3.And(z3.Or([self.request.is_action(each) for each in row.does]), z3.Or([self.is_on(each) for each in row.on]))

    def is_on(self, resource: str) -> z3.BoolRef:
        """Whether it is about a resource of the domain's account. A `*` by itself is all that is below."""
        *parts, last = resource.split("/", maxsplit=3)
        texts = parts if last == "*" else [*parts, last, "", "", ""]
        place = f"arn:{self.place.partition}:codeartifact:{self.place.region}:{self.owner}"
        return z3.And(self.request.owner == place, *map(_is_text, self.request.path, texts))

    def is_caller(self, who: str) -> z3.BoolRef:
        """Whether the caller is, or is one of, what a person writes as a principal."""
        if who.startswith("o-"):
            return self.request.organization == who
        if _is_account(who):
            return self.request.account == who.removesuffix(":root")[-12:]
        *_, account, name = who.split(":")
        return z3.And(self.request.account == account, _is_text(self.request.name, name))

    def trusted(self, token: Token) -> Mapping[str, z3.BoolRef]:
        """Which tokens each role of a workflow is for: those of the workflow, in the one form that its repository sends."""
        provider = f"arn:{self.place.partition}:iam::{self.place.account}:oidc-provider/token.actions.githubusercontent.com"
        asked = [
            token.provider == provider,
            token.action == "sts:AssumeRoleWithWebIdentity",
            token.audience == "sts.amazonaws.com",
        ]
        return {
            self.roles[_workflow(each)]: z3.And(*asked, _is_text(token.subject, _subject(each)))
            for each in self.config.get("githubPublishers", [])
        }

    def attached(self) -> Mapping[str, str]:
        """Which of the documents ready to attach the program attaches by itself, by the name of the role."""
        to_publish = "reader_policy" if self.owner == self.place.account else "publisher_policy"
        attached = dict.fromkeys(self.roles.values(), to_publish)
        if self.config.get("attachIdentityPolicies"):
            listed = dict.fromkeys(self.readers, "reader_policy")
            listed |= {who: to_publish for who, _ in self.publishers}
            ours = f"arn:{self.place.partition}:iam::{self.place.account}:role/"
            attached |= {who: each for who, each in listed.items() if who.startswith(ours) and "*" not in who}
        return {arn.rpartition("/")[2]: each for arn, each in attached.items()}


def _is_account(who: str) -> bool:
    return who.isdigit() or who.endswith(":root")


def _is_text(variable: z3.SeqRef, text: str) -> z3.BoolRef:
    """Whether it is the text, in which a `*` is any text."""
    first, *others = text.split("*")
    if not others:
        return variable == text
    return z3.InRe(variable, z3.Concat(z3.Re(first), *(part for each in others for part in (ANYTHING, z3.Re(each)))))


def _publisher(entry: Any) -> tuple[str, list[str]]:
    return (entry, ["*"]) if isinstance(entry, str) else (entry["principal"], _packages(entry))


def _packages(entry: Mapping[str, Any]) -> list[str]:
    """Python's packages have no namespace."""
    return [f"pypi//{canonicalize_name(name)}" for name in entry["packages"]] if "packages" in entry else ["*"]


def _workflow(entry: Mapping[str, Any]) -> str:
    (kind,) = entry.keys() & {"branch", "tag", "environment"}
    return f"{entry['repository']} {kind} {entry[kind]}"


def _subject(entry: Mapping[str, Any]) -> str:
    owner, name = entry["repository"].split("/")
    if "ownerId" in entry:
        owner, name = f"{owner}@{entry['ownerId']}", f"{name}@{entry['repositoryId']}"
    if "environment" in entry:
        return f"repo:{owner}/{name}:environment:{entry['environment']}"
    return f"repo:{owner}/{name}:ref:refs/" + (f"tags/{entry['tag']}" if "tag" in entry else f"heads/{entry['branch']}")
