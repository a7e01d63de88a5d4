"""Answers in LinkedIn's form, and refusals as an exception that carries one."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

HTML = "<!DOCTYPE html><html><head><title>LinkedIn</title></head><body><h1>{}</h1></body></html>"


@dataclass(frozen=True, slots=True)
class Reply:
    """Status, body and content type of one answer."""

    status: int
    body: bytes
    content_type: str = "application/json"
    location: str = ""


class RefusalError(Exception):
    """Carries the reply that says no."""

    def __init__(self, reply: Reply) -> None:
        super().__init__(reply.status)
        self.reply = reply


def ok(value: Any) -> Reply:
    return Reply(200, json.dumps(value, ensure_ascii=False).encode())


def page(status: int, text: str) -> Reply:
    """An HTML page, as proxies and edge servers send."""
    return Reply(status, HTML.format(text).encode(), "text/html; charset=utf-8")


def error(status: int, code: str, message: str, service_code: int = 100) -> Reply:
    """The error object of the REST API."""
    content = {"status": status, "serviceErrorCode": service_code, "code": code, "message": message}
    return Reply(status, json.dumps(content).encode())


def oauth_error(status: int, name: str, description: str) -> Reply:
    """The error object of the token endpoint."""
    return Reply(status, json.dumps({"error": name, "error_description": description}).encode())


def refuse(status: int, code: str, message: str) -> RefusalError:
    return RefusalError(error(status, code, message))


def refuse_parameter(name: str, code: str, description: str) -> RefusalError:
    """The error object with `errorDetails`, in which a parameter is named that was not accepted."""
    content = {
        "errorDetailType": "com.linkedin.common.error.BadRequest",
        "message": "Invalid param. Please see errorDetails for more information.",
        "errorDetails": {
            "inputErrors": [
                {"description": description, "input": {"inputPath": {"fieldPath": name}}, "code": code},
            ]
        },
        "status": 400,
    }
    return RefusalError(Reply(400, json.dumps(content).encode()))


def only(given: dict[str, Any], *known: str) -> None:
    """Refuse the first parameter that a resource does not have."""
    for name in given:
        if name not in known:
            raise refuse_parameter(name, "QUERY_PARAM_NOT_ALLOWED", "Invalid query parameters passed to request")
