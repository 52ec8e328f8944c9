"""A request of which nothing is known but its form: what is proved of it holds for every caller that there can be."""

import itertools
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

# How long the solver tries, in steps and not in seconds: no answer depends on how busy the machine is.
_STEPS = 200_000_000


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
    service: str
    resource: str

    def __str__(self) -> str:
        having = [f"has the {policy}" for policy in sorted(self.policies)]
        having += ["is allowed it by IAM policies of its own"] if self.own else []
        return (
            f"{self.caller}, of {self.organization or 'no organization'}, which {' and '.join(having) or 'has no policy'}: "
            f"{self.action} on {self.resource}" + (f" for {self.service}" if self.service else "")
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
        self.action = z3.String("action")
        self.service = z3.String("service")  # whose bearer token is asked for
        # The resource's ARN is OWNER:KIND/DOMAIN/REPOSITORY/PACKAGE, the package with its format and namespace. Parts
        # instead of one text, because the solver is a hundred times quicker with short texts.
        self.owner = z3.String("owner")
        self.path = z3.Strings("kind domain repository package")
        self.context = {
            "aws:PrincipalAccount": self.account,
            "aws:PrincipalOrgID": self.organization,
            "sts:AWSServiceName": self.service,
        }

    def is_possible(self) -> z3.BoolRef:
        """Whether there can be such a request. More than there can be does no harm: it is proved of them too."""
        kind, _, repository, package = self.path
        is_token = self.action == BEARER_TOKEN
        return z3.And(
            *(z3.Implies(self.action == action, z3.Or([kind == each for each in kinds])) for action, kinds in KINDS.items()),
            *(z3.Implies(part == "", after == "") for part, after in itertools.pairwise([self.owner, *self.path])),
            z3.Implies(kind == "domain", repository == ""),
            z3.Implies(kind == "repository", package == ""),
            is_token == (self.service != ""),
            z3.Implies(is_token, self.owner == ""),
        )

    def is_readable(self) -> z3.BoolRef:
        """Whether it is pleasant to read: for examples alone."""
        letters = z3.Plus(z3.Range("a", "z"))
        digits = z3.Loop(z3.Range("0", "9"), 12, 12)
        forms = {
            self.account: digits,
            self.name: z3.Concat(z3.Union(z3.Re("role/"), z3.Re("user/")), z3.Plus(z3.Union(z3.Range("a", "z"), z3.Re("/"), z3.Re("-")))),
            self.organization: z3.Concat(z3.Re("o-"), z3.Loop(z3.Union(z3.Range("a", "z"), z3.Range("0", "9")), 10, 10)),
            self.action: z3.Concat(letters, z3.Re(":"), z3.Plus(z3.Union(z3.Range("A", "Z"), z3.Range("a", "z")))),
            self.service: z3.Concat(letters, z3.Re(".amazonaws.com")),
        }
        return z3.And([z3.Or(text == "", z3.InRe(text, form)) for text, form in forms.items()])

    def read(self, model: z3.ModelRef) -> Example:
        def text(variable: z3.SeqRef) -> str:
            return model.eval(variable, model_completion=True).py_value()

        def is_true(variable: z3.BoolRef) -> bool:
            return z3.is_true(model.eval(variable))

        path = "/".join(filter(None, map(text, self.path)))
        return Example(
            caller=f"arn:{self.partition}:iam::{text(self.account)}:{text(self.name)}",
            organization=text(self.organization) or None,
            policies=frozenset(
                name
                for name, has in (("reader_policy", self.has_reader_policy), ("publisher_policy", self.has_publisher_policy))
                if is_true(has)
            ),
            own=is_true(self.own),
            action=text(self.action),
            service=text(self.service),
            resource=f"{text(self.owner)}:{path}" if text(self.owner) else "*",
        )


class Token:
    """A token of a workflow with which somebody asks for a role: variables of the solver."""

    def __init__(self) -> None:
        self.provider, self.action, self.subject, self.audience = z3.Strings("provider action subject audience")
        issuer = "token.actions.githubusercontent.com"
        self.context = {f"{issuer}:sub": self.subject, f"{issuer}:aud": self.audience}

    def is_possible(self) -> z3.BoolRef:
        return z3.And(self.subject != "", self.audience != "")
