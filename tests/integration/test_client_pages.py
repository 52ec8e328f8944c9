"""The README, docs/clients.md, places.md and releases.md as their readers follow them, with the keys of a role."""

import json
import re
import shlex
import shutil
import subprocess
import sysconfig
import threading
import venv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib import metadata
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import example
import pages
import pytest
import yaml
from engine import BIN, ENVIRONMENT, ROOT, Emulator, Project, build, error_code, packages, publish
from packaging.utils import parse_wheel_filename
from tls_proxy import TlsProxy
from virtualenv.seed.wheels.embed import get_embed_wheel

PAGE = (ROOT / "docs/clients.md").read_text()
BLOCKS = [block for page in ("clients.md", "places.md", "releases.md") for block in pages.read_blocks(page)]
HOST = "acme-111122223333.d.codeartifact.us-west-2.amazonaws.com"
NO_KEYRING = "keyring.backends.null.Keyring"
ADMINISTRATOR = {"Effect": "Allow", "Action": "*", "Resource": "*"}
TOKEN_ONLY = {
    "Effect": "Allow",
    "Action": ["codeartifact:GetAuthorizationToken", "sts:GetServiceBearerToken"],
    "Resource": "*",
}

VALUES, TOKEN, KEYRING, NETRC = "Before you start", "A token", "keyring", "netrc"
# Ways to install from the repository alone, which has what it lacks from public PyPI.
ONE_INDEX = [
    (TOKEN, "pip with a token", "Install with pip"),
    (KEYRING, "pip with keyring or netrc", "Install with pip"),
    (TOKEN, NETRC, "pip with keyring or netrc", "Install with pip"),
    ("pip with login", "Install with pip"),
    (TOKEN, "pip with a token", "pip-tools"),
    (TOKEN, "uv", "uv with a token", "Install with uv"),
    (KEYRING, "uv", "uv with keyring", "Install with uv"),
    (TOKEN, NETRC, "uv", "Install with uv"),
    (TOKEN, "uv with a token", "Install with uv pip"),
    (KEYRING, "uv with keyring", "Install with uv pip"),
    (TOKEN, "poetry", "poetry with a token", "Install with poetry"),
    (KEYRING, "poetry", "Install with poetry"),
    (TOKEN, NETRC, "poetry", "Install with poetry"),
    (TOKEN, "pdm", "Install with pdm"),
    (TOKEN, "pipenv", "Install with pipenv"),
]
# The same from the repository and from public PyPI, without the way to get a token.
TWO_INDEXES = {
    "pip": ("pip with a token", "pip without publicUpstream"),
    "uv": ("uv without publicUpstream", "uv with a token", "Install with uv"),
    "poetry": ("poetry without publicUpstream", "poetry with a token", "Install with poetry"),
    "pdm": ("pdm without publicUpstream", "Install with pdm"),
    "pipenv": ("pipenv without publicUpstream", "Install with pipenv"),
}
# What lists `billing`, which acme-core depends on, in the file of each.
LISTED = {
    "pip": ["billing==1.0\n"],
    "uv": ['private = ["billing"]\n', 'billing = { index = "private" }\n'],
    "poetry": ['private = ["billing"]\n', 'billing = { source = "private" }\n'],
    "pdm": [', "billing"'],
    "pipenv": ['billing = { version = "*", index = "private" }\n'],
}
PUBLISHING = [
    (TOKEN, "uv with a token", "Publish with uv"),
    (KEYRING, "uv with keyring", "Publish with uv"),
    (TOKEN, "poetry with a token", "Publish with poetry"),
    (KEYRING, "Publish with poetry"),
    (TOKEN, "pdm with a token", "Publish with pdm"),
    (KEYRING, "Publish with pdm"),
    (TOKEN, "twine with a token", "Publish with twine"),
    (KEYRING, "Publish with twine"),
    ("twine with login",),
]
# A cooldown: what it adds to the client's file or config, and how to install with it.
COOLDOWNS = {
    "uv": ("A cooldown with uv", ("uv", "uv with a token"), "Install with uv"),
    "pip": ("A cooldown with pip", ("pip with a token",), ""),
    "poetry": ("A cooldown with poetry", ("poetry", "poetry with a token"), "Install with poetry"),
    "pdm": ("A cooldown with pdm", ("pdm",), "Install with pdm"),
}
IMAGE, UV_IMAGE, COMPOSE, CODEBUILD = (
    "A container image",
    "A container image with uv",
    "docker compose",
    "CodeBuild",
)
SCRIPT, WORKERS, FUNCTION = "In the script", "For the workers of a Spark job", "A Lambda function"
SAGEMAKER, AIRFLOW, TOOLS = "SageMaker", "Airflow (MWAA)", ("tox", "nox", "pre-commit")
RERUN, ARCHIVE, DELETE, TRAIL = "Run a release again", "Archive it", "Delete it", "Who published what"
REFUSAL = "When it is refused"

