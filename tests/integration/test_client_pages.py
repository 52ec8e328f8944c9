"""The README and docs/clients.md as their readers follow them, as printed, with the keys of a role."""

import json
import re
import shlex
import shutil
import subprocess
import sysconfig
import threading
import venv
from collections.abc import Iterator, Mapping
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pages
import pytest
import yaml
from engine import ENVIRONMENT, ROOT, Emulator, Project, build, packages, publish
from tls_proxy import TlsProxy

PAGE = (ROOT / "docs/clients.md").read_text()
BLOCKS = list(pages.read_blocks("clients.md"))
HOST = "acme-111122223333.d.codeartifact.us-west-2.amazonaws.com"
NO_KEYRING = {"PYTHON_KEYRING_BACKEND": "keyring.backends.null.Keyring"}
TOKEN_ONLY = {
    "Effect": "Allow",
    "Action": ["codeartifact:GetAuthorizationToken", "sts:GetServiceBearerToken"],
    "Resource": "*",
}

VALUES, TOKEN, KEYRING = "Before you start", "A token", "keyring"
INSTALLING = [
    (TOKEN, "pip with a token", "Install with pip"),
    (KEYRING, "pip with keyring", "Install with pip"),
    ("pip with login", "Install with pip"),
    (TOKEN, "uv", "uv with a token", "Install with uv"),
    (KEYRING, "uv", "uv with keyring", "Install with uv"),
    (TOKEN, "uv with a token", "Install with uv pip"),
    (KEYRING, "uv with keyring", "Install with uv pip"),
    (TOKEN, "poetry", "poetry with a token", "Install with poetry"),
    (KEYRING, "poetry", "Install with poetry"),
    (TOKEN, "pdm", "Install with pdm"),
]
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
IMAGE, SCRIPT, WORKERS, FUNCTION = (
    "A container image",
    "In the script",
    "For the workers of a Spark job",
    "A Lambda function",
)
REFUSAL = "When it is refused"

# What each client of the page's table of refusals is told to do; the token comes from outside.
REFUSED = {
    "pip": ("pip with a token", "Install with pip"),
    "uv": ("uv", "uv with a token", "Install with uv"),
    "poetry": ("poetry", "poetry with a token", "Install with poetry"),
    "pdm": ("pdm", "Install with pdm"),
    "uv publish": ("uv with a token", "Publish with uv"),
    "poetry publish": ("poetry with a token", "Publish with poetry"),
    "pdm publish": ("pdm with a token", "Publish with pdm"),
    "twine": ("twine with a token", "Publish with twine"),
}
# The same without what names the token.
WITHOUT_TOKEN = {
    client: tuple(heading for heading in headings if not heading.endswith("with a token"))
    for client, headings in REFUSED.items()
} | {"pip": ("pip with keyring", "Install with pip")}

# The rows of the table of refusals: a client, and what it prints for 401, 403 and 404.
REFUSALS = re.findall(r"^\| (\w+(?: publish)?) \| (.*`.*) \| (.*`.*) \| (.*`.*) \|$", PAGE, re.MULTILINE)


def blocks(*headings: str) -> list[pages.Block]:
    """The blocks of code under these headings, in the order of the headings."""
    return [block for heading in headings for block in BLOCKS if block.heading == heading]


def files(*headings: str) -> dict[str, str]:
    """The files under these headings, by name: a block whose first line is a comment with a file's name."""
    texts = [block.text for block in blocks(*headings)]
    return {name[1]: text for text in texts if (name := re.match(r"# ([\w.]+)\n", text))}


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
            "PIP_DISABLE_PIP_VERSION_CHECK": "1",
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

    def follow(self, *headings: str, also: str = "", **environment: str) -> tuple[int, str]:
        """Write the files under these headings, set the values, and run the commands, and `also`, in one shell."""
        for name, text in files(*headings).items():
            (self.home / name).write_text(text)
        script = "\n".join([commands(VALUES, *headings), also])
        return self.run("bash", "-euo", "pipefail", "-c", script, **environment)

    def installed(self) -> str:
        """The version of acme-core in the virtual environment."""
        return self.run("python", "-c", "import acme_core; print(acme_core.__version__)")[1]


@pytest.fixture
def deployed(project: Project) -> Project:
    """A repository with acme-core 1.0 in it, a reader and a publisher."""
    roles = "arn:aws:iam::111122223333:role"
    project.configure("dev", domain="acme", readers=[f"{roles}/reader"], publishers=[f"{roles}/publisher"])
    project.up("dev")
    wheel = build(project.folder, "acme-core")
    codeartifact = project.emulator.client("codeartifact")
    publish(codeartifact, "acme-core", asset=wheel.name, content=wheel.read_bytes())
    return project


