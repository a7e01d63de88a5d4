"""How a report's file becomes rows: what is kept, what is null, and what is refused."""

from __future__ import annotations

import csv
import datetime as dt
import io
import zipfile
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from microsoft_pipeline import cells as cells_module
from microsoft_pipeline.report_file import BrokenFileError, MissingRowsError, read_report
from microsoft_pipeline.tables import CAMPAIGN_DAILY, CAMPAIGN_IMPRESSION_SHARE_DAILY, SEARCH_QUERY_DAILY, Report
from wire import Kind, PipelineError, Window

TODAY = dt.date(2026, 11, 20)
OWN = {"account_id": "1", "currency_code": "EUR"}


def cells(**values: str) -> dict[str, str]:
    return {"TimePeriod": "2026-11-19", "AccountId": "1", "CampaignId": "7"} | values


def packed(
    report: Report,
    *rows: dict[str, str],
    announced: int | None = None,
    columns: tuple[str, ...] | None = None,
    preamble: bool = True,
) -> bytes:
    columns = columns or report.columns
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL)
    if preamble:
        writer.writerow(["Report Name: x"])
        writer.writerow(["Potential Incomplete Data: true"])
        writer.writerow([f"Rows: {len(rows) if announced is None else announced:,}"])
        text.write("\r\n")
    writer.writerow(columns)
    writer.writerows([[row.get(name, "") for name in columns] for row in rows])
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("report.csv", text.getvalue().encode("utf-8-sig"))
    return file.getvalue()


def read(content: bytes, report: Report = CAMPAIGN_DAILY) -> list[dict[str, Any]]:
    window = Window(TODAY, TODAY)
    rows = read_report(io.BytesIO(content), report, OWN, window=window, today=TODAY)
    return [msgspec.structs.asdict(row) for row in rows]


def one(report: Report = CAMPAIGN_DAILY, **values: str) -> dict[str, Any]:
    (row,) = read(packed(report, cells(**values)), report)
    return row


@pytest.mark.parametrize(
    ("source", "column", "text", "value"),
    [
        ("Impressions", "impressions", "1,234,567", 1_234_567),
        ("Impressions", "impressions", "0", 0),
        ("Impressions", "impressions", "--", None),
        ("Impressions", "impressions", "", None),
        ("Impressions", "impressions", "8.00", 8),
        ("Spend", "spend", "1,234.56", "1234.56"),
        ("Spend", "spend", ".5", "0.5"),
        ("Spend", "spend", "-12.30", "-12.30"),
        ("Spend", "spend", "0.000001", "0.000001"),
        ("Spend", "spend", "1E-6", "0.000001"),
        ("Spend", "spend", "--", None),
        ("ConversionsQualified", "conversions_qualified", "1,002.75", 1002.75),
        ("CampaignName", "campaign_name", "Total Brand", "Total Brand"),
        ("CampaignName", "campaign_name", "  padded  ", "  padded  "),
        ("CampaignName", "campaign_name", 'Say "hi",\r\nthere', 'Say "hi",\r\nthere'),
        ("CampaignName", "campaign_name", "NULL", "NULL"),
    ],
)
def test_a_value_is_read_exactly(source: str, column: str, text: str, value: object) -> None:
    assert one(**{source: text})[column] == value


def test_percentages_keep_their_unit() -> None:
    row = one(CAMPAIGN_IMPRESSION_SHARE_DAILY, ImpressionSharePercent="41.20%", ClickSharePercent="--")
    assert (row["impression_share_percent"], row["click_share_percent"]) == (41.2, None)


@pytest.mark.parametrize(("text", "value"), [("<0.01%", 0.01), (">90%", 90.0), ("100%", 100.0), ("0.00%", 0.0)])
def test_a_percentage_that_is_only_a_bound_is_the_bound(text: str, value: float) -> None:
    row = one(CAMPAIGN_IMPRESSION_SHARE_DAILY, ImpressionSharePercent=text)
    assert row["impression_share_percent"] == value


@pytest.mark.parametrize(("day", "final"), [("2026-11-19", True), ("2026-11-20", False)])
def test_a_day_is_final_when_it_was_over(day: str, final: bool) -> None:
    assert one(TimePeriod=day)["is_final"] is final


def test_a_report_without_currency_gets_the_accounts() -> None:
    assert one(SEARCH_QUERY_DAILY, SearchQuery="shoes")["currency_code"] == "EUR"
    assert one(CurrencyCode="USD")["currency_code"] == "USD"


def test_a_key_is_never_null() -> None:
    assert one(SEARCH_QUERY_DAILY, SearchQuery="shoes", KeywordId="--")["keyword_id"] == ""


def test_columns_may_come_in_any_order() -> None:
    columns = tuple(reversed(CAMPAIGN_DAILY.columns))
    (row,) = read(packed(CAMPAIGN_DAILY, cells(Clicks="5"), columns=columns))
    assert (row["clicks"], row["campaign_id"]) == (5, "7")


