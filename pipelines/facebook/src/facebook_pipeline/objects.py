"""The entity tables as data: for each edge of an ad account its columns and the API fields they are read from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct

from facebook_pipeline import values
from wire import CORE, Column, Table, Type

_CONVERT: dict[Type, Callable[[Any], Any]] = {
    Type.STRING: values.text,
    Type.INTEGER: values.integer,
    Type.NUMBER: values.number,
    Type.DECIMAL: values.decimal,
    Type.BOOLEAN: values.boolean,
    Type.DATETIME: values.instant,
    Type.JSON: values.anything,
}


class ObjectColumn(Struct, frozen=True):
    """A column, the API field to ask for, if any, and how it is read from an object, given the account's currency."""

    column: Column
    field: str
    read: Callable[[Mapping[str, Any], str], Any]


class Entity(Struct, frozen=True):
    """One entity table; `edge` is the account's edge that lists it.

    Where its objects have statuses, `level` is the API's word for them, and `statuses` must be asked for by name. An
    edge that is not `counted` has no `summary`.
    """

    table: Table
    edge: str
    fields: tuple[str, ...]
    columns: tuple[ObjectColumn, ...]
    level: str = ""
    statuses: tuple[str, ...] = ()
    counted: bool = True

    def row(self, raw: Mapping[str, Any], account_id: str, currency: str) -> dict[str, Any]:
        row: dict[str, Any] = {"account_id": account_id}
        for each in self.columns:
            row[each.column.name] = each.read(raw, currency)
        return row


def _column(name: str, kind: Type, note: str = "", field: str | None = None) -> ObjectColumn:
    api_name, convert = field or name, _CONVERT[kind]
    return ObjectColumn(Column(name, kind, note), api_name, lambda raw, _: convert(raw.get(api_name)))


def _text(*names: str) -> tuple[ObjectColumn, ...]:
    return tuple(_column(name, Type.STRING) for name in names)


def _times(*names: str) -> tuple[ObjectColumn, ...]:
    return tuple(_column(name, Type.DATETIME) for name in names)


def _json(*names: str) -> tuple[ObjectColumn, ...]:
    return tuple(_column(name, Type.JSON) for name in names)


def _minor(*names: str) -> tuple[ObjectColumn, ...]:
    """Money that the API tells in the currency's smallest unit."""

    def column(name: str) -> ObjectColumn:
        return ObjectColumn(
            Column(name, Type.DECIMAL, "account currency"),
            name,
            lambda raw, currency: values.from_minor_units(raw.get(name), currency),
        )

    return tuple(column(name) for name in names)


_CURRENCY = ObjectColumn(
    Column("account_currency", Type.STRING, "ISO 4217 code of all money in the row"), "", lambda _, currency: currency
)


def _creative_id(raw: Mapping[str, Any], _: str) -> str | None:
    return values.text((raw.get("creative") or {}).get("id"))


def _entity(
    name: str, edge: str, columns: tuple[ObjectColumn, ...], key: str, *, group: str = CORE, **more: Any
) -> Entity:
    """`more` are the other fields of `Entity`."""
    head = Column("account_id", Type.STRING, "ad account id without act_")
    keyed = tuple(dict.fromkeys(("account_id", key)))
    table = Table(name, (head, *(each.column for each in columns)), keyed, group=group)
    fields = tuple(dict.fromkeys(each.field for each in columns if each.field))
    return Entity(table=table, edge=edge, fields=fields, columns=columns, **more)


_ACCOUNT_STATUSES = {
    1: "ACTIVE",
    2: "DISABLED",
    3: "UNSETTLED",
    7: "PENDING_RISK_REVIEW",
    8: "PENDING_SETTLEMENT",
    9: "IN_GRACE_PERIOD",
    100: "PENDING_CLOSURE",
    101: "CLOSED",
    201: "ANY_ACTIVE",
    202: "ANY_CLOSED",
}

ACCOUNT = _entity(
    "account",
    "",
    (
        *_text("name", "currency", "timezone_name"),
        _column("account_status", Type.INTEGER, "Meta's number"),
        ObjectColumn(
            Column("account_status_name", Type.STRING, "the number in words, for example ACTIVE, DISABLED, CLOSED"),
            "account_status",
            lambda raw, _: _ACCOUNT_STATUSES.get(values.integer(raw.get("account_status")) or 0),
        ),
        _column("disable_reason", Type.INTEGER, "Meta's number; 0 is none"),
        *_text("business_name"),
        *_minor("amount_spent", "spend_cap", "balance"),
        *_times("created_time"),
    ),
    "account_id",
)

