"""The record of a run as a text file for node_exporter, replaced in one step.

What the file said about platforms that this run left out stays, and so does the last success of those that did not
complete. A platform that the configuration no longer runs leaves the file; where the configuration cannot be read, all
stay.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample

from supervisor.config.schema import PlatformConfig
from supervisor.metrics.families import LAST_SUCCESS, platform_metrics, run_metrics
from supervisor.record.log import log
from supervisor.record.run_record import RunRecord
from supervisor.record.whole_file import replace_file


def write_textfile(path: Path, run: RunRecord, platforms: Sequence[PlatformConfig]) -> None:
    """Write the file so that `path` holds the old one or the whole new one; raises OSError."""
    registry = CollectorRegistry()
    registry.register(_Merged(run, platforms, tuple(_samples(path))))
    # Whoever may read the reports, node_exporter is somebody else and reads this.
    replace_file(path, generate_latest(registry), mode=0o644)


class _Merged(Collector):
    def __init__(self, run: RunRecord, platforms: Sequence[PlatformConfig], before: Iterable[Sample]) -> None:
        self._run = run
        self._configs = {platform.name: platform for platform in platforms}
        self._ran = {record.platform_name for record in run.platforms}
        self._others = {platform.name for platform in platforms if platform.enabled} - self._ran
        self._before = before

    def collect(self) -> Iterator[Metric]:
        yield from run_metrics(self._run)
        for metric in platform_metrics(self._run, self._configs, self._ran):
            names = {metric.name, *(f"{metric.name}_{suffix}" for suffix in ("total", "bucket", "count", "sum"))}
            told = {sample.labels["platform"] for sample in metric.samples}
            for sample in self._before:
                name = sample.labels.get("platform")
                left_out = name in self._others or not self._configs
                unsuccessful = sample.name == LAST_SUCCESS and name in self._ran - told
                if sample.name in names and (left_out or unsuccessful):
                    metric.samples.append(sample)
            yield metric


def _samples(path: Path) -> Iterator[Sample]:
    try:
        text = path.read_text(encoding="utf-8")
        yield from [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    except FileNotFoundError:
        return
    except (OSError, ValueError, KeyError, IndexError) as error:
        log.warning("What %s said before is not understood, so it begins anew: %s", path, error)
