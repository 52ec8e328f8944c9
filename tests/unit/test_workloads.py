import json
from typing import Any

import evaluator
import pytest
from hypothesis import given
from hypothesis import strategies as st

from private_pypi.arns import Arns
from private_pypi.errors import InvalidValueError
from private_pypi.principals import Principal, Publisher
from private_pypi.workloads import (
    REF_KINDS,
    GithubPublisher,
    GithubRole,
    RefKind,
    make_roles,
    parse_id,
    parse_ref,
    parse_repository,
    refused_mixtures,
    trusted_workflow,
)

ACCOUNT = "111122223333"
ARNS = Arns(partition="aws", region="us-west-2", owner=ACCOUNT, domain_name="acme", repository_name="tools")
GITHUB = "arn:aws:iam::111122223333:oidc-provider/token.actions.githubusercontent.com"
AUDIENCE = {"token.actions.githubusercontent.com:aud": "sts.amazonaws.com"}
TAG = GithubPublisher(repository="acme/tools", kind="tag", ref="v*")


def roles(*publishers: GithubPublisher, arns: Arns = ARNS, prefix: str = "private-pypi-dev") -> list[GithubRole]:
    return make_roles(publishers, arns, ACCOUNT, prefix=prefix)


def trust(condition: dict[str, object]) -> dict[str, Any]:
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "AssumeRoleFromGithub",
                "Effect": "Allow",
                "Principal": {"Federated": GITHUB},
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": condition,
            }
        ],
    }


IDS: dict[str, Any] = {"owner_id": "123", "repository_id": "456"}


@pytest.mark.parametrize(
    ("kind", "ref", "ids", "subject"),
    [
        ("branch", "main", {}, "repo:acme/tools:ref:refs/heads/main"),
        ("tag", "v1.0", {}, "repo:acme/tools:ref:refs/tags/v1.0"),
        ("environment", "pypi release", {}, "repo:acme/tools:environment:pypi release"),
        ("branch", "release/1.x", IDS, "repo:acme@123/tools@456:ref:refs/heads/release/1.x"),
        ("tag", "v1.0", IDS, "repo:acme@123/tools@456:ref:refs/tags/v1.0"),
        ("environment", "pypi", IDS, "repo:acme@123/tools@456:environment:pypi"),
    ],
)
def test_one_subject_is_trusted_to_the_letter(kind: RefKind, ref: str, ids: dict[str, Any], subject: str) -> None:
    (role,) = roles(GithubPublisher(repository="acme/tools", kind=kind, ref=ref, **ids))

    assert json.loads(role.trust_policy) == trust(
        {"StringEquals": AUDIENCE | {"token.actions.githubusercontent.com:sub": subject}}
    )
    assert role.trust_policy == json.dumps(json.loads(role.trust_policy), separators=(",", ":"))


@pytest.mark.parametrize("kind", ["branch", "tag"])
@pytest.mark.parametrize(("ids", "repository"), [({}, "acme/tools"), (IDS, "acme@123/tools@456")], ids=["names", "ids"])
def test_only_what_ends_in_a_star_is_matched_like_a_pattern(
    kind: RefKind, ids: dict[str, Any], repository: str
) -> None:
    (role,) = roles(GithubPublisher(repository="acme/tools", kind=kind, ref="release/*", **ids))
    ref = {"branch": "refs/heads", "tag": "refs/tags"}[kind]

    assert json.loads(role.trust_policy) == trust(
        {
            "StringEquals": AUDIENCE,
            "StringLike": {"token.actions.githubusercontent.com:sub": f"repo:{repository}:ref:{ref}/release/*"},
        }
    )


def test_the_provider_is_that_of_the_partition_and_the_account() -> None:
    arns = Arns(partition="aws-cn", region="cn-north-1", owner="444455556666", domain_name="acme", repository_name="x")
    (role,) = make_roles([TAG], arns, ACCOUNT, prefix="p")

    assert role.arn == f"arn:aws-cn:iam::111122223333:role/{role.name}"
    assert json.loads(role.trust_policy)["Statement"][0]["Principal"] == {"Federated": GITHUB.replace("aws", "aws-cn")}


