"""One run: groups in their order, platforms of a group side by side, attempts with backoff, the exit code."""

from __future__ import annotations

import shutil
import tempfile
import threading
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import evolve, field, frozen, mutable

from supervisor.config.credentials import secret_values
from supervisor.config.errors import ConfigError, SinkError
from supervisor.config.schema import OrchestratorConfig, PlatformConfig
from supervisor.process.stopping import StopRequest
from supervisor.process.workspace import workspace
from supervisor.record.log import log, name_run, pipeline_line, success
from supervisor.record.outcome import AttemptResult
from supervisor.record.run_record import Status
from supervisor.record.trace import TRACEPARENT, traceparent
from supervisor.run.attempt import Attempt, Days
from supervisor.run.given import check_sink
from supervisor.run.monitor import ExecutionMonitor
from supervisor.run.plan import Plan, make_plan
from supervisor.run.registry import Pipeline, PlatformRegistry, TokenProvider, create_default_registry
from supervisor.sinks.spend import read_spend
from wire.channel import PATCH, STATE_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from supervisor.sinks import Sink

EXIT_SUCCESS = 0
EXIT_PARTIAL = 2
EXIT_ALL_FAILED = 3
EXIT_STOPPED = 4


@frozen
class RunResult:
    """How a run ended; `exit_code` is what the process should end with."""

    exit_code: int
    total_rows_processed: int
    completed_platforms: tuple[str, ...]
    failed_platforms: tuple[str, ...]
    skipped_platforms: tuple[str, ...]

    @property
    def success(self) -> bool:
        return self.exit_code == EXIT_SUCCESS


