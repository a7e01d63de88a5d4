"""Who gets into Vertica and who does not: logins, certificates, other nodes, and one run at a time."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import vertica_python
from storage import DAILY, day, load
from until import until, until_told
from vertica_double import DATABASE, PASSWORD, USER, VerticaDatabase, access_to

from sandbox.vertica.running import VerticaDouble
from supervisor.config.environment import RunEnvironment, StorageType, TlsMode, VerticaAccess
from supervisor.config.errors import SinkError
from supervisor.record.log import log
from supervisor.sinks.vertica import check
from supervisor.sinks.vertica.refusals import refused
from supervisor.sinks.vertica.sink import VerticaSink
from wire.messages import Replaces

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def database(tmp_path: Path) -> VerticaDatabase:
    return VerticaDatabase(tmp_path)


@pytest.fixture
def deaf_ports() -> Iterator[list[int]]:
    """Two ports on which nobody listens, and nobody can begin to."""
    with socket.socket() as one, socket.socket() as other:
        for each in (one, other):
            each.bind(("127.0.0.1", 0))
        yield [each.getsockname()[1] for each in (one, other)]


def refusal(access: VerticaAccess) -> str:
    """What both a run and `supervisor check` are told."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(SinkError) as caught:
            VerticaSink(access)
        told = check(RunEnvironment(storage_type=StorageType.VERTICA, vertica=access))
    assert str(caught.value) == told
    assert PASSWORD not in told and "wrong" not in told
    assert caught.value.__cause__ is not None
    return told


def test_a_check_finds_nothing_and_creates_nothing(database: VerticaDatabase) -> None:
    assert check(RunEnvironment(storage_type=StorageType.VERTICA, vertica=access_to(database.server))) is None
    schemas = database.query("SELECT schema_name FROM v_catalog.schemata WHERE NOT is_system_schema")
    assert schemas == [["public"]]


def test_a_refused_login(database: VerticaDatabase) -> None:
    where = rf"Vertica on 127\.0\.0\.1:{database.server.port}"
    assert re.fullmatch(
        where + r" refused the login of user 'etl': Invalid username or password; "
        r"look at VERTICA_USER and VERTICA_PASSWORD",
        refusal(access_to(database.server, password="wrong")),
    )
    assert re.fullmatch(
        where + " has no database 'sales'; look at VERTICA_DATABASE",
        refusal(access_to(database.server, database="sales")),
    )


def test_a_missing_right_says_whose() -> None:
    answer = SimpleNamespace(
        _notice_attrs={b"M": "Permission denied for database marketing", b"C": "42501"}, error_message=lambda: "secret",
    )  # fmt: skip
    error = refused(vertica_python.errors.PermissionDenied(answer, "CREATE SCHEMA x"), "create the schema _supervisor")
    assert str(error) == (
        "Vertica refused to create the schema _supervisor: Permission denied for database marketing; "
        "grant that right to the user of VERTICA_USER"
    )


def test_a_host_that_is_not_there_is_named_with_all_nodes_tried(
    database: VerticaDatabase, deaf_ports: list[int]
) -> None:
    port, other = deaf_ports
    access = access_to(database.server, port=port, backup_nodes=(("127.0.0.1", other),))
    assert refusal(access) == (
        f"Vertica on 127.0.0.1:{port}, 127.0.0.1:{other} cannot be reached; "
        "look at VERTICA_HOST and VERTICA_PORT, and whether it is up"
    )
    assert "cannot be reached" in refusal(access_to(database.server, host="no-such-host.invalid"))


def test_a_backup_node_takes_over(database: VerticaDatabase, deaf_ports: list[int], tmp_path: Path) -> None:
    port, other = deaf_ports
    nodes = (("127.0.0.1", other), ("127.0.0.1", database.server.port))
    sink = VerticaSink(access_to(database.server, port=port, backup_nodes=nodes))
    assert sink.description.count("127.0.0.1:") == 3
    assert load(sink, tmp_path, DAILY, day("1", "a", "2026-01-01", 1)) == {"daily": 1}
    sink.close()


def test_a_server_that_says_nothing_at_the_login(database: VerticaDatabase) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        access = access_to(database.server, port=listener.getsockname()[1], timeout=0.3)
        assert re.search(r"let nobody in: .*timed out", refusal(access))


