"""`ads.exchange_rates`, and the amounts of the views in one currency: null, never wrong, where a rate is missing."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import Protocol, runtime_checkable

from supervisor.record.exchange_rates import DIGITS, FRACTION, Rate

TABLE = "ads.exchange_rates"
_RATE = f"DECIMAL({DIGITS},{FRACTION})"
DEFINITION = (
    f'CREATE TABLE IF NOT EXISTS {TABLE} ("date" DATE, from_currency VARCHAR(3), to_currency VARCHAR(3), rate {_RATE})'
)
_AMOUNT, _TOO_MUCH = "DECIMAL(19,6)", 10**13
"""Of amounts to be multiplied: with the digits of a rate the product is a DECIMAL(38,18)."""
_AT_ONCE = 200


@runtime_checkable
class KeepsRates(Protocol):
    """A sink that can keep exchange rates."""

    def put_rates(self, rates: Collection[Rate]) -> None:
        """Keep them in one transaction, each in place of the one of that day and pair; raises SinkError."""


def statements(rates: Collection[Rate]) -> Iterator[str]:
    """What replaces the stored rates of these days and pairs; to be carried out in one transaction."""
    pairs: dict[tuple[str, str], list[Rate]] = {}
    for rate in rates:
        pairs.setdefault((rate.origin, rate.target), []).append(rate)
    for (origin, target), some in pairs.items():
        for first in range(0, len(some), _AT_ONCE):
            part = some[first : first + _AT_ONCE]
            days = ", ".join(f"DATE '{rate.day}'" for rate in part)
            yield (
                f"DELETE FROM {TABLE} WHERE from_currency = '{origin}' AND to_currency = '{target}' "
                f'AND "date" IN ({days})'
            )
            rows = " UNION ALL ".join(
                f"SELECT DATE '{rate.day}', '{origin}', '{target}', CAST('{rate.rate:f}' AS {_RATE})" for rate in part
            )
            yield f"INSERT INTO {TABLE} {rows}"


def in_reporting_currency(query: str, currency: str, amounts: Collection[str]) -> str:
    """A view over all platforms with its amounts in one currency beside the account's own."""
    rate = f"CASE WHEN v.account_currency = '{currency}' THEN CAST(1 AS {_RATE}) ELSE x.rate END"
    chosen = ", ".join(
        f"CASE WHEN abs(v.{name}) < {_TOO_MUCH} THEN CAST(CAST(v.{name} AS {_AMOUNT}) * {rate} AS DECIMAL(38,18)) END "
        f"AS {name}_in_reporting_currency"
        for name in amounts
    )
    return (
        f"SELECT v.*, '{currency}' AS reporting_currency, {chosen} FROM (\n{query}\n) v LEFT JOIN {TABLE} x "
        f"ON x.\"date\" = v.date AND x.from_currency = v.account_currency AND x.to_currency = '{currency}'"
    )
