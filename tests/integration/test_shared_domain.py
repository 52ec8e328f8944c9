"""Two teams in the domain that one of them has made, by the commands and files of docs/domains.md."""

import json
from typing import Any

import pytest
import yaml
from engine import ACCOUNT, Emulator, Project, document, error_code
from pages import blocks

READER = f"arn:aws:iam::{ACCOUNT}:role/reader"
BEARER = {"Effect": "Allow", "Action": "sts:GetServiceBearerToken", "Resource": "*"}
SHARED = {"domain": "shared", "domainOwner": ACCOUNT}
TWO_TEAMS, ELSEWHERE, BY_HAND = "Two teams in one domain", "Repositories of another account", "What others add by hand"


def config(block: str) -> dict[str, Any]:
    """A config of the page, by key without the namespace."""
    return {key.removeprefix("private-pypi:"): value for key, value in yaml.safe_load(block)["config"].items()}


@pytest.fixture
def web(project: Project, emulator: Emulator) -> Any:
    """A client of the other team, whose stack `web` is in the domain that `dev` makes."""
    project.configure("dev", domain="shared", readers=[READER])
    project.up("dev")
    (theirs, _) = blocks("domains.md", "yaml", TWO_TEAMS)
    project.configure("web", **config(theirs))
    project.up("web")
    for name in ("reader", "more"):
        emulator.assume_role(name, BEARER)
    return emulator.client("codeartifact", emulator.assume_role("web/ci", BEARER))


def policy(emulator: Emulator) -> list[Any]:
    """The statements of the domain's policy."""
    answer = emulator.client("codeartifact").get_domain_permissions_policy(domain="shared")
    return json.loads(answer["policy"]["document"])["Statement"]


@pytest.mark.parametrize("by_command", [False, True], ids=["pasted", "by the command"])
def test_what_another_stack_needs_is_pasted_and_stays(project: Project, web: Any, by_command: bool) -> None:
    (_, ours) = blocks("domains.md", "yaml", TWO_TEAMS)
    (shown,) = blocks("domains.md", "console", TWO_TEAMS)
    (command,) = blocks("domains.md", "sh", TWO_TEAMS)
    printed = project.outputs("web")["domain_policy_statements"]
    assert shown.splitlines()[-1] == printed
    assert config(ours)["domainStatements"] == json.loads(printed)
    assert error_code(web.get_authorization_token, **SHARED) == "AccessDeniedException"

    if by_command:
        project.follow(command)
    else:
        project.configure("dev", **config(ours), readers=[READER])
    assert "GetAuthorizationToken on the domain" in project.preview_offline("dev").stdout
    project.up("dev")
    assert error_code(web.get_authorization_token, **SHARED) == ""

    more = config(ours) | {"readers": [READER, f"arn:aws:iam::{ACCOUNT}:role/more"]}
    project.configure("dev", **more)
    project.up("dev")
    project.pulumi("up", "--refresh", "--yes", "--skip-preview", "--stack", "dev")
    assert error_code(web.get_authorization_token, **SHARED) == ""
    assert error_code(web.list_packages, **SHARED, repository="private-pypi") == "AccessDeniedException"
    assert project.changes("dev") == {}


def test_what_is_added_by_hand_is_refused_then_shown_and_then_taken_away(
    project: Project, emulator: Emulator, web: Any
) -> None:
    (theirs,) = json.loads(project.outputs("web")["domain_policy_statements"])
    emulator.client("codeartifact").put_domain_permissions_policy(
        domain="shared", policyDocument=document(*policy(emulator), theirs)
    )
    project.up("dev")
    assert error_code(web.get_authorization_token, **SHARED) == ""

    project.configure("dev", domain="shared", readers=[READER, f"arn:aws:iam::{ACCOUNT}:role/more"])
    assert "ConflictException" in project.pulumi("up", "--yes", "--skip-preview", "--stack", "dev", check=False).stdout
    assert "not from here" not in project.pulumi("preview", "--refresh", "--stack", "dev").stdout

    (look,) = blocks("domains.md", "sh", BY_HAND)
    project.pulumi("stack", "select", "dev")
    said = project.follow(look)
    assert "The policy of the domain shared has statements that are not from here." in said
    assert theirs in [json.loads(line) for line in map(str.strip, said.splitlines()) if line.startswith('{"')]
    project.configure(
        "dev", domain="shared", readers=[READER, f"arn:aws:iam::{ACCOUNT}:role/more"], domainStatements=[theirs]
    )
    assert "not from here" not in project.follow(look)
    project.up("dev")
    assert error_code(web.get_authorization_token, **SHARED) == ""

    project.configure("dev", domain="shared", readers=[READER])
    assert "not from here" not in project.follow(look)  # the config had it, and gives it up
    project.up("dev")
    assert error_code(web.get_authorization_token, **SHARED) == "AccessDeniedException"


def test_another_account_makes_repositories_and_takes_ours_upstream(project: Project, emulator: Emulator) -> None:
    (statements,) = blocks("domains.md", "json", ELSEWHERE)
    project.configure("dev", domain="shared", readers=[READER])
    project.up("dev")
    everything = {"Effect": "Allow", "Action": "codeartifact:*", "Resource": "*"}
    keys = emulator.assume_role("admin", everything, account="444455556666")
    theirs = emulator.client("codeartifact", keys, account="444455556666")
    repository: dict[str, Any] = {
        **SHARED,
        "repository": "web",
        "tags": [{"key": "team", "value": "web"}],
        "upstreams": [{"repositoryName": "private-pypi"}],
    }
    given = json.loads(statements)
    for without in (given, given[:1], given[:2], given[1:], [given[0], given[2]]):
        some = [] if without is given else without
        project.configure("dev", domain="shared", readers=[READER], domainStatements=some)
        project.up("dev")
        assert error_code(theirs.create_repository, **repository) == "AccessDeniedException"

    project.configure("dev", domain="shared", readers=[READER], domainStatements=given)
    project.up("dev")
    assert error_code(theirs.create_repository, **repository) == ""
    assert error_code(theirs.delete_repository, **SHARED, repository="private-pypi") == "AccessDeniedException"
