"""What a storage holds of one platform's state, and what the next transaction changes of it.

The state of a region that was refused must not advance, and the pipeline does not know that it was refused: what it
says of that table and account later includes the region. So such a part stays as it is until the session ends.
"""

from __future__ import annotations

from collections.abc import Container, Mapping, Sequence

from supervisor.record.state import Changes, Parts, Place, named_places, parts_of, patch_changes, whole, whole_changes
from supervisor.sinks import Commit


class KeptState:
    """`stored` are the parts as the storage has them; a version that kept the state whole has left it as one part."""

    def __init__(self, stored: Parts) -> None:
        self._frozen: set[Place] = set()
        self.renew(stored)

    @property
    def value(self) -> bytes | None:
        """The whole state, as the pipeline gets it."""
        return whole(self._parts)

    def renew(self, stored: Parts) -> None:
        """The storage has been looked at again."""
        self._stored = dict(stored)
        state = whole(stored)
        self._parts: dict[Place, bytes] = parts_of(state) if state is not None else {}
        self._planned: dict[Place, bytes] | None = None

    def forget(self) -> None:
        """What is stored counts no more: the first change of all takes it away."""
        self._parts = {}

    def take(self, commits: Sequence[Commit], refused: Container[int]) -> None:
        """Take up the states of a transaction's commits; `refused` are the places of those that are not stored."""
        for place, commit in enumerate(commits):
            if commit.state is not None:
                follow = self.freeze if place in refused else self.plan
                follow(commit.state, is_patch=commit.is_patch)

    def plan(self, text: bytes, *, is_patch: bool) -> None:
        """Take up the state that follows a region, or a patch of it."""
        parts = self._upcoming()
        changes = self._changes(parts, text, is_patch=is_patch)
        _apply(parts, {place: part for place, part in changes.items() if place not in self._frozen})

    def freeze(self, text: bytes, *, is_patch: bool) -> None:
        """Keep the parts from advancing that the state after a refused region would have changed."""
        parts = self._upcoming()
        self._frozen |= named_places(parts, text) if is_patch else set(whole_changes(parts, parts_of(text)))

    def changes(self) -> Changes:
        """What a transaction has to write so that the storage has all that was planned."""
        return {} if self._planned is None else whole_changes(self._stored, self._planned)

    def planned_value(self) -> bytes | None:
        """The whole state as it is to be after the transaction."""
        return whole(self._upcoming())

    def kept(self) -> None:
        """The transaction is stored."""
        if self._planned is not None:
            self._stored = dict(self._planned)
            self._parts, self._planned = self._planned, None

    def dropped(self) -> None:
        """The transaction is not stored."""
        self._planned = None

    def _upcoming(self) -> dict[Place, bytes]:
        if self._planned is None:
            self._planned = dict(self._parts)
        return self._planned

    @staticmethod
    def _changes(parts: Mapping[Place, bytes], text: bytes, *, is_patch: bool) -> Changes:
        return patch_changes(parts, text) if is_patch else whole_changes(parts, parts_of(text))


def _apply(parts: dict[Place, bytes], changes: Changes) -> None:
    for place, part in changes.items():
        if part is None:
            parts.pop(place, None)
        else:
            parts[place] = part
