"""The SDK: signing in, and calling the three services with timeouts, retries and errors that say something.

One `ServiceClient` per service, all sharing one cache, because each would otherwise parse its description anew. suds
clients are not safe to share between threads; everything here runs in one.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeVar

import requests
from bingads import AuthorizationData, OAuthTokens, OAuthWebAuthCodeGrant, ServiceClient
from bingads.util import DictCache

from microsoft_pipeline import errors
from microsoft_pipeline.heap import collector_paused
from microsoft_pipeline.settings import Settings
from microsoft_pipeline.tokens import TokenStore
from wire import Backoff, PipelineError, call_with_retries, count_calls

log = logging.getLogger(__name__)
T = TypeVar("T")

_SCOPE = "https://ads.microsoft.com/msads.manage offline_access"
_PATHS = {
    "CustomerManagementService": "/Api/CustomerManagement/v13/CustomerManagementService.svc",
    "CampaignManagementService": "/Api/Advertiser/CampaignManagement/v13/CampaignManagementService.svc",
    "ReportingService": "/Api/Advertiser/Reporting/v13/ReportingService.svc",
}


class _Grant(OAuthWebAuthCodeGrant):  # type: ignore[misc]  # the SDK is not typed, so its classes are Any
    """The SDK's grant with a refresh of its own: a token URL that can be configured, a timeout, and a token store.

    The SDK calls it by itself when a call fails because the access token has expired, and repeats the call once.
    """

    def __init__(self, settings: Settings, store: TokenStore) -> None:
        super().__init__(settings.client_id, settings.client_secret, "", tenant=settings.tenant_id)
        self._settings = settings
        self._store = store

    def request_oauth_tokens_by_refresh_token(self, refresh_token: str) -> Any:
        """Exchange the refresh token; the new one is on disk before anything uses the access token."""
        answer = self._exchange(refresh_token)
        newest = answer.get("refresh_token") or refresh_token
        if newest != refresh_token:
            self._store.keep(newest)
        self._oauth_tokens = OAuthTokens(answer["access_token"], int(answer["expires_in"]), newest, answer)
        return self._oauth_tokens

    def _exchange(self, refresh_token: str) -> dict[str, Any]:
        form = {
            "client_id": self._settings.client_id,
            "client_secret": self._settings.client_secret,
            "grant_type": "refresh_token",
            "refresh_token": refresh_token,
            "scope": _SCOPE,
        }
        try:
            response = requests.post(
                self._settings.token_url, data=form, timeout=self._settings.request_timeout, allow_redirects=False
            )
            answer = response.json()
        except requests.exceptions.JSONDecodeError as cause:
            raise errors.of_token_answer(response.status_code, None) from cause
        except (requests.RequestException, OSError) as cause:
            raise errors.of_network(cause, "sign-in") from cause
        if not response.ok or not isinstance(answer, dict) or not {"access_token", "expires_in"} <= answer.keys():
            raise errors.of_token_answer(response.status_code, answer)
        return answer


class Client:
    """The signed-in user."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._backoff = Backoff(settings.retry_attempts, settings.retry_first_wait)
        self._store = TokenStore(settings.store_path, settings.refresh_token)
        self._grant = _Grant(settings, self._store)
        # Not None: the SDK would send it as the text "None".
        self._authorization = AuthorizationData("", "", settings.developer_token, self._grant)
        self._cache = DictCache()
        self._services: dict[str, Any] = {}

    def sign_in(self) -> None:
        """Make sure that a new refresh token can be kept, then get an access token."""
        self._store.check_writable()
        newest = self._store.newest()
        self.retried(lambda: self._grant.request_oauth_tokens_by_refresh_token(newest), "user")

    def retried(self, call: Callable[[], T], what: str) -> T:
        """Call again, with growing waits, as long as the failure is one that passes."""
        return call_with_retries(call, mendable=errors.is_passing, backoff=self._backoff, what=what)

    def factory(self, service: str) -> Any:
        """Makes the service's own types, for requests."""
        return self._service(service).factory

    def call(
        self, service: str, operation: str, *, account_id: str | None = None, customer_id: str = "", **arguments: Any
    ) -> Any:
        """Call an operation, on behalf of an account where the service wants one; raises PipelineError."""
        whose = f"account {account_id}" if account_id else "user"
        return self.retried(lambda: self.call_once(service, operation, account_id, customer_id, arguments), whose)

    def call_once(
        self, service: str, operation: str, account_id: str | None, customer_id: str, arguments: dict[str, Any]
    ) -> Any:
        """The same without another attempt, for those who repeat more than the call."""
        self._authorization.account_id = account_id or ""
        self._authorization.customer_id = customer_id
        count_calls()
        try:
            return getattr(self._service(service), operation)(**arguments)
        except PipelineError:
            raise
        except Exception as cause:  # suds raises bare Exceptions; what is no failure of the service is raised again
            told = errors.of_call(
                cause, operation, account_id=account_id, rate_limit_wait=self.settings.rate_limit_wait
            )
            if told is None:
                raise
            raise told from cause

    def _service(self, service: str) -> Any:
        if service not in self._services:
            with collector_paused():
                self._services[service] = ServiceClient(
                    service, 13, self._authorization, "production", cache=self._cache, **self._options(service)
                )
        return self._services[service]

    def _options(self, service: str) -> dict[str, Any]:
        options: dict[str, Any] = {"timeout": self.settings.request_timeout}
        address = "https://api.bingads.microsoft.com/"
        if self.settings.api_url:
            address = options["location"] = self.settings.api_url + _PATHS[service]
        # suds takes no notice of the proxy variables that requests obeys.
        proxies = requests.utils.get_environ_proxies(address, no_proxy=None)
        used = {scheme: proxies[scheme] for scheme in ("http", "https") if scheme in proxies}
        return {**options, "proxy": used} if used else options
