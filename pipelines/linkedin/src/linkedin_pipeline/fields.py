"""One column and where it comes from: a dotted path into an API element, and the conversion of what stands there."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable, Mapping
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any

from msgspec import Struct

from wire import Column, Kind, PipelineError, Type, plain

LOCAL = "money in the account's currency"

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_PLAIN = re.compile(r"-?[0-9]+(\.[0-9]{1,18})?")
_FINEST = Decimal(1).scaleb(-18)
_WIDE = Context(prec=60)


class Field(Struct, frozen=True):
    """A column of a table, its source in the API's answer and the conversion; an absent source gives None."""

    name: str
    source: str
    type: Type
    convert: Callable[[Any], Any]
    note: str = ""

    @property
    def column(self) -> Column:
        return Column(self.name, self.type, self.note)

    def value(self, element: Mapping[str, Any]) -> Any:
        found: Any = element
        for key in self.source.split("."):
            found = found.get(key) if isinstance(found, Mapping) else None
            if found is None:
                return None
        return self.converted(found)

    def converted(self, found: Any) -> Any:
        """What was found as the column wants it; raises PipelineError (data) for what does not fit."""
        try:
            return self.convert(found)
        except (ValueError, TypeError, ArithmeticError) as cause:
            raise PipelineError(
                Kind.DATA, f"{self.source}: {str(found)[:60]!r} is no value for the column {self.name} ({self.type})"
            ) from cause


def text(name: str, source: str, note: str = "") -> Field:
    return Field(name, source, Type.STRING, as_text, note)


def identifier(name: str, source: str, note: str = "") -> Field:
    """An id, which some resources spell as a number and others as a URN."""
    return Field(name, source, Type.STRING, last_of_urn, note)


def amount(name: str, source: str, note: str = "") -> Field:
    """Money. LinkedIn sends decimal strings."""
    return Field(name, source, Type.DECIMAL, exact, note)


def whole(name: str, source: str, note: str = "") -> Field:
    return Field(name, source, Type.INTEGER, integral, note)


def number(name: str, source: str, note: str = "") -> Field:
    return Field(name, source, Type.NUMBER, float, note)


def flag(name: str, source: str, note: str = "") -> Field:
    return Field(name, source, Type.BOOLEAN, boolean, note)


def moment(name: str, source: str, note: str = "") -> Field:
    """An instant, which LinkedIn gives in milliseconds since 1970."""
    return Field(name, source, Type.DATETIME, instant, note)


def structure(name: str, source: str, note: str = "") -> Field:
    return Field(name, source, Type.JSON, as_json, note)


MAKERS: dict[Type, Callable[[str, str, str], Field]] = {
    Type.INTEGER: whole,
    Type.DECIMAL: amount,
    Type.NUMBER: number,
}
"""What makes a field of each type that a metric can have."""


def as_text(value: object) -> str:
    """A text as it came; raises TypeError for a structure, of which str() would make a text."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool) or not isinstance(value, int | Decimal):
        raise TypeError(value)
    return str(value)


def last_of_urn(value: object) -> str:
    """`urn:li:sponsoredCreative:123` or 123 as `123`; raises TypeError or ValueError for what is no id."""
    found = as_text(value).rsplit(":", 1)[-1]
    if not found:
        raise ValueError(value)
    return found


def exact(value: str | int | Decimal) -> str:
    """A plain decimal, never through a float; rounded to the 18 digits after the point that sinks hold."""
    if isinstance(value, str) and _PLAIN.fullmatch(value):
        return value
    decimal = Decimal(value)
    exponent = decimal.as_tuple().exponent
    if not isinstance(exponent, int):
        raise ValueError(value)  # NaN or infinite
    if exponent < -18:
        decimal = decimal.quantize(_FINEST, ROUND_HALF_EVEN, _WIDE)
    return plain(decimal)


def integral(value: int | str | Decimal) -> int:
    """A count; raises ValueError for a fraction, which int() would cut off."""
    if type(value) is int:
        return value
    decimal = Decimal(value)
    if decimal != decimal.to_integral_value():
        raise ValueError(value)
    return int(decimal)


def boolean(value: object) -> bool:
    """True or false; raises TypeError for anything else, of which bool() would make true."""
    if not isinstance(value, bool):
        raise TypeError(value)
    return value


def instant(milliseconds: int) -> str:
    return (_EPOCH + dt.timedelta(milliseconds=int(milliseconds))).isoformat()


def day(value: Mapping[str, int]) -> str:
    """`{"year": 2026, "month": 1, "day": 31}` as `2026-01-31`."""
    return dt.date(value["year"], value["month"], value["day"]).isoformat()


def as_json(value: Any) -> Any:
    """A structure as it came: its fractions, which were read as decimals, are JSON numbers again and not strings."""
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, dict):
        return {key: as_json(each) for key, each in value.items()}
    return [as_json(each) for each in value] if isinstance(value, list) else value
