"""What only Vertica has: what its COPY is told, the ledger behind a lost COMMIT, servers that hang, and sizes of texts."""

from __future__ import annotations

import datetime as dt
import re
import threading
import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import vertica_python
from storage import DAILY, ENTITY, GOOGLE_CUSTOMER, commit_one, day, load, stage
from until import until
from vertica_double import PASSWORD, USER, VerticaDatabase, access_to

from supervisor.config.environment import RunEnvironment, StorageType
from supervisor.config.errors import SinkError
from supervisor.record.outcome import AttemptResult, Outcome
from supervisor.record.run_record import RunRecord
from supervisor.record.spend import DailySpend
from supervisor.run.monitor import ExecutionMonitor
from supervisor.sinks import Commit
from supervisor.sinks.vertica import open_history
from supervisor.sinks.vertica.bookkeeping import Batch
from supervisor.sinks.vertica.connection import Link
from supervisor.sinks.vertica.session import VerticaSession
from supervisor.sinks.vertica.sink import VerticaSink
from supervisor.sinks.vertica.transfer import copy_statement
from wire.messages import Replaces
from wire.schema import Column, Table, Type

JANUARY = Replaces(stream="daily", where={"account_id": "1"}, first="2026-01-01", last="2026-01-31")
TEXTS = Table("texts", (Column("id", Type.STRING), Column("text", Type.STRING), Column("json", Type.JSON)), ("id",))


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> VerticaDatabase:
    """Its parameter, if it has one, is the lock timeout in seconds."""
    return VerticaDatabase(tmp_path, getattr(request, "param", 300.0))


@pytest.fixture
def sink(database: VerticaDatabase) -> Iterator[VerticaSink]:
    opened = database.open()
    yield opened
    database.server.clear_faults()
    opened.close()


@pytest.fixture
def session(sink: VerticaSink, tmp_path: Path) -> Iterator[VerticaSession]:
    """With a committed row, a state, and another row that waits to be committed."""
    load(sink, tmp_path, DAILY, day("1", "a", "2026-01-01", 1), replaces=JANUARY, state=b'{"n": 1}')
    opened = sink.session("p", "run-2")
    opened.prepare(DAILY)
    stage(opened, DAILY, day("1", "a", "2026-01-01", 2), directory=tmp_path)
    yield opened
    opened.close()


SECOND = Commit(streams=("daily",), state=b'{"n": 2}', replaces=JANUARY)


def many() -> list[dict[str, Any]]:
    """Eight megabytes of rows, more than the sockets between two processes hold."""
    return [day("1", "c" * 2000 + str(n), "2026-01-02", n) for n in range(4000)]


def stored(database: VerticaDatabase) -> tuple[list[int], str]:
    """The numbers of the rows, and the state."""
    ((state,),) = database.query("SELECT value FROM _supervisor.state WHERE platform = 'p'")
    return [row["n"] for row in database.rows("p", DAILY)], state


def sizes(database: VerticaDatabase, table: str) -> dict[str, str]:
    rows = database.query(f"SELECT column_name, data_type FROM v_catalog.columns WHERE table_name = '{table}'")
    return dict(rows)


def test_copy_is_told_what_its_documentation_says_in_that_order() -> None:
    assert copy_statement('"s"', ("a", 'b"c')) == (
        'COPY "s" ("a", "b""c") FROM STDIN ABORT ON ERROR DELIMITER \',\' ENCLOSED BY \'"\' ENFORCELENGTH '
        r"ESCAPE AS '\' NULL '~' NO COMMIT"
    )


