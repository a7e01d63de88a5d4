"""One run's target processes, and the state file that they share."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from supervisor.config.environment import SingerAccess
from supervisor.config.errors import SinkError
from supervisor.record.run_record import RunRecord
from supervisor.sinks.history_file import append_run
from supervisor.sinks.lock import RunLock, lock_path
from supervisor.sinks.singer.access import obstacle
from supervisor.sinks.singer.echoes import Echoes
from supervisor.sinks.singer.names import StreamNames
from supervisor.sinks.singer.session import SingerSession
from supervisor.sinks.singer.state_file import StateFile
from supervisor.sinks.singer.target import RunningTarget
from supervisor.sinks.staging import StagingDatabase


class SingerSink:
    """Gives sessions that each run a target of their own. `visible` is what any program may see of the environment."""

    def __init__(
        self, access: SingerAccess, *, visible: Mapping[str, str], history_path: Path, spools: Path | None = None
    ) -> None:
        found = obstacle(access, visible)
        if found is not None:
            raise SinkError(found)
        self._access = access
        self._visible = visible
        self._history_path = history_path
        self._names = StreamNames()
        path = access.state_path.absolute()
        self._lock = RunLock(lock_path(path), what=f"the state file {path}")
        try:
            self._states = StateFile(path)
            self._database = StagingDatabase(spools)
        except BaseException:
            self._lock.release()
            raise

    @property
    def description(self) -> str:
        return f"singer target {self._access.command[0]}, state in {self._access.state_path.absolute()}"

    def session(self, platform: str, run_id: str) -> SingerSession:  # noqa: ARG002 - a target is not told of runs
        return SingerSession(
            platform,
            names=self._names,
            staging=self._database.staging(),
            states=self._states,
            start=self._start_target,
        )

    def put_state(self, platform: str, state: bytes | None) -> None:
        self._states.put(platform, state)

    def record_run(self, record: RunRecord) -> None:
        append_run(self._history_path, record)

    def publish(self) -> None:
        """Readers see what the target shows them."""

    def close(self) -> None:
        try:
            self._database.close()
        finally:
            self._lock.release()

    def _start_target(self, platform: str, echoes: Echoes) -> RunningTarget:
        return RunningTarget(self._access, self._visible, platform, echoes)
