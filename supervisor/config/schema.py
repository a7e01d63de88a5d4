"""orchestrator_config.yml as frozen values: what runs, in which order, and within which limits.

Everything that is wrong is reported at once, each finding with its path: `platforms[1].memory_limit: expected a size
like "512MiB", got "lots"`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
from attrs import frozen

from supervisor.config.credentials import BUILT_IN
from supervisor.config.document import read_document
from supervisor.config.errors import ConfigError
from supervisor.config.spelling import meant
from supervisor.config.structuring import structure
from supervisor.config.units import duration
from supervisor.config.values import (
    Address,
    Command,
    Count,
    Multiplier,
    Name,
    Port,
    PromFile,
    Reconcile,
    Reconciling,
    Reports,
    Seconds,
    Settings,
    Size,
    SomeSeconds,
    Text,
    Variable,
)


@frozen(kw_only=True)
class RetryConfig:
    """How often a platform is tried, and how long to wait in between. Seconds."""

    max_attempts: Count = 3
    backoff_seconds: Seconds = 60.0
    backoff_multiplier: Multiplier = 2.0
    max_backoff_seconds: Seconds = 600.0

    def delay(self, retry: int) -> float:
        """Seconds to wait before retry number `retry`, which counts from 1: 60, 120, 240, ... up to the longest."""
        try:
            wait = self.backoff_seconds * self.backoff_multiplier ** (retry - 1)
        except OverflowError:
            return self.max_backoff_seconds
        return min(wait, self.max_backoff_seconds)


@frozen(kw_only=True)
class PlatformConfig:
    """One platform: when it runs, how its pipeline is started, and its limits. Seconds and bytes.

    Of two platforms that could run, the one with the lower `priority` goes first. `settings` and `reports` become the
    file that the pipeline gets as `--config`. `check`, `dates` and `shards` say of one's own pipeline what it can be
    called with.
    `run_as` is the user of the system that its processes run as.
    """

    name: Name
    enabled: bool = True
    priority: int = 100
    timeout: SomeSeconds = 1800
    stall_timeout: SomeSeconds | None = None
    memory_limit: Size | None = None
    address_space_limit: Size | None = None
    kill_grace: Seconds = 10.0
    allow_emptying: bool = False
    reconciliation: Reconcile = Reconciling.WARN
    retry: RetryConfig = RetryConfig()
    dependencies: tuple[str, ...] = ()
    command: Command | None = None
    pass_environment: tuple[Variable, ...] = ()
    run_as: Text | None = None
    check: bool = False
    dates: bool = False
    shards: bool = False
    settings: Settings = attrs.field(factory=dict)
    reports: Reports = ()

    @property
    def given(self) -> Mapping[str, Any]:
        """What the pipeline is called with: its settings, and the reports as one more of them."""
        return {**self.settings, "reports": list(self.reports)} if self.reports else self.settings

    @property
    def is_built_in(self) -> bool:
        """Whether the pipeline is one of this product's own, which do all that a pipeline can."""
        return self.command is None and self.name in BUILT_IN

    @property
    def offers_check(self) -> bool:
        """Whether the pipeline can be called with `--check`."""
        return self.check or self.is_built_in

    @property
    def takes_dates(self) -> bool:
        """Whether the pipeline can be called with `--since` and `--until`."""
        return self.dates or self.is_built_in

    @property
    def takes_shards(self) -> bool:
        """Whether the pipeline can be called with `--shard`."""
        return self.shards or self.is_built_in


@frozen(kw_only=True)
class MetricsConfig:
    """The `metrics:` section: where Prometheus finds a run's numbers. Each of the three ways is off unless set."""

    port: Port | None = None
    host: Text = "127.0.0.1"
    linger_seconds: Seconds = 0.0
    textfile: PromFile | None = None
    pushgateway: Address | None = None
    job: Text = "social_ads"


@frozen(kw_only=True)
class OrchestratorSettings:
    """The `orchestrator:` section of the file."""

    parallel_execution: bool = True
    max_parallel: Count = 2
    continue_on_failure: bool = True
    global_timeout: SomeSeconds | None = 7200
    require_all: bool = False
    resume_within: SomeSeconds = 21600


