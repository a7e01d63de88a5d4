"""What Prometheus is told about a run, as data: name, kind, help, labels, and how each is read from the record.

Counters begin at zero with each run. Outcomes and statuses are there from the start with the value 0, so that a first
failure is a change and not a new series. No label ever holds an account, a message or a run id.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from importlib.metadata import version
from operator import attrgetter

from attrs import frozen
from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

from supervisor.config.schema import PlatformConfig
from supervisor.record.outcome import Outcome
from supervisor.record.reconciliation import METRICS
from supervisor.record.run_record import PlatformRecord, RunRecord, Status

Values = Iterable[tuple[tuple[str, ...], float]]

LAST_SUCCESS = "supervisor_last_success_timestamp_seconds"
SHARD_LABEL = "shard"
BUCKETS = (1, 5, 15, 30, 60, 120, 300, 600, 1200, 1800, 3600, 7200, 14400)
"""Upper bounds of an attempt's duration, in seconds."""


@frozen
class Family:
    """One metric. `read` gives values with those of the labels beside `platform`; `kind` is gauge or counter."""

    name: str
    kind: str
    help: str
    read: Callable[[PlatformRecord, PlatformConfig], Values]
    labels: tuple[str, ...] = ()


@frozen
class RunFamily:
    """One gauge about the run as a whole, without labels but those that `read` gives."""

    name: str
    help: str
    read: Callable[[RunRecord], Iterable[tuple[dict[str, str], float]]]


def _one(value: float | None) -> Values:
    return () if value is None else (((), value),)


def _sum(name: str) -> Callable[[PlatformRecord, PlatformConfig], Values]:
    """An attribute that attempts, and the progress of the one under way, have in common."""
    of = attrgetter(name)

    def read(record: PlatformRecord, _: PlatformConfig) -> Values:
        return _one(sum(of(each) for each in _attempts(record)))

    return read


def _attempts(record: PlatformRecord) -> tuple[object, ...]:
    return (*record.attempts, *(() if record.progress is None else (record.progress,)))


def _rows(record: PlatformRecord, _: PlatformConfig) -> Values:
    under_way = () if record.progress is None else (record.progress.rows_by_table,)
    total: dict[str, int] = {}
    for tables in (*(attempt.rows_by_table for attempt in record.attempts), *under_way):
        for table, rows in tables.items():
            total[table] = total.get(table, 0) + rows
    return (((table,), rows) for table, rows in sorted(total.items()))


def _peak(record: PlatformRecord, _: PlatformConfig) -> Values:
    under_way = () if record.progress is None else (record.progress.peak_memory_bytes,)
    return _one(max((*(attempt.peak_memory_bytes for attempt in record.attempts), *under_way), default=0))


def _newest(name: str) -> Callable[[PlatformRecord, PlatformConfig], Values]:
    """An attribute of the attempt under way, or of the last one; nothing where its pipeline does not tell it."""
    of = attrgetter(name)

    def read(record: PlatformRecord, _: PlatformConfig) -> Values:
        return _one(of(_attempts(record)[-1]) if _attempts(record) else None)

    return read


def _outcomes(record: PlatformRecord, _: PlatformConfig) -> Values:
    ended = [attempt.outcome for attempt in record.attempts]
    return (((outcome.value,), ended.count(outcome)) for outcome in Outcome)


def _retries(record: PlatformRecord, _: PlatformConfig) -> Values:
    retried = [attempt.outcome for attempt in record.attempts[: record.retry_count]]
    return (((outcome.value,), retried.count(outcome)) for outcome in Outcome if outcome is not Outcome.COMPLETED)


def _differences(record: PlatformRecord, _: PlatformConfig) -> Values:
    found = record.reconciliation
    return (((metric,), found.worst_ratio(metric)) for metric in METRICS) if found else ()


def _last_success(record: PlatformRecord, _: PlatformConfig) -> Values:
    completed = record.status is Status.COMPLETED and record.ended
    return _one(record.ended.timestamp() if completed and record.ended else None)


