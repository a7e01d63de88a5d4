"""One row of an entity table, from an object of the REST API or from a record of a Bulk file: the same row of both."""

from __future__ import annotations

import datetime as dt
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import InvalidOperation
from typing import Any

import msgspec

from microsoft_pipeline.tables import AD, Entity, Field
from wire import Kind, PipelineError, Type, plain

Row = dict[str, Any]

# As the vendor's SDK splits them: a URL may hold a semicolon of its own.
_BETWEEN_URLS = re.compile(r";\s*(?=https?://)")
_BULK_DATE = "%m/%d/%Y"
_SAYS_WHAT_IS_WRONG = (ValueError, TypeError, KeyError, AttributeError, InvalidOperation)


def of_object(entity: Entity, raw: Mapping[str, Any], own: Mapping[str, Any]) -> Row:
    """The row of an object; columns without a source are filled from `own`.

    An absent element is null, as one that is given as null. Raises PipelineError (data) for a value that does not fit.
    """
    row: Row = {}
    for field in entity.fields:
        name = field.column.name
        if not field.source:
            row[name] = own.get(name)
            continue
        value = _at(field.source, raw)
        try:
            row[name] = None if value is None else _from_json(field, value)
        except _SAYS_WHAT_IS_WRONG as cause:
            raise _unfit(entity, name, value, own) from cause
    return _completed(entity, row, raw.get("Title"), raw.get("Headline"), own)


def reader(entity: Entity, header: Sequence[str]) -> Callable[[Sequence[str], Mapping[str, Any]], Row]:
    """Makes rows of a Bulk file's records, whose columns are those of `header`."""
    at = {name: index for index, name in enumerate(header)}
    plan = [(field, at.get(field.bulk)) for field in entity.fields]
    title, headline, headlines, descriptions = (
        at.get(name) for name in ("Title", "Headline", "Headlines", "Descriptions")
    )

    def cell(record: Sequence[str], index: int | None) -> str:
        return record[index] if index is not None else ""

    def row_of(record: Sequence[str], own: Mapping[str, Any]) -> Row:
        row: Row = {}
        for field, index in plan:
            name = field.column.name
            text = cell(record, index)
            if not field.bulk:
                row[name] = own.get(name)
                continue
            try:
                row[name] = _from_cell(field, text) if text else None
            except _SAYS_WHAT_IS_WRONG as cause:
                raise _unfit(entity, name, text, own) from cause
        if entity is AD:
            # Responsive ads have lists of their own, beside a single headline.
            row["headlines"] = row["headlines"] or _texts(cell(record, headlines))
            row["descriptions"] = row["descriptions"] or _texts(cell(record, descriptions))
        return _completed(entity, row, cell(record, title), _single(cell(record, headline)), own)

    return row_of


def distinct(entity: Entity, rows: Iterator[Row], account_id: str) -> Iterator[Row]:
    """The rows, each once; raises PipelineError (data) where two different ones have one key."""
    seen: dict[str, int] = {}
    for row in rows:
        key, content = row[entity.key], hash(msgspec.json.encode(row))
        known = seen.get(key)
        if known is None:
            seen[key] = content
            yield row
        elif known != content:
            raise PipelineError(
                Kind.DATA,
                f"{entity.table.name}: Microsoft gives two different ones with the id {key}",
                account_id=account_id,
            )


def _at(path: str, raw: Any) -> Any:
    value = raw
    for name in path.split("."):
        value = value.get(name) if isinstance(value, Mapping) else None
    return value


def _from_json(field: Field, value: Any) -> Any:
    match field.column.type:
        case Type.INTEGER:
            return int(value)
        case Type.DECIMAL:
            return plain(str(value))
        case Type.DATE:
            return dt.date(int(value["Year"]), int(value["Month"]), int(value["Day"])).isoformat()
        case Type.JSON:
            return [_text_of(each) for each in value] or None
        case _:
            return _spelled(field.column.name, str(value))


def _from_cell(field: Field, text: str) -> Any:
    match field.column.type:
        case Type.DECIMAL:
            return plain(text)
        case Type.DATE:
            return dt.datetime.strptime(text, _BULK_DATE).date().isoformat()
        case Type.JSON if field.column.name == "final_urls":
            return _BETWEEN_URLS.split(text)
        case Type.JSON if field.column.name == "languages":
            return [each.strip() for each in text.split(";") if each.strip()]
        case Type.JSON:
            return _texts(text)
        case _:
            return _spelled(field.column.name, text)


def _spelled(name: str, text: str) -> str:
    """One spelling of what has several: `MaxClicks` or `MaxClicksBiddingScheme`, `Responsive Search Ad`."""
    if name == "bidding_scheme":
        return text.removesuffix("BiddingScheme") or text
    if name == "ad_type":
        joined = text.replace(" ", "")
        return joined if joined == "ResponsiveAd" else joined.removesuffix("Ad") or joined
    return text


def _text_of(item: Any) -> str | None:
    """An element of a list: a text, or the text of an asset that is linked to an ad."""
    if not isinstance(item, Mapping):
        return str(item)
    asset = item.get("Asset")
    linked = asset if isinstance(asset, Mapping) else item
    text = linked.get("Text") or linked.get("Name")
    return None if text is None else str(text)


def _texts(cell: str) -> list[str | None] | None:
    """The texts of a cell that holds a JSON list of assets; None for a cell that holds something else."""
    if not cell.startswith("["):
        return None
    return [each.get("text") for each in json.loads(cell)] or None


def _single(headline: str) -> str:
    return "" if headline.startswith("[") else headline


def _completed(entity: Entity, row: Row, title: Any, headline: Any, own: Mapping[str, Any]) -> Row:
    if not row[entity.key]:
        raise PipelineError(
            Kind.DATA, f"{entity.table.name}: Microsoft gives one without an id", account_id=own["account_id"]
        )
    if entity is AD:
        row["ad_title"] = _title(row, title, headline)
    return row


def _title(row: Row, title: Any, headline: Any) -> str | None:
    """The title of an ad, which each type of ad keeps elsewhere."""
    given = title or row["title_part1"] or headline
    if given:
        return str(given)
    return next((text for text in row["headlines"] or () if text), None)


def _unfit(entity: Entity, column: str, value: Any, own: Mapping[str, Any]) -> PipelineError:
    return PipelineError(
        Kind.DATA,
        f"{entity.table.name}: column {column} has the value {str(value)[:40]!r}",
        account_id=own.get("account_id"),
    )
