"""What a breakdown is: a view that divides the numbers of campaigns, and its parts, one of each platform's tables."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from supervisor.sinks.unified import DECIMAL, MEASURES, Measure

ALL_MEASURES = {**MEASURES, "all_conversions": "DOUBLE", "all_conversions_value": DECIMAL}
"""Of the views of the levels and of these, with their types."""

COUNTS = ("impressions", "clicks", "link_clicks", "spend", "conversions", "conversions_value", "leads", "is_final")
"""The measures of what divides everything that a campaign has."""


@frozen
class Dimension:
    """A column of text that divides the numbers; one that `is_attribute` depends on the others and is in no key."""

    name: str
    note: str
    is_attribute: bool = False


@frozen
class Lookup:
    """A further table of the platform, whose row is joined as `alias` where `on` holds; `needs` are its columns."""

    alias: str
    table: str
    on: str
    needs: tuple[str, ...]


@frozen
class Part:
    """The rows of one table `d` as rows of a view.

    `dimensions` have several expressions where some need a table of `lookups` that may not be there: the first that can
    be had is taken. `measures` stand in place of the platform's own, `where` is a condition. A campaign's day that the
    table `unless` has is left out.
    """

    platform: str
    table: str
    dimensions: Mapping[str, tuple[Measure, ...]]
    measures: Mapping[str, Measure] = {}
    where: Measure | None = None
    lookups: tuple[Lookup, ...] = ()
    unless: str = ""


@frozen
class Breakdown:
    """A view: the levels below the account that it names, what divides them, and its measures."""

    name: str
    note: str
    levels: tuple[str, ...]
    dimensions: tuple[Dimension, ...]
    measures: tuple[str, ...]
    parts: tuple[Part, ...]

    @property
    def dividing(self) -> tuple[str, ...]:
        """The dimensions of the key."""
        return tuple(each.name for each in self.dimensions if not each.is_attribute)

    @property
    def key(self) -> tuple[str, ...]:
        """The columns that tell its rows apart."""
        return ("platform", "account_id", "date", *(f"{level}_id" for level in self.levels), *self.dividing)

    @property
    def texts(self) -> tuple[str, ...]:
        """Its columns between those of the account and the measures."""
        named = (f"{level}_{what}" for level in self.levels for what in ("id", "name"))
        return (*named, *(each.name for each in self.dimensions))


UNTOLD = Measure("NULL", ())
"""In place of a measure that the platform has, and not in the sense of the view."""


def told(name: str) -> tuple[Measure, ...]:
    """A dimension as the platform tells it; empty where it does not."""
    return (Measure(f"coalesce(d.{name}, '')", (name,)),)


def always(text: str) -> tuple[Measure, ...]:
    """The same in all rows."""
    return (Measure(f"'{text}'", ()),)


def vocabulary(name: str, words: Mapping[str, str], other: str) -> tuple[Measure, ...]:
    """A vocabulary of ours in place of the platform's; `other` is what it has beside these."""
    cases = " ".join(f"WHEN '{theirs}' THEN '{ours}'" for theirs, ours in words.items())
    return (Measure(f"CASE coalesce(d.{name}, '') {cases} ELSE '{other}' END", (name,)),)
