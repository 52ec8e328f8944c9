"""What the pages print of configs and of the preview, as a user would copy it and see it."""

from pathlib import Path

import pytest
import yaml
from mocks import ROOT
from pages import DOCS, README, blocks

from private_pypi.review.cli import main

CONFIGS = [
    (page, config)
    for page in (README, *sorted(page.name for page in DOCS.glob("*.md")))
    for config in blocks(page, "yaml")
    if config.startswith("config:\n")
]


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("__main__.py", "Pulumi.yaml", "Pulumi.dev.yaml"):
        (tmp_path / name).write_text((ROOT / name).read_text())
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_readme_shows_the_preview_of_the_dev_stack(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shown, _ = blocks(README, "console")
    command, _, printed = shown.partition("\n")
    before, _, after = printed.partition("...\n")
    main(["preview", "dev"])
    actual = capsys.readouterr().out

    assert command == "$ make preview"
    assert actual.startswith(before)
    assert actual.endswith(f"\n\n{after}")


@pytest.mark.parametrize(("page", "config"), CONFIGS, ids=[page for page, _ in CONFIGS])
def test_every_config_has_no_mistake(project: Path, capsys: pytest.CaptureFixture[str], page: str, config: str) -> None:
    dev = yaml.safe_load((project / "Pulumi.dev.yaml").read_text())
    (project / "Pulumi.dev.yaml").write_text(
        yaml.safe_dump({"config": dev["config"] | yaml.safe_load(config)["config"]})
    )

    assert main(["preview", "dev"]) == 0, capsys.readouterr().err
