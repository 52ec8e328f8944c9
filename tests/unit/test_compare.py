"""What a difference between two configs means for people, and how it reads."""

import functools
import json
from typing import Any

import pytest
from evaluator import Caller, allows
from hypothesis import given, settings
from hypothesis import strategies as st
from mocks import ROOT

from private_pypi.args import PrivatePypiArgs
from private_pypi.arns import Arns
from private_pypi.cli.compare import Difference, Side, compare, overlap, takes_in
from private_pypi.cli.diff_text import render_difference
from private_pypi.cli.preview import Preview, program_of, read_preview
from private_pypi.cli.program import record
from private_pypi.cli.stack_files import Stack
from private_pypi.iam import read_access, read_policy
from private_pypi.policies import make_documents
from private_pypi.principals import Principal, Publisher

API = "arn:aws:iam::111122223333:role/service/api"
CI_A, CI_B = (f"arn:aws:iam::111122223333:role/ci-{name}" for name in "ab")
EVERY_CI = "arn:aws:iam::111122223333:role/ci-*"
EVERY_A = "arn:aws:iam::111122223333:role/*-a"
VISITOR = "arn:aws:iam::444455556666:role/visitor"
ACCOUNT = "444455556666"
ORGANIZATION = "o-a1b2c3d4e5"
BUILTIN = {"aws:region": "us-west-2", "aws:allowedAccountIds": "111122223333", "private-pypi:domain": "acme"}


def side(**config: Any) -> Side:
    """A stack with a config; keys with a colon have one in place of `__`."""
    given = {key.replace("__", ":") if "__" in key else f"private-pypi:{key}": value for key, value in config.items()}
    texts = {key: value if isinstance(value, str) else json.dumps(value) for key, value in given.items()}
    stack = Stack(name="dev", project="private-pypi", config=BUILTIN | texts, stand_ins={}, has_environments=False)
    program = program_of(ROOT, stack)
    return Side(preview=read_preview(record(program), program.account), account=program.account, stand_ins={})


def compared(base: dict[str, Any], head: dict[str, Any]) -> Difference:
    return compare(side(**base), side(**head), stack="dev")


def said(base: dict[str, Any], head: dict[str, Any]) -> str:
    """What is said of a difference, but for what else changes, which is no matter of people."""
    text = render_difference(compared(base, head))
    return "\n\n".join(each for each in text.split("\n\n") if not each.startswith("What else changes"))


def report(*sections: str) -> str:
    return "\n\n".join(sections)


NOBODY_GAINS = "Who gains\n  Nobody gains."
NOBODY_LOSES = "Who loses\n  Nobody loses."


def test_a_reader_who_is_added_gains_installing() -> None:
    difference = compared({}, {"readers": [API]})

    assert said({}, {"readers": [API]}) == report(f"Who gains\n  {API}\n    install", NOBODY_LOSES)
    assert difference.needs_approval


def test_a_reader_who_is_removed_loses_installing() -> None:
    difference = compared({"readers": [API]}, {})

    assert said({"readers": [API]}, {}) == report(NOBODY_GAINS, f"Who loses\n  {API}\n    install")
    assert not difference.needs_approval


def test_a_reader_who_becomes_a_publisher_gains_publishing_alone() -> None:
    expected = report(f"Who gains\n  {API}\n    publish everything", NOBODY_LOSES)
    assert said({"readers": [API]}, {"publishers": [API]}) == expected

    expected = report(NOBODY_GAINS, f"Who loses\n  {API}\n    publish everything")
    assert said({"publishers": [API]}, {"readers": [API]}) == expected


def test_a_publisher_who_is_limited_keeps_the_packages_and_gains_the_rest_when_freed() -> None:
    limited = {"publishers": [{"principal": API, "packages": ["acme-*", "beta"]}]}

    expected = report(NOBODY_GAINS, f"Who loses\n  {API}\n    publish everything (still: acme-*, beta)")
    assert said({"publishers": [API]}, limited) == expected
    expected = report(f"Who gains\n  {API}\n    publish everything (already: acme-*, beta)", NOBODY_LOSES)
    assert said(limited, {"publishers": [API]}) == expected


def test_a_limit_that_moves_gains_and_loses_packages() -> None:
    before = {"publishers": [{"principal": API, "packages": ["acme-core", "beta"]}]}
    after = {"publishers": [{"principal": API, "packages": ["acme-*", "gamma"]}]}

    assert said(before, after) == report(
        f"Who gains\n  {API}\n    publish acme-*, gamma (already: acme-core, beta)",
        f"Who loses\n  {API}\n    publish beta",
    )


