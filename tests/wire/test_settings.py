"""Settings are wrong all at once, each by its key."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from wire import wrong_settings


class Model(Struct, frozen=True):
    accounts: tuple[str, ...] = ()
    window_days: Annotated[int, Meta(ge=1)] = 7


def told(given: dict[str, object]) -> list[str]:
    return [error.message for error in wrong_settings(given, Model)]


def test_every_wrong_key_is_named() -> None:
    found = told({"acounts": [], "window_days": 0, "accounts": [1], "colour": "red"})
    assert found == [
        "settings.acounts: there is no such setting; did you mean 'accounts'? there are accounts, window_days",
        "settings.window_days: expected `int` >= 1",
        "settings.accounts: expected `str`, got `int`",
        "settings.colour: there is no such setting; there are accounts, window_days",
    ]


def test_reports_of_ones_own_are_not_dropped_where_a_pipeline_knows_none() -> None:
    assert told({"reports": [{"name": "device_daily"}]}) == [
        "settings.reports: this pipeline knows no reports of one's own"
    ]
    assert told({"reports": []}) == []


def test_right_settings_have_nothing_to_tell() -> None:
    assert told({"accounts": ["1"], "window_days": 1}) == []
