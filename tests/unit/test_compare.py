"""What a difference between two configs means for people, and how it reads."""

import functools
import json
import re
from dataclasses import replace
from typing import Any

import pytest
from evaluator import Caller, allows
from hypothesis import given
from hypothesis import strategies as st
from mocks import ROOT
from untraced import untraced

from private_pypi.args import PrivatePypiArgs
from private_pypi.arns import Arns
from private_pypi.cli.compare import (
    AccessChange,
    AlsoAllowed,
    ComponentDifference,
    Difference,
    Effect,
    Safeguard,
    Side,
    as_json,
    compare,
    covers,
    overlap,
)
from private_pypi.cli.diff_text import render_difference
from private_pypi.cli.preview import program_of, read_preview
from private_pypi.cli.program import record
from private_pypi.cli.stack_files import Stack
from private_pypi.cli.words import uncoloured
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
    return _side(json.dumps(texts, sort_keys=True))


@functools.cache
@untraced()
def _side(texts: str) -> Side:
    """What a config says, which many tests compare with others."""
    config = BUILTIN | json.loads(texts)
    stack = Stack(name="dev", project="private-pypi", config=config, secret_keys=(), main=".", has_environments=False)
    return Side(preview=read_preview(record(program_of(ROOT, stack))), project=stack.project)


def only(difference: Difference) -> ComponentDifference:
    """What changes of the one private PyPI that there is."""
    (component,) = difference.components
    return component


def compared(base: dict[str, Any], head: dict[str, Any]) -> Difference:
    return compare(side(**base), side(**head), stack="dev")


def said(base: dict[str, Any], head: dict[str, Any]) -> str:
    """What is said of a difference, except for what else changes, which is no matter of people."""
    text = render_difference(compared(base, head), uncoloured)
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

    expected = report(NOBODY_GAINS, f"Who loses\n  {API}\n    publish everything (still allowed: acme-*, beta)")
    assert said({"publishers": [API]}, limited) == expected
    expected = report(f"Who gains\n  {API}\n    publish everything (already allowed: acme-*, beta)", NOBODY_LOSES)
    assert said(limited, {"publishers": [API]}) == expected


def test_a_limit_that_moves_gains_and_loses_packages() -> None:
    before = {"publishers": [{"principal": API, "packages": ["acme-core", "beta"]}]}
    after = {"publishers": [{"principal": API, "packages": ["acme-*", "gamma"]}]}

    assert said(before, after) == report(
        f"Who gains\n  {API}\n    publish acme-*, gamma (already allowed: acme-core, beta)",
        f"Who loses\n  {API}\n    publish beta",
    )


def test_roles_that_give_way_to_a_pattern_which_covers_them_lose_nothing() -> None:
    assert said({"readers": [CI_A, CI_B]}, {"readers": [EVERY_CI]}) == report(
        "Who gains\n"
        "  every role that begins with arn:aws:iam::111122223333:role/ci-\n"
        f"    install (already allowed: {CI_A}, {CI_B})",
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
        "Who loses\n  every role that begins with arn:aws:iam::111122223333:role/ci-\n"
        f"    install (still allowed: {CI_A})",
        "Who is listed in another way\n"
        "  now listed; they gain nothing, because "
        "every role that begins with arn:aws:iam::111122223333:role/ci- already had the same rights:\n"
        f"    {CI_A}",
    )


def test_patterns_that_overlap_are_said_to() -> None:
    assert said({"readers": [EVERY_CI]}, {"readers": [EVERY_A]}) == report(
        f"Who gains\n  every role like {EVERY_A}\n"
        "    install (already allowed: every role that begins with arn:aws:iam::111122223333:role/ci-)",
        "Who loses\n  every role that begins with arn:aws:iam::111122223333:role/ci-\n"
        f"    install (still allowed: every role like {EVERY_A})",
    )


def test_an_account_takes_its_roles_in() -> None:
    assert said({"readers": [VISITOR]}, {"readers": [ACCOUNT]}) == report(
        "Who gains\n  the account 444455556666, whose own IAM policies decide who in it\n"
        f"    install (already allowed: {VISITOR})",
        NOBODY_LOSES,
        "Who is listed in another way\n"
        "  no longer listed; they lose nothing, because the account 444455556666 has the same rights:\n"
        f"    {VISITOR}",
    )


