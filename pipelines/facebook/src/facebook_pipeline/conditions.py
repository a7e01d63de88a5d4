"""The conditions of a report, as `FIELD OPERATOR VALUE` in the words of Meta's `filtering`, whose value is JSON.

A condition becomes one JSON object, so whatever stands in its value stays a value.
"""

from __future__ import annotations

import json
import re
from collections.abc import Collection
from typing import Any

from facebook_pipeline.catalog import HOUR, Catalog
from wire import did_you_mean

_PARTS = re.compile(r"\s*(\S+)\s+(\S+)\s+(\S.*?)\s*")
_OBJECTS = ("campaign", "adset", "ad")
_WORD = re.compile(r"[a-z][a-z_]*")
_EXAMPLES = """write FIELD OPERATOR VALUE, as in 'campaign.name CONTAIN "summer"' or 'impressions GREATER_THAN 0'"""


def condition(text: str, known: Catalog, by: Collection[str]) -> dict[str, Any] | str:
    """What `filtering` takes, or what is wrong as a sentence; `by` are the breakdowns that can be named, too."""
    parts = _PARTS.fullmatch(text)
    if parts is None:
        return f"{text!r} is no condition; {_EXAMPLES}"
    field, operator, told = parts.groups()
    if wrong := _wrong_field(field, known, by):
        return wrong
    if operator not in known.operators:
        return f"there is no operator {operator!r}; {did_you_mean(operator, known.operators)}"
    try:
        value = json.loads(told, parse_constant=_no_number)
    except ValueError:
        return f"{told} is no JSON value; a text has double quotes around it, a list square brackets"
    expected = "a list" if operator in known.operators_of_lists else "a text or a number"
    fits = isinstance(value, list) if operator in known.operators_of_lists else _is_single(value)
    if not fits or (isinstance(value, list) and not (value and all(map(_is_single, value)))):
        return f"{operator} takes {expected}, got {told}"
    return {"field": field, "operator": operator, "value": value}


def _wrong_field(field: str, known: Catalog, by: Collection[str]) -> str:
    level, point, name = field.partition(".")
    if point:
        right = level in _OBJECTS and _WORD.fullmatch(name)
        return "" if right else f"there is no field {field!r}; what belongs to a campaign is named like campaign.name"
    names = [each.name for each in known.fields if each.role == "metrics" and not (each.is_list or each.reads)]
    if field in by or field in names:
        return ""
    level, _, name = field.partition("_")
    if level in _OBJECTS and name:
        return f"Facebook takes {level}.{name} instead of {field}"
    if field == "action_type":
        return "a condition on action_type empties every other column; choose among the rows of the list instead"
    if field in known.breakdown and field != HOUR:
        return f"{field!r} is a breakdown that the report does not have; put it under by"
    return f"there is no condition on {field!r}; {did_you_mean(field, [*names, *by])}"


def _is_single(value: object) -> bool:
    return isinstance(value, str | int | float) and not isinstance(value, bool)


def _no_number(text: str) -> float:
    raise ValueError(text)