@mutable(kw_only=True)
class SocialAdsOrchestrator:
    """Runs the platforms of a configuration against one sink.

    `data_sink` is opened from the environment, and closed again, unless one is given. `with_spend` asks it for what was
    spent, which the HTML report shows. `stop` may be set from a signal handler or another thread. Raises ConfigError or
    SinkError before anything is started.
    """

    config: OrchestratorConfig
    registry: PlatformRegistry = field(factory=create_default_registry)
    token_provider: TokenProvider | None = None
    data_sink: Sink | None = field(default=None, validator=lambda _, __, given: check_sink(given))
    days: Days = field(factory=Days)
    full_refresh: bool = False
    with_spend: bool = False
    stop: StopRequest = field(factory=StopRequest)
    stop_exit_code: int | None = None
    monitor: ExecutionMonitor = field(factory=ExecutionMonitor, init=False)
    _stopped_on_failure: bool = field(default=False, init=False)

    def run_all_platforms(self, only: Collection[str] = ()) -> RunResult:
        """Run every enabled platform, or those of `only`, and return when nothing of them is alive."""
        plan = make_plan(self.config, only)
        pipelines = self.pipelines(plan.platforms)
        self.monitor = ExecutionMonitor(pipelines)
        self._stopped_on_failure = False
        name_run(self.monitor.run_id)
        with self._storage() as sink, workspace() as directory, self._global_timeout():
            log.info("Starting Social Ads Orchestrator")
            log.info("Run %s into %s", self.monitor.run_id, sink.description)
            _log_left_out(plan, only)
            self._keep(sink)
            for number, group in enumerate(plan.groups, start=1):
                if not self.stop:
                    log.info("Executing Group %d/%d: %s", number, len(plan.groups), ", ".join(p.name for p in group))
                self._run_group(group, plan.at_once, pipelines, sink, directory)
            self._publish(sink)
            result = self._result()
            self.monitor.finish(result.exit_code)
            self._keep(sink)
        return result

    def run_platform(self, name: str) -> bool:
        """Run one platform; whether it completed."""
        return self.run_all_platforms((name,)).success

    def export_report(self, report_format: str, path: Path) -> None:
        """Write the run's report, "json", "csv" or "html"; raises ReportError."""
        self.monitor.export_report(report_format, path)

    def pipelines(self, platforms: Iterable[PlatformConfig]) -> dict[str, Pipeline]:
        """How each platform will be started; raises ConfigError that names all that cannot be."""
        registry = self.registry.with_configured(self.config)
        findings: list[str] = []
        pipelines: dict[str, Pipeline] = {}
        for platform in platforms:
            try:
                pipelines[platform.name] = registry.get_pipeline(platform.name, self.token_provider, self.data_sink)
            except ConfigError as error:
                findings.extend(error.findings)
        if findings:
            raise ConfigError(findings)
        return pipelines

    def _run_group(
        self,
        group: Sequence[PlatformConfig],
        at_once: int,
        pipelines: Mapping[str, Pipeline],
        sink: Sink,
        directory: Path,
    ) -> None:
        with ThreadPoolExecutor(at_once, thread_name_prefix="platform") as pool:
            futures: list[Future[None]] = [
                pool.submit(self._run_one, platform, pipelines[platform.name], sink, directory) for platform in group
            ]
            try:
                for future in futures:
                    future.result()
            except BaseException:
                self.stop.request("the supervisor failed")  # or the pool would wait for the others to end by themselves
                raise

    def _run_one(self, platform: PlatformConfig, pipeline: Pipeline, sink: Sink, directory: Path) -> None:
        name = platform.name
        reason = self._reason_to_skip(platform)
        if reason:
            self.monitor.skip_platform(name, reason)
            log.warning("Platform '%s' skipped: %s", name, reason)
            return
        self.monitor.start_platform(name)
        log.info("Platform '%s' started", name)
        try:
            result = self._attempts(platform, pipeline, sink, directory)
        except SinkError as error:
            self.monitor.fail_platform(name, str(error))
            log.error("Platform '%s' failed: %s", name, error)
            return
        record = self.monitor.platform(name)
        if result.succeeded:
            self.monitor.complete_platform(name)
            success("Platform '%s' completed: %s rows", name, f"{record.rows_processed:,}")
            return
        self.monitor.fail_platform(name, result.message or result.outcome.value)
        log.error("Platform '%s' failed: %s", name, result.message)
        if not self.config.continue_on_failure and not self.stop:
            self._stopped_on_failure = True
            self.stop.request(f"platform {name!r} failed and continue_on_failure is false")

    def _reason_to_skip(self, platform: PlatformConfig) -> str | None:
        if self.stop:
            return self.stop.reason
        status = {record.platform_name: record.status for record in self.monitor.platforms}
        unmet = [name for name in platform.dependencies if status.get(name, Status.COMPLETED) is not Status.COMPLETED]
        return f"it depends on {', '.join(unmet)}, which did not complete" if unmet else None

    def _attempts(self, platform: PlatformConfig, pipeline: Pipeline, sink: Sink, directory: Path) -> AttemptResult:
        last = platform.retry.max_attempts
        anew = self.full_refresh
        for number in range(1, last + 1):
            result = self._attempt(platform, pipeline, sink, directory, number, anew=anew)
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
            if self.stop.event.wait(wait):
                return result
        raise AssertionError("a retry policy allows at least one attempt")

    def _attempt(
        self, platform: PlatformConfig, pipeline: Pipeline, sink: Sink, directory: Path, number: int, *, anew: bool
    ) -> AttemptResult:
        own = Path(tempfile.mkdtemp(prefix=f"{platform.name}-", dir=directory))
        session = sink.session(platform.name, self.monitor.run_id)
        told = {TRACEPARENT: traceparent(self.monitor.run_id, platform.name, number), STATE_VARIABLE: PATCH}
        try:
            return Attempt(
                platform=platform,
                pipeline=evolve(pipeline, environment={**pipeline.environment, **told}),
                session=session,
                number=number,
                directory=own,
                stop=self.stop,
                secrets=secret_values(pipeline.environment, platform.pass_environment, (platform.settings,)),
                log_line=lambda line: pipeline_line(platform.name, line),
                days=self.days,
                full_refresh=anew,
                observe=self.monitor.update_attempt,
            ).run()
        finally:
            session.close()
            shutil.rmtree(own, ignore_errors=True)

    @contextmanager
    def _storage(self) -> Iterator[Sink]:
        if self.data_sink is not None:
            yield self.data_sink
            return
        from supervisor.config.environment import read_environment  # noqa: PLC0415 - only where no sink was given
        from supervisor.sinks import open_sink  # noqa: PLC0415 - as above

        sink = open_sink(read_environment())
        try:
            yield sink
        finally:
            sink.close()

    @contextmanager
    def _global_timeout(self) -> Iterator[None]:
        seconds = self.config.global_timeout
        if seconds is None:
            yield
            return
        timer = threading.Timer(
            seconds, lambda: self.stop.request(f"the run reached its global_timeout of {seconds:g} s")
        )
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _keep(self, sink: Sink) -> None:
        """Keep the record as it stands; at the start too, so that a run which is killed has left a trace."""
        try:
            sink.record_run(self.monitor.record())
        except Exception as error:  # noqa: BLE001 - the rows are what counts; a history that cannot be kept must not cost them
            log.warning("This run is not kept in the history: %s", error)

    def _publish(self, sink: Sink) -> None:
        try:
            sink.publish()
        except SinkError as error:
            log.error("The views over all platforms were not refreshed: %s", error)
        if self.with_spend:
            self._keep_spend(sink)

    def _keep_spend(self, sink: Sink) -> None:
        try:
            self.monitor.keep_spend(read_spend(sink))
        except Exception as error:  # noqa: BLE001 - a report without its charts of spend is better than a failed run
            log.warning("The report will not show spend: %s", error)

    def _result(self) -> RunResult:
        names: dict[Status, list[str]] = {status: [] for status in Status}
        for record in self.monitor.platforms:
            names[record.status].append(record.platform_name)
        completed, failed = names[Status.COMPLETED], names[Status.FAILED]
        skipped = names[Status.SKIPPED]
        if self.stop_exit_code is not None:
            code = self.stop_exit_code
        elif self._stopped_on_failure:
            code = EXIT_STOPPED
        elif not failed and not skipped:
            code = EXIT_SUCCESS
        else:
            code = EXIT_PARTIAL if completed else EXIT_ALL_FAILED
        rows = self.monitor.get_summary().total_rows_processed
        return RunResult(code, rows, tuple(completed), tuple(failed), tuple(skipped))


def _log_left_out(plan: Plan, only: Collection[str]) -> None:
    if only and plan.left_out:
        log.info("Left out by --only: %s", ", ".join(plan.left_out))
    for name, dependency in plan.assumed:
        log.warning("Platform '%s' depends on '%s', which --only leaves out; taken for done", name, dependency)
