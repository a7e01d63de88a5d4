"""The rows of one stream on their way to the sink: those of finished regions, then those of the one in progress.

All lie in one file, so that many small regions cost the sink one look into one file. A region that grows large gets a
file of its own, and is staged in pieces before it is finished.
"""

from __future__ import annotations

import tempfile
from contextlib import suppress
from pathlib import Path
from typing import IO

from attrs import define, field, frozen


@frozen
class Piece:
    """A closed file of `count` rows for the sink; `parts` are the rows of each region where there are several."""

    path: Path
    count: int
    parts: tuple[int, ...] = ()


@define
class Spool:
    """One stream's rows; `count` and `size` are of the region in progress, `size` only of what is in the file."""

    directory: Path
    count: int = 0
    size: int = 0
    parts: list[int] = field(factory=list)
    is_staged: bool = False
    """Whether a piece of the region in progress has gone to the sink already."""
    _in_file: int = 0
    _finished_bytes: int = 0
    _file: IO[bytes] | None = None

    def add(self, data: bytes, count: int) -> None:
        """Add rows as JSON lines. Raises OSError."""
        if self._file is None:
            self._file = tempfile.NamedTemporaryFile(dir=self.directory, suffix=".jsonl", delete=False)  # noqa: SIM115 - the committer removes it when the sink has read it
        self._file.write(data)
        self.count += count
        self._in_file += count
        self.size += len(data)

    def finish_region(self) -> None:
        """What came since the last call, or none, is a region that waits for its transaction."""
        self.parts.append(self.count)
        self._finished_bytes += self.size
        self.count = self.size = self._in_file = 0

    def take_finished(self) -> Piece | None:
        """The finished regions' rows; those of the region in progress move to a file of their own. Raises OSError."""
        rows, parts = sum(self.parts), tuple(self.parts)
        rest = self._cut(self._finished_bytes) if self.size else b""
        path = self._close()
        self.parts, self._finished_bytes = [], 0
        if rest:
            count, in_file, self.count, self.size, self._in_file = self.count, self._in_file, 0, 0, 0
            self.add(rest, in_file)
            self.count = count
        if not rows:
            if path is not None:
                path.unlink()
            return None
        assert path is not None
        return Piece(path, rows, parts)

    def take_piece(self) -> Piece | None:
        """What is there of the region in progress, where no finished one is in the file. Raises OSError."""
        count, path = self._in_file, self._close()
        self.size = self._in_file = 0
        if path is None:
            return None
        self.is_staged = True
        return Piece(path, count)

    def forget(self) -> None:
        """Begin anew. What the file still buffers may not fit on a full disk, and need not."""
        if self._file is not None:
            with suppress(OSError):
                self._file.close()
            Path(self._file.name).unlink(missing_ok=True)
        self.reset()

    def reset(self) -> None:
        """After the region in progress, of which pieces were staged, has gone."""
        self._file = None
        self.count = self.size = self._in_file = self._finished_bytes = 0
        self.parts = []
        self.is_staged = False

    def _cut(self, at: int) -> bytes:
        """Take away what is behind `at`."""
        assert self._file is not None
        self._file.seek(at)
        rest = self._file.read()
        self._file.truncate(at)
        return rest

    def _close(self) -> Path | None:
        if self._file is None:
            return None
        self._file.close()
        path = Path(self._file.name)
        self._file = None
        return path
