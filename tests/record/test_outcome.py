"""One attempt's result is a value: frozen, complete, and only `completed` is a success."""

from __future__ import annotations

import datetime as dt

import pytest
from attrs.exceptions import FrozenInstanceError

from supervisor.record.outcome import AttemptResult, Outcome

STARTED = dt.datetime(2026, 1, 22, 10, 0, tzinfo=dt.UTC)


@pytest.mark.parametrize("outcome", Outcome)
def test_only_completed_is_a_success(outcome: Outcome) -> None:
    result = AttemptResult(platform="google", number=1, outcome=outcome, started=STARTED, duration_seconds=1.5)
    assert result.succeeded == (outcome == "completed")


def test_tables_are_counted_even_when_they_got_no_rows() -> None:
    result = AttemptResult(
        platform="google",
        number=1,
        outcome=Outcome.COMPLETED,
        started=STARTED,
        duration_seconds=1.5,
        rows=3,
        rows_by_table={"campaigns": 3, "ads": 0},
    )
    assert result.tables == 2
    with pytest.raises(FrozenInstanceError):
        result.rows = 4  # type: ignore[misc]  # that is the point
