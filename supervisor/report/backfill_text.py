"""The backfill in words, the same in every place that tells of it."""

from __future__ import annotations

from supervisor.record.backfill import Backfill
from supervisor.report.display import counted


def backfill_text(backfill: Backfill) -> str:
    """`backfill 37 %, 12,345 account days left, about 4 nights`; `backfill 100 %`."""
    parts = [f"backfill {backfill.percent} %"]
    if backfill.left:
        parts.append(f"{counted(backfill.left, 'account day')} left")
        if backfill.nights is not None:
            parts.append(f"about {counted(backfill.nights, 'night')}")
    return ", ".join(parts)
