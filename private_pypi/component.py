"""The component: it asks the provider where it is, and gives the resources what the pure modules decide."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import pulumi
import pulumi_aws as aws

from private_pypi.errors import InvalidValueError
from private_pypi.names import Arns
from private_pypi.policies import domain_policy, everyone, publisher_policy, reader_policy, repository_policy
from private_pypi.principals import Principal, Publisher

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
    """Whether Pulumi refuses to delete or replace the domain and the repository, and so to lose what was published."""
    attach_identity_policies: bool = False
    """Whether the listed roles of this account get `reader_policy`, which carries what no permissions policy can."""


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

    def __init__(self, name: str, args: PrivatePypiArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Register the component and its resources, all named after `name`.

        Everything goes through the AWS provider of `opts`, the look-ups of account, region and endpoint too.

        Raises:
            pulumi.RunError: a policy is longer than CodeArtifact takes, or the provider cannot say where it is; nothing
                has been registered.
        """
        arns = _look_up_arns(args, opts)
        readers, publishers = args.readers, args.publishers
        documents: list[str | None] = []
        mistakes: list[str] = []
        for policy in (domain_policy, partial(repository_policy, closed_publishing=args.closed_publishing)):
            try:
                documents.append(policy(arns, readers=readers, publishers=publishers))
            except InvalidValueError as error:
                mistakes.append(f"private-pypi:readers and private-pypi:publishers: {error}")
        refuse(mistakes)
        domain_document, repository_document = documents
        super().__init__("private-pypi:index:PrivatePypi", name, {}, opts)

        domain = aws.codeartifact.Domain(
            f"{name}-domain",
            domain=args.domain,
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        if domain_document:
            aws.codeartifact.DomainPermissions(
                f"{name}-domain-permissions",
                domain=domain.domain,
                policy_document=domain_document,
                opts=pulumi.ResourceOptions(parent=self),
            )
        repository = aws.codeartifact.Repository(
            f"{name}-repository",
            domain=domain.domain,
            repository=args.repository,
            description=args.description,
            opts=pulumi.ResourceOptions(parent=self, protect=args.protect),
        )
        if repository_document:
            aws.codeartifact.RepositoryPermissionsPolicy(
                f"{name}-repository-permissions",
                domain=repository.domain,
                repository=repository.repository,
                policy_document=repository_document,
                opts=pulumi.ResourceOptions(parent=self),
            )
        # With the repository's outputs and not its names, so that the call waits for the repository to exist.
        endpoint = aws.codeartifact.get_repository_endpoint_output(
            domain=repository.domain,
            repository=repository.repository,
            format="pypi",
            opts=pulumi.InvokeOptions(parent=self),
        ).repository_endpoint

        reader_document = reader_policy(arns, readers=readers, publishers=publishers)
        if args.attach_identity_policies:
            self._attach(name, reader_document, everyone(readers, publishers), arns.owner)

        self.private_pypi_endpoint_url = endpoint
        self.index_url = endpoint.apply(lambda url: f"{url.removesuffix('/')}/simple/")
        self.publish_url = endpoint
        self.domain_name = pulumi.Output.from_input(args.domain)
        self.domain_owner = pulumi.Output.from_input(arns.owner)
        self.domain_arn = pulumi.Output.from_input(arns.domain)
        self.repository_name = pulumi.Output.from_input(args.repository)
        self.repository_arn = pulumi.Output.from_input(arns.repository)
        self.reader_policy = pulumi.Output.from_input(reader_document)
        self.publisher_policy = pulumi.Output.from_input(publisher_policy(arns, readers=readers, publishers=publishers))
        self.register_outputs(self.outputs)

    def _attach(self, name: str, document: str, principals: set[Principal], account: str) -> None:
        """Attach an identity policy to the roles of `account`, and say to whom else it would have to be attached."""
        roles = {each: role for each in principals if (role := each.role_name) and each.account == account}
        if roles:
            policy = aws.iam.Policy(f"{name}-reader-policy", policy=document, opts=pulumi.ResourceOptions(parent=self))
            for role in sorted({*roles.values()}):
                aws.iam.RolePolicyAttachment(
                    f"{name}-reader-policy-{role}",
                    role=role,
                    policy_arn=policy.arn,
                    opts=pulumi.ResourceOptions(parent=self),
                )
        if left_out := sorted(principal.name for principal in principals - roles.keys()):
            pulumi.log.warn(
                f"attachIdentityPolicies is for roles of account {account} and leaves out what is listed below. "
                "Attach the output reader_policy there, to publishers of other accounts publisher_policy, and where "
                "a publisher is this account itself a right to publish.\n" + "\n".join(left_out),
                resource=self,
            )

    @property
    def outputs(self) -> dict[str, pulumi.Output[str]]:
        """Every output by its name: what a program exports."""
        return {name: getattr(self, name) for name in PrivatePypi.__annotations__}


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


def _look_up_arns(args: PrivatePypiArgs, opts: pulumi.ResourceOptions | None) -> Arns:
    # Plain calls, before the component is registered: ARNs as strings make the documents known at preview.
    provider = _aws_provider(opts or pulumi.ResourceOptions())
    return Arns(
        partition=_ask(aws.get_partition, provider).partition,
        region=_ask(aws.get_region, provider).region,
        owner=_ask(aws.get_caller_identity, provider).account_id,
        domain_name=args.domain,
        repository_name=args.repository,
    )


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