def test_roles_that_give_way_to_a_pattern_which_takes_them_in_lose_nothing() -> None:
    assert said({"readers": [CI_A, CI_B]}, {"readers": [EVERY_CI]}) == report(
        "Who gains\n"
        "  every role that begins with arn:aws:iam::111122223333:role/ci-\n"
        f"    install (already: {CI_A}, {CI_B})",
        NOBODY_LOSES,
        "Who is listed in another way\n"
        "  no longer listed; they lose nothing, because "
        "every role that begins with arn:aws:iam::111122223333:role/ci- has the same rights:\n"
        f"    {CI_A}\n"
        f"    {CI_B}",
    )


def test_a_pattern_that_gives_way_to_roles_is_lost_but_for_them() -> None:
    assert said({"readers": [EVERY_CI]}, {"readers": [CI_A]}) == report(
        NOBODY_GAINS,
        f"Who loses\n  every role that begins with arn:aws:iam::111122223333:role/ci-\n    install (still: {CI_A})",
        "Who is listed in another way\n"
        "  listed now; they gain nothing, because "
        "every role that begins with arn:aws:iam::111122223333:role/ci- had the same rights before:\n"
        f"    {CI_A}",
    )


def test_patterns_that_overlap_are_said_to() -> None:
    assert said({"readers": [EVERY_CI]}, {"readers": [EVERY_A]}) == report(
        f"Who gains\n  every role like {EVERY_A}\n"
        "    install (already: every role that begins with arn:aws:iam::111122223333:role/ci-)",
        "Who loses\n  every role that begins with arn:aws:iam::111122223333:role/ci-\n"
        f"    install (still: every role like {EVERY_A})",
    )


def test_an_account_takes_its_roles_in() -> None:
    assert said({"readers": [VISITOR]}, {"readers": [ACCOUNT]}) == report(
        "Who gains\n  the account 444455556666, whose own IAM policies decide who in it\n"
        f"    install (already: {VISITOR})",
        NOBODY_LOSES,
        "Who is listed in another way\n"
        "  no longer listed; they lose nothing, because the account 444455556666 has the same rights:\n"
        f"    {VISITOR}",
    )


def test_the_domains_own_account_leaves_it_to_iam_policies() -> None:
    """A role that is listed there gets in without any."""
    listed, left_to_iam = {"publishers": [API]}, {"publishers": ["111122223333"]}

    assert said(left_to_iam, listed) == report(
        f"Who gains\n  {API}\n"
        "    install (already: the account 111122223333)\n"
        "    publish everything (already: the account 111122223333)",
        "Who loses\n  the account 111122223333, whose own IAM policies decide who in it\n"
        f"    install (still: {API})\n"
        f"    publish everything (still: {API})",
    )
    assert compared(left_to_iam, listed).needs_approval


def test_an_organization_takes_in_whom_no_name_tells() -> None:
    assert said({"publishers": [VISITOR]}, {"publishers": [ORGANIZATION]}) == report(
        f"Who gains\n  whoever is in the organization {ORGANIZATION}\n"
        f"    install (already: {VISITOR})\n"
        f"    publish everything (already: {VISITOR})",
        f"Who loses\n  {VISITOR}\n"
        f"    install (still: whoever is in the organization {ORGANIZATION})\n"
        f"    publish everything (still: whoever is in the organization {ORGANIZATION})",
    )


def test_sorting_a_list_changes_nothing() -> None:
    assert said({"readers": [API, CI_A]}, {"readers": [CI_A, API, API]}) == "Nothing changes."


def test_a_user_pattern_is_about_users() -> None:
    users = "arn:aws:iam::111122223333:user/team/*"

    assert "\n  every user that begins with arn:aws:iam::111122223333:user/team/\n" in said({}, {"readers": [users]})


