"""adAnalytics: facets, pivots, projections, the limit of fields and the silent cut.

A metric that does not apply, and a social or video metric that is zero, is left out of a row; a row without any of the
metrics asked for is left out of the answer.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator
from functools import lru_cache
from typing import Any

from sandbox.linkedin.entities import PLATFORM
from sandbox.linkedin.exchange import RATES
from sandbox.linkedin.replies import Reply, ok, refuse
from sandbox.linkedin.restli import Value
from sandbox.world import Account, Fact, Metrics, World

CUT = 15_000
MOST_METRICS = 20

_KEYS = ("dateRange", "pivotValues")
_FACETS = {
    "accounts": "sponsoredAccount",
    "campaignGroups": "sponsoredCampaignGroup",
    "campaigns": "sponsoredCampaign",
    "creatives": "sponsoredCreative",
}
_PIVOTS = {
    "CAMPAIGN_GROUP": "sponsoredCampaignGroup",
    "CAMPAIGN": "sponsoredCampaign",
    "CREATIVE": "sponsoredCreative",
}

Source = Callable[[Metrics, str], int | float | str | None]


def _local(metrics: Metrics, _currency: str) -> str:
    tail = "000000000001" if metrics.clicks % 7 == 3 else ""
    return f"{metrics.cost_micros // 1_000_000}.{metrics.cost_micros % 1_000_000:06d}{tail}"


def _usd(metrics: Metrics, currency: str) -> str:
    units = metrics.cost_micros * RATES[currency]
    return f"{units // 10**10}.{units % 10**10:010d}"


def _dwell(metrics: Metrics, _currency: str) -> float | None:
    return metrics.engagements * 7 / 4 if metrics.engagements % 4 else None


def _sparse(count: Callable[[Metrics], int]) -> Source:
    return lambda metrics, _: count(metrics) or None


def _plain(count: Callable[[Metrics], int]) -> Source:
    return lambda metrics, _: count(metrics)


def _quartile(n: int) -> Source:
    return lambda metrics, _: metrics.video_quartiles[n] if metrics.video_quartiles else None


SOURCES: dict[str, Source] = {
    "impressions": _plain(lambda m: m.impressions),
    "clicks": _plain(lambda m: m.clicks),
    "landingPageClicks": _plain(lambda m: m.link_clicks),
    "costInLocalCurrency": _local,
    "costInUsd": _usd,
    "externalWebsiteConversions": _plain(lambda m: m.conversions_centi // 100 + m.view_through),
    "externalWebsitePostClickConversions": _plain(lambda m: m.conversions_centi // 100),
    "externalWebsitePostViewConversions": _plain(lambda m: m.view_through),
    "conversionValueInLocalCurrency": lambda m, _: f"{m.value_micros // 10**6}.{m.value_micros % 10**6:06d}",
    "oneClickLeads": _plain(lambda m: m.leads),
    "oneClickLeadFormOpens": _plain(lambda m: m.leads * 3),
    "qualifiedLeads": _sparse(lambda m: m.leads // 4),
    "totalEngagements": _plain(lambda m: m.engagements),
    "otherEngagements": _plain(lambda m: m.engagements // 20),
    "companyPageClicks": _plain(lambda m: m.engagements // 15),
    "actionClicks": lambda _m, _c: None,
    "approximateMemberReach": _plain(lambda m: m.reach),
    "averageDwellTime": _dwell,
    "videoViews": lambda m, _: m.video_views or None,
    "videoStarts": lambda m, _: m.video_views * 2 if m.video_views else None,
    "videoFirstQuartileCompletions": _quartile(0),
    "videoMidpointCompletions": _quartile(1),
    "videoThirdQuartileCompletions": _quartile(2),
    "videoCompletions": _quartile(3),
    "fullScreenPlays": lambda m, _: m.video_views // 50 if m.video_views else None,
    "likes": _sparse(lambda m: m.engagements // 12),
    "comments": _sparse(lambda m: m.engagements // 40),
    "commentLikes": _sparse(lambda m: m.engagements // 90),
    "shares": _sparse(lambda m: m.engagements // 50),
    "follows": _sparse(lambda m: m.engagements // 60),
    "reactions": _sparse(lambda m: m.engagements // 10),
    "sends": lambda _m, _c: None,
    "opens": lambda _m, _c: None,
    "viralImpressions": _sparse(lambda m: m.impressions // 400),
    "viralClicks": _sparse(lambda m: m.impressions // 9_000),
    "viralTotalEngagements": _sparse(lambda m: m.impressions // 5_000),
}


class Analytics:
    """The finder `analytics`. `cut` is how many elements an answer has at most, without saying so."""

    def __init__(self, world: World, cut: int) -> None:
        self._world = world
        self._cut = cut
        self._today = world.as_of.astimezone(dt.UTC).date()
        self._facts = lru_cache(maxsize=4)(self._read_facts)
        self._owners = {urn: account for account in world.accounts(PLATFORM) for urn in _urns(account)}

    def find(self, parameters: dict[str, Value]) -> Reply:
        """`/adAnalytics?q=analytics`."""
        if parameters.get("q") != "analytics":
            raise refuse(400, "ILLEGAL_ARGUMENT", "Finder not found for resource adAnalytics")
        pivot = _enumerated(parameters, "pivot")
        if pivot not in _PIVOTS:
            raise refuse(400, "FIELD_INVALID", f"Pivot {pivot} is not served here")
        if _enumerated(parameters, "timeGranularity") != "DAILY":
            raise refuse(400, "FIELD_INVALID", "timeGranularity must be DAILY here")
        fields = _fields(parameters)
        first, last = self._days(parameters)
        elements: list[dict[str, Any]] = []
        for account, allowed in self._chosen(parameters):
            for fact in self._facts(account.id, pivot, first, last):
                if allowed and allowed.isdisjoint(_ids(fact)):
                    continue
                element = _element(fact, account.currency, pivot, fields)
                if element is not None:
                    elements.append(element)
                if len(elements) == self._cut:
                    return _answer(elements)
        return _answer(elements)

    def _days(self, parameters: dict[str, Value]) -> tuple[dt.date, dt.date]:
        span = parameters.get("dateRange")
        if not isinstance(span, dict) or "start" not in span:
            raise refuse(400, "MISSING_FIELD", "dateRange.start is required")
        first = _date(span["start"])
        last = _date(span["end"]) if "end" in span else self._today
        if last < first:
            raise refuse(400, "DATE_RANGE_INVALID", "dateRange.end is before dateRange.start")
        return first, min(last, self._today)

    def _chosen(self, parameters: dict[str, Value]) -> list[tuple[Account, frozenset[str]]]:
        """The accounts that the facets touch, each with the URNs of the things wanted; none means all of it."""
        wanted: set[str] = set()
        for facet, kind in _FACETS.items():
            value = parameters.get(facet)
            if value is None:
                continue
            if not isinstance(value, list) or not all(str(each).startswith(f"urn:li:{kind}:") for each in value):
                raise refuse(400, "PARAM_INVALID", f"{facet} must be a List(...) of urn:li:{kind}")
            wanted.update(str(each) for each in value)
        if not wanted:
            raise refuse(400, "MISSING_FIELD", f"At least one facet of {', '.join(_FACETS)} is required")
        denied = wanted - self._owners.keys()
        if denied:
            raise refuse(403, "ACCESS_DENIED", f"Not enough permissions to access {min(denied)}")
        below = frozenset(urn for urn in wanted if ":sponsoredAccount:" not in urn)
        owners = {self._owners[urn].id: self._owners[urn] for urn in (wanted - below or wanted)}
        return [(account, below) for account in owners.values()]

    def _read_facts(self, account_id: str, pivot: str, first: dt.date, last: dt.date) -> tuple[Fact, ...]:
        account = self._world.account(PLATFORM, account_id)
        read = {
            "CAMPAIGN_GROUP": self._world.campaign_facts,
            "CAMPAIGN": self._world.group_facts,
            "CREATIVE": self._world.ad_facts,
        }[pivot]
        return tuple(read(account, first, last))


def _urns(account: Account) -> Iterator[str]:
    """The account and everything in it; a canceled account cannot be asked for."""
    if not account.closed:
        yield f"urn:li:sponsoredAccount:{account.id}"
    for campaign in account.campaigns:
        yield f"urn:li:sponsoredCampaignGroup:{campaign.id}"
        for group in campaign.groups:
            yield f"urn:li:sponsoredCampaign:{group.id}"
            yield from (f"urn:li:sponsoredCreative:{ad.id}" for ad in group.ads)


def _answer(elements: list[dict[str, Any]]) -> Reply:
    return ok({"paging": {"start": 0, "count": 10, "links": []}, "elements": elements})


def _element(fact: Fact, currency: str, pivot: str, fields: tuple[str, ...]) -> dict[str, Any] | None:
    element: dict[str, Any] = {}
    for name in fields:
        if name in _KEYS:
            continue
        value = SOURCES[name](fact.metrics, currency)
        if value is not None:
            element[name] = value
    if not element:
        return None
    day = {"year": fact.day.year, "month": fact.day.month, "day": fact.day.day}
    if "dateRange" in fields:
        element["dateRange"] = {"start": day, "end": day}
    if "pivotValues" in fields:
        element["pivotValues"] = [_ids(fact)[tuple(_PIVOTS).index(pivot)]]
    return element


def _ids(fact: Fact) -> tuple[str, ...]:
    """URNs of a fact's campaign group, campaign and creative, as far as its level has them."""
    levels = zip(_PIVOTS.values(), (fact.campaign, fact.group, fact.ad), strict=True)
    return tuple(f"urn:li:{kind}:{each.id}" for kind, each in levels if each is not None)


