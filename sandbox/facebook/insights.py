"""Insights of the sandbox: an account's ads, day by day, summed up to a level and written as the Graph API writes them.

Every metric is a string, a metric without a value is absent, and one purchase is listed under three action types. Where
ad sets with different attribution settings come together, conversions are absent too ("Insights API: iOS 14").
"""

from __future__ import annotations

import datetime as dt
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import product
from typing import Any

from sandbox.facebook.conditions import row_condition
from sandbox.facebook.objects import EDGE_OF, Objects, attribution_setting
from sandbox.facebook.parameters import Filter
from sandbox.facebook.shares import HOURLY, shares
from sandbox.world import Account, Fact, Metrics, World

LOOKS_KEPT = 60_000
"""How many ads' days, of some accounts' windows, are kept for the next level."""
VIDEO_LISTS = (
    "video_p25_watched_actions",
    "video_p50_watched_actions",
    "video_p75_watched_actions",
    "video_p100_watched_actions",
)
COSTS = {
    "cost_per_action_type": "actions",
    "cost_per_outbound_click": "outbound_clicks",
    "cost_per_thruplay": "video_thruplay_watched_actions",
}
"""The lists of costs, and the counts that the spend is divided by."""
DEFAULT_FIELDS = ("account_id", "impressions", "spend")
"""What a report tells where no fields are asked for, beside its dates."""
_KEYS = ("value", "1d_click", "7d_click", "28d_click", "1d_view")
"""The keys of an action's entry; each base count is held as one number for each."""
_PURCHASE_TYPES = ("omni_purchase", "purchase", "offsite_conversion.fb_pixel_purchase")
_LISTED = (
    ("actions", "link_click", 0),
    ("actions", "post_engagement", 1),
    ("actions", "lead", 2),
    ("actions", "onsite_conversion.lead_grouped", 3),
    ("actions", "video_view", 4),
    *(("actions", name, 5) for name in _PURCHASE_TYPES),
    ("actions", "landing_page_view", 7),
    ("actions", "offsite_conversion.custom.{}5", 8),
    *(("action_values", name, 6) for name in _PURCHASE_TYPES),
)
"""The action types of each list, with a place for the account's id, and the place of their base count in `_counts`."""
_INLINE = frozenset({"link_click", "post_engagement", "video_view"})
"""The action types that do not depend on an attribution setting."""


@dataclass(frozen=True, slots=True)
class Question:
    """What a report is asked: level, spans of days, conditions, and how its rows are divided and written."""

    level: str
    ranges: tuple[tuple[dt.date, dt.date], ...]
    filters: tuple[Filter, ...] = ()
    fields: tuple[str, ...] = DEFAULT_FIELDS
    windows: frozenset[str] = frozenset()
    breakdowns: tuple[str, ...] = ()
    action_breakdowns: tuple[str, ...] = ()


@dataclass(slots=True)
class _Sum:
    """What the ads of one object did in one span, where, and under which attribution settings."""

    fact: Fact
    first: dt.date
    last: dt.date
    metrics: Metrics
    counts: list[int]
    settings: frozenset[str]
    places: tuple[Any, ...] = ()


