"""What holds for every test of the repository: the order of the files, and the examples of properties.

Properties are tried with the same examples each time, at any speed; `pytest --hypothesis-profile explore` tries others.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

settings.register_profile("steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("explore", deadline=None, max_examples=1000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")

ROOT = Path(__file__).resolve().parent
DEAREST = (
    "tests/e2e/test_four_platforms.py",
    "tests/e2e/test_other_sinks.py",
    "tests/e2e/test_shards.py",
    "tests/third_party",
    "tests/sinks/test_promises.py",
    "pipelines/google/tests/test_own_reports.py",
    "pipelines/facebook/tests/test_reports.py",
    "pipelines/microsoft/tests/test_own_reports.py",
    "pipelines/google/tests/test_end_to_end.py",
    "pipelines/facebook/tests/test_extraction.py",
    "tests/environments/test_install.py",
    "tests/e2e/test_own_reports.py",
    "pipelines/google/tests/test_side_by_side.py",
    "pipelines/linkedin/tests/test_side_by_side.py",
    "pipelines/linkedin/tests/test_end_to_end.py",
    "pipelines/google/tests/test_faults.py",
    "tests/sinks/test_commands.py",
    "pipelines/microsoft/tests/test_side_by_side.py",
    "pipelines/microsoft/tests/test_end_to_end.py",
    "pipelines/google/tests/test_accounts.py",
    "pipelines/microsoft/tests/test_faults.py",
    "tests/run/test_run.py",
    "tests/run/test_faults.py",
    "tests/metrics/test_metrics.py",
    "tests/sinks/test_azure_table.py",
    "pipelines/google/tests/test_state.py",
)
"""Each file is one worker's. Those that take longest go first, or one of them would keep all other workers waiting."""


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    def place(item: pytest.Item) -> int:
        path = item.path.relative_to(ROOT).as_posix()
        return next((n for n, dear in enumerate(DEAREST) if path.startswith(dear)), len(DEAREST))

    items.sort(key=place)
