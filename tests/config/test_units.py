"""Sizes and durations mean what people mean by them, and nothing else is let through."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.config.units import duration, size, size_text


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("512MiB", 512 * 2**20),
        ("300MB", 300 * 10**6),
        ("1GiB", 2**30),
        ("1.5 gib", 3 * 2**29),
        (" 64 kB ", 64_000),
        ("2TB", 2 * 10**12),
        ("4096", 4096),
        (4096, 4096),
    ],
)
def test_a_size_is_bytes(written: object, meant: int) -> None:
    assert size(written) == meant


@pytest.mark.parametrize("written", ["lots", "", "-1MB", "0", 0, -5, True, None, [], "512 M iB", "1e3", float("inf")])
def test_what_is_no_size_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match='expected a size like "512MiB", got'):
        size(written)


@pytest.mark.parametrize(
    ("written", "meant"),
    [(1800, 1800), (0.5, 0.5), ("30m", 1800), ("2h", 7200), ("90s", 90), ("1d", 86400), ("250ms", 0.25), (0, 0)],
)
def test_a_duration_is_seconds(written: object, meant: float) -> None:
    assert duration(written) == meant


@pytest.mark.parametrize("written", ["soon", "", -1, "-3s", True, None, {}, "1h30m", float("nan"), "1e3", "99999d"])
def test_what_is_no_duration_is_refused(written: object) -> None:
    with pytest.raises(ValueError, match="expected a duration like"):
        duration(written)


@given(st.integers(1, 2**50), st.sampled_from(["", "B", "kB", "KiB", "MB", "MiB", "GiB"]))
def test_any_whole_number_with_any_unit_is_a_size(number: int, unit: str) -> None:
    assert size(f"{number}{unit}") == size(f"{number} {unit.upper()}") >= number


@given(st.integers(0, 2**60))
def test_a_size_is_shown_with_at_most_four_digits_before_the_point(number: int) -> None:
    shown = size_text(number)
    assert float(shown.split()[0]) < 1025 or shown.endswith("TiB")
    assert abs(size(shown) - number) <= number * 0.06 + 1 if number else shown == "0 B"
