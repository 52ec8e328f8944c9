"""What changes beside two previews, as values and in words."""

from typing import Any

import pytest

from private_pypi.cli.stack_files import Stack
from private_pypi.cli.unseen import (
    File,
    FileChange,
    Setting,
    Unseen,
    changed_files,
    changed_settings,
    describe,
    is_elsewhere,
)


def stack(config: dict[str, str] | None = None, **settings: Any) -> Stack:
    return Stack(
        name="dev",
        project="private-pypi",
        config=config or {},
        secret_keys=(),
        main=".",
        has_environments="environment" in settings,
        file="Pulumi.dev.yaml",
        settings={name.replace("__", ":"): value for name, value in settings.items()},
    )


@pytest.mark.parametrize(
    ("base", "head", "change"),
    [
        ({}, {"environment": ["a"]}, "added"),
        ({"environment": ["a"]}, {}, "removed"),
        ({"environment": ["a"]}, {"environment": ["a", "b"]}, "changed"),
        ({"environment": {"values": {"a": 1}}}, {"environment": {"values": {"a": True}}}, "changed"),
        ({"secretsprovider": "passphrase"}, {"secretsprovider": "awskms://alias/key"}, "changed"),
        ({"encryptedkey": "a"}, {"encryptedkey": "b"}, "changed"),
        ({"encryptionsalt": "a"}, {}, "removed"),
        ({}, {"heard of by nobody": 1}, "added"),
        ({"aws__allowedAccountIds": ["1"]}, {"aws__allowedAccountIds": ["1", "2"]}, "changed"),
        ({}, {"aws__profile": "admin"}, "added"),
        ({"aws__assumeRoles": [{"roleArn": "a"}]}, {}, "removed"),
        ({}, {"aws__defaultTags": {"tags": {"team": "a"}}}, "added"),
        ({"acme__any": "a"}, {"acme__any": "b"}, "changed"),
    ],
)
def test_what_else_a_stack_file_says_needs_approval(base: dict[str, Any], head: dict[str, Any], change: str) -> None:
    (changed,) = changed_settings(stack(**base), stack(**head))

    (name,) = {*base, *head}
    assert changed == Setting(name=name.replace("__", ":"), change=change, needs_approval=True)  # pyright: ignore[reportArgumentType]
    assert Unseen(settings=(changed,)).needs_approval


@pytest.mark.parametrize("name", ["maxRetries", "retryMode", "tokenBucketRateLimiterCapacity"])
def test_how_often_aws_is_asked_needs_no_approval(name: str) -> None:
    settings = changed_settings(stack(), stack({}, **{f"aws__{name}": "1"}))

    assert settings == (Setting(name=f"aws:{name}", change="added", needs_approval=False),)
    assert not Unseen(settings=settings).needs_approval


def test_what_is_the_same_is_no_change() -> None:
    same = {"environment": ["a"], "aws__profile": "a", "other": {"a": [1, None]}}

    assert changed_settings(stack({"a": "b"}, **same), stack({"a": "b"}, **same)) == ()


def test_an_environment_that_stays_may_set_what_the_config_sets_no_longer() -> None:
    base = stack({"private-pypi:protect": "true"}, environment=["a"])

    kept = Setting(name="environment", change="kept", needs_approval=True)
    assert changed_settings(base, stack(environment=["a"])) == (kept,)


def test_of_a_new_stack_everything_is_new_and_of_one_that_is_gone_nothing_is_said() -> None:
    new = Setting(name="aws:region", change="added", needs_approval=True)

    assert changed_settings(None, stack(aws__region="us-west-2")) == (new,)
    assert changed_settings(stack(aws__region="us-west-2"), None) == ()
    assert changed_settings(None, None) == ()


A, B = File("file", "a"), File("file", "b")
LINK, SUBMODULE = File("link", "there"), File("other", "")


@pytest.mark.parametrize("path", ["__main__.py", "Pulumi.yaml", "requirements.txt", "a/Pulumi.dev.yaml", "md", ".md"])
@pytest.mark.parametrize(
    ("before", "after", "change"), [(None, A, "added"), (A, None, "removed"), (A, B, "changed"), (A, LINK, "changed")]
)
def test_every_file_may_be_part_of_the_program(path: str, before: File | None, after: File | None, change: str) -> None:
    found = changed_files({path: before} if before else {}, {path: after} if after else {}, ignored=[], folder=".")

    assert found == (FileChange(path=path, change=change),)  # pyright: ignore[reportArgumentType]
    assert Unseen(files=found).needs_approval


@pytest.mark.parametrize("path", ["Pulumi.prod.yaml", "README.md", "docs/a b.md"])
def test_stack_files_and_pages_are_no_part_of_it(path: str) -> None:
    assert changed_files({path: A}, {path: B}, ignored=[], folder=".") == ()
    assert changed_files({}, {path: B}, ignored=[], folder=".") == ()


@pytest.mark.parametrize("path", ["Pulumi.prod.yaml", "README.md"])
def test_as_links_they_are(path: str) -> None:
    for before, after in ((LINK, A), (A, LINK)):
        assert changed_files({path: before}, {path: after}, ignored=[], folder=".") == (
            FileChange(path=path, change="changed"),
        )


