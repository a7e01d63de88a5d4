"""One run of a pipeline towards the wire: regions with their state, accounts that may fail alone, the exit status."""

from __future__ import annotations

import datetime as dt
import logging
import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import msgspec

from wire import metrics
from wire.channel import Channel, open_channel
from wire.checking import Api, ApiOf, Check, run_check, spoken
from wire.days import Window, due_windows, merged, now
from wire.exits import INTERNAL, OK, Kind, status_of_all
from wire.failures import PipelineError, SchemaError
from wire.invocation import Invocation, read_invocation
from wire.messages import ErrorLine, Replaces
from wire.schema import Table
from wire.settings import start_date, unknown_tables

log = logging.getLogger(__name__)


class Extraction:
    """Sends whole regions: an account's entities, or an account's days, each followed by the state that includes it."""

    def __init__(self, channel: Channel, invocation: Invocation, tables: Sequence[Table]) -> None:
        self._channel = channel
        self._invocation = invocation
        self._tables = {table.name: table for table in tables}
        self._announced: set[str] = set()
        self._state: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(invocation.state))
        self._failed: set[Kind] = set()
        self._lookbacks: dict[str, int] = {}

    def wants(self, name: str) -> bool:
        """Whether a table is asked for, by the settings' `tables` or by a catalog; neither means all."""
        unknown_tables(self._invocation.settings, tuple(self._tables.values()))
        tables = self._invocation.settings.get("tables") or ()
        if tables and name not in tables:
            return False
        selected = self._invocation.selected
        return selected is None or name in selected

    def replace_account(
        self,
        name: str,
        account_id: str,
        rows: Iterable[Mapping[str, Any]],
        *,
        confirm_empty: Callable[[], bool] | None = None,
    ) -> int:
        """Send an account's entities: `rows` are all of them. If they cannot all be had, nothing was sent.

        `confirm_empty` is asked only where there are none now and the account was loaded before: whether a second,
        independent question to the platform says the same. Without its yes the supervisor keeps the rows that it has.
        """
        count = self._send(name, rows)
        known = account_id in self._known_accounts(name)
        self._account_state(name, account_id)
        replaces = Replaces(
            stream=name,
            where={"account_id": account_id},
            rows=count,
            confirmed=_confirmed(count, confirm_empty if known else None),
        )
        self._channel.state(self._state, replaces)
        return count

    def replace_window(
        self,
        name: str,
        account_id: str,
        window: Window,
        rows: Iterable[Mapping[str, Any]],
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
        count = self._send(name, rows)
        account = self._account_state(name, account_id)
        known = any(
            each.first <= window.last and window.first <= each.last for each in _windows(account.get("complete", ()))
        )
        confirmed = _confirmed(count, confirm_empty if known else None)
        yesterday = today - dt.timedelta(days=1)
        _mark(account, "complete", window, yesterday)
        _mark(account, "settled", window, min(yesterday, today - dt.timedelta(days=self._lookbacks.get(name, 0))))
        replaces = Replaces(
            stream=name,
            where={"account_id": account_id},
            first=window.first.isoformat(),
            last=window.last.isoformat(),
            rows=count,
            confirmed=confirmed,
        )
        self._channel.state(self._state, replaces)
        return count

    def due(
        self,
        name: str,
        account_id: str,
        *,
        today: dt.date,
        lookback_days: int,
        window_days: int,
        earliest: dt.date | None = None,
    ) -> tuple[Window, ...]:
        """The windows of a daily table that an account still needs, newest first; see `wire.days.due_windows`.

        `earliest` is the oldest day that the platform still serves.
        """
        self._lookbacks[name] = lookback_days
        start = start_date(self._invocation.settings, today)
        since = self._invocation.since
        if earliest is not None:
            start = max(start, earliest)
            since = max(since, earliest) if since else None
        return due_windows(
            start=start,
            today=today,
            settled=_windows(self._account_state(name, account_id).get("settled", ())),
            lookback_days=lookback_days,
            window_days=window_days,
            since=since,
            until=self._invocation.until,
        )

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
            self._failed.add(error.kind)
            log.error("account %s: %s", account_id, error.message)
            self._channel.error(ErrorLine(error.kind, error.message, error.retry_after, account_id))

    @property
    def exit_status(self) -> int:
        return status_of_all(frozenset(self._failed))

    def _send(self, name: str, rows: Iterable[Mapping[str, Any]]) -> int:
        gathered = self._channel.gather(name, rows)
        if name not in self._announced:
            self._channel.schema(self._tables[name])
            self._announced.add(name)
        self._channel.send(gathered)
        return gathered.count

    def _known_accounts(self, name: str) -> dict[str, Any]:
        streams = self._state.setdefault("bookmarks", {})
        accounts: dict[str, Any] = streams.setdefault(name, {}).setdefault("accounts", {})
        return accounts

    def _account_state(self, name: str, account_id: str) -> dict[str, Any]:
        account: dict[str, Any] = self._known_accounts(name).setdefault(account_id, {})
        return account


def _confirmed(count: int, confirm_empty: Callable[[], bool] | None) -> bool:
    return count == 0 and confirm_empty is not None and confirm_empty()


def run_pipeline(
    name: str,
    tables: Sequence[Table],
    extract: Callable[[Invocation, Extraction], None],
    *,
    check: Check | None = None,
    api: Api | ApiOf | None = None,
) -> int:
    """A pipeline's whole main function: everything from the command line to the exit status.

    `check` finds what is wrong with settings and credentials without the network, for `--check`; `api` is the version
    of the platform's API that the pipeline speaks, or finds it where a setting decides.

    `extract` imports the SDK itself, after standard output has been taken for the wire. Whatever it raises becomes one
    ERROR line and one log line; a traceback is only logged at LOG_LEVEL=DEBUG, because it may quote a request.
    """
    logging.basicConfig(
        stream=sys.stderr, level=os.environ.get("LOG_LEVEL", "INFO").upper(), format="%(levelname)-8s | %(message)s"
    )
    channel: Channel | None = None
    try:
        invocation = read_invocation(name)
        channel = open_channel()
        if invocation.discover or invocation.check:
            return _answer(channel, invocation, tables, check=check, api=spoken(api, invocation))
        version = spoken(api, invocation)
        for warning in version.warnings(now().date()) if version else ():
            log.warning("%s", warning)
        extraction = Extraction(channel, invocation, tables)
        extract(invocation, extraction)
        channel.flush()
        return extraction.exit_status
    except PipelineError as error:
        log.debug("the failure in full", exc_info=True)
        return _report(channel, error)
    except SchemaError as error:
        return _report(channel, PipelineError(Kind.INTERNAL, str(error)))
    except BrokenPipeError:
        log.error("nobody reads the output any more")
        return INTERNAL
    except Exception as error:  # the last line of defence: the operator gets a sentence, not a traceback
        log.debug("the failure in full", exc_info=True)
        return _report(channel, PipelineError(Kind.INTERNAL, f"a bug in this pipeline: {type(error).__name__}"))
    finally:
        metrics.report()


def _report(channel: Channel | None, error: PipelineError) -> int:
    log.error("%s", error.message)
    if channel is not None:
        try:
            channel.error(ErrorLine(error.kind, error.message, error.retry_after, error.account_id))
        except BrokenPipeError:
            log.error("nobody reads the output any more")
    return error.exit_status


def _answer(
    channel: Channel, invocation: Invocation, tables: Sequence[Table], *, check: Check | None, api: Api | None
) -> int:
    """What is asked instead of a load: the catalog, or what a check finds."""
    if invocation.discover:
        _print_catalog(channel, tables)
        return OK
    return run_check(channel, invocation, tables, check=check, api=api)


def _print_catalog(channel: Channel, tables: Sequence[Table]) -> None:
    streams = [
        {
            "tap_stream_id": table.name,
            "stream": table.name,
            "schema": table.json_schema(),
            "key_properties": list(table.key),
            "metadata": [{"breadcrumb": [], "metadata": {"selected": True, "table-key-properties": list(table.key)}}],
        }
        for table in tables
    ]
    channel.write_line({"streams": streams})


def _mark(account: dict[str, Any], what: str, window: Window, last: dt.date) -> None:
    """Add the days of `window` up to `last` to the days that the account's state lists under `what`."""
    if min(window.last, last) < window.first:
        return
    done = merged([*_windows(account.get(what, ())), Window(window.first, min(window.last, last))])
    account[what] = [[each.first.isoformat(), each.last.isoformat()] for each in done]


def _windows(pairs: Iterable[Sequence[str]]) -> tuple[Window, ...]:
    return tuple(Window(dt.date.fromisoformat(first), dt.date.fromisoformat(last)) for first, last in pairs)
