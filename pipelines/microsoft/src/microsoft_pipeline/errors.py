"""Every failure of Microsoft, of HTTP and of the network as a PipelineError whose sentence an operator can act on.

`CODES` decides once, for every documented code, what kind of failure it is, whether it is the account's or the whole
login's, and what to do. Sources: guides/operation-error-codes of Microsoft's documentation. A sentence holds codes,
names and the tracking id that Microsoft's support asks for, never what was sent: messages of the service or of a
library may quote tokens and signed addresses.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from msgspec import Struct

from wire import Kind, PipelineError

Scope = Literal["account", "login"]


class Remedy(Struct, frozen=True):
    """What a code means. With the scope `account` the other accounts go on, with `login` none of them could."""

    name: str
    kind: Kind
    scope: Scope
    what_to_do: str


def _codes(kind: Kind, scope: Scope, what_to_do: str, names: Mapping[int, str]) -> dict[int, Remedy]:
    return {code: Remedy(name, kind, scope, what_to_do) for code, name in names.items()}


EXPIRED_TOKEN = 109
INVALID_CREDENTIALS = 105
CALL_RATE = 117
TOO_MANY_REPORTS = 207
ACCOUNT_TOO_BIG = 3207
NO_MORE_BULK = 4204
LOST_REPORTS = frozenset({2100, 2101})

_SIGN_IN = "the way of signing in has changed; sign in again with the identity that Microsoft names for this user"
_REPORT = "Microsoft does not accept this report's columns, time or filters; the pipeline's request must be changed"
_SCOPE = "Microsoft does not accept the account in this report; check the account and the user's access to it"
_DAYS = "Microsoft does not accept these days for this account; move start_date, or --since and --until"
_OURS = "the pipeline sent a request that Microsoft does not understand; report it with the tracking id"

CODES: dict[int, Remedy] = {
    **_codes(
        Kind.TRANSIENT, "account", "it is asked again a few times", {0: "InternalError", 202: "ApiExecutionError"}
    ),
    **_codes(
        Kind.INTERNAL,
        "account",
        _OURS,
        {
            100: "NullRequest",
            113: "InvalidDateObject",
            116: "RequestMissingHeaders",
            201: "ApiInputValidationError",
            203: "NullParameter",
            204: "OperationNotSupported",
            205: "InvalidVersion",
            206: "NullArrayArgument",
        },
    ),
    INVALID_CREDENTIALS: Remedy(
        "InvalidCredentials",
        Kind.AUTH,
        "account",
        "Microsoft refused the access token, the developer token or an inactive account; check them, sign in again",
    ),
    106: Remedy(
        "UserIsNotAuthorized",
        Kind.AUTH,
        "account",
        "the user or the developer token may not use this account; check its access and the role",
    ),
    EXPIRED_TOKEN: Remedy(
        "AuthenticationTokenExpired",
        Kind.AUTH,
        "login",
        "the access token counts as expired although it was just renewed; sign in again",
    ),
    108: Remedy(
        "UserCompromised",
        Kind.AUTH,
        "login",
        "Microsoft suspects that somebody else used this login; give it a new password, then sign in again",
    ),
    **_codes(
        Kind.AUTH,
        "login",
        _SIGN_IN,
        {
            120: "UserLoginAccessDenied",
            122: "PersonalIdentityNotAvailable",
            123: "WorkIdentityNotAvailable",
            124: "PersonalIdentityMigratedToWork",
            125: "PersonalIdentityNotAllowedByCustomer",
            126: "IdentityTypeMismatch",
        },
    ),
    CALL_RATE: Remedy(
        "CallRateExceeded", Kind.RATE_LIMIT, "account", "too many calls in the last minute; it is asked again later"
    ),
    TOO_MANY_REPORTS: Remedy(
        "ConcurrentRequestOverLimit",
        Kind.RATE_LIMIT,
        "account",
        "too many reports are being made at once; the others wait for their turn",
    ),
    208: Remedy("InvalidAccount", Kind.DATA, "account", "the account is not valid; check its id"),
    **_codes(
        Kind.DATA,
        "account",
        "Microsoft does not know this object of the account; the next run asks anew",
        {
            210: "EntityNotExistent",
            1100: "CampaignServiceInvalidCampaignId",
            1102: "CampaignServiceInvalidAccountId",
            1201: "CampaignServiceInvalidAdGroupId",
        },
    ),
    2004: Remedy(
        "ReportingServiceNoCompleteDataAvaliable",
        Kind.TRANSIENT,
        "account",
        "the data of these days are not complete yet; it is asked again later",
    ),
    **_codes(
        Kind.DATA,
        "account",
        _SCOPE,
        {
            2003: "ReportingServiceAccountNotAuthorized",
            2018: "ReportingServiceInvalidAccountIdInCampaignReportScope",
            2019: "ReportingServiceInvalidCampaignIdInCampaignReportScope",
            2020: "ReportingServiceInvalidAccountIdInAdGroupReportScope",
            2021: "ReportingServiceInvalidCampaignIdInAdGroupReportScope",
            2022: "ReportingServiceInvalidAdGroupIdInAdGroupReportScope",
            2023: "ReportingServiceInvalidAccountIdInAccountReportScope",
            2024: "ReportingServiceNullCampaignReportScope",
            2025: "ReportingServiceNullAdGroupReportScope",
            2026: "ReportingServiceInvalidAccountReportScope",
            2027: "ReportingServiceInvalidAccountThruCampaignReportScope",
            2028: "ReportingServiceInvalidAccountThruAdGroupReportScope",
            2035: "ReportingServiceInvalidAccountIds",
            2108: "InvalidAccountId",
        },
    ),
    **_codes(
        Kind.CONFIG,
        "account",
        _DAYS,
        {
            2009: "ReportingServiceInvalidCustomDateRangeStart",
            2010: "ReportingServiceInvalidCustomDateRangeEnd",
            2041: "ReportingServiceInvalidFutureStartDate",
        },
    ),
    **_codes(
        Kind.DATA,
        "account",
        "the report covers too much at once; take a smaller window_days",
        {
            2029: "ReportingServiceAccountsOverLimit",
            2030: "ReportingServiceMaximumCampaignsLimitReached",
            2031: "ReportingServiceAdGroupsOverLimit",
        },
    ),
    **_codes(
        Kind.CONFIG,
        "login",
        _REPORT,
        {
            2001: "ReportingServiceNullReportRequest",
            2002: "ReportingServiceUnknownReportType",
            2005: "ReportingServiceInvalidDataAvailabilityAndTimePeriodCombination",
            2006: "ReportingServiceInvalidReportName",
            2007: "ReportingServiceInvalidReportAggregation",
            2008: "ReportingServiceInvalidReportTimeSelection",
            2011: "ReportingServiceEndDateBeforeStartDate",
            2012: "ReportingServiceEmptyCustomDates",
            2013: "ReportingServiceCustomDatesOverlimit",
            2014: "ReportingServiceNullColumns",
            2015: "ReportingServiceRequiredColumnsNotSelected",
            2016: "ReportingServiceDuplicateColumns",
            2017: "ReportingServiceNoMeasureSelected",
            2032: "ReportingServiceCrossSiteScriptNotAllowed",
            2033: "ReportingServiceInvalidKeywordFilterValue",
            2034: "ReportingServiceInvalidTimePeriodColumnForSummaryReport",
            2040: "ReportingServiceInvalidCustomDateRange",
            2052: "InvalidGrainForQualityScoreColumns",
            2053: "InvalidGrainForImpressionShareColumns",
            2054: "InvalidGrainForHistoricalQualityScoreColumns",
            2059: "UnsuportedTimeGrain",
            2060: "InvalidFilterOrScopeValue",
        },
    ),
    **_codes(
        Kind.TRANSIENT,
        "account",
        "Microsoft has lost the report; it is made anew",
        {2100: "ReportingServiceInvalidReportId", 2101: "ReportingServiceReportNotFound"},
    ),
    **_codes(
        Kind.TRANSIENT,
        "account",
        "Microsoft has lost the file of entities; it is made anew",
        {3205: "CampaignServiceInvalidDownloadRequestId", 4201: "BulkServiceInvalidRequestId"},
    ),
    ACCOUNT_TOO_BIG: Remedy(
        "CampaignServiceAccountTooBigToDownload",
        Kind.DATA,
        "account",
        "the account is too big for one file; it is downloaded by campaigns",
    ),
    3211: Remedy(
        "CampaignServiceBulkDownloadUnsupportedEntities",
        Kind.DATA,
        "account",
        "Microsoft makes no file of one of these kinds of entities; leave its table out of settings.tables",
    ),
    NO_MORE_BULK: Remedy(
        "BulkServiceNoMoreCallsPermittedForTheTimePeriod",
        Kind.RATE_LIMIT,
        "account",
        "no more files for this account in this period; its entities are asked for one by one",
    ),
}

_UNKNOWN = "Microsoft refused the request with a code that this pipeline does not know; see its list of error codes"
_OAUTH_REFUSALS = {
    "invalid_grant": "the refresh token is expired or revoked; sign in again and set MICROSOFT_REFRESH_TOKEN",
    "interaction_required": "Microsoft wants the user to sign in again; then set MICROSOFT_REFRESH_TOKEN",
    "consent_required": "the user must consent to the application again; then set MICROSOFT_REFRESH_TOKEN",
    "invalid_client": "the client id or the client secret is wrong or expired",
    "unauthorized_client": "the application may not use this grant; check MICROSOFT_CLIENT_ID and MICROSOFT_TENANT_ID",
}
_AADSTS = re.compile(r"AADSTS\d{4,9}")
_SERVER_ERROR = range(500, 600)


class ApiError(Struct, frozen=True):
    """One error of a fault, as Microsoft gives it; `code` is None where it gives no number."""

    code: int | None
    name: str = ""


class RefusedError(Exception):
    """A transport's finding: Microsoft refused a request, with the errors of all of a fault's lists, in their order."""

    def __init__(self, errors: Sequence[ApiError], *, tracking_id: str = "", status: int = 500) -> None:
        super().__init__(f"{len(errors)} errors")
        self.errors = tuple(errors)
        self.tracking_id = tracking_id
        self.status = status

    @property
    def decisive(self) -> ApiError:
        """The error to go by: the first whose code is known, else the first."""
        known = next((error for error in self.errors if error.code in CODES), None)
        return known or next(iter(self.errors), ApiError(None))


class TooManyReportsError(PipelineError):
    """Another report can only be asked for when one of our own has been made."""


class LostReportError(PipelineError):
    """Microsoft does not know the id of a report or file that it gave: only making it anew may help."""


class BulkRefusedError(PipelineError):
    """No file of entities can be had now; they must be asked for one by one."""


class TooBigForOneFileError(PipelineError):
    """The account must be downloaded by campaigns."""


_OWN_TYPES: dict[int, type[PipelineError]] = {
    TOO_MANY_REPORTS: TooManyReportsError,
    NO_MORE_BULK: BulkRefusedError,
    ACCOUNT_TOO_BIG: TooBigForOneFileError,
    **dict.fromkeys((*LOST_REPORTS, 3205, 4201), LostReportError),
}


def is_passing(error: PipelineError) -> bool:
    """Whether asking the same again later may help."""
    return error.kind in (Kind.RATE_LIMIT, Kind.TRANSIENT) and type(error) not in _OWN_TYPES.values()


def of_refusal(refused: RefusedError, what: str, *, account_id: str | None, rate_limit_wait: float) -> PipelineError:
    """What a refused request means; `what` was asked for, on behalf of an account or of the user alone."""
    if not refused.errors and refused.status == 401:
        return PipelineError(Kind.AUTH, f"{what}: HTTP status 401 after signing in anew{_traced(refused)}")
    error = refused.decisive
    remedy = CODES.get(error.code) if error.code is not None else None
    name = error.name or (remedy.name if remedy else "")
    number = "unknown" if error.code is None else error.code
    reference = f"{what}: error {number}{f' {name}' if name else ''}"
    if remedy is None:
        return PipelineError(Kind.DATA, f"{reference}: {_UNKNOWN}{_traced(refused)}", account_id=account_id)
    return _OWN_TYPES.get(error.code or 0, PipelineError)(
        remedy.kind,
        f"{reference}: {remedy.what_to_do}{_traced(refused)}",
        retry_after=rate_limit_wait if remedy.kind is Kind.RATE_LIMIT else None,
        account_id=account_id if remedy.scope == "account" else None,
    )


def _traced(refused: RefusedError) -> str:
    return f" (tracking id {refused.tracking_id})" if refused.tracking_id else ""


def of_status(status: int, what: str, *, retry_after: float | None = None) -> PipelineError:
    """What an HTTP status means where there is nothing better to go by."""
    if status == 429:
        return PipelineError(Kind.RATE_LIMIT, f"{what}: HTTP status 429, too many requests", retry_after=retry_after)
    if status in _SERVER_ERROR or status == 408:
        return PipelineError(Kind.TRANSIENT, f"{what}: HTTP status {status}", retry_after=retry_after)
    return PipelineError(Kind.DATA, f"{what}: HTTP status {status}")


def of_network(error: BaseException, what: str) -> PipelineError:
    """What a broken or silent connection means."""
    reason = getattr(error, "reason", None)
    cause = reason if isinstance(reason, BaseException) else error
    if isinstance(cause, TimeoutError) or "timed out" in str(cause).lower():
        return PipelineError(Kind.TRANSIENT, f"{what}: no answer within the request_timeout")
    return PipelineError(Kind.TRANSIENT, f"{what}: the connection failed ({type(cause).__name__})")


def of_token_answer(status: int, answer: Any) -> PipelineError:
    """What a refused refresh means; `answer` is the decoded JSON, or None if it was none."""
    code = str(answer.get("error", "")) if isinstance(answer, dict) else ""
    if code in _OAUTH_REFUSALS:
        return PipelineError(Kind.AUTH, f"sign-in: {_OAUTH_REFUSALS[code]} ({_reference(code, answer)})")
    if status == 429 or status in _SERVER_ERROR or code in ("temporarily_unavailable", "server_error"):
        return of_status(status if status >= 429 else 503, "sign-in")
    if code:
        return PipelineError(Kind.AUTH, f"sign-in: Microsoft refused the refresh ({_reference(code, answer)})")
    return PipelineError(Kind.TRANSIENT, f"sign-in: the answer is not OAuth's (HTTP status {status})")


def _reference(code: str, answer: dict[str, Any]) -> str:
    found = _AADSTS.search(str(answer.get("error_description", "")))
    word = re.sub(r"[^a-z_]", "", code)
    return f"{word}, {found.group()}" if found else word
