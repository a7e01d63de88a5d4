"""Everybody gets a turn, after what they wait for and no more at once than allowed, however few threads there are."""

from __future__ import annotations

import threading
import time

import pytest

from supervisor.run.turns import Turns


class Work:
    """Notes when each name began and ended; one that is `slow` ends after another has begun, if that ever does."""

    def __init__(self, **slow: str) -> None:
        self.slow = slow
        self.events: list[tuple[str, str]] = []
        self.most = self._now = 0
        self._lock = threading.Lock()

    def __call__(self, name: str) -> None:
        with self._lock:
            self.events.append(("begin", name))
            self._now += 1
            self.most = max(self.most, self._now)
        time.sleep(0.01)
        deadline = time.monotonic() + 30
        while name in self.slow and ("begin", self.slow[name]) not in self.events and time.monotonic() < deadline:
            time.sleep(0.01)
        with self._lock:
            self._now -= 1
            self.events.append(("end", name))


def test_who_depends_on_a_quick_one_does_not_wait_for_a_slow_one() -> None:
    work = Work(slow="after")
    Turns(["slow", "quick", "after"], {"after": ("quick",)}, work).take(2)
    assert work.events.index(("begin", "after")) < work.events.index(("end", "slow"))
    assert work.events.index(("begin", "after")) > work.events.index(("end", "quick"))


@pytest.mark.parametrize("at_once", [1, 2, 4])
def test_no_more_at_once_than_allowed(at_once: int) -> None:
    work = Work()
    Turns([f"p{n}" for n in range(8)], {}, work).take(at_once)
    assert sorted(name for kind, name in work.events if kind == "end") == [f"p{n}" for n in range(8)]
    assert work.most <= at_once


def test_one_at_a_time_goes_in_order() -> None:
    work = Work()
    Turns(["c", "a", "b"], {"c": ("b",), "b": ("elsewhere",)}, work).take(1)
    assert [name for kind, name in work.events if kind == "begin"] == ["a", "b", "c"]


@pytest.mark.parametrize("allowed", [0, 1])
def test_fewer_threads_are_enough(allowed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    start, left = threading.Thread.start, [allowed]

    def scarce(thread: threading.Thread) -> None:
        if not left[0]:
            raise RuntimeError("can't start new thread")
        left[0] -= 1
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", scarce)
    work = Work()
    Turns(["a", "b", "c"], {"b": ("a",)}, work).take(3)
    assert sorted(name for kind, name in work.events if kind == "end") == ["a", "b", "c"]
    assert work.most == 1


def test_an_exception_of_one_keeps_nobody_waiting_and_is_raised_in_the_end() -> None:
    work = Work()

    def failing(name: str) -> None:
        if name == "a":
            raise ValueError("a bug")
        work(name)

    with pytest.raises(ValueError, match="a bug"):
        Turns(["a", "b"], {"b": ("a",)}, failing).take(2)
    assert work.events == [("begin", "b"), ("end", "b")]
