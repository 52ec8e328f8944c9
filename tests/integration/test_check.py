"""`private-pypi check` with one grant taken away at a time: the whole text, and whether the fix fixes it."""

import json
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
import yaml
from engine import ACCOUNT, BIN, REGION, Emulator, Project, build, document, packages, publish
from pages import blocks
from tls_proxy import TlsProxy

OTHER = "444455556666"
ROLES = f"arn:aws:iam::{ACCOUNT}:role"
BEARER_TOKEN = {"Effect": "Allow", "Action": "sts:GetServiceBearerToken", "Resource": "*"}
ADMINISTRATOR = {"Effect": "Allow", "Action": "*", "Resource": "*"}
CONFIG: dict[str, object] = {
    "domain": "acme",
    "readers": [f"{ROLES}/team/reader", OTHER],
    "publishers": [f"{ROLES}/publisher", {"principal": f"{ROLES}/core", "packages": ["acme-core"]}],
}

Keys = Mapping[str, str]


@pytest.fixture
def deployed(project: Project) -> Project:
    """A repository with acme-core in it."""
    project.configure("dev", **CONFIG)
    project.up("dev")
    publish(project.emulator.client("codeartifact"), "acme-core")
    return project


@pytest.fixture
def role(deployed: Project) -> Callable[..., Keys]:
    """The keys of a role that has the reader policy."""
    policy = json.loads(deployed.outputs("dev")["reader_policy"])["Statement"]

    def make(name: str = "team/reader", *more: object, account: str = ACCOUNT) -> Keys:
        return deployed.emulator.assume_role(name, *policy, *more, account=account)

    return make


