import pytest

from private_pypi.arns import Arns, partition_of
from private_pypi.errors import InvalidValueError
from private_pypi.names import (
    parse_account,
    parse_description,
    parse_domain_name,
    parse_key_arn,
    parse_package,
    parse_repository_name,
    parse_tag_key,
    parse_tag_value,
)

DOMAIN_TAKES = "2 to 50 lower-case letters, digits and hyphens, the first a letter, the last not a hyphen"
REPOSITORY_TAKES = "2 to 100 letters, digits, dots, underscores and hyphens, the first a letter or a digit"
DESCRIPTION_TAKES = "up to 1,000 characters, on one line"


@pytest.mark.parametrize("name", ["ab", "a1", "acme-prod", "a" * 50])
def test_a_domain_name_is_taken_as_it_is(name: str) -> None:
    assert parse_domain_name(name) == name


@pytest.mark.parametrize("name", ["ab", "1a", "A.b_c-", "a" * 100])
def test_a_repository_name_is_taken_as_it_is(name: str) -> None:
    assert parse_repository_name(name) == name


@pytest.mark.parametrize("description", ["", "Ours — all of it, 好", "d" * 1000])
def test_a_description_is_taken_as_it_is(description: str) -> None:
    assert parse_description(description) == description


@pytest.mark.parametrize(
    ("name", "got"),
    [
        ("", "'', of length 0"),
        ("a", "'a', of length 1"),
        ("a" * 51, f"'{'a' * 51}', of length 51"),
        ("Acme", "'Acme', whose character 1 is 'A'"),
        ("1acme", "'1acme', whose character 1 is '1'"),
        ("my_domain", "'my_domain', whose character 3 is '_'"),
        ("acme-", "'acme-', whose character 5 is '-'"),
        ("acme\n", r"'acme\n', whose character 5 is '\n'"),
        ("domäin", "'domäin', whose character 4 is 'ä'"),
    ],
)
def test_a_wrong_domain_name_is_shown_with_what_is_wrong(name: str, got: str) -> None:
    with pytest.raises(InvalidValueError) as error:
        parse_domain_name(name)
    assert str(error.value) == f"got {got}\n  expected: {DOMAIN_TAKES}\n  fix:      choose another domain name"


@pytest.mark.parametrize(
    ("name", "got"),
    [
        ("a", "'a', of length 1"),
        ("a" * 101, f"'{'a' * 101}', of length 101"),
        (".a", "'.a', whose character 1 is '.'"),
        ("my repo", "'my repo', whose character 3 is ' '"),
        ("team/repo", "'team/repo', whose character 5 is '/'"),
    ],
)
def test_a_wrong_repository_name_is_shown_with_what_is_wrong(name: str, got: str) -> None:
    with pytest.raises(InvalidValueError) as error:
        parse_repository_name(name)
    assert str(error.value) == f"got {got}\n  expected: {REPOSITORY_TAKES}\n  fix:      choose another repository name"


@pytest.mark.parametrize(
    ("description", "message"),
    [
        ("d" * 1001, f"got 1,001 characters\n  expected: {DESCRIPTION_TAKES}\n  fix:      shorten it"),
        (
            "two\nlines",
            f"got the control character '\\n' at position 4\n  expected: {DESCRIPTION_TAKES}\n  fix:      leave it out",
        ),
    ],
)
def test_a_wrong_description_is_shown_with_what_is_wrong(description: str, message: str) -> None:
    with pytest.raises(InvalidValueError) as error:
        parse_description(description)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("name", "normalized"),
    [
        ("acme", "acme"),
        ("a", "a"),
        ("1", "1"),
        ("Acme.Core", "acme-core"),
        ("acme__core-._x", "acme-core-x"),
        ("acme-*", "acme-*"),
        ("Acme._*", "acme-*"),
        ("a-*", "a-*"),
    ],
)
def test_a_package_is_normalized(name: str, normalized: str) -> None:
    assert parse_package(name) == normalized


@pytest.mark.parametrize(
    "value", ["", "-acme", "acme-", "acme*", "-*", "acme-*-core", "ac me", "äcme", "acme\n", 1, None, ["acme"]]
)
def test_what_is_no_package_is_refused(value: object) -> None:
    got = {1: "the number 1", None: "nothing"}.get(value, repr(value)) if not isinstance(value, list) else "a list"

    with pytest.raises(InvalidValueError) as error:
        parse_package(value)
    assert str(error.value) == (
        f"got {got}\n"
        "  expected: a project's name (acme-core), or a prefix with its hyphen and * (acme-*)\n"
        "  fix:      correct the name"
    )


def test_all_packages_are_not_given_by_a_pattern() -> None:
    with pytest.raises(InvalidValueError, match=r"\n  fix:      name the packages$"):
        parse_package("*")
    with pytest.raises(InvalidValueError, match=r"\n  fix:      leave packages out$"):
        parse_package("*", instead_of_all="leave packages out")


def test_a_package_has_up_to_255_characters() -> None:
    assert parse_package("a" * 255) == "a" * 255
    with pytest.raises(InvalidValueError) as error:
        parse_package("a" * 256)
    assert str(error.value) == (
        "got a name of 256 characters\n"
        "  expected: a project's name (acme-core), or a prefix with its hyphen and * (acme-*), "
        "of up to 255 characters\n"
        "  fix:      shorten it"
    )


def test_an_account_is_taken_as_it_is() -> None:
    assert parse_account("012345678901") == "012345678901"


