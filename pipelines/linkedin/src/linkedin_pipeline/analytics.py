"""Reports from adAnalytics, which has no paging, a limit of fields per call, and a silent cut at 15,000 elements.

The metrics of a row come in several calls and are put together by (values of the key, day). A row that only one of the
calls has keeps None for the others' metrics. An answer as long as the limit counts as cut: its window is halved, and a
single day or month is sliced by what the report is about. Facets narrow one another.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

import msgspec
from msgspec import Struct

from linkedin_pipeline import levels
from linkedin_pipeline.directory import Directory
from linkedin_pipeline.fields import Field, as_text, day, last_of_urn
from linkedin_pipeline.levels import Level
from linkedin_pipeline.report_table import DEMOGRAPHIC, Granularity, Pivot, Report
from linkedin_pipeline.restli import Projection, Value, urn
from wire import Kind, PipelineError, Window

if TYPE_CHECKING:
    from linkedin_pipeline.client import Client
    from linkedin_pipeline.names import Names

PATH = "/adAnalytics"
LONGEST_WINDOW = 31
"""Today and the 30 days of the usual lookback."""

VALUES = 5
"""How many values of a pivot a thing is expected to have on a day, of devices and places say."""
MEMBER_VALUES = 400
"""And of companies or job titles: LinkedIn tells the 100 of each creative with the most events."""

ROWS_NAMED_AT_ONCE = 1_000

log = logging.getLogger(__name__)

Key = tuple[tuple[str, ...], str]
"""What the columns of the key hold beside the account, and the day."""


class Slice(Struct, frozen=True):
    """What one set of calls asks for: days, and either the whole account or some things of a level."""

    window: Window
    level: Level | None = None
    ids: tuple[str, ...] = ()

    def __str__(self) -> str:
        return str(self.window) if self.level is None else f"{self.window}, {len(self.ids)} of its parts"


class Analytics:
    """The numbers of one account."""

    def __init__(
        self,
        client: Client,
        directory: Directory,
        *,
        account_id: str,
        currency: str | None,
        element_limit: int,
        names: Names,
    ) -> None:
        self._names = names
        self._client = client
        self._directory = directory
        self._account_id = account_id
        self._currency = currency
        self._limit = element_limit

    def window_days(self, report: Report) -> int:
        """As many days as are expected to stay below the limit of elements."""
        return max(1, min(LONGEST_WINDOW, (self._limit - 1) // self._rows_a_day(report)))

    def expected(self, report: Report, window: Window) -> int:
        """How many rows these days are expected to have; no answer has more than the limit of elements."""
        return min(self._limit, (1 if report.is_monthly else len(window)) * self._rows_a_day(report))

    def rows(self, report: Report, window: Window, today: dt.date) -> Iterator[dict[str, Any]]:
        """All rows of some days, as rows of the report's table."""
        final_before = (today.replace(day=1) if report.is_monthly else today).isoformat()
        described = self._described(report)
        for (key, date), metrics in self._numbers(report, window):
            yield {
                "account_id": self._account_id,
                "date": date,
                **described(key),
                **metrics,
                "currency": self._currency,
                "is_final": date < final_before,
            }

    def named_rows(self, report: Report, window: Window, today: dt.date) -> Iterator[dict[str, Any]]:
        """The same with what their URNs are called, looked up for many rows at once."""
        rows = self.rows(report, window, today)
        named = [(pivot.columns[0], pivot.name_column) for pivot in report.by if pivot.name_column]
        if not named:
            yield from rows
        while some := list(islice(rows, ROWS_NAMED_AT_ONCE)):
            names = self._names.of((row[column] for row in some for column, _ in named), self._account_id)
            for row in some:
                yield row | {name: names.get(row[column]) for column, name in named}

    def _described(self, report: Report) -> Callable[[tuple[str, ...]], Mapping[str, str | None]]:
        """What makes the columns of ids, names and pivots of the values of a key."""
        values, labels = report.values, report.labels
        if not report.attributes:
            return lambda key: dict(zip(values, key, strict=True))
        lowest, columns = report.levels[-1], self._directory.columns
        at, level = values.index(lowest.id_column), lowest.name
        if len(values) == 1 and set(labels) == set(columns(level, "")):
            return lambda key: columns(level, key[0])

        def some(key: tuple[str, ...]) -> Mapping[str, str | None]:
            known = columns(level, key[at])
            return {**{label: known[label] for label in labels}, **dict(zip(values, key, strict=True))}

        return some

    def ask(self, report: Report, window: Window) -> None:
        """Ask for some days of it in the cheapest way; raises what LinkedIn has against it."""
        for metrics in report.calls:
            self._elements(report, Slice(window), metrics)

    def _rows_a_day(self, report: Report) -> int:
        """How many rows one answer is expected to have for each day."""
        rows = self._directory.serving(report.levels[-1].name) if report.levels and not report.is_one_by_one else 1
        for pivot in report.by:
            if pivot.level is None:
                rows *= MEMBER_VALUES if pivot.name.startswith(DEMOGRAPHIC) else VALUES
        return max(1, rows)

    def _numbers(self, report: Report, window: Window) -> Iterator[tuple[Key, dict[str, Any]]]:
        if not report.is_one_by_one:
            yield from self._stitched(report, Slice(window))
            return
        for id_ in self._with_numbers(report, window):
            for (key, date), metrics in self._stitched(report, Slice(window, report.level, (id_,))):
                yield ((id_, *key), date), metrics

    def _with_numbers(self, report: Report, window: Window) -> list[str]:
        """The things of the report's level that have any of its numbers in these days: only they are asked for."""
        overview = msgspec.structs.replace(report, by=(), granularity=Granularity.ALL)
        return sorted({key[0] for (key, _), _ in self._stitched(overview, Slice(window))})

    def _stitched(self, report: Report, part: Slice) -> Iterator[tuple[Key, dict[str, Any]]]:
        stitched: dict[Key, dict[str, Any]] = {}
        nothing = dict.fromkeys(metric.name for metric in report.metrics)
        read = _Reader(report)
        for metrics in report.calls:
            elements = self._elements(report, part, metrics)
            if len(elements) >= self._limit:
                for smaller in self._halves(report, part):
                    yield from self._stitched(report, smaller)
                return
            stitch(stitched, nothing, metrics, (self._keyed(read, element) for element in elements))
            del elements  # Else they are still in memory when the next answer is read.
        yield from stitched.items()

    def _elements(self, report: Report, part: Slice, metrics: tuple[Field, ...]) -> list[dict[str, Any]]:
        parameters: dict[str, Value | Projection] = {
            **_grouping(report.pivots),
            "timeGranularity": {"value": report.granularity.value},
            "dateRange": {"start": part.window.first, "end": part.window.last},
        }
        level, ids = part.level or levels.ACCOUNT, part.ids or (self._account_id,)
        parameters |= {each.parameter: each.value for each in report.filters}
        parameters[level.facet] = [urn(level.urn, each) for each in ids]
        parameters["fields"] = Projection(("dateRange", "pivotValues", *(metric.source for metric in metrics)))
        return self._client.elements(PATH, parameters, account_id=self._account_id)

    def _keyed(self, read: _Reader, element: Mapping[str, Any]) -> tuple[Key, Mapping[str, Any]]:
        try:
            return read.key(element), element
        except (KeyError, IndexError, TypeError, ValueError) as cause:
            raise PipelineError(
                Kind.DATA, f"{PATH}: a row without its pivot or day", account_id=self._account_id
            ) from cause

    def _halves(self, report: Report, part: Slice) -> tuple[Slice, Slice]:
        log.debug("account %s, %s %s: too many rows for one answer", self._account_id, report.name, part)
        first, last = part.window.first, part.window.last
        if first < last and not report.is_monthly:
            middle = first + (last - first) // 2
            after = Window(middle + dt.timedelta(days=1), last)
            return Slice(Window(first, middle), part.level, part.ids), Slice(after, part.level, part.ids)
        level, ids = part.level, part.ids
        if level is None and report.levels and report.levels[-1].sliced_by:
            level = levels.BY_NAME[report.levels[-1].sliced_by]
            ids = self._sliced(report, level)
            log.warning(
                "account %s, %s %s: too many rows for one answer, so the %s is read in slices of the %d %ss that "
                "LinkedIn lists; rows of any that it does not list are not seen",
                *(self._account_id, report.name, part, "month" if report.is_monthly else "day", len(ids), level.name),
            )
        if len(ids) < 2:
            raise PipelineError(
                Kind.DATA,
                f"{PATH}: {report.name} has {self._limit:,} or more rows on {part.window} and cannot be sliced further",
                account_id=self._account_id,
            )
        half = len(ids) // 2
        return Slice(part.window, level, ids[:half]), Slice(part.window, level, ids[half:])

    def _sliced(self, report: Report, level: Level) -> tuple[str, ...]:
        """The ids by which a day is sliced: all of a level, or those of them that the report is about."""
        ids = self._directory.ids(level.name)
        wanted = next((each.value for each in report.filters if each.parameter == level.facet), None)
        return tuple(each for each in ids if urn(level.urn, each) in wanted) if isinstance(wanted, list) else ids


