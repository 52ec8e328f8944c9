"""CI workloads: the jobs of GitHub and GitLab that get a role, whom their roles trust, and what the roles are called.

A job has no keys of AWS. GitHub and GitLab sign a token for it whose subject says where it runs, and the role trusts
that subject. What differs between the two is a row of `ISSUERS`.
https://docs.github.com/en/actions/reference/security/oidc
https://docs.gitlab.com/ci/cloud_services/aws/
"""

import hashlib
import json
import re
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, fields
from functools import partial
from types import MappingProxyType
from typing import Any, Literal, Self, cast

from private_pypi.arns import Arns
from private_pypi.errors import InvalidArgsError, InvalidValueError, Mistakes, describe, wrong_type
from private_pypi.names import parse_packages

MAX_ROLE_NAME_CHARACTERS = 64
MAX_TRUST_POLICY_CHARACTERS = 2048
"""The longest trust policy that IAM takes (IAM user guide, IAM and AWS STS quotas)."""
MAX_REF_CHARACTERS = 255
MAX_HOST_CHARACTERS = 247
"""Of an address of 255 (API reference, CreateOpenIDConnectProvider), without `https://`."""

CLAIMS_PARTITION = "aws"
"""Where STS takes more claims than subject and audience: AWS, "AWS STS now supports validation of select identity
provider specific claims", January 2026."""

RefKind = Literal["branch", "tag", "environment"]
REF_KINDS: tuple[RefKind, ...] = ("branch", "tag", "environment")


@dataclass(frozen=True, kw_only=True, slots=True)
class Issuer:
    """Who signs the tokens of a kind of CI workload."""

    title: str
    host: str
    """Its host, unless the workload names another: the address without `https://`."""
    audience: str | None
    """For whom its tokens are made; `None` is the issuer's own address."""
    prefix: str
    """What a subject begins with, before the project."""
    refs: Mapping[RefKind, str]
    """What stands in a subject between the project and the name of a ref, by what the ref may be."""
    project: re.Pattern[str]
    """What may stand for the project."""
    form: str
    """The form of that, for messages."""
    look_up: str
    """How to see it as the issuer spells it."""
    optional: Collection[str]
    """The other fields that a workload of it may have."""
    claims: Mapping[str, str]
    """The claims that STS takes beside subject and audience, by the field that they are for, in `CLAIMS_PARTITION`."""


# Of what else there could be in a project each character would mean something in a subject (`:`, `@`) or in a condition
# (`*`, `?`, `$`). Owners on GitHub have letters, digits and hyphens, those of managed users an underscore too.
# GitLab: https://docs.gitlab.com/user/reserved_names/
_SEGMENT = r"(?!-)(?!\.+(/|$))[A-Za-z0-9_.-]{1,255}(?<!\.)(?<!\.git)(?<!\.atom)"

ISSUERS: Mapping[str, Issuer] = MappingProxyType(
    {
        "github": Issuer(
            title="GitHub",
            host="token.actions.githubusercontent.com",
            audience="sts.amazonaws.com",
            prefix="repo:",
            refs={"branch": "ref:refs/heads/", "tag": "ref:refs/tags/", "environment": "environment:"},
            project=re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,38}/(?!\.{1,2}$)[A-Za-z0-9._-]{1,100}"),
            form="one repository on github.com: OWNER/NAME, in letters, digits and hyphens; the name with . and _ too",
            look_up="write it as `gh repo view --json nameWithOwner` shows it",
            optional=("owner_id", "repository_id", "workflow"),
            claims={"repository_id": "repository_id", "workflow": "job_workflow_ref"},
        ),
        "gitlab": Issuer(
            title="GitLab",
            host="gitlab.com",
            audience=None,
            prefix="project_path:",
            refs={"branch": "ref_type:branch:ref:", "tag": "ref_type:tag:ref:"},
            project=re.compile(f"{_SEGMENT}(/{_SEGMENT}){{1,20}}"),
            form="the path of one project: GROUP/PROJECT, with all subgroups, in letters, digits, hyphens, . and _",
            look_up="write it as the project's address in the browser ends",
            optional=("host",),
            claims={},
        ),
    }
)