OTHERS_DOMAIN = {"existingDomain": True, "domainOwner": ACCOUNT}


@pytest.mark.parametrize("where", [{}, OTHERS_DOMAIN], ids=["the domain's", "the repository's"])
def test_a_role_of_the_own_account_gains_what_was_left_to_its_policies(where: dict[str, Any]) -> None:
    difference = compared(where | {"publishers": ["111122223333"]}, where | {"publishers": ["111122223333", API]})

    assert (API, "install") in {(each.principal, each.right) for each in only(difference).gains}
    assert difference.needs_approval


COPIES = "    copies of {} that were attached by hand {}: replace them"


@pytest.mark.parametrize(
    ("base", "head", "expected"),
    [
        pytest.param(
            {"readers": ["111122223333", API]},
            {"readers": []},
            COPIES.format("reader_policy", "still allow this"),
            id="the domain's own account",
        ),
        pytest.param(
            OTHERS_DOMAIN | {"readers": [API]},
            OTHERS_DOMAIN,
            COPIES.format("reader_policy", "still allow this"),
            id="a reader in the repository's account",
        ),
        pytest.param(
            OTHERS_DOMAIN | {"publishers": [API]},
            OTHERS_DOMAIN | {"publishers": [{"principal": API, "packages": ["tools"]}]},
            COPIES.format("publisher_policies", "still allow this"),
            id="a publisher in the repository's account",
        ),
        pytest.param(
            OTHERS_DOMAIN | {"publishers": [ORGANIZATION]},
            OTHERS_DOMAIN | {"readers": [ORGANIZATION]},
            COPIES.format("publisher_policies", "still allow this"),
            id="an organization, which may have the account",
        ),
        pytest.param(
            {"publishers": [{"principal": VISITOR, "packages": ["tools"]}]},
            {"publishers": [VISITOR]},
            COPIES.format("publisher_policies", "do not allow this yet"),
            id="more packages",
        ),
        pytest.param(
            {"readers": [VISITOR]},
            {"readers": [VISITOR], "listPackages": True},
            COPIES.format("reader_policy", "do not allow this yet"),
            id="a right more",
        ),
        pytest.param({"readers": [VISITOR]}, {}, None, id="another account, where both sides have to agree"),
        pytest.param({"readers": [API]}, {}, None, id="a role of the domain's account"),
        pytest.param({"readers": [API]}, {"publishers": [API]}, None, id="more packages of a role of that account"),
        pytest.param({}, {"publishers": [VISITOR]}, None, id="somebody who has no copy"),
        pytest.param(
            OTHERS_DOMAIN | {"readers": [API], "attachIdentityPolicies": True},
            OTHERS_DOMAIN | {"attachIdentityPolicies": True},
            None,
            id="what is attached here",
        ),
    ],
)
def test_copies_of_identity_policies_are_named_where_they_matter(
    base: dict[str, Any], head: dict[str, Any], expected: str | None
) -> None:
    lines = said(base, head).splitlines()

    assert {line for line in lines if "copies of" in line} == ({expected} if expected else set())


def test_the_domains_own_account_leaves_it_to_iam_policies() -> None:
    """A role that is listed there gets in without any."""
    listed, left_to_iam = {"publishers": [API]}, {"publishers": ["111122223333"]}

    assert said(left_to_iam, listed) == report(
        f"Who gains\n  {API}\n"
        "    install (already allowed: the account 111122223333)\n"
        "    publish everything (already allowed: the account 111122223333)",
        "Who loses\n  the account 111122223333, whose own IAM policies decide who in it\n"
        f"    install (still allowed: {API})\n"
        f"    publish everything (still allowed: {API})\n"
        "    copies of reader_policy that were attached by hand still allow this: replace them",
    )
    assert compared(left_to_iam, listed).needs_approval


