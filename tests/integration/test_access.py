"""Who may do what, for every kind of principal and every action, asked of the endpoint and of the tests' evaluator."""

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from botocore.exceptions import ClientError
from engine import Emulator, Project
from evaluator import Caller, allows

OWNER = "111122223333"
READING_ACCOUNT = "444455556666"
PUBLISHING_ACCOUNT = "777788889999"
ARN = f"arn:aws:codeartifact:us-west-2:{OWNER}"
DOMAIN = {"domain": "acme", "domainOwner": OWNER}
REPOSITORY = DOMAIN | {"repository": "private-pypi"}
ADMINISTRATOR = {"Effect": "Allow", "Action": ["codeartifact:*", "sts:GetServiceBearerToken"], "Resource": "*"}

CONFIG: dict[str, object] = {
    "domain": "acme",
    "readers": [
        f"arn:aws:iam::{OWNER}:role/team/reader",
        f"arn:aws:iam::{OWNER}:role/sso/*/Developers_*",
        READING_ACCOUNT,
    ],
    "publishers": [
        f"arn:aws:iam::{OWNER}:role/publisher",
        f"arn:aws:iam::{OWNER}:role/bots/*",
        {"principal": f"arn:aws:iam::{OWNER}:role/core", "packages": ["Acme.Core", "acme-tools-*"]},
        {"principal": PUBLISHING_ACCOUNT, "packages": ["acme-core"]},
    ],
    "attachIdentityPolicies": True,
}
ATTACHED = ("team/reader", "publisher", "core")

NOTHING: frozenset[str] = frozenset()
READ = frozenset({"token", "read", "asset", "readme"})
CORE = READ | {"publish acme-core"}
EVERYTHING = READ | {"publish acme-core", "publish other"}


def document(text: str) -> list[object]:
    return json.loads(text)["Statement"]


def caller(project: Project, role: str, statements: list[object], account: str = OWNER) -> tuple[Any, Caller]:
    """A session of a role, for the endpoint, and the same role for the evaluator."""
    keys = project.emulator.assume_role(role, *statements, account=account)
    policies = ({"Statement": statements},) if statements else ()
    return keys, Caller(arn=f"arn:aws:iam::{account}:role/{role}", identity_policies=policies)


def worked(call: Any, **arguments: object) -> bool:
    """Whether a call is allowed; that what it is about does not exist, or exists already, is another matter."""
    try:
        call(**arguments)
    except ClientError as error:
        code = error.response["Error"]["Code"]
        assert code in {"AccessDeniedException", "ConflictException", "ResourceNotFoundException"}, error
        return code != "AccessDeniedException"
    return True


def may_read(emulator: Emulator, codeartifact: Any) -> bool:
    """Whether the simple index answers; it takes a token."""
    token = codeartifact.get_authorization_token(**DOMAIN)["authorizationToken"]
    credentials = base64.b64encode(f"aws:{token}".encode()).decode()
    url = f"{emulator.endpoint}/pypi/private-pypi/simple/acme-core/"
    try:
        urlopen(Request(url, headers={"Authorization": f"Basic {credentials}"}))
    except HTTPError as error:
        assert error.code in {403, 404}, error
        return error.code == 404
    return True


def answers_of_the_endpoint(emulator: Emulator, keys: Mapping[str, str]) -> frozenset[str]:
    codeartifact = emulator.client("codeartifact", keys)
    version = {"format": "pypi", "package": "acme-core", "packageVersion": "1.0"}
    versions = {"format": "pypi", "package": "acme-core", "versions": ["1.0"]}

    def publish(package: str) -> bool:
        content = b"content"
        return worked(
            codeartifact.publish_package_version,
            **REPOSITORY,
            **(version | {"package": package}),
            assetName="asset.whl",
            assetContent=content,
            assetSHA256=hashlib.sha256(content).hexdigest(),
            unfinished=True,
        )

    token = worked(codeartifact.get_authorization_token, **DOMAIN)
    answers = {
        "token": token,
        "read": token and may_read(emulator, codeartifact),
        "asset": worked(codeartifact.get_package_version_asset, **REPOSITORY, **version, asset="asset.whl"),
        "readme": worked(codeartifact.get_package_version_readme, **REPOSITORY, **version),
        "publish acme-core": publish("acme-core"),
        "publish other": publish("other"),
        "copy": worked(
            codeartifact.copy_package_versions,
            **DOMAIN,
            sourceRepository="private-pypi",
            destinationRepository="private-pypi",
            **versions,
        ),
        "delete": worked(codeartifact.delete_package_versions, **REPOSITORY, **(versions | {"versions": ["0.0"]})),
    }
    return frozenset(action for action, allowed in answers.items() if allowed)


