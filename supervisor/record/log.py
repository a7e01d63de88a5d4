"""The log of a run: the seed's lines, or one JSON object a line, on standard error and, if asked for, in a file.

Secrets never pass.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import logging.handlers
import sys
from collections.abc import Collection, Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

from supervisor.config.errors import ConfigError
from supervisor.config.redaction import harmless, harmless_json, redact
from supervisor.record.journal import journal_reads, prioritized
from supervisor.record.trace import trace_id

SUCCESS = 25
LOG_FILE = Path("logs/supervisor.log")
_FORMAT = "%(asctime)s | %(levelname)-8s | %(message)s"
_WITHOUT_TIME = "%(levelname)-8s | %(message)s"
_DAY_AND_TIME = "%Y-%m-%d %H:%M:%S"
_FILE_BYTES = 10 * 1024 * 1024
_FILES_KEPT = 5

log = logging.getLogger("supervisor")


class _Redacting(logging.Formatter):
    def __init__(self, secrets: Collection[str]) -> None:
        super().__init__(_FORMAT, _DAY_AND_TIME)
        self._secrets = frozenset(secrets)

    def format(self, record: logging.LogRecord) -> str:
        # A new line in a message is indented, so that nothing which is quoted passes for a line of its own.
        return harmless(redact(super().format(record), self._secrets)).replace("\n", "\n  ")


class _ForTheJournal(_Redacting):
    """A priority in front instead of the time, which the journal has itself."""

    def __init__(self, secrets: Collection[str]) -> None:
        super().__init__(secrets)
        self._style = logging.PercentStyle(_WITHOUT_TIME)

    def format(self, record: logging.LogRecord) -> str:
        return prioritized(super().format(record), record.levelno)


class _JsonLines(logging.Formatter):
    """One object a line, for a log collector; `run_id` is null until a run has one."""

    def __init__(self, secrets: Collection[str]) -> None:
        super().__init__()
        self._secrets = frozenset(secrets)
        self.run_id: str | None = None

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {
            "time": dt.datetime.fromtimestamp(record.created, dt.UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "run_id": self.run_id,
            "trace_id": trace_id(self.run_id) if self.run_id else None,
        }
        platform = getattr(record, "platform", None)
        if platform is not None:
            line["platform"] = platform
        # Redacted before JSON escapes it, or a secret with a quote in it would pass.
        line["message"] = redact(getattr(record, "text", None) or record.getMessage(), self._secrets)
        line |= getattr(record, "fields", {})
        if record.exc_info:
            line["exception"] = redact(self.formatException(record.exc_info), self._secrets)
        return harmless_json(json.dumps(line, ensure_ascii=False, default=str))


class _LogFile(logging.handlers.RotatingFileHandler):
    """A log file that fills the disk is given up with one warning; the run and the other log go on."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: ARG002, N802 - the name and signature of logging's hook
        cause = sys.exc_info()[1]
        log.removeHandler(self)
        log.warning("LOG_TO_FILE: %s is no longer written: %s", LOG_FILE, cause)


def start_logging(level: str, secrets: Collection[str], *, to_file: bool, as_json: bool = False) -> None:
    """Set up the supervisor's logger; `secrets` are replaced wherever they appear. Raises ConfigError for the file."""
    logging.addLevelName(SUCCESS, "SUCCESS")
    for handler in list(log.handlers):
        log.removeHandler(handler)
        handler.close()
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    if to_file:
        handlers.append(_file_handler())
    for handler in handlers:
        handler.setFormatter(_JsonLines(secrets) if as_json else _Redacting(secrets))
        log.addHandler(handler)
    if not as_json and journal_reads(2):
        handlers[0].setFormatter(_ForTheJournal(secrets))
    log.setLevel(level)
    log.propagate = False


def log_in_file(level: int, lines: Iterable[str], *, wanted: bool = False) -> None:
    """Lines for the log file alone, because standard error is told them in another way.

    `wanted` opens the file where there is no log yet. A file that cannot be written costs nothing else.
    """
    files = [handler for handler in log.handlers if isinstance(handler, _LogFile) and log.isEnabledFor(level)]
    if wanted and not log.handlers:
        with suppress(ConfigError):
            files = [_file_handler()]
            files[0].setFormatter(_Redacting(()))
    for handler in files:
        for line in lines:
            handler.handle(logging.LogRecord(log.name, level, "", 0, "%s", (line,), None))


def name_run(run_id: str) -> None:
    """From now on JSON lines carry this run's id."""
    for handler in log.handlers:
        if isinstance(handler.formatter, _JsonLines):
            handler.formatter.run_id = run_id


def json_line(level: str, message: str) -> str:
    """A line of a JSON log for what is said before there is a log."""
    return _JsonLines(()).format(logging.LogRecord("supervisor", getattr(logging, level), "", 0, message, None, None))


def _file_handler() -> _LogFile:
    try:
        LOG_FILE.parent.mkdir(parents=True, exist_ok=True)
        return _LogFile(LOG_FILE, maxBytes=_FILE_BYTES, backupCount=_FILES_KEPT, encoding="utf-8")
    except OSError as cause:
        raise ConfigError(f"LOG_TO_FILE: {LOG_FILE} cannot be written: {cause.strerror}") from cause


def success(message: str, *values: object) -> None:
    """Log a line at the level SUCCESS, which is between INFO and WARNING."""
    log.log(SUCCESS, message, *values)


def pipeline_line(platform: str, line: str) -> None:
    """Log a line that a pipeline wrote to its standard error, at the level that it names, under the platform's name."""
    word, separator, rest = line.partition("|")
    level = logging.getLevelName(word.strip()) if separator else logging.INFO
    if isinstance(level, int):
        text = rest.strip() if separator else line
    else:
        level, text = logging.INFO, line
    log.log(level, "%s | %s", platform, text, extra={"platform": platform, "text": text})
