"""Two repositories in one domain: releases for everybody, nightly builds for the team that makes them."""

import pulumi
import pulumi_aws as aws

from private_pypi import Principal, PrivatePypi, PrivatePypiArgs, Publisher

ACCOUNT = "111122223333"
TEAM = Principal.parse(f"arn:aws:iam::{ACCOUNT}:role/platform")
CI = Principal.parse(f"arn:aws:iam::{ACCOUNT}:role/ci")
EVERYBODY = Principal.parse("o-a1b2c3d4e5")


class Packages(pulumi.ComponentResource):
    """All that has to do with packages. Others of a platform's components would stand beside it."""

    def __init__(self, name: str, opts: pulumi.ResourceOptions) -> None:
        """Register the component and the repositories in it."""
        super().__init__("example:index:Packages", name, {}, opts)
        self.releases = PrivatePypi(
            "releases",
            PrivatePypiArgs(
                domain="acme",
                repository="releases",
                # A domain has one policy, which this component writes: who reads the other repository is listed too.
                readers=[EVERYBODY, TEAM],
                publishers=[Publisher(principal=CI)],
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )
        self.nightly = PrivatePypi(
            "nightly",
            PrivatePypiArgs(
                domain="acme",
                existing_domain=True,
                repository="nightly",
                readers=[TEAM],
                publishers=[Publisher(principal=CI)],
                protect=False,
            ),
            # After the domain is there.
            opts=pulumi.ResourceOptions(parent=self, depends_on=self.releases),
        )
        self.register_outputs({})


provider = aws.Provider("oregon", region="us-west-2", allowed_account_ids=[ACCOUNT])
packages = Packages("packages", opts=pulumi.ResourceOptions(providers=[provider]))
pulumi.export("releases_index_url", packages.releases.index_url)
pulumi.export("nightly_index_url", packages.nightly.index_url)
