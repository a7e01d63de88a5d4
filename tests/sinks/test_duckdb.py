"""What only the DuckDB file has: others that hold it, readers after the run, a snapshot for readers meanwhile, Parquet."""

from __future__ import annotations

import datetime as dt
import os
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
from reading import reading
from storage import DAILY, commit_one, day, load, stage
from until import until

from supervisor.config.errors import SinkError
from supervisor.sinks import Commit
from supervisor.sinks.duckdb.sink import DuckDBSink
from supervisor.sinks.duckdb.snapshot import write_snapshot
from supervisor.sinks.embedded import connect
from wire.schema import Column, Table, Type


def test_a_quote_in_a_stream_and_an_apostrophe_in_a_column_are_names_like_others(tmp_path: Path) -> None:
    sink = DuckDBSink(tmp_path / "x.duckdb")
    table = Table('select "x"', (Column("a'b;--", Type.STRING), Column("it's", Type.DATETIME)), ("a'b;--",))
    load(sink, tmp_path, table, {"a'b;--": "2", "it's": "2026-01-01T00:00:00Z"})
    query = 'SELECT "a' + "'" + 'b;--" FROM p."select ""x"""'
    assert sink._connection.execute(query).fetchall() == [("2",)]
    sink.close()


def test_a_text_as_long_as_a_line_may_be(tmp_path: Path) -> None:
    sink = DuckDBSink(tmp_path / "x.duckdb")
    load(sink, tmp_path, Table("long", (Column("a", Type.STRING),), ()), {"a": "é" * 5_000_000})
    assert sink._connection.execute("SELECT length(a) FROM p.long").fetchone() == (5_000_000,)
    sink.close()


def test_a_file_that_is_no_database(tmp_path: Path) -> None:
    path = tmp_path / "x.duckdb"
    path.write_text("not a database at all")
    with pytest.raises(SinkError, match=r"the DuckDB file .*x.duckdb cannot be opened: "):
        DuckDBSink(path)
    path.unlink()
    DuckDBSink(path).close()


