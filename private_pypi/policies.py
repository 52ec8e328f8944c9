"""The permissions policies, whole: principals and ARNs in, documents out.

Plain functions and not `aws.iam.get_policy_document`, whose result is unknown at preview: here a reviewer sees who
gets what before anything exists. Which resource an action takes is in the service authorization reference:
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscodeartifact.html
"""

import json
from collections.abc import Iterable

from private_pypi.names import Arns
from private_pypi.principals import Principal

MAX_DOCUMENT_CHARACTERS = 7168
"""The longest policy document that CodeArtifact takes (API reference, PutRepositoryPermissionsPolicy)."""

_Statement = dict[str, object]


def domain_policy(arns: Arns, *, readers: Iterable[Principal], publishers: Iterable[Principal]) -> str | None:
    """The domain permissions policy, minified: who gets authorization tokens. `None` when nobody does.

    `sts:GetServiceBearerToken`, which a token takes too, is not in it: a resource policy cannot grant that.
    """
    return _document(
        _allow("GetAuthorizationToken", {*readers, *publishers}, ["codeartifact:GetAuthorizationToken"], arns.domain)
    )


def repository_policy(arns: Arns, *, readers: Iterable[Principal], publishers: Iterable[Principal]) -> str | None:
    """The repository permissions policy, minified: who installs and who publishes. `None` when nobody does."""
    publishing = set(publishers)
    installing = {*readers, *publishing}
    return _document(
        _allow("ReadRepository", installing, ["codeartifact:ReadFromRepository"], arns.repository),
        _allow(
            "DownloadPackages",
            installing,
            ["codeartifact:GetPackageVersionAsset", "codeartifact:GetPackageVersionReadme"],
            arns.packages,
        ),
        _allow("PublishPackages", publishing, ["codeartifact:PublishPackageVersion"], arns.packages),
    )


def _allow(sid: str, principals: set[Principal], actions: list[str], resource: str) -> _Statement | None:
    """A statement, or `None` when it would have no principals."""
    if not principals:
        return None
    return {
        "Sid": sid,
        "Effect": "Allow",
        # Sorted, so that the order in the config never changes a document.
        "Principal": {"AWS": sorted(principal.arn for principal in principals)},
        "Action": actions,
        "Resource": resource,
    }


def _document(*statements: _Statement | None) -> str | None:
    present = [statement for statement in statements if statement]
    if not present:
        return None
    return json.dumps({"Version": "2012-10-17", "Statement": present}, separators=(",", ":"))
