"""The resource types, by their tokens."""

from collections.abc import Mapping

from .cloudcontrol import CloudControl
from .codeartifact import Domain, DomainPermissions, Repository, RepositoryPermissionsPolicy
from .iam import OpenIdConnectProvider, Policy, Role, RolePolicy, RolePolicyAttachment
from .resource import Resource

RESOURCES: Mapping[str, Resource] = {
    "aws:cloudcontrol/resource:Resource": CloudControl(),
    "aws:codeartifact/domain:Domain": Domain(),
    "aws:codeartifact/domainPermissions:DomainPermissions": DomainPermissions(),
    "aws:codeartifact/repository:Repository": Repository(),
    "aws:codeartifact/repositoryPermissionsPolicy:RepositoryPermissionsPolicy": RepositoryPermissionsPolicy(),
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider": OpenIdConnectProvider(),
    "aws:iam/policy:Policy": Policy(),
    "aws:iam/role:Role": Role(),
    "aws:iam/rolePolicy:RolePolicy": RolePolicy(),
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": RolePolicyAttachment(),
}