ID = re.compile(r"[1-9][0-9]{0,19}")
HOST = re.compile(r"([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+(?=[a-z0-9-]*[a-z])[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")
WORKFLOW = re.compile(r"[A-Za-z0-9_.+-]+\.ya?ml")
# What git refuses in a name (https://git-scm.com/docs/git-check-ref-format), and what nobody means.
_NO_BRANCH_OR_TAG = re.compile(r"[ ~^\\\[]|\.\.|//|/\.|@\{|\.lock(/|$)|[/.]$|^([-./]|@$|refs/)")

_SPELLED = {"owner_id": "ownerId", "repository_id": "repositoryId"}
"""The fields that have another name in a config."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Workload:
    """Jobs of a repository on GitHub, or of a project on GitLab, which get an IAM role that is made for them."""

    github: str | None = None
    """`OWNER/NAME`, as GitHub spells it."""
    gitlab: str | None = None
    """`GROUP/PROJECT`, as GitLab spells it."""
    host: str | None = None
    """The host of that GitLab: `gitlab.com` if no other is given."""
    branch: str | None = None
    """The branch that they run on; `*` at its end is any text."""
    tag: str | None = None
    """The tag that they run for; `*` at its end is any text."""
    environment: str | None = None
    """The environment of GitHub's that they run in. Without it, a branch and a tag it is every job."""
    owner_id: str | None = None
    """The owner's id on GitHub, digits. With it, and the repository's, nobody gets in who takes over a freed name."""
    repository_id: str | None = None
    """The repository's id on GitHub, digits."""
    workflow: str | None = None
    """The name of a file under `.github/workflows/`: jobs of others do not get the role."""
    packages: tuple[str, ...] | None = None
    """Of a publisher what it publishes: normalized names or `prefix-*`, as `parse_package` reads them; `None` is
    everything."""

    def __post_init__(self) -> None:
        """Refuse what would trust others than it says, and normalize the packages.

        Raises:
            InvalidArgsError: a field is a mistake, is missing, or is another issuer's.
        """
        mistakes = Mistakes()
        mistakes.read("", self, _refuse_none_or_both, None)
        mistakes.finish()
        mistakes.read("", self, _refuse_two_refs, None)
        mistakes.read("", self, _refuse_one_id, None)
        for each in fields(self):
            if (value := getattr(self, each.name)) is not None:
                value = mistakes.read(each.name, value, _parser(each.name, self.issuer), None)
                object.__setattr__(self, each.name, value)
        mistakes.finish()
        if self.gitlab:
            object.__setattr__(self, "host", self.host or self.issuer.host)
        _refuse_long_trust(self)

    @classmethod
    def parse(cls, value: object, *, partition: str | None = None) -> Self:
        """A workload, as one already or as a config has it: a map; in a `partition`, if that is known.

        Raises:
            InvalidArgsError: a field is a mistake, or STS does not take it in that partition.
            InvalidValueError: it is neither.
        """
        if isinstance(value, cls):
            return value.in_partition(partition) if partition else value
        if not isinstance(value, Mapping):
            fix = "write github: OWNER/NAME or gitlab: GROUP/PROJECT, and what else there is on lines of their own"
            raise wrong_type(value, expected="a map that names a CI workload", fix=fix)
        given = {**cast("Mapping[Any, Any]", value)}
        mistakes = Mistakes()
        if (repository := given.pop("repository", None)) and not given.keys() & {*ISSUERS}:
            fix = "write github or gitlab in the place of repository"
            mistakes.add("repository", InvalidValueError(got=describe(repository), expected=", ".join(KEYS), fix=fix))
            given["github"] = repository  # to find the mistakes in the rest
        mistakes.refuse_unknown(given, [*KEYS], otherwise="write the one of these that is meant")
        # Nothing after a key is not the same as no key, which may let in more.
        nothing = {key: () if key == "packages" else "" for key in given if given[key] is None}
        known: dict[str, Any] = {KEYS[key]: each for key, each in (given | nothing).items() if key in KEYS}
        own = Mistakes()
        workload = own.read("", known, lambda known: cls(**known), None)
        for path, mistake in own.found:
            field = re.split(r"\W", path)[0]
            mistakes.add(f"{_SPELLED.get(field, field)}{path.removeprefix(field)}", mistake)
        mistakes.finish()
        return cls.parse(workload, partition=partition)

    def in_partition(self, partition: str) -> Self:
        """The same, if STS can tell it from others in the partition.

        Raises:
            InvalidArgsError: it is limited by a claim that STS takes in the partition `aws` alone.
        """
        if self.workflow and partition != CLAIMS_PARTITION:
            expected = f"none in the partition {partition}: STS takes the claim {self.issuer.claims['workflow']} in aws"
            fix = "limit it by an environment instead, which that file alone names"
            raise InvalidArgsError(
                [("workflow", InvalidValueError(got=f"{self.workflow!r}", expected=expected, fix=fix))]
            )
        return self

    @property
    def issuer(self) -> Issuer:
        """The row of its kind."""
        return ISSUERS["github" if self.github is not None else "gitlab"]

    @property
    def issuer_host(self) -> str:
        """The host of whoever signs its tokens."""
        return self.host or self.issuer.host

    @property
    def project(self) -> str:
        """The repository or project."""
        return cast("str", self.github or self.gitlab)

    @property
    def ref(self) -> tuple[RefKind, str] | None:
        """The branch, tag or environment; `None` for every job."""
        return next(((kind, ref) for kind in REF_KINDS if (ref := getattr(self, kind)) is not None), None)

    @property
    def name(self) -> str:
        """What people call it: `github acme/tools tag v*`. Of a GitLab of one's own it begins with the host."""
        issuer = "github" if self.github else "gitlab"
        parts = [issuer if self.issuer_host == self.issuer.host else self.issuer_host, self.project]
        return " ".join([*parts, *([self.workflow] if self.workflow else []), *(self.ref or ())])

    @property
    def full_name(self) -> str:
        """The same, with the ids by which it is known: `github acme/tools tag v*, ids 123 and 456`."""
        return f"{self.name}, ids {self.owner_id} and {self.repository_id}" if self.owner_id else self.name

    def subjects(self, partition: str) -> list[str]:
        """The subjects of its tokens, as far as they can be told from those of others; with `*` a pattern.

        A repository on GitHub sends one with ids or one without. Without ids only the latter can be known. With them
        both are, if a condition on the repository's id keeps out whoever takes over its name, else only the former.
        https://docs.github.com/en/actions/reference/security/oidc
        """
        projects = [self.project]
        if self.owner_id:
            owner, _, name = self.project.partition("/")
            by_ids = f"{owner}@{self.owner_id}/{name}@{self.repository_id}"
            projects = [self.project, by_ids] if partition == CLAIMS_PARTITION else [by_ids]
        where = f"{self.issuer.refs[self.ref[0]]}{self.ref[1]}" if self.ref else "*"
        return [f"{self.issuer.prefix}{project}:{where}" for project in projects]

    def trust_policy(self, partition: str, account: str) -> str:
        """The trust policy of its role in an account: a document, minified."""
        issuer, host = self.issuer, self.issuer_host
        equal: dict[str, object] = {f"{host}:aud": issuer.audience or f"https://{host}"}
        like: dict[str, object] = {}
        subjects = self.subjects(partition)
        is_pattern = subjects[0].endswith("*")
        (like if is_pattern else equal)[f"{host}:sub"] = subjects[0] if len(subjects) == 1 else subjects
        if self.repository_id and partition == CLAIMS_PARTITION:
            equal[f"{host}:{issuer.claims['repository_id']}"] = self.repository_id
        if self.workflow:
            file = f"{self.project}/.github/workflows/{self.workflow}@*"
            like[f"{host}:{issuer.claims['workflow']}"] = file
        statement = {
            "Sid": f"AssumeRoleFrom{issuer.title.capitalize()}",
            "Effect": "Allow",
            "Principal": {"Federated": provider_arn(host, partition, account)},
            "Action": "sts:AssumeRoleWithWebIdentity",
            "Condition": {"StringEquals": equal, **({"StringLike": like} if like else {})},
        }
        return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, separators=(",", ":"))


