"""A domain and a repository that were made by hand, brought into a stack with the commands of docs/adopt.md."""

import json
from typing import Any

from engine import ACCOUNT, Emulator, Project, document, packages, publish
from pages import blocks, commands

KEY = f"arn:aws:kms:us-west-2:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def test_what_was_made_by_hand_is_adopted_and_nothing_is_replaced(project: Project, emulator: Emulator) -> None:
    codeartifact = emulator.client("codeartifact")
    tags = [{"key": "made", "value": "by hand"}]
    codeartifact.create_domain(domain="acme", encryptionKey=KEY, tags=tags)
    codeartifact.create_repository(domain="acme", repository="pypi-store")
    codeartifact.create_repository(
        domain="acme", repository="tools", description="Tools", tags=tags, upstreams=[{"repositoryName": "pypi-store"}]
    )
    everybody = {"Effect": "Allow", "Principal": {"AWS": ACCOUNT}, "Action": "codeartifact:*", "Resource": "*"}
    codeartifact.put_domain_permissions_policy(domain="acme", policyDocument=document(everybody))
    codeartifact.put_repository_permissions_policy(
        domain="acme", repository="tools", policyDocument=document(everybody)
    )
    publish(codeartifact, "acme-core", "tools")
    config: dict[str, object] = {"domain": "acme", "repository": "tools", "readers": [ACCOUNT]}
    project.configure("dev", **config, publicUpstream=True)

    (example,) = blocks("adopt.md", "json")
    resources: dict[str, Any] = json.loads(example.replace("/private-pypi", "/tools"))
    (project.folder / "adopt.json").write_text(json.dumps(resources))
    adopt, look = commands("adopt.md")
    project.pulumi(*adopt.split()[1:], "--yes", "--stack", "dev")
    assert "policyDocument" in project.pulumi(*look.split()[1:], "--stack", "dev").stdout

    changes = project.changes("dev")
    assert changes == {
        "private-pypi-domain": "update",
        "private-pypi-domain-permissions": "update",
        "private-pypi-repository": "update",
        "private-pypi-repository-permissions": "update",
        "private-pypi-store": "create",
    }
    project.up("dev")
    assert packages(emulator, "tools") == ["acme-core"]
    described = codeartifact.describe_repository(domain="acme", repository="tools")["repository"]
    assert described["description"] == "Private PyPI repository"
    assert described["upstreams"] == [{"repositoryName": "tools-store"}]
    assert project.changes("dev") == {}
    assert "it is protected" in project.refused("destroy", "--yes", "--stack", "dev")

    # The key that the domain was made with may be named at any time, and no other.
    project.configure("dev", **config, publicUpstream=True, encryptionKey=KEY.replace("1234abcd", "00000000"))
    assert "private-pypi:encryptionKey: got " in project.refused("up", "--yes", "--skip-preview", "--stack", "dev")

    # What is left of the old is its owner's to delete, and what was adopted has no upstream left if it is to have none.
    project.configure("dev", **config)
    project.up("dev")
    described = codeartifact.describe_repository(domain="acme", repository="tools")["repository"]
    assert described["upstreams"] == []
    found = codeartifact.list_repositories_in_domain(domain="acme")["repositories"]
    assert [each["name"] for each in found] == ["pypi-store", "tools"]
