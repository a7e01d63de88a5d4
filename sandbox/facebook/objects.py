"""The world as the Graph API shows it: ad accounts, campaigns, ad sets, ads, creatives and custom conversions.

An object is a dict with every field there is to ask for; a field without a value is absent.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from typing import Any
from zoneinfo import ZoneInfo

from sandbox.facebook.conditions import compared
from sandbox.facebook.parameters import DELIVERY, Filter
from sandbox.facebook.refusals import no_such_field
from sandbox.world import Account, Ad, Campaign, Group, World

OFFSET_ONE = frozenset({"CLP", "COP", "CRC", "HUF", "IDR", "ISK", "JPY", "KRW", "PYG", "TWD", "VND"})

Node = dict[str, Any]


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


FIELDS: dict[str, frozenset[str]] = {
    "adaccounts": _words(
        "id account_id name currency timezone_name timezone_id account_status disable_reason "
        "business_name amount_spent spend_cap balance created_time age owner funding_source min_daily_budget"
    ),
    "campaigns": _words(
        "id account_id name objective status effective_status configured_status buying_type "
        "bid_strategy daily_budget lifetime_budget budget_remaining spend_cap start_time stop_time "
        "created_time updated_time special_ad_categories adlabels ads issues_info source_campaign_id"
    ),
    "adsets": _words(
        "id account_id campaign_id name status effective_status configured_status optimization_goal "
        "billing_event bid_strategy destination_type bid_amount daily_budget lifetime_budget "
        "budget_remaining start_time end_time created_time updated_time attribution_spec "
        "promoted_object targeting adlabels bid_info bid_strategy_goal pacing_type use_new_app_click"
    ),
    "ads": _words(
        "id account_id campaign_id adset_id name status effective_status configured_status creative "
        "conversion_domain created_time updated_time tracking_specs adlabels bid_amount bid_info bid_type "
        "conversion_specs last_updated_by_app_id recommendations source_ad_id targeting"
    ),
    "adcreatives": _words(
        "id account_id name status title body object_type call_to_action_type link_url url_tags "
        "image_hash image_url thumbnail_url video_id object_story_id effective_object_story_id "
        "object_story_spec asset_feed_spec actor_id adlabels applink_treatment effective_instagram_media_id "
        "image_crops instagram_user_id instagram_permalink_url source_instagram_media_id link_og_id object_id "
        "object_url product_set_id template_url template_url_spec"
    ),
    "customconversions": _words(
        "id account_id aggregation_rule business creation_time custom_event_type data_sources "
        "default_conversion_value description event_source_type first_fired_time is_archived is_unavailable "
        "last_fired_time name offline_conversion_data_set pixel retention_days rule"
    ),
}
"""The fields of each edge's objects; any other is refused, and one without a value is absent."""
DEFAULT_FIELDS = {"adaccounts": ("account_id", "id")}
"""What is told of an object where no fields are asked for; elsewhere it is the id."""
_EDGES = ("campaigns", "adsets", "ads", "adcreatives", "customconversions")
LEVEL_OF = {"campaigns": "campaign", "adsets": "adset", "ads": "ad"}
EDGE_OF = {level: edge for edge, level in LEVEL_OF.items()}
_ABOVE = {"campaign": "campaign_id", "adset": "adset_id"}


class Objects:
    """The objects of every account, made once."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._made: dict[tuple[str, str], list[Node]] = {}
        self._places: dict[str, tuple[Account, str, Node]] = {}

    def of(self, account: Account, edge: str) -> list[Node]:
        """All objects of an account's edge, archived and deleted ones included."""
        key = (account.id, edge)
        if key not in self._made:
            self._made[key] = edge_nodes(self._world, account, edge)
        return self._made[key]

    def find(self, node_id: str) -> tuple[Account, str, Node] | None:
        """The account, edge and object of an id; None where there is none."""
        if not self._places:
            for account in self._world.accounts("facebook"):
                for edge in _EDGES:
                    self._places |= {str(node["id"]): (account, edge, node) for node in self.of(account, edge)}
        return self._places.get(node_id)

    def matching(self, account: Account, edge: str, filters: Iterable[Filter]) -> list[Node]:
        """The objects of an edge that all filters let through."""
        level = LEVEL_OF.get(edge)
        nodes = self.of(account, edge)
        for each in filters:
            if each.level == level:
                nodes = [node for node in nodes if _passes(node, each)]
            elif level is not None:
                above = _ABOVE.get(each.level, "ad_id")
                passing = {node["id"] for node in self.matching(account, EDGE_OF[each.level], [each])}
                nodes = [node for node in nodes if node.get(above) in passing]
        return nodes


