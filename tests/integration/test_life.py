"""The life of a stack, on the real engine."""

import json
import re
from typing import Any

from botocore.exceptions import ClientError
from engine import Emulator, Project

ADA = "arn:aws:iam::111122223333:user/ada"
API = "arn:aws:iam::111122223333:role/service/api"
CI = "arn:aws:iam::111122223333:role/ci"
DOMAIN = {"domain": "acme"}
REPOSITORY = {"domain": "acme", "repository": "private-pypi"}


def policies(emulator: Emulator) -> dict[str, Any]:
    """The permissions policies of the domain and the repository, as AWS has them: whom each statement names."""
    codeartifact = emulator.client("codeartifact")
    found: dict[str, Any] = {}
    for get, where in (
        (codeartifact.get_domain_permissions_policy, DOMAIN),
        (codeartifact.get_repository_permissions_policy, REPOSITORY),
    ):
        try:
            document = json.loads(get(**where)["policy"]["document"])
        except ClientError as error:
            assert error.response["Error"]["Code"] == "ResourceNotFoundException"
        else:
            principals = {statement["Sid"]: statement["Principal"] for statement in document["Statement"]}
            found |= {sid: each if each == "*" else each["AWS"] for sid, each in principals.items()}
    return found


def names(emulator: Emulator) -> list[str]:
    """The domains and repositories that exist."""
    codeartifact = emulator.client("codeartifact")
    domains = [each["name"] for each in codeartifact.list_domains()["domains"]]
    return domains + [each["name"] for each in codeartifact.list_repositories()["repositories"]]


def test_a_stack_from_its_first_preview_to_its_end(project: Project, emulator: Emulator) -> None:
    project.configure("dev", domain="acme", readers=[API], publishers=[CI], protect=False)

    first = project.preview("dev")
    made = {step["urn"].rpartition("::")[2]: step["newState"].get("inputs", {}) for step in first["steps"]}
    assert {step["op"] for step in first["steps"]} == {"create"}
    assert made["private-pypi-domain"]["domain"] == "acme"
    previewed = {name: inputs["policyDocument"] for name, inputs in made.items() if "policyDocument" in inputs}
    assert names(emulator) == []

    project.up("dev")
    assert policies(emulator) == {
        "GetAuthorizationToken": [CI, API],
        "ReadRepository": [CI, API],
        "DownloadPackages": [CI, API],
        "PublishPackages": [CI],
    }
    state = json.loads(project.pulumi("stack", "export", "--stack", "dev").stdout)["deployment"]["resources"]
    assert {
        each["urn"].rpartition("::")[2]: each["inputs"]["policyDocument"]
        for each in state
        if "policyDocument" in each.get("inputs", {})
    } == previewed
    endpoint = f"{emulator.endpoint}/pypi/private-pypi/"
    outputs = project.outputs("dev")
    assert {name for name in outputs if name.endswith(("_policy", "_policies"))} == {"reader_policy"}
    assert {name: value for name, value in outputs.items() if not name.endswith("_policy")} == {
        "private_pypi_endpoint_url": endpoint,
        "index_url": f"{endpoint}simple/",
        "publish_url": endpoint,
        "domain_name": "acme",
        "domain_owner": "111122223333",
        "domain_arn": "arn:aws:codeartifact:us-west-2:111122223333:domain/acme",
        "repository_name": "private-pypi",
        "repository_arn": "arn:aws:codeartifact:us-west-2:111122223333:repository/acme/private-pypi",
    }
    assert project.changes("dev") == {}

    project.configure("dev", domain="acme", readers=[ADA, API], publishers=[CI], protect=False)
    both_policies = {"private-pypi-domain-permissions": "update", "private-pypi-repository-permissions": "update"}
    assert project.changes("dev") == both_policies
    project.up("dev")
    assert policies(emulator) == {
        "GetAuthorizationToken": [CI, API, ADA],
        "ReadRepository": [CI, API, ADA],
        "DownloadPackages": [CI, API, ADA],
        "PublishPackages": [CI],
    }

    project.configure("dev", domain="acme", readers=[ADA, API], protect=False)
    assert project.changes("dev") == both_policies
    project.up("dev")
    assert policies(emulator) == {
        "GetAuthorizationToken": [API, ADA],
        "ReadRepository": [API, ADA],
        "DownloadPackages": [API, ADA],
    }

    project.configure("dev", domain="acme", protect=False)
    assert project.changes("dev") == dict.fromkeys(both_policies, "delete")
    project.up("dev")
    assert policies(emulator) == {}
    assert names(emulator) == ["acme", "private-pypi"]
    assert project.changes("dev") == {}

    project.pulumi("destroy", "--yes", "--stack", "dev")
    assert names(emulator) == []


