"""Reports of one's own that cannot be had: each is told, and keeps nothing else from being loaded."""

from __future__ import annotations

import threading

from microsoft_pipeline.tables import Report
from wire import Extraction, Kind, PipelineError, wrong_report

_OF_AN_ACCOUNT = frozenset({Kind.CONFIG, Kind.DATA})


class NotMadeError(PipelineError):
    """Microsoft does not make a report, however often it is asked for."""


def is_about_the_report(error: PipelineError) -> bool:
    """Whether a request was refused for how it is made, which is the same for every account."""
    return error.kind is Kind.INTERNAL or (error.kind is Kind.CONFIG and error.account_id is None)


class RefusedReports:
    """What Microsoft does not accept of anybody is told once; what it does not give of one account, for that account.

    Safe to share between threads.
    """

    def __init__(self, extraction: Extraction) -> None:
        self._extraction = extraction
        self._names: set[str] = set()
        self._lock = threading.Lock()

    def __contains__(self, name: str) -> bool:
        return name in self._names

    def take(self, report: Report, account_id: str, error: PipelineError) -> None:
        """Take what a report failed with; raises it again where it is about more than a report of one's own."""
        if not report.is_own:
            raise error
        name = report.table.name
        if is_about_the_report(error):
            with self._lock:
                if name not in self._names:
                    self._names.add(name)
                    self._extraction.fail(wrong_report(name, "", error.message))
        elif error.kind in _OF_AN_ACCOUNT or isinstance(error, NotMadeError):
            told = wrong_report(name, "", error.message)
            self._extraction.give_up([name], account_id, PipelineError(error.kind, told.message))
        else:
            raise error
