"""Why an attempt ended, as an outcome and a sentence, and whether another attempt could mend it."""

from __future__ import annotations

import errno
import signal
from collections.abc import Sequence

from attrs import frozen

from supervisor.config.errors import SinkError
from supervisor.process.child import SpawnError
from supervisor.record.outcome import Outcome
from wire.exits import NO_RETRY, TEMPORARY, UNAVAILABLE
from wire.failures import WireError
from wire.messages import ErrorLine

_LASTING = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.ENAMETOOLONG, errno.ELOOP})
"""What the next attempt would meet as well; a full disk, a missing directory or too few descriptors may pass."""


@frozen
class End:
    """Why an attempt is over. `retryable` is None where the outcome and the exit status decide it."""

    outcome: Outcome
    sentence: str
    retryable: bool | None = None


def end_of_error(error: Exception, *, running: bool) -> End:
    """The end of an attempt in which something of our own went wrong, before or while its pipeline was `running`."""
    if isinstance(error, WireError):
        return End(Outcome.PROTOCOL_ERROR, f"its output breaks the protocol: {error}")
    if isinstance(error, SinkError):
        return End(Outcome.SINK_ERROR, f"{error}")
    if isinstance(error, SpawnError):
        return End(Outcome.SPAWN_FAILED, f"{error}", retryable=error.retryable)
    return _end_of_ours(error, running=running)


def _end_of_ours(error: Exception, *, running: bool) -> End:
    outcome = Outcome.FAILED if running else Outcome.SPAWN_FAILED
    what = "the supervisor could not go on watching it" if running else "the supervisor could not prepare it"
    if isinstance(error, OSError):
        place = f"{error.filename}: " if error.filename else ""
        return End(outcome, f"{what}: {place}{error.strerror or error}", retryable=error.errno not in _LASTING)
    if isinstance(error, MemoryError):
        return End(outcome, f"{what}: there is not enough memory", retryable=True)
    if isinstance(error, RuntimeError) and "thread" in str(error):
        return End(outcome, f"{what}: no thread can be started, so a limit on processes is reached", retryable=True)
    return End(outcome, f"{what}, which is a bug in it: {type(error).__name__}: {error}", retryable=False)


def end_of_exit(status: int, failures: Sequence[ErrorLine], last_line: str | None) -> End | None:
    """What an exit status, negative for a signal, and the pipeline's own ERROR lines say; None for a success."""
    if status == 0 and not failures:
        return None
    last_words = f"its last line was: {last_line}" if last_line else "it wrote nothing to its log"
    if status == -signal.SIGKILL:
        return End(Outcome.KILLED_BY_KERNEL, "killed by the kernel (SIGKILL), probably out of memory")
    if status < 0:
        name = signal.Signals(-status).name if -status in set(signal.Signals) else f"signal {-status}"
        return End(Outcome.FAILED, f"ended by {name}; {last_words}")
    accounts = {f.account_id: f for f in failures if f.account_id is not None}
    whole = [f for f in failures if f.account_id is None]
    if whole:
        return End(Outcome.FAILED, whole[-1].message)
    if accounts:
        named = "; ".join(f"{account}: {f.message}" for account, f in accounts.items())
        return End(Outcome.FAILED, f"{len(accounts)} account(s) failed: {named}")
    return End(Outcome.FAILED, f"ended with exit status {status}; {last_words}")


def is_retryable(end: End, exit_status: int | None, failures: Sequence[ErrorLine]) -> bool:
    """Whether another attempt could mend it; a pipeline says so by its exit status."""
    if end.retryable is not None:
        return end.retryable
    if end.outcome in (Outcome.INTERRUPTED, Outcome.SPAWN_FAILED):
        return False
    if end.outcome is Outcome.FAILED:
        if exit_status in (TEMPORARY, UNAVAILABLE):
            return True
        return exit_status not in NO_RETRY and not (exit_status == 0 and failures)
    return True
