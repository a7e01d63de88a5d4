"""The command `pipeline-facebook`: every account in turn, its entities first, then its reports."""

from __future__ import annotations

import sys

from facebook_pipeline.settings import api_of, problems, read_credentials, read_settings
from facebook_pipeline.tables import TABLES
from wire import Extraction, Invocation, run_pipeline


def main() -> None:
    sys.exit(run_pipeline("pipeline-facebook", TABLES, extract, check=problems, api=api_of))


def extract(invocation: Invocation, extraction: Extraction) -> None:
    """Load what the settings ask for; the SDK is imported here, when standard output already belongs to the wire."""
    from facebook_pipeline.accounts import each_account, of_account  # noqa: PLC0415 - the SDK comes with it
    from facebook_pipeline.client import Graph  # noqa: PLC0415 - the same
    from facebook_pipeline.entities import load_entities  # noqa: PLC0415 - the same
    from facebook_pipeline.reports import load_reports  # noqa: PLC0415 - the same

    settings = read_settings(invocation.settings)
    wanted = frozenset(table.name for table in TABLES if extraction.wants(table.name))
    graph = Graph.connect(settings, read_credentials(settings))
    for account in each_account(graph, settings, extraction):
        with of_account(extraction, account.id, is_closed=account.is_closed):
            own = graph.for_account(account.id)
            load_entities(own, extraction, account, wanted)
            load_reports(own, settings, extraction, account, wanted)
