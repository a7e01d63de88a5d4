"""What would keep a Singer target from being used, and what of its variables is secret."""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping

from supervisor.config.credentials import secret_values
from supervisor.config.environment import SingerAccess
from supervisor.config.errors import SinkError
from supervisor.sinks.singer.state_file import read_states

_SHORTEST_SECRET_LINE = 12


def obstacle(access: SingerAccess, visible: Mapping[str, str]) -> str | None:
    """Why no target could be started or its state be kept, as a sentence, or None; creates nothing."""
    program, path = access.command[0], access.state_path.absolute()
    if shutil.which(program, path=access.environment.get("PATH", visible.get("PATH"))) is None:
        return f"SINGER_TARGET_COMMAND: {program} is not found, or is no program that may be executed"
    if not (path.parent.is_dir() and os.access(path.parent, os.W_OK)):
        return f"SINGER_STATE_PATH: {path} cannot be written: {path.parent} is not a writable directory"
    try:
        read_states(path)
    except SinkError as error:
        return f"SINGER_STATE_PATH: {error}"
    return None


def target_secrets(access: SingerAccess) -> frozenset[str]:
    """All that a target was told in confidence, as its log could spell it; of a key of many lines, each line."""
    values = access.environment.values()
    lines = {line.strip() for value in values if "\n" in value for line in value.splitlines()}
    return secret_values(access.environment, access.environment) | {
        line for line in lines if len(line) >= _SHORTEST_SECRET_LINE
    }
