"""What a change may not delete of what is deployed."""

import json
import re
from collections.abc import Callable
from typing import Any

import pulumi
import pytest
from mocks import AWS, Called, Run, run
from pages import blocks
from pulumi.runtime.mocks import MockCallArgs, MockResourceArgs

from private_pypi import Principal, PrivatePypi, PrivatePypiArgs, load_args
from private_pypi.arns import Arns
from private_pypi.policies import domain_policy, policy_of_nothing, repository_policy

KEY = "arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
OTHER_KEY = KEY.replace("1234abcd", "00000000")
OWN: dict[str, object] = {"domain": "acme", "repository": "tools"}
UNPROTECTED = OWN | {"protect": False}
SHARED = OWN | {"existingDomain": True}
TAKEN_OUT: dict[str, object] = {"domain": "acme"}

ARNS = Arns(partition="aws", region="us-west-2", owner="111122223333", domain_name="acme", repository_name="tools")
DENY = repository_policy(ARNS, readers=[], publishers=[], closed_publishing=False, protect=True)
NOTHING = policy_of_nothing(ARNS, "111122223333")

State = dict[str, dict[str, Any]]


def urn(kind: str = "", parents: str = "", name: str = "private-pypi") -> str:
    """The URN of a component, or of one of its resources."""
    types = {
        "domain": "aws:codeartifact/domain:Domain",
        "domain-permissions": "aws:codeartifact/domainPermissions:DomainPermissions",
        "repository": "aws:codeartifact/repository:Repository",
        "store": "aws:codeartifact/repository:Repository",
        "repository-permissions": "aws:codeartifact/repositoryPermissionsPolicy:RepositoryPermissionsPolicy",
        **dict.fromkeys(
            ["github", "gitlab.com", "b-gitlab.com"], "aws:iam/openIdConnectProvider:OpenIdConnectProvider"
        ),
    }
    start = f"urn:pulumi:test::private-pypi::{parents}private-pypi:index:PrivatePypi"
    return f"{start}${types[kind]}::{name}-{kind}" if kind else f"{start}::{name}"


def deployed(repository: str = "tools", owner: str = "111122223333") -> dict[str, Any]:
    """The outputs of a repository."""
    return {
        "arn": f"arn:aws:codeartifact:us-west-2:{owner}:repository/acme/{repository}",
        "domain": "acme",
        "repository": repository,
        "domainOwner": owner,
        "administratorAccount": "111122223333",
    }


@pytest.fixture
def state(monkeypatch: pytest.MonkeyPatch) -> State:
    """The state of a protected stack with a domain of its own, as an engine would have it."""
    resources = {
        "urn:pulumi:test::private-pypi::pulumi:pulumi:Stack::private-pypi-test": {"domain_name": "acme"},
        urn(): {"repository_arn": ARNS.repository, "protect": True},
        urn("domain"): {"domain": "acme", "encryptionKey": KEY},
        urn("repository"): deployed(),
        urn("repository-permissions"): {"policyDocument": DENY},
    }
    monkeypatch.setattr("mocks.STATE", resources)
    return resources


@pytest.fixture
def unprotected(state: State) -> State:
    """The same after a `pulumi up` without protection."""
    state[urn()]["protect"] = False
    state[urn("repository-permissions")]["policyDocument"] = NOTHING
    return state


@pytest.fixture
def shared(state: State) -> State:
    """The same with a repository in the domain of another account."""
    del state[urn("domain")]
    state[urn("repository")] = deployed(owner="444455556666")
    return state


def deploy(config: dict[str, object], options: Callable[[], pulumi.ResourceOptions] = pulumi.ResourceOptions) -> Run:
    """Run a program with one component."""
    texts = {
        key if ":" in key else f"private-pypi:{key}": value if isinstance(value, str) else json.dumps(value)
        for key, value in config.items()
    }
    region = str(config.get("aws:region", "us-west-2"))
    record = Run()
    try:
        run(
            lambda: PrivatePypi("private-pypi", load_args(), options()) and None,
            {"aws:region": region} | texts,
            region=region,
            record=record,
        )
    except pulumi.RunError:
        assert not [each for each in record.resources.values() if each.type != "example:index:Parent"]
        raise
    return record


