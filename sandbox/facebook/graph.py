"""The Graph API's answers: nodes, edges with cursor paging, reports at once and in jobs. Knows nothing of HTTP."""

from __future__ import annotations

import base64
import json
import re
import threading
import time
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from sandbox.facebook.insights import DEFAULT_FIELDS, Insights, Question
from sandbox.facebook.objects import LEVEL_OF, Objects, account_node, picked
from sandbox.facebook.parameters import (
    Filter,
    Params,
    boolean,
    fields_of,
    filters_of,
    level_of,
    limit_of,
    listed,
    ranges_of,
)
from sandbox.facebook.refusals import (
    GraphError,
    no_such_object,
    too_early,
    too_much_data,
    unknown_error,
)
from sandbox.facebook.shares import check
from sandbox.facebook.words import ACTION_BREAKDOWNS, FIELDS, WINDOWS
from sandbox.facebook.words import BREAKDOWNS as KNOWN_BREAKDOWNS
from sandbox.faults import LOSSES, Faults, damaged
from sandbox.world import Account, World

OLDEST_VERSION, NEWEST_VERSION = 20, 26
OLDEST_WITH_DELETED = 23
"""Which versions refuse deleted objects on an edge is the sandbox's choice; that some did is Meta's."""
LONGEST_AD_REPORT = 90
"""Days; a longer report of single ads is refused as too large."""
JOB_SECONDS = 0.005
"""How long a run takes at least; every twenty-fifth one then says 100 % once before it is completed."""
RUNS_WITH_ROWS = 8
"""For how many runs the rows are kept once they were made."""
CREATIVE_PAGE_LIMIT = 250
LARGE_PAGE = 10
"""Objects a page above which the fault `large_page` strikes."""
IDS_AT_ONCE = 50

Answer = dict[str, Any]


@dataclass(slots=True)
class _Run:
    """An insights run; `fails` is decided when it is made."""

    number: int
    id: str
    account: Account
    question: Question
    made: float
    fails: bool
    waited: bool = False
    completed: bool = False
    rows: list[str] | None = None


