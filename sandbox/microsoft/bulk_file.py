"""The file of a Bulk download: one table of all chosen things, in CSV or TSV, format version 6.0.

Columns and values are those of the pages of each record type (MicrosoftDocs/Advertising, bulk-service); `Time Zone` of
a campaign is in the files that `msads` reads and writes alone. The order of columns and rows is not promised, so it
changes from file to file: only `Type` is the first column, and the format's row and the account's are the first rows.
"""

from __future__ import annotations

import csv
import datetime as dt
import io
import itertools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from sandbox.microsoft.asset_groups import as_record, is_performance_max
from sandbox.microsoft.campaigns import (
    ad_type,
    campaign_type,
    final_url,
    group_bid,
    keyword_bid,
    keyword_id,
    status_text,
)
from sandbox.microsoft.customers import customer_of
from sandbox.world import Account, Ad, Campaign, Group, World

Record = dict[str, str]
_TOLD_EVERY = 1000
_ADS = {
    "ExpandedText": ("Expanded Text Ad", "ExpandedTextAds"),
    "ResponsiveSearch": ("Responsive Search Ad", "ResponsiveSearchAds"),
    "ResponsiveAd": ("Responsive Ad", "ResponsiveAds"),
}


@dataclass(frozen=True, slots=True)
class BulkOrder:
    """A checked request; `since` leaves out what has not changed, `campaigns` all but these, if there are any."""

    account: Account
    entities: frozenset[str]
    campaigns: frozenset[str]
    since: dt.datetime | None
    delimiter: str
    gzip: bool


def text_of(order: BulkOrder, world: World, number: int, tell: Callable[[int], None]) -> str:
    """The file as text; `number` decides the order of columns and rows, and `tell` hears how many rows are written."""
    names: dict[str, None] = {}
    parts = []
    for part in (_format(), _account(order.account, world), *_records(order, world, backwards=number % 2 == 0)):
        # All records of a part have the same columns, so that its first one tells them.
        first = next(part, None)
        if first is not None:
            names |= dict.fromkeys(first)
            parts.append(itertools.chain((first,), part))
    del names["Type"]
    columns = ["Type", *(reversed(names) if number % 2 else names)]
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator="\r\n", delimiter=order.delimiter)
    writer.writerow(columns)
    for written, record in enumerate(itertools.chain.from_iterable(parts)):
        writer.writerow([record.get(name, "") for name in columns])
        if written % _TOLD_EVERY == 0:
            tell(written)
    return text.getvalue()


def rows_about(order: BulkOrder) -> int:
    """How many rows a file of everything in an account has, more or less."""
    groups = [group for campaign in order.account.campaigns for group in campaign.groups]
    return len(order.account.campaigns) + sum(1 + len(group.ads) + len(group.keywords) for group in groups)


def with_unknown_rows(text: str) -> str:
    """The same file with rows of a type that nobody knows yet."""
    head, first, rest = text.split("\r\n", 2)
    delimiter = "\t" if "\t" in head else ","
    strange = "Hologram" + delimiter * head.count(delimiter)
    return "\r\n".join((head, first, strange, rest)) + strange + "\r\n"


def with_wrong_first_line(text: str) -> str:
    """The same file with a line before its header."""
    return f"Microsoft Advertising bulk file\r\n{text}"


def _format() -> Iterator[Record]:
    yield {"Type": "Format Version", "Name": "6.0"}


def _account(account: Account, world: World) -> Iterator[Record]:
    yield {
        "Type": "Account",
        "Status": "Active",
        "Id": account.id,
        "Parent Id": customer_of(account),
        "Sync Time": f"{world.as_of.astimezone(dt.UTC):%m/%d/%Y %H:%M:%S}",
    }


def _records(order: BulkOrder, world: World, *, backwards: bool) -> list[Iterator[Record]]:
    """Records in parts, parents before children or the other way."""
    campaigns = list(_chosen(order, world))
    kept = [campaign for campaign, status in campaigns if status != "Deleted"]
    parts = [
        (_campaign(order.account, campaign, status) for campaign, status in campaigns if _asked(order, "Campaigns")),
        (_group(campaign, group) for campaign, group in _groups(kept) if _asked(order, "AdGroups")),
        *(_ads(order, kept, kind) for kind in _ADS),
        (
            _keyword(campaign, group, place)
            for campaign, group in _groups(kept)
            for place in range(len(group.keywords))
            if _asked(order, "Keywords")
        ),
        (
            as_record(campaign, group)
            for campaign, group in _groups(kept)
            if _asked(order, "AssetGroups") and is_performance_max(campaign)
        ),
    ]
    return parts[::-1] if backwards else parts


