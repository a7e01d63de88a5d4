"""The command `pipeline-facebook`: all accounts side by side, their entities first, then their reports."""

from __future__ import annotations

import sys
from collections.abc import Iterator

from facebook_pipeline.settings import api_of, problems, read_credentials, read_settings
from facebook_pipeline.tables import TABLES
from wire import Extraction, Invocation, Limiter, ListedAccount, Round, load_accounts, run_pipeline


def main() -> None:
    sys.exit(run_pipeline("pipeline-facebook", TABLES, extract, check=problems, api=api_of, accounts=listed))


def extract(invocation: Invocation, extraction: Extraction) -> None:
    """Load what the settings ask for; the SDK is imported here, when standard output already belongs to the wire."""
    from facebook_pipeline.accounts import Listed, blamed_on, listed_accounts  # noqa: PLC0415 - the SDK comes with it
    from facebook_pipeline.client import Graph  # noqa: PLC0415 - the same
    from facebook_pipeline.entities import load_entities  # noqa: PLC0415 - the same
    from facebook_pipeline.reports import load_reports  # noqa: PLC0415 - the same
    from facebook_pipeline.runs import Runs  # noqa: PLC0415 - the same

    settings = read_settings(invocation.settings)
    wanted = frozenset(table.name for table in TABLES if extraction.wants(table.name))
    limiter = Limiter(settings.concurrency)
    graph = Graph.connect(settings, read_credentials(settings), limiter)
    runs = Runs(graph, settings)

    def load(listed: Listed, within: Round) -> None:
        own = graph.for_account(listed.id)
        with blamed_on(listed.id):
            account = listed.read(own)
        with blamed_on(account.id, is_closed=account.is_closed):
            if within.is_first:
                load_entities(own, extraction, account, wanted)
            load_reports(own, settings, extraction, account, wanted, runs=runs, within=within)

    load_accounts(
        extraction,
        listed_accounts(graph, settings),
        load,
        account_id=lambda listed: listed.id,
        lookback_days=settings.lookback_days,
        limiter=limiter,
    )


def listed(invocation: Invocation, _: Extraction) -> Iterator[ListedAccount]:
    """All accounts that the token can see, whichever are asked for."""
    from facebook_pipeline.accounts import discovered  # noqa: PLC0415 - the SDK comes with it
    from facebook_pipeline.client import Graph  # noqa: PLC0415 - the same

    settings = read_settings(invocation.settings)
    graph = Graph.connect(settings, read_credentials(settings), Limiter(settings.concurrency))
    for account in {each.id: each for each in discovered(graph)}.values():
        yield account.told