KEYS: Mapping[str, str] = {_SPELLED.get(each.name, each.name): each.name for each in fields(Workload)}
"""What a map in a config may have that names a workload, each with the field that it is for."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Role:
    """The IAM role of a CI workload."""

    workload: Workload
    name: str
    """The role's name, up to 64 characters."""
    arn: str
    trust_policy: str
    """Who may assume the role: a document, minified."""


def make_roles(workloads: Iterable[Workload], arns: Arns, account: str, *, prefix: str) -> list[Role]:
    """The roles in `account`, one for each workload, sorted; their names begin with `prefix`, which says the stack."""
    roles: list[Role] = []
    for _, workload in sorted({each.name: each for each in workloads}.items()):
        name = _role_name(prefix, workload, arns)
        roles.append(
            Role(
                workload=workload,
                name=name,
                arn=f"arn:{arns.partition}:iam::{account}:role/{name}",
                trust_policy=workload.trust_policy(arns.partition, account),
            )
        )
    return roles


def _role_name(prefix: str, workload: Workload, arns: Arns) -> str:
    """A name that says the stack and the workload as far as there is room, and ends in a digest of both.

    The digest tells apart what looks alike without the characters that IAM does not take, in other stacks too. It does
    not change with the ids, nor with other workloads.
    """
    who = workload.name.removeprefix("github ")  # URNs and ARNs stay what they were before there was another issuer
    digest = hashlib.sha256(f"{arns.repository}\n{who}".encode()).hexdigest()[:8]
    said = re.sub("[^A-Za-z0-9_.]+", "-", f"{prefix}-{who}")
    return f"{said[: MAX_ROLE_NAME_CHARACTERS - len(digest) - 1].rstrip('-')}-{digest}"


