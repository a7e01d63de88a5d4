"""One set of promises for every sink: what is committed is what was sent, and nothing else is visible.

What a storage cannot promise is said by its class in this directory; a test that `needs` it is not run for that one.
"""

from __future__ import annotations

import datetime as dt
import json
import threading
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from storage import DAILY, ENTITY, EVERY_TYPE, Storage, commit_one, day, load, stage, write_spool

from supervisor.config.errors import SinkError
from supervisor.sinks import Commit, Sink
from wire.messages import Replaces
from wire.schema import Column, Table, Type

JANUARY = Replaces(stream="daily", where={"account_id": "1"}, first="2026-01-01", last="2026-01-31")
ACCOUNT = Replaces(stream="campaign", where={"account_id": "1"})


def numbers(storage: Storage, table: Table = DAILY, platform: str = "p") -> list[tuple[Any, ...]]:
    """The rows of DAILY as (account, campaign, day, n)."""
    return sorted((r["account_id"], r["campaign_id"], str(r["date"]), r["n"]) for r in storage.rows(platform, table))


VALUES = st.fixed_dictionaries(
    {
        "a_string": st.text(st.characters(codec="utf-8", min_codepoint=1), min_size=1, max_size=200),
        "a_integer": st.none() | st.integers(-(2**63) + 1, 2**63 - 1),
        "a_number": st.none() | st.floats(allow_nan=False, allow_infinity=False),
        "a_decimal": st.none()
        | st.decimals(-(10**20) + 1, 10**20 - 1, places=18, allow_nan=False).map(lambda d: format(d, "f")),
        "a_boolean": st.none() | st.booleans(),
        "a_date": st.none() | st.dates(dt.date(1601, 1, 1)).map(dt.date.isoformat),
        "a_datetime": st.none()
        | st.datetimes(
            dt.datetime(1900, 1, 2),
            dt.datetime(2200, 1, 1),
            timezones=st.sampled_from(
                [dt.UTC, dt.timezone(dt.timedelta(hours=-8)), dt.timezone(dt.timedelta(hours=5, minutes=30))]
            ),
        ).map(dt.datetime.isoformat),
        "a_json": st.none()
        | st.recursive(
            st.booleans() | st.integers(-9, 9) | st.text(st.characters(codec="utf-8", min_codepoint=1), max_size=50),
            st.lists,
            max_leaves=4,
        ),
    }
)
EDGES: dict[str, list[Any]] = {
    "a_string": ["x", " ", "  blanks  ", "O'Brien, \"the\" \\one\\", "a\nb\r\nc\rd\te", "\x01\x02\x7f", "é ü 漢字 🦆", "NULL", "\\N", "%s {} %(a)s ?", "../#?", "x" * 300],
    "a_integer": [0, -1, 2**31, -(2**31) - 1, 2**53 + 1, 2**63 - 1, -(2**63) + 1, None],
    "a_number": [0.0, -0.0, 0.1, 1e300, -1e-300, 5e-324, 1.7976931348623157e308, 123456789.123456789, None],
    "a_decimal": ["0", "0.000000000000000001", "-0.000000000000000001", "99999999999999999999.999999999999999999", "-99999999999999999999.999999999999999999", "1.10", "12345678901234567890", None],
    "a_boolean": [True, False, None],
    "a_date": ["2026-02-28", "2024-02-29", "1970-01-01", "1601-01-01", "9999-12-31", None],
    "a_datetime": ["2026-01-31T23:59:59Z", "2026-03-29T02:30:00+02:00", "2026-01-01T00:00:00.123456-08:00", "1999-12-31T23:59:59", None],
    "a_json": [{"exact": [123456789012345678901234567890, -(2**63), 0.30000000000000004]}, {"a": [1, "two", None, {"é": "'\"\\"}]}, [], {}, "text", "", 7, True, None],
}  # fmt: skip