# What each client of the page's table of refusals is told to do; the token comes from outside.
REFUSED = {
    "pip": ("pip with a token", "Install with pip"),
    "uv": ("uv", "uv with a token", "Install with uv"),
    "poetry": ("poetry", "poetry with a token", "Install with poetry"),
    "pdm": ("pdm", "Install with pdm"),
    "pipenv": ("pipenv", "Install with pipenv"),
    "uv publish": ("uv with a token", "Publish with uv"),
    "poetry publish": ("poetry with a token", "Publish with poetry"),
    "pdm publish": ("pdm with a token", "Publish with pdm"),
    "twine": ("twine with a token", "Publish with twine"),
}
# The same without what names the token.
WITHOUT_TOKEN = {
    client: tuple(heading for heading in headings if not heading.endswith("with a token"))
    for client, headings in REFUSED.items()
} | {"pip": ("pip with keyring or netrc", "Install with pip")}

HEADINGS = [heading for heading, _ in groupby(BLOCKS, attrgetter("heading"))]
# What the repository has, and how the addresses end at which public PyPI is asked for what is not ours.
OURS = {"acme-core": "1.0", "billing": "1.0"}
FLASK = ("/flask/", "/flask-1.0-py3-none-any.whl", "/flask/json", "/flask/1.0/json")

# The rows of the table of refusals: a client, and what it prints for 401, 403 and 404.
REFUSALS = re.findall(r"^\| (\w+(?: publish)?) \| (.*`.*) \| (.*`.*) \| (.*`.*) \|$", PAGE, re.MULTILINE)


def blocks(*headings: str) -> list[pages.Block]:
    """The blocks of code under these headings, in the order of the headings."""
    return [block for heading in headings for block in BLOCKS if block.heading == heading]


def files(*headings: str) -> dict[str, str]:
    """The files under these headings, by name: a block whose first line is a comment with a file's name."""
    texts = [block.text for block in blocks(*headings)]
    return {name[1]: text for text in texts if (name := re.match(r"# ([\w.-]+)\n", text))}


def commands(*headings: str) -> str:
    """What is to be typed into a shell under these headings."""
    found = [block.text for block in blocks(*headings) if block.language == "sh"]
    return "\n".join(text for text in found if text not in files(*headings).values())


class Person:
    """Somebody who follows the page with the keys of a role, in a home folder with a virtual environment."""

    def __init__(self, emulator: Emulator, proxy: TlsProxy, keys: Mapping[str, str], home: Path) -> None:
        self.home = home
        venv.create(home / ".venv")
        (packages_folder,) = home.glob(".venv/lib/python*/site-packages")
        (packages_folder / "clients.pth").write_text(sysconfig.get_path("purelib"))  # pip and keyring are in it, too
        pip = home / ".venv/bin/pip"
        pip.write_text('#!/bin/sh\nexec python -m pip "$@"\n')
        pip.chmod(0o755)
        # The page names the region wherever it is needed.
        self.environment = {name: value for name, value in ENVIRONMENT.items() if "REGION" not in name}
        self.environment |= proxy.environment | {
            "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
            "AWS_ENDPOINT_URL": emulator.endpoint,
            "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
            "AWS_SESSION_TOKEN": keys["SessionToken"],
            "HOME": str(home),
            "PATH": f"{home}/.venv/bin:{ENVIRONMENT['PATH']}",
            "PDM_CHECK_UPDATE": "0",
            "PIPENV_VERBOSITY": "-1",
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
            "PRE_COMMIT_HOME": str(home / "pre-commit"),
            "TMPDIR": str(home),
        }

    def run(self, *command: str, **environment: str) -> tuple[int, str]:
        """The exit status of a command, and what it printed, as one line."""
        result = subprocess.run(
            command,
            cwd=self.home,
            env=self.environment | environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=300,
        )
        return result.returncode, " ".join(result.stdout.split())

    def follow(
        self, *headings: str, also: str = "", replace: Mapping[str, str] | None = None, **environment: str
    ) -> tuple[int, str]:
        """Write the files under these headings, set the values, and run the commands, and `also`, in one shell.

        In what is followed, `replace` changes each of these texts, which has to be there, to another.
        """
        wanted = files(*headings)
        script = "\n".join([commands(VALUES, *headings), also])
        for old, new in (replace or {}).items():
            assert any(old in text for text in (script, *wanted.values())), old
            wanted = {name: text.replace(old, new) for name, text in wanted.items()}
            script = script.replace(old, new)
        for name, text in wanted.items():
            (self.home / name).write_text(text)
        return self.run("bash", "-euo", "pipefail", "-c", script, **environment)

    def installed(self) -> dict[str, str]:
        """The versions of what is in the virtual environment."""
        folders = [str(folder) for folder in self.home.glob(".venv/lib/python*/site-packages")]
        return {each.name: each.version for each in metadata.distributions(path=folders)}


