"""AWS and the repository's URL, asked with the credentials of the environment. `check` and `adopt` alone ask.

botocore is imported late: no other command needs it.
"""

import base64
from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, cast

from private_pypi.cli.diagnosis import RefusedError
from private_pypi.cli.simple_index import ACCEPT

MAX_PAGE_BYTES = 50_000_000
"""Of a page of the index, the longest of which on public PyPI have some 10 million."""


class Aws:
    """AWS, with the credentials of the environment."""

    def __init__(self, region: str | None) -> None:
        """Look for credentials and, if `region` is none, for the region of the environment.

        Raises:
            RefusedError: the profile of the environment does not exist.
        """
        import botocore.session  # noqa: PLC0415  # pyright: ignore[reportMissingTypeStubs]

        self._session = cast("Any", botocore.session).Session()
        self._clients: dict[str, Any] = {}
        with _refusals():
            self.region: str | None = region or self._session.get_config_variable("region")

    def call(self, service: str, operation: str, answer: str, **arguments: object) -> Any:
        """What a call answers, by the name that it has there.

        Raises:
            RefusedError: AWS refuses, or does not answer.
        """
        with _refusals():
            answers = getattr(self._client(service), operation)(**arguments)
        if answer not in answers:
            raise RefusedError("HTTP 200", "an answer that is not one of AWS's")
        return answers[answer]

    def list(self, service: str, operation: str, answer: str, **arguments: object) -> list[Any]:
        """All that a call lists, of all its pages, by the name that it has there.

        Raises:
            RefusedError: AWS refuses, or does not answer.
        """
        with _refusals():
            pages = self._client(service).get_paginator(operation).paginate(**arguments)
            return pages.build_full_result().get(answer, [])

    def _client(self, service: str) -> Any:
        from botocore.config import Config  # noqa: PLC0415  # pyright: ignore[reportMissingTypeStubs]

        if service not in self._clients:
            config = cast("Any", Config)(connect_timeout=10, read_timeout=30, retries={"total_max_attempts": 2})
            self._clients[service] = self._session.create_client(service, region_name=self.region, config=config)
        return self._clients[service]

    def get(self, url: str, token: str, *, head_only: bool = False) -> tuple[int, str]:
        """The status and, unless it is `head_only`, the text of what the repository has at a URL.

        Raises:
            RefusedError: there is no answer.
        """
        status, content = self.download(url, token, max_bytes=0 if head_only else MAX_PAGE_BYTES)
        # What stands between may repeat what it was sent.
        text = content.decode(errors="replace")
        return status, text.replace(token, "[token]").replace(_password(token), "[token]")

    def download(self, url: str, token: str, *, max_bytes: int) -> tuple[int, bytes]:
        """The status and the first bytes of what the repository has at a URL.

        Raises:
            RefusedError: there is no answer.
        """
        from botocore.awsrequest import AWSRequest  # noqa: PLC0415  # pyright: ignore[reportMissingTypeStubs]
        from botocore.httpsession import URLLib3Session  # noqa: PLC0415  # pyright: ignore[reportMissingTypeStubs]
        from botocore.utils import (  # noqa: PLC0415  # pyright: ignore[reportMissingTypeStubs]
            get_environ_proxies,  # pyright: ignore[reportUnknownVariableType]
        )

        headers = {"Accept": ACCEPT, "Authorization": f"Basic {_password(token)}"}
        with _refusals():
            request = cast("Any", AWSRequest)("GET", url, headers=headers, stream_output=True).prepare()
            http = cast("Any", URLLib3Session)(
                verify=self._session.get_config_variable("ca_bundle") or True,
                proxies=cast("Any", get_environ_proxies(url)),
                timeout=(10, 30),
            )
            response = http.send(request)  # follows no redirect, which could take the token elsewhere
            content: bytes = response.raw.read(max_bytes) if max_bytes else b""
        response.raw.close()
        return response.status_code, content


def _password(token: str) -> str:
    """A token as the header of a request has it."""
    return base64.b64encode(f"aws:{token}".encode()).decode()


@contextmanager
def _refusals() -> Generator[None]:
    """Turn what botocore raises into `RefusedError`, without what it holds of the request and of the answer."""
    from botocore.exceptions import BotoCoreError, ClientError  # noqa: PLC0415  # pyright: ignore[reportMissingTypeStubs]
    from botocore.parsers import ResponseParserError  # noqa: PLC0415  # pyright: ignore[reportMissingTypeStubs]
    from urllib3.exceptions import HTTPError  # noqa: PLC0415

    try:
        yield
    except ClientError as error:
        said = cast("Any", error).response.get("Error", {})
        raise RefusedError(said.get("Code", type(error).__name__), said.get("Message", "")) from None
    except ResponseParserError as error:
        raise RefusedError(type(error).__name__, "an answer that is not one of AWS's") from None
    except BotoCoreError as error:
        raise RefusedError(type(error).__name__, str(error)) from None
    except HTTPError as error:  # while an answer was read
        raise RefusedError("ConnectionError", str(error)) from None
