"""The cells of a report's CSV, column by column, some thousand rows at a time.

Every cell of Microsoft's files stands in quotes, and hardly any holds a quote or a line break itself. Where a block of
whole rows has none, taking it apart is three passes of `str` methods; otherwise the rows that have some, or the whole
block, go through the csv module. All give the same cells. docs/performance.md compares this with the csv module alone,
polars and DuckDB.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from typing import IO

Columns = Sequence[Sequence[str]]

_BLOCK = 256 * 1024
_ROW_END = '"\r\n'
_END = _ROW_END.encode()
# Between rows, as a cell of its own: it tells whether every row has as many cells as the header.
_MARK = "\n"


class WidthError(Exception):
    """A row has another number of cells than the header."""

    def __init__(self, cells: int, width: int) -> None:
        super().__init__(f"a row of {cells} cells where {width} belong")


def blocks_of_columns(file: IO[bytes], width: int) -> Iterator[Columns]:
    """The cells of the rows that follow in a UTF-8 file, each block as `width` columns of the same length.

    A footer, lines of one cell after an empty line, is left out. Raises WidthError, and csv.Error for an open quote.
    """
    for block in _whole_rows(file):
        columns = _split(block, width) or _split_by_rows(block, width) or _read(block, width)
        if columns:
            yield columns


def _whole_rows(file: IO[bytes]) -> Iterator[str]:
    """Blocks that end where a row ends: after a line break that an even number of quotes comes before."""
    rest = b""
    while read := file.read(_BLOCK):
        rest += read
        cut = rest.rfind(_END) + len(_END)
        while cut >= len(_END) and rest.count(b'"', 0, cut) % 2:
            cut = rest.rfind(_END, 0, cut - 1) + len(_END)
        if cut >= len(_END):
            yield rest[:cut].decode()
            rest = rest[cut:]
    if rest:
        yield rest.decode()


def _split(block: str, width: int) -> Columns | None:
    """The columns of a block in which all cells are quoted and none holds a quote or is a line break; else None."""
    if not _is_quoted(block):
        return None
    joined = block[1 : -len(_ROW_END)].replace('"\r\n"', f'","{_MARK}","')
    cells = joined.split('","')
    stride = width + 1
    # Each separator has two quotes: any more, and a cell holds one.
    if joined.count('"') != 2 * (len(cells) - 1) or (len(cells) + 1) % stride:
        return None
    marks = cells[width::stride]
    if marks.count(_MARK) != len(marks):
        return None
    return [cells[index::stride] for index in range(width)]


def _split_by_rows(block: str, width: int) -> Columns | None:
    """The same where some rows have cells with quotes: only those take the csv module's time."""
    if not _is_quoted(block):
        return None
    rows = []
    for row in block[1 : -len(_ROW_END)].split('"\r\n"'):
        cells = row.split('","')
        if len(cells) != width or row.count('"') != 2 * (width - 1):
            try:
                (cells,) = csv.reader([f'"{row}"'], strict=True)
            except (csv.Error, ValueError):
                # A line break between quotes was not the end of a row.
                return None
            if len(cells) != width:
                return None
        rows.append(cells)
    return list(zip(*rows, strict=True))


def _is_quoted(block: str) -> bool:
    return block.startswith('"') and block.endswith(_ROW_END)


def _read(block: str, width: int) -> Columns:
    """The columns as the csv module finds them, without a footer."""
    rows, ended = [], False
    for row in csv.reader(io.StringIO(block, newline=""), strict=True):
        if len(row) == width:
            rows.append(row)
        elif not row:
            ended = True
        elif not (ended and len(row) == 1):
            raise WidthError(len(row), width)
    return list(zip(*rows, strict=True)) if rows else []
