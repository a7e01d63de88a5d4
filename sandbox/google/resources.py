"""What the world looks like through GAQL: the lines of each resource, and the value of each field in a line.

A value of None is absent on the wire, which is how Google says "not available". Enums are given by name.
"""

from __future__ import annotations

import base64
import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from sandbox.google import asset_groups, conversions, places
from sandbox.google.conversions import ConversionAction
from sandbox.google.gaql import Parsed
from sandbox.google.places import Place
from sandbox.google.shares import SEGMENTS, Shares, dimensions
from sandbox.world import Account, Ad, Campaign, Fact, Group, Keyword, Metrics, World

MANAGER_ID = "9474097201"
SUB_MANAGER_ID = "9474097202"


@dataclass(frozen=True, slots=True)
class Criterion:
    """Something an ad group targets, or excludes; `text` and `match` are a keyword's."""

    id: int
    type: str
    text: str | None = None
    match: str | None = None
    negative: bool = False
    removed_on: dt.date | None = None

    def removed(self, on: dt.date) -> bool:
        return self.removed_on is not None and on >= self.removed_on


@dataclass(frozen=True, slots=True)
class Client:
    """A line of `customer_client`: an account, or a manager, as seen from `level` managers above."""

    id: str
    name: str
    currency: str
    timezone: str
    status: str
    manager: bool
    level: int
    hidden: bool = False


CLIENT_FIELDS = {
    "id": "id",
    "descriptive_name": "name",
    "currency_code": "currency",
    "time_zone": "timezone",
    "status": "status",
    "level": "level",
}
"""What the fields of `customer_client` are called here."""


@dataclass(slots=True)
class Line:
    """One row of an answer, before its fields are picked."""

    account: Account | None = None
    client: Client | None = None
    campaign: Campaign | None = None
    group: Group | None = None
    ad: Ad | None = None
    criterion: Criterion | None = None
    action: ConversionAction | None = None
    place: Place | None = None
    day: dt.date | None = None
    term: str | None = None
    match_type: str | None = None
    metrics: Metrics | None = None
    on: dt.date | None = None
    root: str | None = None
    part: dict[str, Any] | None = None
    """What of a day the line is: values of segments and of views that divide the numbers."""


def clients(world: World, root: str) -> Iterator[Line]:
    """The tree below `root`, itself at level 0. The first account hangs below both managers, as is allowed."""
    for line in _tree(world, root):
        line.root = root
        yield line


def _tree(world: World, root: str) -> Iterator[Line]:
    accounts = world.accounts("google")
    if root not in (MANAGER_ID, SUB_MANAGER_ID):
        yield from (Line(client=_client(account, 0)) for account in accounts if account.id == root)
        return
    below = 0 if root == SUB_MANAGER_ID else 1
    if below:
        yield Line(client=Client(MANAGER_ID, "All shops", "EUR", "Europe/Berlin", "ENABLED", True, 0))
        for account in accounts[::2]:
            yield Line(client=_client(account, 1))
    yield Line(client=Client(SUB_MANAGER_ID, "Some shops", "EUR", "Europe/Berlin", "ENABLED", True, below))
    for account in (*accounts[1::2], accounts[0]):
        yield Line(client=_client(account, below + 1))


def _client(account: Account, level: int) -> Client:
    status = "CANCELED" if account.closed or account.ended_on else "ENABLED"
    return Client(
        account.id, account.name, account.currency, account.timezone, status, False, level, hidden=account.closed
    )


def lines(world: World, account: Account, query: Parsed) -> Iterator[Line]:
    """All lines of a query to an account, before its conditions: entities, or what they did by day or in all days."""
    on = world.today(account)
    if query.asks_metrics or query.first:
        first, last = query.first or world.first_day, query.last or on
        by_day = _reported(world, account, query, first, last)
        found = by_day if _is_by_row(query) else _summed(by_day, account, query)
    elif query.resource == "customer":
        found = iter([Line(client=_client(account, 0))])
    else:
        found = _entities(account, query.resource)
    for line in found:
        line.account, line.on = account, on
        yield line


