"""The pipeline's own decoder reads what the SDK's reads."""

from __future__ import annotations

import subprocess
from pathlib import Path


def test_random_answers_read_the_same_as_through_the_sdk(python):
    """Absent, zero, negative, unknown enum numbers, unicode: in two versions of the API."""
    script = Path(__file__).with_name("rows_against_the_sdk.py")
    result = subprocess.run([python, script], check=False, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stderr
    assert int(result.stdout) > 50_000
