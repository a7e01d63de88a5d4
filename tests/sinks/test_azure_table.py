"""What only Azure Table Storage has: keys, limits, transactions of a partition, a busy service, and a lease."""

from __future__ import annotations

import datetime as dt
import json
import os
import random
import socket
import subprocess
import sys
import textwrap
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from azurite import AzureTables
from faulty import Fault, Proxy, Request, first
from hypothesis import given
from hypothesis import strategies as st
from storage import DAILY, commit_one, day, load, stage
from until import until

from sandbox.azurite import KEY, connection_string
from supervisor.config.environment import AzureAccess, RunEnvironment, StorageType
from supervisor.config.errors import SinkError
from supervisor.run.monitor import ExecutionMonitor
from supervisor.sinks import Commit
from supervisor.sinks.azure_table import check, open_history, open_sink
from supervisor.sinks.azure_table.access import Patience
from supervisor.sinks.azure_table.keys import column_name, escape, joined, property_name, split, unescape
from supervisor.sinks.azure_table.partitions import MARKER
from supervisor.sinks.azure_table.sink import AzureSink
from wire.messages import Replaces
from wire.schema import Column, Table, Type

QUICK = Patience(busy=3, unreachable=1, unanswered=1, longest_pause=0.05, connect=2, read=5)
JANUARY = Replaces(stream="daily", where={"account_id": "1"}, first="2026-01-01", last="2026-01-31")
ONE_DAY = Replaces(stream="daily", where={"account_id": "1"}, first="2026-01-01", last="2026-01-01")
FORBIDDEN = set("/\\#?%|") | {chr(code) for code in (*range(0x20), *range(0x7F, 0xA0))}


@pytest.fixture
def tables(tmp_path: Path) -> Iterator[AzureTables]:
    made = AzureTables(tmp_path)
    yield made
    made.close()


@pytest.fixture
def proxy(tables: AzureTables) -> Iterator[Proxy]:
    made = Proxy(tables.port)
    yield made
    made.close()


def behind(proxy: Proxy, tables: AzureTables) -> AzureAccess:
    return AzureAccess(connection_string=connection_string(proxy.port), table_name=tables.prefix)


def region_where(replaces: Replaces, **where: str) -> Replaces:
    return Replaces(stream=replaces.stream, where=where, first=replaces.first, last=replaces.last)


def a_day(count: int, date: str = "2026-01-01", *, start: int = 0) -> list[dict[str, Any]]:
    return [day("1", f"c{number:05d}", date, number) for number in range(start, start + count)]


@given(st.lists(st.text(), min_size=1, max_size=4), st.lists(st.text(), min_size=1, max_size=4))
def test_different_keys_stay_different_and_are_valid(one: list[str], other: list[str]) -> None:
    key = joined(one)
    assert split(key) == tuple(one)
    assert (key == joined(other)) == (one == other)
    assert not FORBIDDEN & set("".join(map(escape, one)))
    assert key != MARKER


@given(st.text())
def test_an_escaped_text_comes_back(text: str) -> None:
    assert unescape(escape(text)) == text


@given(st.text(min_size=1, max_size=25), st.text(min_size=1, max_size=25))
def test_different_columns_are_different_properties(one: str, other: str) -> None:
    name = property_name(one, table="t")
    assert name.isascii() and name.isidentifier()
    assert column_name(name) == one
    assert (name == property_name(other, table="t")) == (one == other)


def test_the_names_that_the_service_owns_are_other_properties() -> None:
    for owned in ("PartitionKey", "RowKey", "Timestamp"):
        assert property_name(owned, table="t") != owned
    assert property_name("timestamp", table="t") == "timestamp"
    with pytest.raises(SinkError, match="a property of 256 characters, and Azure Table Storage takes 1 to 255"):
        property_name("x" * 256, table="t")


WIDE = Table(
    "wide",
    (
        Column("id", Type.STRING),
        Column("at", Type.DATETIME),
        *(Column(f"text_{number}", Type.STRING) for number in range(20)),
    ),
    ("id",),
)


