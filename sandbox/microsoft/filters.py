"""The filter of a report request: which rows are in the report, by what the service's filters name.

Element names and values are those of the filter of each report (MicrosoftDocs/Advertising, reporting-service).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sandbox.microsoft.calls import Body, part
from sandbox.microsoft.columns import ASSET_GROUP, BREAKDOWNS, CAMPAIGN, GROUP_STATUS, KEYWORD, QUERY, Row
from sandbox.microsoft.customers import status_of
from sandbox.microsoft.refusals import RefusalError, refuse
from sandbox.microsoft.report_types import ReportType
from sandbox.microsoft.splits import COLUMNS

Test = Callable[[Row], bool]
_FLAGS = {
    "AccountStatus": ("Active", "Paused", "Inactive"),
    "AdDistribution": ("Search", "Audience", "CrossNetwork"),
    "AssetGroupStatus": ("Active", "Paused", "Deleted"),
    "BidMatchType": ("Exact", "Phrase", "Broad"),
    "CampaignStatus": ("Active", "Deleted", "Paused", "BudgetPaused", "Suspended"),
    "DeliveredMatchType": ("Exact", "Phrase", "Broad", "ExactCloseVariant", "PhraseCloseVariant", "AIOptimized"),
    "DeviceOS": ("Other", "Windows", "iOS", "Android", "BlackBerry"),
    "DeviceType": ("Computer", "SmartPhone", "NonSmartPhone", "Tablet"),
    "Language": ("Danish", "Dutch", "English", "Finnish", "French", "German", "Italian"),
    "Status": ("Active", "Deleted", "Expired", "Paused", "BudgetPaused", "Suspended"),
}
_TEXTS = {"Keywords": 75, "SearchQueries": 30, "GoalIds": 300, "CountryCode": 300}
_COUNTRIES = {"Germany": "DE", "Austria": "AT", "": ""}
# What the rows of a filter that is not named after its column are split by.
_SPLIT_BY = {"GoalIds": "GoalId", "CountryCode": "Country"}


def tests(kind: ReportType, kind_name: str, request: Body) -> tuple[frozenset[str], tuple[Test, ...]]:
    """The columns that a filter splits rows by, and what rows must pass; raises RefusalError."""
    given = {name: value for name, value in part(request, "Filter").items() if value not in (None, [], ())}
    refuse(not {*given} <= {*kind.filters}, 2060, ",".join(sorted({*given} - {*kind.filters})))
    split = {_SPLIT_BY.get(name, name) for name in given} & COLUMNS
    return frozenset(split), tuple(_test(name, value, kind_name) for name, value in given.items())


def _test(name: str, value: Any, kind_name: str) -> Test:
    if name == "ExcludeZeroClicks":
        refuse(str(value).lower() not in ("true", "false"), 100)
        return (lambda row: row.metrics.clicks > 0) if str(value).lower() == "true" else (lambda _: True)
    if name in _TEXTS:
        refuse(not isinstance(value, list), 100)
        refuse(len(value) > _TEXTS[name], 2060)
        return _one_of(name, frozenset(str(each).lower() for each in value), kind_name)
    # REST has flags in one text with commas, SOAP with blanks.
    flags = value if isinstance(value, tuple) else tuple(str(value).replace(",", " ").split())
    refuse(not {*flags} <= {*_FLAGS[name]}, 2060, ",".join(sorted({*flags} - {*_FLAGS[name]})))
    return _one_of(name, frozenset(each.lower() for each in flags), kind_name)


def _one_of(name: str, wanted: frozenset[str], kind_name: str) -> Test:
    value = _value_of(name, kind_name)
    return lambda row: value(row).lower() in wanted


def _value_of(name: str, kind_name: str) -> Callable[[Row], str]:
    own_status = GROUP_STATUS["Status"] if kind_name.startswith("AdGroup") else CAMPAIGN["CampaignStatus"]
    others: Mapping[str, Callable[[Row], str]] = {
        "AccountStatus": lambda row: status_of(row.account),
        "AssetGroupStatus": ASSET_GROUP["AssetGroupStatus"],
        "CampaignStatus": CAMPAIGN["CampaignStatus"],
        "CountryCode": lambda row: _COUNTRIES[row.parts["Country"]],
        "GoalIds": lambda row: row.parts["GoalId"],
        "Keywords": KEYWORD["Keyword"],
        "SearchQueries": QUERY["SearchQuery"],
        "Status": own_status,
    }
    found = others.get(name) or BREAKDOWNS.get(name)
    if found is None:
        raise RefusalError(2060, name)
    return found
