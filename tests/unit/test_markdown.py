"""The preview as a comment on a pull request, read back by a library that renders CommonMark."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token
from mocks import ROOT

from private_pypi.arns import Arns
from private_pypi.cli.compare import (
    AccessChange,
    AlsoAllowed,
    ComponentDifference,
    Difference,
    Edit,
    Effect,
    Safeguard,
    Uncompared,
)
from private_pypi.cli.components import Component, Denial, NotUnderstood, Safeguards
from private_pypi.cli.main import main
from private_pypi.cli.markdown import (
    MAX_CHARACTERS,
    code,
    fenced,
    render_difference_markdown,
    render_markdown,
    table,
)
from private_pypi.cli.preview import Preview
from private_pypi.cli.program import Resource
from private_pypi.cli.words import plain
from private_pypi.iam import Access, Policy

MARKDOWN = MarkdownIt("commonmark").enable("table")
HOSTILE = st.text(st.sampled_from("`|\\*_[]()<>#@!&\n\r\t :/-~$x1")) | st.text()


def tokens(text: str) -> Iterator[Token]:
    for token in MARKDOWN.parse(text):
        yield token
        yield from token.children or []


def cells(text: str) -> list[list[Token]]:
    """What is in each cell of the tables of a text."""
    parsed = MARKDOWN.parse(text)
    places = [place for place, token in enumerate(parsed) if token.type in {"th_open", "td_open"}]
    return [parsed[place + 1].children or [] for place in places]


def one_line(text: str) -> str:
    return " ".join(text.split())


@given(HOSTILE)
def test_what_is_in_code_is_only_that(text: str) -> None:
    (paragraph,) = [token for token in MARKDOWN.parse(f"a {code(text)} z") if token.type == "inline"]

    assert [child.type for child in paragraph.children or []] == ["text", "code_inline", "text"]
    assert (paragraph.children or [])[1].content.strip() == plain(one_line(text)).strip()


@given(HOSTILE)
def test_what_is_fenced_stays_in_its_fence(text: str) -> None:
    parsed = MARKDOWN.parse(f"{fenced(text, 'text')}\n\nafter")

    assert [token.type for token in parsed] == ["fence", "paragraph_open", "inline", "paragraph_close"]
    assert parsed[0].info == "text"


@given(st.lists(st.tuples(HOSTILE, HOSTILE), min_size=1, max_size=4))
def test_a_cell_is_one_cell_whatever_is_in_it(rows: list[tuple[str, str]]) -> None:
    found = cells(table([("one", "two"), *rows]))

    assert len(found) == 2 * len(rows) + 2
    for text, cell in zip([text for row in rows for text in row], found[2:], strict=True):
        assert [token.type for token in cell] == (["code_inline"] if text else [])
        assert [token.content.strip() for token in cell] == ([plain(one_line(text)).strip()] if text else [])


ARNS = Arns(
    partition="aws", region="us-west-2", owner="111122223333", domain_name="acme", repository_name="private-pypi"
)


def resource(name: str, type_: str, parent: str | None = None, **inputs: object) -> Resource:
    return Resource(
        urn=name, type=type_, name=name, parent=parent, inputs=inputs, protect=False, account="111122223333"
    )


def preview(
    *access: Access,
    document: str = '{"Statement":[]}',
    warnings: tuple[str, ...] = (),
    internal_packages: tuple[str, ...] = ("acme", "acme-*"),
    outputs: dict[str, object] | None = None,
    resources: tuple[Resource, ...] | None = None,
    hostile: str = "",
) -> Preview:
    """A private PyPI; with `hostile` text in whatever it can be in."""
    parts = resources or (
        resource("pypi", "private-pypi:index:PrivatePypi"),
        resource("policy", "aws:x/y:Policy", "pypi", policyDocument=document),
    )
    of_component = {"reader_policy": '{"Statement":[]}', **(outputs or {})}
    component = Component(
        urn="pypi",
        name=hostile or "pypi",
        account="111122223333",
        arns=ARNS,
        access=access,
        safeguards=Safeguards(protect=True, closed_publishing=False, internal_packages=internal_packages),
        denials=(Denial(where=hostile, actions=(hostile,), resources=(hostile,), principals=(hostile,), exempts=False),)
        if hostile
        else (),
        not_understood=(NotUnderstood(where=hostile, why=hostile, text=hostile),) if hostile else (),
        outputs=of_component,
        resources=parts[1:],
        domain=Policy(),
        repository=Policy(),
    )
    return Preview(
        components=(component, component) if hostile else (component,),
        resources=parts,
        outputs={"index_url": None, "domain_name": "acme"} | of_component,
        secret_outputs={},
        warnings=warnings,
    )


SOMEBODY = Access(principal="arn:aws:iam::111122223333:role/ci", install=True, publish=("acme-core", "acme-*"))


def test_who_gets_in_comes_first_and_the_policies_are_folded_away() -> None:
    assert render_markdown(preview(SOMEBODY, warnings=("Mind this.",)), ["Stack dev."]) == (
        "```text\n"
        "Stack dev.\n"
        "```\n"
        "\n"
        "```text\n"
        "Warning: Mind this.\n"
        "```\n"
        "\n"
        "## Who gets in\n"
        "\n"
        "| principal | install | publish |\n"
        "| --- | --- | --- |\n"
        "| `arn:aws:iam::111122223333:role/ci` | `yes` | `acme-core, acme-*` |\n"
        "\n"
        "Packages are protected: nobody may delete them, whatever their own IAM policies say.\n"
        "\n"
        "Never from public PyPI: `acme`, `acme-*`\n"
        "\n"
        "### What is made\n"
        "\n"
        "```mermaid\n"
        "flowchart LR\n"
        '    r0["PrivatePypi<br>pypi"]\n'
        '    r1["Policy<br>policy"]\n'
        "    r0 --> r1\n"
        "```\n"
        "\n"
        "### Outputs\n"
        "\n"
        "| output | value |\n"
        "| --- | --- |\n"
        "| `index_url` | `known after pulumi up` |\n"
        "| `domain_name` | `acme` |\n"
        "\n"
        "<details><summary><code>Policy policy: 16 of 7,168 characters</code></summary>\n"
        "\n"
        "```json\n"
        "{\n"
        '  "Statement": []\n'
        "}\n"
        "```\n"
        "\n"
        "</details>\n"
        "\n"
        "<details><summary><code>Identity policy reader_policy: 16 of 6,144 characters</code></summary>\n"
        "\n"
        "```json\n"
        "{\n"
        '  "Statement": []\n'
        "}\n"
        "```\n"
        "\n"
        "</details>"
    )


def test_nobody_has_no_table() -> None:
    text = render_markdown(preview(), ["Stack dev."])

    assert "\n\nNobody: there are no readers and no publishers\n\n" in text
    assert "| principal |" not in text


def somebody(number: int) -> Access:
    return Access(principal=f"arn:aws:iam::111122223333:role/{number:0500}", install=True, publish=("*",))


@pytest.mark.parametrize(
    ("people", "size", "warning", "says"),
    [
        (1, 70_000, 1, "The policies are left out: with them the comment is too long."),
        (114, 1, 1320, "All else is left out: with it the comment is too long."),
        (200, 1, 1, "Rows are left out, and all else: the comment is too long. See them with `private-pypi preview`."),
    ],
)
def test_a_comment_is_never_longer_than_github_takes(people: int, size: int, warning: int, says: str) -> None:
    document = json.dumps({"Statement": "x" * size})
    access = [somebody(number) for number in range(people)]
    text = render_markdown(preview(*access, document=document, warnings=("w" * warning,)), ["Stack dev."])

    assert len(text) <= MAX_CHARACTERS
    assert says in text
    assert "<details>" not in text
    rows = [line for line in text.splitlines() if line.startswith("| `arn:")]
    assert all(line.endswith("| `yes` | `yes` |") for line in rows)
    assert len(rows) == people if people < 200 else 100 < len(rows) < 200
    assert ("| `domain_name` | `acme` |" in text) == (people == 1)


@given(HOSTILE, HOSTILE)
def test_nothing_in_a_config_makes_a_link_a_picture_or_another_line(principal: str, name: str) -> None:
    access = Access(principal=principal, install=True, publish=(name, name), workload=name)
    whole = preview(
        access,
        document=json.dumps({"Statement": name}),
        warnings=(principal,),
        internal_packages=(name,),
        outputs={"role_arns": {name: principal}},
        resources=(
            resource("pypi", "private-pypi:index:PrivatePypi"),
            resource("policy", "aws:x/y:Policy", "pypi", policyDocument=json.dumps({"Statement": name})),
            resource(f"{name}-other", f"aws:x/y:{name}", "pypi"),
        ),
        hostile=name or principal or "x",
    )
    text = render_markdown(whole, [principal])
    kinds = {token.type for token in tokens(text)}

    assert kinds <= {
        *("heading_open", "heading_close", "paragraph_open", "paragraph_close", "inline", "text", "code_inline"),
        *("fence", "html_block", "table_open", "table_close", "thead_open", "thead_close", "tbody_open"),
        *("tbody_close", "tr_open", "tr_close", "th_open", "th_close", "td_open", "td_close", "softbreak"),
        *("bullet_list_open", "bullet_list_close", "list_item_open", "list_item_close"),
    }
    assert sum(token.type == "heading_open" for token in tokens(text)) == 2 * 3 + 2
    (picture,) = [token.content for token in tokens(text) if token.type == "fence" and token.info == "mermaid"]
    assert len(picture.splitlines()) == 6
    assert all(re.fullmatch(r'    r\d(\["[A-Za-z0-9#;<>-]*"\]| --> r\d)', line) for line in picture.splitlines()[1:])
    blocks = [token.content for token in tokens(text) if token.type == "html_block"]
    assert all(
        re.fullmatch(r"(<details><summary><code>[^<>]*</code></summary>|</details>)\n?", block) for block in blocks
    )


def test_the_command_prints_it(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("__main__.py", "Pulumi.yaml", "Pulumi.dev.yaml"):
        shutil.copy(ROOT / name, tmp_path)
    monkeypatch.chdir(tmp_path)

    assert main(["preview", "--markdown"]) == 0
    shown = capsys.readouterr().out
    assert shown.startswith("```text\nStack dev in account 111122223333, region us-west-2.")
    assert "\n\n## Who gets in\n\n" in shown
    assert [cell[0].content for cell in cells(shown)[3:9:3]] == [
        "arn:aws:iam::111122223333:role/github-actions/publish-packages",
        "arn:aws:iam::111122223333:role/glue/job-orchestrator",
    ]
    with pytest.raises(SystemExit):
        main(["preview", "--markdown", "--json"])


def gain(principal: str, **given: object) -> AccessChange:
    return AccessChange(**{"principal": principal, "workload": None, "right": "install"} | given)  # pyright: ignore[reportArgumentType]


def test_a_difference_is_titles_and_lists() -> None:
    also = AlsoAllowed(principal="o-a1b2c3d4e5", scope=("acme-core",))
    component = ComponentDifference(
        name="pypi",
        gains=(
            gain("arn:aws:iam::111122223333:role/ci-*"),
            gain("arn:aws:iam::111122223333:role/ci-*", right="publish", scope=("acme-*",), also_allowed=(also,)),
        ),
        effects=(Effect(what="public_upstream_added"),),
        uncompared=(Uncompared(change="new", where="policy", why="it has NotAction", text="{}"),),
    )

    assert render_difference_markdown(Difference(components=(component,)), "dev", ["Stack dev."]) == (
        "## `dev`: what changes\n"
        "\n"
        "```text\n"
        "Stack dev.\n"
        "```\n"
        "\n"
        "### What can be lost or misused\n"
        "\n"
        "- What the repository lacks comes from public PyPI.\n"
        "\n"
        "### Who gains\n"
        "\n"
        "- every role that begins with `arn:aws:iam::111122223333:role/ci-`\n"
        "  - install\n"
        "  - publish `acme-*` (already allowed: whoever is in the organization `o-a1b2c3d4e5` for `acme-core`)\n"
        "\n"
        "### Who loses\n"
        "\n"
        "- Nobody loses.\n"
        "\n"
        "### What could not be compared\n"
        "\n"
        "- new: `policy`, because `it has NotAction`\n"
        "  - `{}`"
    )


def test_no_difference_says_so() -> None:
    text = render_difference_markdown(Difference(), "dev", ["Stack dev."])

    assert text == "## `dev`: what changes\n\n```text\nStack dev.\n```\n\nNothing changes."


@given(HOSTILE, HOSTILE)
def test_nothing_in_a_difference_is_more_than_text(one: str, other: str) -> None:
    uncompared = (Uncompared(change="gone", where=one, why=other, text=one),)
    component = ComponentDifference(
        name=other,
        gains=(
            gain(f"arn:aws:iam::111122223333:role/{one}", workload=other, right="publish", scope=(one, other)),
            gain(f"arn:aws:iam::111122223333:role/{one}", right="other", scope=(one, other)),
        ),
        losses=(
            gain(
                f"o-{other}".replace(":root", ""),
                also_allowed=(AlsoAllowed(principal=f"o-{one}".replace(":root", ""), scope=()),),
            ),
        ),
        safeguards=(Safeguard(key="internalPackages", is_on=False, packages=(one, other)),),
        effects=(Effect(what="role_changed", values=(one, other)), Effect(what="denial_added", values=(one,) * 4)),
        edits=(Edit(name=one, what="changed", properties=(other,)),),
        uncompared=uncompared,
    )
    difference = Difference(components=(component, component), uncompared=uncompared, warnings=(other,))
    found = list(tokens(render_difference_markdown(difference, one, [other])))

    assert {token.type for token in found} <= {
        "bullet_list_close",
        "bullet_list_open",
        "code_inline",
        "fence",
        "heading_close",
        "heading_open",
        "inline",
        "list_item_close",
        "list_item_open",
        "paragraph_close",
        "paragraph_open",
        "text",
    }
    assert sum(token.type == "heading_open" for token in found) == 1 + 2 * 6 + 2


def test_a_long_difference_is_cut_at_a_line() -> None:
    gains = tuple(gain(f"arn:aws:iam::111122223333:role/{number:0500}") for number in range(200))
    difference = Difference(components=(ComponentDifference(name="pypi", gains=gains),))
    text = render_difference_markdown(difference, "dev", ["Stack dev."])

    assert MAX_CHARACTERS - 600 < len(text) <= MAX_CHARACTERS
    body, _, left_out = text.rpartition("\n\n")
    assert left_out == "Lines are left out: the comment is too long. See them with `private-pypi diff`."
    assert body.endswith(("  - install", "`"))
