"""One run as `supervisor run` does it, in one call: checks, log, live view, metrics, reports, and how it ended."""

from __future__ import annotations

import datetime as dt
import logging
import os
import threading
from collections.abc import Collection, Iterable
from pathlib import Path

import attrs

from supervisor.config.credentials import secret_values
from supervisor.config.environment import LogFormat, Readers, RunEnvironment, wants_html, wants_log_file
from supervisor.config.errors import ConfigError, ReportError, SupervisorError
from supervisor.config.schema import OrchestratorConfig
from supervisor.metrics.exposed import exposed, tell_refusal
from supervisor.process.stopping import stop_on_signals
from supervisor.record.log import log, log_in_file, start_logging
from supervisor.record.readers import make_files_for
from supervisor.record.run_record import PlatformRecord, RunRecord
from supervisor.report.display import say
from supervisor.report.files import summary_text
from supervisor.report.live import live
from supervisor.run.invocation import Days
from supervisor.run.orchestrator import SocialAdsOrchestrator
from supervisor.run.readiness import Readiness, readiness
from supervisor.run.registry import PlatformRegistry, TokenProvider, create_default_registry
from supervisor.run.result import RunResult
from supervisor.sinks import Sink


def orchestrate(
    config_path: Path | str = "orchestrator_config.yml",
    only: Collection[str] = (),
    *,
    since: dt.date | None = None,
    until: dt.date | None = None,
    full_refresh: bool = False,
    strict: bool = False,
    allow_emptying: bool = False,
    shard: str | None = None,
    registry: PlatformRegistry | None = None,
    token_provider: TokenProvider | None = None,
    data_sink: Sink | None = None,
) -> RunResult:
    """Run the platforms of a configuration, or those of `only`, exactly as `supervisor run` does.

    It reads the environment, checks everything, logs to standard error, shows the live view where that is a terminal,
    exposes the metrics and writes the reports. `strict` starts nothing where one platform cannot run,
    `allow_emptying` lets an empty answer take stored rows away, `shard` (I/N or `auto`) stands in place of SHARD.
    SIGINT, SIGTERM and SIGHUP end the run in good order where this is the main thread; their handlers stay. Raises
    ConfigError or SinkError, which name what keeps it from starting, before anything is started.
    """
    config_path = Path(config_path)
    make_files_for(Readers.OWNER)  # until the environment has been read, which may ask for more
    try:
        if since and until and since > until:
            raise ConfigError(f"--since {since} is after --until {until}")
        days = Days(since=since, until=until)
        ready = readiness(
            config_path, only, days=days, strict=strict, registry=registry, tokens=token_provider, shard=shard
        )
        if full_refresh and ready.environment.shard:
            raise ConfigError("--full-refresh forgets the days of all shards; give --since with the first day instead")
        make_files_for(ready.environment.readable_by)
        orchestrator = SocialAdsOrchestrator(
            config=_that_may_be_emptied(ready.config) if allow_emptying else ready.config,
            registry=registry or create_default_registry(),
            token_provider=token_provider,
            data_sink=data_sink,
            days=days,
            full_refresh=full_refresh,
            shard=ready.environment.shard,
            run_group=ready.environment.run_group,
            with_spend=wants_html(ready.environment),
        )
        _start_logging(ready)
        return _run(orchestrator, ready, only)
    except SupervisorError as error:
        tell_refusal(config_path, error.exit_code)
        log_in_file(logging.ERROR, str(error).splitlines(), wanted=wants_log_file())
        raise


def _that_may_be_emptied(config: OrchestratorConfig) -> OrchestratorConfig:
    platforms = tuple(attrs.evolve(platform, allow_emptying=True) for platform in config.platforms)
    return attrs.evolve(config, platforms=platforms)


def _start_logging(ready: Readiness) -> None:
    config, environment = ready.config, ready.environment
    settings = [platform.settings for platform in config.platforms]
    passed = [name for platform in config.platforms for name in platform.pass_environment]
    target = environment.singer.environment if environment.singer else ()
    secrets = secret_values(os.environ, (*passed, *target), settings)
    as_json = environment.log_format is LogFormat.JSON
    start_logging(environment.log_level, secrets, to_file=environment.log_to_file, as_json=as_json)


def _run(orchestrator: SocialAdsOrchestrator, ready: Readiness, only: Collection[str]) -> RunResult:
    environment = ready.environment
    as_json = environment.log_format is LogFormat.JSON

    def on_stop(code: int) -> None:
        if orchestrator.stop_exit_code is None:
            orchestrator.stop_exit_code = code

    if threading.current_thread() is threading.main_thread():
        stop_on_signals(orchestrator.stop, on_stop)
    for warning in (*ready.warnings, *ready.unknown):
        log.warning("%s", f"{warning[:1].upper()}{warning[1:]}")

    if environment.shard:
        told = f", as {environment.engine} tells" if environment.engine else ""
        log.info("Shard %s%s: only its accounts are loaded", environment.shard, told)

    def record() -> RunRecord:
        # A run begins with a monitor of its own, so it is looked up each time.
        return orchestrator.monitor.record()

    with exposed(ready.config, record, is_interrupted=lambda: orchestrator.stop_exit_code is not None):
        with live(ready.config.platforms, lambda: orchestrator.monitor.platforms, wanted=not as_json):
            result = orchestrator.run_all_platforms(only, refused=ready.refused, apis=ready.apis)
        _summarize(orchestrator, as_json=as_json)
        _report(orchestrator, environment)
        _tell_differences(orchestrator.monitor.platforms)
        if result.failed_platforms:
            log.error("Failed: %s", ", ".join(result.failed_platforms))
    return result


def _summarize(orchestrator: SocialAdsOrchestrator, *, as_json: bool) -> None:
    summary = orchestrator.monitor.get_summary()
    if as_json:
        log.info("Execution Summary", extra={"fields": {"summary": attrs.asdict(summary)}})
        return
    lines = summary_text(summary).splitlines()
    for line in lines:
        say(line)
    log_in_file(logging.INFO, lines)


def _tell_differences(platforms: Iterable[PlatformRecord]) -> None:
    """Which platforms do not add up, where the summary of the run is read."""
    off = [(each.platform_name, each.reconciliation) for each in platforms if each.reconciliation]
    told = [f"{name} ({each.differing:,} of {each.compared:,} days)" for name, each in off if each.differing]
    if told:
        log.warning("Not equal to the accounts' own totals: %s", ", ".join(told))


def _report(orchestrator: SocialAdsOrchestrator, environment: RunEnvironment) -> None:
    if not environment.export_report:
        return
    try:
        orchestrator.export_report(environment.report_format.value, environment.report_path)
        log.info("Report: %s", environment.report_path)
    except ReportError as error:
        # The rows are loaded and the exit code says how the run went; a full disk must not turn that around.
        log.error("%s", error)
    if environment.report_html_path is not None:
        try:
            orchestrator.export_report("html", environment.report_html_path)
            log.info("Report: %s", environment.report_html_path)
        except ReportError as error:
            log.warning("%s", error)
