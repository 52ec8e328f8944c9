"""The JSON Schema of a stack file against the program: what it takes, what it finds, and what no schema can say."""

import copy
import json
from collections.abc import Iterator
from typing import Any

import mocks
import pulumi
import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st
from jsonschema import Draft7Validator
from mocks import ROOT

from private_pypi.cli.main import main
from private_pypi.cli.schema import schema
from private_pypi.keys import KEYS

SCHEMA = schema()
VALIDATOR = Draft7Validator(SCHEMA)
Config = dict[str, Any]

CI = "arn:aws:iam::111122223333:role/team/ci"
EVERYTHING: Config = {
    "domain": "acme",
    "repository": "internal.packages",
    "description": "Ours: 100 %",
    "readers": [
        CI,
        "arn:aws:iam::111122223333:role/ci-*",
        "arn:aws:iam::111122223333:user/people/ada",
        "arn:aws:iam::444455556666:root",
        "777788889999",
        "o-a1b2c3d4e5",
        {"github": "acme/tools"},
        {"github": "acme/data", "environment": "test (eu)", "ownerId": "9919", "repositoryId": "724712"},
        {"gitlab": "acme/team/data", "host": "gitlab.example.com", "branch": "feature/*"},
    ],
    "publishers": [
        CI,
        {"principal": CI, "packages": ["Acme.Core", "acme-*"]},
        {"github": "acme/tools", "tag": "v*", "workflow": "publish.yml"},
        {"github": "acme/data", "branch": "main", "ownerId": "9919", "repositoryId": "724712", "packages": ["acme-d"]},
        {"gitlab": "acme/data", "tag": "*"},
    ],
    "listPackages": True,
    "closedPublishing": "true",
    "protect": False,
    "existingDomain": "false",
    "domainOwner": "",
    "domainStatements": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": ["arn:aws:iam::444455556666:root", CI]},
            "Action": ["codeartifact:GetAuthorizationToken"],
            "Resource": "arn:aws:codeartifact:us-west-2:111122223333:domain/acme",
        },
        {
            "Sid": "Web",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "codeartifact:Delete*",
            "Resource": ["arn:aws:codeartifact:us-west-2:111122223333:repository/acme/web", "*"],
            "Condition": {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/web/*"}},
        },
    ],
    "encryptionKey": "arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab",
    "publicUpstream": True,
    "internalPackages": ["acme-*", "billing"],
    "attachIdentityPolicies": True,
    "makeOidcProviders": ["github", "gitlab.com", "gitlab.example.com"],
    "permissionsBoundary": "arn:aws:iam::111122223333:policy/team/boundary",
    "tags": {"team": "platform", "cost center": ""},
}
OTHERS: Config = EVERYTHING | {
    "existingDomain": True,
    "domainOwner": "444455556666",
    "domainStatements": [],
    "encryptionKey": "",
}

JSON: Config = {
    "domain": "acme",
    "readers": json.dumps(EVERYTHING["readers"], indent=2),
    "tags": '{"team": "platform"}',
}


def text(value: object) -> str:
    """A value as the CLI gives it to the program."""
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)


def refusal(config: Config) -> str:
    """What the program says of a config; nothing if it takes it."""
    texts = {f"private-pypi:{key}": text(value) for key, value in config.items()}
    try:
        mocks.load(texts | {"aws:region": "us-west-2"})
    except pulumi.RunError as error:
        return str(error)
    return ""


def stack_file(config: Config) -> dict[str, Any]:
    return {"config": {"aws:region": "us-west-2"} | {f"private-pypi:{key}": value for key, value in config.items()}}


def is_taken(config: Config) -> bool:
    """Whether the schema takes a stack file with this config."""
    return VALIDATOR.is_valid(stack_file(config))


def test_it_is_a_schema_and_has_every_key() -> None:
    Draft7Validator.check_schema(SCHEMA)

    described = SCHEMA["properties"]["config"]["properties"]
    assert {name: each["description"] for name, each in described.items()} == {
        f"private-pypi:{name}": key.description for name, key in KEYS.items()
    }
    assert EVERYTHING.keys() == KEYS.keys()


def test_the_keys_have_the_descriptions_and_defaults_of_the_project_file() -> None:
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    described = SCHEMA["properties"]["config"]["properties"]

    assert {name: each["description"] for name, each in declared.items()} == {
        name: key.description for name, key in KEYS.items()
    }
    defaults = {name: each.get("value", each.get("default")) for name, each in declared.items()}
    assert {name: described[f"private-pypi:{name}"].get("default", "") for name in KEYS} == defaults


def test_the_command_prints_it_and_it_is_in_the_repository(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["schema"]) == 0
    printed = capsys.readouterr().out

    assert json.loads(printed) == SCHEMA
    assert (ROOT / "schema/pulumi-stack.schema.json").read_text() == printed


# -- What the schema takes, the program takes ------------------------------------------------------------------------


@pytest.mark.parametrize("config", [EVERYTHING, OTHERS, {"domain": "acme"}, {"domain": "acme", "readers": None}, JSON])
def test_both_take_what_is_right(config: Config) -> None:
    assert refusal(config) == ""
    assert [each.message for each in VALIDATOR.iter_errors(stack_file(config))] == []


CHARACTERS = "aZ09-_./:@*?${}[]()<>~^\\+=,;#&%! \"'\n\t\x00"
PIECES = [
    *("arn:", "aws", ":root", "role/", "o-", "https://", ".git", ".lock", "refs/", "..", "//", "@{", "${", "*", "-*"),
    *("true", "github", "github.com", "token.actions.githubusercontent.com", "aws:", "AWS:", "x" * 60, "x" * 260),
]


@st.composite
def mutated_text(draw: st.DrawFn, value: str) -> str:
    """A text with something taken out of it, or put into it."""
    start = draw(st.integers(0, len(value)))
    end = draw(st.integers(start, min(len(value), start + 3)))
    piece = draw(st.sampled_from(["", *PIECES]) | st.text(CHARACTERS, max_size=2))
    return value[:start] + piece + value[end:]


VALUES = [None, True, False, 0, 5, 111122223333, 1.5, "", "x", "true", [], ["acme"], {}, {"principal": CI}, [[]], "*"]


def leaves(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of all that is in a value."""
    if path:
        yield path
    for key, each in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        yield from leaves(each, (*path, key))


@st.composite
def mutated(draw: st.DrawFn) -> Config:
    """A right config in which one or two things are others."""
    config = copy.deepcopy(draw(st.sampled_from([EVERYTHING, OTHERS])))
    for _ in range(draw(st.integers(1, 2))):
        *parents, last = draw(st.sampled_from([*leaves(config)]))
        holder = config
        for each in parents:
            holder = holder[each]
        value = holder[last]
        choices = ["other", "gone", "again"] + ["text"] * 6 * isinstance(value, str)
        match draw(st.sampled_from(choices)):
            case "text":
                holder[last] = draw(mutated_text(value))
            case "other":
                holder[last] = copy.deepcopy(draw(st.sampled_from(VALUES)))
            case "gone":
                del holder[last]
            case _ if isinstance(holder, dict):
                key = draw(mutated_text(last) | st.sampled_from(["branch", "tag", "environment", "host", "packages"]))
                holder[key] = copy.deepcopy(value)
            case _:
                holder.append(copy.deepcopy(value))
    return config


# What no schema can say, by the words of the program's message.
UNSAYABLE = [
    "before it",  # two entries of one repository in two ways
    "characters that make a trust policy",  # names that are too long together
    "names that make a trust policy of",
    "the stack's region is in the partition",
    "take a key of the region",
    "the namespace private-pypi",  # a namespace that is misspelled
    "an action of CodeArtifact",  # one that there is
    "because AWS lets it be named for nothing else",
    "an action that takes",
    "no other domain is asked for this policy",
    "with it a condition that names an organization, accounts or ARNs",
    "a Sid that no other statement of the policy has",
    "no policy reaches into another",
]


def unsayable(said: str) -> bool:
    """Whether all mistakes are of those that no schema can find."""
    _, *mistakes = said.split("\nprivate-pypi:")
    assert mistakes
    return all(any(words in mistake for words in UNSAYABLE) for mistake in mistakes)


@given(mutated())
def test_what_the_schema_takes_the_program_takes(config: Config) -> None:
    """And so what the program refuses the schema refuses, which is for whoever types the file."""
    assume(all(isinstance(key, str) and ":" not in key for key in config))
    if is_taken(config):
        said = refusal(config)
        assert not said or unsayable(said)


def is_easily_mistaken(config: Config) -> bool:
    """Whether a config has a form that the program takes, and the schema does not."""
    kinds = {"boolean": bool | str, "text": str, "list": list, "map": dict}
    return any(value is not None and not isinstance(value, kinds[KEYS[key].kind]) for key, value in config.items())


@given(mutated())
def test_what_the_program_takes_the_schema_takes(config: Config) -> None:
    assume(config.keys() <= KEYS.keys() and not is_easily_mistaken(config))
    assume(not any(value is None and KEYS[key].kind == "text" for key, value in config.items()))
    if not is_taken(config):
        assert refusal(config)


# -- Mistakes, one at a time -----------------------------------------------------------------------------------------

GITHUB, GITLAB = {"github": "acme/tools"}, {"gitlab": "acme/tools"}
MISTAKES: list[Config] = [
    {"domain": None},
    {"domain": ""},
    {"domain": "Acme"},
    {"domain": "acme-"},
    {"domain": "_acme"},
    {"domain": "acme\n"},
    {"domain": "a" * 51},
    {"repository": "my repo"},
    {"repository": "r" * 101},
    {"repository": "r" * 95, "publicUpstream": True},
    {"repository": "r" * 95, "publicUpstream": "true"},
    {"description": "two\nlines"},
    {"description": "x" * 1001},
    {"domainOwner": "1111", "existingDomain": True},
    {"domainOwner": "444455556666"},
    {"domainOwner": "444455556666", "existingDomain": "false"},
    {"encryptionKey": "arn:aws:kms:us-west-2:111122223333:alias/acme"},
    {"encryptionKey": EVERYTHING["encryptionKey"], "existingDomain": True},
    {"permissionsBoundary": "boundary"},
    {"domainStatements": EVERYTHING["domainStatements"], "existingDomain": True},
    *(
        {"domainStatements": [EVERYTHING["domainStatements"][1] | wrong]}
        for wrong in (
            {"Effect": "allow"},
            {"Sid": "a b"},
            {"NotAction": "codeartifact:*"},
            {"Principal": {"AWS": "arn:aws:iam::111122223333:role/*"}},
            {"Principal": {"AWS": []}},
            {"Principal": {"Service": "glue.amazonaws.com"}},
            {"Action": "s3:*"},
            {"Action": []},
            {"Resource": "arn:aws:s3:::bucket"},
            {"Resource": "arn:aws:codeartifact:us-west-2:111122223333:repository/*"},
            {"Condition": {}},
            {"Condition": {"Equals": {"aws:PrincipalArn": "x"}}},
            {"Condition": {"ArnLike": {}}},
        )
    ),
    {"protect": "yes"},
    {"protect": "True"},
    {"protect": 1},
    {"colour": "red"},
    {"githubPublishers": []},
    {"publisher": []},
    {"internalPackages": ["*"]},
    {"internalPackages": ["acme*"]},
    {"internalPackages": ["-acme"]},
    {"internalPackages": [5]},
    {"internalPackages": "acme"},
    {"tags": {"aws:owner": "ours"}},
    {"tags": {"AWS:owner": "ours"}},
    {"tags": {"": "ours"}},
    {"tags": {"team": 5}},
    {"tags": {"cost;center": "12"}},
    {"tags": {"team": "x" * 257}},
    {"tags": {f"tag{number}": "x" for number in range(51)}},
    {"tags": ["team"]},
    {"makeOidcProviders": ["gitlab"]},
    {"makeOidcProviders": ["github.com"]},
    {"makeOidcProviders": ["token.actions.githubusercontent.com"]},
    {"makeOidcProviders": ["https://gitlab.com"]},
    *(
        {"readers": [reader]}
        for reader in (
            *("*", "ci", 12345678901, ["ci"], None, True, "", "glue.amazonaws.com", "accounts.google.com"),
            "arn:aws:sts::111122223333:assumed-role/ci/session",
            "arn:aws:s3:::bucket",
            "arn:aws:iam::1111:role/ci",
            "arn:aws:iam::111122223333:role/c i",
            "arn:aws:iam::111122223333:role/ci\n",
            "arn:aws:iam::111122223333:group/ci",
            "arn:aws:iam:us-west-2:111122223333:role/ci",
            f"arn:aws:iam::111122223333:role/{'x' * 65}",
            f"arn:aws:iam::111122223333:role/{'x' * 600}/ci",
            {"principal": CI},
            {},
            {"repository": "acme/tools"},
            {"github": "acme"},
            {"github": "acme/*"},
            {"github": None},
            {"gitlab": "acme"},
            GITHUB | GITLAB,
            GITHUB | {"colour": "red"},
            GITHUB | {"packages": ["acme"]},
            GITHUB | {"branch": "main", "tag": "v*"},
            GITHUB | {"branch": "main", "environment": "test"},
            GITHUB | {"branch": None},
            GITHUB | {"branch": "refs/heads/main"},
            GITHUB | {"branch": "a*b"},
            GITHUB | {"branch": "a b"},
            GITHUB | {"branch": "a..b"},
            GITHUB | {"branch": "a.lock"},
            GITHUB | {"branch": "-a"},
            GITHUB | {"branch": "@"},
            GITHUB | {"branch": "a/"},
            GITHUB | {"branch": "refs/*"},
            GITHUB | {"tag": "${x}"},
            GITHUB | {"tag": "x" * 256},
            GITHUB | {"environment": " test"},
            GITHUB | {"environment": "a  b"},
            GITHUB | {"environment": "a:b"},
            GITHUB | {"ownerId": "1"},
            GITHUB | {"ownerId": 1, "repositoryId": 2},
            GITHUB | {"ownerId": "01", "repositoryId": "2"},
            GITHUB | {"workflow": ".github/workflows/x.yml"},
            GITHUB | {"host": "gitlab.com"},
            GITLAB | {"host": "https://gitlab.com"},
            GITLAB | {"host": "token.actions.githubusercontent.com"},
            GITLAB | {"environment": "test"},
            GITLAB | {"ownerId": "1", "repositoryId": "2"},
        )
    ),
    *(
        {"publishers": [publisher]}
        for publisher in (
            {"principal": CI},
            {"principal": CI, "packages": []},
            {"principal": CI, "packages": "acme"},
            {"principal": CI, "packages": ["*"]},
            {"principal": CI, "package": ["acme"]},
            {"packages": ["acme"]},
            GITHUB,
            GITLAB,
            GITHUB | {"tag": "v*", "packages": []},
            GITHUB | {"tag": "v*", "packages": None},
        )
    ),
]


@pytest.mark.untraced
@pytest.mark.parametrize("mistake", MISTAKES, ids=[str(each)[:60] for each in MISTAKES])
def test_both_find_a_mistake(mistake: Config) -> None:
    config = {"domain": "acme"} | mistake

    assert refusal(config)
    assert not is_taken(config)


WORKLOAD = GITHUB | {"branch": "main"}
IDS = {"ownerId": "1", "repositoryId": "2"}
ONLY_THE_PROGRAM: dict[str, Config] = {
    "what is in a list that is JSON in a text": {"readers": '["ci"]'},
    "one repository in two ways": {"readers": [WORKLOAD, WORKLOAD | IDS]},
    "one repository in two spellings": {"readers": [WORKLOAD, WORKLOAD | {"github": "Acme/tools"}]},
    "names that are too long together": {"readers": [GITHUB | IDS | {"tag": "\u6771" * 200}]},
    "another partition than the region's": {"readers": ["arn:aws-cn:iam::111122223333:role/ci"]},
    "a key of another region": {"encryptionKey": EVERYTHING["encryptionKey"].replace("us-west-2", "eu-west-1")},
    "a boundary of another partition": {"permissionsBoundary": "arn:aws-cn:iam::111122223333:policy/boundary"},
    "characters beyond ASCII that AWS does not take": {"tags": {"team": "\u2603"}},
    "characters beyond ASCII that cannot be seen": {"description": "\u200b"},
}


@pytest.mark.parametrize("config", ONLY_THE_PROGRAM.values(), ids=ONLY_THE_PROGRAM)
def test_what_no_schema_can_say_the_program_finds(config: Config) -> None:
    """Nor can it say what depends on the deploying account, on what is deployed, or on how long policies get."""
    config = {"domain": "acme"} | config

    assert refusal(config)
    assert is_taken(config)


EASILY_MISTAKEN: list[Config] = [
    {"domainOwner": 444455556666, "existingDomain": True},
    {"repository": 100},
]


@pytest.mark.parametrize("config", EASILY_MISTAKEN)
def test_forms_that_are_easily_mistaken_are_not_taken(config: Config) -> None:
    config = {"domain": "acme"} | config

    assert not refusal(config)
    assert not is_taken(config)


# -- What is not ours ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "file",
    [
        {"config": {"private-pypi:domain": "acme", "aws:region": "us-west-2", "other:key": {"secure": "v1:x"}}},
        {"config": {"private-pypi:domain": "acme"}, "encryptionsalt": "v1:x", "secretsprovider": "awskms://alias/x"},
        {"config": {"domain": "acme", "readers": ["ours to check, but whose is not known here"]}},
        {"config": {"private-pypi:config:domain": "acme"}},
        {"environment": ["prod"]},
        {"environment": ["prod"], "config": None},
        {"environment": ["prod"], "config": {"private-pypi:protect": True}},
    ],
)
def test_other_namespaces_and_fields_are_let_through(file: dict[str, Any]) -> None:
    assert [each.message for each in VALIDATOR.iter_errors(file)] == []


@pytest.mark.parametrize(
    "file",
    [
        {},
        {"config": None},
        {"config": {}},
        {"config": []},
        {"config": {"private-pypi:domain": {"secure": "v1:x"}}},
        {"environment": ["prod"], "config": {"private-pypi:colour": True}},
        {"config": {"private-pypi:domain": "acme", "private-pypi:config:colour": True}},
    ],
)
def test_a_domain_is_needed_in_plain_and_no_unknown_key(file: dict[str, Any]) -> None:
    assert not VALIDATOR.is_valid(file)
