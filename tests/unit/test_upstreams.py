from typing import Any

import boto3
import pulumi
import pytest
from botocore.exceptions import ClientError

from private_pypi.names import Arns
from private_pypi.upstreams import upstream_remover

ARNS = Arns(partition="aws", region="us-west-2", owner="111122223333", domain_name="acme", repository_name="internal")
STORE = [{"repositoryName": "internal-store"}]


class CodeArtifact:
    def __init__(self) -> None:
        self.calls: list[dict[str, object]] = []
        self.error: Exception | None = None

    def update_repository(self, **arguments: object) -> None:
        self.calls.append(arguments)
        if self.error:
            raise self.error


@pytest.fixture
def codeartifact(monkeypatch: pytest.MonkeyPatch) -> CodeArtifact:
    """Stands in for the service in ARNS's region."""
    fake = CodeArtifact()
    clients = {("codeartifact", ARNS.region): fake}
    monkeypatch.setattr(boto3, "client", lambda service, *, region_name: clients[service, region_name])
    return fake


def change(old: dict[str, Any] | None, new: dict[str, Any] | None) -> pulumi.ResourceHookArgs:
    return pulumi.ResourceHookArgs("urn", "id", "name", "type", new_inputs=new, old_outputs=old)


def test_the_last_upstream_is_removed(codeartifact: CodeArtifact) -> None:
    upstream_remover(ARNS)(change({"upstreams": STORE}, {"description": "Ours"}))

    assert codeartifact.calls == [
        {"domain": "acme", "domainOwner": "111122223333", "repository": "internal", "upstreams": []}
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"upstreams": []}, {}),
        ({}, {}),
        (None, None),
        ({"upstreams": STORE}, {"upstreams": STORE}),
        ({}, {"upstreams": STORE}),
    ],
)
def test_any_other_change_is_the_providers(
    codeartifact: CodeArtifact, old: dict[str, Any] | None, new: dict[str, Any] | None
) -> None:
    upstream_remover(ARNS)(change(old, new))

    assert codeartifact.calls == []


def test_that_it_cannot_be_removed_stops_the_update_and_says_what_to_do(codeartifact: CodeArtifact) -> None:
    codeartifact.error = ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "UpdateRepository")

    with pytest.raises(RuntimeError) as error:
        upstream_remover(ARNS)(change({"upstreams": STORE}, {}))
    assert str(error.value) == (
        "the upstream of the repository was not removed: "
        "An error occurred (AccessDeniedException) when calling the UpdateRepository operation: no\n"
        "With credentials that may do so run these two, and then go on:\n"
        "aws codeartifact update-repository --region us-west-2 --domain acme --domain-owner 111122223333 "
        "--repository internal --upstreams '[]'\n"
        "pulumi refresh"
    )