def _is_by_row(query: Parsed) -> bool:
    """Whether the segments asked for tell all lines apart."""
    if query.resource == "campaign_search_term_view" or dimensions(query.paths, query.resource):
        return False
    by_match = query.resource != "search_term_view" or "segments.search_term_match_type" in query.paths
    return "segments.date" in query.paths and by_match


def _summed(by_day: Iterator[Line], account: Account, query: Parsed) -> Iterator[Line]:
    """One line for each thing and each value of the segments; without segments, also for things that did nothing."""
    identity = _identity(query)
    segments = [FIELDS[path] for path in query.segments]
    totals: dict[tuple[Any, ...], Line] = {}
    if not segments and query.resource not in _ONLY_SEEN:
        whole = iter([Line(client=_client(account, 0))]) if query.resource == "customer" else None
        for line in whole or _entities(account, query.resource):
            line.account, line.metrics = account, Metrics()
            if query.resource != "keyword_view" or (line.criterion and line.criterion.type == "KEYWORD"):
                totals[(identity(line),)] = line
    for line in by_day:
        line.account = account
        known = totals.setdefault((identity(line), *(segment(line) for segment in segments)), line)
        if known is not line:
            assert known.metrics is not None
            assert line.metrics is not None
            known.metrics += line.metrics
    yield from totals.values()


def _entities(account: Account, resource: str) -> Iterator[Line]:
    if resource == "conversion_action":
        yield from (Line(action=action) for action in conversions.conversion_actions(account))
        return
    if resource == "geo_target_constant":
        yield from (Line(place=place) for place in places.PLACES)
        return
    if resource == "asset_group":
        yield from (Line(campaign=campaign, group=group) for campaign, group in asset_groups.asset_groups(account))
        return
    for campaign in account.campaigns:
        if resource in ("campaign", "campaign_budget"):
            yield Line(campaign=campaign)
            continue
        for group in campaign.groups:
            if resource == "ad_group":
                yield Line(campaign=campaign, group=group)
            elif resource == "ad_group_ad":
                yield from (Line(campaign=campaign, group=group, ad=ad) for ad in group.ads)
            elif resource in ("ad_group_criterion", "keyword_view"):
                yield from (Line(campaign=campaign, group=group, criterion=each) for each in criteria(group))


def criteria(group: Group) -> Iterator[Criterion]:
    """A group's keywords, one that it excludes, and a criterion that is no keyword at all."""
    for keyword in group.keywords:
        yield _keyword(keyword)
    yield Criterion(399_999, "KEYWORD", "free", "PHRASE", negative=True)
    yield Criterion(11, "GENDER")


_PEOPLE = {"age_range_view": ("age", "AGE_RANGE"), "gender_view": ("gender", "GENDER")}
"""The views of people: what of a part is their criterion, and its type."""


def _keyword(word: Keyword) -> Criterion:
    return Criterion(word.id, "KEYWORD", word.text, word.match, removed_on=word.removed_on)


def _reported(world: World, account: Account, query: Parsed, first: dt.date, last: dt.date) -> Iterator[Line]:
    shares = Shares(world, account, dimensions(query.paths, query.resource))
    if shares.dimensions:
        for line in _finest(world, account, query.resource, first, last):
            assert line.campaign is not None
            assert line.day is not None
            assert line.metrics is not None
            for part, share in shares.parts(line.campaign, line.day, line.metrics):
                made = replace(line, part=part, metrics=share)
                if query.resource in _PEOPLE:
                    name, kind = _PEOPLE[query.resource]
                    made.criterion = Criterion(part[name][0], kind)
                elif query.resource == "customer":
                    made.campaign = made.group = made.ad = None
                yield made
        return
    facts: dict[str, Callable[[Account, dt.date, dt.date], Iterator[Fact]]] = {
        "campaign": world.campaign_facts,
        "campaign_budget": world.campaign_facts,
        "ad_group": world.group_facts,
        "ad_group_ad": world.ad_facts,
        "asset_group": world.group_facts,
        "keyword_view": world.keyword_facts,
        "search_term_view": world.search_term_facts,
        "campaign_search_term_view": world.search_term_facts,
    }
    if query.resource == "customer":
        yield from _whole_account(account, world.campaign_facts(account, first, last))
    elif query.resource in ("search_term_view", "campaign_search_term_view"):
        yield from _search_terms(account, facts[query.resource](account, first, last))
    else:
        for fact in facts[query.resource](account, first, last):
            if query.resource == "asset_group" and not fact.campaign.video:
                continue
            criterion = _keyword(fact.keyword) if fact.keyword else None
            yield Line(
                None,
                None,
                fact.campaign,
                fact.group,
                fact.ad,
                criterion,
                None,
                None,
                fact.day,
                None,
                None,
                fact.metrics,
            )


