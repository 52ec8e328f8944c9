"""A request of which nothing is known but its form: what is proved of it holds for every caller that there can be."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import pairwise
from typing import Any, TypeAlias

import z3

Formula: TypeAlias = Any
"""A `z3.BoolRef`: the types of z3 are wrong about what makes one."""

ANYTHING = z3.Full(z3.ReSort(z3.StringSort()))

BEARER_TOKEN = "sts:GetServiceBearerToken"  # noqa: S105  an action

# The kinds of resource that an action is about, or in which it makes something. An action that is not here is asked of
# every resource there can be.
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscodeartifact.html
KINDS = {
    "codeartifact:CopyPackageVersions": ["package", "repository"],
    "codeartifact:CreatePackageGroup": ["domain"],
    "codeartifact:CreateRepository": ["domain"],
    "codeartifact:DeletePackage": ["package"],
    "codeartifact:DeletePackageVersions": ["package"],
    "codeartifact:DeleteRepository": ["repository"],
    "codeartifact:DescribePackage": ["package"],
    "codeartifact:DescribePackageVersion": ["package"],
    "codeartifact:DescribeRepository": ["repository"],
    "codeartifact:DisposePackageVersions": ["package"],
    "codeartifact:GetAuthorizationToken": ["domain"],
    "codeartifact:GetPackageVersionAsset": ["package"],
    "codeartifact:GetPackageVersionReadme": ["package"],
    "codeartifact:GetRepositoryEndpoint": ["repository"],
    "codeartifact:ListPackages": ["repository"],
    "codeartifact:ListPackageVersionAssets": ["package"],
    "codeartifact:ListPackageVersionDependencies": ["package"],
    "codeartifact:ListPackageVersions": ["package"],
    "codeartifact:PublishPackageVersion": ["package"],
    "codeartifact:ReadFromRepository": ["repository"],
}

# Those that a statement cannot name a resource for: only `*` takes them in.
WITHOUT_RESOURCE = [
    *("codeartifact:CreateDomain", "codeartifact:ListDomains", "codeartifact:ListRepositories"),
    *("codeartifact:CreatePackageGroup", "codeartifact:CreateRepository"),
]

GITHUB = "token.actions.githubusercontent.com"
ISSUERS = (GITHUB, "gitlab.com", "gitlab.example.com")

# For examples alone: values of the variables as they are in life. Nothing is proved with them.
LIKE_IN_LIFE: Mapping[str, list[str]] = {
    "account": ["111122223333", "444455556666", "777788889999"],
    "name": [
        *(f"role/{name}" for name in ("admin", "ci", "team/ci", "path/team/ci", "team/other", "sso/eu/Developers_1")),
        *("role/stranger", "user/ada", "user/eve"),
    ],
    "organization": ["", "o-a1b2c3d4e5", "o-zzzzzzzzzz", "o-9999999999"],
    "service": ["codeartifact", "sts"],
    "operation": [
        *(action.partition(":")[2] for action in KINDS),
        *(
            "DeleteRepositoryPermissionsPolicy",
            "PutRepositoryPermissionsPolicy",
            "TagResource",
            "UpdateRepository",
            "GetServiceBearerToken",
        ),
    ],
    "for_service": ["", "codeartifact.amazonaws.com", "codecommit.amazonaws.com"],
    "owner": [f"arn:aws:codeartifact:us-west-2:{owner}" for owner in ("111122223333", "444455556666")],
    "kind": ["package", "repository", "domain"],
    "domain": ["acme", "other"],
    "repository": ["private-pypi", "private-pypi-store", "other", ""],
    "package": [
        *(f"pypi//{name}" for name in ("acme-core", "acme-core-x", "acme-x", "acmecorp", "beta", "x")),
        *("npm//x", ""),
    ],
    "provider": [f"arn:aws:iam::111122223333:oidc-provider/{issuer}" for issuer in ISSUERS],
    "action": ["sts:AssumeRoleWithWebIdentity"],
    "audience": ["sts.amazonaws.com", "https://gitlab.com", "https://gitlab.example.com", "https://github.com/acme"],
    "subject": [
        *(
            f"repo:{repository}:{where}"
            for repository in ("acme/tools", "acme@12/core@34", "acme/core", "acme@12/core@99", "acme/x", "acme2/tools")
            for where in (
                *("ref:refs/tags/v1", "ref:refs/heads/v1", "ref:refs/heads/main", "ref:refs/heads/main-2"),
                *("pull_request", "environment:pypi release"),
            )
        ),
        *(
            f"project_path:{project}:ref_type:{ref}"
            for project in ("acme/data/tools", "acme/data/tools2", "acme/tools")
            for ref in ("branch:ref:main", "tag:ref:main", "tag:ref:v1", "branch:ref:v1")
        ),
    ],
    "repository_id": ["", "34", "99"],
    "job_workflow_ref": [
        "",
        *(
            f"{repository}/.github/workflows/{file}@refs/tags/v1"
            for repository in ("acme/core", "acme/x")
            for file in ("publish.yml", "test.yml")
        ),
    ],
}


def name_of(variable: z3.ExprRef) -> str:
    return variable.decl().name()


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a stack is deployed."""

    account: str = "111122223333"
    partition: str = "aws"
    region: str = "us-west-2"


