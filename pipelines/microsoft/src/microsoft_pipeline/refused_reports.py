"""Reports that cannot be had and that others do without: each is told, and keeps nothing else from being loaded.

They are those of one's own and those of further groups.
"""

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
        """Take what a report failed with; raises it again where it is about more than a report that is not core."""
        if report.table.is_core:
            raise error
        name = report.table.name
        if is_about_the_report(error):
            with self._lock:
                if name not in self._names:
                    self._names.add(name)
                    self._extraction.fail(_told(report, error))
        elif error.kind in _OF_AN_ACCOUNT or isinstance(error, NotMadeError) or _is_of_a_group(report, error):
            self._extraction.give_up([name], account_id, PipelineError(error.kind, _told(report, error).message))
        else:
            raise error


def _is_of_a_group(report: Report, error: PipelineError) -> bool:
    """Whether an account's user may not have a report of a group: what is core was asked for before it, and was had."""
    return not report.is_own and error.kind is Kind.AUTH and error.account_id is not None


def _told(report: Report, error: PipelineError) -> PipelineError:
    """A sentence about a table of all accounts, which names the setting where a user has defined it."""
    if report.is_own:
        return wrong_report(report.table.name, "", error.message)
    return PipelineError(error.kind, error.message)