@pytest.mark.parametrize(
    ("row", "sentence"),
    [
        ({"id": "a", "text_3": "x" * 32_001}, "p.wide: the column 'text_3' has a text of 32,001 UTF-16 units.*32,000"),
        ({"id": "a", "text_3": "🦆" * 16_001}, "'text_3' has a text of 32,002 UTF-16 units"),
        (
            {"id": "a", **{f"text_{n}": "x" * 30_000 for n in range(20)}},
            "p.wide has a row of 1,20.,... bytes.*1,048,576",
        ),
        ({"id": "a" * 513}, r"p.wide: the key \(id\) of a row would be a RowKey of 513 characters.*512"),
        ({"id": "/" * 200}, "a RowKey of 600 characters"),
        ({"id": "a", "at": "1600-12-31T23:59:59Z"}, "'at' has the time 1600-12-31.*begins with the year 1601"),
    ],
    ids=["text", "units", "row", "key", "escaped key", "time"],
)
def test_the_limits_of_the_service_hold_before_anything_is_sent(
    tables: AzureTables, tmp_path: Path, row: dict[str, Any], sentence: str
) -> None:
    sink = tables.open()
    with pytest.raises(SinkError, match=sentence):
        load(sink, tmp_path, WIDE, *({"id": f"good {n}"} for n in range(300)), row)
    assert tables.entities("p", WIDE) == []
    sink.close()


def test_a_table_may_have_as_many_columns_as_an_entity_has_properties(tables: AzureTables) -> None:
    columns = tuple(Column(f"c{number}", Type.STRING) for number in range(251))
    sink = tables.open()
    session = sink.session("p", "r")
    with pytest.raises(SinkError, match="p.t has 251 columns, and Azure Table Storage takes 250"):
        session.prepare(Table("t", columns, ("c0",)))
    session.close()
    sink.close()


def test_two_streams_that_would_share_a_table(tables: AzureTables) -> None:
    sink = tables.open()
    session = sink.session("p", "r")
    session.prepare(Table("ad_daily", (Column("a", Type.STRING),), ("a",)))
    with pytest.raises(
        SinkError, match=rf"p\.addaily and p\.ad_daily would share the Azure table {tables.prefix}paddaily"
    ):
        session.prepare(Table("addaily", (Column("a", Type.STRING),), ("a",)))
    with pytest.raises(
        SinkError, match=r"p\.x+ would be the Azure table .* of 7. characters, and the service takes 63"
    ):
        session.prepare(Table("x" * 60, (Column("a", Type.STRING),), ("a",)))
    with pytest.raises(SinkError, match=r"the key of p.ad_daily is \(a\) and would become \(b\)"):
        session.prepare(Table("ad_daily", (Column("a", Type.STRING), Column("b", Type.STRING)), ("b",)))
    session.close()
    other = sink.session("super", "r")
    with pytest.raises(
        SinkError, match="super.visor would be the Azure table .*supervisor, which is the supervisor's own"
    ):
        other.prepare(Table("visor", (Column("a", Type.STRING),), ("a",)))
    other.close()
    sink.close()


def test_columns_of_any_name_are_properties(tables: AzureTables, tmp_path: Path) -> None:
    names = ("RowKey", "a-b", "a.b", "a b", "2nd", "ß", "_x002D_", "@odata.type")
    table = Table("odd", tuple(Column(name, Type.STRING) for name in names), ("a-b",))
    sink = tables.open()
    row = {name: f"value of {name}" for name in names}
    load(sink, tmp_path, table, row)
    assert tables.rows("p", table) == [row]
    sink.close()


def test_a_small_day_is_one_transaction_with_its_marker(tables: AzureTables, proxy: Proxy, tmp_path: Path) -> None:
    sink = AzureSink(behind(proxy, tables))
    before = len(proxy.batches)
    load(sink, tmp_path, DAILY, *a_day(60), replaces=ONE_DAY)
    load(sink, tmp_path, DAILY, *a_day(60, start=39), replaces=ONE_DAY)  # 21 are new, 39 vanish
    assert len(proxy.batches) == before + 2
    assert tables.markers("p", DAILY) == {"1|2026-01-01": (True, 60)}
    assert len(tables.rows("p", DAILY)) == 60
    sink.close()


