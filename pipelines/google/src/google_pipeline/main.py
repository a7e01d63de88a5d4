"""The command `pipeline-google`: the frame around the extraction, free of the SDK until standard output is safe."""

from __future__ import annotations

import os
import sys

from google_pipeline.tables import TABLES
from wire import Extraction, Invocation, run_pipeline


def main() -> None:
    sys.exit(run_pipeline("pipeline-google", TABLES, extract))


def extract(invocation: Invocation, extraction: Extraction) -> None:
    """Load everything that is due. gRPC's C core reads its verbosity when it is imported, so it is set before that."""
    os.environ.setdefault("GRPC_VERBOSITY", "NONE")
    from google_pipeline.extract import extract_accounts  # noqa: PLC0415 - imports the SDK, after the wire was taken

    extract_accounts(invocation, extraction)
