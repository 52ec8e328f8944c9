"""Package groups: names that CodeArtifact takes from whoever publishes them here, and never from public PyPI.

Without one, whoever publishes an internal name on public PyPI before it is published here has theirs installed
(dependency confusion). The AWS provider has no resource for them, so they are described as Cloud Control takes them:
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-codeartifact-packagegroup.html
"""

import json
from collections.abc import Collection, Iterator, Mapping

TYPE_NAME = "AWS::CodeArtifact::PackageGroup"


def distinct(names: Collection[str]) -> list[str]:
    """`names`, as `parse_package` reads them, sorted and without those that a prefix among them covers."""
    prefixes = [name.removesuffix("*") for name in names if name.endswith("*")]
    return sorted({name for name in names if not any(_covers(prefix, name) for prefix in prefixes)})


def _covers(prefix: str, name: str) -> bool:
    """Whether the group of `prefix`, ending in a hyphen, covers all of `name` and is not its own group."""
    return f"{name}-".startswith(prefix) and name != f"{prefix}*"


def pattern(name: str) -> str:
    """The pattern of a name, or of `prefix-*`: `~` ends words, so that `acme~` is acme and acme-core, not acmecorp.

    Patterns: https://docs.aws.amazon.com/codeartifact/latest/ug/package-group-definition-syntax-matching-behavior.html
    """
    return f"/pypi//{name.removesuffix('-*')}~" if name.endswith("-*") else f"/pypi//{name}$"


def reserved(pattern: str) -> Iterator[str]:
    """The names that a pattern covers, as `parse_package` writes them."""
    name = pattern.removeprefix("/pypi//")[:-1]
    yield name
    if pattern.endswith("~"):
        yield f"{name}-*"


def desired_state(name: str, *, domain_name: str, domain_owner: str | None, tags: Mapping[str, str]) -> str:
    """The package group of a name or `prefix-*`, minified: published here, and from no external connection.

    It has those of the tags that have a value: other services take an empty one, the type's schema does not.
    """
    modes = {"Publish": "ALLOW", "ExternalUpstream": "BLOCK", "InternalUpstream": "ALLOW"}
    listed = [{"Key": key, "Value": value} for key, value in sorted(tags.items()) if value]
    state: dict[str, object] = {
        "DomainName": domain_name,
        **({"DomainOwner": domain_owner} if domain_owner else {}),
        "Pattern": pattern(name),
        "OriginConfiguration": {
            "Restrictions": {origin: {"RestrictionMode": mode} for origin, mode in modes.items()},
        },
        **({"Tags": listed} if listed else {}),
    }
    return json.dumps(state, separators=(",", ":"))