def assert_stored(got: dict[str, Any], sent: dict[str, Any]) -> None:
    """A row as a reader finds it against the record that was sent."""
    for name in ("a_string", "a_integer", "a_boolean", "a_json"):
        assert got[name] == sent[name], name
    assert got["a_number"] == sent["a_number"]
    assert got["a_decimal"] == (None if sent["a_decimal"] is None else Decimal(sent["a_decimal"]))
    assert got["a_date"] == (None if sent["a_date"] is None else dt.date.fromisoformat(sent["a_date"]))
    if sent["a_datetime"] is None:
        assert got["a_datetime"] is None
    else:
        moment = dt.datetime.fromisoformat(sent["a_datetime"])
        moment = (moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)).astimezone(dt.UTC)
        assert got["a_datetime"] == moment.replace(tzinfo=None)


@pytest.mark.needs("keeps_rows")
@pytest.mark.parametrize("column", EDGES)
def test_the_edges_of_every_type_come_back(storage: Storage, sink: Sink, tmp_path: Path, column: str) -> None:
    rows = [{**dict.fromkeys(EDGES), "a_string": f"key {n}", column: value} for n, value in enumerate(EDGES[column])]
    load(sink, tmp_path, EVERY_TYPE, *rows)
    found = {row["a_string"]: row for row in storage.rows("p", EVERY_TYPE)}
    assert len(found) == len(rows)
    for row in rows:
        assert_stored(found[row["a_string"]], row)


@pytest.mark.needs("keeps_rows")
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(rows=st.lists(VALUES, min_size=1, max_size=30, unique_by=lambda row: row["a_string"]))
def test_many_values_come_back_as_they_were_sent(
    storage: Storage, sink: Sink, tmp_path: Path, rows: list[dict[str, Any]]
) -> None:
    assert load(sink, tmp_path, EVERY_TYPE, *rows) == {"all_types": len(rows)}
    found = {row["a_string"]: row for row in storage.rows("p", EVERY_TYPE)}
    for row in rows:
        assert_stored(found[row["a_string"]], row)


@pytest.mark.needs("keeps_rows")
def test_a_missing_value_is_null_and_an_empty_text_is_not(storage: Storage, sink: Sink, tmp_path: Path) -> None:
    load(
        sink,
        tmp_path,
        ENTITY,
        {"account_id": "1", "campaign_id": "a"},
        {"account_id": "1", "campaign_id": "b", "name": ""},
    )
    assert {row["campaign_id"]: row["name"] for row in storage.rows("p", ENTITY)} == {"a": None, "b": ""}


def test_the_counts_are_those_of_what_was_stored(storage: Storage, sink: Sink, tmp_path: Path) -> None:
    rows = [day("1", "a", "2026-01-01", 1), day("1", "b", "2026-01-01", 2)]
    assert load(sink, tmp_path, DAILY, *rows, replaces=JANUARY) == {"daily": 2}
    assert load(sink, tmp_path, DAILY, replaces=JANUARY, may_empty=True) == {"daily": 0}


@pytest.mark.needs("replaces")
def test_a_region_is_replaced_whole_and_nothing_beside_it(storage: Storage, sink: Sink, tmp_path: Path) -> None:
    others = [day("2", "a", "2026-01-10", 7), day("1", "a", "2025-12-31", 8), day("1", "a", "2026-02-01", 9)]
    load(sink, tmp_path, DAILY, *others)
    load(sink, tmp_path, DAILY, day("1", "a", "2026-01-10", 1), day("1", "b", "2026-01-11", 2), replaces=JANUARY)
    load(sink, tmp_path, DAILY, day("1", "a", "2026-01-10", 3, "0.1"), day("1", "c", "2026-01-31", 4), replaces=JANUARY)
    kept = [(o["account_id"], o["campaign_id"], o["date"], o["n"]) for o in others]
    assert numbers(storage) == sorted([*kept, ("1", "a", "2026-01-10", 3), ("1", "c", "2026-01-31", 4)])


@pytest.mark.needs("replaces")
def test_a_region_without_rows_empties_it(storage: Storage, sink: Sink, tmp_path: Path) -> None:
    load(sink, tmp_path, DAILY, day("1", "a", "2026-01-10", 1), day("2", "a", "2026-01-10", 2))
    load(sink, tmp_path, DAILY, replaces=JANUARY, state=b'{"a": 1}', may_empty=True)
    assert numbers(storage) == [("2", "a", "2026-01-10", 2)]


