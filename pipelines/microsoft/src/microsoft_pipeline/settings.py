"""What one run is told: secrets and endpoints from the environment, the rest from `--config`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

import msgspec
from msgspec import Struct

from wire import Kind, PipelineError, checked_endpoint

_SECRETS = ("client_id", "client_secret", "developer_token", "refresh_token")
_FROM_ENVIRONMENT = (*_SECRETS, "tenant_id", "token_store", "api_url", "token_url")
_API_HOSTS = ("bingads.microsoft.com", "api.bingads.microsoft.com")
_TOKEN_HOSTS = ("login.microsoftonline.com",)
_SUPPORTED_VERSION = "v13"
_BY_THE_FRAME = ("tables", "start_date")


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Waits and timeouts in seconds. An empty `api_url` means the SDK's own address of each service.

    `window_days` is one more than `lookback_days`, so that a usual run, today included, takes one report per table.
    """

    client_id: str
    client_secret: str
    developer_token: str
    refresh_token: str
    tenant_id: str = "common"
    token_store: str = "~/.config/social-ads/microsoft_refresh_token"  # noqa: S105 - a path, not a token
    api_url: str = ""
    token_url: str = ""
    api_version: str = _SUPPORTED_VERSION
    accounts: tuple[str, ...] = ()
    lookback_days: int = 30
    window_days: int = 31
    request_timeout: float = 60
    retry_attempts: int = 5
    retry_first_wait: float = 2
    rate_limit_wait: float = 60
    max_reports_in_flight: int = 5
    poll_interval: float = 0.2
    report_timeout: float = 3600

    @property
    def store_path(self) -> Path:
        try:
            return Path(self.token_store).expanduser()
        except RuntimeError as cause:
            raise PipelineError(
                Kind.CONFIG,
                f"MICROSOFT_TOKEN_STORE: {self.token_store} has no home directory to be in; name a full path",
            ) from cause


_POSITIVE = (
    "window_days",
    "request_timeout",
    "retry_attempts",
    "max_reports_in_flight",
    "poll_interval",
    "report_timeout",
)
_NOT_NEGATIVE = ("lookback_days", "retry_first_wait", "rate_limit_wait")


def read_settings(given: Mapping[str, Any], environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings of a run; raises PipelineError (config) that names everything missing, or the wrong setting."""
    values = {key: value for key, value in given.items() if key not in _BY_THE_FRAME}
    _refuse_unknown(values)
    for name in _FROM_ENVIRONMENT:
        from_environment = environment.get(f"MICROSOFT_{name.upper()}")
        if from_environment:
            values[name] = from_environment
    if environment.get("MICROSOFT_ACCOUNT_IDS"):
        values["accounts"] = [each.strip() for each in environment["MICROSOFT_ACCOUNT_IDS"].split(",") if each.strip()]
    elif "accounts" in values:
        values["accounts"] = _identifiers(values["accounts"])
    missing = [f"MICROSOFT_{name.upper()}" for name in _SECRETS if not values.get(name)]
    if missing:
        raise PipelineError(Kind.CONFIG, f"missing in the environment: {', '.join(missing)}")
    try:
        settings = msgspec.convert(values, Settings)
    except msgspec.ValidationError as cause:
        raise PipelineError(Kind.CONFIG, f"settings: {cause}") from cause
    _check_ranges(settings)
    return _with_endpoints(settings, environment)


def _refuse_unknown(values: Mapping[str, Any]) -> None:
    known = [*Settings.__struct_fields__, *_BY_THE_FRAME]
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise PipelineError(
            Kind.CONFIG, f"settings.{unknown[0]}: there is no such setting; there are {', '.join(sorted(known))}"
        )


def _identifiers(given: object) -> list[str]:
    if isinstance(given, list | tuple) and all(isinstance(each, str | int) for each in given):
        return [str(each) for each in given]
    raise PipelineError(Kind.CONFIG, f"settings.accounts: expected a list of account ids, got {given!r}")


def _check_ranges(settings: Settings) -> None:
    for names, bound, words in ((_POSITIVE, False, "more than 0"), (_NOT_NEGATIVE, True, "0 or more")):
        for name in names:
            value = getattr(settings, name)
            if value < 0 or (value == 0 and not bound):
                raise PipelineError(Kind.CONFIG, f"settings.{name}: expected {words}, got {value}")
    if settings.api_version.lower().lstrip("v") != _SUPPORTED_VERSION.lstrip("v"):
        raise PipelineError(
            Kind.CONFIG, f"settings.api_version: only {_SUPPORTED_VERSION} is supported, got {settings.api_version!r}"
        )


def _with_endpoints(settings: Settings, environment: Mapping[str, str]) -> Settings:
    """The settings with both endpoints filled in and checked: nobody but Microsoft is to see a token."""
    endpoints = {
        **environment,
        "MICROSOFT_API_URL": settings.api_url,
        "MICROSOFT_TOKEN_URL": settings.token_url,
    }
    login = f"https://login.microsoftonline.com/{quote(settings.tenant_id, safe='')}/oauth2/v2.0/token"
    return msgspec.structs.replace(
        settings,
        api_url=checked_endpoint("MICROSOFT_API_URL", "", _API_HOSTS, endpoints),
        token_url=checked_endpoint("MICROSOFT_TOKEN_URL", login, _TOKEN_HOSTS, endpoints),
    )
