"""The settings that every pipeline has: which tables, and from which day on."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from wire.exits import Kind
from wire.failures import PipelineError
from wire.schema import Table


def unknown_tables(settings: Mapping[str, Any], tables: Sequence[Table]) -> None:
    """Raise PipelineError (config) where the setting `tables` names one that does not exist."""
    names = [table.name for table in tables]
    unknown = sorted(set(settings.get("tables") or ()) - set(names))
    if unknown:
        raise PipelineError(
            Kind.CONFIG, f"settings.tables: there is no table {unknown[0]!r}; there are {', '.join(names)}"
        )


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
