"""A way to the local AWS endpoint by the host name that a repository has on AWS, with a public PyPI beside it."""

import base64
import hashlib
import json
import ssl
import threading
from functools import partial
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import trustme
from packaging.metadata import parse_email
from packaging.utils import canonicalize_name, parse_wheel_filename

PEP_691 = "application/vnd.pypi.simple.v1+json"
NOT_PASSED_ON = {"Connection", "Date", "Transfer-Encoding"}


class PublicPypi:
    """What https://pypi.org has: the wheels that a test uploads, as PEP 691 and as PyPI's own JSON for Poetry."""

    def __init__(self) -> None:
        self.wheels: list[Path] = []

    def answer(self, path: str) -> bytes | None:
        """What is at a path, or `None` if nothing is."""
        match path.strip("/").split("/"):
            case ["packages", name]:
                return next((wheel.read_bytes() for wheel in self.wheels if wheel.name == name), None)
            case ["simple", project]:
                files = [_described(wheel) for wheel in self._wheels_of(project)]
                page = {"meta": {"api-version": "1.1"}, "name": project, "files": files}
            case ["pypi", project, version, "json"]:
                files = [_described(wheel) for wheel in self._wheels_of(project, version)]
                page = {"info": _metadata(*self._wheels_of(project, version)), "urls": files} if files else {"urls": []}
            case _:
                return None
        return json.dumps(page).encode() if files else None

    def _wheels_of(self, project: str, version: str = "") -> list[Path]:
        parsed = [(wheel, *parse_wheel_filename(wheel.name)[:2]) for wheel in self.wheels]
        return [
            wheel
            for wheel, its_project, its_version in parsed
            if its_project == canonicalize_name(project) and version in {"", str(its_version)}
        ]


def _described(wheel: Path) -> dict[str, Any]:
    """A file, in the words of both of PyPI's interfaces."""
    hashes = {"sha256": hashlib.sha256(wheel.read_bytes()).hexdigest()}
    return {
        "filename": wheel.name,
        "url": f"https://pypi.org/packages/{wheel.name}",
        "hashes": hashes,
        "digests": hashes,
        "packagetype": "bdist_wheel",
        "requires-python": ">=3.11",
        "size": wheel.stat().st_size,
        "upload-time": "2026-01-01T00:00:00Z",
        "yanked": False,
    }


def _metadata(wheel: Path) -> dict[str, Any]:
    with ZipFile(wheel) as archive:
        (name,) = [name for name in archive.namelist() if name.endswith(".dist-info/METADATA")]
        return {"requires_dist": []} | {**parse_email(archive.read(name))[0]}


class TlsProxy:
    """An HTTPS proxy that leads to `endpoint` by the name `host`, and to `public` by pypi.org; no other host is there.

    Behind it clients use the URLs that they use on AWS, and keyrings.codeartifact recognizes them. As on AWS, a token
    is good with the user name `aws` alone.
    """

    def __init__(self, folder: Path, host: str, endpoint: str) -> None:
        self.host = host
        self.endpoint = endpoint.removeprefix("http://")
        self.public = PublicPypi()
        self.asked: set[str] = set()
        self.authority = trustme.CA()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, self))
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        bundle = folder / "authority.pem"
        self.authority.cert_pem.write_to_path(bundle)
        self.environment = {
            "CURL_CA_BUNDLE": str(bundle),
            "HTTPS_PROXY": f"http://127.0.0.1:{self._server.server_port}",
            "PIP_CERT": str(bundle),
            "SSL_CERT_FILE": str(bundle),
        }

    def stop(self) -> None:
        """End it."""
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, proxy: TlsProxy, *arguments: Any) -> None:
        self.proxy = proxy
        self.host = ""
        super().__init__(*arguments)

    def do_CONNECT(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.host = self.path.rpartition(":")[0]
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.proxy.authority.issue_cert(self.host).configure_cert(tls)
        self.connection = tls.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", buffering=0)
        self.close_connection = False

    def do_GET(self) -> None:
        self.proxy.asked.add(self.host + self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        if self.host == self.proxy.host:
            status, headers, content = self._endpoint(body)
        else:
            page = self.proxy.public.answer(self.path) if self.host == "pypi.org" else None
            status, headers, content = (200, {"Content-Type": PEP_691}, page) if page else (404, {}, b"")
        self.send_response(status)
        for name, value in ({"Content-Length": str(len(content))} | headers).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_HEAD = do_POST = do_GET  # noqa: N815

    def _endpoint(self, body: bytes) -> tuple[int, dict[str, str], bytes]:
        """What the endpoint answers: status, headers and content."""
        credentials = base64.b64decode(self.headers.get("Authorization", "").removeprefix("Basic "))
        if credentials and not credentials.startswith(b"aws:"):
            return 401, {}, b""
        connection = HTTPConnection(self.proxy.endpoint)
        connection.request(self.command, self.path, body or None, dict(self.headers))
        answer = connection.getresponse()
        content = answer.read()
        connection.close()
        headers = {name.title(): value for name, value in answer.getheaders()}
        return answer.status, {name: headers[name] for name in headers.keys() - NOT_PASSED_ON}, content

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing: the endpoint has a log."""
