"""What one run was asked to do: the settings of `--config`, and the credentials of the environment.

A run and `--check` look through the same functions, which find everything that is wrong without asking LinkedIn.
"""

from __future__ import annotations

import datetime as dt
import logging
import os
import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from linkedin_pipeline.report_table import Report
from wire import Api, Backoff, CheckWarning, Invocation, Kind, PipelineError, checked_endpoint, wrong_settings

API_URL = "https://api.linkedin.com/rest"
TOKEN_URL = "https://www.linkedin.com/oauth/v2/accessToken"  # noqa: S105 - an address, not a token
VENDOR_HOSTS = ("linkedin.com",)
ENDPOINTS = {"LINKEDIN_API_URL": API_URL, "LINKEDIN_TOKEN_URL": TOKEN_URL}

SECRETS = {
    "client_id": "LINKEDIN_CLIENT_ID",
    "client_secret": "LINKEDIN_CLIENT_SECRET",
    "access_token": "LINKEDIN_ACCESS_TOKEN",
    "refresh_token": "LINKEDIN_REFRESH_TOKEN",
}
ACCOUNTS_VARIABLE = "LINKEDIN_AD_ACCOUNT_IDS"

VERSION_SOURCE = "https://learn.microsoft.com/en-us/linkedin/marketing/integrations/migrations"
VERSION_ENDS = {
    "202511": dt.date(2026, 11, 16),
    "202601": dt.date(2027, 1, 15),
    "202602": dt.date(2027, 2, 15),
    "202603": dt.date(2027, 3, 16),
    "202604": dt.date(2027, 4, 15),
    "202605": dt.date(2027, 5, 15),
    "202606": dt.date(2027, 6, 15),
    "202607": dt.date(2027, 7, 15),
}
"""The announced ends, as of August 2026. A revision (202607.01) ends with its month."""

log = logging.getLogger(__name__)

_VERSION = re.compile(r"20[0-9]{2}(0[1-9]|1[0-2])(\.[0-9]{2})?")
_ACCOUNT = re.compile(r"(urn:li:sponsoredAccount:)?[0-9]+")
MOST_AT_ONCE = 32
"""LinkedIn names no limit. Clients with 19 requests under way were throttled often, such with 6 hardly."""

_Count = Annotated[int, Meta(ge=1)]
_Seconds = Annotated[float, Meta(gt=0)]


