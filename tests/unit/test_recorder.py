"""A program run without the engine: what it is asked, and what it answers."""

import dataclasses
import gc
import io
import json
import sys
from pathlib import Path
from typing import Any

import pytest
from mocks import ROOT

from private_pypi.cli import recorder
from private_pypi.cli.errors import MistakesError
from private_pypi.cli.program import Program, record

PROGRAM = Program(
    path=str(ROOT / "__main__.py"),
    project="private-pypi",
    stack="dev",
    config={"private-pypi:domain": "acme", "private-pypi:readers": '["o-a1b2c3d4e5"]'},
    account="111122223333",
    region="us-west-2",
    partition="aws",
)
# Of a provider's own classes each takes a while to import.
THING = 'Thing = lambda name, opts=None, **inputs: pulumi.CustomResource("other:index:Thing", name, inputs, opts)\n'
URN = "urn:pulumi:dev::private-pypi"


def written(folder: Path, text: str, **more: Any) -> Program:
    """A program of its own, with Pulumi at hand."""
    path = folder / "__main__.py"
    path.write_text(f"import pulumi\nimport pulumi_aws as aws\n{THING}{text}")
    return dataclasses.replace(PROGRAM, path=str(path), **more)


def answer(program: Program, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> object:
    monkeypatch.setattr(sys, "stdin", io.StringIO(json.dumps(dataclasses.asdict(program))))
    recorder.main()
    return json.loads(capsys.readouterr().out)


def test_by_itself_it_answers_what_the_program_registers(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = json.loads(json.dumps(recorder.record(dataclasses.asdict(PROGRAM))))

    assert answer(PROGRAM, monkeypatch, capsys) == expected
    assert [each["name"] for each in expected["resources"]][:2] == ["private-pypi", "private-pypi-domain"]


def test_of_a_refused_config_the_answer_is_the_message(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    refused = dataclasses.replace(PROGRAM, config={})

    assert "private-pypi:domain: got nothing\n" in str(answer(refused, monkeypatch, capsys))


def test_modules_beside_the_program_are_its_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "beside_the_program.py").write_text("NAME = 'of the program'\n")
    text = "from beside_the_program import NAME\npulumi.export('name', NAME)\nprint('hello')\n"

    answered = answer(written(tmp_path, text), monkeypatch, capsys)
    assert answered == {"resources": [], "exports": {"name": "of the program"}, "secret_exports": {}, "warnings": []}


def test_what_it_runs_may_print(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    record(written(tmp_path, "import subprocess\nsubprocess.run(['echo', 'hello'], check=True)\nprint('world')\n"))

    assert capfd.readouterr() == ("", "hello\nworld\n")


@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")  # beside threads, which end soon
def test_what_it_forks_may_end(tmp_path: Path) -> None:
    text = "import os\nif not (child := os.fork()):\n    os._exit(7)\n_, status = os.waitpid(child, 0)\n"

    assert exports(tmp_path, f"{text}pulumi.export('status', status >> 8)\n") == {"status": 7}


def exports(folder: Path, text: str, **more: Any) -> Any:
    return record(written(folder, text, **more)).exports


def test_a_program_runs_in_its_own_folder(tmp_path: Path) -> None:
    text = "import os, sys\npulumi.export('at', [os.getcwd(), sys.argv, sys.path[0]])\n"

    assert exports(tmp_path, text) == {"at": [str(tmp_path), [str(tmp_path / "__main__.py")], str(tmp_path)]}


def test_an_answer_that_is_not_known_is_unknown(tmp_path: Path) -> None:
    """Whatever a program makes of it, and whether it waits for it or not."""
    text = """\
zones = aws.get_availability_zones()
other = pulumi.runtime.invoke("other:index:thing", {}).value
pulumi.export("later", aws.get_availability_zones_output().names)
pulumi.export("text", zones.id)
pulumi.export("part", f"zone-{zones.names[0]}")
pulumi.export("none", zones.all_availability_zones)  # neither text nor a list of texts: there is nothing
pulumi.export("other", [other["x"], other.get("y")])
pulumi.export("resource", Thing("thing", zone=zones.names[0]).urn)
Thing("other", zone=zones.names[0])
pulumi.export("account", aws.get_caller_identity().account_id)
"""
    assert exports(tmp_path, text) == {
        "later": None,
        "text": None,
        "part": None,
        "other": [None, None],
        "resource": f"{URN}::other:index:Thing::thing",
        "account": "111122223333",
    }


def test_a_provider_of_the_programs_own_says_where_it_is(tmp_path: Path) -> None:
    text = """\
there = aws.Provider("there", region="eu-west-1", allowed_account_ids=["444455556666"])
elsewhere = aws.Provider("elsewhere", profile="deploy")
for provider in (there, elsewhere):
    opts = pulumi.InvokeOptions(provider=provider)
    place = aws.get_caller_identity(opts=opts).account_id, aws.get_region(opts=opts).region
    pulumi.export(provider._name, place)
    aws.codeartifact.Domain(f"domain-{provider._name}", domain="acme", opts=pulumi.ResourceOptions(provider=provider))
"""
    recording = record(written(tmp_path, text))

    assert recording.exports == {
        "there": ["444455556666", "eu-west-1"],
        "elsewhere": ["111122223333", "us-west-2"],
    }
    assert {each.name: each.account for each in recording.resources if "domain" in each.name} == {
        "domain-there": "444455556666",
        "domain-elsewhere": "111122223333",
    }


def test_an_exported_resource_is_its_urn(tmp_path: Path) -> None:
    text = "pulumi.export('bucket', Thing('b'))\npulumi.export('n', 1)\n"

    assert exports(tmp_path, text) == {"bucket": f"{URN}::other:index:Thing::b", "n": 1}


SECRETS = """\
secret = pulumi.Config("other").require_secret("token")
pulumi.export("secret", [pulumi.Output.secret("hunter2"), "plain"])
pulumi.export("token", secret)
Thing("b", bucket=secret, tags={"a": "b"})
"""


def test_other_values_are_what_json_holds(tmp_path: Path) -> None:
    text = """\
Thing("a", file=pulumi.StringAsset("text"), other=Thing("b"))
"""
    a, b = record(written(tmp_path, text)).resources

    assert a.inputs == {"file": {"text": "text"}, "other": b.urn}


def test_secrets_are_hidden_and_equal_where_they_are(tmp_path: Path) -> None:
    config = {"config": {"other:token": "[secret]"}, "secret_keys": ("other:token",)}
    before, same = (record(written(tmp_path, SECRETS, salt="0a", **config)) for _ in range(2))
    other = record(written(tmp_path, SECRETS.replace("hunter2", "hunter3"), salt="0a", **config))
    salted = record(written(tmp_path, SECRETS, salt="0b", **config))

    assert "hunter2" not in str(before)
    assert before.exports == {"secret": ["[secret]", "plain"], "token": "[secret]"}
    (bucket,) = before.resources
    assert bucket.inputs == {"bucket": "[secret]", "tags": {"a": "b"}}
    assert bucket.secrets.keys() == {"bucket"}
    assert before == same
    assert before.secret_exports["token"] == other.secret_exports["token"]
    assert before.secret_exports["secret"] not in {other.secret_exports["secret"], salted.secret_exports["secret"]}


def test_what_a_program_says_to_be_secret_is_hidden_where_it_goes(tmp_path: Path) -> None:
    options = "pulumi.ResourceOptions(additional_secret_outputs=['domain', 'none'])"
    text = f"thing = aws.codeartifact.Domain('thing', domain='hunter2', opts={options})\n"
    recording = record(written(tmp_path, f"{text}pulumi.export('name', thing.domain)\n"))

    assert recording.resources[0].inputs == {"domain": "[secret]"}
    assert recording.exports == {"name": "[secret]"}
    assert [*recording.resources[0].secrets, *recording.secret_exports] == ["domain", "name"]


def test_what_fails_is_said_once(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    circle = (
        "p = Thing('p')\nThing('c', pulumi.ResourceOptions(parent=p, depends_on=[p]), a=p.urn.apply(lambda u: 1 / 0))"
    )
    error_of(tmp_path, circle)
    transforms = "Thing('a', pulumi.ResourceOptions(transforms=[lambda args: None]))"
    assert error_of(tmp_path, transforms).startswith("what the engine would call is not run here, ")
    gc.collect()

    assert capfd.readouterr() == ("", "")


def test_resources_are_named_as_the_engine_names_them(tmp_path: Path) -> None:
    text = """\
class Part(pulumi.ComponentResource):
    def __init__(self, kind, name, opts=None):
        super().__init__(f"example:index:{kind}", name, {}, opts)

outer = Part("Outer", "outer")
inner = Part("Inner", "inner", pulumi.ResourceOptions(parent=outer))
for parent in (outer, inner):
    Thing("same", opts=pulumi.ResourceOptions(parent=parent))
"""
    resources = record(written(tmp_path, text)).resources

    assert [(each.urn.removeprefix(f"{URN}::"), each.custom) for each in resources] == [
        ("example:index:Outer$example:index:Inner::inner", False),
        ("example:index:Outer::outer", False),
        ("example:index:Outer$example:index:Inner$other:index:Thing::same", True),
        ("example:index:Outer$other:index:Thing::same", True),
    ]
    assert resources[3].parent == f"{URN}::example:index:Outer::outer"
    assert resources[1].parent is None


def error_of(folder: Path, text: str) -> str:
    with pytest.raises(MistakesError) as error:
        record(written(folder, text))
    return str(error.value)


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("raise ValueError('one\\n  two')", "__main__.py:4: ValueError: one; two"),
        ("raise KeyError", "__main__.py:4: KeyError"),
        ("import sys\nsys.exit(3)", "__main__.py:5: the program ends itself with 3"),
        ("x = (", "__main__.py:4: SyntaxError: '(' was never closed"),
        ("import helper\nhelper.fail()", "helper.py:2: ZeroDivisionError: division by zero"),
        (
            "pulumi.Output.from_input(1).apply(lambda x: x / 0)\n",
            "__main__.py:4: ZeroDivisionError: division by zero",
        ),
        ("raise pulumi.RunError('one\\n  two')", "one\n  two"),
        ("pulumi.log.error('It fails.')", "It fails."),
        ("import os\nos._exit(0)", "__main__.py:5: the program ends itself with 0"),
        ("import asyncio\nraise asyncio.CancelledError('No.')", "__main__.py:5: CancelledError: No."),
        (
            "Thing('b')\nThing('b')",
            f"two resources have the URN {URN}::other:index:Thing::b: give one another name",
        ),
        (
            "from private_pypi import PrivatePypiArgs\nPrivatePypiArgs(domain='acme', domain_owner='111122223333')",
            (
                "__main__.py:5: domain_owner: got '111122223333' for a new domain; "
                "expected: the owner of an existing domain; fix: take it out, or set existingDomain to true"
            ),
        ),
    ],
)
def test_an_error_is_one_line_that_says_where(tmp_path: Path, text: str, error: str) -> None:
    (tmp_path / "helper.py").write_text("def fail():\n    1 / 0\n")

    assert error_of(tmp_path, text) == error


def test_the_place_is_the_programs_and_not_that_of_our_own_modules_beside_it(tmp_path: Path) -> None:
    (tmp_path / "private_pypi").mkdir()
    (tmp_path / "private_pypi/part.py").write_text("raise ValueError('No.')")

    assert (
        error_of(tmp_path, "import runpy\nrunpy.run_path('private_pypi/part.py')") == "__main__.py:5: ValueError: No."
    )


def test_an_error_without_a_place_is_one_line_too(tmp_path: Path) -> None:
    """The SDK finds it when the program is at its end."""
    error = error_of(tmp_path, "Thing('a', value=object())")

    assert error.startswith("ValueError: While processing resource: 'a', type: 'other:index:Thing'; ")
    assert "\n" not in error


def test_a_program_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(MistakesError, match=r"^there is no program at __main__\.py$"):
        record(dataclasses.replace(PROGRAM, path=str(tmp_path / "__main__.py")))