def test_an_organization_covers_whom_no_name_tells() -> None:
    assert said({"publishers": [VISITOR]}, {"publishers": [ORGANIZATION]}) == report(
        f"Who gains\n  whoever is in the organization {ORGANIZATION}\n"
        f"    install (already allowed: {VISITOR})\n"
        f"    publish everything (already allowed: {VISITOR})",
        f"Who loses\n  {VISITOR}\n"
        f"    install (still allowed: whoever is in the organization {ORGANIZATION})\n"
        f"    publish everything (still allowed: whoever is in the organization {ORGANIZATION})",
    )


def test_sorting_a_list_changes_nothing() -> None:
    assert said({"readers": [API, CI_A]}, {"readers": [CI_A, API, API]}) == "Nothing changes."


def test_a_user_pattern_is_about_users() -> None:
    users = "arn:aws:iam::111122223333:user/team/*"

    assert "\n  every user that begins with arn:aws:iam::111122223333:user/team/\n" in said({}, {"readers": [users]})


@pytest.mark.parametrize(
    ("key", "on", "packages"),
    [
        ("closedPublishing", True, ()),
        ("protect", True, ()),
        ("internalPackages", ["acme-*", "beta"], ("acme", "acme-*", "beta")),
    ],
)
def test_a_safeguard_that_is_switched_off_needs_approval(key: Any, on: object, packages: tuple[str, ...]) -> None:
    off: object = False if on is True else []
    switched_off, switched_on = compared({key: on}, {key: off}), compared({key: off}, {key: on})

    assert only(switched_off).safeguards == (Safeguard(key=key, is_on=False, packages=packages),)
    assert only(switched_on).safeguards == (Safeguard(key=key, is_on=True, packages=packages),)
    assert (switched_off.risks, switched_off.needs_approval) == (1, True)
    assert (switched_on.risks, switched_on.needs_approval) == (0, False)


def test_a_name_that_a_prefix_covers_is_still_internal() -> None:
    difference = compared({"internalPackages": ["acme-core"]}, {"internalPackages": ["acme-*"]})

    assert only(difference).safeguards == (Safeguard(key="internalPackages", is_on=True, packages=("acme", "acme-*")),)


def test_public_pypi_comes_by_a_store_and_goes_with_it() -> None:
    off, on = {"internalPackages": ["acme-*"]}, {"internalPackages": ["acme-*"], "publicUpstream": True}

    assert only(compared(off, on)).effects == (Effect(what="public_upstream_added"),)
    assert compared(off, on).needs_approval
    assert only(compared(on, off)).effects == (Effect(what="store_deleted", values=("private-pypi-store",)),)
    assert (compared(on, off).risks, compared(on, off).needs_approval) == (1, True)


DOMAIN = "arn:aws:codeartifact:us-west-2:111122223333:domain/acme"


def statement(*actions: str, resource: str = "*", **parts: Any) -> dict[str, Any]:
    """One that another stack needs in the domain's policy."""
    named = [f"codeartifact:{action}" for action in actions]
    return {"Effect": "Allow", "Principal": {"AWS": [API]}, "Action": named, "Resource": resource} | parts


def test_whom_a_statement_of_others_lets_in_gains_and_loses_that() -> None:
    token = statement("GetAuthorizationToken", resource=DOMAIN)
    theirs: dict[str, Any] = {
        "domainStatements": [token, statement("CreateRepository", Principal={"AWS": [ACCOUNT]})],
    }
    gained = (
        f"  {API}\n    codeartifact:GetAuthorizationToken on {DOMAIN}\n"
        "  the account 444455556666, whose own IAM policies decide who in it\n    codeartifact:CreateRepository on *"
    )

    assert said({}, theirs) == report(f"Who gains\n{gained}", NOBODY_LOSES)
    assert compared({}, theirs).needs_approval
    assert said(theirs, {}) == report(NOBODY_GAINS, f"Who loses\n{gained}")


def test_whom_the_domains_policy_lets_install_or_publish_here_is_said() -> None:
    everything = statement("*", resource="*")
    (gain, listing, publish, other) = only(compared({}, {"domainStatements": [everything]})).gains

    assert (gain.right, listing.right, publish.right, publish.scope) == ("install", "list", "publish", ("*",))
    assert (other.right, other.scope) == ("other", ("codeartifact:* on *",))


