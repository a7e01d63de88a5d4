"""A downloaded Bulk file: one CSV of an account's entities, in ZIP, GZip or neither, each record typed by its first
cell.

Records come in any order and columns may be added any day, so both are found by name (bulk-service/bulk-file-schema of
Microsoft's documentation). The file is read once to see that it is whole, then once per table, without ever being in
memory as a whole.
"""

from __future__ import annotations

import csv
import gzip
import io
import logging
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any

from microsoft_pipeline.accounts import Account
from microsoft_pipeline.downloads import BrokenFileError
from microsoft_pipeline.rows import Row, reader
from microsoft_pipeline.tables import AD, AD_GROUP, ASSET_GROUP, CAMPAIGN, KEYWORD, Entity
from wire import Kind, PipelineError

log = logging.getLogger(__name__)

_FORMAT = "6.0"
_TYPES = {"Campaign": CAMPAIGN, "Ad Group": AD_GROUP, "Keyword": KEYWORD, "Asset Group": ASSET_GROUP}
_ABOUT_THE_FILE = frozenset({"Format Version", "Account"})
WHAT = "Bulk file"


def entity_of(record_type: str) -> Entity | None:
    """The table of a record, None for one that no table of ours holds. Every type of ad, known or new, ends in "Ad"."""
    return AD if record_type.endswith(" Ad") else _TYPES.get(record_type)


class BulkFile:
    """A file that was found to be whole, and to be of this account."""

    def __init__(self, file: IO[bytes], account: Account) -> None:
        """Raises BrokenFileError for a damaged file, PipelineError (data) for one that is not understood."""
        self._file = file
        self._account = account
        self._campaign_of: dict[str, str] = {}
        self.counts: Counter[str] = Counter()
        self._check()

    def __enter__(self) -> BulkFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def rows(self, entity: Entity) -> Iterator[Row]:
        """All rows of a table; raises PipelineError (data) for a value that does not fit its column."""
        with self._records() as (header, records):
            row_of = reader(entity, header)
            at_type, at_parent = header.index("Type"), header.index("Parent Id")
            at_status = header.index("Status") if "Status" in header else None
            for record in records:
                if entity_of(record[at_type]) is not entity:
                    continue
                if at_status is not None and record[at_status] == "Deleted":
                    continue
                yield row_of(record, self._own(entity, record[at_parent]))

    @property
    def campaign_ids(self) -> list[str]:
        """The campaigns that have ad groups here."""
        return list(dict.fromkeys(self._campaign_of.values()))

    @property
    def ad_group_ids(self) -> list[str]:
        return list(self._campaign_of)

    def _own(self, entity: Entity, parent_id: str) -> dict[str, Any]:
        own: dict[str, Any] = {"account_id": self._account.id, "currency_code": self._account.currency}
        if entity in (AD_GROUP, ASSET_GROUP):
            own["campaign_id"] = parent_id
        elif entity in (AD, KEYWORD):
            own["ad_group_id"] = parent_id
            try:
                own["campaign_id"] = self._campaign_of[parent_id]
            except KeyError as cause:
                raise PipelineError(
                    Kind.DATA,
                    f"{WHAT}: an object of {entity.table.name} is in ad group {parent_id!r}, which is not in the file",
                    account_id=self._account.id,
                ) from cause
        return own

    def _check(self) -> None:
        """Read the file to its end: that is what shows whether it is whole."""
        others: Counter[str] = Counter()
        with self._records() as (header, records):
            at_type, at_id, at_parent = (header.index(name) for name in ("Type", "Id", "Parent Id"))
            for record in records:
                kind = record[at_type]
                entity = entity_of(kind)
                if entity is not None:
                    self.counts[entity.table.name] += 1
                    if entity is AD_GROUP:
                        self._campaign_of[record[at_id]] = record[at_parent]
                elif kind == "Account":
                    self._check_account(record[at_id])
                elif kind not in _ABOUT_THE_FILE:
                    others[kind] += 1
        for kind, count in sorted(others.items()):
            log.info(
                "account %s: %d records of type %r in the Bulk file are of no table", self._account.id, count, kind
            )

    def _check_account(self, account_id: str) -> None:
        if account_id != self._account.id:
            raise PipelineError(
                Kind.DATA, f"{WHAT}: it is of account {account_id!r}, not of this one", account_id=self._account.id
            )

    @contextmanager
    def _records(self) -> Iterator[tuple[list[str], Iterator[Sequence[str]]]]:
        with _damage_named(), _opened(self._file) as text:
            lines = csv.reader(text, strict=True)
            header = next(lines, [])
            first = next(lines, [])
            missing = [name for name in ("Type", "Id", "Parent Id", "Name") if name not in header]
            if header[:1] != ["Type"] or missing:
                raise self._strange(f"its first line lacks the column {missing[0] if missing else 'Type'}")
            named = dict(zip(header, first, strict=False))
            if named["Type"] != "Format Version" or named.get("Name") != _FORMAT:
                raise self._strange(f"its first record does not name the format {_FORMAT}")
            yield header, self._wide(lines, len(header))

    def _wide(self, lines: Iterator[list[str]], width: int) -> Iterator[list[str]]:
        for line in lines:
            if len(line) == width:
                yield line
            elif line:
                raise self._strange(f"a record has {len(line)} cells where {width} belong")

    def _strange(self, why: str) -> PipelineError:
        return PipelineError(Kind.DATA, f"{WHAT}: {why}", account_id=self._account.id)


@contextmanager
def _opened(file: IO[bytes]) -> Iterator[IO[str]]:
    """The text of a file, whose first bytes say how it is packed."""
    file.seek(0)
    start = file.read(2)
    file.seek(0)
    if start == b"PK":
        with zipfile.ZipFile(file) as archive:
            names = [name for name in archive.namelist() if name.endswith(".csv")] or archive.namelist()
            if not names:
                raise BrokenFileError(Kind.TRANSIENT, f"{WHAT}: the archive is empty")
            with archive.open(names[0]) as member:
                yield io.TextIOWrapper(member, encoding="utf-8-sig", newline="")
    elif start == b"\x1f\x8b":
        with gzip.GzipFile(fileobj=file, mode="rb") as unpacked:
            yield io.TextIOWrapper(unpacked, encoding="utf-8-sig", newline="")
    elif not start:
        raise BrokenFileError(Kind.TRANSIENT, f"{WHAT}: it is empty")
    else:
        text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="")
        try:
            yield text
        finally:
            text.detach()


@contextmanager
def _damage_named() -> Iterator[None]:
    try:
        yield
    except (zipfile.BadZipFile, gzip.BadGzipFile, zlib.error, EOFError, UnicodeDecodeError, csv.Error) as cause:
        raise BrokenFileError(Kind.TRANSIENT, f"{WHAT}: it is damaged ({type(cause).__name__})") from cause
