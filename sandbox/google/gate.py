"""What every request passes before it is answered: the token, the quota, faults, and how a failure is told."""

from __future__ import annotations

import itertools
import os
import re
import threading
from importlib import import_module
from typing import Any, NoReturn

import grpc

from sandbox.faults import LOSSES, Faults
from sandbox.google.encoding import varint
from sandbox.google.oauth import Tokens
from sandbox.google.quirks import Quirks
from sandbox.google.throttles import Throttles
from sandbox.pace import Pace

Midway = tuple[str, "dict[str, Any] | None", str]
"""Status, error and text of a failure that comes after the first batch."""

_OF_CAMPAIGNS = re.compile(r"\bFROM\s+campaign\b", re.I)
_STRIKING = ("rate_limit", "expired_token", "revoked_token", "server_error", "broken_connection", "hang")
_MAKE_TOKEN_STALE = {"error_code": {"authentication_error": "OAUTH_TOKEN_EXPIRED"}, "message": "The token is expired."}
_TOO_MANY = {
    "error_code": {"quota_error": "RESOURCE_TEMPORARILY_EXHAUSTED"},
    "message": "Too many requests. Retry in 0 seconds.",
    "details": {"quota_error_details": {"rate_scope": "ACCOUNT", "retry_delay": {"seconds": 0, "nanos": 100_000_000}}},
}
_BROKEN = {"error_code": {"internal_error": "INTERNAL_ERROR"}, "message": "An internal error has occurred."}
_STATUSES = {
    "authorization_error": "PERMISSION_DENIED",
    "authentication_error": "UNAUTHENTICATED",
    "internal_error": "INTERNAL",
    "quota_error": "RESOURCE_EXHAUSTED",
}


class Call:
    """One request under way: how it is refused in the version of the API that it was made in."""

    def __init__(self, version: str, context: grpc.ServicerContext, number: int) -> None:
        self.request_id = f"sandbox{number:06d}"
        self.midway: Midway | None = None
        self._context = context
        self._package = f"google.ads.googleads.{version}.errors"
        context.send_initial_metadata((("request-id", self.request_id),))

    def go_on(self) -> None:
        """Past the first batch, where some failures come."""
        if self.midway:
            self.abort(*self.midway)

    def refuse(self, family: str, code: str, text: str) -> NoReturn:
        """Answer with an error of Google's; a family or code that is a number is one that no SDK names."""
        status = _STATUSES.get(family, "INVALID_ARGUMENT")
        if family.isdigit():
            self.abort(status, {"message": text}, unknown=(int(family), int(code)))
        value = int(code) if code.isdigit() else code
        self.abort(status, {"error_code": {family: value}, "message": text})

    def abort(
        self, status: str, error: dict[str, Any] | None, text: str = "", *, unknown: tuple[int, int] | None = None
    ) -> NoReturn:
        """End the call with a status, and with Google's failure in the trailing metadata where there is an `error`."""
        metadata: list[tuple[str, str | bytes]] = [("request-id", self.request_id)]
        if error is not None:
            errors = import_module(f"{self._package}.types.errors")
            failure = errors.GoogleAdsFailure.pb()(request_id=self.request_id, errors=[error])
            if unknown is not None:
                # A varint field of the oneof under a number that the SDK's message does not have.
                field, value = unknown
                failure.errors[0].error_code.MergeFromString(varint(field << 3) + varint(value))
            metadata.append((f"{self._package}.googleadsfailure-bin", failure.SerializeToString()))
            text = error["message"]
        self._context.set_trailing_metadata(tuple(metadata))
        self._context.abort(grpc.StatusCode[status], text)
        raise AssertionError("abort raises")