def _finest(world: World, account: Account, resource: str, first: dt.date, last: dt.date) -> Iterator[Line]:
    """What is divided: each ad's numbers, or those of a keyword or term; so the parts add up at every level alike."""
    if resource in ("search_term_view", "campaign_search_term_view"):
        yield from _search_terms(account, world.search_term_facts(account, first, last))
        return
    facts = world.keyword_facts if resource == "keyword_view" else world.ad_facts
    for fact in facts(account, first, last):
        criterion = _keyword(fact.keyword) if fact.keyword else None
        yield Line(
            account, None, fact.campaign, fact.group, fact.ad, criterion, None, None, fact.day, None, None, fact.metrics
        )


def _identity(query: Parsed) -> Callable[[Any], Any]:
    """What tells the lines of a query apart, its segments aside; campaign and ad group divide some views."""
    own = _IDENTITY[query.resource]
    tops = {path.split(".", 1)[0] for path in query.paths}
    more = [CACHE_KEYS[top] for top in ("campaign", "ad_group") if top in tops] if query.resource in _DIVIDED else []
    return lambda line: (own(line), *(each(line) for each in more))


def _whole_account(account: Account, facts: Iterator[Fact]) -> Iterator[Line]:
    by_day: dict[dt.date, Line] = {}
    for fact in facts:
        if fact.day not in by_day:
            by_day[fact.day] = Line(client=_client(account, 0), day=fact.day, metrics=Metrics())
        total = by_day[fact.day].metrics
        assert total is not None
        total += fact.metrics
    yield from by_day.values()


def _search_terms(account: Account, facts: Iterator[Fact]) -> Iterator[Line]:
    """One line for each term and way of matching: several keywords of a group may have met the same term."""
    merged: dict[tuple[Any, ...], Line] = {}
    for fact in facts:
        assert fact.keyword is not None
        assert fact.group is not None
        match_type = fact.keyword.match
        if match_type == "EXACT" and fact.search_term != fact.keyword.text:
            match_type = "NEAR_EXACT"
        key = (fact.day, fact.group.id, fact.search_term, match_type)
        line = merged.get(key)
        if line is None:
            merged[key] = line = Line(account, None, fact.campaign, fact.group)
            line.day, line.term, line.match_type, line.metrics = fact.day, fact.search_term, match_type, fact.metrics
        else:
            assert line.metrics is not None
            line.metrics += fact.metrics
    yield from merged.values()


def _share(impressions: int) -> float:
    return max(0.0999, impressions / (2 * impressions + 700))


def _rate(metrics: Metrics, quartile: int) -> float | None:
    if not metrics.video_views or metrics.video_quartiles is None:
        return None
    return metrics.video_quartiles[quartile] / metrics.video_views


def _quality(criterion: Criterion) -> int | None:
    return 3 + criterion.id % 7 if criterion.type == "KEYWORD" and criterion.match != "BROAD" else None


def _search(line: Any, value: Callable[[int], float]) -> float | None:
    """A share of the search network, which video campaigns are not in."""
    if (line.campaign is not None and line.campaign.video) or not line.metrics.impressions:
        return None
    return value(line.metrics.impressions)


def _part(path: str) -> Callable[[Any], Any]:
    """A segment that numbers are divided by; the empty value of one is not sent."""
    return lambda line: (line.part or {}).get(path) or (0 if path == "segments.hour" and line.part else None)


def _of(part: float, whole: float) -> float | None:
    return part / whole if whole else None


def _status(each: Group | Ad, on: dt.date) -> str:
    if each.removed(on):
        return "REMOVED"
    return "PAUSED" if each.paused else "ENABLED"


def _name(line: Any, kind: str, *ids: Any) -> str:
    """A resource name: https://developers.google.com/google-ads/api/docs/concepts/resource-names"""
    return f"customers/{line.account.id if line.account else line.client.id}/{kind}/{'~'.join(map(str, ids))}"


