"""The run's own variables: the log, the report and the database. All that is wrong with them is reported at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

import attrs
from attrs import frozen

from supervisor.credentials import value_of
from supervisor.errors import ConfigError

T = TypeVar("T")
E = TypeVar("E", bound=StrEnum)


class StorageType(StrEnum):
    """Where rows go."""

    DUCKDB = "duckdb"
    VERTICA = "vertica"
    AZURE_TABLE = "azure_table"
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


@frozen(kw_only=True)
class VerticaAccess:
    """Where Vertica is, and as whom to log in."""

    host: str
    port: int
    database: str
    user: str
    password: str = attrs.field(repr=False)


@frozen(kw_only=True)
class AzureAccess:
    """Which Azure storage account, and the table (or the prefix of the tables) in it."""

    connection_string: str = attrs.field(repr=False)
    table_name: str


@frozen(kw_only=True)
class RunEnvironment:
    """What the environment says about a run. `vertica` and `azure` are there when `storage_type` names them."""

    log_level: str = "INFO"
    log_format: LogFormat = LogFormat.TEXT
    log_to_file: bool = False
    export_report: bool = True
    report_format: ReportFormat = ReportFormat.JSON
    report_path: Path = Path("execution_report.json")
    report_html_path: Path | None = None
    storage_type: StorageType = StorageType.DUCKDB
    duckdb_path: Path = Path("social_ads.duckdb")
    history_path: Path = Path("supervisor_history.jsonl")
    vertica: VerticaAccess | None = None
    azure: AzureAccess | None = None


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
    ),
    "HISTORY_PATH",
    *("VERTICA_HOST", "VERTICA_PORT", "VERTICA_DATABASE", "VERTICA_USER", "VERTICA_PASSWORD"),
    *("AZURE_STORAGE_CONNECTION_STRING", "AZURE_TABLE_NAME"),
)


def read_environment(environ: Mapping[str, str] = os.environ) -> RunEnvironment:
    """The run's variables, each also from the file that NAME_FILE names; raises ConfigError with all findings."""
    reader = _Reader(environ)
    storage = reader.read("STORAGE_TYPE", StorageType.DUCKDB, _one_of(StorageType))
    report_format = reader.read("REPORT_FORMAT", ReportFormat.JSON, _one_of(ReportFormat))
    found = RunEnvironment(
        log_level=reader.read("LOG_LEVEL", "INFO", _level),
        log_format=reader.read("LOG_FORMAT", LogFormat.TEXT, _one_of(LogFormat)),
        log_to_file=reader.read("LOG_TO_FILE", False, _flag),
        export_report=reader.read("EXPORT_REPORT", True, _flag),
        report_format=report_format,
        report_path=reader.read("REPORT_PATH", Path(f"execution_report.{report_format}"), Path),
        report_html_path=reader.read("REPORT_HTML_PATH", None, Path),
        storage_type=storage,
        duckdb_path=reader.read("DUCKDB_PATH", Path("social_ads.duckdb"), Path),
        history_path=reader.read("HISTORY_PATH", Path("supervisor_history.jsonl"), Path),
        vertica=_vertica(reader) if storage is StorageType.VERTICA else None,
        azure=_azure(reader) if storage is StorageType.AZURE_TABLE else None,
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
    return VerticaAccess(
        host=reader.needed("VERTICA_HOST", why),
        port=reader.read("VERTICA_PORT", 5433, _port),
        database=reader.needed("VERTICA_DATABASE", why),
        user=reader.needed("VERTICA_USER", why),
        password=reader.read("VERTICA_PASSWORD", "", str),
    )


def _azure(reader: _Reader) -> AzureAccess:
    why = "STORAGE_TYPE=azure_table"
    return AzureAccess(
        connection_string=reader.needed("AZURE_STORAGE_CONNECTION_STRING", why),
        table_name=reader.read("AZURE_TABLE_NAME", "socialads", str),
    )


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
