"""The queries of the views that divide campaigns, made of the tables that there are.

A part is read, summed up to the levels that its view names, and given its account: three queries, one in the other.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain

from attrs import frozen

from supervisor.sinks.breakdowns import BREAKDOWNS
from supervisor.sinks.breakdowns.definition import ALL_MEASURES, Breakdown, Lookup, Part
from supervisor.sinks.unified import SOURCES, Source, account_columns, measured

_FINAL = "is_final"
_NOTHING = "CAST(NULL AS VARCHAR)"


def breakdown_views(columns: Mapping[str, set[str]], *, types: Mapping[str, str] | None = None) -> dict[str, str]:
    """View name -> query, for the tables that exist; as `unified_views`.

    A platform without the table is not in the view, and a view without platforms is not there.
    """
    kinds = {name: (types or {}).get(kind, kind) for name, kind in ALL_MEASURES.items()}
    views = {}
    for view in BREAKDOWNS:
        queries = [_part(view, part, _there(part, columns), kinds) for part in view.parts]
        if any(queries):
            views[view.name] = "\nUNION ALL\n".join(filter(None, queries))
    return views


@frozen
class _Tables:
    """What there is of a part's tables: the columns of its own, and with their alias those of the joined ones.

    `days` is the query of the campaigns' days that another table has.
    """

    columns: set[str]
    has_account: bool
    lookups: tuple[Lookup, ...]
    days: str


def _there(part: Part, columns: Mapping[str, set[str]]) -> _Tables:
    def of(table: str) -> set[str]:
        return columns.get(f"{part.platform}.{table}", set())

    lookups = tuple(each for each in part.lookups if of(each.table).issuperset(each.needs))
    joined = (f"{each.alias}.{name}" for each in lookups for name in each.needs)
    source = SOURCES[part.platform]
    place = _place(source)
    other = part.unless if of(part.unless).issuperset(place) else ""
    days = f"SELECT DISTINCT {', '.join(place)} FROM {part.platform}.{other}" if other else ""
    return _Tables(of(part.table).union(joined), bool(of(source.account_table)), lookups, days)


def _place(source: Source) -> tuple[str, ...]:
    return ("account_id", f"{source.levels['campaign']}_id", "date")


def _part(view: Breakdown, part: Part, tables: _Tables, kinds: Mapping[str, str]) -> str | None:
    needed = {"account_id", "date", *chain.from_iterable(part.dimensions[name][-1].needs for name in view.dividing)}
    needed.update(part.where.needs if part.where else ())
    if not tables.has_account or not tables.columns.issuperset(needed):
        return None
    source = SOURCES[part.platform]
    chosen = account_columns(part.platform, source, "g") + [f"g.{name}" for name in view.texts]
    for name in view.measures:
        chosen.append(f"g.{name} = 1 AS {name}" if name == _FINAL else f"CAST(g.{name} AS {kinds[name]}) AS {name}")
    return (
        f"SELECT {', '.join(chosen)} FROM (\n{_summed(view, _read(view, part, tables, kinds))}\n) g "
        f"LEFT JOIN {part.platform}.{source.account_table} a ON a.account_id = g.account_id"
    )


def _read(view: Breakdown, part: Part, tables: _Tables, kinds: Mapping[str, str]) -> str:
    """The rows of the table, with the view's names."""
    source = SOURCES[part.platform]
    chosen = ["d.account_id", "d.date"]
    for level in view.levels:
        id_, name = (f"{source.levels[level]}_{what}" for what in ("id", "name"))
        chosen.append(f"coalesce(d.{id_}, '') AS {level}_id" if id_ in tables.columns else f"'' AS {level}_id")
        chosen.append(f"{f'd.{name}' if name in tables.columns else _NOTHING} AS {level}_name")
    for dimension in view.dimensions:
        ways = part.dimensions.get(dimension.name, ())
        found = next((way.expression for way in ways if tables.columns.issuperset(way.needs)), _NOTHING)
        # Not cast: Vertica would cut the text at the 80 octets of its VARCHAR.
        chosen.append(f"{found} AS {dimension.name}")
    for name in view.measures:
        measure = part.measures.get(name, source.measures.get(name))
        chosen.append(measured(measure, name, kinds[name], tables.columns))
    joins = [f" LEFT JOIN {part.platform}.{each.table} {each.alias} ON {each.on}" for each in tables.lookups]
    conditions = [f"({part.where.expression})"] if part.where else []
    if tables.days:
        joins.append(
            f" LEFT JOIN ({tables.days}) u ON {' AND '.join(f'u.{name} = d.{name}' for name in _place(source))}"
        )
        conditions.append("u.account_id IS NULL")
    where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
    return f"SELECT {', '.join(chosen)} FROM {part.platform}.{part.table} d{''.join(joins)}{where}"


def _summed(view: Breakdown, read: str) -> str:
    """A row is final when all are that it is made of; the names of what a key means are the same in all of them."""
    keys = ("account_id", "date", *(f"{level}_id" for level in view.levels), *view.dividing)
    chosen = [name if name in keys else f"max({name}) AS {name}" for name in ("account_id", "date", *view.texts)]
    for name in view.measures:
        sum_ = f"min(CASE WHEN {name} THEN 1 ELSE 0 END)" if name == _FINAL else f"sum({name})"
        chosen.append(f"{sum_} AS {name}")
    return f"SELECT {', '.join(chosen)} FROM (\n{read}\n) r GROUP BY {', '.join(keys)}"
