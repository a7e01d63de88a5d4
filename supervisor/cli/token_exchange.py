"""A code for tokens, at the vendor's token endpoint: one POST, or two where the first token is short-lived.

Nobody but that endpoint gets the client's secret: no redirect is followed, and what the vendor says of a refusal is
shown without any secret in it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode, urlsplit
from urllib.request import HTTPRedirectHandler, ProxyHandler, Request, build_opener

import attrs
from attrs import frozen

from supervisor.config.errors import AuthorizationError
from supervisor.config.redaction import redact, spellings
from supervisor.config.vendors import Vendor
from supervisor.report.display import printable
from wire.endpoints import is_loopback

_SECONDS = 60
_MOST_BYTES = 1024 * 1024
_LONGEST_WORDS = 300
_OF_THE_CLIENT = frozenset({"invalid_client", "unauthorized_client", "deleted_client", "disabled_client", "1", "101"})
"""Error codes that are about the client; the numbers are Facebook's, of a wrong secret and a wrong id."""


@frozen(kw_only=True)
class Client:
    """The application that asks for the consent."""

    id: str
    secret: str = attrs.field(repr=False)


@frozen(kw_only=True)
class Code:
    """A code, and what it was asked for with; `verifier` is empty where the vendor has no PKCE."""

    code: str = attrs.field(repr=False)
    redirect: str
    verifier: str = attrs.field(repr=False)


def exchanged(vendor: Vendor, address: str, client: Client, code: Code) -> Mapping[str, Any]:
    """The vendor's answer with the tokens that last; raises AuthorizationError where it gives none."""
    form = {"grant_type": "authorization_code", "code": code.code, "redirect_uri": code.redirect}
    if vendor.pkce:
        form["code_verifier"] = code.verifier
    answer = _asked(vendor, address, client, form)
    if vendor.prolongs:
        form = {"grant_type": "fb_exchange_token", "fb_exchange_token": str(answer.get("access_token", ""))}
        answer = _asked(vendor, address, client, form)
    return answer


def said(words: object, secrets: tuple[str, ...]) -> str:
    """A vendor's words on one line, short, and without what must not be seen."""
    hidden = frozenset(spelling for secret in secrets for spelling in spellings(secret))
    return printable(redact(" ".join(str(words).split()), hidden))[:_LONGEST_WORDS].rstrip(". ")


class _NoRedirects(HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        """A form with secrets goes to the address that it was meant for, or nowhere."""


def _asked(vendor: Vendor, address: str, client: Client, form: Mapping[str, str]) -> Mapping[str, Any]:
    host = urlsplit(address).hostname
    whole = {**form, "client_id": client.id, "client_secret": client.secret}
    request = Request(address, urlencode(whole).encode(), {"Accept": "application/json"})  # noqa: S310 - checked by `endpoints`
    opener = build_opener(_NoRedirects(), *([ProxyHandler({})] if is_loopback(host) else []))
    try:
        with opener.open(request, timeout=_SECONDS) as response:
            status, body = response.status, response.read(_MOST_BYTES)
    except HTTPError as refused:
        with refused:
            status, body = refused.code, refused.read(_MOST_BYTES)
    except (URLError, OSError) as cause:
        reason = getattr(cause, "reason", cause)
        raise AuthorizationError(
            f"{host} cannot be reached to redeem the code ({reason}); check network and proxy, and authorize again"
        ) from cause
    answer = _object(body)
    if status != 200 or "error" in answer:
        open_ones = ("grant_type", "redirect_uri", "client_id")
        secrets = tuple(value for name, value in whole.items() if name not in open_ones)
        raise AuthorizationError(_refusal(vendor, status, answer, secrets))
    if not answer:
        raise AuthorizationError(f"{vendor.name} answered with something else than a JSON object; authorize again")
    return answer


def _refusal(vendor: Vendor, status: int, answer: Mapping[str, Any], secrets: tuple[str, ...]) -> str:
    error = answer.get("error")
    if isinstance(error, dict):  # Facebook's own form
        code, words = str(error.get("code", "")), error.get("message", "")
    else:
        code, words = str(error or ""), answer.get("error_description", "")
    told = ": ".join(filter(None, (said(code, secrets), said(words, secrets)))) or f"HTTP {status} and no reason"
    remedy = "authorize again: a code is good once and for minutes"
    if code in _OF_THE_CLIENT:
        remedy = f"check {' and '.join(vendor.client)}"
    elif status >= 500 or not code:
        remedy = "authorize again later"
    return f"{vendor.name} gave no token ({told}); {remedy}"


def _object(body: bytes) -> dict[str, Any]:
    try:
        answer = json.loads(body)
    except ValueError:
        return {}
    return answer if isinstance(answer, dict) else {}
