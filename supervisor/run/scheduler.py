"""Priorities, dependencies and parallel groups into execution groups: the members of one group may run at once.

With `parallel_groups` these are the groups, in their order, and one begins when the one before it is over; platforms
that no group names follow after the last of them in topological levels. Without, everything is in topological levels.
A level is no barrier: each of its platforms begins as soon as what it depends on is over. Without `parallel_execution`
each platform is a group of its own. Within a group, and between platforms that could run next, the lower priority
number goes first, then the order of the configuration.
"""

from __future__ import annotations

import heapq
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from supervisor.config.errors import ConfigError
from supervisor.config.schema import PlatformConfig

Needs = Mapping[str, tuple[str, ...]]


class PlatformScheduler:
    """Orders platforms; after `schedule_platforms` it answers whether one of them can execute."""

    def __init__(self, *, parallel_execution: bool = True, parallel_groups: Iterable[Collection[str]] = ()) -> None:
        self._parallel = parallel_execution
        self._groups = tuple(tuple(group) for group in parallel_groups)
        self._needs: Needs = {}
        self._order: Mapping[str, tuple[int, int]] = {}
        self._barriers = 0
        self.assumed: tuple[tuple[str, str], ...] = ()
        """(platform, dependency) where the dependency does not run but was taken for done."""

    def schedule_platforms(
        self, platforms: Sequence[PlatformConfig], assume_done: Collection[str] = frozenset()
    ) -> list[list[PlatformConfig]]:
        """The execution groups of the enabled ones of `platforms`.

        A dependency in `assume_done` (left out by `--only`) counts as satisfied. Raises ConfigError for a dependency
        that is unknown, disabled, circular, or in the same or a later group, and for what is no PlatformConfig.
        """
        strangers = [platform for platform in platforms if not isinstance(platform, PlatformConfig)]
        if strangers:
            raise ConfigError(
                f"schedule_platforms takes PlatformConfig objects, as `OrchestratorConfig.platforms` holds them, "
                f"and not {strangers[0]!r}"
            )
        enabled = [platform for platform in platforms if platform.enabled]
        order = {platform.name: (platform.priority, index) for index, platform in enumerate(enabled)}
        findings = [*_repeated(enabled), *_unsatisfiable(enabled, platforms, assume_done)]
        self._needs = {
            platform.name: tuple(name for name in platform.dependencies if name in order) for platform in enabled
        }
        self.assumed = tuple(
            (platform.name, name)
            for platform in enabled
            for name in platform.dependencies
            if name not in order and name in assume_done
        )
        findings.extend(f"the dependencies form a circle: {' -> '.join(cycle)}" for cycle in cycles(self._needs))
        self._order = order
        groups = self._grouped(order) if not findings else []
        if self._parallel:
            findings.extend(_backwards(groups, self._needs, len(self._groups)) if groups else ())
        if findings:
            raise ConfigError(findings)
        by_name = {platform.name: platform for platform in enabled}
        return [[by_name[name] for name in sorted(group, key=order.__getitem__)] for group in groups]

    def can_execute(self, name: str, completed: Collection[str]) -> bool:
        """Whether all dependencies of a scheduled platform are among `completed`."""
        return not self.unmet(name, completed)

    def unmet(self, name: str, completed: Collection[str]) -> tuple[str, ...]:
        """The dependencies of a scheduled platform that are not among `completed`; raises ConfigError for others."""
        if name not in self._needs:
            raise ConfigError(f"platform {name!r} is not scheduled")
        return tuple(need for need in self._needs[name] if need not in completed)

    @property
    def needs(self) -> Needs:
        """Of each scheduled platform, the others that it waits for."""
        return self._needs

    def stages(self, groups: Sequence[Sequence[PlatformConfig]]) -> list[list[PlatformConfig]]:
        """What `schedule_platforms` gave, cut where everything before must be over, each part in its order."""
        barriers = groups[: self._barriers]
        free = sorted(
            (platform for group in groups[self._barriers :] for platform in group),
            key=lambda platform: self._order[platform.name],
        )
        return [list(stage) for stage in (*barriers, free) if stage]

    def _grouped(self, order: Mapping[str, tuple[int, int]]) -> list[list[str]]:
        if not self._parallel:
            one_by_one = [[name] for name in _one_by_one(self._needs, order)]
            self._barriers = len(one_by_one)
            return one_by_one
        named = [[name for name in group if name in order] for group in self._groups]
        self._barriers = sum(map(bool, named))
        in_groups = {name for group in named for name in group}
        rest = {
            name: tuple(need for need in needs if need not in in_groups)
            for name, needs in self._needs.items()
            if name not in in_groups
        }
        return [group for group in (*named, *_levels(rest)) if group]


def cycles(needs: Needs) -> Iterator[tuple[str, ...]]:
    """Circles among dependencies, each in full with its first name again at the end; no platform is in two of them."""
    left = dict(needs)
    while stuck := _stuck(left):
        name = next(iter(stuck))
        walk: list[str] = []
        while name not in walk:
            walk.append(name)
            name = next(need for need in stuck[name] if need in stuck)
        cycle = walk[walk.index(name) :]
        yield (*cycle, name)
        left = {name: tuple(need for need in stuck[name] if need not in cycle) for name in stuck if name not in cycle}


def _stuck(needs: Needs) -> Needs:
    """What remains when everything that can ever run is taken away."""
    left = dict(needs)
    while ready := [name for name in left if not any(need in left for need in left[name])]:
        for name in ready:
            del left[name]
    return left


def _levels(needs: Needs) -> Iterator[list[str]]:
    left = dict(needs)
    while left:
        level = [name for name in left if not any(need in left for need in left[name])]
        yield level
        for name in level:
            del left[name]


def _one_by_one(needs: Needs, order: Mapping[str, tuple[int, int]]) -> Iterator[str]:
    waiting = {name: set(own) for name, own in needs.items()}
    ready = [(order[name], name) for name, own in waiting.items() if not own]
    heapq.heapify(ready)
    while ready:
        _, done = heapq.heappop(ready)
        yield done
        for name, own in waiting.items():
            if done in own:
                own.remove(done)
                if not own:
                    heapq.heappush(ready, (order[name], name))


def _repeated(platforms: Sequence[PlatformConfig]) -> Iterator[str]:
    names = [platform.name for platform in platforms]
    for name in dict.fromkeys(names):
        if names.count(name) > 1:
            yield f"platform {name!r} is given {names.count(name)} times"


def _unsatisfiable(
    enabled: Sequence[PlatformConfig], platforms: Sequence[PlatformConfig], assume_done: Collection[str]
) -> Iterator[str]:
    runs = {platform.name for platform in enabled}
    known = {platform.name for platform in platforms}
    for platform in enabled:
        for name in platform.dependencies:
            if name not in runs and name not in assume_done:
                why = "is disabled" if name in known else "is not among the platforms to run"
                yield f"platform {platform.name!r} depends on {name!r}, which {why}"


def _backwards(groups: Sequence[Sequence[str]], needs: Needs, named: int) -> Iterator[str]:
    at = {name: number for number, group in enumerate(groups) for name in group}
    for name, own in needs.items():
        for need in own:
            if at[need] == at[name]:
                yield (
                    f"platform {name!r} depends on {need!r}, but both are in the same parallel group; "
                    f"put {need!r} into an earlier one"
                )
            elif at[need] > at[name]:
                where = "in a later parallel group" if at[need] < named else "in no parallel group and runs after them"
                yield f"platform {name!r} depends on {need!r}, which is {where}; put {need!r} into an earlier group"
