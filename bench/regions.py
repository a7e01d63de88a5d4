"""The pipeline of the agency: `python regions.py --accounts 800` sends 31 days of six tables of every account."""

from __future__ import annotations

import argparse
import datetime as dt
from collections.abc import Iterator
from typing import Any

FIRST_DAY, DAYS = dt.date(2026, 10, 21), 31
TABLES = tuple(f"level_{n}_daily" for n in range(6))


def account_rows(account: str, table: int) -> Iterator[dict[str, Any]]:
    """One row a day."""
    for day in range(DAYS):
        yield {
            "account_id": account,
            "campaign_id": f"{account}{table}",
            "date": (FIRST_DAY + dt.timedelta(days=day)).isoformat(),
            "clicks": day * 7 + table,
            "cost": f"{day}.{int(account) % 1000:03}",
        }


# What `expected` states, as a query.
CHECK = "SELECT count(*), count(DISTINCT (account_id, date)), sum(clicks) FROM {table}"


def expected(accounts: int, table: int) -> tuple[int, int, int]:
    """What `CHECK` must answer of one table."""
    rows = accounts * DAYS
    return rows, rows, accounts * sum(day * 7 + table for day in range(DAYS))


def main() -> None:
    from wire import Column, Table, Type, Window, run_pipeline  # noqa: PLC0415 - who reads the numbers needs no wire

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--accounts", type=int, required=True)
    given, rest = parser.parse_known_args()
    columns = (
        Column("account_id", Type.STRING),
        Column("campaign_id", Type.STRING),
        Column("date", Type.DATE),
        Column("clicks", Type.INTEGER),
        Column("cost", Type.DECIMAL),
    )
    tables = tuple(Table(name, columns, ("account_id", "campaign_id", "date"), "date") for name in TABLES)
    window = Window(FIRST_DAY, FIRST_DAY + dt.timedelta(days=DAYS - 1))

    def extract(_invocation: Any, extraction: Any) -> None:
        for account in filter(lambda each: extraction.has(str(each)), range(given.accounts)):
            for number, table in enumerate(tables):
                rows = account_rows(str(account), number)
                extraction.replace_window(table.name, str(account), window, rows, today=dt.date(2026, 11, 21))

    import sys  # noqa: PLC0415 - as above

    sys.argv[1:] = rest
    sys.exit(run_pipeline("agency", tables, extract))


if __name__ == "__main__":
    main()
