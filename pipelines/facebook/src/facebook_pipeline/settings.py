"""What the operator may set: the settings of `--config`, and the credentials of the environment.

Everything that can be wrong without asking Facebook is found at once, for a run and for `--check` alike.
"""

from __future__ import annotations

import datetime as dt
import os
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from wire import Api, Backoff, Invocation, Kind, PipelineError, checked_endpoint, wrong_settings

API_VERSION = "v26.0"
OLDEST_VERSION = 24
_ENDED = dt.date(2026, 6, 9)
_ENDS = {24: dt.date(2026, 10, 6)}
_SOURCE = "Meta, Marketing API changelog: available versions, read in 2026-09"

GRAPH = "https://graph.facebook.com"
CONCURRENCY = 8
MOST_CONCURRENT = 32
"""Meta names no number of simultaneous calls; more than this only queues at one app's total."""
WINDOWS = (
    *("1d_click", "7d_click", "28d_click", "1d_view", "7d_view", "28d_view", "1d_ev", "dda", "default", "custom"),
    *("incrementality", "incrementality_first_conversion", "incrementality_all_conversions"),
    *("skan_click", "skan_click_second_postback", "skan_click_third_postback"),
    *("skan_view", "skan_view_second_postback", "skan_view_third_postback"),
    *("7d_view_first_conversion", "7d_view_all_conversions", "28d_view_first_conversion", "28d_view_all_conversions"),
    *("1d_sequenced", "7d_sequenced", "28d_sequenced"),
)
"""The attribution windows that an insights request may name (facebook-business 26.0.3, AdsInsights)."""

_Positive = Annotated[float, Meta(gt=0)]
_Count = Annotated[int, Meta(ge=1)]

_CREDENTIALS = {
    "app_id": "FACEBOOK_APP_ID",
    "app_secret": "FACEBOOK_APP_SECRET",
    "access_token": "FACEBOOK_ACCESS_TOKEN",
}


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """The settings with their defaults. Times are seconds; `accounts` are ids with or without `act_`.

    What is in `reports` is read by `facebook_pipeline.definitions`.
    """

    accounts: tuple[str | int, ...] = ()
    tables: tuple[str, ...] = ()
    reports: tuple[Any, ...] | None = None
    start_date: str | None = None
    lookback_days: Annotated[int, Meta(ge=0)] = 28
    window_days: _Count = 7
    concurrency: Annotated[int, Meta(ge=1, le=MOST_CONCURRENT)] = CONCURRENCY
    backfill_budget: Annotated[float, Meta(ge=0)] | None = None
    request_timeout: _Positive = 60.0
    api_version: Annotated[str, Meta(pattern=r"^v[0-9]+\.[0-9]+\Z")] = API_VERSION
    attribution_windows: tuple[str, ...] = ("1d_click", "7d_click", "28d_click", "1d_view")
    page_size: _Count = 500
    max_jobs_in_flight: _Count = 4
    poll_interval: _Positive = 30.0
    job_timeout: _Positive = 3600.0
    usage_pause: Annotated[float, Meta(ge=0)] = 60.0
    retry_attempts: _Count = 5
    retry_first_wait: Annotated[float, Meta(ge=0)] = 2.0
    app_id: str = ""
    app_secret: str = ""
    access_token: str = ""
    ad_account_ids: str = ""

    @property
    def backoff(self) -> Backoff:
        return Backoff(attempts=self.retry_attempts, first=self.retry_first_wait)

    def account_ids(self, environment: Mapping[str, str] = os.environ) -> tuple[str, ...]:
        """The accounts asked for, digits only and each once; none means every account the token can see.

        The environment wins over `accounts`. Raises PipelineError (config) for what is no id.
        """
        return tuple(dict.fromkeys(_digits(each) for each in _listed(self.ad_account_ids, self.accounts, environment)))


class Credentials(Struct, frozen=True):
    """What a request is signed with. Never logged, never part of a message."""

    app_id: str
    app_secret: str
    access_token: str

    def __repr__(self) -> str:
        return "Credentials(...)"


