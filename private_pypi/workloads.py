"""GitHub Actions workflows that publish: whom their roles trust, and what the roles are called.

A workflow has no keys of AWS. GitHub signs a token for it whose subject says where it runs, and the role trusts one
subject. It has two forms, with the ids of owner and repository and without. A repository sends the one or the other; to
trust both would let in whoever takes over a freed name.
https://docs.github.com/en/actions/reference/security/oidc
"""

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal, Self, cast

from private_pypi.arns import Arns
from private_pypi.errors import InvalidValueError, Mistakes, wrong_type
from private_pypi.names import parse_packages
from private_pypi.principals import Principal, Publisher

ISSUER = "token.actions.githubusercontent.com"
AUDIENCE = "sts.amazonaws.com"
MAX_ROLE_NAME_CHARACTERS = 64
MAX_TRUST_POLICY_CHARACTERS = 2048
"""The longest trust policy that IAM takes (IAM user guide, IAM and AWS STS quotas)."""
MAX_REF_CHARACTERS = 255

RefKind = Literal["branch", "tag", "environment"]
REF_KINDS: tuple[RefKind, ...] = ("branch", "tag", "environment")

_PREFIXES = {"branch": "ref:refs/heads/", "tag": "ref:refs/tags/", "environment": "environment:"}

# Owners have letters, digits and hyphens, those of managed users an underscore too. What else there could be would mean
# something in a subject (`:`, `@`, `/`) or in a condition (`*`, `?`, `$`).
_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,38}/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}")
_ID = re.compile(r"[1-9][0-9]{0,19}")
# Printable ASCII without what means something in a condition, and without the colon, which ends a part of the subject.
_WORD = r"[!-#%-)+-9;->@-~]+"
_ENVIRONMENT = re.compile(f"{_WORD}( {_WORD})*")
# Of that, what git takes for a name (https://git-scm.com/docs/git-check-ref-format) and nobody writes by mistake.
_BRANCH_OR_TAG = re.compile(rf"(?!.*([~^\\\[]|\.\.|//|/\.|@\{{|\.lock(/|$)|[/.]$))(?![-./]|@$|refs/){_WORD}")


@dataclass(frozen=True, kw_only=True, slots=True)
class GithubPublisher:
    """The workflows of a repository on a branch, for a tag or in an environment, and what they may publish."""

    repository: str
    """`OWNER/NAME`, as GitHub spells it."""
    kind: RefKind
    """Whether they run on a branch, for a tag or in an environment."""
    ref: str
    """The name of the branch, tag or environment; `*` at the end of a branch or a tag is any text."""
    owner_id: str | None = None
    """The owner's id, digits; with it, and the repository's, the subject with ids is trusted and no other."""
    repository_id: str | None = None
    """The repository's id, digits."""
    packages: tuple[str, ...] | None = None
    """Normalized names or `prefix-*`, as `parse_package` reads them; `None` is everything."""

    def __post_init__(self) -> None:
        """Refuse what would trust others than it says, and normalize the packages.

        Raises:
            InvalidArgsError: a name is none, or there is one id alone.
        """
        mistakes = Mistakes()
        mistakes.read("repository", self.repository, parse_repository, None)
        if self.kind in REF_KINDS:
            mistakes.read("ref", self.ref, partial(parse_ref, kind=self.kind), None)
        else:
            expected, fix = "branch, tag or environment", "write one of these"
            mistakes.add("kind", wrong_type(self.kind, expected=expected, fix=fix))
        for name in ("owner_id", "repository_id"):
            if (number := getattr(self, name)) is not None:
                mistakes.read(name, number, parse_id, None)
        mistakes.read("", (self.owner_id, self.repository_id), _refuse_one_id, None)
        if self.packages is not None:
            packages = mistakes.read("packages", self.packages, _parse_packages, None)
            object.__setattr__(self, "packages", packages)
        mistakes.finish()

    @classmethod
    def parse(cls, value: object) -> Self:
        """The workflows, as an entry already, or as a config has them: a map.

        Raises:
            InvalidArgsError: a field is a mistake.
            InvalidValueError: it is neither.
        """
        if isinstance(value, cls):
            return value
        if not isinstance(value, Mapping):
            fix = "write repository: OWNER/NAME and, on a line of its own, tag: NAME, branch: NAME or environment: NAME"
            raise wrong_type(value, expected="a map that names a workflow", fix=fix)
        fields = cast("Mapping[str, Any]", value)
        mistakes = Mistakes()
        mistakes.refuse_unknown(fields, ["repository", *REF_KINDS, "ownerId", "repositoryId", "packages"])
        repository = mistakes.read("repository", fields.get("repository"), parse_repository, "")
        kind: RefKind | None = mistakes.read("", fields, _parse_kind, None)
        ref = mistakes.read(kind, fields[kind], partial(parse_ref, kind=kind), "") if kind else ""
        ids = [
            mistakes.read(name, fields[name], parse_id, None) if name in fields else None
            for name in ("ownerId", "repositoryId")
        ]
        if ("ownerId" in fields) != ("repositoryId" in fields):
            mistakes.read("", (fields.get("ownerId"), fields.get("repositoryId")), _refuse_one_id, None)
        packages = None
        if "packages" in fields:
            packages = mistakes.read("packages", fields["packages"] or (), _parse_packages, None)
        mistakes.finish()
        return cls(
            repository=repository,
            kind=cast("RefKind", kind),
            ref=ref,
            owner_id=ids[0],
            repository_id=ids[1],
            packages=packages,
        )

    @property
    def workflow(self) -> str:
        """What people call it: `acme/tools tag v*`."""
        return f"{self.repository} {self.kind} {self.ref}"

    @property
    def subject(self) -> str:
        """The subject claim of its tokens, in the one form that its repository sends."""
        owner, _, name = self.repository.partition("/")
        if self.owner_id:
            owner, name = f"{owner}@{self.owner_id}", f"{name}@{self.repository_id}"
        return f"repo:{owner}/{name}:{_PREFIXES[self.kind]}{self.ref}"


