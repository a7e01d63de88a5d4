"""What reports of one's own can ask for: types of report, their columns and filters.

Read from catalog.json when the first report of one's own is looked at, and not before: a run without any does not pay
for it. `pipelines/microsoft/catalog/generate.py` writes that file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import msgspec
from msgspec import Struct

from wire import CheckWarning, Grain, Type

_WORD_BEGINS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


class CatalogColumn(Struct, frozen=True):
    """A column of reports. One without a type is an attribute, which groups the rows.

    One that `is_measure` may stand alone; the others with a type, scores and bids, need one of those beside them.
    """

    type: Type | None = None
    note: str = ""
    is_measure: bool = False
    belongs_to: str = ""
    column: str = ""
    grains: tuple[Grain, ...] = tuple(Grain)


class Exclusion(Struct, frozen=True):
    """None of these attributes may stand beside any of these metrics."""

    attributes: tuple[str, ...]
    metrics: tuple[str, ...]


class Status(Struct, frozen=True):
    """What the column `Status` of a report is."""

    column: str
    belongs_to: str


class ReportType(Struct, frozen=True):
    """A type of report: the columns that it has, those that are asked for anyway, and its filters with their types.

    `kept_days` are the days for which the service keeps each grain that the report has.
    """

    has_currency: bool
    implied: tuple[str, ...]
    required: tuple[str, ...]
    kept_days: Mapping[Grain, int]
    excludes: tuple[Exclusion, ...]
    filters: Mapping[str, str]
    columns: tuple[str, ...]
    status: Status | None = None


class Catalog(Struct, frozen=True):
    """All of it, and the package and version that it is from.

    `values` are what the filters of a type can name, `most_values` how many of them at once.
    """

    package: str
    version: str
    facts: str
    dateless: tuple[str, ...]
    values: Mapping[str, tuple[str, ...]]
    most_values: Mapping[str, int]
    columns: Mapping[str, CatalogColumn]
    reports: Mapping[str, ReportType]

    @property
    def source(self) -> str:
        return f"{self.package} {self.version}, Reporting API v13; {self.facts}"

    def column(self, kind: str, name: str) -> CatalogColumn:
        """A column as a report of that kind has it: it belongs to nothing whose id that has not."""
        found, its = self.columns[name], self.reports[kind]
        if name == "Status" and its.status is not None:
            return msgspec.structs.replace(found, column=its.status.column, belongs_to=its.status.belongs_to)
        if found.belongs_to not in ("", "AccountId", *its.columns):
            return msgspec.structs.replace(found, belongs_to="")
        return found

    def named(self, kind: str) -> dict[str, str]:
        """The columns of a kind by every spelling that finds them: Microsoft's name and our column's."""
        found = {}
        for name in self.reports[kind].columns:
            found[spelling(name)] = found[spelling(self.name_of(kind, name))] = name
        return found

    def name_of(self, kind: str, name: str) -> str:
        """What the column of a table is called that has this column's content."""
        return self.column(kind, name).column or snake_case(name)


_CATALOG = msgspec.json.Decoder(Catalog)


@cache
def catalog() -> Catalog:
    """The catalog, read once."""
    return _CATALOG.decode(Path(__file__).with_name("catalog.json").read_bytes())


def warnings() -> Iterator[CheckWarning]:
    """Whether another version of the SDK is installed than the catalog was made with."""
    from importlib.metadata import PackageNotFoundError, version  # noqa: PLC0415 - takes a tenth of a start

    known = catalog()
    try:
        installed = version(known.package)
    except PackageNotFoundError:
        return
    if installed != known.version:
        yield CheckWarning(
            f"{known.package} {installed} is installed, and reports of one's own are checked with the columns of "
            f"{known.version}: run pipelines/microsoft/catalog/generate.py"
        )


def spelling(word: str) -> str:
    """What two ways to write one column have in common: `CampaignId`, `campaign_id`."""
    return word.replace("_", "").lower()


def snake_case(name: str) -> str:
    """Microsoft's name of a column in the manner of our tables: `VideoViewsAt25Percent`, `video_views_at25_percent`."""
    return _WORD_BEGINS.sub("_", name).lower()
