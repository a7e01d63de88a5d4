"""Several requests in one: `POST /` with `batch`, whose parts succeed and fail each by itself ("Batch Requests")."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from sandbox.facebook.graph import Graph
from sandbox.facebook.parameters import Params, json_of
from sandbox.facebook.refusals import GraphError

LARGEST = 50


def run_batch(graph: Graph, path: Sequence[str], params: Params) -> str:
    """The JSON text of a batch's answer: one object for each part, in order, whose body is a text."""
    parts = json_of(params, "batch", [])
    if not isinstance(parts, list) or not parts:
        raise GraphError(100, "(#100) Param batch must be an array of requests")
    if len(parts) > LARGEST:
        raise GraphError(100, f"(#100) Too many requests in batch message. Maximum batch size is {LARGEST}")
    return json.dumps([_answered(graph, path, params, part) for part in parts])


def _answered(graph: Graph, path: Sequence[str], params: Params, part: Mapping[str, Any]) -> dict[str, Any]:
    url = urlsplit(str(part.get("relative_url", "")))
    own = {
        "access_token": params["access_token"],
        **dict(parse_qsl(url.query, keep_blank_values=True)),
        **dict(parse_qsl(str(part.get("body", "")), keep_blank_values=True)),
    }
    named = [each for each in url.path.split("/") if each]
    # A part may name the version itself, and otherwise has that of the whole.
    if not named or named[0] not in path[:1]:
        named = [*path[:1], *named]
    try:
        status, body = 200, graph.answer(str(part.get("method", "GET")), named, own)
    except GraphError as refusal:
        status, body = refusal.status, json.dumps(refusal.body)
    headers = [{"name": "Content-Type", "value": "application/json; charset=UTF-8"}]
    return {"code": status, "headers": headers, "body": body}
