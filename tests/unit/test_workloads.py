import json
from typing import Any

import evaluator
import pytest
from hypothesis import given
from hypothesis import strategies as st

from private_pypi.arns import Arns
from private_pypi.errors import InvalidArgsError, InvalidValueError
from private_pypi.workloads import (
    Role,
    Workload,
    make_roles,
    parse_provider,
    refuse_every_job,
    refuse_mixture,
    trusted_workload,
)

ACCOUNT = "111122223333"
ARNS = Arns(partition="aws", region="us-west-2", owner=ACCOUNT, domain_name="acme", repository_name="tools")
GITHUB = "token.actions.githubusercontent.com"
TAG = Workload(github="acme/tools", tag="v*")
IDS: dict[str, Any] = {"owner_id": "123", "repository_id": "456"}


def roles(*workloads: Workload, arns: Arns = ARNS, prefix: str = "private-pypi-dev") -> list[Role]:
    return make_roles(workloads, arns, ACCOUNT, prefix=prefix)


def made(**fields: Any) -> Workload:
    return Workload(**fields)


def trust(issuer: str, sid: str, condition: dict[str, object], partition: str = "aws") -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": sid,
                "Effect": "Allow",
                "Principal": {"Federated": f"arn:{partition}:iam::{ACCOUNT}:oidc-provider/{issuer}"},
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": condition,
            }
        ],
    }


def of_github(equal: dict[str, object], like: dict[str, object] | None = None, **place: str) -> dict[str, Any]:
    equal = {"aud": "sts.amazonaws.com"} | equal
    condition: dict[str, object] = {"StringEquals": {f"{GITHUB}:{claim}": value for claim, value in equal.items()}}
    if like:
        condition["StringLike"] = {f"{GITHUB}:{claim}": value for claim, value in like.items()}
    return trust(GITHUB, "AssumeRoleFromGithub", condition, **place)


@pytest.mark.parametrize(
    ("workload", "partition", "expected"),
    [
        (
            Workload(github="acme/tools", branch="main"),
            "aws",
            of_github({"sub": "repo:acme/tools:ref:refs/heads/main"}),
        ),
        (Workload(github="acme/tools", tag="v1.0"), "aws", of_github({"sub": "repo:acme/tools:ref:refs/tags/v1.0"})),
        (
            Workload(github="acme/tools", environment="pypi release"),
            "aws",
            of_github({"sub": "repo:acme/tools:environment:pypi release"}),
        ),
        (TAG, "aws", of_github({}, {"sub": "repo:acme/tools:ref:refs/tags/v*"})),
        (TAG, "aws-cn", of_github({}, {"sub": "repo:acme/tools:ref:refs/tags/v*"}, partition="aws-cn")),
        (Workload(github="acme/tools"), "aws", of_github({}, {"sub": "repo:acme/tools:*"})),
        (
            Workload(github="acme/tools", branch="main", **IDS),
            "aws",
            of_github(
                {
                    "sub": ["repo:acme/tools:ref:refs/heads/main", "repo:acme@123/tools@456:ref:refs/heads/main"],
                    "repository_id": "456",
                }
            ),
        ),
        (
            Workload(github="acme/tools", branch="release/*", **IDS),
            "aws",
            of_github(
                {"repository_id": "456"},
                {
                    "sub": [
                        "repo:acme/tools:ref:refs/heads/release/*",
                        "repo:acme@123/tools@456:ref:refs/heads/release/*",
                    ]
                },
            ),
        ),
        (
            Workload(github="acme/tools", **IDS),
            "aws-us-gov",
            of_github({}, {"sub": "repo:acme@123/tools@456:*"}, partition="aws-us-gov"),
        ),
        (
            Workload(github="acme/tools", environment="pypi", workflow="publish.yml"),
            "aws",
            of_github(
                {"sub": "repo:acme/tools:environment:pypi"},
                {"job_workflow_ref": "acme/tools/.github/workflows/publish.yml@*"},
            ),
        ),
        (
            Workload(gitlab="acme/data/tools", branch="main"),
            "aws",
            trust(
                "gitlab.com",
                "AssumeRoleFromGitlab",
                {
                    "StringEquals": {
                        "gitlab.com:aud": "https://gitlab.com",
                        "gitlab.com:sub": "project_path:acme/data/tools:ref_type:branch:ref:main",
                    }
                },
            ),
        ),
        (
            Workload(gitlab="acme/tools", tag="v*", host="gitlab.example.com"),
            "aws",
            trust(
                "gitlab.example.com",
                "AssumeRoleFromGitlab",
                {
                    "StringEquals": {"gitlab.example.com:aud": "https://gitlab.example.com"},
                    "StringLike": {"gitlab.example.com:sub": "project_path:acme/tools:ref_type:tag:ref:v*"},
                },
            ),
        ),
        (
            Workload(gitlab="acme/tools"),
            "aws",
            trust(
                "gitlab.com",
                "AssumeRoleFromGitlab",
                {
                    "StringEquals": {"gitlab.com:aud": "https://gitlab.com"},
                    "StringLike": {"gitlab.com:sub": "project_path:acme/tools:*"},
                },
            ),
        ),
    ],
)
def test_a_role_trusts_the_subjects_of_its_workload(
    workload: Workload, partition: str, expected: dict[str, Any]
) -> None:
    document = workload.trust_policy(partition, ACCOUNT)

    assert document == json.dumps(expected, separators=(",", ":"))
    assert trusted_workload(document, partition, ACCOUNT) == workload


