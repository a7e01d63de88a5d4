"""The pipeline from end to end: sign in, find the accounts, load their entities, then their reports."""

from __future__ import annotations

import logging
import sys

from microsoft_pipeline.heap import collector_paused
from microsoft_pipeline.settings import read_settings
from microsoft_pipeline.tables import ENTITIES, REPORTS, TABLES
from wire import Extraction, Invocation, run_pipeline


def main() -> None:
    sys.exit(run_pipeline("pipeline-microsoft", TABLES, extract))


def extract(invocation: Invocation, extraction: Extraction) -> None:
    """Load every table that is asked for, of every account; an account that fails leaves the others alone."""
    # At DEBUG these libraries log whole requests, with the tokens and signed addresses in them.
    for chatty in ("suds", "urllib3", "requests"):
        logging.getLogger(chatty).setLevel(logging.CRITICAL)
    settings = read_settings(invocation.settings)
    entities = frozenset(entity.table.name for entity in ENTITIES if extraction.wants(entity.table.name))
    reports = tuple(report for report in REPORTS if extraction.wants(report.table.name))

    # Only here, because it imports the SDK, which parses a 1.5 MB description of a service as it is imported.
    with collector_paused():
        from microsoft_pipeline.accounts import discover, select  # noqa: PLC0415 - see above
        from microsoft_pipeline.client import Client  # noqa: PLC0415 - see above
        from microsoft_pipeline.entities import load_entities  # noqa: PLC0415 - see above
        from microsoft_pipeline.reports import load_reports  # noqa: PLC0415 - see above

    client = Client(settings)
    client.sign_in()
    accounts = select(discover(client), settings.accounts, extraction)
    healthy = load_entities(client, extraction, accounts, entities)
    load_reports(client, extraction, healthy, reports)