@dataclass(frozen=True, kw_only=True, slots=True)
class GithubRole:
    """The IAM role of a workflow."""

    workflow: str
    """The workflow, as `GithubPublisher` has it."""
    name: str
    """The role's name, up to 64 characters."""
    arn: str
    trust_policy: str
    """Who may assume the role: a document, minified."""
    publishers: tuple[Publisher, ...]
    """The role as a publisher of what the workflow may publish."""


def make_roles(publishers: Iterable[GithubPublisher], arns: Arns, account: str, *, prefix: str) -> list[GithubRole]:
    """The roles in `account`, one for each workflow, sorted; their names begin with `prefix`, which says the stack."""
    by_workflow: dict[str, list[GithubPublisher]] = {}
    for publisher in publishers:
        by_workflow.setdefault(publisher.workflow, []).append(publisher)
    roles: list[GithubRole] = []
    for workflow, same in sorted(by_workflow.items()):
        name = _role_name(prefix, workflow, arns)
        arn = f"arn:{arns.partition}:iam::{account}:role/{name}"
        principal = Principal(arn)
        roles.append(
            GithubRole(
                workflow=workflow,
                name=name,
                arn=arn,
                trust_policy=_trust_policy(same[0].subject, arns.partition, account),
                publishers=tuple(Publisher(principal=principal, packages=each.packages) for each in same),
            )
        )
    return roles


def _role_name(prefix: str, workflow: str, arns: Arns) -> str:
    """A name that says the stack and the workflow as far as there is room, and ends in a digest of both.

    The digest tells apart what looks alike without the characters that IAM does not take, in other stacks too. It does
    not change with the ids, nor with other workflows.
    """
    digest = hashlib.sha256(f"{arns.repository}\n{workflow}".encode()).hexdigest()[:8]
    said = re.sub("[^A-Za-z0-9_.]+", "-", f"{prefix}-{workflow}")
    return f"{said[: MAX_ROLE_NAME_CHARACTERS - len(digest) - 1].rstrip('-')}-{digest}"


def provider_arn(partition: str, account: str) -> str:
    """The ARN of an account's OpenID Connect provider for GitHub, of which there is one."""
    return f"arn:{partition}:iam::{account}:oidc-provider/{ISSUER}"


def _trust_policy(subject: str, partition: str, account: str) -> str:
    audience, subjects = {f"{ISSUER}:aud": AUDIENCE}, {f"{ISSUER}:sub": subject}
    statement = {
        "Sid": "AssumeRoleFromGithub",
        "Effect": "Allow",
        "Principal": {"Federated": provider_arn(partition, account)},
        "Action": "sts:AssumeRoleWithWebIdentity",
        "Condition": (
            {"StringEquals": audience, "StringLike": subjects}
            if subject.endswith("*")
            else {"StringEquals": audience | subjects}
        ),
    }
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, separators=(",", ":"))


def trusted_workflow(trust_policy: str) -> str | None:
    """The workflow that a document as above trusts, with the ids if they count; `None` for another document."""
    for statement in json.loads(trust_policy)["Statement"]:
        for keys in statement.get("Condition", {}).values():
            if subject := keys.get(f"{ISSUER}:sub"):
                for kind, prefix in _PREFIXES.items():
                    repository, found, ref = subject.removeprefix("repo:").partition(f":{prefix}")
                    if found:
                        return f"{repository} {kind} {ref}"
    return None