@dataclass(frozen=True, kw_only=True, slots=True)
class Deployed:
    """A stack, its outputs, and what AWS knows of it."""

    project: Project
    outputs: Mapping[str, Any]
    state: dict[str, Any]

    @property
    def emulator(self) -> Emulator:
        return self.project.emulator


def deploy(project: Project) -> Deployed:
    """A repository with acme-core 1.0 in it and billing 1.0, which that depends on, a reader and a publisher."""
    roles = "arn:aws:iam::111122223333:role"
    project.configure("dev", domain="acme", readers=[f"{roles}/reader"], publishers=[f"{roles}/publisher"])
    project.up("dev")
    for wheel in (build(project.folder, "acme-core", needs=["billing"]), build(project.folder, "billing")):
        add(project.emulator, wheel)
    return Deployed(project=project, outputs=project.outputs("dev"), state=project.emulator.state())


def add(emulator: Emulator, wheel: Path) -> None:
    """Put version 1.0 of a package into the repository."""
    name = parse_wheel_filename(wheel.name)[0]
    publish(emulator.client("codeartifact"), name, asset=wheel.name, content=wheel.read_bytes())


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Deployed]:
    folder = tmp_path_factory.mktemp("deployed")
    emulator = Emulator(folder)
    try:
        yield deploy(Project(folder, emulator))
    finally:
        emulator.stop()


@pytest.fixture
def deployed(shared: Deployed) -> Deployed:
    """What all tests share, as it was when it was deployed."""
    shared.emulator.restore(shared.state)
    shared.emulator.set()
    return shared


@pytest.fixture
def proxy(deployed: Deployed, tmp_path: Path) -> Iterator[TlsProxy]:
    """The way to the repository, and public PyPI: with packages of the same names, and flask."""
    proxy = TlsProxy(tmp_path, HOST, deployed.emulator.endpoint)
    public = tmp_path / "public"
    proxy.public.wheels += [build(public, "acme-core", "9.0"), build(public, "billing", "9.0"), build(public, "flask")]
    yield proxy
    proxy.stop()


@pytest.fixture
def public_upstream(deployed: Deployed, proxy: TlsProxy) -> None:
    """What `publicUpstream` does to the index: the repository has what it lacks. The endpoint resolves no upstreams."""
    there = packages(deployed.emulator)
    for wheel in proxy.public.wheels:
        if parse_wheel_filename(wheel.name)[0] not in there:
            add(deployed.emulator, wheel)


def person(deployed: Deployed, proxy: TlsProxy, home: Path, role: str, *policy: object) -> Person:
    """Somebody in the folder of a project that is built already, acme-new."""
    keys = deployed.emulator.assume_role(role, *policy)
    shutil.copytree(build(home.with_name(f"{home.name}-built"), "acme-new").parents[1], home, dirs_exist_ok=True)
    return Person(deployed.emulator, proxy, keys, home)


@pytest.fixture
def reader(deployed: Deployed, proxy: TlsProxy, tmp_path: Path) -> Person:
    return person(deployed, proxy, tmp_path / "home", "reader", *statements(deployed))


@pytest.fixture
def publisher(deployed: Deployed, proxy: TlsProxy, tmp_path: Path) -> Person:
    return person(deployed, proxy, tmp_path / "home", "publisher", *statements(deployed))


def statements(deployed: Deployed) -> list[object]:
    """Those of the identity policy that whoever gets in needs."""
    return json.loads(deployed.outputs["reader_policy"])["Statement"]


