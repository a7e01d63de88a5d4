"""What one measurement found, in the form that the table shows."""

from __future__ import annotations

from attrs import frozen


@frozen(kw_only=True)
class Result:
    """One row of the table. Memory and CPU are of the one process that `what` is about, without its children."""

    name: str
    what: str
    figure: str
    aim: str = ""
    peak_bytes: int
    cpu_seconds: float
    note: str = ""
    rows_per_second: float | None = None


def per_second(rows: int, seconds: float) -> str:
    return f"{rows / seconds:,.0f} rows/s"
