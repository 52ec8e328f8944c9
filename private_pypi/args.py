"""What a private PyPI is made of: the component's arguments, valid by construction for YAML and for Python alike."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields
from functools import partial
from typing import Any, Self, TypeVar, cast

from private_pypi.arns import partition_of, store_name
from private_pypi.errors import InvalidValueError, Mistakes, describe, nearest, parse_items, printable, wrong_type
from private_pypi.keys import key_of
from private_pypi.names import (
    MAX_TAGS,
    parse_account,
    parse_description,
    parse_domain_name,
    parse_key_arn,
    parse_package,
    parse_policy_arn,
    parse_repository_name,
    parse_tag_key,
    parse_tag_value,
)
from private_pypi.principals import Principal, Publisher
from private_pypi.statements import DomainStatement, refused_sids
from private_pypi.workloads import KEYS as WORKLOAD_KEYS
from private_pypi.workloads import Workload, parse_provider, refuse_every_job, refuse_mixture

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True, init=False)
class PrivatePypiArgs:
    """What a private PyPI is made of. All of it is plain, because it decides names and how many resources there are."""

    domain: str
    """The domain's name, as `parse_domain_name` checks it."""
    repository: str
    """The repository's name, as `parse_repository_name` checks it."""
    description: str
    """The repository's description, up to 1,000 characters."""
    readers: tuple[Principal | Workload, ...]
    """Who may install: principals, and CI workloads, each by an IAM role that is made for it."""
    publishers: tuple[Publisher | Workload, ...]
    """Who may install, and publish everything or some packages. A workload that is a reader too has one role."""
    list_packages: bool
    """Whether whoever may install may also list and describe packages by API."""
    closed_publishing: bool
    """Whether nobody but the publishers may publish, whatever their own IAM policies say about publishing."""
    protect: bool
    """Whether published packages cannot be lost: Pulumi refuses to delete or replace the domain and the repository, and
    AWS refuses to delete the repository or what is in it, whoever asks."""
    existing_domain: bool
    """Whether the domain exists already and is not managed here: its owner writes its permissions policy."""
    domain_owner: str | None
    """The account that owns an existing domain, 12 digits; `None` is the caller's."""
    domain_statements: tuple[DomainStatement, ...]
    """What others need in the permissions policy of a new domain: the output `domain_policy_statements` of their
    stacks."""
    encryption_key: str | None
    """The ARN of the KMS key of a new domain, which can never change; `None` is AWS's own key."""
    public_upstream: bool
    """Whether packages that the repository lacks come from public PyPI, by way of a repository of their own."""
    internal_packages: tuple[str, ...]
    """Names and `prefix-*`, as `parse_package` reads them, that never come from public PyPI, in the whole domain.
    `acme-*` is also the name `acme`."""
    attach_identity_policies: bool
    """Whether `reader_policy`, which carries what no permissions policy can, is attached to the listed roles of this
    account. In another account's domain publishers get their own of `publisher_policies` instead."""
    make_oidc_providers: tuple[str, ...]
    """The account's OpenID Connect providers that are made: `github`, or the host of a GitLab. An account has one of
    each: it may be there already."""
    permissions_boundary: str | None
    """The ARN of the policy that is the permissions boundary of every role that is made; `None` is none."""
    tags: Mapping[str, str]
    """Tags on the domain, the repositories, the package groups, and what is made in IAM."""
    namespace: str | None = field(compare=False)
    """The namespace of the stack config that all of this is from; `None` where it is written in Python."""

    def __init__(  # noqa: PLR0913  one for each of what there is to say
        self,
        *,
        domain: str,
        repository: str = "private-pypi",
        description: str = "Private PyPI repository",
        readers: Iterable[Principal | Workload | str] = (),
        publishers: Iterable[Publisher | Principal | Workload | str] = (),
        list_packages: bool = False,
        closed_publishing: bool = False,
        protect: bool = True,
        existing_domain: bool = False,
        domain_owner: str | None = None,
        domain_statements: Iterable[DomainStatement | Mapping[str, Any]] = (),
        encryption_key: str | None = None,
        public_upstream: bool = False,
        internal_packages: Iterable[str] = (),
        attach_identity_policies: bool = False,
        make_oidc_providers: Iterable[str] = (),
        permissions_boundary: str | None = None,
        tags: Mapping[str, str] | None = None,
        namespace: str | None = None,
        region: str | None = None,
        account: str | None = None,
    ) -> None:
        """Read and check everything. Where a principal or a package is expected, its text will do.

        The component checks what depends on the `region`, in which all this will be: the partition of the principals,
        which claims of workloads STS takes there, the region of the key, and that the domain's statements are about
        this domain. And what depends on the `account` that deploys it: whose domain it is, and whose permissions
        boundary. Where they are known already, that is checked here.

        Raises:
            InvalidArgsError: there are mistakes; it has all of them.
        """
        given = locals()
        place = _text_of(region)
        partition = partition_of(place) if place else None
        seen: dict[tuple[str, str], Workload] = {}
        parsers: dict[str, Callable[[Any], object]] = {
            "domain": parse_domain_name,
            "repository": partial(_parse_repository, has_store=public_upstream is True),
            "description": parse_description,
            "readers": partial(_parse_entries, parse=partial(_parse_reader, partition=partition), seen=seen),
            "publishers": partial(_parse_entries, parse=partial(_parse_publisher, partition=partition), seen=seen),
            "domain_owner": partial(_parse_owner, is_new=existing_domain is False),
            "domain_statements": partial(
                _parse_statements,
                is_new=existing_domain is not True,
                parse=partial(
                    DomainStatement.parse,
                    domain=_text_of(domain),
                    partition=partition,
                    region=place,
                    owner=account,
                ),
            ),
            "encryption_key": partial(
                _parse_key, is_new=existing_domain is not True, partition=partition, region=place
            ),
            "internal_packages": partial(_parse_internal, owner=_text_of(domain_owner), account=account),
            "make_oidc_providers": _parse_providers,
            "permissions_boundary": partial(_parse_boundary, partition=partition, account=account),
            "tags": _parse_tags,
            "namespace": partial(_parse_plain, expected="the namespace of the config"),
        }
        mistakes = Mistakes()
        mistakes.read("region", region, partial(_parse_plain, expected="the name of a region (us-west-2)"), None)
        for each in fields(self):
            parse = parsers.get(each.name, _parse_boolean)
            object.__setattr__(self, each.name, mistakes.read(each.name, given[each.name], parse, None))
        mistakes.finish()

    def at(self, region: str, account: str | None = None) -> Self:
        """The same, checked for a region, in whose partition accounts are named by their ARNs, and a deploying account.

        Raises:
            InvalidArgsError: a principal is of another partition, the key of another region, or a statement about
                another domain; or there are internal packages in the domain of another account.
        """
        given = {each.name: getattr(self, each.name) for each in fields(self)}
        return type(self)(**given, region=region, account=account)

    def name_of(self, path: str) -> str:
        """How a field, or what is in it, is called where it was written: in a config `private-pypi:readers[0]`."""
        return f"{self.namespace}:{key_of(path)}" if self.namespace else path

    def says(self, field_name: str, *, value: bool) -> str:
        """How a field is given a value where it was written, after the word `set`."""
        name = self.name_of(field_name)
        return f"{name} to {describe(value)}" if self.namespace else f"{name}={value}"


