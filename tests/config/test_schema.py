"""The configuration file: what it means, and every way in which it can be wrong."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from supervisor.config.errors import ConfigError
from supervisor.config.schema import OrchestratorConfig, RetryConfig, load_orchestrator_config

ROOT = Path(__file__).resolve().parents[2]


def load(directory: Path, text: str) -> OrchestratorConfig:
    path = directory / "orchestrator_config.yml"
    path.write_text(text)
    return load_orchestrator_config(path)


def findings(directory: Path, text: str) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(directory, text)
    prefix = f"{directory / 'orchestrator_config.yml'}: "
    assert all(finding.startswith(prefix) for finding in caught.value.findings)
    return [finding.removeprefix(prefix) for finding in caught.value.findings]


def test_the_file_in_the_repository_runs_the_four_platforms() -> None:
    config = load_orchestrator_config(ROOT / "orchestrator_config.yml")
    assert {platform.name for platform in config.enabled_platforms} == {"google", "microsoft", "facebook", "linkedin"}
    assert config.parallel_groups == (("microsoft", "google"), ("linkedin", "facebook"))
    assert config.directory == ROOT
    assert all(platform.memory_limit for platform in config.platforms)
    assert config.get_platform("microsoft").timeout == 1800


def test_what_is_left_out_has_its_default(tmp_path: Path) -> None:
    config = load(tmp_path, "platforms: [{name: mine}]")
    assert (config.parallel_execution, config.max_parallel, config.global_timeout) == (True, 2, 7200)
    assert config.continue_on_failure
    assert config.parallel_groups == ()
    (mine,) = config.platforms
    assert (mine.enabled, mine.priority, mine.timeout, mine.kill_grace) == (True, 100, 1800, 10)
    assert (mine.memory_limit, mine.stall_timeout, mine.command) == (None, None, None)
    assert (mine.dependencies, mine.pass_environment, mine.settings) == ((), (), {})
    assert mine.retry == RetryConfig(max_attempts=3, backoff_seconds=60, backoff_multiplier=2, max_backoff_seconds=600)


def test_every_key_can_be_given(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        """
orchestrator: {parallel_execution: no, max_parallel: 3, continue_on_failure: false, global_timeout: 2h}
platforms:
  - name: rates
  - name: mine
    enabled: true
    priority: -1
    timeout: 30m
    stall_timeout: 5m
    memory_limit: 300MiB
    kill_grace: 0
    retry: {max_attempts: 5, backoff_seconds: 1s, backoff_multiplier: 3, max_backoff_seconds: 1m}
    dependencies: [rates]
    command: ["python3", "tap.py"]
    pass_environment: [MY_TOKEN]
    settings: {start_date: 2026-01-01, lookback_days: 30, accounts: [], nested: {deep: [1, null, 2.5]}}