def test_a_role_is_a_publisher_within_its_packages() -> None:
    (role,) = roles(GithubPublisher(repository="acme/tools", kind="tag", ref="v*", packages=("acme-core",)))

    assert role.workflow == "acme/tools tag v*"
    assert role.publishers == (Publisher(principal=Principal(role.arn), packages=("acme-core",)),)


def test_entries_for_one_workflow_are_one_role() -> None:
    core = GithubPublisher(repository="acme/tools", kind="tag", ref="v*", packages=("acme-core",))
    (role,) = roles(core, TAG, core)

    assert [each.packages for each in role.publishers] == [("acme-core",), None, ("acme-core",)]
    assert {each.principal.name for each in role.publishers} == {role.arn}


def test_names_in_another_case_are_another_workflow() -> None:
    one = GithubPublisher(repository="acme/tools", kind="environment", ref="PyPI", packages=("acme-core",))
    other = GithubPublisher(repository="acme/tools", kind="environment", ref="pypi")

    assert [(role.workflow, [each.packages for each in role.publishers]) for role in roles(one, other)] == [
        ("acme/tools environment PyPI", [("acme-core",)]),
        ("acme/tools environment pypi", [None]),
    ]


def test_a_role_is_called_after_the_stack_and_the_workflow() -> None:
    (role,) = roles(TAG)

    assert role.name == "private-pypi-dev-acme-tools-tag-v-8d462482"
    assert role.arn == f"arn:aws:iam::111122223333:role/{role.name}"


def test_a_long_name_is_cut_and_told_apart_by_its_digest() -> None:
    one, other = roles(
        GithubPublisher(repository=f"acme/{'tools-' * 16}", kind="tag", ref="v1"),
        GithubPublisher(repository=f"acme/{'tools-' * 16}", kind="tag", ref="v2"),
    )

    assert one.name != other.name
    for name in (one.name, other.name):
        assert name.startswith("private-pypi-dev-acme-tools-tools-")
        assert len(name) <= 64


def test_names_that_look_alike_are_told_apart() -> None:
    alike = [
        GithubPublisher(repository="a-b/c", kind="tag", ref="v"),
        GithubPublisher(repository="a/b-c", kind="tag", ref="v"),
        GithubPublisher(repository="a/b-c", kind="tag", ref="v*"),
        GithubPublisher(repository="a/b-c", kind="branch", ref="v"),
        GithubPublisher(repository="a/b-c-tag", kind="tag", ref="v"),
        GithubPublisher(repository="a/b-c", kind="tag", ref="tag-v"),
    ]

    assert len({role.name for role in roles(*alike)}) == len(alike)


def test_in_another_stack_a_role_has_another_name() -> None:
    other = Arns(partition="aws", region="us-west-2", owner=ACCOUNT, domain_name="acme", repository_name="other")

    assert (
        len({roles(TAG)[0].name, roles(TAG, arns=other)[0].name, roles(TAG, prefix="private-pypi-prod")[0].name}) == 3
    )


def test_a_name_does_not_change_with_the_other_entries_or_with_the_ids() -> None:
    other = GithubPublisher(repository="acme/core", kind="branch", ref="main")
    known = GithubPublisher(repository="acme/tools", kind="tag", ref="v*", owner_id="1", repository_id="2")

    assert roles(other, TAG)[1].name == roles(TAG, other)[1].name == roles(TAG)[0].name == roles(known)[0].name


@given(
    repository=st.from_regex(r"[A-Za-z0-9][A-Za-z0-9_-]{0,38}/[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}", fullmatch=True),
    ref=st.text(st.characters(min_codepoint=32, max_codepoint=126), min_size=1, max_size=40),
    kind=st.sampled_from(REF_KINDS),
)
def test_what_is_taken_has_its_place_in_the_subject_and_a_name_that_iam_takes(
    repository: str, ref: str, kind: RefKind
) -> None:
    """No name makes the subject of another workflow, by a colon, an `@`, a wildcard or a policy variable."""
    try:
        publisher = GithubPublisher(repository=repository, kind=kind, ref=ref)
    except InvalidValueError:
        return
    (role,) = roles(publisher)
    prefix = {"branch": "ref:refs/heads/", "tag": "ref:refs/tags/", "environment": "environment:"}[kind]
    assert publisher.subject == f"repo:{repository}:{prefix}{ref}"
    assert ":" not in ref
    assert not set("?$") & set(ref)
    assert "*" not in (ref if kind == "environment" else ref[:-1])
    assert role.name.isascii()
    assert role.name.replace("-", "").replace("_", "").replace(".", "").isalnum()
    assert len(role.name) <= 64
    assert trusted_workflow(role.trust_policy) == role.workflow


