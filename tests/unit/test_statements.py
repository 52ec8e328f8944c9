"""Statements of others for the domain's policy: what is taken, in which form, and what is refused."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mocks import DOMAIN_PERMISSIONS, ROOT, main_program, run

from private_pypi import DomainStatement, PrivatePypiArgs
from private_pypi.arns import Arns
from private_pypi.errors import InvalidArgsError, InvalidValueError
from private_pypi.iam import TOKEN
from private_pypi.policies import domain_policy, make_documents
from private_pypi.principals import Principal
from private_pypi.statements import ACTIONS, OWN_SIDS

ARNS = Arns(partition="aws", region="us-west-2", owner="111122223333", domain_name="acme", repository_name="pypi")
ARN = "arn:aws:codeartifact:us-west-2:111122223333"
WEB = "arn:aws:iam::111122223333:role/web"
ROOT_ELSEWHERE = "arn:aws:iam::444455556666:root"
TOKENS: dict[str, Any] = {
    "Effect": "Allow",
    "Principal": {"AWS": [WEB]},
    "Action": ["codeartifact:GetAuthorizationToken"],
    "Resource": ARNS.domain,
}
EVERYBODY = TOKENS | {"Principal": "*"}
PLACE = {"domain": "acme", "partition": "aws", "region": "us-west-2", "owner": "111122223333"}


def refused(content: Any, **where: str) -> list[tuple[str, str]]:
    """The paths of the mistakes, each with what was got."""
    with pytest.raises(InvalidValueError) as error:
        DomainStatement.parse(content, **PLACE | where)
    found = error.value.mistakes if isinstance(error.value, InvalidArgsError) else (("", error.value),)
    for _, mistake in found:
        assert "\n  expected: " in str(mistake)
        assert "\n  fix:      " in str(mistake)
    return [(path, str(mistake).partition("\n")[0].removeprefix("got ")) for path, mistake in found]


def test_the_actions_are_those_of_the_reference_for_which_a_policy_is_evaluated() -> None:
    reference = ROOT / "tests/integration/aws-emulator/reference/actions.json"
    types = {
        action: frozenset(kinds)
        for action, kinds in json.loads(reference.read_text())["actions"].items()
        if action.startswith("codeartifact:")
    }
    for of_account in ("CreateDomain", "ListDomains", "ListRepositories"):
        assert types.pop(f"codeartifact:{of_account}") == frozenset()

    assert types == ACTIONS


def test_the_output_of_another_stack_is_taken_as_it_is() -> None:
    """With another account's right to make repositories, and tags, in the pages' example."""
    config = {
        "domain": "acme",
        "existing_domain": True,
        "domain_owner": "111122223333",
        "readers": [WEB, "arn:aws:iam::111122223333:role/web/*", "o-a1b2c3d4e5"],
        "publishers": ["444455556666"],
        "tags": {"team": "web"},
        "public_upstream": True,
    }
    statements = make_documents(PrivatePypiArgs(**config), ARNS, "444455556666", []).domain_statements
    pasted = json.loads(statements or "")

    assert len(pasted) == 5
    args = PrivatePypiArgs(domain="acme", domain_statements=pasted).at("us-west-2", "111122223333")
    policy = json.loads(make_documents(args, ARNS, "111122223333", []).domain or "")
    assert sorted(policy["Statement"], key=json.dumps) == sorted(pasted, key=json.dumps)


def test_statements_stand_after_our_own_in_an_order_of_their_own() -> None:
    other = TOKENS | {"Principal": {"AWS": [WEB.replace("web", "data")]}}
    ours = json.loads(domain_policy(ARNS, readers=[Principal(WEB)], publishers=[]) or "")

    def policy(*statements: dict[str, Any]) -> Any:
        args = PrivatePypiArgs(domain="acme", readers=[WEB], domain_statements=statements)
        return json.loads(make_documents(args, ARNS, "111122223333", []).domain or "")["Statement"]

    assert policy(TOKENS, other) == policy(other, TOKENS, other) == [*ours["Statement"], other, TOKENS]


def test_the_form_of_a_statement_makes_no_difference() -> None:
    several: dict[str, Any] = {
        "Sid": "Web",
        "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5", "aws:SecureTransport": True}},
        "Resource": ["*", f"{ARN}:repository/acme/*"],
        "Action": ["codeartifact:readfromrepository", "codeartifact:Describe*", "codeartifact:ReadFromRepository"],
        "Principal": {"AWS": ["*"]},
        "Effect": "Allow",
    }

    assert DomainStatement.parse(several, **PLACE).text == (
        '{"Sid":"Web","Effect":"Allow","Principal":"*",'
        '"Action":["codeartifact:Describe*","codeartifact:ReadFromRepository"],'
        f'"Resource":["*","{ARN}:repository/acme/*"],'
        '"Condition":{"StringEquals":{"aws:PrincipalOrgID":["o-a1b2c3d4e5"],"aws:SecureTransport":["true"]}}}'
    )
    assert DomainStatement(TOKENS) == DomainStatement(TOKENS | {"Action": TOKEN[0], "Principal": {"AWS": WEB}})
    assert len({DomainStatement(TOKENS), DomainStatement(dict(reversed(TOKENS.items())))}) == 1


def test_an_account_gets_the_arn_of_the_partition_it_is_in() -> None:
    statement = DomainStatement(TOKENS | {"Principal": {"AWS": "444455556666"}})

    assert statement.content["Principal"] == {"AWS": ["444455556666"]}
    assert DomainStatement.parse(statement, **PLACE).content["Principal"] == {"AWS": [ROOT_ELSEWHERE]}


@pytest.mark.parametrize(
    "taken",
    [
        {"Action": "codeartifact:*", "Resource": "*"},
        {"Action": "codeartifact:List*", "Resource": [ARNS.domain, f"{ARN}:package/acme/npm/npm/*"]},
        {"Action": "codeartifact:CreateRepository", "Resource": "*"},
        {"Action": ["codeartifact:CreateRepository", "codeartifact:DescribeDomain"], "Resource": ["*", ARNS.domain]},
        {"Action": "codeartifact:DescribePackageGroup", "Resource": f"{ARN}:package-group/acme/%2Fnpm%2F*"},
        {"Effect": "Deny", "Sid": "Web"},
        {"Condition": {"StringEquals": {"aws:SourceVpce": "vpce-1"}}},
        {"Condition": {"ForAnyValue:StringLikeIfExists": {"aws:TagKeys": ["a*", "b*"]}, "Null": {"aws:x": False}}},
        {"Condition": {"NumericLessThan": {"aws:MultiFactorAuthAge": 60}}},
    ],
    ids=str,
)
def test_what_makes_sense_in_a_domains_policy_is_taken(taken: dict[str, Any]) -> None:
    assert DomainStatement.parse(TOKENS | taken, **PLACE)


@pytest.mark.parametrize(
    "condition",
    [
        {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}},
        {"StringEquals": {"AWS:principalorgid": ["o-a1b2c3d4e5", "o-zzzzzzzzzz"]}},
        {"StringLike": {"aws:PrincipalAccount": "444455556666"}},
        {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::444455556666:role/*"}},
        {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-a1b2c3d4e5/r-ab12/ou-ab12-11111111/*"}},
        {"ArnEquals": {"aws:PrincipalArn": WEB}, "Bool": {"aws:SecureTransport": "true"}},
    ],
    ids=str,
)
@pytest.mark.parametrize("effect", ["Allow", "Deny"])
def test_everybody_is_taken_with_a_condition_that_names_them(condition: dict[str, Any], effect: str) -> None:
    assert DomainStatement.parse(EVERYBODY | {"Effect": effect, "Condition": condition}, **PLACE)


@pytest.mark.parametrize(
    "condition",
    [
        None,
        {"StringNotEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}},
        {"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}},
        {"ForAllValues:StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}},
        {"ForAllValues:StringLike": {"aws:PrincipalOrgPaths": "o-a1b2c3d4e5/*"}},
        {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-*/r-ab12/*"}},
        {"StringLike": {"aws:PrincipalOrgID": "o-*"}},
        {"StringLike": {"aws:PrincipalOrgID": ["o-a1b2c3d4e5", "*"]}},
        {"StringEquals": {"aws:PrincipalAccount": "${aws:ResourceAccount}"}},
        {"StringLike": {"aws:PrincipalAccount": "1111*"}},
        {"ArnLike": {"aws:PrincipalArn": "*"}},
        {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/ci"}},
        {"StringEquals": {"aws:SourceVpce": "vpce-1"}},
        {"StringEquals": {"aws:PrincipalTag/team": "web"}},
        {"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}},
    ],
    ids=str,
)
def test_everybody_is_refused_with_any_other(condition: dict[str, Any] | None) -> None:
    conditional = EVERYBODY | ({"Condition": condition} if condition else {})

    assert refused(conditional) == [("Principal", '"*"')]
    assert refused(conditional | {"Principal": {"AWS": "*"}}) == [("Principal", '"*"')]


@pytest.mark.parametrize("condition", [{"StringNotEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}])
def test_a_deny_may_name_whom_it_exempts(condition: dict[str, Any]) -> None:
    assert DomainStatement.parse(EVERYBODY | {"Effect": "Deny", "Condition": condition}, **PLACE)
    assert refused(EVERYBODY | {"Effect": "Deny"}) == [("Principal", '"*"')]


@pytest.mark.parametrize(
    ("change", "mistakes"),
    [
        ({"Effect": "allow"}, [("Effect", "'allow'")]),
        ({"Effect": None}, [("Effect", "nothing")]),
        ({"Effect": ["Allow"]}, [("Effect", "a list")]),
        ({"Sid": "two words"}, [("Sid", "'two words'")]),
        ({"Sid": None}, [("Sid", "nothing")]),
        ({"NotAction": "codeartifact:*"}, [("NotAction", "an element NotAction")]),
        ({"NotResource": "*"}, [("NotResource", "an element NotResource")]),
        ({"NotPrincipal": "*"}, [("NotPrincipal", "an element NotPrincipal")]),
        ({"Conditions": {}}, [("Conditions", "a key that does not exist")]),
        ({"Principal": None}, [("Principal", "nothing")]),
        ({"Principal": WEB}, [("Principal", repr(WEB))]),
        ({"Principal": {}}, [("Principal", "a map")]),
        ({"Principal": {"Service": "x"}}, [("Principal", "a map with 'Service'")]),
        ({"Principal": {"AWS": WEB, "Federated": "x"}}, [("Principal", "a map with 'AWS', 'Federated'")]),
        ({"Principal": {"AWS": []}}, [("Principal.AWS", "an empty list")]),
        ({"Principal": {"AWS": [WEB, "*"]}}, [("Principal.AWS[1]", "'*'")]),
        ({"Principal": {"AWS": 444455556666}}, [("Principal.AWS", "the number 444455556666")]),
        ({"Principal": {"AWS": f"{WEB}/*"}}, [("Principal.AWS", f"'{WEB}/*'")]),
        ({"Principal": {"AWS": "o-a1b2c3d4e5"}}, [("Principal.AWS", "'o-a1b2c3d4e5'")]),
        ({"Principal": {"AWS": "AROAEXAMPLEEXAMPLE"}}, [("Principal.AWS", "'AROAEXAMPLEEXAMPLE'")]),
        (
            {"Principal": {"AWS": [WEB.replace("aws", "aws-cn", 1)]}},
            [("Principal.AWS[0]", "'arn:aws-cn:iam::111122223333:role/web'")],
        ),
        ({"Action": None}, [("Action", "nothing")]),
        ({"Action": []}, [("Action", "an empty list")]),
        ({"Action": [TOKEN[0], 1]}, [("Action[1]", "the number 1")]),
        ({"Action": "*"}, [("Action", "'*'")]),
        ({"Action": "codeartifact:GetAuthorisationToken"}, [("Action", "'codeartifact:GetAuthorisationToken'")]),
        ({"Action": "code*:Get*"}, [("Action", "'code*:Get*'")]),
        ({"Action": "codeartifact:Foo*"}, [("Action", "'codeartifact:Foo*'")]),
        ({"Action": "sts:GetServiceBearerToken"}, [("Action", "'sts:GetServiceBearerToken'")]),
        (
            {"Action": "codeartifact:ListDomains", "Resource": "*"},
            [("Action", "'codeartifact:ListDomains', for which AWS evaluates no policy of a domain")],
        ),
        (
            {"Action": "codeartifact:CreateRepository"},
            [("Action", f"codeartifact:CreateRepository on {ARNS.domain}")],
        ),
        (
            {"Action": ["codeartifact:ReadFromRepository", TOKEN[0]]},
            [("Action", f"codeartifact:ReadFromRepository on {ARNS.domain}")],
        ),
        ({"Resource": [ARNS.domain, ARNS.repository]}, [("Action", f"{TOKEN[0]} alone")]),
        ({"Resource": None}, [("Resource", "nothing")]),
        ({"Resource": ["*", 1]}, [("Resource[1]", "the number 1")]),
        ({"Resource": "arn:aws:s3:::bucket"}, [("Resource", "'arn:aws:s3:::bucket'")]),
        ({"Resource": f"{ARN}:domain/acme/x"}, [("Resource", f"'{ARN}:domain/acme/x'")]),
        ({"Resource": f"{ARN}:domain/*"}, [("Resource", f"'{ARN}:domain/*'")]),
        ({"Resource": f"{ARN}:repository/acme"}, [("Resource", f"'{ARN}:repository/acme'")]),
        ({"Resource": f"{ARN}:repository/*/x"}, [("Resource", f"'{ARN}:repository/*/x'")]),
        (
            {"Resource": f"{ARN}:repository/acme/${{aws:username}}"},
            [("Resource", f"'{ARN}:repository/acme/${{aws:username}}'")],
        ),
        ({"Resource": f"{ARN}:domain/other"}, [("Resource", f"'{ARN}:domain/other'")]),
        ({"Condition": {}}, [("Condition", "a map")]),
        ({"Condition": None}, [("Condition", "nothing")]),
        ({"Condition": {"Equals": {}}}, [("Condition.Equals", "an operator that does not exist")]),
        ({"Condition": {1: {}}}, [("Condition.1", "an operator that does not exist")]),
        ({"Condition": {"Bool": "x"}}, [("Condition.Bool", "'x'")]),
        ({"Condition": {"Bool": {"x": "y"}}}, [("Condition.Bool.x", "'x'")]),
        ({"Condition": {"Bool": {1: "y"}}}, [("Condition.Bool.1", "1")]),
        ({"Condition": {"Bool": {"aws:x": []}}}, [("Condition.Bool.aws:x", "an empty list")]),
        ({"Condition": {"Bool": {"aws:x": None}}}, [("Condition.Bool.aws:x[0]", "nothing")]),
        (
            {"Condition": {"ArnLike": {"aws:PrincipalArn": ["arn:aws-cn:iam::111122223333:role/*"]}}},
            [("Condition.ArnLike.aws:PrincipalArn", "'arn:aws-cn:iam::111122223333:role/*'")],
        ),
    ],
    ids=str,
)
def test_what_does_not_is_refused_where_it_stands(change: dict[str, Any], mistakes: list[tuple[str, str]]) -> None:
    assert refused(TOKENS | change) == mistakes


@pytest.mark.parametrize("wrong", [None, "x", TOKEN, json.dumps(TOKENS), [TOKENS], 1], ids=str)
def test_what_is_no_statement_is_refused(wrong: object) -> None:
    assert [path for path, _ in refused(wrong)] == [""]


@pytest.mark.parametrize(
    "where", [{"partition": "aws-cn"}, {"region": "us-east-1"}, {"owner": "444455556666"}, {"domain": "other"}], ids=str
)
def test_a_resource_of_another_place_is_refused(where: dict[str, str]) -> None:
    named = TOKENS | {"Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3d4e5"}}}

    assert refused(named, **where) == [("Resource", repr(ARNS.domain))]
    assert DomainStatement.parse(named | {"Resource": "*"}, **PLACE | where)


def test_all_mistakes_are_reported_at_once() -> None:
    wrong = {"Effect": "allow", "Principal": "*", "Action": ["x", TOKEN[0], "y"], "Resource": "z"}

    assert [path for path, _ in refused(wrong)] == ["Effect", "Action[0]", "Action[2]", "Resource", "Principal"]


def test_a_message_says_where_it_is_what_is_expected_and_what_to_do() -> None:
    def message(*statements: Any, existing_domain: bool = False) -> str:
        with pytest.raises(InvalidArgsError) as error:
            PrivatePypiArgs(domain="acme", domain_statements=statements, existing_domain=existing_domain)
        return str(error.value)

    assert message(TOKENS, TOKENS | {"Principal": "*"}) == (
        'domain_statements[1].Principal: got "*"\n'
        "  expected: with it a condition that names an organization, accounts or ARNs\n"
        '  fix:      add {"StringEquals": {"aws:PrincipalOrgID": "o-..."}} for example, or name the principals'
    )
    assert message(TOKENS | {"Action": "codeartifact:GetAuthorizationTokens"}) == (
        "domain_statements[0].Action: got 'codeartifact:GetAuthorizationTokens'\n"
        "  expected: an action of CodeArtifact (codeartifact:GetAuthorizationToken), with * for what varies in its "
        "name\n"
        "  fix:      did you mean `codeartifact:GetAuthorizationToken`?"
    )
    assert message(TOKENS | {"Action": "codeartifact:CreateRepository"}) == (
        f"domain_statements[0].Action: got codeartifact:CreateRepository on {ARNS.domain}\n"
        '  expected: it on "*", because AWS lets it be named for nothing else\n'
        "  fix:      correct the resource"
    )
    assert message(TOKENS, TOKENS, existing_domain=True) == (
        "domain_statements: got 2 statements for an existing domain\n"
        "  expected: statements for the policy of a new domain\n"
        "  fix:      take them out, and give them to the domain's owner"
    )
    assert message(TOKENS, existing_domain=True).startswith("domain_statements: got 1 statement for an existing")
    assert message(json.dumps([TOKENS])).endswith("fix:      write it without the quotes around it")


def test_a_sid_stands_once_in_a_policy() -> None:
    with pytest.raises(InvalidArgsError) as error:
        PrivatePypiArgs(
            domain="acme",
            domain_statements=[TOKENS | {"Sid": sid} for sid in ("Web", OWN_SIDS[0], "Web", "Data")] + [TOKENS] * 2,
        )

    assert [path for path, _ in error.value.mistakes] == ["domain_statements[1]", "domain_statements[2]"]


def test_the_sids_of_our_own_statements_are_known() -> None:
    readers = [Principal(name).in_partition("aws") for name in (WEB, f"{WEB}/*", "o-a1b2c3d4e5")]
    policy = json.loads(domain_policy(ARNS, readers=readers, publishers=[]) or "")

    assert sorted(statement["Sid"] for statement in policy["Statement"]) == sorted(OWN_SIDS)


@pytest.mark.parametrize("written", [json.dumps([TOKENS]), json.dumps([TOKENS], indent=2)])
def test_a_config_has_them_as_the_output_prints_them(written: str) -> None:
    made = run(main_program, {"private-pypi:domain": "acme", "private-pypi:domainStatements": written})

    assert json.loads(made.of_type(DOMAIN_PERMISSIONS).inputs["policyDocument"])["Statement"] == [TOKENS]


def test_they_count_towards_the_limit() -> None:
    many = [TOKENS | {"Principal": {"AWS": [f"{WEB}-{number}"]}} for number in range(40)]
    with pytest.raises(InvalidArgsError, match=r"got a domain permissions policy of 7,948 characters"):
        make_documents(PrivatePypiArgs(domain="acme", domain_statements=many), ARNS, "111122223333", [])


texts = st.sampled_from(["*", WEB, "444455556666", "o-a1b2c3d4e5", *TOKEN, "codeartifact:*", ARNS.domain, "Allow", ""])
things = st.recursive(
    texts | st.none() | st.integers() | st.booleans(),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["AWS", "StringEquals", "aws:PrincipalOrgID"]), inner, max_size=2)
    ),
    max_leaves=5,
)


@given(st.dictionaries(st.sampled_from([*TOKENS, "Condition", "Sid", "NotAction"]), things, max_size=4))
def test_whatever_it_is_it_is_taken_as_it_is_read_or_refused(change: dict[str, Any]) -> None:
    try:
        statement = DomainStatement.parse(TOKENS | change, **PLACE)
    except InvalidValueError:
        return
    assert DomainStatement.parse(statement.content, **PLACE) == statement
    assert statement.content["Principal"] != "*" or statement.content["Condition"]
