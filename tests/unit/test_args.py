"""The component's arguments, for whoever writes Python: valid by construction, with the same messages as a config."""

import dataclasses
import enum
import json
from typing import Any

import mocks
import pulumi
import pytest
from hypothesis import given
from hypothesis import strategies as st
from mocks import Run, run

from private_pypi import (
    InvalidValueError,
    Principal,
    PrivatePypi,
    PrivatePypiArgs,
    Publisher,
    Workload,
)
from private_pypi.errors import InvalidArgsError
from private_pypi.keys import KEYS, key_of

CI = "arn:aws:iam::111122223333:role/ci"
KEY = "arn:aws:kms:us-west-2:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"


# Not one that has a value: what waits for it would be waited for by the next run of a program.
def output() -> Any:
    return object.__new__(pulumi.Output)


def refused(**args: Any) -> str:
    args = {"domain": "acme"} | args
    with pytest.raises(InvalidArgsError) as error:
        PrivatePypiArgs(**args)
    return str(error.value)


def test_text_is_taken_where_a_principal_or_a_package_is_meant() -> None:
    args = PrivatePypiArgs(
        domain="acme",
        readers=["o-a1b2c3d4e5", Principal(CI)],
        publishers=[CI, Principal(CI), Publisher(CI, ["Acme_Data-*"]), Publisher(Principal(CI))],
        internal_packages=["Acme_Data-*", "Acme.Core"],
    )

    assert args.readers == (Principal("o-a1b2c3d4e5"), Principal(CI))
    assert args.publishers == (Publisher(CI), Publisher(CI), Publisher(CI, ["acme-data-*"]), Publisher(CI))
    assert args.internal_packages == ("acme-data-*", "acme-core")


def test_a_workload_is_taken_as_one_or_as_a_map() -> None:
    every_job, tag = Workload(github="acme/tools"), Workload(gitlab="acme/tools", tag="v*", packages=("acme-core",))
    written: Any = {"gitlab": "acme/tools", "tag": "v*", "packages": ["Acme_Core"]}
    args = PrivatePypiArgs(domain="acme", readers=[every_job, CI], publishers=[tag, written])

    assert args.readers == (every_job, Principal(CI))
    assert args.publishers == (tag, tag)


def test_a_provider_is_made_once() -> None:
    providers = ["github", "gitlab.com", "github"]

    assert PrivatePypiArgs(domain="acme", make_oidc_providers=providers).make_oidc_providers == ("github", "gitlab.com")


def test_a_repository_is_trusted_in_one_way_in_both_lists() -> None:
    known = Workload(github="acme/tools", tag="v*", owner_id="1", repository_id="2")

    assert refused(readers=[Workload(github="acme/tools")], publishers=["*", known]).endswith(
        "\npublishers[1]: got the ids 1 and 2\n"
        "  expected: no ids, as in an entry of acme/tools before it\n"
        "  fix:      write the same ids in both"
    )


BOUNDARY = "arn:aws:iam::111122223333:policy/path/boundary"


@pytest.mark.parametrize("boundary", [BOUNDARY, "arn:aws:iam::aws:policy/PowerUserAccess"])
def test_a_permissions_boundary_is_a_policy(boundary: str) -> None:
    args = PrivatePypiArgs(domain="acme", permissions_boundary=boundary)

    assert args.at("us-west-2", "111122223333").permissions_boundary == boundary


@pytest.mark.parametrize(
    ("region", "account", "fix"),
    [
        ("cn-north-1", None, "the stack's region is in the partition aws-cn: take a policy of that"),
        (
            "us-west-2",
            "444455556666",
            "take a policy of account 444455556666, in which the roles are made, or one of AWS's own",
        ),
    ],
)
def test_a_permissions_boundary_is_in_the_account_of_the_roles(region: str, account: str | None, fix: str) -> None:
    with pytest.raises(InvalidArgsError) as error:
        PrivatePypiArgs(domain="acme", permissions_boundary=BOUNDARY).at(region, account)
    partition = "aws-cn" if region == "cn-north-1" else "aws"
    assert str(error.value) == (
        f"permissions_boundary: got '{BOUNDARY}'\n"
        f"  expected: the ARN of a managed policy: arn:{partition}:iam::{account or 'ACCOUNT'}:policy/NAME\n"
        f"  fix:      {fix}"
    )