def test_what_a_statement_of_others_denies_is_said_and_that_it_goes_needs_approval() -> None:
    condition = {"ArnNotLike": {"aws:PrincipalArn": [API]}}
    deny = {"domainStatements": [statement("DeleteRepository", Effect="Deny", Principal="*", Condition=condition)]}

    values = ("domain", "codeartifact:DeleteRepository", "*", f"everybody but {API}")
    assert only(compared({}, deny)).effects == (Effect(what="denial_added", values=values),)
    assert only(compared(deny, {})).effects == (Effect(what="denial_removed", values=values),)
    assert (compared({}, deny).needs_approval, compared(deny, {}).needs_approval) == (False, True)


@pytest.mark.parametrize(
    "parts",
    [
        {"Condition": {"StringEquals": {"aws:SourceVpce": "vpce-1"}}},
        {"Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalAccount": ACCOUNT}}},
        {"Effect": "Deny", "Condition": {"Bool": {"aws:SecureTransport": False}}},
    ],
)
def test_a_statement_of_others_that_is_not_understood_is_shown_and_needs_approval(parts: dict[str, Any]) -> None:
    difference = compared({}, {"domainStatements": [statement("GetAuthorizationToken", **parts)]})

    assert [each.change for each in only(difference).uncompared] == ["new"]
    assert difference.needs_approval


def test_whom_closed_publishing_denies_what_the_domains_policy_allows_gains_it_when_listed() -> None:
    base: dict[str, Any] = {"closedPublishing": True, "domainStatements": [statement("PublishPackageVersion")]}
    limited = {"principal": API, "packages": ["acme-core"]}

    (install, publish) = only(compared(base, base | {"publishers": [API]})).gains
    assert (install.right, publish.right, publish.scope) == ("install", "publish", ("*",))
    rights = [each.right for each in only(compared(base, base | {"publishers": [limited]})).gains]
    assert rights == ["install", "publish"]
    assert only(compared(base, base | {"closedPublishing": False})).safeguards != ()
    assert only(compared({"publishers": [API]} | base, base | {"publishers": [API], "readers": [CI_A]})).losses == ()


def test_the_order_of_statements_of_others_is_no_difference() -> None:
    two = [statement("GetAuthorizationToken"), statement("CreateRepository")]

    assert compared({"domainStatements": two}, {"domainStatements": two[::-1]}).is_empty


def test_a_new_warning_is_said() -> None:
    (warning,) = compared({}, {"publicUpstream": True}).warnings

    assert warning.startswith("publicUpstream is on and internalPackages is empty: ")
    assert compared({"publicUpstream": True}, {"publicUpstream": True, "readers": [API]}).warnings == ()


def test_roles_get_the_identity_policy_and_lose_it() -> None:
    off, on = {"readers": [API, CI_A]}, {"readers": [API, CI_A], "attachIdentityPolicies": True}
    rights = "\n".join(
        f"  {each}\n    the identity policy that is attached, and with it tokens" for each in (CI_A, API)
    )

    assert said(off, on) == report(f"Who gains\n{rights}", NOBODY_LOSES)
    assert said(on, off) == report(NOBODY_GAINS, f"Who loses\n{rights}")
    assert compared(off, on).needs_approval


def test_whoever_is_limited_may_publish_by_policies_of_their_own_though_publishing_is_closed() -> None:
    """Closed publishing exempts whoever may publish anything at all."""
    closed: dict[str, Any] = {"closedPublishing": True}
    every_role = "arn:aws:iam::111122223333:role/*"
    limited = closed | {"publishers": [{"principal": every_role, "packages": ["tools"]}]}
    rights = "publish whatever their own IAM policies allow: closedPublishing stops no publisher"

    assert f"\n    publish tools\n    {rights}\n" in said(closed | {"readers": [every_role]}, limited)
    assert rights in said(limited, closed)
    for base, head in (
        (closed | {"publishers": [every_role]}, limited),  # was exempt before
        (limited, limited | {"publishers": [{"principal": CI_A, "packages": ["tools"]}, *limited["publishers"]]}),
        (closed, closed | {"publishers": [{"principal": VISITOR, "packages": ["tools"]}]}),  # elsewhere it takes both
        (closed, closed | {"publishers": [every_role]}),  # may publish everything in any case
    ):
        assert rights not in said(base, head)
    assert rights in said(closed, closed | {"publishers": [{"principal": ORGANIZATION, "packages": ["tools"]}]})
    assert rights not in said({}, limited), "whoever has policies of their own may publish already"


