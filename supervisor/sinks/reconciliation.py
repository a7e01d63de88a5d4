"""Control totals held against the levels below them: `ads.reconciliation`, and what of it is wrong.

Each platform is asked for an account's own numbers apart from those of its campaigns, ad groups and ads, so a page that
was lost, a page that came twice or a campaign that is missing shows as a difference. What a sum may be off by, and
which levels lack something by their nature, is said here once, per platform.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from attrs import frozen

from supervisor.record import reconciliation
from supervisor.sinks.unified import LEVELS, MEASURES, SOURCES

CONTROL, CAMPAIGN = LEVELS[:2]
BELOW = LEVELS[1:]
METRICS = {metric: MEASURES[metric] for metric in reconciliation.METRICS}
"""Their types."""


@frozen
class Promise:
    """What the levels of a platform keep.

    Impressions and clicks are whole and must be equal; spend may be off by `spend_per_row`, in account currency, for
    each row that is summed. `lacks` says what a level has no rows of; one that is not named there lacks nothing.

    Reports of one's own that are of something in `whole` and divided by nothing but what is in `parts` have all of the
    account's numbers, each once. Both are in small letters, without underscores and the platform's prefixes.
    """

    spend_per_row: str
    lacks: Mapping[str, str] = {}
    whole: frozenset[str] = frozenset()
    parts: frozenset[str] = frozenset()


PROMISES = {
    "google": Promise(
        "0.01",
        {
            "ad_group": "Performance Max campaigns have no ad groups",
            "ad": "Performance Max campaigns have no ads",
        },
        whole=frozenset({"customer", "campaign"}),
        parts=frozenset({"device", "adnetworktype", "dayofweek"}),
    ),
    "microsoft": Promise(
        "0.01",
        {
            "ad_group": "Performance Max campaigns have asset groups in place of ad groups",
            "ad": "Performance Max campaigns have no ads of their own",
        },
        whole=frozenset({"accountperformancereport", "campaignperformancereport"}),
        parts=frozenset({"devicetype", "deviceos", "network", "topvsother", "campaigntype"}),
    ),
    "facebook": Promise(
        "0.01",
        {
            "ad_group": "ad sets that Facebook lists under no status any more are not in it",
            "ad": "ads that Facebook lists under no status any more are not in it",
        },
        whole=frozenset({"account", "campaign"}),
        parts=frozenset({"publisherplatform", "platformposition", "impressiondevice", "deviceplatform"}),
    ),
    "linkedin": Promise(
        "0.000001",
        {"ad": "a day of too many creatives for one answer is read campaign by campaign, as far as they are listed"},
        whole=frozenset({"account", "campaigngroup", "campaign"}),
    ),
}
NOT_FINAL = "the day was not over when it was loaded"
NO_TOTAL = "account_daily has no row of this day"


def has_everything(platform: str, report: Mapping[str, object]) -> bool:
    """Whether a report of one's own, as it is configured, must add up to the account on every day."""
    promise = PROMISES.get(platform)
    if promise is None or report.get("where") or report.get("grain", "day") == "month":
        return False
    by = report.get("by") or ()
    words = {_word(each) for each in by} if isinstance(by, list | tuple) else {""}
    return _word(report.get("of")) in promise.whole and words <= promise.parts


def _word(given: object) -> str:
    return str(given).lower().removeprefix("segments.").replace("_", "")


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
    instead: str | None = None,
) -> str | None:
    """The query of one platform's days: its account's numbers beside the sums of `levels`.

    None where there are no tables to compare. `where` is a condition on the rows of each daily table `d`, `having` one
    on all rows of an account's day. A day without the account's own row is not judged, unless it `must_have_total`.

    A table that stands `instead` of the campaigns' is compared as far as it has the metrics, on the days that it has.
    """
    tables = {level: table_of(platform, level) for level in (CONTROL, *levels)}
    if instead is not None:
        tables[CAMPAIGN] = f"{platform}.{instead.lower()}"
    metrics = [metric for metric in METRICS if instead is None or _has(platform, metric, columns, tables[CAMPAIGN])]
    there = [level for level, table in tables.items() if _is_there(platform, metrics, columns, table)]
    if CONTROL not in there or CAMPAIGN not in there or not metrics:
        return None
    parts = "\nUNION ALL ".join(
        _rows(platform, level, tables[level], columns, where=where, metrics=metrics) for level in there
    )
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
        f"SELECT {', '.join(_chosen(platform, levels, there, _judged(must_have_total, instead)))} FROM (\n"
        f"SELECT s.*, {judged} FROM (\n{grouped}\n) s\n) t"
    )


def _judged(must_have_total: bool, instead: str | None) -> str:
    """The condition on a day of which something can be said."""
    conditions = ["final = 1"]
    if not must_have_total:
        conditions.append(f"{CONTROL}_rows > 0")
    if instead is not None:
        conditions.append(f"{CAMPAIGN}_rows > 0")
    return " AND ".join(conditions)


def _is_there(platform: str, metrics: Sequence[str], columns: Mapping[str, set[str]], table: str) -> bool:
    known = columns.get(table, set())
    return known >= {"account_id", "date", "_run_id"} and all(_has(platform, each, columns, table) for each in metrics)


def _has(platform: str, metric: str, columns: Mapping[str, set[str]], table: str) -> bool:
    return columns.get(table, set()).issuperset(SOURCES[platform].measures[metric].needs)


def table_of(platform: str, level: str) -> str:
    return f"{platform}.{SOURCES[platform].levels[level]}_daily"


def _rows(
    platform: str, level: str, table: str, columns: Mapping[str, set[str]], *, where: str, metrics: Sequence[str]
) -> str:
    """The rows of a level; what is not compared is 0 on every one."""
    measures = SOURCES[platform].measures
    numbers = ", ".join(
        f"CAST({measures[metric].expression if metric in metrics else 0} AS {kind}) AS {metric}"
        for metric, kind in METRICS.items()
    )
    final = "CASE WHEN d.is_final = false THEN 0 ELSE 1 END" if "is_final" in columns[table] else "1"
    condition = f" WHERE {where}" if where else ""
    return (
        f"SELECT '{level}' AS tier, d.account_id, d.date, {final} AS final, {numbers}, d._run_id AS run_id "
        f"FROM {table} d{condition}"
    )


def _chosen(platform: str, levels: Sequence[str], there: Sequence[str], judged: str) -> list[str]:
    """The columns of the view; those of a level without a table are null."""
    chosen = [f"'{platform}' AS platform", "account_id", "date", "final = 1 AS is_final"]
    for metric, kind in METRICS.items():
        for level in (CONTROL, *levels):
            number = f"{level}_{metric}" if level in there else "NULL"
            chosen.append(f"CAST({number} AS {kind}) AS {level}_{metric}")
        for level in levels:
            number = _difference(level, metric) if level in there else "NULL"
            chosen.append(f"CAST({number} AS {kind}) AS {level}_{metric}_difference")
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
