"""What no test can settle without AWS, asked of an account: `make aws-smoke`. README.md says what it makes and costs.

It makes a domain, a repository and some roles with the documents that the program makes, asks what is open, takes
everything away again, and prints the answers as a table to paste into an issue, without the account's number.
"""

import base64
import json
import os
import secrets
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import boto3
import yaml
from botocore.awsrequest import AWSRequest
from botocore.exceptions import BotoCoreError, ClientError
from botocore.httpsession import URLLib3Session

ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent
PACKAGE = "smoke-package"
JSON_INDEX = "application/vnd.pypi.simple.v1+json"
DENIED = "AccessDenied"
PATIENCE = 120  # seconds, for what IAM takes to know a role or a policy

COST = "some cents: 5 checks of IAM Access Analyzer at 0.002 USD each, and less than 200 requests of CodeArtifact"

DOMAIN, REPOSITORY, WORKLOAD = "the domain", "the repository", "a CI workload's role"

EVERY_ACTION = {"Action": "codeartifact:*", "Resource": "*"}
BEARER_TOKEN = {
    "Action": "sts:GetServiceBearerToken",
    "Resource": "*",
    "Condition": {"StringEquals": {"sts:AWSServiceName": "codeartifact.amazonaws.com"}},
}


@dataclass(frozen=True, kw_only=True)
class Answer:
    """What AWS says to a question. Without an expectation the question is how long it takes, or which words it uses."""

    question: str
    expected: str
    said: str

    @property
    def verdict(self) -> str:
        """Whether it is as expected: what is said begins with what is expected."""
        if self.said == "not available" or not self.expected:
            return ""
        return "yes" if self.said.startswith(self.expected) else "**NO**"


@dataclass(kw_only=True)
class Account:
    """The account that is asked, and what is made in it, which goes when `made` is closed."""

    session: Any
    number: str
    partition: str
    region: str
    name: str
    """Of the domain, and of what else is made."""
    folder: Path
    made: ExitStack = field(default_factory=ExitStack)
    answers: list[Answer] = field(default_factory=list[Answer])
    left: list[str] = field(default_factory=list[str])
    """Why something could not be deleted."""

    def note(self, question: str, said: str, *, expected: str = "") -> None:
        self.answers.append(Answer(question=question, expected=expected, said=said))
        print(f"  {question}: {said}")

    def later(self, call: Callable[..., object], **arguments: object) -> None:
        """Delete something at the end, before what was made before it; AWS may take a while to let it go."""

        def delete() -> None:
            answer, _ = wait(lambda: said(call, **arguments), "done".__eq__)
            if answer != "done":
                self.left.append(answer)

        self.made.callback(delete)

    def role_arn(self, who: str) -> str:
        return f"arn:{self.partition}:iam::{self.number}:role/{self.name}-{who}"

    def arn(self, resource: str) -> str:
        return f"arn:{self.partition}:codeartifact:{self.region}:{self.number}:{resource}"


def said(call: Callable[..., object], **arguments: object) -> str:
    """`done`, or the code and the words of a refusal."""
    try:
        call(**arguments)
    except ClientError as error:
        details = cast("Any", error).response.get("Error", {})
        return f"{details.get('Code', '')}: {details.get('Message', '')}"
    return "done"


def wait(call: Callable[[], str], until: Callable[[str], bool]) -> tuple[str, float]:
    """What a call says when it says what it is waited for, or when patience ends; and after how many seconds."""
    start = time.monotonic()
    while True:
        answer = call()
        seconds = time.monotonic() - start
        if until(answer) or seconds > PATIENCE:
            return answer, seconds
        time.sleep(2)


def took(answer: str, seconds: float) -> str:
    return f"done after {seconds:.0f} s" if answer == "done" else f"not within {PATIENCE} s: {answer}"


def policy(*statements: Mapping[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [{"Effect": "Allow"} | {**each} for each in statements]})


DOCUMENTS = (
    ("aws:codeartifact/domainPermissions:DomainPermissions", DOMAIN, "policyDocument"),
    ("aws:codeartifact/repositoryPermissionsPolicy:RepositoryPermissionsPolicy", REPOSITORY, "policyDocument"),
    ("aws:iam/role:Role", WORKLOAD, "assumeRolePolicy"),
)


