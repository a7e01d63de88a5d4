"""The page of a night's length is what its model says, and the model has the pipelines' own limits."""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from bench.chain import LIMITS, chain, table  # noqa: E402 - it lies beside the packages, and is not installed


def test_the_table_is_the_models() -> None:
    page = (ROOT / "docs" / "performance.md").read_text(encoding="utf-8")
    assert table() in page, "python -m bench.chain prints what belongs there"


def test_the_model_has_the_concurrency_that_the_pipelines_have() -> None:
    for platform, limits in LIMITS.items():
        page = (ROOT / "docs" / "tables" / f"{platform}.md").read_text(encoding="utf-8")
        assert re.search(rf"concurrency`? [|(] ?{limits.requests}\b", page), platform


def test_the_longest_chain_decides() -> None:
    facebook = LIMITS["facebook"]
    assert chain(facebook, calls=8_000, jobs=20, accounts=10, latency=0.15) == 150.0, "requests"
    assert chain(facebook, calls=80, jobs=2_560, accounts=1_000, latency=0.15) == 200.0, "jobs of all accounts"
    assert chain(facebook, calls=80, jobs=20, accounts=1, latency=0.15) == 50.0, "jobs of one account"
    assert chain(LIMITS["google"], calls=1_600, jobs=0, accounts=40, latency=0.15) == 15.0
