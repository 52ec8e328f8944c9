"""What the AWS provider does not do about upstream repositories.

It does not remove the last one: it calls UpdateRepository without a word of upstreams, and then the upstream that
Pulumi deletes next stays referenced: https://github.com/hashicorp/terraform-provider-aws/issues/31092
And it has no function that says which repositories have another one upstream.

These calls know no provider: they go by AWS's own chain of credentials (environment, profile, role). They name the
domain's owner, so that with the credentials of another account they find nothing.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, cast

import pulumi

from private_pypi.arns import Arns


def upstream_remover(arns: Arns) -> Callable[[pulumi.ResourceHookArgs], None]:
    """A hook for before the repository of `arns` is updated: it makes what has no upstreams any more have none."""

    def remove_upstreams(change: pulumi.ResourceHookArgs) -> None:
        if (change.old_outputs or {}).get("upstreams") and not (change.new_inputs or {}).get("upstreams"):
            _remove_upstreams(arns)

    return remove_upstreams


def downstream_repositories(arns: Arns) -> tuple[str, ...]:
    """The names of the repositories that have the repository of `arns` upstream, sorted.

    Raises:
        RuntimeError: AWS does not say.
    """
    where = {"domain": arns.domain_name, "domainOwner": arns.owner}
    found: list[str] = []
    with _codeartifact(arns) as codeartifact:
        for page in codeartifact.get_paginator("list_repositories_in_domain").paginate(**where):
            for each in page["repositories"]:
                name = each["name"]
                described = codeartifact.describe_repository(**where, repository=name)["repository"]
                if any(upstream["repositoryName"] == arns.repository_name for upstream in described["upstreams"]):
                    found.append(name)
    return tuple(sorted(found))


def _remove_upstreams(arns: Arns) -> None:
    try:
        with _codeartifact(arns) as codeartifact:
            codeartifact.update_repository(
                domain=arns.domain_name, domainOwner=arns.owner, repository=arns.repository_name, upstreams=[]
            )
    except RuntimeError as error:
        raise RuntimeError(
            f"the upstream of the repository was not removed: {error}\n"
            "Run these three commands, the first with credentials that may do so:\n"
            f"aws codeartifact update-repository --region {arns.region} --domain {arns.domain_name} "
            f"--domain-owner {arns.owner} --repository {arns.repository_name} --upstreams '[]'\n"
            "pulumi refresh\n"
            "pulumi up"
        ) from error


@contextmanager
def _codeartifact(arns: Arns) -> Generator[Any]:
    """A client in the region of `arns`. That a call of it fails is a RuntimeError."""
    # Late, because it takes time and hardly any run needs it.
    import botocore.session  # noqa: PLC0415  # pyright: ignore[reportMissingTypeStubs]
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  # pyright: ignore[reportMissingTypeStubs]

    try:
        yield cast("Any", botocore.session).get_session().create_client("codeartifact", region_name=arns.region)
    except (BotoCoreError, ClientError) as error:
        raise RuntimeError(str(error)) from error
