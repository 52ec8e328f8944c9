"""The configs of which it is proved: every feature alone, in pairs, and all of them together."""

import itertools
import json
from typing import Any

Config = dict[str, Any]

ACCOUNT, OTHER, THIRD = "111122223333", "444455556666", "777788889999"
ORGANIZATION = "o-a1b2c3d4e5"
ARN = f"arn:aws:iam::{ACCOUNT}"
ELSEWHERE = f"arn:aws:iam::{OTHER}"
IDS = {"ownerId": "12", "repositoryId": "34"}

# Few names, so that those of one feature are often those of the other, or match its pattern.
FEATURES: dict[str, Config] = {
    "tags": {"tags": {"team": "data"}},
    "reader, role": {"readers": [f"{ARN}:role/team/ci"]},
    "reader, role with a colon in its path": {"readers": [f"{ARN}:role/team:a/api"]},
    "reader, user": {"readers": [f"{ARN}:user/ada"]},
    "reader, pattern": {"readers": [f"{ARN}:role/team/*"]},
    "reader, role elsewhere": {"readers": [f"{ELSEWHERE}:role/ci"]},
    "reader, pattern elsewhere": {"readers": [f"{ELSEWHERE}:role/sso/*/Developers_*"]},
    "reader, account": {"readers": [OTHER]},
    "reader, own account": {"readers": [f"{ARN}:root"]},
    "reader, organization": {"readers": [ORGANIZATION]},
    "publisher, role": {"publishers": [f"{ARN}:role/team/ci"]},
    "publisher, user": {"publishers": [f"{ARN}:user/ada"]},
    "publisher, pattern": {"publishers": [f"{ARN}:role/*/ci"]},
    "publisher, pattern elsewhere": {"publishers": [f"{ELSEWHERE}:role/*"]},
    "publisher, account": {"publishers": [OTHER]},
    "publisher, own account": {"publishers": [ACCOUNT]},
    "publisher, organization": {"publishers": ["o-zzzzzzzzzz"]},
    "publisher of a package, role": {"publishers": [{"principal": f"{ARN}:role/team/ci", "packages": ["Acme_Core"]}]},
    "publisher of packages, user": {"publishers": [{"principal": f"{ARN}:user/ada", "packages": ["acme-*", "beta"]}]},
    "publisher of packages, pattern": {
        "publishers": [{"principal": f"{ARN}:role/team/*", "packages": ["acme-core", "acme-core-*"]}]
    },
    "publisher of packages, account": {"publishers": [{"principal": OTHER, "packages": ["acme-*"]}]},
    "publisher of packages, organization": {"publishers": [{"principal": ORGANIZATION, "packages": ["beta"]}]},
    "publishers of packages, each of their own": {
        "publishers": [
            {"principal": f"{ARN}:role/one", "packages": ["one-a", "one-b", "one-c"]},
            {"principal": f"{ARN}:role/two", "packages": ["two"]},
            {"principal": f"{ELSEWHERE}:role/three", "packages": ["three-a", "three-b", "three-c"]},
            {"principal": f"{ELSEWHERE}:role/four", "packages": ["four-*"]},
        ]
    },
    "workload, tag": {"publishers": [{"github": "acme/tools", "tag": "v*"}]},
    "workload, branch": {"publishers": [{"github": "acme/core", "branch": "main", "packages": ["acme-core"], **IDS}]},
    "workload, in two entries": {
        "publishers": [
            {"github": "acme/tools", "tag": "v1", "packages": ["acme-core"]},
            {"github": "acme/tools", "tag": "v1", "packages": ["beta"]},
        ]
    },
    "workloads, environments in two cases": {
        "publishers": [
            {"github": "acme/tools", "environment": "PyPI release", "packages": ["acme-core"]},
            {"github": "acme/tools", "environment": "pypi release"},
        ]
    },
    "workload, file": {"publishers": [{"github": "acme/core", "tag": "v*", "workflow": "publish.yml", **IDS}]},
    "workload, GitLab": {"publishers": [{"gitlab": "acme/data/tools", "branch": "main", "packages": ["acme-*"]}]},
    "reader, every job": {"readers": [{"github": "acme/core", **IDS}, {"gitlab": "acme/data/tools"}]},
    "reader, jobs of a GitLab of one's own": {
        "readers": [{"gitlab": "acme/tools", "tag": "v*", "host": "gitlab.example.com"}]
    },
    "workload, in both lists": {
        "readers": [{"github": "acme/tools", "branch": "main"}],
        "publishers": [{"github": "acme/tools", "branch": "main", "packages": ["acme-core"]}],
    },
    "reader, pattern of roles that are made": {"readers": [f"{ARN}:role/private-pypi-*"]},
    "publisher of packages, pattern of roles that are made": {
        "publishers": [{"principal": f"{ARN}:role/private-pypi-test-acme-*", "packages": ["beta"]}]
    },
    "repository": {"repository": "tools_2.x"},
    "listPackages": {"listPackages": True},
    "what is around the roles": {
        "makeOidcProviders": ["github", "gitlab.com"],
        "permissionsBoundary": f"{ARN}:policy/boundary",
    },
    "closedPublishing": {"closedPublishing": True},
    "no protect": {"protect": False},
    "publicUpstream": {"publicUpstream": True},
    "internalPackages": {"internalPackages": ["acme-*"]},
    "attachIdentityPolicies": {"attachIdentityPolicies": True},
    "existingDomain": {"existingDomain": True},
    "existingDomain of another account": {"existingDomain": True, "domainOwner": OTHER},
    "domainStatements": {
        "domainStatements": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": [f"{ARN}:role/team/other", f"{ELSEWHERE}:role/ci"]},
                "Action": ["codeartifact:GetAuthorizationToken"],
                "Resource": "arn:aws:codeartifact:us-west-2:111122223333:domain/acme",
            },
            {
                "Effect": "Allow",
                "Principal": {"AWS": [f"{ELSEWHERE}:root"]},
                "Action": ["codeartifact:CreateRepository"],
                "Resource": "*",
            },
        ]
    },
    "domainStatements, of patterns and an organization": {
        "domainStatements": [
            {
                "Sid": "Web",
                "Effect": "Allow",
                "Principal": "*",
                "Action": ["codeartifact:ReadFromRepository"],
                "Resource": "arn:aws:codeartifact:us-west-2:111122223333:repository/acme/other",
                "Condition": {
                    "ArnLike": {"aws:PrincipalArn": [f"{ARN}:role/web/*"]},
                    "StringEquals": {"aws:PrincipalAccount": [ACCOUNT]},
                },
            },
            {
                "Effect": "Allow",
                "Principal": "*",
                "Action": ["codeartifact:CopyPackageVersions", "codeartifact:PublishPackageVersion"],
                "Resource": "*",
                "Condition": {"StringEquals": {"aws:PrincipalOrgID": ["o-zzzzzzzzzz"]}},
            },
        ]
    },
    "domainStatements, a Deny": {
        "domainStatements": [
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": ["codeartifact:CopyPackageVersions", "codeartifact:DeleteRepository"],
                "Resource": "*",
                "Condition": {"ArnNotLike": {"aws:PrincipalArn": [f"{ARN}:role/team/ci"]}},
            }
        ]
    },
    "a policy that is too long": {"readers": [f"{ARN}:role/glue/job-number-{number:02}" for number in range(70)]},
}