parallel_groups: [[rates], [mine]]
""",
    )
    assert (config.parallel_execution, config.max_parallel, config.global_timeout) == (False, 3, 7200)
    mine = config.get_platform("mine")
    assert (mine.priority, mine.timeout, mine.stall_timeout, mine.kill_grace) == (-1, 1800, 300, 0)
    assert mine.memory_limit == 300 * 2**20
    assert mine.retry == RetryConfig(max_attempts=5, backoff_seconds=1, backoff_multiplier=3, max_backoff_seconds=60)
    assert mine.command == ("python3", "tap.py")
    assert mine.dependencies == ("rates",)
    assert json.loads(json.dumps(mine.settings)) == {
        "start_date": "2026-01-01",
        "lookback_days": 30,
        "accounts": [],
        "nested": {"deep": [1, None, 2.5]},
    }


def test_empty_sections_are_as_good_as_none(tmp_path: Path) -> None:
    config = load(
        tmp_path,
        "orchestrator:\nparallel_groups:\nplatforms:\n  - name: mine\n    retry:\n    dependencies:\n    settings:\n",
    )
    assert config.get_platform("mine").retry == RetryConfig()


@pytest.mark.parametrize(
    ("text", "finding"),
    [
        ("orchestrator: {max_paralel: 2}", "orchestrator.max_paralel: unknown key; did you mean 'max_parallel'?"),
        ("orchestrator: {max_parallel: 0}", "orchestrator.max_parallel: expected a whole number of at least 1, got 0"),
        (
            "orchestrator: {max_parallel: 2.5}",
            "orchestrator.max_parallel: expected a whole number of at least 1, got 2.5",
        ),
        (
            "orchestrator: {max_parallel: yes}",
            "orchestrator.max_parallel: expected a whole number of at least 1, got true",
        ),
        ("orchestrator: {parallel_execution: 1}", "orchestrator.parallel_execution: expected true or false, got 1"),
        (
            "orchestrator: {continue_on_failure: 'true'}",
            'orchestrator.continue_on_failure: expected true or false, got "true"',
        ),
        (
            "orchestrator: {global_timeout: 0}",
            'orchestrator.global_timeout: expected a duration above zero, like 1800 (seconds) or "30m"',
        ),
        ("orchestrator: [1]", "orchestrator: expected a mapping of keys to values, got a list"),
        ("extra: 1", "extra: unknown key; known are platforms, orchestrator, parallel_groups, metrics"),
        ("metrics: {prot: 1}", "metrics.prot: unknown key; did you mean 'port'?"),
        (
            "metrics: {port: 70000}",
            "metrics.port: expected a port, a whole number from 0 (any free one) to 65535, got 70000",
        ),
        (
            "metrics: {port: yes}",
            "metrics.port: expected a port, a whole number from 0 (any free one) to 65535, got true",
        ),
        (
            "metrics: {textfile: a.txt}",
            'metrics.textfile: expected a path that ends in ".prom", as node_exporter wants it, got "a.txt"',
        ),
        (
            "metrics: {pushgateway: 'gateway:9091'}",
            'metrics.pushgateway: expected an address like "http://pushgateway:9091", got "gateway:9091"',
        ),
        (
            "metrics: {pushgateway: 'http://me:secret@host'}",
            'metrics.pushgateway: expected an address like "http://pushgateway:9091", without a user and a password',
        ),
        (
            "metrics: {pushgateway: 'http://host:x'}",
            'metrics.pushgateway: expected an address like "http://pushgateway:9091", got "http://host:x"',
        ),
        ("metrics: {host: ''}", 'metrics.host: expected a text that is not empty, got ""'),
        ("metrics: {job: ' '}", 'metrics.job: expected a text that is not empty, got " "'),
        (
            "metrics: {linger_seconds: soon}",
            'metrics.linger_seconds: expected a duration like 1800 (seconds) or "30m", got "soon"',
        ),
        ("parallel_groups: google", 'parallel_groups: expected a list, got "google"'),
        ("parallel_groups: [google]", 'parallel_groups[0]: expected a list, got "google"'),
        ("parallel_groups: [[google], [google]]", "parallel_groups[1][0]: 'google' is already in parallel_groups[0]"),
        ("parallel_groups: [[google, google]]", "parallel_groups[0][1]: 'google' is already in parallel_groups[0]"),
        ("parallel_groups: [[1]]", "parallel_groups[0][0]: expected a text, got 1; put it in quotes"),
    ],
)
def test_what_can_be_wrong_beside_the_platforms(tmp_path: Path, text: str, finding: str) -> None:
    assert findings(tmp_path, f"platforms: [{{name: google}}]\n{text}") == [finding]


@pytest.mark.parametrize(
    ("keys", "finding"),
    [
        ("timout: 3", "timout: unknown key; did you mean 'timeout'?"),
        ("enabled: 1", "enabled: expected true or false, got 1"),
        ("priority: high", 'priority: expected a whole number, got "high"'),
        ("priority: true", "priority: expected a whole number, got true"),
        ("timeout: soon", 'timeout: expected a duration like 1800 (seconds) or "30m", got "soon"'),
        ("timeout: -1", 'timeout: expected a duration like 1800 (seconds) or "30m", got -1'),
        ("timeout: 0", 'timeout: expected a duration above zero, like 1800 (seconds) or "30m"'),
        ("timeout: ", 'timeout: expected a duration like 1800 (seconds) or "30m", got nothing'),
        ("stall_timeout: never", 'stall_timeout: expected a duration like 1800 (seconds) or "30m", got "never"'),
        ("memory_limit: lots", 'memory_limit: expected a size like "512MiB", got "lots"'),
        ("reconciliation: maybe", 'reconciliation: expected warn, fail or off, got "maybe"'),
        ("kill_grace: [1]", 'kill_grace: expected a duration like 1800 (seconds) or "30m", got a list'),
        ("retry: 3", "retry: expected a mapping of keys to values, got 3"),
        ("retry: {max_attempts: 0}", "retry.max_attempts: expected a whole number of at least 1, got 0"),
        ("retry: {attempts: 2}", "retry.attempts: unknown key; did you mean 'max_attempts'?"),
        (
            "retry: {backoff_seconds: x}",
            'retry.backoff_seconds: expected a duration like 1800 (seconds) or "30m", got "x"',
        ),
        ("retry: {backoff_multiplier: 0.5}", "retry.backoff_multiplier: expected a number of at least 1, got 0.5"),
        ("retry: {backoff_seconds: 900}", "retry: backoff_seconds, 900, is above max_backoff_seconds, 600"),
        ("dependencies: google", 'dependencies: expected a list, got "google"'),
        ("dependencies: [nope]", "dependencies[0]: 'nope' is not a platform; known are google, mine, off_one"),
        ("dependencies: [mine]", "dependencies[0]: 'mine' depends on itself"),
        (
            "dependencies: [off_one]",
            "dependencies[0]: 'off_one' is disabled, so 'mine' could never run; enable it or drop the dependency",
        ),
        (
            "command: python3 tap.py",
            'command: expected a list like ["python3", "tap.py"], got "python3 tap.py"; no shell will split it',
        ),
        ("command: []", 'command: expected a list of texts like ["python3", "tap.py"], got a list'),
        ("command: [python3, 1]", 'command: expected a list of texts like ["python3", "tap.py"], got a list'),
        ("command: ['']", "command: a command needs a program, and no word of it can hold a zero byte"),
        (
            "pass_environment: [A-B]",
            'pass_environment[0]: expected the name of an environment variable like "MY_TOKEN", got "A-B"',
        ),
        (
            "pass_environment: [VERTICA_PASSWORD]",
            "pass_environment[0]: VERTICA_PASSWORD belongs to the sink, and no pipeline may see it",
        ),
        ("settings: [1]", "settings: expected a mapping of keys to values, got a list"),
        ("settings: {a: {1: x}}", "settings: the key 1 is no text; put it in quotes"),
        ("settings: {on: x}", "settings: the key true is no text; put it in quotes"),
    ],
)
def test_what_can_be_wrong_with_a_platform(tmp_path: Path, keys: str, finding: str) -> None:
    text = f"platforms:\n  - name: google\n  - name: mine\n    {keys}\n  - {{name: off_one, enabled: false}}\n"
    assert findings(tmp_path, text) == [f"platforms[1].{finding}"]


@pytest.mark.parametrize("value", [".nan", "!!binary aGk=", "!!set {x}", "&a [*a]"])
def test_settings_must_fit_into_json(tmp_path: Path, value: str) -> None:
    (finding,) = findings(tmp_path, f"platforms: [{{name: mine, settings: {{a: {value}}}}}]")
    assert finding.startswith("platforms[0].settings: cannot be written as JSON, which is how a pipeline gets them: ")


@pytest.mark.parametrize(
    ("name", "finding"),
    [
        ("on", "expected a name, got true; YAML reads an unquoted on, off, yes or no so: put it in quotes"),
        ("no", "expected a name, got false; YAML reads an unquoted on, off, yes or no so: put it in quotes"),
        ("3", "expected a name of at most 40 letters, digits, _ or - that begins with a letter, got 3"),
        ("ad ops", 'expected a name of at most 40 letters, digits, _ or - that begins with a letter, got "ad ops"'),
        ("../x", 'expected a name of at most 40 letters, digits, _ or - that begins with a letter, got "../x"'),
        ("ads", '"ads" is the name of a schema that the database needs for itself'),
    ],
)
def test_a_name_becomes_a_schema_and_must_look_like_one(tmp_path: Path, name: str, finding: str) -> None:
    assert findings(tmp_path, f"platforms: [{{name: {name}}}]") == [f"platforms[0].name: {finding}"]


def test_a_name_has_at_most_forty_characters(tmp_path: Path) -> None:
    assert load(tmp_path, f"platforms: [{{name: {'n' * 40}}}]").platforms
    assert len(findings(tmp_path, f"platforms: [{{name: {'n' * 41}}}]")) == 1


def test_a_platform_needs_a_name(tmp_path: Path) -> None:
    assert findings(tmp_path, "platforms: [{timeout: 3}]") == ["platforms[0].name: is missing"]


def test_a_platform_is_a_mapping(tmp_path: Path) -> None:
    assert findings(tmp_path, "platforms: [google]") == [
        'platforms[0]: expected a mapping of keys to values, got "google"'
    ]


def test_names_differ_in_more_than_case(tmp_path: Path) -> None:
    assert findings(tmp_path, "platforms: [{name: google}, {name: Google}]") == [
        "platforms[1].name: 'Google' is already the name of platforms[0] (case does not count)"
    ]


@pytest.mark.parametrize("text", ["", "orchestrator: {max_parallel: 1}", "# only a comment"])
def test_platforms_must_be_there(tmp_path: Path, text: str) -> None:
    assert findings(tmp_path, text) == ["platforms: is missing"]


@pytest.mark.parametrize("text", ["platforms: []", "platforms:"])
def test_there_must_be_something_to_run(tmp_path: Path, text: str) -> None:
    assert findings(tmp_path, text) == ["platforms: names no platform, so there is nothing to run"]


def test_a_list_is_no_configuration(tmp_path: Path) -> None:
    assert findings(tmp_path, "[1]") == ["expected a mapping of keys to values, got a list"]


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    found = findings(
        tmp_path,
        """
