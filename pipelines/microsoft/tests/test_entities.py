"""Entities by the Bulk file and by the walk, over REST and over SOAP: the same rows, and what happens to odd ones."""

from __future__ import annotations

import gzip
import io
import logging
import re
import zipfile
from decimal import Decimal
from typing import Any

import pytest
from microsoft_runs import AS_OF, Run, Sandbox, Serve
from test_end_to_end import assert_holds, expected

from microsoft_pipeline.accounts import Account
from microsoft_pipeline.bulk import seconds_left
from microsoft_pipeline.bulk_file import BulkFile
from microsoft_pipeline.downloads import BrokenFileError
from microsoft_pipeline.rows import distinct, of_object
from microsoft_pipeline.tables import AD, AD_GROUP, CAMPAIGN, KEYWORD, Entity
from sandbox.world import World
from wire import Kind, PipelineError

FIRST, SECOND = "3001234567", "3002469134"
ENTITIES = ["account", "campaign", "ad_group", "ad", "keyword", "asset_group"]
ACCOUNT = Account(id="1", customer_id="2", currency="EUR", time_zone="", status="Active", raw={})


@pytest.mark.parametrize("transport", ["rest", "soap"])
@pytest.mark.parametrize(
    ("faults", "words"),
    [
        ([], "keyword"),
        (["error=4204x99"], "error 4204 BulkServiceNoMoreCallsPermittedForTheTimePeriod"),
        (["error=3207x3"], "error 3207 CampaignServiceAccountTooBigToDownload"),
    ],
)
def test_file_and_walk_give_the_same_rows(
    serve: Serve, run: Run, transport: str, faults: list[str], words: str
) -> None:
    outcome = run(serve(*faults, size="small"), settings={"tables": ENTITIES, "transport": transport})
    assert (outcome.status, outcome.failures) == (0, []), outcome.log
    assert words in outcome.log
    world = World.at(AS_OF, "small")
    for table in ENTITIES:
        assert_holds(outcome, table, expected(world, table))


@pytest.mark.parametrize("transport", ["rest", "soap"])
def test_a_file_that_takes_long_is_asked_for_seldom(serve: Serve, run: Run, transport: str) -> None:
    """Microsoft says how much of it is made: one look tells when the next one is worth its call."""
    sandbox = serve(options=("--job-seconds", "4s"))
    settings = {"tables": ["campaign"], "accounts": [FIRST], "transport": transport, "poll_interval": 0.05}
    outcome = run(sandbox, settings=settings)
    assert (outcome.status, outcome.failures) == (0, []), outcome.log
    calls = sum(map(int, re.findall(r'"http_request_count", "value": (\d+)', outcome.log)))
    assert 5 <= calls <= 6, "the user, the accounts, the file asked for, and two or three looks"


@pytest.mark.parametrize(
    ("percent", "waited", "left"),
    [
        (50, 10.0, 10.5),
        (Decimal("50.0"), 10.0, 10.5),
        (1, 1.0, 20.0),  # a hundredth may be much less than that
        (25, 100.0, 60.0),
        (0, 10.0, 0.0),
        (100, 10.0, 0.0),
        (-5, 10.0, 0.0),
        (True, 10.0, 0.0),
        ("37", 10.0, 0.0),
        (None, 10.0, 0.0),
    ],
)
def test_seconds_left_of_a_file(percent: object, waited: float, left: float) -> None:
    assert seconds_left(percent, waited) == pytest.approx(left)


def test_soap_says_when_it_ends(shared: Sandbox, run: Run) -> None:
    outcome = run(shared, settings={"tables": ["account"], "transport": "soap"})
    assert outcome.status == 0
    assert "transport: soap works until 2027-01-31 only" in outcome.log
    assert "2027-01-31" not in run(shared, settings={"tables": ["account"]}).log


