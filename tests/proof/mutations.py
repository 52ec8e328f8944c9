"""Mistakes that one could make in a policy: changes of a statement, each made wherever there is such a statement.

Not among them is what changes nothing for anybody:
- a statement for the domain's own account, which leaves it to that account's policies as no statement does too;
- the account beside a pattern, which has the account in it;
- `StringLike` for `StringEquals` where there is no `*`;
- a wider resource in a repository's policy, which is about that repository alone;
- an Allow of publishing for whom `closedPublishing` denies it;
- what is to attach, where nobody from another account is listed;
- more packages in an identity policy, where the repository's policy limits the publisher to its own;
- less in the repository's policy, or tags for the repository in the domain's, for the account that made it in another
  account's domain: there identity policies are enough;
- the right to replace a policy, in that policy.
"""

import copy
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from proof import iam
from proof.iam import Policies, Statement, Statements
from proof.matrix import ALONE, PAIRS, THERE
from proof.request import Example, Formula, Token, TokenExample
from proof.theorems import Case, case_of, find, is_trusted, succeeds

Change = Callable[[Statement], Iterable[Statement | None]]
"""The statements that could stand for one; `None` is none."""

_Path = Sequence[str]

_ACTION, _RESOURCE, _PRINCIPAL, _PROVIDER = ["Action"], ["Resource"], ["Principal", "AWS"], ["Principal", "Federated"]
_PATTERN = ["Condition", "ArnLike", "aws:PrincipalArn"]
_ACCOUNT = ["Condition", "StringEquals", "aws:PrincipalAccount"]
_ORGANIZATION = ["Condition", "StringEquals", "aws:PrincipalOrgID"]
_SERVICE = ["Condition", "StringEquals", "sts:AWSServiceName"]
_NOT_ARN = ["Condition", "ArnNotLike", "aws:PrincipalArn"]
_NOT_ACCOUNT = ["Condition", "StringNotEquals", "aws:PrincipalAccount"]
_NOT_ORGANIZATION = ["Condition", "StringNotEquals", "aws:PrincipalOrgID"]


def _values(statement: Statement, path: _Path) -> list[str]:
    """The texts at a path; none where there is no such path."""
    found: Any = statement
    for key in path:
        found = found.get(key, []) if isinstance(found, dict) else []
    return [found] if isinstance(found, str) else found


def _put(statement: Statement, path: _Path, *values: str) -> Statement | None:
    """The statement with other texts at a path. Without any a condition goes, or else the statement."""
    changed: Any = copy.deepcopy(statement)
    *before, last = path
    holder = changed
    for key in before:
        holder = holder.setdefault(key, {})
    holder[last] = [*values]
    if not values:
        del holder[last]
        return changed if path[0] == "Condition" else None
    return changed


def _to(path: _Path, change: Callable[[list[str]], list[str]]) -> Change:
    """All texts at the path become others."""
    return lambda statement: [_put(statement, path, *change(old)) for old in [_values(statement, path)] if old]


def _each(path: _Path, change: Callable[[str], str | None]) -> Change:
    """Each text at the path, by itself, becomes another; or goes, where there is none."""

    def changes(statement: Statement) -> Iterator[Statement | None]:
        old = _values(statement, path)
        for index, text in enumerate(old):
            if (new := change(text)) != text:
                yield _put(statement, path, *old[:index], *([new] if new else []), *old[index + 1 :])

    return changes


def _less(path: _Path) -> Change:
    return _each(path, lambda _: None)


def _more(path: _Path, *texts: str) -> Change:
    return _to(path, lambda old: [*old, *texts])


def _operator(path: _Path, operator: str, change: Callable[[str], str] = str) -> Change:
    """The condition at the path has another operator."""

    def changes(statement: Statement) -> Iterator[Statement | None]:
        if (old := _values(statement, path)) and (without := _put(statement, path)):
            yield _put(without, ["Condition", operator, path[2]], *map(change, old))

    return changes


def _sub(pattern: str, new: str) -> Callable[[str], str]:
    return partial(re.sub, pattern, new, count=1)


def _with(**parts: Any) -> Change:
    return lambda statement: [{**statement, **parts}]


