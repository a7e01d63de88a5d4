"""Any Singer target: rows go to one supervised process per platform, and a state counts when the target echoes it.

Runs are kept in a file, states in another.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from supervisor.config.credentials import visible_environment

if TYPE_CHECKING:
    from pathlib import Path

    from supervisor.config.environment import RunEnvironment, SingerAccess
    from supervisor.sinks.singer.history import SingerHistory
    from supervisor.sinks.singer.sink import SingerSink


def open_sink(environment: RunEnvironment, spools: Path | None = None) -> SingerSink:
    from supervisor.sinks.singer.sink import SingerSink  # noqa: PLC0415 - only for a run

    return SingerSink(_access(environment), visible=_visible(), history_path=environment.history_path, spools=spools)


def open_history(environment: RunEnvironment) -> SingerHistory:
    from supervisor.sinks.singer.history import SingerHistory  # noqa: PLC0415 - only where it is asked for

    return SingerHistory(environment.history_path, _access(environment).state_path)


def check(environment: RunEnvironment) -> str | None:
    from supervisor.sinks.lock import held_by, lock_path  # noqa: PLC0415 - only where it is asked for
    from supervisor.sinks.singer.access import obstacle  # noqa: PLC0415 - as above

    access = _access(environment)
    found = obstacle(access, _visible())
    holder = held_by(lock_path(access.state_path.absolute()))
    if found is None and holder is not None:
        return f"SINGER_STATE_PATH: {access.state_path.absolute()} is in use by {holder}"
    return found


def _access(environment: RunEnvironment) -> SingerAccess:
    assert environment.singer is not None, "STORAGE_TYPE=singer comes with it"
    return environment.singer


def _visible() -> dict[str, str]:
    """What a target sees beside the variables that it was given: what any program needs, and no platform's."""
    return visible_environment("singer target")
