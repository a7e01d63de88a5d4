"""Odd answers: values newer than any client, optional elements left out, an object given twice, a list left out."""

from __future__ import annotations

from typing import Any

from sandbox.microsoft.calls import Body

KINDS = ("future_value", "missing_value", "repeated_object", "changed_object", "empty_list", "empty_answer")
# The lists that answers hold, and what of their first object becomes a value that nobody knows yet.
_FUTURE = {
    "Accounts": {"AccountLifeCycleStatus": "Dormant"},
    "AdGroups": {"Status": "Dreaming", "Network": "Telepathy"},
    "Ads": {"Type": "Hologram", "EditorialStatus": "Pondered"},
    "AssetGroups": {"Status": "Dreaming", "CallToAction": "Levitate"},
    "Campaigns": {"Status": "Dreaming", "CampaignType": "Holographic"},
    "Keywords": {"MatchType": "Telepathic"},
}
OPERATIONS = frozenset(
    {
        "SearchAccounts",
        "GetCampaignsByAccountId",
        "GetAdGroupsByCampaignId",
        "GetAdsByAdGroupId",
        "GetKeywordsByAdGroupId",
        "GetAssetGroupsByCampaignId",
    }
)
_ALWAYS_THERE = frozenset({"Id", "Name", "ParentCustomerId", "Type"})


def made_odd(kind: str, body: Body) -> Body:
    """The answer with its first object changed or given once more, with nothing in its list, or without its list."""
    if kind == "empty_answer":
        return {}
    return {name: _odd(kind, name, value) for name, value in body.items()}


def _odd(kind: str, name: str, value: Any) -> Any:
    if name not in _FUTURE or not value:
        return value
    if kind == "empty_list":
        return []
    first, *others = value
    if kind == "future_value":
        return [first | _FUTURE[name], *others]
    if kind == "missing_value":
        return [{key: of for key, of in first.items() if key in _ALWAYS_THERE}, *others]
    if kind == "changed_object":
        return [first, *others, first | {"Status": "Paused", "Name": f"{first.get('Name')} changed"}]
    return [first, *others, first]
