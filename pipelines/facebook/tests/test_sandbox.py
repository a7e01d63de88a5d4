"""What the sandbox lets through and what it refuses, asked over HTTP as anybody would."""

from __future__ import annotations

import datetime as dt
import json
import urllib.error
import urllib.parse
import urllib.request

import pytest

ACCOUNT = "act_4001234567"
DAYS = {"since": "2026-11-10", "until": "2026-11-16"}


@pytest.fixture
def ask(tiny):
    """`ask(path, method=..., **params)`: status and JSON of an answer; lists and objects are written as JSON."""

    def ask(path="", method="GET", **params):
        given = {"access_token": tiny["FACEBOOK_ACCESS_TOKEN"], **params}
        query = urllib.parse.urlencode({k: v if isinstance(v, str) else json.dumps(v) for k, v in given.items()})
        url = f"{tiny['FACEBOOK_GRAPH_URL']}/v26.0/{path}"
        data = query.encode() if method == "POST" else None
        request = urllib.request.Request(url if data else f"{url}?{query}", data, method=method)
        try:
            with urllib.request.urlopen(request, timeout=10) as response:
                return response.status, json.load(response)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)["error"]

    return ask


def insights(ask, path=ACCOUNT, **params):
    status, answer = ask(f"{path}/insights", **{"limit": 500, "time_range": DAYS, **params})
    assert status == 200, answer
    return answer["data"]


def test_a_proof_is_not_demanded_but_a_wrong_one_is_refused(ask):
    assert ask("me/adaccounts")[0] == 200
    status, error = ask("me/adaccounts", appsecret_proof="0" * 64)
    assert (status, error["code"]) == (400, 100)


def test_without_fields_an_object_tells_its_id_and_an_account_its_number(ask):
    assert ask("me/adaccounts", limit=1)[1]["data"] == [{"id": ACCOUNT, "account_id": "4001234567"}]
    assert all(set(each) == {"id"} for each in ask(f"{ACCOUNT}/campaigns")[1]["data"])


def test_a_report_without_level_is_the_accounts_sum_over_all_days(ask):
    (row,) = insights(ask)
    days = insights(ask, level="account", time_increment=1)
    campaigns = insights(ask, level="campaign")
    assert int(row["impressions"]) == sum(int(each["impressions"]) for each in days)
    assert int(row["impressions"]) == sum(int(each["impressions"]) for each in campaigns)
    assert (row["date_start"], row["date_stop"]) == (DAYS["since"], DAYS["until"])
    assert set(row) == {"account_id", "impressions", "spend", "date_start", "date_stop"}


def test_time_ranges_rule_over_the_increment_and_presets_name_days(ask):
    ranges = [{"since": "2026-11-10", "until": "2026-11-11"}, {"since": "2026-11-15", "until": "2026-11-15"}]
    rows = insights(ask, time_ranges=ranges, time_increment=1)
    assert [(row["date_start"], row["date_stop"]) for row in rows] == [(r["since"], r["until"]) for r in ranges]
    (row,) = insights(ask, time_range="", date_preset="last_7d")
    assert (row["date_start"], row["date_stop"]) == ("2026-11-15", "2026-11-21")
    assert len(insights(ask, time_increment="2")) == 4


def test_reports_can_be_had_of_campaigns_ad_sets_and_ads(ask):
    campaign = ask(f"{ACCOUNT}/campaigns")[1]["data"][0]["id"]
    (row,) = insights(ask, campaign)
    (same,) = [
        each
        for each in insights(ask, level="campaign", fields="campaign_id,impressions,spend")
        if each["campaign_id"] == campaign
    ]
    assert row["impressions"] == same["impressions"]
    ad = ask(f"{campaign}/ads")[1]["data"][0]["id"]
    assert ask(ad, fields="campaign_id")[1] == {"id": ad, "campaign_id": campaign}


