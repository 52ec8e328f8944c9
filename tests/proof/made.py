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
    """The ARNs of the roles that are made, by CI workload."""
    trust_policies: Mapping[str, Statements]
    """By the ARN of the role."""
    has_domain_statements: bool
    """Whether it says what the domain's owner adds to its policy, if only that it is nothing."""


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
    for_owner = run.exports.get("domain_policy_statements")
    if for_owner is not None:
        domain_policies.append(for_owner)
    managed = {
        f"arn-of-{each.name}": each.inputs["policy"] for each in run.resources.values() if each.type == mocks.POLICY
    }
    identity = {"reader_policy": read(run.exports["reader_policy"])}
    for name, document in run.exports.get("publisher_policies", {}).items():
        identity[f"publisher_policies[{name}]"] = read(document)
    attached = [(each["role"], each["policy"]) for each in inputs(mocks.ROLE_POLICY, "name", "role", "policy")]
    attachments = inputs(mocks.POLICY_ATTACHMENT, "role", "policyArn")
    attached += [(each["role"], managed[each["policyArn"]]) for each in attachments]
    for role, document in attached:
        name = f"the policy of {role}"
        identity[name] = [*identity.get(name, []), *read(document)]
    repositories: dict[str, Statements] = {
        each.inputs["repository"]: [] for each in run.resources.values() if each.type == mocks.REPOSITORY
    }
    repositories |= {each["repository"]: read(each["policyDocument"]) for each in permissions}
    return Made(
        policies=Policies(
            place=f"arn:{place.partition}:codeartifact:{place.region}:{owner}",
            owner=owner,
            administrator=place.account,
            domain_name=domain_name,
            domain=[statement for document in domain_policies for statement in read(document)],
            repositories=repositories,
            identity=identity,
        ),
        roles=run.exports.get("role_arns", {}),
        trust_policies={
            f"arn:{place.partition}:iam::{place.account}:role/{each['name']}": read(each["assumeRolePolicy"])
            for each in inputs(mocks.ROLE, "name", "assumeRolePolicy", "permissionsBoundary", "tags")
        },
        has_domain_statements=for_owner is not None,
    )


def read(document: str) -> Statements:
    """The statements of a document; the output for the owner of an existing domain is a list of them."""
    statements = json.loads(document)
    if isinstance(statements, dict):
        assert statements.keys() == {"Version", "Statement"}
        assert statements["Version"] == "2012-10-17"
        statements = statements["Statement"]
    names = [statement["Sid"] for statement in statements if "Sid" in statement]
    assert len(names) == len({*names})
    return statements
