"""The fields that reports of one's own can name, as the pipeline lists them: `--fields`, docs/wire.md."""

from __future__ import annotations

from contextlib import suppress

import msgspec

from supervisor.config.errors import ConfigError
from supervisor.run.asking import ask
from supervisor.run.registry import Pipeline
from wire.exits import OK
from wire.listing import FieldsLine

_SECONDS = 30.0
_MOST_BYTES = 16 * 1024 * 1024
_LINE = msgspec.json.Decoder(FieldsLine)


def field_list(pipeline: Pipeline, *, run_as: str | None = None) -> FieldsLine:
    """Ask the pipeline; raises ConfigError where it does not say, and SpawnError where it cannot be started."""
    heard = ask(pipeline, "--fields", {}, run_as=run_as, seconds=_SECONDS, most_bytes=_MOST_BYTES)
    for line in heard.stdout.splitlines() if heard.status == OK else ():
        with suppress(msgspec.DecodeError, UnicodeDecodeError):  # somebody's print
            return _LINE.decode(line)
    raise ConfigError(
        f"platform {pipeline.name!r}: its pipeline lists no fields (exit status {heard.status}); {heard.last_words}"
    )
