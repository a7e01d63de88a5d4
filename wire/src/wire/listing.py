"""Which accounts a login can see: what `--discover-accounts` answers, for whoever chooses some of them."""

from __future__ import annotations

from msgspec import Struct


class ListedAccount(Struct, frozen=True):
    """One account. `id` is what the setting `accounts` takes; what the platform does not tell is empty."""

    id: str
    name: str
    currency: str
    status: str


class AccountsLine(Struct, tag_field="type", tag="ACCOUNTS"):
    """Everything that was found; what could not be listed is told by ERROR lines."""

    accounts: list[ListedAccount]