def test_a_commit_is_one_transaction_with_an_entry_in_the_ledger(
    database: VerticaDatabase, session: VerticaSession
) -> None:
    commit_one(session, SECOND)
    words = [" ".join(s.split()[:3]).replace('"', "") for s in database.server.statements()[-9:]]
    assert words == [
        "CREATE LOCAL TEMPORARY",
        "COPY _supervisor_stage_0 (account_id,",
        "SELECT GET_NUM_ACCEPTED_ROWS()",
        "DELETE FROM p.daily",
        "INSERT INTO p.daily",
        "DELETE FROM _supervisor.state",
        "COPY _supervisor.state (platform,",
        "INSERT INTO _supervisor.loads",
        "COMMIT",
    ]
    entries = database.query('SELECT run_id, platform, streams, "rows" FROM _supervisor.loads ORDER BY committed_at')
    assert entries == [["run-1", "p", "daily", 1], ["run-2", "p", "daily", 1]]


def test_tables_are_locked_in_one_order_for_all_and_only_when_their_rows_are_there(
    database: VerticaDatabase, session: VerticaSession, tmp_path: Path
) -> None:
    session.prepare(ENTITY)
    stage(session, ENTITY, {"account_id": "1", "campaign_id": "a", "name": "n"}, directory=tmp_path)
    whole = Commit(streams=("campaign",), replaces=Replaces(stream="campaign", where={"account_id": "1"}))
    assert session.commit([SECOND, whole]) == ({"daily": 1}, {"campaign": 1})
    words = [" ".join(s.split()[:3]).replace('"', "") for s in database.server.statements()]
    begin = max(n for n, said in enumerate(words) if said.startswith("COPY _supervisor_stage_1"))
    assert [said for said in words[begin - 2 :] if said.split()[0] in ("COPY", "DELETE", "INSERT")] == [
        "COPY _supervisor_stage_1 (account_id,",
        "COPY _supervisor_stage_0 (account_id,",
        "DELETE FROM p.campaign",
        "INSERT INTO p.campaign",
        "DELETE FROM p.daily",
        "INSERT INTO p.daily",
        "DELETE FROM _supervisor.state",
        "COPY _supervisor.state (platform,",
        "INSERT INTO _supervisor.loads",
    ]


def test_a_commit_whose_answer_was_lost_is_found_in_the_ledger(
    database: VerticaDatabase, session: VerticaSession, tmp_path: Path
) -> None:
    database.server.fault("lose_commit_answer")
    assert commit_one(session, SECOND) == {"daily": 1}
    assert database.server.struck()[-1] == "lose_commit_answer"
    assert stored(database) == ([2], '{"n": 2}')
    stage(session, DAILY, day("1", "a", "2026-01-01", 3), directory=tmp_path)
    assert commit_one(session, SECOND) == {"daily": 1}
    assert stored(database)[0] == [3]


def test_a_commit_that_was_lost_is_not_in_the_ledger(
    database: VerticaDatabase, sink: VerticaSink, session: VerticaSession, tmp_path: Path
) -> None:
    database.server.fault("lose_commit")
    with pytest.raises(SinkError, match="was lost when asked to commit: .*; nothing of that commit was stored"):
        commit_one(session, SECOND)
    assert stored(database) == ([1], '{"n": 1}')
    load(sink, tmp_path, DAILY, day("1", "a", "2026-01-01", 4), replaces=JANUARY)
    assert stored(database)[0] == [4]


def test_a_commit_that_cannot_be_asked_for_is_unknown(database: VerticaDatabase, session: VerticaSession) -> None:
    database.server.fault("lose_commit_answer")
    database.server.fault("refuse_login")
    with pytest.raises(SinkError, match="whether that commit was stored is unknown.*together or not at all") as caught:
        commit_one(session, SECOND)
    assert PASSWORD not in str(caught.value)
    assert stored(database) == ([2], '{"n": 2}')


