"""What the members' companies, titles, industries and places are called: adAnalytics tells only their URNs.

`/adTargetingEntities?q=urns` names organizations, titles, functions, industries, seniorities and geos alike, in batches
and with the scopes that ads need anyway; the lookups of single kinds need products of their own. Source:
<https://learn.microsoft.com/en-us/linkedin/shared/references/v2/ads/adtargetingentities>.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterable, Mapping

from linkedin_pipeline.client import Client
from linkedin_pipeline.restli import Projection, Value
from wire import Kind, PipelineError

PATH = "/adTargetingEntities"
BATCH = 20
"""URNs of one request. LinkedIn names no limit; other clients ask for 20 to 50."""

MOST_KEPT = 100_000
"""Names that are kept, of all accounts together: about 30 MB. Beyond them they are asked for again."""

_FINAL = frozenset({Kind.AUTH, Kind.QUOTA, Kind.RATE_LIMIT})

log = logging.getLogger(__name__)


class _Asked:
    """Some URNs on their way; others wait for `done` and find them in `names`."""

    def __init__(self) -> None:
        self.done = threading.Event()
        self.names: dict[str, str] = {}


class Names:
    """The names of a run, each asked for once. Safe between threads."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._known: dict[str, _Asked] = {}
        self._is_refused = False

    def of(self, urns: Iterable[str], account_id: str) -> Mapping[str, str]:
        """The names that there are. One that LinkedIn does not tell is left out, and said in the log.

        Raises PipelineError for what is nobody's name but the login's failure.
        """
        own = _Asked()
        with self._lock:
            if len(self._known) > MOST_KEPT:
                self._known.clear()
            wanted = {urn: self._known.setdefault(urn, own) for urn in urns if urn}
        mine = [urn for urn, asked in wanted.items() if asked is own]
        try:
            for at in range(0, len(mine), BATCH):
                own.names |= self._batch(mine[at : at + BATCH], account_id)
        finally:
            own.done.set()
        for asked in wanted.values():
            asked.done.wait()
        return {urn: asked.names[urn] for urn, asked in wanted.items() if urn in asked.names}

    def _batch(self, urns: list[str], account_id: str) -> dict[str, str]:
        if self._is_refused:
            return {}
        asked: dict[str, Value | Projection] = {"q": "urns", "queryVersion": "QUERY_USES_URNS", "urns": [*urns]}
        try:
            elements = self._client.elements(PATH, asked, account_id=account_id)
        except PipelineError as error:
            if error.account_id is None:
                raise
            self._is_refused = error.kind in _FINAL
            log.warning("names of members' companies, titles and places are missing: %s", error.message)
            return {}
        named = ((each.get("urn"), each.get("name")) for each in elements)
        return {urn: name for urn, name in named if isinstance(urn, str) and isinstance(name, str)}
