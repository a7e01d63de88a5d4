"""What came of holding a platform's control totals against the level below: how many days differ, and by how much."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal

from attrs import frozen

METRICS = ("impressions", "clicks", "spend")


@frozen(kw_only=True)
class Difference:
    """An account's day on which its campaigns do not add up to it, beyond rounding; amounts by metric.

    Spend is in account currency. `what` was summed, where that was not the campaigns.
    """

    account_id: str
    day: dt.date
    account: Mapping[str, Decimal]
    campaigns: Mapping[str, Decimal]
    what: str = "campaigns"

    def ratio(self, metric: str) -> float:
        """The difference as a part of the account's number: 0.25 where a quarter is missing, or is too much.

        1 where the account says zero and the campaigns do not.
        """
        told, summed = self.account[metric], self.campaigns[metric]
        if told == summed:
            return 0.0
        return float(abs(summed - told) / abs(told)) if told else 1.0

    @property
    def sides(self) -> tuple[str, ...]:
        """Each metric as a cell of a table: `99 of 100` where the campaigns and the account differ, else the number."""
        pairs = ((plain(self.campaigns[metric]), plain(self.account[metric])) for metric in METRICS)
        return tuple(told if mine == told else f"{mine} of {told}" for mine, told in pairs)

    def __str__(self) -> str:
        parts = [
            f"{plain(self.campaigns[metric])} of {plain(self.account[metric])} {metric}"
            for metric in METRICS
            if self.account[metric] != self.campaigns[metric]
        ]
        return f"account {self.account_id} on {self.day}, whose {self.what} have {', '.join(parts)}"


@frozen(kw_only=True)
class Reconciliation:
    """A platform's days that a run has loaded, or that were asked for. An account's day counts once.

    `differences` are the days that do not add up, the greatest first, perhaps not all of the `differing` ones.
    `reports` are those of one's own that must add up to the account, too, by name.
    """

    compared: int
    differing: int = 0
    differences: tuple[Difference, ...] = ()
    reports: Mapping[str, Reconciliation] = {}

    def worst_ratio(self, metric: str) -> float:
        """The largest `Difference.ratio` of a metric; 0 where all days add up."""
        return max((each.ratio(metric) for each in self.differences), default=0.0)

    @property
    def sentence(self) -> str:
        """What does not add up, in one line; empty where everything does."""
        if not self.differing:
            return ""
        one = self.differing == 1
        return (
            f"{self.differing:,} of {self.compared:,} days of accounts {'does' if one else 'do'} not add up to the "
            f"account's own total{'' if one else ', most of all'}: {self.differences[0]}"
        )


@frozen(kw_only=True)
class LevelShare:
    """A level below the campaigns: `ratio` is its part of the accounts' impressions, None where they have none.

    `name` is the platform's own. `differing` days have not the account's impressions and clicks; `lacks` says what the
    level has no rows of by its nature, and is None where it must add up.
    """

    level: str
    name: str
    ratio: float | None
    differing: int
    lacks: str | None = None

    @property
    def is_wrong(self) -> bool:
        return self.lacks is None and self.differing > 0


def plain(amount: Decimal) -> str:
    """A number as people write it, without the zeros that a fixed scale adds: `1,234.5`."""
    text = f"{amount:,f}"
    return text.rstrip("0").rstrip(".") if "." in text else text
