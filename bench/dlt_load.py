"""The same rows loaded by dlt, in its own environment: `python -m bench.dlt_load DATABASE ROWS WINDOW rows|columns`.

Arrow tables are the fastest way into dlt. They are made of the same Python rows that our pipeline sends, as an API's
client hands them over, or, sparing dlt that work, of columns that never were rows. Either way it happens in the process
that loads: nothing is sent through a pipe, and nothing is checked.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

import dlt  # type: ignore[import-not-found]  # lives in the environment of this peer only
import pyarrow as pa  # type: ignore[import-not-found]  # the same

from bench import rows as made

_RAW = {"integer": pa.int64(), "number": pa.float64()}
_FINAL = {"date": pa.date32(), "decimal": pa.decimal128(38, 18), "datetime": pa.timestamp("us", tz="UTC")}
_ARRIVING = pa.schema([(name, _RAW.get(kind, pa.string())) for name, kind in made.COLUMNS.items()])
_STORED = pa.schema([(name, (_RAW | _FINAL).get(kind, pa.string())) for name, kind in made.COLUMNS.items()])


def from_rows(count: int, window: int) -> Iterator[Any]:
    for number in range(count // window):
        yield pa.Table.from_pylist(list(made.window_rows(number, window)), schema=_ARRIVING).cast(_STORED)


def from_columns(count: int, window: int) -> Iterator[Any]:
    numbers = range(window)
    for number in range(count // window):
        columns = {
            "account_id": [made.ACCOUNT] * window,
            "campaign_id": [str(n) for n in numbers],
            "campaign_name": [made.NAMES[n % 1000] for n in numbers],
            "date": [made.day_of(number).isoformat()] * window,
            "currency": ["EUR"] * window,
            "device": ["MOBILE"] * window,
            "network": ["SEARCH"] * window,
            "impressions": list(numbers),
            "clicks": [n % 97 for n in numbers],
            "cost": [made.COSTS[n % 1000] for n in numbers],
            "conversions": [n % 8 / 4 for n in numbers],
            "conversion_value": [n % 1000 / 8 for n in numbers],
            "video_views": [0] * window,
            "status": ["ENABLED"] * window,
            "updated_at": ["2026-11-20T10:00:00Z"] * window,
        }
        yield pa.table(columns, schema=_ARRIVING).cast(_STORED)


def main() -> None:
    database, count, window = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    tables = {"rows": from_rows, "columns": from_columns}[sys.argv[4]]
    pipeline = dlt.pipeline("bench", destination=dlt.destinations.duckdb(database), dataset_name="peer")
    resource = dlt.resource(tables(count, window), name=made.STREAM)
    pipeline.run(resource, write_disposition="append")


if __name__ == "__main__":
    main()
