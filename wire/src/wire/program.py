"""A pipeline's whole main function: from the command line to the exit status, a load or a question."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from typing import NoReturn

from msgspec import Struct

from wire import metrics
from wire.channel import Channel, open_channel
from wire.checking import Api, ApiOf, Check, CheckWarning, run_check, spoken
from wire.days import now
from wire.exits import INTERNAL, OK, Kind
from wire.extraction import Extraction
from wire.failures import PipelineError, SchemaError
from wire.groups import LOADED
from wire.invocation import Invocation, read_invocation
from wire.listing import AccountsLine, FieldsLine, ListedAccount
from wire.messages import ErrorLine
from wire.schema import Table

log = logging.getLogger(__name__)

ListAccounts = Callable[[Invocation, Extraction], Iterable[ListedAccount]]
"""The accounts that the login can see; one that cannot be listed is reported through the Extraction."""

Probe = Callable[[Invocation, Extraction], Iterable[PipelineError | CheckWarning]]
"""What the platform itself finds wrong with the reports of an invocation, asked without loading them."""

TablesOf = Callable[[Invocation], Sequence[Table]]
"""The tables of an invocation: those that are there anyway, and those of the reports that can be read."""


class Questions(Struct, frozen=True):
    """What a pipeline answers instead of loading; what it cannot is None.

    `check` finds what is wrong with settings and credentials without the network, for `--check`; `probe` asks the
    platform about the reports, for `--probe`; `api` is the version of the platform's API that the pipeline speaks, or
    finds it where a setting decides; `fields` are all that reports of one's own can name, for `--fields`.
    """

    check: Check | None = None
    probe: Probe | None = None
    api: Api | ApiOf | None = None
    fields: Callable[[], FieldsLine] | None = None


def run_pipeline(
    name: str,
    tables: Sequence[Table] | TablesOf,
    extract: Callable[[Invocation, Extraction], None],
    *,
    check: Check | None = None,
    probe: Probe | None = None,
    api: Api | ApiOf | None = None,
    accounts: ListAccounts | None = None,
    fields: Callable[[], FieldsLine] | None = None,
) -> int:
    """A pipeline's whole main function: everything from the command line to the exit status.

    `tables` are those that it can fill, or find them where settings decide; `accounts` asks the platform what the login
    can see, for `--discover-accounts`. For the rest see `Questions`.

    `extract` imports the SDK itself, after standard output has been taken for the wire. Whatever it raises becomes one
    ERROR line and one log line; a traceback is only logged at LOG_LEVEL=DEBUG, because it may quote a request.
    """
    logging.basicConfig(
        stream=sys.stderr, level=os.environ.get("LOG_LEVEL", "INFO").upper(), format="%(levelname)-8s | %(message)s"
    )
    questions = Questions(check=check, probe=probe, api=api, fields=fields)
    channel: Channel | None = None
    try:
        invocation = read_invocation(name)
        channel = open_channel()
        of_invocation = tables(invocation) if callable(tables) else tables
        if invocation.discover or invocation.is_check or invocation.fields:
            return _answer(channel, invocation, of_invocation, questions)
        extraction = Extraction(channel, invocation, of_invocation)
        version = spoken(api, invocation)
        for warning in version.warnings(now().date()) if version else ():
            log.warning("%s", warning)
        if invocation.discover_accounts:
            _list_accounts(channel, invocation, extraction, accounts)
        else:
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


def leave(status: int) -> NoReturn:
    """End this process at once: all is sent and logged, and taking the SDK's modules apart would only keep the run."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)


def _report(channel: Channel | None, error: PipelineError) -> int:
    log.error("%s", error.message)
    if channel is not None:
        try:
            channel.error(ErrorLine(error.kind, error.message, error.retry_after, error.account_id))
        except BrokenPipeError:
            log.error("nobody reads the output any more")
    return error.exit_status


def _answer(channel: Channel, invocation: Invocation, tables: Sequence[Table], questions: Questions) -> int:
    """What is asked instead of a load: the catalog, the fields of reports, or what a check finds."""
    if invocation.discover:
        _print_catalog(channel, tables)
        return OK
    if invocation.fields:
        if questions.fields is None:
            raise PipelineError(Kind.CONFIG, "this pipeline cannot list fields")
        channel.write_line(questions.fields())
        return OK
    probe = questions.probe if invocation.probe else None
    return run_check(
        channel,
        invocation,
        tables,
        check=questions.check,
        probe=probe and (lambda: probe(invocation, Extraction(channel, invocation, tables))),
        api=spoken(questions.api, invocation),
    )


def _list_accounts(
    channel: Channel, invocation: Invocation, extraction: Extraction, accounts: ListAccounts | None
) -> None:
    if accounts is None:
        raise PipelineError(Kind.CONFIG, "this pipeline cannot list accounts")
    channel.write_line(AccountsLine(list(accounts(invocation, extraction))))


def _print_catalog(channel: Channel, tables: Sequence[Table]) -> None:
    streams = [
        {
            "tap_stream_id": table.name,
            "stream": table.name,
            "schema": table.json_schema(),
            "key_properties": list(table.key),
            "metadata": [
                {
                    "breadcrumb": [],
                    "metadata": {"selected": table.group in LOADED, "table-key-properties": list(table.key)},
                }
            ],
        }
        for table in tables
    ]
    channel.write_line({"streams": streams})
