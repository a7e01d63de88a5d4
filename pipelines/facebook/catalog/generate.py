"""Makes the catalog of what reports can ask for, of the installed SDK's enums and of facts.toml.

Run it in the pipeline's environment after an upgrade of the SDK; what is new in it becomes a metric that is a text,
until facts.toml says more: .venvs/facebook/bin/python pipelines/facebook/catalog/generate.py
"""

from __future__ import annotations

import fnmatch
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

import msgspec
from facebook_business.adobjects.adsinsights import AdsInsights

from facebook_pipeline.catalog import FILE, HOUR, PACKAGE, Breakdown, Catalog, Field, Retention
from facebook_pipeline.insights import HOURS, METRICS
from wire import Type

FACTS = Path(__file__).with_name("facts.toml")
_LIST, _JSON = "list<AdsActionStats>", ("list<Object>", "list<AdsHistogramStats>")
_SOURCE = Path(__file__).resolve().parents[1] / "src" / "facebook_pipeline" / FILE.name


def generated() -> Catalog:
    facts = tomllib.loads(FACTS.read_text(encoding="utf-8"))
    fields = tuple(_fields(facts))
    permutations = tuple(tuple(map(_named, each)) for each in facts["permutations"]["documented"])
    documented = list(dict.fromkeys(name for each in permutations for name in each))
    known = {_named(each) for each in _words(AdsInsights.Breakdowns)}
    names = [field.name for field in fields if not field.reads]
    return Catalog(
        package=PACKAGE,
        version=metadata.version(PACKAGE),
        documentation=facts["documentation"],
        levels={name: tuple(ids) for name, ids in facts["levels"].items()},
        given=tuple(facts["given"]["fields"]),
        breakdowns=tuple(_breakdown(name, facts, names) for name in documented if name in known),
        undocumented=tuple(sorted(known - set(documented))),
        permutations=permutations,
        fields=fields,
        off_meta=(*_matching(facts["off_meta"]["fields"], names), *facts["off_meta"]["counted"]),
        retention=tuple(
            Retention(
                each["months"],
                tuple(_matching(each["by"], documented)),
                () if each["fields"] == ["*"] else tuple(_matching(each["fields"], names)),
            )
            for each in facts["retention"]
        ),
        operators=tuple(facts["filtering"]["operators"]),
        operators_of_lists=tuple(facts["filtering"]["of_lists"]),
    )


def _fields(facts: Mapping[str, Any]) -> Iterator[Field]:
    """The fields of insights, then the columns that the built-in tables count of lists of actions."""
    kinds = AdsInsights._field_types
    own = {each.column.name: each for each in METRICS}
    levels = list(facts["levels"])
    for name in sorted(set(_words(AdsInsights.Field)) - set(facts["given"]["fields"])):
        column = own[name].column if name in own and own[name].fields == (name,) else None
        role, of, needs = _role(name, facts, levels)
        kind = kinds.get(name, "string")
        told = Type.DECIMAL if kind == _LIST else Type.JSON if kind in _JSON else _type(name, facts)
        yield Field(
            name=name,
            role=role,
            type=column.type if column and kind != _LIST else told,
            note=facts["notes"].get(name) or (column.note if column else ""),
            of=of,
            needs=needs,
            is_list=kind == _LIST,
        )
    sdk = set(kinds)
    for name, each in own.items():
        if name not in sdk:
            yield Field(name=name, role="metrics", type=each.column.type, note=each.column.note, reads=each.fields)


def _role(name: str, facts: Mapping[str, Any], levels: list[str]) -> tuple[str, tuple[str, ...], str]:
    if needs := facts["attributes_of_breakdowns"].get(name):
        return "attributes", (), needs
    for level, names in facts["attributes"].items():
        if name in names:
            return "attributes", tuple(levels[levels.index(level) :]) if level != "account" else (), ""
    of = tuple(level for level, names in facts["metrics_of"].items() if name in names)
    return "metrics", of, ""


def _type(name: str, facts: Mapping[str, Any]) -> Type:
    for kind, patterns in facts["types"].items():
        if _matching(patterns, [name]):
            return Type(kind)
    return Type.STRING


def _breakdown(name: str, facts: Mapping[str, Any], fields: list[str]) -> Breakdown:
    only: dict[str, None] = {}
    excludes: dict[str, None] = {}
    for each in facts["exclusions"]:
        if _matching(each["by"], [name]):
            only |= dict.fromkeys(each.get("only", ()))
            excludes |= dict.fromkeys(_matching(each.get("fields", ()), fields))
    lacks = [what for what in ("absent", "undivided") if _matching(facts["off_meta"][what], [name])]
    return Breakdown(
        name=name,
        note=facts["notes"].get(name, ""),
        only=tuple(only),
        excludes=tuple(excludes),
        lacks=lacks[0] if lacks else "",
        not_of=tuple(level for level, names in facts["not_of"].items() if name in names),
        slow=name in facts["asynchronous"]["by"],
    )


def _matching(patterns: Iterable[str], names: Iterable[str]) -> list[str]:
    known = [*patterns]
    return [name for name in names if any(fnmatch.fnmatchcase(HOURS if name == HOUR else name, p) for p in known)]


def _words(enum: type) -> list[str]:
    return [value for name, value in vars(enum).items() if not name.startswith("_") and isinstance(value, str)]


def _named(breakdown: str) -> str:
    return HOUR if breakdown == HOURS else breakdown


def text(catalog: Catalog) -> str:
    """One line for each thing that has a name, so that the difference between two versions can be read."""
    lines = []
    for name, value in msgspec.to_builtins(catalog).items():
        if isinstance(value, list | tuple) and value and isinstance(value[0], dict | list | tuple):
            inner = ",\n".join(f"  {msgspec.json.encode(each).decode()}" for each in value)
            lines.append(f'"{name}": [\n{inner}\n]')
        else:
            lines.append(f'"{name}": {msgspec.json.encode(value).decode()}')
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    _SOURCE.write_text(text(generated()), encoding="utf-8")
