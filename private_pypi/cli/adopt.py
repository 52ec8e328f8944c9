"""A repository that exists, brought into a stack: what AWS has is asked for, and two files are written.

Nothing changes in AWS. The files are written where there are none.
"""

import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from private_pypi.arns import Arns, partition_of
from private_pypi.cli.adoption import Adoption, Found, FoundDomain, FoundRepository, adopt
from private_pypi.cli.aws import Aws
from private_pypi.cli.context import Caller
from private_pypi.cli.diagnosis import RefusedError
from private_pypi.cli.errors import MistakesError, StackFileError
from private_pypi.cli.words import plain
from private_pypi.errors import InvalidArgsError

IMPORTS = "adopt.json"
_ROOT_GROUP = "/*"


def write_stack(  # noqa: PLR0913  which stack, of what, and how it is said
    folder: Path,
    stack: str,
    *,
    domain: str,
    repository: str,
    domain_owner: str | None,
    say: Callable[[str], None],
    heading: Callable[[str], str] = str,
) -> None:
    """Write the stack file and the import file for what is deployed, and say what is not as they say.

    Args:
        folder: the project's folder.
        stack: the name of the stack that is to be.
        domain: the domain's name.
        repository: the repository's name.
        domain_owner: the account that owns the domain, 12 digits; `None` is the caller's.
        say: prints what there is to say.
        heading: styles the titles.

    Raises:
        StackFileError: one of the files is there already, or cannot be written; or there is no region.
        RefusedError: AWS does not say what the repository is.
        MistakesError: what is deployed is too long for the policies of a stack.
    """
    stack_file = f"Pulumi.{stack}.yaml"
    for name in (stack_file, IMPORTS):
        if os.path.lexists(folder / name):
            fix = "name another stack: --stack NAME" if name == stack_file else "move it away"
            raise StackFileError(f"there is {name} already; {fix}")
    aws = Aws(None)
    if not aws.region:
        raise StackFileError("there is no region: set AWS_REGION")
    found = look(aws, domain, repository, domain_owner)
    try:
        adoption = adopt(found)
    except InvalidArgsError as error:
        raise MistakesError(f"what is deployed cannot be a stack as it is\n{error}") from None
    for name, text in ((stack_file, render_config(adoption.config)), (IMPORTS, render_imports(adoption))):
        try:
            with (folder / name).open("x", encoding="utf-8") as file:
                file.write(text)
        except OSError as error:
            raise StackFileError(str(error)) from None
    say(f"Wrote {stack_file} and {IMPORTS} for {plain(found.arns.repository)}. Nothing changes in AWS.")
    for title, lines in adoption.remarks:
        say("\n".join(["", heading(title), *(f"  {plain(line)}" for line in lines)]))
    if not adoption.remarks:
        say("\nThe config says all that is deployed: once it is imported, `pulumi up` changes nothing.")


def look(aws: Aws, domain: str, repository: str, domain_owner: str | None) -> Found:
    """What AWS has.

    Raises:
        RefusedError: it does not say what the repository is.
    """
    account = Caller.of(aws.call("sts", "get_caller_identity", "Arn")).account
    region = str(aws.region)
    arns = Arns(
        partition=partition_of(region),
        region=region,
        owner=domain_owner or account,
        domain_name=domain,
        repository_name=repository,
    )
    found = Found(account=account, arns=arns, repository=_repository(aws, arns))
    try:
        found = replace(found, store=_repository(aws, arns.store))
    except RefusedError as refused:
        if refused.code != "ResourceNotFoundException":
            raise
    try:
        return replace(found, domain=_domain(aws, arns))
    except RefusedError as refused:
        return replace(found, unreadable=str(refused))


def _repository(aws: Aws, arns: Arns) -> FoundRepository:
    where = {"domain": arns.domain_name, "domainOwner": arns.owner, "repository": arns.repository_name}
    described = aws.call("codeartifact", "describe_repository", "repository", **where)
    return FoundRepository(
        description=described.get("description", ""),
        administrator=described.get("administratorAccount", ""),
        upstreams=tuple(each["repositoryName"] for each in described.get("upstreams", [])),
        connections=tuple(each["externalConnectionName"] for each in described.get("externalConnections", [])),
        tags=_tags(aws, arns.repository),
        policy=_policy(aws, "get_repository_permissions_policy", **where),
    )


def _domain(aws: Aws, arns: Arns) -> FoundDomain:
    where = {"domain": arns.domain_name, "domainOwner": arns.owner}
    described = aws.call("codeartifact", "describe_domain", "domain", **where)
    repositories = aws.list("codeartifact", "list_repositories_in_domain", "repositories", **where)
    groups = aws.list("codeartifact", "list_package_groups", "packageGroups", **where)
    return FoundDomain(
        encryption_key=described.get("encryptionKey", ""),
        tags=_tags(aws, arns.domain),
        policy=_policy(aws, "get_domain_permissions_policy", **where),
        repositories=tuple(each["name"] for each in repositories),
        groups=tuple(sorted(each["pattern"] for each in groups if each["pattern"] != _ROOT_GROUP)),
    )


def _tags(aws: Aws, arn: str) -> dict[str, str]:
    listed = aws.call("codeartifact", "list_tags_for_resource", "tags", resourceArn=arn)
    return {each["key"]: each["value"] for each in listed}


def _policy(aws: Aws, operation: str, **where: object) -> str | None:
    """A permissions policy; `None` if there is none."""
    try:
        return aws.call("codeartifact", operation, "policy", **where)["document"]
    except RefusedError as refused:
        if refused.code != "ResourceNotFoundException":
            raise
        return None


def render_config(config: Mapping[str, Any]) -> str:
    """A stack file. All text is in quotes, so that no account is taken for a number."""
    return "\n".join(["config:", *_lines(config)]) + "\n"


def _lines(config: Mapping[str, Any]) -> Iterator[str]:
    for key, value in config.items():
        if isinstance(value, list):
            yield f"  {key}:"
            yield from (f"    - {json.dumps(each)}" for each in value)  # pyright: ignore[reportUnknownVariableType]
        else:
            yield f"  {key}: {json.dumps(value)}"


def render_imports(adoption: Adoption) -> str:
    """The file that `pulumi import` reads."""
    return json.dumps(adoption.imports, indent=2) + "\n"
