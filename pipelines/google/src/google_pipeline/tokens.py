"""Access tokens: from a user's refresh token or the key file of a service account, renewed under a lock."""

from __future__ import annotations

import functools
import json
import logging
import threading
from concurrent.futures import Future
from typing import Any

from google.auth import exceptions as auth
from google.auth.transport import Response
from google.auth.transport.requests import Request
from google.oauth2 import credentials, service_account

from google_pipeline.settings import Access
from wire import Kind, PipelineError

log = logging.getLogger(__name__)

SCOPE = "https://www.googleapis.com/auth/adwords"
_REFUSED_FOR_GOOD = frozenset(
    {"invalid_grant", "invalid_client", "unauthorized_client", "deleted_client", "disabled_client", "access_denied"}
)
_REAUTHENTICATION = frozenset({"invalid_rapt", "rapt_required"})


class Tokens:
    """The login's credentials, safe to renew from several threads.

    They are renewed here and nowhere else: inside gRPC a refused refresh token looks like an outage. `timeout` is in
    seconds.
    """

    def __init__(self, access: Access, timeout: float) -> None:
        self.credentials = _credentials(access)
        self._endpoint = _Endpoint()
        self._request = functools.partial(self._endpoint, timeout=timeout)
        self._lock = threading.Lock()
        self._failures = 0
        self._failed: PipelineError | None = None
        self._ahead: Future[None] | None = None

    def fetch_ahead(self) -> None:
        """Begin to fetch the first token while something else is done; `ready` waits for it, and raises its failure."""
        ahead: Future[None] = Future()

        def fetch() -> None:
            try:
                self.renew(None)
            except BaseException as error:  # noqa: BLE001 - raised again by `ready`, on the thread that asks
                ahead.set_exception(error)
            else:
                ahead.set_result(None)

        self._ahead = ahead
        threading.Thread(target=fetch, name="token", daemon=True).start()

    def ready(self) -> None:
        """Make sure that there is a token that lasts; raises as `renew` does."""
        ahead, self._ahead = self._ahead, None
        if ahead is not None:
            ahead.result()
        if not self.credentials.valid:
            self.renew(self.credentials.token)

    def renew(self, refused: str | None) -> None:
        """Fetch a new token in place of the `refused` one, unless another thread has.

        Raises PipelineError: auth where Google refuses one, transient for an outage. Who waited while another thread
        was refused is answered the same.
        """
        failures = self._failures
        with self._lock:
            if self.credentials.token != refused and self.credentials.valid:
                return
            if self._failed is not None and self._failures != failures:
                raise PipelineError(self._failed.kind, self._failed.message, retry_after=self._failed.retry_after)
            try:
                self._refresh()
            except PipelineError as error:
                self._failures += 1
                self._failed = error
                raise

    def _refresh(self) -> None:
        try:
            self.credentials.refresh(self._request)
        except auth.GoogleAuthError as cause:
            raise token_failure(cause, self._endpoint.refusal) from None
        except (TypeError, ValueError, AttributeError, KeyError):
            sentence = "the token endpoint answered with something else than JSON"
            raise PipelineError(Kind.TRANSIENT, sentence) from None


class _Endpoint:
    """The transport of token requests, which keeps the last refusal: some of google-auth's exceptions lose it."""

    def __init__(self) -> None:
        self._send = Request()
        self.refusal: dict[str, Any] = {}

    def __call__(self, *arguments: Any, **named: Any) -> Response:
        self.refusal = {}
        response = self._send(*arguments, **named)
        if response.status >= 400:
            self.refusal = _object(response.data)
        return response


def _object(body: bytes | str) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}


def token_failure(cause: auth.GoogleAuthError, refusal: dict[str, Any] | None = None) -> PipelineError:
    """Google's refusal of a token, or an outage on the way; the answer's text is not quoted, it may hold a token."""
    answer = refusal or next((each for each in cause.args if isinstance(each, dict)), {})
    code, subtype = str(answer.get("error", "")), str(answer.get("error_subtype", ""))
    if subtype in _REAUTHENTICATION:
        return PipelineError(
            Kind.AUTH,
            f"Google refuses to give an access token ({code}, {subtype}): the Workspace's session control wants the "
            "user to sign in again; have its administrator trust this OAuth client, or use a service account",
        )
    if code in _REFUSED_FOR_GOOD:
        return PipelineError(
            Kind.AUTH,
            f"Google refuses to give an access token ({code}): the refresh token is revoked or expired, or the OAuth "
            "client is wrong; authorize anew and replace the refresh token",
        )
    if isinstance(cause, auth.TransportError):
        return PipelineError(Kind.TRANSIENT, "the token endpoint cannot be reached; check network, proxy and TLS roots")
    if isinstance(cause, (auth.MalformedError, auth.InvalidValue)):
        return PipelineError(Kind.CONFIG, "the service account's key file is malformed")
    told = code or "no JSON in the answer"
    return PipelineError(Kind.TRANSIENT, f"the token endpoint failed ({told})")


def _credentials(access: Access) -> Any:
    if access.key_file is None:
        return credentials.Credentials(
            None,
            refresh_token=access.refresh_token,
            client_id=access.client_id,
            client_secret=access.client_secret,
            token_uri=access.token_uri,
        )
    try:
        return service_account.Credentials.from_service_account_info(
            access.key, scopes=[SCOPE], subject=access.impersonated_email
        )
    except (ValueError, KeyError, TypeError):
        raise PipelineError(
            Kind.CONFIG, f"json_key_file_path: {access.key_file} is not the key file of a service account"
        ) from None
