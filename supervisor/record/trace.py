"""Trace context after W3C: one trace per run, one span per attempt, both derived from the run's id.

A pipeline whose SDK or HTTP client speaks OpenTelemetry finds it as TRACEPARENT, and its spans join the run's trace.
"""

from __future__ import annotations

from hashlib import sha256

TRACEPARENT = "TRACEPARENT"


def trace_id(run_id: str) -> str:
    """The 32 hexadecimal digits that stand for a run."""
    return sha256(run_id.encode()).hexdigest()[:32]


def traceparent(run_id: str, platform: str, number: int) -> str:
    """The header of one attempt: https://www.w3.org/TR/trace-context/#traceparent-header, sampled."""
    span = sha256(f"{run_id}/{platform}/{number}".encode()).hexdigest()[:16]
    return f"00-{trace_id(run_id)}-{span}-01"
