"""Reports of one's own: a definition becomes the same `Report` as a built-in table's, or findings that say why not.

Every attribute column of a report groups its rows, so each that is asked for is in the key, unless it belongs to an id
that is in the key. What the service wants in every report of a type is asked for without being named.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from microsoft_pipeline.catalog import Catalog, catalog, spelling
from microsoft_pipeline.conditions import read_conditions
from microsoft_pipeline.tables import TABLES, TIME, Field, Report, report
from wire import (
    Column,
    Definition,
    FieldsLine,
    Grain,
    ListedField,
    PipelineError,
    Type,
    did_you_mean,
    read_definitions,
)

# In every report anyway, under these spellings of theirs.
_ANYWAY = frozenset({"accountid", "currencycode"})
_LEVELS = ("Account", "Campaign", "AdGroup", "Ad", "Keyword")


def own_reports(settings: Mapping[str, Any]) -> tuple[tuple[Report, ...], tuple[PipelineError, ...]]:
    """The reports of the setting `reports` that can be asked for, and everything that is wrong with the others."""
    definitions, wrong = read_definitions(settings, [table.name for table in TABLES])
    findings = list(wrong)
    reports = []
    for definition in definitions:
        made, found = _report(definition, settings.get("transport"))
        findings += found
        if made is not None:
            reports.append(made)
    return tuple(reports), tuple(findings)


class _Chosen(Struct):
    """Columns by Microsoft's names, under the key that they go under."""

    by: list[str]
    attributes: list[str]
    metrics: list[str]


def _report(definition: Definition, transport: object) -> tuple[Report | None, list[PipelineError]]:
    known = catalog()
    if definition.of not in known.reports:
        return None, [_unknown_type(definition, known)]
    kind = known.reports[definition.of]
    chosen, findings = _resolved(definition, known)
    findings += _placed_wrongly(definition, chosen, known)
    _add_what_is_asked_for_anyway(definition.of, chosen, known)
    findings += _together(definition, chosen, known)
    filters, wrong = read_conditions(definition, kind)
    findings += wrong
    if filters and transport == "soap":
        findings.append(definition.wrong("where", "SOAP sends no filters here; take the setting transport out"))
    if findings:
        return None, findings
    made = report(
        definition.name,
        definition.of,
        [known.name_of(definition.of, name) for name in chosen.by],
        "CurrencyCode" if kind.has_currency else "",
        *_fields(definition.of, chosen, known),
        grain=definition.grain,
        fingerprint=definition.fingerprint,
        filter=filters,
        kept_days=kind.kept_days[definition.grain],
        lookback_days=definition.lookback_days,
        may_be_empty=_may_be_empty(definition, chosen, kind.implied),
    )
    return made, []


def _unknown_type(definition: Definition, known: Catalog) -> PipelineError:
    if definition.of in known.dateless:
        return definition.wrong("of", f"rows of a {definition.of} have no day, so that no days of it can be kept")
    near = did_you_mean(definition.of, known.reports)
    return definition.wrong("of", f"Microsoft has no report {definition.of!r}; {near}")


def _resolved(definition: Definition, known: Catalog) -> tuple[_Chosen, list[PipelineError]]:
    """The columns by Microsoft's names; what is there anyway is left out."""
    named = known.named(definition.of)
    chosen, findings = _Chosen([], [], []), []
    for key in ("by", "attributes", "metrics"):
        for word in getattr(definition, key):
            spelt = spelling(word)
            if spelt in named:
                getattr(chosen, key).append(named[spelt])
            elif spelt == spelling(TIME):
                findings.append(definition.wrong(key, f"{word} is there anyway: `grain` says of what"))
            elif spelt not in _ANYWAY or key == "metrics":
                findings.append(definition.wrong(key, _no_such_column(definition.of, word, known)))
    return chosen, findings


def _no_such_column(of: str, word: str, known: Catalog) -> str:
    others = [kind for kind, each in known.reports.items() if spelling(word) in map(spelling, each.columns)]
    sentence = f"{of} has no column {word!r}"
    if others:
        more = f" and {len(others) - 3} others" if len(others) > 3 else ""
        return f"{sentence}, but {', '.join(others[:3])}{more}"
    return f"{sentence}; {did_you_mean(word, known.reports[of].columns)}"


def _placed_wrongly(definition: Definition, chosen: _Chosen, known: Catalog) -> Iterator[PipelineError]:
    """What stands under a key that it cannot stand under."""
    of, kind = definition.of, known.reports[definition.of]
    ids = {"AccountId", *kind.implied, *chosen.by}
    for name in chosen.by:
        column = known.column(of, name)
        if column.type is not None:
            yield definition.wrong("by", f"{name} is a number of the row; put it under metrics")
        elif name.endswith("Name") and column.belongs_to:
            put = "" if column.belongs_to in ids else f"{column.belongs_to} here and "
            yield definition.wrong("by", f"{name} is a name, which can change: put {put}{name} under attributes")
    for name in chosen.attributes:
        column = known.column(of, name)
        if column.type is not None:
            yield definition.wrong("attributes", f"{name} is a number of the row; put it under metrics")
        elif name not in ids and column.belongs_to not in ids:
            owner = column.belongs_to
            to = f"belongs to {owner}, which is not in the key" if owner else "splits the rows"
            other = f", or {owner}" if owner else ""
            yield definition.wrong("attributes", f"{name} {to}: put it into by{other}")
    for name in chosen.metrics:
        if known.column(of, name).type is None:
            where = "by or attributes" if known.column(of, name).belongs_to else "by"
            yield definition.wrong("metrics", f"{name} is no number of the row: put it into {where}")