def parse_repository(value: object) -> str:
    """`value`, if it is a repository: `OWNER/NAME`.

    Raises:
        InvalidValueError: it is not.
    """
    if not isinstance(value, str) or not _REPOSITORY.fullmatch(value):
        expected = "one repository on github.com: OWNER/NAME, in letters, digits and hyphens; the name with . and _ too"
        fix = "write it as `gh repo view --json nameWithOwner` shows it"
        if isinstance(value, str) and "*" in value:
            fix = "name each repository in an entry of its own: `*` would trust the repositories of others"
        raise wrong_type(value, expected=expected, fix=fix)
    return value


def parse_ref(value: object, kind: RefKind) -> str:
    """`value`, if it is the name of a branch, a tag or an environment; `*` may end the first two.

    Raises:
        InvalidValueError: it is not.
    """
    if isinstance(value, str) and len(value) <= MAX_REF_CHARACTERS and _is_ref(value, kind):
        return value
    expected = f"the name of one {kind}, up to {MAX_REF_CHARACTERS} characters, without : * ? $"
    if kind != "environment":
        expected = f"the name of a {kind}, or its beginning and *, up to {MAX_REF_CHARACTERS} characters, without : ? $"
    fix = f"write the whole name of the {kind}"
    match value:
        case str() if kind == "environment":
            fix = "write %3A for the colon, as GitHub's tokens have it" if ":" in value else fix
        case str():
            fix = (
                "leave refs/heads/ or refs/tags/ out" if value.startswith("refs/") else f"{fix}, or * at its end alone"
            )
        case _:
            fix = "write one quoted string"
    raise wrong_type(value, expected=expected, fix=fix)


def _is_ref(text: str, kind: RefKind) -> bool:
    if kind == "environment":
        return _ENVIRONMENT.fullmatch(text) is not None
    # What a `*` stands for is some text, here `x`.
    return _BRANCH_OR_TAG.fullmatch(f"{text[:-1]}x" if text.endswith("*") else text) is not None


def parse_id(value: object) -> str:
    """`value`, if it is GitHub's id of an owner or a repository: digits.

    Raises:
        InvalidValueError: it is not.
    """
    if not isinstance(value, str) or not _ID.fullmatch(value):
        fix = "see `gh api repos/OWNER/NAME --jq '.owner.id, .id'`, and quote what it shows"
        raise wrong_type(value, expected="an id of GitHub's, digits in quotes", fix=fix)
    return value


def _refuse_one_id(ids: tuple[str | None, str | None]) -> None:
    """Refuse one id without the other: the subject has both or none."""
    owner_id, repository_id = ids
    if (owner_id is None) != (repository_id is None):
        got = "repositoryId without ownerId" if owner_id is None else "ownerId without repositoryId"
        fix = "add the other, which `gh api repos/OWNER/NAME --jq '.owner.id, .id'` shows"
        raise InvalidValueError(got=got, expected="both ids, or neither", fix=fix)


def _parse_kind(fields: Mapping[str, object]) -> RefKind:
    given: list[RefKind] = [kind for kind in REF_KINDS if fields.get(kind) is not None]
    if len(given) != 1:
        got, fix = "no branch, tag or environment", "add one: without it every workflow of the repository would publish"
        if given:
            got, fix = " and ".join(given), "write an entry for each"
        raise InvalidValueError(got=got, expected="one of branch, tag and environment", fix=fix)
    return given[0]


def _parse_packages(value: object) -> tuple[str, ...]:
    return parse_packages(value, instead_of_all="leave packages out to let the workflow publish everything")


def refused_mixtures(publishers: Sequence[GithubPublisher | None]) -> Iterator[tuple[int, InvalidValueError]]:
    """The mistakes of entries that are about one repository in two ways, each with its index.

    A repository has one spelling, one pair of ids or none. To trust two would be to trust its next owner. Entries that
    are `None` are passed over.
    """
    first: dict[str, GithubPublisher] = {}
    for index, publisher in enumerate(publishers):
        if publisher is None:
            continue
        before = first.setdefault(publisher.repository.lower(), publisher)
        if publisher.repository != before.repository:
            fix = "write both as `gh repo view --json nameWithOwner` shows it"
            expected = f"{before.repository!r}, as in an entry before it"
            yield index, InvalidValueError(got=repr(publisher.repository), expected=expected, fix=fix)
        elif (publisher.owner_id, publisher.repository_id) != (before.owner_id, before.repository_id):
            fix = "write the same in both: the ids for a repository that is newer than 2026-07-15 or has opted in"
            got, expected = _ids(publisher), f"{_ids(before)}, as in an entry of {before.repository} before it"
            yield index, InvalidValueError(got=got, expected=expected, fix=fix)


def _ids(publisher: GithubPublisher) -> str:
    return f"the ids {publisher.owner_id} and {publisher.repository_id}" if publisher.owner_id else "no ids"
