"""What is known before AWS says anything: who asks, and what the config says of them. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Self

from private_pypi.cli.compare import overlap
from private_pypi.cli.deployed import Expected
from private_pypi.iam import EVERYTHING, PUBLISH, Access, matches
from private_pypi.principals import IDENTITY_CENTER_PATH, PERMISSION_SET, arn_of_role, is_of_identity_center

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

    def is_covered_by(self, principal: str) -> bool | None:
        """Whether a principal of the config is or covers the caller; `None` where the path of its role would tell.

        Which accounts are in an organization is not known, so it covers everybody.
        """
        if principal.startswith("o-"):
            return True
        if principal.split(":")[4] != self.account:
            return False
        if principal.endswith(":root"):
            return True
        if all(matches(principal, each) for each in self._forms):
            return True
        if self._is_of_another_permission_set(principal):
            return False
        return None if any(overlap(principal, each) for each in self._forms) else False

    def _is_of_another_permission_set(self, principal: str) -> bool:
        """Whether a principal names permission sets of IAM Identity Center, and not that of the caller."""
        _, beginning, rest = principal.rpartition(PERMISSION_SET)
        return bool(beginning) and not matches(f"{beginning}{rest}", self.short_name)

    @property
    def _forms(self) -> list[str]:
        """What policies may call them, with `*` for what is not known of the role's path."""
        if self.has_path:
            return [self.principal]
        beginning, name = self.principal.removesuffix(self.short_name), self.short_name
        if is_of_identity_center(name):  # then the path is one of two
            beginning += IDENTITY_CENTER_PATH
        return [f"{beginning}{name}", f"{beginning}*/{name}"]

    @property
    def entry(self) -> str:
        """What to list for them."""
        if is_of_identity_center(self.short_name):
            return arn_of_role(self.short_name, self.arn.split(":")[1], self.account)
        return self.principal if self.has_path else f"the ARN of {self.name}, with its path,"

    def shares_name_with(self, principal: str) -> bool:
        """Whether a principal of the config is the caller except for the path of its role or user."""
        if principal.startswith("o-") or principal.endswith(":root") or principal.split(":")[4] != self.account:
            return False
        kind = self.principal.split(":", maxsplit=5)[5].partition("/")[0]
        return f":{kind}/" in principal and matches(principal.rpartition("/")[2], self.short_name)


@dataclass(frozen=True, kw_only=True, slots=True)
class Situation:
    """What is known beside what AWS says."""

    stack: str
    account: str
    """The account that Pulumi deploys the stack from, 12 digits."""
    account_source: str
    """The key of the config that says so; empty where the caller's is taken for it."""
    profile: str | None
    """The profile of the config, which Pulumi deploys with. It is not used: it may run a command."""
    caller: Caller
    expected: Expected
    has_region: bool
    """Whether the config names the region; else it is that of the environment."""

    @property
    def listed(self) -> list[Access]:
        """What clients are let do that the caller is, and then what they are that the caller may be by the path."""
        clients = [each for each in self.expected.access if each.install or each.publish]
        covering = [(each, self.caller.is_covered_by(each.principal)) for each in clients]
        return [each for wanted in (True, None) for each, covers in covering if covers is wanted]

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
            lets_publish = any(matches(name, package) for name in each.publish)
            if lets_publish if action in PUBLISH else each.install:
                return each.principal
        return None

    def kept_out_by(self, package: str) -> str | None:
        """The entry of `internalPackages` that keeps a package from public PyPI; `acme-*` does so of `acme`, too."""
        entries = sorted(self.expected.internal_packages, key=lambda entry: not entry.endswith("*"))
        return next((each for each in entries if matches(each, package) or each == f"{package}-*"), None)

    def is_denied_by_domain(self, action: str) -> bool:
        """Whether the config has a Deny of an action in the domain's policy that the caller may be in."""
        arns = self.expected.arns
        for rule in self.expected.domain.rules:
            covering = [self.caller.is_covered_by(each) for each in rule.principals]
            is_in_it = True not in covering if rule.exempts else any(covers is not False for covers in covering)
            is_about = any(rule.is_about(action, arn) for arn in (arns.domain, arns.repository, arns.packages))
            if rule.effect == "Deny" and is_in_it and is_about:
                return True
        return False

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
        yield from _describe_access(each, at)
    if at.expected.not_understood:
        yield "not all of its policies is understood here: `private-pypi preview` shows what is not"
    if not at.has_region:
        yield f"aws:region is not in it: {at.expected.arns.region} is the environment's"
    if not at.listed:
        yield f"no entry covers {at.caller.name} of account {account}{': you get in by rights of your own' * passed}"
    if account != at.expected.arns.owner:
        yield f"the domain is of account {at.expected.arns.owner} and you are of {account}: both have to let you in"
    if not at.account_source:
        yield f"no account is in it: yours, {account}, is taken for the stack's"
    if account != at.account:
        yield f"Pulumi deploys the stack from account {at.account} ({at.account_source}), not from yours"
    if at.profile:
        yield f"Pulumi uses aws:profile {at.profile}; this uses the credentials of the environment"


def _describe_access(access: Access, at: Situation) -> Iterator[str]:
    packages = ", ".join("everything" if package == EVERYTHING else package for package in access.publish)
    rights = [
        *(["install"] if access.install else []),
        *(["list packages"] if access.list_packages else []),
        *([f"publish {packages}"] if packages else []),
        *access.other,
    ]
    role_of = f", the role of {access.workload}," if access.workload else ""
    yield f"{access.principal}{role_of} may {' and '.join(rights)}"
    if access.principal.startswith("o-"):
        yield f"  if account {at.caller.account} is in that organization, which is not known here"
    elif at.caller.is_covered_by(access.principal) is None:
        yield "  if it covers the path of your role, which is not known here: its name alone does not tell"
