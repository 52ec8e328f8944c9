"""Who may be let in: what a person writes in the config, read once into what stands in a policy document.

The forms are IAM's: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn, Self, cast

from private_pypi.errors import InvalidValueError, Mistakes, plain, wrong_type
from private_pypi.names import ACCOUNT, parse_packages

_EXPECTED = (
    "the ARN of an IAM role or user (arn:aws:iam::111122223333:role/NAME), with * for what varies in its path or name; "
    "the 12 digits of an account, quoted; or an organization (o-a1b2c3d4e5)"
)

IDENTITY_CENTER_PATH = "aws-reserved/sso.amazonaws.com/"
"""What the path of a role of IAM Identity Center begins with."""

PERMISSION_SET = "AWSReservedSSO_"
"""What the name of such a role begins with."""

ORGANIZATION = re.compile(r"o-[a-z0-9]{10,32}")

# Paths and names of the IAM API reference (CreateRole), and `*`. A path may hold any printable ASCII there; here it may
# not hold `?` and `$`, which mean something else in a policy's condition.
ROLE_OR_USER = re.compile(r"(role|user)/([!-#%-.0->@-~]+/)*[A-Za-z0-9_+=,.@*-]{1,64}")

MAX_RESOURCE_CHARACTERS = len("role") + 512 + 64  # of a path, which begins and ends with a slash, and of a name


@dataclass(frozen=True, slots=True)
class Principal:
    """Roles, users or accounts that are let in: one of them, all that a pattern matches, or an organization's."""

    name: str
    """The ARN of a role or user, its path kept; such an ARN with `*` in path or name; an account's 12 digits or its
    `:root` ARN; or the ID of an organization."""

    def __post_init__(self) -> None:
        """Refuse what is none of these.

        Raises:
            InvalidValueError: the fix depends on what it looks like.
        """
        _check(self.name, "aws")
        object.__setattr__(self, "name", plain(self.name))

    @classmethod
    def parse(cls, value: object, *, partition: str | None = None) -> Self:
        """A principal, as it stands in a config or as one already; in a `partition`, if that is known.

        Raises:
            InvalidValueError: it is none, or of another partition: no policy reaches into another.
        """
        name = value.name if isinstance(value, cls) else value  # one that is as it was written may be anything
        _check(name, partition or "aws")
        principal = cls(cast("str", name))
        return principal.in_partition(partition) if partition else principal

    @classmethod
    def as_written(cls, name: str) -> Self:
        """A principal of a policy that others may have written, who can name more than a config can: unchecked."""
        principal = object.__new__(cls)
        object.__setattr__(principal, "name", name)
        return principal

    def in_partition(self, partition: str) -> Self:
        """The same as it stands in the policies of a partition: an account by its `:root` ARN, as AWS writes it.

        Raises:
            InvalidValueError: it is of another partition.
        """
        if ACCOUNT.fullmatch(self.name):
            return type(self)(f"arn:{partition}:iam::{self.name}:root")
        if not self.is_organization and self.name.split(":")[1] != partition:
            _refuse(self.name, f"the stack's region is in the partition {partition}: list principals of that")
        return self

    @property
    def account(self) -> str | None:
        """The account, 12 digits; an organization has many."""
        if ACCOUNT.fullmatch(self.name):
            return self.name
        return None if self.is_organization else self.name.split(":")[4]

    @property
    def role_name(self) -> str | None:
        """The name of a role, without its path; what is not one role has none."""
        match = re.fullmatch(r"arn:[^:]+:iam::[^:]+:role/(?:.+/)?([^/*]+)", self.name)
        return match[1] if match and not self.is_pattern else None

    @property
    def is_reserved(self) -> bool:
        """Whether it is roles that AWS alone may modify: of IAM Identity Center, or linked to a service."""
        return re.match(r"arn:[^:]+:iam::[^:]+:role/(aws-reserved|aws-service-role)/", self.name) is not None

    @property
    def is_account(self) -> bool:
        """Whether it is a whole account, whose identity policies then decide."""
        return self.name.endswith(":root") or ACCOUNT.fullmatch(self.name) is not None

    @property
    def is_organization(self) -> bool:
        """Whether it is an organization."""
        return self.name.startswith("o-")

    @property
    def is_pattern(self) -> bool:
        """Whether it has a `*`, which the `Principal` of a policy does not take."""
        return "*" in self.name


