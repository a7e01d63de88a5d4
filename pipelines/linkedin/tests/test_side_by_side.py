"""Accounts side by side: the same rows whatever the concurrency, throttles, hangs and kills, with the real command."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from starting import Forked

from wire import Kind

SINCE = "2026-10-11"
"""All 40 days of the tiny world: two rounds."""
DAILY = ("campaign_group_daily", "campaign_daily", "creative_daily", "account_daily", "campaign_conversion_daily")
ENTITIES = ("account", "campaign_group", "campaign", "creative", "conversion")
FIRST = "5001234567"
DEBUG = {"LOG_LEVEL": "DEBUG"}
PYTHON = Path(__file__).parents[3] / ".venvs" / "linkedin" / "bin" / "python"


def refused(run: Any) -> int:
    """Answers 429, as the debug log has them."""
    return len(re.findall(r'" 429 ', run.log))


def calls(run: Any) -> int:
    return len(re.findall(r'"(?:GET|POST) /rest/\S* HTTP/1.1" ', run.log))


def sorted_rows(store: Any) -> dict[str, list[str]]:
    return {
        name: sorted(json.dumps(row, default=str, sort_keys=True) for row in rows) for name, rows in store.rows.items()
    }


def is_the_truth(sandbox: Any, store: Any, since: str = SINCE) -> bool:
    first = sandbox.world.first_day.fromisoformat(since)
    return all(store.keyed(name) == sandbox.truth(store.tables[name], first) for name in (*ENTITIES, *DAILY))


def test_rows_and_state_do_not_depend_on_the_concurrency(start: Any) -> None:
    with start(accounts=9, options=("--latency", "3ms")) as sandbox:
        stores = []
        for concurrency in (1, 8):
            run = sandbox.run(start_date=SINCE, concurrency=concurrency)
            assert (run.status, run.errors) == (0, [])
            stores.append(run.store())
        alone, together = stores
        assert is_the_truth(sandbox, together)
    assert sorted_rows(alone) == sorted_rows(together)
    assert alone.state == together.state


def test_recent_days_of_all_come_first_and_names_are_read_once(sandbox: Any) -> None:
    run = sandbox.run(start_date=SINCE, tables=["creative_daily"], concurrency=1, environment=DEBUG)
    live = [account.id for account in sandbox.world.accounts("linkedin") if not account.closed]
    days = [(region.where["account_id"], region.last) for region in run.regions]
    assert sorted(days[: len(live)]) == sorted((account, "2026-11-20") for account in live)
    assert {last for _, last in days[len(live) :]} == {"2026-10-20"}
    one_round = sandbox.run(start_date="2026-10-25", tables=["creative_daily"], concurrency=1, environment=DEBUG)
    lists = [len(re.findall(r"/creatives\?", each.log)) for each in (run, one_round)]
    assert lists[0] == lists[1]


def test_names_that_do_not_fit_are_read_again(sandbox: Any) -> None:
    program = (
        "import linkedin_pipeline.account_load as a; a.MOST_NAMES = 0; from linkedin_pipeline.main import main; main()"
    )
    run = sandbox.run(start_date=SINCE, command=[str(PYTHON), "-c", program])
    assert (run.status, run.errors) == (0, [])
    assert is_the_truth(sandbox, run.store())
    entities = [(each.stream, each.where["account_id"]) for each in run.regions if each.stream in ENTITIES]
    assert len(entities) == len(set(entities)), "what is read again is not sent again"


@pytest.mark.parametrize("value", [0, 33, -1, 1.5, "8", True])
def test_a_concurrency_that_is_not_allowed_names_its_setting(sandbox: Any, value: object) -> None:
    run = sandbox.run(concurrency=value)
    assert run.status == 78
    assert run.errors[0].message.startswith("settings.concurrency: expected")


def test_an_account_that_hangs_does_not_keep_the_others_from_being_loaded(start: Any) -> None:
    with start(f"hang/{FIRST}x99", accounts=6) as sandbox:
        run = sandbox.run(start_date="2026-11-18", concurrency=3, request_timeout=2.0, retry_attempts=2)
        store = run.store()
        expected = sandbox.truth(store.tables["creative_daily"], sandbox.world.as_of.date().replace(day=18))
    assert run.status == 75
    assert [(error.kind, error.account_id) for error in run.errors] == [(Kind.TRANSIENT, FIRST)]
    assert store.keyed("creative_daily") == {key: row for key, row in expected.items() if key[0] != FIRST}
    assert all(FIRST in line for line in run.log.splitlines() if "no answer within" in line)


def test_a_vendor_that_throttles_for_long_is_left_alone_soon(start: Any) -> None:
    """Three requests that nothing mends are enough; every account is loaded or named, and none is asked for again."""
    with start("rate_limit@60x99999", accounts=12) as sandbox:
        run = sandbox.run(start_date="2026-11-18", tables=["creative_daily"], retry_attempts=3, environment=DEBUG)
        accounts = {account.id for account in sandbox.world.accounts("linkedin")}
    named = {error.account_id for error in run.errors}
    assert run.status == 75
    assert {error.kind for error in run.errors} == {Kind.RATE_LIMIT}
    assert named
    assert named | {region.where["account_id"] for region in run.regions} == accounts
    assert refused(run) <= 3 * 3 * 4 + 8, "three requests on each of four endpoints, and those that were under way"
    assert "is not asked any more, because LinkedIn refused others before" in run.log


def test_with_its_limits_on_a_run_of_many_accounts_loses_none_and_is_seldom_refused(start: Any) -> None:
    limits = {"SANDBOX_LINKEDIN_AT_ONCE": "7"}
    with start(accounts=50, options=("--throttle", "--latency", "20ms"), environment=limits) as sandbox:
        run = sandbox.run(start_date="2026-10-25", environment=DEBUG)
        assert (run.status, run.errors) == (0, [])
        assert is_the_truth(sandbox, run.store(), "2026-10-25")
    # The aim of 2 % is held by `python -m bench accounts`; where others fill the machine, calls come in bursts.
    assert 0 < refused(run) <= 0.04 * calls(run)


def test_the_limit_of_metric_values_is_waited_out_by_all(start: Any) -> None:
    with start(accounts=4, environment={"SANDBOX_LINKEDIN_METRIC_VALUES": "12000@2"}) as sandbox:
        run = sandbox.run(start_date="2026-10-25", data_limit_wait=2.2, environment=DEBUG)
        assert (run.status, run.errors) == (0, [])
        assert is_the_truth(sandbox, run.store(), "2026-10-25")
    assert 0 < refused(run) <= 16
    lines = [line for line in run.log.splitlines() if "45 million metric values" in line and "retry" in line]
    assert lines
    assert all(re.search(r"account \d+: ", line) for line in lines)


def test_a_quota_that_is_used_up_costs_only_the_requests_that_were_under_way(start: Any) -> None:
    with start(accounts=12, environment={"SANDBOX_LINKEDIN_DAILY_CALLS": "3"}) as sandbox:
        run = sandbox.run(start_date="2026-11-18", concurrency=4, environment=DEBUG)
        live = [account.id for account in sandbox.world.accounts("linkedin") if not account.closed]
    assert {error.kind for error in run.errors} == {Kind.QUOTA}
    assert sorted(str(error.account_id) for error in run.errors) == sorted(live)
    assert 1 <= refused(run) <= 4


def test_a_token_that_expires_is_renewed_once_for_all_and_given_time(start: Any) -> None:
    late = {"SANDBOX_LINKEDIN_LATE_TOKENS": "0@0.5"}
    with start("expired_token@60", accounts=8, options=("--latency", "20ms"), environment=late) as sandbox:
        run = sandbox.run(start_date="2026-11-12", retry_first_wait=0.2, retry_attempts=8, environment=DEBUG)
        assert (run.status, run.errors) == (0, [])
        assert is_the_truth(sandbox, run.store(), "2026-11-12")
    assert run.log.count('"POST /oauth/v2/accessToken') <= 5, "not one for each of the eight"


def started(sandbox: Any, **settings: Any) -> subprocess.Popen[bytes]:
    command, variables = sandbox.called(**settings)
    return Forked(command, env=variables, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def read_until(child: subprocess.Popen[bytes], states: int) -> bytes:
    assert child.stdout
    output = b""
    while output.count(b'"type":"STATE"') < states:
        line = child.stdout.readline()
        assert line, "the run ended before it was interrupted"
        output += line
    return output


def places(output: bytes) -> set[tuple[Any, ...]]:
    """Table, account and days of the regions that are whole in an output."""
    states = [line for line in output.splitlines() if line.startswith(b'{"type":"STATE"') and line.endswith(b"}")]
    found = [json.loads(line)["replaces"] for line in states]
    return {(each["stream"], each["where"]["account_id"], each.get("from"), each.get("to")) for each in found}


def test_a_kill_in_the_middle_of_eight_accounts_loses_and_doubles_nothing(start: Any) -> None:
    with start(accounts=8, options=("--latency", "10ms")) as sandbox:
        attempt = {"WIRE_RESUME": "one run"}
        child = started(sandbox, start_date=SINCE, concurrency=8, environment=attempt)
        output = read_until(child, 12)
        child.kill()
        rest, _ = child.communicate()
        store = sandbox.kept_of(output + rest)
        assert store.state and not is_complete(sandbox, store)
        run = sandbox.run(start_date=SINCE, state=store.state, environment=attempt)
        assert (run.status, run.errors) == (0, [])
        twice = places(output + rest) & places(run.output)
        assert {stream for stream, *_ in twice} <= {"account"}, "the second attempt asks for the rest alone"
        assert is_the_truth(sandbox, run.store(store))


def is_complete(sandbox: Any, store: Any) -> bool:
    return set(store.rows) == {*ENTITIES, *DAILY} and is_the_truth(sandbox, store)


def test_sigterm_ends_a_run_in_the_middle_of_its_requests(start: Any) -> None:
    """At once; the seconds are for a machine that is busy with other things."""
    with start(accounts=8, options=("--latency", "400ms")) as sandbox:
        child = started(sandbox, start_date=SINCE, concurrency=8, data_limit_wait=300)
        read_until(child, 1)
        began = time.monotonic()
        child.send_signal(signal.SIGTERM)
        child.communicate(timeout=60)
    assert time.monotonic() - began < 20
    assert child.returncode != 0


def test_a_refused_login_does_not_wait_for_those_that_wait(start: Any) -> None:
    """One account waits half a minute for LinkedIn to recover when another one learns that the token is revoked."""
    with start(f"server_error/{FIRST}x9", "revoked_token@30", accounts=8) as sandbox:
        began = time.monotonic()
        run = sandbox.run(start_date="2026-11-12", retry_first_wait=90, concurrency=4)
    assert time.monotonic() - began < 80
    assert f"account {FIRST}: " in run.log and "retry 1 in" in run.log
    assert run.status == 77
    assert [(error.kind, error.account_id) for error in run.errors] == [(Kind.AUTH, None)]


def test_the_sandbox_holds_its_limits_only_when_asked() -> None:
    from sandbox.linkedin.limits import Limits  # noqa: PLC0415 - beside the command, which must not see it
    from sandbox.linkedin.replies import RefusalError  # noqa: PLC0415 - the same
    from sandbox.linkedin.throttles import AT_ONCE, MEMBER_CALLS, METRIC_VALUES, Throttles  # noqa: PLC0415 - the same

    free, strict = Throttles(Limits(), throttled=False), Throttles(Limits(), throttled=True)
    for _ in range(MEMBER_CALLS):
        free.count_call("creatives")
        strict.count_call("creatives")
    free.count_call("creatives")
    strict.count_call("adAnalytics")
    with pytest.raises(RefusalError) as day:
        strict.count_call("creatives")
    assert b"APPLICATION_AND_MEMBER DAY" in day.value.reply.body
    strict.count_values(METRIC_VALUES)
    free.count_values(METRIC_VALUES + 1)
    with pytest.raises(RefusalError) as values:
        strict.count_values(1)
    assert b"45 million metric values" in values.value.reply.body
    with ExitStack() as stack:
        answers = [stack.enter_context(strict.under_way()) for _ in range(AT_ONCE + 1)]
    assert [each is None for each in answers] == [True] * AT_ONCE + [False]