def _where(is_it: Callable[[Statement], Any], change: Change) -> Change:
    return lambda statement: change(statement) if is_it(statement) else []


def _does(operation: str) -> Callable[[Statement], bool]:
    return lambda statement: f"codeartifact:{operation}" in _values(statement, _ACTION)


def _claim(operator: str, claim: str, change: Callable[[_Path], Change]) -> Change:
    """A change of the condition on a claim, whoever the issuer is."""

    def changes(statement: Statement) -> Iterator[Statement | None]:
        for key in statement.get("Condition", {}).get(operator, {}):
            if key.endswith(f":{claim}"):
                yield from change(["Condition", operator, key])(statement)

    return changes


def _subject(change: Callable[[_Path], Change], *, is_pattern: bool | None = None) -> Change:
    """A change of the subject; of that which is a pattern, or is none, alone."""
    operators = {None: ["StringEquals", "StringLike"], True: ["StringLike"], False: ["StringEquals"]}[is_pattern]
    return lambda statement: [new for each in operators for new in _claim(each, "sub", change)(statement)]


def _matched(operator: str, claim: str, change: Callable[[str], str]) -> Change:
    """The claim is matched with a pattern, beside what else is."""

    def changes(path: _Path) -> Change:
        def changed(statement: Statement) -> Iterator[Statement | None]:
            old = _values(statement, path)
            if (new := [*map(change, old)]) != old and (without := _put(statement, path)):
                yield _put(without, ["Condition", "StringLike", path[2]], *new)

        return changed

    return _claim(operator, claim, changes)


def _with_subject(change: Callable[[list[str]], list[str]]) -> Change:
    return _subject(lambda path: _to(path, change))


def _has(claim: str) -> Callable[[Statement], bool]:
    return lambda statement: any(
        key.endswith(f":{claim}") for keys in statement.get("Condition", {}).values() for key in keys
    )


def _of(project: str) -> Callable[[Statement], bool]:
    """Whether it is about jobs of a project: `repo:` of GitHub, `project_path:` of GitLab."""
    return lambda statement: (
        f'sub": "{project}' in json.dumps(statement) or f'sub": ["{project}' in json.dumps(statement)
    )


def _no_condition(statement: Statement) -> list[Statement | None]:
    return [{key: value for key, value in statement.items() if key != "Condition"}] if "Condition" in statement else []


def _nothing(_: Statement) -> list[Statement | None]:
    return [None]


def _then(first: Change, second: Change) -> Change:
    return lambda statement: [after for before in first(statement) if before for after in second(before)]


_STRANGER = "arn:aws:iam::777788889999:role/stranger"
_ADMINS = [f"arn:aws:iam::{account}:role/admin" for account in ("111122223333", "444455556666")]
_OTHER_ACCOUNT = _sub("[0-9]{12}", "777788889999")
_DOMAIN = "arn:aws:codeartifact:us-west-2:444455556666:domain/acme"
_OTHER_REPOSITORY = _sub("(?<=/)private-pypi", "other")

