"""The metrics of a run by its three exits, from runs of real small pipelines; what fails is a warning and no more."""

from __future__ import annotations

import json
import re
import signal
import socket
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from prometheus_client.parser import text_string_to_metric_families
from until import until, until_told

from supervisor.metrics.families import ATTEMPT_DURATION, PLATFORM_FAMILIES, RUN_FAMILIES

ROOT = Path(__file__).resolve().parents[2]
GOOD = "schema(); row(id='1', n=1); row(id='2', n=2); state({'a': 1})\n"
WAITS = GOOD + "b = bytearray(30_000_000)\nwhile not os.path.exists('go'): time.sleep(0.02)"
NAMES = {family.name for family in (*PLATFORM_FAMILIES, ATTEMPT_DURATION, *RUN_FAMILIES)}

Samples = dict[tuple[str, tuple[str, ...]], float]


def samples(text: str) -> Samples:
    """(name, label values in the order of the labels' names) to the value."""
    return {
        (sample.name, tuple(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def fetch(url: str) -> str:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return str(answer.read().decode())


def address_of(process: subprocess.Popen[str]) -> str:
    """The address that the run's log names."""
    return until_told(process, "Metrics: http://").split("Metrics: ")[1].strip()


def written(house: Any) -> Samples:
    return samples((house.directory / "run.prom").read_text())


def test_a_run_is_served_as_it_happens_and_no_longer(house: Any) -> None:
    house.tap("slow", WAITS, memory_limit="300MiB")
    house.write(metrics={"port": 0})
    process = house.start("run")
    address = address_of(process)

    def under_way() -> Samples | None:
        told = samples(fetch(address))
        ready = told.get(("supervisor_rows_total", ("slow", "t"))) == 2
        return told if ready and told["supervisor_memory_peak_bytes", ("slow",)] > 30_000_000 else None

    told = until(under_way)
    assert told["supervisor_run_in_progress", ()] == 1
    assert told["supervisor_platform_status", ("slow", "running")] == 1
    assert 30_000_000 < told["supervisor_memory_bytes", ("slow",)] < 300 * 2**20
    assert told["supervisor_memory_limit_bytes", ("slow",)] == 300 * 2**20
    assert told["supervisor_attempts_total", ("completed", "slow")] == 0
    assert ("supervisor_last_success_timestamp_seconds", ("slow",)) not in told
    with pytest.raises(urllib.error.HTTPError, match="404"):
        fetch(address.replace("/metrics", "/secret"))
    host, port = urlsplit(address).netloc.split(":")
    with socket.create_connection((host, int(port))):  # a client that asks nothing keeps nobody waiting
        (house.directory / "go").touch()
        begun = time.monotonic()
        process.communicate(timeout=60)
    assert process.returncode == 0
    assert time.monotonic() - begun < 9, "which would be ten seconds"
    with pytest.raises(urllib.error.URLError):
        fetch(address)


def test_it_lingers_with_the_final_numbers_until_a_signal(house: Any) -> None:
    house.tap("one", GOOD)
    house.write(metrics={"port": 0, "linger_seconds": "5m"})
    process = house.start("run")
    address = address_of(process)
    told = until(lambda: (now := samples(fetch(address)))["supervisor_run_in_progress", ()] == 0 and now)
    assert told["supervisor_platform_status", ("one", "completed")] == 1
    assert told["supervisor_run_exit_code", ()] == 0
    assert abs(told["supervisor_last_success_timestamp_seconds", ("one",)] - time.time()) < 30
    until_told(process, "stay for 300 s more")
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 0, "the run itself was not interrupted"


def test_a_run_that_a_signal_stops_does_not_linger(house: Any) -> None:
    house.tap("slow", WAITS)
    house.write(metrics={"port": 0, "linger_seconds": "5m"})
    process = house.start("run")
    address = address_of(process)
    until(lambda: samples(fetch(address)).get(("supervisor_rows_total", ("slow", "t"))))
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 143


def test_a_run_that_its_global_timeout_stops_lingers_because_that_is_what_alerts_are_for(house: Any) -> None:
    house.orchestrator = {"global_timeout": 4}
    house.tap("slow", WAITS)
    house.write(metrics={"port": 0, "linger_seconds": 300})
    process = house.start("run")
    address = address_of(process)
    until(lambda: samples(fetch(address))["supervisor_run_in_progress", ()] == 0)
    told = samples(fetch(address))
    assert told["supervisor_attempts_total", ("interrupted", "slow")] == 1
    assert told["supervisor_platform_status", ("slow", "failed")] == 1
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 3


def test_what_does_not_work_is_a_warning_and_the_run_is_as_good(house: Any, configured: Any) -> None:
    house.tap("one", GOOD)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        metrics = {
            "port": port, "linger_seconds": 60, "textfile": "nowhere/run.prom", "pushgateway": "http://127.0.0.1:9",
        }  # fmt: skip
        begun = time.monotonic()
        done = configured(metrics=metrics)
    assert done.returncode == 0, done.stderr
    assert time.monotonic() - begun < 50, "nothing is served, so nothing lingers"
    warnings = re.findall(r"WARNING  \| (.*)", done.stderr)
    assert warnings == [
        f"The metrics are not served at 127.0.0.1 port {port}: Address already in use",
        f"The metrics are not written to {house.directory}/nowhere/run.prom: No such file or directory",
        "The metrics are not pushed to http://127.0.0.1:9: Connection refused",
    ]
    assert house.rows("SELECT count(*) FROM one.t") == [(2,)]
    assert json.loads((house.directory / "execution_report.json").read_text())["summary"]["completed"] == 1


@pytest.mark.parametrize("host", ["no.such.host.invalid", "192.0.2.1"])
def test_a_host_that_is_not_here_is_a_warning(house: Any, configured: Any, host: str) -> None:
    house.tap("one", GOOD)
    done = configured(metrics={"port": 0, "host": host})
    assert done.returncode == 0
    assert f"The metrics are not served at {host} port 0: " in done.stderr


def test_a_gateway_that_never_answers_holds_the_run_up_for_seconds_only(house: Any, configured: Any) -> None:
    house.tap("one", GOOD)
    house.tap("two", GOOD)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        done = configured(metrics={"pushgateway": address})
        silent.setblocking(False)
        silent.accept()[0].close()
        with pytest.raises(BlockingIOError):  # one wait, not one for each platform
            silent.accept()
    assert done.returncode == 0
    assert f"The metrics are not pushed to {address}: timed out" in done.stderr


def test_the_text_file_keeps_the_last_success_and_the_platforms_of_other_runs(house: Any, configured: Any) -> None:
    house.tap("one", GOOD)
    house.tap("two", GOOD)
    metrics = {"textfile": "run.prom"}
    assert configured(metrics=metrics).returncode == 0
    first = written(house)
    success = "supervisor_last_success_timestamp_seconds"
    assert abs(first[success, ("one",)] - time.time()) < 30

    house.tap("one", "sys.exit(1)")
    assert configured("--only", "one", metrics=metrics).returncode == 3
    second = written(house)
    assert second[success, ("one",)] == first[success, ("one",)]
    assert second["supervisor_platform_status", ("one", "failed")] == 1
    assert second["supervisor_attempts_total", ("failed", "one")] == 1
    assert second["supervisor_run_exit_code", ()] == 3
    of_two = {key: value for key, value in first.items() if "two" in key[1]}
    assert {key: second.get(key) for key in of_two} == of_two, "what this run left out is as it was"

    house.tap("two", GOOD, enabled=False)
    house.tap("one", GOOD)
    assert configured(metrics=metrics).returncode == 0
    third = written(house)
    assert third[success, ("one",)] > first[success, ("one",)]
    assert not [key for key in third if "two" in key[1]], "a platform that is switched off must not alert"
    assert stat.S_IMODE((house.directory / "run.prom").stat().st_mode) & 0o044, "node_exporter is somebody else"
    assert [path.name for path in house.directory.glob("*.prom*")] == ["run.prom"]


def test_a_table_may_have_any_name(house: Any, configured: Any) -> None:
    name = 'zö"e\\n{} \\'
    house.tap("odd", f"schema({name!r}); row({name!r}, id='1', n=1); state({{'a': 1}})")
    house.tap("other", GOOD)
    assert configured(metrics={"textfile": "run.prom"}).returncode == 0
    assert written(house)["supervisor_rows_total", ("odd", name)] == 1
    assert house.run("run", "--only", "other").returncode == 0, "which reads what the first run wrote"
    assert written(house)["supervisor_rows_total", ("odd", name)] == 1


def test_a_text_file_that_is_not_understood_is_replaced(house: Any, configured: Any) -> None:
    house.tap("one", GOOD)
    (house.directory / "run.prom").write_bytes(b"supervisor_rows_total{ \xff not metrics at all")
    done = configured(metrics={"textfile": "run.prom"})
    assert done.returncode == 0
    assert "is not understood, so it begins anew" in done.stderr
    assert written(house)["supervisor_rows_total", ("one", "t")] == 2


def test_retries_outcomes_and_rows_of_all_attempts_count(house: Any, configured: Any) -> None:
    again = "open('x', 'a').write('.')\nif len(open('x').read()) < 3: sys.exit(75)"
    house.tap("mends", GOOD + again, retry={"max_attempts": 3, "backoff_seconds": 0.01, "max_backoff_seconds": 1})
    house.tap("lost", "sys.exit(77)")
    house.tap("later", GOOD, dependencies=["lost"])
    assert configured(metrics={"textfile": "run.prom"}).returncode == 2
    told = written(house)
    assert told["supervisor_attempts_total", ("completed", "mends")] == 1
    assert told["supervisor_attempts_total", ("failed", "mends")] == 2
    assert told["supervisor_retries_total", ("mends", "failed")] == 2
    assert told["supervisor_retries_total", ("lost", "failed")] == 0
    assert told["supervisor_rows_total", ("mends", "t")] == 6
    assert told["supervisor_attempt_duration_seconds_count", ("mends",)] == 3
    assert told["supervisor_platform_status", ("later", "skipped")] == 1
    report = json.loads((house.directory / "execution_report.json").read_text())
    mends = next(platform for platform in report["platforms"] if platform["platform_name"] == "mends")
    seconds = sum(attempt["duration_seconds"] for attempt in mends["attempts"])
    assert told["supervisor_attempt_duration_seconds_sum", ("mends",)] == pytest.approx(seconds, abs=0.01)
    assert told["supervisor_memory_peak_bytes", ("mends",)] == max(
        attempt["peak_memory_bytes"] for attempt in mends["attempts"]
    )


TELLS = """
def metric(kind, metric, value): print("INFO     | METRIC: " + json.dumps(
    {"type": kind, "metric": metric, "value": value, "tags": {}}), file=sys.stderr, flush=True)
schema()
metric("counter", "http_request_count", 7)
metric("counter", "http_request_count", 5)
metric("counter", "http_retry_count", 2)
metric("timer", "throttled_duration", 1.5)
print("INFO     | hello", file=sys.stderr, flush=True)
print("INFO     | METRIC: {nonsense}", file=sys.stderr, flush=True)
"""


def test_what_a_pipeline_counts_is_in_the_report_and_the_metrics_and_not_in_the_log(
    house: Any, configured: Any
) -> None:
    house.tap("one", TELLS)
    done = configured(metrics={"textfile": "run.prom"})
    assert done.returncode == 0
    attempt = json.loads((house.directory / "execution_report.json").read_text())["platforms"][0]["attempts"][0]
    assert (attempt["api_calls"], attempt["api_retries"], attempt["throttled_seconds"]) == (12, 2, 1.5)
    assert attempt["stderr_tail"] == ["INFO     | hello", "INFO     | METRIC: {nonsense}"]
    assert [line.split(" | ", 2)[2] for line in done.stderr.splitlines() if "METRIC" in line] == [
        "one | METRIC: {nonsense}"
    ]
    told = written(house)
    assert told["supervisor_api_calls_total", ("one",)] == 12
    assert told["supervisor_api_retries_total", ("one",)] == 2
    assert told["supervisor_api_throttled_seconds_total", ("one",)] == 1.5
    debug = house.run("run", LOG_LEVEL="DEBUG").stderr
    assert re.search(r'\| DEBUG    \| one \| INFO     \| METRIC: \{"type": "counter"', debug)


def test_the_page_lists_every_metric_and_no_other() -> None:
    text = (ROOT / "docs" / "observing.md").read_text().split("## Prometheus")[1].split("\n## ")[0]
    listed = {}
    for line in text.splitlines():
        if line.startswith("| `supervisor_"):
            name, kind, labels, _ = (cell.strip() for cell in line.strip("|").split("|"))
            listed[name.strip("`")] = (kind, re.findall(r"`(\w+)`", labels))
    code = {f.name: (f.kind, ["platform", *f.labels]) for f in (*PLATFORM_FAMILIES, ATTEMPT_DURATION)}
    code |= {f.name: ("gauge", ["version"] if f.name == "supervisor_build_info" else []) for f in RUN_FAMILIES}
    assert listed == code


def test_rules_and_dashboard_name_only_metrics_that_there_are() -> None:
    for path in (ROOT / "deploy" / "prometheus" / "rules.yml", ROOT / "deploy" / "grafana" / "dashboard.json"):
        named = set(re.findall(r"\bsupervisor_[a-z_]+", path.read_text()))
        assert named
        assert named <= NAMES, f"{path.name} names what is not there"


def test_a_run_without_metrics_does_not_load_the_library(house: Any, configured: Any) -> None:
    house.tap("one", GOOD)
    house.write()
    program = "import sys, supervisor.cli.main as cli\ntry: cli.main(['run'])\nexcept SystemExit as end: print(end.code, 'prometheus_client' in sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=house.directory, env=house.environment | {"PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, timeout=180,
    )  # fmt: skip
    assert done.stdout.split() == ["0", "False"], done.stderr
