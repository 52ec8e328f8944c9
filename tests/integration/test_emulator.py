"""The local AWS endpoint itself: what the other tests take for granted of AWS."""

import base64
import hashlib
import json
import runpy
from collections.abc import Callable, Iterator
from datetime import UTC
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import boto3
import pytest
from botocore import xform_name
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from cryptography.hazmat.primitives.asymmetric import rsa
from engine import HERE, Emulator, document, error_code, github_token, gitlab_token, publish

DOMAIN_ARN = "arn:aws:codeartifact:us-west-2:111122223333:domain/acme"
BEARER_TOKEN = {"Effect": "Allow", "Action": "sts:GetServiceBearerToken", "Resource": "*"}
ROLE = "arn:aws:iam::111122223333:role/path/someone"


@pytest.fixture
def root(emulator: Emulator) -> Iterator[Any]:
    """CodeArtifact as the account's root, with a domain."""
    codeartifact = emulator.client("codeartifact")
    codeartifact.create_domain(domain="acme")
    codeartifact.create_repository(domain="acme", repository="internal")
    return codeartifact


def statement(principal: object, **more: object) -> dict[str, object]:
    return {"Effect": "Allow", "Principal": principal, "Action": "codeartifact:*", "Resource": "*"} | more


@pytest.mark.parametrize(
    ("statements", "error"),
    [
        ([], "AccessDeniedException"),
        ([statement({"AWS": ROLE})], ""),
        ([statement({"AWS": "111122223333"})], "AccessDeniedException"),
        ([statement({"AWS": "arn:aws:iam::111122223333:role/someone"})], "AccessDeniedException"),
        ([statement({"AWS": ROLE}), statement("*", Effect="Deny")], "AccessDeniedException"),
        ([statement("*", Condition={"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/path/*"}})], ""),
        (
            [statement("*", Condition={"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/x*"}})],
            "AccessDeniedException",
        ),
        ([statement("*", Condition={"StringEquals": {"aws:PrincipalAccount": "111122223333"}})], ""),
    ],
    ids=["none", "role", "account", "path left out", "deny", "pattern", "other pattern", "condition"],
)
def test_a_domain_policy_decides_who_gets_a_token(
    emulator: Emulator, root: Any, statements: list[object], error: str
) -> None:
    if statements:
        root.put_domain_permissions_policy(domain="acme", policyDocument=document(*statements))
    someone = emulator.client("codeartifact", emulator.assume_role("path/someone", BEARER_TOKEN))

    assert error_code(someone.get_authorization_token, domain="acme") == error


def test_an_account_in_a_policy_leaves_it_to_the_accounts_identity_policies(emulator: Emulator, root: Any) -> None:
    root.put_domain_permissions_policy(domain="acme", policyDocument=document(statement({"AWS": "111122223333"})))
    allowed = {"Effect": "Allow", "Action": "codeartifact:*", "Resource": "*"}
    administrator = emulator.client("codeartifact", emulator.assume_role("admin", allowed, BEARER_TOKEN))

    assert error_code(administrator.get_authorization_token, domain="acme") == ""


@pytest.mark.parametrize(
    ("service", "error"), [("codeartifact.amazonaws.com", ""), ("other.amazonaws.com", "AccessDeniedException")]
)
def test_a_bearer_token_is_for_a_service(emulator: Emulator, root: Any, service: str, error: str) -> None:
    root.put_domain_permissions_policy(domain="acme", policyDocument=document(statement({"AWS": ROLE})))
    bearer_token = BEARER_TOKEN | {"Condition": {"StringEquals": {"sts:AWSServiceName": service}}}
    someone = emulator.client("codeartifact", emulator.assume_role("path/someone", bearer_token))

    assert error_code(someone.get_authorization_token, domain="acme") == error


@pytest.mark.parametrize(
    ("identity", "principal", "error"),
    [
        (statement(None), "arn:aws:iam::444455556666:root", ""),
        (BEARER_TOKEN, "arn:aws:iam::444455556666:root", "AccessDeniedException"),
        (statement(None), "arn:aws:iam::777788889999:root", "AccessDeniedException"),
    ],
    ids=["both sides", "not its own account", "not the domain's account"],
)
def test_another_account_needs_the_consent_of_both(
    emulator: Emulator, root: Any, identity: dict[str, object], principal: str, error: str
) -> None:
    root.put_domain_permissions_policy(domain="acme", policyDocument=document(statement({"AWS": principal})))
    allowed = {key: value for key, value in identity.items() if key != "Principal"}
    keys = emulator.assume_role("visitor", allowed, BEARER_TOKEN, account="444455556666")
    visitor = emulator.client("codeartifact", keys)

    assert error_code(visitor.get_authorization_token, domain="acme", domainOwner="111122223333") == error


def test_a_policy_that_is_too_long_is_refused(root: Any) -> None:
    longest = document(statement({"AWS": ROLE}, Sid="x" * (7168 - len(document(statement({"AWS": ROLE}, Sid=""))))))
    assert len(longest) == 7168

    assert error_code(root.put_domain_permissions_policy, domain="acme", policyDocument=longest) == ""
    too_long = longest.replace("xx", "xxx", 1)
    assert (
        error_code(root.put_domain_permissions_policy, domain="acme", policyDocument=too_long) == "ValidationException"
    )