PLATFORM_FAMILIES = (
    Family(
        "supervisor_platform_status", "gauge", "1 for the status in which the platform is, 0 for the others.",
        lambda record, _: (((status.value,), float(record.status is status)) for status in Status), ("status",),
    ),
    Family(
        "supervisor_platform_duration_seconds", "gauge",
        "How long the platform took, with its retries and the waits between them; once it is over.",
        lambda record, _: _one(record.duration_seconds if record.ended else None),
    ),
    Family(LAST_SUCCESS, "gauge", "When the platform last completed.", _last_success),
    Family("supervisor_attempts_total", "counter", "Attempts that are over, by outcome.", _outcomes, ("outcome",)),
    Family(
        "supervisor_retries_total", "counter", "Attempts that were followed by another, by their outcome.",
        _retries, ("reason",),
    ),
    Family("supervisor_rows_total", "counter", "Rows committed.", _rows, ("table",)),
    Family("supervisor_bytes_read_total", "counter", "Bytes read from the pipeline's output.", _sum("bytes_read")),
    Family(
        "supervisor_memory_bytes", "gauge", "Resident memory of the pipeline's processes at the last look.",
        lambda record, _: _one(record.progress.memory_bytes if record.progress else 0),
    ),
    Family("supervisor_memory_peak_bytes", "gauge", "The most of it in any attempt.", _peak),
    Family(
        "supervisor_memory_limit_bytes", "gauge", "The platform's memory_limit, where it has one.",
        lambda _, config: _one(config.memory_limit),
    ),
    Family("supervisor_cpu_seconds_total", "counter", "CPU time of the pipeline's processes.", _sum("cpu_seconds")),
    Family(
        "supervisor_timeout_seconds", "gauge", "The platform's timeout for one attempt.",
        lambda _, config: _one(config.timeout),
    ),
    Family(
        "supervisor_orphans_killed_total", "counter", "Processes that outlived their pipeline and were ended.",
        lambda record, _: _one(sum(len(attempt.survivors) for attempt in record.attempts)),
    ),
    Family(
        "supervisor_sink_blocked_seconds_total", "counter", "Time that loading waited for the sink.",
        _sum("blocked_on_sink_seconds"),
    ),
    Family(
        "supervisor_failed_accounts", "gauge", "Accounts that the last attempt gave up.",
        lambda record, _: _one(len(record.attempts[-1].failed_accounts) if record.attempts else 0),
    ),
    Family(
        "supervisor_reconciliation_days", "gauge",
        "Days of accounts that the run held against the account's own total.",
        lambda record, _: _one(record.reconciliation.compared if record.reconciliation else None),
    ),
    Family(
        "supervisor_reconciliation_difference_ratio", "gauge",
        "The largest difference of an account's day from its campaigns, as a part of the account's; 0 if all add up.",
        _differences, ("metric",),
    ),
    Family("supervisor_api_calls_total", "counter", "Calls of the platform's API.", _sum("api_calls")),
    Family("supervisor_api_retries_total", "counter", "Calls that were repeated.", _sum("api_retries")),
    Family(
        "supervisor_api_throttled_seconds_total", "counter", "Time waited because the platform asked for it.",
        _sum("throttled_seconds"),
    ),
    Family(
        "supervisor_api_requests_in_flight", "gauge", "The most requests under way at once in the last seconds.",
        lambda record, _: _one(record.progress.requests_in_flight if record.progress else 0),
    ),
    Family("supervisor_accounts", "gauge", "Accounts that the pipeline has to load.", _newest("accounts")),
    Family(
        "supervisor_accounts_done", "gauge", "Accounts that have their recent days.",
        _newest("accounts_done"),
    ),
    Family(
        "supervisor_backfill_days_left", "gauge",
        "Days before the lookback still to load, of all accounts and tables.",
        _newest("backfill_days_left"),
    ),
)  # fmt: skip

ATTEMPT_DURATION = Family(
    "supervisor_attempt_duration_seconds",
    "histogram",
    "How long attempts took.",
    lambda record, _: (((), attempt.duration_seconds) for attempt in record.attempts),
)

RUN_FAMILIES = (
    RunFamily(
        "supervisor_build_info", "1; the version is its label.",
        lambda _: (({"version": version("social-ads-orchestrator")}, 1),),
    ),
    RunFamily(
        "supervisor_run_in_progress", "1 while the run lasts, 0 after it.",
        lambda run: (({}, float(run.finished is None)),),
    ),
    RunFamily(
        "supervisor_last_run_timestamp_seconds", "When the run began.", lambda run: (({}, run.started.timestamp()),)
    ),
    RunFamily(
        "supervisor_run_duration_seconds", "How long the run has taken.",
        lambda run: (({}, run.summary.total_duration_seconds),),
    ),
    RunFamily(
        "supervisor_run_exit_code", "What the run ended with; once it is over.",
        lambda run: () if run.exit_code is None else (({}, run.exit_code),),
    ),
)  # fmt: skip


def run_metrics(run: RunRecord) -> Iterator[Metric]:
    """What is about the run as a whole; a shard's run says in a label which that is."""
    return _of_shard(run, _run_metrics(run))


def _run_metrics(run: RunRecord) -> Iterator[Metric]:
    for family in RUN_FAMILIES:
        metric = GaugeMetricFamily(family.name, family.help)
        for labels, value in family.read(run):
            metric.add_sample(family.name, labels, value)
        yield metric


def platform_metrics(run: RunRecord, configs: Mapping[str, PlatformConfig], names: Collection[str]) -> Iterator[Metric]:
    """What is about these platforms; as above."""
    return _of_shard(run, _platform_metrics(run, configs, names))


def _platform_metrics(
    run: RunRecord, configs: Mapping[str, PlatformConfig], names: Collection[str]
) -> Iterator[Metric]:
    records = [record for record in run.platforms if record.platform_name in names]
    for family in PLATFORM_FAMILIES:
        kind = CounterMetricFamily if family.kind == "counter" else GaugeMetricFamily
        metric = kind(family.name, family.help, labels=("platform", *family.labels))
        for record in records:
            for labels, value in family.read(record, configs[record.platform_name]):
                metric.add_metric((record.platform_name, *labels), value)
        yield metric
    yield _durations(records, configs)


def _durations(records: Iterable[PlatformRecord], configs: Mapping[str, PlatformConfig]) -> Metric:
    family = ATTEMPT_DURATION
    metric = HistogramMetricFamily(family.name, family.help, labels=("platform",))
    for record in records:
        seconds = [value for _, value in family.read(record, configs[record.platform_name])]
        below = [(f"{bound:.1f}", float(sum(each <= bound for each in seconds))) for bound in BUCKETS]
        metric.add_metric((record.platform_name,), [*below, ("+Inf", float(len(seconds)))], sum(seconds))
    return metric


def _of_shard(run: RunRecord, metrics: Iterable[Metric]) -> Iterator[Metric]:
    """Without the label two shards' series would be one."""
    for metric in metrics:
        if run.shard is not None:
            own = {SHARD_LABEL: str(run.shard)}
            metric.samples = [each._replace(labels={**each.labels, **own}) for each in metric.samples]
        yield metric
