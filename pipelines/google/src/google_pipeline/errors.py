"""What a failure at Google means for the run: one table from Google's code to kind, scope and remedy.

The SDK raises different classes for the same failure, depending on status and moment, so `google_pipeline.client`
reduces each to a `Finding`, and the decision is made here, on plain data. What the table does not know is the
account's own failure, with Google's code in the sentence: one account must not stop the others.
"""

from __future__ import annotations

import re
from enum import StrEnum

from msgspec import Struct

from wire import Kind, PipelineError

SHORT_WAIT = 300.0
"""Seconds; a used-up quota that is back within them is a rate limit, whatever Google calls it."""

_SPACE = re.compile(r"\s+")
_WAIT = re.compile(r"\bretry in (\d+) seconds?", re.IGNORECASE)
_TOKEN_LIKE = re.compile(r"ya29\.[\w.-]+|1//[\w-]+|Bearer \S+", re.IGNORECASE)


class Finding(Struct, frozen=True):
    """A failed call: its gRPC status, the first error's family and code where Google gave one, and its text.

    `family` is the field of Google's `ErrorCode`, such as `quota_error`; a family or code that this version of the API
    does not name is a number. `retry_delay` is in seconds; `rate_scope` is ACCOUNT, DEVELOPER or empty.
    """

    status: str
    family: str = ""
    code: str = ""
    text: str = ""
    retry_delay: float | None = None
    request_id: str = ""
    rate_scope: str = ""

    @property
    def wait(self) -> float | None:
        """Seconds that Google asks to wait, in its details or in words: "Too many requests. Retry in 30 seconds."."""
        found = _WAIT.search(self.text)
        return self.retry_delay if self.retry_delay is not None or found is None else float(found[1])

    @property
    def name(self) -> str:
        return f"{self.family}.{self.code}" if self.family else self.status


class AccessTokenError(PipelineError):
    """The access token is not accepted; a new one may be."""


class AccountClosedError(PipelineError):
    """The account cannot be asked for anything, because it is not enabled."""


class TimeLimitError(PipelineError):
    """A query took longer than `request_timeout`; one for fewer days may not."""


class QueryRefusedError(PipelineError):
    """Google does not accept a query; the account can be asked others."""


class LoginRateError(PipelineError):
    """Requests of the whole login come too fast, not those of one account."""


class LoginExhaustedError(Exception):
    """No account may be asked for anything any more in this run: the login's quota of the day is used up."""


class Scope(StrEnum):
    """Whom a failure stops: one account, or everything that the login can reach."""

    ACCOUNT = "account"
    LOGIN = "login"


class Rule(Struct, frozen=True):
    """What a code means: `means` opens the sentence for the operator; `remedy` closes it where somebody must act.

    An `automatic` remedy is the pipeline's own and is not told to the operator.
    """

    kind: Kind
    scope: Scope
    means: str
    remedy: str
    raises: type[PipelineError] = PipelineError
    automatic: bool = False


_ACCOUNT, _LOGIN = Scope.ACCOUNT, Scope.LOGIN
_NO_ACCESS = "no access"
_STALE = Rule(
    Kind.AUTH,
    _LOGIN,
    "the access token is refused",
    "a new one is fetched; if that is refused too, authorize anew",
    AccessTokenError,
    automatic=True,
)
_USER = Rule(
    Kind.AUTH,
    _LOGIN,
    "Google does not accept this user",
    "authorize the Google user anew and replace the refresh token",
)
_SECURED = Rule(
    Kind.AUTH, _ACCOUNT, "the account wants a better secured login", "let the Google user enroll in what it asks for"
)
_ORGANIZATION = Rule(
    Kind.CONFIG,
    _LOGIN,
    "Google does not admit the organization",
    "have the Cloud project's organization approved for the Google Ads API",
)
_PROJECT = Rule(
    Kind.CONFIG,
    _LOGIN,
    "Google does not admit this Cloud project or developer token",
    "check its access to the Google Ads API in the API Center and in the Cloud console",
)
_TESTS_ONLY = Rule(
    Kind.CONFIG,
    _ACCOUNT,
    "this Cloud project or developer token may only ask test accounts",
    "apply for Basic or Standard access",
)
_RIGHTS = Rule(
    Kind.CONFIG,
    _ACCOUNT,
    _NO_ACCESS,
    "check the manager account and the user's rights",
)
_QUERY = Rule(
    Kind.CONFIG, _ACCOUNT, "Google does not accept the query", "check the setting api_version", QueryRefusedError
)
_CUSTOMER_ID = Rule(Kind.CONFIG, _ACCOUNT, "there is no such account", "check the customer id")
_OUTAGE = Rule(
    Kind.TRANSIENT,
    _ACCOUNT,
    "Google's server failed or cannot be reached",
    "tried again; if it lasts, see the network",
    automatic=True,
)
_TOO_LONG = Rule(
    Kind.TRANSIENT,
    _ACCOUNT,
    "no complete answer within the time limit",
    "raise request_timeout or lower window_days",
    TimeLimitError,
)
_RATE = Rule(
    Kind.RATE_LIMIT,
    _ACCOUNT,
    "Google limits the rate of requests",
    "tried again after the wait that Google asks for",
    automatic=True,
)
_VERSION = Rule(Kind.CONFIG, _LOGIN, "this version of the API is not served", "set api_version")
REFUSED = Rule(
    Kind.DATA, _ACCOUNT, "Google refuses the request", "look the code up in Google's reference; see api_version"
)
"""What is not in the table."""

