"""The REST API: one POST of JSON per call, and the faults of all three lists.

Microsoft's own client `msads` is not used: it takes two seconds to import, refuses a whole answer for one value that
is newer than itself, loses ads of unknown types and hides the codes of faults.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import requests

from microsoft_pipeline import errors
from microsoft_pipeline.connections import Connections
from microsoft_pipeline.errors import ApiError, RefusedError
from microsoft_pipeline.operations import Call
from microsoft_pipeline.settings import Settings
from microsoft_pipeline.transport import Caller
from wire import Kind, PipelineError

# Names the fields of the answers that we know; a later published date is chosen on purpose, with the new fields read.
API_REVISION = "2026-10-12"
_HOSTS = {
    "CustomerManagement": "https://clientcenter.api.bingads.microsoft.com",
    "CampaignManagement": "https://campaign.api.bingads.microsoft.com",
    "Reporting": "https://reporting.api.bingads.microsoft.com",
    "Bulk": "https://bulk.api.bingads.microsoft.com",
}
_FAULT_LISTS = ("Errors", "OperationErrors", "BatchErrors")


class RestTransport:
    """Sends calls from any thread."""

    def __init__(self, settings: Settings, connections: Connections) -> None:
        self._settings = settings
        self._connections = connections

    def send(self, call: Call, caller: Caller) -> dict[str, Any]:
        """The decoded answer, with numbers as exact decimals.

        Raises RefusedError for a fault, and PipelineError for what is no answer of the service at all.
        """
        try:
            response = self._connections.post(
                self._address(call), data=json.dumps(call.body).encode(), headers=self._headers(caller)
            )
        except (requests.RequestException, OSError) as cause:
            raise errors.of_network(cause, str(call)) from cause
        answer = _decoded(response)
        if response.status_code != 200:
            raise _refused(response, answer, call)
        if not isinstance(answer, dict):
            raise PipelineError(Kind.TRANSIENT, f"{call}: the answer is not a JSON object, or is cut short")
        return answer

    def _address(self, call: Call) -> str:
        service = call.operation.service
        return f"{self._settings.api_url or _HOSTS[service]}/{service}/v13/{call.operation.path}"

    def _headers(self, caller: Caller) -> dict[str, str]:
        headers = {
            "Authorization": f"Bearer {caller.token}",
            "DeveloperToken": self._settings.developer_token,
            "Content-Type": "application/json",
            "Accept": "application/json",
            "Api-Revision": API_REVISION,
        }
        if caller.account_id:
            headers |= {"CustomerAccountId": caller.account_id, "CustomerId": caller.customer_id}
        return headers


def _decoded(response: requests.Response) -> Any:
    """The JSON of an answer, None for what is none, such as the page of a proxy."""
    try:
        return json.loads(response.content, parse_float=Decimal)
    except (ValueError, RecursionError):
        return None


def _refused(response: requests.Response, answer: Any, call: Call) -> Exception:
    """What is to be raised for an answer with another status than 200."""
    fault = answer if isinstance(answer, Mapping) else {}
    found = list(_errors(fault))
    if found or response.status_code == 401:
        tracking_id = str(fault.get("TrackingId") or response.headers.get("TrackingId") or "")
        return RefusedError(found, tracking_id=re.sub(r"[^\w-]", "", tracking_id)[:64], status=response.status_code)
    return errors.of_status(response.status_code, str(call), retry_after=_retry_after(response))


def _errors(fault: Mapping[str, Any]) -> Iterator[ApiError]:
    for name in _FAULT_LISTS:
        given = fault.get(name)
        for each in given if isinstance(given, list) else ():
            if isinstance(each, Mapping):
                yield ApiError(_code(each.get("Code")), re.sub(r"\W", "", str(each.get("ErrorCode") or ""))[:80])


def _code(given: Any) -> int | None:
    """A code is a number or the text of one."""
    try:
        return int(str(given))
    except ValueError:
        return None


def _retry_after(response: requests.Response) -> float | None:
    seconds = response.headers.get("Retry-After", "")
    return float(seconds) if seconds.isdecimal() else None
