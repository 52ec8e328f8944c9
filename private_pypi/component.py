"""The component: the resources of a private PyPI, in the order in which they are made.

What they are given is decided in the pure modules; here it is only handed over.
"""

import hashlib
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

import pulumi
import pulumi_aws as aws

from private_pypi import package_groups
from private_pypi.args import PrivatePypiArgs
from private_pypi.arns import Arns, store_description
from private_pypi.errors import InvalidArgsError, message, refusal
from private_pypi.iam import EVERYTHING
from private_pypi.policies import Documents, IdentityPolicy, everyone, make_documents, policy_of_nothing
from private_pypi.principals import Principal, Publisher
from private_pypi.provider import look_up_place
from private_pypi.state import (
    COMPONENT_TYPE,
    DOMAIN_POLICY_OUTPUT,
    PROTECT_OUTPUT,
    Deployed,
    read_deployed,
    refused_changes,
    warnings,
)
from private_pypi.upstreams import upstream_remover
from private_pypi.workloads import Role, Workload, make_roles, provider_audience, provider_host

T = TypeVar("T")


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
    publisher_policies: pulumi.Output[Mapping[str, str]] | None = None
    """The identity policies that publishers of other accounts than the domain's need, by principal: documents ready to
    attach, each no wider than its entry. `None` when there are none."""
    domain_policy_statements: pulumi.Output[str] | None = None
    """What the owner of an existing domain adds to its permissions policy: a list of statements, as JSON. `None` for a
    new domain."""
    role_arns: pulumi.Output[Mapping[str, str]] | None = None
    """The ARNs of the roles of CI workloads, by workload (`github acme/tools tag v*`). `None` when there are none."""

    def __init__(self, name: str, args: PrivatePypiArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Register the component and its resources, all named after `name`.

        Everything goes through the AWS provider of `opts`, also the look-ups of account, region and endpoint. The
        removal of a last upstream does not (`upstreams`).

        Raises:
            pulumi.RunError: the args would delete what is protected, or it cannot be told whether they would; a policy
                is longer than CodeArtifact takes; or the provider cannot say where it is. Nothing of the component has
                been registered.
        """
        arns, account = look_up_place(args, opts)
        args = _checked(args, arns.region, account)
        deployed = read_deployed(name, args, arns, opts or pulumi.ResourceOptions())
        workloads = [each for each in (*args.readers, *args.publishers) if isinstance(each, Workload)]
        roles = make_roles(workloads, arns, account, prefix=f"{name}-{pulumi.get_stack()}")
        documents = _decide(args, arns, account, roles, deployed)
        super().__init__(COMPONENT_TYPE, name, {}, opts)
        self._name, self._args, self._arns = name, args, arns
        for warning in warnings(args, arns, deployed, documents.domain):
            pulumi.log.warn(warning, resource=self)

        made = self._make_roles(roles, documents.roles)
        domain = None if args.existing_domain else self._make_domain()
        domain_policy = self._set_domain_permissions(domain, documents.domain)
        before = self._make_package_groups(domain)
        store: aws.codeartifact.Repository | None = None
        if args.public_upstream:
            store = self._make_store(domain, before)
            # What is published to the store is installed from the repository: it is closed before it is upstream.
            if documents.store:
                before = [*before, self._set_permissions("store", store, documents.store)]
        repository = self._make_repository(domain, before, store)
        document, nothing = documents.repository, policy_of_nothing(arns, account)
        if not document and deployed.repository and (not deployed.is_unprotected or deployed.policy == nothing):
            # Pulumi deletes nothing that was protected until now, so the policy stays, for good: then nothing changes
            # in the next run. Where it went by hand it is made again: by it the end of the protection is known.
            document = nothing
        policy = self._set_permissions("repository", repository, document) if document else None
        if args.attach_identity_policies:
            self._attach_identity_policies(documents, account)
        self._warn_of_confusion()

        # With the repository's outputs and not its names, so that the call waits for the repository to exist.
        endpoint = aws.codeartifact.get_repository_endpoint_output(
            domain=repository.domain,
            domain_owner=args.domain_owner,
            repository=repository.repository,
            format="pypi",
            opts=pulumi.InvokeOptions(parent=self),
        ).repository_endpoint
        self.private_pypi_endpoint_url = endpoint
        self.index_url = endpoint.apply(lambda url: f"{url.removesuffix('/')}/simple/")
        self.publish_url = endpoint
        self.domain_name = _known(args.domain, domain)
        self.domain_owner = _known(arns.owner, domain)
        self.domain_arn = _known(arns.domain, domain)
        self.repository_name = _known(args.repository, repository)
        self.repository_arn = _known(arns.repository, repository)
        self.reader_policy = _known(documents.reader, repository)
        if documents.publishers:
            publisher_policies = {name: policy.document for name, policy in documents.publishers.items()}
            self.publisher_policies = _known(publisher_policies, repository)
        if roles:
            self.role_arns = _known({role.workload.name: role.arn for role in roles}, *made)
        if documents.domain_statements:
            self.domain_policy_statements = pulumi.Output.from_input(documents.domain_statements)
        for_next_run = {
            PROTECT_OUTPUT: self._is_protected(repository, policy, document),
            DOMAIN_POLICY_OUTPUT: self._written(domain_policy, documents.domain, deployed),
        }
        self.register_outputs(self.outputs | for_next_run)

    # What the next run is told is by what is deployed and not by the args: a run with `--target` leaves things out, and
    # `pulumi refresh --run-program` makes nothing.

    def _is_protected(
        self,
        repository: aws.codeartifact.Repository,
        policy: aws.codeartifact.RepositoryPermissionsPolicy | None,
        document: str | None,
    ) -> pulumi.Output[bool]:
        found, expected = [repository.arn], [self._arns.repository]
        if policy:
            found += [policy.resource_arn, policy.policy_document]
            expected += [self._arns.repository, document]
        return pulumi.Output.all(*found).apply(lambda values: self._args.protect or values != expected)

    @staticmethod
    def _written(
        domain_policy: aws.codeartifact.DomainPermissions | None, document: str | None, deployed: Deployed
    ) -> pulumi.Output[str | None] | None:
        """The policy of the domain as it was written last, here or in an earlier run."""
        if domain_policy is None:
            return None
        before = deployed.written_domain_policy
        # With the ARN, which is known only then, so that no preview shows it.
        found = pulumi.Output.all(domain_policy.policy_document, domain_policy.resource_arn)
        return found.apply(lambda values: document if values[0] == document else before)

    # Signatures say pulumi.Resource for what is of aws.iam or aws.cloudcontrol: to name a class there loads that part
    # of the provider, a fifth of a preview's time, for stacks that have nothing of it.

    def _make_roles(self, roles: Sequence[Role], policies: Mapping[str, IdentityPolicy]) -> list[pulumi.Resource]:
        """The roles of CI workloads, each with the identity policy that it needs, and the providers that are made."""
        providers = {
            provider_host(provider): aws.iam.OpenIdConnectProvider(
                f"{self._name}-{provider}",
                url=f"https://{provider_host(provider)}",
                client_id_lists=[provider_audience(provider)],
                tags=self._args.tags or None,
                opts=pulumi.ResourceOptions(parent=self, protect=self._args.protect),
            )
            for provider in self._args.make_oidc_providers
        }
        made: list[pulumi.Resource] = []
        for role in roles:
            issuer, _, rest = role.workload.name.partition(" ")
            resource_name = f"{self._name}-{issuer}-{rest.replace(' ', ':')}"
            iam_role = aws.iam.Role(
                resource_name,
                name=role.name,
                assume_role_policy=role.trust_policy,
                permissions_boundary=self._args.permissions_boundary,
                tags=self._args.tags or None,
                opts=pulumi.ResourceOptions(parent=self, depends_on=providers.get(role.workload.issuer_host)),
            )
            made.append(iam_role)
            aws.iam.RolePolicy(
                f"{resource_name}-policy",
                name="private-pypi",
                role=iam_role.name,
                policy=policies[role.arn].document,
                opts=pulumi.ResourceOptions(parent=self),
            )
        return made

    def _make_domain(self) -> aws.codeartifact.Domain:
        return aws.codeartifact.Domain(
            f"{self._name}-domain",
            domain=self._args.domain,
            encryption_key=self._args.encryption_key,
            tags=self._args.tags or None,
            # Before, because with another key the next one has the same name.
            opts=pulumi.ResourceOptions(parent=self, protect=self._args.protect, delete_before_replace=True),
        )

    def _set_domain_permissions(
        self, domain: aws.codeartifact.Domain | None, document: str | None
    ) -> aws.codeartifact.DomainPermissions | None:
        """The policy of the domain, if it is made here and has one."""
        if domain is None or document is None:
            return None
        return aws.codeartifact.DomainPermissions(
            f"{self._name}-domain-permissions",
            domain=domain.domain,
            policy_document=document,
            opts=pulumi.ResourceOptions(parent=self, deleted_with=domain if self._args.protect else None),
        )

    def _make_package_groups(self, domain: aws.codeartifact.Domain | None) -> list[pulumi.Resource]:
        """The package groups of the internal packages.

        Without `schema`, although with it the provider need not ask for the type's once for each new group. It takes it
        for a secret: the review could not read the groups, and each change of its text would be an update of them all.
        """
        args = self._args
        return [
            aws.cloudcontrol.Resource(
                f"{self._name}-internal-{package}",
                type_name=package_groups.TYPE_NAME,
                desired_state=package_groups.desired_state(
                    package, domain_name=args.domain, domain_owner=args.domain_owner, tags=args.tags
                ),
                # A group cannot move to another domain, and goes with its own.
                opts=pulumi.ResourceOptions(
                    parent=self,
                    depends_on=domain,
                    replacement_trigger=self._arns.domain,
                    replace_with=[domain] if domain else None,
                    delete_before_replace=True,
                ),
            )
            for package in package_groups.distinct(args.internal_packages)
        ]

    def _make_store(
        self,
        domain: aws.codeartifact.Domain | None,
        groups: Sequence[pulumi.Resource],
    ) -> aws.codeartifact.Repository:
        """The repository between ours and public PyPI; after the groups, which keep names from coming from there."""
        return aws.codeartifact.Repository(
            f"{self._name}-store",
            domain=domain.domain if domain else self._args.domain,
            domain_owner=self._args.domain_owner,
            repository=self._arns.store.repository_name,
            description=store_description(self._args.repository),
            external_connections={"external_connection_name": "public:pypi"},
            tags=self._args.tags or None,
            opts=pulumi.ResourceOptions(parent=self, depends_on=groups),
        )

    def _make_repository(
        self,
        domain: aws.codeartifact.Domain | None,
        before: Sequence[pulumi.Resource],
        store: aws.codeartifact.Repository | None,
    ) -> aws.codeartifact.Repository:
        upstreams: list[aws.codeartifact.RepositoryUpstreamArgs] | None = None
        hooks: pulumi.ResourceHookBinding | None = None
        if store:
            upstreams = [aws.codeartifact.RepositoryUpstreamArgs(repository_name=store.repository)]
        else:
            hook = pulumi.ResourceHook(f"remove-upstreams {self._arns.repository}", upstream_remover(self._arns))
            hooks = pulumi.ResourceHookBinding(before_update=[hook])
        return aws.codeartifact.Repository(
            f"{self._name}-repository",
            domain=domain.domain if domain else self._args.domain,
            domain_owner=self._args.domain_owner,
            repository=self._args.repository,
            description=self._args.description,
            upstreams=upstreams,
            tags=self._args.tags or None,
            # Before, because then Pulumi takes its policy away first, and with it what that denies.
            opts=pulumi.ResourceOptions(
                parent=self, protect=self._args.protect, depends_on=before, hooks=hooks, delete_before_replace=True
            ),
        )

    def _set_permissions(
        self,
        kind: str,
        repository: aws.codeartifact.Repository,
        document: str,
    ) -> aws.codeartifact.RepositoryPermissionsPolicy:
        """The permissions policy of a repository.

        While packages are protected it goes with the repository and not before it: whoever forces Pulumi to delete the
        one would first lose the Deny in the other. Nor does Pulumi delete it alone.
        """
        return aws.codeartifact.RepositoryPermissionsPolicy(
            f"{self._name}-{kind}-permissions",
            domain=repository.domain,
            domain_owner=self._args.domain_owner,
            repository=repository.repository,
            policy_document=document,
            opts=pulumi.ResourceOptions(
                parent=self,
                protect=self._args.protect and kind == "repository",
                deleted_with=repository if self._args.protect else None,
            ),
        )

    def _attach_identity_policies(self, documents: Documents, account: str) -> None:
        """Attach the identity policies to the roles of `account`, and say to whom else they would have to be attached.

        In the domain's account publishers need no more than readers, in another one the right to publish too.
        """
        left_out = everyone(
            [each for each in self._args.readers if isinstance(each, Principal)],
            [each for each in self._args.publishers if isinstance(each, Publisher)],
        )
        attached: defaultdict[IdentityPolicy, list[str]] = defaultdict(list)
        for principal in sorted(left_out, key=lambda principal: principal.name):
            if principal.role_name and principal.account == account and not principal.is_reserved:
                attached[documents.roles[principal.name]].append(principal.role_name)
                left_out = left_out - {principal}
        for identity_policy, roles in attached.items():
            kind = "publisher" if identity_policy.packages else "reader"
            policy = aws.iam.Policy(
                f"{self._name}-{kind}-policy{_suffix(identity_policy.packages)}",
                policy=identity_policy.document,
                tags=self._args.tags or None,
                opts=pulumi.ResourceOptions(parent=self),
            )
            for role in dict.fromkeys(roles):  # IAM has one role of a name, whatever the paths it is listed with
                aws.iam.RolePolicyAttachment(
                    f"{self._name}-{kind}-policy-{role}",
                    role=role,
                    policy_arn=policy.arn,
                    opts=pulumi.ResourceOptions(parent=self),
                )
        if left_out:
            names = "\n".join(sorted(principal.name for principal in left_out))
            reserved = (
                " AWS alone may modify roles under aws-reserved/ and aws-service-role/: for people who sign in with "
                "IAM Identity Center, put it into their permission set."
                if any(principal.is_reserved for principal in left_out)
                else ""
            )
            pulumi.log.warn(
                f"attachIdentityPolicies attaches only to roles of account {account} that are listed by name. It "
                "attaches nothing to what is listed below. Attach the output reader_policy there yourself, or to "
                "publishers of other accounts than the domain's what publisher_policies has for them. Where the "
                "domain's account itself is a publisher, also give its people a right to publish."
                f"{reserved}\n{names}",
                resource=self,
            )

    def _warn_of_confusion(self) -> None:
        if self._args.public_upstream and not self._args.internal_packages:
            pulumi.log.warn(
                "publicUpstream is on and internalPackages is empty: name your packages there, or anyone can publish "
                "them on public PyPI first, and theirs are installed.",
                resource=self,
            )

    @property
    def outputs(self) -> dict[str, pulumi.Output[Any]]:
        """Every output that there is, by its name: what a program exports."""
        outputs = {name: getattr(self, name) for name in PrivatePypi.__annotations__}
        return {name: value for name, value in outputs.items() if value is not None}


def _checked(args: PrivatePypiArgs, region: str, account: str) -> PrivatePypiArgs:
    try:
        return args.at(region, account)
    except InvalidArgsError as error:
        raise _refusal(args, [message(args.name_of(path), mistake) for path, mistake in error.mistakes]) from None


def _suffix(packages: Sequence[str]) -> str:
    """What tells apart the identity policies for some packages: not a number, which would change with the others."""
    if not packages or EVERYTHING in packages:
        return ""
    return f"-{hashlib.sha256(' '.join(packages).encode()).hexdigest()[:8]}"


def _known(value: T, *resources: pulumi.Resource | None) -> pulumi.Output[T]:
    """An output that is known at preview and depends on the resources that it names. Of a resource the URN is both."""
    return pulumi.Output.all(*[each.urn for each in resources if each]).apply(lambda _: value)


def _decide(args: PrivatePypiArgs, arns: Arns, account: str, roles: Sequence[Role], deployed: Deployed) -> Documents:
    """The documents, unless there is a mistake in the args or in their policies."""
    mistakes = [message(where, mistake) for where, mistake in refused_changes(args, arns, deployed)]
    try:
        documents = make_documents(args, arns, account, roles)
    except InvalidArgsError as refused:
        fields = ["readers", "publishers", *(["domain_statements"] if args.domain_statements else [])]
        *names, last = map(args.name_of, fields)
        mistakes += [message(f"{', '.join(names)} and {last}", mistake) for _, mistake in refused.mistakes]
    else:
        if not mistakes:
            return documents
    raise _refusal(args, mistakes)


def _refusal(args: PrivatePypiArgs, mistakes: Sequence[str]) -> pulumi.RunError:
    return pulumi.RunError(refusal(mistakes, of="the config" if args.namespace else "the arguments"))
