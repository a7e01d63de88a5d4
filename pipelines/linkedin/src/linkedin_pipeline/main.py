"""The command `pipeline-linkedin`: LinkedIn's Marketing REST API to Singer messages on standard output."""

from __future__ import annotations

import logging
import os
import sys

from linkedin_pipeline.settings import read_settings
from linkedin_pipeline.tables import TABLES
from wire import Extraction, Invocation, Kind, PipelineError, run_pipeline, today_in

log = logging.getLogger(__name__)


def main() -> None:
    """Run the pipeline and exit with its status."""
    sys.exit(run_pipeline("pipeline-linkedin", TABLES, extract))


def extract(invocation: Invocation, extraction: Extraction) -> None:
    """Load every account asked for; an account that fails does not keep the others from being loaded."""
    settings = read_settings(invocation.settings, os.environ)
    wanted = frozenset(table.name for table in TABLES if extraction.wants(table.name))

    from linkedin_pipeline.accounts import AccountLoad, discovered  # noqa: PLC0415 - imports requests, after the wire opened
    from linkedin_pipeline.client import connect  # noqa: PLC0415 - the same

    client = connect(settings)
    # LinkedIn's reporting day is the UTC day, whatever the account's country.
    today = today_in("UTC")
    found = discovered(client)
    for account_id in settings.account_ids:
        if account_id not in found:
            with extraction.account(account_id):
                raise PipelineError(
                    Kind.CONFIG,
                    f"ad account {account_id} is asked for, but the token's member has no access to it; "
                    "check the id, or give the member a role in the account",
                    account_id=account_id,
                )
    chosen = [element for id_, element in found.items() if not settings.account_ids or id_ in settings.account_ids]
    log.info("%d of %d ad accounts are loaded", len(chosen), len(found))
    for element in chosen:
        load = AccountLoad(client, extraction, settings, element=element, wanted=wanted, today=today)
        with extraction.account(load.account_id):
            load.run()
