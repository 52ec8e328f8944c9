"""AWS, as the account whose credentials the plugin has."""

import threading
from collections.abc import Callable
from typing import Any

import boto3
from botocore.exceptions import ClientError


class Aws:
    """Clients for the region of the provider. Every service is where `AWS_ENDPOINT_URL` says."""

    def __init__(self, region: str) -> None:
        """Ask whose the credentials are: the one call that the provider makes when it starts."""
        self.region = region
        self._session = boto3.Session(region_name=region)
        self._clients: dict[str, Any] = {}
        self._lock = threading.Lock()  # a session makes one client at a time; clients may be shared
        identity = self.client("sts").get_caller_identity()
        self.account: str = identity["Account"]
        self.partition: str = identity["Arn"].split(":")[1]

    def client(self, service: str) -> Any:
        """The client of a service, by boto3's name for it."""
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._session.client(service)  # pyright: ignore[reportArgumentType, reportCallIssue, reportUnknownMemberType]
            return self._clients[service]


def code(error: ClientError) -> str:
    """Which error it is, as the service calls it."""
    return error.response["Error"]["Code"]


def message(error: ClientError) -> str:
    """What the provider prints of an error: the words of the SDK for Go."""
    answer = error.response["ResponseMetadata"]
    return (
        f"operation error {error.operation_name}, https response error StatusCode: {answer['HTTPStatusCode']}, "
        f"RequestID: {answer.get('RequestId', '')}, {code(error)}: {error.response['Error']['Message']}"
    )


class MissingError(Exception):
    """A resource does not exist."""


def found(call: Callable[..., Any], **arguments: Any) -> Any:
    """What a call answers that reads something.

    Raises:
        MissingError: it does not exist.
    """
    try:
        return call(**arguments)
    except ClientError as error:
        if not is_missing(error):
            raise
        raise MissingError from None


def is_missing(error: ClientError) -> bool:
    """Whether what was asked for does not exist."""
    return code(error) in {"NoSuchEntity", "ResourceNotFoundException"}
