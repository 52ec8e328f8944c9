"""Which stack the Pulumi CLI chooses for a folder where none is named."""

import contextlib
import hashlib
import json
import os
from pathlib import Path

DEFAULT_STACK = "dev"


def selected_stack(folder: Path) -> str:
    """The stack that `PULUMI_STACK` names, else the one that `pulumi stack select` chose for a folder, else `dev`.

    https://github.com/pulumi/pulumi/blob/master/sdk/go/common/workspace/workspace.go says where the CLI keeps it.
    """
    if name := os.environ.get("PULUMI_STACK"):
        return name
    with contextlib.suppress(KeyError, OSError):  # like Go, the CLI takes the shell's name for a folder behind a link
        folder = Path(os.environ["PWD"]) if Path(os.environ["PWD"]).samefile(folder) else folder
    home = Path(os.environ.get("PULUMI_HOME") or Path.home() / ".pulumi")
    digest = hashlib.sha1(str(folder / "Pulumi.yaml").encode(), usedforsecurity=False).hexdigest()
    with contextlib.suppress(AttributeError, OSError, ValueError):
        for settings in home.glob(f"workspaces/*-{digest}-workspace.json"):
            selected = json.loads(settings.read_text(encoding="utf-8"))
            stacks = selected.get("stacks") or {"": selected.get("stack")}  # by backend; once there was one alone
            stack = next(iter(stacks.values())) if len(stacks) == 1 else stacks.get(_backend(home))
            return str(stack or DEFAULT_STACK)
    return DEFAULT_STACK


def _backend(home: Path) -> str:
    """The address of the backend that is logged in to."""
    if address := os.environ.get("PULUMI_BACKEND_URL"):
        return address
    return json.loads((home / "credentials.json").read_text(encoding="utf-8")).get("current", "")
