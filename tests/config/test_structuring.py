"""Plain values become attrs classes without a guess, and all that does not fit is named by its path."""

from __future__ import annotations

from typing import Annotated

import pytest
from attrs import frozen
from hypothesis import given
from hypothesis import strategies as st

from supervisor.config.errors import ConfigError
from supervisor.config.structuring import Parsed, structure


def _even(value: object) -> int:
    if not isinstance(value, int) or value % 2:
        raise ValueError("expected an even number")
    return value


@frozen(kw_only=True)
class Leaf:
    """Something of each kind."""

    name: str
    number: int = 0
    share: float = 0.5
    on: bool = False
    even: Annotated[int, Parsed(_even)] | None = None


@frozen(kw_only=True)
class Tree:
    """Something nested."""

    leaves: tuple[Leaf, ...] = ()
    words: tuple[tuple[str, ...], ...] = ()


def test_what_fits_is_taken_as_it_is() -> None:
    raw = {"leaves": [{"name": "a", "number": 3, "share": 1, "on": True, "even": 4}], "words": [["x"], []]}
    assert structure(raw, Tree) == Tree(
        leaves=(Leaf(name="a", number=3, share=1.0, on=True, even=4),), words=(("x",), ())
    )
    assert structure(None, Tree) == Tree()


def test_every_misfit_is_named_by_its_path() -> None:
    raw = {
        "leaves": [{"name": 1, "number": "3", "share": "x"}, {"on": "yes", "evn": 1}, "leaf", {"name": "a", "even": 3}],
        "words": ["abc", [None]],
    }
    with pytest.raises(ConfigError) as caught:
        structure(raw, Tree)
    assert sorted(caught.value.findings) == [
        "leaves[0].name: expected a text, got 1; put it in quotes",
        'leaves[0].number: expected a whole number, got "3"',
        'leaves[0].share: expected a number, got "x"',
        "leaves[1].evn: unknown key; did you mean 'even'?",
        "leaves[1].name: is missing",
        'leaves[1].on: expected true or false, got "yes"',
        'leaves[2]: expected a mapping of keys to values, got "leaf"',
        "leaves[3].even: expected an even number",
        'words[0]: expected a list, got "abc"',
        "words[1][0]: expected a text, got nothing",
    ]


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(st.sampled_from(["leaves", "words", "name", "number", "even", "x"]), inner, max_size=4)
        ),
        max_leaves=12,
    )
)
def test_anything_is_either_taken_or_refused_with_a_sentence(raw: object) -> None:
    try:
        assert isinstance(structure(raw, Tree), Tree)
    except ConfigError as error:
        assert error.findings
        assert all(finding for finding in error.findings)