def test_several_filters_hold_together(ask):
    ids = [each["id"] for each in ask(f"{ACCOUNT}/campaigns")[1]["data"]]
    filtering = [
        {"field": "ad.effective_status", "operator": "IN", "value": ["ACTIVE", "DELETED"]},
        {"field": "campaign.id", "operator": "IN", "value": ids[:1]},
    ]
    rows = insights(ask, level="ad", fields="campaign_id", filtering=filtering)
    assert {row["campaign_id"] for row in rows} == set(ids[:1])


def test_breakdowns_divide_rows_that_add_up(ask):
    rows = insights(ask, breakdowns="age,gender", fields="impressions")
    assert {(row["age"], row["gender"]) for row in rows} == {
        (a, g) for a in ("18-24", "25-34", "unknown") for g in ("female", "male")
    }
    assert sum(int(row["impressions"]) for row in rows) == int(insights(ask)[0]["impressions"])


def test_windows_without_values_are_let_through(ask):
    rows = insights(ask, level="ad", fields="actions", action_attribution_windows=["7d_view", "28d_view"])
    assert {key for row in rows for each in row.get("actions", ()) for key in each} == {"action_type", "value"}


def test_several_objects_in_one_call_and_several_calls_in_one(ask):
    ids = [each["id"] for each in ask(f"{ACCOUNT}/campaigns")[1]["data"]]
    assert ask(ids=",".join(ids))[1] == {each: {"id": each} for each in ids}
    assert ask(ids=f"{ids[0]},17")[1]["error_subcode"] == 33
    batch = [{"method": "GET", "relative_url": f"{ids[0]}?fields=name"}, {"method": "GET", "relative_url": "17"}]
    status, parts = ask(method="POST", batch=batch)
    assert (status, [part["code"] for part in parts]) == (200, [200, 400])
    assert json.loads(parts[0]["body"])["id"] == ids[0]


def test_an_edge_counts_what_it_lists(ask):
    answer = ask(f"{ACCOUNT}/ads", limit=1, summary="total_count")[1]
    assert (len(answer["data"]), answer["summary"]) == (1, {"total_count": 6})


@pytest.mark.parametrize(
    ("params", "told"),
    [
        ({"filtering": [{"field": "ad.effective_status", "operator": "IN", "value": ["RUNNING"]}]}, "must be one of"),
        ({"filtering": [{"field": "ad.shoe_size", "operator": "IN", "value": ["44"]}]}, "Filtering field ad.shoe_size"),
        ({"breakdowns": "shoe_size"}, "breakdowns[0] must be one of"),
        ({"action_breakdowns": ["shoe_size"]}, "action_breakdowns[0] must be one of"),
        ({"action_attribution_windows": ["2d_click"]}, "action_attribution_windows[0] must be one of"),
        ({"level": "keyword"}, "level must be one of"),
        ({"time_range": {"since": "2027-01-01", "until": "2027-01-02"}}, "cannot be in the future"),
        ({"time_range": {"since": "2020-01-01", "until": "2020-01-02"}}, "37 months"),
        ({"use_unified_attribution_setting": "perhaps"}, "must be a boolean"),
        ({"limit": 100000}, "reduce the amount of data"),
        ({"fields": "shoe_size"}, "shoe_size is not valid for fields param"),
        ({"time_increment": "fortnightly"}, "time_increment"),
    ],
)
def test_what_cannot_be_asked_is_refused(params, told, ask):
    status, error = ask(f"{ACCOUNT}/insights", **{"time_range": DAYS, **params})
    assert status in (400, 500)
    assert told in error["message"]


def test_what_the_api_does_not_know_is_ignored(ask):
    assert insights(ask, shoe_size=44) == insights(ask)


def test_conversions_are_cut_once_so_that_levels_add_up(ask):
    def purchases(level):
        rows = insights(ask, level=level, fields="actions", time_increment=1)
        return sum(
            int(e["value"]) for row in rows for e in row.get("actions", ()) if e["action_type"] == "omni_purchase"
        )

    assert purchases("campaign") == purchases("adset") == purchases("ad") > 0


def test_today_is_the_accounts_own_day(ask, as_of):
    (row,) = insights(ask, time_range="", date_preset="today")
    assert row["date_start"] == dt.datetime(as_of.year, as_of.month, as_of.day).date().isoformat()