def _parse_boolean(value: object) -> bool:
    if not isinstance(value, bool):
        raise wrong_type(value, expected="true or false", fix="write one of these; in Python True or False")
    return value


def _parse_repository(value: object, *, has_store: bool) -> str:
    name = parse_repository_name(value)
    if has_store:
        parse_repository_name(store_name(name))
    return name


def _parse_owner(value: object, *, is_new: bool) -> str | None:
    """The owner of an existing domain; that of a new one is the caller."""
    if value is None:
        return None
    owner = parse_account(value)
    if is_new:
        expected, fix = "the owner of an existing domain", "take it out, or set existingDomain to true"
        raise InvalidValueError(got=f"{owner!r} for a new domain", expected=expected, fix=fix)
    return owner


def _parse_statements(
    value: object, *, is_new: bool, parse: Callable[[object], DomainStatement]
) -> tuple[DomainStatement, ...]:
    """Statements for the policy of a new domain; that of an existing one is its owner's."""
    mistakes = Mistakes()
    statements = mistakes.items(value, parse)
    for index, mistake in refused_sids(statements):
        mistakes.add(f"[{index}]", mistake)
    mistakes.finish()
    if statements and not is_new:
        got = "1 statement" if len(statements) == 1 else f"{len(statements)} statements"
        fix = "take them out, and give them to the domain's owner"
        expected = "statements for the policy of a new domain"
        raise InvalidValueError(got=f"{got} for an existing domain", expected=expected, fix=fix)
    return tuple(each for each in statements if each)


