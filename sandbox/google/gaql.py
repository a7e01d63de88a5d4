"""The Google Ads Query Language, as far as reports need it: parsed, and refused where Google refuses it."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_CLAUSES = re.compile(
    r"\s*SELECT\s+(?P<fields>.+?)\s+FROM\s+(?P<resource>\w+)"
    r"(?:\s+WHERE\s+(?P<where>.+?))?(?:\s+ORDER\s+BY\s+(?P<order>.+?))?(?:\s+LIMIT\s+(?P<limit>\d+))?"
    r"(?:\s+PARAMETERS\s+(?P<parameters>.+?))?\s*",
    re.IGNORECASE | re.DOTALL,
)
_PATH = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
_VALUE = r"'[^']*'|\"[^\"]*\"|-?\d+(?:\.\d+)?|[A-Za-z_]+"
_CONDITION = re.compile(
    rf"(?P<field>[\w.]+)\s*(?:BETWEEN\s+(?P<low>{_VALUE})\s+AND\s+(?P<high>{_VALUE})"
    rf"|(?P<not>NOT\s+)?IN\s*\((?P<list>[^)]*)\)|(?P<op>!=|>=|<=|=|<|>)\s*(?P<value>{_VALUE}))",
    re.IGNORECASE,
)
_AND = re.compile(r"\s+AND\s+", re.IGNORECASE)

ATTRIBUTED = {
    "customer_client": ("customer_client", "customer"),
    "customer": ("customer", "metrics", "segments"),
    "campaign": ("campaign", "campaign_budget", "bidding_strategy", "customer", "metrics", "segments"),
    "campaign_budget": ("campaign_budget", "customer"),
    "ad_group": ("ad_group", "campaign", "customer", "metrics", "segments"),
    "ad_group_ad": ("ad_group_ad", "ad_group", "campaign", "customer", "metrics", "segments"),
    "ad_group_criterion": ("ad_group_criterion", "ad_group", "campaign", "customer"),
    "keyword_view": ("keyword_view", "ad_group_criterion", "ad_group", "campaign", "customer", "metrics", "segments"),
    "search_term_view": ("search_term_view", "ad_group", "campaign", "customer", "metrics", "segments"),
}
"""The resources whose fields a query may select with each resource in FROM."""

_ONLY_FOR = {
    "metrics.search_impression_share": ("customer", "campaign", "ad_group", "keyword_view"),
    "metrics.search_rank_lost_impression_share": ("customer", "campaign", "ad_group", "keyword_view"),
    "metrics.search_top_impression_share": ("campaign", "ad_group", "keyword_view"),
    "metrics.search_budget_lost_impression_share": ("customer", "campaign"),
    "metrics.historical_quality_score": ("keyword_view",),
    "segments.search_term_match_type": ("search_term_view",),
}


class RefusedError(Exception):
    """A query that Google refuses with an error of `QueryErrorEnum.QueryError`."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True)
class Condition:
    """`field` must satisfy `holds`, which sees the value as text, number or None."""

    field: str
    holds: Callable[[Any], bool]


@dataclass(frozen=True)
class Parsed:
    """A query that may be answered. `first` and `last` are the days asked for, where days are."""

    paths: tuple[str, ...]
    resource: str
    conditions: tuple[Condition, ...]
    first: dt.date | None
    last: dt.date | None
    limit: int | None

    @property
    def asks_metrics(self) -> bool:
        return any(path.startswith("metrics.") for path in self.paths)


def parsed(text: str, exists: Callable[[str], bool]) -> Parsed:
    """Parse and validate; `exists` knows the fields of this API version. Raises RefusedError."""
    found = _CLAUSES.fullmatch(text)
    if found is None:
        raise RefusedError("UNEXPECTED_INPUT", "Error in query: unexpected input.")
    resource = found["resource"].lower()
    if resource not in ATTRIBUTED:
        raise RefusedError("BAD_RESOURCE_TYPE_IN_FROM_CLAUSE", f"'{resource}' is not a valid resource name.")
    paths = tuple(path.strip() for path in found["fields"].split(","))
    pieces = _conditions(found["where"])
    for path in (*paths, *(piece["field"] for piece in pieces)):
        _check(path, resource, exists)
    first, last = _days(pieces)
    if "segments.date" in paths and (first is None or last is None):
        raise RefusedError(
            "EXPECTED_FILTERS_ON_DATE_RANGE",
            "The WHERE clause must contain a finite date range when segments.date is selected.",
        )
    others = tuple(_condition(piece) for piece in pieces if piece["field"] != "segments.date")
    return Parsed(paths, resource, others, first, last, int(found["limit"]) if found["limit"] else None)