def test_the_readme_leads_from_nothing_to_an_installed_package(project: Project) -> None:
    emulator, host = project.emulator, HOST.replace("acme", "example")
    for role in ("service/api", "glue/job-orchestrator", "github-actions/publish-packages", "data/notebooks"):
        emulator.assume_role(role)
    # What comes before is followed in test_own_repository.py.
    project.folder /= "pypi"
    example.write(project.folder)
    (project.folder / ".venv").symlink_to(ROOT / ".venv")
    *_, initialize, up, output = pages.commands(pages.README, "Deploy")
    assert project.follow(f"{initialize}\n{up}\n{output}").endswith("/simple/\n")

    (config,) = pages.blocks(pages.README, "yaml", "Give somebody access")
    path = project.folder / "Pulumi.dev.yaml"
    stack = yaml.safe_load(path.read_text())
    stack["config"] |= yaml.safe_load(config)["config"]
    path.write_text(yaml.safe_dump(stack))
    project.follow("pulumi up")

    proxy = TlsProxy(project.folder, host, emulator.endpoint)
    try:
        for role, heading in (
            ("github-actions/publish-packages", "Publish your first package"),
            ("data/notebooks", "Install"),
        ):
            home = project.folder / heading
            home.mkdir()
            person = Person(emulator, proxy, emulator.session(role), home)
            (block,) = pages.blocks(pages.README, "sh", heading)
            status, printed = person.run("bash", "-euo", "pipefail", "-c", block)
            assert status == 0, printed
    finally:
        proxy.stop()

    assert person.installed() == {"acme-core": "0.1.0"}


def test_the_first_package_takes_five_commands() -> None:
    (block,) = pages.blocks(pages.README, "sh", "Publish your first package")

    assert len(block.replace("\\\n", "").splitlines()) == 5


def test_no_code_of_the_pages_is_left_out() -> None:
    followed = {heading for way in (*ONE_INDEX, *TWO_INDEXES.values(), *PUBLISHING) for heading in way}
    followed |= {heading for heading, _, _ in COOLDOWNS.values()}
    followed |= {VALUES, REFUSAL, IMAGE, UV_IMAGE, COMPOSE, CODEBUILD, SCRIPT, WORKERS, FUNCTION, SAGEMAKER, AIRFLOW}

    assert {block.heading for block in BLOCKS} == followed | {*TOOLS, RERUN, ARCHIVE, DELETE, TRAIL}


def test_no_two_sections_have_one_heading() -> None:
    """Or the code of one would be followed as that of the other."""
    assert len(dict.fromkeys(HEADINGS)) == len(HEADINGS)


@pytest.mark.usefixtures("public_upstream")
@pytest.mark.parametrize("headings", ONE_INDEX, ids=" + ".join)
def test_from_one_index_come_ours_and_what_they_depend_on(
    headings: tuple[str, ...], reader: Person, proxy: TlsProxy
) -> None:
    status, printed = reader.follow(*headings)

    assert status == 0, printed
    assert reader.installed() == OURS | {"flask": "1.0"}
    # And not of public PyPI, where anyone can publish an acme-core and a billing.
    assert {url.partition("/")[0] for url in proxy.asked} <= {HOST}


@pytest.mark.parametrize("client", TWO_INDEXES)
def test_from_two_indexes_come_ours_as_far_as_they_are_listed(client: str, reader: Person, proxy: TlsProxy) -> None:
    status, printed = reader.follow(TOKEN, *TWO_INDEXES[client])

    assert status == 0, printed
    assert reader.installed() == OURS | {"flask": "1.0"}
    assert [url for url in proxy.asked if "pypi.org" in url and not url.endswith(FLASK)] == []


@pytest.mark.parametrize("client", TWO_INDEXES)
def test_what_is_not_listed_comes_from_public_pypi(client: str, reader: Person) -> None:
    status, printed = reader.follow(TOKEN, *TWO_INDEXES[client], replace=dict.fromkeys(LISTED[client], ""))

    assert status == 0, printed
    assert reader.installed() == {"acme-core": "1.0", "billing": "9.0", "flask": "1.0"}


@pytest.mark.parametrize("client", TWO_INDEXES)
@pytest.mark.parametrize("recipe", [REFUSED, TWO_INDEXES], ids=["one index", "two indexes"])
def test_with_an_expired_token_nothing_of_ours_comes_from_elsewhere(
    recipe: Mapping[str, tuple[str, ...]], client: str, reader: Person, proxy: TlsProxy
) -> None:
    status, _ = reader.follow(*recipe[client], TOKEN="ended")

    assert status != 0
    assert reader.installed() == {}
    assert [url for url in proxy.asked if "pypi.org" in url and not url.endswith(FLASK)] == []


