"""Every promise has a test that is there: docs/promises.md names it, and it is no test that is always skipped."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LINES = [
    line
    for line in (ROOT / "docs" / "promises.md").read_text().splitlines()
    if line.startswith("| ") and not line.startswith("| promise |")
]
NAMED = re.compile(r"`([\w/]+\.py)::(\w+)`")


@pytest.mark.parametrize("line", LINES, ids=lambda line: line[2:50])
def test_a_promise_has_its_test(line: str) -> None:
    promise, proofs = line.strip("|").rsplit("|", 1)
    found = NAMED.findall(proofs)
    assert found, f"nothing proves: {promise}"
    for path, name in found:
        functions = [each for each in ast.parse((ROOT / path).read_text()).body if isinstance(each, ast.FunctionDef)]
        (test,) = [function for function in functions if function.name == name]
        assert any(isinstance(node, ast.Assert | ast.With | ast.Call) for node in ast.walk(test)), (
            f"{name} asserts nothing"
        )
        assert not any(
            ast.unparse(each).startswith("pytest.mark.skip(") or "mark.xfail" in ast.unparse(each)
            for each in test.decorator_list
        )


def test_there_are_promises_of_every_kind() -> None:
    assert len(LINES) > 35
