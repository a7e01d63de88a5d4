"""What would keep a run from working, found before anything is started and changed by nothing."""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TypeVar

from supervisor.config.credentials import missing_credentials
from supervisor.config.environment import RunEnvironment, read_environment
from supervisor.config.errors import ConfigError, SupervisorError
from supervisor.config.schema import OrchestratorConfig, load_orchestrator_config
from supervisor.report.files import check_report_path
from supervisor.run.orchestrator import SocialAdsOrchestrator
from supervisor.run.plan import make_plan
from supervisor.sinks import backend

T = TypeVar("T")


def readiness(config_path: Path, only: Collection[str]) -> tuple[OrchestratorConfig, RunEnvironment]:
    """The configuration and the environment of a run; raises ConfigError with all findings about both."""
    findings: list[str] = []
    environment = _gather(findings, read_environment)
    config = _gather(findings, lambda: load_orchestrator_config(config_path))
    if config is not None:
        _gather(findings, lambda: _check_platforms(config, only))
    if environment is None or environment.export_report:
        path = (
            environment.report_path if environment else Path(os.environ.get("REPORT_PATH") or "execution_report.json")
        )
        unwritable = check_report_path(path)
        findings += [f"REPORT_PATH: {unwritable}"] if unwritable else []
    if findings or config is None or environment is None:
        raise ConfigError(findings)
    return config, environment


def check_page(environment: RunEnvironment) -> str | None:
    """What would keep REPORT_HTML_PATH from being written, which a run only warns of; None when nothing would."""
    path = environment.report_html_path
    unwritable = check_report_path(path) if environment.export_report and path is not None else None
    return f"REPORT_HTML_PATH: {unwritable}" if unwritable else None


def check_storage(environment: RunEnvironment) -> str | None:
    """What is wrong with the storage, as a sentence, or None; creates nothing."""
    return backend(environment).check(environment)


def _check_platforms(config: OrchestratorConfig, only: Collection[str]) -> None:
    orchestrator = SocialAdsOrchestrator(config=config)
    platforms = make_plan(config, only).platforms
    findings: list[str] = []
    _gather(findings, lambda: orchestrator.pipelines(platforms))
    findings += [
        missing
        for platform in platforms
        if platform.command is None and (missing := missing_credentials(platform.name, os.environ, platform.settings))
    ]
    if findings:
        raise ConfigError(findings)


def _gather(findings: list[str], ask: Callable[[], T]) -> T | None:
    try:
        return ask()
    except ConfigError as error:
        findings.extend(error.findings)
    except SupervisorError as error:
        findings.append(str(error))
    return None
