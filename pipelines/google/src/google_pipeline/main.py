"""The command `pipeline-google`: the frame around the extraction, free of the SDK until standard output is safe."""

from __future__ import annotations

import os
import sys

from google_pipeline.settings import read_access, read_settings, wanted_accounts
from google_pipeline.tables import QUERIES, TABLES
from wire import Extraction, Invocation, run_pipeline


def main() -> None:
    sys.exit(run_pipeline("pipeline-google", TABLES, extract))


def extract(invocation: Invocation, extraction: Extraction) -> None:
    """Load everything that is due; a wrong configuration is told before the SDK, which takes a second to import."""
    settings = read_settings(invocation.settings)
    access = read_access(settings)
    wanted = wanted_accounts(settings)
    queries = [query for query in QUERIES if extraction.wants(query.name)]
    # gRPC's C core writes to standard error by itself, and reads this when it is imported.
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    from google_pipeline.extract import extract_accounts  # noqa: PLC0415 - imports the SDK, after the wire was taken

    extract_accounts(extraction, settings, access, wanted, queries)
