"""The command `pipeline-linkedin`: LinkedIn's Marketing REST API to Singer messages on standard output."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator

from linkedin_pipeline.settings import api_of, check, own_reports, read_settings
from linkedin_pipeline.tables import REPORTS, TABLES
from wire import (
    CheckWarning,
    Extraction,
    FieldsLine,
    Invocation,
    Limiter,
    ListedAccount,
    PipelineError,
    Table,
    leave,
    load_accounts,
    run_pipeline,
    today_in,
)

log = logging.getLogger(__name__)


def main() -> None:
    """Run the pipeline and exit with its status."""
    status = run_pipeline(
        "pipeline-linkedin",
        tables_of,
        extract,
        check=check,
        probe=probe,
        api=api_of,
        accounts=listed,
        fields=fields,
    )
    leave(status)


def tables_of(invocation: Invocation) -> tuple[Table, ...]:
    """The built-in tables, and those of the reports that can be asked for."""
    return (*TABLES, *(report.table for report in own_reports(invocation.settings)[0]))


def extract(invocation: Invocation, extraction: Extraction) -> None:
    """Load every account asked for; an account that fails does not keep the others from being loaded."""
    settings = read_settings(invocation.settings, os.environ)
    entities = frozenset(table.name for table in TABLES if extraction.wants(table.name))
    reports = tuple(report for report in (*REPORTS, *settings.reports) if extraction.wants(report.name))

    from linkedin_pipeline.account_load import AccountLoads  # noqa: PLC0415 - imports requests, after the wire opened
    from linkedin_pipeline.accounts import discovered, loaded_before, selected  # noqa: PLC0415 - the same
    from linkedin_pipeline.client import connect  # noqa: PLC0415 - the same

    limiter = Limiter(settings.concurrency)
    client = connect(settings, limiter)
    # LinkedIn's reporting day is the UTC day, whatever the account's country.
    today = today_in("UTC")
    accounts = discovered(client)
    chosen = tuple(selected(accounts, settings.account_ids, loaded_before(invocation.state)))
    log.info("%d of %d ad accounts are loaded", len(chosen), len(accounts))
    loads = AccountLoads(client, extraction, settings, entities=entities, reports=reports, today=today)
    load_accounts(
        extraction,
        chosen,
        loads.load,
        account_id=lambda account: account[0],
        lookback_days=settings.lookback_days,
        limiter=limiter,
    )


def listed(invocation: Invocation, extraction: Extraction) -> Iterator[ListedAccount]:
    """Every account that the token's member has access to, whichever are asked for."""
    settings = read_settings(invocation.settings, os.environ)

    from linkedin_pipeline.accounts import discovered  # noqa: PLC0415 - imports requests, after the wire opened
    from linkedin_pipeline.client import connect  # noqa: PLC0415 - the same

    for account_id, account in discovered(connect(settings, Limiter(settings.concurrency))).items():
        if isinstance(account, PipelineError):
            with extraction.account(account_id):
                raise account
        else:
            name, currency, status = (str(account.get(key) or "") for key in ("name", "currency", "status"))
            yield ListedAccount(account_id, name, currency, status)


def fields() -> FieldsLine:
    """All that reports of one's own can name."""
    from linkedin_pipeline.catalog import listed_fields  # noqa: PLC0415 - nothing else needs the catalog

    return listed_fields()


def probe(invocation: Invocation, _: Extraction) -> Iterator[PipelineError | CheckWarning]:
    """What LinkedIn itself has against the reports of one's own."""
    settings = read_settings(invocation.settings, os.environ)

    from linkedin_pipeline.client import connect  # noqa: PLC0415 - imports requests, after the wire opened
    from linkedin_pipeline.probing import refused  # noqa: PLC0415 - the same

    return refused(connect(settings, Limiter(settings.concurrency)), settings, today_in("UTC"))
