"""What a report of one's own must hold: the world's numbers shared out over breakdowns, hours and months.

Computed from the world alone, apart from the server and the pipeline, as `sandbox.facebook.truth` is. A definition is
what a user writes under `reports:`.
"""

from __future__ import annotations

import datetime as dt
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from itertools import product
from typing import Any

from sandbox.facebook.truth import Row, _action_values, _attribution, _cut, _objective
from sandbox.world import Account, Fact, World

_LEVELS = {"account": 0, "campaign": 1, "adset": 2, "ad_set": 2, "ad": 3}
_PLACES: dict[str, tuple[str, ...]] = {
    "age": ("18-24", "25-34", "unknown"),
    "gender": ("female", "male"),
    "country": ("AT", "DE"),
    "region": ("Wien", "Bayern", "O’Higgins Region"),
    "publisher_platform": ("facebook", "instagram"),
    "platform_position": ("feed", "story"),
    "impression_device": ("desktop", "iphone"),
    "device_platform": ("desktop", "mobile_app"),
    "product_id": ("101, Shoe", '102, Hat, "blue"'),
    "body_asset": ("6080000000001", "6080000000002"),
    "hour": tuple(map(str, range(24))),
}
_OFF_META = ("lead", "omni_purchase", "purchase", "offsite_conversion.fb_pixel_purchase")
_NEEDS_ONE_SETTING = (*_OFF_META, "onsite_conversion.lead_grouped", "landing_page_view")
_LISTS = ("actions", "action_values", "outbound_clicks", "video_play_actions", "video_thruplay_watched_actions")
_QUARTILES = {f"video_p{part}_watched_actions": n for n, part in enumerate((25, 50, 75, 100))}
_COSTS = {
    "cost_per_action_type": "actions",
    "cost_per_outbound_click": "outbound_clicks",
    "cost_per_thruplay": "video_thruplay_watched_actions",
}
Amounts = dict[tuple[str, str, str], int]


@dataclass
class _Cell:
    """All that fell into one place of a report; amounts of money are micros."""

    account: Account
    fact: Fact
    numbers: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    quartiles: list[int] = field(default_factory=lambda: [0, 0, 0, 0])
    amounts: Amounts = field(default_factory=lambda: defaultdict(int))
    settings: set[str] = field(default_factory=set)

    @cached_property
    def listed(self) -> Amounts:
        """What the lists say: nothing of zero, nor what needs one attribution setting where there are several."""
        amounts: Amounts = dict(self.amounts)
        if len(self.settings) > 1:
            amounts = {which: n for which, n in amounts.items() if not _is_one_of(which[1], _NEEDS_ONE_SETTING)}
        views, quartiles = self.numbers["video_views"], self.quartiles
        amounts["outbound_clicks", "outbound_click", "default"] = self.numbers["link_clicks"]
        amounts["video_play_actions", "video_view", "default"] = views + views // 4
        amounts["video_thruplay_watched_actions", "video_view", "default"] = quartiles[1]
        amounts |= {(name, "video_view", "default"): quartiles[n] for name, n in _QUARTILES.items()}
        return {which: n for which, n in amounts.items() if n}


def report_truth(
    world: World,
    definition: Mapping[str, Any],
    first: dt.date,
    last: dt.date,
    *,
    shown: Callable[[Fact], bool] = lambda _: True,
    fits: Callable[[Row], bool] | None = None,
) -> dict[str, list[Row]]:
    """The rows of a report's tables, each by its name, between two days; for months, the first day of the first one.

    `shown` and `fits` stand for the conditions of the definition: on an ad's day, and on a row.
    """
    name, by = definition["name"], tuple(definition.get("by", ()))
    grain = definition.get("grain", "day")
    dimensions = (*by, *(("hour",) if grain == "hour" else ()))
    lists = [each for each in definition["metrics"] if each in _LISTS or each in _QUARTILES or each in _COSTS]
    plain = [each for each in definition["metrics"] if each not in lists]
    tables: dict[str, list[Row]] = {name: [], **({f"{name}_actions": []} if lists else {})}
    for account in world.accounts("facebook"):
        if account.closed:
            continue
        facts = (fact for fact in world.ad_facts(account, first, last) if shown(fact))
        for (day, ids, place), cell in _cells(account, facts, _LEVELS[definition["of"]], grain, dimensions).items():
            values = dict(zip(dimensions, place, strict=True))
            hour = {"hour": int(values.pop("hour"))} if grain == "hour" else {}
            head = {"account_id": account.id, "date": day, **hour, **dict(ids), **values}
            tail = {"account_currency": account.currency, "is_final": _end(day, grain) < world.today(account)}
            told = {each: _METRICS[each](cell) for each in plain}
            told |= {_column(each): _ATTRIBUTES[_column(each)](cell) for each in definition.get("attributes", ())}
            if fits and not fits({**values, **{each: read(cell) for each, read in _METRICS.items()}}):
                continue
            tables[name].append({**head, **told, **tail})
            for (metric, action_type, window), value in _valued(cell, lists).items() if lists else ():
                own = {"metric": metric, "action_type": action_type, "attribution_window": window, "value": value}
                tables[f"{name}_actions"].append({**head, **own, **tail})
    return tables


