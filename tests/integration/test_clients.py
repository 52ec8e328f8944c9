"""Who gets in, asked with the clients that people use."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from botocore.exceptions import ClientError
from engine import BIN, ENVIRONMENT, Emulator, Project, build

OTHER_ACCOUNT = "444455556666"
BEARER_TOKEN = {
    "Effect": "Allow",
    "Action": "sts:GetServiceBearerToken",
    "Resource": "*",
    "Condition": {"StringEquals": {"sts:AWSServiceName": "codeartifact.amazonaws.com"}},
}
EVERYTHING = {"Effect": "Allow", "Action": ["codeartifact:*", "sts:GetServiceBearerToken"], "Resource": "*"}
DOMAIN = {"domain": "acme", "domainOwner": "111122223333"}


class Client:
    """The commands of one person or job, with the keys of its role, in a home folder of its own."""

    def __init__(self, emulator: Emulator, keys: Mapping[str, str], home: Path) -> None:
        self.emulator = emulator
        self.keys = keys
        self.home = home
        home.mkdir()

    def run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """Run a command of the virtual environment."""
        keys = {
            "AWS_ACCESS_KEY_ID": self.keys["AccessKeyId"],
            "AWS_ENDPOINT_URL": self.emulator.endpoint,
            "AWS_SECRET_ACCESS_KEY": self.keys["SecretAccessKey"],
            "AWS_SESSION_TOKEN": self.keys["SessionToken"],
        }
        return subprocess.run(
            [BIN / command[0], *command[1:]],
            cwd=self.home,
            env=ENVIRONMENT | keys | {"HOME": str(self.home)} | environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )

    def token(self) -> str | None:
        """An authorization token, or `None` for who may not have one."""
        codeartifact = self.emulator.client("codeartifact", self.keys)
        try:
            return codeartifact.get_authorization_token(**DOMAIN)["authorizationToken"]
        except ClientError as error:
            assert error.response["Error"]["Code"] == "AccessDeniedException"
            return None

    def index_url(self) -> str:
        """The index URL with the token in it, as pip and uv take it."""
        host = self.emulator.endpoint.removeprefix("http://")
        return f"http://aws:{self.token()}@{host}/pypi/private-pypi/simple/"

    def pip_install(self, project: str) -> subprocess.CompletedProcess[str]:
        return self.run("pip", "install", "--no-deps", "--target", "installed", project, PIP_INDEX_URL=self.index_url())

    def twine_upload(self, distribution: Path) -> subprocess.CompletedProcess[str]:
        url = f"{self.emulator.endpoint}/pypi/private-pypi/"
        return self.run(
            *("twine", "upload", "--non-interactive", "--repository-url", url, str(distribution)),
            TWINE_USERNAME="aws",
            TWINE_PASSWORD=self.token() or "none",
        )

    def may(self, distribution: Path) -> dict[str, bool]:
        """What works: a token, pip install, reading a file through the API, and an upload."""
        codeartifact = self.emulator.client("codeartifact", self.keys)
        asset = {
            "format": "pypi",
            "package": "acme-core",
            "packageVersion": "1.0",
            "asset": "acme_core-1.0-py3-none-any.whl",
        }
        try:
            codeartifact.get_package_version_asset(**DOMAIN, repository="private-pypi", **asset)
            read = True
        except ClientError as error:
            assert error.response["Error"]["Code"] == "AccessDeniedException"
            read = False
        return {
            "token": self.token() is not None,
            "install": self.pip_install("acme-core").returncode == 0,
            "read asset": read,
            "publish": self.twine_upload(distribution).returncode == 0,
        }


@pytest.fixture
def deployed(project: Project) -> Project:
    project.configure(
        "dev",
        domain="acme",
        readers=[
            "arn:aws:iam::111122223333:role/team/reader",
            "arn:aws:iam::111122223333:role/tokenless",
            OTHER_ACCOUNT,
        ],
        publishers=["arn:aws:iam::111122223333:role/publisher"],
    )
    project.up("dev")
    return project


def client(project: Project, name: str, *policy: object, account: str = "111122223333") -> Client:
    """A client whose role has these statements in its identity policy."""
    keys = project.emulator.assume_role(name, *policy, account=account)
    return Client(project.emulator, keys, project.folder / f"home-{name.rpartition('/')[2]}")


def test_everyone_may_do_what_the_config_says_and_no_more(deployed: Project, tmp_path: Path) -> None:
    publisher = client(deployed, "publisher", BEARER_TOKEN)
    assert publisher.twine_upload(build(tmp_path, "acme-core")).returncode == 0

    clients = {
        "publisher": publisher,
        "reader": client(deployed, "team/reader", BEARER_TOKEN),
        "stranger": client(deployed, "stranger", BEARER_TOKEN),
        "tokenless reader": client(deployed, "tokenless"),
        "other account's administrator": client(deployed, "admin", EVERYTHING, account=OTHER_ACCOUNT),
        "other account's role": client(deployed, "limited", BEARER_TOKEN, account=OTHER_ACCOUNT),
        "unlisted account's administrator": client(deployed, "outsider", EVERYTHING, account="777788889999"),
    }
    table = {who: each.may(build(tmp_path, f"acme-new-{n}")) for n, (who, each) in enumerate(clients.items())}

    nothing = {"token": False, "install": False, "read asset": False, "publish": False}
    reading = {"token": True, "install": True, "read asset": True, "publish": False}
    assert table == {
        "publisher": {"token": True, "install": True, "read asset": True, "publish": True},
        "reader": reading,
        "stranger": nothing,
        # The resource policy lets it read files through the API; without a token no client of PyPI gets that far.
        "tokenless reader": nothing | {"read asset": True},
        "other account's administrator": reading,
        "other account's role": nothing,
        "unlisted account's administrator": nothing,
    }


def test_a_refused_upload_is_forbidden(deployed: Project, tmp_path: Path) -> None:
    refused = client(deployed, "team/reader", BEARER_TOKEN).twine_upload(build(tmp_path, "acme-core"))

    assert refused.returncode != 0
    assert "403 Forbidden" in refused.stdout + refused.stderr


def test_uv_publishes_and_installs(deployed: Project, tmp_path: Path) -> None:
    wheel = build(tmp_path, "acme-core")
    publisher, reader = client(deployed, "publisher", BEARER_TOKEN), client(deployed, "team/reader", BEARER_TOKEN)
    publish_url = deployed.outputs("dev")["publish_url"]

    published = publisher.run(
        *("uv", "publish", "--publish-url", publish_url, str(wheel)),
        UV_PUBLISH_USERNAME="aws",
        UV_PUBLISH_PASSWORD=publisher.token() or "",
    )
    assert published.returncode == 0, published.stderr
    installed = reader.run(
        "uv", "pip", "install", "--target", "installed", "acme-core", UV_DEFAULT_INDEX=reader.index_url()
    )
    assert installed.returncode == 0, installed.stderr
    assert (reader.home / "installed/acme_core.py").exists()


def test_pip_installs_what_twine_uploaded(deployed: Project, tmp_path: Path) -> None:
    publisher, reader = client(deployed, "publisher", BEARER_TOKEN), client(deployed, "team/reader", BEARER_TOKEN)
    publisher.twine_upload(build(tmp_path, "acme-core"))

    assert reader.pip_install("acme-core").returncode == 0
    assert (reader.home / "installed/acme_core.py").exists()


def test_aws_codeartifact_login_sets_pip_and_twine_up(deployed: Project, tmp_path: Path) -> None:
    reader_policy = json.loads(deployed.outputs("dev")["reader_policy"])
    able = client(deployed, "publisher", *reader_policy["Statement"])
    unable = client(deployed, "team/reader", BEARER_TOKEN)
    login = ("aws", "codeartifact", "login", "--domain", "acme", "--repository", "private-pypi", "--tool")

    for tool in ("twine", "pip"):
        done = able.run(*login, tool)
        assert done.returncode == 0, done.stderr
        assert unable.run(*login, tool).returncode != 0
    uploaded = able.run(
        "twine", "upload", "--non-interactive", "--repository", "codeartifact", str(build(tmp_path, "acme-core"))
    )
    assert uploaded.returncode == 0, uploaded.stdout + uploaded.stderr
    installed = able.run("pip", "install", "--no-deps", "--target", "installed", "acme-core")
    assert installed.returncode == 0, installed.stderr