class Graph:
    """Answers requests whose token has been checked; `base` is the server's own address."""

    def __init__(self, world: World, faults: Faults, base: str, *, job_seconds: float = 0.0) -> None:
        self._world = world
        self._accounts_by_id = {account.id: account for account in world.accounts("facebook")}
        self._job_seconds = max(JOB_SECONDS, job_seconds)
        self._objects = Objects(world)
        self._insights = Insights(world, self._objects)
        self._faults = faults
        self._base = base
        self._lock = threading.Lock()
        self._runs: dict[str, _Run] = {}
        self._with_rows = deque[_Run]()

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
                return self._accounts(path, params)
            case ("GET",) if "ids" in params:
                return self._several(params, number)
            case "GET", str(node):
                return json.dumps(self._node(node, params, number))
            case "GET", str(node), "insights" if node in self._runs:
                return self._results(self._runs[node], path, params)
            case "GET", str(node), "insights":
                return self._page(self._rows(*self._question(node, params)), path, params)
            case "POST", str(node), "insights":
                return json.dumps(self._start(node, params))
            case "GET", str(node), ("campaigns" | "adsets" | "ads" | "adcreatives") as edge:
                return self._edge(node, edge, path, params, number)
            case "GET", str(node), "customconversions" if node.startswith("act_"):
                return self._custom_conversions(node, path, params)
        raise no_such_object(path[-1] if len(path) == 2 else "/".join(path[1:]))

    def _accounts(self, path: Sequence[str], params: Params) -> str:
        nodes = [account_node(account) for account in self._world.accounts("facebook")]
        fields = fields_of(params)
        objects = [picked(node, "adaccounts", fields) for node in nodes]
        if self._faults.strike("missing_value"):
            objects[0].pop("currency", None)
        return self._page([json.dumps(each) for each in objects], path, params)

    def _several(self, params: Params, version: int) -> str:
        """What `?ids=` names, each as its own request would have it; one that there is not is refused with all."""
        ids = params["ids"].split(",")
        if len(ids) > IDS_AT_ONCE:
            raise GraphError(100, f"(#100) Too many IDs. Maximum: {IDS_AT_ONCE}. Provided: {len(ids)}.")
        return json.dumps({each: self._node(each, params, version) for each in ids})

    def _node(self, node: str, params: Params, version: int) -> Answer:
        if node in self._runs:
            return self._progress(self._runs[node], version, params)
        if node.startswith("act_"):
            return picked(account_node(self._account(node)), "adaccounts", fields_of(params))
        found = self._objects.find(node)
        if found is None:
            raise no_such_object(node)
        _, edge, raw = found
        return picked(raw, edge, fields_of(params))

    def _account(self, node: str) -> Account:
        account = self._accounts_by_id.get(node.removeprefix("act_"))
        if account is None:
            raise no_such_object(node)
        return account

    def owner_of(self, node: str) -> str | None:
        """The id of the account that a node is, or whose run it is; None for what is neither."""
        if node in self._runs:
            return self._runs[node].account.id
        return node.removeprefix("act_") if node.startswith("act_") else None

    def _place(self, node: str) -> tuple[Account, tuple[Filter, ...]]:
        """The account of a node, and the condition that what is below it meets."""
        if node.startswith("act_"):
            return self._account(node), ()
        found = self._objects.find(node)
        if found is None or found[1] not in LEVEL_OF:
            raise no_such_object(node)
        return found[0], (Filter(LEVEL_OF[found[1]], "id", "IN", (node,)),)

    def _edge(self, node: str, edge: str, path: Sequence[str], params: Params, version: int) -> str:
        account, belonging = self._place(node)
        if edge == "adcreatives":
            if limit_of(params) > CREATIVE_PAGE_LIMIT:
                raise too_much_data(status=500)
            nodes = self._objects.of(account, edge)
        else:
            filters = filters_of(params)
            said = [each for each in filters if each.field in ("effective_status", "delivery_info")]
            if version < OLDEST_WITH_DELETED and any("DELETED" in each.values for each in said):
                raise GraphError(100, "(#100) Cannot Request for Deleted Objects", subcode=1815001)
            nodes = self._objects.matching(account, edge, (*filters, *belonging))
            if not said:
                nodes = [each for each in nodes if each["effective_status"] not in ("ARCHIVED", "DELETED")]
        fields = fields_of(params)
        if len(nodes) > 1 and self._faults.strike("unlisted_object", account=account.id):
            nodes = nodes[1:]
        objects = [json.dumps(picked(each, edge, fields)) for each in nodes]
        counted = "total_count" in params.get("summary", "") or params.get("summary") == "true"
        return self._page(objects, path, params, total=len(objects) if counted else None)

    def _custom_conversions(self, node: str, path: Sequence[str], params: Params) -> str:
        """An edge without parameters and without a summary."""
        edge, fields = "customconversions", fields_of(params)
        nodes = self._objects.of(self._account(node), edge)
        return self._page([json.dumps(picked(each, edge, fields)) for each in nodes], path, params)

    def _page(self, objects: Sequence[str], path: Sequence[str], params: Params, total: int | None = None) -> str:
        """One page. After the first of several comes an empty one that has a next address but no cursors."""
        limit = limit_of(params)
        if self._faults.strike("empty_answer"):
            return "{}"
        start, gap = _read_cursor(params.get("after"))
        if gap:
            return _list([], {"next": self._next(path, params, _cursor(start))}, total)
        end = min(start + limit, len(objects))
        if end - start > LARGE_PAGE and self._faults.strike("large_page"):
            raise unknown_error()
        if end - start > 1 and self._faults.strike("large_object"):
            raise too_much_data(status=500)
        if end - start == 1 and limit == 1 and self._faults.strike("large_single_object"):
            raise too_much_data(status=500)
        shown = list(objects[start:end])
        if shown and self._faults.strike("repeated_object"):
            shown.append(shown[-1])
        if shown and self._faults.strike("changed_object"):
            shown.append(json.dumps({**json.loads(shown[-1]), "name": "another name"}))
        if end >= len(objects):
            cursors = {"cursors": {"before": _cursor(start), "after": _cursor(len(objects))}}
            return _list(shown, cursors if objects else {}, total)
        after = _cursor(end, gap=start == 0)
        if start and self._faults.strike("cursor_cycle"):
            after = _cursor(limit)
        following = {"cursors": {"before": _cursor(start), "after": after}, "next": self._next(path, params, after)}
        return _list(shown, following, total)

    def _next(self, path: Sequence[str], params: Params, after: str) -> str:
        # The real one carries the token too: a client that logs it has told its secret.
        query = f"access_token={params['access_token']}&limit={limit_of(params)}&after={after}"
        return f"{self._base}/{'/'.join(path)}?{query}"

    def _question(self, node: str, params: Params) -> tuple[Account, Question]:
        """What a report on a node asks; raises GraphError for what cannot be asked."""
        account, belonging = self._place(node)
        level = level_of(params, belonging[0].level if belonging else "account")
        for name in (fields := fields_of(params)):
            if name not in FIELDS:
                raise GraphError(100, f"(#100) {name} is not valid for fields param. please check the documentation")
        breakdowns = listed(params, "breakdowns", KNOWN_BREAKDOWNS)
        check(breakdowns, fields)
        boolean(params, "use_unified_attribution_setting")
        boolean(params, "use_account_attribution_setting")
        question = Question(
            level=level,
            ranges=ranges_of(params, self._world.today(account)),
            filters=(*filters_of(params, metrics=(*FIELDS, *breakdowns)), *belonging),
            fields=fields or DEFAULT_FIELDS,
            windows=frozenset(listed(params, "action_attribution_windows", WINDOWS)),
            breakdowns=breakdowns,
            action_breakdowns=listed(params, "action_breakdowns", ACTION_BREAKDOWNS),
        )
        days = sum((last - first).days + 1 for first, last in question.ranges)
        if level == "ad" and days > LONGEST_AD_REPORT:
            raise too_much_data()
        return account, question

    def _start(self, node: str, params: Params) -> Answer:
        account, question = self._question(node, params)
        if self._is_too_much(account, question):
            raise too_much_data()
        fails = self._faults.strike("failed_job") is not None
        run = _Run(number=0, id="", account=account, question=question, made=time.monotonic(), fails=fails)
        with self._lock:
            run.number = len(self._runs) + 1
            run.id = str(6_023_920_149_050 + run.number)
            self._runs[run.id] = run
        return {"report_run_id": run.id}

    def _is_too_much(self, account: Account, question: Question) -> bool:
        """Whether the fault strikes a report that has more than one row: asking for less always helps in the end."""
        if not self._faults.may_strike("too_much_data"):
            return False
        has_several = len(list(islice(self._insights.rows(account, question), 2))) > 1
        return has_several and self._faults.strike("too_much_data") is not None

    def _progress(self, run: _Run, version: int, params: Params) -> Answer:
        told = ("error_code", "error_subcode", "error_message", "error_user_title", "error_user_msg")
        if version < 25 and set(fields_of(params)) & set(told):
            raise GraphError(100, "(#100) Tried accessing nonexisting field (error_code) on node type (AdReportRun)")
        done = time.monotonic() - run.made >= self._job_seconds
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
            raise too_early()
        if self._faults.strike("lost_run"):
            raise no_such_object(run.id)
        with self._lock:
            if run.rows is None:
                run.rows = self._rows(run.account, run.question)
                if run.rows and run.question.level == "campaign":
                    loss = self._faults.strike(*LOSSES, account=run.account.id)
                    run.rows = damaged(run.rows, loss, lambda row: json.loads(row).get("campaign_id"))
                if run.rows and self._faults.strike("empty_job"):
                    run.rows = []
                if run.rows and self._faults.strike("future_value"):
                    run.rows[0] = json.dumps({**json.loads(run.rows[0]), "impressions": "several"})
                self._with_rows.append(run)
            if len(self._with_rows) > RUNS_WITH_ROWS:
                self._with_rows.popleft().rows = None
            rows = run.rows
        return self._page(rows or [], path, params)

    def _rows(self, account: Account, question: Question) -> list[str]:
        return [json.dumps(row) for row in self._insights.rows(account, question)]


def _list(objects: Sequence[str], paging: Mapping[str, Any], total: int | None) -> str:
    more = f',"paging":{json.dumps(paging)}' if paging else ""
    summary = f',"summary":{{"total_count":{total}}}' if total is not None else ""
    return f'{{"data":[{",".join(objects)}]{more}{summary}}}'


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
