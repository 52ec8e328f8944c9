"""A check that passes every step, against a local AWS endpoint, next to the offline preview of the same stack.

It needs what the engine's part needs.
"""

import sys
import tempfile
from pathlib import Path

from bench.measure import Command, in_turn
from bench.parts.engine import why_left_out
from bench.report import Row, usage_rows
from bench.stacks import dev, preview

__all__ = ["ROUNDS", "measure", "why_left_out"]

ROUNDS = 15
READER = {
    "Effect": "Allow",
    "Action": ["codeartifact:*", "sts:GetServiceBearerToken"],
    "Resource": "*",
}


def measure(rounds: int) -> list[Row]:
    """Time and memory against the preview."""
    # Late, as in the engine's part.
    from tests.integration.engine import Emulator, Project  # noqa: PLC0415

    own = {key.removeprefix("private-pypi:"): value for key, value in dev().items() if key.startswith("private-")}
    with tempfile.TemporaryDirectory() as name:
        emulator = Emulator(Path(name))
        try:
            project = Project(Path(name), emulator)
            project.configure("dev", **own)
            project.up("dev")
            keys = emulator.assume_role("service/reader", READER)
            environment = {
                **project.environment,
                "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
                "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
                "AWS_SESSION_TOKEN": keys["SessionToken"],
            }
            command = [str(Path(sys.executable).with_name("private-pypi")), "check", "dev"]
            check = Command(arguments=command, folder=project.folder, environment=environment)
            used = in_turn({"check": check, "preview": preview("dev", project.folder)}, rounds)
        finally:
            emulator.stop()
    return usage_rows("check against the preview", used["check"], used["preview"], wanted=(2, 2.5, 2.5))
