"""vertica-python's own integration tests, as its wheel ships them, against the double: the proof of its fidelity.

They run unchanged in a pytest of their own. What the double cannot do is listed, with reasons, in
expected_failures.txt; anything else that fails, and anything listed that passes, fails here.
"""

from __future__ import annotations

import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree
from pathlib import Path

import pytest

from sandbox.vertica.running import VerticaDouble

MODULES = ("test_cursor", "test_errors", "test_unicode", "test_loadbalance", "test_connection")
LEAST = {"passed": 119, "skipped": 8}  # skipped are those that need a cluster of three nodes
LISTED = Path(__file__).with_name("expected_failures.txt")


def listed() -> set[str]:
    lines = LISTED.read_text().splitlines()
    entries = [line.partition(":") for line in lines if line and not line.startswith("#")]
    assert all(reason.strip() for _, _, reason in entries), "an expected failure without its reason"
    return {test for test, _, _ in entries}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """`Class.test` -> passed, failed or skipped; no class is in two modules."""
    directory = tmp_path_factory.mktemp("vendor")
    report = directory / "report.xml"
    with VerticaDouble() as server:
        tests = {
            "VP_TEST_HOST": server.host,
            "VP_TEST_PORT": str(server.port),
            "VP_TEST_USER": "dbadmin",
            "VP_TEST_PASSWORD": "",
            "VP_TEST_LOG_DIR": str(directory / "log"),
        }
        done = subprocess.run(
            [
                *(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-W", "ignore", "--tb=line"),
                *("-o", "addopts=", "-o", "junit_family=xunit1", "--timeout=60", f"--junit-xml={report}"),
                "--pyargs",
                *(f"vertica_python.tests.integration_tests.{module}" for module in MODULES),
            ],
            cwd=directory,
            env={**os.environ, **tests},
            capture_output=True,
            text=True,
            timeout=400,
        )
    assert done.returncode in (0, 1), f"the vendor's tests did not run:\n{done.stdout}\n{done.stderr}"
    return {name(case): outcome(case) for case in ElementTree.parse(report).iter("testcase")}


def name(case: ElementTree.Element) -> str:
    return f"{case.attrib['classname'].rpartition('.')[2]}.{case.attrib['name']}"


def outcome(case: ElementTree.Element) -> str:
    if case.find("failure") is not None or case.find("error") is not None:
        return "failed"
    return "skipped" if case.find("skipped") is not None else "passed"


@pytest.mark.timeout(500)
def test_nothing_fails_that_is_not_listed_with_its_reason(outcomes: dict[str, str]) -> None:
    failed = {test for test, how in outcomes.items() if how == "failed"}
    assert failed == listed()


def test_as_many_pass_as_ever(outcomes: dict[str, str]) -> None:
    counted = {how: list(outcomes.values()).count(how) for how in LEAST}
    assert counted == LEAST
