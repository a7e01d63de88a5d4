"""The load of an account, in rounds of days: its own row and its entities first, then what each round asks for."""

from __future__ import annotations

import datetime as dt
import logging
import threading
from functools import partial
from typing import Any

from linkedin_pipeline.accounts import Found
from linkedin_pipeline.client import Client
from linkedin_pipeline.confirmation import Confirmation
from linkedin_pipeline.directory import Directory
from linkedin_pipeline.entities import load_entities, row, rows_of
from linkedin_pipeline.names import Names
from linkedin_pipeline.report_table import Report
from linkedin_pipeline.reports import ReportLoad
from linkedin_pipeline.room import Room
from linkedin_pipeline.settings import Settings
from linkedin_pipeline.tables import ACCOUNT, FURTHER, Entity
from wire import CORE, Extraction, Kind, PipelineError, Round

MOST_NAMES = 100_000
"""Names that are kept for later rounds, of all accounts together: about 30 MB."""

_THE_REPORTS = frozenset({Kind.INTERNAL, Kind.DATA})
"""Failures that tell of a report rather than of its account: a request refused, an answer that cannot be read."""

_CLOSED = frozenset({"CANCELED", "PENDING_DELETION", "REMOVED"})

log = logging.getLogger(__name__)


class AccountLoads:
    """The accounts of a run. Different threads may load different accounts.

    Later rounds take names from what the first one read, as far as all of it fits; else they read the lists again.
    """

    def __init__(
        self,
        client: Client,
        extraction: Extraction,
        settings: Settings,
        *,
        entities: frozenset[str],
        reports: tuple[Report, ...],
        today: dt.date,
    ) -> None:
        self._client = client
        self._extraction = extraction
        self._settings = settings
        self._entities = entities
        self._reports = reports
        self._today = today
        self._room = Room()
        self._member_names = Names(client)
        self._lock = threading.Lock()
        self._kept: dict[str, AccountLoad] = {}
        self._names = 0
        self._left_alone: set[str] = set()

    def load(self, chosen: tuple[str, Found], days: Round) -> None:
        """Load of an account what a round asks for; raises PipelineError when it cannot be loaded to the end."""
        account_id, element = chosen
        if isinstance(element, PipelineError):
            raise element
        if account_id in self._left_alone:
            return
        load = self._taken(account_id) or self._begun(account_id, row(ACCOUNT, element, account_id))
        if not load.run(days):
            self._left_alone.add(account_id)
        elif days.oldest is not None:
            self._keep(account_id, load)

    def _begun(self, account_id: str, account: dict[str, Any]) -> AccountLoad:
        return AccountLoad(
            self._client,
            self._extraction,
            self._settings,
            account=account,
            account_id=account_id,
            entities=self._entities,
            reports=self._reports,
            today=self._today,
            room=self._room,
            names=self._member_names,
        )

    def _taken(self, account_id: str) -> AccountLoad | None:
        with self._lock:
            load = self._kept.pop(account_id, None)
            self._names -= len(load.directory) if load else 0
        return load

    def _keep(self, account_id: str, load: AccountLoad) -> None:
        """Keep an account's names where they fit; the others' stay, because every account has its turn in a round."""
        with self._lock:
            if self._names + len(load.directory) <= MOST_NAMES:
                self._kept[account_id] = load
                self._names += len(load.directory)


class AccountLoad:
    """What one run loads of one account."""

    def __init__(
        self,
        client: Client,
        extraction: Extraction,
        settings: Settings,
        *,
        account: dict[str, Any],
        account_id: str,
        entities: frozenset[str],
        reports: tuple[Report, ...],
        today: dt.date,
        room: Room,
        names: Names,
    ) -> None:
        self.directory = Directory()
        self._client = client
        self._extraction = extraction
        self._account = account
        self._account_id = account_id
        self._wanted = entities
        self._reports = reports
        self._confirmation = Confirmation(client, account_id, today)
        self._has_names = False
        self._report_load = ReportLoad(
            client,
            extraction,
            settings,
            account=account,
            directory=self.directory,
            confirmation=self._confirmation,
            today=today,
            room=room,
            names=names,
        )

    def run(self, days: Round) -> bool:
        """Load what a round asks for; whether the account can be read at all."""
        if days.is_first:
            if ACCOUNT.name in self._wanted:
                self._extraction.replace_account(ACCOUNT.name, self._account_id, [self._account])
            log.info("account %s, %s", self._account_id, self._account["name"])
        try:
            count = self._load(days)
        except PipelineError as error:
            if self._account["status"] not in _CLOSED or error.kind is not Kind.AUTH or error.account_id is None:
                raise
            log.info(
                "account %s is %s and may not be read any more: only its own row is loaded (%s)",
                *(self._account_id, self._account["status"], error.message),
            )
            return False
        log.info("account %s: %d rows%s", self._account_id, count, "" if days.is_first else " of earlier days")
        return True

    def _load(self, days: Round) -> int:
        count = self._load_entities(self._wanted if days.is_first else frozenset())
        if self._reports and self._account["currency"] is None:
            raise PipelineError(
                Kind.DATA,
                "LinkedIn tells no currency of this account, without which its amounts say nothing; its daily tables "
                "are not loaded",
                account_id=self._account_id,
            )
        count += sum(self._report(report, days) for report in self._reports)
        if days.is_first:
            count += sum(self._entity(entity) for entity in FURTHER if entity.name in self._wanted)
        return count

    def _report(self, report: Report, days: Round) -> int:
        """Load a report. What is wrong with one of somebody's own, or of a further group, keeps no other from being
        loaded.
        """
        try:
            return self._report_load.run(report, days)
        except PipelineError as error:
            own = bool(report.fingerprint)
            if not (error.kind in _THE_REPORTS if own else report.group != CORE and self._is_the_tables(error)):
                raise
            self._give_up(report.name, f"reports.{report.name}" if own else report.name, error)
        return 0

    def _entity(self, entity: Entity) -> int:
        """Load an entity of a further group; the rows loaded."""
        if self._extraction.is_loaded(entity.name, self._account_id):
            return 0
        rows = rows_of(self._client, entity, self._account_id)
        confirm_empty = partial(self._confirmation.nothing_of, entity)
        try:
            return self._extraction.replace_account(entity.name, self._account_id, rows, confirm_empty=confirm_empty)
        except PipelineError as error:
            if not self._is_the_tables(error):
                raise
            self._give_up(entity.name, entity.name, error)
        return 0

    def _is_the_tables(self, error: PipelineError) -> bool:
        """Whether a failure tells of a table of a further group: the account's others were loaded before it.

        An account that is closed may not be read any more at all.
        """
        if error.kind is Kind.AUTH:
            return error.account_id is not None and self._account["status"] not in _CLOSED
        return error.kind in _THE_REPORTS

    def _give_up(self, name: str, what: str, error: PipelineError) -> None:
        self._extraction.give_up([name], self._account_id, PipelineError(error.kind, f"{what}: {error.message}"))

    def _load_entities(self, wanted: frozenset[str]) -> int:
        """Load the entities wanted and read the names that reports need, once; the rows loaded."""
        if self._has_names:
            return 0
        count = load_entities(
            self._client,
            self._extraction,
            self.directory,
            self._confirmation,
            account_id=self._account_id,
            wanted=wanted,
            needed=frozenset[str]().union(*(report.listed for report in self._reports)),
        )
        self._has_names = True
        return count
