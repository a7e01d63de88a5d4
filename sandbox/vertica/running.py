"""The double as a child process of a test or a benchmark, so that the client has an interpreter of its own.

    with VerticaDouble(users={"etl": "secret"}) as server:
        vertica_python.connect(host=server.host, port=server.port, user="etl", password="secret", …)
        server.fault("lose_commit_answer", label="google")

A fault strikes from the moment `fault` returns.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

_REPOSITORY = Path(__file__).resolve().parents[2]
_PATIENCE = 10.0  # seconds for the child's end


class VerticaDouble:
    """`users` are names and passwords (none: anybody may log in); `tls` is a certificate's file and its key's."""

    host = "127.0.0.1"

    def __init__(
        self,
        *,
        users: Mapping[str, str] | None = None,
        login: str = "sha512",
        database: str | None = None,
        tls: tuple[Path, Path] | None = None,
        balance_to: tuple[str, int] | None = None,
        lock_timeout: float = 300.0,
        max_sessions: int = 50,
        port: int = 0,
    ) -> None:
        self._users = dict(users or {})
        self._options = [
            *("--login", login, "--lock-timeout", str(lock_timeout), "--max-sessions", str(max_sessions)),
            *("--port", str(port)),
        ]
        if database is not None:
            self._options += ["--database", database]
        if tls:
            self._options += ["--tls-certificate", str(tls[0]), "--tls-key", str(tls[1])]
        if balance_to:
            self._options += ["--balance-to", f"{balance_to[0]}:{balance_to[1]}"]
        self._lock = threading.Lock()
        self.port = 0

    def __enter__(self) -> VerticaDouble:
        self._directory = tempfile.TemporaryDirectory(prefix="vertica-double-")
        for position, (user, password) in enumerate(self._users.items()):
            file = Path(self._directory.name) / str(position)
            file.touch(mode=0o600)
            file.write_text(password)
            self._options += ["--user", user, "--password-file", str(file)]
        self._log = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            [sys.executable, "-m", "sandbox.vertica", *self._options],
            cwd=_REPOSITORY,
            env={**os.environ, "PYTHONPATH": str(_REPOSITORY), "TMPDIR": self._directory.name},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            start_new_session=True,  # a test's Ctrl-C is the client's, not the server's
        )
        try:
            self.port = int(self._answer()["port"])
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin and self._process.stdout
        self._process.stdin.close()
        try:
            self._process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
        self._log.close()
        self._directory.cleanup()

    def fault(self, kind: str, *, matching: str = "", label: str = "", after: int = 0, times: int = 1) -> None:
        """Arrange one of sandbox.vertica.faults. Raises ValueError for an unknown kind."""
        fault = {"kind": kind, "matching": matching, "label": label, "after": after, "times": times}
        self._order({"do": "fault", "fault": fault})

    def clear_faults(self) -> None:
        self._order({"do": "clear"})

    def struck(self) -> list[str]:
        """The kinds of the faults that struck, in order."""
        return list(self._order({"do": "struck"})["struck"])

    def statements(self) -> list[str]:
        """The last statements (up to 1,000) that sessions sent."""
        return list(self._order({"do": "statements"})["statements"])

    def waits(self) -> tuple[int, float]:
        """How many locks were had after a wait, and how long all these waits took, in seconds."""
        told = self._order({"do": "waits"})
        return int(told["waits"]), float(told["seconds"])

    def kill(self) -> None:
        """A crash: every connection ends, all data are gone."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def _order(self, document: Mapping[str, object]) -> dict[str, Any]:
        assert self._process.stdin
        with self._lock:
            self._process.stdin.write(json.dumps(document) + "\n")
            self._process.stdin.flush()
            answer = self._answer()
        if "error" in answer:
            raise ValueError(answer["error"])
        return answer

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout
        line = self._process.stdout.readline()
        if not line:
            self._log.seek(0)
            raise RuntimeError(f"the Vertica double ended: {self._log.read().decode(errors='replace')}")
        answer: dict[str, Any] = json.loads(line)
        return answer
