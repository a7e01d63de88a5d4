"""The run's own variables: the log, the report and the database. All that is wrong with them is reported at once."""

from __future__ import annotations

import os
import shlex
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

import attrs
from attrs import frozen

from supervisor.config.credentials import value_of
from supervisor.config.errors import ConfigError
from supervisor.config.units import duration
from wire.endpoints import is_loopback

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)


class StorageType(StrEnum):
    """Where rows go."""

    DUCKDB = "duckdb"
    VERTICA = "vertica"
    AZURE_TABLE = "azure_table"
    SINGER = "singer"
    NONE = "none"


class ReportFormat(StrEnum):
    """How the report is written."""

    JSON = "json"
    CSV = "csv"
    HTML = "html"


class LogFormat(StrEnum):
    """How a log line is written."""

    TEXT = "text"
    JSON = "json"


class TlsMode(StrEnum):
    """How far a connection is encrypted and the server's certificate checked; vertica-python's own words."""

    DISABLE = "disable"
    PREFER = "prefer"
    REQUIRE = "require"
    VERIFY_CA = "verify-ca"
    VERIFY_FULL = "verify-full"


@frozen(kw_only=True)
class VerticaAccess:
    """Where Vertica is, and as whom to log in. `timeout` is the longest that one statement may take, in seconds."""

    host: str
    port: int
    database: str
    user: str
    password: str = attrs.field(repr=False)
    tls_mode: TlsMode
    ca_file: Path | None
    backup_nodes: tuple[tuple[str, int], ...]
    timeout: float


@frozen(kw_only=True)
class AzureAccess:
    """Which Azure storage account, and the table (or the prefix of the tables) in it."""

    connection_string: str = attrs.field(repr=False)
    table_name: str


@frozen(kw_only=True)
class SingerAccess:
    """The Singer target that gets the rows: its command, the variables that it may see, and where its state is kept.

    `timeout` is the longest that it may take no rows, or take to end after the last one, in seconds.
    """

    command: tuple[str, ...]
    environment: Mapping[str, str] = attrs.field(repr=False)
    state_path: Path
    timeout: float


@frozen(kw_only=True)
class RunEnvironment:
    """What the environment says about a run; `vertica`, `azure` or `singer` is there when `storage_type` names it."""

    log_level: str = "INFO"
    log_format: LogFormat = LogFormat.TEXT
    log_to_file: bool = False
    export_report: bool = True
    report_format: ReportFormat = ReportFormat.JSON
    report_path: Path = Path("execution_report.json")
    report_html_path: Path | None = None
    storage_type: StorageType = StorageType.DUCKDB
    duckdb_path: Path = Path("social_ads.duckdb")
    duckdb_snapshot: bool = True
    duckdb_snapshot_path: Path = Path("social_ads.snapshot.duckdb")
    history_path: Path = Path("supervisor_history.jsonl")
    vertica: VerticaAccess | None = None
    azure: AzureAccess | None = None
    singer: SingerAccess | None = None

    @property
    def snapshot(self) -> Path | None:
        """Where the DuckDB file's copy for readers is, if one is wanted."""
        return self.duckdb_snapshot_path.absolute() if self.duckdb_snapshot else None


DEFAULT_VERTICA_PORT = 5433
LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
_FLAGS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}
VARIABLES = (
    *(
        "LOG_LEVEL",
        "LOG_FORMAT",
        "LOG_TO_FILE",
        "EXPORT_REPORT",
        "REPORT_FORMAT",
        "REPORT_PATH",
        "REPORT_HTML_PATH",
        "STORAGE_TYPE",
        "DUCKDB_PATH",
        "DUCKDB_SNAPSHOT",
        "DUCKDB_SNAPSHOT_PATH",
    ),
    "HISTORY_PATH",
    *("VERTICA_HOST", "VERTICA_PORT", "VERTICA_DATABASE", "VERTICA_USER", "VERTICA_PASSWORD"),
    *("VERTICA_TLSMODE", "VERTICA_CA_FILE", "VERTICA_BACKUP_NODES", "VERTICA_TIMEOUT"),
    *("AZURE_STORAGE_CONNECTION_STRING", "AZURE_TABLE_NAME"),
    *("SINGER_TARGET_COMMAND", "SINGER_TARGET_ENVIRONMENT", "SINGER_TARGET_TIMEOUT", "SINGER_STATE_PATH"),
)


