"""The command `private-pypi`: what a stack would be, and where AWS refuses whom it lets in."""

import argparse
import dataclasses
import gc
import json
import os
import sys
from pathlib import Path

from packaging.utils import InvalidName, canonicalize_name

from private_pypi.review.stacks import StackFileError, read_stack

PLACEHOLDER_ACCOUNT = "000000000000"
PLACEHOLDER_REGION = "us-east-1"


def main(arguments: list[str] | None = None) -> int:
    """Run the command; the exit status is 1 when the stack's files or config have mistakes, or a step is refused."""
    parser = argparse.ArgumentParser(prog="private-pypi", description="A private PyPI on AWS CodeArtifact.")
    commands = parser.add_subparsers(required=True, dest="command")
    command = commands.add_parser(
        "preview",
        help="show what a stack would be, without the Pulumi CLI and without AWS",
        description="Show what `pulumi up` would make of a new stack, without the Pulumi CLI and without AWS.",
    )
    command.add_argument("stack", nargs="?", default="dev", help="the stack: Pulumi.STACK.yaml (default: dev)")
    form = command.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON; outputs known only after pulumi up are null")
    form.add_argument("--markdown", action="store_true", help="print Markdown, for a comment on a pull request")
    command = commands.add_parser(
        "check",
        help="say why AWS answers 401, 403 or 404, with the credentials of the environment",
        description="Go the way of a client with the credentials of the environment, and say why AWS refuses.",
    )
    command.add_argument("stack", nargs="?", default="dev", help="the stack: Pulumi.STACK.yaml (default: dev)")
    command.add_argument("--package", metavar="NAME", type=_package, help="fetch a file of this package, too")
    command.add_argument("--publish", action="store_true", help="try publishing too, without publishing anything")
    options = parser.parse_args(arguments)
    try:
        if options.command == "check":
            return _check(options.stack, package=options.package, publishes=options.publish)
        _preview(options.stack, as_json=options.json, as_markdown=options.markdown)
    except StackFileError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _package(text: str) -> str:
    try:
        return canonicalize_name(text, validate=True)
    except InvalidName as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _check(stack_name: str, *, package: str | None, publishes: bool) -> int:
    from private_pypi.review.check import check  # noqa: PLC0415

    def say(text: str) -> None:
        print(text, flush=True)  # each step as soon as it is known

    return 0 if check(Path.cwd(), stack_name, package=package, publishes=publishes, say=say, heading=_heading) else 1


def _preview(stack_name: str, *, as_json: bool, as_markdown: bool) -> None:
    import pulumi  # noqa: PLC0415  it takes a second to import, and `check` does without

    from private_pypi.review.markdown import render_markdown  # noqa: PLC0415
    from private_pypi.review.preview import preview  # noqa: PLC0415
    from private_pypi.review.render import render  # noqa: PLC0415

    gc.freeze()  # what is imported stays to the end: to look through it for garbage would take a fifth of the time
    folder = Path.cwd()
    stack = read_stack(folder, stack_name)
    account, region = stack.account or PLACEHOLDER_ACCOUNT, stack.region or PLACEHOLDER_REGION
    notes = [f"Stack {stack.name} in account {account}, region {region}. Nothing was asked of AWS and nothing changes."]
    if not stack.account:
        notes.append(f"{account} is a placeholder: aws:allowedAccountIds names no account of 12 digits.")
    if not stack.region:
        notes.append(f"{region} is a placeholder: aws:region is not set, or encrypted.")
    if stack.has_environments:
        notes.append("What the stack's Pulumi ESC environments configure is not in it.")
    if stack.stand_ins:
        notes.append("Encrypted values show as [secret]; the sizes of the policies are not the real ones.")

    try:
        result = preview(folder / "__main__.py", stack, account=account, region=region)
    except pulumi.RunError as error:
        raise StackFileError(str(error)) from None
    if as_json:
        print(*notes, *(f"warning: {each}" for each in result.warnings), sep="\n", file=sys.stderr)
        print(json.dumps({"stack": stack.name, **dataclasses.asdict(result)}, indent=2))
    elif as_markdown:
        print(render_markdown(result, notes))
    else:
        print(*notes, "", render(result, _heading), sep="\n")


def _heading(text: str) -> str:
    return f"\x1b[1m{text}\x1b[0m" if sys.stdout.isatty() and "NO_COLOR" not in os.environ else text
