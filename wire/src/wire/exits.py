"""What a pipeline's exit status means and which kind of failure leads to it.

The numbers are those of sysexits.h, so that a shell, systemd and a pod failure policy read them the same way.
"""

from __future__ import annotations

from enum import StrEnum

OK = 0
USAGE = 64
DATA = 65
UNAVAILABLE = 69
INTERNAL = 70
TEMPORARY = 75
PROTOCOL = 76
CREDENTIALS = 77
CONFIGURATION = 78

NO_RETRY = frozenset({USAGE, CREDENTIALS, CONFIGURATION})
"""Statuses that another attempt cannot mend."""


class Kind(StrEnum):
    """What went wrong, named by its remedy."""

    AUTH = "auth"
    CONFIG = "config"
    RATE_LIMIT = "rate_limit"
    QUOTA = "quota"
    TRANSIENT = "transient"
    DATA = "data"
    INTERNAL = "internal"


STATUS_OF = {
    Kind.AUTH: CREDENTIALS,
    Kind.CONFIG: CONFIGURATION,
    Kind.RATE_LIMIT: TEMPORARY,
    Kind.QUOTA: TEMPORARY,
    Kind.TRANSIENT: TEMPORARY,
    Kind.DATA: DATA,
    Kind.INTERNAL: INTERNAL,
}

_RETRY_FIRST = (Kind.TRANSIENT, Kind.RATE_LIMIT, Kind.QUOTA, Kind.INTERNAL, Kind.DATA, Kind.AUTH, Kind.CONFIG)


def status_of_all(kinds: frozenset[Kind]) -> int:
    """The one exit status for several failures: retryable ones win, because another attempt mends a part."""
    return next((STATUS_OF[kind] for kind in _RETRY_FIRST if kind in kinds), OK)
