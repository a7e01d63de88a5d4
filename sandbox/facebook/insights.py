"""Insights of the sandbox: an account's ads, day by day, summed up to a level and written as the Graph API writes them.

Every metric is a string, a metric without a value is absent, and one purchase is listed under three action types.
"""

from __future__ import annotations

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from sandbox.facebook.objects import edge_nodes
from sandbox.world import Account, Fact, Metrics, World

EDGES = {"campaign": "campaigns", "adset": "adsets", "ad": "ads"}
"""The edge that lists the objects of each level."""

WINDOWS = ("1d_click", "7d_click", "28d_click", "1d_view", "1d_ev", "default", "dda", "skan_click", "skan_view")
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

_PURCHASE_TYPES = ("omni_purchase", "purchase", "offsite_conversion.fb_pixel_purchase")


@dataclass(slots=True)
class _Sum:
    """What the ads of one object did on one day; action counts by (list, action type, window)."""

    fact: Fact
    metrics: Metrics = field(default_factory=Metrics)
    actions: Counter[tuple[str, str, str]] = field(default_factory=Counter)

    def add(self, metrics: Metrics) -> None:
        self.metrics += metrics
        for key, amount in _actions(metrics):
            self.actions[key] += amount


def rows(
    world: World, account: Account, *, level: str, first: dt.date, last: dt.date, statuses: frozenset[str] | None
) -> Iterator[dict[str, Any]]:
    """The rows of a report with all fields; those of deleted objects only when that status is asked for."""
    sums: dict[tuple[dt.date, int], _Sum] = {}
    nodes = edge_nodes(world, account, EDGES[level])
    shown = {int(node["id"]) for node in nodes if _is_shown(node["effective_status"], statuses)}
    for fact in world.ad_facts(account, first, last):
        key = (fact.day, _object_id(fact, level))
        if key[1] not in shown:
            continue
        if key not in sums:
            sums[key] = _Sum(fact)
        sums[key].add(fact.metrics)
    for each in sums.values():
        yield _row(account, level, each)


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


def _actions(metrics: Metrics) -> Iterator[tuple[tuple[str, str, str], int]]:
    """Counts, and money in micros, of one ad and day; what is zero is added but never written."""
    purchases = metrics.conversions_centi // 100
    worth = metrics.value_micros if purchases else 0
    counts = {
        "link_click": metrics.link_clicks,
        "post_engagement": metrics.engagements,
        "lead": metrics.leads,
        "onsite_conversion.lead_grouped": metrics.leads // 2,
        "video_view": metrics.video_views or 0,
        **dict.fromkeys(_PURCHASE_TYPES, purchases),
    }
    for name, count in counts.items():
        for window, amount in _windows(count).items():
            yield ("actions", name, window), amount
    for name in _PURCHASE_TYPES:
        for window, amount in _windows(worth).items():
            yield ("action_values", name, window), amount


def _windows(whole: int) -> dict[str, int]:
    return {
        "value": whole,
        "1d_click": whole * 5 // 10,
        "7d_click": whole * 8 // 10,
        "28d_click": whole * 9 // 10,
        "1d_view": whole - whole * 9 // 10,
    }


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
    return row | _lists(each.actions) | _video(metrics)


def _lists(actions: Counter[tuple[str, str, str]]) -> dict[str, Any]:
    lists: dict[str, dict[str, dict[str, str]]] = {}
    for (name, action_type, window), amount in actions.items():
        if amount:
            entry = lists.setdefault(name, {}).setdefault(action_type, {"action_type": action_type})
            entry[window] = _units(amount) if name == "action_values" else str(amount)
    return {name: list(entries.values()) for name, entries in lists.items()}


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
