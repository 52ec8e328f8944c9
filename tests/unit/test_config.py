import dataclasses
import json

import mocks
import pulumi
import pytest
import yaml
from mocks import ROOT, run

from private_pypi import Principal, PrivatePypiArgs, Publisher, load_args
from private_pypi.keys import KEYS
from private_pypi.workloads import Workload

CI = "arn:aws:iam::111122223333:role/ci"
PRINCIPAL = (
    "the ARN of an IAM role or user (arn:aws:iam::111122223333:role/NAME), with * for what varies in its path or name; "
    "the 12 digits of an account, quoted; or an organization (o-a1b2c3d4e5)"
)
ALL_KEYS = (
    "domain, repository, description, readers, publishers, listPackages, closedPublishing, protect, existingDomain, "
    "domainOwner, domainStatements, encryptionKey, publicUpstream, internalPackages, attachIdentityPolicies, "
    "makeOidcProviders, permissionsBoundary, tags"
)
BOUNDARY = "arn:aws:iam::111122223333:policy/boundary"
KEY = "arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"


def texts(config: dict[str, object]) -> dict[str, str]:
    """Config values as the CLI passes them: text, or JSON for lists and maps."""
    return {
        f"private-pypi:{key}": value if isinstance(value, str) else json.dumps(value) for key, value in config.items()
    }


def load(config: dict[str, object], *, secrets: tuple[str, ...] = (), region: str = "us-west-2") -> PrivatePypiArgs:
    return mocks.load(texts(config) | {"aws:region": region}, secrets=secrets)


def mistakes(config: dict[str, object], **options: object) -> str:
    with pytest.raises(pulumi.RunError) as error:
        load(config, **options)  # pyright: ignore[reportArgumentType]
    return str(error.value)


def test_every_key_is_read() -> None:
    assert load(
        {
            "domain": "acme",
            "repository": "internal",
            "description": "Ours",
            "readers": [CI, {"github": "acme/tools"}, {"gitlab": "acme/tools", "host": "gitlab.example.com"}],
            "publishers": [
                "444455556666",
                {"principal": CI, "packages": ["Acme.Core", "acme-*"]},
                {"github": "acme/tools", "tag": "v*", "packages": ["Acme.Core"]},
                {"github": "acme/data", "branch": "main", "ownerId": "1", "repositoryId": "2"},
                {"gitlab": "acme/data", "branch": "main"},
            ],
            "listPackages": True,
            "closedPublishing": True,
            "protect": False,
            "encryptionKey": KEY,
            "publicUpstream": True,
            "internalPackages": ["Acme.Core", "acme-*"],
            "attachIdentityPolicies": True,
            "makeOidcProviders": ["github", "gitlab.com"],
            "permissionsBoundary": BOUNDARY,
            "tags": {"team": "platform", "cost center": ""},
        }
    ) == PrivatePypiArgs(
        domain="acme",
        repository="internal",
        description="Ours",
        readers=(
            Principal(CI),
            Workload(github="acme/tools"),
            Workload(gitlab="acme/tools", host="gitlab.example.com"),
        ),
        publishers=(
            Publisher(principal=Principal("arn:aws:iam::444455556666:root")),
            Publisher(principal=Principal(CI), packages=("acme-core", "acme-*")),
            Workload(github="acme/tools", tag="v*", packages=("acme-core",)),
            Workload(github="acme/data", branch="main", owner_id="1", repository_id="2"),
            Workload(gitlab="acme/data", branch="main"),
        ),
        list_packages=True,
        closed_publishing=True,
        protect=False,
        encryption_key=KEY,
        public_upstream=True,
        internal_packages=("acme-core", "acme-*"),
        attach_identity_policies=True,
        make_oidc_providers=("github", "gitlab.com"),
        permissions_boundary=BOUNDARY,
        tags={"team": "platform", "cost center": ""},
    )


def test_the_keys_of_an_existing_domain_are_read() -> None:
    assert load({"domain": "acme", "existingDomain": True, "domainOwner": "012345678901"}) == PrivatePypiArgs(
        domain="acme", existing_domain=True, domain_owner="012345678901"
    )


def test_only_the_domain_is_required() -> None:
    assert load({"domain": "acme"}) == PrivatePypiArgs(
        domain="acme",
        repository="private-pypi",
        description="Private PyPI repository",
        readers=(),
        publishers=(),
        list_packages=False,
        closed_publishing=False,
        protect=True,
        existing_domain=False,
        domain_owner=None,
        encryption_key=None,
        public_upstream=False,
        internal_packages=(),
        attach_identity_policies=False,
        make_oidc_providers=(),
        permissions_boundary=None,
        tags={},
    )