SUBJECT = "repo:acme@123/tools@456:ref:refs/tags/v1.0"


def trusts(publisher: GithubPublisher, subject: str, **claims: str) -> bool:
    (role,) = roles(publisher)
    return evaluator.trusts(
        json.loads(role.trust_policy), GITHUB, {"sub": subject, "aud": "sts.amazonaws.com"} | claims
    )


@pytest.mark.parametrize("ref", ["v1.0", "v1*", "*"])
def test_a_workflow_assumes_its_role_and_whoever_comes_near_does_not(ref: str) -> None:
    publisher = GithubPublisher(repository="acme/tools", kind="tag", ref=ref, **IDS)

    assert trusts(publisher, SUBJECT)
    for near_miss in (
        "repo:acme/tools:ref:refs/tags/v1.0",
        "repo:acme@124/tools@456:ref:refs/tags/v1.0",
        "repo:acme@123/tools@457:ref:refs/tags/v1.0",
        "repo:acme@1234/tools@456:ref:refs/tags/v1.0",
        "repo:Acme@123/tools@456:ref:refs/tags/v1.0",
        "repo:acme2@123/tools@456:ref:refs/tags/v1.0",
        "repo:acme@123/tools2@456:ref:refs/tags/v1.0",
        "repo:acme@123/tools@456:ref:refs/heads/v1.0",
        "repo:acme@123/tools@456:environment:v1.0",
        "repo:acme@123/tools@456:pull_request",
        f"x{SUBJECT}",
    ):
        assert not trusts(publisher, near_miss)
    assert not trusts(publisher, SUBJECT, aud="https://github.com/acme")
    assert not evaluator.trusts(
        json.loads(roles(publisher)[0].trust_policy), GITHUB.replace("1111", "2222"), {"sub": SUBJECT, "aud": "x"}
    )


OWNERS, NAMES, REFS = (
    st.sampled_from(["acme", "Acme", "acme2"]),
    st.sampled_from(["x", "x.y", "X"]),
    ["v1", "v1.0", "v2", "1"],
)
PAIRS = st.sampled_from([(None, None), ("1", "2"), ("1", "3"), ("2", "2")])


@given(
    publisher=st.builds(
        lambda owner, name, kind, ref, ids: GithubPublisher(
            repository=f"{owner}/{name}", kind=kind, ref=ref, owner_id=ids[0], repository_id=ids[1]
        ),
        OWNERS,
        NAMES,
        st.sampled_from(["branch", "tag"]),
        st.sampled_from([*REFS, "v*", "v1*", "*"]),
        PAIRS,
    ),
    owner=OWNERS,
    name=NAMES,
    ids=PAIRS,
    kind=st.sampled_from(["heads", "tags"]),
    ref=st.sampled_from(REFS),
)
def test_a_role_is_assumed_by_what_the_config_gives_and_nothing_else(
    publisher: GithubPublisher, owner: str, name: str, ids: tuple[str | None, str | None], kind: str, ref: str
) -> None:
    sender = f"{owner}@{ids[0]}/{name}@{ids[1]}" if ids[0] else f"{owner}/{name}"
    prefix = publisher.ref.removesuffix("*")

    assert trusts(publisher, f"repo:{sender}:ref:refs/{kind}/{ref}") == (
        publisher.repository == f"{owner}/{name}"
        and (publisher.owner_id, publisher.repository_id) == ids
        and {"branch": "heads", "tag": "tags"}[publisher.kind] == kind
        and (ref.startswith(prefix) if publisher.ref.endswith("*") else ref == prefix)
    )


