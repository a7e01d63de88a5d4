"""Having Microsoft make a file of an account's entities: asked for, waited for, fetched.

One file holds what the Get calls give one campaign and one ad group at a time: a handful of requests per account.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from microsoft_pipeline import operations
from microsoft_pipeline.accounts import Account
from microsoft_pipeline.bulk_file import WHAT, BulkFile
from microsoft_pipeline.client import Client
from microsoft_pipeline.errors import LostReportError
from microsoft_pipeline.operations import Call
from wire import Kind, PipelineError

log = logging.getLogger(__name__)

_DOWNLOAD = {
    "campaign": "Campaigns",
    "ad_group": "AdGroups",
    "ad": "Ads",
    "keyword": "Keywords",
    "asset_group": "AssetGroups",
}
_REMAKES = 2
# A file takes longer than a report: seconds for a small account, a minute for a hundred thousand keywords. Where
# Microsoft does not say how much of it is made, seven polls reach both.
_LATER_THAN_A_REPORT = 5
_SLOWER = 2.5
_SLOWEST = 20.0
# For a million keywords Microsoft asks for a poll a minute.
_LONGEST = 60.0


class FailedFileError(PipelineError):
    """Microsoft has failed to make the file: asking for it anew may help."""


class Bulk:
    """Files of one account's entities."""

    def __init__(self, client: Client, account: Account, tables: frozenset[str]) -> None:
        self._client = client
        self._account = account
        # Ads and keywords name only their ad group, which names the campaign.
        wanted = tables | ({"ad_group"} if tables & {"ad", "keyword"} else set())
        self._entities = [entity for table, entity in _DOWNLOAD.items() if table in wanted]

    def whole_account(self) -> BulkFile:
        """The file of everything; raises BulkRefusedError or TooBigForOneFileError where there is another way."""
        return self._made(operations.download_account(self._account.id, self._entities))

    def of_campaigns(self, campaign_ids: Sequence[str]) -> BulkFile:
        """The file of some campaigns, at most `operations.CAMPAIGNS_IN_A_DOWNLOAD`."""
        return self._made(operations.download_campaigns(self._account.id, campaign_ids, self._entities))

    def _made(self, call: Call) -> BulkFile:
        for left in reversed(range(_REMAKES + 1)):
            try:
                return self._fetched(call)
            except (FailedFileError, LostReportError) as error:
                if not left:
                    raise
                log.warning("account %s: %s; it is asked for again", self._account.id, error.message)
        raise AssertionError("the last failure is raised")

    def _fetched(self, call: Call) -> BulkFile:
        request_id = self._call(call).get("DownloadRequestId")
        if not request_id:
            raise PipelineError(Kind.TRANSIENT, f"{call}: the answer has no DownloadRequestId")
        poll = operations.poll_download(str(request_id))
        addresses = [self._address(poll)]

        def fetch() -> BulkFile:
            # The address is good for five minutes: each attempt asks for a new one.
            file = self._client.downloads.fetch(addresses.pop() if addresses else self._address(poll), WHAT)
            try:
                return BulkFile(file, self._account)
            except BaseException:
                file.close()
                raise

        return self._client.retried(fetch, f"account {self._account.id}")

    def _address(self, poll: Call) -> str:
        """Wait until the file is made; raises FailedFileError if it will not be."""
        settings = self._client.settings
        began, interval = time.monotonic(), settings.poll_interval * _LATER_THAN_A_REPORT
        pause = interval
        while True:
            self._client.limiter.rest(pause)
            interval = min(interval * _SLOWER, _SLOWEST)
            answer = self._call(poll)
            status = answer.get("RequestStatus")
            if status == "Completed":
                if not answer.get("ResultFileUrl"):
                    raise FailedFileError(Kind.TRANSIENT, f"{WHAT}: it is made, but has no address")
                return str(answer["ResultFileUrl"])
            if status != "InProgress":
                raise FailedFileError(Kind.TRANSIENT, f"{WHAT}: Microsoft failed to make it ({_why(answer)})")
            waited = time.monotonic() - began
            if waited >= settings.report_timeout:
                raise PipelineError(
                    Kind.TRANSIENT, f"{WHAT}: not made within the report_timeout of {settings.report_timeout:g} s"
                )
            pause = max(interval, seconds_left(answer.get("PercentComplete"), waited))

    def _call(self, call: Call) -> dict[str, Any]:
        return self._client.call(call, account_id=self._account.id, customer_id=self._account.customer_id)


def seconds_left(percent: object, waited: float) -> float:
    """How long a file still takes of which so much was made in the seconds that were waited; 0 where nobody knows.

    A twentieth more than that, since a look too early costs a call. A share of one hundredth is no exact one, and a
    queue before the making adds to none, so it is never more than twenty times what was waited.
    """
    if isinstance(percent, bool) or not isinstance(percent, (int, float, Decimal)) or not 0 < percent < 100:
        return 0.0
    return min(waited * (100 / float(percent) - 1) * 1.05, waited * 20, _LONGEST)


def _why(answer: Mapping[str, Any]) -> str:
    """The status and the codes of a file that was not made."""
    given = answer.get("Errors")
    found = [each for each in given if isinstance(each, Mapping)] if isinstance(given, list) else []
    codes = [f"error {each.get('Code')} {each.get('ErrorCode') or ''}".strip() for each in found]
    return re.sub(r"[^\w ,]", "", ", ".join([str(answer.get("RequestStatus")), *codes]))
