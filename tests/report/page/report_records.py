"""Records of runs for the tests of the page: a busy night of four platforms, and one with names made to break pages."""

from __future__ import annotations

import datetime as dt
import math
from decimal import Decimal

from supervisor.record.outcome import AccountFailure, AttemptResult, Outcome
from supervisor.record.run_record import RunRecord
from supervisor.record.spend import DailySpend
from supervisor.run.monitor import ExecutionMonitor

START = dt.datetime(2026, 11, 22, 2, 0, tzinfo=dt.UTC)
TODAY = START.date()
NASTY = '</style></svg><script>console.log("broken")</script><img src=x onerror=alert(1)> "\'& \x00\u202e'
TABLES = {
    "google": ("campaign_daily", "ad_group_daily", "ad_daily", "keyword_daily", "search_term_daily", "customer", "campaign", "ad_group", "ad"),
    "microsoft": ("campaign_daily", "ad_group_daily", "ad_daily", "keyword_daily", "account", "campaign", "ad_group", "ad"),
    "facebook": ("campaign_daily", "ad_set_daily", "ad_daily", "account", "campaign", "ad_set", "ad"),
    "linkedin": ("campaign_group_daily", "campaign_daily", "creative_daily", "account", "campaign_group", "campaign", "creative"),
}  # fmt: skip
CURRENCIES = {"google": ("EUR", "USD"), "microsoft": ("EUR",), "facebook": ("EUR", "USD"), "linkedin": ("USD", "JPY")}