def picked(node: Node, edge: str, fields: Iterable[str]) -> Node:
    """What is told of an object that was asked for these fields; raises GraphError for one that it cannot have."""
    names = tuple(fields) or DEFAULT_FIELDS.get(edge, ("id",))
    for name in names:
        if name not in FIELDS[edge]:
            raise no_such_field(name, edge)
    return {"id": node["id"], **{name: node[name] for name in names if name in node}}


def attribution_setting(account: Account, campaign: Campaign, group: Group) -> str:
    """An ad set's own setting; accounts in yen have campaigns whose ad sets differ."""
    if account.currency == "JPY" and group.id % 2:
        return "1d_click"
    return "7d_click_1d_view_1d_ev" if campaign.video else "7d_click_1d_view"


def _passes(node: Node, wanted: Filter) -> bool:
    match wanted.field:
        case "name":
            return compared(node["name"], wanted)
        case "effective_status":
            return bool((node["effective_status"] in wanted.values) is (wanted.operator == "IN"))
        case "delivery_info":
            return any(node["effective_status"] in DELIVERY[each] for each in wanted.values)
        case "id":
            return (node["id"] in wanted.values) is (wanted.operator != "NOT_IN")
    instant = dt.datetime.strptime(node[wanted.field], "%Y-%m-%dT%H:%M:%S%z").timestamp()
    limit = float(wanted.values[0])
    return instant > limit if wanted.operator == "GREATER_THAN" else instant < limit


def account_node(account: Account) -> Node:
    node: Node = {
        "id": f"act_{account.id}",
        "account_id": account.id,
        "name": account.name,
        "currency": account.currency,
        "timezone_name": account.timezone,
        "account_status": 101 if account.ended_on else 2 if account.closed else 1,
        "disable_reason": 1 if account.closed else 0,
        "amount_spent": str(int(account.id) % 1_000_003),
        "balance": "0",
        "created_time": "2019-03-01T09:00:00-0800",
    }
    if account.campaigns:
        node["business_name"] = f"{account.name} GmbH"
        node["spend_cap"] = "123456789"
    return node


def edge_nodes(world: World, account: Account, edge: str) -> list[Node]:
    """All objects of an edge, archived and deleted ones included."""
    make = {
        "campaigns": _campaigns,
        "adsets": _ad_sets,
        "ads": _ads,
        "adcreatives": _creatives,
        "customconversions": _custom_conversions,
    }[edge]
    return make(world, account)


def campaign_status(world: World, account: Account, campaign: Campaign) -> str:
    """A removed campaign was deleted or archived; the sandbox takes every second account for one that deletes."""
    status = campaign.status(world.today(account))
    if status == "removed":
        return "DELETED" if int(account.id) % 2 else "ARCHIVED"
    return "PAUSED" if status == "paused" else "ACTIVE"


def _campaigns(world: World, account: Account) -> list[Node]:
    return [_campaign(world, account, campaign) for campaign in account.campaigns]


