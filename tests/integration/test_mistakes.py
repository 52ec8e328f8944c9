"""A config with mistakes, under the real engine."""

import json
from typing import Any

from engine import Emulator, Project

MISTAKES: dict[str, Any] = {
    "repository": "my repo",
    "description": "two\nlines",
    "readers": [
        "*",
        "ci",
        12345678901,
        ["ci"],
        "arn:aws:sts::111122223333:assumed-role/ci/session",
        "glue.amazonaws.com",
        "accounts.google.com",
        "arn:aws:s3:::bucket",
        "arn:aws-cn:iam::111122223333:role/ci",
        "arn:aws:iam::1111:role/ci",
        "arn:aws:iam::111122223333:role/c i",
    ],
    "publishers": "arn:aws:iam::111122223333:role/ci",
    "domainOwner": "1111",
    "encryptionKey": "arn:aws:kms:us-west-2:111122223333:alias/acme",
    "internalPackages": ["*", "acme*", 5],
    "tags": {"aws:owner": "ours", "team": 5, "cost;center": "12"},
    "publisher": [],
    "colour": "red",
}


def test_all_mistakes_are_printed_once_and_nothing_is_changed(project: Project, emulator: Emulator) -> None:
    project.configure("dev", **MISTAKES)

    refused = project.pulumi("up", "--yes", "--stack", "dev", check=False)
    printed = refused.stdout + refused.stderr
    # Under "Diagnostics" the CLI prints whole what it has already shown the first line of.
    _, _, diagnostics = printed.partition("Diagnostics:")

    assert refused.returncode != 0
    assert "25 errors in the config; nothing was changed." in diagnostics
    keys = ["domain", "repository", "description", "publishers", "domainOwner", "encryptionKey", "publisher", "colour"]
    keys += [f"readers[{index}]" for index in range(len(MISTAKES["readers"]))]
    keys += [f"internalPackages[{index}]" for index in range(len(MISTAKES["internalPackages"]))]
    keys += [f"tags.{key}" for key in MISTAKES["tags"]]
    assert {key: diagnostics.count(f"private-pypi:{key}: got ") for key in keys} == dict.fromkeys(keys, 1)
    assert "Traceback" not in printed
    assert emulator.changes() == []
    state = json.loads(project.pulumi("stack", "export", "--stack", "dev").stdout)["deployment"].get("resources", [])
    assert [each["type"] for each in state if not each["type"].startswith("pulumi:")] == []


def test_the_offline_preview_says_the_same(project: Project) -> None:
    project.configure("dev", **MISTAKES)

    online = project.pulumi("preview", "--stack", "dev", check=False).stdout
    offline = project.preview_offline("dev")

    assert offline.returncode == 1
    for line in offline.stderr.splitlines():
        assert line in online
