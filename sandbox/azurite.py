"""Azurite, Microsoft's emulator of Azure Table Storage, as a child process with nothing in it."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path
from types import TracebackType

import psutil

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = ROOT / ".tools/azurite/node_modules/azurite/dist/src/table/main.js"
ACCOUNT = "devstoreaccount1"
# The key that every installation of the emulator has: https://learn.microsoft.com/azure/storage/common/storage-use-azurite
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
_START_SECONDS = 120.0


def is_installed() -> bool:
    """Whether there is an emulator to start; tests/azurite.sh installs it."""
    return PROGRAM.exists() and shutil.which("node") is not None


def connection_string(port: int, *, key: str = KEY, host: str = "127.0.0.1") -> str:
    """What AZURE_STORAGE_CONNECTION_STRING is for an emulator."""
    return (
        f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={key};"
        f"TableEndpoint=http://{host}:{port}/{ACCOUNT};"
    )


class Azurite:
    """The emulator from entry to exit, on a port of the system's choice. It keeps everything in memory.

    Raises OSError where it does not start.
    """

    port: int

    @property
    def connection_string(self) -> str:
        return connection_string(self.port)

    def __enter__(self) -> Azurite:
        self._process = subprocess.Popen(
            [
                *("node", str(PROGRAM), "--tableHost", "127.0.0.1", "--tablePort", "0"),
                *("--inMemoryPersistence", "--silent", "--disableTelemetry", "--skipApiVersionCheck"),
            ],
            cwd=PROGRAM.parent,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + _START_SECONDS
        while not (ports := self._listening()):
            if time.monotonic() > until or self._process.poll() is not None:
                self._end()
                raise OSError(f"Azurite does not listen; try: node {PROGRAM}")
            time.sleep(0.05)
        self.port = ports[0]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _listening(self) -> list[int]:
        """Its port, which it does not tell."""
        try:
            connections = psutil.Process(self._process.pid).net_connections("tcp")
        except psutil.Error:
            return []
        return [each.laddr.port for each in connections if each.status == psutil.CONN_LISTEN]

    def _end(self) -> None:
        self._process.terminate()
        self._process.wait()