def _check(path: str, resource: str, exists: Callable[[str], bool]) -> None:
    if not _PATH.fullmatch(path) or not exists(path):
        raise RefusedError("UNRECOGNIZED_FIELD", f"Unrecognized field in the query: '{path}'.")
    top = path.split(".", maxsplit=1)[0]
    if top not in ATTRIBUTED[resource]:
        if top == "metrics":
            raise RefusedError(
                "PROHIBITED_METRIC_IN_SELECT_OR_WHERE_CLAUSE",
                f"Cannot select or filter on the following metrics: '{path}', for resource '{resource}'.",
            )
        raise RefusedError(
            "PROHIBITED_RESOURCE_TYPE_IN_SELECT_CLAUSE",
            f"'{top}' is not compatible with the resource '{resource}' in the FROM clause.",
        )
    if resource not in _ONLY_FOR.get(path, (resource,)):
        raise RefusedError(
            "PROHIBITED_FIELD_COMBINATION_IN_SELECT_CLAUSE",
            f"Cannot select the following field: '{path}', with the resource '{resource}'.",
        )


def _conditions(where: str | None) -> list[re.Match[str]]:
    pieces: list[re.Match[str]] = []
    at, text = 0, (where or "").strip()
    while at < len(text):
        if pieces:
            link = _AND.match(text, at)
            if link is None:
                raise RefusedError("EXPECTED_AND", "Error in query: expected AND.")
            at = link.end()
        piece = _CONDITION.match(text, at)
        if piece is None:
            raise RefusedError("BAD_OPERATOR", "Error in query: a condition is not understood.")
        pieces.append(piece)
        at = piece.end()
    return pieces


def _days(pieces: list[re.Match[str]]) -> tuple[dt.date | None, dt.date | None]:
    first = last = None
    for piece in pieces:
        if piece["field"] != "segments.date":
            continue
        if piece["low"]:
            first, last = _day(piece["low"]), _day(piece["high"])
        elif piece["op"] == "=":
            first = last = _day(piece["value"])
        elif piece["op"] == ">=":
            first = _day(piece["value"])
        elif piece["op"] == "<=":
            last = _day(piece["value"])
        else:
            raise RefusedError("BAD_OPERATOR", "Invalid operator for segments.date.")
    return first, last


def _day(text: str) -> dt.date:
    try:
        return dt.date.fromisoformat(text.strip("'\""))
    except ValueError:
        raise RefusedError("INVALID_DATE_FORMAT", f"Invalid date literal supplied for filter: {text}.") from None


def _condition(piece: re.Match[str]) -> Condition:
    if piece["low"]:
        low, high = _literal(piece["low"]), _literal(piece["high"])
        return Condition(piece["field"], lambda value: value is not None and low <= value <= high)
    if piece["list"] is not None:
        listed = [_literal(each.strip()) for each in piece["list"].split(",")]
        wanted = not piece["not"]
        return Condition(piece["field"], lambda value: (value in listed) is wanted)
    given = _literal(piece["value"])
    compare: dict[str, Callable[[Any], bool]] = {
        "=": lambda value: value == given,
        "!=": lambda value: value != given,
        ">": lambda value: value is not None and value > given,
        ">=": lambda value: value is not None and value >= given,
        "<": lambda value: value is not None and value < given,
        "<=": lambda value: value is not None and value <= given,
    }
    return Condition(piece["field"], compare[piece["op"]])


def _literal(text: str) -> Any:
    if text[:1] in "'\"":
        return text[1:-1]
    if text.upper() in ("TRUE", "FALSE"):
        return text.upper() == "TRUE"
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return float(text)
    except ValueError:
        return text