ALLOWED: Mapping[str, Change] = {
    "an action more": _more(_ACTION, "codeartifact:UpdateRepository"),
    "an action less": _less(_ACTION),
    "every action": _to(_ACTION, lambda _: ["codeartifact:*"]),
    "a principal more": _more(_PRINCIPAL, _STRANGER),
    "a principal less": _less(_PRINCIPAL),
    "a principal's whole account": _each(_PRINCIPAL, _sub("(role|user)/.*", "root")),
    "a principal of another account": _each(_PRINCIPAL, _OTHER_ACCOUNT),
    "a principal of another path": _each(_PRINCIPAL, _sub("role/", "role/path/")),
    "everybody": _where(lambda statement: statement["Principal"] != "*", _with(Principal="*")),
    "everybody, without the condition": _no_condition,
    "everybody of the account, without the pattern": _to(_PATTERN, lambda _: []),
    "all that begin like a name in a condition": _each(_PATTERN, _sub("(?<![*])$", "*")),
    "users for the roles in a condition": _each(_PATTERN, _sub(":role/", ":user/")),
    "a wider pattern": _each(_PATTERN, _sub("(role|user)/.*", "*")),
    "a narrower pattern": _each(_PATTERN, _sub("$", "x")),
    "a pattern in another account": _each(_PATTERN, _OTHER_ACCOUNT),
    "a pattern in every account": _then(_each(_PATTERN, _sub("[0-9]{12}", "*")), _to(_ACCOUNT, lambda _: [])),
    "a pattern, and another account beside it": _each(_ACCOUNT, _OTHER_ACCOUNT),
    "an organization more": _more(_ORGANIZATION, "o-9999999999"),
    "another organization": _each(_ORGANIZATION, lambda _: "o-9999999999"),
    "every organization": _operator(_ORGANIZATION, "StringLike", lambda _: "o-*"),
    "every organization but one": _operator(_ORGANIZATION, "StringNotEquals"),
    "all packages for some": _each(_RESOURCE, _sub("pypi//.*", "*")),
    "all that begin like a package": _each(_RESOURCE, _sub(r"(pypi//.*?)(-\*)?$", r"\1*")),
    "a resource less": _less(_RESOURCE),
    "packages of one format": _each(_RESOURCE, _sub(r"(package/.*/.*/)\*$", r"\1pypi/*")),
    "packages of another repository": _each(_RESOURCE, _OTHER_REPOSITORY),
    "the repository for its packages": _each(_RESOURCE, _sub(r"package/(.*)/\*$", r"repository/\1")),
    "the packages for their repository": _each(_RESOURCE, _sub("repository/(.*)", r"package/\1/*")),
    "listing packages without being asked to": _where(
        lambda statement: _does("ReadFromRepository")(statement) and not _does("ListPackages")(statement),
        _more(_ACTION, "codeartifact:ListPackages"),
    ),
    "describing packages without being asked to": _where(
        lambda statement: _does("GetPackageVersionAsset")(statement) and not _does("DescribePackage")(statement),
        _more(_ACTION, "codeartifact:DescribePackageVersion"),
    ),
    "a role that is made, of another stack": _each(_PATTERN, _sub("private-pypi-test", "private-pypi-prod")),
    "a Deny for an Allow": _with(Effect="Deny"),
    "no Allow": _nothing,
}
"""Mistakes in what the policies of the domain and of the repository allow."""

BY_THE_OWNER: Mapping[str, Change] = {
    "repositories made by naming the domain": _where(_does("CreateRepository"), _to(_RESOURCE, lambda _: [_DOMAIN])),
    "tags on every resource": _where(_does("TagResource"), _to(_RESOURCE, lambda _: ["*"])),
    "no tags on the domain": _where(_does("TagResource"), _each(_RESOURCE, _sub(".*:domain/.*", ""))),
    "no token for one who is listed": _where(_does("GetAuthorizationToken"), _less(_PRINCIPAL)),
    "a token for a whole account": _where(
        _does("GetAuthorizationToken"), _each(_PRINCIPAL, _sub("(role|user)/.*", "root"))
    ),
    "a token for all in a condition's account": _where(_does("GetAuthorizationToken"), _to(_PATTERN, lambda _: [])),
}
"""Mistakes in what the owner of the domain is told to allow."""

DENIED: Mapping[str, Change] = {
    "an action more denied": _more(_ACTION, "codeartifact:DeleteRepositoryPermissionsPolicy"),
    "an action less denied": _less(_ACTION),
    "every action denied": _to(_ACTION, lambda _: ["codeartifact:*"]),
    "a resource less denied": _less(_RESOURCE),
    "packages of one format denied": _each(_RESOURCE, _sub(r"(package/.*/.*/)\*$", r"\1pypi/*")),
    "packages of another repository denied": _each(_RESOURCE, _OTHER_REPOSITORY),
    "denied to one alone": _with(Principal={"AWS": [_STRANGER]}),
    "denied to all but some": lambda statement: [_put(statement, _NOT_ARN, *_values(statement, _NOT_ARN), *_ADMINS)],
    "denied to publishers too": _no_condition,
    "denied to a publisher": _less(_NOT_ARN),
    "denied to a publisher's account": _less(_NOT_ACCOUNT),
    "denied to a publisher's organization": _less(_NOT_ORGANIZATION),
    "denied to publishers alone": _operator(_NOT_ARN, "ArnLike"),
    "denied to the publishers' account alone": _operator(_NOT_ACCOUNT, "StringEquals"),
    "denied to the publishers' organization alone": _operator(_NOT_ORGANIZATION, "StringEquals"),
    "an Allow for a Deny": _with(Effect="Allow"),
    "no Deny": _nothing,
}
"""Mistakes in what the policies of the repositories deny."""

