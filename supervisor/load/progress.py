"""What a load has done so far, for whoever watches it and for the report."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Mapping

from attrs import define, field

from supervisor.sinks import Commit
from wire.exits import Kind
from wire.messages import ErrorLine, Replaces


@define
class Progress:
    """Written by the loader's threads, read by whoever watches. `failures` are the pipeline's and those of regions."""

    rows_by_table: Counter[str] = field(factory=Counter)
    rows_by_account: dict[str, Counter[str]] = field(factory=dict)
    bytes_read: int = 0
    commits: int = 0
    blocked_seconds: float = 0.0
    last_sign: float = field(factory=time.monotonic)
    failures: list[ErrorLine] = field(factory=list)
    region: Replaces | None = None

    @property
    def rows(self) -> int:
        return sum(self.rows_by_table.values())

    def count(self, commit: Commit, stored: Mapping[str, int]) -> None:
        """Add what a commit stored; a region says whose rows it holds, rows that are merged do not."""
        self.rows_by_table.update(stored)
        self.commits += 1
        self.region = commit.replaces or self.region
        account = _account_of(commit)
        if account is not None:
            for stream, rows in stored.items():
                self.rows_by_account.setdefault(stream, Counter())[account] += rows

    def refuse(self, commit: Commit, sentence: str) -> None:
        """Note a region that was refused, as its account's failure."""
        self.failures.append(ErrorLine(Kind.DATA, sentence, account_id=_account_of(commit)))


def _account_of(commit: Commit) -> str | None:
    return commit.replaces.where.get("account_id") if commit.replaces else None
