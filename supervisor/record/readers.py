"""Who may read the files that a run makes: their owner alone, unless READABLE_BY opens them.

It is the umask of the process, because DuckDB makes files of its own beside the database. What a run starts gets the
umask that the run was started with: a target's files are not ours to close. A file that is there keeps its mode.
"""

from __future__ import annotations

import os

from supervisor.config.variable_values import Readers

_UMASKS = {Readers.OWNER: 0o077, Readers.GROUP: 0o027, Readers.ALL: 0o022}
_inherited: int | None = None


def make_files_for(readers: Readers) -> None:
    """From now on files that this process makes can be read by these, and written by their owner alone."""
    global _inherited  # noqa: PLW0603 - as the umask, it is one of the process
    former = os.umask(_UMASKS[readers])
    _inherited = former if _inherited is None else _inherited


def inherited_umask() -> int:
    """The umask that children get, as `subprocess` takes it: -1, which changes nothing, where none was set here."""
    return -1 if _inherited is None else _inherited


def report_mode() -> int:
    """The mode of a file that holds what the report holds."""
    if _inherited is None:
        return 0o600
    mask = os.umask(0o077)
    os.umask(mask)
    return 0o666 & ~mask
