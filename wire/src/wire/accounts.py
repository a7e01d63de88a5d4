"""All accounts of a pipeline: side by side, in rounds of days, those that waited longest first, within a budget."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

from wire.extraction import Extraction
from wire.limiter import Limiter
from wire.night import Night
from wire.rounds import Round
from wire.side_by_side import side_by_side

T = TypeVar("T")
log = logging.getLogger(__name__)


def load_accounts(
    extraction: Extraction,
    accounts: Sequence[T],
    load: Callable[[T, Round], None],
    *,
    account_id: Callable[[T], str],
    lookback_days: int,
    limiter: Limiter,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Call `load` for every account and round; what fails inside is that account's, and later rounds leave it out.

    `load` passes the round on to `Extraction.due` and loads entities where `Round.is_first`. When the backfill has
    taken as long as the setting `backfill_budget` says, no account begins another round of it: what is left continues
    in the next run. Of a shard's run only the accounts of the shard are loaded, and the places of the limiter are
    divided among the shards, which share the limits of one login.
    """
    shard = extraction.shard
    if shard is not None:
        every = accounts
        accounts = [account for account in every if extraction.has(account_id(account))]
        limiter.divide(shard.count)
        log.info("shard %s: %d of %d accounts, %d requests at once", shard, len(accounts), len(every), limiter.most)
    extraction.share_memory(limiter.most)
    ordered = sorted(accounts, key=lambda account: extraction.newest_day(account_id(account)))
    night = Night(
        extraction.backfill,
        len(ordered),
        has_backfill=not extraction.names_days,
        budget=extraction.backfill_budget,
        clock=clock,
    )
    for each in extraction.rounds(lookback_days):
        if not each.is_first:
            night.begin_backfill()
            if night.budget_is_spent:
                break
            ordered = [account for account in ordered if extraction.has_backfill(account_id(account))]

        def one(account: T, each: Round = each) -> None:
            name = account_id(account)
            if extraction.has_failed(name) or (not each.is_first and night.budget_is_spent):
                return
            with night.account(is_first_round=each.is_first), extraction.account(name):
                load(account, each)

        side_by_side(one, ordered, limiter=limiter)
    night.tell()
    if extraction.backfill.left:
        log.info(
            "the backfill continues in the next run: %s account days are left after its budget of %g s",
            f"{extraction.backfill.left:,}", extraction.backfill_budget or 0,
        )  # fmt: skip