class Gate:
    """Shared by all versions; safe to use from several threads."""

    def __init__(self, faults: Faults, tokens: Tokens, closing: threading.Event, quirks: Quirks, pace: Pace) -> None:
        self._faults, self._tokens, self._closing, self._quirks = faults, tokens, closing, quirks
        self._pace = pace
        self._throttles = Throttles() if pace.throttled else None
        self._connected: set[str] = set()
        self._requests = itertools.count(1)
        self._operations = int(os.environ.get("SANDBOX_GOOGLE_DAILY_OPERATIONS") or 2**31)
        self._outages = itertools.cycle([("INTERNAL", False), ("UNAVAILABLE", False), ("INTERNAL", True)])

    def begun(self, version: str, context: grpc.ServicerContext, customer_id: str = "") -> Call:
        """Let the round trip pass and a fault strike, and check rates and the token."""
        # Here and not in an interceptor: gRPC looks for the handlers of all calls on one thread.
        self._take_time(context.peer())
        number = next(self._requests)
        call = Call(version, context, number)
        if number > self._operations:
            call.abort("RESOURCE_EXHAUSTED", used_up(3600, "DEVELOPER"))
        refusal = self._throttles.refusal(customer_id) if self._throttles else None
        if refusal:
            call.abort("RESOURCE_EXHAUSTED", too_fast(*refusal))
        self._strike(call, context, customer_id)
        token = dict(context.invocation_metadata()).get("authorization", "").removeprefix("Bearer ")
        if not self._tokens.accepts(token):
            call.abort("UNAUTHENTICATED", _MAKE_TOKEN_STALE)
        return call

    def _take_time(self, peer: str) -> None:
        """A round trip; the first call of a connection also takes those of its handshakes."""
        if peer not in self._connected:
            self._connected.add(peer)
            self._pace.connect()
        self._pace.answer()

    def _strike(self, call: Call, context: grpc.ServicerContext, customer_id: str) -> None:
        fault = self._faults.strike(*_STRIKING, account=customer_id or None)
        if fault == "hang":
            while context.is_active() and not self._closing.wait(0.05):
                pass
            context.abort(grpc.StatusCode.CANCELLED, "hung up")
        elif fault == "expired_token":
            self._tokens.expire()
        elif fault == "revoked_token":
            self._tokens.revoke()
        elif fault == "rate_limit":
            call.abort("RESOURCE_EXHAUSTED", _TOO_MANY)
        elif fault == "broken_connection":
            call.midway = ("UNAVAILABLE", None, "Connection reset by peer")
        elif fault == "server_error":
            status, late = next(self._outages)
            midway = (status, _BROKEN if status == "INTERNAL" else None, "The service is currently unavailable.")
            if not late:
                call.abort(*midway)
            call.midway = midway

    def loss(self, customer_id: str, query: str) -> str | None:
        """What a daily report of campaigns loses on its way."""
        is_daily = "segments.date" in query and "metrics." in query
        return self._faults.strike(*LOSSES, account=customer_id) if is_daily and _OF_CAMPAIGNS.search(query) else None

    def check_quirks(self, customer_id: str, call: Call) -> None:
        """Refuse what a quirk refuses."""
        spent = self._quirks.spent(customer_id)
        if spent is not None:
            call.abort("RESOURCE_EXHAUSTED", used_up(*spent))
        refusal = self._quirks.refusal(customer_id)
        if refusal is not None:
            family, _, code = refusal.partition(".")
            call.refuse(family, code, "The account is refused by a quirk.")


def too_fast(scope: str, seconds: int) -> dict[str, Any]:
    """The error of requests that come too fast, with the time to wait."""
    names = {"ACCOUNT": "Requests per account", "DEVELOPER": "Requests per developer token"}
    quota = {"rate_scope": scope, "rate_name": names[scope], "retry_delay": {"seconds": seconds}}
    return {
        "error_code": {"quota_error": "RESOURCE_TEMPORARILY_EXHAUSTED"},
        "message": f"Too many requests. Retry in {seconds} seconds.",
        "details": {"quota_error_details": quota},
    }


def used_up(seconds: int, scope: str) -> dict[str, Any]:
    """The error of a quota that is back in so many seconds, as it was recorded."""
    return {
        "error_code": {"quota_error": "RESOURCE_EXHAUSTED"},
        "message": f"Too many requests. Retry in {seconds} seconds.",
        "details": {
            "quota_error_details": {
                "rate_scope": scope,
                "rate_name": "Number of operations for basic access",
                "retry_delay": {"seconds": seconds},
            }
        },
    }