def _enumerated(parameters: dict[str, Value], name: str) -> str:
    """`CAMPAIGN` or `(value:CAMPAIGN)`: both are understood."""
    value = parameters.get(name)
    if isinstance(value, dict):
        value = value.get("value")
    if not isinstance(value, str):
        raise refuse(400, "MISSING_FIELD", f"{name} is required")
    return value


def _fields(parameters: dict[str, Value]) -> tuple[str, ...]:
    fields = tuple(name for name in str(parameters.get("fields", "")).split(",") if name)
    # Who names no fields gets these two, without key.
    if not fields:
        return ("impressions", "clicks")
    unknown = [name for name in fields if name not in SOURCES and name not in _KEYS]
    if unknown:
        raise refuse(400, "FIELD_INVALID", f"Unknown projection field {unknown[0]}")
    if len(fields) > MOST_METRICS:
        raise refuse(400, "TOO_MANY_FIELDS", f"The number of fields in the request exceeds {MOST_METRICS}")
    return fields


def _date(value: Value) -> dt.date:
    try:
        assert isinstance(value, dict)
        return dt.date(*(int(str(value[part])) for part in ("year", "month", "day")))
    except (AssertionError, KeyError, ValueError) as cause:
        raise refuse(400, "DATE_RANGE_INVALID", "A date is (year:2026,month:1,day:31)") from cause
