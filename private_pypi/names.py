"""Names, ARNs, keys and tags, checked and decided without asking AWS, so that they are known before anything exists.

Patterns and limits are those of the CodeArtifact API reference, where no other source is given:
https://docs.aws.amazon.com/codeartifact/latest/APIReference/API_CreateRepository.html
"""

import re
import unicodedata
from collections.abc import Sequence
from functools import partial

from private_pypi.errors import InvalidValueError, describe, parse_items, wrong_type

MAX_DESCRIPTION_CHARACTERS = 1000
MAX_PACKAGE_CHARACTERS = 255
MAX_TAGS = 50
MAX_TAG_KEY_CHARACTERS = 128
MAX_TAG_VALUE_CHARACTERS = 256
_TAG_CHARACTERS = "letters, digits, spaces and _ . : / = + - @"

ACCOUNT = re.compile("[0-9]{12}")
KEY_ARN = re.compile("arn:(aws[a-z-]*):kms:([a-z0-9-]+):[0-9]{12}:key/[A-Za-z0-9-]+")
POLICY_ARN = re.compile("arn:(aws[a-z-]*):iam::([0-9]{12}|aws):policy/([!-.0-~]+/)*[A-Za-z0-9_+=,.@-]{1,128}")


def _parse_text(value: object, expected: str) -> str:
    if not isinstance(value, str):
        raise wrong_type(value, expected=expected, fix="write one quoted string")
    return value


def _parse_name(value: object, of: str, expected: str, characters: Sequence[str], length: range) -> str:
    """`value`, if it is a name; `characters` are those of its first, middle and last place."""
    first, middle, last = characters
    text = _parse_text(value, expected)
    for position, character in enumerate(text, start=1):
        allowed = first if position == 1 else last if position == len(text) else middle
        if not re.fullmatch(allowed, character):
            got = f"{text!r}, whose character {position} is {character!r}"
            raise InvalidValueError(got=got, expected=expected, fix=f"choose another {of} name")
    if len(text) not in length:
        raise InvalidValueError(
            got=f"{text!r}, of length {len(text)}", expected=expected, fix=f"choose another {of} name"
        )
    return text


def parse_domain_name(value: object) -> str:
    """`value`, if CodeArtifact takes it as the name of a domain: `[a-z][a-z0-9-]{0,48}[a-z0-9]`.

    Raises:
        InvalidValueError: it does not.
    """
    expected = "2 to 50 lower-case letters, digits and hyphens, the first a letter, the last not a hyphen"
    return _parse_name(value, "domain", expected, ["[a-z]", "[a-z0-9-]", "[a-z0-9]"], range(2, 51))


def parse_repository_name(value: object) -> str:
    """`value`, if CodeArtifact takes it as the name of a repository: `[A-Za-z0-9][A-Za-z0-9._-]{1,99}`.

    Raises:
        InvalidValueError: it does not.
    """
    expected = "2 to 100 letters, digits, dots, underscores and hyphens, the first a letter or a digit"
    later = "[A-Za-z0-9._-]"
    return _parse_name(value, "repository", expected, ["[A-Za-z0-9]", later, later], range(2, 101))


def parse_description(value: object) -> str:
    r"""`value`, if CodeArtifact takes it as a repository's description: up to 1,000 characters of `\P{C}`.

    Raises:
        InvalidValueError: it does not.
    """
    expected = f"up to {MAX_DESCRIPTION_CHARACTERS:,} characters, on one line"
    text = _parse_text(value, expected)
    if len(text) > MAX_DESCRIPTION_CHARACTERS:
        raise InvalidValueError(got=f"{len(text):,} characters", expected=expected, fix="shorten it")
    for position, character in enumerate(text, start=1):
        if unicodedata.category(character).startswith("C"):
            raise InvalidValueError(
                got=f"the control character {character!r} at position {position:,}",
                expected=expected,
                fix="leave it out",
            )
    return text


def parse_package(value: object, *, instead_of_all: str = "name the packages") -> str:
    """A package's normalized name, or `prefix-*` with the prefix normalized, for all names that begin with it.

    Names are those of https://packaging.python.org/en/latest/specifications/name-normalization/.

    Raises:
        InvalidValueError: `value` is neither; for `*` alone, the fix is `instead_of_all`.
    """
    expected = "a project's name (acme-core), or a prefix with its hyphen and * (acme-*)"
    fix = instead_of_all if value == "*" else "correct the name"
    if not isinstance(value, str):
        raise wrong_type(value, expected=expected, fix=fix)
    if len(value) > MAX_PACKAGE_CHARACTERS:
        expected = f"{expected}, of up to {MAX_PACKAGE_CHARACTERS} characters"
        raise InvalidValueError(got=f"a name of {len(value)} characters", expected=expected, fix="shorten it")
    # Late, because it takes time and many a stack names no package.
    from packaging.utils import InvalidName, canonicalize_name  # noqa: PLC0415

    prefix = re.fullmatch(r"(.*[^._-])[._-]+\*", value)
    try:
        name = canonicalize_name(prefix[1] if prefix else value, validate=True)
    except InvalidName:
        raise InvalidValueError(got=describe(value), expected=expected, fix=fix) from None
    return f"{name}-*" if prefix else name