RULES: dict[str, Rule] = {
    "authentication_error.AUTHENTICATION_ERROR": _STALE,
    "authentication_error.OAUTH_TOKEN_INVALID": _STALE,
    "authentication_error.OAUTH_TOKEN_EXPIRED": _STALE,
    "authentication_error.OAUTH_TOKEN_HEADER_INVALID": _STALE,
    "authentication_error.OAUTH_TOKEN_DISABLED": _USER,
    "authentication_error.OAUTH_TOKEN_REVOKED": _USER,
    "authentication_error.GOOGLE_ACCOUNT_DELETED": _USER,
    "authentication_error.GOOGLE_ACCOUNT_COOKIE_INVALID": _USER,
    "authentication_error.GOOGLE_ACCOUNT_AUTHENTICATION_FAILED": _USER,
    "authentication_error.GOOGLE_ACCOUNT_USER_AND_ADS_USER_MISMATCH": _USER,
    "authentication_error.LOGIN_COOKIE_REQUIRED": _USER,
    "authentication_error.LOGIN_COOKIE_INVALID": _USER,
    "authentication_error.NOT_ADS_USER": _USER,
    "authentication_error.INVALID_EMAIL_ADDRESS": _USER,
    "authentication_error.USER_ID_INVALID": _USER,
    "authentication_error.TWO_STEP_VERIFICATION_NOT_ENROLLED": _SECURED,
    "authentication_error.ADVANCED_PROTECTION_NOT_ENROLLED": _SECURED,
    "authentication_error.CUSTOMER_NOT_FOUND": _CUSTOMER_ID,
    "authentication_error.CLIENT_CUSTOMER_ID_INVALID": _CUSTOMER_ID,
    "authentication_error.ORGANIZATION_NOT_RECOGNIZED": _ORGANIZATION,
    "authentication_error.ORGANIZATION_NOT_APPROVED": _ORGANIZATION,
    "authentication_error.ORGANIZATION_NOT_ASSOCIATED_WITH_DEVELOPER_TOKEN": _ORGANIZATION,
    "authentication_error.DEVELOPER_TOKEN_INVALID": _PROJECT,
    "authorization_error.CUSTOMER_NOT_ENABLED": Rule(
        Kind.CONFIG,
        _ACCOUNT,
        "the account is not enabled",
        "a line in the log, and only its customer row is loaded",
        AccountClosedError,
        automatic=True,
    ),
    "authorization_error.DEVELOPER_TOKEN_NOT_APPROVED": _TESTS_ONLY,
    "authorization_error.CLOUD_PROJECT_NOT_APPROVED_FOR_PRODUCTION": _TESTS_ONLY,
    "authorization_error.USER_PERMISSION_DENIED": _RIGHTS,
    "authorization_error.AUTHORIZATION_ERROR": _RIGHTS,
    "authorization_error.ACTION_NOT_PERMITTED": _RIGHTS,
    "authorization_error.ACTION_NOT_PERMITTED_FOR_SUSPENDED_ACCOUNT": _RIGHTS,
    "authorization_error.ACCESS_DENIED_FOR_ACCOUNT_TYPE": _RIGHTS,
    "authorization_error.INCOMPLETE_SIGNUP": _RIGHTS,
    "authorization_error.INVALID_LOGIN_CUSTOMER_ID_SERVING_CUSTOMER_ID_COMBINATION": _RIGHTS,
    "authorization_error.METRIC_ACCESS_DENIED": _RIGHTS,
    "authorization_error.SERVICE_ACCESS_DENIED": _PROJECT,
    "authorization_error.DEVELOPER_TOKEN_NOT_ON_ALLOWLIST": _PROJECT,
    "authorization_error.DEVELOPER_TOKEN_PROHIBITED": _PROJECT,
    "authorization_error.PROJECT_DISABLED": _PROJECT,
    "authorization_error.CLOUD_PROJECT_NOT_UNDER_ORGANIZATION": _PROJECT,
    "authorization_error.MISSING_TOS": _PROJECT,
    "authorization_error.*": _RIGHTS,
    "quota_error.RESOURCE_TEMPORARILY_EXHAUSTED": _RATE,
    "quota_error.EXCESSIVE_SHORT_TERM_QUERY_RESOURCE_CONSUMPTION": _RATE,
    "quota_error.RESOURCE_EXHAUSTED": Rule(
        Kind.QUOTA,
        _LOGIN,
        "the daily quota of the Google Ads API is used up",
        "wait, or apply for a higher access level; only the account's own where Google names it as the quota's scope; "
        "a rate limit where it is back within 300 s",
    ),
    "quota_error.EXCESSIVE_LONG_TERM_QUERY_RESOURCE_CONSUMPTION": Rule(
        Kind.QUOTA, _ACCOUNT, "Google has had too many expensive queries", "wait, or ask for fewer tables or days"
    ),
    "quota_error.ACCESS_PROHIBITED": _RIGHTS,
    "quota_error.PAYMENTS_PROFILE_ACTIVATION_RATE_LIMIT_EXCEEDED": REFUSED,
    "quota_error.*": _RATE,
    "internal_error.INTERNAL_ERROR": _OUTAGE,
    "internal_error.TRANSIENT_ERROR": _OUTAGE,
    "internal_error.DEADLINE_EXCEEDED": _TOO_LONG,
    "internal_error.ERROR_CODE_NOT_PUBLISHED": REFUSED,
    "internal_error.*": _OUTAGE,
    "database_error.*": _OUTAGE,
    "header_error.INVALID_LOGIN_CUSTOMER_ID": Rule(
        Kind.CONFIG, _LOGIN, "the manager account is not a valid one", "check GOOGLE_MANAGER_CUSTOMER_ID"
    ),
    "request_error.DEVELOPER_TOKEN_PARAMETER_MISSING": Rule(
        Kind.CONFIG, _LOGIN, "Google wants a developer token", "set GOOGLE_DEVELOPER_TOKEN"
    ),
    "request_error.CLOUD_PROJECT_NOT_FOUND": _PROJECT,
    "request_error.UNSUPPORTED_VERSION": _VERSION,
    "request_error.RPC_DEADLINE_TOO_SHORT": Rule(
        Kind.CONFIG, _LOGIN, "request_timeout is too short for this query", "raise request_timeout"
    ),
    "request_error.INVALID_CUSTOMER_ID": _CUSTOMER_ID,
    "request_error.*": _QUERY,
    "query_error.*": _QUERY,
    "field_error.*": _QUERY,
    "date_error.*": _QUERY,
    "date_range_error.*": _QUERY,
    "UNAUTHENTICATED": _STALE,
    "PERMISSION_DENIED": _RIGHTS,
    "RESOURCE_EXHAUSTED": _RATE,
    "DEADLINE_EXCEEDED": _TOO_LONG,
    "UNAVAILABLE": _OUTAGE,
    "INTERNAL": _OUTAGE,
    "ABORTED": _OUTAGE,
    "CANCELLED": _OUTAGE,
    "UNKNOWN": _OUTAGE,
    "DATA_LOSS": _OUTAGE,
    "UNIMPLEMENTED": _VERSION,
}
"""Google's code, `family.*` for the rest of a family, or the status of a call that failed without a code.

The families and codes are those of `google.ads.googleads.v26.errors`; their meanings are in
https://developers.google.com/google-ads/api/docs/get-started/common-errors and in the reference of each enum. That a
token or project without production access is refused by account was recorded: its test accounts answer.
"""


