"""States in every storage: a patch changes its part, parts live apart, and what former versions left is taken over."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from storage import DAILY, Storage, commit_one, day, load

from supervisor.sinks import Commit, Sink
from wire.messages import Replaces

JANUARY = Replaces(stream="daily", where={"account_id": "1"}, first="2026-01-01", last="2026-01-31")
DAYS = {"complete": [["2026-01-01", "2026-01-31"]], "settled": []}


def state(storage: Storage, platform: str = "p") -> Any:
    """The state as a later run gets it."""
    sink = storage.open()
    session = sink.session(platform, "run-9")
    found = json.loads(session.state() or b"null")
    session.close()
    sink.close()
    return found


def patch(table: str, account: str, value: Any) -> bytes:
    return json.dumps({"bookmarks": {table: {"accounts": {account: value}}}}).encode()


def whole(accounts: dict[str, dict[str, Any]]) -> dict[str, Any]:
    return {"bookmarks": {table: {"accounts": known} for table, known in accounts.items()}}


@pytest.mark.needs("keeps_state")
def test_a_patch_changes_what_it_names_and_nothing_else(storage: Storage, tmp_path: Path) -> None:
    sink = storage.open()
    for table, account in (("daily", "1"), ("daily", "2"), ("campaign", "1")):
        load(sink, tmp_path, DAILY, state=patch(table, account, DAYS), is_patch=True)
    load(sink, tmp_path, DAILY, state=patch("daily", "2", {"settled": [["2026-01-01", "2026-01-02"]]}), is_patch=True)
    load(sink, tmp_path, DAILY, platform="q", state=patch("daily", "1", {}), is_patch=True)
    sink.close()
    changed = DAYS | {"settled": [["2026-01-01", "2026-01-02"]]}
    assert state(storage) == whole({"campaign": {"1": DAYS}, "daily": {"1": DAYS, "2": changed}})
    assert state(storage, "q") == whole({"daily": {"1": {}}})


@pytest.mark.needs("keeps_state")
def test_a_patch_takes_away_and_speaks_of_anything(storage: Storage, tmp_path: Path) -> None:
    sink = storage.open()
    load(sink, tmp_path, DAILY, state=json.dumps({"since": 1, **whole({"daily": {"1": DAYS, "2": DAYS}})}).encode())
    load(sink, tmp_path, DAILY, state=patch("daily", "1", None), is_patch=True)
    load(sink, tmp_path, DAILY, state=b'{"since": null, "cursor": {"page": 7}}', is_patch=True)
    sink.close()
    assert state(storage) == {"cursor": {"page": 7}, **whole({"daily": {"2": DAYS}})}


@pytest.mark.needs("keeps_state")
def test_a_whole_state_stands_in_for_all_that_was_known(storage: Storage, tmp_path: Path) -> None:
    sink = storage.open()
    load(sink, tmp_path, DAILY, state=json.dumps(whole({"daily": {"1": DAYS, "2": DAYS}})).encode())
    load(sink, tmp_path, DAILY, state=json.dumps(whole({"daily": {"2": DAYS}})).encode())
    sink.close()
    assert state(storage) == whole({"daily": {"2": DAYS}})


@pytest.mark.needs("keeps_state")
@pytest.mark.parametrize(
    "strange",
    [{"since": "2026-01-01"}, {"bookmarks": {"t": {"replication_key_value": 7}}, "currently_syncing": None}, [1], "x"],
)
def test_a_state_of_another_shape_is_kept_as_it_is(storage: Storage, tmp_path: Path, strange: Any) -> None:
    sink = storage.open()
    load(sink, tmp_path, DAILY, state=json.dumps(whole({"daily": {"1": DAYS}})).encode())
    load(sink, tmp_path, DAILY, state=json.dumps(strange).encode())
    sink.close()
    assert state(storage) == strange


@pytest.mark.needs("keeps_state")
def test_beginning_anew_replaces_the_stored_state_with_the_first_commit(storage: Storage, tmp_path: Path) -> None:
    sink = storage.open()
    load(sink, tmp_path, DAILY, state=json.dumps(whole({"daily": {"1": DAYS, "2": DAYS}})).encode())
    session = sink.session("p", "run-2")
    session.forget_state()
    session.close()
    sink.close()
    assert state(storage) == whole({"daily": {"1": DAYS, "2": DAYS}})
    sink = storage.open()
    load(sink, tmp_path, DAILY, state=patch("daily", "2", {"settled": []}), is_patch=True, forget=True)
    sink.close()
    assert state(storage) == whole({"daily": {"2": {"settled": []}}})


@pytest.mark.needs("keeps_state", "replaces")
def test_a_commit_writes_the_part_that_changed(storage: Storage, sink: Sink, tmp_path: Path) -> None:
    known = {str(n): DAYS for n in range(300)}
    load(sink, tmp_path, DAILY, state=json.dumps(whole({"daily": known})).encode())
    assert storage.state_writes("run-1") == 300
    load(sink, tmp_path, DAILY, state=patch("daily", "7", {"settled": [["2026-01-01", "2026-01-01"]]}), is_patch=True, run="run-2")  # fmt: skip
    assert storage.state_writes("run-2") == 1


@pytest.mark.needs("keeps_state", "replaces")
def test_sessions_side_by_side_keep_the_parts_of_each_others_accounts(sink: Sink, tmp_path: Path) -> None:
    load(sink, tmp_path, DAILY, state=json.dumps(whole({"daily": {"1": DAYS, "2": DAYS}})).encode())
    first, second = (sink.session("p", run) for run in ("run-2", "run-3"))
    assert first.state() == second.state(), "each knows the other's account as it was"
    settled = {number: {"settled": [[f"2026-01-0{number}", f"2026-01-0{number}"]]} for number in "1234"}
    for session, accounts in ((first, "13"), (second, "24"), (first, "1")):
        session.prepare(DAILY)
        for account in accounts:
            commit_one(
                session, Commit(streams=("daily",), state=patch("daily", account, settled[account]), is_patch=True)
            )
    first.close()
    second.close()
    last = sink.session("p", "run-4")
    found = json.loads(last.state() or b"null")
    last.close()
    known = {number: DAYS | part if number in "12" else part for number, part in settled.items()}
    assert found == whole({"daily": known})


@pytest.mark.needs("keeps_state")
def test_what_a_former_version_kept_is_taken_over(storage: Storage, tmp_path: Path) -> None:
    old = {"seen": 1, **whole({"campaign_daily": {"1": DAYS, "2": DAYS}, "campaign": {"1": {}}})}
    storage.leave_old_state("p", json.dumps(old))
    assert state(storage) == old
    sink = storage.open()
    load(
        sink, tmp_path, DAILY, day("1", "a", "2026-01-05", 1), replaces=JANUARY, is_patch=True,
        state=patch("campaign_daily", "2", {"settled": [["2026-01-01", "2026-01-09"]]}),
    )  # fmt: skip
    sink.close()
    accounts = {"1": DAYS, "2": DAYS | {"settled": [["2026-01-01", "2026-01-09"]]}}
    assert state(storage) == {"seen": 1, **whole({"campaign": {"1": {}}, "campaign_daily": accounts})}


@pytest.mark.needs("keeps_state")
def test_what_a_former_version_kept_is_shown_and_forgotten_in_part(storage: Storage, house: Any) -> None:
    house.environment |= storage.variables
    storage.leave_old_state("p", json.dumps(whole({"campaign_daily": {"1": DAYS, "2": DAYS}})))
    shown = house.run("state", "show", "--json")
    assert (shown.returncode, json.loads(shown.stdout)) == (0, whole({"campaign_daily": {"1": DAYS, "2": DAYS}}))
    assert house.run("state", "reset", "--account", "1").returncode == 0
    shown = house.run("state", "show").stdout.splitlines()
    assert [line.split()[:3] for line in shown[1:]] == [["p", "campaign_daily", "2"]]
