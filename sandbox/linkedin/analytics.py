"""adAnalytics: finders, facets, projections, the limit of fields and the silent cut.

A metric that does not apply, and a social or video metric that is zero, is left out of a row; a row without anything
but zeros in the metrics asked for is left out of the answer. Whatever the token may not read is left out of the
answer too: LinkedIn documents an empty answer there, not a refusal.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from sandbox.faults import LOSSES, Faults, damaged
from sandbox.linkedin import pivots
from sandbox.linkedin.entities import PLATFORM
from sandbox.linkedin.limits import Limits
from sandbox.linkedin.metrics import METRICS, UNTOLD
from sandbox.linkedin.replies import Reply, ok, only, refuse, refuse_parameter
from sandbox.linkedin.restli import Value
from sandbox.world import Account, Fact, World

MOST_METRICS = 20
MOST_PIVOTS = 3
REACH_DAYS = 92
FEWEST_EVENTS = 3
"""Demographic values with fewer are not told."""
DEMOGRAPHIC_DAYS = 730
"""And none of days that are longer ago."""
CAMPAIGN_TYPES = ("TEXT_AD", "SPONSORED_UPDATES", "SPONSORED_INMAILS", "DYNAMIC")
MINE = "SPONSORED_UPDATES"
"""What all campaigns of this world are."""

_MOST_FACTS = 32
"""Accounts whose days are kept, because all levels of them are asked for one after the other."""

_KEYS = ("dateRange", "pivotValues")
_FACETS = {
    "accounts": ("sponsoredAccount", "ACCOUNT"),
    "campaignGroups": ("sponsoredCampaignGroup", "CAMPAIGN_GROUP"),
    "campaigns": ("sponsoredCampaign", "CAMPAIGN"),
    "creatives": ("sponsoredCreative", "CREATIVE"),
    "shares": ("share", "SHARE"),
    "companies": ("organization", "COMPANY"),
}
_GRANULARITIES = ("ALL", "DAILY", "MONTHLY", "YEARLY")
_KNOWN = ("q", "timeGranularity", "dateRange", "fields", "campaignType", "objectiveType", "sortBy", "start", "count")

Span = tuple[dt.date, dt.date]
Group = tuple[Span, pivots.Key]


class Analytics:
    """The finders `analytics` and `statistics`. `limits.cut` is how many elements an answer has at most.

    `count_values` is told of the metric values of each answer, and raises where they are too many.
    """

    def __init__(self, world: World, limits: Limits, count_values: Callable[[int], object], faults: Faults) -> None:
        self._world = world
        self._faults = faults
        self._limits = limits
        self._count_values = count_values
        self._today = world.as_of.astimezone(dt.UTC).date()
        self._facts = lru_cache(maxsize=_MOST_FACTS)(self._read_facts)

    def find(self, given: dict[str, Value]) -> Reply:
        """`/adAnalytics?q=analytics` and `?q=statistics`."""
        by = _pivots(given)
        granularity = _enumerated(given, "timeGranularity")
        if granularity not in _GRANULARITIES:
            raise refuse_parameter("timeGranularity", "FIELD_INVALID", f'"{granularity}" is not an enum symbol')
        fields = _fields(given, self._limits.unknown)
        first, last = self._days(given)
        if "approximateMemberReach" in fields and (last - first).days >= REACH_DAYS:
            raise refuse(400, "FIELD_INVALID", f"approximateMemberReach is available for at most {REACH_DAYS} days")
        if pivots.is_demographic(by[0]):
            first = max(first, self._today - dt.timedelta(days=DEMOGRAPHIC_DAYS))
        is_mine = "campaignType" not in given or _campaign_type(given) == MINE
        question = _Question(by, granularity, fields, first, last, _facets(given), is_mine)
        elements: list[dict[str, Any]] = []
        for account in self._chosen(question):
            found = list(self._elements(account, question))
            if found and any((account.id, pivot) in self._limits.refused for pivot in by):
                raise refuse(403, "ACCESS_DENIED", f"Not enough permissions to access: {', '.join(by)}")
            elements += self._damaged(account, question, found)
            if len(elements) >= self._limits.cut:
                break
        elements = elements[: self._limits.cut]
        self._count_values(len(elements) * sum(name not in _KEYS for name in fields))
        return _answer(elements, given)

    def _damaged(self, account: Account, question: _Question, elements: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """What is left of a daily report of campaign groups, which are LinkedIn's campaigns."""
        if question.pivots != ("CAMPAIGN_GROUP",) or question.granularity != "DAILY" or not elements:
            return elements
        loss = self._faults.strike(*LOSSES, account=account.id)
        return damaged(elements, loss, lambda element: element.get("pivotValues"))

    def _elements(self, account: Account, question: _Question) -> Iterator[dict[str, Any]]:
        names = [name for name in question.fields if name not in _KEYS]
        groups: dict[Group, list[int | None]] = {}
        events: dict[Group, int] = {}
        demographic = pivots.is_demographic(question.pivots[0])
        for fact in self._facts(account.id, question.first, min(question.last, self._today)):
            if not question.touches(account, fact):
                continue
            parts = [METRICS[name].part(fact.metrics, account.currency) for name in names]
            for values, bounds in pivots.pieces(account, fact, question.pivots):
                group = (question.span(fact.day), values)
                _add(groups.setdefault(group, [None] * len(names)), parts, bounds, demographic)
                events[group] = events.get(group, 0) + pivots.portion(
                    fact.metrics.impressions, bounds, demographic=demographic
                )
        for group, totals in groups.items():
            if demographic and events[group] < FEWEST_EVENTS:
                continue
            element = _element(group, dict(zip(names, totals, strict=True)), question)
            if element is not None:
                yield element

    def _days(self, given: dict[str, Value]) -> Span:
        span = given.get("dateRange")
        if not isinstance(span, dict) or "start" not in span:
            raise refuse_parameter("dateRange", "MISSING_FIELD", "dateRange.start is required")
        first = _date(span["start"])
        last = _date(span["end"]) if "end" in span else self._today
        if last < first:
            raise refuse(400, "DATE_RANGE_INVALID", "dateRange.end is before dateRange.start")
        return first, last

    def _chosen(self, question: _Question) -> list[Account]:
        """The accounts that may be read, of those asked for."""
        if not question.facets:
            raise refuse(400, "MISSING_FIELD", f"At least one facet of {', '.join(_FACETS)} is required")
        unread = {self._limits.forbidden, self._limits.unreadable}
        readable = [] if self._limits.no_accounts else self._world.accounts(PLATFORM)
        mine = [each for each in readable if not each.closed and each.id not in unread]
        accounts = question.facets.get("ACCOUNT")
        return [each for each in mine if accounts is None or f"urn:li:sponsoredAccount:{each.id}" in accounts]

    def _read_facts(self, account_id: str, first: dt.date, last: dt.date) -> tuple[Fact, ...]:
        return tuple(self._world.ad_facts(self._world.account(PLATFORM, account_id), first, last))


