"""What a pipeline can be asked for a list of: the accounts of a login, and the fields that a report can have."""

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


class ListedField(Struct, frozen=True, omit_defaults=True):
    """One field that a report of one's own can name, in the platform's own terms.

    `role` is `by`, `metrics` or `attributes`: the key it belongs under; or `grain`, for what that asks for. `of` are
    what it can be asked of, empty where that is everything; `excludes` are what cannot stand beside it, as the platform
    names it; `note` is unit or meaning.
    """

    name: str
    role: str
    type: str
    note: str = ""
    of: tuple[str, ...] = ()
    excludes: tuple[str, ...] = ()


class FieldsLine(Struct, tag_field="type", tag="FIELDS"):
    """All of them; `of` is everything that a report can be of, and `source` what the list is from, with version."""

    of: list[str]
    fields: list[ListedField]
    source: str
