"""One run: platforms as soon as it is their turn, what the record says of each, the exit code."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Collection, Iterable, Mapping
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from attrs import evolve, field, frozen, mutable

from supervisor.config.credentials import missing_credentials
from supervisor.config.errors import ConfigError, SinkError, SupervisorError
from supervisor.config.schema import OrchestratorConfig, PlatformConfig
from supervisor.config.shards import of_shard
from supervisor.process.stopping import StopRequest
from supervisor.process.user import find_user
from supervisor.process.workspace import Workspace, workspace
from supervisor.record.exit_codes import EXIT_STOPPED
from supervisor.record.log import log, name_run, success
from supervisor.record.outcome import AttemptResult, Outcome
from supervisor.record.run_record import Status
from supervisor.run.announcing import announcer, tell_plan
from supervisor.run.attempts import Attempts
from supervisor.run.given import check_sink
from supervisor.run.invocation import Days
from supervisor.run.monitor import ExecutionMonitor
from supervisor.run.patience import OverdueError, patiently
from supervisor.run.plan import Plan, make_plan
from supervisor.run.reconciling import reconcile, tell
from supervisor.run.registry import Pipeline, PlatformRegistry, TokenProvider, create_default_registry
from supervisor.run.result import RunResult, result_of
from supervisor.run.resuming import chains
from supervisor.run.turns import Turns
from supervisor.sinks.spend import read_spend
from wire.checking import Api
from wire.shards import Shard

if TYPE_CHECKING:
    from collections.abc import Iterator

    from supervisor.config.environment import RunEnvironment
    from supervisor.sinks import Sink

_LAST_WORK_SECONDS = 8.0


@frozen
class _Run:
    """What is fixed when a run begins: `reasons` says of platforms without a pipeline why they cannot run."""

    plan: Plan
    pipelines: Mapping[str, Pipeline]
    reasons: Mapping[str, str]
    chains: Mapping[str, str]
    sink: Sink
    workspace: Workspace


@mutable(kw_only=True)
class SocialAdsOrchestrator:
    """Runs the platforms of a configuration against one sink.

    `data_sink` is opened from the environment, and closed again, unless one is given. Of a `shard` only its accounts
    are loaded; `run_group` is what the runs of all shards have in common. `with_spend` asks it for what was
    spent, which the HTML report shows. `stop` may be set from a signal handler or another thread, and holds for the run
    that is under way or comes next; a run begins anew otherwise, so one object can run any number of times, though not
    twice at once. Raises ConfigError or SinkError before anything is started.
    """

    config: OrchestratorConfig
    registry: PlatformRegistry = field(factory=create_default_registry)
    token_provider: TokenProvider | None = None
    data_sink: Sink | None = field(default=None, validator=lambda _, __, given: check_sink(given))
    days: Days = field(factory=Days)
    full_refresh: bool = False
    shard: Shard | None = None
    run_group: str | None = None
    with_spend: bool = False
    stop: StopRequest = field(factory=StopRequest)
    stop_exit_code: int | None = None
    monitor: ExecutionMonitor = field(factory=ExecutionMonitor, init=False)
    left_behind: bool = field(default=False, init=False)
    _stopped_on_failure: bool = field(default=False, init=False)
    _turn: threading.Lock = field(factory=threading.Lock, init=False)

    def run_all_platforms(
        self,
        only: Collection[str] = (),
        *,
        refused: Mapping[str, str] | None = None,
        apis: Mapping[str, Api] | None = None,
    ) -> RunResult:
        """Run every enabled platform, or those of `only`, and return when nothing of them is alive.

        `refused` holds platforms that cannot run, and why: they fail with that sentence without being started, and so
        do those whose pipeline or credentials are found to be missing here. `apis` is what the pipelines said of the
        API that they speak, for the reports and the history.
        """
        plan = make_plan(self.config, only, self.shard)
        pipelines, reasons = self._ready(plan.platforms, refused or {})
        if reasons and self.config.require_all:
            raise ConfigError(reasons.values())
        self._begin()
        self.monitor = ExecutionMonitor(
            (platform.name for platform in plan.platforms), shard=self.shard, run_group=self.run_group
        )
        self.monitor.keep_apis(apis or {})
        name_run(self.monitor.run_id)
        try:
            continued = self._chains(pipelines)
            with workspace() as directory, self._storage(directory.path) as sink:
                log.info("Starting Social Ads Orchestrator")
                log.info("Run %s into %s", self.monitor.run_id, sink.description)
                tell_plan(plan, only)
                self._keep(sink)
                self._run_stages(_Run(plan, pipelines, reasons, continued, sink, directory))
                self._publish(sink)
                self._reconcile(plan, sink)
                result = self._result()
                self.monitor.finish(result.exit_code)
                self._keep(sink)
            return evolve(result, left_behind=self.left_behind)
        finally:
            self.stop.clear()
            self._turn.release()

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

    def _begin(self) -> None:
        if not self._turn.acquire(blocking=False):
            raise SupervisorError("this orchestrator is running already; use another one for a run beside it")
        self._stopped_on_failure = False
        self.left_behind = False
        if not self.stop:
            self.stop_exit_code = None
        seconds = self.config.global_timeout
        if seconds is not None:
            self.stop.request_after(seconds, f"the run reached its global_timeout of {seconds:g} s")

    def _ready(
        self, platforms: Iterable[PlatformConfig], refused: Mapping[str, str]
    ) -> tuple[dict[str, Pipeline], dict[str, str]]:
        """How each platform is started, and of the others why they are not."""
        pipelines: dict[str, Pipeline] = {}
        reasons = dict(refused)
        for platform in platforms:
            if platform.name in reasons:
                continue
            try:
                pipeline = self.pipelines((platform,))[platform.name]
            except ConfigError as error:
                reasons[platform.name] = "; ".join(error.findings)
                continue
            missing = _user_trouble(platform)
            if missing is None and platform.command is None:
                missing = missing_credentials(platform.name, pipeline.environment, platform.settings)
            if missing is None:
                pipelines[platform.name] = pipeline
            else:
                reasons[platform.name] = missing
        return pipelines, reasons

    def _run_stages(self, run: _Run) -> None:
        announce = announcer(run.plan)

        def work(name: str) -> None:
            if not self.stop:
                announce(name)
            self._run_one(run, name)

        for stage in run.plan.stages:
            Turns([platform.name for platform in stage], run.plan.scheduler.needs, work).take(run.plan.at_once)

    def _run_one(self, run: _Run, name: str) -> None:
        reason = self._reason_to_skip(run.plan, name)
        if reason:
            self.monitor.skip_platform(name, reason)
            log.warning("Platform '%s' skipped: %s", name, reason)
            return
        if name in run.reasons:
            self._fail(name, run.reasons[name])
            return
        self.monitor.start_platform(name)
        log.info("Platform '%s' started", name)
        result = self._attempts(run, name)
        record = self.monitor.platform(name)
        if result.succeeded:
            self.monitor.complete_platform(name)
            success("Platform '%s' completed: %s rows", name, f"{record.rows_processed:,}")
        elif result.outcome is Outcome.INTERRUPTED and self._stopped_on_failure:
            reason = f"interrupted while it was running, because {self.stop.reason}"
            self.monitor.skip_platform(name, reason)
            log.warning("Platform '%s' %s; what it has stored stays", name, reason)
        else:
            self._fail(name, result.message or result.outcome.value)

    def _attempts(self, run: _Run, name: str) -> AttemptResult:
        attempts = Attempts(
            platform=next(platform for platform in run.plan.platforms if platform.name == name),
            pipeline=run.pipelines[name],
            sink=run.sink,
            workspace=run.workspace,
            monitor=self.monitor,
            stop=self.stop,
            days=self.days,
            shard=self.shard,
            full_refresh=self.full_refresh,
            chain=run.chains[name],
        )
        try:
            return attempts.run()
        finally:
            self.left_behind = self.left_behind or attempts.left_behind

    def _fail(self, name: str, sentence: str) -> None:
        self.monitor.fail_platform(name, sentence)
        log.error("Platform '%s' failed: %s", name, sentence)
        if not self.config.continue_on_failure and not self.stop:
            self._stopped_on_failure = True
            self.stop.request(f"platform {name!r} failed and continue_on_failure is false")

    def _reason_to_skip(self, plan: Plan, name: str) -> str | None:
        if self.stop:
            return self.stop.reason
        completed = [each.platform_name for each in self.monitor.platforms if each.status is Status.COMPLETED]
        unmet = plan.scheduler.unmet(name, completed)
        return f"it depends on {', '.join(unmet)}, which did not complete" if unmet else None

    def _chains(self, names: Iterable[str]) -> Mapping[str, str]:
        """Platform -> the chain of attempts that it continues. Days that were asked for by name begin one."""
        run_id = self.monitor.run_id
        own = dict.fromkeys(names, run_id)
        asked = self.full_refresh or self.days.since is not None or self.days.until is not None
        if asked or self.data_sink is not None:
            return own
        from supervisor.sinks import open_history  # noqa: PLC0415 - only where no sink was given

        started, seconds = self.monitor.started, self.config.resume_within
        try:
            with closing(open_history(self._environment())) as history:
                return chains(history, own, run_id=run_id, now=started, within_seconds=seconds, shard=self.shard)
        except SinkError as error:  # a first run has none; and what is loaded twice is right, too
            log.debug("No earlier run can be continued: %s", error)
            return own

    @contextmanager
    def _storage(self, spools: Path) -> Iterator[Sink]:
        if self.data_sink is not None:
            yield self.data_sink
            return
        from supervisor.sinks import open_sink  # noqa: PLC0415 - only where no sink was given

        sink = open_sink(self._environment(), spools)
        try:
            yield sink
        finally:
            if not self.left_behind:  # or it would wait for what answers nobody
                sink.close()

    def _environment(self) -> RunEnvironment:
        from supervisor.config.environment import read_environment  # noqa: PLC0415 - only where no sink was given

        return read_environment(of_shard(os.environ, self.shard))

    def _keep(self, sink: Sink) -> None:
        """Keep the record as it stands; at the start too, so that a run which is killed has left a trace."""
        self._last_work(lambda: sink.record_run(self.monitor.record()), "This run is not kept in the history")

    def _publish(self, sink: Sink) -> None:
        self._last_work(sink.publish, "The views over all platforms were not refreshed")
        if self.with_spend:
            self._last_work(lambda: self.monitor.keep_spend(read_spend(sink)), "The report will not show spend")

    def _reconcile(self, plan: Plan, sink: Sink) -> None:
        """Hold what was loaded against the accounts' own totals; a platform may fail for what does not add up."""
        for platform in () if self.stop else plan.platforms:
            work = partial(reconcile, platform, sink, self.monitor)
            self._last_work(work, f"Platform '{platform.name}' was not held against its accounts' own totals")
            sentence = tell(platform, self.monitor.platform(platform.name))
            if sentence is not None:
                self._fail(platform.name, sentence)

    def _last_work(self, work: Callable[[], None], otherwise: str) -> None:
        """Have the sink do what a run can do without: the rows are what counts, and they are stored."""
        if self.left_behind:
            log.warning("%s: the storage does not answer", otherwise)
            return
        asked = time.monotonic()

        def overdue() -> str | None:
            # What begins when the run is stopped already has its time too.
            late = time.monotonic() - max(asked, self.stop.since or 0.0) > _LAST_WORK_SECONDS
            return "the storage did not answer in time" if self.stop and (late or self.stop.hurry) else None

        try:
            patiently(work, overdue)
        except Exception as error:  # noqa: BLE001 - see above
            self.left_behind = isinstance(error, OverdueError)
            log.warning("%s: %s", otherwise, error)

    def _result(self) -> RunResult:
        stopped_with = self.stop_exit_code
        if stopped_with is None and self._stopped_on_failure:
            stopped_with = EXIT_STOPPED
        return result_of(self.monitor.platforms, self.monitor.get_summary().total_rows_processed, stopped_with)


def _user_trouble(platform: PlatformConfig) -> str | None:
    try:
        if platform.run_as is not None:
            find_user(platform.run_as)
    except ConfigError as error:
        return f"platform {platform.name!r}: {error}"
    return None
