"""What is known before AWS says anything: who asks, and what the config says of them. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from private_pypi.cli.deployed import Expected
from private_pypi.iam import PUBLISH, Access, matches

PROFILE = "aws:profile"
ALLOWED_ACCOUNTS = "aws:allowedAccountIds"


@dataclass(frozen=True, kw_only=True, slots=True)
class Caller:
    """Who asks."""

    arn: str
    """What AWS calls them: the ARN of a user, or of a session of a role."""
    principal: str
    """What policies call them: the ARN of the user or the role, which may lack the role's path."""
    has_path: bool
    """Whether the path is known. It is not in the ARN of a session."""

    @classmethod
    def of(cls, arn: str, role_arn: str | None = None) -> Self:
        """The caller by what sts:GetCallerIdentity answers and, if it is known, by the role's own ARN."""
        _, partition, _, _, account, resource = arn.split(":", maxsplit=5)
        kind, _, name = resource.partition("/")
        if kind != "assumed-role":
            return cls(arn=arn, principal=arn, has_path=True)
        by_name = f"arn:{partition}:iam::{account}:role/{name.partition('/')[0]}"
        return cls(arn=arn, principal=role_arn or by_name, has_path=role_arn is not None)

    @property
    def account(self) -> str:
        """The account, 12 digits."""
        return self.arn.split(":")[4]

    @property
    def short_name(self) -> str:
        """The name of the role or user, without its path."""
        return self.principal.rpartition("/")[2]

    @property
    def name(self) -> str:
        """What people call them: `role ci`."""
        kind, slash, _ = self.principal.split(":", maxsplit=5)[5].partition("/")
        return f"{kind} {self.short_name}" if slash else "the root user"

    def is_named_by(self, principal: str, *, path_counts: bool) -> bool:
        """Whether a principal of the config is the caller, or may be: organizations are not known."""
        if principal.startswith("o-"):
            return True
        if not principal.startswith("arn:") or principal.split(":")[4] != self.account:  # [secret] is no ARN
            return False
        if principal.endswith(":root") or (path_counts and matches(principal, self.principal)):
            return True
        kind = self.principal.split(":", maxsplit=5)[5].partition("/")[0]
        by_name = f":{kind}/" in principal and matches(principal.rpartition("/")[2], self.short_name)
        return by_name and not path_counts


@dataclass(frozen=True, kw_only=True, slots=True)
class Situation:
    """What is known beside what AWS says."""

    stack: str
    account: str
    """The account that Pulumi deploys the stack from, 12 digits."""
    account_source: str
    """The key of the config that says so; empty where the caller's is taken for it."""
    profile: str | None
    """The profile of the config, which Pulumi deploys with and a client knows nothing of."""
    profile_account: str | None
    """Its account, if it is there and works."""
    caller: Caller
    expected: Expected
    existing_domain: bool
    attaches_identity_policies: bool
    has_region: bool
    """Whether the config names the region; else it is that of the environment."""
    has_secrets: bool
    """Whether some of the config is encrypted, so that `meant` is not all that it says."""

    @property
    def listed(self) -> list[Access]:
        """What the config says of the caller."""
        path_counts = self.caller.has_path
        return [
            each for each in self.expected.access if self.caller.is_named_by(each.principal, path_counts=path_counts)
        ]

    @property
    def publishable(self) -> list[str]:
        """The packages that the config lets the caller publish, as names and `prefix-*`; `*` is all."""
        return [package for each in self.listed for package in each.publish]

    @property
    def is_at_home(self) -> bool:
        """Whether the caller is of the domain's account, where one side is enough."""
        return self.caller.account == self.expected.arns.owner

    def is_left_to_identity(self, action: str, package: str) -> bool:
        """Whether the config lets the caller do it as one of the domain's account, whose identity policies decide."""
        alone = all(each.principal.endswith(":root") for each in self.listed)
        return self.is_at_home and alone and self.let_by(action, package) is not None

    @property
    def is_attached_to(self) -> bool:
        """Whether `attachIdentityPolicies` is for the caller: a role of the stack's account that is listed by name."""
        by_name = any("*" not in each.principal and ":role/" in each.principal for each in self.listed)
        return by_name and self.caller.account == self.account

    def let_by(self, action: str, package: str) -> str | None:
        """The principal as which the config lets the caller do an action, on a package; `None` if it does not."""
        for each in self.listed:
            if action not in PUBLISH or any(matches(name, package) for name in each.publish):
                return each.principal
        return None

    @property
    def config(self) -> str:
        """The file that the config is in."""
        return f"Pulumi.{self.stack}.yaml"

    @property
    def deployer(self) -> str:
        """Who changes the config."""
        return f"whoever deploys stack {self.stack}"

    @property
    def administrator(self) -> str:
        """Who changes the caller's identity policies."""
        return f"whoever administers IAM in account {self.caller.account}"

    @property
    def owner(self) -> str:
        """Who changes the policy of an existing domain."""
        return f"whoever owns the domain, account {self.expected.arns.owner}"


def describe_caller(at: Situation, *, passed: bool) -> Iterator[str]:
    """Lines that say what the config lets the caller do, and of which accounts they and the stack are."""
    account = at.caller.account
    for each in at.listed:
        packages = ", ".join("everything" if package == "*" else package for package in each.publish)
        yield f"{each.principal} may install{f' and publish {packages}' if packages else ''}"
        if each.principal.startswith("o-"):
            yield f"  if account {account} is in that organization, which is not known here"
    if not at.has_region:
        yield f"aws:region is not in it: {at.expected.arns.region} is the environment's"
    if at.has_secrets:
        yield "what is encrypted in it is not known here"
    if not at.listed:
        yield f"no entry is about {at.caller.name} of account {account}{': you get in by rights of your own' * passed}"
    if account != at.expected.arns.owner:
        yield f"the domain is of account {at.expected.arns.owner} and you are of {account}: both have to let you in"
    if not at.account_source:
        yield f"no account is in it: yours, {account}, is taken for the stack's"
    if account != at.account:
        yield f"Pulumi deploys the stack from account {at.account} ({at.account_source}), not from yours"
    if at.profile and at.account_source != PROFILE and at.profile_account != account:
        whose = f"of account {at.profile_account}" if at.profile_account else "not to be had here"
        yield f"aws:profile {at.profile} is {whose}; Pulumi takes it, and this takes the credentials of the environment"
