"""ARNs, decided without asking AWS, so that they are known before anything exists."""

from dataclasses import dataclass, replace
from typing import Self

# What comes before the direction in the names of a partition's regions: us-gov-west-1 is of aws-us-gov.
_PARTITIONS = {
    "cn": "aws-cn",
    "eu-isoe": "aws-iso-e",
    "eusc-de": "aws-eusc",
    "us-gov": "aws-us-gov",
    "us-iso": "aws-iso",
    "us-isob": "aws-iso-b",
    "us-isof": "aws-iso-f",
}


def partition_of(region: str) -> str:
    """The partition of a region: `aws-cn` for `cn-north-1`. So mistakes are found before the provider is asked."""
    area = region.rsplit("-", maxsplit=2)[0]
    return _PARTITIONS.get(area, "aws")


def store_name(repository_name: str) -> str:
    """The name of the repository that stands between a repository and public PyPI."""
    return f"{repository_name}-store"


def store_description(repository_name: str) -> str:
    """The description of that repository."""
    return f"Packages of public PyPI for {repository_name}"


@dataclass(frozen=True, kw_only=True, slots=True)
class Arns:
    """The ARNs of a domain, of a repository in it and of the repository's packages.

    The forms are those of the service authorization reference:
    https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscodeartifact.html
    """

    partition: str
    region: str
    owner: str
    """The account that owns the domain, 12 digits."""
    domain_name: str
    repository_name: str

    @classmethod
    def of_repository(cls, arn: str) -> Self:
        """Those that go with a repository's ARN."""
        _, partition, _, region, owner, resource = arn.split(":")
        _, domain_name, repository_name = resource.split("/")
        return cls(
            partition=partition,
            region=region,
            owner=owner,
            domain_name=domain_name,
            repository_name=repository_name,
        )

    @property
    def domain(self) -> str:
        """The domain."""
        return self._arn(f"domain/{self.domain_name}")

    @property
    def repository(self) -> str:
        """The repository, without its packages."""
        return self._arn(f"repository/{self.domain_name}/{self.repository_name}")

    @property
    def packages(self) -> str:
        """All packages of the repository, ending in `/*`: publishing is an action on a package, not on a repository."""
        return self._arn(f"package/{self.domain_name}/{self.repository_name}/*")

    def package(self, name: str) -> str:
        """One package by its normalized name, or those that `prefix-*` matches. Python has no namespaces."""
        return self._arn(f"package/{self.domain_name}/{self.repository_name}/pypi//{name}")

    @property
    def store(self) -> Self:
        """The same of the repository's store."""
        return replace(self, repository_name=store_name(self.repository_name))

    def _arn(self, resource: str) -> str:
        return f"arn:{self.partition}:codeartifact:{self.region}:{self.owner}:{resource}"
