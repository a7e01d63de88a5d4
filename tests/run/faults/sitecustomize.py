"""Put before everything else on the supervisor's path: makes the n-th call of one kind fail, as the system would.

FAULT_KIND names the calls, FAULT_AT says which of them (0: none), FAULT_FILE is where the numbers of calls of all kinds
are told at the end, as JSON. Only calls that an attempt of the platform `victim` makes are counted: those of the threads that work for it.
"""

from __future__ import annotations

import _posixsubprocess
import builtins
import errno
import io
import json
import os
import shutil
import subprocess
import sys
import threading
from collections import Counter
from pathlib import Path
from typing import Any

KIND, AT, FILE = os.environ.get("FAULT_KIND"), int(os.environ.get("FAULT_AT", "0")), os.environ.get("FAULT_FILE", "")
calls: Counter[str] = Counter()
local = threading.local()


def fails(kind: str) -> bool:
    if not getattr(local, "victim", False):
        return False
    calls[kind] += 1
    return kind == KIND and calls[kind] == AT


def failing(kind: str, number: int, real: Any) -> Any:
    def call(*given: Any, **named: Any) -> Any:
        if fails(kind):
            raise OSError(number, os.strerror(number), given[0] if given and isinstance(given[0], str) else None)
        return real(*given, **named)

    return call


def looks(path: object) -> bool:
    return isinstance(path, str | bytes) and str(path).find("/proc/") >= 0


def opening(real: Any) -> Any:
    def call(file: Any, *given: Any, **named: Any) -> Any:
        if fails("look" if looks(file) else "open"):
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE), str(file))
        return real(file, *given, **named)

    return call


def watch_threads() -> None:
    start, run = threading.Thread.start, threading.Thread.run

    def started(thread: threading.Thread) -> None:
        if fails("thread"):
            raise RuntimeError("can't start new thread")
        thread.of_victim = getattr(local, "victim", False)  # type: ignore[attr-defined]
        start(thread)

    def running(thread: threading.Thread) -> None:
        local.victim = getattr(thread, "of_victim", False)
        run(thread)

    threading.Thread.start, threading.Thread.run = started, running  # type: ignore[method-assign]


def watch_attempts() -> None:
    from supervisor.run.attempts import Attempts

    run = Attempts.run

    def running(attempts: Any) -> Any:
        local.victim = attempts.platform.name == "victim"
        try:
            return run(attempts)
        finally:
            local.victim = False

    Attempts.run = running  # type: ignore[method-assign]


if KIND and sys.argv[0:1] != ["-c"]:
    io.open = builtins.open = opening(builtins.open)  # type: ignore[assignment]
    os.open = opening(os.open)
    os.mkdir = failing("mkdir", errno.ENOSPC, os.mkdir)
    os.pipe = failing("pipe", errno.EMFILE, os.pipe)
    os.write = failing("write", errno.EIO, os.write)
    os.unlink = failing("unlink", errno.EIO, os.unlink)
    shutil.rmtree = failing("rmtree", errno.EIO, shutil.rmtree)
    subprocess._fork_exec = failing("fork", errno.EAGAIN, _posixsubprocess.fork_exec)  # type: ignore[attr-defined]
    watch_threads()

    def tell() -> None:
        Path(FILE).write_text(json.dumps(calls))

    def ending(code: int, end: Any = os._exit) -> None:
        tell()
        end(code)

    os._exit = ending  # type: ignore[assignment]
    import importlib.abc
    import importlib.machinery

    class Finder(importlib.abc.MetaPathFinder):
        """Wraps the attempts as soon as their module is there."""

        def find_spec(self, name: str, path: Any = None, target: Any = None) -> Any:
            if name != "supervisor.run.attempts":
                return None
            sys.meta_path.remove(self)
            spec = importlib.machinery.PathFinder.find_spec(name, path)
            if spec is None or spec.loader is None:
                return None
            execute = spec.loader.exec_module

            def exec_module(module: Any) -> None:
                execute(module)
                watch_attempts()

            spec.loader.exec_module = exec_module  # type: ignore[method-assign]
            return spec

    sys.meta_path.insert(0, Finder())
