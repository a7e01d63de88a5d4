"""`supervisor state`: what is known to be loaded is shown, and forgotten as far as one says."""

from __future__ import annotations

import json
from typing import Any

import pytest
from until import until

from supervisor.record.bookmarks import Bookmark, bookmarks, without

DAYS = {
    "complete": [["2026-10-01", "2026-11-20"], ["2026-11-22", "2026-11-22"]],
    "settled": [["2026-10-01", "2026-10-21"]],
}
STATE = {"bookmarks": {"campaign_daily": {"accounts": {"1": DAYS, "2": DAYS}}, "campaign": {"accounts": {"1": {}}}}}


def test_bookmarks_are_read() -> None:
    assert bookmarks(json.dumps(STATE)) == (
        *(
            Bookmark(
                table="campaign_daily",
                account=account,
                complete=(("2026-10-01", "2026-11-20"), ("2026-11-22", "2026-11-22")),
                settled=(("2026-10-01", "2026-10-21"),),
            )
            for account in "12"
        ),
        Bookmark(table="campaign", account="1", complete=(), settled=()),
    )


@pytest.mark.parametrize("state", ['{"seen": 3}', "[]", "null", "7", '{"bookmarks": {"t": {"since": "2026"}}}', "{"])
def test_a_state_of_another_shape_has_no_bookmarks_of_ours(state: str) -> None:
    assert bookmarks(state) is None


@pytest.mark.parametrize(
    ("part", "left"),
    [
        ({"table": "campaign_daily"}, {"campaign": {"accounts": {"1": {}}}}),
        ({"account": "1"}, {"campaign_daily": {"accounts": {"2": DAYS}}}),
        (
            {"table": "campaign_daily", "account": "2"},
            {"campaign_daily": {"accounts": {"1": DAYS}}, "campaign": {"accounts": {"1": {}}}},
        ),
    ],
)
def test_a_part_is_taken_out_and_the_rest_stays(part: dict[str, str], left: Any) -> None:
    assert json.loads(without(json.dumps(STATE), **part) or "") == {"bookmarks": left}


def test_nothing_is_left_where_every_part_is_taken_out() -> None:
    assert without(without(json.dumps(STATE), table="campaign") or "", table="campaign_daily") is None


@pytest.mark.parametrize(
    ("state", "part", "sentence"),
    [
        (STATE, {"table": "ad_daily"}, "knows nothing of ad_daily; it has the tables campaign_daily, campaign"),
        (STATE, {"account": "9"}, "knows nothing of 9; no table has it"),
        ({"seen": 3}, {"table": "t"}, "can only be reset as a whole"),
        ({"bookmarks": {"t": {"since": "2026"}}}, {"account": "1"}, "keeps no accounts in its state"),
    ],
)
def test_a_part_that_is_not_there(state: Any, part: dict[str, str], sentence: str) -> None:
    with pytest.raises(LookupError, match=sentence):
        without(json.dumps(state), **part)


def test_a_table_can_be_taken_out_of_any_singer_state() -> None:
    state = {"bookmarks": {"t": {"since": "2026"}, "u": 7}, "currently_syncing": None}
    assert json.loads(without(json.dumps(state), table="t") or "") == {"bookmarks": {"u": 7}, "currently_syncing": None}


@pytest.fixture
def loaded(house: Any) -> Any:
    """Two platforms with states: one of our shape, one of another; the pipelines write down what they are given."""
    note = "open('given.json', 'a').write(open(given['--state']).read() + '\\n' if '--state' in given else 'none\\n')"
    house.tap("ours", f"schema()\nrow(id='1', n=1)\nstate({STATE!r})\n{note}")
    house.tap("theirs", "schema()\nrow(id='1', n=1)\nstate({'since': '2026-11-20'})")
    house.write()
    assert house.run().returncode == 0
    return house


