"""How many rows each table got, as bars in a table, and how many of them each account brought."""

from __future__ import annotations

from collections import Counter

from supervisor.record.run_record import PlatformRecord, RunRecord
from supervisor.report.page.chart import percent
from supervisor.report.page.markup import Markup, joined, tag
from supervisor.report.page.table import folded, table
from supervisor.report.page.words import counted, number

_ACCOUNTS_SHOWN = 200


def rows(record: RunRecord) -> Markup:
    """One table per platform, over one common scale."""
    loaded = [(platform, platform.rows_by_table) for platform in record.platforms]
    most = max((count for _, tables in loaded for count in tables.values()), default=0)
    panels = [_panel(platform, tables, most) for platform, tables in loaded if tables]
    if not panels:
        return tag("p", "No table got rows.", class_="soft")
    return tag("div", *panels, class_="panels")


def _panel(platform: PlatformRecord, tables: dict[str, int], most: int) -> Markup:
    ordered = sorted(tables.items(), key=lambda item: (-item[1], item[0]))
    lines = ([name, _bar(count / most if most else 0.0), number(count)] for name, count in ordered)
    said = f"{counted(platform.rows_processed, 'row')} in {counted(len(tables), 'table')}"
    return tag(
        "div",
        tag("h3", platform.platform_name, " ", tag("span", said, class_="soft")),
        tag("div", table(f"Rows of {platform.platform_name} per table", ["table", "", "rows"], lines), class_="rows"),
        _accounts(platform),
    )


def _accounts(platform: PlatformRecord) -> Markup:
    total: Counter[str] = Counter()
    tables: Counter[str] = Counter()
    for accounts in platform.rows_by_account.values():
        total.update(accounts)
        tables.update(account for account, count in accounts.items() if count)
    if not total:
        return joined()
    shown = total.most_common(_ACCOUNTS_SHOWN)
    lines = ([account, number(tables[account]), number(count)] for account, count in shown)
    left = len(total) - len(shown)
    more = tag("p", f"{counted(left, 'more account')} with fewer rows: see the JSON report.", class_="soft")
    return folded(
        f"Rows of {counted(len(total), 'account')}",
        table(f"Rows of {platform.platform_name} per account", ["account", "tables with rows", "rows"], lines),
        more if left else None,
    )


def _bar(share: float) -> Markup:
    return tag(
        "svg", tag("rect", width=percent(share), height=10, y=1, class_="day"),
        width="100%", height=12, aria_hidden="true",
    )  # fmt: skip
