"""Policy documents, as the provider compares and sends them."""

import json
import re
from typing import Any, cast

ROOT = re.compile(r"arn:[\w-]+:iam::(\d{12}):root")


def meaning(document: str) -> object:
    """What is equal for two documents that mean the same: order, and one for a list of one, have no meaning."""
    try:
        return _plain(json.loads(document))
    except ValueError:
        return document


def _plain(value: object) -> object:
    if isinstance(value, dict):
        return {name: _plain(each) for name, each in cast("dict[str, object]", value).items()}
    if isinstance(value, list):
        several = [_plain(each) for each in cast("list[object]", value)]
        return several[0] if len(several) == 1 else sorted(several, key=lambda each: json.dumps(each, sort_keys=True))
    # AWS writes an account as the ARN of its root.
    return ROOT.sub(r"\1", value) if isinstance(value, str) else value


def normalized(document: str) -> str:
    """The document as it is sent: minified, with its keys in order."""
    return json.dumps(json.loads(document), separators=(",", ":"), sort_keys=True, ensure_ascii=False)


def recorded(known: str | None, found: str | dict[str, Any]) -> str:
    """What the state holds of a document that was read: as it is known, while that means the same."""
    text = found if isinstance(found, str) else json.dumps(found)  # boto3 parses those of IAM
    return known if known and meaning(known) == meaning(text) else normalized(text)
