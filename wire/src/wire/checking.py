"""What a pipeline can say before it starts: whether settings and credentials make sense, and how long its API lasts.

Nothing here asks the platform, unless a probe is given: `--check` works without a network and within a second.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from msgspec import Struct

from wire.channel import Channel
from wire.days import now
from wire.exits import CONFIGURATION, OK
from wire.failures import PipelineError
from wire.groups import OfferedTable, offered
from wire.invocation import Invocation
from wire.schema import Table
from wire.settings import backfill_budget, start_date

WARNING_DAYS = 90
"""How long before the end of an API version the warnings begin."""


class CheckWarning(Struct, frozen=True):
    """What a check found that does not keep a run from working, as a sentence."""

    message: str


Check = Callable[[Invocation], Iterable[PipelineError | CheckWarning]]
"""Everything that is wrong with an invocation's settings and credentials, found without the network."""


class Api(Struct, frozen=True):
    """The version of the platform's API that a pipeline speaks; `ends` is None where the platform has named no day."""

    version: str
    ends: dt.date | None
    source: str

    def warnings(self, today: dt.date) -> list[str]:
        """A sentence from `WARNING_DAYS` before the announced end on."""
        if self.ends is None or today < self.ends - dt.timedelta(days=WARNING_DAYS):
            return []
        if today >= self.ends:
            return [f"API version {self.version} ended on {self.ends} ({self.source}): upgrade this pipeline"]
        return [
            f"API version {self.version} ends on {self.ends}, in {(self.ends - today).days} days ({self.source}): "
            "upgrade this pipeline before"
        ]


ApiOf = Callable[[Invocation], Api | None]
"""The version that an invocation's settings name; None where they make no sense or name one that is not known."""


def spoken(api: Api | ApiOf | None, invocation: Invocation) -> Api | None:
    """The version of the API that a run with this invocation speaks."""
    return api(invocation) if callable(api) else api


class CheckLine(Struct, tag_field="type", tag="CHECK"):
    """All that a check found; `errors` keep a run from working, `warnings` do not. `tables` are those there anyway."""

    errors: list[str]
    warnings: list[str]
    api: Api | None = None
    tables: list[OfferedTable] = []


def run_check(
    channel: Channel,
    invocation: Invocation,
    tables: Sequence[Table],
    *,
    check: Check | None,
    probe: Callable[[], Iterable[PipelineError | CheckWarning]] | None = None,
    api: Api | None,
) -> int:
    """Write one CHECK line; the exit status is 0, or 78 where something must be mended first.

    `probe` asks the platform, and is called only where nothing was found without it.
    """
    today = now().date()
    found: list[str] = []
    warnings = api.warnings(today) if api else []

    def note(each: PipelineError | CheckWarning) -> None:
        (warnings if isinstance(each, CheckWarning) else found).append(each.message)

    def ask() -> None:
        for each in check(invocation) if check is not None else ():
            note(each)

    def ask_platform() -> None:
        for each in probe() if probe is not None else ():
            note(each)

    of_settings: list[OfferedTable] = []
    _collect(found, lambda: of_settings.extend(offered(invocation.settings, tables)))
    _collect(found, lambda: start_date(invocation.settings, today))
    _collect(found, lambda: backfill_budget(invocation.settings))
    _collect(found, ask)
    if not found:
        _collect(found, ask_platform)
    errors = list(dict.fromkeys(found))
    channel.write_line(CheckLine(errors=errors, warnings=warnings, api=api, tables=of_settings))
    return CONFIGURATION if errors else OK


def _collect(found: list[str], look: Callable[[], Any]) -> None:
    try:
        look()
    except PipelineError as error:
        found.append(error.message)
