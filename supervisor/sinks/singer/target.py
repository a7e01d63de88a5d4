"""A running Singer target: its input is written, its output and its log are read, and nothing of it stays alive."""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from supervisor.config.environment import SingerAccess
from supervisor.config.errors import SinkError
from supervisor.config.redaction import redact
from supervisor.process.child import Child, SpawnError
from supervisor.process.log_lines import log_lines
from supervisor.record.calls import Calls
from supervisor.record.log import log, pipeline_line
from supervisor.sinks.singer.access import target_secrets
from supervisor.sinks.singer.echoes import Echoes

_LOOK_SECONDS = 0.25
_GRACE = 0.3
_LAST_WORDS_SECONDS = 1.0
_JOIN_SECONDS = 5.0
_LINE_LIMIT = 16 * 1024 * 1024


class RunningTarget:
    """One target process. One thread writes to it and waits for its end; `interrupt` may come from any other.

    `access.timeout` is how long it may take nothing, and give no sign after its last row, in seconds. Every verb raises
    SinkError.
    """

    def __init__(self, access: SingerAccess, visible: Mapping[str, str], platform: str, echoes: Echoes) -> None:
        self._timeout = access.timeout
        self._echoes = echoes
        self._secrets = target_secrets(access)
        self._name = f"singer target of {platform}"
        self._child = _spawn(access, visible)
        os.set_blocking(self._child.stdin, False)
        self._input: int | None = self._child.stdin
        self._talking = threading.Lock()  # a Child is one thread's at a time
        self._stopped = False
        self._interrupted = False
        self._last_line: str | None = None
        self._last_sign = time.monotonic()
        self._readers = [self._thread(self._read_output), self._thread(self._read_log)]

    def write(self, data: bytes) -> None:
        """Hand over whole lines, as fast as the target takes them."""
        target = self._input
        if target is None:
            raise SinkError("the Singer target was told that there is no more, so it takes nothing")
        poll = select.poll()
        poll.register(target, select.POLLOUT)
        rest, taken = memoryview(data), time.monotonic()
        while rest:
            self._raise_what_was_found()
            if poll.poll(_LOOK_SECONDS * 1000):
                count = self._write_some(target, rest)
                rest, taken = rest[count:], time.monotonic()
            elif self._has_ended(0):  # somebody else may hold the pipe
                raise self._early_end()
            elif time.monotonic() - taken > self._timeout:
                raise SinkError(
                    f"the Singer target takes no rows: not a byte for {self._timeout:g} s (SINGER_TARGET_TIMEOUT); "
                    f"{self._last_words()}"
                )

    def finish(self) -> None:
        """Say that there is no more, and wait for the target's good end."""
        self._close_input()
        closed = time.monotonic()
        while not self._has_ended(_LOOK_SECONDS):
            self._raise_what_was_found()
            if time.monotonic() - max(closed, self._last_sign) > self._timeout:
                raise SinkError(
                    f"the Singer target did not end, and gave no sign for {self._timeout:g} s "
                    f"(SINGER_TARGET_TIMEOUT), after its last row; {self._last_words()}"
                )
        self._stop()
        self._join()
        if self._child.survivors:
            log.warning("The %s left processes behind: %s", self._name, ", ".join(self._child.survivors))
        self._raise_what_was_found()
        if self._child.exit_status != 0:
            raise SinkError(f"the Singer target {self._ending()}; {self._last_words()}")

    def interrupt(self) -> None:
        """From any thread: end the target, and with it the verb in progress."""
        self._interrupted = True
        self._stop()

    def close(self) -> None:
        """End and reap whatever is left of it."""
        self._close_input()
        self._stop()
        self._join()
        self._child.reap()

    def _write_some(self, target: int, rest: memoryview) -> int:
        try:
            return os.write(target, rest)
        except BlockingIOError:
            return 0
        except BrokenPipeError as cause:
            raise self._early_end() from cause

    def _early_end(self) -> SinkError:
        if not self._has_ended(_LAST_WORDS_SECONDS):
            return SinkError(f"the Singer target closed its input before it had all rows; {self._last_words()}")
        self._stop()
        self._join()
        self._raise_what_was_found()
        return SinkError(f"the Singer target {self._ending()} before it had all rows; {self._last_words()}")

    def _raise_what_was_found(self) -> None:
        if self._interrupted:
            raise SinkError("the Singer target was stopped in the middle of its work")
        if self._echoes.error is not None:
            raise SinkError(redact(str(self._echoes.error), self._secrets)) from self._echoes.error

    def _has_ended(self, seconds: float) -> bool:
        with self._talking:
            return self._child.wait(seconds)

    def _stop(self) -> None:
        with self._talking:
            if not self._stopped:
                self._child.stop(_GRACE)
                self._stopped = True

    def _close_input(self) -> None:
        if self._input is not None:
            os.close(self._input)
            self._input = None

    def _join(self) -> None:
        for reader in self._readers:
            reader.join(_JOIN_SECONDS)

    def _ending(self) -> str:
        status = self._child.exit_status
        if status is None:
            return "was ended together with its keeper, which was killed from outside,"
        if status >= 0:
            return f"ended with exit status {status}"
        return f"was ended by {signal.Signals(-status).name if -status in set(signal.Signals) else f'signal {-status}'}"

    def _last_words(self) -> str:
        return f"its last line was: {self._last_line}" if self._last_line else "it wrote nothing to its log"

    def _thread(self, work: Callable[[], None]) -> threading.Thread:
        thread = threading.Thread(target=work, name=self._name, daemon=True)
        thread.start()
        return thread

    def _read_output(self) -> None:
        with os.fdopen(self._child.stdout, "rb") as output:
            while line := output.readline(_LINE_LIMIT):
                self._last_sign = time.monotonic()
                self._echoes.take(line)

    def _read_log(self) -> None:
        metrics = Calls()
        for text in log_lines(self._child.stderr, self._secrets, sign=self._note_sign):
            if metrics.take(text):
                pipeline_line(self._name, f"DEBUG | {text}")
            elif text:
                self._last_line = text
                pipeline_line(self._name, text)

    def _note_sign(self) -> None:
        self._last_sign = time.monotonic()


def _spawn(access: SingerAccess, visible: Mapping[str, str]) -> Child:
    try:
        return Child.spawn(
            access.command, directory=Path.cwd(), environment={**visible, **access.environment}, with_input=True
        )
    except SpawnError as cause:
        raise SinkError(f"the Singer target cannot be started: {cause}") from cause