_CAMPAIGN_STATUSES = ("ACTIVE", "PAUSED", "IN_PROCESS", "WITH_ISSUES", "ARCHIVED", "DELETED")
_AD_SET_STATUSES = (*_CAMPAIGN_STATUSES, "CAMPAIGN_PAUSED")
_AD_STATUSES = (
    *_AD_SET_STATUSES,
    "ADSET_PAUSED",
    "DISAPPROVED",
    "PENDING_BILLING_INFO",
    "PENDING_REVIEW",
    "PREAPPROVED",
)
STATUSES = {"campaign": _CAMPAIGN_STATUSES, "adset": _AD_SET_STATUSES, "ad": _AD_STATUSES}
"""Every effective status of each level; without them archived and deleted objects, and their numbers, are left out."""
EDGES = {"campaign": "campaigns", "adset": "adsets", "ad": "ads"}
"""The edge that lists the objects of each level."""


def status_filter(level: str, statuses: tuple[str, ...]) -> dict[str, Any]:
    """The filter that lets objects of these effective statuses through, on an edge and in insights alike."""
    return {"field": f"{level}.effective_status", "operator": "IN", "value": list(statuses)}


def not_deleted(statuses: tuple[str, ...]) -> tuple[str, ...]:
    """What to ask an edge for that refuses deleted objects."""
    return tuple(status for status in statuses if status != "DELETED")


def id_filter(level: str, ids: tuple[str, ...]) -> dict[str, Any]:
    """The filter that lets what belongs to these campaigns, ad sets or ads through."""
    return {"field": f"{level}.id", "operator": "IN", "value": list(ids)}


_CAMPAIGN = _entity(
    "campaign",
    "campaigns",
    (
        _column("campaign_id", Type.STRING, field="id"),
        *_text("name", "objective", "status", "effective_status", "buying_type", "bid_strategy"),
        *_minor("daily_budget", "lifetime_budget", "budget_remaining", "spend_cap"),
        _CURRENCY,
        *_times("start_time", "stop_time", "created_time", "updated_time"),
        *_json("special_ad_categories"),
    ),
    "campaign_id",
    level="campaign",
    statuses=_CAMPAIGN_STATUSES,
)

_AD_SET = _entity(
    "ad_set",
    "adsets",
    (
        _column("ad_set_id", Type.STRING, field="id"),
        *_text("campaign_id", "name", "status", "effective_status"),
        *_text("optimization_goal", "billing_event", "bid_strategy", "destination_type"),
        *_minor("bid_amount", "daily_budget", "lifetime_budget", "budget_remaining"),
        _CURRENCY,
        *_times("start_time", "end_time", "created_time", "updated_time"),
        *_json("attribution_spec", "promoted_object", "targeting"),
    ),
    "ad_set_id",
    level="adset",
    statuses=_AD_SET_STATUSES,
)

_AD = _entity(
    "ad",
    "ads",
    (
        _column("ad_id", Type.STRING, field="id"),
        _column("ad_set_id", Type.STRING, field="adset_id"),
        *_text("campaign_id", "name", "status", "effective_status"),
        ObjectColumn(Column("creative_id", Type.STRING), "creative", _creative_id),
        *_text("conversion_domain"),
        *_times("created_time", "updated_time"),
        *_json("tracking_specs"),
    ),
    "ad_id",
    level="ad",
    statuses=_AD_STATUSES,
)

_CREATIVE = _entity(
    "creative",
    "adcreatives",
    (
        _column("creative_id", Type.STRING, field="id"),
        *_text("name", "status", "title", "body", "object_type", "call_to_action_type", "link_url", "url_tags"),
        *_text("image_hash", "image_url", "thumbnail_url", "video_id", "object_story_id", "effective_object_story_id"),
        *_json("object_story_spec", "asset_feed_spec"),
    ),
    "creative_id",
)

_CUSTOM_CONVERSION = _entity(
    "custom_conversion",
    "customconversions",
    (
        _column("custom_conversion_id", Type.STRING, field="id"),
        ObjectColumn(
            Column("action_type", Type.STRING, "what the tables of actions call it"),
            "id",
            lambda raw, _: f"offsite_conversion.custom.{raw['id']}",
        ),
        *_text("name", "description"),
        _column("custom_event_type", Type.STRING, "the standard event that it counts as, such as PURCHASE or OTHER"),
        _column("event_source_type", Type.STRING, "such as pixel"),
        _column("rule", Type.STRING, "which events it counts, in Meta's JSON"),
        _column("default_conversion_value", Type.DECIMAL, "of an event that has none, as Meta tells it; 0 is none"),
        _column("retention_days", Type.INTEGER),
        _column("is_archived", Type.BOOLEAN, "deleted in the Events Manager; Meta keeps it"),
        _column("is_unavailable", Type.BOOLEAN, "Meta lets no new campaign use it"),
        *_times("creation_time", "first_fired_time", "last_fired_time"),
        ObjectColumn(
            Column("pixel_id", Type.STRING), "pixel", lambda raw, _: values.text((raw.get("pixel") or {}).get("id"))
        ),
        _column("data_sources", Type.JSON, "id, source_type and name of each"),
    ),
    "custom_conversion_id",
    group="conversions",
    counted=False,
)

ENTITIES = (_CAMPAIGN, _AD_SET, _AD, _CREATIVE, _CUSTOM_CONVERSION)