ATTACHED: Mapping[str, Change] = {
    "an action more to attach": _where(
        lambda statement: "Condition" not in statement, _more(_ACTION, "codeartifact:UpdateRepository")
    ),
    "an action less to attach": _less(_ACTION),
    "every resource to attach": _each(_RESOURCE, _sub("arn:.*", "*")),
    "attached, in the domain's account too": _to(_NOT_ACCOUNT, lambda _: []),
    "attached, in the domain's account alone": _operator(_NOT_ACCOUNT, "StringEquals"),
    "attached, but in another account": _each(_NOT_ACCOUNT, _OTHER_ACCOUNT),
    "bearer tokens of every service": _operator(_SERVICE, "StringLike", lambda _: "*"),
    "bearer tokens of another service": _each(_SERVICE, lambda _: "codecommit.amazonaws.com"),
    "bearer tokens without a service": _to(_SERVICE, lambda _: []),
    "nothing to attach": _nothing,
}
"""Mistakes in the documents ready to attach."""

OF_EACH: Mapping[str, Change] = {
    "one publisher_policy for all": _where(_does("PublishPackageVersion"), _each(_RESOURCE, _sub("pypi//.*", "*"))),
    "a package less to attach": _where(_does("PublishPackageVersion"), _less(_RESOURCE)),
    "the policy of a reader for a publisher": _where(_does("PublishPackageVersion"), _nothing),
    "packages of every repository to attach": _where(
        _does("PublishPackageVersion"), _each(_RESOURCE, _sub("/private-pypi/.*", "/*"))
    ),
    "publishing for readers too": _where(
        _does("ReadFromRepository"), _more(_ACTION, "codeartifact:PublishPackageVersion")
    ),
}
"""Mistakes in the identity policies of single publishers, where these are enough by themselves."""

_GITHUB_SUBJECT, _GITLAB_SUBJECT = _of("repo:"), _of("project_path:")


def _is_every_job(statement: Statement) -> bool:
    return ':*"' in json.dumps(statement)


def _has_one_subject(statement: Statement) -> bool:
    """Two are too much for the solver where each is a pattern that may match anything in its middle."""
    subjects = [values for keys in statement["Condition"].values() for key, values in keys.items() if ":sub" in key]
    return isinstance(subjects[0], str)


def _is_every_job_of_github(statement: Statement) -> bool:
    return _GITHUB_SUBJECT(statement) and _is_every_job(statement)


def _is_every_job_of_gitlab(statement: Statement) -> bool:
    return _GITLAB_SUBJECT(statement) and _is_every_job(statement)


def _renamed(pattern: str, new: str) -> Change:
    """Each subject, in turn, has another text in it."""
    return _subject(lambda path: _each(path, _sub(pattern, new)))


def _widened(pattern: str, new: str) -> Change:
    """Each subject is matched with a pattern in which another text stands."""
    change = _sub(pattern, new)
    return lambda statement: [
        new_one for each in ("StringEquals", "StringLike") for new_one in _matched(each, "sub", change)(statement)
    ]


