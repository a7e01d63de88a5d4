"""The sandbox answers what LinkedIn answers, in ways that the pipeline itself does not ask."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest

FIRST = "5001234567"
ACCOUNT = f"urn%3Ali%3AsponsoredAccount%3A{FIRST}"
DAYS = "dateRange=(start:(year:2026,month:10,day:20),end:(year:2026,month:11,day:20))"
DAYS_1 = (
    "dateRange.start.day=20&dateRange.start.month=10&dateRange.start.year=2026"
    "&dateRange.end.day=20&dateRange.end.month=11&dateRange.end.year=2026"
)
COUNTS = ("impressions", "clicks", "externalWebsiteConversions", "oneClickLeads", "reactions", "costInLocalCurrency")


class Api:
    """Raw requests, with the headers of Rest.li 2.0 unless said otherwise."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self._environment = environment

    def get(self, path: str, *, version: str = "202607", protocol: str | None = "2.0.0", token: str = "") -> Any:
        token = token or self._environment["LINKEDIN_ACCESS_TOKEN"]
        headers = {"LinkedIn-Version": version, "Authorization": f"Bearer {token}"}
        if protocol:
            headers["X-Restli-Protocol-Version"] = protocol
        request = Request(self._environment["LINKEDIN_API_URL"] + path, headers=headers)
        try:
            with urlopen(request, timeout=120) as answer:
                return json.load(answer)
        except HTTPError as error:
            return {"status": error.code, **json.load(error)}

    def elements(self, path: str, **options: Any) -> list[dict[str, Any]]:
        answer = self.get(path, **options)
        assert "elements" in answer, answer
        found: list[dict[str, Any]] = answer["elements"]
        return found

    def analytics(self, rest: str, **options: Any) -> list[dict[str, Any]]:
        return self.elements(f"/adAnalytics?{rest}&fields=pivotValues,dateRange,{','.join(COUNTS)}", **options)


@pytest.fixture(scope="module")
def api(sandbox: Any) -> Api:
    return Api(sandbox.environment)


def code(answer: Mapping[str, Any]) -> str:
    return str(answer.get("code") or answer["errorDetails"]["inputErrors"][0]["code"])


def total(elements: list[dict[str, Any]], name: str) -> Decimal:
    return sum((Decimal(str(each.get(name, 0))) for each in elements), Decimal())


def test_rest_li_1_is_spoken_where_no_header_names_a_protocol(api: Api) -> None:
    two = api.analytics(f"q=analytics&pivot=CAMPAIGN&timeGranularity=DAILY&{DAYS}&accounts=List({ACCOUNT})")
    one = api.analytics(
        f"q=analytics&pivot=CAMPAIGN&timeGranularity=DAILY&{DAYS_1}&accounts[0]=urn:li:sponsoredAccount:{FIRST}",
        protocol=None,
    )
    assert one == two
    assert one
    found = api.elements("/adAccounts?q=search&search.status.values[0]=CANCELED", protocol=None)
    assert [each["status"] for each in found] == ["CANCELED"]


@pytest.mark.parametrize(
    "query",
    [
        f"/adAnalytics?q=analytics&pivot=CAMPAIGN&timeGranularity=DAILY&{DAYS_1}&accounts=List({ACCOUNT})",
        "/adAccounts?q=search&status=ACTIVE",
        f"/adAccounts/{FIRST}/creatives?q=criteria&statuses=List(ACTIVE)",
    ],
)
def test_a_parameter_that_a_resource_does_not_have_is_refused(api: Api, query: str) -> None:
    answer = api.get(query)
    assert (answer["status"], code(answer)) == (400, "QUERY_PARAM_NOT_ALLOWED")


@pytest.mark.parametrize(
    "query",
    [
        "/adAccounts?q=search&search=(status:(values:List(ALIVE)))",
        f"/adAccounts/{FIRST}/adCampaigns?q=search&search=(status:(values:List(ENABLED)))",
        f"/adAccounts/{FIRST}/creatives?q=criteria&intendedStatuses=List(COMPLETED)",
        f"/adAnalytics?q=analytics&pivot=CAMPAIN&timeGranularity=DAILY&{DAYS}&accounts=List({ACCOUNT})",
        f"/adAnalytics?q=statistics&pivots=List(MEMBER_SENIORITY)&timeGranularity=ALL&{DAYS}&accounts=List({ACCOUNT})",
        f"/adAnalytics?q=analytics&pivot=ACCOUNT&timeGranularity=DAILY&accounts=List({ACCOUNT})"
        "&dateRange=(start:(year:2026,month:8,day:1),end:(year:2026,month:11,day:1))&fields=approximateMemberReach",
    ],
)
def test_what_has_no_such_value_is_refused(api: Api, query: str) -> None:
    answer = api.get(query)
    assert (answer["status"], code(answer)) == (400, "FIELD_INVALID")


def test_levels_add_up(api: Api) -> None:
    pivots = ("ACCOUNT", "CAMPAIGN_GROUP", "CAMPAIGN", "CREATIVE", "SHARE", "COMPANY", "OBJECTIVE_TYPE")
    for granularity in ("DAILY", "MONTHLY", "ALL"):
        found = [
            api.analytics(f"q=analytics&pivot={pivot}&timeGranularity={granularity}&{DAYS}&accounts=List({ACCOUNT})")
            for pivot in pivots
        ]
        for name in COUNTS:
            assert len({total(elements, name) for elements in found}) == 1, name
        assert total(found[0], "externalWebsiteConversions") > 0


