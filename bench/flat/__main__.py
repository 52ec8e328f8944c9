"""The resources of the dev stack as a flat Pulumi program, as one writes it without the component.

`make bench` compares with it. It has the plain form of the policies, three statements for the repository, and checks
nothing.
"""

import json

import pulumi
import pulumi_aws as aws

config = pulumi.Config("private-pypi")
domain_name = config.require("domain")
repository_name = config.require("repository")
readers: list[str] = config.get_object("readers") or []
publishers: list[str] = config.get_object("publishers") or []
internal_packages: list[str] = config.get_object("internalPackages") or []

region = pulumi.Config("aws").require("region")
account = aws.get_caller_identity().account_id
arn = f"arn:aws:codeartifact:{region}:{account}"
domain_arn = f"{arn}:domain/{domain_name}"
repository_arn = f"{arn}:repository/{domain_name}/{repository_name}"
packages_arn = f"{arn}:package/{domain_name}/{repository_name}/*"


def allow(sid: str, principals: list[str], actions: list[str], resource: str) -> dict[str, object]:
    """A statement of a permissions policy."""
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"AWS": sorted(principals)},
        "Action": [f"codeartifact:{action}" for action in actions],
        "Resource": resource,
    }


def policy(*statements: dict[str, object]) -> str:
    """A policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": statements}, separators=(",", ":"))


installing = [*readers, *publishers]

domain = aws.codeartifact.Domain("private-pypi-domain", domain=domain_name)
aws.codeartifact.DomainPermissions(
    "private-pypi-domain-permissions",
    domain=domain.domain,
    policy_document=policy(allow("GetAuthorizationToken", installing, ["GetAuthorizationToken"], domain_arn)),
)
groups = [
    aws.cloudcontrol.Resource(
        f"private-pypi-internal-{name}",
        type_name="AWS::CodeArtifact::PackageGroup",
        desired_state=json.dumps(
            {
                "DomainName": domain_name,
                "Pattern": f"/pypi//{name}$",
                "OriginConfiguration": {
                    "Restrictions": {
                        "Publish": {"RestrictionMode": "ALLOW"},
                        "ExternalUpstream": {"RestrictionMode": "BLOCK"},
                        "InternalUpstream": {"RestrictionMode": "ALLOW"},
                    }
                },
            },
            separators=(",", ":"),
        ),
        opts=pulumi.ResourceOptions(depends_on=domain),
    )
    for name in internal_packages
]
repository = aws.codeartifact.Repository(
    "private-pypi-repository",
    domain=domain.domain,
    repository=repository_name,
    description="Private PyPI repository",
    opts=pulumi.ResourceOptions(depends_on=groups),
)
aws.codeartifact.RepositoryPermissionsPolicy(
    "private-pypi-repository-permissions",
    domain=repository.domain,
    repository=repository.repository,
    policy_document=policy(
        allow("ReadRepository", installing, ["ReadFromRepository"], repository_arn),
        allow("DownloadPackages", installing, ["GetPackageVersionAsset", "GetPackageVersionReadme"], packages_arn),
        allow("PublishPackages", publishers, ["PublishPackageVersion"], packages_arn),
    ),
)
endpoint = aws.codeartifact.get_repository_endpoint_output(
    domain=repository.domain, repository=repository.repository, format="pypi"
).repository_endpoint

pulumi.export("private_pypi_endpoint_url", endpoint)
pulumi.export("index_url", endpoint.apply(lambda url: f"{url.removesuffix('/')}/simple/"))
pulumi.export("publish_url", endpoint)
pulumi.export("domain_name", domain_name)
pulumi.export("domain_owner", account)
pulumi.export("domain_arn", domain_arn)
pulumi.export("repository_name", repository_name)
pulumi.export("repository_arn", repository_arn)