@pytest.mark.parametrize("kind", ["domain", "repository"])
def test_a_policy_that_somebody_changed_meanwhile_is_not_replaced(root: Any, kind: str) -> None:
    put = getattr(root, f"put_{kind}_permissions_policy")
    where = {"domain": "acme"} | ({"repository": "internal"} if kind == "repository" else {})
    policy = document(statement({"AWS": ROLE}))
    first = put(**where, policyDocument=policy)["policy"]["revision"]
    second = put(**where, policyDocument=policy, policyRevision=first)["policy"]["revision"]

    assert error_code(put, **where, policyDocument=policy, policyRevision=first) == "ConflictException"
    assert error_code(put, **where, policyDocument=policy, policyRevision=second) == ""


def test_a_domain_with_a_repository_is_not_deleted(root: Any) -> None:
    assert error_code(root.delete_domain, domain="acme") == "ConflictException"
    root.delete_repository(domain="acme", repository="internal")
    assert error_code(root.delete_domain, domain="acme") == ""


@pytest.mark.parametrize(("credentials", "status"), [("", 401), ("Basic YXdzOndyb25n", 404)], ids=["none", "wrong"])
def test_the_index_answers_like_codeartifact_to_who_has_no_token(
    emulator: Emulator, credentials: str, status: int
) -> None:
    request = Request(f"{emulator.endpoint}/pypi/internal/simple/acme/", headers={"Authorization": credentials})

    with pytest.raises(HTTPError) as error:
        urlopen(request)
    assert error.value.code == status


@pytest.fixture
def read_index(emulator: Emulator, root: Any) -> Callable[..., tuple[str, str]]:
    """The content type and the body of a project's page, by what a client accepts. It has one version of two files."""
    for file in ("acme_core-1.0-py3-none-any.whl", "acme_core-1.0.tar.gz"):
        publish(root, "acme-core", "internal", asset=file)
    token = root.get_authorization_token(domain="acme")["authorizationToken"]
    credentials = base64.b64encode(f"aws:{token}".encode()).decode()

    def read(accept: str | None) -> tuple[str, str]:
        headers = {"Authorization": f"Basic {credentials}"} | ({"Accept": accept} if accept else {})
        with urlopen(Request(f"{emulator.endpoint}/pypi/internal/simple/Acme.Core/", headers=headers)) as answer:
            return answer.headers["Content-Type"], answer.read().decode()

    return read


JSON, HTML = "application/vnd.pypi.simple.v1+json", "application/vnd.pypi.simple.v1+html"


@pytest.mark.parametrize(
    ("accept", "content_type"),
    [
        (None, "text/html"),
        ("*/*", "text/html"),
        ("text/html", "text/html"),
        (HTML, HTML),
        (JSON, JSON),
        ("application/vnd.pypi.simple.latest+json", JSON),
        (f"{JSON}, {HTML}; q=0.1, text/html; q=0.01", JSON),  # pip
        (f"{JSON}, {HTML};q=0.2, text/html;q=0.01", JSON),  # uv
        (f"text/html;q=0.5, {JSON};q=0.1", "text/html"),
        (f"{JSON};q=0, text/*", "text/html"),
    ],
)
def test_the_index_answers_as_a_client_likes_best(read_index: Any, accept: str | None, content_type: str) -> None:
    """PEP 691, "Version + Format Selection"."""
    assert read_index(accept)[0] == content_type


def test_the_index_has_nothing_else(read_index: Any) -> None:
    with pytest.raises(HTTPError) as error:
        read_index("image/png")
    assert error.value.code == 406


SHA256 = hashlib.sha256(b"content").hexdigest()


def test_the_index_in_json_has_versions_sizes_and_upload_times(emulator: Emulator, root: Any, read_index: Any) -> None:
    """PEP 691 and PEP 700."""
    version = root.describe_package_version(**OF_ACME, packageVersion="1.0")["packageVersion"]
    published = version["publishedTime"].astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    files = [
        {
            "filename": name,
            "url": f"1.0/{name}",
            "hashes": {"sha256": SHA256},
            "size": len("content"),
            "upload-time": published,
        }
        for name in ("acme_core-1.0-py3-none-any.whl", "acme_core-1.0.tar.gz")
    ]
    page = {"meta": {"api-version": "1.1"}, "name": "acme-core", "versions": ["1.0"], "files": files}

    assert json.loads(read_index(JSON)[1]) == page
    emulator.set(upload_times=False)
    for file in files:
        del file["upload-time"]
    assert json.loads(read_index(JSON)[1]) == page


def test_the_index_in_html_has_links(read_index: Any) -> None:
    """PEP 503."""
    links = "".join(
        f'<a href="1.0/{name}#sha256={SHA256}">{name}</a>\n'
        for name in ("acme_core-1.0-py3-none-any.whl", "acme_core-1.0.tar.gz")
    )
    assert read_index("text/html")[1] == f"<!DOCTYPE html>\n{links}"


@pytest.mark.usefixtures("root")
def test_each_call_is_in_the_log(emulator: Emulator) -> None:
    assert emulator.calls() == ["codeartifact POST /v1/domain", "codeartifact POST /v1/repository"]


CREATE = "codeartifact:CreateRepository arn:aws:codeartifact:us-west-2:111122223333:repository/acme/other"
OTHER = {"domain": "acme", "repository": "other"}


def repositories(codeartifact: Any) -> list[str]:
    return [each["name"] for each in codeartifact.list_repositories()["repositories"]]


