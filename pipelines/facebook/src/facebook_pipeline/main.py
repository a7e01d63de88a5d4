"""The command `pipeline-facebook`: every account in turn, its entities first, then its reports."""

from __future__ import annotations

import sys

from facebook_pipeline.tables import TABLES
from wire import Extraction, Invocation, run_pipeline


def main() -> None:
    sys.exit(run_pipeline("pipeline-facebook", TABLES, extract))


def extract(invocation: Invocation, extraction: Extraction) -> None:
    """Load what the settings ask for; the SDK is imported here, when standard output already belongs to the wire."""
    from facebook_pipeline.accounts import blamed_on, each_account  # noqa: PLC0415 - the SDK comes with it
    from facebook_pipeline.client import Graph  # noqa: PLC0415 - the same
    from facebook_pipeline.entities import load_entities  # noqa: PLC0415 - the same
    from facebook_pipeline.reports import load_reports  # noqa: PLC0415 - the same
    from facebook_pipeline.settings import read_credentials, read_settings  # noqa: PLC0415 - beside its users

    settings = read_settings(invocation.settings)
    wanted = frozenset(table.name for table in TABLES if extraction.wants(table.name))
    graph = Graph.connect(settings, read_credentials(settings))
    for account in each_account(graph, settings, extraction):
        with extraction.account(account.id), blamed_on(account.id, is_closed=account.is_closed):
            load_entities(graph, extraction, account, wanted)
            load_reports(graph, settings, extraction, account, wanted)