@pytest.mark.needs("replaces")
def test_an_account_is_a_region_too(storage: Storage, sink: Sink, tmp_path: Path) -> None:
    row = lambda account, campaign, name: {"account_id": account, "campaign_id": campaign, "name": name}
    load(sink, tmp_path, ENTITY, row("1", "a", "x"), row("1", "b", "x"), row("2", "a", "x"))
    load(sink, tmp_path, ENTITY, row("1", "b", "y"), row("1", "c", "y"), replaces=ACCOUNT)
    found = sorted((r["account_id"], r["campaign_id"], r["name"]) for r in storage.rows("p", ENTITY))
    assert found == [("1", "b", "y"), ("1", "c", "y"), ("2", "a", "x")]


@pytest.mark.needs("replaces")
def test_a_region_by_another_column_than_the_account(storage: Storage, sink: Sink, tmp_path: Path) -> None:
    load(
        sink,
        tmp_path,
        DAILY,
        day("1", "a", "2026-01-10", 1),
        day("1", "b", "2026-01-10", 2),
        day("2", "a", "2026-01-11", 3),
    )
    load(
        sink,
        tmp_path,
        DAILY,
        day("2", "a", "2026-01-12", 4),
        replaces=Replaces(stream="daily", where={"campaign_id": "a"}),
    )
    assert numbers(storage) == [("1", "b", "2026-01-10", 2), ("2", "a", "2026-01-12", 4)]


@pytest.mark.needs("keeps_rows")
def test_without_a_region_rows_are_merged_by_key_and_the_last_one_wins(
    storage: Storage, sink: Sink, tmp_path: Path
) -> None:
    load(sink, tmp_path, DAILY, day("1", "a", "2026-01-01", 1), day("2", "a", "2026-01-01", 7))
    load(sink, tmp_path, DAILY, day("1", "a", "2026-01-01", 2), day("1", "a", "2026-01-01", 3))
    assert numbers(storage) == [("1", "a", "2026-01-01", 3), ("2", "a", "2026-01-01", 7)]


@pytest.mark.needs("keeps_rows")
def test_without_a_key_rows_are_appended(storage: Storage, sink: Sink, tmp_path: Path) -> None:
    table = Table("daily", DAILY.columns, ())
    for n in (1, 2):
        load(sink, tmp_path, table, day("1", "a", "2026-01-01", n), day("1", "a", "2026-01-01", n))
    assert [row[3] for row in numbers(storage, table)] == [1, 1, 2, 2]


def test_several_streams_are_committed_together(storage: Storage, sink: Sink, tmp_path: Path) -> None:
    session = sink.session("p", "run-1")
    for table, row in ((DAILY, day("1", "a", "2026-01-01", 1)), (ENTITY, {"account_id": "1", "campaign_id": "a"})):
        session.prepare(table)
        stage(session, table, row, directory=tmp_path)
    assert commit_one(session, Commit(streams=("daily", "campaign"), state=b'{"a": 1}')) == {"daily": 1, "campaign": 1}
    session.flush()
    session.close()
    if storage.keeps_rows:
        assert (len(storage.rows("p", DAILY)), len(storage.rows("p", ENTITY))) == (1, 1)


def test_rows_are_invisible_until_the_commit_and_gone_after_a_discard(
    storage: Storage, sink: Sink, tmp_path: Path
) -> None:
    session = sink.session("p", "run-1")
    session.prepare(DAILY)
    stage(session, DAILY, day("1", "a", "2026-01-01", 1), directory=tmp_path)
    assert storage.rows("p", DAILY) == []
    session.discard()
    assert commit_one(session, Commit(streams=("daily",), state=b'{"a": 1}')) == {"daily": 0}
    session.flush()
    session.close()
    assert storage.rows("p", DAILY) == []


