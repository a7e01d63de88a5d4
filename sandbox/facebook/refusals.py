"""The Graph API's refusals, in its own form; codes and texts as in Meta's error reference and in public reports."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any


class GraphError(Exception):
    """A refusal in the Graph API's own form."""

    def __init__(
        self, code: int, message: str, *, subcode: int | None = None, status: int = 400, transient: bool = False
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body: dict[str, Any] = {
            "error": {
                "message": message,
                "type": "OAuthException",
                "code": code,
                "is_transient": transient,
                "fbtrace_id": "AsandboxTrace",
            }
        }
        if subcode is not None:
            self.body["error"]["error_subcode"] = subcode


def no_such_object(name: str) -> GraphError:
    return GraphError(
        100,
        f"Unsupported get request. Object with ID '{name}' does not exist, cannot be loaded due to missing "
        "permissions, or does not support this operation",
        subcode=33,
    )


def no_such_field(name: str, kind: str) -> GraphError:
    return GraphError(100, f"(#100) Tried accessing nonexisting field ({name}) on node type ({kind})")


def not_one_of(parameter: str, allowed: Iterable[str]) -> GraphError:
    return GraphError(100, f"(#100) {parameter} must be one of the following values: {', '.join(allowed)}")


def too_much_data(*, status: int = 400) -> GraphError:
    """Of a report; the same words without subcode, as HTTP 500, are said of a page."""
    words = "Please reduce the amount of data you're asking for, then retry your request"
    if status == 500:
        return GraphError(1, words, status=500)
    return GraphError(100, f"(#100) {words}", subcode=1487534)


def unknown_error() -> GraphError:
    return GraphError(1, "An unknown error occurred", subcode=99, status=500)


def too_early() -> GraphError:
    return GraphError(2601, "(#2601) Error accessing adreport job.", subcode=1815107, transient=True)


_WORDS = {
    1: ("An unknown error occurred", 500),
    3: ("(#3) Application does not have the capability to make this API call.", 400),
    10: ("(#10) Application does not have permission for this action", 403),
    200: ("(#200) Ad account owner has NOT grant ads_management or ads_read permission", 403),
    368: ("The action attempted has been deemed abusive or is otherwise disallowed", 400),
    3018: ("(#3018) The start date of the time range cannot be beyond 37 months from the current date", 400),
}


def refusal(code: int) -> GraphError:
    """The refusal of a code by itself, in its own words where they are known."""
    words, status = _WORDS.get(code, (f"(#{code}) The sandbox refuses with this code.", 400))
    return GraphError(code, words, status=status)
