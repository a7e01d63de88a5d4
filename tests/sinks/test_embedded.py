"""Nothing outside the rows has a say in them: where they are spooled, the machine's zone, a file's name, a broken block."""

from __future__ import annotations

import ast
import datetime as dt
import json
import threading
from pathlib import Path
from typing import Any

import duckdb
import pytest
from storage import DAILY, commit_one, day, load, write_spool

from supervisor.config.errors import SinkError
from supervisor.sinks import Commit
from supervisor.sinks.duckdb.parquet import export_parquet
from supervisor.sinks.duckdb.sink import DuckDBSink
from supervisor.sinks.duckdb.snapshot import SLICES, WHOLE_BYTES, CopyReader, parts, write_snapshot
from supervisor.sinks.embedded import SETTINGS, connect
from wire.schema import Column, Table, Type


def test_a_directory_called_like_a_column_gives_it_no_value(tmp_path: Path) -> None:
    spools = tmp_path / "n=7" / "account_id=9"
    spools.mkdir(parents=True)
    sink = DuckDBSink(tmp_path / "x.duckdb")
    load(sink, spools, DAILY, day("1", "a", "2026-01-05", 1))
    sink.close()
    with duckdb.connect(str(tmp_path / "x.duckdb")) as database:
        assert database.execute("SELECT account_id, n FROM p.daily").fetchall() == [("1", 1)]


def test_every_setting_holds_in_every_cursor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    with connect(tmp_path / "x.duckdb") as connection:
        cursor = connection.cursor()
        locked = {"enable_external_access": False, "lock_configuration": True}
        wanted = {**SETTINGS, **locked, "memory_limit": "192.0 MiB", "TimeZone": "UTC"}
        found = {name: cursor.execute(f"SELECT current_setting('{name}')").fetchall()[0][0] for name in wanted}
        assert found == wanted


def test_no_statement_reaches_further_than_the_spool(tmp_path: Path) -> None:
    """A table as a file, a copy, another database, an extension, a setting: each is refused, whatever the sink."""
    spools, beside = tmp_path / "spools", tmp_path / "secret.jsonl"
    spools.mkdir()
    beside.write_text('{"account_id": "stolen"}\n')
    for database in (tmp_path / "x.duckdb", None):
        with connect(database, files=spools) as connection:
            write_spool(spools, day("1", "a", "2026-01-05", 1))
            for path in (spools / "spool.jsonl", beside, spools / ".." / "secret.jsonl", "/etc/passwd"):
                query = f"SELECT count(*) FROM read_text('{path}')"
                if path == spools / "spool.jsonl":
                    assert connection.execute(query).fetchall() == [(1,)]
                    continue
                with pytest.raises(duckdb.PermissionException):
                    connection.execute(query)
            for statement in (
                f"COPY (SELECT 1) TO '{tmp_path}/out.csv'", f"ATTACH '{tmp_path}/other.duckdb'", "INSTALL httpfs",
                "LOAD httpfs", "SET GLOBAL enable_external_access = true", "SET GLOBAL TimeZone = 'Asia/Tokyo'",
                f"SET GLOBAL allowed_directories = ['{tmp_path}']",
            ):  # fmt: skip
                with pytest.raises(duckdb.Error):
                    connection.execute(statement)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["secret.jsonl", "spools", "x.duckdb"]


def test_every_duckdb_is_opened_in_the_one_place() -> None:
    root = Path(__file__).resolve().parents[2]
    opens = [
        path.relative_to(root).as_posix()
        for path in (root / "supervisor").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute)
        and isinstance(node.value, ast.Name)
        and (node.value.id, node.attr)
        in {("duckdb", name) for name in ("connect", "sql", "query", "execute", "default_connection")}
    ]
    assert opens == ["supervisor/sinks/embedded.py"]


def test_a_local_variable_is_no_table(tmp_path: Path) -> None:
    secrets = duckdb.sql("SELECT 1 AS x")
    with connect(None) as connection, pytest.raises(duckdb.CatalogException):
        connection.execute("SELECT * FROM secrets")
    assert secrets is not None


def test_times_of_rfc_3339_in_small_letters(tmp_path: Path) -> None:
    table = Table("t", (Column("id", Type.STRING), Column("at", Type.DATETIME)), ("id",))
    sink = DuckDBSink(tmp_path / "x.duckdb")
    load(sink, tmp_path, table, {"id": "1", "at": "2026-01-31t23:59:59z"})
    sink.close()
    with duckdb.connect(str(tmp_path / "x.duckdb")) as database:
        assert str(database.execute('SELECT "at" FROM p.t').fetchall()[0][0]) == "2026-01-31 23:59:59"


@pytest.mark.parametrize("name", ["google.prod.duckdb", "ADS.db", "_supervisor.duckdb", "Shop.duckdb"])
def test_a_file_called_like_a_schema_is_refused_before_a_run(house: Any, name: str) -> None:
    house.tap("shop", "schema()")
    house.write()
    for command in ("check", "run"):
        done = house.run(command, DUCKDB_PATH=str(house.directory / name))
        assert done.returncode == 1
        assert f"a file called {name} would have the name of the schema" in done.stdout + done.stderr