def mistakes(
    config: dict[str, object], options: Callable[[], pulumi.ResourceOptions] = pulumi.ResourceOptions
) -> list[str]:
    """Those of a config, each from its key on, without the namespace."""
    with pytest.raises(pulumi.RunError) as error:
        deploy(config, options)
    return re.split("\n(?:private-pypi:|(?=aws:))", str(error.value))[1:]


def loss(key: str, got: str, kept: str) -> str:
    return (
        f"{key}: got {got}\n"
        f"  expected: {kept}, because it is protected: a change would delete what is there, with every package in it\n"
        "  fix:      undo the change; to give the packages up, set private-pypi:protect to false, run `pulumi up`, "
        "and then change it"
    )


RENAMED = [loss("repository", "'renamed'", "'tools'")]


class Parent(pulumi.ComponentResource):
    def __init__(self, opts: pulumi.ResourceOptions | None = None, name: str = "parent") -> None:
        super().__init__("example:index:Parent", name, {}, opts)


@pytest.mark.usefixtures("state")
@pytest.mark.parametrize("config", [OWN, OWN | {"encryptionKey": KEY}, UNPROTECTED])
def test_what_is_there_may_stay(config: dict[str, object]) -> None:
    """A key that is named, as of an adopted domain, or not named any more, is the one that the domain has."""
    assert deploy(config).warnings == []


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


@pytest.mark.usefixtures("unprotected")
def test_what_was_not_protected_is_kept_by_protecting_it() -> None:
    (mistake,) = mistakes(TAKEN_OUT)
    assert mistake == (
        "repository: got 'private-pypi'\n"
        "  expected: 'tools', because it is protected: a change would delete what is there, with every package in it\n"
        "  fix:      undo the change; to give the packages up, set private-pypi:protect to false until the change is "
        "deployed"
    )
    (warning,) = deploy(TAKEN_OUT | {"protect": False}).warnings
    assert warning == (
        "private-pypi:repository was 'tools' and is 'private-pypi': Pulumi will delete what is there, with every "
        "package in it, and make another, which is empty"
    )


def deny_again(state: State) -> None:
    state[urn("repository-permissions")]["policyDocument"] = DENY


def say_nothing(state: State) -> None:
    """As what an earlier program deployed, what was imported, or a first `pulumi up` that did not end."""
    del state[urn()]["protect"]


def forget_the_component(state: State) -> None:
    del state[urn()]


def test_a_key_that_is_added_replaces_the_domain_too(state: State) -> None:
    state[urn("domain")]["encryptionKey"] = ""

    assert mistakes(OWN | {"encryptionKey": KEY}) == [loss("encryptionKey", f"'{KEY}'", "nothing")]


def speak_of_another(state: State) -> None:
    state[urn()]["repository_arn"] = ARNS.store.repository


def say_it_is_protected(state: State) -> None:
    state[urn()]["protect"] = True


@pytest.mark.untraced
@pytest.mark.parametrize(
    "change", [deny_again, say_nothing, forget_the_component, speak_of_another, say_it_is_protected]
)
@pytest.mark.parametrize("has_policy", [True, False])
def test_only_what_the_state_says_to_be_unprotected_is(
    unprotected: State, change: Callable[[State], None], has_policy: bool
) -> None:
    if not has_policy:
        del unprotected[urn("repository-permissions")]
    assert deploy(UNPROTECTED | {"repository": "renamed"}).warnings != []

    if has_policy or change is not deny_again:
        change(unprotected)
        assert mistakes(UNPROTECTED | {"repository": "renamed"}) == RENAMED


def test_without_a_repository_there_is_nothing_to_lose(state: State) -> None:
    """As after a first run that did not get further."""
    del state[urn("repository")], state[urn("repository-permissions")]

    assert deploy(UNPROTECTED | {"encryptionKey": OTHER_KEY}).warnings == [
        (
            f"private-pypi:encryptionKey was '{KEY}' and is '{OTHER_KEY}': Pulumi will delete what is there, with "
            "every package in it, and make another, which is empty"
        )
    ]


