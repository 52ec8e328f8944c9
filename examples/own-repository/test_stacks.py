"""What has to hold in every stack, whoever edits its file: `.venv/bin/python -m unittest`.

`private-pypi preview` runs the program on Pulumi's mocks: this needs neither AWS nor the Pulumi CLI.
"""

import json
import shutil
import subprocess
import sysconfig
import unittest
from pathlib import Path
from typing import Any

FOLDER = Path(__file__).parent
STACKS = sorted(path.name.removeprefix("Pulumi.").removesuffix(".yaml") for path in FOLDER.glob("Pulumi.*.yaml"))
TO_TRY_THINGS_IN = {"dev"}


def preview(stack: str) -> dict[str, Any]:
    """What the stack would be."""
    command = shutil.which("private-pypi", path=sysconfig.get_path("scripts")) or "private-pypi"
    finished = subprocess.run([command, "preview", stack, "--json"], cwd=FOLDER, check=True, stdout=subprocess.PIPE)
    return json.loads(finished.stdout)


class StacksTest(unittest.TestCase):
    """Each test goes through all stacks. Add what your team has agreed on."""

    def test_packages_are_protected(self) -> None:
        """But in stacks to try things in."""
        for stack in {*STACKS} - TO_TRY_THINGS_IN:
            for component in preview(stack)["components"]:
                with self.subTest(stack):
                    self.assertTrue(component["safeguards"]["protect"])

    def test_only_roles_publish(self) -> None:
        """No user, who has keys that last, and no whole account."""
        for stack in STACKS:
            for component in preview(stack)["components"]:
                publishers = [each["principal"] for each in component["access"] if each["publish"]]
                with self.subTest(stack):
                    self.assertEqual([each for each in publishers if ":role/" not in each], [])

    def test_all_of_the_policies_is_understood(self) -> None:
        """What `private-pypi` does not understand might let anybody in."""
        for stack in STACKS:
            for component in preview(stack)["components"]:
                with self.subTest(stack):
                    self.assertEqual(component["not_understood"], [])


if __name__ == "__main__":
    unittest.main()