def _parse_key(value: object, *, is_new: bool, partition: str | None, region: str | None) -> str | None:
    """The key of a new domain; an existing one has its own."""
    if value is None:
        return None
    key = parse_key_arn(value, partition=partition, region=region)
    if not is_new:
        expected, fix = "the key of a new domain", "take it out: an existing domain keeps the key it was made with"
        raise InvalidValueError(got=f"{key!r} for an existing domain", expected=expected, fix=fix)
    return key


def _parse_internal(value: object, *, owner: str | None, account: str | None) -> tuple[str, ...]:
    """Internal packages, in a domain of the deploying account alone.

    To delete a package group, CloudFormation's handler names no domain owner. So it would leave that of another
    account's domain, and delete the one of the same pattern in a domain of the same name in its own account.
    """
    packages = parse_items(value, parse=parse_package)
    if packages and account and owner not in {None, account}:
        raise InvalidValueError(
            got=f"{', '.join(packages)} in the domain of account {owner}",
            expected=f"none but in a domain of the account you deploy in, {account}: there AWS would look for a group "
            "that is to be deleted",
            fix="take them out, and have the domain's owner make the package groups",
        )
    return packages


def _parse_entries(value: object, parse: Callable[[object], T], seen: dict[tuple[str, str], Workload]) -> tuple[T, ...]:
    """Readers or publishers; `seen` has the workloads of entries before these, of the other list too."""
    mistakes = Mistakes()
    entries = mistakes.items(value, parse)
    for index, entry in enumerate(entries):
        if isinstance(entry, Workload):
            mistakes.read(f"[{index}]", entry, partial(refuse_mixture, before=seen), None)
    mistakes.finish()
    return tuple(cast("list[T]", entries))


def _parse_reader(value: object, partition: str | None) -> Principal | Workload:
    if not isinstance(value, Workload | Mapping):
        return Principal.parse(value, partition=partition)
    if isinstance(value, Mapping) and "principal" in value:
        fix = "write the principal alone: a reader installs everything"
        raise wrong_type(cast("object", value), expected="a principal, or a map that names a CI workload", fix=fix)
    workload = Workload.parse(cast("object", value), partition=partition)
    if workload.packages is not None:
        mistakes = Mistakes()
        got, fix = "packages of a reader", "take it out: a reader installs everything and publishes nothing"
        mistakes.add("packages", InvalidValueError(got=got, expected="packages of publishers alone", fix=fix))
        mistakes.finish()
    return workload


def _parse_publisher(value: object, partition: str | None) -> Publisher | Workload:
    if not (isinstance(value, Workload) or _is_of_workload(value)):
        return Publisher.parse(value, partition=partition)
    workload = Workload.parse(value, partition=partition)
    refuse_every_job(workload)
    return workload


def _is_of_workload(value: object) -> bool:
    """Whether a map is for a workload, perhaps a misspelled one; else it is for a principal."""
    if not isinstance(value, Mapping) or "principal" in value:
        return False
    return any(
        nearest(str(key), [*WORKLOAD_KEYS]) in WORKLOAD_KEYS.keys() - {"packages"}
        for key in cast("Mapping[object, object]", value)
    )


def _text_of(value: object) -> str | None:
    """What other rules can go by; of what is no text, that is the mistake."""
    return value if isinstance(value, str) else None


def _parse_plain(value: object, expected: str) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not value.isprintable():
        raise wrong_type(value, expected=expected, fix="pass it as one text")
    return value


def _parse_providers(value: object) -> tuple[str, ...]:
    return tuple(dict.fromkeys(parse_items(value, parse=parse_provider)))


def _parse_boundary(value: object, *, partition: str | None, account: str | None) -> str | None:
    return None if value is None else parse_policy_arn(value, partition=partition, account=account)


def _parse_tags(value: object) -> Mapping[str, str]:
    if value is None:
        return {}
    if not isinstance(value, Mapping):
        fix = "write each tag on its own line: the key, a colon and the value"
        raise wrong_type(value, expected="a map of strings", fix=fix)
    given = cast("Mapping[object, object]", value)
    if len(given) > MAX_TAGS:
        raise InvalidValueError(got=f"{len(given)} tags", expected=f"up to {MAX_TAGS}", fix="take some out")
    mistakes = Mistakes()
    tags: dict[str, str] = {}
    for key, text in given.items():
        path = printable(str(key))
        name = mistakes.read(path, key, parse_tag_key, None)
        if name is not None:
            tags[name] = mistakes.read(path, text, parse_tag_value, "")
    mistakes.finish()
    return tags