class Stack:
    """A stack in a folder of its own, previewed and compared as a user does it, without AWS."""

    def __init__(self, account: Account, folder: Path) -> None:
        self._account, self._folder = account, folder
        folder.mkdir()
        for name in ("Pulumi.yaml", "__main__.py"):
            shutil.copy(ROOT / name, folder)

    def configure(self, config: Mapping[str, object]) -> None:
        texts = {f"private-pypi:{key}": value for key, value in config.items()}
        place = {"aws:region": self._account.region, "aws:allowedAccountIds": [self._account.number]}
        (self._folder / "Pulumi.smoke.yaml").write_text(yaml.safe_dump({"config": texts | place}))

    def commit(self) -> None:
        self._run("git", "init", "--quiet")
        self._run("git", "add", ".")
        self._run("git", "-c", "user.name=smoke", "-c", "user.email=smoke@invalid", "commit", "--quiet", "-m", "Base")

    def documents(self) -> dict[str, str]:
        """A policy document of each kind that the program makes, by what it is of."""
        preview = json.loads(self._run(BIN / "private-pypi", "preview", "smoke", "--json"))
        found = {
            what: each["inputs"][key]
            for each in preview["resources"]
            for token, what, key in DOCUMENTS
            if each["type"] == token
        }
        for document in preview["outputs"].get("publisher_policies", {}).values():
            found["publisher_policies"] = document
        return found | {"reader_policy": preview["outputs"]["reader_policy"]}

    def gains(self) -> int:
        """How many gains `private-pypi diff` finds since the commit."""
        difference = self._run(BIN / "private-pypi", "diff", "smoke", "--base", "HEAD", "--json")
        return json.loads(difference)["counts"]["gains"]

    def _run(self, *command: str | Path) -> str:
        run = subprocess.run(command, cwd=self._folder, capture_output=True, text=True, check=False)
        if run.returncode:
            raise SystemExit(f"{' '.join(map(str, command))}\n{run.stdout}{run.stderr}")
        return run.stdout


def make_roles(account: Account, policies: Mapping[str, str | None]) -> None:
    """A role for each, with its identity policy, that the account itself may assume."""
    iam = account.session.client("iam")
    trust = {
        "Principal": {"AWS": f"arn:{account.partition}:iam::{account.number}:root"},
        "Action": "sts:AssumeRole",
    }
    for who, document in policies.items():
        role = {"RoleName": f"{account.name}-{who}"}
        iam.create_role(**role, AssumeRolePolicyDocument=policy(trust))
        account.later(iam.delete_role, **role)
        if document:
            iam.put_role_policy(**role, PolicyName="smoke", PolicyDocument=document)
            account.later(iam.delete_role_policy, **role, PolicyName="smoke")


def make_repository(account: Account, documents: Mapping[str, str]) -> None:
    codeartifact = account.session.client("codeartifact")
    domain = {"domain": account.name}
    repository = domain | {"repository": "smoke"}
    codeartifact.create_domain(**domain)
    account.later(codeartifact.delete_domain, **domain)
    codeartifact.create_repository(**repository)
    account.later(codeartifact.delete_repository, **repository)

    put = partial(codeartifact.put_domain_permissions_policy, **domain, policyDocument=documents[DOMAIN])
    answer = wait(lambda: said(put), "done".__eq__)
    account.note("until a permissions policy may name a role that was just made", took(*answer), expected="done")
    codeartifact.put_repository_permissions_policy(**repository, policyDocument=documents[REPOSITORY])
    account.later(codeartifact.delete_repository_permissions_policy, **repository)


def assume(account: Account, who: str) -> Any:
    """CodeArtifact as a role sees it."""
    sts = account.session.client("sts")
    sessions: list[Any] = []

    def try_to_assume() -> str:
        def call() -> None:
            keys = sts.assume_role(RoleArn=account.role_arn(who), RoleSessionName="smoke")["Credentials"]
            sessions.append(keys)

        return said(call)

    answer = wait(try_to_assume, "done".__eq__)
    if who == "reader":
        account.note("until a role that was just made can be assumed", took(*answer), expected="done")
    if not sessions:
        raise SystemExit(f"role {who} cannot be assumed: {answer[0]}")
    return account.session.client(
        "codeartifact",
        aws_access_key_id=sessions[0]["AccessKeyId"],
        aws_secret_access_key=sessions[0]["SecretAccessKey"],
        aws_session_token=sessions[0]["SessionToken"],
    )


