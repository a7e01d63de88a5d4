"""What `supervisor state` does: shows what is known to be loaded, and forgets it so that it is loaded anew."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import evolve

from supervisor.config.environment import read_environment
from supervisor.config.errors import ConfigError
from supervisor.config.schema import OrchestratorConfig
from supervisor.record.bookmarks import Bookmark, bookmarks, without
from supervisor.record.history import StoredState
from supervisor.record.readers import make_files_for
from supervisor.report.display import printable, table
from supervisor.sinks import Sink, open_history, open_sink


def show_state(
    platform: str | None,
    account: str | None,
    stream: str | None,
    *,
    as_json: bool,
    config: OrchestratorConfig | None = None,
) -> Iterator[str]:
    """The stored states, or the parts asked for, as lines; `as_json` gives each platform's JSON text whole.

    With a `config` the reports that it does not have any more are named.
    """
    found = [state for state in _states() if platform in (None, state.platform)]
    if as_json:
        yield from (state.value for state in found)
        return
    rows = [("platform", "table", "account", "complete", "settled")]
    others = []
    reports: dict[tuple[str, str], None] = {}
    for state in found:
        marks = bookmarks(state.value)
        if marks is None:
            others.append(f"{printable(state.platform)}: {printable(state.value)}")
            continue
        chosen = [mark for mark in marks if account in (None, mark.account) and stream in (None, mark.table)]
        rows += [_row(state.platform, mark) for mark in chosen]
        reports |= {(state.platform, mark.table): None for mark in chosen if mark.of_report}
    yield from table(rows) if len(rows) > 1 else ()
    yield from others
    configured = _reports(config) if config is not None else reports
    for of, name in reports:
        if (of, name) not in configured:
            yield f"orphaned: {printable(of)}.{printable(name)}: no such report is configured; rows and state stay"
    if len(rows) == 1 and not others:
        yield "no such state is stored"


def reset_state(platform: str | None, account: str | None, stream: str | None) -> Iterator[str]:
    """Forget the chosen parts of the stored states; a line for each platform. The rows stay until they are replaced.

    Raises SinkError where a run holds the storage, and ConfigError where there is nothing of that name.
    """
    names = [state.platform for state in _states() if platform in (None, state.platform)]
    if not names:
        raise ConfigError(f"no state of {f'platform {platform!r}' if platform else 'any platform'} is stored")
    part = " and ".join(filter(None, (stream and f"table {stream}", account and f"account {account}")))
    findings: list[str] = []
    environment = read_environment()
    make_files_for(environment.readable_by)
    sink = open_sink(evolve(environment, shard=None))  # a state is of all accounts, whichever the variables are of
    try:
        for name in names:
            try:
                _forget(sink, name, account, stream)
                yield f"{name}: {part or 'the whole state'} is forgotten; the next run loads those days anew"
            except LookupError as cause:
                findings.append(f"platform {name!r}: {cause}")
        if len(findings) < len(names):
            sink.publish()  # or readers would find the snapshot older than the database, and read that instead
    finally:
        sink.close()
    if len(findings) == len(names):
        raise ConfigError(findings)


def _reports(config: OrchestratorConfig) -> set[tuple[str, str]]:
    return {(platform.name, str(report.get("name"))) for platform in config.platforms for report in platform.reports}


def _forget(sink: Sink, platform: str, account: str | None, stream: str | None) -> None:
    """Read the state again now that no run can change it, and store what is to remain."""
    session = sink.session(platform, run_id="")
    try:
        state = session.state()
    finally:
        session.close()
    if state is None or (account is None and stream is None):
        sink.put_state(platform, None)
        return
    left = without(state.decode(), table=stream, account=account)
    sink.put_state(platform, None if left is None else left.encode())


def _states() -> tuple[StoredState, ...]:
    history = open_history(read_environment())
    try:
        return history.states()
    finally:
        history.close()


def _row(platform: str, mark: Bookmark) -> tuple[str, str, str, str, str]:
    return (
        printable(platform), printable(mark.table), printable(mark.account), _days(mark.complete), _days(mark.settled)
    )  # fmt: skip


def _days(ranges: tuple[tuple[str, str], ...]) -> str:
    return ", ".join(printable(first if first == last else f"{first}..{last}") for first, last in ranges) or "-"