def _add_what_is_asked_for_anyway(of: str, chosen: _Chosen, known: Catalog) -> None:
    """The ids that `of` implies and the columns that the service wants, each where it belongs."""
    kind = known.reports[of]
    chosen.by = list(dict.fromkeys((*kind.implied, *chosen.by)))
    for name in kind.required:
        column = known.column(of, name)
        if column.type is not None:
            chosen.metrics.append(name)
        elif column.belongs_to in ("AccountId", *chosen.by):
            chosen.attributes.append(name)
        else:
            chosen.by.append(name)
    chosen.by = list(dict.fromkeys(chosen.by))
    chosen.metrics = list(dict.fromkeys(chosen.metrics))
    chosen.attributes = [name for name in dict.fromkeys(chosen.attributes) if name not in chosen.by]


def _together(definition: Definition, chosen: _Chosen, known: Catalog) -> Iterator[PipelineError]:
    """What cannot stand beside the rest of the report: its exclusions, and Microsoft's codes 2017, 2053, 2054, 2059."""
    of, grain, kind = definition.of, definition.grain, known.reports[definition.of]
    if not any(known.column(of, name).is_measure for name in chosen.metrics):
        measures = [name for name in kind.columns if known.column(of, name).is_measure]
        yield definition.wrong("metrics", f"Microsoft wants a measure in every report; {did_you_mean('', measures)}")
    if grain not in kind.kept_days:
        legal = " or ".join(kind.kept_days)
        yield definition.wrong("grain", f"Microsoft has no {grain}s of a {of}; expected {legal}")
    elif wrong := [name for name in chosen.metrics if grain not in known.column(of, name).grains]:
        legal = " or ".join(known.column(of, wrong[0]).grains)
        yield definition.wrong("grain", f"by {grain}, Microsoft has no {', '.join(wrong)}; expected {legal}")
    for each in kind.excludes:
        grouping = [name for name in each.attributes if name in (*chosen.by, *chosen.attributes)]
        metrics = [name for name in each.metrics if name in chosen.metrics]
        if grouping and metrics:
            yield definition.wrong(
                "by" if set(grouping) & {*chosen.by} else "attributes",
                f"{', '.join(grouping)} cannot stand beside {', '.join(metrics)}; make two reports of it",
            )


def _fields(of: str, chosen: _Chosen, known: Catalog) -> Iterator[Field]:
    for name in chosen.by:
        yield Field(Column(known.name_of(of, name), Type.STRING, known.column(of, name).note), name)
    for name in (*chosen.attributes, *chosen.metrics):
        column = known.column(of, name)
        yield Field(Column(known.name_of(of, name), column.type or Type.STRING, column.note), name)


def _may_be_empty(definition: Definition, chosen: _Chosen, implied: Sequence[str]) -> bool:
    """Whether it need not have rows where the account has numbers: a report of parts, or of some rows alone."""
    level = definition.of.removesuffix("PerformanceReport")
    return bool(definition.where) or level not in _LEVELS or set(chosen.by) != set(implied)


def fields() -> FieldsLine:
    """All that reports of one's own can name."""
    known = catalog()
    listed: dict[tuple[Any, ...], list[str]] = {}
    for of, kind in known.reports.items():
        for name in kind.columns:
            column = known.column(of, name)
            excludes = tuple(
                dict.fromkeys(
                    other
                    for each in kind.excludes
                    for mine, theirs in ((each.attributes, each.metrics), (each.metrics, each.attributes))
                    if name in mine
                    for other in theirs
                )
            )
            role = "metrics" if column.type else "attributes" if column.belongs_to else "by"
            entry = name, role, column.type or Type.STRING, _noted(of, name, known), excludes
            listed.setdefault(entry, []).append(of)
    return FieldsLine(
        of=list(known.reports),
        fields=[
            ListedField(name, role, kind, note, tuple(of), excludes)
            for (name, role, kind, note, excludes), of in sorted(listed.items())
        ],
        source=known.source,
    )


def _noted(of: str, name: str, known: Catalog) -> str:
    """Unit or meaning, and what is to be known before it is asked for."""
    column, kind = known.column(of, name), known.reports[of]
    notes = [column.note] if column.note else []
    if name in kind.implied or (name in kind.required and not column.belongs_to):
        notes.append("there anyway")
    if column.belongs_to:
        notes.append(f"of {column.belongs_to}")
    if column.grains != tuple(Grain):
        notes.append(f"only by {' or '.join(column.grains)}")
    return "; ".join(notes)
