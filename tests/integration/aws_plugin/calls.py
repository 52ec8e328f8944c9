"""Which calls the real provider makes, for each thing that it is asked for.

Read in the sources of terraform-provider-aws 6, on which pulumi-aws 7 is built: the files under `internal/service` that
are named below, and `internal/provider/sdkv2/tags_interceptor.go`, by which tags are changed before the rest and listed
after each read that does not bring them. `test_aws_plugin.py` holds the plugin to it.
"""

from collections.abc import Mapping

START = ["sts:GetCallerIdentity"]
"""Before anything else, for the account and the partition. `getPartition` and `getRegion` need no more."""

FUNCTIONS: Mapping[str, list[str]] = {
    "aws:codeartifact/getRepositoryEndpoint:getRepositoryEndpoint": ["codeartifact:GetRepositoryEndpoint"],
    "aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider": [
        "iam:ListOpenIDConnectProviders",  # only to find one by its URL
        "iam:GetOpenIDConnectProvider",
    ],
    "aws:iam/getRole:getRole": ["iam:GetRole"],
    "aws:index/getCallerIdentity:getCallerIdentity": ["sts:GetCallerIdentity"],
    "aws:index/getPartition:getPartition": [],
    "aws:index/getRegion:getRegion": [],
}

_DOMAIN = ["codeartifact:DescribeDomain", "codeartifact:ListTagsForResource"]
_REPOSITORY = ["codeartifact:DescribeRepository", "codeartifact:ListTagsForResource"]
_CODEARTIFACT_TAGS = ["codeartifact:UntagResource", "codeartifact:TagResource"]
_ROLE = ["iam:GetRole", "iam:ListRolePolicies", "iam:ListAttachedRolePolicies"]
_POLICY = ["iam:GetPolicy", "iam:GetPolicyVersion"]
_PROVIDER = ["iam:GetOpenIDConnectProvider"]

WITH_AN_INLINE_POLICY = ["iam:GetRole", "iam:ListRolePolicies", "iam:GetRolePolicy", "iam:ListAttachedRolePolicies"]
"""How a role is read that has one."""