@pytest.mark.parametrize(
    ("workload", "name", "role"),
    [
        # Those of what GitHub's publishers were called before there were other workloads: they never change.
        (TAG, "github acme/tools tag v*", "private-pypi-dev-acme-tools-tag-v-8d462482"),
        (
            Workload(github="acme/core", environment="pypi"),
            "github acme/core environment pypi",
            "private-pypi-dev-acme-core-environment-pypi-c9539ade",
        ),
        (
            Workload(github="acme/data", branch="main", **IDS),
            "github acme/data branch main",
            "private-pypi-dev-acme-data-branch-main-f4ee96f6",
        ),
        (Workload(github="acme/tools"), "github acme/tools", "private-pypi-dev-acme-tools-"),
        (
            Workload(github="acme/tools", workflow="publish.yml", tag="v*"),
            "github acme/tools publish.yml tag v*",
            "private-pypi-dev-acme-tools-publish.yml-tag-v-",
        ),
        (
            Workload(gitlab="acme/data/tools", branch="main", host="gitlab.com"),
            "gitlab acme/data/tools branch main",
            "private-pypi-dev-gitlab-acme-data-tools-branch-main-",
        ),
        (
            Workload(gitlab="acme/tools", tag="v1", host="gitlab.example.com"),
            "gitlab.example.com acme/tools tag v1",
            "private-pypi-dev-gitlab.example.com-acme-tools-tag-v1-",
        ),
    ],
)
def test_a_workload_and_its_role_have_a_name(workload: Workload, name: str, role: str) -> None:
    (role_of,) = roles(workload)

    assert workload.name == name
    assert role_of.name == role or role_of.name.startswith(role)
    assert len(role_of.name) <= 64
    assert role_of.arn == f"arn:aws:iam::{ACCOUNT}:role/{role_of.name}"


def test_the_ids_are_said_where_they_count() -> None:
    assert TAG.full_name == "github acme/tools tag v*"
    assert Workload(github="acme/tools", tag="v*", **IDS).full_name == "github acme/tools tag v*, ids 123 and 456"


def test_entries_for_one_workload_are_one_role() -> None:
    core = Workload(github="acme/tools", tag="v*", packages=("acme-core",))

    assert [role.workload.name for role in roles(core, TAG, core)] == ["github acme/tools tag v*"]
    assert Workload(gitlab="acme/tools", host="gitlab.com") == Workload(gitlab="acme/tools")


def test_names_in_another_case_are_another_workload() -> None:
    made = roles(Workload(github="acme/tools", environment="PyPI"), Workload(github="acme/tools", environment="pypi"))

    assert len({role.arn for role in made}) == 2


def test_a_long_name_is_cut_and_told_apart_by_its_digest() -> None:
    one, other = roles(
        Workload(github=f"acme/{'tools-' * 16}", tag="v1"), Workload(github=f"acme/{'tools-' * 16}", tag="v2")
    )

    assert one.name != other.name
    for name in (one.name, other.name):
        assert name.startswith("private-pypi-dev-acme-tools-tools-")
        assert len(name) <= 64


def test_names_that_look_alike_are_told_apart() -> None:
    alike = [
        Workload(github="a-b/c", tag="v"),
        Workload(github="a/b-c", tag="v"),
        Workload(github="a/b-c", tag="v*"),
        Workload(github="a/b-c", branch="v"),
        Workload(github="a/b-c-tag", tag="v"),
        Workload(github="a/b-c", tag="tag-v"),
        Workload(github="a/b-c"),
        Workload(github="a/b-c", workflow="tag.yml"),
        Workload(github="a/b-c", workflow="tag.yml", environment="v"),
        Workload(github="a/b-c", environment="tag.yml tag v"),
        Workload(gitlab="a/b-c", tag="v"),
        Workload(gitlab="a/b-c", tag="v", host="gitlab.example.com"),
        Workload(gitlab="gitlab.example.com/a/b-c", tag="v"),
        Workload(gitlab="a/b/c", tag="v"),
    ]

    assert len({workload.name for workload in alike}) == len(alike)
    assert len({role.name for role in roles(*alike)}) == len(alike)


def test_in_another_stack_a_role_has_another_name() -> None:
    other = Arns(partition="aws", region="us-west-2", owner=ACCOUNT, domain_name="acme", repository_name="other")

    assert (
        len({roles(TAG)[0].name, roles(TAG, arns=other)[0].name, roles(TAG, prefix="private-pypi-prod")[0].name}) == 3
    )


def test_a_name_does_not_change_with_the_other_entries_or_with_the_ids() -> None:
    other = Workload(github="acme/core", branch="main")
    known = Workload(github="acme/tools", tag="v*", **IDS)

    assert roles(other, TAG)[1].name == roles(TAG, other)[1].name == roles(TAG)[0].name == roles(known)[0].name


