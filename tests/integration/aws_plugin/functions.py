"""The functions: what the provider can be asked."""

from collections.abc import Callable, Mapping

from .aws import Aws
from .resource import Properties


def repository_endpoint(aws: Aws, given: Properties) -> Properties:
    """The URL of a repository. The domain's owner is sent whether it is given or not."""
    owner = given.get("domainOwner") or aws.account
    where = {"domain": given["domain"], "domainOwner": owner, "repository": given["repository"]}
    url = aws.client("codeartifact").get_repository_endpoint(**where, format=given["format"])["repositoryEndpoint"]
    rid = ":".join((owner, given["domain"], given["repository"], given["format"]))
    return where | {"format": given["format"], "id": rid, "region": aws.region, "repositoryEndpoint": url}


def open_id_connect_provider(aws: Aws, given: Properties) -> Properties:
    """The provider with an ARN, or with a URL, which is the end of its ARN."""
    iam, arn = aws.client("iam"), given.get("arn")
    if not arn:
        url = given["url"].removeprefix("https://")
        listed = [each["Arn"] for each in iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]]
        arn = next((each for each in listed if each.partition("/")[2] == url), None)
        if not arn:
            raise ValueError(f"reading IAM OIDC Provider ({given['url']}): couldn't find resource")
    found = iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    return {
        "arn": arn,
        "clientIdLists": found["ClientIDList"],
        "id": arn,
        "tags": {each["Key"]: each["Value"] for each in found.get("Tags", [])},
        "thumbprintLists": found["ThumbprintList"],
        "url": found["Url"],
    }


def role(aws: Aws, given: Properties) -> Properties:
    """The role with a name."""
    found = aws.client("iam").get_role(RoleName=given["name"])["Role"]
    return {
        "arn": found["Arn"],
        "id": found["RoleName"],
        "name": found["RoleName"],
        "path": found["Path"],
        "permissionsBoundary": found.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", ""),
        "tags": {each["Key"]: each["Value"] for each in found.get("Tags", [])},
        "uniqueId": found["RoleId"],
    }


def caller_identity(aws: Aws, given: Properties) -> Properties:
    """Whose the credentials are."""
    found = aws.client("sts").get_caller_identity()
    account = found["Account"]
    return {"accountId": account, "arn": found["Arn"], "id": account, "userId": found["UserId"]}


def partition(aws: Aws, given: Properties) -> Properties:
    """The partition of the credentials."""
    return {"dnsSuffix": "amazonaws.com", "id": aws.partition, "partition": aws.partition}


def region(aws: Aws, given: Properties) -> Properties:
    """The region of the provider."""
    return {"description": aws.region, "id": aws.region, "name": aws.region, "region": aws.region}


FUNCTIONS: Mapping[str, Callable[[Aws, Properties], Properties]] = {
    "aws:codeartifact/getRepositoryEndpoint:getRepositoryEndpoint": repository_endpoint,
    "aws:iam/getOpenIdConnectProvider:getOpenIdConnectProvider": open_id_connect_provider,
    "aws:iam/getRole:getRole": role,
    "aws:index/getCallerIdentity:getCallerIdentity": caller_identity,
    "aws:index/getPartition:getPartition": partition,
    "aws:index/getRegion:getRegion": region,
}
