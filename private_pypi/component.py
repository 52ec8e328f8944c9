"""The component: it asks the provider where it is, and gives the resources what the pure modules decide."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

import pulumi
import pulumi_aws as aws

from private_pypi import package_groups
from private_pypi.errors import InvalidValueError
from private_pypi.names import Arns
from private_pypi.policies import (
    domain_policy,
    domain_policy_statement,
    everyone,
    publisher_policy,
    reader_policy,
    repository_policy,
)
from private_pypi.principals import Principal, Publisher
from private_pypi.recorded import has_state
from private_pypi.upstreams import upstream_remover

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class PrivatePypiArgs:
    """What a private PyPI is made of. All of it is plain, because it decides names and how many resources there are."""

    domain: str
    """The domain's name: `parse_domain_name` tells what CodeArtifact takes."""
    repository: str = "private-pypi"
    """The repository's name: `parse_repository_name` tells what CodeArtifact takes."""
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
    AWS denies everybody to delete the repository or what is in it."""
    existing_domain: bool = False
    """Whether the domain exists already and is not to be managed: its permissions policy is its owner's to write."""
    domain_owner: str | None = None
    """The account that owns an existing domain, 12 digits; `None` is the caller's."""
    encryption_key: str | None = None
    """The ARN of the KMS key of a new domain, which can never change; `None` is AWS's own key."""
    public_upstream: bool = False
    """Whether packages that the repository lacks come from public PyPI, by way of a repository of their own."""
    internal_packages: Sequence[str] = ()
    """Names and `prefix-*`, as `parse_package` reads them, that never come from public PyPI, in all of the domain; with
    a prefix goes the name that it is itself."""
    attach_identity_policies: bool = False
    """Whether the listed roles of this account get `reader_policy`, which carries what no permissions policy can; in
    another account's domain publishers get `publisher_policy`."""
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    """Tags on the domain, the repositories, the package groups and the attached policies."""

    def __post_init__(self) -> None:
        """Refuse what would be ignored.

        Raises:
            ValueError: there is an owner of a new domain, or a key for an existing one.
        """
        if self.domain_owner and not self.existing_domain:
            raise ValueError("domain_owner is for an existing domain: a new one is the caller's")
        if self.encryption_key and self.existing_domain:
            raise ValueError("encryption_key is for a new domain: an existing one has its key")


