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
from storage import DAILY, Storage, commit_one, day, stage

from supervisor.config.errors import SinkError
from supervisor.sinks import Commit, Session
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
    may_empty: bool

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
    st.builds(
        Step,
        st.sampled_from(["region", "region", "merge", "discard"]), ROWS, ACCOUNTS, st.tuples(DATES, DATES), st.booleans(),
    ),
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
    if any(rows[key(row)] != row["n"] for row in step.rows) or not all(map(step.in_region, step.rows)):
        return None
    first, last = sorted(step.days)
    if not rows and not step.may_empty and any(k[0] == step.account and first <= k[2] <= last for k in model):
        return None
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
    states = accounts_in(session)
    refused: set[str] = set()
    session.prepare(DAILY)
    for number, step in enumerate(steps):
        stage(session, DAILY, *step.rows, directory=tmp_path)
        wanted = after(model, step)
        if step.kind == "discard":
            session.discard()
            continue
        patch = {"bookmarks": {"daily": {"accounts": {step.account: {"number": number}}}}}
        commit = Commit(
            streams=("daily",), state=json.dumps(patch).encode(), is_patch=True,
            replaces=step.region, may_empty=step.may_empty,
        )  # fmt: skip
        if wanted is None:
            with pytest.raises(SinkError, match=r"outside the region|two rows with the key|none came in their place"):
                commit_one(session, commit)
            session.discard()
            refused.add(step.account)
        else:
            assert commit_one(session, commit) == {"daily": len({key(row) for row in step.rows})}
            model = wanted
            if step.account not in refused:
                states[step.account] = {"number": number}
        assert {key(row): row["n"] for row in storage.rows("p", DAILY)} == model
    session.flush()
    session.close()
    again = sink.session("p", "run-2")
    assert accounts_in(again) == states
    again.close()
    sink.close()


def accounts_in(session: Session) -> dict[str, Any]:
    """The state of each account."""
    found = json.loads(session.state() or b"{}")
    accounts: dict[str, Any] = found.get("bookmarks", {}).get("daily", {}).get("accounts", {})
    return accounts
