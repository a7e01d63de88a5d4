"""What was spent per platform, currency and day."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

from attrs import frozen


@frozen
class DailySpend:
    """The spend of all accounts of one platform and currency on a day; `final` if the day was over in all of them."""

    platform: str
    currency: str
    day: dt.date
    amount: Decimal
    final: bool = True