@pytest.mark.usefixtures("shared")
def test_another_owner_is_another_repository() -> None:
    assert deploy(SHARED | {"domainOwner": "444455556666"})
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


def test_a_domain_that_exists_is_not_made(shared: State) -> None:
    shared[urn("repository")] = deployed()

    assert deploy(SHARED)
    assert mistakes(OWN) == [
        (
            "existingDomain: got false\n"
            "  expected: true, because this stack did not make the domain\n"
            "  fix:      undo the change, or import the domain first"
        )
    ]


@pytest.mark.parametrize("protect", [True, False], ids=["protected", "protected until now"])
def test_the_providers_that_the_stack_made_are_protected_too(state: State, protect: bool) -> None:
    config = OWN | {"protect": protect}
    assert deploy(config)
    state[urn("github")] = {"url": "https://token.actions.githubusercontent.com"}
    state[urn("gitlab.com")] = {"url": "gitlab.com"}

    assert deploy(config | {"makeOidcProviders": ["gitlab.com", "github"]})
    assert mistakes(config | {"makeOidcProviders": ["gitlab.example.com"]}) == [
        (
            f"makeOidcProviders: got a list without {provider}\n"
            f"  expected: {provider} in it, because it is protected: a change would delete the account's provider, by "
            "which jobs assume roles in all of the account\n"
            "  fix:      undo the change; to give it up, set private-pypi:protect to false, run `pulumi up`, "
            "and then change it"
        )
        for provider in ("github", "gitlab.com")
    ]


def test_a_provider_of_another_component_is_not_taken_for_its_own(state: State) -> None:
    """Of one with a longer name, which ends like the host of another GitLab."""
    assert deploy(OWN)
    state[urn("b-gitlab.com")] = {"url": "gitlab.com"}

    assert deploy(OWN)


def test_a_provider_that_was_not_protected_may_go(unprotected: State) -> None:
    unprotected[urn("github")] = {}

    assert deploy(UNPROTECTED).warnings == []


@pytest.mark.untraced
def test_every_mistake_is_reported_with_what_is_too_long(state: State) -> None:  # noqa: ARG001
    readers = [f"arn:aws:iam::111122223333:role/{number:029}" for number in range(200)]

    domain, repository, *others = mistakes(OWN | {"repository": "renamed", "readers": readers})
    assert [domain] == RENAMED
    assert repository.startswith("readers and private-pypi:publishers: got a domain permissions policy")
    assert len(others) == 1


@pytest.mark.parametrize("protect", [True, False])
def test_a_policy_that_was_protected_stays_and_says_nothing(state: State, protect: bool) -> None:
    """Pulumi does not delete it in the run that ends its protection."""
    documents = {
        each.inputs["policyDocument"]
        for each in deploy(OWN | {"protect": protect}).resources.values()
        if "policyDocument" in each.inputs
    }
    assert documents == {DENY if protect else NOTHING}

    # Nor where somebody else deleted it: that the run without protection has written it is in the state then.
    del state[urn("repository-permissions")]
    assert "private-pypi-repository-permissions" in deploy(OWN | {"protect": protect}).resources


def test_what_was_never_protected_needs_no_policy(unprotected: State) -> None:
    """But one that stayed goes on to stay, so that one run is enough."""
    policies = [each.inputs.get("policyDocument") for each in deploy(UNPROTECTED).resources.values()]
    assert NOTHING in policies
    unprotected[urn("repository-permissions")]["policyDocument"] = NOTHING.replace("Describe", "Get")
    assert "private-pypi-repository-permissions" not in deploy(UNPROTECTED).resources
    del unprotected[urn("repository-permissions")]
    assert "private-pypi-repository-permissions" not in deploy(UNPROTECTED).resources
    unprotected.clear()
    assert "private-pypi-repository-permissions" not in deploy(UNPROTECTED).resources


def test_a_new_stack_has_nothing_to_keep(state: State) -> None:
    state.clear()

    assert deploy({"domain": "acme-2", "protect": False}).warnings == []