def test_a_policy_goes_before_what_it_is_about(project: Project, emulator: Emulator) -> None:
    project.configure("dev", domain="acme", readers=[API], protect=False)
    project.up("dev")
    project.pulumi("destroy", "--yes", "--stack", "dev")

    order = [call.split(" /v1/")[1] for call in emulator.calls() if call.startswith("codeartifact DELETE ")]
    assert len(order) == 4
    assert order.index("repository/permissions/policies") < order.index("repository") < order.index("domain")
    assert order.index("domain/permissions/policy") < order.index("domain")


def test_at_the_first_preview_only_the_endpoint_and_its_urls_are_unknown(project: Project) -> None:
    project.configure("dev", domain="acme", readers=[API])

    shown = project.pulumi("preview", "--stack", "dev").stdout
    outputs = dict(re.findall(r"^ {4}(\w+) *: (\S+)", shown.partition("Outputs:")[2], re.MULTILINE))
    assert outputs == {
        "private_pypi_endpoint_url": "[unknown]",
        "index_url": "[unknown]",
        "publish_url": "[unknown]",
        "domain_name": '"acme"',
        "domain_owner": '"111122223333"',
        "domain_arn": '"arn:aws:codeartifact:us-west-2:111122223333:domain/acme"',
        "repository_name": '"private-pypi"',
        "repository_arn": '"arn:aws:codeartifact:us-west-2:111122223333:repository/acme/private-pypi"',
        "reader_policy": "(json)",
    }


def test_identity_policies_take_few_lines_of_what_is_printed(project: Project) -> None:
    """Pulumi expands every output that is JSON, in the preview and once more when it is done."""
    project.configure("dev", domain="acme", readers=[API], publishers=[CI], protect=False)

    printed = project.pulumi("preview", "--stack", "dev").stdout
    expanded = re.findall(r"^ {4}\w+ *: \(json\) \{$.*?^ {4}\}$", printed, re.MULTILINE | re.DOTALL)
    assert [len(policy.splitlines()) for policy in expanded] == [20]


def test_an_unprotected_repository_is_replaced_when_it_is_renamed(project: Project, emulator: Emulator) -> None:
    project.configure("dev", domain="acme", readers=[API], protect=False)
    project.up("dev")

    project.configure("dev", domain="acme", repository="renamed", readers=[API], protect=False)
    assert project.changes("dev") == {
        "private-pypi-repository": "replace",
        "private-pypi-repository-permissions": "replace",
    }
    project.up("dev")
    assert names(emulator) == ["acme", "renamed"]
    assert project.outputs("dev")["index_url"] == f"{emulator.endpoint}/pypi/renamed/simple/"


def test_a_policy_changed_by_hand_is_shown_and_repaired(project: Project, emulator: Emulator) -> None:
    project.configure("dev", domain="acme", readers=[API])
    project.up("dev")
    expected = policies(emulator)
    opened = {"Effect": "Allow", "Principal": {"AWS": ADA}, "Action": "codeartifact:*", "Resource": "*", "Sid": "Hand"}
    emulator.client("codeartifact").put_repository_permissions_policy(
        **REPOSITORY, policyDocument=json.dumps({"Version": "2012-10-17", "Statement": [opened]})
    )

    project.pulumi("refresh", "--yes", "--stack", "dev")
    assert project.changes("dev") == {"private-pypi-repository-permissions": "update"}
    project.up("dev")
    assert policies(emulator) == expected
