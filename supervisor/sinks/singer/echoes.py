"""Which of the states that a target was sent it has echoed: what is before an echoed one is stored for good.

A target echoes a state when all rows before it are stored: after a batch, after some minutes, or at its end, and only
the newest (https://hub.meltano.com/singer/spec, "State"). The Meltano SDK echoes the newest state whenever it has
emptied all its batches, so the same one may come again (`Target.drain_all` in singer_sdk/target_base.py).
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable
from typing import Any

import msgspec

from supervisor.config.errors import SinkError

_SHOWN = 200


class Echoes:
    """What was sent and not echoed yet. One thread sends, another takes the target's lines.

    Of a state only a digest is kept: a run sends a state after each region, and a target may echo none until its end.
    `store` gets each state that is newly echoed, as compact JSON text.
    """

    def __init__(self, store: Callable[[bytes], None]) -> None:
        self.error: SinkError | None = None
        self._store = store
        self._lock = threading.Lock()
        self._pending: list[bytes] = []
        self._last_sent: bytes | None = None
        self._last_echoed: bytes | None = None

    @property
    def complete(self) -> bool:
        """Whether the last state that was sent has come back; also if none was sent."""
        return self._last_sent == self._last_echoed

    def sent(self, state: bytes) -> None:
        """Note a state before it is sent; raises SinkError for one that is no JSON."""
        try:
            digest = _digest(state)
        except (ValueError, RecursionError) as cause:
            raise SinkError(f"a state is not JSON: {cause}") from cause
        with self._lock:
            self._pending.append(digest)
            self._last_sent = digest

    def take(self, line: bytes) -> None:
        """Take a line that the target wrote; what is wrong with it is kept as `error`, and nothing more is taken."""
        if self.error is not None or not line.strip():
            return
        try:
            if self._is_new(_digest(line)):
                self._store(msgspec.json.format(line.strip(), indent=-1))
        except SinkError as error:
            self.error = error
        except (ValueError, RecursionError, msgspec.DecodeError):
            self.error = _stranger(line)

    def _is_new(self, digest: bytes) -> bool:
        with self._lock:
            # The same one again; or an equal one that was sent later, which is the same.
            if digest == self._last_echoed:
                return False
            if digest not in self._pending:
                raise ValueError("not sent, or sent before one that was echoed already")
            del self._pending[: self._pending.index(digest) + 1]
            self._last_echoed = digest
            return True


def _digest(state: bytes) -> bytes:
    """The same for states that are equal as JSON: whatever the spaces, the order of the names, and 1 or 1.0."""
    text = json.dumps(json.loads(state, parse_float=_number), sort_keys=True)
    return hashlib.blake2b(text.encode(), digest_size=16).digest()


def _number(text: str) -> Any:
    value = float(text)
    return int(value) if value.is_integer() else value


def _stranger(line: bytes) -> SinkError:
    shown = line.decode(errors="replace").strip()
    shown = f"{shown[:_SHOWN]} [...]" if len(shown) > _SHOWN else shown
    return SinkError(f"the Singer target wrote what is none of the states that it was sent: {shown}")
