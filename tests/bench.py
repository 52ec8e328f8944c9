"""How long the offline preview takes, next to the imports that no preview can do without."""

import os
import statistics
import subprocess
import sys
import time
from pathlib import Path

ROUNDS = 20
PREVIEW = [str(Path(sys.executable).with_name("private-pypi")), "preview", "--json"]
IMPORTS = [sys.executable, "-c", "import pulumi, pulumi_aws.codeartifact"]


def seconds(command: list[str]) -> float:
    start = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - start


os.chdir(Path(__file__).parent.parent)
# In turns, so that whatever else the machine does is in both.
rounds = [(seconds(PREVIEW), seconds(IMPORTS)) for _ in range(ROUNDS)]
preview, imports = (statistics.median(column) for column in zip(*rounds, strict=True))
print(f"private-pypi preview --json: {preview / imports:.2f} times `import pulumi, pulumi_aws.codeartifact`")
