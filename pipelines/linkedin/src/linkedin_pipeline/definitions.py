"""Reports of one's own: a definition becomes the same `Report` as a built-in table's, or findings that say why not."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from msgspec.structs import replace

from linkedin_pipeline.catalog import Catalog, catalog, spelling
from linkedin_pipeline.conditions import ConditionError, read_condition
from linkedin_pipeline.fields import MAKERS, Field
from linkedin_pipeline.levels import ACCOUNT, BY_NAME, Level
from linkedin_pipeline.metrics import FURTHER, METRICS
from linkedin_pipeline.report_table import DEMOGRAPHIC, Filter, Granularity, Pivot, Report
from linkedin_pipeline.tables import TABLES
from wire import CheckWarning, Definition, Grain, PipelineError, did_you_mean, read_definitions

MOST_PIVOTS = 3
"""Of one request; the level is one of them, the account is not."""

_GRANULARITIES = {Grain.DAY: Granularity.DAILY, Grain.MONTH: Granularity.MONTHLY}
_OWN = {metric.source: metric for metric in (*METRICS, *FURTHER)}


def own_reports(settings: Mapping[str, Any], version: str) -> tuple[tuple[Report, ...], tuple[PipelineError, ...]]:
    """The reports of the setting `reports` that `version` can be asked for, and all that is wrong with the others."""
    taken = {table.name for table in TABLES}
    read, wrong = read_definitions(settings, taken)
    reports: dict[str, Report] = {}
    findings = list(wrong)
    for definition in read:
        reading = _Reading(definition, catalog(), version.partition(".")[0])
        findings += reading.findings
        if not reading.findings and definition.name not in taken:
            reports.setdefault(definition.name, reading.report())
    return tuple(reports.values()), tuple(findings)


def differing_version(version: str) -> Iterator[CheckWarning]:
    """Whether another version is spoken than the one that the catalog is of."""
    known = catalog().version
    if version.partition(".")[0] != known:
        yield CheckWarning(
            f"reports: fields are known as of LinkedIn-Version {known}, and api_version is {version}: what is new in "
            "it is refused, and what it has no more is not noticed before the run"
        )


class _Reading:
    """One definition held against the catalog; `findings` are complete when it is made."""

    def __init__(self, definition: Definition, known: Catalog, version: str) -> None:
        self._definition = definition
        self._known = known
        self._version = version
        self._pivots = {spelling(name): name for name in (ACCOUNT.pivot, *known.pivots)}
        self._metrics = {spelling(name): name for name in known.metrics}
        self._level = BY_NAME.get(definition.of.lower())
        self._by = [name for word in definition.by if (name := self._pivots.get(spelling(word), "")) in known.pivots]
        self._filters: list[Filter] = []
        self.findings: list[PipelineError] = [
            *self._wrong_of(),
            *self._wrong_by(),
            *self._wrong_metrics(),
            *self._wrong_attributes(),
            *self._wrong_where(),
        ]

    def report(self) -> Report:
        """The report of a definition without findings."""
        assert self._level is not None
        definition = self._definition
        filters = sorted(self._filters, key=lambda each: each.parameter)
        meant = replace(
            definition,
            of=self._level.name,
            by=tuple(self._by),
            where=tuple(f"{each.parameter} {each.value}" for each in filters),
        )
        return Report(
            name=definition.name,
            level=self._level,
            by=tuple(self._pivot(name) for name in self._by),
            attributes=tuple(word.lower() for word in definition.attributes),
            metrics=tuple(self._metric(word) for word in definition.metrics),
            granularity=_GRANULARITIES[definition.grain],
            filters=tuple(filters),
            lookback_days=definition.lookback_days,
            fingerprint=meant.fingerprint,
        )

    def _pivot(self, name: str) -> Pivot:
        each = self._known.pivots[name]
        return Pivot(name, each.columns, each.note, BY_NAME.get(each.level), each.statistics_only)

    def _metric(self, word: str) -> Field:
        """The field that the built-in tables have, where they have it."""
        name = self._metrics[spelling(word)]
        each = self._known.metrics[name]
        return _OWN.get(name) or MAKERS[each.type](each.column, name, each.note)

    def _wrong_of(self) -> Iterator[PipelineError]:
        if self._level is None:
            of = self._definition.of
            yield self._wrong("of", f"LinkedIn has no reports of {of!r}; {did_you_mean(of, self._known.levels)}")
        if self._definition.grain not in _GRANULARITIES:
            yield self._wrong("grain", "LinkedIn tells no hours; expected day or month")

    def _wrong_by(self) -> Iterator[PipelineError]:
        for word in self._definition.by:
            name = self._pivots.get(spelling(word))
            if name is None:
                yield self._wrong("by", self._unknown(word, "by", self._known.pivots))
            elif name == ACCOUNT.pivot or (self._level and name == self._level.pivot):
                yield self._wrong("by", f"{word!r} is in each row already; leave it out")
        demographic = [name for name in self._by if name.startswith(DEMOGRAPHIC)]
        if demographic and len(self._by) > 1:
            others = ", ".join(name for name in self._by if name != demographic[0])
            yield self._wrong(
                "by",
                f"LinkedIn tells {demographic[0]} beside no other pivot; make one report of it and one of {others}",
            )
        elif (count := len(self._by) + (self._level not in (None, ACCOUNT))) > MOST_PIVOTS:
            own = f"{self._definition.of} and " if count > len(self._by) else ""
            has = f"{own}{', '.join(self._by)}"
            yield self._wrong("by", f"LinkedIn splits by {MOST_PIVOTS} pivots at most, and {has} are {count}")
        filled: dict[str, str] = {}
        for name in self._by:
            for column in self._known.pivots[name].columns:
                if column in filled:
                    yield self._wrong("by", f"{filled[column]} and {name} both fill {column}; leave one out")
                filled.setdefault(column, name)

    def _wrong_metrics(self) -> Iterator[PipelineError]:
        pivots = [*([self._level.pivot] if self._level else ()), *self._by]
        seen: dict[str, str] = {}
        for word in self._definition.metrics:
            name = self._metrics.get(spelling(word))
            if name is None:
                yield self._wrong("metrics", self._unknown(word, "metrics", self._known.metrics))
                continue
            if name in seen:
                yield self._wrong("metrics", f"{word!r} is the same as {seen[name]!r}")
            seen.setdefault(name, word)
            metric = self._known.metrics[name]
            if metric.since > self._version:
                yield self._wrong("metrics", f"{word!r} needs api_version {metric.since}, and it is {self._version}")
            for pivot in self._by:
                if name in self._known.pivots[pivot].excludes:
                    yield self._wrong("metrics", f"LinkedIn does not tell {word!r} by {pivot}; leave it out")
            if metric.needs and not set(metric.needs) & set(pivots):
                needs = " or ".join(metric.needs)
                yield self._wrong("metrics", f"LinkedIn tells {word!r} only of {needs}: choose such an `of`")
            elif metric.needs and self._level is ACCOUNT and self._by and not set(metric.needs) & set(self._by):
                yield self._wrong("metrics", f"LinkedIn tells {word!r} of an account only where nothing splits it")

    def _wrong_attributes(self) -> Iterator[PipelineError]:
        keyed = [*([self._level] if self._level else ()), *self._levels_of_by()]
        above = {level.name for level in keyed} | {parent for level in keyed for parent in level.parents}
        ids = {level.id_column for level in keyed}
        for word in self._definition.attributes:
            level = self._known.attributes.get(word.lower())
            if level is None:
                yield self._wrong("attributes", self._unknown(word, "attributes", self._known.attributes))
            elif word.lower() in ids:
                yield self._wrong("attributes", f"{word!r} is in the key already; leave it out")
            elif keyed and level not in above:
                pivot = BY_NAME[level].pivot
                yield self._wrong("attributes", f"{word!r} belongs to no id of the key: put {pivot} into by")

    def _levels_of_by(self) -> list[Level]:
        found = (BY_NAME.get(self._known.pivots[name].level) for name in self._by)
        return [level for level in found if level]

    def _wrong_where(self) -> Iterator[PipelineError]:
        for text in self._definition.where:
            try:
                found = read_condition(text, self._known.filters)
            except ConditionError as error:
                yield self._wrong("where", str(error))
                continue
            if any(found.parameter == each.parameter for each in self._filters):
                yield self._wrong("where", f"{found.parameter} stands in two conditions, which LinkedIn takes as one")
            self._filters.append(found)

    def _unknown(self, word: str, key: str, known: Mapping[str, Any]) -> str:
        """What is wrong with a word that is nothing of its key: it is of another key, or nothing at all."""
        spelt = spelling(word)
        others = {"by": self._pivots, "metrics": self._metrics, "attributes": self._known.attributes}
        for other, names in others.items():
            if other != key and (spelt in names or word.lower() in names):
                return f"{word!r} goes under {other}"
        return f"there is no {word!r}; {did_you_mean(word, known)}"

    def _wrong(self, key: str, sentence: str) -> PipelineError:
        return self._definition.wrong(key, sentence)