@pytest.mark.usefixtures("root")
def test_each_call_that_changes_something_is_in_the_log_by_its_action(emulator: Emulator) -> None:
    arn = "arn:aws:codeartifact:us-west-2:111122223333"
    assert emulator.changes() == [
        f"codeartifact:CreateDomain {arn}:domain/acme",
        f"codeartifact:CreateRepository {arn}:repository/acme/internal",
    ]


@pytest.mark.parametrize("executed", [False, True], ids=["not executed", "executed"])
@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("never", "Read timeout on endpoint URL"),
        ("closed", "Connection was closed before we received a valid response"),
        ("throttled", r"\(ThrottlingException\) when calling"),
        ("failed", r"\(InternalServerException\) when calling"),
    ],
)
def test_a_call_is_disturbed_once(emulator: Emulator, root: Any, answer: str, error: str, *, executed: bool) -> None:
    emulator.disturb(CREATE, executed=executed, answer=answer)

    with pytest.raises((BotoCoreError, ClientError), match=error):
        impatient(emulator).create_repository(**OTHER)
    emulator.wait_until_disturbed()
    assert repositories(root) == (["internal", "other"] if executed else ["internal"])
    assert error_code(root.create_repository, **OTHER) == ("ConflictException" if executed else "")


def impatient(emulator: Emulator) -> Any:
    """A client that asks once and does not wait for long."""
    client = emulator.client("codeartifact")
    return boto3.client(  # pyright: ignore[reportUnknownMemberType]
        "codeartifact",
        endpoint_url=client.meta.endpoint_url,
        region_name=client.meta.region_name,
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(read_timeout=0.5, retries={"total_max_attempts": 1}),
    )


def test_of_several_calls_that_begin_the_same_one_is_disturbed(emulator: Emulator, root: Any) -> None:
    emulator.disturb(CREATE.replace("other", "web-*"), 2, executed=False, answer="throttled")

    for name in ("other", "web-one", "web-two", "web-three"):
        error_code(impatient(emulator).create_repository, domain="acme", repository=name)
    assert repositories(root) == ["internal", "other", "web-one", "web-three"]


def test_a_state_is_gone_back_to(emulator: Emulator, root: Any) -> None:
    state = emulator.state()
    root.create_repository(**OTHER)
    assert emulator.state() != state

    emulator.restore(state)
    assert repositories(root) == ["internal"]
    assert emulator.state() == state


SUBJECT = "repo:acme/tools:ref:refs/tags/v1"
PROVIDER = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"
WORKFLOW_ROLE = "arn:aws:iam::111122223333:role/workflow"


def trust(provider: str = PROVIDER, operator: str = "StringEquals", subject: str = SUBJECT) -> dict[str, object]:
    issuer = "token.actions.githubusercontent.com"
    audience, subjects = {f"{issuer}:aud": "sts.amazonaws.com"}, {f"{issuer}:sub": subject}
    return {
        "Effect": "Allow",
        "Principal": {"Federated": provider},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {"StringLike": audience, operator: audience | subjects},
    }


@pytest.fixture
def iam(emulator: Emulator) -> Any:
    """IAM as the account's root, with GitHub's provider and a role that trusts a workflow."""
    iam = emulator.client("iam")
    iam.create_open_id_connect_provider(
        Url="https://token.actions.githubusercontent.com", ClientIDList=["sts.amazonaws.com"], ThumbprintList=["f" * 40]
    )
    iam.create_role(RoleName="workflow", AssumeRolePolicyDocument=document(trust()))
    return iam


def refusal(emulator: Emulator, token: str) -> str:
    """Why the role of the workflow is not given for a token; empty when it is."""
    try:
        emulator.assume_role_with_token(WORKFLOW_ROLE, token)
    except ClientError as error:
        return f"{error.response['Error']['Code']}: {error.response['Error']['Message']}"
    return ""


@pytest.mark.usefixtures("iam")
def test_a_workflow_is_given_the_role_that_trusts_it(emulator: Emulator) -> None:
    keys = emulator.assume_role_with_token(WORKFLOW_ROLE, github_token(SUBJECT))
    caller = emulator.client("sts", keys).get_caller_identity()

    assert caller["Arn"] == "arn:aws:sts::111122223333:assumed-role/workflow/job"


OTHER_KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
NOT_AUTHORIZED = "AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity"


@pytest.mark.usefixtures("iam")
@pytest.mark.parametrize(
    ("token", "error"),
    [
        (github_token(f"{SUBJECT}.1"), NOT_AUTHORIZED),
        (github_token(SUBJECT.upper()), NOT_AUTHORIZED),
        (github_token(SUBJECT, aud="https://github.com/acme"), "InvalidIdentityToken: Incorrect token audience"),
        (github_token(SUBJECT, iss="https://example.com"), "InvalidIdentityToken: No OpenIDConnect provider found"),
        (github_token(SUBJECT, exp=1), "ExpiredTokenException: "),
        (github_token(SUBJECT, OTHER_KEY), "InvalidIdentityToken: Couldn't retrieve verification key"),
        (github_token(SUBJECT)[:-8] + "AAAAAAAA", "InvalidIdentityToken: Couldn't retrieve verification key"),
        ("token", "InvalidIdentityToken: The ID Token provided is not a valid JWT"),
    ],
    ids=["subject", "case", "audience", "issuer", "expired", "key", "signature", "no token"],
)
def test_whoever_comes_near_is_not(emulator: Emulator, token: str, error: str) -> None:
    assert refusal(emulator, token).startswith(error)