@pytest.mark.parametrize(
    ("account", "fix"),
    [
        ("12345678901", "an account has 12 digits, this has 11: unquoted it loses its leading zeros"),
        ("1111222233334", "an account has 12 digits, this has 13: unquoted it loses its leading zeros"),
        ("1111-2222-3333", "correct the number"),
        ("12345678901\n", "correct the number"),
    ],
)
def test_what_is_no_account_is_refused(account: str, fix: str) -> None:
    with pytest.raises(InvalidValueError) as error:
        parse_account(account)
    assert str(error.value) == f"got {account!r}\n  expected: the 12 digits of an account, quoted\n  fix:      {fix}"


KEY = "1234abcd-12ab-34cd-56ef-1234567890ab"


@pytest.mark.parametrize("key", [KEY, "mrk-1234abcd12ab34cd56ef1234567890ab"])
def test_a_key_arn_is_taken_as_it_is(key: str) -> None:
    arn = f"arn:aws-cn:kms:cn-north-1:111122223333:key/{key}"

    assert parse_key_arn(arn, partition="aws-cn", region="cn-north-1") == arn


OWN_ARN = "write the key's own ARN, which `aws kms describe-key` shows"
OTHER_REGION = "take a key of the region us-west-2, or a replica there of a multi-Region key"


@pytest.mark.parametrize(
    ("arn", "fix"),
    [
        ("", OWN_ARN),
        (KEY, OWN_ARN),
        ("alias/acme", OWN_ARN),
        ("arn:aws:kms:us-west-2:111122223333:alias/acme", OWN_ARN),
        (f"arn:aws:kms:us-west-2:1111:key/{KEY}", OWN_ARN),
        ("arn:aws:kms:us-west-2:111122223333:key/", OWN_ARN),
        (f"arn:aws:kms:us-west-2:111122223333:key/{KEY}\n", OWN_ARN),
        (f"arn:aws:kms:us-west-1:111122223333:key/{KEY}", OTHER_REGION),
        (f"arn:aws-cn:kms:us-west-2:111122223333:key/{KEY}", OTHER_REGION),
    ],
)
def test_what_is_no_key_of_the_region_is_refused(arn: str, fix: str) -> None:
    with pytest.raises(InvalidValueError) as error:
        parse_key_arn(arn, partition="aws", region="us-west-2")
    assert str(error.value) == (
        f"got {arn!r}\n"
        f"  expected: the ARN of a KMS key of the stack's region: arn:aws:kms:us-west-2:111122223333:key/{KEY}\n"
        f"  fix:      {fix}"
    )


def test_a_tag_is_taken_as_it_is() -> None:
    for text in ("k", "k" * 128, "Kosten stelle_.:/=+-@ä好1"):
        assert parse_tag_key(text) == text
    for text in ("", "v" * 256, " aws: _.:/=+-@ä好1"):
        assert parse_tag_value(text) == text


KEY_TAKES = "1 to 128 letters, digits, spaces and _ . : / = + - @, not beginning with aws:"
VALUE_TAKES = "up to 256 letters, digits, spaces and _ . : / = + - @"


@pytest.mark.parametrize(
    ("key", "got", "fix"),
    [
        ("", "0 characters", "give the key a name"),
        ("k" * 129, "129 characters", "shorten the key"),
        ("AWS:owner", "'AWS:owner'", "choose another key: those with aws: are AWS's own"),
        ("a,b", "the character ',' at position 2", "leave it out of the key"),
        ("a\n", r"the character '\n' at position 2", "leave it out of the key"),
    ],
)
def test_a_wrong_tag_key_is_shown_with_what_is_wrong(key: str, got: str, fix: str) -> None:
    with pytest.raises(InvalidValueError) as error:
        parse_tag_key(key)
    assert str(error.value) == f"got {got}\n  expected: {KEY_TAKES}\n  fix:      {fix}"


@pytest.mark.parametrize(
    ("value", "got", "fix"),
    [
        ("v" * 257, "257 characters", "shorten the value"),
        ("a;", "the character ';' at position 2", "leave it out of the value"),
        (12, "the number 12", "write one quoted string"),
        (True, "true", "write one quoted string"),
        (None, "nothing", "write one quoted string"),
    ],
)
def test_a_wrong_tag_value_is_shown_with_what_is_wrong(value: object, got: str, fix: str) -> None:
    with pytest.raises(InvalidValueError) as error:
        parse_tag_value(value)
    assert str(error.value) == f"got {got}\n  expected: {VALUE_TAKES}\n  fix:      {fix}"


@pytest.mark.parametrize(
    ("region", "partition"),
    [
        ("us-west-2", "aws"),
        ("ap-southeast-7", "aws"),
        ("cn-northwest-1", "aws-cn"),
        ("us-gov-east-1", "aws-us-gov"),
        ("us-iso-west-1", "aws-iso"),
        ("us-isob-east-1", "aws-iso-b"),
        ("us-isof-south-1", "aws-iso-f"),
        ("eu-isoe-west-1", "aws-iso-e"),
        ("eusc-de-east-1", "aws-eusc"),
    ],
)
def test_a_region_tells_its_partition(region: str, partition: str) -> None:
    assert partition_of(region) == partition


def test_each_arn_is_of_the_kind_that_its_actions_take() -> None:
    arns = Arns(
        partition="aws-us-gov",
        region="us-gov-west-1",
        owner="111122223333",
        domain_name="acme",
        repository_name="internal",
    )

    prefix = "arn:aws-us-gov:codeartifact:us-gov-west-1:111122223333"
    assert arns.domain == f"{prefix}:domain/acme"
    assert arns.repository == f"{prefix}:repository/acme/internal"
    assert arns.packages == f"{prefix}:package/acme/internal/*"
    assert arns.store.repository == f"{prefix}:repository/acme/internal-store"
    assert arns.package("acme-core") == f"{prefix}:package/acme/internal/pypi//acme-core"
