"""What a private PyPI is made of: the component's arguments, and which of them go together."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from private_pypi.errors import InvalidValueError, describe
from private_pypi.keys import KEYS, NAMESPACE
from private_pypi.principals import Principal, Publisher
from private_pypi.workloads import GithubPublisher, refused_mixtures


@dataclass(frozen=True, kw_only=True, slots=True)
class PrivatePypiArgs:
    """What a private PyPI is made of. All of it is plain, because it decides names and how many resources there are."""

    domain: str
    """The domain's name, as `parse_domain_name` checks it."""
    repository: str = "private-pypi"
    """The repository's name, as `parse_repository_name` checks it."""
    description: str = "Private PyPI repository"
    """The repository's description, up to 1,000 characters."""
    readers: Sequence[Principal] = ()
    """Who may install."""
    publishers: Sequence[Publisher] = ()
    """Who may install, and publish everything or some packages."""
    closed_publishing: bool = False
    """Whether nobody but the publishers may publish, whatever their own IAM policies say about publishing."""
    protect: bool = True
    """Whether published packages cannot be lost: Pulumi refuses to delete or replace the domain and the repository, and
    AWS refuses to delete the repository or what is in it, whoever asks."""
    existing_domain: bool = False
    """Whether the domain exists already and is not managed here: its owner writes its permissions policy."""
    domain_owner: str | None = None
    """The account that owns an existing domain, 12 digits; `None` is the caller's."""
    encryption_key: str | None = None
    """The ARN of the KMS key of a new domain, which can never change; `None` is AWS's own key."""
    public_upstream: bool = False
    """Whether packages that the repository lacks come from public PyPI, by way of a repository of their own."""
    internal_packages: Sequence[str] = ()
    """Names and `prefix-*`, as `parse_package` reads them, that never come from public PyPI, in the whole domain.
    `acme-*` is also the name `acme`."""
    attach_identity_policies: bool = False
    """Whether `reader_policy`, which carries what no permissions policy can, is attached to the listed roles of this
    account. In another account's domain publishers get `publisher_policy` instead."""
    github_publishers: Sequence[GithubPublisher] = ()
    """GitHub Actions workflows that may install and publish, each by an IAM role that is made for it."""
    make_github_oidc_provider: bool = False
    """Whether the account's OpenID Connect provider for GitHub is made. An account has one: it may be there already."""
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    """Tags on the domain, the repositories, the package groups, and what is made in IAM."""

    def __post_init__(self) -> None:
        """Refuse what would be ignored, and what would trust a repository in two ways.

        Raises:
            InvalidValueError: there is an owner of a new domain, a key for an existing one, or a repository that stands
                in two spellings or with different ids in `github_publishers`.
        """
        refuse_ignored(
            existing_domain=self.existing_domain, domain_owner=self.domain_owner, encryption_key=self.encryption_key
        )
        for _, mistake in refused_mixtures(self.github_publishers):
            raise mistake

    def name_of(self, field_name: str) -> str:
        """How the user wrote a field, for messages."""
        return next(f"{NAMESPACE}:{name}" for name, key in KEYS.items() if key.field == field_name)

    def says(self, field_name: str, *, value: bool) -> str:
        """How the user gives a field a value, for messages: after `set`."""
        return f"{self.name_of(field_name)} to {describe(value)}"


def refuse_ignored(
    *, existing_domain: bool, domain_owner: str | None = None, encryption_key: str | None = None
) -> None:
    """Refuse an owner of a new domain, which is the caller, and a key for an existing one, which has its own.

    Raises:
        InvalidValueError: there is one.
    """
    if domain_owner and not existing_domain:
        expected, fix = "the owner of an existing domain", "take it out, or set existingDomain to true"
        raise InvalidValueError(got=f"{domain_owner!r} for a new domain", expected=expected, fix=fix)
    if encryption_key and existing_domain:
        expected, fix = "the key of a new domain", "take it out: an existing domain keeps the key it was made with"
        raise InvalidValueError(got=f"{encryption_key!r} for an existing domain", expected=expected, fix=fix)
