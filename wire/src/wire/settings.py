"""What is wrong with settings, all at once; and those that every pipeline has: from which day on, how much at once."""

from __future__ import annotations

import datetime as dt
import difflib
import os
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from msgspec import Struct

from wire.exits import Kind
from wire.failures import PipelineError


def wrong_settings(given: Mapping[str, Any], model: type[Struct]) -> Iterator[PipelineError]:
    """Every key of `given` that is no field of `model`, and every value that its field does not take."""
    types = {field.name: field.type for field in msgspec.structs.fields(model)}
    for name, value in given.items():
        if name == "reports":  # what is in them `wire.definitions` reads
            if name not in types and value:
                yield PipelineError(Kind.CONFIG, "settings.reports: this pipeline knows no reports of one's own")
            continue
        if name not in types:
            close = difflib.get_close_matches(name, types, 1)
            hint = f"did you mean {close[0]!r}? " if close else ""
            reason = f"there is no such setting; {hint}there are {', '.join(types)}"
            yield PipelineError(Kind.CONFIG, f"settings.{name}: {reason}")
            continue
        try:
            msgspec.convert(value, types[name])
        except msgspec.ValidationError as cause:
            reason = str(cause).partition(" - at `$")[0]
            yield PipelineError(Kind.CONFIG, f"settings.{name}: {reason[:1].lower()}{reason[1:]}")


BACKFILL_VARIABLE = "WIRE_BACKFILL_SECONDS"


def start_date(settings: Mapping[str, Any], today: dt.date) -> dt.date:
    """The first day to load: the setting `start_date`, or 30 days before `today`."""
    given = settings.get("start_date")
    if given is None:
        return today - dt.timedelta(days=30)
    try:
        return dt.date.fromisoformat(str(given))
    except ValueError as cause:
        raise PipelineError(
            Kind.CONFIG, f"settings.start_date: expected a day like 2026-01-31, got {given!r}"
        ) from cause


def concurrency(settings: Mapping[str, Any], *, default: int, most: int) -> int:
    """How many requests may be under way at once: the setting `concurrency`, at most what the platform allows."""
    given = settings.get("concurrency", default)
    if isinstance(given, bool) or not isinstance(given, int) or not 1 <= given <= most:
        raise PipelineError(
            Kind.CONFIG, f"settings.concurrency: expected a whole number from 1 to {most}, got {given!r}"
        )
    return given


def backfill_budget(settings: Mapping[str, Any]) -> float | None:
    """For how many seconds a run may begin days before the lookback: the setting, or the supervisor's, else no limit.

    The supervisor gives half of the time that the attempt has, so that an attempt comes to its end.
    """
    given = settings.get("backfill_budget")
    if given is None:
        told = os.environ.get(BACKFILL_VARIABLE)
        return float(told) if told else None
    if isinstance(given, bool) or not isinstance(given, int | float) or given < 0:
        raise PipelineError(Kind.CONFIG, f"settings.backfill_budget: expected seconds of at least 0, got {given!r}")
    return float(given)
