"""An account's entities by the Get calls: its campaigns, their ad groups and asset groups, the ads and keywords."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from microsoft_pipeline import operations
from microsoft_pipeline.accounts import Account
from microsoft_pipeline.client import Client
from microsoft_pipeline.operations import Call
from microsoft_pipeline.rows import Row, of_object
from microsoft_pipeline.tables import AD, AD_GROUP, ASSET_GROUP, CAMPAIGN, KEYWORD, Entity


class Walk:
    """Reads an account's entities one level after the other, each level once."""

    def __init__(self, client: Client, account: Account) -> None:
        self._client = client
        self._account = account
        self._campaigns: list[str] | None = None
        self._groups: list[tuple[str, str]] | None = None

    def rows(self, entity: Entity) -> Iterator[Row]:
        """All rows of a table."""
        if entity is CAMPAIGN:
            return self._read_campaigns()
        if entity is AD_GROUP:
            return self._read_groups()
        if entity is ASSET_GROUP:
            return self._read_asset_groups()
        below = operations.get_ads if entity is AD else operations.get_keywords
        answer = "Ads" if entity is AD else "Keywords"
        return (
            of_object(entity, raw, self._own(campaign_id=campaign_id, ad_group_id=group_id))
            for campaign_id, group_id in self._known_groups()
            for raw in self._listed(below(group_id), answer)
        )

    def any_below(self, entity: Entity, parents: list[str]) -> bool:
        """Whether one of some parents has anything of a table: campaigns of groups of either kind, else ad groups."""
        call, answer = {
            AD_GROUP.table.name: (operations.get_ad_groups, "AdGroups"),
            AD.table.name: (operations.get_ads, "Ads"),
            KEYWORD.table.name: (operations.get_keywords, "Keywords"),
            ASSET_GROUP.table.name: (operations.get_asset_groups, "AssetGroups"),
        }[entity.table.name]
        return any(self._listed(call(parent), answer) for parent in parents)

    def campaign_ids(self) -> list[str]:
        """The account's campaigns, asked for now."""
        return [str(raw.get("Id")) for raw in self._listed_campaigns()]

    def campaigns_with_asset_groups(self) -> list[str]:
        """Those of the account's campaigns that can have asset groups, asked for now."""
        having = operations.WITH_ASSET_GROUPS
        return [str(raw.get("Id")) for raw in self._listed_campaigns() if raw.get("CampaignType") in having]

    def _read_asset_groups(self) -> Iterator[Row]:
        for campaign_id in self.campaigns_with_asset_groups():
            for raw in self._listed(operations.get_asset_groups(campaign_id), "AssetGroups"):
                yield of_object(ASSET_GROUP, raw, self._own(campaign_id=campaign_id))

    def _read_campaigns(self) -> Iterator[Row]:
        rows = [of_object(CAMPAIGN, raw, self._own()) for raw in self._listed_campaigns()]
        self._campaigns = [row["campaign_id"] for row in rows]
        return iter(rows)

    def _read_groups(self) -> Iterator[Row]:
        if self._campaigns is None:
            self._campaigns = self.campaign_ids()
        groups: list[tuple[str, str]] = []
        for campaign_id in self._campaigns:
            for raw in self._listed(operations.get_ad_groups(campaign_id), "AdGroups"):
                row = of_object(AD_GROUP, raw, self._own(campaign_id=campaign_id))
                groups.append((campaign_id, row["ad_group_id"]))
                yield row
        self._groups = groups

    def _known_groups(self) -> list[tuple[str, str]]:
        if self._groups is None:
            for _ in self._read_groups():
                pass
        assert self._groups is not None
        return self._groups

    def _own(self, **more: str) -> dict[str, Any]:
        return {"account_id": self._account.id, "currency_code": self._account.currency, **more}

    def _listed_campaigns(self) -> list[dict[str, Any]]:
        return self._listed(operations.get_campaigns(self._account.id), "Campaigns")

    def _listed(self, call: Call, name: str) -> list[dict[str, Any]]:
        account = self._account
        return self._client.listed(call, name, account_id=account.id, customer_id=account.customer_id)