def test_a_role_that_trusts_another_provider_is_not_given(emulator: Emulator, iam: Any) -> None:
    iam.update_assume_role_policy(
        RoleName="workflow", PolicyDocument=document(trust(PROVIDER.replace("token.actions", "other")))
    )

    assert refusal(emulator, github_token(SUBJECT)) == NOT_AUTHORIZED


def test_a_star_in_a_trust_policy_is_one_where_it_says_like(emulator: Emulator, iam: Any) -> None:
    for operator, error in (("StringEquals", NOT_AUTHORIZED), ("StringLike", "")):
        policy = trust(operator=operator, subject="repo:acme/tools:ref:refs/tags/*")
        iam.update_assume_role_policy(RoleName="workflow", PolicyDocument=document(policy))
        assert refusal(emulator, github_token(SUBJECT)) == error


def test_the_account_of_the_role_has_to_know_the_issuer(emulator: Emulator, iam: Any) -> None:
    (provider,) = iam.list_open_id_connect_providers()["OpenIDConnectProviderList"]
    iam.delete_open_id_connect_provider(OpenIDConnectProviderArn=provider["Arn"])
    emulator.client("iam", account="444455556666").create_open_id_connect_provider(
        Url="https://token.actions.githubusercontent.com", ClientIDList=["sts.amazonaws.com"], ThumbprintList=["f" * 40]
    )

    assert refusal(emulator, github_token(SUBJECT)).startswith("InvalidIdentityToken: No OpenIDConnect provider found")


JOB = "project_path:acme/tools:ref_type:branch:ref:main"
GITHUBS_CLAIMS = {
    "repository_id": "12345",
    "repository": "acme/tools",
    "job_workflow_ref": "acme/tools/.github/workflows/release.yml@refs/tags/v1",
    "workflow": "Release",
    "ref": "refs/tags/v1",
    "environment": "pypi",
    "actor": "ada",
}
WORKFLOW, GITLABS = github_token(SUBJECT, **GITHUBS_CLAIMS), gitlab_token(JOB, repository_id="12345", ref="main")


def given(issuer: str, operator: str = "StringEquals", **claims: str) -> dict[str, object]:
    """What a role trusts: tokens of an issuer with claims."""
    condition = {f"{issuer}:{claim}": value for claim, value in claims.items()}
    return {
        "Effect": "Allow",
        "Principal": {"Federated": PROVIDER.replace("token.actions.githubusercontent.com", issuer)},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": {operator: condition},
    }


GITHUB, GITLAB = "token.actions.githubusercontent.com", "gitlab.com"


@pytest.mark.parametrize(
    ("trusted", "token", "error"),
    [
        # Every claim of GitHub's that AWS takes: the token's value, and another.
        *((given(GITHUB, **{claim: value}), WORKFLOW, "") for claim, value in GITHUBS_CLAIMS.items()),
        *((given(GITHUB, **{claim: f"{value}x"}), WORKFLOW, NOT_AUTHORIZED) for claim, value in GITHUBS_CLAIMS.items()),
        # All of them hold together.
        (given(GITHUB, sub=SUBJECT, aud="sts.amazonaws.com", **GITHUBS_CLAIMS), WORKFLOW, ""),
        (given(GITHUB, **(GITHUBS_CLAIMS | {"repository_id": "99"}), sub=SUBJECT), WORKFLOW, NOT_AUTHORIZED),
        (given(GITHUB, "StringLike", job_workflow_ref="acme/tools/.github/workflows/release.yml@*"), WORKFLOW, ""),
        (given(GITHUB, "StringLike", job_workflow_ref="acme/tools/*/test.yml@*"), WORKFLOW, NOT_AUTHORIZED),
        # A key that is not there: the token has no such claim, or AWS does not take it.
        (given(GITHUB, repository_id="12345"), github_token(SUBJECT), NOT_AUTHORIZED),
        (given(GITHUB, "StringLike", environment="*"), github_token(SUBJECT), NOT_AUTHORIZED),
        (given(GITHUB, "StringNotEquals", environment="pypi"), github_token(SUBJECT), ""),
        (given(GITHUB, repository_owner_id="1"), github_token(SUBJECT, repository_owner_id="1"), NOT_AUTHORIZED),
        # Of GitLab's it takes the subject, the audience and no more.
        (given(GITLAB, sub=JOB, aud="https://gitlab.com"), GITLABS, ""),
        (given(GITLAB, amr="mfa"), gitlab_token(JOB, amr=["mfa"]), ""),
        (given(GITLAB, repository_id="12345"), GITLABS, NOT_AUTHORIZED),
        (given(GITLAB, ref="main"), GITLABS, NOT_AUTHORIZED),
        (given(GITLAB, sub=JOB), gitlab_token(f"{JOB}2"), NOT_AUTHORIZED),
        (given(GITLAB, sub=JOB), gitlab_token(JOB, "gitlab.example.com"), "InvalidIdentityToken: No OpenIDConnect"),
        (given(GITLAB, sub=JOB), gitlab_token(JOB, "xgitlab.com"), "InvalidIdentityToken: No OpenIDConnect"),
        (given(GITLAB, sub=JOB), gitlab_token(JOB, aud="sts.amazonaws.com"), "InvalidIdentityToken: Incorrect token"),
        # One issuer's token says nothing under the name of another.
        (given(GITHUB, sub=JOB), GITLABS, NOT_AUTHORIZED),
        (given(GITLAB, sub=SUBJECT), WORKFLOW, NOT_AUTHORIZED),
        (given(GITHUB, sub=SUBJECT) | {"Principal": {"Federated": GITLAB}}, WORKFLOW, NOT_AUTHORIZED),
        # A Deny wins.
        (given(GITHUB, sub=SUBJECT) | {"Effect": "Deny"}, WORKFLOW, NOT_AUTHORIZED),
    ],
)
def test_a_role_trusts_the_claims_that_aws_takes(
    emulator: Emulator, iam: Any, trusted: object, token: str, error: str
) -> None:
    """AWS, what's new, 2026-01, and IAM user guide, "Available keys for AWS OIDC federation"."""
    iam.create_open_id_connect_provider(
        Url="https://gitlab.com", ClientIDList=["https://gitlab.com"], ThumbprintList=["f" * 40]
    )
    iam.update_assume_role_policy(RoleName="workflow", PolicyDocument=document(trusted))

    assert refusal(emulator, token).startswith(error) if error else refusal(emulator, token) == ""


