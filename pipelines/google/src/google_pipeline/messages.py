"""Google's messages as far as this pipeline reads and writes them: the same numbers, types and names, and nothing else.

The SDK's own cost more than a second of CPU time, at the start or at the first failure, because `GoogleAdsRow` has a
field for every resource and so brings a thousand modules. `messages.json` and `failures.json` hold what is used of
them; `python -m google_pipeline.pruned` makes them from the SDK, and a test compares them with it.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from importlib import import_module, resources
from typing import Any

from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory
from google.protobuf.descriptor import Descriptor

from google_pipeline.rows import steps
from wire import PipelineError

PACKAGE = "google_ads"


def message(name: str) -> Any:
    """The class of a message of the calls, by Google's name for it."""
    return _class(name, "messages.json")


def failure() -> Any:
    """The class of `GoogleAdsFailure`."""
    return _class("GoogleAdsFailure", "failures.json")


def pages(paths: Iterable[str], version: str) -> Descriptor:
    """`SearchGoogleAdsStreamResponse` with these fields of its rows: the SDK's own where ours lacks one."""
    ours: Descriptor = message("SearchGoogleAdsStreamResponse").DESCRIPTOR
    try:
        for path in paths:
            steps(ours, f"results.{path}")
    except PipelineError:
        types = import_module(f"google.ads.googleads.{version}.services.types.google_ads_service")
        full: Descriptor = types.SearchGoogleAdsStreamResponse.pb().DESCRIPTOR
        return full
    return ours


def _class(name: str, file: str) -> Any:
    return message_factory.GetMessageClass(_pool(file).FindMessageTypeByName(f"{PACKAGE}.{name}"))


@cache
def _pool(name: str) -> descriptor_pool.DescriptorPool:
    text = resources.files("google_pipeline").joinpath(name).read_text(encoding="utf-8")
    file = json_format.Parse(text, descriptor_pb2.FileDescriptorProto())
    pool = descriptor_pool.DescriptorPool()
    pool.AddSerializedFile(file.SerializeToString())
    return pool