# Subject and claims in, the role or a refusal out. The claims are those of a run of acme/tools for the tag v1.0.
OF_GITHUB = {
    "sub": "repo:acme@123/tools@456:ref:refs/tags/v1.0",
    "aud": "sts.amazonaws.com",
    "repository": "acme/tools",
    "repository_id": "456",
    "job_workflow_ref": "acme/tools/.github/workflows/publish.yml@refs/tags/v1.0",
}
BY_NAME = {"sub": "repo:acme/tools:ref:refs/tags/v1.0"}
PULL_REQUEST = {
    "sub": "repo:acme@123/tools@456:pull_request",
    "job_workflow_ref": "acme/tools/.github/workflows/test.yml@refs/pull/7/merge",
}
OF_GITLAB = {"sub": "project_path:acme/tools:ref_type:tag:ref:v1.0", "aud": "https://gitlab.com"}
WITH_IDS = Workload(github="acme/tools", tag="v*", **IDS)
OF_A_FILE = Workload(github="acme/tools", tag="v*", workflow="publish.yml", **IDS)
EVERY_JOB = Workload(github="acme/tools", **IDS)
ON_GITLAB = Workload(gitlab="acme/tools", tag="v*")
EVERY_JOB_ON_GITLAB = Workload(gitlab="acme/tools")
OF_OURS = Workload(gitlab="acme/tools", tag="v1.0", host="gitlab.example.com")


def assumes(
    workload: Workload, claims: dict[str, str], *, issuer: str = "", partition: str = "aws", account: str = ACCOUNT
) -> bool:
    """Whether a token with the claims, of an issuer that an account has a provider for, gets the role of a workload."""
    provider = f"arn:{partition}:iam::{account}:oidc-provider/{issuer or workload.issuer_host}"
    return evaluator.trusts(json.loads(workload.trust_policy(partition, ACCOUNT)), provider, claims)


@pytest.mark.parametrize(
    ("workload", "changes"),
    [
        (TAG, BY_NAME),
        (WITH_IDS, {}),
        (WITH_IDS, BY_NAME),
        (OF_A_FILE, {}),
        (OF_A_FILE, BY_NAME),
        (EVERY_JOB, {}),
        (EVERY_JOB, PULL_REQUEST),
        (EVERY_JOB, {"sub": "repo:acme/tools:environment:pypi"}),
        (Workload(github="acme/tools", environment="pypi"), {"sub": "repo:acme/tools:environment:pypi"}),
        (Workload(github="acme/tools", branch="große/café"), {"sub": "repo:acme/tools:ref:refs/heads/große/café"}),
        (Workload(github="acme/tools", environment="本番"), {"sub": "repo:acme/tools:environment:本番"}),
        (ON_GITLAB, {}),
        (EVERY_JOB_ON_GITLAB, {}),
        (EVERY_JOB_ON_GITLAB, {"sub": "project_path:acme/tools:ref_type:branch:ref:feature"}),
        (OF_OURS, {"aud": "https://gitlab.example.com"}),
    ],
)
def test_a_job_of_the_workload_gets_its_role(workload: Workload, changes: dict[str, str]) -> None:
    assert assumes(workload, (OF_GITHUB if workload.github else OF_GITLAB) | changes)


@pytest.mark.parametrize(
    ("workload", "changes"),
    [
        *(
            (workload, changes)
            for workload in (WITH_IDS, OF_A_FILE, EVERY_JOB)
            for changes in (
                {"repository_id": "457"},
                BY_NAME | {"repository_id": "457"},
                {"sub": "repo:acme@124/tools@456:ref:refs/tags/v1.0"},
                {"sub": "repo:acme@1234/tools@456:ref:refs/tags/v1.0"},
                {"sub": "repo:acme@123/tools@457:ref:refs/tags/v1.0", "repository_id": "457"},
                {"sub": "repo:Acme@123/tools@456:ref:refs/tags/v1.0"},
                {"sub": "repo:acme2@123/tools@456:ref:refs/tags/v1.0"},
                {"sub": "repo:acme@123/tools2@456:ref:refs/tags/v1.0"},
                {"sub": "repo:other/tools:ref:refs/tags/v1.0"},
                {"sub": "repo:acme/tools2:ref:refs/tags/v1.0"},
                {"sub": "repo:acme/tools/x:ref:refs/tags/v1.0"},
                {"sub": "xrepo:acme/tools:ref:refs/tags/v1.0"},
                {"aud": "https://github.com/acme"},
            )
        ),
        *(
            (workload, changes)
            for workload in (WITH_IDS, OF_A_FILE)
            for changes in (
                PULL_REQUEST,
                {"sub": "repo:acme@123/tools@456:ref:refs/heads/v1.0"},
                {"sub": "repo:acme@123/tools@456:ref:refs/tags/1.0"},
                {"sub": "repo:acme@123/tools@456:environment:v1.0"},
                {"sub": "repo:acme/tools:ref:refs/tags/V1.0"},
            )
        ),
        (TAG, {}),
        (TAG, {"sub": "repo:acme/tools:pull_request"}),
        (OF_A_FILE, {"job_workflow_ref": "acme/tools/.github/workflows/test.yml@refs/tags/v1.0"}),
        (OF_A_FILE, {"job_workflow_ref": "acme/shared/.github/workflows/publish.yml@refs/tags/v1.0"}),
        (OF_A_FILE, {"job_workflow_ref": "acme/tools/.github/workflows/x/publish.yml@refs/tags/v1.0"}),
        (Workload(github="acme/tools", environment="pypi"), {"sub": "repo:acme/tools:environment:pypi-2"}),
        (Workload(github="acme/tools", environment="pypi"), {"sub": "repo:acme/tools:environment:PyPI"}),
        *(
            (workload, changes)
            for workload in (ON_GITLAB, EVERY_JOB_ON_GITLAB)
            for changes in (
                {"sub": "project_path:acme2/tools:ref_type:tag:ref:v1.0"},
                {"sub": "project_path:acme/tools2:ref_type:tag:ref:v1.0"},
                {"sub": "project_path:acme/tools/x:ref_type:tag:ref:v1.0"},
                {"sub": "project_path:x/acme/tools:ref_type:tag:ref:v1.0"},
                {"sub": "project_path:Acme/tools:ref_type:tag:ref:v1.0"},
                {"aud": "https://gitlab.example.com"},
                {"aud": "sts.amazonaws.com"},
            )
        ),
        (ON_GITLAB, {"sub": "project_path:acme/tools:ref_type:branch:ref:v1.0"}),
        (ON_GITLAB, {"sub": "project_path:acme/tools:ref_type:tag:ref:1.0"}),
        (OF_OURS, {}),
    ],
)
def test_whoever_comes_near_does_not(workload: Workload, changes: dict[str, str]) -> None:
    assert not assumes(workload, (OF_GITHUB if workload.github else OF_GITLAB) | changes)


