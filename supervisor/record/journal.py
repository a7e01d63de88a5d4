"""Lines for systemd's journal, which reads a priority in front of each and has the time of its own.

systemd sets JOURNAL_STREAM to the device and inode of the stream that it gave a unit (systemd.exec(5)); the prefixes
are those of sd-daemon(3).
"""

from __future__ import annotations

import logging
import os
from collections.abc import Mapping

_INFO, _WARNING, _ERROR, _DEBUG = 6, 4, 3, 7


def journal_reads(descriptor: int, environ: Mapping[str, str] = os.environ) -> bool:
    """Whether what is written to a descriptor goes to the journal."""
    device, _, inode = environ.get("JOURNAL_STREAM", "").partition(":")
    try:
        found = os.fstat(descriptor)
    except OSError:
        return False
    return (device, inode) == (str(found.st_dev), str(found.st_ino))


def prioritized(text: str, level: int) -> str:
    """The text with the priority of a log level before each of its lines."""
    if level >= logging.ERROR:
        priority = _ERROR
    elif level >= logging.WARNING:
        priority = _WARNING
    else:
        priority = _DEBUG if level < logging.INFO else _INFO
    return "\n".join(f"<{priority}>{line}" for line in text.split("\n"))
