"""A repository of one's own: its files, and the requirement that installs what wrote them.

The files are those of `own_repository`, with values in the place of `${DOMAIN}` and the like.
"""

import hashlib
import json
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from private_pypi.arns import partition_of
from private_pypi.cli.errors import CommandError
from private_pypi.cli.schema import schema_text

DISTRIBUTION = "pulumi-private-pypi"
SCHEMA = "pulumi-stack.schema.json"
TEMPLATE = Path(__file__).with_name("own_repository")

# What the specification of direct_url.json leaves in a URL of what stands before its host.
_COMMITTABLE = re.compile(r"(git|\$\{\w+\}(:\$\{\w+\})?)?")
_FIX = f"Install {DISTRIBUTION} from a git URL, a wheel or an index, and run this again."


@dataclass(frozen=True, kw_only=True, slots=True)
class Requirement:
    """A line of requirements.txt that installs the distribution in this version, and no other one."""

    line: str
    file: Path | None = None
    """The file that the line names, to be put beside it; `None` where everybody can download what it names."""


def new(folder: Path, *, domain: str, account: str, region: str, requirement: Requirement) -> list[str]:
    """Write the files of a repository into a folder, which is made if there is none; their paths from there on.

    Args:
        folder: where to; none of the files may be there.
        domain: the domain's name, as `parse_domain_name` checks it.
        account: the account to deploy in, 12 digits.
        region: the region to deploy in.
        requirement: what `read_requirement` found, for requirements.txt.

    Raises:
        CommandError: a file is there already, and nothing was written; or one cannot be written.
    """
    values = {
        "ACCOUNT": account,
        "DOMAIN": domain,
        "PARTITION": partition_of(region),
        "REGION": region,
        "REQUIREMENT": requirement.line,
    }
    files = {
        path.relative_to(TEMPLATE).as_posix(): _fill_in(path.read_text(encoding="utf-8"), values).encode()
        for path in sorted(TEMPLATE.rglob("*"))
        if path.is_file() and path.suffix != ".pyc"
    }
    files[SCHEMA] = schema_text().encode()
    if requirement.file:
        files[requirement.file.name] = requirement.file.read_bytes()
    if there := [name for name in files if os.path.lexists(folder / name)]:
        raise CommandError(f"{folder} has files of these names, and nothing was written: {', '.join(there)}")
    try:
        for name, content in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            with (folder / name).open("xb") as file:
                file.write(content)
    except OSError as error:
        raise CommandError(str(error)) from None
    return [*files]


def _fill_in(text: str, values: Mapping[str, str]) -> str:
    """Text with the values in the place of their names. GitHub's own `${{ ... }}` stay."""
    return re.sub(r"\$\{([A-Z]+)\}", lambda name: values[name[1]], text)


def read_requirement() -> Requirement:
    """What installs the distribution again as it is installed here.

    Raises:
        CommandError: nobody else could install it from there.
    """
    installed = distribution(DISTRIBUTION)
    return requirement_of(installed.version, json.loads(installed.read_text("direct_url.json") or "null"))


def requirement_of(version: str, direct_url: Mapping[str, Any] | None) -> Requirement:
    """The same of an installed version and of what its installer noted of where it is from; nothing for an index.

    https://packaging.python.org/en/latest/specifications/direct-url/

    Raises:
        CommandError: it is from a folder, or from a URL that may have another file tomorrow.
    """
    if direct_url is None:
        return Requirement(line=f"{DISTRIBUTION}=={version}")
    url: str = direct_url["url"]
    is_local, credentials = urlsplit(url).scheme == "file", urlsplit(url).netloc.rpartition("@")[0]
    if not _COMMITTABLE.fullmatch(credentials):
        raise CommandError(f"{DISTRIBUTION} was installed from a URL with credentials, to be committed. {_FIX}")
    match direct_url:
        case {"vcs_info": {"vcs": vcs, "commit_id": commit}} if not is_local:
            subdirectory = f"#subdirectory={direct_url['subdirectory']}" if "subdirectory" in direct_url else ""
            return Requirement(line=f"{DISTRIBUTION} @ {vcs}+{url}@{commit}{subdirectory}")
        case {"archive_info": archive} if is_local:
            return _beside(Path(url2pathname(urlsplit(url).path)), _sha256(archive))
        case {"archive_info": archive} if digest := _sha256(archive):
            return Requirement(line=f"{DISTRIBUTION} @ {url}#sha256={digest}")
        case {"archive_info": _}:
            lacks = f"what installed {DISTRIBUTION} from {url} did not note the hash of the file"
            raise CommandError(f"{lacks}. Install it with pip, and run this again.")
        case _:
            raise CommandError(f"{DISTRIBUTION} was installed from {url}, from where nobody else can. {_FIX}")


def _sha256(archive: Mapping[str, Any]) -> str | None:
    """The hash of an archive, which older installers wrote in another way."""
    name, _, digest = archive.get("hash", "").partition("=")
    return archive.get("hashes", {}).get("sha256") or (digest if name == "sha256" else None)


def _beside(file: Path, digest: str | None) -> Requirement:
    """A file of this machine, to be put beside requirements.txt."""
    if not file.is_file() or (digest and hashlib.sha256(file.read_bytes()).hexdigest() != digest):
        raise CommandError(f"{file} is no longer what {DISTRIBUTION} was installed from. {_FIX}")
    return Requirement(line=f"./{file.name}", file=file)
