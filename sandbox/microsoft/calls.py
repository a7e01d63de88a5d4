"""A call of one operation, however it came: its body has the form of REST's JSON, and so has its answer.

Ids are text, flags are tuples, lists are lists, an object of several types names its own as `Type`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.microsoft.refusals import RefusalError

Body = dict[str, Any]
Operation = Callable[["Call"], Body]

CUSTOMER = "CustomerManagement"
CAMPAIGN = "CampaignManagement"
REPORTING = "Reporting"
BULK = "Bulk"
# A request's flags: one text over either transport, blank separated in SOAP, comma separated in REST.
FLAGS = frozenset({"CampaignType", "ReturnAdditionalFields", "DataScope"})


@dataclass(frozen=True, slots=True)
class Call:
    """`headers` have SOAP's names; `revision` is the date of Api-Revision, None where REST's caller names none."""

    service: str
    operation: str
    headers: Mapping[str, str]
    body: Body
    revision: str | None = None

    @property
    def account_id(self) -> str:
        """The account on whose behalf the call is; some callers write `customer|account`, and are understood."""
        return self.headers.get("CustomerAccountId", "").rpartition("|")[2]


def items(body: Body, name: str) -> list[Any]:
    """A list of the request, empty where it is absent or null."""
    value = body.get(name)
    if value is None:
        return []
    if not isinstance(value, list):
        raise RefusalError(100)
    return value


def part(body: Body, name: str) -> Body:
    """An object of the request, empty where it is absent or null."""
    value = body.get(name)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise RefusalError(100)
    return value


def ids(body: Body, name: str) -> list[str]:
    """A list of ids; numbers are taken too, as the service takes them."""
    return [identifier(each) for each in items(body, name)]


def identifier(value: object) -> str:
    """An id, of a text or a number; raises RefusalError for anything else."""
    text = str(value).strip() if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if not text.isdecimal():
        raise RefusalError(100)
    return text


def whole(body: Body, name: str, default: int = 0) -> int:
    """A whole number, by its default where it is absent."""
    value = body.get(name)
    try:
        return default if value is None else int(value)
    except (TypeError, ValueError) as cause:
        raise RefusalError(100) from cause


def flag(body: Body, name: str, *, default: bool = False) -> bool:
    """A boolean, by its default where it is absent."""
    value = body.get(name)
    if value is None or isinstance(value, bool):
        return default if value is None else value
    if str(value) not in {"true", "false", "1", "0"}:
        raise RefusalError(100)
    return str(value) in {"true", "1"}


def flags(body: Body, name: str, known: frozenset[str]) -> tuple[str, ...]:
    """A request's flags; raises RefusalError for one that the service does not know."""
    # An enumeration of flags has a value for none of them.
    given = tuple(each for each in body.get(name) or () if each != "None")
    if not known.issuperset(given):
        raise RefusalError(100)
    return given