@pytest.mark.parametrize(
    ("key", "on", "opens", "closes"),
    [
        (
            "closedPublishing",
            True,
            "Publishing is no longer closed: whoever's own IAM policies let them publish may.",
            "Publishing is closed: only publishers may, whatever other people's IAM policies say.",
        ),
        (
            "protect",
            True,
            "Packages are not protected: whoever's own IAM policies let them delete packages may.",
            "Packages are protected: nobody may delete them, whatever their own IAM policies say.",
        ),
        (
            "internalPackages",
            ["acme-*", "beta"],
            "Public PyPI may supply these packages: acme, acme-*, beta",
            "Public PyPI never supplies these packages: acme, acme-*, beta",
        ),
    ],
)
def test_what_closes_a_door_opens_it_when_it_is_switched_off(key: str, on: object, opens: str, closes: str) -> None:
    off: object = False if on is True else []

    assert said({key: on}, {key: off}) == f"What opens\n  {opens}"
    assert said({key: off}, {key: on}) == f"What closes\n  {closes}"
    assert compared({key: on}, {key: off}).needs_approval
    assert not compared({key: off}, {key: on}).needs_approval


def test_a_name_that_a_prefix_takes_in_is_still_internal() -> None:
    assert said({"internalPackages": ["acme-core"]}, {"internalPackages": ["acme-*"]}) == (
        "What closes\n  Public PyPI never supplies these packages: acme, acme-*"
    )


def test_public_pypi_opens_and_closes() -> None:
    off, on = {"internalPackages": ["acme-*"]}, {"internalPackages": ["acme-*"], "publicUpstream": True}

    assert said(off, on) == "What opens\n  What the repository lacks comes from public PyPI."
    expected = "What closes\n  Nothing new comes from public PyPI. What was installed from there stays."
    assert said(on, off) == expected


def test_a_new_warning_is_said() -> None:
    warned = said({}, {"publicUpstream": True})

    assert "\n\nNew warnings\n  publicUpstream is on and internalPackages is empty: " in warned
    assert "New warnings" not in said({"publicUpstream": True}, {"publicUpstream": True, "readers": [API]})


def test_roles_get_the_identity_policy_and_lose_it() -> None:
    off, on = {"readers": [API, CI_A]}, {"readers": [API, CI_A], "attachIdentityPolicies": True}

    expected = "What opens\n  These roles get the identity policy, and with it tokens: api, ci-a"
    assert said(off, on) == expected
    expected = "What closes\n  These roles lose the identity policy, and without their own get no tokens: api, ci-a"
    assert said(on, off) == expected


WORKFLOW = {"repository": "acme/tools", "tag": "v*"}
WORKFLOW_ROLE = "arn:aws:iam::111122223333:role/private-pypi-dev-acme-tools-tag-v-a7f8307c"


def test_a_workflow_that_is_added_stands_beside_its_role() -> None:
    assert said({}, {"githubPublishers": [WORKFLOW]}) == report(
        f"Who gains\n  {WORKFLOW_ROLE}, which the GitHub workflow acme/tools tag v* has\n"
        "    install\n    publish everything",
        NOBODY_LOSES,
    )


def test_a_role_that_trusts_another_workflow_is_a_door() -> None:
    with_ids = WORKFLOW | {"ownerId": "1", "repositoryId": "2"}

    assert said({"githubPublishers": [WORKFLOW]}, {"githubPublishers": [with_ids]}) == (
        "What opens\n  A role trusts another workflow. Role, workflow before, workflow now: "
        f"{WORKFLOW_ROLE}, acme/tools tag v*, acme@1/tools@2 tag v*"
    )
    assert compared({"githubPublishers": [WORKFLOW]}, {"githubPublishers": [with_ids]}).needs_approval
    assert compared({"githubPublishers": [WORKFLOW]}, {"githubPublishers": [WORKFLOW]}) == Difference()


REPOSITORY = "arn:aws:codeartifact:us-west-2:111122223333:repository/acme/private-pypi"


@pytest.mark.parametrize(
    ("head", "becomes"),
    [
        ({"domain": "other"}, REPOSITORY.replace("/acme/", "/other/")),
        ({"repository": "other"}, REPOSITORY.replace("private-pypi", "other")),
        ({"aws__region": "eu-west-1"}, REPOSITORY.replace("us-west-2", "eu-west-1")),
        ({"aws__allowedAccountIds": "777788889999"}, REPOSITORY.replace("111122223333", "777788889999")),
    ],
)
def test_a_repository_that_becomes_another_is_lost(head: dict[str, str], becomes: str) -> None:
    lost = (
        f"What can be lost\n  The repository {REPOSITORY} would be deleted, with every package in it. "
        f"In its place comes {becomes}, empty."
    )

    assert said({"protect": False}, {"protect": False} | head) == lost
    assert said({}, head) == f"{lost}\n    `pulumi up` refuses this."
    assert compared({}, head).needs_approval


