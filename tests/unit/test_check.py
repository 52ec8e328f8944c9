"""The check on its way, against an AWS that answers what a test says."""

import base64
import contextlib
import functools
import io
import json
import threading
import zipfile
from collections.abc import Iterator
from contextlib import nullcontext
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from textwrap import dedent
from typing import Any
from urllib.parse import parse_qs

import botocore.loaders
import pytest
import urllib3
import yaml
from botocore.client import BaseClient
from botocore.httpsession import URLLib3Session
from botocore.session import Session
from contexts import ACCOUNT, OTHER, ROLES, documents, expecting, session
from mocks import ROOT
from untraced import untraced

from private_pypi.cli.aws import Aws as Asked
from private_pypi.cli.deployed import Expected, read_expected
from private_pypi.cli.diagnosis import RefusedError
from private_pypi.cli.main import main
from private_pypi.cli.process import Record
from private_pypi.cli.program import record
from private_pypi.cli.stack_files import Stack, read_stack
from private_pypi.principals import Principal

SECRET = "a-token-that-nobody-sees"  # noqa: S105
BASIC = base64.b64encode(f"aws:{SECRET}".encode()).decode()
READER = f"{ROLES}/reader"
CONFIG: dict[str, object] = {
    "aws:region": "us-west-2",
    "aws:allowedAccountIds": [ACCOUNT],
    "private-pypi:domain": "acme",
    "private-pypi:readers": [READER],
}
IDENTITY, ROLE = "sts GetCallerIdentity", "iam GetRole"
TOKEN, ENDPOINT = "POST /v1/authorization-token", "GET /v1/repository/endpoint"
INDEX, FILE = (
    "GET /pypi/private-pypi/simple/private-pypi-check/",
    "GET /pypi/private-pypi/files/acme_core-1.0-py3-none-any.whl",
)
PACKAGE, PUBLISH = "GET /pypi/private-pypi/simple/acme-core/", "POST /v1/package/version/publish"
DOMAIN_POLICY, POLICY = "GET /v1/domain/permissions/policy", "GET /v1/repository/permissions/policy"

LOADER = functools.cache(botocore.loaders.create_loader)
"""What reads the descriptions of AWS's services, once and not for each test."""

Answer = tuple[int, str | bytes] | tuple[int, str | bytes, dict[str, str]]


def identity(arn: str) -> Answer:
    result = (
        f"<GetCallerIdentityResult><Arn>{arn}</Arn><Account>{arn.split(':')[4]}</Account></GetCallerIdentityResult>"
    )
    return 200, f"<GetCallerIdentityResponse>{result}</GetCallerIdentityResponse>"


def refused(code: str, message: str = "No.", status: int = 403) -> Answer:
    return status, json.dumps({"message": message}), {"x-amzn-errortype": code}


def error(code: str) -> str:
    """A refusal of STS or IAM, which speak XML."""
    return f"<ErrorResponse><Error><Code>{code}</Code><Message>No.</Message></Error></ErrorResponse>"


def denied(action: str, resource: str, why: str) -> Answer:
    text = f"User: {session()} is not authorized to perform: {action} on resource: {resource} {why}"
    return refused("AccessDeniedException", text)


