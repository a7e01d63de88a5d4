"""How slowly a platform answers and how much it lets through: the part of a real API that a loopback server lacks."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass

_SECONDS = {"ms": 0.001, "s": 1.0}


@dataclass(frozen=True, slots=True)
class Pace:
    """Seconds of round trip for each answer, seconds that a report job takes, and whether documented limits hold."""

    latency: float = 0.0
    job_seconds: float = 0.0
    throttled: bool = False

    def connect(self, *, tls: bool = True) -> None:
        """Wait as long as a new connection takes: a round trip for TCP, and one for TLS 1.3, which real hosts have."""
        time.sleep(self.latency * (2 if tls else 1))

    def answer(self) -> None:
        """Wait one round trip."""
        if self.latency:
            time.sleep(self.latency)


def seconds(text: str) -> float:
    """`150ms`, `1.5s` or `10` as seconds; raises ValueError."""
    found = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s)?", text)
    if found is None:
        raise ValueError(f"{text!r} is no time; write 150ms, 1.5s or 10")
    return float(found[1]) * _SECONDS[found[2] or "s"]