def test_rows_that_are_announced_but_missing_are_named() -> None:
    with pytest.raises(MissingRowsError, match=r"campaign_daily.*announces 1200 rows, but 1 were read") as caught:
        read(packed(CAMPAIGN_DAILY, cells(), announced=1200))
    assert caught.value.kind is Kind.DATA


@pytest.mark.parametrize("keep", [0, 10, 0.5, 0.99])
def test_a_damaged_archive_is_told_from_a_short_report(keep: float) -> None:
    content = packed(CAMPAIGN_DAILY, *[cells(CampaignId=str(n), CampaignName="é" * n) for n in range(300)])
    size = int(keep * len(content)) if keep < 1 else int(keep)
    with pytest.raises(BrokenFileError):
        read(content[:size])


def test_flipped_bytes_inside_are_noticed() -> None:
    content = bytearray(packed(CAMPAIGN_DAILY, *[cells(CampaignId=str(n)) for n in range(300)]))
    content[200] ^= 0xFF
    with pytest.raises(BrokenFileError):
        read(bytes(content))


def test_an_html_page_is_no_report() -> None:
    with pytest.raises(BrokenFileError):
        read(b"<html>Bad gateway</html>")


@pytest.mark.parametrize(("source", "column"), [("Clicks", "clicks"), ("Spend", "spend"), ("TimePeriod", "date")])
def test_a_value_of_the_wrong_type_is_named(source: str, column: str) -> None:
    with pytest.raises(PipelineError, match=f"campaign_daily: column {column} has the value 'lots'") as caught:
        one(**{source: "lots"})
    assert caught.value.kind is Kind.DATA


@pytest.mark.parametrize("text", ["NaN", "Infinity"])
def test_what_is_no_number_is_refused(text: str) -> None:
    for source, column in (("Spend", "spend"), ("ConversionsQualified", "conversions_qualified")):
        with pytest.raises(PipelineError, match=f"column {column}"):
            one(**{source: text})


def test_a_row_without_its_day_is_refused() -> None:
    with pytest.raises(PipelineError, match="column date"):
        one(TimePeriod="--")


def test_a_missing_column_is_named() -> None:
    columns = tuple(name for name in CAMPAIGN_DAILY.columns if name != "Revenue")
    with pytest.raises(PipelineError, match="lacks the column Revenue"):
        read(packed(CAMPAIGN_DAILY, cells(), columns=columns))


def test_a_footer_and_other_files_in_the_archive_are_no_rows() -> None:
    content = packed(CAMPAIGN_DAILY, cells(Clicks="5"))
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        text = archive.read("report.csv") + '\r\n"©2026 Microsoft Corporation. All rights reserved. "\r\n'.encode()
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("readme.txt", "about this report")
        archive.writestr("report.csv", text)
    (row,) = read(file.getvalue())
    assert row["clicks"] == 5


def test_a_row_of_another_width_is_refused() -> None:
    content = packed(CAMPAIGN_DAILY, cells())
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        text = archive.read("report.csv") + b'"2026-11-19","1"\r\n'
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("report.csv", text)
    with pytest.raises(PipelineError, match="campaign_daily: a row of 2 cells where"):
        read(file.getvalue())


def test_a_half_in_a_column_of_whole_numbers_is_refused() -> None:
    with pytest.raises(PipelineError, match=r"column clicks has the value '8\.50'"):
        one(Clicks="8.50")


ODD_CELLS = st.lists(
    st.sampled_from(['"', ",", "\r\n", "\n", "\r", '","', '"\r\n"', "", "a", "\\", "--"]), max_size=4
).map("".join)


@given(st.lists(st.tuples(ODD_CELLS, ODD_CELLS, ODD_CELLS), min_size=1, max_size=12), st.integers(1, 64))
@settings(max_examples=400, deadline=None)
def test_blocks_hold_the_cells_that_the_csv_module_reads(rows: list[tuple[str, ...]], size: int) -> None:
    text = io.StringIO(newline="")
    csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows(rows)
    before, cells_module._BLOCK = cells_module._BLOCK, size
    try:
        blocks = list(cells_module.blocks_of_columns(io.BytesIO(text.getvalue().encode()), 3))
    finally:
        cells_module._BLOCK = before
    assert [row for block in blocks for row in zip(*block, strict=True)] == rows


@given(st.text(st.characters(exclude_categories=["Cs"])), st.integers(0, 10**12), st.integers(0, 10**6 - 1))
@settings(max_examples=100, deadline=None)
def test_any_name_and_any_amount_survive(name: str, units: int, micros: int) -> None:
    row = one(CampaignName=name, Impressions=f"{units:,}", Spend=f"{units:,}.{micros:06d}")
    assert row["campaign_name"] == (None if name in ("", "--") else name)
    assert row["impressions"] == units
    assert Decimal(row["spend"]) == units + Decimal(micros) / 10**6
