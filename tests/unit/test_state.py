"""What a config may not change of what is there."""

import json
import re
from types import SimpleNamespace
from typing import Any

import pulumi
import pytest
from mocks import Called, Run, run
from pages import blocks

from private_pypi import PrivatePypiArgs, load_args
from private_pypi.arns import Arns
from private_pypi.policies import repository_policy

KEY = "arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
OTHER_KEY = KEY.replace("1234abcd", "00000000")
OWN: dict[str, object] = {"domain": "acme", "repository": "tools"}
SHARED = OWN | {"existingDomain": True}
TAKEN_OUT: dict[str, object] = {"domain": "acme"}

PREFIX = "urn:pulumi:test::private-pypi::private-pypi:index:PrivatePypi$aws:codeartifact/"
DOMAIN = f"{PREFIX}domain:Domain::private-pypi-domain"
REPOSITORY = f"{PREFIX}repository:Repository::private-pypi-repository"
STORE = f"{PREFIX}repository:Repository::private-pypi-store"
POLICY = f"{PREFIX}repositoryPermissionsPolicy:RepositoryPermissionsPolicy::private-pypi-repository-permissions"
ARNS = Arns(partition="aws", region="us-west-2", owner="111122223333", domain_name="acme", repository_name="tools")
DENY = repository_policy(ARNS, readers=[], publishers=[], closed_publishing=False, protect=True)


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch) -> dict[str, dict[str, Any]]:
    """The state of a protected stack with a domain of its own, as an engine would have it."""
    resources = {
        "urn:pulumi:test::private-pypi::pulumi:pulumi:Stack::private-pypi-test": {"domain_name": "acme"},
        DOMAIN: {"domain": "acme", "encryptionKey": KEY},
        STORE: {"domain": "acme", "repository": "tools-store"},
        REPOSITORY: {
            "arn": ARNS.repository,
            "domain": "acme",
            "repository": "tools",
            "domainOwner": "111122223333",
            "administratorAccount": "111122223333",
        },
        POLICY: {"policyDocument": DENY},
    }
    monkeypatch.setattr("mocks.STATE", resources)
    return resources


@pytest.fixture
def shared(state: dict[str, dict[str, Any]]) -> dict[str, dict[str, Any]]:
    """The same with a repository in the domain of another account."""
    del state[DOMAIN]
    state[REPOSITORY]["domainOwner"] = "444455556666"
    return state


def load(config: dict[str, object], record: Run | None = None) -> PrivatePypiArgs:
    texts = {
        key if ":" in key else f"private-pypi:{key}": value if isinstance(value, str) else json.dumps(value)
        for key, value in config.items()
    }
    loaded: list[PrivatePypiArgs] = []
    run(lambda: loaded.append(load_args()), {"aws:region": "us-west-2"} | texts, record=record)
    return loaded[0]


def mistakes(config: dict[str, object]) -> list[str]:
    """Those of a config, each from its key on, without the namespace."""
    with pytest.raises(pulumi.RunError) as error:
        load(config)
    return re.split("\n(?:private-pypi:|(?=aws:))", str(error.value))[1:]


def loss(key: str, got: str, kept: str) -> str:
    return (
        f"{key}: got {got}\n"
        f"  expected: {kept}, because it is protected: a change would delete what is there, with every package in it\n"
        "  fix:      undo the change; to give the packages up, set private-pypi:protect to false, run `pulumi up`, "
        "and then change it"
    )


@pytest.mark.usefixtures("state")
@pytest.mark.parametrize("config", [OWN, OWN | {"encryptionKey": KEY}, OWN | {"protect": False}])
def test_what_is_there_may_stay(config: dict[str, object]) -> None:
    """A key that is named, as of an adopted domain, or not named any more, is the one that the domain has."""
    assert load(config).repository == "tools"


@pytest.mark.usefixtures("state")
@pytest.mark.parametrize("protect", [True, False], ids=["protected", "protected until now"])
def test_what_is_protected_keeps_its_names_and_its_key(protect: bool) -> None:
    """Also when the protection is switched off in the same edit: that alone comes first."""
    config: dict[str, object] = {
        "domain": "acme-2",
        "repository": "Tools",
        "encryptionKey": OTHER_KEY,
        "protect": protect,
    }

    assert mistakes(config) == [
        loss("domain", "'acme-2'", "'acme'"),
        loss("repository", "'Tools'", "'tools'"),
        loss("encryptionKey", f"'{OTHER_KEY}'", f"'{KEY}'"),
    ]


@pytest.mark.usefixtures("state")
def test_what_is_protected_keeps_its_region() -> None:
    assert mistakes(OWN | {"aws:region": "eu-west-1", "encryptionKey": KEY.replace("us-west-2", "eu-west-1")}) == [
        loss("encryptionKey", f"'{KEY.replace('us-west-2', 'eu-west-1')}'", f"'{KEY}'"),
        loss("aws:region", "'eu-west-1'", "'us-west-2'"),
    ]


def test_what_was_not_protected_is_kept_by_protecting_it(state: dict[str, dict[str, Any]]) -> None:
    del state[POLICY]

    (mistake,) = mistakes(TAKEN_OUT)
    assert mistake == (
        "repository: got 'private-pypi'\n"
        "  expected: 'tools', because it is protected: a change would delete what is there, with every package in it\n"
        "  fix:      undo the change; to give the packages up, keep private-pypi:protect false until the change "
        "is deployed"
    )
    record = Run()
    assert load(TAKEN_OUT | {"protect": False}, record).repository == "private-pypi"
    (warning,) = record.warnings
    assert warning == (
        "private-pypi:repository was 'tools' and is 'private-pypi': Pulumi will delete what is there, with every "
        "package in it, and make another, which is empty"
    )