RESOURCES: Mapping[str, Mapping[str, list[str]]] = {
    # codeartifact/domain.go
    "aws:codeartifact/domain:Domain": {
        "create": ["codeartifact:CreateDomain", *_DOMAIN],
        "read": _DOMAIN,
        "update tags": [*_CODEARTIFACT_TAGS, *_DOMAIN],
        "delete": ["codeartifact:DeleteDomain"],
    },
    # codeartifact/domain_permissions_policy.go
    "aws:codeartifact/domainPermissions:DomainPermissions": {
        "create": ["codeartifact:PutDomainPermissionsPolicy", "codeartifact:GetDomainPermissionsPolicy"],
        "read": ["codeartifact:GetDomainPermissionsPolicy"],
        "update policyDocument": ["codeartifact:PutDomainPermissionsPolicy", "codeartifact:GetDomainPermissionsPolicy"],
        "delete": ["codeartifact:DeleteDomainPermissionsPolicy"],
    },
    # codeartifact/repository.go
    "aws:codeartifact/repository:Repository": {
        "create": ["codeartifact:CreateRepository", *_REPOSITORY],
        "create with externalConnections": [
            "codeartifact:CreateRepository",
            "codeartifact:AssociateExternalConnection",
            *_REPOSITORY,
        ],
        "read": _REPOSITORY,
        "update description": ["codeartifact:UpdateRepository", *_REPOSITORY],
        "update upstreams": ["codeartifact:UpdateRepository", *_REPOSITORY],
        "update upstreams to none": ["codeartifact:UpdateRepository", *_REPOSITORY],  # which says nothing of upstreams
        "update externalConnections": ["codeartifact:AssociateExternalConnection", *_REPOSITORY],
        "update externalConnections to none": ["codeartifact:DisassociateExternalConnection", *_REPOSITORY],
        "update tags": [*_CODEARTIFACT_TAGS, *_REPOSITORY],
        "delete": ["codeartifact:DeleteRepository"],
    },
    # codeartifact/repository_permissions_policy.go
    "aws:codeartifact/repositoryPermissionsPolicy:RepositoryPermissionsPolicy": {
        "create": ["codeartifact:PutRepositoryPermissionsPolicy", "codeartifact:GetRepositoryPermissionsPolicy"],
        "read": ["codeartifact:GetRepositoryPermissionsPolicy"],
        "update policyDocument": [
            "codeartifact:PutRepositoryPermissionsPolicy",
            "codeartifact:GetRepositoryPermissionsPolicy",
        ],
        "delete": ["codeartifact:DeleteRepositoryPermissionsPolicy"],
    },
    # cloudcontrol/resource.go. Cloud Control's rights have CloudFormation's name. The status is asked for until the
    # request is done. The type is described where neither the program nor the state has its schema, at preview too.
    "aws:cloudcontrol/resource:Resource": {
        "preview": ["cloudformation:DescribeType"],
        "preview with schema": [],
        "create": [
            "cloudformation:DescribeType",
            "cloudformation:CreateResource",
            "cloudformation:GetResourceRequestStatus",
            "cloudformation:GetResource",
        ],
        "read": ["cloudformation:GetResource"],
        "update desiredState": [
            "cloudformation:UpdateResource",
            "cloudformation:GetResourceRequestStatus",
            "cloudformation:GetResource",
        ],
        "update schema": ["cloudformation:GetResource"],
        "delete": ["cloudformation:DeleteResource", "cloudformation:GetResourceRequestStatus"],
    },
    # iam/openid_connect_provider.go
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider": {
        "create": ["iam:CreateOpenIDConnectProvider", *_PROVIDER],
        "read": _PROVIDER,
        "update thumbprintLists": ["iam:UpdateOpenIDConnectProviderThumbprint", *_PROVIDER],
        "update clientIdLists": [
            "iam:AddClientIDToOpenIDConnectProvider",
            "iam:RemoveClientIDFromOpenIDConnectProvider",
            *_PROVIDER,
        ],
        "update tags": ["iam:UntagOpenIDConnectProvider", "iam:TagOpenIDConnectProvider", *_PROVIDER],
        "delete": ["iam:DeleteOpenIDConnectProvider"],
    },
    # iam/policy.go
    "aws:iam/policy:Policy": {
        "create": ["iam:CreatePolicy", *_POLICY],
        "read": _POLICY,
        "update policy": ["iam:ListPolicyVersions", "iam:CreatePolicyVersion", *_POLICY],
        "update policy of five versions": [
            "iam:ListPolicyVersions",
            "iam:DeletePolicyVersion",
            "iam:CreatePolicyVersion",
            *_POLICY,
        ],
        "update tags": ["iam:UntagPolicy", "iam:TagPolicy", *_POLICY],
        "delete": ["iam:ListPolicyVersions", "iam:DeletePolicy"],
        "delete with two versions": ["iam:ListPolicyVersions", "iam:DeletePolicyVersion", "iam:DeletePolicy"],
    },
    # iam/role.go
    "aws:iam/role:Role": {
        "create": ["iam:CreateRole", *_ROLE],
        "read": _ROLE,
        "update assumeRolePolicy": ["iam:UpdateAssumeRolePolicy", *_ROLE],
        "update description": ["iam:UpdateRoleDescription", *_ROLE],
        "update maxSessionDuration": ["iam:UpdateRole", *_ROLE],
        "update permissionsBoundary": ["iam:PutRolePermissionsBoundary", *_ROLE],
        "update permissionsBoundary to none": ["iam:DeleteRolePermissionsBoundary", *_ROLE],
        "update tags": ["iam:UntagRole", "iam:TagRole", *_ROLE],
        "delete": ["iam:ListInstanceProfilesForRole", "iam:DeleteRole"],
    },
    # iam/role_policy.go. The first look waits until IAM knows the policy.
    "aws:iam/rolePolicy:RolePolicy": {
        "create": ["iam:PutRolePolicy", "iam:GetRolePolicy", "iam:GetRolePolicy"],
        "read": ["iam:GetRolePolicy"],
        "update policy": ["iam:PutRolePolicy", "iam:GetRolePolicy"],
        "delete": ["iam:DeleteRolePolicy"],
    },
    # iam/role_policy_attachment.go
    "aws:iam/rolePolicyAttachment:RolePolicyAttachment": {
        "create": ["iam:AttachRolePolicy", "iam:ListAttachedRolePolicies"],
        "read": ["iam:ListAttachedRolePolicies"],
        "delete": ["iam:DetachRolePolicy"],
    },
}
