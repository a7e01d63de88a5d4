"""What one run is told: secrets and endpoints from the environment, the rest from `--config`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import quote

import msgspec
from msgspec import Meta, Struct

from microsoft_pipeline.tokens import TokenStore
from wire import CheckWarning, Kind, PipelineError, checked_endpoint, wrong_settings

_SECRETS = ("client_id", "client_secret", "developer_token", "refresh_token")
_FROM_ENVIRONMENT = (*_SECRETS, "tenant_id", "token_store", "api_url", "token_url")
_API_HOSTS = ("bingads.microsoft.com", "api.bingads.microsoft.com")
_TOKEN_HOSTS = ("login.microsoftonline.com",)
_SUPPORTED_VERSION = "v13"
_UNSENDABLE = re.compile(r"[^\x21-\x7e]")
TRANSPORTS = ("rest", "soap")
MOST_AT_ONCE = 10
"""Microsoft asks for no more than ten threads ("Using Bing Ads Services Efficiently")."""


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Waits and timeouts in seconds. `tables`, `start_date` and `backfill_budget` are read by wire, `reports` by
    `definitions`. An empty `api_url` means each service's own address.

    `window_days` is one more than `lookback_days`, so that a usual run, today included, takes one report per table.
    """

    tables: Any = ()
    start_date: Any = None
    reports: Any = ()
    client_id: str
    client_secret: str
    developer_token: str
    refresh_token: str
    tenant_id: str = "common"
    token_store: str = "~/.config/social-ads/microsoft_refresh_token"  # noqa: S105 - a path, not a token
    api_url: str = ""
    token_url: str = ""
    api_version: str = _SUPPORTED_VERSION
    transport: str = TRANSPORTS[0]
    accounts: tuple[str, ...] = ()
    lookback_days: int = 30
    window_days: int = 31
    request_timeout: float = 60
    retry_attempts: int = 5
    retry_first_wait: float = 2
    rate_limit_wait: float = 60
    concurrency: Annotated[int, Meta(ge=1, le=MOST_AT_ONCE)] = 8
    backfill_budget: Annotated[float, Meta(ge=0)] | None = None
    max_reports_in_flight: int = 20
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
    """The settings of a run; raises PipelineError (config) that names everything that is wrong."""
    settings, wrong = _examined(given, environment)
    if settings is None or wrong:
        raise PipelineError(Kind.CONFIG, "; ".join(wrong))
    return settings


def problems(
    given: Mapping[str, Any], environment: Mapping[str, str] = os.environ
) -> Iterator[PipelineError | CheckWarning]:
    """Everything that is wrong with settings, credentials and the refresh token's file, without the network."""
    settings, wrong = _examined(given, environment)
    yield from (PipelineError(Kind.CONFIG, sentence) for sentence in wrong)
    if settings is not None and not wrong:
        try:
            store = TokenStore(settings.store_path, settings.refresh_token)
            store.check_usable()
        except PipelineError as error:
            yield error
            return
        if store.is_fleeting():
            yield CheckWarning(
                f"the refresh token is kept in {settings.store_path}, which does not outlive this container; "
                "Microsoft replaces it at every use, so point MICROSOFT_TOKEN_STORE to a volume"
            )


def _examined(given: Mapping[str, Any], environment: Mapping[str, str]) -> tuple[Settings | None, list[str]]:
    """The settings, where there is enough to make them of, and the sentences about all that is wrong."""
    values = dict(given)
    wrong: list[str] = []
    for name in _FROM_ENVIRONMENT:
        from_environment = environment.get(f"MICROSOFT_{name.upper()}")
        if from_environment:
            values[name] = from_environment
    if environment.get("MICROSOFT_ACCOUNT_IDS"):
        values["accounts"] = [each.strip() for each in environment["MICROSOFT_ACCOUNT_IDS"].split(",") if each.strip()]
    wrong += _wrong_accounts(values)
    missing = [f"MICROSOFT_{name.upper()}" for name in _SECRETS if not values.get(name)]
    if missing:
        wrong.append(f"missing in the environment: {', '.join(missing)}")
    wrong += [
        f"MICROSOFT_{name.upper()}: white space or signs that cannot be sent are in it; copy it again"
        for name in _SECRETS
        if isinstance(values.get(name), str) and _UNSENDABLE.search(values[name])
    ]
    refused = [error.message for error in wrong_settings(values, Settings)]
    wrong += refused
    if refused:
        return None, wrong
    # With something in place of what is missing, the rest can be looked at too.
    settings = msgspec.convert(dict.fromkeys(_SECRETS, "-") | values, Settings)
    wrong += _wrong_values(settings)
    try:
        settings = _with_endpoints(settings, environment)
    except PipelineError as error:
        wrong.append(error.message)
    return (None if missing else settings), wrong


def _wrong_accounts(values: dict[str, Any]) -> Iterator[str]:
    """Puts the ids into `values` as texts, and tells which are none."""
    given = values.pop("accounts", ())
    if not isinstance(given, list | tuple) or not all(isinstance(each, str | int) for each in given):
        yield f"settings.accounts: expected a list of account ids, got {given!r}"
        return
    values["accounts"] = [str(each) for each in given]
    for each in values["accounts"]:
        if not each.isdecimal():
            yield f"settings.accounts: {each!r} is no account id, which is all digits (the account number is not)"


def _wrong_values(settings: Settings) -> Iterator[str]:
    for names, bound, words in ((_POSITIVE, False, "more than 0"), (_NOT_NEGATIVE, True, "0 or more")):
        for name in names:
            value = getattr(settings, name)
            if value < 0 or (value == 0 and not bound):
                yield f"settings.{name}: expected {words}, got {value}"
    if settings.api_version.lower().lstrip("v") != _SUPPORTED_VERSION.lstrip("v"):
        yield f"settings.api_version: only {_SUPPORTED_VERSION} is supported, got {settings.api_version!r}"
    if settings.transport not in TRANSPORTS:
        yield f"settings.transport: expected {' or '.join(TRANSPORTS)}, got {settings.transport!r}"


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
