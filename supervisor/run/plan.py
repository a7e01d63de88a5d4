"""What a run will do: its groups, and as text the days and limits of each platform."""

from __future__ import annotations

import datetime as dt
from collections.abc import Collection

from attrs import evolve, frozen

from supervisor.config.errors import ConfigError
from supervisor.config.schema import OrchestratorConfig, PlatformConfig
from supervisor.report.display import counted
from supervisor.run.scheduler import PlatformScheduler
from wire.shards import Shard

_LOOKBACK = {"facebook": 28}
_LOOKBACK_OTHERWISE = 30


@frozen(kw_only=True)
class Plan:
    """What will run. The groups are for people; `stages` run one after another, and of one as much at once as may be.

    `left_out` are the configured platforms that do not run; `assumed` are (platform, dependency) pairs whose dependency
    `--only` leaves out, so that it is taken for done; `unknown` are names in `parallel_groups` that no platform has.
    """

    groups: tuple[tuple[PlatformConfig, ...], ...]
    stages: tuple[tuple[PlatformConfig, ...], ...]
    scheduler: PlatformScheduler
    left_out: tuple[str, ...]
    assumed: tuple[tuple[str, str], ...]
    unknown: tuple[str, ...]
    at_once: int

    @property
    def platforms(self) -> tuple[PlatformConfig, ...]:
        return tuple(platform for group in self.groups for platform in group)


def make_plan(config: OrchestratorConfig, only: Collection[str] = (), shard: Shard | None = None) -> Plan:
    """The plan of a run of all enabled platforms, or of those of `only`; raises ConfigError where there is none.

    A platform whose pipeline knows no shards is loaded whole by the first of them, and left out by the others.
    """
    chosen = [config.get_platform(name) for name in dict.fromkeys(only)] or list(config.enabled_platforms)
    if not chosen:
        raise ConfigError("no platform is enabled, so there is nothing to run")
    if shard is not None and shard.index > 0:
        chosen, whole = [each for each in chosen if each.takes_shards], chosen
        if not chosen:
            listed = ", ".join(each.name for each in whole)
            raise ConfigError(f"nothing is left for shard {shard}: shard 0 loads {listed} whole; see the key `shards`")
    chosen = [evolve(platform, enabled=True) for platform in chosen]
    names = {platform.name for platform in chosen}
    left_out = tuple(platform.name for platform in config.platforms if platform.name not in names)
    scheduler = PlatformScheduler(parallel_execution=config.parallel_execution, parallel_groups=config.parallel_groups)
    groups = scheduler.schedule_platforms(chosen, assume_done=left_out if only or shard else ())
    return Plan(
        groups=tuple(map(tuple, groups)),
        stages=tuple(map(tuple, scheduler.stages(groups))),
        scheduler=scheduler,
        left_out=left_out,
        assumed=scheduler.assumed,
        unknown=_unknown(config),
        at_once=config.max_parallel if config.parallel_execution else 1,
    )


def _unknown(config: OrchestratorConfig) -> tuple[str, ...]:
    known = {platform.name for platform in config.platforms}
    return tuple(dict.fromkeys(name for group in config.parallel_groups for name in group if name not in known))


def plan_text(plan: Plan, *, since: dt.date | None, until: dt.date | None) -> str:
    """The groups in their order and, of each platform, the days and limits."""
    lines: list[str] = []
    for number, group in enumerate(plan.groups, start=1):
        lines.append(f"Group {number}/{len(plan.groups)}, {min(plan.at_once, len(group))} at once:")
        lines += [f"  {platform.name:<12} {_days(platform, since, until)}; {_limits(platform)}" for platform in group]
    if plan.left_out:
        lines.append(f"Not run: {', '.join(plan.left_out)}")
    lines += [f"Not a platform, though parallel_groups names it: {name}" for name in plan.unknown]
    lines += [f"Taken for done: {dependency}, on which {name} depends" for name, dependency in plan.assumed]
    return "\n".join(lines)


def _days(platform: PlatformConfig, since: dt.date | None, until: dt.date | None) -> str:
    if since or until:
        return f"exactly {since or 'start_date'} to {until or 'today'}"
    if not platform.takes_dates:
        return "the days that its own command chooses"
    start = platform.settings.get("start_date", "30 days ago")
    return f"days since {start} that are not settled, and the last {lookback_days(platform)}"


def lookback_days(platform: PlatformConfig) -> object:
    """The setting of that name, as it stands in the file, or what the platform's pipeline takes without it."""
    return platform.settings.get("lookback_days", _LOOKBACK.get(platform.name, _LOOKBACK_OTHERWISE))


def _limits(platform: PlatformConfig) -> str:
    memory = f"{platform.memory_limit / 2**20:.0f} MiB" if platform.memory_limit else "no memory limit"
    return f"timeout {platform.timeout:g} s, {memory}, {counted(platform.retry.max_attempts, 'attempt')}"
