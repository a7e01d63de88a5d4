"""The sandbox's Microsoft refuses and answers as the vendor's documentation says, with the documented code at each place."""

from __future__ import annotations

import csv
import datetime as dt
import gzip
import io
import json
import time
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from sandbox.faults import Fault, Faults
from sandbox.microsoft import oauth
from sandbox.microsoft.server import MicrosoftServer
from sandbox.pace import Pace
from sandbox.world import World

AS_OF = dt.datetime(2026, 11, 20, 15, 30, tzinfo=dt.UTC)
LIVE, OTHER, EMPTY, CLOSED = "3001234567", "3002469134", "3000000077", "3000000099"
BERLIN = "AmsterdamBerlinBernRomeStockholmVienna"
PREDICATE = {"Field": "UserId", "Operator": "Equals", "Value": "77001"}
ENTITIES = ["Campaigns", "AdGroups", "Ads", "Keywords"]


class Caller:
    """Signed in at a server, and asking it by REST."""

    def __init__(self, server: MicrosoftServer) -> None:
        self.server = server
        self.session = requests.Session()
        form = {
            "client_id": oauth.CLIENT_ID, "client_secret": oauth.CLIENT_SECRET, "grant_type": "refresh_token",
            "refresh_token": oauth.REFRESH_TOKEN, "scope": "https://ads.microsoft.com/msads.manage offline_access",
        }  # fmt: skip
        answer = self.session.post(server.environment["MICROSOFT_TOKEN_URL"], data=form)
        self.token = answer.json()["access_token"]

    def __call__(
        self, path: str, body: Any, account: str | None = LIVE, customer: str = "900001", **headers: str | None
    ) -> requests.Response:
        given: dict[str, str | None] = {
            "Authorization": f"Bearer {self.token}", "DeveloperToken": oauth.DEVELOPER_TOKEN,
            "CustomerId": customer if account else None, "CustomerAccountId": account,
            **{name.replace("_", "-"): value for name, value in headers.items()},
        }  # fmt: skip
        sent = {name: value for name, value in given.items() if value is not None}
        return self.session.post(self.server.base_url + path, json=body, headers=sent)

    def report(self, account: str = LIVE, customer: str = "900001", **changed: Any) -> requests.Response:
        return self("/Reporting/v13/GenerateReport/Submit", {"ReportRequest": request(**changed)}, account, customer)

    def rows(self, **changed: Any) -> list[dict[str, str]]:
        """The rows of a report, from submit to file."""
        return list(
            csv.DictReader(io.StringIO(self.text(ExcludeReportHeader=True, ExcludeReportFooter=True, **changed)))
        )

    def text(self, **changed: Any) -> str:
        number = self.report(**changed).json()["ReportRequestId"]
        status = polled(lambda: self("/Reporting/v13/GenerateReport/Poll", {"ReportRequestId": number}), "Success")
        with zipfile.ZipFile(io.BytesIO(requests.get(status["ReportDownloadUrl"]).content)) as archive:
            return archive.read(archive.namelist()[0]).decode("utf-8-sig")

    def download(self, **changed: Any) -> requests.Response:
        body = {"AccountIds": [LIVE], "DownloadEntities": ENTITIES, "FormatVersion": "6.0", **changed}
        return self("/Bulk/v13/Campaigns/DownloadByAccountIds", body)

    def file(self, **changed: Any) -> bytes:
        number = self.download(**changed).json()["DownloadRequestId"]
        status = polled(lambda: self("/Bulk/v13/BulkDownloadStatus/Query", {"RequestId": number}), "Completed")
        return requests.get(status["ResultFileUrl"]).content


def polled(poll: Any, until: str) -> dict[str, Any]:
    for _ in range(2000):
        answer = poll().json()
        status: dict[str, Any] = answer.get("ReportRequestStatus", answer)
        if until in status.values():
            return status
        time.sleep(0.02)
    raise AssertionError(status)


def request(**changed: Any) -> dict[str, Any]:
    """A report request with nothing in it that is optional."""
    return {
        "Type": "CampaignPerformanceReportRequest",
        "Aggregation": "Daily",
        "Columns": ["TimePeriod", "CampaignId", "Impressions"],
        "Scope": {"AccountIds": [LIVE]},
        "Time": days(dt.date(2026, 11, 1), dt.date(2026, 11, 19)),
        **changed,
    }


def days(first: dt.date, last: dt.date, **more: Any) -> dict[str, Any]:
    return {"CustomDateRangeStart": date(first), "CustomDateRangeEnd": date(last), "ReportTimeZone": BERLIN, **more}


