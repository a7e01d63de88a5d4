"""Insights of the sandbox: an account's ads, day by day, summed up to a level and written as the Graph API writes them.

Every metric is a string, a metric without a value is absent, and one purchase is listed under three action types.
"""

from __future__ import annotations

import datetime as dt
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.facebook.objects import edge_nodes
from sandbox.world import Account, Fact, Metrics, World

EDGES = {"campaign": "campaigns", "adset": "adsets", "ad": "ads"}
"""The edge that lists the objects of each level."""

WINDOWS = ("1d_click", "7d_click", "28d_click", "1d_view", "1d_ev", "default", "dda", "skan_click", "skan_view")
LOOKS_KEPT = 6
VIDEO_LISTS = (
    "video_p25_watched_actions",
    "video_p50_watched_actions",
    "video_p75_watched_actions",
    "video_p100_watched_actions",
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


FIELDS = _words(
    "account_id account_name account_currency campaign_id campaign_name adset_id adset_name "
    "ad_id ad_name date_start date_stop impressions reach frequency clicks inline_link_clicks "
    "inline_post_engagement spend cpc cpm ctr objective optimization_goal attribution_setting "
    "actions action_values video_play_actions video_thruplay_watched_actions"
) | frozenset(VIDEO_LISTS)
"""What an insights request may ask for; any other field is refused."""

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
    *(("action_values", name, 6) for name in _PURCHASE_TYPES),
)
"""The action types of each list, and the place of their base count in `_counts`."""


@dataclass(slots=True)
class _Sum:
    """What the ads of one object did on one day."""

    fact: Fact
    metrics: Metrics
    counts: list[int]


class Insights:
    """Makes the rows of reports; an account's window is looked at once for all three levels."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._looks: OrderedDict[tuple[str, dt.date, dt.date], list[_Sum]] = OrderedDict()

    def rows(
        self, account: Account, *, level: str, first: dt.date, last: dt.date, statuses: frozenset[str] | None
    ) -> Iterator[dict[str, Any]]:
        """The rows of a report with all fields; those of deleted objects only when that status is asked for."""
        nodes = edge_nodes(self._world, account, EDGES[level])
        shown = {int(node["id"]) for node in nodes if _is_shown(node["effective_status"], statuses)}
        sums: dict[tuple[dt.date, int], _Sum] = {}
        for each in self._look(account, first, last):
            key = (each.fact.day, _object_id(each.fact, level))
            if key[1] not in shown:
                continue
            if key not in sums:
                sums[key] = each if level == "ad" else _Sum(each.fact, Metrics(), [0] * len(each.counts))
            if level != "ad":
                whole = sums[key]
                whole.metrics += each.metrics
                whole.counts = [a + b for a, b in zip(whole.counts, each.counts, strict=True)]
        for each in sums.values():
            yield _row(account, level, each)

    def _look(self, account: Account, first: dt.date, last: dt.date) -> list[_Sum]:
        key = (account.id, first, last)
        if key not in self._looks:
            facts = self._world.ad_facts(account, first, last)
            self._looks[key] = [_Sum(fact, fact.metrics, _counts(fact.metrics)) for fact in facts]
            if len(self._looks) > LOOKS_KEPT:
                self._looks.popitem(last=False)
        return self._looks[key]


def only(row: Mapping[str, Any], fields: Iterable[str], windows: frozenset[str]) -> dict[str, Any]:
    """A row with the fields and attribution windows that were asked for; the dates are always there."""
    out = {name: row[name] for name in fields if name in row}
    for name, value in out.items():
        if isinstance(value, list):
            kept = windows | {"action_type", "value"}
            out[name] = [{key: entry[key] for key in entry if key in kept} for entry in value]
    return {**out, "date_start": row["date_start"], "date_stop": row["date_stop"]}


def _is_shown(status: str, statuses: frozenset[str] | None) -> bool:
    return status != "DELETED" if statuses is None else status in statuses


def _object_id(fact: Fact, level: str) -> int:
    assert fact.group is not None
    assert fact.ad is not None
    return {"campaign": fact.campaign.id, "adset": fact.group.id, "ad": fact.ad.id}[level]


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
        "campaign_id": str(fact.campaign.id),
        "campaign_name": fact.campaign.name,
        "date_start": fact.day.isoformat(),
        "date_stop": fact.day.isoformat(),
        "objective": "OUTCOME_AWARENESS" if fact.campaign.video else "OUTCOME_SALES",
        "attribution_setting": "7d_click_1d_view_1d_ev" if fact.campaign.video else "7d_click_1d_view",
        "impressions": str(metrics.impressions),
        "reach": str(metrics.reach),
        "frequency": _ratio(metrics.impressions, metrics.reach),
        "clicks": str(metrics.clicks),
        "inline_link_clicks": str(metrics.link_clicks),
        "inline_post_engagement": str(metrics.engagements),
        "spend": _units(metrics.cost_micros),
        "cpm": _ratio(metrics.cost_micros * 1000, metrics.impressions * 1_000_000),
        "ctr": _ratio(metrics.clicks * 100, metrics.impressions),
    }
    if metrics.clicks:
        row["cpc"] = _ratio(metrics.cost_micros, metrics.clicks * 1_000_000)
    if level != "campaign":
        row |= {"adset_id": str(fact.group.id), "adset_name": fact.group.name}
        row["optimization_goal"] = "OFFSITE_CONVERSIONS"
    if level == "ad":
        row |= {"ad_id": str(fact.ad.id), "ad_name": fact.ad.name}
    return row | _lists(each.counts) | _video(metrics)


def _lists(counts: list[int]) -> dict[str, Any]:
    lists: dict[str, list[dict[str, str]]] = {}
    for name, action_type, place in _LISTED:
        amounts = counts[place * len(_KEYS) : (place + 1) * len(_KEYS)]
        if not amounts[0]:
            continue
        write = _units if name == "action_values" else str
        entry = {key: write(amount) for key, amount in zip(_KEYS, amounts, strict=True) if amount}
        lists.setdefault(name, []).append({"action_type": action_type, **entry})
    return lists


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
