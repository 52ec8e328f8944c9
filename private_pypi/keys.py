"""The keys of the config, in the order in which messages and tables name them. There is no other list of them."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

NAMESPACE = "private-pypi"


@dataclass(frozen=True, kw_only=True, slots=True)
class Key:
    """A key of the config."""

    field: str
    """The field of `PrivatePypiArgs` that it is for, which has its default."""
    kind: Literal["account", "boolean", "key ARN", "map", "names", "principals", "publishers", "text", "workflows"]
    """What it holds: one value, or a list of several."""

    @property
    def type(self) -> Literal["boolean", "string"] | None:
        """The type that Pulumi.yaml declares, for the CLI to check. Lists and maps have none: the program says more."""
        if self.kind == "boolean":
            return "boolean"
        return "string" if self.kind in {"account", "key ARN", "text"} else None


KEYS: Mapping[str, Key] = MappingProxyType(
    {
        "domain": Key(field="domain", kind="text"),
        "repository": Key(field="repository", kind="text"),
        "description": Key(field="description", kind="text"),
        "readers": Key(field="readers", kind="principals"),
        "publishers": Key(field="publishers", kind="publishers"),
        "closedPublishing": Key(field="closed_publishing", kind="boolean"),
        "protect": Key(field="protect", kind="boolean"),
        "existingDomain": Key(field="existing_domain", kind="boolean"),
        "domainOwner": Key(field="domain_owner", kind="account"),
        "encryptionKey": Key(field="encryption_key", kind="key ARN"),
        "publicUpstream": Key(field="public_upstream", kind="boolean"),
        "internalPackages": Key(field="internal_packages", kind="names"),
        "attachIdentityPolicies": Key(field="attach_identity_policies", kind="boolean"),
        "githubPublishers": Key(field="github_publishers", kind="workflows"),
        "makeGithubOidcProvider": Key(field="make_github_oidc_provider", kind="boolean"),
        "tags": Key(field="tags", kind="map"),
    }
)
