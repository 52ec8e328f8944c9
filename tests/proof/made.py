"""What the program makes of a config: run on Pulumi's mocks, as `pulumi up` runs it."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import mocks
from proof.iam import Policies, Statements
from proof.request import Place


@dataclass(frozen=True, kw_only=True)
class Made:
    """All policy documents of a stack, and who has them."""

    policies: Policies
    roles: Mapping[str, str]
    """The ARN of the role that is made for a workflow."""
    trust_policies: Mapping[str, Statements]
    """By the ARN of the role."""
    attached: Mapping[str, list[Statements]]
    """The identity policies that roles get from the program, by the name of the role."""


def make(config: Mapping[str, Any], place: Place) -> Made:
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in config.items()}
    run = mocks.run(
        mocks.main_program,
        {f"private-pypi:{key}": text for key, text in texts.items()},
        region=place.region,
        partition=place.partition,
    )

    def inputs(type_token: str, *known: str) -> list[Mapping[str, Any]]:
        """Those of each resource of a type; whatever else they had could let somebody in."""
        found = [each.inputs for each in run.resources.values() if each.type == type_token]
        assert {key for each in found for key in each} <= {*known}
        return found

    owner, domain_name = run.exports["domain_owner"], run.exports["domain_name"]
    domain_permissions = inputs(mocks.DOMAIN_PERMISSIONS, "domain", "policyDocument")
    permissions = inputs(mocks.REPOSITORY_PERMISSIONS, "domain", "domainOwner", "repository", "policyDocument")
    assert {each["domain"] for each in [*domain_permissions, *permissions]} <= {domain_name}
    assert {each.get("domainOwner", place.account) for each in permissions} <= {owner}
    domain_policies = [each["policyDocument"] for each in domain_permissions]
    if statement := run.exports.get("domain_policy_statement"):
        domain_policies.append(statement)
    managed = {
        f"arn-of-{each.name}": each.inputs["policy"] for each in run.resources.values() if each.type == mocks.POLICY
    }
    attached: dict[str, list[Statements]] = {}
    for each in inputs(mocks.ROLE_POLICY, "name", "role", "policy"):
        attached.setdefault(each["role"], []).append(read(each["policy"]))
    for each in inputs(mocks.POLICY_ATTACHMENT, "role", "policyArn"):
        attached.setdefault(each["role"], []).append(read(managed[each["policyArn"]]))
    return Made(
        policies=Policies(
            place=f"arn:{place.partition}:codeartifact:{place.region}:{owner}",
            owner=owner,
            domain_name=domain_name,
            domain=[statement for document in domain_policies for statement in read(document)],
            repositories={each["repository"]: read(each["policyDocument"]) for each in permissions},
            identity={name: read(run.exports[name]) for name in ("reader_policy", "publisher_policy")},
        ),
        roles=run.exports.get("github_role_arns", {}),
        trust_policies={
            f"arn:{place.partition}:iam::{place.account}:role/{each['name']}": read(each["assumeRolePolicy"])
            for each in inputs(mocks.ROLE, "name", "assumeRolePolicy")
        },
        attached=attached,
    )


def read(document: str) -> Statements:
    """The statements of a document; the output for the owner of an existing domain is one of them, or a list."""
    content = json.loads(document)
    if isinstance(content, dict) and "Statement" in content:
        assert content.keys() == {"Version", "Statement"}
        assert content["Version"] == "2012-10-17"
        content = content["Statement"]
    statements = content if isinstance(content, list) else [content]
    names = [statement["Sid"] for statement in statements if "Sid" in statement]
    assert len(names) == len({*names})
    return statements
