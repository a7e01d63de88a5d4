"""By what adAnalytics groups: the values of each pivot, and how a creative's day is shared out over them."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product

from sandbox.world import Account, Fact

Key = tuple[str, ...]
Piece = tuple[Key, tuple[tuple[int, int], ...]]
"""The values of some pivots, and between which hundredths of each they lie."""
Keyed = Callable[[Account, Fact], str]

OBJECTS: dict[str, Keyed] = {
    "ACCOUNT": lambda account, _: f"urn:li:sponsoredAccount:{account.id}",
    "COMPANY": lambda account, _: f"urn:li:organization:{int(account.id) % 100_000}",
    "CAMPAIGN_GROUP": lambda _, fact: f"urn:li:sponsoredCampaignGroup:{fact.campaign.id}",
    "CAMPAIGN": lambda _, fact: f"urn:li:sponsoredCampaign:{fact.group.id if fact.group else ''}",
    "CREATIVE": lambda _, fact: f"urn:li:sponsoredCreative:{fact.ad.id if fact.ad else ''}",
    "SHARE": lambda _, fact: f"urn:li:share:{fact.ad.id if fact.ad else ''}",
    "CONVERSION": lambda account, _: f"urn:lla:llaPartnerConversion:{int(account.id) % 1_000_000}",
    "OBJECTIVE_TYPE": lambda _, fact: "VIDEO_VIEW" if fact.campaign.video else "WEBSITE_VISIT",
}
"""Pivots of which a creative's day has exactly one value."""

SHARES: dict[str, dict[str, int]] = {
    # The empty value is what LinkedIn tells where it does not know the device (airbyte #26934).
    "IMPRESSION_DEVICE_TYPE": {"MOBILE_APP": 61, "DESKTOP_WEB": 30, "MOBILE_WEB": 8, "": 1},
    "SERVING_LOCATION": {"ON_NETWORK": 83, "OFF_NETWORK": 15, "UNKNOWN": 2},
    "PLACEMENT_NAME": {"FEED": 90, "RIGHT_RAIL": 7, "UNKNOWN": 3},
    "MEMBER_COMPANY": {"urn:li:organization:1009": 55, "urn:li:organization:1441": 44, "urn:li:organization:2382": 1},
    "MEMBER_COMPANY_SIZE": {"SIZE_11_TO_50": 70, "SIZE_10001_OR_MORE": 30},
    "MEMBER_COUNTRY_V2": {"urn:li:geo:101282230": 80, "urn:li:geo:103644278": 20},
    "MEMBER_COUNTY": {"urn:li:geo:106967730": 100},
    "MEMBER_INDUSTRY": {"urn:li:industry:4": 60, "urn:li:industry:96": 40},
    "MEMBER_JOB_FUNCTION": {"urn:li:function:8": 75, "urn:li:function:25": 25},
    "MEMBER_JOB_TITLE": {"urn:li:title:9": 50, "urn:li:title:39": 50},
    "MEMBER_REGION_V2": {"urn:li:geo:90009712": 65, "urn:li:geo:90000070": 35},
    "MEMBER_SENIORITY": {"urn:li:seniority:4": 85, "urn:li:seniority:10": 15},
}
"""Pivots over whose values a creative's day is shared out, in hundredths."""

MEMBER_NAMES = {
    "urn:li:organization:1009": "IBM",
    "urn:li:organization:1441": "Google",
    "urn:li:geo:101282230": "Germany",
    "urn:li:geo:103644278": "United States",
    "urn:li:industry:4": "Software Development",
    "urn:li:industry:96": "IT Services and IT Consulting",
    "urn:li:function:8": "Engineering",
    "urn:li:function:25": "Sales",
    "urn:li:title:9": "Software Engineer",
    "urn:li:geo:90009712": "Greater Munich Metropolitan Area",
    "urn:li:seniority:4": "Senior",
    "urn:li:seniority:10": "Owner",
}
"""What adTargetingEntities calls the URNs above; it does not know all of them."""

UNUSED = frozenset({"CONVERSATION_NODE", "CONVERSATION_NODE_OPTION_INDEX", "CARD_INDEX", "EVENT_STAGE"})
"""Documented pivots of products that this world's advertisers do not buy: they have no rows."""

ALL = frozenset({*OBJECTS, *SHARES, *UNUSED})


def is_demographic(pivot: str) -> bool:
    """About the members who saw the ads: approximate, for one pivot only, not with every metric."""
    return pivot.startswith("MEMBER_")


def pieces(account: Account, fact: Fact, pivots: tuple[str, ...]) -> list[Piece]:
    """The values of the pivots that a creative's day is shared out over."""
    if UNUSED.intersection(pivots):
        return []
    choices = [
        [(OBJECTS[pivot](account, fact), (0, 100))] if pivot in OBJECTS else _bounded(SHARES[pivot]) for pivot in pivots
    ]
    return [
        (tuple(value for value, _ in combination), tuple(bounds for _, bounds in combination if bounds != (0, 100)))
        for combination in product(*choices)
    ]


def portion(number: int, bounds: tuple[tuple[int, int], ...], *, demographic: bool) -> int:
    """What of a creative's day lies between the bounds: the pieces of a number add up to it, but for members.

    LinkedIn tells approximate numbers of members; here what is no whole member is told of nobody.
    """
    for low, high in bounds:
        number = number * (high - low) // 100 if demographic else number * high // 100 - number * low // 100
    return number


def _bounded(shares: dict[str, int]) -> list[tuple[str, tuple[int, int]]]:
    above = 0
    found = []
    for value, hundredths in shares.items():
        found.append((value, (above, above + hundredths)))
        above += hundredths
    return found
