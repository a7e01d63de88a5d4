"""The log of a run: the seed's lines on standard error and, if asked for, in a file; secrets never pass."""

from __future__ import annotations

import logging
import logging.handlers
import sys
from collections.abc import Collection
from pathlib import Path

from supervisor.credentials import redact
from supervisor.errors import ConfigError

SUCCESS = 25
LOG_FILE = Path("logs/supervisor.log")
_FORMAT = "%(asctime)s | %(levelname)-8s | %(message)s"
_DAY_AND_TIME = "%Y-%m-%d %H:%M:%S"
_FILE_BYTES = 10 * 1024 * 1024
_FILES_KEPT = 5

log = logging.getLogger("supervisor")


class _Redacting(logging.Formatter):
    def __init__(self, secrets: Collection[str]) -> None:
        super().__init__(_FORMAT, _DAY_AND_TIME)
        self._secrets = frozenset(secrets)

    def format(self, record: logging.LogRecord) -> str:
        return redact(super().format(record), self._secrets)


def start_logging(level: str, secrets: Collection[str], *, to_file: bool) -> None:
    """Set up the supervisor's logger; `secrets` are replaced wherever they appear. Raises ConfigError for the file."""
    logging.addLevelName(SUCCESS, "SUCCESS")
    formatter = _Redacting(secrets)
    for handler in list(log.handlers):
        log.removeHandler(handler)
        handler.close()
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    if to_file:
        handlers.append(_file_handler())
    for handler in handlers:
        handler.setFormatter(formatter)
        log.addHandler(handler)
    log.setLevel(level)
    log.propagate = False


def _file_handler() -> logging.Handler:
    try:
        LOG_FILE.parent.mkdir(parents=True, exist_ok=True)
        return logging.handlers.RotatingFileHandler(
            LOG_FILE, maxBytes=_FILE_BYTES, backupCount=_FILES_KEPT, encoding="utf-8"
        )
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
        log.log(level, "%s | %s", platform, rest.strip() if separator else line)
    else:
        log.info("%s | %s", platform, line)
