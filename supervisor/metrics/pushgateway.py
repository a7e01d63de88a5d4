"""The record of a run pushed to a Pushgateway, which keeps it for Prometheus when this process is gone.

Each platform is a group of its own, so that `--only google` leaves the others alone, and each shard has groups of its
own. A completed platform replaces its group (PUT). Any other end only adds to it (POST): the gateway keeps the time of
the last success, which is what alerts look at, because a Pushgateway forgets nothing by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, push_to_gateway, pushadd_to_gateway
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from supervisor.config.schema import PlatformConfig
from supervisor.metrics.families import SHARD_LABEL, platform_metrics, run_metrics
from supervisor.record.run_record import RunRecord, Status

_SECONDS = 5.0


def push(address: str, job: str, run: RunRecord, platforms: Iterable[PlatformConfig]) -> None:
    """Push the groups of this run's platforms and the group of the run; raises OSError at the first that fails."""
    configs = {platform.name: platform for platform in platforms}
    of_shard = {SHARD_LABEL: str(run.shard)} if run.shard else {}
    for record in run.platforms:
        name = record.platform_name
        send = push_to_gateway if record.status is Status.COMPLETED else pushadd_to_gateway
        registry = _registry(platform_metrics(run, configs, (name,)))
        send(address, job, registry, grouping_key={"platform": name, **of_shard}, timeout=_SECONDS)
    push_to_gateway(address, job, _registry(run_metrics(run)), grouping_key=of_shard, timeout=_SECONDS)


def _registry(metrics: Iterable[Metric]) -> CollectorRegistry:
    registry = CollectorRegistry()
    registry.register(_Fixed(tuple(metrics)))
    return registry


class _Fixed(Collector):
    def __init__(self, metrics: tuple[Metric, ...]) -> None:
        self._metrics = metrics

    def collect(self) -> Iterator[Metric]:
        return iter(self._metrics)
