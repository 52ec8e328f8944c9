"""Two environments in one state folder and one account."""

from engine import ACCOUNT, Emulator, Project

READER = "arn:aws:iam::111122223333:role/reader"


def domains(emulator: Emulator) -> list[str]:
    return [each["name"] for each in emulator.client("codeartifact").list_domains()["domains"]]


def test_stacks_do_not_touch_each_other(project: Project, emulator: Emulator) -> None:
    project.configure("dev", domain="acme-dev", readers=[READER], protect=False)
    project.configure("prod", domain="acme-prod", readers=[READER])
    project.up("dev")
    project.up("prod")
    assert domains(emulator) == ["acme-dev", "acme-prod"]
    assert project.changes("dev") == project.changes("prod") == {}

    project.pulumi("destroy", "--yes", "--stack", "dev")
    assert domains(emulator) == ["acme-prod"]
    assert project.changes("prod") == {}


def test_a_domain_that_another_stack_has_is_a_conflict(project: Project, emulator: Emulator) -> None:
    project.configure("dev", domain="acme", readers=[READER])
    project.configure("prod", domain="acme", readers=[])
    project.up("dev")
    before = emulator.client("codeartifact").get_domain_permissions_policy(domain="acme")["policy"]
    before_up = len(emulator.changes())

    refused = project.pulumi("up", "--yes", "--skip-preview", "--stack", "prod", check=False)
    assert refused.returncode != 0
    assert "ConflictException" in refused.stdout + refused.stderr
    domain = f"arn:aws:codeartifact:us-west-2:{ACCOUNT}:domain/acme"
    assert set(emulator.changes()[before_up:]) == {f"codeartifact:CreateDomain {domain}"}
    assert emulator.client("codeartifact").get_domain_permissions_policy(domain="acme")["policy"] == before
    assert project.changes("dev") == {}