def provider_arn(host: str, partition: str, account: str) -> str:
    """The ARN of an account's OpenID Connect provider for an issuer, of which there is one."""
    return f"arn:{partition}:iam::{account}:oidc-provider/{host}"


def trusted_workload(trust_policy: object, partition: str, account: str) -> Workload | None:
    """The workload that a role's trust policy trusts, if it is just as `Workload` writes it; else `None`."""
    try:
        document: Any = json.loads(cast("str", trust_policy))
        (statement,) = document["Statement"]
        host = statement["Principal"]["Federated"].partition(":oidc-provider/")[2]
        values: dict[str, Any] = {key: each for of in statement["Condition"].values() for key, each in of.items()}
        subjects = values[f"{host}:sub"]
        file = values.get(f"{host}:{ISSUERS['github'].claims['workflow']}", "")
        field = "github" if host == ISSUERS["github"].host else "gitlab"
        *_, subject = [subjects] if isinstance(subjects, str) else subjects
        project, _, where = subject.removeprefix(ISSUERS[field].prefix).partition(":")
        given = {"host": host} if field == "gitlab" else {}
        if match := re.fullmatch("(.+)@(.+)/(.+)@(.+)", project):
            owner, given["owner_id"], name, given["repository_id"] = match.groups()
            project = f"{owner}/{name}"
        if file:
            given["workflow"] = file.partition("/.github/workflows/")[2].removesuffix("@*")
        for kind, prefix in ISSUERS[field].refs.items():
            if where.startswith(prefix):
                given[kind] = where.removeprefix(prefix)
        workload = Workload(**{field: project}, **given)
        return workload if json.loads(workload.trust_policy(partition, account)) == document else None
    except (AttributeError, IndexError, KeyError, TypeError, ValueError):
        return None


