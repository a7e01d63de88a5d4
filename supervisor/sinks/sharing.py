"""Which runs may hold a storage side by side, and what is said to one that may not: shards of one number may."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from supervisor.config.errors import SinkError
from supervisor.record.state import REST, parts_of
from wire.shards import Shard


@frozen
class Holder:
    """A run that holds a storage: which process it is and since when, and its shard; None is a run of all accounts."""

    process: str
    started: str
    shard: Shard | None

    def __str__(self) -> str:
        of = f" of shard {self.shard}" if self.shard else ""
        return f"{self.process}, a run{of} that started {self.started}"


def is_in_the_way(other: Shard | None, mine: Shard | None) -> bool:
    """Whether two runs could load the same account."""
    return other is None or mine is None or other.count != mine.count or other.index == mine.index


def until(other: Shard | None, mine: Shard | None) -> str:
    """Why a run that is refused has to wait for another one, and how long."""
    if other == mine or other is None:
        return "wait until that run ends"
    ends = f"wait until all runs of {other.count} shards have ended"
    return f"shard {mine} could have accounts of it, so {ends}" if mine else ends


def check_states(wholes: Mapping[str, bytes]) -> None:
    """Raise SinkError for a state that a former version has left whole; `wholes` are by platform what is in one part.

    The first commit takes it apart, and of two shards that did so each would put back what the other has done since.
    """
    for platform, state in wholes.items():
        if parts_of(state).keys() - {REST}:
            raise SinkError(
                f"the state of {platform} is kept whole, as former versions did, and shards share it by account; "
                "run once without --shard, which takes it apart"
            )
