"""The resources of the dev stack as an AWS CDK app: the config comes as JSON, the template goes into the folder."""

import json
import sys
from typing import Any

from aws_cdk import App, CfnOutput, Environment, Stack
from aws_cdk.aws_codeartifact import CfnDomain, CfnRepository

config_text, folder = sys.argv[1:]
config: dict[str, Any] = json.loads(config_text)
domain_name, repository_name = config["private-pypi:domain"], config["private-pypi:repository"]
publishers = config["private-pypi:publishers"]
installing = [*config["private-pypi:readers"], *publishers]
(account,), region = config["aws:allowedAccountIds"], config["aws:region"]
arn = f"arn:aws:codeartifact:{region}:{account}"
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


def policy(*statements: dict[str, object]) -> dict[str, object]:
    """A policy document."""
    return {"Version": "2012-10-17", "Statement": [*statements]}


app = App(outdir=folder)
stack = Stack(app, "private-pypi", env=Environment(account=account, region=region))
domain = CfnDomain(
    stack,
    "domain",
    domain_name=domain_name,
    permissions_policy_document=policy(
        allow("GetAuthorizationToken", installing, ["GetAuthorizationToken"], f"{arn}:domain/{domain_name}")
    ),
)
repository = CfnRepository(
    stack,
    "repository",
    domain_name=domain.attr_name,
    repository_name=repository_name,
    description="Private PyPI repository",
    permissions_policy_document=policy(
        allow(
            "ReadRepository",
            installing,
            ["ReadFromRepository"],
            f"{arn}:repository/{domain_name}/{repository_name}",
        ),
        allow("DownloadPackages", installing, ["GetPackageVersionAsset", "GetPackageVersionReadme"], packages_arn),
        allow("PublishPackages", publishers, ["PublishPackageVersion"], packages_arn),
    ),
)
for name, value in (
    ("domainName", domain.attr_name),
    ("domainOwner", domain.attr_owner),
    ("domainArn", domain.attr_arn),
    ("repositoryName", repository.attr_name),
    ("repositoryArn", repository.attr_arn),
):
    CfnOutput(stack, name, value=value)
app.synth()