@pytest.mark.parametrize("workload", [WITH_IDS, ON_GITLAB])
def test_a_token_of_another_issuer_or_for_another_account_gets_no_role(workload: Workload) -> None:
    claims = OF_GITHUB if workload.github else OF_GITLAB

    assert assumes(workload, claims)
    assert not assumes(workload, claims, issuer="gitlab.example.com")
    assert not assumes(workload, claims, account="444455556666")


@pytest.mark.parametrize("workload", [WITH_IDS, OF_A_FILE, EVERY_JOB])
def test_without_the_claims_that_it_is_limited_by_nobody_gets_the_role(workload: Workload) -> None:
    """Where STS does not take them, or a token lacks them, the condition is false."""
    assert not assumes(workload, {"sub": OF_GITHUB["sub"], "aud": OF_GITHUB["aud"]})


@pytest.mark.parametrize("partition", ["aws-cn", "aws-us-gov"])
def test_in_other_partitions_only_the_subject_with_ids_can_be_trusted(partition: str) -> None:
    claims = {"aud": "sts.amazonaws.com"}

    assert assumes(WITH_IDS, claims | {"sub": OF_GITHUB["sub"]}, partition=partition)
    assert not assumes(WITH_IDS, claims | BY_NAME, partition=partition)
    assert WITH_IDS.in_partition(partition) == WITH_IDS
    with pytest.raises(InvalidValueError) as error:
        Workload.parse(OF_A_FILE, partition=partition)
    assert str(error.value) == (
        "workflow: got 'publish.yml'\n"
        f"  expected: none in the partition {partition}: STS takes the claim job_workflow_ref in aws\n"
        "  fix:      limit it by an environment instead, which that file alone names"
    )


OWNERS, NAMES = st.sampled_from(["acme", "Acme", "acme2"]), st.sampled_from(["x", "x.y", "X"])
REFS = ["v1", "v1.0", "v2", "1"]
PAIRS = st.sampled_from([(None, None), ("1", "2"), ("1", "3"), ("2", "2")])


@given(
    listed=st.tuples(OWNERS, NAMES, PAIRS),
    sent=st.tuples(OWNERS, NAMES, st.sampled_from([("1", "2"), ("1", "3"), ("2", "2")]), st.booleans()),
    kind=st.sampled_from(["branch", "tag", None]),
    pattern=st.sampled_from([*REFS, "v*", "v1*", "*"]),
    sent_kind=st.sampled_from(["branch", "tag"]),
    ref=st.sampled_from(REFS),
)
def test_a_role_is_assumed_by_what_the_config_gives_and_nothing_else(
    listed: tuple[str, str, tuple[str | None, str | None]],
    sent: tuple[str, str, tuple[str, str], bool],
    kind: str | None,
    pattern: str,
    sent_kind: str,
    ref: str,
) -> None:
    owner, name, (owner_id, repository_id) = listed
    where: dict[str, Any] = {kind: pattern} if kind else {}
    workload = Workload(github=f"{owner}/{name}", owner_id=owner_id, repository_id=repository_id, **where)
    sent_owner, sent_name, ids, has_ids_in_subject = sent
    sender = f"{sent_owner}@{ids[0]}/{sent_name}@{ids[1]}" if has_ids_in_subject else f"{sent_owner}/{sent_name}"
    refs = {"branch": "heads", "tag": "tags"}
    claims = {
        "sub": f"repo:{sender}:ref:refs/{refs[sent_kind]}/{ref}",
        "aud": "sts.amazonaws.com",
        "repository_id": ids[1],
    }
    prefix = pattern.removesuffix("*")

    is_known = repository_id == ids[1] and (owner_id == ids[0] or not has_ids_in_subject)
    assert assumes(workload, claims) == (
        (owner, name) == (sent_owner, sent_name)
        and (is_known if owner_id else not has_ids_in_subject)
        and kind in {None, sent_kind}
        and (kind is None or (ref.startswith(prefix) if pattern.endswith("*") else ref == prefix))
    )


