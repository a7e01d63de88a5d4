"""The daily reports as data: for each level its columns, the API fields they are read from, and its tables.

Another report is another `Report`: a level, columns, and the tables its rows go to. `facebook_pipeline.definitions`
makes those that a user has written of the same parts.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from facebook_pipeline import values
from facebook_pipeline.actions import LANDING_PAGE_VIEWS, LEADS, PURCHASES, VIDEO_VIEWS, Family, exploded, total
from wire import Column, Grain, Table, Type, plain
from wire.days import month_of

Raw = Mapping[str, Any]

MONTHS_KEPT = 37
"""Insights reach this far back; an earlier day is refused with code 3018."""
HOURS = "hourly_stats_aggregated_by_advertiser_time_zone"
"""The breakdown by hours of the account's own days, whose values are like `07:00:00 - 07:59:59`."""


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

    One that a user has written has a `name`, and so has one of a group of tables: where it cannot be had, everything
    else is loaded. `breakdowns` divide its rows, `filtering` are conditions beside the usual ones, `lookback_days` of
    None is the setting, and `months_kept` is how far back its numbers reach. `least_days` are those of its jobs at
    least, where a day is too little for one.
    """

    level: str
    tables: tuple[ReportTable, ...]
    least_days: int = 1
    name: str = ""
    breakdowns: tuple[str, ...] = ()
    filtering: tuple[Mapping[str, Any], ...] = ()
    grain: Grain = Grain.DAY
    lookback_days: int | None = None
    months_kept: int = MONTHS_KEPT

    def __str__(self) -> str:
        return f"report {self.name}" if self.name else f"insights of level {self.level}"

    @property
    def may_be_empty(self) -> bool:
        """Whether it can have no rows although its account has numbers."""
        return bool(self.breakdowns or self.filtering)


def scalar(name: str, kind: Type, note: str, field: str | None = None) -> ReportColumn:
    """A column that is one value of the answer; without one it is null."""
    api_name, convert = field or name, _CONVERT[kind]
    return ReportColumn(Column(name, kind, note), (api_name,), lambda raw: convert(raw.get(api_name)))


def identifier(name: str, note: str, field: str | None = None) -> ReportColumn:
    """A column of the key that is in every row of the answer."""
    api_name = field or name
    return ReportColumn(Column(name, Type.STRING, note), (api_name,), lambda raw: str(raw[api_name]))


def divider(breakdown: str, note: str) -> ReportColumn:
    """A column of the key that a breakdown fills; a row that Facebook does not assign has an empty text there.

    A breakdown is not among the fields that are asked for: as one it is refused. An asset comes as an object, of which
    the id is the column.
    """

    def read(raw: Raw) -> str:
        value = raw.get(breakdown)
        return str(value["id"] if isinstance(value, dict) else value or "")

    return ReportColumn(Column(breakdown, Type.STRING, note), (), read)


HOUR = ReportColumn(
    Column("hour", Type.INTEGER, "0 to 23, in the account's time zone"), (), lambda raw: int(raw[HOURS][:2])
)


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
    Type.JSON: values.anything,
}
_OF_DECIMAL: dict[Type, Callable[[Any], Any]] = {Type.INTEGER: int, Type.NUMBER: float, Type.DECIMAL: plain}

_CURRENCY = "account currency"
_OWN_SETTING = "by the ad set's own attribution setting, as Ads Manager shows it"

METRICS = (
    scalar("account_currency", Type.STRING, "ISO 4217 code of all money in the row"),
    scalar("attribution_setting", Type.STRING, "attribution setting that the action counts follow"),
    scalar("objective", Type.STRING, "campaign objective"),
    scalar("impressions", Type.INTEGER, "count"),
    scalar("reach", Type.INTEGER, "people, estimated; does not add up over days or levels"),
    scalar("frequency", Type.NUMBER, "impressions per person reached"),
    scalar("clicks", Type.INTEGER, "count of all clicks"),
    scalar("inline_link_clicks", Type.INTEGER, "count of link clicks, 1-day-click window"),
    scalar("inline_post_engagement", Type.INTEGER, "count"),
    scalar("spend", Type.DECIMAL, _CURRENCY),
    scalar("cpc", Type.DECIMAL, f"{_CURRENCY} per click"),
    scalar("cpm", Type.DECIMAL, f"{_CURRENCY} per 1,000 impressions"),
    scalar("ctr", Type.NUMBER, "clicks per 100 impressions"),
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

CAMPAIGN = (identifier("campaign_id", "id"), scalar("campaign_name", Type.STRING, "name when loaded"))
AD_SET = (
    identifier("ad_set_id", "id", "adset_id"),
    scalar("ad_set_name", Type.STRING, "name when loaded", "adset_name"),
)
AD = (identifier("ad_id", "id"), scalar("ad_name", Type.STRING, "name when loaded"))

_HEAD = (
    Column("account_id", Type.STRING, "ad account id without act_"),
    Column("date", Type.DATE, "day in the account's time zone"),
)
_LAST = (Column("is_final", Type.BOOLEAN, "the day was over in the account's time zone when it was loaded"),)
_OF_MONTHS = (
    (_HEAD[0], Column("date", Type.DATE, "first day of the month, in the account's time zone")),
    (Column("is_final", Type.BOOLEAN, "the month was over in the account's time zone when it was loaded"),),
)


def numbers(
    name: str,
    columns: tuple[ReportColumn, ...],
    key: tuple[str, ...],
    grain: Grain = Grain.DAY,
    **more: str,
) -> ReportTable:
    """A table with one row for each row of the answer; `key` are its columns beside account, date and hour.

    `more` are fingerprint, group and cost of the table.
    """
    head, last = _OF_MONTHS if grain is Grain.MONTH else (_HEAD, _LAST)
    if grain is Grain.HOUR:
        columns = (HOUR, *columns)
    readers = tuple((each.column.name, each.read) for each in columns)
    end_of = _end(grain)

    def rows(raw: Raw, account_id: str, today: dt.date) -> Iterator[dict[str, Any]]:
        day = dt.date.fromisoformat(raw["date_start"])
        row: dict[str, Any] = {"account_id": account_id, "date": day.isoformat()}
        for column, read in readers:
            row[column] = read(raw)
        row["is_final"] = end_of(day) < today
        yield row

    keyed = ("account_id", *key, "date", *(("hour",) if grain is Grain.HOUR else ()))
    table = Table(name, (*head, *(c.column for c in columns), *last), keyed, "date", **more)
    return ReportTable(table, _fields(columns), rows)


def action_lists(
    name: str,
    lists: tuple[str, ...],
    columns: tuple[ReportColumn, ...],
    notes: tuple[str, str],
    *,
    grain: Grain = Grain.DAY,
    **more: str,
) -> ReportTable:
    """A table with one row for each value of the lists of actions; `columns` are its key beside account and date.

    `notes` are those of its columns `metric` and `value`.
    """
    head, last = _OF_MONTHS if grain is Grain.MONTH else (_HEAD, _LAST)
    if grain is Grain.HOUR:
        columns = (HOUR, *columns)
    readers = tuple((each.column.name, each.read) for each in columns)
    end_of = _end(grain)

    def rows(raw: Raw, account_id: str, today: dt.date) -> Iterator[dict[str, Any]]:
        day = dt.date.fromisoformat(raw["date_start"])
        place = {name: read(raw) for name, read in readers}
        for metric in lists:
            for action_type, window, value in exploded(raw.get(metric)):
                yield {
                    "account_id": account_id,
                    "date": day.isoformat(),
                    **place,
                    "metric": metric,
                    "action_type": action_type,
                    "attribution_window": window,
                    "value": plain(value),
                    "account_currency": raw.get("account_currency"),
                    "is_final": end_of(day) < today,
                }

    own = (
        Column("metric", Type.STRING, notes[0]),
        Column("action_type", Type.STRING, "Meta's action type; several types contain each other"),
        Column("attribution_window", Type.STRING, "default (the ad set's own setting), 1d_click, 7d_click, ..."),
        Column("value", Type.DECIMAL, notes[1]),
        Column("account_currency", Type.STRING, "ISO 4217 code"),
    )
    names = [each.column.name for each in columns if each is not HOUR]
    hour = ("hour",) if grain is Grain.HOUR else ()
    key = ("account_id", *names, "date", *hour, "metric", "action_type", "attribution_window")
    table = Table(name, (*head, *(each.column for each in columns), *own, *last), key, "date", **more)
    return ReportTable(table, (*_fields(columns), "account_currency", *lists), rows)


def _end(grain: Grain) -> Callable[[dt.date], dt.date]:
    """The last day of what a row is of, whose first day is given."""
    return (lambda day: month_of(day).last) if grain is Grain.MONTH else (lambda day: day)


def _fields(columns: Iterable[ReportColumn]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(field for column in columns for field in column.fields))


_LISTS = (
    *("actions", "action_values", "conversions", "conversion_values", "outbound_clicks", "purchase_roas"),
    *("video_play_actions", "video_thruplay_watched_actions"),
    *(f"video_p{part}_watched_actions" for part in (25, 50, 75, 100)),
)
"""What is counted, and what it is worth. Spend divided by these counts is in tables of its own."""
_LIST_NOTES = (
    "the list: actions, conversions, outbound_clicks and video_… are counts, …_values money, purchase_roas a ratio",
    f"count; {_CURRENCY} where metric is action_values or conversion_values; a ratio where it is purchase_roas",
)
_AD_ACTIONS = action_lists("ad_daily_actions", _LISTS, AD[:1], _LIST_NOTES)
_AD_SET_ACTIONS = action_lists(
    "ad_set_daily_actions", _LISTS, (*CAMPAIGN[:1], *AD_SET[:1]), _LIST_NOTES, group="conversions"
)

_COSTS = ("cost_per_action_type", "cost_per_conversion", "cost_per_outbound_click", "cost_per_thruplay")
"""One for each count of the tables of actions, whose entries it repeats: beside them it would double their rows."""
_COST_NOTES = ("the list, each spend divided by a count: of actions, conversions, outbound_clicks, …", _CURRENCY)
_COSTS_GROUP = "action_costs"
_COST_OF_COSTS = "no job of its own; as many rows again as the table of actions"
_AD_COSTS = action_lists("ad_daily_action_costs", _COSTS, AD[:1], _COST_NOTES, group=_COSTS_GROUP, cost=_COST_OF_COSTS)
_AD_SET_COSTS = action_lists(
    "ad_set_daily_action_costs",
    _COSTS,
    (*CAMPAIGN[:1], *AD_SET[:1]),
    _COST_NOTES,
    group=_COSTS_GROUP,
    cost=_COST_OF_COSTS,
)

_ON_META = tuple(
    each
    for each in METRICS
    if each.column.name
    in ("account_currency", "impressions", "clicks", "inline_link_clicks", "inline_post_engagement", "spend")
)
"""What has no people in it, who would be counted once in each part, and nothing that happens outside Meta."""
_OFF_META = tuple(
    each
    for each in METRICS
    if each.column.name in ("conversions", "conversions_value", "purchases", "purchase_value", "leads")
)


def _divided(
    name: str, by: Mapping[str, str], *, group: str, columns: tuple[ReportColumn, ...] = (*_ON_META, *_OFF_META)
) -> Report:
    """A table of ads whose days are divided by breakdowns, each with its note."""
    dividers = tuple(divider(each, note) for each, note in by.items())
    key = ("campaign_id", "ad_set_id", "ad_id", *by)
    cost = "1 job an account and 7 days, a row for each part of an ad's day"
    table = numbers(name, (*CAMPAIGN, *AD_SET, *AD, *dividers, *columns), key, group=group, cost=cost)
    return Report("ad", (table,), name=name, breakdowns=tuple(by))


REPORTS = (
    Report("campaign", (numbers("campaign_daily", (*CAMPAIGN, *METRICS), ("campaign_id",)),)),
    Report(
        "adset",
        (
            numbers("ad_set_daily", (*CAMPAIGN, *AD_SET, *METRICS), ("campaign_id", "ad_set_id")),
            _AD_SET_ACTIONS,
            _AD_SET_COSTS,
        ),
    ),
    Report(
        "ad",
        (
            numbers("ad_daily", (*CAMPAIGN, *AD_SET, *AD, *METRICS), ("campaign_id", "ad_set_id", "ad_id")),
            _AD_ACTIONS,
            _AD_COSTS,
        ),
    ),
    Report(ACCOUNT_LEVEL, (numbers("account_daily", _OF_AN_ACCOUNT, ()),), least_days=31),
    _divided(
        "ad_daily_placement",
        {
            "publisher_platform": "facebook, instagram, messenger, audience_network, …",
            "platform_position": "feed, story, …",
        },
        group="placement",
    ),
    _divided(
        "ad_daily_device",
        {
            "publisher_platform": "facebook, instagram, messenger, audience_network, …",
            "impression_device": "desktop, iphone, ipad, ipod, android_smartphone, android_tablet, other",
        },
        group="placement",
    ),
    _divided("ad_daily_age_gender", {"age": "years, as 25-34", "gender": "female, male, unknown"}, group="audience"),
    _divided("ad_daily_country", {"country": "ISO 3166 code of two letters"}, group="geo"),
    _divided("ad_daily_region", {"region": "name of a region"}, group="geo", columns=_ON_META),
    Report(
        "campaign",
        (
            numbers(
                "campaign_hourly",
                (*CAMPAIGN, *_ON_META),
                ("campaign_id",),
                Grain.HOUR,
                group="hourly",
                cost="1 job an account and 7 days, 24 times the rows of campaign_daily",
            ),
        ),
        name="campaign_hourly",
        breakdowns=(HOURS,),
        grain=Grain.HOUR,
        months_kept=13,
    ),
)