def test_an_interruption_ends_a_login_that_hangs(database: VerticaDatabase) -> None:
    sink = database.open()
    session = sink.session("p", "run-1")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        sink._access = access_to(database.server, port=listener.getsockname()[1])
        timer = threading.Timer(0.3, session.interrupt)
        timer.start()
        begun = time.monotonic()
        with pytest.raises(SinkError, match="let nobody in"):
            session.state()
        assert time.monotonic() - begun < 8, "the timeout is ten seconds"
    session.close()
    sink.close()


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`good.pem` is for localhost and 127.0.0.1, `other.pem` for another host; each signs itself."""
    directory = tmp_path_factory.mktemp("certificates")
    for name, names in (("good", "DNS:localhost,IP:127.0.0.1"), ("other", "DNS:vertica.example")):
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
             "-keyout", f"{name}.key", "-out", f"{name}.pem", "-days", "2", "-subj", "/CN=vertica",
             "-addext", f"subjectAltName={names}"],
            cwd=directory, check=True, capture_output=True,
        )  # fmt: skip
    return directory


@pytest.fixture(scope="module")
def secure(certificates: Path) -> Iterator[VerticaDouble]:
    pair = (certificates / "good.pem", certificates / "good.key")
    with VerticaDouble(users={USER: PASSWORD}, database=DATABASE, tls=pair) as double:
        yield double


@pytest.mark.parametrize("mode", [TlsMode.VERIFY_FULL, TlsMode.VERIFY_CA, TlsMode.REQUIRE, TlsMode.PREFER])
def test_a_certificate_that_is_trusted(
    secure: VerticaDouble, certificates: Path, tmp_path: Path, mode: TlsMode
) -> None:
    sink = VerticaSink(access_to(secure, tls_mode=mode, ca_file=certificates / "good.pem"))
    january = Replaces(stream="daily", where={"account_id": "1"})
    assert load(sink, tmp_path, DAILY, day("1", mode, "2026-01-01", 1), replaces=january) == {"daily": 1}
    sink.close()


def test_a_certificate_that_is_not_trusted(secure: VerticaDouble, certificates: Path) -> None:
    told = refusal(access_to(secure, tls_mode=TlsMode.VERIFY_FULL, ca_file=certificates / "other.pem"))
    assert re.fullmatch(
        rf"the certificate of Vertica on 127\.0\.0\.1:{secure.port} is not trusted: self.signed certificate; "
        r"it was checked with VERTICA_CA_FILE=\S+other\.pem",
        told,
    )
    told = refusal(access_to(secure, tls_mode=TlsMode.VERIFY_CA))
    assert told.endswith("it was checked with the system's certificates, as no CA file is set")
    (certificates / "empty.pem").write_text("")
    told = refusal(access_to(secure, tls_mode=TlsMode.VERIFY_FULL, ca_file=certificates / "empty.pem"))
    assert re.match(r"VERTICA_CA_FILE=\S+empty\.pem holds no certificates", told)


def test_a_certificate_of_another_host(certificates: Path) -> None:
    pair = (certificates / "other.pem", certificates / "other.key")
    with VerticaDouble(users={USER: PASSWORD}, database=DATABASE, tls=pair) as double:
        told = refusal(access_to(double, tls_mode=TlsMode.VERIFY_FULL, ca_file=certificates / "other.pem"))
        assert "IP address mismatch, certificate is not valid for '127.0.0.1'" in told
        VerticaSink(access_to(double, tls_mode=TlsMode.VERIFY_CA, ca_file=certificates / "other.pem")).close()


@pytest.mark.filterwarnings("ignore:TLS is not configured")  # the sink ignores it too, and says so itself
def test_a_server_without_tls(database: VerticaDatabase, caplog: pytest.LogCaptureFixture) -> None:
    told = refusal(access_to(database.server, tls_mode=TlsMode.VERIFY_FULL))
    assert told.endswith("offers no TLS, and VERTICA_TLSMODE=verify-full asks for it")
    with caplog.at_level("WARNING", logger=log.name):
        VerticaSink(access_to(database.server, tls_mode=TlsMode.PREFER)).close()
    assert [record.getMessage() for record in caplog.records] == [
        f"The connections to Vertica on 127.0.0.1:{database.server.port} are not encrypted"
    ]


HOLDER = """
import sys, time
sys.path.insert(0, "tests/sinks")
from types import SimpleNamespace
from vertica_double import access_to
from supervisor.sinks.vertica.sink import VerticaSink
sink = VerticaSink(access_to(SimpleNamespace(host="127.0.0.1", port=int(sys.argv[1]))))
print("held", flush=True)
time.sleep(60)
"""


def test_two_runs_at_once_and_one_that_was_killed(database: VerticaDatabase) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(database.server.port)],
        cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert holder.stdout is not None and holder.stdout.readline() == "held\n"
    with pytest.raises(SinkError) as caught:
        database.open()
    assert re.fullmatch(
        rf"the Vertica database marketing on 127\.0\.0\.1:{database.server.port} is in use by pid {holder.pid} on "
        rf"{re.escape(socket.gethostname())}, a run that started \d{{4}}-\d\d-\d\d \d\d:\d\d:\d\d UTC; "
        "wait until that run ends",
        str(caught.value),
    )
    holder.kill()
    holder.communicate()
    opened_soon(database).close()


def test_a_run_that_has_ended_keeps_nobody_out_though_the_server_notices_later(database: VerticaDatabase) -> None:
    database.server.fault("linger", label=" lock", after=2000)
    database.open().close()
    database.open().close()
    until(lambda: "linger" in database.server.struck())


def opened_soon(database: VerticaDatabase) -> VerticaSink:
    """The server notices a killed client a moment later."""

    def opened() -> VerticaSink | None:
        try:
            return database.open()
        except SinkError:
            return None

    opened_in_time = until(opened)
    assert opened_in_time is not None
    return opened_in_time


def test_a_lock_that_was_lost_is_taken_again_by_the_next_session(database: VerticaDatabase, tmp_path: Path) -> None:
    sink = database.open()
    database.server.fault("close", matching="SELECT 1", label=" lock")
    load(sink, tmp_path, DAILY, day("1", "a", "2026-01-01", 1))
    assert database.server.struck()[-1] == "close"
    with pytest.raises(SinkError, match="is in use by pid"):
        database.open()
    sink.close()
    database.open().close()


def test_a_lock_that_was_lost_to_another_run_ends_all_later_sessions(database: VerticaDatabase) -> None:
    sink = database.open()
    sink._lock._link.interrupt()
    other = opened_soon(database)
    for _ in range(2):
        session = sink.session("p", "run-1")
        with pytest.raises(SinkError, match="is in use by pid"):
            session.state()
        session.close()
    other.close()
    session = sink.session("p", "run-1")
    until(lambda: database.query("SELECT count(*) FROM v_monitor.sessions WHERE client_label LIKE '% lock'") == [[0]])
    assert session.state() is None
    session.close()
    sink.close()


def test_a_session_does_not_connect_before_it_must(database: VerticaDatabase, tmp_path: Path) -> None:
    sink = database.open()
    database.server.fault("refuse_login")
    session = sink.session("p", "run-1")
    with pytest.raises(SinkError, match="refused the login"):
        session.prepare(DAILY)
    session.close()
    assert load(sink, tmp_path, DAILY, day("1", "a", "2026-01-01", 1)) == {"daily": 1}
    sink.close()


def test_a_server_that_ended_is_a_failed_attempt(tmp_path: Path) -> None:
    with VerticaDouble(users={USER: PASSWORD}, database=DATABASE) as double:
        sink = VerticaSink(access_to(double))
        session = sink.session("p", "run-1")
        session.prepare(DAILY)
        double.kill()
        with pytest.raises(SinkError, match="was lost when asked to read the state of p"):
            session.state()
        session.close()
        with pytest.raises(SinkError, match="cannot be reached"):
            sink.session("p", "run-1").state()
        with pytest.raises(SinkError, match="cannot be reached"):
            sink.publish()
        sink.close()


TAP = """
schema("daily", key=("id",), day="date", id="string", n="integer", date="string")
for n in range(3):
    row("daily", id=str(n), n=n, date="2026-01-0%d" % (n + 1))
    state({"bookmarks": {"daily": {"accounts": {"1": {"complete": [["2026-01-01", "2026-01-0%d" % (n + 1)]]}}}}},
          stream="daily", where={"id": str(n)}, **{"from": "2026-01-01", "to": "2026-01-31"})
    print("did", n, file=sys.stderr, flush=True)
    if n == 1 and "--state" not in sys.argv: time.sleep(60)
