"""The rows that are loaded, and the pipeline that sends them: `python rows.py --rows 1000000 --window 50000`.

Fifteen columns as an ad platform's daily report has them. Every value follows from the row's number, so that what a
database holds afterwards can be compared with what must be there.
"""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

FIRST_DAY = dt.date(2026, 1, 1)
ACCOUNT = "1234567890"
UPDATED_MICROS = int(dt.datetime(2026, 11, 20, 10, tzinfo=dt.UTC).timestamp()) * 1_000_000
STREAM = "campaign_daily"
COLUMNS = {
    "account_id": "string",
    "campaign_id": "string",
    "campaign_name": "string",
    "date": "date",
    "currency": "string",
    "device": "string",
    "network": "string",
    "impressions": "integer",
    "clicks": "integer",
    "cost": "decimal",
    "conversions": "number",
    "conversion_value": "number",
    "video_views": "integer",
    "status": "string",
    "updated_at": "datetime",
}
_PERIOD = 1000
COSTS = tuple(f"{n * 7919 % 500}.{n * 104_729 % 1_000_000:06}" for n in range(_PERIOD))
NAMES = tuple(f"Brand | Search | DE | {n}" for n in range(_PERIOD))


def day_of(window: int) -> dt.date:
    return FIRST_DAY + dt.timedelta(days=window)


def window_rows(window: int, count: int) -> Iterator[dict[str, Any]]:
    """The rows of one day: row `n` is campaign `n`."""
    day = day_of(window).isoformat()
    for n in range(count):
        yield {
            "account_id": ACCOUNT,
            "campaign_id": str(n),
            "campaign_name": NAMES[n % _PERIOD],
            "date": day,
            "currency": "EUR",
            "device": "MOBILE",
            "network": "SEARCH",
            "impressions": n,
            "clicks": n % 97,
            "cost": COSTS[n % _PERIOD],
            "conversions": n % 8 / 4,
            "conversion_value": n % 1000 / 8,
            "video_views": 0,
            "status": "ENABLED",
            "updated_at": "2026-11-20T10:00:00Z",
        }


# What `expected` states, as a query; `{table}` is the table that was loaded. Every sum is exact, the floats' too.
CHECK = """
    SELECT count(*), count(DISTINCT (campaign_id, date)), count(DISTINCT date), sum(impressions), sum(clicks),
           sum(cost), sum(conversions), sum(conversion_value), min(epoch_us(updated_at)), max(epoch_us(updated_at)),
           count(*) FILTER (account_id = '1234567890' AND currency = 'EUR' AND campaign_name LIKE 'Brand | Search | %')
    FROM {table}
"""


def expected(rows: int, window: int) -> tuple[Any, ...]:
    """What `CHECK` must answer after `rows` rows in windows of `window`."""
    days, numbers = rows // window, range(window)
    return (
        rows,
        rows,
        days,
        days * sum(numbers),
        days * sum(n % 97 for n in numbers),
        days * sum(Decimal(COSTS[n % _PERIOD]) for n in numbers),
        days * sum(n % 8 / 4 for n in numbers),
        days * sum(n % 1000 / 8 for n in numbers),
        UPDATED_MICROS,
        UPDATED_MICROS,
        rows,
    )


def send(rows: int, window: int) -> None:
    """Write the rows to standard output as the wire wants them, each window a region with its state."""
    from wire import Column, Replaces, Table, Type, open_channel  # noqa: PLC0415 - peers read this module without it

    columns = tuple(Column(name, Type(kind)) for name, kind in COLUMNS.items())
    channel = open_channel()
    channel.schema(Table(STREAM, columns, ("account_id", "campaign_id", "date"), "date"))
    for number in range(rows // window):
        day = day_of(number).isoformat()
        count = channel.records(STREAM, window_rows(number, window))
        region = Replaces(stream=STREAM, where={"account_id": ACCOUNT}, first=day, last=day, rows=count)
        channel.state({"complete_to": day}, region)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--window", type=int, default=50_000)
    given = parser.parse_args()
    send(given.rows, given.window)


if __name__ == "__main__":
    main()
