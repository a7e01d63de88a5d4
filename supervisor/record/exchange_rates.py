"""Exchange rates as people give them: a CSV file with the columns date, from, to and rate, read whole or not at all."""

from __future__ import annotations

import csv
import datetime as dt
import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path

from attrs import frozen

from supervisor.config.errors import ConfigError
from supervisor.config.units import shown

COLUMNS = ("date", "from", "to", "rate")
DIGITS, FRACTION = 19, 12
"""Digits of a rate, and those after the point: so many that a rate times an amount of 19 digits is still exact."""
MOST_FINDINGS = 100
_CURRENCY = re.compile(r"[A-Z]{3}")
_RATE = re.compile(rf"\d{{1,{DIGITS - FRACTION}}}(\.\d{{1,{FRACTION}}})?")

Key = tuple[dt.date, str, str]


@frozen
class Rate:
    """What one unit of a currency is worth in another on a day. Currencies are ISO 4217 codes."""

    day: dt.date
    origin: str
    target: str
    rate: Decimal

    @property
    def key(self) -> Key:
        return self.day, self.origin, self.target


def read_rates(path: Path) -> tuple[Rate, ...]:
    """The rates of a file; raises ConfigError with everything that is wrong with it, by line."""
    findings: list[str] = []
    rates: dict[Key, tuple[int, Rate]] = {}
    for line, found in _lines(path):
        if isinstance(found, str):
            findings.append(f"{path}:{line}: {found}")
            continue
        first, known = rates.setdefault(found.key, (line, found))
        if known is not found:
            findings.append(f"{path}:{line}: line {first} has the rate of {found.origin} in {found.target} on that day")
    if not rates and not findings:
        findings.append(f"{path}: holds no rate")
    if len(findings) > MOST_FINDINGS:
        findings[MOST_FINDINGS:] = [f"{path}: {len(findings) - MOST_FINDINGS:,} more lines are wrong"]
    if findings:
        raise ConfigError(findings)
    return tuple(rate for _, rate in rates.values())


def _lines(path: Path) -> Iterator[tuple[int, Rate | str]]:
    """The number of each line, and the rate in it or what is wrong."""
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            reader = csv.DictReader(file)
            names = [name.strip().lower() for name in reader.fieldnames or ()]
            if sorted(names) != sorted(COLUMNS):
                yield 1, f"expected the columns {', '.join(COLUMNS)}, got {', '.join(names) or 'nothing'}"
                return
            reader.fieldnames = names
            for row in reader:
                yield reader.line_num, _rate(row)
    except (OSError, UnicodeDecodeError, csv.Error) as cause:
        raise ConfigError(f"{path} cannot be read: {getattr(cause, 'strerror', None) or cause}") from cause


def _rate(row: Mapping[str | None, str | list[str] | None]) -> Rate | str:
    values = {name: str(row.get(name) or "").strip() for name in COLUMNS}
    wrong = []
    if None in row:
        wrong.append("more than four values")
    try:
        day = dt.date.fromisoformat(values["date"])
    except ValueError:
        wrong.append(f"date: expected a day like 2026-01-31, got {shown(values['date'])}")
    wrong += [
        f"{name}: expected a currency like EUR, got {shown(values[name])}"
        for name in ("from", "to")
        if not _CURRENCY.fullmatch(values[name])
    ]
    if not wrong and values["from"] == values["to"]:
        wrong.append(f"from and to are both {values['from']}")
    text = values["rate"]
    if not _RATE.fullmatch(text) or not Decimal(text):
        wrong.append(
            f"rate: expected a number above zero, at most {DIGITS - FRACTION} digits before the point and {FRACTION} "
            f"after it, got {shown(text)}"
        )
    return "; ".join(wrong) if wrong else Rate(day, values["from"], values["to"], Decimal(text))
