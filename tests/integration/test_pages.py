"""The pages as their readers follow them: config, workflows and commands as printed."""

import json
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from engine import ACCOUNT, Emulator, Project, build, document, error_code, github_token, gitlab_token, packages
from pages import blocks, dependabot_files, gitlab_files, workflows
from tls_proxy import TlsProxy

HOST = "example-111122223333.d.codeartifact.us-west-2.amazonaws.com"
SUBJECT = "repo:acme@9919/tools@724712:ref:refs/tags/v1.0"
KEYS = {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"}
TOKEN = github_token(SUBJECT, repository_id="724712")
INSTALL, RENOVATE, UV, TWINE = (yaml.safe_load(workflow) for workflow in workflows("ci.md"))
(GITLAB,) = (yaml.safe_load(file) for file in gitlab_files("ci.md"))
(DEPENDABOT,) = (yaml.safe_load(file) for file in dependabot_files("ci.md"))
(LOOK,) = next(yaml.safe_load(block) for block in blocks("ci.md", "yaml") if block.startswith("- name: Look"))


def configs(page: str) -> list[dict[str, Any]]:
    """The configs of a page, by key without the namespace."""
    found = [yaml.safe_load(block)["config"] for block in blocks(page, "yaml") if block.startswith("config:\n")]
    return [{key.removeprefix("private-pypi:"): value for key, value in config.items()} for config in found]


@pytest.fixture
def deployed(project: Project) -> Project:
    """The stack of Pulumi.dev.yaml, with what docs/ci.md adds to it."""
    (config,) = configs("ci.md")
    project.configure("dev", domain="example", **config)
    project.up("dev")
    return project


def step_of(workflow: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    *_, job = workflow["jobs"].values()
    (step,) = [step for step in job["steps"] if step.get("name") == name]
    return step


def run_step(project: Project, workflow: Mapping[str, Any], name: str) -> str:
    """Run a step of the last job in the place that GitHub gives it: its environment, and the keys of its role."""
    return run_in_role(project, workflow, step_of(workflow, name))


def run_in_role(project: Project, workflow: Mapping[str, Any], step: Mapping[str, Any], **variables: str) -> str:
    keys = project.emulator.assume_role_with_token(workflow["env"]["ROLE"], TOKEN)
    environment = {
        "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
        "AWS_SESSION_TOKEN": keys["SessionToken"],
    }
    return run_script(project, step["run"], workflow["env"] | environment | variables)


def run_script(project: Project, script: str, variables: Mapping[str, str]) -> str:
    proxy = TlsProxy(project.folder, HOST, project.emulator.endpoint)
    environment = {name: text for name, text in project.environment.items() if name not in KEYS}
    environment |= {**proxy.environment, **variables}
    command = ["bash", "-eo", "pipefail", "-c", script]
    result = subprocess.run(
        command, cwd=project.folder, env=environment, capture_output=True, text=True, check=False, timeout=300
    )
    proxy.stop()
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout + result.stderr


def the_log_hides_the_token(log: str) -> bool:
    """Whether the token shows nowhere but in the line that tells GitHub to hide it."""
    (mask,) = [line for line in log.splitlines() if line.startswith("::add-mask::")]
    token = mask.removeprefix("::add-mask::")
    return len(token) > 20 and log.count(token) == 1


@pytest.mark.parametrize("workflow", [UV, TWINE], ids=["uv", "twine"])
def test_the_workflow_publishes(deployed: Project, workflow: Mapping[str, Any]) -> None:
    build(deployed.folder, "acme-tools")
    (deployed.folder / "dist").symlink_to(next(deployed.folder.glob("*/dist")))

    assert the_log_hides_the_token(run_step(deployed, workflow, "Publish"))
    assert packages(deployed.emulator, domain="example") == ["acme-tools"]


def test_a_workflow_installs(deployed: Project) -> None:
    build(deployed.folder, "acme-tools")
    (deployed.folder / "dist").symlink_to(next(deployed.folder.glob("*/dist")))
    run_step(deployed, UV, "Publish")
    (deployed.folder / ".venv").unlink()  # the project's own
    log = run_step(deployed, INSTALL, "Install")

    assert the_log_hides_the_token(log)
    assert [*deployed.folder.glob(".venv/lib/python*/site-packages/acme_tools.py")]


def run_job(project: Project, name: str, subject: str) -> str:
    """Run the script of a job in the place that GitLab gives it: variables and a token. The tools are there already."""
    job, tools = GITLAB[name], project.folder / "tools"
    tools.mkdir(exist_ok=True)
    pip = project.folder / ".venv/bin/pip"
    (tools / "pip").write_text(f'#!/bin/sh\ntest "$2" = --quiet || exec "{pip}" "$@" --target installed\n')
    (tools / "pip").chmod(0o755)
    (token,) = job["id_tokens"].values()
    lines = [line for part in job["script"] for line in (part if isinstance(part, list) else [part])]
    variables = GITLAB["variables"] | job["variables"]
    variables |= {
        "AWS_WEB_IDENTITY_TOKEN_FILE": str(project.folder / "web-identity-token"),
        "ID_TOKEN": gitlab_token(f"project_path:acme/data/models:{subject}", aud=token["aud"]),
        "PATH": f"{tools}:{project.environment['PATH']}",
    }
    return run_script(project, "\n".join(lines), variables)


def test_jobs_of_gitlab_publish_and_install(deployed: Project) -> None:
    build(deployed.folder, "acme-models")
    (deployed.folder / "dist").symlink_to(next(deployed.folder.glob("*/dist")))
    run_job(deployed, "publish", "ref_type:tag:ref:v1.0")

    assert packages(deployed.emulator, domain="example") == ["acme-models"]
    with pytest.raises(AssertionError, match="Not authorized to perform sts:AssumeRoleWithWebIdentity"):
        run_job(deployed, "publish", "ref_type:branch:ref:v1.0")
    run_job(deployed, "test", "ref_type:branch:ref:feature")
    assert (deployed.folder / "installed/acme_models.py").exists()


def test_the_step_skips_what_is_published_and_nothing_else(deployed: Project) -> None:
    (config,) = configs("ci.md")
    deployed.configure("dev", domain="example", **config, listPackages=True)
    deployed.up("dev")
    build(deployed.folder, "acme-tools")
    (deployed.folder / "dist").symlink_to(next(deployed.folder.glob("*/dist")))
    output = deployed.folder / "output.txt"
    variables = LOOK["env"] | {"GITHUB_OUTPUT": str(output), "GITHUB_REF_NAME": "v1.0"}

    run_in_role(deployed, UV, LOOK, **variables)
    assert output.read_text() == "is_new=true\n"
    run_step(deployed, UV, "Publish")
    run_in_role(deployed, UV, LOOK, **variables)
    assert output.read_text() == "is_new=true\nis_new=false\n"
    deployed.configure("dev", domain="example", **config)
    deployed.up("dev")
    with pytest.raises(AssertionError, match="AccessDenied"):
        run_in_role(deployed, UV, LOOK, **variables)


def test_dependabot_and_renovate_have_the_role_of_every_job(deployed: Project) -> None:
    arn = deployed.outputs("dev")["role_arns"]["github acme/tools"]
    (registry,) = DEPENDABOT["registries"].values()

    assert registry["role-name"] == arn.rpartition("/")[2]
    assert registry["url"] == INSTALL["env"]["INDEX_URL"]
    assert RENOVATE["env"]["ROLE"] == INSTALL["env"]["ROLE"] == arn


def test_renovate_is_told_the_password_of_the_index(deployed: Project) -> None:
    """With a program in the place of npx that prints what Renovate would read."""
    shim = deployed.folder / "tools"
    shim.mkdir()
    (shim / "npx").write_text('#!/bin/sh\nprintf "%s" "$RENOVATE_HOST_RULES" > rules.json\n')
    (shim / "npx").chmod(0o755)
    log = run_in_role(deployed, RENOVATE, step_of(RENOVATE, "Renovate"), PATH=f"{shim}:{deployed.environment['PATH']}")

    (rule,) = json.loads((deployed.folder / "rules.json").read_text())
    assert the_log_hides_the_token(log)
    assert rule == {
        "hostType": "pypi",
        "matchHost": f"https://{HOST}",
        "username": "aws",
        "password": log.partition("::add-mask::")[2].strip(),
    }


def test_the_boundary_of_the_page_lets_jobs_install_and_publish(deployed: Project) -> None:
    (boundary,) = blocks("ci.md", "json")
    arn = deployed.emulator.client("iam").create_policy(PolicyName="boundary", PolicyDocument=boundary)["Policy"]["Arn"]
    (config,) = configs("ci.md")
    deployed.configure("dev", domain="example", **config, permissionsBoundary=arn)
    deployed.up("dev")
    build(deployed.folder, "acme-tools")
    (deployed.folder / "dist").symlink_to(next(deployed.folder.glob("*/dist")))
    run_step(deployed, UV, "Publish")
    (deployed.folder / ".venv").unlink()  # the project's own

    run_step(deployed, INSTALL, "Install")
    assert packages(deployed.emulator, domain="example") == ["acme-tools"]


def test_the_workflows_ask_for_no_more_than_they_need() -> None:
    for workflow in (UV, TWINE):
        assert workflow["permissions"] == {}
        assert [job["permissions"] for job in workflow["jobs"].values()] == [
            {"contents": "read"},
            {"id-token": "write"},
        ]
    assert "id_tokens" not in GITLAB["build"]


def test_the_page_shows_the_outputs_that_there_are(deployed: Project) -> None:
    shown = next(block for block in blocks("ci.md", "console") if "role_arns" in block)
    command, _, output = shown.partition("\n")

    assert command == "$ pulumi stack output role_arns --json"
    assert json.loads(output) == deployed.outputs("dev")["role_arns"]
    on_the_page = {workflow["env"]["ROLE"] for workflow in (UV, TWINE, INSTALL, RENOVATE)}
    on_the_page |= {GITLAB[job]["variables"]["AWS_ROLE_ARN"] for job in ("test", "publish")}
    assert on_the_page == {*json.loads(output).values()}


def test_the_step_that_prints_the_subject_prints_nothing_else(tmp_path: Path) -> None:
    (step,) = next(yaml.safe_load(block) for block in blocks("ci.md", "yaml") if block.startswith("- name: Print"))
    answer = tmp_path / "answer.json"
    answer.write_text(json.dumps({"value": github_token(SUBJECT)}))
    (tmp_path / "curl").write_text(
        '#!/bin/sh\ntest "$4" = "https://example.com/?x=1&audience=sts.amazonaws.com"\ncat answer.json\n'
    )
    (tmp_path / "curl").chmod(0o755)
    environment = {
        "ACTIONS_ID_TOKEN_REQUEST_TOKEN": "secret",
        "ACTIONS_ID_TOKEN_REQUEST_URL": "https://example.com/?x=1",
        "PATH": f"{tmp_path}:/usr/bin:/bin",
    }
    command = ["bash", "-eo", "pipefail", "-c", step["run"]]
    printed = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True)

    assert printed.stdout == f"{SUBJECT}\n"
    assert printed.stderr == ""


def test_a_new_environment_takes_five_commands(project: Project, emulator: Emulator) -> None:
    new, role = blocks("environments.md", "sh")
    (gone,) = blocks("protection.md", "sh", "Take it all away")
    assert len(new.splitlines()) == 5
    project.configure("dev", domain="example", readers=["arn:aws:iam::111122223333:role/reader"], protect=False)
    editor = project.folder / "editor"
    editor.write_text('#!/bin/sh\nsed -i "s/: example/: example-prod/; /protect/d" "$1"\n')
    editor.chmod(0o755)
    project.follow("git init -q .")

    assert "\nWho gets in\n" in project.follow(new, EDITOR=str(editor))
    assert [each["name"] for each in emulator.client("codeartifact").list_domains()["domains"]] == ["example-prod"]
    assert project.outputs("prod")["domain_name"] == "example-prod"

    _, trust = blocks("environments.md", "json")
    (project.folder / "trust.json").write_text(trust)
    (project.folder / "docs").symlink_to(Path(__file__).parents[2] / "docs")
    project.follow(role)
    assert emulator.client("iam").get_role_policy(RoleName="deploy-private-pypi", PolicyName="deploy")

    project.follow(gone.replace("\n", " --stack prod\n"))
    assert emulator.client("codeartifact").list_domains()["domains"] == []


def test_a_reader_is_given_the_identity_policy_by_hand(project: Project, emulator: Emulator) -> None:
    attach, show = blocks("access.md", "sh", "Attach it yourself")
    keys = emulator.assume_role("notebooks")
    project.configure("dev", domain="acme", readers=["arn:aws:iam::111122223333:role/notebooks"])
    project.up("dev")
    token = emulator.client("codeartifact", keys).get_authorization_token
    assert error_code(token, domain="acme") == "AccessDeniedException"

    project.follow(attach)
    assert error_code(token, domain="acme") == ""

    project.configure("dev", domain="acme", publishers=["444455556666"])
    project.up("dev")
    assert json.loads(project.follow(show)).keys() == {"arn:aws:iam::444455556666:root"}


def test_the_rules_of_a_package_group_are_put_back_by_hand(project: Project, emulator: Emulator) -> None:
    (put_back,) = blocks("public-pypi.md", "sh", "If somebody changed them by hand")
    codeartifact = emulator.client("codeartifact")
    group = {"domain": "acme", "packageGroup": "/pypi//acme~"}

    def rules() -> dict[str, str]:
        found = codeartifact.describe_package_group(**group)["packageGroup"]["originConfiguration"]["restrictions"]
        return {origin: rule["mode"] for origin, rule in found.items()}

    project.configure("dev", domain="acme", internalPackages=["acme-*"])
    project.up("dev")
    made = rules()
    opened = {"EXTERNAL_UPSTREAM": "ALLOW"}
    codeartifact.update_package_group_origin_configuration(**group, restrictions=opened)
    project.pulumi("up", "--refresh", "--yes", "--skip-preview", "--stack", "dev")
    assert rules() == made | opened

    project.follow(put_back)
    assert rules() == made

    codeartifact.delete_package_group(**group)
    project.pulumi("up", "--refresh", "--yes", "--skip-preview", "--stack", "dev")
    assert rules() == made


def test_the_owner_of_a_domain_makes_a_package_group_by_hand(project: Project, emulator: Emulator) -> None:
    (make,) = blocks("public-pypi.md", "sh", "In another account's domain")
    (put_back,) = blocks("public-pypi.md", "sh", "If somebody changed them by hand")
    codeartifact = emulator.client("codeartifact")
    codeartifact.create_domain(domain="acme")

    project.follow(f"{make}\n{put_back}")
    found = codeartifact.describe_package_group(domain="acme", packageGroup="/pypi//acme~")["packageGroup"]
    rules = found["originConfiguration"]["restrictions"]
    assert {origin: rule["mode"] for origin, rule in rules.items()} == {
        "PUBLISH": "ALLOW",
        "EXTERNAL_UPSTREAM": "BLOCK",
        "INTERNAL_UPSTREAM": "ALLOW",
    }


def test_public_pypi_is_switched_on_in_two_steps(project: Project, emulator: Emulator) -> None:
    names, upstream = configs("public-pypi.md")
    project.configure("dev", domain="acme", **names)
    project.up("dev")
    found = emulator.client("codeartifact").list_package_groups(domain="acme")["packageGroups"]
    assert {each["pattern"] for each in found} == {"/pypi//acme~", "/pypi//billing$"}

    project.configure("dev", domain="acme", **upstream)
    assert project.changes("dev") == {"private-pypi-store": "create", "private-pypi-repository": "update"}


def test_all_is_taken_away_also_after_a_refused_destroy(project: Project, emulator: Emulator) -> None:
    (again,) = blocks("protection.md", "sh", "After a refused destroy")
    (away,) = blocks("protection.md", "sh", "Take it all away")
    project.configure("dev", domain="acme", readers=["arn:aws:iam::111122223333:role/reader"])
    project.up("dev")
    project.refused("destroy", "--yes", "--stack", "dev")

    project.follow(again)
    assert project.changes("dev") == {}
    project.follow(away)
    assert emulator.client("codeartifact").list_domains()["domains"] == []


@pytest.mark.parametrize("owner", [ACCOUNT, "444455556666"], ids=["own account", "another account"])
def test_the_owner_of_a_domain_adds_the_statement(project: Project, emulator: Emulator, owner: str) -> None:
    _, own, others, *_ = configs("domains.md")
    fetch, put = blocks("domains.md", "sh", "A domain that exists")
    of_owner = {"AWS_ACCESS_KEY_ID": f"test{owner}"}
    domain = emulator.client("codeartifact", account=owner)
    domain.create_domain(domain="shared")
    theirs = {"Effect": "Allow", "Principal": {"AWS": owner}, "Action": "codeartifact:ListDomains", "Resource": "*"}
    domain.put_domain_permissions_policy(domain="shared", policyDocument=document(theirs))
    keys = emulator.assume_role("reader")
    config = own if owner == ACCOUNT else others
    project.configure("dev", **config, readers=["arn:aws:iam::111122223333:role/reader"], attachIdentityPolicies=True)

    outputs = json.loads(project.follow(".venv/bin/private-pypi preview dev --json"))["outputs"]
    project.follow(fetch, **of_owner)
    policy = json.loads((project.folder / "domain.json").read_text())
    policy["Statement"] += json.loads(outputs["domain_policy_statements"])
    (project.folder / "domain.json").write_text(json.dumps(policy))
    project.follow(put, **of_owner)
    project.up("dev")

    assert theirs in policy["Statement"]
    token = emulator.client("codeartifact", keys).get_authorization_token
    assert error_code(token, domain="shared", domainOwner=owner) == ""
