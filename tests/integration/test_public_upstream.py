"""Public PyPI as an upstream, and the names that it can never supply, on the real engine."""

import base64
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from engine import ACCOUNT, Emulator, Project, error_code, packages, publish

READER = f"arn:aws:iam::{ACCOUNT}:role/reader"
CONFIG: dict[str, object] = {"domain": "acme", "readers": [READER], "publicUpstream": True}
ALL_BUT_UPDATES = (
    {"Effect": "Allow", "Action": "*", "Resource": "*"},
    {"Effect": "Deny", "Action": "codeartifact:UpdateRepository", "Resource": "*"},
)


def described(emulator: Emulator, repository: str) -> dict[str, Any]:
    codeartifact = emulator.client("codeartifact")
    return codeartifact.describe_repository(domain="acme", repository=repository)["repository"]


def repositories(emulator: Emulator) -> list[str]:
    return [each["name"] for each in emulator.client("codeartifact").list_repositories()["repositories"]]


def upstreams(emulator: Emulator) -> list[str]:
    return [each["repositoryName"] for each in described(emulator, "private-pypi")["upstreams"]]


def groups(emulator: Emulator, domain: str = "acme") -> dict[str, dict[str, str]]:
    """The package groups of a domain: what each lets in, by pattern."""
    found = emulator.client("codeartifact").list_package_groups(domain=domain)["packageGroups"]
    return {
        each["pattern"]: {kind: rule["mode"] for kind, rule in each["originConfiguration"]["restrictions"].items()}
        for each in found
    }


def test_the_store_comes_and_goes_and_what_was_published_stays(project: Project, emulator: Emulator) -> None:
    project.configure("dev", **(CONFIG | {"publicUpstream": False}))
    project.up("dev")
    publish(emulator.client("codeartifact"), "acme-core")

    project.configure("dev", **CONFIG)
    assert project.changes("dev") == {"private-pypi-store": "create", "private-pypi-repository": "update"}
    project.up("dev")
    (connection,) = described(emulator, "private-pypi-store")["externalConnections"]
    assert connection["externalConnectionName"] == "public:pypi"
    assert upstreams(emulator) == ["private-pypi-store"]
    assert project.changes("dev") == {}

    project.configure("dev", **(CONFIG | {"publicUpstream": False}))
    assert project.changes("dev") == {"private-pypi-repository": "update", "private-pypi-store": "delete"}
    before = len(emulator.changes())
    project.up("dev")
    assert upstreams(emulator) == []
    assert repositories(emulator) == ["private-pypi"]
    assert packages(emulator) == ["acme-core"]
    # First the upstream goes, by the program's call; what the provider sends next says nothing of upstreams.
    repository = f"arn:aws:codeartifact:us-west-2:{ACCOUNT}:repository/acme/private-pypi"
    update = f"codeartifact:UpdateRepository {repository}"
    assert emulator.changes()[before:] == [update, update, f"codeartifact:DeleteRepository {repository}-store"]
    project.pulumi("refresh", "--yes", "--stack", "dev")
    assert project.changes("dev") == {}


def test_an_upstream_that_cannot_be_removed_keeps_its_store(project: Project, emulator: Emulator) -> None:
    project.configure("dev", **CONFIG)
    project.up("dev")
    keys = emulator.assume_role("deployer", *ALL_BUT_UPDATES)
    project.environment |= {
        "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
        "AWS_SESSION_TOKEN": keys["SessionToken"],
    }

    project.configure("dev", **(CONFIG | {"publicUpstream": False}))
    refused = project.pulumi("up", "--yes", "--skip-preview", "--stack", "dev", check=False)
    assert refused.returncode != 0
    printed = refused.stdout + refused.stderr
    command = (
        "aws codeartifact update-repository --region us-west-2 --domain acme --domain-owner 111122223333 "
        "--repository private-pypi --upstreams '[]'"
    )
    assert command in printed
    assert "AccessDeniedException" in printed
    assert upstreams(emulator) == ["private-pypi-store"]
    assert repositories(emulator) == ["private-pypi-store", "private-pypi"]

    # What the message says, done by somebody who may.
    emulator.client("codeartifact").update_repository(domain="acme", repository="private-pypi", upstreams=[])
    project.pulumi("refresh", "--yes", "--stack", "dev")
    project.up("dev")
    assert repositories(emulator) == ["private-pypi"]


def test_nobody_reads_the_store_directly(project: Project, emulator: Emulator) -> None:
    project.configure("dev", **CONFIG, attachIdentityPolicies=True)
    keys = emulator.assume_role("reader")
    project.up("dev")
    for repository in ("private-pypi", "private-pypi-store"):
        publish(emulator.client("codeartifact"), "acme-core", repository)
    token = emulator.client("codeartifact", keys).get_authorization_token(domain="acme")["authorizationToken"]
    credentials = base64.b64encode(f"aws:{token}".encode()).decode()

    def status(repository: str) -> int:
        url = f"{emulator.endpoint}/pypi/{repository}/simple/acme-core/"
        try:
            return urlopen(Request(url, headers={"Authorization": f"Basic {credentials}"})).status
        except HTTPError as error:
            return error.code

    assert (status("private-pypi"), status("private-pypi-store")) == (200, 403)