def test_a_list_with_nothing_in_it_is_empty() -> None:
    """The CLI passes a key with nothing after it as an empty string."""
    empty: dict[str, object] = {
        "readers": "",
        "publishers": [],
        "internalPackages": "",
        "makeOidcProviders": "",
        "permissionsBoundary": "",
        "tags": "",
        "domainOwner": "",
        "encryptionKey": "",
    }

    assert load({"domain": "acme"} | empty) == PrivatePypiArgs(domain="acme")


def test_a_principal_may_stand_twice_and_in_both_lists() -> None:
    args = load({"domain": "acme", "readers": [CI, CI], "publishers": [CI]})

    assert args.readers == (Principal(CI), Principal(CI))


def test_the_args_cannot_be_changed() -> None:
    args = load({"domain": "acme"})

    with pytest.raises(dataclasses.FrozenInstanceError):
        args.domain = "other"  # pyright: ignore[reportAttributeAccessIssue]


def test_the_partition_is_that_of_the_configured_region() -> None:
    assert load({"domain": "acme", "readers": ["111122223333"]}, region="cn-north-1").readers == (
        Principal("arn:aws-cn:iam::111122223333:root"),
    )


def test_a_region_that_is_not_configured_is_asked_of_the_provider() -> None:
    loaded: list[PrivatePypiArgs] = []
    run(lambda: loaded.append(load_args()), texts({"domain": "acme", "readers": ["111122223333"]}))

    assert loaded[0].readers == (Principal("arn:aws:iam::111122223333:root"),)


def test_a_missing_domain_is_shown_with_the_command_that_sets_it() -> None:
    message = (
        "1 error in the config; nothing was changed.\n"
        "private-pypi:domain: got nothing\n"
        "  expected: the name of the domain\n"
        "  fix:      pulumi config set private-pypi:domain NAME"
    )
    assert mistakes({}) == message
    assert mistakes({"domain": ""}) == message


@pytest.mark.parametrize(
    ("value", "got"),
    [
        (CI, f"'{CI}'"),
        ("111122223333", "the number 111122223333"),
        ({"arn": CI}, "a map"),
        ("[", "'['"),
        ("true", "true"),
    ],
)
def test_what_is_no_list_is_refused_where_a_list_is_due(value: object, got: str) -> None:
    assert mistakes({"domain": "acme", "readers": value}) == (
        "1 error in the config; nothing was changed.\n"
        f"private-pypi:readers: got {got}\n"
        "  expected: a list\n"
        "  fix:      make it a list: in YAML each item on its own line, after a hyphen"
    )


def test_mistakes_in_a_publishers_packages_are_shown_where_they_are() -> None:
    assert mistakes(
        {
            "domain": "acme",
            "publishers": [
                {"principal": "*", "packages": ["acme", "acme*"]},
                {"principal": CI, "package": ["acme"]},
                {"packages": "acme"},
                {"principal": CI, "packages": []},
            ],
        }
    ) == (
        "7 errors in the config; nothing was changed.\n"
        "private-pypi:publishers[0].principal: got '*'\n"
        f"  expected: {PRINCIPAL}\n"
        "  fix:      list the roles, users or accounts; '*' would let everyone in\n"
        "private-pypi:publishers[0].packages[1]: got 'acme*'\n"
        "  expected: a project's name (acme-core), or a prefix with its hyphen and * (acme-*)\n"
        "  fix:      correct the name\n"
        "private-pypi:publishers[1].package: got a key that does not exist\n"
        "  expected: principal, packages\n"
        "  fix:      did you mean `packages`?\n"
        "private-pypi:publishers[1].packages: got no packages\n"
        "  expected: a list of names\n"
        "  fix:      name the packages, or write the principal alone to let it publish everything\n"
        "private-pypi:publishers[2].principal: got nothing\n"
        f"  expected: {PRINCIPAL}\n"
        "  fix:      write one quoted string for each principal\n"
        "private-pypi:publishers[2].packages: got 'acme'\n"
        "  expected: a list\n"
        "  fix:      make it a list: in YAML each item on its own line, after a hyphen\n"
        "private-pypi:publishers[3].packages: got no packages\n"
        "  expected: a list of names\n"
        "  fix:      name the packages, or write the principal alone to let it publish everything"
    )


