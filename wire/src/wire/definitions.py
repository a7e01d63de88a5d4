"""Reports of one's own: what a user writes under `reports:`, read and checked as far as it is the same everywhere.

Which fields a platform has, and which may stand together, its pipeline knows. Nobody writes a key: it follows from
`of`, `by` and `grain`, because a key that lacks one of them keeps one row of many.
"""

from __future__ import annotations

import difflib
import hashlib
import re
from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from enum import StrEnum
from typing import Any

import msgspec
from msgspec import Struct

from wire.exits import Kind
from wire.failures import PipelineError

MOST_REPORTS = 200
"""Of one platform: each is a stream, and an account's part of each is a region of its own."""

_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_LISTS = ("by", "metrics", "attributes")


class Grain(StrEnum):
    """What one row is of: a day, an hour of a day, or a calendar month, whose `date` is its first day."""

    DAY = "day"
    HOUR = "hour"
    MONTH = "month"


class Definition(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One report as the user wants it, in the platform's own terms.

    `of` is what a row is about (a resource, a level, a type of report, an entity), `by` what else splits it, and
    `attributes` are names and the like that belong to an id. `where` are conditions that must hold all together.
    `lookback_days` of None means the platform's setting.
    """

    name: str
    of: str
    metrics: tuple[str, ...]
    by: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    grain: Grain = Grain.DAY
    lookback_days: int | None = None
    where: tuple[str, ...] = ()

    @property
    def fingerprint(self) -> str:
        """Equal for two definitions whose rows may stand in one table: the same `of`, `by`, `grain` and `where`.

        Metrics and attributes are columns, which come and go.
        """
        meant = [self.of, sorted(self.by), self.grain, sorted(self.where)]
        return hashlib.sha256(msgspec.json.encode(meant)).hexdigest()[:16]

    def wrong(self, key: str, sentence: str) -> PipelineError:
        """What is wrong with one key of it, as every finding names the place."""
        return wrong_report(self.name, key, sentence)


def wrong_report(name: str, key: str, sentence: str) -> PipelineError:
    """A finding (config) about a report: `reports.device_daily.by: ...`."""
    return PipelineError(Kind.CONFIG, f"reports.{name}.{key}: {sentence}" if key else f"reports.{name}: {sentence}")


def did_you_mean(word: str, known: Collection[str], *, shown: int = 12) -> str:
    """What would be right instead of `word`: the nearest of what is known, or all of it where that is not much."""
    by_lower = {each.lower(): each for each in known}
    near = difflib.get_close_matches(word.lower(), by_lower)
    if near:
        return f"did you mean {' or '.join(repr(by_lower[each]) for each in near)}?"
    listed = sorted(known)
    more = f" and {len(listed) - shown} more" if len(listed) > shown else ""
    return f"there are {', '.join(listed[:shown])}{more}" if listed else "there are none"


def read_definitions(
    settings: Mapping[str, Any], taken: Collection[str]
) -> tuple[tuple[Definition, ...], tuple[PipelineError, ...]]:
    """The reports of the setting `reports` that can be read, and everything that is wrong with the others.

    `taken` are the names of the tables that are there anyway.
    """
    given = settings.get("reports")
    if given is None:
        return (), ()
    if not isinstance(given, list | tuple):
        return (), (PipelineError(Kind.CONFIG, f"reports: expected a list of reports, got {_shown(given)}"),)
    if len(given) > MOST_REPORTS:
        return (), (PipelineError(Kind.CONFIG, f"reports: {len(given)} reports are more than {MOST_REPORTS}"),)
    read: list[Definition] = []
    findings: list[PipelineError] = []
    for index, raw in enumerate(given):
        found = list(_findings(raw, index))
        findings += found
        if not found:
            read.append(msgspec.convert(_plain(raw), Definition))
    findings += _names(read, taken)
    return tuple(read), tuple(findings)


def definitions(settings: Mapping[str, Any], taken: Collection[str]) -> tuple[Definition, ...]:
    """The reports of the setting `reports`; raises one PipelineError (config) that says everything that is wrong."""
    read, findings = read_definitions(settings, taken)
    if findings:
        raise PipelineError(Kind.CONFIG, "; ".join(finding.message for finding in findings))
    return read


def _findings(raw: object, index: int) -> Iterator[PipelineError]:
    if not isinstance(raw, Mapping):
        yield PipelineError(Kind.CONFIG, f"reports[{index}]: expected a mapping of keys to values, got {_shown(raw)}")
        return
    name = raw.get("name")
    place = name if isinstance(name, str) and _NAME.fullmatch(name) else f"[{index}]"
    fields = {field.name: field for field in msgspec.structs.fields(Definition)}
    for key in raw:
        if key not in fields:
            yield _at(place, str(key), f"there is no such key; {did_you_mean(str(key), fields)}")
    for key in ("name", "of", "metrics"):
        if raw.get(key) in (None, "", [], ()):
            yield _at(place, key, "is missing, and no report is without it")
    if name not in (None, "") and place != name:
        sentence = f"expected at most 63 small letters, digits and _ that begin with a letter, got {_shown(name)}"
        yield _at(place, "name", sentence)
    for key in (key for key in raw if key in fields and key != "name" and raw[key] is not None):
        try:
            msgspec.convert(raw[key], fields[key].type)
        except msgspec.ValidationError as cause:
            reason = str(cause).partition(" - at `$")[0]
            yield _at(place, key, f"{reason[:1].lower()}{reason[1:]}")
    yield from _values(raw, place)


def _values(raw: Mapping[str, Any], place: str) -> Iterator[PipelineError]:
    days = raw.get("lookback_days")
    if isinstance(days, int) and not 0 <= days <= 400:
        yield _at(place, "lookback_days", f"expected 0 to 400 days, got {days}")
    listed = [(key, word) for key in _LISTS for word in _texts(raw.get(key))]
    first: dict[str, str] = {}
    for key, word in listed:
        if word.lower() in first:
            yield _at(place, key, f"{word!r} is already in {first[word.lower()]}")
        first.setdefault(word.lower(), key)
    for key, word in [*listed, *(("where", each) for each in _texts(raw.get("where")))]:
        if not word.strip() or not word.isprintable():
            yield _at(place, key, f"expected a text in one line, got {_shown(word)}")


def _names(read: Sequence[Definition], taken: Collection[str]) -> Iterator[PipelineError]:
    for each in read:
        if each.name in taken:
            yield each.wrong("name", f"there is a table {each.name} already; choose another name")
    for name, count in Counter(each.name for each in read).items():
        if count > 1:
            yield wrong_report(name, "name", f"{count} reports have this name")


def _at(place: str, key: str, sentence: str) -> PipelineError:
    where = f"reports{place}" if place.startswith("[") else f"reports.{place}"
    return PipelineError(Kind.CONFIG, f"{where}.{key}: {sentence}")


def _plain(raw: Mapping[str, Any]) -> dict[str, Any]:
    """Without the keys that are null, which YAML makes of a key that nothing follows."""
    return {key: value for key, value in raw.items() if value is not None}


def _texts(value: object) -> list[str]:
    return [each for each in value if isinstance(each, str)] if isinstance(value, list | tuple) else []


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
