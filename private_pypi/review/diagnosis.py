"""Why AWS refuses: from what it said to the cause, the mend, and whose it is to do. Pure.

AWS names the kind of policy that refused, and then that is the cause; where it names none, all that it can be is listed,
and nothing is guessed. What it says: https://docs.aws.amazon.com/IAM/latest/UserGuide/troubleshoot_access-denied.html
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, Self

from private_pypi.access import Access, is_closed, takes_in
from private_pypi.policies import DOWNLOAD, PUBLISH, READ, TOKEN
from private_pypi.review.deployed import Deployed, lacking
from private_pypi.review.meant import Meant

Step = Literal["who you are", "token", "endpoint", "index", "package", "publish"]

MAX_SAID_CHARACTERS = 600
_IDENTITY, _PERMISSIONS = "identity-based policy", "resource-based policy"
_GRANTABLE = {*TOKEN, *READ, *DOWNLOAD, *PUBLISH}
"""What the permissions policies here can grant."""
_ACTIONS: dict[Step, str] = {"token": TOKEN[0], "index": READ[0], "package": DOWNLOAD[0], "publish": PUBLISH[0]}
"""What a step takes, for where AWS does not say it."""
_NETWORK = "look at the network, at the proxy (HTTPS_PROXY) and at AWS_ENDPOINT_URL"
_ENDED = {"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
_UNREACHED = re.compile("Connect|Timeout|HTTPClient|ProxyConnection|SSLError")

# Where a Deny can stand, or an Allow be missing, beside the permissions policies, and whose that is.
_ELSEWHERE = {
    "identity-based policy": ("an identity policy of {name}", "whoever administers IAM in account {account}"),
    "permissions boundary": ("the permissions boundary of {name}", "whoever administers IAM in account {account}"),
    "session policy": ("the policy that your session was made with", "whoever makes the session"),
    "service control policy": ("a service control policy (SCP)", "whoever manages the policies of the organization"),
    "resource control policy": ("a resource control policy (RCP)", "whoever manages the policies of the organization"),
    "vpc endpoint policy": ("the policy of the VPC endpoint that you go through", "whoever manages that VPC"),
}


class RefusedError(Exception):
    """AWS refused, or did not answer. Neither the code nor the text holds a token."""

    def __init__(self, code: str, text: str) -> None:
        """Keep what AWS said, on one line of characters that show."""
        line = " ".join("".join(character if character.isprintable() else " " for character in text).split())
        super().__init__(f"{code}: {line[:MAX_SAID_CHARACTERS]}")
        self.code = code
        self.action = _found(r"not authorized to perform: ([\w-]+:\w+)", line)
        self.denying = _found(r"with an explicit deny in (?:an? |the )?(.+?(?:policy|boundary))", line).lower()
        self.lacking = _found(r"because no (.+?) allows the ", line).lower()
        self.policy_arn = _found(r"with an explicit deny in .*?: (arn:\S*[^\s.])", line)

    @property
    def is_denial(self) -> bool:
        """Whether it is for want of a right."""
        return bool(self.action) or "AccessDenied" in self.code or self.code in {"HTTP 401", "HTTP 403"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Caller:
    """Who asks."""

    arn: str
    """What AWS calls them: the ARN of a user, or of a session of a role."""
    principal: str
    """What policies call them: the ARN of the user or the role, which may lack the role's path."""
    has_path: bool
    """Whether the path is known. The ARN of a session does not have it, and `iam:GetRole` takes a right."""

    @classmethod
    def of(cls, arn: str, role_arn: str | None = None) -> Self:
        """The caller by what sts:GetCallerIdentity answers and, if that is known, the role's own ARN."""
        _, partition, _, _, account, resource = arn.split(":", maxsplit=5)
        kind, _, name = resource.partition("/")
        if kind == "assumed-role":
            by_name = f"arn:{partition}:iam::{account}:role/{name.partition('/')[0]}"
            return cls(arn=arn, principal=role_arn or by_name, has_path=role_arn is not None)
        return cls(arn=arn, principal=arn, has_path=True)

    @property
    def account(self) -> str:
        """The account, 12 digits."""
        return self.arn.split(":")[4]

    @property
    def role_name(self) -> str | None:
        """The name of the role, without its path."""
        return self.principal.rpartition("/")[2] if ":role/" in self.principal else None

    @property
    def name(self) -> str:
        """What people call them: `role ci`."""
        kind, _, name = self.principal.split(":", maxsplit=5)[5].partition("/")
        return f"{kind} {name.rpartition('/')[2]}".rstrip()

    def is_named_by(self, principal: str) -> bool:
        """Whether a principal of the config may be the caller: by name alone where the path is not known."""
        if principal.startswith("o-"):
            return True
        if principal.split(":")[4] != self.account:
            return False
        if principal.endswith(":root"):
            return True
        if self.has_path:
            return takes_in(principal, self.principal)
        return ":role/" in principal and takes_in(principal.rpartition("/")[2], str(self.role_name))