def api_of(invocation: Invocation) -> Api | None:
    """The version that the setting `api_version` names, and its end; None where it names none.

    All versions before `OLDEST_VERSION` ended on one day. Meta names the end of a version when newer ones are there, so
    for the newest there is none yet.
    """
    version = invocation.settings.get("api_version", API_VERSION)
    found = re.fullmatch(r"v([0-9]+)\.[0-9]+", version) if isinstance(version, str) else None
    if not found:
        return None
    number = int(found[1])
    return Api(version, _ENDED if number < OLDEST_VERSION else _ENDS.get(number), _SOURCE)


def graph_address() -> str:
    """Where the Graph API is; raises PipelineError (config) for a host that must not see the token."""
    return checked_endpoint("FACEBOOK_GRAPH_URL", GRAPH, ("facebook.com",))


def read_settings(given: Mapping[str, Any]) -> Settings:
    """The settings of `--config`; raises one PipelineError (config) that names every wrong key."""
    _raise_all(_wrong(given))
    return msgspec.convert({name: value for name, value in given.items() if name != "reports"}, Settings)


def read_credentials(settings: Settings, environment: Mapping[str, str] = os.environ) -> Credentials:
    """The credentials, the environment before the settings; raises PipelineError (config) naming all that is wrong."""
    found = _found(lambda name: getattr(settings, name), environment)
    _raise_all(_wrong_credentials(found))
    return Credentials(**found)


def problems(invocation: Invocation, environment: Mapping[str, str] = os.environ) -> Iterator[PipelineError]:
    """All that is wrong with an invocation's settings, credentials and endpoint, without asking Facebook."""
    given = invocation.settings
    yield from _wrong(given, environment)
    yield from _wrong_credentials(_found(lambda name: given.get(name, ""), environment))
    try:
        graph_address()
    except PipelineError as error:
        yield error


def _wrong(given: Mapping[str, Any], environment: Mapping[str, str] = os.environ) -> Iterator[PipelineError]:
    """Every setting that is wrong, in itself or for what Facebook takes."""
    yield from wrong_settings(given, Settings)
    windows = given.get("attribution_windows")
    for window in windows if isinstance(windows, list | tuple) else ():
        if isinstance(window, str) and window not in WINDOWS:
            yield _config(
                f"settings.attribution_windows: there is no window {window!r}; there are {', '.join(WINDOWS)}"
            )
    accounts = given.get("accounts")
    listed = _listed(given.get("ad_account_ids"), accounts if isinstance(accounts, list | tuple) else (), environment)
    for account in listed:
        try:
            _digits(account)
        except PipelineError as error:
            yield error


def _wrong_credentials(found: Mapping[str, Any]) -> Iterator[PipelineError]:
    missing = [_CREDENTIALS[name] for name, value in found.items() if not value]
    if missing:
        yield _config(f"these environment variables are not set: {', '.join(missing)}")
    if found["app_id"] and not str(found["app_id"]).isdigit():
        yield _config("FACEBOOK_APP_ID holds something else than digits; the app's dashboard shows the number")
    for name in ("app_secret", "access_token"):
        # The value is not quoted: it may be the secret with a blank behind it.
        if found[name] and not _is_one_word(str(found[name])):
            yield _config(f"{_CREDENTIALS[name]} holds blanks, quotes or other characters that none has; copy it again")


def _found(setting: Callable[[str], Any], environment: Mapping[str, str]) -> dict[str, Any]:
    return {name: environment.get(variable) or setting(name) for name, variable in _CREDENTIALS.items()}


def _is_one_word(text: str) -> bool:
    return text.isascii() and text.isprintable() and not set(text) & set(" \"'")


def _listed(text: object, accounts: object, environment: Mapping[str, str]) -> list[str]:
    """The accounts as they were written."""
    listed = environment.get("FACEBOOK_AD_ACCOUNT_IDS") or text
    given = listed.split(",") if isinstance(listed, str) and listed else accounts
    return [str(each).strip() for each in given if str(each).strip()] if isinstance(given, list | tuple) else []


def _config(message: str) -> PipelineError:
    return PipelineError(Kind.CONFIG, message)


def _raise_all(errors: Iterator[PipelineError]) -> None:
    messages = [error.message for error in errors]
    if messages:
        raise _config("; ".join(messages))


def _digits(account: str) -> str:
    digits = account.removeprefix("act_")
    if not (digits.isascii() and digits.isdigit()):
        raise PipelineError(Kind.CONFIG, f"{account!r} is no ad account id; write act_123 or 123")
    return digits
