"""What one account, or the login, does out of the ordinary: SANDBOX_GOOGLE_QUIRKS, entries between semicolons.

refuse ACCOUNT FAMILY.CODE       every query is refused; numbers for FAMILY or CODE are those that no SDK knows yet
withhold ACCOUNT RESOURCE        queries of that resource are refused, others are answered
exhaust ACCOUNT SECONDS SCOPE    one query is over the quota RESOURCE_EXHAUSTED of SCOPE (ACCOUNT or DEVELOPER)
empty ACCOUNT RESOURCE           SearchStream answers without rows; Search still counts and sends them
repeat ACCOUNT RESOURCE          the first row comes again in the last batch
contradict ACCOUNT RESOURCE      the same, in another status
lack ACCOUNT FIELD               `customer_client.FIELD` has no value
alone                            the login reaches managers only
rapt                             the token endpoint wants the user to sign in again
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field

KINDS = {
    **{"refuse": 2, "withhold": 2, "exhaust": 3, "empty": 2, "repeat": 2, "contradict": 2, "lack": 2},
    **{"alone": 0, "rapt": 0},
}
"""How many words follow each."""


@dataclass
class Quirks:
    """The entries, as tuples of words. Safe to ask from several threads."""

    entries: list[tuple[str, ...]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    @classmethod
    def read(cls, environment: Mapping[str, str] = os.environ) -> Quirks:
        """Those of the environment; raises ValueError for one that there is not."""
        found = []
        for entry in environment.get("SANDBOX_GOOGLE_QUIRKS", "").split(";"):
            words = tuple(entry.split())
            if words and KINDS.get(words[0]) != len(words) - 1:
                raise ValueError(f"SANDBOX_GOOGLE_QUIRKS: {entry.strip()!r} is none of {', '.join(KINDS)}")
            if words:
                found.append(words)
        return cls(found)

    def has(self, *words: str) -> bool:
        return words in self.entries

    def refusal(self, account: str) -> str | None:
        """The FAMILY.CODE with which an account's queries are refused."""
        return next((entry[2] for entry in self.entries if entry[:2] == ("refuse", account)), None)

    def lacks(self, account: str) -> list[str]:
        """The fields of `customer_client` that have no value for an account."""
        return [entry[2] for entry in self.entries if entry[:2] == ("lack", account)]

    def spent(self, account: str) -> tuple[int, str] | None:
        """Seconds and scope of the quota that a query is over, once."""
        with self._lock:
            for entry in self.entries:
                if entry[:2] == ("exhaust", account):
                    self.entries.remove(entry)
                    return int(entry[2]), entry[3]
        return None
