"""Why AWS refuses: from what it said to the cause, the fix, and whose it is to do. Pure.

Where AWS names the kind of policy that refused, that is the cause. Where it names none, all that it can be is listed:
nothing is guessed. Its words: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from private_pypi.cli.context import Situation
from private_pypi.cli.deployed import Deployed, is_lacking
from private_pypi.cli.errors import CommandError
from private_pypi.iam import DOWNLOAD, PUBLISH, READ, TOKEN, is_closed

Step = Literal["who you are", "token", "endpoint", "index", "package", "needs", "publish"]

MAX_SAID_CHARACTERS = 600

_TAKES: dict[Step, str] = {
    "token": TOKEN[0],
    "index": READ[0],
    "package": DOWNLOAD[0],
    "needs": READ[0],
    "publish": PUBLISH[0],
}
"""What a step takes, for where AWS does not say it."""
_BEARER = "sts:GetServiceBearerToken"
_GRANTABLE = {*TOKEN, *READ, *DOWNLOAD, *PUBLISH}
"""What the permissions policies grant; all else is for identity policies."""

_IDENTITY, _PERMISSIONS = "identity-based policy", "resource-based policy"
_ORGANIZATION = "whoever manages the policies of the organization"
_ELSEWHERE = {
    _IDENTITY: ("an identity policy of {name}", "{administrator}"),
    "permissions boundary": ("the permissions boundary of {name}", "{administrator}"),
    "session policy": ("the policy that the session was made with", "whoever makes the session"),
    "service control policy": ("a service control policy (SCP)", _ORGANIZATION),
    "resource control policy": ("a resource control policy (RCP)", _ORGANIZATION),
    "vpc endpoint policy": ("the policy of the VPC endpoint that the call went through", "whoever manages the VPC"),
}
"""Where a Deny can stand, or an Allow be missing, except for the permissions policies, and whose that is."""

NO_VERSION = "no version"
"""The code of a dependency that is there, in no version that will do."""

_EXPIRED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
_NO_ANSWER = re.compile("Connect|Timeout|HTTPClient|SSLError")
_NETWORK = "look at the network, at the proxy (HTTPS_PROXY) and at AWS_ENDPOINT_URL"


class RefusedError(CommandError):
    """AWS refused, or did not answer. What it said is on one line, without a token."""

    def __init__(self, code: str, text: str) -> None:
        """Read what AWS said, of which a text beside the code may be missing."""
        line = " ".join("".join(character if character.isprintable() else " " for character in text).split())
        super().__init__(f"{code}: {line[:MAX_SAID_CHARACTERS]}" if line else code)
        self.code = code
        self.action = _found(r"not authorized to perform: ([\w-]+:\w+)", line)
        self.lacking = _found(r"because no (.+?) allows the ", line).lower()
        self.denying = _found(r"with an explicit deny in an? (.+?(?:policy|boundary))\b", line).lower()
        self.policy_arn = _found(r"with an explicit deny in .+?: (arn:\S*\w)", line)

    @property
    def is_denial(self) -> bool:
        """Whether it is for want of a right."""
        return bool(self.action) or self.code.startswith("AccessDenied") or self.code == "HTTP 403"


def _found(pattern: str, line: str) -> str:
    match = re.search(pattern, line)
    return match[1] if match else ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Cause:
    """What is wrong, and the fixes, each with who can do it."""

    what: str
    to_look_at: str = ""
    """The same where AWS does not say that it is so."""
    known: str = ""
    """What the config says of it."""
    fixes: Sequence[tuple[str, str]]


def explain_credentials(refused: RefusedError, profile: str | None) -> list[str]:
    """What AWS said to somebody whom it does not know, and why; `profile` is the one of the config."""
    return _told(refused, [find_credentials_cause(refused, profile)])


def find_credentials_cause(refused: RefusedError, profile: str | None) -> Cause:
    """Why AWS does not know somebody; `profile` is the one of the config, which is not used."""
    if _NO_ANSWER.search(refused.code):
        cause, fix = "no answer came", _NETWORK
    elif refused.code in _EXPIRED:
        cause, fix = "your credentials have expired", "fetch new ones: `aws sso login`, or assume the role again"
    elif refused.code == "NoCredentialsError":
        cause, fix = "there are no credentials in the environment", "set AWS_PROFILE, or sign in; give a job a role"
    else:
        cause, fix = "AWS does not accept your credentials", "fetch new ones; unset variables AWS_... of others"
    fixes = [(fix, "you")]
    if profile:
        fixes.append((f"use the profile that Pulumi uses: AWS_PROFILE={profile}", "you"))
    return Cause(what=cause, fixes=fixes)


def explain(step: Step, refused: RefusedError, package: str, at: Situation, deployed: Deployed) -> list[str]:
    """What AWS said at a step that was about a package, then the cause, or all that it can be, with the fixes."""
    return _told(refused, find_causes(step, refused, package, at, deployed))


def find_causes(step: Step, refused: RefusedError, package: str, at: Situation, deployed: Deployed) -> list[Cause]:
    """Why AWS refuses a step that was about a package: the cause, or all that it can be."""
    if not refused.is_denial:
        return [_failure(step, refused, package, at)]
    return [*_denials(refused, refused.action or _TAKES[step], package, at, deployed)]


def _told(refused: RefusedError, causes: Sequence[Cause]) -> list[str]:
    lines = [f"AWS says  {refused}"]
    if len(causes) > 1:
        lines.append("It does not say which policy refuses. Look at these, in this order.")
    for cause in causes:
        what = f"cause     {cause.what}" if len(causes) == 1 else f"look at   {cause.to_look_at}"
        lines.append(what + cause.known)
        for number, (fix, who) in enumerate(cause.fixes):
            lines += [f"{'or ' if number else 'fix'}       {fix}", f"who       {who}"]
    return lines


def _failure(step: Step, refused: RefusedError, package: str, at: Situation) -> Cause:
    """What it is if it is no denial."""
    arns = at.expected.arns
    if refused.code == "ResourceNotFoundException":
        what = f"domain {arns.domain_name} of account {arns.owner} in region {arns.region}"
        if step != "token":
            what = f"repository {arns.repository_name} in {what}"
        account = at.account_source or "aws:allowedAccountIds"
        correct = f"correct the names, domainOwner, aws:region and {account} in {at.config}"
        deploy = f"`pulumi up --stack {at.stack}`, if it is not deployed yet"
        return Cause(what=f"there is no {what}", fixes=[(correct, at.deployer), (deploy, at.deployer)])
    if _NO_ANSWER.search(refused.code):
        return Cause(what="no answer came", fixes=[(_NETWORK, "you")])
    if refused.code == "HTTP 401":
        what = "the token did not arrive, though you have one: a proxy may take the header Authorization out"
        return Cause(what=what, fixes=[(_NETWORK, "you")])
    if refused.code == "HTTP 404" and step in {"package", "needs"}:
        return _missing(package, at, is_needed=step == "needs")
    if refused.code == NO_VERSION:
        what = f"a dependency, {package}, is here, but in no version that will do"
        return Cause(what=what, fixes=[("publish one that will do, or ask for another", "its publishers")])
    return Cause(what="no right is missing; it is what AWS says", fixes=[("try again in a while", "you")])


def _missing(package: str, at: Situation, *, is_needed: bool) -> Cause:
    """Why a package is not there, or one that another one needs: by what the config says of public PyPI."""
    up, publish = f"then `pulumi up --stack {at.stack}`", ("correct the name, or publish it", "its publishers")
    what = f"there is no package {package} here; the token is new, and lets you read"
    if is_needed:
        what = f"a dependency is not here: {package}"
    if entry := at.kept_out_by(package):
        known = f". {entry} in private-pypi:internalPackages keeps it from coming from public PyPI"
        take_out = f"take {entry} out of private-pypi:internalPackages in {at.config}, {up}: if it is not your own"
        return Cause(what=what, known=known, fixes=[("publish it", "its publishers"), (take_out, at.deployer)])
    if at.expected.public_upstream:
        known = ". Nor does it come from public PyPI, by private-pypi:publicUpstream"
        if at.expected.existing_domain:
            known += ": there is none, or another stack of the domain keeps it out"
        return Cause(what=what, known=known, fixes=[publish])
    switch = "list your own names in private-pypi:internalPackages and set private-pypi:publicUpstream to true"
    return Cause(
        what=what,
        known=". private-pypi:publicUpstream is off, so nothing comes from public PyPI",
        fixes=[publish, (f"{switch} in {at.config}, {up}: if it is a package of public PyPI", at.deployer)],
    )


def _denials(refused: RefusedError, action: str, package: str, at: Situation, deployed: Deployed) -> Iterator[Cause]:
    """The policy that refuses, if AWS names it, else all that can."""
    identity, permissions = _identity_policy(action, package, at), _permissions_policy(action, package, at, deployed)
    needs_identity = action not in _GRANTABLE or not at.is_at_home or at.is_left_to_identity(action, package)
    if at.caller.name == "the root user":
        yield Cause(what="root users get no tokens", fixes=[("take the credentials of a role or a user", "you")])
    elif refused.denying == _PERMISSIONS:
        yield _permissions_deny(action, package, at)
    elif refused.lacking == _PERMISSIONS:
        yield permissions
    elif refused.lacking == _IDENTITY:
        yield identity if needs_identity else permissions
    elif found := _ELSEWHERE.get(refused.denying):
        yield _elsewhere(found, f"has a Deny of {action}", "take the Deny out", refused, at)
    elif found := _ELSEWHERE.get(refused.lacking):
        yield _elsewhere(found, f"does not allow {action}", "allow it there", refused, at)
    else:
        if needs_identity:
            yield identity
        if action in _GRANTABLE:
            yield permissions
        what = f"a Deny of {action}, or a permissions boundary or a policy of the organization without it"
        yield Cause(what=what, to_look_at=what, fixes=[("take the Deny out, or allow it there", at.administrator)])


def _elsewhere(found: tuple[str, str], what: str, fix: str, refused: RefusedError, at: Situation) -> Cause:
    policy, who = (text.format(name=at.caller.name, administrator=at.administrator) for text in found)
    arn = f", {refused.policy_arn}," if refused.policy_arn else ""
    return Cause(what=f"{policy}{arn} {what}", fixes=[(fix, who)])


def _identity_policy(action: str, package: str, at: Situation) -> Cause:
    """The caller's own side."""
    name = at.caller.name
    attach = f"attach the output reader_policy to {name}: `pulumi stack output reader_policy --stack {at.stack}`"
    if action in PUBLISH:
        of = f"what the output publisher_policies has for {at.let_by(action, package) or 'it'}"
        attach = f"attach {of} to {name}: `pulumi stack output publisher_policies --json --stack {at.stack}`"
    known, who = ". Another account than the domain's has to allow it too", at.administrator
    if action == _BEARER:
        known = ". No permissions policy can"
    elif action not in _GRANTABLE:
        known, attach = "", f"attach one to {name} that allows it"
    elif at.is_at_home:
        known = f". The config leaves it to the identity policies of account {at.caller.account}"
        if action in PUBLISH:
            attach = f"attach one to {name} that allows {action} on {at.expected.arns.packages}"
    elif not at.let_by(action, package):
        attach = f"{_line_of_config(action, package, at)}, `pulumi up --stack {at.stack}`, and then {attach}"
        who = f"{at.deployer}, and then {at.administrator}"
    fixes = [(attach, who)]
    is_attached_to = at.is_attached_to and action in {_BEARER, *_GRANTABLE}
    if is_attached_to and at.expected.attaches_identity_policies:
        fixes.insert(0, (f"`pulumi up --refresh --stack {at.stack}`: attachIdentityPolicies attaches it", at.deployer))
    elif is_attached_to:
        switch = f"set private-pypi:attachIdentityPolicies to true in {at.config}, then `pulumi up --stack {at.stack}`"
        fixes.append((switch, at.deployer))
    return Cause(
        what=f"no identity policy of {name} allows {action}",
        to_look_at=f"the identity policies of {name}: one has to allow {action}",
        known=known,
        fixes=fixes,
    )


