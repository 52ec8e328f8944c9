import pytest

from private_pypi.errors import InvalidValueError
from private_pypi.principals import Principal

TAKES = (
    "the ARN of an IAM role or user (arn:aws:iam::111122223333:role/NAME), with * for what varies in its path or name; "
    "the 12 digits of an account, quoted; or an organization (o-a1b2c3d4e5)"
)
SIXTY_FOUR = "r" * 64
IDENTITY_CENTER = "aws-reserved/sso.amazonaws.com"
UNIT = "list its accounts by their numbers, or the whole organization (o-a1b2c3d4e5): no policy can name a part of that"
ID = "list it by its ARN, arn:aws:iam::ACCOUNT:{}/NAME: AWS writes this id where the one that it was is deleted"
CLOUD = "list the IAM role that it assumes, arn:aws:iam::ACCOUNT:role/NAME: AWS knows no identities of {}"
JOBS = "write a map for its jobs, {}: {}, with their branch, tag or environment on a line of its own"
PERSON = (
    "list the role that this person signs in with, "
    f"arn:aws:iam::ACCOUNT:role/{IDENTITY_CENTER}/*AWSReservedSSO_NAME_*, "
    "or their user, arn:aws:iam::ACCOUNT:user/NAME"
)


@pytest.mark.parametrize(
    "arn",
    [
        "arn:aws:iam::111122223333:role/ci",
        "arn:aws:iam::111122223333:role/team/build/ci",
        "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/eu-west-1/AWSReservedSSO_Dev_0123456789abcdef",
        "arn:aws:iam::111122223333:role/a+b=c,d.e@f-g_h",
        f"arn:aws:iam::111122223333:role/{SIXTY_FOUR}",
        f"arn:aws:iam::111122223333:role/{'p' * 510}/{SIXTY_FOUR}",
        "arn:aws:iam::111122223333:user/people/ada",
        "arn:aws:iam::111122223333:root",
        "arn:aws:iam::111122223333:role/aws-reserved/sso.amazonaws.com/*AWSReservedSSO_Developers_*",
        "arn:aws:iam::111122223333:role/*",
        "arn:aws:iam::111122223333:user/contractors/*",
        "o-a1b2c3d4e5",
        "o-0123456789abcdefghijklmnopqrstuv",
    ],
)
def test_principals_are_taken_as_they_are(arn: str) -> None:
    assert Principal(arn).name == arn


@pytest.mark.parametrize("partition", ["aws", "aws-cn"])
def test_an_account_is_its_root_arn(partition: str) -> None:
    account = Principal.parse("012345678901", partition=partition)

    assert account == Principal.parse(f"arn:{partition}:iam::012345678901:root", partition=partition)
    assert account.name == f"arn:{partition}:iam::012345678901:root"


