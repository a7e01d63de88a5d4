"""How long a night takes at least: the chains of waits that no program can shorten, as docs/performance.md has them.

`python -m bench.chain` prints that table. What an account needs in a night is counted by `python -m bench night`.
"""

from __future__ import annotations

import math

from attrs import frozen

ACCOUNTS = (10, 40, 200, 1_000)
LATENCIES = (0.05, 0.15, 0.5)
JOB_SECONDS = 10.0


@frozen(kw_only=True)
class Limits:
    """What a platform lets happen at once: requests, report jobs of all accounts and of one; days of one report.

    `together` are daily tables that are made of another one's report, `monthly` those of which a month is one. How many
    reports Microsoft makes at once it does not say; six is what the sandbox allows.
    """

    requests: int
    jobs: int | None = None
    jobs_of_account: int | None = None
    window_days: int = 31
    together: frozenset[str] = frozenset()
    monthly: frozenset[str] = frozenset()


@frozen(kw_only=True)
class Need:
    """What one account needs in a usual night, all tables, the last 31 days: requests, polls included, and reports."""

    calls: float
    jobs: float = 0.0


LIMITS = {
    "google": Limits(requests=16),
    "microsoft": Limits(requests=8, jobs=6),
    "facebook": Limits(
        requests=8,
        jobs=128,
        jobs_of_account=4,
        window_days=7,
        together=frozenset({"ad_daily_actions"}),
        monthly=frozenset({"account_daily"}),
    ),
    "linkedin": Limits(requests=8),
}
NEEDS = {
    "google": Need(calls=44),
    "microsoft": Need(calls=62, jobs=9),
    "facebook": Need(calls=68, jobs=22),
    "linkedin": Need(calls=22),
}


def chain(
    limits: Limits, *, calls: float, jobs: float, accounts: int, latency: float, job_seconds: float = JOB_SECONDS
) -> float:
    """Seconds that this many requests and report jobs take at least; the longest of their chains.

    Requests go `limits.requests` at a time, jobs `limits.jobs` at a time, those of one account `jobs_of_account`.
    """
    requests = calls * latency / limits.requests
    if limits.jobs is None or not jobs:
        return requests
    all_jobs = jobs / min(limits.jobs, jobs) * job_seconds
    in_turn = math.ceil(jobs / accounts / limits.jobs_of_account) if limits.jobs_of_account else 1
    return max(requests, all_jobs, in_turn * job_seconds)


def of_night(platform: str, accounts: int, latency: float) -> float:
    """The chain of a usual night."""
    need = NEEDS[platform]
    return chain(
        LIMITS[platform], calls=need.calls * accounts, jobs=need.jobs * accounts, accounts=accounts, latency=latency
    )


def table() -> str:
    """Seconds by platform, answer time and accounts, as Markdown."""
    head = "".join(f" {accounts:,} |" for accounts in ACCOUNTS)
    lines = [f"| platform | an answer takes |{head}", "|---|---|" + "---|" * len(ACCOUNTS)]
    for platform in LIMITS:
        for latency in LATENCIES:
            cells = "".join(f" {_text(of_night(platform, accounts, latency))} |" for accounts in ACCOUNTS)
            lines.append(f"| {platform} | {latency * 1000:.0f} ms |{cells}")
    return "\n".join(lines)


def _text(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 120 else f"{seconds / 60:.0f} min"


if __name__ == "__main__":
    print(table())