@pytest.fixture
def proxy(deployed: Project) -> Iterator[TlsProxy]:
    proxy = TlsProxy(deployed.folder, HOST, deployed.emulator.endpoint)
    yield proxy
    proxy.stop()


def person(project: Project, proxy: TlsProxy, role: str, *policy: object) -> Person:
    """Somebody in the folder of a project that is built already, acme-new."""
    keys = project.emulator.assume_role(role, *policy)
    home = project.folder / f"home-{role}"
    shutil.copytree(build(home / "built", "acme-new").parents[1], home, dirs_exist_ok=True)
    return Person(project.emulator, proxy, keys, home)


@pytest.fixture
def reader(deployed: Project, proxy: TlsProxy) -> Person:
    return person(deployed, proxy, "reader", *json.loads(deployed.outputs("dev")["reader_policy"])["Statement"])


@pytest.fixture
def publisher(deployed: Project, proxy: TlsProxy) -> Person:
    return person(deployed, proxy, "publisher", *json.loads(deployed.outputs("dev")["reader_policy"])["Statement"])


def test_the_readme_leads_from_nothing_to_an_installed_package(project: Project) -> None:
    emulator, host = project.emulator, HOST.replace("acme", "example")
    for role in ("service/api", "glue/job-orchestrator", "github-actions/publish-packages", "data/notebooks"):
        emulator.assume_role(role)
    shutil.copy(ROOT / "Pulumi.dev.yaml", project.folder)
    install, *deploy = pages.commands(pages.README, "Deploy")
    assert install == "pulumi install"  # which is done
    assert project.follow("\n".join(deploy)).endswith("/simple/\n")

    (config,) = pages.blocks(pages.README, "yaml", "Give somebody access")
    path = project.folder / "Pulumi.dev.yaml"
    stack = yaml.safe_load(path.read_text())
    stack["config"] |= yaml.safe_load(config)["config"]
    path.write_text(yaml.safe_dump(stack))
    project.follow("pulumi up")

    wheel = build(project.folder, "acme-core")
    publish(
        emulator.client("codeartifact"), "acme-core", domain="example", asset=wheel.name, content=wheel.read_bytes()
    )
    proxy = TlsProxy(project.folder, host, emulator.endpoint)
    home = project.folder / "home"
    home.mkdir()
    reader = Person(emulator, proxy, emulator.session("data/notebooks"), home)
    (install,) = pages.blocks(pages.README, "sh", "Install")
    status, printed = reader.run("bash", "-euo", "pipefail", "-c", install)
    proxy.stop()

    assert status == 0, printed
    assert reader.installed() == "1.0"


def test_no_code_of_the_page_is_left_out() -> None:
    followed = {heading for way in (*INSTALLING, *PUBLISHING) for heading in way}

    assert {block.heading for block in BLOCKS} == followed | {VALUES, IMAGE, SCRIPT, WORKERS, FUNCTION, REFUSAL}


@pytest.mark.parametrize("headings", INSTALLING, ids=" + ".join)
def test_installs(headings: tuple[str, ...], reader: Person, proxy: TlsProxy) -> None:
    status, printed = reader.follow(*headings)

    assert status == 0, printed
    assert reader.installed() == "1.0"
    # And not of public PyPI, where anyone can publish an acme-core.
    assert {url.partition("/")[0] for url in proxy.asked} <= {HOST}


@pytest.mark.parametrize("client", ["uv", "poetry"])
def test_takes_nothing_else_from_the_repository(client: str, reader: Person, proxy: TlsProxy) -> None:
    text = files(client)["pyproject.toml"]
    (reader.home / "pyproject.toml").write_text(text.replace('["acme-core"]', '["acme-core", "public"]'))
    reader.follow(TOKEN, f"{client} with a token", f"Install with {client}")

    assert "public" in {part for url in proxy.asked if "pypi.org" in url for part in url.split("/")}
    assert f"{HOST}/pypi/private-pypi/simple/public/" not in proxy.asked


def test_keyring_tells_whether_it_works(reader: Person) -> None:
    assert reader.follow(KEYRING)[1].endswith("keyring works")
    assert not reader.follow(KEYRING, **NO_KEYRING)[1].endswith("keyring works")


