"""What a failure at Google means for the run: one sentence for the operator, named by its remedy.

The SDK raises different classes for the same failure, depending on status and moment, so `google_pipeline.client`
reduces each to a `Finding`, and the decision is made here, on plain data.
"""

from __future__ import annotations

import re

from msgspec import Struct

from wire import Kind, PipelineError

_STALE_TOKEN = frozenset(
    {"", "AUTHENTICATION_ERROR", "OAUTH_TOKEN_INVALID", "OAUTH_TOKEN_EXPIRED", "OAUTH_TOKEN_HEADER_INVALID"}
)
_PROJECT = ("DEVELOPER_TOKEN_", "PROJECT_", "CLOUD_PROJECT_", "ORGANIZATION_", "MISSING_TOS", "INCOMPLETE_SIGNUP")
_DAILY = frozenset({"RESOURCE_EXHAUSTED", "EXCESSIVE_LONG_TERM_QUERY_RESOURCE_CONSUMPTION"})
_PASSING = frozenset({"UNAVAILABLE", "INTERNAL", "ABORTED", "CANCELLED", "UNKNOWN", "DATA_LOSS"})
_QUERY_FAMILIES = frozenset({"query_error", "request_error", "field_error", "date_error", "date_range_error"})
_SPACE = re.compile(r"\s+")
_TOKEN_LIKE = re.compile(r"ya29\.[\w.-]+|1//[\w-]+|Bearer \S+", re.IGNORECASE)


class Finding(Struct, frozen=True):
    """A failed call: its gRPC status, the first error's family and code where Google gave one, and its text.

    `family` is the field of Google's `ErrorCode`, such as `quota_error`; `retry_delay` is in seconds.
    """

    status: str
    family: str = ""
    code: str = ""
    text: str = ""
    retry_delay: float | None = None
    request_id: str = ""


class AccessTokenError(PipelineError):
    """The access token is not accepted; a new one may be."""


class AccountClosedError(PipelineError):
    """The account cannot be asked for anything, because it is not enabled."""


class TimeLimitError(PipelineError):
    """A query took longer than `request_timeout`; one for fewer days may not."""


def classified(finding: Finding, what: str, account_id: str | None = None) -> PipelineError:
    """The error to raise for a failed call. `what` names the call, such as `campaign_daily, 2026-11-16..2026-11-22`."""
    told = told_by(finding)
    if finding.family == "authorization_error" and finding.code == "CUSTOMER_NOT_ENABLED":
        return AccountClosedError(Kind.CONFIG, f"{what}: the account is not enabled ({told})", account_id=account_id)
    if finding.code.startswith(_PROJECT):
        return PipelineError(
            Kind.CONFIG, f"{what}: Google does not admit this Cloud project or developer token ({told})"
        )
    if finding.status == "UNAUTHENTICATED" or finding.family == "authentication_error":
        return _authentication(finding, f"{what}: {told}", account_id)
    if finding.family == "quota_error" or finding.status == "RESOURCE_EXHAUSTED":
        return _quota(finding, what, told, account_id)
    return _outage(finding, what, told, account_id) or _refusal(finding, what, told, account_id)


def told_by(finding: Finding) -> str:
    """Google's own words, on one line and short: `quota_error.RESOURCE_EXHAUSTED: Too many requests`."""
    name = f"{finding.family}.{finding.code}" if finding.family else finding.status
    text = _TOKEN_LIKE.sub("…", _SPACE.sub(" ", finding.text)).strip()[:300]
    request = f"; request id {finding.request_id}" if finding.request_id else ""
    return f"{name}: {text}{request}" if text else f"{name}{request}"


def _authentication(finding: Finding, sentence: str, account_id: str | None) -> PipelineError:
    if finding.code in _STALE_TOKEN:
        return AccessTokenError(Kind.AUTH, f"{sentence}; the access token is refused")
    if finding.code in ("CUSTOMER_NOT_FOUND", "CLIENT_CUSTOMER_ID_INVALID"):
        return PipelineError(Kind.CONFIG, f"{sentence}; check the customer id", account_id=account_id)
    return PipelineError(Kind.AUTH, f"{sentence}; authorize the Google user anew and replace the refresh token")


def _quota(finding: Finding, what: str, told: str, account_id: str | None) -> PipelineError:
    if finding.code in _DAILY:
        return PipelineError(
            Kind.QUOTA,
            f"{what}: the daily quota of the Google Ads API is used up ({told})",
            retry_after=finding.retry_delay,
            account_id=account_id,
        )
    return PipelineError(
        Kind.RATE_LIMIT,
        f"{what}: Google limits the rate of requests ({told})",
        retry_after=finding.retry_delay,
        account_id=account_id,
    )


def _refusal(finding: Finding, what: str, told: str, account_id: str | None) -> PipelineError:
    if finding.family == "authorization_error" or finding.status == "PERMISSION_DENIED":
        sentence = f"{what}: no access ({told}); check the manager account and the user's rights"
        return PipelineError(Kind.CONFIG, sentence, account_id=account_id)
    if finding.family in _QUERY_FAMILIES:
        sentence = f"{what}: Google does not accept the query ({told}); check the setting api_version"
        return PipelineError(Kind.CONFIG, sentence, account_id=account_id)
    if finding.status == "UNIMPLEMENTED":
        return PipelineError(Kind.CONFIG, f"{what}: this version of the API is not served ({told}); set api_version")
    return PipelineError(Kind.DATA, f"{what}: Google refuses the request ({told})", account_id=account_id)


def _outage(finding: Finding, what: str, told: str, account_id: str | None) -> PipelineError | None:
    """The error for a server or a network that failed, or for a query that took too long; None for anything else."""
    if finding.status == "DEADLINE_EXCEEDED":
        return TimeLimitError(
            Kind.TRANSIENT,
            f"{what}: no complete answer within the time limit; raise request_timeout or lower window_days",
            account_id=account_id,
        )
    if finding.code == "RPC_DEADLINE_TOO_SHORT":
        return PipelineError(Kind.CONFIG, f"{what}: request_timeout is too short for this query ({told})")
    if finding.status in _PASSING and finding.family in ("", "internal_error", "database_error"):
        return PipelineError(
            Kind.TRANSIENT, f"{what}: Google's server failed or cannot be reached ({told})", account_id=account_id
        )
    return None
