import json

from hypothesis import given
from hypothesis import strategies as st

from private_pypi.names import Arns
from private_pypi.policies import domain_policy, repository_policy
from private_pypi.principals import Principal

ARNS = Arns(partition="aws", region="us-west-2", owner="111122223333", domain_name="acme", repository_name="internal")
DOMAIN = "arn:aws:codeartifact:us-west-2:111122223333:domain/acme"
REPOSITORY = "arn:aws:codeartifact:us-west-2:111122223333:repository/acme/internal"
PACKAGES = "arn:aws:codeartifact:us-west-2:111122223333:package/acme/internal/*"

ADA = Principal.parse("arn:aws:iam::111122223333:user/ada")
CI = Principal.parse("arn:aws:iam::111122223333:role/ci")
OTHER = Principal.parse("444455556666")

accounts = st.from_regex("[0-9]{12}", fullmatch=True)
names = st.from_regex("[A-Za-z0-9_+=,.@-]{1,64}", fullmatch=True)
paths = st.lists(st.from_regex("[!-)+-.0-~]{1,20}", fullmatch=True), max_size=3).map(
    lambda parts: "".join(f"{p}/" for p in parts)
)
roles_and_users = st.builds("arn:aws:iam::{}:{}/{}{}".format, accounts, st.sampled_from(["role", "user"]), paths, names)
principals = st.one_of(accounts, accounts.map("arn:aws:iam::{}:root".format), roles_and_users).map(Principal.parse)
groups = st.lists(principals, max_size=6)


def test_readers_and_publishers_get_tokens() -> None:
    assert json.loads(domain_policy(ARNS, readers=[OTHER, ADA], publishers=[CI]) or "") == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "GetAuthorizationToken",
                "Effect": "Allow",
                "Principal": {
                    "AWS": [
                        "arn:aws:iam::111122223333:role/ci",
                        "arn:aws:iam::111122223333:user/ada",
                        "arn:aws:iam::444455556666:root",
                    ]
                },
                "Action": ["codeartifact:GetAuthorizationToken"],
                "Resource": DOMAIN,
            }
        ],
    }


def test_readers_and_publishers_install_and_publishers_publish() -> None:
    installing = ["arn:aws:iam::111122223333:role/ci", "arn:aws:iam::111122223333:user/ada"]

    assert json.loads(repository_policy(ARNS, readers=[ADA], publishers=[CI]) or "") == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "ReadRepository",
                "Effect": "Allow",
                "Principal": {"AWS": installing},
                "Action": ["codeartifact:ReadFromRepository"],
                "Resource": REPOSITORY,
            },
            {
                "Sid": "DownloadPackages",
                "Effect": "Allow",
                "Principal": {"AWS": installing},
                "Action": ["codeartifact:GetPackageVersionAsset", "codeartifact:GetPackageVersionReadme"],
                "Resource": PACKAGES,
            },
            {
                "Sid": "PublishPackages",
                "Effect": "Allow",
                "Principal": {"AWS": ["arn:aws:iam::111122223333:role/ci"]},
                "Action": ["codeartifact:PublishPackageVersion"],
                "Resource": PACKAGES,
            },
        ],
    }


def test_without_publishers_there_is_no_publish_statement() -> None:
    document = json.loads(repository_policy(ARNS, readers=[ADA], publishers=[]) or "")

    assert [statement["Sid"] for statement in document["Statement"]] == ["ReadRepository", "DownloadPackages"]


def test_without_principals_there_is_no_policy() -> None:
    assert domain_policy(ARNS, readers=[], publishers=[]) is None
    assert repository_policy(ARNS, readers=[], publishers=[]) is None


def test_documents_are_minified() -> None:
    assert domain_policy(ARNS, readers=[], publishers=[CI]) == (
        '{"Version":"2012-10-17","Statement":[{"Sid":"GetAuthorizationToken","Effect":"Allow",'
        '"Principal":{"AWS":["arn:aws:iam::111122223333:role/ci"]},'
        '"Action":["codeartifact:GetAuthorizationToken"],'
        '"Resource":"arn:aws:codeartifact:us-west-2:111122223333:domain/acme"}]}'
    )


@given(data=st.data(), readers=groups, publishers=groups)
def test_order_and_repetition_never_change_a_document(
    data: st.DataObject, readers: list[Principal], publishers: list[Principal]
) -> None:
    def shuffled(group: list[Principal]) -> list[Principal]:
        repeated = data.draw(st.lists(st.sampled_from(group), max_size=3)) if group else []
        return data.draw(st.permutations([*group, *repeated]))

    # A publisher that is listed as a reader too is repeated as well.
    more_readers = [*readers, *(data.draw(st.lists(st.sampled_from(publishers), max_size=3)) if publishers else [])]

    for policy in (domain_policy, repository_policy):
        expected = policy(ARNS, readers=readers, publishers=publishers)
        assert policy(ARNS, readers=shuffled(more_readers), publishers=shuffled(publishers)) == expected


@given(readers=groups, publishers=groups)
def test_a_reader_is_never_in_the_publish_statement(readers: list[Principal], publishers: list[Principal]) -> None:
    document = json.loads(repository_policy(ARNS, readers=readers, publishers=publishers) or '{"Statement": []}')
    publishing = {
        arn
        for statement in document["Statement"]
        if "codeartifact:PublishPackageVersion" in statement["Action"]
        for arn in statement["Principal"]["AWS"]
    }

    assert publishing == {publisher.arn for publisher in publishers}


@given(readers=groups, publishers=groups)
def test_nobody_is_let_in_who_is_not_listed(readers: list[Principal], publishers: list[Principal]) -> None:
    listed = {principal.arn for principal in [*readers, *publishers]}

    for policy in (domain_policy, repository_policy):
        document = json.loads(policy(ARNS, readers=readers, publishers=publishers) or '{"Statement": []}')
        for statement in document["Statement"]:
            assert set(statement["Principal"]["AWS"]) <= listed
