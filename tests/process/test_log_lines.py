"""Lines of a log as they are shown: no secret at any edge, nothing that steers a terminal."""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable

from supervisor.config.credentials import secret_values
from supervisor.process.log_lines import log_lines
from wire.bounds import MOST_LOG_LINES


def shown(
    written: bytes, secrets: frozenset[str] = frozenset(), *, clock: Callable[[], float] = lambda: 100.0
) -> list[str]:
    read, write = os.pipe()

    def say() -> None:
        with os.fdopen(write, "wb") as pipe:
            pipe.write(written)

    threading.Thread(target=say).start()
    return list(log_lines(read, secrets, sign=lambda: None, clock=clock))


def test_no_part_of_a_secret_is_shown_at_the_edge_of_what_is_read() -> None:
    """A line full of secrets shrinks so much that its 64 KiB fit into what is shown, edge and all."""
    secret = "s3cr3t-" + "abcdefghij" * 20
    secrets = secret_values({"VERTICA_PASSWORD": secret})
    for before in range(0, len(secret), 7):
        (line,) = shown(b"x" * before + secret.encode() * 400, secrets)
        assert "s3cr" not in line and "abcd" not in line


def test_control_characters_are_spelled_out() -> None:
    assert shown(b"a\x1b[2J\rforged\x00\n\xc2\x9b1A\n") == ["a\\x1b[2J\\rforged\\x00", "\\x9b1A"]


def test_what_is_more_than_a_log_may_have_is_left_out_and_counted_but_for_the_last_words() -> None:
    metric = b'METRIC: {"metric": "http_request_count", "value": 1}\n'
    lines = shown(
        b"".join(b"%d\n" % n + metric * (not n % 4) for n in range(3 * MOST_LOG_LINES)) + b"s3cr3t!\n",
        frozenset({"s3cr3t!"}),
    )
    metrics = [line for line in lines if line.startswith("METRIC")]
    others = [line for line in lines if not line.startswith("METRIC")]
    assert len(metrics) == 3 * MOST_LOG_LINES // 4, "a flood of other lines kept them from being counted"
    assert others[:MOST_LOG_LINES] == [str(n) for n in range(MOST_LOG_LINES)]
    begins, ends, *last = others[MOST_LOG_LINES:]
    assert (
        begins
        == "WARNING | lines of its log are left out for now: there are more than 10,000 of them, or 16 MiB, in 30 s"
    )
    assert (
        ends
        == "WARNING | 20,001 lines of its log were left out: there were more than 10,000 of them, or 16 MiB, in 30 s"
    )
    assert last == [*(str(n) for n in range(3 * MOST_LOG_LINES - 19, 3 * MOST_LOG_LINES)), "[redacted]"]


def test_long_lines_are_bounded_by_their_bytes_and_a_new_span_of_time_has_room_again() -> None:
    times = itertools.chain([0.0] * 2060, itertools.repeat(31.0))
    lines = shown((b"x" * 9000 + b"\n") * 4000 + b"again\n", clock=lambda: next(times))
    passed = [line for line in lines if line.startswith("x")]
    begins, counted = (line.removeprefix("WARNING | ") for line in lines if line.startswith("WARNING"))
    assert begins.startswith("lines of its log are left out for now: ")
    assert len(passed) >= 16 * 2**20 // 8192
    assert len(passed) + int(counted.partition(" ")[0].replace(",", "")) == 4000
    assert lines[-1] == "again"
