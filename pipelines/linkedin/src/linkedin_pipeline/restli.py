"""Rest.li 2.0 query strings: structure stays bare, `List(...)` and `(key:value)`, scalars are percent-encoded.

Built by hand because `requests` encodes what it gets as `params` once more: `List(urn%3A...)` would leave as
`List%28urn%253A...%29`. A query inside the URL it leaves alone.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from urllib.parse import quote

from msgspec import Struct

Value = str | int | bool | dt.date | list["Value"] | dict[str, "Value"]


class Projection(Struct, frozen=True):
    """The `fields` parameter: names with bare commas between them, which is no Rest.li value."""

    names: tuple[str, ...]


def encoded(value: Value) -> str:
    """One value; a date becomes `(year:2026,month:1,day:31)`."""
    if isinstance(value, dict):
        return "(" + ",".join(f"{quote(key, safe='')}:{encoded(each)}" for key, each in value.items()) + ")"
    if isinstance(value, list):
        return "List(" + ",".join(encoded(each) for each in value) + ")"
    if isinstance(value, dt.date):
        return f"(year:{value.year},month:{value.month},day:{value.day})"
    if isinstance(value, bool):
        return "true" if value else "false"
    # An empty string is written as two quotes, else the parser on the other side sees a missing value.
    return quote(str(value), safe="") or "''"


def query(parameters: Mapping[str, Value | Projection]) -> str:
    """The query string of a request, without the question mark."""
    return "&".join(
        f"{name}={','.join(value.names) if isinstance(value, Projection) else encoded(value)}"
        for name, value in parameters.items()
    )


def urn(kind: str, number: str) -> str:
    """`urn:li:sponsoredCampaign:123`, as facets want it."""
    return f"urn:li:{kind}:{number}"