def _permissions_policy(action: str, package: str, at: Situation, deployed: Deployed) -> Cause:
    """The domain's side, or the repository's."""
    kind, said, there = "repository", at.expected.repository, deployed.repository
    if action in TOKEN:
        kind, said, there = "domain", at.expected.domain, deployed.domain
    is_theirs = kind == "domain" and at.expected.existing_domain
    policy = f"the {kind}'s permissions policy"
    what = f"{policy} does not let {at.caller.name} do {action}"
    if at.is_at_home:
        what = f"neither {policy} nor an identity policy lets {at.caller.name} do {action}: one has to"
    to_look_at = f"{policy}: it has to let {at.caller.name} do {action}"
    let_by = at.let_by(action, package)
    if not let_by:
        then = "; then give the output domain_policy_statements to the domain's owner" if is_theirs else ""
        fix = f"{_line_of_config(action, package, at)}, then `pulumi up --stack {at.stack}`{then}"
        known = ". The config does not say so"
        return Cause(what=what, to_look_at=to_look_at, known=known, fixes=[(fix, at.deployer)])
    fixes: list[tuple[str, str]] = []
    if is_theirs and (there is None or is_lacking(said, there)):
        statement = f"`pulumi stack output domain_policy_statements --stack {at.stack}`"
        fixes.append((f"add the output domain_policy_statements to it: {statement}", at.owner))
    elif there is None or is_lacking(said, there):
        up, region = f"`pulumi up --refresh --stack {at.stack}`", at.expected.arns.region
        if there is None:
            up += f", if it was changed, names a role that was deleted since, or is not in {region} (aws:region)"
        fixes.append((up, at.deployer))
    if ":role/" in let_by and not at.caller.has_path:
        compare = f"compare the path: {let_by} in the config, `aws iam get-role --role-name {at.caller.short_name}`"
        fixes.append((compare, at.administrator))
    fixes = fixes or [("try again in a minute: what was changed just now is not so everywhere", "you")]
    return Cause(what=what, to_look_at=to_look_at, known=f". The config says so, for {let_by}", fixes=fixes)


