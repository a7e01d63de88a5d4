"""The pipeline from end to end: sign in, find the accounts, load them side by side."""

from __future__ import annotations

import datetime as dt
import logging
import sys
from collections.abc import Iterable, Iterator

from microsoft_pipeline.settings import problems, read_settings
from microsoft_pipeline.tables import ENTITIES, REPORTS, TABLES
from wire import (
    Api,
    CheckWarning,
    Extraction,
    Invocation,
    ListedAccount,
    PipelineError,
    load_accounts,
    run_pipeline,
)

log = logging.getLogger(__name__)

_REST = Api("v13, REST", None, "learn.microsoft.com/advertising/guides/migrate-to-rest names none")
_SOAP = Api("v13, SOAP", dt.date(2027, 1, 31), "learn.microsoft.com/advertising/guides/migrate-to-rest")


def main() -> None:
    sys.exit(run_pipeline("pipeline-microsoft", TABLES, extract, check=check, api=spoken, accounts=listed))


def check(invocation: Invocation) -> Iterable[PipelineError | CheckWarning]:
    """Everything that is wrong with settings and credentials."""
    return problems(invocation.settings)


def spoken(invocation: Invocation) -> Api:
    """The API that the chosen transport speaks."""
    return _SOAP if invocation.settings.get("transport") == "soap" else _REST


def extract(invocation: Invocation, extraction: Extraction) -> None:
    """Load every table that is asked for, of every account; an account that fails leaves the others alone."""
    _quieten()
    settings = read_settings(invocation.settings)
    entities = frozenset(entity.table.name for entity in ENTITIES if extraction.wants(entity.table.name))
    reports = tuple(report for report in REPORTS if extraction.wants(report.table.name))
    if settings.transport == "soap":
        log.warning(
            "transport: soap works until %s only, when Microsoft switches SOAP off; take the setting out", _SOAP.ends
        )

    # Only here, because they import requests, which --discover and --check do without.
    from microsoft_pipeline.accounts import discover, select  # noqa: PLC0415 - see above
    from microsoft_pipeline.client import Client  # noqa: PLC0415 - see above
    from microsoft_pipeline.loading import Loading  # noqa: PLC0415 - see above

    client = Client(settings)
    client.sign_in()
    accounts = select(discover(client), settings.accounts, extraction)
    load_accounts(
        extraction,
        accounts,
        Loading(client, extraction, entities, reports).load,
        account_id=lambda account: account.id,
        lookback_days=settings.lookback_days,
        limiter=client.limiter,
    )


def listed(invocation: Invocation, _: Extraction) -> Iterator[ListedAccount]:
    """The accounts that the user can use, under whichever customer."""
    _quieten()
    settings = read_settings(invocation.settings)
    from microsoft_pipeline.accounts import discover  # noqa: PLC0415 - see above
    from microsoft_pipeline.client import Client  # noqa: PLC0415 - see above

    client = Client(settings)
    client.sign_in()
    for account in discover(client):
        yield ListedAccount(account.id, str(account.raw.get("Name") or ""), account.currency or "", account.status)


def _quieten() -> None:
    """At DEBUG these libraries log whole requests, with the tokens and signed addresses in them."""
    for chatty in ("suds", "urllib3", "requests"):
        logging.getLogger(chatty).setLevel(logging.CRITICAL)
