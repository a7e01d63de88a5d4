"""What reports of one's own can ask of insights: levels, breakdowns, fields, and what cannot stand together.

`catalog.json` is made by pipelines/facebook/catalog/generate.py of the SDK's enums and of facts that the SDK does not
tell. It is read when somebody asks, so a run without such reports never opens it.
"""

from __future__ import annotations

import functools
from pathlib import Path

import msgspec
from msgspec import Struct

from wire import CheckWarning, FieldsLine, ListedField, Type

PACKAGE = "facebook_business"
FILE = Path(__file__).with_name("catalog.json")
HOUR = "hour"
"""What stands for the breakdown by hours of the account's time zone, which is asked for by the grain."""


class Field(Struct, frozen=True, omit_defaults=True):
    """A field of insights, or a column that is counted of `reads`, which are fields then.

    `role` is the key of a report that it goes under. An empty `of` means every level; `needs` is a breakdown that it
    belongs to. The values of an `is_list`, a list of actions, go to a table of their own.
    """

    name: str
    role: str
    type: Type
    note: str = ""
    of: tuple[str, ...] = ()
    needs: str = ""
    is_list: bool = False
    reads: tuple[str, ...] = ()


class Breakdown(Struct, frozen=True, omit_defaults=True):
    """A breakdown that Meta documents; `excludes` are fields that it takes away, `only`, if any, all that it leaves.

    `lacks` says what becomes of actions outside Meta: `absent`, `undivided`, or nothing particular. `slow` means that
    Meta makes few such reports a day, and no report of a level in `not_of` can have it.
    """

    name: str
    note: str = ""
    only: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()
    lacks: str = ""
    slow: bool = False
    not_of: tuple[str, ...] = ()

    def takes_away(self, field: Field) -> bool:
        """Whether it cannot stand beside a field, or what that is counted of."""
        names = field.reads or (field.name,)
        return any(name in self.excludes or (self.only and name not in self.only) for name in names)


class Retention(Struct, frozen=True):
    """For how many months some fields, all where none are named, are kept with one of these breakdowns."""

    months: int
    by: tuple[str, ...]
    fields: tuple[str, ...]


class Catalog(Struct, frozen=True, dict=True):
    """Everything that can be asked for; `levels` have the ids that come with a row of them."""

    package: str
    version: str
    documentation: str
    levels: dict[str, tuple[str, ...]]
    given: tuple[str, ...]
    breakdowns: tuple[Breakdown, ...]
    undocumented: tuple[str, ...]
    permutations: tuple[tuple[str, ...], ...]
    fields: tuple[Field, ...]
    off_meta: tuple[str, ...]
    """What has actions outside Meta in it: fields, and columns that are counted of them."""
    retention: tuple[Retention, ...]
    operators: tuple[str, ...]
    operators_of_lists: tuple[str, ...]

    @functools.cached_property
    def by_name(self) -> dict[str, Field]:
        return {field.name: field for field in self.fields}

    @functools.cached_property
    def breakdown(self) -> dict[str, Breakdown]:
        return {each.name: each for each in self.breakdowns}


_CATALOG = msgspec.json.Decoder(Catalog)


@functools.cache
def catalog() -> Catalog:
    return _CATALOG.decode(FILE.read_bytes())


def differing_version() -> CheckWarning | None:
    """What to know where the installed SDK is not the one that the catalog was made of; does not import it."""
    from importlib import metadata  # noqa: PLC0415 - slow to import, and nothing else needs it

    known, installed = catalog().version, metadata.version(PACKAGE)
    if installed == known:
        return None
    return CheckWarning(
        f"reports: the fields are known as of {PACKAGE} {known}, and {installed} is installed: a field that is new in "
        "it is refused; pipelines/facebook/catalog/generate.py reads it"
    )


def listed_fields() -> FieldsLine:
    """All of it as `supervisor fields` shows it."""
    known = catalog()
    return FieldsLine(
        of=list(known.levels),
        fields=[*map(_listed_breakdown, known.breakdowns), *map(_listed_field, known.fields)],
        source=f"{known.package} {known.version}",
    )


def _listed_breakdown(each: Breakdown) -> ListedField:
    with_it = dict.fromkeys(
        name for together in catalog().permutations if each.name in together for name in together if name != each.name
    )
    notes = [
        each.note,
        f"may stand with {', '.join(with_it)}" if with_it else "stands alone",
        f"leaves {', '.join(each.only)}" if each.only else "",
        {"absent": "without actions outside Meta", "undivided": "actions outside Meta are not divided by it"}.get(
            each.lacks, ""
        ),
        "few a day" if each.slow else "",
    ]
    if each.name == HOUR:
        return ListedField(
            HOUR, "grain", Type.INTEGER, "; ".join(filter(None, (each.note, *notes[3:]))), excludes=each.excludes
        )
    return ListedField(each.name, "by", Type.STRING, "; ".join(filter(None, notes)), excludes=each.excludes)


def _listed_field(each: Field) -> ListedField:
    known = catalog()
    notes = [
        each.note,
        f"counted of {', '.join(each.reads)}" if each.reads else "",
        f"needs {each.needs} under by" if each.needs else "",
        "rows of NAME_actions" if each.is_list else "",
    ]
    excludes = tuple(b.name for b in known.breakdowns if not b.only and b.takes_away(each))
    return ListedField(each.name, each.role, each.type, "; ".join(filter(None, notes)), of=each.of, excludes=excludes)
