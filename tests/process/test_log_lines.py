"""Lines of a log as they are shown: no secret at any edge, nothing that steers a terminal."""

from __future__ import annotations

import os
import threading

from supervisor.config.credentials import secret_values
from supervisor.process.log_lines import log_lines


def shown(written: bytes, secrets: frozenset[str] = frozenset()) -> list[str]:
    read, write = os.pipe()

    def say() -> None:
        with os.fdopen(write, "wb") as pipe:
            pipe.write(written)

    threading.Thread(target=say).start()
    return list(log_lines(read, secrets, sign=lambda: None))


def test_no_part_of_a_secret_is_shown_at_the_edge_of_what_is_read() -> None:
    """A line full of secrets shrinks so much that its 64 KiB fit into what is shown, edge and all."""
    secret = "s3cr3t-" + "abcdefghij" * 20
    secrets = secret_values({"VERTICA_PASSWORD": secret})
    for before in range(0, len(secret), 7):
        (line,) = shown(b"x" * before + secret.encode() * 400, secrets)
        assert "s3cr" not in line and "abcd" not in line


def test_control_characters_are_spelled_out() -> None:
    assert shown(b"a\x1b[2J\rforged\x00\n\xc2\x9b1A\n") == ["a\\x1b[2J\\rforged\\x00", "\\x9b1A"]
