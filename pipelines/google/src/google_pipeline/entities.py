"""The entity tables of one account: full snapshots, one query each."""

from __future__ import annotations

from google_pipeline.accounts import Account
from google_pipeline.client import Session
from google_pipeline.queries import Query
from google_pipeline.tables import CUSTOMER
from wire import Extraction


def load_entities(session: Session, extraction: Extraction, account: Account, query: Query) -> int:
    """Load an account's rows of an entity table; returns their number."""
    if query is CUSTOMER:
        # Its row came with the list of accounts.
        return extraction.replace_account(query.name, account.id, [account.row])
    return session.persistently(
        lambda: extraction.replace_account(query.name, account.id, session.rows(query, account.target)),
        f"account {account.id}",
    )