@pytest.mark.parametrize("name", ["acme/tools", "A-b_c/x.y_z-1", f"{'a' * 39}/{'b' * 100}", "a/.github", "1/2"])
def test_a_repository_is_an_owner_and_a_name(name: str) -> None:
    assert parse_repository(name) == name


@pytest.mark.parametrize(
    "value",
    [
        "acme",
        "acme/",
        "/tools",
        "acme/..",
        "acme/.",
        "acme/../x",
        "acme/tools/x",
        "-acme/tools",
        "acme/to ols",
        "acme/tools:x",
        "acme:x/tools",
        "acme@1/tools@2",
        "acme/tools@2",
        "acme/${aws:username}",
        "acme/t?ols",
        "acme/tool\u017f",
        "acme/tools\n",
        "https://github.com/acme/tools",
        f"{'a' * 40}/b",
        f"a/{'b' * 101}",
        "",
        None,
        7,
        ["acme/tools"],
    ],
)
def test_what_is_no_repository_is_refused(value: object) -> None:
    with pytest.raises(InvalidValueError) as error:
        parse_repository(value)
    assert str(error.value).endswith(
        "\n  expected: one repository on github.com: OWNER/NAME, in letters, digits and hyphens; "
        "the name with . and _ too"
        "\n  fix:      write it as `gh repo view --json nameWithOwner` shows it"
    )


@pytest.mark.parametrize("value", ["acme*", "*/tools", "acme*/tools", "acme/*", "acme/tools*", "*"])
def test_a_star_in_a_repository_is_refused_because_it_trusts_others(value: str) -> None:
    with pytest.raises(InvalidValueError, match=r"`\*` would trust the repositories of others$"):
        parse_repository(value)


@pytest.mark.parametrize("kind", ["branch", "tag"])
@pytest.mark.parametrize("ref", ["main", "release/1.x", "v*", "release/*", "*", "a.b", "#1", "x" * 255])
def test_a_branch_or_a_tag_may_end_in_a_star(kind: RefKind, ref: str) -> None:
    assert parse_ref(ref, kind) == ref


@pytest.mark.parametrize("kind", ["branch", "tag"])
@pytest.mark.parametrize(
    "ref",
    [
        "v*1",
        "*v",
        "v**",
        "v?",
        "a:b",
        "a b",
        "${aws:username}",
        "a..b",
        "a//b",
        "/a",
        "a/",
        "a.",
        ".a",
        "a/.b",
        "-a",
        "a~1",
        "a^",
        "a[b",
        "a\\b",
        "a@{b",
        "@",
        "a.lock",
        "a.lock/b",
        "é",
        "a\n",
        "x" * 256,
        "",
        "..*",
    ],
)
def test_what_is_no_branch_and_no_tag_is_refused(kind: RefKind, ref: str) -> None:
    with pytest.raises(InvalidValueError) as error:
        parse_ref(ref, kind)
    assert str(error.value) == (
        f"got {ref!r}\n"
        f"  expected: the name of a {kind}, or its beginning and *, up to 255 characters, without : ? $\n"
        f"  fix:      write the whole name of the {kind}, or * at its end alone"
    )


@pytest.mark.parametrize("value", [None, 1.0, True, ["v1"]])
@pytest.mark.parametrize("kind", REF_KINDS)
def test_a_name_is_a_string(kind: RefKind, value: object) -> None:
    with pytest.raises(InvalidValueError, match=r"\n  fix:      write one quoted string$"):
        parse_ref(value, kind)


def test_the_prefix_of_a_ref_is_not_written() -> None:
    with pytest.raises(InvalidValueError, match=r"\n  fix:      leave refs/heads/ or refs/tags/ out$"):
        parse_ref("refs/heads/main", "branch")


@pytest.mark.parametrize("ref", ["production", "Production%3AV1", "pypi release", "a/b", "x" * 255])
def test_an_environment_is_named_whole(ref: str) -> None:
    assert parse_ref(ref, "environment") == ref


