"""The pipeline from end to end: sign in, find the accounts, load them side by side."""

from __future__ import annotations

import datetime as dt
import logging
from collections.abc import Iterator, Sequence

from microsoft_pipeline.settings import problems, read_settings
from microsoft_pipeline.tables import ENTITIES, REPORTS, TABLES, Report
from wire import (
    Api,
    CheckWarning,
    Extraction,
    FieldsLine,
    Invocation,
    Kind,
    ListedAccount,
    PipelineError,
    Table,
    leave,
    load_accounts,
    run_pipeline,
)

log = logging.getLogger(__name__)

_REST = Api("v13, REST", None, "learn.microsoft.com/advertising/guides/migrate-to-rest names none")
_SOAP = Api("v13, SOAP", dt.date(2027, 1, 31), "learn.microsoft.com/advertising/guides/migrate-to-rest")


def main() -> None:
    status = run_pipeline(
        "pipeline-microsoft",
        tables,
        extract,
        check=check,
        probe=probe,
        api=spoken,
        accounts=listed,
        fields=fields,
    )
    leave(status)


def tables(invocation: Invocation) -> tuple[Table, ...]:
    """The built-in tables and those of the reports of one's own that can be read."""
    return (*TABLES, *(report.table for report in _own(invocation)[0]))


def check(invocation: Invocation) -> Iterator[PipelineError | CheckWarning]:
    """Everything that is wrong with settings, reports of one's own and credentials."""
    yield from problems(invocation.settings)
    if invocation.settings.get("reports"):
        from microsoft_pipeline.catalog import warnings  # noqa: PLC0415 - only runs with reports pay for it

        yield from _own(invocation)[1]
        yield from warnings()


def _own(invocation: Invocation) -> tuple[Sequence[Report], Sequence[PipelineError]]:
    """The reports of one's own, and what is wrong with them."""
    if not invocation.settings.get("reports"):
        return (), ()
    from microsoft_pipeline.definitions import own_reports  # noqa: PLC0415 - as above

    return own_reports(invocation.settings)


def _readable(invocation: Invocation) -> Sequence[Report]:
    """The reports of one's own; raises PipelineError (config) for everything that is wrong with them."""
    own, wrong = _own(invocation)
    if wrong:
        raise PipelineError(Kind.CONFIG, "; ".join(finding.message for finding in wrong))
    return own


def fields() -> FieldsLine:
    """All that reports of one's own can name."""
    from microsoft_pipeline.definitions import fields as catalogued  # noqa: PLC0415 - nothing else needs the catalog

    return catalogued()


def spoken(invocation: Invocation) -> Api:
    """The API that the chosen transport speaks."""
    return _SOAP if invocation.settings.get("transport") == "soap" else _REST


def extract(invocation: Invocation, extraction: Extraction) -> None:
    """Load every table that is asked for, of every account; an account that fails leaves the others alone."""
    _quieten()
    settings = read_settings(invocation.settings)
    entities = frozenset(entity.table.name for entity in ENTITIES if extraction.wants(entity.table.name))
    own = _readable(invocation)
    reports = tuple(report for report in (*REPORTS, *own) if extraction.wants(report.table.name))
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


def probe(invocation: Invocation, extraction: Extraction) -> Iterator[PipelineError | CheckWarning]:
    """What Microsoft itself finds wrong with the reports of one's own."""
    _quieten()
    settings, own = read_settings(invocation.settings), _readable(invocation)
    from microsoft_pipeline.accounts import discover, select  # noqa: PLC0415 - imports requests
    from microsoft_pipeline.client import Client  # noqa: PLC0415 - the same
    from microsoft_pipeline.probing import refusals  # noqa: PLC0415 - the same

    client = Client(settings)
    client.sign_in()
    yield from refusals(client, select(discover(client), settings.accounts, extraction), own)


def _quieten() -> None:
    """At DEBUG these libraries log whole requests, with the tokens and signed addresses in them."""
    for chatty in ("suds", "urllib3", "requests"):
        logging.getLogger(chatty).setLevel(logging.CRITICAL)
