"""The id of a run: it begins with its group and ends with its shard, so that both are found by it in any storage."""

from __future__ import annotations

from wire.shards import Shard


def name_of_run(own: str, group: str | None, shard: Shard | None) -> str:
    """`own` is what tells the run from every other: `nightly.20261127T020000Z-1a2b3c4d.0-of-4`."""
    return f"{beginning(group) if group else ''}{own}{ending(shard)}"


def beginning(group: str) -> str:
    """How the ids of a group's runs begin."""
    return f"{group}."


def ending(shard: Shard | None) -> str:
    """How the ids of a shard's runs end; "" for runs of all accounts."""
    return f".{shard.label}" if shard else ""


def is_of_shard(run_id: str, shard: Shard | None) -> bool:
    """Whether the run was about the same accounts."""
    return run_id.endswith(ending(shard)) if shard else "-of-" not in run_id.rpartition(".")[2]
