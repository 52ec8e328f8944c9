"""The statements of docs/domains.md, generated as the program generates them."""

import json

from pages import blocks

from private_pypi import PrivatePypiArgs
from private_pypi.arns import Arns
from private_pypi.iam import CREATE, TAG, statement
from private_pypi.policies import make_documents

OURS = Arns(
    partition="aws", region="us-west-2", owner="111122223333", domain_name="shared", repository_name="private-pypi"
)
THEIR_ARN = f"{OURS.repository.removesuffix('private-pypi')}web"


def test_what_another_account_needs_is_what_the_program_says_of_its_own_repositories_and_the_upstream() -> None:
    (shown,) = blocks("domains.md", "json", "Repositories of another account")
    args = PrivatePypiArgs(
        domain="shared", repository="web", existing_domain=True, domain_owner=OURS.owner, tags={"a": "b"}
    )
    theirs = make_documents(args, Arns.of_repository(THEIR_ARN), "444455556666", []).domain_statements
    create, tag = json.loads(theirs or "")
    upstream = statement(
        "", ["codeartifact:AssociateWithDownstreamRepository"], [OURS.repository], principal=create["Principal"]
    )
    del upstream["Sid"]

    assert (create["Action"], tag["Action"]) == (CREATE, TAG)
    assert json.loads(shown) == [create, tag | {"Resource": THEIR_ARN}, upstream]


def test_they_are_taken_as_they_are() -> None:
    (shown,) = blocks("domains.md", "json", "Repositories of another account")

    args = PrivatePypiArgs(domain="shared", domain_statements=json.loads(shown)).at("us-west-2", OURS.owner)
    assert [each.content for each in args.domain_statements] == json.loads(shown)
