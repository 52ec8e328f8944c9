"""What the pages print of configs and of the preview, as a user would copy it and see it."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from mocks import ROOT
from pages import DOCS, README, blocks

from private_pypi.cli.main import main

CONFIGS = [
    pytest.param(yaml.safe_load(block)["config"], id=page)
    for page in (README, *sorted(page.name for page in DOCS.glob("*.md")))
    for block in blocks(page, "yaml")
    if block.startswith("config:\n")
]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("__main__.py", "Pulumi.yaml", "Pulumi.dev.yaml"):
        (tmp_path / name).write_text((ROOT / name).read_text())
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.usefixtures("project")
def test_the_readme_shows_the_preview_of_the_dev_stack(capsys: pytest.CaptureFixture[str]) -> None:
    command, _, shown = blocks(README, "console")[0].partition("\n")
    beginning, _, end = shown.partition("...\n")
    assert end == ""
    main(["preview", "dev"])
    printed = capsys.readouterr().out

    assert command == "$ make preview"
    assert printed.startswith(f"{beginning}\n")


@pytest.mark.parametrize("config", CONFIGS)
def test_no_config_has_a_mistake(project: Path, config: dict[str, Any]) -> None:
    dev = yaml.safe_load((project / "Pulumi.dev.yaml").read_text())["config"]
    (project / "Pulumi.test.yaml").write_text(yaml.safe_dump({"config": dev | config}))

    assert main(["preview", "test"]) == 0