def test_a_day_of_many_transactions(tables: AzureTables, proxy: Proxy, tmp_path: Path) -> None:
    sink = AzureSink(behind(proxy, tables))
    load(sink, tmp_path, DAILY, *a_day(250), replaces=ONE_DAY)
    assert tables.markers("p", DAILY) == {"1|2026-01-01": (True, 250)}
    load(sink, tmp_path, DAILY, *a_day(101, start=240), replaces=ONE_DAY)
    assert sorted(row["n"] for row in tables.rows("p", DAILY)) == list(range(240, 341))
    assert tables.markers("p", DAILY) == {"1|2026-01-01": (True, 101)}
    sink.close()


def test_days_that_no_longer_have_rows_are_whole_and_empty(tables: AzureTables, proxy: Proxy, tmp_path: Path) -> None:
    sink = AzureSink(behind(proxy, tables))
    load(sink, tmp_path, DAILY, *a_day(3), *a_day(3, "2026-01-02"), replaces=JANUARY)
    load(sink, tmp_path, DAILY, day("2", "c", "2026-01-01", 1), replaces=region_where(JANUARY, account_id="2"))
    assert load(sink, tmp_path, DAILY, *a_day(1, "2026-01-02"), replaces=JANUARY) == {"daily": 1}
    assert tables.markers("p", DAILY) == {
        "1|2026-01-01": (True, 0),
        "1|2026-01-02": (True, 1),
        "2|2026-01-01": (True, 1),
    }
    before = len(proxy.batches)
    load(sink, tmp_path, DAILY, *a_day(1, "2026-01-02"), replaces=JANUARY)
    assert len(proxy.batches) == before + 1, "a day that was empty already was written again"
    sink.close()


def test_a_region_of_another_column_leaves_the_day_marked_without_a_count(tables: AzureTables, tmp_path: Path) -> None:
    sink = tables.open()
    load(sink, tmp_path, DAILY, *a_day(3), replaces=ONE_DAY)
    region = Replaces(
        stream="daily", where={"account_id": "1", "campaign_id": "c00001"}, first="2026-01-01", last="2026-01-31"
    )
    load(sink, tmp_path, DAILY, replaces=region, may_empty=True)
    assert sorted(row["n"] for row in tables.rows("p", DAILY)) == [0, 2]
    assert tables.markers("p", DAILY) == {"1|2026-01-01": (True, None)}
    days = Replaces(stream="daily", where={}, first="2026-01-01", last="2026-01-31")
    load(sink, tmp_path, DAILY, day("7", "c", "2026-01-09", 1), replaces=days)
    assert tables.markers("p", DAILY) == {"1|2026-01-01": (True, 0), "7|2026-01-09": (True, 1)}
    sink.close()


@pytest.mark.parametrize("kind", [kind for kind in Type if kind is not Type.JSON], ids=str)
def test_a_region_by_a_column_of_any_type(tables: AzureTables, tmp_path: Path, kind: Type) -> None:
    values = {
        Type.STRING: ("it's", "b"),
        Type.INTEGER: (2**40, 2),
        Type.NUMBER: (0.25, 2.5),
        Type.DECIMAL: ("1.50", "2"),
        Type.BOOLEAN: (True, False),
        Type.DATE: ("2026-01-01", "2026-01-02"),
        Type.DATETIME: ("2026-01-01T01:00:00.5+01:00", "2026-01-02T00:00:00Z"),
    }[kind]
    table = Table("t", (Column("id", Type.STRING), Column("which", kind)), ("id",))
    sink = tables.open()
    load(sink, tmp_path, table, {"id": "1", "which": values[0]}, {"id": "2", "which": values[1]})
    written = json.dumps(values[0]) if kind is Type.BOOLEAN else str(values[0])
    load(sink, tmp_path, table, replaces=Replaces(stream="t", where={"which": written}), may_empty=True)
    assert [row["id"] for row in tables.rows("p", table)] == ["2"]
    sink.close()


