"""A part of what `make crash` runs (`crash_sweep.py`), and the page for whoever it happens to."""

import re

import pytest
from crashes import (
    BROKEN,
    DISTURBANCES,
    EDITS,
    FIXES,
    GONE,
    NOT_IMPORTED,
    PAGE,
    PANICS,
    PLAIN,
    REFUSED,
    REPLACED,
    TIDYING,
    Sweep,
    commands,
    section,
)
from engine import ACCOUNT, Emulator, Project, deployer, packages

from private_pypi.keys import KEYS


@pytest.mark.parametrize("sweep", ["the first up"], indirect=True)
def test_an_up_that_was_killed_after_a_call_is_ended_by_what_the_page_says(
    sweep: Sweep, subtests: pytest.Subtests
) -> None:
    """One call of each kind; `make crash` has them all."""
    calls = {call.partition(" ")[0]: (call, number) for call, number in reversed(sweep.calls)}
    for kind, (call, number) in calls.items():
        with subtests.test(kind):
            sweep.disturb(call, number, DISTURBANCES["killed after"])


@pytest.mark.parametrize(
    ("sweep", "kind"),
    [
        ("repository changed", "codeartifact:CreateRepository"),
        ("encryptionKey changed", "codeartifact:CreateDomain"),
        ("makeOidcProviders changed", "iam:CreateOpenIDConnectProvider"),
    ],
    indirect=["sweep"],
)
def test_what_the_first_up_does_not_meet_is_ended_by_what_the_page_says(sweep: Sweep, kind: str) -> None:
    *_, call = (call for call in sweep.calls if call[0].startswith(kind))
    sweep.disturb(*call, DISTURBANCES["killed after"])


@pytest.mark.parametrize("disturbance", DISTURBANCES)
@pytest.mark.parametrize("sweep", ["readers changed"], indirect=True)
def test_a_change_of_a_policy_is_ended_whatever_happens_to_it(sweep: Sweep, disturbance: str) -> None:
    (call,) = [call for call in sweep.calls if "PutRepositoryPermissionsPolicy" in call[0]]
    sweep.disturb(*call, DISTURBANCES[disturbance])


@pytest.mark.parametrize("sweep", ["protect changed back", "protect switched off for nobody"], indirect=True)
@pytest.mark.parametrize("disturbance", ["killed before", "killed after"])
def test_what_was_killed_while_it_took_the_protection_off_is_protected(sweep: Sweep, disturbance: str) -> None:
    (call,) = sweep.calls
    sweep.disturb(*call, DISTURBANCES[disturbance])


def test_a_stack_without_a_state_panics_until_what_the_page_says(project: Project) -> None:
    project.configure("dev", **PLAIN)
    state = project.folder / "state/.pulumi/stacks/private-pypi/dev.json"
    state.write_text('{"version":3,"checkpoint":{"stack":"organization/private-pypi/dev"}}')
    state.with_name("dev.json.attrs").unlink()

    printed = project.pulumi("preview", "--stack", "dev", check=False).stderr
    assert re.search(FIXES[PANICS], printed)
    project.follow(commands(PANICS))
    project.up("dev")


def test_a_checkpoint_whose_attributes_were_cut_off_is_loaded_after_what_the_page_says(project: Project) -> None:
    project.configure("dev", **PLAIN)
    project.up("dev")
    (project.folder / "state/.pulumi/stacks/private-pypi/dev.json.attrs").write_text("")

    assert re.search(FIXES[BROKEN], project.refused("up", "--yes", "--skip-preview", "--stack", "dev"))
    project.follow(commands(BROKEN).replace("STATE", "state"))
    assert project.changes("dev") == {}


def test_what_was_deleted_is_made_again_by_what_the_page_says(project: Project, emulator: Emulator) -> None:
    project.configure("dev", **PLAIN)
    project.up("dev")
    emulator.client("codeartifact").delete_repository(domain="acme", repository="private-pypi")

    result = project.pulumi("up", "--yes", "--skip-preview", "--stack", "dev", check=False)
    assert re.search(FIXES[GONE], result.stdout)
    project.follow(commands(GONE))
    assert project.changes("dev") == {}


@pytest.mark.parametrize("is_first", [True, False], ids=["first up", "later"])
def test_a_role_that_does_not_exist_is_corrected_by_what_the_page_says(
    project: Project, emulator: Emulator, *, is_first: bool
) -> None:
    right, wrong = (f"arn:aws:iam::{ACCOUNT}:role/{name}" for name in ("team/wrong", "wrong"))
    emulator.assume_role("team/wrong")
    emulator.set(principals_exist=True)
    if not is_first:
        project.configure("dev", domain="acme", readers=[right])
        project.up("dev")
    before = policies(emulator)

    project.configure("dev", domain="acme", readers=[right, wrong], attachIdentityPolicies=True)
    printed = project.pulumi("up", "--yes", "--skip-preview", "--stack", "dev", check=False).stdout
    assert re.search(FIXES[REFUSED], printed)
    assert f'"AWS":"{wrong}"' in printed
    assert policies(emulator) == before
    if not is_first:  # else the repository may not have been made yet
        assert packages(emulator) == []

    assert project.follow(commands(REFUSED)) == f"{right}\n"
    project.configure("dev", domain="acme", readers=[right], attachIdentityPolicies=True)
    project.up("dev")
    assert project.changes("dev") == {}


def test_what_aws_refused_is_made_by_the_refresh_of_the_page(project: Project, emulator: Emulator) -> None:
    """The AWS provider notes the new description although it was refused; see its test in test_aws_plugin.py."""
    project.configure("dev", domain="acme")
    project.up("dev")
    project.configure("dev", domain="acme", description="Ours")

    result = project.try_to_follow(
        "pulumi up --yes --skip-preview --stack dev", **deployer(emulator, "codeartifact:UpdateRepository")
    )
    assert "AccessDenied" in result.stdout
    assert "`pulumi up --refresh`" in PAGE.partition("\n## ")[0]
    project.pulumi("up", "--yes", "--skip-preview", "--refresh", "--stack", "dev")
    described = emulator.client("codeartifact").describe_repository(domain="acme", repository="private-pypi")
    assert described["repository"]["description"] == "Ours"
    assert project.changes("dev") == {}


def policies(emulator: Emulator) -> dict[str, object]:
    """The documents of the permissions policies, of the domain and of the repository."""
    account = emulator.state()["codeartifact"]["accounts"][ACCOUNT]
    return {
        name: policy["document"]
        for kind in ("domain_policies", "repository_policies")
        for name, policy in account[kind].items()
    }


@pytest.mark.parametrize(("heading", "printed"), (FIXES | TIDYING).items(), ids=[*FIXES, *TIDYING])
def test_the_page_shows_what_is_printed(heading: str, printed: str) -> None:
    assert re.search(printed, section(heading))


def test_the_page_shows_an_import_that_has_nothing_to_do() -> None:
    assert re.search(NOT_IMPORTED, section(REPLACED))


def test_the_page_has_nothing_else() -> None:
    assert {*re.findall("^## (.*)", PAGE, re.MULTILINE)} == {*FIXES, *TIDYING}


def test_every_key_that_can_change_is_changed_in_the_sweep() -> None:
    assert KEYS.keys() - EDITS.keys() == {"domainOwner", "existingDomain"}
