"""Snapshots of accounts, campaigns, ad groups, ads and keywords.

The service gives no deleted ones; they live on in the reports alone, with their status.
"""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from microsoft_pipeline.accounts import Account
from microsoft_pipeline.client import Client
from microsoft_pipeline.tables import ACCOUNT, AD, AD_GROUP, CAMPAIGN, KEYWORD, Entity, Field
from microsoft_pipeline.time_zones import iana_zone
from wire import Extraction, Type, plain

log = logging.getLogger(__name__)

_SERVICE = "CampaignManagementService"
# Without the types, the service leaves out all campaigns but the search ones.
_CAMPAIGN_TYPES = (
    "Search",
    "Shopping",
    "DynamicSearchAds",
    "Audience",
    "Hotel",
    "PerformanceMax",
    "App",
    "ObjectiveBased",
)
_AD_TYPES = (
    "Text",
    "Image",
    "Product",
    "AppInstall",
    "ExpandedText",
    "DynamicSearch",
    "ResponsiveAd",
    "ResponsiveSearch",
    "Hotel",
)

Row = dict[str, Any]


def load_entities(
    client: Client, extraction: Extraction, accounts: Sequence[Account], wanted: frozenset[str]
) -> tuple[Account, ...]:
    """Load the snapshots; returns the accounts whose reports can be asked for."""
    ready = []
    for account in accounts:
        with extraction.account(account.id):
            if ACCOUNT.table.name in wanted:
                own = {"iana_time_zone": iana_zone(account.id, account.time_zone)}
                extraction.replace_account(ACCOUNT.table.name, account.id, [row_of(ACCOUNT, account.raw, own)])
            if account.closed:
                log.info("account %s is closed (%s): only its own row is loaded", account.id, account.status)
                continue
            _Snapshot(client, extraction, account).load(wanted)
            ready.append(account)
    return tuple(ready)


class _Snapshot:
    """What one account consists of, walked from its campaigns down, no further than the wanted tables need."""

    def __init__(self, client: Client, extraction: Extraction, account: Account) -> None:
        self._client = client
        self._extraction = extraction
        self._account = account

    def load(self, wanted: frozenset[str]) -> None:
        below = wanted & {entity.table.name for entity in (AD_GROUP, AD, KEYWORD)}
        if not below and CAMPAIGN.table.name not in wanted:
            return
        campaigns = list(self._campaigns())
        counts = {CAMPAIGN.table.name: self._replace(CAMPAIGN, campaigns, wanted)}
        if below:
            groups = [group for campaign in campaigns for group in self._groups(campaign["campaign_id"])]
            counts[AD_GROUP.table.name] = self._replace(AD_GROUP, groups, wanted)
            counts[AD.table.name] = self._replace(AD, self._below(groups, self._ads), wanted)
            counts[KEYWORD.table.name] = self._replace(KEYWORD, self._below(groups, self._keywords), wanted)
        loaded = ", ".join(f"{count} {name}" for name, count in counts.items() if name in wanted)
        log.info("account %s: %s", self._account.id, loaded)

    def _replace(self, entity: Entity, rows: Any, wanted: frozenset[str]) -> int:
        if entity.table.name not in wanted:
            return 0
        return self._extraction.replace_account(entity.table.name, self._account.id, rows)

    def _campaigns(self) -> Iterator[Row]:
        answer = self._call(
            "GetCampaignsByAccountId",
            AccountId=self._account.id,
            CampaignType=" ".join(_CAMPAIGN_TYPES),
            ReturnAdditionalFields="BidStrategyId",
        )
        for raw in _items(answer, "Campaign"):
            yield row_of(CAMPAIGN, raw, self._own())

    def _groups(self, campaign_id: str) -> Iterator[Row]:
        answer = self._call("GetAdGroupsByCampaignId", CampaignId=campaign_id, ReturnAdditionalFields="AdGroupType")
        for raw in _items(answer, "AdGroup"):
            yield row_of(AD_GROUP, raw, self._own(campaign_id=campaign_id))

    def _ads(self, group: Row) -> Iterator[Row]:
        answer = self._call(
            "GetAdsByAdGroupId",
            AdGroupId=group["ad_group_id"],
            AdTypes={"AdType": list(_AD_TYPES)},
            ReturnAdditionalFields=None,
        )
        for raw in _items(answer, "Ad"):
            row = row_of(AD, raw, self._own_of_group(group))
            row["ad_title"] = _title(raw, row)
            yield row

    def _keywords(self, group: Row) -> Iterator[Row]:
        answer = self._call("GetKeywordsByAdGroupId", AdGroupId=group["ad_group_id"], ReturnAdditionalFields=None)
        for raw in _items(answer, "Keyword"):
            yield row_of(KEYWORD, raw, self._own_of_group(group))

    def _below(self, groups: Sequence[Row], children: Any) -> Iterator[Row]:
        for group in groups:
            yield from children(group)

    def _own(self, **more: str) -> Mapping[str, str]:
        return {"account_id": self._account.id, "currency_code": self._account.currency, **more}

    def _own_of_group(self, group: Row) -> Mapping[str, str]:
        return self._own(campaign_id=group["campaign_id"], ad_group_id=group["ad_group_id"])

    def _call(self, operation: str, **arguments: Any) -> Any:
        return self._client.call(
            _SERVICE,
            operation,
            account_id=self._account.id,
            customer_id=self._account.customer_id,
            **arguments,
        )


def row_of(entity: Entity, raw: Any, own: Mapping[str, Any]) -> Row:
    """One row: fields with a source from the service's object, the others from `own`."""
    return {
        field.column.name: _value(field, raw) if field.source else own.get(field.column.name) for field in entity.fields
    }


def _value(field: Field, raw: Any) -> Any:
    value = raw
    for name in field.source.split("."):
        value = getattr(value, name, None)
        if value is None:
            return None
    match field.column.type:
        case Type.INTEGER:
            return int(value)
        case Type.DECIMAL:
            # The service declares amounts as doubles; the shortest text of the double is the amount that was sent.
            return plain(str(value))
        case Type.DATE:
            return dt.date(int(value.Year), int(value.Month), int(value.Day)).isoformat()
        case Type.JSON:
            return [_plain_item(each) for each in value]
        case _:
            return " ".join(str(each) for each in value) if isinstance(value, list) else str(value)


def _plain_item(item: Any) -> str | None:
    """An element of a list: a text, or the text of an asset that is linked to an ad."""
    asset = getattr(item, "Asset", None)
    if asset is None:
        return str(item)
    text = getattr(asset, "Text", None) or getattr(asset, "Name", None)
    return None if text is None else str(text)


def _title(raw: Any, row: Row) -> str | None:
    """The title of an ad, which each type of ad keeps elsewhere."""
    given = getattr(raw, "Title", None) or row["title_part1"] or getattr(raw, "Headline", None)
    if given:
        return str(given)
    return next((text for text in row["headlines"] or () if text), None)


def _items(answer: Any, name: str) -> Sequence[Any]:
    """The elements of an array, which the SDK gives as an empty text when there are none."""
    return getattr(answer, name, None) or ()