def read_environment(environ: Mapping[str, str] = os.environ) -> RunEnvironment:
    """The run's variables, each also from the file that NAME_FILE names; raises ConfigError with all findings."""
    reader = _Reader(environ)
    storage = reader.read("STORAGE_TYPE", StorageType.DUCKDB, _one_of(StorageType))
    report_format = reader.read("REPORT_FORMAT", ReportFormat.JSON, _one_of(ReportFormat))
    database = reader.read("DUCKDB_PATH", Path("social_ads.duckdb"), Path)
    found = RunEnvironment(
        log_level=reader.read("LOG_LEVEL", "INFO", _level),
        log_format=reader.read("LOG_FORMAT", LogFormat.TEXT, _one_of(LogFormat)),
        log_to_file=reader.read("LOG_TO_FILE", False, _flag),
        export_report=reader.read("EXPORT_REPORT", True, _flag),
        report_format=report_format,
        report_path=reader.read("REPORT_PATH", Path(f"execution_report.{report_format}"), Path),
        report_html_path=reader.read("REPORT_HTML_PATH", None, Path),
        storage_type=storage,
        duckdb_path=database,
        duckdb_snapshot=reader.read("DUCKDB_SNAPSHOT", True, _flag),
        duckdb_snapshot_path=reader.read("DUCKDB_SNAPSHOT_PATH", _snapshot_of(database), Path),
        history_path=reader.read("HISTORY_PATH", Path("supervisor_history.jsonl"), Path),
        vertica=_vertica(reader) if storage is StorageType.VERTICA else None,
        azure=_azure(reader) if storage is StorageType.AZURE_TABLE else None,
        singer=_singer(reader) if storage is StorageType.SINGER else None,
    )
    if found.duckdb_snapshot and found.duckdb_snapshot_path.absolute() == database.absolute():
        reader.findings.append(
            "DUCKDB_SNAPSHOT_PATH: it names the file of DUCKDB_PATH, which the snapshot would replace"
        )
    if found.report_html_path == found.report_path and report_format is not ReportFormat.HTML:
        reader.findings.append("REPORT_HTML_PATH: it names the file of REPORT_PATH, which the page would replace")
    if reader.findings:
        raise ConfigError(reader.findings)
    return found


def wants_html(environment: RunEnvironment) -> bool:
    """Whether a run writes a page, as its report or beside it."""
    return environment.export_report and (
        environment.report_format is ReportFormat.HTML or environment.report_html_path is not None
    )


