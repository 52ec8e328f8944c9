"""The command `private-pypi`: what a stack would be, what changes, and where AWS refuses."""

import argparse
import functools
import json
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

from private_pypi.cli.errors import CommandError, MistakesError
from private_pypi.cli.words import Style, coloured, harmless, uncoloured
from private_pypi.cli.workspace import selected_stack
from private_pypi.errors import InvalidValueError
from private_pypi.names import parse_account, parse_domain_name, parse_region, parse_repository_name

if TYPE_CHECKING:
    import io

T = TypeVar("T")

NEEDS_APPROVAL = 2
"""The exit status of a difference that needs approval."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command; the exit status is 1 when the stack's files or config have mistakes, or AWS refuses a step."""
    options = _parser().parse_args(arguments)
    try:
        if "stack" in options:
            named = options.stack_option or options.stack or selected_stack(Path.cwd())
            options.stack = named.rpartition("/")[2]  # the CLI also takes it with its organization and project
        status = options.run(options)
        sys.stdout.flush()
    except CommandError as error:
        _complain(f"error: {error}")
        return 1
    except BrokenPipeError:  # whoever reads has seen enough, as `head` has
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="private-pypi", description="A private PyPI on AWS CodeArtifact.")
    parser.add_argument("--version", action=_Version)
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
        help=f"exit with {NEEDS_APPROVAL} when somebody gains access, something can be lost, or not all was compared",
    )
    checks = commands.add_parser(
        "check",
        help="say why AWS answers 401, 403 or 404, with the credentials of the environment",
        description="Go the way of a client with the credentials of the environment, and say why AWS refuses.",
    )
    checks.set_defaults(run=_check)
    checks.add_argument("--package", metavar="NAME", type=_package, help="fetch a file of this package, too")
    checks.add_argument("--publish", action="store_true", help="try publishing too, without publishing anything")
    makes = commands.add_parser(
        "new",
        help="write the files of a repository of your own, which installs this version",
        description="Write the files of a repository of your own, which installs this version. Nothing is overwritten.",
    )
    makes.set_defaults(run=_new)
    makes.add_argument("folder", metavar="FOLDER", type=Path, help="where to; it is made if there is none")
    makes.add_argument("--domain", required=True, type=_checked(parse_domain_name), help="the CodeArtifact domain")
    makes.add_argument("--account", required=True, type=_checked(parse_account), help="the AWS account, 12 digits")
    makes.add_argument("--region", required=True, type=_checked(parse_region), help="the AWS region")
    adopts = commands.add_parser(
        "adopt",
        help="write a stack file and an import file for a repository that exists",
        description="Write Pulumi.STACK.yaml and adopt.json for a repository that exists, and say what they leave out.",
    )
    adopts.set_defaults(run=_adopt, stack=None)
    adopts.add_argument("repository", metavar="DOMAIN/REPOSITORY", type=_checked(_parse_place), help="the repository")
    adopts.add_argument(
        "--domain-owner",
        metavar="ACCOUNT",
        type=_checked(parse_account),
        help="the account that owns the domain (default: yours)",
    )
    adopts.add_argument(
        "--stack",
        dest="stack_option",
        metavar="STACK",
        help="the stack that is to be (default: as of preview)",
    )
    prints = commands.add_parser(
        "schema",
        help="print the JSON Schema of a stack file, for editors",
        description="Print the JSON Schema of a stack file, for editors and checks.",
    )
    prints.set_defaults(run=_schema)
    for command in (previews, compares, checks):
        default = "default: the one that `pulumi stack select` chose for this folder, else dev"
        command.add_argument("stack", nargs="?", help=f"the stack: Pulumi.STACK.yaml ({default})")
        command.add_argument("--stack", dest="stack_option", metavar="STACK", help="the same")
    for command, unknown in ((previews, "; outputs known only after pulumi up are null"), (compares, "")):
        form = command.add_mutually_exclusive_group()
        form.add_argument("--json", action="store_true", help=f"print JSON{unknown}")
        form.add_argument("--markdown", action="store_true", help="print Markdown, for a comment on a pull request")
    return parser


class _Version(argparse.Action):
    """Prints the version, which is looked up when it is asked for alone."""

    def __init__(self, option_strings: Sequence[str], dest: str) -> None:
        super().__init__(option_strings, dest, nargs=0, help="show the version")

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        from importlib.metadata import version  # noqa: PLC0415  takes time, and nothing else needs it

        print(f"private-pypi {version('pulumi-private-pypi')}")
        parser.exit()


def _preview(options: argparse.Namespace) -> int:
    # Here, because not every command needs them and each import takes time.
    from private_pypi.cli.preview import (  # noqa: PLC0415
        PLACEHOLDER_ACCOUNT,
        PLACEHOLDER_REGION,
        as_json,
        preview,
    )
    from private_pypi.cli.stack_files import read_stack  # noqa: PLC0415

    folder = Path.cwd()
    stack = read_stack(folder, options.stack)
    account, region = stack.account or PLACEHOLDER_ACCOUNT, stack.region or PLACEHOLDER_REGION
    notes = [f"Stack {stack.name} in account {account}, region {region}. Nothing was asked of AWS and nothing changes."]
    if not stack.account:
        notes.append(f"{account} is a placeholder: aws:allowedAccountIds names no account of 12 digits in plain.")
    if not stack.region:
        notes.append(f"{region} is a placeholder: aws:region is not set, or encrypted.")
    if stack.has_environments:
        notes.append("What the stack's Pulumi ESC environments configure is not in it: they may set every key.")

    result = preview(folder, stack)
    if options.json:
        _complain(*notes, *(f"warning: {each}" for each in result.warnings))
        _show(json.dumps({"stack": stack.name} | as_json(result), indent=2))
    elif options.markdown:
        from private_pypi.cli.markdown import render_markdown  # noqa: PLC0415  only this form needs it

        _show_in_utf8(render_markdown(result, notes))
    else:
        from private_pypi.cli.text import render  # noqa: PLC0415  the same

        _show(*notes, "", render(result, _style()))
    return 0


