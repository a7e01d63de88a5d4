"""What a sink relies on and vertica-python's own tests do not cover: limits, commit rules, locks, faults, TLS, logins."""

from __future__ import annotations

import datetime as dt
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import vertica_python
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from until import until
from vertica_python import errors

from sandbox.vertica.running import VerticaDouble

pytestmark = pytest.mark.timeout(60)

TEXTS = st.none() | st.text(
    st.characters(codec="utf-8", exclude_characters="\0") | st.sampled_from('\\",\n\r\t\x01N '), max_size=100
)
COPY = "COPY {} FROM STDIN ABORT ON ERROR DELIMITER ',' ENCLOSED BY '\"' ENFORCELENGTH ESCAPE AS '\\' NULL '\x01N' NO COMMIT"


@pytest.fixture(scope="module")
def server() -> Iterator[VerticaDouble]:
    with VerticaDouble(users={"etl": "secret", "other": "pässword"}, lock_timeout=2.0) as running:
        yield running


@contextmanager
def connected(server: VerticaDouble, **options: Any) -> Iterator[Any]:
    given = {
        "host": server.host,
        "port": server.port,
        "user": "etl",
        "password": "secret",
        "database": "ads",
        "tlsmode": "disable",
        "connection_timeout": 20,
    }
    connection = vertica_python.connect(**{**given, **options})
    try:
        yield connection
    finally:
        with suppress(errors.ConnectionError):  # the server may be gone
            connection.close()


def rows(connection: Any, sql: str) -> list[list[Any]]:
    cursor = connection.cursor()
    cursor.execute(sql)
    found = cursor.fetchall()
    assert not cursor.nextset()
    return list(found)


def accepted(connection: Any) -> int:
    return int(rows(connection, "SELECT GET_NUM_ACCEPTED_ROWS()")[0][0])


@pytest.fixture
def connection(server: VerticaDouble) -> Iterator[Any]:
    server.clear_faults()
    with connected(server) as opened:
        yield opened


@pytest.fixture
def table(connection: Any) -> str:
    rows(connection, "DROP SCHEMA IF EXISTS google CASCADE")
    rows(connection, "CREATE SCHEMA google")
    rows(connection, 'CREATE TABLE google.daily (id INT, name VARCHAR(8), "order" NUMERIC(38,18))')
    return "google.daily"


