"""Insights jobs with a clock that stands still until somebody sleeps: patience, limits, and giving up."""

from __future__ import annotations

import datetime as dt
from types import SimpleNamespace

import pytest

from facebook_pipeline.insights import REPORTS
from facebook_pipeline.jobs import Jobs, Order
from facebook_pipeline.settings import Settings
from wire import PipelineError, Window

ACCOUNT = SimpleNamespace(id="1", node="act_1")


class Facebook:
    """Answers as the Graph API does; `progress` gives a job's statuses, the last one for ever."""

    def __init__(self, progress):
        self.progress = progress
        self.levels: list[str] = []
        self.windows, self.working, self.most_working = [], set(), 0
        self.now, self.waits, self.polls = 0.0, [], 0

    def post(self, *path, **params):
        assert path == ("act_1", "insights")
        self.levels.append(params["level"])
        self.windows.append((params["time_range"]["since"], params["time_range"]["until"]))
        run_id = str(len(self.windows))
        self.working.add(run_id)
        self.most_working = max(self.most_working, len(self.working))
        return {"report_run_id": run_id}

    def get(self, *path, fields, ids=""):
        self.polls += 1
        if ids:
            return {run_id: self.run(run_id) for run_id in ids.split(",")}
        return self.run(*path)

    def several(self, ids, fields):
        return self.get(fields=fields, ids=",".join(ids))

    def run(self, run_id):
        statuses = self.progress(int(run_id))
        status = statuses.pop(0) if len(statuses) > 1 else statuses[0]
        if status != "Job Running":
            self.working.discard(run_id)
        return {"async_status": status, "async_percent_completion": 100, "error_message": "too bad"}

    def pages(self, *path, **params):
        return iter([[{"id": "1"}]])

    def sleep(self, seconds):
        self.waits.append(seconds)
        self.now += seconds


def finished(facebook, orders, **settings):
    jobs = Jobs(facebook, Settings(**settings), ACCOUNT, sleep=facebook.sleep, clock=lambda: facebook.now)
    done = [(each.order.window.first.day, each.order.window.last.day) for each in jobs.finished(orders)]
    if jobs.failure:
        raise jobs.failure
    return done


def order(first=1, last=1):
    days = Window(dt.date(2026, 11, first), dt.date(2026, 11, last))
    return Order(REPORTS[0], REPORTS[0].tables, days)


def test_polls_come_less_and_less_often_up_to_the_interval(caplog):
    statuses = ["Job Running"] * 10 + ["Job Completed"]
    facebook = Facebook(lambda _: statuses)
    with caplog.at_level("INFO"):
        assert finished(facebook, [order()], poll_interval=30) == [(1, 1)]
    assert caplog.text.count("Job Running, 100 %") == 4
    assert facebook.waits == pytest.approx([0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 30, 30])


def test_no_more_jobs_are_at_work_than_allowed_and_the_order_is_kept():
    facebook = Facebook(lambda _: ["Job Completed"])
    orders = [order(day, day) for day in range(1, 12)]
    assert finished(facebook, orders, max_jobs_in_flight=3) == [(day, day) for day in range(1, 12)]
    assert facebook.most_working == 3


def test_a_job_that_takes_too_long_is_halved_and_a_single_day_given_up():
    facebook = Facebook(lambda number: ["Job Running"] if number == 1 else ["Job Completed"])
    assert finished(facebook, [order(1, 7)], job_timeout=100) == [(5, 7), (1, 4)]
    assert facebook.now > 100
    with pytest.raises(PipelineError, match="the job is not done after 100 s"):
        finished(Facebook(lambda _: ["Job Running"]), [order()], job_timeout=100)


@pytest.mark.parametrize("status", ["Job Failed", "Job Skipped"])
def test_a_failed_job_is_made_again_then_halved(status):
    facebook = Facebook(lambda number: [status] if number <= 2 else ["Job Completed"])
    assert finished(facebook, [order(1, 3)]) == [(3, 3), (1, 2)]
    assert facebook.windows[:2] == [("2026-11-01", "2026-11-03")] * 2


def test_a_single_day_fails_after_all_attempts_with_the_reason():
    facebook = Facebook(lambda _: ["Job Failed"])
    with pytest.raises(PipelineError, match="insights of level campaign for 2026-11-01: Job Failed: too bad"):
        finished(facebook, [order()], retry_attempts=4)
    assert len(facebook.windows) == 4


def test_jobs_that_work_side_by_side_are_looked_at_in_one_call():
    statuses = {run_id: ["Job Running", "Job Completed"] for run_id in range(1, 9)}
    facebook = Facebook(statuses.__getitem__)
    orders = [order(day, day) for day in range(1, 9)]
    assert finished(facebook, orders, max_jobs_in_flight=4) == [(day, day) for day in range(1, 9)]
    assert facebook.polls < 8


def test_a_level_that_fails_leaves_the_others_and_says_what_is_not_there():
    def progress(run_id):
        return ["Job Failed"] if facebook.levels[run_id - 1] == "adset" else ["Job Completed"]

    facebook = Facebook(progress)
    days = Window(dt.date(2026, 11, 1), dt.date(2026, 11, 1)), Window(dt.date(2026, 10, 31), dt.date(2026, 10, 31))
    orders = [Order(report, report.tables, window) for window in days for report in REPORTS if not report.name]
    jobs = Jobs(facebook, Settings(retry_attempts=2), ACCOUNT, sleep=facebook.sleep, clock=lambda: facebook.now)
    done = [(each.order.report.level, each.order.window.last.day) for each in jobs.finished(orders)]
    levels = ("campaign", "ad", "account")
    assert done == [(level, day) for day in (1, 31) for level in levels]
    assert jobs.failure
    assert jobs.failure.account_id == "1"
    assert "insights of level adset for 2026-11-01: Job Failed: too bad" in jobs.failure.message
    assert "level adset is not asked for 2026-10-31 therefore" in jobs.failure.message
