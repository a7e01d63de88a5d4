"""Bulk: all campaigns of an account, and what is in them, as one file that is made in the background."""

from __future__ import annotations

import datetime as dt
import gzip
import itertools
import secrets
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field

from sandbox.microsoft.bulk_file import BulkOrder, rows_about, text_of, with_unknown_rows, with_wrong_first_line
from sandbox.microsoft.calls import Body, Call, Operation, flags, identifier, ids, items
from sandbox.microsoft.refusals import RefusalError, refuse
from sandbox.microsoft.report_file import packed
from sandbox.microsoft.vocabulary import DATA_SCOPES, DOWNLOAD_ENTITIES
from sandbox.pace import Pace
from sandbox.world import World

_SECONDS_GOOD = 300
_MOST_CAMPAIGNS = 1000
_OLDEST_SYNC = dt.timedelta(days=30)


@dataclass(slots=True)
class Download:
    """A file in the making."""

    order: BulkOrder
    pending_polls: int
    made: Future[str] = field(init=False)
    rows: int = 0
    failed: bool = False
    since: float = field(default_factory=time.monotonic)
    addresses: dict[str, float] = field(default_factory=dict)

    def written(self, rows: int) -> None:
        self.rows = rows

    def percent(self, job_seconds: float) -> int:
        """How much of it is made, while it is not all."""
        share = self.rows / max(rows_about(self.order), 1)
        if self.made.done():
            share = (time.monotonic() - self.since) / job_seconds if job_seconds else 1.0
        return min(99, int(100 * share))


class Bulk:
    def __init__(self, world: World, base_url: Callable[[], str], pace: Pace) -> None:
        self._world = world
        self._pace = pace
        self._base_url = base_url
        self._downloads: dict[str, Download] = {}
        self._numbers = itertools.count(618_000_001)
        self._lock = threading.Lock()
        self._maker = ThreadPoolExecutor(max_workers=1)

    @property
    def operations(self) -> dict[str, Operation]:
        return {
            "DownloadCampaignsByAccountIds": self._by_account,
            "DownloadCampaignsByCampaignIds": self._by_campaigns,
            "GetBulkDownloadStatus": self._status,
        }

    def fail(self, request_id: str) -> None:
        """The making of this file has failed for good."""
        if request_id in self._downloads:
            self._downloads[request_id].failed = True

    def close(self) -> None:
        self._maker.shutdown(wait=False, cancel_futures=True)

    def download(self, path: str, spoiled: str | None = None, *, lapses: bool = False) -> bytes | None:
        """The file at an address, packed as it was asked for; None where the address is not or no longer good.

        `spoiled` is a fault of the text; an address that `lapses` is good for this once.
        """
        request_id, _, signature = path.removeprefix("/bulk/").partition("?sig=")
        download = self._downloads.get(request_id)
        if download is None or download.addresses.get(signature, 0) < time.monotonic():
            return None
        if lapses:
            del download.addresses[signature]
        text = download.made.result()
        if spoiled == "unfinished":
            text = text[: len(text) * 2 // 3]
        elif spoiled == "unknown_rows":
            text = with_unknown_rows(text)
        elif spoiled == "wrong_first_line":
            text = with_wrong_first_line(text)
        if download.order.gzip:
            return gzip.compress(text.encode("utf-8-sig"), 1)
        suffix = "tsv" if download.order.delimiter == "\t" else "csv"
        return packed(f"{request_id}.{suffix}", text)

    def _by_account(self, call: Call) -> Body:
        accounts = ids(call.body, "AccountIds")
        refuse(len(accounts) > 1, 3201)
        refuse(accounts != [call.account_id], 1102)
        return self._start(call, frozenset())

    def _by_campaigns(self, call: Call) -> Body:
        scopes = items(call.body, "Campaigns")
        refuse(not scopes or any(each is None for each in scopes), 3204)
        refuse(len(scopes) > _MOST_CAMPAIGNS, 201)
        refuse(any(identifier(each.get("ParentAccountId")) != call.account_id for each in scopes), 3203)
        account = self._world.account("microsoft", call.account_id)
        wanted = frozenset(identifier(each.get("CampaignId")) for each in scopes)
        refuse(not wanted <= {str(campaign.id) for campaign in account.campaigns}, 1100)
        return self._start(call, wanted)

    def _start(self, call: Call, campaigns: frozenset[str]) -> Body:
        entities = frozenset(map(str, items(call.body, "DownloadEntities")))
        refuse(not entities, 3210)
        refuse(not entities <= DOWNLOAD_ENTITIES, 100)
        scopes = flags(call.body, "DataScope", DATA_SCOPES) or ("EntityData",)
        version = call.body.get("FormatVersion")
        refuse(version is None, 3219)
        refuse(version != "6.0", 3217)
        since = self._since(call.body.get("LastSyncTimeInUTC"))
        # Quality scores and bid suggestions are in a full download alone.
        refuse(since is not None and set(scopes) != {"EntityData"}, 201)
        file_type, compression = call.body.get("DownloadFileType"), call.body.get("CompressionType")
        refuse(file_type not in (None, "Csv", "Tsv") or compression not in (None, "Zip", "GZip"), 100)
        order = BulkOrder(
            account=self._world.account("microsoft", call.account_id),
            entities=entities,
            campaigns=campaigns,
            since=since,
            delimiter="\t" if file_type == "Tsv" else ",",
            gzip=compression == "GZip",
        )
        with self._lock:
            number = next(self._numbers)
            # Every other file is not ready when first asked for.
            download = Download(order, pending_polls=number % 2)
            download.made = self._maker.submit(text_of, order, self._world, number, download.written)
            self._downloads[str(number)] = download
        return {"DownloadRequestId": str(number)}

    def _since(self, text: object) -> dt.datetime | None:
        if text is None:
            return None
        try:
            moment = dt.datetime.fromisoformat(str(text))
        except ValueError as cause:
            raise RefusalError(100) from cause
        moment = moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
        refuse(moment > self._world.as_of, 3208)
        # "More than 30 days ago, an error will be returned"; the list of codes has none that says so.
        refuse(moment < self._world.as_of - _OLDEST_SYNC, 3209)
        return moment

    def _status(self, call: Call) -> Body:
        request_id = str(call.body.get("RequestId") or "")
        download = self._downloads.get(request_id)
        if download is None:
            raise RefusalError(3205)
        answer: Body = {
            "Errors": None,
            "ForwardCompatibilityMap": [],
            "PercentComplete": 100,
            "RequestStatus": "Completed",
            "ResultFileUrl": None,
        }
        if download.failed:
            return answer | {"RequestStatus": "Failed", "PercentComplete": download.percent(self._pace.job_seconds)}
        young = time.monotonic() - download.since < self._pace.job_seconds
        if download.pending_polls or young or not download.made.done():
            download.pending_polls = max(0, download.pending_polls - 1)
            percent = download.percent(self._pace.job_seconds)
            return answer | {"RequestStatus": "InProgress", "PercentComplete": percent}
        signature = secrets.token_hex(8)
        download.addresses[signature] = time.monotonic() + _SECONDS_GOOD
        return answer | {"ResultFileUrl": f"{self._base_url()}/bulk/{request_id}?sig={signature}"}