@pytest.mark.parametrize(
    "replace",
    [
        {'private = ["billing"]': "private = []"},
        {'[dependency-groups]\nprivate = ["billing"]': '[tool.uv]\nconstraint-dependencies = ["billing"]'},
    ],
    ids=["sources alone", "constraint-dependencies"],
)
def test_uv_takes_the_index_of_what_it_depends_on_alone(replace: Mapping[str, str], reader: Person) -> None:
    status, printed = reader.follow(TOKEN, *TWO_INDEXES["uv"], replace=replace)

    assert status == 0, printed
    assert reader.installed()["billing"] == "9.0"


def test_uv_without_explicit_goes_on_to_public_pypi(reader: Person) -> None:
    sources = '[tool.uv.sources]\nacme-core = { index = "private" }\nbilling = { index = "private" }\n'
    reader.follow(*TWO_INDEXES["uv"], replace={"explicit = true\n": "", sources: ""}, TOKEN="ended")

    assert reader.installed()["acme-core"] == "9.0"


def test_an_extra_index_url_lets_in_a_package_of_the_same_name(reader: Person) -> None:
    also = "pip install --extra-index-url https://pypi.org/simple/ acme-core"
    reader.follow(TOKEN, "pip with a token", also=also)

    assert reader.installed()["acme-core"] == "9.0"


@pytest.mark.parametrize("client", ["uv", "poetry"])
def test_an_explicit_index_is_asked_for_nothing_else(client: str, reader: Person, proxy: TlsProxy) -> None:
    reader.follow(TOKEN, *TWO_INDEXES[client])

    assert {url.split("/")[4] for url in proxy.asked if url.startswith(HOST)} == {"acme-core", "billing"}


@pytest.mark.usefixtures("public_upstream")
@pytest.mark.parametrize("client", ["uv", "poetry"])
def test_the_variables_have_the_name_of_the_index_in_capitals(client: str, reader: Person) -> None:
    replace = {'name = "private"': 'name = "acme.py-pi"', "_PRIVATE_": "_ACME_PY_PI_"}
    status, printed = reader.follow(TOKEN, *REFUSED[client], replace=replace)

    assert status == 0, printed
    assert reader.installed()["acme-core"] == "1.0"


def test_powershell_says_the_same_as_bash() -> None:
    for heading in (VALUES, TOKEN):
        bash, powershell = (
            next(block.text for block in blocks(heading) if block.language == language)
            for language in ("sh", "powershell")
        )
        powershell = re.sub(r'\$\{?env:(\w+)\}? = "?', r"export \1=", powershell.replace("`\n", "\\\n"))
        powershell = re.sub(r"\$\{?env:(\w+)\}?", r"$\1", powershell).replace('";', "").replace('"\n', "\n")
        bash = re.sub(r"\$\{(\w+)\}", r"$\1", bash).replace("$(", "").replace("text)", "text")
        assert [word for word in shlex.split(powershell.replace('"', "")) if word != "export"] == [
            word for word in shlex.split(bash) if word != "export"
        ]


def test_login_is_undone(reader: Person) -> None:
    (undo,) = re.findall("`(pip config unset .*?)`", PAGE)
    _, before = reader.follow("pip with login", also="pip config list")
    _, after = reader.run("bash", "-c", f"{undo} > /dev/null && pip config list")

    assert "global.index-url=" in before
    assert "global.index-url=" not in after


def test_keyring_tells_whether_it_works(reader: Person) -> None:
    assert reader.follow(KEYRING)[1].endswith("keyring works")
    assert not reader.follow(KEYRING, PYTHON_KEYRING_BACKEND=NO_KEYRING)[1].endswith("keyring works")


@pytest.mark.usefixtures("public_upstream")
@pytest.mark.parametrize(("way", "client"), [((KEYRING,), "pdm"), ((TOKEN, NETRC), "pdm"), ((TOKEN, NETRC), "pipenv")])
def test_a_url_in_a_file_needs_no_token(way: tuple[str, ...], client: str, reader: Person) -> None:
    assert PAGE.count("take `aws:${TOKEN}@` out of the URL.") == 2
    status, printed = reader.follow(*way, *REFUSED[client], replace={"aws:${TOKEN}@": ""})

    assert status == 0, printed
    assert reader.installed() == OURS | {"flask": "1.0"}


@pytest.mark.parametrize("headings", PUBLISHING, ids=" + ".join)
def test_publishes(headings: tuple[str, ...], publisher: Person, deployed: Deployed) -> None:
    status, printed = publisher.follow(*headings)

    assert status == 0, printed
    assert {*packages(deployed.emulator)} == {"acme-core", "acme-new", "billing"}