orchestrator: {max_parallel: 0, speed: 3}
platforms:
  - {name: on, memory_limit: lots}
  - {name: google, timeout: soon, dependencies: [nope], retry: {max_attempts: x, oops: 1}}
parallel_groups: [[nope], google]
""",
    )
    paths = [finding.split(": ")[0] for finding in found]
    assert sorted(paths) == [
        "orchestrator.max_parallel",
        "orchestrator.speed",
        "parallel_groups[1]",
        "platforms[0].memory_limit",
        "platforms[0].name",
        "platforms[1].dependencies[0]",
        "platforms[1].retry.max_attempts",
        "platforms[1].retry.oops",
        "platforms[1].timeout",
    ]


def test_a_group_may_name_platforms_that_are_not_here(tmp_path: Path) -> None:
    config = load(tmp_path, "platforms: [{name: google}]\nparallel_groups: [[google, microsoft], [linkedin]]")
    assert config.parallel_groups == (("google", "microsoft"), ("linkedin",))


def test_an_unknown_platform_is_answered_with_the_known_ones(tmp_path: Path) -> None:
    config = load(tmp_path, "platforms: [{name: google}, {name: mine}]")
    with pytest.raises(ConfigError, match="platform 'tiktok' is not in the configuration; known are google, mine"):
        config.get_platform("tiktok")


def test_disabled_platforms_are_known_but_not_enabled(tmp_path: Path) -> None:
    config = load(tmp_path, "platforms: [{name: google, enabled: no}, {name: mine}]")
    assert [platform.name for platform in config.enabled_platforms] == ["mine"]
    assert not config.get_platform("google").enabled


def test_a_disabled_platform_may_depend_on_a_disabled_one(tmp_path: Path) -> None:
    load(tmp_path, "platforms: [{name: a, enabled: no}, {name: b, enabled: no, dependencies: [a]}, {name: c}]")


def test_retries_wait_as_the_manual_says() -> None:
    retry = RetryConfig(max_attempts=3, backoff_seconds=60, backoff_multiplier=2.0, max_backoff_seconds=600)
    assert [retry.delay(number) for number in range(1, 7)] == [60, 120, 240, 480, 600, 600]


@given(
    first=st.floats(0, 1e6),
    multiplier=st.floats(1, 1e6),
    more=st.floats(0, 1e6),
    number=st.integers(1, 100_000),
)
def test_waits_never_shrink_and_never_pass_the_longest(
    first: float, multiplier: float, more: float, number: int
) -> None:
    retry = RetryConfig(backoff_seconds=first, backoff_multiplier=multiplier, max_backoff_seconds=first + more)
    assert first <= retry.delay(number) <= retry.delay(number + 1) <= first + more


def test_what_reads_yaml_is_loaded_only_when_a_file_is_read() -> None:
    code = (
        "import sys, supervisor.config.schema, supervisor.run.registry, supervisor.run.scheduler, supervisor.run.monitor, "
        "supervisor.config.environment, supervisor.report.files; "
        "sys.exit(str({'yaml', 'cattrs', 'psutil', 'duckdb'} & sys.modules.keys()))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr == "set()\n"