class TestLimits:
    def test_a_varchar_is_limited_in_octets(self, connection: Any, table: str) -> None:
        rows(connection, f"INSERT INTO {table} (name) VALUES ('éééé')")
        with pytest.raises(errors.QueryError, match=r"String of 10 octets is too long for type Varchar\(8\)") as caught:
            rows(connection, f"INSERT INTO {table} (name) VALUES ('ééééé')")
        assert (caught.value.sqlstate, caught.value.error_code) == ("22001", "4800")
        with pytest.raises(errors.CopyRejected, match=r"The 10-byte value is too long for type Varchar\(8\), column 2"):
            connection.cursor().copy(COPY.format(table), '1,"ééééé",1\n')
        assert rows(connection, f"SELECT count(*) FROM {table}") == [[1]], "only the statement is undone"

    def test_without_enforcelength_copy_cuts_at_a_character(self, connection: Any, table: str) -> None:
        connection.cursor().copy(f"COPY {table} FROM STDIN DELIMITER ',' NO COMMIT", "1,abcdefgé,1\n")
        assert rows(connection, f"SELECT name FROM {table}") == [["abcdefg"]]

    def test_a_varchar_can_be_widened(self, connection: Any, table: str) -> None:
        rows(connection, f"INSERT INTO {table} (name) VALUES ('short')")
        rows(connection, f"ALTER TABLE {table} ALTER COLUMN name SET DATA TYPE VARCHAR(20)")
        rows(connection, f"INSERT INTO {table} (name) VALUES ('a longer text')")
        assert rows(connection, f"SELECT name FROM {table} ORDER BY name") == [["a longer text"], ["short"]]
        assert rows(
            connection,
            "SELECT data_type, data_type_length, character_maximum_length FROM v_catalog.columns "
            "WHERE table_schema = 'google' AND column_name = 'name'",
        ) == [["varchar(20)", 20, 20]]

    @pytest.mark.parametrize(
        ("columns", "refusal"),
        [
            ("a VARCHAR(65001)", "cannot exceed 65000"),
            ("a LONG VARCHAR(32000000), b LONG VARCHAR(768001)", "Row size exceeds MaxRowSize: 32768001 > 32768000"),
            pytest.param("é" * 65 + " INT", "is 130 octets long. Maximum limit is 128 octets", id="name"),
            ("a INT, A INT", "more than once"),
            ("a BLOB", 'Type "BLOB" does not exist'),
            ("a INT,, b INT", "Syntax error at or near"),
        ],
    )
    def test_a_table_beyond_a_limit_is_refused(self, connection: Any, columns: str, refusal: str) -> None:
        with pytest.raises(errors.QueryError, match=refusal):
            rows(connection, f"CREATE TABLE beyond ({columns})")

    def test_a_long_varchar_of_32_million_octets_arrives(self, connection: Any) -> None:
        rows(connection, "CREATE LOCAL TEMPORARY TABLE long (a LONG VARCHAR(32000000)) ON COMMIT PRESERVE ROWS")
        connection.cursor().copy(COPY.format("long"), '"' + "x" * 32_000_000 + '"\n')
        assert accepted(connection) == 1
        assert rows(connection, "SELECT length(a) FROM long") == [[32_000_000]]

    def test_the_smallest_integer_of_64_bits_is_no_integer(self, connection: Any, table: str) -> None:
        extremes = [-(2**63) + 1, 2**63 - 1]
        connection.cursor().copy(COPY.format(table), "".join(f'{number},"",1\n' for number in extremes))
        assert rows(connection, f"SELECT id FROM {table} ORDER BY id") == [[number] for number in extremes]
        with pytest.raises(errors.CopyRejected, match="Invalid integer format '-9223372036854775808'"):
            connection.cursor().copy(COPY.format(table), f'{-(2**63)},"",1\n')
        with pytest.raises(errors.QueryError, match="out of range for type int8"):
            rows(connection, f"INSERT INTO {table} (id) VALUES ({-(2**63)})")

    @pytest.mark.parametrize("text", ["1.5", "1e3", "", " ", "0x10", "1_000"])
    def test_what_is_no_integer_is_rejected(self, connection: Any, table: str, text: str) -> None:
        with pytest.raises(errors.CopyRejected, match="Invalid integer format"):
            connection.cursor().copy(COPY.format(table), f'{text},"a",1\n')

    def test_a_thousand_columns(self, connection: Any) -> None:
        names = [f"metric {number}" for number in range(1_000)]
        columns = ", ".join(f'"{name}" INT' for name in names)
        rows(connection, f"CREATE LOCAL TEMPORARY TABLE wide ({columns}) ON COMMIT PRESERVE ROWS")
        connection.cursor().copy(COPY.format("wide"), (",".join("7" for _ in names) + "\n") * 3)
        assert accepted(connection) == 3
        assert rows(connection, "SELECT * FROM wide LIMIT 1") == [[7] * 1_000]