def _diff(options: argparse.Namespace) -> int:
    from private_pypi.cli.process import recorder_process  # noqa: PLC0415

    with recorder_process() as base, recorder_process() as head:  # first, because they import what takes longest
        from private_pypi.cli.compare import as_json  # noqa: PLC0415
        from private_pypi.cli.diff import diff  # noqa: PLC0415
        from private_pypi.cli.diff_text import render_difference, summarize  # noqa: PLC0415
        from private_pypi.cli.markdown import fenced, render_difference_markdown  # noqa: PLC0415

        try:
            compared = diff(Path.cwd(), options.stack, options.base, record_base=base, record_head=head)
        except MistakesError as mistakes:
            _complain(str(mistakes))
            if options.markdown:
                _show_in_utf8(fenced(str(mistakes), "text"))
            return 1
    difference = compared.difference
    notes = [
        f"Stack {options.stack}, compared with {compared.base[:12]}: {summarize(difference)}. Nothing was asked of AWS."
    ]
    if options.json:
        _show(json.dumps({"stack": options.stack, "base": compared.base} | as_json(difference), indent=2))
    elif options.markdown:
        _show_in_utf8(render_difference_markdown(difference, options.stack, notes))
    else:
        _show(*notes, "", render_difference(difference, _style()))
    return NEEDS_APPROVAL if options.exit_code and difference.needs_approval else 0


def _check(options: argparse.Namespace) -> int:
    from private_pypi.cli.process import recorder_process  # noqa: PLC0415

    with recorder_process() as record:  # as above
        from private_pypi.cli.check import check  # noqa: PLC0415  only this command needs it, and botocore

        passes = check(
            Path.cwd(),
            options.stack,
            record,
            package=options.package,
            publishes=options.publish,
            say=_show,
            heading=functools.partial(_style(), "heading"),
        )
    return 0 if passes else 1


def _new(options: argparse.Namespace) -> int:
    from private_pypi.cli.new import new, read_requirement  # noqa: PLC0415  only this command needs it

    requirement = read_requirement()
    place = {"domain": options.domain, "account": options.account, "region": options.region}
    names = new(options.folder, **place, requirement=requirement)
    _show(
        f"Written into {options.folder}, to be committed:",
        *(f"  {name}" for name in names),
        f"It installs {requirement.line}",
    )
    return 0


def _adopt(options: argparse.Namespace) -> int:
    from private_pypi.cli.adopt import write_stack  # noqa: PLC0415  only this command needs it, and botocore

    domain, repository = options.repository
    write_stack(
        Path.cwd(),
        options.stack,
        domain=domain,
        repository=repository,
        domain_owner=options.domain_owner,
        say=_show,
        heading=functools.partial(_style(), "heading"),
    )
    return 0


def _schema(_: argparse.Namespace) -> int:
    from private_pypi.cli.schema import schema_text  # noqa: PLC0415  only this command needs it

    sys.stdout.write(schema_text())
    return 0


def _checked(parse: Callable[[str], T]) -> Callable[[str], T]:
    """A type of an argument, whose mistakes are told as those of the config."""

    def checked(text: str) -> T:
        try:
            return parse(text)
        except InvalidValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return checked


def _parse_place(text: str) -> tuple[str, str]:
    """A domain and a repository in it."""
    domain, _, repository = text.partition("/")
    return parse_domain_name(domain), parse_repository_name(repository)


def _package(text: str) -> str:
    from packaging.utils import InvalidName, canonicalize_name  # noqa: PLC0415  only `check --package` needs it

    try:
        return canonicalize_name(text, validate=True)
    except InvalidName as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _show(*lines: str) -> None:
    """Print lines, in the characters that standard output has: a Windows code page has few."""
    text, encoding = harmless("\n".join(lines)), sys.stdout.encoding
    try:
        text.encode(encoding)
    except UnicodeEncodeError:
        text = text.translate(str.maketrans("├└│─", "|`|-")).encode(encoding, "backslashreplace").decode(encoding)
    print(text, flush=True)  # the steps of a check as soon as they are known


def _show_in_utf8(text: str) -> None:
    """Print what goes on to GitHub, whatever the code page."""
    cast("io.TextIOWrapper", sys.stdout).reconfigure(encoding="utf-8")
    _show(text)


def _complain(*lines: str) -> None:
    print(harmless("\n".join(lines)), file=sys.stderr)


def _style() -> Style:
    """How lines look: in colour on a terminal."""
    return coloured if sys.stdout.isatty() and not os.environ.get("NO_COLOR") else uncoloured
