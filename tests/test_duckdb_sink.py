"""What is committed is what was sent; nothing else is visible, and nothing is narrowed."""

from __future__ import annotations

import datetime as dt
import json
import math
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from supervisor.errors import SinkError
from supervisor.sinks import Commit
from supervisor.sinks.duckdb.session import DuckDBSession
from supervisor.sinks.duckdb.sink import DuckDBSink
from wire.messages import Replaces
from wire.schema import Column, Table, Type

EVERY_TYPE = Table("all types", tuple(Column(f"a {kind}", kind) for kind in Type), ("a string",))
DAILY = Table(
    "daily",
    (Column("account_id", Type.STRING), Column("date", Type.DATE), Column("n", Type.INTEGER)),
    ("account_id", "date"),
    "date",
)


@pytest.fixture
def sink(tmp_path: Path) -> Any:
    opened = DuckDBSink(tmp_path / "x.duckdb")
    yield opened
    opened.close()


def stage(session: DuckDBSession, table: Table, *rows: dict[str, Any], directory: Path) -> None:
    spool = directory / "spool.jsonl"
    spool.write_text("".join(json.dumps(row) + "\n" for row in rows))
    session.stage(table.name, spool, len(rows))


def load(sink: DuckDBSink, directory: Path, table: Table, *rows: dict[str, Any], **commit: Any) -> Any:
    session = sink.session("p", "run")
    session.prepare(table)
    stage(session, table, *rows, directory=directory)
    stored = session.commit(Commit(streams=(table.name,), **commit))
    session.close()
    return stored


def everything(sink: DuckDBSink, table: str = "daily") -> list[tuple[Any, ...]]:
    return sink._connection.execute(f'SELECT * EXCLUDE (_loaded_at, _run_id) FROM p."{table}" ORDER BY ALL').fetchall()


VALUES = st.fixed_dictionaries(
    {
        "a string": st.text(st.characters(codec="utf-8")),
        "a integer": st.none() | st.integers(-(2**63), 2**63 - 1),
        "a number": st.none() | st.floats(allow_nan=False, allow_infinity=False),
        "a decimal": st.none() | st.decimals(-(10**20) + 1, 10**20 - 1, places=18, allow_nan=False).map(lambda d: format(d, "f")),
        "a boolean": st.none() | st.booleans(),
        "a date": st.none() | st.dates().map(dt.date.isoformat),
        "a datetime": st.none() | st.datetimes(dt.datetime(1900, 1, 2), dt.datetime(2200, 1, 1), timezones=st.sampled_from(
            [dt.UTC, dt.timezone(dt.timedelta(hours=-8)), dt.timezone(dt.timedelta(hours=5, minutes=30))])).map(dt.datetime.isoformat),
        "a json": st.none() | st.recursive(st.booleans() | st.integers(-9, 9) | st.text(st.characters(codec="utf-8", min_codepoint=1)), st.lists, max_leaves=4),
    }
)  # fmt: skip


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(row=VALUES)
def test_every_value_comes_back_as_it_was_sent(sink: Any, tmp_path: Path, row: dict[str, Any]) -> None:
    load(
        sink, tmp_path, EVERY_TYPE, row, replaces=Replaces(stream=EVERY_TYPE.name, where={"a string": row["a string"]})
    )
    columns = [f"a {kind}" for kind in Type]
    found = sink._connection.execute(
        f'SELECT {", ".join(chr(34) + c + chr(34) for c in columns)} FROM p."all types" WHERE "a string" = ?',
        [row["a string"]],
    ).fetchone()
    got = dict(zip(columns, found, strict=True))
    assert got["a string"] == row["a string"]
    assert got["a integer"] == row["a integer"]
    assert got["a number"] == row["a number"] and (
        row["a number"] is None or math.copysign(1, got["a number"]) == math.copysign(1, row["a number"])
    )
    assert got["a decimal"] == (None if row["a decimal"] is None else Decimal(row["a decimal"]))
    assert got["a boolean"] == row["a boolean"]
    assert got["a date"] == (None if row["a date"] is None else dt.date.fromisoformat(row["a date"]))
    sent = None if row["a datetime"] is None else dt.datetime.fromisoformat(row["a datetime"]).astimezone(dt.UTC)
    assert got["a datetime"] == (sent and sent.replace(tzinfo=None))
    assert (None if got["a json"] is None else json.loads(got["a json"])) == row["a json"]