class PrivatePypi(pulumi.ComponentResource):
    """A domain and a repository of CodeArtifact, open to readers and publishers."""

    private_pypi_endpoint_url: pulumi.Output[str]
    """The repository endpoint for the format pypi, as CodeArtifact gives it; unknown until the repository exists."""
    index_url: pulumi.Output[str]
    """The index URL for pip, uv and poetry: the endpoint and `simple/`."""
    publish_url: pulumi.Output[str]
    """The publish URL for twine and `uv publish`: the endpoint."""
    domain_name: pulumi.Output[str]
    """The domain's name."""
    domain_owner: pulumi.Output[str]
    """The account that owns the domain, 12 digits."""
    domain_arn: pulumi.Output[str]
    """The domain's ARN."""
    repository_name: pulumi.Output[str]
    """The repository's name."""
    repository_arn: pulumi.Output[str]
    """The repository's ARN."""
    reader_policy: pulumi.Output[str]
    """The identity policy that readers need, and publishers of the domain's account: a document ready to attach."""
    publisher_policy: pulumi.Output[str]
    """The identity policy that publishers of other accounts need: a document ready to attach."""
    domain_policy_statement: pulumi.Output[str] | None = None
    """What the owner of an existing domain adds to its permissions policy: a statement, or a list of them where there
    are several. `None` for a new domain, and when there is nothing to add."""

    def __init__(self, name: str, args: PrivatePypiArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Register the component and its resources, all named after `name`.

        Everything goes through the AWS provider of `opts`, the look-ups of account, region and endpoint too; all but
        the removal of a last upstream (`upstreams`).

        Raises:
            pulumi.RunError: a policy is longer than CodeArtifact takes, or the provider cannot say where it is; nothing
                has been registered.
        """
        arns, account = _look_up_place(args, opts)
        domain_document, repository_document = _documents(args, arns, account)
        super().__init__("private-pypi:index:PrivatePypi", name, {}, opts)

        domain = None if args.existing_domain else self._make_domain(name, args, domain_document)
        repository = self._make_repository(name, args, arns, domain)
        self._set_policy(f"{name}-repository-permissions", args, repository, repository_document)
        # With the repository's outputs and not its names, so that the call waits for the repository to exist.
        endpoint = aws.codeartifact.get_repository_endpoint_output(
            domain=repository.domain,
            domain_owner=args.domain_owner,
            repository=repository.repository,
            format="pypi",
            opts=pulumi.InvokeOptions(parent=self),
        ).repository_endpoint

        reader_document = reader_policy(arns, readers=args.readers, publishers=args.publishers)
        publisher_document = publisher_policy(arns, readers=args.readers, publishers=args.publishers)
        if args.attach_identity_policies:
            documents = {"reader": reader_document, "publisher": publisher_document}
            self._attach(name, args, account, arns.owner, documents)
        if args.public_upstream and not args.internal_packages:
            pulumi.log.warn(
                "publicUpstream is on and internalPackages is empty: name your packages there, or anyone can publish "
                "them on public PyPI first, and theirs are installed.",
                resource=self,
            )

        self.private_pypi_endpoint_url = endpoint
        self.index_url = endpoint.apply(lambda url: f"{url.removesuffix('/')}/simple/")
        self.publish_url = endpoint
        self.domain_name = pulumi.Output.from_input(args.domain)
        self.domain_owner = pulumi.Output.from_input(arns.owner)
        self.domain_arn = pulumi.Output.from_input(arns.domain)
        self.repository_name = pulumi.Output.from_input(args.repository)
        self.repository_arn = pulumi.Output.from_input(arns.repository)
        self.reader_policy = pulumi.Output.from_input(reader_document)
        self.publisher_policy = pulumi.Output.from_input(publisher_document)
        if args.existing_domain and domain_document:
            self.domain_policy_statement = pulumi.Output.from_input(domain_document)
        self.register_outputs(self.outputs)

    def _make_domain(self, name: str, args: PrivatePypiArgs, document: str | None) -> aws.codeartifact.Domain:
        domain = aws.codeartifact.Domain(
            f"{name}-domain",
            domain=args.domain,
            encryption_key=args.encryption_key,
            tags=args.tags or None,
            # Before, because with another key the next one has the same name.
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect, delete_before_replace=True),
        )
        if document:
            aws.codeartifact.DomainPermissions(
                f"{name}-domain-permissions",
                domain=domain.domain,
                policy_document=document,
                opts=pulumi.ResourceOptions(parent=self, deleted_with=domain if args.protect else None),
            )
        return domain

    def _make_package_groups(
        self, name: str, args: PrivatePypiArgs, arns: Arns, domain: aws.codeartifact.Domain | None
    ) -> list[aws.cloudcontrol.Resource]:
        return [
            aws.cloudcontrol.Resource(
                f"{name}-internal-{package}",
                type_name=package_groups.TYPE_NAME,
                desired_state=package_groups.desired_state(
                    package, domain_name=args.domain, domain_owner=args.domain_owner, tags=args.tags
                ),
                # A group cannot move to another domain.
                opts=pulumi.ResourceOptions(parent=self, depends_on=domain, replacement_trigger=arns.domain),
            )
            for package in package_groups.distinct(args.internal_packages)
        ]

    def _make_store(
        self, name: str, args: PrivatePypiArgs, arns: Arns, domain_name: pulumi.Input[str], opts: pulumi.ResourceOptions
    ) -> aws.codeartifact.Repository:
        store = aws.codeartifact.Repository(
            f"{name}-store",
            domain=domain_name,
            domain_owner=args.domain_owner,
            repository=arns.store.repository_name,
            description=f"Packages of public PyPI for {args.repository}",
            external_connections={"external_connection_name": "public:pypi"},
            tags=args.tags or None,
            opts=opts,
        )
        if args.closed_publishing:  # what is published to the store is installed like what is published here
            document = repository_policy(arns.store, readers=(), publishers=(), closed_publishing=True, protect=False)
            self._set_policy(f"{name}-store-permissions", args, store, document)
        return store

    def _make_repository(
        self, name: str, args: PrivatePypiArgs, arns: Arns, domain: aws.codeartifact.Domain | None
    ) -> aws.codeartifact.Repository:
        """The repository, its store and the package groups: these first, to be there before public PyPI is let in."""
        domain_name = domain.domain if domain else args.domain
        groups = self._make_package_groups(name, args, arns, domain)
        upstreams: list[aws.codeartifact.RepositoryUpstreamArgs] | None = None
        hooks: pulumi.ResourceHookBinding | None = None
        if args.public_upstream:
            opts = pulumi.ResourceOptions(parent=self, depends_on=groups)
            store = self._make_store(name, args, arns, domain_name, opts)
            upstreams = [aws.codeartifact.RepositoryUpstreamArgs(repository_name=store.repository)]
        elif has_state():  # for hooks a server is started, which the offline preview need not wait for
            hook = pulumi.ResourceHook(f"remove-upstreams {arns.repository}", upstream_remover(arns))
            hooks = pulumi.ResourceHookBinding(before_update=[hook])
        return aws.codeartifact.Repository(
            f"{name}-repository",
            domain=domain_name,
            domain_owner=args.domain_owner,
            repository=args.repository,
            description=args.description,
            upstreams=upstreams,
            tags=args.tags or None,
            # Before, because then Pulumi takes its policy away first, and with it what that denies.
            opts=pulumi.ResourceOptions(
                parent=self, protect=args.protect, depends_on=groups, hooks=hooks, delete_before_replace=True
            ),
        )

    def _set_policy(
        self, name: str, args: PrivatePypiArgs, repository: aws.codeartifact.Repository, document: str | None
    ) -> None:
        """Set the permissions policy of a repository, if it has one.

        While packages are protected it goes with the repository and not before it: whoever forces Pulumi to delete the
        one would first lose the Deny in the other.
        """
        if document:
            aws.codeartifact.RepositoryPermissionsPolicy(
                name,
                domain=repository.domain,
                domain_owner=args.domain_owner,
                repository=repository.repository,
                policy_document=document,
                opts=pulumi.ResourceOptions(parent=self, deleted_with=repository if args.protect else None),
            )

    def _attach(self, name: str, args: PrivatePypiArgs, account: str, owner: str, documents: Mapping[str, str]) -> None:
        """Attach the identity policies to the roles of `account`, and say to whom else they would have to be attached.

        In the domain's account publishers need no more than readers, in another one the right to publish too.
        """
        left_out = everyone(args.readers, args.publishers)
        publishers = everyone([], args.publishers) if account != owner else set[Principal]()
        for kind, principals in (("reader", left_out - publishers), ("publisher", publishers)):
            roles = {each: role for each in principals if (role := each.role_name) and each.account == account}
            left_out = left_out - roles.keys()
            if roles:
                policy = aws.iam.Policy(
                    f"{name}-{kind}-policy",
                    policy=documents[kind],
                    tags=args.tags or None,
                    opts=pulumi.ResourceOptions(parent=self),
                )
                for role in sorted({*roles.values()}):
                    aws.iam.RolePolicyAttachment(
                        f"{name}-{kind}-policy-{role}",
                        role=role,
                        policy_arn=policy.arn,
                        opts=pulumi.ResourceOptions(parent=self),
                    )
        if left_out:
            names = "\n".join(sorted(principal.name for principal in left_out))
            pulumi.log.warn(
                f"attachIdentityPolicies is for roles of account {account} and leaves out what is listed below. "
                "Attach the output reader_policy there, to publishers of other accounts than the domain's "
                f"publisher_policy, and where a publisher is the domain's account itself a right to publish.\n{names}",
                resource=self,
            )

    @property
    def outputs(self) -> dict[str, pulumi.Output[str]]:
        """Every output that there is, by its name: what a program exports."""
        outputs = {name: getattr(self, name) for name in PrivatePypi.__annotations__}
        return {name: value for name, value in outputs.items() if value is not None}


def _documents(args: PrivatePypiArgs, arns: Arns, account: str) -> tuple[str | None, str | None]:
    """What the domain's permissions policy is, or its owner adds to it, and the repository's.

    Raises:
        pulumi.RunError: one of them is longer than CodeArtifact takes.
    """
    readers, publishers = args.readers, args.publishers
    of_domain = partial(domain_policy, arns, readers=readers, publishers=publishers)
    if args.existing_domain:
        repositories = [arns.repository, *([arns.store.repository] if args.public_upstream else [])]
        of_domain = partial(
            domain_policy_statement,
            arns,
            readers=readers,
            publishers=publishers,
            account=account,
            repository_arns=repositories,
        )
    of_repository = partial(
        repository_policy,
        arns,
        readers=readers,
        publishers=publishers,
        closed_publishing=args.closed_publishing,
        protect=args.protect,
    )
    documents: list[str | None] = []
    mistakes: list[str] = []
    for decide in (of_domain, of_repository):
        try:
            documents.append(decide())
        except InvalidValueError as error:
            mistakes.append(f"private-pypi:readers and private-pypi:publishers: {error}")
    refuse(mistakes)
    domain_document, repository_document = documents
    return domain_document, repository_document


def refuse(mistakes: Sequence[str]) -> None:
    """Raise for all mistakes at once, if there are any; a mistake begins with the config key that it is in.

    Raises:
        pulumi.RunError: there are mistakes.
    """
    if mistakes:
        count = "a mistake" if len(mistakes) == 1 else f"{len(mistakes)} mistakes"
        raise pulumi.RunError("\n".join([f"{count} in the config; nothing was changed.", *mistakes]))


def look_up_region() -> str:
    """The region of the default provider, for a stack whose config does not name one."""
    return _ask(aws.get_region, None).region


def _look_up_place(args: PrivatePypiArgs, opts: pulumi.ResourceOptions | None) -> tuple[Arns, str]:
    """The ARNs, and the caller's account."""
    # Plain calls, before the component is registered: ARNs as strings make the documents known at preview.
    provider = _aws_provider(opts or pulumi.ResourceOptions())
    account = _ask(aws.get_caller_identity, provider).account_id
    arns = Arns(
        partition=_ask(aws.get_partition, provider).partition,
        region=_ask(aws.get_region, provider).region,
        owner=args.domain_owner or account,
        domain_name=args.domain,
        repository_name=args.repository,
    )
    return arns, account


def _ask(function: Callable[..., T], provider: pulumi.InvokeOptions | None) -> T:
    """Call a provider function. That it cannot answer, for want of credentials say, is for the user to mend."""
    try:
        return function(opts=provider)
    except Exception as error:  # noqa: BLE001  what the SDK raises has no type of its own
        raise pulumi.RunError(str(error)) from None


def _aws_provider(opts: pulumi.ResourceOptions) -> pulumi.InvokeOptions:
    """The provider that children of a component with `opts` get, before there is a component to be their parent."""
    several = opts.providers or ()
    given = [opts.provider, *(several.values() if isinstance(several, Mapping) else several)]
    provider = next((each for each in given if each and each.package == "aws"), None)
    return pulumi.InvokeOptions(parent=opts.parent, provider=provider)