def test_a_file_that_another_program_has_open(tmp_path: Path) -> None:
    path = tmp_path / "x.duckdb"
    DuckDBSink(path).close()
    hold = f"import duckdb, sys; c = duckdb.connect({str(path)!r}); print('open', flush=True); sys.stdin.read()"
    holder = subprocess.Popen([sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdout is not None and holder.stdin is not None
    holder.stdout.readline()
    with pytest.raises(SinkError, match=rf"is in use by pid {holder.pid}"):
        DuckDBSink(path)
    holder.stdin.close()
    holder.wait(60)
    holder.stdout.close()


def test_any_client_can_read_the_file_after_the_run(tmp_path: Path) -> None:
    sink = DuckDBSink(tmp_path / "x.duckdb")
    load(sink, tmp_path, DAILY, day("1", "a", "2026-01-01", 1))
    sink.publish()
    sink.close()
    with duckdb.connect(str(tmp_path / "x.duckdb"), read_only=True) as connection:
        assert connection.execute("SELECT n, _run_id FROM p.daily").fetchall() == [(1, "run-1")]


def test_a_statement_is_interrupted_from_another_thread(tmp_path: Path) -> None:
    sink = DuckDBSink(tmp_path / "x.duckdb")
    session = sink.session("p", "run-1")
    session.prepare(DAILY)
    stage(session, DAILY, day("1", "a", "2026-01-01", 1), directory=tmp_path)
    threading.Timer(0.3, session.interrupt).start()
    begun = time.monotonic()
    with pytest.raises(SinkError, match="what DuckDB was doing was interrupted"):
        session._run("SELECT count(*) FROM range(10000000) a, range(10000000) b WHERE a.range % 7 = b.range % 11")
    assert time.monotonic() - begun < 60
    assert commit_one(session, Commit(streams=("daily",))) == {"daily": 1}
    session.close()
    sink.close()


def read(path: Path, query: str = "SELECT n FROM p.daily ORDER BY n") -> list[tuple[Any, ...]]:
    with reading(path) as connection:
        return connection.execute(query).fetchall()


def test_the_snapshot_of_the_last_run_can_be_read_while_a_run_is_on(house: Any) -> None:
    """And what is read there keeps no run from starting, and from putting another snapshot in its place."""
    house.environment["DUCKDB_SNAPSHOT"] = "true"
    house.tap("one", "schema()\nrow(id='1', n=1)\nstate({'a': 1})")
    house.write()
    assert house.run().returncode == 0
    database, snapshot = (house.directory / name for name in ("social_ads.duckdb", "social_ads.snapshot.duckdb"))
    house.tap(
        "one",
        "schema()\nrow(id='2', n=2)\nstate({'a': 2})\nopen('there', 'w')\nwhile os.path.exists('there'): time.sleep(0.05)",
    )
    house.write()
    run = house.start("run")
    until((house.directory / "there").exists)
    reader = duckdb.connect(str(snapshot), read_only=True)
    assert reader.execute("SELECT n FROM one.t").fetchall() == [(1,)]
    with pytest.raises(duckdb.IOException):
        duckdb.connect(str(database), read_only=True)
    done = house.run("export", "--to", "parquet")
    assert (done.returncode, "snapshot" in done.stdout) == (0, True), done.stderr
    done = house.run("history")
    assert (done.returncode, done.stdout.count("completed")) == (0, 1), done.stderr
    (house.directory / "there").unlink()
    assert run.wait(60) == 0
    assert run.stdout is not None and run.stderr is not None
    run.stdout.close()
    run.stderr.close()
    assert reader.execute("SELECT n FROM one.t").fetchall() == [(1,)]
    reader.close()
    assert read(snapshot, "SELECT n FROM one.t ORDER BY n") == [(1,), (2,)]
    assert snapshot.stat().st_mode & 0o777 == 0o400


def test_no_snapshot_is_kept_where_none_is_wanted(house: Any) -> None:
    house.environment["DUCKDB_SNAPSHOT"] = "true"
    house.tap("one", "schema()\nrow(id='1', n=1)")
    house.write()
    assert house.run("run", DUCKDB_SNAPSHOT="false").returncode == 0
    assert sorted(path.name for path in house.directory.glob("*.duckdb*")) == [
        "social_ads.duckdb",
        "social_ads.duckdb.lock",
    ]
    assert house.run("run", DUCKDB_SNAPSHOT_PATH="for_readers.duckdb").returncode == 0
    assert read(house.directory / "for_readers.duckdb", "SELECT n FROM one.t") == [(1,)]


def test_a_snapshot_that_cannot_be_written_costs_no_run(house: Any) -> None:
    house.environment["DUCKDB_SNAPSHOT"] = "true"
    house.tap("one", "schema()\nrow(id='1', n=1)")
    house.write()
    done = house.run("run", DUCKDB_SNAPSHOT_PATH="/nowhere/x.duckdb")
    assert done.returncode == 0
    assert (
        "Readers keep the snapshot of an earlier run: the snapshot /nowhere/x.duckdb cannot be written" in done.stderr
    )


def test_half_a_snapshot_is_never_seen(tmp_path: Path) -> None:
    """What a killed run has left half-written is put right, and a full device leaves the former snapshot."""
    database, snapshot = tmp_path / "x.duckdb", tmp_path / "x.snapshot.duckdb"
    with duckdb.connect(str(database)) as connection:
        connection.execute("CREATE TABLE t AS SELECT 1 AS n")
    database.chmod(0o640)
    (tmp_path / ".x.snapshot.duckdb.new").write_bytes(b"half")
    write_snapshot(database, snapshot)
    assert read(snapshot, "SELECT n FROM t") == [(1,)]
    assert snapshot.stat().st_mode & 0o777 == 0o440
    database.unlink()
    with pytest.raises(SinkError, match="cannot be written"):
        write_snapshot(database, snapshot)
    assert read(snapshot, "SELECT n FROM t") == [(1,)]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["x.snapshot.duckdb"]


@pytest.fixture
def sharing(tmp_path: Path) -> Iterator[Path]:
    """A directory on a file system that can share blocks between files: an image of XFS, mounted for the test."""
    image, directory = tmp_path / "image", tmp_path / "mounted"
    directory.mkdir()
    image.touch()
    os.truncate(image, 320 * 1024 * 1024)  # XFS is made no smaller; of the image only what is written takes room
    try:
        subprocess.run(["mkfs.xfs", "-q", "-m", "reflink=1", str(image)], check=True, capture_output=True)
        subprocess.run(["mount", "-o", "loop", str(image), str(directory)], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("no mkfs.xfs: apt install xfsprogs")
    except subprocess.CalledProcessError as error:
        pytest.skip(f"nothing can be mounted here: {error.stderr.decode().strip()}")
    try:
        yield directory
    finally:
        subprocess.run(["umount", str(directory)], check=True)


def test_a_snapshot_shares_its_blocks_where_the_file_system_can(sharing: Path) -> None:
    """It takes no room for what it has in common with the database, which goes on by itself."""
    database, snapshot = sharing / "x.duckdb", sharing / "x.snapshot.duckdb"
    with duckdb.connect(str(database)) as connection:
        connection.execute("CREATE TABLE t AS SELECT n, hash(n) AS h FROM range(1_000_000) r(n)")
    os.sync()
    size, before = database.stat().st_size, shutil.disk_usage(sharing).free
    write_snapshot(database, snapshot)
    os.sync()
    assert size > 5_000_000
    assert before - shutil.disk_usage(sharing).free < size / 20
    with duckdb.connect(str(database)) as connection:
        connection.execute("UPDATE t SET n = 0")
    assert read(snapshot, "SELECT count(DISTINCT n) FROM t") == [(1_000_000,)]


def test_a_full_disk_fails_the_attempt_and_the_retry_is_clean(house: Any) -> None:
    """A file-size limit of the process is met by the database exactly as a full disk is, while small regions wait."""
    house.tap(
        "big",
        """
        import random
        schema(id="string", n="integer", text="string", account="string")
        for account in map(str, range(100)):
            for n in range(200):
                row(id=f"{account}-{n}", n=n, text=random.Random(n).randbytes(400).hex(), account=account)
            state({"account": account}, stream="t", where={"account": account}, rows=200)
        """,
    )
    house.write()
    (house.directory / "limited.py").write_text(
        "import resource, runpy, signal, sys\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (6_000_000, 6_000_000))\n"
        "sys.argv = ['supervisor', 'run']\n"
        "runpy.run_module('supervisor', run_name='__main__')\n"
    )
    done = subprocess.run(
        [sys.executable, "limited.py"], cwd=house.directory, env=house.environment, capture_output=True, text=True, timeout=180,
    )  # fmt: skip
    assert done.returncode == 3, done.stderr
    assert re.search(r"Platform 'big' failed: DuckDB refused: .*File too large.*; make room for it", done.stderr)
    rows, accounts = house.rows("SELECT count(*), count(DISTINCT account) FROM big.t")[0]
    assert 0 < rows == 200 * accounts < 20000
    assert house.run().returncode == 0
    assert house.rows("SELECT count(*) FROM big.t") == [(20000,)]


def test_no_snapshot_is_made_of_a_file_whose_log_is_not_folded_in(tmp_path: Path) -> None:
    sink = DuckDBSink(tmp_path / "x.duckdb", snapshot=tmp_path / "s.duckdb")
    other = connect(tmp_path / "x.duckdb")
    load(sink, tmp_path, DAILY, day("1", "a", "2026-01-01", 1))
    sink.publish()
    sink.close()
    with pytest.raises(SinkError, match=r"is not whole without x\.duckdb\.wal"):
        write_snapshot(tmp_path / "x.duckdb", tmp_path / "s.duckdb")
    assert not (tmp_path / "s.duckdb").exists()
    other.close()
    write_snapshot(tmp_path / "x.duckdb", tmp_path / "s.duckdb")
    assert read(tmp_path / "s.duckdb") == [(1,)]


@pytest.fixture
def exported(house: Any) -> Any:
    """A database with two platforms, one table by day, and one without days."""
    house.tap(
        "one",
        """
        say(type="SCHEMA", stream="daily", schema={"properties": {
            "account_id": {"type": "string"}, "date": {"type": "string", "format": "date"},
            "cost": {"type": "string", "format": "singer.decimal"}, "extra": {}}},
            key_properties=["account_id", "date"], bookmark_properties=["date"])
        for date in ("2026-10-31", "2026-11-01", "2026-11-30"):
            row("daily", account_id="1", date=date, cost="0.000000000000000001", extra={"a": 1})
        schema("campaign")
        row("campaign", id="7", n=1)
        state({"a": 1})
        """,
    )
    house.tap("two", "schema('..')\nrow('..', id='1', n=1)\nschema('empty', day='date', id='string')\nstate({'a': 1})")
    house.write()
    done = house.run()
    assert done.returncode == 0, done.stderr
    return house


def test_an_export_has_a_directory_per_platform_table_and_month(exported: Any) -> None:
    for _ in range(2):  # the second one replaces the first
        done = exported.run("export", "--to", "parquet")
        assert done.returncode == 0, done.stderr
    root = exported.directory / "parquet"
    found = sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())
    assert found == [
        "one/campaign/data_0.parquet",
        "one/daily/month=2026-10/data_0.parquet",
        "one/daily/month=2026-11/data_0.parquet",
        "two/_../data_0.parquet",
        "two/empty/data_0.parquet",
    ]
    daily = duckdb.sql(
        f"SELECT date, cost, month, _run_id FROM '{root}/one/daily/*/*.parquet' ORDER BY date"
    ).fetchall()
    assert [row[:3] for row in daily] == [
        (dt.date(2026, 10, 31), Decimal("1E-18"), "2026-10"),
        (dt.date(2026, 11, 1), Decimal("1E-18"), "2026-11"),
        (dt.date(2026, 11, 30), Decimal("1E-18"), "2026-11"),
    ]
    assert "parquet/one/daily: 3 rows" in done.stdout


def test_an_export_drops_months_that_are_gone_and_other_platforms_stay(exported: Any) -> None:
    assert exported.run("export", "--to", "parquet").returncode == 0
    with duckdb.connect(str(exported.directory / "social_ads.duckdb")) as connection:
        connection.execute("DELETE FROM one.daily WHERE date < '2026-11-01'")
    os.utime(exported.directory / "social_ads.duckdb")
    done = exported.run("export", "--to", "parquet", "--only", "one")
    assert done.returncode == 0, done.stderr
    root = exported.directory / "parquet"
    assert [path.name for path in sorted((root / "one" / "daily").iterdir())] == ["month=2026-11"]
    assert (root / "two" / "empty").is_dir()


@pytest.mark.parametrize(
    ("arguments", "variables", "sentence"),
    [
        (("--to", "x"), {"STORAGE_TYPE": "none"}, "`supervisor export` reads a DuckDB file, and rows go to none here"),
        (("--to", "x"), {"DUCKDB_PATH": "other.duckdb"}, "there is no DuckDB file"),
        (("--to", "x", "--only", "three"), {}, "the database holds no tables of three"),
        (("--to", "social_ads.duckdb/x"), {}, "cannot be written to"),
    ],
)
def test_what_an_export_refuses(exported: Any, arguments: tuple[str, ...], variables: Any, sentence: str) -> None:
    done = exported.run("export", *arguments, **variables)
    assert done.returncode == 1
    assert sentence in done.stderr and "Traceback" not in done.stderr
