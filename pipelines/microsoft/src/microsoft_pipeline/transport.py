"""What carries calls to Microsoft: the one thing that REST and SOAP have in common, and the choice between them."""

from __future__ import annotations

from typing import Any, Protocol

from msgspec import Struct

from microsoft_pipeline.connections import Connections
from microsoft_pipeline.operations import Call
from microsoft_pipeline.settings import Settings


class Caller(Struct, frozen=True):
    """On whose behalf a call is made: the user of the access token, and where the service wants one, an account."""

    token: str
    account_id: str = ""
    customer_id: str = ""


class Transport(Protocol):
    """Sends a call and gives the answer in the shapes of the REST API.

    Raises RefusedError for a fault of the service, PipelineError for what is no answer of the service at all.
    """

    def send(self, call: Call, caller: Caller) -> dict[str, Any]: ...


def transport_for(settings: Settings, connections: Connections) -> Transport:
    """The transport that the settings name; what the other one needs is not imported."""
    if settings.transport == "soap":
        from microsoft_pipeline.soap import SoapTransport  # noqa: PLC0415 - parses a service's description on import

        return SoapTransport(settings, connections)
    from microsoft_pipeline.rest import RestTransport  # noqa: PLC0415 - it takes `Caller` from here

    return RestTransport(settings, connections)
