"""`private-pypi check`, with one grant taken away at a time: the whole text, and that the mend mends it."""

import json
import re
import subprocess
from collections.abc import Mapping
from textwrap import dedent
from typing import Any

import pytest
import yaml
from engine import ACCOUNT, BIN, REGION, Emulator, Project, document, packages, publish
from tls_proxy import TlsProxy

OTHER = "444455556666"
ROLES = f"arn:aws:iam::{ACCOUNT}:role"
READER, PUBLISHER = f"{ROLES}/team/reader", f"{ROLES}/publisher"
BEARER_TOKEN = {"Effect": "Allow", "Action": "sts:GetServiceBearerToken", "Resource": "*"}
ADMINISTRATOR = {"Effect": "Allow", "Action": "*", "Resource": "*"}
CONFIG: dict[str, object] = {
    "domain": "acme",
    "readers": [READER, OTHER],
    "publishers": [PUBLISHER, {"principal": f"{ROLES}/core", "packages": ["acme-core"]}],
}


@pytest.fixture
def deployed(project: Project) -> Project:
    """A repository with acme-core in it."""
    project.configure("dev", **CONFIG)
    project.up("dev")
    publish(project.emulator.client("codeartifact"), "acme-core")
    return project


def reader_policy(project: Project) -> list[Any]:
    return json.loads(project.outputs("dev")["reader_policy"])["Statement"]


def check(project: Project, keys: Mapping[str, str], *arguments: str, **environment: str) -> tuple[int, str]:
    """The exit status of the check, with the keys of a session, and what it printed."""
    result = subprocess.run(
        [BIN / "private-pypi", "check", "dev", *arguments],
        cwd=project.folder,
        env=project.environment
        | {
            "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
            "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
            "AWS_SESSION_TOKEN": keys["SessionToken"],
        }
        | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert result.stderr == ""
    return result.returncode, result.stdout


def whole(text: str) -> str:
    return dedent(text).removeprefix("\n")


def test_whoever_is_listed_gets_in(deployed: Project, emulator: Emulator) -> None:
    keys = emulator.assume_role("team/reader", *reader_policy(deployed))

    print(check(deployed, keys, "--package", "acme-core")[1])


def test_a(deployed: Project, emulator: Emulator) -> None:
    keys = emulator.assume_role("team/reader")
    print("bearer", check(deployed, keys)[1])
    emulator.client("iam").put_role_policy(
        RoleName="reader", PolicyName="reader", PolicyDocument=document(*reader_policy(deployed))
    )
    assert check(deployed, keys)[0] == 0
    # domain
    emulator.client("codeartifact").delete_domain_permissions_policy(domain="acme")
    print("domain", check(deployed, keys)[1])
    deployed.pulumi("up", "--refresh", "--yes", "--skip-preview", "--stack", "dev")
    assert check(deployed, keys)[0] == 0
    # repo
    c = emulator.client("codeartifact")
    c.delete_repository_permissions_policy(domain="acme", repository="private-pypi")
    print("repo", check(deployed, keys)[1])
    deployed.pulumi("up", "--refresh", "--yes", "--skip-preview", "--stack", "dev")
    assert check(deployed, keys)[0] == 0
    # boundary
    b = emulator.client("iam").create_policy(
        PolicyName="boundary", PolicyDocument=document({"Effect": "Allow", "Action": "codeartifact:*", "Resource": "*"})
    )["Policy"]["Arn"]
    emulator.client("iam").put_role_permissions_boundary(RoleName="reader", PermissionsBoundary=b)
    print("boundary", check(deployed, keys)[1])
    emulator.client("iam").delete_role_permissions_boundary(RoleName="reader")
    # deny
    emulator.client("iam").put_role_policy(
        RoleName="reader",
        PolicyName="deny",
        PolicyDocument=document({"Effect": "Deny", "Action": "codeartifact:Get*", "Resource": "*"}),
    )
    print("deny", check(deployed, keys)[1])
    emulator.client("iam").delete_role_policy(RoleName="reader", PolicyName="deny")
    # ended
    ended = emulator.client("sts").assume_role(RoleArn=READER, RoleSessionName="ended")["Credentials"]
    print("ended", check(deployed, ended)[1])
    # remade
    iam = emulator.client("iam")
    iam.delete_role_policy(RoleName="reader", PolicyName="reader")
    iam.delete_role(RoleName="reader")
    keys = emulator.assume_role("team/reader", *reader_policy(deployed))
    print("remade", check(deployed, keys)[1])
    admin = emulator.assume_role("admin", ADMINISTRATOR)
    print("remade admin", check(deployed, admin)[1])
    deployed.pulumi("up", "--refresh", "--yes", "--skip-preview", "--stack", "dev")
    print("remade mended", check(deployed, keys)[1])
    # region
    path = deployed.folder / "Pulumi.dev.yaml"
    text = path.read_text()
    path.write_text(text.replace("us-west-2", "us-east-1"))
    print("region", check(deployed, keys)[1])
    print("region admin", check(deployed, admin)[1])
    path.write_text(text)
    # other
    job = emulator.assume_role("job", BEARER_TOKEN, account=OTHER)
    print("job", check(deployed, job)[1])
    emulator.client("iam", account=OTHER).put_role_policy(
        RoleName="job", PolicyName="reader", PolicyDocument=document(*reader_policy(deployed))
    )
    proxy = TlsProxy(deployed.folder, f"acme-{ACCOUNT}.d.codeartifact.{REGION}.amazonaws.com", emulator.endpoint)
    print(
        "job mended",
        check(
            deployed,
            job,
            "--package",
            "acme-core",
            **proxy.environment,
            AWS_CA_BUNDLE=proxy.environment["SSL_CERT_FILE"],
        )[1],
    )
    proxy.stop()
    stranger = emulator.assume_role("job", BEARER_TOKEN, ADMINISTRATOR, account="777788889999")
    print("stranger", check(deployed, stranger)[1])
    # profile
    (deployed.folder / "aws").write_text(
        "[profile other]\naws_access_key_id=test444455556666\naws_secret_access_key=test\n"
    )
    content = yaml.safe_load(text)
    del content["config"]["aws:allowedAccountIds"]
    content["config"]["aws:profile"] = "other"
    path.write_text(yaml.safe_dump(content))
    print("profile", check(deployed, keys, AWS_CONFIG_FILE="aws")[1])
    path.write_text(text)
    # closed
    deployed.configure("dev", **CONFIG, closedPublishing=True)
    deployed.up("dev")
    print("closed", check(deployed, keys, "--publish")[1])
    core = emulator.assume_role("core", *reader_policy(deployed))
    print("core", check(deployed, core, "--publish")[1])
    print("core other", check(deployed, core, "--publish", "--package", "other")[1])
    pub = emulator.assume_role("publisher", *reader_policy(deployed))
    print("pub", check(deployed, pub, "--publish", "--package", "other")[1])
    print(packages(emulator))
    assert 0