@given(
    project=st.sampled_from([{"github": "acme/tools"}, {"gitlab": "acme/data/tools"}]),
    ref=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40),
    kind=st.sampled_from(["branch", "tag", "environment"]),
)
def test_what_is_taken_has_its_place_in_the_subject_and_a_name_that_iam_takes(
    project: dict[str, Any], ref: str, kind: str
) -> None:
    """No name makes the subject of another workload, by a colon, a wildcard or a policy variable."""
    try:
        workload = made(**project, **{kind: ref})
    except InvalidValueError:
        return
    (role,) = roles(workload)
    assert ":" not in ref
    assert "?" not in ref
    assert "${" not in ref
    assert "*" not in (ref if kind == "environment" else ref[:-1])
    assert ref.isprintable()
    assert "::" not in workload.name.replace(" ", ":")
    assert role.name.isascii()
    assert role.name.replace("-", "").replace("_", "").replace(".", "").isalnum()
    assert len(role.name) <= 64
    assert role.trust_policy.isascii()
    assert trusted_workload(role.trust_policy, "aws", ACCOUNT) == workload


def refused(**fields: Any) -> str:
    with pytest.raises(InvalidArgsError) as error:
        Workload(**fields)
    return str(error.value)


@pytest.mark.parametrize("name", ["acme/tools", "A-b_c/x.y_z-1", f"{'a' * 39}/{'b' * 100}", "a/.github", "1/2"])
def test_a_repository_is_an_owner_and_a_name(name: str) -> None:
    assert Workload(github=name).project == name


@pytest.mark.parametrize(
    "value",
    [
        *("acme", "acme/", "/tools", "acme/..", "acme/.", "acme/../x", "acme/tools/x", "-acme/tools", "acme/to ols"),
        *("acme/tools:x", "acme:x/tools", "acme@1/tools@2", "acme/tools@2", "acme/${aws:username}", "acme/t?ols"),
        *("acme/tool\u017f", "acme/tools\n", "https://github.com/acme/tools", f"{'a' * 40}/b", f"a/{'b' * 101}", ""),
        *(7, True, ["acme/tools"]),
    ],
)
def test_what_is_no_repository_is_refused(value: object) -> None:
    assert refused(github=value).endswith(
        "\n  expected: one repository on github.com: OWNER/NAME, in letters, digits and hyphens; "
        "the name with . and _ too"
        "\n  fix:      write it as `gh repo view --json nameWithOwner` shows it"
    )


@pytest.mark.parametrize(
    "path", ["acme/tools", "acme/data/science/tools", "a.b/c_d-e", "_x/.y", f"{'a' * 255}/{'b' * 255}", "a" + "/b" * 20]
)
def test_a_project_is_its_path(path: str) -> None:
    assert Workload(gitlab=path).project == path


@pytest.mark.parametrize(
    "value",
    [
        *("acme", "acme/", "/tools", "acme//tools", "acme/..", "acme/./x", "-acme/tools", "acme/-tools", "acme/tools."),
        *("acme/tools.git", "acme.git/tools", "acme/tools.atom", "acme/to ols", "acme/tools:x", "acme/t?ols", "a/b@c"),
        *("acme/${aws:username}", "acme/é", "acme/tools\n", "https://gitlab.com/acme/tools", f"a/{'b' * 256}", ""),
        *("a" + "/b" * 21, 7, ["acme/tools"]),
    ],
)
def test_what_is_no_project_is_refused(value: object) -> None:
    assert refused(gitlab=value).endswith(
        "\n  expected: the path of one project: GROUP/PROJECT, with all subgroups, in letters, digits, hyphens, . and _"
        "\n  fix:      write it as the project's address in the browser ends"
    )


@pytest.mark.parametrize("issuer", ["github", "gitlab"])
@pytest.mark.parametrize("value", ["acme*", "*/tools", "acme*/tools", "acme/*", "acme/tools*", "*"])
def test_a_star_in_a_project_is_refused_because_it_trusts_others(issuer: str, value: str) -> None:
    assert refused(**{issuer: value}).endswith("`*` would trust the projects of others")


PROJECTS = [{"github": "acme/tools"}, {"gitlab": "acme/tools"}]


@pytest.mark.parametrize("project", PROJECTS)
@pytest.mark.parametrize("kind", ["branch", "tag"])
@pytest.mark.parametrize(
    "ref",
    [
        "main",
        "release/1.x",
        "v*",
        "release/*",
        "*",
        "a.b",
        "#1",
        "x" * 255,
        "größe",
        "日本語",
        "v$1",
        "a{b}",
        "100%",
        "a@b",
    ],
)
def test_a_branch_or_a_tag_may_end_in_a_star(project: dict[str, Any], kind: Any, ref: str) -> None:
    assert made(**project, **{kind: ref}).ref == (kind, ref)


@pytest.mark.parametrize("project", PROJECTS)
@pytest.mark.parametrize("kind", ["branch", "tag"])
@pytest.mark.parametrize(
    "ref",
    [
        *("v*1", "*v", "v**", "v?", "a:b", "a b", "${aws:username}", "v${x}*", "a..b", "a//b", "/a", "a/", "a.", ".a"),
        *("a/.b", "-a", "a~1", "a^", "a[b", "a\\b", "a@{b", "@", "a.lock", "a.lock/b", "a\n", "x" * 256, "", "..*"),
        *("a\u202eb", "a\u00a0b", "a\ud800", "a\x7f"),
    ],
)
def test_what_is_no_branch_and_no_tag_is_refused(project: dict[str, Any], kind: str, ref: str) -> None:
    assert refused(**project, **{kind: ref}) == (
        f"{kind}: got {ref!r}\n"
        f"  expected: the name of a {kind}, or its beginning and *, up to 255 characters, without : ? ${{\n"
        f"  fix:      write the whole name of the {kind}, or * at its end alone"
    )