@pytest.mark.parametrize(
    ("fault", "after", "sentence"),
    [
        ("cut_copy", 10, r"the connection to Vertica on 127\.0\.0\.1:\d+ was lost when asked to load daily"),
        ("cut_copy", 5_000_000, "was lost when asked to load daily"),
        ("disk_full", 0, "No space left on device; make room on its nodes; nothing of this batch is stored"),
        ("short_count", 0, r"Vertica took [\d,]+ of [\d,]+ rows for p\.daily; nothing of them is stored"),
    ],
)
def test_a_load_that_fails_changes_nothing_and_the_next_session_works(
    database: VerticaDatabase, sink: VerticaSink, session: VerticaSession, tmp_path: Path,
    fault: str, after: int, sentence: str,
) -> None:  # fmt: skip
    stage(session, DAILY, *many(), directory=tmp_path)
    database.server.fault(fault, after=after, matching="_supervisor_stage")
    begun = time.monotonic()
    with pytest.raises(SinkError, match=sentence):
        commit_one(session, SECOND)
    assert time.monotonic() - begun < 60
    assert stored(database) == ([1], '{"n": 1}')
    if fault == "cut_copy":
        with pytest.raises(SinkError, match="was lost before it could"):
            session.state()
    session.close()
    assert not list(tmp_path.glob("*.csv"))
    load(sink, tmp_path, DAILY, day("1", "a", "2026-01-01", 5), replaces=JANUARY)
    assert stored(database)[0] == [5]


@pytest.mark.parametrize("after", [10, 1_000_000])
def test_a_server_that_stops_reading_ends_the_load_at_the_timeout(
    database: VerticaDatabase, tmp_path: Path, after: int
) -> None:
    sink = VerticaSink(access_to(database.server, timeout=0.5))
    session = sink.session("p", "run-1")
    session.prepare(DAILY)
    stage(session, DAILY, *many(), directory=tmp_path)
    database.server.fault("stall_copy", after=after, matching="_supervisor_stage")
    begun = time.monotonic()
    with pytest.raises(SinkError, match=r"gave no answer for 0\.5 s when asked to load daily.*raise VERTICA_TIMEOUT"):
        commit_one(session, Commit(streams=("daily",), replaces=JANUARY))
    assert time.monotonic() - begun < 60
    session.close()
    sink.close()


def striking(database: VerticaDatabase) -> Callable[[], bool]:
    """Whether another fault has struck since."""
    before = len(database.server.struck())
    return lambda: len(database.server.struck()) > before


def interrupted(
    session: VerticaSession, work: Callable[[], Any], hangs: Callable[[], bool] = lambda: True
) -> tuple[float, str]:
    """Interrupt the work again and again as soon as it `hangs`; the seconds that it took to end, and how it did."""
    over = threading.Event()
    begun = 0.0

    def nag() -> None:
        nonlocal begun
        until(hangs)
        begun = time.monotonic()
        while not over.wait(0.25):
            session.interrupt()

    thread = threading.Thread(target=nag)
    thread.start()
    try:
        with pytest.raises(SinkError) as caught:
            work()
        return time.monotonic() - begun, str(caught.value)
    finally:
        over.set()
        thread.join()


@pytest.mark.parametrize(
    ("fault", "matching"), [("stall_copy", "_supervisor_stage"), ("hang", "INSERT INTO"), ("hang", "_supervisor.loads")]
)
def test_what_hangs_is_ended_by_an_interruption(
    database: VerticaDatabase, session: VerticaSession, fault: str, matching: str
) -> None:
    hangs = striking(database)
    database.server.fault(fault, matching=matching, label=" p")
    seconds, sentence = interrupted(session, lambda: commit_one(session, SECOND), hangs)
    assert 0 <= seconds < 8, "its timeout is ten seconds"
    assert "was lost when asked to" in sentence
    with pytest.raises(SinkError):
        session.state()
    assert stored(database) == ([1], '{"n": 1}')