def test_a_session_that_is_refused_is_not_begun(emulator: Emulator, iam: Any) -> None:
    iam.update_assume_role_policy(RoleName="workflow", PolicyDocument=document(given(GITHUB, sub="other")))
    before = emulator.state()

    assert refusal(emulator, WORKFLOW) == NOT_AUTHORIZED
    assert emulator.state() == before


@pytest.mark.usefixtures("iam")
def test_another_account_with_the_same_issuer_makes_no_difference(emulator: Emulator) -> None:
    other = emulator.client("iam", account="000011112222")
    other.create_open_id_connect_provider(Url=f"https://{GITHUB}", ClientIDList=["x"], ThumbprintList=["f" * 40])

    assert refusal(emulator, WORKFLOW) == ""


def test_a_role_that_does_not_exist_is_not_given(emulator: Emulator, iam: Any) -> None:
    iam.delete_role(RoleName="workflow")

    assert refusal(emulator, WORKFLOW) == NOT_AUTHORIZED


CREATE_ROLE = {"Effect": "Allow", "Action": "iam:CreateRole", "Resource": "arn:aws:iam::111122223333:role/made-*"}


@pytest.mark.parametrize(
    ("statements", "name", "error"),
    [
        ([], "made-1", "AccessDeniedException"),
        ([CREATE_ROLE], "made-1", ""),
        ([CREATE_ROLE], "other", "AccessDeniedException"),
        ([CREATE_ROLE | {"Action": "iam:GetRole"}], "made-1", "AccessDeniedException"),
        ([CREATE_ROLE, CREATE_ROLE | {"Effect": "Deny"}], "made-1", "AccessDeniedException"),
    ],
    ids=["nothing", "allowed", "another role", "another action", "denied"],
)
def test_roles_are_held_to_their_policies_in_iam_too(
    emulator: Emulator, statements: list[object], name: str, error: str
) -> None:
    iam = emulator.client("iam", emulator.assume_role("deployer", *statements))

    assert error_code(iam.create_role, RoleName=name, AssumeRolePolicyDocument=document(trust())) == error
    assert emulator.actions() == [("iam:CreateRole", f"arn:aws:iam::111122223333:role/{name}")]


def test_a_boundary_holds_what_a_policy_allows(emulator: Emulator) -> None:
    keys = emulator.assume_role("deployer", CREATE_ROLE)
    root = emulator.client("iam")
    boundary = root.create_policy(
        PolicyName="boundary", PolicyDocument=document(CREATE_ROLE | {"Action": "iam:GetRole"})
    )["Policy"]["Arn"]
    iam = emulator.client("iam", keys)
    arguments = {"AssumeRolePolicyDocument": document(trust())}

    assert error_code(iam.create_role, RoleName="made-1", **arguments) == ""
    root.put_role_permissions_boundary(RoleName="deployer", PermissionsBoundary=boundary)
    assert error_code(iam.create_role, RoleName="made-2", **arguments) == "AccessDeniedException"


def test_the_resource_types_of_actions_are_those_of_the_service_authorization_reference() -> None:
    generate = runpy.run_path(str(HERE / "aws-emulator/reference/generate.py"))

    assert (HERE / "aws-emulator/reference/actions.json").read_text() == generate["actions"]()


AWS = "arn:aws:codeartifact:us-west-2:111122223333"
REPOSITORY, PACKAGE, GROUP = f"{AWS}:repository/acme/internal", f"{AWS}:package/acme/*", f"{AWS}:package-group/acme/*"
IN_ACME: dict[str, Any] = {"domain": "acme", "repository": "internal"}
OF_ACME: dict[str, Any] = IN_ACME | {"format": "pypi", "package": "acme-core"}
COPY: dict[str, Any] = {
    "domain": "acme",
    "sourceRepository": "internal",
    "destinationRepository": "internal",
    "format": "pypi",
    "package": "acme-core",
    "versions": ["1.0"],
}
IN_GROUP: dict[str, Any] = {"domain": "acme", "packageGroup": "/pypi//acme~", "originRestrictionType": "PUBLISH"}