def date(day: dt.date) -> dict[str, int]:
    return {"Year": day.year, "Month": day.month, "Day": day.day}


def code_of(answer: requests.Response) -> int:
    body = answer.json()
    assert body["TrackingId"] == answer.headers["TrackingId"]
    (error,) = (body.get("Errors") or []) + (body.get("OperationErrors") or []) + (body.get("BatchErrors") or [])
    code: int = error["Code"]
    return code


@pytest.fixture(scope="module")
def caller() -> Iterator[Caller]:
    server = MicrosoftServer(World.at(AS_OF, "small"), Faults(), Pace())
    yield Caller(server)
    server.close()


@pytest.fixture
def struck() -> Iterator[Any]:
    servers = []

    def start(*faults: str) -> Caller:
        faulty = Faults(Fault.parse(each) for each in faults)
        servers.append(MicrosoftServer(World.at(AS_OF, "tiny"), faulty, Pace()))
        return Caller(servers[-1])

    yield start
    for server in servers:
        server.close()


YESTERDAY, TODAY = dt.date(2026, 11, 19), dt.date(2026, 11, 20)


@pytest.mark.parametrize(
    ("code", "changed"),
    [
        (2002, {"Type": "HoroscopeReportRequest"}),
        (2004, {"ReturnOnlyCompleteData": True, "Time": days(YESTERDAY, TODAY)}),
        (2008, {"Time": None}),
        (2008, {"Time": days(YESTERDAY, TODAY, PredefinedTime="Today")}),
        (2009, {"Time": {"CustomDateRangeStart": {"Year": 2026, "Month": 13, "Day": 1}, "CustomDateRangeEnd": date(TODAY)}}),
        (2009, {"Time": days(dt.date(2019, 1, 1), TODAY)}),
        (2010, {"Time": days(YESTERDAY, TODAY + dt.timedelta(days=1))}),
        (2011, {"Time": days(TODAY, YESTERDAY)}),
        (2014, {"Columns": []}),
        (2015, {"Type": "SearchQueryPerformanceReportRequest"}),
        (2016, {"Columns": ["TimePeriod", "Clicks", "Clicks"]}),
        (2017, {"Columns": ["TimePeriod", "CampaignId"]}),
        (2018, {"Scope": {"Campaigns": [{"AccountId": "1", "CampaignId": "2"}]}}),
        (2019, {"Scope": {"Campaigns": [{"AccountId": LIVE, "CampaignId": "2"}]}}),
        (2027, {"Scope": {"AccountIds": []}}),
        (2029, {"Scope": {"AccountIds": [LIVE] * 1001}}),
        (2034, {"Aggregation": "Summary"}),
        (2035, {"Scope": {"AccountIds": ["12345"]}}),
        (2041, {"Time": days(TODAY + dt.timedelta(days=2), TODAY + dt.timedelta(days=3))}),
        (
            2054,
            {"Type": "KeywordPerformanceReportRequest", "Aggregation": "Weekly", "Columns": ["TimePeriod", "Clicks", "HistoricalQualityScore"]},
        ),
        (2059, {"Aggregation": "HourOfDay"}),
        (2060, {"Filter": {"DeviceType": "Computer,Hologram"}}),
        (201, {"Columns": ["TimePeriod", "TopVsOther", "Clicks", "ClickSharePercent"]}),
        (100, {"FormatVersion": 2.0}),
    ],
)  # fmt: skip
def test_a_report_is_refused_with_the_code_that_is_documented(caller: Caller, code: int, changed: Any) -> None:
    answer = caller.report(**changed)
    assert (answer.status_code, code_of(answer)) == (400, code)


