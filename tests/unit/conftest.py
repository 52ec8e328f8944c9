import pytest


@pytest.fixture(autouse=True)
def _outputs_in_strings_are_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_ERROR_OUTPUT_STRING", "true")