def rule_for(finding: Finding) -> Rule:
    """The row of the table for a failed call."""
    by_status = RULES.get(finding.status, REFUSED)
    if not finding.family:
        return by_status
    named = RULES.get(finding.name) or RULES.get(f"{finding.family}.*")
    # A code that is not known here says nothing of the other accounts, whatever its status.
    return named or (by_status if by_status.scope is _ACCOUNT else REFUSED)


def classified(finding: Finding, what: str, account_id: str | None = None) -> PipelineError:
    """The error to raise for a failed call. `what` names the call, such as `campaign_daily, 2026-11-16..2026-11-22`."""
    rule = rule_for(finding)
    if rule.kind is Kind.QUOTA and _back_soon(finding):
        rule = _RATE
    sentence = f"{what}: {rule.means} ({told_by(finding)})" + ("" if rule.automatic else f"; {rule.remedy}")
    # Where a quota of the login is used up the account in hand has failed; `exhausts_login` says what of the others.
    own = rule.scope is _ACCOUNT or rule.kind is Kind.QUOTA
    raised = LoginRateError if rule.kind is Kind.RATE_LIMIT and finding.rate_scope == "DEVELOPER" else rule.raises
    return raised(rule.kind, sentence, retry_after=finding.wait, account_id=account_id if own else None)


def exhausts_login(finding: Finding) -> bool:
    """Whether no other account may be asked either until the quota is back."""
    rule = rule_for(finding)
    if rule.kind is Kind.RATE_LIMIT:
        return finding.rate_scope == "DEVELOPER" and finding.wait is not None and finding.wait > SHORT_WAIT
    used_up = rule.kind is Kind.QUOTA and rule.scope is _LOGIN and finding.rate_scope != "ACCOUNT"
    return used_up and not _back_soon(finding)


def _back_soon(finding: Finding) -> bool:
    return finding.wait is not None and finding.wait <= SHORT_WAIT


def told_by(finding: Finding) -> str:
    """Google's own words, on one line and short: `quota_error.RESOURCE_EXHAUSTED: Too many requests`."""
    text = _TOKEN_LIKE.sub("…", _SPACE.sub(" ", finding.text)).strip()[:300]
    request = f"; request id {finding.request_id}" if finding.request_id else ""
    return f"{finding.name}: {text}{request}" if text else f"{finding.name}{request}"