@pytest.mark.parametrize(
    ("code", "path", "body"),
    [
        (2100, "/Reporting/v13/GenerateReport/Poll", {"ReportRequestId": "none of yours"}),
        (2101, "/Reporting/v13/GenerateReport/Poll", {"ReportRequestId": "12"}),
        (1100, "/CampaignManagement/v13/AdGroups/QueryByCampaignId", {"CampaignId": "12"}),
        (1102, "/CampaignManagement/v13/Campaigns/QueryByAccountId", {"AccountId": OTHER}),
        (1201, "/CampaignManagement/v13/Ads/QueryByAdGroupId", {"AdGroupId": "12", "AdTypes": ["Text"]}),
        (100, "/CampaignManagement/v13/Campaigns/QueryByAccountId", {"AccountId": LIVE, "CampaignType": "Search Audience"}),
        (100, "/CampaignManagement/v13/Campaigns/QueryByAccountId", ["no object"]),
        (3201, "/Bulk/v13/Campaigns/DownloadByAccountIds", {"AccountIds": [LIVE, OTHER]}),
        (3205, "/Bulk/v13/BulkDownloadStatus/Query", {"RequestId": "12"}),
        (3210, "/Bulk/v13/Campaigns/DownloadByAccountIds", {"AccountIds": [LIVE], "FormatVersion": "6.0"}),
        (3217, "/Bulk/v13/Campaigns/DownloadByAccountIds", {"AccountIds": [LIVE], "DownloadEntities": ENTITIES, "FormatVersion": "5.0"}),
        (3219, "/Bulk/v13/Campaigns/DownloadByAccountIds", {"AccountIds": [LIVE], "DownloadEntities": ENTITIES}),
    ],
)  # fmt: skip
def test_a_call_is_refused_with_the_code_that_is_documented(caller: Caller, code: int, path: str, body: Any) -> None:
    assert code_of(caller(path, body)) == code


def test_who_calls_is_checked_before_what_is_asked(caller: Caller) -> None:
    path, body = "/Reporting/v13/GenerateReport/Poll", {"ReportRequestId": "12"}
    assert code_of(caller(path, body, CLOSED, "900002")) == 105, "AccountInactive"
    assert code_of(caller(path, body, EMPTY, "900001")) == 106
    assert code_of(caller(path, body, "12")) == 106
    assert code_of(caller(path, body, None)) == 116
    assert code_of(caller(path, body, DeveloperToken="another")) == 105
    assert code_of(caller(path, body, Authorization=caller.token)) == 105, "not without Bearer"
    assert code_of(caller(path, body, Authorization=None)) == 116


def test_a_revision_is_one_that_was_published(caller: Caller) -> None:
    for revision, status in ((None, 200), ("2026-10-12", 200), ("2026-10-13", 400)):
        assert caller("/CustomerManagement/v13/User/Query", {}, Api_Revision=revision).status_code == status


def test_paths_are_of_any_case_and_answers_compressed_when_asked(caller: Caller) -> None:
    answer = caller("/customermanagement/V13/USER/query", {"UserId": None})
    assert (answer.status_code, answer.headers["Content-Encoding"]) == (200, "gzip")
    assert (
        "Content-Encoding" not in caller("/CustomerManagement/v13/User/Query", {}, Accept_Encoding="identity").headers
    )


def test_accounts_come_in_pages_and_by_predicates(caller: Caller) -> None:
    def found(page: int, size: int, *predicates: dict[str, str]) -> list[str]:
        body = {
            "Predicates": list(predicates),
            "PageInfo": {"Index": page, "Size": size},
            "Ordering": [{"Field": "Id", "Order": "Ascending"}],
        }
        return [each["Id"] for each in caller("/CustomerManagement/v13/Accounts/Search", body, None).json()["Accounts"]]

    everything = found(0, 1000, PREDICATE)
    assert len(everything) == 5
    assert [*found(0, 2, PREDICATE), *found(1, 2, PREDICATE), *found(2, 2, PREDICATE)] == everything
    assert found(3, 2, PREDICATE) == found(0, 0, PREDICATE) == []
    closed = {"Field": "AccountLifeCycleStatus", "Operator": "Equals", "Value": "Inactive"}
    assert found(0, 10, PREDICATE, closed) == [CLOSED]
    assert found(0, 10, {"Field": "AccountId", "Operator": "In", "Value": f"{LIVE},{OTHER}"}) == [LIVE, OTHER]
    both = {"Predicates": [PREDICATE, PREDICATE], "PageInfo": {"Index": 0, "Size": 10}}
    assert code_of(caller("/CustomerManagement/v13/Accounts/Search", both, None)) == 201


def test_a_report_needs_nothing_that_is_optional(caller: Caller) -> None:
    text = caller.text()
    assert text.startswith('"Report Name: CampaignPerformanceReport-')
    assert text.rstrip().endswith('Microsoft Corporation. All rights reserved. "')
    assert "\r\n\r\n" in text


def test_one_report_of_several_accounts(caller: Caller) -> None:
    columns = ["TimePeriod", "AccountId", "Impressions"]
    rows = caller.rows(Scope={"AccountIds": [LIVE, OTHER]}, Columns=columns)
    assert {row["AccountId"] for row in rows} == {LIVE, OTHER}
    assert len({(row["AccountId"], row["TimePeriod"]) for row in rows}) == len(rows), "summed over campaigns"


