"""What Google's places are called: one list for all accounts, asked for once a run.

Any account is told it. Google calls its names English ones (`GeoTargetConstant.name`).
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from google_pipeline.accounts import Account
from google_pipeline.breakdowns import GEO_TARGET_CONSTANT
from google_pipeline.client import Session
from google_pipeline.confirmation import Confirmation
from google_pipeline.entities import compared
from google_pipeline.errors import AccountClosedError
from wire import SHARED, Extraction, PipelineError

log = logging.getLogger(__name__)

_LANGUAGE = {"language": "en"}


def load_places(session: Session, extraction: Extraction, accounts: Iterable[Account]) -> None:
    """Load the list, by the first account that answers; a failure is told and keeps no account from being loaded."""
    name = GEO_TARGET_CONSTANT.name
    # The same rows came from every shard, and nothing would say whose they are.
    if not extraction.has(name) or extraction.is_loaded(name, SHARED):
        return
    for account in accounts:
        try:
            log.info("%s: %d rows", name, _loaded(session, extraction, account))
        except AccountClosedError as closed:
            log.info("%s: %s; asking by another account", name, closed.message)
            continue
        except PipelineError as error:
            extraction.fail(PipelineError(error.kind, error.message, retry_after=error.retry_after))
        return


def _loaded(session: Session, extraction: Extraction, account: Account) -> int:
    def load() -> int:
        return extraction.replace_shared(
            GEO_TARGET_CONSTANT.name,
            _LANGUAGE,
            _rows(session, account),
            confirm_empty=lambda: Confirmation(session, account).no_rows(GEO_TARGET_CONSTANT),
        )

    return session.persistently(load, GEO_TARGET_CONSTANT.name)


def _rows(session: Session, account: Account) -> Iterator[Mapping[str, Any]]:
    for row in compared(GEO_TARGET_CONSTANT, session.rows(GEO_TARGET_CONSTANT, account.target)):
        yield {**row, **_LANGUAGE}
