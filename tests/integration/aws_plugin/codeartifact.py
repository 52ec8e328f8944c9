"""The resource types of CodeArtifact."""

from typing import Any, ClassVar

from . import documents
from .aws import Aws, found
from .resource import Input, Properties, Resource, tag_changes

TAGS = {"tags": Input()}


def connection_name(connections: Properties) -> str:
    """The external connection of a repository, which has one at most."""
    return connections["externalConnectionName"]


class Domain(Resource):
    """A domain. Its id is its ARN."""

    title = "CodeArtifact Domain"
    inputs: ClassVar = {"domain": Input(replaces=True), "encryptionKey": Input(replaces=True, computed=True)} | TAGS
    outputs = ("arn", "assetSizeBytes", "createdTime", "owner", "repositoryCount", "s3BucketArn")

    def create(self, aws: Aws, news: Properties) -> str:
        key = {"encryptionKey": news["encryptionKey"]} if news.get("encryptionKey") else {}
        made = aws.client("codeartifact").create_domain(domain=news["domain"], **key, **_tags(news))
        return made["domain"]["arn"]

    def read(self, aws: Aws, rid: str, known: Properties) -> Properties:
        domain = found(aws.client("codeartifact").describe_domain, **self._where(rid))["domain"]
        return {
            "arn": domain["arn"],
            "assetSizeBytes": str(domain["assetSizeBytes"]),
            "createdTime": domain["createdTime"].isoformat(),
            "domain": domain["name"],
            "encryptionKey": domain.get("encryptionKey", ""),
            "owner": domain["owner"],
            "repositoryCount": domain["repositoryCount"],
            "s3BucketArn": domain.get("s3BucketArn", ""),
        } | _list_tags(aws, rid)

    def update(self, aws: Aws, rid: str, state: Properties, news: Properties, changed: set[str]) -> None:
        _update_tags(aws, rid, state, news)

    def delete(self, aws: Aws, rid: str, state: Properties) -> None:
        aws.client("codeartifact").delete_domain(**self._where(rid))

    def _where(self, rid: str) -> dict[str, str]:
        return {"domain": rid.rpartition("/")[2], "domainOwner": rid.split(":")[4]}


class Repository(Resource):
    """A repository. Its id is its ARN."""

    title = "CodeArtifact Repository"
    inputs: ClassVar = {
        "domain": Input(replaces=True),
        "domainOwner": Input(replaces=True, computed=True),
        "repository": Input(replaces=True),
        "description": Input(),
        "externalConnections": Input(
            meaning=connection_name, given=lambda value: {"externalConnectionName": connection_name(value)}
        ),
        "upstreams": Input(),
    } | TAGS
    outputs = ("administratorAccount", "arn")

    def create(self, aws: Aws, news: Properties) -> str:
        optional = {name: news[name] for name in ("description", "domainOwner", "upstreams") if news.get(name)}
        made = aws.client("codeartifact").create_repository(
            domain=news["domain"], repository=news["repository"], **optional, **_tags(news)
        )
        return made["repository"]["arn"]

    def complete(self, aws: Aws, rid: str, news: Properties) -> None:
        if news.get("externalConnections"):
            name = connection_name(news["externalConnections"])
            aws.client("codeartifact").associate_external_connection(**_repository(rid), externalConnection=name)

    def read(self, aws: Aws, rid: str, known: Properties) -> Properties:
        repository = found(aws.client("codeartifact").describe_repository, **_repository(rid))["repository"]
        connections = [
            {name: each[name] for name in ("externalConnectionName", "packageFormat", "status")}
            for each in repository.get("externalConnections", [])
        ]
        return {
            "administratorAccount": repository["administratorAccount"],
            "arn": repository["arn"],
            "description": repository.get("description", ""),
            "domain": repository["domainName"],
            "domainOwner": repository["domainOwner"],
            "externalConnections": connections[0] if connections else None,
            "repository": repository["name"],
            "upstreams": [{"repositoryName": each["repositoryName"]} for each in repository.get("upstreams", [])],
        } | _list_tags(aws, rid)

    def update(self, aws: Aws, rid: str, state: Properties, news: Properties, changed: set[str]) -> None:
        codeartifact, where = aws.client("codeartifact"), _repository(rid)
        _update_tags(aws, rid, state, news)
        if changed & {"description", "upstreams"}:
            sent: dict[str, Any] = {}
            if "description" in changed:
                sent["description"] = news.get("description") or ""
            if "upstreams" in changed and news.get("upstreams"):  # the removal of the last one is not sent
                sent["upstreams"] = news["upstreams"]
            codeartifact.update_repository(**where, **sent)
        if "externalConnections" in changed:
            if news.get("externalConnections"):  # one that is there already is not taken away before
                name = connection_name(news["externalConnections"])
                codeartifact.associate_external_connection(**where, externalConnection=name)
            else:
                name = connection_name(state["externalConnections"])
                codeartifact.disassociate_external_connection(**where, externalConnection=name)

    def delete(self, aws: Aws, rid: str, state: Properties) -> None:
        aws.client("codeartifact").delete_repository(**_repository(rid))


