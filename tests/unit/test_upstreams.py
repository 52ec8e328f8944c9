from types import SimpleNamespace
from typing import Any

import botocore.session
import pulumi
import pytest
from botocore.exceptions import ClientError, NoCredentialsError

from private_pypi.arns import Arns
from private_pypi.upstreams import downstream_repositories, upstream_remover

ARNS = Arns(
    partition="aws-cn", region="cn-north-1", owner="111122223333", domain_name="acme", repository_name="internal"
)
STORE = [{"repositoryName": "internal-store"}]


class CodeArtifact:
    def __init__(self) -> None:
        self.calls: list[dict[str, object]] = []
        self.error: Exception | None = None

    def get_paginator(self, operation: str) -> Any:
        pages = [{"repositories": [{"name": "tools"}, {"name": "internal"}]}, {"repositories": [{"name": "npm"}]}]
        assert operation == "list_repositories_in_domain"
        return SimpleNamespace(paginate=lambda **arguments: self.calls.append(arguments) or iter(pages))

    def describe_repository(self, *, domain: str, domainOwner: str, repository: str) -> dict[str, object]:  # noqa: N803
        assert (domain, domainOwner) == ("acme", "111122223333")
        if self.error:
            raise self.error
        return {"repository": {"upstreams": [] if repository == "internal" else STORE}}

    def update_repository(self, **arguments: object) -> None:
        self.calls.append(arguments)
        if self.error:
            raise self.error


@pytest.fixture
def codeartifact(monkeypatch: pytest.MonkeyPatch) -> CodeArtifact:
    """Stands in for the service in the region of ARNS."""
    fake = CodeArtifact()
    clients = {("codeartifact", "cn-north-1"): fake}
    session = SimpleNamespace(create_client=lambda service, *, region_name: clients[service, region_name])
    monkeypatch.setattr(botocore.session, "get_session", lambda: session)
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
        (None, {"upstreams": STORE}),
        ({}, {"upstreams": STORE}),
    ],
)
def test_any_other_change_is_the_providers(
    codeartifact: CodeArtifact, old: dict[str, Any] | None, new: dict[str, Any] | None
) -> None:
    upstream_remover(ARNS)(change(old, new))

    assert codeartifact.calls == []


@pytest.mark.parametrize(
    "failure",
    [
        ClientError({"Error": {"Code": "AccessDeniedException", "Message": "no"}}, "UpdateRepository"),
        NoCredentialsError(),
    ],
)
def test_that_it_cannot_be_removed_stops_the_update_and_says_what_to_do(
    codeartifact: CodeArtifact, failure: Exception
) -> None:
    codeartifact.error = failure

    with pytest.raises(RuntimeError) as error:
        upstream_remover(ARNS)(change({"upstreams": STORE}, None))
    assert str(error.value) == (
        f"the upstream of the repository was not removed: {failure}\n"
        "Run these three commands, the first with credentials that may do so:\n"
        "aws codeartifact update-repository --region cn-north-1 --domain acme --domain-owner 111122223333 "
        "--repository internal --upstreams '[]'\n"
        "pulumi refresh\n"
        "pulumi up"
    )


def test_the_repositories_that_have_another_one_upstream_are_found(codeartifact: CodeArtifact) -> None:
    assert downstream_repositories(ARNS.store) == ("npm", "tools")
    assert downstream_repositories(ARNS) == ()
    assert codeartifact.calls == [{"domain": "acme", "domainOwner": "111122223333"}] * 2


def test_that_they_cannot_be_found_is_an_error(codeartifact: CodeArtifact) -> None:
    codeartifact.error = NoCredentialsError()

    with pytest.raises(RuntimeError, match=r"^Unable to locate credentials$"):
        downstream_repositories(ARNS)