def test_an_interruption_of_the_last_step_leaves_it_open_what_was_stored(
    database: VerticaDatabase, session: VerticaSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    enter = Batch.enter

    def hang_afterwards(batch: Batch, link: Link, rows: int) -> None:
        enter(batch, link, rows)
        database.server.fault("hang", matching="COMMIT")

    monkeypatch.setattr(Batch, "enter", hang_afterwards)
    seconds, sentence = interrupted(session, lambda: commit_one(session, SECOND), striking(database))
    assert 0 <= seconds < 8, "its timeout is ten seconds"
    assert "whether that commit was stored is unknown" in sentence


def test_connecting_is_ended_by_an_interruption(database: VerticaDatabase, sink: VerticaSink) -> None:
    session = sink.session("p", "run-1")
    hangs = striking(database)
    database.server.fault("hang", matching="SELECT", label=" p")
    seconds, _ = interrupted(session, session.state, hangs)
    assert 0 <= seconds < 8, "its timeout is ten seconds"
    session.close()
    fresh = sink.session("p", "run-1")
    fresh.interrupt()
    with pytest.raises(SinkError, match="the session was ended"):
        fresh.state()
    fresh.close()


def test_waiting_for_anothers_definitions_is_ended_by_an_interruption(sink: VerticaSink) -> None:
    session = sink.session("p", "run-1")
    with sink._definitions.changing():
        seconds, sentence = interrupted(session, lambda: session.prepare(DAILY))
    assert 0 <= seconds < 8, "its timeout is ten seconds"
    assert sentence == "the session was ended"
    session.close()


def test_texts_are_measured_in_octets_and_columns_grow(
    database: VerticaDatabase, sink: VerticaSink, tmp_path: Path
) -> None:
    session = sink.session("p", "run-1")
    session.prepare(TEXTS)
    seen = []
    for text in ("ü" * 32, "ü" * 33, "🦆" * 65, "x" * 65_000):
        stage(session, TEXTS, {"id": text, "text": text, "json": [text]}, directory=tmp_path)
        commit_one(session, Commit(streams=("texts",)))
        seen.append([*sizes(database, "texts").values()][:3])
    session.close()
    assert seen == [
        ["varchar(64)", "varchar(64)", "long varchar(4096)"],
        ["varchar(256)", "varchar(256)", "long varchar(4096)"],
        ["varchar(1024)", "varchar(1024)", "long varchar(4096)"],
        ["varchar(65000)", "varchar(65000)", "long varchar(1000000)"],
    ]
    assert {row["text"] for row in database.rows("p", TEXTS)} == {"ü" * 32, "ü" * 33, "🦆" * 65, "x" * 65_000}
    load(sink, tmp_path, TEXTS, {"id": "later", "text": "y" * 65_000, "json": None})
    assert len(database.rows("p", TEXTS)) == 5


def test_a_text_that_no_column_holds_is_refused_and_not_cut(
    database: VerticaDatabase, sink: VerticaSink, tmp_path: Path
) -> None:
    with pytest.raises(
        SinkError, match=r"a text for 'text' of p\.texts has 65,001 octets, and VARCHAR ends at 65,000; nothing is cut"
    ):
        load(sink, tmp_path, TEXTS, {"id": "1", "text": "x" * 64_999 + "ü"})
    assert database.rows("p", TEXTS) == []


def test_no_text_is_taken_for_null(database: VerticaDatabase, sink: VerticaSink, tmp_path: Path) -> None:
    texts = {str(n): text for n, text in enumerate(["~", "~~~", "\x01", "", "\\001", "NULL", "~ ", "a\0b", "\0"])}
    load(sink, tmp_path, TEXTS, *({"id": id, "text": text} for id, text in texts.items()), {"id": "null"})
    assert {row["id"]: row["text"] for row in database.rows("p", TEXTS)} == texts | {"null": None}


def test_the_integer_that_vertica_takes_for_null_is_refused(
    database: VerticaDatabase, sink: VerticaSink, tmp_path: Path
) -> None:
    with pytest.raises(SinkError, match=r"'n' of p\.daily has the value -9223372036854775808.*would store as NULL"):
        load(sink, tmp_path, DAILY, day("1", "a", "2026-01-01", -(2**63)), replaces=JANUARY)
    load(sink, tmp_path, DAILY, day("1", "a", "2026-01-01", -(2**63) + 1), replaces=JANUARY)
    assert [row["n"] for row in database.rows("p", DAILY)] == [-(2**63) + 1]


def test_a_name_longer_than_vertica_takes_is_refused(sink: VerticaSink, tmp_path: Path) -> None:
    with pytest.raises(SinkError, match=r"the column name 'é+' has 130 octets, and Vertica takes 128; shorten it"):
        load(sink, tmp_path, Table("t", (Column("é" * 65, Type.STRING),), ()))


def test_no_column_that_may_grow_says_where_rows_lie(
    database: VerticaDatabase, sink: VerticaSink, tmp_path: Path
) -> None:
    load(sink, tmp_path, DAILY)
    load(sink, tmp_path, ENTITY)
    made = [s for s in database.server.statements() if s.startswith('CREATE TABLE "p"')][-2:]
    assert [re.search(r"\) ((?:UN)?SEGMENTED .*)", statement)[1] for statement in made] == [
        'SEGMENTED BY HASH("date", "n") ALL NODES', "UNSEGMENTED ALL NODES",
    ]  # fmt: skip


@pytest.mark.parametrize("database", [1.0], ids=["one second"], indirect=True)
def test_a_lock_of_somebody_else_is_named_with_its_remedy(database: VerticaDatabase, session: VerticaSession) -> None:
    options = {
        "host": "127.0.0.1",
        "port": database.server.port,
        "user": USER,
        "password": PASSWORD,
        "database": "marketing",
    }
    with vertica_python.connect(**options, tlsmode="disable") as other:
        other.cursor().execute("LOCK TABLE p.daily IN EXCLUSIVE MODE")
        with pytest.raises(SinkError, match=r"refused to delete former rows of p\.daily: .*v_monitor\.locks shows"):
            commit_one(session, SECOND)
    assert stored(database) == ([1], '{"n": 1}')
    assert commit_one(session, SECOND) == {"daily": 1}


def test_the_views_over_all_platforms_and_their_spend(
    database: VerticaDatabase, sink: VerticaSink, tmp_path: Path
) -> None:
    assert sink.daily_spend(90) == ()
    sink.publish()
    campaigns = Table(
        "campaign_daily",
        (
            *(Column(n, Type.STRING) for n in ("account_id", "campaign_id", "campaign_name")),
            Column("date", Type.DATE), Column("impressions", Type.INTEGER), Column("cost", Type.DECIMAL),
            Column("conversions_value", Type.NUMBER), Column("is_final", Type.BOOLEAN),
        ),
        ("account_id", "campaign_id", "date"),
        "date",
    )  # fmt: skip
    customer = {"account_id": "1", "descriptive_name": "A", "currency_code": "EUR", "time_zone": "Europe/Berlin"}
    load(sink, tmp_path, GOOGLE_CUSTOMER, customer, platform="google")
    rows = [
        {"account_id": "1", "campaign_id": c, "date": d, "impressions": 5, "cost": "1.10", "conversions_value": 12.3, "is_final": d < "2026-01-02"}
        for c in "ab" for d in ("2026-01-01", "2026-01-02")
    ]  # fmt: skip
    load(sink, tmp_path, campaigns, *rows, platform="google")
    sink.publish()
    sink.publish()
    ((count, value),) = database.query("SELECT count(*), max(conversions_value) FROM ads.campaign_daily")
    assert (count, str(value)) == (4, "12.300000000000000000")
    assert sink.daily_spend(90) == tuple(
        DailySpend("google", "EUR", dt.date(2026, 1, d), Decimal("2.20"), final=d == 1) for d in (1, 2)
    )


def test_the_views_that_divide_campaigns(database: VerticaDatabase, sink: VerticaSink, tmp_path: Path) -> None:
    def fill(platform: str, table: str, texts: tuple[str, ...], *rows: tuple[Any, ...]) -> None:
        columns = tuple(Column(name, Type.STRING) for name in ("account_id", *texts))
        counted = (Column("date", Type.DATE), Column("clicks", Type.INTEGER), Column("is_final", Type.BOOLEAN))
        names = ("account_id", *texts, "date", "clicks", "is_final")
        made = [dict(zip(names, ("1", *row, "2026-01-01", 2, True), strict=True)) for row in rows]
        load(sink, tmp_path, Table(table, columns + counted, names[:-2], "date"), *made, platform=platform)

    customer = {"account_id": "1", "descriptive_name": "A", "currency_code": "EUR", "time_zone": "Europe/Berlin"}
    load(sink, tmp_path, GOOGLE_CUSTOMER, customer, platform="google")
    fill("microsoft", "account", ("account_name", "currency_code", "iana_time_zone"), ("M", "EUR", "Europe/Berlin"))
    term = "s" * 200
    fill(
        "google", "search_term_daily", ("campaign_id", "ad_group_id", "search_term"), ("a", "x", term), ("a", "y", term)
    )
    fill("google", "campaign_search_term_daily", ("campaign_id", "search_term"), ("a", term), ("b", "boot"))
    places = ("campaign_id", "country", "state", "city", "location_type")
    fill(
        "microsoft", "geographic_daily", places,
        *(("m", "Côte d'Ivoire", "", city, "Physical location") for city in ("Abidjan", "Bouaké")),
        ("m", "", "", "", "Location of interest"),
    )  # fmt: skip
    sink.publish()
    searched = database.query(
        "SELECT campaign_id, ad_group_id, search_term, clicks FROM ads.search_term_daily ORDER BY 1, 2"
    )
    assert searched == [["a", "x", term, 2], ["a", "y", term, 2], ["b", "", "boot", 2]]
    columns = "campaign_id, location_type, country_code, country, region, region_name, clicks, is_final"
    assert database.query(f"SELECT {columns} FROM ads.geo_daily ORDER BY 2") == [
        ["m", "interest", None, "", "", None, 2, True],
        ["m", "presence", "CI", "Côte d'Ivoire", "", None, 4, True],
    ]


def test_history_is_read_while_a_run_goes_on(database: VerticaDatabase) -> None:
    environment = RunEnvironment(storage_type=StorageType.VERTICA, vertica=access_to(database.server))
    history = open_history(environment)
    with pytest.raises(SinkError, match="has nothing of any run; no run has made it yet, or VERTICA_DATABASE names"):
        history.platform_runs(None, 3)
    sink = database.open()
    for run_id, platforms in (("run-1", ("google", "linkedin")), ("run-10", ("google",))):
        for finished in (False, True):
            sink.record_run(run(run_id, platforms, finished=finished))
    assert [(r.run_id, r.platform, r.finished) for r in history.platform_runs(None, 1)] == [("run-10", "google", True)]
    assert [(r.run_id, r.rows, r.error_message) for r in history.platform_runs("google", 9)] == [
        ("run-10", 5, 'it said "\\no"\n'), ("run-1", 5, 'it said "\\no"\n'),
    ]  # fmt: skip
    assert history.platform_runs("google", 1)[0].started == dt.datetime(2026, 1, 22, 10, 10, tzinfo=dt.UTC)
    assert [report["run_id"] for report in history.reports("run-1")] == ["run-1"]
    assert [report["run_id"] for report in history.reports("run")] == ["run-10", "run-1"]
    assert history.reports("_un") == history.reports("nobody'") == ()
    sink.put_state("google", b'{"a": "\\n"}')
    sink.put_state("linkedin", b"{}")
    sink.put_state("linkedin", None)
    assert [(state.platform, state.value) for state in history.states()] == [("google", '{"a": "\\n"}')]
    history.close()
    sink.close()


def run(run_id: str, platforms: tuple[str, ...], *, finished: bool) -> RunRecord:
    now = dt.datetime(2026, 1, 22, 10, 10 if run_id == "run-10" else 0, tzinfo=dt.UTC)
    monitor = ExecutionMonitor(platforms, run_id=run_id, now=lambda: now)
    for name in platforms:
        monitor.start_platform(name)
        monitor.record_attempt(
            AttemptResult(platform=name, number=1, outcome=Outcome.FAILED, started=now, duration_seconds=2, rows=5,
                          rows_by_table={"t": 5}, message="no")
        )  # fmt: skip
        monitor.fail_platform(name, 'it said "\\no"\n')
    if finished:
        monitor.finish(0)
    return monitor.record()
