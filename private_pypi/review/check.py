"""The way of a client, step by step, with the credentials of the environment: where AWS refuses, and why.

Nothing is published and nothing changes. The token stays in memory, and goes to the repository alone, in a header.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Literal
from urllib.parse import urljoin, urlsplit

from private_pypi.access import Statement, read_statements
from private_pypi.keys import NAMESPACE
from private_pypi.names import Arns
from private_pypi.policies import PUBLISH
from private_pypi.review.aws import Aws
from private_pypi.review.deployed import Deployed, compare
from private_pypi.review.diagnosis import (
    Caller,
    RefusedError,
    Situation,
    Step,
    describe_caller,
    explain,
    explain_credentials,
)
from private_pypi.review.meant import read_meant
from private_pypi.review.stacks import Stack, StackFileError, read_stack

UNUSED_PACKAGE = "private-pypi-check"
"""The name that is asked for where none is given: one that nobody publishes."""

_REFUSED_CONTENT = {"ConflictException", "InvalidSignatureException", "SignatureDoesNotMatch", "ValidationException"}

TOKEN_SECONDS = 900
"""The shortest time that a token can be good for (API reference, GetAuthorizationToken)."""


class _Client:
    """A client on its way; what a step finds out is there for those after it."""

    def __init__(self, aws: Aws, at: Situation, package: str | None, *, publishes: bool) -> None:
        self._aws, self._at, self._package, self._publishes = aws, at, package, publishes
        arns = at.meant.arns
        self._domain = {"domain": arns.domain_name, "domainOwner": arns.owner}
        self._repository = self._domain | {"repository": arns.repository_name}
        self._token = self._endpoint = self._page = ""
        self._is_there = False

    @property
    def steps(self) -> Iterator[tuple[Step, str, Callable[[], str]]]:
        """The steps, each with the package that it is about."""
        yield "token", "", self._fetch_token
        yield "endpoint", "", self._ask_for_endpoint
        yield "index", self._package or UNUSED_PACKAGE, self._read_index
        if self._package:
            yield "package", self._package, self._fetch_file
        if self._publishes:
            yield "publish", self._trial, self._try_to_publish

    @property
    def _trial(self) -> str:
        """What to try publishing: the package that was named, or one that the config lets the caller publish."""
        first = next(iter(self._at.publishable), "*")
        return self._package or (UNUSED_PACKAGE if first == "*" else first.replace("*", "check"))

    def _fetch_token(self) -> str:
        answer = self._aws.call(
            "codeartifact", "get_authorization_token", **self._domain, durationSeconds=TOKEN_SECONDS
        )
        self._token = answer["authorizationToken"]
        return "sts:GetServiceBearerToken and codeartifact:GetAuthorizationToken"

    def _ask_for_endpoint(self) -> str:
        try:
            answer = self._aws.call("codeartifact", "get_repository_endpoint", **self._repository, format="pypi")
        except RefusedError as refused:
            # Of all clients `aws codeartifact login` alone asks for it, and no permissions policy here grants it.
            if not refused.is_denial:
                raise
            self._endpoint = _usual_endpoint(self._at.meant.arns)
            return f"{self._endpoint} as usual; you may not ask for it, as `aws codeartifact login` does"
        self._endpoint = f"{answer['repositoryEndpoint'].removesuffix('/')}/"
        return self._endpoint

    def _read_index(self) -> str:
        status, self._page = self._aws.get(self._index_url(self._package or UNUSED_PACKAGE), self._token)
        # The token is new, so 404 is about the name. There is no page of all names to ask for (CodeArtifact user
        # guide, Python compatibility).
        if status not in {200, 404}:
            raise RefusedError(f"HTTP {status}", self._page)
        self._is_there = status == 200
        return "you may read"

    def _fetch_file(self) -> str:
        """The first file of the package. Its head is enough."""
        if not self._is_there:
            if self._publishes:
                return f"{self._package} is not there yet"
            raise RefusedError("HTTP 404", self._page)
        index_url = self._index_url(self._package)
        links = _links(self._page)
        if not links:
            raise RefusedError("HTTP 200", "a page without files")
        url = urljoin(index_url, links[0])
        if urlsplit(url)[:2] != urlsplit(index_url)[:2]:  # nowhere for the token to go
            return f"{url}, which is elsewhere"
        status, _ = self._aws.get(url, self._token, head_only=True)
        if status >= 400:
            raise RefusedError(f"HTTP {status}", self._aws.get(url, self._token)[1])
        return urlsplit(url).path.rpartition("/")[2]

    def _try_to_publish(self) -> str:
        """Ask to publish what AWS cannot publish, for two reasons.

        The API publishes the format `generic` alone, and nothing has a hash of zeros (API reference,
        PublishPackageVersion). It is not documented that AWS looks at rights before it looks at these.
        """
        try:
            self._aws.call(
                "codeartifact",
                "publish_package_version",
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
            says = "lets" if self._at.is_listed(PUBLISH[0], self._trial) else "does not let"
            return (
                f"not denied: AWS refused the trial for its content alone; the config {says} you publish {self._trial}"
            )
        raise RefusedError("HTTP 200", f"AWS took what it must refuse: delete version 0.dev0 of {self._trial}")

    def _index_url(self, name: str | None) -> str:
        return f"{self._endpoint}simple/{name}/"


def _usual_endpoint(arns: Arns) -> str:
    """The form that the CodeArtifact user guide shows. What asks for the endpoint takes a right that clients need not."""
    host = f"{arns.domain_name}-{arns.owner}.d.codeartifact.{arns.region}.amazonaws.com"
    return f"https://{host}/pypi/{arns.repository_name}/"


def _links(page: str) -> list[str]:
    """What a page of the simple index (PEP 503) leads to."""
    parser = _LinkParser()
    parser.feed(page)
    return parser.links


class _LinkParser(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self.links += [value for name, value in attrs if name == "href" and value]


def check(
    folder: Path,
    stack_name: str,
    *,
    package: str | None,
    publishes: bool,
    say: Callable[[str], None],
    heading: Callable[[str], str] = str,
) -> bool:
    """Go the way of a client of the stack `stack_name`, of the project in `folder`; `True` if every step passes.

    Args:
        folder: the project's folder.
        stack_name: the stack's name.
        package: a normalized name, to fetch a file of; or nothing.
        publishes: whether to try publishing too, without publishing.
        say: prints what there is to say, as soon as it is known.
        heading: styles the titles.

    Raises:
        StackFileError: the stack's files or its config have mistakes.
    """

    def tell(title: str, lines: Iterable[str]) -> None:
        say("\n".join(["", heading(title), *(f"  {line}" for line in lines)]))

    def step(name: Step, mark: Literal["ok", "NO"], said: str) -> None:
        say(f"  {name.ljust(11)}  {mark}  {said}")

    stack = _read_stack(folder, stack_name)
    say(f"Stack {stack.name}, with the credentials of the environment. Nothing is published and nothing changes.")
    say(f"\n{heading('Steps')}")
    try:
        aws = Aws(stack.region)
        caller = Caller.of(aws.call("sts", "get_caller_identity")["Arn"])
    except RefusedError as refused:
        step("who you are", "NO", refused.code)
        tell("Why", explain_credentials(refused, stack.config.get("aws:profile")))
        return False
    step("who you are", "ok", caller.arn)

    at = _situation(folder, stack, aws, caller)
    stopped: tuple[Step, RefusedError, str] | None = None
    for name, about, go in _Client(aws, at, package, publishes=publishes).steps:
        try:
            step(name, "ok", go())
        except RefusedError as refused:
            step(name, "NO", refused.code)
            stopped = name, refused, about
            break
    deployed = _deployed(aws, at.meant.arns)
    if stopped:
        at = replace(at, caller=_with_path(aws, caller))
        tell("Why", explain(*stopped, at, deployed))
    tell("You in the config", describe_caller(at))
    tell("What is deployed", compare(at.meant, deployed, existing_domain=at.existing_domain))
    if not stopped:
        say(
            "\nEvery step passes. A client that is refused all the same has an older token, which ended, or another URL."
        )
    return not stopped


def _read_stack(folder: Path, name: str) -> Stack:
    stack = read_stack(folder, name)
    for key in (
        "aws:profile",
        "aws:region",
        *(f"{NAMESPACE}:{key}" for key in ("domain", "domainOwner", "repository")),
    ):
        if stack.config.get(key) in stack.stand_ins:
            raise StackFileError(
                f"Pulumi.{stack.name}.yaml: {key} is encrypted, and nothing is decrypted: set it in plain"
            )
    return stack


def _situation(folder: Path, stack: Stack, aws: Aws, caller: Caller) -> Situation:
    """What the config says, of the account that it is for: one that it allows, that of its profile, or the caller's."""
    if not aws.region:
        raise StackFileError("there is no region: set aws:region, or AWS_REGION")
    profile = stack.config.get("aws:profile") or None
    profile_account = _account_of(profile) if profile else None
    account = profile_account or caller.account
    if stack.account:
        # It may allow several, of which the caller's is the likeliest.
        account = caller.account if caller.account in stack.config["aws:allowedAccountIds"] else stack.account
    return Situation(
        stack=stack.name,
        account=account,
        profile=profile,
        profile_account=profile_account,
        caller=caller,
        meant=read_meant(folder, stack, account=account, region=aws.region),
        existing_domain=stack.config.get(f"{NAMESPACE}:existingDomain") == "true",
        attaches_identity_policies=stack.config.get(f"{NAMESPACE}:attachIdentityPolicies") == "true",
    )


def _account_of(profile: str) -> str | None:
    """The account of a profile, if it is there and works."""
    try:
        return Aws(None, profile).call("sts", "get_caller_identity")["Account"]
    except RefusedError:
        return None


def _with_path(aws: Aws, caller: Caller) -> Caller:
    """The caller with the path of its role, if it may know that."""
    if caller.has_path:
        return caller
    try:
        role = aws.call("iam", "get_role", RoleName=caller.role_name)["Role"]
    except RefusedError:
        return caller
    return Caller.of(caller.arn, role["Arn"])


def _deployed(aws: Aws, arns: Arns) -> Deployed:
    domain = {"domain": arns.domain_name, "domainOwner": arns.owner}
    return Deployed(
        domain=_statements(aws, "get_domain_permissions_policy", **domain),
        repository=_statements(aws, "get_repository_permissions_policy", **domain, repository=arns.repository_name),
    )


def _statements(aws: Aws, operation: str, **arguments: object) -> Sequence[Statement] | None:
    """The statements of a policy, none where there is no policy; `None` where the caller may not know."""
    try:
        return read_statements(aws.call("codeartifact", operation, **arguments)["policy"]["document"])
    except RefusedError as refused:
        return [] if refused.code == "ResourceNotFoundException" else None
