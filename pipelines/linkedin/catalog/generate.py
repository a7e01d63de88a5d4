"""Makes the catalog of what reports of one's own can ask for, of facts.toml and of the metrics that metrics.py has.

LinkedIn has no SDK, so what a new version knows is written into facts.toml by hand, with the version there; then:
.venvs/linkedin/bin/python pipelines/linkedin/catalog/generate.py
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from linkedin_pipeline.catalog import FILE, Catalog, KnownFilter, KnownMetric, KnownPivot, snake_case
from linkedin_pipeline.levels import ACCOUNT, BY_NAME
from linkedin_pipeline.metrics import FURTHER, METRICS
from wire import Type

FACTS = Path(__file__).with_name("facts.toml")
_SOURCE = Path(__file__).resolve().parents[1] / "src" / "linkedin_pipeline" / FILE.name


def generated() -> Catalog:
    """The catalog as facts and tables have it; raises ValueError where a fact names what is not there."""
    facts = tomllib.loads(FACTS.read_text(encoding="utf-8"))
    metrics = dict(_metrics(facts))
    named = {name for each in facts["excludes"] for name in each["metrics"]} | {*facts["needs"], *facts["since"]}
    if unknown := sorted(named - set(metrics)):
        raise ValueError(f"facts.toml says something of {', '.join(unknown)}, which are no metrics")
    return Catalog(
        version=facts["version"],
        source=facts["source"],
        levels=tuple(BY_NAME),
        pivots={name: _pivot(name, note, facts) for name, note in facts["pivots"].items()},
        metrics=metrics,
        attributes={
            column: level.name
            for level in BY_NAME.values()
            if level is not ACCOUNT
            for column in (level.id_column, level.name_column)
        },
        filters={name: msgspec.convert(each, KnownFilter) for name, each in facts["where"].items()},
    )


def _metrics(facts: Mapping[str, Any]) -> Iterator[tuple[str, KnownMetric]]:
    """Those of the built-in tables first."""
    own = {metric.source: (metric.name, metric.type, metric.note) for metric in (*METRICS, *FURTHER)}
    more = {
        name: (snake_case(name), Type(kind), note or _note(name))
        for kind, names in facts["metrics"].items()
        for name, note in names.items()
    }
    if twice := sorted(own.keys() & more.keys()):
        raise ValueError(f"metrics.py has {', '.join(twice)} already")
    for name, (column, kind, note) in (own | more).items():
        needs = tuple(facts["needs"].get(name, ()))
        yield name, KnownMetric(column, kind, note, facts["since"].get(name, ""), needs)


def _note(name: str) -> str:
    """What LinkedIn's names of metrics have in common."""
    if name.startswith("viral"):
        return f"after a share; not in {snake_case(name).removeprefix('viral_')}"
    return "after a click" if name.startswith("postClick") else "after a view" if name.startswith("postView") else ""


def _pivot(name: str, note: str, facts: Mapping[str, Any]) -> KnownPivot:
    level = next((level for level in BY_NAME.values() if level.pivot == name), None)
    columns = (level.id_column,) if level else tuple(facts["columns"].get(name, (snake_case(name),)))
    excludes = [
        metric
        for each in facts["excludes"]
        if name == each["pivots"] or (each["pivots"].endswith("_") and name.startswith(each["pivots"]))
        for metric in each["metrics"]
    ]
    return KnownPivot(
        columns, note, level.name if level else "", name in facts["statistics"]["pivots"], tuple(excludes)
    )


def text(made: Catalog) -> str:
    """A line for each thing that has a name, so that the difference between two versions can be read."""
    parts = []
    for name, value in msgspec.to_builtins(made).items():
        if isinstance(value, dict):
            lines = (f'  "{key}": {msgspec.json.encode(each).decode()}' for key, each in value.items())
            parts.append(f'"{name}": {{\n' + ",\n".join(lines) + "\n}")
        else:
            parts.append(f'"{name}": {msgspec.json.encode(value).decode()}')
    return "{\n" + ",\n".join(parts) + "\n}\n"


if __name__ == "__main__":
    _SOURCE.write_text(text(generated()), encoding="utf-8")
