"""What the last `pulumi up` left, from the stack's own state: what there is to lose, without asking AWS.

Pulumi's own protection does not need it; but that refuses late, when other changes of the same edit are made already,
names no config key, and does not say what is at stake.
"""

import contextlib
import re
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi

from private_pypi.args import PrivatePypiArgs
from private_pypi.arns import Arns
from private_pypi.errors import InvalidValueError, describe
from private_pypi.iam import is_protected, read_policy

_OURS = re.compile(
    r"private-pypi:index:PrivatePypi\$aws:"
    r"(?:codeartifact/\w+:\w+::.*-(domain|repository|repository-permissions)|iam/openIdConnectProvider:\w+::.*-(github))$"
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Recorded:
    """The outputs of a stack's resources; none of a stack that is new."""

    domain: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Those of the domain that the stack made."""
    repository: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Those of the repository."""
    has_github_provider: bool = False
    """Whether the stack made the account's OpenID Connect provider for GitHub."""
    is_protected: bool = False
    """Whether the repository's policy protects its packages, and Pulumi what the stack made."""


def read_recorded() -> Recorded:
    """Read the state of the stack that is being deployed or previewed."""
    name = f"{pulumi.get_organization()}/{pulumi.get_project()}/{pulumi.get_stack()}"
    # Where the state is a file, the engine may be writing it.
    for wait_seconds in (0, 0.1, 0.3):
        time.sleep(wait_seconds)
        with contextlib.suppress(Exception):  # what the SDK raises has no type of its own
            # These are what stack references read, but read at once: an output would come when resources are registered
            # already. A stack that has no outputs has perhaps no state, on which the second call would crash the CLI.
            if not pulumi.runtime.invoke("pulumi:pulumi:readStackOutputs", {"name": name}).value["outputs"]:
                return Recorded()
            call = pulumi.runtime.invoke("pulumi:pulumi:readStackResourceOutputs", {"stackName": name})
            return _recorded(call.value["outputs"])
    return Recorded()


def _recorded(resources: Mapping[str, Any]) -> Recorded:
    """What is recorded of the component's resources, which are found by URN."""
    matches = {urn: match for urn in resources if (match := _OURS.search(urn))}
    found = {match[1] or match[2]: resources[urn]["outputs"] for urn, match in matches.items()}
    domain, repository = found.get("domain", {}), found.get("repository", {})
    document = found.get("repository-permissions", {}).get("policyDocument")
    return Recorded(
        domain=domain,
        repository=repository,
        has_github_provider="github" in found,
        is_protected=bool(repository) and _is_protected(document, Arns.of_repository(repository["arn"])),
    )


def _is_protected(document: str | None, arns: Arns) -> bool:
    return is_protected(read_policy(document, arns), arns)


def refused_changes(args: PrivatePypiArgs, region: str, recorded: Recorded) -> Iterator[tuple[str, InvalidValueError]]:
    """The mistakes of a config that does not fit what is there, each with its key; `aws:region` is the provider's."""
    if recorded.repository and args.existing_domain == bool(recorded.domain):
        expected, fix = (
            "true, because this stack did not make the domain",
            "undo the change, or import the domain first",
        )
        if recorded.domain:
            expected = "false, because this stack made the domain"
            fix = "undo the change: Pulumi would delete the domain, and AWS keeps one that has a repository"
        yield "existingDomain", InvalidValueError(got=describe(args.existing_domain), expected=expected, fix=fix)
    if args.protect or recorded.is_protected:
        for key, value, was in _replacements(args, region, recorded):
            cost = "delete what is there, with every package in it"
            yield key, _loss(value, was, cost, "the packages", recorded)
        if recorded.has_github_provider and not args.make_github_oidc_provider:
            cost = "delete the account's provider, by which workflows assume roles in all of the account"
            yield "makeGithubOidcProvider", _loss(False, True, cost, "it", recorded)  # noqa: FBT003  values of the key


def unprotected_losses(args: PrivatePypiArgs, region: str, recorded: Recorded) -> Iterator[tuple[str, str]]:
    """What a config will cost that protects nothing, of a stack that does not either; each with its key."""
    if not args.protect and not recorded.is_protected:
        for key, value, was in _replacements(args, region, recorded):
            cost = "Pulumi will delete what is there, with every package in it, and make another, which is empty"
            yield key, f"was {describe(was)} and is {describe(value)}: {cost}"


def _replacements(args: PrivatePypiArgs, region: str, recorded: Recorded) -> Iterator[tuple[str, object, object]]:
    """The keys of which a change replaces what is there, each with its value and what is recorded."""
    domain, repository = recorded.domain, recorded.repository
    # Without an owner in the config it is the caller, who is also the one who made the repository. A key that is taken
    # out of the config stays: the provider knows that the domain has it.
    for key, value, was in (
        ("domain", args.domain, repository.get("domain")),
        ("repository", args.repository, repository.get("repository")),
        ("domainOwner", args.domain_owner or repository.get("administratorAccount"), repository.get("domainOwner")),
        ("encryptionKey", args.encryption_key, domain.get("encryptionKey")),
        ("aws:region", region, Arns.of_repository(repository["arn"]).region if repository else None),
    ):
        if None not in (value, was) and value != was:
            yield key, value, was


def _loss(value: object, was: object, cost: str, what: str, recorded: Recorded) -> InvalidValueError:
    fix = f"undo the change; to give {what} up, set private-pypi:protect to false, run `pulumi up`, and then change it"
    if not recorded.is_protected:
        fix = f"undo the change; to give {what} up, keep private-pypi:protect false until the change is deployed"
    expected = f"{describe(was)}, because it is protected: a change would {cost}"
    return InvalidValueError(got=describe(value), expected=expected, fix=fix)