def _term(line: Any) -> str:
    term = base64.urlsafe_b64encode(line.term.encode()).decode().rstrip("=")
    return _name(line, "searchTermViews", line.campaign.id, line.group.id, term)


FIELDS: dict[str, Callable[[Any], Any]] = {
    "customer.resource_name": lambda line: f"customers/{line.account.id}",
    "customer_client.resource_name": lambda line: f"customers/{line.root}/customerClients/{line.client.id}",
    "campaign.resource_name": lambda line: _name(line, "campaigns", line.campaign.id),
    "campaign.campaign_budget": lambda line: _name(line, "campaignBudgets", line.campaign.id * 10 + 1),
    "campaign_budget.resource_name": lambda line: _name(line, "campaignBudgets", line.campaign.id * 10 + 1),
    "ad_group.resource_name": lambda line: _name(line, "adGroups", line.group.id),
    "ad_group.campaign": lambda line: _name(line, "campaigns", line.campaign.id),
    "ad_group_ad.resource_name": lambda line: _name(line, "adGroupAds", line.group.id, line.ad.id),
    "ad_group_ad.ad_group": lambda line: _name(line, "adGroups", line.group.id),
    "ad_group_criterion.resource_name": lambda line: _name(line, "adGroupCriteria", line.group.id, line.criterion.id),
    "ad_group_criterion.ad_group": lambda line: _name(line, "adGroups", line.group.id),
    "keyword_view.resource_name": lambda line: _name(line, "keywordViews", line.group.id, line.criterion.id),
    "search_term_view.resource_name": _term,
    "customer.status": lambda line: "CANCELED" if line.account.ended_on else "ENABLED",
    "customer.manager": lambda line: False,  # noqa: ARG005 - every field is asked the same way
    "customer.test_account": lambda line: False,  # noqa: ARG005 - see above
    "customer.id": lambda line: int(line.account.id),
    "customer.descriptive_name": lambda line: line.account.name,
    "customer.currency_code": lambda line: line.account.currency,
    "customer.time_zone": lambda line: line.account.timezone,
    "customer_client.id": lambda line: int(line.client.id) if line.client.id else None,
    "customer_client.client_customer": lambda line: f"customers/{line.client.id}",
    "customer_client.descriptive_name": lambda line: line.client.name,
    "customer_client.currency_code": lambda line: line.client.currency,
    "customer_client.time_zone": lambda line: line.client.timezone,
    "customer_client.status": lambda line: line.client.status,
    "customer_client.manager": lambda line: line.client.manager,
    "customer_client.level": lambda line: line.client.level,
    "customer_client.test_account": lambda line: False,  # noqa: ARG005 - every field is asked the same way
    "customer_client.hidden": lambda line: line.client.hidden,
    "campaign.id": lambda line: line.campaign.id,
    "campaign.name": lambda line: line.campaign.name,
    "campaign.status": lambda line: line.campaign.status(line.on).upper(),
    "campaign.serving_status": lambda line: "ENDED" if line.campaign.removed_on else "SERVING",
    "campaign.advertising_channel_type": lambda line: "VIDEO" if line.campaign.video else "SEARCH",
    "campaign.advertising_channel_sub_type": lambda line: "VIDEO_ACTION" if line.campaign.video else None,
    "campaign.bidding_strategy_type": lambda line: "MAXIMIZE_CONVERSIONS" if line.campaign.video else "MANUAL_CPC",
    "campaign.start_date_time": lambda line: f"{line.campaign.start} 00:00:00",
    "campaign.end_date_time": lambda line: f"{line.campaign.removed_on} 23:59:59" if line.campaign.removed_on else None,
    "campaign_budget.id": lambda line: line.campaign.id * 10 + 1,
    "campaign_budget.name": lambda line: f"Budget of {line.campaign.name}",
    "campaign_budget.status": lambda line: "REMOVED" if line.campaign.status(line.on) == "removed" else "ENABLED",
    "campaign_budget.amount_micros": lambda line: line.campaign.budget_micros,
    "campaign_budget.period": lambda line: "DAILY",  # noqa: ARG005 - see above
    "campaign_budget.delivery_method": lambda line: "STANDARD",  # noqa: ARG005 - see above
    "campaign_budget.explicitly_shared": lambda line: False,  # noqa: ARG005 - see above
    "campaign_budget.reference_count": lambda line: 0 if line.campaign.status(line.on) == "removed" else 1,
    "ad_group.id": lambda line: line.group.id,
    "ad_group.name": lambda line: line.group.name,
    "ad_group.status": lambda line: _status(line.group, line.on),
    "ad_group.type": lambda line: "VIDEO_RESPONSIVE" if line.campaign.video else "SEARCH_STANDARD",
    "ad_group.cpc_bid_micros": lambda line: None if line.campaign.video else 10_000 * (1 + line.group.id % 97),
    "ad_group_ad.ad.id": lambda line: line.ad.id,
    "ad_group_ad.ad.name": lambda line: line.ad.name if line.campaign.video else None,
    "ad_group_ad.status": lambda line: _status(line.ad, line.on),
    "ad_group_ad.ad.type": lambda line: "VIDEO_RESPONSIVE_AD" if line.campaign.video else "RESPONSIVE_SEARCH_AD",
    "ad_group_ad.ad_strength": lambda line: None if line.campaign.video else "GOOD",
    "ad_group_ad.policy_summary.approval_status": lambda line: "APPROVED",  # noqa: ARG005 - see above
    "ad_group_ad.ad.final_urls": lambda line: (
        [] if line.campaign.video else [f"https://shop.example/{line.ad.id}?utm_source=google&q=ä"]
    ),
    "ad_group_ad.ad.responsive_search_ad.headlines": lambda line: (
        [] if line.campaign.video else [{"text": line.ad.name}, {"text": line.group.name}]
    ),
    "ad_group_criterion.criterion_id": lambda line: line.criterion.id,
    "ad_group_criterion.type": lambda line: line.criterion.type,
    "ad_group_criterion.gender.type": lambda line: line.part["gender"][1] if line.part else None,
    "ad_group_criterion.age_range.type": lambda line: line.part["age"][1] if line.part else None,
    "ad_group_criterion.keyword.text": lambda line: line.criterion.text,
    "ad_group_criterion.keyword.match_type": lambda line: line.criterion.match,
    "ad_group_criterion.negative": lambda line: line.criterion.negative,
    "ad_group_criterion.status": lambda line: "REMOVED" if line.criterion.removed(line.on) else "ENABLED",
    "ad_group_criterion.approval_status": lambda line: None if line.criterion.negative else "APPROVED",
    "ad_group_criterion.cpc_bid_micros": lambda line: 1_230_001 if line.criterion.match == "EXACT" else None,
    "ad_group_criterion.quality_info.quality_score": lambda line: (
        None if line.criterion.negative else _quality(line.criterion)
    ),
    "search_term_view.search_term": lambda line: line.term,
    "search_term_view.status": lambda line: "ADDED" if line.match_type == "EXACT" else "NONE",
    "segments.date": lambda line: line.day.isoformat(),
    "segments.week": lambda line: (line.day - dt.timedelta(days=line.day.weekday())).isoformat(),
    "segments.month": lambda line: line.day.replace(day=1).isoformat(),
    "segments.quarter": lambda line: line.day.replace(month=(line.day.month - 1) // 3 * 3 + 1, day=1).isoformat(),
    "segments.year": lambda line: line.day.year,
    "segments.day_of_week": lambda line: f"{line.day:%A}".upper(),
    "segments.search_term_match_type": lambda line: line.match_type,
    **{path: _part(path) for path in SEGMENTS},
    "geographic_view.country_criterion_id": _part("geographic_view.country_criterion_id"),
    "geographic_view.location_type": _part("geographic_view.location_type"),
    "campaign_search_term_view.search_term": lambda line: line.term,
    "metrics.impressions": lambda line: line.metrics.impressions,
    "metrics.clicks": lambda line: line.metrics.clicks,
    "metrics.cost_micros": lambda line: line.metrics.cost_micros,
    "metrics.conversions": lambda line: line.metrics.conversions_centi / 100,
    "metrics.conversions_value": lambda line: line.metrics.value_micros / 1_000_000,
    "metrics.all_conversions": lambda line: (line.metrics.conversions_centi + 100 * line.metrics.leads) / 100,
    "metrics.all_conversions_value": lambda line: (
        (line.metrics.value_micros + 2_500_000 * line.metrics.leads) / 1_000_000
    ),
    "metrics.view_through_conversions": lambda line: line.metrics.view_through,
    "metrics.interactions": lambda line: line.metrics.clicks + (line.metrics.video_views or 0),
    "metrics.engagements": lambda line: line.metrics.engagements,
    "metrics.video_trueview_views": lambda line: line.metrics.video_views,
    "metrics.video_quartile_p25_rate": lambda line: _rate(line.metrics, 0),
    "metrics.video_quartile_p50_rate": lambda line: _rate(line.metrics, 1),
    "metrics.video_quartile_p75_rate": lambda line: _rate(line.metrics, 2),
    "metrics.video_quartile_p100_rate": lambda line: _rate(line.metrics, 3),
    "metrics.top_impression_percentage": lambda line: _of(line.metrics.impressions * 3 // 4, line.metrics.impressions),
    "metrics.absolute_top_impression_percentage": lambda line: _of(
        line.metrics.impressions // 3, line.metrics.impressions
    ),
    "metrics.ctr": lambda line: _of(line.metrics.clicks, line.metrics.impressions),
    "metrics.average_cpc": lambda line: _of(line.metrics.cost_micros, line.metrics.clicks),
    "metrics.average_cpm": lambda line: _of(line.metrics.cost_micros * 1000, line.metrics.impressions),
    "metrics.cost_per_conversion": lambda line: _of(line.metrics.cost_micros * 100, line.metrics.conversions_centi),
    "metrics.search_impression_share": lambda line: _search(line, _share),
    "metrics.search_rank_lost_impression_share": lambda line: _search(line, lambda n: min(0.9001, 700 / (2 * n + 700))),
    "metrics.search_budget_lost_impression_share": lambda line: _search(line, lambda n: n / (2 * n + 700)),
    "metrics.historical_quality_score": lambda line: _quality(line.criterion),
    **conversions.FIELDS,
    **asset_groups.FIELDS,
    **places.FIELDS,
}

CACHE_KEYS: dict[str, Callable[[Any], Any]] = {
    "customer": lambda line: line.account.id,
    "campaign": lambda line: line.campaign.id,
    "campaign_budget": lambda line: line.campaign.id,
    "ad_group": lambda line: line.group.id,
    "asset_group": lambda line: line.group.id,
    "conversion_action": lambda line: line.action.id,
    "geo_target_constant": lambda line: line.place.id,
    "ad_group_ad": lambda line: line.ad.id,
    "ad_group_criterion": lambda line: (line.group.id, line.criterion.id),
    "keyword_view": lambda line: (line.group.id, line.criterion.id),
    "segments": lambda line: (line.day, line.match_type, *(line.part or {}).values()),
    "search_term_view": lambda line: (line.group.id, line.term, line.match_type),
}
"""What the fields of a resource depend on, within one query."""

_IDENTITY: dict[str, Callable[[Any], Any]] = {
    "customer": CACHE_KEYS["customer"],
    "campaign": CACHE_KEYS["campaign"],
    "campaign_budget": CACHE_KEYS["campaign_budget"],
    "ad_group": CACHE_KEYS["ad_group"],
    "asset_group": CACHE_KEYS["asset_group"],
    "ad_group_ad": CACHE_KEYS["ad_group_ad"],
    "keyword_view": CACHE_KEYS["keyword_view"],
    "search_term_view": lambda line: (line.group.id, line.term),
    "campaign_search_term_view": lambda line: (line.campaign.id, line.term),
    "geographic_view": lambda line: (
        line.part["geographic_view.country_criterion_id"],
        line.part["geographic_view.location_type"],
    ),
    "age_range_view": lambda line: (line.group.id, line.part["age"]),
    "gender_view": lambda line: (line.group.id, line.part["gender"]),
}
"""What tells the things of a resource apart."""

_ONLY_SEEN = ("search_term_view", "campaign_search_term_view", "geographic_view", *_PEOPLE)
"""The resources of which there is nothing but what has numbers."""
_DIVIDED = ("geographic_view",)