def test_predefined_times_are_of_the_zone_of_the_report(caller: Caller) -> None:
    rows = caller.rows(Time={"PredefinedTime": "LastSevenDays", "ReportTimeZone": BERLIN})
    assert {row["TimePeriod"] for row in rows} <= {f"2026-11-{day}" for day in range(13, 20)}
    assert len({row["TimePeriod"] for row in rows}) > 4


def whole(rows: list[dict[str, str]], column: str) -> float:
    return sum(float(row[column].replace(",", "")) for row in rows)


@pytest.mark.parametrize("aggregation", ["Weekly", "Monthly", "Summary"])
def test_longer_periods_are_sums_of_days(caller: Caller, aggregation: str) -> None:
    time = days(dt.date(2026, 11, 1), dt.date(2026, 11, 14))
    columns = [*(["TimePeriod"] if aggregation != "Summary" else []), "CampaignId", "Spend", "Impressions"]
    if aggregation == "Monthly":
        time = days(dt.date(2026, 10, 5), dt.date(2026, 10, 6))
    by_day = days(dt.date(2026, 10, 1), dt.date(2026, 10, 31)) if aggregation == "Monthly" else time
    longer = caller.rows(Aggregation=aggregation, Columns=columns, Time=time)
    daily = caller.rows(Columns=["TimePeriod", "CampaignId", "Spend", "Impressions"], Time=by_day)
    for column in ("Spend", "Impressions"):
        assert whole(longer, column) == pytest.approx(whole(daily, column))
    assert 0 < len(longer) < len(daily)


def test_conversions_are_in_the_qualified_columns_and_add_up(caller: Caller) -> None:
    old = ["Conversions", "AllConversions", "ViewThroughConversions"]
    new = ["ConversionsQualified", "AllConversionsQualified", "ViewThroughConversionsQualified"]
    levels = {
        kind: caller.rows(Type=f"{kind}PerformanceReportRequest", Columns=["TimePeriod", *own, *old, *new])
        for kind, own in (("Account", ["AccountId"]), ("Campaign", ["CampaignId"]), ("AdGroup", ["AdGroupId"]), ("Ad", ["AdId"]), ("Keyword", ["KeywordId", "AdGroupId"]))
    }  # fmt: skip
    for column in new:
        (total,) = {round(whole(rows, column), 2) for rows in levels.values()}
        assert total > 0
    for kind, rows in levels.items():
        for column in old:
            assert (whole(rows, column) > 0) == (kind == "Campaign"), (kind, column)
    for row in levels["Campaign"]:
        assert int(row["Conversions"]) == int(float(row["ConversionsQualified"]))


def test_thousands_have_commas_in_the_first_format_version_alone(caller: Caller) -> None:
    columns = ["CampaignId", "AllRevenue"]
    first, second = (caller.rows(Columns=columns, FormatVersion=version) for version in (None, "2.0"))
    assert any("," in row["AllRevenue"] for row in first)
    assert [row["AllRevenue"].replace(",", "") for row in first] == [row["AllRevenue"] for row in second]


def records(file: bytes, delimiter: str = ",") -> list[dict[str, str]]:
    if file[:2] == b"PK":
        with zipfile.ZipFile(io.BytesIO(file)) as archive:
            file = archive.read(archive.namelist()[0])
    else:
        file = gzip.decompress(file)
    return list(csv.DictReader(io.StringIO(file.decode("utf-8-sig"), newline=""), delimiter=delimiter))


def test_the_bulk_file_is_the_same_in_every_form_and_order(caller: Caller) -> None:
    def key(found: list[dict[str, str]]) -> list[str]:
        return sorted(json.dumps(each, sort_keys=True) for each in found)

    forms = [
        records(caller.file(CompressionType="GZip")),
        records(caller.file(CompressionType="GZip")),
        records(caller.file()),
        records(caller.file(DownloadFileType="Tsv"), "\t"),
    ]
    assert all(key(found) == key(forms[0]) for found in forms)
    assert [each["Type"] for each in forms[0]] != [each["Type"] for each in forms[1]], "no order of rows is promised"
    assert list(forms[0][0]) != list(forms[1][0]), "nor one of columns"
    assert all([each["Type"] for each in found[:2]] == ["Format Version", "Account"] for found in forms)