@pytest.mark.usefixtures("shared")
def test_another_owner_is_another_repository() -> None:
    assert load(SHARED | {"domainOwner": "444455556666"})
    assert mistakes(SHARED | {"domainOwner": "777788889999"}) == [
        loss("domainOwner", "'777788889999'", "'444455556666'")
    ]
    assert mistakes(SHARED) == [loss("domainOwner", "'111122223333'", "'444455556666'")]


@pytest.mark.usefixtures("state")
@pytest.mark.parametrize("protect", [True, False])
def test_a_domain_that_the_stack_made_stays_with_it(protect: bool) -> None:
    assert mistakes(SHARED | {"protect": protect}) == [
        (
            "existingDomain: got true\n"
            "  expected: false, because this stack made the domain\n"
            "  fix:      undo the change: Pulumi would delete the domain, and AWS keeps one that has a repository"
        )
    ]


def test_a_domain_that_exists_is_not_made(shared: dict[str, dict[str, Any]]) -> None:
    shared[REPOSITORY]["domainOwner"] = "111122223333"

    assert load(SHARED)
    assert mistakes(OWN) == [
        (
            "existingDomain: got false\n"
            "  expected: true, because this stack did not make the domain\n"
            "  fix:      undo the change, or import the domain first"
        )
    ]


@pytest.mark.usefixtures("state")
def test_what_is_no_name_is_no_change_of_it() -> None:
    (mistake,) = mistakes(OWN | {"domain": "No Name"})

    assert mistake.startswith("domain: got 'No Name', whose character 1 is 'N'")


@pytest.mark.usefixtures("state")
def test_the_state_is_that_of_the_stack() -> None:
    record = Run()
    load(OWN, record)

    name = "organization/private-pypi/test"
    assert record.calls == [
        Called(token="pulumi:pulumi:readStackOutputs", arguments={"name": name}, provider=""),
        Called(token="pulumi:pulumi:readStackResourceOutputs", arguments={"stackName": name}, provider=""),
    ]


def test_a_new_stack_has_nothing_to_keep(state: dict[str, dict[str, Any]]) -> None:
    """And is not asked twice: the CLI has perhaps no state to answer from."""
    state.clear()
    record = Run()

    assert load({"domain": "acme-2"}, record).domain == "acme-2"
    assert [call.token for call in record.calls] == ["pulumi:pulumi:readStackOutputs"]


GITHUB = DOMAIN.replace(
    "codeartifact/domain:Domain::private-pypi-domain", "iam/openIdConnectProvider:OpenIdConnectProvider"
)
PROVIDER = f"{GITHUB}::private-pypi-github"


@pytest.mark.parametrize("protect", [True, False], ids=["protected", "protected until now"])
def test_the_provider_for_github_is_protected_too(state: dict[str, dict[str, Any]], protect: bool) -> None:
    config = OWN | {"protect": protect}
    assert load(config)
    state[PROVIDER] = {"url": "https://token.actions.githubusercontent.com"}

    assert load(config | {"makeGithubOidcProvider": True})
    assert mistakes(config) == [
        (
            "makeGithubOidcProvider: got false\n"
            "  expected: true, because it is protected: a change would delete the account's provider, by which "
            "workflows assume roles in all of the account\n"
            "  fix:      undo the change; to give it up, set private-pypi:protect to false, run `pulumi up`, "
            "and then change it"
        )
    ]


def test_a_provider_that_was_not_protected_may_go(state: dict[str, dict[str, Any]]) -> None:
    del state[POLICY]
    state[PROVIDER] = {}

    record = Run()
    assert load(OWN | {"protect": False}, record)
    assert record.warnings == []


def test_a_role_that_is_called_like_something_else_is_a_role(state: dict[str, dict[str, Any]]) -> None:
    state[f"{GITHUB.replace('openIdConnectProvider:OpenIdConnectProvider', 'role:Role')}::private-pypi-domain"] = {
        "domain": "other"
    }

    assert load(OWN)


def test_the_resources_of_other_programs_are_not_the_stacks_own(state: dict[str, dict[str, Any]]) -> None:
    for urn in list(state):
        state[urn.replace("private-pypi:index:PrivatePypi$", "")] = state.pop(urn)

    assert load({"domain": "acme-2"}).domain == "acme-2"


@pytest.mark.usefixtures("state")
@pytest.mark.parametrize(("failures", "reads"), [(2, True), (3, False)])
def test_a_state_that_is_being_written_is_read_again(
    monkeypatch: pytest.MonkeyPatch, failures: int, reads: bool
) -> None:
    """And what cannot be read at all is left to Pulumi's own protection."""
    invoke = pulumi.runtime.invoke
    answers = iter([*[SimpleNamespace(value={})] * failures])
    monkeypatch.setattr("pulumi.runtime.invoke", lambda *call: next(answers, None) or invoke(*call))
    waits: list[float] = []
    monkeypatch.setattr("time.sleep", waits.append)

    if reads:
        assert len(mistakes({"domain": "acme-2"})) == 2
    else:
        assert load({"domain": "acme-2"}).domain == "acme-2"
    assert waits == [0, 0.1, 0.3]


def test_the_page_shows_the_message() -> None:
    message = loss("private-pypi:repository", "'renamed'", "'private-pypi'")

    assert blocks("protection.md", "text") == [f"{message}\n"]
