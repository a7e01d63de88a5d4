"""One platform of a run: its attempts, the waits between them, and what becomes of whatever goes wrong in one.

An exception in preparing, starting, watching or ending an attempt is that attempt's end, and `_attempt` is where that
is held: no platform ends the run for the others.
"""

from __future__ import annotations

import datetime as dt
import time
from pathlib import Path

from attrs import define, evolve, field

from supervisor.config.credentials import secret_values
from supervisor.config.redaction import redact
from supervisor.config.schema import PlatformConfig
from supervisor.process.stopping import StopRequest
from supervisor.process.user import User, find_user
from supervisor.process.workspace import Workspace
from supervisor.record.log import log, pipeline_line
from supervisor.record.outcome import AttemptResult
from supervisor.record.trace import TRACEPARENT, traceparent
from supervisor.run.attempt import Attempt, unstarted
from supervisor.run.ends import end_of_error
from supervisor.run.invocation import Days, Invocation
from supervisor.run.monitor import ExecutionMonitor
from supervisor.run.patience import OverdueError, patiently
from supervisor.run.registry import Pipeline
from supervisor.sinks import Session, Sink
from wire.channel import PATCH, STATE_VARIABLE
from wire.resuming import RESUME_VARIABLE
from wire.settings import BACKFILL_VARIABLE
from wire.shards import Shard

_ANSWER_SECONDS = 8.0


@define(kw_only=True)
class Attempts:
    """The attempts of one platform; `run` is called once. With `full_refresh` the first begins with no state.

    `chain` names the attempts whose work is not done again; "" where everything is.
    """

    platform: PlatformConfig
    pipeline: Pipeline
    sink: Sink
    workspace: Workspace
    monitor: ExecutionMonitor
    stop: StopRequest
    days: Days
    shard: Shard | None = None
    full_refresh: bool = False
    chain: str = ""
    left_behind: bool = field(default=False, init=False)
    """Whether threads still use the sink, because it answered no interruption."""

    def run(self) -> AttemptResult:
        """Try until an attempt succeeds or no other would help; the result of the last."""
        platform = self.platform
        last = platform.retry.max_attempts
        anew = self.full_refresh
        for number in range(1, last + 1):
            result = self._attempt(number, anew=anew)
            self.monitor.record_attempt(result)
            # Once something is committed, the stored state is this run's own, and the next attempt resumes after it.
            anew = anew and not result.rows_by_table
            if result.survivors:
                log.warning("Platform '%s' left processes behind: %s", platform.name, ", ".join(result.survivors))
            if result.succeeded or not result.retryable or number == last or self.stop:
                return result
            asked = result.retry_after or 0.0
            if asked > platform.retry.max_backoff_seconds:
                # A daily quota, say: waiting would only keep the sink locked, and the next run resumes here anyway.
                late = f"it asks to wait {asked:g} s, longer than max_backoff_seconds, so not in this run"
                return evolve(result, message=f"{result.message}; {late}")
            wait = max(platform.retry.delay(number), asked)
            log.warning(
                "Platform '%s' attempt %d/%d failed: %s; retrying in %g s",
                *(platform.name, number, last, result.message, wait),
            )
            self.monitor.retry_platform(platform.name)
            if self.stop.wait(wait):
                return result
        raise AssertionError("a retry policy allows at least one attempt")

    def _attempt(self, number: int, *, anew: bool) -> AttemptResult:
        """One attempt and its result, whatever goes wrong in it or around it."""
        started, name = dt.datetime.now(dt.UTC), self.platform.name
        session: Session | None = None
        try:
            user = find_user(self.platform.run_as) if self.platform.run_as else None
            with self.workspace.room(name, user) as room:
                session = patiently(lambda: self.sink.session(name, self.monitor.run_id), self._waited_enough)
                attempt = self._prepared(session, room, number, user, anew=anew)
                result = attempt.run()
                if attempt.left_behind:
                    session, self.left_behind = None, True
                return result
        except Exception as error:  # noqa: BLE001 - it is this attempt's end, and nobody else's
            log.debug("Platform '%s': an attempt could not be prepared", name, exc_info=error)
            self.left_behind = self.left_behind or isinstance(error, OverdueError)
            end = end_of_error(error, running=False)
            return unstarted(name, number, evolve(end, sentence=redact(end.sentence, self._secrets())), started=started)
        finally:
            if session is not None:
                self._close(session)

    def _prepared(self, session: Session, room: Path, number: int, user: User | None, *, anew: bool) -> Attempt:
        name, pipeline = self.platform.name, self.pipeline
        told = {TRACEPARENT: traceparent(self.monitor.run_id, name, number), STATE_VARIABLE: PATCH}
        told[BACKFILL_VARIABLE] = f"{self.platform.timeout / 2:g}"
        if self.chain:
            told[RESUME_VARIABLE] = self.chain
        invocation = Invocation(
            platform=self.platform,
            pipeline=evolve(pipeline, environment={**pipeline.environment, **told}),
            session=session,
            directory=room,
            user=user,
            days=self.days,
            shard=self.shard,
            full_refresh=anew,
        )
        return Attempt(
            invocation=invocation,
            number=number,
            stop=self.stop,
            secrets=self._secrets(),
            log_line=lambda line: pipeline_line(name, line),
            observe=self.monitor.update_attempt,
        )

    def _secrets(self) -> frozenset[str]:
        return secret_values(self.pipeline.environment, self.platform.pass_environment, (self.platform.settings,))

    def _close(self, session: Session) -> None:
        try:
            patiently(session.close, self._waited_enough)
        except Exception as error:  # noqa: BLE001 - what is committed is committed, so the attempt's result stands
            self.left_behind = self.left_behind or isinstance(error, OverdueError)
            log.warning("Platform '%s': its session with the storage was not closed: %s", self.platform.name, error)

    def _waited_enough(self) -> str | None:
        """Why nobody waits for the sink any more: the run was told to stop, and the sink had its time since."""
        if not self.stop:
            return None
        late = time.monotonic() - (self.stop.since or 0.0) > _ANSWER_SECONDS
        return f"{self.stop.reason}, and the sink did not answer in time" if late or self.stop.hurry else None