WORKFLOW = {"github": "acme/tools", "tag": "v*"}
WORKFLOW_ROLE = "arn:aws:iam::111122223333:role/private-pypi-dev-acme-tools-tag-v-a7f8307c"


def test_a_workload_that_is_added_stands_beside_its_role() -> None:
    assert said({}, {"publishers": [WORKFLOW]}) == report(
        f"Who gains\n  {WORKFLOW_ROLE}, the role of github acme/tools tag v*\n    install\n    publish everything",
        NOBODY_LOSES,
    )


def test_a_role_that_trusts_another_workload_is_gained_and_lost() -> None:
    with_ids = WORKFLOW | {"ownerId": "1", "repositoryId": "2"}

    assert said({"publishers": [WORKFLOW]}, {"publishers": [with_ids]}) == report(
        f"Who gains\n  {WORKFLOW_ROLE}\n    the role itself, for github acme/tools tag v*, ids 1 and 2",
        f"Who loses\n  {WORKFLOW_ROLE}\n    the role itself, for github acme/tools tag v*",
    )
    assert compared({"publishers": [WORKFLOW]}, {"publishers": [with_ids]}).needs_approval
    assert compared({"publishers": [WORKFLOW]}, {"publishers": [WORKFLOW]}).is_empty


def test_another_workload_gains_its_role_and_the_one_before_loses_its_own() -> None:
    branch = {"gitlab": "acme/tools", "branch": "main"}
    gitlab_role = "arn:aws:iam::111122223333:role/private-pypi-dev-gitlab-acme-tools-branch-main-ID"
    told = re.sub("main-[0-9a-f]{8}", "main-ID", said({"readers": [WORKFLOW]}, {"readers": [branch]}))

    assert told == report(
        f"Who gains\n  {gitlab_role}, the role of gitlab acme/tools branch main\n    install",
        f"Who loses\n  {WORKFLOW_ROLE}, the role of github acme/tools tag v*\n    install",
    )


def test_a_permissions_boundary_of_a_role_that_changes_is_a_risk() -> None:
    before = {"publishers": [WORKFLOW]}
    after = before | {"permissionsBoundary": "arn:aws:iam::111122223333:policy/boundary"}
    name = WORKFLOW_ROLE.rpartition("/")[2]

    for difference in (compared(before, after), compared(after, before)):
        assert only(difference).effects == (Effect(what="role_changed", values=(name, "permissionsBoundary")),)
        assert difference.needs_approval


def test_list_packages_is_a_gain_and_a_loss_of_whoever_installs() -> None:
    before = {"readers": [API], "publishers": [CI_A]}
    after = before | {"listPackages": True}

    assert said(before, after) == report(
        f"Who gains\n  {CI_A}\n    list and describe packages\n  {API}\n    list and describe packages", NOBODY_LOSES
    )
    assert said(after, before) == report(
        NOBODY_GAINS, f"Who loses\n  {CI_A}\n    list and describe packages\n  {API}\n    list and describe packages"
    )
    assert compared(before, after).needs_approval


def test_who_may_list_packages_in_both_is_said() -> None:
    before = {"listPackages": True, "readers": [CI_A]}

    assert f"    list and describe packages (already allowed: {CI_A})" in said(before, before | {"readers": [EVERY_CI]})


def test_tags_on_a_role_are_a_risk() -> None:
    """IAM policies elsewhere may let in whoever has a tag."""
    before = {"publishers": [WORKFLOW]}
    difference = compared(before, before | {"tags": {"team": "data"}})

    name = WORKFLOW_ROLE.rpartition("/")[2]
    assert only(difference).effects == (Effect(what="role_changed", values=(name, "tags")),)
    assert difference.needs_approval


REPOSITORY = "arn:aws:codeartifact:us-west-2:111122223333:repository/acme/private-pypi"


