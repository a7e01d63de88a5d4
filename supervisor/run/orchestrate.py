"""`supervisor run`, from the command line to the exit code: the log, the view, the metrics and the reports."""

from __future__ import annotations

import datetime as dt
import os
from collections.abc import Collection
from pathlib import Path

import attrs

from supervisor.config.credentials import secret_values
from supervisor.config.environment import LogFormat, RunEnvironment, wants_html
from supervisor.config.errors import ConfigError, ReportError
from supervisor.metrics.exposed import exposed
from supervisor.process.stopping import stop_on_signals
from supervisor.record.log import log, start_logging
from supervisor.record.run_record import RunRecord
from supervisor.report.display import say
from supervisor.report.files import summary_text
from supervisor.report.live import live
from supervisor.run.attempt import Days
from supervisor.run.orchestrator import SocialAdsOrchestrator
from supervisor.run.readiness import readiness


def run(
    config_path: Path, only: Collection[str], *, since: dt.date | None, until: dt.date | None, full_refresh: bool
) -> int:
    """Run the platforms of a configuration, or those of `only`; the exit code. Raises what keeps it from starting."""
    if since and until and since > until:
        raise ConfigError(f"--since {since} is after --until {until}")
    config, environment = readiness(config_path, only)
    settings = [platform.settings for platform in config.platforms]
    passed = [name for platform in config.platforms for name in platform.pass_environment]
    target = environment.singer.environment if environment.singer else ()
    secrets = secret_values(os.environ, (*passed, *target), settings)
    as_json = environment.log_format is LogFormat.JSON
    start_logging(environment.log_level, secrets, to_file=environment.log_to_file, as_json=as_json)
    orchestrator = SocialAdsOrchestrator(
        config=config,
        days=Days(since=since, until=until),
        full_refresh=full_refresh,
        with_spend=wants_html(environment),
    )

    def on_stop(code: int) -> None:
        if orchestrator.stop_exit_code is None:
            orchestrator.stop_exit_code = code

    stop_on_signals(orchestrator.stop, on_stop)

    def record() -> RunRecord:
        # A run begins with a monitor of its own, so it is looked up each time.
        return orchestrator.monitor.record()

    with exposed(config, record, is_interrupted=lambda: orchestrator.stop_exit_code is not None):
        with live(config.platforms, lambda: orchestrator.monitor.platforms, wanted=not as_json):
            result = orchestrator.run_all_platforms(only)
        _summarize(orchestrator, as_json=as_json)
        _report(orchestrator, environment)
        if result.failed_platforms:
            log.error("Failed: %s", ", ".join(result.failed_platforms))
    return result.exit_code


def _summarize(orchestrator: SocialAdsOrchestrator, *, as_json: bool) -> None:
    summary = orchestrator.monitor.get_summary()
    if as_json:
        log.info("Execution Summary", extra={"fields": {"summary": attrs.asdict(summary)}})
        return
    for line in summary_text(summary).splitlines():
        say(line)


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
