"""Whatever a region says of whatever column: the rows that go are those whose stored value equals what was meant, or the
line is refused and all rows stay. The same in every storage."""

from __future__ import annotations

import datetime as dt
import json
import os
import random
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st
from storage import Storage, load

from supervisor.config.errors import SinkError
from supervisor.sinks import Sink
from wire.messages import Replaces
from wire.schema import Column, Table, Type

TABLE = Table(
    "regions", (Column("key", Type.STRING), *(Column(f"a_{kind}", kind) for kind in Type)), ("key",), "a_date"
)
VALUES: dict[Type, list[Any]] = {
    Type.STRING: ["", "1", "1.0", "true", "TRUE", "x", "X", "x ", " x", "é", "e\u0301", "O'Brien", '"', "\\", "%", "_", "2026-01-05", "null"],
    Type.INTEGER: [0, 1, 2, -1, 10, 2**53, 2**53 + 1, 2**63 - 1, -(2**63) + 1],
    Type.NUMBER: [0.0, 1.0, 1.5, -1.0, 0.1, 0.30000000000000004, 0.3, 1e22, 9007199254740993.0, 5e-324, 1e300],
    Type.DECIMAL: ["0", "1", "1.5", "-1", "0.1", "0.000000000000000001", "99999999999999999999.999999999999999999"],
    Type.BOOLEAN: [True, False],
    Type.DATE: ["2026-01-05", "2026-01-06", "1970-01-01", "2024-02-29", "9999-12-31"],
    Type.DATETIME: ["2026-01-05T00:00:00Z", "2026-01-05T00:00:00.000001Z", "2026-01-04T23:00:00-01:00", "2026-01-05T12:30:00"],
    Type.JSON: [{"a": 1}, [], "x", 1, True],
}  # fmt: skip
SPELLINGS: list[Callable[[str], str]] = [
    str, str.upper, lambda t: t + " ", lambda t: " " + t, lambda t: "+" + t, lambda t: "0" + t, lambda t: t + "0",
    lambda t: t + ".0", lambda t: t + "e0", lambda t: t.replace("T", " "), lambda t: t.replace("Z", "+00:00"),
    lambda t: t.rstrip("Z"), lambda t: t[:10], lambda t: t.replace("-", ""), lambda t: t + "\x00", lambda t: t + "\n",
]  # fmt: skip
ODD = [
    "NaN",
    "Infinity",
    "inf",
    "nan",
    "epoch",
    "infinity",
    "-0",
    "0x1",
    "1_000",
    "١",
    "t",
    "yes",
    "on",
    "today",
    "null",
    "NULL",
    "1e400",
    "2026-1-5",
    "20260105",
    "2026-W01-1",
    "2026-02-30",
    "' OR 1=1 --",
    "\x00",
]
EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "30"))


def meant(kind: Type, text: str) -> Any:
    """The one value that a text means; raises where it could mean none, or several."""
    match kind:
        case Type.STRING:
            return text
        case Type.INTEGER:
            return int(text)
        case Type.NUMBER:
            return float(text)
        case Type.DECIMAL:
            return Decimal(text)
        case Type.BOOLEAN:
            return {"true": True, "false": False}[text]
        case Type.DATE:
            assert len(text) == 10
            return dt.date.fromisoformat(text)
        case Type.DATETIME:
            moment = dt.datetime.fromisoformat(text)
            return moment.astimezone(dt.UTC).replace(tzinfo=None) if moment.tzinfo else moment
        case Type.JSON:
            return json.loads(text)


def texts(kind: Type) -> st.SearchStrategy[str]:
    stored = [
        value if isinstance(value, str) and kind is not Type.JSON else json.dumps(value) for value in VALUES[kind]
    ]
    spelled = st.builds(lambda spell, text: spell(text), st.sampled_from(SPELLINGS), st.sampled_from(stored))
    return st.sampled_from(stored) | spelled | st.sampled_from(ODD) | st.text(st.characters(codec="utf-8"), max_size=5)


KINDS = st.lists(st.sampled_from(Type), min_size=1, max_size=2, unique=True)
WHERE = KINDS.flatmap(lambda kinds: st.fixed_dictionaries({f"a_{kind}": texts(kind) for kind in kinds}))
DAYS = st.none() | st.sampled_from(VALUES[Type.DATE]) | texts(Type.DATE)


def rows() -> list[dict[str, Any]]:
    """Every value of every type at least twice, beside changing others, and rows with nothing but a key."""
    chance = random.Random(1)
    made = [{"key": f"none {n}"} for n in range(2)]
    for kind, values in VALUES.items():
        for n, value in enumerate(values * 2):
            others = {f"a_{other}": chance.choice([None, *choices]) for other, choices in VALUES.items()}
            made.append({"key": f"{kind} {n}", **others, f"a_{kind}": value})
    return made


@pytest.mark.needs("replaces")
def test_the_rows_that_go_are_those_that_were_meant(storage: Storage, sink: Sink, tmp_path: Path) -> None:
    sent = {row["key"]: row for row in rows()}
    load(sink, tmp_path, TABLE, *sent.values())
    before = {row["key"]: row for row in storage.rows("p", TABLE)}
    assert len(before) == len(sent)

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(where=WHERE, first=DAYS, last=DAYS)
    def select(where: dict[str, str], first: str | None, last: str | None) -> None:
        try:
            region = Replaces(stream="regions", where=where, first=first, last=last)
            load(sink, tmp_path, TABLE, replaces=region, may_empty=True)
        except SinkError:
            event("refused")
            kept = {row["key"] for row in storage.rows("p", TABLE)}
            assert kept == set(before), "a refused line took rows away"
            return
        conditions = [(column, meant(Type(column[2:]), text)) for column, text in where.items()]
        low, high = (None if day is None else meant(Type.DATE, day) for day in (first, last))
        days = lambda row: (
            low is high is None
            or (
                row["a_date"] is not None
                and (low is None or row["a_date"] >= low)
                and (high is None or row["a_date"] <= high)
            )
        )
        gone = {
            key for key, row in before.items()
            if days(row) and all(row[column] is not None and row[column] == value for column, value in conditions)
        }  # fmt: skip
        event(f"{(len(gone) and 'some') or 'none'} went")
        kept = {row["key"] for row in storage.rows("p", TABLE)}
        assert set(before) - kept == gone
        if gone:
            load(sink, tmp_path, TABLE, *(sent[key] for key in gone))

    select()