class _Reader:
    """Reads variables and gathers what is wrong with them."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.findings: list[str] = []

    def read(self, name: str, default: T, parse: Callable[[str], T]) -> T:
        try:
            text = value_of(name, self._environ)
            return default if text is None else parse(text)
        except ConfigError as error:
            self.findings.extend(error.findings)
        except ValueError as error:
            self.findings.append(f"{name}: {error}")
        return default

    def needed(self, name: str, why: str) -> str:
        before = len(self.findings)
        value = self.read(name, "", str)
        if not value and len(self.findings) == before:
            self.findings.append(f"{name} is not set, and {why} needs it")
        return value


def _vertica(reader: _Reader) -> VerticaAccess:
    why = "STORAGE_TYPE=vertica"
    host = reader.needed("VERTICA_HOST", why)
    port = reader.read("VERTICA_PORT", DEFAULT_VERTICA_PORT, _port)
    nodes: tuple[tuple[str, int], ...] = ()
    # Between two machines a password needs a server that proves who it is; this machine is itself.
    safe = TlsMode.DISABLE if is_loopback(host) else TlsMode.VERIFY_FULL
    return VerticaAccess(
        host=host,
        port=port,
        database=reader.needed("VERTICA_DATABASE", why),
        user=reader.needed("VERTICA_USER", why),
        password=reader.read("VERTICA_PASSWORD", "", str),
        tls_mode=reader.read("VERTICA_TLSMODE", safe, _one_of(TlsMode)),
        ca_file=reader.read("VERTICA_CA_FILE", None, _file),
        backup_nodes=reader.read("VERTICA_BACKUP_NODES", nodes, lambda text: _nodes(text, port)),
        timeout=reader.read("VERTICA_TIMEOUT", 900.0, _seconds),
    )


def _azure(reader: _Reader) -> AzureAccess:
    why = "STORAGE_TYPE=azure_table"
    return AzureAccess(
        connection_string=reader.needed("AZURE_STORAGE_CONNECTION_STRING", why),
        table_name=reader.read("AZURE_TABLE_NAME", "socialads", str),
    )


def _singer(reader: _Reader) -> SingerAccess:
    nothing: tuple[str, ...] = ()
    names = reader.read("SINGER_TARGET_ENVIRONMENT", nothing, _names)
    command = reader.read("SINGER_TARGET_COMMAND", nothing, _command)
    if not command and not any(finding.startswith("SINGER_TARGET_COMMAND") for finding in reader.findings):
        reader.findings.append("SINGER_TARGET_COMMAND is not set, and STORAGE_TYPE=singer needs it")
    return SingerAccess(
        command=command,
        environment={name: reader.needed(name, "SINGER_TARGET_ENVIRONMENT") for name in names},
        state_path=reader.read("SINGER_STATE_PATH", Path("singer_state.json"), Path),
        timeout=reader.read("SINGER_TARGET_TIMEOUT", 900.0, _seconds),
    )


def _snapshot_of(database: Path) -> Path:
    """Beside the database: `social_ads.duckdb` has `social_ads.snapshot.duckdb`."""
    return database.with_name(f"{database.stem}.snapshot{database.suffix}") if database.name else database


def _one_of(kind: type[E]) -> Callable[[str], E]:
    def parse(text: str) -> E:
        try:
            return kind(text.strip().lower())
        except ValueError:
            raise ValueError(f'expected one of {", ".join(kind)}, got "{text}"') from None

    return parse


def _level(text: str) -> str:
    level = text.strip().upper()
    if level not in LOG_LEVELS:
        raise ValueError(f'expected one of {", ".join(LOG_LEVELS)}, got "{text}"')
    return level


def _flag(text: str) -> bool:
    word = text.strip().lower()
    if word not in _FLAGS:
        raise ValueError(f'expected true or false, got "{text}"')
    return _FLAGS[word]


def _port(text: str) -> int:
    digits = text.strip()
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 5 and 0 < int(digits) < 65536):
        raise ValueError(f'expected a port between 1 and 65535, got "{text}"')
    return int(digits)


def _seconds(text: str) -> float:
    seconds = duration(text)
    if not seconds:
        raise ValueError('expected a duration above zero, like 900 (seconds) or "15m"')
    return seconds


def _file(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise ValueError(f"there is no file {path}")
    return path


def _nodes(text: str, port: int) -> tuple[tuple[str, int], ...]:
    """`host1, host2:5434`; where no port is given it is `port`."""
    nodes = []
    for node in filter(None, map(str.strip, text.split(","))):
        host, colon, digits = node.partition(":")
        nodes.append((host, _port(digits) if colon else port))
    return tuple(nodes)


def _names(text: str) -> tuple[str, ...]:
    names = tuple(filter(None, map(str.strip, text.split(","))))
    odd = [name for name in names if not name.isidentifier()]
    if odd:
        raise ValueError(f'expected names of variables, separated by commas, got "{odd[0]}"')
    return names


def _command(text: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(text))
    except ValueError as cause:
        raise ValueError(f"it cannot be split into words as a shell would: {cause}") from cause