def test_rows_are_invisible_until_the_commit_and_gone_after_a_discard(sink: Any, tmp_path: Path) -> None:
    session = sink.session("p", "run")
    session.prepare(DAILY)
    stage(session, DAILY, {"account_id": "1", "date": "2026-01-01", "n": 1}, directory=tmp_path)
    assert everything(sink) == []
    session.discard()
    assert session.commit(Commit(streams=("daily",), state=b'{"a":1}')) == {"daily": 0}
    assert session.state() == b'{"a":1}'
    session.close()


def test_a_failed_commit_leaves_rows_and_state_as_they_were(sink: Any, tmp_path: Path) -> None:
    first = {"account_id": "1", "date": "2026-01-01", "n": 1}
    load(sink, tmp_path, DAILY, first, state=b'{"a":1}')
    session = sink.session("p", "run")
    session.prepare(DAILY)
    stage(session, DAILY, {"account_id": "2", "date": "2026-01-01", "n": 1}, directory=tmp_path)
    with pytest.raises(SinkError, match="outside the region"):
        session.commit(
            Commit(streams=("daily",), state=b'{"a":2}', replaces=Replaces(stream="daily", where={"account_id": "1"}))
        )
    assert (session.state(), everything(sink)) == (b'{"a":1}', [("1", dt.date(2026, 1, 1), 1)])
    session.close()


def test_without_a_region_rows_are_merged_by_key_and_the_last_one_wins(sink: Any, tmp_path: Path) -> None:
    day = {"account_id": "1", "date": "2026-01-01"}
    load(sink, tmp_path, DAILY, day | {"n": 1}, {"account_id": "2", "date": "2026-01-01", "n": 7})
    load(sink, tmp_path, DAILY, day | {"n": 2}, day | {"n": 3})
    assert [row[2] for row in everything(sink)] == [3, 7]


def test_without_a_key_rows_are_appended(sink: Any, tmp_path: Path) -> None:
    table = Table("daily", DAILY.columns, ())
    for _ in range(2):
        load(sink, tmp_path, table, {"account_id": "1", "date": "2026-01-01", "n": 1})
    assert len(everything(sink)) == 2


def test_a_wider_schema_adds_columns_and_a_narrower_one_drops_none(sink: Any, tmp_path: Path) -> None:
    load(sink, tmp_path, DAILY, {"account_id": "1", "date": "2026-01-01", "n": 1})
    wider = Table("daily", (*DAILY.columns, Column("cost", Type.DECIMAL)), DAILY.key, "date")
    load(sink, tmp_path, wider, {"account_id": "2", "date": "2026-01-01", "n": 2, "cost": "0.000000000000000001"})
    load(sink, tmp_path, DAILY, {"account_id": "3", "date": "2026-01-01", "n": 3})
    assert [(row[0], row[3]) for row in everything(sink)] == [("1", None), ("2", Decimal("1E-18")), ("3", None)]


def test_another_type_for_a_column_is_refused_with_the_remedy(sink: Any, tmp_path: Path) -> None:
    load(sink, tmp_path, DAILY, {"account_id": "1", "date": "2026-01-01", "n": 1})
    changed = Table("daily", (*DAILY.columns[:2], Column("n", Type.STRING)), DAILY.key, "date")
    with pytest.raises(SinkError, match="column 'n' of p.daily is BIGINT and would become VARCHAR; rename the table"):
        load(sink, tmp_path, changed)
    assert len(everything(sink)) == 1


def test_a_table_that_is_not_ours_is_left_alone(sink: Any, tmp_path: Path) -> None:
    sink._connection.execute("CREATE SCHEMA p; CREATE TABLE p.daily (account_id VARCHAR)")
    with pytest.raises(SinkError, match=r"the table p.daily was not made by this program"):
        load(sink, tmp_path, DAILY)