@pytest.mark.parametrize(
    ("action", "arguments", "enough", "worthless"),
    [
        ("CreateDomain", {"domain": "other"}, "*", f"{AWS}:domain/*"),
        ("CreateRepository", IN_ACME | {"repository": "other"}, "*", [DOMAIN_ARN, f"{AWS}:repository/acme/*"]),
        ("CreatePackageGroup", {"domain": "acme", "packageGroup": "/pypi//beta~"}, "*", [DOMAIN_ARN, GROUP]),
        ("ListRepositories", {}, "*", f"{AWS}:repository/*"),
        ("ListRepositoriesInDomain", {"domain": "acme"}, DOMAIN_ARN, f"{AWS}:repository/*"),
        ("ListPackages", IN_ACME, REPOSITORY, PACKAGE),
        ("GetRepositoryEndpoint", IN_ACME | {"format": "pypi"}, REPOSITORY, PACKAGE),
        ("ListPackageVersions", OF_ACME, PACKAGE, REPOSITORY),
        ("ListAllowedRepositoriesForGroup", IN_GROUP, GROUP, DOMAIN_ARN),
        ("ListPackageGroups", {"domain": "acme"}, DOMAIN_ARN, GROUP),
        ("CopyPackageVersions", COPY, [PACKAGE, REPOSITORY], PACKAGE),
        ("CopyPackageVersions", COPY, [PACKAGE, REPOSITORY], REPOSITORY),
    ],
)
def test_an_action_counts_on_the_resource_types_that_it_takes(
    emulator: Emulator, root: Any, action: str, arguments: dict[str, Any], enough: object, worthless: object
) -> None:
    """Service authorization reference, "Actions, resources, and condition keys for AWS CodeArtifact"."""
    publish(root, "acme-core", "internal")
    root.create_package_group(domain="acme", packageGroup="/pypi//acme~")
    read = {"Effect": "Allow", "Action": "codeartifact:ReadFromRepository", "Resource": REPOSITORY}
    for name, resource in (("one", worthless), ("two", enough)):
        allow = {"Effect": "Allow", "Action": f"codeartifact:{action}", "Resource": resource}
        someone = emulator.client("codeartifact", emulator.assume_role(name, read, allow))
        denied = error_code(getattr(someone, xform_name(action)), **arguments) == "AccessDeniedException"
        assert denied == (resource is worthless)


@pytest.mark.usefixtures("root")
@pytest.mark.parametrize(
    ("action", "arguments", "resource"),
    [
        ("CreateDomain", {"domain": "other"}, f"{AWS}:domain/other"),
        ("CreateRepository", IN_ACME | {"repository": "other"}, f"{AWS}:repository/acme/other"),
        ("CreatePackageGroup", {"domain": "acme", "packageGroup": "/pypi//b$"}, f"{AWS}:package-group/acme/pypi//b%24"),
    ],
)
def test_what_is_made_with_tags_takes_the_right_to_tag_it(
    emulator: Emulator, action: str, arguments: dict[str, Any], resource: str
) -> None:
    """CodeArtifact user guide, "Domain policies"."""
    make = {"Effect": "Allow", "Action": f"codeartifact:{action}", "Resource": "*"}
    tag = {"Effect": "Allow", "Action": "codeartifact:TagResource", "Resource": resource}
    one, two = (
        emulator.client("codeartifact", keys)
        for keys in (emulator.assume_role("one", make), emulator.assume_role("two", make, tag))
    )
    arguments = arguments | {"tags": [{"key": "team", "value": "platform"}]}

    assert error_code(getattr(one, xform_name(action)), **arguments) == "AccessDeniedException"
    assert error_code(getattr(two, xform_name(action)), **arguments) == ""
    assert emulator.actions()[-2:] == [(f"codeartifact:{action}", "*"), ("codeartifact:TagResource", resource)]


OWNER, ADMINISTRATOR, THIRD = "111122223333", "444455556666", "777788889999"
THEIRS: dict[str, Any] = {"domain": "acme", "domainOwner": OWNER, "repository": "theirs"}
ALLOW, NOTHING = {"Effect": "Allow", "Action": "codeartifact:*", "Resource": "*"}, []
EVERYWHERE = {"the domain", "internal", "a package in internal", "theirs", "a package in theirs"}
IN_THEIRS = {"theirs", "a package in theirs"}


def someone(account: str, **more: object) -> dict[str, object]:
    return statement({"AWS": f"arn:aws:iam::{account}:role/someone"}, **more)