def test_transactions_stay_below_four_mebibytes(tables: AzureTables, proxy: Proxy, tmp_path: Path) -> None:
    sink = AzureSink(behind(proxy, tables))
    rows = [{"id": f"{n}", "text_0": "x" * 30_000, "text_1": '"' * 30_000, "text_2": "é" * 10_000} for n in range(60)]
    assert load(sink, tmp_path, WIDE, *rows) == {"wide": 60}
    sizes = [len(request.body) for request in proxy.batches]
    assert max(sizes) < 4 * 1024 * 1024
    assert max(sizes) > 3 * 1024 * 1024, "the estimate wastes transactions"
    assert len(tables.rows("p", WIDE)) == 60
    sink.close()


@pytest.mark.parametrize("fault", [Fault.BUSY, Fault.PART_BUSY], ids=str)
def test_a_busy_service_is_asked_again(tables: AzureTables, proxy: Proxy, tmp_path: Path, fault: Fault) -> None:
    sink = AzureSink(behind(proxy, tables), patience=QUICK)
    proxy.plan = first(2, fault, lambda request: request.is_batch)
    assert load(sink, tmp_path, DAILY, *a_day(1), replaces=ONE_DAY, state=b'{"a": 1}') == {"daily": 1}
    proxy.plan = lambda request: fault if request.is_batch else None
    with pytest.raises(SinkError, match=r"throttled or busy \(503 ServerBusy\) and stayed so"):
        load(sink, tmp_path, DAILY, *a_day(2), replaces=ONE_DAY, state=b'{"a": 2}')
    session = sink.session("p", "r")
    assert session.state() == b'{"a": 1}'
    session.close()
    sink.close()


@pytest.mark.parametrize("fault", [Fault.GONE, Fault.UNANSWERED, Fault.HALF], ids=str)
def test_a_lost_connection_is_tried_again(tables: AzureTables, proxy: Proxy, tmp_path: Path, fault: Fault) -> None:
    sink = AzureSink(behind(proxy, tables), patience=QUICK)
    chosen: list[Callable[[Request], bool]] = [
        lambda request: request.is_batch,
        lambda request: request.method == "PUT",
        *([] if fault is Fault.HALF else [lambda request: request.method == "GET"]),
    ]
    for start, when in enumerate(chosen):
        proxy.plan = first(1, fault, when)
        load(sink, tmp_path, DAILY, *a_day(5, start=start), replaces=ONE_DAY, state=b"{}")
        assert sorted(row["n"] for row in tables.rows("p", DAILY)) == list(range(start, start + 5))
        assert tables.markers("p", DAILY) == {"1|2026-01-01": (True, 5)}
    for lost in (lambda request: request.is_batch, lambda request: request.method == "GET"):
        proxy.plan = first(99, fault, lost)
        with pytest.raises(SinkError, match="the connection to Azure Table Storage at 127.0.0.1:.* was lost"):
            load(sink, tmp_path, DAILY, *a_day(5), replaces=ONE_DAY)
    proxy.plan = lambda request: None
    sink.close()


@pytest.mark.parametrize("fault", [Fault.SILENT, Fault.BUSY], ids=str)
def test_an_interruption_ends_a_commit_at_once(tables: AzureTables, proxy: Proxy, tmp_path: Path, fault: Fault) -> None:
    sink = AzureSink(behind(proxy, tables))
    session = sink.session("p", "r")
    session.prepare(DAILY)
    stage(session, DAILY, *a_day(300), directory=tmp_path)
    proxy.plan = lambda request: fault if request.is_batch else None
    errors: list[SinkError] = []

    def commit() -> None:
        try:
            commit_one(session, Commit(streams=("daily",), replaces=ONE_DAY, state=b'{"never": 1}'))
        except SinkError as error:
            errors.append(error)

    thread = threading.Thread(target=commit)
    thread.start()
    until(lambda: proxy.batches)
    started = time.monotonic()
    session.interrupt()
    session.interrupt()
    thread.join(60)
    assert time.monotonic() - started < 20, "it would be tried for more than a minute"
    assert "interrupted" in str(errors[0])
    proxy.plan = lambda request: None
    session.close()
    other = sink.session("p", "r")
    assert other.state() is None
    other.close()
    sink.close()


