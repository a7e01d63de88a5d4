"""The views over all platforms that divide campaigns: by conversion, device, place and search term, each as data.

`queries` makes SQL of them; the storages that have views, the documentation and dbt use them. It imports `unified`.
"""

from __future__ import annotations

from supervisor.sinks.breakdowns.conversion import CONVERSION
from supervisor.sinks.breakdowns.device import DEVICE
from supervisor.sinks.breakdowns.geo import GEO
from supervisor.sinks.breakdowns.search_term import SEARCH_TERM

BREAKDOWNS = (CONVERSION, DEVICE, GEO, SEARCH_TERM)
