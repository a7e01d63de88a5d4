"""The sandbox as processes, one per platform, as whoever starts it needs them: their variables, and a sure end."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import TracebackType
from typing import IO

from sandbox.world import PLATFORMS

_START_SECONDS = 60.0
_STOP_SECONDS = 5.0
_HOME = Path(__file__).resolve().parent.parent


class SandboxError(Exception):
    """A platform's server did not come up; says which and what it wrote last."""


class Sandbox:
    """Running servers; `environment` points pipelines at them. Closing, or dying, ends them.

    `interpreters` names the Python that has what a platform's server needs (Google's messages come with its SDK);
    other platforms run on this one. `faults` maps platforms to fault spellings, see `sandbox.faults.Fault.parse`, and
    `variables` are for the servers themselves, their limits say.
    """

    program: type[subprocess.Popen[bytes]] = subprocess.Popen
    """What starts a server; the tests have a cheaper way."""

    def __init__(
        self,
        platforms: Iterable[str] = PLATFORMS,
        *,
        options: Iterable[str] = (),
        faults: Mapping[str, Iterable[str]] | None = None,
        interpreters: Mapping[str, Path] | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self.environment: dict[str, str] = {}
        self._variables = {**os.environ, **(variables or {})}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self._logs: dict[str, IO[bytes]] = {}
        try:
            for platform in platforms:
                struck = [word for fault in (faults or {}).get(platform, ()) for word in ("--fault", fault)]
                python = (interpreters or {}).get(platform, Path(sys.executable))
                self._start(platform, [str(python), "-m", "sandbox.serve", platform, *options, *struck])
            for platform in self.processes:
                self.environment |= self._announced(platform)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """End every server; each also ends by itself when this process does, because its standard input ends."""
        for process in self.processes.values():
            if process.stdin is not None:
                process.stdin.close()
        for process in self.processes.values():
            try:
                process.wait(_STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout is not None:
                process.stdout.close()
        for log in self._logs.values():
            log.close()

    def __enter__(self) -> Sandbox:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _start(self, platform: str, command: list[str]) -> None:
        self._logs[platform] = tempfile.TemporaryFile()  # noqa: SIM115 - closed with the sandbox
        self.processes[platform] = self.program(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._logs[platform],
            cwd=_HOME,
            env=self._variables,
            # A Ctrl-C in the terminal is for whoever runs the sandbox, who then closes it.
            start_new_session=True,
        )

    def _announced(self, platform: str) -> dict[str, str]:
        output = self.processes[platform].stdout
        assert output is not None
        ready, _, _ = select.select([output], [], [], _START_SECONDS)
        line = output.readline() if ready else b""
        if not line:
            self._logs[platform].seek(0)
            words = self._logs[platform].read()[-2000:].decode(errors="replace").strip().splitlines()
            raise SandboxError(f"the sandbox of {platform} did not start: {words[-1] if words else 'it said nothing'}")
        environment: dict[str, str] = json.loads(line)["environment"]
        return environment

    def wait(self) -> None:
        """Wait until one of the servers has ended; returns only on a failure of one, or never."""
        while all(process.poll() is None for process in self.processes.values()):
            time.sleep(0.2)