TRUSTED: Mapping[str, Change] = {
    "the provider of another account": _each(_PROVIDER, _OTHER_ACCOUNT),
    "the provider of another issuer": _each(_PROVIDER, _sub("[^/]*$", "gitlab.example.org")),
    "a provider more": _to(_PROVIDER, lambda old: [*old, *map(_OTHER_ACCOUNT, old)]),
    "a way more to a role": _more(_ACTION, "sts:AssumeRole"),
    "another way to a role": _to(_ACTION, lambda _: ["sts:AssumeRoleWithSAML"]),
    "an audience more": _claim("StringEquals", "aud", lambda path: _more(path, "https://github.com/acme")),
    "another audience": _claim("StringEquals", "aud", lambda path: _to(path, lambda _: ["https://github.com/acme"])),
    "every audience": _claim("StringEquals", "aud", lambda path: _to(path, lambda _: [])),
    "every audience, as a pattern": _matched("StringEquals", "aud", lambda _: "*"),
    "every audience but the right one": _claim("StringEquals", "aud", lambda path: _operator(path, "StringNotEquals")),
    "every subject": _subject(lambda path: _to(path, lambda _: []), is_pattern=False),
    "every subject, without the pattern": _subject(lambda path: _to(path, lambda _: []), is_pattern=True),
    "every subject but the right one": _subject(lambda path: _operator(path, "StringNotEquals"), is_pattern=False),
    "a subject less": _subject(_less),
    "a subject more": _with_subject(lambda old: [*old, "repo:acme/x:ref:refs/heads/main"]),
    "the subject of another owner": _renamed("acme", "other"),
    "the subject of an owner in another case": _renamed("acme", "Acme"),
    "the subject of an owner that begins alike": _renamed("acme", "acme2"),
    "the subject of a project that begins alike": _renamed("(core|tools)", r"\g<1>2"),
    "the subject of a project below": _where(_GITLAB_SUBJECT, _renamed("tools", "tools/x")),
    "every project of the owner": _where(_has_one_subject, _widened("/[^:]*", "/*")),
    "every run of the project": _where(
        lambda statement: not _is_every_job(statement),
        _widened(r"^((repo|project_path):[^:]*):.*", r"\g<1>:*"),
    ),
    "pull requests too": _where(
        lambda statement: _GITHUB_SUBJECT(statement) and not _is_every_job(statement),
        _with_subject(lambda old: [*old, *(re.sub("^(repo:[^:]*):.*", r"\g<1>:pull_request", each) for each in old)]),
    ),
    "pull requests alone": _where(_is_every_job_of_github, _renamed("[*]$", "pull_request")),
    "one branch of every job": _where(_is_every_job_of_gitlab, _renamed("[*]$", "ref_type:branch:ref:main")),
    "all that begins like the subject": _widened("(?<![*])$", "*"),
    "a branch for a tag": _where(_GITHUB_SUBJECT, _renamed("tags", "heads")),
    "a tag for a branch": _where(_GITHUB_SUBJECT, _renamed("heads", "tags")),
    "a tag for a branch, on GitLab": _where(_GITLAB_SUBJECT, _renamed("branch", "tag")),
    "a ref that begins alike": _renamed("(v1|main|v|release)([*]?)$", r"\g<1>-2\g<2>"),
    "a ref in another case": _renamed("(main|v)([*1]?)$", r"X\g<2>"),
    "a star that is no pattern": _subject(lambda path: _operator(path, "StringEquals"), is_pattern=True),
    "every id in a subject": _widened("@[0-9]+:", "@*:"),
    "another id in a subject": _renamed("@[0-9]+:", "@99:"),
    "another owner's id in a subject": _renamed("@[0-9]+/", "@99/"),
    "the subject without ids, and nothing that tells whose it is": _claim(
        "StringEquals", "repository_id", lambda path: _to(path, lambda _: [])
    ),
    "every repository's id": _matched("StringEquals", "repository_id", lambda _: "*"),
    "another repository's id": _claim("StringEquals", "repository_id", lambda path: _each(path, lambda _: "99")),
    "an id more": _claim("StringEquals", "repository_id", lambda path: _more(path, "99")),
    "every id but the right one": _claim(
        "StringEquals", "repository_id", lambda path: _operator(path, "StringNotEquals")
    ),
    "all ids that begin alike": _matched("StringEquals", "repository_id", _sub("$", "*")),
    "every file": _claim("StringLike", "job_workflow_ref", lambda path: _to(path, lambda _: [])),
    "every file of the repository": _claim(
        "StringLike", "job_workflow_ref", lambda path: _each(path, _sub("workflows/.*", "workflows/*"))
    ),
    "every file that begins alike": _claim(
        "StringLike", "job_workflow_ref", lambda path: _each(path, _sub("[.]yml@", "*@"))
    ),
    "a file of every repository": _claim(
        "StringLike", "job_workflow_ref", lambda path: _each(path, _sub("^[^.]*/", "*/"))
    ),
    "a file of another repository": _claim(
        "StringLike", "job_workflow_ref", lambda path: _each(path, _sub("acme/core", "acme/x"))
    ),
    "a file at one ref": _claim(
        "StringLike", "job_workflow_ref", lambda path: _each(path, _sub("[*]$", "refs/tags/v1"))
    ),
    "a file whose star is no pattern": _claim(
        "StringLike", "job_workflow_ref", lambda path: _operator(path, "StringEquals")
    ),
    "another file": _claim("StringLike", "job_workflow_ref", lambda path: _each(path, _sub("publish", "test"))),
    "everybody trusted, without the conditions": _no_condition,
    "a Deny for the trust": _with(Effect="Deny"),
    "nobody trusted": _nothing,
}
"""Mistakes in whom the role of a CI workload trusts."""