def test_a_delta_has_the_deleted_parent_but_not_what_was_in_it(caller: Caller) -> None:
    since = (AS_OF - dt.timedelta(days=12)).isoformat()
    delta = records(caller.file(LastSyncTimeInUTC=since))
    deleted = {each["Id"] for each in delta if each["Status"] == "Deleted"}
    assert deleted
    assert {each["Type"] for each in delta if each["Id"] in deleted} == {"Campaign"}
    assert not [each for each in delta if each["Parent Id"] in deleted]
    assert not [each for each in records(caller.file()) if each["Status"] == "Deleted"]
    assert code_of(caller.download(LastSyncTimeInUTC="2026-10-01T00:00:00Z")) == 3209
    assert code_of(caller.download(LastSyncTimeInUTC="2027-01-01T00:00:00Z")) == 3208


def test_the_hosts_of_files_change(caller: Caller) -> None:
    hosts = set()
    for _ in range(2):
        number = caller.download().json()["DownloadRequestId"]
        status = polled(lambda n=number: caller("/Bulk/v13/BulkDownloadStatus/Query", {"RequestId": n}), "Completed")
        hosts.add(status["ResultFileUrl"].split(":")[1])
    assert hosts == {"//127.0.0.1", "//localhost"}


def test_an_error_strikes_where_its_code_can_occur_and_one_account_alone(struck: Any) -> None:
    caller = struck(f"error=2041/{OTHER}", "error=4204", "error=3207", "error=0")
    assert caller("/CustomerManagement/v13/User/Query", {}, None).status_code == 500
    assert caller.report().status_code == 200
    answer = caller.report(OTHER, Scope={"AccountIds": [OTHER]})
    assert code_of(answer) == 2041
    assert code_of(caller.download()) == 4204
    too_big = caller.download()
    assert code_of(too_big) == 3207
    assert "300123456700" in too_big.json()["OperationErrors"][0]["Details"].split(",")


def test_an_expired_token_is_401_with_code_109(struck: Any) -> None:
    answer = struck("expired_token")("/CustomerManagement/v13/User/Query", {}, None)
    assert (answer.status_code, code_of(answer)) == (401, 109)


def test_odd_answers_are_odd_in_their_first_object_alone(struck: Any) -> None:
    caller = struck("future_value", "bare=429", "missing_value", "empty_body", "repeated_object")
    ask = "/CampaignManagement/v13/Campaigns/QueryByAccountId", {"AccountId": LIVE, "CampaignType": "Search,Audience"}
    future, throttled, missing = (caller(*ask) for _ in range(3))
    assert (future.json()["Campaigns"][0]["Status"], throttled.status_code, throttled.content) == ("Dreaming", 429, b"")
    assert throttled.headers["Retry-After"] == "1"
    assert set(missing.json()["Campaigns"][0]) == {"Id", "Name"}
    nothing, repeated = caller(*ask), caller(*ask)
    assert (nothing.status_code, nothing.content) == (200, b"")
    found = [each["Id"] for each in repeated.json()["Campaigns"]]
    assert len(found) == len(set(found)) + 1


def test_files_are_spoiled_as_told(struck: Any) -> None:
    for fault in ("wrong_first_line", "unknown_rows", "truncated_file", "expired_link"):
        file = struck(fault).file(CompressionType="GZip")
        if fault == "expired_link":
            assert b"AuthenticationFailed" in file
        elif fault == "truncated_file":
            with pytest.raises(EOFError):
                records(file)
        elif fault == "unknown_rows":
            assert [each["Type"] for each in records(file)].count("Hologram") == 2
        else:
            assert "Type" not in records(file)[0]


def test_reports_and_files_take_the_seconds_that_jobs_take() -> None:
    server = MicrosoftServer(World.at(AS_OF, "tiny"), Faults(), Pace(job_seconds=0.6))
    caller, since = Caller(server), time.monotonic()
    caller.text()
    assert time.monotonic() - since >= 0.6
    since = time.monotonic()
    caller.file()
    assert time.monotonic() - since >= 0.6
    server.close()


def test_a_report_may_be_said_to_be_made_and_have_no_address(struck: Any) -> None:
    caller = struck("empty_job")
    number = caller.report().json()["ReportRequestId"]
    first = caller("/Reporting/v13/GenerateReport/Poll", {"ReportRequestId": number}).json()
    assert first["ReportRequestStatus"] in ({"Status": "Success"}, {"Status": "Success", "ReportDownloadUrl": None})
    assert polled(lambda: caller("/Reporting/v13/GenerateReport/Poll", {"ReportRequestId": number}), "Success")


