"""A state in parts is the same state, and a patch of the parts is RFC 7386's patch of the whole."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.record.state import Place, parts_of, patch_changes, whole, whole_changes

NAMES = st.sampled_from(["bookmarks", "accounts", "t", "u", "1", "2", ""])
LEAVES = st.none() | st.booleans() | st.integers() | st.text(max_size=3) | st.lists(st.integers(), max_size=2)
JSON = st.recursive(LEAVES, lambda inner: st.dictionaries(NAMES, inner, max_size=3), max_leaves=12)
ACCOUNTS = st.dictionaries(
    st.sampled_from(["1", "2", "3"]),
    st.dictionaries(st.sampled_from(["complete", "settled"]), JSON),
    min_size=1,
)
OURS = st.fixed_dictionaries(
    {"bookmarks": st.dictionaries(st.sampled_from(["t", "u"]), st.fixed_dictionaries({"accounts": ACCOUNTS}))},
    optional={"since": JSON},
)
STATES = OURS | JSON


def patched(target: Any, patch: Any) -> Any:
    """As the RFC says it: https://www.rfc-editor.org/rfc/rfc7386#section-2"""
    if not isinstance(patch, dict):
        return patch
    result = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = patched(result.get(name), value)
    return result


def encoded(value: Any) -> bytes:
    return json.dumps(value).encode()


def applied(parts: dict[Place, bytes], changes: Any) -> dict[Place, bytes]:
    merged: dict[Place, bytes | None] = {**parts, **changes}
    return {place: text for place, text in merged.items() if text is not None}


@given(STATES)
def test_the_parts_of_a_state_make_the_state(state: Any) -> None:
    text = whole(parts_of(encoded(state)))
    assert text is not None and json.loads(text) == state


@given(STATES, STATES)
def test_a_patch_of_the_parts_is_the_patch_of_the_whole(state: Any, patch: Any) -> None:
    parts = parts_of(encoded(state))
    found = whole(applied(parts, patch_changes(parts, encoded(patch))))
    assert found is not None and json.loads(found) == patched(state, patch)


@given(STATES, STATES)
def test_what_must_change_is_all_that_must(former: Any, wanted: Any) -> None:
    parts = parts_of(encoded(former))
    changes = whole_changes(parts, parts_of(encoded(wanted)))
    assert applied(parts, changes) == parts_of(encoded(wanted))
    assert all(parts.get(place) != text for place, text in changes.items())


def test_an_account_of_ours_is_a_part_and_a_patch_of_it_changes_that_alone() -> None:
    state = b'{"bookmarks":{"d":{"accounts":{"1":{"settled":[]},"2":{}}},"f":{"since":1}},"x":1e400}'
    parts = parts_of(state)
    assert parts == {
        ("", ""): b'{"x":1e400,"bookmarks":{"f":{"since":1}}}', ("d", "1"): b'{"settled":[]}', ("d", "2"): b"{}",
    }  # fmt: skip
    assert patch_changes(parts, b'{"bookmarks":{"d":{"accounts":{"2":{"settled":[1]}}}}}') == {
        ("d", "2"): b'{"settled":[1]}'
    }


@pytest.mark.parametrize("number", ["1e400", "0.1234567890123456789", "9" * 300, "-0", "1.0"])
def test_numbers_stay_as_they_were_written(number: str) -> None:
    state = f'{{"bookmarks":{{"d":{{"accounts":{{"1":{{"n":{number}}}}}}}}}}}'.encode()
    parts = parts_of(state)
    assert whole(applied(parts, patch_changes(parts, b'{"bookmarks":{"d":{"accounts":{"2":{}}}}}'))) == (
        state[:-4] + b',"2":{}}}}}'
    )
