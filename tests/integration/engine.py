"""A local AWS endpoint, and a copy of the project whose stacks the real Pulumi engine deploys to it."""

import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, cast
from urllib.request import Request, urlopen

import boto3
import yaml
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
BIN = Path(sys.executable).parent
ACCOUNT = "111122223333"
REGION = "us-west-2"

PLUGIN = os.environ.get("PLUGIN", "stand-in")
"""The AWS provider's plugin: the one in `aws_plugin`, or `real`, the one that the Pulumi CLI has installed."""
if PLUGIN not in {"real", "stand-in"}:
    raise SystemExit(f"PLUGIN: got {PLUGIN}, expected real, or nothing for the stand-in")

# Nothing of the developer's own configuration of AWS, pip, uv or Pulumi reaches a command that a test runs.
ENVIRONMENT = {name: os.environ[name] for name in ("LANG", "TMPDIR") if name in os.environ} | {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_DEFAULT_REGION": REGION,
    "AWS_EC2_METADATA_DISABLED": "true",
    "AWS_REGION": REGION,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "PATH": os.pathsep.join([*([] if PLUGIN == "real" else [str(HERE / "aws_plugin")]), str(BIN), os.environ["PATH"]]),
    "PULUMI_CONFIG_PASSPHRASE": "",
    # No other plugin on the PATH is taken for the real one.
    **({"PULUMI_IGNORE_AMBIENT_PLUGINS": "true"} if PLUGIN == "real" else {}),
    "PULUMI_HOME": os.environ.get("PULUMI_HOME", str(Path.home() / ".pulumi")),  # where its plugins are
    "PULUMI_SKIP_UPDATE_CHECK": "true",
}


class Emulator:
    """A running aws-emulator on a free port. Its log has a line for each call."""

    def __init__(self, folder: Path) -> None:
        self.log = folder / "aws-emulator.log"
        with self.log.open("w") as log:
            program = HERE / "aws-emulator/target/release/aws-emulator"
            assert program.exists(), "the endpoint is not built: run `make aws-emulator`"
            command = [program, "0", ACCOUNT, REGION]
            environment = {"AWS_EMULATOR_JWKS": str(folder / "jwks.json")}
            self._process = subprocess.Popen(command, env=environment, stdout=log)
        (folder / "jwks.json").write_text(json.dumps({"keys": [public_key(GITHUB_KEY)]}))
        try:
            wait_for(lambda: "ready " in self.log.read_text())
        except BaseException:
            self.stop()
            raise
        self.endpoint = self.log.read_text().split()[1]

    def stop(self) -> None:
        """End it, whatever it is doing."""
        self._process.kill()
        self._process.wait()

    def calls(self) -> list[str]:
        """What was called so far: service, method and path."""
        return self._logged("call ")

    def actions(self) -> list[tuple[str, str]]:
        """What assumed roles were asked for so far: IAM actions, each with its resource. The root is asked nothing."""
        return [(action, resource) for action, resource in (line.split(" ", 1) for line in self._logged("action "))]

    def changes(self) -> list[str]:
        """What was asked so far that changes something: IAM actions, each with its resource."""
        return self._logged("change ")

    def _logged(self, kind: str) -> list[str]:
        return [line.removeprefix(kind) for line in self.log.read_text().splitlines() if line.startswith(kind)]

    def disturb(self, call: str, number: int = 1, *, executed: bool, answer: str) -> None:
        """Let one of `changes`, the `number`th from now on, be answered never, closed, throttled or failed."""
        self._control("disturbance", {"call": call, "number": number, "executed": executed, "answer": answer})

    def wait_until_disturbed(self) -> None:
        """Return when that has happened."""
        self._control("disturbance")

    def state(self) -> dict[str, Any]:
        """All that CodeArtifact and IAM know."""
        return json.loads(self._control("state"))

    def restore(self, state: dict[str, Any]) -> None:
        """Go back to a state."""
        self._control("state", state)

    def set(self, *, principals_exist: bool = False, upload_times: bool = True) -> None:
        """Refuse policies that name roles or users that do not exist; leave upload times out of the index."""
        self._control("settings", {"principals_exist": principals_exist, "upload_times": upload_times})

    def _control(self, what: str, content: object = None) -> bytes:
        body = None if content is None else json.dumps(content).encode()
        headers = {"Content-Type": "application/json"}
        request = Request(f"{self.endpoint}/_{what}", body, headers, method="PUT" if body else "GET")
        with urlopen(request, timeout=120) as answer:
            return answer.read()

    def client(
        self, service: str, keys: Mapping[str, str] | None = None, *, account: str = ACCOUNT, region: str = REGION
    ) -> Any:
        """A client with the keys of an assumed role, or as the root of an account."""
        keys = keys or {"AccessKeyId": f"test{account}", "SecretAccessKey": "test", "SessionToken": ""}
        return boto3.client(  # pyright: ignore[reportUnknownMemberType]
            service,  # pyright: ignore[reportArgumentType]
            endpoint_url=self.endpoint,
            region_name=region,
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"] or None,
        )

    def assume_role(self, name: str, *policy: object, account: str = ACCOUNT) -> dict[str, str]:
        """Make a role with the statements of an identity policy, if any, and return the keys of a session of it."""
        trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{account}:root"}, "Action": "sts:AssumeRole"}
        path, _, short_name = f"/{name}".rpartition("/")
        iam = self.client("iam", account=account)
        iam.create_role(RoleName=short_name, Path=f"{path}/", AssumeRolePolicyDocument=document(trust))
        if policy:
            iam.put_role_policy(RoleName=short_name, PolicyName="access", PolicyDocument=document(*policy))
        return self.session(name, account=account)

    def assume_role_with_token(self, role_arn: str, token: str) -> dict[str, str]:
        """The keys of a session of a role, for a job with this token."""
        sts = boto3.client(  # pyright: ignore[reportUnknownMemberType]
            "sts", endpoint_url=self.endpoint, region_name=REGION, config=Config(signature_version=UNSIGNED)
        )
        called = sts.assume_role_with_web_identity(RoleArn=role_arn, RoleSessionName="job", WebIdentityToken=token)
        return cast("dict[str, str]", called["Credentials"])

    def session(self, name: str, *, account: str = ACCOUNT) -> dict[str, str]:
        """The keys of a session of a role."""
        role = f"arn:aws:iam::{account}:role/{name}"
        return self.client("sts", account=account).assume_role(RoleArn=role, RoleSessionName="session")["Credentials"]


