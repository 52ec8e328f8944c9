"""The one change of a repository that the AWS provider does not make: the removal of its last upstream repository.

It calls UpdateRepository without a word of upstreams, and then the upstream that Pulumi deletes next stays referenced:
https://github.com/hashicorp/terraform-provider-aws/issues/31092
"""

from collections.abc import Callable
from typing import Any, cast

import pulumi

from private_pypi.arns import Arns


def upstream_remover(arns: Arns) -> Callable[[pulumi.ResourceHookArgs], None]:
    """A hook for before the repository of `arns` is updated: it makes what has no upstreams any more have none.

    A hook knows no provider, so the call goes by AWS's own chain of credentials (environment, profile, role). It names
    the domain's owner, so that with the credentials of another account it finds nothing.
    """

    def remove_upstreams(change: pulumi.ResourceHookArgs) -> None:
        if (change.old_outputs or {}).get("upstreams") and not (change.new_inputs or {}).get("upstreams"):
            _remove_upstreams(arns)

    return remove_upstreams


def _remove_upstreams(arns: Arns) -> None:
    # Late, because it takes time and hardly any run needs it.
    import botocore.session  # noqa: PLC0415  # pyright: ignore[reportMissingTypeStubs]
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  # pyright: ignore[reportMissingTypeStubs]

    try:
        session = cast("Any", botocore.session).get_session()
        codeartifact = session.create_client("codeartifact", region_name=arns.region)
        codeartifact.update_repository(
            domain=arns.domain_name, domainOwner=arns.owner, repository=arns.repository_name, upstreams=[]
        )
    except (BotoCoreError, ClientError) as error:
        raise RuntimeError(
            f"the upstream of the repository was not removed: {error}\n"
            "Run these three commands, the first with credentials that may do so:\n"
            f"aws codeartifact update-repository --region {arns.region} --domain {arns.domain_name} "
            f"--domain-owner {arns.owner} --repository {arns.repository_name} --upstreams '[]'\n"
            "pulumi refresh\n"
            "pulumi up"
        ) from error