@pytest.mark.usefixtures("public_upstream")
def test_locks_hold_no_token(reader: Person) -> None:
    locks = {"uv": "uv.lock", "poetry": "poetry.lock", "pdm": "pdm.lock", "pipenv": "Pipfile.lock"}
    for client, lock in locks.items():
        reader.follow(TOKEN, *REFUSED[client], also='echo "$TOKEN" > token')
        token = (reader.home / "token").read_text().strip()
        assert token not in (reader.home / lock).read_text()


@pytest.mark.usefixtures("public_upstream")
@pytest.mark.parametrize("option", ["--no-emit-index-url ", ""])
def test_pip_compile_writes_the_token_unless_it_is_told_not_to(option: str, reader: Person) -> None:
    replace = {"--no-emit-index-url ": option}
    status, printed = reader.follow(TOKEN, "pip with a token", "pip-tools", replace=replace, also="echo $TOKEN > token")

    assert status == 0, printed
    token = (reader.home / "token").read_text().strip()
    assert (token in (reader.home / "requirements.txt").read_text()) == (not option)


def run_step(dockerfile: str) -> tuple[str, str]:
    """The mount of the one `RUN` of a Dockerfile, and its command."""
    steps = re.findall(r"^([A-Z]+) ((?:\\\n|.)*)", dockerfile, re.MULTILINE)
    (run,) = [text for step, text in steps if step == "RUN"]
    mount, command = run.split(" ", maxsplit=1)
    return mount, command


@pytest.mark.usefixtures("public_upstream")
@pytest.mark.parametrize(("heading", "before"), [(IMAGE, ()), (UV_IMAGE, ("uv", "uv with a token"))])
def test_an_image_gets_the_token_as_a_secret_and_keeps_nothing_of_it(
    heading: str, before: tuple[str, ...], reader: Person
) -> None:
    """What `docker build` would run, in this file system; the folder of the secrets alone has another name."""
    (reader.home / "secrets").mkdir()
    lock = "uv lock --quiet\n" if before else ""
    reader.follow(TOKEN, *before, also=f'{lock}printf %s "$TOKEN" > secrets/token; echo "$INDEX_URL" > index_url')
    token = reader.home / "secrets/token"
    mount, run = run_step(files(heading)["Dockerfile"])
    status, printed = reader.run(
        *("sh", "-euc", run.replace("/run/secrets/", f"{token.parent}/")),
        INDEX_URL=(reader.home / "index_url").read_text().strip(),
    )

    assert status == 0, printed
    assert reader.installed().items() >= OURS.items()
    assert mount == "--mount=type=secret,id=token,required=true"
    argument = ["--build-arg", "INDEX_URL"] if "ARG INDEX_URL\n" in files(heading)["Dockerfile"] else []
    assert shlex.split(commands(heading)) == ["docker", "build", "--secret", "id=token,env=TOKEN", *argument, "."]
    secret = token.read_bytes()
    assert [path for path in reader.home.rglob("*") if path.is_file() and secret in path.read_bytes()] == [token]


def test_docker_compose_builds_the_same(tmp_path: Path) -> None:
    path = tmp_path / "compose.yaml"
    path.write_text(files(COMPOSE)["compose.yaml"])
    subprocess.run([BIN / "check-jsonschema", "--builtin-schema", "vendor.compose-spec", path], check=True)
    compose = yaml.safe_load(path.read_text())

    assert compose["services"]["app"]["build"] == {
        "context": ".",
        "args": {"INDEX_URL": "${INDEX_URL}"},
        "secrets": ["token"],
    }
    assert compose["secrets"] == {"token": {"environment": "TOKEN"}}


def test_a_build_of_codebuild_installs(reader: Person) -> None:
    """CodeBuild runs the commands of a phase one after the other in one shell."""
    phases = yaml.safe_load(files(CODEBUILD)["buildspec.yml"])["phases"]
    status, printed = reader.run("sh", "-euc", "\n".join(phases["install"]["commands"]))

    assert status == 0, printed
    assert reader.installed() == OURS


def test_airflow_installs_after_the_startup_script(reader: Person) -> None:
    (reader.home / "startup.sh").write_text(files(AIRFLOW)["startup.sh"])
    status, printed = reader.run("sh", "-euc", ". ./startup.sh && pip install acme-core")

    assert status == 0, printed
    assert reader.installed() == OURS


