"""`/adTargetingEntities?q=urns`: what the URNs of members' companies, titles, industries and places are called."""

from __future__ import annotations

from sandbox.linkedin.limits import Limits
from sandbox.linkedin.pivots import MEMBER_NAMES
from sandbox.linkedin.replies import Reply, ok, only, refuse, refuse_parameter
from sandbox.linkedin.restli import Value


def targeting_entities(given: dict[str, Value], limits: Limits) -> Reply:
    """Those of the URNs asked for that are known; about the others nothing is said."""
    if given.get("q") != "urns" or given.get("queryVersion") != "QUERY_USES_URNS":
        raise refuse(400, "ILLEGAL_ARGUMENT", "Finder not found for resource adTargetingEntities")
    only(given, "q", "queryVersion", "urns", "locale", "fields")
    if ("", "adTargetingEntities") in limits.refused:
        raise refuse(403, "ACCESS_DENIED", "Not enough permissions to access: adTargetingEntities.FINDER-urns")
    urns = given.get("urns")
    if not isinstance(urns, list) or not urns:
        raise refuse_parameter("urns", "MISSING_FIELD", "Parameter 'urns' is required")
    known = [str(urn) for urn in urns if str(urn) in MEMBER_NAMES]
    return ok({"elements": [{"urn": urn, "name": MEMBER_NAMES[urn]} for urn in known]})
