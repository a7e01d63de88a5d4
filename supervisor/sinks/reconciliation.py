"""Control totals held against the levels below them: `ads.reconciliation`, and what of it is wrong.

Each platform is asked for an account's own numbers apart from those of its campaigns, ad groups and ads, so a page that
was lost, a page that came twice or a campaign that is missing shows as a difference. What a sum may be off by, and
which levels lack something by their nature, is said here once, per platform.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import frozen

from supervisor.record import reconciliation
from supervisor.sinks.exchange_rates import with_reporting_currency
from supervisor.sinks.unified import LEVELS, MEASURES, SOURCES, unified_views

CONTROL, CAMPAIGN = LEVELS[:2]
BELOW = LEVELS[1:]
METRICS = {metric: MEASURES[metric] for metric in reconciliation.METRICS}
"""Their types."""


@frozen
class Promise:
    """What the levels of a platform keep.

    Impressions and clicks are whole and must be equal; spend may be off by `spend_per_row`, in account currency, for
    each row that is summed. `lacks` says what a level has no rows of; one that is not named there lacks nothing.
    """

    spend_per_row: str
    lacks: Mapping[str, str] = {}


PROMISES = {
    "google": Promise(
        "0.01",
        {
            "ad_group": "Performance Max campaigns have no ad groups",
            "ad": "Performance Max campaigns have no ads",
        },
    ),
    "microsoft": Promise(
        "0.01",
        {
            "ad_group": "Performance Max campaigns have asset groups in place of ad groups",
            "ad": "Performance Max campaigns have no ads of their own",
        },
    ),
    "facebook": Promise(
        "0.01",
        {
            "ad_group": "ad sets that Facebook lists under no status any more are not in it",
            "ad": "ads that Facebook lists under no status any more are not in it",
        },
    ),
    "linkedin": Promise(
        "0.000001",
        {"ad": "a day of too many creatives for one answer is read campaign by campaign, as far as they are listed"},
    ),
}
NOT_FINAL = "the day was not over when it was loaded"
NO_TOTAL = "account_daily has no row of this day"


def reader_views(
    columns: Mapping[str, set[str]], *, types: Mapping[str, str] | None = None, reporting_currency: str | None = None
) -> dict[str, str]:
    """View name -> query, of every view of the schema `ads` for which there are tables; as `unified_views`."""
    views = unified_views(columns, types=types)
    if reporting_currency is not None:
        views = with_reporting_currency(views, reporting_currency)
    differences = reconciliation_view(columns)
    return {**views, "reconciliation": differences} if differences else views


def reconciliation_view(columns: Mapping[str, set[str]]) -> str | None:
    """The query of `ads.reconciliation`, for the platforms that have account totals; None where none has.

    `columns` maps `platform.table` to its column names.
    """
    parts = [compared(platform, columns) for platform in SOURCES]
    return "\nUNION ALL\n".join(part for part in parts if part) or None


def compared(
    platform: str,
    columns: Mapping[str, set[str]],
    *,
    levels: Sequence[str] = BELOW,
    where: str = "",
    having: str = "",
    must_have_total: bool = False,
) -> str | None:
    """The query of one platform's days: its account's numbers beside the sums of `levels`.

    None where there are no tables to compare. `where` is a condition on the rows of each daily table `d`, `having` one
    on all rows of an account's day. A day without the account's own row is not judged, unless it `must_have_total`.
    """
    there = [level for level in (CONTROL, *levels) if _is_there(platform, level, columns)]
    if CONTROL not in there or CAMPAIGN not in there:
        return None
    parts = "\nUNION ALL ".join(_rows(platform, level, columns, where) for level in there)
    sums = ", ".join(
        f"sum(CASE WHEN tier = '{level}' THEN {metric} END) AS {level}_{metric}"
        for level in there
        for metric in METRICS
    )
    counts = ", ".join(f"sum(CASE WHEN tier = '{level}' THEN 1 ELSE 0 END) AS {level}_rows" for level in there)
    grouped = (
        f"SELECT account_id, date, min(final) AS final, {sums}, {counts} FROM (\n{parts}\n) r "
        f"GROUP BY account_id, date{f' HAVING {having}' if having else ''}"
    )
    judged = ", ".join(f"{_adds_up(platform, level)} AS {level}_adds_up" for level in there if level != CONTROL)
    return (
        f"SELECT {', '.join(_chosen(platform, levels, there, must_have_total))} FROM (\n"
        f"SELECT s.*, {judged} FROM (\n{grouped}\n) s\n) t"
    )


def _is_there(platform: str, level: str, columns: Mapping[str, set[str]]) -> bool:
    source = SOURCES[platform]
    needed = {"account_id", "date", "_run_id", *(need for name in METRICS for need in source.measures[name].needs)}
    return columns.get(table_of(platform, level), set()) >= needed


def table_of(platform: str, level: str) -> str:
    return f"{platform}.{SOURCES[platform].levels[level]}_daily"


def _rows(platform: str, level: str, columns: Mapping[str, set[str]], where: str) -> str:
    measures = SOURCES[platform].measures
    numbers = ", ".join(
        f"CAST({measures[metric].expression} AS {kind}) AS {metric}" for metric, kind in METRICS.items()
    )
    table = table_of(platform, level)
    final = "CASE WHEN d.is_final = false THEN 0 ELSE 1 END" if "is_final" in columns[table] else "1"
    condition = f" WHERE {where}" if where else ""
    return (
        f"SELECT '{level}' AS tier, d.account_id, d.date, {final} AS final, {numbers}, d._run_id AS run_id "
        f"FROM {table} d{condition}"
    )


def _chosen(platform: str, levels: Sequence[str], there: Sequence[str], must_have_total: bool) -> list[str]:
    """The columns of the view; those of a level without a table are null."""
    chosen = [f"'{platform}' AS platform", "account_id", "date", "final = 1 AS is_final"]
    for metric, kind in METRICS.items():
        for level in (CONTROL, *levels):
            number = f"{level}_{metric}" if level in there else "NULL"
            chosen.append(f"CAST({number} AS {kind}) AS {level}_{metric}")
        for level in levels:
            number = _difference(level, metric) if level in there else "NULL"
            chosen.append(f"CAST({number} AS {kind}) AS {level}_{metric}_difference")
    judged = "final = 1" if must_have_total else f"final = 1 AND {CONTROL}_rows > 0"
    chosen.append(f"CASE WHEN {judged} THEN {CAMPAIGN}_adds_up END AS adds_up")
    chosen.append(f"{_reason(platform, [level for level in levels if level in there])} AS reason")
    return chosen


def _difference(level: str, metric: str) -> str:
    return f"coalesce({level}_{metric}, 0) - coalesce({CONTROL}_{metric}, 0)"


def _adds_up(platform: str, level: str) -> str:
    """Whether a level is the account, but for rounding: each of its rows, and the account's own, may be rounded."""
    equal = [f"{_difference(level, metric)} = 0" for metric in METRICS if metric != "spend"]
    allowed = f"{PROMISES[platform].spend_per_row} * ({level}_rows + 1)"
    return f"({' AND '.join(equal)} AND abs({_difference(level, 'spend')}) <= {allowed})"


def _reason(platform: str, below: Sequence[str]) -> str:
    """Why a day's levels may differ; null where they do not."""
    lacks = PROMISES[platform].lacks
    cases = [
        (" AND ".join(f"{level}_adds_up" for level in below), "NULL"),
        ("final = 0", f"'{NOT_FINAL}'"),
        (f"{CONTROL}_rows = 0", f"'{NO_TOTAL}'"),
        *((f"NOT {level}_adds_up", f"'{lacks.get(level) or _must(level)}'") for level in below),
    ]
    return f"CASE {' '.join(f'WHEN {when} THEN {then}' for when, then in cases)} END"


def _must(level: str) -> str:
    return f"the {level.replace('_', ' ')}s must add up to the account: an answer was cut, came twice, or lacks some"