@pytest.mark.parametrize(
    "text",
    [
        "boundary",
        "arn:aws:iam::1111:policy/x",
        "arn:aws:iam::111122223333:role/x",
        "arn:aws:iam::111122223333:policy/a*",
    ],
)
def test_what_is_no_policy_is_no_permissions_boundary(text: str) -> None:
    assert refused(permissions_boundary=text) == (
        f"permissions_boundary: got '{text}'\n"
        "  expected: the ARN of a managed policy: arn:aws:iam::ACCOUNT:policy/NAME\n"
        "  fix:      write the policy's own ARN, which `aws iam list-policies` shows"
    )


def test_the_claims_of_a_workload_are_checked_where_the_partition_is_known() -> None:
    args = PrivatePypiArgs(domain="acme", readers=[Workload(github="acme/tools", workflow="test.yml")])

    assert args.at("us-west-2") == args
    with pytest.raises(InvalidArgsError, match=r"^readers\[0\]\.workflow: got 'test\.yml'\n"):
        args.at("cn-north-1")


def test_a_text_is_nothing_but_a_text() -> None:
    """A member of an enum would be formatted as its name."""

    class Name(str, enum.Enum):  # noqa: UP042  as Pulumi's own
        DOMAIN = "acme"
        ACCOUNT = "111122223333"
        PROJECT = "acme/tools"

    args = PrivatePypiArgs(
        domain=Name.DOMAIN, readers=[Name.ACCOUNT, Principal(Name.ACCOUNT), Workload(github=Name.PROJECT)]
    )
    *accounts, workload = args.readers

    assert f"{args.domain} {workload.github}" == "acme acme/tools"  # pyright: ignore[reportAttributeAccessIssue]
    assert [f"{account.name}" for account in accounts] == ["111122223333"] * 2  # pyright: ignore[reportAttributeAccessIssue]


def test_a_package_stands_once_however_it_is_written() -> None:
    assert Publisher(CI, ["Acme_Core", "acme.core"]).packages == ("acme-core",)


def test_a_list_is_kept_as_it_was_given() -> None:
    readers = [CI]
    args = PrivatePypiArgs(domain="acme", readers=readers)
    readers.append("*")

    assert args.readers == (Principal(CI),)


