"""Imported ahead by the process that the supervisor is forked from: what it makes at its first use of a configuration."""

from __future__ import annotations

import tempfile
from pathlib import Path

from supervisor.config.environment import read_environment
from supervisor.config.schema import load_orchestrator_config

with tempfile.TemporaryDirectory() as directory:
    path = Path(directory) / "orchestrator_config.yml"
    path.write_text("platforms:\n  - {name: one, command: [program], settings: {a: 1}}\n")
    load_orchestrator_config(path)
read_environment({})
