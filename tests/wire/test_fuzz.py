"""Damaged output, many times over: the quick way through the reader and the slow one agree, and no row is invented.

`WIRE_FUZZ=200000` makes the run longer; every document is made from its number alone.
"""

from __future__ import annotations

import json
import os
import random
from typing import Any

import pytest

from wire.failures import WireError
from wire.reader import Event, Reader, Rows, Schema

DOCUMENTS = int(os.environ.get("WIRE_FUZZ", "3000"))
COLUMNS = {"id": ["string"], "n": ["null", "integer"], "x": ["null", "number"], "any": []}
PROPERTIES = {name: {"type": kinds} if kinds else {} for name, kinds in COLUMNS.items()}
PIECES = (
    b"}}",
    b"}",
    b"{",
    b"\n",
    b'"',
    b",",
    b"\\",
    b"\x00",
    b"\xff",
    b"\r",
    b" ",
    b"[",
    b"null",
    b'{"type": "RECORD"',
    b"1e999",
    b"\xe2\x80\xa8",
)


def schema_line(stream: str) -> bytes:
    return json.dumps({"type": "SCHEMA", "stream": stream, "schema": {"properties": PROPERTIES}, "key_properties": ["id"]}).encode()  # fmt: skip


def document(chance: random.Random) -> list[bytes]:
    """The lines of a sound conversation over two streams."""
    lines = [schema_line("a"), schema_line("b")]
    for n in range(chance.randrange(1, 30)):
        stream = "a" if chance.random() < 0.8 else "b"
        record: dict[str, Any] = {"id": str(n), "n": chance.randrange(10 ** chance.randrange(1, 18))}
        if chance.random() < 0.3:
            record["any"] = chance.choice(({"deep": [{}, {"type": "RECORD"}]}, "}}", [[]], "\u2028\n", {"record": {}}))
        line: dict[str, Any] = {"type": "RECORD", "stream": stream, "record": record}
        if chance.random() < 0.1:
            line = {"type": "STATE", "value": {"n": n}}
        lines.append(json.dumps(line, ensure_ascii=chance.random() < 0.5).encode())
    return lines


def damaged(text: bytes, chance: random.Random) -> bytes:
    for _ in range(chance.choice((0, 1, 1, 2, 5))):
        at, length = chance.randrange(len(text)), chance.randrange(1, 40)
        other = chance.randrange(len(text))
        text = chance.choice((
            text[:at] + chance.choice(PIECES) + text[at:],
            text[:at] + text[at + 1 :],
            text[:at] + text[at + length :],
            text[:at] + text[other : other + length] + text[at:],
            text[:at] + bytes([text[at] ^ (1 << chance.randrange(8))]) + text[at + 1 :],
        ))  # fmt: skip
    return text


def read(blocks: list[bytes], *, slowly: bool) -> tuple[list[Event], str | None]:
    """The events, and the error that ended them; `slowly` forgets after each block what lines look like."""
    reader = Reader()
    found: list[Event] = []
    try:
        for block in blocks:
            found += reader.feed(block)
            if slowly:
                reader._last = None
        reader.finish()
    except WireError as error:
        return found, str(error)
    return found, None


def told(events: list[Event]) -> list[object]:
    """What the events say, however the rows were grouped."""
    flat: list[object] = []
    for event in events:
        if isinstance(event, Rows):
            assert event.data.count(b"\n") == event.count
            flat += [(event.stream, json.loads(line)) for line in event.data.split(b"\n")[:-1]]
        elif not isinstance(event, Schema):
            flat.append(event)
    return flat


@pytest.mark.parametrize("part", range(4))
def test_the_quick_way_and_the_slow_way_agree_and_rows_are_what_was_sent(part: int) -> None:
    for number in range(part, DOCUMENTS, 4):
        chance = random.Random(number)
        text = damaged(b"\n".join(document(chance)) + b"\n", chance)
        edges = sorted(chance.randrange(len(text)) for _ in range(chance.randrange(4)))
        blocks = [text[a:b] for a, b in zip([0, *edges], [*edges, len(text)], strict=True)]
        quick, error = read(blocks, slowly=False)
        slow, slow_error = read(
            [line + b"\n" for line in text.split(b"\n")[:-1]] + [text.rpartition(b"\n")[2]], slowly=True
        )
        assert error == slow_error, f"document {number}"
        # An error in a block comes before the rows of the lines before it; what is told must still be the beginning.
        assert told(quick) == told(slow)[: len(told(quick))], f"document {number}"
        assert error or told(quick) == told(slow), f"document {number}"
        sent = [json.loads(line.decode(errors="replace")) for line in text.split(b"\n")[: len(slow)]]
        records = [(line["stream"], line["record"]) for line in sent if line["type"] == "RECORD"]
        assert [each for each in told(slow) if isinstance(each, tuple)] == records, f"document {number}"