class TestValues:
    def test_every_value_comes_back_exactly(self, connection: Any) -> None:
        rows(
            connection,
            "CREATE LOCAL TEMPORARY TABLE exact (a VARCHAR(100), b NUMERIC(38,18), c FLOAT, d DATE, e TIMESTAMP, "
            "f BOOLEAN, g LONG VARCHAR) ON COMMIT PRESERVE ROWS",
        )
        wanted = [
            [
                'quote " back\\slash, comma\nline\rreturn\x01N\x7f\x1b',
                Decimal("12345678901234567890.123456789012345678"),
                0.1 + 0.2,
                dt.date(2026, 11, 24),
                dt.datetime(2026, 11, 24, 12, 34, 56, 789012),
                True,
                "日本語 😀 'single'",
            ],
            ["", Decimal("-0.000000000000000001"), 5e-324, None, None, False, None],
            [None] * 7,
        ]
        connection.cursor().copy(COPY.format("exact"), "".join(as_line(row) for row in wanted))
        assert accepted(connection) == 3
        assert rows(connection, "SELECT * FROM exact ORDER BY b DESC") == wanted

    def test_an_empty_text_is_no_null(self, connection: Any, table: str) -> None:
        connection.cursor().copy(COPY.format(table), '1,"",1\n2,\x01N,1\n3,"\x01N",1\n')
        assert rows(connection, f"SELECT name FROM {table} ORDER BY id") == [[""], [None], ["\x01N"]]

    def test_signs_can_be_given_as_escaped_literals(self, connection: Any, table: str) -> None:
        connection.cursor().copy(f"COPY {table} FROM STDIN DELIMITER E'\\t' NULL E'\\001N' NO COMMIT", "1\t\x01N\t2\n")
        assert rows(connection, f"SELECT * FROM {table}") == [[1, None, 2]]

    @settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
    @given(st.lists(st.tuples(TEXTS, TEXTS, st.none() | st.decimals(-1, 1, places=18)), min_size=1, max_size=20))
    def test_any_text_survives_both_readers(self, connection: Any, written: list[tuple[Any, ...]]) -> None:
        rows(
            connection,
            "CREATE LOCAL TEMPORARY TABLE IF NOT EXISTS survives (n INT, a VARCHAR(400), b LONG VARCHAR, "
            "c NUMERIC(38,18)) ON COMMIT PRESERVE ROWS",
        )
        wanted = [[number, *row] for number, row in enumerate(written)]
        for option in ("", " TRAILING NULLCOLS"):  # which the fast reader does not know
            connection.cursor().copy(COPY.format("survives") + option, "".join(as_line(row) for row in wanted))
            assert rows(connection, "SELECT * FROM survives ORDER BY n") == wanted
            connection.rollback()

    def test_without_abort_on_error_bad_rows_are_dropped_silently(self, connection: Any, table: str) -> None:
        connection.cursor().copy(f"COPY {table} FROM STDIN DELIMITER ',' NO COMMIT", "1,a,1\nx,b,2\n3,c\n4,d,4\n")
        assert accepted(connection) == 2
        assert rows(connection, "SELECT GET_NUM_REJECTED_ROWS()") == [[2]]


def as_line(row: list[Any]) -> str:
    def field(value: Any) -> str:
        if value is None:
            return "\x01N"
        if isinstance(value, str):
            return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\\n") + '"'
        return format(value, "f") if isinstance(value, Decimal) else str(value)

    return ",".join(map(field, row)) + "\n"