@pytest.mark.parametrize(
    ("key", "fix"),
    [
        ("publisher", "did you mean `publishers`?"),
        ("Readers", "did you mean `readers`?"),
        ("region", "take it out"),
    ],
)
def test_a_key_that_does_not_exist_is_a_mistake(key: str, fix: str) -> None:
    assert mistakes({"domain": "acme", key: "x"}) == (
        "1 error in the config; nothing was changed.\n"
        f"private-pypi:{key}: got a key that does not exist\n"
        f"  expected: {ALL_KEYS}\n"
        f"  fix:      {fix}"
    )


def test_keys_that_do_not_exist_are_reported_in_order() -> None:
    message = mistakes({"domain": "acme", "zebra": "x", "ant": "x"})

    assert message.index("private-pypi:ant") < message.index("private-pypi:zebra")


@pytest.mark.parametrize("packages", [None, []], ids=["nothing", "an empty list"])
def test_a_workload_without_a_name_after_packages_does_not_publish_everything(packages: object) -> None:
    publisher = {"github": "acme/tools", "tag": "v*", "packages": packages}

    assert mistakes({"domain": "acme", "publishers": [publisher]}) == (
        "1 error in the config; nothing was changed.\n"
        "private-pypi:publishers[0].packages: got no packages\n"
        "  expected: a list of names\n"
        "  fix:      name the packages, or leave packages out to let the workload publish everything"
    )


@pytest.mark.parametrize(
    "key",
    [
        *(
            "githubReaders",
            "gitlabPublishers",
            "unprotect",
            "openPublishing",
            "noPublicUpstream",
            "detachIdentityPolicies",
        ),
        *("unlistPackages", "denyReaders", "readersNot", "protectNot", "internalPackagesNot", "publicReaders"),
    ],
)
def test_no_key_is_told_to_be_one_that_grants_more(key: str) -> None:
    assert mistakes({"domain": "acme", key: "x"}).endswith("\n  fix:      take it out")


@pytest.mark.parametrize(
    "entry",
    [
        {"principal": CI, "packagesExcept": ["acme"]},
        {"principal": CI, "packagesNot": ["acme"]},
        {"principal": CI, "only": ["acme"]},
        {"github": "acme/tools", "tag": "v*", "notPackages": ["acme"]},
        {"github": "acme/tools", "tag": "v*", "ref": "main"},
    ],
    ids=str,
)
def test_no_field_is_told_to_be_one_that_grants_more_or_to_be_taken_out(entry: dict[str, object]) -> None:
    message = mistakes({"domain": "acme", "publishers": [entry]})

    assert "got a key that does not exist\n" in message
    assert "\n  fix:      write the one of these that is meant" in message
    assert "did you mean" not in message
    assert "take it out" not in message


def test_a_config_with_github_publishers_is_told_what_to_write_whole() -> None:
    old = [
        {"repository": "acme/tools", "tag": "v*", "packages": ["acme-tools"]},
        {"repository": "acme/data", "branch": "main", "ownerId": "1", "repositoryId": "2"},
        "acme/x\x1b",
    ]
    config = {"domain": "acme", "publishers": [CI, {"principal": CI, "packages": ["x"]}], "githubPublishers": old}

    assert mistakes(config) == (
        "1 error in the config; nothing was changed.\n"
        "private-pypi:githubPublishers: got a key that is gone: publishers has GitHub's workflows too\n"
        "  expected: its entries in publishers, with github for repository; their roles stay the same\n"
        "  fix:      take it out, and write\n"
        "  private-pypi:publishers:\n"
        f'    - "{CI}"\n'
        f'    - principal: "{CI}"\n'
        '      packages: ["x"]\n'
        '    - github: "acme/tools"\n'
        '      tag: "v*"\n'
        '      packages: ["acme-tools"]\n'
        '    - github: "acme/data"\n'
        '      branch: "main"\n'
        '      ownerId: "1"\n'
        '      repositoryId: "2"\n'
        r'    - "acme/x\u001b"'
    )


def test_what_is_told_in_the_place_of_github_publishers_is_a_config() -> None:
    old = [{"repository": "acme/tools", "tag": "v*", "packages": ["acme-tools"]}]
    message = mistakes({"domain": "acme", "publishers": [CI], "githubPublishers": old})
    told = yaml.safe_load(message.partition("and write\n")[2])

    assert load({"domain": "acme", "publishers": told["private-pypi:publishers"]}).publishers == (
        Publisher(CI),
        Workload(github="acme/tools", tag="v*", packages=("acme-tools",)),
    )