def test_with_publishing_closed_nobody_publishes_to_the_store(project: Project, emulator: Emulator) -> None:
    project.configure("dev", **CONFIG, closedPublishing=True)
    project.up("dev")
    administrator = {"Effect": "Allow", "Action": "codeartifact:*", "Resource": "*"}
    codeartifact = emulator.client("codeartifact", emulator.assume_role("admin", administrator))

    for repository in ("private-pypi", "private-pypi-store"):
        code = error_code(publish, codeartifact=codeartifact, package="acme-core", repository=repository)
        assert code == "AccessDeniedException"


def test_internal_names_are_reserved_as_long_as_they_are_listed(project: Project, emulator: Emulator) -> None:
    reserved = {"PUBLISH": "ALLOW", "EXTERNAL_UPSTREAM": "BLOCK", "INTERNAL_UPSTREAM": "ALLOW"}
    project.configure("dev", **CONFIG, internalPackages=["Acme.Core", "beta"])
    project.up("dev")
    assert groups(emulator) == {"/pypi//acme-core$": reserved, "/pypi//beta$": reserved}
    order = [change.partition(" ")[0] for change in emulator.changes()]
    last_group = len(order) - order[::-1].index("cloudformation:CreateResource")
    assert order.count("cloudformation:CreateResource") == 2
    assert last_group <= order.index("codeartifact:CreateRepository")

    project.configure("dev", **CONFIG, internalPackages=["beta", "acme-core", "acme-core"])
    assert project.changes("dev") == {}

    # Wider first, and only then is the narrower name given up.
    project.configure("dev", **CONFIG, internalPackages=["acme-core", "acme-*"])
    assert project.changes("dev") == {
        "private-pypi-internal-acme-*": "create",
        "private-pypi-internal-acme-core": "delete",
        "private-pypi-internal-beta": "delete",
    }
    project.up("dev")
    assert groups(emulator) == {"/pypi//acme~": reserved}

    project.configure("dev", **CONFIG)
    shown = project.pulumi("preview", "--stack", "dev").stdout
    assert "warning: publicUpstream is on and internalPackages is empty" in shown
    project.up("dev")
    assert groups(emulator) == {}


def test_the_package_groups_of_a_renamed_domain_are_made_in_the_new_one(project: Project, emulator: Emulator) -> None:
    config = CONFIG | {"internalPackages": ["acme-*"], "protect": False}
    project.configure("dev", **config)
    project.up("dev")
    project.configure("dev", **(config | {"domain": "acme-two"}))
    project.up("dev")

    assert [*groups(emulator, "acme-two")] == ["/pypi//acme~"]
    assert [each["name"] for each in emulator.client("codeartifact").list_domains()["domains"]] == ["acme-two"]
    assert project.changes("dev") == {}
    project.pulumi("destroy", "--yes", "--stack", "dev")
    assert emulator.client("codeartifact").list_domains()["domains"] == []


def test_tags_come_and_go_on_all_that_takes_them(project: Project, emulator: Emulator) -> None:
    emulator.assume_role("reader")
    config = CONFIG | {"internalPackages": ["beta"], "attachIdentityPolicies": True}
    arn = f"arn:aws:codeartifact:us-west-2:{ACCOUNT}"
    arns = [f"{arn}:domain/acme", f"{arn}:repository/acme/private-pypi", f"{arn}:repository/acme/private-pypi-store"]

    def tags() -> list[dict[str, str]]:
        codeartifact = emulator.client("codeartifact")
        found = [codeartifact.list_tags_for_resource(resourceArn=arn)["tags"] for arn in arns]
        return [{tag["key"]: tag["value"] for tag in each} for each in found]

    project.configure("dev", **config, tags={"team": "platform", "cost center": "12"})
    project.up("dev")
    assert tags() == [{"team": "platform", "cost center": "12"}] * 3
    (policy,) = emulator.client("iam").list_policies(Scope="Local")["Policies"]
    policy_tags = emulator.client("iam").list_policy_tags(PolicyArn=policy["Arn"])["Tags"]
    assert {tag["Key"]: tag["Value"] for tag in policy_tags} == {"team": "platform", "cost center": "12"}

    project.configure("dev", **config, tags={"team": "data"})
    assert set(project.changes("dev").values()) == {"update"}
    project.up("dev")
    assert tags() == [{"team": "data"}] * 3

    project.configure("dev", **config)
    project.up("dev")
    assert tags() == [{}] * 3