def ask_api(account: Account, clients: Mapping[str, Any]) -> None:
    """Who is refused what, and in which words."""
    domain = {"domain": account.name}
    repository = domain | {"repository": "smoke"}
    trial = repository | {
        "format": "pypi",
        "package": PACKAGE,
        "packageVersion": "0.dev0",
        "assetName": "check",
        "assetContent": b"",
        "assetSHA256": "0" * 64,
        "unfinished": True,
    }
    reader, publisher, administrator = (clients[who] for who in ("reader", "publisher", "administrator"))

    answer = wait(lambda: said(reader.get_authorization_token, **domain), "done".__eq__)
    account.note("until a reader who was just given reader_policy gets a token", took(*answer), expected="done")
    # What is allowed is waited for, so that what is refused after it is not refused because IAM is late.
    wait(lambda: said(administrator.describe_domain, **domain), "done".__eq__)
    wait(lambda: said(clients["tokens alone"].get_authorization_token, **domain), "done".__eq__)
    allowed, _ = wait(lambda: said(publisher.publish_package_version, **trial), lambda it: not it.startswith(DENIED))

    account.note("a publisher in `check --publish`", allowed, expected="ValidationException")
    refused = {
        "a reader in `check --publish`": partial(reader.publish_package_version, **trial),
        "an administrator, with closedPublishing": partial(administrator.publish_package_version, **trial),
        "an administrator who deletes the repository, with protect": partial(
            administrator.delete_repository, **repository
        ),
        "a token without sts:GetServiceBearerToken": partial(clients["listed alone"].get_authorization_token, **domain),
        "a token for somebody who is not listed": partial(
            clients["reader policy alone"].get_authorization_token, **domain
        ),
        "CreateRepository that is allowed on ARNs": partial(
            clients["tokens alone"].create_repository, **domain, repository="another"
        ),
    }
    for question, call in refused.items():
        account.note(question, said(call), expected=DENIED)


def ask_index(account: Account, clients: Mapping[str, Any]) -> None:
    """What the endpoint says to clients: uploads, pages, and those who may not read them."""
    domain = {"domain": account.name}
    endpoint: str = account.session.client("codeartifact").get_repository_endpoint(
        **domain, repository="smoke", format="pypi"
    )["repositoryEndpoint"]
    tokens = {
        who: clients[who].get_authorization_token(**domain)["authorizationToken"]
        for who in ("reader", "publisher", "tokens alone")
    }
    wheel = build(account.folder)
    for who, expected in (("reader", "refused"), ("publisher", "done")):
        account.note(f"an upload by a {who}", upload(wheel, endpoint, tokens[who]), expected=expected)

    def get(name: str, token: str, accept: str = "text/html") -> tuple[int, str, str]:
        password = base64.b64encode(f"aws:{token}".encode()).decode()
        headers = {"Accept": accept, "Authorization": f"Basic {password}"}
        request = cast("Any", AWSRequest)("GET", f"{endpoint}simple/{name}/", headers=headers).prepare()
        response = cast("Any", URLLib3Session)().send(request)  # follows no redirect, which could take the token along
        return response.status_code, response.headers.get("content-type", ""), response.content.decode(errors="replace")

    for question, name, token, expected in (
        ("the index, to a reader", PACKAGE, tokens["reader"], "200"),
        ("the index, of a name that is not there", "no-such-package", tokens["reader"], "404"),
        ("the index, to a token that may not read", PACKAGE, tokens["tokens alone"], "403"),
        ("the index, to a password that is no token", PACKAGE, "x", ""),
    ):
        account.note(question, str(get(name, token)[0]), expected=expected)
    _, kind, text = get(PACKAGE, tokens["reader"], JSON_INDEX)
    account.note("the index as JSON", kind, expected=JSON_INDEX)
    files: list[dict[str, Any]] = json.loads(text)["files"] if kind.startswith(JSON_INDEX) else []
    account.note("upload times in it", "there" if files and "upload-time" in files[0] else "none", expected="there")
    account.note("core metadata (PEP 658) in it", "there" if files and "core-metadata" in files[0] else "none")


