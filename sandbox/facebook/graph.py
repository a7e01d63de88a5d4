"""The Graph API's answers: nodes, edges with cursor paging, and asynchronous insights runs. Knows nothing of HTTP."""

from __future__ import annotations

import base64
import datetime as dt
import json
import re
import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sandbox.facebook import insights
from sandbox.facebook.objects import FIELDS, account_node, edge_nodes
from sandbox.faults import Faults
from sandbox.world import Account, World

OLDEST_VERSION, NEWEST_VERSION = 20, 26
OLDEST_WITH_DELETED = 23
"""Which versions refuse deleted objects on an edge is the sandbox's choice; that some did is Meta's."""
LONGEST_AD_REPORT = 90
"""Days; a longer report of single ads is refused as too large."""
JOB_SECONDS = 0.005
"""How long a run takes; every twenty-fifth one then says 100 % once before it is completed."""
RUNS_WITH_ROWS = 8
"""For how many runs the rows are kept once they were made."""
CREATIVE_PAGE_LIMIT = 250

Answer = dict[str, Any]
Params = Mapping[str, str]


class GraphError(Exception):
    """A refusal in the Graph API's own form."""

    def __init__(
        self, code: int, message: str, *, subcode: int | None = None, status: int = 400, transient: bool = False
    ) -> None:
        super().__init__(message)
        self.status = status
        self.body: Answer = {
            "error": {
                "message": message,
                "type": "OAuthException",
                "code": code,
                "is_transient": transient,
                "fbtrace_id": "AsandboxTrace",
            }
        }
        if subcode is not None:
            self.body["error"]["error_subcode"] = subcode


@dataclass(slots=True)
class _Run:
    """An insights run; `fails` is decided when it is made."""

    number: int
    id: str
    account: Account
    level: str
    first: dt.date
    last: dt.date
    statuses: frozenset[str] | None
    fields: tuple[str, ...]
    windows: frozenset[str]
    made: float
    fails: bool
    waited: bool = False
    completed: bool = False
    rows: list[str] | None = None