class Given(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The settings as `--config` spells them. The wire library reads `tables`, `start_date` and `backfill_budget`, and
    `linkedin_pipeline.definitions` the `reports`.

    LinkedIn tells reach for at most 92 days at once, hence the limit of `window_days`.
    """

    accounts: tuple[str | int, ...] = ()
    tables: tuple[str, ...] = ()
    start_date: str | None = None
    lookback_days: Annotated[int, Meta(ge=0)] = 30
    window_days: Annotated[int, Meta(ge=1, le=92)] | None = None
    concurrency: Annotated[int, Meta(ge=1, le=MOST_AT_ONCE)] = 8
    backfill_budget: Annotated[float, Meta(ge=0)] | None = None
    reports: tuple[Any, ...] | None = None
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

    @property
    def missing(self) -> list[str]:
        return [variable for name, variable in SECRETS.items() if not getattr(self, name)]

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
    concurrency: int
    request_timeout: float
    backoff: Backoff
    data_limit_wait: float
    element_limit: int
    reports: tuple[Report, ...]


def check(invocation: Invocation) -> Iterator[PipelineError | CheckWarning]:
    """Everything that is wrong with an invocation's settings and credentials, without asking LinkedIn."""
    yield from problems(invocation.settings, os.environ)
    if invocation.settings.get("reports"):
        from linkedin_pipeline.definitions import differing_version  # noqa: PLC0415 - only runs with reports pay for it

        yield from differing_version(_version(invocation.settings))


def api_of(invocation: Invocation) -> Api | None:
    """The version that a run speaks, with its announced end; None where the setting makes no sense."""
    version = _version(invocation.settings)
    if not _VERSION.fullmatch(version):
        return None
    return Api(version, VERSION_ENDS.get(version.partition(".")[0]), VERSION_SOURCE)


def own_reports(given: Mapping[str, Any]) -> tuple[tuple[Report, ...], tuple[PipelineError, ...]]:
    """The reports of one's own that can be asked for, and everything that is wrong with the others."""
    if given.get("reports") is None:
        return (), ()
    from linkedin_pipeline import definitions  # noqa: PLC0415 - only runs with reports pay for it

    return definitions.own_reports(given, _version(given))


def problems(given: Mapping[str, Any], environment: Mapping[str, str]) -> Iterator[PipelineError]:
    """Everything that is wrong, each as a PipelineError (config) of its own."""
    yield from wrong_settings(given, Given)
    version = given.get("api_version", Given().api_version)
    if isinstance(version, str | int) and not _VERSION.fullmatch(str(version)):
        yield _wrong(f"settings.api_version: expected a version like 202607 or 202607.01, got {version!r}")
    for listed in _listed_accounts(given, environment):
        if not _ACCOUNT.fullmatch(listed):
            yield _wrong(f"{listed!r} is no id of an ad account, which is a number such as 512345678")
    yield from _wrong_credentials(_credentials(given, environment))
    for variable, default in ENDPOINTS.items():
        try:
            checked_endpoint(variable, default, VENDOR_HOSTS, environment)
        except PipelineError as error:
            yield error
    yield from own_reports(given)[1]


def read_settings(given: Mapping[str, Any], environment: Mapping[str, str]) -> Settings:
    """Check everything before the first request; raises one PipelineError (config) that names all that is wrong."""
    found = list(problems(given, environment))
    if found:
        raise _wrong("; ".join(error.message for error in found))
    checked = msgspec.convert(given, Given)
    credentials = _credentials(given, environment)
    if credentials.refresh_token and not credentials.renewable:
        missing = ", ".join(credentials.missing)
        log.warning("the refresh token is not used, because of missing %s; the access token is", missing)
    addresses = [checked_endpoint(name, url, VENDOR_HOSTS, environment) for name, url in ENDPOINTS.items()]
    return Settings(
        credentials=credentials,
        api_url=addresses[0],
        token_url=addresses[1],
        api_version=str(checked.api_version),
        account_ids=_account_ids(given, environment),
        lookback_days=checked.lookback_days,
        window_days=checked.window_days,
        concurrency=checked.concurrency,
        request_timeout=checked.request_timeout,
        # The wait for the data limit is longer than most; a backoff that stops short of it could never sit it out.
        backoff=Backoff(
            attempts=checked.retry_attempts,
            first=checked.retry_first_wait,
            longest=max(300.0, checked.data_limit_wait),
        ),
        data_limit_wait=checked.data_limit_wait,
        element_limit=checked.element_limit,
        reports=own_reports(given)[0],
    )


def _version(given: Mapping[str, Any]) -> str:
    return str(given.get("api_version", Given().api_version))


def _credentials(given: Mapping[str, Any], environment: Mapping[str, str]) -> Credentials:
    """The environment's, or else the settings'; what is no text is left to the check of the settings."""
    values = {}
    for name, variable in SECRETS.items():
        value = environment.get(variable) or given.get(name)
        values[name] = value if isinstance(value, str) else ""
    return Credentials(**values)


def _wrong_credentials(credentials: Credentials) -> Iterator[PipelineError]:
    for name, variable in SECRETS.items():
        value = getattr(credentials, name)
        # What a header or a form cannot carry was copied wrong: a line end, a quotation mark, a dash made long.
        if not (value.isascii() and value.isprintable()) or set(value) & set(" \"'"):
            yield _wrong(f"{variable} has a character that no such value has, a space or a quotation mark say")
    if not credentials.renewable and not credentials.access_token:
        yield _wrong(
            f"missing: {', '.join(credentials.missing)}. Set LINKEDIN_REFRESH_TOKEN together with LINKEDIN_CLIENT_ID "
            "and LINKEDIN_CLIENT_SECRET, or LINKEDIN_ACCESS_TOKEN alone"
        )


def _listed_accounts(given: Mapping[str, Any], environment: Mapping[str, str]) -> list[str]:
    """The variable's accounts, or else the setting's, as they were written."""
    accounts = given.get("accounts")
    return environment.get(ACCOUNTS_VARIABLE, "").replace(",", " ").split() or [
        str(each).strip() for each in (accounts if isinstance(accounts, list | tuple) else ())
    ]


def _account_ids(given: Mapping[str, Any], environment: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(each.rsplit(":", 1)[-1] for each in _listed_accounts(given, environment)))


def _wrong(sentence: str) -> PipelineError:
    return PipelineError(Kind.CONFIG, sentence)
