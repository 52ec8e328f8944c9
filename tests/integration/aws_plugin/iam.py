"""The resource types of IAM."""

import time
from collections.abc import Callable
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from . import documents
from .aws import Aws, MissingError, code, found, is_missing
from .resource import Input, Properties, Resource, tag_changes

PROPAGATION = 120
"""How long IAM may take to know what it has made, in seconds."""

VERSIONS = 5
"""How many versions of a managed policy IAM keeps."""

POLICY = Input(meaning=documents.meaning)
TAGS = {"tags": Input()}


class Role(Resource):
    """A role. Its id is its name."""

    title = "IAM Role"
    is_global = True
    is_named = True
    inputs: ClassVar = {
        "assumeRolePolicy": POLICY,
        "description": Input(),
        "forceDetachPolicies": Input(default=False),
        "maxSessionDuration": Input(default=3600),
        "name": Input(replaces=True),
        "path": Input(replaces=True, default="/"),
        "permissionsBoundary": Input(),
    } | TAGS
    outputs = ("arn", "createDate", "inlinePolicies", "managedPolicyArns", "uniqueId")

    def create(self, aws: Aws, news: Properties) -> str:
        sent: dict[str, Any] = {
            "AssumeRolePolicyDocument": documents.normalized(news["assumeRolePolicy"]),
            "MaxSessionDuration": int(news["maxSessionDuration"]),
            "Path": news["path"],
            "RoleName": news["name"],
        }
        if news.get("description"):
            sent["Description"] = news["description"]
        if news.get("permissionsBoundary"):
            sent["PermissionsBoundary"] = news["permissionsBoundary"]
        retry(lambda: aws.client("iam").create_role(**sent, **_tags(news)), is_invalid_principal)
        return news["name"]

    def read(self, aws: Aws, rid: str, known: Properties) -> Properties:
        iam = aws.client("iam")
        role = found(iam.get_role, RoleName=rid)["Role"]
        inline = [
            iam.get_role_policy(RoleName=rid, PolicyName=name)
            for name in iam.list_role_policies(RoleName=rid)["PolicyNames"]
        ]
        attached = iam.list_attached_role_policies(RoleName=rid)["AttachedPolicies"]
        return {
            "arn": role["Arn"],
            "assumeRolePolicy": documents.recorded(known.get("assumeRolePolicy"), role["AssumeRolePolicyDocument"]),
            "createDate": role["CreateDate"].isoformat(),
            "description": role.get("Description", ""),
            "forceDetachPolicies": known.get("forceDetachPolicies", False),
            "inlinePolicies": [
                {"name": each["PolicyName"], "policy": documents.recorded(None, each["PolicyDocument"])}
                for each in inline
            ],
            "managedPolicyArns": [each["PolicyArn"] for each in attached],
            "maxSessionDuration": role["MaxSessionDuration"],
            "name": role["RoleName"],
            "path": role["Path"],
            "permissionsBoundary": role.get("PermissionsBoundary", {}).get("PermissionsBoundaryArn", ""),
            "uniqueId": role["RoleId"],
        } | _tags_of(role)

    def update(self, aws: Aws, rid: str, state: Properties, news: Properties, changed: set[str]) -> None:
        iam = aws.client("iam")
        _update_tags(iam.untag_role, iam.tag_role, {"RoleName": rid}, state, news)
        if "assumeRolePolicy" in changed:
            document = documents.normalized(news["assumeRolePolicy"])
            retry(lambda: iam.update_assume_role_policy(RoleName=rid, PolicyDocument=document), is_invalid_principal)
        if "description" in changed:
            iam.update_role_description(RoleName=rid, Description=news.get("description") or "")
        if "maxSessionDuration" in changed:
            iam.update_role(RoleName=rid, MaxSessionDuration=int(news["maxSessionDuration"]))
        if "permissionsBoundary" in changed:
            if news.get("permissionsBoundary"):
                iam.put_role_permissions_boundary(RoleName=rid, PermissionsBoundary=news["permissionsBoundary"])
            else:
                iam.delete_role_permissions_boundary(RoleName=rid)

    def delete(self, aws: Aws, rid: str, state: Properties) -> None:
        iam = aws.client("iam")
        for profile in iam.list_instance_profiles_for_role(RoleName=rid)["InstanceProfiles"]:
            iam.remove_role_from_instance_profile(InstanceProfileName=profile["InstanceProfileName"], RoleName=rid)
        # What the role had when it was last read goes with it.
        if state.get("forceDetachPolicies") or state.get("managedPolicyArns"):
            for attached in iam.list_attached_role_policies(RoleName=rid)["AttachedPolicies"]:
                iam.detach_role_policy(RoleName=rid, PolicyArn=attached["PolicyArn"])
        if state.get("forceDetachPolicies") or state.get("inlinePolicies"):
            for name in iam.list_role_policies(RoleName=rid)["PolicyNames"]:
                iam.delete_role_policy(RoleName=rid, PolicyName=name)
        retry(lambda: iam.delete_role(RoleName=rid), lambda error: code(error) == "DeleteConflict")