class Graph:
    """Answers requests whose token has been checked; `base` is the server's own address."""

    def __init__(self, world: World, faults: Faults, base: str) -> None:
        self._world = world
        self._insights = insights.Insights(world)
        self._faults = faults
        self._base = base
        self._lock = threading.Lock()
        self._runs: dict[str, _Run] = {}
        self._with_rows = deque[_Run]()
        self._nodes: dict[tuple[str, str], list[dict[str, Any]]] = {}

    def answer(self, method: str, path: Sequence[str], params: Params) -> str:
        """The JSON text of an answer; raises GraphError."""
        version = re.fullmatch(r"v(\d+)\.0", path[0] if path else "")
        if version is None:
            raise GraphError(2500, f"Unknown path components: /{'/'.join(path)}")
        number = int(version[1])
        if number < OLDEST_VERSION or number > NEWEST_VERSION:
            raise GraphError(2635, f"(#2635) You are calling a deprecated version of the Ads API: {path[0]}.")
        match method, *path[1:]:
            case "GET", "me", "adaccounts":
                nodes = [account_node(account) for account in self._world.accounts("facebook")]
                return self._edge("adaccounts", nodes, path, params, number)
            case "GET", str(node) if node.startswith("act_"):
                return json.dumps(_picked(account_node(self._account(node)), "adaccounts", _fields(params)))
            case "GET", str(node), ("campaigns" | "adsets" | "ads" | "adcreatives") as edge:
                return self._edge(edge, self._edge_nodes(self._account(node), edge), path, params, number)
            case "POST", str(node), "insights" if node.startswith("act_"):
                return json.dumps(self._start(self._account(node), params))
            case "GET", str(node) if node in self._runs:
                return json.dumps(self._progress(self._runs[node], number, params))
            case "GET", str(node), "insights" if node in self._runs:
                return self._results(self._runs[node], path, params)
        raise _no_such_object(path[-1] if len(path) == 2 else "/".join(path[1:]))

    def _account(self, node: str) -> Account:
        try:
            return self._world.account("facebook", node.removeprefix("act_"))
        except KeyError:
            raise _no_such_object(node) from None

    def _edge_nodes(self, account: Account, edge: str) -> list[dict[str, Any]]:
        key = (account.id, edge)
        if key not in self._nodes:
            self._nodes[key] = edge_nodes(self._world, account, edge)
        return self._nodes[key]

    def _edge(self, edge: str, nodes: list[dict[str, Any]], path: Sequence[str], params: Params, version: int) -> str:
        if edge == "adcreatives" and _limit(params) > CREATIVE_PAGE_LIMIT:
            raise GraphError(
                1, "Please reduce the amount of data you're asking for, then retry your request", status=500
            )
        if edge in insights.EDGES.values():
            statuses = _statuses(params, {edge: level for level, edge in insights.EDGES.items()}[edge])
            if statuses and "DELETED" in statuses and version < OLDEST_WITH_DELETED:
                raise GraphError(100, "(#100) Cannot Request for Deleted Objects", subcode=1815001)
            hidden = ("ARCHIVED", "DELETED")
            nodes = [
                node
                for node in nodes
                if (node["effective_status"] in statuses if statuses else node["effective_status"] not in hidden)
            ]
        fields = _fields(params)
        return self._page([json.dumps(_picked(node, edge, fields)) for node in nodes], path, params)

    def _page(self, objects: Sequence[str], path: Sequence[str], params: Params) -> str:
        """One page. After the first of several comes an empty one that has a next address but no cursors."""
        limit = _limit(params)
        start, gap = _read_cursor(params.get("after"))
        if gap:
            paging = f'{{"next":{json.dumps(self._next(path, params, _cursor(start)))}}}'
            return f'{{"data":[],"paging":{paging}}}'
        end = start + limit
        if end >= len(objects):
            cursors = json.dumps({"cursors": {"before": _cursor(start), "after": _cursor(len(objects))}})
            return f'{{"data":[{",".join(objects[start:])}],"paging":{cursors}}}' if objects else '{"data":[]}'
        after = _cursor(end, gap=start == 0)
        paging = json.dumps(
            {"cursors": {"before": _cursor(start), "after": after}, "next": self._next(path, params, after)}
        )
        return f'{{"data":[{",".join(objects[start:end])}],"paging":{paging}}}'

    def _next(self, path: Sequence[str], params: Params, after: str) -> str:
        # The real one carries the token too: a client that logs it has told its secret.
        query = f"access_token={params['access_token']}&limit={_limit(params)}&after={after}"
        return f"{self._base}/{'/'.join(path)}?{query}"

    def _start(self, account: Account, params: Params) -> Answer:
        level = params.get("level", "")
        if level not in insights.EDGES:
            raise GraphError(100, "(#100) level must be one of the following values: ad, adset, campaign, account")
        if params.get("time_increment") != "1":
            raise GraphError(100, "(#100) the sandbox knows no time_increment but 1")
        first, last = self._time_range(account, params)
        if level == "ad" and (last - first).days >= LONGEST_AD_REPORT:
            message = "(#100) Please reduce the amount of data you're asking for, then retry your request"
            raise GraphError(100, message, subcode=1487534)
        fields = _fields(params)
        for name in fields:
            if name not in insights.FIELDS:
                raise GraphError(100, f"(#100) {name} is not valid for fields param. please check the documentation")
        windows = frozenset(_json(params, "action_attribution_windows", []))
        for name in windows - frozenset(insights.WINDOWS):
            raise GraphError(100, f"(#100) action_attribution_windows: {name} is not a valid attribution window")
        run = _Run(
            number=0,
            id="",
            account=account,
            level=level,
            first=first,
            last=last,
            statuses=_statuses(params, level),
            fields=fields,
            windows=windows,
            made=time.monotonic(),
            fails=self._faults.strike("failed_job") is not None,
        )
        with self._lock:
            run.number = len(self._runs) + 1
            run.id = str(6_023_920_149_050 + run.number)
            self._runs[run.id] = run
        return {"report_run_id": run.id}

    def _time_range(self, account: Account, params: Params) -> tuple[dt.date, dt.date]:
        given = _json(params, "time_range", {})
        try:
            first, last = dt.date.fromisoformat(given["since"]), dt.date.fromisoformat(given["until"])
        except (KeyError, TypeError, ValueError):
            raise GraphError(100, "(#100) Must be a valid date range: time_range") from None
        if first > last:
            raise GraphError(100, "(#100) The start date of the time range must be before its end date")
        today = self._world.today(account)
        if (today.year - first.year) * 12 + today.month - first.month - (first.day > today.day) >= 37:
            raise GraphError(
                3018, "(#3018) The start date of the time range cannot be beyond 37 months from the current date"
            )
        return first, last

    def _progress(self, run: _Run, version: int, params: Params) -> Answer:
        fields = _fields(params)
        told = ("error_code", "error_subcode", "error_message", "error_user_title", "error_user_msg")
        if version < 25 and set(fields) & set(told):
            raise GraphError(100, "(#100) Tried accessing nonexisting field (error_code) on node type (AdReportRun)")
        done = time.monotonic() - run.made >= JOB_SECONDS
        if run.fails:
            status, percent = "Job Failed", 0
        elif not done:
            status, percent = "Job Running", 40
        elif run.number % 25 == 3 and not run.waited:
            status, percent, run.waited = "Job Running", 100, True
        else:
            status, percent = "Job Completed", 100
            run.completed = True
        answer: Answer = {"id": run.id, "async_status": status, "async_percent_completion": percent}
        if run.fails and version >= 25:
            answer |= {
                "error_code": 2,
                "error_message": "The sandbox let this job fail.",
                "error_user_msg": "Try again",
            }
        return answer

    def _results(self, run: _Run, path: Sequence[str], params: Params) -> str:
        if not run.completed:
            raise GraphError(2601, "(#2601) Error accessing adreport job.", subcode=1815107, transient=True)
        with self._lock:
            if run.rows is None:
                run.rows = self._rows(run)
                self._with_rows.append(run)
            if len(self._with_rows) > RUNS_WITH_ROWS:
                self._with_rows.popleft().rows = None
            rows = run.rows
        return self._page(rows or [], path, params)

    def _rows(self, run: _Run) -> list[str]:
        if run.account.closed:
            return []
        found = self._insights.rows(run.account, level=run.level, first=run.first, last=run.last, statuses=run.statuses)
        return [json.dumps(insights.only(row, run.fields, run.windows)) for row in found]


