"""A request of which nothing is known but its form: what is proved of it holds for every caller that there can be."""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import z3

ANYTHING = z3.Full(z3.ReSort(z3.StringSort()))
BEARER_TOKEN = "sts:GetServiceBearerToken"  # noqa: S105  the name of an action

# The kinds of resource that an action is about, for the actions where it matters. All others are asked of everything.
# https://docs.aws.amazon.com/service-authorization/latest/reference/list_awscodeartifact.html
KINDS = {
    "codeartifact:CopyPackageVersions": ["package", "repository"],
    "codeartifact:CreateRepository": ["repository"],
    "codeartifact:DeletePackage": ["package"],
    "codeartifact:DeletePackageVersions": ["package"],
    "codeartifact:DeleteRepository": ["repository"],
    "codeartifact:DisposePackageVersions": ["package"],
    "codeartifact:GetAuthorizationToken": ["domain"],
    "codeartifact:GetPackageVersionAsset": ["package"],
    "codeartifact:GetPackageVersionReadme": ["package"],
    "codeartifact:GetRepositoryEndpoint": ["repository"],
    "codeartifact:PublishPackageVersion": ["package"],
    "codeartifact:ReadFromRepository": ["repository"],
}

LIKE_IN_LIFE = {
    "account": ["111122223333", "444455556666", "777788889999"],
    "name": [
        *("role/admin", "role/ci", "role/other", "role/path/team/ci", "role/stranger", "role/team/ci", "role/team/other"),
        *("role/sso/eu/Developers_1", "role/glue/job-number-00", "user/ada", "user/eve"),
    ],
    "organization": ["", "o-a1b2c3d4e5", "o-zzzzzzzzzz", "o-9999999999"],
    "service": ["codeartifact", "sts"],
    "operation": [
        *(action.partition(":")[2] for action in KINDS),
        *("DeleteRepositoryPermissionsPolicy", "PutRepositoryPermissionsPolicy", "TagResource"),
        *("GetServiceBearerToken", "AssumeRole"),
    ],
    "token_for": ["", "codeartifact.amazonaws.com", "codecommit.amazonaws.com"],
    "owner": ["", *(f"arn:aws:codeartifact:us-west-2:{owner}" for owner in ("111122223333", "444455556666"))],
    "kind": ["", "domain", "repository", "package"],
    "domain": ["", "acme", "other"],
    "repository": ["", "other", "private-pypi", "private-pypi-store"],
    "package": ["", *(f"pypi//{name}" for name in ("acme-core", "acme-core-x", "acme-x", "acmecorp", "beta", "x")), "npm//x"],
}


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
    policies: frozenset[str]
    """Of the documents ready to attach, those that the caller has."""
    own: bool
    action: str
    token_for: str | None
    resource: str

    def __str__(self) -> str:
        having = [f"has the {policy}" for policy in sorted(self.policies)]
        having += ["is allowed it by IAM policies of its own"] if self.own else []
        return (
            f"{self.caller}, of {self.organization or 'no organization'}, which {' and '.join(having) or 'has no policy'}: "
            f"{self.action} on {self.resource}" + (f" for {self.token_for}" if self.token_for else "")
        )


class Request:
    """A caller, an action and a resource: variables of the solver. An empty text is none."""

    def __init__(self, partition: str) -> None:
        self.partition = partition
        # The caller's ARN is arn:PARTITION:iam::ACCOUNT:NAME. A session goes by the ARN of its role.
        self.account, self.name = z3.Strings("account name")
        self.organization = z3.String("organization")
        # What may allow it on the caller's side: the two documents ready to attach, and other IAM policies.
        self.has_reader_policy, self.has_publisher_policy = z3.Bools("has_reader_policy has_publisher_policy")
        self.own = z3.Bool("own")
        # SERVICE:OPERATION, codeartifact:PublishPackageVersion say.
        self.service, self.operation = z3.Strings("service operation")
        self.token_for = z3.String("token_for")  # the service whose bearer token is asked for
        # The resource's ARN is OWNER:KIND/DOMAIN/REPOSITORY/PACKAGE, the package with its format and namespace. These
        # are parts and not one text because the solver is a hundred times quicker with what it need not take apart.
        self.owner = z3.String("owner")
        self.path = z3.Strings("kind domain repository package")
        self.flags = [self.has_reader_policy, self.has_publisher_policy, self.own]
        self.texts = [self.account, self.name, self.organization, self.service, self.operation, self.token_for, self.owner, *self.path]
        self.context = {
            "aws:PrincipalAccount": self.account,
            "aws:PrincipalOrgID": self.organization,
            "sts:AWSServiceName": self.token_for,
        }

    def is_action(self, action: str) -> z3.BoolRef:
        service, operation = action.split(":")
        return z3.And(self.service == service, self.operation == operation)

    def is_possible(self) -> z3.BoolRef:
        """Whether there can be such a request. More than there can be does no harm: it is proved of them too."""
        kind, _, repository, package = self.path
        is_token = self.is_action(BEARER_TOKEN)
        return z3.And(
            *(z3.Implies(self.is_action(action), z3.Or([kind == each for each in kinds])) for action, kinds in KINDS.items()),
            *(z3.Implies(part == "", after == "") for part, after in itertools.pairwise([self.owner, *self.path])),
            z3.Implies(kind == "domain", repository == ""),
            z3.Implies(kind == "repository", package == ""),
            is_token == (self.token_for != ""),
            z3.Implies(is_token, self.owner == ""),
        )

    def read(self, values: Mapping[z3.ExprRef, z3.ExprRef]) -> Example:
        text = {str(variable): values[variable].py_value() for variable in self.texts}
        path = "/".join(filter(None, (text[str(each)] for each in self.path)))
        return Example(
            caller=f"arn:{self.partition}:iam::{text['account']}:{text['name']}",
            organization=text["organization"] or None,
            policies=frozenset(
                each for each in ("reader_policy", "publisher_policy") if z3.is_true(values[z3.Bool(f"has_{each}")])
            ),
            own=z3.is_true(values[self.own]),
            action=f"{text['service']}:{text['operation']}",
            token_for=text["token_for"] or None,
            resource=f"{text['owner']}:{path}" if text["owner"] else "*",
        )


class Token:
    """A token of a workflow with which somebody asks for a role: variables of the solver."""

    def __init__(self) -> None:
        self.provider, self.action, self.subject, self.audience = z3.Strings("provider action subject audience")
        issuer = "token.actions.githubusercontent.com"
        self.context = {f"{issuer}:sub": self.subject, f"{issuer}:aud": self.audience}

    def is_possible(self) -> z3.BoolRef:
        return z3.And(self.subject != "", self.audience != "")
