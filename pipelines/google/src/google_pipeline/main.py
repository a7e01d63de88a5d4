"""The command `pipeline-google`: find the accounts, then for each its entities, then its reports.

The SDK is imported only where standard output is safe and the configuration makes sense, because it takes a second.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from google_pipeline.errors import AccountClosedError
from google_pipeline.queries import Query
from google_pipeline.settings import Settings, arrange_proxies, check, read_configuration, spoken_version
from google_pipeline.tables import QUERIES, TABLES
from wire import Extraction, Invocation, Kind, PipelineError, run_pipeline

if TYPE_CHECKING:
    from google_pipeline.accounts import Account
    from google_pipeline.client import Session

log = logging.getLogger(__name__)


def main() -> None:
    sys.exit(run_pipeline("pipeline-google", TABLES, extract, check=check, api=spoken_version))


def extract(invocation: Invocation, extraction: Extraction) -> None:
    """Load everything that is due, for the accounts asked for or, if none are named, for all."""
    configuration = read_configuration(invocation.settings)
    access = configuration.access
    queries = [query for query in QUERIES if extraction.wants(query.name)]
    # gRPC's C core writes to standard error by itself, and reads this when it is imported.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    from google_pipeline.accounts import discovered, selected  # noqa: PLC0415 - imports the SDK, see above
    from google_pipeline.client import Session  # noqa: PLC0415 - the same

    arrange_proxies(access)
    session = Session(access, configuration.settings)
    accounts = discovered(session, extraction, access.manager_customer_id)
    for account_id, account in selected(accounts, configuration.accounts):
        if session.exhausted:
            # Asking for the other accounts would only be refused, one by one.
            message = f"account {account_id} and those after it were left out: {session.exhausted.message}"
            raise PipelineError(Kind.QUOTA, message, retry_after=session.exhausted.retry_after)
        with extraction.account(account_id):
            if isinstance(account, PipelineError):
                raise account
            _load(session, configuration.settings, extraction, account, queries)


def _load(
    session: Session, settings: Settings, extraction: Extraction, account: Account, queries: Sequence[Query]
) -> None:
    """Each table in its turn; one that answers nothing because it is closed has its own row and nothing else."""
    from google_pipeline.confirmation import Confirmation  # noqa: PLC0415 - imports the SDK, see above
    from google_pipeline.entities import Entities  # noqa: PLC0415 - the same
    from google_pipeline.reports import Reports  # noqa: PLC0415 - the same

    log.info("account %s: loading%s", account.id, f", although it is {account.row['status']}" * account.is_closed)
    confirmation = Confirmation(session, account)
    entities = Entities(session, extraction, account, confirmation)
    reports = Reports(session, settings, extraction, account, confirmation)
    count = 0
    try:
        for query in queries:
            count += reports.load(query) if query.daily else entities.load(query)
    except AccountClosedError as closed:
        log.info("account %s: only its customer row is loaded: %s", account.id, closed.message)
    log.info("account %s: %d rows", account.id, count)
