"""Google's own opinion of the reports: a query that is validated and not run, for `supervisor check --online`."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping

from google_pipeline.accounts import Account, selected
from google_pipeline.client import Session
from google_pipeline.errors import AccountClosedError, QueryRefusedError
from google_pipeline.queries import Query
from google_pipeline.settings import Configuration
from wire import PipelineError, Window, today_in, wrong_report

log = logging.getLogger(__name__)


def refusals(
    session: Session, accounts: Mapping[str, Account], configuration: Configuration
) -> Iterator[PipelineError]:
    """For each report that Google refuses, a finding in its words. One account is enough: fields are the same for all.

    Raises PipelineError where Google cannot be asked at all.
    """
    left = list(configuration.reports)
    for _, account in selected(accounts, configuration.accounts):
        if isinstance(account, PipelineError) or account.is_closed:
            continue
        try:
            while left:
                finding = _refusal(session, account, left[0])
                left.pop(0)
                if finding is not None:
                    yield finding
        except AccountClosedError as closed:
            log.info("account %s: %s; asking another one", account.id, closed.message)
        else:
            return


def _refusal(session: Session, account: Account, query: Query) -> PipelineError | None:
    today = today_in(account.timezone)
    try:
        session.persistently(
            lambda: session.validate(query, account.target, Window(today, today)), f"account {account.id}"
        )
    except QueryRefusedError as refused:
        return wrong_report(query.name, "", refused.message.removeprefix(f"{query.name}: "))
    return None