class _Reader:
    """Reads the key of a report's rows."""

    def __init__(self, report: Report) -> None:
        pivots = report.pivots
        self._converts = [_id if pivot.level or pivot.is_id else as_text for pivot in pivots for _ in pivot.columns]
        # The account's own pivot, which stands alone, is in every row as account_id already.
        self._is_total = pivots[0].level is levels.ACCOUNT
        self._is_monthly = report.is_monthly

    def key(self, element: Mapping[str, Any]) -> Key:
        """Raises ValueError or TypeError where the values are not as many as the pivots have, or are none."""
        date = day(element["dateRange"]["start"])
        if self._is_monthly:
            date = f"{date[:8]}01"  # LinkedIn dates a month by the days asked for; the table by its first.
        values = element["pivotValues"]
        if len(self._converts) == len(values) == 1:
            return () if self._is_total else (self._converts[0](values[0]),), date
        return tuple([convert(each) for convert, each in zip(self._converts, values, strict=True)]), date


def _id(value: object) -> str:
    """An id; what LinkedIn leaves empty stays so."""
    return last_of_urn(value) if value != "" else ""


def _grouping(pivots: tuple[Pivot, ...]) -> dict[str, Value | Projection]:
    """The finder and its pivots: one of them has a finder of its own."""
    if len(pivots) == 1 and not pivots[0].statistics_only:
        return {"q": "analytics", "pivot": {"value": pivots[0].name}}
    return {"q": "statistics", "pivots": [pivot.name for pivot in pivots]}


def stitch(
    stitched: dict[Key, dict[str, Any]],
    nothing: Mapping[str, None],
    metrics: tuple[Field, ...],
    elements: Iterator[tuple[Key, Mapping[str, Any]]],
) -> None:
    """Add one call's metrics to the rows that earlier calls began. Metrics stand at the top of an element.

    Raises PipelineError (data) where one answer has two different rows of the same thing and day.
    """
    plan = [(metric.name, metric.source, metric.converted) for metric in metrics]
    here: dict[Key, Mapping[str, Any]] = {}
    for key, element in elements:
        if here.setdefault(key, element) is not element:
            if here[key] != element:
                raise PipelineError(Kind.DATA, _two_rows(key, here[key], element))
            continue
        values = stitched.get(key)
        if values is None:
            values = stitched[key] = dict(nothing)
        for name, source, converted in plan:
            found = element.get(source)
            if found is not None:
                values[name] = converted(found)


def _two_rows(key: Key, one: Mapping[str, Any], other: Mapping[str, Any]) -> str:
    what, date = ", ".join(key[0]) or "the account", key[1]
    differs = next((name for name in {**one, **other} if one.get(name) != other.get(name)), "")
    return f"{PATH}: two different rows of {what} on {date} in one answer, which differ in {differs}"
