"""The run's own variables: their defaults, their values, and every way in which they can be wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from supervisor.config.environment import (
    AzureAccess,
    RunEnvironment,
    SingerAccess,
    TlsMode,
    VerticaAccess,
    read_environment,
)
from supervisor.config.errors import ConfigError

VERTICA = {
    "STORAGE_TYPE": "vertica",
    "VERTICA_HOST": "localhost",
    "VERTICA_DATABASE": "analytics",
    "VERTICA_USER": "dbuser",
    "VERTICA_PASSWORD": " pass word ",
}


def findings(environ: dict[str, str]) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        read_environment(environ)
    return caught.value.findings


def test_nothing_needs_to_be_set() -> None:
    found = read_environment({})
    assert found == RunEnvironment()
    assert (found.log_level, found.log_to_file, found.export_report) == ("INFO", False, True)
    assert (found.report_format, found.report_path) == ("json", Path("execution_report.json"))
    assert (found.storage_type, found.duckdb_path) == ("duckdb", Path("social_ads.duckdb"))


def test_an_empty_variable_is_an_unset_one() -> None:
    assert read_environment({"STORAGE_TYPE": "", "LOG_LEVEL": "", "REPORT_PATH": ""}) == RunEnvironment()


def test_every_variable_is_read() -> None:
    found = read_environment(
        {
            "LOG_LEVEL": "debug",
            "LOG_TO_FILE": "true",
            "EXPORT_REPORT": "FALSE",
            "REPORT_FORMAT": "csv",
            "REPORT_PATH": "/tmp/report",
            "STORAGE_TYPE": "none",
            "DUCKDB_PATH": "other.duckdb",
        }
    )
    assert (found.log_level, found.log_to_file, found.export_report) == ("DEBUG", True, False)
    assert (found.report_format, found.report_path) == ("csv", Path("/tmp/report"))
    assert (found.storage_type, found.duckdb_path) == ("none", Path("other.duckdb"))


def test_the_report_is_named_after_its_format() -> None:
    assert read_environment({"REPORT_FORMAT": "csv"}).report_path == Path("execution_report.csv")


def test_vertica_is_described_by_its_variables() -> None:
    assert read_environment(VERTICA).vertica == VerticaAccess(
        host="localhost", port=5433, database="analytics", user="dbuser", password=" pass word ",
        tls_mode=TlsMode.DISABLE, ca_file=None, backup_nodes=(), timeout=900,
    )  # fmt: skip
    access = read_environment({**VERTICA, "VERTICA_PORT": "6000"}).vertica
    assert access is not None and access.port == 6000


def test_another_machine_must_prove_who_it_is_unless_something_else_is_said(tmp_path: Path) -> None:
    far = VERTICA | {"VERTICA_HOST": "vertica.example"}
    access = read_environment(far).vertica
    assert access is not None and access.tls_mode is TlsMode.VERIFY_FULL
    authority = tmp_path / "ca.pem"
    authority.write_text("-")
    more = {"VERTICA_TLSMODE": "require", "VERTICA_CA_FILE": str(authority), "VERTICA_TIMEOUT": "5m"}
    nodes = {"VERTICA_BACKUP_NODES": "node2, node3:6000", "VERTICA_PORT": "5434"}
    access = read_environment(far | more | nodes).vertica
    assert access is not None
    assert (access.tls_mode, access.ca_file, access.timeout) == (TlsMode.REQUIRE, authority, 300)
    assert access.backup_nodes == (("node2", 5434), ("node3", 6000))


SINGER = {"STORAGE_TYPE": "singer", "SINGER_TARGET_COMMAND": "target-x --config 'my target.json'"}


def test_a_singer_target_is_described_by_its_variables() -> None:
    assert read_environment(SINGER).singer == SingerAccess(
        command=("target-x", "--config", "my target.json"), environment={}, timeout=900,
        state_path=Path("singer_state.json"),
    )  # fmt: skip
    more = {"SINGER_TARGET_ENVIRONMENT": "MY_TOKEN, PROFILE", "MY_TOKEN": "s3cret", "PROFILE": "x", "OTHER": "y"}
    found = read_environment(SINGER | more)
    assert found.singer is not None and found.singer.environment == {"MY_TOKEN": "s3cret", "PROFILE": "x"}
    assert "s3cret" not in repr(found)


def test_the_snapshot_stands_beside_its_database() -> None:
    assert read_environment({"DUCKDB_PATH": "/data/ads.duckdb"}).duckdb_snapshot_path == Path(
        "/data/ads.snapshot.duckdb"
    )
    assert read_environment({"DUCKDB_PATH": "ads"}).duckdb_snapshot_path == Path("ads.snapshot")
    found = read_environment({"DUCKDB_SNAPSHOT": "no", "DUCKDB_SNAPSHOT_PATH": "/x/y"})
    assert (found.duckdb_snapshot, found.duckdb_snapshot_path) == (False, Path("/x/y"))


def test_azure_is_described_by_its_variables() -> None:
    environ = {"STORAGE_TYPE": "azure_table", "AZURE_STORAGE_CONNECTION_STRING": "AccountKey=abc=="}
    assert read_environment(environ).azure == AzureAccess(connection_string="AccountKey=abc==", table_name="socialads")
    access = read_environment({**environ, "AZURE_TABLE_NAME": "mine"}).azure
    assert access is not None and access.table_name == "mine"


def test_passwords_are_in_no_repr() -> None:
    assert "pass word" not in repr(read_environment(VERTICA))
    azure = {"STORAGE_TYPE": "azure_table", "AZURE_STORAGE_CONNECTION_STRING": "AccountKey=abc=="}
    assert "abc==" not in repr(read_environment(azure))


def test_only_the_chosen_storage_is_read() -> None:
    found = read_environment({**VERTICA, "STORAGE_TYPE": "duckdb", "VERTICA_PORT": "nonsense"})
    assert (found.vertica, found.azure) == (None, None)


def test_a_mounted_secret_is_as_good_as_a_variable(tmp_path: Path) -> None:
    secret = tmp_path / "password"
    secret.write_text("from the file\n")
    environ = {name: value for name, value in VERTICA.items() if name != "VERTICA_PASSWORD"}
    access = read_environment({**environ, "VERTICA_PASSWORD_FILE": str(secret)}).vertica
    assert access is not None and access.password == "from the file"


@pytest.mark.parametrize(
    ("environ", "finding"),
    [
        (
            {"STORAGE_TYPE": "mysql"},
            'STORAGE_TYPE: expected one of duckdb, vertica, azure_table, singer, none, got "mysql"',
        ),
        ({"REPORT_FORMAT": "xml"}, 'REPORT_FORMAT: expected one of json, csv, html, got "xml"'),
        ({"LOG_LEVEL": "LOUD"}, 'LOG_LEVEL: expected one of DEBUG, INFO, WARNING, ERROR, got "LOUD"'),
        ({"LOG_TO_FILE": "maybe"}, 'LOG_TO_FILE: expected true or false, got "maybe"'),
        (
            {"REPORT_HTML_PATH": "execution_report.json"},
            "REPORT_HTML_PATH: it names the file of REPORT_PATH, which the page would replace",
        ),
        ({"EXPORT_REPORT": "2"}, 'EXPORT_REPORT: expected true or false, got "2"'),
        ({**VERTICA, "VERTICA_PORT": "0"}, 'VERTICA_PORT: expected a port between 1 and 65535, got "0"'),
        ({**VERTICA, "VERTICA_PORT": "x"}, 'VERTICA_PORT: expected a port between 1 and 65535, got "x"'),
        (
            {**VERTICA, "VERTICA_TLSMODE": "on"},
            'VERTICA_TLSMODE: expected one of disable, prefer, require, verify-ca, verify-full, got "on"',
        ),
        ({**VERTICA, "VERTICA_CA_FILE": "/no/file"}, "VERTICA_CA_FILE: there is no file /no/file"),
        (
            {**VERTICA, "VERTICA_BACKUP_NODES": "a:b"},
            'VERTICA_BACKUP_NODES: expected a port between 1 and 65535, got "b"',
        ),
        (
            {**VERTICA, "VERTICA_TIMEOUT": "0"},
            'VERTICA_TIMEOUT: expected a duration above zero, like 900 (seconds) or "15m"',
        ),
        ({"STORAGE_TYPE": "singer"}, "SINGER_TARGET_COMMAND is not set, and STORAGE_TYPE=singer needs it"),
        (
            {"STORAGE_TYPE": "singer", "SINGER_TARGET_COMMAND": "a 'b"},
            "SINGER_TARGET_COMMAND: it cannot be split into words as a shell would: No closing quotation",
        ),
        (
            {**SINGER, "SINGER_TARGET_ENVIRONMENT": "A-B"},
            'SINGER_TARGET_ENVIRONMENT: expected names of variables, separated by commas, got "A-B"',
        ),
        (
            {**SINGER, "SINGER_TARGET_ENVIRONMENT": "MY_TOKEN"},
            "MY_TOKEN is not set, and SINGER_TARGET_ENVIRONMENT needs it",
        ),
        (
            {"DUCKDB_PATH": "a.duckdb", "DUCKDB_SNAPSHOT_PATH": "./a.duckdb"},
            "DUCKDB_SNAPSHOT_PATH: it names the file of DUCKDB_PATH, which the snapshot would replace",
        ),
        ({**VERTICA, "VERTICA_HOST": ""}, "VERTICA_HOST is not set, and STORAGE_TYPE=vertica needs it"),
        (
            {"STORAGE_TYPE": "azure_table"},
            "AZURE_STORAGE_CONNECTION_STRING is not set, and STORAGE_TYPE=azure_table needs it",
        ),
        (
            {**VERTICA, "VERTICA_USER": "", "VERTICA_USER_FILE": "/nowhere"},
            "VERTICA_USER_FILE names /nowhere, which cannot be read: No such file or directory",
        ),
    ],
)
def test_what_can_be_wrong(environ: dict[str, str], finding: str) -> None:
    assert findings(environ) == (finding,)


def test_all_that_is_wrong_is_said_at_once() -> None:
    found = findings({"STORAGE_TYPE": "vertica", "LOG_LEVEL": "x", "REPORT_FORMAT": "y", "LOG_TO_FILE": "z"})
    assert sorted(finding.split()[0].rstrip(":") for finding in found) == [
        "LOG_LEVEL",
        "LOG_TO_FILE",
        "REPORT_FORMAT",
        "VERTICA_DATABASE",
        "VERTICA_HOST",
        "VERTICA_USER",
    ]
