"""Which API versions LinkedIn serves on a day: each month's from its first day until its announced end.

The ends are those of learn.microsoft.com/linkedin/marketing/integrations/migrations. A month without version (December
2025) is not served, and a month beyond the table is taken to end on the 15th a year later, as most of them do.
"""

from __future__ import annotations

import datetime as dt
import re

_SPELLING = re.compile(r"(20\d\d)(0[1-9]|1[0-2])(?:\.\d\d)?")
_ENDS = {
    "202508": dt.date(2026, 8, 17),
    "202509": dt.date(2026, 9, 15),
    "202510": dt.date(2026, 10, 15),
    "202511": dt.date(2026, 11, 16),
    "202601": dt.date(2027, 1, 15),
    "202602": dt.date(2027, 2, 15),
    "202603": dt.date(2027, 3, 16),
    "202604": dt.date(2027, 4, 15),
    "202605": dt.date(2027, 5, 15),
    "202606": dt.date(2027, 6, 15),
    "202607": dt.date(2027, 7, 15),
}
_NEVER_PUBLISHED = frozenset({"202512"})


def is_version(text: str) -> bool:
    """Whether a header is spelled as a version: YYYYMM, or YYYYMM.RR with a revision."""
    return _SPELLING.fullmatch(text) is not None


def is_active(text: str, on: dt.date) -> bool:
    """Whether a version is served on a day; its revision makes no difference."""
    month = text.partition(".")[0]
    year, number = int(month[:4]), int(month[4:])
    ends = _ENDS.get(month, dt.date(year + 1, number, 15))
    return month not in _NEVER_PUBLISHED and dt.date(year, number, 1) <= on < ends