class Insights:
    """Makes the rows of reports; an account's window is looked at once for all levels."""

    def __init__(self, world: World, objects: Objects) -> None:
        self._world = world
        self._objects = objects
        self._looks: OrderedDict[tuple[str, dt.date, dt.date], list[_Sum]] = OrderedDict()

    def rows(self, account: Account, question: Question) -> Iterator[dict[str, Any]]:
        """The rows of a report; those of deleted objects only when that status is asked for, or above them."""
        fits = row_condition(question.filters)
        for each in self._sums(account, question):
            row = _row(account, question.level, each)
            row |= {name: value for name, value in zip(question.breakdowns, each.places, strict=True) if value}
            if any(name in HOURLY for name in question.breakdowns):
                row |= {"reach": "0", "frequency": "0"}
            if fits(row):
                yield _only(row, account, question)

    def _sums(self, account: Account, question: Question) -> Iterable[_Sum]:
        spans: dict[dt.date, list[tuple[dt.date, dt.date]]] = {}
        for first, last in question.ranges:
            for n in range((last - first).days + 1):
                spans.setdefault(first + dt.timedelta(days=n), []).append((first, last))
        is_shown, level = self._condition(account, question), question.level
        sums: dict[tuple[dt.date, dt.date, int, str], _Sum] = {}
        for look in self._look(account, min(spans), max(spans)):
            within = spans.get(look.fact.day, ()) if is_shown(look.fact) else ()
            for (first, last), each in product(within, _divided(look, question.breakdowns) if within else ()):
                key = (first, last, _object_id(each.fact, level), repr(each.places))
                if level == "ad" and first == last:
                    sums[key] = each
                    continue
                if key not in sums:
                    nothing = [0] * len(each.counts)
                    sums[key] = _Sum(each.fact, first, last, Metrics(), nothing, frozenset(), each.places)
                whole = sums[key]
                whole.metrics += each.metrics
                whole.counts = [a + b for a, b in zip(whole.counts, each.counts, strict=True)]
                whole.settings |= each.settings
        return sums.values()

    def _condition(self, account: Account, question: Question) -> Callable[[Fact], bool]:
        """Whether a fact is in the report: every filter names objects of some level that it must belong to."""
        level = question.level
        shown: list[tuple[str, frozenset[int]]] = []
        for each in question.filters:
            if not each.level:
                continue
            nodes = self._objects.matching(account, EDGE_OF[each.level], [each])
            shown.append((each.level, frozenset(int(node["id"]) for node in nodes)))
        said = any(each.level == level and each.field != "id" for each in question.filters)
        if level != "account" and not said:
            nodes = self._objects.of(account, EDGE_OF[level])
            shown.append((level, frozenset(int(n["id"]) for n in nodes if n["effective_status"] != "DELETED")))
        return lambda fact: all(_object_id(fact, level) in ids for level, ids in shown)

    def _look(self, account: Account, first: dt.date, last: dt.date) -> list[_Sum]:
        key = (account.id, first, last)
        look = self._looks.get(key)
        if look is None:
            look = self._looks[key] = [
                _Sum(
                    fact, fact.day, fact.day, fact.metrics, _counts(fact.metrics), frozenset({_setting(account, fact)})
                )
                for fact in self._world.ad_facts(account, first, last)
            ]
            while len(self._looks) > 1 and sum(map(len, self._looks.values())) > LOOKS_KEPT:
                self._looks.popitem(last=False)
        return look


def _divided(look: _Sum, breakdowns: tuple[str, ...]) -> Iterable[_Sum]:
    if not breakdowns:
        return (look,)
    return [
        _Sum(look.fact, look.first, look.last, metrics, counts, look.settings, places)
        for places, metrics, counts in shares(look.fact, look.counts, breakdowns)
    ]


def _setting(account: Account, fact: Fact) -> str:
    assert fact.group is not None
    return attribution_setting(account, fact.campaign, fact.group)


def _only(row: Mapping[str, Any], account: Account, question: Question) -> dict[str, Any]:
    """A row with the fields and attribution windows that were asked for; the dates are always there."""
    out = {name: row[name] for name in question.fields if name in row}
    kept = question.windows | {"action_type", "value"}
    more = {name: _ACTION_PLACES[name](account) for name in question.action_breakdowns if name in _ACTION_PLACES}
    for name, value in out.items():
        if isinstance(value, list) and "action_type" in value[0]:
            out[name] = [{**{key: entry[key] for key in entry if key in kept}, **more} for entry in value]
    divided = {name: row[name] for name in question.breakdowns if name in row}
    return {**out, "date_start": row["date_start"], "date_stop": row["date_stop"], **divided}


_ACTION_PLACES: dict[str, Callable[[Account], str]] = {
    "action_target_id": lambda account: f"{account.id}1",
    "action_destination": lambda _: "example.com",
}


def _object_id(fact: Fact, level: str) -> int:
    assert fact.group is not None
    assert fact.ad is not None
    return {"account": 0, "campaign": fact.campaign.id, "adset": fact.group.id, "ad": fact.ad.id}[level]


