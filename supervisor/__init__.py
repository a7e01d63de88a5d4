"""One supervisor that runs ad-platform pipelines: each in a process of its own, all into one database.

The names below are imported when they are first used, so that the command line starts without them.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from supervisor.config import OrchestratorConfig, PlatformConfig, RetryConfig, load_orchestrator_config
    from supervisor.monitor import ExecutionMonitor
    from supervisor.orchestrator import SocialAdsOrchestrator
    from supervisor.registry import PlatformRegistry, create_default_registry
    from supervisor.scheduler import PlatformScheduler

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
    "ExecutionMonitor": "monitor",
    "OrchestratorConfig": "config",
    "PlatformConfig": "config",
    "PlatformRegistry": "registry",
    "PlatformScheduler": "scheduler",
    "RetryConfig": "config",
    "SocialAdsOrchestrator": "orchestrator",
    "create_default_registry": "registry",
    "load_orchestrator_config": "config",
}


def __getattr__(name: str) -> object:
    if name not in _ROOMS:
        raise AttributeError(f"module 'supervisor' has no attribute {name!r}")
    return getattr(import_module(f"supervisor.{_ROOMS[name]}"), name)