@pytest.mark.parametrize(
    ("head", "becomes"),
    [
        ({"domain": "other"}, REPOSITORY.replace("/acme/", "/other/")),
        ({"repository": "other"}, REPOSITORY.replace("private-pypi", "other")),
        ({"aws__region": "eu-west-1"}, REPOSITORY.replace("us-west-2", "eu-west-1")),
    ],
)
def test_a_repository_that_becomes_another_is_lost(head: dict[str, str], becomes: str) -> None:
    effect = Effect(what="repository_replaced", values=(REPOSITORY, becomes))

    assert only(compared({"protect": False}, {"protect": False} | head)).effects == (effect,)
    assert only(compared({}, head)).effects == (replace(effect, is_refused=True),)
    assert compared({}, head).needs_approval


def test_in_another_account_what_was_deployed_stays() -> None:
    effect = Effect(what="account_changed", values=("111122223333", "777788889999", REPOSITORY), is_refused=True)

    assert effect in only(compared({}, {"aws__allowedAccountIds": "777788889999"})).effects
    existing = {"existingDomain": True, "domainOwner": ACCOUNT}
    difference = compared(existing, existing | {"aws__allowedAccountIds": "777788889999"})
    assert [each.what for each in only(difference).effects] == ["account_changed"]


def test_of_a_project_with_another_name_what_was_deployed_stays() -> None:
    base, head = side(), side()
    difference = compare(base, replace(head, project="other"), stack="dev")

    assert difference.effects == (Effect(what="project_changed", values=("private-pypi", "other", REPOSITORY)),)
    assert difference.needs_approval


DOMAIN = "arn:aws:codeartifact:us-west-2:111122223333:domain/acme"
KEY = "arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def test_another_key_loses_the_domain_and_none_leaves_it() -> None:
    difference = compared({"protect": False}, {"protect": False, "encryptionKey": KEY})

    assert only(difference).effects == (Effect(what="domain_replaced", values=(DOMAIN, KEY)),)
    assert only(compared({"encryptionKey": KEY}, {})).effects == ()


def test_a_domain_that_the_stack_no_longer_has_is_lost() -> None:
    difference = compared({"protect": False}, {"protect": False, "existingDomain": True})

    assert only(difference).effects == (Effect(what="domain_deleted", values=(DOMAIN,), is_refused=True),)
    assert only(compared({"existingDomain": True}, {})).effects == ()


def test_an_oidc_provider_is_for_every_role_of_the_account() -> None:
    without, with_it = {"protect": False}, {"protect": False, "makeOidcProviders": ["github"]}
    url = "https://token.actions.githubusercontent.com"

    assert only(compared(with_it, without)).effects == (Effect(what="oidc_provider_deleted", values=(url,)),)
    assert only(compared(without, with_it)).effects == (Effect(what="oidc_provider_made", values=(url,)),)
    assert compared(without, with_it).needs_approval


def test_of_a_new_stack_all_is_said() -> None:
    difference = compare(None, side(readers=[API], protect=False), stack="dev")

    assert render_difference(difference, uncoloured) == report(
        "A new stack\n  This stack is new. `pulumi up` makes all that is below.",
        f"Who gains\n  {API}\n    install",
        "Safeguards switched off\n"
        "  Packages are not protected: whoever's own IAM policies let them delete packages may.",
        "What is made\n"
        "  private-pypi-domain\n"
        "  private-pypi-domain-permissions\n"
        "  private-pypi-repository\n"
        "  private-pypi-repository-permissions",
    )
    assert difference.is_new
    assert difference.needs_approval


def test_a_new_stack_with_empty_lists_is_new_too() -> None:
    difference = compare(None, side(), stack="dev")

    assert difference.needs_approval
    assert "Who gains\n  Nobody: there are no readers and no publishers.\n\nSafeguards switched on\n" in (
        render_difference(difference, uncoloured)
    )


def test_of_a_stack_that_is_gone_what_was_deployed_stays() -> None:
    difference = compare(side(readers=[API]), None, stack="dev")

    assert difference.is_gone
    assert difference.effects == (Effect(what="stack_removed", values=("dev", REPOSITORY)),)
    assert difference.needs_approval
    assert compare(None, None, stack="dev") == Difference()


