"""The command `pipeline-google`: find the accounts, then load them side by side, recent days of all before backfill.

The SDK is imported only where standard output is safe and the configuration makes sense: that takes half a second.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from google_pipeline.errors import LoginExhaustedError
from google_pipeline.settings import Configuration, Settings, arrange_proxies, check, read_configuration, spoken_version
from google_pipeline.tables import QUERIES, TABLES
from wire import (
    CheckWarning,
    Extraction,
    FieldsLine,
    Invocation,
    Kind,
    Limiter,
    ListedAccount,
    PipelineError,
    Round,
    Table,
    leave,
    load_accounts,
    run_pipeline,
)

if TYPE_CHECKING:
    from google_pipeline.client import Session

_TOKEN_TIMEOUT = 60.0
NAMED = 5
"""So many accounts are named in a sentence, and the others counted."""


def main() -> None:
    status = run_pipeline(
        "pipeline-google",
        tables,
        extract,
        check=check,
        probe=probe,
        api=spoken_version,
        accounts=listed,
        fields=fields,
    )
    leave(status)


def tables(invocation: Invocation) -> tuple[Table, ...]:
    """The built-in tables, and one for each report of the settings that can be read."""
    if not invocation.settings.get("reports"):
        return TABLES
    from google_pipeline.definitions import reports  # noqa: PLC0415 - reads the catalog, which few runs need

    spoken = spoken_version(invocation)
    version = spoken.version if spoken else Settings().api_version
    return (*TABLES, *(query.table for query in reports(invocation.settings, version).queries))


def extract(invocation: Invocation, extraction: Extraction) -> None:
    """Load everything that is due, for the accounts asked for or, if none are named, for all."""
    configuration = read_configuration(invocation.settings)
    settings = configuration.settings
    queries = [query for query in (*QUERIES, *configuration.reports) if extraction.wants(query.name)]
    limiter = Limiter(settings.concurrency)
    session = _session(configuration, limiter)
    from google_pipeline.accounts import discovered, selected  # noqa: PLC0415 - imports the SDK, see above
    from google_pipeline.loading import Loading  # noqa: PLC0415 - the same
    from google_pipeline.places import load_places  # noqa: PLC0415 - the same

    found = discovered(session, extraction, configuration.access.manager_customer_id, limiter)
    chosen = dict(selected(found, configuration.accounts))
    own = [query for query in queries if not query.shared]
    accounts: dict[str, Loading | PipelineError] = {
        account_id: account
        if isinstance(account, PipelineError)
        else Loading(session, settings, extraction, account, own)
        for account_id, account in chosen.items()
    }
    unfinished = set(accounts)

    def load(account_id: str, within: Round) -> None:
        unfinished.add(account_id)
        account = accounts[account_id]
        if isinstance(account, PipelineError):
            raise account
        account.load(within)
        unfinished.discard(account_id)

    try:
        if len(own) < len(queries):
            load_places(session, extraction, [each for each in chosen.values() if not isinstance(each, PipelineError)])
        load_accounts(
            extraction, list(accounts), load, account_id=str, lookback_days=settings.lookback_days, limiter=limiter
        )
    except LoginExhaustedError:
        left = [each for each in accounts if extraction.has(each)]
        left = [each for each in left if each in unfinished or extraction.has_backfill(each)]
        raise _exhausted(session, [each for each in left if not extraction.has_failed(each)]) from None


def listed(invocation: Invocation, extraction: Extraction) -> Iterator[ListedAccount]:
    """The accounts below the given manager, or below whatever the login reaches, managers included."""
    configuration = read_configuration(invocation.settings)
    limiter = Limiter(configuration.settings.concurrency)
    session = _session(configuration, limiter)
    from google_pipeline.accounts import discovered  # noqa: PLC0415 - imports the SDK, see above

    manager = configuration.access.manager_customer_id
    for account in discovered(session, extraction, manager, limiter).values():
        yield account.listed


def probe(invocation: Invocation, extraction: Extraction) -> Iterator[PipelineError | CheckWarning]:
    """What Google finds wrong with each report, without running any: it is asked on the first account that answers."""
    configuration = read_configuration(invocation.settings)
    if not configuration.reports:
        return
    limiter = Limiter(configuration.settings.concurrency)
    session = _session(configuration, limiter)
    from google_pipeline.accounts import discovered  # noqa: PLC0415 - imports the SDK, see above
    from google_pipeline.probing import refusals  # noqa: PLC0415 - the same

    found = discovered(session, extraction, configuration.access.manager_customer_id, limiter)
    yield from refusals(session, found, configuration)


def fields() -> FieldsLine:
    """All that reports of one's own can name."""
    from google_pipeline.catalog import listed as catalogued  # noqa: PLC0415 - reads the catalog

    return catalogued()


def _session(configuration: Configuration, limiter: Limiter) -> Session:
    # gRPC's C core writes to standard error by itself, and reads this when it is imported.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    arrange_proxies(configuration.access)
    access, settings = configuration.access, configuration.settings
    from google_pipeline.tokens import Tokens  # noqa: PLC0415 - imports the SDK's part for that, see above

    tokens = Tokens(access, min(_TOKEN_TIMEOUT, settings.request_timeout))
    # On its way while gRPC is imported.
    tokens.fetch_ahead()
    from google_pipeline.client import Session  # noqa: PLC0415 - imports the SDK, see above

    return Session(tokens, access, settings, limiter)


def _exhausted(session: Session, left: Sequence[str]) -> PipelineError:
    """The run's failure: asking for these accounts would only be refused, one by one."""
    assert session.exhausted is not None
    named = ", ".join(left[:NAMED]) + (f" and {len(left) - NAMED} more" if len(left) > NAMED else "")
    message = f"{len(left)} accounts were left out, wholly or in part ({named}): {session.exhausted.message}"
    return PipelineError(Kind.QUOTA, message, retry_after=session.exhausted.retry_after)
