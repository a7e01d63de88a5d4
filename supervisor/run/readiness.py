"""What would keep a run from working, found before anything is started and changed by nothing.

What is wrong with the run as a whole (the file, the environment, the report's path) ends it. What is wrong with one
platform (its credentials, its environment, its settings) fails that platform alone, unless all are required.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import TypeVar

from attrs import evolve, frozen

from supervisor.config.credentials import missing_credentials
from supervisor.config.environment import RunEnvironment, StorageType, read_environment
from supervisor.config.errors import ConfigError, SupervisorError
from supervisor.config.schema import OrchestratorConfig, PlatformConfig, load_orchestrator_config
from supervisor.config.shards import of_shard
from supervisor.report.files import check_report_path
from supervisor.run.invocation import Days
from supervisor.run.plan import make_plan
from supervisor.run.registry import Pipeline, PlatformRegistry, TokenProvider, create_default_registry
from supervisor.run.settings_check import Answer, ask_pipelines
from supervisor.sinks import backend
from supervisor.sinks.duckdb.naming import taken_name
from wire.checking import Api

T = TypeVar("T")


@frozen(kw_only=True)
class Readiness:
    """A run that can start. `findings` are, platform by platform, what keeps it from running; others can run.

    `warnings` and `unknown` (a check that did not answer) keep nothing from running.
    """

    config: OrchestratorConfig
    environment: RunEnvironment
    findings: Mapping[str, tuple[str, ...]] = {}
    warnings: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    apis: Mapping[str, Api] = {}

    @property
    def refused(self) -> dict[str, str]:
        """The platforms that cannot run, each with its reason in one line."""
        return {name: "; ".join(findings) for name, findings in self.findings.items()}


def readiness(
    config_path: Path,
    only: Collection[str] = (),
    *,
    days: Days | None = None,
    strict: bool = False,
    online: bool = False,
    registry: PlatformRegistry | None = None,
    tokens: TokenProvider | None = None,
    shard: str | None = None,
) -> Readiness:
    """What a run of this configuration would be. Raises ConfigError, which names everything that is wrong at once:

    with the run as a whole, and with its platforms where none of them can run or all must (`strict`, or `require_all`
    in the configuration). With `online` the platforms themselves are asked about reports of one's own. A `shard`
    (I/N or `auto`) stands in place of the variable.
    """
    general: list[str] = []
    environment = _gather(general, lambda: read_environment(of_shard(os.environ, shard)))
    config = _gather(general, lambda: load_orchestrator_config(config_path))
    of = environment.shard if environment is not None else None
    plan = _gather(general, lambda: make_plan(config, only, of)) if config is not None else None
    general += _report_findings(environment)
    platforms = plan.platforms if plan is not None else ()
    general += _name_findings(environment, platforms)
    general += dates_refused(platforms, days or Days())
    found: dict[str, tuple[str, ...]] = {}
    answers: dict[str, Answer] = {}
    if config is not None:
        pipelines, found = _pipelines(config, platforms, registry or create_default_registry(), tokens)
        answers = ask_pipelines(platforms, pipelines, online=online)
    for name, answer in answers.items():
        found[name] = tuple(
            dict.fromkeys((*found.get(name, ()), *(f"platform {name!r}: {error}" for error in answer.errors)))
        )
    found = {name: findings for name, findings in found.items() if findings}
    everything_needed = strict or (config is not None and config.require_all)
    if (
        general
        or config is None
        or environment is None
        or len(found) == len(platforms)
        or (found and everything_needed)
    ):
        raise ConfigError(dict.fromkeys((*general, *(each for findings in found.values() for each in findings))))
    return Readiness(
        config=evolve(config, metrics=environment.metrics.over(config.metrics)),
        environment=environment,
        findings=found,
        warnings=tuple(f"platform {n!r}: {each}" for n, answer in answers.items() for each in answer.warnings),
        unknown=tuple(f"platform {n!r}: {answer.unknown}" for n, answer in answers.items() if answer.unknown),
        apis={name: answer.api for name, answer in answers.items() if answer.api is not None},
    )


def answers_of(config: OrchestratorConfig, platforms: Collection[PlatformConfig]) -> dict[str, Answer]:
    """What the pipelines that are there say of themselves; a platform without one says nothing."""
    pipelines, _ = _pipelines(config, platforms, create_default_registry(), None)
    return ask_pipelines(platforms, pipelines)


def check_page(environment: RunEnvironment) -> str | None:
    """What would keep REPORT_HTML_PATH from being written, which a run only warns of; None when nothing would."""
    path = environment.report_html_path
    unwritable = check_report_path(path) if environment.export_report and path is not None else None
    return f"REPORT_HTML_PATH: {unwritable}" if unwritable else None


def check_storage(environment: RunEnvironment) -> str | None:
    """What is wrong with the storage, as a sentence, or None; creates nothing."""
    return backend(environment).check(environment)


def _report_findings(environment: RunEnvironment | None) -> list[str]:
    if environment is not None and not environment.export_report:
        return []
    path = environment.report_path if environment else Path(os.environ.get("REPORT_PATH") or "execution_report.json")
    unwritable = check_report_path(path)
    return [f"REPORT_PATH: {unwritable}"] if unwritable else []


def _name_findings(environment: RunEnvironment | None, platforms: Collection[PlatformConfig]) -> list[str]:
    if environment is None or environment.storage_type is not StorageType.DUCKDB:
        return []
    taken = taken_name(environment.duckdb_path.absolute(), [platform.name for platform in platforms])
    return [taken] if taken else []


def dates_refused(platforms: Collection[PlatformConfig], days: Days) -> list[str]:
    """A sentence for each platform whose pipeline would not understand the days that were asked for."""
    if days.since is None and days.until is None:
        return []
    return [
        f"platform {platform.name!r}: nothing says that its pipeline can be called with --since and --until; "
        "give it `dates: true` if it can, or leave it out with --only"
        for platform in platforms
        if not platform.takes_dates
    ]


def _pipelines(
    config: OrchestratorConfig,
    platforms: Collection[PlatformConfig],
    registry: PlatformRegistry,
    tokens: TokenProvider | None,
) -> tuple[dict[str, Pipeline], dict[str, tuple[str, ...]]]:
    """How each platform is started, and of each what is missing."""
    registry = registry.with_configured(config)
    pipelines: dict[str, Pipeline] = {}
    found: dict[str, tuple[str, ...]] = {}
    for platform in platforms:
        name, findings = platform.name, list[str]()
        try:
            pipelines[name] = registry.get_pipeline(name, tokens)
        except ConfigError as error:
            findings += (_of(name, finding) for finding in error.findings)
        if platform.command is None:
            visible = pipelines[name].environment if name in pipelines else os.environ
            missing = missing_credentials(name, visible, platform.settings)
            findings += [_of(name, missing)] if missing else []
        found[name] = tuple(dict.fromkeys(findings))
    return pipelines, found


def _of(name: str, finding: str) -> str:
    return finding if finding.startswith(f"platform {name!r}") else f"platform {name!r}: {finding}"


def _gather(findings: list[str], ask: Callable[[], T]) -> T | None:
    try:
        return ask()
    except ConfigError as error:
        findings.extend(error.findings)
    except SupervisorError as error:
        findings.append(str(error))
    return None
