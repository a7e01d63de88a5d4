"""What one run was asked to do: the settings of `--config`, and the credentials of the environment."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from wire import Backoff, Kind, PipelineError, checked_endpoint

API_URL = "https://api.linkedin.com/rest"
TOKEN_URL = "https://www.linkedin.com/oauth/v2/accessToken"  # noqa: S105 - an address, not a token
VENDOR_HOSTS = ("linkedin.com",)

SECRETS = {
    "client_id": "LINKEDIN_CLIENT_ID",
    "client_secret": "LINKEDIN_CLIENT_SECRET",
    "access_token": "LINKEDIN_ACCESS_TOKEN",
    "refresh_token": "LINKEDIN_REFRESH_TOKEN",
}
ACCOUNTS_VARIABLE = "LINKEDIN_AD_ACCOUNT_IDS"

log = logging.getLogger(__name__)

_Count = Annotated[int, Meta(ge=1)]
_Seconds = Annotated[float, Meta(gt=0)]


class Given(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings as `--config` spells them. `tables` and `start_date` are read by the wire library."""

    accounts: tuple[str | int, ...] = ()
    tables: tuple[str, ...] = ()
    start_date: str | None = None
    lookback_days: Annotated[int, Meta(ge=0)] = 30
    window_days: _Count | None = None
    request_timeout: _Seconds = 60.0
    api_version: str | int = "202607"
    retry_attempts: _Count = 5
    retry_first_wait: _Seconds = 2.0
    data_limit_wait: _Seconds = 330.0
    element_limit: Annotated[int, Meta(ge=2)] = 15_000
    client_id: str | None = None
    client_secret: str | None = None
    access_token: str | None = None
    refresh_token: str | None = None


class Credentials(Struct, frozen=True, kw_only=True):
    """Either a refresh token with the application's id and secret, or an access token."""

    client_id: str = ""
    client_secret: str = ""
    access_token: str = ""
    refresh_token: str = ""

    def __repr__(self) -> str:
        return "Credentials(...)"

    @property
    def renewable(self) -> bool:
        return bool(self.refresh_token and self.client_id and self.client_secret)

    def hidden_in(self, text: str) -> str:
        """The text with every secret in it blotted out."""
        for secret in (self.client_secret, self.access_token, self.refresh_token):
            if secret:
                text = text.replace(secret, "***")
        return text


class Settings(Struct, frozen=True, kw_only=True):
    """One run's settings, checked. Empty `account_ids` mean every account that the member has access to."""

    credentials: Credentials
    api_url: str
    token_url: str
    api_version: str
    account_ids: tuple[str, ...]
    lookback_days: int
    window_days: int | None
    request_timeout: float
    backoff: Backoff
    data_limit_wait: float
    element_limit: int


def read_settings(given: Mapping[str, Any], environment: Mapping[str, str]) -> Settings:
    """Check everything before the first request; raises PipelineError (config)."""
    known = Given.__struct_fields__
    unknown = sorted(set(given) - set(known))
    if unknown:
        raise PipelineError(
            Kind.CONFIG, f"there is no setting {', '.join(map(repr, unknown))}; there are {', '.join(known)}"
        )
    try:
        checked = msgspec.convert(given, Given)
    except msgspec.ValidationError as cause:
        raise PipelineError(Kind.CONFIG, f"settings: {_sentence(cause)}") from cause
    return Settings(
        credentials=_credentials(checked, environment),
        api_url=checked_endpoint("LINKEDIN_API_URL", API_URL, VENDOR_HOSTS, environment),
        token_url=checked_endpoint("LINKEDIN_TOKEN_URL", TOKEN_URL, VENDOR_HOSTS, environment),
        api_version=str(checked.api_version),
        account_ids=_account_ids(checked, environment),
        lookback_days=checked.lookback_days,
        window_days=checked.window_days,
        request_timeout=checked.request_timeout,
        # The wait for the data limit is longer than most; a backoff that stops short of it could never sit it out.
        backoff=Backoff(
            attempts=checked.retry_attempts,
            first=checked.retry_first_wait,
            longest=max(300.0, checked.data_limit_wait),
        ),
        data_limit_wait=checked.data_limit_wait,
        element_limit=checked.element_limit,
    )


def _credentials(given: Given, environment: Mapping[str, str]) -> Credentials:
    values = {name: environment.get(variable) or getattr(given, name) or "" for name, variable in SECRETS.items()}
    credentials = Credentials(**values)
    if credentials.renewable:
        return credentials
    missing = [variable for name, variable in SECRETS.items() if not values[name]]
    if not credentials.access_token:
        raise PipelineError(
            Kind.CONFIG,
            f"missing: {', '.join(missing)}. Set LINKEDIN_REFRESH_TOKEN together with LINKEDIN_CLIENT_ID and "
            "LINKEDIN_CLIENT_SECRET, or LINKEDIN_ACCESS_TOKEN alone",
        )
    if credentials.refresh_token:
        log.warning("the refresh token is not used, because of missing %s; the access token is", ", ".join(missing))
    return credentials


def _account_ids(given: Given, environment: Mapping[str, str]) -> tuple[str, ...]:
    """The variable, or else the setting `accounts`; ids may be written as URNs."""
    listed = environment.get(ACCOUNTS_VARIABLE, "").replace(",", " ").split() or given.accounts
    return tuple(dict.fromkeys(str(each).strip().rsplit(":", 1)[-1] for each in listed))


def _sentence(cause: msgspec.ValidationError) -> str:
    """msgspec's finding with the setting first: "lookback_days: expected `int`, got `str`"."""
    reason, _, where = str(cause).partition(" - at `$.")
    return f"{where.rstrip('`')}: {reason[0].lower()}{reason[1:]}" if where else reason