def test_rows_are_invisible_when_the_session_is_closed_before_the_commit(
    storage: Storage, sink: Sink, tmp_path: Path
) -> None:
    session = sink.session("p", "run-1")
    session.prepare(DAILY)
    stage(session, DAILY, day("1", "a", "2026-01-01", 1), directory=tmp_path)
    session.close()
    assert storage.rows("p", DAILY) == []
    assert load(sink, tmp_path, DAILY, day("1", "b", "2026-01-01", 2), replaces=JANUARY) == {"daily": 1}


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([day("1", "a", "2026-01-05", 1), day("2", "a", "2026-01-05", 1)], "outside the region"),
        ([day("1", "a", "2026-01-05", 1), day("1", "a", "2026-02-01", 1)], "outside the region"),
        ([day("1", "a", "2026-01-05", 1), day("1", "a", "2026-01-05", 2)], "two rows with the key"),
    ],
    ids=["account", "day", "twice"],
)
def test_a_window_that_is_wrong_changes_neither_rows_nor_state(
    storage: Storage, sink: Sink, tmp_path: Path, rows: list[dict[str, Any]], sentence: str
) -> None:
    before = [day("1", "z", "2026-01-07", 5)]
    load(sink, tmp_path, DAILY, *before, replaces=JANUARY, state=b'{"a": 1}')
    found = numbers(storage)
    session = sink.session("p", "run-2")
    session.prepare(DAILY)
    stage(session, DAILY, *rows, directory=tmp_path)
    with pytest.raises(SinkError, match=sentence):
        commit_one(session, Commit(streams=("daily",), state=b'{"a": 2}', replaces=JANUARY))
    session.close()
    assert numbers(storage) == found
    if storage.keeps_state:
        again = sink.session("p", "run-3")
        assert json.loads(again.state() or b"null") == {"a": 1}
        again.close()


@pytest.mark.parametrize(
    ("replaces", "sentence"),
    [
        (Replaces(stream="daily", where={"nobody": "1"}), "names the column 'nobody'"),
        (Replaces(stream="daily", where={}), "would empty the table"),
    ],
)
def test_a_region_that_does_not_fit_its_table(sink: Sink, tmp_path: Path, replaces: Replaces, sentence: str) -> None:
    with pytest.raises(SinkError, match=sentence):
        load(sink, tmp_path, DAILY, day("1", "a", "2026-01-01", 1), replaces=replaces)


@pytest.mark.needs("keeps_rows")
def test_a_wider_schema_adds_columns_and_a_narrower_one_drops_none(
    storage: Storage, sink: Sink, tmp_path: Path
) -> None:
    wider = Table("campaign", (*ENTITY.columns, Column("budget", Type.DECIMAL)), ENTITY.key)
    row = lambda campaign, **other: {"account_id": "1", "campaign_id": campaign, "name": "x"} | other
    load(sink, tmp_path, ENTITY, row("a"))
    load(sink, tmp_path, wider, row("b", budget="0.000000000000000001"))
    load(sink, tmp_path, ENTITY, row("c"))
    found = {r["campaign_id"]: r["budget"] for r in storage.rows("p", wider)}
    assert found == {"a": None, "b": Decimal("1E-18"), "c": None}


@pytest.mark.needs("keeps_rows", "replaces")
def test_another_type_for_a_column_is_refused_with_the_remedy(storage: Storage, sink: Sink, tmp_path: Path) -> None:
    load(sink, tmp_path, DAILY, day("1", "a", "2026-01-01", 1))
    columns = tuple(Column("n", Type.STRING) if column.name == "n" else column for column in DAILY.columns)
    with pytest.raises(SinkError, match=r"the column 'n' of p\.daily is .* and would become .*; (re|de).* table"):
        load(sink, tmp_path, Table("daily", columns, DAILY.key, "date"), day("1", "b", "2026-01-01", 2) | {"n": "two"})
    assert numbers(storage) == [("1", "a", "2026-01-01", 1)]


@pytest.mark.needs("replaces")  # a storage that merely gets rows cannot see whose tables they go to
def test_a_table_that_is_not_ours_is_left_alone(storage: Storage, tmp_path: Path) -> None:
    storage.occupy("p", DAILY)
    sink = storage.open()
    try:
        with pytest.raises(SinkError, match=r"daily was not made by this program"):
            load(sink, tmp_path, DAILY, day("1", "a", "2026-01-01", 1))
    finally:
        sink.close()


