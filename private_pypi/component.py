"""The component: it asks the provider where it is, and gives the resources what the pure modules decide."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

from private_pypi.names import Arns
from private_pypi.policies import domain_policy, repository_policy
from private_pypi.principals import Principal


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
    publishers: Sequence[Principal] = ()
    """Who may install and publish."""
    protect: bool = True
    """Whether Pulumi refuses to delete or replace the domain and the repository, and so to lose what was published."""


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

    def __init__(self, name: str, args: PrivatePypiArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Register the component and its resources, all named after `name`.

        Everything goes through the AWS provider of `opts`, the look-ups of account, region and endpoint too.
        """
        arns = _look_up_arns(args, opts)
        super().__init__("private-pypi:index:PrivatePypi", name, {}, opts)

        domain = aws.codeartifact.Domain(
            f"{name}-domain",
            domain=args.domain,
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        if document := domain_policy(arns, readers=args.readers, publishers=args.publishers):
            aws.codeartifact.DomainPermissions(
                f"{name}-domain-permissions",
                domain=domain.domain,
                policy_document=document,
                opts=pulumi.ResourceOptions(parent=self),
            )
        repository = aws.codeartifact.Repository(
            f"{name}-repository",
            domain=domain.domain,
            repository=args.repository,
            description=args.description,
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        if document := repository_policy(arns, readers=args.readers, publishers=args.publishers):
            aws.codeartifact.RepositoryPermissionsPolicy(
                f"{name}-repository-permissions",
                domain=repository.domain,
                repository=repository.repository,
                policy_document=document,
                opts=pulumi.ResourceOptions(parent=self),
            )
        # With the repository's outputs and not its names, so that the call waits for the repository to exist.
        endpoint = aws.codeartifact.get_repository_endpoint_output(
            domain=repository.domain,
            repository=repository.repository,
            format="pypi",
            opts=pulumi.InvokeOptions(parent=self),
        ).repository_endpoint

        self.private_pypi_endpoint_url = endpoint
        self.index_url = endpoint.apply(lambda url: f"{url.removesuffix('/')}/simple/")
        self.publish_url = endpoint
        self.domain_name = pulumi.Output.from_input(args.domain)
        self.domain_owner = pulumi.Output.from_input(arns.owner)
        self.domain_arn = pulumi.Output.from_input(arns.domain)
        self.repository_name = pulumi.Output.from_input(args.repository)
        self.repository_arn = pulumi.Output.from_input(arns.repository)
        self.register_outputs(self.outputs)

    @property
    def outputs(self) -> dict[str, pulumi.Output[str]]:
        """Every output by its name: what a program exports."""
        return {name: getattr(self, name) for name in PrivatePypi.__annotations__}


def look_up_region() -> str:
    """The region of the default provider, for a stack whose config does not name one."""
    return aws.get_region().region


def _look_up_arns(args: PrivatePypiArgs, opts: pulumi.ResourceOptions | None) -> Arns:
    # Plain calls, before the component is registered: ARNs as strings make the documents known at preview.
    provider = _aws_provider(opts or pulumi.ResourceOptions())
    return Arns(
        partition=aws.get_partition(opts=provider).partition,
        region=aws.get_region(opts=provider).region,
        owner=aws.get_caller_identity(opts=provider).account_id,
        domain_name=args.domain,
        repository_name=args.repository,
    )


def _aws_provider(opts: pulumi.ResourceOptions) -> pulumi.InvokeOptions:
    """The provider that children of a component with `opts` get, before there is a component to be their parent."""
    several = opts.providers or ()
    given = [opts.provider, *(several.values() if isinstance(several, Mapping) else several)]
    provider = next((each for each in given if each and each.package == "aws"), None)
    return pulumi.InvokeOptions(parent=opts.parent, provider=provider)