"""


def test_a_run_that_is_killed_and_the_next_one_through_the_command_line(house: Any, database: VerticaDatabase) -> None:
    house.environment |= database.variables | {"PIPELINE_NOW": "2026-01-05T00:00:00Z"}
    house.tap("one", TAP)
    house.write()
    assert "has nothing of any run; no run has made it yet" in house.run("history").stderr
    process = house.start("run")
    until_told(process, "did 1")
    held = house.run("run")
    assert held.returncode == 1
    assert f"is in use by pid {process.pid} on" in held.stderr
    assert "Traceback" not in held.stderr
    until(lambda: database.query("SELECT count(*) FROM one.daily") == [[2]])
    process.send_signal(signal.SIGKILL)
    process.communicate()
    opened_soon(database).close()
    done = house.run("run")
    assert done.returncode == 0, done
    assert PASSWORD not in done.stderr + done.stdout
    assert database.query("SELECT id, n FROM one.daily ORDER BY id") == [["0", 0], ["1", 1], ["2", 2]]
    history = house.run("history", "--platform", "one").stdout.splitlines()
    assert re.search(r"completed +\d\.\d s  3 rows", history[1]), history
    assert "unfinished" in history[2]
    fresh = house.run("freshness")
    assert fresh.stdout.splitlines()[1].split()[:4] == ["one", "1", "daily", "2026-01-03"], fresh
    leave_no_keeper(house)


def leave_no_keeper(house: Any) -> None:
    """The keeper ends what a killed supervisor left behind, a moment later, and its temporary files stay."""
    until(house.is_deserted)
    for left in (house.directory / "tmp").iterdir():
        shutil.rmtree(left)