def test_stack_files_are_in_one_folder() -> None:
    assert changed_files({}, {"stacks/Pulumi.dev.yaml": A}, ignored=[], folder="stacks") == ()
    assert changed_files({}, {"Pulumi.dev.yaml": A}, ignored=[], folder="stacks")


@pytest.mark.parametrize("file", [SUBMODULE, File("link", "/etc/passwd"), File("link", "../x")])
def test_what_is_elsewhere_is_unknown_even_where_it_stays(file: File) -> None:
    for before, after in (({"a": file}, {"a": file}), ({"a": file}, {}), ({"a": A}, {"a": file})):
        assert changed_files(before, after, ignored=[], folder=".") == (FileChange(path="a", change="unknown"),)


@pytest.mark.parametrize(
    ("path", "target", "elsewhere"),
    [
        ("a", "b", False),
        ("a", "./b/c", False),
        ("a/b/c", "../../d", False),
        ("a/b/c", "../..", False),
        ("a", "..", True),
        ("a/b/c", "../../../d", True),
        ("a", "/b", True),
        ("a/b", "c/../d", True),  # c may be a link
        ("a/b", "./../../d", True),
    ],
)
def test_a_link_may_lead_out_of_the_folder(path: str, target: str, *, elsewhere: bool) -> None:
    assert is_elsewhere(path, File("link", target)) is elsewhere


def test_a_name_that_cannot_be_printed_is_escaped() -> None:
    path = "a\x1b[2J\n\udcff.py"

    (changed,) = changed_files({}, {path: A}, ignored=[], folder=".")
    assert changed.path == r"'a\x1b[2J\n\udcff.py'"
    (setting,) = changed_settings(stack(), stack({}, **{"a\x1b[2J": 1}))
    assert setting.name == r"'a\x1b[2J'"
    (ignored,) = changed_files({}, {}, ignored=[path], folder=".")
    assert ignored == FileChange(path=changed.path, change="ignored")


def test_a_mistake_of_the_base_needs_approval_and_files_elsewhere_do_not() -> None:
    assert Unseen(base_mistakes="a mistake").needs_approval
    assert not Unseen(elsewhere=1).needs_approval


def test_it_is_said_in_words() -> None:
    unseen = Unseen(
        base_mistakes="2 mistakes\n  one\n\x1b[2J",
        settings=(
            Setting(name="environment", change="added", needs_approval=True),
            Setting(name="environment", change="kept", needs_approval=True),
            Setting(name="encryptionsalt", change="changed", needs_approval=True),
            Setting(name="aws:profile", change="removed", needs_approval=True),
            Setting(name="aws:retryMode", change="changed", needs_approval=False),
            Setting(name="acme:any", change="changed", needs_approval=True),
            Setting(name="other", change="added", needs_approval=True),
        ),
        files=(
            FileChange(path="a.py", change="changed"),
            FileChange(path="b.py", change="added"),
            FileChange(path="c.py", change="removed"),
            FileChange(path="sub", change="unknown"),
            FileChange(path="build/", change="ignored"),
        ),
        elsewhere=1234,
    )

    assert describe(unseen, lambda text: f"<{text}>") == [
        (
            "The base has mistakes",
            [
                (
                    "There is no preview of it to compare with. What the head is, is shown whole, as of a new stack.",
                    ("<2 mistakes>", "<  one>", r"<'\x1b[2J'>"),
                )
            ],
        ),
        (
            "What else changes in the stack file",
            [
                (
                    (
                        "<environment> is added: Pulumi ESC environments may set every key of the config. "
                        "What they set is not compared."
                    ),
                    (),
                ),
                (
                    (
                        "<environment> stays, and may set what this config sets no longer: Pulumi ESC environments may "
                        "set every key of the config. What they set is not compared."
                    ),
                    (),
                ),
                ("<encryptionsalt> changes: the stack's secrets are encrypted with it.", ()),
                (
                    (
                        "<aws:profile> is removed: where the stack is deployed, by whom, and what its tags allow may "
                        "depend on it."
                    ),
                    (),
                ),
                ("<aws:retryMode> changes, and nobody's access.", ()),
                ("<acme:any> changes: the program may depend on it.", ()),
                ("<other> is added: what Pulumi does with it is not known here.", ()),
            ],
        ),
        (
            "What else changes in the repository",
            [
                ("the program changes: 3 files", ("<a.py>", "<b.py> (new)", "<c.py> (gone)")),
                (
                    "submodules, and links that may lead out of the project's folder, are not compared: 1 file",
                    ("<sub>",),
                ),
                ("the program may import what git ignores: 1 file", ("<build/>",)),
                ("outside of the project's folder, where nothing is compared: 1,234 files", ()),
            ],
        ),
    ]
    assert describe(Unseen(), str) == []


def test_of_many_files_some_are_named() -> None:
    files = tuple(FileChange(path=f"{number:04}.py", change="changed") for number in range(1022))

    ((_, [(text, names)]),) = describe(Unseen(files=files), str)
    assert text == "the program changes: 1,022 files"
    assert names[0] == "0000.py"
    assert names[-2:] == ("0019.py", "and 1,002 more")
