"""The log of a run: the seed's lines on standard error and, if asked for, in a file; secrets never pass."""

from __future__ import annotations

import logging
import logging.handlers
import sys
from collections.abc import Collection, Mapping
from pathlib import Path

from supervisor.credentials import redact

SUCCESS = 25
LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
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


def start_logging(environ: Mapping[str, str], secrets: Collection[str]) -> None:
    """Set up the supervisor's logger from LOG_LEVEL and LOG_TO_FILE; `secrets` are replaced wherever they appear."""
    logging.addLevelName(SUCCESS, "SUCCESS")
    formatter = _Redacting(secrets)
    for handler in list(log.handlers):
        log.removeHandler(handler)
        handler.close()
    handlers: list[logging.Handler] = [logging.StreamHandler(sys.stderr)]
    if environ.get("LOG_TO_FILE", "").lower() == "true":
        LOG_FILE.parent.mkdir(parents=True, exist_ok=True)
        handlers.append(
            logging.handlers.RotatingFileHandler(
                LOG_FILE, maxBytes=_FILE_BYTES, backupCount=_FILES_KEPT, encoding="utf-8"
            )
        )
    for handler in handlers:
        handler.setFormatter(formatter)
        log.addHandler(handler)
    log.setLevel(environ.get("LOG_LEVEL", "INFO").upper())
    log.propagate = False


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
