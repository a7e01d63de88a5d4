"""How the text of one environment variable is read: the type that it becomes, and the sentence for anything else."""

from __future__ import annotations

import re
import shlex
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any

from supervisor.config.structuring import Parsed
from supervisor.config.units import duration
from supervisor.config.values import Address, PromFile
from wire.shards import Shard, parse_shard

LOG_LEVELS = ("DEBUG", "INFO", "WARNING", "ERROR")
_FLAGS = {"true": True, "1": True, "yes": True, "on": True, "false": False, "0": False, "no": False, "off": False}


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


class Readers(StrEnum):
    """Who may read the files that a run makes."""

    OWNER = "owner"
    GROUP = "group"
    ALL = "all"


class TlsMode(StrEnum):
    """How far a connection is encrypted and the server's certificate checked; vertica-python's own words."""

    DISABLE = "disable"
    PREFER = "prefer"
    REQUIRE = "require"
    VERIFY_CA = "verify-ca"
    VERIFY_FULL = "verify-full"


def _one_of(kind: type[StrEnum]) -> Parsed:
    def parse(text: Any) -> StrEnum:
        try:
            return kind(text.strip().lower())
        except ValueError:
            raise ValueError(f'expected one of {", ".join(kind)}, got "{text}"') from None

    return Parsed(parse, ", ".join(f"`{word}`" for word in kind))


def _level(text: Any) -> str:
    level: str = text.strip().upper()
    if level not in LOG_LEVELS:
        raise ValueError(f'expected one of {", ".join(LOG_LEVELS)}, got "{text}"')
    return level


def _group(text: Any) -> str:
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}", text):
        raise ValueError(f'expected letters, digits, "-" and "_", at most 100, got "{text}"')
    return str(text)


def flag(text: Any) -> bool:
    """True or false as people write it; raises ValueError."""
    word = text.strip().lower()
    if word not in _FLAGS:
        raise ValueError(f'expected true or false, got "{text}"')
    return _FLAGS[word]


def port_number(text: Any) -> int:
    """A port from 1 to 65535; raises ValueError."""
    digits = text.strip()
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 5 and 0 < int(digits) < 65536):
        raise ValueError(f'expected a port between 1 and 65535, got "{text}"')
    return int(digits)


def _any_port(text: Any) -> int:
    return 0 if text.strip() == "0" else port_number(text)


def _seconds(text: Any) -> float:
    seconds = duration(text)
    if not seconds:
        raise ValueError('expected a duration above zero, like 900 (seconds) or "15m"')
    return seconds


def _file(text: Any) -> Path:
    path = Path(text)
    if not path.is_file():
        raise ValueError(f"there is no file {path}")
    return path


def _nodes(text: Any) -> tuple[tuple[str, int | None], ...]:
    """`host1, host2:5434`; None where no port is given."""
    nodes = []
    for node in filter(None, map(str.strip, text.split(","))):
        host, colon, digits = node.partition(":")
        nodes.append((host, port_number(digits) if colon else None))
    return tuple(nodes)


def _names(text: Any) -> tuple[str, ...]:
    names = tuple(filter(None, map(str.strip, text.split(","))))
    odd = [name for name in names if not name.isidentifier()]
    if odd:
        raise ValueError(f'expected names of variables, separated by commas, got "{odd[0]}"')
    return names


def _command(text: Any) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(text))
    except ValueError as cause:
        raise ValueError(f"it cannot be split into words as a shell would: {cause}") from cause


def _currency(text: str) -> str:
    if not (text.isascii() and text.isalpha() and text.isupper() and len(text) == 3):
        raise ValueError(f"expected a currency like EUR, got {text!r}")
    return text


Flag = Annotated[bool, Parsed(flag, "true or false")]
Level = Annotated[str, Parsed(_level, ", ".join(f"`{level}`" for level in LOG_LEVELS))]
Storage = Annotated[StorageType, _one_of(StorageType)]
Format = Annotated[ReportFormat, _one_of(ReportFormat)]
LineFormat = Annotated[LogFormat, _one_of(LogFormat)]
ReadableBy = Annotated[Readers, _one_of(Readers)]
Tls = Annotated[TlsMode, _one_of(TlsMode)]
OfShards = Annotated[Shard, Parsed(lambda text: parse_shard(str(text)), "`I/N`, `auto`")]
GroupName = Annotated[str, Parsed(_group, "name")]
FilePath = Annotated[Path, Parsed(lambda text: Path(str(text)), "path")]
ExistingFile = Annotated[Path, Parsed(_file, "path")]
HostName = Annotated[str, Parsed(str, "name or address")]
Currency = Annotated[str, Parsed(_currency, "currency")]
PlainName = Annotated[str, Parsed(str, "name")]
ServerPort = Annotated[int, Parsed(port_number, "port")]
ServedPort = Annotated[int, Parsed(_any_port, "port")]
Wait = Annotated[float, Parsed(duration, "duration")]
Patience = Annotated[float, Parsed(_seconds, "duration")]
Nodes = Annotated[tuple[tuple[str, int | None], ...], Parsed(_nodes, "names")]
Names = Annotated[tuple[str, ...], Parsed(_names, "names")]
Words = Annotated[tuple[str, ...], Parsed(_command, "words")]
PromPath = Annotated[Path, Parsed(PromFile.__metadata__[0].parse, "path")]
Url = Annotated[str, Parsed(Address.__metadata__[0].parse, "URL")]
