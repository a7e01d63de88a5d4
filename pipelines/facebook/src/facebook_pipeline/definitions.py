"""Reports of one's own: a definition becomes the same `Report` that the built-in tables are, or findings.

Facebook never splits a row by a field: a row is of the level, its day, and the breakdowns. So the ids of the level, the
breakdowns and the time are the key, and everything else is a number or a name beside it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from facebook_pipeline.catalog import HOUR, Catalog, Field, catalog, differing_version
from facebook_pipeline.conditions import condition
from facebook_pipeline.insights import (
    AD,
    AD_SET,
    CAMPAIGN,
    HOURS,
    METRICS,
    MONTHS_KEPT,
    Report,
    ReportColumn,
    ReportTable,
    action_lists,
    divider,
    numbers,
    scalar,
)
from facebook_pipeline.tables import TABLES
from wire import CheckWarning, Definition, Grain, Kind, PipelineError, Table, did_you_mean, read_definitions

Finding = PipelineError | CheckWarning

_IDS = {each.fields[0]: each for each in (CAMPAIGN[0], AD_SET[0], AD[0])}
_OWN = {each.column.name: each for each in (*CAMPAIGN, *AD_SET, *AD, *METRICS)}
_CURRENCY = _OWN["account_currency"]
_LONGEST_NAME = 63
_OF_LISTS = ("the list of actions", "count; account currency, or a ratio, where the list is of those")


class Own(Struct, frozen=True):
    """The reports that can be loaded, and what was found about these and the others."""

    reports: tuple[Report, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def tables(self) -> tuple[Table, ...]:
        return tuple(each.table for report in self.reports for each in report.tables)


def own_reports(settings: Mapping[str, Any]) -> Own:
    """The reports that the settings define; nothing is opened where they define none."""
    if not settings.get("reports"):
        return Own() if settings.get("reports") in (None, [], ()) else Own(findings=read_definitions(settings, ())[1])
    taken = {table.name for table in TABLES}
    read, wrong = read_definitions(settings, taken)
    differing = differing_version()
    reports: list[Report] = []
    findings: list[Finding] = [*wrong, *([differing] if differing else [])]
    taken |= {definition.name for definition in read}
    for definition in read:
        found = _Reading(definition, catalog(), taken)
        findings += found.findings
        if not any(isinstance(each, PipelineError) for each in found.findings):
            reports.append(found.report())
    return Own(tuple(reports), tuple(findings))


def reports_to_load(settings: Mapping[str, Any]) -> tuple[Report, ...]:
    """The reports that the settings define; raises one PipelineError (config) for all that is wrong with them."""
    own = own_reports(settings)
    wrong = [each.message for each in own.findings if isinstance(each, PipelineError)]
    if wrong:
        raise PipelineError(Kind.CONFIG, "; ".join(wrong))
    return own.reports


class _Reading:
    """One definition held against the catalog; `findings` are complete when it is made."""

    def __init__(self, definition: Definition, known: Catalog, taken: Collection[str]) -> None:
        self._known = known
        self._level = "adset" if definition.of == "ad_set" else definition.of
        self._definition = replace(definition, of=self._level)
        self._breakdowns = (*definition.by, *((HOUR,) if definition.grain is Grain.HOUR else ()))
        self._metrics = [each for word in definition.metrics if (each := known.by_name.get(_api_name(word)))]
        self._attributes = [each for word in definition.attributes if (each := known.by_name.get(_api_name(word)))]
        self.findings: list[Finding] = [*self._of(), *self._by(), *self._fields(), *self._where()]
        self.findings += self._missing()
        self.findings += self._names(taken)

    def report(self) -> Report:
        """The report of a definition without findings."""
        definition = self._definition
        ids = tuple(_IDS[name] for name in self._known.levels[self._level])
        by = tuple(divider(name, self._known.breakdown[name].note) for name in definition.by)
        plain = [each for each in (*self._attributes, *self._metrics) if not each.is_list]
        key = tuple(each.column.name for each in (*ids, *by))
        columns = (*ids, *by, *map(_column, plain), _CURRENCY)
        tables = [numbers(definition.name, columns, key, definition.grain, fingerprint=definition.fingerprint)]
        if lists := self._lists():
            tables.append(
                action_lists(
                    f"{definition.name}_actions",
                    lists,
                    (*ids, *by),
                    _OF_LISTS,
                    grain=definition.grain,
                    fingerprint=definition.fingerprint,
                )
            )
        return Report(
            self._level,
            tuple(tables),
            name=definition.name,
            breakdowns=tuple(HOURS if name == HOUR else name for name in self._breakdowns),
            filtering=tuple(found for each in definition.where if isinstance(found := self._condition(each), dict)),
            grain=definition.grain,
            lookback_days=definition.lookback_days,
            months_kept=self._months_kept(tables),
        )

    def _lists(self) -> tuple[str, ...]:
        return tuple(each.name for each in self._metrics if each.is_list)

    def _months_kept(self, tables: list[ReportTable]) -> int:
        asked = {field for each in tables for field in each.fields}
        fitting = (
            each.months
            for each in self._known.retention
            if set(each.by) & set(self._breakdowns) and (not each.fields or asked & set(each.fields))
        )
        return min(fitting, default=MONTHS_KEPT)

    def _of(self) -> Iterator[Finding]:
        if self._level not in self._known.levels:
            yield self._wrong(
                "of", f"there is no level {self._level!r}; {did_you_mean(self._level, self._known.levels)}"
            )

    def _by(self) -> Iterator[Finding]:
        known, by = self._known, self._definition.by
        unknown = [name for name in by if name not in known.breakdown or name == HOUR]
        for name in unknown:
            yield self._wrong("by", self._no_breakdown(name))
        if not unknown and self._breakdowns:
            asked = set(self._breakdowns)
            if not any(set(each) == asked for each in known.permutations):
                yield self._wrong("by" if by else "grain", self._no_permutation(asked))
        for name in self._breakdowns:
            if name in known.breakdown and self._level in known.breakdown[name].not_of:
                yield self._wrong("by", f"Meta has no {name} of a whole account; ask for it of a campaign")

    def _no_breakdown(self, name: str) -> str:
        if name in (HOUR, HOURS):
            return "hours of the account's own days are asked for by `grain: hour`"
        if name in self._known.undocumented:
            return f"Meta documents no report by {name}; documented are {', '.join(self._names_of_breakdowns())}"
        if field := self._known.by_name.get(_api_name(name)):
            return f"{name!r} divides nothing: it goes under {field.role}"
        if _api_name(name) in self._known.given:
            return f"{name!r} comes with the level: a finer `of` has it in its key"
        return f"there is no breakdown {name!r}; {did_you_mean(name, self._names_of_breakdowns())}"

    def _names_of_breakdowns(self) -> list[str]:
        return [name for name in self._known.breakdown if name != HOUR]

    def _no_permutation(self, asked: set[str]) -> str:
        near = [each for each in self._known.permutations if set(each) & asked]
        legal = "; ".join(" and ".join(map(_as_written, each)) for each in near)
        return f"Meta divides no report by {' and '.join(map(_as_written, sorted(asked)))} together; it has {legal}"

    def _fields(self) -> Iterator[Finding]:
        for key in ("metrics", "attributes"):
            for word in getattr(self._definition, key):
                field = self._known.by_name.get(_api_name(word))
                if field is None or field.role != key:
                    yield self._wrong(key, self._no_field(word, key, field))
                    continue
                if field.of and self._level in self._known.levels and self._level not in field.of:
                    yield self._wrong(
                        key, f"{word!r} belongs to a finer level, which has it: of {' or '.join(field.of)}"
                    )
                if field.needs and field.needs not in self._definition.by:
                    yield self._wrong(key, f"{word!r} belongs to a {field.needs}: put {field.needs} under by")
                yield from self._beside(word, key, field)

    def _no_field(self, word: str, key: str, field: Field | None) -> str:
        if field:
            return f"{word!r} goes under {field.role}"
        if word in self._known.breakdown or word == HOURS or word in self._known.undocumented:
            return f"{word!r} divides rows: {self._no_breakdown(word) if word in (HOUR, HOURS) else 'it goes under by'}"
        if _api_name(word) in self._known.given:
            return f"{word!r} is in each table that can have it; leave it out"
        names = [each.name for each in self._known.fields if each.role == key]
        return f"there is no field {word!r}; {did_you_mean(word, names)}"

    def _beside(self, word: str, key: str, field: Field) -> Iterator[Finding]:
        for name in self._breakdowns:
            each = self._known.breakdown.get(name)
            if each is None:
                continue
            if each.takes_away(field):
                only = f"; it leaves {', '.join(each.only)}" if each.only else ""
                yield self._wrong(key, f"Facebook does not tell {word!r} with {_as_written(name)}{only}")
            elif each.lacks == "absent" and field.reads and field.name in self._known.off_meta:
                yield self._wrong(
                    key,
                    f"{word!r} would be too low with {_as_written(name)}, with which Facebook tells no actions outside "
                    "Meta; leave it out, or take the list actions",
                )

    def _missing(self) -> Iterator[Finding]:
        """What is legal, and less than one may expect."""
        lists = [each.name for each in self._metrics if each.name in self._known.off_meta and not each.reads]
        for name in self._breakdowns:
            each = self._known.breakdown.get(name)
            if each and each.lacks and lists:
                said = {
                    "absent": "Facebook leaves actions outside Meta, such as purchases on a website, out of",
                    "undivided": "actions outside Meta are not divided, so they may be repeated, in",
                }[each.lacks]
                yield self._warning("metrics", f"with {_as_written(name)} {said} {', '.join(lists)}")
            if each and each.slow:
                yield self._warning("by", f"Meta makes only ten reports by {name} in 24 hours")

    def _where(self) -> Iterator[Finding]:
        for text in self._definition.where:
            found = self._condition(text)
            if isinstance(found, str):
                yield self._wrong("where", found)

    def _condition(self, text: str) -> dict[str, Any] | str:
        return condition(text, self._known, self._definition.by)

    def _names(self, taken: Collection[str]) -> Iterator[Finding]:
        if not self._lists():
            return
        name = f"{self._definition.name}_actions"
        if name in taken:
            yield self._wrong("name", f"its lists of actions would become {name}, and there is that already; rename it")
        if len(name) > _LONGEST_NAME:
            longest = _LONGEST_NAME - len("_actions")
            yield self._wrong(
                "name", f"with lists of actions it has at most {longest} letters, because they become NAME_actions"
            )

    def _wrong(self, key: str, sentence: str) -> PipelineError:
        return self._definition.wrong(key, sentence)

    def _warning(self, key: str, sentence: str) -> CheckWarning:
        return CheckWarning(self._wrong(key, sentence).message)


def _column(field: Field) -> ReportColumn:
    """A field's column: the one that the built-in tables have, where it is read of the same fields."""
    own = _OWN.get(_column_name(field.name))
    if own and own.fields == (field.reads or (field.name,)):
        return own
    return scalar(_column_name(field.name), field.type, field.note, field.name)


def _api_name(word: str) -> str:
    """The API's word for what may be written as the column is named."""
    return f"adset_{word.removeprefix('ad_set_')}" if word.startswith("ad_set_") else word


def _column_name(name: str) -> str:
    return f"ad_set_{name.removeprefix('adset_')}" if name.startswith("adset_") else name


def _as_written(breakdown: str) -> str:
    return "grain: hour" if breakdown == HOUR else breakdown
