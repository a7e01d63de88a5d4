"""One supervisor that runs ad-platform pipelines: each in a process of its own, all into one database.

The names below are imported when they are first used, so that the command line starts without them.
"""

from __future__ import annotations

import sys
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from supervisor.config.errors import ConfigError, InstallError, ReportError, SinkError, SupervisorError
    from supervisor.config.schema import OrchestratorConfig, PlatformConfig, RetryConfig, load_orchestrator_config
    from supervisor.run.given import open_sink
    from supervisor.run.monitor import ExecutionMonitor
    from supervisor.run.orchestrate import orchestrate
    from supervisor.run.orchestrator import SocialAdsOrchestrator
    from supervisor.run.registry import PlatformRegistry, create_default_registry
    from supervisor.run.scheduler import PlatformScheduler
    from supervisor.sinks import Session, Sink

__version__ = "1.0.0"

# A checkout that is only put on PYTHONPATH, as in a container, has its wire one directory deeper.
_WIRE = Path(__file__).resolve().parents[1] / "wire" / "src"
if str(_WIRE) not in sys.path and _WIRE.is_dir():
    sys.path.append(str(_WIRE))

__all__ = [
    "ConfigError",
    "ExecutionMonitor",
    "InstallError",
    "OrchestratorConfig",
    "PlatformConfig",
    "PlatformRegistry",
    "PlatformScheduler",
    "ReportError",
    "RetryConfig",
    "Session",
    "Sink",
    "SinkError",
    "SocialAdsOrchestrator",
    "SupervisorError",
    "create_default_registry",
    "load_orchestrator_config",
    "open_sink",
    "orchestrate",
]

_ROOMS = {
    **dict.fromkeys(("ConfigError", "InstallError", "ReportError", "SinkError", "SupervisorError"), "config.errors"),
    "Session": "sinks",
    "Sink": "sinks",
    "open_sink": "run.given",
    "orchestrate": "run.orchestrate",
    "ExecutionMonitor": "run.monitor",
    "OrchestratorConfig": "config.schema",
    "PlatformConfig": "config.schema",
    "PlatformRegistry": "run.registry",
    "PlatformScheduler": "run.scheduler",
    "RetryConfig": "config.schema",
    "SocialAdsOrchestrator": "run.orchestrator",
    "create_default_registry": "run.registry",
    "load_orchestrator_config": "config.schema",
}


def __getattr__(name: str) -> object:
    if name not in _ROOMS:
        raise AttributeError(f"module 'supervisor' has no attribute {name!r}")
    return getattr(import_module(f"supervisor.{_ROOMS[name]}"), name)
