"""The programs of `examples/`, as they are."""

import shutil
from pathlib import Path

from engine import ROOT, Emulator, Project, error_code, publish

EXAMPLE = ROOT / "examples/two-repositories"


def test_two_repositories_in_one_domain_under_a_parent_with_a_provider_of_its_own(
    tmp_path: Path, emulator: Emulator
) -> None:
    project = Project(tmp_path, emulator)
    for name in ("__main__.py", "Pulumi.yaml"):
        shutil.copy(EXAMPLE / name, project.folder)
    del project.environment["AWS_REGION"], project.environment["AWS_DEFAULT_REGION"]
    bearer_token = {"Effect": "Allow", "Action": "sts:GetServiceBearerToken", "Resource": "*"}
    team, ci = (
        emulator.client("codeartifact", emulator.assume_role(name, bearer_token)) for name in ("platform", "ci")
    )

    project.pulumi("stack", "init", "dev")
    project.up("dev")
    assert project.outputs("dev") == {
        "releases_index_url": f"{emulator.endpoint}/pypi/releases/simple/",
        "nightly_index_url": f"{emulator.endpoint}/pypi/nightly/simple/",
    }
    assert project.changes("dev") == {}

    for repository in ("releases", "nightly"):
        publish(ci, "acme-core", repository)
        where = {"domain": "acme", "repository": repository, "format": "pypi", "package": "acme-core"}
        asset = where | {"packageVersion": "1.0", "asset": "acme-core-1.0.tar.gz"}
        assert team.get_package_version_asset(**asset)["asset"].read() == b"content"
        assert error_code(team.delete_package, **where) == "AccessDeniedException"
    assert team.get_authorization_token(domain="acme")["authorizationToken"]