def test_what_else_changes_is_said_by_resource_and_output() -> None:
    after = {"description": "Tools", "tags": {"team": "data"}, "publicUpstream": True, "internalPackages": ["acme-*"]}

    assert render_difference(compared({}, after), uncoloured).partition("What else changes\n")[2] == (
        "  made:\n"
        "    private-pypi-internal-acme-*\n"
        "    private-pypi-store\n"
        "  changed:\n"
        "    private-pypi-domain: tags\n"
        "    private-pypi-repository: description, tags, upstreams"
    )
    assert "  deleted:\n    private-pypi-internal-acme-*\n    private-pypi-store\n" in (
        render_difference(compared(after, {}), uncoloured)
    )
    assert "  outputs changed:\n    reader_policy" in (
        render_difference(compared({}, {"readers": [ACCOUNT]}), uncoloured)
    )
    assert "private-pypi-domain: protect" in render_difference(compared({}, {"protect": False}), uncoloured)


def changed(side_: Side, **more: Any) -> Side:
    """The same with something else of its component."""
    (component,) = side_.preview.components
    return replace(side_, preview=replace(side_.preview, components=(replace(component, **more),)))


def test_a_document_that_is_written_in_another_way_is_no_change() -> None:
    before = side(readers=[API])
    (component,) = before.preview.components
    spaced = json.dumps(json.loads(str(component.outputs["reader_policy"])), indent=1)
    after = changed(before, outputs={**component.outputs, "reader_policy": spaced})

    assert compare(before, after, stack="dev").is_empty


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


def includes(change: AccessChange | AlsoAllowed, package: str) -> bool:
    return any(each in {"*", package} or package.startswith(each.rstrip("*")) for each in change.scope)


EMPTY = side()


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
        changed(
            EMPTY,
            access=tuple(read_access(read_policy(each.domain, ARNS), read_policy(each.repository, ARNS), ARNS)),
        )
        for each in documents
    ]
    difference = only(compare(sides[0], sides[1], stack="dev"))

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
            change.right == ("install" if package is None else "publish")
            and matches(change.principal, caller)
            and (package is None or includes(change, package))
            and not any(
                matches(each.principal, caller) and (package is None or includes(each, package))
                for each in change.also_allowed
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
def test_who_covers_whom_is_so_for_every_caller(one: Principal, other: Principal, arn: str) -> None:
    caller = Caller(arn=arn, organization=ORGANIZATIONS[arn.split(":")[4]])
    both = matches(one.name, caller) and matches(other.name, caller)

    assert not (covers(one.name, other.name) and matches(other.name, caller)) or matches(one.name, caller)
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


def test_programs_get_the_difference_with_what_is_a_loss_and_what_a_risk() -> None:
    after = {"makeOidcProviders": ["github"], "internalPackages": ["acme-*"]}
    content = as_json(compared({"publicUpstream": True, "internalPackages": ["acme-*"]}, after))

    assert content["needs_approval"]
    assert content["counts"] == {"gains": 0, "losses": 0, "risks": 2, "not_compared": 0}
    assert content["components"][0]["effects"] == [
        {"kind": "risk", "what": "store_deleted", "values": ("private-pypi-store",), "is_refused": False},
        {
            "kind": "risk",
            "what": "oidc_provider_made",
            "values": ("https://token.actions.githubusercontent.com",),
            "is_refused": False,
        },
    ]
    json.dumps(content)


def test_an_output_of_the_stack_that_is_no_components_changes_by_itself() -> None:
    base = side()
    before, after = (
        replace(base, preview=replace(base.preview, outputs={**base.preview.outputs, "note": text, "broken": "{"}))
        for text in ("one", "two")
    )

    assert [each.name for each in compare(before, after, stack="dev").edits] == ["note"]
    assert compare(base, replace(base, preview=replace(base.preview, outputs={})), stack="dev").edits == ()


def test_a_document_that_is_none_is_compared_as_text() -> None:
    base = side()
    (component,) = base.preview.components
    one, other = (changed(base, outputs={**component.outputs, "reader_policy": text}) for text in ("{", "{{"))

    assert [each.name for each in only(compare(one, other, stack="dev")).edits] == ["reader_policy"]
