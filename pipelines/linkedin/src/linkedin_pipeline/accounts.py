"""Which accounts there are and in what state, and the load of one: its own row, its entities, its daily reports."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from linkedin_pipeline.client import Client
from linkedin_pipeline.confirmation import Confirmation
from linkedin_pipeline.directory import Directory
from linkedin_pipeline.entities import found, load_entities, row
from linkedin_pipeline.reports import ReportLoad
from linkedin_pipeline.settings import Settings
from linkedin_pipeline.tables import ACCOUNT, REPORTS
from wire import Extraction, Kind, PipelineError

_CLOSED = frozenset({"CANCELED", "PENDING_DELETION", "REMOVED"})
_NAMELESS = "without an id"

log = logging.getLogger(__name__)

Found = Mapping[str, Any] | PipelineError
"""An account as LinkedIn lists it, or why that cannot be used."""


def discovered(client: Client) -> dict[str, Found]:
    """Every account that the token's member has access to, by id, in whatever status."""
    accounts: dict[str, Found] = {}
    for element in found(client, ACCOUNT):
        try:
            account_id = str(ACCOUNT.identifier.value(element) or _NAMELESS)
        except PipelineError:
            account_id = _NAMELESS
        if account_id == _NAMELESS:
            name = str(element.get("name"))[:60]
            accounts[_NAMELESS] = PipelineError(Kind.DATA, f"LinkedIn lists an ad account {name!r} without its id")
        elif accounts.setdefault(account_id, element) != element:
            accounts[account_id] = PipelineError(
                Kind.DATA, f"LinkedIn lists ad account {account_id} twice, with different contents"
            )
    return accounts


def loaded_before(state: Mapping[str, Any]) -> list[str]:
    """The accounts that a run's state knows."""
    tables = state.get("bookmarks", {}).values()
    return sorted({account_id for table in tables for account_id in table.get("accounts", {})})


def selected(
    accounts: Mapping[str, Found], asked: tuple[str, ...], before: Sequence[str]
) -> Iterator[tuple[str, Found]]:
    """Those asked for, or all, those loaded `before` among them; raises PipelineError (config) where all are none.

    LinkedIn lists accounts in any status, removed ones too: one that is missing is one that the member lost.
    """
    if not accounts and not asked:
        raise PipelineError(
            Kind.CONFIG,
            "the token's member has no access to any ad account, so there is nothing to load: give the member a role "
            "in the accounts (Campaign Manager, Manage access), or authorize the application as another member",
        )
    for account_id in asked:
        if account_id not in accounts:
            yield (
                account_id,
                PipelineError(
                    Kind.CONFIG,
                    f"ad account {account_id} is asked for, but the token's member has no access to it; "
                    "check the id, or give the member a role in the account",
                    account_id=account_id,
                ),
            )
    for account_id in () if asked else before:
        if account_id not in accounts:
            yield (
                account_id,
                PipelineError(
                    Kind.AUTH,
                    f"ad account {account_id} was loaded before and is not among those that the token's member has "
                    "access to; give the member its role back, or name the accounts to load in the setting accounts",
                    account_id=account_id,
                ),
            )
    yield from ((id_, each) for id_, each in accounts.items() if not asked or id_ in asked)


class AccountLoad:
    """What one run loads of one account."""

    def __init__(
        self,
        client: Client,
        extraction: Extraction,
        settings: Settings,
        *,
        account_id: str,
        wanted: frozenset[str],
        today: dt.date,
    ) -> None:
        self._client = client
        self._extraction = extraction
        self._settings = settings
        self._account_id = account_id
        self._wanted = wanted
        self._today = today

    def run(self, element: Found) -> None:
        """Load what is wanted; raises PipelineError when the account cannot be loaded to the end."""
        if isinstance(element, PipelineError):
            raise element
        account = row(ACCOUNT, element, self._account_id)
        if ACCOUNT.name in self._wanted:
            self._extraction.replace_account(ACCOUNT.name, self._account_id, [account])
        log.info("account %s, %s", self._account_id, account["name"])
        try:
            count = self._load(account)
        except PipelineError as error:
            if account["status"] not in _CLOSED or error.kind is not Kind.AUTH or error.account_id is None:
                raise
            log.info(
                "account %s is %s and may not be read any more: only its own row is loaded (%s)",
                *(self._account_id, account["status"], error.message),
            )
            return
        log.info("account %s: %d rows", self._account_id, count)

    def _load(self, account: dict[str, Any]) -> int:
        directory = Directory()
        confirmation = Confirmation(self._client, self._account_id, self._today)
        count = load_entities(
            self._client,
            self._extraction,
            directory,
            confirmation,
            account_id=self._account_id,
            wanted=self._wanted,
        )
        wanted = [report for report in REPORTS if report.name in self._wanted]
        if wanted and account["currency"] is None:
            raise PipelineError(
                Kind.DATA,
                "LinkedIn tells no currency of this account, without which its amounts say nothing; its daily tables "
                "are not loaded",
                account_id=self._account_id,
            )
        reports = ReportLoad(
            self._client,
            self._extraction,
            self._settings,
            account=account,
            directory=directory,
            confirmation=confirmation,
            today=self._today,
        )
        return count + sum(reports.run(report) for report in wanted)
