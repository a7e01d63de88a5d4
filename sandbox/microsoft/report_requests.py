"""A report request, checked as the service checks it: scope, time, aggregation and columns.

Optional elements and their defaults are those of the pages of each report request (MicrosoftDocs/Advertising,
reporting-service), periods those of guides/reports.md, codes those of guides/operation-error-codes.md.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sandbox.microsoft.calls import Body, Call, flag, identifier, ids, items, part
from sandbox.microsoft.columns import QUALITY
from sandbox.microsoft.customers import TIME_ZONES
from sandbox.microsoft.filters import Test, tests
from sandbox.microsoft.refusals import RefusalError, refuse
from sandbox.microsoft.report_types import REPORT_TYPES, ReportType
from sandbox.microsoft.splits import COLUMNS
from sandbox.microsoft.vocabulary import REPORT_TIME_ZONES
from sandbox.world import Account, World

_DAY = dt.timedelta(days=1)
_PACIFIC = "PacificTimeUSCanadaTijuana"
_ZONES = {zone: name for name, zone in TIME_ZONES.items()}
_AGGREGATIONS = ("Summary", "Hourly", "Daily", "Weekly", "WeeklyStartingMonday", "Monthly", "Yearly")
_FORMATS = ("Csv", "Tsv")
_LIMITS = {"AccountIds": (1000, 2029), "Campaigns": (300, 2030), "AdGroups": (300, 2031)}


@dataclass(frozen=True, slots=True)
class Order:
    """A checked request. `campaigns` and `groups` are ids that a scope adds to those of whole accounts.

    Rows are `split` by these columns, and are in the report where they pass all `tests`.
    """

    name: str
    kind: ReportType
    accounts: tuple[Account, ...]
    whole_accounts: frozenset[str]
    campaigns: frozenset[str]
    groups: frozenset[str]
    columns: tuple[str, ...]
    split: frozenset[str]
    tests: tuple[Test, ...]
    first: dt.date
    last: dt.date
    zone: str
    aggregation: str
    delimiter: str
    newest_format: bool
    header: bool
    column_headers: bool
    footer: bool


def checked(call: Call, world: World) -> Order:
    """The request of a SubmitGenerateReport; raises RefusalError."""
    request = part(call.body, "ReportRequest")
    refuse(not request, 2001)
    type_name = str(request.get("Type", "")).removesuffix("Request")
    kind = REPORT_TYPES.get(type_name)
    if kind is None:
        raise RefusalError(2002)
    name = str(request.get("ReportName") or f"{type_name}-{world.as_of:%Y%m%d%H%M%S}")
    refuse(len(name) > 200, 201)
    refuse(request.get("Format") not in (None, *_FORMATS), 204, "the sandbox makes Csv and Tsv")
    columns = _columns(kind, request)
    aggregation = str(request.get("Aggregation") or "Summary")
    refuse(aggregation not in _AGGREGATIONS, 2059, "the sandbox has no hours or weekdays over all days")
    refuse("TimePeriod" in columns and aggregation == "Summary", 2034)
    if "TimePeriod" not in columns:
        aggregation = "Summary"
    refuse("HistoricalQualityScore" in columns and aggregation != "Daily", 2054)
    accounts, whole, campaigns, groups = _scope(kind, request, world)
    first, last, zone = _days(part(request, "Time"), world, kind.kept.get(aggregation, kind.kept[""]))
    refuse(flag(request, "ReturnOnlyCompleteData") and last >= min(map(world.today, accounts)), 2004)
    split, must_pass = tests(kind, type_name, request)
    first, last = _whole_periods(aggregation, first, last)
    return Order(
        name=name,
        kind=kind,
        accounts=accounts,
        whole_accounts=whole,
        campaigns=campaigns,
        groups=groups,
        columns=columns,
        split=split | ({*columns} & COLUMNS) | ({"Hour"} if aggregation == "Hourly" else set()),
        tests=must_pass,
        first=first,
        last=last,
        zone=zone,
        aggregation=aggregation,
        delimiter="\t" if request.get("Format") == "Tsv" else ",",
        newest_format=request.get("FormatVersion") == "2.0",
        header=not flag(request, "ExcludeReportHeader"),
        column_headers=not flag(request, "ExcludeColumnHeaders"),
        footer=not flag(request, "ExcludeReportFooter"),
    )


def _columns(kind: ReportType, request: Body) -> tuple[str, ...]:
    columns = tuple(str(each) for each in items(request, "Columns"))
    refuse(not columns, 2014)
    repeated = sorted({column for column in columns if columns.count(column) > 1})
    refuse(repeated, 2016, ",".join(repeated))
    unknown = [column for column in columns if kind.cell(column) is None]
    refuse(unknown, 100, f"the sandbox has no column {', '.join(unknown)} in this report")
    refuse(not {*kind.required} <= {*columns}, 2015)
    # Scores count as attributes.
    refuse(not ({*kind.metrics} - {*QUALITY}) & {*columns}, 2017)
    for attributes, metrics in kind.excludes:
        # Documented as refused; with which code is not.
        refuse(attributes & {*columns} and metrics & {*columns}, 201)
    return columns


_Scope = tuple[tuple[Account, ...], frozenset[str], frozenset[str], frozenset[str]]


def _scope(kind: ReportType, request: Body, world: World) -> _Scope:
    scope = part(request, "Scope")
    empty = {1: 2026, 2: 2027, 3: 2028}[len(kind.scopes)]
    refuse(not any(items(scope, name) for name in kind.scopes), empty)
    for name, (limit, code) in _LIMITS.items():
        refuse(len(items(scope, name)) > limit, code)
    known = {account.id: account for account in world.accounts("microsoft")}
    whole = ids(scope, "AccountIds")
    unknown = [each for each in whole if each not in known]
    refuse(unknown, 2035, ",".join(unknown))
    named = dict.fromkeys(whole)
    campaigns, groups = set[str](), set[str]()
    for n, each in enumerate(items(scope, "Campaigns") if "Campaigns" in kind.scopes else ()):
        account = _known(known, each, 2018, n)
        campaigns.add(_child(each, "CampaignId", {str(campaign.id) for campaign in account.campaigns}, 2019, n))
        named[account.id] = None
    for n, each in enumerate(items(scope, "AdGroups") if "AdGroups" in kind.scopes else ()):
        account = _known(known, each, 2020, n)
        _child(each, "CampaignId", {str(campaign.id) for campaign in account.campaigns}, 2021, n)
        own = {str(group.id) for campaign in account.campaigns for group in campaign.groups}
        groups.add(_child(each, "AdGroupId", own, 2022, n))
        named[account.id] = None
    return tuple(known[each] for each in named), frozenset(whole), frozenset(campaigns), frozenset(groups)


def _known(known: dict[str, Account], item: Body, code: int, place: int) -> Account:
    number = identifier(item.get("AccountId"))
    if number not in known:
        raise RefusalError(code, number, place)
    return known[number]


def _child(item: Body, name: str, known: set[str], code: int, place: int) -> str:
    number = identifier(item.get(name))
    if number not in known:
        raise RefusalError(code, number, place)
    return number


def _days(given: Body, world: World, kept: int) -> tuple[dt.date, dt.date, str]:
    """First and last day, and the zone that decides which day is today."""
    zone = str(given.get("ReportTimeZone") or _PACIFIC)
    refuse(zone not in REPORT_TIME_ZONES, 100)
    refuse(zone not in _ZONES, 204, f"the sandbox does not know the zone {zone}")
    today = world.as_of.astimezone(ZoneInfo(_ZONES[zone])).date()
    start, end = part(given, "CustomDateRangeStart"), part(given, "CustomDateRangeEnd")
    predefined = given.get("PredefinedTime")
    refuse(bool(predefined) == bool(start or end), 2008)
    if predefined:
        return *_predefined(str(predefined), today), zone
    first, last = _date(start, 2009), _date(end, 2010)
    refuse(last < first, 2011)
    refuse(first > today, 2041)
    refuse(last > today, 2010)
    refuse(first < today - kept * _DAY, 2009)
    return first, last, zone


def _predefined(name: str, today: dt.date) -> tuple[dt.date, dt.date]:
    month, year = today.replace(day=1), today.replace(month=1, day=1)
    sunday = today - _DAY * (today.isoweekday() % 7)
    monday = today - _DAY * today.weekday()
    last_month = month - _DAY
    periods = {
        "Today": (today, today),
        "Yesterday": (today - _DAY, today - _DAY),
        "LastSevenDays": (today - 7 * _DAY, today - _DAY),
        "Last14Days": (today - 14 * _DAY, today - _DAY),
        "Last30Days": (today - 30 * _DAY, today - _DAY),
        "ThisWeek": (sunday, today),
        "LastWeek": (sunday - 7 * _DAY, sunday - _DAY),
        "ThisMonth": (month, today),
        "LastMonth": (last_month.replace(day=1), last_month),
        "ThisYear": (year, today),
        "LastYear": (year.replace(year=year.year - 1), year - _DAY),
        "LastFourWeeks": (sunday - 28 * _DAY, sunday - _DAY),
        "ThisWeekStartingMonday": (monday, today),
        "LastWeekStartingMonday": (monday - 7 * _DAY, monday - _DAY),
        "LastFourWeeksStartingMonday": (monday - 28 * _DAY, monday - _DAY),
        "LastThreeMonths": (_months_before(month, 3), last_month),
        "LastSixMonths": (_months_before(month, 6), last_month),
    }
    if name not in periods:
        raise RefusalError(100)
    return periods[name]


def _months_before(month: dt.date, count: int) -> dt.date:
    years, place = divmod(month.year * 12 + month.month - 1 - count, 12)
    return dt.date(years, place + 1, 1)


def _whole_periods(aggregation: str, first: dt.date, last: dt.date) -> tuple[dt.date, dt.date]:
    """Weeks, months and years are never in part: the days are widened to whole ones."""
    last_period = period_of(aggregation, last)
    if aggregation.startswith("Weekly"):
        return period_of(aggregation, first), last_period + 6 * _DAY
    if aggregation == "Monthly":
        return period_of(aggregation, first), (last_period + 31 * _DAY).replace(day=1) - _DAY
    if aggregation == "Yearly":
        return period_of(aggregation, first), last_period.replace(month=12, day=31)
    return first, last


def period_of(aggregation: str, day: dt.date) -> dt.date:
    """The first day of the period that a day is in."""
    if aggregation == "Weekly":
        return day - _DAY * (day.isoweekday() % 7)
    if aggregation == "WeeklyStartingMonday":
        return day - _DAY * day.weekday()
    if aggregation == "Monthly":
        return day.replace(day=1)
    return day.replace(month=1, day=1) if aggregation == "Yearly" else day


def _date(given: Body, code: int) -> dt.date:
    try:
        return dt.date(*(int(given[name]) for name in ("Year", "Month", "Day")))
    except (KeyError, TypeError, ValueError) as cause:
        raise RefusalError(code) from cause
