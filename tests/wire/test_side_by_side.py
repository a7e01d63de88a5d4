"""Accounts side by side: real threads, a platform that throttles, and nobody who waits for somebody else's limit."""

from __future__ import annotations

import threading
import time
from collections import Counter

import pytest

from wire.backoff import Backoff, call_with_retries
from wire.exits import Kind
from wire.failures import PipelineError
from wire.limiter import FIRST, PROBE_AFTER, Limiter
from wire.side_by_side import side_by_side


class Platform:
    """Answers after a while; knows how many requests were under way together at most."""

    def __init__(self, seconds: float = 0.01) -> None:
        self.seconds = seconds
        self.under_way = 0
        self.most = 0
        self._lock = threading.Lock()

    def answer(self) -> None:
        with self._lock:
            self.under_way += 1
            self.most = max(self.most, self.under_way)
        time.sleep(self.seconds)
        with self._lock:
            self.under_way -= 1


def ask(platform: Platform, limiter: Limiter, times: int = 1) -> None:
    for _ in range(times):
        with limiter.place():
            platform.answer()


@pytest.mark.parametrize("concurrency", [1, 3, 8])
def test_every_account_is_loaded_and_never_more_requests_than_allowed_are_under_way(concurrency: int) -> None:
    platform, limiter, done = Platform(0.004 * concurrency), Limiter(concurrency), Counter[int]()

    def load(account: int) -> None:
        ask(platform, limiter, 3)
        done[account] += 1

    side_by_side(load, range(40), limiter=limiter)
    assert done == Counter(range(40))
    assert platform.most == concurrency


def test_it_begins_slowly_and_doubles_until_the_first_throttle() -> None:
    limiter = Limiter(16)
    seen = []
    for _ in range(40):
        seen.append(limiter.allowed)
        with limiter.place() as place:
            pass
    assert sorted(set(seen)) == [FIRST, 4, 8, 16]
    limiter.throttled(place)
    assert limiter.allowed == 8
    for _ in range(8):
        with limiter.place():
            pass
    assert limiter.allowed == 9


def test_what_was_too_much_is_tried_again_only_after_many_good_answers() -> None:
    limiter = Limiter(16)
    for _ in range(40):
        with limiter.place() as place:
            pass
    limiter.throttled(place)
    for _ in range(200):
        ask(Platform(0), limiter)
    assert limiter.allowed == 15
    for _ in range(PROBE_AFTER):
        ask(Platform(0), limiter)
    assert limiter.allowed == 16


def test_a_platform_that_lets_four_through_refuses_few() -> None:
    limiter, refused = Limiter(32), 0
    for _ in range(1_000):
        with limiter.place() as place:
            pass
        if limiter.allowed > 4:
            refused += 1
            limiter.throttled(place)
    assert refused <= 10


def test_who_waits_to_repeat_a_request_is_woken_when_the_others_are_stopped() -> None:
    limiter = Limiter(2)

    def load(account: str) -> None:
        def call() -> None:
            raise PipelineError(Kind.TRANSIENT, "in trouble", account_id=account, retry_after=60.0)

        if account == "refused":
            limiter.wait_for(lambda: limiter.waiting == 1)
            raise PipelineError(Kind.AUTH, "the token is refused")
        call_with_retries(call, mendable=lambda _: True, backoff=Backoff(), what=account, limiter=limiter)

    began = time.monotonic()
    with pytest.raises(PipelineError, match="the token is refused"):
        side_by_side(load, ["waits", "refused"], limiter=limiter)
    assert time.monotonic() - began < 30


def test_requests_that_were_under_way_together_halve_the_limit_once() -> None:
    limiter = Limiter(16)
    for _ in range(40):
        ask(Platform(0), limiter)
    with limiter.place() as one, limiter.place() as other:
        pass
    limiter.throttled(one)
    limiter.throttled(other)
    assert limiter.allowed == 8
    with limiter.place() as later:
        pass
    limiter.throttled(later)
    assert limiter.allowed == 4


