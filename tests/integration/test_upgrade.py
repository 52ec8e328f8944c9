"""A stack that an earlier program deployed, seen by this one."""

from pathlib import Path

from engine import Emulator, Project

# What `pulumi stack export` gave when the program of commit 8dd7d28 had deployed the config below, without times and
# traces, and with the emulator's address as ENDPOINT. That is before the modules moved.
EARLIER_STATE = Path(__file__).with_name("earlier-state.json")


def test_nothing_but_identity_policies_changes(project: Project, emulator: Emulator) -> None:
    codeartifact = emulator.client("codeartifact")
    codeartifact.create_domain(domain="acme")
    codeartifact.create_repository(domain="acme", repository="private-pypi")  # whose endpoint the preview asks for
    project.configure(
        "dev",
        domain="acme",
        readers=["arn:aws:iam::111122223333:role/service/api", "444455556666", "o-a1b2c3d4e5"],
        publishers=[
            "arn:aws:iam::111122223333:role/ci",
            {"principal": "arn:aws:iam::111122223333:role/data-*", "packages": ["acme-data"]},
        ],
        closedPublishing=True,
        publicUpstream=True,
        internalPackages=["acme-*"],
        attachIdentityPolicies=True,
        tags={"team": "platform"},
    )
    state = project.folder / "state.json"
    state.write_text(EARLIER_STATE.read_text().replace("http://ENDPOINT", emulator.endpoint))
    project.pulumi("stack", "import", "--stack", "dev", "--file", str(state))

    # The component too: a resource of another URN would be made anew, and the old one deleted.
    assert project.changes("dev") == {"private-pypi-reader-policy": "update"}
