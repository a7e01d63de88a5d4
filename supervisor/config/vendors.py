"""How each platform's owner gives consent: the addresses of its OAuth 2.0, what to register there, what ends when.

The addresses are the vendors' own. The variable that points a pipeline to another token endpoint, a sandbox's say,
takes the consent page with it.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from urllib.parse import quote, urlsplit

from attrs import frozen

from supervisor.config.credentials import value_of
from supervisor.config.errors import ConfigError
from wire.endpoints import checked_endpoint
from wire.failures import PipelineError

FIXED_PORT = 8765
"""Of the redirect address where a vendor wants it registered with its port; any other does with --port."""
_LONGEST = 100 * 365 * 86_400


@frozen(kw_only=True)
class Token:
    """One kind of token that a vendor gives for good: where it stands in the answer, where it is kept, when it ends.

    `seconds` names the key of the answer that tells its lifetime, which is `days` where the answer does not tell it.
    `ends` is said of it, with `{end}`; where the answer tells no lifetime `untold` is, if that means something.
    """

    variable: str
    key: str
    seconds: str = ""
    days: int
    ends: str
    untold: str = ""


@frozen(kw_only=True)
class Vendor:
    """One vendor's consent. `scopes` are asked for, `needed` must be among those that are granted.

    `exchange_base` with `exchange_path` is where a code is redeemed, and the variable `moved_by` replaces the base.
    `client` names the variables of the client's id and secret. `host`, `port` (0 for any that is free) and `path` make
    the redirect address. `extra` are further parameters of the consent page. A vendor that `prolongs` exchanges its
    first token for one that lasts; `tokens` are what may then be kept, the best first. `registers` is what to set up.
    """

    name: str
    consent: str
    exchange_base: str
    exchange_path: str = ""
    moved_by: str
    domains: tuple[str, ...]
    client: tuple[str, str]
    scopes: tuple[str, ...]
    needed: tuple[str, ...]
    separator: str = " "
    pkce: bool
    host: str
    port: int
    path: str = ""
    extra: Mapping[str, str] = {}
    prolongs: bool = False
    tokens: tuple[Token, ...]
    registers: str


@frozen(kw_only=True)
class Endpoints:
    """Where one consent is asked for and its code is redeemed."""

    consent: str
    token: str


VENDORS: Mapping[str, Vendor] = {
    # developers.google.com/identity/protocols/oauth2/native-app: a desktop client may be sent to any port of 127.0.0.1;
    # .../protocols/oauth2#expiration: seven days while the publishing status is Testing, six months without use.
    "google": Vendor(
        name="Google",
        consent="https://accounts.google.com/o/oauth2/v2/auth",
        exchange_base="https://oauth2.googleapis.com/token",
        moved_by="GOOGLE_TOKEN_URI",
        domains=("google.com", "googleapis.com"),
        client=("GOOGLE_CLIENT_ID", "GOOGLE_CLIENT_SECRET"),
        scopes=("https://www.googleapis.com/auth/adwords",),
        needed=("https://www.googleapis.com/auth/adwords",),
        pkce=True,
        host="127.0.0.1",
        port=0,
        # Without the second one Google gives a refresh token at the first consent only.
        extra={"access_type": "offline", "prompt": "consent"},
        tokens=(
            Token(
                variable="GOOGLE_REFRESH_TOKEN",
                key="refresh_token",
                seconds="refresh_token_expires_in",
                days=7,
                ends="ends on {end}, because the consent screen is in testing or the access was given for a time; "
                "publish the app (Google Auth Platform, Audience) and authorize again",
                untold="does not end while it is used at least once in six months; but while the publishing status of "
                "the consent screen is Testing it ends after 7 days, on {end}",
            ),
        ),
        registers="an OAuth client of type Desktop app, in the project that has access to the Google Ads API (it needs "
        "no redirect address)",
    ),
    # learn.microsoft.com/advertising/guides/authentication-oauth-consent and -get-tokens; of localhost the port is
    # ignored (learn.microsoft.com/entra/identity-platform/reply-url); an address that is registered for desktop apps
    # takes no client secret (AADSTS700025). Refresh tokens: .../identity-platform/refresh-tokens.
    "microsoft": Vendor(
        name="Microsoft",
        consent="https://login.microsoftonline.com/{tenant}/oauth2/v2.0/authorize",
        exchange_base="https://login.microsoftonline.com/{tenant}/oauth2/v2.0/token",
        moved_by="MICROSOFT_TOKEN_URL",
        domains=("login.microsoftonline.com",),
        client=("MICROSOFT_CLIENT_ID", "MICROSOFT_CLIENT_SECRET"),
        scopes=("https://ads.microsoft.com/msads.manage", "offline_access"),
        needed=("https://ads.microsoft.com/msads.manage",),
        pkce=True,
        host="localhost",
        port=0,
        extra={"response_mode": "query", "prompt": "select_account"},
        tokens=(
            Token(
                variable="MICROSOFT_REFRESH_TOKEN",
                key="refresh_token",
                days=90,
                ends="ends on {end} if it is not used until then; each run uses it, gets the next one and keeps that "
                "in MICROSOFT_TOKEN_STORE",
            ),
        ),
        registers="the redirect address http://localhost, for the platform Web (not for mobile and desktop, which "
        "takes no client secret)",
    ),
    # developers.facebook.com/docs/facebook-login/guides/advanced/manual-flow and .../access-tokens/get-long-lived; PKCE
    # is for its OpenID Connect only. In development mode addresses of localhost are allowed without being registered.
    "facebook": Vendor(
        name="Facebook",
        consent="https://www.facebook.com/v26.0/dialog/oauth",
        exchange_base="https://graph.facebook.com",
        exchange_path="/v26.0/oauth/access_token",
        moved_by="FACEBOOK_GRAPH_URL",
        domains=("facebook.com",),
        client=("FACEBOOK_APP_ID", "FACEBOOK_APP_SECRET"),
        scopes=("ads_read",),
        needed=("ads_read",),
        separator=",",
        pkce=False,
        host="localhost",
        port=FIXED_PORT,
        path="/callback",
        extra={"return_scopes": "true"},
        prolongs=True,
        tokens=(
            Token(
                variable="FACEBOOK_ACCESS_TOKEN",
                key="access_token",
                seconds="expires_in",
                days=60,
                ends="ends on {end}, and only a person can renew it, with this command; a system user's token "
                "(Business settings, System users) need not end",
                untold="has no end that Facebook tells",
            ),
        ),
        registers="the redirect address {redirect} (Facebook Login, Settings, Valid OAuth Redirect URIs; while the app "
        "is in development mode it is allowed without that)",
    ),
    # learn.microsoft.com/linkedin/shared/authentication/authorization-code-flow and .../programmatic-refresh-tokens:
    # access tokens last 60 days, refresh tokens 365 days from the consent, and only approved applications get them.
    # PKCE is for native clients only, which LinkedIn enables one by one (.../authorization-code-flow-native).
    "linkedin": Vendor(
        name="LinkedIn",
        consent="https://www.linkedin.com/oauth/v2/authorization",
        exchange_base="https://www.linkedin.com/oauth/v2/accessToken",
        moved_by="LINKEDIN_TOKEN_URL",
        domains=("linkedin.com",),
        client=("LINKEDIN_CLIENT_ID", "LINKEDIN_CLIENT_SECRET"),
        scopes=("r_ads", "r_ads_reporting"),
        needed=("r_ads", "r_ads_reporting"),
        pkce=False,
        host="localhost",
        port=FIXED_PORT,
        path="/callback",
        tokens=(
            Token(
                variable="LINKEDIN_REFRESH_TOKEN",
                key="refresh_token",
                seconds="refresh_token_expires_in",
                days=365,
                ends="ends on {end}, and no use of it prolongs that: authorize again before",
            ),
            Token(
                variable="LINKEDIN_ACCESS_TOKEN",
                key="access_token",
                seconds="expires_in",
                days=60,
                ends="ends on {end}; LinkedIn gives refresh tokens, which last a year, to approved applications only",
            ),
        ),
        registers="the redirect address {redirect} (Auth, Authorized redirect URLs for your app)",
    ),
}


def endpoints(vendor: Vendor, environ: Mapping[str, str]) -> Endpoints:
    """The vendor's addresses, or those of a sandbox; raises ConfigError for one that must not see a secret."""
    tenant = quote(value_of("MICROSOFT_TENANT_ID", environ) or "common", safe="")
    default = vendor.exchange_base.format(tenant=tenant)
    moved = value_of(vendor.moved_by, environ)
    given = {**environ, vendor.moved_by: moved} if moved else environ
    try:
        base = checked_endpoint(vendor.moved_by, default, vendor.domains, given)
    except PipelineError as refused:
        raise ConfigError(refused.message) from refused
    consent = vendor.consent.format(tenant=tenant)
    elsewhere = urlsplit(base)
    if not _is_within(elsewhere.hostname or "", vendor.domains):
        consent = f"{elsewhere.scheme}://{elsewhere.netloc}{urlsplit(consent).path}"
    return Endpoints(consent=consent, token=base + vendor.exchange_path)


def told_end(token: Token, answer: Mapping[str, object], now: dt.datetime) -> str:
    """When a token ends, as a sentence's second half."""
    seconds = answer.get(token.seconds)
    if isinstance(seconds, int) and 0 < seconds < _LONGEST:
        return token.ends.format(end=(now + dt.timedelta(seconds=seconds)).date())
    return (token.untold or token.ends).format(end=(now + dt.timedelta(days=token.days)).date())


def _is_within(host: str, domains: tuple[str, ...]) -> bool:
    return any(host == domain or host.endswith(f".{domain}") for domain in domains)
