"""What a server is asked to do beside its faults: smaller limits, and accounts, lists and tokens that are odd."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field

CUT = 15_000
"""Elements of an answer of adAnalytics, which is cut there without a word."""


@dataclass(frozen=True)
class Limits:
    """Accounts are named by their id.

    `forbidden` may not be read at all; `unreadable` has no reporting access, for which LinkedIn documents an empty
    answer; `closed` is shown as CANCELED and keeps its history; `missing` are elements left out of accounts,
    `odd` such that hold a structure; `unlisted` is an account that the member has no role in;
    `no_accounts` is a member without any; `repeated` shows the first object of each list again on its last page,
    `same` or `changed`; `hidden` is a resource of which a search by status finds nothing; `alternating` lets page
    tokens alternate for ever; `empty_pages` lets an empty page follow the first one; `token_alone` refuses a search of
    accounts beside a page token; `unknown` is a metric that is none any more; `refused` are pivots, or `conversions`,
    that an account may not read; a new access token is refused `late_tokens` times and for `late_seconds` before it is
    known everywhere. `daily_calls` of adAnalytics are a member's, `application_calls` all members'; no more than
    `metric_values` are told in `metric_seconds`, and no more than `at_once` requests answered at the same time.
    """

    cut: int = CUT
    refresh_token_days: int = 300
    daily_calls: int | None = None
    application_calls: int | None = None
    metric_values: int | None = None
    metric_seconds: float | None = None
    at_once: int | None = None
    forbidden: str = ""
    unreadable: str = ""
    closed: str = ""
    missing: frozenset[tuple[str, str]] = field(default_factory=frozenset)
    odd: frozenset[tuple[str, str]] = field(default_factory=frozenset)
    unlisted: str = ""
    no_accounts: bool = False
    repeated: str = ""
    hidden: str = ""
    alternating: bool = False
    empty_pages: bool = True
    token_alone: bool = False
    unknown: str = ""
    refused: frozenset[tuple[str, str]] = field(default_factory=frozenset)
    late_tokens: int = 0
    late_seconds: float = 0.0

    @classmethod
    def given(cls, environment: Mapping[str, str] = os.environ) -> Limits:
        """From variables that begin with SANDBOX_LINKEDIN_; docs/sandbox.md lists them."""

        def told(name: str) -> str:
            return environment.get(f"SANDBOX_LINKEDIN_{name}", "")

        def elements(text: str) -> frozenset[tuple[str, str]]:
            pairs = (each.partition("@") for each in text.split(",") if each)
            return frozenset((account, name) for name, _, account in pairs)

        values, _, seconds = told("METRIC_VALUES").partition("@")
        late, _, late_seconds = told("LATE_TOKENS").partition("@")
        return cls(
            cut=int(told("CUT") or cls.cut),
            refresh_token_days=int(told("REFRESH_DAYS") or cls.refresh_token_days),
            daily_calls=int(told("DAILY_CALLS") or 0) or None,
            application_calls=int(told("APPLICATION_CALLS") or 0) or None,
            metric_values=int(values or 0) or None,
            metric_seconds=float(seconds or 0) or None,
            at_once=int(told("AT_ONCE") or 0) or None,
            forbidden=told("FORBIDDEN"),
            unreadable=told("UNREADABLE"),
            closed=told("CLOSED"),
            missing=elements(told("MISSING")),
            odd=elements(told("ODD")),
            unlisted=told("UNLISTED"),
            no_accounts=told("NO_ACCOUNTS") == "true",
            repeated=told("REPEATED"),
            hidden=told("HIDDEN"),
            alternating=told("CURSORS") == "alternating",
            empty_pages=told("EMPTY_PAGES") != "false",
            token_alone=told("TOKEN_ALONE") == "true",
            unknown=told("UNKNOWN"),
            refused=elements(told("REFUSED")),
            late_tokens=int(late or 0),
            late_seconds=float(late_seconds or 0),
        )