@pytest.mark.parametrize("text", ["", "[]", "nonsense", "{}"])
def test_github_publishers_without_entries_are_told_to_be_taken_out(text: str) -> None:
    assert mistakes({"domain": "acme", "publishers": [CI], "githubPublishers": text}).endswith("fix:      take it out")


def test_what_is_encrypted_is_not_repeated_in_what_to_write() -> None:
    config: dict[str, object] = {"domain": "acme", "githubPublishers": '["hush"]'}

    assert "hush" not in mistakes(config, secrets=("private-pypi:githubPublishers",))


@pytest.mark.parametrize(
    ("config", "fix"),
    [
        ({"makeGithubOidcProvider": False}, "take it out"),
        (
            {"makeGithubOidcProvider": True},
            'take it out, and write\n  private-pypi:makeOidcProviders:\n    - "github"',
        ),
        (
            {"makeGithubOidcProvider": True, "makeOidcProviders": ["gitlab.com"]},
            'take it out, and write\n  private-pypi:makeOidcProviders:\n    - "github"\n    - "gitlab.com"',
        ),
    ],
)
def test_a_config_with_the_provider_for_github_is_told_what_to_write(config: dict[str, object], fix: str) -> None:
    assert mistakes({"domain": "acme"} | config) == (
        "1 error in the config; nothing was changed.\n"
        "private-pypi:makeGithubOidcProvider: got a key that is gone\n"
        "  expected: github in makeOidcProviders, where it is true; the provider stays the same\n"
        f"  fix:      {fix}"
    )


@pytest.mark.parametrize("namespace", ["private_pypi", "Private-PyPI", "privatepypi", "private-pypy"])
def test_a_misspelled_namespace_is_a_mistake(namespace: str) -> None:
    config = {f"{namespace}:readers": "[]", "private-pypi-eu:readers": "[]", f"{namespace}:unknown": "x"}
    with pytest.raises(pulumi.RunError) as error:
        mocks.load({"private-pypi:domain": "acme", "aws:region": "us-west-2"} | config)
    assert str(error.value) == (
        "1 error in the config; nothing was changed.\n"
        f"private-pypi:readers: got the key {namespace}:readers\n"
        "  expected: the namespace private-pypi\n"
        "  fix:      write it as private-pypi:readers"
    )


def test_all_mistakes_are_reported_at_once_each_with_its_key_and_index() -> None:
    assert mistakes(
        {
            "repository": "my repo",
            "description": "d" * 1001,
            "readers": [CI, "*", 12345678901],
            "publishers": CI,
            "protect": "maybe",
            "publisher": [],
        }
    ) == (
        "8 errors in the config; nothing was changed.\n"
        "private-pypi:domain: got nothing\n"
        "  expected: the name of the domain\n"
        "  fix:      pulumi config set private-pypi:domain NAME\n"
        "private-pypi:repository: got 'my repo', whose character 3 is ' '\n"
        "  expected: 2 to 100 letters, digits, dots, underscores and hyphens, the first a letter or a digit\n"
        "  fix:      choose another repository name\n"
        "private-pypi:description: got 1,001 characters\n"
        "  expected: up to 1,000 characters, on one line\n"
        "  fix:      shorten it\n"
        "private-pypi:readers[1]: got '*'\n"
        f"  expected: {PRINCIPAL}\n"
        "  fix:      list the roles, users or accounts; '*' would let everyone in\n"
        "private-pypi:readers[2]: got the number 12345678901\n"
        f"  expected: {PRINCIPAL}\n"
        "  fix:      quote the account's 12 digits: as a number it loses its leading zeros\n"
        f"private-pypi:publishers: got '{CI}'\n"
        "  expected: a list\n"
        "  fix:      make it a list: in YAML each item on its own line, after a hyphen\n"
        "private-pypi:protect: got 'maybe'\n"
        "  expected: true or false\n"
        "  fix:      write one of these\n"
        "private-pypi:publisher: got a key that does not exist\n"
        f"  expected: {ALL_KEYS}\n"
        "  fix:      did you mean `publishers`?"
    )


@pytest.mark.parametrize(
    ("key", "value"), [("domain", "hush"), ("readers", ["hush"]), ("protect", "true"), ("tags", {"team": "hush"})]
)
def test_an_encrypted_value_is_a_mistake_and_not_repeated(key: str, value: object) -> None:
    assert mistakes({"domain": "acme", key: value}, secrets=(f"private-pypi:{key}",)) == (
        "1 error in the config; nothing was changed.\n"
        f"private-pypi:{key}: got an encrypted value\n"
        "  expected: plain text: all of this stands in policies and outputs, which are not encrypted\n"
        "  fix:      write the value in its place, as `pulumi config set --plaintext` does"
    )


