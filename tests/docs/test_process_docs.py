"""docs/process-model.md points to tests that exist."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "process-model.md").read_text()


def test_every_test_that_is_named_exists() -> None:
    named = set(re.findall(r"`(test_\w+)`", TEXT))
    source = "".join(
        (ROOT / "tests" / name).read_text()
        for name in (
            "process/test_child.py",
            "process/test_limits.py",
            "load/test_loader.py",
            "run/test_patience.py",
            "run/test_orchestrator.py",
            "run/test_faults.py",
        )
    )
    existing = set(re.findall(r"^def (test_\w+)", source, flags=re.M))
    assert len(named) > 20
    assert named <= existing, named - existing


def test_every_hard_case_is_explained() -> None:
    source = (ROOT / "tests" / "process" / "test_child.py").read_text()
    cases = set(re.findall(r"^def (test_\w+)", source, flags=re.M))
    obvious = {"exit_status_comes_back", "start_costs_little", "survivors_are_named_by_number"}
    missing = {name for name in cases if f"`{name}`" not in TEXT and not any(word in name for word in obvious)}
    assert not missing