def test_what_is_loaded_is_shown(loaded: Any) -> None:
    lines = loaded.run("state", "show").stdout.splitlines()
    assert lines[0].split() == ["platform", "table", "account", "complete", "settled"]
    assert lines[2].split(maxsplit=3) == [
        *("ours", "campaign_daily", "1"),
        "2026-10-01..2026-11-20, 2026-11-22  2026-10-01..2026-10-21",
    ]
    assert lines[1].split() == ["ours", "campaign", "1", "-", "-"]
    assert lines[4].replace(" ", "") == 'theirs:{"since":"2026-11-20"}'
    only = loaded.run("state", "show", "--platform", "ours", "--account", "2").stdout.splitlines()
    assert [line.split()[:3] for line in only[1:]] == [["ours", "campaign_daily", "2"]]
    (text,) = loaded.run("state", "show", "--platform", "ours", "--json").stdout.splitlines()
    assert json.loads(text) == STATE
    assert loaded.run("state", "show", "--platform", "nobody").stdout == "no such state is stored\n"


def test_what_is_forgotten_is_not_given_to_the_next_run(loaded: Any) -> None:
    done = loaded.run("state", "reset", "--platform", "ours", "--account", "1", "--stream", "campaign_daily")
    assert (done.returncode, done.stdout) == (
        0, "ours: table campaign_daily and account 1 is forgotten; the next run loads those days anew\n",
    )  # fmt: skip
    assert loaded.run("run", "--only", "ours").returncode == 0
    given = (loaded.directory / "given.json").read_text().splitlines()
    assert given[0] == "none"
    assert list(json.loads(given[1])["bookmarks"]["campaign_daily"]["accounts"]) == ["2"]
    assert loaded.rows("SELECT count(*) FROM ours.t") == [(1,)]
    assert loaded.run("state", "reset", "--all").returncode == 0
    assert loaded.run("state", "show").stdout == "no such state is stored\n"
    assert loaded.rows("SELECT count(*) FROM ours.t") == [(1,)]


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "say what to forget"),
        (("--all", "--platform", "ours"), "say what to forget"),
        (("--platform", "nobody"), "no state of platform 'nobody' is stored"),
        (("--platform", "ours", "--stream", "nothing"), "its state knows nothing of nothing"),
        (("--platform", "theirs", "--account", "1"), "can only be reset as a whole"),
    ],
)
def test_what_a_reset_refuses(loaded: Any, arguments: tuple[str, ...], sentence: str) -> None:
    before = loaded.run("state", "show", "--json").stdout
    done = loaded.run("state", "reset", *arguments)
    assert done.returncode == 1
    assert sentence in done.stderr and "Traceback" not in done.stderr
    assert loaded.run("state", "show", "--json").stdout == before


def test_an_account_is_forgotten_where_it_is_known_and_nowhere_else(loaded: Any) -> None:
    done = loaded.run("state", "reset", "--account", "2")
    assert (done.returncode, done.stdout.split(":")[0]) == (0, "ours")


def test_nothing_is_reset_while_a_run_is_on(loaded: Any) -> None:
    loaded.tap("ours", "schema()\nopen('there', 'w')\nwhile os.path.exists('there'): time.sleep(0.05)")
    loaded.write()
    run = loaded.start("run", "--only", "ours")
    until((loaded.directory / "there").exists)
    done = loaded.run("state", "reset", "--all")
    assert done.returncode == 1
    assert "in use by pid" in done.stderr
    (loaded.directory / "there").unlink()
    assert run.wait(60) == 0
    run.stdout.close()
    run.stderr.close()


def test_a_storage_without_state(house: Any) -> None:
    house.environment["STORAGE_TYPE"] = "none"
    house.tap("one", "schema()\nrow(id='1', n=1)\nstate({'a': 1})")
    house.write()
    assert house.run().returncode == 0
    for verb in (("show",), ("reset", "--all")):
        done = house.run("state", *verb)
        assert (done.returncode, "keeps no rows and no state" in done.stderr) == (1, True)


def test_a_report_that_is_configured_no_more_is_called_orphaned(house: Any) -> None:
    days = {"1": DAYS | {"definition": "0123456789abcdef"}}
    state = {
        "bookmarks": {"kept": {"accounts": days}, "dropped": {"accounts": days}, "daily": {"accounts": {"1": DAYS}}}
    }
    house.tap("one", f"schema(); state({state!r})", reports=[{"name": "kept"}])
    house.write()
    assert house.run("run").returncode == 0
    orphaned = [line for line in house.run("state", "show").stdout.splitlines() if line.startswith("orphaned")]
    assert orphaned == ["orphaned: one.dropped: no such report is configured; rows and state stay"]