@dataclass(frozen=True, slots=True, init=False)
class Publisher:
    """Who may publish what."""

    principal: Principal
    packages: tuple[str, ...] | None
    """Normalized names or `prefix-*`, as `parse_package` reads them; `None` is everything."""

    def __init__(
        self,
        principal: Principal | str,
        packages: Iterable[str] | None = None,
        *,
        partition: str | None = None,
    ) -> None:
        """Read who publishes, and the names and `prefix-*` of the packages; without them everything.

        Raises:
            InvalidArgsError: one of them is a mistake, or the principal is of another partition than `partition`.
        """
        mistakes = Mistakes()
        who = mistakes.read("principal", principal, partial(Principal.parse, partition=partition), None)
        what = None
        if packages is not None:
            alone = "write the principal alone to let it publish everything"
            what = mistakes.read("packages", packages, partial(parse_packages, instead_of_all=alone), None)
        mistakes.finish()
        object.__setattr__(self, "principal", who)
        object.__setattr__(self, "packages", what)

    @classmethod
    def parse(cls, value: object, *, partition: str | None = None) -> Self:
        """A publisher, as one already, or as a config has it: a principal, or a map of `principal` and `packages`.

        Raises:
            InvalidArgsError: a field is a mistake.
            InvalidValueError: it is neither.
        """
        if isinstance(value, cls):
            return cls(value.principal, value.packages, partition=partition)
        if not isinstance(value, Mapping):
            return cls(Principal.parse(value, partition=partition))
        fields = cast("Mapping[str, Any]", value)
        mistakes = Mistakes()
        known = ["principal", "packages"]
        mistakes.refuse_unknown(fields, known, otherwise="write the one of these that is meant")
        who, what = fields.get("principal"), fields.get("packages") or ()
        publisher = mistakes.read("", who, lambda who: cls(cast("Any", who), what, partition=partition), None)
        mistakes.finish()
        return cast("Self", publisher)


def _check(value: object, partition: str) -> None:
    """Refuse what is no principal, with the fix for a partition."""
    if not isinstance(value, str):
        fix = "write one quoted string for each principal"
        if isinstance(value, int | float) and not isinstance(value, bool):
            fix = "quote the account's 12 digits: as a number it loses its leading zeros"
        raise wrong_type(value, expected=_EXPECTED, fix=fix)
    if re.search(r"\s", value):
        _refuse(value, "take the white space out")
    if value.startswith("arn:"):
        _check_arn(value)
    elif not (ACCOUNT.fullmatch(value) or ORGANIZATION.fullmatch(value)):
        _refuse_word(value, partition)


def _check_arn(arn: str) -> None:
    # Short ARNs are filled up with empty parts, which none of the checks take.
    _, partition, service, region, account, resource, *_ = [*arn.split(":", maxsplit=5), "", "", "", "", ""]
    kind, _, name = resource.partition("/")
    known = _example(partition, "aws")
    if service == "sts" and kind == "assumed-role":
        role = arn_of_role(name.partition("/")[0], known, _example(account, "ACCOUNT"))
        _refuse(arn, f"list the session's role: {role}" + ("" if "*" in role else ", its path included"))
    if service == "sts" or kind in {"saml-provider", "oidc-provider"}:
        _refuse(arn, "list the role that the federated users assume")
    if service == "organizations":
        _refuse_part_of_organization(arn, kind, name)
    if service in {"identitystore", "sso"}:
        _refuse(arn, f"list the roles of the permission set: {arn_of_role('AWSReservedSSO_NAME', known)}")
    if service != "iam":
        _refuse(arn, "list the role or user that should get in, by an ARN of the service iam")
    if not re.fullmatch("aws(-[a-z]+)*", partition):
        _refuse(arn, f"there is no partition {partition!r}: an ARN begins with arn:aws:, in China with arn:aws-cn:")
    if region:
        _refuse(arn, "leave the region empty, with two colons between iam and the account: IAM has no regions")
    _check_iam(arn, partition, account, resource)


