"""Who may be let in: what a person writes in the config, read once into what stands in a policy document.

The forms are IAM's: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_principal.html
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, NoReturn, Self, cast

from private_pypi.errors import InvalidValueError, Mistakes, wrong_type
from private_pypi.names import ACCOUNT, parse_packages

_EXPECTED = (
    "the ARN of an IAM role or user (arn:aws:iam::111122223333:role/NAME), with * for what varies in its path or name; "
    "the 12 digits of an account, quoted; or an organization (o-a1b2c3d4e5)"
)

ORGANIZATION = re.compile(r"o-[a-z0-9]{10,32}")

# Paths and names of the IAM API reference (CreateRole), and `*`. A path may hold any printable ASCII there; here it may
# not hold `?` and `$`, which mean something else in a policy's condition.
_ROLE_OR_USER = re.compile(r"(role|user)/([!-#%-.0->@-~]+/)*[A-Za-z0-9_+=,.@*-]{1,64}")

_MAX_RESOURCE_CHARACTERS = len("role") + 512 + 64  # of a path, which begins and ends with a slash, and of a name

_IDENTITY_PROVIDERS = {
    "accounts.google.com",
    "cognito-identity.amazonaws.com",
    "graph.facebook.com",
    "token.actions.githubusercontent.com",
    "www.amazon.com",
}


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

    @classmethod
    def parse(cls, value: object, *, partition: str | None = None) -> Self:
        """A principal, as it stands in a config or as one already; in a `partition`, if that is known.

        Raises:
            InvalidValueError: it is none, or of another partition: no policy reaches into another.
        """
        if not isinstance(value, cls):
            _check(value, partition or "aws")
            value = cls(cast("str", value))
        return value.in_partition(partition) if partition else value

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
        mistakes.refuse_unknown(fields, ["principal", "packages"])
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
    if service == "sts" and kind == "assumed-role":
        role = _arn_of(name.partition("/")[0], _example(partition, "aws"), _example(account, "ACCOUNT"))
        _refuse(arn, f"list the session's role: {role}" + ("" if "*" in role else ", its path included"))
    if service == "sts" or kind in {"saml-provider", "oidc-provider"}:
        _refuse(arn, "list the role that the federated users assume")
    if service != "iam":
        _refuse(arn, "list the role or user that should get in, by an ARN of the service iam")
    if not re.fullmatch("aws(-[a-z]+)*", partition):
        _refuse(arn, f"there is no partition {partition!r}: an ARN begins with arn:aws:, in China with arn:aws-cn:")
    if region:
        _refuse(arn, "leave the region empty, with two colons between iam and the account: IAM has no regions")
    if not ACCOUNT.fullmatch(account):
        _refuse(arn, f"an account has 12 digits; here it is {account!r}")
    if kind == "group":
        _refuse(arn, "list the group's users, or a role that they assume: IAM lets no policy name a group")
    if resource != "root" and not (_ROLE_OR_USER.fullmatch(resource) and len(resource) <= _MAX_RESOURCE_CHARACTERS):
        _refuse(arn, "end it with role/NAME, user/NAME or root; a path comes before the name: role/PATH/NAME")


def _refuse_word(text: str, partition: str) -> NoReturn:
    if text == "*":
        _refuse(text, "list the roles, users or accounts; '*' would let everyone in")
    if re.fullmatch("[0-9]+", text):
        _refuse(text, f"an account has 12 digits, this has {len(text)}")
    if text in _IDENTITY_PROVIDERS:
        _refuse(text, "list the role that the federated users assume, not the identity provider")
    if text.endswith((".amazonaws.com", ".amazonaws.com.cn")):
        _refuse(text, "list the role that the service runs as, not the service")
    _refuse(text, f"write the whole ARN: {_arn_of(text, partition)}")


def _arn_of(role: str, partition: str, account: str = "ACCOUNT") -> str:
    """What to list for the name of a role.

    That of a permission set ends differently in each account, and its path in the region of IAM Identity Center, in
    us-east-1 without one: https://docs.aws.amazon.com/singlesignon/latest/userguide/referencingpermissionsets.html
    """
    name = _example(role)
    if name.startswith("AWSReservedSSO_"):
        permission_set = re.sub("_[0-9a-f]{16}$", "", name)
        name = f"aws-reserved/sso.amazonaws.com/*{permission_set}_*"
    return f"arn:{partition}:iam::{account}:role/{name}"


def _example(text: str, otherwise: str = "NAME") -> str:
    """`text` for the example in a message, if it is a name: nothing else is repeated there without quotes."""
    return text if re.fullmatch("[A-Za-z0-9_+=,.@-]{1,64}", text) else otherwise


def _refuse(text: str, fix: str) -> NoReturn:
    raise InvalidValueError(got=repr(text), expected=_EXPECTED, fix=fix)
