"""One consent from the address that the owner opens to the tokens that are kept, as RFC 6749, 7636 and 8252 have it."""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

import attrs
from attrs import frozen

from supervisor.cli.redirect import Answer
from supervisor.cli.token_exchange import Client, Code, exchanged, said
from supervisor.config.errors import AuthorizationError
from supervisor.config.vendors import Endpoints, Token, Vendor

_REFUSED = frozenset({"access_denied", "user_cancelled_login", "user_cancelled_authorize"})
"""Errors of an owner who says no; the last two are LinkedIn's."""


@frozen(kw_only=True)
class Granted:
    """A token to keep, and the answer that it came in."""

    token: Token
    value: str = attrs.field(repr=False)
    answer: Mapping[str, Any] = attrs.field(repr=False)


@frozen
class Consent:
    """One question to the owner; its `state` and `verifier` tie the answer to it."""

    vendor: Vendor
    endpoints: Endpoints
    client: Client
    redirect: str
    state: str = attrs.field(factory=lambda: secrets.token_urlsafe(32), repr=False)
    verifier: str = attrs.field(factory=lambda: secrets.token_urlsafe(64), repr=False)

    @property
    def address(self) -> str:
        """The vendor's page for this question."""
        parameters = {
            "client_id": self.client.id,
            "redirect_uri": self.redirect,
            "response_type": "code",
            "scope": self.vendor.separator.join(self.vendor.scopes),
            "state": self.state,
            **self.vendor.extra,
        }
        if self.vendor.pkce:
            digest = hashlib.sha256(self.verifier.encode()).digest()
            parameters["code_challenge"] = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
            parameters["code_challenge_method"] = "S256"
        return f"{self.endpoints.consent}?{urlencode(parameters, quote_via=quote)}"

    def granted(self, answer: Answer) -> Granted:
        """The token that the answer leads to; raises AuthorizationError where it leads to none."""
        code = Code(code=self._code(answer), redirect=self.redirect, verifier=self.verifier)
        given = exchanged(self.vendor, self.endpoints.token, self.client, code)
        self._check_scopes(str(given.get("scope") or answer.get("granted_scopes") or ""))
        for token in self.vendor.tokens:
            value = given.get(token.key)
            if isinstance(value, str) and value:
                return Granted(token=token, value=value, answer=given)
        wanted = self.vendor.tokens[0].key.replace("_", " ")
        raise AuthorizationError(
            f"{self.vendor.name} answered without a {wanted}, which every night needs; take this application's access "
            "away in the account's settings, and authorize again"
        )

    def _code(self, answer: Answer) -> str:
        state = answer.get("state")
        if "error" in answer and not state:
            state = self.state  # Nothing is taken from such an answer.
        # A bare code that somebody pasted has no state at all.
        if state is not None and not secrets.compare_digest(state.encode(), self.state.encode()):
            raise AuthorizationError(
                f"the answer has {'another' if state else 'no'} state, so it is not the answer to this consent; "
                "nothing was stored, authorize again"
            )
        error = answer.get("error")
        if error:
            words = answer.get("error_description") or answer.get("error_reason") or ""
            told = ": ".join(filter(None, (said(error, ()), said(words, ()))))
            happened = "the consent was refused" if error in _REFUSED else f"{self.vendor.name} asked for no consent"
            raise AuthorizationError(f"{happened} ({told}); nothing was stored")
        if not answer.get("code"):
            raise AuthorizationError("the answer holds no code; nothing was stored, authorize again")
        return answer["code"]

    def _check_scopes(self, told: str) -> None:
        granted = told.replace(",", " ").split()
        lacking = [scope for scope in self.vendor.needed if scope not in granted] if granted else []
        if lacking:
            raise AuthorizationError(
                f"the consent does not include {', '.join(lacking)}, which the pipeline needs; nothing was stored, "
                "authorize again and leave it ticked"
            )
