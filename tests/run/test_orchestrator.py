"""The orchestrator as Python users have it: again and again, stopped, refused, and with a storage that does not answer."""

from __future__ import annotations

import threading
import time
from typing import Any

import psutil
import pytest
from until import until

from supervisor.config.errors import SinkError, SupervisorError
from supervisor.config.schema import load_orchestrator_config
from supervisor.record.run_record import Status
from supervisor.run.orchestrator import SocialAdsOrchestrator
from supervisor.sinks.none.sink import NoSink

GOOD = "schema(); row(id='1', n=1); state({'a': 1})"


def orchestrator(house: Any, sink: Any = None, **other: Any) -> SocialAdsOrchestrator:
    return SocialAdsOrchestrator(
        config=load_orchestrator_config(house.write(**other)),
        data_sink=sink or NoSink(house.directory / "history.jsonl"),
    )


def status(done: SocialAdsOrchestrator, name: str) -> tuple[Status, str]:
    record = done.monitor.platform(name)
    return record.status, record.error_message or ""


def test_one_orchestrator_can_run_a_hundred_times(house: Any) -> None:
    house.platforms = [{"name": "p", "command": ["true"]}]
    runs = orchestrator(house)
    me = psutil.Process()
    assert runs.run_all_platforms().success
    before = (me.num_fds(), me.num_threads())
    run_ids = set()
    for _ in range(100):
        assert runs.run_all_platforms().success
        run_ids.add(runs.monitor.run_id)
    assert len(run_ids) == 100
    deadline = time.monotonic() + 30  # a thread whose work is over takes a moment to be gone
    while (me.num_fds(), me.num_threads()) != before:
        assert time.monotonic() < deadline, (me.num_fds(), me.threads(), before)
        time.sleep(0.05)


def test_after_a_stop_on_failure_the_next_run_begins_anew(house: Any) -> None:
    house.orchestrator = {"continue_on_failure": False, "parallel_execution": False}
    house.tap("bad", "sys.exit(1)", priority=1)
    house.tap("good", GOOD, priority=2)
    runs = orchestrator(house)
    assert runs.run_all_platforms().exit_code == 4
    assert runs.run_platform("good")
    assert runs.run_all_platforms().skipped_platforms == ("good",)


def test_after_a_global_timeout_the_next_run_begins_anew(house: Any) -> None:
    house.orchestrator = {"global_timeout": 3}
    house.tap("slow", "time.sleep(0 if os.path.exists('second') else 60)")
    runs = orchestrator(house)
    begun = time.monotonic()
    assert runs.run_all_platforms().exit_code == 3
    assert 3 <= time.monotonic() - begun < 40
    assert status(runs, "slow") == (Status.FAILED, "the run reached its global_timeout of 3 s")
    (house.directory / "second").touch()
    assert runs.run_all_platforms().success


def test_a_wish_to_stop_from_before_the_start_holds_for_that_run(house: Any) -> None:
    house.tap("p", GOOD)
    runs = orchestrator(house)
    runs.stop.request("changed my mind")
    assert runs.run_all_platforms().skipped_platforms == ("p",)
    assert runs.run_all_platforms().success


def test_not_twice_at_once(house: Any) -> None:
    house.tap("p", "open('up', 'w').close()\nwhile not os.path.exists('go'): time.sleep(0.02)")
    runs = orchestrator(house)
    first = threading.Thread(target=runs.run_all_platforms)
    first.start()
    until((house.directory / "up").exists)
    with pytest.raises(SupervisorError, match="running already"):
        runs.run_all_platforms()
    (house.directory / "go").touch()
    first.join()
    assert status(runs, "p")[0] is Status.COMPLETED


