"""What the streams are called in a target, which all platforms share."""

from __future__ import annotations

import threading

from supervisor.config.errors import SinkError


def stream_name(platform: str, stream: str) -> str:
    """`linkedin__campaign_daily`, without a dash.

    Meltano SDK targets split a name at its dashes into schema and table, and drop the schema where they are configured
    with one, as target-postgres is when nobody says otherwise: then the campaigns of two platforms would meet in one
    table (`SQLSink.schema_name` in singer_sdk/sql/sink.py, `default_target_schema` in target_postgres/target.py).
    """
    return f"{platform.replace('-', '_')}__{stream.replace('-', '_')}"


class StreamNames:
    """The names given in one run, from any thread."""

    def __init__(self) -> None:
        self._given: dict[str, tuple[str, str]] = {}
        self._giving = threading.Lock()

    def of(self, platform: str, stream: str) -> str:
        """The name of a stream; raises SinkError where another one has it already, in small or capital letters."""
        name = stream_name(platform, stream)
        with self._giving:
            owner = self._given.setdefault(name.lower(), (platform, stream))
        if owner != (platform, stream):
            raise SinkError(f"{'.'.join(owner)} and {platform}.{stream} would both be called {name} in the target")
        return name
