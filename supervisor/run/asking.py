"""A question to a pipeline: its command with another option, in its own environment, and what it says within a time."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from attrs import frozen

from supervisor.process.child import Child
from supervisor.process.user import find_user
from supervisor.run.registry import Pipeline

_LOOK_SECONDS = 0.05
_GRACE_SECONDS = 1.0


@frozen(kw_only=True)
class Heard:
    """What the pipeline said before it `ended`, or was ended; of each stream as many bytes as were asked for."""

    ended: bool
    status: int | None
    stdout: bytes
    stderr: bytes

    @property
    def last_words(self) -> str:
        """The end of a sentence: the last line of its log."""
        words = self.stderr.decode(errors="replace").strip().splitlines()
        return f"its last line was: {words[-1]}" if words else "it wrote nothing to its log"


def ask(
    pipeline: Pipeline,
    question: str,
    settings: Mapping[str, Any],
    *,
    run_as: str | None = None,
    seconds: float,
    most_bytes: int,
    over: threading.Event | None = None,
) -> Heard:
    """Call the pipeline with `--config /dev/stdin` and the question; it is ended after `seconds`, or once `over` is.

    With `run_as` it is asked as that user. Raises ConfigError for one who is not there, and SpawnError where the
    pipeline cannot be started.
    """
    user = find_user(run_as) if run_as else None
    child = Child.spawn(
        # The settings go through a pipe: they may hold secrets, and a file would outlive a kill.
        (*pipeline.command, "--config", "/dev/stdin", question),
        directory=pipeline.directory,
        environment={**pipeline.environment, **({"HOME": user.home} if user is not None else {})},
        with_input=True,
        user=user,
    )
    said: dict[str, bytes] = {}
    threads = [
        threading.Thread(target=_feed, args=(child.stdin, json.dumps(dict(settings)).encode()), daemon=True),
        *(
            threading.Thread(target=_read, args=(said, name, descriptor, most_bytes), daemon=True)
            for name, descriptor in (("stdout", child.stdout), ("stderr", child.stderr))
        ),
    ]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + seconds
    ended = False
    try:
        while not (ended := child.wait(_LOOK_SECONDS)) and time.monotonic() < deadline:
            if over is not None and over.is_set():
                break
    finally:
        child.stop(_GRACE_SECONDS if ended else 0)
        status = child.reap()
        for thread in threads:
            thread.join(_GRACE_SECONDS)
    return Heard(ended=ended, status=status, stdout=said.get("stdout", b""), stderr=said.get("stderr", b""))


def _feed(descriptor: int, content: bytes) -> None:
    with suppress(OSError), os.fdopen(descriptor, "wb") as pipe:  # who does not read it breaks the pipe
        pipe.write(content)


def _read(said: dict[str, bytes], name: str, descriptor: int, most: int) -> None:
    with suppress(OSError), os.fdopen(descriptor, "rb") as pipe:
        said[name] = pipe.read(most)
        while pipe.read(most):
            pass