def test_mocks_without_a_state_are_a_new_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other people's unit tests answer what they do not know with nothing."""
    call = AWS.call

    def ignorant(self: AWS, args: MockCallArgs) -> tuple[dict[str, Any], list[tuple[str, str]]]:
        return call(self, args) if args.token.startswith("aws:") else ({}, [])

    monkeypatch.setattr(AWS, "call", ignorant)

    assert deploy({"domain": "acme-2", "protect": False}).warnings == []


@pytest.mark.usefixtures("state")
def test_the_state_is_that_of_the_stack_and_read_once() -> None:
    def program() -> None:
        args = PrivatePypiArgs(domain="acme", repository="tools")
        PrivatePypi("private-pypi", args)
        PrivatePypi("second", PrivatePypiArgs(domain="acme", repository="other", existing_domain=True))

    calls = [call for call in run(program).calls if call.token.startswith("pulumi:")]
    assert calls == [
        Called(
            token="pulumi:pulumi:readStackResourceOutputs",
            arguments={"stackName": "organization/private-pypi/test"},
            provider="",
        )
    ]


@pytest.mark.parametrize("swap", [False, True])
def test_each_of_several_components_is_compared_with_itself(
    state: State, monkeypatch: pytest.MonkeyPatch, swap: bool
) -> None:
    """In a state that has no order: the name of the one ends like the other's."""
    state[urn("repository", name="other-private-pypi")] = deployed("other")
    if swap:
        monkeypatch.setattr("mocks.STATE", dict(reversed(state.items())))

    def program(repository: str) -> None:
        PrivatePypi("private-pypi", PrivatePypiArgs(domain="acme", repository="tools"))
        args = PrivatePypiArgs(domain="acme", repository=repository, existing_domain=True)
        PrivatePypi("other-private-pypi", args)

    run(lambda: program("other"))
    with pytest.raises(pulumi.RunError, match="repository: got 'tools'\n  expected: 'other'"):
        run(lambda: program("tools"))


@pytest.mark.parametrize("preview", [False, True])
def test_a_component_below_others_is_found_by_all_their_types(state: State, preview: bool) -> None:
    inner = "example:index:Parent$example:index:Parent$"
    for each in list(state):
        state[each.replace("private-pypi::private-pypi:", f"private-pypi::{inner}private-pypi:")] = state.pop(each)

    def program(repository: str) -> None:
        parent = Parent(pulumi.ResourceOptions(parent=Parent()), "inner")
        opts = pulumi.ResourceOptions(parent=parent)
        PrivatePypi("private-pypi", PrivatePypiArgs(domain="acme", repository=repository), opts)

    run(lambda: program("tools"), preview=preview)
    with pytest.raises(pulumi.RunError, match="repository: got 'renamed'"):
        run(lambda: program("renamed"), preview=preview)


def test_a_component_whose_parent_is_the_stack_is_found(state: State) -> None:  # noqa: ARG001
    assert (
        mistakes(
            OWN | {"repository": "renamed"},
            lambda: pulumi.ResourceOptions(parent=pulumi.runtime.get_root_resource()),
        )
        == RENAMED
    )


def aliased() -> pulumi.ResourceOptions:
    return pulumi.ResourceOptions(parent=Parent(), aliases=[pulumi.Alias(parent=pulumi.ROOT_STACK_RESOURCE)])


@pytest.mark.usefixtures("state")
def test_what_is_found_by_its_arn_is_compared_whatever_its_urn() -> None:
    assert deploy(OWN, aliased).warnings == []
    assert mistakes(OWN | {"encryptionKey": OTHER_KEY}, aliased) == [
        loss("encryptionKey", f"'{OTHER_KEY}'", f"'{KEY}'")
    ]


@pytest.mark.usefixtures("state")
def test_what_an_alias_may_stand_for_is_not_renamed() -> None:
    assert mistakes(UNPROTECTED | {"repository": "renamed"}, aliased) == [
        (
            "repository: got 'renamed'\n"
            "  expected: 'tools', because an alias of the component may stand for it, and it is protected\n"
            "  fix:      undo the change of the name, or set private-pypi:protect to true, until the alias is deployed"
        )
    ]
    assert deploy(UNPROTECTED | {"repository": "renamed"}, lambda: pulumi.ResourceOptions(parent=Parent()))
    assert deploy(OWN | {"repository": "renamed"}, aliased)


