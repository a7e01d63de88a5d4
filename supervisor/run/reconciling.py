"""After a run: the days that a platform has just loaded, its accounts' own totals held against their campaigns."""

from __future__ import annotations

from attrs import evolve

from supervisor.config.schema import PlatformConfig
from supervisor.config.values import Reconciling
from supervisor.record.log import log
from supervisor.record.reconciliation import Reconciliation
from supervisor.record.run_record import PlatformRecord, Status
from supervisor.report.display import counted
from supervisor.run.monitor import ExecutionMonitor
from supervisor.sinks import Sink
from supervisor.sinks.reconciliation import has_everything
from supervisor.sinks.reconciling import compared_tables, read_totals


def reconcile(platform: PlatformConfig, sink: Sink, monitor: ExecutionMonitor) -> None:
    """Keep what the sink says of the days that a platform has loaded, where they can be compared. Raises SinkError.

    A platform that ended in the middle has not loaded every level, and neither have accounts that were given up.
    """
    record, tables = monitor.platform(platform.name), compared_tables(platform.name)
    failed = tuple(account.account_id for account in record.failed_accounts)
    whole = record.status is Status.COMPLETED or (record.status is Status.FAILED and failed)
    if platform.reconciliation is Reconciling.OFF or not whole or not tables:
        return
    loaded = record.rows_by_table.keys()

    def held(instead: str | None = None) -> Reconciliation | None:
        return read_totals(sink, platform.name, monitor.run_id, without=failed, instead=instead)

    found = held() if tables <= loaded else None
    own = [str(each["name"]) for each in platform.reports if has_everything(platform.name, each)]
    reports = {name: told for name in own if name in loaded and (told := held(name)) is not None}
    if found is not None or reports:
        monitor.keep_reconciliation(platform.name, evolve(found or Reconciliation(compared=0), reports=reports))


def tell(platform: PlatformConfig, record: PlatformRecord) -> str | None:
    """Say in the log what came of it; the sentence with which the platform is to fail for it, if it is."""
    name, found = platform.name, record.reconciliation
    if found is None:
        return None
    wrong = [found.sentence] if found.differing else []
    wrong += [f"report {each}: {told.sentence}" for each, told in found.reports.items() if told.differing]
    if not found.differing and found.compared:
        log.info("Platform '%s': %s of accounts add up to their own totals", name, counted(found.compared, "day"))
    if wrong and platform.reconciliation is Reconciling.FAIL and record.status is Status.COMPLETED:
        return "; ".join(wrong)
    for sentence in wrong:
        log.warning("Platform '%s': %s", name, sentence)
    return None
