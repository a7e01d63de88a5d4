"""The signed-in user: calls with retries, one new token where one is needed, and errors that say something.

What a request's body is, `operations` says; how it travels is the transport's business.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from microsoft_pipeline import errors
from microsoft_pipeline.connections import Connections
from microsoft_pipeline.downloads import Downloads
from microsoft_pipeline.errors import CALL_RATE, EXPIRED_TOKEN, INVALID_CREDENTIALS, RefusedError
from microsoft_pipeline.operations import Call
from microsoft_pipeline.rates import Rates
from microsoft_pipeline.settings import Settings
from microsoft_pipeline.sign_in import SignIn
from microsoft_pipeline.transport import Caller, transport_for
from wire import Backoff, Kind, Limiter, PipelineError, call_with_retries, count_calls

T = TypeVar("T")


class Client:
    """Safe to share between threads."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.limiter = Limiter(settings.concurrency)
        # One more than requests have places, because a sign-in takes none.
        connections = Connections(settings.request_timeout, settings.concurrency + 1)
        self.downloads = Downloads(connections, self.limiter)
        self._backoff = Backoff(settings.retry_attempts, settings.retry_first_wait)
        self._sign_in = SignIn(settings, connections)
        self._transport = transport_for(settings, connections)
        self._rates = Rates(self.limiter, settings.rate_limit_wait)

    def sign_in(self) -> None:
        """Make sure that a new refresh token can be kept, then get an access token."""
        self._sign_in.check_writable()
        self.retried(lambda: self._sign_in.token, "user")

    def retried(self, call: Callable[[], T], what: str) -> T:
        """Call again, with growing waits, as long as the failure is one that passes.

        Each request inside takes its own place, so what is repeated may be several of them.
        """
        return call_with_retries(
            call, mendable=errors.is_passing, backoff=self._backoff, what=what, sleep=self.limiter.rest
        )

    def call(self, call: Call, *, account_id: str = "", customer_id: str = "") -> dict[str, Any]:
        """The answer to a call, on behalf of an account where the service wants one; raises PipelineError."""
        whose = f"account {account_id}" if account_id else "user"
        return self.retried(lambda: self.call_once(call, account_id=account_id, customer_id=customer_id), whose)

    def listed(self, call: Call, name: str, *, account_id: str = "", customer_id: str = "") -> list[dict[str, Any]]:
        """The objects of the list in an answer; one that lacks its list is asked for again."""
        whose = f"account {account_id}" if account_id else "user"
        return self.retried(
            lambda: _list_in(self.call_once(call, account_id=account_id, customer_id=customer_id), name, call), whose
        )

    def call_once(self, call: Call, *, account_id: str = "", customer_id: str = "") -> dict[str, Any]:
        """The same without another attempt, for those who repeat more than the call."""
        caller = Caller(self._sign_in.token, account_id, customer_id)
        try:
            return self._send(call, caller)
        except RefusedError as refused:
            another = self._another_token(refused, caller.token)
            if another is None:
                raise self._explained(refused, call, account_id) from refused
        try:
            return self._send(call, Caller(another, account_id, customer_id))
        except RefusedError as refused:
            raise self._explained(refused, call, account_id) from refused

    def _send(self, call: Call, caller: Caller) -> dict[str, Any]:
        """One request, in its place; a throttle halves the places, and holds back those whom it is about."""
        key = call.operation.service, caller.customer_id
        self._rates.wait_for_turn(key)
        seen = 0
        try:
            with self.limiter.place() as seen:
                count_calls()
                return self._transport.send(call, caller)
        except RefusedError as refused:
            if refused.decisive.code == CALL_RATE:
                self.limiter.throttled(seen)
                self._rates.refused(key)
            raise
        except PipelineError as error:
            if error.kind is Kind.RATE_LIMIT:
                # A bare 429 says of nobody whom it is about.
                self.limiter.throttled(seen, pause=min(error.retry_after or 0, self._backoff.longest))
            raise

    def _another_token(self, refused: RefusedError, used: str) -> str | None:
        """A token to try the call again with, None where none can help."""
        if refused.decisive.code == INVALID_CREDENTIALS:
            return self._sign_in.doubt(used)
        if refused.decisive.code == EXPIRED_TOKEN or (refused.status == 401 and not refused.errors):
            return self._sign_in.renew(used)
        return None

    def _explained(self, refused: RefusedError, call: Call, account_id: str) -> PipelineError:
        return errors.of_refusal(
            refused, str(call), account_id=account_id or None, rate_limit_wait=self.settings.rate_limit_wait
        )


def _list_in(answer: dict[str, Any], name: str, call: Call) -> list[dict[str, Any]]:
    """The objects of an answer's list; a null list has none, an answer without its list is an error (transient)."""
    if name not in answer:
        raise PipelineError(Kind.TRANSIENT, f"{call}: the answer has no {name}")
    given = answer[name]
    if given is None:
        return []
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        raise PipelineError(Kind.TRANSIENT, f"{call}: {name} is not a list of objects")
    return given