def answers_of_the_evaluator(emulator: Emulator, who: Caller) -> frozenset[str]:
    codeartifact = emulator.client("codeartifact")
    domain = json.loads(codeartifact.get_domain_permissions_policy(domain="acme")["policy"]["document"])
    where = {"domain": "acme", "repository": "private-pypi"}
    repository = json.loads(codeartifact.get_repository_permissions_policy(**where)["policy"]["document"])

    def may(action: str, resource: str, policy: Any = repository) -> bool:
        return allows(who, action, resource, permissions_policy=policy, owner=OWNER)

    core, other = (f"{ARN}:package/acme/private-pypi/pypi//{name}" for name in ("acme-core", "other"))
    reads = may("codeartifact:ReadFromRepository", f"{ARN}:repository/acme/private-pypi")
    bearer_token = any(
        statement["Effect"] == "Allow" and "sts:GetServiceBearerToken" in statement["Action"]
        for policy in who.identity_policies
        for statement in policy["Statement"]
    )
    token = bearer_token and may("codeartifact:GetAuthorizationToken", f"{ARN}:domain/acme", domain)
    answers = {
        "token": token,
        "read": token and reads,
        "asset": may("codeartifact:GetPackageVersionAsset", core),
        "readme": may("codeartifact:GetPackageVersionReadme", core),
        "publish acme-core": may("codeartifact:PublishPackageVersion", core),
        "publish other": may("codeartifact:PublishPackageVersion", other),
        "copy": may("codeartifact:CopyPackageVersions", core) and reads,
        "delete": may("codeartifact:DeletePackageVersions", core),
    }
    return frozenset(action for action, allowed in answers.items() if allowed)