def test_sagemaker_may_ask_for_the_endpoint_in_the_domains_account_alone(deployed: Deployed) -> None:
    """What its images call with the variable's ARN."""
    (block,) = blocks(SAGEMAKER)
    arn = block.text.strip().removeprefix("CA_REPOSITORY_ARN=")
    assert arn == deployed.outputs["repository_arn"]
    *_, owner, path = arn.split(":")
    _, domain, repository = path.split("/")

    for account, code in ((owner, ""), ("444455556666", "AccessDeniedException")):
        keys = deployed.emulator.assume_role("reader", *statements(deployed), account=account)
        codeartifact = deployed.emulator.client("codeartifact", keys)
        call = {"domain": domain, "domainOwner": owner, "repository": repository, "format": "pypi"}
        assert error_code(codeartifact.get_repository_endpoint, **call) == code


@pytest.mark.parametrize("tool", TOOLS)
def test_what_runs_tests_and_hooks_installs(tool: str, reader: Person, deployed: Deployed) -> None:
    if tool == "pre-commit":
        wheel = get_embed_wheel("setuptools", "3.11")
        assert wheel
        add(deployed.emulator, wheel.path)
    reader.run("git", "init", "--quiet")
    status, printed = reader.follow(TOKEN, "pip with a token", tool)

    assert status == 0, printed
    assert " 1.0" in printed


def test_a_glue_script_installs_what_it_imports(reader: Person) -> None:
    (reader.home / "job.py").write_text(files(SCRIPT)["job.py"])

    assert reader.run("python", "job.py")[1].endswith(" 1.0")


def test_a_glue_job_is_started_with_an_index_to_install_from(reader: Person) -> None:
    asked: list[dict[str, Any]] = []

    class Glue(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'{"JobRunId": "jr_1"}')

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            """Say nothing."""

    (reader.home / "start_job.py").write_text(files(WORKERS)["start_job.py"])
    with HTTPServer(("127.0.0.1", 0), Glue) as server:
        threading.Thread(target=server.handle_request, daemon=True).start()
        endpoint = f"http://127.0.0.1:{server.server_port}"
        status, printed = reader.run("python", "start_job.py", AWS_ENDPOINT_URL_GLUE=endpoint)
    assert status == 0, printed
    arguments = asked[0]["Arguments"]

    # As Glue does with the two arguments.
    installer = shlex.split(arguments["--python-modules-installer-option"])
    status, printed = reader.run("pip", "install", *installer, *arguments["--additional-python-modules"].split(","))
    assert status == 0, printed
    assert reader.installed() == OURS


def test_a_lambda_function_is_built_with_its_packages(reader: Person) -> None:
    status, printed = reader.follow(FUNCTION)
    assert status == 0, printed

    with ZipFile(reader.home / "function.zip") as archive:
        archive.extractall(reader.home / "function")
    call = "import handler; print(handler.handler({}, None))"
    assert reader.run("sh", "-c", f"cd function && python -c '{call}'") == (0, "1.0")


def test_whoever_gets_no_token_is_told_so(deployed: Deployed, proxy: TlsProxy, tmp_path: Path) -> None:
    stranger = person(deployed, proxy, tmp_path / "home", "stranger")

    assert "AccessDeniedException" in stranger.follow(TOKEN)[1]


def test_the_number_of_a_refusal_is_to_be_had(reader: Person) -> None:
    assert reader.follow(TOKEN, REFUSAL) == (0, "200")
    assert reader.follow(REFUSAL, TOKEN="ended") == (0, "404")


def test_the_table_has_every_client() -> None:
    assert [row[0] for row in REFUSALS] == list(REFUSED)


@pytest.mark.parametrize(("client", "unauthorized", "forbidden", "not_found"), REFUSALS, ids=list(REFUSED))
def test_refusals_read_as_the_table_says(
    client: str,
    unauthorized: str,
    forbidden: str,
    not_found: str,
    deployed: Deployed,
    proxy: TlsProxy,
    tmp_path: Path,
) -> None:
    stranger = person(deployed, proxy, tmp_path / "home", "stranger", TOKEN_ONLY)
    said = [
        (unauthorized, stranger.follow(*WITHOUT_TOKEN[client], PYTHON_KEYRING_BACKEND=NO_KEYRING)),
        (forbidden, stranger.follow(TOKEN, *REFUSED[client])),
        (not_found, stranger.follow(*REFUSED[client], TOKEN="ended")),
    ]

    for cell, (status, printed) in said:
        assert status != 0
        assert [phrase for phrase in re.findall("`(.*?)`", cell) if phrase not in printed] == []


