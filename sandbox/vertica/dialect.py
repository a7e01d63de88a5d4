"""What DuckDB would do and Vertica would not: refused, so that a client cannot come to rely on it."""

from __future__ import annotations

import re

from sandbox.vertica import sql
from sandbox.vertica.errors import syntax_error

_FOREIGN = [
    (re.compile(pattern, re.I), near)
    for pattern, near in (
        (rf"^DELETE\s+FROM\s+{sql.NAME}(?:\s+(?:AS\s+)?(?!USING\b)\w+)?\s+USING\b", "USING"),
        (r"\bON\s+CONFLICT\b", "CONFLICT"),
        (r"\bRETURNING\b", "RETURNING"),
        (r"\bQUALIFY\b", "QUALIFY"),
        (r"\bDISTINCT\s+ON\s*\(", "ON"),
        (r"\bTRY_CAST\s*\(", "AS"),
        (r"\*\s*(?:EXCLUDE|REPLACE)\b", "EXCLUDE"),
        (r"\bFILTER\s*\(", "FILTER"),
        (r"\bUNION\s+(?:ALL\s+)?BY\s+NAME\b", "NAME"),
        (r"\b(?:GROUP|ORDER)\s+BY\s+ALL\b", "ALL"),
        (r"\bread_\w+\s*\(", "("),
        (r"^MERGE\b.*\bTHEN\s+(?:DELETE|DO)\b", "DELETE"),
    )
]
_VALUES = re.compile(rf"^INSERT\s+INTO\s+{sql.NAME}\s*(?:\([^)]*\))?\s*VALUES\s*(?=\()", re.I)


def check(statement: str) -> None:
    """Raises ServerError, a syntax error."""
    skeleton = sql.skeleton(statement)
    for pattern, near in _FOREIGN:
        if pattern.search(skeleton):
            raise syntax_error(near)
    values = _VALUES.match(skeleton)
    if values and sql.parenthesised(skeleton[values.end() :])[1].lstrip().startswith(","):
        raise syntax_error(",")  # Vertica inserts one complete row at a time