def _ads(order: BulkOrder, campaigns: list[Campaign], kind: str) -> Iterator[Record]:
    if _asked(order, "Ads", _ADS[kind][1]):
        for campaign, group in _groups(campaigns):
            for ad in group.ads:
                if ad_type(ad, campaign) == kind:
                    yield _ad(campaign, group, ad)


def _asked(order: BulkOrder, *entities: str) -> bool:
    return not order.entities.isdisjoint(entities)


def _groups(campaigns: list[Campaign]) -> Iterator[tuple[Campaign, Group]]:
    return ((campaign, group) for campaign in campaigns for group in campaign.groups)


def _chosen(order: BulkOrder, world: World) -> Iterator[tuple[Campaign, str]]:
    """Campaigns with their status. Deleted ones are in a delta alone, and what was in them is not."""
    today = world.today(order.account)
    for campaign in order.account.campaigns:
        if order.campaigns and str(campaign.id) not in order.campaigns:
            continue
        status = {"enabled": "Active", "paused": "Paused", "removed": "Deleted"}[campaign.status(today)]
        if order.since is not None:
            changes = (campaign.start, campaign.paused_on, campaign.removed_on)
            if any(day is not None and order.since.date() <= day <= today for day in changes):
                yield campaign, status
        elif status != "Deleted":
            yield campaign, status


def _campaign(account: Account, campaign: Campaign, status: str) -> Record:
    return {
        "Type": "Campaign",
        "Status": status,
        "Id": str(campaign.id),
        "Parent Id": account.id,
        "Campaign": campaign.name,
        "Campaign Type": campaign_type(campaign),
        "Sub Type": "",
        "Budget": str(campaign.budget_micros / 1_000_000),
        "Budget Type": "DailyBudgetStandard",
        "Budget Id": "",
        "Budget Name": "",
        "Bid Strategy Type": "EnhancedCpc",
        "Bid Strategy Id": "",
        "Time Zone": "EasternTimeUSCanada",
        "Language": "English;German",
        "Tracking Template": f"{{lpurl}}?utm_source=bing&utm_campaign={campaign.id}",
        "Final Url Suffix": "",
        "Modified Time": f"{campaign.start:%m/%d/%Y} 08:15:30",
    }


def _group(campaign: Campaign, group: Group) -> Record:
    return {
        "Type": "Ad Group",
        "Status": status_text(group.paused),
        "Id": str(group.id),
        "Parent Id": str(campaign.id),
        "Campaign": campaign.name,
        "Ad Group": group.name,
        "Ad Group Type": "SearchStandard",
        "Cpc Bid": str(group_bid(group)),
        "Bid Strategy Type": "InheritFromParent",
        "Network Distribution": "OwnedAndOperatedAndSyndicatedSearch",
        "Language": "English",
        "Start Date": f"{campaign.start:%m/%d/%Y}",
        "End Date": "",
    }


def _ad(campaign: Campaign, group: Group, ad: Ad) -> Record:
    kind = ad_type(ad, campaign)
    shared = {
        "Type": _ADS[kind][0],
        "Status": status_text(ad.paused),
        "Id": str(ad.id),
        "Parent Id": str(group.id),
        "Campaign": campaign.name,
        "Ad Group": group.name,
        "Editorial Status": "Active",
        "Final Url": final_url(ad),
        "Mobile Final Url": "",
    }
    headlines, descriptions = _assets(ad.name, "Free delivery"), _assets("Buy now")
    if kind == "ExpandedText":
        titles = {"Title Part 1": ad.name, "Title Part 2": "Free delivery", "Title Part 3": ""}
        return shared | titles | {"Text": "Buy now", "Path 1": "sale", "Path 2": ""}
    if kind == "ResponsiveSearch":
        return shared | {"Headline": headlines, "Description": descriptions, "Path 1": "sale", "Path 2": ""}
    return shared | {"Business Name": "Shops & Co", "Headlines": headlines, "Descriptions": descriptions}


def _assets(*texts: str) -> str:
    """Links to text assets as the file has them; a download adds what may only be read."""
    links = [{"id": n, "text": text, "editorialStatus": "Active"} for n, text in enumerate(texts, 1)]
    return json.dumps(links, ensure_ascii=False)


def _keyword(campaign: Campaign, group: Group, place: int) -> Record:
    keyword, number = group.keywords[place], keyword_id(group, place)
    bid = keyword_bid(number)
    return {
        "Type": "Keyword",
        "Status": "Active",
        "Id": number,
        "Parent Id": str(group.id),
        "Campaign": campaign.name,
        "Ad Group": group.name,
        "Keyword": keyword.text,
        "Match Type": keyword.match.title(),
        "Bid": "" if bid is None else str(bid),
        "Editorial Status": "Active",
        "Bid Strategy Type": "InheritFromParent",
    }
