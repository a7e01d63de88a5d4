"""What the world's numbers are made of below a day of an entity: devices, places, ages, goals, hours.

Each dimension cuts a number into whole parts by weights, so that the parts add up to it exactly. Several dimensions cut
one after the other, in the order that they have here. A day that is not over has nothing in its later hours.

A goal has conversions and their value alone; impressions, clicks and cost are on the row without any goal. How the
platform has that is a guess, and so are all weights.
"""

from __future__ import annotations

import dataclasses
import itertools
from collections.abc import Collection, Iterator

from sandbox.world import Fact, Metrics

Values = dict[str, str]
_Weighted = tuple[tuple[Values, int], ...]


def _plain(name: str, *weighted: tuple[str, int]) -> tuple[tuple[str, ...], _Weighted]:
    return (name,), tuple(({name: value}, weight) for value, weight in weighted)


GOALS = (
    {"Goal": 'Purchase, "big"', "GoalId": "7001", "GoalType": "Url"},
    {"Goal": "Sign-up", "GoalId": "7002", "GoalType": "Event"},
    {"Goal": "Call", "GoalId": "", "GoalType": "InStoreTransaction"},
)
_NO_GOAL = dict.fromkeys(GOALS[0], "")
# The columns that go together, and their values with weights. An empty value is one that the platform does not know.
DIMENSIONS: tuple[tuple[tuple[str, ...], _Weighted], ...] = (
    _plain("DeviceType", ("Computer", 55), ("Smartphone", 35), ("Tablet", 10)),
    _plain("DeviceOS", ("Windows", 50), ("Android", 30), ("iOS", 15), ("Unknown", 5)),
    _plain("Network", ("Bing and Yahoo! search", 70), ("Syndicated search partners", 20), ("Audience", 10)),
    _plain("TopVsOther", ("Bing and Yahoo! search - Top", 60), ("Bing and Yahoo! search - Other", 40)),
    _plain("AdDistribution", ("Search", 80), ("Audience", 20)),
    _plain("BidMatchType", ("Exact", 40), ("Phrase", 35), ("Broad", 25)),
    _plain("DeliveredMatchType", ("Exact", 50), ("Phrase", 30), ("Broad", 15), ("", 5)),
    _plain("Language", ("German", 60), ("English", 40)),
    _plain("AgeGroup", ("18-24", 20), ("25-34", 40), ("50-64", 25), ("Unknown", 15)),
    _plain("Gender", ("Female", 48), ("Male", 46), ("Unknown", 6)),
    (
        ("Country", "State", "MetroArea", "City"),
        (
            ({"Country": "Germany", "State": "Bavaria", "MetroArea": "", "City": "München"}, 50),
            ({"Country": "Germany", "State": "Berlin", "MetroArea": "", "City": "Berlin"}, 30),
            ({"Country": "Austria", "State": "Vienna", "MetroArea": "Wien", "City": ""}, 15),
            ({"Country": "", "State": "", "MetroArea": "", "City": ""}, 5),
        ),
    ),
    _plain("LocationType", ("Physical location", 85), ("Location of interest", 15)),
    _plain("CompanyName", ("Contoso, Ltd.", 40), ('Fabrikam "F"', 35), ("", 25)),
    _plain("IndustryName", ("Software", 60), ("Retail", 40)),
    _plain("JobFunctionName", ("Engineering", 70), ("", 30)),
    _plain("PublisherUrl", ("bing.com", 70), ("msn.com", 20), ("publisher.example", 10)),
    (("Hour",), tuple(({"Hour": str(hour)}, 1 + abs(12 - abs(hour - 13))) for hour in range(24))),
    (tuple(GOALS[0]), tuple(zip((*GOALS, _NO_GOAL), (50, 30, 20, 0), strict=True))),
)
COLUMNS = frozenset(name for names, _ in DIMENSIONS for name in names)
_OF_GOALS = ("conversions_centi", "value_micros", "view_through", "leads")
_COUNTS = tuple(each.name for each in dataclasses.fields(Metrics) if not each.name.startswith("video"))


def parted(fact: Fact, asked: Collection[str], *, hours: int = 24) -> Iterator[tuple[Values, Metrics]]:
    """The parts of a fact by those of its dimensions that have one of the columns; parts of nothing are left out.

    `hours` are those of the day that have begun.
    """
    parts: list[tuple[Values, Metrics]] = [({}, fact.metrics)]
    for names, weighted in DIMENSIONS:
        if not set(names) & set(asked):
            continue
        chosen = weighted[:hours] if names == ("Hour",) else weighted
        cut = _cut_by_goals if "Goal" in names else _cut
        parts = [
            (before | values, metrics)
            for before, whole in parts
            for (values, _), metrics in zip(chosen, cut(whole, [weight for _, weight in chosen]), strict=True)
        ]
    for values, metrics in parts:
        if any(getattr(metrics, name) for name in _COUNTS) or metrics.video_views:
            yield values, metrics


def _cut(whole: Metrics, weights: list[int]) -> list[Metrics]:
    parts = [Metrics() for _ in weights]
    for name in _COUNTS:
        for part, value in zip(parts, _shares(getattr(whole, name), weights), strict=True):
            setattr(part, name, value)
    if whole.video_views is not None:
        for part, value in zip(parts, _shares(whole.video_views, weights), strict=True):
            part.video_views = value
    if whole.video_quartiles is not None:
        cut = [_shares(each, weights) for each in whole.video_quartiles]
        for part, (a, b, c, d) in zip(parts, zip(*cut, strict=True), strict=True):
            part.video_quartiles = (a, b, c, d)
    return parts


def _cut_by_goals(whole: Metrics, weights: list[int]) -> list[Metrics]:
    """Conversions by their goals, everything else on the last part."""
    won = Metrics(**{name: getattr(whole, name) for name in _OF_GOALS})
    rest = dataclasses.replace(whole)
    for name in _OF_GOALS:
        setattr(rest, name, 0)
    return [*_cut(won, weights[:-1]), rest]


def _shares(total: int, weights: list[int]) -> list[int]:
    """Whole numbers that add up to the total: what each weight adds to the share of all before it."""
    sums = [sum(weights[:n]) for n in range(len(weights) + 1)]
    marks = [total * each // sums[-1] for each in sums]
    return [last - first for first, last in itertools.pairwise(marks)]
