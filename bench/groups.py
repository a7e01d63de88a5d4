"""What each group of tables adds to a first night of the demonstration's world: requests, rows, seconds, memory."""

from __future__ import annotations

from bench.accounts import night
from bench.result import Result
from wire.groups import ALL, LOADED

GROUPS = {
    "google": ("search_terms", "asset_groups", "geo", "placement", "hourly", "audience"),
    "microsoft": ("asset_groups", "geo", "placement", "hourly", "audience"),
    "facebook": ("action_costs", "placement", "audience", "geo", "hourly"),
    "linkedin": ("placement", "metrics", "audience", "geo", "audience_daily", "audience_by_campaign"),
}
"""Those that are not loaded unless they are asked for."""
SINCE = "2026-10-21"


def measure() -> list[Result]:
    return [_measured(platform, group) for platform, groups in GROUPS.items() for group in (None, *groups, ALL)]


def _measured(platform: str, group: str | None) -> Result:
    tables = [ALL] if group == ALL else [*LOADED, *([group] if group else [])]
    found = night(platform, "--size", "small", start_date=SINCE, tables=tables)
    return Result(
        name=f"groups, {platform}",
        what="the usual tables" if group is None else "all tables" if group == ALL else f"with the group {group}",
        figure=f"{found.calls:,} requests, {found.rows:,} rows, {found.seconds:.1f} s",
        peak_bytes=found.peak_bytes,
        cpu_seconds=found.cpu_seconds,
        note="one run; the world of `supervisor demo`, 31 days",
    )