@dataclass(frozen=True, kw_only=True, slots=True)
class Situation:
    """What there is to know before AWS is asked for anything."""

    stack: str
    account: str
    """The stack's account, 12 digits."""
    profile: str | None
    """The profile of the config, which Pulumi deploys with and a client knows nothing of."""
    profile_account: str | None
    """Its account, if it is there and works."""
    caller: Caller
    meant: Meant
    existing_domain: bool
    attaches_identity_policies: bool

    @property
    def listed(self) -> list[Access]:
        """What the config says of the caller; of an organization it is not known whether they are in it."""
        return [each for each in self.meant.access if self.caller.is_named_by(each.principal)]

    @property
    def publishable(self) -> list[str]:
        """The packages that the config lets the caller publish, as names and `prefix-*`; `*` is all."""
        return [
            package
            for each in self.listed
            for package in (each.publish if isinstance(each.publish, list) else ["*"] if each.publish else [])
        ]

    @property
    def is_at_home(self) -> bool:
        """Whether the caller is of the domain's account, where one side is enough."""
        return self.caller.account == self.meant.arns.owner

    @property
    def is_left_to_identity(self) -> bool:
        """Whether the config names the caller's account alone, and it is the domain's: its identity policies decide."""
        return self.is_at_home and bool(self.listed) and all(each.principal.endswith(":root") for each in self.listed)

    @property
    def is_attached_to(self) -> bool:
        """Whether `attachIdentityPolicies` is for the caller: a role of the stack's account that is listed by name."""
        by_name = any("*" not in each.principal and ":role/" in each.principal for each in self.listed)
        return by_name and self.caller.account == self.account

    def is_listed(self, action: str, package: str) -> bool:
        """Whether the config lets the caller do an action, on a package."""
        if action in PUBLISH:
            return any(takes_in(each, package) for each in self.publishable)
        return bool(self.listed)

    @property
    def deployer(self) -> str:
        """Who changes the config."""
        return f"whoever deploys stack {self.stack}"

    @property
    def administrator(self) -> str:
        """Who changes identity policies."""
        return f"whoever administers IAM in account {self.caller.account}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Cause:
    """What is missing or in the way, and what mends it: one of the mends, each with who can do it."""

    what: str
    mends: Sequence[tuple[str, str]]


def describe_caller(at: Situation) -> Iterator[str]:
    """Lines that say what the config lets the caller do, and of which accounts they and the stack are."""
    home, account = at.account, at.caller.account
    for each in at.listed:
        packages = ", ".join(each.publish) if isinstance(each.publish, list) else "everything"
        yield f"{each.principal} may install{f' and publish {packages}' if each.publish else ''}"
        if each.principal.startswith("o-"):
            yield f"  if account {account} is in that organization, which AWS does not tell"
    if not at.listed:
        yield f"nothing lets {at.caller.name} of account {account} in"
    if account != home:
        yield f"the stack is of account {home}, you are of {account}: both have to let you in"
    if at.profile and at.profile_account != account:
        of = f"of account {at.profile_account}" if at.profile_account else "not to be had here"
        yield f"aws:profile {at.profile} is {of}: Pulumi goes by it, and this does not"


def explain(step: Step, refused: RefusedError, package: str, at: Situation, deployed: Deployed) -> list[str]:
    """What AWS said at a step that was about a package, then the cause, or all that it can be, with the mends."""
    if refused.is_denial:
        causes = [*_denials(refused, refused.action or _ACTIONS[step], at, deployed, package)]
    else:
        causes = [_failure(step, refused, at)]
    lines = [f"AWS says  {refused}"]
    if len(causes) > 1:
        lines.append("It does not say which side refuses. Look at these, in this order:")
    for cause in causes:
        lines.append(f"{'look at ' if len(causes) > 1 else 'cause   '}  {cause.what}")
        for number, (mend, who) in enumerate(cause.mends):
            lines += [f"{'or  ' if number else 'mend'}      {mend}", f"who       {who}"]
    return lines