@pytest.mark.parametrize("names", [("Cost", "cost"), ("n", "_loaded_at"), ("n", "_RUN_ID")])
def test_names_that_cannot_live_in_one_table(sink: Any, tmp_path: Path, names: tuple[str, str]) -> None:
    table = Table("t", tuple(Column(name, Type.STRING) for name in names), ())
    with pytest.raises(SinkError, match=r"differ only in case|every table has already"):
        load(sink, tmp_path, table)


def test_reserved_words_and_quotes_are_names_like_others(sink: Any, tmp_path: Path) -> None:
    table = Table(
        'select "x"',
        (Column("order", Type.STRING), Column("a'b;--", Type.STRING), Column("it's", Type.DATETIME)),
        ("order",),
    )
    load(sink, tmp_path, table, {"order": "1", "a'b;--": "2", "it's": "2026-01-01T00:00:00Z"})
    query = 'SELECT "order", "a' + "'" + 'b;--" FROM p."select ""x"""'
    assert sink._connection.execute(query).fetchall() == [("1", "2")]


def test_a_thousand_columns(sink: Any, tmp_path: Path) -> None:
    table = Table("wide", tuple(Column(f"c{n}", Type.INTEGER) for n in range(1000)), ("c0",))
    load(sink, tmp_path, table, {f"c{n}": n for n in range(1000)})
    assert everything(sink, "wide") == [tuple(range(1000))]


def test_a_text_as_long_as_a_line_may_be(sink: Any, tmp_path: Path) -> None:
    text = "é" * 5_000_000
    table = Table("long", (Column("a", Type.STRING),), ())
    spool = tmp_path / "spool.jsonl"
    spool.write_text(json.dumps({"a": text}, ensure_ascii=False) + "\n")
    session = sink.session("p", "run")
    session.prepare(table)
    session.stage("long", spool, 1)
    session.commit(Commit(streams=("long",)))
    session.close()
    assert sink._connection.execute("SELECT length(a) FROM p.long").fetchone() == (5_000_000,)


def test_platforms_commit_at_once_without_getting_in_each_others_way(sink: Any, tmp_path: Path) -> None:
    failures: list[BaseException] = []

    def work(name: str) -> None:
        directory = tmp_path / name
        directory.mkdir()
        try:
            session = sink.session(name, "run")
            session.prepare(DAILY)
            for n in range(25):
                stage(session, DAILY, {"account_id": "1", "date": f"2026-01-{n + 1:02d}", "n": n}, directory=directory)
                session.commit(Commit(streams=("daily",), state=json.dumps({"n": n}).encode()))
            session.close()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(f"platform{n}",)) for n in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failures
    for n in range(4):
        assert sink._connection.execute(f"SELECT count(*) FROM platform{n}.daily").fetchone() == (25,)
    assert sink._connection.execute("SELECT count(*) FROM _supervisor.state").fetchone() == (4,)


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "x.duckdb"
    path.write_text("not a database at all")
    with pytest.raises(SinkError, match=r"the DuckDB file .*x.duckdb cannot be opened: "):
        DuckDBSink(path)
    path.unlink()
    DuckDBSink(path).close()


def test_a_file_that_another_program_has_open(tmp_path: Path) -> None:
    import subprocess
    import sys

    path = tmp_path / "x.duckdb"
    DuckDBSink(path).close()
    hold = f"import duckdb, sys; c = duckdb.connect({str(path)!r}); print('open', flush=True); sys.stdin.read()"
    holder = subprocess.Popen([sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdout is not None and holder.stdin is not None
    holder.stdout.readline()
    with pytest.raises(SinkError, match=rf"cannot be opened.*{holder.pid}"):
        DuckDBSink(path)
    holder.stdin.close()
    holder.wait(10)
    holder.stdout.close()


def test_any_client_can_read_the_file_after_the_run(tmp_path: Path) -> None:
    sink = DuckDBSink(tmp_path / "x.duckdb")
    load(sink, tmp_path, DAILY, {"account_id": "1", "date": "2026-01-01", "n": 1})
    sink.publish()
    sink.close()
    with duckdb.connect(str(tmp_path / "x.duckdb"), read_only=True) as connection:
        assert connection.execute("SELECT n, _run_id FROM p.daily").fetchall() == [(1, "run")]
