"""Write anew what `private-pypi` writes: examples/own-repository/, as installed from a git URL, and the schema."""

import shutil
from pathlib import Path

from private_pypi.cli.new import Requirement, new, requirement_of
from private_pypi.cli.schema import schema_text

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples/own-repository"
SCHEMA = ROOT / "schema/pulumi-stack.schema.json"
COMMIT = "4f1c2ab90d3e5b6a7c8d9e0f1a2b3c4d5e6f7a8b"
REQUIREMENT: Requirement = requirement_of(
    "0.1.0",
    {"url": "https://github.com/acme/private-pypi", "vcs_info": {"vcs": "git", "commit_id": COMMIT}},
)


def write(folder: Path) -> None:
    """Write it into a folder."""
    new(folder, domain="example", account="111122223333", region="us-west-2", requirement=REQUIREMENT)


if __name__ == "__main__":
    shutil.rmtree(EXAMPLE, ignore_errors=True)
    write(EXAMPLE)
    SCHEMA.write_text(schema_text())