@dataclass(frozen=True, slots=True)
class _Question:
    """One request, read. `facets` are URNs by the pivot whose values they are."""

    pivots: tuple[str, ...]
    granularity: str
    fields: tuple[str, ...]
    first: dt.date
    last: dt.date
    facets: dict[str, frozenset[str]]
    is_mine: bool

    def tells(self, metric: str) -> bool:
        """Whether a metric is told beside all pivots."""
        return not any(
            metric in untold
            for pivot, untold in UNTOLD.items()
            for own in self.pivots
            if own == pivot or (pivot.endswith("_") and own.startswith(pivot))
        )

    def touches(self, account: Account, fact: Fact) -> bool:
        """Whether every facet names something that the creative's day belongs to."""
        return self.is_mine and all(
            pivots.OBJECTS[pivot](account, fact) in wanted for pivot, wanted in self.facets.items()
        )

    def span(self, day: dt.date) -> Span:
        """The days that are one row with `day`."""
        match self.granularity:
            case "DAILY":
                return day, day
            case "MONTHLY":
                first = day.replace(day=1)
                return first, (first + dt.timedelta(days=31)).replace(day=1) - dt.timedelta(days=1)
            case "YEARLY":
                return day.replace(month=1, day=1), day.replace(month=12, day=31)
        return self.first, self.last


def _add(
    totals: list[int | None], parts: list[int | None], bounds: tuple[tuple[int, int], ...], demographic: bool
) -> None:
    for at, part in enumerate(parts):
        if part is not None:
            totals[at] = (totals[at] or 0) + pivots.portion(part, bounds, demographic=demographic)


def _element(group: Group, totals: dict[str, int | None], question: _Question) -> dict[str, Any] | None:
    (first, last), values = group
    element: dict[str, Any] = {}
    for name, total in totals.items():
        shown = METRICS[name].shown(total) if total is not None else None
        if shown is not None and question.tells(name):
            element[name] = shown
    if totals and not any(value not in (0, "0") for value in element.values()):
        return None
    if "dateRange" in question.fields:
        element["dateRange"] = {"start": _parts(first), "end": _parts(last)}
    if "pivotValues" in question.fields:
        element["pivotValues"] = list(values)
    return element


