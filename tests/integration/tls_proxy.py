"""A way to the local AWS endpoint by the host name that a repository has on AWS."""

import base64
import ssl
import threading
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import trustme


class TlsProxy:
    """An HTTPS proxy that leads to `endpoint` by the name `host`; every other host has nothing.

    Behind it clients use the URLs that they use on AWS, and keyrings.codeartifact recognizes them. As on AWS, a token
    is good with the user name `aws` alone.
    """

    def __init__(self, folder: Path, host: str, endpoint: str) -> None:
        authority = trustme.CA()
        self.asked: set[str] = set()
        asked = self.asked

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            host = ""

            def do_CONNECT(self) -> None:
                self.send_response(200)
                self.end_headers()
                self.host = self.path.rpartition(":")[0]
                tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
                authority.issue_cert(self.host).configure_cert(tls)
                self.connection = tls.wrap_socket(self.connection, server_side=True)
                self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", buffering=0)
                self.close_connection = False

            def do_GET(self) -> None:
                asked.add(self.host + self.path)
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                if self.host != host:
                    self.send_error(404)
                    return
                credentials = base64.b64decode(self.headers.get("Authorization", "").removeprefix("Basic "))
                if credentials and not credentials.startswith(b"aws:"):
                    self.send_error(401)
                    return
                connection = HTTPConnection(endpoint.removeprefix("http://"))
                connection.request(self.command, self.path, body or None, dict(self.headers))
                answer = connection.getresponse()
                content = answer.read()
                connection.close()
                self.send_response(answer.status)
                for name, value in answer.getheaders():
                    if name.lower() not in {"connection", "content-length", "date", "transfer-encoding"}:
                        self.send_header(name, value)
                self.send_header("Content-Length", answer.getheader("Content-Length", str(len(content))))
                self.end_headers()
                self.wfile.write(content)

            do_HEAD = do_POST = do_GET  # noqa: N815

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Say nothing: the endpoint has a log."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        bundle = folder / "authority.pem"
        authority.cert_pem.write_to_path(bundle)
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
