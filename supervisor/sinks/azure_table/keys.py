"""Keys and names as the service takes them: escaped where it would refuse a character, so that no two become one.

Which columns make them is decided in `partitions`.

Limits: https://learn.microsoft.com/rest/api/storageservices/understanding-the-table-service-data-model
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from supervisor.config.errors import SinkError

SEPARATOR = "|"
LONGEST_KEY = 512
"""UTF-16 units of a PartitionKey or a RowKey. The documents say 1 KiB, which some read as 1,024 characters; Microsoft's
emulator takes 512."""
LONGEST_NAME = 255
LONGEST_TABLE = 63
# The service refuses / \ # ? and control characters; % ' and + go wrong in some clients; ! and | are our own.
_ODD_IN_KEY = re.compile(r"[\x00-\x1f\x7f-\x9f/\\#?%'\"+!|]")
_ESCAPED_IN_KEY = re.compile(r"!([0-9A-F]{2})")
# As .NET's XmlConvert writes a name; an underscore that could be read as the start of an escape is one itself.
_ODD_IN_NAME = re.compile(r"[^A-Za-z0-9_]|^[0-9]|_(?=x[0-9A-F]{4,6}_)|^(?:PartitionKey|RowKey|Timestamp)$")
_ESCAPED_IN_NAME = re.compile(r"_x([0-9A-F]{4,6})_")


def escape(part: str) -> str:
    """A part of a key: an odd character becomes `!` and two hexadecimal digits, which no marker of ours begins with."""
    return _ODD_IN_KEY.sub(lambda found: f"!{ord(found[0]):02X}", part)


def unescape(part: str) -> str:
    return _ESCAPED_IN_KEY.sub(lambda found: chr(int(found[1], 16)), part)


def joined(parts: Iterable[str]) -> str:
    """A key of several parts, in their order."""
    return SEPARATOR.join(map(escape, parts))


def split(key: str) -> tuple[str, ...]:
    """The parts that `joined` was given."""
    return tuple(map(unescape, key.split(SEPARATOR)))


def units(text: str) -> int:
    """The length of a text as the service counts it, in UTF-16 units."""
    return len(text) if text.isascii() else len(text.encode("utf-16-le", "surrogatepass")) // 2


def property_name(column: str, *, table: str) -> str:
    """The property that holds a column; raises SinkError where the service has none for it.

    What is no letter, digit or underscore of ASCII is written as `_x002D_`; so are the names that the service owns.
    """
    name = _ODD_IN_NAME.sub(lambda found: _escaped(found[0]), column)
    if not 0 < len(name) <= LONGEST_NAME:
        raise SinkError(
            f"{table}: the column {column[:80]!r} would be a property of {len(name)} characters, "
            f"and Azure Table Storage takes 1 to {LONGEST_NAME}"
        )
    return name


def column_name(name: str) -> str:
    """The column that a property holds."""
    return _ESCAPED_IN_NAME.sub(lambda found: chr(int(found[1], 16)), name)


def table_name(prefix: str, *parts: str) -> str:
    """The table of a platform's stream, or of ours; raises SinkError where the service cannot have it."""
    name = (prefix + "".join(re.sub(r"[^A-Za-z0-9]", "", part) for part in parts)).lower()
    if len(name) > LONGEST_TABLE:
        raise SinkError(
            f"{'.'.join(parts)} would be the Azure table {name}, of {len(name)} characters, and the service takes "
            f"{LONGEST_TABLE}; a shorter AZURE_TABLE_NAME may do"
        )
    return name


def check_prefix(prefix: str) -> str | None:
    """What is wrong with AZURE_TABLE_NAME, or None."""
    if re.fullmatch(r"[A-Za-z][A-Za-z0-9]{0,39}", prefix):
        return None
    return (
        f'AZURE_TABLE_NAME: expected a letter, then letters and digits, 40 at most, got "{prefix}"; '
        "the names of all tables begin with it"
    )


def _escaped(odd: str) -> str:
    return f"_x{ord(odd[0]):04X}_" + odd[1:]