@pytest.mark.parametrize("value", [1.0, True, ["v1"]])
@pytest.mark.parametrize("kind", ["branch", "tag", "environment"])
def test_a_name_is_a_string(kind: str, value: object) -> None:
    assert refused(github="acme/tools", **{kind: value}).endswith("\n  fix:      write one quoted string")


def test_the_prefix_of_a_ref_is_not_written() -> None:
    message = refused(github="acme/tools", branch="refs/heads/main")

    assert message.endswith("\n  fix:      leave refs/heads/ or refs/tags/ out")


@pytest.mark.parametrize(
    "ref", ["production", "Production%3AV1", "pypi release", "a/b", "x" * 255, "Prüfung", "a$b", "本番 2"]
)
def test_an_environment_is_named_whole(ref: str) -> None:
    assert Workload(github="acme/tools", environment=ref).ref == ("environment", ref)


@pytest.mark.parametrize("ref", ["prod*", "*", "a?b", "${a}", " a", "a ", "a  b", "a\tb", "a\u00a0b", "", "x" * 256])
def test_what_is_no_environment_is_refused(ref: str) -> None:
    assert refused(github="acme/tools", environment=ref) == (
        f"environment: got {ref!r}\n"
        "  expected: the name of one environment, up to 255 characters, without : * ? ${\n"
        "  fix:      write the whole name of the environment"
    )


def test_a_colon_in_an_environment_is_written_as_in_the_token() -> None:
    message = refused(github="acme/tools", environment="Production:V1")

    assert message.endswith("\n  fix:      write %3A for the colon, as GitHub's tokens have it")


@pytest.mark.parametrize("value", ["", "0", "012", "1*", "*", "12a", "1\n", "-1", "1" * 21, 12, True])
def test_an_id_is_quoted_digits(value: object) -> None:
    assert Workload(github="a/b", owner_id="12345678901234567890", repository_id="1")
    assert refused(github="a/b", owner_id=value, repository_id="1").endswith(
        "\n  expected: an id of GitHub's, digits in quotes"
        "\n  fix:      see `gh api repos/OWNER/NAME --jq '.owner.id, .id'`, and quote what it shows"
    )
    assert refused(github="a/b", owner_id="1", repository_id=value).startswith("repository_id: got ")


@pytest.mark.parametrize(
    ("ids", "got"),
    [
        ({"owner_id": "1"}, "ownerId without repositoryId"),
        ({"repository_id": "1"}, "repositoryId without ownerId"),
    ],
)
def test_there_are_both_ids_or_none(ids: dict[str, str], got: str) -> None:
    assert refused(github="a/b", **ids) == (
        f"got {got}\n"
        "  expected: both ids, or neither\n"
        "  fix:      add the other, which `gh api repos/OWNER/NAME --jq '.owner.id, .id'` shows"
    )


@pytest.mark.parametrize("file", ["publish.yml", "Test_1.x.yaml", "a-b+c.yml"])
def test_a_workflow_is_a_file(file: str) -> None:
    assert Workload(github="a/b", workflow=file).workflow == file


@pytest.mark.parametrize(
    ("value", "fix"),
    [
        (".github/workflows/publish.yml", "leave .github/workflows/ out"),
        *(
            (each, "write the file's name")
            for each in ("", "*.yml", "a?.yml", "a b.yml", "a@x.yml", "a.json", "x/y.yml")
        ),
        *((each, "write the file's name") for each in ("${a}.yml", "é.yml", "a.yml\n", 7, ["a.yml"])),
    ],
)
def test_what_is_no_workflow_is_refused(value: object, fix: str) -> None:
    assert refused(github="a/b", workflow=value).endswith(
        "\n  expected: the name of one file under .github/workflows/, in letters, digits and _ . + -, that ends in .yml"
        f" or .yaml\n  fix:      {fix}"
    )


@pytest.mark.parametrize("host", ["gitlab.com", "gitlab.example.com", "git-1.a.b.example", "1.example", "xn--a.b.c4"])
def test_a_gitlab_has_a_host(host: str) -> None:
    assert Workload(gitlab="a/b", host=host).issuer_host == host
    assert parse_provider(host) == host


HOST = "lower-case letters, digits and hyphens between dots (gitlab.example.com)"


@pytest.mark.parametrize(
    "value",
    [
        *("gitlab", "localhost", "https://gitlab.example.com", "gitlab.example.com/", "gitlab.example.com:8443", ""),
        *("gitlab.example.com/git", "GitLab.example.com", "gitlab..com", ".gitlab.com", "gitlab.com.", "-a.com"),
        *("a-.com", "*.example.com", "gitlab.?om", "10.0.0.1", "a.1", "gitlab.com\n", "git lab.com", "é.com"),
        *("token.actions.githubusercontent.com", f"{'a' * 64}.com", ".".join(["a" * 60] * 5), "gitlab.com@evil.com"),
    ],
)
def test_what_is_no_host_is_refused(value: str) -> None:
    fix = "write the host alone, without https://, a port and a path"

    assert refused(gitlab="a/b", host=value) == (
        f"host: got {value!r}\n  expected: the host of one GitLab: {HOST}\n  fix:      {fix}"
    )


