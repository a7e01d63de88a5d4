"""The lines that a child writes to its standard error, redacted and cut before anybody shows or keeps them."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import IO

from supervisor.config.redaction import harmless, redact

_LINE_BYTES = 65536
_LINE_SHOWN = 8192


def log_lines(descriptor: int, secrets: frozenset[str], *, sign: Callable[[], None]) -> Iterator[str]:
    """The lines of a descriptor until its end, when it is closed; empty ones too. `sign` is called for each piece.

    What could steer a terminal or pass for another line is spelled out.
    """
    longest = max(map(len, secrets), default=0)
    with os.fdopen(descriptor, "rb", buffering=_LINE_BYTES) as stream:
        while line := stream.readline(_LINE_BYTES):
            sign()
            cut = not line.endswith(b"\n") and _skip_line(stream, sign)
            # Redacted before it is cut, or half a secret would stay at the edge; and at the edge of what was read
            # there may be half of one that no pattern knows.
            text = harmless(redact(line.decode(errors="replace").rstrip(), secrets))
            text = text[: max(0, len(text) - longest)] if cut else text
            yield f"{text[:_LINE_SHOWN]} [...]" if cut or len(text) > _LINE_SHOWN else text


def _skip_line(stream: IO[bytes], sign: Callable[[], None]) -> bool:
    """Read on to the end of a line that is too long; whether there was more of it."""
    more = False
    while (rest := stream.readline(_LINE_BYTES)) and not rest.endswith(b"\n"):
        sign()
        more = True
    return more or bool(rest.strip())