def in_china(config: Config) -> Config:
    """The config as it is there, where STS takes no claim that tells a workflow's file."""
    text = json.dumps(config).replace("arn:aws:", "arn:aws-cn:").replace("us-west-2", "cn-north-1")
    return json.loads(text.replace(', "workflow": "publish.yml"', ""))


def join(*parts: Config) -> Config:
    """A config with all of what the parts have; lists are joined."""
    config: Config = {"domain": "acme"}
    for part in parts:
        for key, value in part.items():
            config[key] = [*config.get(key, []), *value] if isinstance(value, list) else value
    return config


_STATEMENTS = [name for name in FEATURES if name.startswith("domainStatements")]
# The program refuses these together.
_REFUSED = [
    {"internalPackages", "existingDomain of another account"},
    *({name, existing} for name in _STATEMENTS for existing in ("existingDomain", "existingDomain of another account")),
]

ALONE = {name: join(feature) for name, feature in FEATURES.items()}
# In a domain of another account an identity policy is enough in the one that makes the repository.
THERE = {
    # A listed reader whom a publishers' pattern matches publishes too, and no output has its identity policy.
    "attached to a reader who publishes, in the domain of another account": join(
        FEATURES["reader, role"],
        FEATURES["publisher of packages, pattern"],
        FEATURES["attachIdentityPolicies"],
        FEATURES["existingDomain of another account"],
    ),
    "publishers of three accounts, in the domain of another account": join(
        FEATURES["workload, branch"],
        {
            "publishers": [
                {"principal": f"{ELSEWHERE}:role/ci", "packages": ["acme-core-x"]},
                {"principal": f"arn:aws:iam::{THIRD}:role/ci", "packages": ["beta"]},
            ]
        },
        FEATURES["existingDomain of another account"],
    ),
}
PAIRS = {
    f"{one} + {other}": join(FEATURES[one], FEATURES[other])
    for one, other in itertools.combinations(FEATURES, 2)
    if {one, other} not in _REFUSED
}
_TOO_LONG = [
    *("publishers of packages, each of their own", "a policy that is too long"),
    *("workload, in two entries", "workload, in both lists", "workloads, environments in two cases"),
    *("publisher of packages, pattern of roles that are made", "publisher of packages, account"),
]
_APART = ["no protect", "existingDomain", "existingDomain of another account"]
_TOGETHER = join(*(feature for name, feature in FEATURES.items() if name not in [*_APART, *_TOO_LONG]))
TOGETHER = {"together": _TOGETHER, **{f"together, {name}": join(_TOGETHER, FEATURES[name]) for name in _APART}}
TOGETHER["together, existingDomain"].pop("domainStatements")
for _key in ("domainStatements", "internalPackages"):
    TOGETHER["together, existingDomain of another account"].pop(_key)