def _counts(metrics: Metrics) -> list[int]:
    """The base counts, and money in micros, of one ad and day, each once for every key."""
    purchases = metrics.conversions_centi // 100
    wholes = (
        metrics.link_clicks,
        metrics.engagements,
        metrics.leads,
        metrics.leads // 2,
        metrics.video_views or 0,
        purchases,
        metrics.value_micros if purchases else 0,
        metrics.link_clicks * 7 // 10,
        purchases // 2,
    )
    return [n for x in wholes for n in (x, x * 5 // 10, x * 8 // 10, x * 9 // 10, x - x * 9 // 10)]


def _row(account: Account, level: str, each: _Sum) -> dict[str, Any]:
    fact, metrics = each.fact, each.metrics
    assert fact.group is not None
    assert fact.ad is not None
    row: dict[str, Any] = {
        "account_id": account.id,
        "account_name": account.name,
        "account_currency": account.currency,
        "date_start": each.first.isoformat(),
        "date_stop": each.last.isoformat(),
        "impressions": str(metrics.impressions),
        "reach": str(metrics.reach),
        "frequency": _ratio(metrics.impressions, max(1, metrics.reach)),
        "clicks": str(metrics.clicks),
        "inline_link_clicks": str(metrics.link_clicks),
        "inline_post_engagement": str(metrics.engagements),
        "spend": _units(metrics.cost_micros),
        "cpm": _ratio(metrics.cost_micros * 1000, max(1, metrics.impressions) * 1_000_000),
        "ctr": _ratio(metrics.clicks * 100, max(1, metrics.impressions)),
        "cpp": _ratio(metrics.cost_micros * 1000, max(1, metrics.reach) * 1_000_000),
        "inline_link_click_ctr": _ratio(metrics.link_clicks * 100, max(1, metrics.impressions)),
        "unique_clicks": str(metrics.clicks * 9 // 10),
    }
    if len(each.settings) == 1:
        row["attribution_setting"] = next(iter(each.settings))
    if metrics.clicks:
        row["cpc"] = _ratio(metrics.cost_micros, metrics.clicks * 1_000_000)
    if level != "account":
        row |= {"campaign_id": str(fact.campaign.id), "campaign_name": fact.campaign.name}
        row["objective"] = "OUTCOME_AWARENESS" if fact.campaign.video else "OUTCOME_SALES"
        row["buying_type"] = "AUCTION"
    if level in ("adset", "ad"):
        row |= {"adset_id": str(fact.group.id), "adset_name": fact.group.name}
        row["optimization_goal"] = "OFFSITE_CONVERSIONS"
    if level == "ad":
        row |= {"ad_id": str(fact.ad.id), "ad_name": fact.ad.name, "quality_ranking": _ranking(metrics)}
    row |= _lists(account, each.counts, is_mixed=len(each.settings) > 1) | _clicks(metrics) | _video(metrics)
    return row | {name: _costs(row[of], metrics) for name, of in COSTS.items() if of in row and metrics.cost_micros}


def _lists(account: Account, counts: list[int], *, is_mixed: bool) -> dict[str, Any]:
    lists: dict[str, list[dict[str, str]]] = {}
    for name, action_type, place in _LISTED:
        amounts = counts[place * len(_KEYS) : (place + 1) * len(_KEYS)]
        if not amounts[0] or (is_mixed and action_type not in _INLINE):
            continue
        write = _units if name == "action_values" else str
        entry = {key: write(amount) for key, amount in zip(_KEYS, amounts, strict=True) if amount}
        lists.setdefault(name, []).append({"action_type": action_type.format(account.id), **entry})
    return lists


def _costs(entries: list[dict[str, str]], metrics: Metrics) -> list[dict[str, str]]:
    """A list of counts as what was spent for each: of every window all that was spent."""
    return [
        {
            key: value if key == "action_type" else _ratio(metrics.cost_micros, int(value) * 1_000_000)
            for key, value in entry.items()
        }
        for entry in entries
    ]


def _ranking(metrics: Metrics) -> str:
    """Meta ranks an ad that was seen 500 times."""
    return "AVERAGE" if metrics.impressions >= 500 else "UNKNOWN"


def _clicks(metrics: Metrics) -> dict[str, Any]:
    """Clicks that lead away as a list of actions, and the results, whose entries have another shape."""
    if not metrics.link_clicks:
        return {}
    value = str(metrics.link_clicks)
    return {
        "outbound_clicks": [{"action_type": "outbound_click", "value": value}],
        "results": [
            {"indicator": "actions:link_click", "values": [{"value": value, "attribution_windows": ["default"]}]}
        ],
    }


def _video(metrics: Metrics) -> dict[str, Any]:
    if metrics.video_quartiles is None or metrics.video_views is None:
        return {}
    numbers = dict(zip(VIDEO_LISTS, metrics.video_quartiles, strict=True))
    numbers["video_play_actions"] = metrics.video_views + metrics.video_views // 4
    numbers["video_thruplay_watched_actions"] = metrics.video_quartiles[1]
    return {name: [{"action_type": "video_view", "value": str(n)}] for name, n in numbers.items() if n}


def _units(micros: int) -> str:
    """Micros as units without trailing zeros."""
    whole, rest = divmod(micros, 1_000_000)
    return f"{whole}.{rest:06d}".rstrip("0").rstrip(".")


def _ratio(part: int, whole: int) -> str:
    """A quotient with six digits, cut, not rounded."""
    return _units(part * 1_000_000 // whole)