@pytest.mark.parametrize(
    ("account", "identity", "domain", "repository", "allowed"),
    [
        # An identity policy alone.
        (OWNER, [ALLOW], [], [], EVERYWHERE),
        (ADMINISTRATOR, [ALLOW], [], [], IN_THEIRS),
        (THIRD, [ALLOW], [], [], set()),
        # One side alone: only the domain owner's account takes the resource's.
        (OWNER, NOTHING, [], [someone(OWNER)], IN_THEIRS),
        (OWNER, NOTHING, [someone(OWNER)], [], EVERYWHERE),
        (ADMINISTRATOR, NOTHING, [], [someone(ADMINISTRATOR)], set()),
        (ADMINISTRATOR, NOTHING, [someone(ADMINISTRATOR)], [], set()),
        (THIRD, NOTHING, [someone(THIRD)], [someone(THIRD)], set()),
        # Both sides, of which one resource policy is enough.
        (THIRD, [ALLOW], [], [someone(THIRD)], IN_THEIRS),
        (THIRD, [ALLOW], [someone(THIRD)], [], EVERYWHERE),
        (ADMINISTRATOR, [ALLOW], [someone(ADMINISTRATOR)], [], EVERYWHERE),
        # A resource that a domain's statement names.
        (THIRD, [ALLOW], [someone(THIRD, Resource=f"{AWS}:repository/acme/theirs")], [], {"theirs"}),
        # A Deny wins, wherever it is.
        (OWNER, [ALLOW], [someone(OWNER, Effect="Deny")], [], set()),
        (OWNER, [ALLOW], [], [someone(OWNER, Effect="Deny")], EVERYWHERE - IN_THEIRS),
        (ADMINISTRATOR, [ALLOW], [someone(ADMINISTRATOR, Effect="Deny")], [], set()),
        (ADMINISTRATOR, [ALLOW], [], [someone(ADMINISTRATOR, Effect="Deny")], set()),
        (THIRD, [ALLOW], [someone(THIRD)], [someone(THIRD, Effect="Deny")], EVERYWHERE - IN_THEIRS),
        (ADMINISTRATOR, [ALLOW, ALLOW | {"Effect": "Deny"}], [], [], set()),
    ],
)
def test_who_is_at_home_takes_an_identity_policy_alone(
    emulator: Emulator,
    root: Any,
    account: str,
    identity: list[object],
    domain: list[object],
    repository: list[object],
    allowed: set[str],
) -> None:
    """CodeArtifact user guide, "Repository policies", "Interaction between repository and domain policies"."""
    administrator = emulator.client("codeartifact", account=ADMINISTRATOR)
    made = administrator.create_repository(**THEIRS)["repository"]
    assert (made["administratorAccount"], made["domainOwner"]) == (ADMINISTRATOR, OWNER)
    if domain:
        root.put_domain_permissions_policy(domain="acme", policyDocument=document(*domain))
    if repository:
        root.put_repository_permissions_policy(**THEIRS, policyDocument=document(*repository))
    caller = emulator.client("codeartifact", emulator.assume_role("someone", *identity, account=account))
    package = {"format": "pypi", "package": "acme-core"}
    internal = THEIRS | {"repository": "internal"}
    answers = {
        "the domain": error_code(caller.describe_domain, domain="acme", domainOwner=OWNER),
        "internal": error_code(caller.describe_repository, **internal),
        "a package in internal": error_code(caller.list_package_versions, **internal, **package),
        "theirs": error_code(caller.describe_repository, **THEIRS),
        "a package in theirs": error_code(caller.list_package_versions, **THEIRS, **package),
    }

    assert set(answers.values()) <= {"", "AccessDeniedException", "ResourceNotFoundException"}
    assert {what for what, error in answers.items() if error != "AccessDeniedException"} == allowed


def test_a_repositorys_policy_says_nothing_about_putting_it(emulator: Emulator, root: Any) -> None:
    """CodeArtifact user guide, "Repository policies"."""
    policy = {"policyDocument": document(someone(OWNER))}
    root.put_repository_permissions_policy(**IN_ACME, **policy)
    caller = emulator.client("codeartifact", emulator.assume_role("someone"))

    assert error_code(caller.get_repository_permissions_policy, **IN_ACME) == ""
    assert error_code(caller.put_repository_permissions_policy, **IN_ACME, **policy) == "AccessDeniedException"
    root.put_domain_permissions_policy(domain="acme", **policy)
    assert error_code(caller.put_repository_permissions_policy, **IN_ACME, **policy) == ""


def test_the_owner_of_a_domain_lets_another_account_make_a_repository_in_it(emulator: Emulator, root: Any) -> None:
    keys = emulator.assume_role("someone", ALLOW, account=ADMINISTRATOR)
    administrator = emulator.client("codeartifact", keys)
    allow = someone(ADMINISTRATOR, Action="codeartifact:CreateRepository")

    assert error_code(administrator.create_repository, **THEIRS) == "AccessDeniedException"
    root.put_domain_permissions_policy(domain="acme", policyDocument=document(allow | {"Resource": DOMAIN_ARN}))
    assert error_code(administrator.create_repository, **THEIRS) == "AccessDeniedException"
    root.put_domain_permissions_policy(domain="acme", policyDocument=document(allow))
    assert error_code(administrator.create_repository, **THEIRS) == ""


ACTION = "codeartifact:GetAuthorizationToken"
EVERYTHING = {"Effect": "Allow", "Action": "*", "Resource": "*"}
DENY = {"Effect": "Deny", "Action": ACTION, "Resource": "*"}


def no(kind: str, action: str = ACTION) -> str:
    return f"because no {kind} allows the {action} action"


