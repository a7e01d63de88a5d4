"""How one value of orchestrator_config.yml is read: the type that it becomes, and the sentence for anything else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit

from supervisor.config.credentials import SINK_VARIABLES
from supervisor.config.structuring import Parsed
from supervisor.config.units import duration, shown, size

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}", re.ASCII)
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_RESERVED = frozenset({"ads", "main", "temp", "system", "information_schema", "pg_catalog"})


def _name(value: object) -> str:
    if isinstance(value, bool):
        raise ValueError(
            f"expected a name, got {shown(value)}; YAML reads an unquoted on, off, yes or no so: put it in quotes"
        )
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise ValueError(
            f"expected a name of at most 40 letters, digits, _ or - that begins with a letter, got {shown(value)}"
        )
    if value.lower() in _RESERVED:
        raise ValueError(f"{shown(value)} is the name of a schema that the database needs for itself")
    return value


def _variable(value: object) -> str:
    if not isinstance(value, str) or not _VARIABLE.fullmatch(value):
        raise ValueError(f'expected the name of an environment variable like "MY_TOKEN", got {shown(value)}')
    if value in SINK_VARIABLES:
        raise ValueError(f"{value} belongs to the sink, and no pipeline may see it")
    return value


def _above_zero(value: object) -> float:
    seconds = duration(value)
    if not seconds:
        raise ValueError('expected a duration above zero, like 1800 (seconds) or "30m"')
    return seconds


def _count(value: object) -> int:
    if type(value) is not int or value < 1:
        raise ValueError(f"expected a whole number of at least 1, got {shown(value)}")
    return value


def _multiplier(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 1 <= value < float("inf"):
        raise ValueError(f"expected a number of at least 1, got {shown(value)}")
    return float(value)


def _command(value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        raise ValueError(f'expected a list like ["python3", "tap.py"], got {shown(value)}; no shell will split it')
    if not isinstance(value, list | tuple) or not value or not all(isinstance(word, str) for word in value):
        raise ValueError(f'expected a list of texts like ["python3", "tap.py"], got {shown(value)}')
    if not value[0] or any("\0" in word for word in value):
        raise ValueError("a command needs a program, and no word of it can hold a zero byte")
    return tuple(value)


def _port(value: object) -> int:
    if type(value) is not int or not 0 <= value <= 65535:
        raise ValueError(f"expected a port, a whole number from 0 (any free one) to 65535, got {shown(value)}")
    return value


def _prom_file(value: object) -> Path:
    if not isinstance(value, str) or not value.endswith(".prom") or "\0" in value:
        raise ValueError(f'expected a path that ends in ".prom", as node_exporter wants it, got {shown(value)}')
    return Path(value)


def _address(value: object) -> str:
    try:
        parts = urlsplit(value) if isinstance(value, str) else None
        good = parts and parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:
        good = False
    if parts and "@" in parts.netloc:
        raise ValueError('expected an address like "http://pushgateway:9091", without a user and a password')
    if not parts or not good or parts.query or parts.fragment:
        raise ValueError(f'expected an address like "http://pushgateway:9091", got {shown(value)}')
    return str(value).rstrip("/")


def _text(value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise ValueError(f"expected a text that is not empty, got {shown(value)}")
    return value


class Reconciling(StrEnum):
    """What is done where account totals and campaigns do not add up."""

    WARN = "warn"
    FAIL = "fail"
    OFF = "off"


def _reconciling(value: object) -> Reconciling:
    try:
        # YAML reads an unquoted off as false.
        return Reconciling.OFF if value is False else Reconciling(value)  # type: ignore[arg-type]  # any other type is refused alike
    except ValueError:
        raise ValueError(f"expected warn, fail or off, got {shown(value)}") from None


def _settings(value: object) -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise ValueError(f"expected a mapping of keys to values, got {shown(value)}")
    try:
        json.dumps(value, allow_nan=False)
        odd = next(_keys_that_are_no_text(value), None)
    except (TypeError, ValueError, RecursionError) as cause:
        raise ValueError(f"cannot be written as JSON, which is how a pipeline gets them: {cause}") from cause
    if odd is not None:
        raise ValueError(f"the key {shown(odd)} is no text; put it in quotes")
    return value


def _reports(value: object) -> tuple[Mapping[str, Any], ...]:
    """What is in them only the pipeline knows, which is asked by `--check`."""
    if value is None:
        return ()
    if not isinstance(value, list | tuple) or not all(isinstance(each, dict) for each in value):
        raise ValueError(f"expected a list of reports, each a mapping like {{name: …, of: …}}, got {shown(value)}")
    return tuple(_settings(each) for each in value)


def _keys_that_are_no_text(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        yield from (key for key in value if not isinstance(key, str))
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for item in inner:
        yield from _keys_that_are_no_text(item)


Name = Annotated[str, Parsed(_name)]
Reconcile = Annotated[Reconciling, Parsed(_reconciling)]
Variable = Annotated[str, Parsed(_variable)]
Command = Annotated[tuple[str, ...], Parsed(_command)]
Settings = Annotated[Mapping[str, Any], Parsed(_settings)]
Reports = Annotated[tuple[Mapping[str, Any], ...], Parsed(_reports)]
Size = Annotated[int, Parsed(size)]
Seconds = Annotated[float, Parsed(duration)]
SomeSeconds = Annotated[float, Parsed(_above_zero)]
Count = Annotated[int, Parsed(_count)]
Multiplier = Annotated[float, Parsed(_multiplier)]
Port = Annotated[int, Parsed(_port)]
PromFile = Annotated[Path, Parsed(_prom_file)]
Address = Annotated[str, Parsed(_address)]
Text = Annotated[str, Parsed(_text)]
