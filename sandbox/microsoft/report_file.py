"""The file of a report: its header, its rows by the attributes asked for, its footer, in a ZIP."""

from __future__ import annotations

import csv
import dataclasses
import io
import zipfile
from collections.abc import Iterator
from zoneinfo import ZoneInfo

from sandbox.faults import damaged
from sandbox.microsoft.columns import Row
from sandbox.microsoft.report_requests import Order, period_of
from sandbox.microsoft.splits import parted
from sandbox.world import Account, Fact, Metrics, World

_FOOTER = "©2026 Microsoft Corporation. All rights reserved. "


def made(order: Order, world: World, loss: str | None = None) -> bytes:
    """The ZIP of a report; empty where no row is in it. A `loss` takes rows away, and the header does not tell."""
    rows = damaged(list(_rows(order, world)), loss, lambda row: row[order.columns.index("CampaignId")])
    if not rows:
        return b""
    text = io.StringIO(newline="")
    writer = csv.writer(text, quoting=csv.QUOTE_ALL, lineterminator="\r\n", delimiter=order.delimiter)
    if order.header:
        for line in _header(order, world, len(rows)):
            writer.writerow([line])
        text.write("\r\n")
    if order.column_headers:
        writer.writerow(order.columns)
    writer.writerows(rows)
    if order.footer:
        text.write("\r\n")
        writer.writerow([_FOOTER])
    return packed("report.tsv" if order.delimiter == "\t" else "report.csv", text.getvalue())


def packed(name: str, text: str) -> bytes:
    """A ZIP of one file, with the mark of UTF-8 in front."""
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.writestr(name, text.encode("utf-8-sig"))
    return content.getvalue()


def shortened(zipped: bytes) -> bytes:
    """The same file without its last row, but with the same number of rows announced."""
    with zipfile.ZipFile(io.BytesIO(zipped)) as archive:
        (name,) = archive.namelist()
        lines = archive.read(name).decode("utf-8-sig").split("\r\n")
    return packed(name, "\r\n".join(lines[:-2]) + "\r\n")


def _header(order: Order, world: World, rows: int) -> tuple[str, ...]:
    today = min(map(world.today, order.accounts))
    return (
        f"Report Name: {order.name}",
        f"Report Time: {order.first:%-m/%-d/%Y},{order.last:%-m/%-d/%Y}",
        "Time Zone: (GMT+01:00) Amsterdam, Berlin, Bern, Rome, Stockholm, Vienna",
        f"Last Completed Available Day: {world.as_of:%-m/%-d/%Y %-I:%M:%S %p} (GMT)",
        f"Last Completed Available Hour: {world.as_of:%-m/%-d/%Y %-I:%M:%S %p} (GMT)",
        f"Report Aggregation: {order.aggregation}",
        "Report Filter: ",
        f"Potential Incomplete Data: {'true' if order.last >= today else 'false'}",
        f"Rows: {rows}",
    )


def _rows(order: Order, world: World) -> Iterator[list[str]]:
    """The cells of each row: what has the same attributes is one row, whatever else it differs in."""
    attributes = {column: cell for column in order.columns if (cell := order.kind.attributes.get(column))}
    if order.aggregation == "Yearly":
        attributes["TimePeriod"] = lambda row: str(row.fact.day.year)
    groups: dict[tuple[str, ...], Row] = {}
    for account in order.accounts:
        for fact in order.kind.facts(world, account, order.first, order.last):
            if not _in_scope(order, account, fact):
                continue
            for row in _parts(order, world, account, fact):
                key = tuple(cell(row) for cell in attributes.values())
                before = groups.get(key)
                groups[key] = row if before is None else _added(before, row)
    for key, row in groups.items():
        known = dict(zip(attributes, key, strict=True))
        yield [known[column] if column in known else order.kind.metrics[column](row) for column in order.columns]


def _parts(order: Order, world: World, account: Account, fact: Fact) -> Iterator[Row]:
    """A fact in the parts that the columns and the filter split it into, without those that the filter leaves out."""
    today = world.today(account)
    hours = world.as_of.astimezone(ZoneInfo(account.timezone)).hour + 1 if fact.day == today else 24
    period = _of_period(order, fact)
    for values, metrics in parted(fact, order.split, hours=hours):
        row = Row(account, dataclasses.replace(period, metrics=metrics), today, not order.newest_format, values)
        counted = not order.kind.counts or any(getattr(metrics, name) for name in order.kind.counts)
        if counted and all(test(row) for test in order.tests):
            yield row


def _of_period(order: Order, fact: Fact) -> Fact:
    if order.aggregation in ("Hourly", "Daily", "Summary"):
        return fact
    return dataclasses.replace(fact, day=period_of(order.aggregation, fact.day))


def _added(one: Row, other: Row) -> Row:
    total = Metrics()
    total += one.metrics
    total += other.metrics
    return dataclasses.replace(one, fact=dataclasses.replace(one.fact, metrics=total))


def _in_scope(order: Order, account: Account, fact: Fact) -> bool:
    if account.id in order.whole_accounts or str(fact.campaign.id) in order.campaigns:
        return True
    return fact.group is not None and str(fact.group.id) in order.groups
