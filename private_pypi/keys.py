"""The keys of the config, in the order in which messages and tables name them. There is no other list of them."""

import re
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
    kind: Literal["boolean", "list", "map", "text"]
    """What it holds."""

    @property
    def type(self) -> Literal["boolean", "string"] | None:
        """The type that Pulumi.yaml declares, for the CLI to check. Lists and maps have none: the program says more."""
        types: dict[str, Literal["boolean", "string"]] = {"boolean": "boolean", "text": "string"}
        return types.get(self.kind)


KEYS: Mapping[str, Key] = MappingProxyType(
    {
        "domain": Key(field="domain", kind="text"),
        "repository": Key(field="repository", kind="text"),
        "description": Key(field="description", kind="text"),
        "readers": Key(field="readers", kind="list"),
        "publishers": Key(field="publishers", kind="list"),
        "listPackages": Key(field="list_packages", kind="boolean"),
        "closedPublishing": Key(field="closed_publishing", kind="boolean"),
        "protect": Key(field="protect", kind="boolean"),
        "existingDomain": Key(field="existing_domain", kind="boolean"),
        "domainOwner": Key(field="domain_owner", kind="text"),
        "domainStatements": Key(field="domain_statements", kind="list"),
        "encryptionKey": Key(field="encryption_key", kind="text"),
        "publicUpstream": Key(field="public_upstream", kind="boolean"),
        "internalPackages": Key(field="internal_packages", kind="list"),
        "attachIdentityPolicies": Key(field="attach_identity_policies", kind="boolean"),
        "makeOidcProviders": Key(field="make_oidc_providers", kind="list"),
        "permissionsBoundary": Key(field="permissions_boundary", kind="text"),
        "tags": Key(field="tags", kind="map"),
    }
)

_KEY_OF = {key.field: name for name, key in KEYS.items()}


def field_of(path: str) -> str:
    """The field that a path begins with: `internal_packages` of `internal_packages[0]`."""
    return re.split(r"[.\[]", path, maxsplit=1)[0]


def key_of(path: str) -> str:
    """The path with the key in the place of its field: `internalPackages[0]` of `internal_packages[0]`."""
    field = field_of(path)
    return f"{_KEY_OF.get(field, field)}{path.removeprefix(field)}"