def test_pdm_asks_keyring_for_a_url_without_a_token(reader: Person) -> None:
    for name, text in files("pdm").items():
        assert "With keyring, take `aws:${TOKEN}@` out of the URL." in PAGE
        (reader.home / name).write_text(text.replace("aws:${TOKEN}@", ""))
    status, printed = reader.follow(KEYRING, "Install with pdm")

    assert status == 0, printed
    assert reader.installed() == "1.0"


@pytest.mark.parametrize("headings", PUBLISHING, ids=" + ".join)
def test_publishes(headings: tuple[str, ...], publisher: Person, emulator: Emulator) -> None:
    status, printed = publisher.follow(*headings)

    assert status == 0, printed
    assert packages(emulator) == ["acme-core", "acme-new"]


def test_locks_hold_no_token(reader: Person) -> None:
    for client in ("uv", "poetry", "pdm"):
        reader.follow(TOKEN, *REFUSED[client], also='echo "$TOKEN" > token')
        token = (reader.home / "token").read_text().strip()
        assert token not in (reader.home / f"{client}.lock").read_text()


def test_an_image_gets_the_token_as_a_secret_and_keeps_nothing_of_it(reader: Person) -> None:
    """What `docker build` would run, in this file system; the folder of the secrets alone has another name."""
    (reader.home / "secrets").mkdir()
    reader.follow(TOKEN, also='printf %s "$TOKEN" > secrets/token; echo "$INDEX_URL" > index_url')
    token = reader.home / "secrets/token"
    dockerfile = files(IMAGE)["Dockerfile"]
    steps = re.findall(r"^([A-Z]+) ((?:\\\n|.)*)", dockerfile, re.MULTILINE)
    mount, run = dict(steps)["RUN"].split(" ", maxsplit=1)
    status, printed = reader.run(
        *("sh", "-euc", run.replace("/run/secrets/", f"{token.parent}/")),
        INDEX_URL=(reader.home / "index_url").read_text().strip(),
    )

    assert status == 0, printed
    assert reader.installed() == "1.0"
    assert [step for step, _ in steps] == ["FROM", "ARG", "RUN"]
    assert mount == "--mount=type=secret,id=token,required=true"
    assert dict(steps)["ARG"] == "INDEX_URL"
    assert shlex.split(commands(IMAGE)) == [
        *("docker", "build", "--secret", "id=token,env=TOKEN", "--build-arg", "INDEX_URL", ".")
    ]
    secret = token.read_bytes()
    assert [path for path in reader.home.rglob("*") if path.is_file() and secret in path.read_bytes()] == [token]


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
    assert reader.installed() == "1.0"


def test_a_lambda_function_is_built_with_its_packages(reader: Person) -> None:
    status, printed = reader.follow(FUNCTION)
    assert status == 0, printed

    with ZipFile(reader.home / "function.zip") as archive:
        archive.extractall(reader.home / "function")
    call = "import handler; print(handler.handler({}, None))"
    assert reader.run("sh", "-c", f"cd function && python -c '{call}'") == (0, "1.0")


def test_whoever_gets_no_token_is_told_so(deployed: Project, proxy: TlsProxy) -> None:
    stranger = person(deployed, proxy, "stranger")

    assert "AccessDeniedException" in stranger.follow(TOKEN)[1]


def test_the_number_of_a_refusal_is_to_be_had(reader: Person) -> None:
    assert reader.follow(TOKEN, REFUSAL) == (0, "200")
    assert reader.follow(REFUSAL, TOKEN="ended") == (0, "404")


def test_the_table_has_every_client() -> None:
    assert [row[0] for row in REFUSALS] == list(REFUSED)


@pytest.mark.parametrize(("client", "unauthorized", "forbidden", "not_found"), REFUSALS, ids=list(REFUSED))
def test_refusals_read_as_the_table_says(
    client: str, unauthorized: str, forbidden: str, not_found: str, deployed: Project, proxy: TlsProxy
) -> None:
    stranger = person(deployed, proxy, "stranger", TOKEN_ONLY)
    said = [
        (unauthorized, stranger.follow(*WITHOUT_TOKEN[client], **NO_KEYRING)),
        (forbidden, stranger.follow(TOKEN, *REFUSED[client])),
        (not_found, stranger.follow(*REFUSED[client], TOKEN="ended")),
    ]

    for cell, (status, printed) in said:
        assert status != 0
        assert [phrase for phrase in re.findall("`(.*?)`", cell) if phrase not in printed] == []