@pytest.mark.usefixtures("unprotected")
def test_what_is_not_protected_may_be_renamed_by_an_alias_too() -> None:
    assert deploy(UNPROTECTED | {"repository": "renamed"}, aliased)


def test_the_resources_of_other_programs_are_not_the_stacks_own(state: State) -> None:
    for each in list(state):
        state[each.replace("private-pypi:index:PrivatePypi$", "")] = state.pop(each)

    assert deploy({"domain": "acme-2"}, aliased)


@pytest.fixture
def users(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The repositories that AWS says to have the store upstream; it does not say if there are none."""
    names: list[str] = []

    def find(arns: Arns) -> tuple[str, ...]:
        assert arns == ARNS.store
        if not names:
            raise RuntimeError("no credentials")
        return tuple(names)

    monkeypatch.setattr("private_pypi.state.downstream_repositories", find)
    return names


STORED = OWN | {"publicUpstream": True, "internalPackages": ["acme-*"]}


@pytest.fixture
def stored(unprotected: State) -> State:
    """The state of an unprotected stack with a store."""
    unprotected[urn("store")] = deployed("tools-store")
    return unprotected


@pytest.mark.parametrize("protect", [True, False])
def test_a_store_that_others_use_is_not_deleted_while_packages_are_protected(
    stored: State, users: list[str], protect: bool
) -> None:
    stored[urn()]["protect"] = True
    users += ["npm", "tools", "web"]

    assert deploy(STORED).warnings == []
    assert mistakes(OWN | {"protect": protect}) == [
        (
            "publicUpstream: got false\n"
            "  expected: true while other repositories take packages from its store: npm, web\n"
            "  fix:      take tools-store out of their upstreams first"
        )
    ]


@pytest.mark.usefixtures("stored")
def test_that_a_store_that_others_use_is_deleted_is_said(users: list[str]) -> None:
    users += ["npm", "tools", "web"]

    said = "Pulumi will delete tools-store, from which other repositories take packages: npm, web"
    assert deploy(UNPROTECTED).warnings == [said]
    assert deploy(STORED | {"protect": False, "repository": "renamed"}).warnings[0] == said
    users[:] = ["tools"]
    assert deploy(UNPROTECTED).warnings == []


@pytest.mark.usefixtures("stored", "users")
@pytest.mark.parametrize("protect", [True, False])
def test_that_nobody_can_tell_who_uses_a_store_is_said(protect: bool) -> None:
    assert deploy(OWN | {"protect": protect}).warnings == [
        "Pulumi will delete tools-store. It cannot be told whether other repositories have it upstream: no credentials"
    ]


THEIRS = {
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::111122223333:role/web"},
    "Action": "codeartifact:GetAuthorizationToken",
    "Resource": ARNS.domain,
}
OURS = json.loads(domain_policy(ARNS, readers=[Principal("111122223333")], publishers=[]) or "")


@pytest.mark.parametrize("statement", [THEIRS, THEIRS | {"NotAction": "x"}])
def test_what_others_have_in_the_domains_policy_is_said_before_it_goes(state: State, statement: dict[str, Any]) -> None:
    refreshed = OURS | {"Statement": [*OURS["Statement"], statement]}
    state[urn("domain-permissions")] = {"policyDocument": json.dumps(refreshed)}
    state[urn()]["domain_policy"] = json.dumps(OURS)

    assert deploy(OWN | {"readers": ["444455556666"]}).warnings == [
        (
            "The policy of the domain acme has statements that are not from here. `pulumi up` takes them away. To keep "
            f"them, add them to private-pypi:domainStatements:\n{json.dumps(statement, separators=(',', ':'))}"
        )
    ]
    assert len(deploy(OWN).warnings) == 1  # then all of the policy goes
    del state[urn()]["domain_policy"]
    assert len(deploy(OWN | {"readers": ["444455556666"]}).warnings[0].splitlines()) == 3  # as of one that is imported


def test_what_is_from_here_or_stays_is_not(state: State) -> None:
    again = THEIRS | {"Sid": "Web", "Principal": {"AWS": [THEIRS["Principal"]["AWS"]]}}
    state[urn("domain-permissions")] = {"policyDocument": json.dumps(OURS | {"Statement": [*OURS["Statement"], again]})}
    state[urn()]["domain_policy"] = json.dumps(OURS)

    assert deploy(OWN | {"domainStatements": [THEIRS]}).warnings == []


def test_a_policy_that_is_none_is_said_as_it_is(state: State) -> None:
    state[urn("domain-permissions")] = {"policyDocument": "{"}

    assert deploy(OWN).warnings[0].endswith(":\n{")


@pytest.mark.parametrize("found", [True, False])
def test_the_policy_that_was_written_is_known_in_the_next_run(
    state: State, monkeypatch: pytest.MonkeyPatch, found: bool
) -> None:
    """Not what a run finds that writes nothing: `pulumi refresh --run-program`, or one with `--target`."""
    state[urn()]["domain_policy"] = "before"
    written = deploy(OWN | {"domainStatements": [THEIRS]}).component_outputs["domain_policy"]
    assert json.loads(written)["Statement"][0]["Principal"] == {"AWS": [THEIRS["Principal"]["AWS"]]}

    make = AWS.new_resource

    def find(self: AWS, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        rid, outputs = make(self, args)
        return rid, outputs | ({"policyDocument": "of AWS"} if "policyDocument" in outputs and found else {})

    monkeypatch.setattr(AWS, "new_resource", find)
    registered = deploy(OWN | {"domainStatements": [THEIRS]}).component_outputs["domain_policy"]
    assert registered == ("before" if found else written)


@pytest.fixture
def failures(monkeypatch: pytest.MonkeyPatch) -> Callable[[int], list[float]]:
    """Let the first look-ups in the state fail, and return the waits between them."""

    def fail(number: int) -> list[float]:
        invoke, calls, waits = pulumi.runtime.invoke, iter(range(number)), list[float]()

        def failing(token: str, *arguments: Any, **options: Any) -> Any:
            if token.endswith(":readStackResourceOutputs") and next(calls, None) is not None:
                raise RuntimeError("failed to load checkpoint: EOF")
            return invoke(token, *arguments, **options)

        monkeypatch.setattr("pulumi.runtime.invoke", failing)
        monkeypatch.setattr("time.sleep", waits.append)
        return waits

    return fail


@pytest.mark.usefixtures("state")
def test_a_state_that_is_being_written_is_read_again(failures: Callable[[int], list[float]]) -> None:
    waits = failures(3)

    assert mistakes(OWN | {"repository": "renamed"}) == RENAMED
    assert waits == [0, 0.1, 0.3, 1]


@pytest.mark.usefixtures("state")
def test_what_is_not_checked_is_said(failures: Callable[[int], list[float]]) -> None:
    failures(4)

    assert deploy(OWN | {"repository": "renamed"}).warnings == [
        (
            "The stack's state cannot be read (failed to load checkpoint: EOF). So it is not checked whether a change "
            "of a name, the owner, the key or the region would delete packages. Pulumi refuses that itself, but "
            "perhaps after other changes of the same edit."
        )
    ]


@pytest.mark.parametrize("config", [UNPROTECTED, {"domain": "new", "protect": False}])
def test_without_the_state_nothing_unprotected_is_deployed(
    failures: Callable[[int], list[float]], config: dict[str, object]
) -> None:
    failures(4)

    assert mistakes(config) == [
        (
            "protect: got false\n"
            "  expected: true while the stack's state cannot be read, because it says whether packages are protected: "
            "failed to load checkpoint: EOF\n"
            "  fix:      see that `pulumi stack export` succeeds, and run this again"
        )
    ]


def test_the_page_shows_the_message() -> None:
    message = loss("private-pypi:repository", "'renamed'", "'private-pypi'")

    assert blocks("protection.md", "text") == [f"{message}\n"]
