"""Vertica's SQL as text: cut into statements, names found in it, and the few spellings that DuckDB lacks replaced.

This is no parser. It knows strings, quoted names and comments, so that it never looks inside them, and otherwise works
on words. What a statement means is left to DuckDB.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator, Mapping, Sequence

from sandbox.vertica import types
from sandbox.vertica.errors import ServerError

NAME = r'(?:"(?:[^"]|"")+"|[^\W\d]\w*)(?:\s*\.\s*(?:"(?:[^"]|"")+"|\w+)){0,2}'

_PIECES = re.compile(
    r"""(?P<string>(?<!\w)[eE]'(?:[^'\\]|\\.|'')*'|'(?:[^']|'')*')
      | (?P<name>"(?:[^"]|"")*")
      | (?P<comment>--[^\n]*|/\*.*?\*/)
      | (?P<end>;)
      | (?P<code>\w+|[^\w'"/;-]+|.)""",
    re.S | re.X,
)
_PART = re.compile(r'"((?:[^"]|"")+)"|(\w+)')
_CAST = re.compile(r"(::\s*|\bAS\s+)(?=[A-Za-z])", re.I)
_SPELLINGS = [
    (re.compile(r"\bSYSDATE\b(\s*\(\s*\))?|\bGETDATE\s*\(\s*\)", re.I), "CAST(now() AS TIMESTAMP)"),
    (re.compile(r"\bOCTET_LENGTH\s*\(", re.I), "strlen("),
    (re.compile(r"<=>"), " IS NOT DISTINCT FROM "),
    (re.compile(r"\b(LOCALTIMESTAMP)\b", re.I), "CAST(now() AS TIMESTAMP)"),
]
_TARGETS = {
    "INSERT": (re.compile(rf"INSERT\s+INTO\s+({NAME})", re.I), "I"),
    "DELETE": (re.compile(rf"DELETE\s+FROM\s+({NAME})", re.I), "X"),
    "UPDATE": (re.compile(rf"UPDATE\s+({NAME})", re.I), "X"),
    "MERGE": (re.compile(rf"MERGE\s+INTO\s+({NAME})", re.I), "X"),
}
_FROM = re.compile(rf"\bFROM\s+({NAME})", re.I)
_ORDERED = re.compile(r"\bORDER\s+BY\s+((?:[^()']|\([^()]*\))+?)(\s+(?:LIMIT|OFFSET)\b.*)?$", re.I | re.S)
_ORDER_ITEM = re.compile(r'("?)(\w+)\1(?:\s+(ASC|DESC))?', re.I)
_NULLS_LAST = (types.VARCHAR, types.CHAR, types.LONG_VARCHAR, types.FLOAT, types.BOOLEAN, *types.BYTES)


def statements(sql: str) -> list[str]:
    """Cut at semicolons; comments and hints are dropped, empty statements too."""
    found: list[str] = []
    current: list[str] = []
    for piece in _PIECES.finditer(sql):
        if piece.lastgroup == "end":
            found.append("".join(current).strip())
            current = []
        else:
            current.append(" " if piece.lastgroup == "comment" else piece.group())
    found.append("".join(current).strip())
    return [statement for statement in found if statement]


def head(statement: str) -> str:
    """The first word, in capitals."""
    found = re.match(r"\(?\s*(\w+)", statement)
    return found[1].upper() if found else ""


def key(name: str, default_schema: str = "public") -> str:
    """`"Ads"."t"` -> `ads.t`: names are compared without case; the part for the database is dropped."""
    parts = [(quoted or plain).replace('""', '"') for quoted, plain in _PART.findall(name)]
    schema, table = (default_schema, parts[0]) if len(parts) == 1 else parts[-2:]
    return f"{schema}.{table}".lower()


def target(statement: str) -> tuple[str, str] | None:
    """What a statement that changes rows changes, and the lock that this takes."""
    pattern, mode = _TARGETS[head(statement)]
    found = pattern.match(statement)
    return (found[1], mode) if found else None


def first_table(statement: str) -> str | None:
    found = _FROM.search(outline(statement))
    return found[1] if found else None


def outline(statement: str) -> str:
    """The statement with its strings emptied."""
    pieces = _PIECES.finditer(statement)
    return "".join("''" if piece.lastgroup == "string" else piece.group() for piece in pieces)


def skeleton(statement: str) -> str:
    """The outline with every quoted name called "x"."""
    return re.sub(r'"(?:[^"]|"")*"', '"x"', outline(statement))


def mentions(statement: str, names: Sequence[str]) -> bool:
    words = {(quoted or plain).lower() for quoted, plain in _PART.findall(outline(statement))}
    return not words.isdisjoint(names)


def translated(statement: str) -> str:
    """What DuckDB must be told instead: types in casts, and functions of another name."""
    return _code_replaced(statement, _translated_code)


def numbered(statement: str) -> tuple[str, int]:
    """`?` becomes `$1`, `$2` …; with their count."""
    numbers = itertools.count(1)
    sql = _code_replaced(statement, lambda code: re.sub(r"\?", lambda _: f"${next(numbers)}", code))
    return sql, next(numbers) - 1


def with_nulls_placed(statement: str, columns: Mapping[str, types.Type]) -> str:
    """NULL sorts as the largest text, float or boolean and as the smallest of everything else; DuckDB is told so.

    Only plain columns of a last ORDER BY are handled; `columns` has their names in lower case.
    """
    found = _ORDERED.search(statement)
    if not found:
        return statement
    items = [_with_null_placed(item.strip(), columns) for item in found[1].split(",")]
    return f"{statement[: found.start(1)]}{', '.join(items)}{found[2] or ''}"


def _with_null_placed(item: str, columns: Mapping[str, types.Type]) -> str:
    plain = _ORDER_ITEM.fullmatch(item)
    kind = columns.get(plain[2].lower()) if plain else None
    if plain is None or kind is None:
        return item
    descending = (plain[3] or "").upper() == "DESC"
    return f"{item} NULLS {'LAST' if (kind.oid in _NULLS_LAST) != descending else 'FIRST'}"


def parenthesised(text: str) -> tuple[str, str]:
    """For a text that starts with `(`: what is inside, and what follows. Raises ServerError if it never closes."""
    depth = 0
    for piece in _PIECES.finditer(text):
        if piece.lastgroup != "code":
            continue
        for at, character in enumerate(piece.group(), piece.start()):
            depth += {"(": 1, ")": -1}.get(character, 0)
            if depth == 0 and character == ")":
                return text[1:at], text[at + 1 :]
    raise ServerError('Syntax error at or near ";"', "42601", 4856)


def comma_separated(text: str) -> list[str]:
    """Cut at the commas that are in no string, name or parenthesis."""
    parts, current, depth = [], "", 0
    for piece in _PIECES.finditer(text):
        if piece.lastgroup != "code":
            current += piece.group()
            continue
        for character in piece.group():
            depth += {"(": 1, ")": -1}.get(character, 0)
            if character == "," and not depth:
                parts.append(current.strip())
                current = ""
            else:
                current += character
    return [*parts, current.strip()]


def plain_name(name: str) -> str:
    return name[1:-1].replace('""', '"') if name.startswith('"') else name


def _code_replaced(statement: str, change: Callable[[str], str]) -> str:
    return "".join(change(text) if is_code else text for is_code, text in _runs(statement))


def _runs(statement: str) -> Iterator[tuple[bool, str]]:
    """Stretches of code, and the strings and quoted names between them."""
    for is_code, pieces in itertools.groupby(
        _PIECES.finditer(statement), lambda p: p.lastgroup not in ("string", "name")
    ):
        yield is_code, "".join(piece.group() for piece in pieces)


def _translated_code(code: str) -> str:
    done, at = "", 0
    while found := _CAST.search(code, at):
        done += code[at : found.end()]
        at = found.end()
        try:
            kind, rest = types.read_type(code[at:])
        except ServerError:
            continue
        if found[1].startswith("::") or rest.lstrip().startswith(")"):
            done += kind.stored
            at = len(code) - len(rest)
    done += code[at:]
    for pattern, replacement in _SPELLINGS:
        done = pattern.sub(replacement, done)
    return done
