"""What a plan knows beside the configuration: the days that are due, by account, the tables, and the API."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence

from supervisor.config.schema import PlatformConfig
from supervisor.record.bookmarks import Bookmark, bookmarks
from supervisor.report.display import counted, printable
from supervisor.run.invocation import Days
from supervisor.run.plan import lookback_days
from wire.checking import Api
from wire.days import Window, due_days, merged
from wire.groups import OfferedTable

_FIRST_RUN = 30
_MOST_ACCOUNTS = 5


def api_lines(apis: Mapping[str, Api]) -> Iterator[str]:
    """A line per platform: the version of its API, and until when that is served."""
    for name, api in apis.items():
        yield f"{name:<12} API {api_text(api)}"


def api_text(api: Api) -> str:
    """`202509, which ends on 2026-09-15 (https://…)`."""
    until = f"which ends on {api.ends}" if api.ends else "whose end is not announced"
    return f"{api.version}, {until} ({api.source})"


def table_lines(tables: Sequence[OfferedTable]) -> Iterator[str]:
    """Which groups of tables are loaded, and a line for each that is not; a table's cost where that is much."""
    groups: dict[str, list[OfferedTable]] = {}
    for each in tables:
        groups.setdefault(each.group, []).append(each)
    whole = [name for name, members in groups.items() if all(each.is_loaded for each in members)]
    parts = [each for name, members in groups.items() if name not in whole for each in members]
    loaded = [*whole, *(each.name for each in parts if each.is_loaded)]
    if loaded and len(groups) > 1:
        yield f"tables: {', '.join(loaded)}"
    for each in tables:
        if each.is_loaded and each.cost:
            yield f"{each.name} costs {each.cost}"
    for name, members in groups.items():
        left = [_with_cost(each) for each in members if not each.is_loaded]
        if left:
            yield f"not loaded: {name} ({'; '.join(left)})"


def _with_cost(table: OfferedTable) -> str:
    return f"{table.name}, {table.cost}" if table.cost else table.name


def due_lines(platform: PlatformConfig, state: str | None, days: Days, today: dt.date) -> list[str]:
    """The days that are due, by account, from the stored state; none where the pipeline keeps another kind of state.

    `today` is UTC's; an account elsewhere may be a day behind or ahead.
    """
    if not platform.takes_dates:
        return []
    start = _start(platform, today)
    lookback = lookback_days(platform)
    if start is None or not isinstance(lookback, int):
        return []  # the check of the settings says so

    def due(settled: Sequence[Window]) -> tuple[Window, ...]:
        return due_days(
            start=start, today=today, settled=settled, lookback_days=lookback, since=days.since, until=days.until
        )

    by_account: dict[str, list[Window]] = {}
    for mark in (bookmarks(state) if state is not None else None) or ():
        if mark.complete:  # tables of entities have no days
            by_account.setdefault(mark.account, []).extend(due(_windows(mark)))
    by_days: dict[tuple[Window, ...], list[str]] = {}
    for account, windows in by_account.items():
        by_days.setdefault(merged(windows), []).append(account)
    lines = [f"{_accounts(accounts)}: {_days(windows)}" for windows, accounts in by_days.items()]
    return [*lines, f"{'other accounts' if lines else 'every account'}: {_days(due(()))}"]


def _start(platform: PlatformConfig, today: dt.date) -> dt.date | None:
    given = platform.settings.get("start_date")
    try:
        return dt.date.fromisoformat(str(given)) if given else today - dt.timedelta(days=_FIRST_RUN)
    except ValueError:
        return None


def _windows(mark: Bookmark) -> list[Window]:
    return [Window(dt.date.fromisoformat(first), dt.date.fromisoformat(last)) for first, last in mark.settled]


def _accounts(accounts: Sequence[str]) -> str:
    named = ", ".join(printable(account) for account in accounts[:_MOST_ACCOUNTS])
    more = len(accounts) - _MOST_ACCOUNTS
    return f"{'account' if len(accounts) == 1 else 'accounts'} {named}{f' and {more:,} more' if more > 0 else ''}"


def _days(windows: Sequence[Window]) -> str:
    if not windows:
        return "nothing"
    return f"{', '.join(map(str, windows))} ({counted(sum(map(len, windows)), 'day')})"