@frozen(kw_only=True)
class OrchestratorConfig(OrchestratorSettings):
    """The whole configuration. `directory` is where its file is, and where each `command` runs."""

    platforms: tuple[PlatformConfig, ...] = ()
    parallel_groups: tuple[tuple[str, ...], ...] = ()
    metrics: MetricsConfig = MetricsConfig()
    directory: Path = attrs.field(factory=Path.cwd)

    @property
    def enabled_platforms(self) -> tuple[PlatformConfig, ...]:
        return tuple(platform for platform in self.platforms if platform.enabled)

    def get_platform(self, name: str) -> PlatformConfig:
        """The platform of that name; raises ConfigError with the known ones."""
        for platform in self.platforms:
            if platform.name == name:
                return platform
        known = meant(name, (platform.name for platform in self.platforms))
        raise ConfigError(f"platform {name!r} is not in the configuration; {known}")


@frozen(kw_only=True)
class _File:
    """The file's own shape."""

    platforms: tuple[PlatformConfig, ...]
    orchestrator: OrchestratorSettings = OrchestratorSettings()
    parallel_groups: tuple[tuple[str, ...], ...] = ()
    metrics: MetricsConfig = MetricsConfig()


def load_orchestrator_config(path: Path) -> OrchestratorConfig:
    """The configuration in one YAML file; raises ConfigError that names everything that is wrong with it."""
    path = Path(path)
    raw = read_document(path)
    findings = list(_relations(raw))
    try:
        file = structure(raw, _File)
    except ConfigError as error:
        findings = [*error.findings, *findings]
    if findings:
        raise ConfigError(f"{path}: {finding}" for finding in findings)
    return OrchestratorConfig(
        **attrs.asdict(file.orchestrator),
        platforms=file.platforms,
        parallel_groups=file.parallel_groups,
        metrics=file.metrics,
        directory=path.absolute().parent,
    )


def _relations(raw: object) -> Iterator[str]:
    """What is wrong between platforms. Looks at the raw values, so that a wrong limit does not hide a wrong name."""
    if not isinstance(raw, dict):
        return
    entries = [
        (f"platforms[{index}]", entry)
        for index, entry in enumerate(_sequence(raw.get("platforms")))
        if isinstance(entry, dict) and isinstance(entry.get("name"), str)
    ]
    if "platforms" in raw and not _sequence(raw["platforms"]) and isinstance(raw["platforms"], list | None):
        yield "platforms: names no platform, so there is nothing to run"
    enabled = {entry["name"]: entry.get("enabled", True) is not False for _, entry in entries}
    yield from _repeated(entries)
    for where, entry in entries:
        if isinstance(entry.get("settings"), dict) and "reports" in entry["settings"]:
            yield f"{where}.settings.reports: reports stand beside settings, as {where}.reports"
        yield from _dependencies(where, entry, enabled)
        yield from _backoff(where, entry)
    yield from _groups(_sequence(raw.get("parallel_groups")))


def _repeated(entries: Sequence[tuple[str, Mapping[str, Any]]]) -> Iterator[str]:
    first: dict[str, str] = {}
    for where, entry in entries:
        name = entry["name"].lower()
        if name in first:
            yield f"{where}.name: {entry['name']!r} is already the name of {first[name]} (case does not count)"
        first.setdefault(name, where)


def _dependencies(where: str, entry: Mapping[str, Any], enabled: Mapping[str, bool]) -> Iterator[str]:
    for index, name in enumerate(_sequence(entry.get("dependencies"))):
        at = f"{where}.dependencies[{index}]"
        if not isinstance(name, str):
            continue
        if name not in enabled:
            yield f"{at}: {name!r} is not a platform; known are {', '.join(enabled)}"
        elif name == entry["name"]:
            yield f"{at}: {name!r} depends on itself"
        elif not enabled[name] and enabled[entry["name"]]:
            yield f"{at}: {name!r} is disabled, so {entry['name']!r} could never run; enable it or drop the dependency"


def _backoff(where: str, entry: Mapping[str, Any]) -> Iterator[str]:
    retry = entry.get("retry")
    given = retry if isinstance(retry, dict) else {}
    try:
        first = duration(given.get("backoff_seconds", 60))
        longest = duration(given.get("max_backoff_seconds", 600))
    except ValueError:
        return
    if first > longest:
        yield f"{where}.retry: backoff_seconds, {first:g}, is above max_backoff_seconds, {longest:g}"


def _groups(groups: Sequence[object]) -> Iterator[str]:
    """A name that no platform has is none of these: groups are often written for more platforms than run here."""
    first: dict[str, int] = {}
    for number, group in enumerate(groups):
        for index, name in enumerate(_sequence(group)):
            at = f"parallel_groups[{number}][{index}]"
            if not isinstance(name, str):
                continue
            if name in first:
                yield f"{at}: {name!r} is already in parallel_groups[{first[name]}]"
            first.setdefault(name, number)


def _sequence(value: object) -> Sequence[Any]:
    return value if isinstance(value, list) else ()
