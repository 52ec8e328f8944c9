"""The names and ARNs of CodeArtifact, decided without asking AWS, so that they are known before anything exists.

Patterns and limits are those of the CodeArtifact API reference:
https://docs.aws.amazon.com/codeartifact/latest/APIReference/API_CreateRepository.html
"""

import re
import unicodedata
from dataclasses import dataclass

from private_pypi.errors import InvalidValueError, describe

MAX_DESCRIPTION_CHARACTERS = 1000

_PROJECT = re.compile(r"[A-Z0-9]([A-Z0-9._-]*([A-Z0-9]|[._-]\*))?", re.IGNORECASE | re.ASCII)

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
    """The partition of a region, for where the provider is not there to be asked: `aws-cn` for `cn-north-1`."""
    area = region.rsplit("-", maxsplit=2)[0]
    return _PARTITIONS.get(area, "aws")


@dataclass(frozen=True, kw_only=True, slots=True)
class _NamePattern:
    """One of CodeArtifact's name patterns, taken apart so that an error can point at the character that breaks it."""

    of: str
    first: str
    later: str
    last: str
    min_characters: int
    max_characters: int
    takes: str

    def parse(self, text: str) -> str:
        classes = [self.first, *[self.later] * (len(text) - 2), self.last]
        for position, (character, allowed) in enumerate(zip(text, classes, strict=False), start=1):
            if not re.fullmatch(allowed, character):
                raise InvalidValueError(
                    got=f"{text!r}, whose character {position} is {character!r}",
                    takes=self.takes,
                    fix=f"choose another {self.of} name",
                )
        if not self.min_characters <= len(text) <= self.max_characters:
            raise InvalidValueError(
                got=f"{text!r}, of length {len(text)}", takes=self.takes, fix=f"choose another {self.of} name"
            )
        return text


_DOMAIN = _NamePattern(
    of="domain",
    first="[a-z]",
    later="[a-z0-9-]",
    last="[a-z0-9]",
    min_characters=2,
    max_characters=50,
    takes="2 to 50 lower-case letters, digits and hyphens, the first a letter, the last not a hyphen",
)
_REPOSITORY = _NamePattern(
    of="repository",
    first="[A-Za-z0-9]",
    later="[A-Za-z0-9._-]",
    last="[A-Za-z0-9._-]",
    min_characters=2,
    max_characters=100,
    takes="2 to 100 letters, digits, dots, underscores and hyphens, the first a letter or a digit",
)


def parse_domain_name(text: str) -> str:
    """`text`, if CodeArtifact takes it as the name of a domain: `[a-z][a-z0-9-]{0,48}[a-z0-9]`.

    Raises:
        InvalidValueError: it does not.
    """
    return _DOMAIN.parse(text)


def parse_repository_name(text: str) -> str:
    """`text`, if CodeArtifact takes it as the name of a repository: `[A-Za-z0-9][A-Za-z0-9._-]{1,99}`.

    Raises:
        InvalidValueError: it does not.
    """
    return _REPOSITORY.parse(text)


def parse_description(text: str) -> str:
    r"""`text`, if CodeArtifact takes it as a repository's description: up to 1,000 characters of `\P{C}`.

    Raises:
        InvalidValueError: it does not.
    """
    takes = f"up to {MAX_DESCRIPTION_CHARACTERS:,} characters, on one line"
    if len(text) > MAX_DESCRIPTION_CHARACTERS:
        raise InvalidValueError(got=f"{len(text):,} characters", takes=takes, fix="shorten it")
    for position, character in enumerate(text, start=1):
        if unicodedata.category(character).startswith("C"):
            raise InvalidValueError(
                got=f"the control character {character!r} at position {position:,}", takes=takes, fix="leave it out"
            )
    return text


def parse_package(value: object) -> str:
    """A package's normalized name, or `prefix-*` with the prefix normalized, for all names that begin with it.

    Names are those of https://packaging.python.org/en/latest/specifications/name-normalization/.

    Raises:
        InvalidValueError: `value` is neither.
    """
    if not isinstance(value, str) or not _PROJECT.fullmatch(value):
        raise InvalidValueError(
            got=describe(value),
            takes="a project's name (acme-core), or a prefix with its hyphen and * (acme-*)",
            fix="leave packages out to let the publisher publish everything" if value == "*" else "correct the name",
        )
    return re.sub("[-_.]+", "-", value).lower()


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

    def _arn(self, resource: str) -> str:
        return f"arn:{self.partition}:codeartifact:{self.region}:{self.owner}:{resource}"