def test_another_deployer_is_another_account_too() -> None:
    existing = {"existingDomain": True, "domainOwner": ACCOUNT}

    assert compared(existing, existing | {"aws__allowedAccountIds": "777788889999"}).risks


DOMAIN = "arn:aws:codeartifact:us-west-2:111122223333:domain/acme"
KEY = "arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def test_another_key_loses_the_domain_and_none_leaves_it() -> None:
    assert said({"protect": False}, {"protect": False, "encryptionKey": KEY}) == (
        f"What can be lost\n  The domain {DOMAIN} would be deleted, with every repository in it, "
        f"and made again with the key {KEY}."
    )
    assert not compared({"encryptionKey": KEY}, {}).risks


def test_a_domain_that_the_stack_no_longer_has_is_lost() -> None:
    assert said({"protect": False}, {"protect": False, "existingDomain": True}) == (
        f"What can be lost\n  The domain {DOMAIN} would be deleted, with every repository in it.\n"
        "    `pulumi up` refuses this."
    )
    assert not compared({"existingDomain": True}, {}).risks


def test_the_accounts_provider_for_github_is_lost_to_all() -> None:
    url = "https://token.actions.githubusercontent.com"

    assert said({"protect": False, "makeGithubOidcProvider": True}, {"protect": False}) == (
        f"What can be lost\n  The account's provider {url} would be deleted, "
        "by which workflows assume roles in all of the account."
    )


def test_of_a_new_stack_all_is_said_that_opens() -> None:
    difference = compare(None, side(readers=[API], protect=False), stack="dev")

    assert render_difference(difference) == report(
        f"Who gains\n  {API}\n    install",
        "What opens\n  Packages are not protected: whoever's own IAM policies let them delete packages may.",
    )
    assert difference.is_new
    assert difference.needs_approval


def test_a_stack_that_is_gone_can_be_lost() -> None:
    difference = compare(side(readers=[API]), None, stack="dev")

    assert render_difference(difference) == (
        "What can be lost\n  The stack dev has no config any more. What it deployed stays until `pulumi destroy`."
    )
    assert difference.needs_approval


def test_what_else_changes_is_said_by_resource_and_output() -> None:
    after = {"description": "Tools", "tags": {"team": "data"}, "publicUpstream": True, "internalPackages": ["acme-*"]}

    assert render_difference(compared({}, after)).partition("What else changes\n")[2] == (
        "  made:\n"
        "    private-pypi-internal-acme-*\n"
        "    private-pypi-store\n"
        "  changed:\n"
        "    private-pypi-domain: tags\n"
        "    private-pypi-repository: description, tags, upstreams"
    )
    assert "  deleted:\n    private-pypi-internal-acme-*\n    private-pypi-store\n" in (
        render_difference(compared(after, {}))
    )
    assert "  outputs changed:\n    publisher_policy\n    reader_policy" in (
        render_difference(compared({}, {"readers": [ACCOUNT]}))
    )
    assert "private-pypi-domain: protect" in render_difference(compared({}, {"protect": False}))


def test_a_document_that_is_written_in_another_way_is_no_change() -> None:
    before, after = side(readers=[API]), side(readers=[API])
    spaced = json.dumps(json.loads(str(after.preview.outputs["reader_policy"])), indent=1)
    object.__setattr__(after.preview, "outputs", {**after.preview.outputs, "reader_policy": spaced})

    assert compare(before, after, stack="dev") == Difference()


# Few names and accounts, so that who is asked about is often listed, or nearly, on both sides and by several.
ORGANIZATIONS = {"111122223333": ORGANIZATION, ACCOUNT: ORGANIZATION, "777788889999": None}
accounts = st.sampled_from(sorted(ORGANIZATIONS))
role_arns = st.builds(
    "arn:aws:iam::{}:role/{}".format, accounts, st.sampled_from(["ci", "ci-a", "ci-b", "team/ci-a", "team/reader"])
)
patterns = st.builds("arn:aws:iam::{}:role/{}".format, accounts, st.sampled_from(["ci-*", "team/*", "*", "*-a", "c*a"]))
anyone = st.one_of(role_arns, patterns, accounts, st.just(ORGANIZATION)).map(
    functools.partial(Principal.parse, partition="aws")
)
package_lists = st.lists(st.sampled_from(["acme-core", "acme-*", "acme-core-*", "beta"]), min_size=1, max_size=2).map(
    tuple
)
publishers = st.builds(Publisher, principal=anyone, packages=st.none() | package_lists)
configs = st.builds(
    PrivatePypiArgs,
    domain=st.just("acme"),
    readers=st.lists(anyone, max_size=3),
    publishers=st.lists(publishers, max_size=3),
)
ARNS = Arns(
    partition="aws", region="us-west-2", owner="111122223333", domain_name="acme", repository_name="private-pypi"
)