@pytest.mark.parametrize("names", [("Cost", "cost"), ("n", "_loaded_at"), ("n", "_RUN_ID")])
def test_names_that_cannot_live_in_one_table(sink: Sink, tmp_path: Path, names: tuple[str, str]) -> None:
    table = Table("t", tuple(Column(name, Type.STRING) for name in names), ())
    with pytest.raises(SinkError, match=r"differ only in case|every table has already"):
        load(sink, tmp_path, table)


RESERVED = (
    "order",
    "select",
    "table",
    "user",
    "date",
    "timestamp",
    "where",
    "group",
    "desc",
    "limit",
    "from",
    "percent",
)


def test_reserved_words_are_names_like_others(storage: Storage, sink: Sink, tmp_path: Path) -> None:
    table = Table("select", tuple(Column(name, Type.STRING) for name in RESERVED), ("order",))
    row = {name: f"the {name}" for name in RESERVED}
    load(sink, tmp_path, table, row)
    load(sink, tmp_path, table, row, replaces=Replaces(stream="select", where={"group": "the group"}))
    if storage.keeps_rows:
        assert storage.rows("p", table) == [row]


def test_a_table_as_wide_as_it_may_be(storage: Storage, sink: Sink, tmp_path: Path) -> None:
    table = Table("wide", tuple(Column(f"c{n}", Type.INTEGER) for n in range(storage.widest)), ("c0",))
    row = {f"c{n}": n for n in range(storage.widest)}
    assert load(sink, tmp_path, table, row) == {"wide": 1}
    if storage.keeps_rows:
        assert storage.rows("p", table) == [row]


def test_a_text_as_long_as_it_may_be(storage: Storage, sink: Sink, tmp_path: Path) -> None:
    row = {"account_id": "1", "campaign_id": "a", "name": "x" * storage.longest_text}
    assert load(sink, tmp_path, ENTITY, row, replaces=ACCOUNT) == {"campaign": 1}
    if storage.keeps_rows:
        assert [len(found["name"]) for found in storage.rows("p", ENTITY)] == [storage.longest_text]


@pytest.mark.needs("keeps_rows")
def test_names_and_texts_in_every_script(storage: Storage, sink: Sink, tmp_path: Path) -> None:
    texts = [
        "Ünïcödé",
        "漢字かな",
        "العربية",
        "हिन्दी",
        "👩‍👩‍👧‍👦🇩🇪",
        "e\u0301",
        "\ufeffx",
        "\u202eabc",
        "a\u0000b".replace("\u0000", ""),
    ]
    rows = [{"account_id": "1", "campaign_id": text, "name": text * 20} for text in texts]
    load(sink, tmp_path, ENTITY, *rows, replaces=ACCOUNT)
    found = {row["campaign_id"]: row["name"] for row in storage.rows("p", ENTITY)}
    assert found == {row["campaign_id"]: row["name"] for row in rows}


@pytest.mark.needs("keeps_state")
def test_the_state_is_that_of_the_last_commit_of_each_platform(storage: Storage, tmp_path: Path) -> None:
    sink = storage.open()
    assert sink.session("p", "run-1").state() is None
    load(sink, tmp_path, DAILY, day("1", "a", "2026-01-01", 1), state=b'{"n": 1, "text": "\xc3\xa9 \'\\"\\\\"}')
    load(sink, tmp_path, DAILY, platform="q", state=b'{"n": 7}')
    load(sink, tmp_path, DAILY, day("1", "a", "2026-01-02", 1))  # no state leaves the stored one
    sink.close()
    sink = storage.open()
    found = [json.loads(sink.session(platform, "run-2").state() or b"null") for platform in ("p", "q", "r")]
    sink.close()
    assert found == [{"n": 1, "text": "é '\"\\"}, {"n": 7}, None]


