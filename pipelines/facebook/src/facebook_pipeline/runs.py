"""The insights runs of all accounts, looked at together: many reports are in the making, and few requests ask for them.

Whoever waits for a run whose look is due asks for it, and in the same call for others that are nearly due, of whatever
account. Such a call is made once: where it is refused, each of its runs is looked at alone, by its own account, because
a refusal does not say which of them it means.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from facebook_pipeline.errors import ApiError, LostRunError, ObjectRefusedError, Scope
from facebook_pipeline.settings import Settings
from wire import Kind, PipelineError

if TYPE_CHECKING:
    from facebook_pipeline.client import Graph

log = logging.getLogger(__name__)

COMPLETED = "Job Completed"
FAILED = ("Job Failed", "Job Skipped")
IDS_AT_ONCE = 50
"""How many objects Facebook reads in one call that names several."""
_FIRST_WAIT = 0.2
_TOLD_FROM = 10.0
_STATUS_FIELDS = ("async_status", "async_percent_completion")
_ERROR_FIELDS = ("error_code", "error_subcode", "error_message", "error_user_title", "error_user_msg")


class Run:
    """A report that Facebook is making; `told` is what it said of itself last, `what` names it in the log."""

    def __init__(self, run_id: str, what: str, graph: Graph, since: float) -> None:
        self.id = run_id
        self.what = what
        self.graph = graph
        self.since = since
        self.told: dict[str, Any] = {}
        self.due = since
        self.wait = 0.0
        self.is_looked_at = False
        self.is_alone = False

    @property
    def status(self) -> str | None:
        return self.told.get("async_status")

    @property
    def is_over(self) -> bool:
        """Its percentage reaches 100 before its rows are ready, so only the status counts."""
        return self.status == COMPLETED or self.status in FAILED


class Runs:
    """All runs that somebody waits for, or will. Safe to use from the threads of several accounts."""

    def __init__(
        self,
        graph: Graph,
        settings: Settings,
        *,
        sleep: Callable[[float], None] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        told = _version(settings.api_version) >= (25, 0)
        self._fields = ",".join((*_STATUS_FIELDS, *_ERROR_FIELDS) if told else _STATUS_FIELDS)
        self._graph = graph
        self._longest = settings.poll_interval
        self._sleep = sleep
        self._clock = clock
        self._changed = threading.Condition()
        self._runs: dict[str, Run] = {}

    def add(self, run_id: str, what: str, graph: Graph) -> Run:
        """A run that Facebook has begun on behalf of the account of `graph`; `forget` it in the end."""
        run = Run(run_id, what, graph, self._clock())
        with self._changed:
            self._runs[run_id] = run
        return run

    def forget(self, run: Run) -> None:
        """Do not look at a run any more."""
        with self._changed:
            self._runs.pop(run.id, None)

    def wait_for(self, run: Run, *, seconds: float) -> None:
        """Return when a run is over, or `seconds` after it began. Raises LostRunError where it cannot be read."""
        while not run.is_over:
            if run.told and self._clock() - run.since > seconds:
                return
            together = self._claim(run)
            if together:
                self._look(run, together)
            else:
                self._rest(run)

    def _claim(self, run: Run) -> list[Run]:
        """What to look at together, nothing where the run is not due or somebody looks at it already."""
        now = self._clock()
        with self._changed:
            if run.is_over or run.is_looked_at or run.due > now:
                return []
            others = [] if run.is_alone else [each for each in self._runs.values() if _fits(each, now) and each != run]
            others.sort(key=lambda each: each.due)
            together = [run, *others[: IDS_AT_ONCE - 1]]
            for each in together:
                each.is_looked_at = True
        return together

    def _look(self, run: Run, together: list[Run]) -> None:
        told: dict[str, Any] = {}
        try:
            told = self._told(run, together)
        finally:
            with self._changed:
                for each in together:
                    self._learn(each, told.get(each.id), alone=not told)
                self._changed.notify_all()
        if not run.is_over:
            # A line now and then also tells the supervisor that this is no stall.
            level = logging.INFO if run.wait >= _TOLD_FROM else logging.DEBUG
            log.log(level, "%s: %s, %s %%", run.what, run.status, run.told.get("async_percent_completion"))

    def _told(self, run: Run, together: list[Run]) -> dict[str, Any]:
        """What the runs say, by their ids; nothing where they must be looked at one by one."""
        if len(together) > 1:
            try:
                return self._graph.several(tuple(each.id for each in together), self._fields)
            except PipelineError as error:
                if isinstance(error, ApiError) and error.scope is Scope.LOGIN and error.kind is not Kind.RATE_LIMIT:
                    raise
                log.debug("%s", error.message)
                return {}
        try:
            return {run.id: run.graph.get(run.id, fields=self._fields)}
        except (ObjectRefusedError, LostRunError) as error:
            # A run may be unknown for a moment after it was made; a new job is cheaper than to find out.
            raise LostRunError(Kind.TRANSIENT, error.message) from None

    def _learn(self, run: Run, told: object, *, alone: bool) -> None:
        run.is_looked_at = False
        run.is_alone = not isinstance(told, dict)
        if isinstance(told, dict):
            run.told = told
            run.wait = min(self._longest, 2 * run.wait or _FIRST_WAIT)
            run.due = self._clock() + run.wait
        elif not alone:
            log.debug("%s: left out of an answer", run.what)

    def _rest(self, run: Run) -> None:
        """Until the run is due, or others have looked at it; another account may use the turn meanwhile."""
        if self._sleep:
            self._sleep(run.due - self._clock())
            return
        with self._graph.limiter.repeating(), self._changed:
            left = run.due - self._clock()
            if not run.is_over and (run.is_looked_at or left > 0):
                self._changed.wait(1.0 if run.is_looked_at else min(left, 1.0))
        self._graph.limiter.check()


def _fits(run: Run, now: float) -> bool:
    """Whether a run may be looked at with another: at least half of its wait has passed."""
    return not (run.is_over or run.is_looked_at or run.is_alone) and run.due - run.wait / 2 <= now


def _version(name: str) -> tuple[int, ...]:
    return tuple(int(part) for part in name.removeprefix("v").split("."))