class TestCommits:
    def test_copy_commits_unless_told_not_to(self, server: VerticaDouble, connection: Any, table: str) -> None:
        with connected(server) as other:
            for option, seen in ((" NO COMMIT", 0), ("", 2)):
                connection.cursor().copy(f"COPY {table} FROM STDIN DELIMITER ','{option}", "1,a,1\n")
                assert rows(other, f"SELECT count(*) FROM {table}") == [[seen]]

    def test_copy_into_a_temporary_table_does_not_commit(
        self, server: VerticaDouble, connection: Any, table: str
    ) -> None:
        rows(connection, "CREATE LOCAL TEMPORARY TABLE stage (a INT) ON COMMIT PRESERVE ROWS")
        rows(connection, f"INSERT INTO {table} (id) VALUES (1)")
        connection.cursor().copy("COPY stage FROM STDIN", "1\n")
        with connected(server) as other:
            assert rows(other, f"SELECT count(*) FROM {table}") == [[0]]
        connection.rollback()
        assert rows(connection, "SELECT count(*) FROM stage") == [[0]]

    def test_a_temporary_table_is_empty_after_a_commit_unless_it_preserves_rows(self, connection: Any) -> None:
        rows(connection, "CREATE LOCAL TEMP TABLE kept (a INT) ON COMMIT PRESERVE ROWS")
        rows(connection, "CREATE LOCAL TEMP TABLE emptied (a INT)")
        rows(connection, "INSERT INTO kept VALUES (1)")
        rows(connection, "INSERT INTO emptied VALUES (1)")
        connection.commit()
        assert rows(connection, "SELECT (SELECT count(*) FROM kept), (SELECT count(*) FROM emptied)") == [[1, 0]]

    @pytest.mark.parametrize(
        "ddl",
        [
            "CREATE SCHEMA IF NOT EXISTS microsoft",
            "CREATE TABLE IF NOT EXISTS google.daily (id INT)",
            "ALTER TABLE google.daily ADD COLUMN later DATE",
            "CREATE OR REPLACE VIEW google.seen AS SELECT id FROM google.daily",
        ],
    )
    def test_a_definition_commits_what_came_before(
        self, server: VerticaDouble, connection: Any, table: str, ddl: str
    ) -> None:
        rows(connection, f"INSERT INTO {table} (id) VALUES (1)")
        rows(connection, ddl)
        connection.rollback()
        with connected(server) as other:
            assert rows(other, f"SELECT count(*) FROM {table}") == [[1]]

    def test_truncate_commits_and_cannot_be_undone(self, connection: Any, table: str) -> None:
        rows(connection, f"INSERT INTO {table} (id) VALUES (1)")
        connection.commit()
        rows(connection, f"TRUNCATE TABLE {table}")
        connection.rollback()
        assert rows(connection, f"SELECT count(*) FROM {table}") == [[0]]

    def test_an_error_undoes_its_statement_only(self, server: VerticaDouble, connection: Any, table: str) -> None:
        connection.cursor().copy(COPY.format(table), '1,"a",1\n')
        rows(connection, f"INSERT INTO {table} (id) VALUES (2)")
        with pytest.raises(errors.QueryError, match="Invalid input syntax for integer"):
            rows(connection, f"INSERT INTO {table} (id) SELECT CAST(name AS INT) FROM {table}")
        rows(connection, f"INSERT INTO {table} (id) VALUES (3)")
        connection.commit()
        with connected(server) as other:
            assert rows(other, f"SELECT id FROM {table} ORDER BY id") == [[1], [2], [3]]

    def test_a_read_sees_what_others_committed_meanwhile(
        self, server: VerticaDouble, connection: Any, table: str
    ) -> None:
        rows(connection, "CREATE LOCAL TEMPORARY TABLE stage (a INT) ON COMMIT PRESERVE ROWS")
        rows(connection, "INSERT INTO stage VALUES (1)")
        with connected(server) as other:
            rows(other, f"INSERT INTO {table} (id) VALUES (1)")
            other.commit()
        assert rows(connection, f"SELECT count(*) FROM {table}") == [[1]]

    def test_keys_are_not_enforced(self, connection: Any) -> None:
        rows(connection, "CREATE LOCAL TEMP TABLE keyed (a INT, PRIMARY KEY (a)) ON COMMIT PRESERVE ROWS")
        rows(connection, "INSERT INTO keyed SELECT 1 UNION ALL SELECT 1")
        assert rows(connection, "SELECT count(*) FROM keyed") == [[2]]
        with pytest.raises(errors.QueryError, match="Cannot set a NOT NULL column"):
            rows(connection, "INSERT INTO keyed VALUES (NULL)")

    def test_views_over_tables(self, connection: Any, table: str) -> None:
        rows(
            connection,
            f'CREATE OR REPLACE VIEW google.money AS SELECT id, CAST("order" AS NUMERIC(38,18)) AS cost, '
            f"CAST(id AS FLOAT) AS ratio FROM {table} UNION ALL SELECT 0, 0, 0",
        )
        rows(connection, f"ALTER TABLE {table} ADD COLUMN later DATE")
        rows(connection, f'INSERT INTO {table} (id, "order") VALUES (1, 12345678901234567890.123456789012345678)')
        assert rows(connection, "SELECT * FROM google.money ORDER BY id") == [
            [0, 0, 0],
            [1, Decimal("12345678901234567890.123456789012345678"), 1.0],
        ]
        assert rows(connection, "SELECT table_name FROM v_catalog.views WHERE table_schema = 'google'") == [["money"]]
        rows(connection, "DROP VIEW google.money")