@dataclass(frozen=True, kw_only=True)
class Example:
    """A request that the solver found."""

    caller: str
    organization: str | None
    has: tuple[str, ...]
    """Of the identity policies that the program makes, those that the caller has."""
    own: bool
    action: str
    for_service: str | None
    resource: str

    def __str__(self) -> str:
        policies = [*self.has, *["IAM policies of its own that allow it"] * self.own]
        caller = (
            f"{self.caller} of {self.organization or 'no organization'} with {' and '.join(policies) or 'no policy'}"
        )
        return f"{caller}: {self.action} on {self.resource}" + (f" for {self.for_service}" if self.for_service else "")


class Request:
    """A caller, an action and a resource: variables of the solver. An empty text is none."""

    def __init__(self, partition: str, identity_policies: Iterable[str] = ()) -> None:
        """A request in a partition, whose caller may have some of the identity policies that the program makes."""
        self.partition = partition
        # The caller's ARN is arn:PARTITION:iam::ACCOUNT:NAME. A session goes by the ARN of its role.
        self.account, self.name, self.organization = z3.Strings("account name organization")
        # What may allow it on the caller's side: identity policies that the program makes, and others.
        self.has = {name: z3.Bool(name) for name in identity_policies}
        self.own = z3.Bool("own")
        # SERVICE:OPERATION, codeartifact:PublishPackageVersion say; and the service whose bearer token is asked for.
        self.service, self.operation, self.for_service = z3.Strings("service operation for_service")
        # The resource's ARN is OWNER:KIND/DOMAIN/REPOSITORY/PACKAGE, the last with its format and namespace. These are
        # parts and not one text because the solver is a hundred times quicker with what it need not take apart.
        self.owner = z3.String("owner")
        self.path = z3.Strings("kind domain repository package")

    @property
    def variables(self) -> list[z3.ExprRef]:
        caller = [self.own, *self.has.values(), self.account, self.name, self.organization]
        return [*caller, self.service, self.operation, self.for_service, self.owner, *self.path]

    @property
    def context(self) -> Mapping[str, z3.SeqRef]:
        """The values of condition keys."""
        return {
            "aws:PrincipalAccount": self.account,
            "aws:PrincipalOrgID": self.organization,
            "sts:AWSServiceName": self.for_service,
        }

    def is_action(self, action: str) -> Formula:
        return _is_action(action)

    @property
    def is_possible(self) -> Formula:
        """Whether there can be such a request. That it covers more does no harm: then it is proved of more."""
        return _is_possible()

    def example(self, values: Mapping[z3.ExprRef, z3.ExprRef]) -> Example:
        value = {name_of(variable): each.py_value() for variable, each in values.items()}
        path = "/".join(filter(None, (value[name_of(part)] for part in self.path)))
        return Example(
            caller=f"arn:{self.partition}:iam::{value['account']}:{value['name']}",
            organization=value["organization"] or None,
            has=tuple(name for name in self.has if value[name]),
            own=bool(value["own"]),
            action=f"{value['service']}:{value['operation']}",
            for_service=value["for_service"] or None,
            resource=f"{value['owner']}:{path}" if value["owner"] else "*",
        )