@pytest.mark.parametrize(
    ("args", "path"),
    [
        ({"domain": "Acme!"}, "domain"),
        ({"repository": "-"}, "repository"),
        ({"repository": "r" * 95, "public_upstream": True}, "repository"),
        ({"description": "a\nb"}, "description"),
        ({"readers": CI}, "readers"),
        ({"readers": [CI, "*"]}, "readers[1]"),
        ({"readers": [None]}, "readers[0]"),
        ({"readers": [Principal.as_written("*")]}, "readers[0]"),
        ({"readers": {CI: "x"}}, "readers"),
        ({"publishers": CI}, "publishers"),
        ({"publishers": [{"principal": "*"}]}, "publishers[0].principal"),
        ({"publishers": [{"principal": CI, "packages": "acme"}]}, "publishers[0].packages"),
        ({"closed_publishing": "false"}, "closed_publishing"),
        ({"protect": None}, "protect"),
        ({"protect": 0}, "protect"),
        ({"domain_owner": "444455556666"}, "domain_owner"),
        ({"domain_owner": 444455556666, "existing_domain": True}, "domain_owner"),
        ({"encryption_key": "nonsense"}, "encryption_key"),
        ({"encryption_key": KEY, "existing_domain": True}, "encryption_key"),
        ({"internal_packages": "acme-*"}, "internal_packages"),
        ({"internal_packages": ["acme*"]}, "internal_packages[0]"),
        ({"readers": [{"principal": CI}]}, "readers[0]"),
        ({"readers": [{"github": "acme*/tools"}]}, "readers[0].github"),
        ({"readers": [{"github": "acme/tools", "packages": ["acme"]}]}, "readers[0].packages"),
        ({"readers": [Workload(github="acme/tools", packages=("acme",))]}, "readers[0].packages"),
        ({"publishers": [{"github": "acme/tools"}]}, "publishers[0]"),
        ({"publishers": [Workload(gitlab="acme/tools")]}, "publishers[0]"),
        ({"publishers": [{"github": "acme/tools", "tag": "v*1"}]}, "publishers[0].tag"),
        ({"publishers": [{"gitlb": "acme/tools"}]}, "publishers[0].gitlb"),
        ({"publishers": [{"principal": CI, "tag": "v1"}]}, "publishers[0].tag"),
        ({"make_oidc_providers": "github"}, "make_oidc_providers"),
        ({"make_oidc_providers": ["github", "gitlab"]}, "make_oidc_providers[1]"),
        ({"permissions_boundary": "boundary"}, "permissions_boundary"),
        ({"tags": {"aws:x": "y"}}, "tags.aws:x"),
        ({"tags": ["x"]}, "tags"),
        ({"readers": b""}, "readers"),
        ({"region": 5}, "region"),
        ({"namespace": ["x"]}, "namespace"),
        ({"domain_owner": ["1"], "existing_domain": True, "internal_packages": ["x"], "account": "1"}, "domain_owner"),
    ],
    ids=str,
)
def test_a_mistake_is_refused_at_its_path(args: dict[str, Any], path: str) -> None:
    message = refused(**args)

    assert message.startswith(f"{path}: got ")
    assert "\n  expected: " in message
    assert "\n  fix:      " in message


def test_a_number_of_any_length_is_a_mistake() -> None:
    assert refused(readers=[10**5000]).startswith("readers[0]: got a long number\n")


def test_all_mistakes_are_reported_at_once() -> None:
    with pytest.raises(InvalidValueError) as error:
        PrivatePypiArgs(domain="Acme!", readers=["*", CI, "ci"], publishers=[CI, "*"], protect="no")  # pyright: ignore[reportArgumentType]

    assert [path for path, _ in error.value.mistakes] == [  # pyright: ignore[reportAttributeAccessIssue]
        "domain",
        "readers[0]",
        "readers[2]",
        "publishers[1]",
        "protect",
    ]


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(PrivatePypiArgs) if field.compare])
def test_an_output_is_refused_with_the_reason(field: str) -> None:
    assert "got a Pulumi Output\n" in (message := refused(**{field: output()}))
    assert message.startswith(f"{field}: ")
    assert message.endswith(
        "  fix:      pass a plain value: it decides names and how many resources there are, before anything is made"
    )


def test_an_output_in_a_list_is_refused_too() -> None:
    assert refused(readers=[output()]).startswith("readers[0]: got a Pulumi Output\n")
    assert refused(tags={"team": output()}).startswith("tags.team: got a Pulumi Output\n")


@pytest.mark.parametrize(
    "make",
    [
        lambda: Principal("*"),
        lambda: Principal(output()),  # pyright: ignore[reportArgumentType]
        lambda: Publisher("*"),
        lambda: Publisher(CI, ()),
        lambda: Publisher(CI, "acme"),
        lambda: Publisher(CI, ["*"]),
        lambda: Workload(github="acme/tools", tag="v*", packages=()),
        lambda: Workload(github="acme/*", tag="v*"),
    ],
)
def test_no_part_is_made_that_would_let_in_others_or_nobody(make: Any) -> None:
    with pytest.raises(InvalidValueError):
        make()


