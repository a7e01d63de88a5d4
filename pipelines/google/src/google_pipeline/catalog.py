"""What a report of one's own can ask of Google: `catalog.json`, which `catalog/generate.py` makes of the SDK.

It is read where there are reports, and where somebody asks for fields.
"""

from __future__ import annotations

from collections.abc import Iterator
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files

import msgspec
from msgspec import Struct

from google_pipeline.queries import As
from wire import FieldsLine, ListedField, Type

GRAINS = ("date", "hour", "month")
"""The segments that the grain of a report asks for."""

_SHOWN = 6
"""So many values of an enum are named, and the others counted."""


class Entry(Struct, frozen=True):
    """One field. `kind` is the name of an `As`, in small letters; `since` the first API version that has it, or ""."""

    kind: str
    enum: str = ""
    note: str = ""
    since: str = ""


class Resource(Struct, frozen=True, rename={"joined": "with"}):
    """What a report can be of. Its rows are told apart by `ids`; fields of the `joined` ones may stand beside it.

    `status` is the field without a condition on which Google leaves removed ones out.
    """

    ids: tuple[str, ...]
    joined: tuple[str, ...]
    status: str = ""


class Exclusion(Struct, frozen=True):
    """Metrics that cannot stand beside segments, as patterns of fnmatch."""

    segments: tuple[str, ...]
    metrics: tuple[str, ...]
    why: str


class Caution(Struct, frozen=True):
    """Something about segments of one resource, as patterns of fnmatch."""

    of: str
    segments: tuple[str, ...]
    why: str


class Catalog(Struct, frozen=True):
    """All of it. Fields go by their paths; for the rules see `catalog/facts.toml`, where each has its source."""

    sdk: str
    api: str
    resources: dict[str, Resource]
    belongs: dict[str, tuple[tuple[str, ...], ...]]
    only: dict[str, tuple[str, ...]]
    needs: dict[str, str]
    excludes: tuple[Exclusion, ...]
    apart: tuple[Caution, ...]
    warns: tuple[Caution, ...]
    enums: dict[str, tuple[str, ...]]
    fields: dict[str, Entry]

    def tops(self, of: str) -> tuple[str, ...]:
        """The resources whose fields may be asked of a resource, itself first."""
        return of, *self.resources[of].joined


_CATALOG = msgspec.json.Decoder(Catalog)


@cache
def catalog() -> Catalog:
    return _CATALOG.decode(files("google_pipeline").joinpath("catalog.json").read_bytes())


def fits(name: str, patterns: tuple[str, ...]) -> bool:
    """Whether a name is one of the patterns."""
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def listed() -> FieldsLine:
    """Every field, as `supervisor fields` shows it."""
    known = catalog()
    fields = [each for path, entry in known.fields.items() for each in _listed(known, path, entry)]
    return FieldsLine(of=list(known.resources), fields=fields, source=f"google-ads {known.sdk}, API {known.api}")


def _listed(known: Catalog, path: str, entry: Entry) -> Iterator[ListedField]:
    """A field once for each key of a report that it can stand under."""
    top, _, short = path.partition(".")
    type_, note = As[entry.kind.upper()].type.value, _note(known, entry)
    only = known.only.get(path, ())
    if top == "metrics":
        segments = [each for rule in known.excludes if fits(short, rule.metrics) for each in rule.segments]
        yield ListedField(short, "metrics", type_, note, only, tuple(segments))
    elif top == "segments":
        if short not in GRAINS and entry.kind != "list":
            metrics = [each for rule in known.excludes if short in rule.segments for each in rule.metrics]
            yield ListedField(short, "by", Type.STRING.value, note, only, tuple(metrics))
        if path in known.belongs:
            yield ListedField(short, "attributes", type_, _all(note, f"beside {_either(known.belongs[path])}"), only)
    else:
        of = [name for name in known.resources if top in known.tops(name)]
        if any(path in resource.ids for resource in known.resources.values()):
            others = tuple(name for name in of if path not in known.resources[name].ids)
            if others:
                yield ListedField(path, "by", Type.STRING.value, note, others)
        elif not short.endswith("resource_name"):
            yield ListedField(path, "attributes", type_, note, tuple(of))


def _note(known: Catalog, entry: Entry) -> str:
    values = [each for each in known.enums.get(entry.enum, ()) if each != "UNKNOWN"]
    more = f" and {len(values) - _SHOWN} more" if len(values) > _SHOWN else ""
    return _all(entry.note, ", ".join(values[:_SHOWN]) + more, entry.since and f"from API {entry.since} on")


def _all(*notes: str) -> str:
    return "; ".join(filter(None, notes))


def _either(belongs: tuple[tuple[str, ...], ...]) -> str:
    return " or ".join(" and ".join(ids) for ids in belongs)