# The solver knows variables by their names: what is said of one request is said of each, and built once.


@cache
def _is_action(action: str) -> Formula:
    service, operation = z3.Strings("service operation")
    return z3.And(*(part == text for part, text in zip((service, operation), action.split(":"), strict=True)))


@cache
def _is_possible() -> Formula:
    request = Request("any")
    kind, _, repository, package = request.path
    asks_for_token = request.is_action(BEARER_TOKEN)
    is_of_account = z3.Or([request.is_action(action) for action in WITHOUT_RESOURCE if action not in KINDS])
    return z3.And(
        *(
            z3.Implies(request.is_action(action), z3.Or([kind == each for each in kinds]))
            for action, kinds in KINDS.items()
        ),
        *(z3.Implies(part == "", after == "") for part, after in pairwise([request.owner, *request.path])),
        z3.Implies(kind == "domain", repository == ""),
        z3.Implies(kind == "repository", package == ""),
        z3.Implies(kind == "package", package != ""),
        asks_for_token == (request.for_service != ""),
        z3.Implies(z3.Or(asks_for_token, is_of_account), request.owner == ""),
    )


@dataclass(frozen=True, kw_only=True)
class TokenExample:
    """A token that the solver found, and what it is used for."""

    provider: str
    action: str
    subject: str
    audience: str
    repository_id: str
    job_workflow_ref: str

    def __str__(self) -> str:
        of = f"{self.subject} (repository {self.repository_id or 'without id'}, {self.job_workflow_ref or 'no file'})"
        return f"{self.action} with a token of {self.provider} for {of}, made for {self.audience}"


class Token:
    """A token with which somebody asks for a role: variables of the solver. An empty text is none."""

    def __init__(self, partition: str = "aws") -> None:
        self.partition = partition
        self.provider, self.action, self.subject, self.audience = z3.Strings("provider action subject audience")
        self.repository_id, self.job_workflow_ref = z3.Strings("repository_id job_workflow_ref")

    @property
    def variables(self) -> list[z3.ExprRef]:
        token = [self.provider, self.action, self.subject, self.audience]
        return [*token, self.repository_id, self.job_workflow_ref]

    @property
    def context(self) -> Mapping[str, Any]:
        """The values of condition keys: those of an issuer are there in its own tokens alone.

        The last two are taken in the partition `aws` alone; a condition on them elsewhere is not known here.
        """
        keys = {
            f"{issuer}:{claim}": z3.If(self.is_from(issuer), value, z3.StringVal(""))
            for issuer in ISSUERS
            for claim, value in {"sub": self.subject, "aud": self.audience}.items()
        }
        if self.partition == "aws":
            of_github = {"repository_id": self.repository_id, "job_workflow_ref": self.job_workflow_ref}
            for claim, value in of_github.items():
                keys[f"{GITHUB}:{claim}"] = z3.If(self.is_from(GITHUB), value, z3.StringVal(""))
        return keys

    def is_from(self, issuer: str) -> Formula:
        return z3.SuffixOf(z3.StringVal(f":oidc-provider/{issuer}"), self.provider)

    @cached_property
    def is_possible(self) -> Formula:
        return z3.And(self.subject != "", self.audience != "")

    def example(self, values: Mapping[z3.ExprRef, z3.ExprRef]) -> TokenExample:
        return TokenExample(**{name_of(variable): str(each.py_value()) for variable, each in values.items()})
