"""What stands under `where` of a report of one's own, as the filter of its request.

A condition is `DeviceType = Computer, Tablet`: a filter of that type of report and the values of which one must be
met. A value with a comma or a quote in it stands in quotes, in which the quote itself is written twice. Values travel
as JSON, so that none of them can become anything else than a value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

from microsoft_pipeline.catalog import ReportType, catalog
from wire import Definition, PipelineError, did_you_mean

_CONDITION = re.compile(r"\s*(\w+)\s*=\s*(.+)")
_VALUE = re.compile(r"""\s*(?:'((?:[^']|'')*)'|"((?:[^"]|"")*)"|([^,'"]+?))\s*(?:(,)|$)""")
_LONGEST = 256


class _WrongError(ValueError):
    """What is wrong with a condition, as the rest of a sentence."""


def read_conditions(definition: Definition, kind: ReportType) -> tuple[dict[str, Any], Sequence[PipelineError]]:
    """The filter that a definition's conditions make together, and everything that is wrong with them."""
    filters: dict[str, Any] = {}
    findings = []
    for condition in definition.where:
        try:
            name, value = _read(condition, definition.of, kind)
            if name in filters:
                raise _WrongError(f"{name} is filtered twice; write all its values in one condition")
            filters[name] = value
        except _WrongError as wrong:
            findings.append(definition.wrong("where", f"{condition!r}: {wrong}"))
    return filters, findings


def _read(condition: str, of: str, kind: ReportType) -> tuple[str, Any]:
    found = _CONDITION.fullmatch(condition)
    if found is None:
        raise _WrongError("expected a filter of the report, =, and its values, as in `DeviceType = Computer, Tablet`")
    names = {each.lower(): each for each in kind.filters}
    name = names.get(found[1].lower())
    if name is None:
        raise _WrongError(f"{of} has no filter {found[1]!r}; {did_you_mean(found[1], kind.filters, shown=20)}")
    return name, _value(name, kind.filters[name], list(_values(found[2])))


def _values(text: str) -> Iterator[str]:
    """The values between commas."""
    at, more = 0, True
    while more:
        found = _VALUE.match(text, at)
        if found is None:
            raise _WrongError(f"cannot be read from {text[at:].strip() or 'its end'!r} on; is a quote missing?")
        single, double, bare, comma = found.groups()
        if bare is not None:
            yield bare
        else:
            yield single.replace("''", "'") if single is not None else double.replace('""', '"')
        at, more = found.end(), comma is not None


def _value(name: str, kind: str, values: Sequence[str]) -> Any:
    """The values as the service's type of filter takes them; flags are one text with commas."""
    most = catalog().most_values.get(name, len(values))
    if len(values) > most:
        raise _WrongError(f"{len(values)} values are more than the {most} that Microsoft takes")
    known = catalog().values.get(kind)
    if known is not None:
        by_lower = {each.lower(): each for each in known}
        for each in values:
            if each.lower() not in by_lower:
                raise _WrongError(f"there is no {name} {each!r}; {did_you_mean(each, known, shown=40)}")
        return ",".join(dict.fromkeys(by_lower[each.lower()] for each in values))
    if kind == "boolean":
        if [each.lower() for each in values] not in (["true"], ["false"]):
            raise _WrongError("expected true or false")
        return values[0].lower() == "true"
    if kind in ("ArrayOfint", "ArrayOflong"):
        bad = [each for each in values if not (each.isascii() and each.isdecimal())]
        if bad:
            raise _WrongError(f"expected whole numbers, got {bad[0]!r}")
        return [int(each) for each in values] if kind == "ArrayOfint" else list(values)
    if any(not each or len(each) > _LONGEST for each in values):
        raise _WrongError(f"expected texts of 1 to {_LONGEST} letters")
    return list(values)