def _cells(
    account: Account, facts: Iterator[Fact], level: int, grain: str, dimensions: tuple[str, ...]
) -> dict[tuple[dt.date, tuple[tuple[str, str], ...], tuple[str, ...]], _Cell]:
    cells: dict[tuple[dt.date, tuple[tuple[str, str], ...], tuple[str, ...]], _Cell] = {}
    everywhere = list(product(*(_PLACES[each] for each in dimensions)))
    for fact in facts:
        assert fact.group is not None
        assert fact.ad is not None
        ids = (("campaign_id", fact.campaign.id), ("ad_set_id", fact.group.id), ("ad_id", fact.ad.id))[:level]
        day = fact.day.replace(day=1) if grain == "month" else fact.day
        for place, numbers, quartiles, amounts in _dealt(account, fact, everywhere, dimensions):
            key = (day, tuple((name, str(value)) for name, value in ids), place)
            cell = cells.setdefault(key, _Cell(account, fact))
            for name, n in numbers.items():
                cell.numbers[name] += n
            for n, count in enumerate(quartiles):
                cell.quartiles[n] += count
            for which, amount in amounts.items():
                cell.amounts[which] += amount
            cell.settings.add(_attribution(account, fact))
    return cells


def _dealt(
    account: Account, fact: Fact, everywhere: list[tuple[str, ...]], dimensions: tuple[str, ...]
) -> Iterator[tuple[tuple[str, ...], dict[str, int], list[int], Amounts]]:
    """An ad's day dealt out like cards, beginning where the ad's id says."""
    assert fact.ad is not None
    metrics = fact.metrics
    begin = fact.ad.id % len(everywhere)
    places = (everywhere[begin:] + everywhere[:begin])[: max(1, metrics.impressions)]

    def deal(whole: int) -> list[int]:
        rest = whole % len(places)
        return [whole // len(places) + (rest if n == 0 else 0) for n in range(len(places))]

    numbers = {
        "impressions": deal(metrics.impressions),
        "clicks": deal(metrics.clicks),
        "link_clicks": deal(metrics.link_clicks),
        "cost_micros": deal(metrics.cost_micros),
        "engagements": deal(metrics.engagements),
        "video_views": deal(metrics.video_views or 0),
    }
    quartiles = [deal(n) for n in metrics.video_quartiles or (0, 0, 0, 0)]
    amounts = {
        (metric, action_type, window): int(value * (1_000_000 if metric == "action_values" else 1))
        for metric, action_type, window, value in _action_values(account, metrics)
    }
    off_meta = {which: n for which, n in amounts.items() if _is_one_of(which[1], _OFF_META)}
    apart = {"hour", "region", "product_id"} & set(dimensions)
    shared = {which: deal(n) for which, n in amounts.items() if not (apart and which in off_meta)}
    for n, place in enumerate(places):
        yield (
            place,
            {name: dealt[n] for name, dealt in numbers.items()},
            [each[n] for each in quartiles],
            {which: dealt[n] for which, dealt in shared.items()},
        )
    if "product_id" in apart and off_meta:
        yield tuple("" for _ in dimensions), {}, [0, 0, 0, 0], off_meta


def _is_one_of(action_type: str, names: tuple[str, ...]) -> bool:
    """Custom conversions are off Meta too, whichever account's they are."""
    return action_type in names or action_type.startswith("offsite_conversion.custom.")


def _valued(cell: _Cell, lists: list[str]) -> dict[tuple[str, str, str], Decimal]:
    """What some lists say in units; those of costs have what was spent for each of their counts."""
    spent = Decimal(cell.numbers["cost_micros"]) / 1_000_000
    values: dict[tuple[str, str, str], Decimal] = {}
    for (metric, action_type, window), n in cell.listed.items():
        if metric in lists:
            values[metric, action_type, window] = Decimal(n) / (1_000_000 if metric == "action_values" else 1)
        for cost in (each for each in lists if spent and _COSTS.get(each) == metric):
            values[cost, action_type, window] = _cut(spent / n)
    return values


def _counted(metric: str, *types: str, window: str = "default") -> Callable[[_Cell], int]:
    return lambda cell: sum(cell.listed.get((metric, each, window), 0) for each in types)


_LATER = _counted("actions", "omni_purchase", "lead", window="1d_view")
_WORTH = _counted("action_values", "omni_purchase")


def _per(part: Callable[[_Cell], Decimal], whole: str) -> Callable[[_Cell], Decimal | None]:
    return lambda cell: _cut(part(cell) / cell.numbers[whole]) if cell.numbers[whole] else None


def _spent(cell: _Cell) -> Decimal:
    return Decimal(cell.numbers["cost_micros"]) / 1_000_000


def _reach(cell: _Cell) -> int:
    return cell.numbers["impressions"] * 62 // 100 + bool(cell.numbers["impressions"])


def _or_none(value: Any) -> Any:
    return value or None


_METRICS: dict[str, Callable[[_Cell], Any]] = {
    "impressions": lambda cell: cell.numbers["impressions"],
    "reach": _reach,
    "frequency": lambda cell: float(_cut(Decimal(cell.numbers["impressions"]) / max(1, _reach(cell)))),
    "clicks": lambda cell: cell.numbers["clicks"],
    "unique_clicks": lambda cell: cell.numbers["clicks"] * 9 // 10,
    "inline_link_clicks": lambda cell: cell.numbers["link_clicks"],
    "inline_post_engagement": lambda cell: cell.numbers["engagements"],
    "spend": _spent,
    "cpc": _per(_spent, "clicks"),
    "cpm": lambda cell: _cut(_spent(cell) * 1000 / max(1, cell.numbers["impressions"])),
    "cpp": lambda cell: _cut(_spent(cell) * 1000 / max(1, _reach(cell))),
    "ctr": lambda cell: float(_cut(Decimal(100 * cell.numbers["clicks"]) / max(1, cell.numbers["impressions"]))),
    "quality_ranking": lambda cell: "AVERAGE" if cell.numbers["impressions"] >= 500 else "UNKNOWN",
    "conversions": lambda cell: _or_none(float(_counted("actions", "omni_purchase", "lead")(cell))),
    "conversions_value": lambda cell: _or_none(Decimal(_WORTH(cell)) / 1_000_000),
    "purchases": lambda cell: _or_none(float(_counted("actions", "omni_purchase")(cell))),
    "purchase_value": lambda cell: _or_none(Decimal(_WORTH(cell)) / 1_000_000),
    "leads": lambda cell: _or_none(float(_counted("actions", "lead")(cell))),
    "view_through_conversions": lambda cell: _or_none(float(_LATER(cell))),
    "video_views": lambda cell: _or_none(cell.numbers["video_views"]),
    "results": lambda cell: _results(cell.numbers["link_clicks"]),
}
_ATTRIBUTES: dict[str, Callable[[_Cell], Any]] = {
    "account_name": lambda cell: cell.account.name,
    "campaign_name": lambda cell: cell.fact.campaign.name,
    "objective": lambda cell: _objective(cell.fact.campaign),
    "buying_type": lambda _: "AUCTION",
    "attribution_setting": lambda cell: next(iter(cell.settings)) if len(cell.settings) == 1 else None,
    "ad_set_name": lambda cell: cell.fact.group and cell.fact.group.name,
    "optimization_goal": lambda _: "OFFSITE_CONVERSIONS",
    "ad_name": lambda cell: cell.fact.ad and cell.fact.ad.name,
}


def _results(clicks: int) -> Any:
    value = {"value": str(clicks), "attribution_windows": ["default"]}
    return [{"indicator": "actions:link_click", "values": [value]}] if clicks else None


def _column(word: str) -> str:
    return word.replace("adset_", "ad_set_")


def _end(day: dt.date, grain: str) -> dt.date:
    return (day + dt.timedelta(days=31)).replace(day=1) - dt.timedelta(days=1) if grain == "month" else day


_BASE = ("impressions", "clicks", "inline_link_clicks", "inline_post_engagement", "spend")
_BOUGHT = ("conversions", "conversions_value", "purchases", "purchase_value", "leads")
_NAMES_OF_ADS = ("campaign_name", "ad_set_name", "ad_name")


def _of_ads(*by: str, off_meta: bool = True) -> Mapping[str, Any]:
    metrics = (*_BASE, *(_BOUGHT if off_meta else ()))
    return {"of": "ad", "by": by, "metrics": metrics, "attributes": _NAMES_OF_ADS}


FURTHER: Mapping[str, Mapping[str, Any]] = {
    "ad_daily_placement": _of_ads("publisher_platform", "platform_position"),
    "ad_daily_device": _of_ads("publisher_platform", "impression_device"),
    "ad_daily_age_gender": _of_ads("age", "gender"),
    "ad_daily_country": _of_ads("country"),
    "ad_daily_region": _of_ads("region", off_meta=False),
    "campaign_hourly": {"of": "campaign", "metrics": _BASE, "attributes": ("campaign_name",), "grain": "hour"},
}
"""The tables that are reports of these kinds, as a report of one's own would be."""


def table_truth(world: World, table: str, first: dt.date, last: dt.date) -> list[Row]:
    """The rows of a table of a group, or of actions."""
    if table in FURTHER:
        return report_truth(world, {"name": table, **FURTHER[table]}, first, last)[table]
    level = "ad_set" if table.startswith("ad_set_") else "ad"
    metrics = tuple(_COSTS) if table.endswith("_costs") else (*_LISTS, *_QUARTILES)
    asked = {"name": "own", "of": level, "metrics": metrics}
    rows = report_truth(world, asked, first, last)["own_actions"]
    if level == "ad":
        rows = [{name: row[name] for name in row if name not in ("campaign_id", "ad_set_id")} for row in rows]
    return rows
