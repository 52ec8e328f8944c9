"""The way from page to page: every link leads somewhere, and from the README to every page."""

import re
from pathlib import Path

import pytest
from pages import DOCS, ROOT, broken_links

PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("[!.]*/*.md"), *ROOT.glob("[!.]*/*/*.md")])


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_no_link_is_broken(page: Path) -> None:
    assert broken_links(page, ROOT) == []


@pytest.mark.parametrize("page", PAGES, ids=[str(page.relative_to(ROOT)) for page in PAGES])
def test_every_module_that_a_page_names_is_there(page: Path) -> None:
    places = (ROOT, ROOT / "private_pypi", page.parent)
    modules = re.findall(r"`((?:[\w-]+/)+[\w-]+\.py)`", page.read_text())

    assert [module for module in modules if not any((place / module).exists() for place in places)] == []


def test_the_pages_are_all_there() -> None:
    names = {str(page.relative_to(ROOT)) for page in PAGES}

    assert names >= {"README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "tests/integration/README.md"}
    assert names >= {f"docs/{page.name}" for page in DOCS.glob("*.md")}


def test_the_readme_is_a_way_in_and_leads_to_every_page() -> None:
    readme = (ROOT / "README.md").read_text()

    assert len(readme.splitlines()) <= 150
    assert [page.name for page in DOCS.glob("*.md") if f"](docs/{page.name})" not in readme] == []


def test_a_broken_link_is_found(tmp_path: Path) -> None:
    (tmp_path / "other.md").write_text(
        "# Other\n\n## `--exit-code` is 2, or so\n\n## Same\n\n## Same\n\n## snake_case\n"
    )
    page = tmp_path / "page.md"
    good = [
        "#page",
        "other.md",
        "other.md#other",
        "other.md#--exit-code-is-2-or-so",
        "other.md#same",
        "other.md#same-1",
        "other.md#snake_case",
        "https://example.com/none#none",
        "mailto:none@example.com",
    ]
    bad = [
        "#other",
        "#Page",
        "none.md",
        "other.md#none",
        "other.md#same-2",
        "other.md#--exit-code-is-2,-or-so",
        "../../../../../../../../../../../../etc/hosts",
    ]
    links = "\n".join(f"- [link]({link})" for link in [*good, *bad])
    code = "`[code](is-no-link.md)`\n\n```\n[nor](this.md)\n```\n"
    page.write_text(f"# Page\n\n{links}\n\n![picture](picture.png)\n\n{code}")

    assert broken_links(page, tmp_path) == [*bad, "picture.png"]
