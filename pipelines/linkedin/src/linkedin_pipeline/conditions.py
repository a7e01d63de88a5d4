"""The conditions of a report: `campaignType = 'TEXT_AD'`, `campaigns IN (123, 456)`, in LinkedIn's names of facets.

A value is checked to be a word that LinkedIn knows or an id, and is encoded like every value of a request, so that
nothing in it can reach another parameter.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from linkedin_pipeline.catalog import KnownFilter, spelling
from linkedin_pipeline.report_table import Filter
from wire import did_you_mean

_CONDITION = re.compile(r"\s*(?P<name>\w+)\s*(?:=\s*(?P<one>[^,()]+?)|\bIN\s*\((?P<more>[^()]*)\))\s*", re.IGNORECASE)
_QUOTED = re.compile(r"""(?P<quote>['"])(?P<text>.*)(?P=quote)""")


class ConditionError(ValueError):
    """Why a condition cannot be used, as a sentence."""


def read_condition(text: str, known: Mapping[str, KnownFilter]) -> Filter:
    """The facet that a condition asks for; raises ConditionError."""
    found = _CONDITION.fullmatch(text)
    if not found:
        raise ConditionError(
            f"expected a condition like `campaignType = 'TEXT_AD'` or `campaigns IN (123, 456)`: {text!r}"
        )
    name = {spelling(each): each for each in known}.get(spelling(found["name"]))
    if name is None:
        raise ConditionError(f"adAnalytics has no facet {found['name']!r}; {did_you_mean(found['name'], known)}")
    values = list(_values(found["one"] or found["more"]))
    if not all(values):
        raise ConditionError(f"a value is missing: {text!r}")
    if words := known[name].words:
        if len(values) > 1:
            raise ConditionError(f"LinkedIn takes one {name} at a time, and these are {len(values)}")
        if values[0].upper() not in words:
            raise ConditionError(f"{values[0]!r} is no {name}; {did_you_mean(values[0], words)}")
        return Filter(name, {"value": values[0].upper()})
    return Filter(name, [_urn(each, name, known[name].urn) for each in dict.fromkeys(values)])


def _values(text: str) -> Iterator[str]:
    for each in text.split(","):
        quoted = _QUOTED.fullmatch(each.strip())
        yield quoted["text"] if quoted else each.strip()


def _urn(value: str, name: str, kind: str) -> str:
    number = value.removeprefix(f"urn:li:{kind}:")
    if not (number.isascii() and number.isdigit()):
        raise ConditionError(f"{value!r} is none of {name}, whose ids are numbers such as 123 or urn:li:{kind}:123")
    return f"urn:li:{kind}:{number}"