def refuse_mixture(workload: Workload, before: dict[tuple[str, str], Workload]) -> None:
    """Refuse an entry that is about one project in another way than an entry `before` it, where it is noted.

    A project has one spelling, and one pair of ids or none. To trust two would be to trust its next owner.

    Raises:
        InvalidValueError: it has another spelling, or other ids.
    """
    other = before.setdefault((workload.issuer_host, workload.project.lower()), workload)
    if workload.project != other.project:
        expected, fix = f"{other.project!r}, as in an entry before it", workload.issuer.look_up
        raise InvalidValueError(got=repr(workload.project), expected=expected, fix=fix)
    if (workload.owner_id, workload.repository_id) != (other.owner_id, other.repository_id):
        expected = f"{_ids(other)}, as in an entry of {other.project} before it"
        raise InvalidValueError(got=_ids(workload), expected=expected, fix="write the same ids in both")


def refuse_every_job(workload: Workload) -> None:
    """Refuse a workload that is every job of its project, as which nobody should publish.

    Raises:
        InvalidValueError: it is.
    """
    if not workload.ref:
        *kinds, last = workload.issuer.refs
        got = f"no {', '.join(kinds)} or {last}"
        fix = "add one: without it every job of the project would publish, those of pull requests too"
        raise InvalidValueError(got=got, expected=f"one of {', '.join(kinds)} and {last}", fix=fix)


def parse_provider(value: object) -> str:
    """`value`, if there can be an OpenID Connect provider for it: `github`, or the host of a GitLab.

    Raises:
        InvalidValueError: there cannot.
    """
    if value == "github":
        return "github"
    fixes = {"gitlab": "write gitlab.com, or the host of your own GitLab"}
    fixes |= dict.fromkeys(["github.com", ISSUERS["github"].host], "write github")
    fix = fixes.get(value.removeprefix("https://")) if isinstance(value, str) else None
    return _parse_host(value, expected=f"github, or the host of a GitLab: {_HOST_FORM}", fix=fix)


def provider_host(provider: str) -> str:
    """The host of a provider, as `parse_provider` reads it."""
    return ISSUERS["github"].host if provider == "github" else provider


def provider_audience(provider: str) -> str:
    """For whom the tokens of a provider's issuer are made."""
    return ISSUERS["github"].audience or "" if provider == "github" else f"https://{provider}"


def _parser(field: str, issuer: Issuer) -> Callable[[Any], object]:
    """What reads a field of a workload of an issuer."""
    if field == "packages":
        alone = "leave packages out to let the workload publish everything"
        return partial(parse_packages, instead_of_all=alone)
    if field in ISSUERS:
        return partial(_parse_project, issuer=issuer)
    if field not in {*issuer.optional, *issuer.refs}:
        return partial(_refuse_field, field=field, issuer=issuer)
    others = {"host": _parse_host, "owner_id": _parse_id, "repository_id": _parse_id, "workflow": _parse_workflow}
    return others.get(field) or partial(_parse_ref, kind=cast("RefKind", field))


def _refuse_field(value: object, *, field: str, issuer: Issuer) -> None:
    """Refuse a field of another issuer's workloads."""
    expected = ", ".join(_SPELLED.get(each, each) for each in (*issuer.refs, *issuer.optional))
    fix = f"take it out: it is none of {issuer.title}'s"
    if field == "environment":
        fix = f"name a branch or a tag: AWS is told no environment by {issuer.title}"
    raise wrong_type(value, expected=f"of a workload of {issuer.title}: {expected}", fix=fix)


def _parse_project(value: object, issuer: Issuer) -> str:
    if not isinstance(value, str) or not issuer.project.fullmatch(value):
        fix = issuer.look_up
        if isinstance(value, str) and "*" in value:
            fix = "name each project in an entry of its own: `*` would trust the projects of others"
        raise wrong_type(value, expected=issuer.form, fix=fix)
    return value


def _parse_ref(value: object, kind: RefKind) -> str:
    """`value`, if it is the name of a branch, a tag or an environment; `*` may end the first two."""
    if isinstance(value, str) and 0 < len(value) <= MAX_REF_CHARACTERS and _is_ref(value, kind):
        return value
    expected = f"the name of one {kind}, up to {MAX_REF_CHARACTERS} characters, without : * ? ${{"
    if kind != "environment":
        expected = (
            f"the name of a {kind}, or its beginning and *, up to {MAX_REF_CHARACTERS} characters, without : ? ${{"
        )
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
    # Letters of every script, but nothing that means something in a condition, and not the colon, which ends a part of
    # the subject.
    if kind != "environment" and text.endswith("*"):
        text = f"{text[:-1]}x"  # some text, for which the `*` stands
    if not text.isprintable() or re.search(r"[:*?]|\$\{", text):
        return False
    if kind == "environment":
        return text == " ".join(text.split())
    return not _NO_BRANCH_OR_TAG.search(text)


