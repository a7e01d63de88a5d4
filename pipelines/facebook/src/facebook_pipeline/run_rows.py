"""The rows of finished insights jobs: each result page is read once, however many tables are made of it."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from types import TracebackType
from typing import IO, TYPE_CHECKING, Any

import msgspec

from facebook_pipeline.errors import LostRunError, ObjectRefusedError
from wire import Kind

if TYPE_CHECKING:
    from facebook_pipeline.client import Graph

_JSON = msgspec.json.Decoder()
KEPT_IN_MEMORY = 16 * 1024 * 1024
"""Bytes of rows, of all accounts together, that wait for the next table in memory; more wait in temporary files."""


class RunRows:
    """Iterates over the rows of some runs up to `times` times, reading them from the API the first time only.

    `accounts` is how many accounts keep rows at the same time.

    Raises LostRunError where the platform does not have a run any more.
    """

    def __init__(self, graph: Graph, run_ids: tuple[str, ...], *, times: int, accounts: int = 1) -> None:
        self._graph = graph
        self._run_ids = run_ids
        self._times = times
        self._kept_bytes = KEPT_IN_MEMORY // accounts
        self._kept: IO[bytes] | None = None

    def __enter__(self) -> RunRows:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._kept:
            self._kept.close()

    def __iter__(self) -> Iterator[Any]:
        if self._kept:
            yield from self._again(self._kept)
        elif self._times == 1:
            for page in self._pages():
                yield from page
        else:
            yield from self._first_time()

    def _first_time(self) -> Iterator[Any]:
        kept = tempfile.SpooledTemporaryFile(max_size=self._kept_bytes)  # noqa: SIM115 - closed at the exit
        try:
            for page in self._pages():
                # No newline can stand inside a JSON text, so each line is a page.
                kept.write(msgspec.json.encode(page) + b"\n")
                yield from page
        except BaseException:
            kept.close()
            raise
        self._kept = kept

    def _again(self, kept: IO[bytes]) -> Iterator[Any]:
        kept.seek(0)
        for line in kept:
            yield from _JSON.decode(line)

    def _pages(self) -> Iterator[list[Any]]:
        for run_id in self._run_ids:
            try:
                yield from self._graph.pages(run_id, "insights")
            except ObjectRefusedError as error:
                raise LostRunError(Kind.TRANSIENT, error.message) from None
