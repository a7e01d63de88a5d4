"""Which accounts there are, in what state, and which of them a run loads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from linkedin_pipeline.client import Client
from linkedin_pipeline.entities import found
from linkedin_pipeline.tables import ACCOUNT
from wire import Kind, PipelineError

_NAMELESS = "without an id"

Found = Mapping[str, Any] | PipelineError
"""An account as LinkedIn lists it, or why that cannot be used."""


def discovered(client: Client) -> dict[str, Found]:
    """Every account that the token's member has access to, by id, in whatever status."""
    accounts: dict[str, Found] = {}
    for element in found(client, ACCOUNT):
        try:
            account_id = str(ACCOUNT.identifier.value(element) or _NAMELESS)
        except PipelineError:
            account_id = _NAMELESS
        if account_id == _NAMELESS:
            name = str(element.get("name"))[:60]
            accounts[_NAMELESS] = PipelineError(Kind.DATA, f"LinkedIn lists an ad account {name!r} without its id")
        elif accounts.setdefault(account_id, element) != element:
            accounts[account_id] = PipelineError(
                Kind.DATA, f"LinkedIn lists ad account {account_id} twice, with different contents"
            )
    return accounts


def loaded_before(state: Mapping[str, Any]) -> list[str]:
    """The accounts that a run's state knows."""
    tables = state.get("bookmarks", {}).values()
    return sorted({account_id for table in tables for account_id in table.get("accounts", {})})


def selected(
    accounts: Mapping[str, Found], asked: tuple[str, ...], before: Sequence[str]
) -> Iterator[tuple[str, Found]]:
    """Those asked for, or all, those loaded `before` among them; raises PipelineError (config) where all are none.

    LinkedIn lists accounts in any status, removed ones too: one that is missing is one that the member lost.
    """
    if not accounts and not asked:
        raise PipelineError(
            Kind.CONFIG,
            "the token's member has no access to any ad account, so there is nothing to load: give the member a role "
            "in the accounts (Campaign Manager, Manage access), or authorize the application as another member",
        )
    for account_id in asked:
        if account_id not in accounts:
            yield (
                account_id,
                PipelineError(
                    Kind.CONFIG,
                    f"ad account {account_id} is asked for, but the token's member has no access to it; "
                    "check the id, or give the member a role in the account",
                    account_id=account_id,
                ),
            )
    for account_id in () if asked else before:
        if account_id not in accounts:
            yield (
                account_id,
                PipelineError(
                    Kind.AUTH,
                    f"ad account {account_id} was loaded before and is not among those that the token's member has "
                    "access to; give the member its role back, or name the accounts to load in the setting accounts",
                    account_id=account_id,
                ),
            )
    yield from ((id_, each) for id_, each in accounts.items() if not asked or id_ in asked)