def explain_credentials(refused: RefusedError, profile: str | None) -> list[str]:
    """What AWS said to somebody whom it does not know; `profile` is the one of the config, which is not used."""
    if _UNREACHED.search(refused.code):
        cause, mend = "no answer came", _NETWORK
    elif refused.code in _ENDED:
        cause, mend = "your credentials have ended", "fetch new ones: `aws sso login`, or assume the role again"
    elif refused.code == "NoCredentialsError":
        cause, mend = "there are no credentials in the environment", "set AWS_PROFILE, or sign in; give a job a role"
    else:
        cause, mend = "AWS does not take your credentials", "fetch new ones; unset variables AWS_... of others"
    lines = [f"AWS says  {refused}", f"cause     {cause}", f"mend      {mend}", "who       you"]
    if profile:
        lines += [f"or        take the profile that the stack is deployed with: AWS_PROFILE={profile}", "who       you"]
    return lines


def _failure(step: Step, refused: RefusedError, at: Situation) -> Cause:
    """What it is if it is no denial."""
    arns = at.meant.arns
    if refused.code == "ResourceNotFoundException":
        what = f"domain {arns.domain_name} of account {arns.owner} in region {arns.region}"
        if step != "token":
            what = f"repository {arns.repository_name} in {what}"
        correct = f"correct the names, domainOwner and aws:region in Pulumi.{at.stack}.yaml"
        deploy = f"`pulumi up --stack {at.stack}`, if it is not deployed yet"
        return Cause(what=f"there is no {what}", mends=[(correct, at.deployer), (deploy, at.deployer)])
    if _UNREACHED.search(refused.code):
        return Cause(what="no answer came", mends=[(_NETWORK, "you")])
    if step == "package" and refused.code == "HTTP 404":
        what = "there is no such package in the repository: your token is new, and you may read"
        return Cause(what=what, mends=[("correct the name, or publish it", "its publishers")])
    return Cause(what="no right is missing; it is what AWS says", mends=[("try again in a while", "you")])


def _denials(refused: RefusedError, action: str, at: Situation, deployed: Deployed, package: str) -> Iterator[Cause]:
    """The policy that refuses, if AWS names it, else all that can."""
    on_both_sides = action not in _GRANTABLE or not at.is_at_home or at.is_left_to_identity
    identity, permissions = _identity_policy(action, at), _permissions_policy(action, at, deployed, package)
    if at.caller.name == "root":
        yield Cause(what="root users get no tokens", mends=[("take the credentials of a role or a user", "you")])
    elif refused.denying == _PERMISSIONS:
        yield _permissions_deny(action, at, package)
    elif refused.lacking == _PERMISSIONS:
        yield permissions
    elif refused.lacking == _IDENTITY:
        yield identity if on_both_sides else permissions
    elif found := _ELSEWHERE.get(refused.denying):
        yield _elsewhere(found, refused, at, f"a Deny of {action} in {{}}", "take the Deny out")
    elif found := _ELSEWHERE.get(refused.lacking):
        yield _elsewhere(found, refused, at, f"{{}} does not allow {action}", "allow it there")
    else:
        if on_both_sides:
            yield identity
        if action in _GRANTABLE:
            yield permissions
        what = f"a Deny of {action}, or a permissions boundary or a policy of the organization without it"
        yield Cause(what=what, mends=[("take the Deny out, or allow it there", at.administrator)])


def _elsewhere(found: tuple[str, str], refused: RefusedError, at: Situation, what: str, mend: str) -> Cause:
    policy, who = (text.format(name=at.caller.name, account=at.caller.account) for text in found)
    return Cause(what=what.format(" ".join(filter(None, [policy, refused.policy_arn]))), mends=[(mend, who)])


