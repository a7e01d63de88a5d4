"""The levels of an ad account: what a row can be about, and how adAnalytics is asked for some of them."""

from __future__ import annotations

from msgspec import Struct


class Level(Struct, frozen=True):
    """One level. `parents` are those above it below the account, outermost first.

    `facet` and `urn` name single ones in a request; `sliced_by` is the level whose facet cuts a day of it that has too
    many rows for one answer.
    """

    name: str
    pivot: str
    facet: str
    urn: str
    parents: tuple[str, ...] = ()
    sliced_by: str = ""

    @property
    def id_column(self) -> str:
        return f"{self.name}_id"

    @property
    def name_column(self) -> str:
        return f"{self.name}_name"


ACCOUNT = Level("account", "ACCOUNT", "accounts", "sponsoredAccount")
CAMPAIGN_GROUP = Level(
    "campaign_group", "CAMPAIGN_GROUP", "campaignGroups", "sponsoredCampaignGroup", sliced_by="campaign_group"
)
CAMPAIGN = Level(
    "campaign", "CAMPAIGN", "campaigns", "sponsoredCampaign", parents=("campaign_group",), sliced_by="campaign"
)
CREATIVE = Level(
    "creative",
    "CREATIVE",
    "creatives",
    "sponsoredCreative",
    parents=("campaign_group", "campaign"),
    sliced_by="campaign",
)

BY_NAME = {level.name: level for level in (ACCOUNT, CAMPAIGN_GROUP, CAMPAIGN, CREATIVE)}
"""Outermost first."""
