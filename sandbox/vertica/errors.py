"""What the server answers when it refuses: Vertica's error code and SQLSTATE, and how DuckDB's errors become them.

Codes and texts are those of Vertica's published list of error messages, as far as they are known; code 0 is not.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import duckdb

_MARK = "vertica-error"
_MARKED = re.compile(_MARK + r"\|(\d+)\|(\w{5})\|((?:(?!" + _MARK + r").)*)$", re.S)
_TYPE_NAMES = {"INT64": "integer", "DOUBLE": "float", "BOOL": "boolean"}


class ServerError(Exception):
    """One ErrorResponse. `fatal` ones end the connection."""

    def __init__(self, message: str, sqlstate: str, code: int, *, fatal: bool = False, hint: str = "") -> None:
        super().__init__(message)
        self.sqlstate = sqlstate
        self.code = code
        self.fatal = fatal
        self.hint = hint

    def fields(self) -> dict[str, str]:
        """The fields of the message, by their one-letter names."""
        named = {
            "S": "FATAL" if self.fatal else "ERROR",
            "C": self.sqlstate,
            "V": str(self.code),
            "M": str(self),
            "H": self.hint,
            "R": "sandbox",
            "F": "sandbox/vertica",
            "L": "1",
        }
        return {letter: text.replace("\0", "") for letter, text in named.items() if text}


def syntax_error(near: str) -> ServerError:
    return ServerError(f'Syntax error at or near "{near}"', "42601", 4856)


def missing_relation(name: str) -> ServerError:
    return ServerError(f'Relation "{name}" does not exist', "42V01", 4566)


def missing_column(name: str) -> ServerError:
    return ServerError(f'Column "{name}" does not exist', "42703", 2624)


def missing_schema(name: str) -> ServerError:
    return ServerError(f'Schema "{name}" does not exist', "3F000", 4650)


def duplicate_object(name: str) -> ServerError:
    return ServerError(f'Object "{name}" already exists', "42710", 4213)


def canceled() -> ServerError:
    return ServerError("Execution canceled by operator", "57014", 3322)


def raising(code: int, sqlstate: str, text: str) -> str:
    """A DuckDB expression that raises; `text` is an SQL expression for the message."""
    return f"error('{_MARK}|{code}|{sqlstate}|' || {text})"


_RULES: list[tuple[re.Pattern[str], Callable[[re.Match[str]], ServerError]]] = [
    (re.compile(r'because schema "(.+?)" does not exist'), lambda m: missing_schema(m[1])),
    (re.compile(r'Schema with name "?(\w+)"? does not exist'), lambda m: missing_schema(m[1])),
    (re.compile(r'(?:Table|View) with name "?(.+?)"? does not exist'), lambda m: missing_relation(m[1])),
    (re.compile(r'(?:Table|View|Schema) with name "?(.+?)"? already exists'), lambda m: duplicate_object(m[1])),
    (re.compile(r'Referenced table "(.+?)"'), lambda m: missing_relation(m[1])),
    (re.compile(r'Referenced column "(.+?)"'), lambda m: missing_column(m[1])),
    (re.compile(r'does not have a column (?:with name|named) "(.+?)"'), lambda m: missing_column(m[1])),
    (
        re.compile(r"\d+ columns but \d+ values were supplied"),
        lambda _: ServerError("INSERT has more or fewer expressions than target columns", "42601", 0),
    ),
    (
        re.compile(r"Function with name (\w+) does not exist"),
        lambda m: ServerError(f"Function {m[1]}() does not exist, or permission is denied for {m[1]}()", "42883", 3457),
    ),
    (re.compile(r'syntax error at (?:or near "(.*?)"|end of input)'), lambda m: syntax_error(m[1] or ";")),
    (
        re.compile(r"NOT NULL constraint failed: .*?([^.\s]+)$", re.M),
        lambda m: ServerError(
            f"Cannot set a NOT NULL column ({m[1]}) to a NULL value in INSERT/UPDATE statement", "22004", 2501
        ),
    ),
    (re.compile(r"[Dd]ivision by zero"), lambda _: ServerError("Division by zero", "22012", 3117)),
    (
        re.compile(r"Could not convert string '(.*?)' to (\w+)", re.S),
        lambda m: ServerError(f'Invalid input syntax for {_TYPE_NAMES.get(m[2], "numeric")}: "{m[1]}"', "22V02", 3681),
    ),
    (
        re.compile(r'value "?(\S+?)"? can\'t be cast .* out of range for the destination type INT64', re.S),
        lambda m: ServerError(f'Value "{m[1]}" is out of range for type int8', "22003", 5409),
    ),
    (
        re.compile(r"type DECIMAL\((\d+),\s?(\d+)\).*out of range", re.S),
        lambda m: ServerError(f"Value exceeds range of type numeric({m[1]},{m[2]})", "22003", 5411),
    ),
    (
        re.compile(r'(?:date|time|timestamp) field (?:format|value).*?"(.*?)"', re.S),
        lambda m: ServerError(f'Invalid input syntax for timestamp: "{m[1]}"', "22007", 3679),
    ),
]


def from_engine(error: duckdb.Error) -> ServerError:
    """The answer Vertica would give; what nobody foresaw is an internal error with DuckDB's own text."""
    text = str(error)
    marked = _MARKED.search(text)
    if marked:  # a failed CHECK quotes its expression and then, in parentheses, the error
        said = marked[3].removesuffix(")") if "(Error: " + marked[0] in text else marked[3]
        return ServerError(said, marked[2], int(marked[1]))
    if isinstance(error, duckdb.InterruptException):
        return canceled()
    for pattern, answer in _RULES:
        found = pattern.search(text)
        if found:
            return answer(found)
    if isinstance(error, duckdb.ParserException):
        return ServerError(text, "42601", 4856)
    return ServerError(text, "VX001", 0)