@pytest.mark.usefixtures("public_upstream")
@pytest.mark.parametrize("age", [8, 6, None], ids=["8 days", "6 days", "no upload times"])
@pytest.mark.parametrize("client", COOLDOWNS)
def test_a_cooldown_lets_in_ours_and_what_is_old_enough(
    client: str, age: int | None, reader: Person, deployed: Deployed
) -> None:
    state = deployed.emulator.state()
    versions = state["codeartifact"]["accounts"]["111122223333"]["package_versions"]
    versions["acme\x01private-pypi\x01pypi\x01\x01flask\x011.0"]["publishedTime"] -= (age or 0) * 24 * 60 * 60
    deployed.emulator.restore(state)
    deployed.emulator.set(upload_times=age is not None)
    cooldown, project, install = COOLDOWNS[client]
    settings = "".join(block.text for block in blocks(cooldown) if block.language == "toml")
    for name, text in files(*project).items():
        (reader.home / name).write_text(text + settings)
    given = [heading for heading in project if heading.endswith("with a token")]
    status, printed = reader.follow(TOKEN, *given, cooldown, install)

    # Only poetry takes what the index gives no upload time of.
    comes = age == 8 or (client == "poetry" and age is None)
    assert (status == 0) == comes, printed
    assert reader.installed().get("flask") == ("1.0" if comes else None)
    if comes:
        assert reader.installed() == OURS | {"flask": "1.0"}


def test_a_release_runs_again_when_its_files_are_there(publisher: Person) -> None:
    dist = publisher.home / "dist"
    status, printed = publisher.follow(TOKEN, RERUN)
    assert status == 0, printed
    status, printed = publisher.follow(TOKEN, RERUN)
    assert status == 0, printed
    assert "skipping" in printed

    (wheel,) = dist.iterdir()
    with ZipFile(wheel, "a") as archive:
        archive.writestr("acme_other.py", "")
    assert "409" in publisher.follow(TOKEN, "twine with a token", "Publish with twine")[1]
    assert publisher.follow(TOKEN, RERUN)[0] != 0
    skipping = commands("Publish with twine").replace("upload", "upload --skip-existing")
    assert publisher.follow(TOKEN, "twine with a token", also=skipping)[0] != 0


def test_a_version_is_archived_while_packages_are_protected(
    deployed: Deployed, proxy: TlsProxy, tmp_path: Path
) -> None:
    administrator = person(deployed, proxy, tmp_path / "home", "administrator", ADMINISTRATOR)
    status, printed = administrator.follow(ARCHIVE)
    assert status == 0, printed
    assert versions(deployed.emulator) == {"1.0": "Archived"}

    status, printed = administrator.follow(ARCHIVE, replace={"Archived": "Published"})
    assert status == 0, printed
    assert versions(deployed.emulator) == {"1.0": "Published"}

    publisher = person(deployed, proxy, tmp_path / "publisher", "publisher", *statements(deployed))
    assert "AccessDeniedException" in publisher.follow(ARCHIVE)[1]


def test_a_version_is_deleted_while_protect_is_switched_off(project: Project, tmp_path: Path) -> None:
    deployed = deploy(project)
    proxy = TlsProxy(tmp_path, HOST, project.emulator.endpoint)
    administrator = person(deployed, proxy, tmp_path / "home", "administrator", ADMINISTRATOR)
    opened, delete, closed = [block.text for block in blocks(DELETE)]
    values = commands(VALUES)

    assert "AccessDeniedException" in administrator.run("bash", "-euc", values + delete)[1]
    project.follow(opened)
    status, printed = administrator.run("bash", "-euc", values + delete)
    assert status == 0, printed
    assert versions(project.emulator) == {}
    project.follow(closed)
    assert (
        "AccessDeniedException"
        in administrator.run("bash", "-euc", (values + delete).replace("acme-core", "billing"))[1]
    )
    proxy.stop()


def versions(emulator: Emulator) -> dict[str, str]:
    """The status of each version of acme-core."""
    listed = emulator.client("codeartifact").list_package_versions(
        domain="acme", repository="private-pypi", format="pypi", package="acme-core"
    )
    return {each["version"]: each["status"] for each in listed["versions"]}


def test_cloudtrail_is_asked_for_what_it_knows() -> None:
    """There is none here: the AWS CLI takes the command, and gets as far as to look for the keys."""
    command = commands(TRAIL)
    environment = ENVIRONMENT | {"REGION": "us-west-2", "HOME": "/nonexistent"}
    tried = subprocess.run(["sh", "-euc", command], env=environment, capture_output=True, text=True, check=False)

    assert "Unable to locate credentials" in tried.stderr