def _parse_id(value: object) -> str:
    """`value`, if it is GitHub's id of an owner or a repository: digits."""
    if not isinstance(value, str) or not ID.fullmatch(value):
        fix = "see `gh api repos/OWNER/NAME --jq '.owner.id, .id'`, and quote what it shows"
        raise wrong_type(value, expected="an id of GitHub's, digits in quotes", fix=fix)
    return value


def _parse_workflow(value: object) -> str:
    """`value`, if it is the name of a workflow's file."""
    if not isinstance(value, str) or not WORKFLOW.fullmatch(value):
        expected = "the name of one file under .github/workflows/, in letters, digits and _ . + -, that ends in .yml"
        fix = "write the file's name"
        if isinstance(value, str) and value.startswith(".github/workflows/"):
            fix = "leave .github/workflows/ out"
        raise wrong_type(value, expected=f"{expected} or .yaml", fix=fix)
    return value


_HOST_FORM = "lower-case letters, digits and hyphens between dots (gitlab.example.com)"


def _parse_host(value: object, expected: str = f"the host of one GitLab: {_HOST_FORM}", fix: str | None = None) -> str:
    """`value`, if IAM takes it for the host of an issuer: without a scheme, a port and a path."""
    if isinstance(value, str) and not fix:
        if HOST.fullmatch(value) and len(value) <= MAX_HOST_CHARACTERS and value != ISSUERS["github"].host:
            return value
        fix = "write the host alone, without https://, a port and a path"
    raise wrong_type(value, expected=expected, fix=fix or "write one quoted string")


def _refuse_none_or_both(workload: Workload) -> None:
    given = [name for name in ISSUERS if getattr(workload, name) is not None]
    if len(given) != 1:
        got, fix = "neither github nor gitlab", "add github: OWNER/NAME, or gitlab: GROUP/PROJECT"
        if given:
            got, fix = " and ".join(given), "write an entry for each"
        raise InvalidValueError(got=got, expected="one of github and gitlab", fix=fix)


def _refuse_two_refs(workload: Workload) -> None:
    given = [kind for kind in REF_KINDS if getattr(workload, kind) is not None]
    if len(given) > 1:
        expected, fix = "one of branch, tag and environment", "write an entry for each"
        raise InvalidValueError(got=" and ".join(given), expected=expected, fix=fix)


def _refuse_one_id(workload: Workload) -> None:
    """Refuse one id without the other: the subject has both or none."""
    if (workload.owner_id is None) != (workload.repository_id is None):
        got = "ownerId without repositoryId" if workload.owner_id else "repositoryId without ownerId"
        fix = "add the other, which `gh api repos/OWNER/NAME --jq '.owner.id, .id'` shows"
        raise InvalidValueError(got=got, expected="both ids, or neither", fix=fix)


def _refuse_long_trust(workload: Workload) -> None:
    """Refuse names that are longer together than a trust policy has room for. A letter beyond ASCII takes 6 characters.

    Raises:
        InvalidArgsError: they are, in the partition in which it is longest.
    """
    length = max(len(workload.trust_policy(each, "0" * 12)) for each in ("aws", "aws-us-gov"))
    if length > MAX_TRUST_POLICY_CHARACTERS:
        got = f"names that make a trust policy of {length:,} characters"
        expected, fix = f"up to {MAX_TRUST_POLICY_CHARACTERS:,} characters", "shorten the name of the ref"
        raise InvalidArgsError([("", InvalidValueError(got=got, expected=expected, fix=fix))])


def _ids(workload: Workload) -> str:
    return f"the ids {workload.owner_id} and {workload.repository_id}" if workload.owner_id else "no ids"
