"""Rest.li 2.0 queries: what LinkedIn's parser reads is what was meant."""

from __future__ import annotations

import datetime as dt

from hypothesis import given
from hypothesis import strategies as st

from linkedin_pipeline.restli import Projection, encoded, query, urn
from sandbox.linkedin.restli import parameters

SCALARS = st.text()
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(min_size=1), inner, max_size=4),
    max_leaves=8,
)


@given(VALUES)
def test_any_value_survives_the_way_there(value: object) -> None:
    assert parameters(f"q={encoded(value)}") == {"q": value}  # type: ignore[arg-type]  # hypothesis' own recursive type


def test_structure_stays_bare_and_urns_do_not() -> None:
    built = query(
        {
            "q": "analytics",
            "pivot": {"value": "CAMPAIGN"},
            "dateRange": {"start": dt.date(2026, 1, 5), "end": dt.date(2026, 11, 30)},
            "accounts": [urn("sponsoredAccount", "5"), urn("sponsoredAccount", "6")],
            "fields": Projection(("dateRange", "clicks")),
        }
    )
    assert built == (
        "q=analytics&pivot=(value:CAMPAIGN)"
        "&dateRange=(start:(year:2026,month:1,day:5),end:(year:2026,month:11,day:30))"
        "&accounts=List(urn%3Ali%3AsponsoredAccount%3A5,urn%3Ali%3AsponsoredAccount%3A6)"
        "&fields=dateRange,clicks"
    )


def test_scalars_of_other_types() -> None:
    assert encoded([True, False, 5, "", "a b&c=d"]) == "List(true,false,5,'',a%20b%26c%3Dd)"