def test_what_depends_on_the_region_is_checked_where_that_is_known() -> None:
    elsewhere: dict[str, Any] = {"readers": ["arn:aws-cn:iam::111122223333:role/ci"], "encryption_key": KEY}
    args = PrivatePypiArgs(domain="acme", **elsewhere)

    with pytest.raises(InvalidArgsError) as error:
        args.at("us-east-1")
    assert [path for path, _ in error.value.mistakes] == ["readers[0]", "encryption_key"]
    with pytest.raises(InvalidArgsError) as same:
        PrivatePypiArgs(domain="acme", **elsewhere, region="us-east-1")
    assert str(same.value) == str(error.value)


def test_an_account_gets_the_arn_of_the_partition_it_is_in() -> None:
    args = PrivatePypiArgs(domain="acme", readers=["111122223333"], publishers=[Publisher("111122223333", ["acme"])])

    assert args.at("cn-north-1").readers == (Principal("arn:aws-cn:iam::111122223333:root"),)
    assert args.at("cn-north-1").publishers == (Publisher("arn:aws-cn:iam::111122223333:root", ["acme"]),)


@pytest.mark.parametrize("preview", [True, False])
def test_the_component_refuses_what_does_not_fit_its_region_before_anything_is_registered(preview: bool) -> None:
    args = PrivatePypiArgs(domain="acme", publishers=["arn:aws-cn:iam::111122223333:role/ci"])
    record = Run()
    with pytest.raises(pulumi.RunError) as error:
        run(lambda: PrivatePypi("pypi", args) and None, preview=preview, record=record)

    assert record.resources == {}
    assert str(error.value).startswith(
        "1 error in the arguments; nothing was changed.\npublishers[0].principal: got 'arn:aws-cn"
    )


def test_a_field_is_named_as_it_was_written() -> None:
    assert PrivatePypiArgs(domain="acme").name_of("internal_packages[0]") == "internal_packages[0]"
    assert PrivatePypiArgs(domain="acme", namespace="two").name_of("internal_packages[0]") == "two:internalPackages[0]"


values = st.one_of(
    st.none(),
    st.booleans(),
    st.sampled_from(
        ["acme", "Acme!", "*", CI, "111122223333", KEY, "acme-*", "acme/tools", "gitlab.com", "github", ""]
    ),
    st.integers(),
)
things = st.recursive(
    values,
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(
            st.sampled_from(
                ["principal", "packages", "github", "gitlab", "host", "repository", "tag", "branch", "ownerId", "x"]
            ),
            inner,
            max_size=3,
        )
    ),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from([*KEYS]), things, max_size=4))
def test_yaml_and_python_obey_the_same_rules(config: dict[str, Any]) -> None:
    """Whatever a value is: a config is refused where the arguments are, with the same mistakes under its keys."""
    # The CLI passes text, and lists and maps as JSON; a boolean of another type it refuses by itself.
    types: dict[str, Any] = {"text": str, "boolean": bool, "list": (list, int), "map": (dict, list, int)}
    config = {"domain": "acme"} | {
        key: value for key, value in config.items() if value != "" and isinstance(value, types[KEYS[key].kind])
    }
    kwargs = {KEYS[key].field: value for key, value in config.items()}
    try:
        expected: PrivatePypiArgs | list[str] = PrivatePypiArgs(**kwargs, region="us-west-2")
    except InvalidArgsError as error:
        expected = [f"private-pypi:{key_of(path)}: {mistake}" for path, mistake in error.mistakes]
    texts = {f"private-pypi:{key}": v if isinstance(v, str) else json.dumps(v) for key, v in config.items()}
    try:
        loaded = mocks.load(texts | {"aws:region": "us-west-2"})
    except pulumi.RunError as error:
        assert isinstance(expected, list)
        assert str(error).partition("\n")[2] == "\n".join(expected)
    else:
        assert loaded == expected
