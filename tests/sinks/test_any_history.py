"""Whatever a pipeline sends, in whatever order: a storage holds what a model of the promises holds."""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from storage import DAILY, Storage, day, stage

from supervisor.config.errors import SinkError
from supervisor.sinks import Commit
from wire.messages import Replaces

DATES = st.dates(dt.date(2026, 1, 1), dt.date(2026, 1, 6)).map(dt.date.isoformat)
ACCOUNTS = st.sampled_from(["1", "2", "1|2", "ü/#"])
ROWS = st.lists(st.builds(day, ACCOUNTS, st.sampled_from("abc"), DATES, st.integers(0, 9)), max_size=8)


@frozen
class Step:
    """Rows that are staged, and then committed as a region, merged by key, or discarded."""

    kind: str
    rows: list[dict[str, Any]]
    account: str
    days: tuple[str, str]

    @property
    def region(self) -> Replaces | None:
        first, last = sorted(self.days)
        return (
            Replaces(stream="daily", where={"account_id": self.account}, first=first, last=last)
            if self.kind == "region"
            else None
        )

    def in_region(self, row: dict[str, Any]) -> bool:
        first, last = sorted(self.days)
        return bool(row["account_id"] == self.account and first <= row["date"] <= last)


STEPS = st.lists(
    st.builds(Step, st.sampled_from(["region", "region", "merge", "discard"]), ROWS, ACCOUNTS, st.tuples(DATES, DATES)),
    min_size=1, max_size=7,
)  # fmt: skip
Model = dict[tuple[str, str, str], int]


def key(row: dict[str, Any]) -> tuple[str, str, str]:
    return row["account_id"], row["campaign_id"], str(row["date"])


def after(model: Model, step: Step) -> Model | None:
    """What is stored after a step; None where it must be refused."""
    rows = {key(row): row["n"] for row in step.rows}
    if step.kind == "discard":
        return model
    if step.kind == "merge":
        return model | rows
    if len(rows) < len(step.rows) or not all(map(step.in_region, step.rows)):
        return None
    first, last = sorted(step.days)
    kept = {k: n for k, n in model.items() if not (k[0] == step.account and first <= k[2] <= last)}
    return kept | rows


@pytest.mark.needs("replaces")
@settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(steps=STEPS)
def test_a_storage_holds_what_the_model_holds(storage: Storage, tmp_path: Path, steps: list[Step]) -> None:
    sink = storage.open()
    model: Model = {key(row): row["n"] for row in storage.rows("p", DAILY)}  # what the examples before have left
    session = sink.session("p", "run-1")
    state = json.loads(session.state() or b"null")
    session.prepare(DAILY)
    for number, step in enumerate(steps):
        stage(session, DAILY, *step.rows, directory=tmp_path)
        wanted = after(model, step)
        if step.kind == "discard":
            session.discard()
            continue
        commit = Commit(streams=("daily",), state=json.dumps({"number": number}).encode(), replaces=step.region)
        if wanted is None:
            with pytest.raises(SinkError, match=r"outside the region|two rows with the key"):
                session.commit(commit)
            session.discard()
        else:
            assert session.commit(commit) == {"daily": len({key(row) for row in step.rows})}
            model, state = wanted, {"number": number}
        assert {key(row): row["n"] for row in storage.rows("p", DAILY)} == model
    session.flush()
    assert json.loads(session.state() or b"null") == state
    session.close()
    sink.close()
