"""What the program and the pages write, held against AWS's own data, which the endpoint of the integration tests has.

Statements against the service authorization reference, package groups against their CloudFormation schema:
https://docs.aws.amazon.com/service-authorization/latest/reference/
"""

import json
from collections.abc import Iterable, Iterator
from typing import Any

import pytest
from integration.aws_plugin.cloudcontrol import validate
from mocks import PACKAGE_GROUP, ROOT, Run, main_program, run
from pages import DOCS, blocks
from proof.matrix import ALONE, TOGETHER, in_china

REFERENCE = ROOT / "tests/integration/aws-emulator/reference"
TYPES: dict[str, list[str]] = json.loads((REFERENCE / "actions.json").read_text())["actions"]
SCHEMA: dict[str, Any] = json.loads((REFERENCE / "package-group.json").read_text())["schema"]

TAGS = {"tags": {"team": "platform", "empty": ""}}
CONFIGS: dict[str, dict[str, Any]] = {
    **ALONE,
    **TOGETHER,
    "tags": TOGETHER["together"] | TAGS,
    "tags in another account's domain": ALONE["existingDomain of another account"] | TAGS,
}
ALL_KINDS = ["tags", "tags in another account's domain"]


def deploy(config: dict[str, Any], partition: str = "aws", region: str = "us-west-2") -> Run:
    texts = {
        f"private-pypi:{key}": value if isinstance(value, str) else json.dumps(value) for key, value in config.items()
    }
    return run(main_program, texts, partition=partition, region=region)


def written(value: Any, where: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    """The statements in a value, whatever it is part of: each with where it stands."""
    if isinstance(value, str) and value[:1] in {"{", "["}:
        yield from written(json.loads(value), where)
    elif isinstance(value, dict) and "Effect" in value:
        yield where, value
    elif isinstance(value, dict):
        for key, each in value.items():
            yield from written(each, where or key)
    elif isinstance(value, list):
        for each in value:
            yield from written(each, where)


def of_program(made: Run) -> Iterator[tuple[str, dict[str, Any]]]:
    yield from written(made.exports)
    for resource in made.resources.values():
        yield from written(resource.inputs, resource.type)


def of_pages() -> Iterator[tuple[str, dict[str, Any]]]:
    for page in sorted(DOCS.glob("*.md")):
        for block in blocks(page.name, "json"):
            yield from written(block.strip(), page.name)
    for file in sorted(DOCS.glob("*.json")):
        yield from written(file.read_text().strip(), file.name)


def listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value


def objections(statement: dict[str, Any]) -> Iterator[str]:
    """What the reference has against a statement."""
    actions, resources = listed(statement["Action"]), listed(statement.get("Resource", []))
    for action in actions:
        if action not in TYPES:
            yield f"there is no action {action}"
        elif "Resource" not in statement:  # a trust policy is about the role that has it
            if TYPES[action] != ["role"]:
                yield f"{action} without a resource"
        elif not TYPES[action] and resources != ["*"]:
            yield f'{action} takes "*" alone, not {resources}'
        elif not any(takes(action, resource, statement) for resource in resources):
            yield f"{action} takes none of {resources}"
    for resource in resources:
        if not any(takes(action, resource, statement) for action in actions):
            yield f"no action takes {resource}"


def takes(action: str, resource: str, statement: dict[str, Any]) -> bool:
    types = TYPES.get(action, [])
    if resource == "*":  # in a permissions policy, all that it is attached to
        return not types or "Principal" in statement
    _, _, service, _, _, name = resource.split(":", maxsplit=5)
    return action.startswith(f"{service}:") and name.partition("/")[0] in types


def assert_known(statements: Iterable[tuple[str, dict[str, Any]]]) -> None:
    for where, statement in statements:
        assert statement.keys() <= {"Sid", "Effect", "Principal", "Action", "Resource", "Condition"}, where
        assert [*objections(statement)] == [], (where, statement)


@pytest.mark.parametrize("name", CONFIGS)
def test_the_program_writes_actions_that_exist_each_with_a_resource_that_it_takes(name: str) -> None:
    assert_known(of_program(deploy(CONFIGS[name])))


def test_so_it_does_in_another_partition() -> None:
    assert_known(of_program(deploy(in_china(TOGETHER["together"]), "aws-cn", "cn-north-1")))


def test_so_do_the_pages() -> None:
    statements = [*of_pages()]

    assert {where for where, _ in statements} >= {"deployer-policy.json", "environments.md"}
    assert_known(statements)


def test_statements_of_every_kind_of_policy_are_found() -> None:
    assert {where for name in ALL_KINDS for where, _ in of_program(deploy(CONFIGS[name]))} == {
        "aws:codeartifact/domainPermissions:DomainPermissions",
        "aws:codeartifact/repositoryPermissionsPolicy:RepositoryPermissionsPolicy",
        "aws:iam/policy:Policy",
        "aws:iam/role:Role",
        "aws:iam/rolePolicy:RolePolicy",
        "domain_policy_statements",
        "publisher_policies",
        "reader_policy",
    }


@pytest.mark.parametrize("name", ["internalPackages", "tags"])
def test_package_groups_are_valid_by_their_schema(name: str) -> None:
    group = deploy(CONFIGS[name]).of_type(PACKAGE_GROUP).inputs

    assert group["typeName"] == SCHEMA["typeName"]
    validate(json.loads(group["desiredState"]), SCHEMA)


def test_the_deployer_has_every_right_that_makes_changes_and_deletes_package_groups() -> None:
    statements = json.loads((DOCS / "deployer-policy.json").read_text())["Statement"]
    granted = {action for statement in statements for action in listed(statement["Action"])}
    handlers = SCHEMA["handlers"]

    for name in ("create", "read", "update", "delete"):
        assert {*handlers[name]["permissions"]} <= granted, name