@pytest.mark.parametrize("value", [7, ["gitlab.com"]])
def test_a_host_is_a_string(value: object) -> None:
    assert refused(gitlab="a/b", host=value).endswith("\n  fix:      write one quoted string")


@pytest.mark.parametrize(
    ("value", "fix"),
    [
        ("gitlab", "write gitlab.com, or the host of your own GitLab"),
        ("github.com", "write github"),
        ("https://token.actions.githubusercontent.com", "write github"),
        ("GitLab.com", "write the host alone, without https://, a port and a path"),
        (True, "write one quoted string"),
    ],
)
def test_what_has_no_provider_is_refused(value: object, fix: str) -> None:
    with pytest.raises(InvalidValueError) as error:
        parse_provider(value)
    assert str(error.value).endswith(f"\n  expected: github, or the host of a GitLab: {HOST}\n  fix:      {fix}")


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        (
            {},
            (
                "got neither github nor gitlab\n"
                "  expected: one of github and gitlab\n"
                "  fix:      add github: OWNER/NAME, or gitlab: GROUP/PROJECT"
            ),
        ),
        (
            {"github": "a/b", "gitlab": "a/b"},
            ("got github and gitlab\n  expected: one of github and gitlab\n  fix:      write an entry for each"),
        ),
        (
            {"github": "a/b", "branch": "main", "tag": "v1"},
            ("got branch and tag\n  expected: one of branch, tag and environment\n  fix:      write an entry for each"),
        ),
        (
            {"github": "a/b", "host": "github.example.com"},
            (
                "host: got 'github.example.com'\n"
                "  expected: of a workload of GitHub: branch, tag, environment, ownerId, repositoryId, workflow\n"
                "  fix:      take it out: it is none of GitHub's"
            ),
        ),
        (
            {"gitlab": "a/b", "environment": "prod"},
            (
                "environment: got 'prod'\n"
                "  expected: of a workload of GitLab: branch, tag, host\n"
                "  fix:      name a branch or a tag: AWS is told no environment by GitLab"
            ),
        ),
        (
            {"gitlab": "a/b", "workflow": "x.yml"},
            (
                "workflow: got 'x.yml'\n"
                "  expected: of a workload of GitLab: branch, tag, host\n"
                "  fix:      take it out: it is none of GitLab's"
            ),
        ),
    ],
)
def test_fields_that_do_not_go_together_are_refused(fields: dict[str, str], message: str) -> None:
    assert refused(**fields) == message


def test_names_that_a_trust_policy_has_no_room_for_are_refused() -> None:
    """IAM counts the characters of the document, in which a letter beyond ASCII has six."""
    assert Workload(github="acme/tools", branch="é" * 200)
    assert refused(github="acme/tools", branch="é" * 200, **IDS) == (
        "got names that make a trust policy of 2,902 characters\n"
        "  expected: up to 2,048 characters\n"
        "  fix:      shorten the name of the ref"
    )


def test_a_workload_is_read_as_a_config_has_it() -> None:
    written = {
        "github": "acme/tools",
        "tag": "v*",
        "ownerId": "123",
        "repositoryId": "456",
        "workflow": "publish.yml",
        "packages": ["Acme_Core"],
    }

    workload = Workload.parse(written, partition="aws")

    assert workload == Workload(github="acme/tools", tag="v*", workflow="publish.yml", packages=("acme-core",), **IDS)
    assert Workload.parse(workload) == workload


@pytest.mark.parametrize(
    ("written", "paths"),
    [
        ({"github": None}, ["github"]),
        ({"github": "a/b", "tag": None}, ["tag"]),
        ({"github": "a/b", "ownerId": None, "repositoryId": "1"}, ["ownerId"]),
        ({"github": "a/b", "workflow": None}, ["workflow"]),
        ({"gitlab": "a/b", "host": None}, ["host"]),
        ({"github": "a/b", "packages": None}, ["packages"]),
        ({"github": "a/b", "packages": ["*"]}, ["packages[0]"]),
        ({"github": "a/b", "ownerId": 1, "repositoryId": 2}, ["ownerId", "repositoryId"]),
        ({"github": "a/b", "brunch": "main", "tag": "v*1"}, ["brunch", "tag"]),
        ({"repository": "a*/b", "tag": "v*1"}, ["repository", "github", "tag"]),
        ({"tag": "v*"}, [""]),
    ],
    ids=str,
)
def test_mistakes_in_a_map_are_shown_under_its_keys(written: dict[str, object], paths: list[str]) -> None:
    with pytest.raises(InvalidArgsError) as error:
        Workload.parse(written)
    assert [path for path, _ in error.value.mistakes] == paths


def test_a_field_that_nobody_knows_is_not_told_to_be_taken_out() -> None:
    """Without it the role may be that of more jobs."""
    with pytest.raises(InvalidValueError) as error:
        Workload.parse({"github": "a/b", "ref": "main", "branches": "x"})
    expected = "github, gitlab, host, branch, tag, environment, ownerId, repositoryId, workflow, packages"
    assert str(error.value) == (
        "ref: got a key that does not exist\n"
        f"  expected: {expected}\n"
        "  fix:      write the one of these that is meant\n"
        "branches: got a key that does not exist\n"
        f"  expected: {expected}\n"
        "  fix:      did you mean `branch`?"
    )


