"""The searches of entities: their filters, and pages in both ways, by token and by offset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sandbox.linkedin.limits import Limits
from sandbox.linkedin.replies import Reply, ok, refuse, refuse_parameter
from sandbox.linkedin.restli import Value

PAGING = ("pageSize", "pageToken", "start", "count")
STATUSES = {
    "adAccounts": ("ACTIVE", "DRAFT", "CANCELED", "PENDING_DELETION", "REMOVED"),
    "adCampaignGroups": ("ACTIVE", "PAUSED", "ARCHIVED", "CANCELED", "DRAFT", "PENDING_DELETION", "REMOVED"),
    "adCampaigns": (
        *("ACTIVE", "PAUSED", "ARCHIVED", "COMPLETED", "CANCELED", "DRAFT", "PENDING_DELETION", "REMOVED"),
    ),
    "creatives": ("ACTIVE", "PAUSED", "ARCHIVED", "CANCELED", "DRAFT", "PENDING_DELETION", "REMOVED"),
}
FILTERS = {
    "adAccounts": ("status", "reference", "name", "id", "type", "test"),
    "adCampaignGroups": ("status", "name", "id", "test"),
    "adCampaigns": ("status", "campaignGroup", "associatedEntity", "name", "id", "type", "test"),
}
_LARGEST_PAGE = {"adAccounts": 1000, "adCampaignGroups": 1000, "adCampaigns": 1000, "creatives": 100}


def searched(resource: str, elements: list[dict[str, Any]], given: Mapping[str, Value]) -> list[dict[str, Any]]:
    """Those that `search=(status:(values:List(...)),id:(values:List(...)))` asks for; all where nothing is asked."""
    search = given.get("search", {})
    if not isinstance(search, dict):
        raise refuse_parameter("search", "PARAM_INVALID", "Invalid value for param; wrong type or other syntax error")
    for name, value in search.items():
        if name not in FILTERS[resource]:
            raise refuse_parameter(f"search/{name}", "FIELD_INVALID", "unrecognized field found but not allowed")
        if name == "test":
            elements = [each for each in elements if str(each["test"]).lower() == value]
            continue
        wanted = value.get("values") if isinstance(value, dict) else None
        if not isinstance(wanted, list):
            raise refuse_parameter(f"search/{name}", "FIELD_INVALID", "values must be an array")
        if name == "status":
            check_statuses(resource, f"search/{name}/values", wanted)
        elements = [each for each in elements if _fits(each, name, wanted)]
    return elements


def check_statuses(resource: str, where: str, wanted: list[Value]) -> None:
    """Refuse a status that the resource's objects cannot have."""
    unknown = [each for each in wanted if each not in STATUSES[resource]]
    if unknown:
        raise refuse_parameter(where, "FIELD_INVALID", f'"{unknown[0]}" is not an enum symbol')


def _fits(element: Mapping[str, Any], name: str, wanted: list[Value]) -> bool:
    if name == "id":
        return str(element.get("id")).rsplit(":", 1)[-1] in {str(each).rsplit(":", 1)[-1] for each in wanted}
    return element.get(name) in wanted


def paged(resource: str, elements: list[dict[str, Any]], given: Mapping[str, Value], limits: Limits) -> Reply:
    """A page by token, or by offset where `start` or `count` is given.

    A page by token is never longer than a third of everything, and an empty one comes after the first, unless the
    limits say otherwise.
    """
    if limits.repeated and elements:
        again = dict(elements[0])
        if limits.repeated == "changed":
            again["name"] = f"{again.get('name') or ''} (changed)"
        elements = [*elements, again]
    if "pageSize" not in given and "pageToken" not in given and ("start" in given or "count" in given):
        return offset_page(elements, given)
    if resource == "adAccounts" and limits.token_alone and "search" in given and "pageToken" in given:
        raise refuse_parameter("search", "QUERY_PARAM_NOT_ALLOWED", "search and pageToken cannot be given together")
    size = _number(given, "pageSize", 100)
    if not 1 <= size <= _LARGEST_PAGE[resource]:
        raise refuse(400, "PAGE_SIZE_INVALID", f"pageSize must be between 1 and {_LARGEST_PAGE[resource]}")
    size = min(size, max(2, -(-len(elements) // 3)))
    kind, _, offset = str(given.get("pageToken", "page.0")).partition(".")
    if kind not in ("page", "void") or not offset.isdigit():
        raise refuse_parameter("pageToken", "PARAM_INVALID", "pageToken is not valid")
    start = int(offset)
    found = elements[start : start + size] if kind == "page" else []
    following = start + len(found)
    metadata: dict[str, str] = {}
    if following < len(elements):
        empty_next = limits.empty_pages and kind == "page" and start == 0
        metadata["nextPageToken"] = f"{'void' if empty_next else 'page'}.{following}"
    if limits.alternating and start:
        metadata["nextPageToken"] = f"{'void' if kind == 'page' else 'page'}.{start}"
    return ok({"metadata": metadata, "elements": found})


def offset_page(elements: list[dict[str, Any]], given: Mapping[str, Value]) -> Reply:
    """A page of `count` elements from `start` on, with the total, as resources without tokens have it."""
    start, count = _number(given, "start", 0), _number(given, "count", 10)
    if count > 1000:
        raise refuse_parameter("count", "PARAM_INVALID", "count must be at most 1000")
    paging = {"start": start, "count": count, "total": len(elements), "links": []}
    return ok({"paging": paging, "elements": elements[start : start + count]})


def _number(given: Mapping[str, Value], name: str, default: int) -> int:
    text = str(given.get(name, default))
    if not text.isdigit():
        raise refuse_parameter(name, "PARAM_INVALID", "Invalid value for param; wrong type or other syntax error")
    return int(text)
