"""What is over its bound ends the attempt with a sentence that names it, soon and without much memory."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

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


STRINGS = st.text(alphabet='{}[]"\\\x00aé1', max_size=4)
STATES = st.recursive(
    st.none() | st.integers() | STRINGS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(STRINGS, inner, max_size=3),
    max_leaves=12,
)


def levels(value: object) -> int:
    if not isinstance(value, dict | list):
        return 0
    return 1 + max(map(levels, value.values() if isinstance(value, dict) else value), default=0)


@given(STATES, st.lists(STRINGS | st.none(), min_size=90, max_size=110))
def test_a_state_is_as_deep_as_it_is_whatever_its_texts_say(state: object, around: list[str | None]) -> None:
    for key in around:
        state = [state] if key is None else {key: state}
    excess = bounds.state_excess(json.dumps(state, ensure_ascii=False).encode())
    assert (excess is not None) == (levels(state) > bounds.DEEPEST_STATE)


@given(st.integers(0, 9_000), st.integers(4_290, 4_310), st.booleans())
def test_a_number_is_as_long_as_it_is_wherever_it_stands(before: int, digits: int, is_text: bool) -> None:
    number = "1" * digits
    state = ('["' + "x" * before + '",' + (f'"{number}"' if is_text else number) + "]").encode()
    assert (bounds.state_excess(state) is not None) == (digits > bounds.MOST_DIGITS and not is_text)