def test_a_throttle_of_the_login_makes_everybody_wait() -> None:
    limiter = Limiter(4)
    with limiter.place() as place:
        pass
    limiter.throttled(place, pause=0.2)
    began = time.monotonic()
    ask(Platform(0), limiter)
    assert time.monotonic() - began >= 0.19


def test_a_limited_account_does_not_stop_the_others() -> None:
    limiter, order, refused = Limiter(2), list[str](), Counter[str]()

    def load(account: str) -> None:
        def call() -> None:
            refused[account] += 1
            if account.startswith("limited") and refused[account] == 1:
                raise PipelineError(Kind.RATE_LIMIT, "too many calls", account_id=account, retry_after=1.0)

        call_with_retries(call, mendable=lambda _: True, backoff=Backoff(), what=account, limiter=limiter)
        order.append(account)

    accounts = ["limited 1", "limited 2", "limited 3", *map(str, range(5))]
    began = time.monotonic()
    side_by_side(load, accounts, limiter=limiter)
    assert sorted(order[:5]) == list("01234")
    assert time.monotonic() - began < 3.0, "the limited ones waited side by side"


def test_who_throttles_for_an_hour_is_not_waited_for() -> None:
    """Its account's failure says how long; the others go on, and a throttle of the login keeps nobody for an hour."""
    limiter, failed, done = Limiter(4), dict[str, PipelineError](), list[str]()

    def load(account: str) -> None:
        def call() -> None:
            if account == "limited":
                raise PipelineError(Kind.RATE_LIMIT, "too many calls", account_id=account, retry_after=3600.0)

        try:
            call_with_retries(call, mendable=lambda _: True, backoff=Backoff(), what=account, limiter=limiter)
            done.append(account)
        except PipelineError as error:
            failed[account] = error

    side_by_side(load, ["limited", *map(str, range(9))], limiter=limiter)
    assert (sorted(done), list(failed)) == (list("012345678"), ["limited"])
    assert failed["limited"].retry_after == 3600.0
    assert (limiter.in_flight, limiter.waiting, limiter.allowed >= 1) == (0, 0, True)


def test_what_ends_one_ends_the_others_at_their_next_request() -> None:
    limiter, calls = Limiter(2), Counter[str]()

    def load(account: str) -> None:
        if account == "refused":
            raise PipelineError(Kind.AUTH, "the token is refused")
        for _ in range(10_000):
            with limiter.place():
                calls[account] += 1
                time.sleep(0.001)

    with pytest.raises(PipelineError, match="the token is refused"):
        side_by_side(load, ["long", "refused", "never"], limiter=limiter)
    assert 0 < calls["long"] < 10_000 and calls["never"] == 0


def test_a_limit_that_is_near_makes_everybody_wait_and_is_counted_once() -> None:
    limiter = Limiter(4, clock=lambda: 10.0)
    assert [limiter.pause(2.0), limiter.pause(0.5), limiter.pause(3.0)] == [2.0, 0.0, 1.0]
    limiter = Limiter(4)
    limiter.pause(0.2)
    began = time.monotonic()
    ask(Platform(0), limiter)
    assert time.monotonic() - began >= 0.19
    assert limiter.allowed > 1, "nothing was refused"


def test_who_waits_for_something_else_than_a_place_learns_that_all_is_over() -> None:
    limiter = Limiter(2)
    limiter.check()
    limiter.stop(PipelineError(Kind.AUTH, "the token is refused"))
    with pytest.raises(PipelineError, match="the token is refused"):
        limiter.check()


def test_at_a_concurrency_of_one_accounts_follow_one_another_whatever_they_wait_for() -> None:
    limiter, order = Limiter(1), list[str]()

    def load(account: str) -> None:
        order.append(account)
        with limiter.repeating():
            time.sleep(0.05)
        order.append(account)

    side_by_side(load, "abc", limiter=limiter)
    assert order == list("aabbcc")


def test_a_concurrency_below_one_is_a_sentence() -> None:
    with pytest.raises(PipelineError, match=r"settings.concurrency: expected a whole number of at least 1, got 0"):
        Limiter(0)