def test_a_file_of_some_campaigns_holds_them_and_what_is_in_them(caller: Caller) -> None:
    path, body = "/Bulk/v13/Campaigns/DownloadByCampaignIds", {"DownloadEntities": ENTITIES, "FormatVersion": "6.0"}
    whole = records(caller.file())
    first, second, *_ = (each["Id"] for each in whole if each["Type"] == "Campaign")
    scopes = [{"CampaignId": each, "ParentAccountId": LIVE} for each in (first, second)]
    number = caller(path, body | {"Campaigns": scopes}).json()["DownloadRequestId"]
    status = polled(lambda: caller("/Bulk/v13/BulkDownloadStatus/Query", {"RequestId": number}), "Completed")
    part = records(requests.get(status["ResultFileUrl"]).content)
    assert {each["Id"] for each in part if each["Type"] == "Campaign"} == {first, second}
    groups = {each["Id"] for each in whole if each["Type"] == "Ad Group" and each["Parent Id"] in (first, second)}
    assert {each["Id"] for each in part if each["Type"] == "Ad Group"} == groups
    assert {each["Parent Id"] for each in part if each["Type"] == "Keyword"} == groups
    assert code_of(caller(path, body | {"Campaigns": []})) == 3204
    assert code_of(caller(path, body | {"Campaigns": [{"CampaignId": first, "ParentAccountId": OTHER}]})) == 3203


class Soap:
    """The same questions over SOAP."""

    def __init__(self, caller: Caller, service: str, namespace: str) -> None:
        self.caller = caller
        self.url = f"{caller.server.base_url}/Api/{service}"
        self.namespace = namespace

    def __call__(self, operation: str, inner: str, token: str | None = None) -> tuple[int, ET.Element]:
        headers = {
            "AuthenticationToken": token or self.caller.token, "DeveloperToken": oauth.DEVELOPER_TOKEN,
            "CustomerId": "900001", "CustomerAccountId": LIVE,
        }  # fmt: skip
        head = "".join(f"<{name}>{value}</{name}>" for name, value in headers.items())
        body = (
            '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/">'
            f'<s:Header xmlns="{self.namespace}">{head}</s:Header><s:Body>'
            f'<{operation}Request xmlns="{self.namespace}">{inner}</{operation}Request></s:Body></s:Envelope>'
        )
        answer = requests.post(self.url, data=body.encode(), headers={"Content-Type": "text/xml"})
        return answer.status_code, ET.fromstring(answer.content)


def found(node: ET.Element, *path: str) -> list[str | None]:
    """The texts of all elements at a path of local names, wherever it begins."""
    nodes = list(node.iter())
    for name in path:
        nodes = [each for parent in nodes for each in (parent, *parent) if each.tag.rpartition("}")[2] == name]
    return list(dict.fromkeys(each.text for each in nodes))


def test_soap_says_what_rest_says(caller: Caller) -> None:
    ask = Soap(
        caller,
        "Advertiser/campaignmanagement/v13/CampaignManagementService.svc",
        "https://bingads.microsoft.com/CampaignManagement/v13",
    )
    status, answer = ask(
        "GetCampaignsByAccountId", f"<AccountId>{LIVE}</AccountId><CampaignType>Search Audience</CampaignType>"
    )
    body = {"AccountId": LIVE, "CampaignType": "Search,Audience"}
    campaigns = caller("/CampaignManagement/v13/Campaigns/QueryByAccountId", body).json()["Campaigns"]
    assert status == 200
    assert found(answer, "Campaign", "Id") == [each["Id"] for each in campaigns]
    assert found(answer, "Campaign", "Name") == [each["Name"] for each in campaigns]
    assert found(answer, "Languages", "string") == campaigns[0]["Languages"]


def test_soap_faults_carry_the_same_codes_in_their_own_places(caller: Caller) -> None:
    ask = Soap(
        caller,
        "Advertiser/CampaignManagement/v13/CampaignManagementService.svc",
        "https://bingads.microsoft.com/CampaignManagement/v13",
    )
    status, answer = ask("GetAdGroupsByCampaignId", "<CampaignId>12</CampaignId>")
    assert (status, found(answer, "ApiFaultDetail", "OperationErrors", "OperationError", "Code")) == (500, ["1100"])
    refused = [ask("GetAdGroupsByCampaignId", "<CampaignId>12</CampaignId>", token="another") for _ in range(2)]
    assert sorted(status for status, _ in refused) == [200, 500]
    assert all(found(each, "AdApiFaultDetail", "Errors", "AdApiError", "Code") == ["105"] for _, each in refused)