class RolePolicy(Resource):
    """A policy in a role. Its id is `ROLE:NAME`."""

    title = "IAM Role Policy"
    is_global = True
    is_named = True
    inputs: ClassVar = {"name": Input(replaces=True), "policy": POLICY, "role": Input(replaces=True)}

    def create(self, aws: Aws, news: Properties) -> str:
        aws.client("iam").put_role_policy(
            RoleName=news["role"], PolicyName=news["name"], PolicyDocument=documents.normalized(news["policy"])
        )
        return f"{news['role']}:{news['name']}"

    def complete(self, aws: Aws, rid: str, news: Properties) -> None:
        """Wait until IAM knows it."""
        retry(lambda: self._look(aws, rid), is_missing)

    def read(self, aws: Aws, rid: str, known: Properties) -> Properties:
        answer = found(self._look, aws=aws, rid=rid)
        policy = documents.recorded(known.get("policy"), answer["PolicyDocument"])
        return {"name": answer["PolicyName"], "policy": policy, "role": answer["RoleName"]}

    def update(self, aws: Aws, rid: str, state: Properties, news: Properties, changed: set[str]) -> None:
        self.create(aws, news)

    def delete(self, aws: Aws, rid: str, state: Properties) -> None:
        role, name = rid.split(":", 1)
        aws.client("iam").delete_role_policy(RoleName=role, PolicyName=name)

    def _look(self, aws: Aws, rid: str) -> Any:
        role, name = rid.split(":", 1)
        return aws.client("iam").get_role_policy(RoleName=role, PolicyName=name)


class Policy(Resource):
    """A managed policy. Its id is its ARN. IAM keeps five versions of it."""

    title = "IAM Policy"
    is_global = True
    is_named = True
    inputs: ClassVar = {
        "description": Input(replaces=True),
        "name": Input(replaces=True),
        "path": Input(replaces=True, default="/"),
        "policy": POLICY,
    } | TAGS
    outputs = ("arn", "attachmentCount", "policyId")

    def create(self, aws: Aws, news: Properties) -> str:
        made = aws.client("iam").create_policy(
            Description=news.get("description") or "",
            Path=news["path"],
            PolicyDocument=documents.normalized(news["policy"]),
            PolicyName=news["name"],
            **_tags(news),
        )
        return made["Policy"]["Arn"]

    def read(self, aws: Aws, rid: str, known: Properties) -> Properties:
        iam = aws.client("iam")
        policy = found(iam.get_policy, PolicyArn=rid)["Policy"]
        version = found(iam.get_policy_version, PolicyArn=rid, VersionId=policy["DefaultVersionId"])["PolicyVersion"]
        return {
            "arn": policy["Arn"],
            "attachmentCount": policy["AttachmentCount"],
            "description": policy.get("Description", ""),
            "name": policy["PolicyName"],
            "path": policy["Path"],
            "policy": documents.recorded(known.get("policy"), version["Document"]),
            "policyId": policy["PolicyId"],
        } | _tags_of(policy)

    def update(self, aws: Aws, rid: str, state: Properties, news: Properties, changed: set[str]) -> None:
        iam = aws.client("iam")
        _update_tags(iam.untag_policy, iam.tag_policy, {"PolicyArn": rid}, state, news)
        if "policy" in changed:
            versions = iam.list_policy_versions(PolicyArn=rid)["Versions"]
            if len(versions) == VERSIONS:
                others = [each for each in versions if not each["IsDefaultVersion"]]
                oldest = min(others, key=lambda each: each["CreateDate"])
                iam.delete_policy_version(PolicyArn=rid, VersionId=oldest["VersionId"])
            document = documents.normalized(news["policy"])
            iam.create_policy_version(PolicyArn=rid, PolicyDocument=document, SetAsDefault=True)

    def delete(self, aws: Aws, rid: str, state: Properties) -> None:
        iam = aws.client("iam")
        for version in iam.list_policy_versions(PolicyArn=rid)["Versions"]:
            if not version["IsDefaultVersion"]:
                iam.delete_policy_version(PolicyArn=rid, VersionId=version["VersionId"])
        iam.delete_policy(PolicyArn=rid)