LOADER = """
    import sys
    from pathlib import Path
    from supervisor.config.environment import AzureAccess
    from supervisor.sinks.azure_table.sink import AzureSink
    sys.path.insert(0, {beside!r})
    from storage import DAILY, day, load
    from wire.messages import Replaces
    sink = AzureSink(AzureAccess(connection_string={connection!r}, table_name={prefix!r}), hold_seconds=2)
    print("open", flush=True)
    rows = [day("1", f"c{{n:05d}}", "2026-01-01", n) for n in range(1000, 1500)]
    region = Replaces(stream="daily", where={{"account_id": "1"}}, first="2026-01-01", last="2026-01-01")
    load(sink, Path({directory!r}), DAILY, *rows, replaces=region, state=b'{{"new": true}}')
"""


def loader(access: AzureAccess, directory: Path) -> subprocess.Popen[str]:
    """A process of its own that loads a day of 500 rows; it says when it has the storage."""
    program = LOADER.format(
        beside=str(Path(__file__).parent),
        connection=access.connection_string,
        prefix=access.table_name,
        directory=str(directory),
    )
    process = subprocess.Popen([sys.executable, "-c", textwrap.dedent(program)], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "open\n"
    return process


def opened(tables: AzureTables) -> AzureSink | None:
    """The storage, if nobody holds it any more."""
    try:
        return tables.open()
    except SinkError:
        return None


def kill(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def test_a_run_that_is_killed_leaves_a_day_that_says_so_and_the_next_one_mends_it(
    tables: AzureTables, proxy: Proxy, tmp_path: Path
) -> None:
    sink = tables.open()
    load(sink, tmp_path, DAILY, *a_day(150), replaces=ONE_DAY, state=b'{"old": true}')
    sink.close()
    proxy.plan = lambda request: Fault.SILENT if len(proxy.batches) > 3 else None
    process = loader(behind(proxy, tables), tmp_path)
    until(lambda: len(proxy.batches) > 3)
    kill(process)
    with pytest.raises(
        SinkError, match=rf"in use by pid {process.pid} on {socket.gethostname()}.*until its hold expires at"
    ):
        tables.open()
    assert tables.markers("p", DAILY) == {"1|2026-01-01": (False, None)}
    assert 150 < len(tables.rows("p", DAILY)) < 650, "it was not killed half-way"
    sink = until(lambda: opened(tables))
    assert sink is not None
    session = sink.session("p", "r")
    assert session.state() == b'{"old": true}'
    session.close()
    load(sink, tmp_path, DAILY, *a_day(120, start=100), replaces=ONE_DAY, state=b'{"new": true}')
    assert sorted(row["n"] for row in tables.rows("p", DAILY)) == list(range(100, 220))
    assert tables.markers("p", DAILY) == {"1|2026-01-01": (True, 120)}
    sink.close()


def test_a_run_keeps_its_hold_and_gives_it_back(tables: AzureTables) -> None:
    sink = tables.open(hold_seconds=2)
    with tables.client("supervisor") as client:
        taken = client.get_entity("lease", "run").metadata["timestamp"]
        until(lambda: (client.get_entity("lease", "run").metadata["timestamp"] - taken).total_seconds() > 2)
    with pytest.raises(SinkError, match=f"in use by pid {os.getpid()} on"):
        tables.open()
    sink.close()
    tables.open().close()


def test_a_run_that_was_taken_over_writes_no_more(tables: AzureTables, tmp_path: Path) -> None:
    sink = tables.open(hold_seconds=1)
    with tables.client("supervisor") as client:
        lease = client.get_entity("lease", "run")
        client.upsert_entity(dict(lease) | {"holder": "pid 1 on another", "token": "x"}, mode="replace")
    until(lambda: not sink._lease._thread.is_alive())
    with pytest.raises(SinkError, match="was taken over by pid 1 on another; this run must not write any more"):
        load(sink, tmp_path, DAILY, *a_day(1), replaces=ONE_DAY)
    assert tables.rows("p", DAILY) == []
    sink.close()


def test_a_run_that_cannot_renew_its_hold_writes_no_more(tables: AzureTables, proxy: Proxy, tmp_path: Path) -> None:
    sink = AzureSink(behind(proxy, tables), hold_seconds=1, patience=QUICK)
    proxy.plan = lambda request: Fault.GONE if "lease" in request.path else None
    time.sleep(1.2)
    with pytest.raises(SinkError, match="its lease was not renewed for 1 seconds, and another run may have begun"):
        load(sink, tmp_path, DAILY, *a_day(1), replaces=ONE_DAY)
    sink.close()


def test_a_state_of_three_megabytes_is_never_half(tables: AzureTables, proxy: Proxy, tmp_path: Path) -> None:
    old, new = (json.dumps({"x": random.Random(seed).randbytes(1_500_000).hex()}).encode() for seed in (1, 2))
    sink = AzureSink(behind(proxy, tables), patience=QUICK)
    load(sink, tmp_path, DAILY, state=old)
    proxy.plan = first(99, Fault.GONE, lambda request: request.method == "PUT" and "00002" in request.path)
    with pytest.raises(SinkError, match="was lost"):
        load(sink, tmp_path, DAILY, state=new)
    session = sink.session("p", "r")
    assert session.state() == old
    proxy.plan = lambda request: None
    load(sink, tmp_path, DAILY, state=new)
    assert session.state() == new
    assert len(chunks(tables)) == 3, "what the failed commit left behind is still there"
    load(sink, tmp_path, DAILY, state=b"{}")
    assert session.state() == b"{}"
    assert chunks(tables) == []
    session.close()
    sink.close()


def chunks(tables: AzureTables) -> list[str]:
    with tables.client("supervisor") as client:
        return [entity["RowKey"] for entity in client.query_entities("PartitionKey eq 'chunks'", select=["RowKey"])]


def finished_run(number: int, *platforms: str) -> Any:
    monitor = ExecutionMonitor(
        platforms, run_id=f"run-{number:03d}", now=lambda: dt.datetime(2026, 1, 1, number, tzinfo=dt.UTC)
    )
    for name in platforms:
        monitor.start_platform(name)
        monitor.complete_platform(name, rows_processed=2**40 + number, tables_processed=1)
    monitor.finish(0)
    return monitor.record()


def environment(tables: AzureTables) -> RunEnvironment:
    return RunEnvironment(storage_type=StorageType.AZURE_TABLE, azure=tables.access)


def test_the_history_has_the_newest_runs_first(tables: AzureTables) -> None:
    with pytest.raises(SinkError, match=f"there is no Azure table {tables.prefix}supervisor"):
        open_history(environment(tables))
    sink = open_sink(environment(tables))
    for number in range(12):
        sink.record_run(finished_run(number, "google", *(["linkedin"] if number % 5 == 0 else [])))
    sink.record_run(finished_run(3, "google"))
    sink.put_state("google", b'{"a": 1}')
    history = open_history(environment(tables))
    assert [(run.run_id, run.platform) for run in history.platform_runs(None, 2)] == [
        ("run-011", "google"),
        ("run-010", "google"),
        ("run-010", "linkedin"),
    ]
    assert [run.run_id for run in history.platform_runs("linkedin", 2)] == ["run-010", "run-005"]
    assert history.platform_runs("linkedin", 1) == history.platform_runs(None, 2)[2:]
    assert len(history.platform_runs("google", 99)) == 12
    assert history.platform_runs("nobody", 9) == ()
    assert [report["run_id"] for report in history.reports("run-00")] == ["run-009", "run-008"]
    assert [report["run_id"] for report in history.reports("run-001")] == ["run-001"]
    assert history.reports("run'") == ()
    assert [(state.platform, state.value) for state in history.states()] == [("google", '{"a": 1}')]
    history.close()
    sink.close()


@pytest.mark.parametrize(
    ("connection", "prefix", "sentence"),
    [
        ("what is this", "x", "AZURE_STORAGE_CONNECTION_STRING is not a connection string of a storage account"),
        ("AccountName=a;AccountKey=YQ==;AccountKey=YQ==", "x", "is not a connection string of a storage account"),
        (
            "AccountName=a;AccountKey=%%%;EndpointSuffix=core.windows.net",
            "x",
            "is not a connection string of a storage account",
        ),
        ("AccountName=a;AccountKey=YQ==;TableEndpoint=http://example.com/a", "x", "without encryption"),
        (
            "AccountName=a;AccountKey=YQ==;TableEndpoint=https://nowhere.invalid/a",
            "x",
            "the host nowhere.invalid .* is not known",
        ),
        (
            "AccountName=a;AccountKey=YQ==;TableEndpoint=http://127.0.0.1:9/a",
            "x",
            "cannot be reached at 127.0.0.1:9: .*refused",
        ),
        (None, "so-cial", 'AZURE_TABLE_NAME: expected a letter.* got "so-cial"'),
        ("wrong key", "x", r"refused the credentials \(Auth\w+\): the key or the signature"),
    ],
    ids=["malformed", "twice", "no base64", "http", "unknown host", "unreachable", "prefix", "wrong key"],
)
def test_an_account_that_cannot_be_used_is_told_in_one_sentence(
    tables: AzureTables,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    connection: str | None,
    prefix: str,
    sentence: str,
) -> None:
    monkeypatch.setattr(
        "supervisor.sinks.azure_table.access.IMPATIENT", Patience(busy=0, unreachable=0, unanswered=0, connect=2)
    )
    key = "c2VjcmV0" + KEY[8:]
    given = connection_string(tables.port, key=key) if connection == "wrong key" else connection
    access = AzureAccess(connection_string=given or tables.access.connection_string, table_name=prefix)
    where = RunEnvironment(storage_type=StorageType.AZURE_TABLE, azure=access)
    found = check(where)
    with pytest.raises(SinkError, match=sentence) as caught:
        AzureSink(access, patience=Patience(busy=0, unreachable=0, unanswered=0, connect=2))
    assert found == str(caught.value)
    assert "\n" not in found
    for secret in (key, KEY, "YQ=="):
        assert secret not in f"{found}{caught.value!r}{caught.value.__cause__}"
    assert capfd.readouterr() == ("", "")


def test_a_check_creates_nothing(tables: AzureTables) -> None:
    assert check(environment(tables)) is None
    with pytest.raises(SinkError, match="there is no Azure table"):
        open_history(environment(tables))
    open_sink(environment(tables)).close()
    assert check(environment(tables)) is None


def test_a_session_talks_to_nobody_before_its_first_verb(tables: AzureTables, proxy: Proxy) -> None:
    sink = AzureSink(behind(proxy, tables))
    before = len(proxy.requests)
    sink.session("p", "r").close()
    assert len(proxy.requests) == before
    sink.close()


def test_rows_without_a_key_are_never_overwritten(tables: AzureTables, tmp_path: Path) -> None:
    table = Table("log", (Column("n", Type.INTEGER),), ())
    sink = tables.open()
    for _ in range(2):
        load(sink, tmp_path, table, *({"n": n} for n in range(150)))
    assert len(tables.rows("p", table)) == 300
    load(sink, tmp_path, table, {"n": 7}, replaces=Replaces(stream="log", where={"n": "7"}))
    assert sorted(row["n"] for row in tables.rows("p", table)).count(7) == 1
    sink.close()


def test_a_run_from_the_command_line_and_what_is_asked_of_it_afterwards(house: Any, tables: AzureTables) -> None:
    house.environment |= tables.variables
    house.tap("google", """
        schema("daily", key=("account_id", "id", "date"), day="date", account_id="string", id="string")
        for n in range(3): row("daily", account_id="1", id=str(n), date="2026-01-01")
        done = {"bookmarks": {"daily": {"accounts": {"1": {"complete": [["2026-01-01", "2026-01-01"]]}}}}}
        state(done, stream="daily", where={"account_id": "1"}, **{"from": "2026-01-01", "to": "2026-01-01"})
    """)  # fmt: skip
    house.write()
    for _ in range(2):
        done = house.run("run")
        assert done.returncode == 0, done.stderr
        assert f"into the Azure tables {tables.prefix}* at 127.0.0.1:{tables.port}" in done.stderr
        assert KEY not in done.stderr + done.stdout
    assert "rows of 2 runs" in house.run("history").stdout
    assert "2026-01-01" in house.run("freshness").stdout
    table = Table("daily", (Column("id", Type.STRING),), ("id",))
    assert sorted(row["id"] for row in tables.rows("google", table)) == ["0", "1", "2"]
    assert tables.markers("google", table) == {"1|2026-01-01": (True, 3)}
