"""The storage account: a client from the connection string, its patience, and its refusals as sentences.

Retries are azure-core's, with a sleep that an interruption ends. Every write of ours may be repeated, so a lost
connection is retried for POST too, which azure-core leaves alone by default.
"""

from __future__ import annotations

import logging
import re
from base64 import b64decode
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from attrs import frozen
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    IncompleteReadError,
    ServiceRequestError,
    ServiceResponseError,
    ServiceResponseTimeoutError,
)
from azure.core.pipeline.transport import RequestsTransport
from azure.core.utils import parse_connection_string
from azure.data.tables import TableClient

from supervisor.config.environment import AzureAccess
from supervisor.config.errors import SinkError
from supervisor.sinks.azure_table.flights import pause
from supervisor.sinks.azure_table.keys import check_prefix
from wire.endpoints import is_loopback

T = TypeVar("T")

EMULATOR_ACCOUNT = "devstoreaccount1"
_METHODS = frozenset({"GET", "HEAD", "PUT", "POST", "PATCH", "MERGE", "DELETE", "OPTIONS"})
_BUSY = (429, 500, 502, 503, 504)
_UNKNOWN_HOST = re.compile(r"NameResolutionError|getaddrinfo|resolve", re.I)


@frozen(kw_only=True)
class Patience:
    """How often and how long a request is tried; seconds. Eight tries of a busy service take about 80 seconds.

    `read` is above the 30 seconds after which the service itself gives up a request.
    """

    busy: int = 7
    unreachable: int = 4
    unanswered: int = 2
    longest_pause: float = 30.0
    connect: float = 10.0
    read: float = 40.0


IMPATIENT = Patience(busy=2, unreachable=1, unanswered=0)


class _Transport(RequestsTransport):  # type: ignore[misc]  # azure-core exports it in a way that mypy cannot follow
    def __init__(self, patience: Patience) -> None:
        super().__init__(connection_timeout=patience.connect, read_timeout=patience.read)
        self._longest_pause = patience.longest_pause
        self.open()  # two threads that both find it closed would each open it

    def sleep(self, duration: float) -> None:
        pause(min(duration, self._longest_pause))


class Account:
    """One storage account. `host` is its name on the network, for sentences; the key is in none of them."""

    def __init__(self, access: AzureAccess, patience: Patience | None = None) -> None:
        self.prefix = access.table_name.lower()
        self._text = access.connection_string
        self._patience = patience or Patience()
        wrong = check_prefix(access.table_name)
        if wrong is not None:
            raise SinkError(wrong)
        _silence()
        self._transport = _Transport(self._patience)
        try:
            self.host = _checked_host(self.table(self.prefix))
        except BaseException:
            self.close()
            raise

    def table(self, name: str) -> TableClient:
        patience = self._patience
        try:
            # The SDK would sign with what is left of a key that lost a character.
            b64decode(parse_connection_string(self._text).get("accountkey", ""), validate=True)
            return TableClient.from_connection_string(
                self._text,
                name,
                transport=self._transport,
                retry_total=2 * patience.busy,
                retry_status=patience.busy,
                retry_connect=patience.unreachable,
                retry_read=patience.unanswered,
                retry_backoff_max=patience.longest_pause,
            )
        except ValueError as cause:
            # The cause is the SDK's, and might show what it could not read.
            raise SinkError(
                "AZURE_STORAGE_CONNECTION_STRING is not a connection string of a storage account: expected "
                '"AccountName=...;AccountKey=...;EndpointSuffix=core.windows.net" with perhaps a TableEndpoint'
            ) from cause.with_traceback(None)

    @contextmanager
    def refusals(self) -> Iterator[None]:
        """What Azure, or the way to it, refuses within the block is a SinkError."""
        try:
            yield
        except (AzureError, OSError) as error:  # azure-core lets errors of `requests` through, which are OSErrors
            raise SinkError(refusal(self.host, error)) from error

    def close(self) -> None:
        self._transport.close()


def repeated(work: Callable[[], T]) -> T:
    """Do `work` again where its answer broke off, or a part of a transaction found the service busy.

    azure-core retries neither: it has returned the response by then.
    """
    for attempt in range(2):
        try:
            return work()
        except ServiceResponseTimeoutError:
            raise  # it has waited long enough
        except (ServiceResponseError, IncompleteReadError, OSError):
            pause(attempt)
        except HttpResponseError as error:
            if error.status_code not in _BUSY or not _inside_a_transaction(error):
                raise
            pause(0.5 + attempt)
    return work()


def options() -> dict[str, Any]:
    """For each call of the SDK: what can only be said there."""
    return {"retry_on_methods": _METHODS}


def refusal(host: str, error: AzureError | OSError) -> str:
    """What went wrong, as a sentence without anything secret."""
    if isinstance(error, ServiceRequestError):
        if _UNKNOWN_HOST.search(str(error)):
            return f"the host {host} of AZURE_STORAGE_CONNECTION_STRING is not known to the name service"
        return f"Azure Table Storage cannot be reached at {host}: {_innermost(error)}"
    if isinstance(error, ServiceResponseError | IncompleteReadError | OSError):
        return f"the connection to Azure Table Storage at {host} was lost: {_innermost(error)}"
    status = getattr(error, "status_code", None)
    code = code_of(error) or str(status)
    if isinstance(error, ClientAuthenticationError) or status in (401, 403):
        return (
            f"Azure Table Storage at {host} refused the credentials ({code}): the key or the signature of "
            "AZURE_STORAGE_CONNECTION_STRING is wrong or expired, or the account does not let this machine in"
        )
    if status in _BUSY:
        return f"Azure Table Storage at {host} is throttled or busy ({status} {code}) and stayed so; try again later"
    return f"Azure Table Storage at {host} refused: {code}: {_first_line(getattr(error, 'message', '') or str(error))}"


def code_of(error: AzureError) -> str:
    """What the service calls its refusal: TableNotFound."""
    code = getattr(error, "error_code", None)
    return str(getattr(code, "value", code) or "")


def _checked_host(client: TableClient) -> str:
    scheme, _, rest = client.url.partition("://")
    host = rest.split("/")[0].split("?")[0]
    name = host.rsplit(":", 1)[0].strip("[]")
    if scheme == "http" and not is_loopback(name) and client.account_name != EMULATOR_ACCOUNT:
        raise SinkError(
            f"AZURE_STORAGE_CONNECTION_STRING would send everything to {host} without encryption; "
            "use DefaultEndpointsProtocol=https"
        )
    return host


def _inside_a_transaction(error: HttpResponseError) -> bool:
    return type(error).__name__ == "TableTransactionError"


def _innermost(error: BaseException) -> str:
    """The reason below the wrappings of three libraries."""
    reason: BaseException = error
    while True:
        inner = getattr(reason, "inner_exception", None) or getattr(reason, "reason", None)
        inner = inner or next((each for each in reason.args if isinstance(each, BaseException)), None)
        if not isinstance(inner, BaseException):
            # urllib3 says which object it was before it says what was wrong.
            text = next((str(each) for each in reversed(reason.args) if each), type(reason).__name__)
            return re.sub(r"^.*object at 0x\w+>: |^\w+\(host=.*?\): ", "", _first_line(text))
        reason = inner


def _first_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[0] if lines else "it says no more"


def _silence() -> None:
    """Python prints warnings of libraries to the terminal where nobody handles them."""
    for name in ("azure", "urllib3"):
        logger = logging.getLogger(name)
        if not any(isinstance(handler, logging.NullHandler) for handler in logger.handlers):
            logger.addHandler(logging.NullHandler())
