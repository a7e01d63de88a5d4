"""What arrives is what was sent, however it is cut; what breaks the protocol is named."""

from __future__ import annotations

import datetime as dt
import itertools
import json
from collections.abc import Iterable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wire.exits import Kind
from wire.failures import WireError
from wire.reader import Event, Failure, Notice, Reader, Rows, Schema, State
from wire.schema import Column, Table, Type

TABLE = Table(
    "daily",
    (
        Column("account_id", Type.STRING),
        Column("date", Type.DATE),
        Column("clicks", Type.INTEGER),
        Column("rate", Type.NUMBER),
        Column("cost", Type.DECIMAL),
        Column("final", Type.BOOLEAN),
        Column("seen_at", Type.DATETIME),
        Column("extra", Type.JSON),
    ),
    ("account_id", "date"),
    "date",
)
KEY = {"account_id": "1", "date": "2026-01-31"}


def schema_line(table: Table = TABLE) -> bytes:
    line = {"type": "SCHEMA", "stream": table.name, "schema": table.json_schema(), "key_properties": list(table.key)}
    return json.dumps(line | {"bookmark_properties": ["date"]}).encode() + b"\n"


def record_line(record: dict[str, Any], **other: Any) -> bytes:
    return json.dumps({"type": "RECORD", "stream": "daily", "record": record} | other).encode() + b"\n"


def events(*blocks: bytes, line_limit: int = 1 << 20) -> list[Event]:
    reader = Reader(line_limit=line_limit)
    out = [event for block in blocks for event in reader.feed(block)]
    reader.finish()
    return out


def rows(found: Iterable[Event]) -> list[dict[str, Any]]:
    return [json.loads(line) for event in found if isinstance(event, Rows) for line in event.data.splitlines()]


RECORDS = st.lists(
    st.fixed_dictionaries(
        {"account_id": st.text(), "date": st.dates().map(dt.date.isoformat)},
        optional={
            "clicks": st.none() | st.integers(-(2**63), 2**63 - 1),
            "rate": st.none() | st.floats(allow_nan=False, allow_infinity=False),
            "cost": st.none() | st.decimals(-1000, 1000, places=6).map(str),
            "final": st.none() | st.booleans(),
            "extra": st.recursive(
                st.none() | st.text() | st.integers(), lambda x: st.dictionaries(st.text(), x), max_leaves=4
            ),
        },
    ),
    max_size=12,
)


@given(records=RECORDS, cuts=st.lists(st.integers(0, 4000)), compact=st.booleans(), trailer=st.booleans())
def test_any_chunking_gives_the_rows_that_were_sent(
    records: list[dict[str, Any]], cuts: list[int], compact: bool, trailer: bool
) -> None:
    separators = (",", ":") if compact else (", ", ": ")
    text = schema_line()
    for n, record in enumerate(records):
        line: dict[str, Any] = {"type": "RECORD", "stream": "daily", "record": record}
        if trailer and n % 3 == 0:
            line["time_extracted"] = "2026-01-31T00:00:00Z"
        text += (
            json.dumps(line, separators=separators, ensure_ascii=bool(n % 2)).encode("utf-8", "surrogatepass") + b"\n"
        )
        if n % 5 == 4:
            text += b'{"type":"STATE","value":{"n":1}}\n'
    edges = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    found = events(*(text[a:b] for a, b in itertools.pairwise(edges)))
    assert rows(found) == records
    assert sum(event.count for event in found if isinstance(event, Rows)) == len(records)


@pytest.mark.parametrize(
    ("column", "value", "says"),
    [
        ("clicks", "1.7", "column 'clicks': expected `int | null`, got `float`"),
        ("clicks", '"3"', "column 'clicks': expected `int | null`, got `str`"),
        ("clicks", "9223372036854775808", "column 'clicks'"),
        ("rate", '"0.5"', "column 'rate'"),
        ("rate", "NaN", "not a message"),
        ("cost", "12.5", "column 'cost'"),
        ("cost", '"1E-18"', "column 'cost'"),
        ("cost", '"0.1234567890123456789"', "column 'cost'"),
        ("cost", '""', "column 'cost'"),
        ("cost", '"1\\n2"', "column 'cost'"),
        ("final", "1", "column 'final'"),
        ("date", '"2026-02-30"', "column 'date'"),
        ("date", "null", "column 'date'"),
        ("seen_at", '"yesterday"', "column 'seen_at'"),
        ("surprise", "1", "surprise"),
    ],
)
@pytest.mark.parametrize("before", [0, 3])
def test_a_value_that_does_not_fit_its_column_is_named(column: str, value: str, says: str, before: int) -> None:
    fields = {name: json.dumps(each) for name, each in KEY.items()} | {column: value}
    body = ",".join(f'"{name}":{each}' for name, each in fields.items())
    bad = f'{{"type": "RECORD", "stream": "daily", "record": {{{body}}}}}\n'.encode()
    with pytest.raises(WireError) as caught:
        events(schema_line() + record_line(KEY) * before + bad + record_line(KEY))
    assert says in str(caught.value)
    assert caught.value.line == before + 2
    assert caught.value.stream == "daily"


