"""Writes catalog.json: what each type of report can be asked for.

Columns and filters are those of the installed SDK's description of the Reporting service; what that does not say
(types, units, what is required, what excludes what, how long it is kept) is in facts.json, each with its source. Run
it with the pipeline's own Python after a new version of the SDK: `.venvs/microsoft/bin/python
pipelines/microsoft/catalog/generate.py`. `--print` writes to standard output instead.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from importlib.metadata import distribution
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

PACKAGE = "bingads"
HERE = Path(__file__).parent
CATALOG = HERE.parent / "src" / "microsoft_pipeline" / "catalog.json"
_SERVICE = "bingads/v13/proxies/production/reporting_service.xml"
_XSD = "{http://www.w3.org/2001/XMLSchema}"
_TIME = "TimePeriod"
# What the pipeline asks for by itself, whatever a report is of.
_OWN = ("AccountId", "CurrencyCode", _TIME)
# The fewest days that so many months in a row can have: a report is never asked for a day that is not kept any more.
_DAYS_OF_MONTHS = {1: 28, 2: 59, 6: 181, 24: 730, 36: 1095}


def made() -> dict[str, Any]:
    """The catalog; raises ValueError where facts.json names a column that the SDK does not have."""
    sdk = distribution(PACKAGE)
    # A file of the installed package, as much to be trusted as its code.
    root = ElementTree.fromstring(Path(str(sdk.locate_file(_SERVICE))).read_bytes())  # noqa: S314 - see above
    facts = json.loads((HERE / "facts.json").read_text())
    words = {kind: list(_words(each)) for each in root.iter(f"{_XSD}simpleType") if (kind := each.get("name"))}
    filters = {kind: list(_elements(each)) for each in root.iter(f"{_XSD}complexType") if (kind := each.get("name"))}
    columns = {
        kind.removesuffix("Column"): names
        for kind, names in words.items()
        if kind.endswith("ReportColumn") and _TIME in names
    }
    known = {name for names in columns.values() for name in names} - {*_OWN}
    _check(facts, known, columns)
    reports = {
        kind: _report(kind, names, filters.get(f"{kind}Filter", []), facts) for kind, names in sorted(columns.items())
    }
    used = sorted({value for report in reports.values() for value in report["filters"].values() if value in words})
    return {
        "package": PACKAGE,
        "version": sdk.version,
        "facts": facts["docs"],
        "dateless": sorted(
            kind.removesuffix("Column")
            for kind, names in words.items()
            if kind.endswith("ReportColumn") and _TIME not in names
        ),
        "values": {kind: words[kind] for kind in used},
        "most_values": {name: most for name, most in facts["most_values"].items() if name != "source"},
        "columns": {name: _column(name, facts) for name in sorted(known)},
        "reports": reports,
    }


def text() -> str:
    """The catalog as it is written: one entry a line."""
    catalog = made()
    parts = []
    for name, value in catalog.items():
        if isinstance(value, dict):
            entries = ",\n".join(f"  {json.dumps(key)}: {json.dumps(of)}" for key, of in value.items())
            parts.append(f"{json.dumps(name)}: {{\n{entries}\n }}")
        else:
            parts.append(f"{json.dumps(name)}: {json.dumps(value)}")
    return "{\n " + ",\n ".join(parts) + "\n}\n"


def _words(kind: ElementTree.Element) -> Iterator[str]:
    return (str(each.get("value")) for each in kind.iter(f"{_XSD}enumeration"))


def _elements(kind: ElementTree.Element) -> Iterator[tuple[str, str]]:
    for each in kind.iter(f"{_XSD}element"):
        yield str(each.get("name")), str(each.get("type")).rpartition(":")[2]


def _column(name: str, facts: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for part in ("types", "no_measures"):
        for kind, units in facts[part].items():
            for unit, names in units.items() if kind != "source" else ():
                if name in names:
                    found = {"type": kind, "note": unit}
                    found |= {"is_measure": True} if part == "types" else {}
    for owner, names in facts["belongs_to"].items():
        if owner != "source" and name in names:
            found["belongs_to"] = owner
    if name in facts["notes"]:
        found["note"] = facts["notes"][name]
    if name in facts["names_of_columns"]:
        found["column"] = facts["names_of_columns"][name]
    for grains, names in facts["grains_of_columns"].items():
        if grains != "source" and name in _expanded(names, facts):
            found["grains"] = grains.split()
    return found


def _report(
    kind: str, names: Sequence[str], filters: Iterable[tuple[str, str]], facts: Mapping[str, Any]
) -> dict[str, Any]:
    withheld = facts["withheld"].get(kind, ())
    offered = [name for name in names if name not in _OWN and name not in withheld]
    excludes = [
        {
            "attributes": [name for name in each["attributes"] if name in offered],
            "metrics": [name for name in _expanded(each["metrics"], facts) if name in offered],
        }
        for each in facts["excludes"].get(kind, ())
    ]
    described = {
        "has_currency": "CurrencyCode" in names,
        "implied": [name for name in facts["implied"].get(kind, ()) if name in offered],
        "required": facts["required"].get(kind, []),
        "kept_days": {grain: _days(kept) for grain, kept in facts["kept"].get(kind, facts["kept"][""]).items()},
        "excludes": [each for each in excludes if each["attributes"] and each["metrics"]],
        "filters": dict(filters),
        "columns": sorted(offered),
    }
    if kind in facts["status_of"]:
        column = facts["names_of_columns"][f"{kind}.Status"]
        described["status"] = {"column": column, "belongs_to": facts["status_of"][kind]}
    return described


def _expanded(names: Iterable[str], facts: Mapping[str, Any]) -> list[str]:
    return [each for name in names for each in facts["families"].get(name, [name])]


def _days(kept: int | str) -> int:
    return int(kept.removesuffix(" days")) if isinstance(kept, str) else _DAYS_OF_MONTHS[kept]


def _check(facts: Mapping[str, Any], known: set[str], columns: Mapping[str, Sequence[str]]) -> None:
    """Raise ValueError for a fact about something that is not there any more."""
    named = {
        name
        for part in ("types", "no_measures")
        for kind, units in facts[part].items()
        for names in (units.values() if kind != "source" else ())
        for name in names
    }
    named |= {name for owner, names in facts["belongs_to"].items() if owner != "source" for name in names}
    named |= {name for names in facts["families"].values() for name in names}
    of = {
        kind
        for part in ("implied", "required", "excludes", "withheld", "kept", "status_of")
        for kind in facts[part]
        if kind not in ("source", "")
    }
    gone = sorted((named - known) | (of - {*columns}))
    gone += sorted(
        f"{kind}.{name}"
        for part in ("implied", "required")
        for kind, names in facts[part].items()
        if kind in columns
        for name in names
        if name not in columns[kind]
    )
    if gone:
        raise ValueError(f"facts.json names what {PACKAGE} does not have: {', '.join(gone)}")


if __name__ == "__main__":
    if sys.argv[1:] == ["--print"]:
        sys.stdout.write(text())
    else:
        CATALOG.write_text(text(), encoding="utf-8")