@pytest.mark.parametrize("whole", [WHOLE_BYTES, 0], ids=["read whole", "what the run has stored"])
def test_a_broken_database_does_not_replace_a_good_snapshot(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, whole: int
) -> None:
    monkeypatch.setattr("supervisor.sinks.duckdb.snapshot.WHOLE_BYTES", whole)
    began = dt.datetime.now(dt.UTC)
    path, snapshot = tmp_path / "x.duckdb", tmp_path / "x.snapshot.duckdb"
    sink = DuckDBSink(path, snapshot=snapshot)
    load(sink, tmp_path, DAILY, *(day("1", str(n * 7919), "2026-01-05", n) for n in range(30_000)))
    sink.publish()
    sink.close()
    content, good = path.read_bytes(), snapshot.read_bytes()
    refused = 0
    for place in range(0, len(content), 40_000):  # somewhere in every kind of block
        broken = bytearray(content)
        for at in range(place, min(place + 64, len(content))):
            broken[at] ^= 0xFF
        path.write_bytes(broken)
        try:
            write_snapshot(path, snapshot, since=began)
        except SinkError as error:
            refused += 1
            assert "is broken" in str(error)
            assert "put a copy of it back" in str(error)
            assert snapshot.read_bytes() == good
        else:  # the bytes belonged to nothing
            with duckdb.connect(str(snapshot), read_only=True) as copy:
                assert copy.execute("SELECT count(*), sum(n), count(DISTINCT campaign_id) FROM p.daily").fetchall() == [
                    (30_000, 449_985_000, 30_000)
                ]
        snapshot.unlink()
        snapshot.write_bytes(good)
        assert not list(tmp_path.glob(".x.snapshot*"))
    assert refused >= 2, "the check was not reached"


def test_one_database_can_be_attached_later_and_no_other(tmp_path: Path) -> None:
    for name in ("it's.duckdb", "other.duckdb"):
        with duckdb.connect(str(tmp_path / name)) as database:
            database.execute("CREATE TABLE t AS SELECT 7 AS n")
    with connect(None, later=tmp_path / "it's.duckdb") as reader:
        for forbidden in (f"ATTACH '{tmp_path}/other.duckdb' AS other", f"COPY (SELECT 1) TO '{tmp_path}/made.csv'"):
            with pytest.raises(duckdb.PermissionException):
                reader.execute(forbidden)
        reader.execute(f"ATTACH '{tmp_path}/it''s.duckdb' AS later (READ_ONLY)")
        assert reader.execute("SELECT n FROM later.t").fetchall() == [(7,)]


def test_a_snapshot_is_read_where_there_can_be_no_further_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sink = DuckDBSink(tmp_path / "x.duckdb", snapshot=tmp_path / "x.snapshot.duckdb")
    load(sink, tmp_path, DAILY, day("1", "a", "2026-01-05", 1))

    def start(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", start)
        CopyReader(tmp_path / "x.snapshot.duckdb")
        sink.publish()
        sink.close()
    with duckdb.connect(str(tmp_path / "x.snapshot.duckdb"), read_only=True) as copy:
        assert copy.execute("SELECT n FROM p.daily").fetchall() == [(1,)]


def test_of_a_large_database_every_row_is_read_within_a_month(tmp_path: Path) -> None:
    day_one = dt.date(2026, 11, 1)
    with connect(tmp_path / "x.duckdb") as database:
        database.execute(
            "CREATE TABLE t AS SELECT i, TIMESTAMP '2026-11-01 00:00:00' AS _loaded_at FROM range(1007) r(i)"
        )
        database.execute("DELETE FROM t WHERE i BETWEEN 100 AND 500")
        database.execute("CREATE TABLE state AS SELECT 1 AS n")
        seen: list[int] = []
        for night in range(SLICES):
            of_the_run = dt.datetime(2026, 11, 1, tzinfo=dt.UTC) + dt.timedelta(days=night)
            found = list(parts(database, of_the_run, day_one + dt.timedelta(days=night)))
            assert [table for table, _, _ in found].count('"main"."state"') == 1
            rows = [
                database.execute(f"SELECT i FROM {table} {condition}", values).fetchall()
                for table, condition, values in found
                if table == '"main"."t"'
            ]
            assert len(rows[0]) == (606 if night == 0 else 0)
            seen += [i for (i,) in rows[1]]
    assert sorted(seen) == [*range(100), *range(501, 1007)]


def test_two_tables_of_one_path_are_not_written_over_each_other(tmp_path: Path) -> None:
    sink = DuckDBSink(tmp_path / "x.duckdb")
    session = sink.session("p", "run-1")
    for name in ("a/b", "a_b"):
        session.prepare(Table(name, DAILY.columns, DAILY.key, "date"))
        commit_one(session, Commit(streams=(name,), state=json.dumps({"n": 1}).encode()))
    session.close()
    sink.close()
    with (
        connect(tmp_path / "x.duckdb", files=tmp_path / "out") as database,
        pytest.raises(SinkError, match="would both be written to"),
    ):
        list(export_parquet(database, tmp_path / "out"))