def matches(name: str, caller: Caller) -> bool:
    """Whether a principal is about a caller: in other words than those of the comparison."""
    if name.startswith("o-"):
        return caller.organization == name
    if name.endswith(":root"):
        return caller.account == name.split(":")[4]
    beginning, star, end = name.partition("*")
    return caller.arn.startswith(beginning) and caller.arn.endswith(end) if star else caller.arn == name


def covers(packages: tuple[str, ...] | None, package: str) -> bool:
    return packages is None or any(each == package or package.startswith(each.rstrip("*")) for each in packages)


@settings(max_examples=300)
@given(base=configs, head=configs, arn=role_arns)
def test_what_is_said_of_a_caller_is_what_the_policies_let_them_do(
    base: PrivatePypiArgs, head: PrivatePypiArgs, arn: str
) -> None:
    """As far as the permissions policies decide: where they leave it to an account, its policies allow everything."""
    account = arn.split(":")[4]
    everything = {"Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
    caller = Caller(arn=arn, identity_policies=(everything,), organization=ORGANIZATIONS[account])
    documents = [make_documents(each, ARNS, "111122223333", []) for each in (base, head)]
    sides = [
        Side(
            preview=Preview(
                resources=(),
                outputs={"repository_arn": ARNS.repository},
                access=tuple(read_access(read_policy(each.domain, ARNS), read_policy(each.repository, ARNS), ARNS)),
                publishing_is_closed=False,
                deletion_is_denied=True,
                internal_packages=(),
                warnings=(),
            ),
            account="111122223333",
            stand_ins={},
        )
        for each in documents
    ]
    difference = compare(sides[0], sides[1], stack="dev")

    def may(side_: int, action: str, resource: str, *, of_domain: bool = False) -> bool:
        document = documents[side_].domain if of_domain else documents[side_].repository
        policy = json.loads(document) if document else None
        # Of another owner than any caller's: there both sides must allow, and the policy is asked in every case.
        return allows(caller, f"codeartifact:{action}", resource, permissions_policy=policy, owner="000000000000")

    def installs(side_: int) -> bool:
        return may(side_, "GetAuthorizationToken", ARNS.domain, of_domain=True) and may(
            side_, "ReadFromRepository", ARNS.repository
        )

    def said_to_change(changes: Any, package: str | None) -> bool:
        return any(
            (change.packages is None) == (package is None)
            and matches(change.principal, caller)
            and (package is None or covers(change.packages, package))
            and not any(
                matches(each.principal, caller) and (package is None or covers(each.packages, package))
                for each in change.but_for
            )
            for change in changes
        )

    before, after = installs(0), installs(1)
    assert said_to_change(difference.gains, None) == (after and not before)
    assert said_to_change(difference.losses, None) == (before and not after)
    for package in ("acme-core", "acme-extra", "beta", "gamma"):
        before, after = (may(each, "PublishPackageVersion", ARNS.package(package)) for each in (0, 1))
        assert said_to_change(difference.gains, package) == (after and not before)
        assert said_to_change(difference.losses, package) == (before and not after)
    if not (difference.gains or difference.losses):
        assert before == after


@given(one=anyone, other=anyone, arn=role_arns)
def test_who_takes_in_whom_is_so_for_every_caller(one: Principal, other: Principal, arn: str) -> None:
    caller = Caller(arn=arn, organization=ORGANIZATIONS[arn.split(":")[4]])
    both = matches(one.name, caller) and matches(other.name, caller)

    assert not (takes_in(one.name, other.name) and matches(other.name, caller)) or matches(one.name, caller)
    assert not both or overlap(one.name, other.name)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (EVERY_CI, EVERY_A, True),
        (EVERY_CI, "arn:aws:iam::111122223333:role/team/*", False),
        (EVERY_A, "arn:aws:iam::111122223333:role/*-b", False),
        (ORGANIZATION, "o-zzzzzzzzzz", False),
        (API, CI_A, False),
        (ACCOUNT, "111122223333", False),
    ],
)
def test_who_can_be_both(one: str, other: str, expected: bool) -> None:
    names = Principal(one).name, Principal(other).name

    assert overlap(*names) == overlap(*reversed(names)) == expected
