"""Writes src/google_pipeline/catalog.json: what the installed google-ads says of fields, and facts.toml beside it.

Run it where the SDK is: `.venvs/google/bin/python pipelines/google/catalog/generate.py`.
With `--print` the catalog goes to standard output.
"""

from __future__ import annotations

import inspect
import json
import sys
import tomllib
from collections.abc import Iterator
from fnmatch import fnmatchcase
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
CATALOG = HERE.parent / "src/google_pipeline/catalog.json"
VERSIONS = ("v23", "v24", "v25", "v26")
"""Oldest first; the last one is what the catalog describes."""

_KINDS = {1: "number", 2: "number", 3: "integer", 4: "integer", 5: "integer", 8: "flag", 9: "text", 14: "enum"}
_PARTS = {
    "adgroup_id": "ad_group.id",
    "ad_id": "ad_group_ad.ad.id",
    "base64_placement": "placement",
    "base_64_placement": "placement",
    "is_targeting_location": "targeting_location",
    "listing_group_filter_id": "asset_group_listing_group_filter.id",
    "query": "search_term",
}
"""Parts of resource names that are called otherwise in a query."""


def main() -> None:
    text = made()
    if sys.argv[1:] == ["--print"]:
        sys.stdout.write(text)
    else:
        CATALOG.write_text(text, encoding="utf-8")


def made() -> str:
    """The catalog as text: a field a line, so that a new SDK shows as lines that came and went."""
    facts = tomllib.loads((HERE / "facts.toml").read_text(encoding="utf-8"))
    rows = {each: _row(each) for each in VERSIONS}
    resources = facts["resources"]
    _check_ids(resources)
    tops = sorted({*resources, *(each for known in resources.values() for each in known["with"])})
    fields: dict[str, Any] = {}
    enums: dict[str, list[str]] = {}
    for top in (*tops, "segments", "metrics"):
        for path, field in _below(rows[VERSIONS[-1]].fields_by_name[top].message_type, top):
            fields[path] = _described(path, field, facts) | _since(path, rows)
            if field.enum_type is not None:
                enums[field.enum_type.name] = [value.name for value in field.enum_type.values if value.number]
    rules = {key: facts[key] for key in ("belongs", "only", "needs", "excludes", "apart", "warns")}
    _check_rules(rules, fields)
    sdk = version("google-ads")
    parts = {"sdk": sdk, "api": VERSIONS[-1], "resources": resources, **rules, "enums": enums, "fields": fields}
    return "{\n" + ",\n".join(f"{json.dumps(key)}: {_lines(value)}" for key, value in parts.items()) + "\n}\n"


def _lines(value: Any) -> str:
    if isinstance(value, dict):
        return "{\n" + ",\n".join(f"{json.dumps(key)}: {json.dumps(each)}" for key, each in value.items()) + "\n}"
    if isinstance(value, list):
        return "[\n" + ",\n".join(json.dumps(each) for each in value) + "\n]"
    return json.dumps(value)


def _row(api: str) -> Any:
    return import_module(f"google.ads.googleads.{api}.services.types.google_ads_service").GoogleAdsRow.pb().DESCRIPTOR


def _below(message: Any, prefix: str) -> Iterator[tuple[str, Any]]:
    """Every value, but no bytes and no lists of messages: those have no column."""
    for field in message.fields:
        path = f"{prefix}.{field.name.removesuffix('_')}"
        if field.message_type is None:
            if field.type in _KINDS:
                yield path, field
        elif not field.is_repeated:
            yield from _below(field.message_type, path)


def _described(path: str, field: Any, facts: dict[str, Any]) -> dict[str, Any]:
    kind = "list" if field.is_repeated else _KINDS[field.type]
    if kind == "integer" and path.endswith(("_micros", ".micros")):
        kind = "micros"
    elif kind == "integer" and path.endswith((".id", "_id")):
        kind = "id"
    elif kind == "number" and path.endswith("_micros"):
        kind = "average"
    described = {"kind": kind, **({"note": "account currency"} if kind == "micros" else {})}
    described |= {"enum": field.enum_type.name} if field.enum_type is not None else {}
    if path.startswith("metrics."):
        for unit in facts["units"]:
            if any(fnmatchcase(path.removeprefix("metrics."), pattern) for pattern in unit["metrics"]):
                described |= {key: unit[key] for key in ("kind", "note") if key in unit}
    return described


def _since(path: str, rows: dict[str, Any]) -> dict[str, str]:
    """From which version on there is the field, where the oldest does not have it."""
    known = [api for api in VERSIONS if _has(rows[api], path)]
    return {} if known[0] == VERSIONS[0] else {"since": known[0]}


def _has(row: Any, path: str) -> bool:
    message = row
    for name in path.split("."):
        field = message.fields_by_name.get(name) or message.fields_by_name.get(f"{name}_") if message else None
        if field is None:
            return False
        message = field.message_type
    return True


def _check_ids(resources: dict[str, Any]) -> None:
    """A resource name's parts are what tells rows apart: each has to be among the ids."""
    service = import_module(f"google.ads.googleads.{VERSIONS[-1]}.services.services.google_ads_service")
    for name, known in resources.items():
        parts = list(inspect.signature(getattr(service.GoogleAdsServiceClient, f"{name}_path")).parameters)[1:]
        for part in parts:
            wanted = _PARTS.get(part, part.removesuffix("_fingerprint"))
            if not any(each.endswith(wanted) or each.replace(".", "_").endswith(wanted) for each in known["ids"]):
                sys.exit(f"facts.toml: {name}: its rows are told apart by {part}, which is not among its ids")


def _check_rules(rules: dict[str, Any], fields: dict[str, Any]) -> None:
    """A rule about something that there is not would never apply."""
    segments = [f"segments.{each}" for rule in (*rules["excludes"], *rules["apart"]) for each in rule["segments"]]
    metrics = [pattern for rule in rules["excludes"] for pattern in rule["metrics"]]
    named = [*segments, *rules["only"], *rules["needs"], *(each for each in rules["belongs"] if "." in each)]
    for path in named:
        if path not in fields:
            sys.exit(f"facts.toml: there is no field {path}")
    for pattern in metrics:
        if not any(fnmatchcase(path, f"metrics.{pattern}") for path in fields):
            sys.exit(f"facts.toml: no metric fits {pattern}")


if __name__ == "__main__":
    main()