GITHUB_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
"""A key of the tests' own, by which GitHub signs its tokens here."""


def public_key(key: rsa.RSAPrivateKey) -> dict[str, str]:
    """The public half of a key as a JSON Web Key."""
    numbers = key.public_key().public_numbers()
    return {"kty": "RSA"} | {
        name: base64url(value.to_bytes((value.bit_length() + 7) // 8, "big"))
        for name, value in (("n", numbers.n), ("e", numbers.e))
    }


def github_token(subject: str, key: rsa.RSAPrivateKey = GITHUB_KEY, /, **claims: object) -> str:
    """The token of a workflow: a signed JSON Web Token with the claims that AWS looks at."""
    payload = {
        "iss": "https://token.actions.githubusercontent.com",
        "aud": "sts.amazonaws.com",
        "exp": int(time.time()) + 24 * 60 * 60,  # made when the tests are collected
        "sub": subject,
    }
    parts = [base64url(json.dumps(part).encode()) for part in ({"alg": "RS256", "typ": "JWT"}, payload | claims)]
    signed = ".".join(parts).encode()
    return f"{signed.decode()}.{base64url(key.sign(signed, padding.PKCS1v15(), hashes.SHA256()))}"


def gitlab_token(subject: str, host: str = "gitlab.com", **claims: object) -> str:
    """The token of a job: with the issuer and the audience of its GitLab."""
    return github_token(subject, **{"iss": f"https://{host}", "aud": f"https://{host}"} | claims)


def base64url(content: bytes) -> str:
    """Content as tokens have it: base64 with other characters, and without padding."""
    return base64.urlsafe_b64encode(content).decode().rstrip("=")


def deployer(emulator: Emulator, *denied: str) -> dict[str, str]:
    """The environment of a role that may do everything but what is denied."""
    deny = [{"Effect": "Deny", "Action": list(denied), "Resource": "*"}] if denied else []
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    keys = emulator.assume_role("deployer", everything, *deny)
    return {
        "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
        "AWS_SESSION_TOKEN": keys["SessionToken"],
    }


class Project:
    """A copy of the project with stacks of its own, in a state folder of its own."""

    def __init__(self, folder: Path, emulator: Emulator) -> None:
        self.folder = folder
        self.emulator = emulator
        for name in ("__main__.py", "Pulumi.yaml"):
            shutil.copy(ROOT / name, folder)
        (folder / ".venv").symlink_to(ROOT / ".venv")
        (folder / "state").mkdir()
        self.environment = ENVIRONMENT | {
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_ENDPOINT_URL": emulator.endpoint,
            "AWS_SECRET_ACCESS_KEY": "test",
            "HOME": str(folder),
            "PULUMI_BACKEND_URL": f"file://{folder}/state",
        }

    def configure(self, stack: str, **config: object) -> None:
        """Write the config of a stack, as a person edits its file; the stack is made the first time."""
        path = self.folder / f"Pulumi.{stack}.yaml"
        if not path.exists():
            self.pulumi("stack", "init", stack)
        content = yaml.safe_load(path.read_text()) if path.exists() else {}
        content["config"] = {
            "aws:region": REGION,
            "aws:allowedAccountIds": [ACCOUNT],
            **{f"private-pypi:{key}": value for key, value in config.items()},
        }
        path.write_text(yaml.safe_dump(content))

    def pulumi(self, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
        """Run the Pulumi CLI; `check` fails the test, with what it printed, when it does not succeed."""
        result = self._run("pulumi", *arguments, "--non-interactive")
        if check:
            assert result.returncode == 0, f"{' '.join(result.args)}\n{result.stdout}\n{result.stderr}"
        return result

    def killed(self, *arguments: str, when: Callable[[], object]) -> None:
        """Start the Pulumi CLI, and kill it when `when` returns."""
        command = ("pulumi", *arguments, "--non-interactive")
        with subprocess.Popen(
            command, cwd=self.folder, env=self.environment, stdout=subprocess.DEVNULL, start_new_session=True
        ) as process:
            try:
                when()
            finally:
                # The whole session: the engine's plugins are in process groups of their own.
                subprocess.run(["pkill", "-KILL", "-s", str(process.pid)], check=True)

    def preview(self, stack: str) -> dict[str, Any]:
        """What `pulumi preview` says, as it says it to programs."""
        return json.loads(self.pulumi("preview", "--json", "--stack", stack).stdout)

    def preview_offline(self, stack: str) -> subprocess.CompletedProcess[str]:
        """What `private-pypi preview` says."""
        return self._run(str(BIN / "private-pypi"), "preview", stack)

    def changes(self, stack: str) -> dict[str, str]:
        """What `pulumi preview` would do to each resource, by name; what stays the same is left out."""
        steps = self.preview(stack)["steps"]
        return {step["urn"].rpartition("::")[2]: step["op"] for step in steps if step["op"] != "same"}

    def up(self, stack: str) -> None:
        """Deploy."""
        self.pulumi("up", "--yes", "--skip-preview", "--stack", stack)

    def refused(self, *arguments: str) -> str:
        """What a command of the Pulumi CLI prints that does not succeed, and that changes nothing in AWS."""
        before = len(self.emulator.changes())
        result = self.pulumi(*arguments, check=False)
        printed = result.stdout + result.stderr
        assert result.returncode != 0, printed
        assert self.emulator.changes()[before:] == [], printed
        return printed

    def recorded(self, stack: str) -> set[str]:
        """The names of the resources in the state file."""
        return {each["urn"].rpartition("::")[2] for each in self.checkpoint(stack).get("resources", [])}

    def checkpoint(self, stack: str) -> dict[str, Any]:
        """What the engine knows: the deployment in the state file."""
        path = self.folder / f"state/.pulumi/stacks/private-pypi/{stack}.json"
        return json.loads(path.read_text())["checkpoint"]["latest"] if path.exists() else {}

    def outputs(self, stack: str) -> dict[str, Any]:
        """The stack's outputs."""
        return json.loads(self.pulumi("stack", "output", "--json", "--stack", stack).stdout)

    def follow(self, commands: str, **environment: str) -> str:
        """Run commands as a page prints them, with yes to every question; what they print."""
        result = self.try_to_follow(commands, **environment)
        assert result.returncode == 0, f"{commands}\n{result.stdout}\n{result.stderr}"
        return result.stdout

    def try_to_follow(self, commands: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """The same for commands that may fail."""
        answers = {"PULUMI_SKIP_CONFIRMATIONS": "true"}
        return self._run("bash", "-euo", "pipefail", "-c", commands, **answers, **environment)

    def _run(self, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environment | environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=300,
        )


def publish(
    codeartifact: Any,
    package: str,
    repository: str = "private-pypi",
    owner: str = ACCOUNT,
    *,
    domain: str = "acme",
    asset: str = "",
    content: bytes = b"content",
) -> None:
    """Publish version 1.0 of a package to a repository, as the client's caller."""
    codeartifact.publish_package_version(
        domain=domain,
        domainOwner=owner,
        repository=repository,
        format="pypi",
        package=package,
        packageVersion="1.0",
        assetName=asset or f"{package}-1.0.tar.gz",
        assetContent=content,
        assetSHA256=hashlib.sha256(content).hexdigest(),
    )


def build(folder: Path, name: str, version: str = "1.0", *, needs: Sequence[str] = ()) -> Path:
    """A wheel of a project with one module and these dependencies, in the `dist` folder of the project."""
    module = name.replace("-", "_")
    source = folder / f"{module}-{version}"
    source.mkdir(parents=True)
    (source / f"{module}.py").write_text(f'"""A package to publish."""\n__version__ = "{version}"\n')
    (source / "pyproject.toml").write_text(
        '[build-system]\nrequires = ["flit_core"]\nbuild-backend = "flit_core.buildapi"\n'
        f'[project]\nname = "{name}"\nversion = "{version}"\nrequires-python = ">=3.11"\ndynamic = ["description"]\n'
        f"dependencies = {[*needs]}\n"
    )
    subprocess.run([sys.executable, "-m", "flit_core.wheel"], cwd=source, check=True, capture_output=True)
    (wheel,) = (source / "dist").iterdir()
    return wheel


def packages(emulator: Emulator, repository: str = "private-pypi", domain: str = "acme") -> list[str]:
    """The packages in a repository."""
    found = emulator.client("codeartifact").list_packages(domain=domain, repository=repository)["packages"]
    return [each["package"] for each in found]


def error_code(call: Any, **arguments: object) -> str:
    """The code of the error that a call ends with; empty when it succeeds."""
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"]
    return ""


def document(*statements: object) -> str:
    """A policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": statements})


def wait_for(condition: Any, seconds: float = 60) -> None:
    """Return when `condition()` holds; fail the test when it does not within `seconds`."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)
