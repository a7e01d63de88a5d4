"""The errors of the wire and of a pipeline; each carries the sentence that the operator will read."""

from __future__ import annotations

from wire.exits import STATUS_OF, Kind


class WireError(Exception):
    """A line that breaks the protocol, named by its stream, its column and its number, as far as they are known."""

    def __init__(self, reason: str, *, line: int | None, stream: str | None = None) -> None:
        self.reason = reason
        self.line = line
        self.stream = stream
        where = [*([f"line {line}"] if line is not None else []), *([f"stream {stream!r}"] if stream else [])]
        super().__init__(": ".join(filter(None, (", ".join(where), reason))))


class SchemaError(Exception):
    """A SCHEMA line, or a table definition, that cannot become columns."""


class PipelineError(Exception):
    """A failure in a pipeline, reported as an ERROR line.

    With an `account_id` it is that account's problem and the other accounts go on; without, it ends the pipeline.
    `retry_after` is in seconds.
    """

    def __init__(
        self, kind: Kind, message: str, *, retry_after: float | None = None, account_id: str | None = None
    ) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message
        self.retry_after = retry_after
        self.account_id = account_id

    @property
    def exit_status(self) -> int:
        return STATUS_OF[self.kind]