@pytest.mark.needs("keeps_state")
def test_a_state_of_a_megabyte(storage: Storage, tmp_path: Path) -> None:
    state = {
        "bookmarks": {f"stream{n}": {"accounts": {str(k): ["2026-01-01", "ü"] for k in range(300)}} for n in range(130)}
    }
    sink = storage.open()
    for n in (1, 2):
        load(sink, tmp_path, DAILY, state=json.dumps(state | {"n": n}, ensure_ascii=False).encode())
    session = sink.session("p", "run-2")
    assert json.loads(session.state() or b"null") == state | {"n": 2}
    session.close()
    sink.close()


@pytest.mark.needs("keeps_state")
def test_a_state_can_be_put_and_taken_away(storage: Storage, sink: Sink, tmp_path: Path) -> None:
    load(sink, tmp_path, DAILY, day("1", "a", "2026-01-01", 1), state=b'{"n": 1}')
    load(sink, tmp_path, DAILY, platform="q", state=b'{"n": 7}')
    sink.put_state("p", b'{"n": 2}')
    assert json.loads(sink.session("p", "run-2").state() or b"null") == {"n": 2}
    sink.put_state("p", None)
    assert sink.session("p", "run-2").state() is None
    assert json.loads(sink.session("q", "run-2").state() or b"null") == {"n": 7}
    assert numbers(storage) == [("1", "a", "2026-01-01", 1)]


def test_platforms_commit_at_once_without_getting_in_each_others_way(
    storage: Storage, sink: Sink, tmp_path: Path
) -> None:
    failures: list[BaseException] = []
    names = [f"platform{n}" for n in range(4)]

    def work(name: str) -> None:
        directory = tmp_path / name
        directory.mkdir()
        try:
            session = sink.session(name, "run-1")
            session.prepare(DAILY)
            for n in range(8):
                date = f"2026-01-{n + 1:02d}"
                stage(session, DAILY, day("1", "a", date, n), day("1", "b", date, n), directory=directory)
                region = Replaces(stream="daily", where={"account_id": "1"}, first=date, last=date, rows=2)
                commit_one(session, Commit(streams=("daily",), state=json.dumps({"n": n}).encode(), replaces=region))
            session.flush()
            session.close()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=work, args=(name,)) for name in names]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not failures
    for name in names:
        if storage.keeps_rows:
            assert len(storage.rows(name, DAILY)) == 16
        if storage.keeps_state:
            assert json.loads(sink.session(name, "run-2").state() or b"null") == {"n": 7}


@pytest.mark.needs("keeps_state")
def test_one_run_at_a_time(storage: Storage, tmp_path: Path) -> None:
    first = storage.open()
    with pytest.raises(SinkError, match=r"in use by .*pid \d+.* started .*20\d\d-"):
        storage.open()
    first.close()
    second = storage.open()
    assert load(second, tmp_path, DAILY, day("1", "a", "2026-01-01", 1)) == {"daily": 1}
    second.close()


def test_a_spool_that_lacks_a_row_is_not_stored(storage: Storage, sink: Sink, tmp_path: Path) -> None:
    session = sink.session("p", "run-1")
    session.prepare(DAILY)
    with pytest.raises(SinkError, match="1 of 2 rows of 'daily'"):
        session.stage("daily", write_spool(tmp_path, day("1", "a", "2026-01-01", 1)), 2)
    session.close()
    assert storage.rows("p", DAILY) == []


def test_many_windows_in_one_session(storage: Storage, sink: Sink, tmp_path: Path) -> None:
    session = sink.session("p", "run-1")
    session.prepare(DAILY)
    for n in range(1, 13):
        rows = [day("1", str(c), f"2026-{n:02d}-15", c) for c in range(150 if n == 6 else 3)]
        stage(session, DAILY, *rows[: len(rows) // 2], directory=tmp_path)
        stage(session, DAILY, *rows[len(rows) // 2 :], directory=tmp_path)
        region = Replaces(stream="daily", where={"account_id": "1"}, first=f"2026-{n:02d}-01", last=f"2026-{n:02d}-28")
        stored = commit_one(session, Commit(streams=("daily",), state=json.dumps({"n": n}).encode(), replaces=region))
        assert stored == {"daily": len(rows)}
    session.flush()
    session.close()
    if storage.keeps_rows:
        assert len(storage.rows("p", DAILY)) == 11 * 3 + 150