@pytest.mark.parametrize(
    ("faults", "words"),
    [
        (["truncated_file"], "Bulk file: it is damaged (EOFError)"),
        (["expired_link"], "Bulk file: HTTP status 403, the address has lapsed"),
        (["failed_job"], "Bulk file: Microsoft failed to make it (Failed"),
        (["unknown_rows"], "records of type"),
        (["repeated_object@1x9"], "can be used"),
        (["empty_body@3"], "the answer is not a JSON object"),
        (["error=4201/3001234567@1"], "error 4201"),
    ],
)
def test_a_passing_fault_costs_no_entity(serve: Serve, run: Run, faults: list[str], words: str) -> None:
    outcome = run(serve(*faults), settings={"tables": ENTITIES})
    assert (outcome.status, outcome.failures) == (0, []), outcome.log
    assert words in outcome.log
    world = World.at(AS_OF, "tiny")
    for table in ENTITIES:
        assert_holds(outcome, table, expected(world, table))


def test_a_file_that_is_not_understood_is_its_accounts_failure(serve: Serve, run: Run) -> None:
    settings = {"tables": ["ad"], "accounts": [FIRST, SECOND], "concurrency": 1}
    attempt = {"WIRE_RESUME": "one run"}
    outcome = run(serve("wrong_first_line@1x1"), settings=settings, environment=attempt)
    assert outcome.status == 65
    (failure,) = outcome.failures
    assert failure.account_id == SECOND
    assert "Bulk file: its first line lacks the column Type" in failure.message
    assert {row["account_id"] for row in outcome.tables["ad"]} == {FIRST}
    again = run(serve(), settings=settings, state=outcome.state, environment=attempt)
    assert {row["account_id"] for row in again.tables["ad"]} == {SECOND}, "the second attempt asks for the rest alone"


def test_values_from_the_future_and_absent_ones_are_loaded(serve: Serve, run: Run) -> None:
    walk = ["error=4204x99", "future_value@1x99"]
    outcome = run(serve(*walk), settings={"tables": ENTITIES})
    assert (outcome.status, outcome.failures) == (0, []), outcome.log
    world = World.at(AS_OF, "tiny")
    assert {"Hologram"} < {row["ad_type"] for row in outcome.tables["ad"]}
    for table, key in (("ad", "ad_id"), ("keyword", "keyword_id"), ("campaign", "campaign_id")):
        assert {row[key] for row in outcome.tables[table]} == {row[key] for row in expected(world, table)}
    assert {row["ad_title"] for row in outcome.tables["ad"]} == {row["ad_title"] for row in expected(world, "ad")}
    outcome = run(serve("error=4204x99", "missing_value@1x99"), settings={"tables": ENTITIES[1:]})
    assert {row["ad_id"] for row in outcome.tables["ad"]} == {row["ad_id"] for row in expected(world, "ad")}
    assert any(row["status"] is None for row in outcome.tables["ad"])


COLUMNS = ("Type", "Status", "Id", "Parent Id", "Name", "Campaign", "Ad Group", "Keyword", "Headline", "Bid")


def bulk_text(*records: dict[str, str], columns: tuple[str, ...] = COLUMNS, version: str = "6.0") -> str:
    every = [{"Type": "Format Version", "Name": version}, {"Type": "Account", "Id": "1", "Parent Id": "2"}, *records]
    lines = [",".join(columns)]
    lines += [",".join('"' + each.get(name, "").replace('"', '""') + '"' for name in columns) for each in every]
    return "\ufeff" + "\r\n".join(lines) + "\r\n"


GROUP = {"Type": "Ad Group", "Id": "20", "Parent Id": "10", "Ad Group": "Shoes"}


def opened(content: bytes) -> BulkFile:
    return BulkFile(io.BytesIO(content), ACCOUNT)  # type: ignore[arg-type]  # any readable file will do


def rows(text: str, entity: Entity) -> list[dict[str, Any]]:
    return list(opened(text.encode()).rows(entity))


