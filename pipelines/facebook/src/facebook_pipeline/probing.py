"""Asks Facebook about reports without loading them: one small question each, of one account."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from facebook_pipeline.accounts import Listed
from facebook_pipeline.client import Graph
from facebook_pipeline.errors import ApiError, ObjectRefusedError, Scope
from facebook_pipeline.insights import Report
from facebook_pipeline.jobs import asked
from facebook_pipeline.settings import Settings
from wire import CheckWarning, Kind, PipelineError, wrong_report

_OF_THE_REPORT = (Kind.CONFIG, Kind.DATA, Kind.INTERNAL)


def refused(
    graph: Graph, settings: Settings, accounts: Sequence[Listed], reports: Sequence[Report]
) -> Iterator[PipelineError | CheckWarning]:
    """What Facebook says against each report, asked synchronously for a row of yesterday.

    The first account that can be read is asked. Raises PipelineError for what is no report's: a refused login, say.
    """
    for report in reports:
        if (found := _asked_of_any(graph, settings, accounts, report)) is not None:
            yield found


def _asked_of_any(
    graph: Graph, settings: Settings, accounts: Sequence[Listed], report: Report
) -> PipelineError | CheckWarning | None:
    fields = tuple(dict.fromkeys(field for each in report.tables for field in each.fields))
    refusal: ObjectRefusedError | None = None
    for account in accounts:
        try:
            graph.get(
                f"act_{account.id}",
                "insights",
                date_preset="yesterday",
                limit=1,
                **asked(report, fields, settings),
            )
        except ObjectRefusedError as error:
            refusal = error
            continue
        except ApiError as error:
            if error.scope is Scope.LOGIN:
                raise
            if error.kind in _OF_THE_REPORT:
                return wrong_report(report.name, "", error.message)
            return CheckWarning(wrong_report(report.name, "", f"could not be asked about: {error.message}").message)
        return None
    return CheckWarning(wrong_report(report.name, "", f"could not be asked about: {refusal}").message)