def build(folder: Path) -> Path:
    source = folder / "package"
    source.mkdir()
    (source / "smoke_package.py").write_text('"""A package to upload."""\n__version__ = "1.0"\n')
    (source / "pyproject.toml").write_text(
        f'[project]\nname = "{PACKAGE}"\nversion = "1.0"\ndescription = "A package to upload"\n'
    )
    subprocess.run([sys.executable, "-m", "flit_core.wheel"], cwd=source, check=True, capture_output=True)
    return next((source / "dist").iterdir())


def upload(wheel: Path, endpoint: str, token: str) -> str:
    environment = os.environ | {"UV_PUBLISH_USERNAME": "aws", "UV_PUBLISH_PASSWORD": token}
    command = [BIN / "uv", "publish", "--no-config", "--publish-url", endpoint, wheel]
    run = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    status = next((word for word in run.stderr.split() if word in {"401", "403", "404"}), "")
    return "done" if not run.returncode else f"refused: {status}" if status else run.stderr.strip().splitlines()[-1]


def ask_package_groups(account: Account) -> None:
    """Whether the pattern that the program writes is taken, and what the group is called."""
    cloudcontrol, codeartifact = account.session.client("cloudcontrol"), account.session.client("codeartifact")
    state = {
        "DomainName": account.name,
        "Pattern": f"/pypi//{PACKAGE}~",
        "OriginConfiguration": {"Restrictions": {"ExternalUpstream": {"RestrictionMode": "BLOCK"}}},
    }
    begun = cloudcontrol.create_resource(TypeName="AWS::CodeArtifact::PackageGroup", DesiredState=json.dumps(state))[
        "ProgressEvent"
    ]
    account.later(codeartifact.delete_package_group, domain=account.name, packageGroup=state["Pattern"])
    events: list[dict[str, str]] = []

    def look() -> str:
        found = cloudcontrol.get_resource_request_status(RequestToken=begun["RequestToken"])["ProgressEvent"]
        events.append(found)
        return found["OperationStatus"]

    status, seconds = wait(look, lambda status: status not in {"PENDING", "IN_PROGRESS"})
    account.note("a package group by Cloud Control", f"{status} after {seconds:.0f} s", expected="SUCCESS")
    identifier = events[-1].get("Identifier", events[-1].get("StatusMessage", ""))
    expected = account.arn(f"package-group/{account.name}/pypi//{PACKAGE}~")
    account.note("its identifier", identifier, expected=expected)


def ask_access_analyzer(account: Account, documents: Mapping[str, str]) -> None:
    """AWS's own prover, of every document."""
    analyzer = account.session.client("accessanalyzer")

    def ask(call: Callable[[], str]) -> str:
        try:
            return call()
        except ClientError as error:
            details = cast("Any", error).response.get("Error", {})
            if details.get("Code") == "UnknownService":  # of the tests' endpoint
                return "not available"
            return f"{details.get('Code', '')}: {details.get('Message', '')}"
        except BotoCoreError as error:
            return f"{type(error).__name__}: {error}"

    def findings(name: str, document: str) -> str:
        kind = "IDENTITY_POLICY" if name.endswith(("_policy", "_policies")) else "RESOURCE_POLICY"
        of_role = {"validatePolicyResourceType": "AWS::IAM::AssumeRolePolicyDocument"} if name == WORKLOAD else {}
        found = analyzer.validate_policy(policyDocument=document, policyType=kind, **of_role)["findings"]
        return ", ".join(f"{each['findingType']} {each['issueCode']}" for each in found) or "no findings"

    for name, document in documents.items():
        said = ask(partial(findings, name, document))
        account.note(f"validate-policy: {name}", said, expected="no findings")
    for name, kind in ((DOMAIN, "AWS::CodeArtifact::Domain"), (WORKLOAD, "AWS::IAM::AssumeRolePolicyDocument")):
        check = partial(analyzer.check_no_public_access, policyDocument=documents[name], resourceType=kind)
        account.note(f"check-no-public-access: {name}", ask(lambda check=check: check()["result"]), expected="PASS")

    one, two = account.role_arn("reader"), account.role_arn("publisher")
    base = {"domain": account.name, "repository": "smoke", "readers": [one], "publishers": [two]}
    stack = Stack(account, account.folder / "pairs")
    stack.configure(base)
    stack.commit()
    before = stack.documents()[REPOSITORY]
    for question, change in (
        ("a reader more", {"readers": [one, account.role_arn("administrator")]}),
        ("a publisher limited to some packages", {"publishers": [{"principal": two, "packages": ["a-*"]}]}),
        ("a reader taken out", {"readers": []}),
    ):
        stack.configure(base | change)
        after = stack.documents()[REPOSITORY]
        check = partial(
            analyzer.check_no_new_access,
            newPolicyDocument=after,
            existingPolicyDocument=before,
            policyType="RESOURCE_POLICY",
        )
        expected = "FAIL" if stack.gains() else "PASS"
        account.note(f"check-no-new-access: {question}", ask(lambda check=check: check()["result"]), expected=expected)


