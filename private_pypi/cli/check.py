"""The way of a client, step by step, with the credentials of the environment: where AWS refuses, and why.

Nothing is published and nothing changes. The token stays in memory, and goes to the repository alone, in a header.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from http import HTTPStatus
from pathlib import Path
from typing import Literal
from urllib.parse import urljoin, urlsplit

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from private_pypi.arns import Arns
from private_pypi.cli.aws import Aws
from private_pypi.cli.context import ALLOWED_ACCOUNTS, PROFILE, Caller, Situation, describe_caller
from private_pypi.cli.deployed import Deployed, Expected, compare, read_expected
from private_pypi.cli.diagnosis import NO_VERSION, RefusedError, Step, explain, explain_credentials
from private_pypi.cli.errors import StackFileError
from private_pypi.cli.process import Record
from private_pypi.cli.simple_index import metadata_of, newest, read_page, requirements, versions
from private_pypi.cli.stack_files import Stack, read_stack
from private_pypi.cli.words import plain
from private_pypi.iam import PUBLISH, Policy, read_policy

UNUSED_PACKAGE = "private-pypi-check"
"""The name that is asked for where none is given: one that nobody publishes."""

TOKEN_SECONDS = 900
"""The shortest time that a token can be good for (API reference, GetAuthorizationToken)."""

MAX_WHEEL_BYTES = 50_000_000
"""Of a wheel that is downloaded for its metadata."""

_REFUSED_CONTENT = {"ConflictException", "InvalidSignatureException", "SignatureDoesNotMatch", "ValidationException"}


def check(
    folder: Path,
    stack_name: str,
    record: Record,
    *,
    package: str | None,
    publishes: bool,
    say: Callable[[str], None],
    heading: Callable[[str], str] = str,
) -> bool:
    """Go the way of a client of each private PyPI of the stack `stack_name`; `True` if every step passes.

    Args:
        folder: the project's folder.
        stack_name: the stack's name.
        record: runs the project's program.
        package: a normalized name, to fetch a file of; or nothing.
        publishes: whether to try publishing too, without publishing.
        say: prints what there is to say, as soon as it is known.
        heading: styles the titles.

    Raises:
        StackFileError: the stack's files have mistakes.
        MistakesError: the program refuses its config, or fails, or is none of a private PyPI.
    """

    def step(name: Step, mark: Literal["ok", "NO"], said: str) -> None:
        say(f"  {name.ljust(len('who you are'))}  {mark}  {plain(said)}")

    def tell(title: str, lines: Iterable[str]) -> None:
        say("\n".join(["", heading(title), *(f"  {plain(line)}" for line in lines)]))

    stack = read_stack(folder, stack_name)
    say(f"Stack {stack.name}, with the credentials of the environment. Nothing is published and nothing changes.")
    if stack.has_environments:
        say("What the stack's Pulumi ESC environments configure is not known here.")
    say(f"\n{heading('Steps')}")
    try:
        aws = Aws(stack.region)
        if not aws.region:
            raise StackFileError("there is no region: set aws:region, or AWS_REGION")
        caller = Caller.of(aws.call("sts", "get_caller_identity", "Arn"))
    except RefusedError as refused:
        step("who you are", "NO", refused.code)
        tell("Why", explain_credentials(refused, stack.config.get(PROFILE)))
        return False
    step("who you are", "ok", caller.arn)

    passed = True
    situations = _situations(folder, stack, record, aws, caller)
    for at in situations:
        prefix = f"{plain(at.expected.name)}: " if len(situations) > 1 else ""
        if prefix:
            say(f"\n{heading(f'{prefix}Steps')}")
        stopped = _go(_Client(aws, at, package, publishes=publishes), step)
        for title, lines in _sections(aws, at, stopped):
            tell(f"{prefix}{title}", lines)
        passed = passed and not stopped
    if passed:
        unseen = [
            *([] if package else ["a package (--package NAME)"]),
            *([] if publishes else ["publishing (--publish)"]),
            "the URL and the token that a client has been given",
        ]
        say(f"\nEvery step passes. Not looked at: {'; '.join(unseen)}.")
    return passed


def _go(
    client: "_Client", step: Callable[[Step, Literal["ok", "NO"], str], None]
) -> tuple[Step, RefusedError, str] | None:
    """Go the way of a client; the step at which AWS refuses, with what it says and the package that it is about."""
    for name, about, go in client.steps():
        try:
            step(name, "ok", go())
        except RefusedError as refused:
            step(name, "NO", refused.code)
            return name, refused, about
    return None


def _sections(
    aws: Aws, at: Situation, stopped: tuple[Step, RefusedError, str] | None
) -> Iterator[tuple[str, Iterable[str]]]:
    """What there is to say below the steps, of which the last was `stopped`."""
    is_there = not stopped or stopped[1].code != "ResourceNotFoundException"
    deployed = _deployed(aws, at.expected.arns) if is_there else Deployed(domain=None, repository=None)
    if stopped:
        at = replace(at, caller=_with_path(aws, at.caller))
        yield "Why", explain(*stopped, at, deployed)
    yield "You in the config", describe_caller(at, passed=not stopped)
    if is_there:
        yield "What is deployed", compare(at.expected, deployed)


class _Client:
    """A client on its way. What a step finds out is there for those after it."""

    def __init__(self, aws: Aws, at: Situation, package: str | None, *, publishes: bool) -> None:
        arns, publishable = at.expected.arns, next(iter(at.publishable), "*")
        self._aws, self._at, self._package, self._publishes = aws, at, package, publishes
        self._trial = package or (UNUSED_PACKAGE if publishable == "*" else publishable.replace("*", "check"))
        self._domain = {"domain": arns.domain_name, "domainOwner": arns.owner}
        self._repository = self._domain | {"repository": arns.repository_name}
        self._token = self._endpoint = self._page = self._metadata_url = ""
        self._is_there = False
        self._needed: list[Requirement] = []

    def steps(self) -> Iterator[tuple[Step, str, Callable[[], str]]]:
        """The steps, each with the package that it is about. A step says what it found, or raises `RefusedError`."""
        yield "token", "", self._fetch_token
        yield "endpoint", "", self._ask_for_endpoint
        yield "index", "", self._read_index
        if self._package:
            yield "package", self._package, self._fetch_file
            if self._metadata_url:
                yield "needs", self._package, self._read_metadata
            for each in self._needed:
                yield "needs", canonicalize_name(each.name), partial(self._look_up, each)
        if self._publishes:
            yield "publish", self._trial, self._try_to_publish

    def _fetch_token(self) -> str:
        arguments = self._domain | {"durationSeconds": TOKEN_SECONDS}
        self._token = self._aws.call("codeartifact", "get_authorization_token", "authorizationToken", **arguments)
        return "sts:GetServiceBearerToken and codeartifact:GetAuthorizationToken"

    def _ask_for_endpoint(self) -> str:
        try:
            arguments = self._repository | {"format": "pypi"}
            endpoint = self._aws.call("codeartifact", "get_repository_endpoint", "repositoryEndpoint", **arguments)
        except RefusedError as refused:
            # Of all clients `aws codeartifact login` alone asks, and no permissions policy here lets it.
            if not refused.is_denial:
                raise
            self._endpoint = _usual_endpoint(self._at.expected.arns)
            login = "you may not ask for it, so `aws codeartifact login` does not work"
            return f"{self._endpoint}, the usual one: {login}"
        self._endpoint = f"{endpoint.removesuffix('/')}/"
        return self._endpoint

    def _read_index(self) -> str:
        status, self._page = self._aws.get(self._index_url, self._token)
        # The token is new, so 404 is about the name. There is no page of all names to ask for instead:
        # https://docs.aws.amazon.com/codeartifact/latest/ug/python-compatibility.html
        if status not in {HTTPStatus.OK, HTTPStatus.NOT_FOUND}:
            raise RefusedError(f"HTTP {status}", self._page)
        self._is_there = status == HTTPStatus.OK
        return "you may read"

    def _fetch_file(self) -> str:
        """Fetch the head of the file that a client would take."""
        if not self._is_there and self._publishes:
            return f"{self._package} is not published yet"
        if not self._is_there:
            raise RefusedError("HTTP 404", self._page)
        files = read_page(self._page)
        if not files:
            raise RefusedError("HTTP 200", "a page without files")
        file = newest(files)
        url = urljoin(self._index_url, file.url)
        if urlsplit(url)[:2] != urlsplit(self._index_url)[:2]:
            return f"{url} is elsewhere, where the token does not go"
        status, _ = self._aws.get(url, self._token, head_only=True)
        if status >= HTTPStatus.BAD_REQUEST:
            raise RefusedError(f"HTTP {status}", self._aws.get(url, self._token)[1])
        if file.has_metadata or file.is_wheel:
            url = urlsplit(url)._replace(fragment="").geturl()
            self._metadata_url = f"{url}.metadata" if file.has_metadata else url
        dated = sum(each.has_upload_time for each in files)
        share = "" if dated == len(files) else f"of {dated} of {len(files)} files " if dated else "no "
        return f"{file.name}; the index gives {share}upload times"

    def _read_metadata(self) -> str:
        """Read what the package needs."""
        status, content = self._aws.download(self._metadata_url, self._token, max_bytes=MAX_WHEEL_BYTES)
        if status >= HTTPStatus.BAD_REQUEST:
            raise RefusedError(f"HTTP {status}", "")
        is_whole = self._metadata_url.endswith(".whl")
        if is_whole and len(content) == MAX_WHEEL_BYTES:
            return f"not known: the wheel has {MAX_WHEEL_BYTES:,} bytes or more"
        try:
            self._needed = [*requirements(metadata_of(content) if is_whole else content.decode(errors="replace"))]
        except ValueError as error:
            return f"not known: {error}"
        return ", ".join(map(str, self._needed)) or "nothing else"

    def _look_up(self, needed: Requirement) -> str:
        """Look for a version of what is needed. With public PyPI switched off it may be meant to come from there."""
        name = canonicalize_name(needed.name)
        status, page = self._aws.get(f"{self._endpoint}simple/{name}/", self._token)
        expected = self._at.expected
        if status == HTTPStatus.NOT_FOUND and not (expected.public_upstream or self._at.kept_out_by(name)):
            return f"{name} is not here. publicUpstream is off: a client with this index alone does not find it"
        if status != HTTPStatus.OK:
            raise RefusedError(f"HTTP {status}", page)
        found = versions(read_page(page))
        matching = [*needed.specifier.filter(found)]
        if found and not matching:
            raise RefusedError(
                NO_VERSION, f"{needed.specifier} is needed, and there is {', '.join(map(str, found[-5:]))}"
            )
        return f"{name} {matching[-1]}" if matching else name

    def _try_to_publish(self) -> str:
        """Ask to publish what AWS cannot publish, for two reasons.

        The API publishes the format `generic` alone, and nothing has a hash of zeros (API reference,
        PublishPackageVersion). It is not documented that rights are looked at before these.
        """
        try:
            self._aws.call(
                "codeartifact",
                "publish_package_version",
                "status",
                **self._repository,
                format="pypi",
                package=self._trial,
                packageVersion="0.dev0",
                assetName="check",
                assetContent=b"",
                assetSHA256="0" * 64,
                unfinished=True,
            )
        except RefusedError as refused:
            if refused.code not in _REFUSED_CONTENT:
                raise
            lets = "lets" if self._at.let_by(PUBLISH[0], self._trial) else "does not let"
            said = "AWS did not deny it and refused only the content of the trial"
            return f"{said}; the config {lets} you publish {self._trial}"
        raise RefusedError("HTTP 200", f"AWS took what it has to refuse: delete version 0.dev0 of {self._trial}")

    @property
    def _index_url(self) -> str:
        return f"{self._endpoint}simple/{self._package or UNUSED_PACKAGE}/"


def _usual_endpoint(arns: Arns) -> str:
    """The endpoint in the form that the CodeArtifact user guide shows: to ask for it takes a right of its own."""
    host = f"{arns.domain_name}-{arns.owner}.d.codeartifact.{arns.region}.amazonaws.com"
    return f"https://{host}/pypi/{arns.repository_name}/"


def _situations(folder: Path, stack: Stack, record: Record, aws: Aws, caller: Caller) -> list[Situation]:
    """What the config says, of the account that it allows, else of the caller's; by private PyPI."""
    account, source = caller.account, ""
    if stack.account:  # of several it may be the caller's
        account = caller.account if caller.account in stack.config[ALLOWED_ACCOUNTS] else stack.account
        source = ALLOWED_ACCOUNTS
    expected: list[Expected] = read_expected(folder, stack, record, account=account, region=str(aws.region))
    return [
        Situation(
            stack=stack.name,
            account=account,
            account_source=source,
            profile=stack.config.get(PROFILE) or None,
            caller=caller,
            expected=each,
            has_region=bool(stack.region),
        )
        for each in expected
    ]


def _with_path(aws: Aws, caller: Caller) -> Caller:
    """The caller with the path of its role, if it may know that."""
    if caller.has_path:
        return caller
    try:
        return Caller.of(caller.arn, aws.call("iam", "get_role", "Role", RoleName=caller.short_name)["Arn"])
    except RefusedError:
        return caller


def _deployed(aws: Aws, arns: Arns) -> Deployed:
    domain = {"domain": arns.domain_name, "domainOwner": arns.owner}
    repository = domain | {"repository": arns.repository_name}
    return Deployed(
        domain=_policy(aws, arns, "get_domain_permissions_policy", **domain),
        repository=_policy(aws, arns, "get_repository_permissions_policy", **repository),
    )


def _policy(aws: Aws, arns: Arns, operation: str, **arguments: object) -> Policy | None:
    """A policy, empty if there is none; `None` if the caller may not know."""
    try:
        return read_policy(aws.call("codeartifact", operation, "policy", **arguments)["document"], arns)
    except RefusedError as refused:
        return Policy() if refused.code == "ResourceNotFoundException" else None