def _campaign(world: World, account: Account, campaign: Campaign) -> Node:
    status = campaign_status(world, account, campaign)
    node: Node = {
        "id": str(campaign.id),
        "account_id": account.id,
        "name": campaign.name,
        "objective": "OUTCOME_AWARENESS" if campaign.video else "OUTCOME_SALES",
        "status": status,
        "configured_status": status,
        "effective_status": status,
        "buying_type": "AUCTION",
        "bid_strategy": "LOWEST_COST_WITHOUT_CAP",
        "daily_budget": _minor(campaign.budget_micros, account.currency),
        "budget_remaining": _minor(campaign.budget_micros // 2, account.currency),
        "start_time": _midnight(account, campaign.start),
        "created_time": _midnight(account, campaign.start),
        "updated_time": _midnight(account, campaign.paused_on or campaign.start),
        "special_ad_categories": [],
    }
    if campaign.paused_on:
        node["stop_time"] = _midnight(account, campaign.paused_on)
    return node


def _ad_sets(world: World, account: Account) -> list[Node]:
    return [_ad_set(world, account, campaign, group) for campaign in account.campaigns for group in campaign.groups]


def _ad_set(world: World, account: Account, campaign: Campaign, group: Group) -> Node:
    own = "PAUSED" if group.paused else "ACTIVE"
    above = campaign_status(world, account, campaign)
    return {
        "id": str(group.id),
        "account_id": account.id,
        "campaign_id": str(campaign.id),
        "name": group.name,
        "status": own,
        "configured_status": own,
        "effective_status": _effective(own, above, "CAMPAIGN_PAUSED"),
        "optimization_goal": "OFFSITE_CONVERSIONS",
        "billing_event": "IMPRESSIONS",
        "destination_type": "WEBSITE",
        "start_time": _midnight(account, campaign.start),
        "created_time": _midnight(account, campaign.start),
        "updated_time": _midnight(account, campaign.start),
        "attribution_spec": [
            {"event_type": "CLICK_THROUGH", "window_days": 7},
            {"event_type": "VIEW_THROUGH", "window_days": 1},
        ],
        "promoted_object": {"pixel_id": f"{account.id}1", "custom_event_type": "PURCHASE"},
        "targeting": {"age_min": 18, "geo_locations": {"countries": ["DE", "AT"]}},
    }


def _ads(world: World, account: Account) -> list[Node]:
    return [
        _ad(world, account, campaign, group, ad)
        for campaign in account.campaigns
        for group in campaign.groups
        for ad in group.ads
    ]


def _ad(world: World, account: Account, campaign: Campaign, group: Group, ad: Ad) -> Node:
    own = "PAUSED" if ad.paused else "ACTIVE"
    above = campaign_status(world, account, campaign)
    effective = _effective(own, above, "CAMPAIGN_PAUSED")
    if group.paused and effective == "ACTIVE":
        effective = "ADSET_PAUSED"
    return {
        "id": str(ad.id),
        "account_id": account.id,
        "campaign_id": str(campaign.id),
        "adset_id": str(group.id),
        "name": ad.name,
        "status": own,
        "configured_status": own,
        "effective_status": effective,
        "creative": {"id": f"{ad.id}7"},
        "created_time": _midnight(account, campaign.start),
        "updated_time": _midnight(account, campaign.start),
        "tracking_specs": [{"action.type": ["offsite_conversion"], "fb_pixel": [f"{account.id}1"]}],
    }


def _creatives(world: World, account: Account) -> list[Node]:  # noqa: ARG001 - one of four that are called alike
    return [
        {
            "id": f"{ad.id}7",
            "account_id": account.id,
            "name": f"{ad.name} – creative",
            "status": "ACTIVE",
            "title": "Run & “fly”",
            "object_type": "VIDEO" if campaign.video else "SHARE",
            "call_to_action_type": "SHOP_NOW",
            "thumbnail_url": f"https://example.com/{ad.id}.jpg?a=1&b=2",
            "object_story_spec": {"page_id": "77", "link_data": {"link": "https://example.com/", "message": ad.name}},
        }
        for campaign in account.campaigns
        for group in campaign.groups
        for ad in group.ads
    ]


def _custom_conversions(world: World, account: Account) -> list[Node]:
    """One that counts every other purchase, and one that was archived before it counted anything."""
    if not account.campaigns:
        return []
    first = min(campaign.start for campaign in account.campaigns)
    shared = {
        "account_id": account.id,
        "creation_time": "2024-05-02T09:00:00-0700",
        "custom_event_type": "PURCHASE",
        "data_sources": [{"id": f"{account.id}1", "source_type": "PIXEL", "name": "Shop"}],
        "default_conversion_value": 0,
        "event_source_type": "pixel",
        "is_archived": False,
        "is_unavailable": False,
        "pixel": {"id": f"{account.id}1"},
        "retention_days": 30,
        "rule": '{"and":[{"event":{"eq":"Purchase"}},{"or":[{"URL":{"i_contains":"/danke"}}]}]}',
    }
    counting = {
        "id": f"{account.id}5",
        "name": "Every other order, “VIP”",
        "description": "Counted by hand",
        "first_fired_time": _midnight(account, first),
        "last_fired_time": _midnight(account, world.today(account)),
    }
    archived = {"id": f"{account.id}6", "name": "Old", "is_archived": True, "default_conversion_value": 2.5}
    return [shared | counting, shared | archived]


def _effective(own: str, above: str, paused_above: str) -> str:
    if above in ("DELETED", "ARCHIVED"):
        return above
    if own != "ACTIVE":
        return own
    return paused_above if above == "PAUSED" else "ACTIVE"


def _minor(micros: int, currency: str) -> str:
    return str(micros // (1_000_000 if currency in OFFSET_ONE else 10_000))


def _midnight(account: Account, day: dt.date) -> str:
    return dt.datetime.combine(day, dt.time(), ZoneInfo(account.timezone)).strftime("%Y-%m-%dT%H:%M:%S%z")
