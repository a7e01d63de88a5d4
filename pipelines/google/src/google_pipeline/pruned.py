"""Makes `messages.json` and `failures.json` from the SDK, for when that or a query has changed.

`python -m google_pipeline.pruned` writes them, and with `--check` exits with 1 where one is not what it would write.
What the SDK's versions have is put together; they may not contradict each other.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

from google.protobuf import descriptor_pb2, json_format
from google.protobuf.descriptor import Descriptor, EnumDescriptor, FieldDescriptor

from google_pipeline.accounts import CLIENTS
from google_pipeline.messages import PACKAGE
from google_pipeline.rows import steps
from google_pipeline.settings import VERSIONS
from google_pipeline.tables import CAMPAIGNS_TOTAL, QUERIES

ALL = "*"
"""In place of the last name of a path: every field of that message."""
FILES: Mapping[str, Mapping[str, Iterable[str]]] = {
    "messages": {
        "services.types.google_ads_service.SearchGoogleAdsStreamRequest": ("customer_id", "query"),
        "services.types.google_ads_service.SearchGoogleAdsStreamResponse": tuple(
            sorted({f"results.{path}" for query in (*QUERIES, CAMPAIGNS_TOTAL, CLIENTS) for path in query.paths})
        ),
        "services.types.google_ads_service.SearchGoogleAdsRequest": (
            "customer_id",
            "query",
            "validate_only",
            "search_settings.omit_results",
            "search_settings.return_total_results_count",
        ),
        "services.types.google_ads_service.SearchGoogleAdsResponse": ("total_results_count",),
        "services.types.customer_service.ListAccessibleCustomersRequest": (),
        "services.types.customer_service.ListAccessibleCustomersResponse": ("resource_names",),
    },
    "failures": {
        "errors.types.errors.GoogleAdsFailure": (
            "request_id",
            "errors.message",
            f"errors.error_code.{ALL}",
            "errors.details.unpublished_error_code",
            "errors.details.quota_error_details.rate_scope",
            "errors.details.quota_error_details.retry_delay.seconds",
            "errors.details.quota_error_details.retry_delay.nanos",
        )
    },
}
"""File -> module and message of the SDK -> the paths of the fields that are read or written."""


def main() -> None:
    stale = []
    for name, used in FILES.items():
        path, text = Path(__file__).with_name(f"{name}.json"), _pruned(used)
        if sys.argv[1:] != ["--check"]:
            path.write_text(text, encoding="utf-8")
        elif not path.exists() or path.read_text(encoding="utf-8") != text:
            stale.append(path.name)
    if stale:
        sys.exit(f"{' and '.join(stale)}: not what python -m google_pipeline.pruned makes of SDK and queries; run it")


def _pruned(used: Mapping[str, Iterable[str]]) -> str:
    """What is used, as the JSON of a FileDescriptorProto with one message in each line."""
    pruning = _Pruning()
    for version in VERSIONS:
        for name, paths in used.items():
            module, _, message = name.rpartition(".")
            types = import_module(f"google.ads.googleads.{version}.{module}")
            pruning.add(getattr(types, message).pb().DESCRIPTOR, paths)
    file = json_format.MessageToDict(pruning.file())
    messages = ",\n".join(json.dumps(each) for each in file.pop("messageType"))
    return f'{json.dumps(file)[:-1]}, "messageType": [\n{messages}\n]}}\n'


class _Pruning:
    """Fields as they are asked for, below the messages that they belong to."""

    def __init__(self) -> None:
        self._fields: dict[str, dict[str, FieldDescriptor]] = {}
        self._enums: dict[str, dict[int, str]] = {}
        self._homes: dict[str, str] = {}

    def add(self, message: Descriptor, paths: Iterable[str]) -> None:
        self._fields.setdefault(self._name(message), {})
        for path in paths:
            parent, _, last = path.rpartition(".")
            if last != ALL:
                self._add_path(message, path)
                continue
            for field in steps(message, parent)[-1].message_type.fields:
                self._add_path(message, f"{parent}.{field.name}")

    def file(self) -> Any:
        file = descriptor_pb2.FileDescriptorProto(name="google_ads.proto", package=PACKAGE, syntax="proto3")
        # The names of an enum's values are unique within a message, not within the package.
        holders = {name.partition(".")[0] for name in self._enums}
        made = {name: file.message_type.add(name=name) for name in sorted(holders | set(self._fields))}
        for name, fields in self._fields.items():
            message = made[name]
            ordered = sorted(fields.values(), key=lambda each: each.number)
            for group in dict.fromkeys(_group(field) for field in ordered):
                if group:
                    message.oneof_decl.add(name=group)
            for field in ordered:
                self._describe(message, field)
        for name, values in sorted(self._enums.items()):
            holder, _, own = name.partition(".")
            enum = made[holder].enum_type.add(name=own)
            for number, value in values.items():
                enum.value.add(name=value, number=number)
        return file

    def _add_path(self, message: Descriptor, path: str) -> None:
        for field in steps(message, path):
            known = self._fields.setdefault(self._name(field.containing_type), {}).setdefault(field.name, field)
            _agree(f"the field {field.full_name}", (known.number, known.type), (field.number, field.type))
            if field.enum_type is not None:
                values = self._enums.setdefault(self._name(field.enum_type), {})
                for value in field.enum_type.values:
                    _agree(f"{field.enum_type.full_name}", values.setdefault(value.number, value.name), value.name)

    def _describe(self, message: Any, field: FieldDescriptor) -> None:
        made = message.field.add(name=field.name, number=field.number, type=field.type)
        made.label = made.LABEL_REPEATED if field.is_repeated else made.LABEL_OPTIONAL
        kind = field.message_type or field.enum_type
        if kind is not None:
            made.type_name = f".{PACKAGE}.{self._name(kind)}"
        if group := _group(field):
            made.oneof_index = [each.name for each in message.oneof_decl].index(group)
        elif field.has_presence and field.message_type is None:
            made.proto3_optional = True
            made.oneof_index = len(message.oneof_decl)
            message.oneof_decl.add(name=f"_{field.name}")

    def _name(self, kind: Descriptor | EnumDescriptor) -> str:
        """Its name without the package, and for an enum with that of the message around it."""
        name = f"{kind.containing_type.name}.{kind.name}" if isinstance(kind, EnumDescriptor) else str(kind.name)
        # google.ads.googleads.v26.resources -> resources
        home = kind.file.package.rpartition(".")[2]
        _agree(f"the message {name}", self._homes.setdefault(name, home), home)
        return name


def _group(field: FieldDescriptor) -> str | None:
    """The fields of which one at most is set, by their common name; a field that may be absent is no such group."""
    group = field.containing_oneof
    return str(group.name) if group is not None and group.name != f"_{field.name}" else None


def _agree(what: str, one: object, other: object) -> None:
    if one != other:
        raise ValueError(f"{what} is {one} here and {other} there; give each version files of its own")


if __name__ == "__main__":
    main()