def _picked(node: Mapping[str, Any], edge: str, fields: Iterable[str]) -> Answer:
    for name in fields:
        if name not in FIELDS[edge]:
            raise GraphError(100, f"(#100) Tried accessing nonexisting field ({name}) on node type ({edge})")
    return {"id": node["id"], **{name: node[name] for name in fields if name in node}}


def _no_such_object(name: str) -> GraphError:
    return GraphError(
        100,
        f"Unsupported get request. Object with ID '{name}' does not exist, cannot be loaded due to missing "
        "permissions, or does not support this operation",
        subcode=33,
    )


def _fields(params: Params) -> tuple[str, ...]:
    """Fields come with commas between them, or as a JSON list, as the SDK posts them."""
    text = params.get("fields", "")
    return tuple(name for name in (_json(params, "fields", []) if text.startswith("[") else text.split(",")) if name)


def _limit(params: Params) -> int:
    try:
        limit = int(params.get("limit", "25"))
    except ValueError:
        limit = 0
    if limit < 1:
        raise GraphError(100, "(#100) Param limit must be a positive integer")
    return limit


def _json(params: Params, name: str, default: Any) -> Any:
    try:
        return json.loads(params[name]) if name in params else default
    except ValueError:
        raise GraphError(100, f"(#100) Param {name} must be JSON") from None


def _statuses(params: Params, level: str) -> frozenset[str] | None:
    """What `filtering` lets through; None without it."""
    given = _json(params, "filtering", [])
    if not given:
        return None
    if len(given) != 1 or given[0].get("field") != f"{level}.effective_status" or given[0].get("operator") != "IN":
        raise GraphError(100, f"(#100) Filtering field {given[0].get('field')} with this operation is invalid")
    return frozenset(given[0]["value"])


def _cursor(start: int, *, gap: bool = False) -> str:
    return base64.urlsafe_b64encode(f"{'gap' if gap else 'at'}:{start}".encode()).decode().rstrip("=")


def _read_cursor(text: str | None) -> tuple[int, bool]:
    if not text:
        return 0, False
    try:
        kind, _, start = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().partition(":")
        return int(start), kind == "gap"
    except ValueError:
        raise GraphError(100, "(#100) Invalid cursors values") from None