def _check_iam(arn: str, partition: str, account: str, resource: str) -> None:
    kind = resource.partition("/")[0]
    if kind == "policy":
        _refuse(arn, "list the roles and users that have the policy")
    if not ACCOUNT.fullmatch(account):
        _refuse(arn, f"an account has 12 digits; here it is {account!r}")
    if kind == "group":
        _refuse(arn, "list the group's users, or a role that they assume: IAM lets no policy name a group")
    if kind == "instance-profile":
        _refuse(arn, f"list the role of the instance profile: arn:{partition}:iam::{account}:role/NAME")
    if resource != "root" and not (ROLE_OR_USER.fullmatch(resource) and len(resource) <= MAX_RESOURCE_CHARACTERS):
        _refuse(arn, "end it with role/NAME, user/NAME or root; a path comes before the name: role/PATH/NAME")


def _refuse_part_of_organization(arn: str, kind: str, name: str) -> NoReturn:
    """Refuse an ARN of AWS Organizations: of an organization, of a part of one, or of an account in one."""
    organization, _, part = name.partition("/")
    if kind == "account" and ACCOUNT.fullmatch(part):
        _refuse(arn, f'list the account by its number: "{part}"')
    if kind == "organization" and ORGANIZATION.fullmatch(organization):
        _refuse(arn, f"list the organization by its id: {organization}")
    _refuse(arn, _OF_UNIT.format(organization if ORGANIZATION.fullmatch(organization) else "o-a1b2c3d4e5"))


_OF_UNIT = "list its accounts by their numbers, or the whole organization ({}): no policy can name a part of that"
_OF_ID = "list it by its ARN, {{{}}}: AWS writes this id where the one that it was is deleted"
_OF_CLOUD = "list the IAM role that it assumes, {{role}}: AWS knows no identities of {}"
_OF_JOBS = "write a map for its jobs, {}: {{project}}, with their branch, tag or environment on a line of its own"
_OF_USERS = "list the role that the federated users assume, not the identity provider"
_SITE = r"(git@|(https?|ssh)://(git@)?)?(www[.])?{}[.]com[:/]"

