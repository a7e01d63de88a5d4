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


def test_the_messages_are_those_of_every_version_of_the_sdk(python):
    """Fields, numbers, types, presence and the names of enums; a query with another field needs it among them."""
    made = subprocess.run(
        [python, "-m", "google_pipeline.pruned", "--check"], check=False, capture_output=True, text=True, timeout=300
    )
    assert made.returncode == 0, made.stderr
