"""Shards: which of N runs, on any number of machines, loads an account.

It depends on nothing but the account's id and N, so nobody has to keep a list. State is kept per account, so that
another N takes up each account where the former left it.
"""

from __future__ import annotations

import hashlib
import re

from msgspec import Struct

MOST = 10_000


class Shard(Struct, frozen=True):
    """Number `index`, from 0 on, of `count`."""

    index: int
    count: int

    def __str__(self) -> str:
        return f"{self.index}/{self.count}"

    @property
    def label(self) -> str:
        """As a part of the name of a file, a lock or a run."""
        return f"{self.index}-of-{self.count}"

    def has(self, account_id: str) -> bool:
        """Whether the account belongs to it; each account belongs to one of the shards of a count."""
        digest = hashlib.blake2b(account_id.encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big") % self.count == self.index


def parse_shard(text: str) -> Shard:
    """`0/4`, or its label `0-of-4`, is the first of four. Raises ValueError with the sentence to show."""
    found = re.fullmatch(r"(\d{1,6})(?:/|-of-)(\d{1,6})", text.strip(), re.ASCII)
    if found is None:
        raise ValueError(f"expected I/N, as 0/4 for the first of four, got {text!r}")
    index, count = int(found[1]), int(found[2])
    if not 1 <= count <= MOST:
        raise ValueError(f"expected at least 1 and at most {MOST:,} shards, got {text!r}")
    if index >= count:
        raise ValueError(f"shards count from 0: of {count} the last is {count - 1}/{count}, and {text!r} is none")
    return Shard(index, count)
