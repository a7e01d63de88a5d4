"""How an ad's day is shared out over breakdowns.

Each combination of values has a share of every number of the ad's day, as equal as whole numbers can be, and no share
is without impressions: an ad with fewer of them than there are combinations is seen in some only. Shares add up to the
whole, on every level. What is left over goes to the first share, and which one that is depends on the ad.

As Meta has it ("Insights API Breakdowns"), actions outside Meta are missing with some breakdowns, and not divided with
others: there they stand in a row of their own without the breakdown's value.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import Any

from sandbox.facebook.refusals import GraphError
from sandbox.world import Fact, Metrics

HOURLY = ("hourly_stats_aggregated_by_advertiser_time_zone", "hourly_stats_aggregated_by_audience_time_zone")
_HOURS = tuple(f"{hour:02}:00:00 - {hour:02}:59:59" for hour in range(24))
BREAKDOWNS: dict[str, tuple[Any, ...]] = {
    "age": ("18-24", "25-34", "unknown"),
    "gender": ("female", "male"),
    "country": ("AT", "DE"),
    "region": ("Wien", "Bayern", "O’Higgins Region"),
    "comscore_market": ("Boston (Manchester)", "Denver"),
    "publisher_platform": ("facebook", "instagram"),
    "platform_position": ("feed", "story"),
    "impression_device": ("desktop", "iphone"),
    "device_platform": ("desktop", "mobile_app"),
    "product_id": ("101, Shoe", '102, Hat, "blue"'),
    "body_asset": ({"text": "Run & “fly”", "id": "6080000000001"}, {"text": "Fly", "id": "6080000000002"}),
    **dict.fromkeys(HOURLY, _HOURS),
}
"""The breakdowns that the sandbox has, and their values."""
_PERMUTATIONS = frozenset(
    frozenset(each.split())
    for each in (
        *("age", "gender", "age gender", "country", "region", "comscore_market", "product_id", "body_asset", *HOURLY),
        *("publisher_platform", "publisher_platform platform_position", "publisher_platform impression_device"),
        *("publisher_platform platform_position impression_device", "device_platform"),
        "publisher_platform device_platform",
    )
)
"""What Meta documents under "Combining breakdowns", as far as the sandbox has the breakdowns."""
_WITHOUT_OFF_META = frozenset({"region", "comscore_market", *HOURLY})
_NOT_DIVIDING_OFF_META = frozenset({"product_id"})
_REGION_LACKS = frozenset(
    {"video_avg_time_watched_actions", *(f"video_p{n}_watched_actions" for n in (25, 50, 75, 95, 100))}
)

PLACES = 9
"""How many base counts an ad's day has; those of actions outside Meta are `OFF_META`."""
OFF_META = frozenset({2, 5, 6, 8})
"""leads, purchases, their value, and a custom conversion of them; of the leads those in forms on Meta have a count of
their own."""


def check(breakdowns: Sequence[str], fields: Sequence[str]) -> None:
    """Raise GraphError for what cannot stand together.

    The words about breakdowns are those that Meta answers with (daroczig/fbRads, issue 132); about fields it says only
    on its page that they cannot be requested.
    """
    if not breakdowns:
        return
    if frozenset(breakdowns) not in _PERMUTATIONS:
        together = ", ".join(("action_type", *breakdowns))
        raise GraphError(100, f"(#100) Current combination of data breakdown columns ({together}) is invalid")
    for name in fields:
        hourly = set(breakdowns) & set(HOURLY) and name.startswith(("video_", "unique_", "cost_per_unique_"))
        if hourly or ("region" in breakdowns and name in _REGION_LACKS):
            raise GraphError(100, f"(#100) {name} cannot be requested with the breakdowns {', '.join(breakdowns)}")


def shares(
    fact: Fact, counts: list[int], breakdowns: Sequence[str]
) -> Iterator[tuple[tuple[Any, ...], Metrics, list[int]]]:
    """An ad's day for each combination of values that it was seen in: the values, the numbers, the base counts."""
    combinations = list(product(*(BREAKDOWNS[name] for name in breakdowns)))
    metrics = fact.metrics
    assert fact.ad is not None
    parts = max(1, min(len(combinations), metrics.impressions))
    keys = len(counts) // PLACES
    off_meta = [n if place // keys in OFF_META else 0 for place, n in enumerate(counts)]
    lacks = set(breakdowns) & (_WITHOUT_OFF_META | _NOT_DIVIDING_OFF_META)
    divided = [n - m for n, m in zip(counts, off_meta, strict=True)] if lacks else counts
    for part in range(parts):
        values = combinations[(fact.ad.id + part) % len(combinations)]
        yield values, _share(metrics, part, parts), [_of(n, part, parts) for n in divided]
    if set(breakdowns) & _NOT_DIVIDING_OFF_META and any(off_meta):
        yield (None,) * len(breakdowns), Metrics(), off_meta


def _share(whole: Metrics, part: int, parts: int) -> Metrics:
    views, quartiles = whole.video_views, whole.video_quartiles
    one, two, three, four = (_of(n, part, parts) for n in quartiles or (0, 0, 0, 0))
    return Metrics(
        impressions=_of(whole.impressions, part, parts),
        clicks=_of(whole.clicks, part, parts),
        link_clicks=_of(whole.link_clicks, part, parts),
        cost_micros=_of(whole.cost_micros, part, parts),
        engagements=_of(whole.engagements, part, parts),
        video_views=None if views is None else _of(views, part, parts),
        video_quartiles=None if quartiles is None else (one, two, three, four),
    )


def _of(whole: int, part: int, parts: int) -> int:
    return whole // parts + (whole % parts if part == 0 else 0)