def test_a_healthy_platform_that_is_stopped_for_another_has_not_failed(house: Any) -> None:
    house.orchestrator = {"continue_on_failure": False, "max_parallel": 2}
    house.tap("bad", "while not os.path.exists('sent'): time.sleep(0.02)\nsys.exit(1)")
    house.tap("healthy", GOOD + "; open('sent', 'w').close(); time.sleep(60)")
    runs = orchestrator(house)
    result = runs.run_all_platforms()
    assert (result.exit_code, result.failed_platforms, result.skipped_platforms) == (4, ("bad",), ("healthy",))
    assert status(runs, "healthy") == (
        Status.SKIPPED,
        "interrupted while it was running, because platform 'bad' failed and continue_on_failure is false",
    )
    assert runs.monitor.platform("healthy").rows_processed == 1


def test_platforms_start_when_their_dependencies_are_done(house: Any, configured: Any) -> None:
    house.orchestrator = {"max_parallel": 3}
    house.tap("slow", "while not os.path.exists('after-began'): time.sleep(0.02)\n" + GOOD)
    house.tap("quick", GOOD)
    house.tap("after", "open('after-began', 'w').close()\n" + GOOD, dependencies=["quick"])
    done = configured()
    assert done.returncode == 0, done.stderr
    assert "Executing Group 2/2: after" in done.stderr


def test_a_group_that_names_strangers_runs_without_them(house: Any, configured: Any) -> None:
    house.tap("google", GOOD)
    done = configured(parallel_groups=[["microsoft", "google"], ["linkedin"]])
    assert done.returncode == 0, done.stderr
    assert "WARNING  | parallel_groups names 'microsoft', which is not among the platforms" in done.stderr
    assert "Executing Group 1/1: google" in done.stderr


def test_what_is_refused_fails_with_its_sentence_and_the_others_run(house: Any) -> None:
    house.tap("good", GOOD)
    house.tap("broken", GOOD)
    house.tap("after", GOOD, dependencies=["broken"])
    runs = orchestrator(house)
    result = runs.run_all_platforms(refused={"broken": "its settings are wrong"})
    assert (result.exit_code, result.completed_platforms) == (2, ("good",))
    assert status(runs, "broken") == (Status.FAILED, "its settings are wrong")
    assert runs.monitor.platform("broken").attempts == ()
    assert status(runs, "after")[0] is Status.SKIPPED


def test_a_missing_program_or_credential_is_that_platforms_failure(house: Any) -> None:
    house.tap("good", GOOD)
    house.platforms += [{"name": "gone", "command": ["./no-such-program"]}, {"name": "nowhere"}]
    runs = orchestrator(house)
    result = runs.run_all_platforms()
    assert (result.exit_code, result.completed_platforms) == (2, ("good",))
    assert "the program './no-such-program' of its command is not found" in status(runs, "gone")[1]
    assert "'nowhere' has no pipeline" in status(runs, "nowhere")[1]


def test_a_state_that_python_cannot_read_is_handed_on_as_it_is(house: Any, configured: Any) -> None:
    house.tap("p", "open('seen', 'a').write(str(len(open(given['--state']).read())) if '--state' in given else '-')\n"
        "schema(); print('{\"type\": \"STATE\", \"value\": {\"n\": ' + '9' * 4000 + '}}', flush=True)")  # fmt: skip
    house.tap("other", GOOD)
    assert configured().returncode == 0
    assert configured().returncode == 0
    assert (house.directory / "seen").read_text() == "-" + str(len('{"n": ' + "9" * 4000 + "}"))


class Frozen:
    """A storage that takes everything, answers from a certain call on nothing, and no interruption either."""

    description = "a storage that hangs"

    def __init__(self, call: str) -> None:
        self.call = call
        self.hanging = threading.Event()
        self.released = threading.Event()

    def _hang(self, call: str) -> None:
        if call == self.call:
            self.hanging.set()
            self.released.wait(60)

    def session(self, platform: str, run_id: str) -> Frozen:
        self._hang("session")
        return self

    def state(self) -> bytes | None:
        self._hang("state")
        return None

    def commit(self, commits: Any) -> list[dict[str, int]]:
        self._hang("commit")
        return [{"t": 1} for _ in commits]

    def flush(self) -> None:
        self._hang("flush")

    def close(self) -> None:
        assert self.call not in {"commit", "flush"}, "a session was closed while it was used"
        self._hang("close")

    def publish(self) -> None:
        self._hang("publish")

    def _nothing(self, *given: object) -> None:
        return

    interrupt = prepare = stage = discard = put_state = record_run = forget_state = _nothing


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("attempt._DRAIN_SECONDS", "attempt._ANSWER_SECONDS", "attempts._ANSWER_SECONDS"):
        monkeypatch.setattr(f"supervisor.run.{name}", 0.5)
    monkeypatch.setattr("supervisor.run.orchestrator._LAST_WORK_SECONDS", 0.5)