class RolePolicyAttachment(Resource):
    """A managed policy attached to a role. Its id is `ROLE/ARN`."""

    title = "IAM Role Policy Attachment"
    is_global = True
    is_deleted_first = True  # otherwise the old one, once deleted, takes the new one with it
    inputs: ClassVar = {"policyArn": Input(replaces=True), "role": Input(replaces=True)}

    def create(self, aws: Aws, news: Properties) -> str:
        aws.client("iam").attach_role_policy(RoleName=news["role"], PolicyArn=news["policyArn"])
        return f"{news['role']}/{news['policyArn']}"

    def read(self, aws: Aws, rid: str, known: Properties) -> Properties:
        role, arn = rid.split("/", 1)
        attached = found(aws.client("iam").list_attached_role_policies, RoleName=role)["AttachedPolicies"]
        if not any(each["PolicyArn"] == arn for each in attached):
            raise MissingError
        return {"policyArn": arn, "role": role}

    def delete(self, aws: Aws, rid: str, state: Properties) -> None:
        role, arn = rid.split("/", 1)
        aws.client("iam").detach_role_policy(RoleName=role, PolicyArn=arn)


class OpenIdConnectProvider(Resource):
    """An OpenID Connect provider. Its id is its ARN. IAM leaves the scheme of its URL out."""

    title = "IAM OIDC Provider"
    is_global = True
    inputs: ClassVar = {
        "clientIdLists": Input(meaning=sorted),
        "thumbprintLists": Input(computed=True),
        "url": Input(replaces=True, meaning=lambda url: str(url).removeprefix("https://")),
    } | TAGS
    outputs = ("arn",)

    def create(self, aws: Aws, news: Properties) -> str:
        optional = {"ThumbprintList": news["thumbprintLists"]} if news.get("thumbprintLists") else {}
        made = aws.client("iam").create_open_id_connect_provider(
            ClientIDList=news["clientIdLists"], Url=news["url"], **optional, **_tags(news)
        )
        return made["OpenIDConnectProviderArn"]

    def read(self, aws: Aws, rid: str, known: Properties) -> Properties:
        answer = found(aws.client("iam").get_open_id_connect_provider, OpenIDConnectProviderArn=rid)
        return {
            "arn": rid,
            "clientIdLists": answer["ClientIDList"],
            "thumbprintLists": answer["ThumbprintList"],
            "url": answer["Url"],
        } | _tags_of(answer)

    def update(self, aws: Aws, rid: str, state: Properties, news: Properties, changed: set[str]) -> None:
        iam, where = aws.client("iam"), {"OpenIDConnectProviderArn": rid}
        _update_tags(iam.untag_open_id_connect_provider, iam.tag_open_id_connect_provider, where, state, news)
        if "thumbprintLists" in changed:
            iam.update_open_id_connect_provider_thumbprint(**where, ThumbprintList=news["thumbprintLists"])
        old, new = set(state["clientIdLists"]), set(news["clientIdLists"])
        for client_id in sorted(new - old):
            iam.add_client_id_to_open_id_connect_provider(**where, ClientID=client_id)
        for client_id in sorted(old - new):
            iam.remove_client_id_from_open_id_connect_provider(**where, ClientID=client_id)

    def delete(self, aws: Aws, rid: str, state: Properties) -> None:
        aws.client("iam").delete_open_id_connect_provider(OpenIDConnectProviderArn=rid)


def is_invalid_principal(error: ClientError) -> bool:
    """Whether a policy names a principal that IAM does not know, or not yet."""
    return code(error) == "MalformedPolicyDocument" and "Invalid principal in policy" in str(error)


def retry(call: Callable[[], object], is_passing: Callable[[ClientError], bool]) -> None:
    """Call until it succeeds, while the errors are of those that pass once IAM knows what it has made."""
    deadline, delay = time.monotonic() + PROPAGATION, 0.5
    while True:
        try:
            call()
        except ClientError as error:
            if not is_passing(error) or time.monotonic() + delay > deadline:
                raise
            time.sleep(delay)
            delay = min(2 * delay, 10)
        else:
            return


def _tags(news: Properties) -> dict[str, list[dict[str, str]]]:
    tags = news.get("tags") or {}
    return {"Tags": [{"Key": key, "Value": value} for key, value in sorted(tags.items())]} if tags else {}


def _tags_of(answer: Properties) -> dict[str, dict[str, str]]:
    tags = {each["Key"]: each["Value"] for each in answer.get("Tags", [])}
    return {"tags": tags, "tagsAll": tags}


def _update_tags(untag: Any, tag: Any, where: dict[str, str], state: Properties, news: Properties) -> None:
    gone, new = tag_changes(state, news)
    if gone:
        untag(**where, TagKeys=gone)
    if new:
        tag(**where, **_tags({"tags": new}))
