"""Which files a page lists, and what they need."""

import json

import pytest

from private_pypi.cli.simple_index import File, newest, read_page, versions


@pytest.mark.parametrize(
    ("page", "files"),
    [
        ("", []),
        ("[]", []),
        ("{}", []),
        ('{"files": [{}]}', []),
        ("<a>no link</a><b href='x'>no link</b>", []),
        ('<a href="x.whl#sha256=0" data-core-metadata="true">x</a>', [File(url="x.whl#sha256=0", has_metadata=True)]),
        ('<A HREF="x.whl">x</A>', [File(url="x.whl")]),
        (
            json.dumps({"files": [{"url": "x.whl", "core-metadata": False}, {"url": "y", "upload-time": "2026"}]}),
            [File(url="x.whl"), File(url="y", has_upload_time=True)],
        ),
    ],
)
def test_the_files_of_a_page(page: str, files: list[File]) -> None:
    assert read_page(page) == files


@pytest.mark.parametrize(
    "names",
    [
        ["a-1.0.tar.gz", "a-1.10.tar.gz", "a-1.10-py3-none-any.whl", "a-1.9-py3-none-any.whl"],
        ["a-1.10-py3-none-any.whl", "a-2.0rc1-py3-none-any.whl", "a-3.egg"],
        ["a-1.10-py3-none-any.whl", "a-x.whl", "a.tar.gz"],
    ],
)
def test_a_client_takes_the_newest_wheel(names: list[str]) -> None:
    assert newest([File(url=f"../files/{name}#sha256=0") for name in names]).name == "a-1.10-py3-none-any.whl"


def test_where_there_are_pre_releases_alone_a_client_takes_one() -> None:
    assert newest([File(url="a-1.0rc1.tar.gz"), File(url="a-1.0rc2.tar.gz")]).name == "a-1.0rc2.tar.gz"


def test_versions_are_sorted_and_named_once() -> None:
    files = [File(url=name) for name in ("a-1.10.tar.gz", "a-1.9.tar.gz", "a-1.9-py3-none-any.whl", "a.egg")]

    assert [*map(str, versions(files))] == ["1.9", "1.10"]
