"""How many rows each table got, as bars over one common scale, and how many of them each account brought."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from attrs import frozen

from supervisor.record.run_record import PlatformRecord
from supervisor.report.page.chart import percent
from supervisor.report.page.words import counted

_ACCOUNTS_SHOWN = 200


@frozen(kw_only=True)
class RowsPanel:
    """One platform: its tables with the widths of their bars, and its accounts with the most rows.

    `left_out` accounts have fewer rows than those shown.
    """

    platform: str
    said: str
    tables: tuple[tuple[str, str, int], ...]
    accounts: tuple[tuple[str, int, int], ...]
    account_count: int
    left_out: int


def most_rows(loaded: Iterable[tuple[PlatformRecord, Mapping[str, int]]]) -> int:
    """The rows of the largest table, which the scale of all ends at."""
    return max((count for _, tables in loaded for count in tables.values()), default=0)


def rows(platform: PlatformRecord, tables: Mapping[str, int], most: int) -> RowsPanel:
    """What a platform loaded; `most` is the end of the scale."""
    total: Counter[str] = Counter()
    filled: Counter[str] = Counter()
    for accounts in platform.rows_by_account.values():
        total.update(accounts)
        filled.update(account for account, count in accounts.items() if count)
    shown = total.most_common(_ACCOUNTS_SHOWN)
    return RowsPanel(
        platform=platform.platform_name,
        said=f"{counted(platform.rows_processed, 'row')} in {counted(len(tables), 'table')}",
        tables=tuple(
            (name, percent(count / most if most else 0.0), count)
            for name, count in sorted(tables.items(), key=lambda item: (-item[1], item[0]))
        ),
        accounts=tuple((account, filled[account], count) for account, count in shown),
        account_count=len(total),
        left_out=len(total) - len(shown),
    )