def parse_packages(value: object, *, instead_of_all: str) -> tuple[str, ...]:
    """A list of packages, each as `parse_package` reads it, and once.

    Raises:
        InvalidArgsError: some are no packages.
        InvalidValueError: it is no list or has nothing in it; the fix is to name them, or `instead_of_all`.
    """
    packages = parse_items(value, partial(parse_package, instead_of_all=instead_of_all))
    if not packages:
        fix = f"name the packages, or {instead_of_all}"
        raise InvalidValueError(got="no packages", expected="a list of names", fix=fix)
    return tuple(dict.fromkeys(packages))


def parse_account(value: object) -> str:
    """`value`, if it is the number of an AWS account: 12 digits.

    Raises:
        InvalidValueError: it is not.
    """
    expected = "the 12 digits of an account, quoted"
    text = _parse_text(value, expected)
    if not ACCOUNT.fullmatch(text):
        fix = "correct the number"
        if re.fullmatch("[0-9]+", text):
            fix = f"an account has 12 digits, this has {len(text)}: unquoted it loses its leading zeros"
        raise InvalidValueError(got=repr(text), expected=expected, fix=fix)
    return text


def parse_region(value: object) -> str:
    """`value`, if it has the form of an AWS region: `us-west-2`.

    Raises:
        InvalidValueError: it has not.
    """
    expected = "a region, as us-west-2"
    text = _parse_text(value, expected)
    if not re.fullmatch("[a-z]{2,4}(-[a-z]+)+-[0-9]{1,2}", text):
        raise InvalidValueError(
            got=repr(text), expected=expected, fix="write it as `aws configure get region` shows it"
        )
    return text


def parse_key_arn(value: object, *, partition: str | None = None, region: str | None = None) -> str:
    """`value`, if it is the ARN of a KMS key, of `region` and its `partition` if these are known.

    An alias will not do: CodeArtifact answers with the key's own ARN, and the difference would replace the domain.
    Forms: https://docs.aws.amazon.com/kms/latest/developerguide/concepts.html#key-id-key-ARN

    Raises:
        InvalidValueError: it is not.
    """
    example = f"arn:{partition or 'aws'}:kms:{region or 'REGION'}:111122223333:key/1234abcd-12ab-34cd-56ef-1234567890ab"
    expected = f"the ARN of a KMS key of the stack's region: {example}"
    text = _parse_text(value, expected)
    match = KEY_ARN.fullmatch(text)
    if match is None:
        fix = "write the key's own ARN, which `aws kms describe-key` shows"
        raise InvalidValueError(got=repr(text), expected=expected, fix=fix)
    if region and match.groups() != (partition, region):
        fix = f"take a key of the region {region}, or a replica there of a multi-Region key"
        raise InvalidValueError(got=repr(text), expected=expected, fix=fix)
    return text


def parse_policy_arn(value: object, *, partition: str | None = None, account: str | None = None) -> str:
    """`value`, if it is the ARN of a managed policy, of `partition` and of `account` or AWS if these are known.

    Form: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-arns

    Raises:
        InvalidValueError: it is not.
    """
    expected = f"the ARN of a managed policy: arn:{partition or 'aws'}:iam::{account or 'ACCOUNT'}:policy/NAME"
    text = _parse_text(value, expected)
    match = POLICY_ARN.fullmatch(text)
    if match is None:
        fix = "write the policy's own ARN, which `aws iam list-policies` shows"
        raise InvalidValueError(got=repr(text), expected=expected, fix=fix)
    if partition and match[1] != partition:
        fix = f"the stack's region is in the partition {partition}: take a policy of that"
        raise InvalidValueError(got=repr(text), expected=expected, fix=fix)
    if account and match[2] not in {account, "aws"}:
        fix = f"take a policy of account {account}, in which the roles are made, or one of AWS's own"
        raise InvalidValueError(got=repr(text), expected=expected, fix=fix)
    return text


def parse_tag_key(value: object) -> str:
    """`value`, if AWS takes it as the key of a tag: up to 128 letters, digits, spaces and `_ . : / = + - @`.

    Rules: https://docs.aws.amazon.com/tag-editor/latest/userguide/best-practices-and-strats.html

    Raises:
        InvalidValueError: it does not, or keeps it for itself (`aws:`).
    """
    expected = f"1 to {MAX_TAG_KEY_CHARACTERS} {_TAG_CHARACTERS}, not beginning with aws:"
    text = _parse_text(value, expected)
    if text.lower().startswith("aws:"):
        raise InvalidValueError(
            got=repr(text), expected=expected, fix="choose another key: those with aws: are AWS's own"
        )
    return _parse_tag_part(text, "key", expected, range(1, MAX_TAG_KEY_CHARACTERS + 1))


def parse_tag_value(value: object) -> str:
    """`value`, if AWS takes it as the value of a tag: up to 256 of the characters of a key.

    Raises:
        InvalidValueError: it does not.
    """
    expected = f"up to {MAX_TAG_VALUE_CHARACTERS} {_TAG_CHARACTERS}"
    return _parse_tag_part(_parse_text(value, expected), "value", expected, range(MAX_TAG_VALUE_CHARACTERS + 1))


def _parse_tag_part(text: str, part: str, expected: str, length: range) -> str:
    for position, character in enumerate(text, start=1):
        if unicodedata.category(character)[0] not in "LNZ" and character not in "_.:/=+-@":
            got = f"the character {character!r} at position {position}"
            raise InvalidValueError(got=got, expected=expected, fix=f"leave it out of the {part}")
    if len(text) not in length:
        fix = f"shorten the {part}" if text else f"give the {part} a name"
        raise InvalidValueError(got=f"{len(text)} characters", expected=expected, fix=fix)
    return text