@pytest.mark.parametrize("ref", ["prod*", "*", "a?b", "a$b", " a", "a ", "a\tb", "é", "", "x" * 256])
def test_what_is_no_environment_is_refused(ref: str) -> None:
    with pytest.raises(InvalidValueError) as error:
        parse_ref(ref, "environment")
    assert str(error.value) == (
        f"got {ref!r}\n"
        "  expected: the name of one environment, up to 255 characters, without : * ? $\n"
        "  fix:      write the whole name of the environment"
    )


def test_a_colon_in_an_environment_is_written_as_in_the_token() -> None:
    with pytest.raises(InvalidValueError, match=r"\n  fix:      write %3A for the colon, as GitHub's tokens have it$"):
        parse_ref("Production:V1", "environment")


@pytest.mark.parametrize("value", ["", "0", "012", "1*", "*", "12a", "1\n", "-1", "1" * 21, 12, True, None])
def test_an_id_is_quoted_digits(value: object) -> None:
    assert parse_id("12345678901234567890") == "12345678901234567890"
    with pytest.raises(InvalidValueError) as error:
        parse_id(value)
    assert str(error.value).endswith(
        "\n  expected: an id of GitHub's, digits in quotes"
        "\n  fix:      see `gh api repos/OWNER/NAME --jq '.owner.id, .id'`, and quote what it shows"
    )


@pytest.mark.parametrize(
    "wrong",
    [
        {"repository": "acme*/x"},
        {"ref": "v*1"},
        {"kind": "environment"},
        {"owner_id": "*", "repository_id": "2"},
        {"owner_id": "1", "repository_id": "*"},
        {"owner_id": "1"},
        {"repository_id": "1"},
    ],
)
def test_no_publisher_is_made_that_would_trust_others(wrong: dict[str, Any]) -> None:
    right: dict[str, Any] = {"repository": "acme/x", "kind": "tag", "ref": "v*"}

    assert GithubPublisher(**right)
    with pytest.raises(InvalidValueError):
        GithubPublisher(**right | wrong)


def test_a_repository_has_one_spelling_and_one_pair_of_ids() -> None:
    """Names are one name to GitHub in whatever case, and the subject of a repository has one form."""
    known = GithubPublisher(repository="acme/x", kind="tag", ref="v*", owner_id="1", repository_id="2")
    unknown = GithubPublisher(repository="acme/x", kind="branch", ref="main")
    other = GithubPublisher(repository="acme/x", kind="branch", ref="main", owner_id="1", repository_id="3")
    owned = GithubPublisher(repository="acme/x", kind="branch", ref="main", owner_id="4", repository_id="2")
    spelled = GithubPublisher(repository="Acme/X", kind="branch", ref="main", owner_id="1", repository_id="2")

    fix = "  fix:      write the same in both: the ids for a repository that is newer than 2026-07-15 or has opted in"
    assert [
        (index, str(mistake)) for index, mistake in refused_mixtures([known, known, unknown, TAG, other, owned])
    ] == [
        (2, f"got no ids\n  expected: the ids 1 and 2, as in an entry of acme/x before it\n{fix}"),
        (4, f"got the ids 1 and 3\n  expected: the ids 1 and 2, as in an entry of acme/x before it\n{fix}"),
        (5, f"got the ids 4 and 2\n  expected: the ids 1 and 2, as in an entry of acme/x before it\n{fix}"),
    ]
    assert [(index, str(mistake)) for index, mistake in refused_mixtures([known, spelled])] == [
        (
            1,
            (
                "got 'Acme/X'\n"
                "  expected: 'acme/x', as in an entry before it\n"
                "  fix:      write both as `gh repo view --json nameWithOwner` shows it"
            ),
        )
    ]


def test_a_document_that_trusts_no_workflow_names_none() -> None:
    account = {"Effect": "Allow", "Principal": {"AWS": "111122223333"}, "Action": "sts:AssumeRole"}
    conditioned = account | {"Condition": {"StringEquals": {"sts:ExternalId": "x"}}}
    subject = {"token.actions.githubusercontent.com:sub": "repo:acme/tools:pull_request"}
    other = account | {"Condition": {"StringEquals": subject}}

    assert trusted_workflow(json.dumps({"Statement": [account, conditioned, other]})) is None
