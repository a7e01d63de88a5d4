"""What reports of one's own can ask for: levels, pivots, metrics, conditions, and what cannot stand together.

Read from catalog.json when the first report of one's own is looked at, and not before: a run without any does not pay
for it. `pipelines/linkedin/catalog/generate.py` writes that file.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import msgspec
from msgspec import Struct

from linkedin_pipeline.report_table import DEMOGRAPHIC
from wire import FieldsLine, ListedField, Type

FILE = Path(__file__).with_name("catalog.json")


class KnownPivot(Struct, frozen=True, omit_defaults=True):
    """By what rows can be split, the columns that its values fill, and the metrics that are not told beside it.

    `level` is the one whose ids they are; `statistics_only` as in `report_table.Pivot`.
    """

    columns: tuple[str, ...]
    note: str = ""
    level: str = ""
    statistics_only: bool = False
    excludes: tuple[str, ...] = ()


class KnownMetric(Struct, frozen=True, omit_defaults=True):
    """A number of adAnalytics; `since` is the first version that has it, `needs` pivots of which one must be there."""

    column: str
    type: Type
    note: str = ""
    since: str = ""
    needs: tuple[str, ...] = ()


class KnownFilter(Struct, frozen=True, omit_defaults=True):
    """What a condition can be about: one of some words, or things whose URNs are of this kind."""

    words: tuple[str, ...] = ()
    urn: str = ""


class Catalog(Struct, frozen=True):
    """All of it by LinkedIn's names, and the version that it is of. `attributes` have the level each is of."""

    version: str
    source: str
    levels: tuple[str, ...]
    pivots: Mapping[str, KnownPivot]
    metrics: Mapping[str, KnownMetric]
    attributes: Mapping[str, str]
    filters: Mapping[str, KnownFilter]


_CATALOG = msgspec.json.Decoder(Catalog)


@cache
def catalog() -> Catalog:
    """The catalog, read once."""
    return _CATALOG.decode(FILE.read_bytes())


def snake_case(name: str) -> str:
    """LinkedIn's name of a metric or a pivot in the manner of our tables: `costInUsd`, `MEMBER_COMPANY`."""
    return name.lower() if name.isupper() else "".join(f"_{c.lower()}" if c.isupper() else c for c in name)


def spelling(word: str) -> str:
    """What the ways to write a name have in common: `costInUsd`, `cost_in_usd`; `MEMBER_COMPANY`, `member_company`."""
    return word.replace("_", "").lower()


def listed_fields() -> FieldsLine:
    """All of it as `supervisor fields` shows it."""
    known = catalog()
    fields = [
        ListedField(name, "by", Type.STRING, _about(name, pivot), (), pivot.excludes)
        for name, pivot in known.pivots.items()
    ]
    for name, metric in known.metrics.items():
        excludes = tuple(_excluding(name, known))
        fields.append(ListedField(name, "metrics", metric.type, _meaning(metric), (), excludes))
    for name, level in known.attributes.items():
        note = f"needs {level}_id in the key"
        fields.append(ListedField(name, "attributes", Type.STRING, note, known.levels[known.levels.index(level) :]))
    return FieldsLine(of=list(known.levels), fields=fields, source=known.source)


def _about(name: str, pivot: KnownPivot) -> str:
    notes = [pivot.note]
    if name.startswith(DEMOGRAPHIC):
        notes.append("approximate; stands alone")
    return "; ".join(filter(None, notes))


def _meaning(metric: KnownMetric) -> str:
    notes = [
        metric.note,
        f"needs {' or '.join(metric.needs)}" if metric.needs else "",
        f"from api_version {metric.since} on" if metric.since else "",
    ]
    return "; ".join(filter(None, notes))


def _excluding(metric: str, known: Catalog) -> list[str]:
    """The pivots that a metric cannot stand beside, the demographic ones under one name."""
    names = [name for name, pivot in known.pivots.items() if metric in pivot.excludes]
    shown = dict.fromkeys(f"{DEMOGRAPHIC}*" if name.startswith(DEMOGRAPHIC) else name for name in names)
    return list(shown)
