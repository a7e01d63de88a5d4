"""How a run ended: what became of its platforms, and the exit code that says it."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import frozen

from supervisor.record.exit_codes import EXIT_ALL_FAILED, EXIT_PARTIAL, EXIT_SUCCESS
from supervisor.record.run_record import PlatformRecord, Status


@frozen
class RunResult:
    """How a run ended; `exit_code` is what the process should end with.

    `left_behind` says that a storage or its library answered no interruption and still keeps threads: then the process
    should end with `supervisor.process.leaving.leave`, because the interpreter would wait for them.
    """

    exit_code: int
    total_rows_processed: int
    completed_platforms: tuple[str, ...]
    failed_platforms: tuple[str, ...]
    skipped_platforms: tuple[str, ...]
    left_behind: bool = False

    @property
    def success(self) -> bool:
        return self.exit_code == EXIT_SUCCESS


def result_of(platforms: Iterable[PlatformRecord], rows: int, stopped_with: int | None) -> RunResult:
    """Of platforms that have all ended; a run that was stopped ends with the code of what stopped it."""
    names: dict[Status, list[str]] = {status: [] for status in Status}
    for record in platforms:
        names[record.status].append(record.platform_name)
    completed, failed, skipped = names[Status.COMPLETED], names[Status.FAILED], names[Status.SKIPPED]
    if stopped_with is not None:
        code = stopped_with
    elif not failed and not skipped:
        code = EXIT_SUCCESS
    else:
        code = EXIT_PARTIAL if completed else EXIT_ALL_FAILED
    return RunResult(code, rows, tuple(completed), tuple(failed), tuple(skipped))
