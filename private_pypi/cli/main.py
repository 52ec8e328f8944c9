"""The command `private-pypi`: what a stack would be, what changes, and where AWS refuses."""

import argparse
import dataclasses
import json
import os
import sys
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path

from private_pypi.cli.errors import CommandError, MistakesError

NEEDS_APPROVAL = 2
"""The exit status of a difference that gives access, opens or endangers something, or is not understood."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command; the exit status is 1 when the stack's files or config have mistakes, or AWS refuses a step."""
    options = _parser().parse_args(arguments)
    try:
        status = options.run(options)
        sys.stdout.flush()
    except CommandError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:  # whoever reads has seen enough, as `head` has
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="private-pypi", description="A private PyPI on AWS CodeArtifact.")
    commands = parser.add_subparsers(required=True)
    previews = commands.add_parser(
        "preview",
        help="show what a stack would be, without the Pulumi CLI and without AWS",
        description="Show what `pulumi up` would make of a new stack, without the Pulumi CLI and without AWS.",
    )
    previews.set_defaults(run=_preview)
    compares = commands.add_parser(
        "diff",
        help="show what a branch changes for people: who gains, who loses, what can be lost",
        description="Show what changes for people from a git revision to the working tree, without AWS.",
    )
    compares.set_defaults(run=_diff)
    compares.add_argument(
        "--base",
        metavar="REVISION",
        help="the revision to compare with (default: where the branch left origin/HEAD)",
    )
    compares.add_argument(
        "--exit-code",
        action="store_true",
        help=f"exit with {NEEDS_APPROVAL} when somebody gains access, or something opens, can be lost or is unclear",
    )
    checks = commands.add_parser(
        "check",
        help="say why AWS answers 401, 403 or 404, with the credentials of the environment",
        description="Go the way of a client with the credentials of the environment, and say why AWS refuses.",
    )
    checks.set_defaults(run=_check)
    checks.add_argument("--package", metavar="NAME", type=_package, help="fetch a file of this package, too")
    checks.add_argument("--publish", action="store_true", help="try publishing too, without publishing anything")
    for command in (previews, compares, checks):
        command.add_argument("stack", nargs="?", default="dev", help="the stack: Pulumi.STACK.yaml (default: dev)")
    for command, unknown in ((previews, "; outputs known only after pulumi up are null"), (compares, "")):
        form = command.add_mutually_exclusive_group()
        form.add_argument("--json", action="store_true", help=f"print JSON{unknown}")
        form.add_argument("--markdown", action="store_true", help="print Markdown, for a comment on a pull request")
    return parser


def _preview(options: argparse.Namespace) -> int:
    # Here, as in the other commands: none needs what the others do, and each import takes time.
    from private_pypi.cli.preview import PLACEHOLDER_ACCOUNT, PLACEHOLDER_REGION, preview  # noqa: PLC0415
    from private_pypi.cli.stack_files import read_stack  # noqa: PLC0415
    from private_pypi.cli.text import render  # noqa: PLC0415

    folder = Path.cwd()
    stack = read_stack(folder, options.stack)
    account, region = stack.account or PLACEHOLDER_ACCOUNT, stack.region or PLACEHOLDER_REGION
    notes = [f"Stack {stack.name} in account {account}, region {region}. Nothing was asked of AWS and nothing changes."]
    if not stack.account:
        notes.append(f"{account} is a placeholder: aws:allowedAccountIds names no account of 12 digits.")
    if not stack.region:
        notes.append(f"{region} is a placeholder: aws:region is not set, or encrypted.")
    if stack.has_environments:
        notes.append("What the stack's Pulumi ESC environments configure is not in it: they may set every key.")
    if stack.stand_ins:
        notes.append("Encrypted values show as [secret]; the sizes of the policies are not the real ones.")

    with _refusals():
        result = preview(folder, stack)
    if options.json:
        print(*notes, *(f"warning: {each}" for each in result.warnings), sep="\n", file=sys.stderr)
        _show(json.dumps({"stack": stack.name, **dataclasses.asdict(result)}, indent=2))
    elif options.markdown:
        from private_pypi.cli.markdown import render_markdown  # noqa: PLC0415  only this form needs it

        _show(render_markdown(result, notes))
    else:
        _show(*notes, "", render(result, _heading()))
    return 0


def _diff(options: argparse.Namespace) -> int:
    from private_pypi.cli.diff import diff  # noqa: PLC0415
    from private_pypi.cli.diff_text import render_difference  # noqa: PLC0415
    from private_pypi.cli.markdown import fenced, render_difference_markdown  # noqa: PLC0415
    from private_pypi.cli.preview import hide_stand_ins  # noqa: PLC0415

    try:
        compared = diff(Path.cwd(), options.stack, options.base)
    except MistakesError as mistakes:
        print(mistakes, file=sys.stderr)
        if options.markdown:
            _show(fenced(str(mistakes), "text"))
        return 1
    difference = compared.difference
    notes = [f"Stack {options.stack}, compared with {compared.base[:12]}. Nothing was asked of AWS."]
    if compared.stand_ins:
        notes.append("Encrypted values show as [secret].")
    if options.json:
        content = {"stack": options.stack, "base": compared.base, "needs_approval": difference.needs_approval}
        text = json.dumps(content | dataclasses.asdict(difference), indent=2)
    elif options.markdown:
        text = render_difference_markdown(difference, options.stack, notes)
    else:
        text = "\n".join([*notes, "", render_difference(difference, _heading())])
    _show(hide_stand_ins(text, compared.stand_ins))
    return NEEDS_APPROVAL if options.exit_code and difference.needs_approval else 0


def _check(options: argparse.Namespace) -> int:
    from private_pypi.cli.check import check  # noqa: PLC0415

    with _refusals():
        passes = check(
            Path.cwd(),
            options.stack,
            package=options.package,
            publishes=options.publish,
            say=_show,
            heading=_heading(),
        )
    return 0 if passes else 1


@contextmanager
def _refusals() -> Generator[None]:
    """Tell what the program refuses in a process that runs it."""
    import pulumi  # noqa: PLC0415

    try:
        yield
    except pulumi.RunError as refused:
        raise MistakesError(str(refused)) from None


def _package(text: str) -> str:
    from packaging.utils import InvalidName, canonicalize_name  # noqa: PLC0415  only `check --package` needs it

    try:
        return canonicalize_name(text, validate=True)
    except InvalidName as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _show(*lines: str) -> None:
    """Print lines, in the characters that standard output has: a Windows code page has few."""
    text, encoding = "\n".join(lines), sys.stdout.encoding
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        text = text.translate(str.maketrans("├└│─", "|`|-")).encode(encoding, "backslashreplace").decode(encoding)
    print(text, flush=True)  # the steps of a check as soon as they are known


def _heading() -> Callable[[str], str]:
    """How titles look: bold on a terminal."""
    return _bold if sys.stdout.isatty() and "NO_COLOR" not in os.environ else str


def _bold(text: str) -> str:
    return f"\x1b[1m{text}\x1b[0m"
