"""Daily reports from adAnalytics, which has no paging, a limit of fields per call, and a silent cut at 15,000 elements.

The metrics of a row come in several calls and are put together by (pivot, day). A row that only one of the calls has
keeps None for the others' metrics. An answer as long as the limit counts as cut: its window is halved, and a single
day is sliced by what the report is about.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from msgspec import Struct

from linkedin_pipeline.directory import Directory
from linkedin_pipeline.fields import Field, day, last_of_urn
from linkedin_pipeline.restli import Projection, Value, urn
from linkedin_pipeline.tables import METRICS, METRICS_PER_CALL, Report
from wire import Kind, PipelineError, Window

if TYPE_CHECKING:
    from linkedin_pipeline.client import Client

PATH = "/adAnalytics"
LONGEST_WINDOW = 31
"""Today and the 30 days of the usual lookback."""

CALLS = tuple(METRICS[at : at + METRICS_PER_CALL] for at in range(0, len(METRICS), METRICS_PER_CALL))

_NOTHING: dict[str, Any] = dict.fromkeys(metric.name for metric in METRICS)

log = logging.getLogger(__name__)

Key = tuple[str, str]
"""The pivot's id and the day."""


class Slice(Struct, frozen=True):
    """What one set of calls asks for: days, and either the whole account or some of its campaigns or groups."""

    window: Window
    ids: tuple[str, ...] | None = None

    def __str__(self) -> str:
        return str(self.window) if self.ids is None else f"{self.window}, {len(self.ids)} of its parts"


class Analytics:
    """The daily numbers of one account."""

    def __init__(
        self, client: Client, directory: Directory, *, account_id: str, currency: str | None, element_limit: int
    ) -> None:
        self._client = client
        self._directory = directory
        self._account_id = account_id
        self._currency = currency
        self._limit = element_limit

    def window_days(self, report: Report) -> int:
        """As many days as are expected to stay below the limit of elements."""
        return max(1, min(LONGEST_WINDOW, (self._limit - 1) // max(1, self._serving(report))))

    def expected(self, report: Report, window: Window) -> int:
        """How many rows these days are expected to have; no answer has more than the limit of elements."""
        return min(self._limit, len(window) * self._serving(report))

    def _serving(self, report: Report) -> int:
        return self._directory.serving(report.level) if report.named else 1

    def rows(self, report: Report, window: Window, today: dt.date) -> Iterator[dict[str, Any]]:
        """All rows of some days, as rows of the report's table."""
        for (id_, date), metrics in self._stitched(report, Slice(window)):
            yield {
                "account_id": self._account_id,
                "date": date,
                **(self._directory.columns(report.level, id_) if report.named else {}),
                **metrics,
                "currency": self._currency,
                "is_final": date < today.isoformat(),
            }

    def _stitched(self, report: Report, part: Slice) -> Iterator[tuple[Key, dict[str, Any]]]:
        stitched: dict[Key, dict[str, Any]] = {}
        for metrics in CALLS:
            elements = self._elements(report, part, metrics)
            if len(elements) >= self._limit:
                for smaller in self._halves(report, part):
                    yield from self._stitched(report, smaller)
                return
            stitch(stitched, metrics, (self._keyed(element) for element in elements))
            del elements  # Else they are still in memory when the next answer is read.
        yield from stitched.items()

    def _elements(self, report: Report, part: Slice, metrics: tuple[Field, ...]) -> list[dict[str, Any]]:
        parameters: dict[str, Value | Projection] = {
            "q": "analytics",
            "pivot": {"value": report.pivot},
            "timeGranularity": {"value": "DAILY"},
            "dateRange": {"start": part.window.first, "end": part.window.last},
        }
        if part.ids is None:
            parameters["accounts"] = [urn("sponsoredAccount", self._account_id)]
        else:
            parameters[report.facet] = [urn(report.facet_urn, each) for each in part.ids]
        parameters["fields"] = Projection(("dateRange", "pivotValues", *(metric.source for metric in metrics)))
        return self._client.elements(PATH, parameters, account_id=self._account_id)

    def _keyed(self, element: Mapping[str, Any]) -> tuple[Key, Mapping[str, Any]]:
        try:
            return (last_of_urn(element["pivotValues"][0]), day(element["dateRange"]["start"])), element
        except (KeyError, IndexError, TypeError, ValueError) as cause:
            raise PipelineError(
                Kind.DATA, f"{PATH}: a row without its pivot or day", account_id=self._account_id
            ) from cause

    def _halves(self, report: Report, part: Slice) -> tuple[Slice, Slice]:
        log.debug("account %s, %s %s: too many rows for one answer", self._account_id, report.name, part)
        first, last = part.window.first, part.window.last
        if first < last:
            middle = first + (last - first) // 2
            return Slice(Window(first, middle), part.ids), Slice(Window(middle + dt.timedelta(days=1), last), part.ids)
        ids = part.ids
        if ids is None:
            ids = self._directory.ids(report.facet_level)
            log.warning(
                "account %s, %s %s: too many rows for one answer, so the day is read in slices of the %d %ss that "
                "LinkedIn lists; rows of any that it does not list are not seen",
                *(self._account_id, report.name, part, len(ids), report.facet_level),
            )
        if len(ids) < 2:
            raise PipelineError(
                Kind.DATA,
                f"{PATH}: {report.name} has {self._limit:,} or more rows on {first} and cannot be sliced further",
                account_id=self._account_id,
            )
        middle_id = len(ids) // 2
        return Slice(part.window, ids[:middle_id]), Slice(part.window, ids[middle_id:])


def stitch(
    stitched: dict[Key, dict[str, Any]],
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
                raise PipelineError(Kind.DATA, f"{PATH}: two different rows of {key[0]} on {key[1]} in one answer")
            continue
        values = stitched.get(key)
        if values is None:
            values = stitched[key] = _NOTHING.copy()
        for name, source, converted in plan:
            found = element.get(source)
            if found is not None:
                values[name] = converted(found)
