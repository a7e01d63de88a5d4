"""The `where` of a report: each is one condition of Google's query language, looked at before it is part of a query.

Grammar: https://developers.google.com/google-ads/api/docs/query/grammar
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from google_pipeline.catalog import Catalog, Entry
from wire import did_you_mean

_TEXT = r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\""
_VALUE = rf"(?:{_TEXT}|-?\d+(?:\.\d+)?|[A-Za-z_]+)"
_CONDITION = re.compile(
    rf"(?P<field>[a-z][a-z0-9_.]*)\s*"
    rf"(?:IS\s+(?:NOT\s+)?NULL"
    rf"|(?:NOT\s+IN|IN|CONTAINS\s+(?:ANY|ALL|NONE))\s*\(\s*(?P<list>{_VALUE}(?:\s*,\s*{_VALUE})*)\s*\)"
    rf"|BETWEEN\s+(?P<low>{_VALUE})\s+AND\s+(?P<high>{_VALUE})"
    rf"|(?P<match>(?:NOT\s+)?(?:LIKE|REGEXP_MATCH))\s*(?P<pattern>{_VALUE})"
    rf"|(?:!=|>=|<=|=|<|>)\s*(?P<value>{_VALUE}))",
    re.IGNORECASE,
)
_ITEM = re.compile(_VALUE)
_NUMBER = re.compile(r"-?\d+(?:\.\d+)?")
_DAYS = ("segments.date", "segments.week", "segments.month", "segments.quarter", "segments.year")


class Condition:
    """One condition as it is written. `field` is "" where it cannot be read."""

    def __init__(self, text: str) -> None:
        self.text = text.strip()
        self._found = _CONDITION.fullmatch(self.text)
        self.field = self._found["field"] if self._found else ""

    def findings(self, known: Catalog, of: str, divides: Collection[str]) -> Iterator[str]:
        """What is wrong with it in a report of something that is divided by these segments."""
        if self._found is None:
            yield (
                f"{self.text!r} is not one condition of Google's query language, such as "
                "campaign.advertising_channel_type = 'SEARCH'"
            )
            return
        entry = known.fields.get(self.field)
        legal = [path for path in known.fields if path.split(".", 1)[0] in (*known.tops(of), "segments", "metrics")]
        if entry is None or self.field not in legal:
            hint = did_you_mean(self.field, legal)
            yield f"{self.field!r} is no field that a report of {of} can be restricted by; {hint}"
        elif self.field in _DAYS:
            yield f"{self.field} restricts the days, which the run chooses: see start_date"
        elif self.field.startswith("segments.") and self.field not in divides:
            yield f"Google restricts by {self.field} only what is divided by it: put {self.field} into by"
        else:
            yield from self._values(known, entry)

    def _values(self, known: Catalog, entry: Entry) -> Iterator[str]:
        assert self._found is not None
        if self._found["match"]:
            if entry.kind != "text" or self._found["pattern"][0] not in "'\"":
                yield f"{self._found['match'].upper()} compares a text with a quoted pattern; see {self.text!r}"
            return
        named = [self._found[name] for name in ("low", "high", "value") if self._found[name]]
        for value in (*named, *_ITEM.findall(self._found["list"] or "")):
            yield from _wrong(known, entry, self.field, value)


def _wrong(known: Catalog, entry: Entry, field: str, value: str) -> Iterator[str]:
    bare = value.strip("'\"")
    if entry.enum:
        if bare not in known.enums[entry.enum]:
            yield f"{field} is never {value}; {did_you_mean(bare, known.enums[entry.enum])}"
    elif entry.kind == "flag":
        if bare.upper() not in ("TRUE", "FALSE"):
            yield f"{field} is TRUE or FALSE, and not {value}"
    elif entry.kind == "text":
        if value[0] not in "'\"":
            yield f"{field} is a text: write '{value}' in quotes"
    elif entry.kind != "list" and not _NUMBER.fullmatch(bare):
        yield f"{field} is a number, and not {value}"
