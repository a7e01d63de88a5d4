"""Plain values into attrs classes: nothing is converted silently, and every error is named by its path, all at once."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Annotated, Any, TypeVar, get_args, get_origin

import attrs
from attrs import frozen

from supervisor.config.errors import ConfigError
from supervisor.config.spelling import meant
from supervisor.config.units import shown

if TYPE_CHECKING:
    from cattrs import Converter

T = TypeVar("T")


@frozen
class Parsed:
    """Marks a type, in `Annotated`, whose values come from `parse`; it raises ValueError with the sentence to show.

    `described` is what it takes, in Markdown, where a table shows it.
    """

    parse: Callable[[Any], Any]
    described: str = "text"


def structure(raw: object, cls: type[T]) -> T:
    """`raw` as an instance of `cls`; raises ConfigError with one `path: reason` for each thing that is wrong."""
    from cattrs import BaseValidationError  # noqa: PLC0415 - `supervisor --help` must not pay for it

    try:
        return _converter().structure({} if raw is None else raw, cls)
    except (BaseValidationError, TypeError, ValueError) as error:
        raise ConfigError(_findings(error, "")) from error


@cache
def _converter() -> Converter:
    from cattrs import Converter  # noqa: PLC0415 - see above

    converter = Converter(forbid_extra_keys=True, detailed_validation=True)
    for kind, name in ((str, "a text"), (bool, "true or false"), (int, "a whole number")):
        converter.register_structure_hook(kind, _exactly(kind, name))
    converter.register_structure_hook(float, _number)
    converter.register_structure_hook_factory(attrs.has, lambda cls: _mapping_first(converter, cls))
    converter.register_structure_hook_factory(_is_tuple, lambda cls: _list_first(converter, cls))
    converter.register_structure_hook_factory(_is_parsed, lambda cls: _parsed(cls.__metadata__[0].parse))
    return converter


def _exactly(kind: type, name: str) -> Callable[[object, object], Any]:
    def hook(value: object, _: object) -> Any:
        if type(value) is not kind:
            raise ValueError(f"expected {name}, got {shown(value)}{_hint(value, kind)}")
        return value

    return hook


def _hint(value: object, kind: type) -> str:
    if kind is str and isinstance(value, bool):
        return "; YAML reads an unquoted on, off, yes or no as true or false, so put it in quotes"
    return "; put it in quotes" if kind is str and isinstance(value, int | float) else ""


def _number(value: object, _: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise ValueError(f"expected a number, got {shown(value)}")
    return float(value)


def _is_tuple(kind: object) -> bool:
    return get_origin(kind) is tuple


def _is_parsed(kind: object) -> bool:
    return get_origin(kind) is Annotated and any(isinstance(mark, Parsed) for mark in get_args(kind)[1:])


def _parsed(parse: Callable[[object], Any]) -> Callable[[object, object], Any]:
    return lambda value, _: parse(value)


def _mapping_first(converter: Converter, cls: Any) -> Callable[[Any, object], Any]:
    from cattrs.gen import make_dict_structure_fn  # noqa: PLC0415 - see above

    inner = make_dict_structure_fn(cls, converter, _cattrs_forbid_extra_keys=True)

    def hook(value: Any, _: object) -> Any:
        if value is not None and not isinstance(value, Mapping):
            raise ValueError(f"expected a mapping of keys to values, got {shown(value)}")
        return inner(value or {}, cls)

    return hook


def _list_first(converter: Converter, cls: Any) -> Callable[[Any, object], Any]:
    """A text is iterable too: without this look `dependencies: google` would be six dependencies."""
    item = get_args(cls)[0]

    def hook(value: Any, _: object) -> Any:
        if value is not None and not isinstance(value, list | tuple):
            raise ValueError(f"expected a list, got {shown(value)}")
        return tuple(converter.structure(list(value or ()), list[item]))  # type: ignore[valid-type]  # known at run time

    return hook


def _findings(error: BaseException, path: str) -> Iterator[str]:
    from cattrs import AttributeValidationNote, ClassValidationError, IterableValidationError  # noqa: PLC0415 - see above

    if isinstance(error, ClassValidationError | IterableValidationError):
        with_notes, without = error.group_exceptions()
        for inner, note in with_notes:
            step = f".{note.name}" if isinstance(note, AttributeValidationNote) else f"[{note.index}]"
            yield from _findings(inner, path + step)
        for inner in without:
            yield from _findings(inner, path)
    else:
        yield from _sentences(error, path)


def _sentences(error: BaseException, path: str) -> Iterator[str]:
    from cattrs import ForbiddenExtraKeysError  # noqa: PLC0415 - see above

    if isinstance(error, ForbiddenExtraKeysError):
        known = [field.name for field in attrs.fields(error.cl)]
        for key in sorted(map(str, error.extra_fields)):
            yield f"{_at(path, key)}: unknown key; {meant(key, known)}"
    elif isinstance(error, KeyError):
        yield f"{path.lstrip('.')}: is missing"
    else:
        yield f"{path.lstrip('.')}: {error}" if path else str(error)


def _at(path: str, key: str) -> str:
    return f"{path}.{key}".lstrip(".")