class TestStatements:
    def test_merge_by_key(self, connection: Any, table: str) -> None:
        merge = (
            f"MERGE INTO {table} AS t USING stage AS s ON t.id = s.id WHEN MATCHED THEN UPDATE SET name = s.name "
            "WHEN NOT MATCHED THEN INSERT (id, name) VALUES (s.id, s.name)"
        )
        rows(connection, f"INSERT INTO {table} (id, name) VALUES (1, 'old')")
        rows(connection, "CREATE LOCAL TEMP TABLE stage (id INT, name VARCHAR(8)) ON COMMIT PRESERVE ROWS")
        connection.cursor().copy(COPY.format("stage"), '1,"new"\n2,"other"\n')
        assert rows(connection, merge) == [[2]]
        assert rows(connection, f"SELECT id, name FROM {table} ORDER BY id") == [[1, "new"], [2, "other"]]
        rows(connection, "INSERT INTO stage VALUES (1, 'twice')")
        with pytest.raises(errors.QueryError, match="Duplicate MERGE key"):
            rows(connection, merge)

    def test_merge_has_a_limit_of_columns(self, connection: Any) -> None:
        columns = ", ".join(f"c{number} INT" for number in range(832))
        rows(connection, f"CREATE LOCAL TEMP TABLE wide832 ({columns}) ON COMMIT PRESERVE ROWS")
        with pytest.raises(errors.QueryError, match="more than 831"):
            rows(connection, "MERGE INTO wide832 t USING wide832 s ON t.c0 = s.c0 WHEN MATCHED THEN UPDATE SET c1 = 1")

    @pytest.mark.parametrize(
        "statement",
        [
            "INSERT INTO {} (id) VALUES (1), (2)",
            "INSERT INTO {} (id) VALUES (1) ON CONFLICT DO NOTHING",
            "INSERT OR REPLACE INTO {} (id) VALUES (1)",
            "DELETE FROM {} USING stage WHERE stage.id = id",
            "DELETE FROM {} RETURNING id",
            "SELECT id FROM {} QUALIFY row_number() OVER (PARTITION BY id) = 1",
            "SELECT TRY_CAST(name AS INT) FROM {}",
            "SELECT * EXCLUDE (id) FROM {}",
            "CREATE OR REPLACE TABLE {} (id INT)",
        ],
    )
    def test_what_only_duckdb_understands_is_a_syntax_error(self, connection: Any, table: str, statement: str) -> None:
        with pytest.raises(errors.VerticaSyntaxError):
            rows(connection, statement.format(table))

    def test_quoted_names_are_never_keywords(self, connection: Any) -> None:
        rows(connection, 'CREATE LOCAL TEMP TABLE "select" ("qualify" INT, "returning" INT) ON COMMIT PRESERVE ROWS')
        rows(connection, 'INSERT INTO "select" ("qualify", "returning") VALUES (1, 2)')
        assert rows(connection, 'SELECT "qualify", "returning" FROM "select"') == [[1, 2]]

    def test_nulls_sort_last_as_text_and_first_as_numbers(self, connection: Any, table: str) -> None:
        rows(connection, f"INSERT INTO {table} (id, name) SELECT 1, NULL UNION ALL SELECT NULL, 'a'")
        assert rows(connection, f"SELECT id FROM {table} ORDER BY id") == [[None], [1]]
        assert rows(connection, f"SELECT name FROM {table} ORDER BY name") == [["a"], [None]]
        assert rows(connection, f"SELECT name FROM {table} ORDER BY name DESC") == [[None], ["a"]]


