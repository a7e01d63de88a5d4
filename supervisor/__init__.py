"""One supervisor that runs ad-platform pipelines: each in a process of its own, all into one database.

The names below are imported when they are first used, so that the command line starts without them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from supervisor.config.schema import OrchestratorConfig, PlatformConfig, RetryConfig, load_orchestrator_config
    from supervisor.run.monitor import ExecutionMonitor
    from supervisor.run.orchestrator import SocialAdsOrchestrator
    from supervisor.run.registry import PlatformRegistry, create_default_registry
    from supervisor.run.scheduler import PlatformScheduler

__version__ = "1.0.0"

__all__ = [
    "ExecutionMonitor",
    "OrchestratorConfig",
    "PlatformConfig",
    "PlatformRegistry",
    "PlatformScheduler",
    "RetryConfig",
    "SocialAdsOrchestrator",
    "create_default_registry",
    "load_orchestrator_config",
]

_ROOMS = {
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