def test_a_record_that_spans_lines_is_refused_though_its_brace_could_end_another() -> None:
    whole = record_line(KEY)
    with pytest.raises(WireError) as caught:
        events(schema_line() + whole + whole[:-2] + b"\n}\n" + whole)
    assert caught.value.line == 3


@pytest.mark.parametrize("before", [0, 3])
def test_bytes_that_are_no_text_inside_a_json_column(before: int) -> None:
    bad = record_line(KEY | {"extra": {"name": "Caf#"}}).replace(b"#", b"\xe9")
    with pytest.raises(WireError, match=f"line {before + 2}, stream 'daily': the record is not UTF-8"):
        events(schema_line() + record_line(KEY) * before + bad + record_line(KEY))


@pytest.mark.parametrize("name", ['a"b', "a\\b", "a\nb"])
def test_a_column_that_cannot_be_named_so(name: str) -> None:
    schema = {"type": "SCHEMA", "stream": "daily", "schema": {"properties": {name: {}}}, "key_properties": []}
    with pytest.raises(WireError, match="line 1, stream 'daily': .* cannot be the name of a column"):
        events(json.dumps(schema).encode() + b"\n")


def test_a_missing_key_is_named() -> None:
    with pytest.raises(WireError, match="stream 'daily'.*date"):
        events(schema_line() + record_line({"account_id": "1"}))


def test_an_integral_float_is_no_integer_unless_it_is_one() -> None:
    with pytest.raises(WireError):
        events(schema_line() + record_line(KEY | {"clicks": 1.5}))


def test_a_record_before_its_schema() -> None:
    with pytest.raises(WireError, match="line 1, stream 'daily': a record before the SCHEMA"):
        events(record_line(KEY))


def test_a_partial_last_line_is_an_error_even_when_it_is_valid_json() -> None:
    with pytest.raises(WireError, match="line 3, stream 'daily': the output ends in the middle of a line"):
        events(schema_line() + record_line(KEY) + record_line(KEY)[:-1])


def test_a_line_over_the_limit_is_refused_before_it_is_whole() -> None:
    half = record_line(KEY | {"extra": "b" * 9000})[:5000]
    with pytest.raises(WireError, match="stream 'daily': a line of at least 5,000 bytes is over the limit of 4,000"):
        events(schema_line(), half, line_limit=4000)


@pytest.mark.parametrize(
    "line", [b"", b"hello", b"[1]", b'{"stream":"daily"}', b"\xff\xfe", b'{"type":"BATCH"}', b"null"]
)
def test_a_line_that_is_no_message(line: bytes) -> None:
    with pytest.raises(WireError, match="line 1"):
        events(line + b"\n")


def test_states_and_errors_and_notices() -> None:
    found = events(
        schema_line()
        + b'{"type":"STATE","value":{"a": [1]},"replaces":{"stream":"daily","where":{"account_id":"1"},"from":"2026-01-01","to":"2026-01-31","rows":0}}\n'
        + b'{"type":"ACTIVATE_VERSION","stream":"daily","version":1}\n'
        + b'{"type":"ERROR","kind":"rate_limit","message":"slow down","retry_after":30,"account_id":"1"}\n'
    )
    schema, state, notice, failure = found
    assert isinstance(schema, Schema) and schema.table == Table("daily", TABLE.columns, TABLE.key, "date")
    assert isinstance(state, State) and state.replaces is not None
    assert (state.value, state.replaces.first, state.replaces.last, state.replaces.rows) == (
        b'{"a": [1]}',
        "2026-01-01",
        "2026-01-31",
        0,
    )
    assert isinstance(notice, Notice)
    assert isinstance(failure, Failure) and failure.error.kind is Kind.RATE_LIMIT and failure.error.retry_after == 30


def test_a_state_may_be_a_patch() -> None:
    (_, state) = events(schema_line() + b'{"type":"STATE","patch":{"a":null}}\n')
    assert isinstance(state, State) and (state.value, state.is_patch) == (b'{"a":null}', True)


@pytest.mark.parametrize("line", [b'{"type":"STATE"}\n', b'{"type":"STATE","value":{},"patch":{}}\n'])
def test_a_state_that_is_neither_whole_nor_a_patch(line: bytes) -> None:
    with pytest.raises(WireError, match="either a `value`, which is all of it, or a `patch`"):
        events(line)


def test_a_region_of_an_unknown_stream() -> None:
    with pytest.raises(WireError, match="'daily', which has no SCHEMA yet"):
        events(b'{"type":"STATE","value":{},"replaces":{"stream":"daily","where":{}}}\n')


@given(st.binary(max_size=3000))
def test_any_bytes_end_in_rows_or_in_one_named_error(noise: bytes) -> None:
    try:
        events(schema_line() + record_line(KEY) + noise)
    except WireError as error:
        assert error.line >= 2
