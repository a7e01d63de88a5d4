"""The daily reports as data: for each level its columns, the API fields they are read from, and its tables.

Another report is another `Report`: a level, columns, and the tables its rows go to.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from facebook_pipeline import values
from facebook_pipeline.actions import LANDING_PAGE_VIEWS, LEADS, PURCHASES, VIDEO_VIEWS, Family, exploded, total
from wire import Column, Table, Type, plain

Raw = Mapping[str, Any]


class ReportColumn(Struct, frozen=True):
    """A column, the API fields that must be asked for, and how it is read from a row of the answer."""

    column: Column
    fields: tuple[str, ...]
    read: Callable[[Raw], Any]


class ReportTable(Struct, frozen=True):
    """A table filled from a report: the API fields it needs, and the rows that one row of the answer becomes."""

    table: Table
    fields: tuple[str, ...]
    rows: Callable[[Raw, str, dt.date], Iterable[dict[str, Any]]]


class Report(Struct, frozen=True):
    """One kind of insights job; `level` is the API's word, the tables share the job's rows.

    `least_days` are those of its jobs at least, where a day is too little for one.
    """

    level: str
    tables: tuple[ReportTable, ...]
    least_days: int = 1


def _plain(name: str, kind: Type, note: str, field: str | None = None) -> ReportColumn:
    api_name, convert = field or name, _CONVERT[kind]
    return ReportColumn(Column(name, kind, note), (api_name,), lambda raw: convert(raw.get(api_name)))


def _identifier(name: str, note: str, field: str | None = None) -> ReportColumn:
    api_name = field or name
    return ReportColumn(Column(name, Type.STRING, note), (api_name,), lambda raw: str(raw[api_name]))


def _actions(name: str, kind: Type, note: str, field: str, *families: Family, window: str = "value") -> ReportColumn:
    convert = _OF_DECIMAL[kind]

    def read(raw: Raw) -> Any:
        amount = total(raw.get(field), families, window)
        return None if amount is None else convert(amount)

    return ReportColumn(Column(name, kind, note), (field,), read)


_CONVERT: dict[Type, Callable[[Any], Any]] = {
    Type.STRING: values.text,
    Type.INTEGER: values.integer,
    Type.NUMBER: values.number,
    Type.DECIMAL: values.decimal,
}
_OF_DECIMAL: dict[Type, Callable[[Any], Any]] = {Type.INTEGER: int, Type.NUMBER: float, Type.DECIMAL: plain}

_CURRENCY = "account currency"
_OWN_SETTING = "by the ad set's own attribution setting, as Ads Manager shows it"

METRICS = (
    _plain("account_currency", Type.STRING, "ISO 4217 code of all money in the row"),
    _plain("attribution_setting", Type.STRING, "attribution setting that the action counts follow"),
    _plain("objective", Type.STRING, "campaign objective"),
    _plain("impressions", Type.INTEGER, "count"),
    _plain("reach", Type.INTEGER, "people, estimated; does not add up over days or levels"),
    _plain("frequency", Type.NUMBER, "impressions per person reached"),
    _plain("clicks", Type.INTEGER, "count of all clicks"),
    _plain("inline_link_clicks", Type.INTEGER, "count of link clicks, 1-day-click window"),
    _plain("inline_post_engagement", Type.INTEGER, "count"),
    _plain("spend", Type.DECIMAL, _CURRENCY),
    _plain("cpc", Type.DECIMAL, f"{_CURRENCY} per click"),
    _plain("cpm", Type.DECIMAL, f"{_CURRENCY} per 1,000 impressions"),
    _plain("ctr", Type.NUMBER, "clicks per 100 impressions"),
    _actions("conversions", Type.NUMBER, f"purchases + leads, {_OWN_SETTING}", "actions", PURCHASES, LEADS),
    _actions(
        "conversions_value", Type.DECIMAL, f"{_CURRENCY}; of purchases + leads", "action_values", PURCHASES, LEADS
    ),
    _actions("purchases", Type.NUMBER, f"count on every channel, {_OWN_SETTING}", "actions", PURCHASES),
    _actions("purchase_value", Type.DECIMAL, _CURRENCY, "action_values", PURCHASES),
    _actions("leads", Type.NUMBER, f"count on and off Facebook, {_OWN_SETTING}", "actions", LEADS),
    _actions(
        "view_through_conversions",
        Type.NUMBER,
        "purchases + leads within a day after a view without a click (window 1d_view)",
        "actions",
        PURCHASES,
        LEADS,
        window="1d_view",
    ),
    _actions(
        "landing_page_views",
        Type.INTEGER,
        f"count of pages that had loaded after a link click, {_OWN_SETTING}",
        "actions",
        LANDING_PAGE_VIEWS,
    ),
    _actions("video_plays", Type.INTEGER, "count of video starts", "video_play_actions", VIDEO_VIEWS),
    _actions("video_views", Type.INTEGER, "count of video plays of 3 seconds or more", "actions", VIDEO_VIEWS),
    _actions("video_thruplays", Type.INTEGER, "count", "video_thruplay_watched_actions", VIDEO_VIEWS),
    *(
        _actions(
            f"video_p{part}_watched",
            Type.INTEGER,
            f"count of plays to {part} %",
            f"video_p{part}_watched_actions",
            VIDEO_VIEWS,
        )
        for part in (25, 50, 75, 100)
    ),
)

ACCOUNT_LEVEL = "account"
"""The level that has no objects to name: what was deleted long ago counts there too."""
_OF_AN_ACCOUNT = tuple(each for each in METRICS if each.column.name != "objective")

CAMPAIGN = (_identifier("campaign_id", "id"), _plain("campaign_name", Type.STRING, "name when loaded"))
AD_SET = (
    _identifier("ad_set_id", "id", "adset_id"),
    _plain("ad_set_name", Type.STRING, "name when loaded", "adset_name"),
)
AD = (_identifier("ad_id", "id"), _plain("ad_name", Type.STRING, "name when loaded"))

_HEAD = (
    Column("account_id", Type.STRING, "ad account id without act_"),
    Column("date", Type.DATE, "day in the account's time zone"),
)
_LAST = (Column("is_final", Type.BOOLEAN, "the day was over in the account's time zone when it was loaded"),)


def _daily(name: str, columns: tuple[ReportColumn, ...], ids: tuple[str, ...]) -> ReportTable:
    """A table with one row for each row of the answer."""
    readers = tuple((each.column.name, each.read) for each in columns)

    def rows(raw: Raw, account_id: str, today: dt.date) -> Iterator[dict[str, Any]]:
        day = dt.date.fromisoformat(raw["date_start"])
        row: dict[str, Any] = {"account_id": account_id, "date": day.isoformat()}
        for column, read in readers:
            row[column] = read(raw)
        row["is_final"] = day < today
        yield row

    table = Table(name, (*_HEAD, *(c.column for c in columns), *_LAST), ("account_id", *ids, "date"), "date")
    return ReportTable(table, _fields(columns), rows)


ACTION_METRICS = ("actions", "action_values")


def _ad_actions(raw: Raw, account_id: str, today: dt.date) -> Iterator[dict[str, Any]]:
    day = dt.date.fromisoformat(raw["date_start"])
    for metric in ACTION_METRICS:
        for action_type, window, value in exploded(raw.get(metric)):
            yield {
                "account_id": account_id,
                "date": day.isoformat(),
                "ad_id": str(raw["ad_id"]),
                "metric": metric,
                "action_type": action_type,
                "attribution_window": window,
                "value": plain(value),
                "account_currency": raw.get("account_currency"),
                "is_final": day < today,
            }


_AD_ACTIONS = ReportTable(
    Table(
        "ad_daily_actions",
        (
            *_HEAD,
            Column("ad_id", Type.STRING, "id"),
            Column("metric", Type.STRING, "actions (value is a count) or action_values (value is money)"),
            Column("action_type", Type.STRING, "Meta's action type; several types contain each other"),
            Column("attribution_window", Type.STRING, "default (the ad set's own setting), 1d_click, 7d_click, ..."),
            Column("value", Type.DECIMAL, f"count, or {_CURRENCY} where metric is action_values"),
            Column("account_currency", Type.STRING, "ISO 4217 code"),
            *_LAST,
        ),
        ("account_id", "ad_id", "date", "metric", "action_type", "attribution_window"),
        "date",
    ),
    ("ad_id", "account_currency", *ACTION_METRICS),
    _ad_actions,
)


def _fields(columns: Iterable[ReportColumn]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(field for column in columns for field in column.fields))


REPORTS = (
    Report("campaign", (_daily("campaign_daily", (*CAMPAIGN, *METRICS), ("campaign_id",)),)),
    Report("adset", (_daily("ad_set_daily", (*CAMPAIGN, *AD_SET, *METRICS), ("campaign_id", "ad_set_id")),)),
    Report(
        "ad",
        (
            _daily("ad_daily", (*CAMPAIGN, *AD_SET, *AD, *METRICS), ("campaign_id", "ad_set_id", "ad_id")),
            _AD_ACTIONS,
        ),
    ),
    Report(ACCOUNT_LEVEL, (_daily("account_daily", _OF_AN_ACCOUNT, ()),), least_days=31),
)
