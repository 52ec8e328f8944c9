"""The component: it asks the provider where it is, and gives the resources what the pure modules decide."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

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
    """Names and `prefix-*`, as `parse_package` reads them, that never come from public PyPI, in all of the domain."""
    attach_identity_policies: bool = False
    """Whether the listed roles of this account get `reader_policy`, which carries what no permissions policy can; in
    another account's domain publishers get `publisher_policy`."""
    tags: Mapping[str, str] = field(default_factory=dict[str, str])
    """Tags on the domain, the repositories, the package groups and the attached policies."""


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
    """The identity policy that readers need, and publishers of this account: a document ready to attach."""
    publisher_policy: pulumi.Output[str]
    """The identity policy that publishers of other accounts need: a document ready to attach."""
    encryption_key: pulumi.Output[str] | None = None
    """The ARN of the KMS key of the domain; `None` for AWS's own key."""
    domain_policy_statement: pulumi.Output[str] | None = None
    """What the owner of an existing domain adds to its permissions policy: a statement, or a list of them where there
    are several. `None` for a new domain, and when there is nothing to add."""

    def __init__(self, name: str, args: PrivatePypiArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Register the component and its resources, all named after `name`.

        Everything goes through the AWS provider of `opts`, the look-ups of account, region and endpoint too.

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
            self._attach(name, args, account, reader_document, publisher_document if account != arns.owner else None)
        if args.public_upstream and not args.internal_packages:
            pulumi.log.warn(
                "publicUpstream is on and internalPackages is empty: whoever publishes the name of one of your "
                "packages on public PyPI, with a higher version, has theirs installed. Name your packages in "
                "internalPackages, or the prefix of their names.",
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
        if args.encryption_key:
            self.encryption_key = pulumi.Output.from_input(args.encryption_key)
        if args.existing_domain and domain_document:
            self.domain_policy_statement = pulumi.Output.from_input(domain_document)
        self.register_outputs(self.outputs)

    def _make_domain(self, name: str, args: PrivatePypiArgs, document: str | None) -> aws.codeartifact.Domain:
        domain = aws.codeartifact.Domain(
            f"{name}-domain",
            domain=args.domain,
            encryption_key=args.encryption_key,
            tags=args.tags or None,
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        if document:
            aws.codeartifact.DomainPermissions(
                f"{name}-domain-permissions",
                domain=domain.domain,
                policy_document=document,
                opts=pulumi.ResourceOptions(parent=self),
            )
        return domain

    def _make_repository(
        self, name: str, args: PrivatePypiArgs, arns: Arns, domain: aws.codeartifact.Domain | None
    ) -> aws.codeartifact.Repository:
        """The repository and its store, after the package groups: names are reserved before public PyPI is let in."""
        groups = [
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
        domain_name = domain.domain if domain else args.domain
        upstreams: list[aws.codeartifact.RepositoryUpstreamArgs] = []
        hooks = None
        if args.public_upstream:
            store = aws.codeartifact.Repository(
                f"{name}-store",
                domain=domain_name,
                domain_owner=args.domain_owner,
                repository=arns.store.repository_name,
                description=f"Packages of public PyPI for {args.repository}",
                external_connections={"external_connection_name": "public:pypi"},
                tags=args.tags or None,
                opts=pulumi.ResourceOptions(parent=self, depends_on=groups),
            )
            upstreams = [aws.codeartifact.RepositoryUpstreamArgs(repository_name=store.repository)]
            if args.closed_publishing:  # what is published to the store could be installed like what is published here
                document = repository_policy(
                    arns.store, readers=(), publishers=(), closed_publishing=True, protect=False
                )
                self._set_policy(f"{name}-store-permissions", args, store, document)
        else:
            hook = pulumi.ResourceHook(f"{name}-remove-upstreams", upstream_remover(arns))
            hooks = pulumi.ResourceHookBinding(before_update=[hook])
        return aws.codeartifact.Repository(
            f"{name}-repository",
            domain=domain_name,
            domain_owner=args.domain_owner,
            repository=args.repository,
            description=args.description,
            upstreams=upstreams or None,
            tags=args.tags or None,
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect, depends_on=groups, hooks=hooks),
        )

    def _set_policy(
        self, name: str, args: PrivatePypiArgs, repository: aws.codeartifact.Repository, document: str | None
    ) -> None:
        if document:
            aws.codeartifact.RepositoryPermissionsPolicy(
                name,
                domain=repository.domain,
                domain_owner=args.domain_owner,
                repository=repository.repository,
                policy_document=document,
                opts=pulumi.ResourceOptions(parent=self),
            )

    def _attach(
        self, name: str, args: PrivatePypiArgs, account: str, reader_document: str, publisher_document: str | None
    ) -> None:
        """Attach the identity policies to the roles of `account`, and say to whom else they would have to be attached.

        Without a document of their own, publishers are attached that of readers.
        """
        left_out = everyone(args.readers, args.publishers)
        publishers = everyone([], args.publishers) if publisher_document else set[Principal]()
        for kind, document, principals in (
            ("reader", reader_document, left_out - publishers),
            ("publisher", publisher_document, publishers),
        ):
            roles = {each: role for each in principals if (role := each.role_name) and each.account == account}
            left_out = left_out - roles.keys()
            if roles and document:
                policy = aws.iam.Policy(
                    f"{name}-{kind}-policy",
                    policy=document,
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


def _documents(args: PrivatePypiArgs, arns: Arns, account: str) -> list[str | None]:
    """What the domain's permissions policy is, or its owner adds to it, and the repository's.

    Raises:
        pulumi.RunError: one of them is longer than CodeArtifact takes.
    """
    access: dict[str, Any] = {"readers": args.readers, "publishers": args.publishers}
    of_domain = domain_policy
    if args.existing_domain:
        repositories = [arns.repository, *([arns.store.repository] if args.public_upstream else [])]
        of_domain = partial(domain_policy_statement, account=account, repository_arns=repositories)
    of_repository = partial(repository_policy, closed_publishing=args.closed_publishing, protect=args.protect)
    documents: list[str | None] = []
    mistakes: list[str] = []
    for policy in (of_domain, of_repository):
        try:
            documents.append(policy(arns, **access))
        except InvalidValueError as error:
            mistakes.append(f"private-pypi:readers and private-pypi:publishers: {error}")
    refuse(mistakes)
    return documents


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