def _permissions_deny(action: str, package: str, at: Situation) -> Cause:
    """A Deny on the domain's side, or the repository's."""
    kind = "domain" if action in TOKEN else "repository"
    if at.is_denied_by_domain(action):
        what = f"the domain's permissions policy has a Deny of {action}"
        fix = f"take {at.caller.name} out of the Deny in {at.config}, then `pulumi up --stack {at.stack}`"
        known = ". The config has it (private-pypi:domainStatements)"
        return Cause(what=what, known=known, fixes=[(fix, at.deployer)])
    what = f"the {kind}'s permissions policy has a Deny of {action}"
    if action in PUBLISH and is_closed(at.expected.repository, at.expected.arns) and not at.publishable:
        fix = f"{_line_of_config(action, package, at)}, then `pulumi up --stack {at.stack}`"
        known = " for whoever is no publisher (private-pypi:closedPublishing)"
        return Cause(what=what, known=known, fixes=[(fix, at.deployer)])
    if kind == "domain" and at.expected.existing_domain:
        return Cause(what=what, fixes=[("take the Deny out", at.owner)])
    fix = f"`pulumi up --refresh --stack {at.stack}`, which takes it out"
    return Cause(what=what, known=f". The config has none for {at.caller.name}", fixes=[(fix, at.deployer)])


def _line_of_config(action: str, package: str, at: Situation) -> str:
    """What to change in the config, so that it lets the caller do an action."""
    caller, key = at.caller, "private-pypi:readers"
    if action in PUBLISH:
        workload = next((each.workload for each in at.listed if each.workload), None)
        key = "private-pypi:publishers"
        if at.publishable:
            return f"add {package} to the packages of {workload or caller.name} in {key} of {at.config}"
        if workload:
            entry = f"an entry for {workload} with a branch, tag or environment, whose role the job then assumes,"
            return f"add {entry} to {key} in {at.config}"
    near = next((each.principal for each in at.expected.access if caller.shares_name_with(each.principal)), None)
    if near and not at.listed:
        return f"write {caller.entry} in the place of {near} in {at.config} (the path counts)"
    return f"add {caller.entry} to {key} in {at.config}"