@pytest.mark.parametrize(
    ("text", "fix"),
    [
        ("", "write the whole ARN: arn:aws:iam::ACCOUNT:role/NAME"),
        ("ci", "write the whole ARN: arn:aws:iam::ACCOUNT:role/ci"),
        (
            "AWSReservedSSO_Developers_0123456789abcdef",
            f"write the whole ARN: arn:aws:iam::ACCOUNT:role/{IDENTITY_CENTER}/*AWSReservedSSO_Developers_*",
        ),
        (
            "arn:aws-cn:sts::111122223333:assumed-role/AWSReservedSSO_Data_Ops_0123456789abcdef/ada",
            f"list the session's role: arn:aws-cn:iam::111122223333:role/{IDENTITY_CENTER}/*AWSReservedSSO_Data_Ops_*",
        ),
        ("*", "list the roles, users or accounts; '*' would let everyone in"),
        ("1111", "an account has 12 digits, this has 4"),
        ("1111222233334", "an account has 12 digits, this has 13"),
        ("glue.amazonaws.com", "list the role that the service runs as, not the service"),
        ("ec2.amazonaws.com.cn", "list the role that the service runs as, not the service"),
        ("token.actions.githubusercontent.com", JOBS.format("github", "OWNER/NAME")),
        ("gitlab.com", JOBS.format("gitlab", "GROUP/PROJECT")),
        ("accounts.google.com", "list the role that the federated users assume, not the identity provider"),
        ("cognito-identity.amazonaws.com", "list the role that the federated users assume, not the identity provider"),
        (
            "arn:aws:sts::111122223333:assumed-role/ci/session",
            "list the session's role: arn:aws:iam::111122223333:role/ci, its path included",
        ),
        ("arn:aws:sts::111122223333:federated-user/ada", "list the role that the federated users assume"),
        ("arn:aws:iam::111122223333:saml-provider/okta", "list the role that the federated users assume"),
        ("arn:aws:iam::111122223333:oidc-provider/gitlab.com", "list the role that the federated users assume"),
        ("arn:aws:s3:::bucket", "list the role or user that should get in, by an ARN of the service iam"),
        ("arn:aws", "list the role or user that should get in, by an ARN of the service iam"),
        (
            "arn:amazon:iam::111122223333:role/ci",
            "there is no partition 'amazon': an ARN begins with arn:aws:, in China with arn:aws-cn:",
        ),
        (
            "arn:aws:sts::\x1b[2J:assumed-role/c\x1b[2J",
            "list the session's role: arn:aws:iam::ACCOUNT:role/NAME, its path included",
        ),
        ("\x1b[2Jci", "write the whole ARN: arn:aws:iam::ACCOUNT:role/NAME"),
        ("\uff11" * 12, "write the whole ARN: arn:aws:iam::ACCOUNT:role/NAME"),
        (
            "arn:aws:iam:us-east-1:111122223333:role/ci",
            "leave the region empty, with two colons between iam and the account: IAM has no regions",
        ),
        (
            "arn:aws:iam:*:111122223333:root",
            "leave the region empty, with two colons between iam and the account: IAM has no regions",
        ),
        ("arn:aws:iam::1111:role/ci", "an account has 12 digits; here it is '1111'"),
        ("arn:aws:iam::*:role/ci", "an account has 12 digits; here it is '*'"),
        (
            "arn:aws:iam::111122223333:group/devs",
            "list the group's users, or a role that they assume: IAM lets no policy name a group",
        ),
        ("arn:aws:iam::1111*:role/ci", "an account has 12 digits; here it is '1111*'"),
        ("arn:*", "list the role or user that should get in, by an ARN of the service iam"),
        ("o-a1b2c3", "write its id whole, if it is an organization: o- and 10 to 32 lower-case letters and digits"),
        ("O-A1B2C3D4E5", "write the organization's id in lower case: o-a1b2c3d4e5"),
        ("o-A1b2c3d4e5", "write the organization's id in lower case: o-a1b2c3d4e5"),
        ("ou-ab12-11111111", UNIT),
        ("r-ab12", UNIT),
        ("arn:aws:organizations::111122223333:ou/o-zzzzzzzzzz/ou-ab12-11111111", UNIT.replace("a1b2c3d4e5", "z" * 10)),
        ("arn:aws:organizations::111122223333:root/o-zzzzzzzzzz/r-ab12", UNIT.replace("a1b2c3d4e5", "z" * 10)),
        ("arn:aws:organizations::111122223333:ou/x", UNIT),
        (
            "arn:aws:organizations::111122223333:organization/o-zzzzzzzzzz",
            "list the organization by its id: o-zzzzzzzzzz",
        ),
        (
            "arn:aws:organizations::111122223333:account/o-zzzzzzzzzz/444455556666",
            'list the account by its number: "444455556666"',
        ),
        ("root", "list the account, its 12 digits in quotes; a root user itself gets no tokens"),
        ("1111-2222-3333", "write the 12 digits of the account in quotes, without hyphens"),
        ("a0" * 32, "list the account, its 12 digits in quotes: a canonical user ID is for Amazon S3"),
        (
            "acme-prod",
            "write the whole ARN: arn:aws:iam::ACCOUNT:role/acme-prod; or the 12 digits of an account, not its alias",
        ),
        (f"AROA{'A1' * 8}", ID.format("role")),
        (f"AROA{'A1' * 8}:session", ID.format("role")),
        (f"AIDA{'A1' * 8}", ID.format("user")),
        (f"AGPA{'A1' * 8}", "list the group's users, or a role that they assume: IAM lets no policy name a group"),
        (f"AIPA{'A1' * 8}", "list the role of the instance profile: arn:aws:iam::ACCOUNT:role/NAME"),
        *(
            (
                f"{kind}{'A1' * 8}",
                (
                    "list the user or the role that has the access key: arn:aws:iam::ACCOUNT:user/NAME or "
                    "arn:aws:iam::ACCOUNT:role/NAME"
                ),
            )
            for kind in ("AKIA", "ASIA")
        ),
        ("ada@example.com", PERSON),
        *(
            (text, CLOUD.format("Google Cloud"))
            for text in (
                "ci@acme.iam.gserviceaccount.com",
                "serviceAccount:ci@acme.iam.gserviceaccount.com",
                "principalSet://iam.googleapis.com/projects/1",
            )
        ),
        *(
            (text, CLOUD.format("Microsoft Entra"))
            for text in ("01234567-89ab-cdef-0123-456789abcdef", "ada@acme.onmicrosoft.com", "acme.onmicrosoft.com")
        ),
        *(
            (text, JOBS.format("github", project))
            for text, project in {
                "repo:acme/tools:ref:refs/tags/v1": "acme/tools",
                "repo:acme@1/tools@2:pull_request": "OWNER/NAME",
                "github.com/acme/tools": "acme/tools",
                "https://github.com/acme/tools.git": "acme/tools",
                "git@github.com:acme/tools.git": "acme/tools",
                "https://github.com/acme/tools/tree/main": "OWNER/NAME",
            }.items()
        ),
        *(
            (text, JOBS.format("gitlab", project))
            for text, project in {
                "project_path:acme/data/tools:ref_type:branch:ref:main": "acme/data/tools",
                "https://gitlab.com/acme/tools.git": "acme/tools",
                "git@gitlab.com:acme/tools.git": "acme/tools",
            }.items()
        ),
        (
            "acme/tools",
            (
                "write the whole ARN, arn:aws:iam::ACCOUNT:role/acme/tools, or a map for the jobs of a repository, "
                "github: acme/tools"
            ),
        ),
        ("role/team/ci", "write the whole ARN: arn:aws:iam::ACCOUNT:role/team/ci"),
        ("user/ada", "write the whole ARN: arn:aws:iam::ACCOUNT:user/ada"),
        *(
            (
                text,
                (
                    "list the role that signs in there: arn:aws:iam::ACCOUNT:role/NAME or "
                    f"arn:aws:iam::ACCOUNT:role/{IDENTITY_CENTER}/*AWSReservedSSO_NAME_*"
                ),
            )
            for text in ("https://acme.signin.aws.amazon.com/console", "d-0123456789.awsapps.com/start")
        ),
        (
            "arn:aws-us-gov:sso:::permissionSet/ssoins-1/ps-1",
            (
                f"list the roles of the permission set: arn:aws-us-gov:iam::ACCOUNT:role/{IDENTITY_CENTER}/"
                "*AWSReservedSSO_NAME_*"
            ),
        ),
        ("arn:aws:iam::aws:policy/ReadOnlyAccess", "list the roles and users that have the policy"),
        (
            "arn:aws:iam::111122223333:instance-profile/x",
            "list the role of the instance profile: arn:aws:iam::111122223333:role/NAME",
        ),
        *[
            (
                f"arn:aws:iam::111122223333:{resource}",
                "end it with role/NAME, user/NAME or root; a path comes before the name: role/PATH/NAME",
            )
            for resource in (
                "role",
                "role/",
                "role//ci",
                "role/ci/",
                "role/a?b",
                "role/x/?/y",
                "role/a b".replace(" ", "é"),
                f"role/{SIXTY_FOUR}r",
            )
        ],
        ("arn:aws:iam::111122223333:policy/x", "list the roles and users that have the policy"),
        (
            "arn:aws:iam::111122223333:roots",
            "end it with role/NAME, user/NAME or root; a path comes before the name: role/PATH/NAME",
        ),
        ("arn:aws:iam::111122223333:role/c i", "take the white space out"),
        ("arn:aws:iam::111122223333:role/ci\n", "take the white space out"),
        (" ", "take the white space out"),
        ("*\t", "take the white space out"),
    ],
)
def test_text_that_is_no_principal_is_refused_with_the_way_out(text: str, fix: str) -> None:
    with pytest.raises(InvalidValueError) as error:
        Principal(text)
    assert str(error.value) == f"got {text!r}\n  expected: {TAKES}\n  fix:      {fix}"


