"""GoogleAdsFieldService: what a version knows of its fields, asked in the query language without FROM.

The messages are those of https://developers.google.com/google-ads/api/reference/rpc/v26/GoogleAdsField.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cached_property
from typing import Any

from sandbox.google.catalog import ONLY_FOR, RESOURCES, Catalog
from sandbox.google.conditions import RefusedError, condition, pieces

_QUERY = re.compile(
    r"\s*SELECT\s+(?P<fields>.+?)(?P<from>\s+FROM\s+\w+)?(?:\s+WHERE\s+(?P<where>.+?))?"
    r"(?:\s+ORDER\s+BY\s+(?P<order>\w+)(?:\s+(?P<way>ASC|DESC))?)?(?:\s+LIMIT\s+(?P<limit>\d+))?\s*;?\s*",
    re.IGNORECASE | re.DOTALL,
)
_READ = (
    "name",
    "category",
    "selectable",
    "filterable",
    "sortable",
    "selectable_with",
    "attribute_resources",
    "metrics",
    "segments",
    "enum_values",
    "data_type",
    "type_url",
    "is_repeated",
)
"""What a query of fields may name."""

_LARGEST_PAGE = 10_000
_VALUES = ("metrics", "segments")


class Fields:
    """`types` is the SDK's module of GoogleAdsFieldService messages."""

    def __init__(self, catalog: Catalog, types: Any) -> None:
        self._catalog, self._types = catalog, types

    def search(self, text: str, page_token: str, page_size: int) -> bytes:
        """An encoded `SearchGoogleAdsFieldsResponse`; raises RefusedError."""
        found = _QUERY.fullmatch(text)
        if found is None:
            raise RefusedError("UNEXPECTED_INPUT", "Error in query: unexpected input.")
        if found["from"]:
            raise RefusedError("UNEXPECTED_FROM_CLAUSE", "Error in query: unexpected FROM clause.")
        selected = [name.strip() for name in found["fields"].split(",")]
        conditions = [condition(piece) for piece in pieces(found["where"])]
        for name in (*selected, *(each.field for each in conditions)):
            if name not in _READ:
                raise RefusedError("UNRECOGNIZED_FIELD", f"Unrecognized field in the query: '{name}'.")
        rows = [row for row in self._rows if all(each.holds(row[each.field]) for each in conditions)]
        if found["order"]:
            rows.sort(key=lambda row: str(row[found["order"]]), reverse=(found["way"] or "").upper() == "DESC")
        rows = rows[: int(found["limit"])] if found["limit"] else rows
        first = int(page_token or 0)
        last = first + min(page_size or _LARGEST_PAGE, _LARGEST_PAGE)
        response = self._types.SearchGoogleAdsFieldsResponse.pb()(
            results=[self._message(row, selected) for row in rows[first:last]],
            next_page_token=str(last) if last < len(rows) else "",
            total_results_count=len(rows),
        )
        encoded: bytes = response.SerializeToString()
        return encoded

    def get(self, resource_name: str) -> bytes | None:
        """An encoded `GoogleAdsField`, by `googleAdsFields/NAME`; None where there is none."""
        name = resource_name.removeprefix("googleAdsFields/")
        row = next((row for row in self._rows if row["name"] == name), None)
        if row is None:
            return None
        field = self._types.google_ads_field.GoogleAdsField.pb()(**self._message(row, list(_READ)))
        encoded: bytes = field.SerializeToString()
        return encoded

    def _message(self, row: dict[str, Any], selected: list[str]) -> dict[str, Any]:
        given = {name: row[name] for name in selected if row[name] not in (None, [])}
        return {"resource_name": f"googleAdsFields/{row['name']}", **given}

    @cached_property
    def _rows(self) -> list[dict[str, Any]]:
        return [*map(self._resource, RESOURCES), *map(self._field, self._paths())]

    def _paths(self) -> Iterator[str]:
        for top in (*RESOURCES, "metrics", "segments"):
            yield from self._catalog.paths(top)

    def _resource(self, name: str) -> dict[str, Any]:
        allowed = RESOURCES[name]
        row: dict[str, Any] = dict.fromkeys(_READ) | {
            "name": name,
            "category": "RESOURCE",
            "selectable": False,
            "filterable": False,
            "sortable": False,
            "is_repeated": False,
            "data_type": "MESSAGE",
            "attribute_resources": [each for each in allowed if each != name and each not in _VALUES],
        }
        for kind in _VALUES:
            paths = self._catalog.paths(kind) if kind in allowed else ()
            row[kind] = [path for path in paths if name in ONLY_FOR.get(path, (name,))]
        row["selectable_with"] = [*row["attribute_resources"], *row["segments"], *row["metrics"]]
        return row

    def _field(self, path: str) -> dict[str, Any]:
        top = path.split(".", maxsplit=1)[0]
        repeated = bool(self._catalog.field(path).is_repeated)  # type: ignore[union-attr]  # it is one of its own
        kind = self._catalog.data_type(path)
        categories = {"metrics": "METRIC", "segments": "SEGMENT"}
        resources = [name for name, allowed in RESOURCES.items() if top in allowed]
        return dict.fromkeys(_READ) | {
            "name": path,
            "category": categories.get(top, "ATTRIBUTE"),
            "selectable": True,
            "filterable": kind != "MESSAGE",
            "sortable": kind != "MESSAGE" and not repeated,
            "is_repeated": repeated,
            "data_type": kind,
            "enum_values": list(self._catalog.enum_names(path)),
            "selectable_with": [name for name in ONLY_FOR.get(path, resources) if name != top],
        }