MISTAKES = [*ALLOWED, *BY_THE_OWNER, *DENIED, *ATTACHED, *OF_EACH, *TRUSTED]

_Documents = Iterator[tuple[Statements, Callable[[Statements], object]]]
"""The statements of documents, each with what is found when they are others."""

_CONFIGS = ALONE | PAIRS | THERE


def mutants(mistake: str) -> Iterator[tuple[str, Statement, object]]:
    """Each place where the mistake can be made: the config, the statement, and what is found there."""
    alone = [name for name in ALONE if "own account" not in name]
    closed = [name for name in PAIRS if re.fullmatch("publisher((?!own account).)* [+] closedPublishing", name)]
    from_elsewhere = [name for name in alone if name.endswith(("elsewhere", ", account", ", organization"))]
    # Where an identity policy is enough, except for what names an account.
    there = [
        name
        for name in PAIRS
        if re.fullmatch("(reader|publisher|workload|tags)((?!account).)* [+] existingDomain of another account", name)
    ]
    limited = [
        name for name in there if re.match("publishers? of packages?|workload, (branch|in two entries|GitLab)", name)
    ]
    for changes, effect, names, documents in (
        (ALLOWED, "Allow", alone, _permissions),
        (BY_THE_OWNER, "Allow", there, _owners),
        (DENIED, "Deny", [*alone, *closed], _permissions),
        (ATTACHED, "Allow", from_elsewhere, _identity),
        (OF_EACH, "Allow", [*limited, *(name for name in THERE if name.startswith("attached"))], _identity),
        (TRUSTED, "Allow", alone, _trust),
    ):
        for name in names if mistake in changes else []:
            for statements, find_difference in documents(case_of(_CONFIGS[name])):
                for index, statement in enumerate(statements):
                    if statement["Effect"] == effect:
                        for new in changes[mistake](statement):
                            changed = [*statements[:index], *([new] if new else []), *statements[index + 1 :]]
                            yield name, statement, find_difference(changed)


def _permissions(case: Case) -> _Documents:
    policies = case.made.policies
    yield policies.domain, lambda new: _difference(case, replace(policies, domain=new))
    for name, statements in policies.repositories.items():
        yield (
            statements,
            lambda new, name=name: _difference(
                case, replace(policies, repositories={**policies.repositories, name: new})
            ),
        )


def _owners(case: Case) -> _Documents:
    policies = case.made.policies
    yield policies.domain, lambda new: _difference(case, replace(policies, domain=new))


def _identity(case: Case) -> _Documents:
    policies = case.made.policies
    for name, statements in policies.identity.items():
        yield (
            statements,
            lambda new, name=name: _difference(case, replace(policies, identity={**policies.identity, name: new})),
        )


def _trust(case: Case) -> _Documents:
    token = Token()

    def difference(trust_policy: Statements, is_of_workflow: Formula, changed: Statements) -> TokenExample | None:
        example = find(token, iam.trusts(changed, token) != is_of_workflow)
        assert not example or is_trusted(changed, example) != is_trusted(trust_policy, example), example
        return example

    for role, is_of_workflow in case.meaning.trusts(token).items():
        trust_policy = case.made.trust_policies[role]
        yield trust_policy, partial(difference, trust_policy, is_of_workflow)


def _difference(case: Case, changed: Policies) -> Example | None:
    """A request that the config gives and the changed policies do not, or the other way round; by the evaluator too."""
    example = case.difference(changed)
    assert not example or succeeds(changed, example) != succeeds(case.made.policies, example), example
    return example