@pytest.mark.usefixtures("quick")
@pytest.mark.parametrize("call", ["session", "state", "commit", "flush", "close", "publish"])
def test_a_run_that_is_told_to_stop_ends_whatever_its_storage_does(house: Any, call: str) -> None:
    house.tap("p", GOOD, kill_grace=0)
    sink = Frozen(call)
    runs = orchestrator(house, sink)

    def stop() -> None:
        sink.hanging.wait(120)
        runs.stop.request("the run was stopped by SIGTERM")

    threading.Thread(target=stop).start()
    begun = time.monotonic()
    try:
        runs.run_all_platforms()
        assert time.monotonic() - begun < 40
        assert runs.left_behind
    finally:
        sink.released.set()


@pytest.mark.usefixtures("quick")
def test_a_run_that_is_told_to_stop_ends_whatever_its_reader_does(house: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A reader that computes for minutes, as one did over a hundred thousand columns."""
    over, reading = threading.Event(), threading.Event()

    def feed(self: Any, block: bytes) -> Any:
        reading.set()
        while not over.is_set():
            sum(range(1000))
        return iter(())

    monkeypatch.setattr("wire.reader.Reader.feed", feed)
    house.tap("p", GOOD + "; time.sleep(60)", kill_grace=0)
    runs = orchestrator(house)

    def stop() -> None:
        reading.wait(120)
        runs.stop.request("the run was stopped by SIGTERM")

    threading.Thread(target=stop).start()
    begun = time.monotonic()
    try:
        runs.run_all_platforms()
        assert time.monotonic() - begun < 40
        assert runs.left_behind
        assert runs.monitor.platform("p").attempts[0].outcome == "interrupted"
    finally:
        over.set()


def test_a_storage_that_opens_no_session_is_tried_again(house: Any) -> None:
    class Reluctant(NoSink):
        times = 0

        def session(self, platform: str, run_id: str) -> Any:
            self.times += 1
            if self.times < 3:
                raise SinkError("no connection")
            return super().session(platform, run_id)

    house.tap("p", GOOD, retry={"max_attempts": 3, "backoff_seconds": 0.05, "max_backoff_seconds": 1})
    runs = orchestrator(house, Reluctant(house.directory / "history.jsonl"))
    assert runs.run_all_platforms().success
    assert [each.outcome for each in runs.monitor.platform("p").attempts] == ["sink_error", "sink_error", "completed"]


def sweep(house: Any) -> None:
    """What systemd-tmpfiles does to what looks old."""
    for path in (house.directory / "tmp").glob("social-ads-*"):
        psutil.Popen(["rm", "-rf", str(path)]).wait()
    (house.directory / "swept").touch()


def test_a_temporary_directory_that_is_swept_away_costs_an_attempt_and_no_more(
    house: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(house.directory / "tmp"))
    once = "open('x', 'w').close()\nwhile not os.path.exists('swept'): time.sleep(0.02)\n"
    house.tap("p", once + GOOD, retry={"max_attempts": 2, "backoff_seconds": 0.05, "max_backoff_seconds": 1})
    runs = orchestrator(house)
    waiting = threading.Thread(target=lambda: (until((house.directory / "x").exists), sweep(house)))
    waiting.start()
    assert runs.run_all_platforms().success
    waiting.join()
    first, second = runs.monitor.platform("p").attempts
    assert (first.outcome, second.outcome) == ("sink_error", "completed")
    assert "No such file" in (first.message or "")