class Aws:
    """An AWS on this machine that answers what `answers` says, by service and action or by method and path."""

    def __init__(self) -> None:
        aws = self
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.paths: list[str] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                asked = f"{self.command} {self.path.partition('?')[0]}"
                if asked == "POST /":
                    service = self.headers["Authorization"].split("/")[3]
                    asked = f"{service} {parse_qs(body.decode())['Action'][0]}"
                aws.asked.append((asked, {name.lower(): value for name, value in self.headers.items()}))
                aws.paths.append(self.path)
                if "Credential=theirs/" in self.headers.get("Authorization", ""):
                    asked = "theirs"
                status, text, *headers = aws.answers[asked]
                self.send_response(status)
                content = text.encode() if isinstance(text, str) else text
                for name, value in ({"Content-Length": str(len(content))} | dict(*headers)).items():
                    self.send_header(name, value)
                self.end_headers()
                with contextlib.suppress(ConnectionError):  # of a file the check may want no more than the head
                    self.wfile.write(content)

            do_POST = do_GET  # noqa: N815

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, args=(0.01,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self.endpoint = f"{self.url}/pypi/private-pypi/"
        domain, repository = documents(readers=[Principal(READER)])
        self.answers: dict[str, Answer] = {
            IDENTITY: identity(session()),
            ROLE: (403, error("AccessDenied")),
            TOKEN: (200, json.dumps({"authorizationToken": SECRET})),
            ENDPOINT: (200, json.dumps({"repositoryEndpoint": self.endpoint})),
            INDEX: (404, "Not found"),
            PACKAGE: (
                200,
                '<a class="x">No link</a><a href="../../files/acme_core-1.0-py3-none-any.whl#sha256=0">acme_core</a>',
            ),
            FILE: (200, wheel()),
            PUBLISH: refused("ValidationException", "The hash does not match", 400),
            DOMAIN_POLICY: (200, json.dumps({"policy": {"document": domain}})),
            POLICY: (200, json.dumps({"policy": {"document": repository}})),
        }

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture(autouse=True)
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    """An AWS that lets the reader in, and an environment that leads to it and to nothing else."""
    aws = Aws()
    monkeypatch.setattr("botocore.session.create_loader", LOADER)
    monkeypatch.setattr("time.sleep", lambda _: None)  # before it asks again
    for kind, name in (
        (Session, "__init__"),
        (Session, "create_client"),
        (BaseClient, "_make_api_call"),
        (URLLib3Session, "send"),
    ):
        monkeypatch.setattr(kind, name, untraced()(getattr(kind, name)))
    for name in ("AWS_PROFILE", "AWS_REGION", "AWS_SESSION_TOKEN", "HTTP_PROXY", "http_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_CONFIG_FILE": "config",
        "AWS_DEFAULT_REGION": "eu-west-1",
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_ENDPOINT_URL": aws.url,
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_SHARED_CREDENTIALS_FILE": "credentials",
    }.items():
        monkeypatch.setenv(name, value)
    yield aws
    aws.stop()


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project, with a stack `test`; what is expected of it is known without running it."""
    for name in ("__main__.py", "Pulumi.yaml"):
        (tmp_path / name).write_text((ROOT / name).read_text())
    monkeypatch.chdir(tmp_path)

    def known(folder: Path, stack: Stack, _: Record, *, account: str, region: str) -> list[Expected]:
        assert (folder, region) == (tmp_path, stack.region or "eu-west-1")
        return [expecting([READER], owner=account)]

    monkeypatch.setattr("private_pypi.cli.process.recorder_process", lambda: nullcontext(record))
    monkeypatch.setattr("private_pypi.cli.check.read_expected", known)
    configure(tmp_path)
    return tmp_path


def configure(folder: Path, **more: Any) -> None:
    """Write the stack's file: `CONFIG`, with other keys or with `None` for those to leave out."""
    config = CONFIG | {name.replace("__", ":"): value for name, value in more.items()}
    config = {name: value for name, value in config.items() if value is not None}
    (folder / "Pulumi.test.yaml").write_text(yaml.safe_dump({"config": config}))


def check(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str]:
    """The exit status of the check, and what it printed, without a token."""
    status = main(["check", "test", *arguments])
    printed = capsys.readouterr()
    assert printed.err == ""
    assert SECRET not in printed.out
    assert BASIC not in printed.out
    return status, printed.out


def whole(text: str) -> str:
    return dedent(text).removeprefix("\n")


END = "\nEvery step passes. Not looked at: the URL and the token that a client has been given.\n"


def wheel(*needs: str, metadata: str = "") -> bytes:
    """A wheel of acme-core that needs these."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        lines = [
            "Metadata-Version: 2.4",
            "Name: acme-core",
            "Version: 1.0",
            *(f"Requires-Dist: {each}" for each in needs),
        ]
        archive.writestr("acme_core-1.0.dist-info/METADATA", metadata or "\n".join([*lines, "", "Requires-Dist: text"]))
    return content.getvalue()


def test_whoever_gets_in_is_told_so(
    aws: Aws, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("private_pypi.cli.check.read_expected", read_expected)

    assert check(capsys, "--package", "Acme.Core", "--publish") == (
        0,
        whole(f"""
            Stack test, with the credentials of the environment. Nothing is published and nothing changes.

            Steps
              who you are  ok  arn:aws:sts::111122223333:assumed-role/reader/session
              token        ok  sts:GetServiceBearerToken and codeartifact:GetAuthorizationToken
              endpoint     ok  {aws.endpoint}
              index        ok  you may read
              package      ok  acme_core-1.0-py3-none-any.whl; the index gives no upload times
              needs        ok  nothing else
              publish      ok  AWS did not deny it and refused only the content of the trial; the config does not let you publish acme-core

            You in the config
              arn:aws:iam::111122223333:role/reader may install
                if it covers the path of your role, which is not known here: its name alone does not tell

            What is deployed
              the domain's policy is as the config says
              the repository's policy is as the config says
            """)
        + END,
    )
    assert [asked for asked, _ in aws.asked] == [
        *(IDENTITY, TOKEN, ENDPOINT, PACKAGE, FILE, FILE, PUBLISH, DOMAIN_POLICY, POLICY)
    ]
    (tried,) = [headers for asked, headers in aws.asked if asked == PUBLISH]
    assert tried["x-amz-content-sha256"] == "0" * 64
    assert tried["content-length"] == "0"


def test_the_token_goes_to_the_repository_alone(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.answers[FILE] = 302, "", {"Location": f"{aws.url}/elsewhere"}
    assert check(capsys, "--package", "acme-core", "--publish")[0] == 0

    told = {asked for asked, headers in aws.asked if SECRET in str(headers) or BASIC in str(headers)}
    assert told == {PACKAGE, FILE}


def test_the_token_is_good_for_no_longer_than_it_has_to_be(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    check(capsys)

    assert f"/v1/authorization-token?domain=acme&domain-owner={ACCOUNT}&duration=900" in aws.paths


def test_what_repeats_the_token_is_not_repeated(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.answers[INDEX] = 403, f"Basic {BASIC} is aws:{SECRET}"

    assert "  AWS says  HTTP 403: Basic [token] is aws:[token]\n" in check(capsys)[1]


def why(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[str, str]:
    """The step that failed, and what is said of it."""
    status, printed = check(capsys, *arguments)
    assert status == 1
    steps, _, rest = printed.partition("\n\nWhy\n")
    return steps.splitlines()[-1].strip(), dedent(rest.partition("\n\n")[0]).strip()


DOMAIN = f"arn:aws:codeartifact:us-west-2:{ACCOUNT}:domain/acme"
PACKAGE_ARN = f"arn:aws:codeartifact:us-west-2:{ACCOUNT}:package/acme/private-pypi/pypi//acme-core"


def no_identity_policy(action: str) -> str:
    return f"because no identity-based policy allows the {action} action"


BEARER_TOKEN = denied("sts:GetServiceBearerToken", "*", no_identity_policy("sts:GetServiceBearerToken"))


def test_whoever_is_refused_is_told_why(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.answers[TOKEN] = BEARER_TOKEN
    aws.answers[DOMAIN_POLICY] = aws.answers[POLICY] = refused("AccessDeniedException")

    assert check(capsys) == (
        1,
        whole("""
            Stack test, with the credentials of the environment. Nothing is published and nothing changes.

            Steps
              who you are  ok  arn:aws:sts::111122223333:assumed-role/reader/session
              token        NO  AccessDeniedException

            Why
              AWS says  AccessDeniedException: User: arn:aws:sts::111122223333:assumed-role/reader/session is not authorized to perform: sts:GetServiceBearerToken on resource: * because no identity-based policy allows the sts:GetServiceBearerToken action
              cause     no identity policy of role reader allows sts:GetServiceBearerToken. No permissions policy can
              fix       attach the output reader_policy to role reader: `pulumi stack output reader_policy --stack test`
              who       whoever administers IAM in account 111122223333
              or        set private-pypi:attachIdentityPolicies to true in Pulumi.test.yaml, then `pulumi up --stack test`
              who       whoever deploys stack test

            You in the config
              arn:aws:iam::111122223333:role/reader may install
                if it covers the path of your role, which is not known here: its name alone does not tell

            What is deployed
              you may not read the domain's policy
              you may not read the repository's policy
            """),
    )


@pytest.mark.parametrize(
    ("arguments", "answers", "step", "cause"),
    [
        (
            [],
            {ENDPOINT: refused("ResourceNotFoundException", status=404)},
            "endpoint     NO  ResourceNotFoundException",
            f"there is no repository private-pypi in domain acme of account {ACCOUNT} in region us-west-2",
        ),
        ([], {INDEX: (500, "Oh")}, "index        NO  HTTP 500", "no right is missing; it is what AWS says"),
        (
            ["--package", "acme-core"],
            {PACKAGE: (404, "Not found")},
            "package      NO  HTTP 404",
            "there is no package acme-core here; the token is new, and lets you read. private-pypi:publicUpstream is off, so nothing comes from public PyPI",
        ),
        (
            ["--package", "acme-core"],
            {PACKAGE: (200, "<a>no link</a>")},
            "package      NO  HTTP 200",
            "no right is missing; it is what AWS says",
        ),
        (
            ["--publish"],
            {
                PUBLISH: denied(
                    "codeartifact:PublishPackageVersion",
                    PACKAGE_ARN,
                    no_identity_policy("codeartifact:PublishPackageVersion"),
                )
            },
            "publish      NO  AccessDeniedException",
            "neither the repository's permissions policy nor an identity policy lets role reader do codeartifact:PublishPackageVersion: one has to. The config does not say so",
        ),
        (
            ["--publish"],
            {PUBLISH: (200, "{}")},
            "publish      NO  HTTP 200",
            "no right is missing; it is what AWS says",
        ),
        (
            ["--publish"],
            {PUBLISH: (200, '{"status": "Unfinished"}')},
            "publish      NO  HTTP 200",
            "no right is missing; it is what AWS says",
        ),
        (
            ["--publish"],
            {PUBLISH: refused("ThrottlingException", status=400)},
            "publish      NO  ThrottlingException",
            "no right is missing; it is what AWS says",
        ),
    ],
)
def test_a_step_that_fails_is_the_last_and_says_why(
    arguments: list[str],
    answers: dict[str, Answer],
    step: str,
    cause: str,
    aws: Aws,
    capsys: pytest.CaptureFixture[str],
) -> None:
    aws.answers |= answers
    failed, said = why(capsys, *arguments)

    assert (failed, said.splitlines()[1]) == (step, f"cause     {cause}")


def test_a_file_that_is_refused_says_why(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.answers[FILE] = 403, "You may not."
    failed, said = why(capsys, "--package", "acme-core")

    assert failed == "package      NO  HTTP 403"
    assert said.splitlines()[:3] == [
        "AWS says  HTTP 403: You may not.",
        "It does not say which policy refuses. Look at these, in this order.",
        "look at   the repository's permissions policy: it has to let role reader do codeartifact:GetPackageVersionAsset. The config says so, for arn:aws:iam::111122223333:role/reader",
    ]


def test_an_endpoint_that_cannot_be_reached_is_no_want_of_rights(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.answers[ENDPOINT] = 200, json.dumps({"repositoryEndpoint": "http://127.0.0.1:1/pypi/private-pypi"})

    assert why(capsys) == (
        "index        NO  EndpointConnectionError",
        whole("""
            AWS says  EndpointConnectionError: Could not connect to the endpoint URL: "http://127.0.0.1:1/pypi/private-pypi/simple/private-pypi-check/"
            cause     no answer came
            fix       look at the network, at the proxy (HTTPS_PROXY) and at AWS_ENDPOINT_URL
            who       you""").strip(),
    )


def test_whoever_may_not_ask_for_the_endpoint_goes_to_the_usual_one(
    aws: Aws, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    aws.answers[ENDPOINT] = refused("AccessDeniedException")

    def get(_: object, url: str, token: str) -> tuple[int, str]:
        asked.append(url)
        return (404, "") if token == SECRET else (401, "")

    monkeypatch.setattr("private_pypi.cli.aws.Aws.get", get)
    status, printed = check(capsys)
    usual = f"https://acme-{ACCOUNT}.d.codeartifact.us-west-2.amazonaws.com/pypi/private-pypi/"

    assert status == 0
    assert (
        f"endpoint     ok  {usual}, the usual one: you may not ask for it, so `aws codeartifact login` does not work"
        in printed
    )
    assert asked == [f"{usual}simple/private-pypi-check/"]


def test_the_token_does_not_follow_a_file_elsewhere(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.answers[PACKAGE] = 200, '<a href="http://localhost:1/acme_core-1.0-py3-none-any.whl">acme_core</a>'

    assert (
        "package      ok  http://localhost:1/acme_core-1.0-py3-none-any.whl is elsewhere, where the token does not go"
        in check(capsys, "--package", "acme-core")[1]
    )


BILLING = "GET /pypi/private-pypi/simple/billing/"


def page(*names: str, **more: object) -> str:
    """A page of JSON."""
    return json.dumps({"files": [{"url": f"../../files/{name}", **more} for name in names]})


def expect(monkeypatch: pytest.MonkeyPatch, **more: Any) -> None:
    monkeypatch.setattr("private_pypi.cli.check.read_expected", lambda *_, **__: [expecting([READER], **more)])


def test_what_a_package_needs_is_looked_up(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    needs = ("Billing<2,>=1", 'other; python_version < "3"', 'extra; extra == "all"', "at @ https://example.com/at.whl")
    aws.answers[FILE] = 200, wheel(*needs)
    aws.answers[BILLING] = 200, page("billing-1.0.tar.gz", "billing-1.9-py3-none-any.whl", "billing-2.0.tar.gz")
    status, printed = check(capsys, "--package", "acme-core")

    assert status == 0
    assert "\n  needs        ok  Billing<2,>=1\n  needs        ok  billing 1.9\n\n" in printed
    assert printed.endswith(
        "Not looked at: publishing (--publish); the URL and the token that a client has been given.\n"
    )


def test_a_page_without_files_that_are_understood_is_a_package(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.answers[FILE], aws.answers[BILLING] = (200, wheel("billing>=1")), (200, "<a href='billing.egg'>billing</a>")

    assert "\n  needs        ok  billing\n" in check(capsys, "--package", "acme-core")[1]


@pytest.mark.parametrize(
    ("answer", "expected", "step", "cause"),
    [
        (
            (404, "Not found"),
            {"public_upstream": True},
            "needs        NO  HTTP 404",
            "a dependency is not here: billing. Nor does it come from public PyPI, by private-pypi:publicUpstream",
        ),
        (
            (404, "Not found"),
            {"internal_packages": ["billing"]},
            "needs        NO  HTTP 404",
            "a dependency is not here: billing. billing in private-pypi:internalPackages keeps it from coming from public PyPI",
        ),
        (
            (200, page("billing-1.0.tar.gz", "billing-0.9.tar.gz")),
            {},
            "needs        NO  no version",
            "a dependency, billing, is here, but in no version that will do",
        ),
    ],
)
def test_a_dependency_that_is_missing_is_named(
    answer: Answer,
    expected: dict[str, Any],
    step: str,
    cause: str,
    aws: Aws,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    expect(monkeypatch, **expected)
    aws.answers[FILE], aws.answers[BILLING] = (200, wheel("billing>=2")), answer
    failed, said = why(capsys, "--package", "acme-core")

    assert (failed, said.splitlines()[1]) == (step, f"cause     {cause}")


def test_what_may_be_meant_to_come_from_public_pypi_is_no_refusal(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.answers[FILE], aws.answers[BILLING] = (200, wheel("billing")), (404, "Not found")
    status, printed = check(capsys, "--package", "acme-core")

    assert status == 0
    said = "billing is not here. publicUpstream is off: a client with this index alone does not find it"
    assert f"\n  needs        ok  {said}\n" in printed


@pytest.mark.parametrize(
    ("files", "said"),
    [
        ([{"upload-time": "2026-01-01T00:00:00Z"}], ""),
        ([{}], "no "),
        ([{"upload-time": "2026-01-01T00:00:00Z"}, {}], "of 1 of 2 files "),
    ],
)
def test_whether_there_are_upload_times_is_said(
    files: list[dict[str, str]], said: str, aws: Aws, capsys: pytest.CaptureFixture[str]
) -> None:
    name = "acme_core-1.0-py3-none-any.whl"
    aws.answers[PACKAGE] = 200, json.dumps({"files": [{"url": f"../../files/{name}", **each} for each in files]})

    assert (
        f"  package      ok  {name}; the index gives {said}upload times\n" in check(capsys, "--package", "acme-core")[1]
    )
    (accept,) = {headers["accept"] for asked, headers in aws.asked if asked == PACKAGE}
    assert accept == "application/vnd.pypi.simple.v1+json, text/html;q=0.1"


def test_metadata_beside_the_wheel_is_read_alone(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.answers[PACKAGE] = 200, page("acme_core-1.0-py3-none-any.whl#sha256=0", **{"core-metadata": {"sha256": "0"}})
    aws.answers[f"{FILE}.metadata"] = 200, "Metadata-Version: 2.4\nRequires-Dist: billing\n"
    aws.answers[BILLING] = 200, page("billing-1.0.tar.gz")

    assert "\n  needs        ok  billing 1.0\n" in check(capsys, "--package", "acme-core")[1]
    assert [asked for asked, _ in aws.asked].count(FILE) == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"content", "not known: File is not a zip file"),
        (wheel(metadata="x" * 1_000_001), "not known: its metadata has more than 1,000,000 bytes"),
        (wheel("not a requirement!"), "not known: "),
    ],
)
def test_metadata_that_cannot_be_read_is_not_known(
    content: bytes, said: str, aws: Aws, capsys: pytest.CaptureFixture[str]
) -> None:
    aws.answers[FILE] = 200, content
    status, printed = check(capsys, "--package", "acme-core")

    assert status == 0
    assert f"\n  needs        ok  {said}" in printed


def test_a_wheel_that_is_too_long_is_not_read(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("private_pypi.cli.check.MAX_WHEEL_BYTES", 100)

    said = check(capsys, "--package", "acme-core")[1]
    assert "\n  needs        ok  not known: the wheel has 100 bytes or more\n" in said


def test_an_answer_that_breaks_off_is_no_want_of_rights(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    read, most = urllib3.HTTPResponse.read, 10_000

    def broken(response: urllib3.HTTPResponse, amt: int | None = None, **more: Any) -> bytes:
        if amt == most:
            raise urllib3.exceptions.ProtocolError("the connection broke off")
        return read(response, amt, **more)

    monkeypatch.setattr(urllib3.HTTPResponse, "read", broken)
    monkeypatch.setattr("private_pypi.cli.check.MAX_WHEEL_BYTES", most)

    assert why(capsys, "--package", "acme-core")[0] == "needs        NO  ConnectionError"


def test_metadata_that_is_refused_says_why(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.answers[PACKAGE] = 200, page("acme_core-1.0-py3-none-any.whl", **{"core-metadata": True})
    aws.answers[f"{FILE}.metadata"] = 404, "No"

    assert why(capsys, "--package", "acme-core")[0] == "needs        NO  HTTP 404"


def test_of_an_sdist_nothing_more_is_read(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.answers[PACKAGE] = 200, page("acme_core-1.0.tar.gz")
    aws.answers[FILE.replace("-py3-none-any.whl", ".tar.gz")] = 200, "content"
    status, printed = check(capsys, "--package", "acme-core")

    assert status == 0
    assert "  needs " not in printed


def test_what_is_not_published_yet_can_be_tried(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.answers[PACKAGE] = 404, ""
    status, printed = check(capsys, "--package", "acme-core", "--publish")

    assert status == 0
    assert "  package      ok  acme-core is not published yet\n" in printed


@pytest.mark.parametrize(
    ("publishers", "package"),
    [([READER], "private-pypi-check"), ([(READER, "acme-core")], "acme-core"), ([(READER, "acme-*")], "acme-check")],
)
def test_without_a_name_what_the_config_lets_one_publish_is_tried(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    publishers: Any,
    package: str,
) -> None:
    monkeypatch.setattr("private_pypi.cli.check.read_expected", lambda *_, **__: [expecting([], publishers)])
    said = f"  publish      ok  AWS did not deny it and refused only the content of the trial; the config lets you publish {package}\n"

    assert said in check(capsys, "--publish")[1]


def test_a_role_that_may_look_is_known_by_its_path(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    arn = f"{ROLES}/team/reader"
    role = f"<Path>/team/</Path><RoleName>reader</RoleName><RoleId>AROA</RoleId><Arn>{arn}</Arn>"
    aws.answers[ROLE] = 200, f"<GetRoleResponse><GetRoleResult><Role>{role}</Role></GetRoleResult></GetRoleResponse>"
    action = "codeartifact:GetAuthorizationToken"
    aws.answers[TOKEN] = denied(action, DOMAIN, no_identity_policy(action))
    _, said = why(capsys)

    assert said.splitlines()[2] == (
        f"fix       write {arn} in the place of {READER} in Pulumi.test.yaml (the path counts), then `pulumi up --stack test`"
    )


def test_a_user_needs_no_look(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.answers[IDENTITY] = identity(f"arn:aws:iam::{ACCOUNT}:user/ada")
    aws.answers[TOKEN] = BEARER_TOKEN
    check(capsys)

    assert ROLE not in [asked for asked, _ in aws.asked]


def test_a_policy_that_does_not_exist_lacks_everything(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.answers[DOMAIN_POLICY] = refused("ResourceNotFoundException", status=404)

    assert (
        whole(f"""
        What is deployed
          the domain's policy is not as the config says
            lacks  {READER}: GetAuthorizationToken
          the repository's policy is as the config says
        """)
        in check(capsys)[1]
    )


def test_nothing_is_said_of_the_policies_of_what_is_not_there(aws: Aws, capsys: pytest.CaptureFixture[str]) -> None:
    aws.answers[TOKEN] = refused("ResourceNotFoundException", status=404)

    assert "What is deployed" not in check(capsys)[1]
    assert not {DOMAIN_POLICY, POLICY} & {asked for asked, _ in aws.asked}


@pytest.mark.parametrize(
    ("environment", "answer", "code", "cause"),
    [
        ({}, (403, error("ExpiredToken")), "ExpiredToken", "your credentials have expired"),
        ({}, (200, "<html>"), "ResponseParserError", "AWS does not accept your credentials"),
        ({}, (403, "<html></html>"), "ClientError", "AWS does not accept your credentials"),
        (
            {"AWS_ACCESS_KEY_ID": "", "AWS_SECRET_ACCESS_KEY": ""},
            None,
            "NoCredentialsError",
            "there are no credentials",
        ),
        ({"AWS_PROFILE": "nowhere"}, None, "ProfileNotFound", "AWS does not accept your credentials"),
    ],
)
def test_whom_aws_does_not_know_gets_no_further(
    environment: dict[str, str],
    answer: Answer | None,
    code: str,
    cause: str,
    aws: Aws,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, value in environment.items():
        if value:
            monkeypatch.setenv(name, value)
        else:
            monkeypatch.delenv(name)
    if answer:
        aws.answers[IDENTITY] = answer
    status, printed = check(capsys)

    assert status == 1
    assert f"\n  who you are  NO  {code}\n\nWhy\n" in printed
    assert cause in printed
    assert "You in the config" not in printed


@pytest.mark.parametrize(
    ("allowed", "account"),
    [
        ([ACCOUNT], ACCOUNT),
        ([OTHER, ACCOUNT], ACCOUNT),
        ([OTHER, "777788889999"], OTHER),
        (None, ACCOUNT),
    ],
    ids=["one", "several", "not the caller's", "none"],
)
def test_the_account_is_the_one_that_is_allowed_or_the_callers(
    allowed: list[str] | None,
    account: str,
    aws: Aws,
    project: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure(project, aws__allowedAccountIds=allowed)
    check(capsys)

    assert f"/v1/authorization-token?domain=acme&domain-owner={account}&duration=900" in aws.paths


def test_the_profile_of_the_config_is_not_used(aws: Aws, project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It may name a command, which whoever writes the config would have run here."""
    configure(project, aws__allowedAccountIds=None, aws__profile="deploy")
    command = f"touch {project / 'ran'}"
    (project / "config").write_text(f"[profile deploy]\ncredential_process = {command}\n")
    status, printed = check(capsys)

    assert status == 0
    assert not (project / "ran").exists()
    assert f"/v1/authorization-token?domain=acme&domain-owner={ACCOUNT}&duration=900" in aws.paths
    assert "\n  Pulumi uses aws:profile deploy; this uses the credentials of the environment\n" in printed


def test_every_private_pypi_of_a_program_is_checked(
    aws: Aws, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    several = [expecting([READER], name=name) for name in ("nightly", "releases")]
    monkeypatch.setattr("private_pypi.cli.check.read_expected", lambda *_, **__: several)
    status, printed = check(capsys)

    assert status == 0
    assert printed.count("  token        ok  ") == 2
    for name in ("nightly", "releases"):
        assert f"\n\n{name}: Steps\n" in printed
        assert f"\n\n{name}: What is deployed\n" in printed

    aws.answers[TOKEN] = BEARER_TOKEN
    assert check(capsys)[0] == 1


def test_a_region_is_needed(project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    configure(project, aws__region=None)
    assert check(capsys)[0] == 0  # that of the environment

    monkeypatch.delenv("AWS_DEFAULT_REGION")
    assert main(["check", "test"]) == 1
    assert capsys.readouterr().err == "error: there is no region: set aws:region, or AWS_REGION\n"


def test_what_is_not_known_of_the_config_is_said(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with (project / "Pulumi.test.yaml").open("a") as file:
        file.write("environment: [prod]\n")
    _, printed = check(capsys)

    assert "\nWhat the stack's Pulumi ESC environments configure is not known here.\n" in printed


def test_a_name_is_normalized_and_has_to_be_one(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["check", "--package", "acme core"])

    assert capsys.readouterr().err.splitlines()[-1] == (
        "private-pypi check: error: argument --package: name is invalid: 'acme core'"
    )


def test_what_is_expected_is_what_the_program_makes(project: Path) -> None:
    configure(project, **{"private-pypi__existingDomain": True, "private-pypi__domainOwner": OTHER})
    (said,) = read_expected(project, read_stack(project, "test"), record, account=ACCOUNT, region="us-west-2")
    expected = expecting([READER], owner=OTHER)

    assert (said.arns, said.existing_domain) == (expected.arns, True)
    assert [each for each in said.access if each.install] == expected.access
    assert {*expected.domain.rules} < {*said.domain.rules}  # the owner lets the repository be made, too
    assert said.repository == expected.repository


def test_a_config_with_mistakes_is_refused_as_pulumi_refuses_it(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    configure(project, **{"private-pypi__readers": ["ci"]})
    monkeypatch.setattr("private_pypi.cli.check.read_expected", read_expected)
    assert main(["check", "test"]) == 1
    refused = capsys.readouterr().err

    assert main(["preview", "test"]) == 1
    assert refused == capsys.readouterr().err
    assert refused.startswith("error: 1 error in the config; nothing was changed.\nprivate-pypi:readers[0]: got 'ci'")


def test_a_stack_that_is_not_there_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "other"]) == 1
    assert capsys.readouterr().err == "error: there is no Pulumi.other.yaml; the stacks here are: test\n"


def test_all_pages_of_a_list_are_read(aws: Aws) -> None:
    listing = "POST /v1/domain/repositories"
    aws.answers[listing] = (200, json.dumps({"repositories": [{"name": "one"}]}))
    asked = Asked("us-west-2")

    assert [each["name"] for each in asked.list(*LISTED, domain="acme")] == ["one"]
    aws.answers[listing] = refused("AccessDeniedException")
    with pytest.raises(RefusedError, match="AccessDeniedException"):
        asked.list(*LISTED, domain="acme")


LISTED = "codeartifact", "list_repositories_in_domain", "repositories"
