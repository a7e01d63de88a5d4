"""What the operator may set: the settings of `--config`, and the credentials of the environment."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from wire import Backoff, Kind, PipelineError

_Positive = Annotated[float, Meta(gt=0)]
_Count = Annotated[int, Meta(ge=1)]

_CREDENTIALS = {
    "app_id": "FACEBOOK_APP_ID",
    "app_secret": "FACEBOOK_APP_SECRET",
    "access_token": "FACEBOOK_ACCESS_TOKEN",
}


class Settings(Struct, frozen=True, forbid_unknown_fields=True):
    """The settings with their defaults. Times are seconds; `accounts` are ids with or without `act_`."""

    accounts: tuple[str | int, ...] = ()
    tables: tuple[str, ...] = ()
    start_date: str | None = None
    lookback_days: Annotated[int, Meta(ge=0)] = 28
    window_days: _Count = 7
    request_timeout: _Positive = 60.0
    api_version: Annotated[str, Meta(pattern=r"^v[0-9]+\.[0-9]+\Z")] = "v26.0"
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

        The environment wins over `accounts`.
        """
        listed = environment.get("FACEBOOK_AD_ACCOUNT_IDS") or self.ad_account_ids
        given = listed.split(",") if listed else [str(each) for each in self.accounts]
        return tuple(dict.fromkeys(_digits(each.strip()) for each in given if each.strip()))


class Credentials(Struct, frozen=True):
    """What a request is signed with. Never logged, never part of a message."""

    app_id: str
    app_secret: str
    access_token: str

    def __repr__(self) -> str:
        return "Credentials(...)"


def read_settings(given: Mapping[str, Any]) -> Settings:
    """The settings of `--config`; raises PipelineError (config) that names the key."""
    unknown = sorted(set(given) - set(Settings.__struct_fields__))
    if unknown:
        raise PipelineError(
            Kind.CONFIG,
            f"settings.{unknown[0]}: there is no such setting; there are {', '.join(Settings.__struct_fields__)}",
        )
    try:
        return msgspec.convert(dict(given), Settings)
    except msgspec.ValidationError as cause:
        reason, _, place = str(cause).partition(" - at `$.")
        name = re.split(r"[^\w]", place)[0] if place else ""
        where = f"settings.{name}" if name else "settings"
        raise PipelineError(Kind.CONFIG, f"{where}: {reason[:1].lower()}{reason[1:]}") from None


def read_credentials(settings: Settings, environment: Mapping[str, str] = os.environ) -> Credentials:
    """The credentials, the environment before the settings; raises PipelineError (config) naming all missing ones."""
    found = {name: environment.get(variable) or getattr(settings, name) for name, variable in _CREDENTIALS.items()}
    missing = [_CREDENTIALS[name] for name, value in found.items() if not value]
    if missing:
        raise PipelineError(Kind.CONFIG, f"these environment variables are not set: {', '.join(missing)}")
    return Credentials(**found)


def _digits(account: str) -> str:
    digits = account.removeprefix("act_")
    if not (digits.isascii() and digits.isdigit()):
        raise PipelineError(Kind.CONFIG, f"{account!r} is no ad account id; write act_123 or 123")
    return digits