def zipped(content: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("entities.csv", content)
    return file.getvalue()


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zipped])
def test_a_file_is_read_however_it_is_packed(pack: Any) -> None:
    text = bulk_text({"Type": "Campaign", "Id": "10", "Parent Id": "1", "Campaign": 'Say "hi"\nthere'}, GROUP)
    file = opened(pack(text.encode()))
    (campaign,) = file.rows(CAMPAIGN)
    assert (campaign["campaign_id"], campaign["campaign_name"]) == ("10", 'Say "hi"\nthere')
    (group,) = file.rows(AD_GROUP)
    assert (group["campaign_id"], group["ad_group_id"], group["currency_code"]) == ("10", "20", "EUR")


def test_a_child_may_come_before_its_parent_and_an_unknown_ad_keeps_what_it_has() -> None:
    ad = {"Type": "Hologram Ad", "Id": "30", "Parent Id": "20", "Headline": '[{"text": "Hello"}, {"text": "you"}]'}
    (row,) = rows(bulk_text(ad, GROUP), AD)
    assert (row["ad_id"], row["ad_type"], row["campaign_id"]) == ("30", "Hologram", "10")
    assert (row["headlines"], row["ad_title"]) == (["Hello", "you"], "Hello")


def test_an_object_without_its_ad_group_is_not_dropped() -> None:
    with pytest.raises(PipelineError, match="keyword is in ad group '99', which is not in the file") as caught:
        rows(bulk_text({"Type": "Keyword", "Id": "5", "Parent Id": "99"}), KEYWORD)
    assert caught.value.account_id == "1"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("<html>Bad gateway</html>", "its first line lacks the column Type"),
        (bulk_text(columns=("Type", "Status", "Name")), "its first line lacks the column Id"),
        (bulk_text(version="7.0"), "does not name the format 6.0"),
        (bulk_text({"Type": "Account", "Id": "8"}), "it is of account '8'"),
        (bulk_text() + '"Campaign","Active"\r\n', "a record has 2 cells where 10 belong"),
    ],
)
def test_a_strange_file_is_named(text: str, words: str) -> None:
    with pytest.raises(PipelineError, match=words) as caught:
        opened(text.encode())
    assert (caught.value.kind, caught.value.account_id) == (Kind.DATA, "1")


@pytest.mark.parametrize("keep", [0, 3, 0.5, 0.95])
def test_a_file_that_is_cut_short_is_damaged(keep: float) -> None:
    content = gzip.compress(bulk_text(*[GROUP | {"Id": str(n)} for n in range(500)]).encode())
    size = int(keep * len(content)) if isinstance(keep, float) else keep
    with pytest.raises(BrokenFileError):
        opened(content[:size])


def test_records_of_other_types_are_counted_in_the_log(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO):
        assert rows(bulk_text({"Type": "Telepathy"}, {"Type": "Telepathy"}), CAMPAIGN) == []
    assert "2 records of type 'Telepathy'" in caplog.text


def test_a_wrong_value_is_named() -> None:
    with pytest.raises(PipelineError, match="keyword: column bid has the value 'lots'"):
        rows(bulk_text(GROUP, {"Type": "Keyword", "Id": "5", "Parent Id": "20", "Bid": "lots"}), KEYWORD)
    with pytest.raises(PipelineError, match="campaign: column daily_budget has the value 'lots'") as caught:
        of_object(CAMPAIGN, {"Id": "1", "DailyBudget": "lots"}, {"account_id": "1"})
    assert caught.value.account_id == "1"


def test_the_same_object_twice_is_one_row_and_two_different_ones_are_an_error() -> None:
    one, other = ({"keyword_id": "5", "bid": bid} for bid in ("1", "2"))
    assert list(distinct(KEYWORD, iter([one, dict(one)]), "1")) == [one]
    with pytest.raises(PipelineError, match="two different ones with the id 5") as caught:
        list(distinct(KEYWORD, iter([one, other]), "1"))
    assert (caught.value.kind, caught.value.account_id) == (Kind.DATA, "1")
