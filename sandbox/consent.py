"""A vendor's consent page and the codes that come of it: Allow and Deny, single-use codes, redirect addresses, PKCE.

What a page is called, how it says no and how a token is refused is each vendor's own and stands in its `oauth.py`.
"""

from __future__ import annotations

import base64
import hashlib
import html
import itertools
import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

_PAGE = """<!doctype html><html lang="en"><meta charset="utf-8"><title>{title}</title>
<body><h1>{title}</h1><p>{text}</p>{form}</body></html>"""
_FORM = """<form method="post">{fields}
<button id="allow" name="decision" value="allow">Allow</button>
<button id="deny" name="decision" value="deny">Deny</button></form>"""


@dataclass(frozen=True, slots=True)
class Page:
    """What a browser gets: a page, or with a `location` a redirect."""

    status: int
    body: bytes = b""
    location: str = ""


@dataclass(frozen=True, slots=True)
class Rules:
    """What a vendor wants of a question: its client, redirect addresses (a pattern), scopes, PKCE or none."""

    vendor: str
    client_id: str
    redirects: str
    scopes: frozenset[str]
    separator: str = " "
    pkce: bool = False
    denial: tuple[tuple[str, str], ...] = (("error", "access_denied"),)
    fragment: str = ""


class Consents:
    """Questions that were put, and codes that were given. Safe to use from several threads."""

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self._lock = threading.Lock()
        self._count = itertools.count(1)
        self._codes: dict[str, dict[str, str]] = {}

    def page(self, query: str) -> Page:
        """The page that asks the owner, or the one that tells what is wrong with the question."""
        asked = dict(parse_qsl(query, keep_blank_values=True))
        wrong = self._wrong(asked)
        if wrong:
            return _shown(400, f"{self._rules.vendor}: error", wrong)
        fields = "".join(
            f'<input type="hidden" name="{html.escape(name)}" value="{html.escape(value)}">'
            for name, value in asked.items()
        )
        text = f"{asked['client_id']} wants to: {asked['scope']}"
        return _shown(200, f"Sign in with {self._rules.vendor}", text, _FORM.format(fields=fields))

    def decided(self, body: str) -> Page:
        """Where the browser is sent after a button was pressed."""
        asked = dict(parse_qsl(body, keep_blank_values=True))
        wrong = self._wrong(asked)
        if wrong:
            return _shown(400, f"{self._rules.vendor}: error", wrong)
        told = {"state": asked["state"]} if "state" in asked else {}
        if asked.get("decision") != "allow":
            return Page(302, location=f"{asked['redirect_uri']}?{urlencode({**dict(self._rules.denial), **told})}")
        with self._lock:
            code = f"4/sandbox-code-{next(self._count)}"
            self._codes[code] = asked
        more = {"granted_scopes": asked["scope"]} if asked.get("return_scopes") == "true" else {}
        return Page(
            302, location=f"{asked['redirect_uri']}?{urlencode({'code': code, **told, **more})}{self._rules.fragment}"
        )

    def redeemed(self, form: Mapping[str, str]) -> tuple[str, Mapping[str, str]]:
        """What is wrong with a token request (`code`, `redirect` or `verifier`, "" for nothing), and what was asked.

        A code is good once, also where the request is wrong otherwise.
        """
        with self._lock:
            asked = self._codes.pop(form.get("code", ""), None)
        if asked is None:
            return "code", {}
        if form.get("redirect_uri") != asked["redirect_uri"]:
            return "redirect", asked
        challenge = asked.get("code_challenge", "")
        if challenge and challenge != _digest(form.get("code_verifier", "")):
            return "verifier", asked
        return "", asked

    def _wrong(self, asked: Mapping[str, str]) -> str:
        if asked.get("client_id") != self._rules.client_id:
            return "invalid_client: the application was not found"
        if asked.get("response_type") != "code":
            return "unsupported_response_type"
        if not re.fullmatch(self._rules.redirects, asked.get("redirect_uri", "")):
            return f"redirect_uri_mismatch: {asked.get('redirect_uri')}"
        scopes = set(filter(None, asked.get("scope", "").split(self._rules.separator)))
        if not scopes or not scopes <= self._rules.scopes:
            return f"invalid_scope: {asked.get('scope')}"
        if not self._rules.pkce and "code_challenge" in asked:
            return "invalid_request: code_challenge"
        if self._rules.pkce and asked.get("code_challenge_method", "S256") != "S256":
            return "invalid_request: code_challenge_method"
        return ""


def _digest(verifier: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()


def _shown(status: int, title: str, text: str, form: str = "") -> Page:
    return Page(status, _PAGE.format(title=html.escape(title), text=html.escape(text), form=form).encode())
