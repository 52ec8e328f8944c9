"""The pages of a simple index, and what a wheel needs. Pure.

https://packaging.python.org/en/latest/specifications/simple-repository-api/
"""

import io
import json
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from email.parser import HeaderParser
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

from packaging.requirements import Requirement
from packaging.utils import InvalidSdistFilename, InvalidWheelFilename, parse_sdist_filename, parse_wheel_filename
from packaging.version import Version

ACCEPT = "application/vnd.pypi.simple.v1+json, text/html;q=0.1"

MAX_METADATA_BYTES = 1_000_000
"""Of a wheel's metadata, unpacked."""


@dataclass(frozen=True, kw_only=True, slots=True)
class File:
    """A file of a package."""

    url: str
    """As the page has it: relative, or whole."""
    has_metadata: bool = False
    """Whether its metadata is beside it, at the same URL with `.metadata` after it."""
    has_upload_time: bool = False

    @property
    def name(self) -> str:
        """Its name."""
        return urlsplit(self.url).path.rpartition("/")[2]

    @property
    def is_wheel(self) -> bool:
        """Whether it is a wheel."""
        return self.name.endswith(".whl")

    @property
    def version(self) -> Version | None:
        """The version that its name tells; `None` for a name that is neither a wheel's nor an sdist's."""
        try:
            return (parse_wheel_filename if self.is_wheel else parse_sdist_filename)(self.name)[1]
        except (InvalidSdistFilename, InvalidWheelFilename):
            return None


def read_page(text: str) -> list[File]:
    """The files that a page of a package lists, be it JSON or HTML."""
    try:
        page: Any = json.loads(text)
        return [
            File(
                url=each["url"],
                has_metadata=bool(each.get("core-metadata")),
                has_upload_time="upload-time" in each,
            )
            for each in page["files"]
        ]
    except (KeyError, TypeError):
        return []
    except ValueError:
        links = _Links()
        links.feed(text)
        return links.found


class _Links(HTMLParser):
    """What a page of HTML leads to. It has no upload times."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[File] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        named = dict(attrs)
        if tag == "a" and (url := named.get("href")):
            self.found.append(File(url=url, has_metadata="data-core-metadata" in named))


def newest(files: Sequence[File]) -> File:
    """The file that a client would take: of the newest version that is no pre-release, and a wheel if there is one."""

    def rank(file: File) -> tuple[bool, bool, Version, bool]:
        version = file.version
        return version is not None, not (version and version.is_prerelease), version or Version("0"), file.is_wheel

    return max(files, key=rank)


def versions(files: Sequence[File]) -> list[Version]:
    """The versions of files, sorted."""
    return sorted({version for file in files if (version := file.version)})


def metadata_of(wheel: bytes) -> str:
    """The metadata of a wheel.

    Raises:
        ValueError: it is no wheel, or one whose metadata is too long.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(wheel)) as archive:
            (name,) = [
                each for each in archive.namelist() if each.endswith(".dist-info/METADATA") and each.count("/") == 1
            ]
            with archive.open(name) as file:
                text = file.read(MAX_METADATA_BYTES + 1)
    except (NotImplementedError, RuntimeError, zipfile.BadZipFile, zipfile.LargeZipFile) as error:
        raise ValueError(str(error)) from None
    if len(text) > MAX_METADATA_BYTES:
        raise ValueError(f"its metadata has more than {MAX_METADATA_BYTES:,} bytes")
    return text.decode("utf-8", "replace")


def requirements(metadata: str) -> Iterator[Requirement]:
    """What has to be installed from an index beside it, with this Python and without extras.

    Raises:
        ValueError: one of them is none.
    """
    needed: Sequence[str] = HeaderParser().parsestr(metadata).get_all("Requires-Dist") or []
    for requirement in map(Requirement, needed):
        if not requirement.url and (not requirement.marker or requirement.marker.evaluate({"extra": ""})):
            yield requirement
