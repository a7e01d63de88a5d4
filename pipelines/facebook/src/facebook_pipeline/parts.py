"""How a report of a single day that is too large is divided: from all campaigns down to objects of its level."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import Struct

from facebook_pipeline.errors import DeletedRefusedError, TooMuchDataError
from facebook_pipeline.objects import EDGES, STATUSES, id_filter, not_deleted, status_filter

if TYPE_CHECKING:
    from facebook_pipeline.accounts import Account
    from facebook_pipeline.client import Graph

_LEVELS = tuple(EDGES)


class Part(Struct, frozen=True):
    """Some campaigns, ad sets or ads, the level says which, of a report."""

    level: str
    ids: tuple[str, ...]


def divided(graph: Graph, account: Account, level: str, part: Part | None, error: TooMuchDataError) -> list[Part]:
    """The halves of a part of a report of this level, or of what belongs to its single object; None is the whole.

    Raises `error` where there is no less to ask for.
    """
    if level not in _LEVELS:
        raise error  # The account's own numbers, which parts may not add up to.
    if part and len(part.ids) > 1:
        return _halves(part)
    if part and part.level == level:
        raise error
    below = _LEVELS[_LEVELS.index(part.level) + 1] if part else _LEVELS[0]
    ids = _ids(graph, account, below, part)
    if not ids:
        raise error
    return _halves(Part(below, ids))


def _halves(part: Part) -> list[Part]:
    middle = (len(part.ids) + 1) // 2
    return [Part(part.level, ids) for ids in (part.ids[:middle], part.ids[middle:]) if ids]


def _ids(graph: Graph, account: Account, level: str, within: Part | None) -> tuple[str, ...]:
    """Every object of a level, or every one within a single campaign or ad set, whatever its status."""
    belonging = [id_filter(within.level, within.ids)] if within else []

    def listed(statuses: tuple[str, ...]) -> tuple[str, ...]:
        chosen = [status_filter(level, statuses), *belonging]
        pages = graph.pages(account.node, EDGES[level], fields="id", filtering=chosen)
        return tuple(dict.fromkeys(str(raw["id"]) for page in pages for raw in page))

    try:
        return listed(STATUSES[level])
    except DeletedRefusedError:
        return listed(not_deleted(STATUSES[level]))