class TestLocks:
    def test_a_second_lock_of_a_table_is_refused_without_waiting(
        self, server: VerticaDouble, connection: Any, table: str
    ) -> None:
        rows(connection, f"LOCK TABLE {table} IN EXCLUSIVE MODE NOWAIT")
        with connected(server, user="other", password="pässword") as other:
            began = time.monotonic()
            with pytest.raises(
                errors.LockFailure, match="Locking failure: Timed out X locking Table:google.daily. X held by .user etl"
            ) as caught:
                rows(other, f"LOCK TABLE {table} IN EXCLUSIVE MODE NOWAIT")
            assert time.monotonic() - began < 2, "its lock timeout"
            assert caught.value.error_code == "5156"
            assert rows(other, f"SELECT count(*) FROM {table}") == [[0]], "reads need no lock"
            connection.rollback()
            rows(other, f"LOCK TABLE {table} IN EXCLUSIVE MODE NOWAIT")

    def test_shares_of_a_table_keep_out_whoever_wants_it_alone(
        self, server: VerticaDouble, connection: Any, table: str
    ) -> None:
        rows(connection, f"LOCK TABLE {table} IN SHARE MODE NOWAIT")
        with connected(server) as other, connected(server) as alone:
            rows(other, f"LOCK TABLE {table} IN SHARE MODE NOWAIT")
            for release in (connection.rollback, other.rollback):
                with pytest.raises(errors.LockFailure, match="Timed out X locking Table:google.daily. S held by"):
                    rows(alone, f"LOCK TABLE {table} IN EXCLUSIVE MODE NOWAIT")
                release()
            rows(alone, f"LOCK TABLE {table} IN EXCLUSIVE MODE NOWAIT")
            with pytest.raises(errors.LockFailure, match="Timed out S locking Table:google.daily. X held by"):
                rows(other, f"LOCK TABLE {table} IN SHARE MODE NOWAIT")

    def test_the_modes_share_and_insert_go_with_themselves_and_not_with_each_other(
        self, server: VerticaDouble, connection: Any, table: str
    ) -> None:
        modes = {"SHARE": "S", "INSERT": "I"}
        for mode, other_mode in (("SHARE", "INSERT"), ("INSERT", "SHARE")):
            rows(connection, f"LOCK TABLE {table} IN {mode} MODE NOWAIT")
            with connected(server) as alike, connected(server) as other:
                rows(alike, f"LOCK TABLE {table} IN {mode} MODE NOWAIT")
                said = f"Timed out {modes[other_mode]} locking Table:google.daily. {modes[mode]} held by"
                with pytest.raises(errors.LockFailure, match=said):
                    rows(other, f"LOCK TABLE {table} IN {other_mode} MODE NOWAIT")
                alike.rollback()
            connection.rollback()

    def test_a_lock_ends_with_its_session(self, server: VerticaDouble, connection: Any, table: str) -> None:
        with connected(server) as other:
            rows(other, f"LOCK TABLE {table} IN EXCLUSIVE MODE NOWAIT")
            other.socket.close()

        def is_mine() -> bool:
            try:
                rows(connection, f"LOCK TABLE {table} IN EXCLUSIVE MODE NOWAIT")
            except errors.LockFailure:
                return False
            return True

        until(is_mine)

    def test_a_writer_waits_for_the_writer_before_it(self, server: VerticaDouble, connection: Any, table: str) -> None:
        rows(connection, f"INSERT INTO {table} (id) VALUES (1)")
        connection.commit()
        waits, waited = server.waits()
        rows(connection, f"DELETE FROM {table} WHERE id = 1")
        finished = threading.Event()

        def second() -> None:
            with connected(server) as other:
                rows(other, f"DELETE FROM {table} WHERE id = 2")
                rows(other, f"INSERT INTO {table} (id) VALUES (2)")
                other.commit()
            finished.set()

        thread = threading.Thread(target=second)
        thread.start()
        assert not finished.wait(0.4)
        rows(connection, f"INSERT INTO {table} (id) VALUES (1)")
        connection.commit()
        thread.join(60)
        assert rows(connection, f"SELECT id FROM {table} ORDER BY id") == [[1], [2]]
        waits, waited = server.waits()[0] - waits, server.waits()[1] - waited
        assert waits == 1 and waited > 0

    def test_a_wait_ends_with_the_lock_timeout(self, server: VerticaDouble, connection: Any, table: str) -> None:
        rows(connection, f"DELETE FROM {table}")
        with connected(server) as other, pytest.raises(errors.LockFailure, match="Timed out I locking"):
            rows(other, f"INSERT INTO {table} (id) VALUES (1)")

    def test_inserts_share_a_table_and_a_circle_of_waits_is_a_deadlock(
        self, server: VerticaDouble, connection: Any, table: str
    ) -> None:
        with connected(server) as other:
            rows(connection, f"INSERT INTO {table} (id) VALUES (1)")
            rows(other, f"INSERT INTO {table} (id) VALUES (2)")
            thread = threading.Thread(target=lambda: rows(connection, f"DELETE FROM {table} WHERE id = 1"))
            thread.start()
            until(lambda: "WHERE id = 1" in server.statements()[-1])
            time.sleep(0.1)  # from its arrival to its waiting
            with pytest.raises(errors.QueryError, match="Deadlock") as caught:
                rows(other, f"DELETE FROM {table} WHERE id = 2")
            assert caught.value.sqlstate == "40V01"
            other.rollback()
            thread.join(60)
            connection.commit()

    def test_four_sessions_with_tables_of_their_own_and_one_that_they_share(
        self, server: VerticaDouble, connection: Any
    ) -> None:
        rows(connection, "DROP TABLE IF EXISTS ledger")
        rows(connection, "CREATE TABLE ledger (platform VARCHAR(20), batch INT)")
        batches, failed = 8, list[BaseException]()
        for number in range(4):
            rows(connection, f"DROP TABLE IF EXISTS facts{number}")
            rows(connection, f"CREATE TABLE facts{number} (id INT, batch INT)")

        def platform(number: int) -> None:
            try:
                with connected(server) as own:
                    rows(own, "CREATE LOCAL TEMP TABLE stage (id INT, batch INT) ON COMMIT PRESERVE ROWS")
                    for batch in range(batches):
                        data = "".join(f"{row},{batch}\n" for row in range(50))
                        own.cursor().copy(COPY.format("stage"), data)
                        rows(own, f"DELETE FROM facts{number} WHERE id BETWEEN 0 AND 49")
                        rows(own, f"INSERT INTO facts{number} SELECT * FROM stage")
                        rows(own, f"DELETE FROM ledger WHERE platform = 'p{number}'")
                        rows(own, f"INSERT INTO ledger VALUES ('p{number}', {batch})")
                        rows(own, "DELETE FROM stage")
                        own.commit()
            except BaseException as error:
                failed.append(error)

        threads = [threading.Thread(target=platform, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert not failed
        assert rows(connection, "SELECT * FROM ledger ORDER BY platform") == [
            [f"p{number}", batches - 1] for number in range(4)
        ]
        for number in range(4):
            found = rows(connection, f"SELECT count(*), min(batch), max(batch) FROM facts{number}")
            assert found == [[50, batches - 1, batches - 1]]

    def test_a_writer_that_waited_sees_what_it_waited_for(
        self, server: VerticaDouble, connection: Any, table: str
    ) -> None:
        rows(connection, f"INSERT INTO {table} (id) VALUES (1)")
        connection.commit()
        with connected(server) as other:
            rows(other, "CREATE LOCAL TEMP TABLE stage (a INT) ON COMMIT PRESERVE ROWS")
            rows(other, "INSERT INTO stage VALUES (1)")  # its transaction is older than the next commit
            rows(connection, f"UPDATE {table} SET id = 2 WHERE id = 1")
            connection.commit()
            rows(other, f"UPDATE {table} SET id = 3 WHERE id = 2")
            other.commit()
            assert rows(connection, f"SELECT id FROM {table}") == [[3]]


class TestFaults:
    def test_a_connection_lost_within_copy(self, server: VerticaDouble, table: str) -> None:
        server.fault("cut_copy", after=1_000_000, matching=table)
        with connected(server) as own, pytest.raises(errors.ConnectionError):
            own.cursor().copy(COPY.format(table), '1,"a",1\n' * 1_000_000)
        assert "cut_copy" in server.struck()
        with connected(server) as own:
            assert rows(own, f"SELECT count(*) FROM {table}") == [[0]]

    @pytest.mark.parametrize(("kind", "kept"), [("lose_commit_answer", 1), ("lose_commit", 0)])
    def test_a_commit_whose_answer_is_lost(self, server: VerticaDouble, table: str, kind: str, kept: int) -> None:
        server.fault(kind, label="google")
        with connected(server, session_label="google") as own:
            rows(own, f"INSERT INTO {table} (id) VALUES (1)")
            with pytest.raises(errors.ConnectionError):
                own.commit()
        with connected(server) as own:
            assert rows(own, f"SELECT count(*) FROM {table}") == [[kept]]

    @pytest.mark.parametrize("kind", ["hang", "stall_copy"])
    def test_a_server_that_hangs(self, server: VerticaDouble, table: str, kind: str) -> None:
        server.fault(kind, matching="copy")
        with connected(server, connection_timeout=0.5) as own, pytest.raises(errors.ConnectionError):
            own.cursor().copy(COPY.format(table), '1,"a",1\n' * 1_000_000)
        assert server.struck()[-1] == kind

    def test_a_full_disk(self, server: VerticaDouble, connection: Any, table: str) -> None:
        server.fault("disk_full")
        with pytest.raises(errors.QueryError, match="No space left on device") as caught:
            connection.cursor().copy(COPY.format(table), '1,"a",1\n')
        assert caught.value.sqlstate == "53100"
        assert rows(connection, f"SELECT count(*) FROM {table}") == [[0]]

    def test_a_row_too_few(self, server: VerticaDouble, connection: Any, table: str) -> None:
        server.fault("short_count")
        for count in (1, 2):
            connection.cursor().copy(COPY.format(table), '1,"a",1\n2,"b",1\n')
            assert accepted(connection) == count

    def test_refused_logins_and_closed_statements(self, server: VerticaDouble) -> None:
        server.fault("refuse_login", times=2)
        for _ in range(2):
            with pytest.raises(errors.ConnectionError, match="Invalid username or password"), connected(server):
                pass
        server.fault("close", matching="select 42")
        with connected(server) as own, pytest.raises(errors.ConnectionError):
            rows(own, "SELECT 42")

    def test_an_unknown_fault_is_an_error(self, server: VerticaDouble) -> None:
        with pytest.raises(ValueError, match="is no fault"):
            server.fault("earthquake")

    def test_a_killed_server(self) -> None:
        with VerticaDouble() as short_lived, connected(short_lived) as own:
            short_lived.kill()
            with pytest.raises(errors.ConnectionError):
                rows(own, "SELECT 1")


class TestConnections:
    @pytest.mark.parametrize("login", ["cleartext", "md5", "sha512"])
    def test_passwords(self, login: str) -> None:
        with VerticaDouble(users={"etl": "secret"}, login=login, database="ads") as server:
            with connected(server) as own:
                assert rows(own, "SELECT 1") == [[1]]
            for wrong in ({"password": "wrong"}, {"user": "nobody"}):
                with pytest.raises(errors.ConnectionError, match="Invalid username"), connected(server, **wrong):
                    pass
            refused = pytest.raises(errors.ConnectionError, match='Database "other" does not exist')
            with refused, connected(server, database="other"):
                pass

    def test_tls_that_verifies_certificate_and_name(self, tmp_path: Path) -> None:
        certificate, key = self_signed(tmp_path / "right"), tmp_path / "right" / "key.pem"
        stranger = self_signed(tmp_path / "wrong")
        with VerticaDouble(users={"etl": "secret"}, tls=(certificate, key)) as server:
            with connected(server, tlsmode="verify-full", tls_cafile=str(certificate)) as own:
                assert own.socket.cipher()
                own.cursor().execute("CREATE TABLE t (a INT, b VARCHAR(10))")
                own.cursor().copy(COPY.format("t"), '1,"a"\n' * 100_000)
                assert accepted(own) == 100_000
            refused = pytest.raises(errors.ConnectionError, match="certificate verify failed")
            with refused, connected(server, tlsmode="verify-full", tls_cafile=str(stranger)):
                pass

    def test_a_server_without_tls(self, server: VerticaDouble) -> None:
        with pytest.raises(errors.SSLNotSupported), connected(server, tlsmode="require"):
            pass

    def test_backup_servers_and_load_balancing(self, server: VerticaDouble) -> None:
        with connected(server, port=1, backup_server_node=[(server.host, server.port)]) as own:
            assert rows(own, "SELECT 1") == [[1]]
        to = (server.host, server.port)
        with VerticaDouble(balance_to=to) as front, connected(front, connection_load_balance=True) as own:
            assert own.socket.getpeername()[1] == server.port

    def test_sessions_are_listed_while_they_last(self, server: VerticaDouble, connection: Any) -> None:
        query = "SELECT user_name, client_pid > 0 FROM v_monitor.sessions WHERE client_label = 'supervisor'"
        with connected(server, session_label="supervisor"):
            assert rows(connection, query) == [["etl", True]]
        until(lambda: not rows(connection, query))

    def test_no_more_sessions_than_allowed(self) -> None:
        refused = pytest.raises(errors.ConnectionError, match="already 1 sessions active")
        with VerticaDouble(max_sessions=1) as server, connected(server), refused, connected(server):
            pass

    def test_a_statement_can_be_canceled(self, server: VerticaDouble, connection: Any) -> None:
        def cancel() -> None:
            until(lambda: "range(1000000)" in server.statements()[-1])
            time.sleep(0.1)  # from its arrival to its execution
            connection.cancel()

        threading.Thread(target=cancel).start()
        with pytest.raises(errors.QueryCanceled):
            rows(connection, "SELECT count(*) FROM range(1000000) a, range(1000000) b WHERE a.range % 7 = b.range % 5")
        assert rows(connection, "SELECT 1") == [[1]]


def self_signed(directory: Path) -> Path:
    """A certificate for 127.0.0.1 that is its own root; its key lies beside it as key.pem."""
    directory.mkdir()
    certificate = directory / "certificate.pem"
    subprocess.run(
        [
            *("openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=vertica"),
            *("-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"),
            *("-keyout", str(directory / "key.pem"), "-out", str(certificate)),
        ],
        check=True,
        capture_output=True,
    )
    return certificate