def _parts(day: dt.date) -> dict[str, int]:
    return {"year": day.year, "month": day.month, "day": day.day}


def _answer(elements: list[dict[str, Any]], given: dict[str, Value]) -> Reply:
    """All elements; who asks for a `count` gets so many, and a link that leads nowhere: there are no pages."""
    if str(given.get("start", "0")) != "0":
        raise refuse_parameter("start", "PARAM_INVALID", "adAnalytics does not support pagination")
    text = str(given.get("count", ""))
    links: list[dict[str, str]] = []
    if text.isdigit() and len(elements) >= int(text) > 0:
        elements = elements[: int(text)]
        links = [{"rel": "next", "type": "application/json", "href": f"/rest/adAnalytics?start={text}&count={text}"}]
    return ok(
        {"paging": {"start": 0, "count": int(text) if text.isdigit() else 10, "links": links}, "elements": elements}
    )


def _pivots(given: dict[str, Value]) -> tuple[str, ...]:
    finder = given.get("q")
    if finder == "analytics":
        only(given, *_KNOWN, *_FACETS, "pivot")
        by = [_enumerated(given, "pivot")]
    elif finder == "statistics":
        only(given, *_KNOWN, *_FACETS, "pivots")
        listed = given.get("pivots")
        by = [str(each) for each in listed] if isinstance(listed, list) else []
        if not 1 <= len(by) <= MOST_PIVOTS:
            raise refuse_parameter("pivots", "FIELD_INVALID", f"between 1 and {MOST_PIVOTS} pivots are allowed")
    else:
        raise refuse(400, "ILLEGAL_ARGUMENT", "Finder not found for resource adAnalytics")
    for pivot in by:
        if pivot not in pivots.ALL or (finder == "statistics" and pivots.is_demographic(pivot)):
            raise refuse_parameter("pivot", "FIELD_INVALID", f'"{pivot}" is not an enum symbol')
    return tuple(by)


def _campaign_type(given: dict[str, Value]) -> str:
    found = _enumerated(given, "campaignType")
    if found not in CAMPAIGN_TYPES:
        raise refuse_parameter("campaignType", "FIELD_INVALID", f'"{found}" is not an enum symbol')
    return found


def _facets(given: dict[str, Value]) -> dict[str, frozenset[str]]:
    """The URNs wanted, by the pivot that they are values of."""
    found = {}
    for facet, (kind, pivot) in _FACETS.items():
        value = given.get(facet)
        if value is None:
            continue
        if not isinstance(value, list) or not all(str(each).startswith(f"urn:li:{kind}:") for each in value):
            raise refuse_parameter(facet, "PARAM_INVALID", f"{facet} must be a list of urn:li:{kind}")
        found[pivot] = frozenset(str(each) for each in value)
    return found


def _enumerated(given: dict[str, Value], name: str) -> str:
    """`CAMPAIGN` or `(value:CAMPAIGN)`: both are understood."""
    value = given.get(name)
    if isinstance(value, dict):
        value = value.get("value")
    if not isinstance(value, str):
        raise refuse_parameter(name, "MISSING_FIELD", f"Parameter '{name}' is required")
    return value


def _fields(given: dict[str, Value], taken_back: str) -> tuple[str, ...]:
    fields = tuple(name for name in str(given.get("fields", "")).split(",") if name)
    # Who names no fields gets these two, without key.
    if not fields:
        return ("impressions", "clicks")
    known = METRICS.keys() - {taken_back} | set(_KEYS)
    unknown = [name for name in fields if name not in known]
    if unknown:
        raise refuse_parameter("fields", "FIELD_INVALID", f"Unknown projection field {unknown[0]}")
    if len(fields) > MOST_METRICS:
        raise refuse(400, "TOO_MANY_FIELDS", f"The number of fields in the request exceeds {MOST_METRICS}")
    return fields


def _date(value: Value) -> dt.date:
    try:
        assert isinstance(value, dict)
        return dt.date(*(int(str(value[part])) for part in ("year", "month", "day")))
    except (AssertionError, KeyError, ValueError) as cause:
        raise refuse(400, "DATE_RANGE_INVALID", "A date is (year:2026,month:1,day:31)") from cause
