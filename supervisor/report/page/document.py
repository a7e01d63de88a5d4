"""The page: what happened in one line, what failed and why, then when, how big, how many and how much."""

from __future__ import annotations

from importlib.resources import files

from supervisor.record.outcome import AttemptResult
from supervisor.record.run_record import PlatformRecord, RunRecord, Status
from supervisor.report.page.markup import Content, Markup, joined, tag
from supervisor.report.page.memory import memory
from supervisor.report.page.rows import rows
from supervisor.report.page.spend import spend
from supervisor.report.page.table import folded, table
from supervisor.report.page.timeline import attempt_class, timeline
from supervisor.report.page.words import STATUS_SIGNS, counted, moment, number, outcome, seconds, size

_POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_HEADS = (
    *("platform", "attempt", "outcome", "started", "duration", "rows", "read", "peak memory", "limit"),
    *("CPU", "waiting for storage", "API calls", "API retries", "throttled"),
)


def html_report(record: RunRecord) -> str:
    """The whole page."""
    headline = _headline(record)
    style = files("supervisor.report.page").joinpath("style.css").read_text(encoding="utf-8")
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("meta", name="color-scheme", content="light dark"),
        tag("link", rel="icon", href="data:,"),
        tag("title", f"{headline} · {record.run_id}"),
        tag("style", Markup(style)),
    )
    body = tag("body", _hatch(), tag("main", _header(record, headline), *_sections(record)))
    return "<!doctype html>\n" + tag("html", head, "\n", body, lang="en") + "\n"


def _sections(record: RunRecord) -> list[Markup]:
    spent = [row for platform in record.platforms for row in record.spend if row.platform == platform.platform_name]
    return [
        _failures(record),
        _section("Timeline", "Attempts of each platform, from the start of the run.", timeline(record)),
        _section(
            "Memory",
            "Resident memory of each platform's processes together. The dashed line is its limit.",
            memory(record),
        ),
        _section("Rows", "Committed rows per table; one scale for all.", rows(record)),
        _section(
            "Spend",
            "Per day, in the accounts' own currency and days. A pale bar is a day that was not over.",
            spend(spent),
        )
        if spent
        else joined(),
        _section("Attempts", "Each start of a pipeline, in numbers.", _attempts(record)),
    ]


def _section(title: str, about: str, *content: Content) -> Markup:
    return tag("section", tag("h2", title), tag("p", about, class_="about"), *content)


def _headline(record: RunRecord) -> str:
    summary = record.summary
    if summary.completed == summary.total_platforms:
        return f"All {summary.total_platforms} platforms completed" if summary.completed != 1 else "It completed"
    parts = [f"{summary.completed} of {counted(summary.total_platforms, 'platform')} completed"]
    parts += [f"{summary.failed} failed"] if summary.failed else []
    parts += [f"{summary.skipped} skipped"] if summary.skipped else []
    return ", ".join(parts)


def _header(record: RunRecord, headline: str) -> Markup:
    summary = record.summary
    good = summary.completed == summary.total_platforms
    facts = [
        ("Rows", number(summary.total_rows_processed)),
        ("Duration", seconds(summary.total_duration_seconds)),
        ("Platforms completed", f"{summary.completed} of {summary.total_platforms}"),
        ("Retries", number(sum(platform.retry_count for platform in record.platforms))),
        ("API calls", number(sum(attempt.api_calls for each in record.platforms for attempt in each.attempts))),
        ("Exit code", "none yet" if record.exit_code is None else str(record.exit_code)),
    ]
    return tag(
        "header",
        tag("p", "Social Ads Orchestrator", class_="kicker"),
        tag("h1", tag("span", "✓" if good else "✕", class_=f"sign {'completed' if good else 'failed'}",
                      aria_hidden="true"), headline),
        tag("p", f"Run {record.run_id} · {moment(record.started)} to {moment(record.finished)}", class_="soft"),
        tag("dl", *(tag("div", tag("dt", name), tag("dd", value)) for name, value in facts)),
    )  # fmt: skip


def _failures(record: RunRecord) -> Markup:
    troubled = [p for p in record.platforms if p.status is not Status.COMPLETED]
    if not troubled:
        return joined()
    return tag("section", tag("h2", "What did not complete"), *map(_failure, troubled), class_="failures")


def _failure(platform: PlatformRecord) -> Markup:
    last = platform.attempts[-1] if platform.attempts else None
    accounts = last.failed_accounts if last else ()
    sign = tag("span", STATUS_SIGNS.get(platform.status, "…"), class_=f"sign {platform.status}", aria_hidden="true")
    return tag(
        "article",
        tag("h3", sign, platform.platform_name, " ", tag("span", platform.status.value, class_="soft")),
        tag("p", platform.error_message or "It was still under way.", class_="sentence"),
        table(
            f"Accounts of {platform.platform_name} that were given up",
            ["account", "kind", "what happened"],
            ([account.account_id, account.kind, account.message] for account in accounts),
            words=3,
        )
        if accounts
        else None,
        folded("Last lines of its log", tag("pre", "\n".join(last.stderr_tail))) if last and last.stderr_tail else None,
        class_=platform.status.value,
    )


def _attempts(record: RunRecord) -> Markup:
    attempts = [attempt for platform in record.platforms for attempt in platform.attempts]
    if not attempts:
        return tag("p", "Nothing was started.", class_="soft")
    earlier = [a for p in record.platforms for a in p.attempts if a.message and a is not p.attempts[-1]]
    return joined(
        table("Attempts", _HEADS, map(_line, attempts), words=1),
        tag("h3", "What ended an earlier attempt") if earlier else None,
        tag("ul", *(tag("li", tag("b", f"{a.platform}, attempt {a.number}"), f": {a.message}") for a in earlier))
        if earlier
        else None,
    )


def _line(attempt: AttemptResult) -> list[Content]:
    return [
        attempt.platform,
        number(attempt.number),
        tag("span", outcome(attempt.outcome), class_=f"outcome {attempt_class(attempt)}"),
        f"{attempt.started:%H:%M:%S}",
        seconds(attempt.duration_seconds),
        number(attempt.rows),
        size(attempt.bytes_read),
        size(attempt.peak_memory_bytes),
        "none" if attempt.memory_limit_bytes is None else size(attempt.memory_limit_bytes),
        seconds(attempt.cpu_seconds),
        seconds(attempt.blocked_on_sink_seconds),
        number(attempt.api_calls),
        number(attempt.api_retries),
        seconds(attempt.throttled_seconds),
    ]


def _hatch() -> Markup:
    """The pattern of what went wrong, so that it does not hang on colour alone."""
    pattern = tag(
        "pattern",
        tag("rect", width=6, height=6, class_="hatch-ground"),
        tag("rect", width=2, height=6, class_="hatch-line"),
        id="hatch", width=6, height=6, patternUnits="userSpaceOnUse", patternTransform="rotate(45)",
    )  # fmt: skip
    return tag("svg", tag("defs", pattern), width=0, height=0, class_="defs", aria_hidden="true")
