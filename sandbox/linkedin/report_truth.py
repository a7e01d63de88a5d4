"""What an analyst would see in a breakdown: the rows that a report must hold after a run.

Every creative's day is shared out over the values of what splits it. The pieces add up to it, but for members, of whom
LinkedIn tells approximate numbers: what is no whole one is told of nobody, and a value with fewer than three
impressions in a row's days not at all. So neither do days of members add up to a month, nor values to a campaign.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate, product
from typing import Any

from sandbox.linkedin.numbers import counts, creative_name, further_counts, metrics_of, utc_today
from sandbox.linkedin.pivots import MEMBER_NAMES, SHARES
from sandbox.world import Account, Fact, World

_LEVELS = {"account": None, "campaign_group": "campaign", "campaign": "group", "creative": "ad"}
_PIVOTS = {"member_country": "MEMBER_COUNTRY_V2", "member_region": "MEMBER_REGION_V2"}
_PER_CALL = 18
_DEMOGRAPHIC_DAYS = 730
_FINEST = 10**18

Number = int | Decimal | None


@dataclass(frozen=True)
class Breakdown:
    """A report as its table has it: `by` are columns, `metrics` are columns; `keep` chooses among creatives' days.

    `named` are those that tell what their one column in `by` is called.
    """

    of: str
    metrics: Sequence[str]
    by: Sequence[str] = ()
    attributes: Sequence[str] = ()
    monthly: bool = False
    keep: Callable[[Account, Fact], bool] | None = None
    named: bool = False

    @property
    def is_demographic(self) -> bool:
        return any(column.startswith("member_") for column in self.by)


def report_truth(world: World, breakdown: Breakdown, first: dt.date, last: dt.date) -> list[dict[str, Any]]:
    """The rows of a report after a run at `world.as_of`; of months, all that have one of the days from `first` on."""
    today = utc_today(world)
    if breakdown.monthly:
        first = first.replace(day=1)
    if breakdown.is_demographic:
        first = max(first, today - dt.timedelta(days=_DEMOGRAPHIC_DAYS))
    return [
        row
        for account in world.accounts("linkedin")
        for row in _rows(account, breakdown, world.ad_facts(account, first, min(last, today)), today)
    ]


def _rows(account: Account, breakdown: Breakdown, facts: Iterator[Fact], today: dt.date) -> Iterator[dict[str, Any]]:
    sums: dict[tuple[Any, ...], dict[str, Number]] = {}
    keys: dict[tuple[Any, ...], dict[str, Any]] = {}
    approximate = breakdown.is_demographic
    for fact in facts:
        if breakdown.keep is not None and not breakdown.keep(account, fact):
            continue
        date = fact.day.replace(day=1) if breakdown.monthly else fact.day
        labels = _labels(fact, breakdown)
        numbers = counts(fact.metrics, account.currency) | further_counts(fact.metrics)
        for values, pieces in _shares(account, fact, breakdown.by):
            key = (date, *labels.values(), *values)
            keys[key] = {"date": date, **labels, **dict(zip(breakdown.by, values, strict=True))}
            total = sums.setdefault(key, {})
            for name, number in numbers.items():
                part = _piece(number, pieces, approximate=approximate)
                total[name] = part if total.get(name) is None else total[name] + (part or 0)  # type: ignore[operator]  # not None
    for key, total in sums.items():
        told = _told(metrics_of(total), breakdown.metrics)
        if not told or (approximate and int(total["impressions"] or 0) < 3):
            continue
        open_from = today.replace(day=1) if breakdown.monthly else today
        shown = {**keys[key], **told, "currency": account.currency, "is_final": keys[key]["date"] < open_from}
        if breakdown.named:
            (column,) = breakdown.by
            shown[f"{column}_name"] = MEMBER_NAMES.get(str(shown[column]))
        yield {"account_id": account.id, **shown}


def _labels(fact: Fact, breakdown: Breakdown) -> dict[str, str | None]:
    """Ids and names, those of the level and those asked for."""
    assert fact.group is not None and fact.ad is not None
    known: dict[str, str | None] = {
        "campaign_group_id": str(fact.campaign.id),
        "campaign_group_name": fact.campaign.name,
        "campaign_id": str(fact.group.id),
        "campaign_name": fact.group.name,
        "creative_id": str(fact.ad.id),
        "creative_name": creative_name(fact.ad),
    }
    own = {f"{breakdown.of}_id"} if _LEVELS[breakdown.of] else set()
    return {name: value for name, value in known.items() if name in own or name in breakdown.attributes}


def _shares(account: Account, fact: Fact, by: Sequence[str]) -> Iterator[tuple[tuple[str, ...], list[tuple[int, int]]]]:
    """Each combination of values, with where its share of each begins and ends, in hundredths."""
    choices = []
    for column in by:
        shares = SHARES.get(_PIVOTS.get(column, column.upper())) or {_only_value(account, fact, column): 100}
        ends = zip(shares.items(), accumulate(shares.values()), strict=True)
        choices.append([(value, (end - share, end)) for (value, share), end in ends])
    for combination in product(*choices):
        yield tuple(value for value, _ in combination), [share for _, share in combination]


def _only_value(account: Account, fact: Fact, column: str) -> str:
    assert fact.group is not None and fact.ad is not None
    known = {
        "campaign_group_id": str(fact.campaign.id),
        "campaign_id": str(fact.group.id),
        "creative_id": str(fact.ad.id),
        "share": f"urn:li:share:{fact.ad.id}",
        "company": f"urn:li:organization:{account.id[-5:].lstrip('0')}",
        "conversion": f"urn:lla:llaPartnerConversion:{account.id[-6:].lstrip('0')}",
        "conversion_id": account.id[-6:].lstrip("0"),
        "objective_type": "VIDEO_VIEW" if fact.campaign.video else "WEBSITE_VISIT",
    }
    return known[column]


def _piece(number: Number, pieces: list[tuple[int, int]], *, approximate: bool) -> Number:
    """What of a number lies in all pieces; money in the units of its 18th digit."""
    if number is None:
        return None
    units = int(number * _FINEST) if isinstance(number, Decimal) else number
    for begin, end in pieces:
        units = units * (end - begin) // 100 if approximate else units * end // 100 - units * begin // 100
    return Decimal(units).scaleb(-18) if isinstance(number, Decimal) else units


def _told(numbers: Mapping[str, Any], metrics: Sequence[str]) -> dict[str, Any]:
    """The metrics asked for; nothing where all are zero. Of those of one request, none is told where all are zero."""
    told: dict[str, Any] = {}
    for at in range(0, len(metrics), _PER_CALL):
        call = {name: numbers.get(name) for name in metrics[at : at + _PER_CALL]}
        told |= call if any(call.values()) else dict.fromkeys(call)
    return told if any(told.values()) else {}
