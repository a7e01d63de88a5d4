"""Every input that a reader once failed at, and a few that nobody has thought of. `make fuzz` looks for more."""

from __future__ import annotations

import os
import random
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

sys.path.insert(0, str(Path(__file__).parent))

from readers import READERS, SEEDS

EXAMPLES = int(os.environ.get("FUZZ_EXAMPLES", "30"))


def seeds(name: str) -> list[bytes]:
    return [path.read_bytes() for path in sorted((SEEDS / name).iterdir())]


@pytest.mark.parametrize("name", READERS)
def test_no_reader_fails_at_a_seed_or_at_a_damaged_one(name: str) -> None:
    kept = seeds(name)
    assert kept, "nothing to begin with"
    for seed in kept:
        READERS[name](seed)

    @settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck), database=None)
    @given(seed=st.sampled_from(kept), damage=st.lists(st.tuples(st.floats(0, 1), st.binary(max_size=6)), max_size=4))
    def damaged(seed: bytes, damage: list[tuple[float, bytes]]) -> None:
        for place, piece in damage:
            at = int(place * len(seed))
            seed = seed[:at] + piece + seed[at + random.Random(at).randrange(4) :]
        READERS[name](seed)

    damaged()
