"""Environment variables declared as fields of attrs classes: name, type, default and one sentence, in one place.

Reading, the errors and the table in docs/configuration.md all come from the declarations.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeVar, get_type_hints

import attrs
from attrs import frozen

from supervisor.config.credentials import value_of
from supervisor.config.errors import ConfigError
from supervisor.config.structuring import Parsed, structure

T = TypeVar("T")
_KEY = "variable"


@frozen(kw_only=True)
class Variable:
    """One variable: `values` is what it takes, `shown` its default, both in Markdown."""

    name: str
    values: str
    shown: str
    meaning: str


def declared(
    name: str,
    meaning: str,
    *,
    default: Any = attrs.NOTHING,
    shown: str | None = None,
    secret: bool = False,
    **more: Any,
) -> Any:
    """A field that the variable `name` fills. `shown` describes a default that depends on something else."""
    return attrs.field(default=default, repr=not secret, metadata={_KEY: (name, meaning, shown, secret)}, **more)


def variables_of(cls: type[Any]) -> Iterator[Variable]:
    """What the fields of a class declare, in their order."""
    hints = get_type_hints(cls, include_extras=True)
    for field in attrs.fields(cls):
        if _KEY in field.metadata:
            name, meaning, shown, secret = field.metadata[_KEY]
            values = "secret" if secret else _values(hints[field.name])
            yield Variable(name=name, values=values, shown=shown or _shown(field.default), meaning=meaning)


def read_declared(cls: type[T], environ: Mapping[str, str], findings: list[str], why: str = "") -> T | None:
    """The class from its variables, or None where one is wrong; `why` says who needs those that are missing."""
    names = {field.name: field.metadata[_KEY][0] for field in attrs.fields(cls) if _KEY in field.metadata}  # type: ignore[arg-type]  # every caller has an attrs class
    raw: dict[str, str] = {}
    unreadable = set()
    for key, name in names.items():
        try:
            value = value_of(name, environ)
        except ConfigError as error:
            findings.extend(error.findings)
            unreadable.add(key)
        else:
            if value is not None:
                raw[key] = value
    try:
        made = structure(raw, cls)
    except ConfigError as error:
        for finding in error.findings:
            key, _, sentence = finding.partition(": ")
            if sentence != "is missing":
                findings.append(f"{names[key]}: {sentence}")
            elif key not in unreadable:
                findings.append(f"{names[key]} is not set, and {why} needs it")
        return None
    return None if unreadable else made


def _values(hint: Any) -> str:
    marks = [mark for mark in getattr(hint, "__metadata__", ()) if isinstance(mark, Parsed)]
    for inner in getattr(hint, "__args__", ()):
        marks += [mark for mark in getattr(inner, "__metadata__", ()) if isinstance(mark, Parsed)]
    return marks[0].described if marks else "text"


def _shown(default: Any) -> str:
    match default:
        case attrs.NOTHING:
            return "required"
        case None:
            return "unset"
        case "" | ():
            return "empty"
        case bool():
            return f"`{str(default).lower()}`"
        case float():
            return f"`{default:g}`"
        case _:
            return f"`{default}`"
