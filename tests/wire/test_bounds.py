"""What is over its bound ends the attempt with a sentence that names it, soon and without much memory."""

from __future__ import annotations

import json
import time

import pytest

from wire import bounds
from wire.failures import WireError
from wire.reader import Reader


def line(**message: object) -> bytes:
    return json.dumps(message).encode() + b"\n"


def schema(stream: str = "t", columns: int = 1, note: str = "") -> bytes:
    properties = {f"c{n}": {"type": "integer"} for n in range(columns)}
    return line(type="SCHEMA", stream=stream, schema={"properties": properties, "note": note}, key_properties=["c0"])


ERROR = line(type="ERROR", kind="data", message="odd", account_id="1")
DEEP = b"[" * 5000 + b"]" * 5000


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (schema(columns=bounds.MOST_COLUMNS + 1), "more than 5,000 columns"),
        (schema(note="x" * bounds.LONGEST_SCHEMA), "a SCHEMA is longer than 1,048,576 bytes"),
        (line(type="ERROR", kind="data", message="x" * bounds.LONGEST_ERROR), "an ERROR is longer than 65,536 bytes"),
        (ERROR * (bounds.MOST_ERRORS + 1), "more than 10,000 ERROR lines"),
        (b"".join(schema(f"t{n}") for n in range(bounds.MOST_STREAMS + 1)), "more than 2,000 streams"),
        (b"".join(schema(f"t{n}", 4_000) for n in range(26)), "more than 100,000 columns together"),
        (b'{"type":"STATE","value":' + b"[" * 101 + b"]" * 101 + b"}\n", "nested more than 100 levels"),
        (b'{"type":"STATE","value":{"n":' + b"9" * 5000 + b"}}\n", "a number of more than 4,300 digits"),
        (b'{"type":"STATE","value":' + DEEP + b"}\n", "line 1: not a message: JSON of more than 1,000 levels"),
        (b'{"type":"STATE","value":{"n":"\xff"}}\n', "not UTF-8"),
        (
            schema() + b'{"type":"RECORD","stream":"t","record":{"c0":' + DEEP + b"}}\n",
            "line 2, stream 't': .*1,000 levels",
        ),
        (DEEP + b"\n", "line 1"),
    ],
    ids=range(12),
)
def test_what_is_over_its_bound_is_named(text: bytes, says: str) -> None:
    begun = time.process_time()
    with pytest.raises(WireError, match=says):
        list(Reader().feed(text))
    assert time.process_time() - begun < 20


def test_what_is_below_is_taken() -> None:
    deep = b"[" * 100 + b'"' + b"[" * 500 + b"9" * 500 + b'"' + b"]" * 100
    text = schema(columns=1000) + ERROR * 100 + b'{"type":"STATE","value":' + deep + b"}\n"
    assert len(list(Reader().feed(text))) == 102
