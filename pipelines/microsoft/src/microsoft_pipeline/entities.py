"""Snapshots of accounts, campaigns, ad groups, ads, keywords and asset groups.

One Bulk file per account holds them all; where Microsoft makes none, the Get calls are walked, and give the same rows.
Neither gives deleted objects; they live on in the reports alone, with their status.
"""

from __future__ import annotations

import itertools
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack

from microsoft_pipeline.accounts import Account
from microsoft_pipeline.bulk import Bulk
from microsoft_pipeline.bulk_file import BulkFile
from microsoft_pipeline.client import Client
from microsoft_pipeline.errors import BulkRefusedError, TooBigForOneFileError
from microsoft_pipeline.operations import CAMPAIGNS_IN_A_DOWNLOAD
from microsoft_pipeline.rows import Row, distinct, of_object
from microsoft_pipeline.tables import ACCOUNT, AD, AD_GROUP, ASSET_GROUP, CAMPAIGN, KEYWORD, Entity
from microsoft_pipeline.time_zones import iana_zone
from microsoft_pipeline.walk import Walk
from wire import Extraction, Kind, PipelineError

log = logging.getLogger(__name__)

# How many parents are asked, one by one, whether they are as empty as the file says.
_ASKED_AGAIN = 5
_BELOW_THE_ACCOUNT = (CAMPAIGN, AD_GROUP, AD, KEYWORD, ASSET_GROUP)
_PASSING = frozenset({Kind.TRANSIENT, Kind.RATE_LIMIT})


def load_entities(client: Client, extraction: Extraction, account: Account, wanted: frozenset[str]) -> None:
    """Load the snapshots of an account; of a closed one its own row alone. Raises PipelineError."""
    if ACCOUNT.table.name in wanted:
        own = {"account_id": account.id, "iana_time_zone": iana_zone(account.id, account.time_zone)}
        extraction.replace_account(ACCOUNT.table.name, account.id, [of_object(ACCOUNT, account.raw, own)])
    if not account.closed:
        _Snapshot(client, extraction, account).load(wanted)


class _Snapshot:
    """What one account consists of, no further down than the wanted tables need."""

    def __init__(self, client: Client, extraction: Extraction, account: Account) -> None:
        self._client = client
        self._extraction = extraction
        self._account = account
        self._walk = Walk(client, account)
        self._missing: list[Entity] = []

    def load(self, wanted: frozenset[str]) -> None:
        self._missing = [
            entity
            for entity in _BELOW_THE_ACCOUNT
            if entity.table.name in wanted and not self._extraction.is_loaded(entity.table.name, self._account.id)
        ]
        try:
            self._load(self._missing)
        except PipelineError as error:
            further = [entity for entity in self._missing if not entity.table.is_core]
            if not further or error.kind in _PASSING:
                raise
            # Without them all is well, or what failed was not about them and is raised now.
            self._load([entity for entity in self._missing if entity.table.is_core])
            for entity in further:
                self._give_up(entity, error)

    def _give_up(self, entity: Entity, error: PipelineError) -> None:
        name = entity.table.name
        told = error.message if error.message.startswith(name) else f"{name}: {error.message}"
        self._extraction.give_up([name], self._account.id, PipelineError(error.kind, told))

    def _load(self, entities: Sequence[Entity]) -> None:
        if not entities:
            return
        # Campaigns alone come in one answer, a file of them takes three at least.
        if list(entities) == [CAMPAIGN]:
            self._replace_all(entities, self._walk.rows, {})
            return
        try:
            self._load_files(entities)
        except BulkRefusedError as refused:
            log.warning("account %s: %s", self._account.id, refused.message)
            self._replace_all(entities, self._walk.rows, {})

    def _load_files(self, entities: Sequence[Entity]) -> None:
        bulk = Bulk(self._client, self._account, frozenset(entity.table.name for entity in entities))
        with ExitStack() as stack:
            try:
                files = [stack.enter_context(bulk.whole_account())]
            except TooBigForOneFileError as told:
                log.info("account %s: %s", self._account.id, told.message)
                files = list(_by_campaigns(bulk, stack, self._walk.campaign_ids()))
            parents = {
                AD_GROUP.table.name: [each for file in files for each in file.campaign_ids],
                AD.table.name: [each for file in files for each in file.ad_group_ids],
            }
            self._replace_all(entities, lambda entity: _rows_of(files, entity), parents)

    def _replace_all(
        self,
        entities: Sequence[Entity],
        rows: Callable[[Entity], Iterator[Row]],
        parents: Mapping[str, Sequence[str]],
    ) -> None:
        counts = [f"{self._replace(entity, rows(entity), parents)} {entity.table.name}" for entity in entities]
        log.info("account %s: %s", self._account.id, ", ".join(counts))

    def _replace(self, entity: Entity, rows: Iterator[Row], parents: Mapping[str, Sequence[str]]) -> int:
        count = self._extraction.replace_account(
            entity.table.name,
            self._account.id,
            distinct(entity, rows, self._account.id),
            confirm_empty=lambda: self._is_empty(entity, parents),
        )
        self._missing = [each for each in self._missing if each is not entity]
        return count

    def _is_empty(self, entity: Entity, parents: Mapping[str, Sequence[str]]) -> bool:
        """Whether another service says too that there are none: the list itself, or that of some of the level above."""
        if entity is ASSET_GROUP:
            return not self._walk.any_below(entity, self._walk.campaigns_with_asset_groups()[:_ASKED_AGAIN])
        campaigns = self._walk.campaign_ids()
        if entity is CAMPAIGN or not campaigns:
            return not campaigns
        if entity is AD_GROUP:
            asked = campaigns[:_ASKED_AGAIN]
        else:
            asked = list(itertools.islice(parents.get(AD.table.name, ()), _ASKED_AGAIN))
        return not self._walk.any_below(entity, asked)


def _by_campaigns(bulk: Bulk, stack: ExitStack, campaign_ids: Sequence[str]) -> Iterator[BulkFile]:
    """The files of some campaigns, in as few parts as Microsoft makes."""
    for part in _cut(campaign_ids, CAMPAIGNS_IN_A_DOWNLOAD):
        try:
            yield stack.enter_context(bulk.of_campaigns(part))
        except TooBigForOneFileError:
            if len(part) == 1:
                raise
            for half in _cut(part, (len(part) + 1) // 2):
                yield from _by_campaigns(bulk, stack, half)


def _cut(items: Sequence[str], size: int) -> Iterator[Sequence[str]]:
    return (items[at : at + size] for at in range(0, len(items), size))


def _rows_of(files: Sequence[BulkFile], entity: Entity) -> Iterator[Row]:
    for file in files:
        yield from file.rows(entity)