@pytest.mark.parametrize(
    ("value", "got", "fix"),
    [
        (
            111122223333,
            "the number 111122223333",
            "quote the account's 12 digits: as a number it loses its leading zeros",
        ),
        (1.5, "the number 1.5", "quote the account's 12 digits: as a number it loses its leading zeros"),
        (True, "true", "write one quoted string for each principal"),
        (None, "nothing", "write one quoted string for each principal"),
        (["ci"], "a list", "write one quoted string for each principal"),
        ({"role": "ci"}, "a map", "write one quoted string for each principal"),
    ],
)
def test_what_is_no_text_is_refused(value: object, got: str, fix: str) -> None:
    with pytest.raises(InvalidValueError) as error:
        Principal.parse(value)
    assert str(error.value) == f"got {got}\n  expected: {TAKES}\n  fix:      {fix}"


@pytest.mark.parametrize(
    ("text", "account", "role_name", "kinds"),
    [
        ("arn:aws:iam::111122223333:role/team/ci", "111122223333", "ci", set[str]()),
        ("arn:aws:iam::111122223333:role/a:b/role/ci", "111122223333", "ci", set[str]()),
        ("arn:aws:iam::111122223333:user/team/ada", "111122223333", None, set[str]()),
        ("arn:aws:iam::111122223333:user/a:role/ada", "111122223333", None, set[str]()),
        ("arn:aws:iam::111122223333:role/team/*", "111122223333", None, {"pattern"}),
        ("arn:aws:iam::111122223333:role/*/ci", "111122223333", None, {"pattern"}),
        ("111122223333", "111122223333", None, {"account"}),
        ("o-a1b2c3d4e5", None, None, {"organization"}),
    ],
)
def test_a_principal_knows_its_kind(text: str, account: str | None, role_name: str | None, kinds: set[str]) -> None:
    principal = Principal(text)

    assert principal.account == account
    assert principal.role_name == role_name
    assert {kind for kind in ("pattern", "account", "organization") if getattr(principal, f"is_{kind}")} == kinds