def test_a_key_that_does_not_exist_is_named_even_if_it_is_encrypted() -> None:
    message = mistakes({"domain": "acme", "publisher\x1b": "hush"}, secrets=("private-pypi:publisher\x1b",))

    assert message.startswith(
        "1 error in the config; nothing was changed.\n"
        r"private-pypi:'publisher\x1b': got a key that does not exist"
    )
    assert message.endswith("did you mean `publishers`?")


def test_lists_without_end_are_no_lists() -> None:
    assert "private-pypi:readers: got '[[[" in mistakes({"domain": "acme", "readers": "[" * 100_000})


@pytest.mark.parametrize(
    ("config", "message"),
    [
        (
            {"encryptionKey": KEY, "existingDomain": True},
            (
                f"encryptionKey: got '{KEY}' for an existing domain\n"
                "  expected: the key of a new domain\n"
                "  fix:      take it out: an existing domain keeps the key it was made with"
            ),
        ),
        (
            {"domainOwner": "444455556666"},
            (
                "domainOwner: got '444455556666' for a new domain\n"
                "  expected: the owner of an existing domain\n"
                "  fix:      take it out, or set existingDomain to true"
            ),
        ),
        (
            {"repository": "my repo", "publicUpstream": True},
            (
                "repository: got 'my repo', whose character 3 is ' '\n"
                "  expected: 2 to 100 letters, digits, dots, underscores and hyphens, the first a letter or a digit\n"
                "  fix:      choose another repository name"
            ),
        ),
        (
            {"domainOwner": "44445555666", "existingDomain": True},
            (
                "domainOwner: got '44445555666'\n"
                "  expected: the 12 digits of an account, quoted\n"
                "  fix:      an account has 12 digits, this has 11: unquoted it loses its leading zeros"
            ),
        ),
        (
            {"repository": "r" * 95, "publicUpstream": True},
            (
                f"repository: got '{'r' * 95}-store', of length 101\n"
                "  expected: 2 to 100 letters, digits, dots, underscores and hyphens, the first a letter or a digit\n"
                "  fix:      choose another repository name"
            ),
        ),
    ],
)
def test_keys_that_do_not_go_together_are_a_mistake(config: dict[str, object], message: str) -> None:
    assert mistakes({"domain": "acme"} | config) == (
        f"1 error in the config; nothing was changed.\nprivate-pypi:{message}"
    )


def test_mistakes_in_tags_are_shown_where_they_are() -> None:
    expected = "  expected: up to 256 letters, digits, spaces and _ . : / = + - @\n"

    assert mistakes({"domain": "acme", "tags": {"team": 1, "aws:x": "y", "a\x1b": "", "b": [], "good": "yes"}}) == (
        "4 errors in the config; nothing was changed.\n"
        "private-pypi:tags.team: got the number 1\n"
        f"{expected}"
        "  fix:      write one quoted string\n"
        "private-pypi:tags.aws:x: got 'aws:x'\n"
        "  expected: 1 to 128 letters, digits, spaces and _ . : / = + - @, not beginning with aws:\n"
        "  fix:      choose another key: those with aws: are AWS's own\n"
        r"private-pypi:tags.'a\x1b': got the character '\x1b' at position 2"
        "\n"
        "  expected: 1 to 128 letters, digits, spaces and _ . : / = + - @, not beginning with aws:\n"
        "  fix:      leave it out of the key\n"
        "private-pypi:tags.b: got a list\n"
        f"{expected}"
        "  fix:      write one quoted string"
    )