def run(account: Account) -> None:
    """Make everything and ask everything."""
    stack = Stack(account, account.folder / "stack")
    config = {
        "domain": account.name,
        "repository": "smoke",
        "readers": [account.role_arn("reader"), account.role_arn("listed-alone")],
        "publishers": [account.role_arn("publisher")],
        "closedPublishing": True,
    }
    stack.configure(config)
    documents = stack.documents()
    get_token = {"Action": "codeartifact:GetAuthorizationToken", "Resource": account.arn(f"domain/{account.name}")}
    create = {
        "Action": "codeartifact:CreateRepository",
        "Resource": [account.arn(f"domain/{account.name}"), account.arn(f"repository/{account.name}/*")],
    }
    roles = {
        "reader": documents["reader_policy"],
        "publisher": documents["reader_policy"],
        "administrator": policy(EVERY_ACTION, BEARER_TOKEN),
        "listed-alone": None,
        "reader-policy-alone": documents["reader_policy"],
        "tokens-alone": policy(get_token, BEARER_TOKEN, create),
    }
    print("Making the roles, the domain and the repository.")
    make_roles(account, roles)
    make_repository(account, documents)
    clients = {who.replace("-", " "): assume(account, who) for who in roles}
    ask_api(account, clients)
    ask_index(account, clients)
    ask_package_groups(account)

    # What is in no account that is known to exist is not deployed: AWS would refuse it.
    elsewhere = f"arn:{account.partition}:iam::444455556666:role/*"
    config["readers"] = [account.role_arn("reader"), account.role_arn("*"), "o-a1b2c3d4e5"]
    config["publishers"] = [
        account.role_arn("publisher"),
        {"principal": elsewhere, "packages": ["a-*"]},
        {"github": "acme/tools", "tag": "v*"},
    ]
    stack.configure(config)
    ask_access_analyzer(account, stack.documents())


def table(account: Account) -> Iterator[str]:
    """The answers in Markdown, without the account's number and the names made for this run."""
    yield "| question | expected | AWS says | as expected |"
    yield "|---|---|---|---|"
    for each in account.answers:
        cells = (each.question, each.expected, each.said, each.verdict)
        row = " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells)
        yield f"| {row} |".replace(account.number, "111122223333").replace(account.name, "smoke")


def main() -> None:
    """Ask before anything is made; take everything away at the end, whatever happens."""
    if os.environ.get("CI"):
        raise SystemExit("This is for a person with an account, not for CI: it makes and deletes things in it.")
    session = cast("Any", boto3.Session())
    if not session.region_name:
        raise SystemExit("There is no region: set AWS_REGION.")
    caller = session.client("sts").get_caller_identity()
    number, partition = caller["Account"], caller["Arn"].split(":")[1]
    name = f"private-pypi-smoke-{secrets.token_hex(3)}"
    print(
        f"As {caller['Arn']}, in region {session.region_name}: this makes the domain {name}, a repository in it and "
        f"six IAM roles whose names begin with {name}, and deletes them at the end. It takes some ten minutes. AWS "
        f"bills {COST}."
    )
    try:
        answer = input(f"To go on, type the account's number, {number}: ")
    except EOFError:
        answer = ""
    if answer.strip() != number:
        raise SystemExit("Nothing was made.")
    with TemporaryDirectory() as folder:
        account = Account(
            session=session,
            number=number,
            partition=partition,
            region=session.region_name,
            name=name,
            folder=Path(folder),
        )
        with account.made:
            try:
                run(account)
            finally:
                print("", *table(account), "", "Deleting what was made.", sep="\n")
    if account.left:
        raise SystemExit(
            "\n".join([f"Not all of it is deleted. Delete what begins with {name} by hand:", *account.left])
        )


if __name__ == "__main__":
    main()
