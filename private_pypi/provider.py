"""Where the AWS provider is: the account, the partition and the region that decide every ARN.

Plain calls, made before anything is registered: ARNs as strings make the documents known at preview.
"""

from collections.abc import Callable, Mapping
from typing import TypeVar

import pulumi
import pulumi_aws as aws

from private_pypi.args import PrivatePypiArgs
from private_pypi.arns import Arns

T = TypeVar("T")


def look_up_region() -> str:
    """The region of the default provider, for a stack whose config does not name one."""
    return _ask(aws.get_region, None).region


def look_up_place(args: PrivatePypiArgs, opts: pulumi.ResourceOptions | None) -> tuple[Arns, str]:
    """The ARNs, and the caller's account.

    Raises:
        pulumi.RunError: the provider cannot say, without credentials for example.
    """
    provider = _aws_provider(opts or pulumi.ResourceOptions())
    caller = _ask(aws.get_caller_identity, provider)
    arns = Arns(
        partition=caller.arn.split(":")[1],  # not with a call of its own: each is a wait
        region=_ask(aws.get_region, provider).region,
        owner=args.domain_owner or caller.account_id,
        domain_name=args.domain,
        repository_name=args.repository,
    )
    return arns, caller.account_id


def _ask(function: Callable[..., T], provider: pulumi.InvokeOptions | None) -> T:
    try:
        return function(opts=provider)
    except Exception as error:  # noqa: BLE001  what the SDK raises has no type of its own
        raise pulumi.RunError(str(error)) from None


def _aws_provider(opts: pulumi.ResourceOptions) -> pulumi.InvokeOptions:
    """The provider that children of a component with `opts` get, before there is a component to be their parent."""
    several = opts.providers or ()
    given = [opts.provider, *(several.values() if isinstance(several, Mapping) else several)]
    provider = next((each for each in given if each and each.package == "aws"), None)
    return pulumi.InvokeOptions(parent=opts.parent, provider=provider)
