"""A report of the user's own becomes a `Query`, as the built-in tables are, or findings that say what is wrong with it.

Its key is what tells the rows of the resource apart, and whatever else divides them; nothing may stand beside the
numbers that does not belong to an id of the key.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from typing import Any, NamedTuple

import msgspec

from google_pipeline.breakdowns import BREAKDOWNS
from google_pipeline.catalog import GRAINS, Catalog, Entry, catalog, fits
from google_pipeline.conditions import Condition
from google_pipeline.queries import As, Field, Query, every
from google_pipeline.tables import REPORTS, TABLES
from wire import Definition, Grain, PipelineError, did_you_mean, read_definitions

_GIVEN = ("account_id", "date", "hour", "currency_code", "is_final")
_ROLES = ("by", "metrics", "attributes")
_KEYS = {"id": As.ID, "integer": As.ID, "text": As.TEXT, "enum": As.ENUM, "flag": As.WORD}
_BUILT_IN = {field.path: field for query in (*REPORTS, *BREAKDOWNS) if query.daily for field in query.fields}


class Reports(NamedTuple):
    """The reports of the settings that can be loaded, what is wrong with others, and what to beware of."""

    queries: tuple[Query, ...]
    findings: tuple[PipelineError, ...]
    warnings: tuple[str, ...]


def reports(settings: Mapping[str, Any], api_version: str) -> Reports:
    """All reports of the setting `reports`, read against the catalog."""
    definitions, findings = read_definitions(settings, [table.name for table in TABLES])
    read = [_Reading(catalog(), each, api_version) for each in definitions]
    found = [finding for each in read for finding in each.findings]
    warnings = [*_other_sdk(), *(warning for each in read for warning in each.warnings)]
    queries = [each.query() for each in read if not each.findings]
    return Reports(tuple(queries), (*findings, *found), tuple(warnings))


def _other_sdk() -> Iterator[str]:
    """A sentence where the installed SDK is not the one that the catalog was made of."""
    try:
        installed = version("google-ads")
    except PackageNotFoundError:
        return
    if installed != catalog().sdk:
        yield (
            f"reports are checked against the fields of google-ads {catalog().sdk}, and {installed} is installed; "
            "`supervisor check --online` asks Google"
        )


class _Reading:
    """One definition, its words resolved to paths as far as they can be."""

    def __init__(self, known: Catalog, definition: Definition, api_version: str) -> None:
        self._known = known
        self._definition = definition
        self.findings: list[PipelineError] = []
        self.warnings: list[str] = []
        of = definition.of
        if of not in known.resources:
            self._wrong(
                "of", f"{of!r} is nothing that Google has numbers of by day; {did_you_mean(of, known.resources)}"
            )
            return
        self._ids = known.resources[of].ids
        self._by = [path for word in definition.by for path in self._divides(word)]
        self._attributes = [path for word in definition.attributes for path in self._resolved("attributes", word)]
        self._metrics = [path for word in definition.metrics for path in self._resolved("metrics", word)]
        self._conditions = [Condition(text) for text in definition.where]
        self._check_attributes()
        self._check_conditions()
        self._check_together()
        self._check_version(api_version)
        self._check_columns()

    def query(self) -> Query:
        """What is asked; only where there are no findings."""
        definition, resource = self._definition, self._known.resources[self._definition.of]
        ids, by = self._fields(self._ids, keyed=True), self._fields(self._by, keyed=True)
        grain = [_DATES[definition.grain], *([_HOUR] if definition.grain is Grain.HOUR else [])]
        where = [each.text for each in self._conditions]
        if resource.status and all(each.field != resource.status for each in self._conditions):
            where.insert(0, every(resource.status))
        resolved = msgspec.structs.replace(definition, by=tuple(self._by))
        return Query(
            definition.name,
            definition.of,
            tuple(field.column for field in (*ids, *by, *grain)),
            (*grain, *ids, *by, *self._fields(self._attributes), *self._fields(self._metrics)),
            where=" AND ".join(where),
            daily=True,
            grain=definition.grain,
            fingerprint=resolved.fingerprint,
            lookback_days=definition.lookback_days,
        )

    def _fields(self, paths: Sequence[str], *, keyed: bool = False) -> list[Field]:
        return [_field(path, self._known.fields[path], self._definition.of, keyed=keyed) for path in paths]

    def _wrong(self, key: str, sentence: str) -> None:
        self.findings.append(self._definition.wrong(key, sentence))

    def _divides(self, word: str) -> Iterator[str]:
        """The paths of a word under `by`: a segment, a field, or all ids of a resource that is named."""
        short = word.lower().removeprefix("segments.")
        if short in GRAINS:
            said = "is in every row: leave it out" if short == "date" else f"is a grain: write `grain: {short}`"
            self._wrong("by", f"{word} {said}")
            return
        for path in self._resolved("by", word):
            if path in self._ids:
                self._wrong("by", f"{path} is in the key of every report of {self._definition.of}: leave it out")
            elif self._known.fields[path].kind not in _KEYS:
                self._wrong("by", f"{word} holds {_what(self._known.fields[path])}, which cannot be part of a key")
            else:
                yield path

    def _resolved(self, key: str, word: str) -> tuple[str, ...]:
        of = self._definition.of
        words = _words(of)
        paths = words[key].get(word.lower())
        if paths:
            return paths
        other = next((role for role in _ROLES if word.lower() in words[role]), None)
        if other is not None:
            self._wrong(key, f"{word} goes under {other}")
        else:
            known = [each for each in words[key] if not each.startswith(("metrics.", "segments."))]
            self._wrong(key, f"there is no {word!r} for a report of {of}; {did_you_mean(word, known)}")
        return ()

    @property
    def _key(self) -> set[str]:
        days = {"segments.month"} | ({"segments.date"} if self._definition.grain is not Grain.MONTH else set())
        return {*self._ids, *self._by, *days}

    def _check_attributes(self) -> None:
        for path in self._attributes:
            top = path.split(".", 1)[0]
            belongs = ((),) if top == self._definition.of else self._known.belongs.get(path) or self._known.belongs[top]
            if not any(self._key.issuperset(ids) for ids in belongs):
                missing = " and ".join(each for each in belongs[0] if each not in self._key)
                sentence = f"{path} belongs to {missing}, which is not in the key: put that into by, or {path} itself"
                self._wrong("attributes", sentence)

    def _check_conditions(self) -> None:
        for each in self._conditions:
            for sentence in each.findings(self._known, self._definition.of, self._by):
                self._wrong("where", sentence)

    def _check_together(self) -> None:
        """What is asked of what, and what beside what."""
        known, of = self._known, self._definition.of
        by = [*self._by, *(["segments.hour"] if self._definition.grain is Grain.HOUR else [])]
        segments = [path.removeprefix("segments.") for path in by if path.startswith("segments.")]
        metrics = [*self._metrics, *(each.field for each in self._conditions if each.field.startswith("metrics."))]
        for path in (*by, *metrics, *self._attributes):
            if of not in known.only.get(path, (of,)):
                self._wrong(self._place(path), f"{_short(path)} can only be asked of {', '.join(known.only[path])}")
            if (needed := known.needs.get(path)) and needed not in by:
                self._wrong("by", f"{_short(path)} means something only beside {_short(needed)}: add that")
        for rule in known.excludes:
            named = [each for each in segments if each in rule.segments]
            for path in metrics if named else ():
                if fits(_short(path), rule.metrics):
                    self._wrong("metrics", f"{_short(path)} cannot stand beside {', '.join(named)}: {rule.why}")
        for segment in segments:
            for caution in (*known.apart, *known.warns):
                if caution.of == of and fits(segment, caution.segments):
                    told = self._definition.wrong("by", f"{segment} beside {of}: {caution.why}")
                    if caution in known.apart:
                        self.findings.append(told)
                    else:
                        self.warnings.append(told.message)

    def _place(self, path: str) -> str:
        if path == "segments.hour":
            return "grain"
        return "metrics" if path.startswith("metrics.") else "by" if path in self._by else "attributes"

    def _check_version(self, api_version: str) -> None:
        for key, paths in (("by", self._by), ("attributes", self._attributes), ("metrics", self._metrics)):
            for path in paths:
                since = self._known.fields[path].since
                if since and int(since[1:]) > int(api_version[1:]):
                    self._wrong(key, f"{_short(path)} is there from {since} on, and api_version is {api_version}")

    def _check_columns(self) -> None:
        """Each field has a column of its own, which no other has."""
        of = self._definition.of
        taken = {_column(path, of): path for path in self._ids}
        for key, paths in (("by", self._by), ("attributes", self._attributes), ("metrics", self._metrics)):
            for path in paths:
                column = _column(path, of)
                known = taken.setdefault(column, "")
                if known == path or column in _GIVEN:
                    self._wrong(key, f"{_short(path)} is in the table already: leave it out")
                elif known:
                    self._wrong(key, f"{_short(known)} and {_short(path)} would both be called {column}: leave one out")
                else:
                    taken[column] = path


@cache
def _words(of: str) -> dict[str, dict[str, tuple[str, ...]]]:
    """For each role what can be written, in small letters, and the paths that it means: whole, short, or a column."""
    known = catalog()
    roles: dict[str, dict[str, tuple[str, ...]]] = {role: {} for role in _ROLES}
    tops = known.tops(of)
    paths = {
        top: [path for path in known.fields if path.startswith(f"{top}.")] for top in (*tops, "segments", "metrics")
    }

    def name(role: str, word: str, *meant: str) -> None:
        roles[role].setdefault(word, meant)

    for top in tops[1:]:
        if top in known.resources and known.resources[top].ids:
            name("by", top, *(path for path in known.resources[top].ids if path not in known.resources[of].ids))
    for path in paths["segments"]:
        for role in ("by", "attributes") if path in known.belongs else ("by",):
            for word in (path, _short(path), _column(path, of)):
                name(role, word, path)
    for path in paths["metrics"]:
        for word in (path, _short(path), _column(path, of)):
            name("metrics", word, path)
    for top in tops:
        for path in paths[top]:
            for role in ("by", "attributes"):
                name(role, path, path)
                name(role, _column(path, of), path)
    return roles


def _short(path: str) -> str:
    top, _, rest = path.partition(".")
    return rest if top in ("segments", "metrics") else path


def _column(path: str, of: str) -> str:
    """As the built-in tables have it; amounts are in whole units, so their names lose the micros."""
    if path in _BUILT_IN:
        return _BUILT_IN[path].column
    top, _, rest = path.partition(".")
    if rest.endswith(".criterion_id") or rest == "criterion_id":
        return "criterion_id"
    shown = rest if top in ("segments", "metrics") or (top == of and of.endswith("_view")) else path
    return shown.replace("ad_group_ad.ad.", "ad.").replace(".", "_").removesuffix("_micros")


def _field(path: str, entry: Entry, of: str, *, keyed: bool) -> Field:
    note = _BUILT_IN[path].note if path in _BUILT_IN else entry.note
    return Field(_column(path, of), path, _KEYS[entry.kind] if keyed else As[entry.kind.upper()], note)


def _what(entry: Entry) -> str:
    return {"list": "a list", "micros": "an amount"}.get(entry.kind, "a number with a fraction")


_DATES = {
    Grain.DAY: _BUILT_IN["segments.date"],
    Grain.HOUR: _BUILT_IN["segments.date"],
    Grain.MONTH: Field("date", "segments.month", As.DAY, "the first day of the month"),
}
_HOUR = Field("hour", "segments.hour", As.INTEGER, "of the day, 0 to 23, in the account's time zone")
