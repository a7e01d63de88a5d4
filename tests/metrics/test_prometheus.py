"""A real Prometheus, its promtool and a real Pushgateway say that what we expose is what they understand."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import textwrap
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from until import until, until_told

ROOT = Path(__file__).resolve().parents[2]
BINARIES = ROOT / ".tools" / "prometheus" / "usr" / "bin"
RULES = ROOT / "deploy" / "prometheus" / "rules.yml"
GOOD = "schema(); row(id='1', n=1); row(id='2', n=2); state({'a': 1})\n"


def binary(name: str) -> str:
    path = BINARIES / name
    if not path.exists():
        done = subprocess.run([str(ROOT / "tests" / "prometheus.sh")], capture_output=True, text=True, timeout=120)
        if not path.exists():
            pytest.skip(done.stdout.strip() or f"tests/prometheus.sh did not provide {name}: {done.stderr.strip()}")
    return str(path)


def fetch(url: str) -> str:
    with urllib.request.urlopen(url, timeout=30) as answer:
        return str(answer.read().decode())


@pytest.fixture
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., str]]:
    """Start a server in a directory of its own, on a port that it chooses, and tell its address once it is ready."""
    running: list[subprocess.Popen[bytes]] = []

    def start(*command: str) -> str:
        directory = tmp_path_factory.mktemp("server")
        with (directory / "log").open("wb") as log:
            running.append(
                subprocess.Popen(
                    [*command, "--web.listen-address=127.0.0.1:0"], cwd=directory, stdout=log, stderr=subprocess.STDOUT
                )
            )
        listens = re.compile(r'Listening on"? address=(127\.0\.0\.1:\d+)')
        address = until(lambda: listens.search((directory / "log").read_text()))[1]
        until(lambda: is_ready(address))
        return str(address)

    def is_ready(address: str) -> bool:
        try:
            return bool(fetch(f"http://{address}/-/ready"))
        except urllib.error.HTTPError:
            return False

    yield start
    for process in running:
        process.kill()
        process.wait()


class Prometheus:
    """A real server that scrapes several times a second."""

    def __init__(self, start: Callable[..., str], directory: Path, *targets: str, honor_labels: bool = False) -> None:
        configuration = {
            "global": {"scrape_interval": "400ms", "scrape_timeout": "400ms", "evaluation_interval": "400ms"},
            "rule_files": [str(RULES)],
            "scrape_configs": [
                {"job_name": "test", "honor_labels": honor_labels, "static_configs": [{"targets": list(targets)}]}
            ],
        }
        path = directory / "prometheus.yml"
        path.write_text(yaml.safe_dump(configuration))
        data = f"--storage.tsdb.path={directory / 'data'}"
        self.address = "http://" + start(binary("prometheus"), f"--config.file={path}", data)

    def ask(self, query: str) -> list[tuple[dict[str, str], float]]:
        answer = json.loads(fetch(f"{self.address}/api/v1/query?{urllib.parse.urlencode({'query': query})}"))
        assert answer["status"] == "success"
        return [(each["metric"], float(each["value"][1])) for each in answer["data"]["result"]]

    def value(self, query: str) -> float | None:
        found = self.ask(query)
        assert len(found) <= 1, found
        return found[0][1] if found else None


def test_prometheus_scrapes_a_run_while_it_lasts(house: Any, served: Any, tmp_path_factory: Any) -> None:
    body = """
    def metric(value): print('METRIC: ' + json.dumps({"type": "counter", "metric": "http_request_count", "value": value,
        "tags": {"endpoint": "/users"}}), file=sys.stderr, flush=True)
    metric(5)
    while not os.path.exists('go'): time.sleep(0.02)
    row(id='3', n=3); state({'a': 2}); metric(4)
    """
    house.tap("slow", GOOD + textwrap.dedent(body), memory_limit="1GiB")
    house.tap("bad", "error('auth', 'refused'); sys.exit(77)")
    house.write(metrics={"port": 0, "linger_seconds": 300})
    process = house.start("run")
    target = urllib.parse.urlsplit(until_told(process, "Metrics: http://").split("Metrics: ")[1]).netloc
    prometheus = Prometheus(served, tmp_path_factory.mktemp("prometheus"), target)
    platform = '{platform="slow"}'
    until(lambda: prometheus.value(f"supervisor_rows_total{platform}") == 2)
    until(lambda: prometheus.value(f"supervisor_api_calls_total{platform}") == 5)
    until(lambda: (prometheus.value(f"supervisor_memory_bytes{platform}") or 0) > 5_000_000)
    assert prometheus.value("supervisor_run_in_progress") == 1
    (house.directory / "go").touch()
    until(lambda: prometheus.value("supervisor_run_in_progress") == 0)
    assert prometheus.value(f"supervisor_rows_total{platform}") == 3
    assert prometheus.value(f"supervisor_api_calls_total{platform}") == 9
    statuses = prometheus.ask("supervisor_platform_status == 1")
    assert {(labels["platform"], labels["status"]) for labels, _ in statuses} == {
        ("slow", "completed"), ("bad", "failed"),
    }  # fmt: skip
    assert abs(prometheus.value(f"time() - supervisor_last_success_timestamp_seconds{platform}") or 99) < 30
    assert (prometheus.value(f"histogram_quantile(0.5, supervisor_attempt_duration_seconds_bucket{platform})") or 0) > 0
    until(lambda: prometheus.ask('ALERTS{alertname="SupervisorPlatformFailed", platform="bad"}'))
    answers = [prometheus.ask(query) for query in dashboard_queries()]
    assert all(answers), "a panel that shows nothing of a run is a mistake in its query"
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 2


def dashboard_queries() -> list[str]:
    """What the panels ask, without the filters that hide a zero."""
    dashboard = json.loads((ROOT / "deploy" / "grafana" / "dashboard.json").read_text())
    found = [target["expr"] for panel in dashboard["panels"] for target in panel["targets"]]
    assert len(found) > 10
    return [re.sub(r" > 0$", "", query.replace("$platform", ".*")) for query in found]


def test_the_gateway_keeps_the_last_success_when_a_run_fails(
    house: Any, configured: Any, served: Any, tmp_path_factory: Any
) -> None:
    address = served(binary("prometheus-pushgateway"))
    metrics = {"pushgateway": f"http://{address}/", "job": "night/run"}
    prometheus = Prometheus(served, tmp_path_factory.mktemp("prometheus"), address, honor_labels=True)

    house.tap("one", GOOD)
    house.tap("two", GOOD)
    done = configured(metrics=metrics)
    assert done.returncode == 0
    assert "WARNING" not in done.stderr
    mine, success = '{job="night/run", platform="one"}', "supervisor_last_success_timestamp_seconds"
    first = until(lambda: prometheus.value(success + mine))
    assert abs(first - time.time()) < 30
    assert until(lambda: prometheus.value('supervisor_run_exit_code{job="night/run"} + 1')) == 1

    house.tap("one", "schema(); sys.exit(1)")
    assert configured("--only", "one", metrics=metrics).returncode == 3
    failed = 'supervisor_platform_status{job="night/run", platform="one", status="failed"}'
    until(lambda: prometheus.value(failed) == 1)
    assert prometheus.value(success + mine) == first, "alerts look at it"
    assert prometheus.value('supervisor_attempts_total{platform="one", outcome="failed"}') == 1
    assert prometheus.value('supervisor_rows_total{platform="two"}') == 2, "another platform's group is left alone"

    house.tap("one", GOOD)
    assert configured("--only", "one", metrics=metrics).returncode == 0
    until(lambda: (prometheus.value(success + mine) or 0) > first)
    assert prometheus.value(failed) == 0

    house.environment["STORAGE_TYPE"] = "none"
    house.tap("one", GOOD, shards=True)
    for shard in ("0/2", "1/2"):
        assert configured("--only", "one", "--shard", shard, metrics=metrics).returncode == 0
    for shard in ("0/2", "1/2"):
        until(lambda shard=shard: prometheus.value(f'supervisor_rows_total{{platform="one", shard="{shard}"}}') == 2)
        until(lambda shard=shard: prometheus.value(f'supervisor_run_exit_code{{shard="{shard}"}} + 1') == 1)


def test_promtool_finds_nothing_to_say_about_the_metrics(house: Any, configured: Any) -> None:
    house.tap("one", GOOD, memory_limit="1GiB")
    house.tap("bad", "sys.exit(1)")
    configured(metrics={"textfile": "run.prom"})
    text = (house.directory / "run.prom").read_text()
    done = subprocess.run([binary("promtool"), "check", "metrics"], input=text, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_rules_are_valid_and_alert_when_they_should() -> None:
    done = subprocess.run(
        [binary("promtool"), "check", "rules", "--lint-fatal", str(RULES)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    tests = RULES.with_name("rules_test.yml")
    done = subprocess.run([binary("promtool"), "test", "rules", str(tests)], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    alerts = {rule["alert"] for group in yaml.safe_load(RULES.read_text())["groups"] for rule in group["rules"]}
    cases = [case for test in yaml.safe_load(tests.read_text())["tests"] for case in test["alert_rule_test"]]
    assert {case["alertname"] for case in cases if case.get("exp_alerts")} == alerts, "each must fire somewhere"
    assert {case["alertname"] for case in cases if not case.get("exp_alerts")} == alerts, "and be silent elsewhere"
