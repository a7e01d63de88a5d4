"""The Google Ads Query Language, as far as reports need it: parsed, and refused where Google refuses it."""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass

from sandbox.google.catalog import HIDES_REMOVED, OF_CONVERSIONS, ONLY_FOR, RESOURCES, WITH_CONVERSIONS, Catalog
from sandbox.google.conditions import Condition, RefusedError, condition, days, pieces

_CLAUSES = re.compile(
    r"\s*SELECT\s+(?P<fields>.+?)\s+FROM\s+(?P<resource>\w+)"
    r"(?:\s+WHERE\s+(?P<where>.+?))?(?:\s+ORDER\s+BY\s+(?P<order>.+?))?(?:\s+LIMIT\s+(?P<limit>\d+))?"
    r"(?:\s+PARAMETERS\s+(?P<parameters>.+?))?\s*;?\s*",
    re.IGNORECASE | re.DOTALL,
)
_PATH = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
_ORDERED = re.compile(r"(?P<field>[\w.]+)(?:\s+(?P<way>ASC|DESC))?", re.IGNORECASE)


@dataclass(frozen=True)
class Parsed:
    """A query that may be answered. `first` and `last` are the days asked for, where days are.

    `order` holds fields, and whether from the greatest down.
    """

    paths: tuple[str, ...]
    resource: str
    conditions: tuple[Condition, ...]
    first: dt.date | None
    last: dt.date | None
    limit: int | None
    order: tuple[tuple[str, bool], ...] = ()

    @property
    def metrics(self) -> tuple[str, ...]:
        return tuple(path for path in self.paths if path.startswith("metrics."))

    @property
    def segments(self) -> tuple[str, ...]:
        return tuple(path for path in self.paths if path.startswith("segments."))

    @property
    def asks_metrics(self) -> bool:
        named = (*self.paths, *(each.field for each in self.conditions))
        return any(path.startswith(("metrics.", "segments.")) for path in named)


def parsed(text: str, catalog: Catalog, today: dt.date) -> Parsed:
    """Parse and validate against a version's fields; `today` is the account's. Raises RefusedError."""
    found = _CLAUSES.fullmatch(text)
    if found is None:
        raise RefusedError("UNEXPECTED_INPUT", "Error in query: unexpected input.")
    resource = found["resource"].lower()
    if resource not in RESOURCES:
        raise RefusedError("BAD_RESOURCE_TYPE_IN_FROM_CLAUSE", f"'{resource}' is not a valid resource name.")
    paths = tuple(path.strip() for path in found["fields"].split(","))
    written = pieces(found["where"])
    order = _order(found["order"])
    for path in (*paths, *(piece["field"] for piece in written), *(path for path, _ in order)):
        _check(path, resource, catalog)
    _check_together((*paths, *(piece["field"] for piece in written)))
    span = days(written, today)
    if "segments.date" in paths and span is None:
        raise RefusedError(
            "EXPECTED_FILTERS_ON_DATE_RANGE",
            "The WHERE clause must contain a finite date range when segments.date is selected.",
        )
    conditions = [condition(piece) for piece in written if piece["field"] != "segments.date"]
    for each in conditions:
        _check_values(each, paths, catalog)
    first, last = span or (None, None)
    limit = int(found["limit"]) if found["limit"] else None
    return Parsed(paths, resource, (*conditions, *_unsaid(resource, conditions)), first, last, limit, order)


def _order(text: str | None) -> tuple[tuple[str, bool], ...]:
    out = []
    for each in (text or "").split(",") if text else ():
        found = _ORDERED.fullmatch(each.strip())
        if found is None:
            raise RefusedError("UNEXPECTED_INPUT", "Error in query: unexpected input in ORDER BY.")
        out.append((found["field"], (found["way"] or "").upper() == "DESC"))
    return tuple(out)


def _check(path: str, resource: str, catalog: Catalog) -> None:
    if not _PATH.fullmatch(path) or catalog.field(path) is None:
        raise RefusedError("UNRECOGNIZED_FIELD", f"Unrecognized field in the query: '{path}'.")
    top = path.split(".", maxsplit=1)[0]
    goes = resource in ONLY_FOR.get(path, (resource,))
    if top not in RESOURCES[resource] or (top == "segments" and not goes):
        if top == "metrics":
            raise RefusedError(
                "PROHIBITED_METRIC_IN_SELECT_OR_WHERE_CLAUSE",
                f"Cannot select or filter on the following metrics: '{path}', for resource '{resource}'.",
            )
        if top == "segments":
            raise RefusedError(
                "PROHIBITED_SEGMENT_IN_SELECT_OR_WHERE_CLAUSE",
                f"Cannot select or filter on the following segments: '{path}', for resource '{resource}'.",
            )
        raise RefusedError(
            "PROHIBITED_RESOURCE_TYPE_IN_SELECT_CLAUSE",
            f"'{top}' is not compatible with the resource '{resource}' in the FROM clause.",
        )
    if not goes:
        raise RefusedError(
            "PROHIBITED_FIELD_COMBINATION_IN_SELECT_CLAUSE",
            f"Cannot select the following field: '{path}', with the resource '{resource}'.",
        )


def _check_together(paths: tuple[str, ...]) -> None:
    """Refuse metrics that are not divided by conversions beside a segment that is of them, and shares of an hour."""
    segments = {path.removeprefix("segments.") for path in paths if path.startswith("segments.")}
    metrics = [path.removeprefix("metrics.") for path in paths if path.startswith("metrics.")]
    wrong = [each for each in metrics if each not in WITH_CONVERSIONS] if segments & set(OF_CONVERSIONS) else []
    if "hour" in segments:
        wrong += [each for each in metrics if each.endswith("impression_share")]
    if wrong:
        raise RefusedError(
            "PROHIBITED_SEGMENT_WITH_METRIC_IN_SELECT_OR_WHERE_CLAUSE",
            f"Cannot select or filter on the following segments: '{', '.join(sorted(segments))}', since segments are "
            f"incompatible with the metrics: '{', '.join(wrong)}'.",
        )


def _check_values(each: Condition, paths: tuple[str, ...], catalog: Catalog) -> None:
    names = catalog.enum_names(each.field)
    wrong = [value for value in each.values if names and value not in names]
    if wrong:
        raise RefusedError("BAD_ENUM_CONSTANT", f"Error in WHERE clause: invalid enum constant '{wrong[0]}'.")
    if each.field.startswith("segments.") and each.field not in paths:
        raise RefusedError(
            "EXPECTED_REFERENCED_FIELD_IN_SELECT_CLAUSE",
            f"The following field must be present in SELECT clause: '{each.field}'.",
        )


def _unsaid(resource: str, conditions: list[Condition]) -> tuple[Condition, ...]:
    """The condition that Google adds of itself."""
    status = HIDES_REMOVED.get(resource)
    if status is None:
        return ()
    top = status.split(".", maxsplit=1)[0]
    named = {f"{top}.resource_name", "ad_group_ad.ad.id", "ad_group_criterion.criterion_id", status}
    if any(each.field in named for each in conditions):
        return ()
    return (Condition(status, lambda value: value != "REMOVED"),)