def _identity_policy(action: str, at: Situation) -> Cause:
    """The caller's own side."""
    name, output = at.caller.name, "publisher_policy" if action in PUBLISH else "reader_policy"
    attach = f"attach the output {output} to {name}: `pulumi stack output {output} --stack {at.stack}`"
    why = "another account than the domain's has to allow it too"
    if action not in _GRANTABLE:
        why = "no permissions policy can"
    elif at.is_at_home:
        why = f"the config leaves it to the identity policies of account {at.caller.account}"
        if action in PUBLISH:
            attach = f"attach one to {name} that allows {action} on {at.meant.arns.packages}"
    mends = [(attach, at.administrator)]
    if at.is_attached_to:
        up = f"`pulumi up --refresh --stack {at.stack}`"
        if not at.attaches_identity_policies:
            up = f"set private-pypi:attachIdentityPolicies to true, then `pulumi up --stack {at.stack}`"
        mends.insert(0 if at.attaches_identity_policies else 1, (up, at.deployer))
    return Cause(what=f"an identity policy of {name} has to allow {action}: {why}", mends=mends)


def _permissions_policy(action: str, at: Situation, deployed: Deployed, package: str) -> Cause:
    """The domain's or the repository's side."""
    kind, there = ("domain", deployed.domain) if action in TOKEN else ("repository", deployed.repository)
    said = at.meant.domain if action in TOKEN else at.meant.repository
    what = f"the {kind}'s permissions policy has to let {at.caller.name} do {action}"
    owner, is_theirs = (
        f"whoever owns the domain, account {at.meant.arns.owner}",
        kind == "domain" and at.existing_domain,
    )
    if not at.is_listed(action, package):
        then = ", and give the output domain_policy_statement to the domain's owner" if is_theirs else ""
        mend = f"{_listing(action, at, package)} in Pulumi.{at.stack}.yaml, then `pulumi up --stack {at.stack}`{then}"
        return Cause(what=f"{what}; the config does not say so", mends=[(mend, at.deployer)])
    mends: list[tuple[str, str]] = []
    if there is None or lacking(said, there):
        mend = f"`pulumi up --refresh --stack {at.stack}`"
        if is_theirs:
            mend = f"add the output domain_policy_statement: `pulumi stack output domain_policy_statement --stack {at.stack}`"
        why = "it may not be deployed yet, be changed by hand, or hold the id of a role that was deleted and made again"
        if there is not None:
            why = f"it lacks that{f' and holds {deleted}' if (deleted := ', '.join(deployed.deleted)) else ''}"
        mends.append((f"{mend}: {why}", owner if is_theirs else at.deployer))
    if not at.caller.has_path:
        mend = f"compare the role's ARN, its path too, with the config's: `aws iam get-role --role-name {at.caller.role_name}`"
        mends.append((mend, at.administrator))
    return Cause(what=f"{what}; the config says so ({at.listed[0].principal})", mends=mends)


def _permissions_deny(action: str, at: Situation, package: str) -> Cause:
    """A Deny on the domain's or the repository's side."""
    kind = "domain" if action in TOKEN else "repository"
    what = f"a Deny of {action} in the {kind}'s permissions policy"
    if action in PUBLISH and is_closed(at.meant.repository, at.meant.arns) and not at.publishable:
        mend = f"{_listing(action, at, package)} in Pulumi.{at.stack}.yaml, then `pulumi up --stack {at.stack}`"
        return Cause(
            what=f"{what}: private-pypi:closedPublishing, for who is no publisher", mends=[(mend, at.deployer)]
        )
    if kind == "domain" and at.existing_domain:
        return Cause(what=what, mends=[("take it out", f"whoever owns the domain, account {at.meant.arns.owner}")])
    mend = f"`pulumi up --refresh --stack {at.stack}`, which takes it out"
    return Cause(what=f"{what}; the config does not say so", mends=[(mend, at.deployer)])


def _listing(action: str, at: Situation, package: str) -> str:
    """The line of the config that lets the caller do an action."""
    who = at.caller.principal if at.caller.has_path else f"the ARN of {at.caller.name}, with its path,"
    if action not in PUBLISH:
        return f"add {who} to private-pypi:readers"
    workflow = next((each.workflow for each in at.listed if each.workflow), None)
    key = "private-pypi:githubPublishers" if workflow else "private-pypi:publishers"
    return (
        f"add {package} to packages of {workflow or at.caller.name} in {key}"
        if at.publishable
        else f"add {who} to {key}"
    )


def _found(pattern: str, line: str) -> str:
    match = re.search(pattern, line)
    return match[1] if match else ""