def test_the_key_that_was_repository_is_github_or_gitlab() -> None:
    with pytest.raises(InvalidValueError) as error:
        Workload.parse({"repository": "acme/tools", "tag": "v*"})
    assert str(error.value) == (
        "repository: got 'acme/tools'\n"
        "  expected: github, gitlab, host, branch, tag, environment, ownerId, repositoryId, workflow, packages\n"
        "  fix:      write github or gitlab in the place of repository"
    )


def test_what_is_no_map_is_no_workload() -> None:
    with pytest.raises(InvalidValueError) as error:
        Workload.parse("acme/tools")
    assert str(error.value) == (
        "got 'acme/tools'\n"
        "  expected: a map that names a CI workload\n"
        "  fix:      write github: OWNER/NAME or gitlab: GROUP/PROJECT, and what else there is on lines of their own"
    )


def test_a_project_has_one_spelling_and_one_pair_of_ids() -> None:
    """Names are one name to GitHub in whatever case."""
    seen: dict[tuple[str, str], Workload] = {}
    for workload in (TAG, Workload(github="acme/tools"), Workload(gitlab="Acme/tools"), Workload(github="acme/core")):
        refuse_mixture(workload, seen)
    for workload, message in (
        (
            WITH_IDS,
            (
                "got the ids 123 and 456\n"
                "  expected: no ids, as in an entry of acme/tools before it\n"
                "  fix:      write the same ids in both"
            ),
        ),
        (
            Workload(github="Acme/Tools"),
            (
                "got 'Acme/Tools'\n"
                "  expected: 'acme/tools', as in an entry before it\n"
                "  fix:      write it as `gh repo view --json nameWithOwner` shows it"
            ),
        ),
        (
            Workload(gitlab="acme/tools"),
            (
                "got 'acme/tools'\n"
                "  expected: 'Acme/tools', as in an entry before it\n"
                "  fix:      write it as the project's address in the browser ends"
            ),
        ),
    ):
        with pytest.raises(InvalidValueError) as error:
            refuse_mixture(workload, seen)
        assert str(error.value) == message


@pytest.mark.parametrize(
    ("workload", "kinds"),
    [
        (Workload(github="a/b"), ("branch, tag or environment", "branch, tag and environment")),
        (Workload(gitlab="a/b"), ("branch or tag", "branch and tag")),
    ],
)
def test_not_every_job_is_a_publisher(workload: Workload, kinds: tuple[str, str]) -> None:
    refuse_every_job(TAG)
    with pytest.raises(InvalidValueError) as error:
        refuse_every_job(workload)
    assert str(error.value) == (
        f"got no {kinds[0]}\n"
        f"  expected: one of {kinds[1]}\n"
        "  fix:      add one: without it every job of the project would publish, those of pull requests too"
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda document: document["Statement"].append(document["Statement"][0]),
        lambda document: document["Statement"][0].update(Effect="Deny"),
        lambda document: document["Statement"][0].update(Action="sts:*"),
        lambda document: document["Statement"][0].update(Principal={"AWS": "*"}),
        lambda document: document["Statement"][0].update(Resource="*"),
        lambda document: document["Statement"][0].pop("Condition"),
        lambda document: document["Statement"][0]["Condition"]["StringEquals"].pop(f"{GITHUB}:aud"),
        lambda document: document["Statement"][0]["Condition"]["StringEquals"].pop(f"{GITHUB}:repository_id"),
        lambda document: document["Statement"][0]["Condition"]["StringEquals"].update({f"{GITHUB}:actor": "ada"}),
        lambda document: document["Statement"][0]["Condition"].update({"StringNotLike": {f"{GITHUB}:sub": "x"}}),
        lambda document: document["Statement"][0]["Condition"]["StringLike"][f"{GITHUB}:sub"].append("repo:other/x:*"),
        lambda document: document["Statement"][0]["Condition"]["StringLike"].update({f"{GITHUB}:sub": "repo:*"}),
        lambda document: document["Statement"][0]["Condition"]["StringLike"].update({f"{GITHUB}:sub": []}),
        lambda document: document["Statement"][0]["Condition"]["StringLike"].update({f"{GITHUB}:sub": 7}),
    ],
)
def test_a_trust_policy_that_is_not_as_a_workload_writes_it_is_of_none(change: Any) -> None:
    document = json.loads(WITH_IDS.trust_policy("aws", ACCOUNT))
    change(document)

    assert trusted_workload(json.dumps(document), "aws", ACCOUNT) is None


@pytest.mark.parametrize(
    "document", [None, "", "7", "[]", "{}", '{"Statement":[]}', '{"Statement":[{"Principal":"*"}]}']
)
def test_what_is_no_trust_policy_is_of_no_workload(document: object) -> None:
    assert trusted_workload(document, "aws", ACCOUNT) is None


def test_a_trust_policy_is_that_of_an_account_and_a_partition() -> None:
    document = WITH_IDS.trust_policy("aws", ACCOUNT)

    assert trusted_workload(document, "aws", "444455556666") is None
    assert trusted_workload(document, "aws-cn", ACCOUNT) is None