def test_statistics_groups_by_up_to_three_things(api: Api) -> None:
    found = api.analytics(
        f"q=statistics&pivots=List(CAMPAIGN,CREATIVE,IMPRESSION_DEVICE_TYPE)&timeGranularity=ALL&{DAYS}"
        f"&accounts=List({ACCOUNT})"
    )
    campaign, creative, device = found[0]["pivotValues"]
    assert campaign.startswith("urn:li:sponsoredCampaign:")
    assert creative.startswith("urn:li:sponsoredCreative:")
    assert device == "MOBILE_APP"
    four = "q=statistics&pivots=List(ACCOUNT,CAMPAIGN,CREATIVE,SHARE)&timeGranularity=ALL"
    assert api.get(f"/adAnalytics?{four}&{DAYS}&accounts=List({ACCOUNT})")["status"] == 400


def test_demographic_values_have_no_reach_and_are_not_told_when_few(api: Api) -> None:
    found = api.elements(
        f"/adAnalytics?q=analytics&pivot=MEMBER_SENIORITY&timeGranularity=ALL&{DAYS}&accounts=List({ACCOUNT})"
        "&fields=pivotValues,impressions,approximateMemberReach"
    )
    assert {each["pivotValues"][0] for each in found} == {"urn:li:seniority:4", "urn:li:seniority:10"}
    assert all("approximateMemberReach" not in each and each["impressions"] >= 3 for each in found)


@pytest.mark.parametrize("account", ["999", "5000000099"])
def test_what_may_not_be_read_has_an_empty_answer(api: Api, account: str) -> None:
    asked = f"&accounts=List(urn%3Ali%3AsponsoredAccount%3A{account})"
    assert api.analytics(f"q=analytics&pivot=ACCOUNT&timeGranularity=ALL&{DAYS}{asked}") == []


def test_days_alone_may_be_asked_for(api: Api) -> None:
    asked = f"q=analytics&pivot=CAMPAIGN&timeGranularity=DAILY&{DAYS}&accounts=List({ACCOUNT})"
    days = api.elements(f"/adAnalytics?{asked}&fields=dateRange,pivotValues")
    assert len(days) == len(api.analytics(asked))
    assert set(days[0]) == {"dateRange", "pivotValues"}


def test_a_count_cuts_an_answer_and_links_to_a_page_that_is_none(api: Api) -> None:
    asked = f"/adAnalytics?q=analytics&pivot=CAMPAIGN&timeGranularity=DAILY&{DAYS}&accounts=List({ACCOUNT})"
    answer = api.get(f"{asked}&count=5")
    assert len(answer["elements"]) == 5
    assert [link["rel"] for link in answer["paging"]["links"]] == ["next"]
    assert api.get(f"{asked}&start=5&count=5")["status"] == 400


def test_entities_are_found_by_id_and_by_campaign(api: Api) -> None:
    found = api.elements(f"/adAccounts?q=search&pageSize=1&search=(id:(values:List({ACCOUNT})))")
    assert [each["id"] for each in found] == [int(FIRST)]
    campaign = api.elements(f"/adAccounts/{FIRST}/adCampaigns?q=search&pageSize=1")[0]["id"]
    by_campaign = f"campaigns=List(urn%3Ali%3AsponsoredCampaign%3A{campaign})"
    creatives = api.elements(f"/adAccounts/{FIRST}/creatives?q=criteria&{by_campaign}&sortOrder=ASCENDING")
    assert {each["campaign"] for each in creatives} == {f"urn:li:sponsoredCampaign:{campaign}"}
    assert [each["id"] for each in api.elements("/adAccounts?q=search&count=1&start=1")] == [5002469134]


def test_users_and_conversions_are_listed(api: Api) -> None:
    users = api.elements("/adAccountUsers?q=authenticatedUser&count=10")
    assert users[0]["account"] == f"urn:li:sponsoredAccount:{FIRST}"
    asked = api.elements(f"/adAccountUsers?q=accounts&accounts[0]=urn:li:sponsoredAccount:{FIRST}", protocol=None)
    assert [each["role"] for each in asked] == ["VIEWER"]
    rules = api.elements(f"/conversions?q=account&account={ACCOUNT}")
    assert [each["enabled"] for each in rules] == [True]


@pytest.mark.parametrize(
    ("version", "status", "said"),
    [
        ("202607.01", 200, None),
        ("202601", 200, None),
        ("202511", 426, "NONEXISTENT_VERSION"),
        ("202512", 426, "NONEXISTENT_VERSION"),
        ("202701", 426, "NONEXISTENT_VERSION"),
        ("202607.1", 400, "VERSION_INVALID"),
        ("", 400, "VERSION_MISSING"),
    ],
)
def test_versions_live_from_their_month_until_their_end(api: Api, version: str, status: int, said: str | None) -> None:
    answer = api.get("/adAccounts?q=search", version=version)
    assert (answer.get("status", 200), answer.get("code")) == (status, said)


def test_a_token_that_nobody_issued_is_invalid(api: Api) -> None:
    answer = api.get("/adAccounts?q=search", token="made-up")
    assert (answer["status"], answer["serviceErrorCode"], answer["code"]) == (401, 65600, "INVALID_ACCESS_TOKEN")


def test_a_fault_that_linkedin_cannot_suffer_is_refused() -> None:
    command = [sys.executable, "-m", "sandbox.serve", "linkedin", "--fault", "failed_job"]
    root = Path(__file__).parents[3]
    done = subprocess.run(command, check=False, cwd=root, capture_output=True, text=True, timeout=120)
    assert done.returncode == 2
    assert "linkedin cannot suffer failed_job; it can broken_connection, " in done.stderr
