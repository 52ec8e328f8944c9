"""The offline preview of the dev stack, next to the same stack as an AWS CDK app that is synthesized."""

import importlib.util
import json
import shutil
import sys
import tempfile
from pathlib import Path

from bench.measure import Command, in_turn, output
from bench.report import Row, usage_rows
from bench.stacks import dev, flat, preview

ROUNDS = 5


def why_left_out() -> str | None:
    """What is missing, if anything."""
    if not shutil.which("node"):
        return "there is no Node"
    if not importlib.util.find_spec("aws_cdk"):
        return "the AWS CDK is not installed: run `make bench-cdk`"
    return None


def measure(rounds: int) -> list[Row]:
    """Time and memory against the app."""
    with tempfile.TemporaryDirectory() as folder:
        app = [sys.executable, "bench/cdk/app.py", json.dumps(dev()), folder]
        used = in_turn({"preview": preview("dev"), "app": Command(arguments=app)}, rounds)
        template = json.loads(Path(folder, "private-pypi.template.json").read_text())
    of_app = [each["Properties"]["PermissionsPolicyDocument"] for each in template["Resources"].values()]
    made = [each["inputs"] for each in json.loads(output(flat(dev())))["resources"]]
    of_flat = [json.loads(inputs["policyDocument"]) for inputs in made if "policyDocument" in inputs]
    if of_app != of_flat:
        raise RuntimeError("the AWS CDK app has other policies than the flat program")
    return usage_rows("preview against the AWS CDK app", used["preview"], used["app"], wanted=(0.12, 0.09, 0.12))
