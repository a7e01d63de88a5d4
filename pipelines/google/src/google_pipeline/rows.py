"""From a page's bytes to rows: for each query a message class with nothing but its fields, and a compiled converter.

`GoogleAdsRow` has hundreds of fields, and decoding one costs 7 KB and 4 us whatever was selected. A class that has only
the selected fields, under the same numbers, reads the same bytes in a fraction of that. The converter is one generated
loop per query, because a generic walk over fields is several times slower than the rest of the pipeline.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor

from google_pipeline.queries import As, Field, Query
from wire import Kind, PipelineError, from_micros

Convert = Callable[[Sequence[Any], str, str | None, str], Iterator[dict[str, Any]]]
"""(rows of a page, account id, its currency, its today as ISO text) -> rows for the wire."""

_serial = itertools.count()

_ABSENT = -(2**63)
_ABSENT_READS = {FieldDescriptor.TYPE_INT64: str(_ABSENT), FieldDescriptor.TYPE_DOUBLE: "nan"}
"""What an absent number reads as, because asking each field for its presence would be most of the work."""

_LOOP = """
def convert(rows, account_id, currency_code, today):
    for row in rows:
{body}
"""


def steps(row: Descriptor, path: str) -> list[FieldDescriptor]:
    """The fields along a GAQL path; a name that is a word of Python, such as `type`, has a trailing underscore here."""
    found, message = [], row
    for name in path.split("."):
        fields = message.fields_by_name if message is not None else {}
        field = fields.get(name) or fields.get(f"{name}_")
        if field is None:
            raise PipelineError(
                Kind.CONFIG, f"this API version has no field {path}; set api_version to a version that has it"
            )
        found.append(field)
        message = field.message_type
    return found


def page_class(query: Query, response: Descriptor) -> Any:
    """A message class that decodes a `SearchGoogleAdsStreamResponse`, but only the fields of `query`."""
    file = descriptor_pb2.FileDescriptorProto(name=f"page{next(_serial)}.proto", package="page", syntax="proto2")
    tree: dict[str, Any] = {}
    for path in query.paths:
        node = tree
        for name in path.split("."):
            node = node.setdefault(name, {})
    results = response.fields_by_name["results"]
    top = file.message_type.add(name="Page")
    top.field.add(name="results", number=results.number, type=results.type, label=3, type_name=".page.Row")
    _describe(file, "Row", results.message_type, tree)
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return message_factory.GetMessageClass(pool.FindMessageTypeByName("page.Page"))


def _describe(file: Any, name: str, full: Descriptor, tree: dict[str, Any]) -> None:
    message = file.message_type.add(name=name)
    for child, below in tree.items():
        field = steps(full, child)[0]
        slim = message.field.add(
            name=field.name, number=field.number, type=field.type, label=3 if field.is_repeated else 1
        )
        if field.message_type is not None:
            slim.type_name = f".page.{name}_{field.name}"
            _describe(file, f"{name}_{field.name}", field.message_type, below)
        elif field.enum_type is not None:
            slim.type = FieldDescriptor.TYPE_INT32  # the same varint, without the SDK's 400 enum files
        elif field.has_presence and field.type in _ABSENT_READS:
            slim.default_value = _ABSENT_READS[field.type]


class _Names(dict[int, str | None]):
    """The names of an enum's numbers; 0 means that Google sent none."""

    def __missing__(self, number: int) -> str:
        name = self[number] = f"UNKNOWN_{number}"
        return name


def converter(query: Query, row: Descriptor) -> Convert:
    """Compile the loop that turns messages of `page_class` into rows. Absent values become None, never 0."""
    scope: dict[str, Any] = {"from_micros": from_micros, "ABSENT": _ABSENT}
    locals_of: dict[tuple[str, ...], str] = {(): "row"}
    before: list[str] = []
    items = [] if query.shared else ["'account_id': account_id"]

    def local(path: tuple[str, ...]) -> str:
        if path not in locals_of:
            parent = local(path[:-1])
            locals_of[path] = f"m{len(locals_of)}"
            before.append(f"{locals_of[path]} = {parent}.{path[-1]}")
        return locals_of[path]

    for index, field in enumerate(query.fields):
        along = steps(row, field.path)
        parent, leaf = local(tuple(each.name for each in along[:-1])), along[-1]
        if leaf.enum_type is not None:
            scope[f"names{index}"] = _names(query, field, leaf)
        lines, expression = _value(query, field, index, f"{parent}.{leaf.name}", leaf)
        before += lines
        items.append(f"{field.column!r}: {expression}")
    if query.daily:
        day = next(index for index, field in enumerate(query.fields) if field.column == "date")
        over = f"v{day}[:7] < today[:7]" if query.is_monthly else f"v{day} < today"
        items += ["'currency_code': currency_code", f"'is_final': {over}"]
    body = "\n".join(f"        {line}" for line in [*before, f"yield {{{', '.join(items)}}}"])
    source = _LOOP.format(body=body)
    exec(compile(source, f"<rows of {query.name}>", "exec"), scope)  # noqa: S102 - made of declared names only
    convert: Convert = scope["convert"]
    return convert


def _empty(query: Query, field: Field) -> str | None:
    """What stands for an absent value: a report of the user's own may be divided by what some rows do not have."""
    return "" if query.is_divided and field.column in query.key else None


def _value(query: Query, field: Field, index: int, access: str, leaf: FieldDescriptor) -> tuple[list[str], str]:
    """The statements that fetch a value into `v<index>`, and the expression for the column."""
    name, parent = f"v{index}", access.rpartition(".")[0]
    if field.kind is As.LIST:
        return [], f"[names{index}[each] for each in {access}]" if leaf.enum_type is not None else f"list({access})"
    if field.kind is As.ENUM:
        return [], f"names{index}[{access}]"
    if field.kind is As.DAY:
        return [f"{name} = {access}"], name
    made = {
        As.ID: f"str({name})",
        As.WORD: f"'true' if {name} else 'false'",
        As.AVERAGE: f"{name} / 1000000",
        # Never through a float: that is the point of micros.
        As.MICROS: f"f'{{{name} // 1000000}}.{{{name} % 1000000:06d}}' if {name} >= 0 else from_micros({name})",
    }.get(field.kind, name)
    if not leaf.has_presence or (field.kind in (As.TEXT, As.INTEGER) and field.column in query.key):
        return [f"{name} = {access}"], made
    absent = {FieldDescriptor.TYPE_DOUBLE: f"{name} != {name}", FieldDescriptor.TYPE_INT64: f"{name} == ABSENT"}.get(
        leaf.type, f"not {name} and not {parent}.HasField({leaf.name!r})"
    )
    lines = [f"{name} = {access}", f"if {absent}: {name} = None"]
    return lines, made if made == name else f"{_empty(query, field)!r} if {name} is None else {made}"


def _names(query: Query, field: Field, leaf: FieldDescriptor) -> _Names:
    names = _Names({value.number: value.name for value in leaf.enum_type.values})
    if query.is_divided or field.column not in query.key:
        names[0] = _empty(query, field)
    return names
