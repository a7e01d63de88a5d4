"""A sink that hangs keeps no run from ending: real pipelines, and a session that never answers."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from until import until

from supervisor.config.errors import SinkError
from supervisor.config.schema import OrchestratorConfig, load_orchestrator_config
from supervisor.record.run_record import RunRecord
from supervisor.run.orchestrator import SocialAdsOrchestrator
from supervisor.run.patience import limited
from supervisor.sinks import Commit, Result
from wire.schema import Table


class Silent:
    """A sink whose database takes everything and never answers a commit, until it is interrupted."""

    description = "a database that does not answer"

    def __init__(self, *, flushes: bool = True, tells: bool = True) -> None:
        self.tells = tells
        self.interrupted = threading.Event()
        self.committing = threading.Event()
        self.flushes = flushes

    def session(self, platform: str, run_id: str) -> Silent:
        return self

    def prepare(self, table: Table) -> None:
        return

    def stage(self, stream: str, spool: Path, count: int, parts: Sequence[int] = ()) -> None:
        return

    def commit(self, commits: Sequence[Commit]) -> Sequence[Result]:
        if self.flushes:
            self._wait()
        return [{"t": 1} for _ in commits]

    def flush(self) -> None:
        self._wait()

    def _wait(self) -> None:
        self.committing.set()
        self.interrupted.wait(60)
        raise SinkError("the connection was closed")

    def interrupt(self) -> None:
        self.interrupted.set()

    def discard(self) -> None:
        return

    def state(self) -> bytes | None:
        if not self.tells:
            self._wait()
        return None

    def forget_state(self) -> None:
        return

    def put_state(self, platform: str, state: bytes | None) -> None:
        return

    def record_run(self, record: RunRecord) -> None:
        return

    def publish(self) -> None:
        return

    def close(self) -> None:
        return


def configured(house: Any, body: str, **settings: Any) -> OrchestratorConfig:
    house.tap("one", body, kill_grace=0, **settings)
    return load_orchestrator_config(house.write())


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supervisor.run.attempt._DRAIN_SECONDS", 0.5)


@pytest.mark.parametrize("flushes", [True, False], ids=["commit", "flush"])
@pytest.mark.parametrize("body", ["", "time.sleep(60)"], ids=["ended", "running"])
def test_the_timeout_of_a_platform_is_its_sinks_too(house: Any, body: str, flushes: bool) -> None:
    timeout = 1 if body else 3  # one that ends by itself must have the time to
    config = configured(house, f"schema()\nrow(id='1', n=1)\nstate({{'a': 1}})\n{body}", timeout=timeout)
    sink = Silent(flushes=flushes)
    orchestrator = SocialAdsOrchestrator(config=config, data_sink=sink)
    begun = time.monotonic()
    assert orchestrator.run_all_platforms().failed_platforms == ("one",)
    assert timeout <= time.monotonic() - begun < 40
    (attempt,) = orchestrator.monitor.platform("one").attempts
    if body:
        assert attempt.outcome == "timed_out"
    else:
        assert attempt.outcome == "sink_error"
        assert "the sink was still storing rows after 3 s, the timeout of its platform" in (attempt.message or "")


def test_a_database_that_does_not_tell_the_state_is_given_up_too(house: Any) -> None:
    orchestrator = SocialAdsOrchestrator(config=configured(house, "", timeout=1), data_sink=Silent(tells=False))
    begun = time.monotonic()
    assert orchestrator.run_all_platforms().failed_platforms == ("one",)
    assert 1 <= time.monotonic() - begun < 40


def test_a_run_that_is_stopped_does_not_wait_for_its_sink(house: Any) -> None:
    config = configured(house, "schema()\nrow(id='1', n=1)\nstate({'a': 1})")
    sink = Silent()
    orchestrator = SocialAdsOrchestrator(config=config, data_sink=sink)

    def stop() -> None:
        sink.committing.wait(120)
        orchestrator.stop.request("the run was stopped by SIGTERM")

    threading.Thread(target=stop).start()
    begun = time.monotonic()
    orchestrator.run_all_platforms()
    assert time.monotonic() - begun < 25
    (attempt,) = orchestrator.monitor.platform("one").attempts
    assert attempt.message == "the run was stopped by SIGTERM, and the sink did not end in time"


def test_who_is_in_a_hurry_waits_for_nothing(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("supervisor.run.attempt._DRAIN_SECONDS", 30)
    sink = Silent()
    orchestrator = SocialAdsOrchestrator(
        config=configured(house, "schema()\nrow(id='1', n=1)\nstate({'a': 1})"), data_sink=sink
    )

    def stop() -> None:
        sink.committing.wait(120)
        orchestrator.stop.request("the run was stopped by SIGINT")
        orchestrator.stop.hurry = True

    threading.Thread(target=stop).start()
    begun = time.monotonic()
    orchestrator.run_all_platforms()
    assert time.monotonic() - begun < 25


def test_the_interruption_is_repeated_until_the_block_ends() -> None:
    heard: list[str] = []
    with limited(heard.append, lambda: "late"):
        until(lambda: len(heard) >= 3)
    assert heard == ["late"] * len(heard)
    count = len(heard)
    time.sleep(0.4)
    assert len(heard) == count


def test_nobody_is_interrupted_in_time() -> None:
    heard: list[str] = []
    with limited(heard.append, lambda: None):
        time.sleep(0.4)
    assert heard == []