def test_mistakes_in_workloads_are_shown_where_they_are() -> None:
    keys = "github, gitlab, host, branch, tag, environment, ownerId, repositoryId, workflow, packages"
    publishers = [
        {"github": "acme*/tools", "tag": "v*1", "packages": []},
        {"github": "acme/tools"},
        {"github": "acme/tools", "branch": "main", "tag": "v1", "ownerId": "1"},
        {"branch": "main", "gihub": "acme/tools"},
        {"github": "acme/core", "environment": "prod", "ownerId": 1, "repositoryId": "2"},
    ]
    readers = [{"principal": CI}, {"gitlab": "acme/tools", "packages": ["x"]}]
    assert mistakes({"domain": "acme", "readers": readers, "publishers": publishers}) == (
        "11 errors in the config; nothing was changed.\n"
        "private-pypi:readers[0]: got a map\n"
        "  expected: a principal, or a map that names a CI workload\n"
        "  fix:      write the principal alone: a reader installs everything\n"
        "private-pypi:readers[1].packages: got packages of a reader\n"
        "  expected: packages of publishers alone\n"
        "  fix:      take it out: a reader installs everything and publishes nothing\n"
        "private-pypi:publishers[0].github: got 'acme*/tools'\n"
        "  expected: one repository on github.com: OWNER/NAME, in letters, digits and hyphens; the name with . and _ "
        "too\n"
        "  fix:      name each project in an entry of its own: `*` would trust the projects of others\n"
        "private-pypi:publishers[0].tag: got 'v*1'\n"
        "  expected: the name of a tag, or its beginning and *, up to 255 characters, without : ? ${\n"
        "  fix:      write the whole name of the tag, or * at its end alone\n"
        "private-pypi:publishers[0].packages: got no packages\n"
        "  expected: a list of names\n"
        "  fix:      name the packages, or leave packages out to let the workload publish everything\n"
        "private-pypi:publishers[1]: got no branch, tag or environment\n"
        "  expected: one of branch, tag and environment\n"
        "  fix:      add one: without it every job of the project would publish, those of pull requests too\n"
        "private-pypi:publishers[2]: got branch and tag\n"
        "  expected: one of branch, tag and environment\n"
        "  fix:      write an entry for each\n"
        "private-pypi:publishers[2]: got ownerId without repositoryId\n"
        "  expected: both ids, or neither\n"
        "  fix:      add the other, which `gh api repos/OWNER/NAME --jq '.owner.id, .id'` shows\n"
        "private-pypi:publishers[3].gihub: got a key that does not exist\n"
        f"  expected: {keys}\n"
        "  fix:      did you mean `github`?\n"
        "private-pypi:publishers[3]: got neither github nor gitlab\n"
        "  expected: one of github and gitlab\n"
        "  fix:      add github: OWNER/NAME, or gitlab: GROUP/PROJECT\n"
        "private-pypi:publishers[4].ownerId: got the number 1\n"
        "  expected: an id of GitHub's, digits in quotes\n"
        "  fix:      see `gh api repos/OWNER/NAME --jq '.owner.id, .id'`, and quote what it shows"
    )


def test_tags_are_a_map_of_up_to_fifty() -> None:
    assert len(load({"domain": "acme", "tags": {f"k{number}": "" for number in range(50)}}).tags) == 50
    assert mistakes({"domain": "acme", "tags": {f"k{number}": "" for number in range(51)}}) == (
        "1 error in the config; nothing was changed.\n"
        "private-pypi:tags: got 51 tags\n"
        "  expected: up to 50\n"
        "  fix:      take some out"
    )
    assert mistakes({"domain": "acme", "tags": ["team"]}) == (
        "1 error in the config; nothing was changed.\n"
        "private-pypi:tags: got a list\n"
        "  expected: a map of strings\n"
        "  fix:      write each tag on its own line: the key, a colon and the value"
    )


def test_all_packages_are_not_internal() -> None:
    assert mistakes({"domain": "acme", "internalPackages": ["*"]}) == (
        "1 error in the config; nothing was changed.\n"
        "private-pypi:internalPackages[0]: got '*'\n"
        "  expected: a project's name (acme-core), or a prefix with its hyphen and * (acme-*)\n"
        "  fix:      name the packages"
    )


def test_every_key_is_for_a_field_of_the_args() -> None:
    """In the same order, under the same name in camel case."""
    fields = [field.name for field in dataclasses.fields(PrivatePypiArgs) if field.name != "namespace"]

    assert ", ".join(KEYS) == ALL_KEYS
    assert [key.field for key in KEYS.values()] == fields
    assert [name.lower() for name in KEYS] == [field.replace("_", "") for field in fields]


def test_pulumi_yaml_declares_the_keys_and_defaults_of_the_program() -> None:
    declared = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    defaults = [getattr(PrivatePypiArgs(domain="acme"), key.field) for key in KEYS.values()]

    assert [*declared] == [*KEYS]
    assert [value.get("type") for value in declared.values()] == [key.type for key in KEYS.values()]
    assert [value.get("default", value.get("value")) for value in declared.values()] == [
        {None: "", (): [], "acme": ""}.get(default, default) if not isinstance(default, dict) else default
        for default in defaults
    ]
    assert all(value["description"] for value in declared.values())