# What people write where a principal is expected, each with its fix. The ids are those of
# https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-prefixes
_WORDS: Mapping[str, str] = {
    r"[*]": "list the roles, users or accounts; '*' would let everyone in",
    "(?i:(root|owner)( user)?)": "list the account, its 12 digits in quotes; a root user itself gets no tokens",
    "([0-9]{4}-){2}[0-9]{4}": "write the 12 digits of the account in quotes, without hyphens",
    "[0-9a-f]{64}": "list the account, its 12 digits in quotes: a canonical user ID is for Amazon S3",
    "(?i:ou-[a-z0-9]{4,32}-[a-z0-9]{8,32}|r-[a-z0-9]{4,32})": _OF_UNIT.format("o-a1b2c3d4e5"),
    "(?i:o-[a-z0-9]{10,32})": "write the organization's id in lower case: {lower}",
    "(?i:o-.*)": "write its id whole, if it is an organization: o- and 10 to 32 lower-case letters and digits",
    "AROA[A-Z0-9]{12,}(:.*)?": _OF_ID.format("role"),
    "AIDA[A-Z0-9]{12,}": _OF_ID.format("user"),
    "AGPA[A-Z0-9]{12,}": "list the group's users, or a role that they assume: IAM lets no policy name a group",
    "AIPA[A-Z0-9]{12,}": "list the role of the instance profile: {role}",
    "A(KI|SI)A[A-Z0-9]{12,}": "list the user or the role that has the access key: {user} or {role}",
    r"([A-Za-z]+:)?[^@]+@.+[.]gserviceaccount[.]com|(?i:serviceaccount|principal|principalset):.+": (
        _OF_CLOUD.format("Google Cloud")
    ),
    "(?i:[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})|.+[.]onmicrosoft[.]com": _OF_CLOUD.format("Microsoft Entra"),
    rf"(repo:|{_SITE.format('github')})((?P<project>[A-Za-z0-9_-]+/[A-Za-z0-9._-]+?)([.]git)?(:.*)?|.*)": (
        _OF_JOBS.format("github")
    ),
    rf"(project_path:|{_SITE.format('gitlab')})((?P<project>[A-Za-z0-9._-]+(/[A-Za-z0-9._-]+?)+)([.]git)?(:.*)?|.*)": (
        _OF_JOBS.format("gitlab")
    ),
    "(token[.]actions[.]githubusercontent|github)[.]com": _OF_JOBS.format("github"),
    "gitlab[.]com": _OF_JOBS.format("gitlab"),
    "(accounts[.]google|graph[.]facebook|www[.]amazon|cognito-identity[.]amazonaws)[.]com": _OF_USERS,
    "https?://.+|.+[.](signin[.]aws[.]amazon|awsapps)[.]com.*": "list the role that signs in there: {role} or {sso}",
    ".+[.]amazonaws[.]com([.]cn)?": "list the role that the service runs as, not the service",
    "[^@/]+@[^@/]+[.][^@/]+": "list the role that this person signs in with, {sso}, or their user, {user}",
    "(role|user)/[A-Za-z0-9_+=,.@/-]+": "write the whole ARN: {place}:{text}",
    "[A-Za-z0-9_-]+/[A-Za-z0-9._/-]+": (
        "write the whole ARN, {place}:role/{text}, or a map for the jobs of a repository, github: {text}"
    ),
    "[a-z0-9][a-z0-9-]{1,61}[a-z0-9]": "write the whole ARN: {named}; or the 12 digits of an account, not its alias",
}


def _refuse_word(text: str, partition: str) -> NoReturn:
    """Refuse what is no ARN, no account and no organization."""
    if re.fullmatch("[0-9]+", text):
        _refuse(text, f"an account has 12 digits, this has {len(text)}")
    place = f"arn:{partition}:iam::ACCOUNT"
    matches = ((fix, match) for pattern, fix in _WORDS.items() if (match := re.fullmatch(pattern, text)))
    fix, match = next(matches, ("write the whole ARN: {named}", None))
    project = match.groupdict().get("project") if match else None
    examples = {
        "text": text,  # only where the pattern has nothing that moves a cursor
        "lower": text.lower(),
        "project": project or ("GROUP/PROJECT" if "gitlab" in fix else "OWNER/NAME"),
        "place": place,
        "role": f"{place}:role/NAME",
        "user": f"{place}:user/NAME",
        "sso": arn_of_role("AWSReservedSSO_NAME", partition),
        "named": arn_of_role(text, partition),
    }
    _refuse(text, fix.format(**examples))


def arn_of_role(role: str, partition: str, account: str = "ACCOUNT") -> str:
    """What to list for the name of a role: of a permission set a pattern, for its roles end differently everywhere.

    Their path ends in the region of IAM Identity Center, in us-east-1 without one:
    https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html
    """
    name = _example(role)
    if is_of_identity_center(name):
        permission_set = re.sub("_[0-9a-f]{16}$", "", name)
        name = f"{IDENTITY_CENTER_PATH}*{permission_set}_*"
    return f"arn:{partition}:iam::{account}:role/{name}"


def is_of_identity_center(role: str) -> bool:
    """Whether the name of a role, without its path, is that of a permission set of IAM Identity Center."""
    return role.startswith(PERMISSION_SET)


def _example(text: str, otherwise: str = "NAME") -> str:
    """`text` for the example in a message, if it is a name: nothing else is repeated there without quotes."""
    return text if re.fullmatch("[A-Za-z0-9_+=,.@-]{1,64}", text) else otherwise


def _refuse(text: str, fix: str) -> NoReturn:
    raise InvalidValueError(got=repr(text), expected=_EXPECTED, fix=fix)
