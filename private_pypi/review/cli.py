"""The command `private-pypi`: what a stack would be, for people and for programs."""

import argparse
import dataclasses
import gc
import json
import os
import sys
from pathlib import Path

import pulumi

from private_pypi.review.markdown import render_markdown
from private_pypi.review.preview import PLACEHOLDER_ACCOUNT, PLACEHOLDER_REGION, preview
from private_pypi.review.render import render
from private_pypi.review.stacks import StackFileError, read_stack


def main(arguments: list[str] | None = None) -> int:
    """Run the command; the exit status is 1 when the stack's files or config have mistakes."""
    parser = argparse.ArgumentParser(prog="private-pypi", description="A private PyPI on AWS CodeArtifact.")
    commands = parser.add_subparsers(required=True)
    command = commands.add_parser(
        "preview",
        help="show what a stack would be, without the Pulumi CLI and without AWS",
        description="Show what `pulumi up` would make of a new stack, without the Pulumi CLI and without AWS.",
    )
    command.add_argument("stack", nargs="?", default="dev", help="the stack: Pulumi.STACK.yaml (default: dev)")
    form = command.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print JSON; outputs known only after pulumi up are null")
    form.add_argument("--markdown", action="store_true", help="print Markdown, for a comment on a pull request")
    options = parser.parse_args(arguments)
    gc.freeze()  # what is imported stays to the end: to look through it for garbage would take a fifth of the time
    try:
        _preview(options.stack, as_json=options.json, as_markdown=options.markdown)
    except (pulumi.RunError, StackFileError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


def _preview(stack_name: str, *, as_json: bool, as_markdown: bool) -> None:
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

    result = preview(folder, stack)
    if as_json:
        print(*notes, *(f"warning: {each}" for each in result.warnings), sep="\n", file=sys.stderr)
        print(json.dumps({"stack": stack.name, **dataclasses.asdict(result)}, indent=2))
    elif as_markdown:
        print(render_markdown(result, notes))
    else:
        colours = sys.stdout.isatty() and "NO_COLOR" not in os.environ
        print(*notes, "", render(result, _bold if colours else str), sep="\n")


def _bold(text: str) -> str:
    return f"\x1b[1m{text}\x1b[0m"
