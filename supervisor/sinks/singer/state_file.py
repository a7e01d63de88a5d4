"""The states that a target has echoed: one JSON object in a file, a platform's name to its state."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path

import msgspec
from msgspec import Raw

from supervisor.config.errors import SinkError
from supervisor.record.whole_file import replace_file

_STATES = msgspec.json.Decoder(dict[str, Raw])


def read_states(path: Path) -> dict[str, bytes]:
    """The JSON text of each platform's state; none where there is no file. Raises SinkError for a broken one.

    A state that cannot be read is no empty one: a run that started anew would load everything again.
    """
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return {}
    except OSError as cause:
        raise SinkError(f"the state file {path} cannot be read: {cause.strerror or cause}") from cause
    try:
        content.decode()  # msgspec does not look at the bytes of what it leaves as it is
        return {platform: bytes(state) for platform, state in _STATES.decode(content).items()}
    except (msgspec.DecodeError, UnicodeDecodeError) as cause:
        raise SinkError(
            f"the state file {path} is broken ({cause}); put a copy of it back, "
            "or remove it to have everything loaded anew"
        ) from cause


class StateFile:
    """The file of one run. Any thread may read and put; a state that was put survives the machine's end."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._states = read_states(path)
        self._writing = threading.Lock()

    def get(self, platform: str) -> bytes | None:
        return self._states.get(platform)

    def put(self, platform: str, state: bytes | None) -> None:
        """Put a state, compact JSON text, in place of the platform's; None takes that away. Raises SinkError."""
        with self._writing:
            states = {name: kept for name, kept in self._states.items() if name != platform}
            if state is not None:
                states[platform] = state
            self._write(states)
            self._states = states

    def _write(self, states: Mapping[str, bytes]) -> None:
        content = msgspec.json.encode({name: Raw(states[name]) for name in sorted(states)}) + b"\n"
        try:
            replace_file(self._path, content)
        except OSError as cause:
            raise SinkError(f"the state file {self._path} cannot be written: {cause.strerror or cause}") from cause
