"""docs/reference.md against what it describes: Pulumi.yaml and the component; and its example as it is printed."""

import json
import runpy
from pathlib import Path
from typing import Any

import yaml
from mocks import DOMAIN_PERMISSIONS, ROOT, main_program, run
from pages import blocks, table
from pulumi.runtime.rpc import UNKNOWN

from private_pypi import PrivatePypi
from private_pypi.state import DOMAIN_POLICY_OUTPUT, PROTECT_OUTPUT

EVERY_OUTPUT = {
    "private-pypi:domain": "acme",
    "private-pypi:existingDomain": "true",
    "private-pypi:publishers": '["444455556666", {"github": "acme/tools", "tag": "v*"}]',
}


def test_the_keys_have_the_types_the_defaults_and_the_descriptions_of_the_project_file() -> None:
    declared: dict[str, dict[str, Any]] = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
    types = {"[]": "list", "{}": "map"}
    keys: list[tuple[str, ...]] = []
    for key, each in declared.items():
        default = str(each.get("default", each.get("value")))
        default = default.lower() if each.get("type") == "boolean" else default
        keys.append((key, each.get("type") or types[default], default, each["description"]))

    assert table("reference.md", "Keys") == keys


def test_the_outputs_are_those_of_the_component_and_are_known_when_the_page_says() -> None:
    registered = run(main_program, EVERY_OUTPUT).component_outputs
    exports = run(main_program, EVERY_OUTPUT, preview=True).exports
    known = {True: "after pulumi up", False: "at the first preview"}
    outputs = [(name, known[exports[name] == UNKNOWN]) for name in PrivatePypi.__annotations__]

    assert [(name, when) for name, _, when in table("reference.md", "Outputs")] == outputs
    assert {name for name, _ in outputs} == registered.keys() - {DOMAIN_POLICY_OUTPUT, PROTECT_OUTPUT}


def test_the_example_is_a_program(tmp_path: Path) -> None:
    (example,) = blocks("reference.md", "python")
    (tmp_path / "__main__.py").write_text(example)

    def program() -> None:
        runpy.run_path(str(tmp_path))

    made = run(program)
    (statement,) = json.loads(made.of_type(DOMAIN_PERMISSIONS).inputs["policyDocument"])["Statement"]
    assert statement["Principal"] == {"AWS": ["arn:aws:iam::111122223333:role/service/api"]}
    assert set(made.resources) == {
        "packages",
        "packages-domain",
        "packages-domain-permissions",
        "packages-repository",
        "packages-repository-permissions",
    }