class Clock:
    """Seconds since the start, told by hand."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def __call__(self) -> float:
        return self.seconds

    def now(self) -> dt.datetime:
        return START + dt.timedelta(seconds=self.seconds)


def attempt(
    platform: str, number: int, begin: float, seconds: float, *, outcome: Outcome = Outcome.COMPLETED,
    message: str | None = None, accounts: int = 24, limit: int | None = 1 << 30, share: float = 1.0,
) -> AttemptResult:  # fmt: skip
    """240 looks at the memory of a process that warms up, works in windows and never gives all of it back."""
    points = []
    for n in range(240):
        at = n / 239
        held = 60 + 240 * (1 - math.exp(-4 * at)) + 45 * math.sin(at * 37) * at + (25 if n % 17 < 5 else 0)
        points.append((round(at * seconds, 2), int(held * 2**20 * share), round(at * seconds * 0.6, 2)))
    rows = {table: int(9000 * 4.0 ** -(n % 5) * (n + 2)) * accounts // 10 for n, table in enumerate(TABLES[platform])}
    by_account = {
        table: {f"{platform[:2]}-{100000 + 7919 * a}": count // accounts for a in range(accounts)}
        for table, count in rows.items()
    }
    return AttemptResult(
        platform=platform, number=number, outcome=outcome, started=START + dt.timedelta(seconds=begin),
        duration_seconds=seconds, message=message, exit_status=0 if outcome is Outcome.COMPLETED else 75,
        rows=sum(rows.values()), rows_by_table=rows, rows_by_account=by_account, bytes_read=sum(rows.values()) * 310,
        peak_memory_bytes=max(point[1] for point in points), memory_limit_bytes=limit, cpu_seconds=seconds * 0.6,
        samples=tuple(points), blocked_on_sink_seconds=seconds * 0.03, api_calls=int(seconds * 4.2), api_retries=3,
        throttled_seconds=12.5, stderr_tail=tuple(f"2026-11-22 02:1{n % 10}:00 | INFO | account {n}: 4,120 rows" for n in range(20)),
    )  # fmt: skip


def spend(days: int = 90) -> tuple[DailySpend, ...]:
    return tuple(
        DailySpend(platform, currency, day, Decimal(int(amount * 100)) / 100, day < TODAY)
        for n, (platform, currencies) in enumerate(CURRENCIES.items())
        for currency in currencies
        for d in range(days)
        for day in (TODAY - dt.timedelta(days - 1 - d),)
        for amount in (
            (4200 / (n + 1) ** 1.2 * (150 if currency == "JPY" else 1))
            * (1 + 0.25 * math.sin(d / 9 + n) - 0.35 * (day.weekday() > 4))
            * (0.3 if d == days - 1 else 1),
        )
    )


def busy_night(accounts: int = 24) -> RunRecord:
    """Three platforms complete, one of them at its second attempt; one fails for good and keeps two accounts back."""
    clock = Clock()
    monitor = ExecutionMonitor(TABLES, run_id="20261122T020000Z-5f1c9a02", now=clock.now, clock=clock)
    for name in ("google", "microsoft"):
        monitor.start_platform(name)
    clock.seconds = 640
    monitor.record_attempt(attempt("google", 1, 0, 640, accounts=accounts))
    monitor.complete_platform("google")
    monitor.start_platform("facebook")
    clock.seconds = 300
    monitor.record_attempt(attempt("microsoft", 1, 0, 300, outcome=Outcome.TIMED_OUT, limit=512 << 20, accounts=accounts, message="stopped after 300 s, its timeout; raise `timeout` or load fewer days at once"))  # fmt: skip
    monitor.retry_platform("microsoft")
    clock.seconds = 690
    monitor.record_attempt(attempt("microsoft", 2, 360, 330, limit=512 << 20, accounts=accounts, share=1.2))
    monitor.complete_platform("microsoft")
    monitor.start_platform("linkedin")
    clock.seconds = 1210
    failed = (
        AccountFailure(account_id="508812", kind="auth", message="the member has no access to this account any more; ask its owner for the role VIEWER"),
        AccountFailure(account_id="509117", kind="rate_limit", message="the daily limit of the application is used up until 00:00 UTC"),
    )  # fmt: skip
    from attrs import evolve

    monitor.record_attempt(evolve(attempt("linkedin", 1, 690, 520, outcome=Outcome.FAILED, limit=None, accounts=accounts, message="2 account(s) failed: 508812: the member has no access to this account any more; ask its owner for the role VIEWER; 509117: the daily limit of the application is used up until 00:00 UTC"), failed_accounts=failed))  # fmt: skip
    monitor.fail_platform("linkedin", "2 account(s) failed: 508812: the member has no access to this account any more; ask its owner for the role VIEWER; 509117: the daily limit of the application is used up until 00:00 UTC")  # fmt: skip
    clock.seconds = 1335
    monitor.record_attempt(attempt("facebook", 1, 640, 695, accounts=accounts, limit=768 << 20))
    monitor.complete_platform("facebook")
    monitor.keep_spend(spend())
    monitor.finish(2)
    return monitor.record()


def nasty_night() -> RunRecord:
    """Markup in every text that comes from outside."""
    clock = Clock()
    monitor = ExecutionMonitor([NASTY, "zoë-и-" + "w" * 200], run_id=NASTY, now=clock.now, clock=clock)
    monitor.start_platform(NASTY)
    clock.seconds = 3.0
    monitor.record_attempt(
        AttemptResult(
            platform=NASTY, number=1, outcome=Outcome.FAILED, started=START, duration_seconds=3.0, message=NASTY, exit_status=1,
            rows=5, rows_by_table={NASTY: 5}, rows_by_account={NASTY: {NASTY: 5}}, peak_memory_bytes=9, samples=((0.1, 9, 0.0),),
            memory_limit_bytes=10, stderr_tail=(NASTY,), failed_accounts=(AccountFailure(account_id=NASTY, kind="auth", message=NASTY),),
        )
    )  # fmt: skip
    monitor.fail_platform(NASTY, NASTY)
    monitor.skip_platform("zoë-и-" + "w" * 200, f"it depends on {NASTY}, which did not complete")
    monitor.keep_spend((DailySpend(NASTY, NASTY, TODAY, Decimal("-1.50")),))
    monitor.finish(3)
    return monitor.record()
