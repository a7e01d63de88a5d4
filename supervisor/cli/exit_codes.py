"""What the exit codes mean, as the help shows them."""

from __future__ import annotations

from collections.abc import Mapping

RUN: Mapping[str, str] = {
    "0": "all platforms completed",
    "1": "configuration, credentials, environment or storage must be mended; nothing was started",
    "2": "some platforms completed, some did not",
    "3": "no platform completed",
    "4": "stopped at the first failure (continue_on_failure: false), or an error of the supervisor itself",
    "130": "interrupted (Ctrl-C); 143 terminated; 129 the terminal was closed",
}
FRESHNESS: Mapping[str, str] = {
    "0": "everything is within the limit",
    "1": "it cannot be told: no database yet, a run holds it, or the configuration is wrong",
    "2": "something is older than the limit, or was never loaded",
}
RECONCILE: Mapping[str, str] = {
    "0": "all that must add up does",
    "1": "it cannot be told: no database or no account totals yet, or a storage that cannot compare",
    "2": "something does not add up",
}
SHOW: Mapping[str, str] = {
    "0": "it is shown; with --group: every shard completed all its platforms",
    "1": "there is no such run or group, or no storage that keeps runs",
    "2": "with --group: some of it completed, some did not, or a shard has no run",
    "3": "with --group: nothing completed",
}
AUTHORIZE: Mapping[str, str] = {
    "0": "a token is kept or printed, whether or not the accounts could be listed",
    "1": "there is none: the reason is one sentence, and nothing was stored",
    "130": "interrupted (Ctrl-C) before there was an answer",
}
USAGE = 1
"""Of a mistyped command line: 2 would say that some platforms completed."""
INTERNAL = 4
INTERRUPTED = 130