@pytest.mark.parametrize(
    ("identity", "boundary", "domain", "account", "why"),
    [
        ([BEARER_TOKEN], None, [], "111122223333", no("identity-based policy")),
        (
            [],
            None,
            [statement({"AWS": ROLE})],
            "111122223333",
            no("identity-based policy", "sts:GetServiceBearerToken"),
        ),
        ([BEARER_TOKEN], None, [statement({"AWS": "444455556666"})], "444455556666", no("identity-based policy")),
        ([EVERYTHING], None, [], "444455556666", no("resource-based policy")),
        ([EVERYTHING], BEARER_TOKEN, [], "111122223333", no("permissions boundary")),
        ([BEARER_TOKEN], BEARER_TOKEN, [statement({"AWS": ROLE})], "111122223333", no("permissions boundary")),
        ([EVERYTHING, DENY], None, [], "111122223333", "with an explicit deny in an identity-based policy"),
        ([EVERYTHING], DENY, [], "111122223333", "with an explicit deny in a permissions boundary"),
        (
            [EVERYTHING],
            None,
            [statement("*", Effect="Deny")],
            "111122223333",
            "with an explicit deny in a resource-based policy",
        ),
    ],
    ids=[
        "neither side",
        "no bearer token",
        "own side of another account",
        "domain's side for another account",
        "boundary",
        "boundary of what a domain allows",
        "deny",
        "deny in a boundary",
        "deny of the domain",
    ],
)
def test_a_refusal_names_the_kind_of_policy(
    emulator: Emulator,
    root: Any,
    identity: list[object],
    boundary: object,
    domain: list[object],
    account: str,
    why: str,
) -> None:
    """IAM user guide, "Troubleshoot access denied error messages" and "Permissions boundaries"."""
    if domain:
        root.put_domain_permissions_policy(domain="acme", policyDocument=document(*domain))
    keys = emulator.assume_role("path/someone", *identity, account=account)
    if boundary:
        iam = emulator.client("iam", account=account)
        policy = iam.create_policy(PolicyName="boundary", PolicyDocument=document(boundary))["Policy"]["Arn"]
        iam.put_role_permissions_boundary(RoleName="someone", PermissionsBoundary=policy)
    action = "sts:GetServiceBearerToken" if "sts:" in why else ACTION
    resource = "*" if "sts:" in why else DOMAIN_ARN

    with pytest.raises(ClientError) as error:
        emulator.client("codeartifact", keys).get_authorization_token(domain="acme", domainOwner="111122223333")
    assert error.value.response["Error"] == {
        "Code": "AccessDeniedException",
        "Message": f"User: arn:aws:sts::{account}:assumed-role/someone/session is not authorized to perform: {action} "
        f"on resource: {resource} {why}",
    }


def test_a_role_that_is_made_again_is_another_one(emulator: Emulator, root: Any) -> None:
    iam = emulator.client("iam")
    policies = document(statement({"AWS": [ROLE, "arn:aws:iam::111122223333:role/other"]}), statement({"AWS": ROLE}))
    root.put_domain_permissions_policy(domain="acme", policyDocument=policies)
    root.put_repository_permissions_policy(domain="acme", repository="internal", policyDocument=policies)
    emulator.assume_role("path/someone")
    deleted = iam.get_role(RoleName="someone")["Role"]["RoleId"]
    iam.delete_role(RoleName="someone")
    someone = emulator.client("codeartifact", emulator.assume_role("path/someone", BEARER_TOKEN))
    expected = json.loads(policies.replace(ROLE, deleted))

    assert error_code(someone.get_authorization_token, domain="acme") == "AccessDeniedException"
    policy = root.get_domain_permissions_policy(domain="acme")["policy"]["document"]
    assert json.loads(policy) == expected
    policy = root.get_repository_permissions_policy(domain="acme", repository="internal")["policy"]["document"]
    assert json.loads(policy) == expected


@pytest.mark.parametrize(
    ("principal", "exists"),
    [
        ({"AWS": ROLE}, True),
        ({"AWS": "arn:aws:iam::111122223333:user/ada"}, True),
        ({"AWS": "777788889999"}, True),
        ({"AWS": "arn:aws:iam::777788889999:root"}, True),
        ("*", True),
        ({"AWS": "*"}, True),
        ({"AWS": [ROLE, "arn:aws:iam::111122223333:role/other"]}, False),
        ({"AWS": "arn:aws:iam::111122223333:role/someone"}, False),
        ({"AWS": "arn:aws:iam::111122223333:role/path/*"}, False),
        ({"AWS": "arn:aws:iam::777788889999:role/path/someone"}, False),
        ({"AWS": "arn:aws:iam::111122223333:user/eve"}, False),
        ({"AWS": "AROAEXAMPLE"}, False),
    ],
)
def test_principals_that_do_not_exist_can_be_refused(
    emulator: Emulator, root: Any, principal: object, *, exists: bool
) -> None:
    emulator.assume_role("path/someone")
    iam = emulator.client("iam")
    iam.create_user(UserName="ada")
    policy = document(statement(principal))
    trust_policy = document({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"})

    def errors() -> set[str]:
        return {
            error_code(root.put_domain_permissions_policy, domain="acme", policyDocument=policy),
            error_code(root.put_repository_permissions_policy, **IN_ACME, policyDocument=policy),
            error_code(iam.create_role, RoleName="new", AssumeRolePolicyDocument=trust_policy),
            error_code(iam.update_assume_role_policy, RoleName="someone", PolicyDocument=trust_policy),
        }

    emulator.set(principals_exist=True)
    assert errors() == ({""} if exists else {"ValidationException", "MalformedPolicyDocument"})
    emulator.set(principals_exist=False)
    assert "ValidationException" not in errors()


def test_a_session_ends(emulator: Emulator) -> None:
    emulator.assume_role("path/someone")
    ended = emulator.client("sts").assume_role(RoleArn=ROLE, RoleSessionName="ended")["Credentials"]

    assert error_code(emulator.client("sts", ended).get_caller_identity) == "ExpiredToken"
    assert error_code(emulator.client("sts", emulator.session("path/someone")).get_caller_identity) == ""


@pytest.mark.usefixtures("root")
def test_in_another_region_there_is_nothing(emulator: Emulator) -> None:
    there = emulator.client("codeartifact", region="us-east-1")

    assert error_code(there.get_authorization_token, domain="acme") == "ResourceNotFoundException"