def test_every_kind_of_principal_may_do_what_the_config_says_and_no_more(project: Project, emulator: Emulator) -> None:
    for role in ATTACHED:
        emulator.assume_role(role)
    project.configure("dev", **CONFIG)
    project.up("dev")
    outputs = project.outputs("dev")
    reader = document(outputs["reader_policy"])
    publisher = document(outputs["publisher_policies"][f"arn:aws:iam::{PUBLISHING_ACCOUNT}:root"])

    sessions: dict[str, tuple[Any, Caller]] = {
        role: (
            emulator.session(role),
            Caller(arn=f"arn:aws:iam::{OWNER}:role/{role}", identity_policies=({"Statement": reader},)),
        )
        for role in ATTACHED
    }
    sessions |= {
        "single sign-on": caller(project, "sso/eu/Developers_1", reader),
        "single sign-on, another group": caller(project, "sso/eu/Guests_1", reader),
        "bot": caller(project, "bots/nightly", reader),
        "bot with the publisher policy": caller(project, "bots/weekly", publisher),
        "reading account": caller(project, "job", reader, READING_ACCOUNT),
        "reading account, nothing attached": caller(project, "other-job", [], READING_ACCOUNT),
        "reading account's administrator": caller(project, "admin", [ADMINISTRATOR], READING_ACCOUNT),
        "publishing account": caller(project, "job", publisher, PUBLISHING_ACCOUNT),
        "publishing account, reader policy": caller(project, "reader", reader, PUBLISHING_ACCOUNT),
        "publishing account's administrator": caller(project, "admin", [ADMINISTRATOR], PUBLISHING_ACCOUNT),
        "stranger": caller(project, "stranger", []),
        "stranger with the reader policy": caller(project, "reading-stranger", reader),
        "stranger with the publisher policy": caller(project, "publishing-stranger", publisher),
        "stranger's account": caller(project, "admin", [ADMINISTRATOR], "000011112222"),
        "administrator": caller(project, "admin", [ADMINISTRATOR]),
    }
    expected = {
        "team/reader": READ,
        "publisher": EVERYTHING,
        "core": CORE,
        "single sign-on": READ,
        "single sign-on, another group": NOTHING,
        "bot": EVERYTHING,
        "bot with the publisher policy": EVERYTHING,
        "reading account": READ,
        "reading account, nothing attached": NOTHING,
        "reading account's administrator": READ,
        "publishing account": CORE,
        "publishing account, reader policy": READ,
        "publishing account's administrator": CORE,
        "stranger": NOTHING,
        "stranger with the reader policy": NOTHING,
        "stranger with the publisher policy": NOTHING,
        "stranger's account": NOTHING,
        "administrator": EVERYTHING | {"copy"},
    }

    assert {who: answers_of_the_endpoint(emulator, keys) for who, (keys, _) in sessions.items()} == expected
    assert {who: answers_of_the_evaluator(emulator, each) for who, (_, each) in sessions.items()} == expected

    project.configure("dev", **CONFIG, closedPublishing=True)
    assert project.changes("dev") == {"private-pypi-repository-permissions": "update"}
    project.up("dev")
    closed = expected | {"administrator": READ}
    assert {who: answers_of_the_endpoint(emulator, keys) for who, (keys, _) in sessions.items()} == closed
    assert {who: answers_of_the_evaluator(emulator, each) for who, (_, each) in sessions.items()} == closed

    project.configure("dev", **CONFIG, protect=False)
    project.up("dev")
    unprotected = expected | {"administrator": EVERYTHING | {"copy", "delete"}}
    assert {who: answers_of_the_endpoint(emulator, keys) for who, (keys, _) in sessions.items()} == unprotected
    assert {who: answers_of_the_evaluator(emulator, each) for who, (_, each) in sessions.items()} == unprotected


def test_an_account_that_leaves_it_to_itself_needs_the_reader_policy(project: Project, emulator: Emulator) -> None:
    """The domain's own account as a reader: who in it reads is decided by its identity policies."""
    project.configure("dev", domain="acme", readers=[OWNER])
    project.up("dev")
    reader = document(project.outputs("dev")["reader_policy"])

    with_policy, _ = caller(project, "job", reader)
    without, _ = caller(project, "other", [])
    assert answers_of_the_endpoint(emulator, with_policy) == READ
    assert answers_of_the_endpoint(emulator, without) == NOTHING


def test_identity_policies_are_attached_and_detached_with_the_config(project: Project, emulator: Emulator) -> None:
    for role in ("ci", "other"):
        emulator.assume_role(role)

    def attached(role: str) -> list[str]:
        found = emulator.client("iam").list_attached_role_policies(RoleName=role)["AttachedPolicies"]
        return [each["PolicyName"].rpartition("-")[0] for each in found]

    readers = [f"arn:aws:iam::{OWNER}:role/ci", f"arn:aws:iam::{OWNER}:user/ada"]
    project.configure("dev", domain="acme", readers=readers, attachIdentityPolicies=True)
    shown = project.pulumi("preview", "--stack", "dev").stdout
    assert (
        "warning: attachIdentityPolicies attaches only to roles of account 111122223333 that are listed by name"
        in shown
    )
    project.up("dev")
    assert (attached("ci"), attached("other")) == (["private-pypi-reader-policy"], [])
    assert project.changes("dev") == {}

    project.configure("dev", domain="acme", readers=readers)
    project.up("dev")
    assert (attached("ci"), attached("other")) == ([], [])
    assert emulator.client("iam").list_policies(Scope="Local")["Policies"] == []
