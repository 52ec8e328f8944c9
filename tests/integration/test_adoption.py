"""A domain and a repository that were made by hand, brought into a stack with the commands of the README."""

import json
import re
from typing import Any

from engine import ACCOUNT, ROOT, Emulator, Project, document, packages, publish

KEY = f"arn:aws:kms:us-west-2:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
README = (ROOT / "README.md").read_text()


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

    example = re.search(r"```json\n(.*?)```", README.partition("## Adopting")[2], re.DOTALL)
    assert example
    resources: dict[str, Any] = json.loads(example[1].replace("/private-pypi", "/tools"))
    (project.folder / "adopt.json").write_text(json.dumps(resources))
    commands = re.findall(r"^\$ pulumi (import .*?)(?: *#.*)?$", README.partition("## Adopting")[2], re.MULTILINE)
    assert len(commands) == 1
    project.pulumi(*commands[0].split(), "--yes", "--stack", "dev")

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
