"""How a pipeline is called: Singer's command line, its settings and its state."""

from __future__ import annotations

import argparse
import datetime as dt
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from wire.exits import Kind
from wire.failures import PipelineError
from wire.shards import Shard, parse_shard


class Invocation(Struct, frozen=True):
    """One call of a pipeline. `selected` is None where no catalog limits the streams; days are inclusive.

    With a `shard` it is about the accounts of that one alone.
    """

    settings: Mapping[str, Any]
    state: Mapping[str, Any]
    selected: frozenset[str] | None
    discover: bool
    check: bool
    since: dt.date | None
    until: dt.date | None
    discover_accounts: bool = False
    fields: bool = False
    probe: bool = False
    shard: Shard | None = None

    @property
    def is_check(self) -> bool:
        """Whether it asks what is wrong; with `probe` the platform is asked, too."""
        return self.check or self.probe


def read_invocation(name: str, arguments: Sequence[str] | None = None) -> Invocation:
    """Parse `--config FILE --state FILE --catalog FILE --since DAY --until DAY --shard I/N`, and what is asked instead:
    `--discover`, `--check`, `--probe`, `--discover-accounts`, `--fields`.

    Raises PipelineError (config) for a file that is missing or is not a JSON object; a wrong option exits with 64.
    """
    parser = _Parser(prog=name, description=f"{name}: extracts ad data and writes Singer messages to standard output.")
    parser.add_argument(
        "--config",
        type=Path,
        metavar="FILE",
        help="settings as a JSON object; secrets may come from it too, the environment wins",
    )
    parser.add_argument("--state", type=Path, metavar="FILE", help="the value of the last STATE message")
    parser.add_argument("--catalog", type=Path, metavar="FILE", help="a Singer catalog that selects streams")
    parser.add_argument("--discover", action="store_true", help="print the catalog and exit")
    parser.add_argument(
        "--check", action="store_true", help="say what is wrong with settings and credentials, without the network"
    )
    parser.add_argument("--discover-accounts", action="store_true", help="print the accounts of the login and exit")
    parser.add_argument("--probe", action="store_true", help="the same, and ask the platform about each report")
    parser.add_argument("--fields", action="store_true", help="print the fields that reports can name, and exit")
    parser.add_argument(
        "--since", type=dt.date.fromisoformat, metavar="DAY", help="reload from this day on (2026-01-31)"
    )
    parser.add_argument("--until", type=dt.date.fromisoformat, metavar="DAY", help="and up to this day")
    parser.add_argument("--shard", type=_shard, metavar="I/N", help="only the accounts of shard I of N (0/4)")
    given = parser.parse_args(arguments)
    if given.since and given.until and given.since > given.until:
        parser.error(f"--since {given.since} is after --until {given.until}")
    return Invocation(
        settings=_object(given.config),
        state=_object(given.state),
        selected=_selected(_object(given.catalog)) if given.catalog else None,
        discover=given.discover,
        check=given.check,
        since=given.since,
        until=given.until,
        discover_accounts=given.discover_accounts,
        fields=given.fields,
        probe=given.probe,
        shard=given.shard,
    )


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> Any:
        self.print_usage(sys.stderr)
        self.exit(64, f"{self.prog}: {message}\n")


def _shard(text: str) -> Shard:
    try:
        return parse_shard(text)
    except ValueError as cause:
        raise argparse.ArgumentTypeError(str(cause)) from cause


def _object(path: Path | None) -> Mapping[str, Any]:
    if path is None:
        return {}
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as cause:
        raise PipelineError(Kind.CONFIG, f"{path} cannot be read as JSON: {cause}") from cause
    if content is None:
        return {}
    if not isinstance(content, dict):
        raise PipelineError(Kind.CONFIG, f"{path} must hold a JSON object")
    return content


def _selected(catalog: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(stream["tap_stream_id"] for stream in catalog.get("streams", ()) if _is_selected(stream))


def _is_selected(stream: Mapping[str, Any]) -> bool:
    for entry in stream.get("metadata", ()):
        if not entry.get("breadcrumb"):
            return bool(entry.get("metadata", {}).get("selected", False))
    return bool(stream.get("schema", {}).get("selected", False))
