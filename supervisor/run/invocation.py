"""How an attempt's pipeline is started: its command line, the files that go with it, its variables."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path

from attrs import frozen

from supervisor.config.schema import PlatformConfig
from supervisor.process.user import User
from supervisor.run.registry import Pipeline
from supervisor.sinks import Session
from wire.shards import Shard


@frozen(kw_only=True)
class Days:
    """The days that a run was asked to load; None leaves the choice to the pipeline."""

    since: dt.date | None = None
    until: dt.date | None = None


@frozen(kw_only=True)
class Invocation:
    """One attempt's; `directory` is empty, and the attempt's own."""

    platform: PlatformConfig
    pipeline: Pipeline
    session: Session
    directory: Path
    user: User | None = None
    days: Days = Days()
    shard: Shard | None = None
    full_refresh: bool = False

    def command(self) -> tuple[str, ...]:
        """The pipeline's command with Singer's options; state and settings travel in files that only we can read.

        Raises SinkError and OSError.
        """
        command = list(self.pipeline.command)
        if self.platform.given or not self.platform.command:
            settings = json.dumps(dict(self.platform.given)).encode()
            command += ["--config", self._write("config.json", settings)]
        if self.full_refresh:
            self.session.forget_state()
        state = None if self.full_refresh else self.session.state()
        if state is not None:
            # As it was stored: whoever wrote it can read it, also where nobody else could.
            command += ["--state", self._write("state.json", state)]
        if self.days.since:
            command += ["--since", self.days.since.isoformat()]
        if self.days.until:
            command += ["--until", self.days.until.isoformat()]
        if self.shard and self.platform.takes_shards:
            command += ["--shard", str(self.shard)]
        return tuple(command)

    def environment(self) -> Mapping[str, str]:
        """What the pipeline sees; another user has a home and a temporary directory of its own. Raises OSError."""
        if self.user is None:
            return self.pipeline.environment
        temporary = self.directory / "tmp"
        temporary.mkdir(mode=0o700)
        self.user.own(temporary)
        return {**self.pipeline.environment, "HOME": self.user.home, "TMPDIR": str(temporary)}

    def _write(self, name: str, content: bytes) -> str:
        path = self.directory / name
        path.touch(mode=0o600)
        path.write_bytes(content)
        if self.user is not None:
            self.user.own(path)
        return str(path)