class PermissionsPolicy(Resource):
    """The permissions policy of a domain or a repository. Its id is the ARN of that.

    An update sends the revision that the state has. So it is refused where somebody has changed the policy meanwhile,
    until a refresh.
    """

    kind: ClassVar[str]
    where: ClassVar[tuple[str, ...]]
    inputs: ClassVar = {
        "domainOwner": Input(replaces=True, computed=True),
        "policyDocument": Input(meaning=documents.meaning),
        "policyRevision": Input(computed=True),
    }
    outputs = ("resourceArn",)

    def create(self, aws: Aws, news: Properties) -> str:
        optional = {name: news[name] for name in ("domainOwner", "policyRevision") if news.get(name)}
        where = {name: news[name] for name in self.where}
        document = documents.normalized(news["policyDocument"])
        made = self._call(aws, "put")(**where, **optional, policyDocument=document)
        return made["policy"]["resourceArn"]

    def read(self, aws: Aws, rid: str, known: Properties) -> Properties:
        policy = found(self._call(aws, "get"), **self._owned(rid))["policy"]
        return self._owned(rid) | {
            "policyDocument": documents.recorded(known.get("policyDocument"), policy["document"]),
            "policyRevision": policy["revision"],
            "resourceArn": policy["resourceArn"],
        }

    def update(self, aws: Aws, rid: str, state: Properties, news: Properties, changed: set[str]) -> None:
        kept = {name: state[name] for name in ("domainOwner", "policyRevision") if state.get(name)}
        self.create(aws, {**kept, **news})

    def delete(self, aws: Aws, rid: str, state: Properties) -> None:
        self._call(aws, "delete")(**self._owned(rid))

    def _call(self, aws: Aws, verb: str) -> Any:
        return getattr(aws.client("codeartifact"), f"{verb}_{self.kind}_permissions_policy")

    def _owned(self, rid: str) -> dict[str, str]:
        names = rid.split(":")[5].split("/")[1:]
        return {"domainOwner": rid.split(":")[4]} | dict(zip(self.where, names, strict=True))


class DomainPermissions(PermissionsPolicy):
    """The permissions policy of a domain."""

    title = "CodeArtifact Domain Permissions Policy"
    kind = "domain"
    where = ("domain",)
    inputs: ClassVar = {"domain": Input(replaces=True), **PermissionsPolicy.inputs}


class RepositoryPermissionsPolicy(PermissionsPolicy):
    """The permissions policy of a repository."""

    title = "CodeArtifact Repository Permissions Policy"
    kind = "repository"
    where = ("domain", "repository")
    inputs: ClassVar = {"repository": Input(replaces=True), **DomainPermissions.inputs}


def _repository(rid: str) -> dict[str, str]:
    _, domain, repository = rid.split(":")[5].split("/")
    return {"domain": domain, "domainOwner": rid.split(":")[4], "repository": repository}


def _tags(news: Properties) -> dict[str, list[dict[str, str]]]:
    tags = news.get("tags") or {}
    return {"tags": [{"key": key, "value": value} for key, value in sorted(tags.items())]} if tags else {}


def _list_tags(aws: Aws, arn: str) -> dict[str, dict[str, str]]:
    answer = aws.client("codeartifact").list_tags_for_resource(resourceArn=arn)
    tags = {each["key"]: each["value"] for each in answer.get("tags", []) if not each["key"].startswith("aws:")}
    return {"tags": tags, "tagsAll": tags}


def _update_tags(aws: Aws, arn: str, state: Properties, news: Properties) -> None:
    gone, new = tag_changes(state, news)
    if gone:
        aws.client("codeartifact").untag_resource(resourceArn=arn, tagKeys=gone)
    if new:
        aws.client("codeartifact").tag_resource(resourceArn=arn, **_tags({"tags": new}))
