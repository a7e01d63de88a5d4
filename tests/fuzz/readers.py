"""What reads bytes that somebody else wrote: each takes any bytes, and answers with a value or with its own error.

A reader here is called with bytes and fails, by any other exception or a failed assertion, where it should have refused
them, or where it understood something that was not written. `make fuzz` calls them for minutes.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Callable
from contextlib import suppress
from itertools import islice
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "tests" / "wire"), str(ROOT / "tests" / "sinks")]

from test_fuzz import read, told  # noqa: E402 - it lies in the directory that the line above adds
from test_what_regions_select import meant  # noqa: E402 - as above

from supervisor.config.environment import all_variables, read_environment  # noqa: E402 - as above
from supervisor.config.errors import ConfigError, SinkError, SupervisorError  # noqa: E402 - as above
from supervisor.config.schema import load_orchestrator_config  # noqa: E402 - as above
from supervisor.metrics.textfile import _samples  # noqa: E402 - as above
from supervisor.record.bookmarks import bookmarks, without  # noqa: E402 - as above
from supervisor.record.calls import Calls  # noqa: E402 - as above
from supervisor.report.history_text import history_lines, run_lines  # noqa: E402 - as above
from supervisor.sinks.history_file import HistoryFile  # noqa: E402 - as above
from supervisor.sinks.singer.state_file import read_states  # noqa: E402 - as above
from wire.failures import SchemaError  # noqa: E402 - as above
from wire.messages import Replaces  # noqa: E402 - as above
from wire.regions import check_region  # noqa: E402 - as above
from wire.schema import Column, Table, Type  # noqa: E402 - as above

SEEDS = Path(__file__).parent / "seeds"
_FILE = Path(tempfile.gettempdir()) / f"fuzzed-{os.getpid()}"
_TABLE = Table("t", (*(Column(f"a_{kind}", kind) for kind in Type), Column("day", Type.DATE)), (), "day")
_VARIABLES = [each.name for each in all_variables()]


def wire(data: bytes) -> None:
    """The quick way and the slow way through the reader agree, and rows hold what was sent."""
    lines = data.split(b"\n")
    quick, error = read([data], slowly=False)
    slow, slow_error = read([line + b"\n" for line in lines[:-1]] + [lines[-1]], slowly=True)
    assert error == slow_error
    assert error or told(quick) == told(slow)
    found = [event for event in told(slow) if isinstance(event, tuple)]
    sent = (json.loads(line.decode(errors="replace")) for line in lines)
    records = ((each["stream"], each["record"]) for each in sent if each["type"] == "RECORD")
    assert found == list(islice(records, len(found)))


def regions(data: bytes) -> None:
    """A value that is taken for one of a column has one meaning."""
    kind, _, text = data.decode(errors="replace").partition("=")
    if kind not in set(Type):
        return
    try:
        check_region(_TABLE, Replaces(stream="t", where={f"a_{kind}": text}))
    except SchemaError:
        return
    meant(Type(kind), text)
    with suppress(SchemaError):
        check_region(_TABLE, Replaces(stream="t", where={}, first=text, last=text))
        meant(Type.DATE, text)


def configuration(data: bytes) -> None:
    _FILE.write_bytes(data)
    with suppress(ConfigError):
        load_orchestrator_config(_FILE)


def environment(data: bytes) -> None:
    """`NAME=value` lines, for the variables that there are."""
    given = {}
    for line in data.decode(errors="replace").split("\n"):
        name, _, value = line.partition("=")
        if name.removesuffix("_FILE") in _VARIABLES and "\x00" not in value:
            given[name] = value
    with suppress(ConfigError):
        read_environment(given)


def history(data: bytes) -> None:
    _FILE.write_bytes(data)
    file = HistoryFile(_FILE)
    list(history_lines(file.platform_runs(None, 50)))
    for report in file.reports("2"):
        with suppress(SinkError):
            run_lines(report)


def states(data: bytes) -> None:
    _FILE.write_bytes(data)
    with suppress(SupervisorError):
        for state in read_states(_FILE).values():
            bookmarks(state.decode())
            with suppress(LookupError):
                without(state.decode(), account="1")


def metrics(data: bytes) -> None:
    calls = Calls()
    for line in data.decode(errors="replace").splitlines():
        calls.take(line)
    assert 0 <= calls.throttled_seconds < float("inf")
    _FILE.write_bytes(data)
    list(_samples(_FILE))


READERS: dict[str, Callable[[bytes], None]] = {
    each.__name__: each for each in (wire, regions, configuration, environment, history, states, metrics)
}
