"""Azurite, Microsoft's emulator of Azure Table Storage, as a child process with nothing in it."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).resolve().parent.parent
PROGRAM = ROOT / ".tools/azurite/node_modules/azurite/dist/src/table/main.js"
ACCOUNT = "devstoreaccount1"
# The key that every installation of the emulator has: https://learn.microsoft.com/azure/storage/common/storage-use-azurite
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="
_START_SECONDS = 30.0


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
    """The emulator from entry to exit; raises OSError where it does not start. It keeps everything in memory."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port: int = free.getsockname()[1]

    @property
    def connection_string(self) -> str:
        return connection_string(self.port)

    def __enter__(self) -> Azurite:
        self._process = subprocess.Popen(
            [
                *("node", str(PROGRAM), "--tableHost", "127.0.0.1", "--tablePort", str(self.port)),
                *("--inMemoryPersistence", "--silent", "--disableTelemetry", "--skipApiVersionCheck"),
            ],
            cwd=PROGRAM.parent,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + _START_SECONDS
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return self
            except OSError:
                if time.monotonic() > until or self._process.poll() is not None:
                    self._end()
                    raise
                time.sleep(0.05)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        self._process.terminate()
        self._process.wait()