def test_no_policy_reaches_into_another_partition() -> None:
    with pytest.raises(InvalidValueError) as error:
        Principal.parse("arn:aws-cn:iam::111122223333:role/ci", partition="aws")
    assert str(error.value) == (
        f"got 'arn:aws-cn:iam::111122223333:role/ci'\n  expected: {TAKES}\n"
        "  fix:      the stack's region is in the partition aws: list principals of that"
    )


@pytest.mark.parametrize("partition", ["aws", "aws-us-gov"])
def test_a_bare_name_is_told_the_arn_of_the_partition_it_is_in(partition: str) -> None:
    for name, path in (
        ("ci", "ci"),
        ("role/team/ci", "team/ci"),
        ("AWSReservedSSO_Ops_0123456789abcdef", "aws-reserved/sso.amazonaws.com/*AWSReservedSSO_Ops_*"),
    ):
        with pytest.raises(InvalidValueError) as error:
            Principal.parse(name, partition=partition)
        assert str(error.value).endswith(f"write the whole ARN: arn:{partition}:iam::ACCOUNT:role/{path}")


@pytest.mark.parametrize(
    ("resource", "is_reserved"),
    [
        ("role/aws-reserved/sso.amazonaws.com/AWSReservedSSO_Ops_0123456789abcdef", True),
        ("role/aws-reserved/sso.amazonaws.com/*AWSReservedSSO_Ops_*", True),
        ("role/aws-service-role/glue.amazonaws.com/AWSServiceRoleForGlue", True),
        ("role/aws-reserved", False),
        ("role/team/aws-reserved/ci", False),
        ("user/aws-reserved/ada", False),
    ],
)
def test_the_roles_that_aws_alone_may_modify_are_known_by_their_path(resource: str, is_reserved: bool) -> None:
    assert Principal(f"arn:aws:iam::111122223333:{resource}").is_reserved == is_reserved