def check(project: Project, keys: Keys, *arguments: str, **environment: str) -> tuple[int, str]:
    """The exit status of the check with the keys of a session, and what it printed."""
    credentials = {
        "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
        "AWS_SESSION_TOKEN": keys["SessionToken"],
    }
    result = subprocess.run(
        [BIN / "private-pypi", "check", "dev", *arguments],
        cwd=project.folder,
        env=project.environment | credentials | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert result.stderr == ""
    return result.returncode, result.stdout


def repair(project: Project) -> None:
    """What the check says where what is deployed is not what the config says."""
    project.pulumi("up", "--refresh", "--yes", "--skip-preview", "--stack", "dev")


def text(block: str) -> str:
    return dedent(block).removeprefix("\n")


def test_the_page_shows_what_is_printed(deployed: Project, emulator: Emulator) -> None:
    keys = emulator.assume_role("team/reader")
    (block,) = blocks("check.md", "console")
    command, _, shown = block.partition("\n")

    assert command == "$ .venv/bin/private-pypi check dev"
    assert check(deployed, keys) == (1, shown)


def test_whoever_is_listed_gets_in(deployed: Project, emulator: Emulator, role: Callable[..., Keys]) -> None:
    assert check(deployed, role("core"), "--package", "acme-core", "--publish") == (
        0,
        text(f"""
            Stack dev, with the credentials of the environment. Nothing is published and nothing changes.

            Steps
              who you are  ok  arn:aws:sts::111122223333:assumed-role/core/session
              token        ok  sts:GetServiceBearerToken and codeartifact:GetAuthorizationToken
              endpoint     ok  {emulator.endpoint}/pypi/private-pypi/
              index        ok  you may read
              package      ok  acme-core-1.0.tar.gz; the index gives upload times
              publish      ok  AWS did not deny it and refused only the content of the trial; the config lets you publish acme-core

            You in the config
              arn:aws:iam::111122223333:role/core may install and publish acme-core
                if it covers the path of your role, which is not known here: its name alone does not tell

            What is deployed
              you may not read the domain's policy
              you may not read the repository's policy

            Every step passes. Not looked at: the URL and the token that a client has been given.
            """),
    )
    assert packages(emulator) == ["acme-core"]


def test_what_a_package_needs(project: Project, emulator: Emulator) -> None:
    config = {"domain": "acme", "readers": [f"{ROLES}/reader"], "internalPackages": ["acme-*"]}
    project.configure("dev", **config, attachIdentityPolicies=True)
    emulator.assume_role("reader")
    project.up("dev")
    wheel = build(project.folder, "acme-core", needs=["acme-billing>=1", "iniconfig"])
    publish(emulator.client("codeartifact"), "acme-core", asset=wheel.name, content=wheel.read_bytes())

    def failed(*arguments: str) -> list[str]:
        status, printed = check(project, emulator.session("reader"), *arguments)
        assert status == 1
        why = printed.partition("\nWhy\n")[2].partition("\n\n")[0]
        return [line.strip() for line in why.splitlines() if not line.startswith("  AWS says")]

    kept_out = "acme-* in private-pypi:internalPackages keeps it from coming from public PyPI"
    publishing = ["fix       publish it", "who       its publishers"]
    taking_out = "take acme-* out of private-pypi:internalPackages in Pulumi.dev.yaml, then `pulumi up --stack dev`"
    rest = [*publishing, f"or        {taking_out}: if it is not your own", "who       whoever deploys stack dev"]
    assert failed("--package", "acme-core") == [f"cause     a dependency is not here: acme-billing. {kept_out}", *rest]
    nothing = "there is no package acme-other here; the token is new, and lets you read"
    assert failed("--package", "acme-other") == [f"cause     {nothing}. {kept_out}", *rest]

    billing = build(project.folder, "acme-billing")
    publish(emulator.client("codeartifact"), "acme-billing", asset=billing.name, content=billing.read_bytes())
    status, printed = check(project, emulator.session("reader"), "--package", "acme-core")
    assert status == 0
    assert "\n  needs        ok  acme-billing>=1, iniconfig\n  needs        ok  acme-billing 1.0\n" in printed
    assert "  needs        ok  iniconfig is not here. publicUpstream is off" in printed


def test_without_the_bearer_token(deployed: Project, emulator: Emulator) -> None:
    keys = emulator.assume_role("team/reader")
    assert check(deployed, keys) == (
        1,
        text("""
            Stack dev, with the credentials of the environment. Nothing is published and nothing changes.

            Steps
              who you are  ok  arn:aws:sts::111122223333:assumed-role/reader/session
              token        NO  AccessDeniedException

            Why
              AWS says  AccessDeniedException: User: arn:aws:sts::111122223333:assumed-role/reader/session is not authorized to perform: sts:GetServiceBearerToken on resource: * because no identity-based policy allows the sts:GetServiceBearerToken action
              cause     no identity policy of role reader allows sts:GetServiceBearerToken. No permissions policy can
              fix       attach the output reader_policy to role reader: `pulumi stack output reader_policy --stack dev`
              who       whoever administers IAM in account 111122223333
              or        set private-pypi:attachIdentityPolicies to true in Pulumi.dev.yaml, then `pulumi up --stack dev`
              who       whoever deploys stack dev

            You in the config
              arn:aws:iam::111122223333:role/team/reader may install
                if it covers the path of your role, which is not known here: its name alone does not tell

            What is deployed
              you may not read the domain's policy
              you may not read the repository's policy
            """),
    )

    iam = emulator.client("iam")
    policy = json.loads(deployed.outputs("dev")["reader_policy"])["Statement"]
    iam.put_role_policy(RoleName="reader", PolicyName="reader", PolicyDocument=document(*policy))
    assert check(deployed, keys)[0] == 0


def test_without_the_domains_statement(deployed: Project, emulator: Emulator, role: Callable[..., Keys]) -> None:
    keys = role()
    emulator.client("codeartifact").delete_domain_permissions_policy(domain="acme")
    assert check(deployed, keys) == (
        1,
        text("""
            Stack dev, with the credentials of the environment. Nothing is published and nothing changes.

            Steps
              who you are  ok  arn:aws:sts::111122223333:assumed-role/reader/session
              token        NO  AccessDeniedException

            Why
              AWS says  AccessDeniedException: User: arn:aws:sts::111122223333:assumed-role/reader/session is not authorized to perform: codeartifact:GetAuthorizationToken on resource: arn:aws:codeartifact:us-west-2:111122223333:domain/acme because no identity-based policy allows the codeartifact:GetAuthorizationToken action
              cause     neither the domain's permissions policy nor an identity policy lets role reader do codeartifact:GetAuthorizationToken: one has to. The config says so, for arn:aws:iam::111122223333:role/team/reader
              fix       `pulumi up --refresh --stack dev`, if it was changed, names a role that was deleted since, or is not in us-west-2 (aws:region)
              who       whoever deploys stack dev
              or        compare the path: arn:aws:iam::111122223333:role/team/reader in the config, `aws iam get-role --role-name reader`
              who       whoever administers IAM in account 111122223333

            You in the config
              arn:aws:iam::111122223333:role/team/reader may install
                if it covers the path of your role, which is not known here: its name alone does not tell

            What is deployed
              you may not read the domain's policy
              you may not read the repository's policy
            """),
    )

    repair(deployed)
    assert check(deployed, keys)[0] == 0


def test_without_the_repositorys_statement(deployed: Project, emulator: Emulator, role: Callable[..., Keys]) -> None:
    """A client at the index is not told which policy refuses."""
    keys = role()
    emulator.client("codeartifact").delete_repository_permissions_policy(domain="acme", repository="private-pypi")
    assert check(deployed, keys) == (
        1,
        text(f"""
            Stack dev, with the credentials of the environment. Nothing is published and nothing changes.

            Steps
              who you are  ok  arn:aws:sts::111122223333:assumed-role/reader/session
              token        ok  sts:GetServiceBearerToken and codeartifact:GetAuthorizationToken
              endpoint     ok  {emulator.endpoint}/pypi/private-pypi/
              index        NO  HTTP 403

            Why
              AWS says  HTTP 403: User: arn:aws:sts::111122223333:assumed-role/reader/session is not authorized to perform: codeartifact:ReadFromRepository on resource: arn:aws:codeartifact:us-west-2:111122223333:repository/acme/private-pypi
              It does not say which policy refuses. Look at these, in this order.
              look at   the repository's permissions policy: it has to let role reader do codeartifact:ReadFromRepository. The config says so, for arn:aws:iam::111122223333:role/team/reader
              fix       `pulumi up --refresh --stack dev`, if it was changed, names a role that was deleted since, or is not in us-west-2 (aws:region)
              who       whoever deploys stack dev
              or        compare the path: arn:aws:iam::111122223333:role/team/reader in the config, `aws iam get-role --role-name reader`
              who       whoever administers IAM in account 111122223333
              look at   a Deny of codeartifact:ReadFromRepository, or a permissions boundary or a policy of the organization without it
              fix       take the Deny out, or allow it there
              who       whoever administers IAM in account 111122223333

            You in the config
              arn:aws:iam::111122223333:role/team/reader may install
                if it covers the path of your role, which is not known here: its name alone does not tell

            What is deployed
              you may not read the domain's policy
              you may not read the repository's policy
            """),
    )

    repair(deployed)
    assert check(deployed, keys)[0] == 0


def test_a_permissions_boundary(deployed: Project, emulator: Emulator, role: Callable[..., Keys]) -> None:
    keys, iam = role(), emulator.client("iam")
    allowed = document({"Effect": "Allow", "Action": "codeartifact:*", "Resource": "*"})
    boundary = iam.create_policy(PolicyName="boundary", PolicyDocument=allowed)["Policy"]["Arn"]
    iam.put_role_permissions_boundary(RoleName="reader", PermissionsBoundary=boundary)
    assert check(deployed, keys) == (
        1,
        text("""
            Stack dev, with the credentials of the environment. Nothing is published and nothing changes.

            Steps
              who you are  ok  arn:aws:sts::111122223333:assumed-role/reader/session
              token        NO  AccessDeniedException

            Why
              AWS says  AccessDeniedException: User: arn:aws:sts::111122223333:assumed-role/reader/session is not authorized to perform: sts:GetServiceBearerToken on resource: * because no permissions boundary allows the sts:GetServiceBearerToken action
              cause     the permissions boundary of role reader does not allow sts:GetServiceBearerToken
              fix       allow it there
              who       whoever administers IAM in account 111122223333

            You in the config
              arn:aws:iam::111122223333:role/team/reader may install
                if it covers the path of your role, which is not known here: its name alone does not tell

            What is deployed
              you may not read the domain's policy
              you may not read the repository's policy
            """),
    )

    iam.delete_role_permissions_boundary(RoleName="reader")
    assert check(deployed, keys)[0] == 0


def test_a_boundary_limits_what_the_repository_allows_too(
    deployed: Project, emulator: Emulator, role: Callable[..., Keys]
) -> None:
    keys, iam = role("publisher"), emulator.client("iam")
    allowed = document({"Effect": "Allow", "NotAction": "codeartifact:Publish*", "Resource": "*"})
    boundary = iam.create_policy(PolicyName="boundary", PolicyDocument=allowed)["Policy"]["Arn"]
    iam.put_role_permissions_boundary(RoleName="publisher", PermissionsBoundary=boundary)
    assert check(deployed, keys, "--publish") == (
        1,
        text(f"""
            Stack dev, with the credentials of the environment. Nothing is published and nothing changes.

            Steps
              who you are  ok  arn:aws:sts::111122223333:assumed-role/publisher/session
              token        ok  sts:GetServiceBearerToken and codeartifact:GetAuthorizationToken
              endpoint     ok  {emulator.endpoint}/pypi/private-pypi/
              index        ok  you may read
              publish      NO  AccessDeniedException

            Why
              AWS says  AccessDeniedException: User: arn:aws:sts::111122223333:assumed-role/publisher/session is not authorized to perform: codeartifact:PublishPackageVersion on resource: arn:aws:codeartifact:us-west-2:111122223333:package/acme/private-pypi/pypi//private-pypi-check because no permissions boundary allows the codeartifact:PublishPackageVersion action
              cause     the permissions boundary of role publisher does not allow codeartifact:PublishPackageVersion
              fix       allow it there
              who       whoever administers IAM in account 111122223333

            You in the config
              arn:aws:iam::111122223333:role/publisher may install and publish everything
                if it covers the path of your role, which is not known here: its name alone does not tell

            What is deployed
              you may not read the domain's policy
              you may not read the repository's policy
            """),
    )


def test_a_deny_in_an_identity_policy(deployed: Project, role: Callable[..., Keys]) -> None:
    keys = role("team/reader", {"Effect": "Deny", "Action": "codeartifact:Get*", "Resource": "*"})
    assert check(deployed, keys) == (
        1,
        text("""
            Stack dev, with the credentials of the environment. Nothing is published and nothing changes.

            Steps
              who you are  ok  arn:aws:sts::111122223333:assumed-role/reader/session
              token        NO  AccessDeniedException

            Why
              AWS says  AccessDeniedException: User: arn:aws:sts::111122223333:assumed-role/reader/session is not authorized to perform: codeartifact:GetAuthorizationToken on resource: arn:aws:codeartifact:us-west-2:111122223333:domain/acme with an explicit deny in an identity-based policy
              cause     an identity policy of role reader has a Deny of codeartifact:GetAuthorizationToken
              fix       take the Deny out
              who       whoever administers IAM in account 111122223333

            You in the config
              arn:aws:iam::111122223333:role/team/reader may install
                if it covers the path of your role, which is not known here: its name alone does not tell

            What is deployed
              you may not read the domain's policy
              you may not read the repository's policy
            """),
    )


def test_closed_publishing(deployed: Project, emulator: Emulator, role: Callable[..., Keys]) -> None:
    keys = role("admin", ADMINISTRATOR)
    deployed.configure("dev", **CONFIG, closedPublishing=True)
    deployed.up("dev")
    assert check(deployed, keys, "--publish") == (
        1,
        text(f"""
            Stack dev, with the credentials of the environment. Nothing is published and nothing changes.

            Steps
              who you are  ok  arn:aws:sts::111122223333:assumed-role/admin/session
              token        ok  sts:GetServiceBearerToken and codeartifact:GetAuthorizationToken
              endpoint     ok  {emulator.endpoint}/pypi/private-pypi/
              index        ok  you may read
              publish      NO  AccessDeniedException

            Why
              AWS says  AccessDeniedException: User: arn:aws:sts::111122223333:assumed-role/admin/session is not authorized to perform: codeartifact:PublishPackageVersion on resource: arn:aws:codeartifact:us-west-2:111122223333:package/acme/private-pypi/pypi//private-pypi-check with an explicit deny in a resource-based policy
              cause     the repository's permissions policy has a Deny of codeartifact:PublishPackageVersion for whoever is no publisher (private-pypi:closedPublishing)
              fix       add arn:aws:iam::111122223333:role/admin to private-pypi:publishers in Pulumi.dev.yaml, then `pulumi up --stack dev`
              who       whoever deploys stack dev

            You in the config
              no entry covers role admin of account 111122223333

            What is deployed
              the domain's policy is as the config says
              the repository's policy is as the config says
            """),
    )
    assert packages(emulator) == ["acme-core"]


def test_publishing_another_package(deployed: Project, emulator: Emulator, role: Callable[..., Keys]) -> None:
    assert check(deployed, role("core"), "--package", "acme-new", "--publish") == (
        1,
        text(f"""
            Stack dev, with the credentials of the environment. Nothing is published and nothing changes.

            Steps
              who you are  ok  arn:aws:sts::111122223333:assumed-role/core/session
              token        ok  sts:GetServiceBearerToken and codeartifact:GetAuthorizationToken
              endpoint     ok  {emulator.endpoint}/pypi/private-pypi/
              index        ok  you may read
              package      ok  acme-new is not published yet
              publish      NO  AccessDeniedException

            Why
              AWS says  AccessDeniedException: User: arn:aws:sts::111122223333:assumed-role/core/session is not authorized to perform: codeartifact:PublishPackageVersion on resource: arn:aws:codeartifact:us-west-2:111122223333:package/acme/private-pypi/pypi//acme-new because no identity-based policy allows the codeartifact:PublishPackageVersion action
              cause     neither the repository's permissions policy nor an identity policy lets role core do codeartifact:PublishPackageVersion: one has to. The config does not say so
              fix       add acme-new to the packages of role core in private-pypi:publishers of Pulumi.dev.yaml, then `pulumi up --stack dev`
              who       whoever deploys stack dev

            You in the config
              arn:aws:iam::111122223333:role/core may install and publish acme-core
                if it covers the path of your role, which is not known here: its name alone does not tell

            What is deployed
              you may not read the domain's policy
              you may not read the repository's policy
            """),
    )
    assert packages(emulator) == ["acme-core"]


def test_a_role_that_was_deleted_and_made_again(
    deployed: Project, emulator: Emulator, role: Callable[..., Keys]
) -> None:
    role()
    iam = emulator.client("iam")
    iam.delete_role_policy(RoleName="reader", PolicyName="access")
    deleted = iam.get_role(RoleName="reader")["Role"]["RoleId"]
    iam.delete_role(RoleName="reader")
    keys = role()
    assert check(deployed, keys) == (
        1,
        text("""
            Stack dev, with the credentials of the environment. Nothing is published and nothing changes.

            Steps
              who you are  ok  arn:aws:sts::111122223333:assumed-role/reader/session
              token        NO  AccessDeniedException

            Why
              AWS says  AccessDeniedException: User: arn:aws:sts::111122223333:assumed-role/reader/session is not authorized to perform: codeartifact:GetAuthorizationToken on resource: arn:aws:codeartifact:us-west-2:111122223333:domain/acme because no identity-based policy allows the codeartifact:GetAuthorizationToken action
              cause     neither the domain's permissions policy nor an identity policy lets role reader do codeartifact:GetAuthorizationToken: one has to. The config says so, for arn:aws:iam::111122223333:role/team/reader
              fix       `pulumi up --refresh --stack dev`, if it was changed, names a role that was deleted since, or is not in us-west-2 (aws:region)
              who       whoever deploys stack dev
              or        compare the path: arn:aws:iam::111122223333:role/team/reader in the config, `aws iam get-role --role-name reader`
              who       whoever administers IAM in account 111122223333

            You in the config
              arn:aws:iam::111122223333:role/team/reader may install
                if it covers the path of your role, which is not known here: its name alone does not tell

            What is deployed
              you may not read the domain's policy
              you may not read the repository's policy
            """),
    )
    # Whoever may read the policies sees it.
    assert check(deployed, role("admin", ADMINISTRATOR)) == (
        0,
        text(f"""
            Stack dev, with the credentials of the environment. Nothing is published and nothing changes.

            Steps
              who you are  ok  arn:aws:sts::111122223333:assumed-role/admin/session
              token        ok  sts:GetServiceBearerToken and codeartifact:GetAuthorizationToken
              endpoint     ok  {emulator.endpoint}/pypi/private-pypi/
              index        ok  you may read

            You in the config
              no entry covers role admin of account 111122223333: you get in by rights of your own

            What is deployed
              the domain's policy is not as the config says
                lacks  arn:aws:iam::111122223333:role/team/reader: GetAuthorizationToken
                also has  {deleted} (a role or user that was deleted): GetAuthorizationToken
              the repository's policy is not as the config says
                lacks  arn:aws:iam::111122223333:role/team/reader: GetPackageVersionAsset, GetPackageVersionReadme, ReadFromRepository
                also has  {deleted} (a role or user that was deleted): GetPackageVersionAsset, GetPackageVersionReadme, ReadFromRepository

            Every step passes. Not looked at: a package (--package NAME); publishing (--publish); the URL and the token that a client has been given.
            """),
    )

    repair(deployed)
    assert check(deployed, keys)[0] == 0


def test_a_role_with_another_path(deployed: Project, role: Callable[..., Keys]) -> None:
    """One that may look itself up is told its path."""
    look = {"Effect": "Allow", "Action": "iam:GetRole", "Resource": "*"}
    assert check(deployed, role("reader", look)) == (
        1,
        text("""
            Stack dev, with the credentials of the environment. Nothing is published and nothing changes.

            Steps
              who you are  ok  arn:aws:sts::111122223333:assumed-role/reader/session
              token        NO  AccessDeniedException

            Why
              AWS says  AccessDeniedException: User: arn:aws:sts::111122223333:assumed-role/reader/session is not authorized to perform: codeartifact:GetAuthorizationToken on resource: arn:aws:codeartifact:us-west-2:111122223333:domain/acme because no identity-based policy allows the codeartifact:GetAuthorizationToken action
              cause     neither the domain's permissions policy nor an identity policy lets role reader do codeartifact:GetAuthorizationToken: one has to. The config does not say so
              fix       write arn:aws:iam::111122223333:role/reader in the place of arn:aws:iam::111122223333:role/team/reader in Pulumi.dev.yaml (the path counts), then `pulumi up --stack dev`
              who       whoever deploys stack dev

            You in the config
              no entry covers role reader of account 111122223333

            What is deployed
              you may not read the domain's policy
              you may not read the repository's policy
            """),
    )


def test_credentials_that_have_ended(deployed: Project, emulator: Emulator, role: Callable[..., Keys]) -> None:
    role()
    arn = f"{ROLES}/team/reader"
    ended = emulator.client("sts").assume_role(RoleArn=arn, RoleSessionName="ended")["Credentials"]
    assert check(deployed, ended) == (
        1,
        text("""
            Stack dev, with the credentials of the environment. Nothing is published and nothing changes.

            Steps
              who you are  NO  ExpiredToken

            Why
              AWS says  ExpiredToken: The security token included in the request is expired
              cause     your credentials have expired
              fix       fetch new ones: `aws sso login`, or assume the role again
              who       you
            """),
    )


def edit(project: Project, **config: object) -> None:
    """Edit the stack's config without deploying it; `None` takes a key out."""
    path = project.folder / "Pulumi.dev.yaml"
    content = yaml.safe_load(path.read_text())
    content["config"] |= {key.replace("_", ":", 1): value for key, value in config.items()}
    content["config"] = {key: value for key, value in content["config"].items() if value is not None}
    path.write_text(yaml.safe_dump(content))


def test_another_region(deployed: Project, role: Callable[..., Keys]) -> None:
    edit(deployed, aws_region="us-east-1")
    assert check(deployed, role()) == (
        1,
        text("""
            Stack dev, with the credentials of the environment. Nothing is published and nothing changes.

            Steps
              who you are  ok  arn:aws:sts::111122223333:assumed-role/reader/session
              token        NO  AccessDeniedException

            Why
              AWS says  AccessDeniedException: User: arn:aws:sts::111122223333:assumed-role/reader/session is not authorized to perform: codeartifact:GetAuthorizationToken on resource: arn:aws:codeartifact:us-east-1:111122223333:domain/acme because no identity-based policy allows the codeartifact:GetAuthorizationToken action
              cause     neither the domain's permissions policy nor an identity policy lets role reader do codeartifact:GetAuthorizationToken: one has to. The config says so, for arn:aws:iam::111122223333:role/team/reader
              fix       `pulumi up --refresh --stack dev`, if it was changed, names a role that was deleted since, or is not in us-east-1 (aws:region)
              who       whoever deploys stack dev
              or        compare the path: arn:aws:iam::111122223333:role/team/reader in the config, `aws iam get-role --role-name reader`
              who       whoever administers IAM in account 111122223333

            You in the config
              arn:aws:iam::111122223333:role/team/reader may install
                if it covers the path of your role, which is not known here: its name alone does not tell

            What is deployed
              you may not read the domain's policy
              you may not read the repository's policy
            """),
    )
    assert check(deployed, role("admin", ADMINISTRATOR)) == (
        1,
        text("""
            Stack dev, with the credentials of the environment. Nothing is published and nothing changes.

            Steps
              who you are  ok  arn:aws:sts::111122223333:assumed-role/admin/session
              token        NO  ResourceNotFoundException

            Why
              AWS says  ResourceNotFoundException: Domain not found. Domain name: acme
              cause     there is no domain acme of account 111122223333 in region us-east-1
              fix       correct the names, domainOwner, aws:region and aws:allowedAccountIds in Pulumi.dev.yaml
              who       whoever deploys stack dev
              or        `pulumi up --stack dev`, if it is not deployed yet
              who       whoever deploys stack dev

            You in the config
              no entry covers role admin of account 111122223333
            """),
    )


def test_the_region_of_the_environment(deployed: Project, role: Callable[..., Keys]) -> None:
    edit(deployed, aws_region=None)
    assert check(deployed, role("admin", ADMINISTRATOR), AWS_REGION="us-east-1", AWS_DEFAULT_REGION="us-east-1") == (
        1,
        text("""
            Stack dev, with the credentials of the environment. Nothing is published and nothing changes.

            Steps
              who you are  ok  arn:aws:sts::111122223333:assumed-role/admin/session
              token        NO  ResourceNotFoundException

            Why
              AWS says  ResourceNotFoundException: Domain not found. Domain name: acme
              cause     there is no domain acme of account 111122223333 in region us-east-1
              fix       correct the names, domainOwner, aws:region and aws:allowedAccountIds in Pulumi.dev.yaml
              who       whoever deploys stack dev
              or        `pulumi up --stack dev`, if it is not deployed yet
              who       whoever deploys stack dev

            You in the config
              aws:region is not in it: us-east-1 is the environment's
              no entry covers role admin of account 111122223333
            """),
    )
    assert check(deployed, role())[0] == 0


def test_another_accounts_own_side(deployed: Project, emulator: Emulator, role: Callable[..., Keys]) -> None:
    keys = emulator.assume_role("job", BEARER_TOKEN, account=OTHER)
    assert check(deployed, keys) == (
        1,
        text("""
            Stack dev, with the credentials of the environment. Nothing is published and nothing changes.

            Steps
              who you are  ok  arn:aws:sts::444455556666:assumed-role/job/session
              token        NO  AccessDeniedException

            Why
              AWS says  AccessDeniedException: User: arn:aws:sts::444455556666:assumed-role/job/session is not authorized to perform: codeartifact:GetAuthorizationToken on resource: arn:aws:codeartifact:us-west-2:111122223333:domain/acme because no identity-based policy allows the codeartifact:GetAuthorizationToken action
              cause     no identity policy of role job allows codeartifact:GetAuthorizationToken. Another account than the domain's has to allow it too
              fix       attach the output reader_policy to role job: `pulumi stack output reader_policy --stack dev`
              who       whoever administers IAM in account 444455556666

            You in the config
              arn:aws:iam::444455556666:root may install
              the domain is of account 111122223333 and you are of 444455556666: both have to let you in
              Pulumi deploys the stack from account 111122223333 (aws:allowedAccountIds), not from yours

            What is deployed
              you may not read the domain's policy
              you may not read the repository's policy
            """),
    )

    # As on AWS no policy lets it ask for the endpoint, which it knows by its usual name.
    proxy = TlsProxy(deployed.folder, f"acme-{ACCOUNT}.d.codeartifact.{REGION}.amazonaws.com", emulator.endpoint)
    environment = proxy.environment | {"AWS_CA_BUNDLE": proxy.environment["SSL_CERT_FILE"]}
    repaired = check(deployed, role("repaired", account=OTHER), "--package", "acme-core", **environment)
    proxy.stop()
    assert repaired == (
        0,
        text("""
            Stack dev, with the credentials of the environment. Nothing is published and nothing changes.

            Steps
              who you are  ok  arn:aws:sts::444455556666:assumed-role/repaired/session
              token        ok  sts:GetServiceBearerToken and codeartifact:GetAuthorizationToken
              endpoint     ok  https://acme-111122223333.d.codeartifact.us-west-2.amazonaws.com/pypi/private-pypi/, the usual one: you may not ask for it, so `aws codeartifact login` does not work
              index        ok  you may read
              package      ok  acme-core-1.0.tar.gz; the index gives upload times

            You in the config
              arn:aws:iam::444455556666:root may install
              the domain is of account 111122223333 and you are of 444455556666: both have to let you in
              Pulumi deploys the stack from account 111122223333 (aws:allowedAccountIds), not from yours

            What is deployed
              you may not read the domain's policy
              you may not read the repository's policy

            Every step passes. Not looked at: publishing (--publish); the URL and the token that a client has been given.
            """),
    )


def test_another_account_that_is_not_listed(deployed: Project, emulator: Emulator) -> None:
    keys = emulator.assume_role("job", ADMINISTRATOR, account="777788889999")
    assert check(deployed, keys) == (
        1,
        text("""
            Stack dev, with the credentials of the environment. Nothing is published and nothing changes.

            Steps
              who you are  ok  arn:aws:sts::777788889999:assumed-role/job/session
              token        NO  AccessDeniedException

            Why
              AWS says  AccessDeniedException: User: arn:aws:sts::777788889999:assumed-role/job/session is not authorized to perform: codeartifact:GetAuthorizationToken on resource: arn:aws:codeartifact:us-west-2:111122223333:domain/acme because no resource-based policy allows the codeartifact:GetAuthorizationToken action
              cause     the domain's permissions policy does not let role job do codeartifact:GetAuthorizationToken. The config does not say so
              fix       add arn:aws:iam::777788889999:role/job to private-pypi:readers in Pulumi.dev.yaml, then `pulumi up --stack dev`
              who       whoever deploys stack dev

            You in the config
              no entry covers role job of account 777788889999
              the domain is of account 111122223333 and you are of 777788889999: both have to let you in
              Pulumi deploys the stack from account 111122223333 (aws:allowedAccountIds), not from yours

            What is deployed
              you may not read the domain's policy
              you may not read the repository's policy
            """),
    )


def test_a_profile_of_the_config_is_not_used(
    deployed: Project, emulator: Emulator, role: Callable[..., Keys], tmp_path: Path
) -> None:
    """It may name a command, which would run with the rights of whoever checks."""
    (tmp_path / "aws").write_text(f"[profile theirs]\ncredential_process = touch {tmp_path}/ran\n")
    edit(deployed, aws_profile="theirs")
    assert check(deployed, role("core"), AWS_CONFIG_FILE="aws") == (
        0,
        text(f"""
            Stack dev, with the credentials of the environment. Nothing is published and nothing changes.

            Steps
              who you are  ok  arn:aws:sts::111122223333:assumed-role/core/session
              token        ok  sts:GetServiceBearerToken and codeartifact:GetAuthorizationToken
              endpoint     ok  {emulator.endpoint}/pypi/private-pypi/
              index        ok  you may read

            You in the config
              arn:aws:iam::111122223333:role/core may install and publish acme-core
                if it covers the path of your role, which is not known here: its name alone does not tell
              Pulumi uses aws:profile theirs; this uses the credentials of the environment

            What is deployed
              you may not read the domain's policy
              you may not read the repository's policy

            Every step passes. Not looked at: a package (--package NAME); publishing (--publish); the URL and the token that a client has been given.
            """),
    )
    assert not (tmp_path / "ran").exists()


def test_a_domain_whose_owner_has_not_added_the_statement(project: Project, emulator: Emulator) -> None:
    owner = emulator.client("codeartifact", account=OTHER)
    owner.create_domain(domain="acme")
    project.configure("dev", domain="acme", existingDomain=True, domainOwner=OTHER, readers=[f"{ROLES}/reader"])
    project.up("dev")
    outputs = project.outputs("dev")
    keys = emulator.assume_role("reader", *json.loads(outputs["reader_policy"])["Statement"])
    assert check(project, keys) == (
        1,
        text("""
            Stack dev, with the credentials of the environment. Nothing is published and nothing changes.

            Steps
              who you are  ok  arn:aws:sts::111122223333:assumed-role/reader/session
              token        NO  AccessDeniedException

            Why
              AWS says  AccessDeniedException: User: arn:aws:sts::111122223333:assumed-role/reader/session is not authorized to perform: codeartifact:GetAuthorizationToken on resource: arn:aws:codeartifact:us-west-2:444455556666:domain/acme because no resource-based policy allows the codeartifact:GetAuthorizationToken action
              cause     the domain's permissions policy does not let role reader do codeartifact:GetAuthorizationToken. The config says so, for arn:aws:iam::111122223333:role/reader
              fix       add the output domain_policy_statements to it: `pulumi stack output domain_policy_statements --stack dev`
              who       whoever owns the domain, account 444455556666
              or        compare the path: arn:aws:iam::111122223333:role/reader in the config, `aws iam get-role --role-name reader`
              who       whoever administers IAM in account 111122223333

            You in the config
              arn:aws:iam::111122223333:role/reader may install
                if it covers the path of your role, which is not known here: its name alone does not tell
              the domain is of account 444455556666 and you are of 111122223333: both have to let you in

            What is deployed
              you may not read the domain's policy
              you may not read the repository's policy
            """),
    )

    statements: Any = json.loads(outputs["domain_policy_statements"])
    owner.put_domain_permissions_policy(domain="acme", policyDocument=document(*statements))
    steps = check(project, keys)[1]
    assert "  token        ok  sts:GetServiceBearerToken and codeartifact:GetAuthorizationToken\n" in steps
