"""One run of a pipeline towards the wire: regions with their state, and accounts that may fail alone."""

from __future__ import annotations

import datetime as dt
import logging
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec

from wire.backfill import Backfill
from wire.channel import GATHER_BYTES, Channel, Gathered, Row, takes_patches
from wire.days import (
    Window,
    before,
    due_days,
    first_whole_month,
    in_months,
    in_windows,
    merged,
    month_of,
    now,
    within,
)
from wire.definitions import wrong_report
from wire.exits import Kind, status_of_all
from wire.failures import PipelineError
from wire.groups import chosen
from wire.invocation import Invocation
from wire.messages import ErrorLine, Replaces
from wire.resuming import Resumed, pairs, windows
from wire.rounds import EVERYTHING, Round, rounds
from wire.schema import Table
from wire.settings import backfill_budget, start_date
from wire.shards import Shard

log = logging.getLogger(__name__)

_JSON = msgspec.json.Decoder()

SHARED = "all"
"""What the state calls the account of a table that belongs to none."""


class Extraction:
    """Sends whole regions: an account's entities, or an account's days, each followed by the state that includes it.

    Accounts may be worked on by different threads at the same time; each account by one.
    """

    def __init__(self, channel: Channel, invocation: Invocation, tables: Sequence[Table]) -> None:
        self._channel = channel
        self._invocation = invocation
        self._tables = {table.name: table for table in tables}
        self._announced: set[str] = set()
        self._state: dict[str, Any] = _JSON.decode(msgspec.json.encode(invocation.state))
        self._sends_patches = takes_patches()
        self._failed: set[Kind] = set()
        self._failed_accounts: set[str] = set()
        self._given_up: set[tuple[str, str]] = set()
        self._lookbacks: dict[tuple[str, str], int] = {}
        self._others: dict[str, bool] = {}
        self._lock = threading.RLock()
        self._resumed = Resumed()
        self.backfill = Backfill()
        self.backfill_budget = backfill_budget(invocation.settings)

    def has(self, account_id: str) -> bool:
        """Whether the account is one of this run's shard."""
        return self.shard is None or self.shard.has(account_id)

    @property
    def shard(self) -> Shard | None:
        """Of which shard the accounts are; None means all."""
        return self._invocation.shard

    def wants(self, name: str) -> bool:
        """Whether a table is asked for, by the settings' `tables` or by a catalog.

        The setting chooses among the tables that are there anyway; without it a catalog does, if there is one: a report
        of one's own is wanted because it is written. One whose stored days are of another definition is not, which is
        told as a failure, once.
        """
        settings, selected = self._invocation.settings, self._invocation.selected
        by_setting = chosen(settings, tuple(self._tables.values()))
        decides = selected is None or settings.get("tables")
        if decides and name not in by_setting and not self._tables[name].fingerprint:
            return False
        return (selected is None or name in selected) and not self._is_another(name)

    def replace_account(
        self,
        name: str,
        account_id: str,
        rows: Iterable[Row],
        *,
        confirm_empty: Callable[[], bool] | None = None,
    ) -> int:
        """Send an account's entities: `rows` are all of them. If they cannot all be had, nothing was sent.

        `confirm_empty` is asked only where there are none now and the account was loaded before: whether a second,
        independent question to the platform says the same. Without its yes the supervisor keeps the rows that it has.
        """
        return self._replace(name, account_id, {"account_id": account_id}, rows, confirm_empty)

    def replace_shared(
        self,
        name: str,
        where: Mapping[str, str],
        rows: Iterable[Row],
        *,
        confirm_empty: Callable[[], bool] | None = None,
    ) -> int:
        """Send a table that is the same for all accounts and has no `account_id`: `rows` are all that `where` selects.

        One shard alone sends it, that which `has` the name of the table: nothing says of a row whose it is. In the
        state, and for `is_loaded`, its account is `SHARED`. `confirm_empty` is as of `replace_account`.
        """
        return self._replace(name, SHARED, dict(where), rows, confirm_empty)

    def is_loaded(self, name: str, account_id: str) -> bool:
        """Whether an earlier attempt of this run has loaded the account's entities, so that they need not be asked."""
        with self._lock:
            return self._resumed.has(self._known_accounts(name).get(account_id, {}))

    def replace_window(
        self,
        name: str,
        account_id: str,
        window: Window,
        rows: Iterable[Row],
        *,
        today: dt.date,
        confirm_empty: Callable[[], bool] | None = None,
    ) -> int:
        """Send an account's rows of some days: `rows` are all of them. If they cannot all be had, nothing was sent.

        Days before `today`, the account's own date when the rows were asked for, count as complete from then on. Those
        that the lookback given to `due` no longer reaches the next day count as settled too: only they need not be
        loaded again, however long the next run is in coming.

        `confirm_empty` is asked only where there are no rows now and some of the days were loaded before: whether a
        second, independent question to the platform, the account's own total of these days say, finds nothing either.
        Without its yes the supervisor keeps the rows that it has.
        """
        gathered = self._channel.gather(name, rows)
        replaces = Replaces(
            stream=name,
            where={"account_id": account_id},
            first=window.first.isoformat(),
            last=window.last.isoformat(),
            rows=gathered.count,
            confirmed=_confirmed(gathered, confirm_empty if self._knows(name, account_id, window) else None),
        )
        yesterday = today - dt.timedelta(days=1)
        recent = today - dt.timedelta(days=self._lookbacks.get((name, account_id), 0))
        settled = min(yesterday, recent)

        def mark() -> None:
            old = 0 if self.names_days else sum(map(len, within([window], dt.date.min, before(recent))))
            self.backfill.loaded(recent=len(window) - old, backfill=old)
            account = self._account_state(name, account_id)
            if fingerprint := self._tables[name].fingerprint:
                account["definition"] = fingerprint
            _mark(account, "complete", window, yesterday)
            _mark(account, "settled", window, settled)
            self._resumed.mark(account, window)

        self._send(name, account_id, gathered, replaces, mark)
        return gathered.count

    def due(
        self,
        name: str,
        account_id: str,
        *,
        today: dt.date,
        lookback_days: int,
        window_days: int,
        earliest: dt.date | None = None,
        within_round: Round = EVERYTHING,
        by_month: bool = False,
    ) -> tuple[Window, ...]:
        """The windows of a daily table that an account still needs, newest first; see `wire.days.due_days`.

        `earliest` is the oldest day that the platform still serves; of the days only those of a round are meant, and
        none that an earlier attempt of this run has loaded. `by_month` gives whole calendar months, each a window, the
        running one up to today; a month of which the platform does not serve all days any more is not asked for.
        """
        self._lookbacks[name, account_id] = lookback_days
        start = start_date(self._invocation.settings, today)
        since, until = self._invocation.since, self._invocation.until
        if by_month:
            start, since, until = month_of(start).first, since and month_of(since).first, until and month_of(until).last
            earliest = earliest and first_whole_month(earliest)
        if earliest is not None:
            start = max(start, earliest)
            since = max(since, earliest) if since else None
        with self._lock:
            account = self._account_state(name, account_id)
            due = due_days(
                start=start,
                today=today,
                settled=windows(account.get("settled", ())),
                lookback_days=lookback_days,
                since=since,
                until=until,
            )
            due = () if (name, account_id) in self._given_up else self._resumed.left(account, due)
            first, last = within_round.days(today)
            self.backfill.due(
                name,
                account_id,
                total=0 if self.names_days else max(0, (today - start).days - lookback_days),
                left=sum(map(len, within(due, dt.date.min, before(first)))),
            )
        chosen = within(due, first, last)
        return in_months(chosen, today) if by_month else in_windows(chosen, window_days)

    def rounds(self, lookback_days: int) -> Iterator[Round]:
        """The rounds of this run: see `wire.rounds`. Days that were asked for by name are one round."""
        if self.names_days:
            return iter((EVERYTHING,))
        today = now().date()
        return rounds(start=start_date(self._invocation.settings, today), today=today, lookback_days=lookback_days)

    def newest_day(self, account_id: str) -> str:
        """The newest whole day that is loaded of the account in all its daily tables, "" where one lacks any."""
        days = [
            max((last for _, last in account["complete"]), default="")
            for table in self._state.get("bookmarks", {}).values()
            if "complete" in (account := table.get("accounts", {}).get(account_id, {}))
        ]
        return min(days, default="")

    def has_failed(self, account_id: str) -> bool:
        """Whether something of the account failed in this run."""
        return account_id in self._failed_accounts

    def has_backfill(self, account_id: str) -> bool:
        """Whether days of the account are due that belong to later rounds."""
        return self.backfill.is_left(account_id)

    def share_memory(self, accounts: int) -> None:
        """Let so many accounts together gather in memory what one may gather alone."""
        self._channel.gather_bytes = GATHER_BYTES // accounts

    @contextmanager
    def account(self, account_id: str) -> Iterator[None]:
        """Whatever fails inside is reported as this account's failure, and the pipeline goes on with the next.

        A refused credential or a wrong configuration is not the account's alone, unless the error names the account.
        """
        try:
            yield
        except PipelineError as error:
            if error.account_id is None and error.kind in (Kind.AUTH, Kind.CONFIG):
                raise
            with self._lock:
                self._failed.add(error.kind)
                self._failed_accounts.add(account_id)
                log.error("account %s: %s", account_id, error.message)
                self._channel.error(ErrorLine(error.kind, error.message, error.retry_after, account_id))

    def fail(self, error: PipelineError) -> None:
        """Tell a failure that keeps nothing else from being loaded."""
        with self._lock:
            self._failed.add(error.kind)
            log.error("%s", error.message)
            self._channel.error(ErrorLine(error.kind, error.message, error.retry_after, error.account_id))

    def give_up(self, names: Iterable[str], account_id: str, error: PipelineError) -> None:
        """Tell that tables cannot be had of an account, and leave them out from now on; all else of it is loaded."""
        with self._lock:
            self._given_up.update((name, account_id) for name in names)
            self._failed.add(error.kind)
            log.error("account %s: %s", account_id, error.message)
            self._channel.error(ErrorLine(error.kind, error.message, error.retry_after, account_id))

    @property
    def names_days(self) -> bool:
        """Whether exactly some days were asked for, so that there is no backfill."""
        return bool(self._invocation.since or self._invocation.until)

    @property
    def exit_status(self) -> int:
        return status_of_all(frozenset(self._failed))

    def _replace(
        self,
        name: str,
        account_id: str,
        where: dict[str, str],
        rows: Iterable[Row],
        confirm_empty: Callable[[], bool] | None,
    ) -> int:
        gathered = self._channel.gather(name, rows)
        replaces = Replaces(
            stream=name,
            where=where,
            rows=gathered.count,
            confirmed=_confirmed(gathered, confirm_empty if self._knows(name, account_id) else None),
        )
        self._send(
            name, account_id, gathered, replaces, lambda: self._resumed.mark(self._account_state(name, account_id))
        )
        return gathered.count

    def _send(
        self, name: str, account_id: str, gathered: Gathered, replaces: Replaces, mark: Callable[[], object]
    ) -> None:
        """Rows and the state that `mark` makes of them, with nothing of another thread in between."""
        with self._lock:
            if name not in self._announced:
                self._channel.schema(self._tables[name])
                self._announced.add(name)
            self._channel.send(gathered)
            mark()
            self._send_state(name, account_id, replaces)

    def _is_another(self, name: str) -> bool:
        """Whether what is stored of a table is of another definition than the one it has now."""
        if name in self._others:
            return self._others[name]
        table = self._tables[name]
        known = self._state.get("bookmarks", {}).get(name, {}).get("accounts", {}).values()
        other = any(account.get("definition", "") != table.fingerprint for account in known if account)
        self._others[name] = other
        if other:
            self.fail(
                wrong_report(
                    name,
                    "",
                    "its of, by, grain or where is not the one that its stored days were loaded with, and rows of both "
                    "could not be told apart: give it another name, or drop its table and "
                    f"`supervisor state reset --stream {name}`",
                )
            )
        return other

    def _knows(self, name: str, account_id: str, window: Window | None = None) -> bool:
        """Whether the account was loaded before into this table, at least one day of `window` if it is given."""
        with self._lock:
            if window is None:
                return account_id in self._known_accounts(name)
            complete = windows(self._account_state(name, account_id).get("complete", ()))
        return bool(within(complete, window.first, window.last))

    def _send_state(self, name: str, account_id: str, replaces: Replaces) -> None:
        if self._sends_patches:
            changed = {account_id: self._account_state(name, account_id)}
            self._channel.patch_state({"bookmarks": {name: {"accounts": changed}}}, replaces)
        else:
            self._channel.state(self._state, replaces)

    def _known_accounts(self, name: str) -> dict[str, Any]:
        streams = self._state.setdefault("bookmarks", {})
        accounts: dict[str, Any] = streams.setdefault(name, {}).setdefault("accounts", {})
        return accounts

    def _account_state(self, name: str, account_id: str) -> dict[str, Any]:
        account: dict[str, Any] = self._known_accounts(name).setdefault(account_id, {})
        return account


def _confirmed(gathered: Gathered, confirm_empty: Callable[[], bool] | None) -> bool:
    return gathered.count == 0 and confirm_empty is not None and confirm_empty()


def _mark(account: dict[str, Any], what: str, window: Window, last: dt.date) -> None:
    """Add the days of `window` up to `last` to the days that the account's state lists under `what`."""
    if min(window.last, last) < window.first:
        return
    done = merged([*windows(account.get(what, ())), Window(window.first, min(window.last, last))])
    account[what] = pairs(done)
