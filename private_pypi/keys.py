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
    description: str
    """What it means, as Pulumi.yaml and docs/reference.md have it."""

    @property
    def type(self) -> Literal["boolean", "string"] | None:
        """The type that Pulumi.yaml declares, for the CLI to check. Lists and maps have none: the program says more."""
        types: dict[str, Literal["boolean", "string"]] = {"boolean": "boolean", "text": "string"}
        return types.get(self.kind)


KEYS: Mapping[str, Key] = MappingProxyType(
    {
        "domain": Key(
            field="domain",
            kind="text",
            description="The CodeArtifact domain. Required.",
        ),
        "repository": Key(
            field="repository",
            kind="text",
            description="The repository in the domain.",
        ),
        "description": Key(
            field="description",
            kind="text",
            description="The repository's description, up to 1,000 characters.",
        ),
        "readers": Key(
            field="readers",
            kind="list",
            description=(
                "Who may install. Each is a principal: the ARN of an IAM role or user, with * for what varies in "
                "it; the number of an account, quoted; or the ID of an organization. Or it is a CI workload, "
                "which gets an IAM role: a map of github or gitlab and what limits it."
            ),
        ),
        "publishers": Key(
            field="publishers",
            kind="list",
            description=(
                "Who may install and publish. Each is a principal, who may publish everything, a map of principal "
                "and packages, or a CI workload, whose map may have packages too."
            ),
        ),
        "listPackages": Key(
            field="list_packages",
            kind="boolean",
            description=(
                "Whoever may install may also list and describe packages by API: in the console, with the AWS "
                "CLI, or in CI to see whether a version is there already."
            ),
        ),
        "closedPublishing": Key(
            field="closed_publishing",
            kind="boolean",
            description="Nobody but the publishers may publish, whatever their own IAM policies say.",
        ),
        "protect": Key(
            field="protect",
            kind="boolean",
            description=(
                "Published packages cannot be lost. Pulumi refuses to delete or replace the domain and the "
                "repository. AWS refuses to delete the repository or what is in it, whoever asks."
            ),
        ),
        "existingDomain": Key(
            field="existing_domain",
            kind="boolean",
            description="The domain exists already. Only the repository is made in it.",
        ),
        "domainOwner": Key(
            field="domain_owner",
            kind="text",
            description=(
                "The account that owns an existing domain, 12 digits in quotes. Without it, the account you deploy in."
            ),
        ),
        "domainStatements": Key(
            field="domain_statements",
            kind="list",
            description=(
                "What others need in the policy of the domain that this stack makes, a list of statements: their "
                "stacks' output domain_policy_statements, pasted."
            ),
        ),
        "encryptionKey": Key(
            field="encryption_key",
            kind="text",
            description=(
                "The ARN of the KMS key of a new domain, in the stack's region. It can never change. Without it, "
                "AWS's own key."
            ),
        ),
        "publicUpstream": Key(
            field="public_upstream",
            kind="boolean",
            description="Packages that the repository lacks come from public PyPI, by way of a store repository.",
        ),
        "internalPackages": Key(
            field="internal_packages",
            kind="list",
            description=(
                "Names, or prefix-*, that never come from public PyPI, in the whole domain. This prevents "
                "dependency confusion."
            ),
        ),
        "attachIdentityPolicies": Key(
            field="attach_identity_policies",
            kind="boolean",
            description=(
                "Attach reader_policy to the listed roles of this account. In another account's domain publishers "
                "get their own of publisher_policies instead."
            ),
        ),
        "makeOidcProviders": Key(
            field="make_oidc_providers",
            kind="list",
            description=(
                "The account's OpenID Connect providers that this stack makes, by which CI workloads assume their "
                "roles. Each is github, or the host of a GitLab. An account has one of each."
            ),
        ),
        "permissionsBoundary": Key(
            field="permissions_boundary",
            kind="text",
            description=(
                "The ARN of the policy that is the permissions boundary of every role that is made. Without it, "
                "they have none."
            ),
        ),
        "tags": Key(
            field="tags",
            kind="map",
            description="Tags on the domain, the repositories, the package groups, and what is made in IAM.",
        ),
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
